"""The routes of the web page. Its files are public, because the page asks for a key itself."""

from http import HTTPStatus

from fastapi import Request, Response

from app.api.page_files import PageFile, load_page_files
from app.api.router import Router
from app.errors import ApiError, quote_value

_INDEX = "index.html"

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html imagemill",
    )
)
_HEADERS = {
    "Cache-Control": "no-cache",  # with an ETag: a browser asks each time, so that no old page survives an upgrade
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
}

router = Router(include_in_schema=False)


@router.get("/")
async def get_page(request: Request) -> Response:
    """Return the page."""
    return _respond(request, load_page_files()[_INDEX])


@router.get("/docs")
async def get_docs() -> Response:
    """Lead to the view of the API. The address is relative, so it works behind any prefix."""
    return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={**_HEADERS, "Location": "./#/api"})


@router.get("/ui/{path:path}")
async def get_page_file(path: str, request: Request) -> Response:
    """Return a file of the page. Unknown files are errors, because a page in their place would hide the fault."""
    file = load_page_files().get(path)
    if file is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"the page has no file {quote_value(path)}")
    return _respond(request, file)


def _respond(request: Request, file: PageFile) -> Response:
    headers = {**_HEADERS, "ETag": file.etag}
    if file.etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if file.is_compressible and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(file.gzipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.data, media_type=file.media_type, headers=headers)
