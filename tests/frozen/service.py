"""The running service whose outside is frozen: one API without keys, one with keys, one worker that can style."""

from pathlib import Path

import httpx
from safetensors.torch import save_file

from tests.command import imagemill
from tests.integration.house import DEADLINE_SECONDS, House
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint, vgg19_tensors

OWNER = "alice"


class Service(House):
    """A House whose clients are `client`, of nobody, and `owner`, who has a key."""

    def __init__(self, folder: Path) -> None:
        save_checkpoint(folder / "models", PLAIN)
        save_checkpoint(folder / "models", LABELLED, CLASSES)
        save_file(vgg19_tensors(), folder / "vgg.safetensors")
        super().__init__(folder, IMAGEMILL_VGG19=str(folder / "vgg.safetensors"))
        keys = folder / "keys.json"
        made = imagemill("keys", "add", OWNER, "--file", keys, cwd=folder)
        assert made.returncode == 0, made.stderr
        self.owner = httpx.Client(
            base_url=self.start_api(IMAGEMILL_KEYS=str(keys)),
            timeout=DEADLINE_SECONDS,
            headers={"Authorization": f"Bearer {made.stdout.strip()}"},
        )
        self.clients = self.client, self.owner
        self.start_worker()

    def close(self) -> None:
        self.owner.close()
        super().close()
