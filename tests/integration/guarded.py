"""The running service with keys, and clients that have some."""

from pathlib import Path

import httpx

from tests.command import imagemill
from tests.integration.running_service import DEADLINE_SECONDS, RunningService


class Guarded:
    """Makes keys as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.json"
        self.secrets = dict[str, str]()
        self.clients = dict[str, httpx.Client]()
        self.add("alice")
        self.service = RunningService(folder, IMAGEMILL_KEYS=str(self.file))
        self.use("alice")
        self.service.client.headers.update(self.authorization("alice"))

    def add(self, owner: str, **limits: int) -> None:
        options = [part for name, value in limits.items() for part in (f"--{name}", str(value))]
        done = imagemill("keys", "add", owner, "--file", self.file, *options, cwd=self.file.parent)
        assert done.returncode == 0, done.stderr
        self.secrets[owner] = done.stdout.strip()

    def use(self, owner: str, **limits: int) -> httpx.Client:
        """A client with the key of an owner, which is made if there is none."""
        if owner not in self.secrets:
            self.add(owner, **limits)
        if owner not in self.clients:
            authorization = self.authorization(owner)
            self.clients[owner] = httpx.Client(
                base_url=self.service.url, timeout=DEADLINE_SECONDS, headers=authorization, limits=httpx.Limits()
            )
        return self.clients[owner]

    def authorization(self, owner: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[owner]}"}

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.service.close()
