/* Owns the table of commands. A line is walked once; settings are passed on byte for byte. */
#include "tests/broker/command.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/mem.h"
#include "tests/broker/bench.h"
#include "tests/broker/broker.h"
#include "tests/broker/event.h"
#include "tests/broker/fields.h"
#include "tests/broker/offer.h"
#include "tests/broker/peer.h"
#include "tests/broker/server.h"
#include "tests/broker/task.h"

enum field {
    FIELD_CMD,
    FIELD_RUNNER,
    FIELD_TASK_ID,
    FIELD_OFFER_ID,
    FIELD_SETTINGS,
    FIELD_DELAY,
    FIELD_QUIET,
    FIELD_RETRY,
    FIELD_ONE_FRAME,
    FIELD_REASON,
    FIELD_RAW,
    FIELD_HEX,
    FIELD_SIZE,
    FIELD_ON,
    FIELD_CODE,
    FIELD_WHAT,
    FIELD_STATUS,
    FIELD_COUNT,
    FIELD_MS,
    FIELD_TASKS,
    FIELD_CONCURRENCY,
    FIELDS
};

static const char *const names[FIELDS] = {
    [FIELD_CMD] = "cmd",
    [FIELD_RUNNER] = "runner",
    [FIELD_TASK_ID] = "taskId",
    [FIELD_OFFER_ID] = "offerId",
    [FIELD_SETTINGS] = "settings",
    [FIELD_DELAY] = "settingsDelayMs",
    [FIELD_QUIET] = "quiet",
    [FIELD_RETRY] = "retry",
    [FIELD_ONE_FRAME] = "oneFrame",
    [FIELD_REASON] = "reason",
    [FIELD_RAW] = "raw",
    [FIELD_HEX] = "hex",
    [FIELD_SIZE] = "size",
    [FIELD_ON] = "on",
    [FIELD_CODE] = "code",
    [FIELD_WHAT] = "what",
    [FIELD_STATUS] = "status",
    [FIELD_COUNT] = "count",
    [FIELD_MS] = "ms",
    [FIELD_TASKS] = "tasks",
    [FIELD_CONCURRENCY] = "concurrency",
};

struct command {
    struct broker *broker;
    struct json_want fields[FIELDS];
    char *name;
    char *task_id;     /* NULL: not given */
    struct peer *peer; /* the one named by "runner", else the newest; NULL: there is none */
};

static char *text(const struct command *command, enum field field)
{
    return field_text(&command->fields[field]);
}

static double number(const struct command *command, enum field field, double fallback)
{
    return field_number(&command->fields[field], fallback);
}

static bool flag(const struct command *command, enum field field, bool fallback)
{
    return field_bool(&command->fields[field], fallback);
}

static enum task_flags flags(const struct command *command)
{
    return (flag(command, FIELD_QUIET, false) ? TASK_QUIET : 0) |
           (flag(command, FIELD_RETRY, true) ? TASK_RETRY : 0) |
           (flag(command, FIELD_ONE_FRAME, false) ? TASK_ONE_FRAME : 0);
}

static void task(const struct command *command)
{
    const struct json_want *settings = &command->fields[FIELD_SETTINGS];

    task_queue(command->broker, command->task_id,
               settings->type == JSON_NULL ? (struct span){0} : field_json(settings),
               number(command, FIELD_DELAY, 0), flags(command));
}

static void accept_offer(const struct command *command)
{
    AUTO_FREE char *offer_id = text(command, FIELD_OFFER_ID);
    struct peer *owner = offer_id ? offer_take_id(command->broker, offer_id) : NULL;

    if (!offer_id || !(owner || command->peer))
        event_problem(command->broker, "accept: no offerId, or no runner");
    else
        task_accept(command->broker,
                    owner && command->fields[FIELD_RUNNER].type == JSON_NONE ? owner
                                                                             : command->peer,
                    command->task_id, offer_id);
}

/* The runner that has the task, unless the command names one. */
static struct peer *task_owner(const struct command *command)
{
    const struct task *found = task_find(command->broker, command->task_id);

    if (found && task_peer(found) && command->fields[FIELD_RUNNER].type == JSON_NONE)
        return task_peer(found);
    return command->peer;
}

static void settings(const struct command *command)
{
    const struct json_want *want = &command->fields[FIELD_SETTINGS];
    struct peer *peer = task_owner(command);

    if (!peer || want->type == JSON_NONE)
        event_problem(command->broker, "settings: no settings, or no runner");
    else
        task_settings(command->broker, peer, command->task_id, want->value, flags(command));
}

static void cancel(const struct command *command)
{
    AUTO_FREE char *reason = text(command, FIELD_REASON);

    task_cancel(command->broker, task_owner(command), command->task_id, reason ? reason : "");
}

static void send_raw(const struct command *command)
{
    bool fragmented = strcmp(command->name, "sendFragmented") == 0;
    bool binary = strcmp(command->name, "sendBinary") == 0;
    AUTO_FREE char *raw = text(command, FIELD_RAW);
    AUTO_BUF struct buf message = {0};
    double size = fragmented ? number(command, FIELD_SIZE, 1) : 0;

    if (!raw || size < 0) {
        event_problem(command->broker, "%s: raw is no string, or size is negative", command->name);
        return;
    }
    peer_message(&message);
    buf_add_text(&message, raw);
    peer_send(command->peer, &message, (size_t)size,
              (binary ? PEER_BINARY : 0) |
                  (flag(command, FIELD_ONE_FRAME, false) ? PEER_ONE_FRAME : 0));
}

