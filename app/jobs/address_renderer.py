"""Renders the image of an address: by a direct request if a worker answers those, otherwise by a durable job."""

from functools import partial
from http import HTTPStatus

from anyio import to_thread

from app.auth.api_keys import Caller
from app.auth.quota import Quota
from app.cluster.model_catalog import ModelCatalog
from app.jobs.direct_requests import DirectRequests
from app.jobs.job_factory import JobFactory
from app.jobs.job_service import JobService
from app.jobs.watcher import IsDisconnected, JobWatcher
from app.schemas.requests import ImageRequest
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import DamagedError


class AddressRenderer:
    """Returns images by address. Raises ApiError."""

    def __init__(
        self,
        catalog: ModelCatalog,
        factory: JobFactory,
        jobs: JobService,
        watcher: JobWatcher,
        quota: Quota,
        direct_requests: DirectRequests,
    ) -> None:
        self._catalog = catalog
        self._factory = factory
        self._jobs = jobs
        self._watcher = watcher
        self._quota = quota
        self._direct_requests = direct_requests

    async def create_spec(self, request: ImageRequest, caller: Caller) -> JobSpec:
        """Return the specification of the one-image job of an address, for `render`. Nothing is stored."""
        return await to_thread.run_sync(self._factory.create_spec, request, caller.owner, HTTPStatus.NOT_FOUND)

    async def render(self, spec: JobSpec, caller: Caller, is_disconnected: IsDisconnected) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of the image of a one-image job.

        An unstyled image is stored nowhere, if a live worker answers direct requests. Other images are stored as a job.
        """
        if spec.style is None and await to_thread.run_sync(self._catalog.has_direct_worker, spec):
            return await self._direct_requests.send(spec, caller.owner, is_disconnected)
        return await self._render_by_job(spec, caller, is_disconnected)

    async def _render_by_job(self, spec: JobSpec, caller: Caller, is_disconnected: IsDisconnected) -> tuple[str, bytes]:
        find, limiter = partial(self._jobs.submit_image, spec, caller), self._quota.limiter_for(caller)
        job = await to_thread.run_sync(find, limiter=limiter)
        try:
            return await self._watcher.wait_for_image(job, is_disconnected)
        except DamagedError:  # the store has lost the image: check the job's files and render it again
            job = await to_thread.run_sync(partial(find, is_checked=True), limiter=limiter)
            return await self._watcher.wait_for_image(job, is_disconnected)
