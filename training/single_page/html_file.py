"""Writes a model as one HTML file. Its scripts are the modules of the web page, joined into one."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from models import atomic_file
from models.browser.packed_model import PackedModel
from models.checkpoint import Header

_MODULES = ("philox.js", "latent.js", "point.js", "engine.js")
"""Modules of the web page that the script needs, each after those that it imports."""
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def write(path: Path, header: Header, packed: PackedModel, sliders: bytes | None) -> None:
    """Write the file, whole or not at all. `sliders` is the content of the model's sliders.json."""
    atomic_file.write(path, page(header, packed, sliders).encode())


def page(header: Header, packed: PackedModel, sliders: bytes | None) -> str:
    """Return the page. Its content security policy lets it reach no network."""
    own, live = files("training.single_page"), _live_files()
    script, style = _joined_script(own, live), _read(own / "page.css")
    scripts = f"script-src '{_hash(script)}' 'wasm-unsafe-eval'"
    policy = f"default-src 'none'; {scripts}; style-src '{_hash(style)}'; img-src blob:"
    contents = {
        "policy": policy,
        "name": html.escape(header.name),
        "data": html.escape(header.data.name),
        "licence": html.escape(header.data.licence),
        "style": style,
        "engine": _script_safe(packed.engine.model_dump_json()),
        "sliders": _script_safe(_sliders_json(sliders)),
        "wasm": _base64((live / "engine.wasm").read_bytes()),
        "weights": _base64(packed.weights),
        "script": script,
    }
    return _PLACEHOLDER.sub(lambda match: contents[match[1]], _read(own / "page.html"))


def _live_files() -> Traversable:
    # These are files of the web page. They are read as data, and nothing of the package is imported or run.
    return files("app") / "ui" / "live"


def _joined_script(own: Traversable, live: Traversable) -> str:
    modules = [*(live / name for name in _MODULES), own / "page.js"]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _read(module))) for module in modules)


def _sliders_json(sliders: bytes | None) -> str:
    if sliders is None:
        return json.dumps({"sliders": [], "checksum": ""})
    return json.dumps({"sliders": json.loads(sliders)["sliders"], "checksum": hashlib.sha256(sliders).hexdigest()})


def _script_safe(text: str) -> str:
    """Escape JSON for a script element, which ends at the first `</script`."""
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"sha256-{_base64(hashlib.sha256(text.encode()).digest())}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _read(file: Traversable) -> str:
    return file.read_text("utf-8")
