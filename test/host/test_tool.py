"""`heapwright run`: what a program sees of it (nothing), and what is said about programs that cannot run on heapwright."""
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import unittest

from support import ON_HEAPWRIGHT, TOOL, Folder, doctor, environment, heapwright, interpreters, run

PYTHON = interpreters()[0][1]
LIBRARIES = os.path.dirname(doctor()["preload"])
# Both ways to run a program: in the place of the tool, and as its child.
WAYS = ["run"], ["run", "--stats=/dev/null"]


class Tool(Folder, unittest.TestCase):
    def start(self, *words, **options):
        process = subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment(), **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()


class Transparency(Tool):
    def each_way(self, *words, **options):
        for way in WAYS:
            with self.subTest(way=way):
                yield heapwright(*way, *words, **options)

    def test_exit_status(self):
        for status in 0, 1, 3, 127, 255:
            for result in self.each_way(PYTHON, "-c", "import sys; sys.exit(%d)" % status):
                self.assertEqual((result.returncode, result.stdout, result.stderr), (status, "", ""))

    def test_killed_by_signal(self):
        for number in (signal.SIGTERM, signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT, signal.SIGINT, signal.SIGPIPE,
                       signal.SIGUSR1):
            code = ("import os, signal; signal.signal({0}, signal.SIG_DFL) if {0} != 9 else 0; os.kill(os.getpid(), {0})"
                    .format(int(number)))
            for result in self.each_way(PYTHON, "-c", code, cwd=self.folder):
                self.assertEqual((result.returncode, result.stderr), (-number, ""))

    def test_arguments(self):
        words = ["a b", "", "--stats", "-m", "--", "*", "'\"", "\u00e9\u4e2d"]
        script = self.write("arguments and spaces.py", "import sys; print(ascii(sys.argv))")
        for result in self.each_way(script, *words):
            self.assertEqual((result.stdout, result.stderr), (ascii([script] + words) + "\n", ""))

    def test_streams(self):
        code = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('words')"
        for result in self.each_way(PYTHON, "-c", code, stdin="line\n" * 50000):
            self.assertEqual((result.stdout, result.stderr), ("LINE\n" * 50000, "words"))

    def test_same_process(self):
        process = self.start("run", PYTHON, "-c", "import os; print(os.getpid())")
        self.assertEqual(process.communicate()[0], "%d\n" % process.pid)

    def test_environment(self):
        code = "import os; print(sorted(name for name in os.environ if name.startswith('HEAPWRIGHT_')))"
        for result in self.each_way("--strict", PYTHON, "-c", code):
            self.assertEqual(result.stdout, "[]\n")

    def test_other_preloaded_objects(self):
        code = "import os; print(os.environ['LD_PRELOAD'])"
        result = heapwright("run", PYTHON, "-c", code, env=environment(LD_PRELOAD="/usr/lib/no-such-object.so"))
        self.assertEqual(result.stdout, "%s:/usr/lib/no-such-object.so\n" % doctor()["preload"])

    def test_ignored_signals_stay_ignored(self):
        code = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, signal.pthread_sigmask(signal.SIG_BLOCK, []))"
        for result in self.each_way(PYTHON, "-c", code, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)):
            self.assertEqual(result.stdout, "True set()\n")


