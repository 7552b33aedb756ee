import struct
from pathlib import Path

import pytest
import torch

from models import checkpoint, registry
from models.browser.engine_file import FORMAT_VERSION
from models.browser.packed_model import pack
from models.browser.program import Program, UnsupportedModelError
from tests.tiny import CLASSES, save_checkpoint
from worker.contracts.model_files import ModelFile


def test_the_names_of_the_files_hold_the_version_of_their_format() -> None:
    assert f"engine-{FORMAT_VERSION}.json" == ModelFile.ENGINE
    assert f"weights-{FORMAT_VERSION}.bin" == ModelFile.WEIGHTS


@pytest.mark.parametrize("architecture", ["dcgan", "residual"])
def test_every_address_lies_in_the_memory(tmp_path: Path, architecture: str) -> None:
    save_checkpoint(tmp_path, "tiny", CLASSES, architecture)  # type: ignore[arg-type]
    packed = pack(*checkpoint.load_generator(tmp_path / "tiny.safetensors"), "0" * 64)
    engine = packed.engine
    assert len(packed.weights) == 4 * engine.constants + 2 * engine.weights
    assert engine.input >= engine.constants + engine.weights
    assert engine.image + engine.resolution**2 <= engine.memory
    last = engine.calls[-1]
    assert (last.kernel, last.arguments[-1]) == (
        ("paint_quads" if architecture == "dcgan" else "paint_pixels"),
        engine.image,
    )


def test_a_packed_model_is_half_as_large_as_its_checkpoint() -> None:
    path = registry.find("faces-64")
    packed = pack(*checkpoint.load_generator(path), "0" * 64)
    assert len(packed.weights) < 0.52 * path.stat().st_size
    assert packed.engine.multiply_adds == 62_644_224


def test_a_width_that_fills_no_vector_register_is_refused() -> None:
    program = Program()
    with pytest.raises(UnsupportedModelError, match="widths in multiples of 4, got 6"):
        program.plane(4, 6)
    with pytest.raises(UnsupportedModelError, match="widths in multiples of 4, got 6"):
        program.linear(program.buffer(3), program.buffer(6), torch.zeros(6, 3), torch.zeros(6), 1)


def test_weights_are_rounded_to_the_range_of_each_channel() -> None:
    program, weight = Program(), torch.tensor([[1.0, -0.5], [1e-3, 1e-3], [0.0, 0.0], [-8.0, 4.0]])
    program.linear(program.buffer(2), program.buffer(4), weight, torch.zeros(4), 1)
    content = program.content()
    scales, words = struct.unpack("<4f", content[:16]), struct.unpack("<8h", content[-16:])
    stored = torch.tensor(words).view(2, 4).T * torch.tensor(scales)[:, None]
    assert torch.allclose(stored, weight, rtol=0, atol=8 / 65534)
    assert words == (32767, 32767, 0, -32767, -16384, 32767, 0, 16384)
