/* The broker's messages; see message.h. */
#include "runner/host/message.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"

static const struct {
    const char *name;
    enum message_type type;
    bool needs_task, needs_offer;
} types[] = {
    {"broker:inforequest", MESSAGE_INFO_REQUEST, false, false},
    {"broker:runnerregistered", MESSAGE_RUNNER_REGISTERED, false, false},
    {"broker:taskofferaccept", MESSAGE_TASK_OFFER_ACCEPT, true, true},
    {"broker:tasksettings", MESSAGE_TASK_SETTINGS, true, false},
    {"broker:taskcancel", MESSAGE_TASK_CANCEL, true, false},
    {"broker:rpcresponse", MESSAGE_RPC_RESPONSE, false, false},
    {"broker:taskdataresponse", MESSAGE_TASK_DATA_RESPONSE, false, false},
    {"broker:drain", MESSAGE_DRAIN, false, false},
};

enum want {
    WANT_TYPE,
    WANT_TASK_ID,
    WANT_OFFER_ID,
    WANT_REASON,
    WANT_SETTINGS,
    WANT_CODE,
    WANT_NODE_MODE,
    WANT_ITEMS,
    WANT_CONTINUE,
    WANT_WORKFLOW_NAME,
    WANT_WORKFLOW_ID,
    WANT_NODE_NAME,
    WANT_NODE_ID,
    WANT_COUNT,
};

static const char *const paths[WANT_COUNT] = {
    [WANT_TYPE] = "type",
    [WANT_TASK_ID] = "taskId",
    [WANT_OFFER_ID] = "offerId",
    [WANT_REASON] = "reason",
    [WANT_SETTINGS] = "settings",
    [WANT_CODE] = "settings.code",
    [WANT_NODE_MODE] = "settings.nodeMode",
    [WANT_ITEMS] = "settings.items",
    [WANT_CONTINUE] = "settings.continueOnFail",
    [WANT_WORKFLOW_NAME] = "settings.workflowName",
    [WANT_WORKFLOW_ID] = "settings.workflowId",
    [WANT_NODE_NAME] = "settings.nodeName",
    [WANT_NODE_ID] = "settings.nodeId",
};

static char *text_of(const struct json_want *want)
{
    return want->type == JSON_STRING ? json_string_decode(want->value) : NULL;
}

static char *name_of(const struct json_want *want)
{
    char *text = text_of(want);

    return text ? text : mem_dup("Unknown");
}

static char *mode_problem(const struct json_want *mode, struct task_settings *settings)
{
    AUTO_FREE char *text = text_of(mode);

    if (text && strcmp(text, "runOnceForEachItem") == 0)
        settings->each = true;
    else if (!text || strcmp(text, "runOnceForAllItems") != 0)
        return mem_format(
            "The task's settings make no sense: `nodeMode` is %.*s, and must be "
            "\"runOnceForAllItems\" or \"runOnceForEachItem\"",
            mode->type == JSON_NONE ? 7 : (int)(mode->value.length < 80 ? mode->value.length : 80),
            mode->type == JSON_NONE ? "missing" : mode->value.at);
    return NULL;
}

static void read_settings(struct task_settings *settings, const struct json_want *wants)
{
    settings->raw = wants[WANT_SETTINGS].value;
    settings->code = wants[WANT_CODE].value;
    settings->continue_on_fail = wants[WANT_CONTINUE].type == JSON_TRUE;
    settings->workflow_name = name_of(&wants[WANT_WORKFLOW_NAME]);
    settings->workflow_id = name_of(&wants[WANT_WORKFLOW_ID]);
    settings->node_name = name_of(&wants[WANT_NODE_NAME]);
    settings->node_id = name_of(&wants[WANT_NODE_ID]);
    if (wants[WANT_SETTINGS].type != JSON_OBJECT)
        settings->problem = mem_dup("The task came without settings: `settings` must be an object");
    else if (wants[WANT_CODE].type != JSON_STRING)
        settings->problem = mem_dup("The task's settings make no sense: `code` must be a string");
    else if (wants[WANT_ITEMS].type != JSON_ARRAY)
        settings->problem = mem_dup("The task's settings make no sense: `items` must be a list");
    else
        settings->problem = mode_problem(&wants[WANT_NODE_MODE], settings);
}

static int read_type(struct message *message, struct error **err)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (strcmp(message->type_name, types[i].name) != 0)
            continue;
        message->type = types[i].type;
        if (types[i].needs_task && !message->task_id)
            return error_set(err, "`%s` without a taskId", message->type_name);
        if (types[i].needs_offer && !message->offer_id)
            return error_set(err, "`%s` without an offerId", message->type_name);
    }
    return 0;
}

