# SPDX-License-Identifier: AGPL-3.0-or-later
"""Set up everything that the demo and the tests need, from a bare Debian machine with Python 3.11 and Node.

Run by `make setup`, `make demo` and `make test` with the system's Python; it uses the standard library only. Each step is
skipped when nothing that it depends on has changed, so a second start takes about a second.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMPS = ROOT / "build" / "setup"
LOCK = ROOT / "requirements" / "locked.txt"
CACHE = Path(
    os.environ.get("OMERO_OPENHCS_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "omero-openhcs"
)

UV = "uv==0.13.9"
ICE = "zeroc-ice==3.6.5"
OLDEST_NODE = (20, 19)  # what Vite 8 needs

ICE_HEADERS = {"openssl/ssl.h": "libssl-dev", "bzlib.h": "libbz2-dev"}

TEST_SERVERS = {
    "postgresql": "usr/lib/postgresql/*/bin/initdb",
    "slurmctld": "usr/sbin/slurmctld",
    "slurmd": "usr/sbin/slurmd",
    "slurm-client": "usr/bin/sbatch",
    "munge": "usr/sbin/munged",
    "nginx-light": "usr/sbin/nginx",
}
"""Debian packages that the tests start servers of, each with a program of it."""


class SetupError(Exception):
    """Something is missing; the message says what and how to get it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also install Chromium and the servers that tests run")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        check_python()
        check_node()
        make_environment()
        install_ice()
        install_packages()
        build_front_end()
        warm_openhcs()
        if options.tests:
            install_chromium()
            install_servers()
    except SetupError as error:
        print(f"\nSetup stopped: {error}", file=sys.stderr)
        return 1
    elapsed = time.monotonic() - started
    if elapsed > 5:
        say(f"ready after {elapsed:.0f} s")
    return 0


# ----------------------------------------------------------------- steps


def check_python() -> None:
    if sys.version_info[:2] != (3, 11):
        raise SetupError(
            f"Python 3.11 is needed, this is {platform.python_version()}. "
            "Ice 3.6 does not work with newer ones and OpenHCS not with older ones. Use `make PYTHON=/path/to/python3.11`."
        )


def check_node() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SetupError("Node.js with npm is needed to build the pages' scripts (version 20.19 or newer).")
    version = capture([node, "--version"]).strip()
    match = re.match(r"v(\d+)\.(\d+)", version)
    if match is None or tuple(map(int, match.groups())) < OLDEST_NODE:
        raise SetupError(f"Node.js {version} is too old; {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer is needed.")


