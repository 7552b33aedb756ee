import json
from graphlib import CycleError, TopologicalSorter
from posixpath import dirname, join, normpath
from re import MULTILINE, findall

import pytest

from app.api.page_files import load_page_files
from app.api.page_scripts import join_scripts

PAGE = {
    "main.js": 'import { draw as paint } from "./live/draw.js";\n\npaint();\nvoid import("./live/draw.js");\n',
    "live/draw.js": """// Draws.
import {
  one,
} from "./one.js";

/** @typedef {import("./types.js").Size} Size */
export async function draw() {
  return (await import("./late.js")).late + one;
}
""",
    "live/late.js": 'import { own } from "./own.js";\nexport const late = own;\n',
    "live/one.js": "export const one = 1;\n",
    "live/own.js": "export const own = 1;\n",
    "live/types.js": "export {};\n",
}
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def decode(text: str) -> list[int]:
    """Return the numbers of a segment of a source map."""
    numbers, number, shift = list[int](), 0, 0
    for digit in map(DIGITS.index, text):
        number |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            numbers.append(-(number >> 1) if number & 1 else number >> 1)
            number, shift = 0, 0
    return numbers


def test_the_modules_that_other_folders_need_are_one_script() -> None:
    joined = join_scripts(PAGE)["live/joined.js"]
    assert findall(r"^export const ([$\w]+) = ", joined, MULTILINE) == ["$live_one", "$live_draw"]
    assert "const { one, } = $live_one;" in joined
    assert "return { draw }; })();" in joined
    assert '(await import("./late.js")).late' in joined


def test_a_module_imports_the_script_of_a_folder() -> None:
    assert join_scripts(PAGE)["main.js"].startswith(
        'import { $live_draw } from "./live/joined.js";\n'
        "const { draw: paint } = $live_draw;\n\npaint();\n"
        'void import("./live/joined.js").then(({ $live_draw }) => $live_draw);\n'
    )


def test_a_module_that_is_loaded_on_use_comes_with_those_that_only_it_needs() -> None:
    late = join_scripts(PAGE)["live/late.js"]
    assert late.startswith("export const $live_own = ")
    assert "const { own } = $live_own;\nexport const late = own;" in late


def test_the_address_of_a_module_has_the_exports_of_the_one_instance() -> None:
    assert (
        join_scripts(PAGE)["live/one.js"]
        == 'import { $live_one } from "./joined.js";\nexport const { one } = $live_one;\n'
    )


@pytest.mark.parametrize("text", ["export default 1;\n", "const a = 1;\nexport { a };\n", "export let a = 1;\n"])
def test_an_export_that_cannot_be_joined_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"live/one\.js: export functions, classes and constants only"):
        join_scripts({**PAGE, "live/one.js": text})


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        join_scripts({**PAGE, "live/one.js": 'import { draw } from "./draw.js";\nexport const one = draw;\n'})


def test_the_scripts_of_the_page_do_not_import_each_other() -> None:
    files = {path: file.data.decode() for path, file in load_page_files().items() if path.endswith(".js")}
    targets = {path: findall(r'^import .* from "(\.[^"]+)";', text, MULTILINE) for path, text in files.items()}
    graph = {path: {normpath(join(dirname(path), each)) for each in found} for path, found in targets.items()}
    TopologicalSorter(graph).prepare()
    assert set().union(*graph.values()) <= set(files)


def test_the_source_map_leads_each_line_to_its_module() -> None:
    files = load_page_files()
    maps = [path for path in files if path.endswith(".map")]
    assert len(maps) > 10
    for path in maps:
        content, lines = json.loads(files[path].data), files[path.removesuffix(".map")].data.decode().split("\n")
        source, line = 0, 0
        for served, segment in zip(lines, content["mappings"].split(";"), strict=False):
            if segment:
                _, source_step, line_step, _ = decode(segment)
                source, line = source + source_step, line + line_step
                origin = content["sourcesContent"][source].split("\n")[line]
                is_import = "import" in origin or served == ""
                assert is_import or served in (origin, origin.removeprefix("export "))
