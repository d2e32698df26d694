/* JSON as bytes: what is one valid value and what is not, finding values, literals and back. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void valid_values(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1.5e+10",
        "-12E-3",
        "\"\"",
        "\"\\u00e4\\ud800\\n\"",
        "\"\xc3\xa4\xf0\x9f\x98\x80\"",
        "[]",
        "[ 1 , [ ] ]",
        "{}",
        "{\"a\":{\"a\":null}}",
        " true ",
        "\n\tfalse\r",
        "null",
        "100000000000000000000000000000000000000000",
        "\"\x7f\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (!json_span_check(span_of(texts[i])))
            fail_msg("%s is valid", texts[i]);
}

static void invalid_values(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "NaN",
        "Infinity",
        "tru",
        "nulll",
        "'a'",
        "\"",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xc3\"",
        "[",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "]",
        "1 2",
        "[] []",
        "{}}",
        "1,\"taskId\":\"x\"",
        "\xef\xbb\xbf{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (json_span_check(span_of(texts[i])))
            fail_msg("%s is not valid", texts[i]);
    assert_false(json_span_check((struct span){"1\0", 2}));
    assert_false(json_span_check((struct span){NULL, 0}));
}

static void depth_has_a_limit(void **state)
{
    const size_t deep = JSON_DEPTH_MAX + 1;
    char *text = mem_alloc(2 * deep);

    (void)state;
    memset(text, '[', deep - 1);
    memset(text + deep - 1, ']', deep - 1);
    assert_true(json_span_check((struct span){text, 2 * (deep - 1)}));
    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    assert_false(json_span_check((struct span){text, 2 * deep}));
    free(text);
}

static void values_are_found(void **state)
{
    struct json_want wants[] = {{.path = "a"}, {.path = "b.c"}, {.path = "missing"}, {.path = "b"}};
    struct span text =
        span_of("{\"a\": 1, \"b\" : { \"c\":\"x\", \"a\":3, \"missing\":1 } , \"a\": [2] }");

    (void)state;
    assert_int_equal(json_span_read(text, wants, ARRAY_COUNT(wants), NULL), JSON_OBJECT);
    assert_int_equal(wants[0].type, JSON_ARRAY);
    assert_memory_equal(wants[0].value.at, "[2]", 3);
    assert_int_equal(wants[0].value.length, 3);
    assert_int_equal(wants[1].type, JSON_STRING);
    assert_memory_equal(wants[1].value.at, "\"x\"", 3);
    assert_int_equal(wants[2].type, JSON_NONE);
    assert_int_equal(wants[3].type, JSON_OBJECT);
}

static void a_fault_says_where(void **state)
{
    struct json_fault fault = {0};

    (void)state;
    assert_int_equal(json_span_read(span_of("[1,x]"), NULL, 0, &fault), JSON_NONE);
    assert_non_null(fault.what);
    assert_int_equal(fault.at, 3);
}

static bool count_to_two(void *owner, struct span element)
{
    size_t *seen = owner;

    assert_true(element.length > 0);
    return ++*seen < 2;
}

static void elements_are_visited_until_told_otherwise(void **state)
{
    size_t seen = 0;

    (void)state;
    assert_int_equal(json_span_each(span_of("[1,[2,3],{\"a\":[4]},5]"), count_to_two, &seen), 2);
    assert_int_equal(seen, 2);
    assert_int_equal(json_span_each(span_of("[ ]"), count_to_two, &seen), 0);
    seen = 0;
    assert_int_equal(json_span_each(span_of(" \n[1] "), count_to_two, &seen), 1);
}

static void literals_are_written(void **state)
{
    static const char text[] = "a\"\\\b\f\n\r\t\x01\x7f\xc3\xa4/";
    AUTO_BUF struct buf out = {0};

    (void)state;
    json_string_add(&out, text, sizeof(text) - 1);
    assert_true(json_span_check((struct span){out.data, out.length}));
    assert_memory_equal(out.data, "\"a\\\"\\\\", 6);
    buf_free(&out);
    json_string_add(&out, "\xff", 1);
    assert_buf(&out, "\"\xef\xbf\xbd\"");
}

static void literals_are_decoded(void **state)
{
    static const struct {
        const char *literal, *text;
    } rows[] = {
        {"\"\"", ""},
        {"\"a\\u0041\\n\\/\\\\\"", "aA\n/\\"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\ud800\\ud800x\"", "\xef\xbf\xbd\xef\xbf\xbdx"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *text = json_string_decode(span_of(rows[i].literal));

        assert_non_null(text);
        assert_string_equal(text, rows[i].text);
    }
    assert_null(json_string_decode(span_of("\"a\\u0000b\"")));
    assert_null(json_string_decode(span_of("1")));
}

/* Every byte, at every place of texts of every length, between all kinds of others. */
static void plain_text_is_passed_over_to_its_end(void **state)
{
    char text[20];

    (void)state;
    for (size_t length = 0; length <= sizeof(text); length++) {
        for (int first = 0; first < 256; first++) {
            bool plain = first >= 0x20 && first < 0x80 && first != '"' && first != '\\';

            for (size_t place = 0; place < length; place++) {
                memset(text, ' ', length);
                text[place] = (char)first;
                assert_int_equal(json_plain_run(text, length), plain ? length : place);
                memset(text + place + 1, '"', length - place - 1);
                assert_int_equal(json_plain_run(text, length), place + plain);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_values),
        cmocka_unit_test(invalid_values),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(a_fault_says_where),
        cmocka_unit_test(elements_are_visited_until_told_otherwise),
        cmocka_unit_test(literals_are_written),
        cmocka_unit_test(literals_are_decoded),
        cmocka_unit_test(plain_text_is_passed_over_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
