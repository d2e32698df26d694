/* What a task's end means for n8n; see outcome.h. */
#include "runner/host/outcome.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/host/message.h"

static const char no_result[] =
    "Process completed but returned no result. This is likely an internal error.";

/* How a process that sent nothing died. */
static char *death_text(int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return mem_dup("Process was forcefully killed (SIGKILL)");
    if (WIFSIGNALED(status))
        return mem_format("Task subprocess exited with code %d", -WTERMSIG(status));
    if (WEXITSTATUS(status))
        return mem_format("Task subprocess exited with code %d", WEXITSTATUS(status));
    return mem_dup(no_result);
}

/* What may have killed it, when that is not known: a library that gets no memory crashes. */
static char *death_hint(const struct outcome_context *context, const struct worker_outcome *outcome)
{
    if (outcome->reason)
        return mem_dup(outcome->reason);
    if (!WIFSIGNALED(outcome->status))
        return NULL;
    if (!context->memory_mb)
        return WTERMSIG(outcome->status) != SIGKILL
                   ? NULL
                   : mem_dup("The system ended it, most likely for want of memory. "
                             "N8N_RUNNERS_TASK_MEMORY_MB on the runner limits each task.");
    return mem_format("A task may use %lld MB of memory: if that was too little, raise "
                      "N8N_RUNNERS_TASK_MEMORY_MB on the runner.",
                      context->memory_mb);
}

/* The host's own sentence; NULL when the child's error has one. `description` may be set; both are
 * the caller's to free. */
static char *sentence(const struct outcome_context *context, const struct worker_outcome *outcome,
                      char **description)
{
    switch (context->stop) {
    case TASK_TIMED_OUT:
        return mem_format("Task execution timed out after %d second%s", context->timeout_s,
                          context->timeout_s == 1 ? "" : "s");
    case TASK_CANCELLED:
        return mem_dup("Task was cancelled");
    case TASK_SENSELESS:
    case TASK_UNSTARTED:
        return mem_dup(context->problem);
    case TASK_RAN:
        break;
    }
    switch (outcome->end) {
    case WORKER_TOO_LARGE:
        *description =
            mem_dup("Return less, or raise N8N_RUNNERS_MAX_PAYLOAD on the runner and on n8n.");
        return mem_format("The result is larger than the %zu bytes that one message may have",
                          context->result_max);
    case WORKER_NO_MEMORY:
        *description = mem_dup("Return less, or give the runner more memory.");
        return mem_dup("The runner has no memory for the task's result");
    case WORKER_BREACH:
        *description = mem_dup("What the task's process sent was no valid result.");
        return mem_dup(no_result);
    case WORKER_EXITED:
        *description = death_hint(context, outcome);
        return death_text(outcome->status);
    case WORKER_LOST:
        *description = mem_dup("The runner's Python process ended while the task ran.");
        return mem_dup("Process was forcefully killed (SIGKILL)");
    case WORKER_RESULT:
    case WORKER_ERROR:
        break;
    }
    return NULL;
}

/* continueOnFail covers what the code did and how its process ended, not a refusal or a cancel. */
static bool is_covered(const struct outcome_context *context, const struct worker_outcome *outcome)
{
    if (!context->continue_on_fail ||
        (context->stop != TASK_RAN && context->stop != TASK_TIMED_OUT))
        return false;
    return context->stop == TASK_TIMED_OUT || outcome->end != WORKER_ERROR ||
           strcmp(outcome->kind, "raised") == 0;
}

static void literal(struct buf *json, const char *text)
{
    json_string_add(json, text, strlen(text));
}

static long long failure_message(struct buf *message, const struct outcome_context *context,
                                 const struct worker_outcome *outcome)
{
    AUTO_FREE char *own = NULL;
    AUTO_FREE char *description = NULL;
    AUTO_BUF struct buf own_json = {0};
    AUTO_BUF struct buf description_json = {0};
    AUTO_BUF struct buf covered = {0};
    struct task_error error = {0};
    long long covered_length;

    own = sentence(context, outcome, &description);
    if (own) {
        literal(&own_json, own);
        error.message = (struct span){own_json.data, own_json.length};
    } else {
        error = outcome->error;
    }
    if (description) {
        literal(&description_json, description);
        error.description = (struct span){description_json.data, description_json.length};
    }
    if (!is_covered(context, outcome)) {
        message_error(message, context->task_id, &error);
        message->failed |= buf_failed(&own_json) || buf_failed(&description_json);
        return -1;
    }
    buf_add_text(&covered, "[{\"json\":{\"error\":");
    buf_add(&covered, error.message.at, error.message.length);
    buf_add_text(&covered, "}}]");
    covered_length = (long long)covered.length;
    message_done(message, context->task_id, &covered);
    message->failed |= buf_failed(&own_json);
    return covered_length;
}

