/* The Discovery stage (RFC 4173 6): who has the disk, where nobody named its server.
 *
 *     start ──> the services that may be asked, all at once ──> candidates ──> the boot stage
 *                                                        └──> none: the end, explained
 *
 * The boot stage begins at the first candidate that is sure (named, or named for booting), and at
 * one that is merely possible when no boot list is being waited for. They go on beside it until
 * there is a disk: when a candidate fails, the next may have come meanwhile. */
#include "core/boot/boot_state.h"

/* ---- the end, explained --------------------------------------------------------------------- */

/* Where nobody that we know of should have answered, what is missing is a Root Path. */
static void fail_empty(struct lb_boot *boot) {
    const struct lb_finder *finder = &boot->finder;
    enum lb_code code = boot->choice.unnamed.code;
    if (finder->has_answer)
        code = LB_E_DISCOVERY_EMPTY;
    else if (finder->has_expectation)
        code = LB_E_DISCOVERY_SILENT;
    lb_candidates_verdict(&boot->candidates, &boot->error);
    if (!finder->has_answer && !lb_is_ok(&finder->failure))
        lb_fail(&boot->error, finder->failure.code, "%s", finder->failure.facts);
    lb_fail(&boot->error, code, "%s; %s", boot->choice.unnamed.facts,
            finder->asked[0] != '\0' ? finder->asked : "nobody could be asked");
    lb_boot_attempt_failed(boot);
}

/* ---- beginning ------------------------------------------------------------------------------ */

static void add_named(struct lb_boot *boot, uint64_t now_us) {
    struct lb_candidate named = {
        .service = boot->choice.from_network ? LB_BY_ROOTPATH : LB_BY_CONFIG,
        .at = boot->choice.target,
        .portal_group = -1,
        .boot_list = true,
    };
    lb_format(named.source, sizeof named.source, "%s", boot->choice.source);
    lb_candidates_add(&boot->candidates, now_us, &named);
}

/* Those of the configuration, which lb_target_from_config has checked. */
static void add_other_rootpaths(struct lb_boot *boot, uint64_t now_us) {
    struct lb_bytes item;
    struct lb_bytes list =
        lb_bytes_of_text(lb_config_text(boot->setup.config, LB_KEY_OTHER_ROOTPATHS));
    struct lb_candidate other = {.service = LB_BY_CONFIG, .portal_group = -1, .boot_list = true};
    lb_format(other.source, sizeof other.source, "configuration");
    while (lb_list_next(&list, ' ', &item))
        if (item.len > 0 && lb_choice_parse_other(&boot->plan, item, &other.at, &boot->error))
            lb_candidates_add(&boot->candidates, now_us, &other);
}

/* Beside a Root Path that is broken discovery finds little: in the first attempt the error is told
 * soon, the later ones have all the time. */
#define PASSED_TIMEOUT_US (3 * LB_US_SEC)

static uint64_t most_us(const struct lb_boot *boot) {
    uint64_t us = lb_config_u32(boot->setup.config, LB_KEY_DISCOVERY_TIMEOUT) * LB_US_MS;
    return lb_attempts_is_first(&boot->attempts) && lb_passed_has_any(&boot->passed)
               ? LB_MIN(us, PASSED_TIMEOUT_US)
               : us;
}

static void start_services(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_finder_question question = {
        .initiator = boot->initiator,
        .target = boot->candidates.wanted.target,
        .lists = lb_choice_may_list(&boot->plan, &boot->choice.target),
        .most_us = most_us(boot),
    };
    lb_boot_enter(boot, now_us, LB_AT_DISCOVERY);
    lb_finder_start(&boot->finder, now_us, &question);
    if (!question.lists)
        return;
    if (lb_session_list_start(boot, now_us)) {
        lb_finder_list_begun(&boot->finder, &boot->path.session, &boot->listing.targets);
        return;
    }
    lb_discovery_stage_stop(boot, now_us);
    lb_boot_attempt_failed(boot);
}

static void start_sendtargets_goal(struct lb_boot *boot, uint64_t now_us) {
    lb_boot_enter(boot, now_us, LB_AT_SESSION);
    if (!lb_session_list_start(boot, now_us))
        lb_boot_attempt_failed(boot);
}

void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us) {
    bool explores = boot->plan.goal == LB_GOAL_DISCOVER;
    lb_candidates_begin(&boot->candidates, &boot->choice);
    if (boot->plan.goal == LB_GOAL_TARGETS && boot->choice.target.host != LB_HOST_NONE) {
        start_sendtargets_goal(boot, now_us);
        return;
    }
    if (boot->choice.has_target)
        add_named(boot, now_us);
    add_other_rootpaths(boot, now_us);
    if (boot->candidates.count > 0 && !explores) {
        lb_session_stage_start(boot, now_us);
        return;
    }
    bool is_named = boot->choice.target.target[0] != '\0';
    lb_fail(&boot->choice.unnamed, is_named ? LB_E_NO_SERVER : LB_E_NO_ROOT_PATH, "%s%s",
            is_named ? boot->choice.target.target : "nothing is configured that names it",
            ", and DHCP was not asked");
    if (lb_choice_may_search(&boot->plan, &boot->choice.target)) {
        start_services(boot, now_us);
        return;
    }
    lb_fail(&boot->error, boot->choice.unnamed.code, "%s", boot->choice.unnamed.facts);
    lb_boot_attempt_failed(boot);
}

