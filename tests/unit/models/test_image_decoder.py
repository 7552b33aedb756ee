import io
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from models.errors import PixelError
from models.image_decoder import open_image
from tests.profiles import NEARLY_SRGB, P3, WIDE_GAMMA, chunk, png, tiff, with_chunks

FORMATS = ("PNG", "JPEG", "TIFF", "PPM", "AVIF", "WEBP")
ORANGE = (230, 60, 40)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(colour: Any = ORANGE, mode: str = "RGB", **options: Any) -> bytes:
    return encoded(Image.new(mode, (16, 16), colour), **options)


def shown(data: bytes, background: str = "white") -> Image.Image:
    with open_image(data, FORMATS) as found:
        return found.turned_upright(found.to_rgb(found.to_8_bits(), background))


def colour(data: bytes, background: str = "white") -> tuple[int, ...]:
    found = shown(data, background).getpixel((8, 8))
    assert isinstance(found, tuple)
    return tuple(int(value) for value in found)


def by_pillow(profile: bytes, image: Image.Image) -> tuple[int, ...]:
    """What Pillow's colour management shows, as the reference."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert found is not None
    return found.getpixel((8, 8))  # type: ignore[return-value]


def near(one: tuple[int, ...], other: tuple[int, ...], levels: int = 2) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= levels


def test_colours_of_wide_profiles_become_srgb_in_every_format() -> None:
    expected = (251, 31, 13)  # Display P3 by the matrices of CSS Color 4
    assert near(colour(plain(icc_profile=P3)), expected)
    assert near(colour(plain(kind="JPEG", quality=100, subsampling=0, icc_profile=P3)), expected, 3)
    assert near(colour(plain(kind="TIFF", icc_profile=P3)), expected)
    assert near(colour(plain(kind="WEBP", lossless=True, icc_profile=P3)), expected)
    assert near(colour(plain((60, 200, 80), icc_profile=WIDE_GAMMA)), (0, 201, 67))


def test_a_profile_that_is_srgb_changes_no_level() -> None:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for profile in (made, NEARLY_SRGB):
        assert shown(encoded(noise, icc_profile=profile)).tobytes() == noise.tobytes()


def test_transparency_and_palettes_keep_their_colours_converted() -> None:
    clear = Image.new("RGBA", (16, 16), (*ORANGE, 255))
    clear.putpixel((0, 0), (0, 0, 0, 0))
    palette = Image.new("RGB", (16, 16), ORANGE).quantize(4)
    clear_palette = clear.quantize(4)
    for image in (clear, palette, clear_palette):
        assert near(colour(encoded(image, icc_profile=P3)), (251, 31, 13))
    assert shown(encoded(clear, icc_profile=P3), "#102030").getpixel((0, 0)) == (0x10, 0x20, 0x30)


def test_a_grey_image_is_shown_by_a_profile_of_grey_or_of_colours() -> None:
    linear = grey_profile(1.0)
    expected = by_pillow(linear, Image.new("L", (16, 16), 55))
    assert expected[0] > 120  # linear light
    assert near(colour(plain(55, "L", icc_profile=linear)), expected)
    assert near(colour(plain((55, 255), "LA", icc_profile=linear)), expected)
    assert near(colour(plain(55, "L", icc_profile=P3)), (55, 55, 55))


def grey_profile(gamma: float) -> bytes:
    """A profile of grey with one curve."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1, 0.8249)))
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78 + 1)
    tags, body, table = [(b"desc", text), (b"wtpt", white), (b"kTRC", curve)], b"", struct.pack(">I", 3)
    for name, data in tags:
        table += struct.pack(">4sII", name, 128 + 4 + 36 + len(body), len(data))
        body += data
    head = struct.pack(">I4xI4s4s4s12x4s", 168 + len(body), 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    return head + bytes(68 - len(head)) + white[8:] + bytes(48) + table + body


def test_a_profile_of_other_numbers_or_a_broken_one_changes_nothing() -> None:
    for profile in (grey_profile(1.0), b"no profile", P3[:300] if P3 else b""):
        assert colour(plain(icc_profile=profile)) == ORANGE
    assert colour(plain((0, 0, 0, 0), "CMYK", kind="JPEG", icc_profile=P3)) == (255, 255, 255)


def test_a_broken_profile_is_reported() -> None:
    with open_image(plain(icc_profile=b"no profile"), FORMATS) as found:
        found.to_rgb(found.to_8_bits())
        assert found.remarks == ["a colour profile that cannot be read was ignored"]


def test_cielab_becomes_srgb() -> None:
    lab = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), lab, "RGB", "LAB")
    image = to_lab.apply(Image.new("RGB", (16, 16), (200, 90, 60)))
    assert near(colour(encoded(image, "TIFF")), (200, 90, 60), 3)


