/*
 * What the environment asks for: every setting, read once, checked, with its default. Pure: the
 * environment comes through a function, files only through NAME_FILE.
 */
#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

#include <stdbool.h>

#include "allowlist/policy.h"
#include "runner/host/sentry_dsn.h"
#include "runner/host/uri.h"

struct error;

struct config {
    char *broker_uri; /* as it was written */
    struct uri broker;
    char *grant_token; /* NULL when not set, as the one below */
    char *auth_token;
    char *runner_id;
    bool internal; /* n8n chose the id: it is its internal mode */
    int max_concurrency;
    long long max_payload; /* bytes */
    int task_timeout;      /* s, as the two below */
    int auto_shutdown_timeout;
    int graceful_shutdown_timeout;
    bool health_enabled;
    char *health_host;
    int health_port;
    struct policy policy;
    bool allow_transitive_imports; /* accepted; packages may always import for themselves */
    bool block_env_access;
    int log_level;      /* enum log_level */
    char *venv;         /* N8N_RUNNERS_PYTHON_VENV; NULL: the one beside the program, if any */
    char *ca_file;      /* SSL_CERT_FILE; NULL: the system's */
    int sandbox;        /* enum sandbox_choice */
    int network;        /* enum network_choice */
    int task_memory_mb; /* 0: no limit of its own */
    int task_tmp_mb;    /* 0: a task has no place to write */
    char *sentry_text; /* N8N_SENTRY_DSN as it was written; NULL when not set, as the three below */
    char *n8n_version;
    char *environment;
    char *deployment_name;
    struct sentry_dsn sentry; /* its key is NULL: faults are not reported */
};

/* As their settings name them, in this order. */
enum sandbox_choice { SANDBOX_CHOICE_AUTO, SANDBOX_CHOICE_REQUIRE, SANDBOX_CHOICE_OFF };
enum network_choice { NETWORK_DENY, NETWORK_ALLOW };

enum config_use {
    CONFIG_SERVE, /* a token is needed */
    CONFIG_EXEC,  /* no broker, no token */
};

/* A variable's value, or NULL. Borrowed. */
typedef const char *config_getenv_fn(void *owner, const char *name);

/*
 * Reads all settings; NAME_FILE names a file whose trimmed content is NAME's value, and NAME itself
 * comes first. -1 with every problem found in `err`, a line each, and nothing to free; else
 * config_free().
 */
int config_load(struct config *config, config_getenv_fn *get, void *owner, enum config_use use,
                struct error **err);
void config_free(struct config *config);

/* What the runner runs with, in one line, without secrets. free(). */
char *config_summary(const struct config *config);

/*
 * The environment that Python gets, made from ours: TZ and LANG, or, when tasks may see the
 * environment, all of it but tokens, NAME_FILEs and the Sentry DSN. config_free_environment().
 */
char **config_child_environment(const struct config *config, char *const *environment);
void config_free_environment(char **environment);

#endif
