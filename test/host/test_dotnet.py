"""`heapwright run` with .NET programs: what is run, what is refused, what children see, and the figures."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

from support import Folder, doctor, environment, heapwright, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dotnet"))
from build import NoSdk, build, publish  # noqa: E402

PROJECT = '''<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
<ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>'''

PROGRAM = '''
using System.Diagnostics;
bool ours = GC.GetConfigurationVariables().Values.Any(each => each is string text && text.StartsWith("heapwright"));
switch (args.FirstOrDefault())
{
case "words":
    Console.WriteLine(string.Join("|", args));
    break;
case "child":
    var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "env" } };
    Process.Start(start)!.WaitForExit();
    break;
case "again":
    Process.Start(new ProcessStartInfo("dotnet") { ArgumentList = { Environment.GetCommandLineArgs()[0] } })!.WaitForExit();
    break;
case "server":
    Console.WriteLine($"on heapwright {ours}, server {System.Runtime.GCSettings.IsServerGC}");
    break;
case "input":
    Console.Write(Console.In.ReadToEnd().ToUpperInvariant());
    break;
case "status":
    return int.Parse(args[1]);
case "throw":
    throw new InvalidOperationException("as it is");
case "kill":
    Process.Start("kill", ["-" + args[1], Environment.ProcessId.ToString()]).WaitForExit();
    Thread.Sleep(60000);
    break;
case "allocate":
    var kept = new List<object>();
    for (int i = 0; i < 200000; i++) if (i % 20 == 0) kept.Add(new byte[100]); else GC.KeepAlive(new byte[100]);
    for (int i = 0; i < 3; i++) GC.Collect();
    Console.WriteLine(kept.Count);
    break;
default:
    Console.WriteLine($"on heapwright {ours}");
    break;
}
return 0;
'''

HERE = os.path.join(os.path.dirname(os.path.abspath(doctor()["preload"])), "..", "..", "test", "host-dotnet")


SOURCE = os.path.join(HERE, "source")


def built():
    """The program, built once in the build directory; what cannot be built here is skipped."""
    os.makedirs(SOURCE, exist_ok=True)
    for name, content in ("program.csproj", PROJECT), ("program.cs", PROGRAM):
        path = os.path.join(SOURCE, name)
        if not os.path.exists(path) or open(path).read() != content:
            with open(path, "w") as file:
                file.write(content)
    return build(SOURCE, os.path.join(HERE, "built"))


try:
    DLL = built()
except NoSdk as reason:
    print("skipped: %s" % reason)
    sys.exit(77)
APPHOST = DLL[:-len(".dll")]
CONFIGURATION = APPHOST + ".runtimeconfig.json"
WAYS = [("run",), ("run", "--stats=/dev/null")]


def dotnet_environment(**changes):
    return environment(**{**{name: None for name in os.environ if name.startswith(("DOTNET_", "COMPlus_"))}, **changes})


def ours(*words, env=None, **options):
    return heapwright(*words, env=env or dotnet_environment(), **options)


class Copies(Folder):
    def copy(self, change=None):
        """The program, in a folder of its own, with another configuration."""
        for path in DLL, APPHOST:
            shutil.copy(path, self.folder)
        with open(CONFIGURATION) as file:
            configuration = json.load(file)
        if change is not None:
            change(configuration["runtimeOptions"])
        with open(os.path.join(self.folder, os.path.basename(CONFIGURATION)), "w") as file:
            json.dump(configuration, file)
        return os.path.join(self.folder, "program.dll"), os.path.join(self.folder, "program")


class Programs(unittest.TestCase):
    def test_on_heapwright(self):
        for words in [DLL], [APPHOST], ["dotnet", DLL], ["--dotnet", shutil.which("dotnet"), DLL], ["--gc=auto", APPHOST]:
            for way in WAYS:
                with self.subTest(words=words, way=way):
                    result = ours(*way, *words)
                    self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "on heapwright True\n", ""))

    def test_stock(self):
        for words, changes in (["--gc=stock", DLL], {}), (["--gc=stock", APPHOST], {}), ([DLL], {"HEAPWRIGHT_GC": "stock"}):
            for way in WAYS:
                with self.subTest(words=words, way=way):
                    result = ours(*way, *words, env=dotnet_environment(**changes))
                    self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "on heapwright False\n", ""))

    def test_words_streams_and_statuses(self):
        for way in WAYS:
            with self.subTest(way=way):
                result = ours(*way, DLL, "words", "a b", "", "--stats", "-m", "\u00e9")
                self.assertEqual((result.stdout, result.stderr), ("words|a b||--stats|-m|\u00e9\n", ""))
                self.assertEqual(ours(*way, APPHOST, "input", stdin="line\n" * 10000).stdout, "LINE\n" * 10000)
                for status in 0, 1, 42, 255:
                    self.assertEqual(ours(*way, DLL, "status", str(status)).returncode, status)

    def test_exceptions_and_signals(self):
        for way in WAYS:
            with self.subTest(way=way):
                result = ours(*way, DLL, "throw")
                self.assertEqual(result.returncode, -signal.SIGABRT)
                self.assertIn("System.InvalidOperationException: as it is", result.stderr)
                self.assertEqual(ours(*way, DLL, "kill", "KILL").returncode, -signal.SIGKILL)
                stock = run(APPHOST, "kill", "TERM", env=dotnet_environment())
                self.assertEqual(ours(*way, APPHOST, "kill", "TERM").returncode, stock.returncode)

    def test_children_know_nothing_of_it(self):
        for way in WAYS:
            for program in DLL, APPHOST:
                with self.subTest(way=way, program=program):
                    result = ours(*way, program, "child")
                    self.assertEqual(result.returncode, 0)
                    names = [line.split("=")[0] for line in result.stdout.splitlines()]
                    self.assertIn("PATH", names)
                    self.assertFalse({"DOTNET_GCPath", "LD_PRELOAD", "HEAPWRIGHT_RECORD"} & set(names), result.stdout)
                    self.assertEqual(ours(*way, program, "again").stdout, "on heapwright False\n")

    def test_what_else_is_preloaded_stays(self):
        other = "/usr/lib/no-such-object.so"
        result = ours("run", DLL, "child", env=dotnet_environment(LD_PRELOAD=other))
        self.assertIn("LD_PRELOAD=" + other, result.stdout.splitlines())

    def test_through_a_shell(self):
        """What only inherits the preloading passes it on."""
        script = os.path.join(HERE, "dotnet")
        with open(script, "w") as file:
            file.write("#!/bin/sh\nexec %s \"$@\"\n" % shutil.which("dotnet"))
        os.chmod(script, 0o755)
        self.assertEqual(ours("run", "--dotnet", script, DLL).stdout, "on heapwright True\n")

    def test_the_sdk(self):
        result = ours("run", "dotnet", "--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^10\.")


class Server(Copies, unittest.TestCase):
    """Programs that ask for the server's collector get the one that there is, and a line."""

    def check(self, program, env, inherited):
        for way in WAYS:
            with self.subTest(program=program, way=way):
                result = ours(*way, program, "server", env=env)
                self.assertEqual((result.returncode, result.stdout), (0, "on heapwright True, server False\n"))
                self.assertRegex(result.stderr, r"\Aheapwright: [^\n]*asks for the server's collector[^\n]*DOTNET_gcServer=0\n\Z")
                words = [line for line in ours(*way, program, "child", env=env).stdout.splitlines() if "server" in line.lower()]
                self.assertEqual(words, inherited)

    def test_by_configuration(self):
        for value in True, "true":
            for program in self.copy(lambda options: options["configProperties"].update({"System.GC.Server": value})):
                self.check(program, dotnet_environment(), [])
                for way in WAYS:
                    result = ours(*way, program, "server", env=dotnet_environment(DOTNET_gcServer="0"))
                    self.assertEqual((result.stdout, result.stderr), ("on heapwright True, server False\n", ""))
        self.assertEqual(ours("run", "--gc=stock", program, "server").stderr, "")

    def test_by_variable(self):
        self.check(DLL, dotnet_environment(DOTNET_gcServer="1"), ["DOTNET_gcServer=1"])
        self.check(DLL, dotnet_environment(COMPlus_gcServer="1"), ["COMPlus_gcServer=1"])

    def test_without_the_tool(self):
        """Then it is the same collector, and the runtime takes itself for a server's."""
        library = os.path.join(os.path.dirname(doctor()["preload"]), "libheapwright-dotnet.so")
        result = run("dotnet", DLL, "server", env=dotnet_environment(DOTNET_gcServer="1", DOTNET_GCPath=library))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "on heapwright True, server True\n", ""))


