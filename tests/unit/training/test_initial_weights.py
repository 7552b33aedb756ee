from pathlib import Path

import pytest
import torch

from models import checkpoint
from models.registry import find
from tests.tiny import picture, save_checkpoint
from training import initial_weights, record
from training import run_plan as plans
from training.dataset import dataset_builder
from training.dataset.image_source import items
from training.errors import StateError
from training.listener import RunListener
from training.loop import Run
from training.run_plan import STATE, Changes

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]
CPU = torch.device("cpu")
SMALL = ("batch=8", "latent_dim=8", "generator_channels=4", "discriminator_channels=4", "guard=false")


def dataset(folder: Path, classes: tuple[str, ...] = (), size: int = 32) -> Path:
    """A dataset of eight images a class, or of eight without one."""
    top, out = folder / "-".join(("in", *classes)), folder / "-".join(("data", str(size), *classes))
    for number in range(8 * max(1, len(classes))):
        path = top / (classes[number % len(classes)] if classes else "") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    dataset_builder.build(items(top), out, size, dataset_builder.Credit("pets", "CC0"))
    return out


def run_on(data: Path, begin: Path | None = None, *values: str) -> Run:
    changes = Changes(images=16, values=(*SMALL, *values))
    return Run(plans.plan_new_run(data, "cgan", changes, 1, CPU, "pets", begin), None)


def taught(tmp_path: Path, data: Path, *values: str) -> Run:
    run = run_on(data, None, *values)
    run.use_folder(record.create_folder(tmp_path, "cgan", "pets"))
    run.train(RunListener())
    return run


def weights(run: Run, network: str) -> dict[str, torch.Tensor]:
    networks = run.trainer.networks
    found = {"generator": networks.generator, "discriminator": networks.discriminator}[network]
    return {key: value.clone() for key, value in found.state_dict().items()}


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], *but: str) -> None:
    assert a.keys() - set(but) == b.keys() - set(but)
    assert all(torch.equal(value, b[key]) for key, value in a.items() if key not in but)


def test_classes_of_equal_names_keep_what_was_learnt_and_others_start_fresh(tmp_path: Path) -> None:
    first = taught(tmp_path, dataset(tmp_path, ("cat", "dog")))
    data = dataset(tmp_path, ("ant", "cat", "dog", "eel"))
    fresh, second = run_on(data), run_on(data, first.folder / STATE)
    for network in ("generator", "discriminator"):
        before, after, untaught = weights(first, network), weights(second, network), weights(fresh, network)
        assert_same(before, after, "embedding.weight")
        assert torch.equal(after["embedding.weight"][1:3], before["embedding.weight"])
        assert torch.equal(after["embedding.weight"][[0, 3]], untaught["embedding.weight"][[0, 3]])
    assert second.trainer.notice.endswith("; classes that start fresh: ant, eel")


@pytest.mark.parametrize("classes", [(), ("cat", "dog")], ids=["classes to none", "none to classes"])
@pytest.mark.parametrize("architecture", ["dcgan", "residual"])
def test_a_run_may_begin_with_one_with_or_without_classes(
    tmp_path: Path, classes: tuple[str, ...], architecture: str
) -> None:
    values = ("labels=use", f"architecture={architecture}")
    first = taught(tmp_path, dataset(tmp_path, () if classes else ("cat", "dog")), *values)
    second = run_on(dataset(tmp_path, classes), first.folder / STATE, *values)
    before, after = weights(first, "generator"), weights(second, "generator")
    shared = [key for key, value in before.items() if key in after and after[key].shape == value.shape]
    assert len(shared) > 5
    assert all(torch.equal(before[key], after[key]) for key in shared)
    second.use_folder(record.create_folder(tmp_path, "cgan", "pets"))
    assert second.train(RunListener()).outcome == "finished"


def test_a_checkpoint_gives_its_generator_and_the_discriminator_starts_fresh(tmp_path: Path) -> None:
    data = dataset(tmp_path, ("cat", "dog"))
    first = taught(tmp_path, data)
    second = run_on(data, first.checkpoint)
    _, generator = checkpoint.load_generator(first.checkpoint)
    assert_same(dict(generator.state_dict()), weights(second, "generator"))
    assert_same(weights(run_on(data), "discriminator"), weights(second, "discriminator"))
    told = "begins with the generator of pets, a checkpoint of 16 images seen; the discriminator starts fresh"
    assert second.trainer.notice == told


def test_a_dcgan_may_begin_with_one_of_another_size(tmp_path: Path) -> None:
    first = taught(tmp_path, dataset(tmp_path), "labels=use")
    second = run_on(dataset(tmp_path, size=64), first.folder / STATE, "labels=use")
    assert_same(weights(first, "generator"), weights(second, "generator"), "start.0.weight")
    second.use_folder(record.create_folder(tmp_path, "cgan", "pets"))
    assert second.train(RunListener()).outcome == "finished"


def test_a_residual_of_another_size_is_refused_in_a_sentence(tmp_path: Path) -> None:
    values = ("labels=use", "architecture=residual")
    first = taught(tmp_path, dataset(tmp_path), *values)
    with pytest.raises(
        StateError, match=r"its networks are for another image size, and cannot be resized to this one$"
    ):
        run_on(dataset(tmp_path, size=64), first.folder / STATE, *values)


def test_another_shape_is_refused_with_the_shape_that_fits(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "tiny")
    with pytest.raises(StateError, match=r"begin with: --set generator_channels=8 --set latent_dim=16$"):
        run_on(dataset(tmp_path), tmp_path / "tiny.safetensors", "labels=use")


def test_shipped_models_are_found_by_name() -> None:
    assert initial_weights.find(Path("faces-64")) == find("faces-64")
    assert initial_weights.load(find("faces-64")).shape["generator_channels"] == 48


def test_what_is_no_beginning_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("text", encoding="utf-8")
    with pytest.raises(StateError, match=r"a folder without the state of a run; --from takes .*faces-64"):
        initial_weights.find(tmp_path / "folder")
    with pytest.raises(StateError, match=r"no such file or folder; --from takes"):
        initial_weights.find(tmp_path / "nowhere")
    with pytest.raises(StateError, match="neither a checkpoint nor the state of a run"):
        initial_weights.load(tmp_path / "text")
