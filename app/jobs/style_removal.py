"""Deletes the images of styles that no owner has and no open job needs."""

import logging
from contextlib import suppress

from app.cluster.first_seen import CERTAIN_SECONDS, FirstSeen
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

log = logging.getLogger(__name__)


class StyleRemoval:
    """Looks at the styles that owners have removed. An image goes once nothing has needed it for a while.

    A request checks a style before its job is stored. So an image must have been unused for longer than any request.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unused_since = FirstSeen()

    def run(self, seconds: float) -> None:
        """Look once. `seconds` is the time of a monotonic clock."""
        dropped = self._store.styles.dropped()
        if not dropped:
            return
        owned = self._store.styles.owned(dropped)
        for style_id in owned:
            self._store.styles.keep(style_id)
        unused = dropped - owned - self._styles_of_open_jobs()
        for style_id in self._unused_since.observe(unused, CERTAIN_SECONDS, seconds):
            self._store.styles.remove_image(style_id)
            log.info("image of a removed style deleted", extra=fields(style=style_id))

    def _styles_of_open_jobs(self) -> set[str]:
        styles = set[str]()
        for job_id, _ in self._store.jobs.open_jobs():
            with suppress(DamagedError):
                spec = self._store.jobs.spec(job_id)
                styles |= {spec.style.id} if spec is not None and spec.style is not None else set()
        return styles
