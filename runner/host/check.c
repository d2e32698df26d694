/* See check.h. One child gets an empty task, tries what no task may do, and sends what came of it.
 */
#include "runner/host/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/json_span.h"
#include "runner/base/json_string.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/config.h"
#include "runner/host/loop.h"
#include "runner/host/options.h"
#include "runner/host/python_ready.h"
#include "runner/host/workers.h"

struct check {
    struct loop *loop;
    const struct config *config;
    const struct options *options;
    struct workers *workers;
    char *python; /* its version */
    bool holds;
};

/* ---- what came ---- */

static bool is_true(const struct json_want *want)
{
    return want->type == JSON_TRUE;
}

/* The text of a string, or "". free(). */
static char *text_of(const struct json_want *want)
{
    char *text = want->type == JSON_STRING ? json_string_decode(want->value) : NULL;

    return text ? text : mem_dup("");
}

static bool show_wall(void *owner, struct span element)
{
    struct json_want wants[] = {{.path = "name"}, {.path = "stands"}, {.path = "detail"}};
    AUTO_FREE char *name = NULL, *detail = NULL;

    (void)owner;
    json_span_read(element, wants, ARRAY_COUNT(wants), NULL);
    name = text_of(&wants[0]);
    detail = text_of(&wants[2]);
    printf("  %-8s %s: %s\n", is_true(&wants[1]) ? "stands" : "missing", name, detail);
    return true;
}

/* With the walls down on purpose, nothing is asked for. */
static bool is_asked_for(const struct check *check)
{
    return check->config->sandbox != SANDBOX_CHOICE_OFF;
}

static void read_attempt(struct span element, struct json_want wants[4])
{
    static const char *const paths[] = {"name", "succeeded", "allowed", "error"};

    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        wants[i] = (struct json_want){.path = paths[i]};
    json_span_read(element, wants, ARRAY_COUNT(paths), NULL);
}

static bool judge_attempt(void *owner, struct span element)
{
    struct check *check = owner;
    struct json_want wants[4];

    read_attempt(element, wants);
    if (is_asked_for(check) && is_true(&wants[1]) && !is_true(&wants[2]))
        check->holds = false;
    return true;
}

static bool show_attempt(void *owner, struct span element)
{
    const struct check *check = owner;
    struct json_want wants[4];
    AUTO_FREE char *name = NULL, *error = NULL;

    read_attempt(element, wants);
    name = text_of(&wants[0]);
    error = text_of(&wants[3]);
    if (!is_true(&wants[1]))
        printf("  %-8s %s (%s)\n", "refused", name, error);
    else if (is_true(&wants[2]) || !is_asked_for(check))
        printf("  %-8s %s, as the settings say\n", "open", name);
    else
        printf("  %-8s %s\n", "SUCCEEDS", name);
    return true;
}

static bool judge_package(void *owner, struct span element)
{
    struct check *check = owner;
    struct json_want wants[] = {{.path = "works"}};

    json_span_read(element, wants, ARRAY_COUNT(wants), NULL);
    if (!is_true(&wants[0]))
        check->holds = false;
    return true;
}

static bool show_package(void *owner, struct span element)
{
    struct json_want wants[] = {{.path = "name"},        {.path = "works"}, {.path = "ahead"},
                                {.path = "missing"},     {.path = "error"}, {.path = "pip"},
                                {.path = "milliseconds"}};
    AUTO_FREE char *name = NULL, *error = NULL, *pip = NULL;

    (void)owner;
    json_span_read(element, wants, ARRAY_COUNT(wants), NULL);
    name = text_of(&wants[0]);
    error = text_of(&wants[4]);
    pip = text_of(&wants[5]);
    if (is_true(&wants[1]))
        printf("  %-8s %s (%.*s ms, %s)\n", "works", name, (int)wants[6].value.length,
               wants[6].value.at,
               is_true(&wants[2]) ? "once, at the start" : "in every task that imports it");
    else if (is_true(&wants[3]))
        printf("  %-8s %s: it is not installed, or needs what is not (%s). Add `%s` to extras.txt "
               "and run `make venv`\n",
               "MISSING", name, error, pip);
    else
        printf("  %-8s %s: %s\n", "FAILS", name, error);
    return true;
}

