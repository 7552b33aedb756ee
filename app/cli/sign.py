"""The command `imagemill sign`."""

from pathlib import Path
from typing import Annotated

import typer


def sign(
    archive: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="ZIP of a dataset with image files.")],
    certificate: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="Certificate in PEM, followed by those that signed it."),
    ],
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Private key of the certificate in PEM.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", dir_okay=False, help="Output file."), "overwrites with --force"
    ] = Path("signed.zip"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,  # noqa: ARG001
) -> None:
    """Add Content Credentials (C2PA) to all images of a downloaded dataset. It needs the extra c2pa."""
    from app.cli.sign_archive import sign_archive

    sign_archive(archive, certificate, key, out)
