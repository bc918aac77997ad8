/* SLPv2: who serves iSCSI disks on this network. Start here.
 *
 * RFC 2608, 2610, 3111, 4018. A pure machine: bytes and time in, bytes and a deadline out. One
 * client is one query in one family of addresses; several run side by side.
 *
 *   host                            client
 *   lb_slp_client_init
 *   loop: lb_slp_client_poll   -->  SEND (UDP) | CONNECT, CLOSE (TCP) | FOUND | WAIT
 *         lb_slp_client_input  <--  each UDP payload that came to the port that SEND goes from
 *         _connected, _lost, _where, _got, _gather, _sent: the TCP connection, when there is one
 *   DONE or FAILED: the end
 *
 * Who is asked: the directory agents that are configured. Without them, or when none of them has
 * answered by the first retransmission, also everybody by multicast: directory agents are looked
 * for, and service agents are asked directly, at once (RFC 2608 6.3, 8.1). A directory agent that
 * is found is asked, and the multicast rests. What did not fit into a datagram is fetched by TCP.
 *
 * Nothing here is proof of anything: SLP without IPsec is what anyone on the network says. Names
 * and hosts are checked for their form alone; whether a host may be spoken to is the caller's
 * policy. RFC 4018 6.1 forbids using auth-* and boot-list learned over open SLP: whether
 * lb_slp_query_is_policy queries are asked is the caller's policy, too. */
#ifndef LB_SLP_H
#define LB_SLP_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/crypto/crypto.h"
#include "core/names/rootpath.h"

#define LB_SLP_PORT           427
#define LB_SLP_ISNS_PORT      3205 /* where a service:iscsi:sms URL names none */
#define LB_SLP_MTU            1400 /* RFC 2608 6.1: a datagram without the headers of UDP and IP */
#define LB_SLP_AGENTS_MAX     8    /* directory agents asked; more on one network is a mistake */
#define LB_SLP_SCOPES_MAX     512  /* scope list as text */
#define LB_SLP_URL_MAX        1024 /* the longest URL taken: scheme, host, two names, escapes */
#define LB_SLP_DATAGRAM_MAX   1500 /* the longest datagram taken */
#define LB_SLP_QUEUE_MAX      8    /* replies that wait to be handed out: agents answer together */
#define LB_SLP_RX_BYTES       4096 /* of a TCP reply at a time: an entry with its authentication */
#define LB_SLP_PREDICATE_MAX  2048 /* the longest of RFC 4018's with names of 223 bytes, escaped */
#define LB_SLP_REQUEST_MAX    4096 /* a request by TCP: with the predicate and the scopes */
#define LB_SLP_SEEN_MAX       1024 /* answers remembered, not to be given out twice */
#define LB_SLP_SEEN_WAYS      8    /* those of one hash: thirty of a datagram never push one out */
#define LB_SLP_RESPONDERS_MAX 64   /* previous responders; 1400 bytes hold about eighty */
#define LB_SLP_ATTRS_MAX      8    /* questions for a portal group under way */

/* What is asked. The numbers are those of RFC 4018 5.2. */
enum lb_slp_query {
    LB_SLP_BY_TARGET = 1,    /* one target by its name: RFC 4173's query 1 */
    LB_SLP_BY_INITIATOR = 2, /* targets that may let this initiator in */
    LB_SLP_ANYBODYS = 3,     /* targets that let anyone in */
    LB_SLP_OURS = 4,         /* 2 or 3: RFC 4173's query 4 */
    LB_SLP_BY_CHAP_USER = 5,
    LB_SLP_BY_ALL = 6,    /* initiator, its address and its CHAP user, or any of each */
    LB_SLP_BOOT_LIST = 7, /* targets that this initiator may boot from */
    LB_SLP_EVERYTHING = 8,
    LB_SLP_ISNS = 9, /* iSNS servers: service:iscsi:sms with (protocols=isns) */
};
const char *lb_slp_query_word(enum lb_slp_query query); /* "by target", "boot list", ... */
/* Queries 2 to 7 use access lists, which RFC 4018 6.1 allows over IPsec alone. */
bool lb_slp_query_is_policy(enum lb_slp_query query);

/* Zero is the default everywhere but for family and query. Pointers stay the caller's and outlive
 * the client. */
