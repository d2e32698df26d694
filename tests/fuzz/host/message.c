/* The broker's messages, against the grammar: which are taken, what is found in them, and that what
 * is answered with their words is one valid message that says nothing else. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/host/message.h"
#include "tests/fuzz/grammar.h"

/* The text of a string; NULL for all else, and for a string with a NUL. free(). */
static char *text_at(struct span object, const char *key)
{
    struct span value = grammar_find(object, key);

    return value.length && grammar_type(value) == JSON_STRING ? json_string_decode(value) : NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void must_have(struct span object, const char *key, const char *text)
{
    AUTO_FREE char *found = text_at(object, key);

    MUST(same_text(found, text), "`%s` is `%s`, and not `%s`", key, text ? text : "(none)",
         found ? found : "(none)");
}

/* ---- settings ---- */

static void check_name(struct span object, const char *key, const char *name)
{
    AUTO_FREE char *found = text_at(object, key);

    MUST(same_text(name, found ? found : "Unknown"), "`%s` has its name", key);
}

static void check_settings(const struct task_settings *settings, struct span message)
{
    struct span object = grammar_find(message, "settings");
    AUTO_FREE char *mode = text_at(object, "nodeMode");
    bool each = same_text(mode, "runOnceForEachItem");
    bool sound = object.length && grammar_type(object) == JSON_OBJECT &&
                 grammar_type(grammar_find(object, "code")) == JSON_STRING &&
                 grammar_type(grammar_find(object, "items")) == JSON_ARRAY &&
                 (each || same_text(mode, "runOnceForAllItems"));
    bool goes_on = fuzz_is_text(grammar_find(object, "continueOnFail"), "true");

    MUST((settings->problem == NULL) == sound, "settings are sound or have a problem");
    MUST(settings->continue_on_fail == goes_on, "continueOnFail is what it is");
    check_name(object, "workflowName", settings->workflow_name);
    check_name(object, "workflowId", settings->workflow_id);
    check_name(object, "nodeName", settings->node_name);
    check_name(object, "nodeId", settings->node_id);
    if (!sound)
        return;
    MUST(settings->raw.at == object.at && settings->raw.length == object.length,
         "the settings are where the grammar has them");
    MUST(settings->each == each, "nodeMode is what it is");
}

/* ---- answers ---- */

static void count_member(void *owner, struct span key, struct span value)
{
    (void)key;
    (void)value;
    ++*(size_t *)owner;
}

/* One valid object of so many members: nothing in it has become a member of its own. */
static void check_answer(const struct buf *out, const char *type, const char *task_id,
                         size_t members)
{
    struct span text = span_of_buf(out);
    size_t count = 0;

    MUST(grammar_type(text) == JSON_OBJECT, "`%s` is an object", type);
    grammar_each(text, count_member, &count);
    MUST(count == members, "`%s` has %zu members, and not %zu", type, members, count);
    must_have(text, "type", type);
    must_have(text, "taskId", task_id);
}

static void check_answers(const struct message *message, struct span inside)
{
    AUTO_BUF struct buf accepted = {0}, rejected = {0}, printed = {0}, done = {0}, failed = {0};
    AUTO_BUF struct buf result = {0};
    const char *id = message->task_id, *reason = message->reason ? message->reason : "";
    struct task_error error = {.message = {"\"m\"", 3}, .description = inside};

    message_accepted(&accepted, id);
    check_answer(&accepted, "runner:taskaccepted", id, 2);
    message_rejected(&rejected, id, reason);
    check_answer(&rejected, "runner:taskrejected", id, 3);
    must_have(span_of_buf(&rejected), "reason", reason);
    message_print(&printed, reason, id, inside);
    check_answer(&printed, "runner:rpc", id, 5);
    must_have(span_of_buf(&printed), "callId", reason);
    MUST(fuzz_same(grammar_find(span_of_buf(&printed), "params"), inside), "params as they are");
    buf_add(&result, inside.at, inside.length);
    message_done(&done, id, &result);
    check_answer(&done, "runner:taskdone", id, 3);
    MUST(fuzz_same(grammar_find(grammar_find(span_of_buf(&done), "data"), "result"), inside),
         "the result as it is");
    message_error(&failed, id, &error);
    check_answer(&failed, "runner:taskerror", id, 3);
    MUST(
        fuzz_same(grammar_find(grammar_find(span_of_buf(&failed), "error"), "description"), inside),
        "the description as it is");
}

/* Any bytes can be a script's code. */
static void check_made_settings(struct span code)
{
    AUTO_BUF struct buf out = {0};
    struct span text, empty = {0};

    message_settings(&out, code.at, code.length, true, (struct span){"[]", 2}, empty);
    text = span_of_buf(&out);
    MUST(grammar_type(text) == JSON_OBJECT, "settings of one's own are an object");
    must_have(text, "nodeMode", "runOnceForEachItem");
    MUST(grammar_type(grammar_find(text, "code")) == JSON_STRING, "the code is a string");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERROR struct error *err = NULL;
    struct span text = {(const char *)data, size};
    struct message message;

    check_made_settings(text);
    if (message_read(&message, text, &err) < 0) {
        MUST(err, "a refusal says why");
        MUST(!message.type_name && !message.task_id && !message.settings.node_id,
             "nothing is left of what is refused");
        return 0;
    }
    MUST(!err, "no error on success");
    MUST(grammar_type(text) == JSON_OBJECT, "a message is an object");
    must_have(text, "type", message.type_name);
    must_have(text, "taskId", message.task_id);
    must_have(text, "offerId", message.offer_id);
    must_have(text, "reason", message.reason);
    if (message.type == MESSAGE_TASK_SETTINGS)
        check_settings(&message.settings, text);
    else
        MUST(!message.settings.problem && !message.settings.node_id, "only settings have settings");
    if (message.task_id)
        check_answers(&message, fuzz_trimmed(text));
    message_free(&message);
    return 0;
}
