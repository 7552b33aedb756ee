"""Where and how `imagemill generate` delivers a job."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output_path import STANDARD_OUTPUT, write_obstacle
from app.cli.refusal import refuse_usage

Out = Annotated[
    Path | None, typer.Option("-o", "--out", help="Output file; - is standard output; default: a file in this folder.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]
Server = Annotated[str, typer.Option(envvar="IMAGEMILL_SERVER", help="Address of the service.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the finished job as JSON.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]


@dataclass(frozen=True)
class OutputOptions:
    """The options of the command that concern its output."""

    out: Path | None = None
    """None names the file after the job. `-` is standard output."""
    is_forced: bool = False
    """Whether an existing file is replaced."""
    is_json: bool = False
    """Whether the job is printed as JSON instead of a report."""
    is_quiet: bool = False
    """Whether only errors are printed."""

    @property
    def is_standard_output(self) -> bool:
        """Whether the archive is written to standard output."""
        return self.out == STANDARD_OUTPUT

    @property
    def folder_of_splits(self) -> Path:
        """Folder of the archives of several splits. It is created. Exits with status 2 if the user named none."""
        if self.out is None or self.is_standard_output:
            refuse_usage("--split needs -o with a folder, for the files train.zip and so on")
        if self.out.exists() and not self.out.is_dir():
            refuse_usage(f"{self.out} is not a folder; --split needs one for its files")
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out

    @property
    def folder(self) -> Path:
        """Folder of the output file."""
        return Path() if self.out is None else self.out.parent

    def check(self) -> None:
        """Exit with status 2 if the output cannot be written."""
        if not self.is_standard_output:
            if self.out is not None:
                self.check_path(self.out)
            return
        if sys.stdout is None or sys.stdout.isatty():
            refuse_usage("-o - writes the archive to standard output, which must be a pipe or a file")
        if self.is_json or self.is_forced:
            ignored = "--json" if self.is_json else "--force"
            refuse_usage(f"{ignored} cannot be combined with -o -: standard output holds the archive only")

    def check_path(self, path: Path) -> None:
        """Exit with status 2 if a file exists and must not be replaced."""
        obstacle = write_obstacle(path, is_forced=self.is_forced) if path != STANDARD_OUTPUT else None
        if obstacle is not None:
            refuse_usage(obstacle)