struct lb_slp_config {
    enum lb_family family; /* LB_V4 or LB_V6 */
    enum lb_slp_query query;
    const char *initiator, *target;           /* names; what the query does not need may be NULL */
    const char *chap_user;                    /* NULL: query 6 asks for "any" alone */
    struct lb_addr address;                   /* of this machine, for query 6; none: "any" alone */
    struct lb_addr agents[LB_SLP_AGENTS_MAX]; /* directory agents; those of the other family are
                                                 passed over */
    size_t agent_count;
    bool agents_only;        /* nothing is asked by multicast (RFC 2610 3: mandatory) */
    const char *scopes;      /* comma separated; NULL: "DEFAULT"; "": whatever the agents have
                                (RFC 2608 11.2: user-selectable). See lb_slp_choose_scopes */
    const char *extra_scope; /* one more: open-isns registers under the literal words
                                "initiator-scope-list"; NULL: none */
    uint8_t group_scope; /* of the IPv6 groups: 2 is the link, 5 the site; 0: 5. May not be wider
                            than our address: RFC 3111 4 */
    uint16_t mtu;        /* longest datagram sent, without UDP's and IP's headers; 0: LB_SLP_MTU */
    uint32_t retry_ms;   /* until the first retransmission, doubled each time; 0: 2000 */
    uint32_t total_ms;   /* for one exchange with one agent, or by multicast; 0: 15000. The whole
                            ends within four times as long */
    uint32_t linger_ms;  /* after the first FOUND, how long others are still waited for (a TCP
                            reply under way is taken to its end); 0: as long as the RFC says */
    uint32_t start_wait_ms; /* a random time up to this before the first multicast, for a network on
                               which everything is switched on at once (RFC: 3000); 0: none */
    bool ask_portal_group;  /* ask for the attributes of what was found before FOUND */
};

/* Which scopes hold (RFC 2610 4): option 79 where it is mandatory, else what a person configured,
 * else option 79, else NULL for the default. NULL: not given. */
const char *lb_slp_choose_scopes(const char *configured, const char *option79, bool mandatory);

/* A URL entry that an agent gave. */
struct lb_slp_found {
    bool isns;              /* service:iscsi:sms; else service:iscsi:target */
    enum lb_host_kind host; /* LB_HOST_ADDR or LB_HOST_NAME */
    struct lb_addr addr;
    char name[LB_HOST_MAX + 1];
    uint16_t port;                  /* with the default where the URL has none */
    char target[LB_NAME_MAX + 1];   /* normalised; "" with isns */
    char identity[LB_NAME_MAX + 1]; /* the initiator that may use it; "": not said */
    int32_t portal_group;           /* -1: unknown */
    uint16_t lifetime_s;
    struct lb_addr agent; /* who said so */
};

/* Reads a URL of service:iscsi:target or service:iscsi:sms (RFC 4018 5.2): scheme in any case,
 * `\HH` decoded. Leaves lifetime_s and agent zero and portal_group -1. False leaves *found. */
bool lb_slp_url_parse(struct lb_bytes url, struct lb_slp_found *found);

enum lb_slp_event {
    LB_SLP_WAIT,    /* write what lb_slp_client_gather has, then nothing until until_us, or input */
    LB_SLP_SEND,    /* send the datagram `bytes` to `to`, always from the same port of our choice */
    LB_SLP_CONNECT, /* open TCP to `to`: lb_slp_client_connected or lb_slp_client_lost. One at a
                       time */
    LB_SLP_CLOSE,   /* close it; no answer */
    LB_SLP_FOUND,   /* one answer */
    LB_SLP_DONE,    /* the end: somebody answered, be it with nothing; given from now on */
    LB_SLP_FAILED,  /* the end, without any answer that could be used; see error; from now on */
};

struct lb_slp_action {
    enum lb_slp_event event;
    uint64_t until_us;
    struct lb_bytes bytes; /* valid until the next call of this machine */
    struct lb_endpoint to;
    const struct lb_slp_found *found; /* valid until the next call of this machine */
};

/* One request that is sent again and again, by multicast or to one agent. */
struct lb_slp_exchange {
    unsigned state;                 /* enum lb_slp_phase in slp_client.h */
    uint16_t xid;                   /* the same for every transmission */
    struct lb_addr agent;           /* directory agent; none: multicast */
    char scopes[LB_SLP_SCOPES_MAX]; /* of a directory agent, where they have to be learned */
    unsigned sends;
    uint64_t due_us, interval_us, end_us;
    unsigned answers;
    bool is_new; /* somebody new answered since the last transmission */
};

/* An answer that waits for its portal group. */
struct lb_slp_attr {
    bool is_busy, is_ready;
    uint16_t xid;
    unsigned sends;
    uint64_t due_us;
    struct lb_slp_found found;
    uint8_t url[LB_SLP_URL_MAX];
    size_t url_len;
};

/* Who answered, and to which of our multicasts. */
struct lb_slp_responder {
    struct lb_addr addr;
    unsigned heard; /* a bit for each multicast */
};

