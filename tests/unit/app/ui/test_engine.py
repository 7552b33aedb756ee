"""The engine of the page in the repository is the one that its source gives."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from models.browser.engine_file import Kernel

ROOT = Path(__file__).parents[4]
COMPILER = "14.0.6"
"""Version of clang that built the engine. Another version may give other bytes."""


def test_the_source_gives_the_same_bytes(tmp_path: Path) -> None:
    if not shutil.which("clang") or not shutil.which("wasm-ld"):
        pytest.skip("THE ENGINE WAS NOT BUILT AGAIN: needs clang and lld")
    version = subprocess.run(["clang", "--version"], capture_output=True, text=True, check=True).stdout
    if f"version {COMPILER}" not in version:
        pytest.skip(f"THE ENGINE WAS NOT BUILT AGAIN: needs clang {COMPILER}, not {version.splitlines()[0]}")
    (tmp_path / "engine.c").write_bytes((ROOT / "app/ui/live/engine.c").read_bytes())
    subprocess.run(["make", "-f", ROOT / "Makefile", "engine", "ENGINE=engine"], cwd=tmp_path, check=True)
    assert (tmp_path / "engine.wasm").read_bytes() == (ROOT / "app/ui/live/engine.wasm").read_bytes()


def test_the_engine_has_the_kernels_that_programs_call() -> None:
    exported = set(re.findall(r"EXPORT\((\w+)\)", (ROOT / "app/ui/live/engine.c").read_text()))
    assert exported - {"base", "name"} == set(get_args(Kernel))
