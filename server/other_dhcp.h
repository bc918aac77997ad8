/* Is there another DHCP server on the link? */
#ifndef LB_SERVER_OTHER_DHCP_H
#define LB_SERVER_OTHER_DHCP_H

#include "server/link.h"

/* Asks as a client does, and waits for the first offer, 2 s at most. The server that made it; none:
 * nobody did. False: it cannot be asked, see error. */
bool lb_server_other_dhcp_find(const struct lb_server_link *link, struct lb_addr *other,
                               struct lb_server_error *error);

/* The question: a DISCOVER whose answer is broadcast. Empty when it does not fit. */
struct lb_bytes lb_server_other_dhcp_question(const uint8_t mac[6], uint32_t xid,
                                              struct lb_span room);
/* Whether a payload is an offer that answers it; then who made it. */
bool lb_server_other_dhcp_answer(struct lb_bytes payload, uint32_t xid, struct lb_addr from,
                                 struct lb_addr *other);

#endif
