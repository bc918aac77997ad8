/* One network interface and its addressing: the link, DHCPv4, IPv6 routers and DHCPv6, a configured
 * address, and the configuration of the interface that all of these make.
 *
 *   engine                                           network
 *   lb_network_init, then for each attempt
 *   lb_network_begin, _start_dhcp4, _start_v6   -->
 *   loop: lb_network_turn                       -->  an action, or news: CHANGED, LOST why
 *         lb_network_update                     -->  an ask: SET_ADDRESS, CLEAR_ADDRESS
 *
 * The clients go on beside the later stages. Two interfaces are two of these. It knows nothing of
 * disks: what a lease names is an answer (answer.h), and the engine judges its worth. */
#ifndef LB_BOOT_NETWORK_H
#define LB_BOOT_NETWORK_H

#include "core/boot/answer.h"
#include "core/boot/stage.h"

/* What DHCPv6 is asked for. */
enum lb_dhcp6_role {
    LB_DHCP6_NOTHING,   /* routers say that there is none; or there is no link-local address yet */
    LB_DHCP6_ADDRESSES, /* and the rest */
    LB_DHCP6_REST,      /* stateless */
};

/* A configured IPv6 address. */
enum lb_static6 {
    LB_STATIC6_NONE,
    LB_STATIC6_WAITS, /* for the link-local one to be probed, which is the first */
    LB_STATIC6_DUE,   /* to be probed */
    LB_STATIC6_PROBING,
    LB_STATIC6_OURS,
};

#define LB_BOOT_DHCP_EXTRA_MAX 128 /* bytes of dhcp-send: so that a message has room for all */

struct lb_network {
    struct lb_common *common;
    bool link_up;
    bool link_lost;     /* it was up, and is not */
    unsigned attempt;   /* of the boot: bad answers are given more time in each */
    bool takes_bad;     /* a lease that names no usable disk is taken, for discovery may find one */
    uint64_t awaits_us; /* until when the boot waits for it; 0: it does not */

    struct lb_dhcp4_client dhcp;
    uint8_t dhcp_extra[LB_BOOT_DHCP_EXTRA_MAX]; /* dhcp-send */
    struct lb_dhcp_seen seen;                   /* of DHCP servers that prove who they are */
    bool dhcp_runs, dhcp_open, has_lease, had_lease;
    struct lb_nd6_client nd6;
    bool nd6_runs, nd6_open, no_router; /* nobody has answered its solicitations */
    struct lb_dhcp6_client dhcp6;
    bool dhcp6_runs, dhcp6_open, had_lease6, has_addresses6; /* the last: of routers' prefixes */
    enum lb_dhcp6_role dhcp6_role;
    bool was_managed, was_other; /* a router said so since DHCPv6 runs: M, O of RFC 4861 4.2 */
    enum lb_static6 static6;
    struct lb_error out4, out6; /* why this attempt has given the family up; LB_OK: it has not */
    struct lb_error lost; /* why an address in use had to be given up, until there is another */
    enum lb_family lost_family;
    struct lb_dhcp4_lease firmware; /* the lease that the firmware holds */
    bool has_firmware;              /* and it was not tried yet */
    struct lb_boot_net net;
    bool is_set;        /* the host has configured the interface by it */
    bool is_configured; /* addresses are on the interface, also while others are asked for */
    size_t step_dhcp, step_nd6, step_dhcp6; /* report steps */
};

/* What happened to it in a turn or a call. */
enum lb_network_event {
    LB_NETWORK_SAME,
    LB_NETWORK_CHANGED, /* something was learned: the interface may be configured anew */
    LB_NETWORK_LOST,    /* an address of `family` must not be used any more: `why` */
};

struct lb_network_news {
    enum lb_network_event what;
    enum lb_family family;
    struct lb_error why;
};

/* network.c */
/* Its start: nothing runs. common outlives it. */
void lb_network_init(struct lb_network *network, struct lb_common *common);
/* What was seen of DHCP servers that prove who they are, in an earlier boot; before it begins. */
void lb_network_remember(struct lb_network *network, const struct lb_dhcp_seen *seen);
/* The lease that the firmware holds; copied. */
void lb_network_remember_lease(struct lb_network *network, const struct lb_dhcp4_lease *lease);
/* An address that is in use had to be given up, and why: this explains later failures, until there
 * is another of its family. */
