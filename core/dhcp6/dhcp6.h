/* DHCPv6. Start here.
 *
 * RFC 8415, 3315 (21.4), 3646, 5970, 6355. Client and server are pure machines: bytes and time in,
 * bytes and a deadline out.
 *
 *   host                             client
 *   lb_dhcp6_client_init
 *   loop: lb_dhcp6_client_poll  -->  SEND (UDP payload) | PROBE (duplicate address detection) |
 * WAIT lb_dhcp6_client_input <--  each UDP payload that came to port 546 lb_dhcp6_client_probed <--
 * the answer for each address that was probed GOT (each time there is a new, renewed or changed
 * lease), LOST, FAILED
 *
 * Everything is sent from the interface's link-local address, which the host has made sure of (RFC
 * 4862), to [ff02::1:2]:547. The client's peer on the wire may be a relay: an answer is known by
 * its transaction and its identifiers, never by where it came from. */
#ifndef LB_DHCP6_H
#define LB_DHCP6_H

#include "core/base/addr.h"
#include "core/base/bindings.h"
#include "core/base/dhcp_keys.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/base/worth.h"
#include "core/crypto/crypto.h"

#define LB_DHCP6_CLIENT_PORT 546
#define LB_DHCP6_SERVER_PORT 547
#define LB_DHCP6_PACKET_MAX  1500       /* what we send; what comes may be longer */
#define LB_DHCP6_INFINITE    UINT32_MAX /* a lifetime without an end: RFC 8415 7.7 */
#define LB_DHCP6_ADDRS_MAX   4          /* addresses kept of one answer; a server gives one */
#define LB_DHCP6_BLOB_MAX    512        /* boot parameters, vendor options */
#define LB_DHCP6_KEY_BYTES   16         /* RKAP and HMAC-MD5 */
#define LB_DUID_MAX          130        /* a type and 1 to 128 bytes: RFC 8415 11.1 */

/* ---- who we are ---- */

/* A DHCP unique identifier with its type: RFC 8415 11. */
struct lb_duid {
    uint8_t bytes[LB_DUID_MAX];
    size_t len; /* 0: none */
};

/* RFC 8415 11.2: needs storage to be the same next time. seconds: since 2000-01-01 UTC. */
struct lb_duid lb_duid_llt(const uint8_t mac[6], uint32_t seconds);
/* RFC 8415 11.4: for a network card that stays where it is. */
struct lb_duid lb_duid_ll(const uint8_t mac[6]);
/* RFC 6355: the machine's UUID in the byte order of its text, the same in every stage of a boot. */
struct lb_duid lb_duid_uuid(const uint8_t uuid[16]);
/* Same length and same bytes. */
bool lb_duid_equal(const struct lb_duid *a, const struct lb_duid *b);
/* The interface's number in IA_NA (RFC 8415 12): the last four bytes of its MAC address. */
uint32_t lb_dhcp6_iaid(const uint8_t mac[6]);

/* ---- client ---- */

struct lb_dhcp6_addr {
    struct lb_addr addr;           /* a /128: the answer says nothing about what is on the link */
    uint32_t preferred_s, valid_s; /* from the lease's start_us; LB_DHCP6_INFINITE */
};

