"""Proves that two trees are the same program, although modules, classes and functions have moved or have other names.

    python -m tests.same_program OLD NEW [NAMES.json]

Both trees become a multiset of top-level statements, without comments, docstrings and imports. A name of another
module of ours counts by its own name, however it was imported. NAMES.json maps old identifiers, and old dotted names
in strings, to new ones. The exit status is 1 if the multisets differ.

Constants count once, since several modules may have the same one.
It does not prove imports (mypy and import-linter do), nor the order of statements between modules.
"""

import ast
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PACKAGES = ("imagemill", "app", "worker", "models", "training")


class _Normal(ast.NodeTransformer):
    """Replaces each name by the representative of its old and new spellings, and removes words."""

    def __init__(self, names: Mapping[str, str], modules: set[str], aliases: Mapping[str, str]) -> None:
        self._names = names
        self._modules = modules
        self._aliases = aliases

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Remove docstrings and imports, and map every identifier."""
        super().generic_visit(node)
        for field, value in ast.iter_fields(node):
            if field == "body" and isinstance(value, list):
                node.body = [part for part in value if not _is_words(part)] or [ast.Pass()]  # type: ignore[attr-defined]
            elif isinstance(value, str) and field != "type_comment":
                setattr(node, field, self._names.get(value, value))
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Undo `import ... as`."""
        node.id = self._aliases.get(node.id, node.id)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Read `module.name` like a name that was imported by itself."""
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            return self.generic_visit(ast.Name(node.attr, node.ctx))
        return self.generic_visit(node)


def statements(tree: Path, names: Mapping[str, str]) -> Counter[str]:
    """Count the normalised top-level statements of all packages of a tree."""
    files = [file for package in PACKAGES for file in sorted((tree / package).rglob("*.py"))]
    found = Counter(statement for file in files for statement in _statements(file, tree, names))
    return Counter({text: 1 if text.startswith(("Assign", "AnnAssign")) else count for text, count in found.items()})


def representatives(renames: Mapping[str, str]) -> dict[str, str]:
    """Map every spelling of a name, old or new, to one of them."""
    found: dict[str, str] = {}
    for old, new in renames.items():
        keep, replaced = found.get(new, new), found.get(old, old)
        found |= {name: keep for name, target in found.items() if target == replaced} | {
            old: keep,
            new: keep,
            replaced: keep,
        }
    return found


def _statements(file: Path, tree: Path, names: Mapping[str, str]) -> Iterator[str]:
    body = ast.parse(file.read_text()).body
    shared = [part for part in body if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    for statement in body:
        if not _is_words(statement) and not _is_export(statement):
            modules, aliases = _imported([*shared, statement], tree)
            yield ast.dump(_Normal(names, modules, aliases).visit(statement))


def _imported(scope: Sequence[ast.stmt], tree: Path) -> tuple[set[str], dict[str, str]]:
    """Find what statements import from our packages: names of modules, and other names with their originals."""
    modules, aliases = set[str](), dict[str, str]()
    for node in (node for statement in scope for node in ast.walk(statement)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            for alias in node.names:
                place = tree.joinpath(*node.module.split("."), alias.name)
                if place.with_suffix(".py").exists() or place.is_dir():
                    modules.add(alias.asname or alias.name)
                else:
                    aliases[alias.asname or alias.name] = alias.name
    return modules, aliases


def _is_words(node: ast.stmt) -> bool:
    is_string = (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return is_string or isinstance(node, ast.Import | ast.ImportFrom)


def _is_export(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"


def main(arguments: list[str]) -> int:
    """Compare two trees and print the statements of which one has more than the other."""
    names = representatives(json.loads(Path(arguments[2]).read_text()) if len(arguments) > 2 else {})
    old, new = (statements(Path(tree), names) for tree in arguments[:2])
    for sign, more in (("-", old - new), ("+", new - old)):
        for statement in sorted(more.elements()):
            sys.stdout.write(f"{sign} {statement[:300]}\n")
    sys.stdout.write("same program\n" if old == new else "the programs differ\n")
    return int(old != new)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
