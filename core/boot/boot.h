/* The boot engine: from nothing to a disk, and then the disk. Start here.
 *
 * One engine is one boot on one network interface. It runs the stages of RFC 4173 (configured
 * values, DHCP, Discovery, boot) by driving the protocol machines, applies the policy, keeps the
 * report, and afterwards keeps lease and session alive under the disk's user.
 *
 *   host                                                   engine
 *   lb_boot_init
 *   loop: lb_boot_poll                                -->  an action: what the host is to do next
 *         ... carry it out; poll again at once, until WAIT
 *         lb_boot_link, _datagram, _probed, _address_set,
 *         _connected, _lost, _got, _sent               <--  what happened
 *   READY: lb_boot_submit / lb_boot_completed
 *
 * Sockets are numbered slots: the engine names them in OPEN and CONNECT, the host maps them. All
 * calls come from one thread. Every call may make work, so poll again after each. Time is
 * microseconds of the host's monotonic clock and never goes back. */
#ifndef LB_BOOT_H
#define LB_BOOT_H

#include "core/base/config.h"
#include "core/base/report.h"
#include "core/dhcp4/dhcp4.h"
#include "core/dhcp6/dhcp6.h"
#include "core/disk/disk.h"
#include "core/initiator/initiator_targets.h"
#include "core/ipsec/ipsec.h"
#include "core/names/rootpath.h"
#include "core/nd6/nd6.h"

/* An IPv6 address of the interface. */
struct lb_boot_addr6 {
    struct lb_prefix address;      /* of DHCPv6: /128 */
    uint32_t preferred_s, valid_s; /* from now; LB_FOREVER */
};
#define LB_FOREVER UINT32_MAX /* a lifetime without an end */

/* How the interface is to be configured: the whole of it, each time. Fields that are not known are
 * zero. The link-local address is the host's affair. */
struct lb_boot_net {
    struct lb_prefix address;              /* IPv4; family none: there is none */
    struct lb_route routes[LB_ROUTES_MAX]; /* IPv4; the default route is 0.0.0.0/0 */
    size_t route_count;
    struct lb_boot_addr6 addrs6[LB_ADDRS6_MAX];
    size_t addr6_count;
    struct lb_route routes6[LB_ROUTES_MAX]; /* IPv6: routers are link-local addresses; no `via`: the
                                               network is on the link */
    size_t route6_count;
    struct lb_addr dns[LB_DNS_MAX]; /* of both families */
    size_t dns_count;
    char hostname[LB_HOST_MAX + 1];
    char domain[LB_DOMAIN_MAX + 1];
    char search[LB_SEARCH_MAX + 1];
    uint16_t mtu; /* 0: leave it */
    struct lb_addr dhcp_server, dhcp6_server;
    uint32_t lease_s; /* of the IPv4 address; 0: not leased */
};

/* The router of the family's default route: of several such routes the first, for they come in
 * order of preference (RFC 2132 3.5, RFC 4191). Family none: no default route has a router. The one
 * rule for whoever has to name a gateway: a file, an environment, the iBFT. */
struct lb_addr lb_boot_net_gateway(const struct lb_boot_net *net, enum lb_family family);
/* The next hop of an IPv4 packet to dest, for a host that routes by itself: dest
 * where that is on the link, else the router of the most specific route, the first of those that
 * are alike (RFC 3442, RFC 1122 3.3.1.2). False: there is no way, and *hop is untouched. */
bool lb_boot_net_next_hop4(const struct lb_boot_net *net, struct lb_addr dest, struct lb_addr *hop);
/* Whether a packet of either family has a way to dest: the link, or a route. */
bool lb_boot_net_has_way(const struct lb_boot_net *net, struct lb_addr dest);

/* How a candidate became known. */
enum lb_service {
    LB_BY_CONFIG,   /* a person named its server */
    LB_BY_ROOTPATH, /* the Root Path did */
    LB_BY_SLP,
    LB_BY_ISNS,
    LB_BY_SENDTARGETS,
};

/* The servers of discovery that named a portal; family none: not one of these. An SLP agent may
 * have named the portal, or the iSNS server that did. */
struct lb_boot_servers {
    struct lb_addr isns, slp;
};

