/* The boot stage: resolve, connect, log in; then, what is this LUN? */
#include "core/boot/boot_state.h"

/* ---- beginning ------------------------------------------------------------------------------ */

/* False: boot->error is set. */
static bool make_config(struct lb_boot *boot, struct lb_initiator_config *config) {
    if (!lb_login_config(&boot->plan, &boot->choice, boot->initiator, config, &boot->error))
        return false;
    config->has_others = lb_candidates_best(&boot->candidates) != NULL;
    return true;
}

/* With a target, a session to boot from; without, one that asks for the targets. */
static void start_session(struct lb_boot *boot, uint64_t now_us,
                          const struct lb_initiator_config *config) {
    lb_listing_clear(&boot->listing);
    lb_unit_clear(&boot->unit);
    lb_path_start(&boot->path, now_us, config, boot->setup.rx, &boot->choice.target);
}

bool lb_session_list_start(struct lb_boot *boot, uint64_t now_us) {
    struct lb_initiator_config config;
    if (!make_config(boot, &config))
        return false;
    config.target[0] = '\0';             /* a discovery session */
    config.recover = !boot->finder.runs; /* which has others to ask */
    start_session(boot, now_us, &config);
    lb_wipe(&config, sizeof config);
    return true;
}

void lb_session_list_ready(struct lb_boot *boot, uint64_t now_us) {
    lb_report_warnings(&boot->report, now_us, &boot->path.session);
    lb_listing_ask(&boot->listing, now_us, &boot->path.session);
}

void lb_session_stage_start(struct lb_boot *boot, uint64_t now_us) {
    struct lb_initiator_config config;
    if (!lb_candidates_next(&boot->candidates, &boot->choice)) {
        lb_candidates_verdict(&boot->candidates, &boot->error);
        lb_boot_attempt_failed(boot);
        return;
    }
    if (!make_config(boot, &config)) { /* the configuration's fault: the same for each of them */
        lb_candidates_clear(&boot->candidates);
        lb_boot_attempt_failed(boot);
        return;
    }
    lb_report_target(&boot->report, now_us, &boot->choice);
    lb_boot_enter(boot, now_us, LB_AT_SESSION);
    start_session(boot, now_us, &config);
    lb_wipe(&config, sizeof config);
}

bool lb_session_stage_next(struct lb_boot *boot, uint64_t now_us) {
    if (!lb_candidates_failed(&boot->candidates, &boot->error))
        return false;
    if (lb_candidates_best(&boot->candidates) == NULL && !boot->finder.runs) {
        lb_candidates_verdict(&boot->candidates, &boot->error);
        return false;
    }
    lb_error_clear(&boot->error);
    if (boot->finder.runs) /* which has the next one, or will have it */
        lb_boot_enter(boot, now_us, LB_AT_DISCOVERY);
    else
        lb_session_stage_start(boot, now_us);
    return true;
}

/* ---- what the session says ------------------------------------------------------------------ */

const struct lb_initiator_found *lb_boot_targets(const struct lb_boot *boot, size_t *count,
                                                 size_t *dropped) {
    int32_t found = lb_initiator_targets_count(&boot->listing.targets, dropped);
    *count = found > 0 ? (size_t)found : 0;
    return boot->listing.found;
}

size_t lb_boot_targets_left_out(const struct lb_boot *boot, const char **first) {
    return lb_initiator_targets_invalid(&boot->listing.targets, first);
}

static enum lb_turn targets_turn(struct lb_boot *boot, uint64_t now_us) {
    if (boot->state == LB_AT_UP || !lb_listing_is_shown(&boot->listing, now_us))
        return LB_TURN_IDLE;
    lb_boot_enter(boot, now_us, LB_AT_UP);
    lb_ask(&boot->common, LB_BOOT_READY);
    return LB_TURN_AGAIN;
}

static enum lb_session_news session_failed(struct lb_boot *boot) {
    if (boot->state == LB_AT_CLOSING)
        return LB_SESSION_SAME;
    lb_path_explain(&boot->path, &boot->error);
    return LB_SESSION_FAILED;
}

static struct lb_policy_session for_policy(const struct lb_boot *boot) {
    bool permanent;
    return (struct lb_policy_session){
        .choice = &boot->choice,
        .was_redirected = lb_initiator_was_redirected(&boot->path.session, &permanent),
    };
}

/* An answer of DNS may be forged, too. */
static void pass_over_of_dns(struct lb_boot *boot, struct lb_endpoint peer) {
    struct lb_error why = {.code = LB_OK};
    lb_fail(&why, LB_E_SERVER_NOT_ALLOWED, "%s for %s", lb_endpoint_text(peer).s,
            boot->choice.target.name);
    lb_passed_note(&boot->passed, boot->enter_us, "DNS", &why);
}

void lb_session_stage_resolved(struct lb_boot *boot, uint64_t now_us,
                               struct lb_names_answer *answer) {
    const struct lb_policy_session session = for_policy(boot);
    struct lb_addr *addrs = answer->addrs;
    size_t count = answer->count, kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct lb_error why = {.code = LB_OK};
        if (lb_policy_address(&boot->plan, &session, addrs[i], &why))
            addrs[kept++] = addrs[i];
        else if (count > 1)
            lb_passed_note(&boot->passed, now_us, "DNS", &why);
    }
    lb_initiator_resolved(&boot->path.session, now_us, addrs, kept > 0 ? kept : LB_MIN(count, 1),
                          answer->why);
}

