"""The queues that are measured: how each is installed, filled, worked and asked what it still holds.

All take the same message, post it to the same sink and record that they did. `held` says how long
work stays unclaimed that a killed worker had begun, by the settings used here.
"""

import os
import re
import sys
import urllib.request

from .machine import Program, accepts, free_port, need, npm_install, pip_install, run, wait_for
from .server import Postgres, Redis

IN_FLIGHT = 128


class Queue:
    """What a queue has to answer; the words of its scripts are the same for all."""

    part = 1  # the share of --messages it is given: slow ones get fewer
    server = None

    def __init__(self, folder, sink):
        self.folder, self.sink = folder, sink

    def programs(self):
        """Whose CPU time and memory count beside the worker's."""
        return [self.server.program] if self.server else []

    def env(self):
        return {**os.environ, "PEER_SINK": self.sink.url, "PEER_IN_FLIGHT": str(IN_FLIGHT)}

    def fill(self, count):
        run([*self.script, "fill", 0, count], env=self.env())

    def work(self):
        return Program([*self.script, "work"], self.folder / "worker.log", env=self.env())

    def left(self):
        """The ids that the queue does not know as done."""
        return set(run([*self.script, "left"], env=self.env()).split())


class Node(Queue):
    def __init__(self, folder, sink):
        super().__init__(folder, sink)
        place = npm_install(self.name)
        node = need("node", "nodejs")
        self.script = [node, place / "peer.js"]
        package = {"bullmq": "bullmq", "pgboss": "pg-boss", "kannel": "undici"}[self.name]
        found = run([node, "-p", f"require('{place}/node_modules/{package}/package.json').version"])
        self.node = f"Node {run([node, '--version']).strip()[1:]}"
        self.package = found.strip()


class Bullmq(Node):
    name = "bullmq"
    held = "up to lockDuration + stalledInterval (30 s + 30 s)"

    def __init__(self, folder, sink):
        super().__init__(folder, sink)
        self.server = Redis(folder)
        self.version = f"BullMQ {self.package}, {self.server.version}, {self.node}"
        self.settings = f"concurrency {IN_FLIGHT}, the rest as it comes; {self.server.settings}"

    def env(self):
        return {**super().env(), "PEER_REDIS_PORT": str(self.server.port)}


class Pgboss(Node):
    name = "pgboss"
    held = "expireInSeconds, 15 minutes as it comes"

    def __init__(self, folder, sink):
        super().__init__(folder, sink)
        self.server = Postgres(folder)
        self.version = f"pg-boss {self.package}, {self.server.version}, {self.node}"
        self.settings = f"fetch() by {IN_FLIGHT}, complete() together; {self.server.settings}"

    def env(self):
        return {**super().env(), "PEER_POSTGRES_URL": self.server.url}


class Celery(Queue):
    name = "celery"
    part = 10
    late = False
    held = "visibility_timeout, 1 hour as it comes"

    def __init__(self, folder, sink):
        super().__init__(folder, sink)
        self.python = pip_install("celery")
        self.place = os.path.join(os.path.dirname(__file__), "..", "celery")
        self.server = Redis(folder)
        self.script = [self.python, "-B", os.path.join(self.place, "peer.py")]
        found = run([self.python, "-c", "import celery; print(celery.__version__)"]).strip()
        python = ".".join(map(str, sys.version_info[:3]))
        self.version = f"Celery {found}, {self.server.version}, Python {python}"
        acks = "task_acks_late, task_reject_on_worker_lost" if self.late else "all as it comes"
        self.settings = f"prefork, one process a core; {acks}; {self.server.settings}"

    def env(self):
        late = {"PEER_CELERY": "late"} if self.late else {}
        return {**super().env(), **late, "PEER_REDIS_PORT": str(self.server.port)}

    def work(self):
        words = [self.python, "-B", "-m", "celery", "-A", "peer", "worker", "--loglevel", "WARNING"]
        # Celery writes nothing here; it only finds the module.
        return Program(words, self.folder / "worker.log", cwd=self.place, env=self.env())


class CeleryLate(Celery):
    name = "celery-late"
    late = True


class Kannel(Node):
    name = "kannel"
    held = "nothing is held"

    def __init__(self, folder, sink):
        super().__init__(folder, sink)
        need("bearerbox", "kannel", ["/usr/sbin"])
        self.admin, self.boxes, self.sendsms = free_port(), free_port(), free_port()
        # With no operator at all it accepts nothing; with one that is down it queues.
        self.down = free_port()
        (folder / "spool").mkdir()
        self._configure("dead-start = true")
        said = run(["sh", "-c", "/usr/sbin/bearerbox --version 2>&1 || true"])
        found = re.search(r"version `?([0-9.]+)", said)
        self.version = f"Kannel {found.group(1) if found else '?'}, client: {self.node}"
        self.settings = f"store-type spool, never synced to the disk; max-pending-submits {IN_FLIGHT}"
        self.bearerbox = self._box("bearerbox", self.boxes)
        self.smsbox = self._box("smsbox", self.sendsms)

    def _configure(self, start):
        (self.folder / "kannel.conf").write_text(f"""group = core
admin-port = {self.admin}
admin-interface = 127.0.0.1
admin-password = unused
smsbox-port = {self.boxes}
smsbox-interface = 127.0.0.1
store-type = spool
store-location = "{self.folder}/spool"
log-file = "{self.folder}/bearerbox.log"
log-level = 2

group = smsc
smsc = http
system-type = generic
smsc-id = SINK
send-url = "{self.sink.url}/sms?%b"
status-success-regex = "accepted"
max-pending-submits = {IN_FLIGHT}
{start}

group = smsc
smsc = fake
smsc-id = DOWN
host = 127.0.0.1
port = {self.down}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {self.sendsms}
sendsms-interface = 127.0.0.1
log-file = "{self.folder}/smsbox.log"
log-level = 2

group = sendsms-user
username = office
password = office
concatenation = true
max-messages = 10
default-sender = 3517
""")

    def env(self):
        return {**super().env(), "PEER_SENDSMS_URL": f"http://127.0.0.1:{self.sendsms}"}

    def programs(self):
        return [self.bearerbox, self.smsbox]

    def work(self):
        """Opens the route; after a kill bearerbox comes back with it open, and smsbox finds it by itself."""
        if self.bearerbox.process.poll() is not None:
            self._configure("dead-start = false")
            self.bearerbox = self._box("bearerbox", self.boxes)
            return self.bearerbox
        url = f"http://127.0.0.1:{self.admin}/start-smsc?smsc=SINK&password=unused"
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
        return self.bearerbox

    def _box(self, name, port):
        words = [f"/usr/sbin/{name}", "-v", "4", "kannel.conf"]
        box = Program(words, self.folder / f"{name}.out", cwd=self.folder)
        wait_for(f"{name} answers", lambda: accepts(port), 20, box)
        return box

    def left(self):
        """Its spool has a file for each message."""
        found = set()
        for path in (self.folder / "spool").rglob("*"):
            try:
                found |= set(re.findall(r"msg_\d{26}", path.read_bytes().decode("latin-1")))
            except (IsADirectoryError, FileNotFoundError):
                continue
        return found
