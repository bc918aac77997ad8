/* The boot stage: resolve, connect, log in; then, what is this LUN? */
#include "core/boot/boot_state.h"

/* ---- configuration -------------------------------------------------------------------------- */

static enum lb_digest_want digest_want(const struct lb_boot *boot, enum lb_key key,
                                       const char *word) {
    const char *value = lb_config_text(boot->setup.config, key);
    if (lb_config_requires(boot->setup.config, word) || lb_streq(value, "crc32c"))
        return LB_DIGEST_CRC32C;
    return lb_streq(value, "prefer") ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
}

/* RFC 7143 10.12.5: type "random", but the same at each boot of a machine, so that a login after a
 * crash takes the place of the session before it. The qualifier is 0, and 1 on a machine that is
 * up: there the session of the boot may be the one that its root file system lives on. */
static void choose_isid(const struct lb_boot *boot, uint8_t isid[6]) {
    if (lb_config_bytes(boot->setup.config, LB_KEY_ISID, lb_span(isid, 6)))
        return;
    const uint8_t *mac = boot->setup.mac;
    const uint8_t qualifier = boot->setup.network_is_up ? 1 : 0;
    const uint8_t made[6] = {0x80, mac[3], mac[4], mac[5], 0, qualifier};
    memcpy(isid, made, sizeof made);
}

static void chap_text(const struct lb_boot *boot, enum lb_key key, char *out, size_t cap) {
    if (lb_policy_has_chap(&boot->plan, boot->choice.target.target, key))
        lb_text_copy(out, cap, lb_bytes_of_text(lb_config_text(boot->setup.config, key)));
}

static size_t chap_secret(const struct lb_boot *boot, enum lb_key key, uint8_t *out, size_t cap) {
    struct lb_bytes secret = lb_config_secret(boot->setup.config, key);
    size_t len = lb_policy_has_chap(&boot->plan, boot->choice.target.target, key)
                     ? LB_MIN(secret.len, cap)
                     : 0;
    memcpy(out, secret.p, len);
    return len;
}

static void chap_config(const struct lb_boot *boot, struct lb_initiator_config *out) {
    chap_text(boot, LB_KEY_CHAP_NAME, out->chap_name, sizeof out->chap_name);
    chap_text(boot, LB_KEY_CHAP_TARGET_NAME, out->chap_target_name, sizeof out->chap_target_name);
    out->chap_secret_len =
        chap_secret(boot, LB_KEY_CHAP_SECRET, out->chap_secret, sizeof out->chap_secret);
    out->chap_target_secret_len = chap_secret(
        boot, LB_KEY_CHAP_TARGET_SECRET, out->chap_target_secret, sizeof out->chap_target_secret);
    out->require_mutual = lb_policy_requires_chap(&boot->plan, out->target, true);
    out->require_chap =
        out->require_mutual || lb_policy_requires_chap(&boot->plan, out->target, false);
}

