import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from uuid import uuid4

import pytest
import torch
from redis import Redis

from tests.tiny import CLASSES, save_checkpoint
from tests.unit.conftest import spec_of
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.direct_requests import DirectReply, DirectRequest
from worker.contracts.queue.redis_keys import direct_list_key, direct_replies_key, direct_request_key
from worker.contracts.styles import StyleSpec
from worker.queue.direct_responder import DirectResponder
from worker.queue.unsent_counts import UnsentCounts
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer
from worker.rendering.engine import RenderEngine

PROCESS = uuid4().hex


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> RenderEngine:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "plain")
    save_checkpoint(folder, "labelled", CLASSES)
    return RenderEngine([folder / "plain.safetensors", folder / "labelled.safetensors"], torch.device("cpu"))


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    with ThreadPoolExecutor(2) as executor:
        yield Renderer(executor, 2, patience_seconds=60)


@pytest.fixture
def responder(redis: Redis, engine: RenderEngine, renderer: Renderer) -> DirectResponder:
    return DirectResponder(redis, engine, renderer, UnsentCounts(), Watchdog(60))


def spec_for(engine: RenderEngine, model: int, index: int) -> JobSpec:
    return spec_of(1).model_copy(update={"model": engine.entries[model], "first": index})


def push(redis: Redis, spec: JobSpec, text: str | None = None) -> str:
    """Send a request as the API does. Returns its id."""
    name = uuid4().hex
    request = DirectRequest(process_id=PROCESS, spec=spec.model_dump_json() if text is None else text)
    redis.set(direct_request_key(name), request.model_dump_json(), ex=30)
    redis.rpush(direct_list_key(spec.model.numerics.name, spec.model.sha256), name)
    return name


def next_reply(redis: Redis) -> tuple[DirectReply, bytes]:
    found = redis.blpop([direct_replies_key(PROCESS)], 30)
    assert found is not None
    return DirectReply.unpack(cast(bytes, found[1])) or pytest.fail("an unreadable reply")


def test_images_are_those_of_a_job_that_other_threads_render(
    redis: Redis, engine: RenderEngine, renderer: Renderer, responder: DirectResponder
) -> None:
    whole = []
    for number, entry in enumerate(engine.entries):
        job = spec_for(engine, number, 0).model_copy(update={"n": 64})
        parts = renderer.render(job, engine.model(entry), range(64), lambda: True)
        whole.append([each.image.data for part in parts for each in part if each.image])
    with responder, ThreadPoolExecutor(1) as other:
        long = spec_for(engine, 0, 0).model_copy(update={"n": 4096})
        job_parts = other.submit(list, renderer.render(long, engine.model(long.model), range(4096), lambda: True))
        for k in range(128):
            name = push(redis, spec_for(engine, k % 2, k // 2))
            head, image = next_reply(redis)
            assert (head.id, image) == (name, whole[k % 2][k // 2])
        again = [each.image.data for part in job_parts.result() for each in part if each.image]
    assert again[:64] == whole[0]


def test_a_request_past_its_deadline_is_skipped(redis: Redis, engine: RenderEngine, responder: DirectResponder) -> None:
    late, good = push(redis, spec_for(engine, 0, 0)), push(redis, spec_for(engine, 0, 1))
    redis.delete(direct_request_key(late))  # as Redis does at the deadline
    with responder:
        assert next_reply(redis)[0].id == good
    assert not redis.exists(direct_replies_key(PROCESS))


def test_replies_expire(redis: Redis, engine: RenderEngine, responder: DirectResponder) -> None:
    with responder:
        push(redis, spec_for(engine, 0, 0))
        while not redis.exists(direct_replies_key(PROCESS)):
            time.sleep(0.01)
        time.sleep(0.1)
        assert 0 < redis.ttl(direct_replies_key(PROCESS)) <= 60


def test_requests_that_cannot_be_rendered_get_an_error(
    redis: Redis, engine: RenderEngine, responder: DirectResponder
) -> None:
    spec = spec_for(engine, 0, 0)
    style = StyleSpec(id="0" * 64, mode="standard", strength=1, steps=1, weights="0" * 64)
    foreign = spec.model.model_copy(update={"sha256": "1" * 64})
    with responder:
        names = [
            push(redis, spec, "{}"),
            push(redis, spec, spec.model_copy(update={"style": style}).model_dump_json()),
            push(redis, spec, spec.model_copy(update={"model": spec_of(1).model}).model_dump_json()),
            push(redis, spec, spec.model_copy(update={"model": foreign}).model_dump_json()),
        ]
        replies = [next_reply(redis)[0] for _ in names]
        assert [reply.id for reply in replies] == names
        codes = [reply.error and reply.error.code for reply in replies]
        assert codes == ["task_refused", "task_refused", "task_refused", "model_unavailable"]
        name = push(redis, spec)
        assert next_reply(redis)[0].id == name


def test_the_models_take_turns(redis: Redis, engine: RenderEngine, responder: DirectResponder) -> None:
    names = [[push(redis, spec_for(engine, number, k)) for k in range(20)] for number in (0, 1)]
    with responder:
        order = [next_reply(redis)[0].id for _ in range(40)]
    assert order == [name for pair in zip(*names, strict=True) for name in pair]


def test_a_stop_leaves_the_waiting_requests(redis: Redis, engine: RenderEngine, responder: DirectResponder) -> None:
    with responder:
        push(redis, spec_for(engine, 0, 0))
        next_reply(redis)
    push(redis, spec_for(engine, 0, 1))
    time.sleep(0.2)
    assert redis.llen(direct_list_key(engine.numerics.name, engine.entries[0].sha256)) == 1
