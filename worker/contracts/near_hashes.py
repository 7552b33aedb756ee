"""A set of 64-bit image hashes that finds hashes which differ in a few bits."""

_BANDS = 4


class NearHashes:
    """Finds hashes within a number of bits, from 0 to 3.

    Hashes that differ in at most 3 bits agree in at least one of four bands of 16 bits. So only hashes that agree in
    a band are compared.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._count = 0
        # Lists take half the memory of sets, and a hash is added once.
        self._by_band: list[dict[int, list[int]]] = [{} for _ in range(_BANDS)]

    def __len__(self) -> int:
        """Return the number of hashes."""
        return self._count

    def add(self, value: int) -> None:
        """Add a hash that is not in the set."""
        self._count += 1
        for band, key in enumerate(_keys(value)):
            self._by_band[band].setdefault(key, []).append(value)

    def has_near(self, value: int) -> bool:
        """Return whether the set has a hash within the number of bits."""
        return any(
            (other ^ value).bit_count() <= self._bits
            for band, key in enumerate(_keys(value))
            for other in self._by_band[band].get(key, ())
        )


def _keys(value: int) -> tuple[int, ...]:
    return tuple((value >> 16 * band) & 0xFFFF for band in range(_BANDS))
