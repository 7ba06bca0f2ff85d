# For the tests that are not cmocka programs: what they have in common.

# Support that needs nothing but the C library, the library's sources, and the models of test/random, for those who compile all of it in
# ways of their own (the fuzzer's clang, a cross compiler).
set(support_sources "")
foreach(source backend.c death.c model_memory.c pattern.c)
    list(APPEND support_sources ${PROJECT_SOURCE_DIR}/test/support/${source})
endforeach()
file(GLOB_RECURSE library_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.c)
set(pool_model_sources ${PROJECT_SOURCE_DIR}/test/random/pool_model.c)
set(tiny_model_sources ${PROJECT_SOURCE_DIR}/test/random/tiny_model.c)
file(GLOB counting_model_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/random/counting_*.c)
file(GLOB tracing_model_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/random/tracing_*.c)
file(GLOB kinds_model_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/random/kinds_*.c)
list(APPEND kinds_model_sources ${PROJECT_SOURCE_DIR}/test/random/counting_configuration.c)
file(GLOB_RECURSE all_headers CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/src/*.h ${PROJECT_SOURCE_DIR}/test/*.h)
set(own_compile_flags -std=c11 -g -pthread -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/src -I${PROJECT_SOURCE_DIR}/test -isystem ${heapwright_taken})

# Children that abort or leave by _exit write their coverage themselves.
if(HEAPWRIGHT_COVERAGE)
    add_compile_definitions(HEAPWRIGHT_COVERAGE)
    if(TARGET test-support)
        target_compile_definitions(test-support PRIVATE HEAPWRIGHT_COVERAGE)
    endif()
endif()

# A test that cannot be had here: heapwright_skipped_test(name reason)
function(heapwright_skipped_test name reason)
    message(NOTICE "-- test ${name} will be skipped: ${reason}")
    add_test(NAME ${name} COMMAND sh -c "echo 'skipped: ${reason}'; exit 77")
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
