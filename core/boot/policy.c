#include "core/boot/policy.h"
#include "core/boot/boot_rules.h"
#include "core/chap/chap.h"

/* ---- enable --------------------------------------------------------------------------------- */

bool lb_policy_enabled(const struct lb_plan *plan, struct lb_error *error) {
    const struct lb_config *config = plan->config;
    if (plan->goal != LB_GOAL_DISK || lb_config_bool(config, LB_KEY_ENABLE))
        return true;
    if (lb_config_is_set(config, LB_KEY_ENABLE)) {
        char where[160];
        struct lb_text text = lb_text(where, sizeof where);
        lb_config_where(&text, config, LB_KEY_ENABLE);
        lb_fail(error, LB_E_NOT_ENABLED, "%s is no", where);
    }
    lb_fail(error, LB_E_NOT_ENABLED, "enable is not set");
    return false;
}

/* ---- allow-server, allow-target ------------------------------------------------------------- */

/* Those of the configuration and of a Root Path were judged when they were read. */
static bool name_is_accepted(const struct lb_plan *plan, const struct lb_candidate *candidate,
                             const char *wanted) {
    bool is_read = candidate->service == LB_BY_CONFIG || candidate->service == LB_BY_ROOTPATH ||
                   lb_iscsi_names_equal(candidate->at.target, wanted);
    return is_read || lb_plan_takes_name(plan, candidate->at.target);
}

/* Without a target the server is asked for its targets. */
static const char *asked_for(const struct lb_rootpath *at) {
    return at->target[0] != '\0' ? at->target : "SendTargets";
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
        lb_fail(error, LB_E_NAME_NOT_ALLOWED, "%s for %s, named by %s", at->name, asked_for(at),
                candidate->source);
        return false;
    }
    if (at->host != LB_HOST_ADDR || /* a name is judged by what it resolves to */
        lb_rules_server(config, at->addr, by_person))
        return true;
    struct lb_endpoint peer = {at->addr, at->port != 0 ? at->port : LB_ISCSI_PORT};
    lb_fail(error, LB_E_SERVER_NOT_ALLOWED, "%s for %s, named by %s", lb_endpoint_text(peer).s,
            asked_for(at), candidate->source);
    return false;
}

/* ---- where a session connects to ------------------------------------------------------------ */

static bool has_name(const struct lb_policy_session *session) {
    return session->choice->target.host == LB_HOST_NAME;
}

static bool may_connect(const struct lb_plan *plan, const struct lb_policy_session *session,
                        struct lb_endpoint peer) {
    const struct lb_rules_portal portal = {
        .peer = peer,
        .name = has_name(session) ? session->choice->target.name : NULL,
        .was_redirected = session->was_redirected,
        .by_person = !session->choice->from_network,
    };
    return lb_rules_portal(plan->config, &portal);
}

bool lb_policy_portal(const struct lb_plan *plan, const struct lb_policy_session *session,
                      struct lb_endpoint peer, struct lb_error *error) {
    if (may_connect(plan, session, peer))
        return true;
    lb_fail(error, LB_E_SERVER_NOT_ALLOWED, "%s for %s, named by %s", lb_endpoint_text(peer).s,
            asked_for(&session->choice->target), session->choice->source);
    return false;
}

bool lb_policy_address(const struct lb_plan *plan, const struct lb_policy_session *session,
                       struct lb_addr addr, struct lb_error *error) {
    if (may_connect(plan, session, (struct lb_endpoint){.addr = addr}))
        return true;
    lb_fail(error, LB_E_SERVER_NOT_ALLOWED, "%s of the name's addresses", lb_addr_text(addr).s);
    return false;
}

bool lb_policy_is_of_dns(const struct lb_policy_session *session) {
    return has_name(session) && !session->was_redirected && session->choice->from_network;
}

bool lb_policy_redirect_name(const struct lb_plan *plan, const struct lb_policy_session *session,
                             const char *name, struct lb_error *error) {
    if (!session->was_redirected || !lb_config_requires(plan->config, "address"))
        return true;
    lb_fail(error, LB_E_NAME_NOT_ALLOWED, "%s for %s, where a redirect leads", name,
            session->choice->target.target);
    return false;
}

