/* Policy: nothing boots unless an administrator said so, from nobody and to nothing that was not
 * allowed, and not without the protection that was required. RFC 4173 8. */
#include "core/base/pace.h"
#include "core/boot/boot_rules.h"
#include "core/boot/boot_state.h"

/* ---- enable --------------------------------------------------------------------------------- */

bool lb_policy_enabled(struct lb_boot *boot) {
    const struct lb_config *config = boot->setup.config;
    if (lb_plan_goal(&boot->plan) != LB_GOAL_DISK || lb_config_bool(config, LB_KEY_ENABLE))
        return true;
    if (lb_config_is_set(config, LB_KEY_ENABLE)) {
        char where[160];
        struct lb_text text = lb_text(where, sizeof where);
        lb_config_where(&text, config, LB_KEY_ENABLE);
        lb_fail(&boot->error, LB_E_NOT_ENABLED, "%s is no", where);
    }
    lb_fail(&boot->error, LB_E_NOT_ENABLED, "enable is not set");
    return false;
}

/* ---- allow-server, allow-target ------------------------------------------------------------- */

bool lb_policy_is_by_person(const struct lb_boot *boot, const struct lb_candidate *candidate) {
    if (candidate->service == LB_BY_CONFIG)
        return true;
    return candidate->at.host == LB_HOST_ADDR && !boot->wanted_from_network &&
           boot->wanted.host == LB_HOST_ADDR &&
           lb_addr_equal(boot->wanted.addr, candidate->at.addr);
}

/* Those of the configuration and of a Root Path were judged when they were read. */
static bool name_is_accepted(const struct lb_plan *plan, const struct lb_candidate *candidate,
                             const char *wanted) {
    bool is_read = candidate->service == LB_BY_CONFIG || candidate->service == LB_BY_ROOTPATH ||
                   lb_iscsi_names_equal(candidate->at.target, wanted);
    return is_read || lb_plan_takes_name(plan, candidate->at.target);
}

bool lb_policy_candidate(const struct lb_plan *plan, const struct lb_candidate *candidate,
                         const char *wanted, bool by_person, struct lb_error *error) {
    const struct lb_config *config = plan->config;
    const struct lb_rootpath *at = &candidate->at;
    if (!name_is_accepted(plan, candidate, wanted)) {
        lb_fail(error, LB_E_NAME_INVALID, "%s, named by %s", at->target, candidate->source);
        return false;
    }
    if (!lb_rules_target(config, at->target)) {
        lb_fail(error, LB_E_TARGET_NOT_ALLOWED, "%s, named by %s", at->target, candidate->source);
        return false;
    }
    if (at->host == LB_HOST_NAME && !by_person && lb_config_requires(config, "address")) {
        lb_fail(error, LB_E_NAME_NOT_ALLOWED, "%s for %s, named by %s", at->name, at->target,
                candidate->source);
        return false;
    }
    if (at->host != LB_HOST_ADDR || /* a name is judged by what it resolves to */
        lb_rules_server(config, at->addr, by_person))
        return true;
    struct lb_endpoint peer = {at->addr, at->port != 0 ? at->port : LB_ISCSI_PORT};
    lb_fail(error, LB_E_SERVER_NOT_ALLOWED, "%s for %s, named by %s", lb_endpoint_text(peer).s,
            at->target, candidate->source);
    return false;
}

bool lb_policy_portal(struct lb_boot *boot, struct lb_endpoint peer) {
    bool permanent;
    struct lb_rules_portal portal = {
        .peer = peer,
        .name = boot->choice.target.host == LB_HOST_NAME ? boot->choice.target.name : NULL,
        .was_redirected = lb_initiator_was_redirected(&boot->path.session, &permanent),
        .by_person = !boot->choice.from_network,
    };
    if (lb_rules_portal(boot->setup.config, &portal))
        return true;
    if (portal.name != NULL && !portal.was_redirected && boot->choice.from_network) {
        struct lb_error why = {.code = LB_OK}; /* what DNS says may be another's word, too */
        lb_fail(&why, LB_E_SERVER_NOT_ALLOWED, "%s for %s", lb_endpoint_text(peer).s, portal.name);
        lb_pass_over(boot, boot->enter_us, "DNS", &why);
    }
    lb_fail(&boot->error, LB_E_SERVER_NOT_ALLOWED, "%s for %s, named by %s",
            lb_endpoint_text(peer).s, boot->choice.target.target, boot->choice.source);
    return false;
}

/* Of several addresses those that may not be used are passed over; where none is left, the first is
 * tried, and refused with its error. */
size_t lb_policy_resolved(struct lb_boot *boot, uint64_t now_us, struct lb_addr *addrs,
                          size_t count) {
    bool permanent;
    struct lb_rules_portal portal = {
        .name = boot->choice.target.host == LB_HOST_NAME ? boot->choice.target.name : NULL,
        .was_redirected = lb_initiator_was_redirected(&boot->path.session, &permanent),
        .by_person = !boot->choice.from_network,
    };
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct lb_error why = {.code = LB_OK};
        portal.peer.addr = addrs[i];
        if (lb_rules_portal(boot->setup.config, &portal)) {
            addrs[kept++] = addrs[i];
        } else if (count > 1) {
            lb_fail(&why, LB_E_SERVER_NOT_ALLOWED, "%s of the name's addresses",
                    lb_addr_text(addrs[i]).s);
            lb_pass_over(boot, now_us, "DNS", &why);
        }
    }
    return kept > 0 ? kept : LB_MIN(count, 1);
}

/* ---- require -------------------------------------------------------------------------------- */

