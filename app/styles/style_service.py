"""The operations of the API on styles: add, list and show them."""

import hashlib
import io
from datetime import UTC, datetime
from http import HTTPStatus

from anyio import CapacityLimiter, to_thread
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from app.cluster.disk_space import DiskSpace
from app.errors import ApiError, unavailable, unprocessable
from app.path_prefix import add_prefix
from app.schemas import Style
from app.styles.image_sandbox import decode_in_sandbox
from worker.contracts.catalog import Sha256
from worker.contracts.store.store import Store
from worker.contracts.styles import StyleEntry
from worker.contracts.uploaded_images import PictureError, UnknownFormatError

_ID: TypeAdapter[str] = TypeAdapter(Sha256)
_MAX_STORED_BYTES = 1_000_000
"""Upper bound of the bytes of a stored style image and its entry."""
_MAX_SIDE = 512
"""Maximum width and height of a stored style image in pixels. Generated images cannot take over finer detail."""
_THUMBNAIL_SIDE = 160
"""Maximum width and height of a thumbnail in pixels."""
_MAX_DECODING, _MAX_WAITING = 2, 16
"""Images that are decoded at the same time, and that may wait for it. They use threads of their own."""


class StyleService:
    """Operations of the routes on styles. They raise ApiError."""

    def __init__(self, store: Store, disk: DiskSpace) -> None:
        self._store = store
        self._disk = disk
        self._limiter = CapacityLimiter(_MAX_DECODING)

    async def add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        """Store an uploaded image as a style of its owner. Returns the style, and whether it is new to the owner."""
        if self._limiter.statistics().tasks_waiting >= _MAX_WAITING:
            raise unavailable("uploads_busy", f"{_MAX_WAITING} uploaded images are already waiting to be decoded")
        return await to_thread.run_sync(self._add, owner, data, limiter=self._limiter)

    def _add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        self._disk.require_free(_MAX_STORED_BYTES)
        try:
            image = decode_in_sandbox(data, _MAX_SIDE)
        except UnknownFormatError as error:
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown_picture", f"file: {error}") from error
        except PictureError as error:
            raise unprocessable("unusable_picture", f"file: {error}") from error
        width, height = image.size
        digest = hashlib.sha256(f"{width}x{height}".encode() + image.tobytes()).hexdigest()
        entry = StyleEntry(id=digest, width=width, height=height, owner=owner, created=datetime.now(UTC))
        stored = self._store.styles.entry(owner, digest)
        is_new = stored is None and self._store.styles.add(entry, _png(image))
        stored = stored or self._store.styles.entry(owner, digest)
        if stored is None:
            raise unavailable("store_unavailable", "the artifact store did not keep the uploaded image")
        return _style_view(stored), is_new

    def list_styles(self, owner: str) -> list[Style]:
        """Return the styles of an owner, the oldest first."""
        entries = sorted(self._store.styles.entries(owner), key=lambda entry: entry.created)
        return [_style_view(entry) for entry in entries]

    def require(self, owner: str, style_id: str) -> None:
        """Raise ApiError unless the owner has this style."""
        if self._store.styles.entry(owner, style_id) is None:
            raise unprocessable("unknown_style", f"style: no style has the id {style_id!r}; GET /styles lists them")

    def thumbnail(self, owner: str, style_id: str) -> bytes:
        """Return a small PNG of a style of an owner."""
        try:
            stored = self._store.styles.entry(owner, _ID.validate_python(style_id))
        except ValidationError:
            stored = None
        if stored is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_style", f"no style {style_id[:64]!r}")
        with Image.open(io.BytesIO(self._store.styles.picture(style_id)), formats=("PNG",)) as image:
            image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
            return _png(image)


def _style_view(entry: StyleEntry) -> Style:
    return Style(**entry.model_dump(), thumbnail=add_prefix(f"/styles/{entry.id}"))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
