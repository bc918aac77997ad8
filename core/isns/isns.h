/* iSNS, the Internet Storage Name Service, as far as a boot needs it. Start here.
 *
 * RFC 4171 (the protocol), 4174 (DHCP option 83), 4173 section 6 (what a boot asks). A client is
 * one question to one server: where is this target, or, without a target, what am I to boot?
 *
 *   host                                  client
 *   lb_isns_client_init
 *   loop: lb_isns_client_poll        -->  CONNECT to | CLOSE | WAIT        (TCP)
 *         lb_isns_client_connected, _lost <--
 *         lb_isns_client_where, _got <--  received bytes
 *         lb_isns_client_gather, _sent--> bytes to send; gather after every WAIT
 *                                    -->  SEND bytes, to | WAIT            (UDP)
 *         lb_isns_client_input       <--  a datagram
 *                                    -->  FOUND (again and again), then DONE; or FAILED
 *
 * By name, the question is one DevAttrQry (RFC 4171 5.6.5.2) for the portals of that target.
 * Without a name it is: which Discovery Domains am I in; which of them have the boot list enabled
 * (RFC 4171 6.11.2.9); who is in those; where are they. What other domains hold is never asked for,
 * so its amount costs nothing. Requests that do not depend on one another are in flight together.
 *
 * Memory is the struct: an answer is taken apart as it comes, however long it is. What there is no
 * room for is counted in `dropped`. */
#ifndef LB_ISNS_H
#define LB_ISNS_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/crypto/crypto.h"

#define LB_ISNS_PORT      3205 /* TCP and UDP: RFC 4171 2.9 */
#define LB_ISNS_ALIAS_MAX 255  /* RFC 4171 6.4.3: 256 with its NUL */
#define LB_ISNS_TARGETS_MAX                                                                        \
    64                         /* targets found, after which no more are asked for: one is booted  \
                                */
#define LB_ISNS_DOMAINS_MAX 64 /* of our Discovery Domains; a machine is in one or two */
#define LB_ISNS_WINDOW      8  /* requests in flight: a boot list of that length costs one trip */

/* ---- configuration: zero is the default everywhere ------------------------------------------- */

enum lb_isns_register {
    LB_ISNS_REGISTER_AUTO, /* where the server does not answer unknown nodes (status 6, 7), or shows
                                it nothing; and taken back where that does not help */
    LB_ISNS_REGISTER_NEVER,  /* that is then the failure */
    LB_ISNS_REGISTER_ALWAYS, /* before the first question */
};

struct lb_isns_config {
    struct lb_endpoint server;       /* port 0: LB_ISNS_PORT */
    char initiator[LB_NAME_MAX + 1]; /* ours, normalised; the source of every request */
    char target[LB_NAME_MAX + 1];    /* normalised; empty: the boot list */
    struct lb_addr own_address; /* registered as our portal, unless it is another's there; none:
                                   no portal is registered */
    bool udp;
    bool all_domains; /* boot list: give also what is in our domains without being in a boot list,
                         as in_boot_list false. For a person who looks, not for a boot: it is as
                         long as our domains are */
    enum lb_isns_register registration;
    uint32_t connect_ms; /* 0: 5000 */
    uint32_t answer_ms;  /* silence after a request: TCP gives up, UDP asks again first, the wait
                            doubling from an eighth of it; 0: 8000 */
    uint32_t give_up_ms; /* for the whole question, with the pauses that a busy server asks for;
                            0: 30000 */
};

/* ---- what was found -------------------------------------------------------------------------- */

/* A portal of a target. Addresses are as the server said: it is the caller who decides whether they
 * may be used. A portal that must not be used for this target (NULL portal group tag, RFC 4171
 * 6.5.4), and one that is UDP, is not given, but counted. */
struct lb_isns_found {
    char target[LB_NAME_MAX + 1];      /* normalised */
    char alias[LB_ISNS_ALIAS_MAX + 1]; /* made fit for a terminal; empty: none */
    struct lb_endpoint portal;
    uint16_t portal_group; /* its tag; 0 is one like others */
    bool in_boot_list;     /* named by a domain whose boot list is enabled */
    bool has_security;     /* the next is valid: RFC 4171 6.3.9 */
    uint32_t security;     /* LB_ISNS_SECURITY_... */
};

enum lb_isns_security { /* bits of the portal's security bitmap */
                        LB_ISNS_SECURITY_VALID = 0x01,
                        LB_ISNS_SECURITY_IPSEC = 0x02,
                        LB_ISNS_SECURITY_MAIN_MODE = 0x04,
                        LB_ISNS_SECURITY_AGGRESSIVE_MODE = 0x08,
                        LB_ISNS_SECURITY_PFS = 0x10,
                        LB_ISNS_SECURITY_TRANSPORT_MODE = 0x20,
                        LB_ISNS_SECURITY_TUNNEL_MODE = 0x40,
};

