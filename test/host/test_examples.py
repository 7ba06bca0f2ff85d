"""The examples in Python: the same output on the stock allocator and on heapwright, by every interpreter of this machine."""
import glob
import os
import re
import unittest

from support import TOOL, for_each_interpreter, heapwright, run

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "python")


def without_addresses(output):
    return re.sub(r"0x[0-9a-f]+", "0x...", output)


@for_each_interpreter(globals())
class Examples:
    def test_same_output(self):
        found = sorted(glob.glob(os.path.join(FOLDER, "*.py")))
        self.assertGreaterEqual(len(found), 11)
        for path in found:
            with self.subTest(example=os.path.basename(path)):
                stock, ours = run(self.python, path), heapwright("run", "--strict", self.python, path)
                self.assertEqual((stock.returncode, stock.stderr), (0, ""))
                self.assertEqual((ours.returncode, ours.stderr), (0, ""))
                self.assertGreater(len(stock.stdout.splitlines()), 2)
                self.assertEqual(without_addresses(ours.stdout), without_addresses(stock.stdout))


class RunAll(unittest.TestCase):
    """What `make run` shows."""

    def test_run_all(self):
        result = run("sh", os.path.join(FOLDER, "run-all.sh"), TOOL)
        self.assertEqual(result.returncode, 0)
        headings = re.findall(r"^---- (\S+\.py)", result.stdout, re.M)
        self.assertEqual(sorted(headings), sorted(os.path.basename(path) for path in glob.glob(os.path.join(FOLDER, "*.py"))))
        self.assertRegex(result.stderr, r"^heapwright \d+\.\d+\.\d+: what the memory of this program did\n")

    def test_no_tool(self):
        result = run("sh", os.path.join(FOLDER, "run-all.sh"), "/no/such/tool")
        line = "run-all.sh: there is no heapwright command at /no/such/tool; run 'make' first\n"
        self.assertEqual((result.returncode, result.stderr), (1, line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
