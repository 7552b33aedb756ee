from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import CheckpointError
from models.image_hash import image_hashes
from tests.calibrated_gate import COPIED, save_calibrated_gate
from tests.gates import save_random_gate
from tests.tiny import CLASSES, save_checkpoint
from worker.contracts.selection import Selection
from worker.rendering.candidate import Verdict
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_gate import LoadedGate
from worker.rendering.loaded_model import LoadedModel

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "labelled", CLASSES)
    save_calibrated_gate(folder / "labelled.safetensors")
    engine = RenderEngine([folder / "labelled.safetensors"], CPU)
    return engine.model(engine.entries[0])


@pytest.fixture
def gate(model: LoadedModel) -> LoadedGate:
    assert model.gate is not None
    return model.gate


def render(model: LoadedModel, seed: int, indices: range) -> torch.Tensor:
    return model.render(model.latents(seed, indices), model.labels(indices))


@pytest.mark.parametrize("slots", [range(1), range(3, 8), range(15, 16), range(16)])
def test_a_score_depends_on_the_image_and_its_slot_only(model: LoadedModel, gate: LoadedGate, slots: range) -> None:
    block = range(16)
    labels = model.labels(block)
    grids = model.grids(model.latents(3, block), labels)
    whole = gate.scores(grids, block, labels)
    part = slice(slots.start, slots.stop)
    assert len(set(whole)) > 8
    others = grids.flip(0)
    others[part] = grids[part]
    assert gate.scores(others, slots, labels[part]) == whole[part]


def test_scores_are_ranks_within_a_class(model: LoadedModel, gate: LoadedGate) -> None:
    scores = dict[int, list[int]]()
    for start in range(0, 480, 16):
        block = range(start, start + 16)
        labels = model.labels(block)
        grids = model.grids(model.latents(9, block), labels)
        for label, score in zip(labels, gate.scores(grids, range(16), labels), strict=True):
            scores.setdefault(label, []).append(score)
    for of_class in scores.values():
        assert 0.35 < np.mean([score >= 500 for score in of_class]) < 0.65
        assert 0 <= min(of_class) < max(of_class) <= 1000


def test_copies_are_found_within_two_bits(model: LoadedModel, gate: LoadedGate) -> None:
    seed, indices = COPIED
    images = render(model, seed, range(16))[indices.start : indices.stop]
    hashes = image_hashes(images.permute(0, 2, 3, 1).numpy())
    assert gate.find_copies(hashes) == [True] * 3
    assert gate.find_copies(hashes ^ np.uint64(0b11)) == [True] * 3
    assert gate.find_copies(hashes ^ np.uint64(0xFFFF0)) == [False] * 3


@pytest.mark.parametrize(
    ("verdict", "is_accepted"),
    [(Verdict(600), True), (Verdict(599), False), (Verdict(1000, is_copy=True), False), (Verdict(), True)],
)
def test_an_image_is_accepted_by_its_score_unless_it_is_a_copy(verdict: Verdict, is_accepted: bool) -> None:
    assert verdict.is_accepted(Selection(gate="a" * 64, keep=400)) is is_accepted


def test_a_gate_of_another_model_is_refused(model: LoadedModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "other")
    path = save_random_gate(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match=r"the gate is for model \w{12}, classes \[\], but labelled is model"):
        LoadedGate(path, model.entry, model.grid_channels, CPU, torch.float32)


def test_a_gate_of_a_model_without_start_grids_is_set_aside(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "blocks", architecture="residual")
    save_random_gate(tmp_path / "blocks.safetensors")
    engine = RenderEngine([tmp_path / "blocks.safetensors"], CPU)
    (file,) = engine.set_aside
    assert file.reason.startswith("the gate is for start grids of 64 channels, but blocks is model")
    assert engine.model(engine.entries[0]).gate is None


@pytest.mark.parametrize("contents", [b"no gate", b""])
def test_a_model_with_a_damaged_gate_stays_usable(tmp_path: Path, contents: bytes) -> None:
    save_checkpoint(tmp_path, "plain")
    (tmp_path / "plain.gate.safetensors").write_bytes(contents)
    engine = RenderEngine([tmp_path / "plain.safetensors"], CPU)
    assert [entry.name for entry in engine.entries] == ["plain"]
    assert [file.file for file in engine.set_aside] == ["plain.gate.safetensors"]
    assert str(tmp_path) not in engine.set_aside[0].reason
    assert [facts.gate for facts in engine.facts] == [None]


def test_the_facts_of_a_model_are_those_of_its_gate(tmp_path: Path) -> None:
    for name, classes in (("plain", ()), ("labelled", CLASSES)):
        save_checkpoint(tmp_path, name, classes)
        save_random_gate(tmp_path / f"{name}.safetensors")
    engine = RenderEngine([tmp_path / "plain.safetensors", tmp_path / "labelled.safetensors"], CPU)
    engine.warm_up()
    plain, labelled = engine.facts
    assert [facts.model_sha256 for facts in engine.facts] == [entry.sha256 for entry in engine.entries]
    assert (labelled.class_counts, labelled.class_yields, labelled.judge) == ((3, 3, 3), (0.7, 0.7, 0.7), "efflite0")
    assert [(effect.keep, effect.yield_) for effect in labelled.effects] == [(0.5, 0.8)]
    assert (plain.class_counts, plain.class_yields) == ((), ())
    assert plain.gate is not None
    assert plain.gate != labelled.gate
