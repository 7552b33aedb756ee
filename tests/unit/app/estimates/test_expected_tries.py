from random import Random

import pytest

from app.estimates.expected_tries import expected_tries, rendered_candidates
from tests.unit.conftest import spec_of
from tests.unit.selections import selecting_spec
from worker.contracts.choice import Choice


def test_a_job_without_a_selection_renders_its_images_and_tries_none() -> None:
    assert expected_tries(spec_of(10)) is None
    assert rendered_candidates(spec_of(10)) == 10


@pytest.mark.parametrize("keep", [100, 500, 900])
def test_jobs_try_as_many_images_as_the_interval_says(keep: int) -> None:
    spec, random = selecting_spec(200, keep), Random(1)
    found = expected_tries(spec)
    assert found is not None
    hits = 0
    for _ in range(40):
        choice, index = Choice(spec), 0
        while not choice.is_complete:
            choice.take(index, None, is_accepted=random.random() < keep / 1000)
            index += 1
        hits += found.low <= sum(choice.tried) <= found.high
    assert hits >= 36


def test_classes_cost_a_surplus_because_the_slowest_one_decides() -> None:
    selection = selecting_spec(300).selection
    spec = spec_of(300, ("a", "b", "c")).model_copy(update={"selection": selection})
    random, ends = Random(2), []
    for _ in range(60):
        choice, index = Choice(spec), 0
        while not choice.is_complete:
            choice.take(index, None, is_accepted=random.random() < 0.5)
            index += 1
        ends.append(index)
    assert rendered_candidates(spec) == pytest.approx(sum(ends) / len(ends), rel=0.03)
    assert rendered_candidates(spec) > 600
