/* What the engine lends to each of its stages, and how a stage answers.
 *
 * A stage owns its struct: it writes no field of another one, and calls nothing above itself. It is
 * told its plan, driven by its turn and by calls named after what happened, and answers with
 * values. What it wants of the host it queues, or gives as its turn's action. */
#ifndef LB_BOOT_STAGE_H
#define LB_BOOT_STAGE_H

#include "core/boot/plan.h"

/* What a stage did in its turn. */
enum lb_turn {
    LB_TURN_IDLE,  /* nothing; its deadline is in until_us */
    LB_TURN_AGAIN, /* something changed: look at everything again */
    LB_TURN_ACT,   /* *action is for the host */
};

/* Asks that wait for a poll: at the end each of 15 slots may be closed, four IPsec peers be told
 * and their protection ended, the address taken away, and the end told. */
#define LB_BOOT_ASKS_MAX 32

struct lb_asks {
    struct lb_boot_action asks[LB_BOOT_ASKS_MAX];
    size_t count;
};

/* The same for all stages of an engine, which owns what the pointers lead to. */
struct lb_common {
    const struct lb_plan *plan;
    const char *interface; /* its name; empty: none */
    struct lb_rand *rand;
    struct lb_trace *trace;
    struct lb_report *report;
    struct lb_asks asks;
    uint64_t until_us; /* the earliest deadline seen in this poll */
};

/* Queues an action for the host, without a slot; the caller fills in the rest at once.
 * LB_BOOT_ASKS_MAX may wait at a time; one more asserts. */
struct lb_boot_action *lb_ask(struct lb_common *common, enum lb_boot_event event);
/* Takes the oldest that waits. False: there is none. */
bool lb_ask_take(struct lb_common *common, struct lb_boot_action *action);
/* Brings the next turn forward to until_us, unless it is due earlier. */
void lb_until(struct lb_common *common, uint64_t until_us);

/* Slots: fixed numbers, for there is one of each. */
enum {
    LB_BOOT_SLOT_DHCP4 = 0,
    LB_BOOT_SLOT_SESSION = 1,
    LB_BOOT_SLOT_DHCP6 = 2,
    LB_BOOT_SLOT_ND6 = 3,
    LB_BOOT_SLOT_SLP4 = 4, /* UDP */
    LB_BOOT_SLOT_SLP6 = 5, /* UDP */
    LB_BOOT_SLOT_SLP_TCP = 6,
    LB_BOOT_SLOT_ISNS = 7, /* TCP */
    LB_BOOT_SLOT_ISNS_UDP = 8,
    LB_BOOT_SLOT_TARGETS = 9, /* TCP: SendTargets */
    LB_BOOT_SLOT_DNS4 = 10,   /* UDP */
    LB_BOOT_SLOT_DNS6 = 11,   /* UDP */
    LB_BOOT_SLOT_DNS_TCP = 12,
    LB_BOOT_SLOT_IPSEC4 = 13, /* UDP port 4500: IKE, and ESP in UDP */
    LB_BOOT_SLOT_IPSEC6 = 14,
};

#endif
