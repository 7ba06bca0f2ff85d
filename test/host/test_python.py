"""Python on heapwright, by every interpreter of this machine: what a program can notice is what it would notice on the stock
allocator, and the allocator is ours."""
import os
import textwrap
import unittest

from support import ON_HEAPWRIGHT, Folder, environment, for_each_interpreter, heapwright, run


class OnPython(Folder):
    def run_on(self, *words, **options):
        return heapwright("run", self.python, *words, **options)

    def check(self, code, *flags, **options):
        """Runs code that asserts things; it must end well and say nothing."""
        code = ON_HEAPWRIGHT + textwrap.dedent(code)
        result = self.run_on(*flags, self.write("checked.py", code), **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout


@for_each_interpreter(globals())
class Start(OnPython):
    """Every way to start an interpreter."""

    CODE = ON_HEAPWRIGHT + "print(on_heapwright())"

    def assert_ours(self, result):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "True\n", ""))

    def test_script(self):
        self.assert_ours(self.run_on(self.write("a script.py", self.CODE)))

    def test_command(self):
        self.assert_ours(self.run_on("-c", self.CODE))

    def test_standard_input(self):
        self.assert_ours(self.run_on(stdin=self.CODE))
        self.assert_ours(self.run_on("-", stdin=self.CODE))

    def test_module(self):
        self.write("a_module.py", self.CODE)
        self.assert_ours(self.run_on("-m", "a_module", cwd=self.folder))
        self.assert_ours(heapwright("run", "--python", self.python, "-m", "a_module", cwd=self.folder))

    def test_isolated(self):
        for flags in ["-I"], ["-S"], ["-E"], ["-I", "-S", "-E"], ["-B", "-OO", "-q"]:
            with self.subTest(flags=flags):
                self.assert_ours(self.run_on(*flags, "-c", self.CODE))

    def test_virtual_environment(self):
        place = os.path.join(self.folder, "venv")
        made = self.run_on("-m", "venv", "--without-pip", place)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        code = ON_HEAPWRIGHT + "import sys; print(on_heapwright(), sys.prefix != sys.base_prefix, sys.prefix)"
        python = os.path.join(place, "bin", "python")
        result = heapwright("run", python, "-c", code)
        self.assertEqual((result.stdout, result.stderr), ("True True %s\n" % place, ""))
        by_path = heapwright("run", "--python", python, self.write("x.py", code))
        self.assertEqual(by_path.stdout, result.stdout)

    def test_child_by_executable(self):
        self.check("""
            import subprocess, sys
            assert on_heapwright()
            code = open(__file__).read().split("import subprocess")[0] + "print(on_heapwright())"
            for words in [sys.executable, "-c", code], [sys.executable, "-I", "-c", code]:
                child = subprocess.run(words, capture_output=True, text=True)
                assert (child.stdout, child.stderr) == ("True\\n", ""), child
        """)

    def test_child_with_cleaned_environment(self):
        """Such a child is on its own allocator: nothing is said about it."""
        self.check("""
            import subprocess, sys
            child = subprocess.run([sys.executable, "-c", "import sys; sys._debugmallocstats()"], env={}, capture_output=True)
            assert child.returncode == 0 and b"heapwright" not in child.stderr
        """)

    def test_multiprocessing(self):
        self.check("""
            import multiprocessing
            def work(n):
                return on_heapwright(), sum(len(str(i)) for i in range(n))
            if __name__ == "__main__":
                for method in "fork", "spawn", "forkserver":
                    with multiprocessing.get_context(method).Pool(2) as pool:
                        assert pool.map(work, [100000] * 4) == [(True, 488890)] * 4, method
        """, "-W", "ignore")

    def test_wrapper(self):
        """A shell script that ends in the interpreter, as version managers put on PATH."""
        self.write("python3", '#!/bin/sh\nexec "%s" "$@"\n' % self.python, 0o755)
        script = self.write("x.py", self.CODE)
        path = self.folder + ":" + os.environ["PATH"]
        self.assert_ours(heapwright("run", script, env=environment(PATH=path)))
        self.assert_ours(heapwright("run", "python3", script, env=environment(PATH=path)))
        self.assert_ours(heapwright("run", os.path.join(self.folder, "python3"), script))

    def test_same_as_stock(self):
        """Output, errors and exit status of runs that end early, or badly."""
        words = [["--version"], ["-VV"], ["--help"], ["-?"], ["--no-such-option"], ["-c"], ["-m", "no_such_module"], ["no-such-file.py"],
                 ["-c", "raise SystemExit(5)"], ["-c", "import sys; sys.exit('words')"], ["-c", "1/0"], ["-c", "syntax error"],
                 ["-c", "import os; os._exit(7)"], ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT)"],
                 ["-c", "import os; os.abort()"], ["-c", "import atexit; atexit.register(print, 'end')"],
                 ["-X", "no_such", "-c", "pass"], ["-X", "utf8=2", "-c", "pass"], ["-W", "error", "-c", "pass"],
                 ["-c", "import sys; print(sys.argv, sys.orig_argv, sys.executable, sys.flags)", "a b", ""]]
        for each in words:
            with self.subTest(words=each):
                stock, ours = run(self.python, *each), self.run_on(*each)
                self.assertEqual((ours.returncode, ours.stdout, ours.stderr), (stock.returncode, stock.stdout, stock.stderr))
        for variables in {"PYTHONMALLOC": "nonsense"}, {"PYTHONUTF8": "5"}, {"PYTHONHASHSEED": "x"}, {"PYTHONHOME": "/nonexistent"}:
            with self.subTest(variables=variables):
                env = environment(**variables)
                stock, ours = run(self.python, "-c", "pass", env=env), self.run_on("-c", "pass", env=env)
                self.assertEqual(ours.returncode, stock.returncode)
                self.assertEqual(ours.stderr.splitlines()[:1], stock.stderr.splitlines()[:1])


