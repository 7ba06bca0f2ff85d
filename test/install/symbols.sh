#!/bin/sh
# symbols.sh SHARED STATIC MODULE...: nothing is visible but what starts with hwr_ and is called by inline functions (in the static library also hwri_, which it
# cannot hide), and the shared library needs the C library alone. A host library shows its entries, for the preload object and for Python or for .NET, and its figures, and nothing of the
# heapwright inside it; the preload object, and that for .NET, show what they are there to replace.
set -eu
shared=$1 static=$2
shift 2
status=0

names() { nm "$@" | awk 'NF == 3 { print $3 }'; }

# complain WHAT NAMES: says so if there are any.
complain() {
    if [ -n "$2" ]; then
        printf '%s:\n%s\n' "$1" "$2"
        status=1
    fi
}

exported=$(names --dynamic --defined-only "$shared")
echo "$exported" | grep -qx hwr_version || complain "no such symbol in $shared" hwr_version
# What the inline functions of the public header call is visible, too.
complain "should not be visible in $shared" \
    "$(echo "$exported" | grep -vE '^(hwr_.*|hwri_(retain|release|set|poll|frame_push|frame_pop)_slow|hwri_count_is_zero|hwri_(new|new_items|remember|here|thread_attached))$' || true)"
complain "should not be global in $static" "$(names --extern-only --defined-only "$static" | grep -vE '^hwri?_' || true)"
complain "libraries that $shared needs" \
    "$(readelf -d "$shared" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc|libpthread|ld-linux.*)\.so\.' || true)"

for module in "$@"; do
    case $module in
    *-preload.so) expected=__libc_start_main ;;
    *-dotnet.so) expected=$(printf 'GC_Initialize\nGC_VersionInfo\nexecve\nexecvpe\nposix_spawn\nposix_spawnp') ;;
    *) expected=$(printf 'PyInit__host\nhwri_host_gc_report\nhwri_host_main') ;;
    esac
    visible=$(names --dynamic --defined-only "$module" | LC_ALL=C sort)
    [ "$visible" = "$expected" ] || complain "$module should show $expected alone, and shows" "${visible:-nothing}"
done
exit $status