/* Whether the firmware booted what is booted here. */
static bool is_tables_target(const struct lb_boot *boot) {
    const char *table = boot->setup.config->table.target;
    return table[0] != '\0' && lb_iscsi_names_equal(table, boot->choice.target.target);
}

bool lb_policy_requires_chap(const struct lb_boot *boot, bool mutual) {
    const struct lb_config_table *table = &boot->setup.config->table;
    if (is_tables_target(boot) && (table->mutual || (table->chap && !mutual)))
        return true;
    return lb_config_requires(boot->setup.config, mutual ? "mutual-chap" : "chap");
}

bool lb_policy_has_chap(const struct lb_boot *boot, enum lb_key key) {
    const struct lb_config *config = boot->setup.config;
    return lb_config_has_chap(config, key) &&
           (lb_config_source(config, key) != LB_SOURCE_IBFT || is_tables_target(boot));
}

bool lb_boot_has_chap(const struct lb_boot *boot) {
    return lb_policy_has_chap(boot, LB_KEY_CHAP_NAME);
}

static const char *unmet_of_table(const struct lb_boot *boot) {
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(&boot->path.session);
    if (!agreed->mutual && lb_policy_requires_chap(boot, true))
        return "mutual-chap";
    return !agreed->chap && lb_policy_requires_chap(boot, false) ? "chap" : NULL;
}

/* Nothing connects in clear where IPsec is to protect it; this makes sure. */
static bool is_shielded(const struct lb_boot *boot) {
    struct lb_addr peer = lb_initiator_peer(&boot->path.session).addr;
    return !lb_shield_covers(&boot->shield, false) ||
           lb_addr_is_set(lb_shield_local(&boot->shield, peer));
}

bool lb_policy_session(struct lb_boot *boot) {
    const char *unmet =
        lb_rules_unmet(boot->setup.config, lb_initiator_agreed(&boot->path.session));
    if (unmet == NULL)
        unmet = unmet_of_table(boot);
    if (unmet == NULL && !is_shielded(boot))
        unmet = "ipsec";
    if (unmet == NULL)
        return true;
    lb_fail(&boot->error, LB_E_REQUIRE_NOT_MET, "%s, with %s at %s", unmet,
            boot->choice.target.target, lb_endpoint_text(lb_initiator_peer(&boot->path.session)).s);
    return false;
}

/* ---- secrets -------------------------------------------------------------------------------- */

static bool algorithms_are_valid(struct lb_boot *boot) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_CHAP_ALGORITHMS);
    struct lb_chap_algs algorithms;
    if (lb_chap_parse_algs(lb_bytes_of_text(value), &algorithms))
        return true;
    lb_fail(&boot->error, LB_E_CONFIG_VALUE, "chap-algorithms=%s has one of them twice", value);
    return false;
}

/* RFC 7143 9.2.1: one secret must not serve both directions, or an impostor needs none; and one of
 * less than 96 bits can be found by trying. The short one is told and used: what the target's
 * administrator chose is not ours to change. */
bool lb_policy_secrets(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_config *config = boot->setup.config;
    struct lb_bytes secret = lb_config_secret(config, LB_KEY_CHAP_SECRET);
    if (!lb_config_check(config, &boot->error) || !algorithms_are_valid(boot))
        return false;
    if (!lb_config_has_chap(config, LB_KEY_CHAP_SECRET))
        return true;
    if (!lb_chap_secret_is_long_enough(secret) && boot->attempts == 1)
        lb_report_learned(&boot->report, now_us, LB_STAGE_LOGIN, "warning", "configuration",
                          "chap-secret has less than 12 bytes: it can be found by trying");
    if (!lb_config_has_chap(config, LB_KEY_CHAP_TARGET_SECRET) ||
        !lb_chap_secrets_are_equal(secret, lb_config_secret(config, LB_KEY_CHAP_TARGET_SECRET)))
        return true;
    lb_fail(&boot->error, LB_E_CONFIG_VALUE,
            "chap-target-secret is the same as chap-secret; they must differ");
    return false;
}

/* ---- further attempts ----------------------------------------------------------------------- */

#define DELAY_MAX_US      (30 * LB_US_SEC)
#define STARTING_DELAY_US (4 * LB_US_SEC) /* at most, while storage starts */
#define STARTING_ATTEMPTS 30              /* about two minutes of them */

/* retry-delay, doubled with each attempt up to 30 s, and up to a quarter more by chance, so that a
 * room full of machines does not knock in step. While storage starts, its steps take seconds each,
 * and the next one should be seen soon; an attempt costs the target one connection. */
uint64_t lb_policy_delay_us(struct lb_boot *boot) {
    uint64_t first_us = lb_config_u32(boot->setup.config, LB_KEY_RETRY_DELAY) * LB_US_MS;
    bool starts =
        boot->attempts <= STARTING_ATTEMPTS && lb_code_tells(boot->error.code, LB_TELLS_STARTING);
    uint64_t most_us = starts ? LB_MAX(first_us, STARTING_DELAY_US) : DELAY_MAX_US;
    uint64_t delay_us =
        lb_pace(first_us, LB_MIN(most_us, DELAY_MAX_US), LB_MAX(boot->attempts, 1) - 1);
    return delay_us + lb_rand_below(&boot->rand, (uint32_t)(delay_us / 4) + 1);
}

bool lb_policy_has_attempts(struct lb_boot *boot, uint64_t now_us, uint64_t delay_us) {
    const struct lb_config *config = boot->setup.config;
    uint32_t attempts = lb_config_u32(config, LB_KEY_ATTEMPTS);
    uint64_t retry_us = lb_config_u32(config, LB_KEY_RETRY_TIME) * LB_US_MS;
    if (attempts != 0 && boot->attempts >= attempts)
        return false;
    return now_us + delay_us - boot->start_us <= retry_us;
}
