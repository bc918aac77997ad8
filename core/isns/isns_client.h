/* The fields of the iSNS client, and what its parts share: isns_client.c (the life of a question),
 * isns_ask.c (what is asked next, and the requests), isns_answer.c (what the answers say). A caller
 * includes this for the size of the struct, and leaves the fields alone. */
#ifndef LB_ISNS_CLIENT_H
#define LB_ISNS_CLIENT_H

#include "core/isns/isns_wire.h"

#define LB_ISNS_REQUEST_BYTES                                                                      \
    832 /* the longest request: DevAttrReg with two names and an entity                            \
         */
#define LB_ISNS_TX_BYTES    4096
#define LB_ISNS_RX_BYTES    4096
#define LB_ISNS_NAMES_BYTES 16384 /* members of our domains at a time, packed: about 350 */
#define LB_ISNS_MEMBERS_MAX 512

enum lb_isns_state {
    LB_ISNS_CONNECTING,
    LB_ISNS_ASKING,
    LB_ISNS_PAUSING, /* the server is busy, or the connection was lost */
    LB_ISNS_ENDED,
};

enum lb_isns_ask {
    LB_ISNS_ASK_NOTHING,
    LB_ISNS_ASK_REGISTER,
    LB_ISNS_ASK_DOMAINS,  /* which domains are we in */
    LB_ISNS_ASK_WALK,     /* the next domain that we can see, where that brought none */
    LB_ISNS_ASK_FEATURES, /* of a domain */
    LB_ISNS_ASK_MEMBERS,  /* of a domain */
    LB_ISNS_ASK_PORTALS,  /* of a target */
    LB_ISNS_ASK_WITHDRAW,
};

enum lb_isns_progress { LB_ISNS_TO_ASK, LB_ISNS_ASKED, LB_ISNS_ANSWERED };

struct lb_isns_domain {
    uint32_t id;
    bool in_boot_list;
    enum lb_isns_progress features, members;
    unsigned member_count; /* as far as we know */
    unsigned taken;        /* of these, the first ones, are or were in `targets` */
    unsigned seen;         /* in the answer that comes */
};

struct lb_isns_target {
    uint16_t name_at; /* in names */
    bool in_boot_list;
    enum lb_isns_progress portals;
};

struct lb_isns_request {
    enum lb_isns_ask ask; /* NOTHING: free */
    size_t index;         /* of the domain or target */
    uint16_t xid;
    bool send_due; /* UDP */
};

struct lb_isns_portal {
    struct lb_endpoint at;
    uint16_t group;
    bool is_udp, is_barred; /* NULL portal group tag */
    bool has_security;
    uint32_t security;
};

/* What the answer under way has said so far. */
struct lb_isns_answer {
    size_t request; /* index; LB_ISNS_WINDOW: it is none of ours, and read over */
    bool is_notice; /* a request of the server's */
    bool past_key;  /* past the delimiter: what was asked for */
    bool is_other;  /* attributes of a node that was not asked for */
    bool has_node;
    uint32_t node_type;
    char alias[LB_ISNS_ALIAS_MAX + 1];
    struct lb_isns_portal portals[LB_PORTALS_MAX];
    size_t portal_count, portal; /* portal: that attributes now belong to; count: none */
    struct lb_addr group_addr;   /* the portal that a group object names */
};

struct lb_isns_client {
    struct lb_isns_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_isns_state state;
    struct lb_error error;
    struct lb_isns_counts counts;

    uint64_t deadline_us; /* of the state */
    uint64_t give_up_us, resend_us;
    unsigned resends, pauses, reconnects;
    bool has_socket;       /* the host has one for us, connected or connecting */
    bool is_open, is_lost; /* the connection; it was lost, and what it brought is still read */
    const char *lost_why;
    bool connect_due, close_due, end_due, was_busy;

    bool needs_registration, is_registered, withdraws;
    bool tries_registration; /* nobody demanded it */
    enum lb_isns_progress registering, domains_asked, walking, withdrawing;
    char entity[LB_ISNS_VALUE_MAX]; /* that the server assigned */

    struct lb_isns_domain domains[LB_ISNS_DOMAINS_MAX];
    size_t domain_count;
    struct lb_isns_target targets[LB_ISNS_MEMBERS_MAX];
    size_t target_count, names_len;
    unsigned targets_found;

    struct lb_isns_request requests[LB_ISNS_WINDOW];
    struct lb_isns_answer answer;
    bool gives; /* what was found in `answer` is given out before more is read */
    size_t given;
    struct lb_isns_found found;

    struct lb_isns_reader reader;
    struct lb_isns_writer notice; /* our answer to a request of the server's */
    uint64_t ignored;
    size_t rx_start, rx_len, tx_start, tx_len;
    char names[LB_ISNS_NAMES_BYTES];
    uint8_t rx[LB_ISNS_RX_BYTES];
    uint8_t tx[LB_ISNS_TX_BYTES];
    uint8_t notice_room[LB_ISNS_REQUEST_BYTES];
};

/* ---- isns_client.c ---- */

/* The first failure is kept; the question ends. */
void lb_isns_enter_failed(struct lb_isns_client *client, uint64_t now_us);
/* The server is busy: what is unanswered is asked again later. */
void lb_isns_pause(struct lb_isns_client *client, uint64_t now_us);

/* ---- isns_ask.c ---- */

/* Asks as much as the window takes. */
void lb_isns_ask(struct lb_isns_client *client, uint64_t now_us);
/* No request is in flight, and there is nothing to ask. */
bool lb_isns_is_answered(const struct lb_isns_client *client);
/* The question from its beginning. */
void lb_isns_start_over(struct lb_isns_client *client);
/* Members that there was no room for are to be asked for next; false: there are none. */
bool lb_isns_ask_more(struct lb_isns_client *client);
/* Writes the request into room. */
struct lb_bytes lb_isns_request_write(const struct lb_isns_client *client,
                                      const struct lb_isns_request *request, struct lb_span room);
/* The iSNSP function (RFC 4171 6.1) by which this question is asked. */
enum lb_isns_function lb_isns_ask_function(enum lb_isns_ask ask);
/* What became of this question. */
enum lb_isns_progress *lb_isns_progress(struct lb_isns_client *client,
                                        const struct lb_isns_request *request);
/* The request is to be asked again. */
void lb_isns_put_back(struct lb_isns_client *client, struct lb_isns_request *request);
/* The iSCSI name of the target with this index, which must be below target_count. */
const char *lb_isns_target_name(const struct lb_isns_client *client, size_t index);

/* ---- isns_answer.c ---- */

/* Members and the target asked for by name. False: there is no room. */
bool lb_isns_add_target(struct lb_isns_client *client, const char *name, bool in_boot_list);
/* Reads on in *input until it is used up, or something is found, or the question ended. */
void lb_isns_read_answers(struct lb_isns_client *client, uint64_t now_us, struct lb_bytes *input);
/* The next portal of the answer in client->found; false: there are no more. */
bool lb_isns_next_found(struct lb_isns_client *client);

#endif
