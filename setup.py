"""The Python package `heapwright`: the Python in python/, and the tool and the libraries in C, which CMake builds.

By itself (pip install of the sources) it is built for the Python that installs it. With HEAPWRIGHT_BUILD=FOLDER the tool and the libraries come from
a build tree that exists, with those for all Pythons that it was made for: so `make python-package` does it.
"""
import os
import re
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

BUILD_TREE = os.environ.get("HEAPWRIGHT_BUILD")
VERSION = "%d.%d" % sys.version_info[:2]
NEEDED = "a C compiler, make, cmake 3.22, pkg-config, libcjson with its headers, the header of xxHash, and Python's headers"


def read(path):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), path), encoding="utf-8") as file:
        return file.read()


def cmake(*words):
    if shutil.which("cmake") is None:
        sys.exit("heapwright: cmake is not installed. What is needed: " + NEEDED)
    if subprocess.call(["cmake", *words]) != 0:
        sys.exit("heapwright: the parts in C cannot be built; see above. What is needed: " + NEEDED)


class Build(build_py):
    """Python's part, then C's beside it: native/bin/heapwright and native/lib/heapwright/."""

    def run(self):
        super().run()
        self.copy_file("python/heapwright.pth", self.build_lib)
        native = os.path.join(os.path.abspath(self.build_lib), "heapwright", "native")
        shutil.rmtree(native, ignore_errors=True)
        cmake("--install", BUILD_TREE or self.build_tree(), "--component", "python", "--strip", "--prefix", native)
        library = os.path.join(native, "lib", "heapwright", f"libheapwright-cpython-{VERSION}.so")
        if not BUILD_TREE and not os.path.exists(library):
            sys.exit(f"heapwright: it cannot be built for Python {VERSION}, which must be an ordinary CPython with its headers "
                     f"(Debian and Ubuntu have them in python{VERSION}-dev)")

    def build_tree(self):
        tree = os.path.abspath(os.path.join(self.get_finalized_command("build").build_temp, "native"))
        cmake("-S", ".", "-B", tree, "-DHEAPWRIGHT_TESTS=OFF", "-DHEAPWRIGHT_BENCH=OFF",
              "-DHEAPWRIGHT_PYTHONS=" + sys.executable, "-DHEAPWRIGHT_FIND_PYTHONS=OFF")
        cmake("--build", tree, "--parallel", str(os.cpu_count()))
        return tree


class Wheel(bdist_wheel):
    """For one version of Python, or, if the build tree has several libraries, for any."""

    def get_tag(self):
        python, _, platform = super().get_tag()
        return "py3" if BUILD_TREE else python, "none", platform


class Binary(Distribution):
    def has_ext_modules(self):
        return True


os.makedirs("build/python", exist_ok=True)
setup(
    name="heapwright",
    version=re.search(r'HWR_VERSION_STRING "([^"]+)"', read("include/heapwright/base.h"))[1],
    description="A memory allocator and a cycle collector for CPython that do not stop a program with a large heap",
    long_description=read("python/README.md"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    classifiers=["Operating System :: POSIX :: Linux", "Programming Language :: C",
                 "Programming Language :: Python :: Implementation :: CPython", "Typing :: Typed"],
    packages=["heapwright"],
    package_dir={"": "python"},
    package_data={"heapwright": ["py.typed"]},
    entry_points={"console_scripts": ["heapwright = heapwright.__main__:command"]},
    zip_safe=False,
    distclass=Binary,
    cmdclass={"build_py": Build, "bdist_wheel": Wheel},
    options={"build": {"build_base": "build/python"}, "egg_info": {"egg_base": "build/python"}},
)
