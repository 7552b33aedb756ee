"""`python -m benchmarks.service --peers .venv/peers/bin/python`: compares Imagemill with other programs.

Every engine runs alone, in processes of its own. After one warm-up request, requests for n images of the model faces-64
are timed, from the request to the last byte of a ZIP of PNGs. The engines, each in the file of its name:

- bare: a plain, fast loop in one process without a service: the limit of the hardware
- imagemill: `imagemill up --workers 1`, over HTTP
- imagemill-address: the same service, one image by its address; for n = 1 only
- naive: a FastAPI endpoint with an eager float32 generator, Pillow and zipfile, as in tutorials
- litserve, bentoml: the same code as naive, behind these two packages

The two packages are not dependencies of this project. They get an environment of their own, which uses this project's
torch:

    uv venv --python .venv/bin/python .venv/peers
    uv pip install --python .venv/peers/bin/python litserve bentoml
    ls -d "$PWD"/.venv/lib/python3*/site-packages > "$(echo .venv/peers/lib/python3*/site-packages)/torch.pth"

Needs Linux, for /proc. The first image counts as ready when its PNG can be read or the ZIP's first byte arrives. Memory
is the sum of the processes' peaks since their starts; shared memory counts once for each process. CPU time is that of
all processes of an engine, to the hundredth of a second. The client's own time and memory do not count.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import console, run
from benchmarks.service import engines, machine, plot
from benchmarks.service.answer import AnswerError
from benchmarks.service.engine import Engine, EngineError
from benchmarks.service.measurement import Measurement, measure
from benchmarks.service.report import Report

_MODEL = "faces-64"


def main(
    n: Annotated[list[int], typer.Option(min=1, help="Images in a request; one option each.")] = [1, 10, 500, 10_000],  # noqa: B006
    repeats: Annotated[int, typer.Option(min=1, help="Requests for each n below 10 000, of which the median.")] = 3,
    peers: Annotated[Path | None, typer.Option(help="The Python that has litserve and bentoml.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures here.")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="Draw the curves here, as PNG.")] = None,
) -> None:
    """Measure every engine, and print a table."""
    compared, versions = _compared(peers)
    found, failed = _measured(compared, n, repeats)
    report = Report(_MODEL, machine.device(), versions, repeats, found)
    console.print(report.table())
    if markdown is not None:
        markdown.write_text(report.markdown())
    if json is not None:
        json.write_text(report.json())
    if plot_file is not None:
        plot_file.write_bytes(plot.draw(report))
    raise typer.Exit(1 if failed else 0)


def _compared(peers: Path | None) -> tuple[list[Engine], dict[str, str]]:
    if peers is None:
        console.print("litserve and bentoml are left out; give --peers to have them (see the file's first lines)")
        return engines.own(), machine.own_versions()
    try:
        versions = {**machine.own_versions(), **machine.peer_versions(peers)}
    except machine.PeersError as error:
        raise typer.BadParameter(str(error), param_hint="--peers") from error
    return [*engines.own(), *engines.peers(peers.absolute())], versions


def _measured(compared: Iterable[Engine], counts: list[int], repeats: int) -> tuple[list[Measurement], list[str]]:
    """Measure one engine after the other. A failed engine does not stop the others."""
    found, failed = [], []
    for engine in compared:
        try:
            for measurement in measure(engine, counts, repeats):
                found.append(measurement)
                how = f" ({measurement.note})" if measurement.note else ""
                seconds = f"{measurement.last_s:.3f} s"
                console.print(f"{engine.name}: {measurement.n} images in {seconds}{how}", markup=False)
        except (EngineError, AnswerError) as error:
            failed.append(engine.name)
            console.print(f"{engine.name} has failed: {error}", style="red", markup=False)
    return found, failed


if __name__ == "__main__":
    run(main)