/* A portal of a target that may be booted from: one entry for each. They are tried in their order:
 *
 * 1. what a person or a Root Path named, then as the key `discovery` orders the services
 * 2. fewest assumptions: named for booting before merely found; the service's own port before one
 *    of a Root Path; an address of a family that we have, and that is preferred, before others and
 *    before a name that is yet to be resolved
 * 3. targets in the order in which they were first heard of, so that a machine with several disks
 *    boots the same one each time
 * 4. portals of one target by chance, which spreads the load
 *
 * Those that the policy refuses come last, for a person to see; they are never tried. */
struct lb_candidate {
    enum lb_service service;
    char source[80]; /* who said so: "iSNS server 192.0.2.9" */
    struct lb_boot_servers servers;
    struct lb_rootpath at;   /* target (normalised), server (address or name), port, LUN */
    int32_t portal_group;    /* its tag, or -1: unknown */
    bool boot_list;          /* named for booting: a boot list, or boot-list of RFC 4018 */
    bool port_from_rootpath; /* RFC 4173 6: the Root Path's port, where the service said another */
    enum lb_code refused;    /* why it may not be booted, else LB_OK */
    bool tried;              /* also while it is being tried */
    struct lb_error failed;  /* what came of trying it, or `refused` in full; else LB_OK */

    /* What the order is made of. */
    unsigned rank;  /* lower is tried first */
    uint32_t heard; /* arrival of its target */
    uint32_t tie;   /* random, among portals of one target */
};
const char *lb_service_word(enum lb_service service); /* "configuration", "root path", "slp", ... */

enum lb_boot_goal {
    LB_GOAL_DISK,    /* boot: ends READY with a disk */
    LB_GOAL_PROBE,   /* dry run: asks DHCP servers for offers and takes none; then, where the
                        machine's own network is up, goes on to the disk like a boot, without
                        needing `enable` */
    LB_GOAL_TARGETS, /* asks the configured server for its targets (SendTargets), over the machine's
                        own network: ends READY with lb_boot_targets, and without a disk */
    LB_GOAL_DISCOVER, /* the Discovery stage alone, all of it, without `enable`: ends READY with
                         lb_boot_candidates, and without a disk. Where the machine's own network is
                         up and an interface is named, DHCP servers are asked for offers there
                         first, and none is taken: they may know of SLP and iSNS, and name a disk */
};

/* What the machine itself knows of names, where a person or a host has set that up. */
struct lb_boot_machine {
    struct lb_addr dns[LB_DNS_MAX]; /* asked where neither a person nor the network names any */
    size_t dns_count;
    char search[LB_SEARCH_MAX + 1]; /* domains, separated by blanks; as `dns` */
    struct lb_bytes hosts; /* text of a hosts(5) file; it is asked before DNS; empty: none */
};

struct lb_boot_setup {
    const struct lb_config *config; /* the caller's; outlives the engine */
    enum lb_boot_goal goal;
    const char *interface; /* its name, for messages; NULL where network_is_up alone counts */
    uint8_t mac[6];
    uint8_t uuid[16];   /* of the machine (SMBIOS); zero: unknown */
    bool has_arch;      /* client-arch=auto sends `arch`; without it, nothing */
    uint16_t arch;      /* the client architecture (RFC 4578 2.1) */
    bool network_is_up; /* the machine's own network is used: no link, DHCP or address stage */
    bool has_ipv6; /* the host can do IPv6 on the interface: the kinds DHCP6 and ND6, PROBE of IPv6
                      addresses, addrs6 and routes6 of the net. Without it, IPv4 alone is used */
    bool has_esp;  /* the host carries protected packets: SOURCE, lb_boot_seal and lb_boot_open */
    bool esp_in_kernel; /* with has_esp: not by seal and open, but PROTECT and UNPROTECT */
    /* A DHCP answer that the firmware holds for this interface (PXE), or NULL; the caller's until
     * lb_boot_init returns. It is used instead of asking again if it, or the configuration, says
     * where the disk is. */
    const struct lb_dhcp4_lease *lease4;
    const struct lb_boot_machine *machine; /* the caller's; outlives the engine; NULL: nothing */
    const struct lb_report *report;  /* of the boot by another card, which this one goes on with;
                                       NULL: a new one. The caller's until lb_boot_init returns */
    const struct lb_dhcp_seen *seen; /* lb_boot_seen of an earlier boot; NULL: none. The caller's
                                        until lb_boot_init returns */
    struct lb_span rx;               /* staging room for the session: LB_ISCSI_RX_MIN or more */
    struct lb_span trace_ring;       /* may be empty: no trace */
    uint64_t
        unix_s; /* the clock, in seconds since 1970: our authenticated DHCP messages count by it,
                        so that those after a restart are newer; 0: there is no clock */
    uint8_t seed[LB_RAND_SEED_BYTES];
};

