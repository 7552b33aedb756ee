"""Renders images: loaded models, batches and encoders."""
