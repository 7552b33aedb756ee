"""Makes the files of a job's images: encoded, marked, with their checksums."""

from collections.abc import Sequence

from torch import Tensor

from models.image_hash import Hashes, image_hashes
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_marker import ImageMarker
from worker.rendering.encoding import EncodedImage, Encoder, encode


class ImageEncoder:
    """Encodes the images of one job."""

    def __init__(self, spec: JobSpec, encoder: Encoder = encode) -> None:
        self._spec, self._encoder = spec, encoder
        self._marker = ImageMarker(spec)

    def encode(self, indices: Sequence[int], images: Tensor) -> list[EncodedImage]:
        """Encode images, in their order. Shapes: images (len(indices), 3, h, w) uint8 on the CPU."""
        spec = self._spec
        files = self._mark(indices, self._encoder(images, spec.format))
        hashes = [f"{value:016x}" for value in hashes_of(images)] if spec.hashes_images else [""] * len(files)
        return [EncodedImage.of(*each) for each in zip(indices, files, hashes, strict=True)]

    def _mark(self, indices: Sequence[int], files: list[bytes]) -> list[bytes]:
        if self._spec.marking == "none":
            return files
        labels: Sequence[int | None] = self._spec.labels(indices) or [None] * len(files)
        return [self._marker.mark(*each) for each in zip(files, indices, labels, strict=True)]


def hashes_of(images: Tensor) -> Hashes:
    """Return the hash of each image. Shapes: images (n, 3, h, w) uint8 on the CPU; returns (n,)."""
    return image_hashes(images.permute(0, 2, 3, 1).numpy())
