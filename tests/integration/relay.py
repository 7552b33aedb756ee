"""A small proxy in front of the API. It removes a prefix from paths, and drops responses on request."""

import sys
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


class Relay:
    """Forwards requests to a server and its responses to the client, except dropped ones."""

    def __init__(self, server: str, prefix: str = "") -> None:
        self.lose = 0
        """Number of responses to the next POST requests that are dropped: the connection ends instead."""
        self.cuts: list[int] = []
        """How many bytes of the next downloads pass before the connection ends."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Method and path of each request, with its headers."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(server).netloc, prefix))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def keys(self, path: str) -> list[str | None]:
        """Return the idempotency keys of the requests to a path."""
        return [headers.get("idempotency-key") for line, headers in self.requests if line.startswith(path)]


def _handler(relay: Relay, server: str, prefix: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            relay.requests.append((f"{self.command} {self.path}", headers))
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(headers.get("content-length", 0)))
            with closing(HTTPConnection(server, timeout=60)) as connection:
                connection.request(self.command, self.path.removeprefix(prefix), body, headers)
                self.answer(connection.getresponse())

        def answer(self, answer: HTTPResponse) -> None:
            if self.command == "POST" and relay.lose:
                relay.lose -= 1
                answer.read()
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            left = relay.cuts.pop(0) if relay.cuts and "/download" in self.path else sys.maxsize
            while left and (data := answer.read1(min(left, 65536))):
                self.wfile.write(data)
                left -= len(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
