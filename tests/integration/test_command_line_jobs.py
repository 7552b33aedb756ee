"""`imagemill jobs`, `delete`, `extend` and `generate --split`, against a running service."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.integration.running_service import RunningService, metadata, wait_until


def run(service: RunningService, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return imagemill(*arguments, "--server", service.url, cwd=folder)


def lines(service: RunningService, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = run(service, folder, "jobs", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_jobs_are_listed_as_a_table_and_as_json(service: RunningService, tmp_path: Path) -> None:
    first = service.wait_done(service.generate(3, seed=1, name="table")["id"])
    second = service.wait_done(service.generate(4, seed=1, name="table")["id"])
    service.client.delete(f"/jobs/{first['id']}")
    done = run(service, tmp_path, "jobs", "--name", "table")
    head, *rows = (line.split() for line in done.stdout.splitlines())
    assert head == ["JOB", "STATE", "IMAGES", "MODEL", "CREATED", "EXPIRES", "NAME"]
    assert [row[0] for row in rows] == [second["id"], first["id"]]
    assert (rows[0][1:4], rows[0][-1]) == (["succeeded", "4", "plain"], "table")
    assert "removed" in rows[1]
    assert [job["id"] for job in lines(service, tmp_path, "--name", "table")] == [second["id"], first["id"]]
    assert [job["n"] for job in lines(service, tmp_path, "--name", "table", "--limit", "1")] == [4]
    assert lines(service, tmp_path, "--name", "table", "--state", "failed") == []
    assert run(service, tmp_path, "jobs", "--state", "ended").returncode == 2


def test_delete_removes_images_and_goes_on_after_an_error(service: RunningService, tmp_path: Path) -> None:
    jobs = [service.wait_done(service.generate(2, seed=seed)["id"])["id"] for seed in (1, 2)]
    refused = run(service, tmp_path, "delete", *jobs)
    assert (refused.returncode, refused.stderr) == (2, "Error: give --yes to remove images without a question\n")
    done = run(service, tmp_path, "delete", jobs[0], "x" * 22, jobs[1], "--yes")
    assert done.returncode == 1
    assert done.stdout == "".join(f"images of job {job} are removed\n" for job in jobs)
    assert "no job" in done.stderr
    assert all(service.client.get(f"/jobs/{job}/download").status_code == 410 for job in jobs)
    assert run(service, tmp_path, "delete", *jobs, "--force").returncode == 0


def test_an_id_may_begin_with_a_hyphen(service: RunningService, tmp_path: Path) -> None:
    for order in (["--yes", "-" * 22], ["-" + "n" * 21, "--yes"]):
        done = run(service, tmp_path, "delete", *order)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: no job '-")


@pytest.mark.parametrize(("answer", "is_removed"), [(b"y\n", True), (b"n\n", False)])
def test_delete_asks_at_a_terminal(service: RunningService, tmp_path: Path, answer: bytes, *, is_removed: bool) -> None:
    job = service.wait_done(service.generate(2, seed=1, name="asked")["id"])["id"]
    leader, follower = pty.openpty()
    command = [*COMMAND, "delete", job, "--server", service.url]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        os.write(leader, answer)
        output, _ = process.communicate(timeout=60)
    os.close(leader)
    os.close(follower)
    assert job.encode() in output
    assert b"asked" in output
    assert process.returncode == (0 if is_removed else 1)
    assert (service.client.get(f"/jobs/{job}/download").status_code == 410) == is_removed


def test_extend_saves_all_images(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(20, seed=1, name="grow")["id"])
    done = run(service, tmp_path, "extend", job["id"], "-n", "15", "--json")
    assert done.returncode == 0, done.stderr
    longer = json.loads(done.stdout)
    assert (longer["n"], longer["extends"]) == (35, job["id"])
    assert f"job {longer['id']} accepted; continue with: imagemill generate --job {longer['id']}" in done.stderr
    archive = tmp_path / "grow-plain-seed1-n35.zip"
    assert longer["file"] == str(archive)
    assert [row["index"] for row in metadata(archive.read_bytes())] == list(range(35))
    again = run(service, tmp_path, "extend", job["id"], "-n", "15", "-o", "again.zip")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    assert run(service, tmp_path, "extend", job["id"], "-n", "15", "-o", "again.zip").returncode == 2
    assert run(service, tmp_path, "extend", job["id"]).returncode == 2


def test_splits_become_files_of_one_folder(service: RunningService, tmp_path: Path) -> None:
    options = ("--split", "train=8", "--split", "test=3", "--name", "halves", "-o", "new/dataset")
    done = run(service, tmp_path, "generate", *options, "--json")
    assert done.returncode == 0, done.stderr
    jobs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(job["split"], job["n"], job["name"]) for job in jobs] == [("train", 8, "halves"), ("test", 3, "halves")]
    assert len({(job["seed"], job["model"]) for job in jobs}) == 1
    folder = tmp_path / "new/dataset"
    assert {path.name for path in folder.iterdir()} == {"train.zip", "test.zip"}
    rows = {name: metadata((folder / f"{name}.zip").read_bytes()) for name in ("train", "test")}
    assert {name: len(found) for name, found in rows.items()} == {"train": 8, "test": 3}
    assert not {row["sha256"] for row in rows["train"]} & {row["sha256"] for row in rows["test"]}
    assert run(service, tmp_path, "generate", *options).returncode == 2


def test_datasets_loads_the_splits(service: RunningService, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    done = run(service, tmp_path, "generate", "--split", "train=6", "--split", "test=2", "-o", "dataset")
    assert done.returncode == 0, done.stderr
    files = {name: str(tmp_path / f"dataset/{name}.zip") for name in ("train", "test")}
    loaded = datasets.load_dataset("imagefolder", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 6, "test": 2}
    assert loaded["test"][1]["index"] == 2**52 + 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--split", "dev=5", "-o", "d"], "--split dev=5"),
        (["--split", "train", "-o", "d"], "--split train"),
        (["--split", "train=0", "-o", "d"], "--split train=0"),
        (["--split", "train=5", "--split", "train=6", "-o", "d"], "--split train"),
        (["--split", "train=5"], "-o"),
        (["--split", "train=5", "-o", "-"], "-o"),
        (["--split", "train=5", "-o", "file"], "file"),
        (["--split", "train=5", "-n", "5", "-o", "d"], "--split"),
    ],
)
def test_a_wrong_split_is_refused(service: RunningService, tmp_path: Path, options: list[str], named: str) -> None:
    (tmp_path / "file").touch()
    done = run(service, tmp_path, "generate", *options)
    assert done.returncode == 2
    assert named in done.stderr
    assert not (tmp_path / "d").exists()


def test_an_interruption_names_all_files_that_are_not_saved(idle_service: RunningService, tmp_path: Path) -> None:
    command = [*COMMAND, "generate", "--split", "train=3", "--split", "test=3", "-o", "d", "--server", idle_service.url]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        known = idle_service.client.get("/jobs?limit=1").json()["jobs"]
        wait_until(
            lambda: (
                sum(job["split"] == "test" for job in idle_service.client.get("/jobs?limit=2").json()["jobs"]) == 1
                and idle_service.client.get("/jobs?limit=1").json()["jobs"] != known
            )
        )
        wait_until(lambda: any((tmp_path / "d").glob(".*partial")))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    hints = [line for line in errors.splitlines() if line.startswith("continue with")]
    assert len([line for line in hints if "train.zip" in line]) == 1
    assert len([line for line in hints if "test.zip" in line]) == 1
