#!/usr/bin/env python3
"""Makes a JSON document of real data of this machine: what Debian's package system knows (where there is one), and the files below /usr.

    document.py FILE [BYTES]        10,000,000 bytes, if it is not said otherwise

Many records with the same keys; strs, some of them not ASCII; ints small and large; floats; bools and null. No record is there twice: a machine with few
files has a smaller document.
"""

import json
import os
import stat
import sys

STATUS = "/var/lib/dpkg/status"
INFO = "/var/lib/dpkg/info"


def packages():
    """Each installed package, with its relations in lists and its size as a number."""
    if not os.path.exists(STATUS):
        return
    with open(STATUS, encoding="utf-8") as file:
        stanzas = file.read().split("\n\n")
    for stanza in filter(None, stanzas):
        record, field = {}, None
        for line in stanza.splitlines():
            if line[0] in " \t":
                record[field] += "\n" + line[1:]
            else:
                field, _, value = line.partition(":")
                record[field] = value.strip()
        for field in record.keys() & {"Depends", "Pre-Depends", "Recommends", "Suggests", "Conflicts", "Breaks", "Replaces", "Provides"}:
            record[field] = record[field].split(", ")
        if "Installed-Size" in record:
            record["Installed-Size"] = int(record["Installed-Size"])
        record["Essential"] = record.get("Essential") == "yes"
        yield record


def sums():
    """{path: MD5 sum} of the files of packages."""
    result = {}
    for name in sorted(os.listdir(INFO)) if os.path.isdir(INFO) else ():
        if name.endswith(".md5sums"):
            with open(os.path.join(INFO, name), encoding="utf-8", errors="replace") as file:
                result.update((("/" + path.rstrip("\n"), sum) for sum, _, path in (line.partition("  ") for line in file)))
    return result


def files(sums):
    """Each file below /usr, in an order that stays."""
    for folder, folders, names in os.walk("/usr"):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                seen = os.lstat(path)
                path.encode()
            except (OSError, UnicodeEncodeError):
                continue
            yield {"path": path, "size": seen.st_size, "mode": stat.filemode(seen.st_mode), "modified": seen.st_mtime,
                   "changed_ns": seen.st_ctime_ns, "inode": seen.st_ino, "links": seen.st_nlink, "owner": [seen.st_uid, seen.st_gid],
                   "is_link": stat.S_ISLNK(seen.st_mode), "md5": sums.get(path)}


def main(path, most):
    size, kept = 0, {"packages": [], "files": []}
    for name, records in ("packages", packages()), ("files", files(sums())):
        for record in records:
            size += len(json.dumps(record, ensure_ascii=False).encode()) + 2
            if size > (most // 3 if name == "packages" else most):
                break
            kept[name].append(record)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(kept, file, ensure_ascii=False)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
