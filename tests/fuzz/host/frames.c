/*
 * The host's reader of what a child sends, through a real socket.
 *
 * A line is a frame: its first byte is the type, the rest what it carries.
 *   P print   O output   D dropped   A part of a result   R result   E error   C compiled code
 *   T taken   other: as it is
 *   @         the first line: the child has been asked to compile, and has not been given its task
 *   #c        from here on the host gets its bytes by so many as the code of c
 *   !bytes    the rest of the input, newlines and all, is sent raw: headers that lie
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/host/code_cache.h"
#include "runner/host/outcome.h"
#include "runner/host/worker_state.h"
#include "runner/host/zygote_link.h"
#include "tests/fuzz/grammar.h"

enum { RESULT_MAX = 600, READS = 16 };

/* What the host's side has been told. */
struct told {
    unsigned prints, ends;
};

/* ---- what the child's bytes become ---- */

static void must_be_string(void *owner, struct span key, struct span value)
{
    (void)owner;
    (void)key;
    MUST(grammar_type(value) == JSON_STRING, "print's params are strings");
}

static void count_member(void *owner, struct span key, struct span value)
{
    (void)key;
    (void)value;
    ++*(size_t *)owner;
}

/* One message of so many members for that task: nothing of the child's has become one. */
static void check_message(const struct buf *message, size_t members)
{
    struct span text = span_of_buf(message);
    size_t count = 0;

    MUST(grammar_type(text) == JSON_OBJECT, "a message is an object");
    grammar_each(text, count_member, &count);
    MUST(count == members, "of %zu members", members);
    MUST(fuzz_is_text(grammar_find(text, "taskId"), "\"t\""), "of this task");
}

static void on_print(void *owner, struct span params)
{
    struct told *told = owner;
    AUTO_BUF struct buf message = {0};

    MUST(!told->ends, "no print after the end");
    MUST(++told->prints <= PRINT_CALLS_MAX, "no more prints than are allowed");
    MUST(grammar_type(params) == JSON_ARRAY, "print's params are an array");
    grammar_each(params, must_be_string, NULL);
    message_print(&message, "c", "t", params);
    check_message(&message, 5);
}

static void on_output(void *owner, const char *text, size_t length)
{
    struct told *told = owner;
    AUTO_FREE char *copy = mem_dup_n(text, length); /* reads all of it */

    MUST(!told->ends, "no output after the end");
    MUST(copy[length] == '\0', "the text has its length");
}

static void check_error(const struct worker_outcome *outcome)
{
    const struct task_error *error = &outcome->error;
    struct span all = span_of_buf(&outcome->result);
    const struct span parts[] = {error->message, error->description, error->line_number,
                                 error->item_index};

    MUST(outcome->kind, "an error has its kind");
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        MUST(i ? true : parts[i].length > 0, "an error has its message");
        if (!parts[i].length)
            continue;
        MUST(fuzz_inside(parts[i], all), "what it says lies in what came");
        MUST(grammar_type(parts[i]) == (i < 2 ? JSON_STRING : JSON_NUMBER), "part %zu's type", i);
    }
}

static void check_outcome(const struct worker_outcome *outcome)
{
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        struct outcome_context context = {
            .task_id = "t", .timeout_s = 1, .result_max = RESULT_MAX, .continue_on_fail = goes_on};
        AUTO_BUF struct buf message = {0};
        struct worker_outcome copy = *outcome;

        copy.result = (struct buf){0}; /* it becomes the message */
        buf_add(&copy.result, outcome->result.data, outcome->result.length);
        outcome_message(&message, &context, &copy);
        buf_free(&copy.result);
        check_message(&message, 3);
    }
}

static void on_ended(void *owner, struct worker_outcome *outcome)
{
    struct told *told = owner;

    MUST(told->ends++ == 0, "a worker ends once");
    if (outcome->end == WORKER_RESULT) {
        MUST(grammar_type(span_of_buf(&outcome->result)) != JSON_NONE, "a result is one value");
        MUST(outcome->result.length <= RESULT_MAX, "and within its limit");
    } else if (outcome->end == WORKER_ERROR) {
        check_error(outcome);
    } else {
        MUST(outcome->end == WORKER_TOO_LARGE || outcome->end == WORKER_BREACH,
             "nothing else comes of bytes");
    }
    check_outcome(outcome);
}

static const struct worker_events events = {
    .print = on_print, .output = on_output, .ended = on_ended};

/* ---- the child's side ---- */

struct channel {
    struct worker *worker;
    int child;
    size_t at_once;
};

static void send_bytes(struct channel *channel, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length && channel->worker->events) {
        size_t part = length < channel->at_once ? length : channel->at_once;

        MUST(io_write_all(channel->child, at, part) == 0, "the channel takes it");
        at += part;
        length -= part;
        while (channel->worker->events && worker_read(channel->worker, READS) > 0)
            ;
    }
}

static void send_frame(struct channel *channel, struct span line)
{
    static const char letters[] = "PODREA?CT";
    unsigned char letter = (unsigned char)line.at[0];
    const char *known = letter && letter != '?' ? strchr(letters, letter) : NULL;
    struct frame_header head = {.type = known ? FRAME_PRINT + (uint32_t)(known - letters) : letter,
                                .length = line.length - 1};

    send_bytes(channel, &head, sizeof(head));
    send_bytes(channel, line.at + 1, line.length - 1);
}

static void send_all(struct channel *channel, struct span input)
{
    while (input.length && channel->worker->events) {
        struct span line;

        if (input.at[0] == '!') {
            send_bytes(channel, input.at + 1, input.length - 1);
            return;
        }
        line = fuzz_cut(&input, '\n');
        if (line.length == 2 && line.at[0] == '#')
            channel->at_once = (unsigned char)line.at[1] ? (unsigned char)line.at[1] : 1;
        else if (line.length)
            send_frame(channel, line);
    }
}

static void ask_to_compile(struct worker *worker)
{
    const struct worker_task task = {.settings = {"{}", 2}, .source = {"\"pass\"", 6}, .file = -1};
    struct error *err = NULL;

    MUST(request_fill(&worker->request, worker->workers->codes, &task, &err) == 0, "it is stored");
    request_send(worker);
    MUST(request_waits_for_code(&worker->request), "and waited for");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zygote_options options = {0};
    struct workers workers = {.options = &options, .result_max = RESULT_MAX};
    struct told told = {0};
    struct worker worker = {.workers = &workers,
                            .pidfd = -1,
                            .events = &events,
                            .owner = &told,
                            .request = {.payload = -1}};
    struct span input = {(const char *)data, size};
    struct channel channel = {.worker = &worker, .at_once = 4096};
    int pair[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "there is a channel");
    MUST(io_set_nonblocking(pair[0]) == 0, "it does not block");
    worker.channel_fd = pair[0];
    channel.child = pair[1];
    workers.codes = code_cache_new();
    if (size >= 2 && memcmp(data, "@\n", 2) == 0) {
        ask_to_compile(&worker);
        input = (struct span){input.at + 2, size - 2};
    }
    send_all(&channel, input);
    io_close(&pair[1]);
    MUST(!worker.events || worker_read(&worker, READS) < 0, "the end of the channel is seen");
    MUST((worker.events == NULL) == (told.ends == 1), "it has ended when it was told");
    MUST(worker.result.length <= RESULT_MAX, "no more of a result is kept than it may have");
    buf_free(&worker.payload);
    buf_free(&worker.result);
    request_free(&worker.request);
    code_cache_drop(&workers.codes);
    io_close(&pair[0]);
    return 0;
}
