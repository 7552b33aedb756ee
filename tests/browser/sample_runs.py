"""Folders of training runs for the view Runs, written by the recorder of the training."""

from pathlib import Path

from PIL import Image

from tests.tiny import picture
from training.record import create_folder, run_log
from training.record.run_log import EpochLine

EPOCHS = 12
_IMAGES = 5_000
_ROLLED_BACK = 7
_SHEET = (480, 320)


def write_runs(folder: Path) -> list[Path]:
    """Write two runs: an ended one, and one that a test can let run by a lock on its file `owner`."""
    return [_write_run(folder, "faces-64", 1.0), _write_run(folder, "photos-64", 1.4)]


def _write_run(folder: Path, data: str, factor: float) -> Path:
    run = create_folder(folder, "flagship", data)
    (run / "owner").touch()
    for epoch in range(1, EPOCHS + 1):
        write_epoch(run, epoch, factor)
    (run / "healthy.safetensors").touch()
    return run


def write_epoch(run: Path, epoch: int, factor: float = 1.0) -> None:
    """Append an epoch to a run, with its contact sheet. Loss 7 is not a number, and the guard rolls it back."""
    images = epoch * _IMAGES
    line = EpochLine(
        epoch=epoch,
        loss_g=float("nan") if epoch == _ROLLED_BACK else factor * (1 + 4 / epoch),
        loss_d=0.4 + 0.02 * epoch,
        real_score=0.6 + 0.01 * epoch,
        fake_score=0.4 - 0.01 * epoch,
        images_seen=images,
        images_per_s=800 + 10 * epoch,
        seconds=60.0 * epoch,
        metrics={"fd": factor * (20 + 100 / epoch)} if epoch % 2 == 0 else {},
        events=("loss_g is nan: rolled back to 30,000 images",) if epoch == _ROLLED_BACK else (),
    )
    run_log.append(run, line)
    sheet = picture(epoch, (40, 40)).resize(_SHEET, Image.Resampling.NEAREST)
    sheet.save(run / "samples" / f"images-{images:09d}.png")
