"""The facts about a model with a quality gate and three classes."""

from worker.contracts.catalog import GateEffect, ModelFacts

GATE = "9" * 64


def effect(keep: float, share: float) -> GateEffect:
    return GateEffect(keep=keep, yield_=share, precision=0.5, density=0.4, coverage=0.3, recall=0.1, fd=40)


FACTS = ModelFacts(
    model_sha256="0" * 64,
    gate=GATE,
    class_counts=(120, 80, 5),
    class_yields=(0.71, 0.61, 0.5),
    effects=(effect(1, 0.712), effect(0.5, 0.823), effect(0.25, 0.934)),
    judge="efflite0",
    close_real_pairs=0.1,
)
