import asyncio
from pathlib import Path

import httpx

from app.main import create_app
from app.settings import Settings


def test_every_path_with_get_has_an_undocumented_head_except_event_streams(tmp_path: Path) -> None:
    async def check() -> None:
        app = create_app(Settings(store=str(tmp_path)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            for path, operations in app.openapi()["paths"].items():
                assert "head" not in operations
                refused = await client.patch(path.replace("{", "").replace("}", ""))  # the response lists all methods
                allowed = refused.headers["Allow"].split(", ")
                assert ("HEAD" in allowed) == ("get" in operations and not path.endswith("/events")), path

    asyncio.run(check())
