"""The Python package `heapwright`: built, installed in a virtual environment for every interpreter of this machine, and used in all its ways. Most tests are
a program of package_programs.py. HEAPWRIGHT_SOAK: more of what is random, and the source distribution for every interpreter that can build it."""
import concurrent.futures
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap
import unittest
import zipfile

import package
from support import ON_HEAPWRIGHT, TOOL, Folder, environment, for_each_interpreter, heapwright, interpreters, run

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "package_programs.py")
SOAK = bool(os.environ.get("HEAPWRIGHT_SOAK"))
SHOW = ON_HEAPWRIGHT + "import sys; print(on_heapwright(), sys.argv[1:])"


def setUpModule():
    package.built()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(package.installed, [python for _, python in interpreters()]))


class Packaged(Folder):
    def setUp(self):
        super().setUp()
        self.venv = package.installed(self.python)

    def check(self, *words, python=None, **variables):
        """Runs a program of package_programs.py, which must end well; returns what it prints."""
        result = run(python or self.venv, "-W", "ignore", PROGRAMS, *words, env=environment(**variables), cwd=self.folder)
        self.assertEqual((result.returncode, result.stderr), (0, ""), words)
        return result.stdout

    def run_module(self, *words, flags=(), **options):
        return run(self.venv, *flags, "-m", "heapwright", *words, cwd=self.folder, **options)

    def assert_result(self, result, status, stdout="", stderr=""):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (status, stdout, stderr))


@for_each_interpreter(globals())
class Command(Packaged):
    """python -m heapwright"""

    def test_ways(self):
        script = self.write("a script", SHOW)
        self.write("a_module.py", SHOW)
        for words in [script, "x", ""], ["-m", "a_module", "x", ""], ["-c", SHOW, "x", ""]:
            self.assert_result(self.run_module(*words), 0, "True ['x', '']\n")
            self.assert_result(self.run_module("--gc=stock", "--strict", *words), 0, "True ['x', '']\n")

    def test_is_this_interpreter(self):
        code = "import sys; print(sys.executable, sys.prefix, sys.flags.optimize, sys.flags.no_site, sys.warnoptions)"
        flags = "-OO", "-W", "error"
        stock = run(self.venv, *flags, "-c", code)
        self.assert_result(self.run_module("-c", code, flags=flags), 0, stock.stdout)

    def test_unbuffered(self):
        code = "import sys; print('first'); sys.stdout.flush(); print('last', end=''); import os; os._exit(0)"
        for flags, printed in ([], "first\n"), (["-u"], "first\nlast"):
            self.assert_result(self.run_module("-c", code, flags=flags), 0, printed)

    def test_same_as_stock(self):
        for words in ["no-such-file.py"], ["-m", "no_such_module"], ["-c", "raise SystemExit(5)"], ["-c", "1/0"], \
                     ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], ["-c", "import os; os.abort()"]:
            with self.subTest(words=words):
                stock = run(self.venv, *words, cwd=self.folder)
                self.assert_result(self.run_module(*words), stock.returncode, stock.stdout, stock.stderr)

    def test_signal(self):
        code = "import signal, sys; print(1, flush=True); signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); print(2, flush=True); signal.pause()"
        for options in [], ["--stats=" + os.path.join(self.folder, "stats")]:
            child = subprocess.Popen([self.venv, "-m", "heapwright", *options, "-c", code], stdout=subprocess.PIPE, env=environment())
            with child.stdout:
                self.assertEqual([child.stdout.readline(), child.stdout.readline()], [b"1\n", b"2\n"])
                child.send_signal(signal.SIGTERM)
                self.assertEqual(child.wait(60), 9)

    def test_statistics(self):
        result = self.run_module("--json", "--gc", "inplace", "-c", "import gc; gc.collect()")
        figures = json.loads(result.stderr)
        self.assertEqual((result.returncode, figures["on_heapwright"], figures["collector"]), (0, True, "inplace"))

    def test_strict(self):
        result = self.run_module("--strict", "-c", "pass", env=environment(PYTHONMALLOC="malloc"))
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertRegex(result.stderr, "^heapwright: Python .* cannot run on heapwright: PYTHONMALLOC has chosen another one\n$")

    def test_help_and_misuse(self):
        shown = self.run_module("--help")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        for word in "--stats[=FILE]", "--json", "--strict", "--gc=", "-m MODULE", "HEAPWRIGHT_INSTALL", "doctor":
            self.assertIn(word, shown.stdout)
        self.assertEqual(self.run_module("-h").stdout, shown.stdout)
        self.assert_result(self.run_module("--version"), 0, heapwright("--version").stdout)
        for words, reason in ([], "which program?"), (["--frugal", "x.py"], "there is no option '--frugal'"), \
                             (["--gc"], "which program?"), (["--python", "python3", "x.py"], "there is no option '--python'"):
            self.assert_result(self.run_module(*words), 2, "", "heapwright: %s; try 'python -m heapwright --help'\n" % reason)
        self.assertEqual(self.run_module("--gc=never", "x.py").returncode, 2)

    def test_doctor(self):
        if not SOAK and self.python != interpreters()[0][1]:
            self.skipTest("it tries every interpreter; one of them does it, and the others in a soak")
        found = json.loads(self.run_module("doctor", "--json").stdout)
        self.assertTrue(all(entry["on_heapwright"] for entry in found["interpreters"] if entry["executable"] == self.python))
        self.assertTrue(found["preload"].startswith(os.path.dirname(os.path.dirname(self.venv))))

    def test_command_of_the_environment(self):
        command = os.path.join(os.path.dirname(self.venv), "heapwright")
        code = "import sys; print(sys.prefix)"
        self.assert_result(run(command, "run", self.write("x.py", code)), 0, run(self.venv, "-c", code).stdout)
        self.assert_result(run(command, "--version"), 0, heapwright("--version").stdout)


