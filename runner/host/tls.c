/* Why a TLS connection was not made; see tls.h. */
#include "runner/host/tls.h"

#include <libwebsockets.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "runner/base/mem.h"

char *tls_failure(struct lws *wsi, const char *words)
{
    const SSL *ssl = lws_get_ssl(wsi);
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    const char *reason = ssl ? ERR_reason_error_string(ERR_peek_last_error()) : NULL;

    if (!ssl)
        return mem_dup(words);
    if (verdict != X509_V_OK)
        return mem_format("its certificate is refused: %s (SSL_CERT_FILE can name a file with the "
                          "CA to trust)",
                          X509_verify_cert_error_string(verdict));
    return mem_format("the TLS connection failed%s%s", reason ? ": " : "", reason ? reason : "");
}
