import pytest

from benchmarks.cold_start.stages import StageError, imported_seconds

REPORT = """import time: self [us] | cumulative | imported package
import time:       559 |       8282 |   app.settings
import time:       270 |       8237 |     app.main.inner
import time:       445 |     230659 | app.main
"""


def test_what_a_module_imports_is_counted_with_it() -> None:
    assert imported_seconds(REPORT, "app.main") == pytest.approx(0.230659)


def test_a_module_that_was_not_imported_is_told() -> None:
    with pytest.raises(StageError, match=r"app\.cli\.main was not imported"):
        imported_seconds(REPORT, "app.cli.main")
