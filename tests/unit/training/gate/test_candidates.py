from pathlib import Path

import torch

from models import checkpoint
from tests.tiny import save_checkpoint
from training import samples
from training.gate.candidates import CandidateSource, Use, equal_labels


def test_candidates_are_images_of_one_seed_and_no_use_shares_an_index(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "tiny", ("a", "b"))
    header, generator = checkpoint.load_generator(tmp_path / "tiny.safetensors")
    source = CandidateSource(generator, header.latent_dim, 2, seed=7)
    labels = equal_labels(150, 2)
    first, second = source.render(Use.JUDGING, labels)
    assert (len(first.images), len(second.images)) == (256, 44)
    assert torch.equal(torch.cat([first.labels, second.labels]), labels)
    again = samples.render(generator, header.latent_dim, 7, [3 * 2**50 + 256], labels[256:257])
    assert torch.equal(second.images[:1], again)
    assert not torch.equal(next(source.render(Use.TRAINING, labels)).images, first.images)


def test_labels_are_equal_shares() -> None:
    assert equal_labels(2, 3).tolist() == [0, 1, 2, 0, 1, 2]
    assert equal_labels(2, 0).tolist() == [0, 0]
