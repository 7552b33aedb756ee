"""Writes the checkpoint that a run ships, with its card and pictures."""

import platform
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from models import checkpoint, latents
from models.registry import Architecture
from training import ema
from training.batch_loader import choose_order
from training.record import Recorder, interpolation, sample_grid
from training.run_plan import RunPlan
from training.state import Position

_SETTLING_POINTS, _SETTLING_SEED = 2048, 1


class Publisher:
    """Writes the checkpoint of a run and replaces the previous one."""

    def __init__(self, plan: RunPlan, architecture: Architecture) -> None:
        self._plan, self._architecture = plan, architecture

    def settle(self, average: nn.Module) -> None:
        """Prepare the average for inference: re-estimate its batch-norm statistics, and switch to eval mode."""
        z = latents.sample(self._architecture.latent_dim, _SETTLING_SEED, range(_SETTLING_POINTS))
        labels = self._labels().to(self._plan.device) if self._architecture.classes else None
        ema.settle(average, z.to(self._plan.device), labels)

    def _labels(self) -> Tensor:
        """Return labels in the proportions of training, because batch-norm statistics depend on them."""
        plan, draws = self._plan, max(_SETTLING_POINTS, self._architecture.classes)
        dealt = torch.from_numpy(choose_order(plan.dataset, plan.recipe.balance, draws, plan.seed).epoch(0))
        return plan.dataset.labels[dealt[torch.arange(_SETTLING_POINTS) % len(dealt)]]

    def publish(self, path: Path, average: nn.Module, position: Position, images_seen: int, recorder: Recorder) -> None:
        """Write an average in eval mode as the run's checkpoint, with its card and pictures."""
        header = self._header(position, images_seen)
        checkpoint.save(path, header, average)
        walks = interpolation.draw(average, self._architecture, header.classes)
        recorder.publish(header, self.grid(average), walks)

    def grid(self, average: nn.Module) -> Image.Image:
        """Draw the grid of an average in eval mode."""
        return sample_grid.draw(average, self._architecture, self._classes)

    @property
    def _classes(self) -> tuple[str, ...]:
        return self._plan.dataset.description.classes if self._architecture.classes else ()

    def _header(self, position: Position, images_seen: int) -> checkpoint.Header:
        plan, description = self._plan, self._plan.dataset.description
        return checkpoint.Header(
            name=plan.name,
            architecture=self._architecture,
            classes=self._classes,
            data=checkpoint.DataCredit(name=description.name, licence=description.licence, images=description.count),
            training=checkpoint.Training(images_seen=images_seen, device=device_name(plan.device)),
            metrics=position.figures,
            recipe={
                "name": plan.recipe_name,
                "seed": plan.seed,
                **({"begun_from": position.begun_from} if position.begun_from else {}),
                **({"earlier_budgets": list(position.earlier_budgets)} if position.earlier_budgets else {}),
                **plan.recipe.model_dump(mode="json", exclude_none=True),
            },
            versions=checkpoint.installed_versions(),
        )


def device_name(device: torch.device) -> str:
    """Return the name of the hardware for cards: the GPU's name, or the CPU's with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
