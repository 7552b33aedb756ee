"""`python -m benchmarks.lightweight_gan DATASET --minutes 20`: another package on the same data, with the same metrics.

Minutes and device are those of the recipes, too.

The package is lightweight-gan (`pip install lightweight-gan==1.2.1`), with its own trainer and defaults. It names CUDA
in its code. Where there is no GPU, those names lead to the CPU, and nothing else is changed.
"""

import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import torch
import typer
from PIL import Image
from torch import Tensor

from training import run_plan as plans
from training.console import console, report_errors
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset
from training.metrics import features, figures, reference

_BATCH = 100


def main(
    data: Path,
    minutes: Annotated[float, typer.Option(help="How long the peer trains.")] = 20,
    n: Annotated[int, typer.Option(help="How many samples are measured.")] = 5000,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Train the package's model, and print a row like those of `benchmarks.recipes`."""
    device = plans.find_device(None)
    with report_errors(), tempfile.TemporaryDirectory() as folder:
        dataset = dataset_files.load(data)
        torch.manual_seed(seed)
        trainer = _trainer(dataset, Path(folder), device)
        steps, seconds = _train(trainer, minutes)
        extractor = features.load("efflite0", device)
        fakes = extractor(_samples(trainer, n))
        measured = figures.measure(reference.load_or_extract(dataset, extractor, data), fakes)
    found = figures.name_figures(measured.figures, extractor.name)
    images = steps * trainer.batch_size * trainer.gradient_accumulate_every
    names = ("fd", "kd", "precision", "recall", "coverage", "yield", "copies")
    cells = [f"{found[f'{name}_{extractor.name}']:.3g}" for name in names]
    row = ("lightweight-gan", str(seed), f"{images:,}", f"{images / seconds:.0f}", *cells, "finished")
    console.print(f"| {' | '.join(row)} |", markup=False)


def _trainer(dataset: Dataset, folder: Path, device: torch.device) -> Any:  # noqa: ANN401 - the peer has no types
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, image in enumerate(dataset.images):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(pictures / f"{number}.png")
    peer = _peer(device)
    trainer = peer.Trainer(
        name="peer",
        results_dir=str(folder / "results"),
        models_dir=str(folder / "models"),
        base_dir=str(folder),
        image_size=dataset.description.resolution,
        num_workers=0,
        use_aim=False,
        save_every=10**9,
        evaluate_every=10**9,
    )
    trainer.evaluate = lambda *_, **__: None
    trainer.save = lambda *_: None
    trainer.set_data_src(str(pictures))
    return trainer


def _peer(device: torch.device) -> ModuleType:
    if device.type == "cuda":
        from lightweight_gan import lightweight_gan

        return lightweight_gan  # type: ignore[no-any-return]
    available, torch.cuda.is_available = torch.cuda.is_available, lambda: True
    from lightweight_gan import lightweight_gan

    torch.cuda.is_available = available
    Tensor.cuda = lambda self, *_: self  # type: ignore[method-assign]
    torch.nn.Module.cuda = lambda self, *_: self  # type: ignore[method-assign]
    lightweight_gan.torch = _OnCpu("torch")
    return lightweight_gan  # type: ignore[no-any-return]


class _OnCpu(ModuleType):
    """The module torch, except that `torch.device("cuda:0")` is the CPU."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return (lambda *_: torch.device("cpu")) if name == "device" else getattr(torch, name)


def _train(trainer: Any, minutes: float) -> tuple[int, float]:  # noqa: ANN401
    started = time.monotonic()
    while (seconds := time.monotonic() - started) < 60 * minutes:
        trainer.train()
    return trainer.steps, seconds


@torch.inference_mode()
def _samples(trainer: Any, n: int) -> Tensor:  # noqa: ANN401
    """Sample from the generator itself, because the package's average only starts after 20 000 steps."""
    generator = trainer.GAN.G.eval()
    chunks = [generator(torch.randn(min(_BATCH, n - k), trainer.GAN.latent_dim)) for k in range(0, n, _BATCH)]
    return torch.cat(chunks).clamp(0, 1).mul(255).round().to(torch.uint8)


if __name__ == "__main__":
    typer.run(main)
