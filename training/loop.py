"""The one training loop: steps until the budget is spent, a line per epoch, a check of its health now and then."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from PIL.Image import Image
from torch import nn

from models import pixels, whole
from models.precision import fastest_dtype
from training import budget, guard, networks, parallel, probe, record, schedule, state
from training.augment import mirror
from training.clock import Clock
from training.errors import StateError
from training.feed import Feed
from training.metrics.figures import Probe
from training.plan import STATE, Plan
from training.publish import Publisher
from training.step import SUMMARY, Batch, Conditions, train_step

HEALTHY = "healthy.safetensors"
"""The state at the last check that found nothing wrong: where a rollback goes."""
_LOOK_EVERY_STEPS = 50
"""How often the losses are looked at for what is no number."""


@dataclass(frozen=True)
class Ending:
    """How a run ended, and why where that is not plain."""

    outcome: Literal["finished", "stopped", "stopped early", "gave up"]
    reason: str = ""


@dataclass(frozen=True)
class Watcher:
    """Who looks on: hears of steps, epochs and interventions, and may ask to stop."""

    step: Callable[[int], None] = lambda _step: None
    epoch: Callable[[record.EpochLine], None] = lambda _line: None
    event: Callable[[str], None] = lambda _sentence: None
    stop: Callable[[], bool] = lambda: False


class Run:
    """A run under way in its folder; made anew, or continued from the state in there."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        place: parallel.Place = parallel.ALONE,
        measured: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`measured` hears how many real images are measured before the first run on a dataset."""
        self.plan, self.folder, self._place = plan, folder, place
        recipe, data = plan.recipe, plan.dataset.description
        self._feed = Feed(
            plan.dataset, recipe.batch, plan.seed, plan.device, recipe.balance, place.rank, place.world_size
        )
        self._architecture = networks.architecture_of(recipe, data)
        self._networks = networks.build(recipe, self._architecture, plan.seed, plan.device, place)
        self._conditions = Conditions(recipe, plan.device, fastest_dtype(plan.device))
        self.budget = budget.of(recipe, self._feed.steps_per_epoch * self._feed.batch, self.images_per_step)
        self._publisher = Publisher(plan, self._architecture, folder)
        self._sums = torch.zeros(len(SUMMARY), device=plan.device)
        self._position = state.Position(
            name=plan.name, recipe_name=plan.recipe_name, recipe=recipe, dataset_sha256=data.sha256, seed=plan.seed
        )
        if (folder / STATE).exists():
            self._position, sums = state.restore(folder / STATE, self._networks)
            self._sums.copy_(sums)
        elif plan.begin:
            self._move(begun_from=state.begin(plan.begin, self._networks))
        opened = probe.opened(plan, measured) if place.leads else ""
        self._eye = None if isinstance(opened, str) else opened
        self._blind = opened if isinstance(opened, str) else ""
        self._clock, self._steps_in_lap = Clock(self._position.seconds), 0

    @property
    def step(self) -> int:
        """Generator steps taken."""
        return self._position.step

    @property
    def images_per_step(self) -> int:
        """Real images seen per generator step, by all processes."""
        return self._feed.batch * self.plan.recipe.discriminator_steps

    @property
    def progress(self) -> float:
        """Share of the budget that is spent."""
        return self.budget.progress(self.step, self._position.seconds)

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that the run ships: its best snapshot, or its latest where nothing is measured."""
        return self._publisher.path

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The two networks that learn."""
        return {"generator": self._networks.generator, "discriminator": self._networks.discriminator}

    def rehearse(self) -> None:
        """Take a step that is not saved, to see how long one takes."""
        self._one_step()
        self._sums.cpu()

    def train(self, watcher: Watcher) -> Ending:
        """Train until the budget is spent, the watcher asks to stop or the guard says so; the state is always saved."""
        if self._place.leads:
            seen = self.step * self.images_per_step
            floor = self._eye.floor() if self._eye else None
            self._recorder = record.Recorder(self.folder, self.plan.name, watcher.event, seen, floor)
        if self._blind:
            watcher.event(f"unmeasured, so the latest snapshot ships: {self._blind}")
        self._clock = Clock(self._position.seconds)
        if not (self.folder / HEALTHY).exists():
            self._save(healthy=True)
        ending = None
        while ending is None and self.progress < 1:
            self._one_step()
            watcher.step(self.step)
            ending = self._after_step(watcher)
            if ending is None and parallel.agreed(watcher.stop()):
                ending = Ending("stopped")
        if ending is None or ending.outcome != "gave up":
            self._save()
        if self._place.leads:
            self._recorder.close()
        return ending or Ending("finished")

    def _one_step(self) -> None:
        recipe, taken = self.plan.recipe, self.step + 1
        first = self.step * recipe.discriminator_steps
        batches = [self._batch(first + k) for k in range(recipe.discriminator_steps)]
        memory, now = self._position.memory, schedule.at(recipe, self.progress)
        now = replace(now, lr=now.lr * memory.lr_factor, gamma=now.gamma * memory.gamma_factor)
        seen = taken * self.images_per_step
        self._sums += train_step(self._networks, self._conditions, batches, now, self.step, seen)
        self._steps_in_lap += 1
        self._move(
            step=taken, steps_in_epoch=self._position.steps_in_epoch + 1, seconds=parallel.agreed(self._clock.seconds())
        )

    def _batch(self, number: int) -> Batch:
        images, labels = self._feed.at(number)
        real = pixels.from_uint8(images).contiguous(memory_format=torch.channels_last)
        if self.plan.recipe.mirror:
            real = mirror(real, self._networks.random)
        return Batch(real, labels if self._architecture.classes else None)

    def _after_step(self, watcher: Watcher) -> Ending | None:
        """Look at the run where that is due: every so many steps, at an epoch's end, at a check, at the end."""
        over = self.progress >= 1
        epoch = over or self._epoch_ends()
        due = over or bool(parallel.agreed(self._clock.check.is_due()))
        if not (epoch or due or self.step % _LOOK_EVERY_STEPS == 0):
            if parallel.agreed(self._clock.save.is_due()):
                self._save()
            return None
        means = self._means()
        figures = self._measured() if due and guard.all_finite(means.values()) else None
        wrong = guard.fault(self._signals(means, figures), self._position.memory)
        if parallel.agreed(wrong is not None):
            return self._intervene(wrong or "", means, watcher)
        if due:
            self._accept(means, figures)
        if epoch:
            self._end_epoch(means, watcher)
        if due:
            self._save(healthy=True)
        return self._early() if due else None

    def _signals(self, means: dict[str, float], figures: Probe | None) -> guard.Signals:
        """Gather what the guard looks at; without a guard, only what no run survives."""
        if self.plan.recipe.guard:
            return guard.signals(self.plan.recipe.objective, means, figures)
        return guard.Signals(finite=guard.all_finite(means.values()))

    def _epoch_ends(self) -> bool:
        steps = self.plan.recipe.discriminator_steps
        batches = self.step * steps
        return batches // self._feed.steps_per_epoch > (batches - steps) // self._feed.steps_per_epoch

    def _means(self) -> dict[str, float]:
        """Average the losses and scores over the epoch so far and over all processes."""
        total = parallel.summed(self._sums / self._place.world_size)
        return dict(zip(SUMMARY, (total / max(1, self._position.steps_in_epoch)).tolist(), strict=True))

    def _measured(self) -> Probe | None:
        with self._clock.aside(self._clock.check):
            self._publisher.settle(self._networks.average)
            return self._eye.look(self._networks.average, self._architecture) if self._eye else None

    def _accept(self, means: dict[str, float], figures: Probe | None) -> None:
        """After a check that found nothing wrong: remember what it saw, publish what is best."""
        best, memory = self._position.best, self._position.memory
        named = self._eye.named(figures) if self._eye and figures else {}
        better = figures is None or best is None or figures.fd < best.fd
        if better and figures is not None:
            best = state.Best(fd=figures.fd, step=self.step, progress=self.progress)
        self._move(best=best, figures=named, memory=memory.after(self._signals(means, figures)))
        if better and self._place.leads:
            self._publish()

    def _publish(self) -> None:
        seen = self.step * self.images_per_step
        with self._clock.aside(self._clock.publish), self._told_when_full():
            self._publisher.publish(
                self._networks.average, self._position, seen, self._position.figures, self._recorder
            )

    def _end_epoch(self, means: dict[str, float], watcher: Watcher) -> None:
        images, self._steps_in_lap = self._steps_in_lap * self.images_per_step, 0
        optimisers = self._networks.generator_optimiser, self._networks.discriminator_optimiser
        lrs = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
        line = record.EpochLine(
            epoch=-(-self.step * self.plan.recipe.discriminator_steps // self._feed.steps_per_epoch),
            loss_g=means["loss_g"],
            loss_d=means["loss_d"],
            real_score=means["real_score"],
            fake_score=means["fake_score"],
            images_seen=self.step * self.images_per_step,
            images_per_s=round(images / self._clock.lap(), 1),
            seconds=round(self._position.seconds, 1),
            generator_lr=lrs[0],
            discriminator_lr=lrs[1],
            metrics=self._position.figures,
            events=self._position.events,
        )
        self._sums.zero_()
        self._move(steps_in_epoch=0, figures={}, events=())
        if self._place.leads:
            self._recorder.tick(line, self._grid())
            watcher.epoch(line)

    def _grid(self) -> Image | None:
        """Draw a grid unless the last one was too short a time ago."""
        if not (self._clock.grid.is_due() or self.progress >= 1):
            return None
        with self._clock.aside(self._clock.grid):
            self._publisher.settle(self._networks.average)
            return self._publisher.grid(self._networks.average)

    def _intervene(self, wrong: str, means: dict[str, float], watcher: Watcher) -> Ending | None:
        """Roll back to the last healthy state and go on more carefully, or give up."""
        memory = self._position.memory
        if not self.plan.recipe.guard or memory.interventions >= guard.MAX_INTERVENTIONS:
            tried = f" after {memory.interventions} rollbacks" if memory.interventions else ""
            return Ending("gave up", f"{wrong} at step {self.step}{tried}")
        event = f"step {self.step}: {wrong}; rolled back, learning rates halved"
        seconds, best, events = self._position.seconds, self._position.best, (*self._position.events, event)
        self._position, sums = state.restore(self.folder / HEALTHY, self._networks)
        self._sums.copy_(sums)
        self._move(seconds=seconds, best=best, events=events, memory=memory.intervened(event))
        watcher.event(event)
        if self.progress >= 1:
            self._end_epoch(means, watcher)
        self._save()
        return None

    def _early(self) -> Ending | None:
        """Tell whether patience is over. Asked at checks only: between two, nothing better can have been found."""
        patience, best = self.plan.recipe.patience, self._position.best
        waited = self.progress - best.progress if best and patience < 1 else 0.0
        if parallel.agreed(waited < patience or self.progress >= 1):
            return None
        return Ending("stopped early", f"no better Frechet distance for {waited:.0%} of the budget")

    def _move(self, **changes: object) -> None:
        self._position = self._position.model_copy(update=changes)

    def _save(self, healthy: bool = False) -> None:
        with self._clock.save.taken():
            if self._place.leads:
                self._write_state(healthy)

    def _write_state(self, healthy: bool) -> None:
        with self._told_when_full():
            state.save(self.folder / STATE, self._position, self._networks, self._sums)
            if healthy:
                whole.write(self.folder / HEALTHY, (self.folder / STATE).read_bytes())

    @contextmanager
    def _told_when_full(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateError(
                f"the run could not be saved at step {self.step} ({error.strerror or error}); "
                f"what was saved before in {self.folder} is whole and can be resumed"
            ) from error
