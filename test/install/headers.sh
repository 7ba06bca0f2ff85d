#!/bin/sh
# headers.sh STANDARD INCLUDE: every public header compiles alone, without a warning, in this standard.
set -eu
standard=$1 include=$2
case $standard in
c++*) compiler=$CXX language=c++ ;;
*) compiler=$CC language=c ;;
esac
cd "$include"
for header in $(find . -name '*.h' | sed 's|^\./||' | LC_ALL=C sort); do
    echo "$standard: $header"
    # Twice, as programs do.
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
        "$compiler" -x "$language" -std="$standard" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
            -I. -fsyntax-only -
done
