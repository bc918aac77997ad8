#include "core/boot/login.h"
#include "core/boot/policy.h"

static enum lb_digest_want digest_want(const struct lb_config *config, enum lb_key key,
                                       const char *word) {
    const char *value = lb_config_text(config, key);
    if (lb_config_requires(config, word) || lb_streq(value, "crc32c"))
        return LB_DIGEST_CRC32C;
    return lb_streq(value, "prefer") ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
}

/* RFC 7143 10.12.5: type "random", but the same at each boot of a machine, so that a login after a
 * crash takes the place of the session before it. The qualifier is 0, and 1 on a machine that is
 * up: there the session of the boot may be the one that its root file system lives on. */
static void choose_isid(const struct lb_plan *plan, uint8_t isid[6]) {
    if (lb_config_bytes(plan->config, LB_KEY_ISID, lb_span(isid, 6)))
        return;
    const uint8_t *mac = plan->mac;
    const uint8_t qualifier = plan->network_is_up ? 1 : 0;
    const uint8_t made[6] = {0x80, mac[3], mac[4], mac[5], 0, qualifier};
    memcpy(isid, made, sizeof made);
}

static void chap_text(const struct lb_plan *plan, const char *target, enum lb_key key, char *out,
                      size_t cap) {
    if (lb_policy_has_chap(plan, target, key))
        lb_text_copy(out, cap, lb_bytes_of_text(lb_config_text(plan->config, key)));
}

static size_t chap_secret(const struct lb_plan *plan, const char *target, enum lb_key key,
                          uint8_t *out, size_t cap) {
    struct lb_bytes secret = lb_config_secret(plan->config, key);
    size_t len = lb_policy_has_chap(plan, target, key) ? LB_MIN(secret.len, cap) : 0;
    memcpy(out, secret.p, len);
    return len;
}

static void add_chap(const struct lb_plan *plan, struct lb_initiator_config *out) {
    const char *target = out->target;
    chap_text(plan, target, LB_KEY_CHAP_NAME, out->chap_name, sizeof out->chap_name);
    chap_text(plan, target, LB_KEY_CHAP_TARGET_NAME, out->chap_target_name,
              sizeof out->chap_target_name);
    out->chap_secret_len =
        chap_secret(plan, target, LB_KEY_CHAP_SECRET, out->chap_secret, sizeof out->chap_secret);
    out->chap_target_secret_len =
        chap_secret(plan, target, LB_KEY_CHAP_TARGET_SECRET, out->chap_target_secret,
                    sizeof out->chap_target_secret);
    out->require_mutual = lb_policy_requires_chap(plan, target, true);
    out->require_chap = out->require_mutual || lb_policy_requires_chap(plan, target, false);
}

bool lb_login_config(const struct lb_plan *plan, const struct lb_choice *choice,
                     const char *initiator, struct lb_initiator_config *out,
                     struct lb_error *error) {
    const struct lb_config *config = plan->config;
    const struct lb_rootpath *target = &choice->target;
    uint16_t port = target->port != 0 ? target->port : LB_ISCSI_PORT;
    *out = (struct lb_initiator_config){
        .portal = {.addr = target->addr, .port = port},
        .header_digest = digest_want(config, LB_KEY_HEADER_DIGEST, "header-digest"),
        .data_digest = digest_want(config, LB_KEY_DATA_DIGEST, "data-digest"),
        .queue_depth = lb_config_u32(config, LB_KEY_QUEUE_DEPTH),
        .connect_ms = lb_config_u32(config, LB_KEY_CONNECT_TIMEOUT),
        .hurry_ms = lb_config_u32(config, LB_KEY_PORTAL_TIMEOUT),
        .login_ms = lb_config_u32(config, LB_KEY_LOGIN_TIMEOUT),
        .task_ms = lb_config_u32(config, LB_KEY_TASK_TIMEOUT),
        .ping_ms = lb_config_u32(config, LB_KEY_PING_INTERVAL),
        .recovery_ms = lb_config_u32(config, LB_KEY_RECOVERY_TIME),
        .recover = true,
    };
    if (target->host == LB_HOST_NAME)
        memcpy(out->host, target->name, sizeof out->host);
    lb_text_copy(out->initiator, sizeof out->initiator, lb_bytes_of_text(initiator));
    memcpy(out->target, target->target, sizeof out->target);
    choose_isid(plan, out->isid);
    add_chap(plan, out);
    const char *algorithms = lb_config_text(config, LB_KEY_CHAP_ALGORITHMS);
    if (lb_chap_parse_algs(lb_bytes_of_text(algorithms), &out->chap_algs))
        return true;
    lb_fail(error, LB_E_CONFIG_VALUE, "chap-algorithms=%s", algorithms);
    return false;
}
