#!/bin/sh
# Runs the examples on heapwright, one after another, and then one real piece of work with statistics.
#   run-all.sh [TOOL]     TOOL is the heapwright command; build/heapwright if it is not given
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=${1:-$here/../../build/heapwright}

if [ ! -x "$tool" ]; then
    echo "run-all.sh: there is no heapwright command at $tool; run 'make' first" >&2
    exit 1
fi

heading() {
    printf '\n---- %s ----\n' "$1"
}

for name in names_and_objects small_integers reference_counts freed_at_once cycles collector_settings \
            sizes lazy_iteration interning weak_references; do
    heading "$name.py"
    "$tool" run "$here/$name.py"
done

heading "word_index.py, with statistics"
"$tool" run --stats "$here/word_index.py"