class Deployments(Copies, unittest.TestCase):
    def check(self, program):
        for way in WAYS:
            result = ours(*way, program)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "on heapwright True\n", ""))
        path = os.path.join(self.folder, "figures.json")
        ours("run", "--json", "--stats=" + path, program, "allocate")
        with open(path) as file:
            figures = json.load(file)
        self.assertTrue(figures["on_heapwright"])
        self.assertRegex(figures["dotnet"]["version"], r"^10\.0")
        words = [line.split("=")[0] for line in ours("run", program, "child").stdout.splitlines()]
        self.assertFalse({"DOTNET_GCPath", "LD_PRELOAD", "HEAPWRIGHT_RECORD"} & set(words))

    def test_self_contained(self):
        """What the SDK makes of one: the files of the runtime beside the program, and a configuration that says so."""
        root = os.path.dirname(os.path.realpath(shutil.which("dotnet")))
        runtime, = [each for each in json.loads(ours("doctor", "--json").stdout)["runtimes"]["dotnet"]["versions"] if each["on_heapwright"]][-1:]

        def include(options):
            del options["framework"]
            options["includedFrameworks"] = [{"name": "Microsoft.NETCore.App", "version": runtime["version"]}]
        _, apphost = self.copy(include)
        for folder in runtime["folder"], os.path.join(root, "host", "fxr", runtime["version"]):
            for name in os.listdir(folder):
                os.symlink(os.path.join(folder, name), os.path.join(self.folder, name))
        self.check(apphost)

    def test_self_contained_of_another_version(self):
        _, apphost = self.copy(lambda options: options.update(includedFrameworks=[{"name": "Microsoft.NETCore.App", "version": "9.0.1"}]))
        result = ours("run", apphost)
        self.assertEqual(result.returncode, 2)
        self.assertIn("runs on .NET 9.0.1", result.stderr)

    def single_file(self, self_contained):
        try:
            return publish(SOURCE, os.path.join(HERE, "single-" + ("whole" if self_contained else "small")), self_contained)
        except subprocess.CalledProcessError as error:
            self.skipTest("no single file can be built here: " + next(line for line in error.output.splitlines() if "error" in line))

    def test_single_file(self):
        self.check(self.single_file(False))

    def test_single_file_with_its_runtime(self):
        self.check(self.single_file(True))


