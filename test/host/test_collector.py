"""The cycle collector of Python on heapwright: what a program can see of it is what it would see of Python's own."""
import os
import re
import unittest

import json

from support import Folder, environment, for_each_interpreter, heapwright, run

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "collector_scenarios.py")


def without_chance(text):
    """Addresses and times differ from run to run."""
    text = re.sub(r"0x[0-9a-f]+", "ADDRESS", text)
    return re.sub(r"[0-9.]+s elapsed", "TIME elapsed", text)


@for_each_interpreter(globals())
class Collector(Folder):
    maxDiff = None

    def compare(self, name, *flags, **variables):
        env = environment(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", **variables)
        words = [self.python, *flags, SCENARIOS, name]
        stock, ours = run(*words, env=env), heapwright("run", *words, env=env)
        if "No module named" in stock.stderr:
            self.skipTest("this Python lacks a module: " + stock.stderr.strip().splitlines()[-1])
        self.assertNotEqual(stock.stdout + stock.stderr, "")
        for of_stock, of_ours in (stock.stdout, ours.stdout), (stock.stderr, ours.stderr):
            self.assertEqual(without_chance(of_ours), without_chance(of_stock))
        self.assertEqual(ours.returncode, stock.returncode)

    def collector(self, *options, **variables):
        path = os.path.join(self.folder, "figures")
        done = heapwright("run", "--json", "--stats=" + path, *options, self.python, "-c", "pass", env=environment(**variables))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(path) as file:
            return json.load(file)["collector"]

    def test_which(self):
        self.assertEqual(self.collector(), "auto")
        self.assertEqual(self.collector("--gc=beside"), "beside")
        self.assertEqual(self.collector("--gc=inplace"), "inplace")
        self.assertEqual(self.collector("--gc=stock"), "stock")
        self.assertEqual(self.collector(HEAPWRIGHT_GC="stock"), "stock")
        self.assertEqual(self.collector("--gc=inplace", HEAPWRIGHT_GC="stock"), "inplace")
        self.assertEqual(self.collector(PYTHONMALLOC="debug"), "auto")
        self.assertEqual(self.collector(PYTHONDEVMODE="1"), "auto")

    def test_no_such_collector(self):
        done = heapwright("run", "--gc=other", self.python, "-c", "pass")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "heapwright: there is no collector 'other': --gc is 'auto', 'beside', 'inplace' or 'stock'\n"))
        done = heapwright("run", self.python, "-c", "print(1)", env=environment(HEAPWRIGHT_GC="other"))
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"))
        self.assertRegex(done.stderr, r"^heapwright: Python 3\.[0-9.]+ keeps its own cycle collector: "
                                      r"HEAPWRIGHT_GC is none of 'auto', 'beside', 'inplace' and 'stock'\n$")


def add_scenarios():
    """A test for each scenario, and one more with the debug allocator."""
    for name in run(os.environ.get("PYTHON", "python3"), SCENARIOS).stdout.split():
        flags = ["-W", "default"] if name.startswith("end_") else []

        def test(self, name=name, flags=flags):
            self.compare(name, *flags)

        def test_debug(self, name=name, flags=flags):
            self.compare(name, *flags, PYTHONMALLOC="debug")

        setattr(Collector, "test_scenario_" + name, test)
        setattr(Collector, "test_debug_allocator_" + name, test_debug)


add_scenarios()

if __name__ == "__main__":
    unittest.main()
