"""The keys of the queue server. Processes of an older version share them while the service is upgraded."""

from tests.frozen import snapshot
from tests.frozen.jobs import Jobs
from tests.frozen.placeholders import replaced
from tests.frozen.service import Service


def test_the_keys_of_the_queue_server_stay(service: Service, jobs: Jobs) -> None:
    known = dict.fromkeys(jobs.placeholders(), "<job>") | service.placeholders()
    found = {f"{kind:8}{replaced(key, known)}" for key, kind in service.monitor.written(service.redis)}
    snapshot.check("redis-keys.txt", snapshot.as_lines(found))
