/* What DHCPv6 relays put around a client's message, and a server around its answer. Pure: bytes <->
 * struct. RFC 8415 9, 19 and 21.10; RFC 6939.
 *
 *   client --Solicit--> relay --Relay-forw(Solicit)--> relay --Relay-forw(Relay-forw(Solicit))-->
 *   server --Relay-repl(Relay-repl(Advertise))--> relay --> relay --Advertise--> client */
#ifndef LB_DHCP6_RELAY_H
#define LB_DHCP6_RELAY_H

#include "core/base/addr.h"
#include "core/base/bytes.h"

#define LB_DHCP6_RELAYS_MAX 9 /* RFC 8415 7.6: HOP_COUNT_LIMIT is 8, and the first has 0 */
/* The most that wrapping adds: header and option of each relay, and an Interface-ID of 64 bytes in
 * each; longer ones fit where there are fewer relays. */
#define LB_DHCP6_RELAYED_MAX (LB_DHCP6_RELAYS_MAX * (34 + 4 + 4 + 64))

struct lb_dhcp6_relay_hop {
    uint8_t hops;                 /* hop-count, as it came */
    struct lb_addr link, peer;    /* link-address, peer-address */
    bool has_interface;           /* it has an Interface-ID, which goes back as it came */
    struct lb_bytes interface_id; /* in the payload */
};

struct lb_dhcp6_relayed {
    struct lb_bytes message; /* the client's, in the payload; not decoded */
    /* Where the client is: the link-address of the relay nearest to it that gives one. Unset where
     * none does. */
    struct lb_addr link;
    struct lb_addr client; /* the address that it asked from */
    uint8_t mac[6];        /* its card, by the relay nearest to it; zeros: not told */
    struct lb_dhcp6_relay_hop
        hops[LB_DHCP6_RELAYS_MAX]; /* the nearest to the server is the first */
    size_t count;
};

/* Whether a payload is of a relay. */
bool lb_dhcp6_is_relayed(struct lb_bytes payload);
/* Takes the relays' headers off. False: it is malformed, without a message, or came over too many
 * relays; then *why is a phrase for the trace, and *relayed is untouched. The payload must outlive
 * *relayed. */
bool lb_dhcp6_unwrap(struct lb_bytes payload, struct lb_dhcp6_relayed *relayed, const char **why);
/* The answer to the client, with what its relays need to bring it there: for the address that the
 * payload came from, port 547. Empty: the room is too small, or the answer is empty. `answer` may
 * not lie in the room. */
struct lb_bytes lb_dhcp6_wrap(const struct lb_dhcp6_relayed *relayed, struct lb_bytes answer,
                              struct lb_span room);

#endif