/* What a server said. Fields that were absent are zero. */
struct lb_dhcp6_lease {
    bool stateless; /* the answer to an Information-request: no addresses, no times but refresh_s */
    bool rapid_commit;
    bool authentic; /* proved by a key of ours, which has this realm and id */
    uint32_t key_id;
    char realm[LB_DHCP_REALM_MAX + 1];
    enum lb_worth worth; /* as the caller judged it */
    struct lb_dhcp6_addr addrs[LB_DHCP6_ADDRS_MAX];
    size_t addr_count;
    uint32_t t1_s, t2_s; /* seconds; as the server said, or as the client chose where it said 0 */
    uint32_t refresh_s; /* stateless: when to ask again (32), with RFC 8415's default and minimum */
    uint64_t start_us;  /* when the answer came: lifetimes count from here */
    struct lb_duid server_id;
    struct lb_addr server; /* where the answer came from: the server's link-local address, or a
                              relay's */
    uint8_t preference;    /* 7; of an Advertise */
    struct lb_addr dns[LB_DNS_MAX]; /* 23 */
    size_t dns_count;
    /* 24, space separated; only names made of letters, digits, `-` and `_` are kept. */
    char search[LB_SEARCH_MAX + 1];
    uint8_t root_path[LB_ROOTPATH_MAX]; /* 59 as received, trailing NULs removed: a Root Path only
                                           if it begins with `iscsi:`, else somebody else's URL */
    size_t root_path_len;
    uint8_t boot_params[LB_DHCP6_BLOB_MAX]; /* 60 as received: a 16-bit length and text, repeated */
    size_t boot_params_len;
    uint8_t vendor_options[LB_DHCP6_BLOB_MAX]; /* 17 as received: enterprise number, then options */
    size_t vendor_options_len;
    /* Where an `iscsi:` string stands though it is looked for in option 59 alone; NULL: nowhere. */
    const char *elsewhere;
    char elsewhere_text[160]; /* the string, fit for a terminal, perhaps cut */
};

/* Zero is the default everywhere. */
struct lb_dhcp6_config {
    struct lb_duid duid;    /* must be set */
    uint32_t iaid;          /* see lb_dhcp6_iaid */
    bool stateless;         /* ask for information alone: Information-request */
    bool no_rapid_commit;   /* do not let the server answer a Solicit at once */
    bool no_probe;          /* addresses are used without duplicate address detection */
    bool takes_bad;         /* after bad_wait_ms the first bad answer is taken; else FAILED */
    bool offers_only;       /* a dry run: collect answers for offer_wait_ms, take none */
    bool take_reconfigure;  /* let the server make us renew: option 20, and RKAP's key (20.4) */
    const char *user_class; /* sent as option 15, one class; NULL: not sent */
    bool has_arch;          /* options 61 and 62 are sent (RFC 5970 3.3, 3.4) */
    uint16_t arch;          /* client architecture: 7 x86-64 UEFI, 11 arm64 UEFI */
    uint32_t offer_wait_ms; /* after the first answer without an iSCSI Root Path; 0: 800 */
    uint32_t bad_wait_ms;   /* after the first answer, while all are LB_WORTH_BAD; 0: 4000 */
    uint32_t give_up_ms;    /* FAILED after so long without a lease; 0: never */
    uint32_t retry_ms;      /* until the first repetition of what is sent, then doubled; 0: 1000 */
    /* Keys of RFC 3315 21.4, the caller's memory; empty: no authentication. With keys (also with
     * none of DHCPv6 among them) every answer that is not authentic is passed over. */
    struct lb_bytes keys;
    struct lb_dhcp_seen *seen; /* needed with keys; the caller's, and outlives the client */
    uint64_t replay; /* our own messages count from here: a time, which is later after a restart */
};

enum lb_dhcp6_state {
    LB_DHCP6_INIT,       /* a pause before the next Solicit or Information-request */
    LB_DHCP6_SOLICITING, /* and collecting Advertises */
    LB_DHCP6_REQUESTING,
    LB_DHCP6_CHECKING, /* the addresses are probed */
    LB_DHCP6_DECLINING,
    LB_DHCP6_BOUND,
    LB_DHCP6_CONFIRMING, /* the link came back; the lease is in use meanwhile */
    LB_DHCP6_RENEWING,
    LB_DHCP6_REBINDING,
    LB_DHCP6_INFORMING, /* stateless: asking */
    LB_DHCP6_INFORMED,  /* stateless: answered */
    LB_DHCP6_STOPPED,
};
const char *lb_dhcp6_state_word(enum lb_dhcp6_state state); /* "SOLICITING", ...; a constant */

