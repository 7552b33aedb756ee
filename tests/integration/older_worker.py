"""A worker of the release before, which does not answer direct requests. So images by address are durable jobs."""

OLDER_WORKER = """
from contextlib import nullcontext
import worker.main
from worker.queue.heartbeat import Heartbeat

def older_heartbeat(*positional, answers_directly, **named):
    return Heartbeat(*positional, **named)

worker.main.Heartbeat = older_heartbeat
worker.main.DirectResponder = lambda *_: nullcontext()
from worker.cli import worker; worker()
"""
