/* Which compiled code is found again, and which makes room. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "runner/base/buf.h"
#include "runner/host/code_cache.h"

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void assert_found(struct code_cache *cache, const char *source, bool each, const char *code)
{
    struct span found = code_cache_find(cache, span_of(source), each);

    assert_int_equal(found.length, strlen(code));
    assert_memory_equal(found.at, code, found.length);
}

static void code_is_found_by_every_byte_and_its_mode(void **state)
{
    struct code_cache *cache = code_cache_new();

    (void)state;
    assert_found(cache, "\"a\"", false, "");
    code_cache_keep(cache, span_of("\"a\""), false, span_of("A"));
    code_cache_keep(cache, span_of("\"b\""), false, span_of("B"));
    assert_found(cache, "\"a\"", false, "A");
    assert_found(cache, "\"b\"", false, "B");
    assert_found(cache, "\"a\"", true, "");
    assert_found(cache, "\"a\" ", false, "");
    assert_found(cache, "\"A\"", false, "");
    assert_found(cache, "", false, "");
    code_cache_keep(cache, span_of("\"a\""), true, span_of("each"));
    assert_found(cache, "\"a\"", true, "each");
    assert_found(cache, "\"a\"", false, "A");
    code_cache_drop(&cache);
    assert_null(cache);
    code_cache_drop(&cache);
}

static void kept_again_it_is_the_later_one(void **state)
{
    struct code_cache *cache = code_cache_new();

    (void)state;
    code_cache_keep(cache, span_of("a"), false, span_of("first"));
    code_cache_keep(cache, span_of("a"), false, span_of("second"));
    assert_found(cache, "a", false, "second");
    code_cache_keep(cache, span_of("a"), false, span_of(""));
    assert_found(cache, "a", false, "second");
    code_cache_clear(cache);
    assert_found(cache, "a", false, "");
    code_cache_keep(cache, span_of("a"), false, span_of("third"));
    assert_found(cache, "a", false, "third");
    code_cache_drop(&cache);
}

static void keep_number(struct code_cache *cache, int number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    code_cache_keep(cache, span_of(text), false, span_of(text));
}

static bool has_number(struct code_cache *cache, int number)
{
    char text[16];
    struct span found;

    snprintf(text, sizeof(text), "%d", number);
    found = code_cache_find(cache, span_of(text), false);
    return found.length == strlen(text) && memcmp(found.at, text, found.length) == 0;
}

static void of_too_many_the_longest_unused_goes(void **state)
{
    struct code_cache *cache = code_cache_new();

    (void)state;
    for (int i = 0; i < 500; i++)
        keep_number(cache, i);
    assert_true(has_number(cache, 0));
    keep_number(cache, 500);
    assert_true(has_number(cache, 0));
    assert_false(has_number(cache, 1));
    for (int i = 2; i <= 500; i++)
        assert_true(has_number(cache, i));
    for (int i = 501; i < 2000; i++)
        keep_number(cache, i);
    assert_false(has_number(cache, 0));
    for (int i = 1500; i < 2000; i++)
        assert_true(has_number(cache, i));
    code_cache_drop(&cache);
}

static void of_too_much_the_longest_unused_goes(void **state)
{
    struct code_cache *cache = code_cache_new();
    AUTO_BUF struct buf large = {0};

    (void)state;
    assert_non_null(buf_reserve(&large, 1 << 20));
    memset(large.data, 'x', 1 << 20);
    keep_number(cache, 1);
    for (size_t i = 0; i < 5; i++) /* 4 MB are kept: the first and the small one go */
        code_cache_keep(cache, (struct span){large.data, 1000 + i}, false,
                        (struct span){large.data, 1000 * 1000});
    assert_false(has_number(cache, 1));
    assert_int_equal(code_cache_find(cache, (struct span){large.data, 1000}, false).length, 0);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(code_cache_find(cache, (struct span){large.data, 1000 + i}, false).length,
                         1000 * 1000);
    code_cache_drop(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_is_found_by_every_byte_and_its_mode),
        cmocka_unit_test(kept_again_it_is_the_later_one),
        cmocka_unit_test(of_too_many_the_longest_unused_goes),
        cmocka_unit_test(of_too_much_the_longest_unused_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
