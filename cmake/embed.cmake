# embed_files(<target> <name> [BASE dir] [PRELUDE file] FILES ... [DEPENDS ...])
#
# Makes generated/<name>.c and .h, which hold the bytes of the files as a table
#     extern const struct embedded_file <name>[];  extern const size_t <name>_count;
# (struct embedded_file: shared/embedded.h) and adds them to <target>. Each entry is named by its path below BASE.
# FILES may be patterns. Given a PRELUDE, which is a text as the files then are, each of them is put behind it.
function(embed_files target name)
    cmake_parse_arguments(ARG "" "BASE;PRELUDE" "FILES;DEPENDS" ${ARGN})
    if(NOT ARG_BASE)
        set(ARG_BASE ${CMAKE_CURRENT_SOURCE_DIR})
    endif()
    set(source ${CMAKE_BINARY_DIR}/generated/${name}.c)
    set(header ${CMAKE_BINARY_DIR}/generated/${name}.h)
    string(REPLACE ";" "|" files "${ARG_FILES}")
    # What a pattern will match can't be depended on; whoever gives one names in DEPENDS what makes the files.
    set(known_files ${ARG_FILES})
    list(FILTER known_files EXCLUDE REGEX "[*?]")
    add_custom_command(
        OUTPUT ${source} ${header}
        COMMAND ${CMAKE_COMMAND} -D NAME=${name} -D BASE=${ARG_BASE} "-DFILES=${files}" "-DPRELUDE=${ARG_PRELUDE}"
                -D SOURCE=${source} -D HEADER=${header} -P ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake
        DEPENDS ${known_files} ${ARG_PRELUDE} ${ARG_DEPENDS} ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake
        COMMENT "Embedding ${name}"
        VERBATIM)
    target_sources(${target} PRIVATE ${source} ${header})
endfunction()
