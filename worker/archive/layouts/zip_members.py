"""The end of an archive that is a ZIP: files after the images, and the central directory."""

import zlib
from collections.abc import Iterable, Mapping, Sequence

from worker.archive import zip_format
from worker.archive.layouts.layout import LaidOutSlice
from worker.contracts.store.archive_index import MemberEntry


def lay_out_member(name: str, data: bytes) -> tuple[bytes, MemberEntry]:
    """Return a file of an archive with its local header, and its place in these bytes."""
    crc32 = zlib.crc32(data)
    header = zip_format.local_header(name, len(data), crc32)
    return header + data, MemberEntry(name=name, offset=len(header), size=len(data), crc32=crc32)


def build_zip_tail(entries: Iterable[zip_format.Entry], files: Mapping[str, bytes], start: int) -> bytes:
    """Return some files and the central directory. `entries` are the files before them, and `start` is their end."""
    members, all_entries = list[bytes](), list(entries)
    for name, data in files.items():
        member = zip_format.stored_member(name, data)
        all_entries.append(zip_format.Entry(name, start, len(data), zlib.crc32(data)))
        members.append(member)
        start += len(member)
    return b"".join(members) + zip_format.central_directory(all_entries, start)


def member_entries(slices: Sequence[LaidOutSlice]) -> Iterable[zip_format.Entry]:
    """Yield the entries of slices that are one file each."""
    start = 0
    for each in slices:
        if (member := each.member) is not None:
            # An index stores where data starts. The ZIP entry needs the start of the local header before it.
            offset = start + member.offset - zip_format.header_size(member.name)
            yield zip_format.Entry(member.name, offset, member.size, member.crc32)
        start += each.size