@for_each_interpreter(globals())
class Install(Packaged):
    """heapwright.install()"""

    def test_collectors(self):
        for collector in "auto", "beside", "inplace", "stock":
            with self.subTest(collector=collector):
                self.check("installs", collector)

    def test_keeps_settings(self):
        self.check("keeps_settings")

    def test_environment_decides(self):
        self.assertEqual(self.check("environment_decides"), "auto\n")
        self.assertEqual(self.check("environment_decides", HEAPWRIGHT_GC="inplace"), "inplace\n")

    def test_another_allocator(self):
        self.assertIn("PYTHONMALLOC", self.check("another_allocator", "chosen", HEAPWRIGHT_GC_LIMIT="0", PYTHONMALLOC="malloc"))
        self.assertIn("PYTHONMALLOC", self.check("another_allocator", "chosen", HEAPWRIGHT_GC_LIMIT="0", PYTHONMALLOC="pymalloc"))
        self.assertIn("-X dev", self.check("another_allocator", "chosen", HEAPWRIGHT_GC_LIMIT="0", PYTHONDEVMODE="1"))
        self.assertIn("tracing", self.check("another_allocator", "tracing", HEAPWRIGHT_GC_LIMIT="0"))

    def test_in_a_collection(self):
        self.check("in_a_collection")

    def test_subinterpreters(self):
        self.check("subinterpreters")

    def test_isolated_interpreters(self):
        if self.version < (3, 12):
            self.skipTest("Python %d.%d has one lock for all interpreters" % self.version)
        self.check("isolated_interpreters", HEAPWRIGHT_GC_LIMIT="0")

    def test_threads(self):
        for _ in range(50 if SOAK else 1):
            self.check("in_threads", "2" if SOAK else "1", HEAPWRIGHT_GC_LIMIT="0")

    def test_refused(self):
        """Interpreters that cannot be served; the last two only pretend."""
        for change, variables, reason in ("pass", {"HEAPWRIGHT_LIBDIR": self.folder}, "heapwright has no library for Python 3"), \
                                         ("sys.version += ' free-threading build'", {}, "a free-threaded build cannot"), \
                                         ("sys.implementation.name = 'pypy'", {}, "heapwright is for CPython, and this is pypy"):
            code = f"import sys, heapwright; {change}; print(heapwright.installed()); heapwright.install()"
            result = run(self.venv, "-c", code, env=environment(**variables))
            self.assertEqual((result.returncode, result.stdout), (1, "False\n"))
            self.assertRegex(result.stderr, "(?m)^RuntimeError: " + reason)

    def test_folder_with_a_space(self):
        """The library can be anywhere; only the tool cannot name such a folder to the system."""
        path = run(self.venv, "-c", "import heapwright; print(heapwright.__path__[0])").stdout.strip()
        shutil.copytree(path, os.path.join(self.folder, "a b", "heapwright"))
        folder = os.path.join(self.folder, "a b")
        self.check("installs", "auto", python=self.python, PYTHONPATH=folder)
        refused = run(self.python, "-m", "heapwright", "-c", "pass", env=environment(PYTHONPATH=folder))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("LD_PRELOAD allows no spaces", refused.stderr)