static enum lb_session_news connect_to(struct lb_boot *boot, uint64_t now_us,
                                       struct lb_endpoint peer, struct lb_boot_action *action,
                                       enum lb_turn *did) {
    const struct lb_policy_session session = for_policy(boot);
    if (!lb_policy_portal(&boot->plan, &session, peer, &boot->error)) {
        if (lb_policy_is_of_dns(&session))
            pass_over_of_dns(boot, peer);
        return LB_SESSION_FAILED;
    }
    *did = lb_path_connect(&boot->path, now_us, peer, action);
    return LB_SESSION_SAME;
}

/* The target's own name, or that of where a redirect leads. */
static enum lb_session_news resolve(struct lb_boot *boot, const char *name) {
    const struct lb_policy_session session = for_policy(boot);
    if (!lb_policy_redirect_name(&boot->plan, &session, name, &boot->error))
        return LB_SESSION_FAILED;
    lb_names_ask(&boot->names, LB_REQUESTER_SESSION, name);
    return LB_SESSION_SAME;
}

/* Whether it has what `require` asks for. Nothing connects in clear where IPsec is to protect it;
 * this makes sure. */
static enum lb_session_news ready(struct lb_boot *boot) {
    const struct lb_initiator *session = &boot->path.session;
    const char *target = boot->choice.target.target;
    const char *unmet = lb_policy_unmet(&boot->plan, target, lb_initiator_agreed(session),
                                        lb_path_is_shielded(&boot->path));
    if (unmet == NULL)
        return LB_SESSION_READY;
    lb_fail(&boot->error, LB_E_REQUIRE_NOT_MET, "%s, with %s at %s", unmet, target,
            lb_endpoint_text(lb_initiator_peer(session)).s);
    return LB_SESSION_FAILED;
}

static enum lb_session_news heed(struct lb_boot *boot, uint64_t now_us,
                                 const struct lb_path_news *news, struct lb_boot_action *action,
                                 enum lb_turn *did) {
    switch (news->what) {
    case LB_PATH_SAME:
        return LB_SESSION_SAME;
    case LB_PATH_RESOLVE:
        return resolve(boot, news->host);
    case LB_PATH_CONNECT:
        return connect_to(boot, now_us, news->peer, action, did);
    case LB_PATH_READY:
        return ready(boot);
    case LB_PATH_FAILED:
        return session_failed(boot);
    }
    return LB_SESSION_SAME;
}

enum lb_turn lb_session_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                   struct lb_boot_action *action, enum lb_session_news *news) {
    struct lb_path_news said = {.what = LB_PATH_SAME};
    enum lb_turn did = lb_path_turn(&boot->path, now_us, action, &said);
    *news = heed(boot, now_us, &said, action, &did);
    return did;
}

/* ---- the disk ------------------------------------------------------------------------------- */

void lb_disk_stage_start(struct lb_boot *boot, uint64_t now_us) {
    if (lb_unit_runs(&boot->unit)) {
        lb_trace(&boot->trace, now_us, "boot", "session is back, login %u",
                 lb_initiator_logins(&boot->path.session));
        return;
    }
    lb_report_warnings(&boot->report, now_us, &boot->path.session);
    lb_report_session(&boot->report, now_us, &boot->path.session);
    lb_boot_enter(boot, now_us, LB_AT_DISK);
    if (boot->plan.goal == LB_GOAL_TARGETS)
        lb_listing_show(&boot->listing, now_us, &boot->path.session);
    else
        lb_unit_start(&boot->unit, now_us, &boot->path.session, &boot->choice.target);
}

/* The LUN that was looked for is found: it is the choice. */
static void take_lun(struct lb_choice *choice, const uint8_t lun[8]) {
    memcpy(choice->target.lun, lun, sizeof choice->target.lun);
    choice->target.lun_given = true;
    choice->target.lun_choice = LB_LUN_AS_GIVEN;
}

static void heed_unit(struct lb_boot *boot, const struct lb_unit_news *news, bool *is_up) {
    switch (news->what) {
    case LB_UNIT_SAME:
        return;
    case LB_UNIT_LUN:
        take_lun(&boot->choice, news->lun);
        return;
    case LB_UNIT_UP:
        *is_up = true;
        return;
    case LB_UNIT_FAILED:
        lb_fail(&boot->error, news->error->code, "%s", news->error->facts);
        lb_boot_attempt_failed(boot);
        return;
    }
}

enum lb_turn lb_disk_stage_turn(struct lb_boot *boot, uint64_t now_us, bool *is_up) {
    struct lb_unit_news news = {.what = LB_UNIT_SAME};
    if (boot->plan.goal == LB_GOAL_DISCOVER) /* it has shown what there is */
        return LB_TURN_IDLE;
    if (boot->plan.goal == LB_GOAL_TARGETS)
        return targets_turn(boot, now_us);
    enum lb_turn did = lb_unit_turn(&boot->unit, now_us, &news);
    heed_unit(boot, &news, is_up);
    return did;
}
