"""Every kind of bad input through the installed command: a sentence or a listed skip, never a lost run."""

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.integration.odd_files import BAD, GOOD, encoded
from tests.tiny import picture
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset


def dataset(*arguments: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return imagemill("dataset", *arguments, "--size", "32", cwd=cwd, **options)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a failed command."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return sentence


ODD = {
    "dangling.png": "unreadable (No such file or directory)",
    "huge.png": "256000001 bytes, more than 256000000",
    "pipe.png": "not a regular file",
    "self.png": "unreadable (Too many levels of symbolic links)",
    "\\xfe.png": "an empty file",
    "\\xff.png": "an empty file",
}


@dataclass(frozen=True)
class Made:
    """What the command made of a folder full of trouble."""

    output: str
    dataset: Dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("trouble")
    mixed = folder / "mixed"
    mixed.mkdir()
    for name, (data, _) in {**GOOD, **BAD}.items():
        (mixed / name).write_bytes(data)
    (mixed / "dangling.png").symlink_to("nowhere")
    (mixed / "self.png").symlink_to("self.png")
    (mixed / "loop").symlink_to(mixed, target_is_directory=True)
    os.mkfifo(mixed / "pipe.png")
    with (mixed / "huge.png").open("wb") as file:
        file.truncate(256_000_001)
    for code in (0xFE, 0xFF):
        (mixed / os.fsdecode(bytes([code]) + b".png")).write_bytes(b"")
    done = dataset("mixed", "out", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["reading", "next:"]  # and no warning
    return Made(done.stdout, dataset_files.load(folder / "out"))


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_image_is_read(made: Made, name: str) -> None:
    image = made.dataset.images[sorted(GOOD).index(name)].flatten(1).int()
    assert [round(value) for value in image.float().mean(1).tolist()] == pytest.approx(
        GOOD[name][1], abs=2
    )  # JPEG, AVIF
    assert (image.amax(1) - image.amin(1)).max() <= 2


@pytest.mark.parametrize(("name", "reason"), [*((name, reason) for name, (_, reason) in BAD.items()), *ODD.items()])
def test_a_bad_file_is_set_aside_with_its_reason(made: Made, name: str, reason: str) -> None:
    (found,) = [file.reason for file in made.dataset.description.set_aside if file.file == name]
    assert reason in found
    assert " at 0x" not in found


def test_nothing_is_read_twice_or_lost(made: Made) -> None:
    assert made.dataset.description.count == len(GOOD)
    assert len(made.dataset.description.set_aside) == len(BAD) + len(ODD)
    assert f"{len(GOOD)} images of 32 x 32 px, {len(BAD) + len(ODD)} set aside" in made.output


def test_an_unreadable_file_is_set_aside(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 3)
    (tmp_path / "in" / "1.png").chmod(0)
    mortal = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if mortal and not shutil.which("setpriv"):
        pytest.skip("root reads everything, and setpriv is not here")
    done = dataset("in", "out", cwd=tmp_path, prefix=mortal)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "set aside 1.png: unreadable (Permission denied)" in done.stdout
    assert "2 images of 32 x 32 px, 1 set aside" in done.stdout


def test_an_unreadable_folder_is_set_aside(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 3)
    (tmp_path / "in" / "lost+found").mkdir()
    (tmp_path / "in" / "lost+found").chmod(0)
    mortal = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if mortal and not shutil.which("setpriv"):
        pytest.skip("root reads everything, and setpriv is not here")
    done = dataset("in", "out", cwd=tmp_path, prefix=mortal)
    (tmp_path / "in" / "lost+found").chmod(0o755)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "set aside lost+found/: unreadable (Permission denied)" in done.stdout


def test_a_terminal_that_is_not_utf8_shows_escapes(tmp_path: Path) -> None:
    for name in ("caf\u00e9", "\u732b"):
        folder_of(tmp_path / "in" / name, 2)
    done = dataset("in", "out", cwd=tmp_path, prefix=["env", "PYTHONIOENCODING=ascii"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 classes (caf\\xe9, \\u732b), 0 set aside" in done.stdout


def test_the_plan_is_told_before_the_work_starts(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            folder_of(tmp_path / "in" / split / name, 2)
    done = dataset("in", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(
        "plan: 8 images of in, 2 classes by folders\n  4 cat: test/cat/ (2), train/cat/ (2)\n"
    )
    assert "8 images of 32 x 32 px, 2 classes (cat, dog), 0 set aside" in done.stdout


def test_images_that_are_nearly_black_are_told(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 2)
    Image.fromarray(np.linspace(0, 4095, 1600).reshape(40, 40).astype(np.uint16)).save(tmp_path / "in" / "deep.png")
    done = dataset("in", "out", cwd=tmp_path)
    assert "1 use less than 1/8 of their range (nearly black or of one grey)" in done.stdout


def folder_of(path: Path, count: int) -> Path:
    path.mkdir(parents=True)
    for number in range(count):
        picture(number).save(path / f"{number}.png")
    return path


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def encrypted(path: Path) -> None:
    """Mark every member as encrypted, as an archiver would."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(signature, place + 1)
    path.write_bytes(data)


def declared_size(path: Path, size: int) -> None:
    """Let the central directory declare another uncompressed size."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 24, size)
    path.write_bytes(data)


def an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()


def one_image(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 1)


def nested_zips(tmp_path: Path) -> None:
    zip_of(tmp_path / "in", {"cats.zip": b"PK"})


def an_encrypted_zip(tmp_path: Path) -> None:
    encrypted(zip_of(tmp_path / "in", {"a.png": encoded("PNG"), "b.png": encoded("PNG")}))


def a_cut_zip(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in", {"a.png": encoded("PNG")})
    path.write_bytes(path.read_bytes()[:-10])


def a_text(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("hello", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (an_empty_folder, "Error: in: no images found (looked for"),
        (one_image, "Error: 1 usable images; at least 2 are needed (0 set aside)"),
        (nested_zips, "; unpack cats.zip first"),
        (an_encrypted_zip, "0 usable images; at least 2 are needed (2 set aside; the first: a.png: encrypted; unpack"),
        (a_cut_zip, "Error: in: the end of the zip is missing, as after an incomplete download"),
        (a_text, "Error: in: neither a folder nor a zip"),
    ],
)
def test_a_useless_source_is_one_sentence(tmp_path: Path, make: Callable[[Path], None], sentence: str) -> None:
    make(tmp_path)
    assert sentence in said(dataset("in", "out", cwd=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_member_that_declares_a_huge_size_is_set_aside(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"0bomb.png": b"0" * 1000, "a.png": encoded("PNG"), "b.png": encoded("PNG")})
    declared_size(path, 4_000_000_000)
    done = dataset("in.zip", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "set aside 0bomb.png: 4000000000 bytes, more than 256000000" in done.stdout


def test_what_a_researcher_should_know_is_said(tmp_path: Path) -> None:
    for name, count in (("common", 5), ("rare", 1)):
        folder_of(tmp_path / "in" / name, count)
    picture(9, (20, 20)).save(tmp_path / "in" / "common" / "tiny.png")
    done = dataset("in", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 images of 32 x 32 px, 2 classes (common, rare), 0 set aside" in done.stdout
    assert "the classes have 1 (rare) to 6 (common) images" in done.stdout
    assert "1 were smaller than 32 px" in done.stdout
    assert "1 show exactly the pixels of another image" in done.stdout


def with_table(tmp_path: Path, table: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    folder_of(tmp_path / "in", 4)
    (tmp_path / "in" / "labels.csv").write_text(table, encoding=encoding)
    return dataset("in", "out", "--label-column", "kind", cwd=tmp_path)


def test_a_table_as_a_spreadsheet_writes_it_is_read(tmp_path: Path) -> None:
    rows = "file;kind\r\n0.png;a/b\r\n0.png;a/b\r\n1.png; a/b \r\n2.png;caf\u00e9\r\n3.png;cafe\u0301\r\ngone.png;x\r\n"
    done = with_table(tmp_path, rows, "utf-8-sig")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 images of 32 x 32 px, 2 classes (a/b, caf\u00e9), 1 set aside" in done.stdout
    assert "set aside labels.csv: 1 files that it names do not exist, the first is 'gone.png'" in done.stdout


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("file,size\n0.png,1\n", "Error: labels.csv: no column 'kind'; it has file, size"),
        ("", "Error: labels.csv: no column 'file'; it has none"),
        ("file,kind\n", "Error: labels.csv: column 'file' names none of the images"),
        ("file,kind\nx0,a\nx1,b\n", "names none of the images (its first is 'x0', that of in is '0.png')"),
        ("file,kind\n0.png," + "x" * 200_000, "Error: labels.csv: not a CSV table (field larger than"),
    ],
)
def test_a_useless_table_is_one_sentence(tmp_path: Path, table: str, sentence: str) -> None:
    assert sentence in said(with_table(tmp_path, table))


def test_a_missing_table_is_one_sentence(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 2)
    done = dataset("in", "out", "--label-column", "kind", cwd=tmp_path)
    assert "Error: labels.csv: found neither in in nor on disk" in said(done)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 60)

    def full_after_100_kilobytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = dataset("in", "out", cwd=tmp_path, preexec_fn=full_after_100_kilobytes)
    assert said(done) == "Error: out: could not be written (File too large)"
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_ctrl_c_while_building_exits_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    first = folder_of(tmp_path / "in", 1) / "0.png"
    picture(0, (3000, 3000)).save(first)
    for copy in range(1, 400):
        (tmp_path / "in" / f"{copy}.png").hardlink_to(first)
    process = subprocess.Popen(
        [*COMMAND, "dataset", "in", "out"], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "stopped; nothing was written" in output
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_description_records_what_was_found(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 3)
    (tmp_path / "in" / "bad.png").write_bytes(b"")
    dataset("in", "out", cwd=tmp_path)
    made = json.loads((tmp_path / "out" / "dataset.json").read_text(encoding="utf-8"))
    assert made["set_aside"] == [{"file": "bad.png", "reason": "an empty file"}]
    assert (made["enlarged"], made["duplicates"]) == (0, 0)
