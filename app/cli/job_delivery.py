"""Waits for a job and saves its images, for `imagemill generate`."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from app.archive_name import archive_name
from app.cli.archive_output import check_writable
from app.cli.estimate_report import is_large, print_estimate, print_note
from app.cli.job_report import print_report, speed
from app.cli.new_job import NewJob
from app.cli.output_options import OutputOptions
from app.cli.resume_hints import hint_on_interruption, print_left_over, resume_hint
from app.cli.save_archive import save_archive
from app.cli.signals import ended_by_signals
from app.cli.terminal import Terminal, print_json
from app.client import (
    Client,
    ClientError,
    Job,
    NotAvailableError,
    RefusedError,
    UnexpectedResponseError,
    partial_file,
)
from app.client.job_parameters import JobParameters
from app.client.options import Split

_UNNAMED = Path("<model>-seed<seed>-n<n>.zip")
"""Stands for the file in error messages, until its name is known."""


@contextmanager
def open_delivery(server: str, key: str | None, output: OutputOptions) -> Iterator["JobDelivery"]:
    """Connect to a service. A signal or an error within the block ends the command."""
    terminal = Terminal(is_quiet=output.is_quiet, has_result=not output.is_json)
    with ended_by_signals(ClientError, is_normal=False), Client(server, key, notify=terminal.note) as client:
        yield JobDelivery(client, output, terminal)


class JobDelivery:
    """Delivers one job to the output that the user has chosen."""

    def __init__(self, client: Client, output: OutputOptions, terminal: Terminal) -> None:
        self._client = client
        self._output = output
        self._terminal = terminal

    def request(self, new_job: NewJob) -> None:
        """Request a job, wait for it, and save its images."""
        self._check_output()
        if not self._output.is_standard_output:
            print_left_over(self._output.folder, self._client.server, self._terminal)
        if self._output.out is None and (name := new_job.expected_name(self._client)) is not None:
            self._output.check_path(name)
        parameters = new_job.parameters(self._client)
        if new_job.may_be_large and not self._output.is_quiet:
            self._note_large(parameters)
        started = time.monotonic()
        job = self._client.generate(**parameters)
        out = self._output.out or Path(archive_name(job))
        with hint_on_interruption(self._client.server, {job.id: out}):
            self._note_accepted(job, out)
            self._save(job, out, lambda: speed(job, started))

    def request_splits(self, new_job: NewJob, splits: Mapping[Split, int]) -> None:
        """Request a job for each split, all with one seed, and save their archives in the output folder."""
        folder = self._output.folder_of_splits
        outs = [folder / f"{split}.{new_job.suffix}" for split in splits]
        print_left_over(folder, self._client.server, self._terminal)
        for out in outs:
            self._output.check_path(out)
            check_writable(out)
        parameters, unsaved, jobs = new_job.parameters(self._client), dict[str, Path](), list[Job]()
        started = time.monotonic()
        with hint_on_interruption(self._client.server, unsaved):
            for (split, n), out in zip(splits.items(), outs, strict=True):
                parameters |= {"n": n, "split": split}
                job = self._client.generate(**parameters)
                parameters |= {"seed": job.seed, "model": job.model}
                unsaved[job.id] = out
                jobs.append(job)
                self._note_accepted(job, out)
            for job in jobs:
                self._save(job, unsaved[job.id], partial(speed, job, started))
                del unsaved[job.id]

    def extend(self, job_id: str, n: int) -> None:
        """Request n more images for the dataset of a job, and save all of its images."""
        self._check_output()
        job = self._client.extend(job_id, n)
        self._note_accepted(job, self._output.out or Path(archive_name(job)))
        self.resume(job.id)

    def curate(self, job_id: str, exclude: Iterable[int]) -> None:
        """Throw images out of the dataset of a job, and save the dataset with the images that replace them."""
        self._check_output()
        job = self._client.curate(job_id, exclude)
        self._note_accepted(job, self._output.out or Path(archive_name(job)))
        self.resume(job.id)

    def _note_accepted(self, job: Job, out: Path) -> None:
        self._terminal.note(f"job {job.id} accepted; {resume_hint(self._client.server, job.id, out)}")

    def estimate(self, new_job: NewJob) -> None:
        """Print the estimate of a job, and request nothing."""
        estimate = self._client.estimate(**new_job.parameters(self._client))
        print_estimate(estimate, self._terminal)
        if self._output.is_json:
            print_json(estimate.model_dump(mode="json", by_alias=True, exclude_unset=True))

    def _note_large(self, parameters: JobParameters) -> None:
        # The request for the job reports the same error. Older services have no estimate.
        with suppress(NotAvailableError, RefusedError, UnexpectedResponseError):
            estimate = self._client.estimate(**parameters)
            if is_large(estimate):
                print_note(estimate, self._terminal)

    def resume(self, job_id: str) -> None:
        """Wait for a job that was requested before, and save the images that are missing here."""
        self._check_output()
        found = [] if self._output.is_standard_output else partial_file.of_job(self._output.folder, job_id)
        started = time.monotonic()
        job = self._find(job_id, found)
        out = self._output.out or (found[0].out if found else Path(archive_name(job)))
        self._output.check_path(out)
        # Another --out than before: the bytes that are here already move to the new name.
        if found:
            found[0].path.replace(partial_file.path_of(out, job_id))

        def took() -> str:
            return f"{time.monotonic() - started:.1f} s from the start of this command to last byte"

        with hint_on_interruption(self._client.server, {job.id: out}):
            self._save(job, out, took)
        for shorter in found[1:]:
            shorter.path.unlink(missing_ok=True)

    def _check_output(self) -> None:
        """Refuse an output that cannot be written, before the service works for it."""
        self._output.check()
        if not self._output.is_standard_output:
            check_writable(self._output.out or _UNNAMED)

    def _find(self, job_id: str, found: list[partial_file.PartialFile]) -> Job:
        try:
            return self._client.job(job_id)
        except NotAvailableError as error:
            for partial in found:
                error.add_note(
                    f"{partial.path} is a partial download of it; delete the file if the job no longer exists"
                )
            raise

    def _save(self, job: Job, out: Path, took: Callable[[], str]) -> None:
        """Save the archive of a job and print the result. With --json, print also a job that failed."""
        try:
            save_archive(self._client, job, out, self._terminal.notes, is_forced=self._output.is_forced)
        except NotAvailableError:
            if self._output.is_json:
                with suppress(ClientError):
                    _print_job(self._client.job(job.id), None)
            raise
        if job.yield_ is not None:  # the figures are known at the end
            job = self._client.job(job.id)
        print_report(job, out, took(), self._terminal)
        if self._output.is_json:
            _print_job(self._client.wait(self._client.job(job.id)), out)


def _print_job(job: Job, out: Path | None) -> None:
    fields = job.model_dump(mode="json", by_alias=True, exclude_unset=True)
    print_json(fields | {"file": out and str(out.resolve())})
