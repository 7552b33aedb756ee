"""The language of the code may only get plainer, and the documents name only what exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests import prose_lint

ROOT = Path(__file__).resolve().parents[2]
MOST_PERCENT = {
    "app": 0.5,
    "benchmarks": 0.0,
    "imagemill": 0.0,
    "models": 0.0,
    "tests": 14.5,
    "training": 0.1,
    "worker": 0.6,
}
"""Largest share of flagged texts of each package. These numbers may only fall; docs/style.md says how to write."""

MOST_WORDS = 18
"""Largest median length of a sentence in the documents that every reader starts with."""
MOST_COLUMNS = 140
MOST_README_LINES = 170

CARDS = {"faces-64.md", "emoji-64.md"}
"""Written by `imagemill train`, so they are checked for links only."""
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "models/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name not in CARDS
)
QUOTES_BAD_ENGLISH = {"style.md"}
DOCSTRINGS_ONLY = {"starts with a clause or a fragment", "a function word in the place of a verb"}
"""Rules for the first word of a docstring; a sentence of a document may start so."""
PACKAGES = "app|benchmarks|imagemill|models|tests|training|worker"


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code_blocks(text: str) -> list[tuple[int, str]]:
    """Return the lines outside of fences, numbered from 1."""
    lines, in_code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            lines.append((number, line))
    return lines


def paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs and list items without code, headings, tables, pictures and the targets of links."""
    block: list[str] = []
    for _, line in [*without_code_blocks(text), (0, "")]:
        is_prose = line.strip() and not re.match(r"\s*(?:#|\||!\[)", line)
        if block and (not is_prose or re.match(r"\s*(?:[-*]|\d+\.) ", line)):
            yield " ".join(block)
            block = []
        if is_prose:
            bare = re.sub(r"\]\([^)]*\)", "]", re.sub(r"^\s*(?:[-*]|\d+\.) ", "", line))
            block.append(re.sub(r"`[^`]*`", "CODE", bare).strip())


def sentences(text: str) -> list[str]:
    return [part for block in paragraphs(text) for part in re.split(r"(?<=[.!?])\s+", block) if part]


@pytest.mark.parametrize("package", MOST_PERCENT)
def test_the_share_of_oblique_docstrings_never_rises(package: str) -> None:
    report = prose_lint.check([ROOT / package])
    assert report.percent <= MOST_PERCENT[package], (
        f"{report.percent:.1f} % flagged; see `python -m tests.prose_lint {package} -v` and docs/style.md"
    )


@pytest.mark.parametrize(
    ("text", "habit"),
    [
        ("What turns indices into files.", "starts with a clause or a fragment"),
        ("Wake who waits for the job.", "clause in the place of a noun"),
        ("Nobody may read it.", "a person in the place of a component"),
        ("Tell whether the job has ended.", "a function word in the place of a verb"),
        ("Render the images anew.", "archaic or translated word"),
        ("Make the mill of a shard.", "private metaphor"),
    ],
)
def test_every_habit_is_found(text: str, habit: str) -> None:
    assert habit in prose_lint.broken_rules(text)


def test_a_plain_sentence_passes() -> None:
    assert prose_lint.broken_rules("Return whether the job has ended.") == ()


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_sentences_are_short(document: str) -> None:
    lengths = [len(sentence.split()) for sentence in sentences((ROOT / document).read_text("utf-8"))]
    assert median(lengths) <= MOST_WORDS


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= MOST_README_LINES


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_lines_fit_on_a_screen(document: Path) -> None:
    lines = without_code_blocks(document.read_text("utf-8"))
    text = [(number, re.sub(r"\]\([^)]*\)", "]", line)) for number, line in lines if not line.startswith("|")]
    assert [f"{name(document)}:{number}" for number, line in text if len(line) > MOST_COLUMNS] == []


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path.name not in QUOTES_BAD_ENGLISH], ids=name)
def test_documents_are_written_plainly(document: Path) -> None:
    texts = sentences(document.read_text("utf-8"))
    found = {sentence: {*prose_lint.broken_rules(sentence)} - DOCSTRINGS_ONLY for sentence in texts}
    assert {sentence: rules for sentence, rules in found.items() if rules} == {}


@pytest.mark.parametrize("document", sorted([*DOCUMENTS, *(ROOT / "models/zoo").glob("*-64.md")]), ids=name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    assert [link for link in links(text) if not exists(document, link)] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, left = {ROOT / "README.md"}, [ROOT / "README.md"]
    while left:
        page = left.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text("utf-8"))}
        fresh = {target for target in targets if target.suffix == ".md" and target.is_file()} - found
        found |= fresh
        left += fresh
    assert [name(page) for page in DOCUMENTS if page not in found] == []


def links(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", "\n".join(line for _, line in without_code_blocks(text)))
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]


def exists(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in anchors(target.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub names them."""
    headings = [line.lstrip("# ") for _, line in without_code_blocks(text) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_named_file_exists(document: Path) -> None:
    paths = re.findall(rf"(?<![\w/.-])((?:{PACKAGES}|docs|docker|requirements)/[\w/.-]*\w)", code(document))
    assert [path for path in paths if not is_file(path)] == []


def is_file(path: str) -> bool:
    return (ROOT / path).exists() or (ROOT / f"{path}.py").exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_named_module_exists(document: Path) -> None:
    modules = re.findall(rf"(?<![\w/.:-])((?:{PACKAGES})(?:\.[A-Za-z_]\w*)+)(?![\w/])", code(document))
    named = [module for module in modules if not module.endswith(".py")]  # a file of the reader, such as `app.py`
    assert [module for module in named if not is_module(module)] == []


def code(document: Path) -> str:
    """Return everything that a document sets as code: fences and `spans`."""
    text = document.read_text("utf-8")
    fences = re.findall(r"```.*?```", text, re.DOTALL)
    spans = re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join(fences + spans)


def is_module(dotted: str) -> bool:
    """Return whether a dotted name is a module, a package, or a name that its module's source has."""
    parts = dotted.split(".")
    for length in range(len(parts), 1, -1):
        path = ROOT.joinpath(*parts[:length])
        source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        if source.is_file() or path.is_dir():
            rest = parts[length:]
            text = source.read_text("utf-8") if source.is_file() else ""
            return all(re.search(rf"\b{part}\b", text) for part in rest)
    return (ROOT / dotted.replace(".", "/", 1)).is_file()
