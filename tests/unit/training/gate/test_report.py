from models.quality_gate import GateHeader, load_gate
from models.registry import GATE_SUFFIX, ZOO
from training.gate import report


def header_with(spearman: float) -> GateHeader:
    header = load_gate(ZOO / f"faces-64{GATE_SUFFIX}").header
    return header.model_copy(update={"agreement": header.agreement.model_copy(update={"spearman": spearman})})


def test_a_gate_that_ranks_like_chance_is_reported_with_a_warning() -> None:
    assert report.lines(header_with(-0.8))[-1].startswith("warning: the gate ranks hardly better than chance")
    assert not any("warning" in line for line in report.lines(header_with(0.3)))