/* The TCP connection: a reply is taken apart as it comes. */
struct lb_slp_tcp {
    unsigned state; /* enum lb_slp_tcp_state in slp_client.h */
    struct lb_addr agent;
    uint16_t xid;
    uint64_t end_us;
    bool has_header;
    bool is_complete; /* the last reply came to its end */
    uint32_t left;    /* bytes of the message that were not used up */
    unsigned count;   /* entries that are still to come */
    size_t at, len;   /* bytes [at, len) of rx wait */
    uint8_t rx[LB_SLP_RX_BYTES];
    size_t sent, tx_len;
    uint8_t tx[LB_SLP_REQUEST_MAX];
};

/* A reply by UDP that is handed out, an entry a poll. */
struct lb_slp_datagram {
    struct lb_addr from;
    bool is_cut; /* OVERFLOW: its last entry may be cut off */
    unsigned count;
    size_t at, len;
    uint8_t bytes[LB_SLP_DATAGRAM_MAX];
};

struct lb_slp_client {
    struct lb_slp_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    struct lb_error error;
    /* For reports. */
    size_t found_count;      /* FOUND so far */
    size_t responder_count;  /* agents that gave a usable answer */
    uint64_t ignored;        /* datagrams and URL entries that were not for us, malformed, twice */
    const char *ignored_why; /* the last one; a constant */
    /* The rest is the machine's own; see slp_client.c. */
    bool is_over, agent_answered, casts_rest, casts_began;
    char target[LB_NAME_MAX + 1]; /* BY_TARGET: normalised */
    char predicate[LB_SLP_PREDICATE_MAX];
    struct lb_slp_exchange casts[3]; /* by multicast: enum lb_slp_cast */
    struct lb_slp_exchange agents[LB_SLP_AGENTS_MAX];
    size_t agent_count;
    struct lb_slp_responder responders[LB_SLP_RESPONDERS_MAX];
    size_t listed_count;
    char learned_scopes[LB_SLP_SCOPES_MAX];
    uint16_t refusal; /* error code of an agent */
    struct lb_addr refused_by;
    uint64_t limit_us, linger_us;
    struct lb_slp_found found;
    struct lb_slp_attr attrs[LB_SLP_ATTRS_MAX];
    struct lb_slp_datagram datagrams[LB_SLP_QUEUE_MAX]; /* from `first` on, in order of arrival */
    size_t datagram_first, datagram_count;
    struct lb_slp_tcp tcp;
    struct lb_addr overflowed[LB_SLP_AGENTS_MAX]; /* who waits for TCP */
    uint16_t overflowed_xid[LB_SLP_AGENTS_MAX];
    size_t overflow_count;
    uint8_t packet[LB_SLP_DATAGRAM_MAX]; /* what SEND points to */
    uint8_t seen_key[16];
    uint64_t seen[LB_SLP_SEEN_MAX];
};

/* rand and trace stay the caller's and outlive the client; trace may be NULL. */
void lb_slp_client_init(struct lb_slp_client *client, uint64_t now_us,
                        const struct lb_slp_config *config, struct lb_rand *rand,
                        struct lb_trace *trace);
/* Polling too early or too often is harmless. */
struct lb_slp_action lb_slp_client_poll(struct lb_slp_client *client, uint64_t now_us);
/* A UDP payload that came from `from`. True when it was for us. Poll until WAIT after a
 * few: of more than LB_SLP_QUEUE_MAX the rest is dropped, and asked for again. */
bool lb_slp_client_input(struct lb_slp_client *client, uint64_t now_us, struct lb_endpoint from,
                         struct lb_bytes payload);
/* The TCP connection. Lost: it could not be made, or it was closed. */
void lb_slp_client_connected(struct lb_slp_client *client, uint64_t now_us);
/* The TCP connection could not be made, or has ended. */
void lb_slp_client_lost(struct lb_slp_client *client, uint64_t now_us);
/* Where received bytes go; empty: nothing can be taken before the next poll. Got: how many came. */
struct lb_span lb_slp_client_where(struct lb_slp_client *client);
/* len bytes came, and were written to where lb_slp_client_where said. */
void lb_slp_client_got(struct lb_slp_client *client, uint64_t now_us, size_t len);
/* What is to be sent, maybe empty; sent: how many bytes of it were taken. */
struct lb_bytes lb_slp_client_gather(const struct lb_slp_client *client);
/* The first len bytes of lb_slp_client_gather were sent. */
void lb_slp_client_sent(struct lb_slp_client *client, size_t len);
/* What was asked of whom, in a line for a person. */
void lb_slp_client_asked(const struct lb_slp_client *client, struct lb_text *text);

#endif
