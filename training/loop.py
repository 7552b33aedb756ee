"""The one training loop: steps until the budget is spent, an epoch's end every so often."""

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from models import checkpoint, latents, pixels
from models.precision import fastest_dtype
from training import card, ema, networks, record, state
from training.augment import mirror
from training.feed import Feed
from training.plan import STATE, Plan
from training.step import Conditions, train_step

_SAVE_EVERY_SECONDS = 300.0
"""An epoch can be long; no crash costs more than this."""
_SETTLING_BATCHES, _SETTLING_SEED = 16, 1


@dataclass(frozen=True)
class Watcher:
    """Who looks on: hears of every step and every epoch, and may ask to stop."""

    step: Callable[[int], None] = lambda _step: None
    epoch: Callable[[record.EpochLine], None] = lambda _line: None
    stop: Callable[[], bool] = lambda: False


class Run:
    """A run under way in its folder; made anew, or continued from the state in there."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        recipe, description = plan.recipe, plan.dataset.description
        self._feed = Feed(plan.dataset, recipe.batch, plan.seed, plan.device)
        self._architecture = networks.architecture_of(recipe, description.resolution, len(description.classes))
        self._networks = networks.build(recipe, self._architecture, plan.seed, plan.device)
        self._conditions = Conditions(recipe, plan.device, fastest_dtype(plan.device))
        self._sums = torch.zeros(4, device=plan.device)
        self.step, self._seconds, self._saved = 0, 0.0, time.monotonic()
        self.total_steps = max(1, math.ceil(recipe.epochs * self._feed.steps_per_epoch - 1e-6))
        if (folder / STATE).exists():
            self._restore()

    @property
    def batch(self) -> int:
        """Images per step."""
        return self._feed.batch

    def train(self, watcher: Watcher) -> bool:
        """Train until the budget is spent (True) or the watcher asks to stop (False); either way the state is saved."""
        started, epoch_started, epoch_first = time.monotonic() - self._seconds, time.monotonic(), self.step
        while self.step < self.total_steps and not watcher.stop():
            self._one_step()
            self._seconds = time.monotonic() - started
            watcher.step(self.step)
            if self.step % self._feed.steps_per_epoch == 0 or self.step == self.total_steps:
                seconds = time.monotonic() - epoch_started
                watcher.epoch(self._end_epoch((self.step - epoch_first) * self.batch / seconds))
                epoch_started, epoch_first = time.monotonic(), self.step
            elif time.monotonic() - self._saved > _SAVE_EVERY_SECONDS:
                self._save_state()
        self._save_state()
        return self.step == self.total_steps

    def _one_step(self) -> None:
        images, labels = self._feed.at(self.step)
        real = pixels.from_uint8(images).contiguous(memory_format=torch.channels_last)
        if self.plan.recipe.mirror:
            real = mirror(real, self._networks.random)
        self.step += 1
        self._sums += train_step(self._networks, self._conditions, real, labels, self.step * self.batch)

    def _end_epoch(self, images_per_s: float) -> record.EpochLine:
        steps = self.step % self._feed.steps_per_epoch or self._feed.steps_per_epoch
        loss_g, loss_d, real_score, fake_score = (self._sums / steps).tolist()
        self._sums.zero_()
        line = record.EpochLine(
            epoch=-(-self.step // self._feed.steps_per_epoch),
            loss_g=loss_g,
            loss_d=loss_d,
            real_score=real_score,
            fake_score=fake_score,
            images_seen=self.step * self.batch,
            images_per_s=round(images_per_s, 1),
            seconds=round(self._seconds, 1),
        )
        self._publish(line.epoch)
        self._save_state()
        record.append(self.folder, line)
        return line

    def _publish(self, epoch: int) -> None:
        """Write what a person looks at and what a worker loads: grid, checkpoint, card."""
        self._settle()
        average, name = self._networks.average, self.plan.name
        grid = record.sample_grid(average, self._architecture.latent_dim, self._architecture.classes)
        record.write_png(self.folder / "samples" / f"epoch-{epoch:04d}.png", grid)
        record.write_png(self.folder / f"{name}.png", grid)
        header = self._header()
        checkpoint.save(self.folder / f"{name}.safetensors", header, average)
        card.write(self.folder / f"{name}.md", header, f"{name}.png", "log.jsonl")

    def _settle(self) -> None:
        batches = []
        for k in range(_SETTLING_BATCHES):
            indices = range(k * self.batch, (k + 1) * self.batch)
            z = latents.sample(self._architecture.latent_dim, _SETTLING_SEED, indices).to(self.plan.device)
            classes = self._architecture.classes
            labels = torch.tensor(indices, device=self.plan.device) % classes if classes else None
            batches.append((z, labels))
        ema.settle(self._networks.average, batches)

    def _header(self) -> checkpoint.Header:
        description = self.plan.dataset.description
        return checkpoint.Header(
            name=self.plan.name,
            architecture=self._architecture,
            classes=description.classes,
            data=checkpoint.DataCredit(name=description.name, licence=description.licence, images=description.count),
            training=checkpoint.Training(
                images_seen=self.step * self.batch,
                minutes=round(self._seconds / 60, 1),
                device=device_name(self.plan.device),
            ),
            metrics={},
            recipe={"name": self.plan.recipe_name, "seed": self.plan.seed, **self.plan.recipe.model_dump(mode="json")},
            versions=checkpoint.installed_versions(),
        )

    def _position(self) -> state.Position:
        return state.Position(
            name=self.plan.name,
            recipe_name=self.plan.recipe_name,
            recipe=self.plan.recipe,
            dataset_sha256=self.plan.dataset.description.sha256,
            seed=self.plan.seed,
            step=self.step,
            seconds=self._seconds,
        )

    def _save_state(self) -> None:
        state.save(self.folder / STATE, self._position(), self._networks, self._sums)
        self._saved = time.monotonic()

    def _restore(self) -> None:
        position, sums = state.restore(self.folder / STATE, self._networks)
        self.step, self._seconds = position.step, position.seconds
        self._sums.copy_(sums)


def device_name(device: torch.device) -> str:
    """Name the hardware, for cards: the GPU's own name, or the CPU's with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
