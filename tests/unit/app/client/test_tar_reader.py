import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from app.client.image import Image
from app.client.tar_reader import TarReader

IMAGES = {k: bytes([k]) * (k * 300) for k in range(5, 9)}


def tar(label: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for index, data in IMAGES.items():
            for suffix, content in ((".cls", b"1"), (".json", label.encode()), (".jpg", data)):
                member = tarfile.TarInfo(f"{index:09d}{suffix}")
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
        file.addfile(tarfile.TarInfo("README"))
    return whole.getvalue()


@given(st.integers(1, 30_000), st.sampled_from(['{"label": "modern", "seed": 1}', '{"seed": 1}']))
def test_images_are_the_same_whatever_the_chunks_are(size: int, metadata: str) -> None:
    whole, reader, images = tar(metadata), TarReader("jpeg"), list[Image]()
    for start in range(0, len(whole), size):
        images += reader.append(whole[start : start + size])
    assert {image.index: image.data for image in images} == IMAGES
    assert {image.label for image in images} == {"modern" if "modern" in metadata else None}
    assert (images[0].name, images[0].format, reader.count, reader.size) == ("000000005.jpg", "jpeg", 4, len(whole))
