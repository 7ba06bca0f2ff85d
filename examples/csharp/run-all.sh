#!/bin/sh
# Builds the examples in C#, runs each under the runtime's own collector and on heapwright, and compares what they print.
#   run-all.sh [TOOL [FOLDER]]     TOOL is the heapwright command, build/heapwright if it is not given; FOLDER is where they are built,
#                                  build/examples/csharp if it is not given
# Ends with status 77 if there is no SDK for .NET 10.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=${1:-$here/../../build/heapwright}
folder=${2:-$here/../../build/examples/csharp}

if [ ! -x "$tool" ]; then
    echo "run-all.sh: there is no heapwright command at $tool; run 'make' first" >&2
    exit 1
fi
if ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
    echo "skipped: there is no SDK for .NET 10"
    exit 77
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
export XDG_DATA_HOME="$folder" MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_HOME="$folder" NUGET_PACKAGES="$folder/packages"

# From what the SDK brings, without a network and without a file beside the source.
build() {
    dotnet build "$here/$1.cs" --configuration Release --verbosity quiet --nologo --output "$folder/$1" \
        -p:UseSharedCompilation=false -p:NuGetAudit=false -p:RestoreSources="$folder" -p:BaseIntermediateOutputPath="$folder/obj/$1/"
}

status=0
for name in dropped cycle generations finalizer resurrection weak_references keep_alive; do
    printf '\n---- %s.cs ----\n' "$name"
    build "$name"
    dotnet "$folder/$name/$name.dll" >"$folder/$name.stock"
    "$tool" run "$folder/$name/$name.dll" | tee "$folder/$name.heapwright"
    if ! cmp -s "$folder/$name.stock" "$folder/$name.heapwright"; then
        echo "$name.cs prints something else under the runtime's own collector:"
        cat "$folder/$name.stock"
        status=1
    fi
done
exit $status
