from app.jobs.job_ids import address_parts, deterministic_id
from tests.unit.conftest import MakeSpec
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec


def test_a_name_is_an_id_of_its_own_for_each_owner_style_and_attempt(make_spec: MakeSpec) -> None:
    style = StyleSpec(id="0" * 64, steps=1)
    specs = [
        make_spec(n=1).model_copy(update={"owner": owner, "style": chosen})
        for owner in ("", "a", "b")
        for chosen in (None, style, style.model_copy(update={"steps": 2}))
    ]
    ids = [deterministic_id("image", *address_parts(spec), attempt) for spec in specs for attempt in (0, 1)]
    assert len(set(ids)) == len(ids)
    assert deterministic_id("image", *address_parts(specs[0]), 0) == ids[0]
    for job_id in ids:
        JobSpec.model_validate({**specs[0].model_dump(), "id": job_id})


def test_the_name_of_an_address_stays_what_it_is(make_spec: MakeSpec) -> None:
    assert deterministic_id("image", *address_parts(make_spec(n=1)), 0) == "ukULpky8v8P37wXn1ZILaw"
