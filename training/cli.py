"""The commands `imagemill dataset` and `imagemill train`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from training.console import console, errors, progress, stop_on_signal, watch
from training.errors import DatasetError, RecipeError


def dataset(
    source: Annotated[Path, typer.Argument(help="A folder of images, a folder of class folders, or a zip of either.")],
    out: Annotated[Path, typer.Argument(help="The dataset to make; a folder that does not exist yet.")],
    size: Annotated[int, typer.Option(min=32, max=512, help="Side of the square images, a multiple of 16.")] = 64,
    label_column: Annotated[str | None, typer.Option(help="Take class labels from this column of the table.")] = None,
    file_column: Annotated[str, typer.Option(help="The column that names the files.")] = "file",
    labels: Annotated[str, typer.Option(help="The CSV table, inside the source or on disk.")] = "labels.csv",
    name: Annotated[str | None, typer.Option(help="Name of the data, for the cards of its models.")] = None,
    licence: Annotated[str, typer.Option(help="Terms of the data, for the cards of its models.")] = "not stated",
) -> None:
    """Turn images into one checked array: centre square, Lanczos, RGB. Bad files are listed and set aside."""
    from training.dataset import source as sources
    from training.dataset import store

    column = sources.LabelColumn(labels, label_column, file_column) if label_column else None
    with errors():
        if size % 16:
            raise DatasetError(f"--size must be a multiple of 16, got {size}")
        found = sources.items(source, column)
        with progress("files") as bar:
            task = bar.add_task("reading", total=len(found), rate="")
            credit = store.Credit(name or source.stem, licence)
            made = store.build(found, out, size, credit, lambda done: bar.update(task, completed=done))
    for file in made.set_aside:
        console.print(f"set aside {file.file}: {file.reason}", markup=False)
    classes = f", {len(made.classes)} classes ({', '.join(made.classes)})" if made.classes else ""
    console.print(f"{made.count} images of {size} x {size} px{classes}, {len(made.set_aside)} set aside", markup=False)
    console.print(f"next: imagemill train {out} --recipe dcgan", markup=False)


def train(
    data: Annotated[Path, typer.Argument(help="A dataset made by `imagemill dataset`.")],
    recipe: Annotated[str, typer.Option(help="Name of the recipe.")] = "dcgan",
    name: Annotated[str | None, typer.Option(help="Name of the model; default: data and size.")] = None,
    epochs: Annotated[float | None, typer.Option(min=0.001, help="Budget: how often each image is seen.")] = None,
    images: Annotated[int | None, typer.Option(min=1, help="Budget: how many images are seen in all.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    runs: Annotated[Path, typer.Option(help="Where run folders are numbered.")] = Path("runs"),
    resume: Annotated[Path | None, typer.Option(help="Continue the run in this folder, as it was begun.")] = None,
    change: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe.")] = None,
) -> None:
    """Train a model. Ctrl-C stops at the next step and leaves a run that `--resume` continues exactly."""
    from training import plan as plans
    from training import record
    from training.dataset import store
    from training.loop import Run

    changes = plans.Changes(epochs, images, tuple(change or ()))
    with errors(), stop_on_signal() as stop:
        images_of = store.load(data)
        if resume is None:
            plan = plans.fresh(images_of, recipe, changes, seed, plans.device_named(device), name)
            folder = record.new_folder(runs, recipe, plan.name)
        elif changes != plans.Changes() or name or seed:
            raise RecipeError("a resumed run keeps its name, seed, budget and recipe")
        else:
            plan, folder = plans.resumed(images_of, resume, plans.device_named(device)), resume
        done = watch(Run(plan, folder), stop)
    if not done:
        console.print(f"stopped; continue with: imagemill train {data} --resume {folder}", markup=False)
        raise typer.Exit(130)
    console.print(f"checkpoint: {folder / plan.name}.safetensors", markup=False)
