/* Denied names and attributes; see denied.h. */
#include "allowlist/denied.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/mem.h"

/* Sorted, for bsearch(). */
static const char *const names[] = {
    "__builtins__", "__globals__", "__loader__", "__name__", "__spec__",
};

/* Sorted, for bsearch(). */
static const char *const attributes[] = {
    "__annotations__",   "__base__",      "__bases__",         "__builtins__",
    "__cached__",        "__class__",     "__closure__",       "__code__",
    "__delattr__",       "__dict__",      "__func__",          "__getattr__",
    "__getattribute__",  "__globals__",   "__import__",        "__init_subclass__",
    "__instancecheck__", "__loader__",    "__match_args__",    "__module__",
    "__mro__",           "__objclass__",  "__prepare__",       "__qualname__",
    "__reduce__",        "__reduce_ex__", "__self__",          "__self_class__",
    "__setattr__",       "__spec__",      "__subclasscheck__", "__subclasses__",
    "__thisclass__",     "__traceback__", "__wrapped__",       "ag_code",
    "ag_frame",          "cr_code",       "cr_frame",          "f_back",
    "f_builtins",        "f_code",        "f_globals",         "f_locals",
    "gi_code",           "gi_frame",      "gi_yieldfrom",      "obj",
    "tb_frame",          "tb_next",
};

static const char because[] = "because it can be used to bypass security restrictions.";

static const char *const sentences[] = {
    [DENIED_NAME] = "Access to name '%s' is disallowed, %s",
    [DENIED_ATTRIBUTE] = "Access to attribute '%s' is disallowed, %s",
    [DENIED_STRING] = "String pattern accessing '%s' is disallowed, %s",
    [DENIED_PATTERN] = "Match pattern extracting attribute '%s' is disallowed, %s",
    [DENIED_GLOBAL] = "Global declaration of '%s' is disallowed, %s",
    [DENIED_FUNCTION] = "Function named '%s' is disallowed, %s",
    [DENIED_CLASS] = "Class named '%s' is disallowed, %s",
    [DENIED_PARAMETER] = "Parameter named '%s' is disallowed, %s",
};

static int compare(const void *key, const void *entry)
{
    return strcmp(key, *(const char *const *)entry);
}

bool denied_name(const char *name)
{
    return bsearch(name, names, ARRAY_COUNT(names), sizeof(*names), compare) != NULL;
}

bool denied_attribute(const char *name)
{
    return bsearch(name, attributes, ARRAY_COUNT(attributes), sizeof(*attributes), compare) != NULL;
}

bool denied_mangled(const char *name)
{
    size_t length = strlen(name);
    const char *inner;

    if (name[0] != '_' || name[1] == '_' || name[1] == '\0')
        return false;
    inner = strstr(name + 2, "__");
    return inner && inner[2] != '\0' && strcmp(name + length - 2, "__") != 0;
}

char *denied_sentence(enum denied_use use, const char *name)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return mem_format(sentences[use], name, because);
#pragma GCC diagnostic pop
}
