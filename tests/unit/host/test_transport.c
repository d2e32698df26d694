/* What goes over the WebSocket: frames out, and messages collected on their way in. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/base/mem.h"
#include "runner/host/incoming.h"
#include "runner/host/outbox.h"
#include "runner/host/ws_frame.h"

static const unsigned char key[WS_KEY_BYTES] = {0x37, 0xfa, 0x21, 0x3d};

static void a_frame_is_as_in_the_rfc(void **state)
{
    /* RFC 6455, 5.7: a single-frame masked text message "Hello" */
    static const unsigned char expected[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                             0x7f, 0x9f, 0x4d, 0x51, 0x58};
    unsigned char frame[WS_HEAD_MAX + 5];
    size_t head = ws_frame_head(frame, 5, true, true, key);

    (void)state;
    ws_frame_mask(frame + head, "Hello", 5, key);
    assert_int_equal(head + 5, sizeof(expected));
    assert_memory_equal(frame, expected, sizeof(expected));
}

static void lengths_take_the_bytes_they_need(void **state)
{
    static const struct {
        size_t length, head;
        unsigned char bytes[9];
    } rows[] = {
        {0, 6, {0x80}},
        {125, 6, {0x80 | 125}},
        {126, 8, {0x80 | 126, 0, 126}},
        {65535, 8, {0x80 | 126, 0xff, 0xff}},
        {65536, 14, {0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    unsigned char head[WS_HEAD_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(ws_frame_head(head, rows[i].length, true, true, key), rows[i].head);
        assert_memory_equal(head + 1, rows[i].bytes, rows[i].head - 1 - WS_KEY_BYTES);
        assert_memory_equal(head + rows[i].head - WS_KEY_BYTES, key, WS_KEY_BYTES);
    }
}

static void a_message_is_text_and_then_continued(void **state)
{
    unsigned char head[WS_HEAD_MAX];

    (void)state;
    ws_frame_head(head, 1, true, true, key);
    assert_int_equal(head[0], 0x81);
    ws_frame_head(head, 1, true, false, key);
    assert_int_equal(head[0], 0x01);
    ws_frame_head(head, 1, false, false, key);
    assert_int_equal(head[0], 0x00);
    ws_frame_head(head, 1, false, true, key);
    assert_int_equal(head[0], 0x80);
}

static void every_length_is_masked_to_its_end(void **state)
{
    char payload[70];
    unsigned char masked[71];

    (void)state;
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (char)(i * 7);
    for (size_t length = 0; length <= sizeof(payload); length++) {
        memset(masked, 0xee, sizeof(masked));
        ws_frame_mask(masked, payload, length, key);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(masked[i] ^ key[i % WS_KEY_BYTES], (unsigned char)payload[i]);
        assert_int_equal(masked[length], 0xee);
    }
}

/* Takes the next frame of up to 65,535 bytes off `frames`, unmasks it onto `text` and returns its
 * first byte. */
static unsigned char next_frame(struct span *frames, struct buf *text)
{
    const unsigned char *at = (const unsigned char *)frames->at, *mask;
    size_t length = at[1] & 0x7f, head = 2;

    assert_int_not_equal(length, 127);
    if (length == 126) {
        length = (size_t)at[2] << 8 | at[3];
        head = 4;
    }
    mask = at + head;
    head += WS_KEY_BYTES;
    for (size_t i = 0; i < length; i++)
        buf_add_char(text, (char)(at[head + i] ^ mask[i % WS_KEY_BYTES]));
    assert_true(head + length <= frames->length);
    *frames = (struct span){frames->at + head + length, frames->length - head - length};
    return at[0];
}

static void post(struct outbox *outbox, const char *text, size_t length)
{
    struct buf message = {0};

    buf_add(&message, text, length);
    outbox_add(outbox, &message);
    assert_null(message.data);
}

static void small_messages_leave_together_and_in_order(void **state)
{
    struct outbox *outbox = outbox_new();
    unsigned char chunk[8192];
    AUTO_BUF struct buf text = {0};
    struct span frames = {(const char *)chunk, 0};

    (void)state;
    assert_int_equal(outbox_take(outbox, chunk, sizeof(chunk)), 0);
    post(outbox, "one", 3);
    post(outbox, "two", 3);
    assert_int_equal(outbox_waiting(outbox), 6);
    frames.length = (size_t)outbox_take(outbox, chunk, sizeof(chunk));
    assert_true(outbox_is_empty(outbox));
    assert_int_equal(outbox_waiting(outbox), 0);
    assert_int_equal(next_frame(&frames, &text), 0x81);
    assert_int_equal(next_frame(&frames, &text), 0x81);
    assert_int_equal(frames.length, 0);
    assert_buf(&text, "onetwo");
    outbox_drop(&outbox);
    assert_null(outbox);
    outbox_drop(&outbox);
}

static void a_large_message_leaves_in_parts_and_another_follows(void **state)
{
    struct outbox *outbox = outbox_new();
    unsigned char chunk[8192];
    AUTO_FREE char *large = mem_alloc(20000);
    AUTO_BUF struct buf text = {0};
    unsigned char firsts[8];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        large[i] = (char)('a' + i % 26);
    post(outbox, large, 20000);
    post(outbox, "!", 1);
    while (!outbox_is_empty(outbox)) {
        ssize_t length = outbox_take(outbox, chunk, sizeof(chunk));
        struct span frames = {(const char *)chunk, (size_t)length};

        assert_in_range(length, 1, sizeof(chunk));
        while (frames.length)
            firsts[count++] = next_frame(&frames, &text);
    }
    assert_int_equal(count, 4);
    assert_memory_equal(firsts, "\x01\x00\x80\x81", 4);
    assert_int_equal(text.length, 20001);
    assert_memory_equal(text.data, large, 20000);
    post(outbox, "left", 4); /* is freed with it */
    outbox_drop(&outbox);
}

/* Collects `length` bytes in pieces; the content is checked against what went in. */
static struct incoming collected(size_t length, size_t piece, struct span *text)
{
    AUTO_FREE char *bytes = mem_alloc(length ? length : 1);
    struct incoming incoming;

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + i % 23);
    incoming_init(&incoming);
    for (size_t at = 0; at < length; at += piece)
        assert_int_equal(
            incoming_add(&incoming, bytes + at, length - at < piece ? length - at : piece), 0);
    assert_int_equal(incoming_finish(&incoming, text), 0);
    assert_int_equal(text->length, length);
    assert_memory_equal(text->at, bytes, length);
    return incoming;
}

static void a_small_message_stays_in_memory(void **state)
{
    struct span text;
    struct incoming incoming = collected(256 * 1024 - 1, 1000, &text);

    (void)state;
    assert_int_equal(incoming.file, -1);
    incoming_free(&incoming);
}

static void a_large_message_is_a_file_that_nobody_can_change(void **state)
{
    struct span text;
    struct incoming incoming = collected(256 * 1024, 1000, &text), moved;

    (void)state;
    assert_true(incoming.file >= 0);
    assert_int_equal(pwrite(incoming.file, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(incoming.file, 10), -1);
    assert_int_equal(ftruncate(incoming.file, 1 << 20), -1);
    assert_ptr_equal(mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, incoming.file, 0),
                     MAP_FAILED);
    moved = incoming_steal(&incoming);
    assert_int_equal(incoming.file, -1);
    incoming_free(&incoming);
    assert_int_equal(text.at[0], 'a');
    incoming_free(&moved);
    assert_int_equal(moved.file, -1);
}

static void one_piece_may_be_the_whole(void **state)
{
    struct span text;
    struct incoming incoming = collected(3 << 20, 3 << 20, &text);

    (void)state;
    assert_true(incoming.file >= 0);
    incoming_free(&incoming);
    incoming = collected(0, 1, &text);
    incoming_free(&incoming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_as_in_the_rfc),
        cmocka_unit_test(lengths_take_the_bytes_they_need),
        cmocka_unit_test(a_message_is_text_and_then_continued),
        cmocka_unit_test(every_length_is_masked_to_its_end),
        cmocka_unit_test(small_messages_leave_together_and_in_order),
        cmocka_unit_test(a_large_message_leaves_in_parts_and_another_follows),
        cmocka_unit_test(a_small_message_stays_in_memory),
        cmocka_unit_test(a_large_message_is_a_file_that_nobody_can_change),
        cmocka_unit_test(one_piece_may_be_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
