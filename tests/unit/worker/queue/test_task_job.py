from redis import Redis
from rq.serializers import JSONSerializer

from tests.unit.conftest import spec_of
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.queue.task_job import TaskJob


def test_a_task_tells_what_it_needs_without_the_store(redis: Redis) -> None:
    spec = spec_of()
    shard, end = Task.render_shard(spec.id, 0), Task.finalise(spec.id)
    TaskQueue(redis).enqueue(spec, [shard, end])
    found = [TaskJob.fetch(task.queue_id, redis, JSONSerializer) for task in (shard, end)]
    assert [job.needs for job in found if isinstance(job, TaskJob)] == [spec.needs, ""]
