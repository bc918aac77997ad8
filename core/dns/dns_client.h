/* The fields of the DNS client, and what its parts share: dns_client.c (the life of a lookup),
 * dns_client_tcp.c (an answer too long for a datagram). A caller includes this for the size of the
 * struct, and leaves the fields alone. */
#ifndef LB_DNS_CLIENT_H
#define LB_DNS_CLIENT_H

#include "core/dns/dns.h"
#include "core/dns/dns_wire.h"

#define LB_DNS_RX_BYTES 16384 /* the longest answer by TCP: some 1000 addresses */

enum lb_dns_state {
    LB_DNS_ASKING,
    LB_DNS_ENDED,
};

enum lb_dns_question_state {
    LB_DNS_UNASKED,       /* not wanted, or not begun */
    LB_DNS_ASKED,         /* by UDP */
    LB_DNS_BY_TCP,        /* the answer was cut: it waits for the connection, or is asked on it */
    LB_DNS_ANSWERED,      /* with addresses */
    LB_DNS_DENIED,        /* there is no such name, or it has no address of this family */
    LB_DNS_FAILED_BY_ALL, /* every server failed */
};

/* One type of the name that is looked up now. */
struct lb_dns_question {
    enum lb_dns_type type;
    enum lb_dns_question_state state;
    uint16_t id;
    char name[LB_DNS_NAME_MAX + 1]; /* the name, or what it is an alias of */
    unsigned aliases;               /* followed by asking again */
    unsigned sends;
    size_t next;        /* server to be asked next */
    unsigned given_up;  /* bits of the servers that failed */
    bool is_doubted;    /* the other type was answered with: there is no such name */
    uint64_t resend_us; /* LB_DNS_ASKED */
    struct lb_addr addrs[LB_PORTALS_MAX]; /* also of an answer that was cut */
    size_t addr_count;
};

/* The connection for an answer that was cut. One question has it at a time. */
struct lb_dns_stream {
    bool has_socket; /* the host has one for us, connected or connecting */
    bool is_open;
    bool close_due;
    size_t question, server;
    uint64_t deadline_us;
    size_t tx_len, tx_sent, rx_len;
    uint8_t tx[2 + LB_DNS_QUERY_MAX];
    uint8_t rx[LB_DNS_RX_BYTES];
};

/* What came of a server, for a person. */
enum lb_dns_word { LB_DNS_SILENT, LB_DNS_SAID_FAILED, LB_DNS_SAID_NO, LB_DNS_NOT_ASKED };

enum { LB_DNS_Q6, LB_DNS_Q4, LB_DNS_QUESTIONS }; /* IPv6 first: the order of the result */

struct lb_dns_client {
    struct lb_dns_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_dns_state state;
    bool end_due; /* DONE or FAILED is to be told */

    char asked[LB_DNS_NAME_MAX + 2]; /* the name as it was given, with its dot at the end */
    unsigned candidate;              /* how many names of the search were tried */
    unsigned candidate_count;
    struct lb_dns_question questions[LB_DNS_QUESTIONS];
    struct lb_dns_stream stream;
    uint64_t give_up_us;
    uint64_t grace_us; /* LB_NEVER: no address yet */
    enum lb_dns_word words[LB_DNS_MAX];
    unsigned ignored;

    struct lb_addr addrs[LB_PORTALS_MAX];
    size_t addr_count;
    uint8_t query[LB_DNS_QUERY_MAX]; /* of the last SEND */
};

/* ---- dns_client.c ---- */

/* What a server said, by UDP or TCP. False: it answers nothing that was asked. */
bool lb_dns_take_message(struct lb_dns_client *client, uint64_t now_us, size_t server,
                         struct lb_bytes bytes);
/* The server is not asked this question again; another one is, or the question has failed. */
void lb_dns_server_failed(struct lb_dns_client *client, uint64_t now_us, size_t question,
                          size_t server);

/* ---- dns_client_tcp.c ---- */

/* The next action of the connection. False: there is none. */
bool lb_dns_stream_poll(struct lb_dns_client *client, uint64_t now_us,
                        struct lb_dns_action *action);
/* When the connection must be polled; LB_NEVER. */
uint64_t lb_dns_stream_until(const struct lb_dns_client *client);
/* Gives the connection back, if the question has it. */
void lb_dns_stream_end(struct lb_dns_client *client, size_t question);

#endif
