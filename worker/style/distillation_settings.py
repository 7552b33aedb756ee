"""The hyper-parameters of the distilled mode. The weights of a distilled model depend on all of them."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class DistillationSettings:
    """How a generator is trained to render styled images. Figures are in docs/style-transfer.md."""

    batch_size: int
    """Number of samples of a training step."""
    portion_size: int
    """Number of samples whose gradients one thread computes at once. A GPU computes a whole batch."""
    steps_per_check: int = 1
    """Number of steps after which the training is checked for NaN, and may pause."""
    strength_factor: float = 0.75
    """Factor on the job's strength. At the full strength, a generator loses more content than the standard mode."""
    similarity_weight: float = 2.0
    """Weight of the penalty on samples that are too similar to the mean."""
    kept_difference: float = 0.82
    """Share of the mean difference between plain images that styled ones may keep without a penalty.

    The standard mode leaves this share.
    """
    plain_samples: int = 32
    """Number of plain samples by which the mean difference is measured."""
    feature_decay: float = 0.98
    """Decay per step of the running mean of the samples' features."""
    average_decay: float = 0.985
    """Largest decay per step of the running average of the weights."""
    learning_rate: float = 3e-3
    """Learning rate after the warm-up. Each restart after a divergence halves it."""
    final_learning_rate: float = 0.15
    """Learning rate at the end of the cosine schedule, as a share of the one after the warm-up."""
    warm_up_steps: int = 20
    """Number of steps over which the learning rate rises linearly."""
    betas: tuple[float, float] = (0.9, 0.99)
    """Decays of Adam's first and second moments."""
    max_tries: int = 3
    """Number of trainings that may diverge before the job fails."""
    seed: int = 0x57F1E
    """Seed of the training samples."""
    first_index: int = 1 << 52
    """Index of the first training sample. No job has indices so large, so no user gets a training sample."""

    @classmethod
    def for_device(cls, device: torch.device) -> "DistillationSettings":
        """Return the settings for a kind of device."""
        if device.type == "cuda":
            return cls(batch_size=16, portion_size=16, steps_per_check=10)
        return cls(batch_size=4, portion_size=2)
