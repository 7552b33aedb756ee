"""Room on the disk: what may fill it is refused before it is begun."""

from http import HTTPStatus

from app.errors import ApiError
from worker.contracts.artifacts import Artifacts


def check_room(artifacts: Artifacts, needed: int) -> None:
    """Raise ApiError when so many bytes may be too much."""
    free = artifacts.free_bytes()
    if free is not None and free < needed:
        detail = f"the disk has room for {free // 1_000_000} MB, and this may need {needed // 1_000_000} MB"
        raise ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "disk_low", detail, retry_after_seconds=60)
