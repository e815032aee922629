"""Programs, ports and figures of this machine: starts, measures and stops what it is asked to.

Every program is remembered by its pid and nothing else is ever ended. Knows no queue.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
INSTALLED = ROOT / "target" / "peers"
LONGEST = 600  # seconds for one program or phase; whoever needs more has failed
TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, what, hint=""):
        super().__init__(what)
        self.hint = hint


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def run(words, hint="", **options):
    """Runs a program to its end and returns what it printed."""
    words = [str(word) for word in words]
    options |= {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    try:
        done = subprocess.run(words, timeout=LONGEST, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{Path(words[0]).name} took more than {LONGEST} s", hint) from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise Failure(f"{Path(words[0]).name} failed: " + "\n  ".join(last), hint)
    return done.stdout


def need(program, package, places=()):
    """The path of a program; its Debian package is installed when it is missing."""
    for look in range(2):
        found = shutil.which(program, path=os.pathsep.join([*places, os.environ["PATH"]]))
        if found:
            return found
        if look == 0:
            _apt_install(package)
    raise Failure(f"{program} is missing", f"apt-get install {package}")


def _apt_install(package):
    hint = f"as root: apt-get install {package}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"{package} is not installed", hint)
    # Packages ask this file before they start a service of their own, which nobody asked for.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        words = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", package]
        run(words, hint, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    finally:
        if ours:
            policy.unlink()


def npm_install(name):
    """A folder with a peer's scripts and exactly the packages of its lockfile."""
    folder = INSTALLED / name
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / name / "package-lock.json").read_bytes()
    stamp = folder / "installed.json"
    for source in [*(HERE / name).iterdir(), HERE / "harness" / "message.js"]:
        shutil.copy(source, folder)
    if not stamp.exists() or stamp.read_bytes() != lock:
        # Not `ci`, which refuses a lockfile where packages of other platforms could not be had.
        words = [need("npm", "npm"), "install", "--no-save", "--no-audit", "--no-fund", "--loglevel", "error"]
        run(words, "npm must be able to reach its registry", cwd=folder)
        stamp.write_bytes(lock)
    return folder


def pip_install(name):
    """The Python of a venv with exactly the packages of requirements.txt."""
    venv, wanted = INSTALLED / f"{name}-venv", HERE / name / "requirements.txt"
    python, stamp = venv / "bin" / "python", venv / "installed.txt"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        run([need("python3", "python3"), "-m", "venv", venv], "apt-get install python3-venv")
        words = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", wanted]
        run(words, "pip must be able to reach its registry")
        stamp.write_bytes(wanted.read_bytes())
    return python


# ---- programs that run ----


_running = []


class Program:
    """A program of ours with everything below it."""

    def __init__(self, words, log, **options):
        with open(log, "ab") as out:
            # A session of its own: a Ctrl-C at the terminal is for us, who stop it in order.
            self.process = subprocess.Popen(
                [str(word) for word in words],
                stdin=options.pop("stdin", subprocess.DEVNULL),
                stdout=options.pop("stdout", out),
                stderr=out,
                start_new_session=True,
                **options,
            )
        self.name, self.log = Path(words[0]).name, log
        _running.append(self)

    def check(self):
        """Complains if it has ended by itself."""
        if self.process.poll() is not None:
            last = Path(self.log).read_text(errors="replace").strip().splitlines()[-8:]
            raise Failure(f"{self.name} ended by itself: " + "\n  ".join(last))

    def cpu(self):
        """CPU seconds, user and system, of the program, of its children and of those that ended."""
        total = 0
        for pid in tree(self.process.pid):
            try:
                words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += sum(int(word) for word in words[11:15])
        return total / TICKS

    def memory_kib(self):
        """What it holds now, what is shared counted once (PSS)."""
        total = 0
        for pid in tree(self.process.pid):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return total

    def kill(self):
        """As when the power goes: all of it at once, without a word."""
        for pid in tree(self.process.pid):
            _signal(pid, signal.SIGKILL)
        self.process.wait()
        _running.remove(self)

    def stop(self, word=signal.SIGTERM):
        """Asks it to end, and does not wait for ever."""
        below = tree(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(word)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in below:
                    _signal(pid, signal.SIGKILL)
                self.process.wait()
        if self in _running:
            _running.remove(self)


def stop_all():
    """The last started first."""
    for program in reversed(_running[:]):
        program.kill()


def tree(pid):
    """A process and everything below it."""
    found, ahead = [], [pid]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                ahead += map(int, (thread / "children").read_text().split())
        except OSError:
            pass
    return found


def _signal(pid, word):
    try:
        os.kill(pid, word)
    except ProcessLookupError:
        pass


def wait_for(what, holds, seconds, *programs):
    """Asks again and again, as long as the programs live."""
    end = time.monotonic() + seconds
    while not holds():
        for program in programs:
            program.check()
        if time.monotonic() > end:
            raise Failure(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
