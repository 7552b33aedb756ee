"""Renders the images of points, and previews, by direct requests. Nothing is stored."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

from anyio import to_thread

from app.auth.api_keys import Caller
from app.cluster.model_catalog import ModelCatalog
from app.errors import ApiError, unavailable
from app.jobs.address_renderer import AddressRenderer
from app.jobs.direct_requests import DirectRequests
from app.jobs.point_factory import PointFactory
from app.jobs.watcher import IsDisconnected
from app.schemas.previews import PreviewRequest
from worker.contracts.catalog import CatalogEntry
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.points import Point

_PREVIEW_DEADLINE_SECONDS = 2
_MAX_PREVIEWS = 2
"""Previews of one owner that this process lets workers draw at the same time."""


class Picture(NamedTuple):
    """An image file."""

    media_type: str
    sha256: str
    data: bytes


class PointRenderer:
    """Returns images of points. Raises ApiError."""

    def __init__(
        self,
        catalog: ModelCatalog,
        factory: PointFactory,
        addresses: AddressRenderer,
        direct_requests: DirectRequests,
    ) -> None:
        self.factory = factory
        self._catalog = catalog
        self._addresses = addresses
        self._direct_requests = direct_requests
        self._previews = Counter[str]()
        """Number of previews in progress of each owner."""

    async def create_spec(self, point: Point, model: str, image_format: Format, caller: Caller) -> JobSpec:
        """Return the specification of the one-image job of a point, for `render`."""
        return await to_thread.run_sync(self.factory.create_spec, point, model, image_format, caller.owner)

    async def render(self, spec: JobSpec, caller: Caller, is_disconnected: IsDisconnected) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of the image of a one-image job."""
        if spec.around is None:
            return await self._addresses.render(spec, caller, is_disconnected)
        await self._require_worker(spec.model)
        return await self._direct_requests.send(spec, caller.owner, is_disconnected)

    async def preview(self, request: PreviewRequest, caller: Caller, is_disconnected: IsDisconnected) -> Picture:
        """Return the image of one point as an exact PNG, or a JPEG with the images of several points."""
        with self._in_progress(caller.owner):
            if len(request.points) == 1:
                return await self._exact(request, caller, is_disconnected)
            preview = await to_thread.run_sync(
                self.factory.create_preview, request.points, request.model, request.columns_or_default
            )
            await self._require_worker(preview.model)
            found = await self._direct_requests.send_preview(
                preview, caller.owner, is_disconnected, _PREVIEW_DEADLINE_SECONDS
            )
            return Picture("image/jpeg", *found)

    async def _exact(self, request: PreviewRequest, caller: Caller, is_disconnected: IsDisconnected) -> Picture:
        spec = await to_thread.run_sync(
            self.factory.create_spec_of_preview, request.points[0], request.model, caller.owner
        )
        await self._require_worker(spec.model)
        found = await self._direct_requests.send(spec, caller.owner, is_disconnected, _PREVIEW_DEADLINE_SECONDS)
        return Picture("image/png", *found)

    async def _require_worker(self, model: CatalogEntry) -> None:
        if not await to_thread.run_sync(self._catalog.has_worker_for_points, model):
            detail = f"no live worker of {model.name} draws points; update the workers, or try again soon"
            raise unavailable("no_worker", detail)

    @contextmanager
    def _in_progress(self, owner: str) -> Iterator[None]:
        if self._previews[owner] >= _MAX_PREVIEWS:
            detail = f"{_MAX_PREVIEWS} previews are in progress already; send the next when one has arrived"
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "preview_busy", detail, retry_after_seconds=1)
        self._previews[owner] += 1
        try:
            yield
        finally:
            self._previews[owner] -= 1
