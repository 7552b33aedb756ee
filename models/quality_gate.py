"""The quality gate: a small network that ranks the images of one generator by how real they are.

It reads the generator's start grids, so it decides before an image is drawn.
It is a file beside the checkpoint, in safetensors, with a versioned header that names the checkpoint by its sha256.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from torch import Tensor, nn
from torch.nn.functional import linear

from models import dcgan, safetensors_file
from models.checkpoint import MODEL_NAME
from models.errors import CheckpointError, ModelError
from models.image_hash import Hashes
from models.registry import GATE_SUFFIX

FORMAT_VERSION: Literal[2] = 2
QUANTILES = 101
"""Number of quantiles of a class: the raw scores at 0, 1, ... 100 per cent."""
_KEY = "imagemill.quality"
_HASHES = "training_hashes"
_FEATURES = 64
"""Number of features of each position of a grid."""

Quantiles = tuple[tuple[float, ...], ...]
"""Raw scores at 0, 1, ... 100 per cent, in ascending order: one row for each class."""
_Share = Annotated[float, Field(ge=0, le=1)]
_Row = Annotated[tuple[FiniteFloat, ...], Field(min_length=QUANTILES, max_length=QUANTILES)]


class GateEffect(BaseModel):
    """Figures of images that pass the gate at one keep share, against real images that the gate has not seen."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    keep: float = Field(gt=0, le=1)
    yield_: _Share = Field(validation_alias="yield", serialization_alias="yield")
    precision: _Share
    density: float = Field(ge=0)
    coverage: _Share
    recall: _Share
    fd: FiniteFloat


class GateAgreement(BaseModel):
    """Agreement of the scores with the realism of images, on images and real images that the gate has not seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spearman: float = Field(ge=-1, le=1)
    """Mean over classes of the rank correlation with the realism."""
    ceiling: float = Field(ge=-1, le=1)
    """The same correlation of the teacher. No gate can be expected to exceed it."""
    auc: _Share
    """Probability that an image that passes for real scores higher than an image of its class that does not."""


class GateHeader(BaseModel):
    """The header of a gate's file. Tables have one row for each class, or one row for an unconditional model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[2] = FORMAT_VERSION
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the checkpoint file."""
    model: str = Field(pattern=MODEL_NAME)
    resolution: int = Field(ge=32, le=512, multiple_of=16)
    channels: int = Field(ge=1)
    """Number of channels of the generator's start grids."""
    classes: tuple[str, ...]
    data_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    reals: int = Field(ge=1)
    """Number of real images of the dataset."""
    class_counts: tuple[Annotated[int, Field(ge=0)], ...]
    """Number of training images of each class."""
    extractor: str
    """Name of the feature network of the realism."""
    quantiles: tuple[_Row, ...]
    """Raw scores of the model's own images of each class at 0, 1, ... 100 per cent, in ascending order."""
    agreement: GateAgreement
    class_yields: tuple[_Share, ...]
    """Share of images of each class that pass for real without the gate."""
    effects: tuple[GateEffect, ...]
    second_judge: tuple[GateEffect, ...]
    """The same effects by another feature network; empty if they were not measured."""
    close_real_pairs: _Share
    """Share of all pairs of real images whose hashes differ in at most 3 bits."""
    versions: dict[str, str]
    device: str

    def model_post_init(self, _context: object, /) -> None:
        """Refuse tables without a row for each class, and quantiles that descend."""
        rows = max(1, len(self.classes))
        for name in ("class_counts", "quantiles", "class_yields"):
            if len(getattr(self, name)) != rows:
                raise ValueError(f"{name} must have {rows} rows, got {len(getattr(self, name))}")
        if any(list(row) != sorted(row) for row in self.quantiles):
            raise ValueError("quantiles must ascend")


