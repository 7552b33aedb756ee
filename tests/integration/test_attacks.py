"""Hostile requests: each gets its exact response, and the service stays healthy, quick and small."""

import io
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.archive_name import archive_name
from app.schemas.parameter_types import MAX_SEED, MAX_START
from app.schemas.responses import Job
from tests.integration import bombs
from tests.integration.bombs import SCRIPT, chunk, segment
from tests.integration.running_service import RunningService, wait_until
from tests.tiny import PLAIN

UNKNOWN = "A" * 22
MORE_MB = 160
"""Largest growth of the API's memory in one test: some bodies of 20 MB at a time, but no decoded image."""
QUICK_SECONDS = 5.0
"""Longest time for a health check on a busy machine."""


@pytest.fixture(autouse=True)
def unharmed(service: RunningService) -> Iterator[None]:
    """After every attack, the API is the same process, quick and small. It sent no traceback and stored nothing."""
    before, kept, told = peak_mb(service), stored(service), len(log(service))
    yield
    begin = time.monotonic()
    assert service.client.get("/healthz").status_code == 200
    assert service.client.get("/models").status_code == 200
    assert time.monotonic() - begin < QUICK_SECONDS
    assert peak_mb(service) - before < MORE_MB
    said = log(service)[told:]
    assert "Traceback" not in said
    assert SCRIPT.decode() not in said
    assert not re.search(r"[^\n\x20-\x7e]", said), "unescaped bytes in the log"
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in said.splitlines()), "a forged line in the log"
    wait_until(lambda: stored(service) - kept <= brought)


brought: set[str] = set()
"""Objects that tests left in the store on purpose."""


def peak_mb(service: RunningService) -> int:
    """Return the peak memory of the API in MB."""
    status = Path(f"/proc/{service.api_pid}/status")
    if not status.exists():
        pytest.skip("/proc is not here")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) // 1000


def log(service: RunningService) -> str:
    return service.api_log.read_text(errors="surrogateescape")


def stored(service: RunningService) -> set[str]:
    """Return the styles and the open jobs in the store."""
    store = service.folder / "store"
    return {str(path.relative_to(store)) for name in ("styles", "open") for path in store.glob(f"{name}/*")}


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    problem = dict(response.json())
    assert (problem["code"], problem["status"]) == (code, status)
    return problem


