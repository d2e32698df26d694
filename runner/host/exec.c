/*
 * `exec`; see exec.h.
 *
 * It is its own broker: it makes the settings that n8n would have sent, hands them to a task as
 * such, and shows the messages that come back.
 */
#include "runner/host/exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/json_string.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/config.h"
#include "runner/host/loop.h"
#include "runner/host/message.h"
#include "runner/host/options.h"
#include "runner/host/python_ready.h"
#include "runner/host/task.h"
#include "runner/host/workers.h"

struct exec {
    struct loop *loop;
    const struct config *config;
    struct workers *workers;
    struct task *task;
    struct buf message; /* the broker:tasksettings that no broker sent */
    int exit_code;
};

static const char task_name[] = "exec";

static int read_input(const char *path, size_t limit, struct buf *content, struct error **err)
{
    return io_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, limit, content, err);
}

static int check_items(const struct options *options, struct buf *items, struct error **err)
{
    struct json_fault fault = {0};
    enum json_type type =
        json_span_read((struct span){items->data, items->length}, NULL, 0, &fault);

    if (type == JSON_NONE)
        return error_set(err, "--items `%s` is not valid JSON: %s at byte %zu", options->items,
                         fault.what, fault.at);
    if (type != JSON_ARRAY)
        return error_set(err, "--items `%s` must hold a JSON list of items", options->items);
    return 0;
}

/* What --query says: JSON when it is a string or an object, else a text. */
static void make_query(const struct options *options, struct buf *query)
{
    struct span text = {options->query, options->query ? strlen(options->query) : 0};
    enum json_type type = text.length ? json_span_read(text, NULL, 0, NULL) : JSON_NONE;

    if (!options->query)
        return;
    if (type == JSON_STRING || type == JSON_OBJECT)
        buf_add(query, text.at, text.length);
    else
        json_string_add(query, text.at, text.length);
}

static int make_message(struct exec *exec, const struct options *options, struct error **err)
{
    AUTO_BUF struct buf code = {0};
    AUTO_BUF struct buf items = {0};
    AUTO_BUF struct buf query = {0};
    AUTO_BUF struct buf settings = {0};
    size_t limit = (size_t)exec->config->max_payload;

    if (read_input(options->file, limit, &code, err) < 0)
        return -1;
    if (!options->items)
        buf_add_text(&items, "[]");
    else if (read_input(options->items, limit, &items, err) < 0 ||
             check_items(options, &items, err) < 0)
        return -1;
    make_query(options, &query);
    message_settings(&settings, code.data ? code.data : "", code.length, options->each,
                     (struct span){items.data, items.length},
                     (struct span){query.data, query.length});
    buf_add_format(&exec->message,
                   "{\"type\":\"broker:tasksettings\",\"taskId\":\"%s\",\"settings\":", task_name);
    buf_add(&exec->message, settings.data, settings.length);
    buf_add_char(&exec->message, '}');
    return buf_failed(&exec->message) || buf_failed(&settings)
               ? error_set(err, "out of memory for `%s`", options->file)
               : 0;
}

/* ---- the answers ---- */

static void show_error(const struct json_want *message, const struct json_want *description)
{
    AUTO_FREE char *text = json_string_decode(message->value);
    AUTO_FREE char *more =
        description->type == JSON_STRING ? json_string_decode(description->value) : NULL;

    fprintf(stderr, "%s\n", text ? text : "Unknown error");
    if (more && *more)
        fprintf(stderr, "%s\n", more);
}

static void on_send(void *owner, struct buf *message)
{
    struct exec *exec = owner;
    struct json_want wants[] = {
        {.path = "data.result"}, {.path = "error.message"}, {.path = "error.description"}};

    json_span_read((struct span){message->data, message->length}, wants, ARRAY_COUNT(wants), NULL);
    if (wants[1].type == JSON_STRING) {
        exec->exit_code = 1;
        show_error(&wants[1], &wants[2]);
    } else if (wants[0].type != JSON_NONE &&
               (io_write_all(STDOUT_FILENO, wants[0].value.at, wants[0].value.length) < 0 ||
                io_write_all(STDOUT_FILENO, "\n", 1) < 0)) {
        exec->exit_code = 1;
        log_error("The result can't be written to standard output");
    }
}

static void on_output(void *owner, const char *id, const char *text, size_t length)
{
    (void)owner, (void)id;
    (void)!io_write_all(STDERR_FILENO, text, length);
}

static void on_finished(void *owner, struct task *task)
{
    struct exec *exec = owner;

    (void)task;
    loop_stop(exec->loop);
}

static const struct task_hooks task_hooks = {
    .send = on_send,
    .output = on_output,
    .finished = on_finished,
};

/* ---- Python ---- */

static void fail(struct exec *exec, const char *why)
{
    log_error("%s", why);
    exec->exit_code = 1;
    loop_stop(exec->loop);
}

static void on_ready(void *owner, const char *text)
{
    struct exec *exec = owner;
    AUTO_ERROR struct error *err = NULL;
    struct task_limits limits = {
        .timeout_s = exec->config->task_timeout,
        .timeout_us = (int64_t)exec->config->task_timeout * 1000000,
        .result_max = (size_t)exec->config->max_payload,
        .memory_mb = exec->config->task_memory_mb,
    };
    struct message message;

    python_ready_log(text, exec->config);
    exec->task = task_new(exec->loop, exec->workers, task_name, &limits, &task_hooks, exec, &err);
    if (!exec->task ||
        message_read(&message, (struct span){exec->message.data, exec->message.length}, &err) < 0) {
        fail(exec, error_text(err));
        return;
    }
    task_start(exec->task, &message);
    message_free(&message);
}

static void on_failed(void *owner, const char *why)
{
    AUTO_FREE char *text = mem_format("Python can't be started: %s", why);

    fail(owner, text);
}

static const struct workers_events workers_events = {
    .ready = on_ready,
    .failed = on_failed,
};

struct exec *exec_start(struct loop *loop, const struct config *config,
                        const struct zygote_options *zygote, const struct options *options,
                        struct error **err)
{
    struct exec *exec = mem_alloc(sizeof(*exec));

    *exec = (struct exec){.loop = loop, .config = config};
    if (make_message(exec, options, err) == 0)
        exec->workers =
            workers_start(loop, zygote, (size_t)config->max_payload, &workers_events, exec, err);
    if (!exec->workers)
        exec_drop(&exec);
    return exec;
}

int exec_zygote(const struct exec *exec)
{
    return workers_zygote(exec->workers);
}

void exec_stop(struct exec *exec)
{
    exec->exit_code = 130;
    loop_stop(exec->loop);
}

int exec_exit_code(const struct exec *exec)
{
    return exec->exit_code;
}

void exec_drop(struct exec **exec)
{
    struct exec *dropped = *exec;

    *exec = NULL;
    if (!dropped)
        return;
    task_drop(&dropped->task);
    workers_drop(&dropped->workers);
    buf_free(&dropped->message);
    free(dropped);
}
