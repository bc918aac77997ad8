/* DHCPv4: core/dhcp4's server half on the link, and what is told to whom. */
#ifndef LB_SERVER_DHCP_H
#define LB_SERVER_DHCP_H

#include "core/dhcp4/dhcp4.h"
#include "server/boot_file.h"
#include "server/folder.h"
#include "server/link.h"
#include "server/machines.h"
#include "server/nets.h"
#include "server/outbox.h"
#include "server/source.h"

struct lb_server_dhcp {
    struct lb_server_source source;
    struct lb_server_source boot; /* port 4011, where a proxy answers firmware */
    int raw;                      /* for machines that have no address yet */
    const struct lb_server_link *link;
    const struct lb_server_folder *folder;
    const struct lb_server_settings *settings;
    struct lb_server_machines *machines;
    struct lb_server_nets nets;
    struct lb_server_store *store;
    struct lb_dhcp_seen seen; /* of clients, by dhcp-keys */
    struct lb_outbox outbox;
    struct lb_store_progress progress; /* of the store, as it was told last */
    uint64_t last_ticket;
    struct lb_addr unknown_relay; /* the last one that was told */
};

/* Opens its sockets. The pointers stay the caller's and outlive it. */
bool lb_server_dhcp_open(struct lb_server_dhcp *dhcp, int epoll,
                         const struct lb_server_settings *settings,
                         const struct lb_server_link *link, const struct lb_server_folder *folder,
                         struct lb_server_machines *machines, struct lb_server_store *store,
                         struct lb_server_error *error);
/* A session is open from this address, which may be of any network or none: nobody else gets it. */
void lb_server_dhcp_seen(struct lb_server_dhcp *dhcp, uint64_t now_us, struct lb_addr address);
/* Its socket is readable: answers what is there. */
void lb_server_dhcp_ready(struct lb_server_dhcp *dhcp, uint64_t now_us);
/* The settings have changed: new answers are by them. Addresses that were given stay. False: see
 * error, and all is as it was. */
bool lb_server_dhcp_reload(struct lb_server_dhcp *dhcp, uint64_t now_us,
                           struct lb_server_error *error);
/* Right after open: a lease of an earlier run, which may be of another family or network. */
void lb_server_dhcp_restore(struct lb_server_dhcp *dhcp, uint64_t now_us,
                            const struct lb_store_lease *lease);
/* The store has written more: answers that waited for it are sent. */
void lb_server_dhcp_kept(struct lb_server_dhcp *dhcp, struct lb_store_progress progress);
void lb_server_dhcp_close(struct lb_server_dhcp *dhcp); /* harmless where it is closed */

#endif
