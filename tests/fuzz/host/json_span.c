/* The JSON scanner and string literals, against the grammar: the same verdict on every text, the
 * same values found in it, the same elements, and literals that survive the trip. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "tests/fuzz/grammar.h"

static void check_verdict(struct span text, enum json_type type)
{
    struct json_fault fault = {0};

    MUST(json_span_read(text, NULL, 0, &fault) == type, "the scanner and the grammar agree (%d)",
         type);
    MUST((fault.what == NULL) == (type != JSON_NONE), "what is wrong is said, and nothing else");
    MUST(fault.at <= text.length, "the fault is in the text");
    MUST(json_span_check(text) == (type != JSON_NONE), "check and read agree");
}

/* ---- values that are looked for ---- */

static struct span find_path(struct span text, const char *path)
{
    const char *dot = strchr(path, '.');
    AUTO_FREE char *first = mem_dup_n(path, dot ? (size_t)(dot - path) : strlen(path));
    struct span found = grammar_find(text, first);

    return dot ? grammar_find(found, dot + 1) : found;
}

static void check_wants(struct span text)
{
    struct json_want wants[] = {{.path = "a"},        {.path = "b"},      {.path = "a.b"},
                                {.path = "b.a"},      {.path = "a.a"},    {.path = "type"},
                                {.path = "settings"}, {.path = "taskId"}, {.path = "settings.code"},
                                {.path = "a.missing"}};

    json_span_read(text, wants, ARRAY_COUNT(wants), NULL);
    for (size_t i = 0; i < ARRAY_COUNT(wants); i++) {
        struct span expected = find_path(text, wants[i].path);

        MUST((wants[i].type == JSON_NONE) == (expected.length == 0), "`%s` is there or not",
             wants[i].path);
        if (!expected.length)
            continue;
        MUST(wants[i].value.at == expected.at && wants[i].value.length == expected.length,
             "`%s` is where the grammar has it", wants[i].path);
        MUST(wants[i].type == grammar_type(expected), "`%s` has its type", wants[i].path);
    }
}

/* ---- elements ---- */

struct elements {
    struct span spans[64];
    size_t count, stop_after;
};

static void keep_element(void *owner, struct span key, struct span value)
{
    struct elements *elements = owner;

    (void)key;
    if (elements->count < ARRAY_COUNT(elements->spans))
        elements->spans[elements->count] = value;
    elements->count++;
}

static bool visit_element(void *owner, struct span element)
{
    keep_element(owner, (struct span){0}, element);
    return ((struct elements *)owner)->count != ((struct elements *)owner)->stop_after;
}

static void check_elements(struct span array)
{
    struct elements expected = {0}, seen = {0}, some = {.stop_after = 2};

    grammar_each(array, keep_element, &expected);
    MUST(json_span_each(array, visit_element, &seen) == expected.count, "all elements are visited");
    MUST(seen.count == expected.count, "each of them once");
    for (size_t i = 0; i < expected.count && i < ARRAY_COUNT(seen.spans); i++)
        MUST(seen.spans[i].at == expected.spans[i].at &&
                 seen.spans[i].length == expected.spans[i].length,
             "element %zu is where the grammar has it", i);
    MUST(json_span_each(array, visit_element, &some) == (expected.count < 2 ? expected.count : 2),
         "no more elements than are wanted");
}

/* ---- literals ---- */

static void check_literal(struct span literal)
{
    AUTO_FREE char *text = json_string_decode(literal), *again = NULL;
    AUTO_BUF struct buf written = {0};

    if (!text)
        return; /* it holds a NUL */
    MUST(grammar_is_utf8((struct span){text, strlen(text)}), "a decoded literal is UTF-8");
    json_string_add(&written, text, strlen(text));
    again = json_string_decode(span_of_buf(&written));
    MUST(again && strcmp(again, text) == 0, "what is decoded can be written and decoded again");
}

/* Any bytes become a valid literal, and UTF-8 comes back as it was. */
static void check_writing(struct span text)
{
    AUTO_BUF struct buf written = {0};
    AUTO_FREE char *back = NULL;
    bool has_nul = text.length && memchr(text.at, '\0', text.length);

    json_string_add(&written, text.at, text.length);
    MUST(grammar_type(span_of_buf(&written)) == JSON_STRING, "what is written is a string");
    back = json_string_decode(span_of_buf(&written));
    MUST((back == NULL) == has_nul, "only a NUL can't come back");
    if (back && grammar_is_utf8(text))
        MUST(fuzz_is_text(text, back), "UTF-8 comes back as it was");
    for (size_t i = 0; i < text.length;) {
        size_t length = json_utf8_length(text.at + i, text.length - i);

        MUST(length <= 4 && length <= text.length - i, "a character ends in the text");
        MUST(!length || grammar_is_utf8((struct span){text.at + i, length}), "it is a character");
        i += length ? length : 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    enum json_type type = grammar_type(text);

    check_verdict(text, type);
    check_writing(text);
    if (type == JSON_NONE)
        return 0;
    check_wants(text);
    if (type == JSON_ARRAY)
        check_elements(text);
    if (type == JSON_STRING)
        check_literal(fuzz_trimmed(text));
    return 0;
}
