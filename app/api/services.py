"""The services that the endpoints call."""

from dataclasses import dataclass

from app.api.health_checks import HealthChecks
from app.auth.quota import Quota
from app.cluster.model_catalog import ModelCatalog
from app.jobs.archive_digest import ArchiveDigests
from app.jobs.job_service import JobService
from app.jobs.notifications import JobNotifications
from app.jobs.watcher import JobWatcher
from app.styles.style_service import StyleService
from worker.contracts.store.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """All services of one application. `create_app` creates them, and endpoints receive them as `ServicesDep`."""

    store: Store
    jobs: JobService
    models: ModelCatalog
    styles: StyleService
    quota: Quota
    watcher: JobWatcher
    notifications: JobNotifications
    health_checks: HealthChecks
    digests: ArchiveDigests
