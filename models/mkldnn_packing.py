"""Convolutions on a CPU with weights that are packed once for its matrix units, and with a fused ReLU.

An ordinary convolution packs its weights in every call. Packing them once makes a single image a quarter faster to
render, and a batch of 16 a tenth (docs/log.md).
The operators are private to torch. torch's own compiler emits them for frozen networks on CPUs
(torch/_inductor/mkldnn_ir.py). Where they are missing, a network is left unchanged.
Results are equal bit for bit; the tests prove it on the CPU that they run on.
"""

from typing import cast

import torch
from torch import Tensor, nn

Convolution = nn.Conv2d | nn.ConvTranspose2d


class PackedConvolution(nn.Module):
    """A convolution with packed weights. It is fastest for inputs of one shape, and correct for all shapes."""

    def __init__(self, convolution: Convolution, with_relu: bool, shape: torch.Size) -> None:
        super().__init__()
        ops, groups = torch.ops.mkldnn, convolution.groups
        padding, stride, dilation = list(convolution.padding), list(convolution.stride), list(convolution.dilation)
        if isinstance(convolution, nn.ConvTranspose2d):
            options = [padding, list(convolution.output_padding), stride, dilation, groups]
            pack_weight, self._convolve = (
                ops._reorder_convolution_transpose_weight,
                ops._convolution_transpose_pointwise,
            )
        else:
            options = [padding, stride, dilation, groups]
            pack_weight, self._convolve = ops._reorder_convolution_weight, ops._convolution_pointwise
        self._weight = pack_weight(convolution.weight.detach().contiguous(), *options, list(shape))
        self._bias = convolution.bias
        self._options = [*options, "relu" if with_relu else "none", [], ""]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve. Shapes: as for the original convolution."""
        return cast(Tensor, self._convolve(x, self._weight, self._bias, *self._options))


@torch.inference_mode()
def pack(network: nn.Module, *example: Tensor | None) -> None:
    """Replace the convolutions of a network in eval mode by packed ones, for inputs as large as an example.

    An nn.Sequential of a convolution and a ReLU becomes one packed convolution.
    """
    if hasattr(torch.ops.mkldnn, "_convolution_transpose_pointwise"):
        _replace_convolutions(network, _input_shapes(network, *example))


def _input_shapes(network: nn.Module, *example: Tensor | None) -> dict[nn.Module, torch.Size]:
    """Run a network, and return the input shape of each convolution."""
    shapes = {}

    def record_shape(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shapes[module] = inputs[0].shape

    convolutions = [module for module in network.modules() if _is_packable(module)]
    hooks = [convolution.register_forward_pre_hook(record_shape) for convolution in convolutions]
    network(*example)
    for hook in hooks:
        hook.remove()
    return shapes


def _replace_convolutions(parent: nn.Module, shapes: dict[nn.Module, torch.Size]) -> None:
    for name, child in list(parent.named_children()):
        if child in shapes:
            setattr(parent, name, PackedConvolution(cast(Convolution, child), False, shapes[child]))
        elif isinstance(child, nn.Sequential) and len(child) == 2 and child[0] in shapes and type(child[1]) is nn.ReLU:
            setattr(parent, name, PackedConvolution(cast(Convolution, child[0]), True, shapes[child[0]]))
        else:
            _replace_convolutions(child, shapes)


def _is_packable(module: nn.Module) -> bool:
    # Exact types only: a subclass may compute something else.
    return type(module) in (nn.Conv2d, nn.ConvTranspose2d) and cast(Convolution, module).padding_mode == "zeros"
