/* The one task that a child is given; see worker_state.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/host/worker_state.h"

void request_free(struct request *request)
{
    buf_free(&request->text);
    io_close(&request->payload);
}

/* A request of any size in a memfd, from its start; -1 with `err`. */
static int request_memfd(struct span settings, struct error **err)
{
    AUTO_CLOSE int fd = memfd_create("task", MFD_CLOEXEC);

    if (fd < 0 || io_write_all(fd, settings.at, settings.length) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, errno, "store the task's items");
    return io_steal(&fd);
}

int request_fill(struct request *request, struct span settings, struct error **err)
{
    request->head = (struct frame_header){.type = FRAME_TASK, .length = settings.length};
    if (settings.length > REQUEST_INLINE_MAX) {
        request->head.flags = FRAME_BY_FD;
        request->payload = request_memfd(settings, err);
        if (request->payload < 0)
            return -1;
    } else {
        buf_add(&request->text, settings.at, settings.length);
        if (buf_failed(&request->text))
            return error_set(err, "no memory for the task's items");
    }
    request->given = true;
    return 0;
}

int request_send(struct worker *worker, struct error **err)
{
    struct request *request = &worker->request;
    bool by_fd = request->payload >= 0;

    if (io_send_fds(worker->channel_fd, &request->head, sizeof(request->head), &request->payload,
                    by_fd) < 0 ||
        (!by_fd && send(worker->channel_fd, request->text.data, request->text.length,
                        MSG_NOSIGNAL) != (ssize_t)request->text.length))
        return error_set_errno(err, errno, "give the task to its process");
    request->delivered = true;
    return 0;
}
