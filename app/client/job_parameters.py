"""The parameters of a request for a job, and its query."""

from collections.abc import Mapping
from typing import TypedDict, cast

from app.client.options import Classes, Copies, Format, Layout, Split, StyleMode, classes_text, given
from app.client.responses import Style


class JobParameters(TypedDict, total=False):
    """The parameters of a job, like those of `generate`."""

    n: int | None
    model: str | None
    class_: str | None
    classes: Classes | None
    keep: float | None
    copies: Copies | None
    distinct: int | None
    seed: int | None
    start: int | None
    format: Format | None
    layout: Layout | None
    around: str | None
    between: str | None
    truncation: float | None
    style: Style | str | None
    style_mode: StyleMode | None
    style_strength: float | None
    style_steps: int | None
    split: Split | None
    name: str | None
    ttl_hours: int | None


def query_of(parameters: JobParameters) -> dict[str, str | int | float]:
    """Return the query of a request for a job. The server chooses the parameters that are left out."""
    others = {name: value for name, value in parameters.items() if name not in ("class_", "classes", "style")}
    style = parameters.get("style")
    named = {
        "class": parameters.get("class_"),
        "classes": classes_text(parameters.get("classes")),
        "style": style.id if isinstance(style, Style) else style,
    }
    return given(cast(Mapping[str, str | int | float | None], others | named))
