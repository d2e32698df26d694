/* What the runner counts; see metrics.h. */
#include "runner/host/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"

static const int64_t bounds_us[HISTOGRAM_BOUNDS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000};

static const char *const rejections[REJECTIONS] = {
    [REJECTED_EXPIRED] = "expired",
    [REJECTED_CAPACITY] = "capacity",
    [REJECTED_UNABLE] = "unable",
};

void metrics_observe(struct histogram *histogram, int64_t us)
{
    size_t i = 0;

    if (us < 0)
        us = 0;
    while (i < HISTOGRAM_BOUNDS && us > bounds_us[i])
        i++;
    histogram->counts[i]++;
    histogram->sum_us += us;
}

/* ---- the text ---- */

static void head(struct buf *text, const char *name, const char *type, const char *help)
{
    buf_add_format(text, "# HELP task_runner_%s %s\n# TYPE task_runner_%s %s\n", name, help, name,
                   type);
}

/* What stands between the quotes of a label's value. */
static void add_escaped(struct buf *text, const char *value)
{
    for (; *value; value++)
        if (*value == '\n')
            buf_add_text(text, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_add_format(text, "\\%c", *value);
        else
            buf_add_char(text, *value);
}

static void labelled(struct buf *text, const char *name, const char *label, const char *value,
                     uint64_t count)
{
    buf_add_format(text, "task_runner_%s{%s=\"", name, label);
    add_escaped(text, value);
    buf_add_format(text, "\"} %" PRIu64 "\n", count);
}

static void single(struct buf *text, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(text, name, type, help);
    buf_add_format(text, "task_runner_%s %" PRIu64 "\n", name, value);
}

static void histogram_text(struct buf *text, const char *name, const char *help,
                           const struct histogram *histogram)
{
    uint64_t sum = 0;

    head(text, name, "histogram", help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        sum += histogram->counts[i];
        buf_add_format(text, "task_runner_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                       (double)bounds_us[i] / 1e6, sum);
    }
    sum += histogram->counts[HISTOGRAM_BOUNDS];
    buf_add_format(text, "task_runner_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    buf_add_format(text, "task_runner_%s_sum %" PRId64 ".%06d\n", name, histogram->sum_us / 1000000,
                   (int)(histogram->sum_us % 1000000));
    buf_add_format(text, "task_runner_%s_count %" PRIu64 "\n", name, sum);
}

static void tasks_text(struct buf *text, const struct metrics *metrics)
{
    head(text, "tasks_total", "counter", "Tasks that have ended, by how.");
    for (int i = 0; i < TASK_OUTCOMES; i++)
        labelled(text, "tasks_total", "outcome", outcome_name((enum task_outcome)i),
                 metrics->tasks[i]);
    head(text, "tasks_rejected_total", "counter", "Tasks that were not taken, by why.");
    for (size_t i = 0; i < REJECTIONS; i++)
        labelled(text, "tasks_rejected_total", "reason", rejections[i], metrics->rejected[i]);
    histogram_text(text, "task_duration_seconds",
                   "From a task's settings to the message that ends it.", &metrics->duration);
    histogram_text(text, "task_queue_seconds",
                   "From taking a task until its settings and its process are there.",
                   &metrics->queue);
}

static void stand_text(struct buf *text, const struct metrics_now *now)
{
    single(text, "slots", "gauge", "Tasks that may be here at once.", now->slots);
    single(text, "tasks_running", "gauge", "Tasks that run.", now->running);
    single(text, "tasks_waiting", "gauge",
           "Tasks that were taken and whose settings have not come.", now->waiting);
    single(text, "offers_open", "gauge", "Offers that the broker has.", now->offers);
    single(text, "children_waiting", "gauge", "Processes that wait for a task.", now->children);
    single(text, "broker_up", "gauge", "Is there a connection to the broker?", now->broker_up);
    single(text, "zygote_up", "gauge", "Is Python there to fork from?", now->python_up);
}

static void processes_text(struct buf *text, const struct metrics *metrics)
{
    histogram_text(text, "fork_seconds", "From asking for a task's process until it is there.",
                   &metrics->fork);
    single(text, "zygote_restarts_total", "counter",
           "Times that Python was gone and had to be started again.", metrics->python_restarts);
    single(text, "broker_connections_total", "counter", "Connections that were made to the broker.",
           metrics->broker_connections);
    single(text, "received_bytes_total", "counter", "Bytes of messages from the broker.",
           metrics->received_bytes);
    single(text, "sent_bytes_total", "counter", "Bytes of messages to the broker.",
           metrics->sent_bytes);
}

static void faults_text(struct buf *text, const struct metrics *metrics,
                        const struct metrics_now *now)
{
    head(text, "faults_total", "counter", "The runner's own faults, by what happened.");
    for (int i = 0; i < FAULTS; i++)
        labelled(text, "faults_total", "fault", fault_name((enum fault)i), metrics->faults[i]);
    head(text, "sentry_reports_total", "counter", "Reports to Sentry, by what became of them.");
    labelled(text, "sentry_reports_total", "result", "sent", now->reports_sent);
    labelled(text, "sentry_reports_total", "result", "failed", now->reports_failed);
    labelled(text, "sentry_reports_total", "result", "dropped", now->reports_dropped);
}

static void build_text(struct buf *text, const struct metrics_now *now)
{
    const char *const labels[][2] = {
        {"version", now->version}, {"python", now->python}, {"libwebsockets", now->libwebsockets}};

    head(text, "build_info", "gauge", "What this runner is made of; its value is always 1.");
    buf_add_text(text, "task_runner_build_info{");
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
        buf_add_format(text, "%s%s=\"", i ? "," : "", labels[i][0]);
        add_escaped(text, labels[i][1] ? labels[i][1] : "");
        buf_add_char(text, '"');
    }
    buf_add_text(text, "} 1\n");
}

void metrics_write(struct buf *text, const struct metrics *metrics, const struct metrics_now *now)
{
    tasks_text(text, metrics);
    stand_text(text, now);
    processes_text(text, metrics);
    faults_text(text, metrics, now);
    build_text(text, now);
}
