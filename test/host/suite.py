"""Runs Python's own tests on its own allocator and collector and on heapwright's, and compares them test by test.

    suite.py [--python EXE]... [--variant NAME]... [--jobs N] [--every] [--long | NAME...]

Without names: a quick selection, by the system's Python and the newest one; --long is the whole of it, by the system's; --every takes
every Python that there is. A variant is a way to run the tests: `default`, `debug` (Python's debug allocator, with our collector),
`low-thresholds` (as after gc.set_threshold(5, 2, 2)), `beside` (every second automatic collection takes a snapshot, which finds all garbage there is, and waits for it, at any size of heap),
`recent` (whatever has become old is collected by itself, some hundred objects at a time),
`package` (python -m heapwright, in an environment with the Python package) or `package-start` (there, by HEAPWRIGHT_INSTALL). Prints every difference. Ends with status 1 if a test that passes on the stock allocator does not pass on heapwright twice in a row,
otherwise with 0.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import package
from support import TOOL, environment, interpreters

QUICK = """test_gc test_weakref test_list test_dict test_set test_tuple test_bytes test_array test_memoryview test_sys
test_tracemalloc test_finalization test_generators test_frame test_fork1 test_thread""".split()

LONG = """test_gc test_weakref test_finalization test_descr test_generators test_coroutines test_asyncgen
test_threading test_capi test_sys test_json test_pickle test_dict test_list test_set test_functools test_tracemalloc
test_dataclasses test_concurrent_futures test_io test_itertools test_frame test_class test_weakset test_contextlib
test_traceback test_copy test_ordered_dict test_exceptions test_subclassinit test_super test_typing test_sqlite3
test_xml_etree test_ast test_compile test_interpreters test__xxsubinterpreters test_atexit test_fork1 test_marshal
test_ssl test_collections test_enum test_inspect test_asyncio test_faulthandler test_module test_import test_embed
test_cmd_line test_unittest test_structseq test_types test_memoryview test_array test_zipfile test_re test_decimal
test_datetime test_unicode test_str test_bytes""".split()

# They ask for something that only the stock allocator can be.
EXPECTED = {"test.test_cmd_line.CmdLineTest.test_pythonmalloc": "it expects the allocator's name to be 'pymalloc'"}

LOW_THRESHOLDS = "import gc\ngc.set_threshold(5, 2, 2)\n"
VARIANTS = {"default": {}, "debug": {"PYTHONMALLOC": "debug"}, "low-thresholds": {"PYTHONPATH": LOW_THRESHOLDS}}
for name, hooks in ("beside", "eager=2,waits"), ("recent", "round=200"):
    VARIANTS[name] = {"PYTHONPATH": "import gc\ngc.set_threshold(50, 2, 2)\n", "HEAPWRIGHT_GC": "beside", "HEAPWRIGHT_GC_LIMIT": "0",
                      "HEAPWRIGHT_GC_TEST": hooks}
VARIANTS["package"] = {}
VARIANTS["package-start"] = {"HEAPWRIGHT_INSTALL": "1"}


def command(ours, python, variant, statistics):
    """How a Python is started. With the debug allocator it is not strictly on heapwright: only its collector is."""
    if variant.startswith("package"):
        return [package.installed(python), *(["-m", "heapwright", "--strict"] if ours and variant == "package" else [])]
    if not ours:
        return [python]
    return [TOOL, "run", *(["--strict"] if variant != "debug" else []),
            *(["--json", "--stats=" + statistics] if variant == "beside" else []), python]


def environment_of(ours, variant, folder):
    """The variables of a variant; PYTHONPATH names a folder with a sitecustomize module of that text."""
    variables = dict(VARIANTS[variant])
    if not ours:
        variables.pop("HEAPWRIGHT_INSTALL", None)
    if "PYTHONPATH" in variables:
        with open(os.path.join(folder, "sitecustomize.py"), "w") as file:
            file.write(variables["PYTHONPATH"])
        variables["PYTHONPATH"] = folder
    return environment(**variables)


class Outcome:
    """What came of one module: its tests by name ("passed", "failed", "skipped"), the exit status of the run, what was printed."""

    def __init__(self, ours, python, module, variant):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as path:
            report, statistics = os.path.join(folder, "report.xml"), os.path.join(path, "statistics.json")
            words = [*command(ours, python, variant, statistics), "-m", "test", "--timeout", "1200", "--junit-xml", report, module]
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  errors="replace", env=environment_of(ours, variant, path), cwd=folder)
            self.status, self.output = done.returncode, done.stdout
            self.tests = dict(self.read(report)) if os.path.exists(report) else {}
            self.snapshots = self.fruitful_in(statistics) if os.path.exists(statistics) else 0

    @staticmethod
    def read(report):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            failed = case.find("failure") is not None or case.find("error") is not None
            yield case.get("name"), "failed" if failed else "skipped" if case.find("skipped") is not None else "passed"

    @staticmethod
    def fruitful_in(path):
        """Snapshots in which there were candidates."""
        with open(path) as file:
            return json.load(file).get("collections", {}).get("fruitful", 0)

    def passed(self):
        return {name for name, result in self.tests.items() if result == "passed"}


def compare(python, module, variant):
    """The module's tests that pass on stock and not on heapwright, and both outcomes."""
    stock, ours = Outcome(False, python, module, variant), Outcome(True, python, module, variant)
    worse = stock.passed() - ours.passed()
    if ours.status != stock.status and not worse and stock.status == 0:
        worse = {module + ": exit status %d" % ours.status}
    return worse, stock, ours


