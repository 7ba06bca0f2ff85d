"""Imported by heapwright.pth as an interpreter starts that HEAPWRIGHT_INSTALL is set for. Whatever happens, it does start."""
from __future__ import annotations

import os
import sys

from heapwright import install


def _say_once(reason: Exception) -> None:
    """One line for a whole tree of processes, as the tool does it."""
    if sys.stderr is not None and "HEAPWRIGHT_SAID" not in os.environ:
        print("heapwright: Python %s does not run on heapwright: %s" % (sys.version.split()[0], reason), file=sys.stderr)
    os.environ["HEAPWRIGHT_SAID"] = "1"


try:
    install()
except Exception as error:
    _say_once(error)
