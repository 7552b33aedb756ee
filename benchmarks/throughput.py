"""`python -m benchmarks.throughput DATASET`: compares the images/s of the recipe dcgan with a plain PyTorch loop.

The plain loop is that of tutorials: a shuffling DataLoader, float32, ordinary memory layout, Adam, BCE, the same two
networks. Its images are decoded in memory already. Rounds of both loops alternate, and the median counts.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

from models.cuda_graph import CALLS_UNTIL_RECORDED
from models.precision import fastest_dtype
from models.registry import build_discriminator, build_generator
from training import run_plan as plans
from training.console import console
from training.dataset.dataset_files import Dataset
from training.loop import Run
from training.networks import architecture_of
from training.run_plan import Changes, RunPlan

_ROUNDS, _ROUND_SECONDS, _WARM_UP_STEPS = 5, 1.0, 8
"""A round has as many steps as take about so long. Its first steps choose kernels and record them."""

TakeSteps = Callable[[int], None]
"""Takes a number of steps, and waits for the device once, at the end."""


def main(data: Path) -> None:
    """Time both loops, and print their rates."""
    device = plans.find_device(None)
    plan = plans.plan_new_run(data, "dcgan", Changes(values=("guard=false",)), 0, device, "bench")
    loops = {"plain loop": plain(plan), "imagemill": ours(plan)}
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(_ROUNDS):
        for name, take in loops.items():
            rates[name].append(measure(take, plan, _ROUND_SECONDS))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    console.print(f"dcgan, batch {plan.recipe.batch}, {plan.dataset.description.resolution} px, {device}", markup=False)
    for name, rate in medians.items():
        console.print(f"{name:12s} {rate:7.0f} images/s  ({min(rates[name]):.0f} to {max(rates[name]):.0f})")
    ratio = medians["imagemill"] / medians["plain loop"]
    console.print(f"imagemill computes in {fastest_dtype(device)}: {ratio:.1f} times as fast", markup=False)


def measure(take: TakeSteps, plan: RunPlan, seconds: float) -> float:
    """Return the images/s of steps that together take about `seconds`, after some warm-up steps."""
    recipe = plan.recipe
    # On a GPU, the first steps of each kind are not recorded yet.
    take(max(_WARM_UP_STEPS, CALLS_UNTIL_RECORDED * recipe.penalty_every_steps) if plan.device.type == "cuda" else 1)
    began = time.perf_counter()
    take(1)
    count = max(1, round(seconds / (time.perf_counter() - began)))
    began = time.perf_counter()
    take(count)
    return count * recipe.batch * recipe.discriminator_steps / (time.perf_counter() - began)


def ours(plan: RunPlan) -> TakeSteps:
    """Return the steps of `imagemill train`."""
    return Run(plan, Path("nothing is written here")).take_unsaved_steps


def plain(plan: RunPlan) -> TakeSteps:
    """Return the steps of the tutorials' loop, which reads a loss after every step."""
    recipe = plan.recipe
    # Tutorials ignore labels.
    architecture = architecture_of(recipe.model_copy(update={"labels": "ignore"}), plan.dataset.description)
    generator = build_generator(architecture).to(plan.device)
    discriminator = build_discriminator(
        architecture, recipe.discriminator_channels, recipe.discriminator_norm, recipe.projection
    ).to(plan.device)
    of_g = Adam(generator.parameters(), recipe.generator_lr, recipe.betas)
    of_d = Adam(discriminator.parameters(), recipe.discriminator_lr, recipe.betas)
    judge, batches = nn.BCEWithLogitsLoss(), _batches(plan.dataset, recipe.batch)

    def step() -> None:
        real = next(batches).to(plan.device)
        ones, zeros = torch.ones(len(real), device=plan.device), torch.zeros(len(real), device=plan.device)
        of_d.zero_grad()
        fake = generator(torch.randn(len(real), recipe.latent_dim, device=plan.device))
        torch.autograd.backward(
            [judge(discriminator(real), ones), judge(discriminator(fake.detach()), zeros)],
        )
        of_d.step()
        of_g.zero_grad()
        loss = judge(discriminator(fake), ones)
        torch.autograd.backward(loss)
        of_g.step()
        loss.item()

    def take(count: int) -> None:
        for _ in range(count):
            step()

    return take


def _batches(dataset: Dataset, batch: int) -> Iterator[Tensor]:
    loader = DataLoader(TensorDataset(dataset.images), batch, shuffle=True, drop_last=True, num_workers=1)
    while True:
        for (images,) in loader:
            yield images.float().div(127.5).sub(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
