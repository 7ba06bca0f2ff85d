# MicroPython on heapwright's tiny collector, for ports that are built by CMake: -DUSER_C_MODULES=<this file>.
# MicroPython's own py/gc.c leaves the list of its sources, which the port has set before it includes this, and ours is one of a user module.
list(REMOVE_ITEM MICROPY_SOURCE_PY ${MICROPY_PY_DIR}/gc.c)

add_library(usermod_heapwright INTERFACE)
target_sources(usermod_heapwright INTERFACE ${CMAKE_CURRENT_LIST_DIR}/py/gc.c)
target_include_directories(usermod_heapwright INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../../src)
target_link_libraries(usermod INTERFACE usermod_heapwright)
