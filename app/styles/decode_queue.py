"""A bounded queue of threads for work on uploaded images, and the decoding of an upload."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from PIL import Image

from app.errors import ApiError, unavailable, unprocessable
from app.styles.image_sandbox import decode_in_sandbox
from app.styles.limits import MAX_CONCURRENT_DECODES, MAX_WAITING_DECODES
from worker.contracts.uploaded_images import PictureError, UnknownFormatError

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class DecodeQueue:
    """Runs functions that decode uploads. All endpoints share it, because each decode takes much memory."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(MAX_CONCURRENT_DECODES)

    async def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function in a thread, after the calls before it. Raises ApiError if too many calls wait."""
        if self._limiter.statistics().tasks_waiting >= MAX_WAITING_DECODES:
            raise unavailable("uploads_busy", f"{MAX_WAITING_DECODES} uploads are already waiting to be decoded")
        return await to_thread.run_sync(function, *arguments, limiter=self._limiter)


def decode_upload(data: bytes, side: int) -> Image.Image:
    """Decode an upload in the sandbox to RGB whose longer side has at most `side` pixels. Raises ApiError."""
    try:
        return decode_in_sandbox(data, side)
    except UnknownFormatError as error:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown_picture", f"file: {error}") from error
    except PictureError as error:
        raise unprocessable("unusable_picture", f"file: {error}") from error
