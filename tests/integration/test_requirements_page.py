"""The examples and the table of docs/requirements.md, against the running service."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.running_service import RunningService
from tests.tiny import LABELLED, PLAIN

PAGE = (Path(__file__).parents[2] / "docs" / "requirements.md").read_text(encoding="utf-8")
STAND_INS = {"faces-64": LABELLED, "modern": "circle", "early-20th": "cross"}
"""Small names of the tests for those of the page, so that the examples take seconds."""
ROWS = re.findall(r"^\| `(\S+|\S+ without \S+)` \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def adapted(example: str, service: RunningService) -> str:
    for name, stand_in in {"http://127.0.0.1:8000": service.url, **STAND_INS}.items():
        example = example.replace(name, stand_in)
    return example


def images(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return sum(name.startswith("images/") for name in archive.namelist())


def run(service: RunningService, folder: Path, command: list[str]) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cache = str(folder.parent / "huggingface")
    environment = {**os.environ, "PATH": path, "IMAGEMILL_SERVER": service.url, "HF_HOME": cache}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_page_run(service: RunningService, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("NOT TESTED: curl is not here")
    for example in examples("sh"):
        run(service, tmp_path, ["bash", "-e", "-c", adapted(example, service)])
    found = {path.name: images(path) for path in tmp_path.rglob("*.zip")}
    splits = {"train.zip": 800, "validation.zip": 100, "test.zip": 100}
    assert found == {"eras.zip": 150, "same.zip": 150, "both.zip": 151, "distinct.zip": 200} | splits


def test_the_python_of_the_page_runs(service: RunningService, tmp_path: Path) -> None:
    (splits,) = (example for example in examples("sh") if "--split" in example)
    run(service, tmp_path, ["bash", "-e", "-c", adapted(splits, service)])
    for example in examples("python"):
        run(service, tmp_path, [sys.executable, "-c", adapted(example, service)])
    assert {path.name: images(path) for path in tmp_path.glob("*.zip")} == {"real.zip": 150, "more.zip": 30}


@pytest.mark.parametrize(("query", "code", "sentence"), ROWS)
def test_a_refused_request_is_told_what_the_table_says(
    service: RunningService, query: str, code: str, sentence: str
) -> None:
    wanted = query if "model=" in query else f"{query}&model=faces-64"
    response = service.client.post(f"/generate?{re.sub('<.*>', PLAIN, wanted)}")
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert sentence in response.json()["detail"]


def test_the_table_has_a_row_for_each_new_parameter() -> None:
    assert len(ROWS) > 20
    assert {name for query, _, _ in ROWS for name in re.findall(r"(\w+)=", query)} >= {
        "classes",
        "keep",
        "copies",
        "distinct",
    }
