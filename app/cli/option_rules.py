"""Rules about how the options of a command combine.

An option states its rules in its annotation, in words. So every package can state rules without an import from here:

    "needs --b"               the option is ignored without --b
    "not with --b, --c"       the option is ignored beside --b or --c
    "only with --b, --c"      all other options are ignored beside this one
    "overwrites with --b"     the option names an output file, and --b allows to replace an existing file
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

from typer.core import TyperCommand

from app.cli.output_path import write_obstacle
from app.cli.refusal import refuse_usage

_RULE = re.compile(r"(needs|not with|only with|overwrites with) (--[\w-]+(?:, --[\w-]+)*)")


_JOB_ARGUMENTS = {"job", "jobs"}
_HYPHEN_ID = re.compile(r"-[\w-]{21}", re.ASCII)
"""A job's id that begins with a hyphen. The pattern of ids is not imported, because --help needs no pydantic."""


class RuleError(Exception):
    """The annotation of an option is not a rule."""


class CheckedCommand(TyperCommand):
    """A command that checks its rules first. It refuses options that it would ignore, and files to replace."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """Parse the command line, and check the rules of the options."""
        rest = super().parse_args(ctx, self._with_ids_last(args))
        fault = next(self._faults(ctx), None)
        if fault is not None:
            refuse_usage(fault)
        return rest

    def _with_ids_last(self, args: list[str]) -> list[str]:
        """Put ids of jobs that begin with a hyphen behind `--`, so that they are not taken for options."""
        arguments = {option.name for option in self.params if option.param_type_name == "argument"}
        known = {name for option in self.params for name in option.opts}
        ids = [arg for arg in args if _HYPHEN_ID.fullmatch(arg) and arg not in known]
        if not arguments & _JOB_ARGUMENTS or not ids or "--" in args:
            return args
        return [*(arg for arg in args if arg not in ids), "--", *ids]

    def rules(self) -> Iterator[tuple[Any, str, list[str]]]:
        """Yield each rule as (option, kind of rule, names of the other options). Raises RuleError."""
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
                    yield from filter(None, [write_obstacle(path, is_forced=bool(named))])
            elif option not in given:
                continue
            elif rule == "needs" and not named:
                yield f"{own} is used only with {' or '.join(names)}; add that, or leave {own} out"
            elif rule == "not with" and named:
                yield f"{own} would be ignored beside {named[0]}; leave one of them out"
            elif rule == "only with" and others:
                yield f"{others[0]} would be ignored beside {own}; leave one of them out"
