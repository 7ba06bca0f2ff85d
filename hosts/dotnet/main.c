/* What the runtime finds by name: which interface we speak, and our two objects.
 *
 * GC_VersionInfo is called first, then GC_Initialize; the handles are used before the heap is initialised, and events may be controlled before that (heap.c). */
#include "runtime.h"

#include "environment.h"
#include "handles.h"
#include "heap.h"
#include "settings.h"
#include "statistics.h"

#include "heapwright/base.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void GC_VersionInfo(clr_version *version);
EXPORTED clr_result GC_Initialize(clr_ee *runtime, clr_heap **heap, clr_manager **manager,
                                  clr_debugger_variables *variables);

static uint32_t ee_major;

void GC_VersionInfo(clr_version *version) {
    ee_major = version->major;
    *version = (clr_version){CLR_GC_MAJOR, CLR_GC_MINOR, 0, "heapwright " HWR_VERSION_STRING};
}

/* The runtimes that we are known to work with: 10.0. Between its versions the layout of objects and types may change without a word in the interface. */
static bool is_known(const clr_ee *runtime) {
    unsigned major = 0, minor = 0;
    if (ee_major < CLR_EE_LEAST || ee_major > CLR_EE_MOST) {
        clr_say("version %u of the runtime's interface is not known here (%d to %d are)", ee_major, CLR_EE_LEAST,
                CLR_EE_MOST);
        return false;
    }
    if (!clr_runtime_version(runtime->table, &major, &minor)) {
        clr_say("the version of this runtime cannot be found out; .NET 10.0 is known to work");
        return false;
    }
    if (major == 10 && minor == 0) {
        clr_statistics_running(major, minor, runtime->table);
        return true;
    }
    clr_say("this is the runtime of .NET %u.%u; .NET 10.0 is known to work", major, minor);
    return false;
}

/* A program that asks for server mode gets the one collector there is. Nothing is said of it: the C# compiler asks for it, for one, and a build takes any line on the error stream for
 * an error. */
clr_result GC_Initialize(clr_ee *runtime, clr_heap **heap, clr_manager **manager, clr_debugger_variables *variables) {
    (void)variables;
    clr_runtime = runtime;
    clr_statistics_claim();
    clr_environment_leave();
    if (!is_known(runtime)) {
        clr_statistics_refused("heapwright is not known to work with this version of .NET");
        return CLR_FAIL;
    }
    clr_tables = hwr_raw_open(NULL);
    if (!clr_tables) return CLR_NO_MEMORY;
    clr_settings_read();
    *heap = &clr_heap_object;
    *manager = &clr_handle_manager;
    return CLR_OK;
}
