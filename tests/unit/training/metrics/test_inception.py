"""The published weights are not here: what is tested runs on random ones."""

import hashlib
import sys
from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from training.errors import MetricsError
from training.metrics import features, inception

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "none.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        made = FeatureExtractorInceptionV3("random", ["2048"], str(folder / "none.pth"))
    torch.save(made.state_dict(), folder / "random.pth")
    return folder / "random.pth"


def test_images_of_any_size_become_2048_features(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "WEIGHTS_SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())
    extract = features.load_inception(weights, CPU)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = extract(images)
    assert (found.shape, found.dtype) == ((2, 2048), torch.float32)
    assert not torch.equal(found[0], found[1])
    assert extract(images.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)).shape == (2, 2048)
    assert (extract.name, extract.resize) == ("inception", "tensorflow1-bilinear-299")


def test_other_weights_are_refused_before_they_are_unpickled(weights: Path) -> None:
    with pytest.raises(MetricsError, match=r"random.pth: not the weights that FID is defined by, pt_inception-2015"):
        features.load_inception(weights, CPU)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetricsError, match=r"weights.pth: No such file"):
        features.load_inception(tmp_path / "weights.pth", CPU)


def test_the_missing_package_is_named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(MetricsError, match="pip install torch-fidelity"):
        features.load_inception(weights, CPU)
