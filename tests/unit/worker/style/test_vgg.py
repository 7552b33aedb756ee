from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import vgg19
from torchvision.transforms.functional import normalize

from worker.errors import WeightsError
from worker.style import vgg
from worker.style.vgg import LAYERS, Vgg19

CPU = torch.device("cpu")
RELUS = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu4_2": 22, "relu5_1": 29}
"""torchvision's numbers."""


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    network = vgg19(weights=None)
    found = {key: value for key, value in network.state_dict().items() if key.startswith("features.")}
    return {key: value for key, value in found.items() if int(key.split(".")[1]) <= 28}


def test_features_are_torchvisions_but_for_the_frame(tensors: dict[str, Tensor]) -> None:
    own = Vgg19(tensors, torch.float32, CPU)
    theirs = vgg19(weights=None).features[:30]
    theirs.load_state_dict({key.removeprefix("features."): value for key, value in tensors.items()})
    theirs[0].padding_mode = "replicate"
    theirs[0]._reversed_padding_repeated_twice = [1, 1, 1, 1]
    images = torch.rand(2, 3, 48, 32)
    x = normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    found = own(images, frozenset(RELUS))
    for number, module in enumerate(theirs):
        x = module(x)
        for name in (name for name, relu in RELUS.items() if relu == number):
            torch.testing.assert_close(found[name], x, rtol=1e-4, atol=1e-5)


def test_no_layer_overwrites_the_features_of_another(tensors: dict[str, Tensor]) -> None:
    own, images = Vgg19(tensors, torch.float32, CPU), torch.rand(1, 3, 32, 32)
    together = own(images, frozenset(LAYERS))
    for name, features in together.items():
        assert torch.equal(features, own(images, frozenset({name}))[name])


def test_unused_layers_are_not_computed(tensors: dict[str, Tensor]) -> None:
    kept = {key: value for key, value in tensors.items() if int(key.split(".")[1]) < 10}
    with pytest.raises(KeyError):
        Vgg19(kept, torch.float32, CPU)
    own = Vgg19(tensors, torch.float32, CPU)
    own._layers = {name: layer for name, layer in own._layers.items() if name.startswith(("relu1", "relu2"))}
    assert list(own(torch.rand(1, 3, 32, 32), frozenset({"relu2_1"}))) == ["relu2_1"]


def test_weights_are_read_from_a_file(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "vgg.safetensors")
    assert isinstance(vgg.load(tmp_path / "vgg.safetensors", torch.float32, CPU), Vgg19)


def test_other_weights_are_refused(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"features.0.weight": tensors["features.0.weight"]}, path)
    with pytest.raises(WeightsError, match=r"other\.safetensors: .* features\.0\.bias must have the shape \(64,\)"):
        vgg.load(path, torch.float32, CPU)
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        vgg.load(path, torch.float32, CPU)
    with pytest.raises(WeightsError, match="cannot be read"):
        vgg.load(tmp_path / "missing", torch.float32, CPU)


def test_without_a_file_it_says_how_to_make_one() -> None:
    with pytest.raises(WeightsError, match=r"no weights of VGG19: set IMAGEMILL_VGG19 .* python -c "):
        vgg.load(None, torch.float32, CPU)
