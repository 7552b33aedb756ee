"""`python -m benchmarks.style_speed PAINTING --vgg19 FILE`: times style transfer and the tutorials' loop.

The tutorials' loop optimises one image at a time in float32 with all cores. Here it has the layers, weights, sizes and
steps of the standard mode, so that only the method differs. Both are timed on a few images, and the time is multiplied.
A distilled job goes through the whole service, including its learning; then a second one with the same style; then a
plain one. With `--large`, one image of 512 px: the tutorials' L-BFGS at full size, until it reaches the total loss of
the standard mode.
"""

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import httpx
import torch
import typer
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.models import vgg19 as torchvision_vgg19

from app.client import Client, Style
from app.client.options import StyleMode
from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses
from benchmarks.styles import drawn
from models import registry
from models.precision import fastest_dtype
from worker.contracts.uploaded_images import normalise
from worker.rendering.device import choose_device
from worker.rendering.engine import RenderEngine
from worker.style import image_tensors, losses, vgg
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.stylizer import styled_together

_MODEL = "faces-64"
_SIDE = 512
_MOST_EVALUATIONS = 400
_NUMBERS = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu5_1": 29}
"""Positions of the ReLUs among torchvision's layers."""


class Tutorial:
    """The tutorials' loop: torchvision's VGG19, one image, one loss for all layers."""

    def __init__(
        self, weights: Path, painting: Tensor, side: int, settings: GatysSettings, device: torch.device
    ) -> None:
        self._layers = torchvision_vgg19(weights=None).features[:30].eval().requires_grad_(False)
        state = {name.removeprefix("features."): value.float() for name, value in load_file(weights).items()}
        self._layers.load_state_dict(state)
        for layer in self._layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False
        self._layers.to(device)
        statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        self._mean, self._std = (torch.tensor(values, device=device).view(3, 1, 1) for values in statistics)
        self._side, self._settings = side, settings
        scale = side / max(painting.shape[1:])
        size = [max(16, round(length * scale)) for length in painting.shape[1:]]
        small = interpolate(painting[None].to(device), size, mode="bilinear", antialias=True)
        self._grams = {name: _gram(found) for name, found in self._features(small).items()}

    def adam(self, image: Tensor, steps: int) -> Tensor:
        """Optimise one image by Adam. Shape: (3, h, w) in [0, 1], in and out, on the device."""
        styled = image[None].clone().requires_grad_()
        content = self._features(self._seen(image[None]))[self._settings.content_layer]
        optimiser = torch.optim.Adam([styled], lr=self._settings.learning_rate)
        for _ in range(steps):
            optimiser.zero_grad()
            self._loss(styled, content).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            with torch.no_grad():
                styled.clamp_(0, 1)
        return styled.detach()[0]

    def seconds_per_image(self, images: Tensor) -> float:
        """Time the optimisation of some images, one after the other. Shape: (n, 3, h, w) in [0, 1], on the device."""
        began = time.perf_counter()
        for image in images:
            self.adam(image, self._settings.steps).cpu()
        return (time.perf_counter() - began) / len(images)

    def lbfgs(self, image: Tensor, is_enough: Callable[[Tensor], bool]) -> tuple[int, float]:
        """Optimise one image by L-BFGS until `is_enough`, whose time does not count. Returns evaluations, seconds."""
        styled = image[None].clone(memory_format=torch.contiguous_format).requires_grad_()  # for L-BFGS
        content = self._features(image[None])[self._settings.content_layer]
        optimiser = torch.optim.LBFGS([styled], max_iter=10)
        evaluations, seconds = 0, 0.0

        def closure() -> Tensor:
            nonlocal evaluations
            evaluations += 1
            with torch.no_grad():
                styled.clamp_(0, 1)
            optimiser.zero_grad()
            loss = self._loss(styled, content)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        while evaluations < _MOST_EVALUATIONS:
            began = time.perf_counter()
            optimiser.step(closure)  # type: ignore[no-untyped-call]
            seconds += time.perf_counter() - began
            if is_enough(styled.detach()[0].clamp(0, 1)):
                break
        return evaluations, seconds

    def _features(self, images: Tensor) -> dict[str, Tensor]:
        x, found = (images - self._mean) / self._std, {}
        names = {number: name for name, number in _NUMBERS.items()}
        for number, layer in enumerate(self._layers):
            x = layer(x)
            if number in names:
                found[names[number]] = x
        return found

    def _loss(self, styled: Tensor, content: Tensor) -> Tensor:
        features, settings = self._features(self._seen(styled)), self._settings
        wanted = settings.style_layers
        terms = [w * losses.relative(_gram(features[name]), self._grams[name]) for name, w in wanted.items()]
        kept = losses.relative(features[settings.content_layer], content)
        style = settings.style_weight * torch.stack(terms).sum() / sum(wanted.values())
        return (kept + style + settings.tv_weight * losses.total_variation(styled)).mean()

    def _seen(self, images: Tensor) -> Tensor:
        return images if images.shape[-1] == self._side else interpolate(images, [self._side] * 2, mode="bilinear")


