#!/bin/sh
# check.sh PROGRAM EXPECTED: runs an example and compares all that it prints with a file.
set -eu
"$1" </dev/null 2>&1 | diff "$2" - || { echo "(< what $(basename "$1") should print, > what it prints)"; exit 1; }
