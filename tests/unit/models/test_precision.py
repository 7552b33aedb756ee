import torch

from models.precision import fastest_dtype


def test_a_cpu_computes_in_bf16_exactly_where_it_has_units_for_it() -> None:
    found = torch.cpu.get_capabilities()
    native = any(found.get(unit) for unit in ("amx_bf16", "avx512_bf16", "bf16"))
    assert fastest_dtype(torch.device("cpu")) == (torch.bfloat16 if native else torch.float32)
