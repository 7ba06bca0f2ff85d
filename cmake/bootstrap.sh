#!/bin/sh
# Makes sure that what the named groups need is installed: bootstrap.sh GROUP...
#
# On Debian and Ubuntu missing packages are installed if this is root or may use sudo without a password; otherwise the line
# to type is printed, and the exit status is 1. On other systems it is said in words what is missing.
set -eu

# group, package, and what else shows that it is there: a command, a pkg-config module (pkg:), a file, or nothing else (-).
# A package with a question mark is wanted where the system has it, and done without elsewhere.
wanted() {
    cat <<'END'
build     gcc                     cc
build     libc6-dev               /usr/include/stdio.h
build     make                    make
build     cmake                   cmake
build     pkg-config              pkg-config
build     libcjson-dev            pkg:libcjson
build     python3                 python3
build     python3-dev             -
test      g++                     c++
test      libcmocka-dev           pkg:cmocka
test      libyajl-dev             pkg:yajl
test      binutils                nm
test      python3-venv            -
test      python3-setuptools      -
test      python3-wheel           -
test      python3-pytest          ?
test      valgrind                valgrind
test      libc6-dbg               -
test      libpython3.11-testsuite ?
test      wrk                     ?
test      qemu-system-arm         ?
test      gcc-arm-none-eabi       ?
test      picolibc-arm-none-eabi  ?
package   python3-setuptools      -
package   python3-wheel           -
lint      clang-format-14         clang-format-14
lint      clang-tidy-14           clang-tidy-14
fuzz      clang                   clang
fuzz      libclang-rt-dev         ?
sanitize  libasan8                ?
sanitize  libtsan2                ?
sanitize  libubsan1               ?
cross     gcc-aarch64-linux-gnu   aarch64-linux-gnu-gcc
cross     libc6-dev-arm64-cross   /usr/aarch64-linux-gnu/include/stdio.h
cross     qemu-user               qemu-aarch64
cross     gcc-powerpc-linux-gnu   ?
cross     libc6-dev-powerpc-cross ?
coverage  gcovr                   gcovr
build     libxxhash-dev           pkg:libxxhash
bench     libmimalloc-dev         pkg:mimalloc
bench     libmimalloc2.0          ?
bench     libjemalloc2            ?
bench     libglib2.0-dev          pkg:glib-2.0
bench     libyajl-dev             pkg:yajl
bench     nim                     ?
bench     valgrind                valgrind
bench     libc6-dbg               -
bench-tracing libgc-dev           pkg:bdw-gc
bench-tracing default-jdk-headless javac
END
}

# Whether something shows that a package is there without asking the package system.
shows() {
    case $1 in
    pkg:*) pkg-config --exists "${1#pkg:}" 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    - | \?) false ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

has_apt=false
if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then has_apt=true; fi

groups=" $* "
candidates=$(wanted | while read -r group package sign; do
    case $groups in *" $group "*) shows "$sign" || echo "$package $sign" ;; esac
done | sort -u)
[ -n "$candidates" ] || exit 0

if ! $has_apt; then
    # What nothing but a package system could show is left to the build to find or miss.
    missing=$(echo "$candidates" | while read -r package sign; do
        case $sign in - | \?) ;; *) echo "$package" ;; esac
    done)
    [ -n "$missing" ] || exit 0
    {
        echo "heapwright needs the following, by the names that Debian has for them; please install what your system calls them:"
        echo "$missing" | sed 's/^/    /'
    } >&2
    exit 1
fi

# The packages of one kind that are not installed: not_installed required|optional
installed=$(echo "$candidates" | cut -d' ' -f1 | xargs dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null |
    sed -n 's/ installed$//p') || true
not_installed() {
    echo "$candidates" | while read -r package sign; do
        if [ "$sign" = '?' ]; then kind=optional; else kind=required; fi
        if [ "$kind" = "$1" ] && ! echo "$installed" | grep -qxF -e "$package"; then echo "$package"; fi
    done
}
required=$(not_installed required)
optional=$(not_installed optional)
[ -n "$required$optional" ] || exit 0

as_root=''
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then as_root='sudo -n'; else as_root=none; fi
fi
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }

no_lists=false
ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || no_lists=true
if [ "$as_root" != none ] && { [ -n "$required" ] || $no_lists; }; then
    echo "bootstrap: asking for the list of packages"
    apt update
fi

# Of the optional ones, those that this system knows.
known=$(for package in $optional; do
    if apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]'; then echo "$package"; fi
done)
packages=$(echo $required $known)
[ -n "$packages" ] || exit 0

if [ "$as_root" != none ]; then
    echo "bootstrap: installing $packages"
    apt install -y --no-install-recommends $packages >/dev/null
elif [ -n "$required" ]; then
    echo "heapwright needs packages that are not installed, and this user may not install them. Please type:" >&2
    echo "    sudo apt-get install -y $packages" >&2
    exit 1
else
    echo "bootstrap: done without $packages; to have all tests, type: sudo apt-get install -y $packages"
fi
