"""`python -m benchmarks.few_images DATASET OUT`: makes a dataset with only a few training images per class.

Its training part is the first images of each class in the held-out part of a dataset. Its held-out part is the rest of
that held-out part, without near-duplicates of the few images.
"""

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from training.console import console, report_errors
from training.dataset import dataset_files, near_duplicates
from training.dataset.dataset_files import DESCRIPTION, HELD_OUT_IMAGES, HELD_OUT_LABELS, IMAGES, LABELS
from training.errors import DatasetError


def main(
    dataset: Annotated[Path, typer.Argument(help="A dataset made by `imagemill dataset --hold-out`.")],
    out: Annotated[Path, typer.Argument(help="Folder of the new dataset.")],
    per_class: Annotated[int, typer.Option(min=1, help="Images of each class in the training part.")] = 50,
) -> None:
    """Write the dataset, and print the number of images of each class."""
    with report_errors():
        source = dataset_files.load(dataset)
        if source.held_out is None:
            raise DatasetError(f"{dataset}: has no held-out images; make it with --hold-out")
        images, labels = source.held_out.images.numpy(), source.held_out.labels.numpy()
        few = np.zeros(len(labels), bool)
        for number in range(len(source.description.classes)):
            few[np.flatnonzero(labels == number)[:per_class]] = True
        groups = near_duplicates.groups(images)
        rest = ~few & ~np.isin(groups, groups[few])
        out.mkdir(parents=True)
        description = source.description.model_copy(
            update={
                "name": f"{source.description.name}-few",
                "count": int(few.sum()),
                "sha256": _write(out, IMAGES, LABELS, images[few], labels[few]),
                "held_out": int(rest.sum()),
                "held_out_sha256": _write(out, HELD_OUT_IMAGES, HELD_OUT_LABELS, images[rest], labels[rest]),
                "enlarged": 0,
                "duplicates": 0,
                "near_duplicates": 0,
            }
        )
        (out / DESCRIPTION).write_text(description.model_dump_json(indent=2), encoding="utf-8")
        made = dataset_files.load(out)
    held_out = made.held_out.labels.bincount().tolist() if made.held_out else []
    console.print(f"training: {made.labels.bincount().tolist()}; held out: {held_out}", markup=False)


def _write(
    folder: Path, images_name: str, labels_name: str, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> str:
    """Write one part of the dataset. Returns its checksum. Shapes: images (n, 3, r, r), labels (n,)."""
    (folder / images_name).write_bytes(images.tobytes())
    (folder / labels_name).write_bytes(labels.tobytes())
    digest = hashlib.sha256(images.tobytes())
    digest.update(labels.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    typer.run(main)
