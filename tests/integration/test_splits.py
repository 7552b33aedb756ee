"""Splits of datasets, over HTTP and from the command line."""

from typing import Any

import pytest

from tests.integration.running_service import RunningService, metadata
from tests.integration.test_problems import problem
from tests.tiny import LABELLED, PLAIN

OFFSETS = {"train": 0, "validation": 2**51, "test": 2**52}


def archive(service: RunningService, job: dict[str, Any]) -> bytes:
    return service.client.get(job["links"]["download"]).raise_for_status().content


@pytest.mark.parametrize(("split", "offset"), OFFSETS.items())
@pytest.mark.parametrize("query", [{}, {"model": LABELLED, "keep": 0.5}])
def test_a_split_goes_on_where_its_job_has_ended(
    service: RunningService, split: str, offset: int, query: dict[str, Any]
) -> None:
    first = service.wait_done(service.generate(9, seed=1, split=split, start=3, **query)["id"])
    assert (first["split"], first["start"]) == (split, 3)
    found = [row["index"] for row in metadata(archive(service, first))]
    assert found[0] >= offset + 3
    assert found[-1] < offset + first["next_start"]
    second = service.wait_done(service.generate(4, seed=1, split=split, start=first["next_start"], **query)["id"])
    following = [row["index"] for row in metadata(archive(service, second))]
    assert not set(found) & set(following)


def test_an_image_of_a_split_has_an_address(service: RunningService) -> None:
    job = service.wait_done(service.generate(2, seed=1, split="test")["id"])
    index = OFFSETS["test"] + 1
    image = service.client.get(job["links"]["image"].format(index=index)).raise_for_status().content
    assert service.client.get(f"/images/{PLAIN}/1/{index}.png").content == image


def test_the_split_train_has_the_images_of_a_dataset_without_a_split(service: RunningService) -> None:
    jobs = [service.wait_done(service.generate(5, seed=1, **more)["id"]) for more in ({}, {"split": "train"})]
    plain, train = (service.client.get(job["links"]["download"]) for job in jobs)
    assert [row["sha256"] for row in metadata(plain.content)] == [row["sha256"] for row in metadata(train.content)]
    assert "-train.zip" in train.headers["Content-Disposition"]


def test_an_extension_stays_in_its_split(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, seed=1, split="validation")["id"])
    longer = service.wait_done(service.client.post(f"{job['links']['extend']}?n=5").json()["id"])
    assert (longer["split"], longer["start"], longer["next_start"]) == ("validation", 0, 10)


@pytest.mark.parametrize("query", ["n=1&split=dev", f"n=1&split=test&start={2**50 + 1}", "n=1&split="])
def test_a_wrong_split_is_refused(service: RunningService, query: str) -> None:
    assert problem(service.client.post(f"/generate?{query}"))["status"] == 422
