/*
 * A DSN, Sentry's way to write where reports go: https://KEY@HOST[:PORT]/[PATH/]PROJECT, taken
 * apart. Pure.
 */
#ifndef HOST_SENTRY_DSN_H
#define HOST_SENTRY_DSN_H

#include "runner/host/uri.h"

struct error;

/* Zeroed: there is none. */
struct sentry_dsn {
    struct uri uri; /* its path: what stands before the project */
    char *key;      /* NULL: there is no DSN; a secret of a kind: it lets others write reports */
    char *project;
};

/* Reads a DSN; a secret after the key, as old ones have it, is left out. `setting` names the
 * setting in the error, which never shows the text. free with sentry_dsn_free(). */
int sentry_dsn_parse(struct sentry_dsn *dsn, const char *setting, const char *text,
                     struct error **err);
void sentry_dsn_free(struct sentry_dsn *dsn);

/* The path that envelopes are posted to. free(). */
char *sentry_dsn_path(const struct sentry_dsn *dsn);
/* The value of the X-Sentry-Auth header. free(). */
char *sentry_dsn_auth(const struct sentry_dsn *dsn);

#endif
