/* DHCPv4 and BOOTP. Start here.
 *
 * RFC 951, 1534, 1542, 2131, 2132, 3118, 3203, 3396, 3442, 4039, 4174, 4361, 6842. Client and
 * server are pure machines: bytes and time in, bytes and a deadline out.
 *
 *   host                             client
 *   lb_dhcp4_client_init
 *   loop: lb_dhcp4_client_poll  -->  SEND (UDP payload, addresses) | PROBE (ask by ARP) | WAIT
 *         lb_dhcp4_client_input <--  each UDP payload that came to port 68
 *         lb_dhcp4_client_probed <-- the answer of the ARP probe
 *   BOUND (each time there is a new or renewed lease), LOST, FAILED */
#ifndef LB_DHCP4_H
#define LB_DHCP4_H

#include "core/base/addr.h"
#include "core/base/bindings.h"
#include "core/base/dhcp_keys.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/base/worth.h"
#include "core/crypto/crypto.h"

#define LB_DHCP4_CLIENT_PORT 68
#define LB_DHCP4_SERVER_PORT 67
#define LB_DHCP4_BOOT_PORT   4011 /* PXE's boot servers, proxyDHCP among them */
#define LB_DHCP4_PACKET_MAX  1500 /* what we accept; also announced in option 57 less IP and UDP */
#define LB_DHCP4_INFINITE    UINT32_MAX
#define LB_DHCP4_BLOB_MAX    255 /* client identifier, vendor class and the like */
#define LB_DHCP4_LEFT_OUT_MAX                                                                      \
    8 /* malformed options that are told; a server with more of them has one fault */

/* What a server said. Fields that were absent are zero. */
struct lb_dhcp4_lease {
    bool bootp; /* a plain BOOTP answer: no lease time, no server identifier */
    bool rapid_commit;
    bool authentic; /* proved by a key of ours, which is key_id */
    uint32_t key_id;
    struct lb_prefix address;     /* with the netmask of option 1, or of its class */
    struct lb_addr server;        /* option 54; for BOOTP, or without it, siaddr or the sender */
    struct lb_addr relay;         /* giaddr */
    struct lb_addr next_server;   /* siaddr: of TFTP, never of iSCSI */
    uint32_t lease_s, t1_s, t2_s; /* seconds; LB_DHCP4_INFINITE */
    uint64_t start_us;            /* when the request was sent */
    enum lb_worth worth;          /* as the caller judged it */
    const char *flaw;  /* what cannot be right about the network, a constant; NULL: nothing */
    bool no_server_id; /* there is no option 54: `server` is the sender */
    uint8_t left_out[LB_DHCP4_LEFT_OUT_MAX]; /* options that are malformed, by their codes */
    size_t left_out_count;
    bool has_cut_root_path; /* there is an option 17, and it runs past the end of the message */
    /* Where a disk is named in another place than option 17, which place, a constant ("option 43,
     * sub-option 201"); NULL: nowhere. And what stands there, fit for a terminal. */
    const char *elsewhere;
    char elsewhere_text[160];
    struct lb_addr routers[LB_ROUTERS_MAX]; /* 3; with 121 the default router it names, if any */
    size_t router_count;
    struct lb_addr ignored_router; /* of option 3, where 121 has no default route (RFC 3442) */
    struct lb_route routes[LB_ROUTES_MAX]; /* 121, or else 33 and 3, default route included */
    size_t route_count;
    struct lb_addr dns[LB_DNS_MAX];
    size_t dns_count;
    uint16_t mtu; /* 0: not given */
    /* Text of a server is kept only when it has no control characters, and names only when they are
     * made of letters, digits, `-`, `_` and `.`; it is safe in a file and in an environment. */
    char hostname[LB_HOST_MAX + 1];
    char domain[LB_DOMAIN_MAX + 1];
    char search[LB_SEARCH_MAX + 1];     /* space separated */
    uint8_t root_path[LB_ROOTPATH_MAX]; /* option 17 as received, trailing NULs removed */
    size_t root_path_len;
    struct lb_addr root_path_from;   /* the server that gave it: not always `server` (proxyDHCP) */
    char initiator[LB_NAME_MAX + 1]; /* option 203 */
    char tftp_server[LB_HOST_MAX + 1], bootfile[256]; /* 66, 67, or sname and file */
    uint8_t vendor_specific[LB_DHCP4_BLOB_MAX];       /* 43 */
    size_t vendor_specific_len;
    char vendor_class[LB_DHCP4_BLOB_MAX + 1]; /* 60 */
    /* 78, 79: SLP */
    bool slp_da_mandatory, slp_scope_mandatory;
    struct lb_addr slp_da[LB_DNS_MAX];
    size_t slp_da_count;
    char slp_scopes[LB_SEARCH_MAX + 1];
    /* 83: iSNS (RFC 4174) */
    struct lb_addr isns_server, isns_backup;
    uint16_t isns_functions, isns_dd_access, isns_admin_flags;
    uint32_t isns_security;
};

