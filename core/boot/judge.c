#include "core/boot/judge.h"
#include "core/boot/boot_rules.h"
#include "core/boot/policy.h"

void lb_judge_init(struct lb_judge *judge, struct lb_common *common,
                   const struct lb_network *network, struct lb_passed *passed) {
    memset(judge, 0, sizeof *judge);
    judge->common = common;
    judge->network = network;
    judge->passed = passed;
}

void lb_judge_begin(struct lb_judge *judge, bool is_named) {
    judge->is_named = is_named;
}

/* ---- one answer ----------------------------------------------------------------------------- */

static const struct lb_config *config_of(const struct lb_judge *judge) {
    return judge->common->plan->config;
}

/* A person named the disk: whatever an answer says of one is not used. */
static bool is_settled(const struct lb_judge *judge) {
    return judge->is_named || lb_config_is_set(config_of(judge), LB_KEY_ROOTPATH);
}

/* Whether the policy lets what was chosen be tried. */
static void check_policy(const struct lb_plan *plan, const struct lb_choice *choice,
                         struct lb_judged *judged) {
    struct lb_candidate candidate = {
        .service = choice->from_network ? LB_BY_ROOTPATH : LB_BY_CONFIG, .at = choice->target};
    lb_format(candidate.source, sizeof candidate.source, "%s", choice->source);
    (void)lb_policy_candidate(plan, &candidate, "", !choice->from_network, &judged->error);
}

static bool is_open(enum lb_code code) {
    return code == LB_E_NO_ROOT_PATH || code == LB_E_NO_SERVER;
}

void lb_judge_answer(const struct lb_judge *judge, const struct lb_boot_answer *answer,
                     struct lb_judged *judged) {
    const struct lb_plan *plan = judge->common->plan;
    struct lb_choice choice = {.has_target = false};
    struct lb_error error = {.code = LB_OK};
    *judged = (struct lb_judged){.leads_on = lb_choice_make(plan, answer, &choice, &error)};
    judged->target = choice.target;
    judged->is_open = is_open(error.code);
    judged->has_target = choice.has_target;
    if (is_settled(judge) || !lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags))
        return;
    if (!judged->leads_on && !judged->is_open)
        judged->error = error;
    else if (choice.target.target[0] != '\0')
        check_policy(plan, &choice, judged);
}

/* Its addresses are judged later, and DNS alone gives them: a server on the list comes first. */
static bool is_name_off_the_list(const struct lb_judge *judge, const struct lb_rootpath *target) {
    return target->host == LB_HOST_NAME &&
           lb_config_is_set(config_of(judge), LB_KEY_ALLOW_SERVER) &&
           !lb_rules_host(config_of(judge), target->name);
}

static enum lb_worth worth_of(struct lb_judge *judge, uint64_t now_us,
                              const struct lb_boot_answer *answer, bool is_asked) {
    struct lb_judged judged;
    if (judge->is_named)
        return LB_WORTH_DISK;
    lb_judge_answer(judge, answer, &judged);
    if (!lb_is_ok(&judged.error)) {
        if (is_asked)
            lb_passed_note(judge->passed, now_us, answer->from, &judged.error);
        return LB_WORTH_BAD;
    }
    if (judged.target.target[0] == '\0')
        return LB_WORTH_PLAIN;
    return is_name_off_the_list(judge, &judged.target) ? LB_WORTH_DOUBTFUL : LB_WORTH_DISK;
}

/* A server that names a disk in an option that is cut names none that could be told. */
static bool is_disk_cut(struct lb_judge *judge, uint64_t now_us, const struct lb_dhcp4_lease *lease,
                        const char *from) {
    struct lb_error error = {.code = LB_OK};
    if (!lease->has_cut_root_path || is_settled(judge))
        return false;
    lb_fail(&error, LB_E_DHCP_UNUSABLE, "from %s; its option 17 runs past the end of the message",
            from);
    if (!judge->network->has_lease)
        lb_passed_note(judge->passed, now_us, from, &error);
    return true;
}

static bool is_blamed4(const struct lb_judge *judge, const struct lb_dhcp4_lease *lease) {
    return lb_addr_is_set(judge->blamed4) && lb_addr_equal(judge->blamed4, lease->server);
}

