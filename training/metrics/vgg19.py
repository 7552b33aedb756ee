"""VGG19 as a second feature network. Its weights are a file of the user."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from training.errors import MetricsError

NAME = "vgg19-relu5_1"
RESIZE = "none"
_LAYERS = 30
"""Number of torchvision's layers up to relu5_1."""
_PREFIX = "features."
# Mean and standard deviation of ImageNet, by which torchvision's weights expect their input.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load(path: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Load the network up to its pooled relu5_1. Images keep their size.

    Shapes: the result maps (n, 3, r, r) uint8 on the device to (n, 512) float32.
    Raises MetricsError when the file does not hold the weights, with torchvision's keys.
    Source: Simonyan and Zisserman 2015.
    """
    from torchvision.models import vgg19  # slow, and used by few commands

    network = vgg19(weights=None).features[:_LAYERS]
    try:
        tensors = {key.removeprefix(_PREFIX): tensor.float() for key, tensor in load_file(path).items()}
        network.load_state_dict({key: tensors[key] for key in network.state_dict()})
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise MetricsError(f"{path}: not the weights of VGG19 in safetensors ({error})") from error
    network = network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (_MEAN, _STD))

    def features(images: Tensor) -> Tensor:
        normal = ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
        pooled: Tensor = network(normal).mean((2, 3))
        return pooled

    return features