/* Zero is the default everywhere. */
struct lb_dhcp4_config {
    uint8_t mac[6];
    uint8_t client_id[LB_DHCP4_BLOB_MAX]; /* option 61 whole; len 0: 01 and the MAC */
    size_t client_id_len;
    const char *hostname;     /* sent as option 12; NULL: not sent */
    const char *vendor_class; /* sent as option 60; NULL: not sent */
    const char *user_class;   /* sent as option 77, as it is; NULL: not sent */
    bool has_arch;            /* options 93, 94 and 97 are sent (RFC 4578) */
    uint16_t arch;
    uint8_t uuid[16]; /* of the machine, in the order of its text, for option 97; zeros: not sent */
    struct lb_bytes extra;  /* more options to send: code, length, value; the caller's memory */
    uint32_t offer_wait_ms; /* after the first offer without an iSCSI Root Path; 0: 800 */
    uint32_t give_up_ms;    /* FAILED after so long without a lease; 0: never */
    uint32_t retry_ms;      /* until the first retransmission, doubled up to 64 s; 0: 4000 */
    bool no_rapid_commit, no_arp_probe, no_bootp;
    bool ask_bootp; /* requests are plain BOOTP (RFC 951), without option 53: a server that speaks
                       both,   such as ISC dhcpd, answers with BOOTP only to these (config:
                       dhcp=bootp) */
    uint32_t bad_wait_ms; /* after the first offer, while all of them are LB_WORTH_BAD; 0: 4000 */
    bool takes_bad;       /* then the first of them is taken, for its address; else FAILED */
    bool offers_only;     /* a dry run: collect offers for offer_wait_ms, take none */
    /* Keys of RFC 3118, the caller's memory; empty: no authentication. With keys (also with none of
     * DHCPv4 among them) every answer that is not authentic is passed over, BOOTP's and proxyDHCP's
     * too. dhcp_keys.h has their form. */
    struct lb_bytes keys;
    struct lb_dhcp_seen *seen; /* needed with keys; the caller's, and outlives the client */
    uint64_t replay; /* our own messages count from here: a time, which is later after a restart */
};

enum lb_dhcp4_state {
    LB_DHCP4_INIT,
    LB_DHCP4_SELECTING,
    LB_DHCP4_REQUESTING,
    LB_DHCP4_REBOOTING, /* the link came back: the lease is confirmed, and in use meanwhile */
    LB_DHCP4_CHECKING,  /* the address is probed by ARP */
    LB_DHCP4_DECLINED,  /* waiting 10 s after a DECLINE, RFC 2131 3.1.5 */
    LB_DHCP4_BOUND,
    LB_DHCP4_RENEWING,
    LB_DHCP4_REBINDING,
    LB_DHCP4_STOPPED,
};
const char *lb_dhcp4_state_word(enum lb_dhcp4_state state); /* "SELECTING", ...; a constant */

