"""The API keys of a running service: a file that is read again whenever it changes."""

import logging
from ipaddress import ip_address
from pathlib import Path

from app.auth.api_keys import ApiKey, ApiKeys, ApiKeysError, load_keys
from app.settings import Settings
from worker.contracts.logs import fields

log = logging.getLogger(__name__)


class KeyFile:
    """The keys of a file. If a changed file cannot be read, the previous keys stay valid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._keys = load_keys(path)

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret, or None."""
        return self._read().find(secret)

    def find_digest(self, digest: str) -> ApiKey | None:
        """Return the key whose secret has this SHA-256, or None."""
        return self._read().find_digest(digest)

    def _read(self) -> ApiKeys:
        """Return the keys, which are read again if the file has changed."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp  # before the read, so that an unreadable file is logged once and not at every request
            try:
                self._keys = load_keys(self._path)
                log.info("keys were read again", extra=fields(path=self._path, keys=len(self._keys.keys)))
            except ApiKeysError as error:
                log.error("key file cannot be read, previous keys stay valid", extra=fields(reason=error))
        return self._keys


def check_protected(settings: Settings, host: str) -> None:
    """Raise ApiKeysError if the key file cannot be read, or a public address is served without keys."""
    if settings.keys is not None:
        load_keys(settings.keys)
    elif settings.open is None and not _is_loopback(host):
        raise ApiKeysError(
            f"on {host or 'all addresses'} without keys, anyone could use this service; set IMAGEMILL_KEYS to a file "
            "that `imagemill keys add` has written, or set IMAGEMILL_OPEN=anyone"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a host name may resolve to any address
        return False


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return modification time, inode and size. The inode shows a replacement within one clock tick."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
