"""One quality gate that a worker keeps loaded on its device, beside its model."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.errors import CheckpointError
from models.image_hash import Hashes, count_near
from models.quality_gate import GateHeader, load_gate, per_mille
from worker.contracts.catalog import CatalogEntry
from worker.contracts.selection import COPY_BITS
from worker.rendering.file_checksum import file_sha256


class LoadedGate:
    """The quality gate of one model on a device. Thread-safe."""

    def __init__(
        self, path: Path, entry: CatalogEntry, channels: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        """Load the gate of a model whose start grids have some channels.

        Raises CheckpointError if the file is damaged or belongs to another model.
        """
        gate = load_gate(path)
        self.header = gate.header
        _check_model(path, entry, channels, gate.header)
        self.sha256 = file_sha256(path)
        self._training_hashes = gate.training_hashes
        self._network = gate.network.to(device, dtype)

    @torch.inference_mode()
    def scores(self, grids: Tensor, slots: range, labels: Sequence[int]) -> list[int]:
        """Return the scores of the images in some slots of a batch.

        The whole batch is scored, so that a score depends only on the image and its slot.
        Shapes: grids (batch_size, channels, g, g), the start grids of the whole batch (`LoadedModel.grids`);
        labels (len(slots),), empty for an unconditional model. Raises ModelError for a score that is not finite.
        """
        raw: Tensor = self._network(grids)
        return per_mille(self.header, raw[slots.start : slots.stop].cpu(), labels)

    def find_copies(self, hashes: Hashes) -> list[bool]:
        """Return whether each image is a copy of a training image: their hashes differ in at most `COPY_BITS` bits."""
        return [bool(count) for count in count_near(hashes, self._training_hashes, COPY_BITS)]


def _check_model(path: Path, entry: CatalogEntry, channels: int, header: GateHeader) -> None:
    wrong = {
        f"model {header.model_sha256[:12]}": header.model_sha256 != entry.sha256,
        f"images of {header.resolution} px": header.resolution != entry.resolution,
        f"start grids of {header.channels} channels": header.channels != channels,
        f"classes {list(header.classes)}": header.classes != entry.classes,
    }
    if faults := [name for name, is_wrong in wrong.items() if is_wrong]:
        right = (
            f"{entry.name} is model {entry.sha256[:12]}, {entry.resolution} px, start grids of {channels} channels, "
            f"classes {list(entry.classes)}"
        )
        raise CheckpointError(f"{path}: the gate is for {', '.join(faults)}, but {right}; train a new gate")
