"""Convolutions on a CPU whose weights are laid out once for its matrix units, each with the ReLU behind it.

An ordinary convolution lays its weights out anew in every call: a tenth of a pass through a small network. The
operators are those that torch's own compiler emits for frozen networks on CPUs (torch/_inductor/mkldnn_ir.py); where
they are missing, a network stays as it is. Results are the same bit for bit, as the tests prove on the CPU they run on.
"""

from typing import cast

import torch
from torch import Tensor, nn

Convolution = nn.Conv2d | nn.ConvTranspose2d


class Packed(nn.Module):
    """One convolution of fixed weights; it is fastest for inputs of one shape, and right for all."""

    def __init__(self, convolution: Convolution, with_relu: bool, shape: torch.Size) -> None:
        super().__init__()
        ops, groups = torch.ops.mkldnn, convolution.groups
        padding, stride, dilation = list(convolution.padding), list(convolution.stride), list(convolution.dilation)
        if isinstance(convolution, nn.ConvTranspose2d):
            options = [padding, list(convolution.output_padding), stride, dilation, groups]
            lay_out, self._convolve = ops._reorder_convolution_transpose_weight, ops._convolution_transpose_pointwise
        else:
            options = [padding, stride, dilation, groups]
            lay_out, self._convolve = ops._reorder_convolution_weight, ops._convolution_pointwise
        self._weight = lay_out(convolution.weight.detach().contiguous(), *options, list(shape))
        self._bias = convolution.bias
        self._options = [*options, "relu" if with_relu else "none", [], ""]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve. Shapes: as the convolution that was packed."""
        return cast(Tensor, self._convolve(x, self._weight, self._bias, *self._options))


@torch.inference_mode()
def pack(network: nn.Module, *example: Tensor | None) -> None:
    """Pack the convolutions of a network in eval mode, in place, for inputs as large as an example.

    A convolution and a ReLU that are alone in an nn.Sequential become one.
    """
    if hasattr(torch.ops.mkldnn, "_convolution_transpose_pointwise"):
        _replace(network, _shapes(network, *example))


def _shapes(network: nn.Module, *example: Tensor | None) -> dict[nn.Module, torch.Size]:
    """Run a network, and note what its convolutions are given."""
    found = {}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        found[module] = given[0].shape

    convolutions = [module for module in network.modules() if _can_be_packed(module)]
    hooks = [convolution.register_forward_pre_hook(note) for convolution in convolutions]
    network(*example)
    for hook in hooks:
        hook.remove()
    return found


def _replace(parent: nn.Module, shapes: dict[nn.Module, torch.Size]) -> None:
    for name, child in list(parent.named_children()):
        if child in shapes:
            setattr(parent, name, Packed(cast(Convolution, child), False, shapes[child]))
        elif isinstance(child, nn.Sequential) and len(child) == 2 and child[0] in shapes and type(child[1]) is nn.ReLU:
            setattr(parent, name, Packed(cast(Convolution, child[0]), True, shapes[child[0]]))
        else:
            _replace(child, shapes)


def _can_be_packed(module: nn.Module) -> bool:
    return type(module) in (nn.Conv2d, nn.ConvTranspose2d) and cast(Convolution, module).padding_mode == "zeros"
