"""The uploaded file of a multipart form."""

from typing import Annotated

from fastapi import Depends, File, Request

from app.errors import MAX_QUOTED_CHARACTERS, unprocessable


async def _read_upload(file: Annotated[bytes, File(description="PNG, JPEG or WebP.")], request: Request) -> bytes:
    """Return the uploaded image. Raises ApiError if the form has other fields."""
    # The limits of the routes let a few wrong fields through, so that the error can name them.
    unknown_fields = sorted({*await request.form()} - {"file"})
    if unknown_fields:
        raise unprocessable(
            "invalid_request", f"{', '.join(unknown_fields)[:MAX_QUOTED_CHARACTERS]}: no such field; send `file` alone"
        )
    return file


UploadDep = Annotated[bytes, Depends(_read_upload)]
