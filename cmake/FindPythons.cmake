# Finds the CPython interpreters of this machine, 3.10 and later, that have their headers. One a minor version is enough: the
# allocator interface does not change between patch levels, nor between a distribution's build and anybody else's.
#
# heapwright_find_pythons() sets heapwright_python_versions ("3.11;3.12") and heapwright_python_<version>_include.

function(heapwright_python_candidates result)
    set(candidates ${HEAPWRIGHT_PYTHONS})
    string(REPLACE ":" ";" path "$ENV{PATH}")
    foreach(directory IN LISTS path ITEMS /usr/bin)
        file(GLOB found ${directory}/python3 ${directory}/python3.[0-9] ${directory}/python3.[0-9][0-9])
        list(APPEND candidates ${found})
    endforeach()
    # The system's own first, as they come without wrappers.
    set(system ${candidates})
    list(FILTER system INCLUDE REGEX "^/usr/bin/")
    list(PREPEND candidates ${HEAPWRIGHT_PYTHONS} ${system})

    find_program(pyenv pyenv NO_CACHE)
    if(pyenv)
        execute_process(COMMAND ${pyenv} root OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        file(GLOB found ${root}/versions/*/bin/python3)
        # The wrappers stand for these, and only slow us down.
        list(FILTER candidates EXCLUDE REGEX "^${root}/shims/")
        list(APPEND candidates ${found})
    endif()
    list(REMOVE_DUPLICATES candidates)
    set(${result} ${candidates} PARENT_SCOPE)
endfunction()

function(heapwright_find_pythons)
    set(versions "")
    set(without_headers "")
    if(CMAKE_CROSSCOMPILING OR NOT HEAPWRIGHT_FIND_PYTHONS)
        set(candidates ${HEAPWRIGHT_PYTHONS})
    else()
        heapwright_python_candidates(candidates)
    endif()

    foreach(python IN LISTS candidates)
        # "3.11|/usr/include/python3.11", the second part empty without headers; nothing for what is no use to us.
        execute_process(COMMAND ${python} ${PROJECT_SOURCE_DIR}/cmake/describe_python.py
                        OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
        if(NOT status EQUAL 0 OR NOT answer MATCHES "^(3\\.[0-9]+)\\|(.*)$")
            continue()
        endif()
        set(version ${CMAKE_MATCH_1})
        set(include ${CMAKE_MATCH_2})
        if(include STREQUAL "")
            list(APPEND without_headers ${version})
        elseif(NOT version IN_LIST versions)
            list(APPEND versions ${version})
            set(heapwright_python_${version}_include ${include} PARENT_SCOPE)
            message(STATUS "Python ${version}: ${python}, headers in ${include}")
        endif()
    endforeach()

    list(REMOVE_DUPLICATES without_headers)
    foreach(version IN LISTS without_headers)
        if(NOT version IN_LIST versions)
            message(NOTICE "Python ${version}: no headers (Debian and Ubuntu have them in python${version}-dev); not built for it")
        endif()
    endforeach()
    if(versions STREQUAL "")
        message(NOTICE "No Python with headers found: Python programs will run on their own allocator")
    endif()
    list(SORT versions COMPARE NATURAL)
    set(heapwright_python_versions ${versions} PARENT_SCOPE)
endfunction()
