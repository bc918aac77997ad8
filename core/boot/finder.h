/* Discovery (RFC 4173 6): asks SLP, iSNS and SendTargets for portals of targets, all at once.
 *
 *   engine                                   finder
 *   lb_finder_start                     -->
 *   loop: lb_finder_turn                -->  an action, or news: FOUND, RESOLVE, PASSED, ...
 *   lb_finder_stop                      -->  asks: CLOSE of its slots
 *
 * SendTargets needs a session: the engine begins one, then calls lb_finder_list_begun.
 *
 * It knows neither the policy nor the order of candidates: the engine judges what is found. */
#ifndef LB_BOOT_FINDER_H
#define LB_BOOT_FINDER_H

#include "core/boot/network.h"
#include "core/boot/shield.h"
#include "core/initiator/initiator_session.h"
#include "core/isns/isns_client.h"
#include "core/slp/slp.h"

/* One question of SLP. Questions of one family share a UDP slot, all share the TCP slot. */
struct lb_finder_slp {
    bool runs;
    bool wants_tcp; /* and waits for the slot */
    struct lb_endpoint tcp_to;
    size_t step;    /* of the report */
    unsigned found; /* by this question and those before it */
    struct lb_slp_client client;
};

/* The questions: for the disk, and for an iSNS server where none is known, in both families. */
enum {
    LB_FINDER_SLP_DISK4,
    LB_FINDER_SLP_DISK6,
    LB_FINDER_SLP_ISNS4,
    LB_FINDER_SLP_ISNS6,
    LB_FINDER_SLP_QUESTIONS,
};

#define LB_FINDER_ISNS_SERVERS_MAX 4 /* asked one after the other until one answers */

struct lb_finder_isns_server {
    struct lb_endpoint at;      /* family none: the name has not been looked up yet */
    char name[LB_HOST_MAX + 1]; /* empty: named by its address */
    bool by_person;
    char source[48];      /* who named it */
    struct lb_addr agent; /* of SLP, if one did */
};

/* SendTargets uses the session of the boot stage. It is asked only while that session is free: when
 * the server is known and the target is not. */
enum lb_sendtargets_state {
    LB_SENDTARGETS_NONE,
    LB_SENDTARGETS_ASKS,
    LB_SENDTARGETS_LOGS_OUT,
};

enum lb_finder_event {
    LB_FINDER_SAME,
    LB_FINDER_FOUND,   /* a portal of a target: `found`, without its rank */
    LB_FINDER_RESOLVE, /* `name` has to be looked up: lb_finder_resolved */
    LB_FINDER_PASSED,  /* an answer cannot be used: found->source, found->failed */
    LB_FINDER_LISTED,  /* SendTargets is over: its session is not needed any more */
    LB_FINDER_OVER,    /* all services have ended, or time is up: lb_finder_stop */
};

struct lb_finder_news {
    enum lb_finder_event what;
    const struct lb_candidate *found; /* the finder's, until its next turn */
    const char *name;                 /* the finder's, until it is stopped */
};

struct lb_finder {
    struct lb_common *common;
    const struct lb_network *network; /* its leases and addresses */
    struct lb_shield *shield;         /* of its connections */
    const char *initiator, *target;   /* of the question */
    struct lb_finder_news news;       /* of this turn */
    struct lb_candidate found;        /* of the news */
    bool runs;                        /* services are being asked */
    bool has_answer;                  /* one of them did answer */
    bool has_expectation;             /* one was named, so it is a failure if it does not answer */
    uint64_t deadline_us;
    struct lb_addr unkeyed;   /* an agent that was to be asked, and has no keys of IPsec yet */
    struct lb_error failure;  /* of the first named server that could not be asked */
    char asked[LB_FACTS_MAX]; /* the services that have ended, each with its result */

    struct lb_finder_slp slp[LB_FINDER_SLP_QUESTIONS];
    bool slp4_open, slp6_open;
    size_t slp_tcp_owner; /* or LB_FINDER_SLP_QUESTIONS */

