"""The services that the endpoints call."""

from dataclasses import dataclass

from app.api.health_checks import HealthChecks
from app.auth.quota import Quota
from app.auth.sessions import Sessions
from app.cluster.model_catalog import ModelCatalog
from app.cluster.model_files import ModelFiles
from app.estimates.estimator import Estimator
from app.gallery.gallery import Gallery
from app.jobs.address_renderer import AddressRenderer
from app.jobs.archive_digest import ArchiveDigests
from app.jobs.direct_requests import DirectRequests
from app.jobs.job_listing import JobListing
from app.jobs.job_service import JobService
from app.jobs.notifications import JobNotifications
from app.jobs.owner_watcher import OwnerWatcher
from app.jobs.point_renderer import PointRenderer
from app.jobs.watcher import JobWatcher
from app.provenance.manifests import Manifests
from app.provenance.verifier import Verifier
from app.runs.run_folders import RunFolders
from app.styles.style_service import StyleService
from worker.contracts.store.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """All services of one application. `create_app` creates them, and endpoints receive them as `ServicesDep`."""

    store: Store
    jobs: JobService
    estimator: Estimator
    job_listing: JobListing
    models: ModelCatalog
    model_files: ModelFiles
    styles: StyleService
    quota: Quota
    watcher: JobWatcher
    owner_watcher: OwnerWatcher
    gallery: Gallery
    notifications: JobNotifications
    direct_requests: DirectRequests
    addresses: AddressRenderer
    points: PointRenderer
    verifier: Verifier
    manifests: Manifests
    health_checks: HealthChecks
    digests: ArchiveDigests
    sessions: Sessions | None
    """None in a service without keys."""
    runs: RunFolders

    def close(self) -> None:
        """Let all waiting requests end soon, because the process ends."""
        self.notifications.close()
        self.direct_requests.close()
