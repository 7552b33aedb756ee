"""Creates what workers draw for points: the job of one image, and previews."""

from http import HTTPStatus

from app.cluster.model_catalog import ModelCatalog
from app.errors import unprocessable
from app.jobs.job_factory import JobFactory
from app.jobs.requested_point import check_point
from app.schemas.requests import ImageRequest
from worker.contracts.around import Around
from worker.contracts.catalog import CatalogEntry
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.points import Point
from worker.contracts.previews import MAX_PIXELS, Preview


class PointFactory:
    """Checks points against a model, and creates requests of their images. Raises ApiError."""

    def __init__(self, catalog: ModelCatalog, factory: JobFactory) -> None:
        self._catalog = catalog
        self._factory = factory

    def create_spec(self, point: Point, model: str | None, image_format: Format, owner: str) -> JobSpec:
        """Return the specification of the one-image job of a point. Nothing is stored.

        A point that is the latent of one index has the job of its plain address, and so the same bytes. The image of
        another point is drawn at the slot of its last latent, as in a job around a point.
        """
        entry = self._catalog.find_entry(model, HTTPStatus.NOT_FOUND)
        sliders = self._check(point, entry)
        if point.shift and not point.sliders:
            detail = "sliders: a shift needs the checksum of the sliders, because the address is permanent"
            raise unprocessable("invalid_point", f"{detail}; add sliders={(sliders or '')[:8]}")
        return self._create_spec(point, entry, sliders, image_format, owner)

    def create_spec_of_preview(self, point: Point, model: str | None, owner: str) -> JobSpec:
        """Return the specification of the exact PNG of a point. A shift may leave out the checksum of the sliders."""
        entry = self._catalog.find_entry(model, HTTPStatus.NOT_FOUND)
        return self._create_spec(point, entry, self._check(point, entry), "png", owner)

    def _create_spec(
        self, point: Point, entry: CatalogEntry, sliders: str | None, image_format: Format, owner: str
    ) -> JobSpec:
        last, label = point.at[-1], _single_class(point, entry)
        request = {"n": 1, "model": entry.sha256, "seed": last.seed, "start": last.image_index, "format": image_format}
        spec = self._factory.create_spec(
            ImageRequest.model_validate(request | {"class": label}), owner, HTTPStatus.NOT_FOUND
        )
        if point.is_address:
            return spec
        around = Around(
            at=point.at,
            spread=0,
            shift=point.shift,
            truncation=point.truncation,
            classes={} if label is not None else point.classes,
            sliders=sliders,
        )
        return spec.model_copy(update={"around": around})

    def create_preview(self, points: tuple[Point, ...], model: str | None, columns: int) -> Preview:
        """Return the request for a preview of points."""
        entry, _ = self._catalog.choose(model, HTTPStatus.NOT_FOUND)
        most = MAX_PIXELS // entry.resolution**2
        if len(points) > most:
            detail = f"points: at most {most} of {entry.name}, which has {entry.resolution} px, got '{len(points)}'"
            raise unprocessable("preview_too_large", detail)
        sliders = {self._check(point, entry) for point in points} - {None}
        return Preview(model=entry, sliders=next(iter(sliders), None), points=points, columns=columns)

    def _check(self, point: Point, entry: CatalogEntry) -> str | None:
        return check_point(point, entry, self._catalog.facts(entry))


def _single_class(point: Point, entry: CatalogEntry) -> str | None:
    """Return the class of an image of a point; None for a mixture, and for a model without classes."""
    if not entry.classes or len(point.classes) > 1:
        return None
    first = point.at[0].image_index
    return next(iter(point.classes), entry.classes[first % len(entry.classes)])