    struct lb_finder_isns_server isns_servers[LB_FINDER_ISNS_SERVERS_MAX];
    size_t isns_count, isns_next;
    bool isns_runs, isns_open, isns_udp_open;
    bool isns_waits;     /* for IPsec with the server */
    bool isns_resolves;  /* the name of the next server is being looked up */
    bool isns_withdraws; /* has its answer, and takes a registration back */
    size_t isns_step;
    struct lb_isns_client isns;

    enum lb_sendtargets_state sendtargets;
    uint64_t sendtargets_deadline_us;
    size_t sendtargets_step;
    struct lb_initiator *session;               /* the engine's, while a list is asked for */
    const struct lb_initiator_targets *targets; /* the list, the engine's */
    size_t listed;                              /* of the list: told already */
};

struct lb_finder_question {
    const char *initiator; /* our name */
    const char *target;    /* the name that is asked for; empty: any that is ours */
    bool lists;            /* SendTargets is asked, too: a session is begun for it */
    uint64_t most_us;      /* how long all of it may take */
};

/* Its start: nothing runs. What it is given outlives it. */
void lb_finder_init(struct lb_finder *finder, struct lb_common *common,
                    const struct lb_network *network, struct lb_shield *shield);
/* Asks all services that the plan lets. The texts of the question outlive the asking. */
void lb_finder_start(struct lb_finder *finder, uint64_t now_us,
                     const struct lb_finder_question *question);
/* A session for SendTargets was begun; it and the list, which the engine asks for in it, are the
 * caller's until LB_FINDER_LISTED or the stop. */
void lb_finder_list_begun(struct lb_finder *finder, struct lb_initiator *session,
                          const struct lb_initiator_targets *targets);
/* That session has failed: its error is noted. */
void lb_finder_list_failed(struct lb_finder *finder, uint64_t now_us, const struct lb_error *why);
/* A turn of each service. has_candidate: one that may be tried is known, so that no further iSNS
 * server has to be asked. With LB_TURN_AGAIN there may be news; else *news is untouched. */
enum lb_turn lb_finder_turn(struct lb_finder *finder, uint64_t now_us, bool has_candidate,
                            struct lb_boot_action *action, struct lb_finder_news *news);
/* Ends all services, notes what has not answered, and closes the slots. Harmless if none runs. */
void lb_finder_stop(struct lb_finder *finder, uint64_t now_us);
/* Whether an answer may still come that names this machine's disk: a boot list. */
bool lb_finder_awaits_boot_list(const struct lb_finder *finder);
/* Whether SendTargets uses the session. */
bool lb_finder_is_listing(const struct lb_finder *finder);
/* The family of the iSNS servers that a person named, if it is the same for all; else none. */
enum lb_family lb_finder_isns_family(const struct lb_plan *plan);
/* The result of LB_FINDER_RESOLVE: addresses, best first; count 0: none, for the reason `why`. */
void lb_finder_resolved(struct lb_finder *finder, uint64_t now_us, const struct lb_addr *addrs,
                        size_t count, const char *why);

/* The connection of its slot is made. Its slots are LB_BOOT_SLOT_SLP4 to _TARGETS; a late call,
 * after the slot was closed, is ignored. */
void lb_finder_connected(struct lb_finder *finder, uint64_t now_us, uint32_t slot);
/* An iSNS or SLP connection could not be made, or has ended. */
void lb_finder_lost(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                    enum lb_initiator_lost why);
/* Where the bytes of the slot go: one span or none. */
size_t lb_finder_where(struct lb_finder *finder, uint32_t slot, struct lb_span spans[2]);
/* len bytes came, and were written there. */
void lb_finder_got(struct lb_finder *finder, uint64_t now_us, uint32_t slot, size_t len);
/* What is to be sent on slot: one piece or none. cap must not be 0. */
size_t lb_finder_gather(struct lb_finder *finder, uint32_t slot, struct lb_bytes *pieces,
                        size_t cap);
/* The first len bytes of it were sent. */
void lb_finder_sent(struct lb_finder *finder, uint64_t now_us, uint32_t slot, size_t len);
/* A datagram of SLP, or of an iSNS server that is asked by UDP. */
void lb_finder_datagram(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                        struct lb_endpoint from, struct lb_bytes bytes);

#endif