enum lb_boot_event {
    LB_BOOT_WAIT,        /* send what lb_boot_gather has for each connected slot, then nothing until
                            until_us (may be LB_NEVER) or input */
    LB_BOOT_LINK,        /* bring the interface up and tell the link's state: lb_boot_link */
    LB_BOOT_OPEN,        /* open slot as `kind` */
    LB_BOOT_SEND,        /* send the datagram `bytes` on slot, from `from`, to `to` */
    LB_BOOT_PROBE,       /* ask whether anyone has `probe`: lb_boot_probed. IPv4: by ARP. IPv6: by
                            duplicate address detection, which gives the interface the address as
                            soon as nobody has it; link-local ones too. Several of IPv6 may be asked
                            for at a time */
    LB_BOOT_SET_ADDRESS, /* configure the interface as `net` says: lb_boot_address_set */
    LB_BOOT_CLEAR_ADDRESS, /* take the address away, now */
    LB_BOOT_SOURCE,        /* say which of our addresses packets to `to` are from: lb_boot_source */
    LB_BOOT_PROTECT,   /* protect all packets to and from the peer of `terms` by these SAs, and let
                              none pass in clear; send by the newest pair of a peer. At once, or
                              lb_boot_host_failed */
    LB_BOOT_UNPROTECT, /* take the pair `spi` (ours) of `to` away; 0: all of this peer's. No clear
                              packet may pass then either */
    LB_BOOT_CONNECT,   /* open slot as TCP to `to`: lb_boot_connected or lb_boot_lost */
    LB_BOOT_CLOSE,     /* close slot; no answer */
    LB_BOOT_READY,     /* the disk is there; once */
    LB_BOOT_OFFERS,    /* PROBE: lb_boot_offers has what the servers said; once */
    LB_BOOT_FAILED,    /* the end, also of a disk that was READY: every request has been
                              completed; see lb_boot_report: error */
    LB_BOOT_OUT,       /* after lb_boot_stop: everything is closed */
};

enum lb_boot_kind {
    LB_KIND_DHCP4, /* UDP port 68, works without an address: `to` 255.255.255.255 is a link-layer
                      broadcast, and replies to any address of ours are seen */
    LB_KIND_DHCP6, /* UDP port 546 over IPv6, sent from the interface's link-local address */
    LB_KIND_ND6,   /* ICMPv6 from its type byte on; the host does the checksum. Sent: Router
                      Solicitations, from the link-local address (or :: while there is none), hop
                      limit 255. Received: Router Advertisements that came with hop limit 255 */
    LB_KIND_UDP,   /* UDP of the family of `from`, bound to its port (0: one of the host's choice).
                      May send to multicast groups on the interface, with TTL or hop limit 255.
                      Where `to` is a group, what is sent to it is received, too */
};

#define LB_BOOT_SLOTS_MAX 16
#define LB_BOOT_NO_SLOT   UINT32_MAX

struct lb_boot_action {
    enum lb_boot_event event;
    uint64_t until_us;
    uint32_t slot;
    enum lb_boot_kind kind;
    struct lb_bytes bytes; /* valid until the next call */
    struct lb_endpoint from, to;
    /* CONNECT, OPEN: all its packets are from `from` and protected (by lb_boot_seal or as PROTECT
     * says), or do not go at all; none that came in clear reaches it. */
    bool is_protected;
    const struct lb_ipsec_terms *terms; /* PROTECT: valid until the next call; holds keys */
    uint32_t spi;                       /* UNPROTECT */
    struct lb_addr probe;
    uint8_t probe_len;             /* of IPv6: its prefix's, as SET_ADDRESS is going to say it */
    const struct lb_boot_net *net; /* valid until CLEAR_ADDRESS or the next SET_ADDRESS */
};