class Refused(Copies, unittest.TestCase):
    """One line, status 2, and the program is not run."""

    def check(self, line, *words, env=None):
        for way in WAYS:
            with self.subTest(way=way, words=words):
                result = ours(*way, *words, env=env)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertRegex(result.stderr, r"\Aheapwright: [^\n]*%s[^\n]*\n\Z" % line)

    def test_not_there(self):
        self.check("cannot find 'no-such.dll'", "no-such.dll")

    def test_not_managed(self):
        self.check("is not a .NET program", self.write("text.dll", "text"))
        self.check("is not a .NET program", self.write("empty.dll", ""))

    def test_no_configuration(self):
        dll, apphost = self.copy()
        os.unlink(os.path.join(self.folder, os.path.basename(CONFIGURATION)))
        self.check("so it is a library and not a program", dll)
        self.check("so it is a library and not a program", apphost)

    def test_no_program_beside_its_executable(self):
        _, apphost = self.copy()
        os.unlink(os.path.join(self.folder, "program.dll"))
        self.check("but there is no '.*program.dll'", apphost)

    def test_a_broken_configuration(self):
        dll, _ = self.copy()
        self.write(os.path.basename(CONFIGURATION), "{")
        self.check("is not the configuration of a .NET program", dll)

    def test_no_dotnet(self):
        self.check("cannot find 'dotnet', which runs", DLL, env=dotnet_environment(PATH=self.folder))
        self.check("cannot find 'no-such-dotnet', which runs", "--dotnet", "no-such-dotnet", DLL)

    def test_another_version(self):
        def framework(version, **more):
            return lambda options: options.update(framework={"name": "Microsoft.NETCore.App", "version": version, **more})
        for version in "8.0.0", "10.99.0", "99.0.0":
            dll, apphost = self.copy(framework(version))
            self.check("needs Microsoft.NETCore.App %s, which is not installed" % version, dll)
            self.check("needs Microsoft.NETCore.App %s, which is not installed" % version, apphost)
        dll, _ = self.copy(framework("8.0.0", rollForward="Major"))
        self.assertEqual(ours("run", dll).stdout, "on heapwright True\n")
        dll, _ = self.copy(framework("8.0.0"))
        self.assertEqual(ours("run", dll, env=dotnet_environment(DOTNET_ROLL_FORWARD="Major")).stdout, "on heapwright True\n")

    def test_a_runtime_that_is_not_known(self):
        root = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(root, "shared", "Microsoft.NETCore.App", "11.0.2"))
        dotnet = self.write(os.path.join("root", "dotnet"), "#!/bin/sh\necho ran\n", 0o755)
        dll, apphost = self.copy(lambda options: options["framework"].update(version="11.0.0"))
        self.check(r"runs on \.NET 11\.0\.2, and heapwright is only known to work with \.NET 10\.0", "--dotnet", dotnet, dll)
        self.check(r"runs on \.NET 11\.0\.2", apphost, env=dotnet_environment(DOTNET_ROOT=root, DOTNET_ROOT_X64=None))
        self.assertEqual(ours("run", "--gc=stock", "--dotnet", dotnet, dll).stdout, "ran\n")

    def test_comments_in_the_configuration(self):
        dll, _ = self.copy()
        path = os.path.join(self.folder, os.path.basename(CONFIGURATION))
        with open(path) as file:
            text = file.read()
        self.write(os.path.basename(path), "// a comment\n/* and another */" + text)
        self.assertEqual(ours("run", dll).stdout, "on heapwright True\n")

    def test_collectors_of_pythons(self):
        for gc in "beside", "inplace":
            self.check("--gc=%s is for Python programs" % gc, "--gc=" + gc, DLL)

    def test_commands_that_start_another_program(self):
        self.check("'dotnet run' builds a program and starts it", "dotnet", "run")

    def test_no_library(self):
        libraries = os.path.dirname(doctor()["preload"])
        shutil.copy(os.path.join(libraries, "libheapwright-preload.so"), self.folder)
        self.check("cannot find libheapwright-dotnet.so", DLL, env=dotnet_environment(HEAPWRIGHT_LIBDIR=self.folder))


