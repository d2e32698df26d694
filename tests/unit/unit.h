/* What every unit test includes: cmocka and what it needs before it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A buf's content is exactly this text. */
#define assert_buf(buf, text)                                                                      \
    do {                                                                                           \
        assert_int_equal((buf)->length, strlen(text));                                             \
        assert_memory_equal((buf)->data, text, (buf)->length);                                     \
    } while (0)

#endif
