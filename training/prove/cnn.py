"""A small convolutional network, trained from scratch: it knows only the images that it is given."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.backends import cudnn
from torch.nn.functional import cross_entropy, interpolate

from models import pixels
from models.precision import fastest_dtype
from training.augment import mirror, translate
from training.prove.examples import Examples
from training.random_stream import RandomStream

_SIDE = 32
"""Side of the inputs in pixels. Larger images are reduced, because the time of a step grows with the area."""
_WIDTHS = (32, 64, 128, 128)
"""Channels of the layers, which have 0.24 million weights in all."""
_STEPS, _BATCH = 400, 48
"""Twice as many steps gained a point at most, for real images alone and for both."""
_RATE, _DECAY = 3e-3, 0.05
"""Largest learning rate, and weight decay of AdamW."""
_TEST_BATCH = 512


class SmallNetwork:
    """A network of four strided convolutions. All training sets get the same steps and the same augmentation."""

    name = "cnn"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def prepare(self, images: Tensor, progress: Callable[[int], None]) -> Tensor:
        """Reduce images to the input size. Shapes: images (n, 3, r, r) uint8; returns (n, 3, 32, 32) in [-1, 1]."""
        rows = []
        for start in range(0, len(images), _TEST_BATCH):
            some = pixels.from_uint8(images[start : start + _TEST_BATCH])
            rows.append(interpolate(some, (_SIDE, _SIDE), mode="bilinear", antialias=True))
            progress(start + len(some))
        return torch.cat(rows)

    def classify(self, parts: Sequence[Examples], test: Tensor, classes: int, seed: int) -> Tensor:
        """Train a network and classify the test images. Each batch has equally many images of every part.

        Shapes: test (m, 3, 32, 32); returns (m,) int64 on the CPU.
        """
        with cudnn.flags(enabled=True, deterministic=True, benchmark=False):
            network = self._trained(parts, classes, seed)
            with torch.inference_mode(), self._autocast():
                chunks = [network(some.to(self._device)).argmax(1).cpu() for some in torch.split(test, _TEST_BATCH)]
        return torch.cat(chunks)

    def _trained(self, parts: Sequence[Examples], classes: int, seed: int) -> nn.Module:
        network = _build(classes, seed).to(self._device).to(memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
        # Drawn on the CPU, so that every device sees the same batches.
        stream = RandomStream(torch.Generator().manual_seed(seed))
        for _ in range(_STEPS):
            images, labels = self._batch(parts, stream)
            with self._autocast():
                loss = cross_entropy(network(images), labels)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        return network.eval()

    def _batch(self, parts: Sequence[Examples], stream: RandomStream) -> tuple[Tensor, Tensor]:
        each = _BATCH // len(parts)
        chosen = [part.take(stream.integers(len(part), each)) for part in parts]
        images = mirror(torch.cat([part.inputs for part in chosen]), stream)
        images = translate(images, stream).to(self._device, memory_format=torch.channels_last)
        return images, torch.cat([part.labels for part in chosen]).to(self._device)

    def _autocast(self) -> torch.autocast:
        dtype = fastest_dtype(self._device)
        return torch.autocast(self._device.type, dtype, enabled=dtype != torch.float32)


def _build(classes: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, width in zip((3, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(before, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * _WIDTHS[-1], classes))
