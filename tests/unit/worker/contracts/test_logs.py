import json
import subprocess
import sys

from worker.contracts.logs import LogFormat


def logged(kind: LogFormat, statement: str) -> str:
    """Run a statement in a process of its own that logs in a format, and read its stderr."""
    imports = "import logging; from worker.contracts import logs; from worker.contracts.logs import fields"
    code = f"{imports}\nlogs.configure('info', '{kind}')\n{statement}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def test_a_message_is_one_line_of_text() -> None:
    line = logged("text", "logging.getLogger('a.b').info('job ended job_id=%s', 'x')")
    assert line.endswith(" INFO a.b job ended job_id=x\n")


def test_fields_are_appended_to_the_text() -> None:
    line = logged("text", "logging.getLogger('a').info('job ended', extra=fields(job_id='x', reason=None, share=0.5))")
    assert line.endswith(" INFO a job ended job_id=x reason=None share=0.5\n")


def test_fields_stand_before_the_traceback() -> None:
    output = logged(
        "text", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('failed', extra=fields(n=1))"
    )
    first, *rest = output.splitlines()
    assert first.endswith("failed n=1")
    assert rest[-1] == "ZeroDivisionError: division by zero"


def test_fields_are_values_of_json_beside_the_message() -> None:
    line = json.loads(
        logged("json", "logging.warning('sent', extra=fields(job_id='x', n=3, share=0.5, reason=OSError('a\\nb')))")
    )
    assert (line["job_id"], line["n"], line["share"], line["reason"]) == ("x", 3, 0.5, "a\nb")
    assert (line["level"], line["message"]) == ("WARNING", "sent job_id=x n=3 share=0.5 reason=a\nb")


def test_a_field_may_have_any_name_but_cannot_replace_what_every_line_has() -> None:
    line = json.loads(logged("json", "logging.error('odd', extra=fields(name='n', level='none', message='m', args=1))"))
    assert (line["level"], line["message"]) == ("ERROR", "odd name=n level=none message=m args=1")
    assert (line["name"], line["args"]) == ("n", 1)


def test_a_traceback_stays_on_the_line_of_its_message() -> None:
    output = logged("json", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('failed')")
    assert "ZeroDivisionError" in json.loads(output)["exception"]
    assert output.count("\n") == 1


def test_values_that_json_does_not_know_are_text() -> None:
    output = logged("json", "logging.error('odd', extra=fields(loss=float('nan'), path=b'a'))")
    line = json.loads(output, parse_constant=lambda name: f"not JSON: {name}")
    assert (line["loss"], line["path"]) == ("nan", "b'a'")


def test_arguments_of_a_message_are_no_fields() -> None:
    line = json.loads(logged("json", """logging.error('%s "%s" 100%% of a=%d', 'x', 'y', 1)"""))
    assert line["message"] == 'x "y" 100% of a=1'
    assert set(line) == {"time", "level", "logger", "message"}


def test_arguments_by_name_are_no_fields() -> None:
    line = json.loads(logged("json", "logging.error('a=%(a)s', {'a': 1})"))
    assert set(line) == {"time", "level", "logger", "message"}
    assert line["message"] == "a=1"