static bool is_blamed6(const struct lb_judge *judge, const struct lb_dhcp6_lease *lease) {
    return judge->blamed6.len > 0 && lb_duid_equal(&judge->blamed6, &lease->server_id);
}

enum lb_worth lb_judge_lease4(struct lb_judge *judge, uint64_t now_us,
                              const struct lb_dhcp4_lease *lease) {
    struct lb_boot_answer answer = lb_answer_of_lease4(lease);
    if (is_disk_cut(judge, now_us, lease, answer.from))
        return LB_WORTH_BAD;
    enum lb_worth worth = worth_of(judge, now_us, &answer, !judge->network->has_lease);
    return is_blamed4(judge, lease) && worth != LB_WORTH_BAD ? LB_WORTH_DOUBTFUL : worth;
}

enum lb_worth lb_judge_lease6(struct lb_judge *judge, uint64_t now_us,
                              const struct lb_dhcp6_lease *lease) {
    struct lb_boot_answer answer = lb_answer_of_lease6(lease);
    enum lb_worth worth = worth_of(judge, now_us, &answer, !judge->network->dhcp6.has_lease);
    return is_blamed6(judge, lease) && worth != LB_WORTH_BAD ? LB_WORTH_DOUBTFUL : worth;
}

/* ---- whom a failure is laid to -------------------------------------------------------------- */

static bool has_lease6(const struct lb_network *network) {
    return network->dhcp6_runs && network->dhcp6.has_lease;
}

/* A lease that was taken for its address alone, or beside which nobody named a disk. A server that
 * was not heard at first may name one. */
static bool is_no_help(const struct lb_judge *judge, enum lb_worth worth) {
    return worth == LB_WORTH_BAD || (worth == LB_WORTH_PLAIN && judge->found_nothing);
}

bool lb_judge_doubts(const struct lb_judge *judge, enum lb_family family) {
    const struct lb_dhcp4_lease *lease4 = &judge->network->dhcp.lease;
    const struct lb_dhcp6_lease *lease6 = &judge->network->dhcp6.lease;
    if (family == LB_V6)
        return has_lease6(judge->network) &&
               (is_no_help(judge, lease6->worth) || is_blamed6(judge, lease6));
    return judge->network->has_lease &&
           (is_no_help(judge, lease4->worth) || is_blamed4(judge, lease4));
}

/* Where several servers answered, the next attempt prefers another. Those of a family whose word
 * was not followed have done nothing: their leases stay. */
void lb_judge_failure(struct lb_judge *judge, enum lb_code why, enum lb_family chosen) {
    const struct lb_network *network = judge->network;
    if (why != LB_OK) {
        judge->found_nothing = lb_code_tells(why, LB_TELLS_NO_DISK);
        judge->followed[0] = network->has_lease; /* one that comes in the pause was not tried */
        judge->followed[1] = has_lease6(network);
    }
    bool is_of4 = chosen != LB_V6 && judge->followed[0] && network->has_lease &&
                  network->dhcp.has_other_offers;
    bool is_of6 = chosen != LB_V4 && judge->followed[1] && has_lease6(network) &&
                  network->dhcp6.offer_count > 0;
    judge->has_blamed = is_of4 || is_of6;
    judge->blamed4 = (struct lb_addr){.family = LB_FAMILY_NONE};
    judge->blamed6.len = 0;
    if (is_of4)
        judge->blamed4 = network->dhcp.lease.server;
    if (is_of6)
        judge->blamed6 = network->dhcp6.lease.server_id;
}

/* Routers alone have answered, which name no disks, while a server of DHCP is still asked for. */
static bool awaits_first_server(const struct lb_network *network) {
    return network->dhcp_runs && !network->has_lease && network->nd6_runs &&
           network->nd6.info.advertised && !has_lease6(network);
}

/* A server that gave no answer may have named a disk. */
static bool somebody_gave_no_answer(const struct lb_network *network, enum lb_code why) {
    return lb_code_tells(why, LB_TELLS_NO_DISK) &&
           (lb_code_may_pass(network->out4.code) || lb_code_may_pass(network->out6.code) ||
            awaits_first_server(network));
}

bool lb_judge_may_pass(const struct lb_judge *judge, enum lb_code why) {
    return !judge->common->plan->is_dry && (judge->passed->count > 0 || judge->has_blamed ||
                                            somebody_gave_no_answer(judge->network, why));
}
