"""The files of the store. They outlive every version of the service."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.frozen import snapshot
from tests.frozen.jobs import Jobs
from tests.frozen.placeholders import replaced
from tests.frozen.service import Service


def test_the_paths_of_the_store_stay(service: Service, jobs: Jobs) -> None:
    found = {path for path, _ in files(service, jobs)}
    snapshot.check("store-paths.txt", snapshot.as_lines(found))


def test_the_fields_of_the_records_stay(service: Service, jobs: Jobs) -> None:
    found = defaultdict[str, set[str]](set)
    for path, file in files(service, jobs):
        if file.suffix == ".json":
            kind = re.sub(r"<\w+ job>", "<job>", path)
            found[re.sub(r"\d{5}", "<shard>", kind)].update(fields(json.loads(file.read_bytes()), ""))
    snapshot.check("store-records.json", snapshot.as_json({path: sorted(names) for path, names in found.items()}))


def test_ids_that_are_names_stay(jobs: Jobs) -> None:
    """A new version of the service finds the jobs and styles that an older one has named."""
    snapshot.check("ids.json", snapshot.as_json({"idempotency key": jobs.by_kind["named"], "style": jobs.style}))


def files(service: Service, jobs: Jobs) -> Iterator[tuple[str, Path]]:
    """List the files of the store, with placeholders in their paths."""
    store = service.folder / "store"
    known = jobs.placeholders() | service.placeholders()
    for file in store.rglob("*"):
        if file.is_file():
            yield replaced(str(file.relative_to(store)), known), file


def fields(value: object, path: str) -> Iterator[str]:
    """List the fields of a record, each with its type."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from fields(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for part in value:
            yield from fields(part, f"{path}[]")
    else:
        yield f"{path}: {type(value).__name__}"
