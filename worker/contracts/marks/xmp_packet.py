"""The XMP packet of a marked image.

Sources: XMP specification (ISO 16684-1), IPTC Photo Metadata Standard 2023.1 (digital source type).
"""

import re

from worker.contracts.marks.image_address import MAX_URI_BYTES, SCHEME, ImageAddress, parse_uri
from worker.contracts.marks.point_address import MAX_URI_BYTES as MAX_POINT_URI_BYTES
from worker.contracts.marks.point_address import URI_CHARACTERS, PointAddress, parse_point_uri

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media that a model with learnt parameters has made."""
HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}" dc:identifier="'
)
"""The packet up to the address of the image."""
TAIL = '"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
"""The packet after the address of the image."""
_ADDRESS = re.compile(rf"{SCHEME}:[A-Za-z0-9/;=.+-]{{1,{MAX_URI_BYTES}}}".encode())
_POINT_ADDRESS = re.compile(rf"{SCHEME}:[0-9a-f]{{64}}/at/[{URI_CHARACTERS}]{{1,{MAX_POINT_URI_BYTES}}}".encode())


def find_address(packet: bytes) -> ImageAddress | None:
    """Return the first valid address in an XMP packet, however a program has written the packet again."""
    found = (parse_uri(match[0].decode()) for match in _ADDRESS.finditer(packet))
    return next((address for address in found if address is not None), None)


def find_point_address(packet: bytes) -> PointAddress | None:
    """Return the first valid address of a point in an XMP packet."""
    found = (parse_point_uri(match[0].decode()) for match in _POINT_ADDRESS.finditer(packet))
    return next((address for address in found if address is not None), None)
