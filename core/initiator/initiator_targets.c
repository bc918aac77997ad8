/* SendTargets (RFC 7143 appendix C): the list that the owner of a session asked for. The exchange
 * is initiator_text.c's, which hands over pair by pair. */
#include "core/initiator/initiator_targets.h"
#include "core/initiator/initiator_session.h"
#include "core/names/rootpath.h"

/* ---- addresses ------------------------------------------------------------------------------- */

static size_t find_last(struct lb_bytes text, uint8_t c) {
    size_t at = text.len;
    while (at > 0 && text.p[at - 1] != c)
        at--;
    return at == 0 ? text.len : at - 1;
}

bool lb_initiator_parse_address(struct lb_bytes value, struct lb_endpoint *endpoint,
                                char host[LB_HOST_MAX + 1], int32_t *tpgt) {
    struct lb_host_port got;
    uint64_t tag = 0;
    size_t comma = find_last(value, ',');
    /* Nothing depends on the tag, and some targets say -1. */
    bool has_tag = comma < value.len &&
                   lb_iscsi_parse_number(lb_bytes_after(value, comma + 1), 0, UINT16_MAX, &tag);
    value.len = comma;
    if (!lb_host_port_parse(value, &got))
        return false;
    *endpoint = got.at;
    if (endpoint->port == 0)
        endpoint->port = LB_ISCSI_PORT;
    memcpy(host, got.name, sizeof got.name);
    *tpgt = has_tag ? (int32_t)tag : -1;
    return true;
}

/* ---- what is found -------------------------------------------------------------------------- */

static void add_found(struct lb_initiator_targets *targets, struct lb_endpoint portal,
                      const char *host, int32_t tpgt) {
    bool is_meant =
        targets->look_for.len == 0 || lb_list_has_name(targets->look_for, targets->target);
    if (targets->count >= (is_meant ? targets->cap : targets->cap / 2)) {
        targets->dropped++;
        return;
    }
    struct lb_initiator_found *found = &targets->found[targets->count++];
    *found = (struct lb_initiator_found){.portal = portal, .tpgt = tpgt};
    memcpy(found->target, targets->target, sizeof found->target);
    lb_text_copy(found->host, sizeof found->host, lb_bytes_of_text(host));
}

/* Appendix C.2: a target without an address is here. */
static void end_target(struct lb_initiator_targets *targets) {
    if (targets->has_target && !targets->had_address)
        add_found(targets, targets->peer, "", targets->tpgt);
    targets->has_target = false;
}

static void take_target(struct lb_initiator_targets *targets, uint64_t now_us,
                        struct lb_bytes name) {
    end_target(targets);
    targets->had_address = false;
    targets->has_target =
        lb_iscsi_is_name(name) && lb_text_copy(targets->target, sizeof targets->target, name);
    if (targets->has_target)
        return;
    struct lb_text text = lb_text(targets->bad_name, sizeof targets->bad_name);
    if (targets->invalid++ == 0)
        lb_text_untrusted(&text, name);
    lb_trace(targets->trace, now_us, "iscsi", "a target name that is not valid: left out");
}

static void take_address(struct lb_initiator_targets *targets, uint64_t now_us,
                         struct lb_bytes value) {
    struct lb_endpoint portal;
    char host[LB_HOST_MAX + 1];
    int32_t tpgt;
    if (!targets->has_target)
        return;
    targets->had_address = true;
    if (!lb_initiator_parse_address(value, &portal, host, &tpgt) ||
        lb_addr_is_multicast(portal.addr)) {
        lb_trace(targets->trace, now_us, "iscsi", "a target address that is not valid: left out");
        return;
    }
    /* 0.0.0.0 comes from targets that listen everywhere and do not know where they are. */
    if (host[0] == 0 && lb_addr_is_zero(portal.addr))
        portal.addr = targets->peer.addr;
    add_found(targets, portal, host, tpgt);
}

/* ---- the whole list -------------------------------------------------------------------------- */

void lb_initiator_targets_begin(struct lb_initiator_targets *targets, struct lb_endpoint peer,
                                int32_t tpgt, struct lb_trace *trace) {
    targets->peer = peer;
    targets->tpgt = tpgt;
    targets->trace = trace;
    targets->count = targets->dropped = targets->invalid = 0;
    targets->has_target = false;
}

void lb_initiator_targets_take(struct lb_initiator_targets *targets, uint64_t now_us,
                               const struct lb_iscsi_pair *pair) {
    if (pair->key == LB_ISCSI_KEY_TARGET_NAME)
        take_target(targets, now_us, pair->value);
    else if (pair->key == LB_ISCSI_KEY_TARGET_ADDRESS)
        take_address(targets, now_us, pair->value);
}

void lb_initiator_targets_end(struct lb_initiator_targets *targets) {
    end_target(targets);
    targets->is_done = true;
}

size_t lb_initiator_targets_invalid(const struct lb_initiator_targets *targets,
                                    const char **first) {
    *first = targets->bad_name;
    return targets->invalid;
}

int32_t lb_initiator_targets_count(const struct lb_initiator_targets *targets, size_t *dropped) {
    *dropped = targets->dropped;
    return targets->is_done ? (int32_t)targets->count : -1;
}
