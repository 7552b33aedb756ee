import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.auth.api_keys import ApiKeys, ApiKeysError, Caller, change_keys, load_keys, new_secret
from tests.conftest import DiskOf


def keys_of(*owners: str) -> ApiKeys:
    found = ApiKeys()
    for owner in owners:
        found = found.with_key(Caller(owner=owner), f"secret of {owner}")
    return found


def test_a_key_is_found_by_its_secret_and_by_nothing_else() -> None:
    found = keys_of("alice", "bob")
    bob = found.find("secret of bob")
    assert bob is not None
    assert bob.owner == "bob"
    for wrong in ("", "secret of", "secret of bob ", "secret of carol", bob.sha256, "\xff"):
        assert found.find(wrong) is None


def test_an_owner_has_one_key() -> None:
    with pytest.raises(ApiKeysError, match="alice already has a key"):
        keys_of("alice", "alice")
    with pytest.raises(ApiKeysError, match="'bob' has no key; owners with a key: alice"):
        keys_of("alice").without_owner("bob")
    assert keys_of("alice", "bob").without_owner("alice") == keys_of("bob")


@pytest.mark.parametrize("owner", ["", "Alice", "-a", ".a", "a/b", "a b", "a" * 65, "a\n"])
def test_an_owner_whose_name_is_no_name_is_refused(owner: str) -> None:
    with pytest.raises(ValidationError):
        keys_of(owner)


def test_the_file_holds_hashes_and_is_nobody_elses(tmp_path: Path) -> None:
    path, secret = tmp_path / "keys.json", new_secret()
    change_keys(path, lambda keys: keys.with_key(Caller(owner="alice", max_jobs=2), secret))
    assert secret not in path.read_text()
    assert hashlib.sha256(secret.encode()).hexdigest() in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = load_keys(path).find(secret)
    assert found is not None
    assert (found.owner, found.max_jobs, found.max_images) == ("alice", 2, None)
    assert list(tmp_path.iterdir()) == [path]


def test_no_key_is_lost_when_many_are_made_at_once(tmp_path: Path) -> None:
    path, owners = tmp_path / "keys.json", [f"owner-{number}" for number in range(20)]
    with ThreadPoolExecutor(len(owners)) as pool:
        list(pool.map(lambda owner: change_keys(path, lambda keys: keys.with_key(Caller(owner=owner), owner)), owners))
    assert sorted(key.owner for key in load_keys(path).keys) == sorted(owners)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, disk_of: DiskOf) -> None:
    path = tmp_path / "keys.json"
    change_keys(path, lambda _: keys_of("alice"))
    with disk_of(10), pytest.raises(ApiKeysError, match=r"cannot write .*keys\.json"):
        change_keys(path, lambda keys: keys.with_key(Caller(owner="bob"), "b"))
    assert load_keys(path) == keys_of("alice")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a key file"),
        ('{"keys": [{"owner": "a", "sha256": "secret"}]}', "keys.0.sha256"),
        ('{"kees": []}', "kees"),
        (keys_of("a").model_dump_json().replace("[", "[" + keys_of("a").keys[0].model_dump_json() + ","), "same owner"),
    ],
)
def test_a_file_that_is_none_of_keys_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(ApiKeysError, match=sentence) as refused:
        load_keys(tmp_path / "keys.json")
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
