"""One quality gate that a worker keeps loaded on its device, beside its model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.errors import CheckpointError
from models.image_hash import Hashes
from models.mkldnn_packing import pack
from models.quality_gate import load_gate, per_mille
from worker.contracts.catalog import CatalogEntry
from worker.contracts.selection import COPY_BITS
from worker.rendering.file_checksum import file_sha256


class LoadedGate:
    """The quality gate of one model on a device. Thread-safe."""

    def __init__(self, path: Path, entry: CatalogEntry, device: torch.device, dtype: torch.dtype) -> None:
        """Load the gate of a model. Raises CheckpointError if the file is damaged or belongs to another model."""
        gate = load_gate(path)
        self.header = gate.header
        _check_model(path, entry, self.header.model_sha256, self.header.resolution, self.header.classes)
        self.sha256 = file_sha256(path)
        self._training_hashes = gate.training_hashes
        self._device = device
        self._network = gate.network.to(device, dtype).to(memory_format=torch.channels_last)
        side = entry.resolution
        self._batch = torch.zeros(entry.numerics.batch_size, 3, side, side, dtype=torch.uint8)
        if device.type == "cpu":
            pack(self._network, self._batch.contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def scores(self, images: Tensor, slots: range, labels: Sequence[int]) -> list[int]:
        """Return the scores of the images in some slots of a batch.

        The batch always has its full size, so that a score depends only on the image and its slot.
        Shapes: images (len(slots), 3, h, w) uint8 on the CPU; labels (len(slots),), empty for an unconditional model.
        Raises ModelError for a score that is not finite.
        """
        batch = images.contiguous(memory_format=torch.channels_last)
        if len(slots) < len(self._batch):
            batch = self._batch.clone(memory_format=torch.channels_last)
            batch[slots.start : slots.stop] = images
        raw: Tensor = self._network(batch.to(self._device))
        return per_mille(self.header, raw[slots.start : slots.stop].cpu(), labels)

    def find_copies(self, hashes: Hashes) -> list[bool]:
        """Return whether each image is a copy of a training image: their hashes differ in at most `COPY_BITS` bits."""
        differences = (np.bitwise_count(self._training_hashes ^ value) for value in hashes)
        return [bool((bits <= COPY_BITS).any()) for bits in differences]


def _check_model(path: Path, entry: CatalogEntry, sha256: str, resolution: int, classes: tuple[str, ...]) -> None:
    wrong = {
        f"model {sha256[:12]}": sha256 != entry.sha256,
        f"images of {resolution} px": resolution != entry.resolution,
        f"classes {list(classes)}": classes != entry.classes,
    }
    if faults := [name for name, is_wrong in wrong.items() if is_wrong]:
        right = f"{entry.name} is model {entry.sha256[:12]}, {entry.resolution} px, classes {list(entry.classes)}"
        raise CheckpointError(f"{path}: the gate is for {', '.join(faults)}, but {right}; train a new gate")
