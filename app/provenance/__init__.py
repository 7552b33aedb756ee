"""Proofs of where images come from: verification of single images, and signed manifests of datasets."""
