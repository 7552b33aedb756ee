"""Evaluating as a person does it: the installed command on a real file."""

import json
from pathlib import Path

import pytest

from tests.command import imagemill
from tests.tiny import picture, save_checkpoint

NAMES = ("fd", "kd", "precision", "recall", "density", "coverage", "yield", "nearest_ratio", "copies")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evaluate")
    for number in range(60):
        path = made / "pictures" / ("left" if number % 2 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    done = imagemill("dataset", "pictures", "smooth", "--size", "32", cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    save_checkpoint(made, "tiny", ("left", "right"))
    save_checkpoint(made, "foreign", ("up", "down"))
    return made


def test_a_checkpoint_is_measured_against_a_dataset(folder: Path) -> None:
    done = imagemill("evaluate", "tiny.safetensors", "smooth", "--n", "40", "--json", "tiny.json", "--card", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "tiny.json").read_text())
    names = [f"{name}_efflite0" for name in (*NAMES, "label_agreement")]
    assert list(report["figures"]) == list(report["floor"]) == names
    assert all(name in done.stdout for name in names)
    assert f"{report['figures']['fd_efflite0']:.4g}" in done.stdout
    # Noise is no smooth picture: far beyond what two halves of the reals are apart.
    assert report["figures"]["fd_efflite0"] > 3 * report["floor"]["fd_efflite0"]
    assert report["figures"]["precision_efflite0"] < 0.5 * report["floor"]["precision_efflite0"]
    assert "features: efflite0, bicubic-antialias-224; k 5, manifolds of 40 points" in done.stdout
    assert "reference: 60 images of pictures (sha256 " in done.stdout
    assert (folder / "smooth" / "features-efflite0.safetensors").exists()
    assert f"| {report['figures']['fd_efflite0']:.4g} |" in (folder / "tiny.md").read_text()


def test_too_few_samples_are_told_beside_the_figures(folder: Path) -> None:
    done = imagemill("evaluate", "tiny.safetensors", "smooth", "--n", "6", "--json", "few.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "note: fd_efflite0: 6 samples are too few, fewer than the 1,280 features" in done.stdout
    report = json.loads((folder / "few.json").read_text())
    assert any("use 6 points of each kind" in note for note in report["notes"])
    low, high = report["intervals"]["precision_efflite0"]
    assert high - low > 0.3


def test_a_folder_of_images_is_measured_in_place_of_a_checkpoint(folder: Path) -> None:
    done = imagemill("evaluate", "pictures", "smooth", "--json", "same.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "same.json").read_text())
    assert (report["model"], report["seed"], report["provenance"]["fakes"]) == ("pictures", None, 60)
    assert report["figures"]["fd_efflite0"] < 1e-3
    assert report["figures"]["nearest_ratio_efflite0"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nowhere.safetensors", "smooth"],
            "Error: no checkpoint 'nowhere.safetensors': neither a file nor a shipped model (",
        ),
        (["tiny.safetensors", "nowhere"], "Error: nowhere: not a dataset made by `imagemill dataset`"),
        (["pictures/left/1.png", "smooth"], "Error: pictures/left/1.png: not a safetensors file"),
        (["faces-64", "smooth"], "Error: faces-64 draws 64 px images, pictures holds 32 px"),
        (["foreign.safetensors", "smooth"], "Error: foreign has the classes up, down; pictures holds left, right"),
        (["tiny.safetensors", "smooth", "--device", "meta"], "Error: no device 'meta' on this machine"),
        (["pictures", "smooth", "--card"], "Error: pictures: --card is for checkpoints; images have no card"),
        (
            ["tiny.safetensors", "smooth", "--fid-weights", "tiny.safetensors"],
            "Error: tiny.safetensors: not the weights that FID is defined by",
        ),
    ],
)
def test_a_mistake_is_said_in_one_sentence(folder: Path, arguments: list[str], message: str) -> None:
    done = imagemill("evaluate", *arguments, cwd=folder)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", [".", "smooth"])
def test_an_output_that_is_a_folder_is_refused_before_the_work(folder: Path, name: str) -> None:
    done = imagemill("evaluate", "tiny.safetensors", "smooth", "--n", "30", "--json", name, cwd=folder)
    assert done.returncode == 2
    assert done.stderr == f"Error: {name} is not a regular file; name another one\n"