class GateNetwork(nn.Module):
    """Two linear layers from a start grid to one raw score: one at each position, one for all. Higher is more real.

    The last layer computes in float32 in any case, since scores in bfloat16 would have many ties.
    """

    def __init__(self, channels: int, resolution: int) -> None:
        super().__init__()
        self.features = nn.Linear(channels, _FEATURES)
        self.score = nn.Linear(_FEATURES * (resolution // 2**dcgan.UPSAMPLINGS) ** 2, 1)

    def forward(self, grids: Tensor) -> Tensor:
        """Compute raw scores. Shapes: (n, channels, g, g) in the network's number format; returns (n,) float32."""
        features = self.features(grids.permute(0, 2, 3, 1)).relu().flatten(1)
        return linear(features.float(), self.score.weight.float(), self.score.bias.float()).flatten()


@dataclass(frozen=True)
class QualityGate:
    """A gate that was loaded from its file."""

    header: GateHeader
    network: GateNetwork
    training_hashes: Hashes
    """Hashes of all training images in ascending order (models.image_hash)."""


def gate_path(checkpoint: Path) -> Path:
    """Return the path of a checkpoint's gate: `faces-64.safetensors` -> `faces-64.gate.safetensors`."""
    return checkpoint.with_name(checkpoint.name.removesuffix(".safetensors") + GATE_SUFFIX)


def save_gate(path: Path, gate: QualityGate) -> None:
    """Write a gate atomically. Raises CheckpointError if it could not be loaded again."""
    hashes = torch.from_numpy(np.sort(gate.training_hashes).view(np.int64))
    tensors = {**gate.network.state_dict(), _HASHES: hashes}
    _check_tensors(path, tensors, gate.header)
    safetensors_file.write(path, _KEY, gate.header, tensors)


def load_gate(path: Path) -> QualityGate:
    """Load a gate in eval mode, float32, on the CPU.

    Raises CheckpointError if the file is missing, is no gate, has another version, or has tensors that are missing,
    unknown, of a wrong shape or type, or not finite.
    """
    header, tensors = safetensors_file.read(path, _KEY, GateHeader, FORMAT_VERSION)
    _check_tensors(path, tensors, header)
    hashes = np.sort(tensors.pop(_HASHES).numpy().view(np.uint64))
    network = GateNetwork(header.channels, header.resolution)
    network.load_state_dict(tensors)
    return QualityGate(header, network.eval().requires_grad_(False), hashes)


def per_mille(header: GateHeader, raw_scores: Tensor, labels: Sequence[int]) -> list[int]:
    """Return the scores that users see: how many per mille of the model's own images of the class score lower.

    A gate that keeps the share `keep` of images keeps those with at least 1000 * (1 - keep).
    Shapes: raw_scores (n,), labels (n,), or empty for an unconditional model; returns n numbers from 0 to 1000.
    Raises ModelError for a raw score that is not finite.
    """
    return interpolate(header.quantiles, raw_scores, labels)


def interpolate(quantiles: Quantiles, raw_scores: Tensor, labels: Sequence[int]) -> list[int]:
    """Return scores per mille, as `per_mille`. Quantiles are interpolated in double precision, then rounded down."""
    rows, last = np.asarray(quantiles), QUANTILES - 1
    found = []
    for raw, label in zip(raw_scores.tolist(), labels or [0] * len(raw_scores), strict=True):
        if not isfinite(raw):
            raise ModelError(f"the quality gate computed the score {raw}, which is not finite")
        row = rows[label]
        # The last quantile that the score reaches. Of equal quantiles it is the highest.
        below = int(np.searchsorted(row, raw, side="right")) - 1
        if 0 <= below < last:
            found.append(int(10 * (below + (raw - row[below]) / (row[below + 1] - row[below]))))
        else:
            found.append(0 if below < 0 else 10 * last)
    return found


def _check_tensors(path: Path, tensors: Mapping[str, Tensor], header: GateHeader) -> None:
    with torch.device("meta"):
        network = GateNetwork(header.channels, header.resolution)
    expected = {**network.state_dict(), _HASHES: torch.empty(0, dtype=torch.int64, device="meta")}
    faults = [f"missing {key}" for key in expected.keys() - tensors.keys()]
    faults += [f"unknown {key}" for key in tensors.keys() - expected.keys()]
    for key in expected.keys() & tensors.keys():
        found, right = tensors[key], expected[key]
        # The number of training images is free.
        shape = tuple(found.shape) if key == _HASHES and found.dim() == 1 else tuple(right.shape)
        if (tuple(found.shape), found.dtype) != (shape, right.dtype):
            faults.append(f"{key} has {tuple(found.shape)} {found.dtype}, not {shape} {right.dtype}")
        elif not found.isfinite().all():
            faults.append(f"{key} holds values that are not finite")
    if faults:
        raise CheckpointError(f"{path}: {'; '.join(sorted(faults)[:5])}")
