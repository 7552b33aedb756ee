"""Archives of more than 4 GiB, as the programs find them that people unpack archives with."""

import os
import zlib
from pathlib import Path

import pytest

from tests import unpackers
from tests.unpackers import UNPACKERS
from worker.archive import zip_format

SIZE = 1 << 28
ENDS = "first", "last"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of 4 GiB in all between two small ones. It is sparse: the zeros take no room on the disk."""
    path, entries, crc32 = (
        tmp_path_factory.mktemp("large") / "large.zip",
        list[zip_format.Entry](),
        zlib.crc32(bytes(SIZE)),
    )
    with path.open("wb") as file:
        for name in ("first", *map(str, range(16)), "last"):
            data, offset = name.encode(), file.tell()
            if name in ENDS:
                entries.append(zip_format.Entry(name, offset, len(data), zlib.crc32(data)))
                file.write(zip_format.stored_file(name, data))
            else:
                entries.append(zip_format.Entry(name, offset, SIZE, crc32))
                file.write(zip_format.local_header(name, SIZE, crc32))
                file.seek(SIZE, os.SEEK_CUR)
        file.write(zip_format.central_directory(entries, file.tell()))
    assert entries[-1].offset > 2**32
    return path


@pytest.mark.slow
@pytest.mark.parametrize("unpacker", UNPACKERS)
def test_unpackers_accept_an_archive_of_more_than_four_gigabytes(unpacker: str, archive: Path) -> None:
    # unzip takes half a minute for the checksums of all files, 7z a second or two.
    unpackers.check(unpacker, archive, *(ENDS if unpacker == "unzip" else ()))
