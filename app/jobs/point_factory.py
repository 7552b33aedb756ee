"""Creates what workers draw for points: the job of one image, and previews."""

from http import HTTPStatus

from app.cluster.model_catalog import ModelCatalog
from app.errors import ApiError, join_names, quote_value, unprocessable
from app.jobs.job_factory import JobFactory
from app.schemas.requests import ImageRequest
from worker.contracts.around import Around
from worker.contracts.catalog import CatalogEntry
from worker.contracts.jobs import Format, JobSpec
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
        sliders = self.check(point, entry)
        if point.shift and not point.sliders:
            detail = "sliders: a shift needs the checksum of the sliders, because the address is permanent"
            raise unprocessable("invalid_point", f"{detail}; add sliders={(sliders or '')[:8]}")
        return self._create_spec(point, entry, sliders, image_format, owner)

    def create_spec_of_preview(self, point: Point, model: str | None, owner: str) -> JobSpec:
        """Return the specification of the exact PNG of a point. A shift may leave out the checksum of the sliders."""
        entry = self._catalog.find_entry(model, HTTPStatus.NOT_FOUND)
        return self._create_spec(point, entry, self.check(point, entry), "png", owner)

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
        sliders = {self.check(point, entry) for point in points} - {None}
        return Preview(model=entry, sliders=next(iter(sliders), None), points=points, columns=columns)

    def check(self, point: Point, entry: CatalogEntry) -> str | None:
        """Raise ApiError if a point names a class or a slider that a model lacks, or other sliders.

        Returns the checksum of the file of sliders that the point needs; None if it has no shift.
        """
        _check_classes(point, entry)
        if not point.shift:
            return None
        facts = self._catalog.facts(entry)
        known = facts.slider_names if facts else ()
        sliders = facts.sliders if facts else None
        if sliders is None:
            raise unprocessable("unknown_slider", f"shift: {entry.name} has no sliders; leave shift out")
        if not sliders.startswith(point.sliders):
            detail = f"sliders: the sliders of {entry.name} are {sliders[:8]}, got {quote_value(point.sliders[:8])}"
            detail = f"{detail}; the link is of another version of them"
            raise ApiError(HTTPStatus.CONFLICT, "other_sliders", detail)
        unknown = next((name for name in point.shift if name not in known), None)
        if unknown is not None:
            detail = f"shift: must be among {join_names(known)}, got {quote_value(unknown)}"
            raise unprocessable("unknown_slider", detail)
        return sliders


def _check_classes(point: Point, entry: CatalogEntry) -> None:
    if point.classes and not entry.classes:
        raise unprocessable("model_has_no_classes", f"classes: {entry.name} has no classes; leave classes out")
    unknown = next((name for name in point.classes if name not in entry.classes), None)
    if unknown is not None:
        detail = f"classes: must be among {join_names(entry.classes)}, got {quote_value(unknown)}"
        raise unprocessable("unknown_class", detail)


def _single_class(point: Point, entry: CatalogEntry) -> str | None:
    """Return the class of an image of a point; None for a mixture, and for a model without classes."""
    if not entry.classes or len(point.classes) > 1:
        return None
    first = point.at[0].image_index
    return next(iter(point.classes), entry.classes[first % len(entry.classes)])
