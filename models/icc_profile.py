"""ICC profiles built from primaries and a tone curve, for files that declare their colours without a profile."""

import struct
from functools import lru_cache

Matrix = tuple[tuple[float, ...], ...]

SRGB_PRIMARIES = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
"""Chromaticities x and y of white, red, green and blue."""
# Keys are the code points of ITU-T H.273; 1 is BT.709, 9 is BT.2020, 12 is Display P3.
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_SRGB_TRANSFERS = frozenset({1, 2, 6, 13, 14, 15})
"""Code points shown by the sRGB curve: sRGB itself, and the camera curves of BT.709 and BT.2020."""
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def hdr_transfer(code_points: tuple[int, int]) -> str | None:
    """Return the name of a transfer function of high dynamic range; None for any other."""
    return _HDR_TRANSFERS.get(code_points[1])


def is_convertible(code_points: tuple[int, int]) -> bool:
    """Return whether the primaries and the transfer function of code points can be converted."""
    return code_points[0] in _PRIMARIES and (code_points[1] in _SRGB_TRANSFERS or code_points[1] in _GAMMAS)


def profile_of_code_points(code_points: tuple[int, int]) -> bytes | None:
    """Return the profile of known code points of ITU-T H.273; None if they mean sRGB."""
    primaries, transfer = code_points
    return profile_of_primaries(_PRIMARIES[primaries], _GAMMAS.get(transfer))


@lru_cache(maxsize=16)
def profile_of_primaries(chromaticities: tuple[float, ...], exponent: float | None) -> bytes | None:
    """Return the profile of primaries with the curve value ** exponent, or with the curve of sRGB without exponent.

    Returns None for sRGB itself, and for chromaticities that do not span a colour space.
    """
    if chromaticities == SRGB_PRIMARIES and exponent is None:
        return None
    try:
        red, green, blue = _transpose(_rgb_to_xyz_d50(chromaticities))
    except ZeroDivisionError:
        return None
    curve = _gamma_tag(exponent) if exponent is not None else _srgb_curve_tag()
    tags = [
        (b"desc", _description_tag()),
        (b"wtpt", _xyz_tag(_D50)),
        *zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz_tag, (red, green, blue)), strict=True),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    return _profile_file(tags)


def _rgb_to_xyz_d50(chromaticities: tuple[float, ...]) -> Matrix:
    """Return the matrix from linear RGB to XYZ under D50, adapted by Bradford's method."""
    # The eight numbers are pairs (x, y); each becomes XYZ of luminance 1.
    white, *primaries = ((x / y, 1.0, (1 - x - y) / y) for x, y in zip(*[iter(chromaticities)] * 2, strict=True))
    # Scale the primaries so that equal amounts of them add up to white.
    columns = _transpose(tuple(primaries))
    amounts = _matrix_vector_product(_inverse_matrix(columns), white)
    rgb_to_xyz = tuple(tuple(a * b for a, b in zip(row, amounts, strict=True)) for row in columns)
    cone_white, cone_d50 = _matrix_vector_product(_BRADFORD, white), _matrix_vector_product(_BRADFORD, _D50)
    adapted = tuple(
        tuple(value * cone_d50[k] / cone_white[k] for value in row)
        for k, row in enumerate(_matrix_product(_BRADFORD, rgb_to_xyz))
    )
    return _matrix_product(_inverse_matrix(_BRADFORD), adapted)


def _transpose(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _matrix_vector_product(matrix: Matrix, vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _matrix_product(left: Matrix, right: Matrix) -> Matrix:
    return _transpose(tuple(_matrix_vector_product(left, column) for column in _transpose(right)))


def _inverse_matrix(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return tuple(tuple(value / determinant for value in row) for row in rows)


def _xyz_tag(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _gamma_tag(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHxx", 1, max(1, min(65535, round(exponent * 256))))


def _srgb_curve_tag() -> bytes:
    values = (k / 1023 for k in range(1024))
    light = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(round(value * 65535) for value in light))


def _description_tag() -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", 9) + b"declared\0" + bytes(4 + 4 + 2 + 1 + 67)


def _profile_file(tags: list[tuple[bytes, bytes]]) -> bytes:
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)  # tags start at multiples of 4 bytes
    # Offsets of the header: size, version 2.4, class "monitor", colour space, date, signature; then D50 as illuminant.
    head = struct.pack(
        ">I4xI4s4s4s6H4s", start + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ", *[2000, 1, 1, 0, 0, 0], b"acsp"
    )
    return (head + bytes(28) + _xyz_tag(_D50)[8:] + bytes(48))[:128].ljust(128, b"\0") + table + body
