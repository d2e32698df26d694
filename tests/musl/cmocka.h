/* As much of cmocka as the unit tests use, for where there is no cmocka for musl. */
#ifndef TESTS_MUSL_CMOCKA_H
#define TESTS_MUSL_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        printf("%s:%d: ", __FILE__, __LINE__);                                                     \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        exit(1);                                                                                   \
    } while (0)
#define assert_true(it)                                                                            \
    do {                                                                                           \
        if (!(it))                                                                                 \
            fail_msg("%s does not hold", #it);                                                     \
    } while (0)
#define assert_false(it) assert_true(!(it))
#define assert_non_null(it) assert_true((it) != NULL)
#define assert_null(it) assert_true((it) == NULL)
#define assert_int_equal(a, b) assert_true((long long)(a) == (long long)(b))
#define assert_in_range(it, least, most)                                                           \
    do {                                                                                           \
        long long value_ = (long long)(it);                                                        \
        assert_true(value_ >= (long long)(least) && value_ <= (long long)(most));                  \
    } while (0)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_string_not_equal(a, b) assert_true(strcmp(a, b) != 0)
#define assert_memory_equal(a, b, size) assert_true(memcmp(a, b, size) == 0)

#define cmocka_unit_test(function)                                                                 \
    {                                                                                              \
#function, function                                                                        \
    }
#define cmocka_run_group_tests(tests, before, after)                                               \
    cmocka_run(tests, sizeof(tests) / sizeof((tests)[0]))

static inline int cmocka_run(const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tests[i].run(NULL);
    return 0;
}

#endif
