/* Names: they are looked up one at a time, in the order in which they were asked for. The machine's
 * own hosts file is read first, then core/dns asks the servers.
 *
 *   engine                                   names
 *   lb_names_ask                        -->
 *   loop: lb_names_turn                 -->  an action, or an answer for who asked
 *
 * The servers are a person's, else the network's, else the machine's own. */
#ifndef LB_BOOT_NAMES_H
#define LB_BOOT_NAMES_H

#include "core/boot/stage.h"
#include "core/dns/dns_client.h"

/* The parts of the engine that resolve names; each asks for one name at a time. */
enum lb_requester {
    LB_REQUESTER_SESSION,
    LB_REQUESTER_SLP,
    LB_REQUESTER_ISNS,
    LB_REQUESTER_TARGETS,
    LB_REQUESTERS,
};

/* A lookup's result: the addresses as DNS gave them. count 0: none, and `why` is the reason. */
struct lb_names_answer {
    enum lb_requester requester;
    struct lb_addr addrs[LB_PORTALS_MAX];
    size_t count;
    char why[LB_FACTS_MAX];
};

struct lb_lookup {
    enum lb_requester requester;
    const char *name; /* the requester's */
};

struct lb_names {
    struct lb_common *common;
    const struct lb_boot_machine *machine;   /* NULL: it knows nothing of names */
    struct lb_lookup lookups[LB_REQUESTERS]; /* the first is being looked up, once `runs` */
    size_t lookup_count;
    bool runs;
    bool is_open4, is_open6, is_open_tcp; /* the slots */
    bool has_send;                        /* `send` waits for its slot */
    struct lb_dns_action send;
    struct lb_dns_client dns;
};

/* Its start: nothing is looked up. common and the machine outlive it. */
void lb_names_init(struct lb_names *names, struct lb_common *common,
                   const struct lb_boot_machine *machine_or_null);
/* Queues a name to be looked up; a later turn gives the answer. An earlier name of this requester
 * is given up. The name must stay valid until the answer, or until it is given up. */
void lb_names_ask(struct lb_names *names, enum lb_requester requester, const char *name);
/* Gives up the name of this requester; no answer comes. Harmless if there is none. */
void lb_names_cancel(struct lb_names *names, enum lb_requester requester);
/* Starts the next lookup, or goes on with the running one. If one has ended, *has_answer is set and
 * *answer filled in. net: the interface, whose resolvers are asked. */
enum lb_turn lb_names_turn(struct lb_names *names, uint64_t now_us, const struct lb_boot_net *net,
                           struct lb_boot_action *action, struct lb_names_answer *answer,
                           bool *has_answer);
/* Whether the slot is one of the names stage. */
bool lb_names_has_slot(uint32_t slot);
/* An answer by UDP; ignored while no lookup runs. */
void lb_names_datagram(struct lb_names *names, uint64_t now_us, struct lb_endpoint from,
                       struct lb_bytes bytes);
/* The connection for DNS over TCP is made. */
void lb_names_connected(struct lb_names *names, uint64_t now_us, uint32_t slot);
/* The connection for DNS over TCP could not be made, or has ended. */
void lb_names_lost(struct lb_names *names, uint64_t now_us, uint32_t slot);
/* Where the bytes of the TCP answer go: one span or none. */
size_t lb_names_where(struct lb_names *names, uint32_t slot, struct lb_span spans[2]);
/* len bytes of the TCP answer came. */
void lb_names_got(struct lb_names *names, uint64_t now_us, uint32_t slot, size_t len);
/* What is to be sent by TCP: one piece or none. */
size_t lb_names_gather(struct lb_names *names, uint32_t slot, struct lb_bytes *pieces, size_t cap);
/* The first len bytes of it were sent. */
void lb_names_sent(struct lb_names *names, uint64_t now_us, uint32_t slot, size_t len);

#endif
