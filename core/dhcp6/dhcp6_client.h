/* What the parts of the DHCPv6 client share: dhcp6_client.c (the states), dhcp6_client_input.c
 * (what comes in), dhcp6_client_send.c (our messages). Not for others. */
#ifndef LB_DHCP6_CLIENT_H
#define LB_DHCP6_CLIENT_H

#include "core/dhcp6/dhcp6_wire.h"

/* What poll has to give out, in this order. */
enum due {
    DUE_LOST = 1,
    DUE_GOT = 2,
    DUE_OFFERS = 4,
    DUE_FAILED = 8,
    DUE_SEND = 16,
    DUE_PROBE = 32,
};

/* An address of client->next. */
enum probe {
    PROBE_NONE,     /* ours already, or no probing is wanted */
    PROBE_WANTED,   /* poll is to ask for it */
    PROBE_ASKED,    /* the host is at it */
    PROBE_FREE,     /* nobody has it */
    PROBE_CONFLICT, /* somebody has it */
};

/* ---- dhcp6_client.c: what an answer leads to ---- */

/* Whether one of the answers is not LB_WORTH_BAD. */
bool lb_dhcp6_client_is_usable(const struct lb_dhcp6_client *client);
/* Whether nothing better than this answer is waited for. */
bool lb_dhcp6_offer_suffices(const struct lb_dhcp6_lease *offer);
/* No more answers are waited for: the best is taken, or a dry run ends. There is at least one. */
void lb_dhcp6_client_end_offers(struct lb_dhcp6_client *client, uint64_t now_us);
/* client->next is ours, as far as its addresses are nobody else's. */
void lb_dhcp6_client_check(struct lb_dhcp6_client *client, uint64_t now_us);
/* What the server knows of the lease is as before; or client->lease has been made new in place. */
void lb_dhcp6_client_keep(struct lb_dhcp6_client *client, uint64_t now_us);
/* Keeps why a server does not want to, for the explanation. status is not Success. */
void lb_dhcp6_client_note(struct lb_dhcp6_client *client, uint64_t now_us, unsigned status,
                          struct lb_bytes text);
/* The server does not want to: the next one, or another try after a pause. */
void lb_dhcp6_client_refused(struct lb_dhcp6_client *client, uint64_t now_us, unsigned status,
                             struct lb_bytes text);
/* RFC 8415 18.2.10.1: the server has no record of the lease and is asked for it anew. */
void lb_dhcp6_client_request_again(struct lb_dhcp6_client *client, uint64_t now_us);
/* Decline was answered. */
void lb_dhcp6_client_declined(struct lb_dhcp6_client *client, uint64_t now_us);
/* An authentic Reconfigure that asks for this message. */
void lb_dhcp6_client_reconfigure(struct lb_dhcp6_client *client, uint64_t now_us, uint8_t message);

/* ---- dhcp6_client_send.c ---- */

/* Writes the message that this state sends into client->packet, and where it goes. */
struct lb_dhcp6_action lb_dhcp6_client_compose(struct lb_dhcp6_client *client, uint64_t now_us);

#endif