@for_each_interpreter(globals())
class Choice(OnPython):
    """An allocator that the user asks for wins."""

    CODE = ON_HEAPWRIGHT + textwrap.dedent("""
        try:
            import _testcapi
            name = _testcapi.pymem_getallocatorsname()
        except Exception:
            name = None
        print(on_heapwright(), name)
    """)

    def test_variable(self):
        for value, name in {"debug": "pymalloc_debug", "malloc": "malloc", "malloc_debug": "malloc_debug", "pymalloc": "pymalloc",
                            "pymalloc_debug": "pymalloc_debug", "default": "pymalloc"}.items():
            with self.subTest(PYTHONMALLOC=value):
                result = self.run_on("-c", self.CODE, env=environment(PYTHONMALLOC=value))
                self.assertIn(result.stdout, ("False %s\n" % name, "False None\n"))
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_ignored_variable(self):
        for flag in "-E", "-I":
            with self.subTest(flag=flag):
                result = self.run_on(flag, "-c", self.CODE, env=environment(PYTHONMALLOC="malloc"))
                self.assertEqual(result.stdout, "True None\n")

    def test_empty_variable(self):
        self.assertEqual(self.run_on("-c", self.CODE, env=environment(PYTHONMALLOC="")).stdout, "True None\n")

    def test_development_mode(self):
        for flags, variables in ((["-X", "dev"], {}), ([], {"PYTHONDEVMODE": "1"})):
            with self.subTest(flags=flags):
                result = self.run_on(*flags, "-c", self.CODE, env=environment(**variables))
                self.assertEqual((result.returncode, result.stdout.split()[0], result.stderr), (0, "False", ""))

    def test_strict(self):
        result = heapwright("run", "--strict", self.python, "-c", "print('ran')", env=environment(PYTHONMALLOC="malloc"))
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertRegex(result.stderr, r"^heapwright: Python 3\.\S+ cannot run on heapwright: PYTHONMALLOC has chosen another one\n$")