def gamma_chunk(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def primaries_chunk(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


P3_XY = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB_XY = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([gamma_chunk(1.0)], (243, 133, 110)),
        ([gamma_chunk(0.45455), primaries_chunk(*P3_XY)], (251, 31, 13)),
        ([primaries_chunk(*P3_XY)], (251, 31, 13)),
        ([gamma_chunk(0.45455)], ORANGE),
        ([gamma_chunk(0.45455), primaries_chunk(*SRGB_XY)], ORANGE),
        ([chunk(b"sRGB", b"\0"), gamma_chunk(1.0)], ORANGE),
        ([chunk(b"cICP", bytes([12, 13, 0, 1]))], (251, 31, 13)),
        ([chunk(b"cICP", bytes([1, 13, 0, 1])), gamma_chunk(1.0)], ORANGE),
        ([gamma_chunk(0)], ORANGE),
        ([chunk(b"gAMA", b"\0")], ORANGE),
        ([primaries_chunk(*[0.0] * 8)], ORANGE),
    ],
)
def test_png_chunks_declare_colours(chunks: list[bytes], expected: tuple[int, ...]) -> None:
    assert near(colour(with_chunks(plain(), chunks)), expected)


def test_code_points_go_before_a_profile_and_a_profile_before_gamma() -> None:
    data = plain(icc_profile=P3)
    assert near(colour(with_chunks(data, [chunk(b"cICP", bytes([1, 13, 0, 1]))])), ORANGE)
    assert near(colour(with_chunks(data, [gamma_chunk(1.0)])), (251, 31, 13))


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(transfer: int, name: str) -> None:
    with pytest.raises(PixelError, match=rf"high dynamic range \({name}\)"):
        shown(with_chunks(plain(), [chunk(b"cICP", bytes([9, transfer, 0, 1]))]))


def test_an_avif_declares_its_primaries_in_a_box() -> None:
    data = bytearray(plain((60, 200, 80), kind="AVIF", quality=100))
    place = data.find(b"colrnclx")
    assert near(colour(bytes(data)), (60, 200, 80), 3)
    data[place + 8 : place + 10] = struct.pack(">H", 12)
    green = colour(bytes(data))
    assert green[0] < 5
    assert green[1] > 195


def grey16(values: Any, *chunks: bytes) -> bytes:
    rows = np.broadcast_to(np.asarray(values, dtype=">u2"), (16, 16))
    return png(16, 16, 16, 0, b"".join(b"\0" + row.tobytes() for row in rows), *chunks)


def most(data: bytes) -> int:
    found = shown(data).getextrema()[0]
    assert isinstance(found, tuple)
    return int(found[1])


RAMP = np.linspace(0, 4095, 16)


def test_significant_bits_tell_where_white_is_only_where_samples_are_not_scaled() -> None:
    bits = chunk(b"sBIT", b"\x0c")
    assert most(grey16(RAMP, bits)) == 255
    assert most(grey16(RAMP)) == 15
    assert most(grey16(RAMP * 16, bits)) == 255
    dark = (np.arange(16) * 16).astype(int)  # scaled as the standard wants it, and dark
    assert most(grey16(dark, bits)) == 0


def test_sixteen_bit_colours_with_fewer_significant_bits_are_read_whole() -> None:
    row = np.stack([RAMP, RAMP[::-1], RAMP], axis=1).astype(">u2").tobytes()
    data = png(16, 16, 16, 2, (b"\0" + row) * 16, chunk(b"sBIT", b"\x0c\x0c\x0c"))
    pixels = np.asarray(shown(data))[0]
    assert np.abs(pixels[:, 0].astype(int) - RAMP / 16).max() <= 1


def test_few_significant_bits_of_eight_are_stretched() -> None:
    values = bytes(range(16)) * 16
    rows = b"".join(b"\0" + values[k : k + 16] for k in range(0, 256, 16))
    assert most(png(16, 16, 8, 0, rows, chunk(b"sBIT", b"\x04"))) == 255
    assert most(png(16, 16, 8, 0, rows)) == 15


def test_a_tiff_is_read_by_its_bits_per_sample() -> None:
    packed = (b"\xff" * 12 + b"\0" * 12) * 16
    assert most(tiff(16, {258: (3, 12), 262: (3, 1), 339: (3, 1)}, packed)) == 255


@pytest.mark.parametrize(("limit", "expected"), [(4095, 255), (4000, 15), (1023, 15)])
def test_a_declared_maximum_counts_where_it_is_one_of_bits_and_holds(limit: int, expected: int) -> None:
    data = struct.pack("<H", 4095) * 256
    assert most(tiff(16, {258: (3, 16), 262: (3, 1), 281: (3, limit)}, data)) == expected


def test_a_palette_of_few_significant_bits_is_stretched() -> None:
    palette = chunk(b"PLTE", bytes([0, 0, 0, 31, 15, 7]))
    rows = (b"\0" + b"\1" * 16) * 16
    assert colour(png(16, 16, 8, 3, rows, chunk(b"sBIT", b"\5\5\5"), palette)) == (255, 123, 57)
    assert colour(png(16, 16, 8, 3, rows, palette)) == (31, 15, 7)


def test_white_may_be_zero() -> None:
    data = struct.pack("<H", 0) * 256
    assert colour(tiff(16, {258: (3, 16), 262: (3, 0), 339: (3, 1)}, data)) == (255, 255, 255)


