/* Discovery by SendTargets (RFC 7143 appendix C): the server is known, and what it has is asked. It
 * borrows the boot stage's session, which has nothing to do before a target is known: a login more,
 * and no memory.
 *
 * A server's list is not a boot list: where it has several targets that may be used, the first one
 * may well be another machine's. They are tried in turn only where a person chose sendtargets. */
#include "core/boot/boot_state.h"

#define LEAVE_US LB_US_SEC /* for the logout's answer */

static void end(struct lb_boot *boot, uint64_t now_us) {
    boot->discovery.sendtargets = LB_SENDTARGETS_NONE;
    lb_session_end(boot, now_us);
}

/* ---- beginning ------------------------------------------------------------------------------ */

bool lb_sendtargets_start(struct lb_boot *boot, uint64_t now_us) {
    struct lb_discovery *discovery = &boot->discovery;
    if (!lb_choice_may_list(&boot->plan, &boot->choice.target))
        return true;
    discovery->has_expectation = true;
    discovery->sendtargets_step = lb_report_begin(&boot->report, now_us, LB_STAGE_DISCOVERY,
                                                  (struct lb_endpoint){0}, "SendTargets");
    if (!lb_session_list_start(boot, now_us))
        return false;
    discovery->sendtargets = LB_SENDTARGETS_ASKS;
    return true;
}

