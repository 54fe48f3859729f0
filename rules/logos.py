"""Logos: pictures that a company has printed on its documents. What a file is, its own bytes say, not its name."""

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

MOST_BYTES = 256 * 1024
# A small file can unfold to a huge picture: so many pixels are drawn at most.
MOST_PIXELS = 4_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# JPEG's "start of frame" markers, whatever the coding; C4, C8 and CC are something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA


class ImageType(StrEnum):
    """What kind of picture a logo is."""

    PNG = "PNG"
    JPEG = "JPEG"


@dataclass(eq=False, kw_only=True)
class LogoTooLarge(BrokenRule):
    """A picture has more bytes or pixels than are kept."""

    english = "A logo has at most {kilobytes} kB and {megapixels} million pixels."
    german = "Ein Logo hat höchstens {kilobytes} kB und {megapixels} Millionen Bildpunkte."

    kilobytes: int = MOST_BYTES // 1024
    megapixels: int = MOST_PIXELS // 1_000_000


class LogoUnreadable(BrokenRule):
    """A file is no whole PNG or JPEG picture."""

    english = "A logo is a PNG or JPEG picture, in base64; this is not one, or not a whole one."
    german = "Ein Logo ist ein PNG- oder JPEG-Bild in Base64; dies ist keines, oder kein ganzes."


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture is, and its size in pixels."""

    type: ImageType
    width: int
    height: int


def check_logo(image: bytes, *path: str) -> Picture:
    """What a file is that is to be a logo. Raises LogoTooLarge and LogoUnreadable."""
    if len(image) > MOST_BYTES:
        raise LogoTooLarge(path=path)
    try:
        found = _png(image) if image.startswith(_PNG) else _jpeg(image)
    except (struct.error, IndexError, zlib.error):
        found = None
    if found is None or not found.width or not found.height:
        raise LogoUnreadable(path=path)
    if found.width * found.height > MOST_PIXELS:
        raise LogoTooLarge(path=path)
    return found


def _png(image: bytes) -> Picture | None:
    """A PNG of which every chunk is whole, and which holds as much as it says (ISO 15948)."""
    place, packed, picture, expected = len(_PNG), bytearray(), None, 0
    while place < len(image):
        length, name = struct.unpack_from(">I4s", image, place)
        body = image[place + 8 : place + 8 + length]
        (crc,) = struct.unpack_from(">I", image, place + 8 + length)
        if zlib.crc32(name + body) != crc:
            return None
        place += 12 + length
        if name == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", body)
            picture = Picture(ImageType.PNG, width, height)
            expected = height * ((width * depth * _PNG_CHANNELS.get(colour, 0) + 7) // 8)
        elif name == b"IDAT":
            packed += body
        elif name == b"IEND":
            is_whole = picture is not None and _unfolds(bytes(packed), picture, expected)
            return picture if is_whole else None
    return None


def _unfolds(packed: bytes, picture: Picture, expected: int) -> bool:
    """Whether there are as many bytes as the pixels take; of a picture that is too large nothing is unfolded."""
    if picture.width * picture.height > MOST_PIXELS:
        return True
    unfolded = zlib.decompressobj().decompress(packed, expected + 1)
    return 0 < expected <= len(unfolded)


def _jpeg(image: bytes) -> Picture | None:
    """A JPEG that has a frame, a scan and an end (ITU-T T.81). What is in the scan is not looked at."""
    if not image.startswith(_JPEG) or b"\xff\xd9" not in image[-64:]:
        return None
    place, found = 2, None
    while image[place] == 0xFF:
        marker = image[place + 1]
        if marker == 0xFF:  # a marker may be filled up
            place += 1
            continue
        if marker == _SCAN:
            return found
        (length,) = struct.unpack_from(">H", image, place + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", image, place + 5)
            found = Picture(ImageType.JPEG, width, height)
        place += 2 + length
    return None
