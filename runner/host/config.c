/* The settings; see config.h. */
#include "runner/host/config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/offer.h"

enum {
    FILE_MAX = 1 << 20,     /* bytes in a NAME_FILE */
    CONCURRENCY_MAX = 1000, /* a process each */
    SECONDS_MAX = 365 * 24 * 3600,
    PORT_MAX = 65535,
    RUNNER_ID_LENGTH = 22, /* what n8n's own runners use */
    MEGABYTES_MAX = 1 << 20,
};

static const char broker_uri_default[] = "http://127.0.0.1:5679";

enum kind {
    TEXT,   /* char * */
    SECRET, /* char *, never shown, fit for a header */
    WHOLE,  /* int */
    BYTES,  /* long long */
    TRUTH,  /* bool */
    LEVEL,  /* int, enum log_level */
    CHOICE, /* int, the place among the choices that `fallback` has, its first being the default */
    LIST,   /* struct name_list; an empty text is an empty list, not the default */
};

static const struct setting {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct config */
    const char *fallback;
    long long least, most; /* of WHOLE and BYTES */
} settings[] = {
    {"N8N_RUNNERS_TASK_BROKER_URI", TEXT, offsetof(struct config, broker_uri), broker_uri_default,
     0, 0},
    {"N8N_RUNNERS_GRANT_TOKEN", SECRET, offsetof(struct config, grant_token), NULL, 0, 0},
    {"N8N_RUNNERS_AUTH_TOKEN", SECRET, offsetof(struct config, auth_token), NULL, 0, 0},
    {"N8N_RUNNERS_ID", TEXT, offsetof(struct config, runner_id), NULL, 0, 0},
    {"N8N_RUNNERS_MAX_CONCURRENCY", WHOLE, offsetof(struct config, max_concurrency), "5", 1,
     CONCURRENCY_MAX},
    {"N8N_RUNNERS_MAX_PAYLOAD", BYTES, offsetof(struct config, max_payload), "1073741824", 1,
     LLONG_MAX / 4},
    {"N8N_RUNNERS_TASK_TIMEOUT", WHOLE, offsetof(struct config, task_timeout), "60", 1,
     SECONDS_MAX},
    {"N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT", WHOLE, offsetof(struct config, auto_shutdown_timeout),
     "0", 0, SECONDS_MAX},
    {"N8N_RUNNERS_GRACEFUL_SHUTDOWN_TIMEOUT", WHOLE,
     offsetof(struct config, graceful_shutdown_timeout), "10", 1, SECONDS_MAX},
    {"N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED", TRUTH, offsetof(struct config, health_enabled),
     "false", 0, 0},
    {"N8N_RUNNERS_HEALTH_CHECK_SERVER_HOST", TEXT, offsetof(struct config, health_host),
     "127.0.0.1", 0, 0},
    {"N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT", WHOLE, offsetof(struct config, health_port), "5681", 0,
     PORT_MAX},
    {"N8N_RUNNERS_STDLIB_ALLOW", LIST, offsetof(struct config, policy.stdlib), "", 0, 0},
    {"N8N_RUNNERS_EXTERNAL_ALLOW", LIST, offsetof(struct config, policy.external), "", 0, 0},
    {"N8N_RUNNERS_BUILTINS_DENY", LIST, offsetof(struct config, policy.builtins_deny),
     policy_builtins_deny_default, 0, 0},
    {"N8N_RUNNERS_ALLOW_TRANSITIVE_IMPORTS", TRUTH,
     offsetof(struct config, allow_transitive_imports), "false", 0, 0},
    {"N8N_BLOCK_RUNNER_ENV_ACCESS", TRUTH, offsetof(struct config, block_env_access), "true", 0, 0},
    {"N8N_RUNNERS_LAUNCHER_LOG_LEVEL", LEVEL, offsetof(struct config, log_level), "info", 0, 0},
    {"N8N_RUNNERS_PYTHON_VENV", TEXT, offsetof(struct config, venv), NULL, 0, 0},
    {"SSL_CERT_FILE", TEXT, offsetof(struct config, ca_file), NULL, 0, 0},
    {"N8N_RUNNERS_SANDBOX", CHOICE, offsetof(struct config, sandbox), "auto, require, off", 0, 0},
    {"N8N_RUNNERS_TASK_NETWORK", CHOICE, offsetof(struct config, network), "deny, allow", 0, 0},
    {"N8N_RUNNERS_TASK_MEMORY_MB", WHOLE, offsetof(struct config, task_memory_mb), "0", 0,
     MEGABYTES_MAX},
    {"N8N_RUNNERS_TASK_TMP_MB", WHOLE, offsetof(struct config, task_tmp_mb), "0", 0, MEGABYTES_MAX},
    {"N8N_SENTRY_DSN", SECRET, offsetof(struct config, sentry_text), NULL, 0, 0},
    {"N8N_VERSION", TEXT, offsetof(struct config, n8n_version), NULL, 0, 0},
    {"ENVIRONMENT", TEXT, offsetof(struct config, environment), NULL, 0, 0},
    {"DEPLOYMENT_NAME", TEXT, offsetof(struct config, deployment_name), NULL, 0, 0},
};

