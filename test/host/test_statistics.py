"""`heapwright run --stats`: that the figures are there, add up, and survive whatever becomes of the program."""
import json
import os
import re
import subprocess
import unittest

from support import TOOL, Folder, environment, for_each_interpreter, heapwright, interpreters

PYTHON = interpreters()[0][1]


class Statistics(Folder):
    def figures(self, *words, status=0, **options):
        """Runs a program and returns its figures."""
        path = os.path.join(self.folder, "figures.json")
        result = heapwright("run", "--json", "--stats=" + path, *words, **options)
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        with open(path) as file:
            return json.load(file)


@for_each_interpreter(globals())
class Figures(Statistics):
    def test_sense(self):
        """Relations that hold for every program."""
        figures = self.figures(self.python, "-c", "kept = [str(i) for i in range(100000)]; del kept")
        self.assertEqual((figures["on_heapwright"], figures["exit_status"], figures["program"][0]), (True, 0, self.python))
        self.assertEqual(figures["python"]["executable"], self.python)
        memory, domains = figures["memory"], figures["domains"]
        self.assertEqual(list(domains), ["raw", "mem", "obj"])
        for name, domain in domains.items():
            with self.subTest(domain=name):
                self.assertGreater(domain["malloc"], 0)
                self.assertGreater(domain["free"], 0)
                self.assertGreaterEqual(domain["taken_bytes"], domain["asked_bytes"])
                self.assertLess(domain["taken_bytes"], 2 * domain["asked_bytes"] + 100000)
                self.assertGreaterEqual(domain["peak_block_bytes"], domain["block_bytes"])
                self.assertGreaterEqual(domain["peak_blocks"], domain["blocks"])
        for moment in "peak", "end", "after_clean_up":
            with self.subTest(moment=moment):
                snapshot = memory[moment]
                small = sum(each["blocks"] * each["block_size"] for each in snapshot["size_classes"])
                self.assertEqual(small + snapshot["large_bytes"], snapshot["block_bytes"])
                blocks = sum(each["blocks"] for each in snapshot["size_classes"])
                self.assertEqual(blocks + snapshot["large_blocks"], snapshot["blocks"])
                self.assertTrue(all(each["blocks"] <= each["capacity"] for each in snapshot["size_classes"]))
                self.assertLessEqual(snapshot["block_bytes"], snapshot["page_bytes"])
                self.assertLessEqual(snapshot["page_bytes"], snapshot["committed_bytes"])
                self.assertLessEqual(snapshot["committed_bytes"], memory["peak_committed_bytes"])
                self.assertLessEqual(snapshot["block_bytes"], memory["peak_block_bytes"])
        self.assertEqual(sum(each["blocks"] for each in domains.values()), memory["after_clean_up"]["blocks"])
        self.assertLess(memory["after_clean_up"]["blocks"], memory["end"]["blocks"])

    def test_follows_the_program(self):
        """100,000 strings of one size, dropped before the end, are seen at the peak and not at the end."""
        few = self.figures(self.python, "-c", "pass")
        many = self.figures(self.python, "-c", "kept = [str(i) for i in range(100000, 200000)]; del kept")
        self.assertAlmostEqual(many["memory"]["peak"]["blocks"] - few["memory"]["peak"]["blocks"], 100000, delta=10000)
        self.assertAlmostEqual(many["memory"]["end"]["blocks"], few["memory"]["end"]["blocks"], delta=1000)
        self.assertAlmostEqual(many["domains"]["obj"]["malloc"] - few["domains"]["obj"]["malloc"], 200000, delta=110000)
        self.assertGreater(many["memory"]["peak_block_bytes"], few["memory"]["peak_block_bytes"] + 100000 * 55)
        fill = [each["blocks"] / each["capacity"] for each in many["memory"]["peak"]["size_classes"] if each["blocks"] > 90000]
        self.assertEqual(len(fill), 1)
        self.assertGreater(fill[0], 0.9)

    def test_large_blocks(self):
        figures = self.figures(self.python, "-c", "kept = [bytes(10_000_000) for i in range(5)]; kept.clear()")
        self.assertGreaterEqual(figures["memory"]["peak_block_bytes"], 50_000_000)
        self.assertGreaterEqual(figures["memory"]["peak"]["large_bytes"], 48_000_000)
        self.assertLess(figures["memory"]["end"]["large_bytes"], 5_000_000)

    def test_threads(self):
        code = """if True:
            import threading
            def work():
                for i in range(50):
                    kept = [str(i) for i in range(1000)]
            threads = [threading.Thread(target=work) for i in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """
        figures = self.figures(self.python, "-c", code)
        self.assertGreater(figures["domains"]["obj"]["malloc"], 4 * 50 * 1000)
        # A block that a thread has freed at its very end may not have come home yet.
        left = sum(each["blocks"] for each in figures["domains"].values())
        self.assertAlmostEqual(left, figures["memory"]["after_clean_up"]["blocks"], delta=20)

    def test_tracemalloc(self):
        figures = self.figures(self.python, "-X", "tracemalloc", "-c", "kept = [str(i) for i in range(100000)]")
        self.assertGreater(figures["memory"]["peak"]["blocks"], 100000)


