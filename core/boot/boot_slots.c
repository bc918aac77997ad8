/* The host's word about a slot, or about a name, goes to the part of the engine that asked. */
#include "core/boot/boot_state.h"

/* ---- slots -------------------------------------------------------------------------------------
 */

static bool is_of_session(const struct lb_boot *boot, uint32_t slot) {
    return slot == LB_BOOT_SLOT_SESSION && boot->session_runs;
}

static bool is_of_discovery(uint32_t slot) {
    return slot >= LB_BOOT_SLOT_SLP4 && slot <= LB_BOOT_SLOT_TARGETS;
}

void lb_boot_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot) {
    if (is_of_session(boot, slot))
        lb_iscsi_connected(&boot->session, now_us);
    else if (is_of_discovery(slot))
        lb_discovery_connected(boot, now_us, slot);
}

void lb_boot_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot, enum lb_iscsi_lost why) {
    if (is_of_discovery(slot))
        lb_discovery_lost(boot, now_us, slot, why);
    if (slot != LB_BOOT_SLOT_SESSION || !boot->slot_open)
        return;
    boot->slot_open = false;
    if (boot->session_runs)
        lb_iscsi_lost(&boot->session, now_us, why);
}

size_t lb_boot_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]) {
    if (is_of_session(boot, slot))
        return lb_iscsi_where(&boot->session, spans);
    return is_of_discovery(slot) ? lb_discovery_where(boot, slot, spans) : 0;
}

void lb_boot_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (is_of_session(boot, slot))
        lb_iscsi_got(&boot->session, now_us, len);
    else if (is_of_discovery(slot))
        lb_discovery_got(boot, now_us, slot, len);
}

size_t lb_boot_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces, size_t cap) {
    if (is_of_session(boot, slot))
        return lb_iscsi_gather(&boot->session, pieces, cap);
    return is_of_discovery(slot) ? lb_discovery_gather(boot, slot, pieces, cap) : 0;
}

void lb_boot_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (is_of_session(boot, slot))
        lb_iscsi_sent(&boot->session, now_us, len);
    else if (is_of_discovery(slot))
        lb_discovery_sent(boot, now_us, slot, len);
}

void lb_boot_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot, struct lb_endpoint from,
                      struct lb_bytes bytes) {
    if (is_of_discovery(slot))
        lb_discovery_datagram(boot, now_us, slot, from, bytes);
    else
        lb_network_datagram(boot, now_us, slot, from, bytes);
}

/* ---- names -------------------------------------------------------------------------------------
 * They are looked up one at a time, in the order in which they were asked for. */

void lb_resolve_cancel(struct lb_boot *boot, enum lb_asker asker) {
    size_t kept = 0;
    if (boot->lookup_count > 0 && boot->lookups[0].asker == asker)
        boot->looking_up = false; /* the next RESOLVE takes its place */
    for (size_t i = 0; i < boot->lookup_count; i++)
        if (boot->lookups[i].asker != asker)
            boot->lookups[kept++] = boot->lookups[i];
    boot->lookup_count = kept;
}

void lb_resolve_name(struct lb_boot *boot, enum lb_asker asker, const char *name) {
    lb_resolve_cancel(boot, asker);
    lb_assert(boot->lookup_count < LB_ASKERS);
    boot->lookups[boot->lookup_count++] = (struct lb_lookup){.asker = asker, .name = name};
}

enum lb_turn lb_resolve_turn(struct lb_boot *boot, struct lb_boot_action *action) {
    if (boot->looking_up || boot->lookup_count == 0)
        return LB_TURN_IDLE;
    boot->looking_up = true;
    *action = (struct lb_boot_action){
        .event = LB_BOOT_RESOLVE, .slot = LB_BOOT_NO_SLOT, .name = boot->lookups[0].name};
    return LB_TURN_ACT;
}

void lb_boot_resolved(struct lb_boot *boot, uint64_t now_us, const struct lb_addr *addrs,
                      size_t count) {
    if (!boot->looking_up)
        return;
    enum lb_asker asker = boot->lookups[0].asker;
    struct lb_addr sorted[LB_PORTALS_MAX];
    count = LB_MIN(count, LB_PORTALS_MAX);
    for (size_t i = 0; i < count; i++)
        sorted[i] = addrs[i];
    count = lb_net_sort(boot, sorted, count);
    lb_resolve_cancel(boot, asker);
    if (asker != LB_ASKER_SESSION)
        lb_discovery_resolved(boot, now_us, asker, sorted, count);
    else if (boot->session_runs)
        lb_iscsi_resolved(&boot->session, now_us, sorted,
                          lb_policy_resolved(boot, now_us, sorted, count));
}