def _gram(features: Tensor) -> Tensor:
    """Return the Gram matrix of one image, as tutorials do. Shapes: (1, c, h, w); returns (1, c, c)."""
    _, c, h, w = features.shape
    flat = features.view(c, h * w)
    return torch.mm(flat, flat.t()).div(c * h * w)[None]


def main(
    painting: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The picture with the style.")],
    vgg19: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="VGG19's weights, in safetensors.")],
    images: Annotated[int, typer.Option(min=1, help="How many the tutorial's loop styles.")] = 3,
    large: Annotated[bool, typer.Option("--large", help="One picture of 512 px instead.")] = False,
) -> None:
    """Measure, and print a table."""
    device, settings = choose_device("auto"), GatysSettings()
    network = vgg.load(vgg19, fastest_dtype(device), device)
    picture = image_tensors.from_picture(normalise(painting.read_bytes(), _SIDE))
    transfer = StyleTransfer(network, picture.to(device), settings)
    runtime = RenderEngine([registry.find(_MODEL)], device)
    model = runtime.model(runtime.entries[0])
    samples = drawn(model, 1, model.batch_size)
    if large:
        _large(transfer, Tutorial(vgg19, picture, _SIDE, settings, device), samples, device)
        return
    tutorial = Tutorial(vgg19, picture, settings.min_side, settings, device)
    each_tutorial = tutorial.seconds_per_image(samples[:images].to(device))
    # On a CPU each core styles a small group of its own.
    cores, size = len(os.sched_getaffinity(0)) if device.type == "cpu" else 1, styled_together(device, 1)
    batches = [samples[k : k + size].to(device) for k in range(0, size * cores, size)]
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        began = time.perf_counter()
        # Copying to the CPU waits for the device.
        styled = threads.map(lambda batch: transfer.apply(batch, 1.0, lambda _: True).cpu(), batches)
        count = sum(map(len, styled))
        each_standard = (time.perf_counter() - began) / count
    head = (
        "images",
        "tutorial (multiplied)",
        "standard (multiplied)",
        "distilled, learning included",
        "again",
        "plain",
    )
    rows = []
    for n, (first, second, plain) in zip((500, 10_000), _served(vgg19, painting), strict=True):
        seconds = (n * each_tutorial, n * each_standard, first, second, plain)
        rows.append((f"{n}", *(f"{value:.2f} s" for value in seconds)))
    console.print(table.markdown(head, rows))
    console.print(f"\nFor each image: tutorial {each_tutorial:.2f} s, standard {each_standard:.2f} s.")


def _served(weights: Path, painting: Path) -> list[tuple[float, float, float]]:
    """Time jobs of the whole service: the first of a style, the second, and a plain one."""
    found = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ServiceProcesses(Path(folder)) as service:
        service.start_workers(1, WORKER, {"IMAGEMILL_VGG19": str(weights)})
        with Client(service.url, notify=console.print) as client:
            style = client.upload_style(painting)
            _seconds(client, 2000)
            learning = _seconds(client, 1, style)
            for n in (500, 10_000):
                again = _seconds(client, n, style)
                found.append((learning + again, again, _seconds(client, n)))
    return found


def _seconds(client: Client, n: int, style: Style | None = None) -> float:
    """Time a job from its request to the last byte of its archive."""
    began = time.perf_counter()
    mode: StyleMode | None = None if style is None else "distilled"
    job = client.wait(client.generate(n=n, model=_MODEL, style=style, style_mode=mode))
    httpx.get(job.links.download, trust_env=False, timeout=60).raise_for_status()
    return time.perf_counter() - began


def _large(transfer: StyleTransfer, tutorial: Tutorial, samples: Tensor, device: torch.device) -> None:
    """Compare one image of 512 px, an enlarged generated face."""
    image = interpolate(samples[:1], [_SIDE] * 2, mode="bicubic").clamp(0, 1)
    began = time.perf_counter()
    styled = transfer.apply(image.to(device), 1.0, lambda _: True)
    ours = time.perf_counter() - began

    def total(candidate: Tensor) -> float:
        content, style = transfer.losses(image.to(device), candidate.to(device))
        return float(content + GatysSettings.style_weight * style)

    reached: list[float] = []

    def is_enough(candidate: Tensor) -> bool:
        reached.append(total(candidate[None]))
        console.print(f"tutorial's L-BFGS: {reached[-1]:.3f}")
        return reached[-1] <= total(styled)

    evaluations, seconds = tutorial.lbfgs(image[0].to(device), is_enough)
    console.print(f"standard: {ours:.1f} s, total {total(styled):.3f}")
    console.print(f"tutorial: {seconds:.1f} s, total {reached[-1]:.3f} after {evaluations} evaluations")


if __name__ == "__main__":
    run(main)