enum lb_dhcp4_event {
    LB_DHCP4_WAIT,   /* nothing to do until until_us, or input */
    LB_DHCP4_SEND,   /* send `bytes`, then poll again */
    LB_DHCP4_PROBE,  /* ask by ARP whether anyone has `probe`; answer with lb_dhcp4_client_probed */
    LB_DHCP4_GOT,    /* a lease: new, renewed or changed; configure the interface */
    LB_DHCP4_LOST,   /* the address must not be used any more, from now */
    LB_DHCP4_OFFERS, /* offers_only: collected; see offers[] */
    LB_DHCP4_FAILED, /* given up; see error */
};

struct lb_dhcp4_action {
    enum lb_dhcp4_event event;
    uint64_t until_us;
    struct lb_bytes bytes;       /* UDP payload, valid until the next call of this machine */
    struct lb_endpoint from, to; /* broadcast `to` before there is an address: link-layer send */
    struct lb_addr probe;
};

#define LB_DHCP4_OFFERS_MAX 8 /* servers compared; more on one segment is a misconfiguration */

struct lb_dhcp4_client {
    struct lb_dhcp4_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_dhcp4_state state;
    struct lb_dhcp4_lease lease;                       /* valid in BOUND, RENEWING, REBINDING */
    struct lb_dhcp4_lease offers[LB_DHCP4_OFFERS_MAX]; /* SELECTING, offers_only */
    size_t offer_count;
    size_t chosen;
    struct lb_dhcp4_lease proxy; /* what proxyDHCP servers added */
    bool has_proxy;
    bool has_other_offers; /* another server than the one that was taken made an offer, too */
    struct lb_error error;
    uint64_t ignored;        /* datagrams that were not for us or malformed */
    const char *ignored_why; /* the last one; a constant */
    uint64_t unusable;       /* of them: answers to us, since the search for an address began */
    const char *unusable_why;
    struct lb_addr unusable_from;
    char nak_words[80];   /* ": " and what a server said with its last NAK, fit to be shown */
    uint64_t unauthentic; /* answers to us without a valid proof, since init */
    const char *unauthentic_why; /* the last one; a constant */
    /* The rest is the machine's own; see dhcp4_client.c. */
    uint32_t xid, offers_xid; /* of this exchange; and of the last DISCOVER */
    uint16_t secs;
    unsigned tries, naks, declines;
    struct lb_addr broke_word; /* the server that did not give what it had offered last */
    unsigned due;              /* what poll has to give out: enum due in dhcp4_client.h */
    bool has_lease, saw_offer, had_lease;
    uint64_t replay; /* of our last message with option 90 */
    uint64_t began_us, sent_us;
    uint64_t deadline_us, offers_until_us, give_up_us, t1_us, t2_us, expiry_us;
    uint8_t packet[LB_DHCP4_PACKET_MAX];
};

/* rand and trace stay the caller's and outlive the client; trace may be NULL. */
void lb_dhcp4_client_init(struct lb_dhcp4_client *client, uint64_t now_us,
                          const struct lb_dhcp4_config *config, struct lb_rand *rand,
                          struct lb_trace *trace);
/* Right after init: goes on with a lease that somebody got for this interface a moment ago, such as
 * PXE's firmware. It counts from now: GOT is next, without a word to the server. */
void lb_dhcp4_client_adopt(struct lb_dhcp4_client *client, uint64_t now_us,
                           const struct lb_dhcp4_lease *lease);
/* A UDP payload that came to port 68 from `from`. True when it was for us. */
bool lb_dhcp4_client_input(struct lb_dhcp4_client *client, uint64_t now_us, struct lb_endpoint from,
                           struct lb_bytes payload);
/* Whether a payload is an answer of a server to us, and what it says; nothing is changed. For a
 * caller that judges answers: it then calls lb_dhcp4_client_hear in place of _input. */