class Endings(Statistics, unittest.TestCase):
    ALLOCATE = "kept = [str(i) for i in range(300000)]\n"

    def check_alive(self, figures):
        """The program had its strings when it ended, and the figures know it."""
        self.assertTrue(figures["on_heapwright"])
        self.assertNotIn("after_clean_up", figures["memory"])
        self.assertGreater(figures["memory"]["peak"]["blocks"], 280000)
        self.assertGreater(figures["memory"]["end"]["blocks"], 230000)
        self.assertGreater(figures["domains"]["obj"]["malloc"], 300000)

    def test_killed(self):
        for number in 9, 11, 15:
            code = self.ALLOCATE + "import os; os.kill(os.getpid(), %d)" % number
            figures = self.figures(PYTHON, "-c", code, status=-number, cwd=self.folder)
            self.assertEqual(figures["signal"], number)
            self.check_alive(figures)

    def test_ended_without_clean_up(self):
        self.check_alive(self.figures(PYTHON, "-c", self.ALLOCATE + "import os; os._exit(3)", status=3))

    def test_replaced_by_another_program(self):
        figures = self.figures(PYTHON, "-c", self.ALLOCATE + "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", status=5)
        self.check_alive(figures)

    def test_exceptions(self):
        path = os.path.join(self.folder, "figures.json")
        for code, status in ("1/0", 1), ("import sys; sys.exit(4)", 4):
            heapwright("run", "--json", "--stats=" + path, PYTHON, "-c", code)
            with open(path) as file:
                figures = json.load(file)
            self.assertEqual(figures["exit_status"], status)
            self.assertIn("after_clean_up", figures["memory"])

    def test_children_do_not_count(self):
        """Neither a forked child nor another interpreter writes in the program's record."""
        alone = self.figures(PYTHON, "-c", "import os, subprocess, sys")
        code = """if True:
            import os, subprocess, sys
            if os.fork() == 0:
                kept = [str(i) for i in range(500000)]
                sys.exit(0)
            os.wait()
            subprocess.run([sys.executable, "-c", "kept = [str(i) for i in range(500000)]"], check=True)
        """
        figures = self.figures(PYTHON, "-c", code)
        self.assertLess(figures["memory"]["peak_block_bytes"], alone["memory"]["peak_block_bytes"] + 1_000_000)
        self.assertLess(figures["domains"]["obj"]["malloc"], alone["domains"]["obj"]["malloc"] + 100_000)
        self.assertIn("after_clean_up", figures["memory"])

    def test_nothing_is_left_behind(self):
        for code in "pass", "import os; os._exit(0)", "import os; print(os.listdir(os.environ['TMPDIR']))":
            scratch = os.path.join(self.folder, "scratch")
            os.makedirs(scratch, exist_ok=True)
            self.figures(PYTHON, "-c", code, env=environment(TMPDIR=scratch))
            self.assertEqual(os.listdir(scratch), [])
        heapwright("run", "--stats=/dev/null", "true", env=environment(TMPDIR=scratch))
        self.assertEqual(os.listdir(scratch), [])

    def test_not_on_heapwright(self):
        for words, variables, reason in (
                ([PYTHON, "-c", "pass"], {"PYTHONMALLOC": "malloc"}, "PYTHONMALLOC has chosen another one"),
                ([PYTHON, "-X", "dev", "-c", "pass"], {}, "development mode (-X dev) has chosen another one")):
            figures = self.figures(*words, env=environment(**variables))
            self.assertEqual((figures["on_heapwright"], figures["reason"]), (False, reason))
            self.assertNotIn("memory", figures)
        result = heapwright("run", "--stats", "true")
        self.assertIn("It did not run on heapwright: is neither a Python interpreter nor a .NET program", result.stderr.replace("'true' ", ""))
        wrapper = self.write("python3", "#!/bin/sh\nexit 0\n", 0o755)
        self.assertIn("no Python interpreter came to run", self.figures(wrapper)["reason"])


