import pytest
import torch
from torch import nn

from models.inference import for_inference
from models.mkldnn_packing import PackedConvolution, pack
from models.registry import Architecture, build_generator

N, CLASSES = 16, 3


def generator(name: str) -> nn.Module:
    torch.manual_seed(0)
    architecture = Architecture.model_validate(
        {"name": name, "resolution": 32, "latent_dim": 16, "channels": 16, "classes": CLASSES}
    )
    return for_inference(build_generator(architecture).eval().requires_grad_(False))


@pytest.mark.skipif(not hasattr(torch.ops.mkldnn, "_convolution_transpose_pointwise"), reason="no such operators here")
@pytest.mark.parametrize("name", ["dcgan", "residual"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_network_computes_the_same_bits(name: str, dtype: torch.dtype) -> None:
    network = generator(name).to(dtype).to(memory_format=torch.channels_last)
    z, labels = torch.randn(N, 16).to(dtype), torch.arange(N) % CLASSES
    with torch.inference_mode():
        before = network(z, labels)
        pack(network, z, labels)
        after = network(z, labels)
    assert any(isinstance(module, PackedConvolution) for module in network.modules())
    assert not any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in network.modules())
    assert torch.equal(before, after)


def test_a_convolution_that_cannot_be_packed_is_left_alone() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU())
    pack(network, torch.rand(1, 3, 8, 8))
    assert isinstance(network[0], nn.Conv2d)


def test_a_packed_network_takes_batches_of_other_sizes() -> None:
    network = generator("dcgan")
    z, labels = torch.randn(N, 16), torch.arange(N) % CLASSES
    with torch.inference_mode():
        pack(network, z, labels)
        torch.testing.assert_close(network(z[:3], labels[:3]), network(z, labels)[:3])
