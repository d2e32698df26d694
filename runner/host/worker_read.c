/*
 * What a child sends, read and judged; see worker_state.h. Nothing here is believed: a frame has a
 * known type and a bounded length, and what should be JSON is checked byte by byte.
 */
#include <errno.h>
#include <string.h>

#include "runner/base/io.h"
#include "runner/base/json_span.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/host/worker_state.h"

enum { READ_CHUNK = 256 * 1024 };

static size_t length_limit(const struct worker *worker, uint32_t type)
{
    switch (type) {
    case FRAME_PRINT:
    case FRAME_OUTPUT:
        return 2 * PRINT_BYTES_MAX;
    case FRAME_DROPPED:
        return sizeof(uint64_t);
    case FRAME_RESULT:
        return worker->workers->result_max;
    case FRAME_ERROR:
        return ERROR_BYTES_MAX;
    default:
        return 0;
    }
}

static bool is_string(void *owner, struct span element)
{
    return *(bool *)owner = element.at[0] == '"';
}

static void take_print(struct worker *worker)
{
    struct span params = {worker->payload.data, worker->payload.length};
    bool strings = true;

    if (json_span_read(params, NULL, 0, NULL) != JSON_ARRAY)
        return;
    json_span_each(params, is_string, &strings);
    if (strings && worker->prints++ < PRINT_CALLS_MAX)
        worker->events->print(worker->owner, params);
}

static void take_error(struct worker *worker)
{
    struct json_want wants[] = {{.path = "kind"},
                                {.path = "message"},
                                {.path = "description"},
                                {.path = "lineNumber"},
                                {.path = "itemIndex"}};
    struct worker_outcome outcome = {.end = WORKER_ERROR};
    struct span text = {worker->payload.data, worker->payload.length};
    struct span *parts[] = {NULL, &outcome.error.message, &outcome.error.description,
                            &outcome.error.line_number, &outcome.error.item_index};
    const enum json_type kinds[] = {JSON_STRING, JSON_STRING, JSON_STRING, JSON_NUMBER,
                                    JSON_NUMBER};

    if (json_span_read(text, wants, ARRAY_COUNT(wants), NULL) != JSON_OBJECT ||
        wants[0].type != JSON_STRING || wants[1].type != JSON_STRING) {
        worker_finish_simply(worker, WORKER_BREACH, 0);
        return;
    }
    for (size_t i = 1; i < ARRAY_COUNT(wants); i++)
        if (wants[i].type == kinds[i])
            *parts[i] = wants[i].value;
    outcome.kind = json_string_decode(wants[0].value);
    if (!outcome.kind)
        outcome.kind = mem_dup("raised");
    outcome.result = buf_steal(&worker->payload);
    worker_finish(worker, &outcome);
}

static void take_result(struct worker *worker)
{
    struct span text = {worker->payload.data, worker->payload.length};
    struct worker_outcome outcome = {.end = WORKER_RESULT};

    if (!json_span_check(text)) {
        worker_finish_simply(worker, WORKER_BREACH, 0);
        return;
    }
    outcome.result = buf_steal(&worker->payload);
    worker_finish(worker, &outcome);
}

static void take_frame(struct worker *worker)
{
    uint64_t count;

    switch (worker->head.type) {
    case FRAME_PRINT:
        take_print(worker);
        break;
    case FRAME_OUTPUT:
        worker->events->output(worker->owner, worker->payload.data, worker->payload.length);
        break;
    case FRAME_DROPPED:
        if (worker->payload.length == sizeof(count)) {
            memcpy(&count, worker->payload.data, sizeof(count));
            worker->dropped = count;
        }
        break;
    case FRAME_RESULT:
        take_result(worker);
        break;
    case FRAME_ERROR:
        take_error(worker);
        break;
    default:
        break;
    }
}

static bool begin_frame(struct worker *worker)
{
    size_t limit = length_limit(worker, worker->head.type);

    if (worker->head.length <= limit && limit)
        return true;
    worker_finish_simply(worker,
                         worker->head.type == FRAME_RESULT ? WORKER_TOO_LARGE : WORKER_BREACH, 0);
    return false;
}

/* One read from the channel. 1: something came; 0: nothing for now; -1: the end. */
static int read_some(struct worker *worker)
{
    ssize_t got;

    if (worker->head_read < sizeof(worker->head)) {
        got = io_read(worker->channel_fd, (char *)&worker->head + worker->head_read,
                      sizeof(worker->head) - worker->head_read);
        if (got > 0) {
            worker->head_read += (size_t)got;
            if (worker->head_read == sizeof(worker->head) && !begin_frame(worker))
                return 1;
        }
    } else {
        size_t left = worker->head.length - worker->payload.length;
        char *room = buf_reserve(&worker->payload, left < READ_CHUNK ? left : READ_CHUNK);

        if (!room) {
            worker_finish_simply(worker, WORKER_TOO_LARGE, 0);
            return 1;
        }
        got = io_read(worker->channel_fd, room, left < READ_CHUNK ? left : READ_CHUNK);
        if (got > 0)
            worker->payload.length += (size_t)got;
    }
    if (got < 0 && errno == EAGAIN)
        return 0;
    return got > 0 ? 1 : -1;
}

int worker_read(struct worker *worker, int turns)
{
    int came = 1;

    while (worker->events && came > 0 && turns-- > 0) {
        if (worker->head_read < sizeof(worker->head) ||
            worker->head.length > worker->payload.length)
            came = read_some(worker);
        if (worker->events && worker->head_read == sizeof(worker->head) &&
            worker->payload.length == worker->head.length) {
            take_frame(worker);
            worker->head_read = 0;
            worker->payload.length = 0;
        }
    }
    return came;
}
