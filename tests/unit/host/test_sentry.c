/* Reports to Sentry: where they go, what they hold, and how few there are. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/host/sentry_dsn.h"
#include "runner/host/sentry_event.h"
#include "runner/host/sentry_queue.h"

static const int64_t second = 1000 * 1000;

/* ---- where they go ---- */

static void dsns_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *key, *host, *path;
        int port;
        bool tls;
    } rows[] = {
        {"https://abc123@o1.ingest.example/42", "abc123", "o1.ingest.example", "/api/42/envelope/",
         443, true},
        {"http://k@127.0.0.1:9000/1", "k", "127.0.0.1", "/api/1/envelope/", 9000, false},
        {"https://k:secret@h:8443/a/b/7/", "k", "h", "/a/b/api/7/envelope/", 8443, true},
        {"HTTPS://k@[::1]/x", "k", "::1", "/api/x/envelope/", 443, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_ERROR struct error *err = NULL;
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *auth = NULL;
        AUTO_FREE char *wanted = mem_format("sentry_key=%s", rows[i].key);
        struct sentry_dsn dsn;

        assert_int_equal(sentry_dsn_parse(&dsn, "S", rows[i].text, &err), 0);
        path = sentry_dsn_path(&dsn);
        auth = sentry_dsn_auth(&dsn);
        assert_string_equal(dsn.key, rows[i].key);
        assert_string_equal(dsn.uri.host, rows[i].host);
        assert_string_equal(path, rows[i].path);
        assert_int_equal(dsn.uri.port, rows[i].port);
        assert_int_equal(dsn.uri.tls, rows[i].tls);
        assert_non_null(strstr(auth, wanted));
        assert_non_null(strstr(auth, "sentry_version=7"));
        assert_null(strstr(auth, "secret"));
        sentry_dsn_free(&dsn);
    }
}

static void what_is_no_dsn_is_refused_and_not_shown(void **state)
{
    static const char *const bad[] = {"hidden",
                                      "https://hidden",
                                      "https://hidden/1",
                                      "ftp://hidden@h/1",
                                      "https://hidden@h",
                                      "https://hidden@h/",
                                      "https://@hidden/1",
                                      "https://hidden@h:x/1",
                                      "https://hidden@/1",
                                      "https://hid,den@h/1",
                                      "https://hidden@h/1?x",
                                      "https://hidden@h/a b",
                                      "https://h/hidden@x/1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        AUTO_ERROR struct error *err = NULL;
        struct sentry_dsn dsn;

        assert_int_equal(sentry_dsn_parse(&dsn, "N8N_SENTRY_DSN", bad[i], &err), -1);
        assert_non_null(strstr(error_text(err), "N8N_SENTRY_DSN is no DSN"));
        assert_null(strstr(error_text(err), "hidden"));
        assert_null(dsn.key);
    }
}

/* ---- what they hold ---- */

/* The three lines of an envelope, NUL-terminated in place. */
static void split(struct buf *envelope, char *lines[3])
{
    char *at;

    buf_add_char(envelope, '\0');
    at = envelope->data;
    for (int i = 0; i < 3; i++) {
        lines[i] = at;
        at = strchr(at, '\n');
        assert_non_null(at);
        *at++ = '\0';
    }
    assert_string_equal(at, "");
}

static void assert_text(const cJSON *object, const char *name, const char *wanted)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

    assert_non_null(text);
    assert_string_equal(text, wanted);
}

static void an_envelope_is_what_sentry_reads(void **state)
{
    const struct sentry_about about = {
        .n8n_version = "2.41.0", .environment = "production", .deployment = "here"};
    struct sentry_event event = {.fault = FAULT_PYTHON_GONE,
                                 .detail = "signal 9",
                                 .more = 3,
                                 .time_ms = 1700000000123,
                                 .sent_ms = 1700000009456};
    AUTO_BUF struct buf envelope = {0};
    const cJSON *exception, *tags;
    cJSON *head, *item, *json;
    char *lines[3];

    (void)state;
    sentry_event_make_id(event.id);
    assert_int_equal(strspn(event.id, "0123456789abcdef"), SENTRY_ID_LENGTH);
    sentry_event_write(&envelope, &about, &event);
    split(&envelope, lines);
    head = cJSON_Parse(lines[0]);
    item = cJSON_Parse(lines[1]);
    json = cJSON_Parse(lines[2]);
    assert_text(head, "event_id", event.id);
    assert_text(head, "sent_at", "2023-11-14T22:13:29.456Z");
    assert_text(item, "type", "event");
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(item, "length")), strlen(lines[2]));
    assert_text(json, "event_id", event.id);
    assert_text(json, "level", "error");
    assert_text(json, "release", "n8n@2.41.0");
    assert_text(json, "environment", "production");
    assert_text(json, "server_name", "here");
    assert_non_null(strstr(lines[2], "\"timestamp\":1700000000.123,"));
    tags = cJSON_GetObjectItem(json, "tags");
    assert_text(tags, "server_type", "task_runner_python");
    assert_text(tags, "deployment_name", "here");
    assert_text(tags, "fault", "python_gone");
    exception = cJSON_GetArrayItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(json, "exception"), "values"), 0);
    assert_text(exception, "type", "python_gone");
    assert_text(exception, "value",
                "The Python process that tasks are forked from is gone: signal 9");
    assert_non_null(strstr(lines[2], "\"more_since_the_last_report\":3"));
    cJSON_Delete(head);
    cJSON_Delete(item);
    cJSON_Delete(json);
}

