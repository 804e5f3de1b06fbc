"""The machine and its processes: what it is, how busy it is, what a process costs. Linux only (/proc)."""

import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 25


class NotReady(Exception):
    """A process ended, or did not answer in time; the message names its log."""


def facts() -> dict:
    """Give what a reader needs to judge the figures: processor, cores, memory in GB, system, Python."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": unknown")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    system = os.uname()
    return {
        "processor": cpu.partition(":")[2].strip(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory.split()[1]) / 1e6, 1),
        "system": f"{system.sysname} {system.release}",
        "python": ".".join(map(str, os.sys.version_info[:3])),
    }


def load() -> float:
    """Give the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def commit() -> str:
    """Give the commit the tree stands on, "unknown" outside git. `code_hash` says whether files differ from it."""
    try:
        asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return asked.stdout.strip() or "unknown"


def code_hash() -> str:
    """Give twelve digits that name the files measured: bot/, actions/, channels/, nlu_data/, domain.yml, config.yml."""
    digest = hashlib.sha256()
    files = [ROOT / "domain.yml", ROOT / "config.yml"]
    for room in ("bot", "actions", "channels", "nlu_data"):
        files += [p for p in (ROOT / room).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A server process, pinned to `cores`, its output in `log`."""

    def __init__(
        self, command: Sequence[str], log: Path, cores: Iterable[int], cwd: Path, env: Mapping[str, str]
    ) -> None:
        pinned = set(cores)
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **env},
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: os.sched_setaffinity(0, pinned),
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def require_alive(self) -> None:
        """Raise NotReady when the process has ended."""
        if self._popen.poll() is not None:
            raise NotReady(f"process ended with code {self._popen.returncode}; see {self.log.relative_to(ROOT)}")

    def cpu_seconds(self) -> float:
        """Give user and system time spent so far by all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss_mb(self) -> float:
        """Give the resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return round(int(line.split()[1]) / 1024, 1)

    def pause(self) -> None:
        """Freeze it, so that it costs nothing while another system is measured."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it; what does not end by itself is killed."""
        if self._popen.poll() is not None:
            return
        self.resume()
        self._popen.terminate()
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def run_timed(command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str]) -> float:
    """Run a command to its end and give the seconds. Raises NotReady when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("wb") as out:
        code = subprocess.call(command, cwd=cwd, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT)
    if code:
        raise NotReady(f"{' '.join(command[:4])} ended with code {code}; see {log.relative_to(ROOT)}")
    return round(time.monotonic() - started, 1)
