"""`python -m benchmarks.truncation MODEL DATASET`: measures images of smaller latents, z times 1.0, 0.8 and 0.6."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.table import markdown
from models import checkpoint, latents, registry
from training import run_plan, samples
from training.console import console, count_in, progress, report_errors
from training.dataset import dataset_files
from training.gate.judge import Judge
from training.metrics import efflite, evaluation, features, reference

_FIGURES = ("fd", "precision", "recall", "coverage", "yield_")


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint, or the name of a shipped model.")],
    dataset: Annotated[Path, typer.Argument(help="Its training data, made by `imagemill dataset`.")],
    scale: Annotated[list[float], typer.Option(help="Factor of z; one option each.")] = [1.0, 0.8, 0.6],  # noqa: B006
    n: Annotated[int, typer.Option(help="Number of images that are measured.")] = 2000,
    reals: Annotated[int, typer.Option(help="Number of real images to compare with.")] = 2000,
    seed: Annotated[int, typer.Option(help="Images 0 to n - 1 of this seed are measured.")] = 0,
) -> None:
    """Print a Markdown table with a row for each factor. All rows have the same latents and labels."""
    with report_errors(), progress("images") as bar:
        header, generator = checkpoint.load_generator(registry.find(model))
        data, device = dataset_files.load(dataset), run_plan.find_device(None)
        evaluation.check_fit(header, data.description)
        extractor = features.load(efflite.NAME, device)
        known = reference.load_or_extract(data, extractor, dataset)
        judge = Judge(known.features[:reals])
        labels = known.labels_in_proportion(n) if header.classes else None
        z = latents.sample(header.latent_dim, seed, range(n))
        network, rows = generator.to(device).to(memory_format=torch.channels_last), []
        for factor in scale:
            images = samples.render_latents(network, factor * z, labels)
            found = extractor(images, count_in(bar, f"z times {factor:g}", n))
            figures = judge.effect(1.0, found).model_dump(by_alias=False)
            rows.append((f"{factor:g}", *(f"{figures[name]:.3f}" for name in _FIGURES)))
    console.print(markdown(("z times", *(name.rstrip("_") for name in _FIGURES)), rows), markup=False)


if __name__ == "__main__":
    typer.run(main)
