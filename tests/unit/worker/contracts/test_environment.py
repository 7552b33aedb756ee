from pathlib import Path

import pytest

from app.settings import Settings
from tests.odd_names import ODD_NAMES
from worker.contracts.environment import Environment
from worker.contracts.errors import SettingsError
from worker.settings import WorkerSettings

KINDS = [Environment, Settings, WorkerSettings]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_variable_counts_as_unset(kind: type[Environment], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in kind.model_fields:
        monkeypatch.delenv(f"IMAGEMILL_{name.upper()}", raising=False)
    unset = kind()
    for name in kind.model_fields:
        monkeypatch.setenv(f"IMAGEMILL_{name.upper()}", "")
    assert kind() == unset


@pytest.mark.parametrize(
    ("kind", "variable", "value", "right"),
    [
        (Settings, "IMAGEMILL_TTL_HOURS", "week", "a valid integer"),
        (Settings, "IMAGEMILL_MIN_FREE_MB", "-1", "greater than or equal to 0"),
        (Settings, "IMAGEMILL_OPEN", "yes", "'anyone'"),
        (WorkerSettings, "IMAGEMILL_LEARNT_MB", "x\ny", "a valid integer"),
        (WorkerSettings, "IMAGEMILL_DEVICE", "gpu", "'auto', 'cpu' or 'cuda'"),
        (WorkerSettings, "IMAGEMILL_LOG_FORMAT", "xml", "'text' or 'json'"),
        (Environment, "IMAGEMILL_REDIS_URL", "queue:6379", "redis://HOST:PORT/DATABASE"),
        (Environment, "IMAGEMILL_REDIS_PASSWORD_FILE", "/nowhere/word", "must hold the password"),
        (Environment, "IMAGEMILL_REDIS_PASSWORD_FILE", "/dev/null", "must hold the password"),
    ],
)
def test_a_wrong_setting_is_reported_in_one_line(
    kind: type[Environment], variable: str, value: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        kind()
    said = str(caught.value)
    assert said.startswith(f"{variable} is {value!r}: ")
    assert right in said
    assert "\n" not in said


def test_all_wrong_settings_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEMILL_MAX_IMAGES", "0")
    monkeypatch.setenv("IMAGEMILL_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match=r"IMAGEMILL_MAX_IMAGES.*; IMAGEMILL_LOG_LEVEL|LOG_LEVEL.*; .*MAX_IMAGES"):
        Settings()


@pytest.mark.parametrize("word", [*map(str.encode, ODD_NAMES), b"\xff\x00\x80", b"two\r\nlines"])
def test_a_file_may_hold_any_password(word: bytes, tmp_path: Path) -> None:
    path = tmp_path / "password"
    for end in (b"", b"\n", b"\n\n"):
        path.write_bytes(word + end)
        assert Environment(redis_password_file=path).redis_password == word


def test_two_passwords_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("one")
    with pytest.raises(SettingsError, match=r"IMAGEMILL_REDIS_URL holds a password"):
        Environment(redis_url="redis://:two@queue", redis_password_file=path)
