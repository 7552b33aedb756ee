"""A service whose parts get faults and are started again, as a supervisor would do it."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from benchmarks.reliability.breakpoints import Breakpoints
from benchmarks.reliability.inspection import Expected, InspectionError, check, image_hashes, store_mismatch
from benchmarks.service_processes import ServiceProcesses

PASSWORD = "of-the-queue"  # noqa: S105
DEADLINE_SECONDS = 60
_POLL_SECONDS = 0.02
_END_SECONDS = 30
_ASK_SECONDS = 5
_SETTLE_SECONDS = 45
"""If the worker of a job crashed before it could settle the job, the job is settled after 30 s."""
_SETTINGS = {
    "IMAGEMILL_SHARD_IMAGES": "64",
    "IMAGEMILL_RECONCILE_EVERY_SECONDS": "0.5",
    "IMAGEMILL_MIN_FREE_MB": "0",
    "IMAGEMILL_DEVICE": "cpu",
    "IMAGEMILL_THREADS": "1",
}

SHORT, LONG = 16, 208
"""Images of a job of one shard, and of a job of four shards."""


class NotInTimeError(Exception):
    """A condition did not become true in time."""


class ServiceUnderTest(ServiceProcesses):
    """Queue server, one or two API processes, and a worker that waits at breakpoints."""

    def __init__(
        self,
        folder: Path,
        models: Path,
        model: str,
        apis: int = 1,
        most: int = LONG,
        request: Mapping[str, str | float] | None = None,
    ) -> None:
        own = {**_SETTINGS, "IMAGEMILL_MODELS": str(models), "IMAGEMILL_DEFAULT_MODEL": model}
        super().__init__(folder, own, PASSWORD)
        self.breakpoints = Breakpoints(folder / "breakpoints")
        self.worker = "worker 1"
        self.leader = "api"
        """The API process whose reconciler leads."""
        self.follower = "second api" if apis > 1 else None
        self.expected: Expected
        self._most = most
        self._request = request or {}
        """More parameters of each job."""
        # No connection is kept, because the next fault may freeze the process at its other end.
        self._client = httpx.Client(
            base_url=self.url, timeout=_ASK_SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def __enter__(self) -> Self:
        """Start everything, and render the reference images without a fault."""
        super().__enter__()
        try:
            wait_until(self.has_leader)  # so that the first API process leads
            if self.follower:
                self.start_api(self.follower)
            self.start_worker()
            job_id = self.submit(self._most)
            self.wait_done(job_id)
            self.expected = image_hashes(self.download(job_id))
        except BaseException:
            self._stop()
            raise
        return self

    # parts

    def start_worker(self, name: str | None = None) -> None:
        """Start a worker without waiting for it. The default is the worker that gets the faults."""
        self._start(
            name or self.worker, [sys.executable, "-m", "benchmarks.reliability.worker", str(self.breakpoints.folder)]
        )

    def replace_worker(self) -> str:
        """Start another worker beside the frozen one. Returns the name of the frozen worker."""
        old = self.worker
        self.worker = f"worker {int(old.split()[1]) + 1}"
        self.start_worker()
        return old

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process of a part."""
        return self._parts[name]

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part."""
        self.process(name).send_signal(number)

    def wait_ended(self, name: str) -> None:
        """Wait until a terminated part has ended. Raises NotInTimeError."""
        try:
            self._parts[name].wait(_END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NotInTimeError(f"{name} did not end within {_END_SECONDS} s") from error

    def remove(self, name: str) -> None:
        """End a part that is not needed any more."""
        self.send_signal(name, signal.SIGTERM)
        self.wait_ended(name)
        del self._parts[name]

    def pass_leadership(self) -> None:
        """Note that the other API process has taken over."""
        if self.follower:
            self.leader, self.follower = self.follower, self.leader

    def has_leader(self) -> bool:
        """Return whether a reconciler leads."""
        return self.leader_name() is not None

    def wait_for_new_leader(self, old: bytes | str | None) -> None:
        """Wait until another reconciler than the old one leads."""
        wait_until(lambda: self.leader_name() not in (old, None))

    def leader_name(self) -> bytes | str | None:
        """Return the name of the leading reconciler."""
        return self.redis.get("imagemill:reconciler")

    # jobs

    def submit(self, n: int) -> str:
        """Post a job until it is accepted. If an answer was lost, the repeated request finds its job."""
        found: list[str] = []
        key = {"Idempotency-Key": secrets.token_urlsafe()}

        def has_accepted() -> bool:
            found.extend(self.try_submit(n, key))
            return bool(found)

        wait_until(has_accepted)
        return found[0]

    def try_submit(self, n: int, headers: dict[str, str] | None = None) -> list[str]:
        """Post a job once. Returns its id if it was accepted."""
        with suppress(httpx.TransportError):
            answer = self._client.post("/generate", params={"n": n, "seed": 3, **self._request}, headers=headers)
            if answer.is_success:
                return [str(answer.json()["id"])]
        return []

    def job(self, job_id: str) -> dict[str, Any] | None:
        """Read a job. Returns None while the API does not answer."""
        with suppress(httpx.TransportError):
            answer = self._client.get(f"/jobs/{job_id}")
            if answer.is_success:
                return dict(answer.json())
        return None

    def wait_done(self, job_id: str, seconds: float = DEADLINE_SECONDS) -> dict[str, Any]:
        """Wait until a job has ended. Raises NotInTimeError."""
        seen: dict[str, Any] = {}

        def is_done() -> bool:
            seen.update(self.job(job_id) or {})
            return bool(seen.get("done"))

        wait_until(is_done, seconds)
        return seen

    def download(self, job_id: str) -> bytes:
        """Download the archive of a job that has ended."""
        answer = self._client.get(f"/jobs/{job_id}/download", timeout=DEADLINE_SECONDS)
        return answer.raise_for_status().content

    def inspect(self, job_id: str, n: int) -> None:
        """Check that a job has exactly its images, then remove its files. Raises InspectionError."""
        job = self.wait_done(job_id)
        check((job["state"], job["images_done"]) == ("succeeded", n), f"{job}")
        check(image_hashes(self.download(job_id)) == self.expected[:n], "other images than undisturbed")
        spec = self.store.jobs.spec(job_id)
        if spec is None:
            raise InspectionError(f"the store has no request of {job_id}")
        with suppress(NotInTimeError):
            wait_until(lambda: store_mismatch(self.store_folder, spec) is None, _SETTLE_SECONDS)
        found = store_mismatch(self.store_folder, spec)
        check(found is None, str(found))
        self.discard(job_id)

    def _stop(self) -> None:
        """Stop everything. Frozen processes continue first."""
        for process in self._parts.values():
            process.send_signal(signal.SIGCONT)
        self._client.close()
        super()._stop()


def wait_until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Poll a condition until it holds. Raises NotInTimeError at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTimeError(f"{getattr(condition, '__name__', 'it')}: not so after {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)