class Signals(Tool):
    """With statistics the tool stays, between whoever sends signals and the program."""

    SAY_AND_WAIT = "import signal, sys, time\n%s\nprint('ready', flush=True)\nwhile True: time.sleep(0.01)"

    def start_program(self, setup="", *options, **more):
        stats = "--stats=" + os.path.join(self.folder, "stats")
        process = self.start("run", stats, *options, PYTHON, "-c", self.SAY_AND_WAIT % setup, **more)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def child_of(self, process):
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as file:
            return int(file.read())

    def state_of(self, pid):
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def await_state(self, pid, states):
        deadline = time.monotonic() + 60
        while self.state_of(pid) not in states:
            self.assertLess(time.monotonic(), deadline, "process %d is in state %s" % (pid, self.state_of(pid)))
            time.sleep(0.01)

    def test_terminated(self):
        for number in signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2:
            with self.subTest(signal=number):
                process = self.start_program()
                process.send_signal(number)
                output, errors = process.communicate(timeout=60)
                self.assertEqual((process.returncode, output, errors), (-number, "", ""))
                with open(os.path.join(self.folder, "stats")) as file:
                    self.assertIn("killed by signal %d" % number, file.read())

    def test_handled(self):
        process = self.start_program("signal.signal(signal.SIGTERM, lambda *_: sys.exit(41))")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 41)

    def test_interrupted_at_the_terminal(self):
        """Ctrl-C reaches the program once, and the tool outlives it to print the summary."""
        main, terminal = pty.openpty()
        setup = ("count = [0]\ndef handler(*_): count[0] += 1; time.sleep(0.3); sys.exit(40 + count[0])\n"
                 "signal.signal(signal.SIGINT, handler)")

        def own_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(terminal), os.O_RDWR))

        process = self.start_program(setup, stdin=terminal, preexec_fn=own_terminal)
        os.write(main, b"\x03")
        self.assertEqual(process.wait(60), 41)
        os.close(main)
        os.close(terminal)
        with open(os.path.join(self.folder, "stats")) as file:
            self.assertIn("exit status 41", file.read())

    def test_stopped_and_continued(self):
        """In a process group of its own, since SIGTSTP stops nobody in a group that has lost its parent."""
        setup = "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))"
        process = self.start_program(setup, preexec_fn=os.setpgrp)
        child = self.child_of(process)
        for stop in (lambda: os.kill(child, signal.SIGSTOP)), (lambda: process.send_signal(signal.SIGTSTP)):
            stop()
            self.await_state(child, "T")
            self.await_state(process.pid, "T")
            process.send_signal(signal.SIGCONT)
            self.await_state(child, "SR")
            self.await_state(process.pid, "SR")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 7)


class Programs(Tool):
    """Which words mean which program."""

    CODE = ON_HEAPWRIGHT + "import sys; print(on_heapwright(), sys.argv[1:])"

    def assert_ours(self, result):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "True ['x', '-y']\n", ""))

    def test_script(self):
        self.assert_ours(heapwright("run", self.write("script.py", self.CODE), "x", "-y"))
        self.assert_ours(heapwright("run", "--python", PYTHON, self.write("script.py", self.CODE), "x", "-y"))
        self.assert_ours(heapwright("run", "--", "script.py", "x", "-y", cwd=self.folder))

    def test_executable_script(self):
        for line in "#!" + PYTHON, "#!%s -s" % PYTHON, "#!/usr/bin/env python3", "#! /usr/bin/env -S A=b python3 -s":
            with self.subTest(line=line):
                script = self.write("script", line + "\n" + self.CODE, 0o755)
                self.assert_ours(heapwright("run", script, "x", "-y"))
                self.assert_ours(heapwright("run", "script", "x", "-y", env=environment(PATH=self.folder + ":" + os.environ["PATH"])))

    def test_module(self):
        self.write("amodule.py", self.CODE)
        self.assert_ours(heapwright("run", "-m", "amodule", "x", "-y", cwd=self.folder))
        self.assert_ours(heapwright("run", "-mamodule", "x", "-y", cwd=self.folder))

    def test_link_to_the_interpreter(self):
        link = os.path.join(self.folder, "any name")
        os.symlink(PYTHON, link)
        self.assert_ours(heapwright("run", link, "-c", self.CODE, "x", "-y"))

    def test_not_found(self):
        for words, status, line in ((["no-such.py"], 2, "cannot find 'no-such.py'"),
                                    (["no-such-program"], 127, "cannot find 'no-such-program'"),
                                    (["/no/such/program"], 127, "cannot find '/no/such/program'"),
                                    (["--python", "no-such-python", "-m", "this"], 127, "cannot find 'no-such-python'"),
                                    ([self.folder], 126, "cannot execute '%s'" % self.folder),
                                    ([self.write("plain", "text")], 126, "cannot execute '%s/plain'" % self.folder)):
            for way in WAYS:
                with self.subTest(words=words, way=way):
                    result = heapwright(*way, *words)
                    self.assertEqual((result.returncode, result.stdout, result.stderr), (status, "", "heapwright: %s\n" % line))

    def test_misuse(self):
        for words in ([], ["run"], ["run", "--stats"], ["run", "--no-such-option", PYTHON], ["run", "--python"], ["run", "-m"],
                      ["no-such-command"], ["--no-such"]):
            with self.subTest(words=words):
                result = heapwright(*words)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertRegex(result.stderr, "^(heapwright: |Usage: heapwright)")

    def test_help_and_version(self):
        for words in ["--help"], ["run", "--help"], ["doctor", "--help"]:
            result = heapwright(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, "^Usage: heapwright")
            self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        result = heapwright("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^heapwright \d+\.\d+\.\d+\n$")


