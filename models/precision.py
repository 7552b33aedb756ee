"""The number format in which a device runs convolutions fastest."""

import torch

_BF16_UNITS = ("amx_bf16", "avx512_bf16", "bf16")
"""CPU features that multiply bfloat16 natively (the last is Arm's name); without one it is emulated, and slower."""


def fastest_dtype(device: torch.device) -> torch.dtype:
    """Choose bfloat16 where the device has units for it, else float32.

    Read off the hardware rather than timed: a timing can come out otherwise on a busy machine, and the precision is
    part of what an image's bytes depend on. (On a CPU with avx512_bf16, bfloat16 is 1.7 to 4 times faster here.)
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return torch.bfloat16 if any(capabilities.get(unit) for unit in _BF16_UNITS) else torch.float32
