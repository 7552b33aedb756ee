import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models import checkpoint
from training import plan as plans
from training import record
from training.dataset.store import Dataset
from training.errors import RecipeError, StateError
from training.loop import Run, Watcher
from training.plan import STATE, Changes, Plan

CPU = torch.device("cpu")
SMALL = ("batch=8", "latent_dim=8", "generator_channels=4", "discriminator_channels=4", "augment=0.5")


def plan_of(dataset: Dataset, **changes: float) -> Plan:
    return plans.fresh(dataset, "dcgan", Changes(**changes, values=SMALL), 3, CPU, "pets-32")  # type: ignore[arg-type]


def stop_after(run: Run, step: int) -> Watcher:
    return Watcher(stop=lambda: run.step == step)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / STATE)


@pytest.mark.parametrize("stop", [1, 4, 6], ids=["in the first epoch", "in the second", "between two"])
def test_a_resumed_run_is_the_run_that_was_never_stopped(dataset: Dataset, tmp_path: Path, stop: int) -> None:
    straight, stopped = (record.new_folder(tmp_path, "dcgan", "pets") for _ in range(2))
    assert Run(plan_of(dataset, epochs=3), straight).train(Watcher())
    first = Run(plan_of(dataset, epochs=3), stopped)
    assert not first.train(stop_after(first, stop))
    second = Run(plans.resumed(dataset, stopped, CPU), stopped)
    assert second.step == stop
    assert second.train(Watcher())
    expected, found = weights(straight), weights(stopped)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    lines = [[json.loads(line) for line in (f / "log.jsonl").read_text().splitlines()] for f in (straight, stopped)]
    losses = [[(line["loss_g"], line["loss_d"]) for line in of] for of in lines]
    assert losses[0] == losses[1]


class PowerCutError(Exception):
    pass


def test_a_crash_in_a_long_epoch_costs_no_more_than_the_time_between_two_saves(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(step: int) -> None:
        if step == 2:
            raise PowerCutError

    monkeypatch.setattr("training.loop._SAVE_EVERY_SECONDS", 0)
    folder = record.new_folder(tmp_path, "dcgan", "pets")
    with pytest.raises(PowerCutError):
        Run(plan_of(dataset, epochs=3), folder).train(Watcher(step=cut))
    assert Run(plans.resumed(dataset, folder, CPU), folder).step == 1


def test_a_run_leaves_all_that_a_person_and_a_worker_need(dataset: Dataset, tmp_path: Path) -> None:
    folder = record.new_folder(tmp_path, "dcgan", "pets")
    heard: list[record.EpochLine] = []
    run = Run(plan_of(dataset, epochs=2), folder)
    run.train(Watcher(epoch=heard.append))
    assert [line.epoch for line in heard] == [1, 2]
    assert "loss_g" in str(heard[0])
    assert [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()] == [
        line.model_dump() for line in heard
    ]
    assert 0 < heard[0].real_score < 1
    assert 0 < heard[0].fake_score < 1
    assert sorted(p.name for p in (folder / "samples").iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    header, generator = checkpoint.load_generator(folder / "pets-32.safetensors")
    assert header.classes == ("cat", "dog")
    assert header.training.images_seen == 48
    assert header.data.licence == "CC0"
    assert torch.isfinite(generator(torch.randn(2, 8), torch.tensor([0, 1]))).all()
    assert "48" in (folder / "pets-32.md").read_text(encoding="utf-8")


def test_the_budget_in_images_is_kept_to_a_batch(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(plan_of(dataset, images=33), record.new_folder(tmp_path, "dcgan", "pets"))
    run.train(Watcher())
    assert run.step * run.batch == 40


def test_the_discriminator_learns_to_tell_and_the_generator_moves(dataset: Dataset, tmp_path: Path) -> None:
    run = Run(plan_of(dataset, epochs=20), record.new_folder(tmp_path, "dcgan", "pets"))
    heard: list[record.EpochLine] = []
    run.train(Watcher(epoch=heard.append))
    assert heard[-1].loss_d < heard[0].loss_d
    assert heard[-1].real_score > heard[-1].fake_score


def test_two_budgets_are_refused(dataset: Dataset) -> None:
    with pytest.raises(RecipeError, match="in epochs or in images, not in both"):
        plan_of(dataset, epochs=1, images=100)


def test_a_name_that_no_url_could_carry_is_refused_before_training(dataset: Dataset) -> None:
    with pytest.raises(RecipeError, match="a model's name matches"):
        plans.fresh(dataset, "dcgan", Changes(), 0, CPU, "My Faces!")


def test_resume_on_other_data_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    folder = record.new_folder(tmp_path, "dcgan", "pets")
    Run(plan_of(dataset, images=8), folder).train(Watcher())
    other = dataclasses.replace(dataset, description=dataset.description.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(StateError, match="was trained on other data"):
        plans.resumed(other, folder, CPU)


def test_resume_without_a_state_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"not the state of a training run: .*No such file"):
        plans.resumed(dataset, tmp_path, CPU)


def test_run_folders_are_numbered_and_named(tmp_path: Path) -> None:
    names = [record.new_folder(tmp_path, "dcgan", "pets").name for _ in range(2)]
    assert names == ["00000-dcgan-pets", "00001-dcgan-pets"]