@for_each_interpreter(globals())
class Reports(OnPython):
    """What Python says about its memory."""

    def test_getallocatedblocks(self):
        self.check("""
            import sys
            from sys import getallocatedblocks
            before = getallocatedblocks()
            kept = [object() for i in range(50000)]
            during = sys.getallocatedblocks()
            del kept
            after = getallocatedblocks()
            assert type(before) is int and before > 1000
            assert 50000 <= during - before < 50100, (before, during)
            assert abs(after - before) < 100, (before, after)
            try:
                getallocatedblocks(1)
            except TypeError:
                pass
            else:
                raise AssertionError("an argument was taken")
        """)

    def test_debugmallocstats(self):
        stock = run(self.python, "-c", "import sys; sys._debugmallocstats()").stderr
        ours = self.run_on("-c", "import sys; sys._debugmallocstats()").stderr
        self.assertRegex(ours, r"^This Python runs on heapwright \d+\.\d+\.\d+\.\n")
        self.assertRegex(ours, r"\nSmall block threshold = \d+, in \d+ size classes\.\n")
        self.assertRegex(ours, r"\nDomains mem and obj: [1-9]\d* bytes in [1-9]\d* blocks in use, ")
        self.assertRegex(ours, r"\nDomain raw: [1-9]\d* bytes in [1-9]\d* blocks in use, ")
        for line in stock.splitlines():
            if line.split("*")[0].split()[1:3] == ["free", "PyDictObjects"]:
                self.assertIn("free PyDictObjects", ours)
        self.assertIn("TypeError", self.run_on("-c", "import sys; sys._debugmallocstats(True)").stderr)

    def test_tracemalloc(self):
        self.check("""
            import tracemalloc
            for i in range(3):
                tracemalloc.start(10)
                kept = [bytes(1000) for i in range(1000)]
                current, peak = tracemalloc.get_traced_memory()
                assert 1_000_000 < current <= peak < 1_300_000, (current, peak)
                assert len(tracemalloc.get_object_traceback(kept[500])) >= 1
                tracemalloc.take_snapshot().statistics("lineno")
                tracemalloc.stop()
                del kept
            assert on_heapwright()
        """)

    def test_tracemalloc_from_the_start(self):
        code = "import tracemalloc; assert tracemalloc.is_tracing(); assert tracemalloc.get_traced_memory()[0] > 10000; tracemalloc.stop()"
        for flags, variables in ((["-X", "tracemalloc=5"], {}), ([], {"PYTHONTRACEMALLOC": "5"})):
            result = self.run_on(*flags, "-c", code, env=environment(**variables))
            self.assertEqual((result.returncode, result.stderr), (0, ""))


