"""The classes of a job must be exactly those of the request, for any request."""

from collections import Counter
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import ApiError
from app.jobs.job_yield import requested_counts
from app.jobs.requested_classes import requested_shares
from app.schemas.requests import GenerateQuery
from tests.unit.conftest import MakeSpec, spec_of
from worker.contracts.class_cycle import MAX_CYCLE
from worker.contracts.jobs import JobSpec

PURE = [HealthCheck.function_scoped_fixture]
"""make_spec is a pure function."""


def spec_for(known: tuple[str, ...], **query: object) -> JobSpec:
    parsed = GenerateQuery.model_validate(query)
    spec = spec_of(n=parsed.n, classes=known)
    return spec.model_copy(update={"shares": requested_shares(spec.model, parsed), "first": parsed.start})


def labels(spec: JobSpec) -> list[str]:
    return [spec.model.classes[label] for label in spec.labels(range(spec.first, spec.first + spec.n))]


@st.composite
def requests(draw: st.DrawFn) -> tuple[tuple[str, ...], dict[str, int]]:
    classes = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12, unique=True))
    named = draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
    return tuple(classes), {name: draw(st.integers(1, 400)) for name in named}


@settings(max_examples=1000, suppress_health_check=PURE)
@given(request=requests(), gives_n=st.booleans())
def test_counts_are_exact(request: tuple[tuple[str, ...], dict[str, int]], gives_n: bool) -> None:
    classes, counts = request
    text = ",".join(f"{quote(name, safe='')}:{count}" for name, count in counts.items())
    spec = spec_for(classes, classes=text, **({"n": sum(counts.values())} if gives_n else {}))
    found = labels(spec)
    assert len(found) == spec.n
    assert Counter(found) == counts == requested_counts(spec)
    longer = spec_for(classes, classes={name: 3 * count for name, count in counts.items()})
    assert labels(longer)[: spec.n] == found
    continued = spec_for(classes, classes=text, start=spec.n)
    assert labels(continued) == labels(longer)[spec.n : 2 * spec.n]


@settings(max_examples=200, suppress_health_check=PURE)
@given(request=requests(), n=st.integers(1, 1000), start=st.integers(0, 100))
def test_classes_without_counts_have_equal_shares(
    request: tuple[tuple[str, ...], dict[str, int]], n: int, start: int
) -> None:
    classes, named = request
    spec = spec_for(classes, classes=list(named), n=n, start=start)
    found = Counter(labels(spec))
    assert set(found) <= set(named)
    assert {name: found[name] for name in named} == requested_counts(spec)
    assert n // len(named) <= min(found[name] for name in named)
    assert max(found.values()) <= -(-n // len(named))


def test_a_request_without_classes_has_no_shares(make_spec: MakeSpec) -> None:
    model = make_spec(classes=("a", "b")).model
    assert requested_shares(model, GenerateQuery(n=3)) == ()
    assert requested_counts(make_spec(classes=("a", "b"))) is None


def test_a_cycle_that_is_too_long_is_refused_with_advice(make_spec: MakeSpec) -> None:
    query = GenerateQuery.model_validate({"classes": {"a": MAX_CYCLE, "b": 1}})
    with pytest.raises(ApiError, match="round them, for example to thousands") as refused:
        requested_shares(make_spec(classes=("a", "b")).model, query)
    assert refused.value.code == "counts_too_fine"
