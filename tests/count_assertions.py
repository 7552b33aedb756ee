"""Count the assertions of a tree's tests, to compare two trees: `python -m tests.count_assertions [FOLDER]`."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_CHECKS = ("raises", "warns", "assert_close", "fail")


def count(folder: Path) -> Counter[str]:
    """Count test functions, asserts and calls that expect something, in the tests below a folder."""
    found = Counter[str]()
    for path in sorted((folder / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found.update(_kinds(node))
    return found


def silent_tests(folder: Path) -> list[str]:
    """Name the test functions without an assertion of their own: those of helpers, or those that cannot fail."""
    return [
        f"{path.relative_to(folder)}::{node.name}"
        for path in sorted((folder / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if not {"asserts", "expectations"} & {kind for part in ast.walk(node) for kind in _kinds(part)}
    ]


def _kinds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
        yield "test functions"
    elif isinstance(node, ast.Assert):
        yield "asserts"
        conditions = len(node.test.values) if isinstance(node.test, ast.BoolOp) else 1
        yield from ["conditions"] * conditions
    elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _CHECKS:
        yield "expectations"


if __name__ == "__main__":
    tree = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for kind, number in sorted(count(tree).items()):
        print(f"{number:6} {kind}")  # noqa: T201
    print("without an assertion of their own:", *silent_tests(tree), sep="\n  ")  # noqa: T201
