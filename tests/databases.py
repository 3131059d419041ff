"""Databases for tests: a real SQLite file and a real PostgreSQL server, copied fresh for each test."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

POSTGRESQL_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def find_postgresql() -> Path | None:
    """The folder with initdb and pg_ctl, wherever Debian or PATH has it."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return next((folder for folder in POSTGRESQL_BINARIES if (folder / "initdb").exists()), None)


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
NUMBERED = """SELECT table_name FROM information_schema.columns
              WHERE table_schema = 'public' AND column_default ~ '^nextval'"""
NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('alembic_version', 'sqlite_sequence')"
ALONE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = 'portal' AND pid <> pg_backend_pid()"""
NEXT = "SELECT pg_get_serial_sequence('{0}', 'id'), coalesce(max(id), 0) + 1 FROM {0}"
ALWAYS = """SELECT tgrelid::regclass::text, array_agg(tgname::text) FROM pg_trigger
            WHERE tgenabled = 'A' GROUP BY 1"""
STATE = "SELECT '{0}', count(*), coalesce(max(xmin::text::bigint), 0) FROM {0}"

BACKENDS = ["sqlite", "postgresql"] if find_postgresql() else ["sqlite"]


@dataclass
class SqliteDatabase:
    """A template file, and its copy that a test may spoil."""

    folder: Path
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.file = self.folder / "portal.sqlite3"
        self.url = f"sqlite:///{self.file}"

    def make_template(self, fill: Callable[[], None]) -> None:
        fill()
        self.keep("template")

    def keep(self, name: str) -> None:
        """Remember what it holds now, when nobody is connected."""
        with sqlite3.connect(self.file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copy(self.file, self.kept(name))

    def kept(self, name: str) -> Path:
        return self.folder / f"{name}.kept"

    def reset(self, name: str = "template") -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.kept(name), self.file)

    def reader(self) -> Callable[[], dict[str, Any]]:
        """What reads all rows, by table; at once where nobody has committed anything since."""
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, isolation_level=None)
        names = [name for (name,) in connection.execute(NAMES)]
        read: tuple[int, dict[str, Any]] = -1, {}

        def rows() -> dict[str, Any]:
            nonlocal read
            [version] = connection.execute("PRAGMA data_version").fetchone()
            if version != read[0]:
                read = (
                    version,
                    {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names},
                )
            return read[1]

        return rows

    pid = None
    """No process of its own."""

    def stop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class PostgresqlDatabase:
    """A server of our own on a socket, without fsync; each test gets a copy of the template database."""

    folder: Path
    url: str = field(init=False)

    def __post_init__(self) -> None:
        binaries = find_postgresql()
        assert binaries is not None
        self.binaries = binaries
        self.data = self.folder / "data"
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run(
            "initdb", "-D", self.data, "-A", "trust", "-U", "portal", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=80"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", self.folder / "log", "-w", "start")
        self.url = f"postgresql+psycopg://portal@/portal?host={self.folder}"
        self.keeper = None
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE portal")

    def _run(self, program: str, *arguments: object) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*as_user, str(self.binaries / program), *map(str, arguments)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(f"host={self.folder} dbname={database} user=portal", autocommit=True)

    def make_template(self, fill: Callable[[], None]) -> None:
        """Keep a copy of every row beside the tables: filling them again is faster than a new database."""
        fill()
        with self._connect("portal") as connection:
            tables = [row[0] for row in connection.execute(TABLES)]
            connection.execute("CREATE SCHEMA template")
            for table in tables:
                connection.execute(f"CREATE TABLE template.{table} AS TABLE public.{table}")
            numbered = [row[0] for row in connection.execute(NUMBERED)]
            restarts = [connection.execute(NEXT.format(table)).fetchone() for table in numbered]
            self.guards = dict(connection.execute(ALWAYS).fetchall())
            self.state = " UNION ALL ".join(map(STATE.format, tables))
            self.clean = self._states(connection)
        self.keeper = self._connect("portal")  # what it has once learnt of the tables it need not learn again
        self.restart = "SELECT " + ", ".join(f"setval('{name}', {n}, false)" for name, n in restarts)

    def reader(self) -> Callable[[], dict[str, Any]]:
        """What reads of all tables how many rows they have and who wrote last: nothing changes without the other."""
        return lambda: self._states(self.keeper)

    def _states(self, connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, tuple[int, int]]:
        """Of each table its rows and the transaction that wrote last: no two versions of it have the same."""
        return {name: (rows, last) for name, rows, last in connection.execute(self.state, prepare=True)}

    def reset(self) -> None:
        try:
            self.keeper.execute(ALONE)
        except psycopg.OperationalError:  # a test has restarted the server
            self.keeper = self._connect("portal")
            self.keeper.execute(ALONE)
        states = self._states(self.keeper)
        spoilt = [name for name, state in states.items() if state != self.clean[name]]
        guarded = [name for name in spoilt if name in self.guards]
        refill = [
            "BEGIN",
            *(self._guards("DISABLE", table) for table in guarded),
            "SET LOCAL session_replication_role = replica",  # no other trigger, no order of foreign keys
            *(f"DELETE FROM {table}" for table in spoilt),
            *(f"INSERT INTO {table} SELECT * FROM template.{table}" for table in spoilt),
            *(
                f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in guarded
            ),  # a test may have gone without
            *(self._guards("ENABLE ALWAYS", table) for table in guarded),
            self.restart,
            "COMMIT",
        ]
        self.keeper.execute(";".join(refill))
        if spoilt:
            self.clean = self._states(self.keeper)

    def _guards(self, act: str, table: str) -> str:
        return f"ALTER TABLE {table} " + ", ".join(f"{act} TRIGGER {name}" for name in self.guards[table])

    def restart_server(self, how: str) -> None:
        """`fast` cuts everybody off, `immediate` is as if the machine had gone down."""
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-m", how, "-w", "restart")

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        if self.keeper:
            self.keeper.close()
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


Database = SqliteDatabase | PostgresqlDatabase


def start(backend: str) -> Database:
    folder = Path(tempfile.mkdtemp(prefix=f"portal-{backend}-"))
    return SqliteDatabase(folder) if backend == "sqlite" else PostgresqlDatabase(folder)
