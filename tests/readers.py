"""Runs the code of a dataset card, with the libraries of a reader, in a process of its own."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

FOLDER, ZIP, TAR, NPZ = "path/to/the/unpacked/folder", "path/to/this.zip", "path/to/this.tar", "path/to/this.npz"


def unpack(archive: Path) -> Path:
    """Unpack an archive beside it, and return the folder."""
    folder = archive.with_suffix("")
    if archive.suffix == ".tar":
        with tarfile.open(archive, errorlevel=2) as tar:
            tar.extractall(folder, filter="data")
    else:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    return folder


def run_example(code: str, archive: Path, result: str) -> Any:
    """Run code of a card about an archive and its unpacked folder. Returns the value of an expression of JSON types.

    `datasets` uses neither the network nor the caches of the user.
    """
    for name, path in ((FOLDER, archive.with_suffix("")), (ZIP, archive), (TAR, archive), (NPZ, archive)):
        code = code.replace(name, str(path))
    home = archive.parent / "home"
    offline = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HOME": str(home), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    program = f"{code}\nimport json\nprint(json.dumps({result}))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **offline}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{program}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
