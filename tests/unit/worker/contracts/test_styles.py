from tests.unit.conftest import MakeSpec
from worker.contracts.styles import StyleSpec


def test_owners_share_no_distilled_model(make_spec: MakeSpec) -> None:
    style, model = StyleSpec(id="0" * 64, mode="distilled", steps=3), make_spec().model
    assert len({style.distilled_model_key(model, owner) for owner in ("", "a", "b")}) == 3
    assert style.distilled_model_key(model, "a") == style.distilled_model_key(model, "a")
    assert style.distilled_model_key(model, "a") != style.model_copy(update={"weights": "1" * 64}).distilled_model_key(
        model, "a"
    )
