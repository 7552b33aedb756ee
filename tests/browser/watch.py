"""Watches a page for what no test may cause: messages in the console, reports of the policy, other origins."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request

_OWN_SCHEMES = ("blob", "data", "about")


class Watch:
    """Collects the faults of a page. A test names the messages that it provokes by `expect_message`."""

    def __init__(self, page: Page, origins: set[str]) -> None:
        self._origins = origins
        self._expected: list[re.Pattern[str]] = []
        self._messages: list[str] = []
        self._foreign: list[str] = []
        page.on("console", self._add_message)
        page.on("pageerror", self._add_error)
        page.on("request", self._add_request)

    def expect_message(self, pattern: str) -> None:
        """Accept console messages that contain a pattern. Browsers report every answer of 400 and above."""
        self._expected.append(re.compile(pattern))

    def add_origin(self, url: str) -> None:
        """Accept requests to the origin of a further service that the test has started."""
        self._origins.add(_origin(url))

    def check(self) -> None:
        """Fail for messages that are not expected, and for requests to other origins."""
        messages = [text for text in self._messages if not any(pattern.search(text) for pattern in self._expected)]
        assert not messages, f"the page wrote to the console: {messages}"
        assert not self._foreign, f"the page asked other origins: {self._foreign}"

    def _add_message(self, message: ConsoleMessage) -> None:
        self._messages.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _add_error(self, error: Error) -> None:
        self._messages.append(f"uncaught: {error.message} {error.stack or ''}")

    def _add_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in _OWN_SCHEMES and _origin(request.url) not in self._origins:
            self._foreign.append(request.url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
