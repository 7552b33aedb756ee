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

from models.precision import fastest_dtype
from models.registry import build_discriminator, build_generator
from training import run_plan as plans
from training.console import console
from training.dataset.dataset_files import Dataset
from training.loop import Run
from training.networks import architecture_of
from training.run_plan import Changes, RunPlan

_ROUNDS, _STEPS = 5, 8


def main(data: Path) -> None:
    """Time both loops, and print their rates."""
    device = plans.find_device(None)
    plan = plans.plan_new_run(data, "dcgan", Changes(values=("guard=false",)), 0, device, "bench")
    loops = {"plain loop": _plain(plan), "imagemill": _ours(plan)}
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(_ROUNDS):
        for name, step in loops.items():
            rates[name].append(_rate(step, plan))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    console.print(f"dcgan, batch {plan.recipe.batch}, {plan.dataset.description.resolution} px, {device}", markup=False)
    for name, rate in medians.items():
        console.print(f"{name:12s} {rate:7.0f} images/s  ({min(rates[name]):.0f} to {max(rates[name]):.0f})")
    ratio = medians["imagemill"] / medians["plain loop"]
    console.print(f"imagemill computes in {fastest_dtype(device)}: {ratio:.1f} times as fast", markup=False)


def _rate(step: Callable[[], None], plan: RunPlan) -> float:
    step()
    started = time.perf_counter()
    for _ in range(_STEPS):
        step()
    if plan.device.type == "cuda":
        torch.cuda.synchronize()
    return _STEPS * plan.recipe.batch / (time.perf_counter() - started)


def _ours(plan: RunPlan) -> Callable[[], None]:
    return Run(plan, Path("nothing is written here")).take_unsaved_step


def _plain(plan: RunPlan) -> Callable[[], None]:
    recipe, architecture = plan.recipe, architecture_of(plan.recipe, plan.dataset.description)
    generator = build_generator(architecture).to(plan.device)
    discriminator = build_discriminator(architecture, recipe.discriminator_channels).to(plan.device)
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

    return step


def _batches(dataset: Dataset, batch: int) -> Iterator[Tensor]:
    loader = DataLoader(TensorDataset(dataset.images), batch, shuffle=True, drop_last=True, num_workers=1)
    while True:
        for (images,) in loader:
            yield images.float().div(127.5).sub(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
