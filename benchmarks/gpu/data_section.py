"""Builds the dataset on which the sections `training` and `run` train."""

import time

from benchmarks.gpu.commands import run_command
from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options

_SIDE = 64


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Build the dataset from the images of the command line."""
    if not options.images:
        results.add("data was left out", "it needs --images")
        return
    side, began = str(options.pick(32, _SIDE)), time.perf_counter()
    arguments = ("dataset", options.images, str(options.dataset), "--size", side, "--name", "celeba")
    run_command(results, deadline.left(), *arguments)
    results.add("the dataset was built", options.dataset.exists(), seconds=round(time.perf_counter() - began, 1))