@pytest.mark.parametrize(("value", "expected"), [(0x7FFF, 255), (0x4000, 128), (0, 0)])
def test_signed_numbers_without_negative_ones_begin_at_black(value: int, expected: int) -> None:
    data = struct.pack("<h", value) * 256
    assert colour(tiff(16, {258: (3, 16), 262: (3, 1), 339: (3, 2)}, data)) == (expected,) * 3


def test_signed_numbers_span_all_of_their_range() -> None:
    data = struct.pack("<h", -0x8000) * 128 + struct.pack("<h", 0) * 128
    found = shown(tiff(16, {258: (3, 16), 262: (3, 1), 339: (3, 2)}, data))
    assert (found.getpixel((0, 0)), found.getpixel((0, 15))) == ((0, 0, 0), (128, 128, 128))


def test_wide_numbers_are_read_by_the_least_depth_that_holds_them_and_reported() -> None:
    for most_value, expected in ((255, 255), (65535, 255), (2**31 - 1, 255), (200, 200)):
        data = encoded(Image.fromarray(np.full((16, 16), most_value, np.int32)), "TIFF")
        with open_image(data, FORMATS) as found:
            assert found.to_rgb(found.to_8_bits()).getpixel((8, 8)) == (expected,) * 3
            assert "32-bit numbers without a declared range" in found.remarks[0]


def test_floating_point_pixels_need_a_declared_range() -> None:
    image = Image.fromarray(np.full((16, 16), 2.0, np.float32))
    with pytest.raises(PixelError, match="floating-point pixels"):
        shown(encoded(image, "TIFF"))
    tags = Image.Exif()
    tags[340], tags[341] = 0.0, 4.0
    assert colour(encoded(image, "TIFF", tiffinfo=dict(tags))) == (128, 128, 128)


def test_a_palette_of_eight_bits_in_a_tiff_is_not_black() -> None:
    table = b"".join(struct.pack("<16H", *([0, value] + [0] * 14)) for value in ORANGE)
    assert colour(tiff(16, {258: (3, 4), 262: (3, 3)}, b"\x11" * 128, {320: table})) == ORANGE


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt", b"iCCP"])
def test_long_metadata_do_not_spoil_good_pixels(kind: bytes) -> None:
    packed = zlib.compress(b"x" * 80_000_000, 1)
    bodies = {
        b"zTXt": b"history\0\0" + packed,
        b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0" + packed,
        b"tEXt": b"comment\0" + b"x" * 2_000_000,
        b"iCCP": b"name\0\0" + packed,
    }
    assert colour(with_chunks(plain(), [chunk(kind, bodies[kind])])) == ORANGE


def test_a_long_profile_still_counts() -> None:
    assert P3
    padded = struct.pack(">I", len(P3) + 3_000_000) + P3[4:] + bytes(3_000_000)
    data = with_chunks(plain(), [chunk(b"iCCP", b"name\0\0" + zlib.compress(padded))])
    assert near(colour(data), (251, 31, 13))


def test_a_wrong_checksum_of_metadata_does_not_spoil_good_pixels() -> None:
    text = bytearray(chunk(b"tEXt", b"comment\0hello"))
    text[-1] ^= 1
    gamma = bytearray(gamma_chunk(1.0))
    gamma[-1] ^= 1
    assert colour(with_chunks(plain(), [bytes(text), bytes(gamma)])) == ORANGE


def test_an_orientation_in_text_behind_the_pixels_is_kept() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>', zip=True)
    wide = encoded(Image.new("RGB", (32, 16)), pnginfo=info)
    assert shown(wide).size == (16, 32)


def test_the_decoder_needs_no_tensor_library() -> None:
    code = "import models.image_decoder, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def ink_profile() -> bytes:
    """A profile of CMYK whose inks are grey: the lightness falls by a quarter with each."""
    table = bytes(value for bits in range(16) for value in (255 - bits.bit_count() * 60, 128, 128))
    identity = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * (k in {0, 4, 8}) for k in range(9)))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + identity * 4 + table + identity * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1, 0.8249)))
    text = b"desc\0\0\0\0" + struct.pack(">I", 4) + b"ink\0" + bytes(78)
    body, directory = b"", struct.pack(">I", 3)
    for name, data in ((b"desc", text), (b"wtpt", white), (b"A2B0", lut)):
        data += bytes(-len(data) % 4)
        directory += struct.pack(">4sII", name, 128 + 4 + 36 + len(body), len(data))
        body += data
    head = struct.pack(">I4xI4s4s4s12x4s", 168 + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    return head + bytes(68 - len(head)) + white[8:] + bytes(48) + directory + body


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_shown_by_their_profile(kind: str) -> None:
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    expected = by_pillow(ink_profile(), image)
    assert np.ptp(expected) <= 2  # grey, and not the cyan of a conversion without a profile
    options = {"quality": 100} if kind == "JPEG" else {}
    assert near(colour(encoded(image, kind, icc_profile=ink_profile(), **options)), expected, 3)