@for_each_interpreter(globals())
class Interface(OnPython):
    """The allocator itself, called as an extension module calls it."""

    PRELUDE = '''
        import ctypes
        api, libc = ctypes.pythonapi, ctypes.CDLL(None)
        domains = {}
        for domain in "PyMem_Raw", "PyMem_", "PyObject_":
            functions = {}
            for name, result, arguments in (("Malloc", ctypes.c_void_p, [ctypes.c_size_t]),
                                            ("Calloc", ctypes.c_void_p, [ctypes.c_size_t] * 2),
                                            ("Realloc", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t]),
                                            ("Free", None, [ctypes.c_void_p])):
                function = getattr(api, domain + name)
                function.restype, function.argtypes = result, arguments
                functions[name.lower()] = function
            domains[domain] = functions
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    '''

    def check_domains(self, code):
        if run(self.python, "-c", "import ctypes").returncode != 0:
            self.skipTest("this interpreter has no ctypes")
        self.check(textwrap.dedent(self.PRELUDE) + "for domain, f in domains.items():\n"
                   + textwrap.indent(textwrap.dedent(code), "    "))

    def test_zero_bytes(self):
        self.check_domains("""
            blocks = [f["malloc"](0) for i in range(100)] + [f["calloc"](0, 8) for i in range(100)] + [f["realloc"](None, 0)]
            assert None not in blocks and len(set(blocks)) == 201
            blocks[0] = f["realloc"](blocks[0], 0)
            assert blocks[0]
            for block in blocks:
                f["free"](block)
            f["free"](None)
        """)

    def test_too_large(self):
        self.check_domains("""
            for size in 1 << 63, (1 << 63) + 5, (1 << 64) - 1, (1 << 63) - 1, 1 << 60:
                assert f["malloc"](size) is None and f["calloc"](1, size) is None and f["realloc"](None, size) is None
            assert f["calloc"](1 << 32, 1 << 33) is None
            block = f["malloc"](10)
            assert f["realloc"](block, 1 << 60) is None
            f["free"](block)
        """)

    def test_sizes(self):
        self.check_domains("""
            blocks = []
            for size in list(range(1, 600)) + [1000, 4096, 10000, 65536, 100000, 1 << 20, 5 << 20, 40 << 20]:
                block = f["malloc"](size)
                assert block % 16 == 0, (size, block)
                ctypes.memset(block, size % 251, size)
                blocks.append((block, size))
                block = f["calloc"](size, 1)
                assert block % 16 == 0 and not any(ctypes.string_at(block, size))
                f["free"](block)
            for block, size in blocks:
                assert ctypes.string_at(block, size) == bytes([size % 251]) * size
                f["free"](block)
        """)

    def test_realloc(self):
        self.check_domains("""
            block, held = f["malloc"](1), 1
            ctypes.memset(block, 77, 1)
            for size in [2, 16, 17, 100, 99, 600, 5000, 100000, 3 << 20, 20 << 20, 1 << 20, 4000, 40, 3, 0, 50]:
                block = f["realloc"](block, size)
                assert ctypes.string_at(block, min(size, held)) == b"M" * min(size, held)
                ctypes.memset(block, 77, size)
                held = size
            f["free"](block)
        """)

    def test_foreign_blocks(self):
        """What is not ours goes where it came from, as with the stock allocator."""
        self.check_domains("""
            for size in 10, 300, 100000:
                block = libc.malloc(size)
                ctypes.memset(block, 5, size)
                block = f["realloc"](block, 2 * size)
                assert ctypes.string_at(block, size) == bytes([5]) * size
                f["free"](block)
                f["free"](libc.malloc(size))
                raw = domains["PyMem_Raw"]["malloc"](size)
                ctypes.memset(raw, 6, size)
                raw = f["realloc"](raw, 3 * size)
                assert ctypes.string_at(raw, size) == bytes([6]) * size
                f["free"](raw)
        """)

    def test_memory_error(self):
        self.check("""
            for make in (lambda: bytearray(1 << 62), lambda: [0] * (1 << 58), lambda: "x" * (1 << 61), lambda: bytes(1 << 50)):
                try:
                    make()
                except MemoryError:
                    pass
                else:
                    raise AssertionError("no MemoryError")
        """)

    def test_memory_limit(self):
        """A program that meets the system's limit gets a MemoryError and goes on."""
        self.check("""
            import resource
            now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + (200 << 20), now + (200 << 20)))
            for size in 16 << 20, 40000, 400:
                kept = []
                try:
                    while True:
                        kept.append(bytearray(size))
                except MemoryError:
                    pass
                held = len(kept) * size
                kept.clear()
                assert 80 << 20 <= held <= 300 << 20, (size, held)
            assert len([str(i) for i in range(100000)]) == 100000
        """)