static void what_is_not_known_is_left_out(void **state)
{
    struct sentry_event event = {.id = "0", .fault = FAULT_PYTHON_START};
    const struct sentry_about about = {0};
    AUTO_BUF struct buf envelope = {0};
    char *lines[3];

    (void)state;
    sentry_event_write(&envelope, &about, &event);
    split(&envelope, lines);
    assert_non_null(strstr(lines[2], "\"level\":\"fatal\""));
    assert_non_null(strstr(lines[2], "\"value\":\"Python can't be started\""));
    assert_null(strstr(lines[2], "release"));
    assert_null(strstr(lines[2], "\"environment\""));
    assert_null(strstr(lines[2], "server_name"));
    assert_null(strstr(lines[2], "deployment_name"));
    assert_null(strstr(lines[2], "extra"));
}

/* ---- how few there are ---- */

static void one_of_a_kind_waits_and_one_a_minute_goes(void **state)
{
    struct sentry_queue queue = {0};
    struct sentry_waiting waiting;

    (void)state;
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULTS);
    sentry_queue_add(&queue, FAULT_FORK, "first", second, 17);
    for (int i = 0; i < 1000; i++)
        sentry_queue_add(&queue, FAULT_FORK, "more", second, 18);
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULT_FORK);
    assert_string_equal(waiting.detail, "first");
    assert_int_equal(waiting.more, 1000);
    assert_int_equal(waiting.time_ms, 17);
    free(waiting.detail);
    sentry_queue_add(&queue, FAULT_FORK, "too soon", 61 * second - 1, 19);
    assert_int_equal(sentry_queue_take(&queue, &waiting, 61 * second), FAULTS);
    sentry_queue_add(&queue, FAULT_FORK, NULL, 61 * second, 20);
    assert_int_equal(sentry_queue_take(&queue, &waiting, 61 * second), FAULT_FORK);
    assert_null(waiting.detail);
    assert_int_equal(waiting.more, 1);
    assert_int_equal(queue.dropped, 1001);
    sentry_queue_free(&queue);
}

static void kinds_go_in_the_order_they_came_in(void **state)
{
    struct sentry_queue queue = {0};
    struct sentry_waiting waiting;

    (void)state;
    sentry_queue_add(&queue, FAULT_TASK, NULL, second, 0);
    sentry_queue_add(&queue, FAULT_PYTHON_GONE, NULL, second, 0);
    sentry_queue_add(&queue, FAULT_BREACH, NULL, second, 0);
    assert_false(sentry_queue_has_fatal(&queue));
    sentry_queue_add(&queue, FAULT_PYTHON_START, NULL, second, 0);
    assert_true(sentry_queue_has_fatal(&queue));
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULT_TASK);
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULT_PYTHON_GONE);
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULT_BREACH);
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULT_PYTHON_START);
    assert_int_equal(sentry_queue_take(&queue, &waiting, second), FAULTS);
    sentry_queue_free(&queue);
}

static void a_pause_is_kept(void **state)
{
    struct sentry_queue queue = {0};
    struct sentry_waiting waiting;

    (void)state;
    sentry_queue_add(&queue, FAULT_TASK, NULL, second, 0);
    sentry_queue_pause(&queue, 5, second);
    assert_int_equal(sentry_queue_take(&queue, &waiting, 6 * second - 1), FAULTS);
    assert_int_equal(sentry_queue_take(&queue, &waiting, 6 * second), FAULT_TASK);
    sentry_queue_pause(&queue, -1, 10 * second);
    assert_int_equal(queue.paused_until_us, 70 * second);
    sentry_queue_pause(&queue, 1 << 30, 10 * second);
    assert_int_equal(queue.paused_until_us, 3610 * second);
    sentry_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dsns_are_taken_apart),
        cmocka_unit_test(what_is_no_dsn_is_refused_and_not_shown),
        cmocka_unit_test(an_envelope_is_what_sentry_reads),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(one_of_a_kind_waits_and_one_a_minute_goes),
        cmocka_unit_test(kinds_go_in_the_order_they_came_in),
        cmocka_unit_test(a_pause_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
