"""Finds oblique English in docstrings and in the strings below assignments: `python -m tests.prose_lint DIR... [-v]`.

The habits are those of docs/style.md. Every rule is a regular expression, so the lint is a ratchet and not a judge: a
sentence that passes may still be bad, and a good sentence that is flagged can be worded otherwise.
"""

import argparse
import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


def _words(*words: str) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


RULES: dict[str, re.Pattern[str]] = {
    "starts with a clause or a fragment": re.compile(
        r"\A(?:What|Who|Whoever|Whom|Whose|That|Which|Of|By|So that|Wants|Given)\b"
    ),
    "clause in the place of a noun": re.compile(
        r"\b(?:(?:but|of|from|for|with|to|as) what|all that|the rest of what)\b"
        r"|\bwhat (?:is|was|were|has|had|it|a|an|one|its|they|we|this)\b"
        r"|\bwho (?:is|was|has|asks|waits|watches|takes|gets|looks|works|wants|may)\b"
    ),
    "a person in the place of a component": re.compile(
        _words("nobody", "nobody's", "somebody", "everybody", "everyone", "whoever", "whom"), re.IGNORECASE
    ),
    "a function word in the place of a verb": re.compile(
        r"\A(?:Tell (?:whether|how|what|which|why)|Make what|Say (?:whether|how|what|that)|Find out whether)\b"
    ),
    "archaic or translated word": re.compile(
        _words(
            *("anew", "lest", "therein", "besides", "foremost", "in vain", "of use", "just now", "spoilt", "ere"),
            *("bring", "brings", "brought", "told", "wants?", "wanted", "gets? on", "got on"),
            *("(?:is|are) no numbers?", "forthwith", "hence"),
        ),
        re.IGNORECASE,
    ),
    "private metaphor": re.compile(
        _words(
            *("mill", "mills", "bell", "ear", "rung", "ring of", "lesson", "lessons", "house", "room", "studio"),
            *(
                "line of tasks",
                "(?:in|into|from) (?:the )?line",
                "front of (?:the|its) line",
                "end of (?:the|its) line",
            ),
            *("(?:takes?|taking|own|its|their|owner's|of) turns?", "the eye", "an eye", "pulse", "tally", "ward"),
        ),
        re.IGNORECASE,
    ),
}
"""Name of a habit -> a pattern that finds it. The glossary's words replace the metaphors."""


@dataclass(frozen=True)
class Hit:
    """A text that trips at least one rule."""

    path: Path
    line: int
    rules: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Report:
    """The number of texts that were read, and the flagged ones."""

    texts: int
    hits: tuple[Hit, ...]

    @property
    def percent(self) -> float:
        """Return the share of flagged texts, in percent."""
        return 100 * len(self.hits) / max(1, self.texts)


def broken_rules(text: str) -> tuple[str, ...]:
    """Return the names of the rules that a text trips."""
    return tuple(name for name, rule in RULES.items() if rule.search(text))


def check(folders: Iterable[Path]) -> Report:
    """Read every Python file below some folders."""
    hits, texts = [], 0
    for path in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for line, text in _texts(path):
            texts += 1
            if rules := broken_rules(text):
                hits.append(Hit(path, line, rules, text))
    return Report(texts, tuple(hits))


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string that stands as a statement: docstrings, and notes below assignments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)), lineno=line):
                yield line, text.strip()


def main() -> None:
    """Print a summary, and every hit with -v. Exit status 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="print every hit")
    options = parser.parse_args()
    report = check(options.folders)
    if options.verbose:
        for hit in report.hits:
            print(f"{hit.path}:{hit.line}: {', '.join(hit.rules)}: {hit.text.splitlines()[0]}")  # noqa: T201
    print(f"{report.texts} texts, {len(report.hits)} flagged ({report.percent:.1f} %)")  # noqa: T201
    for name, count in Counter(rule for hit in report.hits for rule in hit.rules).most_common():
        print(f"{count:5} {name}")  # noqa: T201
    raise SystemExit(bool(report.hits))


if __name__ == "__main__":
    main()
