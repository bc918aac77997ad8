/* What the answers of the network are worth, before anything is done because of them: a bad answer
 * is passed over, and a good one boots. Only when no good one has come is it the error. */
#include "core/boot/boot_rules.h"
#include "core/boot/boot_state.h"

/* ---- one answer ----------------------------------------------------------------------------- */

static bool says_something_of_the_disk(const struct lb_boot *boot,
                                       const struct lb_boot_answer *answer) {
    return !boot->is_named && !lb_config_is_set(boot->setup.config, LB_KEY_ROOTPATH) &&
           lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags);
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

void lb_judge_answer(const struct lb_boot *boot, const struct lb_boot_answer *answer,
                     struct lb_judged *judged) {
    struct lb_choice choice = boot->choice;
    struct lb_error error = {.code = LB_OK};
    *judged = (struct lb_judged){.leads_on = lb_choice_make(&boot->plan, answer, &choice, &error)};
    judged->target = choice.target;
    judged->is_open = is_open(error.code);
    judged->has_target = choice.has_target;
    if (!says_something_of_the_disk(boot, answer))
        return;
    if (!judged->leads_on && !judged->is_open)
        judged->error = error;
    else if (choice.target.target[0] != '\0')
        check_policy(&boot->plan, &choice, judged);
}

/* What it resolves to is judged later, and is DNS's word: a server on the list comes first. */
static bool is_name_off_the_list(const struct lb_boot *boot, const struct lb_rootpath *target) {
    const struct lb_config *config = boot->setup.config;
    return target->host == LB_HOST_NAME && lb_config_is_set(config, LB_KEY_ALLOW_SERVER) &&
           !lb_rules_host(config, target->name);
}

static enum lb_worth worth_of(struct lb_boot *boot, uint64_t now_us,
                              const struct lb_boot_answer *answer, bool is_asked) {
    struct lb_judged judged;
    if (boot->is_named)
        return LB_WORTH_DISK;
    lb_judge_answer(boot, answer, &judged);
    if (!lb_is_ok(&judged.error)) {
        if (is_asked)
            lb_pass_over(boot, now_us, answer->from, &judged.error);
        return LB_WORTH_BAD;
    }
    if (judged.target.target[0] == '\0')
        return LB_WORTH_PLAIN;
    return is_name_off_the_list(boot, &judged.target) ? LB_WORTH_DOUBTFUL : LB_WORTH_DISK;
}

/* A server that names a disk in an option that is cut names none that could be told. */
static bool is_disk_cut(struct lb_boot *boot, uint64_t now_us, const struct lb_dhcp4_lease *lease,
                        const char *from) {
    struct lb_error error = {.code = LB_OK};
    if (!lease->has_cut_root_path || boot->is_named ||
        lb_config_is_set(boot->setup.config, LB_KEY_ROOTPATH))
        return false;
    lb_fail(&error, LB_E_DHCP_UNUSABLE, "from %s; its option 17 runs past the end of the message",
            from);
    if (!boot->network.has_lease)
        lb_pass_over(boot, now_us, from, &error);
    return true;
}

enum lb_worth lb_judge_lease4(struct lb_boot *boot, uint64_t now_us,
                              const struct lb_dhcp4_lease *lease) {
    struct lb_boot_answer answer = lb_answer_of_lease4(lease);
    if (is_disk_cut(boot, now_us, lease, answer.from))
        return LB_WORTH_BAD;
    enum lb_worth worth = worth_of(boot, now_us, &answer, !boot->network.has_lease);
    bool is_blamed = lb_addr_is_set(boot->blamed4) && lb_addr_equal(boot->blamed4, lease->server);
    return is_blamed && worth != LB_WORTH_BAD ? LB_WORTH_DOUBTFUL : worth;
}

enum lb_worth lb_judge_lease6(struct lb_boot *boot, uint64_t now_us,
                              const struct lb_dhcp6_lease *lease) {
    struct lb_boot_answer answer = lb_answer_of_lease6(lease);
    enum lb_worth worth = worth_of(boot, now_us, &answer, !boot->network.dhcp6.has_lease);
    bool is_blamed = boot->blamed6.len > 0 && lb_duid_equal(&boot->blamed6, &lease->server_id);
    return is_blamed && worth != LB_WORTH_BAD ? LB_WORTH_DOUBTFUL : worth;
}

/* ---- what was passed over ------------------------------------------------------------------- */

/* That nothing was found is not the whole truth where something was found and passed over. */
void lb_passed_explain(struct lb_boot *boot) {
    const struct lb_passed *passed = &boot->passed;
    struct lb_error error = boot->error;
    if (passed->count == 0 || error.code == passed->error.code)
        return;
    const char *answers = passed->count == 1 ? "answer" : "answers";
    boot->error = (struct lb_error){.code = LB_OK};
    if (lb_code_tells(error.code, LB_TELLS_NO_DISK))
        lb_fail(&boot->error, passed->error.code, "%s; %u %s passed over, and then %s",
                passed->error.facts, passed->count, answers, lb_code_word(error.code));
    else
        lb_fail(&boot->error, error.code, "%s; %u %s passed over (%s)", error.facts, passed->count,
                answers, lb_code_word(passed->error.code));
}

/* ---- whom a failure is laid to -------------------------------------------------------------- */

/* Where several servers answered, the next attempt prefers another. Those of a family whose word
 * was not followed have done nothing: their leases stay. */
void lb_judge_failure(struct lb_boot *boot) {
    bool has_lease6 = boot->network.dhcp6_runs && boot->network.dhcp6.has_lease;
    if (!lb_is_ok(&boot->error)) {
        boot->found_nothing = lb_code_tells(boot->error.code, LB_TELLS_NO_DISK);
        boot->followed[0] =
            boot->network.has_lease; /* a lease that comes in the pause was not tried */
        boot->followed[1] = has_lease6;
    }
    bool is_of4 = boot->chosen != LB_V6 && boot->followed[0] && boot->network.has_lease &&
                  boot->network.dhcp.has_other_offers;
    bool is_of6 = boot->chosen != LB_V4 && boot->followed[1] && has_lease6 &&
                  boot->network.dhcp6.offer_count > 0;
    boot->has_blamed = is_of4 || is_of6;
    boot->blamed4 = (struct lb_addr){.family = LB_FAMILY_NONE};
    boot->blamed6.len = 0;
    if (is_of4)
        boot->blamed4 = boot->network.dhcp.lease.server;
    if (is_of6)
        boot->blamed6 = boot->network.dhcp6.lease.server_id;
}

/* A server that gave no answer may have named a disk. */
static bool somebody_gave_no_answer(const struct lb_boot *boot) {
    return lb_code_tells(boot->error.code, LB_TELLS_NO_DISK) &&
           (lb_code_may_pass(boot->network.out4.code) || lb_code_may_pass(boot->network.out6.code));
}

bool lb_judge_may_pass(const struct lb_boot *boot) {
    return !lb_plan_is_dry(&boot->plan) &&
           (boot->passed.count > 0 || boot->has_blamed || somebody_gave_no_answer(boot));
}
