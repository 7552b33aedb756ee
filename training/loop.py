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
from training.metrics.figures import QUICK_POINTS, QuickFigures
from training.publish import Publisher
from training.run_plan import RunPlan
from training.saved_states import HEALTHY
from training.step import SUMMARY, Batch, StepSettings, train_step

_READ_LOSSES_EVERY_STEPS = 50
"""How often the losses are looked at for what is no number, and how often a set of one batch writes a line."""


class Run:
    """A run under way in its folder; made anew, or continued from the state in there."""

    def __init__(self, plan: RunPlan, folder: Path | None, process: parallel.ProcessRank = parallel.ALONE) -> None:
        """Continue the run in `folder`. A new run gets its folder by `use_folder`, after all that can be refused."""
        self.plan, self.folder, self._process = plan, folder or Path(), process
        recipe, data = plan.recipe, plan.dataset.description
        self._loader = BatchLoader(
            plan.dataset, recipe.batch, plan.seed, plan.device, recipe.balance, process.rank, process.world_size
        )
        self._architecture = networks.architecture_of(recipe, data)
        self._networks = networks.build(recipe, self._architecture, plan.seed, plan.device, process)
        self._settings = StepSettings(recipe, plan.device, fastest_dtype(plan.device))
        self.budget = budget.of_recipe(recipe, self._loader.steps_per_epoch * self._loader.batch, self.images_per_step)
        self._publisher = Publisher(plan, self._architecture)
        self._sums = torch.zeros(len(SUMMARY), device=plan.device)
        start = run_start.open_run(plan, folder, self._networks, self.budget)
        self._position, self.notice = start.position, start.notice
        if start.sums is not None:
            self._sums.copy_(start.sums)
        samples = min(QUICK_POINTS, data.count)
        self.check_every_steps = check_interval.every_steps(recipe, self._networks, self._loader.local_batch, samples)
        """Steps from one check to the next."""
        self._evaluator: evaluator.Evaluator | None = None
        self._clock, self._steps_in_lap = Clock(self._position.seconds), 0

    @property
    def step(self) -> int:
        """Generator steps taken."""
        return self._position.step

    @property
    def images_per_step(self) -> int:
        """Real images seen per generator step, by all processes."""
        return self._loader.batch * self.plan.recipe.discriminator_steps

    @property
    def progress(self) -> float:
        """Share of the budget that is spent."""
        return self.budget.progress(self.step, self._position.seconds)

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that the run ships: its best snapshot, or its latest where nothing is progress."""
        return self.folder / f"{self.plan.name}.safetensors"

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The two networks that learn."""
        return {"generator": self._networks.generator, "discriminator": self._networks.discriminator}

    def take_unsaved_step(self) -> None:
        """Take a step that is not saved, to see how long one takes."""
        self._take_step()
        self._sums.cpu()

    def use_folder(self, folder: Path) -> None:
        """Give a new run the folder where it keeps its files."""
        self.folder = folder

    def measure_reals(self, progress: Callable[[int], None] = lambda _: None) -> str:
        """Measure the real images before the first run on a dataset; `progress` hears how many are done.

        Returns why a run that is to be guarded cannot be progress, or nothing.
        """
        created = evaluator.create(self.plan, progress) if self._process.is_leader else ""
        self._evaluator = None if isinstance(created, str) else created
        return created if isinstance(created, str) else ""

    def train(self, listener: RunListener) -> Ending:
        """Train until the budget is spent or the guard ends the run; the state is always saved."""
        unmeasured = "" if self._evaluator else self.measure_reals()
        if self._process.is_leader:
            seen = self.step * self.images_per_step
            floor = self._evaluator.measure_floor() if self._evaluator else None
            self._recorder = record.Recorder(self.folder, self.plan.name, listener.on_event, seen, floor)
        if unmeasured:
            listener.on_event(f"unmeasured, so the latest snapshot ships: {unmeasured}")
        self._clock = Clock(self._position.seconds)
        with self._clock.counting():
            self._save(healthy=not (self.folder / HEALTHY).exists())
            ending = self._train_until_end(listener)
            if ending.outcome != "gave up":
                self._save()
        if self._process.is_leader:
            self._recorder.close()
        return ending

    def _train_until_end(self, listener: RunListener) -> Ending:
        while self.progress < 1:
            self._take_step()
            listener.on_step(self.step)
            ending = self._after_step(listener)
            if ending is None and parallel.from_leader(listener.should_stop()):
                ending = Ending("stopped")
            if ending:
                return ending
        return Ending("finished")

    def _take_step(self) -> None:
        recipe, taken = self.plan.recipe, self.step + 1
        first = self.step * recipe.discriminator_steps
        batches = [self._batch(first + k) for k in range(recipe.discriminator_steps)]
        memory, now = self._position.memory, schedule.values_at(recipe, self.progress)
        now = replace(now, lr=now.lr * memory.lr_factor, gamma=now.gamma * memory.gamma_factor)
        seen = taken * self.images_per_step
        self._sums += train_step(self._networks, self._settings, batches, now, self.step, seen)
        self._steps_in_lap += 1
        seconds = parallel.minimum(self._clock.seconds())
        self._update(step=taken, steps_in_epoch=self._position.steps_in_epoch + 1, seconds=seconds)

    def _batch(self, number: int) -> Batch:
        images, labels = self._loader.load(number)
        real = pixels.from_uint8(images).contiguous(memory_format=torch.channels_last)
        if self.plan.recipe.mirror:
            real = mirror(real, self._networks.random)
        return Batch(real, labels if self._architecture.classes else None)

    def _after_step(self, listener: RunListener) -> Ending | None:
        """Look at the run where that is due: every so many steps, at an epoch's end, at a check, at the end."""
        over = self.progress >= 1
        epoch = over or self._epoch_ends()
        due = over or self.step % self.check_every_steps == 0
        if not (epoch or due or self.step % _READ_LOSSES_EVERY_STEPS == 0):
            if parallel.from_leader(self._clock.save.is_due()):
                self._save()
            return None
        means = self._means()
        figures = self._measure() if due and guard.all_finite(means.values()) else None
        wrong = guard.find_fault(self._signals(means, figures), self._position.memory)
        if parallel.from_leader(wrong is not None):
            return self._roll_back(wrong or "", means, listener)
        if due:
            self._accept(means, figures)
        if epoch:
            self._end_epoch(means, listener)
        if due:
            self._save(healthy=True)
        return self._stop_early() if due else None

    def _signals(self, means: dict[str, float], figures: QuickFigures | None) -> guard.Signals:
        """Gather what the guard looks at; without a guard, only what no run survives."""
        if self.plan.recipe.guard:
            return guard.gather_signals(self.plan.recipe.objective, means, figures)
        return guard.Signals(finite=guard.all_finite(means.values()))

    def _epoch_ends(self) -> bool:
        if self._loader.steps_per_epoch == 1:
            return self.step % _READ_LOSSES_EVERY_STEPS == 0
        steps = self.plan.recipe.discriminator_steps
        batches = self.step * steps
        return batches // self._loader.steps_per_epoch > (batches - steps) // self._loader.steps_per_epoch

    def _means(self) -> dict[str, float]:
        """Average the losses and scores over the epoch so far and over all processes."""
        total = parallel.sum_over_processes(self._sums / self._process.world_size)
        return dict(zip(SUMMARY, (total / max(1, self._position.steps_in_epoch)).tolist(), strict=True))

    def _measure(self) -> QuickFigures | None:
        with self._clock.excluded(self._clock.check):
            self._publisher.settle(self._networks.average)
            return self._evaluator.measure(self._networks.average, self._architecture) if self._evaluator else None

    def _accept(self, means: dict[str, float], figures: QuickFigures | None) -> None:
        """After a check that found nothing wrong: remember what it saw, publish what is best."""
        best, memory = self._position.best, self._position.memory
        named = self._evaluator.name_figures(figures) if self._evaluator and figures else {}
        better = figures is None or best is None or figures.fd < best.fd
        if better and figures is not None:
            best = state.Best(fd=figures.fd, step=self.step, progress=self.progress)
        self._update(best=best, figures=named, memory=memory.with_check(self._signals(means, figures)))
        if better and self._process.is_leader:
            self._publish()

    def _publish(self) -> None:
        seen = self.step * self.images_per_step
        with self._clock.excluded(self._clock.publish), saved_states.explain_write_errors(self.folder, self.step):
            self._publisher.publish(self.checkpoint, self._networks.average, self._position, seen, self._recorder)

    def _end_epoch(self, means: dict[str, float], listener: RunListener) -> None:
        images, self._steps_in_lap = self._steps_in_lap * self.images_per_step, 0
        optimisers = self._networks.generator_optimiser, self._networks.discriminator_optimiser
        lrs = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
        line = record.EpochLine(
            epoch=-(-self.step * self.plan.recipe.discriminator_steps // self._loader.steps_per_epoch),
            loss_g=means["loss_g"],
            loss_d=means["loss_d"],
            real_score=means["real_score"],
            fake_score=means["fake_score"],
            images_seen=self.step * self.images_per_step,
            images_per_s=round(images / self._clock.end_lap(), 1),
            seconds=round(self._position.seconds, 1),
            generator_lr=lrs[0],
            discriminator_lr=lrs[1],
            metrics=self._position.figures,
            events=self._position.events,
        )
        self._sums.zero_()
        self._update(steps_in_epoch=0, figures={}, events=())
        if self._process.is_leader:
            self._recorder.record_epoch(line, self._draw_grid_if_due())
            listener.on_epoch(line)

    def _draw_grid_if_due(self) -> Image | None:
        """Draw a grid unless the last one was too short a time ago."""
        if not (self._clock.grid.is_due() or self.progress >= 1):
            return None
        with self._clock.excluded(self._clock.grid):
            self._publisher.settle(self._networks.average)
            return self._publisher.grid(self._networks.average)

    def _roll_back(self, wrong: str, means: dict[str, float], listener: RunListener) -> Ending | None:
        """Roll back to the last healthy state and go on more carefully, or give up."""
        memory = self._position.memory
        if not self.plan.recipe.guard or memory.interventions >= guard.MAX_INTERVENTIONS:
            tried = f" after {memory.interventions} rollbacks" if memory.interventions else ""
            return Ending("gave up", f"{wrong} at step {self.step}{tried}")
        event = f"step {self.step}: {wrong}; rolled back, learning rates halved"
        kept = self._position
        self._position, sums = state.restore(self.folder / HEALTHY, self._networks)
        self._sums.copy_(sums)
        self._update(
            recipe=self.plan.recipe,
            seconds=kept.seconds,
            best=kept.best,
            events=(*kept.events, event),
            earlier_budgets=kept.earlier_budgets,
            memory=memory.with_intervention(event),
        )
        listener.on_event(event)
        if self.progress >= 1:
            self._end_epoch(means, listener)
        self._save()
        return None

    def _stop_early(self) -> Ending | None:
        """Tell whether patience is over. Asked at checks only: between two, nothing better can have been found."""
        patience, best = self.plan.recipe.patience, self._position.best
        waited = self.progress - best.progress if best and patience < 1 else 0.0
        if parallel.from_leader(waited < patience or self.progress >= 1):
            return None
        return Ending("stopped early", f"no better Frechet distance for {waited:.0%} of the budget")

    def _update(self, **changes: object) -> None:
        self._position = self._position.model_copy(update=changes)

    def _save(self, healthy: bool = False) -> None:
        with self._clock.save.running():
            if self._process.is_leader:
                saved_states.write(self.folder, self._position, self._networks, self._sums, healthy=healthy)
