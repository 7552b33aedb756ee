"""Networks, latents, pixels and the checkpoint format: what a model is. Knows nobody else in the house."""
