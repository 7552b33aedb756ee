"""Writes the checkpoint that a run ships, with its card and pictures."""

from pathlib import Path

from models import checkpoint
from training.dataset.dataset_files import Dataset
from training.hardware import device_name
from training.record import Recorder, interpolation, sample_grid
from training.trainer import Trainer


def publish(path: Path, trainer: Trainer, recorder: Recorder) -> None:
    """Write the average, which is in eval mode, as the run's checkpoint, and its card and pictures next to it."""
    average, architecture, header = trainer.networks.average, trainer.architecture, _header(trainer)
    checkpoint.save(path, header, average)
    strip = interpolation.draw(average, architecture, header.classes)
    recorder.publish(header, sample_grid.draw(average, architecture, header.classes), strip)


def _header(trainer: Trainer) -> checkpoint.Header:
    plan, position = trainer.plan, trainer.position
    return checkpoint.Header(
        name=plan.name,
        architecture=trainer.architecture,
        classes=trainer.classes,
        data=_credit(plan.dataset, trainer.classes),
        training=checkpoint.Training(images_seen=trainer.images_seen, device=device_name(plan.device)),
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


def _credit(dataset: Dataset, classes: tuple[str, ...]) -> checkpoint.DataCredit:
    data = dataset.description
    return checkpoint.DataCredit(
        name=data.name,
        licence=data.licence,
        images=data.count,
        sha256=data.sha256,
        held_out=data.held_out,
        class_counts=tuple(dataset.labels.bincount(minlength=len(classes)).tolist()) if classes else (),
    )
