/* The shield of a program that has no IPsec: what is to be protected fails, and nothing is sent. */
#include "core/boot/shield.h"

void lb_shield_init(struct lb_shield *shield, struct lb_common *common, bool has_esp) {
    *shield = (struct lb_shield){.common = common};
    (void)has_esp;
}

bool lb_shield_covers(const struct lb_shield *shield, bool is_discovery) {
    enum lb_plan_ipsec ipsec = shield->common->plan->ipsec;
    return ipsec == LB_PLAN_SHIELDS_ALL || (ipsec == LB_PLAN_SHIELDS_TARGET && !is_discovery);
}

enum lb_shield_says lb_shield_want(struct lb_shield *shield, uint64_t now_us, struct lb_addr remote,
                                   bool is_discovery, struct lb_error *error) {
    (void)now_us;
    if (!lb_shield_covers(shield, is_discovery))
        return LB_SHIELD_CLEAR;
    lb_fail(error, LB_E_IPSEC_MISSING, "for %s", lb_addr_text(remote).s);
    return LB_SHIELD_FAILED;
}

struct lb_addr lb_shield_local(const struct lb_shield *shield, struct lb_addr remote) {
    (void)shield;
    (void)remote;
    return (struct lb_addr){0};
}

void lb_shield_source(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                      struct lb_addr from) {
    (void)shield;
    (void)now_us;
    (void)to;
    (void)from;
}

void lb_shield_datagram(struct lb_shield *shield, uint64_t now_us, struct lb_endpoint from,
                        struct lb_bytes bytes) {
    (void)shield;
    (void)now_us;
    (void)from;
    (void)bytes;
}

enum lb_turn lb_shield_turn(struct lb_shield *shield, uint64_t now_us,
                            struct lb_boot_action *action) {
    (void)shield;
    (void)now_us;
    (void)action;
    return LB_TURN_IDLE;
}

struct lb_bytes lb_shield_seal(struct lb_shield *shield, struct lb_bytes packet,
                               struct lb_span room, struct lb_endpoint *to) {
    (void)shield;
    (void)packet;
    (void)to;
    return lb_bytes(room.p, 0);
}

struct lb_bytes lb_shield_open(struct lb_shield *shield, struct lb_endpoint from,
                               struct lb_span esp) {
    (void)shield;
    (void)from;
    return lb_bytes(esp.p, 0);
}

void lb_shield_stop(struct lb_shield *shield, uint64_t now_us) {
    (void)shield;
    (void)now_us;
}
