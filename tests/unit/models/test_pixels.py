import torch

from models import pixels

EVERY_VALUE = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def test_every_uint8_value_survives_the_round_trip() -> None:
    assert torch.equal(pixels.to_uint8(pixels.from_uint8(EVERY_VALUE)), EVERY_VALUE)


def test_the_range_is_minus_one_to_one() -> None:
    images = pixels.from_uint8(EVERY_VALUE)
    assert [x.item() for x in images.aminmax()] == [-1, 1]


def test_values_out_of_range_are_clipped_and_halves_are_rounded_to_nearest() -> None:
    images = torch.tensor([-7.0, 7.0, 0.6 / 127.5 - 1, 0.4 / 127.5 - 1]).view(1, 1, 2, 2)
    assert pixels.to_uint8(images).flatten().tolist() == [0, 255, 1, 0]


def test_bf16_images_are_converted_in_float32() -> None:
    images = torch.full((1, 3, 2, 2), 0.5, dtype=torch.bfloat16)
    assert set(pixels.to_uint8(images).flatten().tolist()) == {191}
