"""The check of a run: measures it, judges its health, and publishes its best snapshot."""

from dataclasses import dataclass
from pathlib import Path

from training import batch_norm, guard, publish, saved_states, state
from training.evaluator import Evaluator
from training.metrics.figures import QuickFigures
from training.record import Recorder
from training.trainer import Trainer


@dataclass(frozen=True)
class Findings:
    """The result of a check."""

    signals: guard.Signals
    figures: QuickFigures | None
    """None if the run was not measured."""
    fault: str | None
    """A sentence about the fault, or None."""


class Checkup:
    """Examines a run, and accepts or rejects its latest state."""

    def __init__(self, trainer: Trainer, evaluator: Evaluator | None, recorder: Recorder | None, path: Path) -> None:
        """`path` is the checkpoint to publish. Only the leader has a recorder, and perhaps an evaluator."""
        self._trainer, self._evaluator, self._recorder, self._path = trainer, evaluator, recorder, path

    def examine(self, losses: dict[str, float], *, measure: bool) -> Findings:
        """Judge the mean losses and, with `measure`, samples of the average."""
        figures = self._measure() if measure and guard.all_finite(losses.values()) else None
        signals = self._signals(losses, figures)
        return Findings(signals, figures, guard.find_fault(signals, self._trainer.position.memory))

    def accept(self, findings: Findings) -> None:
        """Remember the findings of a healthy check, and publish the snapshot if it is the best."""
        trainer, figures = self._trainer, findings.figures
        position = trainer.position
        best = position.best
        # A run that is not measured ships its latest snapshot.
        is_better = figures is None or best is None or figures.fd < best.fd
        if is_better and figures is not None:
            best = state.Best(fd=figures.fd, step=position.step, progress=trainer.progress)
        named = self._evaluator.name_figures(figures) if self._evaluator and figures else {}
        trainer.update(best=best, figures=named, memory=position.memory.with_check(findings.signals))
        # Only the leader has figures and a recorder, so only it decides what ships.
        if is_better and self._recorder:
            self._publish(self._recorder)

    def _measure(self) -> QuickFigures | None:
        trainer = self._trainer
        with trainer.clock.excluded(trainer.clock.check):
            batch_norm.prepare_average(trainer.networks.average, trainer.architecture, trainer.plan)
            return self._evaluator.measure(trainer.networks.average, trainer.architecture) if self._evaluator else None

    def _signals(self, losses: dict[str, float], figures: QuickFigures | None) -> guard.Signals:
        """Collect the signals for the guard. A recipe without a guard checks only that the losses are finite."""
        recipe = self._trainer.plan.recipe
        if recipe.guard:
            return guard.gather_signals(recipe.objective, losses, figures)
        return guard.Signals(finite=guard.all_finite(losses.values()))

    def _publish(self, recorder: Recorder) -> None:
        clock, step = self._trainer.clock, self._trainer.position.step
        with clock.excluded(clock.publish), saved_states.explain_write_errors(self._path.parent, step):
            publish.publish(self._path, self._trainer, recorder)
