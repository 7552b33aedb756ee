"""A wrong setting ends a command with one line."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from imagemill.start import command
from tests.command import ENVIRONMENT


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=cwd, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("arguments", "variable", "value"),
    [
        (["api"], "IMAGEMILL_TTL_HOURS", "week"),
        (["up"], "IMAGEMILL_MAX_IMAGES", "0"),
        (["worker"], "IMAGEMILL_LEARNT_MB", "x"),
        (["worker", "--check"], "IMAGEMILL_REDIS_URL", "redis://:a/b@queue:6379/0"),
        (["api"], "IMAGEMILL_REDIS_PASSWORD_FILE", "/nowhere/password"),
        (["api"], "IMAGEMILL_STORE", "/proc/nowhere/store"),
        (["api"], "IMAGEMILL_STORE", "foo://bucket"),
        (["api"], "IMAGEMILL_KEYS", "/nowhere/keys.json"),
        (["up"], "IMAGEMILL_KEYS", "/nowhere/keys.json"),
        (["api"], "IMAGEMILL_SIGNING_KEY", "/nowhere/key.pem"),
        (["up"], "IMAGEMILL_SIGNING_KEY", "/etc/hostname"),
        (["api"], "IMAGEMILL_MARK", "watermark"),
        (["worker"], "IMAGEMILL_DEVICE", "gpu"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(arguments: list[str], variable: str, value: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path, **{variable: value})
    assert done.returncode == 1
    (said,) = (done.stdout + done.stderr).splitlines()
    assert said.startswith("Error: ")
    assert variable in said or variable == "IMAGEMILL_KEYS"
    assert "a/b" not in said
    assert variable == "IMAGEMILL_REDIS_URL" or value in said


@pytest.mark.parametrize(
    ("process", "variable"),
    [("api", "IMAGEMILL_KEYS"), ("api", "IMAGEMILL_STORE"), ("worker", "IMAGEMILL_REDIS_PASSWORD_FILE")],
)
def test_with_logs_of_json_it_is_a_line_of_json(process: str, variable: str, tmp_path: Path) -> None:
    done = run(process, cwd=tmp_path, **{variable: "/proc/nowhere", "IMAGEMILL_LOG_FORMAT": "json"})
    assert done.returncode == 1
    (line,) = (done.stdout + done.stderr).splitlines()
    assert "/proc/nowhere" in json.loads(line)["message"]


def test_an_empty_variable_leaves_an_option_as_it_is(tmp_path: Path) -> None:
    made = run("keys", "add", "alice", cwd=tmp_path, IMAGEMILL_KEYS="")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "keys.json").exists()
    empty = {"IMAGEMILL_SERVER": "", "IMAGEMILL_KEY": "", "IMAGEMILL_KEYS": ""}
    assert "127.0.0.1:8000" in run("generate", "--help", cwd=tmp_path, **empty).stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "store" / "jobs").mkdir(parents=True)
    (tmp_path / "store").chmod(0o500)
    done = run("api", cwd=tmp_path, IMAGEMILL_STORE="store")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: IMAGEMILL_STORE is 'store'")
