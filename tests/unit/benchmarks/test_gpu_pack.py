"""The list of wheels for an offline GPU machine."""

import subprocess
from pathlib import Path

import pytest
import typer

from benchmarks.gpu import pack

ROOT = Path(__file__).parents[3]
PINS = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("call", ["service", "training"])
def test_every_wheel_has_a_version(call: pack.Call) -> None:
    pins = pack.pins_of(call, PINS)
    assert all(name and version for name, _, version in (pin.partition("==") for pin in pins))
    assert "pydantic" in {pin.partition("==")[0] for pin in pins}


def test_a_package_without_a_version_is_named() -> None:
    with pytest.raises(typer.BadParameter, match=r"requirements/dev\.txt has no version of pydantic"):
        pack.pins_of("training", "typing-extensions==1\nannotated-types==1\n")


def test_the_script_of_the_machine_is_valid() -> None:
    subprocess.run(["bash", "-n", "benchmarks/gpu/one.sh"], cwd=ROOT, check=True)