static void send_bytes(const struct command *command)
{
    AUTO_FREE char *hex = text(command, FIELD_HEX);
    AUTO_BUF struct buf message = {0};

    peer_message(&message);
    for (const char *at = hex; at && at[0] && at[1]; at += 2) {
        const char digits[3] = {at[0], at[1], 0};

        buf_add_char(&message, (char)strtoul(digits, NULL, 16));
    }
    peer_send(command->peer, &message, 0, 0);
}

static void rpc_answers(const struct command *command)
{
    command->broker->rpc_unanswered = !flag(command, FIELD_ON, true);
}

static void drain(const struct command *command)
{
    peer_send_text(command->peer, "{\"type\":\"broker:drain\"}");
}

static void ping(const struct command *command)
{
    peer_ping(command->peer);
}

static void drop(const struct command *command)
{
    peer_drop(command->peer);
}

static void close_peer(const struct command *command)
{
    peer_close(command->peer, (int)number(command, FIELD_CODE, 1000));
}

static void stop_reading(const struct command *command)
{
    peer_stop_reading(command->peer, number(command, FIELD_MS, 1000));
}

static void order(const struct command *command)
{
    AUTO_FREE char *what = text(command, FIELD_WHAT);
    bool silent = strcmp(command->name, "silent") == 0;
    struct door_order *place;

    if (!what || (strcmp(what, "auth") != 0 && strcmp(what, "upgrade") != 0)) {
        event_problem(command->broker, "%s: what is neither auth nor upgrade", command->name);
        return;
    }
    place = &command->broker->door.orders[what[0] == 'a' ? DOOR_AUTH : DOOR_UPGRADE];
    place->status = silent ? DOOR_SILENT : (int)number(command, FIELD_STATUS, 503);
    place->count = (int)number(command, FIELD_COUNT, 1);
}

static void expire_offers(const struct command *command)
{
    offer_forget(command->broker,
                 command->fields[FIELD_RUNNER].type == JSON_NONE ? NULL : command->peer);
}

static void grant(const struct command *command)
{
    AUTO_FREE char *token = door_grant(&command->broker->door);
    AUTO_BUF struct buf line = {0};

    event_begin(&line, command->broker, "grant");
    event_text(&line, "token", token);
    event_end(&line);
}

static void bench(const struct command *command)
{
    bench_start(command->broker, (long)number(command, FIELD_TASKS, 0),
                (long)number(command, FIELD_CONCURRENCY, 1),
                field_json(&command->fields[FIELD_SETTINGS]));
}

static void quit(const struct command *command)
{
    server_quit(command->broker);
}

enum needs { NEEDS_NOTHING, NEEDS_TASK_ID, NEEDS_PEER };

static const struct {
    const char *name;
    void (*run)(const struct command *command);
    enum needs needs;
} commands[] = {
    {"task", task, NEEDS_TASK_ID},
    {"accept", accept_offer, NEEDS_TASK_ID},
    {"settings", settings, NEEDS_TASK_ID},
    {"cancel", cancel, NEEDS_TASK_ID},
    {"send", send_raw, NEEDS_PEER},
    {"sendBinary", send_raw, NEEDS_PEER},
    {"sendFragmented", send_raw, NEEDS_PEER},
    {"sendBytes", send_bytes, NEEDS_PEER},
    {"rpcAnswers", rpc_answers, NEEDS_NOTHING},
    {"drain", drain, NEEDS_PEER},
    {"ping", ping, NEEDS_PEER},
    {"drop", drop, NEEDS_PEER},
    {"close", close_peer, NEEDS_PEER},
    {"stopReading", stop_reading, NEEDS_PEER},
    {"refuse", order, NEEDS_NOTHING},
    {"silent", order, NEEDS_NOTHING},
    {"expireOffers", expire_offers, NEEDS_NOTHING},
    {"grant", grant, NEEDS_NOTHING},
    {"bench", bench, NEEDS_NOTHING},
    {"quit", quit, NEEDS_NOTHING},
};

static void dispatch(const struct command *command)
{
    for (size_t i = 0; command->name && i < ARRAY_COUNT(commands); i++) {
        if (strcmp(command->name, commands[i].name) != 0)
            continue;
        if (commands[i].needs == NEEDS_TASK_ID && !command->task_id)
            event_problem(command->broker, "%s: no taskId", command->name);
        else if (commands[i].needs == NEEDS_PEER && !command->peer)
            event_problem(command->broker, "%s: no such runner is connected", command->name);
        else
            commands[i].run(command);
        return;
    }
    event_problem(command->broker, "unknown command `%s`", command->name ? command->name : "");
}

void command_run(struct broker *broker, struct span line)
{
    struct command command = {.broker = broker};
    struct json_fault fault = {0};
    AUTO_FREE char *runner = NULL;

    for (size_t i = 0; i < FIELDS; i++)
        command.fields[i].path = names[i];
    if (json_span_read(line, command.fields, FIELDS, &fault) != JSON_OBJECT) {
        event_problem(broker, "a command that is no JSON object: %s at byte %zu",
                      fault.what ? fault.what : "another type", fault.at);
        return;
    }
    command.name = text(&command, FIELD_CMD);
    command.task_id = text(&command, FIELD_TASK_ID);
    runner = text(&command, FIELD_RUNNER);
    command.peer = peer_find(broker, runner);
    dispatch(&command);
    free(command.name);
    free(command.task_id);
}
