import json

import pytest

from training.dataset.label_table import LabelColumn, Table
from training.errors import DatasetError

CELEBA = "2\nYoung Male \n000001.jpg -1  1\n000002.jpg  1 -1\n"
STYLEGAN = json.dumps({"labels": [["0/a.png", 1], ["0/b.png", 0]]})
LINES = '{"file_name": "a.png", "kind": "cat", "tags": [1, 2]}\n{"file_name": "b.png", "kind": null}\n'


def rows(data: str | bytes, label: str = "kind", file: str | None = None) -> list[tuple[str, str]]:
    raw = data.encode() if isinstance(data, str) else data
    return [(row.name, row.value) for row in Table(raw, LabelColumn("t", label, file)).rows]


@pytest.mark.parametrize("file", [None, "image_id"])
def test_the_attributes_of_celeba_are_read(file: str | None) -> None:
    assert rows(CELEBA, "Male", file) == [("000001.jpg", "1"), ("000002.jpg", "-1")]


def test_the_labels_of_stylegan_are_read() -> None:
    assert rows(STYLEGAN, "label") == [("0/a.png", "1"), ("0/b.png", "0")]


def test_json_lines_are_read() -> None:
    assert rows(LINES) == [("a.png", "cat"), ("b.png", "")]


@pytest.mark.parametrize(
    "data",
    [
        '{"a.png": "cat"}',
        '{"a.png": {"kind": "cat"}}',
        '[{"file": "a.png", "kind": "cat"}]',
        '[["a.png", "cat"]]',
        '{"file": "a.png", "kind": "cat"}',
    ],
)
def test_json_of_many_shapes_is_read(data: str) -> None:
    label = "label" if data in {'{"a.png": "cat"}', '[["a.png", "cat"]]'} else "kind"
    assert rows(data, label) == [("a.png", "cat")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_the_encodings_of_spreadsheets_are_read(encoding: str) -> None:
    assert rows("file\tkind\r\na.png\tcaf\u00e9\r\n".encode(encoding)) == [("a.png", "caf\u00e9")]


@pytest.mark.parametrize(
    "text", ["sep=;\r\nfile;kind\r\na.png;cat\r\n", "file|kind\na.png|cat\n", "\n\nfile,kind\na.png,cat\n"]
)
def test_what_programs_write_around_a_table_is_no_obstacle(text: str) -> None:
    assert rows(text) == [("a.png", "cat")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("file,kind,kind\na.png,x,y\n", "2 columns are named 'kind'; rename one"),
        (",".join(f"column{k}" for k in range(5000)), r"it has 5000 columns: column0, .{150,300}$"),
        ('{"labels": null}', "holds no labels"),
        ('{"images": [], "annotations": []}', "COCO annotations are not supported"),
        ('{"file": "a.png", "kind": [1, 2]}', "one value was expected"),
        ('{"file": "a.png"', "neither JSON nor JSON lines"),
        (b"PK\x03\x04", "an Excel workbook"),
        (b"PAR1", "a Parquet file"),
        ("a.png cat\n", "no column 'file'; it has a.png cat"),
    ],
    ids=["twice", "wide", "null", "coco", "list", "cut", "excel", "parquet", "no header"],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(data: str | bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        rows(data)


def test_columns_are_found_but_for_case() -> None:
    assert rows("Image,Kind\na.png,cat\n") == [("a.png", "cat")]
    assert rows("File,KIND,kind\na.png,dog,cat\n") == [("a.png", "cat")]


def test_the_message_about_a_wide_table_is_short() -> None:
    with pytest.raises(DatasetError) as error:
        rows(json.dumps({"labels": [[f"{k}.png", 1] for k in range(70_000)]}))
    assert len(str(error.value)) < 400
