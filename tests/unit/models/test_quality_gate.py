import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from app.schemas.requests import MIN_KEEP
from models import quality_gate
from models.errors import CheckpointError, ModelError
from models.quality_gate import GateEffect, GateNetwork, load_gate, per_mille
from tests.gates import gate_header, random_gate

KEY = "imagemill.quality"
CLASSES = ("cat", "dog")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gate.safetensors"
    quality_gate.save_gate(path, random_gate(gate_header(classes=CLASSES)))
    return path


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, torch.Tensor]], object]) -> None:
    """Change a file without the checks of the format."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    whole = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"][KEY])
    tensors = load_file(path)
    change(whole, tensors)
    save_file(tensors, path, metadata={KEY: json.dumps(whole)})


def test_the_gate_of_a_checkpoint_stands_beside_it() -> None:
    assert quality_gate.gate_path(Path("zoo/faces-64.safetensors")) == Path("zoo/faces-64.gate.safetensors")


@pytest.mark.parametrize("resolution", [32, 64, 96, 128, 256])
def test_a_gate_comes_back_as_it_was_saved(tmp_path: Path, resolution: int) -> None:
    gate = random_gate(gate_header(resolution=resolution))
    quality_gate.save_gate(tmp_path / "a.gate.safetensors", gate)
    found = load_gate(tmp_path / "a.gate.safetensors")
    grids = torch.rand(3, 64, resolution // 16, resolution // 16)
    assert found.header == gate.header
    assert torch.equal(found.network(grids), gate.network(grids))
    assert not found.network.training
    assert not any(weights.requires_grad for weights in found.network.parameters())


def test_hashes_of_training_images_come_back_sorted(tmp_path: Path) -> None:
    gate = random_gate(gate_header())
    hashes = np.array([2**64 - 1, 0, 2**63], dtype=np.uint64)
    quality_gate.save_gate(tmp_path / "a", quality_gate.QualityGate(gate.header, gate.network, hashes))
    assert load_gate(tmp_path / "a").training_hashes.tolist() == [0, 2**63, 2**64 - 1]


def test_the_yield_has_its_plain_name_in_the_file(path: Path) -> None:
    rewrite(path, lambda whole, _: whole["effects"][0].update({"yield": 0.9}))
    assert load_gate(path).header.effects[0].yield_ == 0.9
    assert json.loads(load_gate(path).header.model_dump_json())["effects"][0]["yield"] == 0.9


def test_a_score_in_bfloat16_keeps_the_precision_of_float32() -> None:
    network = random_gate(gate_header(resolution=64)).network.to(torch.bfloat16)
    scores = network(torch.rand(256, 64, 4, 4, dtype=torch.bfloat16))
    assert scores.dtype == torch.float32
    assert len(scores.unique()) > 250


@pytest.mark.parametrize("version", [0, 1, 3, "2", None])
def test_an_unknown_version_is_refused(path: Path, version: object) -> None:
    rewrite(path, lambda whole, _: whole.update(format_version=version))
    with pytest.raises(CheckpointError, match="this Imagemill reads version 2"):
        load_gate(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole, _: whole.update(surplus=1), "surplus"),
        (lambda whole, _: whole.update(model_sha256="abc"), "model_sha256"),
        (lambda whole, _: whole["quantiles"][0].pop(), "quantiles"),
        (lambda whole, _: whole["quantiles"].pop(), "quantiles must have 2 rows, got 1"),
        (lambda whole, _: whole["quantiles"][1].reverse(), "quantiles must ascend"),
        (lambda whole, _: whole["class_yields"].append(0.5), "class_yields must have 2 rows, got 3"),
        (lambda whole, _: whole["class_counts"].pop(), "class_counts must have 2 rows, got 1"),
        (lambda _, tensors: tensors.pop("score.bias"), "missing score.bias"),
        (lambda _, tensors: tensors.pop("training_hashes"), "missing training_hashes"),
        (lambda _, tensors: tensors.update(surplus=torch.zeros(1)), "unknown surplus"),
        (lambda _, tensors: tensors.update({"score.bias": torch.zeros(2)}), r"score.bias has \(2,\)"),
        (lambda _, tensors: tensors.update({"score.bias": torch.zeros(1).half()}), "float16, not .* torch.float32"),
        (lambda _, tensors: tensors["score.weight"].fill_(torch.nan), "score.weight holds values that are not finite"),
        (lambda _, tensors: tensors.update(training_hashes=torch.zeros(3)), "training_hashes has"),
        (lambda _, tensors: tensors.update(training_hashes=torch.zeros(3, 1).long()), "training_hashes has"),
    ],
)
def test_a_damaged_gate_is_refused_with_the_reason(path: Path, change: Any, message: str) -> None:
    rewrite(path, change)
    with pytest.raises(CheckpointError, match=message):
        load_gate(path)


def test_a_figure_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        GateEffect(keep=0.5, yield_=0.8, precision=0.5, density=0.4, coverage=0.3, recall=0.2, fd=float("nan"))


def test_a_checkpoint_is_not_taken_for_a_gate(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"imagemill": "{}"})
    with pytest.raises(CheckpointError, match=r"without the header 'imagemill\.quality'"):
        load_gate(tmp_path / "a.safetensors")


def test_a_gate_that_does_not_fit_its_header_is_not_saved(tmp_path: Path) -> None:
    gate = random_gate(gate_header(resolution=32))
    other = quality_gate.QualityGate(gate_header(resolution=64), gate.network, gate.training_hashes)
    with pytest.raises(CheckpointError, match=r"score\.weight has"):
        quality_gate.save_gate(tmp_path / "a", other)
    assert not list(tmp_path.iterdir())


def test_a_score_is_the_share_of_own_images_that_score_lower() -> None:
    # The quantile at p per cent is p: each raw score is its own percentage.
    header = gate_header(quantiles=(tuple(float(p) for p in range(101)),))
    raw = torch.tensor([-1.0, 0.0, 0.05, 0.125, 49.96875, 50.0, 99.96875, 100.0, 1e30])
    assert per_mille(header, raw, []) == [0, 0, 0, 1, 499, 500, 999, 1000, 1000]


@pytest.mark.parametrize("keep", [MIN_KEEP, 0.02, 0.5])
def test_a_keep_that_requests_may_have_keeps_its_share(keep: float) -> None:
    random = np.random.default_rng(1)
    quantiles = tuple(np.quantile(random.standard_normal(5000), np.linspace(0, 1, 101)).tolist())
    scores = quality_gate.interpolate((quantiles,), torch.from_numpy(random.standard_normal(100_000)), [])
    share = float(np.mean(np.array(scores) >= 1000 - round(1000 * keep)))
    # Four standard errors of 5000 images. A job may try four times its expected number of candidates.
    assert abs(share - keep) < 4 * (keep * (1 - keep) / 5000) ** 0.5
    assert share > keep / 2


def test_each_class_has_its_own_quantiles() -> None:
    rows = (tuple(float(p) for p in range(101)), tuple(float(2 * p) for p in range(101)))
    header = gate_header(classes=CLASSES, quantiles=rows)
    assert per_mille(header, torch.tensor([50.0, 50.0]), [0, 1]) == [500, 250]


def test_of_equal_quantiles_the_highest_counts() -> None:
    header = gate_header(quantiles=((0.0,) * 41 + (1.0,) * 60,))
    assert per_mille(header, torch.tensor([-0.5, 0.0, 0.5, 1.0]), []) == [0, 400, 405, 1000]


@given(st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=20))
def test_a_higher_raw_score_never_has_a_lower_score(raw: list[float]) -> None:
    row = np.sort(np.random.default_rng(1).normal(size=101)).tolist()
    found = per_mille(gate_header(quantiles=(row,)), torch.tensor(sorted(raw)), [])
    assert found == sorted(found)
    assert all(0 <= score <= 1000 for score in found)


@pytest.mark.parametrize("raw", [torch.nan, torch.inf, -torch.inf])
def test_a_raw_score_that_is_not_finite_is_refused(raw: float) -> None:
    with pytest.raises(ModelError, match="which is not finite"):
        per_mille(gate_header(), torch.tensor([raw]), [])


def test_one_label_is_needed_for_each_score() -> None:
    with pytest.raises(ValueError, match="zip"):
        per_mille(gate_header(classes=CLASSES), torch.zeros(3), [0, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_score_of_an_image_does_not_depend_on_the_rest_of_its_batch(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network, grids = GateNetwork(64, 32).eval().to(dtype), torch.rand(16, 64, 2, 2, dtype=dtype)
    others = torch.cat([grids[:1], grids[1:].flip(0)])
    assert torch.equal(network(grids)[0], network(others)[0])


def test_a_score_depends_on_the_place_of_a_feature() -> None:
    torch.manual_seed(0)
    network, grids = GateNetwork(64, 32).eval(), torch.rand(16, 64, 2, 2)
    assert not torch.allclose(network(grids), network(grids.flip(3)), rtol=0.01)
