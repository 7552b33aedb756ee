"""The verdicts about an image, with the sentence that explains each. Pure."""

from typing import Any
from urllib.parse import urlencode

from app.path_prefix import add_prefix
from app.provenance.pixel_comparison import is_close, is_equal
from app.schemas.verification import Mark, PixelDifference, Verification, VerifiedAddress
from worker.contracts.catalog import CatalogEntry
from worker.contracts.marks.image_address import ImageAddress
from worker.contracts.marks.point_address import PointAddress
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE

Address = ImageAddress | PointAddress


def compared(
    address: Address, model: CatalogEntry, difference: PixelDifference, *, is_marked: bool = True
) -> Verification:
    """Return the verdict about an image whose pixels were compared with those of an address."""
    known: dict[str, Any] = {
        "mark": _mark(address) if is_marked else None,
        "address": _view(address, model),
        "difference": difference,
    }
    if is_equal(difference):
        return Verification(
            made_here=True,
            verdict="equal",
            summary="This service made the image: rendering its address again gives the same pixels.",
            **known,
        )
    if is_close(difference):
        return Verification(
            made_here=True,
            verdict="close",
            summary="This service made the image. It was re-encoded or resized: "
            f"its pixels differ from those of its address by {difference.mean:g} of 255 on average.",
            **known,
        )
    return Verification(
        made_here=False,
        verdict="different",
        summary="The pixels are not those of the address in the mark: the image was altered, "
        f"or it has the mark of another image. They differ by {difference.mean:g} of 255 on average.",
        **known,
    )


def impossible(address: Address, model: CatalogEntry) -> Verification:
    """Return the verdict about an image whose mark names a class that the model does not have."""
    return Verification(
        made_here=False,
        verdict="different",
        summary=f"The mark names a class that the model {model.name} does not have, so the mark is forged.",
        mark=_mark(address),
        address=_view(address, None),
        difference=None,
    )


def unknown_model(address: Address) -> Verification:
    """Return the verdict about an image of a model that no worker has."""
    return Verification(
        made_here=None,
        verdict="unknown_model",
        summary="The mark names a model that no worker of this service has, so its pixels cannot be checked.",
        mark=_mark(address),
        address=_view(address, None),
        difference=None,
    )


def unknown_style(address: Address, model: CatalogEntry) -> Verification:
    """Return the verdict about an image whose style this service cannot render again for its caller."""
    return Verification(
        made_here=None,
        verdict="unknown_style",
        summary="The mark names a style that is not among yours, or weights of style transfer that no worker has, "
        "so the pixels cannot be checked.",
        mark=_mark(address),
        address=_view(address, model),
        difference=None,
    )


def unmarked() -> Verification:
    """Return the verdict about an image without a mark that no recent job of the caller has."""
    return Verification(
        made_here=None,
        verdict="unmarked",
        summary="The image has no mark of this service, and your recent jobs do not have it. "
        "Many programs remove marks, so this proves nothing.",
        mark=None,
        address=None,
        difference=None,
    )


def image_options(address: ImageAddress, model: CatalogEntry) -> dict[str, Any]:
    """Return the parameters of a request for an image in addition to its model, seed and index."""
    label, style = _class_label(address, model), address.style
    options: dict[str, Any] = {} if label is None else {"class": label}
    if style is not None:
        options |= {
            "style": style.id,
            "style_mode": style.mode,
            "style_strength": style.strength,
            "style_steps": style.steps,
        }
    return options


def _class_label(address: ImageAddress, model: CatalogEntry) -> str | None:
    return None if address.class_number is None else model.classes[address.class_number]


def _mark(address: Address) -> Mark:
    return Mark(kind="xmp-1", digital_source_type=DIGITAL_SOURCE_TYPE, identifier=address.uri)


def _view(address: Address, model: CatalogEntry | None) -> VerifiedAddress:
    if isinstance(address, PointAddress):
        return _view_of_point(address, model)
    return VerifiedAddress(
        model=model.name if model else None,
        model_sha256=address.model,
        seed=address.seed,
        index=address.index,
        class_number=address.class_number,
        class_label=_class_label(address, model) if model else None,
        numerics=address.numerics,
        style=address.style,
        point=None,
        url=_url(address, model) if model else None,
    )


def _view_of_point(address: PointAddress, model: CatalogEntry | None) -> VerifiedAddress:
    last, number = address.at[-1], next(iter(address.classes), None) if len(address.classes) == 1 else None
    point = address.point(model.classes) if model else None
    return VerifiedAddress(
        model=model.name if model else None,
        model_sha256=address.model,
        seed=last.seed,
        index=last.image_index,
        class_number=None if number is None else int(number),
        class_label=model.classes[int(number)] if model and number is not None else None,
        numerics=address.numerics,
        style=address.style,
        point=point.query if point else None,
        url=add_prefix(f"/images/{address.model}/at.png?{point.query}") if point and address.style is None else None,
    )


def _url(address: ImageAddress, model: CatalogEntry) -> str:
    options = image_options(address, model)
    path = add_prefix(f"/images/{address.model}/{address.seed}/{address.index}.png")
    return f"{path}?{urlencode(options)}" if options else path
