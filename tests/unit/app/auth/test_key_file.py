import os
from pathlib import Path

import pytest

from app.auth.api_keys import ApiKeysError, Caller, change_keys
from app.auth.key_file import KeyFile, check_protected
from app.settings import Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    change_keys(path, lambda keys: keys.with_key(Caller(owner="alice"), "a"))
    return path


def test_a_changed_file_counts_at_once(path: Path) -> None:
    ring = KeyFile(path)
    assert ring.find("b") is None
    change_keys(path, lambda keys: keys.with_key(Caller(owner="bob"), "b").without_owner("alice"))
    found = ring.find("b")
    assert found is not None
    assert found.owner == "bob"
    assert ring.find("a") is None


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_that_cannot_be_read_any_more_changes_nothing_and_is_told_once(
    path: Path, is_gone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ring = KeyFile(path)
    good = path.read_text()
    if is_gone:
        path.unlink()
    else:
        path.write_text("{")
    assert ring.find("a") is not None
    assert ring.find("b") is None
    assert caplog.text.count("previous keys stay valid") == 1
    path.write_text(good.replace("alice", "carol"))
    os.utime(path, ns=(1, 1))
    found = ring.find("a")
    assert found is not None
    assert found.owner == "carol"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_on_loopback_no_keys_are_needed(host: str) -> None:
    check_protected(Settings(), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "127.0.0.1.example.org", "::ffff:192.0.2.1"])
def test_elsewhere_keys_are_needed_or_the_word_of_the_operator(host: str, path: Path) -> None:
    with pytest.raises(ApiKeysError, match="without keys, anyone could use this service"):
        check_protected(Settings(), host)
    check_protected(Settings(keys=path), host)
    check_protected(Settings(open="anyone"), host)


def test_keys_that_cannot_be_read_are_no_open_door(tmp_path: Path) -> None:
    with pytest.raises(ApiKeysError, match="cannot read the key file"):
        check_protected(Settings(keys=tmp_path / "none.json", open="anyone"), "127.0.0.1")
