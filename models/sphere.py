"""Spherical latents: z on a sphere as large as the one that a normal z lies close to."""

from torch import Tensor
from torch.nn.functional import normalize


def on_sphere(z: Tensor) -> Tensor:
    """Scale each z to the norm sqrt(latent_dim). Shapes: (n, latent_dim) in and out.

    Source: White 2016, "Sampling Generative Networks", section 2.1.
    """
    return normalize(z, dim=1) * float(z.shape[1] ** 0.5)
