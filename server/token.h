/* Tokens: who shows one sees the page, or the metrics. A token is a line of a file that its owner
 * alone may read. */
#ifndef LB_SERVER_TOKEN_H
#define LB_SERVER_TOKEN_H

#include "server/settings.h"

#define LB_TOKEN_MIN 16 /* bytes */
#define LB_TOKEN_MAX 128

struct lb_token {
    char text[LB_TOKEN_MAX + 1]; /* empty: none, which opens nothing */
};

/* Reads a token's text: 16 to 128 letters, digits and -._~+/= (RFC 6750 2.1), white space around
 * it. False leaves *token. */
bool lb_token_parse(struct lb_bytes text, struct lb_token *token);
/* Reads the token of a file; one that others may read or change is refused. makes: where there is
 * no file, makes one with 32 random bytes. False: see error. */
bool lb_token_load(struct lb_token *token, const char *path, bool makes,
                   struct lb_server_error *error);
/* Whether a request with this header Authorization (empty: none) has the token: `Bearer TOKEN`, or
 * a password of Basic (NULL: there is none). The time it takes tells nothing of the token but its
 * length. */
bool lb_token_opens(const struct lb_token *token, struct lb_bytes header, const char *password);

#endif
