/* methods: finding built-in functions without importing their modules, which the program could see. */
#include "methods.h"

#include <string.h>

static PyModuleDef *definition_of(const char *module) {
    const struct _inittab *entry = PyImport_Inittab;
    while (entry->name != NULL && strcmp(entry->name, module) != 0) entry++;
    if (entry->name == NULL || entry->initfunc == NULL) return NULL;
    PyObject *definition = entry->initfunc();
    if (definition == NULL) PyErr_Clear();
    return definition != NULL && Py_IS_TYPE(definition, &PyModuleDef_Type) ? (PyModuleDef *)definition : NULL;
}

PyMethodDef *hwri_method_find(const char *module, const char *name, int flags) {
    PyModuleDef *definition = definition_of(module);
    if (definition == NULL) return NULL;
    for (PyMethodDef *method = definition->m_methods; method != NULL && method->ml_name != NULL; method++)
        if (strcmp(method->ml_name, name) == 0) return method->ml_flags == flags ? method : NULL;
    return NULL;
}
