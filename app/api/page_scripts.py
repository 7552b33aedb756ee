"""Joins the modules of each folder of the page into one script, so that a browser needs few requests.

A module becomes a function that runs once and returns its exports. Its lines stay as they are. A module that is loaded
on use, by `import()` within its folder or as a thread, keeps a script of its own, together with the modules that only
it needs. Browsers' tools show the modules by a source map.
"""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

JOINED = "joined.js"
"""Name of the script of a folder."""
_IMPORT = re.compile(r'^import (?:(\{[^}]*\}) from )?"(\.[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
_EXPORT_WORD = re.compile(r"^export (?!\{\};)", re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r'\bimport\("(\.[^"]+)"\)(?!\.[A-Z])')
"""A dynamic import. In a comment of a type, such as `import("./point.js").Point`, the name of the type follows."""
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True)
class _Module:
    path: str
    """Path below `ui/`, such as `live/point.js`."""
    text: str

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    @property
    def name(self) -> str:
        """Identifier that no module uses itself."""
        return "$" + re.sub(r"\W", "_", self.path.removesuffix(".js"))

    @cached_property
    def imports(self) -> list[str]:
        """Paths of the modules that it imports when it starts."""
        return [self.resolve(target) for _, target in _IMPORT.findall(self.text)]

    @cached_property
    def imports_on_use(self) -> list[str]:
        return [self.resolve(target) for target in _DYNAMIC_IMPORT.findall(self.text)]

    @cached_property
    def exports(self) -> list[str]:
        """Names of the exports. Raises ValueError for a form of export that cannot be joined."""
        names = _EXPORT.findall(self.text)
        if len(names) != len(_EXPORT_WORD.findall(self.text)):
            raise ValueError(f"{self.path}: export functions, classes and constants only, each where it is defined")
        return names

    def resolve(self, target: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, target))


