"""The report in archives of real jobs: the same facts as the API, and the same bytes for equal requests."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.integration.running_service import RunningService, metadata
from tests.tiny import CLASSES, LABELLED
from training.prove import source
from worker.archive.report import Report


def opened(service: RunningService, job: dict[str, Any]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(service.download(job["id"])))


def test_the_report_has_the_facts_of_the_job(service: RunningService) -> None:
    query = {"model": LABELLED, "keep": 0.5, "distinct": 2, "copies": "drop"}
    job = service.wait_done(service.generate(40, seed=3, **query)["id"])
    with opened(service, job) as file:
        report = Report.model_validate_json(file.read("report.json"))
        card = " ".join(file.read("README.md").decode().split())
    tried = {name: (each.kept, each.tried) for name, each in report.images.by_class.items()}
    assert (report.images.kept, report.images.tried) == (40, job["tried"])
    assert tried == {name: (each["kept"], each["tried"]) for name, each in job["yield"]["by_class"].items()}
    assert report.indices.next_start == job["next_start"]
    assert report.model.sha256 == job["model_sha256"]
    assert report.rejected is not None
    assert sum(dict(report.rejected).values()) == job["tried"] - 40
    scores = sorted(record["score"] for record in metadata(service.download(job["id"])))
    assert report.scores is not None
    assert (report.scores.least, report.scores.most) == (scores[0], scores[-1])
    assert f"keeps 40 of {job['tried']} candidates" in card
    assert job["id"] not in card


def test_the_grid_shows_the_first_images_of_each_class(service: RunningService) -> None:
    job = service.wait_done(service.generate(300, seed=3, model=LABELLED)["id"])
    with opened(service, job) as file:
        grid = np.asarray(Image.open(io.BytesIO(file.read("grid.png"))))
        records = [json.loads(line) for line in file.read("metadata.jsonl").splitlines()]
        for row, label in enumerate(CLASSES):
            names = [record["file_name"] for record in records if record["label"] == label][:8]
            images = [np.asarray(Image.open(io.BytesIO(file.read(name)))) for name in names]
            assert (grid[32 * row : 32 * row + 32] == np.concatenate(images, axis=1)).all()


@pytest.mark.parametrize("query", [{}, {"format": "jpeg"}, {"format": "npz"}, {"layout": "parquet"}])
def test_equal_requests_give_equal_archives(service: RunningService, query: dict[str, str]) -> None:
    jobs = [service.wait_done(service.generate(20, seed=3, model=LABELLED, **query)["id"]) for _ in range(2)]
    first, second = (service.download(job["id"]) for job in jobs)
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as file:
        assert {"README.md", "report.json", "grid.png"} <= set(file.namelist())


def test_the_card_names_the_checkpoint_for_proofs_of_use(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(20, seed=3, model=LABELLED)["id"])
    (tmp_path / "faces.zip").write_bytes(service.download(job["id"]))
    checkpoint = service.folder / "models" / f"{LABELLED}.safetensors"
    assert source.find(str(tmp_path / "faces.zip"), str(checkpoint)).made_by == checkpoint
