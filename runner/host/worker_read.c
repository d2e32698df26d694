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
        return 2 * (size_t)PRINT_BYTES_MAX;
    case FRAME_DROPPED:
        return sizeof(uint64_t);
    case FRAME_PART:
    case FRAME_RESULT:
        return worker->workers->result_max - worker->result.length;
    case FRAME_ERROR:
        return ERROR_BYTES_MAX;
    case FRAME_CODE:
        return request_waits_for_code(&worker->request) ? CODE_BYTES_MAX : 0;
    case FRAME_TAKEN:
        return worker->request.payload >= 0 ? 1 : 0;
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
    struct span text = {worker->result.data, worker->result.length};
    struct worker_outcome outcome = {.end = WORKER_RESULT};

    if (!json_span_check(text)) {
        worker_finish_simply(worker, WORKER_BREACH, 0);
        return;
    }
    outcome.result = buf_steal(&worker->result);
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
    case FRAME_CODE:
        request_take_code(worker, (struct span){worker->payload.data, worker->payload.length});
        break;
    default:
        break;
    }
}

static bool is_of_result(const struct worker *worker)
{
    return worker->head.type == FRAME_PART || worker->head.type == FRAME_RESULT;
}

/* Where the frame's bytes go. */
static struct buf *place_of(struct worker *worker)
{
    return is_of_result(worker) ? &worker->result : &worker->payload;
}

static bool begin_frame(struct worker *worker)
{
    size_t limit = length_limit(worker, worker->head.type);

    if (worker->request.delivered) {
        request_free(&worker->request);
        worker->request.begun = true;
    }
    worker->payload.length = 0;
    worker->frame_end = place_of(worker)->length + worker->head.length;
    if (worker->head.length <= limit && (limit || is_of_result(worker)))
        return true;
    worker_finish_simply(worker, is_of_result(worker) ? WORKER_TOO_LARGE : WORKER_BREACH, 0);
    return false;
}

static bool is_of_prints(uint32_t type)
{
    return type == FRAME_PRINT || type == FRAME_OUTPUT || type == FRAME_DROPPED;
}

/* The frame whose header has come, before it is looked at. While only prints are wanted, whatever
 * else comes stays where it is, and nothing ends the worker. */
static bool is_wanted(const struct worker *worker)
{
    return !worker->only_prints || (is_of_prints(worker->head.type) &&
                                    worker->head.length <= length_limit(worker, worker->head.type));
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
            if (worker->head_read == sizeof(worker->head) && !is_wanted(worker))
                return -1;
            if (worker->head_read == sizeof(worker->head) && !begin_frame(worker))
                return 1;
        }
    } else {
        struct buf *place = place_of(worker);
        size_t left = worker->frame_end - place->length;
        char *room = buf_reserve(place, left < READ_CHUNK ? left : READ_CHUNK);

        if (!room && worker->only_prints)
            return -1;
        if (!room) {
            worker_finish_simply(worker, WORKER_NO_MEMORY, 0);
            return 1;
        }
        got = io_read(worker->channel_fd, room, left < READ_CHUNK ? left : READ_CHUNK);
        if (got > 0)
            place->length += (size_t)got;
    }
    if (got < 0 && errno == EAGAIN)
        return 0;
    /* it has ended with something of ours unread: its task, and then it has not begun */
    if (got < 0 && errno == ECONNRESET && worker->request.text.length)
        worker->request.unread = true;
    return got > 0 ? 1 : -1;
}

static bool is_whole(struct worker *worker)
{
    return worker->head_read == sizeof(worker->head) &&
           place_of(worker)->length == worker->frame_end;
}

int worker_read(struct worker *worker, int turns)
{
    int came = 1;

    if (worker->only_prints && worker->head_read == sizeof(worker->head) && !is_wanted(worker))
        return -1;
    while (worker->events && came > 0 && turns-- > 0) {
        if (!is_whole(worker))
            came = read_some(worker);
        if (came > 0 && worker->events && is_whole(worker)) {
            take_frame(worker);
            worker->head_read = 0;
        }
    }
    return came;
}
