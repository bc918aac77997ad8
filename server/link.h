/* The network interface that is served, and sockets on it. */
#ifndef LB_SERVER_LINK_H
#define LB_SERVER_LINK_H

#include "server/settings.h"

struct lb_server_held;

struct lb_server_link {
    char name[16];
    int index;
    uint8_t mac[6];
    struct lb_addr address; /* its first IPv4 address that is not link-local; none: it has none */
    struct lb_prefix network;
    struct lb_addr address6; /* the same of IPv6, where that is served; none: it is not */
    struct lb_prefix network6;
    uint32_t mtu;
    struct lb_server_held *held; /* sockets that were opened before; NULL: none. Not owned */
};

/* Finds it by its name. has_ipv6: IPv6 is served, too, and it must have an address of that; it may
 * then have none of IPv4. */
bool lb_server_link_find(struct lb_server_link *link, const char *name, bool has_ipv6,
                         struct lb_server_error *error);
enum lb_server_link_state {
    LB_LINK_SERVES,     /* as far as is known */
    LB_LINK_NO_CARRIER, /* packets do not pass */
    LB_LINK_DOWN,       /* an administrator has switched it off */
    LB_LINK_NO_ADDRESS, /* an address that machines are told is not there any more */
    LB_LINK_GONE,
    LB_LINK_REPLACED, /* another interface has its name */
};
/* Whether it has this address now, as far as is known; one that is not set is there. */
bool lb_server_link_has(const struct lb_server_link *link, struct lb_addr address);
/* What the kernel says of it now. */
enum lb_server_link_state lb_server_link_state(const struct lb_server_link *link);
/* Whether an address that this machine alone is to get can be given: is_served, it is in one of the
 * networks; and it is not the link's own. */
bool lb_server_link_check_machine(const struct lb_server_link *link, const char *machine,
                                  struct lb_addr address, bool is_served,
                                  struct lb_server_error *error);
/* One that cannot be given, and why. A machine of lunbootctl was right when it was added: true, it
 * gets another address, which is told. False, with the error: it is a section of lunbootd.conf. */
bool lb_server_link_lets_added(const struct lb_server_machine_settings *machine,
                               const struct lb_server_error *why, struct lb_server_error *error);
/* Its address of that family; none: it is not served. */
struct lb_addr lb_server_link_address(const struct lb_server_link *link, enum lb_family family);
/* Addresses to give where nobody said which: all of the network but its first and last, at most
 * `most` of them, none that is the link's own. */
struct lb_server_range lb_server_link_range(const struct lb_server_link *link, uint32_t most);
/* The same of IPv6: `most` of the network's lower addresses. */
struct lb_server_range lb_server_link_range6(const struct lb_server_link *link, uint32_t most);

/* A UDP socket that hears this link alone. any: bound to 0.0.0.0 or ::, to hear broadcasts and
 * groups; else to the link's address. port 0: one of the kernel's choice. -1: see error. */
int lb_server_link_udp(const struct lb_server_link *link, enum lb_family family, bool any,
                       uint16_t port, struct lb_server_error *error);
/* A TCP socket that listens at the link's address. what: for whom, in the error. -1: see error. */
int lb_server_link_listen(const struct lb_server_link *link, enum lb_family family, uint16_t port,
                          const char *what, struct lb_server_error *error);
/* A socket that hears Router Solicitations and sends Router Advertisements. -1: see error. */
int lb_server_link_routers(const struct lb_server_link *link, struct lb_server_error *error);
/* Has an IPv6 socket hear what is sent to a group of this link. False: see errno. */
bool lb_server_link_join(const struct lb_server_link *link, int fd, struct lb_addr group);
/* A UDP socket at the port of DHCP clients, to look for other servers. -1: see errno. */
int lb_server_link_client(const struct lb_server_link *link);
/* A packet socket that hears nothing, for lb_server_link_send_frame. -1: see error. */
int lb_server_link_raw(const struct lb_server_link *link, struct lb_server_error *error);
/* UDP from the link's address to somebody who cannot be asked for by ARP yet, at mac. */
bool lb_server_link_send_frame(const struct lb_server_link *link, int raw, const uint8_t mac[6],
                               uint16_t from_port, struct lb_endpoint to, struct lb_bytes payload);

#endif
