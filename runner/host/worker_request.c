/*
 * The one task that a child is given; see worker_state.h.
 *
 * Before the task stands its code: compiled, when another child has done that, or as its text, for
 * this child to compile. Such a child has been given nothing else until the compiled code has come
 * back from it, so what it says is as good as what it was told; then the task follows.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/host/code_cache.h"
#include "runner/host/worker_state.h"

enum {
    /* By then a child has rehearsed, waits, and its caches get cold. */
    RESTED_US = 20 * 1000,
};

void request_free(struct request *request)
{
    buf_free(&request->lead);
    buf_free(&request->text);
    io_close(&request->payload);
}

static void add_frame(struct buf *frames, const struct frame_header *head, struct span bytes)
{
    buf_add(frames, head, sizeof(*head));
    buf_add(frames, bytes.at, bytes.length);
}

static void fill_lead(struct request *request, struct code_cache *codes,
                      const struct worker_task *task)
{
    struct span code;
    struct frame_header head = {.type = FRAME_CODE};

    if (!task->source.length || task->source.length > SOURCE_BYTES_MAX)
        return;
    code = code_cache_find(codes, task->source, task->each);
    if (!code.length) {
        head.type = FRAME_SOURCE;
        head.flags = task->each ? FRAME_EACH : 0;
        code = task->source;
        request->compiles = true;
    }
    head.length = code.length;
    add_frame(&request->lead, &head, code);
}

/* The file that has the settings, and `offset`, where they begin. -1 with `err`. */
static int settings_file(const struct worker_task *task, uint64_t *offset, struct error **err)
{
    AUTO_CLOSE int fd = task->file >= 0 ? fcntl(task->file, F_DUPFD_CLOEXEC, 0) : io_memfd("task");

    *offset = task->file >= 0 ? task->offset : 0;
    if (fd < 0 ||
        (task->file < 0 && io_write_all(fd, task->settings.at, task->settings.length) < 0))
        return error_set_errno(err, errno, "store the task's items");
    return io_steal(&fd);
}

int request_fill(struct request *request, struct code_cache *codes, const struct worker_task *task,
                 struct error **err)
{
    struct frame_header head = {.type = FRAME_TASK, .length = task->settings.length};
    uint64_t offset;

    fill_lead(request, codes, task);
    if (request->lead.length + task->settings.length > REQUEST_INLINE_MAX) {
        head.flags = FRAME_BY_FD;
        request->payload = settings_file(task, &offset, err);
        if (request->payload < 0)
            return -1;
        add_frame(&request->text, &head, (struct span){(const char *)&offset, sizeof(offset)});
    } else {
        add_frame(&request->text, &head, task->settings);
    }
    if (buf_failed(&request->lead) || buf_failed(&request->text))
        return error_set(err, "no memory for the task's items");
    request->given = true;
    return 0;
}

/* With `fd`, unless that is -1. The socket's buffer takes all of it; should the system have no
 * memory for that just now, or the child be gone, it has the task in part or not at all: it is
 * ended, and the news of its end bring the task to another. */
static bool send_frames(struct worker *worker, const struct buf *frames, int fd)
{
    size_t sent = 0;

    while (sent < frames->length) {
        ssize_t count = io_send_fds(worker->channel_fd, frames->data + sent, frames->length - sent,
                                    &fd, fd >= 0);

        if (count < 0) {
            worker_kill(worker);
            return false;
        }
        sent += (size_t)count;
        fd = -1;
    }
    return true;
}

/* The task itself, whose lead has been sent, or goes with it. */
static bool send_task(struct worker *worker)
{
    return send_frames(worker, &worker->request.text, worker->request.payload);
}

void request_announce(struct worker *worker)
{
    AUTO_BUF struct buf frame = {0};
    struct frame_header head = {.type = FRAME_SOON};

    if (!worker->channel || !worker->forked || clock_us() - worker->asked_us < RESTED_US)
        return;
    add_frame(&frame, &head, (struct span){0});
    if (!buf_failed(&frame))
        send_frames(worker, &frame, -1);
}

void request_send(struct worker *worker)
{
    struct request *request = &worker->request;

    if (send_frames(worker, &request->lead, -1) && !request->compiles)
        request->delivered = send_task(worker);
}

bool request_waits_for_code(const struct request *request)
{
    return request->given && request->compiles && !request->delivered;
}

void request_take_code(struct worker *worker, struct span code)
{
    struct request *request = &worker->request;
    struct frame_header head;

    memcpy(&head, request->lead.data, sizeof(head));
    code_cache_keep(worker->workers->codes,
                    (struct span){request->lead.data + sizeof(head), (size_t)head.length},
                    head.flags & FRAME_EACH, code);
    request->delivered = send_task(worker);
}
