/* The status of one family, IPv4 or IPv6: whether it has answered, and which disk it names. See
 * boot_network.c. */
#include "core/boot/boot_state.h"

/* ---- what it means -------------------------------------------------------------------------- */

/* Finds the target that this answer would choose; the choice itself stays as it is. */
static void judge(struct lb_boot *boot, uint64_t now_us, struct lb_family_status *status) {
    struct lb_judged judged;
    lb_judge_answer(&boot->judge, &status->answer, &judged);
    status->leads_on = judged.leads_on && lb_is_ok(&judged.error);
    if (judged.has_target && status->leads_on)
        status->names = LB_NAMES_DISK;
    else if (!status->leads_on && !judged.is_open)
        status->names = LB_NAMES_BROKEN;
    else
        status->names = judged.target.target[0] != '\0' ? LB_NAMES_TARGET : LB_NAMES_NOTHING;
    enum lb_family needs = LB_FAMILY_NONE;
    if (judged.target.host == LB_HOST_ADDR)
        needs = judged.target.addr.family;
    else if (status->names == LB_NAMES_TARGET)
        needs = lb_finder_isns_family(&boot->plan);
    bool is_addressed = judged.target.host == LB_HOST_ADDR;
    if (!is_addressed && needs == LB_FAMILY_NONE &&
        !lb_attempts_is_first(&boot->attempts)) /* it may lead there */
        needs = status->family == LB_V6 ? LB_V4 : LB_V6;
    bool is_near = needs == LB_FAMILY_NONE || lb_plan_is_dry(&boot->plan) ||
                   lb_network_has_address(&boot->network, needs) ||
                   !lb_plan_asks(&boot->plan, needs) ||
                   boot->asked_us + LB_SILENT_TIMEOUT_US <= now_us;
    status->target = judged.target;
    status->is_usable = status->leads_on && status->names >= LB_NAMES_TARGET && is_near &&
                        lb_plan_goal(&boot->plan) != LB_GOAL_DISCOVER; /* which wants to hear all */
}

/* The boot does not use the Root Path of a lease that was taken for its address alone. */
static void strip(const struct lb_boot *boot, struct lb_family_status *status) {
    const struct lb_dhcp6_lease *lease6 = lb_network_lease6(&boot->network);
    bool is_bad = status->family == LB_V4 ? boot->network.dhcp.lease.worth == LB_WORTH_BAD
                                          : lease6 != NULL && lease6->worth == LB_WORTH_BAD;
    if (is_bad && !lb_plan_is_dry(&boot->plan))
        status->answer.root_path.len = 0;
}

struct lb_family_status lb_family_status_of(struct lb_boot *boot, uint64_t now_us,
                                            enum lb_family family) {
    struct lb_family_status status = {.family = family,
                                      .is_alive = lb_network_is_alive(&boot->network, family)};
    const struct lb_network_need need = {
        .is_named = boot->judge.is_named,
        .is_name = boot->wanted_host != LB_HOST_ADDR,
        .is_near =
            boot->wanted_host == LB_HOST_ADDR && lb_addr_is_link_local(boot->choice.target.addr),
    };
    uint64_t *usable_us = &boot->usable_us[lb_plan_index(family)];
    status.progress = lb_network_progress(&boot->network, family, &need);
    if (status.progress == LB_ASKING && boot->state == LB_AT_DHCP && now_us >= boot->deadline_us)
        status.progress =
            lb_network_has_address(&boot->network, family) ? LB_ANSWERED : LB_NO_ANSWER;
    if (status.progress != LB_ANSWERED)
        return status;
    status.answer = lb_network_answer(&boot->network, family);
    strip(boot, &status);
    judge(boot, now_us, &status);
    if (status.is_usable && *usable_us == 0)
        *usable_us = now_us;
    return status;
}
