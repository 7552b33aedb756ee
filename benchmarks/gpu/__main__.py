"""`python -m benchmarks.gpu SECTION... --out FOLDER --seconds N`: measures the whole program on one GPU.

Each section is a process of its own with a time limit. Each result is a line of FOLDER/results.jsonl, on the disk
before the next measurement begins; a measurement that fails leaves its reason, and the next one follows. What the
sections print is in FOLDER/log.txt. Without names, all sections run:

- environment: versions, the speed of memory, products, launches and copies
- service: a real queue, API and 1, 2 and 4 workers; the plain loop beside them; the same bytes each time
- style: the tutorials' loop, batches of several sizes, and styled jobs of the service
- render: the generator alone by number format and batch size; PNGs by threads and processes
- faults: a killed worker, and a GPU without free memory
- data: builds the dataset of the next two sections
- training: images/s of a plain loop and of `imagemill train`
- run: trains the flagship for the seconds that are left, and evaluates it

With `--small`, every section measures little, also on a CPU.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import run
from benchmarks.gpu.results import FILE, Results
from benchmarks.gpu.section import SECTIONS, Deadline, Options

_LEAST_SECONDS = 12
"""A section with less time is left out."""
_END_SECONDS = 10
_SHOWN_LETTERS = 11_000
_ROOT = Path(__file__).parents[2]


def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(SECTIONS)}; default: all.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("gpu-results"),
    work: Annotated[Path, typer.Option(help="Folder for datasets and runs.")] = Path("gpu-work"),
    seconds: Annotated[float, typer.Option(min=1, help="Time limit of all sections together.")] = 600,
    small: Annotated[bool, typer.Option("--small", help="Measure little, to show that everything works.")] = False,
    vgg19: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="VGG19's weights.")] = None,
    painting: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A picture with a style.")] = None,
    images: Annotated[Path | None, typer.Option(exists=True, help="Images to train on: a ZIP or a folder.")] = None,
) -> None:
    """Run the sections, and print the results."""
    names = sections or list(SECTIONS)
    if unknown := [name for name in names if name not in SECTIONS]:
        raise typer.BadParameter(f"no section {unknown[0]!r}; there are: {', '.join(SECTIONS)}")
    for folder in (out, work):
        folder.mkdir(parents=True, exist_ok=True)
    files = {"vgg19": vgg19, "painting": painting, "images": images}
    given = {name: str(path.absolute()) for name, path in files.items() if path is not None}
    deadline, results = Deadline(seconds), Results(out, "all")
    for name in names:
        limit = min(SECTIONS[name], deadline.left() - 1)
        if limit < _LEAST_SECONDS:
            results.add(f"{name} was left out", f"{deadline.left():.0f} s were left")
            continue
        options = Options(str(out.absolute()), str(work.absolute()), limit, small, **given)
        began = time.monotonic()
        ending = _run(name, options, out / "log.txt")
        results.add(f"{name} ended", ending, seconds=round(time.monotonic() - began, 1), limit=round(limit))
    typer.echo((out / FILE).read_text(encoding="utf-8")[-_SHOWN_LETTERS:])


def _run(name: str, options: Options, log: Path) -> str:
    """Run a section until its limit. Returns how it ended."""
    with log.open("ab") as file:
        file.write(f"\n===== {name}\n".encode())
        file.flush()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.gpu.section", name, options.to_json()],
            cwd=_ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        status = process.wait(options.seconds)
    except subprocess.TimeoutExpired:
        return _stop(process)
    except BaseException:
        _stop(process)
        raise
    return "finished" if status == 0 else f"failed with status {status}"


def _stop(process: "subprocess.Popen[bytes]") -> str:
    """Ask a section to end, so that it ends its own processes. Then kill its group."""
    process.terminate()
    ending = "stopped at its limit"
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        ending = "killed after its limit"
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return ending


if __name__ == "__main__":
    run(main)
