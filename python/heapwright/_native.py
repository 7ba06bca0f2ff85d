"""The parts in C: the tool, and the library for this version of Python as a module."""
from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "native")
TOOL = os.path.join(_FOLDER, "bin", "heapwright")

_VERSION = "%d.%d" % sys.version_info[:2]
_LIBRARY = f"libheapwright-cpython-{_VERSION}.so"

_module: ModuleType | None = None


def _unsuitable() -> str | None:
    """Why no library could serve this interpreter."""
    if sys.implementation.name != "cpython":
        return f"heapwright is for CPython, and this is {sys.implementation.name}"
    if "free-threading" in sys.version:
        return "a free-threaded build cannot give its allocator and its collector away"
    if hasattr(sys, "gettotalrefcount"):
        return "its objects are those of a debug build"
    return None


def _path_of_loaded() -> str | None:
    """The library that this process runs on already, as programs do that the tool has started."""
    try:
        with open("/proc/self/maps", errors="surrogateescape") as maps:
            paths = [line.rstrip("\n").split(maxsplit=5)[-1] for line in maps]
    except OSError:
        return None
    return next((path for path in paths if path.endswith("/" + _LIBRARY)), None)


def _bundled_path() -> str:
    folder = os.environ.get("HEAPWRIGHT_LIBDIR") or os.path.join(_FOLDER, "lib", "heapwright")
    path = os.path.join(folder, _LIBRARY)
    if not os.path.exists(path):
        raise RuntimeError(f"heapwright has no library for Python {_VERSION}: {path} is not there")
    return path


def _import_library(path: str) -> ModuleType:
    from importlib.machinery import ExtensionFileLoader, ModuleSpec
    name = "heapwright._host"
    loader = ExtensionFileLoader(name, path)
    try:
        module = loader.create_module(ModuleSpec(name, loader, origin=path))
        loader.exec_module(module)
    except ImportError as error:
        raise RuntimeError(f"heapwright's library for Python {_VERSION} cannot be loaded: {error}") from error
    return module


def loaded() -> ModuleType | None:
    """The library, if this process has it."""
    global _module
    if _module is None and not _unsuitable():
        path = _path_of_loaded()
        if path is not None:
            _module = _import_library(path)
    return _module


def load() -> ModuleType:
    """The library, loaded if need be. Raises RuntimeError if there is none for this interpreter."""
    global _module
    reason = _unsuitable()
    if reason is not None:
        raise RuntimeError(reason)
    if loaded() is None:
        _module = _import_library(_bundled_path())
    assert _module is not None
    return _module
