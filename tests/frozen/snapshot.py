"""Compares what a test has found with a snapshot, or renews the snapshot."""

import difflib
import json
import os
from pathlib import Path
from typing import Any

import pytest

RENEW = "IMAGEMILL_RENEW_SNAPSHOTS"
FOLDER = Path(__file__).parent / "snapshots"


def is_renewed() -> bool:
    """Tell whether the tests write their snapshots."""
    return os.environ.get(RENEW) == "1"


def check(name: str, found: str) -> None:
    """Fail with a unified diff unless a text equals its snapshot."""
    path = FOLDER / name
    if is_renewed():
        path.write_text(found, encoding="utf-8")
    expected = read(name)
    if found != expected:
        pytest.fail(f"{name} has changed; {RENEW}=1 renews it\n{diff(name, expected, found)}", pytrace=False)


def read(name: str) -> str:
    """Read a snapshot; fail when it is missing."""
    path = FOLDER / name
    if not path.is_file():
        pytest.fail(f"the snapshot {name} is missing; {RENEW}=1 writes it", pytrace=False)
    return path.read_text(encoding="utf-8")


def diff(name: str, expected: str, found: str) -> str:
    """Compare two texts line by line."""
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), f"snapshot {name}", "found", lineterm="")
    return "\n".join(lines)


def as_json(value: Any) -> str:
    """Write JSON with sorted keys, one value a line."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_lines(lines: set[str]) -> str:
    """Write sorted lines."""
    return "".join(f"{line}\n" for line in sorted(lines))
