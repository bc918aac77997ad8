/* The status of one family: whether it has answered, and which disk it names. */
#include "core/boot/families.h"
#include "core/boot/finder.h"

/* ---- what it means -------------------------------------------------------------------------- */

static enum lb_family_names names_of(const struct lb_judged *judged, bool leads_on) {
    if (judged->has_target && leads_on)
        return LB_NAMES_DISK;
    if (!leads_on && !judged->is_open)
        return LB_NAMES_BROKEN;
    return judged->target.target[0] != '\0' ? LB_NAMES_TARGET : LB_NAMES_NOTHING;
}

/* The family in which an address is needed to reach the disk, or who knows of it; none: any will
 * do. */
static enum lb_family needed_family(const struct lb_families *families,
                                    const struct lb_family_status *status) {
    enum lb_family needed = LB_FAMILY_NONE;
    if (status->target.host == LB_HOST_ADDR)
        return status->target.addr.family;
    if (status->names == LB_NAMES_TARGET)
        needed = lb_finder_isns_family(families->common->plan);
    if (needed == LB_FAMILY_NONE && !lb_attempts_is_first(families->attempts))
        return status->family == LB_V6 ? LB_V4 : LB_V6; /* a name may lead there */
    return needed;
}

/* Whether there is an address of that family, and ways from it, or they are not waited for. */
static bool is_near(const struct lb_families *families, uint64_t now_us, enum lb_family needed) {
    const struct lb_plan *plan = families->common->plan;
    return needed == LB_FAMILY_NONE || plan->is_dry ||
           lb_network_has_ways(families->network, needed) || !lb_plan_asks(plan, needed) ||
           families->asked_us + LB_SILENT_TIMEOUT_US <= now_us;
}

/* Finds the target that this answer would choose. The goal DISCOVER wants to hear all. */
static void judge(const struct lb_families *families, uint64_t now_us,
                  struct lb_family_status *status) {
    struct lb_judged judged;
    lb_judge_answer(families->judge, &status->answer, &judged);
    status->target = judged.target;
    status->leads_on = judged.leads_on && lb_is_ok(&judged.error);
    status->names = names_of(&judged, status->leads_on);
    status->is_usable = status->leads_on && status->names >= LB_NAMES_TARGET &&
                        is_near(families, now_us, needed_family(families, status)) &&
                        families->common->plan->goal != LB_GOAL_DISCOVER;
}

/* The boot does not use the Root Path of a lease that was taken for its address alone. */
static void strip(const struct lb_families *families, struct lb_family_status *status) {
    const struct lb_dhcp6_lease *lease6 = lb_network_lease6(families->network);
    bool is_bad = status->family == LB_V4 ? families->network->dhcp.lease.worth == LB_WORTH_BAD
                                          : lease6 != NULL && lease6->worth == LB_WORTH_BAD;
    if (is_bad && !families->common->plan->is_dry)
        status->answer.root_path.len = 0;
}

const struct lb_family_status *lb_families_status(struct lb_families *families, uint64_t now_us,
                                                  enum lb_family family) {
    const struct lb_network *network = families->network;
    struct lb_family_status *status = &families->status[lb_plan_index(family)];
    uint64_t *usable_us = &families->usable_us[lb_plan_index(family)];
    memset(status, 0, sizeof *status);
    status->family = family;
    status->is_alive = lb_network_is_alive(network, family);
    status->progress = lb_network_progress(network, family, &families->need);
    if (status->progress == LB_ASKING && now_us >= families->deadline_us)
        status->progress = lb_network_has_address(network, family) ? LB_ANSWERED : LB_NO_ANSWER;
    if (status->progress != LB_ANSWERED)
        return status;
    status->answer = lb_network_answer(network, family);
    strip(families, status);
    judge(families, now_us, status);
    if (status->is_usable && *usable_us == 0)
        *usable_us = now_us;
    return status;
}
