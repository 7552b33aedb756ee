import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from models import checkpoint
from models.browser.packed_model import PackedModel, pack
from models.checkpoint import Header
from tests.tiny import save_checkpoint
from training.single_page import html_file

SCRIPTS = re.compile(r'<script type="([\w/]+)"(?: id="(\w+)")?>(.*?)</script>', re.DOTALL)


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[Header, PackedModel]:
    save_checkpoint(tmp_path, "tiny", ("a</script><b>", "c"))
    header, generator = checkpoint.load_generator(tmp_path / "tiny.safetensors")
    return header, pack(header, generator, "")


def test_the_policy_allows_the_script_and_the_style_of_the_page_only(tiny: tuple[Header, PackedModel]) -> None:
    page = html_file.page(*tiny, None)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    (style,) = re.findall(r"<style>(.*)</style>", page, re.DOTALL)
    script = next(text for kind, _, text in SCRIPTS.findall(page) if kind == "module")
    assert policy == (
        f"default-src 'none'; script-src '{hash_of(script)}' 'wasm-unsafe-eval'; "
        f"style-src '{hash_of(style)}'; img-src blob:"
    )


def test_the_script_needs_no_other_module(tiny: tuple[Header, PackedModel]) -> None:
    script = next(text for kind, _, text in SCRIPTS.findall(html_file.page(*tiny, None)) if kind == "module")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", script, re.MULTILINE)
    assert len(names) == len(set(names)) > 20


def test_the_page_holds_the_model_and_its_sliders(tiny: tuple[Header, PackedModel]) -> None:
    header, packed = tiny
    slider = {"name": "</script>", "kind": "attribute", "r2": 0.5, "vector": [0.1] * 16, "low": -3, "high": 3}
    sliders = json.dumps({"version": 1, "model": "0" * 64, "sliders": [slider]}).encode()
    data = {name: text for _, name, text in SCRIPTS.findall(html_file.page(header, packed, sliders)) if name}
    assert json.loads(data["engine"]) == json.loads(packed.engine.model_dump_json())
    assert json.loads(data["engine"])["classes"] == ["a</script><b>", "c"]
    assert json.loads(data["sliders"]) == {"sliders": [slider], "checksum": hashlib.sha256(sliders).hexdigest()}
    assert base64.b64decode(data["weights"]) == packed.weights


def hash_of(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
