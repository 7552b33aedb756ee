"""The one training loop: steps until the budget is spent, a line per epoch, a check of its health now and then."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from PIL.Image import Image
from torch import nn

from models import pixels
from models.precision import fastest_dtype
from training import (
    budget,
    check_interval,
    evaluator,
    guard,
    networks,
    parallel,
    record,
    run_start,
    saved_states,
    schedule,
    state,
)
from training.augment import mirror
from training.batch_loader import BatchLoader
from training.clock import Clock
from training.listener import Ending, RunListener
from training.metrics.figures import PROBE_POINTS, Probe
from training.publish import Publisher
from training.run_plan import RunPlan
from training.saved_states import HEALTHY
from training.step import SUMMARY, Batch, Conditions, train_step

_LOOK_EVERY_STEPS = 50
"""How often the losses are looked at for what is no number, and how often a set of one batch writes a line."""


class Run:
    """A run under way in its folder; made anew, or continued from the state in there."""

    def __init__(self, plan: RunPlan, folder: Path | None, place: parallel.Place = parallel.ALONE) -> None:
        """Continue the run in `folder`. A new run gets its folder by `keep_in`, after all that can be refused."""
        self.plan, self.folder, self._place = plan, folder or Path(), place
        recipe, data = plan.recipe, plan.dataset.description
        self._feed = BatchLoader(
            plan.dataset, recipe.batch, plan.seed, plan.device, recipe.balance, place.rank, place.world_size
        )
        self._architecture = networks.architecture_of(recipe, data)
        self._networks = networks.build(recipe, self._architecture, plan.seed, plan.device, place)
        self._conditions = Conditions(recipe, plan.device, fastest_dtype(plan.device))
        self.budget = budget.of(recipe, self._feed.steps_per_epoch * self._feed.batch, self.images_per_step)
        self._publisher = Publisher(plan, self._architecture)
        self._sums = torch.zeros(len(SUMMARY), device=plan.device)
        opened = run_start.of(plan, folder, self._networks, self.budget)
        self._position, self.told = opened.position, opened.told
        if opened.sums is not None:
            self._sums.copy_(opened.sums)
        samples = min(PROBE_POINTS, data.count)
        self.check_every = check_interval.every_steps(recipe, self._networks, self._feed.local, samples)
        """Steps from one check to the next."""
        self._eye: evaluator.Evaluator | None = None
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
        return self.folder / f"{self.plan.name}.safetensors"

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The two networks that learn."""
        return {"generator": self._networks.generator, "discriminator": self._networks.discriminator}

    def rehearse(self) -> None:
        """Take a step that is not saved, to see how long one takes."""
        self._one_step()
        self._sums.cpu()

    def keep_in(self, folder: Path) -> None:
        """Give a new run the folder where it keeps its files."""
        self.folder = folder

    def measure_reals(self, measured: Callable[[int], None] = lambda _: None) -> str:
        """Measure the real images before the first run on a dataset; `measured` hears how many are done.

        Returns why a run that is to be guarded cannot be measured, or nothing.
        """
        opened = evaluator.opened(self.plan, measured) if self._place.leads else ""
        self._eye = None if isinstance(opened, str) else opened
        return opened if isinstance(opened, str) else ""

    def train(self, watcher: RunListener) -> Ending:
        """Train until the budget is spent, the watcher asks to stop or the guard says so; the state is always saved."""
        blind = "" if self._eye else self.measure_reals()
        if self._place.leads:
            seen = self.step * self.images_per_step
            floor = self._eye.floor() if self._eye else None
            self._recorder = record.Recorder(self.folder, self.plan.name, watcher.event, seen, floor)
        if blind:
            watcher.event(f"unmeasured, so the latest snapshot ships: {blind}")
        self._clock = Clock(self._position.seconds)
        with self._clock.counting():
            self._save(healthy=not (self.folder / HEALTHY).exists())
            ending = self._stepped(watcher)
            if ending.outcome != "gave up":
                self._save()
        if self._place.leads:
            self._recorder.close()
        return ending

    def _stepped(self, watcher: RunListener) -> Ending:
        while self.progress < 1:
            self._one_step()
            watcher.step(self.step)
            ending = self._after_step(watcher)
            if ending is None and parallel.agreed(watcher.stop()):
                ending = Ending("stopped")
            if ending:
                return ending
        return Ending("finished")

    def _one_step(self) -> None:
        recipe, taken = self.plan.recipe, self.step + 1
        first = self.step * recipe.discriminator_steps
        batches = [self._batch(first + k) for k in range(recipe.discriminator_steps)]
        memory, now = self._position.memory, schedule.at(recipe, self.progress)
        now = replace(now, lr=now.lr * memory.lr_factor, gamma=now.gamma * memory.gamma_factor)
        seen = taken * self.images_per_step
        self._sums += train_step(self._networks, self._conditions, batches, now, self.step, seen)
        self._steps_in_lap += 1
        seconds = parallel.least(self._clock.seconds())
        self._move(step=taken, steps_in_epoch=self._position.steps_in_epoch + 1, seconds=seconds)

    def _batch(self, number: int) -> Batch:
        images, labels = self._feed.at(number)
        real = pixels.from_uint8(images).contiguous(memory_format=torch.channels_last)
        if self.plan.recipe.mirror:
            real = mirror(real, self._networks.random)
        return Batch(real, labels if self._architecture.classes else None)

    def _after_step(self, watcher: RunListener) -> Ending | None:
        """Look at the run where that is due: every so many steps, at an epoch's end, at a check, at the end."""
        over = self.progress >= 1
        epoch = over or self._epoch_ends()
        due = over or self.step % self.check_every == 0
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
        if self._feed.steps_per_epoch == 1:
            return self.step % _LOOK_EVERY_STEPS == 0
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
        with self._clock.aside(self._clock.publish), saved_states.told_when_full(self.folder, self.step):
            self._publisher.publish(self.checkpoint, self._networks.average, self._position, seen, self._recorder)

    def _end_epoch(self, means: dict[str, float], watcher: RunListener) -> None:
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

    def _intervene(self, wrong: str, means: dict[str, float], watcher: RunListener) -> Ending | None:
        """Roll back to the last healthy state and go on more carefully, or give up."""
        memory = self._position.memory
        if not self.plan.recipe.guard or memory.interventions >= guard.MAX_INTERVENTIONS:
            tried = f" after {memory.interventions} rollbacks" if memory.interventions else ""
            return Ending("gave up", f"{wrong} at step {self.step}{tried}")
        event = f"step {self.step}: {wrong}; rolled back, learning rates halved"
        kept = self._position
        self._position, sums = state.restore(self.folder / HEALTHY, self._networks)
        self._sums.copy_(sums)
        self._move(
            recipe=self.plan.recipe,
            seconds=kept.seconds,
            best=kept.best,
            events=(*kept.events, event),
            earlier_budgets=kept.earlier_budgets,
            memory=memory.intervened(event),
        )
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
                saved_states.write(self.folder, self._position, self._networks, self._sums, healthy=healthy)