def check(python, module, variant):
    """Lines to print, and whether heapwright is worse. A test that fails by chance fails once."""
    worse, stock, ours = compare(python, module, variant)
    if worse - EXPECTED.keys():
        again, stock, ours = compare(python, module, variant)
        worse &= again
    lines = ["%-26s stock %4d passed of %4d, heapwright %4d of %4d" % (module, len(stock.passed()), len(stock.tests),
                                                                      len(ours.passed()), len(ours.tests))]
    for name in sorted(worse):
        lines.append("    %s: %s" % (name, "not counted, " + EXPECTED[name] if name in EXPECTED else "WORSE"))
    bad = bool(worse - EXPECTED.keys())
    if bad:
        lines += ["        " + line for line in ours.output.splitlines()[-60:]]
    if not stock.tests:
        lines.append("    no test ran, on either allocator (the stock run ended with status %d)" % stock.status)
    return "\n".join(lines), bad, ours.snapshots


def has_tests(python):
    return subprocess.run([python, "-c", "import test.test_gc"], stderr=subprocess.DEVNULL, env=environment()).returncode == 0


def choose(long, every):
    """The system's own Python, and for a quick run also the newest: from 3.12 on the thread rules are others. Or all of them."""
    found = sorted((tuple(map(int, re.findall(r"\d+", version)[:3])), path) for version, path in interpreters() if has_tests(path))
    if every:
        return [path for version, path in found]
    system = [path for version, path in found if path.startswith("/usr/bin/")]
    newest = [path for version, path in found[-1:] if path not in system]
    return system + newest if system and not long else system or newest


def run_all(python, variant, names, jobs):
    """Whether any module is worse on heapwright."""
    print(python, variant, flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results, snapshots = [], 0
        for lines, bad, taken in pool.map(lambda name: check(python, name, variant), names):
            print(lines, flush=True)
            results.append(bad)
            snapshots += taken
    counted = ", %d snapshots with candidates" % snapshots if variant == "beside" else ""
    print("%d modules, %d worse on heapwright%s\n" % (len(results), sum(results), counted))
    return any(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--variant", action="append", choices=list(VARIANTS))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    chosen = options.python or choose(options.long, options.every)
    if not chosen:
        print("SKIPPED: no Python here has its own tests (Debian has them in the package libpython3.11-testsuite)")
        return 77
    names = options.names or (LONG if options.long else QUICK)
    variants = options.variant or ["default"]
    if any(variant.startswith("package") for variant in variants):
        for python in chosen:
            subprocess.run([package.installed(python), "-c", "import heapwright; assert heapwright.installed()"],
                           env=environment(HEAPWRIGHT_INSTALL="1"), check=True)
    return 1 if any([run_all(python, variant, names, options.jobs) for python in chosen for variant in variants]) else 0


if __name__ == "__main__":
    sys.exit(main())
