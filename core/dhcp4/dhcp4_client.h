/* What the parts of the DHCPv4 client share: dhcp4_client.c (the states), dhcp4_client_offers.c
 * (which offer is best), dhcp4_client_send.c (our messages). Not for others. */
#ifndef LB_DHCP4_CLIENT_H
#define LB_DHCP4_CLIENT_H

#include "core/dhcp4/dhcp4_wire.h"

/* What poll has to give out, in this order. */
enum due {
    DUE_LOST = 1,
    DUE_GOT = 2,
    DUE_OFFERS = 4,
    DUE_FAILED = 8,
    DUE_SEND = 16,
    DUE_PROBE = 32,
};

/* ---- dhcp4_client.c: what an answer leads to ---- */

/* No more offers are waited for: the best is taken, or a dry run ends. */
void lb_dhcp4_client_end_offers(struct lb_dhcp4_client *client, uint64_t now_us);
/* client->lease is ours if nobody else has the address. */
void lb_dhcp4_client_check(struct lb_dhcp4_client *client, uint64_t now_us);
/* client->lease is ours. */
void lb_dhcp4_client_bind(struct lb_dhcp4_client *client, uint64_t now_us);
/* NAK, and what the server says with it (option 56). */
void lb_dhcp4_client_refused(struct lb_dhcp4_client *client, uint64_t now_us,
                             const struct lb_dhcp4_message *nak);

/* An authentic FORCERENEW: the lease is renewed before its time. */
void lb_dhcp4_client_forced(struct lb_dhcp4_client *client, uint64_t now_us);

/* ---- dhcp4_client_offers.c ---- */

/* A server that gives no address, only the rest. */
bool lb_dhcp4_is_proxy(const struct lb_dhcp4_message *message);
/* Keeps an offer; one of the same server is replaced. False when there are better ones and no
 * room. */
bool lb_dhcp4_offers_add(struct lb_dhcp4_client *client, const struct lb_dhcp4_lease *offer);
/* Keeps what a proxyDHCP server says; the first with an iSCSI Root Path stays. */
void lb_dhcp4_proxy_add(struct lb_dhcp4_client *client, const struct lb_dhcp4_lease *offer);
/* Whether one of the offers is not LB_WORTH_BAD. */
bool lb_dhcp4_offers_usable(const struct lb_dhcp4_client *client);
/* Whether waiting for another offer could bring nothing better. */
bool lb_dhcp4_offers_suffice(const struct lb_dhcp4_client *client);
/* The number of the best offer; there is at least one. */
size_t lb_dhcp4_offers_best(const struct lb_dhcp4_client *client);
/* Boot options that `lease` lacks are taken from `other`, each group whole. */
void lb_dhcp4_lease_merge(struct lb_dhcp4_lease *lease, const struct lb_dhcp4_lease *other);

/* ---- dhcp4_client_send.c ---- */

/* Writes the message that this state sends into client->packet, and where it goes. */
struct lb_dhcp4_action lb_dhcp4_client_compose(struct lb_dhcp4_client *client, uint64_t now_us);
/* Our option 61. */
struct lb_bytes lb_dhcp4_client_id(const struct lb_dhcp4_client *client,
                                   uint8_t room[LB_DHCP4_BLOB_MAX]);

#endif
