import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.worker.contracts.marks.marked import LARGEST, STYLE
from worker.contracts.marks.image_address import ImageAddress, parse_uri

MODEL = "9" * 64
PLAIN = f"imagemill:{MODEL}/7/3;class=2;numerics=cpu-float32"
STYLED = f"{PLAIN};style={'5' * 64};mode=distilled;strength=0.75;steps=10000;method=2;weights={'7' * 64}"


def test_the_uri_keeps_its_form() -> None:
    address = ImageAddress(model=MODEL, seed=7, index=3, class_number=2, numerics="cpu-float32")
    assert address.uri == PLAIN
    assert address.model_copy(update={"style": STYLE}).uri == STYLED
    assert address.model_copy(update={"class_number": None}).uri == PLAIN.replace(";class=2", "")


@given(
    st.integers(0, LARGEST),
    st.integers(0, LARGEST),
    st.none() | st.integers(0, 10**6),
    st.sampled_from([None, STYLE, STYLE.model_copy(update={"strength": 1e-7, "weights": None})]),
)
def test_every_address_is_read_back(seed: int, index: int, class_number: int | None, style: object) -> None:
    values = {"model": MODEL, "seed": seed, "index": index, "class_number": class_number, "numerics": "cpu-bfloat16"}
    address = ImageAddress.model_validate({**values, "style": style})
    assert parse_uri(address.uri) == address


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "imagemill:",
        PLAIN.upper(),
        PLAIN.replace("9", "g", 1),
        PLAIN.replace("/7/", "/07/"),
        PLAIN.replace("/7/", f"/{LARGEST + 1}/"),
        PLAIN.replace("/7/", "/-7/"),
        PLAIN.replace("/7/", "/\u0667/"),  # a digit, but not of ASCII
        PLAIN.replace("class=2", "class=x"),
        PLAIN.replace(";numerics=cpu-float32", ""),
        f"{PLAIN};class=2",
        f"{PLAIN};model={'8' * 64}",
        f"{PLAIN};n=5",
        f"{PLAIN} ",
        f"{PLAIN}\n",
        PLAIN + ";numerics=cpu-float32" * 9,
        STYLED.replace("0.75", "nan"),
        STYLED.replace("0.75", "2.0"),
        STYLED.replace("0.75", "1"),
        STYLED.replace(";steps=10000", ""),
        STYLED.replace("steps=10000", "steps=1e3"),
        STYLED.replace("distilled", "other"),
        PLAIN + "9" * 1_000_000,
    ],
)
def test_other_texts_are_no_addresses(uri: str) -> None:
    assert parse_uri(uri) is None
