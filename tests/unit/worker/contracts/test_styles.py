from tests.unit.conftest import MakeSpec
from worker.contracts.styles import StyleSpec


def test_a_lesson_is_its_owners_own(make_spec: MakeSpec) -> None:
    style, model = StyleSpec(id="0" * 64, mode="distilled", steps=3), make_spec().model
    assert len({style.lesson(model, owner) for owner in ("", "a", "b")}) == 3
    assert style.lesson(model, "a") == style.lesson(model, "a")
    assert style.lesson(model, "a") != style.model_copy(update={"weights": "1" * 64}).lesson(model, "a")
