"""The commands of `imagemill`: those of `app/cli/main.py`, those of the other packages, and the rules of their options.

An option states in its annotation how it goes with others, in words, so that every package can do so without an
import from here:

    "needs --b"               it would be ignored without --b
    "not with --b, --c"       it would be ignored beside --b or --c
    "only with --b, --c"      all other options would be ignored beside it
    "overwrites with --b"     it is a file that is made; one that exists is replaced with --b only
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NoReturn, get_args

import typer
from typer.core import TyperCommand, TyperGroup

STANDARD = Path("-")
"""Standard output, where a file could be named."""
_ELSEWHERE = {
    "dataset": "training.dataset.cli:dataset",
    "evaluate": "training.metrics.cli:evaluate",
    "export": "training.export:export",
    "style": "worker.style.cli:style",
    "train": "training.cli:train",
    "worker": "worker.cli:worker",
}
"""Commands of other packages. No entry points: those of any other distribution could take their names."""
_RULE = re.compile(r"(needs|not with|only with|overwrites with) (--[\w-]+(?:, --[\w-]+)*)")


class RuleError(Exception):
    """The annotation of an option holds no rule."""


class Commands(TyperGroup):
    """The commands of `app/cli/main.py` and those of the other packages."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """List all commands, without loading any."""
        return [*super().list_commands(ctx), *_ELSEWHERE]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Find a command, and load the package that has it."""
        return _load(cmd_name) if cmd_name in _ELSEWHERE else super().get_command(ctx, cmd_name)


class Command(TyperCommand):
    """A command that refuses options which it would ignore, and files which it would replace, before any work."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """Parse the command line, and hold it against the rules of the options."""
        rest = super().parse_args(ctx, args)
        fault = next(self._faults(ctx), None)
        if fault is not None:
            refuse_usage(fault)
        return rest

    def rules(self) -> Iterator[tuple[Any, str, list[str]]]:
        """List the options that have rules: option, rule, the options that the rule names. Raises RuleError."""
        parameters = inspect.signature(self.callback, eval_str=True).parameters if self.callback else {}
        for option in self.params:
            annotation = parameters[option.name].annotation if option.name in parameters else None
            for rule in (part for part in get_args(annotation)[1:] if isinstance(part, str)):
                match = _RULE.fullmatch(rule)
                if match is None:
                    raise RuleError(f"{self.name} {option.opts[0]}: {rule!r} is not a rule")
                yield option, match[1], match[2].split(", ")

    def _faults(self, ctx: Any) -> Iterator[str]:  # noqa: ANN401
        options = [option for option in self.params if option.param_type_name == "option"]
        given = [option for option in options if ctx.get_parameter_source(option.name).name == "COMMANDLINE"]
        for option, rule, names in self.rules():
            own = option.opts[0]
            named = [other.opts[0] for other in given if set(names) & set(other.opts)]
            others = [other.opts[0] for other in given if other is not option and other.opts[0] not in named]
            if rule == "overwrites with":
                if path := ctx.params[option.name]:
                    yield from filter(None, [occupied(path, is_forced=bool(named))])
            elif option not in given:
                continue
            elif rule == "needs" and not named:
                yield f"{own} is used only with {' or '.join(names)}; add that, or leave {own} out"
            elif rule == "not with" and named:
                yield f"{own} would be ignored beside {named[0]}; leave one of them out"
            elif rule == "only with" and others:
                yield f"{others[0]} would be ignored beside {own}; leave one of them out"


def occupied(path: Path, *, is_forced: bool) -> str | None:
    """Tell why a file cannot be made under a name, if that is so: a device is never replaced, a file only by force."""
    if path == STANDARD:
        return f"{path} names no file, and this command cannot write to standard output; name a file"
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{path}: {error.strerror or error}; name another file"
    if path.exists() and not path.is_file():
        return f"{path} is not a regular file; name another one"
    if not is_forced and (path.exists() or path.is_symlink()):
        return f"{path} exists already; give --force to replace it, or name another file"
    return None


def refuse_usage(sentence: str) -> NoReturn:
    """End the command, as its command line has to be changed, with status 2."""
    typer.echo(f"Error: {sentence}", err=True)
    raise typer.Exit(2)


def _load(name: str) -> Any:  # noqa: ANN401
    wrapper = typer.Typer(add_completion=False)
    wrapper.command(name, cls=Command)(resolve_name(_ELSEWHERE[name]))
    return typer.main.get_command(wrapper)
