"""Facts about a loaded model, for users who choose one: its training data, and the effect of its quality gate."""

from worker.contracts.catalog import GateEffect, ModelFacts
from worker.rendering.loaded_model import LoadedModel


def model_facts(model: LoadedModel) -> ModelFacts:
    """Return the facts about a model. Without a gate, only the numbers of training images are known."""
    sha256, gate = model.entry.sha256, model.gate
    names = tuple(each.name for each in model.sliders.sliders) if model.sliders else ()
    if gate is None:
        return ModelFacts(
            model_sha256=sha256, class_counts=model.class_counts, sliders=model.sliders_sha256, slider_names=names
        )
    header, has_classes = gate.header, bool(model.entry.classes)
    return ModelFacts(
        model_sha256=sha256,
        gate=gate.sha256,
        # The header of an unconditional model has one row. It says nothing about classes.
        class_counts=header.class_counts if has_classes else (),
        class_yields=header.class_yields if has_classes else (),
        effects=tuple(GateEffect.model_validate(effect.model_dump()) for effect in header.effects),
        judge=header.extractor,
        close_real_pairs=header.close_real_pairs,
        sliders=model.sliders_sha256,
        slider_names=names,
    )
