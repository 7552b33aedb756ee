"""The operations of the API on styles: add, list, show and remove them."""

import hashlib
import io
import logging
from datetime import UTC, datetime
from http import HTTPStatus

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from app.cluster.disk_space import DiskSpace
from app.errors import ApiError, unavailable, unprocessable
from app.path_prefix import add_prefix
from app.schemas.responses import Style
from app.styles.decode_queue import DecodeQueue, decode_upload
from app.styles.limits import MAX_SIDE_PIXELS, MAX_STORED_BYTES, THUMBNAIL_SIDE_PIXELS
from worker.contracts.catalog import Sha256
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.styles import StyleEntry

_ID: TypeAdapter[str] = TypeAdapter(Sha256)
log = logging.getLogger(__name__)


class StyleService:
    """Operations of the routes on styles. They raise ApiError."""

    def __init__(self, store: Store, disk: DiskSpace, decodes: DecodeQueue) -> None:
        self._store = store
        self._disk = disk
        self._decodes = decodes

    async def add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        """Store an uploaded image as a style of its owner. Returns the style, and whether it is new to the owner."""
        return await self._decodes.run(self._add, owner, data)

    def _add(self, owner: str, data: bytes) -> tuple[Style, bool]:
        self._disk.require_free(MAX_STORED_BYTES)
        image = decode_upload(data, MAX_SIDE_PIXELS)
        width, height = image.size
        digest = hashlib.sha256(f"{width}x{height}".encode() + image.tobytes()).hexdigest()
        stored = self._store.styles.entry(owner, digest)
        if stored is None:
            entry = StyleEntry(id=digest, width=width, height=height, owner=owner, created=datetime.now(UTC))
            if self._store.styles.add(entry, _png(image)):
                return _style_view(entry), True
            stored = self._store.styles.entry(owner, digest)  # a simultaneous upload of the same image was first
        if stored is None:
            raise unavailable("store_unavailable", "the artifact store did not keep the uploaded image")
        return _style_view(stored), False

    def list_styles(self, owner: str) -> list[Style]:
        """Return the styles of an owner, the oldest first."""
        entries = sorted(self._store.styles.entries(owner), key=lambda entry: entry.created)
        return [_style_view(entry) for entry in entries]

    def require(self, owner: str, style_id: str) -> None:
        """Raise ApiError unless the owner has this style."""
        if self._store.styles.entry(owner, style_id) is None:
            raise unprocessable("unknown_style", f"style: no style has the id {style_id!r}; GET /styles lists them")

    def require_for_repetition(self, owner: str, style_id: str) -> None:
        """Raise ApiError unless the owner still has the style of an earlier job."""
        if self._store.styles.entry(owner, style_id) is None:
            detail = f"the style of this job, {style_id}, was removed; POST the same image to /styles, then repeat this"
            raise ApiError(HTTPStatus.CONFLICT, "style_removed", detail)

    def thumbnail(self, owner: str, style_id: str) -> bytes:
        """Return a small PNG of a style of an owner."""
        self._find(owner, style_id)
        with Image.open(io.BytesIO(self._store.styles.image(style_id)), formats=("PNG",)) as image:
            image.thumbnail((THUMBNAIL_SIDE_PIXELS, THUMBNAIL_SIDE_PIXELS), Image.Resampling.LANCZOS)
            return _png(image)

    def remove(self, owner: str, style_id: str) -> None:
        """Remove a style of an owner. Other owners keep it, and so do jobs that have not ended."""
        self._find(owner, style_id)
        self._store.styles.drop(owner, style_id)
        log.info("style removed", extra=fields(style=style_id, owner=owner))

    def _find(self, owner: str, style_id: str) -> StyleEntry:
        """Return a style of an owner. Raises ApiError for an unknown one."""
        try:
            stored = self._store.styles.entry(owner, _ID.validate_python(style_id))
        except ValidationError:
            stored = None
        if stored is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_style", f"no style {style_id[:64]!r}")
        return stored


def _style_view(entry: StyleEntry) -> Style:
    return Style(**entry.model_dump(), thumbnail=add_prefix(f"/styles/{entry.id}"))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