long long outcome_message(struct buf *message, const struct outcome_context *context,
                          struct worker_outcome *outcome)
{
    long long length;

    if (context->stop != TASK_RAN || outcome->end != WORKER_RESULT)
        return failure_message(message, context, outcome);
    length = (long long)outcome->result.length;
    message_done(message, context->task_id, &outcome->result);
    return length;
}

/* ---- for who counts and logs ---- */

static const char *const names[TASK_OUTCOMES] = {
    [OUTCOME_DONE] = "done",           [OUTCOME_RAISED] = "raised",
    [OUTCOME_VIOLATION] = "violation", [OUTCOME_SYNTAX] = "syntax",
    [OUTCOME_INVALID] = "invalid",     [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_CANCELLED] = "cancelled", [OUTCOME_KILLED] = "killed",
    [OUTCOME_EXITED] = "exited",       [OUTCOME_TOO_LARGE] = "too_large",
    [OUTCOME_BREACH] = "breach",       [OUTCOME_LOST] = "lost",
    [OUTCOME_UNSTARTED] = "unstarted", [OUTCOME_DROPPED] = "dropped",
    [OUTCOME_WITHDRAWN] = "withdrawn", [OUTCOME_NO_MEMORY] = "no_memory",
};

const char *outcome_name(enum task_outcome outcome)
{
    return names[outcome];
}

static enum task_outcome outcome_of_error(const char *kind)
{
    if (strcmp(kind, "violation") == 0)
        return OUTCOME_VIOLATION;
    if (strcmp(kind, "syntax") == 0)
        return OUTCOME_SYNTAX;
    return strcmp(kind, "settings") == 0 ? OUTCOME_INVALID : OUTCOME_RAISED;
}

static bool was_killed(const struct worker_outcome *outcome)
{
    return outcome->reason ||
           (WIFSIGNALED(outcome->status) && WTERMSIG(outcome->status) == SIGKILL);
}

enum task_outcome outcome_of(const struct outcome_context *context,
                             const struct worker_outcome *outcome)
{
    switch (context->stop) {
    case TASK_TIMED_OUT:
        return OUTCOME_TIMEOUT;
    case TASK_CANCELLED:
        return OUTCOME_CANCELLED;
    case TASK_SENSELESS:
        return OUTCOME_INVALID;
    case TASK_UNSTARTED:
        return OUTCOME_UNSTARTED;
    case TASK_RAN:
        break;
    }
    switch (outcome->end) {
    case WORKER_ERROR:
        return outcome_of_error(outcome->kind);
    case WORKER_TOO_LARGE:
        return OUTCOME_TOO_LARGE;
    case WORKER_NO_MEMORY:
        return OUTCOME_NO_MEMORY;
    case WORKER_BREACH:
        return OUTCOME_BREACH;
    case WORKER_EXITED:
        return was_killed(outcome) ? OUTCOME_KILLED : OUTCOME_EXITED;
    case WORKER_LOST:
        return OUTCOME_LOST;
    case WORKER_RESULT:
        break;
    }
    return OUTCOME_DONE;
}

char *outcome_detail(const struct outcome_context *context, const struct worker_outcome *outcome)
{
    enum task_outcome what = outcome_of(context, outcome);

    if (what == OUTCOME_INVALID || what == OUTCOME_UNSTARTED)
        return mem_dup(context->problem);
    if (what == OUTCOME_TOO_LARGE)
        return mem_format("%zu bytes are allowed", context->result_max);
    if (what == OUTCOME_TIMEOUT)
        return mem_format("%d s are allowed", context->timeout_s);
    if (what != OUTCOME_KILLED && what != OUTCOME_EXITED)
        return NULL;
    if (outcome->reason)
        return mem_dup(outcome->reason);
    if (WIFSIGNALED(outcome->status))
        return mem_format("signal %d (%s)", WTERMSIG(outcome->status),
                          strsignal(WTERMSIG(outcome->status)));
    return mem_format("exit code %d", WEXITSTATUS(outcome->status));
}
