"""Marks the images of a job."""

from worker.contracts.jobs import JobSpec
from worker.contracts.marks.embedding import embedder
from worker.contracts.marks.image_address import position, uri_ends
from worker.contracts.marks.point_address import address_at, point_position, point_uri_ends
from worker.contracts.marks.xmp_packet import HEAD, TAIL


class ImageMarker:
    """Adds the mark to image files of one job. What all its images share is computed once."""

    def __init__(self, spec: JobSpec) -> None:
        self._spec = spec
        before, after = _shared_ends(spec)
        self._end = f"{after}{TAIL}"
        self._embed = (
            embedder(spec.format, f"{HEAD}{before}".encode(), spec.model.resolution)
            if spec.marking == "xmp-1"
            else None
        )

    def mark(self, file: bytes, index: int, class_number: int | None) -> bytes:
        """Return an image file with its mark. Files of a job without marks are returned as they are."""
        if self._embed is None:
            return file
        return self._embed(file, f"{self._position(index, class_number)}{self._end}".encode())

    def _position(self, index: int, class_number: int | None) -> str:
        around, walk = self._spec.around, self._spec.between
        if walk is not None:
            return address_at(self._spec, walk, index, class_number).uri
        if around is not None:
            return point_position(self._spec, around, index, class_number)
        return position(index, class_number)


def _shared_ends(spec: JobSpec) -> tuple[str, str]:
    """Return what stands before and after the position of each image. The frames of a walk have whole addresses."""
    if spec.between is not None:
        return "", ""
    return uri_ends(spec) if spec.around is None else point_uri_ends(spec, spec.around)
