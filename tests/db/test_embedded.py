"""The embedded PostgreSQL: it starts and stops as told, and by nothing else."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.embedded import Cluster

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for the file: making one takes longer than starting it. Durable, as in the demo."""
    home = Path(tempfile.mkdtemp(prefix="kontor-test-"))
    cluster = Cluster(home)
    yield cluster
    cluster.destroy()
    shutil.rmtree(home)


def test_data_outlives_a_stop_and_a_start(cluster: Cluster) -> None:
    cluster.up()
    ask(cluster, "create table if not exists kept (it text)")
    ask(cluster, "insert into kept values ('so')")
    cluster.down()
    cluster.up()
    assert ask(cluster, "select it from kept") == "so"


def test_starting_twice_and_stopping_twice_does_nothing_more(cluster: Cluster) -> None:
    cluster.up()
    server = postmaster(cluster)
    cluster.up()
    assert postmaster(cluster) == server
    cluster.down()
    assert not cluster.running
    cluster.down()
    assert not cluster.running


def test_what_never_ran_can_be_stopped_and_destroyed(tmp_path: Path) -> None:
    Cluster(tmp_path / "nothing").down()
    Cluster(tmp_path / "nothing").destroy()
    assert not (tmp_path / "nothing").exists()


def test_it_recovers_from_a_kill_with_nothing_lost(cluster: Cluster) -> None:
    cluster.up()
    ask(cluster, "create table if not exists committed (it int)")
    ask(cluster, "insert into committed values (1)")
    os.kill(postmaster(cluster), signal.SIGKILL)
    cluster.up()
    assert ask(cluster, "select it from committed") == 1


def test_it_starts_although_its_old_process_id_is_another_programs_now(cluster: Cluster) -> None:
    cluster.up()
    os.kill(postmaster(cluster), signal.SIGKILL)
    while cluster.running:
        time.sleep(0.01)
    record = cluster.home / "postgres" / "data" / "postmaster.pid"
    record.write_text("\n".join([str(os.getpid()), *record.read_text().split("\n")[1:]]))
    cluster.up()
    assert cluster.running


def test_ctrl_c_does_not_reach_it(cluster: Cluster) -> None:
    cluster.down()
    program = "import signal, sys, time; from db.embedded import Cluster; from pathlib import Path; "
    # A shell starts what it puts in the background with SIGINT ignored: a terminal does not.
    program += "signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "Cluster(Path(sys.argv[1])).up(); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(cluster.home)],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as terminal:
        assert terminal.stdout is not None
        assert terminal.stdout.readline() == b"up\n"
        server = postmaster(cluster)
        os.killpg(terminal.pid, signal.SIGINT)
    assert terminal.returncode != 0
    assert cluster.running
    assert postmaster(cluster) == server


def test_only_its_user_may_reach_the_socket(cluster: Cluster) -> None:
    cluster.up()
    folder = Path(cluster.url("postgres", "postgres").split("host=")[1])
    assert folder.stat().st_mode & 0o077 == 0


def test_a_home_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / ("deep " * 20) / "home", fast=True)
    try:
        cluster.up()
        assert ask(cluster, "select current_setting('fsync')") == "off"
    finally:
        cluster.destroy()
    assert list(cluster.home.iterdir()) == [cluster.home / "postgres.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_works_as_an_ordinary_user() -> None:
    home = Path(tempfile.mkdtemp(prefix="kontor-nobody-"))
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # The interpreter may be where only root can run it, so it starts as root and changes by itself.
    program = (
        "import os, sys, encodings.idna; from pathlib import Path; from db import embedded; "
        "uid, gid = map(int, sys.argv[2:]); os.setgroups([]); os.setgid(gid); os.setuid(uid); "
        "cluster = embedded.Cluster(Path(sys.argv[1])); cluster.up(); print(cluster.running); "
        "cluster.destroy(); print(cluster.running)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home), str(nobody.pw_uid), str(nobody.pw_gid)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(home)
    if re.search(r"ClusterFailed: .*( is not installed| from where it is installed)$", done.stderr):
        pytest.skip("this checkout is closed to other users")
    assert done.stdout.split() == ["True", "False"], done.stderr


def ask(cluster: Cluster, sql: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(cluster.url("postgres", "postgres").replace("+asyncpg", ""))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(run())


def postmaster(cluster: Cluster) -> int:
    return int((cluster.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
