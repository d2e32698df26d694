/* Gathering bursts of the same line, by a clock of the test's own. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "runner/base/log_burst.h"
#include "runner/base/mem.h"

enum { SECOND = 1000 * 1000 };

static bool passes(struct log_burst *burst, const char *format, const char *text, int64_t now)
{
    return log_burst_passes(burst, LOG_LEVEL_WARN, format, text, now);
}

static void assert_taken(struct log_burst *burst, bool all, int64_t now, const char *text)
{
    enum log_level level = LOG_LEVEL_DEBUG;
    char *line = log_burst_take(burst, all, now, &level);

    if (!text) {
        assert_null(line);
        return;
    }
    assert_non_null(line);
    assert_string_equal(line, text);
    assert_int_equal(level, LOG_LEVEL_WARN);
    free(line);
}

static void the_first_pass_and_the_others_are_counted(void **state)
{
    struct log_burst *burst = log_burst_new();

    (void)state;
    for (int i = 0; i < LOG_BURST_LINES; i++)
        assert_true(passes(burst, "task %d", "task 1", 100 + i));
    assert_int_equal(log_burst_due(burst), -1);
    for (int i = 0; i < 1234; i++)
        assert_false(passes(burst, "task %d", i < 1233 ? "task 2" : "task 3", 200));
    assert_int_equal(log_burst_due(burst), 100 + LOG_BURST_US);
    assert_taken(burst, false, 100 + LOG_BURST_US - 1, NULL);
    assert_taken(burst, false, 100 + LOG_BURST_US + 7,
                 "... and 1,234 more like it in 10 s, the last: task 3");
    assert_taken(burst, true, 100 + LOG_BURST_US + 8, NULL);
    assert_int_equal(log_burst_due(burst), -1);
    log_burst_free(&burst);
    assert_null(burst);
}

static void a_burst_that_goes_on_is_said_again(void **state)
{
    struct log_burst *burst = log_burst_new();

    (void)state;
    for (int round = 0; round < 3; round++) {
        int64_t began = round * (int64_t)LOG_BURST_US;

        for (int i = 0; i < LOG_BURST_LINES + 2; i++)
            assert_int_equal(passes(burst, "a %s", "a b", began), i < LOG_BURST_LINES);
        assert_taken(burst, false, began + LOG_BURST_US,
                     "... and 2 more like it in 10 s, the last: a b");
    }
    log_burst_free(&burst);
}

static void few_lines_are_never_gathered(void **state)
{
    struct log_burst *burst = log_burst_new();

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_true(passes(burst, "rare", "rare", i * (int64_t)(3 * SECOND)));
    assert_taken(burst, true, 1000LL * SECOND, NULL);
    log_burst_free(&burst);
}

static void kinds_are_counted_apart(void **state)
{
    struct log_burst *burst = log_burst_new();
    char copy[] = "one %s"; /* another address, as in another file */

    (void)state;
    for (int i = 0; i < LOG_BURST_LINES; i++) {
        assert_true(passes(burst, "one %s", "one a", SECOND));
        assert_true(passes(burst, "two %s", "two a", 2 * SECOND));
        assert_true(log_burst_passes(burst, LOG_LEVEL_ERROR, "one %s", "one a", SECOND));
    }
    assert_false(passes(burst, copy, "one b", SECOND));
    assert_false(passes(burst, "two %s", "two b", 2 * SECOND));
    assert_int_equal(log_burst_due(burst), SECOND + LOG_BURST_US);
    assert_taken(burst, false, SECOND + LOG_BURST_US,
                 "... and 1 more like it in 10 s, the last: one b");
    assert_int_equal(log_burst_due(burst), 2 * SECOND + LOG_BURST_US);
    assert_taken(burst, true, 5 * SECOND, "... and 1 more like it in 3 s, the last: two b");
    log_burst_free(&burst);
}

static void without_words_of_its_own_a_format_says_nothing(void **state)
{
    static const char *const formats[] = {"%s", "%.*s", "%s: %s", "%%%5lld"};
    static const char *const texts[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct log_burst *burst = log_burst_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
        for (size_t j = 0; j < ARRAY_COUNT(texts); j++)
            assert_true(passes(burst, formats[i], texts[j], 0));
    assert_true(passes(burst, "%s", "a", 0)); /* its fifth */
    assert_false(passes(burst, "%s", "a", 0));
    log_burst_free(&burst);
}

static void more_kinds_than_there_is_room_for_are_written(void **state)
{
    struct log_burst *burst = log_burst_new();
    char text[24];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "line %d", i);
        assert_true(passes(burst, "%s", text, 0));
    }
    assert_true(passes(burst, "%s", "line 999", LOG_BURST_US)); /* the old ones make room */
    for (int i = 1; i < LOG_BURST_LINES; i++)
        assert_true(passes(burst, "%s", "line 999", LOG_BURST_US));
    assert_false(passes(burst, "%s", "line 999", LOG_BURST_US));
    log_burst_free(&burst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_pass_and_the_others_are_counted),
        cmocka_unit_test(a_burst_that_goes_on_is_said_again),
        cmocka_unit_test(few_lines_are_never_gathered),
        cmocka_unit_test(kinds_are_counted_apart),
        cmocka_unit_test(without_words_of_its_own_a_format_says_nothing),
        cmocka_unit_test(more_kinds_than_there_is_room_for_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
