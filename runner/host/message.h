/*
 * The broker's messages: what comes in, taken apart; what goes out, put together. Pure.
 *
 * Incoming text is scanned once and never built into a tree, so a message may be a gigabyte.
 * cJSON writes the small outgoing ones; a task's result and error texts, which a child made and
 * json_span has checked, are put between as they are.
 */
#ifndef HOST_MESSAGE_H
#define HOST_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

struct error;

enum message_type {
    MESSAGE_UNKNOWN,
    MESSAGE_INFO_REQUEST,
    MESSAGE_RUNNER_REGISTERED,
    MESSAGE_TASK_OFFER_ACCEPT,
    MESSAGE_TASK_SETTINGS,
    MESSAGE_TASK_CANCEL,
    MESSAGE_RPC_RESPONSE,
    MESSAGE_TASK_DATA_RESPONSE,
    MESSAGE_DRAIN,
};

/* A task's settings: the host looks at little of them; spans point into the message. */
struct task_settings {
    struct span raw;  /* the whole object */
    struct span code; /* a string */
    bool each;        /* nodeMode is runOnceForEachItem */
    bool continue_on_fail;
    char *workflow_name; /* "Unknown" when missing, as the three below */
    char *workflow_id;
    char *node_name;
    char *node_id;
    char *problem; /* what makes no sense in them, for the user; NULL when all is well */
};

struct message {
    struct span text; /* the whole, which the message's spans point into */
    int file;         /* a sealed file that has it from its start; -1: none; not the message's */
    enum message_type type;
    char *type_name; /* as it came */
    char *task_id;   /* NULL when missing, as the two below */
    char *offer_id;
    char *reason;
    struct task_settings settings; /* of MESSAGE_TASK_SETTINGS */
};

/* Takes a message apart. -1 with `err` when it is no JSON object with a type, or lacks an id that
 * its type needs. free with message_free(). */
int message_read(struct message *message, struct span text, struct error **err);
void message_free(struct message *message);
void task_settings_free(struct task_settings *settings);

/* ---- outgoing; each fills an empty buf ---- */

void message_info(struct buf *out);
void message_offer(struct buf *out, const char *offer_id, int valid_for_ms);
void message_accepted(struct buf *out, const char *task_id);
void message_rejected(struct buf *out, const char *task_id, const char *reason);
/* `params`: a checked JSON array. */
void message_print(struct buf *out, const char *call_id, const char *task_id, struct span params);
/* `result`: a checked JSON value, which may be large: it becomes the message, and is left empty. */
void message_done(struct buf *out, const char *task_id, struct buf *result);

/* A task's error. Spans are checked JSON values or empty. */
struct task_error {
    struct span message;     /* string */
    struct span description; /* string */
    struct span line_number; /* number */
    struct span item_index;  /* number */
};
void message_error(struct buf *out, const char *task_id, const struct task_error *error);

/* The settings of a task that no broker sent, from its parts: `items` and `query` are checked JSON;
 * `query` may be empty. */
void message_settings(struct buf *out, const char *code, size_t code_length, bool each,
                      struct span items, struct span query);

#endif
