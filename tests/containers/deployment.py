"""The Compose file on a real Docker engine, in a project of its own."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.compose import ROOT
from tests.ports import free_port

_PROJECT = "imagemill-test"
_BUILD_SECONDS = 1800


def missing_engine() -> str | None:
    """Return why there is no engine to test on, or None if there is one."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    for line in (["docker", "info"], ["docker", "compose", "version"]):
        if subprocess.run(line, capture_output=True, check=False).returncode:
            return f"`{' '.join(line)}` fails"
    return None


class Deployment:
    """Containers of the profiles `cpu` and `tls`, with files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        for name in ("models", "weights", "runs"):
            (folder / name).mkdir()
        (folder / "password").write_text("p w/#?%41'\"$x\n")
        self.variables = {
            "IMAGEMILL_PORT": str(self.port),
            "IMAGEMILL_MODELS_DIR": str(folder / "models"),
            "IMAGEMILL_WEIGHTS_DIR": str(folder / "weights"),
            "IMAGEMILL_RUNS_DIR": str(folder / "runs"),
            "IMAGEMILL_QUEUE_PASSWORD_FILE": str(folder / "password"),
        }
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)

    def compose(self, *arguments: str, profiles: tuple[str, ...] = ("cpu",)) -> str:
        """Run `docker compose` and return its output. Raises CalledProcessError."""
        chosen = [part for profile in profiles for part in ("--profile", profile)]
        line = ["docker", "compose", "--project-name", _PROJECT, *chosen, *arguments]
        environment = os.environ | self.variables
        return subprocess.run(
            line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=_BUILD_SECONDS
        ).stdout

    def start(self, *profiles: str) -> None:
        """Start what is not running, and wait until jobs are rendered."""
        self.compose("up", "--detach", "--quiet-pull", profiles=("cpu", *profiles))
        self.wait_until_ready()

    def remove(self) -> None:
        """Remove the containers and their data."""
        self.client.close()
        self.compose("down", "--volumes", "--timeout", "20", profiles=("cpu", "tls"))

    def wait_until_ready(self) -> None:
        """Wait until /readyz says 200. Raises TimeoutError."""
        wait_for(lambda: self._status("/readyz") == 200, 120, "the service was not ready")

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def kill(self, *services: str) -> None:
        """End the processes of containers with SIGKILL, as a crash does. The engine restarts the containers."""
        ids = [self.container(service) for service in services]
        pids = [int(inspect(each)["State"]["Pid"]) for each in ids]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def post(self, n: int, seed: int) -> str:
        """Post a job and return its id."""
        answer = self.client.post("/generate", params={"n": n, "seed": seed}).raise_for_status()
        return str(answer.json()["id"])

    def images(self, job: str) -> dict[str, str]:
        """Wait for a job, and return the sha256 of each image in its archive by its name."""
        wait_for(lambda: self._is_done(job), 180, f"job {job} did not end")
        archive = self.client.get(f"/jobs/{job}/download").raise_for_status().content
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            names = [name for name in file.namelist() if name.startswith("images/")]
            return {name: hashlib.sha256(file.read(name)).hexdigest() for name in names}

    def wait_for_progress(self, job: str) -> None:
        """Wait until some images of a job are done, but not all."""
        wait_for(lambda: self.client.get(f"/jobs/{job}").json()["images_done"] > 0, 60, "no image was made")

    def _is_done(self, job: str) -> bool:
        try:
            answer = self.client.get(f"/jobs/{job}")
        except httpx.HTTPError:
            return False
        state = answer.json().get("state") if answer.is_success else None
        assert state not in {"failed", "cancelled"}, answer.text
        return state == "succeeded"

    def _status(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx.HTTPError:
            return 0


def inspect(container: str) -> dict[str, Any]:
    """Return what the engine knows about a container."""
    found: list[dict[str, Any]] = json.loads(subprocess.check_output(["docker", "inspect", container]))
    return found[0]


def wait_for(condition: Callable[[], bool], seconds: float, message: str) -> None:
    """Ask twice a second. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message} within {seconds} s")
        time.sleep(0.5)
