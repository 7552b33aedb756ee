import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings


@pytest.mark.parametrize("module", ["app.main", "app.cli.main", "app.cli.demo", "app.local.supervisor"])
def test_the_front_door_loads_no_tensor_library(module: str) -> None:
    code = f"import {module}, sys; assert not {{'torch', 'numpy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_largest_seed_is_where_latents_end() -> None:
    from app.schemas.parameter_types import MAX_SEED
    from models.latents import MAX_SEED as LATENTS_MAX_SEED

    assert MAX_SEED == LATENTS_MAX_SEED


def test_limits_are_described_in_words_that_json_schema_knows(tmp_path: Path) -> None:
    described = json.dumps(create_app(Settings(store=str(tmp_path))).openapi())
    assert '"maximum": 9007199254740991' in described
    assert '"le"' not in described
    assert '"ge"' not in described
