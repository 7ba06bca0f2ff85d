#!/bin/sh
# install.sh BUILD PREFIX: installs into an empty PREFIX, and once more below a DESTDIR; what must be there is there, and the tool
# runs from where it was installed. Environment: TOOL and HOSTS, whether these were built.
set -eu
build=$1 prefix=$2
rm -rf "$prefix" "$prefix-staged"
cmake --install "$build" --prefix "$prefix" >/dev/null
DESTDIR=$prefix-staged cmake --install "$build" --prefix /opt/heapwright >/dev/null

there() {
    for pattern in "$@"; do
        if ! ls "$prefix"/$pattern "$prefix-staged/opt/heapwright"/$pattern >/dev/null; then
            echo "not installed: $pattern"
            exit 1
        fi
    done
}
there include/heapwright.h 'include/heapwright/*.h' 'lib*/libheapwright.so.*' 'lib*/libheapwright.a' 'lib*/pkgconfig/heapwright.pc' \
    'lib*/cmake/heapwright/heapwrightConfig.cmake'
if [ "$HOSTS" = ON ]; then there lib/heapwright/libheapwright-preload.so; fi
if [ "$TOOL" = ON ]; then
    there bin/heapwright
    "$prefix/bin/heapwright" --version
fi
rm -rf "$prefix-staged"
