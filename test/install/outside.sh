#!/bin/sh
# outside.sh WAY LANGUAGE: builds the outside program in a LANGUAGE (c or c++) against the library in one of its forms, with
# strict warnings, runs it and checks what it prints. Environment: CC, CXX, PREFIX (where heapwright is installed), LIBDIR (below
# that), AMALGAMATION (folder of the one-file form), WORK (a folder to build in), VERSION (what the program must print).
set -eu
way=$1 language=$2
here=$(cd "$(dirname "$0")" && pwd)
if [ "$language" = c++ ]; then
    source=$here/outside.cpp compiler="$CXX -std=c++11"
else
    source=$here/outside.c compiler="$CC -std=c99"
fi
warnings='-Wall -Wextra -Wpedantic -Werror'
export PKG_CONFIG_PATH="$PREFIX/$LIBDIR/pkgconfig"
rm -rf "$WORK"
mkdir -p "$WORK"
cd "$WORK"

with_cmake() {
    cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.22)
project(outside LANGUAGES $(if [ "$language" = c++ ]; then echo CXX; else echo C; fi))
find_package(heapwright ${VERSION%.*} REQUIRED)
add_executable(outside $source)
target_link_libraries(outside PRIVATE heapwright::$1)
END
    cmake -S . -B . -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_C_COMPILER="$CC" ${CXX:+-DCMAKE_CXX_COMPILER="$CXX"} >log 2>&1 &&
        cmake --build . >>log 2>&1 || { cat log; exit 1; }
}

case $way in
cmake-shared) with_cmake heapwright ;;
cmake-static) with_cmake static ;;
pkgconfig-shared)
    $compiler $warnings "$source" -o outside $(pkg-config --cflags --libs heapwright)
    export LD_LIBRARY_PATH="$PREFIX/$LIBDIR"
    ;;
pkgconfig-static)
    $compiler $warnings "$source" -o outside -static $(pkg-config --static --cflags --libs heapwright)
    ;;
amalgamation)
    # No flags at all, as someone would who has just copied the two files; then the standard that is promised, and warnings.
    cp "$AMALGAMATION/heapwright.c" "$AMALGAMATION/heapwright.h" .
    $CC -std=c11 $warnings -c heapwright.c -o strict.o
    $CC -c heapwright.c
    $compiler $warnings -I. "$source" heapwright.o -pthread -o outside
    ;;
*)
    echo "outside.sh: no such way: $way"
    exit 2
    ;;
esac

# Only the shared forms need the shared library.
needs=$(readelf -d outside | grep -c 'NEEDED.*libheapwright\.so\.' || true)
case $way in
*-shared) [ "$needs" -eq 1 ] ;;
*) [ "$needs" -eq 0 ] ;;
esac || { echo "$way: the program needs libheapwright.so $needs times"; exit 1; }

printed=$(./outside)
echo "$printed"
[ "$printed" = "heapwright $VERSION: 1000 blocks, then 0" ] || { echo "expected: heapwright $VERSION: 1000 blocks, then 0"; exit 1; }
