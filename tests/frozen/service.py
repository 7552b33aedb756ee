"""The running service whose outside is frozen: APIs without and with keys, a worker that can style, a paused one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from safetensors.torch import save_file

from tests.command import imagemill
from tests.frozen.monitor import Monitor
from tests.integration.running_service import DEADLINE_SECONDS, RunningService
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint, vgg19_tensors

OWNER = "alice"


class Service(RunningService):
    """A RunningService whose clients are `client`, of nobody, and `owner`, who has a key."""

    def __init__(self, folder: Path) -> None:
        save_checkpoint(folder / "models", PLAIN)
        save_checkpoint(folder / "models", LABELLED, CLASSES)
        save_file(vgg19_tensors(), folder / "vgg.safetensors")
        (folder / "models" / "broken.safetensors").touch()
        super().__init__(folder, IMAGEMILL_VGG19=str(folder / "vgg.safetensors"))
        keys = folder / "keys.json"
        made = imagemill("keys", "add", OWNER, "--file", keys, "--max-jobs", "10", cwd=folder)
        assert made.returncode == 0, made.stderr
        self.owner = httpx.Client(
            base_url=self.start_api(IMAGEMILL_KEYS=str(keys)),
            timeout=DEADLINE_SECONDS,
            headers={"Authorization": f"Bearer {made.stdout.strip()}"},
        )
        self.clients = self.client, self.owner
        self._start_all_workers()

    def _start_all_workers(self) -> None:
        """Start a worker that takes tasks, and one that is paused, as a file is where its store needs a folder."""
        blocked = self.folder / "blocked"
        blocked.mkdir()
        (blocked / "probe").touch()
        with ThreadPoolExecutor(1) as aside:
            paused = aside.submit(self.start_paused_worker, IMAGEMILL_STORE=str(blocked))
            self.start_worker()
            paused.result()

    def start_queue(self) -> None:
        """Start the queue server, and record what it is told from its start on."""
        super().start_queue()
        self.monitor = Monitor(self.queue_port)

    def store(self, folder: str) -> list[str]:
        """List a folder of the store."""
        return sorted(path.name for path in (self.folder / "store" / folder).iterdir())

    @property
    def numerics(self) -> str:
        """How the workers compute."""
        return str(self.client.get("/models").json()["models"][0]["numerics"]["name"])

    def placeholders(self) -> dict[str, str]:
        """Name what differs from machine to machine."""
        return {self.numerics: "<numerics>", OWNER: "<owner>"}

    def close(self) -> None:
        """End every process."""
        self.owner.close()
        super().close()
        self.monitor.close()
