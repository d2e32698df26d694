/* A DSN, taken apart; see sentry_dsn.h. */
#include "runner/host/sentry_dsn.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

/* Not empty, and fit for a path and a header. */
static bool is_name(const char *text)
{
    return *text && strspn(text, letters) == strlen(text);
}

/* The key stands between the scheme and `@`. Returns why it can't be read, or NULL; `rest` is the
 * text without it, to free(). */
static const char *read_key(struct sentry_dsn *dsn, const char *text, char **rest)
{
    const char *host = strstr(text, "://"), *at;

    if (!host || strncasecmp(text, "http", strlen("http")) != 0)
        return "its scheme is neither https nor http";
    host += strlen("://");
    at = strchr(host, '@');
    if (!at || at > host + strcspn(host, "/"))
        return "it has no key before its host";
    dsn->key = mem_dup_n(host, strcspn(host, ":@"));
    if (!is_name(dsn->key))
        return "its key is none";
    *rest = mem_format("%.*s%s", (int)(host - text), text, at + 1);
    return NULL;
}

/* The last part of the path is the project. */
static const char *read_project(struct sentry_dsn *dsn)
{
    char *slash = strrchr(dsn->uri.path, '/');

    if (!slash || !is_name(slash + 1))
        return "it ends in no project";
    dsn->project = mem_dup(slash + 1);
    *slash = '\0';
    return NULL;
}

int sentry_dsn_parse(struct sentry_dsn *dsn, const char *setting, const char *text,
                     struct error **err)
{
    AUTO_FREE char *rest = NULL;
    const char *why;

    *dsn = (struct sentry_dsn){0};
    why = read_key(dsn, text, &rest);
    if (!why)
        why = uri_read(&dsn->uri, rest);
    if (!why)
        why = read_project(dsn);
    if (!why)
        return 0;
    sentry_dsn_free(dsn);
    return error_set(err, "%s is no DSN: %s; one looks like https://KEY@HOST/PROJECT", setting,
                     why);
}

void sentry_dsn_free(struct sentry_dsn *dsn)
{
    uri_free(&dsn->uri);
    free(dsn->key);
    free(dsn->project);
    *dsn = (struct sentry_dsn){0};
}

char *sentry_dsn_path(const struct sentry_dsn *dsn)
{
    return mem_format("%s/api/%s/envelope/", dsn->uri.path, dsn->project);
}

char *sentry_dsn_auth(const struct sentry_dsn *dsn)
{
    return mem_format("Sentry sentry_version=7, sentry_client=task-runner-python/%s, sentry_key=%s",
                      VERSION, dsn->key);
}
