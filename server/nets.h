/* The networks that addresses are given in: the link's, and those behind DHCP relays. Each has
 * core/dhcp4's server with addresses of its own. */
#ifndef LB_SERVER_NETS_H
#define LB_SERVER_NETS_H

#include "core/dhcp4/dhcp4.h"
#include "server/link.h"

#define LB_SERVER_BINDINGS 16384 /* machines with addresses in one; four times a default range */

struct lb_server_net {
    struct lb_prefix network;
    struct lb_dhcp4_server server;
    struct lb_dhcp4_host hosts[LB_SERVER_SECTIONS_MAX]; /* with an address of their own here */
    struct lb_binding *bindings;
};

struct lb_server_nets {
    struct lb_server_net *list; /* the link's is the first */
    size_t count;
};

struct lb_dhcp4_message;

/* Whether its address can be given: it is in one of the networks, and not the link's own. */
bool lb_server_nets_check(struct lb_server_nets *nets,
                          const struct lb_server_machine_settings *machine,
                          const struct lb_server_link *link, struct lb_server_error *error);
/* Makes them by the settings; a proxy has that of the link alone. seen: what clients have proved by
 * dhcp-keys; it outlives the networks. What is open after a failure is
 * closed by lb_server_nets_close. */
bool lb_server_nets_open(struct lb_server_nets *nets, const struct lb_server_settings *settings,
                         const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                         struct lb_server_error *error);
/* The network that a request is about, by its relay or by the address that its client has. NULL: no
 * section has it; *at says where it came from. */
struct lb_server_net *lb_server_nets_of(struct lb_server_nets *nets,
                                        const struct lb_dhcp4_message *request, struct lb_addr *at);
/* The network of an address; NULL: none has it. */
struct lb_server_net *lb_server_nets_at(struct lb_server_nets *nets, struct lb_addr address);
/* Right after open: what the networks of before know of addresses that are in these. */
void lb_server_nets_move(struct lb_server_nets *nets, const struct lb_server_nets *before,
                         uint64_t now_us);
void lb_server_nets_close(struct lb_server_nets *nets); /* harmless where it is closed */

#endif
