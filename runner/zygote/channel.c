/* The child's end of its channel; see channel.h. */
#include "runner/zygote/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"

static int send_frame(int channel, uint32_t type, const void *bytes, size_t length)
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

int channel_send(int channel, uint32_t type, const void *bytes, size_t length)
{
    if (send_frame(channel, type, bytes, length) == 0)
        return 0;
    /* Nothing that comes after it would make sense: standard input, which is empty, takes its
     * place, and the host sees the end. */
    dup2(STDIN_FILENO, channel);
    return -1;
}

void request_free(struct request *request)
{
    if (request->map)
        munmap(request->map, request->mapped);
    else
        free(request->text);
    *request = (struct request){0};
}

/* The host has filled the memfd, and nobody else has it. Private: kernels before 6.7 let nobody
 * share one that is sealed. */
static int map_text(struct request *request, int channel, int fd, size_t length)
{
    uint64_t offset;
    size_t before;
    void *map;

    if (io_read_all(channel, &offset, sizeof(offset)) < 0)
        return -1;
    before = offset % (size_t)sysconf(_SC_PAGESIZE);
    map = mmap(NULL, before + length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd,
               (off_t)(offset - before));
    if (map == MAP_FAILED)
        return -1;
    request->map = map;
    request->mapped = before + length;
    request->text = (char *)map + before;
    request->length = length;
    return channel_send(channel, FRAME_TAKEN, NULL, 0);
}

/* What there is no memory for is passed over: another frame may follow. */
static int skip_text(int channel, size_t length)
{
    char room[4096];

    while (length) {
        size_t part = length < sizeof(room) ? length : sizeof(room);

        if (io_read_all(channel, room, part) < 0)
            return -1;
        length -= part;
    }
    errno = ENOMEM;
    return -1;
}

static int read_text(struct request *request, int channel, size_t length)
{
    request->text = malloc(length ? length : 1);
    request->length = length;
    return request->text ? io_read_all(channel, request->text, length) : skip_text(channel, length);
}

int channel_receive(int channel, struct request *request, struct error **err)
{
    struct frame_header head;
    AUTO_CLOSE int payload = -1;
    size_t fds = 0;
    ssize_t got = io_receive_fds(channel, &head, sizeof(head), &payload, 1, &fds);

    if (got <= 0 || io_read_all(channel, (char *)&head + got, sizeof(head) - (size_t)got) < 0)
        return error_set(err, "no task came");
    *request = (struct request){.type = head.type, .flags = head.flags};
    if (head.flags & FRAME_BY_FD)
        got = map_text(request, channel, payload, head.length);
    else
        got = read_text(request, channel, head.length);
    if (got < 0 && errno == ENOMEM)
        return 0;
    if (got < 0)
        return error_set_errno(err, errno, "read the task's %llu bytes",
                               (unsigned long long)head.length);
    return 0;
}
