"""Jobs with a selection: the same bytes whatever the number of workers, and whatever dies."""

from collections import Counter
from typing import Any

from tests.integration.running_service import RunningService, metadata
from tests.tiny import CLASSES, LABELLED

GATED: dict[str, Any] = {"model": LABELLED, "seed": 31, "keep": 0.5, "copies": "drop", "distinct": 1}


def made(service: RunningService, n: int, **query: Any) -> tuple[dict[str, Any], bytes]:
    """Run a job of the labelled model: the job at its end, and its archive."""
    job = service.wait_done(service.generate(n, **{"model": LABELLED, "seed": 31, **query})["id"])
    assert job["state"] == "succeeded", job
    return job, service.download(job["id"])


def test_exactly_the_wanted_images_are_kept_and_each_is_that_of_its_address(service: RunningService) -> None:
    job, archive = made(service, 300, keep=0.5)
    records = metadata(archive)
    assert len(records) == 300
    assert Counter(record["label"] for record in records) == dict.fromkeys(CLASSES, 100)
    assert all(record["score"] >= 500 for record in records)
    assert 450 < job["tried"] < 750
    for record in records[::29]:
        address = f"/images/{LABELLED}/31/{record['index']}.png"
        answer = service.client.get(address, params={"class": record["label"]})
        assert answer.headers["ETag"] == f'"{record["sha256"]}"'
