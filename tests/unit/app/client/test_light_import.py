import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.command import ENVIRONMENT

ROOT = Path(__file__).parents[4]
ALLOWED = {"httpx", "pydantic"}
IMPORT_NAMES = {"pillow": "PIL", "pydantic-settings": "pydantic_settings", "python-multipart": "python_multipart"}
CODE = """
import sys

class Blocked:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " must not be needed")

sys.meta_path.insert(0, Blocked)
before = set(sys.modules)
from app.client import AsyncClient, Client
with Client("http://127.0.0.1:1"):
    print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture
def others() -> set[str]:
    """The import names of all requirements but the two that the client needs, and our other packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    names = {line.partition(">")[0].strip() for line in [*project["dependencies"], *extras]} - ALLOWED
    assert "fastapi" in names
    found = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}
    return found | {"starlette", "click", "worker", "models", "training", "imagemill"}


def test_the_client_needs_httpx_and_pydantic_only(others: set[str]) -> None:
    code = CODE.format(blocked=others)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "app.client.client" in loaded
    ours = {name for name in loaded if name.partition(".")[0] == "app"}
    assert {name for name in ours if not name.startswith("app.client")} <= {"app", "app.archive_name"}
    assert not {name.partition(".")[0] for name in loaded} & others
