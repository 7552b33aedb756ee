"""`python -m benchmarks.gate_cost MODEL`: the time of a gate as a share of the time of a render, on one core."""

import time
from collections.abc import Callable
from statistics import median
from typing import Annotated

import torch
import typer

from models import latents, pixels, registry
from models.checkpoint import load_generator
from models.inference import for_inference
from models.mkldnn_packing import pack
from models.precision import fastest_dtype
from models.quality_gate import gate_path, load_gate
from training.console import console, report_errors

_CPU = torch.device("cpu")
_BATCH = 16
"""Batch size of workers on a CPU."""


@torch.inference_mode()
def main(
    model: Annotated[str, typer.Argument(help="A checkpoint with a gate, or the name of a shipped model.")],
    rounds: Annotated[int, typer.Option(help="Number of batches that are timed.")] = 200,
) -> None:
    """Render and score batches in turn, as a worker does, and print the times of one image."""
    torch.set_num_threads(1)
    with report_errors():
        path, dtype = registry.find(model), fastest_dtype(_CPU)
        header, loaded = load_generator(path)
        generator = for_inference(loaded).to(dtype).to(memory_format=torch.channels_last)
        network = load_gate(gate_path(path)).network.to(dtype).to(memory_format=torch.channels_last)
    z = latents.sample(header.latent_dim, 0, range(_BATCH)).to(dtype)
    labels = torch.arange(_BATCH) % len(header.classes) if header.classes else None
    pack(generator, z, labels)
    images = pixels.to_uint8(generator(z, labels)).contiguous(memory_format=torch.channels_last)
    pack(network, images)
    renders, scores = [], []
    for _ in range(rounds):
        renders.append(_seconds(lambda: pixels.to_uint8(generator(z, labels))))
        scores.append(_seconds(lambda: network(images)))
    render, score = median(renders) / _BATCH, median(scores) / _BATCH
    name = str(dtype).removeprefix("torch.")
    console.print(f"{name}: render {1e6 * render:.0f} us, gate {1e6 * score:.0f} us, ratio {score / render:.3f}")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
