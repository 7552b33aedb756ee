"""The command `imagemill export`. Tensors are imported inside, so that `--help` is quick."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.console import check_writable, console, exit_on_signal, report_errors
from training.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from models.checkpoint import Header


def export(
    checkpoint: Annotated[str, typer.Argument(help="A checkpoint's file, or the name of a model that is shipped.")],
    onnx: Annotated[
        Path | None,
        typer.Option(help="The ONNX file to write; default: NAME.onnx, in this folder."),
        "overwrites with --force",
    ] = None,
    html: Annotated[
        bool,
        typer.Option("--html", help="Write one HTML file that draws images in a browser, without a network."),
        "not with --onnx",
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="The HTML file to write; default: NAME.html, in this folder."),
        "needs --html",
        "overwrites with --force",
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a model as ONNX, and say how far ONNX Runtime's images are from PyTorch's; or as an HTML file."""
    with report_errors(), exit_on_signal("stopped"):
        from models import registry
        from models.checkpoint import load_generator

        source = registry.find(checkpoint)
        header, generator = load_generator(source)
        path = (output or Path(f"{header.name}.html")) if html else (onnx or Path(f"{header.name}.onnx"))
        check_writable(path, source)
        if path.exists() and not force:
            option = "--output" if html else "--onnx"
            raise UsageError(f"{path} exists already; give --force to replace it, or name another file with {option}")
        if html:
            _write_html(path, source, header, generator)
        else:
            _write_onnx(path, header, generator)


def _write_html(path: Path, source: Path, header: "Header", generator: "nn.Module") -> None:
    from models.browser.packed_model import pack
    from training.single_page import html_file

    sliders = source.with_name(f"{source.stem}.sliders.json")
    html_file.write(path, header, pack(header, generator, ""), sliders.read_bytes() if sliders.is_file() else None)
    console.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser", markup=False)


def _write_onnx(path: Path, header: "Header", generator: "nn.Module") -> None:
    from training import onnx as onnx_file

    onnx_file.write(path, header, generator)
    console.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", markup=False)
    if find_spec("onnxruntime"):
        difference = onnx_file.difference(path, header, generator)
        console.print(f"ONNX Runtime against PyTorch, on the CPU: at most {difference:.1e} apart, in -1 to 1")
    else:
        console.print("not compared with PyTorch: onnxruntime is not installed")