/* What the answers came to, for explaining an empty list. */
struct lb_isns_counts {
    unsigned domains;      /* Discovery Domains that we are in */
    unsigned boot_domains; /* of these, with the boot list enabled */
    unsigned members;      /* others in the domains that were looked into */
    unsigned unregistered; /* targets that the server does not know or does not show us */
    unsigned not_targets;  /* names of nodes that are no targets */
    unsigned unusable;     /* portals with a NULL portal group tag, or of UDP */
    unsigned found;
    uint64_t dropped; /* domains, members and portals for which there was no room */
    uint64_t answer_bytes;
    unsigned requests;
};

/* ---- the client ------------------------------------------------------------------------------ */

enum lb_isns_event {
    LB_ISNS_WAIT,    /* TCP: send what lb_isns_client_gather has; then nothing until until_us, or
                        input */
    LB_ISNS_CONNECT, /* open TCP to `to`; answer with connected or lost */
    LB_ISNS_CLOSE,   /* close the connection (or the attempt), without an answer; poll again */
    LB_ISNS_SEND,    /* UDP: send `bytes` to `to`; poll again */
    LB_ISNS_FOUND,   /* *found, valid until the next call; poll again */
    LB_ISNS_DONE,    /* once: there is no more, also when there was nothing; see counts */
    LB_ISNS_FAILED,  /* once: see error. What was FOUND before remains true. From now on WAIT until
                        LB_NEVER, as after DONE */
};

struct lb_isns_action {
    enum lb_isns_event event;
    uint64_t until_us;
    struct lb_endpoint to;
    struct lb_bytes bytes; /* valid until the next call */
    const struct lb_isns_found *found;
};

struct lb_isns_client; /* isns_client.h has its fields; a caller needs its size (about 32 KiB) and
                          `error`, `counts` through the calls below */

/* rand (transaction numbers) and trace stay the caller's and outlive the client; trace may be NULL.
 * config is copied. */
void lb_isns_client_init(struct lb_isns_client *client, uint64_t now_us,
                         const struct lb_isns_config *config, struct lb_rand *rand,
                         struct lb_trace *trace);
/* What the host is to do next, or one thing that was found. Poll again until it says WAIT. */
struct lb_isns_action lb_isns_client_poll(struct lb_isns_client *client, uint64_t now_us);

/* TCP. `why` is a few words for a person ("refused"), a constant, or NULL: closed by the server. */
void lb_isns_client_connected(struct lb_isns_client *client, uint64_t now_us);
/* The connection could not be made, or has ended; why is the system's word, a constant, or NULL. */
void lb_isns_client_lost(struct lb_isns_client *client, uint64_t now_us, const char *why);
/* Where the next received bytes belong; an empty span: do not read now. Then how many came. */
struct lb_span lb_isns_client_where(struct lb_isns_client *client);
/* len bytes came, and were written to where lb_isns_client_where said. */
void lb_isns_client_got(struct lb_isns_client *client, uint64_t now_us, size_t len);
/* What to send, empty: nothing; valid until the next call. Then how much was taken. */
struct lb_bytes lb_isns_client_gather(const struct lb_isns_client *client);
/* The first len bytes of lb_isns_client_gather were sent. */
void lb_isns_client_sent(struct lb_isns_client *client, uint64_t now_us, size_t len);
/* UDP: a datagram. False: not from the server, or malformed; counted and ignored. One datagram at a
 * time: poll until WAIT before the next. */
bool lb_isns_client_input(struct lb_isns_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes datagram);

/* After DONE or FAILED. Whether we left a registration behind: a boot that goes on keeps it, for
 * the operating system renews it under the same name. */
bool lb_isns_client_is_registered(const struct lb_isns_client *client);
/* Takes the registration back (DevDereg): CONNECT or SEND follow, and DONE or FAILED once more. */
void lb_isns_client_withdraw(struct lb_isns_client *client, uint64_t now_us);

/* Why it ended without an answer; LB_OK: it did not. */
const struct lb_error *lb_isns_client_error(const struct lb_isns_client *client);
/* What was found and left out so far, for the report. */
const struct lb_isns_counts *lb_isns_client_counts(const struct lb_isns_client *client);
/* What was asked and what came of it, in words, such as "in 2 Discovery Domains, none of them with
 * the boot list enabled". */
void lb_isns_client_explain(const struct lb_isns_client *client, struct lb_text *text);

/* ---- heartbeat -------------------------------------------------------------------------------
 * RFC 4171 5.6.5.14: the server announces itself by multicast where option 83 says so (heartbeat
 * bit), to the group that option 83 gives. Two servers that both think they are active are told
 * apart by the caller. */

#define LB_ISNS_BACKUPS_MAX 4 /* backup servers kept from a heartbeat */

struct lb_isns_heartbeat {
    struct lb_endpoint server; /* TCP; port 0: it does not speak TCP */
    uint16_t udp_port;         /* 0: none */
    uint32_t interval_s, counter;
    struct lb_endpoint backups[LB_ISNS_BACKUPS_MAX]; /* TCP */
    size_t backup_count;
    bool is_signed; /* an authentication block follows. It is not verified here: who demands
                       authentic heartbeats must not use this one */
};

/* False for what is no heartbeat or is malformed; leaves *heartbeat. */
bool lb_isns_heartbeat_decode(struct lb_bytes datagram, struct lb_isns_heartbeat *heartbeat);

#endif
