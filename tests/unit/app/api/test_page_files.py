import posixpath
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import app
from app.api.page_files import load_page_files

UI = Path(app.__file__).parent / "ui"
ROOT = UI.parents[1]
LIT_HTML_SHA256 = "22115ca1002e4afc0dd2cb208f28d9c71a577a8989d4185028e26b29676e7842"
"""lit-html 3.3.3 as it is published, without the comment that names a source map."""
OWN = sorted(path for path in UI.rglob("*") if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts)
STATIC_IMPORT = re.compile(r'^import [^;]*?from "(\.[^"]+)";', re.MULTILINE)
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"'$]+)["']""")


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(UI).as_posix() for path in paths]


def test_files_are_served_by_a_fixed_type_whatever_the_system_says() -> None:
    found = load_page_files()
    assert found["main.js"].media_type == "text/javascript; charset=utf-8"
    assert found["live/engine.wasm"].media_type == "application/wasm"
    assert len(found["app.css"].gzipped) < len(found["app.css"].data)


def test_the_etag_depends_on_the_content_alone() -> None:
    found = load_page_files()["main.js"]
    assert found.etag == f'"{sha256(found.data).hexdigest()[:32]}"'


def test_the_library_is_the_published_one_with_its_licence() -> None:
    library = UI / "vendor" / "lit-html.js"
    assert sha256(library.read_bytes()).hexdigest() == LIT_HTML_SHA256
    assert "BSD" in (UI / "vendor" / "lit-html.LICENSE.txt").read_text()


@pytest.mark.parametrize("path", OWN, ids=names(OWN))
def test_a_file_has_nothing_that_the_policy_refuses(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\binnerHTML\b|\bouterHTML\s*=|\beval\(|new Function\(|insertAdjacentHTML", text)
    assert not re.search(r"<[a-z][^>]*\sstyle=[\"$]|<[a-z][^>]*\son[a-z]+=\"|<style", text)


@pytest.mark.parametrize("path", OWN, ids=names(OWN))
def test_a_file_names_no_other_origin(path: Path) -> None:
    found = re.findall(r"https?://[\w.-]+", path.read_text("utf-8"))
    assert [address for address in found if address != "http://www.w3.org"] == []


@pytest.mark.parametrize("path", [each for each in OWN if each.suffix == ".js"], ids=lambda path: path.name)
def test_every_import_leads_to_a_file(path: Path) -> None:
    targets = [(path.parent / target).resolve() for target in IMPORT.findall(path.read_text("utf-8"))]
    assert [target for target in targets if not target.is_file()] == []


def test_the_document_names_all_scripts_of_the_frame_so_that_they_load_at_once() -> None:
    found, left = set[str](), ["main.js"]
    while left:
        script = left.pop()
        found.add(script)
        targets = STATIC_IMPORT.findall(load_page_files()[script].data.decode())
        left += {posixpath.normpath(posixpath.join(posixpath.dirname(script), target)) for target in targets} - found
    named = re.findall(r'"modulepreload" href="ui/([^"]+)"', (UI / "index.html").read_text("utf-8"))
    assert sorted(named) == sorted(found - {"main.js"})


@pytest.mark.slow
def test_the_wheel_has_all_files_of_the_page(tmp_path: Path) -> None:
    uv = ROOT / ".uv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not in .uv: make .venv/dev installs it")
    command = [
        str(uv),
        "build",
        "-q",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "-o",
        str(tmp_path),
    ]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    if done.returncode and "uv_build" in done.stderr:
        pytest.skip(f"the build backend is not installed: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert {f"app/ui/{name}" for name in names(OWN)} - packed == set()


def test_the_image_of_the_container_gets_the_folder_of_the_page() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "!app" in lines
    assert not [line for line in lines if line.startswith("app/")]
