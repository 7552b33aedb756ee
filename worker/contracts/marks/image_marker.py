"""Marks the images of a job."""

from worker.contracts.jobs import JobSpec
from worker.contracts.marks.embedding import embedder
from worker.contracts.marks.image_address import position, uri_ends
from worker.contracts.marks.point_address import point_position, point_uri_ends
from worker.contracts.marks.xmp_packet import HEAD, TAIL


class ImageMarker:
    """Adds the mark to image files of one job. What all its images share is computed once."""

    def __init__(self, spec: JobSpec) -> None:
        self._spec = spec
        before, after = uri_ends(spec) if spec.around is None else point_uri_ends(spec, spec.around)
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
        around = self._spec.around
        if around is None:
            return position(index, class_number)
        return point_position(self._spec, around, index, class_number)
