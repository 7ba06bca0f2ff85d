"""Run by each Python that the build looks at: prints its minor version and where its headers are, as `3.11|/usr/include/python3.11`
(several folders separated by semicolons, none if there are no headers). Prints nothing if this Python cannot be served: older than
3.10, not CPython, or a debug or free-threaded build, whose headers fit no other build."""
import os
import struct
import sys
import sysconfig


def header_folders():
    places = [sysconfig.get_path("include")]
    places += [sysconfig.get_path("include", scheme)
               for scheme in ("posix_prefix", "deb_system") if scheme in sysconfig.get_scheme_names()]
    places.append(sysconfig.get_config_var("INCLUDEPY"))
    config = os.path.dirname(sysconfig.get_config_h_filename())
    for place in places:
        if place and os.path.exists(os.path.join(place, "Python.h")):
            return [place] if os.path.exists(os.path.join(place, "pyconfig.h")) else [place, config]
    return []


servable = (sys.version_info >= (3, 10) and sys.implementation.name == "cpython" and struct.calcsize("P") == 8
            and not sysconfig.get_config_var("Py_DEBUG") and not sysconfig.get_config_var("Py_GIL_DISABLED"))
if servable:
    print("%d.%d|%s" % (sys.version_info[0], sys.version_info[1], ";".join(header_folders())))
