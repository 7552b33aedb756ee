"""Owners of jobs and styles. An owner cannot see the jobs and styles of other owners."""

from typing import Annotated

from pydantic import StringConstraints

OWNER_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
"""Names are restricted because they are a part of paths in the store."""

Owner = Annotated[str, StringConstraints(pattern=rf"^({OWNER_PATTERN})?$")]
"""Name of an API key; empty if the service has no keys."""