/* ---- one setting ---- */

static char *trimmed(const char *text, size_t length)
{
    static const char space[] = " \t\r\n\f\v";

    while (length && strchr(space, text[length - 1]))
        length--;
    while (length && strchr(space, *text))
        text++, length--;
    return mem_dup_n(text, length);
}

static char *read_value_file(const char *name, const char *path, struct error **err)
{
    AUTO_BUF struct buf content = {0};

    if (io_read_file(path, FILE_MAX, &content, err) < 0) {
        error_wrap(err, "%s_FILE", name);
        return NULL;
    }
    if (content.length && memchr(content.data, '\0', content.length)) {
        error_set(err, "%s_FILE: `%s` is no text", name, path);
        return NULL;
    }
    return trimmed(content.data ? content.data : "", content.length);
}

/* The setting's text: its variable, its file, or NULL. -1 with `err`. */
static int find_value(const struct setting *setting, config_getenv_fn *get, void *owner,
                      char **value, struct error **err)
{
    AUTO_FREE char *file_name = mem_format("%s_FILE", setting->name);
    const char *text = get(owner, setting->name);
    const char *path = get(owner, file_name);

    /* an empty variable says nothing, except of a list */
    if (text && (*text || setting->kind == LIST))
        *value = setting->kind == SECRET ? trimmed(text, strlen(text)) : mem_dup(text);
    else if (path && *path)
        *value = read_value_file(setting->name, path, err);
    else
        return 0;
    return *value ? 0 : -1;
}

static int read_number(const struct setting *setting, const char *text, long long *number,
                       struct error **err)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    if (end == text || *end || errno || *number < setting->least || *number > setting->most) {
        if (setting->kind == BYTES)
            return error_set(err, "%s is `%s`: it must be a whole number of bytes, %lld or more",
                             setting->name, text, setting->least);
        return error_set(err, "%s is `%s`: it must be a whole number from %lld to %lld",
                         setting->name, text, setting->least, setting->most);
    }
    return 0;
}

static int read_truth(const struct setting *setting, const char *text, bool *truth,
                      struct error **err)
{
    *truth = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (*truth || strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return 0;
    return error_set(err, "%s is `%s`: it must be true or false", setting->name, text);
}

static int read_level(const struct setting *setting, const char *text, int *level,
                      struct error **err)
{
    *level = log_level_from_name(text);
    return *level >= 0 ? 0
                       : error_set(err, "%s is `%s`: it must be debug, info, warn or error",
                                   setting->name, text);
}

static int read_choice(const struct setting *setting, const char *text, int *place,
                       struct error **err)
{
    const char *choice = setting->fallback;

    *place = 0;
    if (text == setting->fallback)
        return 0;
    for (; *choice; choice += strspn(choice, ", "), ++*place) {
        size_t length = strcspn(choice, ",");

        if (strlen(text) == length && strncasecmp(text, choice, length) == 0)
            return 0;
        choice += length;
    }
    return error_set(err, "%s is `%s`: it must be one of %s", setting->name, text,
                     setting->fallback);
}

/* A secret becomes a header's value. */
static int read_secret(const struct setting *setting, const char *text, char **secret,
                       struct error **err)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            return error_set(err, "%s holds a character that no token has", setting->name);
    if (!*text)
        return error_set(err, "%s is blank", setting->name);
    *secret = mem_dup(text);
    return 0;
}

static int store(struct config *config, const struct setting *setting, const char *text,
                 struct error **err)
{
    void *place = (char *)config + setting->offset;
    long long number;

    switch (setting->kind) {
    case TEXT:
        *(char **)place = mem_dup(text);
        return 0;
    case SECRET:
        return read_secret(setting, text, place, err);
    case WHOLE:
        if (read_number(setting, text, &number, err) < 0)
            return -1;
        *(int *)place = (int)number;
        return 0;
    case BYTES:
        return read_number(setting, text, place, err);
    case TRUTH:
        return read_truth(setting, text, place, err);
    case LEVEL:
        return read_level(setting, text, place, err);
    case CHOICE:
        return read_choice(setting, text, place, err);
    case LIST:
        return name_list_parse(place, setting->name, text, err);
    }
    return 0;
}

/* ---- all of them ---- */

static void note_problem(struct buf *problems, struct error **err)
{
    if (!*err)
        return;
    buf_add_format(problems, "%s%s", problems->length ? "\n" : "", error_text(*err));
    error_free(err);
}