enum lb_dhcp6_event {
    LB_DHCP6_WAIT,   /* nothing to do until until_us, or input */
    LB_DHCP6_SEND,   /* send `bytes`, then poll again */
    LB_DHCP6_PROBE,  /* duplicate address detection of `probe`; poll again, there may be more of
                        them; each is answered with lb_dhcp6_client_probed */
    LB_DHCP6_GOT,    /* `lease`: new, renewed or changed; configure the interface as it says */
    LB_DHCP6_LOST,   /* no address of the lease may be used any more, from now */
    LB_DHCP6_OFFERS, /* offers_only: collected; see offers[] */
    LB_DHCP6_FAILED, /* given up; see error */
};

struct lb_dhcp6_action {
    enum lb_dhcp6_event event;
    uint64_t until_us;
    struct lb_bytes bytes;       /* UDP payload, valid until the next call of this machine */
    struct lb_endpoint from, to; /* from: port 546 of the link-local address, which is not named */
    struct lb_addr probe;
};

/* What a server needs to make us renew: RFC 8415 20.4. */
struct lb_dhcp6_key {
    uint8_t bytes[LB_DHCP6_KEY_BYTES];
    struct lb_duid server;
    uint64_t replay; /* of the last message that was taken */
    bool is_set;
};

#define LB_DHCP6_OFFERS_MAX 8 /* servers compared; more on one link is a misconfiguration */

struct lb_dhcp6_client {
    struct lb_dhcp6_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_dhcp6_state state;
    struct lb_dhcp6_lease lease; /* valid while has_lease */
    bool has_lease;
    struct lb_dhcp6_lease offers[LB_DHCP6_OFFERS_MAX]; /* SOLICITING, INFORMING, offers_only */
    size_t offer_count;
    struct lb_error error;
    uint64_t ignored;        /* datagrams that were not for us or malformed */
    const char *ignored_why; /* the last one; a constant */
    uint64_t unusable;       /* of them: answers to us, since the search for a lease began */
    const char *unusable_why;
    struct lb_addr unusable_from;
    uint64_t unauthentic;        /* answers to us without a valid proof, since init */
    const char *unauthentic_why; /* the last one; a constant */
    /* The rest is the machine's own; see dhcp6_client.c. */
    struct lb_dhcp6_lease next;         /* what a Request, the probes, or a Decline are about */
    uint8_t probes[LB_DHCP6_ADDRS_MAX]; /* of next's addresses: enum probe in dhcp6_client.h */
    uint32_t xid;
    unsigned tries, refusals, declines;
    struct lb_duid broke_word; /* of the server that did not give what it had offered last */
    unsigned due;              /* what poll has to give out: enum due in dhcp6_client.h */
    bool had_lease, saw_offer;
    bool is_early;           /* RENEWING or INFORMING before its time: nothing depends on it */
    bool is_told;            /* INFORMING, RENEWING, REBINDING because of a Reconfigure */
    uint16_t refused_status; /* the last refusal's status, and its text */
    char refused_text[64];
    uint32_t sol_max_rt_s, inf_max_rt_s; /* RFC 8415 21.24, 21.25; 0: its defaults */
    uint64_t began_us;                   /* of the exchange */
    uint64_t looking_us;                 /* when looking for a lease began */
    uint64_t retry_us;                   /* the last wait for an answer: RT of RFC 8415 15 */
    uint64_t deadline_us, until_us, offers_until_us, give_up_us;
    uint64_t t1_us, t2_us, expiry_us;
    struct lb_dhcp6_key key; /* RKAP */
    uint64_t replay;         /* of our last message with delayed authentication */
    uint8_t packet[LB_DHCP6_PACKET_MAX];
};

/* rand and trace stay the caller's and outlive the client; trace may be NULL. The first message is
 * due at once: RFC 8415's delay of up to a second is for a thousand machines that get power
 * together, and a boot's time is counted; the repetitions are spread by chance. */
void lb_dhcp6_client_init(struct lb_dhcp6_client *client, uint64_t now_us,
                          const struct lb_dhcp6_config *config, struct lb_rand *rand,
                          struct lb_trace *trace);
