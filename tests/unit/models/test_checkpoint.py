import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import checkpoint, registry
from models.errors import CheckpointError

ARCHITECTURE = registry.Architecture(name="dcgan", resolution=32, latent_dim=8, channels=2, classes=2)


def header(**changes: Any) -> checkpoint.Header:
    whole = checkpoint.Header(
        name="tiny",
        architecture=ARCHITECTURE,
        classes=("cat", "dog"),
        data=checkpoint.DataCredit(name="pets", licence="CC0", images=10),
        training=checkpoint.Training(images_seen=100, minutes=0.5, device="cpu"),
        metrics={"loss": 1.5},
        recipe={"name": "dcgan", "betas": [0.5, 0.999]},
        versions=checkpoint.installed_versions(),
    )
    return whole.model_copy(update=changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    checkpoint.save(path, header(), registry.build_generator(ARCHITECTURE))
    return path


def rewrite(path: Path, change: Any) -> None:
    """Change a checkpoint behind the format's back; `change` gets the header as a dict, and the tensors."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    whole = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["imagemill"])
    tensors = load_file(path)
    change(whole, tensors)
    save_file(tensors, path, metadata={"imagemill": json.dumps(whole)})


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    generator = registry.build_generator(ARCHITECTURE).eval()
    checkpoint.save(tmp_path / "a.safetensors", header(), generator)
    found, loaded = checkpoint.load_generator(tmp_path / "a.safetensors")
    z, labels = torch.randn(2, 8), torch.tensor([0, 1])
    assert found == header() == checkpoint.read_header(tmp_path / "a.safetensors")
    assert torch.equal(generator(z, labels), loaded(z, labels))
    assert not loaded.training
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_version_is_refused(path: Path, version: object) -> None:
    rewrite(path, lambda whole, _: whole.update(format_version=version))
    with pytest.raises(CheckpointError, match=f"format version {version!r}, this Imagemill reads version 1"):
        checkpoint.read_header(path)


@pytest.mark.parametrize("key", ["architecture", "data", "classes", "metrics", "versions"])
def test_a_missing_header_field_is_named(path: Path, key: str) -> None:
    rewrite(path, lambda whole, _: whole.pop(key))
    with pytest.raises(CheckpointError, match=f"{key}: Field required"):
        checkpoint.read_header(path)


def test_an_unknown_header_field_is_refused(path: Path) -> None:
    rewrite(path, lambda whole, _: whole.update(extra=1))
    with pytest.raises(CheckpointError, match="extra"):
        checkpoint.read_header(path)


def test_a_missing_tensor_is_named(path: Path) -> None:
    rewrite(path, lambda _, tensors: tensors.pop("image.bias"))
    with pytest.raises(CheckpointError, match=r"missing image\.bias"):
        checkpoint.load_generator(path)


def test_a_wrong_shape_is_named_with_the_right_one(path: Path) -> None:
    rewrite(path, lambda _, tensors: tensors.update({"image.bias": torch.zeros(4)}))
    with pytest.raises(CheckpointError, match=r"image.bias has shape \(4,\), not \(3,\)"):
        checkpoint.load_generator(path)


def test_a_surplus_tensor_is_refused(path: Path) -> None:
    rewrite(path, lambda _, tensors: tensors.update(surplus=torch.zeros(1)))
    with pytest.raises(CheckpointError, match="unknown surplus"):
        checkpoint.load_generator(path)


def test_weights_that_are_not_finite_are_refused(path: Path) -> None:
    rewrite(path, lambda _, tensors: tensors["image.bias"].fill_(torch.nan))
    with pytest.raises(CheckpointError, match=r"image\.bias holds values that are not finite"):
        checkpoint.load_generator(path)


def test_weights_of_another_kind_of_number_are_refused(path: Path) -> None:
    rewrite(path, lambda _, tensors: tensors.update({"image.bias": torch.zeros(3, dtype=torch.int32)}))
    with pytest.raises(CheckpointError, match=r"image\.bias holds torch\.int32, not torch\.float32"):
        checkpoint.load_generator(path)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65])
def test_a_class_name_that_no_folder_can_have_is_refused(path: Path, name: str) -> None:
    rewrite(path, lambda whole, _: whole.update(classes=["cat", name]))
    with pytest.raises(CheckpointError, match=r"classes\.1"):
        checkpoint.read_header(path)


def test_class_names_must_match_the_architecture(path: Path) -> None:
    rewrite(path, lambda whole, _: whole.update(classes=["cat", "cat"]))
    with pytest.raises(CheckpointError, match="2 distinct class names"):
        checkpoint.read_header(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="without the header"):
        checkpoint.read_header(tmp_path / "a.safetensors")


def test_a_truncated_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load_generator(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No such file"):
        checkpoint.read_header(tmp_path / "none.safetensors")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("exploded"),)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load_generator(Path("evil.safetensors"))
    torch.save({"weights": Bomb()}, "evil.pt")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load_generator(Path("evil.pt"))
    assert not Path("exploded").exists()


def test_a_header_that_declares_a_huge_generator_is_refused_without_its_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_without_memory(architecture: registry.Architecture) -> torch.nn.Module:
        assert torch.get_default_device().type == "meta"  # this generator would take 20 GB
        return registry.build_generator(architecture)

    rewrite(path, lambda whole, _: whole["architecture"].update(resolution=512, channels=512, latent_dim=1024))
    monkeypatch.setattr(checkpoint, "build_generator", build_without_memory)
    with pytest.raises(CheckpointError, match="has shape"):
        checkpoint.load_generator(path)


def test_a_header_that_does_not_fit_the_weights_is_not_saved(tmp_path: Path) -> None:
    other = ARCHITECTURE.model_copy(update={"channels": 4})
    with pytest.raises(CheckpointError, match="has shape"):
        checkpoint.save(tmp_path / "a.safetensors", header(), registry.build_generator(other))
    assert not list(tmp_path.iterdir())


def test_a_save_draws_no_random_numbers_of_the_caller(tmp_path: Path) -> None:
    generator = registry.build_generator(ARCHITECTURE)
    torch.manual_seed(3)
    checkpoint.save(tmp_path / "a.safetensors", header(), generator)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))


def test_the_data_of_older_checkpoints_say_no_more_than_they_did() -> None:
    old = {"name": "pets", "licence": "CC0", "images": 10}
    read = checkpoint.DataCredit.model_validate(old)
    assert (read.sha256, read.held_out, read.class_counts) == ("", 0, ())
    assert read.model_dump(mode="json") == old
    new = old | {"sha256": "ab" * 32, "held_out": 3, "class_counts": [4, 6]}
    assert checkpoint.DataCredit.model_validate(new).model_dump(mode="json") == new
