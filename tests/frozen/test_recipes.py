"""What each recipe makes of a tiny dataset on the CPU: its losses, its checkpoint, its run folder."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from tests.command import COMMAND
from tests.frozen import snapshot
from tests.tiny import picture

IMAGES = 24
SMALL = ("batch=8", "latent_dim=8", "generator_channels=4", "discriminator_channels=4", "guard=false")
EPOCHS = 6
"""18 steps, or 4 of a recipe with five discriminator steps. The lazy penalty is computed twice, in steps 0 and 16."""
MEASURED = ("images_per_s", "seconds")
"""Fields of the log that depend on the machine's speed."""
MACHINE = ("device", "minutes", "python", "torch")
"""Fields of a checkpoint's header that depend on the machine, or on the versions of its libraries."""
RELATIVE, ABSOLUTE = 1e-5, 2e-8
"""Kernels for SSE4.1, AVX2 and AVX-512 add in different orders: losses differed by 3e-7 of their value, or by 1e-9."""

Losses = dict[str, list[dict[str, float]]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The run folder of each recipe. Training computes in float32, as on a CPU without units for bfloat16."""
    folder = tmp_path_factory.mktemp("recipes")
    for number in range(IMAGES):
        path = folder / "pets" / ("cat" if number % 3 else "dog") / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(torch.cpu, "get_capabilities", dict)
        imagemill("dataset", "pets", "data", "--size", "32")
        yield {recipe: train(folder, recipe) for recipe in recipes()}


def test_every_recipe_keeps_its_losses(runs: dict[str, Path]) -> None:
    found = {recipe: losses(run) for recipe, run in runs.items()}
    text = snapshot.as_json(found)
    if snapshot.is_renewed():
        snapshot.check("losses.json", text)
    expected: Losses = json.loads(snapshot.read("losses.json"))
    if not are_close(found, expected):
        difference = snapshot.diff("losses.json", snapshot.as_json(expected), text)
        pytest.fail(f"losses.json has changed; {snapshot.RENEW}=1 renews it\n{difference}", pytrace=False)


def test_every_recipe_keeps_the_format_of_its_checkpoint(runs: dict[str, Path]) -> None:
    snapshot.check("checkpoints.json", snapshot.as_json({recipe: checkpoint(run) for recipe, run in runs.items()}))


def test_a_run_folder_keeps_its_name_and_files(runs: dict[str, Path]) -> None:
    found = {
        f"{re.sub('^[0-9]+', '<number>', run.name).replace(recipe, '<recipe>')}/{path.name}"
        for recipe, run in runs.items()
        for path in run.iterdir()
    }
    snapshot.check("run-folder.txt", snapshot.as_lines(found))


def recipes() -> list[str]:
    """Ask for a recipe that does not exist: the answer lists all."""
    refused = imagemill("train", "data", "--recipe", "none", status=1)
    (names,) = re.findall(r"no recipe 'none'; there are: (.*)", refused.output)
    return str(names).split(", ")


def train(folder: Path, recipe: str) -> Path:
    """Train a recipe with tiny networks. Returns the folder of the run."""
    changes = [part for change in SMALL for part in ("--set", change)]
    imagemill("train", "data", "--recipe", recipe, "--epochs", str(EPOCHS), "--seed", "3", "--device", "cpu", *changes)
    (run,) = folder.glob(f"runs/[0-9]*-{recipe}-pets-32")
    return run


def losses(run: Path) -> list[dict[str, float]]:
    """Read the lines of a run's log."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: round(value, 9) for name, value in line.items() if name not in MEASURED} for line in lines]


def checkpoint(run: Path) -> dict[str, Any]:
    """Read a checkpoint's header and the shapes of its tensors."""
    (path,) = (path for path in run.glob("*.safetensors") if path.stem not in ("state", "healthy"))
    with safe_open(path, "pt") as file:
        texts = file.metadata()
    tensors = {name: f"{tensor.dtype} {list(tensor.shape)}" for name, tensor in load_file(path).items()}
    return {"header": {name: masked(json.loads(text)) for name, text in texts.items()}, "tensors": tensors}


def masked(value: Any) -> Any:
    """Replace what depends on the machine."""
    if not isinstance(value, dict):
        return value
    return {name: f"<{name}>" if name in MACHINE else masked(part) for name, part in value.items()}


def are_close(found: Losses, expected: Losses) -> bool:
    lines, others = ([line for recipe in sorted(losses) for line in losses[recipe]] for losses in (found, expected))
    return found.keys() == expected.keys() and lines == [
        pytest.approx(other, rel=RELATIVE, abs=ABSOLUTE) for other in others
    ]


def imagemill(*arguments: str, status: int = 0) -> Result:
    """Run a command in this process, as the tensor library takes seconds to load."""
    done = CliRunner().invoke(import_module(COMMAND[-1]).cli, arguments)
    assert done.exit_code == status, (done.output, done.exception)
    return done