def make_environment() -> None:
    if (VENV / "bin" / "uv").exists():
        return
    say("making the Python environment in .venv")
    try:
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "venv")
    except SetupError:
        if not install_debian_packages(["python3-venv"]):
            raise
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "venv")
    run([str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", UV], "pip")


def install_ice() -> None:
    """Install Ice 3.6.5, which has no wheel for Python 3.11: build it from its sources once and keep the wheel."""
    if any((VENV / "lib" / "python3.11" / "site-packages").glob("zeroc_ice-3.6.5*")):
        return
    wheels = CACHE / "wheels"
    wheel = next(wheels.glob(f"zeroc_ice-3.6.5-cp311-*{platform.machine()}.whl"), None)
    if wheel is None:
        build_ice(wheels)
        wheel = next(wheels.glob("zeroc_ice-3.6.5-cp311-*.whl"))
    run([str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--no-deps", str(wheel)], "uv", VIRTUAL_ENV=str(VENV))


def build_ice(wheels: Path) -> None:
    missing = missing_for_ice()
    if missing:
        install_debian_packages(missing.values())
        missing = missing_for_ice()
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise SetupError(
            f"Ice 3.6.5 has to be built from its sources, and {', '.join(sorted(missing))} cannot be found. "
            f"On Debian: apt-get install {packages}"
        )
    say("building Ice 3.6.5 from its sources: about five minutes, once (the wheel is kept in the cache)")
    with tempfile.TemporaryDirectory(prefix="ice-build-") as folder:
        include = Path(folder) / "include"
        include.mkdir()
        # Python 3.11 dropped eval.h, which Ice includes but does not use.
        (include / "eval.h").touch()
        header = shutil.copy(ROOT / "scripts" / "ice" / "python311_compat.h", include)
        run(
            [
                str(VENV / "bin" / "python"),
                "-m",
                "pip",
                "wheel",
                "--no-deps",
                "--no-binary=zeroc-ice",
                ICE,
                "--wheel-dir",
                folder,
            ],
            "ice",
            CPATH=os.pathsep.join(filter(None, [str(include), os.environ.get("CPATH", "")])),
            CXXFLAGS=f"-include {header} {os.environ.get('CXXFLAGS', '')}".strip(),
        )
        wheels.mkdir(parents=True, exist_ok=True)
        for built in Path(folder).glob("*.whl"):
            # A rename is atomic only within one file system, so the wheel is copied beside its place first.
            partial = wheels / f".{built.name}.{os.getpid()}"
            shutil.copy(built, partial)
            partial.rename(wheels / built.name)


def missing_for_ice() -> dict[str, str]:
    """What the build of Ice needs and this machine lacks, with the Debian package that brings it."""
    missing = {}
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        missing["a C++ compiler"] = "g++"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        missing["Python.h"] = "python3-dev"
    for header, package in ICE_HEADERS.items():
        if compiler is None:
            missing[header] = package
            continue
        probe = subprocess.run(  # noqa: S603 - the compiler found on PATH
            [compiler, "-E", "-x", "c++", "-"], input=f"#include <{header}>\n", capture_output=True, text=True, check=False
        )
        if probe.returncode != 0:
            missing[header] = package
    return missing


def install_packages() -> None:
    with Stamp("packages", [LOCK, ROOT / "pyproject.toml"]) as stamp:
        if stamp.fresh:
            return
        say("installing the locked Python packages")
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--no-deps"]
        run([*uv, "--require-hashes", "--requirement", str(LOCK)], "uv", VIRTUAL_ENV=str(VENV))
        run([*uv, "--no-build-isolation", "--editable", str(ROOT)], "uv", VIRTUAL_ENV=str(VENV))


def build_front_end() -> None:
    folder = ROOT / "frontend"
    npm = shutil.which("npm") or "npm"
    with Stamp("node-modules", [folder / "package-lock.json"], outputs=[folder / "node_modules"]) as stamp:
        if not stamp.fresh:
            say("installing the locked Node packages")
            run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], "npm", cwd=folder)
    sources = [*folder.glob("*.json"), *folder.glob("*.ts"), *(folder / "src").rglob("*.*")]
    bundle = ROOT / "src" / "omero_openhcs" / "static" / "omero_openhcs" / "dist"
    with Stamp("front-end", sources, outputs=[bundle]) as stamp:
        if not stamp.fresh:
            say("building the pages' scripts")
            run([npm, "run", "--silent", "build"], "vite", cwd=folder)


def warm_openhcs() -> None:
    with Stamp("openhcs-caches", [LOCK], outputs=[CACHE / "engine-home"]) as stamp:
        if not stamp.fresh:
            say("warming OpenHCS's caches: about a minute, once")
            run([str(VENV / "bin" / "python"), "-m", "openhcs_execution.engine.warm", str(CACHE / "engine-home")], "openhcs")


def install_chromium() -> None:
    if shutil.which(os.environ.get("CHROMIUM", "chromium")) is None and not install_debian_packages(["chromium"]):
        raise SetupError("the browser tests need Chromium. On Debian: apt-get install chromium")


def install_servers() -> None:
    """Servers that some tests run for themselves; where they cannot be installed those tests say so and are skipped."""
    missing = [package for package, program in TEST_SERVERS.items() if not any(Path("/").glob(program))]
    if missing:
        try:
            install_debian_packages(missing)
        except SetupError as error:  # the tests that need them are skipped and say so
            say(f"not installed: {', '.join(sorted(missing))} ({error})")


# ----------------------------------------------------------------- helpers


class Stamp:
    """Remembers the content that a step was last done for; the step is fresh when nothing of it has changed."""

    def __init__(self, name: str, inputs: Iterable[Path], outputs: Iterable[Path] = ()) -> None:
        digest = hashlib.sha256()
        for path in sorted(inputs):
            if path.is_file():
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
        self._state = digest.hexdigest()
        self._path = STAMPS / name
        self.fresh = (
            self._path.exists()
            and self._path.read_text(encoding="ascii") == self._state
            and all(path.exists() for path in outputs)
        )

    def __enter__(self) -> Stamp:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and not self.fresh:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(self._state, encoding="ascii")


def install_debian_packages(packages: Iterable[str]) -> bool:
    """Install Debian packages when running as root on a machine with apt; tell whether that was possible."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    names = sorted(set(packages))
    say(f"installing Debian packages: {' '.join(names)}")
    run([apt, "update", "--quiet=2"], "apt", DEBIAN_FRONTEND="noninteractive")
    with no_service_started():
        run([apt, "install", "--yes", "--quiet=2", "--no-install-recommends", *names], "apt", DEBIAN_FRONTEND="noninteractive")
    return True


@contextmanager
def no_service_started() -> Iterator[None]:
    """Keep Debian's packages from starting what they bring (nginx on port 80, PostgreSQL): the tests start their own."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():  # the machine has its own rules
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def say(text: str) -> None:
    print(f"-- {text}", flush=True)


def capture(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def run(command: Sequence[str], name: str, *, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command with its output in ``build/setup/<name>.log``; long ones show that they are alive.

    Raises:
        SetupError: when it fails; the message quotes the end of the log.
    """
    STAMPS.mkdir(parents=True, exist_ok=True)
    log = STAMPS / f"{name}.log"
    started = shown = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands are ours
            command, cwd=cwd, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    process.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() - shown > 20:
                        shown = time.monotonic()
                        say(f"   … still at it after {shown - started:.0f} s (see {log.relative_to(ROOT)})")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
        raise SetupError(f"`{' '.join(command[:6])} …` failed. The end of {log.relative_to(ROOT)}:\n{end}")


if __name__ == "__main__":
    sys.exit(main())