def join_scripts(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the text of all scripts and source maps by their paths. `sources` has the modules' texts by their paths.

    Raises ValueError for an export that cannot be joined, and `graphlib.CycleError` for modules that import each other.
    """
    modules = {path: _Module(path, text) for path, text in sources.items()}
    joined = _find_joined(modules)
    served = dict[str, str]()
    for path, module in modules.items():
        if path in joined:
            served[path] = _reexport(module)
        else:
            private = _find_private(module, modules, joined)
            served |= _Script(path, [*_sort(private), module], joined | {each.path for each in private}).files()
    for folder in {modules[path].folder for path in joined}:
        order = _sort([modules[path] for path in joined if modules[path].folder == folder])
        served |= _Script(f"{folder}/{JOINED}", order, joined).files()
    return served


def _find_joined(modules: Mapping[str, _Module]) -> frozenset[str]:
    """Return the modules that other folders import, and those that these import from their own folder."""
    left = [
        target
        for module in modules.values()
        for target in module.imports + module.imports_on_use
        if target in modules and modules[target].folder != module.folder
    ]
    found = set[str]()
    while left:
        module = modules[left.pop()]
        if module.path not in found:
            found.add(module.path)
            left += [path for path in module.imports if path in modules and modules[path].folder == module.folder]
    return frozenset(found)


def _find_private(entry: _Module, modules: Mapping[str, _Module], joined: frozenset[str]) -> list[_Module]:
    """Return the modules of the entry's folder that it needs, and that no other script needs."""
    importers = Counter(target for module in modules.values() for target in module.imports)
    found, left = list[_Module](), [entry]
    while left:
        for path in left.pop().imports:
            module = modules.get(path)
            if module and module.folder == entry.folder and path not in joined and importers[path] == 1:
                found.append(module)
                left.append(module)
    return found


def _sort(modules: Iterable[_Module]) -> list[_Module]:
    """Sort the modules of a folder: each comes after those that it imports."""
    by_path = {module.path: module for module in sorted(modules, key=lambda module: module.path)}
    graph = {path: [each for each in module.imports if each in by_path] for path, module in by_path.items()}
    return [by_path[path] for path in TopologicalSorter(graph).static_order()]


def _reexport(module: _Module) -> str:
    """Return a script for the module's own address. It has the exports of the one instance in the folder's script."""
    names = ", ".join(module.exports)
    return f'import {{ {module.name} }} from "./{JOINED}";\nexport const {{ {names} }} = {module.name};\n'


@dataclass(frozen=True)
class _Script:
    path: str
    modules: list[_Module]
    joined: frozenset[str]
    """Paths of the modules that are a part of a folder's script."""

    def files(self) -> dict[str, str]:
        """Return the script and its source map by their paths."""
        lines, origins = list[str](), list[tuple[int, int] | None]()
        imports = list(self._imports())
        lines += imports
        origins += [None] * len(imports)
        for number, module in enumerate(self.modules):
            block = self._body(module).removesuffix("\n").split("\n")
            places = [(number, line) for line in range(len(block))]
            is_part = module.path in self.joined
            lines += self._wrap(module, block) if is_part else block
            origins += [None, *places, None] if is_part else places
        map_path = f"{self.path}.map"
        text = "\n".join([*lines, f"//# sourceMappingURL={posixpath.basename(map_path)}", ""])
        return {self.path: text, map_path: self._source_map(origins)}

    def _imports(self) -> Iterator[str]:
        """Return a line for each module of other scripts that the modules import."""
        own = {module.path for module in self.modules} & self.joined
        for path in sorted({path for module in self.modules for path in module.imports} - own):
            name = _Module(path, "").name
            what = f"{{ {name} }}" if path in self.joined else f"* as {name}"
            yield f'import {what} from "{self._address_of(path)}";'

    def _address_of(self, path: str) -> str:
        """Return the relative address of the script that has a module."""
        script = posixpath.join(posixpath.dirname(path), JOINED) if path in self.joined else path
        address = posixpath.relpath(script, posixpath.dirname(self.path) or ".")
        return address if address.startswith(".") else f"./{address}"

    def _wrap(self, module: _Module, block: list[str]) -> list[str]:
        end = f"return {{ {', '.join(module.exports)} }}; }})();"
        return [f"export const {module.name} = (() => {{ // {module.path}", *block, end]

    def _body(self, module: _Module) -> str:
        """Return the text of a module with constants in the place of imports, and with the same lines."""

        def assign(match: re.Match[str]) -> str:
            names, target = match[1], _Module(module.resolve(match[2]), "").name
            constants = f"const {re.sub(r' as ', ': ', names)} = {target};" if names else ""
            return " ".join(constants.split()) + "\n" * match[0].count("\n")

        def load(match: re.Match[str]) -> str:
            target = module.resolve(match[1])
            if target not in self.joined:
                return match[0]
            name = _Module(target, "").name
            return f'import("{self._address_of(target)}").then(({{ {name} }}) => {name})'

        text = _DYNAMIC_IMPORT.sub(load, _IMPORT.sub(assign, module.text))
        return _EXPORT_WORD.sub("", text) if module.path in self.joined else text

    def _source_map(self, origins: list[tuple[int, int] | None]) -> str:
        mappings, former = list[str](), (0, 0)
        for origin in origins:
            if origin is None:
                mappings.append("")
                continue
            mappings.append("".join(map(_vlq, (0, origin[0] - former[0], origin[1] - former[1], 0))))
            former = origin
        content = {
            "version": 3,
            "sources": [f"imagemill:///{module.path}" for module in self.modules],
            "sourcesContent": [module.text for module in self.modules],
            "names": [],
            "mappings": ";".join(mappings),
        }
        return json.dumps(content)


def _vlq(number: int) -> str:
    """Encode a number as in source maps (ECMA-426): base 64, five bits a digit, the lowest bit is the sign."""
    rest, text = (-number << 1) | 1 if number < 0 else number << 1, ""
    while rest > 31:
        text += _BASE64[rest & 31 | 32]
        rest >>= 5
    return text + _BASE64[rest]
