"""The command `imagemill verify`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.refusal import refuse_usage
from app.cli.terminal import DEFAULT_SERVER


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, help="Images; with --manifest, one archive or the folder it was unpacked to."),
    ],
    server: Annotated[
        str, typer.Option(envvar="IMAGEMILL_SERVER", help="Address of the service."), "not with --manifest"
    ] = DEFAULT_SERVER,
    manifest: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="manifest.json of a dataset; manifest.sig must lie beside it."),
        "needs --public-key",
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Public key of the operator in PEM, for the manifest."),
        "needs --manifest",
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each file.")] = False,
) -> None:
    """Verify whether a service made images, or whether a dataset is that of a signed manifest.

    Exit status: 0 if all are, 1 if not. If the service needs an API key, set IMAGEMILL_KEY.
    """
    if manifest is None or public_key is None:
        from app.cli.verify_images import verify_images

        if folders := [path for path in files if path.is_dir()]:
            refuse_usage(f"{folders[0]} is a folder; give image files, or add --manifest and --public-key")
        is_genuine = verify_images(files, server, os.environ.get("IMAGEMILL_KEY") or None, is_json=as_json)
    else:
        from app.cli.verify_dataset import verify_dataset

        if len(files) > 1:
            refuse_usage("--manifest describes one dataset; give one archive or folder")
        is_genuine = verify_dataset(files[0], manifest, public_key, is_json=as_json)
    if not is_genuine:
        raise typer.Exit(1)