@for_each_interpreter(globals())
class Concurrency(OnPython):
    def test_threads(self):
        self.check("""
            import queue, threading
            handed = queue.Queue(100)
            def make():
                for i in range(30000):
                    handed.put([str(i), {"i": i}, (i, float(i))])
                handed.put(None)
            def take(results):
                total = 0
                while (item := handed.get()) is not None:
                    total += int(item[0]) + item[1]["i"] - item[2][0]
                results.append(total)
            results = []
            threads = [threading.Thread(target=make) for i in range(3)] + [threading.Thread(target=take, args=(results,)) for i in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert sum(results) == 3 * sum(range(30000))
            for i in range(200):
                thread = threading.Thread(target=lambda: [str(j) for j in range(1000)])
                thread.start()
                thread.join()
        """)

    def test_fork(self):
        self.check("""
            import os, threading
            stop = False
            def busy():
                while not stop:
                    [str(i) * 5 for i in range(1000)]
                    b"x" * 100000
            threads = [threading.Thread(target=busy) for i in range(3)]
            for thread in threads: thread.start()
            kept = {i: str(i) for i in range(20000)}
            for i in range(20):
                child = os.fork()
                if child == 0:
                    assert all(kept[i] == str(i) for i in kept)
                    kept.clear()
                    more = [[j] for j in range(20000)]
                    os._exit(0 if on_heapwright() else 1)
                assert os.waitpid(child, 0)[1] == 0
            stop = True
            for thread in threads: thread.join()
            child = os.fork()
            assert kept[19999] == "19999"
            if child:
                assert os.waitpid(child, 0)[1] == 0
        """, "-W", "ignore")

    def test_subinterpreters_under_one_lock(self):
        self.check("""
            import sys
            if sys.version_info < (3, 13):
                import _xxsubinterpreters as interpreters
                create = (lambda: interpreters.create(isolated=False)) if sys.version_info >= (3, 9) else interpreters.create
                run = interpreters.run_string
            else:
                import _interpreters as interpreters
                create, run = (lambda: interpreters.create("legacy")), interpreters.exec
            for i in range(5):
                one, other = create(), create()
                for each in one, other:
                    run(each, "import sys; kept = {str(i): [i] for i in range(20000)}; assert sys.getallocatedblocks() > 20000")
                interpreters.destroy(one)
                run(other, "assert kept['19999'] == [19999]")
                interpreters.destroy(other)
        """)

    def test_interpreters_with_locks_of_their_own(self):
        """From Python 3.12 on several interpreters allocate at the very same time."""
        if self.version < (3, 12):
            self.skipTest("Python %d.%d has one lock for all interpreters" % self.version)
        self.check("""
            import os, sys, threading
            if sys.version_info < (3, 13):
                import _xxsubinterpreters as interpreters
                create, run = interpreters.create, interpreters.run_string
            else:
                import _interpreters as interpreters
                create, run = (lambda: interpreters.create("isolated")), interpreters.exec
            work = '''if True:
                import os
                os.write({tell}, b"x")
                os.read({hear}, 1)
                for turn in range(8):
                    kept = {{str(i): [i, "y" * (i % 600), (i, float(i))] for i in range(30000)}}
                    for i in range(0, 30000, 3):
                        del kept[str(i)]
                    more = [bytes(i % 3000) for i in range(10000)]
                    assert all(value[0] == int(key) and len(value[1]) == value[0] % 600 for key, value in kept.items())
                    assert all(len(each) == i % 3000 and not any(each[:8]) for i, each in enumerate(more))
                os.write({done}, b"z")
            '''
            hear_one, tell_other = os.pipe()
            hear_other, tell_one = os.pipe()
            hear_done, done = os.pipe()
            works = [work.format(tell=tell_one, hear=hear_one, done=done), work.format(tell=tell_other, hear=hear_other, done=done)]
            made = [create(), create()]
            threads = [threading.Thread(target=run, args=pair) for pair in zip(made, works)]
            for thread in threads: thread.start()
            while any(thread.is_alive() for thread in threads):
                assert [str(i) for i in range(1000)][999] == "999"
            for thread in threads: thread.join()
            os.close(done)
            assert os.read(hear_done, 10) == b"zz"
            for each in made: interpreters.destroy(each)
            assert on_heapwright()
        """)


if __name__ == "__main__":
    unittest.main(verbosity=2)
