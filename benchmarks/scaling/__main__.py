"""`python -m benchmarks.scaling`: finds the layer that limits the service when GPUs are added.

Queue server, API over HTTP, store and most of a worker's code are real. Only a worker's model and encoder are
simulated: images of faces-64, rendered and encoded once, come at the speed of a GPU, or in no time. The four tables:

1. images/s that all workers commit to the store, from the request for one large job until its last commit, including
   its small first shards; and until the whole job is forced to the disk
2. jobs/s of one image that the API accepts from several posters at once, that two workers end, and that are then forced
   to the disk
3. tasks/s that workers take from the queue server and settle, when the tasks are empty
4. MB/s of a finished job that the API sends to several clients

Then a small model finds the limit of G GPUs. It gives each process of a layer a core. The capacity of a layer is its
measured speed, or its speed per second of CPU time if that is higher. The capacity of the store is the speed at which
data were forced to the disk. All processes, posters and clients share the cores of this machine, so the results are
lower limits. Latents and encoding, which a worker spreads over all its cores, are not in the model. The last line says
how many cores a GPU needs for them.
"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import console, run
from benchmarks.scaling import commits, cores, downloads, handovers, posts, simulated_service
from benchmarks.scaling.downloads import Downloads
from benchmarks.scaling.posts import Posts
from benchmarks.scaling.report import Report
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses

_POSTERS = (1, 8, 32)
_CLIENTS = (1, 4)
_FEW_WORKERS = 2


def main(
    images_per_s: Annotated[float, typer.Option(min=1, help="Speed of one simulated GPU.")] = 20_000,
    n: Annotated[
        int, typer.Option(min=1, help="Images in the large job, and a quarter of them to download.")
    ] = 200_000,
    workers: Annotated[list[int], typer.Option(min=1, help="Numbers of workers; one option each.")] = [1, 2, 4, 8],  # noqa: B006
    seconds: Annotated[float, typer.Option(min=1, help="The most that a large job may take; then it is cut off.")] = 10,
    post_seconds: Annotated[float, typer.Option(min=1, help="For each number of posters.")] = 5,
    tasks: Annotated[int, typer.Option(min=1, help="That are handed over.")] = 5000,
    folder: Annotated[
        Path | None, typer.Option(help="Where the store is made, by default with other temporary files.")
    ] = None,
) -> None:
    """Measure each layer, and print the limits of the service."""
    with simulated_service.run_service(folder) as service:
        paces = (images_per_s, None)
        committed = [commits.measure(service, k, pace, n, seconds) for pace in paces for k in workers]
        posted, sent = _served(service, post_seconds, n // 4)
        taken = [handovers.measure(service, k, tasks) for k in workers]
    console.print(Report(images_per_s, committed, posted, taken, sent).markdown())
    needed = cores.measure(MODEL)
    drawing, encoding = images_per_s * needed.latents_s, images_per_s * needed.encoding_s
    console.print(
        f"\nA GPU of {images_per_s:.0f} images/s needs {drawing:.2f} cores for latents, {encoding:.2f} for PNGs."
    )


def _served(service: ServiceProcesses, post_seconds: float, n: int) -> tuple[list[Posts], list[Downloads]]:
    with simulated_service.run_workers(service, _FEW_WORKERS, None):
        posted = [posts.measure(service, count, post_seconds) for count in _POSTERS]
        spec = simulated_service.run_job(service, n)
    return posted, [downloads.measure(service, spec, count) for count in _CLIENTS]


if __name__ == "__main__":
    run(main)