class Output(Statistics, unittest.TestCase):
    def test_for_people(self):
        result = heapwright("run", "--stats", PYTHON, "-c", "kept = [str(i) for i in range(100000)]; print('out')")
        self.assertEqual((result.returncode, result.stdout), (0, "out\n"))
        lines = result.stderr.splitlines()
        self.assertRegex(lines[0], r"^heapwright \d+\.\d+\.\d+: ")
        self.assertLessEqual(max(map(len, lines)), 100)
        for pattern in (r"program +\S*python", r"python +3\.\d+\.\d+, /", r"end +exit status 0",
                        r"in blocks in use +[\d.]+ MiB +[\d.]+ MiB +", r"taken from the system +[\d.]+ MiB ",
                        r"given back to the system so far +", r"blocks in use +1\d\d,\d{3} +",
                        r"raw +[\d,]+ ", r"mem +[\d,]+ ", r"obj +[\d,]+ ", r"all +[\d,]+ ",
                        r"64 +[\d,]+ +[\d,]+ +[\d,]+ +[\d.]+ \w+ +[\d.]+ %", r"large +[\d,]+ "):
            self.assertTrue(any(re.match(" *" + pattern, line) for line in lines), (pattern, result.stderr))

    def test_to_a_file(self):
        path = os.path.join(self.folder, "figures.txt")
        result = heapwright("run", "--stats=" + path, PYTHON, "-c", "pass")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        with open(path) as file:
            self.assertIn("what the memory of this program did", file.read())

    def test_json_alone(self):
        result = heapwright("run", "--json", PYTHON, "-c", "pass")
        self.assertTrue(json.loads(result.stderr)["on_heapwright"])

    def test_a_file_that_cannot_be_written(self):
        result = heapwright("run", "--stats=/no/such/folder/x", PYTHON, "-c", "print('ran')")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr, "heapwright: cannot write '/no/such/folder/x': No such file or directory\n")

    def test_no_place_for_the_record(self):
        result = heapwright("run", "--stats", PYTHON, "-c", "print('ran')", env=environment(TMPDIR="/no/such/folder"))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^heapwright: cannot make a file in /no/such/folder for the statistics: .*\n$")

    def test_a_full_device(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        result = heapwright("run", "--stats=/dev/full", PYTHON, "-c", "pass")
        self.assertEqual((result.returncode, result.stderr), (0, "heapwright: cannot write the statistics: No space left on device\n"))

    def test_two_at_once(self):
        words = [TOOL, "run", "--json", PYTHON, "-c", "kept = [str(i) for i in range(%d)]"]
        processes = [subprocess.Popen([*words[:-1], words[-1] % n], stderr=subprocess.PIPE, env=environment()) for n in (1000, 200000)]
        few, many = [json.loads(process.communicate()[1])["memory"]["peak"]["blocks"] for process in processes]
        self.assertGreater(many, few + 150000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
