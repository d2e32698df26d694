/* An address, taken apart; see uri.h. */
#include "runner/host/uri.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"

enum { PORT_MAX = 65535, PORT_HTTP = 80, PORT_HTTPS = 443 };

static const struct scheme {
    const char *name;
    bool tls;
} schemes[] = {{"http://", false}, {"https://", true}, {"ws://", false}, {"wss://", true}};

static int wrong(const char *setting, const char *text, const char *why, struct error **err)
{
    return error_set(err, "%s is `%s`: %s; write it like http://127.0.0.1:5679", setting, text,
                     why);
}

/* Moves past the scheme; without one it is http. NULL: another scheme than ours. */
static const char *read_scheme(struct uri *uri, const char *text)
{
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        size_t length = strlen(schemes[i].name);

        if (strncasecmp(text, schemes[i].name, length) == 0) {
            uri->tls = schemes[i].tls;
            return text + length;
        }
    }
    return strstr(text, "://") ? NULL : text;
}

/* Reads "host", "host:port", "[v6]" or "[v6]:port". Returns why it can't, or NULL. */
static const char *read_authority(struct uri *uri, const char *text, size_t length)
{
    AUTO_FREE char *copy = mem_dup_n(text, length);
    char *host = copy, *port = NULL, *end = NULL;

    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end)
            return "the bracket of its IPv6 address is not closed";
        *end++ = '\0';
        if (*end && *end != ':')
            return "something else than a port follows its address";
        port = *end ? end + 1 : NULL;
    } else {
        port = strchr(host, ':');
        if (port)
            *port++ = '\0';
        if (port && strchr(port, ':'))
            return "an IPv6 address needs brackets";
    }
    if (!*host)
        return "it names no host";
    if (strpbrk(host, "[]"))
        return "a bracket is where none belongs";
    uri->port = uri->tls ? PORT_HTTPS : PORT_HTTP;
    if (port) {
        long number = strtol(port, &end, 10);

        if (end == port || *end || number < 1 || number > PORT_MAX ||
            strspn(port, "0123456789") != strlen(port))
            return "its port is no number from 1 to 65535";
        uri->port = (int)number;
    }
    uri->host = mem_dup(host);
    return NULL;
}

const char *uri_read(struct uri *uri, const char *text)
{
    const char *rest, *why;
    size_t authority, path;

    *uri = (struct uri){0};
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return "it holds a blank or a control character";
    rest = read_scheme(uri, text);
    if (!rest)
        return "its scheme is none of http, https, ws and wss";
    if (strpbrk(rest, "?#"))
        return "a query or fragment makes no sense there";
    authority = strcspn(rest, "/");
    why = read_authority(uri, rest, authority);
    if (why)
        return why;
    path = strlen(rest + authority);
    while (path && rest[authority + path - 1] == '/')
        path--;
    uri->path = mem_dup_n(rest + authority, path);
    return NULL;
}

int uri_parse(struct uri *uri, const char *setting, const char *text, struct error **err)
{
    const char *why;

    *uri = (struct uri){0};
    /* the text may hold a password: it is not shown, whatever else is wrong */
    if (strchr(text, '@'))
        return error_set(err,
                         "%s holds credentials, which are not supported: the token is a "
                         "setting of its own",
                         setting);
    why = uri_read(uri, text);
    return why ? wrong(setting, text, why, err) : 0;
}

void uri_free(struct uri *uri)
{
    free(uri->host);
    free(uri->path);
    *uri = (struct uri){0};
}

char *uri_authority(const struct uri *uri)
{
    bool v6 = strchr(uri->host, ':') != NULL;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";

    if (uri->port == (uri->tls ? PORT_HTTPS : PORT_HTTP))
        return mem_format("%s%s%s", open, uri->host, close);
    return mem_format("%s%s%s:%d", open, uri->host, close, uri->port);
}