def raw(service: RunningService, request: bytes) -> bytes:
    """Send bytes that no client library sends, and return the response."""
    port = int(service.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        answer = b""
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
        except ConnectionError:  # closed while we still send
            pass
        return answer


def ask(service: RunningService, line: bytes, *headers: bytes) -> bytes:
    head = b"".join(header + b"\r\n" for header in (b"Host: localhost", b"Connection: close", *headers))
    return raw(service, line + b" HTTP/1.1\r\n" + head + b"\r\n")


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def bring(service: RunningService, data: bytes) -> httpx.Response:
    return service.client.post("/styles", files={"file": ("x", data)}, timeout=100)


# pictures

TRANSPARENT = chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", b"\0\x80")
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "1.2 GB of zeros in a PNG": (lambda: bombs.png(20_000, 8, 2), "more than 40,000,000 pixels"),
    "a PNG of 2 147 483 647 pixels a side": (lambda: bombs.huge_header("PNG"), "more than 40,000,000 pixels"),
    "a JPEG of 56 540 pixels a side": (lambda: bombs.huge_header("JPEG"), "more than 40,000,000 pixels"),
    "a WebP of 16 383 pixels a side": (lambda: bombs.huge_header("WEBP"), "more than 40,000,000 pixels"),
    "a JPEG of 10 000 scans": (lambda: bombs.scans(10_000, 6_320), "cannot be read within 5 s"),
    "a JPEG of 66 666 EXIF segments": (
        lambda: bombs.with_segments(segment(0xE1, b"Exif\0\0" + bytes(50)) * 66_666),
        "cannot be read within 5 s",
    ),
    "half a PNG": (lambda: bombs.picture("PNG")[:300], "cannot be read"),
    "half a JPEG": (lambda: bombs.picture("JPEG")[:-200], "cannot be read"),
    "half a WebP": (lambda: bombs.picture("WEBP")[:-60], "cannot be read"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(service: RunningService, name: str) -> None:
    make, words = BOMBS[name]
    assert words in refused(bring(service, make()), 422, "unusable_picture")["detail"]


@pytest.mark.parametrize(
    "data",
    [
        b"<html>" + SCRIPT,
        b"GIF89a/*" + SCRIPT,
        b"%PDF-1.7" + SCRIPT,
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1:1/'/></svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"PK\x03\x04" + bytes(60),
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_no_picture_is_of_an_unknown_type(service: RunningService, data: bytes) -> None:
    refused(bring(service, data), 415, "unknown_picture")


@pytest.mark.parametrize(
    "name",
    [
        *("APNG of 3000 frames", "WebP of 3000 frames", "palette", "16 bit", "200 000 chunks"),
        *("60 MB of text in a zTXt", "60 MB of text in an iTXt"),
    ],
)
def test_a_heavy_picture_is_taken_by_another_process_than_the_api(service: RunningService, name: str) -> None:
    """The largest allowed uploads cost the API only the memory for their bytes."""
    data = {
        "APNG of 3000 frames": lambda: bombs.frames("PNG", 3000),
        "WebP of 3000 frames": lambda: bombs.frames("WEBP", 3000),
        "palette": lambda: bombs.png(6_320, 8, 3, TRANSPARENT),
        "16 bit": lambda: bombs.png(6_320, 16, 0),
        "200 000 chunks": lambda: bombs.png(40, 8, 2, chunk(b"scPt") * 200_000),
        "60 MB of text in a zTXt": lambda: bombs.text_bomb(b"zTXt", 60_000_000),
        "60 MB of text in an iTXt": lambda: bombs.text_bomb(b"iTXt", 60_000_000),
    }[name]()
    taken = bring(service, data)
    assert taken.status_code in (200, 201), taken.text
    brought.add(f"styles/{taken.json()['id']}")


@pytest.mark.parametrize(("name", "data"), [*bombs.polyglots()])
def test_what_is_shown_of_a_polyglot_is_a_fresh_picture(service: RunningService, name: str, data: bytes) -> None:
    taken = bring(service, data)
    assert taken.status_code in (200, 201), f"{name}: {taken.text}"
    brought.add(f"styles/{taken.json()['id']}")
    shown = service.client.get(taken.headers["Location"])
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    kept = (service.folder / "store" / "styles" / taken.json()["id"] / "picture.png").read_bytes()
    for picture in (shown.content, kept):
        assert picture.startswith(b"\x89PNG")
        assert picture.endswith(chunk(b"IEND"))
        assert b"script" not in picture
        with Image.open(io.BytesIO(picture)) as opened:
            assert not opened.info


def test_bombs_that_are_decoded_hold_up_nobody_else(service: RunningService) -> None:
    bomb = bombs.scans(10_000, 6_320)
    with ThreadPoolExecutor(24) as senders:
        sent = [
            senders.submit(httpx.post, f"{service.url}/styles", files={"file": bomb}, timeout=100) for _ in range(24)
        ]
        wait_until(lambda: any(answer.done() for answer in sent))  # 2 are decoded, 16 wait, and the others
        begin = time.monotonic()
        assert service.client.get("/styles").status_code == 200
        assert service.hashes(2, seed=3)
        assert time.monotonic() - begin < 2 * QUICK_SECONDS
        first = next(answer.result() for answer in sent if answer.done())
        refused(first, 503, "uploads_busy")
        while not all(answer.done() for answer in sent):
            kill_decoders(service)
    assert {answer.result().json()["code"] for answer in sent} == {"uploads_busy", "unusable_picture"}


def kill_decoders(service: RunningService) -> None:
    """End the child processes of the API, so that the test ends sooner."""
    for children in Path(f"/proc/{service.api_pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGKILL)


# bodies


def part(name: str, data: bytes = b"x", file: str | None = "x") -> bytes:
    named = f'name="{name}"' + ("" if file is None else f'; filename="{file}"')
    return f"--b\r\nContent-Disposition: form-data; {named}\r\n\r\n".encode() + data + b"\r\n"


MULTIPART = "multipart/form-data; boundary=b"
PIXELS = bombs.picture("PNG")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (part("file", PIXELS) * 2 + b"--b--", MULTIPART, 400, "bad_request"),
        (part("file") * 5000 + b"--b--", MULTIPART, 400, "bad_request"),
        (part("a", file=None) * 5000 + b"--b--", MULTIPART, 400, "bad_request"),
        (part("a", bytes(2000), file=None) + b"--b--", MULTIPART, 400, "bad_request"),
        (part("file", bytes(20_000_001)) + b"--b--", MULTIPART, 413, "body_too_large"),
        (part("other") + b"--b--", MULTIPART, 422, "invalid_request"),
        (part("file", file=None) + b"--b--", MULTIPART, 415, "unknown_picture"),
        (b"--b\r\n" + b"X: " + b"a" * 1_000_000, MULTIPART, 400, "bad_request"),
        (b"", MULTIPART, 422, "invalid_request"),
        (part("file", PIXELS, "x" * 5000) + b"--b--", MULTIPART, 400, "bad_request"),
        (PIXELS, "multipart/form-data", 400, "bad_request"),
        (PIXELS, "image/png", 422, "invalid_request"),
        (b"file=" + b"a" * 2_000_000, "application/x-www-form-urlencoded", 400, "bad_request"),
        (b"[" * 100_000, "application/json", 422, "invalid_request"),
        (PIXELS, "\x80/é", 422, "invalid_request"),
    ],
)
def test_an_odd_body_is_refused(service: RunningService, body: bytes, kind: str, status: int, code: str) -> None:
    headers = {b"Content-Type": kind.encode("latin-1")}
    refused(service.client.post("/styles", content=body, headers=headers), status, code)


def test_a_file_name_changes_nothing(service: RunningService) -> None:
    for name in ("../../x.png", "C:\\x", 'a\\"; filename=b', "\u202egnp.exe"):
        taken = service.client.post("/styles", files={"file": (name, PIXELS)})
        assert taken.status_code in (200, 201)
        brought.add(f"styles/{taken.json()['id']}")


def test_a_body_that_nobody_asked_for_is_not_kept(service: RunningService) -> None:
    refused(service.client.post("/generate?n=0", content=bytes(100_000_000)), 413, "body_too_large")
    refused(service.client.post(f"/jobs/{UNKNOWN}/cancel", content=bytes(100_000_000)), 422, "unexpected_body")


# addresses

TRICKS = (
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fspec.json",
    "..%5c..%5cspec.json",
    "%2fetc%2fpasswd",
    "%00",
    f"{UNKNOWN}%00",
    f"{UNKNOWN}%0a",
    f"{UNKNOWN}%0d%0aX-Evil:%201",
    "%EF%BC%A1" * 22,  # A, but wide
    "%ED%A0%80" * 22,  # half of a surrogate pair
    "%C0%AE%C0%AE%C0%AF",  # ../ in too many bytes
    "%25%32%65" * 22,
    "A" * 10_000,
    "%24%7B7*7%7D",
    "%3Cscript%3Ealert(document.domain)%3C%2Fscript%3E",
)
PLACES = (
    ("GET", "/jobs/{}"),
    ("GET", "/jobs/{}/events"),
    ("GET", "/jobs/{}/download"),
    ("GET", "/jobs/{}/images/0.png"),
    ("POST", "/jobs/{}/cancel"),
    ("POST", "/jobs/{}/retry"),
    ("POST", "/jobs/{}/rebuild"),
    ("GET", "/images/{}/1/2.png"),
    ("GET", "/styles/{}"),
    ("GET", "/models/{}"),
)


@pytest.mark.parametrize(("method", "place"), PLACES)
def test_no_id_is_a_way_out_of_the_store(service: RunningService, method: str, place: str) -> None:
    for trick in TRICKS:
        answer = ask(service, f"{method} {place.format(trick)}".encode())
        assert status_of(answer) == 404, (trick, answer[:300])
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"application/problem+json" in head
        assert b"x-evil" not in head.lower()
        assert json.loads(body)["code"] in ("not_found", "unknown_job", "unknown_style", "unknown_model")


@pytest.mark.parametrize(
    "index", ["-1", "9" * 19, "9" * 5000, "1e3", "%D9%A3", "%EF%BC%93", "0x1", "1_0", "%00", "NaN"]
)
def test_an_odd_index_is_refused(service: RunningService, index: str) -> None:
    assert status_of(ask(service, f"GET /images/{PLAIN}/1/{index}.png".encode())) == 422
    assert status_of(ask(service, f"GET /images/{PLAIN}/{index}/1.png".encode())) == 422


@pytest.mark.parametrize(
    ("suffix", "status"), [("exe", 422), ("png%00", 422), ("png/..", 404), ("PNG", 422), ("svg", 422)]
)
def test_an_odd_suffix_is_refused(service: RunningService, suffix: str, status: int) -> None:
    assert status_of(ask(service, f"GET /images/{PLAIN}/1/2.{suffix}".encode())) == status


# queries


@pytest.mark.parametrize(
    "query",
    [
        "n=%D9%A3",  # Arabic-Indic 3
        "n=%EF%BC%93",  # wide 3
        "n=%F0%9D%9F%9B",  # mathematical 3
        "n=%C2%B3",  # superscript 3
        "n=%ED%A0%80",
        "n=1%00",
        "n=+1",
        "n[]=1",
        "n[a][b][c][d][e][f]=1",
        "n=1&" + "&".join(f"a{number}=1" for number in range(3000)),
        "n=1&" + "class=a&" * 3000,
        "n=1&" + "&".join(["a" * 1000 + "=1"]),
        "n=1;n=2",
        "n=1&seed=nan",
        "n=1&style=http://127.0.0.1:1/picture.png",
        "n=1&style=file:///etc/passwd",
        "n=1&url=http://127.0.0.1:1/",
        "n=1&callback=http://127.0.0.1:1/",
        "n=1&model=http://127.0.0.1:1/model.safetensors",
        "n=1&model=..%2f..%2fmodels%2fplain",
        "n=1&model=plain%00",
        "n=1&class=%0d%0aX-Evil:1",
        f"n=1&style={'0' * 64}&style_strength=nan",
        f"n=1&style={'0' * 64}&style_strength=inf",
        f"n=1&style={'0' * 64}%0a",
    ],
)
def test_an_odd_query_is_refused(service: RunningService, query: str) -> None:
    answer = service.client.post(f"/generate?{query}")
    assert answer.status_code == 422, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-evil" not in answer.headers
    assert len(answer.content) < 3000


def test_no_parameter_takes_an_address_on_the_web(service: RunningService) -> None:
    document = service.client.get("/openapi.json").json()
    formats = [schema.get("format") for schema in every(document, "schema")]
    assert formats
    assert not {"uri", "url", "uri-reference"} & set(formats)


def every(node: Any, name: str) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == name)
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from every(child, name)


# headers


@pytest.fixture
def path(service: RunningService) -> str:
    return str(service.wait_done(service.generate(3, seed=1)["id"])["links"]["download"])


WHOLE = (200, None)
RANGES = [
    ("bytes=0-0", (206, 1)),
    ("bytes=-1", (206, 1)),
    ("BYTES=0-0", (206, 1)),
    ("bytes=0-9999999999999999999", WHOLE),
    ("bytes=9999999999999999999-", (416, None)),
    ("bytes=99999999999999999999-", WHOLE),
    ("bytes=-0", (416, None)),
    ("bytes=-9999999999999999999", WHOLE),
    ("bytes=5-1", WHOLE),
    ("bytes=--1", WHOLE),
    ("bytes=-", WHOLE),
    ("bytes=0-0,2-2", WHOLE),
    ("bytes=" + "0-," * 1300, WHOLE),
    ("bytes=\u0663-", WHOLE),
    ("bytes=0x1-", WHOLE),
    ("bytes=1-1-1", WHOLE),
    ("lines=0-1", WHOLE),
    ("", WHOLE),
]


@pytest.mark.parametrize(("header", "expected"), RANGES)
def test_an_odd_range_gets_the_whole_or_what_is_right(
    service: RunningService, path: str, header: str, expected: tuple[int, int | None]
) -> None:
    whole = service.client.get(path).content
    answer = service.client.get(path, headers={b"Range": header.encode()})
    status, length = expected
    if answer.status_code == 206 and status == 200:
        length = len(whole)  # a range of all is as good as all
    else:
        assert answer.status_code == status
    if status == 416:
        refused(answer, 416, "no_such_range")
    else:
        assert len(answer.content) == (length or len(whole))


def test_games_with_conditions_get_the_whole(service: RunningService, path: str) -> None:
    whole = service.client.get(path)
    etag = whole.headers["ETag"]
    for condition in (f"W/{etag}", etag.strip('"'), f"{etag}, {etag}", '""', "*", etag.upper() + "x", "a" * 8000):
        answer = service.client.get(path, headers={"Range": "bytes=0-0", "If-Range": condition})
        assert (answer.status_code, answer.content) == (200, whole.content), condition
    twice = service.client.get(path, headers=[("Range", "bytes=0-0"), ("Range", "bytes=1-1")])
    assert (twice.status_code, twice.content) == (206, whole.content[:1])


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize(
    "name", ["a\r\nX-Evil: 1", 'a"; filename="b', "\u202e\0", "../../a", "a/b", "\ud800", "a" * 999]
)
def test_no_name_injects_a_header(name: str, is_counted: bool) -> None:
    job = Job.model_construct(
        name="n" * 64,
        model="m" * 64,
        split="validation",
        layout="parquet",
        seed=MAX_SEED,
        n=100_000,
        start=MAX_START,
        format="jpeg",
        around=None,
        between=None,
        class_label=None if is_counted else name,
        classes={name: 1} if is_counted else None,
        keep=0.001 if is_counted else None,
        copies="drop" if is_counted else "keep",
        distinct=3 if is_counted else None,
        excluded=10_000 if is_counted else 0,
    )
    try:
        found = archive_name(job)
    except UnicodeEncodeError:  # half of a surrogate pair, which no UTF-8 and so no checkpoint has
        assert name == "\ud800"
        return
    assert re.fullmatch(r"[A-Za-z0-9 %._~-]{1,204}", found)


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (b"", 422),
        (b"\t", 422),
        (b"a" * 256, 422),
        (b"a\x00b", 400),
        (b"a\x7fb", 400),
        (b"a\nb", 400),
        (b"a" * 255, 202),
        (b"../../x", 202),
        (b"\xff\xfe", 202),
        ("\u0663\u202e".encode(), 202),
        (b"'; DROP TABLE jobs; --", 202),
    ],
)
def test_an_odd_idempotency_key_is_refused_or_just_a_key(service: RunningService, key: bytes, status: int) -> None:
    answers = [ask(service, b"POST /generate?n=1&seed=1", b"Idempotency-Key: " + key) for _ in range(2)]
    assert {status_of(answer) for answer in answers} <= {status, 200 if status == 202 else status}
    if status == 202:  # and 200 where the job has ended meanwhile
        (first, second) = (json.loads(answer.partition(b"\r\n\r\n")[2])["id"] for answer in answers)
        assert first == second
        service.wait_done(first)
        wait_until(lambda: f"open/{first}" not in stored(service))


