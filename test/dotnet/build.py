"""build.py SOURCE FOLDER: builds a C# program, without a network and without a file in the source tree. SOURCE is a folder with a
project, FOLDER is where everything goes. Prints the path of the program's .dll. Builds nothing if nothing has changed; may be run several
times at once."""
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys


class NoSdk(Exception):
    """Why no program can be built here."""


def find_sdk():
    """The dotnet that has an SDK for .NET 10."""
    dotnet = shutil.which("dotnet")
    if dotnet is None:
        raise NoSdk("there is no dotnet")
    listed = subprocess.run([dotnet, "--list-sdks"], stdout=subprocess.PIPE, text=True).stdout
    if not any(line.startswith("10.") for line in listed.splitlines()):
        raise NoSdk("there is no SDK for .NET 10")
    return dotnet


def digest(paths):
    result = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            result.update(path.encode() + b"\0" + file.read())
    return result.hexdigest()


def build(source, folder):
    """The path of the program."""
    dotnet = find_sdk()
    source, folder = os.path.abspath(source), os.path.abspath(folder)
    project, = glob.glob(os.path.join(source, "*.csproj"))
    program = os.path.join(folder, "bin", os.path.basename(project)[:-len("csproj")] + "dll")
    stamp = os.path.join(folder, "built")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = digest(glob.glob(os.path.join(source, "*.cs")) + [project, __file__])
        if os.path.exists(stamp) and os.path.exists(program):
            with open(stamp) as file:
                if file.read() == wanted:
                    return program
        variables = {name: value for name, value in os.environ.items() if not name.startswith("DOTNET_GC")}
        variables.update(DOTNET_CLI_TELEMETRY_OPTOUT="1", DOTNET_NOLOGO="1", DOTNET_CLI_HOME=folder, NUGET_PACKAGES=os.path.join(folder, "packages"))
        words = [dotnet, "build", project, "--configuration", "Release", "--nologo", "--verbosity", "quiet", "-nodeReuse:false",
                 "-p:UseSharedCompilation=false", "-p:BaseIntermediateOutputPath=" + os.path.join(folder, "obj") + "/",
                 "-p:RestoreSources=" + folder, "-p:NuGetAudit=false", "-p:OutputPath=" + os.path.join(folder, "bin") + "/", "-p:AppendTargetFrameworkToOutputPath=false"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables)
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, words, done.stdout)
        with open(stamp, "w") as file:
            file.write(wanted)
    return program


def main():
    try:
        print(build(*sys.argv[1:]))
    except NoSdk as reason:
        print("skipped: %s" % reason)
        return 77
    except subprocess.CalledProcessError as error:
        print(error.output, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
