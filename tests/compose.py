"""The Compose file as Docker Compose reads it: its variables filled in, one profile chosen."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_TEXT = (ROOT / "docker-compose.yml").read_text()
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})")
VARIABLES = frozenset(match[1] for match in _VARIABLE.finditer(_TEXT) if match[1])


def services(profile: str | None = None, variables: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """List the services of a profile, or all; raises KeyError when a variable that must be set is not."""
    found: dict[str, dict[str, Any]] = _filled(yaml.safe_load(_TEXT)["services"], variables or {})
    return {name: each for name, each in found.items() if profile in (None, *each.get("profiles", [profile]))}


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return _VARIABLE.sub(lambda match: _value(match, variables), node) if isinstance(node, str) else node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, other = match.groups()
    if name is None:
        return "$"
    value = variables.get(name, "")
    if not value and kind == "?":
        raise KeyError(f"{name} {other}")
    return value or (other if kind == "-" else "")
