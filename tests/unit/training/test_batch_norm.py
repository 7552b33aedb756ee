from pathlib import Path

import pytest
import torch

from models.registry import Architecture, build_generator
from training import batch_norm
from training import run_plan as plans
from training.run_plan import Changes


@pytest.mark.parametrize(("balance", "dogs"), [(0.0, 683), (1.0, 1024)])
def test_batch_norm_is_estimated_with_the_classes_that_training_saw(data: Path, balance: float, dogs: int) -> None:
    plan = plans.plan_new_run(data, "cgan", Changes(values=(f"balance={balance}",)), 0, torch.device("cpu"), "pets")
    labels = batch_norm.training_labels(plan, classes=2)
    assert torch.bincount(labels).tolist() == pytest.approx([2048 - dogs, dogs], abs=1)
    assert set(labels[:128].tolist()) == {0, 1}


def test_estimated_statistics_are_those_of_the_averaged_weights() -> None:
    architecture = Architecture(name="dcgan", resolution=32, latent_dim=8, channels=2, classes=0)
    average = build_generator(architecture)
    z = torch.randn(256, 8)
    batch_norm.estimate(average, z)
    assert not average.training
    estimated = average(z)
    average.train()
    # Both see the statistics of nearly the same activations, once averaged over two batches, once of the whole.
    torch.testing.assert_close(estimated, average(z), atol=0.05, rtol=0)
