"""A generator as an ONNX file, for runtimes without PyTorch: ONNX Runtime, browsers, phones."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models import atomic_file, latents
from models.checkpoint import Header
from training.errors import ExportError

if TYPE_CHECKING:
    from onnx import ModelProto

_PARITY_BATCHES, _PARITY_SEED = (1, 3, 17), 0
"""One image and odd numbers of images. An accidentally fixed batch size fails on these."""
_MOST_BYTES = 2**31 - 2**24
"""A protocol buffer holds at most 2 GiB. 16 MiB are reserved for the graph."""


def write(path: Path, header: Header, generator: nn.Module) -> None:
    """Write a generator in float32, whole or not at all, after ONNX's checker has accepted it.

    Inputs are z (n, latent_dim) float32 and, if the generator is conditional, labels (n,) int64. The output is images
    (n, 3, r, r) in [-1, 1]. The metadata hold name, classes (a JSON list), data, licence, latent_dim and
    format_version.
    Raises ExportError for a generator beyond 2 GiB, or without the packages onnx and onnxscript.
    """
    # Both are optional packages of training, and the exporter's own error is obscure.
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ExportError(f"not installed: {', '.join(missing)} (pip install 'imagemill[training]')")
    import onnx

    size = sum(weights.nbytes for weights in generator.state_dict().values())
    if size > _MOST_BYTES:
        raise ExportError(f"{header.name}: {size:,} bytes of weights; an ONNX file holds at most {_MOST_BYTES:,}")
    model = _translated(header, generator)
    onnx.helper.set_model_props(model, _metadata(header))
    onnx.checker.check_model(model, full_check=True)
    # Deterministic serialisation: the same checkpoint gives the same file.
    atomic_file.write(path, model.SerializeToString(deterministic=True))


def difference(path: Path, header: Header, generator: nn.Module) -> float:
    """Return the largest difference between the file's and the generator's images in [-1, 1], over batches of 1, 3 and
    17.

    Raises ImportError without onnxruntime.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    differences = []
    for batch in _PARITY_BATCHES:
        inputs = _inputs(header, batch)
        (found,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        with torch.inference_mode():
            differences.append(float((torch.from_numpy(found) - generator(*inputs.values())).abs().max()))
    return max(differences)


def _translated(header: Header, generator: nn.Module) -> "ModelProto":
    inputs = _inputs(header, batch=2)
    # Both inputs share the batch dimension, and the exporter accepts its name only once.
    names: dict[str, object] = {"z": {0: "n"}, "labels": {0: torch.export.Dim.DYNAMIC}}
    program = torch.onnx.export(
        generator,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=["images"],
        dynamic_shapes={name: names[name] for name in inputs},
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise AssertionError("the exporter returns a program unless it is asked for a file")
    model: ModelProto = program.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")  # the exporter's notes, with paths of this machine
    return model


def _inputs(header: Header, batch: int) -> dict[str, Tensor]:
    inputs = {"z": latents.sample(header.latent_dim, _PARITY_SEED, range(batch))}
    return inputs | ({"labels": torch.arange(batch) % len(header.classes)} if header.classes else {})


def _metadata(header: Header) -> dict[str, str]:
    return {
        "name": header.name,
        "classes": json.dumps(header.classes),
        "data": header.data.name,
        "licence": header.data.licence,
        "latent_dim": str(header.latent_dim),
        "format_version": str(header.format_version),
    }
