import pytest
from pydantic import ValidationError

from tests.unit.conftest import MakeSpec
from worker.contracts.jobs import JobSpec


@pytest.mark.parametrize(("n", "lengths"), [(1, [1]), (4, [4]), (5, [4, 1]), (12, [4, 4, 4])])
def test_shards_cover_every_image_once(make_spec: MakeSpec, n: int, lengths: list[int]) -> None:
    spec = make_spec(n=n)
    shards = [spec.shard_indices(shard) for shard in range(spec.shard_count)]
    assert [len(shard) for shard in shards] == lengths
    assert [index for shard in shards for index in shard] == list(range(n))


def test_classes_take_turns_by_index(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b", "c"))
    assert spec.labels(range(2, 7)) == [2, 0, 1, 2, 0]
    assert [spec.class_name(index) for index in (0, 4)] == ["a", "b"]


def test_a_chosen_class_labels_every_image(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b"), class_label="b")
    assert spec.labels(range(3)) == [1, 1, 1]


def test_an_unconditional_model_has_no_labels(make_spec: MakeSpec) -> None:
    assert make_spec().labels(range(3)) == []
    assert make_spec().class_name(0) is None


def test_a_record_survives_the_store_and_unknown_fields_are_refused(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b"))
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="extra"):
        JobSpec.model_validate({**spec.model_dump(), "surprise": 1})
