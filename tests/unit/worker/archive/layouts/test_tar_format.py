import io
import tarfile

import pytest

from worker.archive.layouts import tar_format


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 70_000])
def test_a_member_has_the_bytes_that_the_library_writes(size: int) -> None:
    data = bytes(size)
    info = tarfile.TarInfo("000000001.png")
    info.size, info.mode = size, 0o644
    assert tar_format.header("000000001.png", size) == info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    whole = tar_format.member("000000001.png", data) + tar_format.END
    with tarfile.open(fileobj=io.BytesIO(whole), errorlevel=2, ignore_zeros=False) as file:
        (member,) = file
        assert (member.name, member.mode, member.mtime) == ("000000001.png", 0o644, 0)
        found = file.extractfile(member)
        assert found is not None
        assert found.read() == data


@pytest.mark.parametrize(("name", "size"), [("n" * 101, 1), ("a", 8**11)])
def test_what_the_format_cannot_hold_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        tar_format.header(name, size)
