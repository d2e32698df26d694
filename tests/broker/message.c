/*
 * Owns the table of what a runner may say. A message is walked once; its values stay where they
 * are, so that results are reported byte for byte.
 */
#include "tests/broker/message.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "tests/broker/bench.h"
#include "tests/broker/broker.h"
#include "tests/broker/event.h"
#include "tests/broker/fields.h"
#include "tests/broker/offer.h"
#include "tests/broker/peer.h"
#include "tests/broker/task.h"

enum field {
    FIELD_TYPE,
    FIELD_TASK_ID,
    FIELD_OFFER_ID,
    FIELD_TASK_TYPE,
    FIELD_VALID_FOR,
    FIELD_REASON,
    FIELD_DATA,
    FIELD_ERROR,
    FIELD_NAME,
    FIELD_TYPES,
    FIELD_PARAMS,
    FIELD_CALL_ID,
    FIELDS
};

static const struct json_want wanted[FIELDS] = {
    [FIELD_TYPE] = {"type", 0, {0}},          [FIELD_TASK_ID] = {"taskId", 0, {0}},
    [FIELD_OFFER_ID] = {"offerId", 0, {0}},   [FIELD_TASK_TYPE] = {"taskType", 0, {0}},
    [FIELD_VALID_FOR] = {"validFor", 0, {0}}, [FIELD_REASON] = {"reason", 0, {0}},
    [FIELD_DATA] = {"data", 0, {0}},          [FIELD_ERROR] = {"error", 0, {0}},
    [FIELD_NAME] = {"name", 0, {0}},          [FIELD_TYPES] = {"types", 0, {0}},
    [FIELD_PARAMS] = {"params", 0, {0}},      [FIELD_CALL_ID] = {"callId", 0, {0}},
};

struct message {
    struct broker *broker;
    struct peer *peer;
    int64_t at_us; /* when its last byte was here */
    struct span text;
    struct json_want fields[FIELDS];
    struct task *task; /* the one it is about; NULL: unknown */
};

static void begin(struct buf *line, const struct message *message, const char *event)
{
    event_begin(line, message->broker, event);
    event_text(line, "runner", peer_id(message->peer));
}

static void add(struct buf *line, const struct message *message, enum field field)
{
    event_json(line, wanted[field].path, field_json(&message->fields[field]));
}

static bool in_bench(const struct message *message)
{
    return message->task && task_flags(message->task) & TASK_BENCH;
}

static void info(const struct message *message)
{
    AUTO_BUF struct buf line = {0};

    begin(&line, message, "registered");
    add(&line, message, FIELD_NAME);
    add(&line, message, FIELD_TYPES);
    event_end(&line);
    peer_set_registered(message->peer);
    peer_send_text(message->peer, "{\"type\":\"broker:runnerregistered\"}");
}

static void offered(const struct message *message)
{
    AUTO_FREE char *id = field_text(&message->fields[FIELD_OFFER_ID]);
    AUTO_BUF struct buf line = {0};

    if (!message->broker->bench) {
        begin(&line, message, "offer");
        add(&line, message, FIELD_OFFER_ID);
        add(&line, message, FIELD_VALID_FOR);
        add(&line, message, FIELD_TASK_TYPE);
        event_end(&line);
    }
    if (!id)
        return;
    offer_add(message->broker, message->peer, id,
              field_number(&message->fields[FIELD_VALID_FOR], 0));
    task_match(message->broker);
}

static void accepted(const struct message *message)
{
    AUTO_BUF struct buf line = {0};

    if (!in_bench(message)) {
        begin(&line, message, "accepted");
        add(&line, message, FIELD_TASK_ID);
        event_end(&line);
    }
    if (message->task)
        task_accepted(message->broker, message->task);
}

static void rejected(const struct message *message)
{
    AUTO_BUF struct buf line = {0};

    if (!in_bench(message)) {
        begin(&line, message, "rejected");
        add(&line, message, FIELD_TASK_ID);
        add(&line, message, FIELD_REASON);
        event_end(&line);
    }
    if (message->task)
        task_rejected(message->broker, message->task);
}

static void answer_rpc(const struct message *message)
{
    struct span call = field_json(&message->fields[FIELD_CALL_ID]);
    struct span task = field_json(&message->fields[FIELD_TASK_ID]);
    AUTO_BUF struct buf answer = {0};

    if (!call.at || !task.at)
        return;
    peer_message(&answer);
    buf_add_text(&answer, "{\"type\":\"broker:rpcresponse\",\"callId\":");
    buf_add(&answer, call.at, call.length);
    buf_add_text(&answer, ",\"taskId\":");
    buf_add(&answer, task.at, task.length);
    buf_add_text(&answer, ",\"status\":\"success\",\"data\":null}");
    peer_send(message->peer, &answer, 0, 0);
}

