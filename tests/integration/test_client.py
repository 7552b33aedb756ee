"""`imagemill generate` against the running service, as a researcher runs it."""

import re
import shlex
import signal
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.tiny import LABELLED
from tests.unit.app.source import DATA, Source, job

OUT = "out.zip"


def jobs_of(service: RunningService) -> set[str]:
    return {path.name for path in (service.folder / "store" / "jobs").glob("*")}


def generate(service: RunningService, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    done = imagemill("generate", *arguments, "--server", service.url, cwd=folder)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_request_becomes_a_file(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "40", "--seed", "7", "-o", OUT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [OUT]
    with zipfile.ZipFile(tmp_path / OUT) as archive:
        assert archive.testzip() is None
    assert [record["sha256"] for record in metadata((tmp_path / OUT).read_bytes())] == service.hashes(40, seed=7)
    assert f"40 images from plain are in {tmp_path / OUT}" in done.stdout
    assert re.search(r"^[\d.]+ s from request to last byte, \d+ images/s$", done.stdout, re.MULTILINE)
    assert "seed: 7" in done.stdout
    assert re.match(
        rf"job [\w-]{{22}} accepted; continue with: imagemill generate --job [\w-]{{22}} -o {OUT}", done.stderr
    )
    assert "40/40 images" in done.stderr
    assert "40/40 images" not in done.stdout


def test_a_file_without_a_name_is_named_after_its_job(
    service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "IMAGEMILL_SERVER", service.url)
    done = imagemill("generate", "-n", "3", cwd=tmp_path)
    seed = re.findall(r"^seed: (\d+)$", done.stdout, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == [f"plain-seed{seed[0]}-n3.zip"]


def test_one_class_of_one_model_can_be_asked_for(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "3", "--model", LABELLED, "--class", "zig/zag", "--seed", "1")
    assert done.returncode == 0, done.stdout
    (path,) = tmp_path.iterdir()
    assert path.name == "labelled-seed1-n3-zig%2Fzag.zip"
    assert {record["label"] for record in metadata(path.read_bytes())} == {"zig/zag"}


def test_a_dataset_is_extended_by_a_file_of_another_name(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "3", "--start", "5", "--format", "webp", "--seed", "1")
    assert done.returncode == 0, done.stdout
    (path,) = tmp_path.iterdir()
    assert path.name == "plain-seed1-n3-from5-webp.zip"
    assert [record["index"] for record in metadata(path.read_bytes())] == [5, 6, 7]


def test_arrays_are_saved_as_arrays(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "3", "--format", "npz", "--seed", "1")
    assert done.returncode == 0, done.stdout
    with np.load(tmp_path / "plain-seed1-n3.npz") as arrays:
        assert sum(len(arrays[name]) for name in arrays.files if name.startswith("images_")) == 3


def test_a_mistake_is_told_in_the_words_of_the_service(service: RunningService, tmp_path: Path) -> None:
    refused = generate(service, tmp_path, "-n", "3", "--model", LABELLED, "--class", "oval")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == "Error: class: must be one of circle, cross, zig/zag, got 'oval'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["missing/out.zip", "/proc/out.zip"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_asked_for(
    service: RunningService, tmp_path: Path, out: str
) -> None:
    before = jobs_of(service)
    refused = generate(service, tmp_path, "-n", "3", "-o", out)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: cannot write {out} (No such file or directory)\n"
    assert jobs_of(service) == before


@pytest.mark.parametrize("arguments", [[], ["--seed", "1"]])
def test_a_job_is_either_new_or_continued(service: RunningService, tmp_path: Path, arguments: list[str]) -> None:
    refused = generate(service, tmp_path, *arguments)
    assert refused.returncode == 2
    assert (
        refused.stderr
        == "Error: give -n, --split or --classes with counts to generate images, or --job to resume a job\n"
    )


def test_a_stopped_command_says_how_to_go_on_and_can(idle_service: RunningService, tmp_path: Path) -> None:
    before = jobs_of(idle_service)
    command = [*COMMAND, "generate", "-n", "40", "--seed", "7", "-o", OUT, "--server", idle_service.url]
    terminal = ENVIRONMENT | {"FORCE_COLOR": "1"}
    with subprocess.Popen(command, cwd=tmp_path, env=terminal, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        shown = ""
        while not shown.endswith("Queued"):  # once the job is known
            assert process.poll() is None
            shown += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    (job_id,) = jobs_of(idle_service) - before
    assert process.returncode == 130
    assert f"continue with: imagemill generate --job {job_id} -o {OUT}" in said
    assert list(tmp_path.iterdir()) == []
    idle_service.start_worker()
    continued = imagemill(*shlex.split(said.partition("continue with: imagemill ")[2]), cwd=tmp_path)
    assert continued.returncode == 0, continued.stdout
    assert (tmp_path / OUT).read_bytes() == idle_service.download(job_id)
    assert len(jobs_of(idle_service)) == len(before) + 1


def test_a_partial_file_is_continued(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(300, seed=5)["id"])
    whole = service.download(job["id"])
    partial = tmp_path / f".{OUT}.{job['id']}.partial"
    partial.write_bytes(whole[: len(whole) // 2])
    done = generate(service, tmp_path, "--job", job["id"], "-o", OUT)
    assert done.returncode == 0, done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: whole}


def test_a_download_that_is_stopped_half_way_is_continued_by_another_process(tmp_path: Path) -> None:
    with Source() as source:
        arguments = ["generate", "--job", "abc", "-o", OUT, "--server", source.url]
        source.answers, source.cuts = [(200, {}, job("succeeded"))], [len(DATA) // 2, *[0] * 9]
        with subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
            wait_until(lambda: len(source.requests) >= 3)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"continue with: imagemill generate --job abc -o out.zip" in said
        assert [path.name for path in tmp_path.iterdir()] == [".out.zip.abc.partial"]
        source.answers, source.cuts = [(200, {}, job("succeeded"))], []
        assert imagemill(*arguments, cwd=tmp_path).returncode == 0
    assert source.headers[-1]["range"] == f"bytes={len(DATA) // 2}-"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: DATA}


def test_a_job_that_was_cancelled_is_not_waited_for(idle_service: RunningService, tmp_path: Path) -> None:
    job = idle_service.generate(3)
    idle_service.client.post(job["links"]["cancel"])
    ended = generate(idle_service, tmp_path, "--job", job["id"], "-o", OUT)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.endswith("Error: the job was cancelled\n")
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_never_was_is_not_waited_for(service: RunningService, tmp_path: Path) -> None:
    refused = generate(service, tmp_path, "--job", "A" * 22)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: no job '{'A' * 22}'\n"
