"""The servers that queues stand on, each on a port of its own and with settings that survive a power cut."""

import glob
import os
import pwd

from .machine import Program, accepts, free_port, need, run, wait_for


class Redis:
    """Redis that has every write on the disk before it says so."""

    settings = "appendonly yes, appendfsync always"

    def __init__(self, folder):
        program = need("redis-server", "redis-server")
        self.version = "Redis " + run([program, "--version"]).split("v=")[1].split()[0]
        self.port = free_port()
        words = [program, "--port", self.port, "--bind", "127.0.0.1", "--dir", folder, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "always"]
        self.program = Program(words, folder / "redis.log")
        wait_for("Redis answers", lambda: accepts(self.port), 20, self.program)


class Postgres:
    """PostgreSQL as it comes: a commit is on the disk before it is one."""

    settings = "fsync on, synchronous_commit on, the rest as it comes"

    def __init__(self, folder):
        places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
        program = need("postgres", "postgresql", places)
        initdb = need("initdb", "postgresql", places)
        self.version = "PostgreSQL " + run([program, "--version"]).split()[2]
        self.port, data = free_port(), folder / "data"
        # It refuses to run as root.
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        data.mkdir()
        if user:
            for place in (folder, data):
                os.chown(place, *_ids("postgres"))
        words = [initdb, "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        run(words, **user, cwd=folder)
        words = [program, "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                 "-c", f"unix_socket_directories={folder}"]
        log = folder / "postgres.log"
        self.program = Program(words, log, **user, cwd=folder)
        wait_for("PostgreSQL answers", lambda: accepts(self.port), 30, self.program)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.psql = need("psql", "postgresql-client", places)
        wait_for("PostgreSQL is up", self._is_up, 30, self.program)

    def _is_up(self):
        return "ready to accept" in (self.program.log.read_text())

    def rows(self, statement):
        return run([self.psql, "-Atc", statement, self.url]).split()


def _ids(user):
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid
