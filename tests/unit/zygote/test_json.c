/* JSON to objects and back. */
#include "tests/unit/zygote/python.h"

#include <stdlib.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"
#include "runner/base/mem.h"
#include "runner/zygote/json_read.h"
#include "runner/zygote/json_write.h"

static PyObject *evaluate(const char *expression)
{
    PyObject *globals = PyDict_New(), *value;

    PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins());
    value = PyRun_String(expression, Py_eval_input, globals, globals);
    Py_DECREF(globals);
    if (!value)
        PyErr_Print();
    assert_non_null(value);
    return value;
}

static void texts_survive_the_trip(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "[]",
        "{}",
        "[1,-1,0,9007199254740993,100000000000000000000000000000]",
        "[0.1,1e+300,-0.0,1.5]",
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\\u0000\\u001f\\\"\\\\\"",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"\":\"\"}",
        "\"\\ud800\"",
        "\"\\udc00x\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        AUTO_BUF struct buf out = {0};
        PyObject *value = json_read(texts[i], strlen(texts[i]));

        assert_non_null(value);
        assert_int_equal(json_write(&out, value), 0);
        assert_buf(&out, texts[i]);
        Py_DECREF(value);
    }
}

static void what_repeats_is_one_string(void **state)
{
    static const char text[] = "[\"status\",\"status\",\"status2\",\"a long text of its own is not "
                               "kept, since it hardly comes "
                               "again, you see\",\"a long text of its own is not kept, since it "
                               "hardly comes again, you see\"]";
    PyObject *list = json_read(text, sizeof(text) - 1);

    (void)state;
    assert_non_null(list);
    assert_ptr_equal(PyList_GET_ITEM(list, 0), PyList_GET_ITEM(list, 1));
    assert_ptr_not_equal(PyList_GET_ITEM(list, 0), PyList_GET_ITEM(list, 2));
    assert_ptr_not_equal(PyList_GET_ITEM(list, 3), PyList_GET_ITEM(list, 4));
    Py_DECREF(list);
}

/* Every length around eight bytes and the end of the text, and every byte that stops a scan. */
static void strings_of_every_length_are_read_and_written(void **state)
{
    static const char *const stops[] = {"", "\\\"", "\\\\", "\\n", "\xc3\xa9", "\\u0001"};

    (void)state;
    for (size_t length = 0; length < 80; length++)
        for (size_t i = 0; i < ARRAY_COUNT(stops); i++) {
            AUTO_BUF struct buf text = {0}, out = {0};
            PyObject *value;

            buf_add_char(&text, '"');
            for (size_t n = 0; n < length; n++)
                buf_add_char(&text, (char)('a' + n % 26));
            buf_add_text(&text, stops[i]);
            buf_add_text(&text, "z\"");
            value = json_read(text.data, text.length);
            assert_non_null(value);
            assert_int_equal(json_write(&out, value), 0);
            assert_int_equal(out.length, text.length);
            assert_memory_equal(out.data, text.data, text.length);
            Py_DECREF(value);
            /* without its end it is none, wherever that is */
            assert_null(json_read(text.data, text.length - 1));
            PyErr_Clear();
        }
}

static void what_is_no_json_is_an_error(void **state)
{
    static const char *const texts[] = {"", "[", "[1,]", "{\"a\"}", "\"", "\"\\x\"", "01", "1 2",
                                        "nul", "[1}", "NaN", "\"\x01\"", "{1:2}",
                                        /* what is not UTF-8, beside an escape and alone */
                                        "\"\\n\x80\"", "\"\\n\xc0\xaf\"", "\"\\n\xed\xa0\x80\"",
                                        "\"\\n\xf4\x90\x80\x80\"", "\"\\n\xc3\"", "\"\xc0\xaf\""};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (json_read(texts[i], strlen(texts[i])))
            fail_msg("%s is no JSON", texts[i]);
        Py_DECREF(take_exception());
    }
}

static void the_last_of_two_keys_counts(void **state)
{
    PyObject *value = json_read("{\"a\":1,\"a\":2}", 13);

    (void)state;
    assert_int_equal(PyLong_AsLong(PyDict_GetItemString(value, "a")), 2);
    Py_DECREF(value);
}

static void values_as_json(void **state)
{
    static const struct {
        const char *expression, *json;
    } rows[] = {
        {"float('nan')", "null"},
        {"[float('inf'), -float('inf')]", "[null,null]"},
        {"(1, (2,))", "[1,[2]]"},
        {"{2: 1, 1.5: 2, True: 3, None: 4}", "{\"2\":1,\"1.5\":2,\"true\":3,\"null\":4}"},
        {"{(1, 2): 3}", "{\"(1, 2)\":3}"},
        {"b'x'", "\"b'x'\""},
        {"1j", "\"1j\""},
        {"10**30", "1000000000000000000000000000000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_BUF struct buf out = {0};
        PyObject *value = evaluate(rows[i].expression);

        assert_int_equal(json_write(&out, value), 0);
        assert_buf(&out, rows[i].json);
        Py_DECREF(value);
    }
}

static void what_contains_itself_is_an_error(void **state)
{
    AUTO_BUF struct buf out = {0};
    PyObject *list = PyList_New(0), *text;

    (void)state;
    PyList_Append(list, list);
    assert_int_equal(json_write(&out, list), -1);
    text = take_exception();
    assert_non_null(strstr(PyUnicode_AsUTF8(text), "ircular"));
    Py_DECREF(text);
    PyList_SetSlice(list, 0, 1, NULL);
    Py_DECREF(list);
}

static void too_deep_is_an_error(void **state)
{
    AUTO_BUF struct buf out = {0};
    PyObject *value = PyList_New(0);

    (void)state;
    for (int i = 0; i < JSON_WRITE_DEPTH + 1; i++)
        value = Py_BuildValue("[N]", value);
    assert_int_equal(json_write(&out, value), -1);
    Py_DECREF(take_exception());
    Py_DECREF(value);
}

static void arguments_of_print(void **state)
{
    static const struct {
        const char *expression, *json;
    } rows[] = {
        {"'a'", "\"'a'\""},
        {"1", "\"1\""},
        {"2.5", "\"2.5\""},
        {"True", "\"True\""},
        {"None", "\"None\""},
        {"[1, 'ü']", "\"[1, \\\"ü\\\"]\""},
        {"{'k': 1}", "\"{\\\"k\\\": 1}\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_BUF struct buf out = {0};
        PyObject *value = evaluate(rows[i].expression);

        assert_int_equal(json_write_print_argument(&out, value), 0);
        assert_buf(&out, rows[i].json);
        Py_DECREF(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_survive_the_trip),
        cmocka_unit_test(what_repeats_is_one_string),
        cmocka_unit_test(strings_of_every_length_are_read_and_written),
        cmocka_unit_test(what_is_no_json_is_an_error),
        cmocka_unit_test(the_last_of_two_keys_counts),
        cmocka_unit_test(values_as_json),
        cmocka_unit_test(what_contains_itself_is_an_error),
        cmocka_unit_test(too_deep_is_an_error),
        cmocka_unit_test(arguments_of_print),
    };

    if (python_up() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
