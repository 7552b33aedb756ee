"""The Inception network of the original FID. It needs its weights as a file, and the package torch-fidelity."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from training.errors import MetricsError

NAME = "inception"
RESIZE = "tensorflow1-bilinear-299"
WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""SHA-256 of the weights of 2015-12-05, which define FID. pytorch-fid and torch-fidelity publish them."""


def load(path: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Load the network up to its pooled features.

    Shapes: the result maps (n, 3, r, r) uint8 on the device to (n, 2048) float32.
    Raises MetricsError when torch-fidelity is missing, or when the file is not the one that defines FID.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MetricsError(
            "FID needs the package torch-fidelity; install it with: pip install torch-fidelity"
        ) from error
    # Verified before the library sees them.
    weights = _verified(path)
    # The library would unpickle anything; what it gets here is known by its hash.
    network = FeatureExtractorInceptionV3(NAME, ["2048"], feature_extractor_weights_path=io.BytesIO(weights)).to(device)
    return lambda images: network(images)[0]


def _verified(path: Path) -> bytes:
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise MetricsError(f"{path}: {error.strerror or error}") from error
    found = hashlib.sha256(weights).hexdigest()
    if found != WEIGHTS_SHA256:
        raise MetricsError(
            f"{path}: not the weights that FID is defined by, pt_inception-2015-12-05-6726825d.pth"
            f" (sha256 {found[:12]}, not {WEIGHTS_SHA256[:12]})"
        )
    return weights
