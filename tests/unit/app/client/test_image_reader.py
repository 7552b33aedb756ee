from hypothesis import given
from hypothesis import strategies as st

from app.client.image import Image
from app.client.image_reader import ImageReader, class_folder
from worker.archive.layouts.image_folder import _folder_name
from worker.archive.zip_format import Entry, central_directory, stored_member

FILES = {f"images/{k:06d}.png": bytes([k]) * (k * 100) for k in range(4)} | {"metadata.jsonl": b"{}"}
ARCHIVE = b"".join(stored_member(name, data) for name, data in FILES.items())
WHOLE = ARCHIVE + central_directory([Entry(name, 0, 0, 0) for name in FILES], len(ARCHIVE))


@given(st.integers(1, len(WHOLE)))
def test_images_are_the_same_whatever_the_chunks_are(size: int) -> None:
    reader, images = ImageReader("png", {}), list[Image]()
    for start in range(0, len(WHOLE), size):
        images += reader.append(WHOLE[start : start + size])
    assert {image.name: image.data for image in images} == {n: d for n, d in FILES.items() if n.startswith("images/")}
    assert [(image.index, image.label) for image in images] == [(k, None) for k in range(4)]
    assert (reader.count, reader.size) == (4, len(WHOLE))


@given(st.text(min_size=1))
def test_class_folders_are_those_of_the_archive(label: str) -> None:
    assert class_folder(label) == _folder_name(label)
