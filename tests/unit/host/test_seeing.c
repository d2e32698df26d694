/* What others see: counts, the rule of /healthz, how ends are told apart. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"
#include "runner/host/metrics.h"
#include "runner/host/outcome.h"
#include "runner/host/vitals.h"

static const int64_t second = 1000 * 1000;

/* ---- /healthz ---- */

static void a_first_start_is_well_however_long_it_takes(void **state)
{
    struct vitals vitals = {.by_hand = true};

    (void)state;
    assert_null(vitals_problem(&vitals, 1));
    assert_null(vitals_problem(&vitals, 1000 * second));
}

static void one_death_of_python_is_no_illness(void **state)
{
    struct vitals vitals = {0};

    (void)state;
    vitals_python_ready(&vitals, second);
    vitals_python_lost(&vitals, 20 * second);
    assert_null(vitals_problem(&vitals, 20 * second));
    assert_null(vitals_problem(&vitals, 139 * second));
    vitals_python_ready(&vitals, 139 * second);
    assert_null(vitals_problem(&vitals, 1000 * second));
}

static void python_that_stays_away_is(void **state)
{
    struct vitals vitals = {0};

    (void)state;
    vitals_python_ready(&vitals, second);
    vitals_python_lost(&vitals, 20 * second);
    assert_null(vitals_problem(&vitals, 140 * second - 1));
    assert_non_null(vitals_problem(&vitals, 140 * second));
    vitals_python_ready(&vitals, 150 * second);
    assert_null(vitals_problem(&vitals, 150 * second));
}

static void three_failed_starts_in_a_row_are(void **state)
{
    struct vitals vitals = {0};

    (void)state;
    vitals_python_ready(&vitals, second);
    vitals_python_lost(&vitals, 20 * second);
    vitals_python_lost(&vitals, 21 * second);
    vitals_python_lost(&vitals, 22 * second);
    assert_null(vitals_problem(&vitals, 22 * second));
    vitals_python_lost(&vitals, 23 * second);
    assert_non_null(vitals_problem(&vitals, 23 * second));
    /* it is there, but did not last before */
    vitals_python_ready(&vitals, 24 * second);
    assert_non_null(vitals_problem(&vitals, 34 * second - 1));
    assert_null(vitals_problem(&vitals, 34 * second));
    vitals_python_lost(&vitals, 35 * second);
    assert_null(vitals_problem(&vitals, 35 * second));
}

static void python_that_dies_as_soon_as_it_is_there_is(void **state)
{
    struct vitals vitals = {0};

    (void)state;
    vitals_python_ready(&vitals, second);
    for (int i = 1; i <= 3; i++) {
        vitals_python_lost(&vitals, (2 * i + 1) * second);
        assert_int_equal(vitals_problem(&vitals, (2 * i + 1) * second) != NULL, i == 3);
        vitals_python_ready(&vitals, (2 * i + 2) * second);
    }
    assert_non_null(vitals_problem(&vitals, 9 * second));
    assert_null(vitals_problem(&vitals, 18 * second));
}

static void a_broker_may_be_away_for_a_minute(void **state)
{
    struct vitals vitals = {.by_hand = true}, launched = {.by_hand = false};

    (void)state;
    vitals_broker_lost(&vitals, 5 * second);
    vitals_broker_lost(&launched, 5 * second);
    vitals_broker_lost(&vitals, 50 * second); /* it is still the same outage */
    assert_null(vitals_problem(&vitals, 65 * second - 1));
    assert_non_null(vitals_problem(&vitals, 65 * second));
    assert_null(vitals_problem(&launched, 100000 * second));
    vitals_broker_found(&vitals);
    assert_null(vitals_problem(&vitals, 70 * second));
    vitals_broker_lost(&vitals, 71 * second);
    assert_null(vitals_problem(&vitals, 72 * second));
}

/* ---- counts ---- */

static bool has_line(const struct buf *text, const char *line)
{
    AUTO_FREE char *copy = mem_dup_n(text->data, text->length);
    AUTO_FREE char *whole = mem_format("\n%s\n", line);

    return strstr(copy, whole) != NULL;
}

