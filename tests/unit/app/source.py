"""A small HTTP server with the manners that a test wants: it cuts connections, honours ranges or does not, refuses."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self

PATH = "/archive"
DATA = Random(1).randbytes(200_000)


class Source:
    """Serves DATA, and other answers in the order in which a test puts them down."""

    def __init__(self) -> None:
        self.data = DATA
        self.etag = '"first"'
        self.cuts: list[int] = []
        """How many bytes of their bodies the next answers send before the connection ends."""
        self.knows_ranges = True
        self.tells_length = True
        self.answers: list[tuple[int, dict[str, str], Any]] = []
        """Status, headers and body of the next answers, given instead of the data."""
        self.jobs: list[dict[str, Any]] = []
        """The next answers about the job, given once there are no other answers."""
        self.requests: list[tuple[float, str, dict[str, str]]] = []
        """When, which method and path, which headers."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def headers(self) -> list[dict[str, str]]:
        """The headers of all requests."""
        return [headers for _, _, headers in self.requests]

    def body(self, wanted: str | None) -> tuple[int, dict[str, str], bytes]:
        """Answer with the data, or with the range that is wanted."""
        headers = {"ETag": self.etag}
        if wanted is None or not self.knows_ranges:
            return 200, headers | {"Content-Length": str(len(self.data))}, self.data
        start, size = int(wanted.removeprefix("bytes=").removesuffix("-")), len(self.data)
        if start >= size:
            return 416, headers | {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, b""
        part = self.data[start:]
        headers |= {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": str(len(part))}
        return 206, headers, part


def job(state: str = "running", **more: Any) -> dict[str, Any]:
    """Make what the API says about a job."""
    links = {"self": "/jobs/abc", "download": "/archive", "cancel": "/jobs/abc/cancel"}
    answer = {"id": "abc", "state": state, "done": state not in ("queued", "running"), "model": "faces", "n": 9}
    answer |= {
        "seed": 1,
        "class": None,
        "start": 0,
        "format": "png",
        "images_done": 3,
        "images_total": 9,
        "images_per_s": None,
    }
    return answer | {"eta_seconds": None, "error": None, "links": links, "news": "of a newer server"} | more


def _handler(source: Source) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.rfile.read(int(headers.get("content-length", 0)))  # else the client may get a reset
            source.requests.append((time.monotonic(), f"{self.command} {self.path}", headers))
            if source.answers:
                status, more, answer = source.answers.pop(0)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.answer(status, {"Content-Length": str(len(body)), **more}, body)
                return
            if source.jobs and self.path.startswith("/jobs/"):
                body = json.dumps(source.jobs.pop(0)).encode()
                self.answer(200, {"Content-Length": str(len(body))}, body)
                return
            condition = headers.get("if-range")
            is_same = condition in (None, source.etag)
            status, more, body = source.body(headers.get("range") if is_same else None)
            if not source.tells_length:
                del more["Content-Length"]
            self.answer(status, more, body[: source.cuts.pop(0)] if source.cuts else body)

        do_POST = do_GET  # noqa: N815

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
