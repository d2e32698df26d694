/* The two lists and their sentences; see policy.h. */
#include "allowlist/policy.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"

const char policy_builtins_deny_default[] =
    "eval,exec,compile,open,input,breakpoint,getattr,object,type,vars,setattr,delattr,hasattr,dir,"
    "memoryview,__build_class__,globals,locals,license,help,credits,copyright";

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_and_deduplicate(struct name_list *list)
{
    size_t kept = 0;

    if (!list->count)
        return;
    qsort(list->names, list->count, sizeof(*list->names), compare_names);
    for (size_t i = 0; i < list->count; i++) {
        if (kept && strcmp(list->names[kept - 1], list->names[i]) == 0)
            free(list->names[i]);
        else
            list->names[kept++] = list->names[i];
    }
    list->count = kept;
}

int name_list_parse(struct name_list *list, const char *setting, const char *text,
                    struct error **err)
{
    static const char space[] = " \t\r\n\f\v";

    *list = (struct name_list){0};
    for (const char *at = text; at;) {
        const char *comma = strchr(at, ',');
        const char *first = at + strspn(at, space);
        const char *last = comma ? comma : at + strlen(at);

        while (last > first && strchr(space, last[-1]))
            last--;
        if (last > first) {
            list->names = mem_resize(list->names, list->count + 1, sizeof(*list->names));
            list->names[list->count++] = mem_dup_n(first, (size_t)(last - first));
        }
        at = comma ? comma + 1 : NULL;
    }
    sort_and_deduplicate(list);
    if (!name_list_has(list, "*"))
        return 0;
    if (list->count == 1) {
        name_list_free(list);
        list->all = true;
        return 0;
    }
    name_list_free(list);
    return error_set(err, "%s is `%s`: `*` allows everything and must stand alone", setting, text);
}

bool name_list_has(const struct name_list *list, const char *name)
{
    return list->count &&
           bsearch(&name, list->names, list->count, sizeof(*list->names), compare_names) != NULL;
}

char *name_list_text(const struct name_list *list)
{
    struct buf text = {0};

    if (list->all || !list->count)
        return mem_dup(list->all ? "*" : "none");
    for (size_t i = 0; i < list->count; i++) {
        buf_add_text(&text, i ? ", " : "");
        buf_add_text(&text, list->names[i]);
    }
    buf_add_char(&text, '\0');
    return buf_failed(&text) ? mem_dup("") : text.data;
}

void name_list_free(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct name_list){0};
}

void policy_free(struct policy *policy)
{
    name_list_free(&policy->stdlib);
    name_list_free(&policy->external);
    name_list_free(&policy->builtins_deny);
}

bool policy_checks_code(const struct policy *policy)
{
    return !policy->stdlib.all || !policy->external.all;
}

bool policy_is_plain(const struct policy *policy)
{
    return !policy_checks_code(policy) && !policy->builtins_deny.all &&
           policy->builtins_deny.count == 0;
}

bool policy_allows(const struct policy *policy, const char *module, bool is_stdlib)
{
    const struct name_list *list = is_stdlib ? &policy->stdlib : &policy->external;
    AUTO_FREE char *top = mem_dup_n(module, strcspn(module, "."));

    return list->all || name_list_has(list, top);
}

char *policy_refusal(const struct policy *policy, const char *module, bool is_stdlib)
{
    AUTO_FREE char *names = name_list_text(is_stdlib ? &policy->stdlib : &policy->external);

    if (is_stdlib)
        return mem_format("Import of standard library module '%s' is disallowed. "
                          "Allowed stdlib modules: %s",
                          module, names);
    return mem_format("Import of external package '%s' is disallowed. "
                      "Allowed external packages: %s",
                      module, names);
}