int message_read(struct message *message, struct span text, struct error **err)
{
    struct json_want wants[WANT_COUNT];
    struct json_fault fault = {0};
    enum json_type type;

    *message = (struct message){.text = text, .file = -1};
    for (size_t i = 0; i < WANT_COUNT; i++)
        wants[i] = (struct json_want){.path = paths[i]};
    type = json_span_read(text, wants, WANT_COUNT, &fault);
    if (type == JSON_NONE)
        return error_set(err, "it is not valid JSON: %s at byte %zu", fault.what, fault.at);
    message->type_name = type == JSON_OBJECT ? text_of(&wants[WANT_TYPE]) : NULL;
    if (!message->type_name)
        return error_set(err, "it is no object with a `type`");
    message->task_id = text_of(&wants[WANT_TASK_ID]);
    message->offer_id = text_of(&wants[WANT_OFFER_ID]);
    message->reason = text_of(&wants[WANT_REASON]);
    if (read_type(message, err) < 0) {
        message_free(message);
        return -1;
    }
    if (message->type == MESSAGE_TASK_SETTINGS)
        read_settings(&message->settings, wants);
    return 0;
}

void task_settings_free(struct task_settings *settings)
{
    free(settings->workflow_name);
    free(settings->workflow_id);
    free(settings->node_name);
    free(settings->node_id);
    free(settings->problem);
    *settings = (struct task_settings){0};
}

void message_free(struct message *message)
{
    free(message->type_name);
    free(message->task_id);
    free(message->offer_id);
    free(message->reason);
    task_settings_free(&message->settings);
    *message = (struct message){.file = -1};
}

/* ---- outgoing ---- */

static void add_string(struct buf *out, const char *before, const char *text)
{
    buf_add_text(out, before);
    json_string_add(out, text, strlen(text));
}

/* Ends a message of a few hundred bytes, for which there is memory, or for nothing (see mem.h):
 * without it the broker and we would not be of one mind. */
static void end_small(struct buf *out)
{
    buf_add_char(out, '}');
    if (buf_failed(out))
        mem_exhausted();
}

void message_info(struct buf *out)
{
    add_string(out, "{\"type\":\"runner:info\",\"name\":", "Python Task Runner");
    add_string(out, ",\"types\":[", "python");
    buf_add_char(out, ']');
    end_small(out);
}

void message_offer(struct buf *out, const char *offer_id, int valid_for_ms)
{
    add_string(out, "{\"type\":\"runner:taskoffer\",\"offerId\":", offer_id);
    add_string(out, ",\"taskType\":", "python");
    buf_add_format(out, ",\"validFor\":%d", valid_for_ms);
    end_small(out);
}

void message_accepted(struct buf *out, const char *task_id)
{
    add_string(out, "{\"type\":\"runner:taskaccepted\",\"taskId\":", task_id);
    end_small(out);
}

void message_rejected(struct buf *out, const char *task_id, const char *reason)
{
    add_string(out, "{\"type\":\"runner:taskrejected\",\"taskId\":", task_id);
    add_string(out, ",\"reason\":", reason);
    end_small(out);
}

void message_print(struct buf *out, const char *call_id, const char *task_id, struct span params)
{
    add_string(out, "{\"type\":\"runner:rpc\",\"callId\":", call_id);
    add_string(out, ",\"taskId\":", task_id);
    buf_add_text(out, ",\"name\":\"logNodeOutput\",\"params\":");
    buf_add(out, params.at, params.length);
    buf_add_char(out, '}');
}

void message_done(struct buf *out, const char *task_id, struct buf *result)
{
    AUTO_BUF struct buf head = {0};

    add_string(&head, "{\"type\":\"runner:taskdone\",\"taskId\":", task_id);
    buf_add_text(&head, ",\"data\":{\"result\":");
    *out = buf_steal(result);
    buf_reserve(out, head.length + 2);
    buf_add_before(out, head.data, head.length);
    buf_add_text(out, "}}");
    out->failed |= buf_failed(&head);
}

static void add_span(struct buf *out, const char *before, struct span value)
{
    if (!value.length)
        return;
    buf_add_text(out, before);
    buf_add(out, value.at, value.length);
}

void message_error(struct buf *out, const char *task_id, const struct task_error *error)
{
    add_string(out, "{\"type\":\"runner:taskerror\",\"taskId\":", task_id);
    add_span(out, ",\"error\":{\"message\":", error->message);
    add_span(out, ",\"description\":", error->description);
    add_span(out, ",\"lineNumber\":", error->line_number);
    add_span(out, ",\"itemIndex\":", error->item_index);
    buf_add_text(out, "}}");
}

void message_settings(struct buf *out, const char *code, size_t code_length, bool each,
                      struct span items, struct span query)
{
    buf_add_text(out, "{\"code\":");
    json_string_add(out, code, code_length);
    buf_add_format(out, ",\"nodeMode\":\"runOnceFor%s\"", each ? "EachItem" : "AllItems");
    add_span(out, ",\"items\":", items);
    add_span(out, ",\"query\":", query);
    buf_add_char(out, '}');
}
