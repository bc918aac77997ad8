/* IPv6 router discovery and stateless addresses. Start here.
 *
 * RFC 4861 (neighbour discovery: the host's side of routers), 4862 (stateless addresses), 4191
 * (preferences, more specific routes), 7559 (solicitations that do not end), 8106 (DNS). Client and
 * server are pure machines: bytes and time in, bytes and a deadline out.
 *
 *   host                             client
 *   lb_nd6_client_init
 *   loop: lb_nd6_client_poll   -->  SEND (ICMPv6 from its type byte on) | PROBE (an address) | WAIT
 *         lb_nd6_client_input  <--  each ICMPv6 message that came with hop limit 255 and a good
 *                                   checksum, from its type byte on
 *         lb_nd6_client_probed <--  the answer to PROBE
 *   GOT (each time client->info has changed), NO_ROUTER, LOST
 *
 * A boot does not wait where it need not. RFC 4861 6.3.7 and RFC 4862 5.4.2 would have a host delay
 * its first solicitation, and its first probe, by up to a second at random, so that machines that
 * start together do not speak at the same time. Both are SHOULDs for a link's sake; a machine that
 * boots takes some tens of seconds of firmware first, which no two take equally long, and Ethernet
 * has no trouble with a hundred packets in a second. So both go out at once; the solicitation is
 * sent from :: as long as the link-local address is not ready, and, where no router has answered by
 * then, once more as soon as it is. */
#ifndef LB_ND6_H
#define LB_ND6_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/crypto/crypto.h"

#define LB_ND6_FOREVER    UINT32_MAX /* a lifetime of seconds, on the wire and here */
#define LB_ND6_PACKET_MAX 1500       /* what we accept; a router's Ethernet frame */
#define LB_ND6_PREFIXES_MAX                                                                        \
    8                       /* kept: a network has one or two, while renumbering twice as          \
                               many */
#define LB_ND6_SEARCH_MAX 8 /* domains kept; resolvers look at six (resolv.conf(5)) */

/* RFC 4191 2.1; Low, Medium, High. */
enum lb_nd6_preference {
    LB_ND6_LOW = -1,
    LB_ND6_MEDIUM = 0,
    LB_ND6_HIGH = 1,
};

/* An address that is ours: nobody else has it. Times are of the host's clock, or LB_NEVER. */
struct lb_nd6_address {
    struct lb_prefix address; /* its interface identifier is 64 bits, so is its prefix */
    uint64_t preferred_until_us, valid_until_us;
};

struct lb_nd6_prefix {
    struct lb_prefix prefix;
    uint64_t until_us;
};

struct lb_nd6_router {
    struct lb_addr addr; /* link-local */
    enum lb_nd6_preference preference;
    uint64_t until_us;
};

struct lb_nd6_route { /* more specific than the default route: RFC 4191 2.3 */
    struct lb_route route;
    enum lb_nd6_preference preference;
    uint64_t until_us;
};

/* What the link has told, as it is now: nothing in it has run out. Absent is zero. */
struct lb_nd6_info {
    struct lb_addr link_local; /* none: not ready yet */
    struct lb_nd6_address addresses[LB_ADDRS6_MAX];
    size_t address_count;
    size_t pending; /* addresses that are being probed: there will be another GOT or LOST */
    struct lb_nd6_prefix on_link[LB_ND6_PREFIXES_MAX];
    size_t on_link_count;
    struct lb_nd6_router routers[LB_ROUTERS_MAX]; /* default routers, the best first */
    size_t router_count;
    struct lb_nd6_route routes[LB_ROUTES_MAX]; /* not the default routes; of two to one network the
                                                  best alone */
    size_t route_count;
    struct lb_addr dns[LB_DNS_MAX]; /* a link-local one is meant on this interface */
    size_t dns_count;
    char search[LB_SEARCH_MAX + 1]; /* space separated: letters, digits, `-`, `_`, `.` alone */
    uint16_t mtu;                   /* 0: not given */
    struct lb_prefix odd_prefix;    /* for addresses, and its length is not 64: makes none */
    bool advertised; /* some router has spoken, be it a default router or not: M and O count */
    bool managed;    /* M: addresses and the rest are to be had by DHCPv6; of any router */
    bool other;      /* O: the rest is */
};

