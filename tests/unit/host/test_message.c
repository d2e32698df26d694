/* The broker's messages taken apart, ours put together, and what a task's end becomes. */
#include "tests/unit/unit.h"

#include <signal.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/host/message.h"
#include "runner/host/outcome.h"

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void types_are_known(void **state)
{
    static const struct {
        const char *text;
        enum message_type type;
    } rows[] = {
        {"{\"type\":\"broker:inforequest\"}", MESSAGE_INFO_REQUEST},
        {"{\"type\":\"broker:runnerregistered\"}", MESSAGE_RUNNER_REGISTERED},
        {"{\"type\":\"broker:taskofferaccept\",\"taskId\":\"t\",\"offerId\":\"o\"}",
         MESSAGE_TASK_OFFER_ACCEPT},
        {"{\"taskId\":\"t\",\"reason\":\"r\",\"type\":\"broker:taskcancel\"}", MESSAGE_TASK_CANCEL},
        {"{\"type\":\"broker:drain\"}", MESSAGE_DRAIN},
        {"{\"type\":\"broker:\\u0064rain\"}", MESSAGE_DRAIN},
        {"{\"type\":\"broker:new\"}", MESSAGE_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_ERROR struct error *err = NULL;
        struct message message;

        assert_int_equal(message_read(&message, span_of(rows[i].text), &err), 0);
        assert_int_equal(message.type, rows[i].type);
        message_free(&message);
    }
}

static void what_is_no_message_is_an_error(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"broker:drain\"",
        "{\"type\":\"broker:taskofferaccept\",\"taskId\":\"t\"}",
        "{\"type\":\"broker:taskofferaccept\",\"offerId\":\"o\",\"taskId\":7}",
        "{\"type\":\"broker:taskcancel\"}",
        "{\"type\":\"broker:tasksettings\",\"settings\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        AUTO_ERROR struct error *err = NULL;
        struct message message;

        if (message_read(&message, span_of(texts[i]), &err) == 0)
            fail_msg("%s is no message", texts[i]);
        assert_non_null(err);
    }
}

#define SETTINGS(inside)                                                                           \
    "{\"type\":\"broker:tasksettings\",\"taskId\":\"t\",\"settings\":" inside "}"

static void settings_are_read(void **state)
{
    AUTO_ERROR struct error *err = NULL;
    struct message message;

    (void)state;
    assert_int_equal(
        message_read(
            &message,
            span_of(SETTINGS("{\"code\":\"\",\"nodeMode\":\"runOnceForEachItem\",\"items\":"
                             "[],\"continueOnFail\":true,\"nodeName\":\"A \\\"b\\\"\"}")),
            &err),
        0);
    assert_string_equal(message.task_id, "t");
    assert_null(message.settings.problem);
    assert_true(message.settings.each);
    assert_true(message.settings.continue_on_fail);
    assert_string_equal(message.settings.node_name, "A \"b\"");
    assert_string_equal(message.settings.node_id, "Unknown");
    assert_string_equal(message.settings.workflow_name, "Unknown");
    assert_string_equal(message.settings.workflow_id, "Unknown");
    assert_int_equal(message.settings.raw.at[0], '{');
    message_free(&message);
}

