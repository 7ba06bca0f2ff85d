"""python_package.py BUILD OUT: makes the source distribution and the wheel of the Python package `heapwright` in the folder OUT; the wheel has the tool
and the libraries of the build tree BUILD, and is made from what the source distribution holds. Prints the two paths. Needs nothing from outside."""
import os
import sys
import tarfile
import tempfile

SYSTEM_PYTHON = "/usr/bin/python3"


def use_a_python_with_setuptools():
    """The python3 of the path may be one without; the system's has them in packages."""
    try:
        import setuptools, wheel  # noqa: F401
    except ImportError:
        if os.path.realpath(sys.executable) == os.path.realpath(SYSTEM_PYTHON) or not os.path.exists(SYSTEM_PYTHON):
            sys.exit("python_package.py: no setuptools and wheel (Debian and Ubuntu have them in python3-setuptools and python3-wheel)")
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])


def build(hook, folder, out):
    """Calls a hook of the build backend in a folder of sources."""
    os.chdir(folder)
    from setuptools import build_meta
    return os.path.join(out, getattr(build_meta, hook)(out))


def main(tree, out):
    use_a_python_with_setuptools()
    sources = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    tree, out = os.path.abspath(tree), os.path.abspath(out)
    os.makedirs(out, exist_ok=True)
    os.environ["HEAPWRIGHT_BUILD"] = tree
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.flush()
        said, stdout = os.dup(1), os.dup2(2, 1)
        archive = build("build_sdist", sources, out)
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        wheel = build("build_wheel", os.path.join(folder, os.listdir(folder)[0]), out)
        os.chdir(out)
        os.dup2(said, 1)
    print(archive, wheel, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