/* Zero is the default everywhere. */
struct lb_nd6_config {
    uint8_t mac[6];    /* gives the interface identifier: RFC 4291 appendix A */
    uint16_t link_mtu; /* advertised ones beyond it are ignored; 0: 1500 */
    uint32_t retry_ms; /* between the first solicitations; doubled later on, up to an hour as in
                          RFC 7559; 0: 1000. RFC 4861 6.3.7 has 4000: a lost packet would be
                          the longest part of a boot */
    unsigned solicit_count; /* NO_ROUTER after so many without an answer; 0: 4 */
    uint32_t give_up_ms;    /* NO_ROUTER after so long at the latest; 0: that of solicit_count */
};

enum lb_nd6_event {
    LB_ND6_WAIT,  /* nothing to do until until_us, or input */
    LB_ND6_SEND,  /* send `bytes` to `to`, hop limit 255; `from` is the link-local address, or :: */
    LB_ND6_PROBE, /* do duplicate address detection for `probe`, and have it on the interface when
                     it is free; answer with lb_nd6_client_probed. Several may be asked for before
                     the first is answered; the link-local one comes first */
    LB_ND6_GOT,   /* client->info has changed: configure the interface. Where its times alone have,
                     it comes once a second at most */
    LB_ND6_NO_ROUTER, /* nobody has answered the solicitations; once. They go on, ever slower, and a
                         router that comes later is a GOT */
    LB_ND6_LOST, /* the addresses that there were must not be used any more, from now; with an error
                    in client->error the link-local address is not to be had, which is the end */
};

struct lb_nd6_action {
    enum lb_nd6_event event;
    uint64_t until_us;
    struct lb_bytes bytes;   /* valid until the next call of this machine */
    struct lb_addr from, to; /* SEND */
    struct lb_addr probe;
};

/* ---- the rest is the client's own; see nd6_client.c ---- */

enum lb_nd6_claim_phase {
    LB_ND6_CLAIM_NEW,     /* PROBE is to be given out */
    LB_ND6_CLAIM_PROBING, /* and is waited for */
    LB_ND6_CLAIM_OURS,
    LB_ND6_CLAIM_REFUSED, /* others have had every address that we tried */
};

/* An address that is, or will be, ours. */
struct lb_nd6_claim {
    enum lb_nd6_claim_phase phase;
    struct lb_addr addr;
    unsigned conflicts;
    uint64_t preferred_until_us, valid_until_us;
    uint64_t probe_until_us; /* PROBING: an answer that has not come by then is "free" */
};

/* A router that has spoken. */
struct lb_nd6_speaker {
    struct lb_addr addr;
    enum lb_nd6_preference preference;
    uint64_t until_us;       /* as a default router */
    uint64_t heard_until_us; /* its flags count until then */
    bool managed, other;
    uint16_t mtu;
};

struct lb_nd6_resolver {
    struct lb_addr addr;
    uint64_t until_us;
};

struct lb_nd6_domain {
    char name[LB_DOMAIN_MAX + 1];
    uint64_t until_us;
};

enum lb_nd6_state {
    LB_ND6_SOLICITING, /* no router has spoken yet */
    LB_ND6_QUIET,      /* NO_ROUTER was said; solicitations go on */
    LB_ND6_HEARD,
    LB_ND6_STOPPED, /* no link-local address */
};

struct lb_nd6_client {
    struct lb_nd6_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_nd6_state state;
    struct lb_nd6_info info;
    struct lb_error error;
    uint64_t ignored;        /* messages that were not for us or malformed */
    const char *ignored_why; /* the last one; a constant */
    /* The rest is the machine's own. */
    struct lb_nd6_claim link_local, claims[LB_ADDRS6_MAX];
    size_t claim_count;
    struct lb_nd6_speaker speakers[LB_ROUTERS_MAX];
    size_t speaker_count;
    struct lb_nd6_prefix on_link[LB_ND6_PREFIXES_MAX];
    size_t on_link_count;
    struct lb_prefix odd_prefix;
    struct lb_nd6_route routes[LB_ROUTES_MAX];
    size_t route_count;
    struct lb_nd6_resolver resolvers[LB_DNS_MAX];
    size_t resolver_count;
    struct lb_nd6_domain domains[LB_ND6_SEARCH_MAX];
    size_t domain_count;
    unsigned sent; /* solicitations, but for the one because of the link-local address */
    bool send_due, lost_due, no_router_due, got_due;
    uint64_t retry_us, solicit_us, give_up_us;
    uint64_t told_us, got_after_us; /* GOT: the last one, and not before */
    uint8_t packet[16];             /* a Router Solicitation with our MAC address */
};

