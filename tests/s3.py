"""A real S3 server: SeaweedFS, from a wheel, on loopback."""

import json
import platform
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

BUCKET = "mill"
_START_SECONDS, _END_SECONDS, _POLL_SECONDS = 60, 20, 0.02
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-s3",
    "-s3.config=identities.json",
    "-s3.autoCreateBucket=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-master.telemetry=false",
    "-master.electionTimeout=100ms",
    "-master.volumeSizeLimitMB=64",
    "-volume.max=20",
)
_WRITER, _READER = ("mill", "mill-secret"), ("reader", "reader-secret")


def is_built_here() -> bool:
    """Tell whether the wheel has a build for this platform."""
    return sys.platform == "linux" or (sys.platform == "darwin" and platform.machine() == "arm64")


class S3Server:
    """A context manager: inside, the server runs and has one empty bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self.port = self._ports["s3.port"]

    def __enter__(self) -> Self:
        """Start it, and wait until the bucket is there."""
        (self._folder / "data").mkdir(parents=True)
        identities = [_identity(*_WRITER, "Admin", "Read", "Write", "List"), _identity(*_READER, "Read", "List")]
        (self._folder / "identities.json").write_text(json.dumps({"identities": identities}))
        weed = Path(sys.executable).with_name("weed")
        command = [str(weed if weed.exists() else shutil.which("weed")), "server", "-dir=data", *_OPTIONS]
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        with (self._folder / "weed.log").open("wb") as log:
            self._process = subprocess.Popen([*command, *ports], cwd=self._folder, stdout=log, stderr=log)
        try:
            self._wait_for(self.port)
            self._make_bucket()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        self._end()

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Variables of a process that may do everything, perhaps through a proxy on another port."""
        return _environment(port or self.port, *_WRITER)

    def environment_of_reader(self) -> dict[str, str]:
        """Variables of a process that may not write."""
        return _environment(self.port, *_READER)

    def _make_bucket(self) -> None:
        bucket = f"http://127.0.0.1:{self._ports['filer.port']}/buckets/{BUCKET}/"
        httpx.post(bucket, trust_env=False).raise_for_status()
        # The first object of a bucket makes the server allocate volumes, which may take longer than a test's patience.
        httpx.post(f"{bucket}first", files={"file": b"x"}, trust_env=False, timeout=_START_SECONDS).raise_for_status()
        httpx.delete(f"{bucket}first", trust_env=False).raise_for_status()

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            said = (self._folder / "weed.log").read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"the S3 server has ended: {said}"
            assert time.monotonic() < deadline, f"the S3 server did not start: {said}"
            time.sleep(_POLL_SECONDS)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait(_END_SECONDS)


def _identity(key: str, secret: str, *actions: str) -> dict[str, object]:
    return {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}


def _environment(port: int, key: str, secret: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(listening.getsockname()[1]) for listening in sockets]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