struct lb_ike;
struct lb_boot; /* fields in boot_state.h; a caller needs its size alone */

/* Starts a boot. The setup is copied; what it points to stays the caller's (see its fields). The
 * caller may wipe its seed afterwards. */
void lb_boot_init(struct lb_boot *boot, uint64_t now_us, const struct lb_boot_setup *setup);
/* What the host is to do next; call it again after each action until it says WAIT. Polling too
 * early or too often is harmless. */
struct lb_boot_action lb_boot_poll(struct lb_boot *boot, uint64_t now_us);

/* The link's state, at first and whenever it changes; mtu is the interface's. The host may also say
 * why there will never be one (no such interface, not permitted): failure is then set. */
void lb_boot_link(struct lb_boot *boot, uint64_t now_us, bool up);
/* A datagram came on slot, from `from`; the bytes are not kept. One of a slot that is closed
 * is ignored. */
void lb_boot_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot, struct lb_endpoint from,
                      struct lb_bytes bytes);
/* The answer of PROBE. */
void lb_boot_probed(struct lb_boot *boot, uint64_t now_us, struct lb_addr addr, bool conflict);
/* The answer of SOURCE; family none: there is no way to it. */
void lb_boot_source(struct lb_boot *boot, uint64_t now_us, struct lb_addr to, struct lb_addr from);
/* Before that answer: another process of this machine has an association of the same identities,
 * which the peer must not end because of ours (INITIAL_CONTACT is not said). */
void lb_boot_not_alone(struct lb_boot *boot);
/* Another answer of SOURCE, where the kernel has the SAs (esp_in_kernel): it protects all packets
 * between from and to already, by the keys of another process, and the host uses those. */
void lb_boot_guarded(struct lb_boot *boot, uint64_t now_us, struct lb_addr to, struct lb_addr from);
/* And another: no keys can be asked for now; *error says why. */
void lb_boot_no_keys(struct lb_boot *boot, uint64_t now_us, struct lb_addr to,
                     const struct lb_error *error);
/* How SET_ADDRESS went; why is the operating system's word where it failed, else NULL. */
void lb_boot_address_set(struct lb_boot *boot, uint64_t now_us, const char *why);
/* The TCP connection of CONNECT is there. */
void lb_boot_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot);
/* The connection could not be made, or has ended; why says how. The slot is closed then. */
void lb_boot_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot, enum lb_initiator_lost why);
/* A failure of the host itself, such as a missing interface: ends the boot. */
void lb_boot_host_failed(struct lb_boot *boot, uint64_t now_us, const struct lb_error *error);

/* Streams, as in iscsi.h. */
size_t lb_boot_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]);
/* len bytes came, and were written to where lb_boot_where said. */
void lb_boot_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len);
/* What is to be sent on slot, at most cap pieces; gives their count. They stay valid until the next
 * call. */
size_t lb_boot_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces, size_t cap);
/* The first len bytes of what lb_boot_gather gave were sent. */
void lb_boot_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len);

/* IPsec (setup: has_esp). A whole IP packet of a protected connection becomes the payload of a
 * datagram, which the host sends on its socket of port 4500, to *to; it lies in room, which is
 * LB_IPSEC_OVERHEAD_MAX longer than the packet; from the start of room on it is a whole IP packet,
 * for a host that sends those. Empty: it must not be sent. */
struct lb_bytes lb_boot_seal(struct lb_boot *boot, struct lb_bytes packet, struct lb_span room,
                             struct lb_endpoint *to);
/* A datagram of that socket that does not begin with four zeros; it is decrypted in place, and the
 * LB_IPSEC_HEAD_MAX bytes before it are written to. The packet in it; empty: not authentic. */
struct lb_bytes lb_boot_open(struct lb_boot *boot, struct lb_endpoint from, struct lb_span esp);

