/* The shield of a program that has no IPsec: what is to be protected fails, and nothing is sent. */
#include "core/boot/shield.h"

void lb_shield_init(struct lb_shield *shield, struct lb_common *common, bool has_esp,
                    bool in_kernel) {
    *shield = (struct lb_shield){.common = common};
    (void)has_esp;
    (void)in_kernel;
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
