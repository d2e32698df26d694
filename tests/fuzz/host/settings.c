/*
 * The settings: a line each, NAME=value; the value of a NAME_FILE line is what the file holds. What
 * is taken is within its bounds, what is refused says why, and no token is shown or handed on.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/config.h"

enum { LINES_MAX = 48 };

/* Stands for a token in the seeds and the dictionary. */
static const char secret[] = "s3cr3t";

static struct environment {
    char *lines[LINES_MAX + 1]; /* as in environ */
    size_t count;
    char *path;
    int file;
} environment;

static bool ends_with(struct span name, const char *end)
{
    size_t length = strlen(end);

    return name.length >= length && memcmp(name.at + name.length - length, end, length) == 0;
}

static void read_lines(struct environment *env, struct span input)
{
    while (input.length && env->count < LINES_MAX) {
        struct span line = fuzz_cut(&input, '\n');

        env->lines[env->count++] = mem_dup_n(line.at, line.length);
    }
}

/* The file of a NAME_FILE: one for all, filled when it is asked for, which is just before it is
 * read. */
static const char *fill_file(struct environment *env, const char *content)
{
    size_t length = strlen(content);

    if (ftruncate(env->file, 0) < 0 || pwrite(env->file, content, length, 0) != (ssize_t)length)
        fuzz_broken(__FILE__, __LINE__, "the file can be written");
    return env->path;
}

static const char *from_environment(void *owner, const char *name)
{
    struct environment *env = owner;
    size_t length = strlen(name);

    for (size_t i = 0; i < env->count; i++) {
        const char *line = env->lines[i];

        if (strncmp(line, name, length) != 0 || line[length] != '=')
            continue;
        return ends_with((struct span){name, length}, "_FILE") ? fill_file(env, line + length + 1)
                                                               : line + length + 1;
    }
    return NULL;
}

/* ---- what holds ---- */

static void check_token(const char *token)
{
    MUST(!token || *token, "a token is not empty");
    for (; token && *token; token++)
        MUST(*token >= ' ' && *token < 0x7f, "a token fits into a header");
}

static void check_bounds(const struct config *config)
{
    MUST(config->auth_token || config->grant_token, "there is a token");
    check_token(config->auth_token);
    check_token(config->grant_token);
    MUST(config->runner_id && *config->runner_id, "there is an id");
    MUST(strcspn(config->runner_id, " &?#/%\r\n") == strlen(config->runner_id),
         "the id fits into an address");
    MUST(config->broker_uri && config->broker.host && *config->broker.host, "there is a broker");
    MUST(config->health_host && *config->health_host, "there is a host for the health check");
    MUST(config->health_port >= 0 && config->health_port <= 65535, "there is a port for it");
    MUST(config->max_concurrency >= 1, "there is a task at once");
    MUST(config->max_payload >= 1, "a message has a byte");
    MUST(config->task_timeout >= 1 && config->graceful_shutdown_timeout >= 1, "there is time");
    MUST(config->auto_shutdown_timeout >= 0, "or none to stop after");
    MUST(config->task_memory_mb >= 0 && config->task_tmp_mb >= 0, "no less than nothing");
    MUST(config->log_level >= LOG_LEVEL_DEBUG && config->log_level <= LOG_LEVEL_ERROR,
         "a level of the log");
    MUST(config->sandbox >= SANDBOX_CHOICE_AUTO && config->sandbox <= SANDBOX_CHOICE_OFF,
         "a choice of walls");
    MUST(config->network == NETWORK_DENY || config->network == NETWORK_ALLOW,
         "a choice of networks");
    MUST(!config->policy.builtins_deny.all || config->policy.builtins_deny.count == 0,
         "a star or names");
}

static void check_environment(const struct config *config, struct environment *env)
{
    char **copy = config_child_environment(config, env->lines);
    size_t at = 0;

    for (char **entry = copy; *entry; entry++) {
        struct span name = {*entry, strcspn(*entry, "=")};
        const char *value = (*entry)[name.length] ? *entry + name.length + 1 : "";

        while (at < env->count && strcmp(env->lines[at], *entry) != 0)
            at++;
        MUST(at++ < env->count, "nothing is there that we have not, in our order");
        MUST(!ends_with(name, "_FILE") && !ends_with(name, "_TOKEN") && !ends_with(name, "_DSN"),
             "no secret by its name");
        if (config->block_env_access) {
            MUST(fuzz_is_text(name, "TZ") || fuzz_is_text(name, "LANG"), "nothing but its place");
            continue;
        }
        MUST(!config->auth_token || strcmp(value, config->auth_token) != 0, "not the token");
        MUST(!config->grant_token || strcmp(value, config->grant_token) != 0, "nor the other");
    }
    config_free_environment(copy);
}

/* Does the secret stand where only tokens do? */
static bool secret_is_a_token(const struct environment *env)
{
    bool found = false;

    for (size_t i = 0; i < env->count; i++) {
        const char *line = env->lines[i];
        const char *name = strncmp(line, "N8N_RUNNERS_", 12) == 0 ? line + 12 : "";
        bool is_token =
            strncmp(name, "AUTH_TOKEN", 10) == 0 || strncmp(name, "GRANT_TOKEN", 11) == 0;

        if (!strstr(line, secret))
            continue;
        if (!is_token)
            return false;
        found = true;
    }
    return found;
}

static void check_refusal(const char *why)
{
    struct span rest = {why, strlen(why)};

    MUST(rest.length, "a refusal says why");
    MUST(fuzz_has(rest, "N8N_") || fuzz_has(rest, "SSL_CERT_FILE"), "it names a setting: %s", why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERROR struct error *err = NULL;
    struct environment *env = &environment;
    struct config config;
    bool has_secret;

    if (!env->path) {
        env->file = memfd_create("setting", MFD_CLOEXEC);
        env->path = mem_format("/proc/self/fd/%d", env->file);
    }
    read_lines(env, (struct span){(const char *)data, size});
    has_secret = secret_is_a_token(env);
    if (config_load(&config, from_environment, env, CONFIG_SERVE, &err) < 0) {
        check_refusal(error_text(err));
        MUST(!has_secret || !strstr(error_text(err), secret), "no token in: %s", error_text(err));
        MUST(!config.runner_id && !config.broker.host, "nothing is left of what is refused");
    } else {
        AUTO_FREE char *summary = config_summary(&config);

        MUST(!err, "no error on success");
        MUST(!has_secret || !strstr(summary, secret), "no token in: %s", summary);
        check_bounds(&config);
        check_environment(&config, env);
        config_free(&config);
    }
    while (env->count) {
        free(env->lines[--env->count]);
        env->lines[env->count] = NULL;
    }
    return 0;
}