@pytest.mark.parametrize(
    "lines",
    [
        (b"GET /healthz", b"X: " + b"a" * 1_000_000),
        (b"GET /healthz?" + b"a" * 1_000_000,),
        (b"GET /healthz", *(b"h%d: x" % number for number in range(20_000))),
        (b"GET /healthz", b"Content-Length: 5", b"Content-Length: 6"),
        (b"POST /generate?n=1", b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        (b"POST /generate?n=1", b"Content-Length: -1"),
        (b"GET /healthz", b"Transfer-Encoding: xchunked"),
        (b"GET /jobs/\xff",),
        (b"GET /healthz?\xff",),
        (b"GET healthz",),
        (b"CONNECT a:80",),
        (b"FOO /healthz",),
        (b"GET /healthz", b"A B: x"),
        (b"GET /healthz", b"X: a\x00b"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",),
        (b"PRI * HTTP/2.0",),
    ],
)
def test_what_is_hardly_http_is_refused(service: RunningService, lines: tuple[bytes, ...]) -> None:
    answer = ask(service, *lines)
    assert answer.startswith(b"HTTP/1.1 400 ") or answer == b"", answer[:200]


@pytest.mark.parametrize("host", [b"[", b"a/b?c#d", b"a@b", b"\xff", b"a\tb", b"x:99999999", b""])
def test_a_host_is_nothing_to_rely_on(service: RunningService, host: bytes) -> None:
    answer = raw(service, b"GET /jobs/ HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
    assert status_of(answer) == 403
    assert b"location" not in answer.lower()


@pytest.mark.parametrize("path", ["/healthz/", "/styles/", "//example.org/", "/jobs/../styles", "/%2e%2e/styles"])
def test_nothing_is_redirected(service: RunningService, path: str) -> None:
    assert status_of(ask(service, f"GET {path}".encode())) == 404


def test_endless_preferences_are_read_quickly(service: RunningService) -> None:
    begin = time.monotonic()
    header = ",".join(["wait=0", 'a="' + "\\" * 20_000, "wait=" + "9" * 20_000])
    assert service.client.get("/models", headers={"Prefer": header}).status_code == 200
    refused(service.client.get(f"/jobs/{UNKNOWN}", headers={"Prefer": header}), 404, "unknown_job")
    assert time.monotonic() - begin < QUICK_SECONDS


# methods


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/generate", "POST"),
        ("/styles", "GET, HEAD, POST"),
        (f"/styles/{'0' * 64}", "GET, HEAD, DELETE"),
        (f"/jobs/{UNKNOWN}", "GET, HEAD, DELETE"),
        (f"/jobs/{UNKNOWN}/download", "GET, HEAD"),
        (f"/jobs/{UNKNOWN}/events", "GET"),
        (f"/jobs/{UNKNOWN}/cancel", "POST"),
        ("/healthz", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_there_is_refused_with_those_that_are(
    service: RunningService, path: str, allowed: str
) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE"):
        if method not in allowed:
            answer = service.client.request(method, path)
            refused(answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/models", f"/models/{PLAIN}", f"/images/{PLAIN}/1/0.png"])
def test_a_head_tells_what_a_get_would(service: RunningService, path: str) -> None:
    got, head = service.client.get(path), service.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))


# slow clients


def test_slow_clients_hold_up_nobody(service: RunningService, path: str) -> None:
    """Sixty clients send an upload byte by byte, and sixty do not read their download."""
    port = int(service.url.rsplit(":", 1)[1])
    opening = f"HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART}\r\nContent-Length: 9000"
    head = f"POST /styles {opening}\r\n\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(120)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(head if number % 2 else f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        begin = time.monotonic()
        for _ in range(5):
            for connection in connections[1::2]:
                connection.sendall(b"-")
            assert service.client.get("/models").status_code == 200
        assert len(service.hashes(2, seed=4)) == 2
        assert time.monotonic() - begin < 2 * QUICK_SECONDS
    finally:
        for connection in connections:
            connection.close()
