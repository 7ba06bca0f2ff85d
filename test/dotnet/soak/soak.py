#!/usr/bin/env python3
"""C# programs on heapwright's collector, for as long as one likes: soak.py mixed|server|build|ironpython [--minutes M]

  mixed   Soak/: loads of all kinds at once, which check what they keep (`--loads` names some of them)
  server  Server/: a server by ASP.NET, asked by a client in another process that checks every answer; and by wrk where it is installed
  build   `dotnet build` of a small solution, all its processes on the collector; the program built must do what it should
  ironpython   IronPython's console: the programs of examples/python that it can run, and Python/churn.py; each prints what it prints on the runtime's own collector.
          Its ipy.dll is in HEAPWRIGHT_IRONPYTHON, or it is installed from NuGet

The collector is heapwright's, from HEAPWRIGHT_DOTNET or the folder `build`; or `--collector stock`, or another by its path. Every process of a runtime is looked at: it
must have loaded that collector and no other. Ends with status 0 if all is well, 1 if not, 77 if it cannot be tried here.
"""

import argparse
import contextlib
import fcntl
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir, os.pardir))
RUNTIME, SKIPPED = 10, 77
GRACE = 300  # seconds that a program may take to end when its time is over
CLASSES = 20
LEAST_PYTHON = 4  # of the Python programs, which IronPython can run for certain
SDK_SETTINGS = ["-nodeReuse:false", "-property:UseSharedCompilation=false", "-nologo", "-verbosity:quiet"]


class Failed(Exception):
    """Something is wrong; the text says what."""


class Skipped(Exception):
    """It cannot be tried here; the text says why."""