/* ---- require -------------------------------------------------------------------------------- */

/* Whether the firmware booted this target. */
static bool is_tables_target(const struct lb_plan *plan, const char *target) {
    const char *table = plan->config->table.target;
    return table[0] != '\0' && lb_iscsi_names_equal(table, target);
}

bool lb_policy_requires_chap(const struct lb_plan *plan, const char *target, bool mutual) {
    const struct lb_config_table *table = &plan->config->table;
    if (is_tables_target(plan, target) && (table->mutual || (table->chap && !mutual)))
        return true;
    return lb_config_requires(plan->config, mutual ? "mutual-chap" : "chap");
}

bool lb_policy_has_chap(const struct lb_plan *plan, const char *target, enum lb_key key) {
    const struct lb_config *config = plan->config;
    return lb_config_has_chap(config, key) &&
           (lb_config_source(config, key) != LB_SOURCE_IBFT || is_tables_target(plan, target));
}

static const char *unmet_of_table(const struct lb_plan *plan, const char *target,
                                  const struct lb_initiator_agreed *agreed) {
    if (!agreed->mutual && lb_policy_requires_chap(plan, target, true))
        return "mutual-chap";
    return !agreed->chap && lb_policy_requires_chap(plan, target, false) ? "chap" : NULL;
}

const char *lb_policy_unmet(const struct lb_plan *plan, const char *target,
                            const struct lb_initiator_agreed *agreed, bool is_shielded) {
    const char *unmet = lb_rules_unmet(plan->config, agreed);
    if (unmet == NULL)
        unmet = unmet_of_table(plan, target, agreed);
    return unmet == NULL && !is_shielded ? "ipsec" : unmet;
}

/* ---- secrets -------------------------------------------------------------------------------- */

static bool algorithms_are_valid(const struct lb_config *config, struct lb_error *error) {
    const char *value = lb_config_text(config, LB_KEY_CHAP_ALGORITHMS);
    struct lb_chap_algs algorithms;
    if (lb_chap_parse_algs(lb_bytes_of_text(value), &algorithms))
        return true;
    lb_fail(error, LB_E_CONFIG_VALUE, "chap-algorithms=%s has one of them twice", value);
    return false;
}

/* What `require` says, and what there is: no target could meet it. */
static bool is_chap_in_vain(const struct lb_config *config, struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    bool is_mutual = lb_config_requires(config, "mutual-chap");
    enum lb_key needs = is_mutual ? LB_KEY_CHAP_TARGET_SECRET : LB_KEY_CHAP_NAME;
    if ((!is_mutual && !lb_config_requires(config, "chap")) || lb_config_has_chap(config, needs))
        return false;
    lb_config_where(&text, config, LB_KEY_REQUIRE);
    lb_fail(error, LB_E_CONFIG_HALF, "%s: %schap needs %s", where, is_mutual ? "mutual-" : "",
            lb_key_info(needs)->word);
    return true;
}

/* RFC 7143 9.2.1: one secret must not serve both directions, or an impostor needs none; and one of
 * less than 96 bits can be found by trying. The short one is told and used: what the target's
 * administrator chose is not ours to change. */
bool lb_policy_secrets(const struct lb_plan *plan, bool *is_short, struct lb_error *error) {
    const struct lb_config *config = plan->config;
    struct lb_bytes secret = lb_config_secret(config, LB_KEY_CHAP_SECRET);
    *is_short = false;
    if (!lb_config_check(config, error) || is_chap_in_vain(config, error) ||
        !algorithms_are_valid(config, error))
        return false;
    if (!lb_config_has_chap(config, LB_KEY_CHAP_SECRET))
        return true;
    *is_short = !lb_chap_secret_is_long_enough(secret);
    if (!lb_config_has_chap(config, LB_KEY_CHAP_TARGET_SECRET) ||
        !lb_chap_secrets_are_equal(secret, lb_config_secret(config, LB_KEY_CHAP_TARGET_SECRET)))
        return true;
    lb_fail(error, LB_E_CONFIG_VALUE,
            "chap-target-secret is the same as chap-secret; they must differ");
    return false;
}
