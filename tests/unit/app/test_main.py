import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["app.main", "app.cli", "app.demo", "app.stack"])
def test_the_front_door_loads_no_tensor_library(module: str) -> None:
    code = f"import {module}, sys; assert not {{'torch', 'numpy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_largest_seed_is_where_latents_end() -> None:
    from app.schemas import MAX_SEED
    from models.latents import MAX_SEED as LATENTS_MAX_SEED

    assert MAX_SEED == LATENTS_MAX_SEED
