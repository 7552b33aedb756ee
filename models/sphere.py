"""Spherical latents: the projection of z onto the sphere that normally distributed z lie close to."""

from torch import Tensor
from torch.nn.functional import normalize


def on_sphere(z: Tensor) -> Tensor:
    """Scale each z to the norm sqrt(latent_dim). Shapes: (n, latent_dim) in and out.

    Source: White 2016, "Sampling Generative Networks", section 2.1.
    """
    return normalize(z, dim=1) * float(z.shape[1] ** 0.5)
