/*
 * What user code may import: the two lists and the builtins it does not get, read from the
 * settings, and the sentences that say so. Pure: no Python here, so host and zygote judge by the
 * same code.
 */
#ifndef ALLOWLIST_POLICY_H
#define ALLOWLIST_POLICY_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct name_list {
    char **names; /* sorted, without duplicates */
    size_t count;
    bool all; /* the list was `*` */
};

struct policy {
    struct name_list stdlib;        /* N8N_RUNNERS_STDLIB_ALLOW */
    struct name_list external;      /* N8N_RUNNERS_EXTERNAL_ALLOW */
    struct name_list builtins_deny; /* N8N_RUNNERS_BUILTINS_DENY; `all` is never set */
};

/* The default of N8N_RUNNERS_BUILTINS_DENY. */
extern const char policy_builtins_deny_default[];

/*
 * Parses a comma-separated list: names trimmed, empties dropped, case kept; `*` alone is
 * everything. `setting` names the setting in the error. -1 when `*` stands with other names.
 */
int name_list_parse(struct name_list *list, const char *setting, const char *text,
                    struct error **err);
bool name_list_has(const struct name_list *list, const char *name);
/* "a, b", or "none"; `*` gives "*". free(). */
char *name_list_text(const struct name_list *list);
void name_list_free(struct name_list *list);

void policy_free(struct policy *policy);

/* False when both lists are `*`: then user code is not checked before it runs. */
bool policy_checks_code(const struct policy *policy);

/* Both lists are `*`, and no builtin is denied: the operator wants plain Python. */
bool policy_is_plain(const struct policy *policy);

/* May user code import `module` (dotted; judged by its top-level name)? */
bool policy_allows(const struct policy *policy, const char *module, bool is_stdlib);

/* The sentence for a module that policy_allows() refuses, without `Line N: `. free(). */
char *policy_refusal(const struct policy *policy, const char *module, bool is_stdlib);

#endif
