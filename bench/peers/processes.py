"""Processes: their CPU to the nanosecond, their memory, who their children are, how they are ended. Linux only."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def cpu(pid: int) -> int:
    """Nanoseconds that a process has run, user and system, in all its threads; 0 when it has gone.

    The kernel's clock of a process, by the id that clock_getcpuclockid(3) makes of its pid.
    """
    with suppress(OSError):
        return time.clock_gettime_ns(~pid << 3 | 2)
    return 0


def cpu_of(pids: Iterable[int]) -> dict[int, int]:
    """The same of several."""
    return {pid: cpu(pid) for pid in pids}


def spent(before: dict[int, int], after: dict[int, int]) -> int:
    """Nanoseconds between two looks; who came in between counts from its beginning."""
    return sum(ran - before.get(pid, 0) for pid, ran in after.items() if ran)


def descendants(pid: int) -> list[int]:
    """The ids of a process's children, their children, and so on."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                stat = (entry / "stat").read_text()
                children[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        below = children[waiting.pop()]
        found += below
        waiting += below
    return found


def memory(pids: Iterable[int]) -> float:
    """Resident MB of processes, what they share counted for each."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * _PAGE_KIB / 1024


def unwind_when_told() -> None:
    """Let SIGTERM end this process as Ctrl-C does, by what is around the code; impatience does not cut that short."""

    def stop(*_: object) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)


def start(command: Sequence[str], core: int | None, **more: object) -> "subprocess.Popen[bytes]":
    """Start a process on one core, in a group of its own: Ctrl-C is for us, and we end it."""
    pinned = ["taskset", "--cpu-list", str(core), *command] if core is not None else list(command)
    return subprocess.Popen(pinned, start_new_session=True, **more)  # type: ignore[call-overload, no-any-return]


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all its children, by force when it does not hear."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