/* A UDP payload that came to port 546 from `from`. True when it was for us. */
bool lb_dhcp6_client_input(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_endpoint from,
                           struct lb_bytes payload);
/* Whether a payload is an answer to us, and what it says; nothing is changed. For a caller that
 * judges answers: it then calls lb_dhcp6_client_hear in place of _input. */
bool lb_dhcp6_client_reads(const struct lb_dhcp6_client *client, struct lb_endpoint from,
                           struct lb_bytes payload, struct lb_dhcp6_lease *lease);
/* As lb_dhcp6_client_input, with the caller's judgement. A bad answer is taken only if there is no
 * other (takes_bad); a bad Reply to a Request is ignored where the Advertise was good. */
bool lb_dhcp6_client_hear(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes payload, enum lb_worth worth);
/* The answer of a PROBE: somebody has the address, or nobody. Also later, for an address that
 * another machine has after all: it is given up at once, and declined. */
void lb_dhcp6_client_probed(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_addr addr,
                            bool conflict);
/* The link came back: ask whether the addresses are still right here (Confirm), or for the
 * information again. */
void lb_dhcp6_client_link_up(struct lb_dhcp6_client *client, uint64_t now_us);
/* Asks for what the lease says now (a Renew before its time, or an Information-request): GOT with
 * what is new, or nothing when nobody answers. Without a lease nothing is done. */
void lb_dhcp6_client_confirm(struct lb_dhcp6_client *client, uint64_t now_us);
/* Polling too early or too often is harmless. */
struct lb_dhcp6_action lb_dhcp6_client_poll(struct lb_dhcp6_client *client, uint64_t now_us);
/* Gives the addresses back: one more SEND (Release), then STOPPED. */
void lb_dhcp6_client_release(struct lb_dhcp6_client *client, uint64_t now_us);

/* How good an answer is for a boot; higher is better: first whether it names an iSCSI disk, then
 * the server's preference (RFC 8415 18.2.9). 0: LB_WORTH_BAD. */
unsigned lb_dhcp6_offer_rank(const struct lb_dhcp6_lease *offer);
/* What is left of a lifetime of the lease, in seconds; LB_DHCP6_INFINITE stays what it is. */
uint32_t lb_dhcp6_left_s(const struct lb_dhcp6_lease *lease, uint64_t now_us, uint32_t lifetime_s);

/* ---- server ------------------------------------------------------------------------------------
 * A pure machine over the caller's tables, for the simulator and the boot server. */

struct lb_dhcp6_host {   /* one client's fixed answer */
    struct lb_duid duid; /* none: any client */
    /* The machine's, whatever DUID and IAID it sends; of several IA_NAs one has it. None, and where
     * the entry is for any client: from the pool. */
    struct lb_addr address;
    struct lb_bytes root_path;                                 /* the caller's memory */
    uint32_t duid_head, duid_next, address_head, address_next; /* the server's own: its indexes */
};

/* What a host keeps of a binding over its own restarts. */
struct lb_dhcp6_kept {
    /* As in lb_binding: the DUID and behind it the IAID; of an entry's address, the entry's DUID
     * and UINT32_MAX; empty: put aside. */
    struct lb_bytes client;
    struct lb_addr address;
    uint32_t
        valid_s; /* what is left by the host's clock; LB_DHCP6_INFINITE: for ever; 0: expired */
    bool leased, declined;
};

