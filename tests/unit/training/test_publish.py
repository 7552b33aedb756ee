from pathlib import Path

import pytest
import torch

from training import networks
from training import run_plan as plans
from training.publish import Publisher
from training.run_plan import Changes


@pytest.mark.parametrize(("balance", "dogs"), [(0.0, 683), (1.0, 1024)])
def test_batch_norm_settles_on_the_classes_that_training_saw(data: Path, balance: float, dogs: int) -> None:
    plan = plans.plan_new_run(data, "cgan", Changes(values=(f"balance={balance}",)), 0, torch.device("cpu"), "pets")
    publisher = Publisher(plan, networks.architecture_of(plan.recipe, plan.dataset.description))
    labels = publisher._labels()
    assert torch.bincount(labels).tolist() == pytest.approx([2048 - dogs, dogs], abs=1)
    assert set(labels[:128].tolist()) == {0, 1}
