import io
from pathlib import Path

import pytest
from PIL import Image

from training.dataset import boxes
from training.dataset.framing import Box
from training.dataset.image_source import SourceOptions, find_images
from training.dataset.item import Item
from training.dataset.square_image import decode
from training.errors import DatasetError


def annotation(*corners: tuple[int, int, int, int], name: str = "dog", width: int = 60) -> str:
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for a, b, c, d in corners
    )
    return f"<annotation><size><width>{width}</width><height>40</height></size>{objects}</annotation>"


@pytest.fixture
def dogs(tmp_path: Path) -> Path:
    """Class folders of pictures with a red square, and beside them annotations without a suffix."""
    for breed, left in (("a-pug", 10), ("b-husky", 30)):
        for number in range(3):
            picture = Image.new("RGB", (60, 40), "blue")
            picture.paste("red", (left, 10, left + 20, 30))
            place = tmp_path / "dogs" / "Images" / breed / f"{breed}_{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            picture.save(place)
            text = tmp_path / "dogs" / "Annotation" / breed / f"{breed}_{number}"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text(annotation((left, 10, left + 20, 30), name=breed[2:]), encoding="utf-8")
    return tmp_path / "dogs"


def colours(item: Item) -> set[tuple[int, ...]]:
    pixels = decode(item.read(), 32, box=item.box).pixels
    return {tuple(int(v) for v in pixels[:, y, x]) for y in (4, 28) for x in (4, 28)}


def test_annotations_beside_the_images_crop_them_to_their_objects(dogs: Path) -> None:
    made = find_images(dogs, SourceOptions(boxes="Annotation"))
    assert [item.label for item in made.items] == ["a-pug"] * 3 + ["b-husky"] * 3
    assert all(colours(item) == {(255, 0, 0)} for item in made.items)
    assert made.skipped.lines() == []


def test_objects_may_name_the_classes(dogs: Path) -> None:
    made = find_images(dogs, SourceOptions(boxes="Annotation", classes_from="boxes"))
    assert {item.label for item in made.items} == {"pug", "husky"}
    with pytest.raises(DatasetError, match="say where the boxes are"):
        find_images(dogs, SourceOptions(classes_from="boxes"))


def test_every_box_is_an_image_and_one_without_is_set_aside(dogs: Path) -> None:
    first, second, third = sorted((dogs / "Annotation" / "a-pug").iterdir())
    first.write_text(annotation((0, 0, 20, 20), (30, 0, 50, 20)), encoding="utf-8")
    second.write_text(annotation(), encoding="utf-8")
    third.unlink()
    reasons = {item.name: item.reason for item in find_images(dogs, SourceOptions(boxes="Annotation")).items}
    assert list(reasons)[:2] == ["Images/a-pug/a-pug_0.png (box 1)", "Images/a-pug/a-pug_0.png (box 2)"]
    assert reasons["Images/a-pug/a-pug_1.png"] == "Annotation/a-pug/a-pug_1: marks no object"
    assert reasons["Images/a-pug/a-pug_2.png"] == "no box"


def test_annotations_that_are_not_used_are_told(dogs: Path) -> None:
    lines = find_images(dogs).skipped.lines()
    assert any("annotations of boxes, to which --boxes FOLDER crops: 6" in line for line in lines)


@pytest.mark.parametrize(
    "table",
    [
        "file,x,y,w,h\n0.png,1,2,3,4\n",
        "file,xmin,ymin,xmax,ymax\n0.png,1,2,4,6\n",
        "filename;class;XMin;YMin;XMax;YMax\n0.png;dog;1;2;4;6\n",
        "1\nimage_id x_1 y_1 width height\n0.png 1 2 3 4\n",
        '{"file": "0.png", "x1": 1, "y1": 2, "x2": 4, "y2": 6}\n',
    ],
)
def test_a_table_of_boxes_is_read(table: str) -> None:
    (box,) = boxes.from_table(table.encode(), "boxes.csv", ["0.png"]).of_file["0.png"]
    assert (box.left, box.top, box.right, box.bottom) == (1, 2, 4, 6)


def test_a_table_without_boxes_or_with_a_wrong_one_says_so() -> None:
    with pytest.raises(DatasetError, match=r"needs a column that names the files, and x, y, w, h .* it has file, x"):
        boxes.from_table(b"file,x\n0.png,1\n", "t", ["0.png"])
    made = boxes.from_table(b"file,x,y,w,h\n0.png,1,2,three,4\n9.png,1,1,1,1\n", "t", ["0.png"])
    assert made.rejected == {"0.png": "t: not a box: 1, 2, three, 4"}
    assert made.unmatched == ["9.png"]


@pytest.mark.parametrize(
    "text", ["<annotation>", '<!DOCTYPE a [<!ENTITY b "b">]><annotation/>', "<annotation><object/></annotation>"]
)
def test_a_broken_annotation_sets_its_image_aside(dogs: Path, text: str) -> None:
    (dogs / "Annotation" / "a-pug" / "a-pug_0").write_text(text, encoding="utf-8")
    item = find_images(dogs, SourceOptions(boxes="Annotation")).items[0]
    assert item.reason is not None
    assert "a-pug_0" in item.reason or item.reason == "no box"


def test_a_box_grows_to_a_square_inside_of_the_image() -> None:
    assert Box(10, 10, 30, 20).area(100, 50) == (10, 5, 30, 25)
    assert Box(0, 0, 40, 10).area(100, 50) == (0, 0, 40, 40)
    assert Box(90, 0, 120, 10).area(100, 50) == (90, 0, 100, 10)
    assert Box(0, 0, 100, 10).area(100, 50) == (0, 0, 100, 50)
    assert Box(5, 5, 15, 15, of_width=50).area(100, 50) == (10, 10, 30, 30)
    with pytest.raises(DatasetError, match="a box of 200, 0 to 300, 10 in 100x50 px"):
        Box(200, 0, 300, 10).area(100, 50)


def test_a_box_of_a_large_jpeg_is_not_read_from_a_small_draft() -> None:
    picture = Image.effect_noise((2048, 2048), 100).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    box = Box(100, 100, 164, 164)
    made = decode(file.getvalue(), 64, box=box)
    with Image.open(io.BytesIO(file.getvalue())) as image:
        assert made.pixels.transpose(1, 2, 0).tobytes() == image.crop((100, 100, 164, 164)).tobytes()
    assert made.side == 64


def test_an_annotation_names_its_image_where_others_have_the_same_stem(tmp_path: Path) -> None:
    for folder, suffix in (("JPEGImages", "jpg"), ("Depth", "png")):
        (tmp_path / folder).mkdir()
        for number in range(2):
            Image.new("RGB", (60, 40)).save(tmp_path / folder / f"{number}.{suffix}")
    (tmp_path / "Annotations").mkdir()
    for number in range(2):
        text = annotation((0, 0, 20, 20)).replace("<size>", f"<filename>{number}.jpg</filename><size>")
        (tmp_path / "Annotations" / f"{number}.xml").write_text(text, encoding="utf-8")
    made = find_images(tmp_path, SourceOptions(boxes="Annotations", classes_from="boxes")).items
    assert [item.name for item in made if item.box] == ["JPEGImages/0.jpg", "JPEGImages/1.jpg"]
