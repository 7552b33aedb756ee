import io
import os
import re
import resource
import signal
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.command import COMMAND
from tests.integration.running_service import wait_until
from tests.tiny import PLAIN, save_checkpoint

MOST_STOP_SECONDS = 0.6
"""CPU time for the stop of all processes. It takes 0.2 s. Python's own clean-up of torch would add 0.7 s or more."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, PLAIN)
    return {**os.environ, "IMAGEMILL_MODELS": str(folder), "IMAGEMILL_DEFAULT_MODEL": PLAIN, "COLUMNS": "200"}


@contextmanager
def running(
    data: Path, environment: dict[str, str], cwd: Path | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `imagemill up`, from when it says that it is ready."""
    command = [*COMMAND, "up", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = next(line for line in process.stdout if line.startswith("Ready"))
            yield process, re.findall(r"http://[\d.:]+\d", said)[0]
        finally:
            process.terminate()
            process.wait(30)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


def is_idle(pids: list[int]) -> bool:
    before = sum(map(cpu_seconds, pids))
    time.sleep(0.5)
    return sum(map(cpu_seconds, pids)) - before < 0.05


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_stack_ends_well_and_leaves_no_process(
    tmp_path: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    earlier = resource.getrusage(resource.RUSAGE_CHILDREN)
    with running(tmp_path, environment) as (process, url), httpx.stream("GET", f"{url}/events") as events:
        assert events.is_success  # an open page holds such a stream, which never ends by itself
        started = children(process.pid)
        wait_until(lambda: is_idle(started))  # a worker measures costs after its start
        before = sum(map(cpu_seconds, (process.pid, *started)))
        process.send_signal(number)
        assert process.wait(30) == 0
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.ru_utime + ended.ru_stime - earlier.ru_utime - earlier.ru_stime - before < MOST_STOP_SECONDS
    assert len(started) == 3
    assert not any(map(is_alive, started))


def test_a_killed_stack_leaves_no_process_and_finishes_its_job_next_time(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with running(tmp_path, environment) as (process, url):
        started = children(process.pid)
        job = httpx.post(f"{url}/generate", params={"n": 10_000}).json()
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(is_alive, started)))
    with running(tmp_path, environment) as (process, url):
        path = url + job["links"]["self"]
        wait_until(lambda: httpx.get(path).json()["done"])
        assert httpx.get(path).json()["state"] == "succeeded"


def test_what_dies_is_started_again(tmp_path: Path, environment: dict[str, str]) -> None:
    with running(tmp_path, environment) as (process, url):
        before = children(process.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(children(process.pid)) == 3 and not set(children(process.pid)) & set(before))
        wait_until(lambda: httpx.get(f"{url}/readyz", timeout=30).is_success)
        assert httpx.post(f"{url}/generate", params={"n": 1}).status_code == 202


def test_a_second_stack_on_the_same_data_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    with running(tmp_path, environment) as (process, _):
        command = [*COMMAND, "up", "--port", "0", "--data", str(tmp_path)]
        refused = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert refused.returncode == 1
        assert f"is in use by another imagemill (process {process.pid})" in refused.stderr


def test_a_taken_port_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*COMMAND, "up", "--port", str(port), "--data", str(tmp_path)]
        refused = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr


