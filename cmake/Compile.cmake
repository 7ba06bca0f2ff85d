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