/* ---- going on ------------------------------------------------------------------------------- */

static enum lb_turn show_candidates(struct lb_boot *boot, uint64_t now_us) {
    if (boot->candidates.count == 0) {
        fail_empty(boot);
        return LB_TURN_AGAIN;
    }
    lb_boot_enter(boot, now_us, LB_AT_UP);
    lb_ask(&boot->common, LB_BOOT_READY);
    return LB_TURN_AGAIN;
}

/* How long an address of the candidate's family is waited for when discovery is over, from when the
 * network was asked. */
#define ADDRESS_TIMEOUT_US (10 * LB_US_SEC)

static bool asks_for(const struct lb_boot *boot, enum lb_family family) {
    if (!lb_plan_asks(&boot->plan, family))
        return false;
    return family == LB_V4 ? boot->network.dhcp_runs
                           : boot->network.nd6_runs && lb_is_ok(&boot->network.out6);
}

/* A family may get its address only now, when the other one has found a portal that has it
 * alone. */
static bool awaits_address(struct lb_boot *boot, uint64_t now_us, const struct lb_candidate *best) {
    uint64_t until_us = boot->families.asked_us + ADDRESS_TIMEOUT_US;
    if (best->at.host != LB_HOST_ADDR || !boot->network.is_set ||
        lb_net_has_family(&boot->network.net, best->at.addr.family) ||
        !asks_for(boot, best->at.addr.family))
        return false;
    if (boot->finder.runs)
        return true;
    if (now_us < until_us)
        lb_until(&boot->common, until_us);
    return now_us < until_us;
}

/* The session's room is taken while targets are being listed. */
static enum lb_turn decide(struct lb_boot *boot, uint64_t now_us) {
    bool is_over = !boot->finder.runs;
    const struct lb_candidate *best = lb_candidates_best(&boot->candidates);
    if (boot->state == LB_AT_SESSION && best != NULL && boot->path.runs)
        lb_initiator_hurry(&boot->path.session); /* it came while another was being tried */
    if (boot->state != LB_AT_DISCOVERY || lb_finder_is_listing(&boot->finder))
        return LB_TURN_IDLE;
    if (boot->plan.goal == LB_GOAL_DISCOVER)
        return is_over ? show_candidates(boot, now_us) : LB_TURN_IDLE;
    if (best != NULL && awaits_address(boot, now_us, best))
        return LB_TURN_IDLE;
    if (best != NULL && (is_over || lb_candidates_is_sure(&boot->candidates, best) ||
                         !lb_finder_awaits_boot_list(&boot->finder))) {
        lb_session_stage_start(boot, now_us);
        return LB_TURN_AGAIN;
    }
    if (!is_over)
        return LB_TURN_IDLE;
    fail_empty(boot);
    return LB_TURN_AGAIN;
}

static void heed(struct lb_boot *boot, uint64_t now_us, const struct lb_finder_news *news) {
    switch (news->what) {
    case LB_FINDER_SAME:
        return;
    case LB_FINDER_FOUND:
        lb_candidates_add(&boot->candidates, now_us, news->found);
        return;
    case LB_FINDER_PASSED:
        lb_passed_note(&boot->passed, now_us, news->found->source, &news->found->failed);
        return;
    case LB_FINDER_RESOLVE:
        lb_names_ask(&boot->names, LB_REQUESTER_ISNS, news->name);
        return;
    case LB_FINDER_LISTED:
        lb_session_end(boot, now_us);
        return;
    case LB_FINDER_OVER:
        lb_discovery_stage_stop(boot, now_us);
        return;
    }
}

enum lb_turn lb_discovery_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                     struct lb_boot_action *action) {
    struct lb_finder_news news = {.what = LB_FINDER_SAME};
    bool has_candidate = lb_candidates_best(&boot->candidates) != NULL;
    enum lb_turn did = lb_finder_turn(&boot->finder, now_us, has_candidate, action, &news);
    heed(boot, now_us, &news);
    return did != LB_TURN_IDLE ? did : decide(boot, now_us);
}

void lb_discovery_stage_stop(struct lb_boot *boot, uint64_t now_us) {
    bool was_listing = lb_finder_is_listing(&boot->finder);
    if (!boot->finder.runs)
        return;
    lb_finder_stop(&boot->finder, now_us);
    lb_names_cancel(&boot->names, LB_REQUESTER_ISNS);
    if (was_listing)
        lb_session_end(boot, now_us);
}
