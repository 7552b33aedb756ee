"""The number format in which a device runs convolutions fastest."""

import torch

_BF16_UNITS = ("amx_bf16", "avx512_bf16", "bf16")
"""CPU features that multiply bfloat16 natively (the last is Arm's name). Without them, bfloat16 is slower."""


def fastest_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 if the device has units for it, else float32.

    The choice depends on the hardware and not on a timing, because an image's bytes depend on the number format.
    A timing could choose the other format on a busy machine.
    With avx512_bf16, bfloat16 is 1.7 to 4 times as fast as float32 on a CPU.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return torch.bfloat16 if any(capabilities.get(unit) for unit in _BF16_UNITS) else torch.float32