static bool session_config(struct lb_boot *boot, struct lb_initiator_config *out) {
    const struct lb_config *config = boot->setup.config;
    const struct lb_rootpath *target = &boot->choice.target;
    uint16_t port = target->port != 0 ? target->port : LB_ISCSI_PORT;
    *out = (struct lb_initiator_config){
        .portal = {.addr = target->addr, .port = port},
        .header_digest = digest_want(boot, LB_KEY_HEADER_DIGEST, "header-digest"),
        .data_digest = digest_want(boot, LB_KEY_DATA_DIGEST, "data-digest"),
        .queue_depth = lb_config_u32(config, LB_KEY_QUEUE_DEPTH),
        .connect_ms = lb_config_u32(config, LB_KEY_CONNECT_TIMEOUT),
        .hurry_ms = lb_config_u32(config, LB_KEY_PORTAL_TIMEOUT),
        .has_others = lb_candidates_best(&boot->candidates) != NULL,
        .login_ms = lb_config_u32(config, LB_KEY_LOGIN_TIMEOUT),
        .task_ms = lb_config_u32(config, LB_KEY_TASK_TIMEOUT),
        .ping_ms = lb_config_u32(config, LB_KEY_PING_INTERVAL),
        .recovery_ms = lb_config_u32(config, LB_KEY_RECOVERY_TIME),
        .recover = true,
    };
    if (target->host == LB_HOST_NAME)
        memcpy(out->host, target->name, sizeof out->host);
    memcpy(out->initiator, boot->initiator, sizeof out->initiator);
    memcpy(out->target, target->target, sizeof out->target);
    choose_isid(boot, out->isid);
    chap_config(boot, out);
    const char *algorithms = lb_config_text(config, LB_KEY_CHAP_ALGORITHMS);
    if (lb_chap_parse_algs(lb_bytes_of_text(algorithms), &out->chap_algs))
        return true;
    lb_fail(&boot->error, LB_E_CONFIG_VALUE, "chap-algorithms=%s", algorithms);
    return false;
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
    if (!session_config(boot, &config))
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
    if (!session_config(boot, &config)) { /* the configuration's fault: the same for each of them */
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

/* A server that no route leads to looks like a silent one, for a system that asks the link for any
 * address. */
static void explain_route(struct lb_boot *boot, enum lb_code code) {
    struct lb_addr to = lb_initiator_peer(&boot->path.session).addr;
    const struct lb_addr *ignored = &boot->network.dhcp.lease.ignored_router;
    bool is_leased = boot->network.has_lease && lb_addr_is_set(*ignored);
    if (code != LB_E_CONNECT_TIMEOUT && code != LB_E_CONNECT_UNREACHABLE)
        return;
    if (boot->interface[0] == '\0' && lb_addr_is_link_local(to))
        lb_fail(&boot->error, LB_E_CONNECT_UNREACHABLE,
                "%s is a link-local address: give interface=", lb_addr_text(to).s);
    if (!boot->network.is_set || lb_boot_net_has_way(&boot->network.net, to))
        return;
    if (is_leased && to.family == LB_V4)
        lb_fail(&boot->error, LB_E_CONNECT_UNREACHABLE,
                "no route to %s: option 121 has none for it, and stands above option 3, which "
                "names router %s (RFC 3442)",
                lb_addr_text(to).s, lb_addr_text(*ignored).s);
    else
        lb_fail(&boot->error, LB_E_CONNECT_UNREACHABLE, "no route to %s: no router is known for it",
                lb_addr_text(to).s);
}

static enum lb_session_news session_failed(struct lb_boot *boot) {
    const struct lb_error *error = lb_initiator_error(&boot->path.session);
    if (boot->state == LB_AT_CLOSING)
        return LB_SESSION_SAME;
    if (lb_is_ok(&boot->network.lost))
        explain_route(boot, error->code);
    if (!lb_is_ok(&boot->network.lost)) /* there was no address to reach it from */
        lb_fail(&boot->error, boot->network.lost.code, "%s", boot->network.lost.facts);
    lb_fail(&boot->error, error->code, "%s", error->facts);
    return LB_SESSION_FAILED;
}

static struct lb_policy_session for_policy(const struct lb_boot *boot) {
    bool permanent;
    return (struct lb_policy_session){
        .choice = &boot->choice,
        .was_redirected = lb_initiator_was_redirected(&boot->path.session, &permanent),
    };
}

/* What DNS says may be another's word, too. */
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
    if (lb_plan_goal(&boot->plan) == LB_GOAL_TARGETS)
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
    if (lb_plan_goal(&boot->plan) == LB_GOAL_DISCOVER) /* it has shown what there is */
        return LB_TURN_IDLE;
    if (lb_plan_goal(&boot->plan) == LB_GOAL_TARGETS)
        return targets_turn(boot, now_us);
    enum lb_turn did = lb_unit_turn(&boot->unit, now_us, &news);
    heed_unit(boot, &news, is_up);
    return did;
}