class Others(Tool):
    """Programs that cannot run on heapwright run as they are, after one line, or not at all."""

    def check(self, program, why, output=None, arguments=()):
        line = "heapwright: '%s' %s; it " % (program, why)
        for way in WAYS:
            with self.subTest(way=way):
                result = heapwright(*way, program, *arguments)
                self.assertEqual(result.stderr, line + "runs as it is\n")
                if output is not None:
                    self.assertEqual((result.returncode, result.stdout), (0, output))
                refused = heapwright(*way, "--strict", program, *arguments)
                self.assertEqual((refused.returncode, refused.stdout, refused.stderr), (2, "", line + "is not run (--strict)\n"))

    def test_another_kind_of_program(self):
        self.check(shutil.which("cat"), "is neither a Python interpreter nor a .NET program", "", ["/dev/null"])
        self.check(self.write("script", "#!/bin/sh\necho \"$LD_PRELOAD\" words\n", 0o755), "is neither a Python nor a .NET program", " words\n")
        self.check(self.write("nothing", "echo no first line\n", 0o755), "is neither a Python nor a .NET program", "no first line\n")
        self.check(self.write("empty", "", 0o755), "is neither a Python nor a .NET program")

    def test_statically_linked(self):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            self.skipTest("there is no C compiler to make a static program with")
        source = self.write("hello.c", '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
        program = os.path.join(self.folder, "python3-static")
        made = run(compiler, "-static", source, "-o", program)
        if made.returncode != 0:
            self.skipTest("no static program can be made here: " + made.stderr.strip().splitlines()[-1])
        self.check(program, "is statically linked as a whole, so nothing can be loaded into it", "hello\n")

    def test_another_processor(self):
        with open(PYTHON, "rb") as file:
            head = bytearray(file.read(4096))
        head[18] = 8  # MIPS
        program = self.write("python3-other", "", 0o755)
        with open(program, "wb") as file:
            file.write(head)
        result = heapwright("run", "--strict", program)
        why = "is made for another kind of processor than heapwright"
        self.assertEqual((result.returncode, result.stderr),
                         (2, "heapwright: '%s' %s; it is not run (--strict)\n" % (program, why)))

    def test_set_uid(self):
        for mode in 0o4755, 0o2755:
            program = os.path.join(self.folder, "cat")
            shutil.copy(shutil.which("cat"), program)
            os.chmod(program, mode)
            if os.stat(program).st_mode & 0o6000 == 0:
                self.skipTest("this system lets nobody make a set-uid program here")
            self.check(program, "is set-uid or set-gid, and nothing can be loaded into such a program", "", ["/dev/null"])


class Unsuitable(Tool):
    """Interpreters that heapwright leaves alone, played by a program that has what it takes to be known as one."""

    INTERPRETER = """
        #include <stdio.h>
        int Py_BytesMain(int argc, char **argv) { return argc && argv ? 0 : 1; }
        const char *Py_GetVersion(void) { return VERSION; }
        int main(int argc, char **argv) { puts("ran"); return Py_BytesMain(argc, argv); }
    """

    def check(self, version, why):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            self.skipTest("there is no C compiler to make an interpreter with")
        program = os.path.join(self.folder, "python3.x")
        made = run(compiler, '-DVERSION="%s"' % version, "-rdynamic", self.write("python.c", self.INTERPRETER), "-o", program)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        line = "^heapwright: Python %s %%s: %s\n$" % (version.split()[0], why)
        for way in WAYS:
            with self.subTest(way=way):
                result = heapwright(*way, program)
                self.assertEqual((result.returncode, result.stdout), (0, "ran\n"))
                self.assertRegex(result.stderr, line % "keeps its own allocator")
                refused = heapwright(*way, "--strict", program)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertRegex(refused.stderr, line % "cannot run on heapwright")

    def test_free_threaded(self):
        self.check("3.13.1 experimental free-threading build (main, Jan 1 2025)", "a free-threaded build cannot give its allocator away")

    def test_too_old(self):
        self.check("3.9.2 (default, Jan 1 2021)", "heapwright needs Python 3.10 or later")

    def test_unknown_version(self):
        self.check("3.99.0a1 (main, Jan 1 2090)", r"heapwright has no library for Python 3\.99; install its headers .*")

    def test_another_name(self):
        """What is not called python is not touched, whatever symbols it has."""
        compiler = shutil.which("cc")
        if compiler is None:
            self.skipTest("there is no C compiler to make a program with")
        program = os.path.join(self.folder, "embedding")
        run(compiler, '-DVERSION="3.9.2"', "-rdynamic", self.write("python.c", self.INTERPRETER), "-o", program)
        result = run(program, env=environment(LD_PRELOAD=doctor()["preload"]))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "ran\n", ""))