bool lb_dhcp4_client_reads(const struct lb_dhcp4_client *client, struct lb_endpoint from,
                           struct lb_bytes payload, struct lb_dhcp4_lease *lease);
/* As lb_dhcp4_client_input, with the caller's judgement. A bad offer is taken only if there is no
 * other (takes_bad); a bad ACK is ignored where the offer was good. */
bool lb_dhcp4_client_hear(struct lb_dhcp4_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes payload, enum lb_worth worth);
/* The ARP probe's answer: somebody has the address, or nobody answered. */
void lb_dhcp4_client_probed(struct lb_dhcp4_client *client, uint64_t now_us, bool conflict);
/* The link came back: confirm the lease at once. */
void lb_dhcp4_client_link_up(struct lb_dhcp4_client *client, uint64_t now_us);
/* Asks whether what the lease says still holds (RFC 2131 3.2: INIT-REBOOT): GOT with what is new,
 * or nothing when nobody answers. Without a lease, or with one of BOOTP, nothing is done. */
void lb_dhcp4_client_confirm(struct lb_dhcp4_client *client, uint64_t now_us);
/* Polling too early or too often is harmless. */
struct lb_dhcp4_action lb_dhcp4_client_poll(struct lb_dhcp4_client *client, uint64_t now_us);
/* Gives the lease back: one more SEND (RELEASE), then STOPPED. */
void lb_dhcp4_client_release(struct lb_dhcp4_client *client, uint64_t now_us);

/* "; 3 answers that cannot be used, the last from 192.0.2.1: ...", or nothing. */
void lb_dhcp4_client_add_unusable(const struct lb_dhcp4_client *client, struct lb_text *text);

/* How good an offer is for a boot; higher is better: an iSCSI disk, then a network without a flaw,
 * then SLP or iSNS options, then the rest; DHCP before BOOTP (RFC 1534 3). 0: LB_WORTH_BAD. */
unsigned lb_dhcp4_offer_rank(const struct lb_dhcp4_lease *offer);

/* ---- server ------------------------------------------------------------------------------------
 * A pure machine over the caller's tables, for the simulator and the boot server. */

struct lb_dhcp4_host {         /* one client's fixed answer, or a pool's common part */
    uint8_t mac[6];            /* zero: any client */
    struct lb_addr address;    /* whatever client identifier it sends; zero: from the pool */
    struct lb_bytes root_path; /* the caller's memory */
    const char *hostname, *initiator;
    uint32_t mac_head, mac_next, address_head, address_next; /* the server's own: its indexes */
};

/* What a host keeps of a binding over its own restarts. */
struct lb_dhcp4_kept {
    /* Option 61. Where there is none, and for the address of a host's entry: hardware type and
     * address. Empty: put aside. */
    struct lb_bytes client;
    struct lb_addr address;
    uint32_t
        valid_s; /* what is left by the host's clock; LB_DHCP4_INFINITE: for ever; 0: expired */
    bool leased, declined, bootp;
};

