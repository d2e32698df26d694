/* The child's end of its channel; see channel.h. */
#include "runner/zygote/channel.h"

#include <errno.h>
#include <sys/uio.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"

int channel_send(int channel, uint32_t type, const void *bytes, size_t length)
{
    struct frame_header head = {.type = type, .length = length};
    struct iovec parts[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)bytes, length}};
    ssize_t sent;

    do
        sent = writev(channel, parts, 2);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -1;
    if ((size_t)sent < sizeof(head)) {
        if (io_write_all(channel, (char *)&head + sent, sizeof(head) - (size_t)sent) < 0)
            return -1;
        sent = sizeof(head);
    }
    sent -= (ssize_t)sizeof(head);
    return io_write_all(channel, (const char *)bytes + sent, length - (size_t)sent);
}

int channel_receive_task(int channel, struct buf *request, struct error **err)
{
    struct frame_header head;
    AUTO_CLOSE int payload = -1;
    size_t fds = 0;
    char *room;
    ssize_t got = io_receive_fds(channel, &head, sizeof(head), &payload, 1, &fds);

    if (got != (ssize_t)sizeof(head) || head.type != FRAME_TASK)
        return error_set(err, "no task came");
    room = buf_reserve(request, head.length ? head.length : 1);
    if (!room)
        return error_set(err, "out of memory for a task of %llu bytes",
                         (unsigned long long)head.length);
    if (head.flags & FRAME_BY_FD)
        got = fds ? io_read_all(payload, room, head.length) : -1;
    else
        got = io_read_all(channel, room, head.length);
    if (got < 0)
        return error_set_errno(err, errno, "read the task");
    request->length += head.length;
    return 0;
}
