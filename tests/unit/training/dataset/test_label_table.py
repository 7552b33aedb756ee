import pytest

from training.dataset.class_names import class_name
from training.dataset.label_table import LabelColumn, Table
from training.errors import DatasetError

COLUMN = LabelColumn("labels.csv", "kind")


class Labels:
    """The labels of files by a table; each file is looked up alone unless the others are given."""

    def __init__(self, text: str) -> None:
        self.table = Table(text.encode(), COLUMN)

    def label_of(self, file: str, *others: str) -> str | None:
        said = self.table.label([file, *others])
        if file in said.rejected:
            raise DatasetError(said.rejected[file])
        return said.labels.get(file)


def table(text: str) -> Labels:
    return Labels(text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_columns_are_parted_by_what_the_header_shows(delimiter: str) -> None:
    lines = [["id", "kind ", "file"], ["1", '"big, old; red"', "a.png"]]
    assert table("\r\n".join(delimiter.join(line) for line in lines)).label_of("a.png") == "big, old; red"


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert table("\ufefffile,kind\na.png,cat\n").label_of("a.png") == "cat"


@pytest.mark.parametrize("written", ["x/a.png", "./x/a.png", "x\\a.png", " x/a.png ", "a.png"])
def test_a_file_is_found_however_its_path_is_written(written: str) -> None:
    assert table(f"file,kind\n{written},cat\n").label_of("x/a.png") == "cat"


def test_a_path_goes_before_a_bare_name() -> None:
    found = table("file,kind\na.png,cat\nx/a.png,dog\n")
    assert found.label_of("x/a.png", "y/a.png") == "dog"
    assert found.label_of("y/a.png", "x/a.png") == "cat"


def test_accents_are_compared_composed() -> None:
    assert table("file,kind\ncafe\u0301.png,cat\n").label_of("caf\u00e9.png") == "cat"
    assert class_name(" cafe\u0301 ") == "caf\u00e9"


def test_values_stay_as_they_are_written() -> None:
    found = table("file,kind\na.png,0\nb.png,1\nc.png,zig/zag\n")
    assert [found.label_of(f"{name}.png") for name in "abc"] == ["0", "1", "zig/zag"]


@pytest.mark.parametrize("row", ["a.png", "a.png,", "a.png,  ", ""])
def test_a_row_without_a_label_labels_nothing(row: str) -> None:
    assert table(f"file,kind\n{row}\nb.png,cat\n").label_of("a.png") is None


def test_equal_rows_agree_and_others_do_not() -> None:
    found = table("file,kind\na.png,cat\na.png,cat\nb.png,dog\nb.png,cat\n")
    assert found.label_of("a.png") == "cat"
    with pytest.raises(DatasetError, match="several labels: 'cat', 'dog'"):
        found.label_of("b.png")


def test_rows_without_a_file_are_no_files() -> None:
    found = table("file,kind\n,cat\n  ,dog\na.png,cat\n")
    assert [row.name for row in found.table.rows] == ["a.png"]


def test_files_that_are_not_there_are_listed() -> None:
    found = table("file,kind\na.png,cat\nx/b.png,cat\nc.png,cat\n")
    assert found.table.label(["y/a.png", "x/b.png", "d.png"]).unmatched == ["c.png"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"file,size\n", "no column 'kind'; it has file, size"),
        (b"name;kind\n", "no column 'file'; it has name, kind"),
        (b"", "no column 'file'; it has none"),
        (b"file,kind\na.png,\xff\n", "not UTF-8"),
        (b"file,kind\na.png," + b"x" * 200_000, "not a CSV table"),
    ],
    ids=["no label", "no file", "empty", "Latin-1", "a field without end"],
)
def test_what_is_no_such_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=f"labels.csv: {message}"):
        Table(data, COLUMN)
