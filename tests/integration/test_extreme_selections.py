"""Jobs with extreme selections end, and their archives can be read in every way."""

from pathlib import Path
from typing import Any

import pytest
import torch

from app.schemas.parameter_types import MAX_START
from models import checkpoint
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.tiny import LABELLED, save_checkpoint


@pytest.mark.parametrize(
    "query",
    [
        {"n": 1, "keep": 0.02, "class": "cross"},  # most shards store no image
        {"n": 7, "keep": 0.1, "classes": "zig/zag"},  # the shares of the other classes are zero
        {"n": 9, "keep": 0.3, "distinct": 3, "start": MAX_START},
        {"n": 5, "keep": 0.2, "format": "webp", "start": 13},
    ],
)
def test_an_extreme_job_grows_to_the_archive_that_has_ranges(service: RunningService, query: dict[str, Any]) -> None:
    job = service.generate(**{"model": LABELLED, "seed": 8, **query})
    with service.client.stream("GET", job["links"]["download"]) as response:
        grown = response.read()
    job = service.wait_done(job["id"])
    assert job["state"] == "succeeded", job
    records = metadata(grown)
    assert len(records) == query["n"]
    assert job["next_start"] == records[-1]["index"] + 1
    assert service.download(job["id"]) == grown
    for start, stop in ((0, 10), (len(grown) // 2, len(grown) // 2 + 777), (len(grown) - 5, len(grown))):
        part = service.client.get(job["links"]["download"], headers={"Range": f"bytes={start}-{stop - 1}"})
        assert (part.status_code, part.content) == (206, grown[start:stop])
    for record in records[:2] + records[-1:]:
        image = service.client.get(job["links"]["image"].format(index=record["index"]))
        assert image.headers["ETag"] == f'"{record["sha256"]}"'


def test_a_model_that_always_draws_the_same_image_fails_the_job_in_bounded_work(
    service: RunningService, tmp_path: Path
) -> None:
    save_collapsed(tmp_path, "collapsed")
    worker = service.start_worker(IMAGEMILL_MODELS=str(tmp_path))
    job = service.wait_done(service.generate(3, model="collapsed", seed=8, distinct=3)["id"])
    assert (job["state"], job["error"]["code"], job["error"]["retryable"]) == ("failed", "yield_too_low", False)
    assert "only 1 of 3 images were kept out of 1012 candidates" in job["error"]["message"]
    assert (job["yield"]["kept"], job["yield"]["tried"], job["next_start"]) == (1, 1012, None)
    response = service.client.get(job["links"]["image"].format(index=5))
    assert (response.status_code, response.json()["code"]) == (404, "not_kept")
    assert "at most 3 bits" in response.json()["detail"]
    assert service.client.get(job["links"]["download"]).json()["code"] == "job_failed"
    assert service.wait_done(service.generate(1, model="collapsed", seed=8, distinct=3)["id"])["state"] == "succeeded"
    service.end_worker(worker)


def save_collapsed(folder: Path, name: str) -> None:
    """Save a tiny generator whose images are all equal."""
    save_checkpoint(folder, name)
    header, generator = checkpoint.load_generator(folder / f"{name}.safetensors")
    for weights in generator.parameters():
        torch.nn.init.zeros_(weights)
    checkpoint.save(folder / f"{name}.safetensors", header, generator)


def test_a_cancelled_job_with_a_selection_ends_and_can_be_retried(service: RunningService) -> None:
    job = service.generate(3000, model=LABELLED, seed=9, keep=0.5, distinct=0)
    wait_until(lambda: service.job(job["id"])["images_done"] > 0)
    assert service.client.post(job["links"]["cancel"]).json()["state"] == "cancelled"
    again = service.client.post(job["links"]["retry"]).json()
    assert service.wait_done(again["id"])["state"] == "succeeded"
    assert len(metadata(service.download(again["id"]))) == 3000