struct lb_dhcp4_server_config {
    struct lb_addr server; /* our address */
    struct lb_prefix network;
    struct lb_addr first, last; /* the pool */
    struct lb_addr router, dns;
    uint32_t lease_s;    /* 0: 3600 */
    uint32_t t1_s, t2_s; /* 0: not sent, the client's own defaults hold */
    uint16_t mtu;
    bool authoritative; /* refuses (NAK) addresses it knows nothing of; else it is silent */
    bool rapid_commit;
    bool bootp_only; /* answers as a server of before DHCP: no option 53, no times */
    bool proxy_only; /* gives no addresses, only the rest: proxyDHCP */
    bool overload;   /* keeps to 576-byte datagrams and puts what is too much into file and sname */
    struct lb_bytes root_path; /* for clients without a host entry */
    struct lb_bytes options;   /* more options for everyone, as on the wire: code, length, value */
    struct lb_dhcp4_host *hosts; /* the caller's; a hardware address once, at most one for any */
    size_t host_count;
    struct lb_hash_key hash_key; /* a secret of the host: peers choose what is hashed */
    /* RFC 3118: clients that ask for it get authenticated answers, by the key that they name in
     * REQUEST or by the first key without a realm. Empty: option 90 is not looked at. */
    struct lb_bytes keys;
    bool require_auth;         /* others are not answered at all */
    struct lb_dhcp_seen *seen; /* of clients; needed with keys; the caller's */
    uint64_t replay;           /* as in the client's configuration */
    /* A BOOTP client with an entry in `hosts` has its address for ever. Unknown clients: */
    uint32_t bootp_s;   /* for so long since they asked last; 0: a day; LB_DHCP4_INFINITE */
    uint32_t bootp_max; /* so many at once, at most LB_DHCP4_UNKNOWN_MAX; 0: half the bindings */
    struct lb_trace *trace; /* may be NULL */
};

#define LB_DHCP4_UNKNOWN_MAX 32 /* looked through by each BOOTP request of an unknown client */

struct lb_dhcp4_unknown {
    struct lb_addr address;
};

struct lb_dhcp4_server {
    struct lb_dhcp4_server_config config;
    struct lb_bindings table;
    uint32_t any_host; /* the entry for any machine, counted from 1; 0: none */
    struct lb_dhcp4_unknown unknown[LB_DHCP4_UNKNOWN_MAX];
    uint64_t replay; /* of our last authenticated message */
};

struct lb_dhcp4_reply {
    struct lb_endpoint to; /* 255.255.255.255:68, the client's address, or the relay's port 67 */
    uint8_t to_mac[6];     /* link-layer destination where `to` cannot be asked for by ARP */
    struct lb_bytes bytes; /* empty: no answer */
    const char *why;       /* there is no answer; a constant */
    bool is_full;          /* ... because no address is free */
    /* A lease began, was renewed, released or put aside: a host that is to know it after a restart
     * keeps it (lb_binding_valid_s), before the answer goes out. Valid until the next call. */
    const struct lb_binding *changed; /* NULL: nothing to keep */
};

/* bindings stay the caller's, are the server's alone, and outlive it: a client each. */
void lb_dhcp4_server_init(struct lb_dhcp4_server *server,
                          const struct lb_dhcp4_server_config *config, struct lb_binding *bindings,
                          size_t binding_cap);
/* Right after init: what was kept. Of two that speak of one client or one address the one that
 * lasts longer stays. False: it does not. */
bool lb_dhcp4_server_restore(struct lb_dhcp4_server *server, uint64_t now_us,
                             const struct lb_dhcp4_kept *kept);
/* Somebody uses an address, as its host sees by other means than DHCP: a system that boots by
 * another client identifier than its firmware never renews the firmware's lease. Nobody else gets
 * it for the time of a lease. What the host is to keep; NULL: nothing. Valid until the next
 * call. */
const struct lb_binding *lb_dhcp4_server_seen(struct lb_dhcp4_server *server, uint64_t now_us,
                                              struct lb_addr address);
/* A payload that came to port 67; the answer is written into `room`. */
struct lb_dhcp4_reply lb_dhcp4_server_input(struct lb_dhcp4_server *server, uint64_t now_us,
                                            struct lb_endpoint from, struct lb_bytes payload,
                                            struct lb_span room);
/* The same of a payload that came to port 4011, where PXE asks what is booted once it has an
 * address (PXE 2.1 2.2.3). The answer goes to its sender, by `options` and Root Path alone; no
 * binding changes. */
struct lb_dhcp4_reply lb_dhcp4_server_input_boot(struct lb_dhcp4_server *server, uint64_t now_us,
                                                 struct lb_endpoint from, struct lb_bytes payload,
                                                 struct lb_span room);

#endif
