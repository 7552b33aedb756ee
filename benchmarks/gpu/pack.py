"""`python -m benchmarks.gpu.pack service|training --data FOLDER`: packs the missing files of an offline GPU machine.

Fills the folder `.gpu` in the root of the tree: wheels for that machine's Python, the data of the sections, and the
package's metadata. There, `bash benchmarks/gpu/one.sh SECONDS SECTION...` runs the benchmark. The call `service` is for
the sections environment, service, style, render and faults; `training` for data, training and run.

With `--lighten`, the work tree loses large tracked files without use for the call, so that less travels.
`git checkout .` restores them.
"""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmarks.command import console, run

_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_FILES = {
    "service": {
        "weights/vgg19_features.safetensors": "vgg19.safetensors",
        "data/styles/starry-night-van-gogh.jpg": "painting.jpg",
    },
    "training": {"data/faces-celeba-64.zip": "images.zip"},
}
"""Files of the data folder, with their names in the pack, by call."""
_NEEDLESS = {
    "service": ("models/zoo/emoji-64*", "docs/*.jpg", "docs/*.png", "requirements/*"),
    "training": ("models/zoo/*", "docs/*.jpg", "docs/*.png", "requirements/*"),
}
"""Tracked files that a call does not need."""
_PLATFORMS = [f"manylinux{glibc}_x86_64" for glibc in ("_2_28", "_2_27", "_2_17", "2014", "1")]

Call = Literal["service", "training"]


def main(
    call: Annotated[Call, typer.Argument(help="The sections that will run.")],
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of weights/ and data/.")],
    out: Annotated[Path, typer.Option(help="The pack.")] = _ROOT / ".gpu",
    python: Annotated[str, typer.Option(help="Version of that machine's Python.")] = "3.12",
    pip: Annotated[str, typer.Option(help="An interpreter that has pip.")] = "python3",
    lighten: Annotated[bool, typer.Option("--lighten", help="Remove large files from the work tree.")] = False,
) -> None:
    """Pack, and print the sizes."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "wheels").mkdir(parents=True)
    for source, name in _FILES[call].items():
        shutil.copyfile(data / source, out / name)
    _download_wheels(call, out / "wheels", python, pip)
    _write_metadata(out)
    if lighten:
        for path in (path for pattern in _NEEDLESS[call] for path in _ROOT.glob(pattern)):
            path.unlink()
    tree, packed = _size(_tracked()), _size(path for path in out.rglob("*") if path.is_file())
    console.print(f"tree {tree:.1f} MiB + pack {packed:.1f} MiB = {tree + packed:.1f} MiB")


def _download_wheels(call: Call, folder: Path, python: str, pip: str) -> None:
    wanted = pins_of(call, (_ROOT / "requirements" / "dev.txt").read_text())
    platforms = [part for platform in _PLATFORMS for part in ("--platform", platform)]
    versions = ["--python-version", python, "--implementation", "cp", *platforms]
    download = [pip, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *versions]
    subprocess.run([*download, "-d", str(folder), *wanted], check=True)


def pins_of(call: Call, pins: str) -> list[str]:
    """Return the packages of a call with their versions. `pins` is the text of a requirements file."""
    lines = (line.split() for line in (_HERE / "wheels.txt").read_text().splitlines() if not line.startswith("#"))
    return [_pin(name, pins) for needed, name in lines if needed in (call, "both")]


def _pin(name: str, pins: str) -> str:
    found = re.search(rf"^{re.escape(name)}==[^\s;\\]+", pins, re.MULTILINE)
    if found is None:
        raise typer.BadParameter(f"requirements/dev.txt has no version of {name}")
    return found[0]


def _write_metadata(out: Path) -> None:
    """Write the metadata of an installed package, which names its version."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    folder = out / "metadata" / f"{project['name']}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    text = f"Metadata-Version: 2.3\nName: {project['name']}\nVersion: {project['version']}\n"
    (folder / "METADATA").write_text(text)


def _tracked() -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return [path for name in found.stdout.split("\0") if name and (path := _ROOT / name).exists()]


def _size(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 2**20


if __name__ == "__main__":
    run(main)
