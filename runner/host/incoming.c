/* See incoming.h. */
#include "runner/host/incoming.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "runner/base/io.h"

/* Copying what is shorter costs less than making a file. */
enum { FILE_FROM = 256 * 1024 };

void incoming_init(struct incoming *incoming)
{
    *incoming = (struct incoming){.file = -1};
}

void incoming_free(struct incoming *incoming)
{
    buf_free(&incoming->bytes);
    if (incoming->mapped)
        munmap(incoming->mapped, incoming->mapping);
    io_close(&incoming->file);
    incoming_init(incoming);
}

struct incoming incoming_steal(struct incoming *owner)
{
    struct incoming stolen = *owner;

    incoming_init(owner);
    return stolen;
}

/* Goes on in a file. Without one, in memory. */
static int move_to_file(struct incoming *incoming)
{
    incoming->file = io_memfd("task");
    if (incoming->file < 0)
        return 0;
    if (io_write_all(incoming->file, incoming->bytes.data, incoming->bytes.length) < 0)
        return -1;
    buf_free(&incoming->bytes);
    return 0;
}

int incoming_add(struct incoming *incoming, const void *bytes, size_t length)
{
    if (incoming->file < 0 && incoming->length < FILE_FROM &&
        incoming->length + length >= FILE_FROM && move_to_file(incoming) < 0)
        return -1;
    incoming->length += length;
    if (incoming->file >= 0)
        return io_write_all(incoming->file, bytes, length);
    buf_add(&incoming->bytes, bytes, length);
    return buf_failed(&incoming->bytes) ? -1 : 0;
}

int incoming_finish(struct incoming *incoming, struct span *text)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    void *mapped;

    *text = (struct span){incoming->bytes.data, incoming->length};
    if (incoming->file < 0)
        return 0;
    /* private: kernels before 6.7 let nobody share what is sealed */
    if (fcntl(incoming->file, F_ADD_SEALS, seals) < 0)
        return -1;
    mapped = mmap(NULL, incoming->length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, incoming->file, 0);
    if (mapped == MAP_FAILED)
        return -1;
    incoming->mapped = mapped;
    incoming->mapping = incoming->length;
    text->at = mapped;
    return 0;
}
