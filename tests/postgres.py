"""A PostgreSQL server for tests: the one that answers, else one that is started, else one that is installed."""

import os
import re
import secrets
import subprocess
import time
from pathlib import Path

import psycopg2
from sqlalchemy.engine import make_url
from sqlalchemy.engine.url import URL

DEFAULT = "postgresql+psycopg2://root@127.0.0.1:5432/postgres"
WAIT_SECONDS = 30


def server() -> URL:
    """Give the address of a server that answers and lets us make databases. Raises RuntimeError saying what to do."""
    given = os.environ.get("DAOYI_TEST_POSTGRES")
    url = make_url(given or DEFAULT)
    problem = _problem(url)
    if problem is None:
        return url
    if given:
        raise RuntimeError(f"DAOYI_TEST_POSTGRES names a server that cannot be used: {problem}")
    _start(url)
    until = time.monotonic() + WAIT_SECONDS
    while (problem := _problem(url)) is not None:
        if time.monotonic() > until:
            raise RuntimeError(
                f"no PostgreSQL for the tests: {problem}\nStart one and name it in DAOYI_TEST_POSTGRES "
                "(postgresql+psycopg2://user:password@host:port/postgres; the user needs CREATEDB)."
            )
        time.sleep(0.3)
    return url


def new_database(url: URL, template: URL | None = None) -> URL:
    """Make a database of its own, as a copy of `template` where one is given."""
    name = f"daoyi_test_{secrets.token_hex(6)}"
    copied = f' TEMPLATE "{template.database}"' if template else ""
    _run(url, f'CREATE DATABASE "{name}"{copied}')
    # A test kills processes, never the machine: its commits need not wait for the disk.
    _run(url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    return url.set(database=name)


def drop_database(url: URL, made: URL) -> None:
    """Drop a database that new_database has made, with whoever is still connected."""
    _run(url, f'DROP DATABASE IF EXISTS "{made.database}" WITH (FORCE)')


def _connect(url: URL):
    return psycopg2.connect(
        host=url.host, port=url.port or 5432, user=url.username, password=url.password, dbname=url.database,
        connect_timeout=3,
    )  # fmt: skip


def _run(url: URL, statement: str) -> None:
    connection = _connect(url)
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _problem(url: URL) -> str | None:
    try:
        connection = _connect(url)
    except psycopg2.OperationalError as error:
        return str(error).strip()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        return None if cursor.fetchone()[0] else f"role {url.username} may not make databases"
    finally:
        connection.close()


def _start(url: URL) -> None:
    """Start Debian's cluster for this port, installing it first where there is none, and let our role in on loopback."""
    if not Path("/usr/bin/pg_lsclusters").exists():
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "postgresql"]):
            _call(command, env=quiet)
    version, name = _cluster(url.port)
    _admit(version, name, url.username)
    # Exit code 2: it runs already.
    _call(["pg_ctlcluster", "--skip-systemctl-redirect", version, name, "start"], fine=(0, 2))
    _call(["pg_ctlcluster", "--skip-systemctl-redirect", version, name, "reload"])
    psql = ["runuser", "-u", "postgres", "--", "psql", "-qAt", "-p", str(url.port), "-d", "postgres", "-c"]
    if not _call([*psql, f"SELECT 1 FROM pg_roles WHERE rolname = '{url.username}'"]).strip():
        _call([*psql, f'CREATE ROLE "{url.username}" LOGIN'])
    _call([*psql, f'ALTER ROLE "{url.username}" CREATEDB'])


def _cluster(port: int) -> tuple[str, str]:
    rows = [line.split() for line in _call(["pg_lsclusters", "--no-header"]).splitlines()]
    found = next(((row[0], row[1]) for row in rows if row[2] == str(port)), None)
    if found is None:
        raise RuntimeError(f"no PostgreSQL cluster listens on port {port}; name a server in DAOYI_TEST_POSTGRES")
    return found


def _admit(version: str, name: str, role: str) -> None:
    """Put our role, and nobody else, in front of the cluster's rules: from this machine it needs no password."""
    rules = Path(f"/etc/postgresql/{version}/{name}/pg_hba.conf")
    line = f"host all {role} 127.0.0.1/32 trust"
    text = rules.read_text()
    if not re.search(rf"^{re.escape(line)}$", text, re.M):
        rules.write_text(f"{line}\n{text}")


def _call(command: list[str], env: dict | None = None, fine: tuple[int, ...] = (0,)) -> str:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    except FileNotFoundError as error:
        raise RuntimeError(f"{command[0]} is missing; name a PostgreSQL server in DAOYI_TEST_POSTGRES") from error
    if done.returncode not in fine:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
