import pytest
import typer

from training.console import measuring_bar


def test_a_stop_is_heard_while_the_data_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    asked = iter([False, True])
    with pytest.raises(typer.Exit) as ended, measuring_bar(100, lambda: next(asked), quiet=True) as measured:
        list(map(measured, (10, 20)))
    assert ended.value.exit_code == 130
    assert "stopped before the first step" in capsys.readouterr().err