class MissingParts(Tool):
    """Heapwright installed without something that it needs."""

    def install(self, *libraries):
        os.makedirs(os.path.join(self.folder, "bin"))
        os.makedirs(os.path.join(self.folder, "lib", "heapwright"))
        shutil.copy(TOOL, os.path.join(self.folder, "bin", "heapwright"))
        for library in libraries:
            shutil.copy(os.path.join(LIBRARIES, library), os.path.join(self.folder, "lib", "heapwright"))
        return os.path.join(self.folder, "bin", "heapwright")

    def setUp(self):
        super().setUp()
        self.folder = os.path.realpath(self.folder)
        link = "/tmp/heapwright-test-%d" % os.getpid()
        os.rename(self.folder, link)
        self.addCleanup(os.rename, link, self.folder)
        self.folder = link

    def test_no_library_for_this_python(self):
        tool = self.install("libheapwright-preload.so")
        version = interpreters()[0][0]
        minor = version.rsplit(".", 1)[0]
        line = ("heapwright: Python %s %%s: heapwright has no library for Python %s; install its headers (Debian: apt-get install "
                "python%s-dev), then run 'make' in heapwright's sources\n" % (version, minor, minor))
        children = "import subprocess, sys; [subprocess.run([sys.executable, '-c', 'print(6)']) for i in range(3)]"
        for way in WAYS:
            with self.subTest(way=way):
                result = run(tool, *way, PYTHON, "-c", children)
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "6\n" * 3, line % "keeps its own allocator"))
                result = run(tool, *way, "--strict", PYTHON, "-c", children)
                self.assertEqual((result.returncode, result.stdout, result.stderr), (2, "", line % "cannot run on heapwright"))
        found = run(tool, "doctor")
        self.assertEqual(found.returncode, 1)
        self.assertIn("apt-get install python%s-dev" % minor, found.stdout)

    def test_a_library_that_cannot_be_loaded(self):
        tool = self.install("libheapwright-preload.so")
        minor = interpreters()[0][0].rsplit(".", 1)[0]
        self.write("lib/heapwright/libheapwright-cpython-%s.so" % minor, "not a library")
        result = run(tool, "run", PYTHON, "-c", "print(6)")
        self.assertEqual((result.returncode, result.stdout), (0, "6\n"))
        self.assertRegex(result.stderr, r"^heapwright: Python 3\S+ keeps its own allocator: .*libheapwright-cpython.*\n$")

    def test_no_libraries(self):
        tool = self.install()
        for words in ["run", PYTHON, "-c", "pass"], ["run", "--stats", PYTHON, "-c", "pass"]:
            result = run(tool, *words)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertRegex(result.stderr, r"^heapwright: cannot find libheapwright-preload\.so: .*\n$")
        self.assertEqual(run(tool, "doctor").returncode, 1)

    def test_installed(self):
        tool = self.install(*os.listdir(LIBRARIES))
        result = run(tool, "run", PYTHON, "-c", ON_HEAPWRIGHT + "print(on_heapwright())")
        self.assertEqual((result.stdout, result.stderr), ("True\n", ""))

    def test_named_folder(self):
        tool = self.install()
        result = run(tool, "run", PYTHON, "-c", ON_HEAPWRIGHT + "print(on_heapwright())", env=environment(HEAPWRIGHT_LIBDIR=LIBRARIES))
        self.assertEqual((result.stdout, result.stderr), ("True\n", ""))

    def test_a_folder_that_cannot_be_named(self):
        for name in "with space", "with:colon":
            folder = os.path.join(self.folder, name)
            shutil.copytree(LIBRARIES, folder)
            result = heapwright("run", PYTHON, "-c", "pass", env=environment(HEAPWRIGHT_LIBDIR=folder))
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertRegex(result.stderr, r"^heapwright: cannot use .*: the system's LD_PRELOAD allows no spaces and no colons in a path")


if __name__ == "__main__":
    assert sys.version_info >= (3, 9)
    unittest.main(verbosity=2)
