"""The training loop: it takes steps until the budget is spent, and checks the run at fixed numbers of steps."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from training import check_interval, guard, parallel, record
from training.checkup import Checkup
from training.epoch_log import EpochLog
from training.errors import MetricsError
from training.evaluator import Evaluator
from training.listener import Ending, RunListener
from training.metrics.figures import QUICK_POINTS
from training.run_plan import RunPlan
from training.saved_states import HEALTHY
from training.trainer import Trainer

_READ_LOSSES_EVERY_STEPS = 50
"""Steps between two checks for NaN. A dataset of one batch also writes one log line per this many steps."""


class _Due(NamedTuple):
    """Work after a step."""

    losses: bool
    """Read the mean losses. Reading waits for the device, so it does not happen after every step."""
    epoch: bool
    check: bool


class Run:
    """A training run in its folder, new or resumed."""

    def __init__(self, plan: RunPlan, folder: Path | None, process: parallel.ProcessRank = parallel.ALONE) -> None:
        """Resume the run in `folder`. Without one, `use_folder` sets the folder after all checks have passed."""
        self.plan, self.folder = plan, folder or Path()
        self.trainer = Trainer(plan, folder, process)
        samples = min(QUICK_POINTS, plan.dataset.description.count)
        local_batch = self.trainer.loader.local_batch
        self.check_every_steps = check_interval.every_steps(plan.recipe, self.trainer.networks, local_batch, samples)
        """Steps between two checks."""
        self._is_leader = process.is_leader
        self._evaluator: Evaluator | None = None
        self._unmeasurable = ""

    @property
    def step(self) -> int:
        """Number of generator steps so far."""
        return self.trainer.position.step

    @property
    def images_per_step(self) -> int:
        """Real images per generator step, of all processes."""
        return self.trainer.images_per_step

    @property
    def progress(self) -> float:
        """Share of the budget that is spent."""
        return self.trainer.progress

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that the run ships: its best snapshot, or its latest if it is not measured."""
        return self.folder / f"{self.plan.name}.safetensors"

    def take_unsaved_steps(self, count: int) -> None:
        """Take steps without saving them, and wait for the device once, to measure their duration."""
        for _ in range(count):
            self.trainer.take_step()
        self.trainer.sums.cpu()

    def use_folder(self, folder: Path) -> None:
        """Set the folder of a new run."""
        self.folder = folder

    def measure_reals(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Measure the real images before the first run on a dataset. `progress` receives the number of finished images.

        A run that cannot be measured trains without an evaluator.
        """
        if not (self._is_leader and self.plan.recipe.guard):
            return
        try:
            self._evaluator, self._unmeasurable = Evaluator(self.plan, progress), ""
        except MetricsError as error:
            self._unmeasurable = str(error)

    def train(self, listener: RunListener) -> Ending:
        """Train until the budget is spent, the listener stops the run or the guard gives up. Saves the state."""
        if self._evaluator is None:
            self.measure_reals()
        recorder = self._open_recorder(listener) if self._is_leader else None
        if self._unmeasurable:
            listener.on_event(f"this run is not measured, so it ships its latest snapshot: {self._unmeasurable}")
        checkup = Checkup(self.trainer, self._evaluator, recorder, self.checkpoint)
        epochs = EpochLog(self.trainer, recorder)
        self.trainer.restart_clock()
        with self.trainer.clock.counting():
            self.trainer.save(self.folder, healthy=not (self.folder / HEALTHY).exists())
            ending = self._train_until_end(checkup, epochs, listener)
            # A run that gives up keeps its last saved state, because its current one is broken.
            if ending.outcome != "gave up":
                self.trainer.save(self.folder)
        if recorder:
            recorder.close()
        return ending

    def _open_recorder(self, listener: RunListener) -> record.Recorder:
        floor = self._evaluator.measure_floor() if self._evaluator else None
        return record.Recorder(self.folder, self.plan.name, listener.on_event, self.trainer.images_seen, floor)

    def _train_until_end(self, checkup: Checkup, epochs: EpochLog, listener: RunListener) -> Ending:
        while self.progress < 1:
            self.trainer.take_step()
            # Before the check, so that a progress bar moves before a long check begins.
            listener.on_step(self.step)
            ending = self._after_step(checkup, epochs, listener)
            if ending is None and parallel.from_leader(listener.should_stop()):
                ending = Ending("stopped")
            if ending:
                return ending
        return Ending("finished")

    def _after_step(self, checkup: Checkup, epochs: EpochLog, listener: RunListener) -> Ending | None:
        due = self._due()
        if not due.losses:
            if parallel.from_leader(self.trainer.clock.save.is_due()):
                self.trainer.save(self.folder)
            return None
        losses = self.trainer.mean_losses()
        findings = checkup.examine(losses, measure=due.check)
        # Only the leader measures, so only the leader may see a fault.
        if parallel.from_leader(findings.fault is not None):
            return self._roll_back(findings.fault or "", losses, epochs, listener)
        if due.check:
            checkup.accept(findings)
        if due.epoch:
            self._end_epoch(losses, epochs, listener)
        if due.check:
            self.trainer.save(self.folder, healthy=True)
        return self._stop_early() if due.check else None

    def _due(self) -> _Due:
        is_over, reads = self.progress >= 1, self.step % _READ_LOSSES_EVERY_STEPS == 0
        epoch = is_over or self._epoch_ends()
        check = is_over or self.step % self.check_every_steps == 0
        return _Due(losses=epoch or check or reads, epoch=epoch, check=check)

    def _epoch_ends(self) -> bool:
        length, steps = self.trainer.loader.steps_per_epoch, self.plan.recipe.discriminator_steps
        if length == 1:
            return self.step % _READ_LOSSES_EVERY_STEPS == 0
        batches = self.trainer.batches_seen
        # A step with several batches can pass the end of an epoch in its middle.
        return batches // length > (batches - steps) // length

    def _end_epoch(self, losses: dict[str, float], epochs: EpochLog, listener: RunListener) -> None:
        line = epochs.end_epoch(losses)
        if self._is_leader:
            listener.on_epoch(line)

    def _roll_back(
        self, fault: str, losses: dict[str, float], epochs: EpochLog, listener: RunListener
    ) -> Ending | None:
        """Return to the last healthy state with lower learning rates, or give up."""
        interventions = self.trainer.position.memory.interventions
        if not self.plan.recipe.guard or interventions >= guard.MAX_INTERVENTIONS:
            tried = f" after {interventions} rollbacks" if interventions else ""
            return Ending("gave up", f"{fault} at step {self.step}{tried}")
        event = f"step {self.step}: {fault}; rolled back, learning rates halved"
        self.trainer.roll_back(self.folder, event)
        listener.on_event(event)
        # A budget in minutes can be spent even after the rollback. The event still needs its log line then.
        if self.progress >= 1:
            self._end_epoch(losses, epochs, listener)
        self.trainer.save(self.folder)
        return None

    def _stop_early(self) -> Ending | None:
        """Stop when the recipe's patience is over. Only a check can find a better snapshot, so only checks ask."""
        patience, best = self.plan.recipe.patience, self.trainer.position.best
        waited = self.progress - best.progress if best and patience < 1 else 0.0
        if parallel.from_leader(waited < patience or self.progress >= 1):
            return None
        return Ending("stopped early", f"no better Frechet distance for {waited:.0%} of the budget")
