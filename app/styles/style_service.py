"""The pictures that images can take the style of: brought, listed, shown."""

import hashlib
import io
from datetime import UTC, datetime
from http import HTTPStatus

from anyio import CapacityLimiter, to_thread
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from app.cluster.disk_space import DiskSpace
from app.errors import ApiError, unavailable, unprocessable
from app.path_prefix import rooted
from app.schemas import Style
from app.styles.image_sandbox import decoded
from worker.contracts.catalog import Sha256
from worker.contracts.store.store import Store
from worker.contracts.styles import StyleEntry
from worker.contracts.uploaded_images import PictureError, UnknownFormatError

_ID: TypeAdapter[str] = TypeAdapter(Sha256)
_MOST_KEPT = 1_000_000
"""Bytes of a kept picture and its entry."""
_SIDE = 512
"""Of a kept picture, in pixels: as much as images of this size can take over."""
_THUMBNAIL_SIDE = 160
_DECODING, _WAITING = 2, 16
"""Pictures that are decoded at the same time, and that may wait for it. They take no thread from other requests."""


class StyleService:
    """All that the routes ask for; raises ApiError."""

    def __init__(self, store: Store, room: DiskSpace) -> None:
        self._store = store
        self._room = room
        self._decoding = CapacityLimiter(_DECODING)

    async def add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        """Keep a picture for its owner, and tell whether it is new to them."""
        if self._decoding.statistics().tasks_waiting >= _WAITING:
            raise unavailable("uploads_busy", f"{_WAITING} pictures wait to be decoded already")
        return await to_thread.run_sync(self._add, owner, data, limiter=self._decoding)

    def _add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        self._room.check(_MOST_KEPT)
        try:
            picture = decoded(data, _SIDE)
        except UnknownFormatError as error:
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown_picture", f"file: {error}") from error
        except PictureError as error:
            raise unprocessable("unusable_picture", f"file: {error}") from error
        width, height = picture.size
        digest = hashlib.sha256(f"{width}x{height}".encode() + picture.tobytes()).hexdigest()
        entry = StyleEntry(id=digest, width=width, height=height, owner=owner, created=datetime.now(UTC))
        known = self._store.styles.entry(owner, digest)
        is_new = known is None and self._store.styles.add(entry, _png(picture))
        known = known or self._store.styles.entry(owner, digest)
        if known is None:
            raise unavailable("store_unavailable", "the artifact store did not keep the picture")
        return _describe(known), is_new

    def all(self, owner: str) -> list[Style]:
        """List the pictures of an owner, the oldest first."""
        entries = sorted(self._store.styles.entries(owner), key=lambda entry: entry.created)
        return [_describe(entry) for entry in entries]

    def check(self, owner: str, style_id: str) -> None:
        """Raise unless an owner has such a style."""
        if self._store.styles.entry(owner, style_id) is None:
            raise unprocessable("unknown_style", f"style: there is none with the id {style_id!r}; see /styles")

    def thumbnail(self, owner: str, style_id: str) -> bytes:
        """Make a small PNG of a picture of an owner."""
        try:
            known = self._store.styles.entry(owner, _ID.validate_python(style_id))
        except ValidationError:
            known = None
        if known is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_style", f"no style {style_id[:64]!r}")
        with Image.open(io.BytesIO(self._store.styles.image(style_id)), formats=("PNG",)) as picture:
            picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
            return _png(picture)


def _describe(entry: StyleEntry) -> Style:
    return Style(**entry.model_dump(), thumbnail=rooted(f"/styles/{entry.id}"))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