static void durations_fall_into_their_buckets(void **state)
{
    struct metrics metrics = {0};
    struct metrics_now now = {0};
    AUTO_BUF struct buf text = {0};

    (void)state;
    metrics_observe(&metrics.duration, -5);
    metrics_observe(&metrics.duration, 100);
    metrics_observe(&metrics.duration, 101);
    metrics_observe(&metrics.duration, 2 * second);
    metrics_observe(&metrics.duration, 1000 * second);
    metrics_write(&text, &metrics, &now);
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"0.0001\"} 2"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"0.00025\"} 3"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"1\"} 3"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"2.5\"} 4"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"300\"} 4"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_bucket{le=\"+Inf\"} 5"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_sum 1002.000201"));
    assert_true(has_line(&text, "task_runner_task_duration_seconds_count 5"));
    assert_true(has_line(&text, "task_runner_fork_seconds_sum 0.000000"));
}

static void counts_and_labels_are_shown(void **state)
{
    struct metrics metrics = {.tasks = {[OUTCOME_TIMEOUT] = 7},
                              .rejected = {[REJECTED_EXPIRED] = 2},
                              .faults = {[FAULT_FORK] = 1},
                              .received_bytes = UINT64_MAX};
    struct metrics_now now = {.running = 3,
                              .python_up = true,
                              .reports_failed = 4,
                              .version = "1.2.3",
                              .python = "a\"b\\c\nd"};
    AUTO_BUF struct buf text = {0};

    (void)state;
    metrics_write(&text, &metrics, &now);
    assert_true(has_line(&text, "# TYPE task_runner_tasks_running gauge"));
    assert_true(has_line(&text, "task_runner_tasks_total{outcome=\"timeout\"} 7"));
    assert_true(has_line(&text, "task_runner_tasks_total{outcome=\"done\"} 0"));
    assert_true(has_line(&text, "task_runner_tasks_rejected_total{reason=\"expired\"} 2"));
    assert_true(has_line(&text, "task_runner_faults_total{fault=\"fork\"} 1"));
    assert_true(has_line(&text, "task_runner_received_bytes_total 18446744073709551615"));
    assert_true(has_line(&text, "task_runner_tasks_running 3"));
    assert_true(has_line(&text, "task_runner_zygote_up 1"));
    assert_true(has_line(&text, "task_runner_sentry_reports_total{result=\"failed\"} 4"));
    assert_true(has_line(&text,
                         "task_runner_build_info{version=\"1.2.3\",python=\"a\\\"b\\\\c\\nd\","
                         "libwebsockets=\"\"} 1"));
}

/* ---- ends ---- */

static void every_end_counts_as_what_it_is(void **state)
{
    char raised[] = "raised", violation[] = "violation", syntax[] = "syntax", odd[] = "odd",
         settings[] = "settings";
    const struct {
        enum task_stop stop;
        struct worker_outcome end;
        enum task_outcome outcome;
        const char *detail;
    } rows[] = {
        {TASK_RAN, {.end = WORKER_RESULT}, OUTCOME_DONE, NULL},
        {TASK_RAN, {.end = WORKER_ERROR, .kind = raised}, OUTCOME_RAISED, NULL},
        {TASK_RAN, {.end = WORKER_ERROR, .kind = odd}, OUTCOME_RAISED, NULL},
        {TASK_RAN, {.end = WORKER_ERROR, .kind = violation}, OUTCOME_VIOLATION, NULL},
        {TASK_RAN, {.end = WORKER_ERROR, .kind = syntax}, OUTCOME_SYNTAX, NULL},
        {TASK_RAN, {.end = WORKER_ERROR, .kind = settings}, OUTCOME_INVALID, "p"},
        {TASK_RAN, {.end = WORKER_TOO_LARGE}, OUTCOME_TOO_LARGE, "10 bytes are allowed"},
        {TASK_RAN, {.end = WORKER_BREACH}, OUTCOME_BREACH, NULL},
        {TASK_RAN, {.end = WORKER_LOST}, OUTCOME_LOST, NULL},
        {TASK_RAN, {.end = WORKER_EXITED, .status = SIGKILL}, OUTCOME_KILLED, "signal 9 (Killed)"},
        {TASK_RAN,
         {.end = WORKER_EXITED, .status = SIGKILL, .reason = "too fat"},
         OUTCOME_KILLED,
         "too fat"},
        {TASK_RAN,
         {.end = WORKER_EXITED, .status = SIGSEGV},
         OUTCOME_EXITED,
         "signal 11 (Segmentation fault)"},
        {TASK_RAN, {.end = WORKER_EXITED, .status = 3 << 8}, OUTCOME_EXITED, "exit code 3"},
        {TASK_TIMED_OUT, {0}, OUTCOME_TIMEOUT, "5 s are allowed"},
        {TASK_CANCELLED, {0}, OUTCOME_CANCELLED, NULL},
        {TASK_SENSELESS, {0}, OUTCOME_INVALID, "p"},
        {TASK_UNSTARTED, {0}, OUTCOME_UNSTARTED, "p"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct outcome_context context = {
            .stop = rows[i].stop, .timeout_s = 5, .result_max = 10, .problem = "p"};
        const struct worker_outcome *end = rows[i].stop == TASK_RAN ? &rows[i].end : NULL;
        AUTO_FREE char *detail = outcome_detail(&context, end);

        assert_int_equal(outcome_of(&context, end), rows[i].outcome);
        assert_non_null(outcome_name(rows[i].outcome));
        if (rows[i].detail)
            assert_string_equal(detail, rows[i].detail);
        else
            assert_null(detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_start_is_well_however_long_it_takes),
        cmocka_unit_test(one_death_of_python_is_no_illness),
        cmocka_unit_test(python_that_stays_away_is),
        cmocka_unit_test(three_failed_starts_in_a_row_are),
        cmocka_unit_test(python_that_dies_as_soon_as_it_is_there_is),
        cmocka_unit_test(a_broker_may_be_away_for_a_minute),
        cmocka_unit_test(durations_fall_into_their_buckets),
        cmocka_unit_test(counts_and_labels_are_shown),
        cmocka_unit_test(every_end_counts_as_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
