"""The layers of VGG19 whose features style transfer compares.

Source: Simonyan and Zisserman 2015; the layers' numbers and the normalisation are torchvision's.
"""

import hashlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad, relu

from worker.errors import WeightsError
from worker.style.repeatable import replicate_edges

_BLOCKS = (2, 2, 4, 4, 1)
"""Number of convolutions in each block. Of the fifth block, only the first one is used."""
_WIDTHS = (64, 128, 256, 512, 512)
MIN_SIDE = 1 << (len(_BLOCKS) - 1)
"""Smallest side of an image, in pixels: the fifth block's features have a sixteenth of it."""
# Mean and standard deviation of ImageNet, by which torchvision's weights expect their input.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EXPORT_COMMAND = (
    'python -c "import torchvision, safetensors.torch as s; '
    "v = torchvision.models.vgg19(weights='DEFAULT').features[:29].state_dict(); "
    "s.save_file({'features.' + k: t for k, t in v.items()}, 'vgg19.safetensors')\" (it downloads 548 MB, once)"
)

LAYERS = {
    f"relu{block + 1}_{number + 1}": (block, number) for block, count in enumerate(_BLOCKS) for number in range(count)
}
"""Names of the layers, with the numbers of their block and their convolution."""


class Vgg19(nn.Module):
    """VGG19 up to conv5_1, with fixed weights. The ReLUs do not work in place, since all features are needed."""

    def __init__(self, tensors: Mapping[str, Tensor], dtype: torch.dtype, device: torch.device) -> None:
        super().__init__()
        self._dtype = dtype
        self.sha256 = _digest(tensors)
        """Digest of the weights. The bytes of styled images depend on them."""
        self._mean = torch.tensor(_MEAN, device=device).view(3, 1, 1)
        self._std = torch.tensor(_STD, device=device).view(3, 1, 1)
        self._layers = {
            name: tuple(
                tensors[f"features.{index}.{part}"].to(device, dtype, memory_format=layout)
                for part, layout in (("weight", torch.channels_last), ("bias", torch.contiguous_format))
            )
            for name, index in zip(LAYERS, _torchvision_indices(), strict=True)
        }

    def forward(self, images: Tensor, layers: frozenset[str]) -> dict[str, Tensor]:
        """Compute features. Shapes: (n, 3, h, w) in [0, 1]; returns (n, channels, h / 2^block, ...) for each layer."""
        features = {}
        x = ((images - self._mean) / self._std).to(self._dtype, memory_format=torch.channels_last)
        deepest = max(LAYERS[name] for name in layers)
        for name, (block, number) in LAYERS.items():
            if (block, number) > deepest:
                break
            if number == 0 and block > 0:
                x = max_pool2d(x, 2)
            weight, bias = self._layers[name]
            # Padding the image with zeros would add a visible frame to the style. In deeper layers it does not matter.
            is_first = (block, number) == (0, 0)
            x = relu(conv2d(_add_border(x) if is_first else x, weight, bias, padding=int(not is_first)))
            if name in layers:
                features[name] = x
        return features


def _add_border(images: Tensor) -> Tensor:
    return replicate_edges(images) if images.is_cuda else pad(images, (1, 1, 1, 1), "replicate")


def load(path: Path | None, dtype: torch.dtype, device: torch.device) -> Vgg19:
    """Load VGG19 from a safetensors file with torchvision's keys. Raises WeightsError."""
    if path is None:
        raise WeightsError(
            f"no weights of VGG19: set IMAGEMILL_VGG19 to a file of them. This command makes it: {_EXPORT_COMMAND}"
        )
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: cannot be read as safetensors ({error})") from error
    return Vgg19(_check(tensors, path), dtype, device)


def _check(tensors: Mapping[str, Tensor], source: Path) -> Mapping[str, Tensor]:
    inputs = 3
    for name, index in zip(LAYERS, _torchvision_indices(), strict=True):
        outputs = _WIDTHS[LAYERS[name][0]]
        for part, shape in (("weight", (outputs, inputs, 3, 3)), ("bias", (outputs,))):
            key = f"features.{index}.{part}"
            if key not in tensors or tuple(tensors[key].shape) != shape:
                raise WeightsError(f"{source}: not the weights of VGG19, {key} must have the shape {shape}")
        inputs = outputs
    return tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for index in _torchvision_indices():
        for part in ("weight", "bias"):
            digest.update(tensors[f"features.{index}.{part}"].float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _torchvision_indices() -> list[int]:
    """Return torchvision's layer numbers of the convolutions: a ReLU follows each, a pooling layer each block."""
    indices = [0]
    for (block, _), (next_block, _) in pairwise(LAYERS.values()):
        indices.append(indices[-1] + 2 + (next_block != block))
    return indices