/* rand and trace stay the caller's and outlive the client; trace may be NULL. */
void lb_nd6_client_init(struct lb_nd6_client *client, uint64_t now_us,
                        const struct lb_nd6_config *config, struct lb_rand *rand,
                        struct lb_trace *trace);
/* An ICMPv6 message that came with hop limit 255 and a good checksum. True when it was a Router
 * Advertisement that was taken. */
bool lb_nd6_client_input(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                         struct lb_bytes message);
/* The answer to PROBE: somebody else has the address (conflict), or it is ours now. Also later, for
 * an address that another machine has taken after all. */
void lb_nd6_client_probed(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr addr,
                          bool conflict);
/* The link came back: routers are asked again, probes that were under way begin again, and a prefix
 * whose addresses were all somebody's gets new ones. What is known stays in use meanwhile. */
void lb_nd6_client_link_up(struct lb_nd6_client *client, uint64_t now_us);
/* Polling too early or too often is harmless. */
struct lb_nd6_action lb_nd6_client_poll(struct lb_nd6_client *client, uint64_t now_us);

/* Seconds from now until a time, for lb_boot_addr6: LB_ND6_FOREVER for LB_NEVER, 0 when it is
 * over. */
uint32_t lb_nd6_left_s(uint64_t now_us, uint64_t until_us);
/* fe80::/64 or another prefix with the interface identifier of a MAC address: RFC 4291 appendix
 * A. */
struct lb_addr lb_nd6_eui64(struct lb_addr prefix, const uint8_t mac[6]);

/* ---- server ------------------------------------------------------------------------------------
 * A router's half, for the simulator: it keeps nothing, so it is two functions. */

struct lb_nd6_ra_prefix {
    struct lb_prefix prefix;
    bool on_link, autonomous;
    uint32_t valid_s, preferred_s; /* LB_ND6_FOREVER */
};

struct lb_nd6_ra_route {
    struct lb_prefix to;
    enum lb_nd6_preference preference;
    uint32_t lifetime_s;
};

struct lb_nd6_ra_dns {
    struct lb_addr addr;
    uint32_t lifetime_s;
};

struct lb_nd6_ra_domain {
    char name[LB_DOMAIN_MAX + 1];
    uint32_t lifetime_s;
};

/* A Router Advertisement. Absent is zero. */
struct lb_nd6_ra {
    uint8_t hop_limit;
    bool managed, other;
    enum lb_nd6_preference preference;
    uint16_t lifetime_s; /* as a default router; 0: it is none */
    uint32_t reachable_ms, retrans_ms;
    bool has_mac;
    uint8_t mac[6];
    uint32_t mtu;
    struct lb_nd6_ra_prefix prefixes[LB_ND6_PREFIXES_MAX];
    size_t prefix_count;
    struct lb_nd6_ra_route routes[LB_ROUTES_MAX];
    size_t route_count;
    struct lb_nd6_ra_dns dns[LB_DNS_MAX];
    size_t dns_count;
    struct lb_nd6_ra_domain domains[LB_ND6_SEARCH_MAX];
    size_t domain_count;
};

struct lb_nd6_reply {
    struct lb_addr to;     /* who asked, or ff02::1 where it asked from :: */
    struct lb_bytes bytes; /* in the room; empty: no answer */
};

/* A message that came with hop limit 255; a good Router Solicitation is answered with `ra`. */
struct lb_nd6_reply lb_nd6_server_input(const struct lb_nd6_ra *ra, struct lb_addr from,
                                        struct lb_bytes message, struct lb_span room);
/* The advertisement that nobody has asked for, to ff02::1. */
struct lb_nd6_reply lb_nd6_server_advertise(const struct lb_nd6_ra *ra, struct lb_span room);

#endif
