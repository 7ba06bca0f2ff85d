"""heapwright: another memory allocator and cycle collector for CPython, so that large heaps do not stop the program.

A program runs on it from its first object on, unmodified, with

    python -m heapwright app.py

or from some line of its own on:

    import heapwright
    heapwright.install()

or, with HEAPWRIGHT_INSTALL=1 in the environment, from the moment when site-packages are found. What it does then:

    heapwright.stats()      # a dict: collections, memory, sums of pauses
    heapwright.pauses()     # the latest pauses, oldest first
"""
from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ._pause import Pause

    __version__: str

__all__ = ["Pause", "install", "installed", "pauses", "stats"]

_COLLECTORS = ("auto", "beside", "inplace", "stock")


def __getattr__(name: str) -> Any:
    if name == "Pause":
        from ._pause import Pause
        return Pause
    if name == "__version__":
        from importlib.metadata import version
        return version("heapwright")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def install(gc: Literal["auto", "beside", "inplace", "stock"] | None = None) -> bool:
    """Puts this process on heapwright, from now on and for good. Returns True if this call did it, False if it had been done before, by an
    earlier call, by HEAPWRIGHT_INSTALL or by `python -m heapwright`; then nothing changes, whatever `gc` is.

    `gc` is the cycle collector: "auto" (full collections of large heaps beside the program, where a processor and memory are to spare),
    "beside" (whenever that is possible), "inplace" (never) or "stock" (Python's own). None means what the environment variable HEAPWRIGHT_GC
    says, otherwise "auto".

    What exists already stays where it is and is collected as well. Call it early: objects that were made before are never freed by
    what is found beside the program. If PYTHONMALLOC or -X dev has chosen an allocator, or tracemalloc is tracing, the allocator stays and only the
    collector is replaced; it then works in place.

    Raises RuntimeError, with the reason, if this interpreter cannot be put on heapwright: it is of an unknown version or
    free-threaded, this is a subinterpreter, or there are some. Raises ValueError if there is no such collector. Then nothing has changed.
    """
    wanted = gc if gc is not None else os.environ.get("HEAPWRIGHT_GC") or "auto"
    if wanted not in _COLLECTORS:
        name = "gc" if gc is not None else "HEAPWRIGHT_GC"
        raise ValueError(f"{name} is {wanted!r}; it may be 'auto', 'beside', 'inplace' or 'stock'")
    from . import _native
    return bool(_native.load().install(wanted))


def installed() -> bool:
    """Whether this process runs on heapwright."""
    from . import _native
    host = _native.loaded()
    return host is not None and bool(host.installed())


def _host() -> Any:
    from . import _native
    if not installed():
        raise RuntimeError("this process does not run on heapwright: there is nothing to tell before heapwright.install()")
    return _native.loaded()


def stats() -> dict[str, Any]:
    """What heapwright does in this process, and has done so far:

    "heapwright"   its version
    "collector"    "auto", "beside", "inplace", or "stock": Python's own
    "collections"  what that did beside the program, and how often it collected in place, by reason; empty for Python's own
    "allocator"    "heapwright", or why it is another one
    "memory"       of heapwright's allocator: "blocks" and "block_bytes" in use, "page_bytes" of the pages that hold these,
                   "committed_bytes" taken from the system, "peak_committed_bytes", "given_back_bytes", "large_blocks", "large_bytes"
    "pauses"       of all collections: "count", "seconds" together, "longest_seconds"

    It takes 20 microseconds in a program with two million objects. Names may be added, none will be changed. Raises RuntimeError if this process does not run on heapwright.
    """
    import json
    figures: dict[str, Any] = _host().stats()
    figures["collections"] = {} if figures["collector"] == "stock" else json.loads(figures["collections"])
    return figures


def pauses() -> list[Pause]:
    """The latest pauses that collections of this process made, oldest first: those of at least 0.1 milliseconds, at most 1024. (The sums in
    stats() take in all.) A child made by fork begins with none.

    Raises RuntimeError if this process does not run on heapwright, or collects with Python's own collector, whose pauses are not seen.
    """
    from ._pause import Pause
    return [Pause(*pause) for pause in _host().pauses()]
