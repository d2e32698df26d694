/* What Sentry is told of a fault; see sentry_event.h. */
#include "runner/host/sentry_event.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"

void sentry_event_make_id(char id[SENTRY_ID_LENGTH + 1])
{
    unsigned char bytes[SENTRY_ID_LENGTH / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort();
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static void add_if(cJSON *object, const char *name, const char *value)
{
    if (value)
        cJSON_AddStringToObject(object, name, value);
}

static void add_tags(cJSON *event, const struct sentry_about *about, enum fault fault)
{
    cJSON *tags = cJSON_AddObjectToObject(event, "tags");

    cJSON_AddStringToObject(tags, "server_type", "task_runner_python");
    add_if(tags, "deployment_name", about->deployment);
    cJSON_AddStringToObject(tags, "fault", fault_name(fault));
    cJSON_AddStringToObject(tags, "runner_version", VERSION);
}

/* Sentry shows an exception's type and value, and groups by the fingerprint. */
static void add_fault(cJSON *json, const struct sentry_event *event)
{
    cJSON *values = cJSON_AddArrayToObject(cJSON_AddObjectToObject(json, "exception"), "values");
    cJSON *fingerprint = cJSON_AddArrayToObject(json, "fingerprint");
    cJSON *exception = cJSON_CreateObject();
    AUTO_FREE char *text = mem_format("%s%s%s", fault_text(event->fault), event->detail ? ": " : "",
                                      event->detail ? event->detail : "");

    cJSON_AddStringToObject(exception, "type", fault_name(event->fault));
    cJSON_AddStringToObject(exception, "value", text);
    cJSON_AddItemToArray(values, exception);
    cJSON_AddItemToArray(fingerprint, cJSON_CreateString("task-runner-python"));
    cJSON_AddItemToArray(fingerprint, cJSON_CreateString(fault_name(event->fault)));
    if (event->more)
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(json, "extra"),
                                "more_since_the_last_report", (double)event->more);
}

static void add_sdk(cJSON *json)
{
    cJSON *sdk = cJSON_AddObjectToObject(json, "sdk");

    cJSON_AddStringToObject(sdk, "name", "task-runner-python");
    cJSON_AddStringToObject(sdk, "version", VERSION);
}

/* The event as one line; free(). */
static char *event_text(const struct sentry_about *about, const struct sentry_event *event)
{
    cJSON *json = cJSON_CreateObject();
    AUTO_FREE char *release = about->n8n_version ? mem_format("n8n@%s", about->n8n_version) : NULL;
    char *text;

    cJSON_AddStringToObject(json, "event_id", event->id);
    cJSON_AddNumberToObject(json, "timestamp", (double)event->time_ms / 1e3);
    cJSON_AddStringToObject(json, "platform", "native");
    cJSON_AddStringToObject(json, "level", fault_is_fatal(event->fault) ? "fatal" : "error");
    cJSON_AddStringToObject(json, "logger", "task-runner-python");
    add_if(json, "release", release);
    add_if(json, "environment", about->environment);
    add_if(json, "server_name", about->deployment);
    add_tags(json, about, event->fault);
    add_fault(json, event);
    add_sdk(json);
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

void sentry_event_write(struct buf *envelope, const struct sentry_about *about,
                        const struct sentry_event *event)
{
    AUTO_FREE char *text = event_text(about, event);
    time_t seconds = (time_t)(event->sent_ms / 1000);
    char stamp[32] = "";
    struct tm utc;

    if (gmtime_r(&seconds, &utc))
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    buf_add_format(envelope, "{\"event_id\":\"%s\",\"sent_at\":\"%s.%03dZ\"}\n", event->id, stamp,
                   (int)(event->sent_ms % 1000));
    buf_add_format(envelope,
                   "{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":%zu}\n",
                   text ? strlen(text) : 0);
    buf_add_text(envelope, text ? text : "");
    buf_add_char(envelope, '\n');
}
