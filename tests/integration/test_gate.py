"""Training a quality gate as a person does it: the installed command on real files."""

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from models.quality_gate import load_gate, per_mille
from tests.command import COMMAND, ENVIRONMENT, heed_interrupts, imagemill
from tests.tiny import picture, save_checkpoint
from training.gate import calibration
from training.gate.candidates import CandidateSource, Use

pytestmark = pytest.mark.slow

QUICK = ("--images", "64", "--steps", "8", "--n", "24")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gate")
    for number in range(90):
        path = made / "pictures" / ("left" if number % 3 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    done = imagemill("dataset", "pictures", "smooth", "--size", "32", cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    save_checkpoint(made, "tiny", ("left", "right"))
    save_checkpoint(made, "stopped", ("left", "right"))
    save_checkpoint(made, "foreign", ("up", "down"))
    save_checkpoint(made, "blocks", ("left", "right"), architecture="residual")
    done = imagemill("gate", "tiny.safetensors", "smooth", *QUICK, "--json", "tiny.json", cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "judged by efflite0" in done.stdout
    assert "tiny.gate.safetensors: " in done.stdout
    return made


def test_a_gate_stands_beside_its_checkpoint_and_names_it(folder: Path) -> None:
    gate = load_gate(folder / "tiny.gate.safetensors")
    assert gate.header.model_sha256 == hashlib.sha256((folder / "tiny.safetensors").read_bytes()).hexdigest()
    assert (gate.header.model, gate.header.classes, gate.header.resolution) == ("tiny", ("left", "right"), 32)
    assert (gate.header.reals, gate.header.class_counts) == (90, (60, 30))
    assert len(gate.training_hashes) == 90
    assert [effect.keep for effect in gate.header.effects] == [1, 0.9, 0.7, 0.5, 0.35, 0.2]
    assert gate.header.second_judge == ()
    written = json.loads((folder / "tiny.json").read_text())
    assert written == json.loads(gate.header.model_dump_json())
    assert set(written["effects"][0]) == {"keep", "yield", "precision", "density", "coverage", "recall", "fd"}


def test_a_gate_keeps_the_promised_share_of_each_class(folder: Path) -> None:
    gate, n = load_gate(folder / "tiny.gate.safetensors"), 4000
    source, labels = CandidateSource.load(folder / "tiny.safetensors", 11, CPU), torch.arange(n) % 2
    grids = torch.cat([chunk.grids for chunk in source.grids(Use.JUDGING, labels)])
    raw = calibration.raw_scores(calibration.in_worker_precision(gate.network, CPU), grids)
    scores = torch.tensor(per_mille(gate.header, raw, labels.tolist()))
    for label in (0, 1):
        share = float((scores[labels == label] >= 500).double().mean())
        # Three standard errors of a share of 2000 images, whose threshold was set with 5000.
        assert abs(share - 0.5) < 3 * (0.25 * (1 / 2000 + 1 / 5000)) ** 0.5


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["tiny.safetensors", "smooth"], 2, "tiny.gate.safetensors exists already; give --force to replace it"),
        (["foreign.safetensors", "smooth"], 1, "Error: foreign has the classes up, down; pictures holds left, right"),
        (["faces-64", "smooth", "--force"], 1, "Error: faces-64 draws 64 px images, pictures holds 32 px"),
        (["tiny.safetensors", "nowhere", "--force"], 1, "Error: nowhere: not a dataset made by `imagemill dataset`"),
        (["blocks.safetensors", "smooth"], 1, "Error: blocks has the architecture residual; a quality gate reads"),
        (["nowhere", "smooth"], 1, "Error: no checkpoint 'nowhere': neither a file nor a shipped model"),
        (["foreign.safetensors", "smooth", "--json", "tiny.json"], 2, "tiny.json exists already"),
        (["foreign.safetensors", "smooth", "--steps", "5", "--minutes", "1"], 2, "leave one of them out"),
        (
            ["stopped.safetensors", "smooth", "--vgg19", "tiny.safetensors"],
            1,
            "Error: tiny.safetensors: not the weights of VGG19",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(folder: Path, arguments: list[str], status: int, message: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}
    done = imagemill("gate", *arguments, cwd=folder)
    assert message in done.stderr
    assert done.returncode == status
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.name: path.read_bytes() for path in folder.glob("*.safetensors")} == before


def test_ctrl_c_leaves_no_file(folder: Path) -> None:
    done = imagemill("dataset", "pictures", "other", "--size", "32", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    before = sorted(path.name for path in folder.iterdir())
    command = [*COMMAND, "gate", "stopped.safetensors", "other", "--minutes", "9"]
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 60
    # The command has begun its work when it has stored the features of the real images.
    while not (folder / "other" / "features-efflite0.safetensors").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "stopped; nothing was written" in output
    assert sorted(path.name for path in folder.iterdir()) == before
