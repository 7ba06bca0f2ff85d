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


def project_in(source):
    project, = glob.glob(os.path.join(os.path.abspath(source), "*.csproj"))
    return project


def run_sdk(command, project, folder, *properties, packages=False):
    """A command of the SDK that builds; `packages`: NuGet may be asked for some."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DOTNET_GC")}
    variables.update(DOTNET_CLI_TELEMETRY_OPTOUT="1", DOTNET_NOLOGO="1", DOTNET_CLI_HOME=folder, NUGET_PACKAGES=os.path.join(folder, "packages"))
    properties = ["UseSharedCompilation=false", "BaseIntermediateOutputPath=" + os.path.join(folder, "obj") + "/", "NuGetAudit=false", *properties]
    if not packages:
        properties.append("RestoreSources=" + folder)
    words = [find_sdk(), command, project, "--configuration", "Release", "--nologo", "--verbosity", "quiet", "-nodeReuse:false", *("-p:" + each for each in properties)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables)
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout)


def build(source, folder):
    """The path of the program."""
    find_sdk()
    folder, project = os.path.abspath(folder), project_in(source)
    program = os.path.join(folder, "bin", os.path.basename(project)[:-len("csproj")] + "dll")
    stamp = os.path.join(folder, "built")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = digest(glob.glob(os.path.join(os.path.dirname(project), "*.cs")) + [project, __file__])
        if os.path.exists(stamp) and os.path.exists(program):
            with open(stamp) as file:
                if file.read() == wanted:
                    return program
        run_sdk("build", project, folder, "OutputPath=" + os.path.join(folder, "bin") + "/", "AppendTargetFrameworkToOutputPath=false")
        with open(stamp, "w") as file:
            file.write(wanted)
    return program


def publish(source, folder, self_contained):
    """The path of the program as a single file. What one that is self-contained has in it is a package of NuGet's."""
    folder, project = os.path.abspath(folder), project_in(source)
    run_sdk("publish", project, folder, "RuntimeIdentifier=linux-x64", "SelfContained=%s" % self_contained, "PublishSingleFile=true", "EnableSingleFileAnalyzer=false",
            "OutputPath=" + os.path.join(folder, "bin") + "/", "PublishDir=" + os.path.join(folder, "single") + "/", packages=self_contained)
    return os.path.join(folder, "single", os.path.basename(project)[:-len(".csproj")])


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
