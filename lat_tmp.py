import sys, tempfile, time
from pathlib import Path
from tests.integration.running_service import RunningService
from tests.s3 import BUCKET, S3Server
from tests.slow_link import SlowLink
from tests.tiny import PLAIN, save_checkpoint
from tests.forked import fork_server

n = int(sys.argv[1])
import logging

with tempfile.TemporaryDirectory() as d, S3Server(Path(d, "s3")) as s3, SlowLink(s3.port) as link, fork_server():
    f = Path(d, "b")
    f.mkdir()
    save_checkpoint(f / "models", PLAIN)
    import os

    model = os.environ.get("MODEL", "faces-64")
    s = RunningService(
        f,
        IMAGEMILL_STORE=f"s3://{BUCKET}/x",
        IMAGEMILL_DEFAULT_MODEL=model,
        IMAGEMILL_SHARD_IMAGES="",
        **s3.environment(link.port),
    )
    try:
        with SlowLink(s._queue_port) as ql:
            e = {"IMAGEMILL_REDIS_URL": f"redis://127.0.0.1:{ql.port}"}
            s.start_workers(e, e)
            for delay in (0, 0.1, 0, 0.1):
                ql.delay_seconds = link.delay_seconds = delay
                t = time.monotonic()
                j = s.generate(n, seed=6)
                s.wait_done(j["id"])
                dt = time.monotonic() - t
                print(model, delay, round(dt, 2), round(n / dt), s.job(j["id"])["state"], flush=True)
        c = dict(s.redis.hgetall("imagemill:tally"))
        print({k: float(v) for k, v in c.items() if b"stage" in k})
    finally:
        s.close()
    if os.environ.get("LOGS"):
        print(*(p.read_text() for p in f.glob("worker*.log")))
