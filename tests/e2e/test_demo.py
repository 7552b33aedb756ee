"""The README's first command, as a user runs it once everything is installed."""

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image

IMAGEMILL = Path(sys.executable).with_name("imagemill")
SECONDS = 5.0
"""What the main job may take after start-up, on two cores."""


def test_the_demo_saves_500_labelled_balanced_faces(tmp_path: Path) -> None:
    done = subprocess.run([IMAGEMILL, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"([\d.]+) s from request to last byte, (\d+) images/s", done.stdout)
    assert said, done.stdout
    assert float(said[1]) < SECONDS
    assert "imagemill up" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["faces.zip"]
    with zipfile.ZipFile(tmp_path / "faces.zip") as archive:
        assert archive.testzip() is None
        records = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
        pngs = [archive.read(record["file_name"]) for record in records]
    assert len(records) == len(set(pngs)) == 500
    assert [record["index"] for record in records] == list(range(500))
    assert [record["sha256"] for record in records] == [hashlib.sha256(png).hexdigest() for png in pngs]
    labels = [record["label"] for record in records]
    assert {label: labels.count(label) for label in set(labels)} == {
        "19th-century": 125, "early-20th": 125, "late-20th": 125, "modern": 125
    }  # fmt: skip
    for png in pngs:
        with Image.open(io.BytesIO(png)) as image:
            image.load()
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