void lb_network_note_loss(struct lb_network *network, enum lb_family family,
                          const struct lb_error *why);
/* An attempt begins: its number, and whether a lease without a usable disk is of use. */
void lb_network_begin(struct lb_network *network, unsigned attempt, bool takes_bad);
/* Until when the boot waits for it, and its clients may give up; 0: it goes on by itself. */
void lb_network_awaited(struct lb_network *network, uint64_t until_us);
/* The host's word: the interface is configured by the last lb_network_make, or not any more. */
void lb_network_configured(struct lb_network *network, bool is_set);
/* A turn of each client. With LB_TURN_AGAIN there may be news; else *news is untouched. */
enum lb_turn lb_network_turn(struct lb_network *network, uint64_t now_us,
                             struct lb_boot_action *action, struct lb_network_news *news);
/* An attempt is over; the clients go on, and have what they know confirmed. */
void lb_network_pause(struct lb_network *network, uint64_t now_us);
/* Gives the leases back: what there is to send comes in the next turns. */
void lb_network_release(struct lb_network *network, uint64_t now_us);
/* Whether a DHCP or DHCPv6 server has lent us an address. */
bool lb_network_has_lease(const struct lb_network *network);
/* Ends all clients and closes their slots; nothing is said to the servers. */
void lb_network_stop(struct lb_network *network);
/* No step of the report is left running. is_needed: the boot failed for want of an address. why:
 * the failure's word, or NULL where an answer is merely missing. */
void lb_network_end_steps(struct lb_network *network, uint64_t now_us, bool is_needed,
                          const char *why_or_null);
/* The state of the link, for the engine to ask. */
void lb_network_note_link(struct lb_network *network, bool up);
/* The link came up while clients ran: they are told. */
void lb_network_link_up(struct lb_network *network, uint64_t now_us);
/* A datagram of Neighbor Discovery; those of DHCP and DHCPv6 are judged first: see below. */
void lb_network_datagram(struct lb_network *network, uint64_t now_us, uint32_t slot,
                         struct lb_endpoint from, struct lb_bytes bytes);
/* The answer of PROBE. */
struct lb_network_news lb_network_probed(struct lb_network *network, uint64_t now_us,
                                         struct lb_addr addr, bool conflict);
/* Whether the clients have an address of this family. */
bool lb_network_has_address(const struct lb_network *network, enum lb_family family);
/* The same, and the ways from it are known: an address of DHCPv6 comes without any (RFC 5942). */
bool lb_network_has_ways(const struct lb_network *network, enum lb_family family);
/* Whether any server or router of this family has been heard. */
bool lb_network_is_alive(const struct lb_network *network, enum lb_family family);
/* Why the family gave this machine no address; never LB_OK. */
struct lb_error lb_network_why_out(const struct lb_network *network, enum lb_family family);

/* The lease that may name servers of SLP and iSNS (options 78, 79, 83); NULL: none. */
const struct lb_dhcp4_lease *lb_network_hints(const struct lb_network *network);

enum lb_family_progress {
    LB_NO_ANSWER, /* nobody has answered, or the family was given up */
    LB_ASKING,
    LB_ANSWERED,
};
/* What the boot needs of the network where a person named the disk. */
struct lb_network_need {
    bool is_named; /* so an address, and a way, are all that is asked for */
    bool is_name;  /* its server was given as a name: a resolver is needed, too */
    bool is_near;  /* its server is on the link: no router is needed */
};
/* Whether a family may still name a disk. */
enum lb_family_progress lb_network_progress(const struct lb_network *network, enum lb_family family,
                                            const struct lb_network_need *need);
/* What the family's servers told about the disk, after LB_ANSWERED. It points into the network. */
struct lb_boot_answer lb_network_answer(const struct lb_network *network, enum lb_family family);

/* network_dhcp4.c */
/* Asks DHCPv4 anew. False: the configuration does not let it, and *error says why. */
bool lb_network_start_dhcp4(struct lb_network *network, uint64_t now_us, struct lb_error *error);
/* The lease that the firmware holds; NULL: none, or it was given before: it is tried once. */
const struct lb_dhcp4_lease *lb_network_firmware_lease(struct lb_network *network);
/* Uses it, judged so, instead of asking for one. */
void lb_network_adopt(struct lb_network *network, uint64_t now_us, enum lb_worth worth);
/* Whether the datagram is an answer that has to be judged, which is put into *said: then
 * lb_network_hear4 is told what it is worth. */
