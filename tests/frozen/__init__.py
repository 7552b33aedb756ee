"""Snapshots of everything that users and other programs can see of Imagemill. A refactoring must not change them.

The snapshots lie in `tests/frozen/snapshots/`. A test fails when its snapshot differs or is missing, and shows a diff.
A change that is meant renews them:

    IMAGEMILL_RENEW_SNAPSHOTS=1 .venv/bin/pytest tests/frozen

Read the diff in git before you commit it. State an intended change in CHANGELOG.md.

The tests use the HTTP API, the installed command, the files of the store and the keys of the queue server.
They import no internal module, so they survive renames. Only the shared `RunningService` and `tests.tiny` import some.

Test vectors of latents are frozen elsewhere: `docs/latents.md`, checked by `tests/unit/models/test_latents.py`.
"""
