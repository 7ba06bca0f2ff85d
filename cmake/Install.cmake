# What `cmake --install` puts where. The hosts' libraries stand in lib/heapwright/ whatever the system calls its library folder,
# because the tool looks for them from where it stands itself. The component `python` is what the Python package carries.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heapwright)

install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS heapwright heapwright-static EXPORT heapwright
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT heapwright FILE heapwrightTargets.cmake NAMESPACE heapwright:: DESTINATION ${package_dir})
configure_package_config_file(cmake/heapwrightConfig.cmake.in ${PROJECT_BINARY_DIR}/heapwrightConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/heapwrightConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/heapwrightConfig.cmake ${PROJECT_BINARY_DIR}/heapwrightConfigVersion.cmake
        DESTINATION ${package_dir})

# The .pc file finds its prefix from where it lies, so an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
configure_file(cmake/heapwright.pc.in ${PROJECT_BINARY_DIR}/heapwright.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/heapwright.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

get_property(modules GLOBAL PROPERTY HEAPWRIGHT_MODULES)
if(modules)
    install(TARGETS ${modules} LIBRARY DESTINATION lib/heapwright COMPONENT python)
endif()
if(TARGET heapwright-tool)
    install(TARGETS heapwright-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT python)
endif()

foreach(section 1 3 5 7)
    file(GLOB pages CONFIGURE_DEPENDS docs/man/*.${section})
    if(pages)
        install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endif()
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
