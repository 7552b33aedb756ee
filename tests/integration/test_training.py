"""Training as a person does it: the installed command, real files, a real Ctrl-C."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from models import checkpoint
from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.command import run as executed
from tests.conftest import DataFile
from tests.tiny import picture

CONGRESS = "data/faces-congress-128.zip"
SMALL = ["--recipe", "dcgan", "--set", "batch=16", "--set", "generator_channels=4", "--set", "discriminator_channels=4"]

SLOW = [
    "--recipe",
    "dcgan",
    "--set",
    "batch=64",
    "--set",
    "generator_channels=16",
    "--set",
    "discriminator_channels=16",
]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    for number in range(200):
        path = folder / "pictures" / ("left" if number % 2 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    done = imagemill("dataset", "pictures", "faces", "--size", "64", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 images of 64 x 64 px, 2 classes (left, right), 0 set aside" in done.stdout
    return folder


def test_a_zip_of_real_portraits_becomes_a_dataset(tmp_path: Path, data_file: DataFile) -> None:
    portraits = data_file(CONGRESS)
    done = imagemill("dataset", portraits, "faces", "--size", "64", "--label-column", "era", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    classes = "19th-century, early-20th, late-20th, modern"
    assert f"7920 images of 64 x 64 px, 4 classes ({classes}), 0 set aside" in done.stdout


def test_a_dataset_becomes_a_checkpoint(faces: Path) -> None:
    done = imagemill("train", "faces", "--images", "640", "--name", "small", *SMALL, cwd=faces)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loss_g" in done.stderr
    (path,) = faces.glob("runs/*-dcgan-small/small.safetensors")
    assert f"checkpoint: {path.relative_to(faces)}" in done.stdout
    assert checkpoint.read_header(path).training.images_seen == 640


def test_ctrl_c_leaves_a_run_that_resumes(faces: Path) -> None:
    command = [*COMMAND, "train", "faces", "--images", "1600", "--name", "stopped", *SLOW]
    process = subprocess.Popen(command, cwd=faces, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(faces.glob("runs/*-dcgan-stopped/state.safetensors")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130, output
    (run,) = faces.glob("runs/*-dcgan-stopped")
    assert f"--resume {run.relative_to(faces)}" in output
    done = imagemill("train", "faces", "--resume", run.relative_to(faces), cwd=faces)
    assert done.returncode == 0, done.stdout + done.stderr
    assert checkpoint.read_header(run / "stopped.safetensors").training.images_seen == 1600
    again = imagemill("train", "faces", "--resume", run.relative_to(faces), cwd=faces)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (
        "finished: this run has spent its budget of 1,600 images: 1,600 images seen. To go on: imagemill"
        in again.stderr
    )


def test_two_processes_that_resume_one_run_are_refused_but_for_the_first(faces: Path) -> None:
    command = [*COMMAND, "train", "faces", "--images", "1000000", "--name", "owned", *SLOW]
    with subprocess.Popen(command, cwd=faces, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 60
        while not (states := list(faces.glob("runs/*-dcgan-owned/state.safetensors"))):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = imagemill("train", "faces", "--resume", states[0].parent, cwd=faces)
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
    assert (second.returncode, first.returncode) == (1, 130), second.stdout + second.stderr
    assert f"is being trained by process {first.pid} on " in second.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "faces-64", *SMALL], "does not fit a recipe with generator_channels 4; begin with: --set"),
        (["--from", "pictures"], "Error: pictures: a folder without the state of a run; --from takes"),
        (["--set", "balance=1.0", "--set", "batch=2", "--name", "x" * 65], "Error: a model's name must match"),
    ],
)
def test_what_is_refused_leaves_no_run_folder(faces: Path, arguments: list[str], message: str) -> None:
    done = imagemill("train", "faces", "--runs", "refused", *arguments, cwd=faces)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (faces / "refused").exists()


def test_a_damaged_dataset_is_refused_by_name(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces / "faces", tmp_path / "faces")
    with (tmp_path / "faces" / "images.bin").open("r+b") as file:
        file.seek(5000)
        file.write(bytes(5000))
    done = imagemill("train", "faces", *SMALL, cwd=tmp_path)
    assert done.returncode == 1
    assert "Error: faces/images.bin (or labels.bin beside it) is damaged" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(faces: Path) -> None:
    done = imagemill("train", "faces", "--minutes", "5", "--runs", "dry", "--dry-run", *SMALL, cwd=faces)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'objective = "bce"' in done.stdout
    assert "minutes = 5.0" in done.stdout
    assert "million weights" in done.stdout
    assert re.search(
        r"about [0-9,]+ steps, [0-9,]+ images seen \([0-9.]+ epochs\), 5 min at [0-9]+ images/s on cpu", done.stdout
    )
    assert re.search(
        r"measuring the data: [0-9]+ s; checks, one every [0-9,]+ steps: [0-9]+, .* in all about", done.stdout
    )
    assert not (faces / "dry").exists()


def test_two_processes_make_one_run(faces: Path) -> None:
    arguments = ["--images", "640", "--name", "both", "--runs", "together", "--device", "cpu", "--devices", "2"]
    done = imagemill("train", "faces", *arguments, *SMALL, cwd=faces)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = faces.glob("together/*")
    assert done.stdout.count("checkpoint: ") == 1
    assert checkpoint.read_header(run / "both.safetensors").training.images_seen == 640
    assert [json.loads(line)["images_seen"] for line in (run / "log.jsonl").read_text().splitlines()][-1] == 640


@pytest.mark.parametrize("whom", ["the launcher", "all"])
def test_ctrl_c_stops_all_processes_of_a_run_that_resumes(faces: Path, whom: str) -> None:
    name = "some" if whom == "all" else "one"
    arguments = ["--images", "64000", "--name", name, "--runs", name, "--device", "cpu", "--devices", "2"]
    process = subprocess.Popen(
        [*COMMAND, "train", "faces", *arguments, *SMALL],
        cwd=faces,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(faces.glob(f"{name}/*/state.safetensors")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if whom == "all":  # as a terminal does
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    (run,) = faces.glob(f"{name}/*")
    assert f"--resume {run.relative_to(faces)}" in output
    done = imagemill("train", "faces", "--resume", run.relative_to(faces), "--dry-run", cwd=faces)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_of_several_processes_is_told_once(faces: Path) -> None:
    done = imagemill("train", "nowhere", "--device", "cpu", "--devices", "2", cwd=faces)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("Error: ") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_disk_that_fills_up_stops_a_run_that_can_be_resumed(faces: Path) -> None:
    begun = imagemill("train", "faces", "--images", "320", "--name", "full", "--runs", "full", *SMALL, cwd=faces)
    assert begun.returncode == 0, begun.stdout + begun.stderr
    (run,) = faces.glob("full/*-full")
    size = (run / "state.safetensors").stat().st_size
    limited = f"ulimit -f {size // 1024 // 2}; exec {shlex.join(COMMAND)} train faces --name next --runs full "
    done = executed(["bash", "-c", limited + " ".join(SMALL) + " --images 320"], faces)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Error: the run could not be saved at step 20 (File too large)" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    run = max(faces.glob("full/*-next"))
    resumed = imagemill("train", "faces", "--resume", run, cwd=faces)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert checkpoint.read_header(run / "next.safetensors").training.images_seen == 320


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["train", "faces", "--device", "cpu:0", "--devices", "2"],
            "Error: --devices 2: --device cpu:0 names one device",
        ),
        (["dataset", "nowhere", "out"], "Error: nowhere: no such folder or zip"),
        (["train", "nowhere"], "Error: nowhere: not a dataset made by `imagemill dataset`"),
        (
            ["train", "faces", "--recipe", "stylegan"],
            "Error: no recipe 'stylegan'; there are: cgan, dcgan, flagship, residual, wgan, wgan-gp",
        ),
        (["train", "faces", "--set", "lr=1"], "Error: lr: not a value of a recipe; did you mean"),
        (["train", "faces", "--set", "betas=[0.5, 2.0]"], "Error: betas.1: Input should be less than 1, got 2.0"),
        (
            ["train", "faces", "--set", "minutes=5"],
            "Error: a recipe has exactly one budget of epochs, images, minutes; this one has",
        ),
        (["train", "faces", "--epochs", "inf"], "Error: epochs: Input should be"),
        (["train", "faces", "--device", "meta"], "Error: no device 'meta' on this machine"),
        (["train", "faces", "--device", "cuda:77"], "Error: no device 'cuda:77' on this machine"),
        (["train", "faces", "--resume", "nowhere", "--epochs", "2"], "Error: not the state of a training run: "),
        (["train", "faces", "--runs", "pictures/left/1.png"], "Error: Not a directory: pictures/left/1.png"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(faces: Path, arguments: list[str], message: str) -> None:
    done = imagemill(*arguments, cwd=faces)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not any((faces / "runs").glob("*-stylegan-*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dataset", "pictures", "out", "--size", "100"], "Error: --size must be a multiple of 16, got 100"),
        (["dataset", "pictures", "out", "--labels", "x.csv"], "Error: --labels is used only with --label-column"),
        (["dataset", "pictures", "out", "--file-column", "x"], "Error: --file-column is used only with --label-column"),
        (["train", "faces", "--minutes", "5", "--images", "9"], "Error: --minutes would be ignored beside --images"),
        (["train", "faces", "--epochs", "5", "--images", "9"], "Error: --images would be ignored beside --epochs"),
        *(
            (["train", "faces", "--resume", "nowhere", *given], f"Error: {given[0]} would be ignored beside --resume")
            for given in (
                ["--recipe", "dcgan"],
                ["--seed", "0"],
                ["--runs", "runs"],
                ["--name", "x"],
                ["--from", "x"],
                ["--set", "augment=1"],
            )
        ),
        (["export", "faces-64", "--onnx", "there"], "Error: there exists already; give --force to replace it"),
        (["evaluate", "faces-64", "faces", "--json", "there"], "Error: there exists already; give --force"),
        (["evaluate", "faces-64", "faces", "--force"], "Error: --force is used only with --json"),
    ],
)
def test_options_that_would_be_ignored_and_files_that_would_be_replaced_are_refused(
    faces: Path, arguments: list[str], message: str
) -> None:
    (faces / "there").write_bytes(b"mine")
    done = imagemill(*arguments, cwd=faces)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
    assert (faces / "there").read_bytes() == b"mine"
    assert not (faces / "out").exists()


def test_a_model_is_exported_by_its_name_once(faces: Path) -> None:
    (faces / "faces-64.onnx").write_bytes(b"mine")
    refused = imagemill("export", "faces-64", cwd=faces)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Error: faces-64.onnx exists already; give --force to replace it")
    assert (faces / "faces-64.onnx").read_bytes() == b"mine"
