"""The command `imagemill export`. Tensors are imported inside, so that `--help` is quick."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from training.console import check_writable, console, exit_on_signal, report_errors
from training.errors import UsageError


def export(
    checkpoint: Annotated[str, typer.Argument(help="A checkpoint's file, or the name of a model that is shipped.")],
    onnx: Annotated[
        Path | None,
        typer.Option(help="The file to write; default: NAME.onnx, in this folder."),
        "overwrites with --force",
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a model as ONNX, and say how far ONNX Runtime's images are from PyTorch's."""
    with report_errors(), exit_on_signal("stopped"):
        from models import registry
        from models.checkpoint import load_generator
        from training import onnx as onnx_file

        source = registry.find(checkpoint)
        header, generator = load_generator(source)
        path = onnx or Path(f"{header.name}.onnx")
        check_writable(path, source)
        if path.exists() and not force:
            raise UsageError(f"{path} exists already; give --force to replace it, or name another file with --onnx")
        onnx_file.write(path, header, generator)
        console.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", markup=False)
        if find_spec("onnxruntime"):
            difference = onnx_file.difference(path, header, generator)
            console.print(f"ONNX Runtime against PyTorch, on the CPU: at most {difference:.1e} apart, in -1 to 1")
        else:
            console.print("not compared with PyTorch: onnxruntime is not installed")
