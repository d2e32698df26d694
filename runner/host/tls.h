/*
 * Why a TLS connection was not made, in words: lws knows it, but does not say it in every version.
 */
#ifndef HOST_TLS_H
#define HOST_TLS_H

struct lws;

/*
 * To be asked inside CLIENT_CONNECTION_ERROR. `words` are lws's own (may be NULL); they can be
 * trusted only for a connection that never got as far as TLS. free().
 */
char *tls_failure(struct lws *wsi, const char *words);

#endif