/* The disk, once READY; as in disk.h. After FAILED or OUT what is submitted fails at once. */
void lb_boot_submit(struct lb_boot *boot, uint64_t now_us, struct lb_disk_op *op);
/* The next request that has ended, with its result in it; NULL: none. */
struct lb_disk_op *lb_boot_completed(struct lb_boot *boot);
const struct lb_disk_info *lb_boot_disk(const struct lb_boot *boot); /* valid from READY on */
/* By which the disk is known again. */
const struct lb_disk_identity *lb_boot_identity(const struct lb_boot *boot);

/* Ends the boot in an orderly way: logs out, keeps the lease (RFC 4173 7 lets the operating system
 * go on with it) unless release is set; then OUT, at once where it has FAILED before. */
void lb_boot_stop(struct lb_boot *boot, uint64_t now_us, bool release);

/* The session's connection has a new owner (the kernel's initiator), who took it over while
 * lb_initiator_is_at_rest said that it may: the slot is forgotten without a CLOSE, the disk is gone
 * for its user here, and the lease is kept until lb_boot_stop. */
void lb_boot_hand_over(struct lb_boot *boot, uint64_t now_us);
/* Where the kernel has the SAs (esp_in_kernel): the association with remote has a new owner, too.
 * It is moved to *ike, whose pointers must be set anew (lb_ike_adopt), and nobody is told of its
 * end here. False: there is none, and *ike is untouched. */
bool lb_boot_hand_over_ike(struct lb_boot *boot, struct lb_addr remote, struct lb_ike *ike);

struct lb_report *lb_boot_report(struct lb_boot *boot); /* the host may add its own steps */
/* The trace in setup.trace_ring, for the host's own lines and for a bug report. */
struct lb_trace *lb_boot_trace(struct lb_boot *boot);
/* How the interface is configured, or is about to be. */
const struct lb_boot_net *lb_boot_net(const struct lb_boot *boot);
const struct lb_dhcp4_lease *lb_boot_lease4(const struct lb_boot *boot); /* NULL: none */
const struct lb_dhcp6_lease *lb_boot_lease6(const struct lb_boot *boot); /* NULL: none; see
                                                                            `stateless` */
/* Of DHCP servers that prove who they are (dhcp-keys), what must not be played again. A host keeps
 * it over a restart. */
const struct lb_dhcp_seen *lb_boot_seen(const struct lb_boot *boot);
/* The DHCP offers of a dry run, *count of them; valid after OFFERS. */
const struct lb_dhcp4_lease *lb_boot_offers(const struct lb_boot *boot, size_t *count);
/* The same of DHCPv6. */
const struct lb_dhcp6_lease *lb_boot_offers6(const struct lb_boot *boot, size_t *count);
/* What the IPv6 routers of the link say; NULL: they were not asked. */
const struct lb_nd6_info *lb_boot_routers6(const struct lb_boot *boot);
/* TARGETS: what the server offers, an entry for each portal of each target; more than there is room
 * for are counted in *dropped. */
const struct lb_initiator_found *lb_boot_targets(const struct lb_boot *boot, size_t *count,
                                                 size_t *dropped);
/* TARGETS: how many more the server named by something that cannot be a name; *first is one, fit
 * for a terminal. */
size_t lb_boot_targets_left_out(const struct lb_boot *boot, const char **first);
/* What was found that could be booted, in the order in which it is tried; more than
 * LB_CANDIDATES_MAX are counted in *dropped. Valid until the next call. */
const struct lb_candidate *lb_boot_candidates(const struct lb_boot *boot, size_t *count,
                                              size_t *dropped);
/* What is booted: target, LUN, server as given. Valid from the boot stage on. */
const struct lb_rootpath *lb_boot_target(const struct lb_boot *boot);
/* Who named it, where discovery found it. */
struct lb_boot_servers lb_boot_servers(const struct lb_boot *boot);
/* Whether the configuration's CHAP keys are used for it: those of the firmware's table are for the
 * table's target alone. */
bool lb_boot_has_chap(const struct lb_boot *boot);
/* Our iSCSI name; empty until the target is chosen. */
const char *lb_boot_initiator(const struct lb_boot *boot);
/* The iSCSI session, for its hand-over and for reports; it is the engine's to drive. */
struct lb_initiator *lb_boot_session(struct lb_boot *boot);

#endif
