from pathlib import Path

from PIL import Image

from tests.tiny import picture
from training.dataset import import_plan
from training.dataset.framing import Framing
from training.dataset.image_source import SourceOptions, find_images
from training.dataset.label_table import LabelColumn


def lines(path: Path, choice: SourceOptions = SourceOptions(), framing: Framing = Framing()) -> list[str]:  # noqa: B008
    return import_plan.lines(find_images(path, choice), Path("in"), framing)


def test_the_plan_says_how_many_images_of_which_class_come_from_where(class_folders: Path) -> None:
    assert lines(class_folders) == ["plan: 24 images of in, 2 classes by folders", "  16 cat: cat/", "  8 dog: dog/"]


def test_the_plan_says_what_is_merged(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 1)):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                picture(number).save(tmp_path / split / name / f"{number}.png")
    assert lines(tmp_path) == [
        "plan: 8 images of in, 2 classes by folders",
        "  4 cat: train/cat/ (3), test/cat/ (1)",
        "  4 dog: train/dog/ (3), test/dog/ (1)",
        "note: test, train are parts of one data set: merged (--split NAME takes one of them)",
    ]


def test_the_plan_says_what_is_set_aside_and_left_out_with_an_example(class_folders: Path) -> None:
    rows = "00.png,a\n01.png,b\n02.png,a\n02.png,b\ngone.png,a\n"
    (class_folders / "labels.csv").write_text(f"file,kind\n{rows}", encoding="utf-8")
    (class_folders / ".DS_Store").touch()
    told = lines(class_folders, SourceOptions(LabelColumn("labels.csv", "kind")))
    assert told[:3] == ["plan: 2 images of in, 2 classes by column 'kind' of labels.csv", "  1 a: dog/", "  1 b: cat/"]
    assert set(told[3:]) == {
        "set aside: 21 files, the first is cat/04.png: no label",
        "set aside: 1 file, cat/02.png: several labels: 'a', 'b'",
        "set aside: 1 file, labels.csv: 1 files that it names do not exist, the first is 'gone.png'",
        "left out: hidden files: 1 (.DS_Store)",
    }


def test_the_plan_says_how_much_is_cut_away(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("RGB", (100, 80)).save(tmp_path / f"{number}.png")
    (cut,) = [line for line in lines(tmp_path) if line.startswith("cut: ")]
    assert (
        cut
        == "cut: the centre square leaves out 20% of an image on average (4 were looked at); --fit pad keeps all of it"
    )
    assert not [line for line in lines(tmp_path, framing=Framing("pad")) if line.startswith("cut: ")]


def test_many_classes_are_not_all_told(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / str(number)).mkdir()
        picture(number).save(tmp_path / str(number) / "0.png")
    told = lines(tmp_path)
    assert len(told) == 22
    assert told[-1] == "  ... and 10 more classes, with 1 to 1 images"


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    for name in ("a\x1b[2J", "b"):
        (tmp_path / name).mkdir()
        picture(1).save(tmp_path / name / "0.png")
    assert "  1 a\\x1b[2J: a\\x1b[2J/" in lines(tmp_path)
