"""Collecting beside the program: that it works, that a child that fails costs nothing, and that a program does not notice it. Each test is a
program of beside_programs.py."""
import json
import os
import signal
import time
import unittest

from support import TOOL, Folder, environment, for_each_interpreter, heapwright, run

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "beside_programs.py")


def is_running(pid):
    """Whether a process has not ended; a zombie has."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Group:
    """A control group with a limit: its folder, made for a test. Raises unittest.SkipTest where none can be made."""

    def __init__(self, controller, first, second):
        """The limits are (name of a file, text) of the first and of the second version."""
        for root, limits in (os.path.join("/sys/fs/cgroup", controller), first), ("/sys/fs/cgroup", second):
            self.folder = os.path.join(root, "heapwright-test-%d" % os.getpid())
            try:
                os.mkdir(self.folder)
                for name, text in limits:
                    with open(os.path.join(self.folder, name), "w") as file:
                        file.write(text)
                return
            except OSError as error:
                reason = error
                self.remove()
        raise unittest.SkipTest("no control group of %s can be made here: %s" % (controller, reason))

    def remove(self):
        if os.path.isdir(self.folder):
            os.rmdir(self.folder)

    def enter(self):
        """In the process that is to be in it."""
        with open(os.path.join(self.folder, "cgroup.procs"), "w") as file:
            file.write("0")


@for_each_interpreter(globals())
class Beside(Folder):
    def start(self, words, hooks, mode, limit="0", **variables):
        """Recent objects are left to snapshots, unless the hooks say otherwise."""
        hooks = hooks if "round=" in hooks else hooks + ",round=1000000000"
        env = environment(HEAPWRIGHT_GC=mode, HEAPWRIGHT_GC_LIMIT=limit, HEAPWRIGHT_GC_TEST=hooks, **variables)
        return heapwright("run", self.python, PROGRAMS, *words, env=env, cwd=self.folder)

    def figures(self, *words, hooks="", mode="beside", **variables):
        """Runs a program, which must end well; what heapwright says that it did."""
        done = self.start(words, hooks, mode, **variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return json.loads(done.stdout)

    def test_collects(self):
        figures = self.figures("collects")
        self.assertGreaterEqual(figures["collected"], 20000)
        self.assertEqual(figures["revived"], 0)

    def test_one_at_a_time(self):
        self.figures("one_at_a_time", hooks="delay=20")

    def test_weak_references(self):
        self.assertGreater(self.figures("weak_references")["collected"], 0)

    def test_large_component(self):
        self.figures("large_component")

    def test_ceiling(self):
        self.assertGreaterEqual(self.figures("ceiling", hooks="delay=600")["waits"], 3)

    def test_explicit(self):
        self.figures("explicit", hooks="delay=50")

    def test_young(self):
        self.figures("young", limit="100000")

    def test_recent(self):
        self.figures("recent", limit="100000", hooks="round=100000")

    def test_recent_in_vain(self):
        self.figures("recent_in_vain", limit="100000", hooks="round=100000")

    def test_recent_is_old(self):
        self.figures("recent_is_old", hooks="round=1000")

    def test_untracks(self):
        if self.version >= (3, 14):
            self.skipTest("this Python does not untrack dicts")
        self.figures("untracks")

    def test_many_threads(self):
        self.figures("many_threads")

    def test_wrong(self):
        """A child that calls everything garbage: nothing that lives is taken."""
        figures = self.figures("collects", hooks="lies")
        self.assertGreater(figures["candidates"], figures["collected"])
        self.figures("stress", "2", hooks="lies")

    def test_no_child(self):
        figures = self.figures("survives", hooks="no-child")
        self.assertEqual((figures["snapshots"], list(figures["in_place"])), (0, ["no child could be made"]))

    def test_crash(self):
        self.figures("failing", "died", hooks="crash")

    def test_starves(self):
        self.figures("failing", "without_memory", hooks="starves")

    def in_group(self, group, mode, word):
        self.addCleanup(group.remove)
        env = environment(HEAPWRIGHT_GC=mode, HEAPWRIGHT_GC_LIMIT="0")
        done = run(TOOL, "run", self.python, PROGRAMS, word, env=env, preexec_fn=group.enter)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_memory_group(self):
        figures = self.in_group(Group("memory", [("memory.limit_in_bytes", "70M")], [("memory.max", "70M")]), "auto", "large")
        self.assertEqual(list(figures["in_place"]), ["there was no memory to spare"])

    def test_processor_group(self):
        figures = self.in_group(Group("cpu", [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "150000")],
                                      [("cpu.max", "150000 100000")]), "auto", "survives")
        self.assertEqual(list(figures["in_place"]), ["the program has one processor only"])

    def test_process_group(self):
        figures = self.in_group(Group("pids", [("pids.max", "1")], [("pids.max", "1")]), "beside", "survives")
        self.assertEqual(list(figures["in_place"]), ["no child could be made"])

    def test_filtered(self):
        self.assertEqual(list(self.figures("filtered", mode="auto")["in_place"]),
                         ["the program's processes or addresses are limited"])

    def test_slow(self):
        self.figures("failing", "slow", hooks="hang")

    def test_killed(self):
        self.figures("killed", hooks="delay=20")

    def test_process_limit(self):
        figures = self.figures("no_processes")
        self.assertEqual((figures["snapshots"], list(figures["in_place"])), (0, ["no child could be made"]))
        self.assertEqual(list(self.figures("no_processes", mode="auto")["in_place"]),
                         ["the program's processes or addresses are limited"])

    def test_address_limit(self):
        self.assertEqual(list(self.figures("no_addresses")["in_place"]), ["there was no memory to spare"])
        self.assertEqual(list(self.figures("no_addresses", mode="auto")["in_place"]),
                         ["the program's processes or addresses are limited"])

    def test_notices_nothing(self):
        self.figures("notices_nothing", hooks="delay=100")

    def test_pipe_ends(self):
        self.figures("pipe_ends", hooks="delay=5000")

    def test_forks(self):
        self.figures("forks", hooks="delay=100")

    def test_locks(self):
        self.figures("locks", os.path.join(self.folder, "file"), hooks="delay=200")

    def test_thread_ends(self):
        self.figures("thread_ends", hooks="delay=200")

    def test_exit(self):
        """The child ends with the program, however that ends, and holds no file of it open."""
        for how, status in ("exit", 0), ("_exit", 0), ("kill", -signal.SIGKILL):
            with self.subTest(how=how):
                start = time.monotonic()
                done = self.start(["exits", how], "hang", "beside")
                self.assertEqual((done.returncode, done.stderr), (status, ""))
                self.assertLess(time.monotonic() - start, 30)
                child = int(done.stdout.splitlines()[1])
                while is_running(child) and time.monotonic() - start < 30:
                    time.sleep(.01)
                self.assertFalse(is_running(child))

    def test_stress(self):
        figures = self.figures("stress", "3")
        self.assertGreater(figures["revived"], 100)

    def test_stress_recent(self):
        self.figures("stress", "3", "1", "recent_collected", hooks="round=300")

    def test_stress_unrecorded(self):
        """Without the record of freed blocks the same program goes wrong: the test above can fail."""
        done = self.start(["stress", "10"], "unrecorded", "beside")
        self.assertNotEqual(done.returncode, 0)

    def test_in_place(self):
        """When and why it is not done."""
        def why(mode, *words, **variables):
            return list(self.figures(*(words or ["survives"]), mode=mode, **variables)["in_place"])
        self.assertEqual(why("inplace"), ["in place was asked for"])
        self.assertEqual(why("beside", limit="1000000000"), ["the heap was small"])
        one = "taskset", "-c", str(min(os.sched_getaffinity(0)))
        env = environment(HEAPWRIGHT_GC="auto", HEAPWRIGHT_GC_LIMIT="0")
        done = run(*one, TOOL, "run", self.python, PROGRAMS, "survives", env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(json.loads(done.stdout)["in_place"]), ["the program has one processor only"])
        self.assertEqual(why("beside", PYTHONMALLOC="malloc"), ["the memory allocator is not heapwright's"])


if __name__ == "__main__":
    unittest.main()
