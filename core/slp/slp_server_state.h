/* What the parts of the SLP server share: slp_server.c (requests and their replies),
 * slp_server_tcp.c (connections). Not for others. */
#ifndef LB_SLP_SERVER_STATE_H
#define LB_SLP_SERVER_STATE_H

#include "core/slp/slp_server.h"
#include "core/slp/slp_wire.h"

/* A request as far as it was understood. */
struct lb_slp_asked {
    struct lb_slp_header header;
    struct lb_slp_request request;
};

/* The answer to a request, as long as room is. */
struct lb_bytes lb_slp_server_answer(struct lb_slp_server *server, uint64_t now_us,
                                     struct lb_bytes payload, bool is_multicast,
                                     struct lb_span room);
/* The next service at *index or later that matches, and *index behind it; NULL: none. A slot's
 * lifetime is what is left of it. */
const struct lb_slp_registration *lb_slp_server_next(const struct lb_slp_server *server,
                                                     uint64_t now_us,
                                                     const struct lb_slp_request *request,
                                                     size_t *index, uint16_t *lifetime_s);
/* Whether this is a SrvRqst for services that is to be answered by entries, be they none. */
bool lb_slp_server_is_listing(const struct lb_slp_server *server, struct lb_bytes payload,
                              struct lb_slp_asked *asked);

#endif
