"""The logos of the made-up companies: drawn, not kept, as PNG with the standard library alone."""

import struct
import zlib
from collections.abc import Callable

from db.logos import PortalLogo
from rules.logos import ImageType

_WIDTH, _HEIGHT = 450, 180
_SAMPLES = (0.25, 0.75)  # of a pixel, each way: edges are smooth

# Whether a point is part of the picture, both between 0 and 1; the colour of what is.
_Shape = Callable[[float, float], bool]
_Layers = list[tuple[tuple[int, int, int], _Shape]]


def _disc(x: float, y: float, radius: float) -> _Shape:
    wide = _WIDTH / _HEIGHT
    return lambda u, v: ((u - x) * wide) ** 2 + (v - y) ** 2 <= radius**2


def _wave(height: float, depth: float) -> _Shape:
    return lambda u, v: abs(v - height - depth * (1 - (4 * (u * 3 % 1) - 2) ** 2 / 2)) < 0.045


def _peak(x: float, top: float, slope: float) -> _Shape:
    return lambda u, v: top + abs(u - x) * slope <= v <= 0.92


_PICTURES: dict[str, _Layers] = {
    # waves below a harbour's light
    "harbour": [
        ((20, 60, 110), _wave(0.62, 0.05)),
        ((60, 120, 170), _wave(0.80, 0.05)),
        ((225, 150, 30), _disc(0.5, 0.28, 0.2)),
    ],
    # a moon over the sea
    "nord": [
        ((30, 40, 90), _disc(0.5, 0.45, 0.36)),
        ((255, 255, 255), _disc(0.545, 0.40, 0.31)),
        ((40, 150, 140), _wave(0.86, 0.04)),
    ],
    # two mountains and the sun
    "alpen": [
        ((230, 160, 40), _disc(0.66, 0.30, 0.17)),
        ((70, 110, 80), _peak(0.58, 0.38, 2.2)),
        ((30, 70, 60), _peak(0.42, 0.16, 2.2)),
    ],
}


def drawn(slug: str) -> PortalLogo:
    """The logo of a made-up company, by the slug of its portal."""
    layers = _PICTURES[slug]
    rows = b"".join(b"\0" + bytes(_row(layers, place)) for place in range(_HEIGHT))
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    image = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)
    return PortalLogo(ImageType.PNG, _WIDTH, _HEIGHT, image)


def _row(layers: _Layers, place: int) -> list[int]:
    colours: list[int] = []
    for column in range(_WIDTH):
        points = [
            _colour(layers, (column + dx) / _WIDTH, (place + dy) / _HEIGHT)
            for dx in _SAMPLES
            for dy in _SAMPLES
        ]
        colours.extend(sum(part) // len(points) for part in zip(*points, strict=True))
    return colours


def _colour(layers: _Layers, u: float, v: float) -> tuple[int, int, int]:
    found = (255, 255, 255)
    for colour, covers in layers:
        if covers(u, v):
            found = colour
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
