from pathlib import Path

import pytest
import torch

from training import estimate, parallel, record
from training import run_plan as plans
from training.listener import RunListener
from training.loop import Run
from training.run_plan import Changes, RunPlan

CPU = torch.device("cpu")


@pytest.fixture
def plan(data: Path) -> RunPlan:
    small = ("batch=8", "latent_dim=8", "generator_channels=4", "discriminator_channels=4")
    return plans.plan_new_run(data, "dcgan", Changes(images=80, values=small), 0, CPU, "pets-32")


def test_an_estimate_writes_nothing(plan: RunPlan) -> None:
    before = sorted(plan.data.iterdir())
    said = estimate.describe_run(plan, None, parallel.ALONE)
    assert "guard = true" in said
    assert "about 10 steps, 80 images seen" in said
    assert sorted(plan.data.iterdir()) == before


def test_an_estimate_of_a_run_under_way_tells_what_is_left(plan: RunPlan, tmp_path: Path) -> None:
    folder = record.create_folder(tmp_path, "dcgan", "pets")
    run = Run(plan, folder)
    run.train(RunListener(should_stop=lambda: run.step == 6))
    assert "about 4 steps, 32 images seen" in estimate.describe_run(plan, folder, parallel.ALONE)
