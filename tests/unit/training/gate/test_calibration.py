import pytest
import torch

from tests.gates import gate_header, random_gate
from training.gate import calibration
from training.gate.candidates import Candidates


def candidates(label: int, n: int) -> Candidates:
    stream = torch.Generator().manual_seed(label)
    grids = torch.rand(n, 64, 2, 2, generator=stream)
    # The features of the second class are weaker.
    return Candidates(grids / (1 + 3 * label), torch.full((n,), label))


def test_each_class_gets_the_quantiles_of_its_own_scores() -> None:
    network, chunks, seen = random_gate(gate_header()).network, [candidates(0, 150), candidates(1, 101)], list[int]()
    found = calibration.calibrate(network, chunks, 2, seen.append)
    assert seen == [150, 251]
    for row, chunk in zip(found, chunks, strict=True):
        scores = calibration.raw_scores(network, chunk.grids).double()
        assert [row[0], row[100]] == [float(scores.min()), float(scores.max())]
        torch.testing.assert_close(torch.tensor(row[50], dtype=torch.float64), scores.quantile(0.5))
    # Of 101 images, each is a quantile.
    assert found[1] == pytest.approx(sorted(calibration.raw_scores(network, chunks[1].grids).tolist()), abs=1e-12)


def test_models_with_many_classes_get_fewer_images_for_each() -> None:
    assert [calibration.images_per_class(n) for n in (0, 4, 100, 10_000)] == [5000, 5000, 2000, 200]
