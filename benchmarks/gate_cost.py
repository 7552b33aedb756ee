"""`python -m benchmarks.gate_cost MODEL`: the time of a gate as a share of the time of a render, on one core."""

import time
from collections.abc import Callable
from statistics import median
from typing import Annotated

import torch
import typer

from models import latents, pixels, registry
from models.mkldnn_packing import pack
from models.precision import fastest_dtype
from models.quality_gate import gate_path, load_gate
from training.console import console, report_errors
from training.gate import calibration
from training.gate.candidates import CandidateSource

_CPU = torch.device("cpu")
_BATCH = 16
"""Batch size of workers on a CPU."""


@torch.inference_mode()
def main(
    model: Annotated[str, typer.Argument(help="A checkpoint with a gate, or the name of a shipped model.")],
    rounds: Annotated[int, typer.Option(help="Number of batches that are timed.")] = 200,
) -> None:
    """Time a whole render, its first layer and the gate, as a worker computes them, and print times per image."""
    torch.set_num_threads(1)
    with report_errors():
        path, dtype = registry.find(model), fastest_dtype(_CPU)
        source = CandidateSource.load(path, 0, _CPU)
        network = calibration.in_worker_precision(load_gate(gate_path(path)).network, _CPU)
    generator, rows = source.generator, max(1, source.classes)
    z = latents.sample(source.latent_dim, 0, range(_BATCH)).to(dtype)
    labels = torch.arange(_BATCH) % rows if source.classes else None
    pack(generator, z, labels)
    grids = generator.grids(z, labels)
    works = (lambda: pixels.to_uint8(generator(z, labels)), lambda: generator.grids(z, labels), lambda: network(grids))
    times = [[_seconds(work) for work in works] for _ in range(rounds)]
    render, first, score = (median(column) / _BATCH for column in zip(*times, strict=True))
    name = str(dtype).removeprefix("torch.")
    console.print(
        f"{name}: render {1e6 * render:.0f} us, first layer {1e6 * first:.0f} us, gate {1e6 * score:.0f} us; "
        f"first layer and gate {(first + score) / render:.3f} of a render"
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