bool lb_network_reads4(struct lb_network *network, struct lb_endpoint from, struct lb_bytes bytes,
                       struct lb_dhcp4_lease *said);
/* The datagram is taken; ignored where the client does not run. */
void lb_network_hear4(struct lb_network *network, uint64_t now_us, struct lb_endpoint from,
                      struct lb_bytes bytes, enum lb_worth worth);
/* Carries out what the client wants. IDLE where it does not run. */
enum lb_turn lb_network_turn_dhcp4(struct lb_network *network, uint64_t now_us,
                                   struct lb_boot_action *action, struct lb_network_news *news);
/* Closes the slot; the server is not told. */
void lb_network_stop_dhcp4(struct lb_network *network);
/* How long a client that has heard bad answers alone waits for a good one: of both families. */
uint32_t lb_network_bad_wait_ms(const struct lb_network *network);
/* What our authenticated DHCP messages count from: the clock, in NTP's form. */
uint64_t lb_network_replay(const struct lb_network *network, uint64_t now_us);
/* The best offer of a dry run; NULL: none. */
const struct lb_dhcp4_lease *lb_network_offer4(const struct lb_network *network);
/* The lease that is ours; NULL: none. */
const struct lb_dhcp4_lease *lb_network_lease4(const struct lb_network *network);

/* network_nd6.c: routers and stateless addresses, and a configured IPv6 address */
/* Starts the client of IPv6's routers and opens its slot, unless that is open. */
void lb_network_start_nd6(struct lb_network *network, uint64_t now_us);
/* Starts IPv6, or goes on with the running clients. Routers and DHCPv6 servers that have not
 * answered are asked again. drops_lease: the lease of DHCPv6 is not to be used any more. */
void lb_network_start_v6(struct lb_network *network, uint64_t now_us, bool drops_lease);
/* Probes a configured address first, then carries out what the client wants. */
enum lb_turn lb_network_turn_nd6(struct lb_network *network, uint64_t now_us,
                                 struct lb_boot_action *action, struct lb_network_news *news);
/* Closes the slot. */
void lb_network_stop_nd6(struct lb_network *network);
/* The answer of PROBE for an IPv6 address: a stateless, a link-local or a configured one. */
struct lb_network_news lb_network_probed_nd6(struct lb_network *network, uint64_t now_us,
                                             struct lb_addr addr, bool conflict);

/* network_dhcp6.c */
/* Starts, stops or changes what DHCPv6 is asked, by what the routers say. */
void lb_network_follow_routers(struct lb_network *network, uint64_t now_us);
/* Carries out what the client wants. IDLE where it does not run. */
enum lb_turn lb_network_turn_dhcp6(struct lb_network *network, uint64_t now_us,
                                   struct lb_boot_action *action, struct lb_network_news *news);
/* Closes the slot; the server is not told. */
void lb_network_stop_dhcp6(struct lb_network *network);
/* As lb_network_reads4. */
bool lb_network_reads6(struct lb_network *network, struct lb_endpoint from, struct lb_bytes bytes,
                       struct lb_dhcp6_lease *said);
/* As lb_network_hear4. */
void lb_network_hear6(struct lb_network *network, uint64_t now_us, struct lb_endpoint from,
                      struct lb_bytes bytes, enum lb_worth worth);
/* The best offer of a dry run; NULL: none. */
const struct lb_dhcp6_lease *lb_network_offer6(const struct lb_network *network);
/* The lease that is ours, also of information alone (`stateless`); NULL: none. */
const struct lb_dhcp6_lease *lb_network_lease6(const struct lb_network *network);

/* network_net.c */
/* Makes network->net of the leases, the routers' word and the configuration. first: whose resolvers
 * come first; none: IPv4's. */
void lb_network_make(struct lb_network *network, uint64_t now_us, enum lb_family first);
/* The same, and has the host configure the interface by it. */
void lb_network_configure(struct lb_network *network, uint64_t now_us, enum lb_family first);
/* As lb_network_configure; but where no address is left the interface is cleared, and false is
 * given. */
bool lb_network_update(struct lb_network *network, uint64_t now_us, enum lb_family first);
/* Whether net has an address of this family. */
bool lb_net_has_family(const struct lb_boot_net *net, enum lb_family family);

#endif
