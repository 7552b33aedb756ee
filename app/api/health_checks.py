"""Runs health checks in threads of their own."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.cluster.prometheus import PrometheusCollector
from app.cluster.readiness import Readiness

_MAX_CONCURRENT_CHECKS = 4

T = TypeVar("T")


class HealthChecks:
    """Readiness and metrics, read in threads that other requests do not use."""

    def __init__(self, metrics: PrometheusCollector, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness
        self._limiter = CapacityLimiter(_MAX_CONCURRENT_CHECKS)

    async def run(self, check: Callable[[], T]) -> T:
        """Run a check in a thread of its own limiter, so that it never waits for other requests."""
        return await to_thread.run_sync(check, limiter=self._limiter)
