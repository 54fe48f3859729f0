"""Origins: from which other hosts' pages a portal may be asked, as browsers spell them (RFC 6454)."""

import re
from dataclasses import dataclass

from rules.broken import BrokenRule
from rules.portals import HostInvalid, host_name

MOST_ORIGINS = 20

_ORIGIN = re.compile(r"(https?)://([^/:@?#\s]+)(?::([1-9][0-9]{0,4}))?")
_STANDARD_PORTS = {"https": "443", "http": "80"}
_LARGEST_PORT = 65_535
_SHOWN = 300


@dataclass(eq=False, kw_only=True)
class OriginInvalid(BrokenRule):
    """A text is no origin from which a portal could be asked: https, and http of one's own machine alone."""

    english = "{origin} is not an origin such as https://shop.example.com; http is for localhost alone."
    german = "{origin} ist kein Ursprung wie https://shop.example.com; http ist nur für localhost."

    origin: str


def origin(text: str, *path: str) -> str:
    """An origin as browsers send it: lower case, without the port that its scheme has anyway. `*` and `null` are none.
    Raises OriginInvalid."""
    found = _ORIGIN.fullmatch(text.strip().lower())
    if found is None:
        raise OriginInvalid(origin=text[:_SHOWN], path=path)
    scheme, host, port = found.groups()
    is_own_machine = host in ("localhost", "127.0.0.1") or host.endswith(".localhost")
    if not _is_host(host) or (scheme == "http" and not is_own_machine) or int(port or 0) > _LARGEST_PORT:
        raise OriginInvalid(origin=text[:_SHOWN], path=path)
    suffix = f":{port}" if port and port != _STANDARD_PORTS[scheme] else ""
    return f"{scheme}://{host}{suffix}"


def _is_host(host: str) -> bool:
    if host == "127.0.0.1":
        return True
    try:
        return host_name(host) == host
    except HostInvalid:
        return False
