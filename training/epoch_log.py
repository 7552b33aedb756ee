"""Ends an epoch: a line in the log, and a grid of samples if one is due."""

from PIL.Image import Image

from training import batch_norm
from training.record import EpochLine, Recorder, sample_grid
from training.trainer import Trainer


class EpochLog:
    """Records the epochs of a run. Only the leader has a recorder."""

    def __init__(self, trainer: Trainer, recorder: Recorder | None) -> None:
        self._trainer, self._recorder = trainer, recorder

    def end_epoch(self, losses: dict[str, float]) -> EpochLine:
        """Record an epoch with its mean losses, and start the next one."""
        trainer, position = self._trainer, self._trainer.position
        generator_lr, discriminator_lr = trainer.learning_rates
        line = EpochLine(
            epoch=-(-trainer.batches_seen // trainer.loader.steps_per_epoch),
            loss_g=losses["loss_g"],
            loss_d=losses["loss_d"],
            real_score=losses["real_score"],
            fake_score=losses["fake_score"],
            images_seen=trainer.images_seen,
            images_per_s=round(trainer.end_lap(), 1),
            seconds=round(position.seconds, 1),
            generator_lr=generator_lr,
            discriminator_lr=discriminator_lr,
            metrics=position.figures,
            events=position.events,
        )
        trainer.start_epoch()
        if self._recorder:
            self._recorder.record_epoch(line, self._draw_grid_if_due())
        return line

    def _draw_grid_if_due(self) -> Image | None:
        """Draw a grid, unless the pause since the last one is too short. A run always ends with a grid."""
        trainer = self._trainer
        if not (trainer.clock.grid.is_due() or trainer.progress >= 1):
            return None
        with trainer.clock.excluded(trainer.clock.grid):
            batch_norm.prepare_average(trainer.networks.average, trainer.architecture, trainer.plan)
            return sample_grid.draw(trainer.networks.average, trainer.architecture, trainer.classes)
