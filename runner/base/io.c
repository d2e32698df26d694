/* Descriptors; see io.h. */
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"

enum { FDS_MAX = 8 };

void io_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int io_steal(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

ssize_t io_read(int fd, void *bytes, size_t count)
{
    ssize_t got;

    do
        got = read(fd, bytes, count);
    while (got < 0 && errno == EINTR);
    return got;
}

ssize_t io_write(int fd, const void *bytes, size_t count)
{
    ssize_t put;

    do
        put = write(fd, bytes, count);
    while (put < 0 && errno == EINTR);
    return put;
}

int io_read_all(int fd, void *bytes, size_t count)
{
    char *at = bytes;

    while (count) {
        ssize_t got = io_read(fd, at, count);

        if (got <= 0) {
            if (got == 0)
                errno = 0;
            return -1;
        }
        at += got;
        count -= (size_t)got;
    }
    return 0;
}

int io_write_all(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;

    while (count) {
        ssize_t put = io_write(fd, at, count);

        if (put < 0)
            return -1;
        at += put;
        count -= (size_t)put;
    }
    return 0;
}

ssize_t io_send_fds(int socket, const void *bytes, size_t count, const int *fds, size_t fds_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)(size_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (fds_count > FDS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fds_count) {
        struct cmsghdr *head;

        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
        head = CMSG_FIRSTHDR(&message);
        if (!head) { /* never: there is room for one */
            errno = EINVAL;
            return -1;
        }
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fds_count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, fds_count * sizeof(int));
    }
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* Takes the descriptors out of a received message: the first `fds_max` are kept, others closed. */
static size_t take_fds(struct msghdr *message, int *fds, size_t fds_max)
{
    size_t taken = 0;

    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        size_t count;

        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
            if (taken < fds_max)
                fds[taken++] = fd;
            else
                io_close(&fd);
        }
    }
    return taken;
}

ssize_t io_receive_fds(int socket, void *bytes, size_t count, int *fds, size_t fds_max,
                       size_t *fds_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got;

    *fds_count = 0;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got >= 0)
        *fds_count = take_fds(&message, fds, fds_max);
    return got;
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

int io_memfd(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

int io_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int io_read_file(const char *path, size_t limit, struct buf *content, struct error **err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t start = content->length;

    if (fd < 0)
        return error_set_errno(err, errno, "open `%s`", path);
    for (;;) {
        char *room = buf_reserve(content, 65536);
        ssize_t got;

        if (!room)
            return error_set(err, "read `%s`: out of memory", path);
        got = io_read(fd, room, 65536);
        if (got < 0)
            return error_set_errno(err, errno, "read `%s`", path);
        if (got == 0)
            return 0;
        content->length += (size_t)got;
        if (content->length - start > limit)
            return error_set(err, "read `%s`: it is larger than %zu bytes", path, limit);
    }
}
