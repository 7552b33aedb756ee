import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tests.unit.conftest import spec_of
from worker.archive.layouts import parquet as layout
from worker.contracts.jobs import JobSpec
from worker.rendering.encoding import EncodedImage


def job(n: int) -> JobSpec:
    return spec_of(n, ("a", "b")).model_copy(update={"packing": "parquet", "archive_version": 4})


def images_of(files: list[bytes]) -> list[EncodedImage]:
    return [EncodedImage.of(index, data, f"{index:016x}") for index, data in enumerate(files)]


# Bytes that repeat, are empty, look like lengths or hold each other are the hardest to find.
HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 300).map(bytes),
    st.integers(0, 40).map(lambda size: (2).to_bytes(4, "little") * size),
    st.sampled_from([b"", b"\0", b"ab", b"ab" * 50, b"PAR1", b"\1\0\0\0a"]),
)


@given(st.lists(HOSTILE, min_size=1, max_size=30))
def test_each_image_is_found_whatever_its_bytes_are(files: list[bytes]) -> None:
    data, table, member = layout.lay_out(job(len(files)), 0, images_of(files))
    places = zip(table.offsets, table.sizes, strict=True)
    assert [data[offset : offset + size] for offset, size in places] == files
    assert all(end <= start for end, start in zip(map(table.end, range(len(files))), table.offsets[1:], strict=False))
    assert member is not None
    assert [row["image"]["bytes"] for row in read(data[member.offset :])] == files


def test_many_images_have_several_row_groups_and_are_found(tmp_path: Path) -> None:
    files = [f"file {index} ".encode() * 200 for index in range(2500)]
    data, table, member = layout.lay_out(job(2500), 3, images_of(files))
    assert member is not None
    path = tmp_path / "file.parquet"
    path.write_bytes(data[member.offset :])
    with parquet.ParquetFile(path) as file:
        assert [file.metadata.row_group(k).num_rows for k in range(3)] == [1000, 1000, 500]
        column = file.metadata.row_group(0).column(0)
        assert (column.compression, column.has_dictionary_page) == ("UNCOMPRESSED", False)
    places = zip(table.offsets, table.sizes, strict=True)
    assert [data[offset : offset + size] for offset, size in places] == files


def test_equal_images_give_equal_bytes_in_another_process() -> None:
    files = [bytes([index]) * 5000 for index in range(50)]
    code = (
        "import hashlib\nfrom tests.unit.worker.archive.layouts.test_parquet import job, images_of, layout\n"
        f"files = [bytes([index]) * 5000 for index in range({len(files)})]\n"
        "print(layout.lay_out(job(50), 0, images_of(files)).data.hex())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert bytes.fromhex(found) == layout.lay_out(job(50), 0, images_of(files)).data


@pytest.mark.parametrize("module", ["worker.main", "app.main", "app.cli.main"])
def test_nothing_loads_pyarrow_before_the_first_job_of_this_layout(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def read(data: bytes) -> list[dict[str, dict[str, bytes]]]:
    rows: list[dict[str, dict[str, bytes]]] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return rows
