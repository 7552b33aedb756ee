"""Translates the classes of a request into the shares of a job."""

from app.errors import ApiError, join_names, quote_value, unprocessable
from app.schemas.requests import ImageRequest
from worker.contracts.catalog import CatalogEntry
from worker.contracts.class_cycle import MAX_CYCLE, reduce_shares


def check_class(model: CatalogEntry, label: str | None) -> None:
    """Raise ApiError unless a model has a class. None means all classes."""
    if label is None or label in model.classes:
        return
    choice = f"one of {join_names(model.classes)}" if model.classes else f"left out, as {model.name} has no classes"
    raise unprocessable("unknown_class", f"class: must be {choice}, got {quote_value(label)}")


def requested_shares(model: CatalogEntry, request: ImageRequest) -> tuple[int, ...]:
    """Return the proportions of a model's classes, in label order; empty if the request has no `classes`.

    Raises ApiError for classes that the model lacks, and for counts that do not fit n.
    """
    classes = request.classes
    if classes is None:
        return ()
    if not model.classes:
        detail = f"classes: {model.name} has no classes; leave classes out, or choose another model"
        raise unprocessable("model_has_no_classes", detail)
    unknown = next((name for name in classes.names if name not in model.classes), None)
    if unknown is not None:
        detail = f"classes: must be among {join_names(model.classes)}, got {quote_value(unknown)}"
        raise unprocessable("unknown_class", detail)
    if classes.total is not None and classes.total != request.n:
        detail = f"classes: the counts add up to {classes.total}, but n is {request.n}; leave n out, or correct one"
        raise unprocessable("counts_do_not_add_up", detail)
    counts = dict(zip(classes.names, classes.counts or (1,) * len(classes.names), strict=True))
    shares = reduce_shares([counts.get(name, 0) for name in model.classes])
    if sum(shares) > MAX_CYCLE:
        raise _too_fine(sum(shares))
    return shares


def _too_fine(length: int) -> ApiError:
    detail = (
        f"classes: divided by their greatest common divisor, the counts add up to {length}, which is more than "
        f"{MAX_CYCLE}; round them, for example to thousands"
    )
    return unprocessable("counts_too_fine", detail)