static void senseless_settings_have_a_problem(void **state)
{
    static const char *const texts[] = {
        SETTINGS("{}"),
        SETTINGS("null"),
        SETTINGS("{\"code\":1,\"nodeMode\":\"runOnceForAllItems\",\"items\":[]}"),
        SETTINGS("{\"code\":\"\",\"nodeMode\":\"often\",\"items\":[]}"),
        SETTINGS("{\"code\":\"\",\"nodeMode\":\"runOnceForAllItems\",\"items\":{}}"),
        SETTINGS("{\"code\":\"\",\"nodeMode\":\"runOnceForAllItems\"}"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        AUTO_ERROR struct error *err = NULL;
        struct message message;

        assert_int_equal(message_read(&message, span_of(texts[i]), &err), 0);
        if (!message.settings.problem)
            fail_msg("%s makes no sense", texts[i]);
        message_free(&message);
    }
}

static void ours_are_as_the_protocol_says(void **state)
{
    AUTO_BUF struct buf out = {0};

    (void)state;
    message_info(&out);
    assert_buf(&out, "{\"type\":\"runner:info\",\"name\":\"Python Task Runner\",\"types\":"
                     "[\"python\"]}");
    buf_free(&out);
    message_offer(&out, "o", 5100);
    assert_buf(&out, "{\"type\":\"runner:taskoffer\",\"offerId\":\"o\",\"taskType\":\"python\","
                     "\"validFor\":5100}");
    buf_free(&out);
    message_accepted(&out, "t");
    assert_buf(&out, "{\"type\":\"runner:taskaccepted\",\"taskId\":\"t\"}");
    buf_free(&out);
    message_rejected(&out, "t", "a \"reason\"");
    assert_buf(&out, "{\"type\":\"runner:taskrejected\",\"taskId\":\"t\",\"reason\":"
                     "\"a \\\"reason\\\"\"}");
}

static void results_and_prints_are_put_in_as_they_are(void **state)
{
    AUTO_BUF struct buf out = {0};
    AUTO_BUF struct buf result = {0};

    (void)state;
    buf_add_text(&result, "[9007199254740993]");
    message_done(&out, "t", &result);
    assert_int_equal(result.length, 0);
    assert_true(json_span_check((struct span){out.data, out.length}));
    assert_non_null(memmem(out.data, out.length, "{\"result\":[9007199254740993]}", 29));
    buf_free(&out);
    message_print(&out, "c", "t", span_of("[\"'a'\"]"));
    assert_true(json_span_check((struct span){out.data, out.length}));
    assert_non_null(memmem(out.data, out.length, "\"name\":\"logNodeOutput\"", 22));
    assert_non_null(memmem(out.data, out.length, "\"params\":[\"'a'\"]", 16));
}

/* Is `text` in what the outcome becomes? */
static void assert_becomes(const struct outcome_context *context, struct worker_outcome *outcome,
                           const char *text)
{
    AUTO_BUF struct buf message = {0};

    outcome_message(&message, context, outcome);
    assert_true(json_span_check((struct span){message.data, message.length}));
    if (!memmem(message.data, message.length, text, strlen(text)))
        fail_msg("%s is not in %.*s", text, (int)message.length, message.data);
}

static void ends_have_their_sentences(void **state)
{
    struct outcome_context context = {.task_id = "t", .timeout_s = 1, .result_max = 10};
    struct worker_outcome outcome = {.end = WORKER_EXITED, .status = SIGKILL};

    (void)state;
    assert_becomes(&context, &outcome, "\"Process was forcefully killed (SIGKILL)\"");
    outcome.status = SIGABRT;
    assert_becomes(&context, &outcome, "\"Task subprocess exited with code -6\"");
    outcome.status = 7 << 8;
    assert_becomes(&context, &outcome, "\"Task subprocess exited with code 7\"");
    outcome.status = 0;
    assert_becomes(&context, &outcome, "\"Process completed but returned no result. ");
    outcome.end = WORKER_TOO_LARGE;
    assert_becomes(&context, &outcome, "N8N_RUNNERS_MAX_PAYLOAD");
    context.stop = TASK_TIMED_OUT;
    assert_becomes(&context, &outcome, "\"Task execution timed out after 1 second\"");
    context.timeout_s = 60;
    assert_becomes(&context, &outcome, "\"Task execution timed out after 60 seconds\"");
    context.stop = TASK_CANCELLED;
    assert_becomes(&context, &outcome, "\"Task was cancelled\"");
}

static void continue_on_fail_covers_what_it_should(void **state)
{
    static char violation[] = "violation", raised[] = "raised";
    struct outcome_context context = {.task_id = "t", .timeout_s = 2, .continue_on_fail = true};
    struct worker_outcome outcome = {
        .end = WORKER_ERROR, .kind = raised, .error = {.message = span_of("\"bad\"")}};
    const char done[] = "\"result\":[{\"json\":{\"error\":\"bad\"}}]";

    (void)state;
    assert_becomes(&context, &outcome, done);
    outcome.kind = violation;
    assert_becomes(&context, &outcome, "runner:taskerror");
    context.stop = TASK_TIMED_OUT;
    assert_becomes(&context, &outcome,
                   "[{\"json\":{\"error\":\"Task execution timed out after 2 seconds\"}}]");
    context.stop = TASK_CANCELLED;
    assert_becomes(&context, &outcome, "runner:taskerror");
    context = (struct outcome_context){.task_id = "t", .continue_on_fail = true};
    outcome = (struct worker_outcome){.end = WORKER_EXITED, .status = SIGKILL};
    assert_becomes(&context, &outcome, "runner:taskdone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_known),
        cmocka_unit_test(what_is_no_message_is_an_error),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(senseless_settings_have_a_problem),
        cmocka_unit_test(ours_are_as_the_protocol_says),
        cmocka_unit_test(results_and_prints_are_put_in_as_they_are),
        cmocka_unit_test(ends_have_their_sentences),
        cmocka_unit_test(continue_on_fail_covers_what_it_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
