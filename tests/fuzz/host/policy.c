/*
 * The allowlists: `STDLIB|EXTERNAL|MODULE`. A list is what a slow reading of its text says, its
 * text parses to itself, and a module is judged by its first name.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "allowlist/policy.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"

/* Does a slow reading of the text name it? */
static bool text_names(const char *text, const char *name)
{
    struct span rest = {text, strlen(text)};

    while (rest.length)
        if (fuzz_is_text(fuzz_trimmed(fuzz_cut(&rest, ',')), name))
            return true;
    return false;
}

static size_t text_count(const char *text)
{
    struct span rest = {text, strlen(text)};
    size_t count = 0;

    while (rest.length)
        count += fuzz_trimmed(fuzz_cut(&rest, ',')).length > 0;
    return count;
}

static void check_names(const struct name_list *list, const char *text)
{
    struct span rest = {text, strlen(text)};

    for (size_t i = 0; i < list->count; i++) {
        MUST(text_names(text, list->names[i]), "a name is in the text");
        MUST(!i || strcmp(list->names[i - 1], list->names[i]) < 0, "sorted, and each name once");
        MUST(strcmp(list->names[i], "*") != 0, "the star is no name");
    }
    while (rest.length) {
        struct span part = fuzz_trimmed(fuzz_cut(&rest, ','));
        AUTO_FREE char *name = mem_dup_n(part.at, part.length);

        MUST(name_list_has(list, name) == (*name && !list->all), "what the text names is there");
    }
}

static void check_text(const struct name_list *list)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_FREE char *text = name_list_text(list);
    struct name_list again;

    if (!list->count) {
        MUST(strcmp(text, list->all ? "*" : "none") == 0, "a list without names has its word");
        return;
    }
    MUST(name_list_parse(&again, "LIST", text, &err) == 0, "its text is a list");
    MUST(again.count == list->count && !again.all, "of as many names");
    for (size_t i = 0; i < list->count; i++)
        MUST(strcmp(again.names[i], list->names[i]) == 0, "of the same names");
    name_list_free(&again);
}

/* False when the list is refused. */
static bool check_list(struct name_list *list, const char *text)
{
    AUTO_ERROR struct error *err = NULL;
    bool star = text_names(text, "*");
    int parsed = name_list_parse(list, "LIST", text, &err);

    MUST((parsed < 0) == (err != NULL), "an error, or none");
    if (parsed < 0) {
        MUST(star && text_count(text) > 1, "only a star among others is refused");
        MUST(!list->names && !list->count && !list->all, "nothing is left of it");
        return false;
    }
    MUST(list->all == star, "a star alone is everything");
    check_names(list, text);
    check_text(list);
    return true;
}

static void check_module(const struct policy *policy, const char *module)
{
    AUTO_FREE char *top = mem_dup_n(module, strcspn(module, "."));
    const struct name_list *lists[] = {&policy->external, &policy->stdlib};

    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        AUTO_FREE char *refusal = policy_refusal(policy, module, i);

        MUST(policy_allows(policy, module, i) == (lists[i]->all || name_list_has(lists[i], top)),
             "a module is judged by its first name");
        MUST(strstr(refusal, module), "a refusal names the module");
    }
    MUST(policy_checks_code(policy) == !(lists[0]->all && lists[1]->all), "two stars, no check");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct span parts[] = {fuzz_cut(&rest, '|'), fuzz_cut(&rest, '|'), rest};
    AUTO_FREE char *stdlib = mem_dup_n(parts[0].at, parts[0].length);
    AUTO_FREE char *external = mem_dup_n(parts[1].at, parts[1].length);
    AUTO_FREE char *module = mem_dup_n(parts[2].at, parts[2].length);
    struct policy policy = {0};

    if (check_list(&policy.stdlib, stdlib) && check_list(&policy.external, external))
        check_module(&policy, module);
    policy_free(&policy);
    return 0;
}
