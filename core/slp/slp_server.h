/* The other end of SLP: a service agent or a directory agent over the caller's table, for the
 * simulator, the tests and the boot server. RFC 2608 8 to 10, 12.
 *
 * A pure machine: a request in, a reply out. UDP: lb_slp_server_input. TCP: an lb_slp_connection
 * each, whose reply may be longer than any buffer; it is written piece by piece.
 *
 * Whoever can speak to port 427 is answered, and a sender's address can be forged. So no datagram
 * is longer than the mtu, whatever is registered, replies are never answered, and nobody but the
 * caller registers anything unless takes_registrations is set (CVE-2023-29552: a request of 29
 * bytes, forged, brought 65000 that the attacker had registered himself). */
#ifndef LB_SLP_SERVER_H
#define LB_SLP_SERVER_H

#include "core/slp/slp.h"

#define LB_SLP_REG_BYTES   1400 /* strings of a registration that comes over the network */
#define LB_SLP_PIECE_BYTES 4096 /* of a reply by TCP at a time */

/* A service. Strings are the caller's; those of a slot are the slot's. */
struct lb_slp_registration {
    struct lb_bytes url, type, scopes, attributes;
    uint16_t lifetime_s; /* 0: 65535 */
};

/* A service that came by SrvReg. */
struct lb_slp_slot {
    bool is_used;
    uint64_t until_us;
    struct lb_slp_registration service;
    uint8_t text[LB_SLP_REG_BYTES];
};

struct lb_slp_server_config {
    bool is_directory;        /* directory agent; else service agent */
    bool takes_registrations; /* of anybody; directory agents alone */
    struct lb_addr address;   /* ours */
    const char *scopes;       /* NULL: "DEFAULT" */
    uint16_t mtu;             /* longest datagram; 0: LB_SLP_MTU */
    uint32_t boot_s;          /* directory agent: when it began, Unix time; 0: it goes down */
    const struct lb_slp_registration *services; /* the caller's, may change between calls */
    size_t service_count;
    struct lb_trace *trace; /* may be NULL */
};

struct lb_slp_server {
    struct lb_slp_server_config config;
    struct lb_slp_slot *slots; /* the caller's */
    size_t slot_cap;
    uint64_t changes; /* of the slots */
};

/* A server with nothing registered. The slots are the caller's and outlive it. */
void lb_slp_server_init(struct lb_slp_server *server, const struct lb_slp_server_config *config,
                        struct lb_slp_slot *slots, size_t slot_cap);
/* A payload that came to port 427; is_multicast: to a group. The answer, for its sender, is written
 * into room; empty: none. What does not fit into room or mtu overflows: the client comes by TCP. */
struct lb_bytes lb_slp_server_input(struct lb_slp_server *server, uint64_t now_us,
                                    struct lb_bytes payload, bool is_multicast,
                                    struct lb_span room);

/* One TCP connection. */
struct lb_slp_connection {
    bool is_over; /* close it: the peer sent nonsense */
    /* The rest is its own. */
    size_t request_len;
    uint8_t request[LB_SLP_REQUEST_MAX];
    bool is_answering;
    size_t next;      /* service to look at */
    unsigned left;    /* entries not written yet */
    uint64_t changes; /* as they were when the reply began */
    size_t sent, piece_len;
    uint8_t piece[LB_SLP_PIECE_BYTES];
};

/* A new connection, before its first byte. */
void lb_slp_connection_init(struct lb_slp_connection *connection);
/* Where received bytes go; empty: the room for a request is full. */
struct lb_span lb_slp_connection_where(struct lb_slp_connection *connection);
/* len bytes came, and were written there. */
void lb_slp_connection_got(struct lb_slp_connection *connection, size_t len);
/* What is to be sent, maybe nothing; ask again after sent. */
struct lb_bytes lb_slp_connection_gather(struct lb_slp_connection *connection, uint64_t now_us,
                                         struct lb_slp_server *server);
/* The first len bytes of the piece were sent. */
void lb_slp_connection_sent(struct lb_slp_connection *connection, size_t len);

#endif
