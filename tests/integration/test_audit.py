"""Measuring a download as a person does it: the archive of a real worker, and the installed command."""

import json
import re
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from tests.command import COMMAND, ENVIRONMENT, heed_interrupts, imagemill
from tests.integration.running_service import RunningService
from tests.tiny import CLASSES, LABELLED, picture

IMAGES = 30
FORMS: dict[str, dict[str, str]] = {
    "out.zip": {},
    "out.npz": {"format": "npz"},
    "parquet.zip": {"layout": "parquet"},
    "webp.tar": {"layout": "webdataset", "format": "webp"},
}
NAMES = ("fd", "kd", "precision", "recall", "density", "coverage", "yield", "nearest_ratio", "copies")


@pytest.fixture(scope="module")
def folder(running_service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("audit")
    (made / "pictures").mkdir()
    rows = ["file,kind"]
    for number in range(90):
        picture(number).save(made / "pictures" / f"{number}.png")
        rows.append(f"{number}.png,{CLASSES[number % 3]}")
    (made / "pictures" / "kinds.csv").write_text("\n".join(rows))
    table = ("--labels", "kinds.csv", "--label-column", "kind")
    done = imagemill("dataset", "pictures", "smooth", "--size", "32", *table, cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    if not running_service.workers:
        running_service.start_worker()
    for name, query in FORMS.items():
        job = running_service.generate(IMAGES, model=LABELLED, seed=1, **query)
        running_service.wait_done(job["id"])
        (made / name).write_bytes(running_service.download(job["id"]))
    return made


@pytest.fixture(scope="module")
def measured(folder: Path) -> str:
    done = imagemill(
        "evaluate", "--archive", "out.zip", "smooth", "--json", "out.json", "--html", "out.html", cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_download_is_measured_overall_and_per_class(folder: Path, measured: str) -> None:
    report = json.loads((folder / "out.json").read_text())
    assert list(report["figures"]) == [f"{name}_efflite0" for name in (*NAMES, "label_agreement")]
    assert [(each["name"], each["images"], each["reals"]) for each in report["classes"]] == [
        (name, IMAGES // 3, 30) for name in CLASSES
    ]
    assert all(each["likeness"]["fd"] > each["floor"]["fd"] for each in report["classes"])
    assert (report["found"], report["unusable"], report["resized"], report["unlabelled"]) == (IMAGES, 0, 0, 0)
    assert all(name in measured for name in CLASSES)
    assert f"{report['figures']['fd_efflite0']:.4g}" in measured
    assert "saturation at 30: " in measured


def test_the_page_is_one_file_with_32_pictures(folder: Path, measured: str) -> None:
    assert measured
    html = (folder / "out.html").read_text()
    assert html.count('src="data:image/png;base64,') == html.count("src=") == 32
    assert not re.search(r"https?:|<script|<link|url\(", html)
    assert len(html) < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unpacked", "out.npz", "parquet.zip", "webp.tar"])
def test_other_forms_of_the_same_images_have_the_same_figures(folder: Path, measured: str, name: str) -> None:
    assert measured
    if name == "unpacked":
        with zipfile.ZipFile(folder / "out.zip") as file:
            file.extractall(folder / name)
    done = imagemill("evaluate", "--archive", name, "smooth", "--json", f"{name}.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    found, expected = (json.loads((folder / each).read_text()) for each in (f"{name}.json", "out.json"))
    assert [each["images"] for each in found["classes"]] == [IMAGES // 3] * 3
    for key in ("yield", "copies", "label_agreement", "fd", "coverage"):
        value, wanted = (each["figures"][f"{key}_efflite0"] for each in (found, expected))
        assert value == pytest.approx(wanted, rel=1e-3), key


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--archive", "out.zip", "faces-64", "smooth"], 2, "--archive out.zip takes the place of faces-64"),
        (["faces-64"], 2, "name a checkpoint and its dataset, or --archive and the dataset"),
        (["--archive", "out.zip"], 2, "name a checkpoint and its dataset, or --archive and the dataset"),
        (["--archive", "out.zip", "smooth", "--card"], 2, "--card would be ignored beside --archive"),
        (["--archive", "out.zip", "smooth", "--seed", "1"], 2, "--seed would be ignored beside --archive"),
        (["faces-64", "smooth", "--html", "a.html"], 2, "--html is used only with --archive"),
        (["--archive", "out.zip", "smooth", "--html", "there"], 2, "there exists already; give --force to replace it"),
        (["--archive", "out.zip", "smooth", "--html", "a", "--json", "./a"], 2, "--json and --html both name a"),
        (["--archive", "out.zip", "smooth", "--html", "out.zip", "--force"], 1, "out.zip: is also the input"),
        (["--archive", "nowhere.zip", "smooth"], 1, "nowhere.zip: no such folder or zip"),
        (["--archive", "cut.zip", "smooth"], 1, "cut.zip: the end of the zip is missing, as after an incomplete"),
        (["--archive", "text", "smooth"], 1, "text: no images found (looked for"),
        (["--archive", "out.zip", "nowhere"], 1, "nowhere: not a dataset made by `imagemill dataset`"),
    ],
)
def test_a_mistake_is_explained_in_one_sentence(folder: Path, arguments: list[str], code: int, message: str) -> None:
    (folder / "there").write_text("mine")
    (folder / "cut.zip").write_bytes((folder / "out.zip").read_bytes()[:-40])
    (folder / "text").mkdir(exist_ok=True)
    (folder / "text" / "a.txt").write_text("text")
    done = imagemill("evaluate", *arguments, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert (folder / "there").read_text() == "mine"
    assert not (folder / "a").exists()


def test_an_interrupt_leaves_no_file(folder: Path) -> None:
    done = imagemill("dataset", "pictures", "other", "--size", "32", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    # Real images are measured after those of the archive, so the archive is short and the interrupt comes in time.
    command = [*COMMAND, "evaluate", "--archive", "out.zip", "other", "--html", "late.html", "--json", "late.json"]
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 60
    while not (folder / "other" / "features-efflite0.safetensors").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "stopped; nothing was measured" in said
    assert not list(folder.glob("*late*"))