struct lb_dhcp6_server_config {
    struct lb_duid duid;        /* must be set */
    struct lb_prefix network;   /* of this link: other addresses are NotOnLink */
    struct lb_addr first, last; /* the pool; none: only hosts have addresses */
    struct lb_addr dns[LB_DNS_MAX];
    size_t dns_count;
    const char *search;            /* 24: names, space separated; NULL: not sent */
    uint32_t preferred_s, valid_s; /* 0: 3600 and 7200 */
    uint32_t t1_s, t2_s;           /* 0: the client's choice */
    uint32_t refresh_s;            /* 32; 0: not sent */
    uint32_t sol_max_rt_s;         /* 82; 0: not sent */
    uint8_t preference;            /* 7; 0: not sent */
    bool stateless;                /* answers Information-requests alone */
    bool rapid_commit;
    bool no_addresses;           /* answers Solicits with NoAddrsAvail */
    struct lb_bytes root_path;   /* 59, for clients without a host entry */
    struct lb_bytes boot_params; /* 60, as on the wire */
    struct lb_bytes options; /* more options for everyone, as on the wire: code, length, value */
    /* RFC 3315 21.4: clients that ask for it get authenticated answers, by the key that they name
     * or by the first one with a realm. Empty: option 11 is not looked at. */
    struct lb_bytes keys;
    bool require_auth;               /* others are not answered at all */
    struct lb_dhcp_seen *seen;       /* of clients; needed with keys; the caller's */
    uint64_t replay;                 /* as in the client's configuration */
    struct lb_bytes reconfigure_key; /* 16 bytes for RKAP, given to clients that take it; empty */
    struct lb_dhcp6_host *hosts;     /* the caller's; a DUID once, at most one for any client */
    size_t host_count;
    /* Whose answer the next request gets, of hosts, where the caller knows the client by something
     * else than its DUID; NULL: the DUID says it. May change between requests. */
    const struct lb_dhcp6_host *requester;
    /* The next request was sent to an address of ours, and not to a group (RFC 8415 16, 18.4); not
     * one that a relay brought. May change between requests. */
    bool was_unicast;
    struct lb_hash_key hash_key; /* a secret of the host: peers choose what is hashed */
    struct lb_trace *trace;      /* may be NULL */
};

#define LB_DHCP6_IAS_MAX 4 /* IA_NAs of one message; more are left without an answer */

struct lb_dhcp6_server {
    struct lb_dhcp6_server_config config;
    struct lb_bindings table;
    uint32_t any_host; /* the entry for any client, counted from 1; 0: none */
    uint64_t replay;   /* of authenticated messages, counted up */
};

struct lb_dhcp6_reply {
    struct lb_bytes bytes; /* to where the payload came from; empty: no answer */
    /* Leases that began, were renewed, released or put aside: a host that is to know them after a
     * restart keeps them (lb_binding_valid_s), before the answer goes out. Valid until the next
     * call. */
    const struct lb_binding *changed[LB_DHCP6_IAS_MAX];
    size_t changed_count;
};

/* bindings stay the caller's, are the server's alone, and outlive it: one for each IA_NA. */
void lb_dhcp6_server_init(struct lb_dhcp6_server *server,
                          const struct lb_dhcp6_server_config *config, struct lb_binding *bindings,
                          size_t binding_cap);
/* Right after init: what was kept. Of two that speak of one client or one address the one that
 * lasts longer stays. False: it does not. */
bool lb_dhcp6_server_restore(struct lb_dhcp6_server *server, uint64_t now_us,
                             const struct lb_dhcp6_kept *kept);
/* As lb_dhcp4_server_seen. */
const struct lb_binding *lb_dhcp6_server_seen(struct lb_dhcp6_server *server, uint64_t now_us,
                                              struct lb_addr address);
/* A payload that came to port 547; the answer is written into `room`. */
struct lb_dhcp6_reply lb_dhcp6_server_input(struct lb_dhcp6_server *server, uint64_t now_us,
                                            struct lb_endpoint from, struct lb_bytes payload,
                                            struct lb_span room);
/* A Reconfigure for a client that was given the key: message is 5 (Renew), 6 (Rebind) or 11
 * (Information-request). To be sent to port 546 of the client's address. */
struct lb_bytes lb_dhcp6_server_reconfigure(struct lb_dhcp6_server *server,
                                            const struct lb_duid *client, uint8_t message,
                                            struct lb_span room);

#endif
