"""The command `imagemill dataset`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.console import console, notes, reading_bar, report_errors
from training.errors import UsageError

_TABLE = "labels.csv"
_ClassesFrom = Literal["folders", "parent", "boxes", "none"]
_Fit = Literal["crop", "top", "pad"]


def dataset(
    source: Annotated[Path, typer.Argument(help="A folder of images, a folder of class folders, or a zip of either.")],
    out: Annotated[Path, typer.Argument(help="The dataset to make; a folder that does not exist yet.")],
    size: Annotated[int, typer.Option(min=32, max=512, help="Side of the square images, a multiple of 16.")] = 64,
    label_column: Annotated[str | None, typer.Option(help="Name the classes by the values of this column.")] = None,
    file_column: Annotated[
        str | None, typer.Option(help="Column with the names of the files; default: detected."), "needs --label-column"
    ] = None,
    labels: Annotated[
        str, typer.Option(help="Table of labels in or beside the source: CSV, JSON, CelebA."), "needs --label-column"
    ] = _TABLE,
    classes_from: Annotated[
        _ClassesFrom | None,
        typer.Option(
            help="The classes: upper folders, each image's own folder, objects of --boxes; default: detected."
        ),
    ] = None,
    only_classes: Annotated[str | None, typer.Option(help="Use only these classes: a,b.")] = None,
    merge_classes: Annotated[bool, typer.Option("--merge-classes", help="Join Dog, dog and DOG.")] = False,
    split: Annotated[str | None, typer.Option(help="Use only the folder with this name, e.g. train.")] = None,
    boxes: Annotated[str | None, typer.Option(help="Crop to boxes: a folder of PASCAL VOC's XML, or a table.")] = None,
    fit: Annotated[_Fit, typer.Option(help="Keep the centre square, the top square, or all, padded.")] = "crop",
    background: Annotated[str, typer.Option(help="Colour behind transparency and padding.")] = "white",
    zip_names: Annotated[
        str | None, typer.Option(help="Encoding of names in a zip, e.g. cp932; default: detected.")
    ] = None,
    hold_out: Annotated[
        float | None, typer.Option(help="Share of each class that no training sees, for measuring, e.g. 0.1.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the data, for the cards of its models.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the data, for the cards of its models.")] = "not stated",
) -> None:
    """Turn images (PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, AVIF) into one checked array: a square of each, in sRGB."""
    from training.dataset import dataset_builder, dataset_files, default_names, import_plan, summary
    from training.dataset import hold_out as held_out
    from training.dataset.framing import Framing
    from training.dataset.image_source import SourceOptions, find_images
    from training.dataset.label_table import LabelColumn

    column = LabelColumn(labels, label_column, file_column) if label_column else None
    options = SourceOptions(column, classes_from, split, only_classes, merge_classes, boxes, zip_names)
    with report_errors():
        if size % 16:
            raise UsageError(f"--size must be a multiple of 16, got {size}")
        if hold_out is not None:
            held_out.check(hold_out)
        framing = Framing(fit, background, is_boxed=boxes is not None)
        images = find_images(source, options)
        for line in import_plan.lines(images, source, framing):
            console.print(line, markup=False)
        credit = dataset_builder.Credit(name or default_names.of_source(source), licence)
        with reading_bar(len(images.items)) as progress:
            dataset_builder.build(images.items, out, size, credit, progress, framing, hold_out)
        for line in summary.lines(dataset_files.load(out), (item.label for item in images.items)):
            console.print(line, markup=False)
    notes.print(f"next: imagemill train {out}", markup=False)