class Figures(Folder, unittest.TestCase):
    def figures(self, *words, status=0):
        path = os.path.join(self.folder, "figures.json")
        result = ours("run", "--json", "--stats=" + path, *words)
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        with open(path) as file:
            return json.load(file)

    def test_sense(self):
        for program in DLL, APPHOST:
            figures = self.figures(program, "allocate")
            self.assertEqual((figures["on_heapwright"], figures["exit_status"], figures["collector"]), (True, 0, "auto"))
            self.assertRegex(figures["dotnet"]["version"], r"^10\.0\.\d+$")
            self.assertTrue(figures["dotnet"]["runtime"].endswith("/libcoreclr.so"))
            collections = figures["collections"]
            self.assertEqual((collections["generation2"], collections["induced"]), (3, 3))
            all_of_them = sum(collections["generation%d" % generation] for generation in range(3))
            self.assertEqual(figures["pauses"]["count"], all_of_them)
            self.assertTrue(0 < figures["pauses"]["longest_seconds"] <= figures["pauses"]["seconds"] < 60)
            memory = figures["memory"]
            self.assertGreater(memory["allocated_bytes"], 200000 * 124)
            self.assertGreater(memory["object_bytes"], 10000 * 124)
            self.assertLessEqual(memory["object_bytes"], memory["peak_object_bytes"])
            self.assertLessEqual(memory["committed_bytes"], memory["peak_committed_bytes"])
            self.assertLessEqual(memory["object_bytes"], memory["committed_bytes"])
            self.assertGreater(figures["handles"]["normal"], 0)
            self.assertGreater(figures["finalizers"]["registered"], 0)

    def test_killed(self):
        figures = self.figures(DLL, "kill", "KILL", status=-9)
        self.assertEqual((figures["on_heapwright"], figures["signal"]), (True, 9))

    def test_stock(self):
        figures = self.figures("--gc=stock", DLL)
        self.assertEqual((figures["on_heapwright"], figures["collector"]), (False, "stock"))
        self.assertIn("--gc=stock", figures["reason"])

    def test_children_do_not_count(self):
        self.assertLess(self.figures(DLL, "again")["memory"]["allocated_bytes"], 10_000_000)

    def test_for_people(self):
        result = ours("run", "--stats", DLL, "allocate")
        self.assertEqual((result.returncode, result.stdout), (0, "10000\n"))
        lines = result.stderr.splitlines()
        self.assertLessEqual(max(map(len, lines)), 100)
        for pattern in (r"  program  dotnet ", r"  dotnet   10\.0\.\d+, /", r"  end      exit status 0$", r"collections +\d+ +\d+ +3 +\d+$",
                        r"asked for by the program +3$", r"the longest +\d+\.\d{3} ms$", r"in objects +[\d.]+ MiB +[\d.]+ MiB$",
                        r"taken from the system +[\d.]+ MiB +[\d.]+ MiB$", r"handles  \d+ weak, "):
            with self.subTest(pattern=pattern):
                self.assertTrue(any(re.match(pattern, line) for line in lines), result.stderr)

    def test_nothing_is_left_behind(self):
        scratch = os.path.join(self.folder, "scratch")
        os.makedirs(scratch)
        ours("run", "--stats=/dev/null", DLL, env=dotnet_environment(TMPDIR=scratch, DOTNET_EnableDiagnostics="0"))
        self.assertEqual([name for name in os.listdir(scratch) if name.startswith("heapwright")], [])


class Doctor(unittest.TestCase):
    def test_runtimes(self):
        listed = run(shutil.which("dotnet"), "--list-runtimes", env=dotnet_environment()).stdout
        wanted = {line.split()[1] for line in listed.splitlines() if line.startswith("Microsoft.NETCore.App ")}
        found = json.loads(ours("doctor", "--json").stdout)["runtimes"]["dotnet"]
        self.assertTrue(found["found"])
        self.assertEqual({each["version"] for each in found["versions"]}, wanted)
        for each in found["versions"]:
            self.assertEqual(each["on_heapwright"], each["version"].startswith("10.0."))
            self.assertTrue(os.path.isdir(each["folder"]))
        self.assertEqual(found["supported"], any(each["on_heapwright"] for each in found["versions"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
