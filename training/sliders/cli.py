"""The command `imagemill sliders`. Tensors are imported inside, so that `--help` is quick."""

from typing import Annotated

import typer

from training.console import check_writable, console, exit_on_interrupt, progress, report_errors
from training.errors import UsageError


def sliders(
    checkpoint: Annotated[
        str, typer.Argument(help="A checkpoint (.safetensors), or the name of a model that is shipped.")
    ],
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the sliders.")] = False,
) -> None:
    """Find the sliders of a model: directions of its latents that change brightness, colour and so on."""
    with report_errors(), exit_on_interrupt("stopped; nothing was written"):
        from models import registry
        from models.sliders import sliders_path
        from training import run_plan
        from training.sliders.fit import LEAST_GAIN
        from training.sliders.sliders_file import write_sliders

        source = registry.find(checkpoint)
        path = sliders_path(source)
        check_writable(path, source)
        if path.exists() and not force:
            raise UsageError(f"{path} exists already; give --force to replace it")
        with progress("images") as bar:
            task = bar.add_task("drawing", total=None, rate="")
            found = write_sliders(
                source,
                run_plan.find_device(device),
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        for slider in found.sliders:
            console.print(f"{slider.name:<18} R2 {slider.r2:.2f}, of the class alone {slider.r2_class:.2f}")
        if not found.sliders:
            console.print(f"no slider: z explains less than {LEAST_GAIN:g} of all that was measured")
        console.print(f"{path}: {len(found.sliders)} sliders, {path.stat().st_size / 1e3:.0f} kB", markup=False)
