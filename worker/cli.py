"""The command `imagemill worker`. Light to import: the tensor library comes with the work."""


def worker() -> None:
    """Render jobs until stopped. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE, IMAGEMILL_MODELS and others."""
    from worker.main import run
    from worker.settings import WorkerSettings

    run(WorkerSettings())