static void check_runner_id(struct config *config, struct error **err)
{
    static const char fit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char id[RUNNER_ID_LENGTH + 1];

    if (!config->runner_id) {
        offer_random_id(id, RUNNER_ID_LENGTH);
        config->runner_id = mem_dup(id);
    } else if (strspn(config->runner_id, fit) != strlen(config->runner_id)) {
        error_set(err, "N8N_RUNNERS_ID is `%s`: an id is made of letters, digits, - . _ and ~",
                  config->runner_id);
    } else {
        config->internal = true;
    }
}

static void check_tokens(const struct config *config, enum config_use use, struct error **err)
{
    if (use == CONFIG_SERVE && !config->auth_token && !config->grant_token)
        error_set(err, "N8N_RUNNERS_AUTH_TOKEN is not set: set it to the same secret as n8n's "
                       "N8N_RUNNERS_AUTH_TOKEN");
}

int config_load(struct config *config, config_getenv_fn *get, void *owner, enum config_use use,
                struct error **err)
{
    AUTO_BUF struct buf problems = {0};
    AUTO_ERROR struct error *problem = NULL;

    *config = (struct config){0};
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        AUTO_FREE char *value = NULL;
        const char *text = settings[i].fallback;

        if (find_value(&settings[i], get, owner, &value, &problem) == 0 && (value || text))
            store(config, &settings[i], value ? value : text, &problem);
        note_problem(&problems, &problem);
    }
    if (config->broker_uri)
        uri_parse(&config->broker, "N8N_RUNNERS_TASK_BROKER_URI", config->broker_uri, &problem);
    note_problem(&problems, &problem);
    if (config->sentry_text)
        sentry_dsn_parse(&config->sentry, "N8N_SENTRY_DSN", config->sentry_text, &problem);
    note_problem(&problems, &problem);
    check_runner_id(config, &problem);
    note_problem(&problems, &problem);
    if (!problems.length)
        check_tokens(config, use, &problem);
    note_problem(&problems, &problem);
    if (!problems.length)
        return 0;
    config_free(config);
    return error_set(err, "%.*s", (int)problems.length, problems.data);
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++)
        if (settings[i].kind == TEXT || settings[i].kind == SECRET)
            free(*(char **)((char *)config + settings[i].offset));
    uri_free(&config->broker);
    sentry_dsn_free(&config->sentry);
    policy_free(&config->policy);
    *config = (struct config){0};
}

char *config_summary(const struct config *config)
{
    AUTO_FREE char *stdlib = name_list_text(&config->policy.stdlib);
    AUTO_FREE char *external = name_list_text(&config->policy.external);
    AUTO_FREE char *health = config->health_enabled
                                 ? mem_format("%s:%d", config->health_host, config->health_port)
                                 : mem_dup("off");
    AUTO_FREE char *idle =
        config->auto_shutdown_timeout
            ? mem_format(", leaves after %d s without a task", config->auto_shutdown_timeout)
            : mem_dup("");

    return mem_format("broker %s, %d task%s at once of at most %d s and %lld bytes, stdlib: %s, "
                      "packages: %s, health check: %s%s",
                      config->broker_uri, config->max_concurrency,
                      config->max_concurrency == 1 ? "" : "s", config->task_timeout,
                      config->max_payload, stdlib, external, health, idle);
}

/* ---- the children's environment ---- */

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t size = strlen(end);

    return length >= size && memcmp(text + length - size, end, size) == 0;
}

static bool is_secret(const struct config *config, const char *variable)
{
    size_t name = strcspn(variable, "=");
    const char *value = variable[name] ? variable + name + 1 : "";
    const char *const tokens[] = {config->auth_token, config->grant_token, config->sentry_text};

    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++)
        if (tokens[i] && strcmp(tokens[i], value) == 0)
            return true;
    return ends_with(variable, name, "_FILE") || ends_with(variable, name, "_TOKEN") ||
           ends_with(variable, name, "_DSN");
}

static bool is_for_c_library(const char *variable)
{
    return strncmp(variable, "TZ=", 3) == 0 || strncmp(variable, "LANG=", 5) == 0;
}

char **config_child_environment(const struct config *config, char *const *environment)
{
    char **copy = mem_alloc(sizeof(*copy));
    size_t count = 0;

    for (; *environment; environment++) {
        if (config->block_env_access ? !is_for_c_library(*environment)
                                     : is_secret(config, *environment))
            continue;
        copy = mem_resize(copy, count + 2, sizeof(*copy));
        copy[count++] = mem_dup(*environment);
        copy[count] = NULL;
    }
    return copy;
}

void config_free_environment(char **environment)
{
    for (char **at = environment; at && *at; at++)
        free(*at);
    free(environment);
}
