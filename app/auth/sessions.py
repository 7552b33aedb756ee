"""Sessions of browsers. Images, downloads and event streams cannot send a key, so the page uses a cookie."""

import hashlib
import secrets

from redis.asyncio import Redis

from app.auth.api_keys import Caller
from app.auth.key_file import KeyFile
from worker.contracts.queue.redis_keys import session_key

SESSION_SECONDS = 12 * 3600
"""Lifetime of a session."""
_TOKEN_BYTES = 32


class Sessions:
    """The open sessions, in Redis. So they outlive the API process, and all API processes share them.

    A session holds the hash of its key. It ends with the key, as the key file is read at every request.
    """

    def __init__(self, redis: Redis, key_file: KeyFile) -> None:
        self._redis = redis
        self._key_file = key_file

    async def start(self, secret: str) -> tuple[str, Caller] | None:
        """Start a session for a key. Returns its token and the caller, or None if there is no such key."""
        key = self._key_file.find(secret)
        if key is None:
            return None
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._redis.set(session_key(_digest(token)), key.sha256, ex=SESSION_SECONDS)
        return token, key

    async def find(self, token: str) -> Caller | None:
        """Return the caller of a session, or None if it has ended. Raises RedisError."""
        key_digest = await self._redis.get(session_key(_digest(token)))
        return None if key_digest is None else self._key_file.find_digest(_text(key_digest))

    async def end(self, token: str) -> None:
        """End a session. Raises RedisError."""
        await self._redis.delete(session_key(_digest(token)))


def _text(reply: bytes | str) -> str:
    return reply.decode() if isinstance(reply, bytes) else reply


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
