"""A run of the recipe flagship for the seconds that are left, and its evaluation."""

import json
import shutil
from pathlib import Path

from benchmarks.gpu.commands import run_command
from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options

_NAME = "celeba-64"
_EVALUATION_SECONDS = 75
_OTHER_SECONDS = 35
"""Time to start, to measure the data, and to end."""
_LEAST_MINUTES = 0.05
_SMALL = ("batch=8", "generator_channels=8", "discriminator_channels=8")


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Train, copy the pictures, and evaluate."""
    if not options.dataset.exists():
        results.add("run was left out", "the section data has not built a dataset")
        return
    runs = Path(options.work) / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    spare = options.pick(20, _EVALUATION_SECONDS + _OTHER_SECONDS)
    minutes = options.pick(_LEAST_MINUTES, max(_LEAST_MINUTES, (deadline.left() - spare) / 60))
    budget = ("--minutes", f"{minutes:.2f}", "--runs", str(runs), "--name", _NAME)
    changes = [part for change in options.pick(_SMALL, ()) for part in ("--set", change)]
    limit = max(1.0, deadline.left() - options.pick(10, _EVALUATION_SECONDS))
    run_command(results, limit, "train", str(options.dataset), "--recipe", "flagship", *budget, *changes)
    folders = sorted(runs.iterdir()) if runs.exists() else []
    if not folders:
        results.add("run ended early", "it has no folder")
        return
    _report(folders[-1], results, Path(options.out))
    checkpoint = folders[-1] / f"{_NAME}.safetensors"
    if checkpoint.exists():
        report = Path(options.out) / "evaluate.json"
        arguments = (
            "evaluate",
            str(checkpoint),
            str(options.dataset),
            "--n",
            options.pick("24", "10000"),
            "--json",
            str(report),
        )
        run_command(results, deadline.left() - 1, *arguments)


def _report(folder: Path, results: Results, out: Path) -> None:
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    checks = [(line["seconds"], line["images_seen"], line["metrics"]) for line in lines if line.get("metrics")]
    results.add("checks: seconds, images, figures", checks[-8:])
    results.add("images/s of the last epochs", [line["images_per_s"] for line in lines[-6:]])
    last = lines[-1] if lines else {}
    results.add("images seen", last.get("images_seen"), seconds=last.get("seconds"))
    for name in (f"{_NAME}.png", f"{_NAME}.safetensors", "plots.png", "log.jsonl"):
        if (folder / name).exists():
            shutil.copy(folder / name, out / name)
