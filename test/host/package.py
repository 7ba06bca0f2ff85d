"""For the tests of the Python package: it is built once and installed, without network, in a virtual environment for each interpreter."""
import functools
import os
import subprocess
import sys
import tempfile

from support import TOOL, environment

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIP = "-m", "pip", "--disable-pip-version-check", "--no-input"
OFFLINE = "--no-index", "--no-deps"

# Gone with the process. No space in its name, as LD_PRELOAD could not name it.
_holder = tempfile.TemporaryDirectory(prefix="heapwright-package-")


def _must(*words, **options):
    """What a command prints; it must end well."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), **options)
    if done.returncode != 0:
        raise RuntimeError("%s\n%s" % (" ".join(words), done.stdout))
    return done.stdout


@functools.lru_cache(maxsize=None)
def built():
    """The paths of the source distribution and the wheel."""
    out = _must(sys.executable, os.path.join(PROJECT, "cmake", "python_package.py"), os.path.dirname(TOOL), os.path.join(_holder.name, "dist"))
    return tuple(out.splitlines()[-2:])


def _environment(python, name):
    folder = os.path.join(_holder.name, name + python.replace("/", "-"))
    _must(python, "-m", "venv", "--system-site-packages", folder)
    return os.path.join(folder, "bin", "python")


@functools.lru_cache(maxsize=None)
def fresh(python):
    """The Python of a virtual environment, with pip and what the interpreter has, and without the package."""
    return _environment(python, "fresh")


@functools.lru_cache(maxsize=None)
def installed(python):
    """The Python of an environment that has the package."""
    place = _environment(python, "installed")
    _must(place, *PIP, "install", *OFFLINE, built()[1])
    return place


def can_build():
    """Whether there is what the package is made with."""
    found = subprocess.run(["/bin/sh", "-c", "%s -c 'import setuptools, wheel' || /usr/bin/python3 -c 'import setuptools, wheel'" % sys.executable],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    return found.returncode == 0
