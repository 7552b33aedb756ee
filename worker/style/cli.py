"""The command `imagemill style`. It imports torch inside functions, so that `--help` is quick."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from worker.settings import WorkerSettings

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS: dict[str, dict[str, Any]] = {
    ".png": {},
    ".jpg": {"quality": 95},
    ".jpeg": {"quality": 95},
    ".webp": {"lossless": True},
}


def style(
    image: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The picture to style.")],
    painting: Annotated[Path, typer.Option("--style", exists=True, dir_okay=False, help="The style picture.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", dir_okay=False, help="PNG, JPEG or WebP."), "overwrites with --force"
    ] = Path("out.png"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,  # noqa: ARG001
    size: Annotated[int, typer.Option(min=64, max=1024, help="Longer side of the result, at most, in pixels.")] = 512,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Strength of the style; 0 leaves the picture unchanged.")
    ] = 1,
    steps: Annotated[int | None, typer.Option(min=1, max=2000, help="Optimisation steps at full size.")] = None,
    keep_colours: Annotated[
        bool, typer.Option("--keep-colours", help="Take only the style's strokes, not its colours.")
    ] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Device to compute on.")] = "auto",
) -> None:
    """Give one picture the style of another. IMAGEMILL_VGG19 names the file of VGG19's weights, in safetensors."""
    import torch

    from models import atomic_file
    from worker.contracts.uploaded_images import PictureError
    from worker.errors import WorkerError

    console = Console(soft_wrap=True, highlight=False)
    error_console = Console(soft_wrap=True, highlight=False, stderr=True)
    if out.suffix.lower() not in _FORMATS:
        raise typer.BadParameter(f"{out} must end in {', '.join(_FORMATS)}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"the folder {out.parent} does not exist")
    if device == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("there is no CUDA device on this machine")
    try:
        atomic_file.check(out)  # fail before the optimisation, which can take minutes
        result = _style_with_progress(
            _read_picture(image, size),
            _read_picture(painting, size),
            strength,
            steps,
            keep_colours,
            device,
            error_console,
        )
        _write_picture(out, result)
    except torch.OutOfMemoryError:
        error_console.print("[bold red]Error:[/] the GPU has too little memory; try a smaller --size")
        raise typer.Exit(1) from None
    except (PictureError, WorkerError, OSError) as error:
        error_console.print(f"[bold red]Error:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        error_console.print("Stopped; nothing was written.")
        raise typer.Exit(130) from None
    console.print(f"[bold]{escape(str(out))}[/]: {result.width} x {result.height} px")


def _style_with_progress(
    picture: "Image",
    painting: "Image",
    strength: float,
    steps: int | None,
    keep_colours: bool,
    device: Literal["auto", "cpu", "cuda"],
    console: Console,
) -> "Image":
    from worker.style.gatys import GatysSettings
    from worker.style.single import style_picture

    settings = GatysSettings(steps=steps or GatysSettings.steps, keep_colours=keep_colours)
    columns = (TextColumn("styling"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("styling", total=None)

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return style_picture(
            picture,
            painting,
            WorkerSettings().vgg19,
            strength=strength,
            settings=settings,
            device=device,
            watch=watch,
        )


def _read_picture(path: Path, size: int) -> "Image":
    """Read an image file as RGB, reduced to a longer side of `size` pixels. Raises PictureError or OSError."""
    from worker.contracts.uploaded_images import PictureError, normalise

    try:
        return normalise(path.read_bytes(), size)
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error


def _write_picture(path: Path, picture: "Image") -> None:
    from PIL import Image

    from models import atomic_file

    file = io.BytesIO()
    picture.save(file, Image.registered_extensions()[path.suffix.lower()], **_FORMATS[path.suffix.lower()])
    atomic_file.write(path, file.getvalue())
