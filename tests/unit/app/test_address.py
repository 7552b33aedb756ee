from app.address import address_id
from tests.unit.conftest import MakeSpec


def test_an_address_has_one_id_for_each_owner(make_spec: MakeSpec) -> None:
    spec = make_spec(n=1)
    ids = [
        address_id(spec.model_copy(update={"owner": owner}), attempt) for owner in ("", "a", "b") for attempt in (0, 1)
    ]
    assert len(set(ids)) == 6
    assert address_id(spec, 0) == ids[0]


def test_without_an_owner_the_id_is_what_it_was_before_there_were_any(make_spec: MakeSpec) -> None:
    assert address_id(make_spec(n=1), 0) == "Tn6OnHikv_9GLV8Nt18opg"
