from pathlib import Path

import pytest
import torch

from tests.tiny import save_checkpoint
from training.errors import MetricsError
from training.gate.candidates import CandidateSource, Use, equal_labels
from worker.rendering.engine import RenderEngine

CPU = torch.device("cpu")


def source(folder: Path) -> CandidateSource:
    save_checkpoint(folder, "tiny", ("a", "b"))
    return CandidateSource.load(folder / "tiny.safetensors", 7, CPU)


def test_candidates_are_of_one_seed_and_no_use_shares_an_index(tmp_path: Path) -> None:
    made, labels = source(tmp_path), equal_labels(150, 2)
    first, second = made.grids(Use.JUDGING, labels)
    assert (len(first.grids), len(second.grids)) == (256, 44)
    assert torch.equal(torch.cat([first.labels, second.labels]), labels)
    assert not torch.equal(next(made.grids(Use.TRAINING, labels)).grids, first.grids)
    again = torch.cat([chunk.grids for chunk in made.grids(Use.JUDGING, labels)])
    assert torch.equal(again, torch.cat([first.grids, second.grids]))


def test_candidates_are_the_images_that_workers_draw(tmp_path: Path) -> None:
    made, first = source(tmp_path), 3 * 2**50
    (chunk,) = made.grids(Use.JUDGING, equal_labels(8, 2))
    engine = RenderEngine([tmp_path / "tiny.safetensors"], CPU)
    model = engine.model(engine.entries[0])
    images = model.render(model.latents(7, range(first, first + 16)), [0, 1] * 8)
    # Batches of another size may round differently.
    assert (made.draw(chunk.grids).float() - images.float()).abs().mean() < 0.5
    assert images.float().std() > 20


def test_a_generator_without_start_grids_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "blocks", architecture="residual")
    with pytest.raises(MetricsError, match="blocks has the architecture residual"):
        CandidateSource.load(tmp_path / "blocks.safetensors", 0, CPU)


def test_labels_are_equal_shares() -> None:
    assert equal_labels(2, 3).tolist() == [0, 1, 2, 0, 1, 2]
    assert equal_labels(2, 0).tolist() == [0, 0]
