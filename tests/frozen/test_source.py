"""Names that users see and that stand in the source only: error codes and environment variables."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.frozen import snapshot

ROOT = Path(__file__).parents[2]
_OTHERS = {"tests", "benchmarks", "shared", "docs"}
_CODE = re.compile(r"[a-z]+(_[a-z]+)*_?")
_VARIABLE = re.compile(r"IMAGEMILL_[A-Z0-9_]*[A-Z0-9]")
_PREFIX = "IMAGEMILL_"


def sources() -> Iterator[Path]:
    """List the Python files of the product, wherever they are moved to."""
    for folder in ROOT.iterdir():
        if folder.is_dir() and folder.name not in _OTHERS and not folder.name.startswith("."):
            yield from folder.rglob("*.py")


def trees() -> list[ast.Module]:
    return [ast.parse(path.read_bytes()) for path in sources()]


def test_the_error_codes_stay() -> None:
    parsed = trees()
    positions = {name: place for tree in parsed for name, place in takers(tree)}
    assert positions, "no function takes a code"
    found = {code for tree in parsed for value in values(tree, positions) for code in codes(value)}
    snapshot.check("error-codes.txt", snapshot.as_lines(found))


def takers(tree: ast.Module) -> Iterator[tuple[str, int | None]]:
    """List what takes a parameter `code`: its name, and the position, which a class of fields has not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and name_of(part.target) == "code":
                    yield node.name, None
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    yield from ((node.name, place - 1) for place in places(part))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
            yield from ((node.name, place) for place in places(node))


def places(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[int]:
    return [place for place, parameter in enumerate(function.args.args) if parameter.arg == "code"]


def values(tree: ast.Module, positions: dict[str, int | None]) -> Iterator[ast.expr]:
    """List the expressions that are used as codes: arguments, assignments, and what `..._code` functions return."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in positions:
            place = positions[name_of(node.func)]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
            yield from node.args[place : place + 1] if place is not None else ()
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from assigned(target, node.value)
        elif isinstance(node, ast.FunctionDef) and node.name.endswith("code"):
            yield from (part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value)


def assigned(target: ast.expr, value: ast.expr) -> Iterator[ast.expr]:
    if name_of(target) == "code":
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from (given for part, given in zip(target.elts, value.elts, strict=True) if name_of(part) == "code")


def codes(value: ast.expr) -> Iterator[str]:
    """List the literals of an expression; a computed part of a text is written as {}."""
    if isinstance(value, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in value.values)
        yield "".join(parts)
    elif isinstance(value, ast.IfExp):
        yield from (*codes(value.body), *codes(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and _CODE.fullmatch(value.value):
        yield value.value


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_the_environment_variables_stay() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*sources(), ROOT / "docker-compose.yml")]
    found = {name for text in texts for name in _VARIABLE.findall(text)}
    found |= {_PREFIX + field.upper() for field in settings(trees())}
    snapshot.check("environment-variables.txt", snapshot.as_lines(found))


def settings(parsed: list[ast.Module]) -> Iterator[str]:
    """List the fields of the classes that read the environment: those below pydantic's BaseSettings."""
    classes = [node for tree in parsed for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known, found = {"BaseSettings"}, list[ast.ClassDef]()
    while more := [node for node in classes if node not in found and known & set(map(name_of, node.bases))]:
        found += more
        known |= {node.name for node in more}
    for node in found:
        yield from (name_of(part.target) for part in node.body if isinstance(part, ast.AnnAssign))
