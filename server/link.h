/* The network interface that is served, and sockets on it. */
#ifndef LB_SERVER_LINK_H
#define LB_SERVER_LINK_H

#include "server/settings.h"

struct lb_server_held;

struct lb_server_link {
    char name[16];
    int index;
    uint8_t mac[6];
    struct lb_addr address; /* its first IPv4 address that is not link-local */
    struct lb_prefix network;
    uint32_t mtu;
    struct lb_server_held *held; /* sockets that were opened before; NULL: none. Not owned */
};

/* Finds it by its name. */
bool lb_server_link_find(struct lb_server_link *link, const char *name,
                         struct lb_server_error *error);
/* Addresses to give where nobody said which: all of the network but its first and last, at most
 * `most` of them, none that is the link's own. */
struct lb_server_range lb_server_link_range(const struct lb_server_link *link, uint32_t most);

/* A UDP socket that hears this link alone. any: bound to 0.0.0.0, to hear broadcasts; else to the
 * link's address. port 0: one of the kernel's choice. -1: see error. */
int lb_server_link_udp(const struct lb_server_link *link, bool any, uint16_t port,
                       struct lb_server_error *error);
/* A TCP socket that listens at the link's address. what: for whom, in the error. -1: see error. */
int lb_server_link_listen(const struct lb_server_link *link, uint16_t port, const char *what,
                          struct lb_server_error *error);
/* A UDP socket at the port of DHCP clients, to look for other servers. -1: see errno. */
int lb_server_link_client(const struct lb_server_link *link);
/* A packet socket that hears nothing, for lb_server_link_send_frame. -1: see error. */
int lb_server_link_raw(const struct lb_server_link *link, struct lb_server_error *error);
/* UDP from the link's address to somebody who cannot be asked for by ARP yet, at mac. */
bool lb_server_link_send_frame(const struct lb_server_link *link, int raw, const uint8_t mac[6],
                               uint16_t from_port, struct lb_endpoint to, struct lb_bytes payload);

#endif
