"""Whose something is: jobs and styles have owners, who do not see what is not theirs."""

from typing import Annotated

from pydantic import StringConstraints

OWNER_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
"""It stands in paths of the store."""

Owner = Annotated[str, StringConstraints(pattern=rf"^({OWNER_PATTERN})?$")]
"""The name that a key has; empty where there are no keys."""