static void called(const struct message *message)
{
    AUTO_BUF struct buf line = {0};

    if (!in_bench(message)) {
        begin(&line, message, "rpc");
        add(&line, message, FIELD_TASK_ID);
        add(&line, message, FIELD_NAME);
        add(&line, message, FIELD_PARAMS);
        add(&line, message, FIELD_CALL_ID);
        event_end(&line);
    }
    /* As in n8n, answers stop once the task is done. */
    if (message->task && !message->broker->rpc_unanswered)
        answer_rpc(message);
}

/* How long the task has had its settings; JSON null when it never got any. */
static void add_duration(struct buf *line, const struct message *message)
{
    int64_t start = message->task ? task_settings_us(message->task) : 0;

    if (start)
        event_decimal(line, "settingsToDoneMs", (double)(message->at_us - start) / 1000);
    else
        event_text(line, "settingsToDoneMs", NULL);
}

static void ended(const struct message *message, const char *event, enum field field)
{
    struct span value = field_json(&message->fields[field]);
    struct broker *broker = message->broker;
    AUTO_BUF struct buf line = {0};

    if (in_bench(message)) {
        int64_t latency = message->at_us - task_settings_us(message->task);

        task_end(broker, message->task);
        bench_ended(broker, field == FIELD_DATA ? latency : -1, value);
        return;
    }
    begin(&line, message, event);
    add(&line, message, FIELD_TASK_ID);
    add_duration(&line, message);
    event_integer(&line, "size", (long long)value.length);
    if (!message->task || !(task_flags(message->task) & TASK_QUIET))
        add(&line, message, field);
    event_end(&line);
    if (message->task)
        task_end(broker, message->task);
}

static void done(const struct message *message)
{
    ended(message, "done", FIELD_DATA);
}

static void failed(const struct message *message)
{
    ended(message, "error", FIELD_ERROR);
}

static const struct {
    const char *type;
    void (*handle)(const struct message *message);
} handlers[] = {
    {"runner:info", info},
    {"runner:taskoffer", offered},
    {"runner:taskaccepted", accepted},
    {"runner:taskrejected", rejected},
    {"runner:rpc", called},
    {"runner:taskdone", done},
    {"runner:taskerror", failed},
};

static void report_raw(const struct message *message, const char *event)
{
    AUTO_BUF struct buf line = {0};

    begin(&line, message, event);
    event_json(&line, "raw", message->text);
    event_end(&line);
}

static void report_invalid(const struct message *message, const struct json_fault *fault)
{
    enum { SHOWN = 200 };
    struct span start = message->text;
    AUTO_BUF struct buf line = {0};

    if (start.length > SHOWN)
        start.length = SHOWN;
    begin(&line, message, "invalid");
    event_text(&line, "reason", fault->what);
    event_integer(&line, "at", (long long)fault->at);
    event_integer(&line, "size", (long long)message->text.length);
    event_bytes(&line, "start", start);
    event_end(&line);
}

void message_received(struct broker *broker, struct peer *peer, struct span text)
{
    struct message message = {.broker = broker, .peer = peer, .at_us = clock_us(), .text = text};
    struct json_fault fault = {0};
    AUTO_FREE char *type = NULL;
    AUTO_FREE char *task_id = NULL;

    memcpy(message.fields, wanted, sizeof(wanted));
    if (json_span_read(text, message.fields, FIELDS, &fault) == JSON_NONE) {
        report_invalid(&message, &fault);
        return;
    }
    type = field_text(&message.fields[FIELD_TYPE]);
    if (!peer_is_registered(peer) && (!type || strcmp(type, "runner:info") != 0)) {
        report_raw(&message, "dropped");
        return;
    }
    task_id = field_text(&message.fields[FIELD_TASK_ID]);
    message.task = task_find(broker, task_id);
    if (message.task && task_peer(message.task) != peer)
        message.task = NULL; /* not this runner's */
    for (size_t i = 0; type && i < ARRAY_COUNT(handlers); i++) {
        if (strcmp(type, handlers[i].type) == 0) {
            handlers[i].handle(&message);
            return;
        }
    }
    report_raw(&message, "message");
}