def test_an_interrupted_demo_leaves_no_file_and_no_process(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [*COMMAND, "demo", "--out", str(tmp_path / "faces.zip")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(children(process.pid)) == 3)
        started = children(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    wait_until(lambda: not any(map(is_alive, started)))  # one that was still being forked is ended by the kernel
    assert list(tmp_path.iterdir()) == []


def test_a_demo_whose_api_dies_goes_on(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [*COMMAND, "demo", "--n", "20000", "--out", str(tmp_path / "faces.zip")]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(command, env=environment | {"TMPDIR": str(scratch)}, stdout=subprocess.PIPE) as process:
        wait_until(lambda: any(scratch.glob("imagemill-demo-*/store/jobs/*/shards/*.json")))
        _, api, _ = children(process.pid)
        os.kill(api, signal.SIGKILL)
        assert process.wait(100) == 0
    with zipfile.ZipFile(tmp_path / "faces.zip") as file:
        assert len([name for name in file.namelist() if name.startswith("images/")]) == 20_000


def test_a_demo_that_cannot_save_says_so_before_it_begins(environment: dict[str, str]) -> None:
    command = [*COMMAND, "demo", "--out", "/proc/faces.zip"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "cannot write /proc/faces.zip" in refused.stderr


def test_data_that_is_a_file_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    command = [*COMMAND, "up", "--port", "0", "--data", str(tmp_path / "file")]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"cannot use {tmp_path / 'file'} for data" in refused.stderr


def test_the_service_starts_in_any_folder_with_any_files(tmp_path: Path, environment: dict[str, str]) -> None:
    cwd = tmp_path / "a=b c#d?e%41\n"
    for name in ("app.py", "models/__init__.py", "worker.py", "redis.py", "types.py", "numpy.py", "PIL/__init__.py"):
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text("import pathlib\npathlib.Path('ran').touch()")
    scratch = environment | {"TMPDIR": str(cwd), "PYTHONPATH": ":"}
    with running(Path("data"), scratch, cwd) as (_, url):
        answer = httpx.post(f"{url}/generate", params={"n": 4}, headers={"Accept": "application/zip"}, timeout=60)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
            assert len([name for name in file.namelist() if name.startswith("images/")]) == 4
        style = {"file": (Path(__file__).parents[2] / "models" / "zoo" / "faces-64.png").read_bytes()}
        assert httpx.post(f"{url}/styles", files=style, timeout=60).is_success  # its decoder is a process too
    assert not (cwd / "ran").exists()


def test_a_service_starts_without_enough_room_and_says_so(tmp_path: Path, environment: dict[str, str]) -> None:
    short = environment | {"IMAGEMILL_MIN_FREE_MB": str(10**12)}
    with running(tmp_path, short) as (_, url):
        assert httpx.post(f"{url}/generate", params={"n": 4}, timeout=60).status_code == 507


def test_a_service_that_cannot_start_says_why_and_ends(tmp_path: Path, environment: dict[str, str]) -> None:
    wrong = environment | {"IMAGEMILL_LEARNT_MB": "some"}
    command = [*COMMAND, "up", "--port", "0", "--data", str(tmp_path)]
    refused = subprocess.run(command, env=wrong, capture_output=True, text=True, timeout=50)
    assert refused.returncode == 1
    *_, said = (line for line in refused.stderr.splitlines() if line.startswith("Error"))
    assert said.startswith("Error: worker 1 has crashed 3 times")
    assert "IMAGEMILL_LEARNT_MB is 'some'" in said
    assert "Traceback" not in refused.stdout + refused.stderr


def test_files_that_a_worker_cannot_use_are_told(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "models"
    save_checkpoint(folder, PLAIN)
    (folder / "broken.safetensors").write_bytes(b"no checkpoint")
    given = {"IMAGEMILL_MODELS": str(folder), "IMAGEMILL_VGG19": str(tmp_path / "vgg19.safetensors")}
    command = [*COMMAND, "up", "--port", "0", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, env=environment | given, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ready"):
                break
        url = re.findall(r"http://[\d.:]+\d", said[-1])[0]
        found = httpx.get(f"{url}/models").json()["set_aside"]
        process.terminate()
    assert [(file["file"], file["workers"]) for file in found] == [("broken.safetensors", 1), ("vgg19.safetensors", 1)]
    assert "not a safetensors file" in found[0]["reason"]
    assert "".join(said).count("Set aside: ") == 2


def test_the_demo_saves_the_images_and_says_where(tmp_path: Path, environment: dict[str, str]) -> None:
    out = tmp_path / "faces.zip"
    command = [*COMMAND, "demo", "-n", "40", "-o", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stdout
    assert "images/s" in done.stdout
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as file:
        assert len([name for name in file.namelist() if name.startswith("images/")]) == 40
    assert [path.name for path in tmp_path.iterdir()] == ["faces.zip"]


def test_a_demo_replaces_a_file_by_force_only(tmp_path: Path, environment: dict[str, str]) -> None:
    out = tmp_path / "faces.zip"
    out.write_bytes(b"mine")
    command = [*COMMAND, "demo", "-n", "5"]
    refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "Error: faces.zip exists already; give --force to replace it, or name another file\n"
    assert out.read_bytes() == b"mine"
    done = subprocess.run([*command, "--force"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 images from ")
    assert "Next: imagemill up keeps the service running" in done.stderr
    with zipfile.ZipFile(out) as file:
        assert len([name for name in file.namelist() if name.startswith("images/")]) == 5


def test_a_demo_says_that_standard_output_is_no_place_for_it(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [*COMMAND, "demo", "-o", "-"]
    refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "this command cannot write to standard output" in refused.stderr
    assert list(tmp_path.iterdir()) == []
