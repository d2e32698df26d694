/* Reports of the runner's own faults to Sentry; see sentry.h. */
#include "runner/host/sentry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/config.h"
#include "runner/host/http_post.h"
#include "runner/host/loop.h"
#include "runner/host/sentry_event.h"
#include "runner/host/sentry_queue.h"

enum { GOODBYE_US = 1000 * 1000 };

struct sentry {
    struct loop *loop;
    const struct config *config;
    struct sentry_queue queue;
    struct http_post *post; /* the report on its way; NULL: none */
    enum fault posted;
    struct timer *later; /* the end of a pause; at the end, of the runner's patience */
    uint64_t sent, failed;
    bool leaving;
};

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_next(struct sentry *sentry);

static void note_answer(struct sentry *sentry, const struct http_answer *answer)
{
    AUTO_FREE char *why =
        answer->status ? mem_format("it answered %d", answer->status) : mem_dup(answer->why);

    if (answer->status >= HTTP_OK && answer->status < HTTP_OK + 100) {
        sentry->sent++;
        return;
    }
    sentry->failed++;
    log_warn("A fault could not be reported to Sentry at %s: %s", sentry->config->sentry.uri.host,
             why);
    if (answer->status == HTTP_TOO_MANY) {
        sentry_queue_pause(&sentry->queue, answer->retry_after, clock_us());
        if (!sentry->leaving)
            timer_set(sentry->later, sentry->queue.paused_until_us - clock_us());
    }
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct sentry *sentry = owner;
    bool was_last = sentry->leaving && fault_is_fatal(sentry->posted);

    sentry->post = NULL;
    note_answer(sentry, answer);
    if (!was_last)
        send_next(sentry);
    if (sentry->leaving && !sentry->post)
        loop_stop(sentry->loop);
}

/* Sends the report that has waited longest, unless one is on its way. */
static void send_next(struct sentry *sentry)
{
    const struct config *config = sentry->config;
    const struct sentry_about about = {.n8n_version = config->n8n_version,
                                       .environment = config->environment,
                                       .deployment = config->deployment_name};
    AUTO_BUF struct buf envelope = {0};
    AUTO_FREE char *path = NULL, *auth = NULL;
    struct sentry_waiting waiting;
    struct sentry_event event = {.fault = FAULTS};

    if (!sentry->post)
        event.fault = sentry_queue_take(&sentry->queue, &waiting, clock_us());
    if (event.fault == FAULTS)
        return;
    sentry_event_make_id(event.id);
    event.detail = waiting.detail;
    event.more = waiting.more;
    event.time_ms = waiting.time_ms;
    event.sent_ms = wall_ms();
    sentry_event_write(&envelope, &about, &event);
    free(waiting.detail);
    path = sentry_dsn_path(&config->sentry);
    auth = sentry_dsn_auth(&config->sentry);
    sentry->posted = event.fault;
    sentry->post = http_post_start(sentry->loop,
                                   &(struct http_request){
                                       .to = &config->sentry.uri,
                                       .path = path,
                                       .content_type = "application/x-sentry-envelope",
                                       .header = {"x-sentry-auth:", auth},
                                       .body = {envelope.data, envelope.length},
                                   },
                                   on_answer, sentry);
}

static void on_later(void *owner)
{
    struct sentry *sentry = owner;

    if (sentry->leaving)
        loop_stop(sentry->loop);
    else
        send_next(sentry);
}

struct sentry *sentry_new(struct loop *loop, const struct config *config)
{
    struct sentry *sentry;

    if (!config->sentry.key)
        return NULL;
    sentry = mem_alloc(sizeof(*sentry));
    *sentry = (struct sentry){.loop = loop, .config = config};
    sentry->later = timer_new(loop, on_later, sentry);
    return sentry;
}

void sentry_drop(struct sentry **sentry)
{
    struct sentry *dropped = mem_steal(sentry);

    if (!dropped)
        return;
    http_post_cancel(&dropped->post);
    timer_drop(&dropped->later);
    sentry_queue_free(&dropped->queue);
    free(dropped);
}

void sentry_report(struct sentry *sentry, enum fault fault, const char *detail)
{
    if (!sentry)
        return;
    sentry_queue_add(&sentry->queue, fault, detail, clock_us(), wall_ms());
    send_next(sentry);
}

void sentry_say_goodbye(struct sentry *sentry)
{
    if (!sentry || !sentry->post ||
        !(fault_is_fatal(sentry->posted) || sentry_queue_has_fatal(&sentry->queue)))
        return;
    sentry->leaving = true;
    timer_set(sentry->later, GOODBYE_US);
    loop_run_again(sentry->loop);
}

void sentry_counts(const struct sentry *sentry, uint64_t *sent, uint64_t *failed, uint64_t *dropped)
{
    *sent = sentry ? sentry->sent : 0;
    *failed = sentry ? sentry->failed : 0;
    *dropped = sentry ? sentry->queue.dropped : 0;
}
