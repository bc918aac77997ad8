/* One session and its connection: what it asks for on the way to a portal, whether that way has to
 * be protected, which of our addresses it is from, and its steps in the report.
 *
 *   engine                                   path
 *   lb_path_start                       -->
 *   loop: lb_path_turn                  -->  an action, or news: RESOLVE, CONNECT, READY, FAILED
 *         lb_path_connect, where the policy lets it: at once, or when IPsec is there
 *   lb_path_end                         -->  an ask: CLOSE
 *
 * Two paths are two of these. It knows neither the policy nor the disk: the engine does. */
#ifndef LB_BOOT_PATH_H
#define LB_BOOT_PATH_H

#include "core/boot/network.h"
#include "core/boot/shield.h"
#include "core/initiator/initiator_session.h"

struct lb_path {
    struct lb_common *common;
    const struct lb_network *network; /* our addresses */
    struct lb_shield *shield;
    uint32_t slot;
    const struct lb_rootpath *target; /* for the report; the engine's */
    struct lb_initiator session;
    bool runs;
    bool is_open;                 /* its slot is, or is being opened */
    struct lb_endpoint waits_for; /* its portal, while IPsec with it is set up; or none */
    enum lb_initiator_state seen;
    size_t step;                          /* of the report */
    struct lb_addr locals[LB_ADDRS6_MAX]; /* which it may be from */
    size_t local_count;
    bool local_is_link; /* it is from the link-local address */
};

/* What the session said in a turn. */
enum lb_path_event {
    LB_PATH_SAME,
    LB_PATH_RESOLVE, /* `host` has to be looked up: lb_initiator_resolved */
    LB_PATH_CONNECT, /* it wants to connect to `peer`: lb_path_connect, or the end */
    LB_PATH_READY,   /* logged in, for the first time or again */
    LB_PATH_FAILED,  /* for good: lb_initiator_error says why */
};

struct lb_path_news {
    enum lb_path_event what;
    const char *host; /* the session's */
    struct lb_endpoint peer;
};

/* Its start: nothing runs. What it is given outlives it. */
void lb_path_init(struct lb_path *path, struct lb_common *common, uint32_t slot,
                  const struct lb_network *network, struct lb_shield *shield);
/* Begins a session; a former one has ended. rx is the caller's until the end; target is too. */
void lb_path_start(struct lb_path *path, uint64_t now_us, const struct lb_initiator_config *config,
                   struct lb_span rx, const struct lb_rootpath *target);
/* What it still had to do is given up, with this error for its users; its slot is closed. */
void lb_path_end(struct lb_path *path, uint64_t now_us, const struct lb_error *why);
/* Its connection belongs to another now: it is forgotten without a CLOSE. */
void lb_path_hand_over(struct lb_path *path, uint64_t now_us);
/* Carries out what the session wants, and follows its state. IDLE where it does not run. */
enum lb_turn lb_path_turn(struct lb_path *path, uint64_t now_us, struct lb_boot_action *action,
                          struct lb_path_news *news);
/* After LB_PATH_CONNECT: the way to this portal is allowed. Connects where it is as safe as it must
 * be; else the portal waits, and a later turn connects or fails. */
enum lb_turn lb_path_connect(struct lb_path *path, uint64_t now_us, struct lb_endpoint peer,
                             struct lb_boot_action *action);
/* The host's word: the connection could not be made, or has ended. */
void lb_path_lost(struct lb_path *path, uint64_t now_us, enum lb_initiator_lost why);
/* After LB_PATH_FAILED: *error is why, or what the network knows of it: the address was lost, or no
 * route leads there. An error that is set stays. */
void lb_path_explain(const struct lb_path *path, struct lb_error *error);
/* Whether all the addresses that its connection may be from are still ours; true without one. */
bool lb_path_has_local(const struct lb_path *path);
/* Whether its connection is protected where it has to be. */
bool lb_path_is_shielded(const struct lb_path *path);
/* No step of the report is left running: it failed with this word. */
void lb_path_end_step(struct lb_path *path, uint64_t now_us, const char *why);
/* An attempt begins: its steps are new ones. */
void lb_path_begin(struct lb_path *path);

#endif
