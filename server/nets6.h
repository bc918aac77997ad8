/* The networks that IPv6 addresses are given in: the link's, and those behind DHCPv6 relays. Each
 * has core/dhcp6's server with addresses of its own. nets.h is that of IPv4. */
#ifndef LB_SERVER_NETS6_H
#define LB_SERVER_NETS6_H

#include "core/dhcp6/dhcp6.h"
#include "server/link.h"
#include "server/lookup.h"
#include "server/store.h"

#define LB_SERVER_BINDINGS6 16384 /* machines with addresses in one; four times a default range */

struct lb_server_net6 {
    struct lb_prefix network;
    struct lb_dhcp6_server server;
    struct lb_dhcp6_host *hosts; /* with an address of their own; LB_SERVER_SECTIONS_MAX */
    char (*names)[LB_SERVER_MACHINE_NAME_MAX + 1]; /* the hosts' sections, in their order */
    struct lb_index index;                         /* of the names */
    struct lb_binding *bindings;
};

struct lb_server_nets6 {
    struct lb_server_net6 *list; /* the link's is the first */
    size_t count;
};

/* Whether its address6 can be given: it is in one of the networks, and not the link's own. */
bool lb_server_nets6_check(struct lb_server_nets6 *nets,
                           const struct lb_server_machine_settings *machine,
                           const struct lb_server_link *link, struct lb_server_error *error);
/* Makes them by the settings. seen: what clients have proved by dhcp-keys; it outlives the
 * networks. What is open after a failure is closed by lb_server_nets6_close. */
bool lb_server_nets6_open(struct lb_server_nets6 *nets, const struct lb_server_settings *settings,
                          const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                          struct lb_server_error *error);
/* The network of an address; NULL: none has it. */
struct lb_server_net6 *lb_server_nets6_at(struct lb_server_nets6 *nets, struct lb_addr address);
/* The entry of a machine that has an address of its own there; NULL: it has none. */
const struct lb_dhcp6_host *lb_server_net6_host(struct lb_server_net6 *net, const char *name);
/* Right after open: a lease of an earlier run, which may be of another family or network. */
void lb_server_nets6_restore(struct lb_server_nets6 *nets, uint64_t now_us,
                             const struct lb_store_lease *lease);
/* Right after open: what the networks of before know of addresses that are in these. */
void lb_server_nets6_move(struct lb_server_nets6 *nets, const struct lb_server_nets6 *before,
                          uint64_t now_us);
void lb_server_nets6_close(struct lb_server_nets6 *nets); /* harmless where it is closed */

#endif
