"""A set of 64-bit image hashes that finds hashes which differ in a few bits."""

from collections import defaultdict

_BANDS = 4


class NearHashes:
    """Finds hashes within a number of bits, from 0 to 3.

    Hashes that differ in at most 3 bits agree in at least one of four bands of 16 bits. So only hashes that agree in
    a band are compared.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._by_band: list[defaultdict[int, set[int]]] = [defaultdict(set) for _ in range(_BANDS)]

    def copy(self) -> "NearHashes":
        """Return an independent copy."""
        copied = NearHashes(self._bits)
        for band, known in enumerate(self._by_band):
            copied._by_band[band].update({key: set(values) for key, values in known.items()})
        return copied

    def add(self, value: int) -> None:
        """Add a hash."""
        for band, key in enumerate(_keys(value)):
            self._by_band[band][key].add(value)

    def has_near(self, value: int) -> bool:
        """Return whether the set has a hash within the number of bits."""
        return any(
            (other ^ value).bit_count() <= self._bits
            for band, key in enumerate(_keys(value))
            for other in self._by_band[band].get(key, ())
        )


def _keys(value: int) -> tuple[int, ...]:
    return tuple((value >> 16 * band) & 0xFFFF for band in range(_BANDS))
