"""`python -m benchmarks.near_duplicates MODEL DATASET`: counts close pairs of images, and of as many real images."""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.table import markdown
from models import checkpoint, registry
from models.image_hash import Hashes
from training import samples
from training.console import console, report_errors
from training.dataset import dataset_files
from training.metrics import evaluation, pixel_hashes, reference

_MOST_BITS = 4


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint, or the name of a shipped model.")],
    dataset: Annotated[Path, typer.Argument(help="Its training data, made by `imagemill dataset`.")],
    n: Annotated[int, typer.Option(help="Number of the model's images.")] = 6000,
    seed: Annotated[int, typer.Option(help="Images 0 to n - 1 of this seed are compared.")] = 0,
) -> None:
    """Print a Markdown table: pairs whose hashes differ in 0 to 4 bits."""
    with report_errors():
        header, generator = checkpoint.load_generator(registry.find(model))
        data = dataset_files.load(dataset)
        evaluation.check_fit(header, data.description)
        labels = torch.arange(n) % len(header.classes) if header.classes else None
        fakes = pixel_hashes.hashes(samples.render(generator, header.latent_dim, seed, range(n), labels))
        known = pixel_hashes.hashes(data.images)
        some = known[reference.shuffled_order(len(known))[:n].numpy()]
    rows = [
        _row(f"{len(fakes):,} images of {header.name}", _pairs(fakes)),
        _row(f"{len(some):,} real images", _pairs(some)),
        _row(f"{len(known):,} real images", _pairs(known)),
        _row(f"{len(fakes):,} images of {header.name} against {len(known):,} real images", _distances(fakes, known)),
    ]
    console.print(markdown(("pairs", *(f"{bits} bits" for bits in range(_MOST_BITS + 1))), rows), markup=False)


def _pairs(hashes: Hashes) -> NDArray[np.int64]:
    """Count the pairs of different images at each distance. Shapes: returns (5,)."""
    counts = _distances(hashes, hashes)
    # Each image has the distance 0 to itself, and each pair was counted twice.
    counts[0] -= len(hashes)
    return counts // 2


def _distances(queries: Hashes, hashes: Hashes) -> NDArray[np.int64]:
    """Count the pairs of a query and a hash at each distance. Shapes: returns (5,)."""
    counts = np.zeros(65, np.int64)
    for query in queries:
        counts += np.bincount(np.bitwise_count(hashes ^ query), minlength=65)
    return counts[: _MOST_BITS + 1]


def _row(name: str, counts: NDArray[np.int64]) -> tuple[str, ...]:
    return (name, *(f"{count:,}" for count in counts))


if __name__ == "__main__":
    typer.run(main)