class Runtime:
    """The command `dotnet`, and the environment that its programs get: nothing of what the user has set for .NET, and the collector."""

    def __init__(self, options):
        self.dotnet = shutil.which("dotnet")
        if not self.dotnet:
            raise Skipped(f"no command `dotnet`; this needs the .NET SDK {RUNTIME}")
        self.home = options.output
        os.makedirs(self.home, exist_ok=True)
        sdks = subprocess.run([self.dotnet, "--list-sdks"], env=self.environment(), capture_output=True, text=True, check=True).stdout
        if not any(line.startswith(f"{RUNTIME}.") for line in sdks.splitlines()):
            raise Skipped(f"{self.dotnet} has no SDK {RUNTIME}")
        self.collector = find_collector(options.collector)
        settings = {"DOTNET_GCPath": self.collector} if self.collector else {}
        self.settings = {**settings, **dict(setting.split("=", 1) for setting in options.set)}

    def environment(self, **settings):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.home, "LC_ALL": "C.UTF-8", "DOTNET_NOLOGO": "1", "DOTNET_CLI_HOME": self.home,
                "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_GENERATE_ASPNET_CERTIFICATE": "false", "DOTNET_gcServer": "0", **settings}

    def compile(self, name):
        """Builds one of the programs beside this file, on the runtime's own collector. Returns the command that runs it."""
        with open(os.path.join(self.home, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run at once share what is built
            done = subprocess.run([self.dotnet, "build", os.path.join(HERE, name, f"{name}.csproj"), "--configuration", "Release", "--artifacts-path", self.home, *SDK_SETTINGS],
                                  env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name} could not be built:\n{done.stdout}{done.stderr}")
        return [self.dotnet, os.path.join(self.home, "bin", name, "release", f"{name}.dll")]

    @contextlib.contextmanager
    def start(self, command, **options):
        """Starts a command on the collector; what of it and its children is left in the end is killed."""
        with subprocess.Popen(command, env=self.environment(**self.settings), stdin=subprocess.DEVNULL, start_new_session=True, text=True, **options) as process:
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def wait(self, process, seconds, what):
        """Waits for the end of a process and looks at the collectors meanwhile. Returns how many processes of a runtime there were."""
        end = time.monotonic() + seconds
        seen = set()
        while process.poll() is None:
            if time.monotonic() > end:
                raise Failed(f"{what} has not ended {GRACE} s after its time was over")
            seen |= self.runtimes(process.pid)
            time.sleep(0.05)
        if process.returncode != 0:
            how = f"ended with status {process.returncode}" if process.returncode > 0 else f"was ended by {signal.Signals(-process.returncode).name}"
            raise Failed(f"{what} {how}")
        if not seen:
            raise Failed(f"{what} was no program on the runtime")
        return len(seen)

    def runtimes(self, group):
        """The processes of a group in which managed code runs. Raises Failed if one has another collector than it should."""
        found = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) != group:
                    continue
                mapped = mapped_files(pid)
            except OSError:
                continue
            if any(path.endswith("/System.Runtime.dll") for path in mapped):  # the collector is there by then, which it is not while the runtime starts
                found.add(pid)
                others = {path for path in mapped if "libclrgc" in path or "libheapwright-dotnet" in path} - {self.collector}
                if others or (self.collector and self.collector not in mapped):
                    raise Failed(f"process {pid} runs on {', '.join(others) or 'the collector of the runtime'}")
        return found


def mapped_files(pid):
    """The files that a process has mapped. One that ends while it is asked names only some of them, and has none afterwards."""
    def lines():
        with open(f"/proc/{pid}/maps") as maps:
            return maps.readlines()
    mapped = {line.split(None, 5)[5].rstrip("\n") for line in lines() if line.count("/")}
    return mapped if lines() else set()


def find_collector(name):
    """The path of the collector, or None for that of the runtime."""
    if name == "stock":
        return None
    if name != "ours":
        if not os.path.exists(name):
            raise Failed(f"no collector {name}")
        return os.path.realpath(name)
    path = os.environ.get("HEAPWRIGHT_DOTNET") or os.path.join(TOP, "build", "lib", "heapwright", "libheapwright-dotnet.so")
    if not os.path.exists(path):
        raise Skipped(f"{path} is not built")
    return os.path.realpath(path)


def run_mixed(runtime, options):
    command = [*runtime.compile("Soak"), "mixed", "--minutes", str(options.minutes), "--seed", str(options.seed)]
    with runtime.start(command + (["--loads", options.loads] if options.loads else [])) as process:
        runtime.wait(process, 60 * options.minutes + GRACE, "the mixed load")


def run_server(runtime, options):
    server, client = runtime.compile("Server"), runtime.compile("Soak")
    with runtime.start(server, stdout=subprocess.PIPE) as serving:
        address = serving.stdout.readline().strip()
        if not address.startswith("http://"):
            raise Failed("the server does not start")
        ask = [*client, "client", address, "--seed", str(options.seed), "--minutes"]
        with runtime.start([*ask, str(options.minutes)]) as asking:
            runtime.wait(asking, 60 * options.minutes + GRACE, "the client")
        runtime.runtimes(serving.pid)
        run_wrk(address, options)
        # What it answers after that is checked once more; then it is to end by itself.
        with runtime.start([*ask, "0.02"]) as asking:
            runtime.wait(asking, GRACE, "the client after wrk")
        if serving.poll() is not None:
            raise Failed("the server ended before it was told to")
        serving.send_signal(signal.SIGTERM)
        runtime.wait(serving, GRACE, "the server")


def run_wrk(address, options):
    wrk = shutil.which("wrk")
    if not wrk:
        print("no wrk: the server is asked by the client only")
        return
    seconds = max(1, min(60, int(15 * options.minutes)))
    done = subprocess.run([wrk, "-t2", "-c32", f"-d{seconds}s", f"{address}/plain"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(done.stdout, end="")
    if done.returncode != 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Failed(f"wrk was not answered as it should be: {done.stderr}")


def run_build(runtime, options):
    end, builds, processes = time.monotonic() + 60 * options.minutes, 0, 0
    while builds == 0 or time.monotonic() < end:
        with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "output"), "w+") as output:
            expected = write_solution(folder, options.seed + builds)
            command = [runtime.dotnet, "build", os.path.join(folder, "Small.slnx"), "--artifacts-path", os.path.join(folder, "built"), *SDK_SETTINGS]
            with runtime.start(command, stdout=output, stderr=output) as building:
                try:
                    processes += runtime.wait(building, GRACE, "dotnet build")
                except Failed as problem:
                    output.seek(0)
                    raise Failed(f"{problem}:\n{output.read()}") from None
            with runtime.start([runtime.dotnet, os.path.join(folder, "built", "bin", "App", "debug", "App.dll")], stdout=subprocess.PIPE) as running:
                printed = running.stdout.read()
            if printed != expected:
                raise Failed(f"the program that was built printed {printed!r} instead of {expected!r}")
        builds += 1
    print(f"{builds} builds, {processes} processes on the collector")


def find_ironpython(runtime):
    """The path of the console."""
    path = os.environ.get("HEAPWRIGHT_IRONPYTHON")
    if path:
        if not os.path.exists(path):
            raise Failed(f"no IronPython {path}")
        return path
    folder = os.path.join(runtime.home, "ironpython")

    def installed():
        return sorted(glob.glob(os.path.join(folder, ".store", "**", "ipy.dll"), recursive=True))
    if not installed():
        done = subprocess.run([runtime.dotnet, "tool", "install", "--tool-path", folder, "IronPython.Console"], env=runtime.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0 or not installed():
            lines = (done.stdout + done.stderr).strip().splitlines()
            raise Skipped(f"IronPython cannot be installed here: {lines[0] if lines else done.returncode}")
    return installed()[-1]


def run_ironpython(runtime, options):
    runtime.settings["DOTNET_ROLL_FORWARD"] = "Major"  # it may have been built for an older one
    console = [runtime.dotnet, find_ironpython(runtime)]
    commands = [[*console, os.path.join(HERE, "Python", "churn.py"), rounds] for rounds in (["120"] if options.minutes >= 1 else ["20"])]
    examples = sorted(glob.glob(os.path.join(TOP, "examples", "python", "*.py")))
    commands += [[*console, path] for path in examples]

    def stock(command):
        done = subprocess.run(command, env=runtime.environment(DOTNET_ROLL_FORWARD="Major"), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout.splitlines() if done.returncode == 0 else []

    def hears_of_deaths(path):
        with open(path) as file:
            source = file.read()
        return "__del__" in source or "weakref" in source
    # Some need what this Python does not have. Lines that depend on hashes may be anything; and so may all that an example prints which hears of the deaths of objects, since these come with a collection.
    expected = []
    for command in commands:
        if first := stock(command):
            runs = zip(first, stock(command), stock(command))
            expected.append((command, None if command[2] in examples and hears_of_deaths(command[2]) else [lines[0] if len(set(lines)) == 1 else None for lines in runs]))
    if len(expected) < LEAST_PYTHON:
        raise Failed(f"{console[1]} runs only {len(expected)} of {len(commands)} programs")
    end, runs = time.monotonic() + 60 * options.minutes, 0
    while runs == 0 or time.monotonic() < end:
        for command, printed in expected:
            with tempfile.TemporaryFile("w+") as output:
                with runtime.start(command, stdout=output) as running:
                    runtime.wait(running, GRACE, os.path.basename(command[2]))
                output.seek(0)
                seen = output.read().splitlines()
            if printed is not None and (len(seen) != len(printed) or any(wanted not in (None, line) for wanted, line in zip(printed, seen))):
                raise Failed(f"{' '.join(command[2:])} printed {seen!r} instead of {printed!r}")
        runs += 1
    print(f"{len(expected)} of {len(commands)} Python programs run here; {runs} times each")


def write_solution(folder, seed):
    """A library of some classes and a program that uses them. Returns what the program prints."""
    def write(path, text):
        os.makedirs(os.path.join(folder, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(folder, path), "w") as file:
            file.write(text)

    def project(more):
        return ('<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings>'
                f'<UseAppHost>false</UseAppHost></PropertyGroup>{more}</Project>')
    shutil.copy(os.path.join(HERE, "nuget.config"), folder)
    write("Small.slnx", '<Solution><Project Path="Lib/Lib.csproj" /><Project Path="App/App.csproj" /></Solution>')
    write("Lib/Lib.csproj", project(""))
    write("App/App.csproj", project('<PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><ItemGroup><ProjectReference Include="../Lib/Lib.csproj" /></ItemGroup>'))
    for i in range(CLASSES):
        members = "\n".join(f"    public IEnumerable<T> Method{j}<T>(IEnumerable<T> items, Func<T, int> by) => items.Where(item => by(item) > {j}).OrderBy(item => by(item) + {i});" for j in range(20))
        write(f"Lib/Class{i}.cs", f"namespace Lib;\n\npublic sealed record Class{i}(string Name, int Number)\n{{\n{members}\n"
                                  f"    public int Value => Method3(Enumerable.Range(0, {seed + i}), number => number).Sum() + Name.Length * Number;\n}}\n")
    values = ", ".join(f'new Class{i}("{i}", {seed}).Value' for i in range(CLASSES))
    write("App/Program.cs", f"using Lib;\n\nConsole.WriteLine(new[] {{ {values} }}.Sum());\n")
    return str(sum(sum(range(4, seed + i)) + len(str(i)) * seed for i in range(CLASSES))) + "\n"


def main():
    programs = {"mixed": run_mixed, "server": run_server, "build": run_build, "ironpython": run_ironpython}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=programs)
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="how long (default 60); builds and Python programs are always ended")
    parser.add_argument("--collector", default="ours", metavar="WHICH", help="ours (default), stock, or the path of a library")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a variable for the programs, such as DOTNET_gcConservative=1")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another number, other loads (default 1)")
    parser.add_argument("--loads", metavar="NAMES", help="of the mixed load only these, with commas between")
    parser.add_argument("--output", default=os.path.join(TOP, "build", "test", "dotnet", "soak"), metavar="FOLDER", help="where the programs are built")
    options = parser.parse_args()
    options.output = os.path.abspath(options.output)
    try:
        programs[options.program](Runtime(options), options)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failed as problem:
        print(f"soak.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
