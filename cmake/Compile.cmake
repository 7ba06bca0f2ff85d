# How all C of this project is compiled. Targets take it with heapwright_compile(target).
include(CheckCCompilerFlag)

find_package(Threads REQUIRED)

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(heapwright_sanitizer_options "")
if(HEAPWRIGHT_SANITIZE)
    set(heapwright_sanitizer_options -fsanitize=${HEAPWRIGHT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
set(heapwright_coverage_options "")
if(HEAPWRIGHT_COVERAGE)
    set(heapwright_coverage_options --coverage -fprofile-update=atomic)
endif()

# All that we take of xxHash is its header, and nothing of it is linked. It is copied, to be found where the system's other headers must not
# be: by compilers for other machines, and by what writes the one-file form.
find_path(HEAPWRIGHT_XXHASH xxhash.h NO_CMAKE_FIND_ROOT_PATH DOC "The folder that has xxhash.h")
if(NOT HEAPWRIGHT_XXHASH)
    message(FATAL_ERROR "No xxhash.h, the header of the library xxHash (Debian and Ubuntu have it in libxxhash-dev)")
endif()
set(heapwright_taken ${PROJECT_BINARY_DIR}/taken)
configure_file(${HEAPWRIGHT_XXHASH}/xxhash.h ${heapwright_taken}/xxhash.h COPYONLY)

function(heapwright_compile target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion
        $<$<BOOL:${HEAPWRIGHT_WERROR}>:-Werror>
        ${heapwright_sanitizer_options} ${heapwright_coverage_options})
    target_link_options(${target} PRIVATE ${heapwright_sanitizer_options} ${heapwright_coverage_options})
endfunction()
