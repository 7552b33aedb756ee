"""Checks the points of requests against a model, and translates `around` of a request into that of a job."""

from http import HTTPStatus

from pydantic import ValidationError

from app.errors import ApiError, join_names, quote_value, unprocessable
from app.schemas.requests import ImageRequest
from worker.contracts.around import Around
from worker.contracts.catalog import CatalogEntry, ModelFacts
from worker.contracts.points import MAX_ATOMS, MAX_NAMES, Point
from worker.contracts.walk import Walk


def requested_around(model: CatalogEntry, request: ImageRequest, facts: ModelFacts | None) -> Around | None:
    """Return how the images of a job lie around a point; None if they have the latents of the seed."""
    point = request.around
    if not request.is_moved or request.between is not None:
        return None
    truncation = 1.0 if request.truncation is None else request.truncation
    if point is None:
        return Around(truncation=truncation)
    sliders = check_point(point, model, facts)
    if len(point.at) == MAX_ATOMS:
        detail = f"around: at most {MAX_ATOMS - 1} latents, because that of the image is one more, got {MAX_ATOMS}"
        raise unprocessable("invalid_point", detail)
    if len(point.classes) > 1:
        detail = "around: each image of a dataset has one class, so a mixture of classes is not possible"
        raise unprocessable("mixed_classes", f"{detail}; name one class in around, or send `classes` beside it")
    return Around(
        at=point.at,
        spread=point.spread,
        shift=point.shift,
        truncation=point.truncation if request.truncation is None else truncation,
        sliders=sliders,
    )


def requested_walk(model: CatalogEntry, request: ImageRequest, facts: ModelFacts | None) -> Walk | None:
    """Return the walk whose frames the images of a job are; None for other jobs. Its points name their classes."""
    if request.between is None:
        return None
    points = request.between.points
    sliders = {check_point(point, model, facts) for point in points} - {None}
    walk = Walk(
        points=tuple(_with_classes(point, model) for point in points),
        loop=request.between.loop,
        frames=request.n,
        sliders=next(iter(sliders), None),
    )
    try:
        list(walk.middles())
    except ValidationError as error:
        detail = f"between: at most {MAX_ATOMS - 1} latents and {MAX_NAMES} shifts in two points that follow each other"
        raise unprocessable("invalid_point", detail) from error
    return walk


def _with_classes(point: Point, model: CatalogEntry) -> Point:
    if point.classes or not model.classes:
        return point
    name = model.classes[point.at[0].image_index % len(model.classes)]
    return point.model_copy(update={"classes": {name: 1.0}})


def requested_class(request: ImageRequest) -> str | None:
    """Return the class of a request that names one only, also in `around`."""
    if request.around is None or request.class_label is not None:
        return request.class_label
    return next(iter(request.around.classes), None)


def check_point(point: Point, model: CatalogEntry, facts: ModelFacts | None) -> str | None:
    """Raise ApiError if a point names a class or a slider that a model lacks, or other sliders.

    Returns the checksum of the file of sliders that the point needs; None if it has no shift.
    """
    _check_classes(point, model)
    if not point.shift:
        return None
    if facts is None or facts.sliders is None:
        raise unprocessable("unknown_slider", f"shift: {model.name} has no sliders; leave shift out")
    if not facts.sliders.startswith(point.sliders):
        detail = f"sliders: the sliders of {model.name} are {facts.sliders[:8]}, got {quote_value(point.sliders[:8])}"
        raise ApiError(HTTPStatus.CONFLICT, "other_sliders", f"{detail}; the point is of another version of them")
    unknown = next((name for name in point.shift if name not in facts.slider_names), None)
    if unknown is not None:
        detail = f"shift: must be among {join_names(facts.slider_names)}, got {quote_value(unknown)}"
        raise unprocessable("unknown_slider", detail)
    return facts.sliders


def _check_classes(point: Point, model: CatalogEntry) -> None:
    if point.classes and not model.classes:
        raise unprocessable("model_has_no_classes", f"classes: {model.name} has no classes; leave classes out")
    unknown = next((name for name in point.classes if name not in model.classes), None)
    if unknown is not None:
        detail = f"classes: must be among {join_names(model.classes)}, got {quote_value(unknown)}"
        raise unprocessable("unknown_class", detail)