@for_each_interpreter(globals())
class AtStart(Packaged):
    """HEAPWRIGHT_INSTALL"""

    def show(self, *flags, **variables):
        result = run(self.venv, *flags, "-c", SHOW, env=environment(**variables))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.startswith("True")

    def test_values(self):
        self.assertTrue(self.show(HEAPWRIGHT_INSTALL="1"))
        self.assertTrue(self.show(HEAPWRIGHT_INSTALL="yes"))
        self.assertFalse(self.show(HEAPWRIGHT_INSTALL="0"))
        self.assertFalse(self.show(HEAPWRIGHT_INSTALL=""))
        self.assertFalse(self.show())

    def test_flags(self):
        """What ignores the environment, or the site, ignores this as well."""
        for flags, expected in (["-I"], False), (["-E"], False), (["-S"], False), (["-s"], True), (["-B", "-q"], True):
            self.assertEqual(self.show(*flags, HEAPWRIGHT_INSTALL="1"), expected, flags)

    def test_programs(self):
        start = {"HEAPWRIGHT_INSTALL": "1", "HEAPWRIGHT_GC": "beside", "HEAPWRIGHT_GC_LIMIT": "0"}
        self.check("processes", **start)
        if SOAK:
            self.check("pauses", **start)

    def test_refused(self):
        """The program runs, and one line for it and its children says what is wrong."""
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(2)']); print(1)"
        for variables, reason in ({"HEAPWRIGHT_LIBDIR": self.folder}, "heapwright has no library for .*"), \
                                 ({"HEAPWRIGHT_GC": "never"}, "HEAPWRIGHT_GC is 'never'.*"):
            result = run(self.venv, "-c", code, env=environment(HEAPWRIGHT_INSTALL="1", **variables))
            self.assertEqual((result.returncode, result.stdout), (0, "2\n1\n"))
            self.assertRegex(result.stderr, r"^heapwright: Python [\d.]+ does not run on heapwright: %s\n$" % reason)

    def test_with_the_tool(self):
        """Once is enough."""
        result = self.run_module("-c", "import heapwright; print(heapwright.install())", env=environment(HEAPWRIGHT_INSTALL="1"))
        self.assert_result(result, 0, "False\n")


@for_each_interpreter(globals())
class Figures(Packaged):
    def test_pauses(self):
        self.check("pauses", HEAPWRIGHT_GC_LIMIT="0")
        self.check("many_pauses")
        self.check("stock_collector")

    def test_of_the_tool(self):
        """The library is the one that the tool has put in, wherever that came from."""
        result = heapwright("run", "--gc=inplace", self.venv, PROGRAMS, "by_the_tool")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        loaded, figures, _ = json.loads(result.stdout)
        self.assertEqual([os.path.dirname(path) for path in loaded], [os.path.join(os.path.dirname(os.path.realpath(TOOL)), "lib", "heapwright")])
        self.assertEqual(figures["collector"], "inplace")
        self.assertGreater(figures["memory"]["blocks"], 10000)
        if SOAK:
            self.assert_result(self.run_module("--gc=beside", PROGRAMS, "pauses", env=environment(HEAPWRIGHT_GC_LIMIT="0")), 0)


