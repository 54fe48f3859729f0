"""Logos: only whole pictures of a bearable size, whatever their names or first bytes say."""

import struct
import zlib

import pytest

from rules.logos import MOST_BYTES, ImageType, LogoTooLarge, LogoUnreadable, check_logo


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int = 4, height: int = 3, *, pixels: bytes | None = None) -> bytes:
    """A PNG of one colour; `pixels` other than it takes make it a broken one."""
    raw = b"".join(b"\0" + b"\x11\x22\x33" * width for _ in range(height)) if pixels is None else pixels
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# A grey JPEG of 8 x 8 pixels, as small as they get.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b080008000801011100ffc40014000100000000000000000000000000000009"
    "ffc40014100100000000000000000000000000000000ffda0008010100003f0054dfffd9"
)


def test_a_png_and_a_jpeg_are_what_they_are() -> None:
    found = check_logo(png(4, 3))
    assert (found.type, found.width, found.height) == (ImageType.PNG, 4, 3)
    found = check_logo(JPEG)
    assert (found.type, found.width, found.height) == (ImageType.JPEG, 8, 8)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"GIF89a",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        png()[:-1],
        png()[:40] + b"x" + png()[41:],
        png(pixels=b"\0"),
        png(0, 3, pixels=b""),
        JPEG[:-2],
        JPEG[:80] + b"\xff\xd9",
    ],
)
def test_what_is_no_whole_picture_is_refused(image: bytes) -> None:
    with pytest.raises(LogoUnreadable):
        check_logo(image)


def test_no_cut_of_a_picture_is_one() -> None:
    for whole in (png(), JPEG):
        for length in range(len(whole)):
            with pytest.raises(LogoUnreadable):
                check_logo(whole[:length])


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused() -> None:
    for image in (png(100_000, 100_000, pixels=b""), png(4, 3) + b"x" * MOST_BYTES):
        with pytest.raises(LogoTooLarge):
            check_logo(image)
