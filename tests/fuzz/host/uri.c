/* The broker's address: what is taken can be put together and taken again, what is refused says why
 * and shows no password. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/host/uri.h"

/* Stands for a password in the seeds and the dictionary. */
static const char secret[] = "s3cr3t";

static void check_refusal(const char *text, const char *why)
{
    const char *shown = strstr(text, secret);

    MUST(strncmp(why, "URI ", 4) == 0, "the error names the setting: %s", why);
    if (shown && strchr(shown, '@'))
        MUST(!strstr(why, secret), "what may be a password is not shown: %s", why);
}

static void check_parts(const struct uri *uri)
{
    size_t path = strlen(uri->path);

    MUST(*uri->host && !strchr(uri->host, '/'), "there is a host");
    MUST(uri->port >= 1 && uri->port <= 65535, "there is a port");
    MUST(!path || (uri->path[0] == '/' && uri->path[path - 1] != '/'), "a path has its slashes");
    for (const char *at = uri->host; *at; at++)
        MUST((unsigned char)*at > ' ', "nothing in the host ends a header");
    for (const char *at = uri->path; *at; at++)
        MUST((unsigned char)*at > ' ', "nothing in the path ends a header");
}

static void check_again(const struct uri *uri)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_FREE char *authority = uri_authority(uri);
    AUTO_FREE char *text =
        mem_format("%s%s%s", uri->tls ? "wss://" : "WS://", authority, uri->path);
    struct uri again;

    MUST(uri_parse(&again, "URI", text, &err) == 0, "`%s` is an address, too: %s", text,
         error_text(err));
    MUST(strcmp(again.host, uri->host) == 0, "the same host");
    MUST(strcmp(again.path, uri->path) == 0, "the same path");
    MUST(again.port == uri->port && again.tls == uri->tls, "the same port and scheme");
    uri_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_FREE char *text = mem_dup_n((const char *)data, size);
    struct uri uri;

    if (uri_parse(&uri, "URI", text, &err) < 0) {
        check_refusal(text, error_text(err));
        return 0;
    }
    MUST(!err, "no error on success");
    MUST(!strpbrk(text, "@?#"), "no credentials, no query, no fragment");
    check_parts(&uri);
    check_again(&uri);
    uri_free(&uri);
    return 0;
}
