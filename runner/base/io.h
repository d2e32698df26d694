/* Descriptors: owned, closed once, never leaked over an exec; EINTR retried here and nowhere else.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;
struct buf;

void io_close(int *fd); /* closes and sets to -1; fit for cleanup; errno is kept */
#define AUTO_CLOSE __attribute__((cleanup(io_close)))

/* Moves a descriptor out of its owner, which is left at -1. */
int io_steal(int *fd);

/* read()/write() with EINTR retried; short counts and EAGAIN are the caller's. */
ssize_t io_read(int fd, void *bytes, size_t count);
ssize_t io_write(int fd, const void *bytes, size_t count);

/* All of it on a blocking descriptor: 0, or -1 with errno (0 in errno: the end came early). */
int io_read_all(int fd, void *bytes, size_t count);
int io_write_all(int fd, const void *bytes, size_t count);

/* One datagram with up to `fds_max` descriptors (FD_CLOEXEC set on those received). */
ssize_t io_send_fds(int socket, const void *bytes, size_t count, const int *fds, size_t fds_count);
ssize_t io_receive_fds(int socket, void *bytes, size_t count, int *fds, size_t fds_max,
                       size_t *fds_count);

/* An empty file in memory, named for who looks; it can be sealed, and is never executed. -1 with
 * errno. */
int io_memfd(const char *name);
int io_set_nonblocking(int fd); /* 0, or -1 with errno */

/* Appends a file's whole content; `limit` in bytes, beyond which it is an error. */
int io_read_file(const char *path, size_t limit, struct buf *content, struct error **err);

#endif
