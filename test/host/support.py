"""What the tests of the tool and of the hosts share. HEAPWRIGHT_TOOL names the tool that is tested."""
import functools
import json
import os
import subprocess
import tempfile
import unittest

TOOL = os.environ.get("HEAPWRIGHT_TOOL", os.path.join(os.path.dirname(__file__), "..", "..", "build", "heapwright"))

# Tells a program whether the interpreter that runs it is on heapwright.
ON_HEAPWRIGHT = '''
def on_heapwright():
    import os, sys, tempfile
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        return b"runs on heapwright" in file.read()
'''


def environment(**changes):
    """The environment without anything that would change what is tested; None takes a variable out."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith(("PYTHON", "HEAPWRIGHT_")) and name != "LD_PRELOAD"}
    for name, value in changes.items():
        result.pop(name, None)
        if value is not None:
            result[name] = value
    return result


def run(*words, stdin=None, env=None, timeout=300, **options):
    """Runs a command; returns it with returncode, stdout and stderr, as text."""
    if stdin is None:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment() if env is None else env, timeout=timeout, **options)


def heapwright(*words, **options):
    return run(TOOL, *words, **options)


@functools.lru_cache(maxsize=None)
def doctor():
    return json.loads(heapwright("doctor", "--json").stdout)


def interpreters():
    """Every interpreter of this machine that can run on heapwright, as (version, path)."""
    return [(entry["version"], entry["executable"]) for entry in doctor()["interpreters"] if entry["on_heapwright"]]


def for_each_interpreter(namespace):
    """Makes a class of tests once for every interpreter: its attributes are `python`, a path, and `version`, as (3, 11)."""
    def decorate(tests):
        found = interpreters()
        assert found, "no interpreter of this machine runs on heapwright: there is nothing to test"
        for version, path in found:
            name = "%s_%s_%s" % (tests.__name__, version.replace(".", "_"), "system" if path.startswith("/usr/") else "other")
            number = tuple(int(part) for part in version.split(".")[:2])
            members = {"python": path, "version": number, "__module__": tests.__module__}
            namespace[name] = type(name, (tests, unittest.TestCase), members)
        return tests
    return decorate


class Folder:
    """For tests that need files: self.folder is a fresh folder, gone with the test."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="heapwright test ")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def write(self, name, content, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(content)
        os.chmod(path, mode)
        return path