/* ---- showing it ---- */

static void show_words(struct check *check, const struct json_want parts[3])
{
    printf("task-runner-python %s with Python %s\n\nWalls\n", VERSION, check->python);
    json_span_each(parts[0].value, show_wall, check);
    printf("\nTried in a task's process\n");
    json_span_each(parts[1].value, show_attempt, check);
    printf("\nModules that tasks may import\n");
    json_span_each(parts[2].value, show_package, check);
    printf("\n%s\n", !check->holds         ? "Not all that the settings ask for holds: see above."
                     : is_asked_for(check) ? "All that the settings ask for holds."
                                           : "The kernel's walls are down: N8N_RUNNERS_SANDBOX is "
                                             "`off`.");
}

static void show_json(const struct check *check, const struct json_want parts[3])
{
    AUTO_BUF struct buf json = {0};
    static const char *const names[] = {"walls", "attempts", "packages"};

    buf_add_format(&json, "{\"version\":\"%s\",\"python\":\"%s\",\"holds\":%s", VERSION,
                   check->python, check->holds ? "true" : "false");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        buf_add_format(&json, ",\"%s\":", names[i]);
        buf_add(&json, parts[i].value.at, parts[i].value.length);
    }
    buf_add_text(&json, "}\n");
    if (!buf_failed(&json))
        fwrite(json.data, 1, json.length, stdout);
}

static void show(struct check *check, struct span report)
{
    struct json_want parts[] = {{.path = "walls"}, {.path = "attempts"}, {.path = "packages"}};

    json_span_read(report, parts, ARRAY_COUNT(parts), NULL);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        if (parts[i].type != JSON_ARRAY) {
            log_error("The child's report has no `%s`", parts[i].path);
            return;
        }
    check->holds = true;
    json_span_each(parts[1].value, judge_attempt, check);
    json_span_each(parts[2].value, judge_package, check);
    if (check->options->json)
        show_json(check, parts);
    else
        show_words(check, parts);
}

/* ---- the child ---- */

static void on_print(void *owner, struct span params)
{
    (void)owner, (void)params;
}

static void on_output(void *owner, const char *text, size_t length)
{
    (void)owner, (void)text, (void)length;
}

static void on_ended(void *owner, struct worker_outcome *outcome)
{
    struct check *check = owner;

    if (outcome->end == WORKER_RESULT)
        show(check, (struct span){outcome->result.data, outcome->result.length});
    else
        log_error("The child that tries the walls ended without a report (status %d)",
                  outcome->status);
    loop_stop(check->loop);
}

static const struct worker_events worker_events = {
    .print = on_print,
    .output = on_output,
    .ended = on_ended,
};

static void fail(struct check *check, const char *why)
{
    log_error("%s", why);
    loop_stop(check->loop);
}

static void on_ready(void *owner, const char *text)
{
    struct check *check = owner;
    const struct worker_task nothing = {.settings = {"{}", 2}, .file = -1};
    AUTO_ERROR struct error *err = NULL;
    struct worker *worker = worker_new(check->workers, &worker_events, check, &err);

    check->python = mem_dup_n(text, strcspn(text, "\n"));
    python_ready_log(text, check->config);
    if (!worker || worker_give(worker, &nothing, &err) < 0)
        fail(check, error_text(err));
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

struct check *check_start(struct loop *loop, const struct config *config,
                          const struct zygote_options *zygote, const struct options *options,
                          struct error **err)
{
    struct check *check = mem_alloc(sizeof(*check));

    *check = (struct check){.loop = loop, .config = config, .options = options};
    check->workers =
        workers_start(loop, zygote, (size_t)config->max_payload, &workers_events, check, err);
    if (!check->workers)
        check_drop(&check);
    return check;
}

int check_zygote(const struct check *check)
{
    return workers_zygote(check->workers);
}

int check_exit_code(const struct check *check)
{
    return check->holds ? 0 : 1;
}

void check_drop(struct check **check)
{
    struct check *dropped = mem_steal(check);

    if (!dropped)
        return;
    workers_drop(&dropped->workers);
    free(dropped->python);
    free(dropped);
}
