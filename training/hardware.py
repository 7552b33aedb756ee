"""The name of the hardware that trains or measures."""

import platform

import torch


def device_name(device: torch.device) -> str:
    """Return the name of the hardware for cards: the GPU's name, or the CPU's with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    # The vector instructions decide the speed and the rounding.
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
