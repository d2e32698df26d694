/*
 * An address, the broker's or Sentry's, taken apart. Pure.
 */
#ifndef HOST_URI_H
#define HOST_URI_H

#include <stdbool.h>

struct error;

struct uri {
    char *host; /* without the brackets of an IPv6 address */
    char *path; /* "" or "/prefix", no slash at its end */
    int port;   /* 80 or 443 when the text names none */
    bool tls;   /* https:// or wss:// */
};

/* Reads http://, https://, ws://, wss://, or no scheme at all (http). Credentials, a query or a
 * fragment are errors. `setting` names the setting in the error. free with uri_free(). */
int uri_parse(struct uri *uri, const char *setting, const char *text, struct error **err);
/* The same without a setting, and without a look for credentials: NULL, or why it can't be read. */
const char *uri_read(struct uri *uri, const char *text);
void uri_free(struct uri *uri);

/* The value of a Host header: host, in brackets when IPv6, and the port unless it is the scheme's
 * own. free(). */
char *uri_authority(const struct uri *uri);

#endif