void lb_sendtargets_ready(struct lb_boot *boot, uint64_t now_us) {
    if (!boot->disk_started && !boot->luns_run)
        lb_report_warnings(&boot->report, now_us, &boot->path.session);
    if (lb_config_is_set(boot->setup.config, LB_KEY_ALLOW_TARGET))
        boot->sendtargets.look_for =
            lb_bytes_of_text(lb_config_text(boot->setup.config, LB_KEY_ALLOW_TARGET));
    lb_initiator_send_targets(&boot->path.session, now_us, NULL, &boot->sendtargets);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_allowed(const struct lb_boot *boot, const char *target) {
    const struct lb_config *config = boot->setup.config;
    if (!lb_plan_takes_name(&boot->plan, target))
        return false;
    return !lb_config_is_set(config, LB_KEY_ALLOW_TARGET) ||
           lb_list_has_name(lb_bytes_of_text(lb_config_text(config, LB_KEY_ALLOW_TARGET)), target);
}

/* "; 2 left out: their names are not valid: data disk and others". Those that nobody takes are not
 * among what was found. */
static void add_left_out(const struct lb_boot *boot, size_t count, struct lb_text *text) {
    const char *first, *before = "";
    size_t left_out = lb_initiator_targets_invalid(&boot->sendtargets, &first);
    for (size_t i = 0; i < count; i++) {
        const char *target = boot->found[i].target;
        if (!lb_iscsi_names_equal(before, target) && !lb_plan_takes_name(&boot->plan, target)) {
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
static size_t count_allowed(const struct lb_boot *boot, size_t count) {
    const char *before = "";
    size_t allowed = 0;
    for (size_t i = 0; i < count; i++) {
        allowed += !lb_iscsi_names_equal(before, boot->found[i].target) &&
                   is_allowed(boot, boot->found[i].target);
        before = boot->found[i].target;
    }
    return allowed;
}

static void take_found(struct lb_boot *boot, uint64_t now_us,
                       const struct lb_initiator_found *found, size_t allowed) {
    struct lb_candidate candidate = {
        .service = LB_BY_SENDTARGETS,
        .at = {.host = found->host[0] ? LB_HOST_NAME : LB_HOST_ADDR,
               .addr = found->portal.addr,
               .port = found->portal.port},
        .portal_group = found->tpgt,
    };
    size_t offset;
    if (!lb_iscsi_name_parse(lb_bytes_of_text(found->target), LB_ROOTPATH_ANY_NAMES,
                             candidate.at.target, &candidate.at.warnings, &offset))
        return;
    memcpy(candidate.at.name, found->host, sizeof candidate.at.name);
    lb_format(candidate.source, sizeof candidate.source, "SendTargets of %s",
              lb_endpoint_text(lb_initiator_peer(&boot->path.session)).s);
    bool is_meant = allowed == 1 || boot->plan.services[LB_BY_SENDTARGETS].is_chosen ||
                    lb_plan_names_target(&boot->plan, candidate.at.target);
    if (!is_meant && is_allowed(boot, candidate.at.target)) {
        candidate.refused = LB_E_NOT_OFFERED;
        lb_fail(&candidate.failed, LB_E_NOT_OFFERED, "%s, one of %zu in %s", candidate.at.target,
                allowed, candidate.source);
    }
    lb_candidates_add(boot, now_us, &candidate);
}

static void take_all(struct lb_boot *boot, uint64_t now_us, size_t count, size_t dropped) {
    struct lb_discovery *discovery = &boot->discovery;
    discovery->has_answer = true;
    size_t allowed = count_allowed(boot, count);
    for (size_t i = 0; i < count; i++)
        take_found(boot, now_us, &boot->found[i], allowed);
    lb_report_end(&boot->report, now_us, discovery->sendtargets_step,
                  count > 0 ? LB_DONE_OK : LB_DONE_FAILED, "%zu found", count + dropped);
    char line[LB_FACTS_MAX];
    struct lb_text text = lb_text(line, sizeof line);
    lb_text_add(&text, "SendTargets of %s: %zu found",
                lb_endpoint_text(lb_initiator_peer(&boot->path.session)).s, count + dropped);
    add_left_out(boot, count, &text);
    lb_discovery_note(boot, now_us, line, line);
    lb_initiator_logout(&boot->path.session, now_us);
    discovery->sendtargets = LB_SENDTARGETS_LOGS_OUT;
    discovery->sendtargets_deadline_us = now_us + LEAVE_US;
}

void lb_sendtargets_failed(struct lb_boot *boot, uint64_t now_us) {
    struct lb_discovery *discovery = &boot->discovery;
    if (discovery->sendtargets == LB_SENDTARGETS_ASKS) {
        lb_report_end(&boot->report, now_us, discovery->sendtargets_step, LB_DONE_FAILED, "%s",
                      lb_code_word(boot->error.code));
        char line[LB_FACTS_MAX];
        lb_format(line, sizeof line, "SendTargets: %s, %s", lb_code_word(boot->error.code),
                  boot->error.facts);
        lb_discovery_note(boot, now_us, line, line);
        lb_fail(&discovery->failure, boot->error.code, "SendTargets: %s", boot->error.facts);
    }
    boot->error = (struct lb_error){.code = LB_OK};
    end(boot, now_us);
}

enum lb_turn lb_sendtargets_turn(struct lb_boot *boot, uint64_t now_us) {
    struct lb_discovery *discovery = &boot->discovery;
    size_t dropped;
    if (discovery->sendtargets == LB_SENDTARGETS_ASKS) {
        int32_t count = lb_initiator_targets_count(&boot->sendtargets, &dropped);
        if (count < 0)
            return LB_TURN_IDLE;
        take_all(boot, now_us, (size_t)count, dropped);
        return LB_TURN_AGAIN;
    }
    if (discovery->sendtargets == LB_SENDTARGETS_NONE)
        return LB_TURN_IDLE;
    if (lb_initiator_state(&boot->path.session) != LB_INITIATOR_ENDED &&
        now_us < discovery->sendtargets_deadline_us) {
        lb_until(&boot->common, discovery->sendtargets_deadline_us);
        return LB_TURN_IDLE;
    }
    end(boot, now_us);
    return LB_TURN_AGAIN;
}

void lb_sendtargets_stop(struct lb_boot *boot, uint64_t now_us) {
    if (boot->discovery.sendtargets == LB_SENDTARGETS_NONE)
        return;
    lb_report_end(&boot->report, now_us, boot->discovery.sendtargets_step, LB_DONE_FAILED,
                  "no answer in time");
    if (boot->discovery.sendtargets == LB_SENDTARGETS_ASKS)
        lb_discovery_note(boot, now_us, "SendTargets: no answer in time",
                          "SendTargets: no answer in time");
    end(boot, now_us);
}
