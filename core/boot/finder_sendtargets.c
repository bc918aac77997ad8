/* Discovery by SendTargets (RFC 7143 appendix C): the server is known, and what it has is asked. It
 * borrows the boot stage's session, which has nothing to do before a target is known: a login more,
 * and no memory.
 *
 * A server's list is not a boot list: where it has several targets that may be used, the first one
 * may well be another machine's. They are tried in turn only where a person chose sendtargets. */
#include "core/boot/finder_state.h"

#define LEAVE_US LB_US_SEC /* for the logout's answer */

void lb_finder_list_begun(struct lb_finder *finder, struct lb_initiator *session,
                          const struct lb_initiator_targets *targets) {
    finder->session = session;
    finder->targets = targets;
    finder->listed = 0;
    finder->sendtargets = LB_SENDTARGETS_ASKS;
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_allowed(const struct lb_finder *finder, const char *target) {
    const struct lb_config *config = finder->common->plan->config;
    if (!lb_plan_takes_name(finder->common->plan, target))
        return false;
    return !lb_config_is_set(config, LB_KEY_ALLOW_TARGET) ||
           lb_list_has_name(lb_bytes_of_text(lb_config_text(config, LB_KEY_ALLOW_TARGET)), target);
}

/* "; 2 left out: their names are not valid: data disk and others". Those that nobody takes are not
 * among what was found. */
static void add_left_out(const struct lb_finder *finder, size_t count, struct lb_text *text) {
    const char *first, *before = "";
    size_t left_out = lb_initiator_targets_invalid(finder->targets, &first);
    for (size_t i = 0; i < count; i++) {
        const char *target = finder->targets->found[i].target;
        if (!lb_iscsi_names_equal(before, target) &&
            !lb_plan_takes_name(finder->common->plan, target)) {
            first = left_out == 0 ? target : first;
            left_out++;
        }
        before = target;
    }
    if (left_out > 0)
        lb_text_add(text, "; %zu left out: %s not valid: %s%s", left_out,
                    left_out == 1 ? "its name is" : "their names are", first,
                    left_out == 1 ? "" : " and others");
}

/* A target's portals stand together in an answer (RFC 7143 appendix C). */
static size_t count_allowed(const struct lb_finder *finder, size_t count) {
    const char *before = "";
    size_t allowed = 0;
    for (size_t i = 0; i < count; i++) {
        allowed += !lb_iscsi_names_equal(before, finder->targets->found[i].target) &&
                   is_allowed(finder, finder->targets->found[i].target);
        before = finder->targets->found[i].target;
    }
    return allowed;
}

static bool take_found(struct lb_finder *finder, const struct lb_initiator_found *found,
                       size_t allowed) {
    struct lb_candidate *candidate = &finder->found;
    *candidate = (struct lb_candidate){
        .service = LB_BY_SENDTARGETS,
        .at = {.host = found->host[0] ? LB_HOST_NAME : LB_HOST_ADDR,
               .addr = found->portal.addr,
               .port = found->portal.port},
        .portal_group = found->tpgt,
    };
    size_t offset;
    if (!lb_iscsi_name_parse(lb_bytes_of_text(found->target), LB_ROOTPATH_ANY_NAMES,
                             candidate->at.target, &candidate->at.warnings, &offset))
        return false;
    memcpy(candidate->at.name, found->host, sizeof candidate->at.name);
    lb_format(candidate->source, sizeof candidate->source, "SendTargets of %s",
              lb_endpoint_text(lb_initiator_peer(finder->session)).s);
    bool is_meant = allowed == 1 || finder->common->plan->services[LB_BY_SENDTARGETS].is_chosen ||
                    lb_plan_names_target(finder->common->plan, candidate->at.target);
    if (!is_meant && is_allowed(finder, candidate->at.target)) {
        candidate->refused = LB_E_NOT_OFFERED;
        lb_fail(&candidate->failed, LB_E_NOT_OFFERED, "%s, one of %zu in %s", candidate->at.target,
                allowed, candidate->source);
    }
    finder->news.what = LB_FINDER_FOUND;
    return true;
}

/* One of the list in each turn; false: that was all. */
static bool take_next(struct lb_finder *finder, size_t count) {
    size_t allowed = count_allowed(finder, count);
    while (finder->listed < count)
        if (take_found(finder, &finder->targets->found[finder->listed++], allowed))
            return true;
    return false;
}

static void all_taken(struct lb_finder *finder, uint64_t now_us, size_t count, size_t dropped) {
    lb_report_end(finder->common->report, now_us, finder->sendtargets_step,
                  count > 0 ? LB_DONE_OK : LB_DONE_FAILED, "%zu found", count + dropped);
    char line[LB_FACTS_MAX];
    struct lb_text text = lb_text(line, sizeof line);
    lb_text_add(&text, "SendTargets of %s: %zu found",
                lb_endpoint_text(lb_initiator_peer(finder->session)).s, count + dropped);
    add_left_out(finder, count, &text);
    lb_finder_note(finder, now_us, line, line);
    lb_initiator_logout(finder->session, now_us);
    finder->sendtargets = LB_SENDTARGETS_LOGS_OUT;
    finder->sendtargets_deadline_us = now_us + LEAVE_US;
}

void lb_finder_list_failed(struct lb_finder *finder, uint64_t now_us, const struct lb_error *why) {
    if (finder->sendtargets == LB_SENDTARGETS_ASKS) {
        lb_report_end(finder->common->report, now_us, finder->sendtargets_step, LB_DONE_FAILED,
                      "%s", lb_code_word(why->code));
        char line[LB_FACTS_MAX];
        lb_format(line, sizeof line, "SendTargets: %s, %s", lb_code_word(why->code), why->facts);
        lb_finder_note(finder, now_us, line, line);
        lb_fail(&finder->failure, why->code, "SendTargets: %s", why->facts);
    }
    finder->sendtargets = LB_SENDTARGETS_NONE;
}

enum lb_turn lb_finder_list_turn(struct lb_finder *finder, uint64_t now_us) {
    size_t dropped;
    if (finder->sendtargets == LB_SENDTARGETS_ASKS) {
        int32_t count = lb_initiator_targets_count(finder->targets, &dropped);
        if (count < 0)
            return LB_TURN_IDLE;
        finder->has_answer = true;
        if (!take_next(finder, (size_t)count))
            all_taken(finder, now_us, (size_t)count, dropped);
        return LB_TURN_AGAIN;
    }
    if (finder->sendtargets == LB_SENDTARGETS_NONE)
        return LB_TURN_IDLE;
    if (lb_initiator_state(finder->session) != LB_INITIATOR_ENDED &&
        now_us < finder->sendtargets_deadline_us) {
        lb_until(finder->common, finder->sendtargets_deadline_us);
        return LB_TURN_IDLE;
    }
    finder->sendtargets = LB_SENDTARGETS_NONE;
    finder->news.what = LB_FINDER_LISTED;
    return LB_TURN_AGAIN;
}

void lb_finder_list_stop(struct lb_finder *finder, uint64_t now_us) {
    if (finder->sendtargets == LB_SENDTARGETS_NONE)
        return;
    lb_report_end(finder->common->report, now_us, finder->sendtargets_step, LB_DONE_FAILED,
                  "no answer in time");
    if (finder->sendtargets == LB_SENDTARGETS_ASKS)
        lb_finder_note(finder, now_us, "SendTargets: no answer in time",
                       "SendTargets: no answer in time");
    finder->sendtargets = LB_SENDTARGETS_NONE;
}
