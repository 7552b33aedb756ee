import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models import checkpoint
from training import recipe, record, state
from training import run_plan as plans
from training.errors import StateError
from training.listener import Ending, RunListener
from training.loop import Run
from training.metrics.figures import QuickFigures
from training.run_plan import STATE, Changes, RunPlan
from training.saved_states import HEALTHY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]
CPU = torch.device("cpu")
SMALL = ("batch=8", "latent_dim=8", "generator_channels=4", "discriminator_channels=4")
EXTRAS = ("augment=0.5", "augment_ramp=0.5", "instance_noise=0.1", "final_lr=0.1", "sphere=true", "balance=1.0")


def plan_of(data: Path, name: str = "cgan", *values: str, seed: int = 3, **budget: float) -> RunPlan:
    changes = Changes(**budget, values=(*SMALL, *values))  # type: ignore[arg-type]
    return plans.plan_new_run(data, name, changes, seed, CPU, "pets-32")


def new(tmp_path: Path) -> Path:
    return record.create_folder(tmp_path, "cgan", "pets")


def stop_after(run: Run, step: int) -> RunListener:
    return RunListener(should_stop=lambda: run.step == step)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / STATE)


def losses(folder: Path) -> list[tuple[float, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(line["loss_g"], line["loss_d"]) for line in lines]


def assert_resumed_equals_straight(tmp_path: Path, plan: RunPlan, stop: int) -> None:
    straight, stopped = new(tmp_path), new(tmp_path)
    assert Run(plan, straight).train(RunListener()).outcome == "finished"
    first = Run(plan, stopped)
    assert first.train(stop_after(first, stop)).outcome == "stopped"
    second = Run(plans.plan_resumed_run(plan.data, stopped, CPU), stopped)
    assert second.step == stop
    assert second.train(RunListener()) == Ending("finished")
    expected, found = weights(straight), weights(stopped)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert losses(straight) == losses(stopped)


@pytest.mark.parametrize("stop", [1, 4, 6], ids=["in the first epoch", "in the second", "between two"])
def test_a_resumed_run_is_the_run_that_was_never_stopped(data: Path, tmp_path: Path, stop: int) -> None:
    assert_resumed_equals_straight(tmp_path, plan_of(data, "cgan", *EXTRAS, "guard=false", epochs=3), stop)


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_resumes_exactly(data: Path, tmp_path: Path, name: str) -> None:
    plan = plan_of(data, name, "guard=false", epochs=3 * recipe.load(name).discriminator_steps)
    assert_resumed_equals_straight(tmp_path, plan, 5)


def test_smoothed_and_flipped_labels_resume_exactly(data: Path, tmp_path: Path) -> None:
    assert_resumed_equals_straight(
        tmp_path, plan_of(data, "dcgan", "label_smoothing=0.1", "label_flips=0.2", "guard=false", epochs=2), 2
    )


class PowerCutError(Exception):
    pass


def test_a_crash_in_a_long_epoch_costs_no_more_than_the_time_between_two_saves(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(step: int) -> None:
        if step == 2:
            raise PowerCutError

    monkeypatch.setattr("training.clock.SAVE_EVERY_SECONDS", 0)
    monkeypatch.setattr("training.clock._SHARE", 1e9)
    folder = new(tmp_path)
    with pytest.raises(PowerCutError):
        Run(plan_of(data, epochs=3), folder).train(RunListener(on_step=cut))
    assert Run(plans.plan_resumed_run(data, folder, CPU), folder).step == 1


def test_a_run_leaves_all_that_a_person_and_a_worker_need(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # with its plots and contact sheets
    folder, heard = new(tmp_path), list[record.EpochLine]()
    run = Run(plan_of(data, epochs=2), folder)
    assert run.train(RunListener(on_epoch=heard.append)) == Ending("finished")
    assert [line.epoch for line in heard] == [1, 2]
    assert "loss_g" in str(heard[0])
    assert 0 < heard[0].real_score < 1
    assert 0 < heard[0].fake_score < 1
    header, generator = checkpoint.load_generator(folder / "pets-32.safetensors")
    assert run.checkpoint == folder / "pets-32.safetensors"
    assert header.classes == ("cat", "dog")
    assert header.training.images_seen == 48
    assert header.data.licence == "CC0"
    assert header.metrics["fd_efflite0"] > 0
    assert torch.isfinite(generator(torch.randn(2, 8), torch.tensor([0, 1]))).all()
    assert "48" in (folder / "pets-32.md").read_text(encoding="utf-8")


def test_a_recipe_that_ignores_labels_makes_a_model_without_classes(data: Path, tmp_path: Path) -> None:
    run = Run(plan_of(data, "dcgan", images=8), new(tmp_path))
    run.train(RunListener())
    assert checkpoint.read_header(run.checkpoint).classes == ()


def test_the_budget_in_images_is_kept_to_a_batch(data: Path, tmp_path: Path) -> None:
    run = Run(plan_of(data, images=33), new(tmp_path))
    run.train(RunListener())
    assert run.step * run.images_per_step == 40


def test_images_seen_count_every_discriminator_step(data: Path, tmp_path: Path) -> None:
    run, heard = Run(plan_of(data, "wgan", images=80), new(tmp_path)), list[record.EpochLine]()
    run.train(RunListener(on_epoch=heard.append))
    assert (run.images_per_step, run.step) == (40, 2)
    assert [line.images_seen for line in heard] == [40, 80]


def test_a_budget_in_minutes_ends_by_the_clock(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, seconds = Run(plan_of(data, minutes=1), new(tmp_path)), iter(range(0, 1000, 10))
    monkeypatch.setattr("training.clock.Clock.seconds", lambda _clock: float(next(seconds)))
    assert run.train(RunListener()).outcome == "finished"
    assert run.step == 7  # after 0, 10 ... 60 seconds


def test_the_discriminator_learns_to_tell_and_the_generator_moves(data: Path, tmp_path: Path) -> None:
    run, heard = Run(plan_of(data, epochs=20), new(tmp_path)), list[record.EpochLine]()
    run.train(RunListener(on_epoch=heard.append))
    assert heard[-1].loss_d < heard[0].loss_d
    assert heard[-1].real_score > heard[-1].fake_score


def probes(*figures: tuple[float, float, float]) -> object:
    """An evaluator that returns these (fd, coverage, diversity), one after the other."""
    found = iter(figures)

    class FixedEvaluator:
        def measure(self, *_: object) -> QuickFigures:
            fd, coverage, diversity = next(found)
            return QuickFigures(fd=fd, precision=0.5, coverage=coverage, diversity=diversity)

        def measure_floor(self) -> dict[str, float]:
            return {"fd_efflite0": 12.0}

        def name_figures(self, probe: QuickFigures) -> dict[str, float]:
            return {"fd_efflite0": probe.fd}

    return FixedEvaluator()


@pytest.fixture
def check_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.check_interval.every_steps", lambda *_: 1)


def seeing(plan: RunPlan, folder: Path, *figures: tuple[float, float, float]) -> Run:
    run = Run(plan, folder)
    run._evaluator = probes(*figures)  # type: ignore[assignment]
    return run


@pytest.mark.usefixtures("check_always")
def test_the_best_snapshot_is_what_ships(data: Path, tmp_path: Path) -> None:
    run = seeing(plan_of(data, images=32), new(tmp_path), (300, 0.1, 1), (200, 0.2, 1), (250, 0.2, 1), (260, 0.2, 1))
    run.train(RunListener())
    header = checkpoint.read_header(run.checkpoint)
    assert (header.training.images_seen, header.metrics["fd_efflite0"]) == (16, 200)


@pytest.mark.usefixtures("check_always")
def test_without_a_better_metric_a_run_with_patience_stops_early(data: Path, tmp_path: Path) -> None:
    run = seeing(
        plan_of(data, "cgan", "patience=0.25", images=80), new(tmp_path), *[(300 + k, 0.1, 1) for k in range(9)]
    )
    ending = run.train(RunListener())
    assert (ending.outcome, run.step) == ("stopped early", 4)
    assert ending.reason == "no better Frechet distance for 30% of the budget"


def test_patience_is_not_over_before_something_was_measured_again(data: Path, tmp_path: Path) -> None:
    run = seeing(plan_of(data, "cgan", "patience=0.1", images=80), new(tmp_path), (300, 0.1, 1))
    run.trainer.position = run.trainer.position.model_copy(update={"best": state.Best(fd=310, step=0, progress=0)})
    assert run.train(RunListener()) == Ending("finished")  # epochs end at 30%, 60% and 90%; the one check is the last


@pytest.mark.usefixtures("check_always")
def test_the_state_of_a_check_at_an_epoch_s_end_begins_the_next_epoch(data: Path, tmp_path: Path) -> None:
    folder, counts = new(tmp_path), list[int]()
    run = seeing(plan_of(data, images=56), folder, *[(300, 0.5, 1)] * 9)
    run.train(RunListener(on_step=lambda _: counts.append(state.read_position(folder / HEALTHY).steps_in_epoch)))
    assert counts == [0, 1, 2, 0, 1, 2, 0]


def test_a_resumed_run_counts_only_its_own_images_in_its_rate(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.clock.Clock.end_lap", lambda _clock: 1.0)
    folder, heard = new(tmp_path), list[record.EpochLine]()
    first = Run(plan_of(data, images=24), folder)
    first.train(stop_after(first, 2))
    Run(plans.plan_resumed_run(data, folder, CPU), folder).train(RunListener(on_epoch=heard.append))
    assert [line.images_per_s for line in heard] == [8]


def test_without_a_guard_far_apart_logits_are_left_alone(data: Path, tmp_path: Path) -> None:
    run = Run(plan_of(data, "cgan", "guard=false", images=80), new(tmp_path))
    run.trainer.sums[4:] = torch.tensor([1e6, -1e6])
    assert run.train(RunListener()) == Ending("finished")


@pytest.mark.usefixtures("check_always")
def test_a_collapse_is_rolled_back_and_training_goes_on_more_carefully(data: Path, tmp_path: Path) -> None:
    folder, events = new(tmp_path), list[str]()
    figures = [(300, 0.5, 1), (290, 0.5, 1), (500, 0.1, 1), (280, 0.5, 1), (270, 0.5, 1)]
    run = seeing(plan_of(data, images=32), folder, *figures)
    assert run.train(RunListener(on_event=events.append)) == Ending("finished")
    assert events == ["step 3: coverage fell to 0.10 from 0.50; rolled back, learning rates halved"]
    position = state.read_position(folder / STATE)
    assert (position.step, position.memory.interventions, position.memory.lr_factor) == (4, 1, 0.5)
    assert run.trainer.networks.generator_optimiser.param_groups[0]["lr"] == pytest.approx(1e-4)


@pytest.mark.usefixtures("check_always")
def test_after_three_rollbacks_a_run_gives_up_and_keeps_its_best(data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    run = seeing(plan_of(data, images=80), folder, (300, 0.5, 1), *[(900, 0.5, 0.1)] * 4)
    ending = run.train(RunListener())
    assert ending.outcome == "gave up"
    assert "0.10 times as diverse as the data" in ending.reason
    assert "after 3 rollbacks" in ending.reason
    assert checkpoint.read_header(folder / "pets-32.safetensors").metrics["fd_efflite0"] == 300


@pytest.mark.parametrize("guarded", [True, False])
def test_a_loss_that_is_no_number_ends_a_run_without_spoiling_its_checkpoint(
    data: Path, tmp_path: Path, guarded: bool
) -> None:
    folder, events = new(tmp_path), list[str]()
    plan = plan_of(data, "cgan", f"guard={str(guarded).lower()}", "generator_lr=1e30", images=800)
    ending = Run(plan, folder).train(RunListener(on_event=events.append))
    assert ending.outcome == "gave up"
    assert len(events) == (3 if guarded else 0)
    assert all(tensor.double().isfinite().all() for tensor in load_file(folder / HEALTHY).values())


def test_a_guarded_rollback_survives_a_stop(data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    plan = plan_of(data, images=80)
    first = Run(plan, folder)
    first.trainer.position = first.trainer.position.model_copy(
        update={"memory": first.trainer.position.memory.with_intervention("x")}
    )
    first.train(stop_after(first, 1))
    assert Run(plans.plan_resumed_run(data, folder, CPU), folder).trainer.position.memory.interventions == 1


@pytest.mark.usefixtures("check_always")
def test_what_the_guard_did_is_logged_even_when_a_stop_came_first(data: Path, tmp_path: Path) -> None:
    folder, heard = new(tmp_path), list[record.EpochLine]()
    first = seeing(plan_of(data, images=24), folder, (300, 0.5, 1), (500, 0.1, 1))
    first.train(RunListener(should_stop=lambda: bool(first.trainer.position.memory.interventions)))
    second = seeing(plans.plan_resumed_run(data, folder, CPU), folder, *[(280, 0.5, 1)] * 2)
    second.train(RunListener(on_epoch=heard.append))
    assert [line.events for line in heard] == [
        ("step 2: coverage fell to 0.10 from 0.50; rolled back, learning rates halved",)
    ]


@pytest.mark.usefixtures("check_always")
def test_what_went_wrong_in_the_last_step_of_a_run_by_the_clock_is_logged(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, heard = iter([20.0, 70.0]), list[record.EpochLine]()
    monkeypatch.setattr("training.clock.Clock.seconds", lambda _clock: next(seconds))
    run = seeing(plan_of(data, minutes=1), new(tmp_path), (300, 0.5, 1), (500, 0.1, 1))
    assert run.train(RunListener(on_epoch=heard.append)) == Ending("finished")
    assert [line.events for line in heard] == [
        ("step 2: coverage fell to 0.10 from 0.50; rolled back, learning rates halved",)
    ]


def test_a_run_that_cannot_be_measured_says_why(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluator.LEAST_REALS", 1000)
    heard = list[str]()
    Run(plan_of(data, images=8), new(tmp_path)).train(RunListener(on_event=heard.append))
    (sentence,) = heard
    assert "too few; at least 1000 are needed" in sentence


def test_a_run_can_begin_with_what_another_learnt(data: Path, other_data: Path, tmp_path: Path) -> None:
    taught, folder = new(tmp_path), new(tmp_path)
    first = Run(plan_of(data, images=24), taught)
    first.train(RunListener())
    plan = plans.plan_new_run(other_data, "cgan", Changes(images=8, values=SMALL), 4, CPU, "pups-32", taught / STATE)
    second = Run(plan, folder)
    learnt = first.trainer.networks.generator.state_dict()
    assert all(torch.equal(learnt[key], value) for key, value in second.trainer.networks.generator.state_dict().items())
    assert second.step == 0
    second.train(RunListener())
    assert checkpoint.read_header(second.checkpoint).recipe["begun_from"] == "pets-32 at step 3 of its run"


def test_a_run_can_begin_with_one_of_another_optimiser(data: Path, tmp_path: Path) -> None:
    taught = new(tmp_path)
    Run(plan_of(data, images=8), taught).train(RunListener())
    values = (*SMALL, 'optimiser="rmsprop"')
    run = Run(
        plans.plan_new_run(data, "cgan", Changes(images=8, values=values), 0, CPU, "pets-32", taught / STATE),
        new(tmp_path),
    )
    assert run.train(RunListener()).outcome == "finished"


def test_a_run_that_began_with_another_resumes_exactly(data: Path, tmp_path: Path) -> None:
    taught = new(tmp_path)
    Run(plan_of(data, images=24), taught).train(RunListener())
    plan = plans.plan_new_run(
        data, "cgan", Changes(images=48, values=(*SMALL, "guard=false")), 4, CPU, "pets-32", taught / STATE
    )
    assert_resumed_equals_straight(tmp_path, plan, 4)


def test_a_run_cannot_begin_with_networks_of_another_shape(data: Path, tmp_path: Path) -> None:
    taught = new(tmp_path)
    Run(plan_of(data, images=8), taught).train(RunListener())
    plan = plans.plan_new_run(data, "cgan", Changes(images=8), 0, CPU, "pets-32", taught / STATE)
    with pytest.raises(StateError, match=r"begin with: --set latent_dim=8 --set generator_channels=4$"):
        Run(plan, new(tmp_path))


def test_resume_on_other_data_is_refused(data: Path, other_data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    Run(plan_of(data, images=8), folder).train(RunListener())
    with pytest.raises(StateError, match="was trained on other data"):
        plans.plan_resumed_run(other_data, folder, CPU)


def test_resume_with_a_state_of_another_architecture_is_refused(data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    Run(plan_of(data, images=8), folder).train(RunListener())
    with pytest.raises(StateError, match="does not fit this recipe"):
        Run(plan_of(data, "cgan", "generator_channels=8", images=8), folder)


def test_resume_without_a_state_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"not the state of a training run: .*No such file"):
        plans.plan_resumed_run(data, tmp_path, CPU)


def test_a_finished_run_goes_on_with_a_larger_budget(data: Path, tmp_path: Path) -> None:
    folder, heard = new(tmp_path), list[record.EpochLine]()
    Run(plan_of(data, "cgan", "final_lr=0.1", "guard=false", images=24), folder).train(RunListener())
    run = Run(plans.plan_resumed_run(data, folder, CPU, {"images": 96}), folder)
    assert run.trainer.notice.startswith("step 3: the budget is 96 images instead of 24 images, of which 25% is spent")
    assert run.train(RunListener(on_epoch=heard.append)) == Ending("finished")
    assert [line.images_seen for line in heard] == [48, 72, 96]
    assert heard[0].events == (run.trainer.notice,)
    lrs = [line.generator_lr or 0 for line in heard]
    assert 2e-4 > lrs[0] > lrs[1] > lrs[2] >= 2e-5
    made = checkpoint.read_header(run.checkpoint).recipe
    assert (made["images"], made["earlier_budgets"]) == (96, ["24 images until step 3"])


def test_a_run_with_a_larger_budget_resumes_exactly(data: Path, tmp_path: Path) -> None:
    folders = [new(tmp_path), new(tmp_path)]
    for folder in folders:
        Run(plan_of(data, "cgan", "guard=false", images=24), folder).train(RunListener())
    Run(plans.plan_resumed_run(data, folders[0], CPU, {"epochs": 3}), folders[0]).train(RunListener())
    stopped = Run(plans.plan_resumed_run(data, folders[1], CPU, {"epochs": 3}), folders[1])
    stopped.train(stop_after(stopped, 5))
    Run(plans.plan_resumed_run(data, folders[1], CPU), folders[1]).train(RunListener())
    straight, resumed = map(weights, folders)
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)


def test_patience_waits_by_the_larger_budget(data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    run = Run(plan_of(data, images=24), folder)
    run.trainer.position = run.trainer.position.model_copy(update={"best": state.Best(fd=1, step=1, progress=1 / 3)})
    run.train(stop_after(run, 2))
    best = Run(plans.plan_resumed_run(data, folder, CPU, {"images": 48}), folder).trainer.position.best
    assert best is not None
    assert best.step == 1
    assert best.progress == pytest.approx(1 / 6)


@pytest.mark.usefixtures("check_always")
def test_a_rollback_keeps_the_larger_budget(data: Path, tmp_path: Path) -> None:
    folder = new(tmp_path)
    seeing(plan_of(data, images=16), folder, (300, 0.5, 1), (290, 0.5, 1)).train(RunListener())
    run = Run(plans.plan_resumed_run(data, folder, CPU, {"images": 32}), folder)
    run._evaluator = probes((500, 0.1, 1), (280, 0.5, 1), (270, 0.5, 1))  # type: ignore[assignment]
    assert run.train(RunListener()) == Ending("finished")
    position = state.read_position(folder / STATE)
    assert (position.step, position.recipe.images, position.memory.interventions) == (4, 32, 1)
    assert position.earlier_budgets == ("16 images until step 2",)


def test_the_same_data_seed_and_budget_ship_the_same_file_however_long_it_takes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.check_interval.every_steps", lambda *_: 2)
    plan, folders = plan_of(data, images=48), [new(tmp_path), new(tmp_path)]
    Run(plan, folders[0]).train(RunListener())
    monkeypatch.setattr("training.clock.Clock.seconds", lambda _clock: 7200.0)
    monkeypatch.setattr("training.clock.Clock._now", lambda _clock: 7200.0)
    monkeypatch.setattr("training.clock.Clock.end_lap", lambda _clock: 7200.0)
    stopped = Run(plan, folders[1])
    stopped.train(stop_after(stopped, 5))
    Run(plans.plan_resumed_run(data, folders[1], CPU), folders[1]).train(RunListener())
    first, second = ((folder / "pets-32.safetensors").read_bytes() for folder in folders)
    assert first == second


def test_a_set_of_one_batch_does_not_write_a_line_per_step(data: Path, tmp_path: Path) -> None:
    run, heard = Run(plan_of(data, "cgan", "batch=64", images=60 * 24), new(tmp_path)), list[record.EpochLine]()
    run.train(RunListener(on_epoch=heard.append))
    assert [line.epoch for line in heard] == [50, 60]
