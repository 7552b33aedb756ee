"""Packs a checkpoint for the engine in the browser."""

from typing import NamedTuple

import torch
from torch import nn

from models import dcgan, residual
from models.browser.dcgan_program import add_dcgan
from models.browser.engine_file import EngineFile
from models.browser.program import Program, UnsupportedModelError
from models.browser.residual_program import add_residual
from models.checkpoint import Header


class PackedModel(NamedTuple):
    """The files of a model for the engine in the browser."""

    engine: EngineFile
    weights: bytes
    """The content of weights-1.bin."""


def pack(header: Header, generator: nn.Module, sha256: str) -> PackedModel:
    """Pack a generator in eval mode, float32, on the CPU.

    Raises UnsupportedModelError if its architecture or its widths do not fit the engine.
    """
    program, classes = Program(), header.classes
    embedding = generator.embedding if classes else None
    table = embedding.weight if isinstance(embedding, nn.Embedding) else torch.zeros(0, 0)
    embeddings, label_size = program.constant(table), table.shape[1]
    source = program.buffer(header.latent_dim + label_size)
    image = program.buffer(header.resolution**2)
    if isinstance(generator, dcgan.Generator):
        add_dcgan(program, generator, source, image)
    elif isinstance(generator, residual.Generator):
        add_residual(program, generator, source, image)
    else:
        raise UnsupportedModelError(f"the engine knows no generator of the class {type(generator).__name__}")
    engine = EngineFile(
        model=sha256,
        name=header.name,
        resolution=header.resolution,
        latent_size=header.latent_dim,
        is_spherical=header.architecture.sphere,
        classes=classes,
        label_size=label_size,
        multiply_adds=program.multiply_adds,
        constants=program.sizes["constants"],
        weights=program.sizes["weights"],
        memory=sum(program.sizes.values()),
        embedding=int(program.resolve(embeddings)),
        input=int(program.resolve(source)),
        image=int(program.resolve(image)),
        preparation=program.preparation(),
        calls=program.calls(),
    )
    return PackedModel(engine, program.content())
