/* DHCPv6: core/dhcp6's server half on the link, and for the networks behind relays. */
#ifndef LB_SERVER_DHCP6_H
#define LB_SERVER_DHCP6_H

#include "core/dhcp6/dhcp6_relay.h"
#include "server/boot_file.h"
#include "server/folder.h"
#include "server/nets6.h"
#include "server/outbox.h"
#include "server/source.h"

struct lb_server_dhcp6 {
    struct lb_server_source source;
    const struct lb_server_link *link;
    const struct lb_server_folder *folder;
    const struct lb_server_settings *settings;
    struct lb_server_machines *machines;
    struct lb_server_store *store;
    struct lb_server_nets6 nets;
    struct lb_addr unknown_relay; /* the last one that was told */
    struct lb_dhcp_seen seen;     /* of clients, by dhcp-keys */
    struct lb_outbox outbox;
    struct lb_store_progress progress; /* of the store, as it was told last */
    uint64_t last_ticket;
};

/* What a client is known by: its card, and its machine's UUID in option 97's byte order. */
struct lb_server_identity {
    uint8_t mac[6];   /* zeros: not known */
    uint8_t uuid[16]; /* zeros: not known */
};
/* By the DUID (RFC 8415 11, RFC 6355), and by the link-local address it asks from, where that is
 * made of the card's hardware address (RFC 4291 appendix A). A DUID's UUID is in the byte order of
 * its text. */
struct lb_server_identity lb_server_identity(const struct lb_duid *duid, struct lb_addr from);

/* Opens its socket. The pointers stay the caller's and outlive it. */
bool lb_server_dhcp6_open(struct lb_server_dhcp6 *dhcp, int epoll,
                          const struct lb_server_settings *settings,
                          const struct lb_server_link *link, const struct lb_server_folder *folder,
                          struct lb_server_machines *machines, struct lb_server_store *store,
                          struct lb_server_error *error);
/* Right after open: a lease of an earlier run, which may be of another family or network. */
void lb_server_dhcp6_restore(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                             const struct lb_store_lease *lease);
/* The settings have changed, or machines have come and gone. */
bool lb_server_dhcp6_reload(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                            struct lb_server_error *error);
/* As lb_server_dhcp_seen. */
void lb_server_dhcp6_seen(struct lb_server_dhcp6 *dhcp, uint64_t now_us, struct lb_addr address);
/* Requests have come. */
void lb_server_dhcp6_ready(struct lb_server_dhcp6 *dhcp, uint64_t now_us);
/* The store has written more: answers that waited for it are sent. */
void lb_server_dhcp6_kept(struct lb_server_dhcp6 *dhcp, struct lb_store_progress progress);
void lb_server_dhcp6_close(struct lb_server_dhcp6 *dhcp); /* harmless where it is closed */

#endif
