"""What `imagemill generate` and its neighbours print and where, what they replace, and how they end."""

import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import zipfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app.cli.command_group import CommandGroup
from app.cli.main import cli
from app.cli.option_rules import CheckedCommand
from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.integration.test_client import generate, jobs_of
from tests.tiny import LABELLED, PLAIN, picture
from tests.unit.app.source import DATA, Source, job

OUT = "out.zip"
OTHER_OPTIONS = (
    ["--style-mode", "distilled"],
    ["--style-strength", "0.5"],
    ["--style-steps", "3"],
    ["--strength", "0.5"],
    ["--steps", "3"],
)
NEW_JOB_OPTIONS = (
    ["-n", "3"],
    ["--seed", "1"],
    ["--model", "plain"],
    ["--class", "cross"],
    ["--classes", "cross:3"],
    ["--keep", "0.5"],
    ["--copies", "drop"],
    ["--distinct", "1"],
    ["--start", "0"],
    ["--format", "png"],
    ["--layout", "parquet"],
    ["--style", "painting.png"],
    ["--ttl-hours", "1"],
    ["--name", "eyes"],
    ["--split", "train=3"],
)


def raw(service: RunningService, folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `imagemill generate`, and keep what it prints as bytes."""
    command = [*COMMAND, "generate", *arguments, "--server", service.url]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=100, check=False, **options
    )


def test_an_archive_is_written_to_standard_output_and_nothing_else_is(service: RunningService, tmp_path: Path) -> None:
    done = raw(service, tmp_path, "-n", "300", "--seed", "5", "-o", "-")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        assert archive.testzip() is None
    assert [record["sha256"] for record in metadata(done.stdout)] == service.hashes(300, seed=5)
    assert b"300 images from plain are on standard output" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_standard_output_that_is_a_file_with_content_is_appended_to(service: RunningService, tmp_path: Path) -> None:
    path = tmp_path / OUT
    path.write_bytes(b"mine")
    with path.open("ab") as file:
        command = [*COMMAND, "generate", "-n", "3", "-o", "-", "--quiet", "--server", service.url]
        done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=file, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert path.read_bytes().startswith(b"minePK")


def test_an_archive_that_breaks_off_on_standard_output_goes_on_there(tmp_path: Path) -> None:
    with Source() as source:
        source.answers, source.cuts = [(200, {}, job("succeeded"))], [len(DATA) // 2, 10]
        command = [*COMMAND, "generate", "--job", "abc", "-o", "-", "--server", source.url]
        done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, DATA)


def test_an_archive_that_changes_half_way_on_standard_output_is_an_error(tmp_path: Path) -> None:
    with Source() as source:
        beginning = (200, {"Content-Length": str(len(DATA)), "ETag": '"before"'}, b"?" * 500)
        source.answers = [(200, {}, job("succeeded")), beginning]
        command = [*COMMAND, "generate", "--job", "abc", "-o", "-", "--server", source.url]
        done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"?" * 500)
    assert b"Error: the archive has changed, and the part that was already written" in done.stderr


def test_a_terminal_is_not_written_an_archive(service: RunningService, tmp_path: Path) -> None:
    before, (ours, theirs) = jobs_of(service), pty.openpty()
    command = [*COMMAND, "generate", "-n", "3", "-o", "-", "--server", service.url]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert done.stderr == b"Error: -o - writes the archive to standard output, which must be a pipe or a file\n"
    assert jobs_of(service) == before


@pytest.mark.parametrize("arguments", ["-n 300 -o -", "-n 3 -o out.zip", "-n 3 -o out.zip --json"])
def test_a_reader_that_closes_the_pipe_ends_the_command_without_a_word(
    service: RunningService, tmp_path: Path, arguments: str
) -> None:
    command = [*COMMAND, "generate", *arguments.split(), "--server", service.url]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) == 1
    assert "Broken" not in said
    assert "Error" not in said
    assert "Traceback" not in said


def test_an_archive_is_saved_though_nobody_reads_the_notes(service: RunningService, tmp_path: Path) -> None:
    command = [*COMMAND, "generate", "-n", "300", "-o", OUT, "--server", service.url]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.close()
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "300 images from plain are in" in said
    with zipfile.ZipFile(tmp_path / OUT) as archive:
        assert archive.testzip() is None


def test_a_list_of_keys_may_be_cut_short(tmp_path: Path) -> None:
    imagemill("keys", "add", "alice", cwd=tmp_path)
    command = f"{shlex.join(COMMAND)} keys list | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.stderr == b""


def test_the_job_is_printed_as_json_with_the_place_of_its_file(service: RunningService, tmp_path: Path) -> None:
    arguments = ("-n", "3", "--seed", "1", "--model", LABELLED, "--class", "zig/zag", "--ttl-hours", "5", "--json")
    done = generate(service, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    told = json.loads(done.stdout)
    known = service.job(told["id"])
    links = {name: service.url + link for name, link in known["links"].items()}
    assert told == known | {"links": links, "file": str(tmp_path / "labelled-seed1-n3-zig%2Fzag.zip")}
    assert (told["state"], told["done"], told["class"]) == ("succeeded", True, "zig/zag")
    assert Path(told["file"]).read_bytes() == service.download(told["id"])


def test_the_images_are_kept_for_as_many_hours_as_are_asked_for(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "3", "--ttl-hours", "5", "--json", "--quiet")
    told = json.loads(done.stdout)
    kept = datetime.fromisoformat(told["expires"]) - datetime.fromisoformat(told["finished"])
    assert kept == timedelta(hours=5)
    assert done.stderr == ""
    refused = generate(service, tmp_path, "-n", "3", "--ttl-hours", "100000")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "Error: ttl_hours: must be a whole number between 1 and 168, got '100000'\n"


def test_a_job_that_was_cancelled_is_printed_as_json_too(idle_service: RunningService, tmp_path: Path) -> None:
    job = idle_service.generate(3)
    idle_service.client.post(job["links"]["cancel"])
    done = generate(idle_service, tmp_path, "--job", job["id"], "-o", OUT, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["id"], told["state"], told["file"]) == (job["id"], "cancelled", None)


def test_a_quiet_command_prints_errors_only(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, "-n", "3", "-o", OUT, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / OUT).exists()
    refused = generate(service, tmp_path, "-n", "3", "--model", "none", "-q")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: ")


def test_a_file_that_exists_is_replaced_by_force_only(service: RunningService, tmp_path: Path) -> None:
    before = jobs_of(service)
    (tmp_path / OUT).write_bytes(b"mine")
    refused = generate(service, tmp_path, "-n", "3", "-o", OUT)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"Error: {OUT} exists already; give --force to replace it, or name another file\n"
    assert (tmp_path / OUT).read_bytes() == b"mine"
    assert jobs_of(service) == before
    assert generate(service, tmp_path, "-n", "3", "-o", OUT, "--force").returncode == 0
    assert (tmp_path / OUT).read_bytes().startswith(b"PK")


@pytest.mark.parametrize("model", [[], ["--model", LABELLED], ["--model", "sha256"]])
def test_a_file_that_would_be_named_after_its_job_is_not_replaced(
    service: RunningService, tmp_path: Path, model: list[str]
) -> None:
    if "sha256" in model:
        model = ["--model", service.client.get(f"/models/{LABELLED}").json()["sha256"]]
    arguments = ("-n", "3", "--seed", "1", "--start", "2", *model)
    assert generate(service, tmp_path, *arguments).returncode == 0
    (made,) = tmp_path.iterdir()
    assert made.name == f"{LABELLED if model else PLAIN}-seed1-n3-from2.zip"
    made.write_bytes(b"mine")
    before = jobs_of(service)
    refused = generate(service, tmp_path, *arguments)
    assert refused.returncode == 2
    assert f"{made.name} exists already" in refused.stderr
    assert jobs_of(service) == before
    assert made.read_bytes() == b"mine"
    assert generate(service, tmp_path, *arguments, "--force").returncode == 0


def test_a_file_that_was_made_meanwhile_is_kept_and_so_is_the_download(tmp_path: Path) -> None:
    with Source() as source:
        source.answers, source.cuts = [(200, {}, job("succeeded"))], [len(DATA) // 2, *[0] * 2]
        arguments = ["generate", "--job", "abc", "-o", OUT, "--server", source.url]
        with subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
            wait_until(lambda: len(source.requests) >= 3)
            (tmp_path / OUT).write_bytes(b"mine")
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"another program has created out.zip meanwhile" in said
    assert b"continue with: imagemill generate --job abc" in said
    assert (tmp_path / OUT).read_bytes() == b"mine"
    assert (tmp_path / ".out.zip.abc.partial").read_bytes() == DATA


def test_a_device_is_never_replaced(service: RunningService, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused = generate(service, tmp_path, "-n", "3", "-o", "pipe", "--force")
    assert refused.returncode == 2
    assert refused.stderr == "Error: pipe is not a regular file; name another one\n"
    assert (tmp_path / "pipe").is_fifo()


def test_a_name_that_no_file_can_have_is_refused_in_one_line(service: RunningService, tmp_path: Path) -> None:
    refused = generate(service, tmp_path, "-n", "3", "-o", "x" * 300)
    assert refused.returncode == 2
    assert refused.stderr == f"Error: {'x' * 300}: File name too long; name another file\n"


@pytest.mark.parametrize("option", OTHER_OPTIONS, ids=lambda option: str(option[0]))
def test_options_of_a_style_need_a_style(service: RunningService, tmp_path: Path, option: list[str]) -> None:
    before = jobs_of(service)
    refused = generate(service, tmp_path, "-n", "3", *option)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "is used only with --style" in refused.stderr
    assert jobs_of(service) == before


@pytest.mark.parametrize("option", NEW_JOB_OPTIONS, ids=lambda option: str(option[0]))
def test_options_of_a_new_job_are_refused_beside_one_that_exists(
    service: RunningService, tmp_path: Path, option: list[str]
) -> None:
    picture(1).save(tmp_path / "painting.png")
    refused = generate(service, tmp_path, "--job", "A" * 22, *option)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"Error: {option[0]} would be ignored beside --job; leave one of them out\n"


@pytest.mark.parametrize("option", ["--json", "--force"])
def test_options_that_standard_output_has_no_use_for_are_refused(
    service: RunningService, tmp_path: Path, option: str
) -> None:
    refused = generate(service, tmp_path, "-n", "3", "-o", "-", option)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert option in refused.stderr


def test_every_rule_of_an_option_names_options_of_its_command() -> None:
    group = get_command(cli)
    assert isinstance(group, CommandGroup)
    commands = [group.get_command(None, name) for name in group.list_commands(None)]
    checked = [command for command in commands if isinstance(command, CheckedCommand)]
    assert {"generate", "demo", "style", "train", "dataset", "export", "evaluate"} <= {c.name for c in checked}
    for command in checked:
        known = {name for option in command.params for name in option.opts}
        for option, _, names in command.rules():
            assert set(names) <= known, (command.name, option.name, names)


def test_a_killed_command_has_named_its_job_and_is_continued_under_any_name(
    service: RunningService, tmp_path: Path
) -> None:
    command = [*COMMAND, "generate", "-n", "40000", "--seed", "2", "-o", OUT, "--server", service.url]
    log = tmp_path / "log"
    with log.open("wb") as file, subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=file) as process:
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob(".*.partial")))
        process.kill()
    said = re.search(r"^job ([\w-]{22}) accepted; continue with: imagemill (.*)\n", log.read_text(), re.MULTILINE)
    assert said, log.read_text()
    assert f"--job {said[1]} -o {OUT}" in said[2]
    (left,) = tmp_path.glob(".*.partial")
    size = left.stat().st_size
    told = generate(service, tmp_path, "-n", "1", "-o", "another.zip")
    assert f"{left.name} is an interrupted download; continue with: imagemill {said[2]}" in told.stderr
    service.wait_done(said[1])
    done = generate(service, tmp_path, "--job", said[1])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / OUT).read_bytes() == service.download(said[1])
    assert size
    assert list(tmp_path.glob(".*")) == []


def test_a_partial_file_is_continued_under_another_name(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(300, seed=5)["id"])
    whole = service.download(job["id"])
    (tmp_path / f".first.zip.{job['id']}.partial").write_bytes(whole[: len(whole) // 2])
    (tmp_path / f".second.zip.{job['id']}.partial").write_bytes(b"")
    done = generate(service, tmp_path, "--job", job["id"], "-o", OUT)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: whole}


def test_what_is_left_of_a_job_that_nobody_knows_is_named(service: RunningService, tmp_path: Path) -> None:
    left = tmp_path / f".{OUT}.{'A' * 22}.partial"
    left.write_bytes(b"PK")
    refused = generate(service, tmp_path, "--job", "A" * 22)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"Error: no job '{'A' * 22}'",
        f"{left.name} is a partial download of it; delete the file if the job no longer exists",
    ]
    assert left.exists()


@pytest.mark.parametrize("change", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_terminal_without_utf_8_is_written_escapes(
    service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    for name, value in change.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)
    folder = tmp_path / "gesichter-\u00e4\u4e16"
    folder.mkdir()
    done = generate(service, folder, "-n", "3", "-o", OUT)
    assert done.returncode == 0, done.stderr
    assert "3 images from plain are in" in done.stdout
    refused = generate(service, folder, "-n", "3", "-o", "\u00e4/out.zip")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: cannot write")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_bars_are_drawn_on_any_terminal(tmp_path: Path, encoding: str) -> None:
    ours, theirs = pty.openpty()
    with Source() as source:
        source.answers = [(200, {}, job(images_done=0)), (200, {}, job("succeeded"))]
        command = [*COMMAND, "generate", "--job", "abc", "-o", OUT, "--server", source.url]
        environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding, "TERM": "xterm"}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b"".join(iter(lambda: read(ours), b""))
        assert process.wait(60) == 0
    os.close(ours)
    assert b"Downloading" in said
    assert b"Traceback" not in said
    assert b"\\u" not in said


def read(terminal: int) -> bytes:
    """Read what a terminal was written; nothing once the process at its other end has ended."""
    with suppress(OSError):
        return os.read(terminal, 65536)
    return b""


def test_ctrl_c_ends_with_130_and_names_the_way_on(idle_service: RunningService, tmp_path: Path) -> None:
    command = [*COMMAND, "generate", "-n", "40", "-o", "-", "--server", idle_service.url]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        way_on = process.stderr.readline().partition("accepted; ")[2]
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Stopped by SIGINT." in said
    assert way_on.startswith("continue with: imagemill generate --job")
    assert way_on in said


def test_help_tells_the_exit_statuses(tmp_path: Path) -> None:
    told = imagemill("--help", cwd=tmp_path)
    assert "Exit status: 0 done, 1 failed, 2 the command line is wrong, 130 stopped by Ctrl-C (up: 0)." in told.stdout
