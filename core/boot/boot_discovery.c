/* The Discovery stage. */
#include "core/boot/boot_state.h"

void lb_discovery_stage_stop(struct lb_boot *boot) {
    (void)boot;
}

enum lb_turn lb_discovery_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                     struct lb_boot_action *action) {
    (void)boot, (void)now_us, (void)action;
    return LB_TURN_IDLE;
}

void lb_discovery_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot) {
    (void)boot, (void)now_us, (void)slot;
}

void lb_discovery_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                       enum lb_iscsi_lost why) {
    (void)boot, (void)now_us, (void)slot, (void)why;
}

size_t lb_discovery_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]) {
    (void)boot, (void)slot, (void)spans;
    return 0;
}

void lb_discovery_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    (void)boot, (void)now_us, (void)slot, (void)len;
}

size_t lb_discovery_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces,
                           size_t cap) {
    (void)boot, (void)slot, (void)pieces, (void)cap;
    return 0;
}

void lb_discovery_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    (void)boot, (void)now_us, (void)slot, (void)len;
}

void lb_discovery_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                           struct lb_endpoint from, struct lb_bytes bytes) {
    (void)boot, (void)now_us, (void)slot, (void)from, (void)bytes;
}

void lb_discovery_resolved(struct lb_boot *boot, uint64_t now_us, enum lb_asker asker,
                           const struct lb_addr *addrs, size_t count) {
    (void)boot, (void)now_us, (void)asker, (void)addrs, (void)count;
}

static void add_named(struct lb_boot *boot, uint64_t now_us) {
    struct lb_candidate named = {
        .service = boot->server_from_network ? LB_BY_ROOTPATH : LB_BY_CONFIG,
        .at = boot->wanted,
        .portal_group = -1,
        .boot_list = true,
    };
    lb_format(named.source, sizeof named.source, "%s", boot->target_source);
    lb_candidates_add(boot, now_us, &named);
}

void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us) {
    lb_candidates_clear(boot);
    boot->wanted = boot->target;
    if (boot->setup.goal == LB_GOAL_TARGETS && boot->target.host != LB_HOST_NONE) {
        lb_session_list_start(boot, now_us);
        return;
    }
    if (boot->has_target) {
        add_named(boot, now_us);
        lb_session_stage_start(boot, now_us);
        return;
    }
    lb_fail(&boot->error, boot->target.target[0] == '\0' ? LB_E_NO_ROOT_PATH : LB_E_NO_SERVER,
            "nothing is configured that names it, and DHCP was not asked");
    lb_boot_attempt_failed(boot, now_us);
}
