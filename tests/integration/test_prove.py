"""Proving the use of a model as a person does it: the installed command on real files."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from models import atomic_file
from tests.command import COMMAND, ENVIRONMENT, heed_interrupts, imagemill
from tests.unit.training.prove.conftest import save_card, save_generator, save_patterns
from training.dataset import dataset_files

QUICK = ("--per-class", "2", "--repeats", "2", "--synthetic", "2", "--judge", "probe")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("prove")
    save_patterns(made / "pictures", 12, first_seed=0)
    for name, options in {"data": ["--hold-out", "0.6"], "whole": []}.items():
        done = imagemill("dataset", "pictures", name, "--size", "32", "--name", name, *options, cwd=made)
        assert done.returncode == 0, done.stdout + done.stderr
    digest = dataset_files.load(made / "data").description.sha256
    made_by = save_generator(made, digest)
    save_generator(made, "f" * 64, "foreign")
    save_generator(made, "", "old")
    save_generator(made, digest, "other-classes", ("up", "down"))
    save_generator(made, digest, "no-classes", ())
    save_card(save_patterns(made / "downloaded", 3, first_seed=500), made_by)
    atomic_file.write(made / "there", b"mine")
    return made


def test_a_model_is_tried_on_images_that_it_has_not_seen(folder: Path) -> None:
    done = imagemill(
        "prove", "tiny.safetensors", "data", *QUICK, "--json", "tiny.json", "--plot", "tiny.png", cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Does tiny help to classify data?\n")
    assert "OVERLAP" not in done.stdout
    report = json.loads((folder / "tiny.json").read_text())
    (finding,) = report["findings"]
    assert f"probe: {finding['verdict']['sentence']}" in done.stdout
    assert f"{100 * finding['result']['accuracies']['2']['real']['mean']:.1f} +-" in done.stdout
    assert (report["synthetic"], report["overlap"]) == (6, "")
    assert (folder / "tiny.png").read_bytes().startswith(b"\x89PNG")
    again = imagemill("prove", "tiny.safetensors", "data", *QUICK, "--json", "again.json", cwd=folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads((folder / "again.json").read_text())["findings"] == report["findings"]


def test_downloaded_images_of_a_known_model_are_tried(folder: Path) -> None:
    done = imagemill("prove", "downloaded", "data", *QUICK, "--made-by", "tiny.safetensors", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Does downloaded help to classify data?\n")


def test_an_overlap_is_allowed_and_said(folder: Path) -> None:
    done = imagemill("prove", "old.safetensors", "whole", *QUICK, "--overlap", "--plot", "overlap.png", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(
        "Does old help to classify whole? (OVERLAP: the generator may have seen the test images)\n"
    )
    assert "OVERLAP, so this is no proof: whole has no held-out part" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.safetensors", "data"], "Error: no checkpoint 'nowhere.safetensors': neither a file nor a shipped"),
        (["tiny.safetensors", "nowhere"], "Error: nowhere: not a dataset made by `imagemill dataset`"),
        (["there", "data"], "Error: there: not a safetensors file"),
        (["tiny.safetensors", "whole"], "has not seen the test images: whole has no held-out part; make the dataset"),
        (["old.safetensors", "data"], "has not seen the test images: old does not say which images it was trained on"),
        (["foreign.safetensors", "data"], "which is not the training part of data; name its dataset with --trained-on"),
        (["foreign.safetensors", "data", "--trained-on", "whole"], "which is not the training part of data nor whole;"),
        (["tiny.safetensors", "data", "--trained-on", "nowhere"], "Error: nowhere: not a dataset made by"),
        (["downloaded", "data"], "downloaded is a set of images; name their checkpoint with --made-by"),
        (["downloaded", "data", "--made-by", "old.safetensors"], "Error: downloaded: was made by a checkpoint with"),
        (["pictures", "data", "--made-by", "tiny.safetensors"], "Error: pictures: has no README.md that names its"),
        (["tiny.safetensors", "data", "--made-by", "tiny.safetensors"], "Error: --made-by is for images"),
        (["other-classes.safetensors", "data"], "Error: other-classes has the classes up, down; data holds ant, bee"),
        (["no-classes.safetensors", "data"], "Error: no-classes has no classes, so its images cannot teach"),
        (["faces-64", "data"], "Error: faces-64 has the classes"),
        (["tiny.safetensors", "data", "--per-class", "500"], "Error: --per-class 500: more real images than most"),
        (["tiny.safetensors", "data", "--device", "meta"], "Error: no device 'meta' on this machine"),
        (["old.safetensors", "whole", "--overlap", "--reals", "training"], "Error: --reals training tests on held-out"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(folder: Path, arguments: list[str], message: str) -> None:
    done = imagemill("prove", *arguments, *QUICK[2:], cwd=folder)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--per-class", "5,x"],
            "Error: --per-class takes numbers above 0 with commas between them, e.g. 5,10,25; got",
        ),
        (["--per-class", "0"], "Error: --per-class takes numbers above 0"),
        (["--synthetic", "0"], "--synthetic"),
        (["--synthetic", "100001"], "--synthetic"),
        (["--repeats", "1"], "--repeats"),
        (["--repeats", "21"], "--repeats"),
        (["--judge", "jury"], "--judge"),
        (["--reals", "all"], "--reals"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "4294967296"], "--seed"),
        (["--json", "same", "--plot", "./same"], "Error: --json and --plot both name same; choose two files"),
        (["--json", "there"], "Error: there exists already; give --force"),
        (["--plot", "there"], "Error: there exists already; give --force"),
        (["--json", "data"], "Error: data is not a regular file; name another one"),
        (["--plot", "proof.pdf"], "Error: --plot writes a PNG file, so its name must end with .png, got proof.pdf"),
        (["--force"], "Error: --force is used only with --json or --plot"),
    ],
)
def test_a_wrong_option_is_refused_before_the_work(folder: Path, arguments: list[str], message: str) -> None:
    done = imagemill("prove", "tiny.safetensors", "data", *arguments, cwd=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "there").read_bytes() == b"mine"


def test_the_source_is_not_overwritten(folder: Path) -> None:
    before = (folder / "tiny.safetensors").read_bytes()
    done = imagemill("prove", "tiny.safetensors", "data", "--json", "tiny.safetensors", "--force", cwd=folder)
    assert done.returncode == 1
    assert "is also the input; choose another name" in done.stderr
    assert (folder / "tiny.safetensors").read_bytes() == before


def test_ctrl_c_leaves_no_file(folder: Path) -> None:
    command = [*COMMAND, "prove", "tiny.safetensors", "data", "--per-class", "2", "--repeats", "20", "--judge", "cnn"]
    process = subprocess.Popen(
        [*command, "--json", "stopped.json", "--plot", "stopped.png"],
        cwd=folder,
        env={**ENVIRONMENT, "TTY_COMPATIBLE": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    deadline, seen = time.monotonic() + 90, ""
    while "cnn: classifiers" not in seen:
        assert time.monotonic() < deadline
        seen += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "stopped; nothing was written" in output
    assert "Traceback" not in output
    assert not list(folder.glob("*stopped*"))
