"""Initial weights of a new run: the networks of another run, or the generator of a checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import interpolate

from models import checkpoint, registry
from models.errors import CheckpointError, ModelError
from training import state
from training.errors import StateError
from training.networks import Networks
from training.recipe import Recipe
from training.run_plan import STATE

_TABLE = "embedding.weight"
_CLASS_TABLES = (_TABLE, "projection.weight")
"""Tensors with one row per class. A generator with classes has the first one."""


@dataclass(frozen=True)
class InitialWeights:
    """Weights to start a run with."""

    origin: str
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    """None for a checkpoint, which has no discriminator."""
    average: Mapping[str, Tensor]
    classes: tuple[str, ...] | None
    """None when unknown: older states do not store them."""
    shape: Mapping[str, object]
    """Recipe fields that must have the same values in the new run."""


def find(place: Path) -> Path:
    """Return the file of a run folder, a checkpoint, a state or a shipped model.

    Raises StateError when `place` is none of them.
    """
    if (place / STATE).is_file():
        return place / STATE
    try:
        return registry.find(str(place))
    except ModelError as error:
        fault = "a folder without the state of a run" if place.is_dir() else "no such file or folder"
        shipped = ", ".join(registry.zoo())
        raise StateError(
            f"{place}: {fault}; --from takes the folder of a run, a checkpoint (.safetensors) or a shipped model "
            f"({shipped})"
        ) from error


def load(path: Path) -> InitialWeights:
    """Load a state or a checkpoint. Raises StateError for other files, CheckpointError for a damaged checkpoint."""
    # The header decides, because a file of any name may be given.
    if _has(checkpoint.read_header, path):
        return _from_checkpoint(path)
    if _has(state.read_position, path):
        return _from_run(path)
    raise StateError(f"{path}: neither a checkpoint nor the state of a run that this version can read")


def load_into(weights: InitialWeights, networks: Networks, recipe: Recipe, classes: Sequence[str]) -> str:
    """Copy `weights` into new networks; optimisers and random stream stay new. Returns a sentence about the result.

    Classes with equal names keep their rows. Raises StateError when the generator does not fit.
    """
    _check_shape(weights, recipe)
    own_classes = classes if _TABLE in networks.generator.state_dict() else ()
    rows = _rows(weights, own_classes)
    for own, found in ((networks.generator, weights.generator), (networks.average, weights.average)):
        fitted = _fit(own, found, rows)
        if fitted is None:
            raise StateError(
                f"{weights.origin}: its networks are for another image size, and cannot be resized to this one"
            )
        own.load_state_dict(fitted)
    # A discriminator may differ in width between runs, so it is optional.
    critic = weights.discriminator and _fit(networks.discriminator, weights.discriminator, rows)
    if critic:
        networks.discriminator.load_state_dict(critic)
    return _summary(weights, bool(critic), own_classes, rows)


def _has(read_header: Callable[[Path], object], path: Path) -> bool:
    try:
        read_header(path)
    except (CheckpointError, StateError):
        return False
    return True


def _from_checkpoint(path: Path) -> InitialWeights:
    header, generator = checkpoint.load_generator(path)
    built, tensors = header.architecture, generator.state_dict()
    shape = {"architecture": built.name, "generator_channels": built.channels, "latent_dim": built.latent_dim}
    origin = f"{header.name}, a checkpoint of {header.training.images_seen:,} images seen"
    return InitialWeights(origin, tensors, None, tensors, header.classes, shape)


def _from_run(path: Path) -> InitialWeights:
    position, tensors = state.read(path)
    parts = {name: state.tensors_of(tensors, name) for name in ("generator", "discriminator", "average")}
    shape = position.recipe.model_dump(include={"architecture", "generator_channels", "latent_dim"})
    origin = f"{position.name} at step {position.step:,} of its run"
    return InitialWeights(origin, **parts, classes=_classes_of_run(path, position), shape=shape)


def _classes_of_run(path: Path, position: state.Position) -> tuple[str, ...] | None:
    """Return the classes of a run. For an older run, they come from its checkpoint, if it has one."""
    if position.classes is not None:
        return position.classes
    try:
        return checkpoint.read_header(path.with_name(f"{position.name}.safetensors")).classes
    except CheckpointError:
        return None


def _check_shape(weights: InitialWeights, recipe: Recipe) -> None:
    wanted = {key: value for key, value in weights.shape.items() if getattr(recipe, key) != value}
    if wanted:
        here = " and ".join(f"{key} {getattr(recipe, key)}" for key in wanted)
        there = " ".join(f"--set {key}={value}" for key, value in wanted.items())
        raise StateError(f"{weights.origin}: does not fit a recipe with {here}; begin with: {there}")


def _rows(weights: InitialWeights, own: Sequence[str]) -> dict[int, int]:
    """Map each class's position to its earlier position. Unknown names match by position if the counts are equal."""
    count = len(weights.generator.get(_TABLE, ()))
    unknown = own if count == len(own) else ()
    # A generator that ignores labels has no rows, although its data have class names.
    before = list(unknown if weights.classes is None else weights.classes)[:count]
    return {k: before.index(name) for k, name in enumerate(own) if name in before}


def _fit(network: nn.Module, found: Mapping[str, Tensor], rows: Mapping[int, int]) -> dict[str, Tensor] | None:
    """Fit tensors to a network. Returns None when they belong to a different architecture."""
    own = {key: value.detach().cpu() for key, value in network.state_dict().items()}
    if own.keys() - set(_CLASS_TABLES) != found.keys() - set(_CLASS_TABLES):
        return None
    fitted = {}
    for key, fresh in own.items():
        value = _class_rows(fresh, found.get(key), rows) if key in _CLASS_TABLES else _resize(fresh, found[key])
        if value is None:
            return None
        fitted[key] = value
    return fitted


def _class_rows(fresh: Tensor, found: Tensor | None, rows: Mapping[int, int]) -> Tensor:
    if found is None or found.shape[1:] != fresh.shape[1:]:
        return fresh
    kept = fresh.clone()
    for own, before in rows.items():
        kept[own] = found[before]
    return kept


def _resize(fresh: Tensor, found: Tensor) -> Tensor | None:
    """Fit a tensor whose shape depends on the image size or on the presence of classes."""
    if fresh.shape == found.shape:
        return found
    if fresh.dim() == found.dim() == 4 and fresh.shape[2:] != found.shape[2:]:
        # A kernel as large as the start grid: as many weights more as add up to one value weigh less each.
        scale = found[0, 0].numel() / fresh[0, 0].numel() if fresh.shape[0] == 1 else 1.0
        found = scale * interpolate(found, tuple(fresh.shape[2:]), mode="bilinear")
    differing = [k for k, (a, b) in enumerate(zip(fresh.shape, found.shape, strict=True)) if a != b]
    # One differing side is a number of classes or input planes. Two are another architecture.
    if len(differing) > 1:
        return None
    kept = fresh.clone()
    shared = tuple(slice(min(a, b)) for a, b in zip(fresh.shape, found.shape, strict=True))
    kept[shared] = found[shared]
    return kept


def _summary(weights: InitialWeights, with_discriminator: bool, classes: Sequence[str], rows: Mapping[int, int]) -> str:
    what = "the generator and the discriminator" if with_discriminator else "the generator"
    rest = "" if with_discriminator else "; the discriminator starts fresh"
    fresh = [name for k, name in enumerate(classes) if k not in rows]
    new = f"; classes that start fresh: {', '.join(fresh[:12])}{', ...' * (len(fresh) > 12)}" if fresh else ""
    return f"begins with {what} of {weights.origin}{rest}{new}"