@for_each_interpreter(globals())
class Programs(Packaged):
    """Kinds of programs that people have."""

    def test_multiprocessing(self):
        self.check("processes")

    def test_server(self):
        self.check("server", HEAPWRIGHT_GC_LIMIT="0")
        self.assert_result(self.run_module("--gc=beside", PROGRAMS, "server", env=environment(HEAPWRIGHT_GC_LIMIT="0")), 0)

    def test_example(self):
        """The service of docs/pauses.md, in small."""
        service = os.path.join(package.PROJECT, "examples", "python", "service", "catalogue.py")
        small = service, "--products", "3000", "--rate", "200", "--seconds", "2", "--sessions", "50"
        for start, state in ([], "as it is"), (["-m", "heapwright"], "on heapwright"):
            result = run(self.venv, *start, *small)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout.splitlines()[0], r"^\d+ objects in \d+\.\d\d s, Python [\d.]+, %s$" % state)
            self.assertRegex(result.stdout, r"(?m)^requests +400   half of them within +[\d.]+ ms, 99 % within +[\d.]+ ms, all within +[\d.]+ ms$")
            self.assertEqual(result.stdout.count("\ncollections "), 2)

    def test_pytest(self):
        if run(self.venv, "-c", "import pytest").returncode != 0:
            self.skipTest("%s has no pytest (Debian and Ubuntu have one for theirs in python3-pytest)" % self.python)
        self.write("test_some.py", textwrap.dedent("""
            import gc, weakref, heapwright
            def test_installed():
                assert heapwright.installed() and heapwright.stats()["memory"]["blocks"] > 0
            def test_cycles(tmp_path):
                class Node: pass
                node = Node()
                node.itself, weak = node, weakref.ref(node)
                del node
                assert gc.collect() > 0 and weak() is None
            def test_fails():
                assert [1] == [2]
        """))
        self.write("conftest.py", "import heapwright\nheapwright.install()\n")
        words = "-m", "pytest", "-q", "-p", "no:cacheprovider"
        for result in run(self.venv, *words, cwd=self.folder), self.run_module(*words), \
                run(self.venv, *words, cwd=self.folder, env=environment(HEAPWRIGHT_INSTALL="1")):
            self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
            self.assertIn("1 failed, 2 passed", result.stdout)
            self.assertEqual(result.stderr, "")


class Distributions(Folder, unittest.TestCase):
    def test_wheel(self):
        wheel = package.built()[1]
        self.assertRegex(os.path.basename(wheel), r"^heapwright-[\d.]+-py3-none-linux_\w+\.whl$")
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
        libraries = [name.rsplit("/", 1)[1] for name in names if name.startswith("heapwright/native/lib/heapwright/libheapwright")]
        built = [os.path.basename(path) for path in glob.glob(os.path.join(os.path.dirname(TOOL), "lib", "heapwright", "*.so"))]
        self.assertEqual(sorted(libraries), sorted(built))
        for name in "heapwright.pth", "heapwright/py.typed", "heapwright/__init__.py", "heapwright/native/bin/heapwright":
            self.assertIn(name, names)

    def test_uninstall(self):
        python = package.fresh(interpreters()[0][1])
        site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        before = sorted(os.listdir(site))
        for words in ["install", *package.OFFLINE, package.built()[1]], ["uninstall", "--yes", "heapwright"]:
            self.assertEqual(run(python, *package.PIP, *words).returncode, 0)
        self.assertEqual(sorted(os.listdir(site)), before)

    def test_source_distribution(self):
        """It is built by pip for the interpreter that installs it, out of nothing but what it holds."""
        with tarfile.open(package.built()[0]) as archive:
            self.assertFalse([name for name in archive.getnames() if "/test" in name or "/docs" in name or name.endswith((".so", ".o", ".pyc"))])
        chosen = []
        for version, python in interpreters():
            if run(python, "-c", "import setuptools, wheel").returncode == 0:
                chosen.append((version, python))
            else:
                print("source distribution: not by %s, which has no setuptools and wheel" % python, file=sys.stderr)
        if not chosen:
            self.skipTest("no interpreter here has setuptools and wheel")
        for version, python in chosen if SOAK else chosen[:1]:
            with self.subTest(python=version):
                place = package.fresh(python)
                done = run(place, *package.PIP, "install", *package.OFFLINE, "--no-build-isolation", package.built()[0], timeout=600)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                minor = ".".join(version.split(".")[:2])
                code = "import os, heapwright as h; print(h.install(), sorted(os.listdir(os.path.join(h.__path__[0], 'native/lib/heapwright'))))"
                result = run(place, "-c", code)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertTrue(result.stdout.startswith("True"))
                self.assertEqual(result.stdout.count("libheapwright-cpython"), 1)
                self.assertIn(f"libheapwright-cpython-{minor}.so", result.stdout)
                self.assertEqual(run(place, "-m", "heapwright", "-c", SHOW).stdout, "True []\n")


if __name__ == "__main__":
    if not package.can_build():
        print("SKIPPED: no python3 here has setuptools and wheel (Debian and Ubuntu have them in python3-setuptools and python3-wheel)")
        sys.exit(77)
    unittest.main(verbosity=2)
