"""`python -m benchmarks.stages`: times each stage of an image on one core.

The quality gate has random weights and the size of a real one.
A product of large matrices shows the peak speed of the core's matrix units.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar, cast

import torch

from benchmarks import table
from benchmarks.command import console, run
from models import pixels, registry
from models.image_hash import image_hashes
from models.inference import InferenceDcgan
from tests.calibrated_gate import save_calibrated_gate
from worker.rendering.device import choose_device
from worker.rendering.encoding import encode
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_gate import LoadedGate

_MODEL = "faces-64"
_REPEATS = 60
_SIDE = 2048
"""Side of the matrices whose product shows the peak speed."""

T = TypeVar("T")


@torch.inference_mode()
def main() -> None:
    """Measure, and print a table."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="stages-") as folder:
        checkpoint = Path(shutil.copy(registry.find(_MODEL), folder))
        save_calibrated_gate(checkpoint)
        runtime = RenderEngine([checkpoint], choose_device("cpu"))
    model = runtime.model(runtime.entries[0])
    generator = cast(InferenceDcgan, model._generator)
    block = range(model.batch_size)
    rows = []

    def timed(name: str, work: Callable[[], T], multiplications: int = 0) -> T:
        seconds, found = _seconds(work)
        speed = f"{2 * multiplications * len(block) / seconds / 1e9:.0f}" if multiplications else ""
        rows.append((name, f"{1000 * seconds / len(block):.4f}", speed))
        return found

    z = timed("latents", lambda: model.latents(0, block))
    labels = model.label_tensor(model.labels(block))
    x = timed("first layer", lambda: generator.grids(z, labels), generator.start.numel())
    gate, grids = cast(LoadedGate, model.gate), x
    timed("score of the quality gate", lambda: gate.scores(grids, block, model.labels(block)))
    for number, up in enumerate(generator.ups, 1):
        taps = 4 * x.shape[1]  # a kernel of 4 x 4 with stride 2 has 2 x 2 taps for each output
        x = timed(f"doubling {number}", partial(up, x), up(x)[0].numel() * taps)
    images = timed("all layers", lambda: generator(z, labels))
    levels = timed("to uint8", lambda: pixels.to_uint8(images).contiguous(memory_format=torch.channels_last))
    timed("image hash", lambda: image_hashes(levels.permute(0, 2, 3, 1).numpy()))
    files = timed("PNG", lambda: encode(levels, "png"))
    timed("sha256", lambda: [hashlib.sha256(file).hexdigest() for file in files])
    matrix = torch.randn(_SIDE, _SIDE).to(images.dtype)
    seconds, _ = _seconds(lambda: matrix @ matrix)
    console.print(table.markdown(("what", "ms for each image", "GFLOP/s"), rows))
    console.print(
        f"\nA product of {_SIDE} x {_SIDE} matrices in {images.dtype}: {2 * _SIDE**3 / seconds / 1e9:.0f} GFLOP/s."
    )


def _seconds(work: Callable[[], T]) -> tuple[float, T]:
    """Return the median time."""
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - began)
    return median(times), found


if __name__ == "__main__":
    run(main)
