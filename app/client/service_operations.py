"""Operations on models and styles, and the verification of images."""

from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from app.client.errors import FileError, NotAvailableError
from app.client.options import SUFFIXES, ImageFormat, given
from app.client.parsing import check_image, parse
from app.client.responses import ApiObject, Model, ModelList, Style, StyleList, Verification
from app.client.retries import Retries
from app.client.steps import Flow, Request

_UPLOAD_SECONDS = 300
_IMAGE_SECONDS = 90

A = TypeVar("A", bound=ApiObject)


class ServiceOperations:
    """Operations on one server that concern no job, as generators of steps."""

    def __init__(self, address: str, retries: Retries) -> None:
        self._address = address
        self._retries = retries

    def models(self) -> Flow[tuple[Model, ...]]:
        """Return the models of the service."""
        return (yield from self._object(ModelList, Request("GET", "/models"))).models

    def styles(self) -> Flow[tuple[Style, ...]]:
        """Return the styles that were uploaded."""
        return (yield from self._object(StyleList, Request("GET", "/styles"))).styles

    def upload_style(self, path: str | Path) -> Flow[Style]:
        """Upload a PNG, JPEG or WebP file, and return its style. The same pixels always give the same style."""
        return (yield from self._object(Style, _upload("/styles", path)))

    def point_image(
        self,
        model: str,
        at: str,
        *,
        shift: str | None = None,
        classes: str | None = None,
        truncation: float | None = None,
        sliders: str | None = None,
        format: ImageFormat = "png",
    ) -> Flow[bytes]:
        """Return the image of a point like `1:0*0.94,777:0*0.35`, as the bytes of a file. These bytes never change.

        `shift` and `classes` are texts like `brightness:1.2,colour:-0.5`. The page docs/points.md explains points.
        """
        parts = {"at": at, "shift": shift, "classes": classes, "truncation": truncation, "sliders": sliders}
        path = f"/images/{quote(model, safe='')}/at.{SUFFIXES.get(format, format)}"
        response = yield from self._retries.send(Request("GET", path, given(parts), timeout=_IMAGE_SECONDS))
        check_image(response, self._address)
        return response.content

    def verify(self, path: str | Path) -> Flow[Verification]:
        """Upload an image, and return whether the service made it. It renders the address in the image's mark again."""
        return (yield from self._object(Verification, _upload("/verify", path)))

    def delete_style(self, style: Style | str) -> Flow[None]:
        """Remove a style. It is no error if it is gone already. Datasets that took it stay."""
        style_id = style if isinstance(style, str) else style.id
        try:
            yield from self._retries.send(Request("DELETE", f"/styles/{quote(style_id, safe='')}"))
        except NotAvailableError as error:
            if error.code != "unknown_style":
                raise

    def _object(self, kind: type[A], request: Request) -> Flow[A]:
        return parse(kind, (yield from self._retries.send(request)), self._address)


def _upload(url: str, path: str | Path) -> Request:
    """Return the upload of a file. Raises FileError if it cannot be read."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path} ({error.strerror or error})") from error
    return Request("POST", url, files={"file": (path.name, data)}, timeout=_UPLOAD_SECONDS)
