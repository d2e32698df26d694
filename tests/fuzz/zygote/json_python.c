/*
 * JSON text to objects and back, against Python's json: the host's check, our reader and json.loads
 * take the same texts and make the same objects; what is written of them loads as the same; print
 * shows what json.dumps writes.
 *
 * Where we differ on purpose: NaN and the infinities by name are no JSON; 1e999, which is read as
 * an infinity, is written as null; text deeper than JSON_DEPTH_MAX is not read, and values deeper
 * than JSON_WRITE_DEPTH are not written.
 */
#include "tests/fuzz/zygote/reference.h"

#include "runner/base/buf.h"
#include "runner/base/json_span.h"
#include "runner/zygote/json_read.h"
#include "runner/zygote/json_write.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammar.h"

static void check_refusal(struct span text)
{
    bool too_deep;
    PyObject *theirs;

    MUST(PyErr_ExceptionMatches(PyExc_ValueError), "what is no JSON is a ValueError");
    PyErr_Clear();
    theirs = reference_loads(text, &too_deep);
    MUST(!theirs || reference_depth(theirs) > JSON_DEPTH_MAX, "json.loads refuses it, too");
    Py_XDECREF(theirs);
}

static void check_written(PyObject *value, bool fits)
{
    AUTO_BUF struct buf out = {0};
    bool too_deep;
    PyObject *again;

    if (json_write(&out, value) < 0) {
        MUST(!fits && PyErr_ExceptionMatches(PyExc_ValueError), "only what is too deep is refused");
        PyErr_Clear();
        return;
    }
    MUST(fits, "what is too deep is refused");
    MUST(json_span_check(span_of_buf(&out)), "the host takes what is written");
    again = reference_loads(span_of_buf(&out), &too_deep);
    MUST(again || too_deep, "so does json.loads");
    MUST(!again || reference_same(value, again, true), "as the same value");
    Py_XDECREF(again);
}

static void check_shown(PyObject *value, bool fits)
{
    AUTO_BUF struct buf out = {0};
    PyObject *ours, *theirs;

    MUST(json_write_print_argument(&out, value) == 0, "print shows every value");
    MUST(grammar_type(span_of_buf(&out)) == JSON_STRING, "as a string");
    ours = json_read(out.data, out.length);
    MUST(ours, "that can be read");
    theirs = fits ? reference_shown(value)
                  : PyUnicode_FromFormat("[Circular %s]", Py_TYPE(value)->tp_name);
    MUST(theirs && reference_same(ours, theirs, false), "as json.dumps shows it");
    Py_DECREF(ours);
    Py_DECREF(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    PyObject *ours, *theirs;
    bool too_deep;

    reference_start();
    ours = json_read(text.at, text.length);
    MUST((ours != NULL) == json_span_check(text), "host and child take the same texts");
    if (!ours) {
        check_refusal(text);
        return 0;
    }
    theirs = reference_loads(text, &too_deep);
    MUST(theirs || too_deep, "json.loads takes it, too");
    if (theirs) {
        bool fits = reference_depth(ours) <= JSON_WRITE_DEPTH;

        MUST(reference_same(ours, theirs, false), "as the same value");
        check_written(ours, fits);
        check_shown(ours, fits);
    }
    Py_DECREF(ours);
    Py_XDECREF(theirs);
    return 0;
}
