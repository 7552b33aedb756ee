"""Batch-norm statistics of the averaged weights, which never see a training batch."""

import torch
from torch import Tensor, nn

from models import latents
from models.registry import Architecture
from training.batch_loader import choose_order
from training.run_plan import RunPlan

_BATCH, _SAMPLES, _SEED = 128, 2048, 1


def prepare_average(average: nn.Module, architecture: Architecture, plan: RunPlan) -> None:
    """Prepare the average of a run for inference: re-estimate its batch-norm statistics, and switch to eval mode."""
    z = latents.sample(architecture.latent_dim, _SEED, range(_SAMPLES)).to(plan.device)
    labels = training_labels(plan, architecture.classes).to(plan.device) if architecture.classes else None
    estimate(average, z, labels)


@torch.no_grad()
def estimate(network: nn.Module, z: Tensor, labels: Tensor | None = None) -> None:
    """Replace the running statistics of all batch norms by means over the given latents, and switch to eval mode.

    Shapes: z (n, latent_dim), labels (n,).
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    network.train()
    for start in range(0, len(z), _BATCH):
        some = slice(start, start + _BATCH)
        network(z[some], None if labels is None else labels[some])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


def training_labels(plan: RunPlan, classes: int) -> Tensor:
    """Return labels in the proportions of training, because batch-norm statistics depend on them."""
    order = choose_order(plan.dataset, plan.recipe.balance, max(_SAMPLES, classes), plan.seed)
    indices = torch.from_numpy(order.epoch(0))
    return plan.dataset.labels[indices[torch.arange(_SAMPLES) % len(indices)]]
