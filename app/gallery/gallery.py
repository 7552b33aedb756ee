"""The gallery of a job: sheets of thumbnails, packed orders, and facts about single images."""

import sys
from array import array
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from anyio import CapacityLimiter

from app.errors import ApiError
from app.gallery.image_order import ImageOrders
from app.gallery.image_places import ImagePlaces
from app.gallery.picks import PicksStore
from app.gallery.sheet_grid import sheet_grid
from app.gallery.sheets import draw_sheet
from app.jobs.job_reader import JobReader, check_not_expired, not_available
from app.schemas.gallery import GalleryQuery, SheetQuery
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_MAX_CONCURRENT_DRAWS = 2
"""Sheets that are drawn at the same time. They leave threads and cores to other requests."""


class Sheet(NamedTuple):
    """A sheet of thumbnails."""

    jpeg: bytes
    is_complete: bool
    """Whether its bytes never change."""


class PackedOrder(NamedTuple):
    """The order of the images of a job."""

    data: bytes
    """Offsets as unsigned integers of 32 bits, the least significant byte first."""
    is_complete: bool


class Gallery:
    """Serves the galleries of jobs. Raises ApiError."""

    def __init__(self, store: Store, reader: JobReader) -> None:
        self.picks = PicksStore(store)
        self.limiter = CapacityLimiter(_MAX_CONCURRENT_DRAWS)
        """Limits the threads that draw sheets."""
        self._reader = reader
        self._orders = ImageOrders(store, self.picks)
        self._places = ImagePlaces(store)

    def sheet(self, spec: JobSpec, k: int, query: SheetQuery) -> Sheet:
        """Draw sheet number k. Raises ApiError if it does not exist or is not complete; see `SheetQuery.have`."""
        job, order = self._find(spec, query)
        count = sheet_grid(spec.model.resolution).images
        part = order[k * count : (k + 1) * count]
        is_complete = len(part) == count or (job.done and len(part) > 0)
        has_more = query.have is not None and len(part) > query.have
        if not (is_complete or has_more):
            if job.state == "succeeded":
                detail = f"job {spec.id} has {-(-len(order) // count)} sheets of these images, and no sheet {k}"
                raise ApiError(HTTPStatus.NOT_FOUND, "unknown_sheet", detail)
            raise not_available(job, f"sheet {k}")
        jpeg = self._draw(spec, [spec.first + offset for offset in part])
        return Sheet(jpeg, is_complete and query.show == "all")

    def _draw(self, spec: JobSpec, indices: Sequence[int]) -> bytes:
        try:
            return draw_sheet(self._places, spec, indices)
        except DamagedError:
            # The images were removed just now, or a repair has rendered a shard again.
            self._places.forget(spec)
            job = self._reader.get_job(spec)
            check_not_expired(job)
            if job.done and job.state != "succeeded":
                raise not_available(job, "its images") from None
            return draw_sheet(self._places, spec, indices)

    def order(self, spec: JobSpec, query: GalleryQuery) -> PackedOrder:
        """Return the order of the images."""
        job, order = self._find(spec, query)
        packed = array("I", order)
        if sys.byteorder == "big":
            packed.byteswap()
        return PackedOrder(packed.tobytes(), job.state == "succeeded" and query.show == "all")

    def _find(self, spec: JobSpec, query: GalleryQuery) -> tuple[Job, Sequence[int]]:
        job = self._reader.get_job(spec)
        check_not_expired(job)
        if job.state == "cancelled":
            raise not_available(job, "its images")
        return job, self._orders.order(spec, job, query)
