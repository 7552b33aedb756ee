"""Networks, latents, image decoding and the checkpoint format. This package imports no other package of ours."""
