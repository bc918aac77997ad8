/* The host's word about a slot goes to the part of the engine that asked. */
#include "core/boot/boot_state.h"

/* ---- slots ---------------------------------------------------------------------------------- */

static bool is_of_session(const struct lb_boot *boot, uint32_t slot) {
    return slot == LB_BOOT_SLOT_SESSION && boot->path.runs;
}

static bool is_of_discovery(uint32_t slot) {
    return slot >= LB_BOOT_SLOT_SLP4 && slot <= LB_BOOT_SLOT_TARGETS;
}

void lb_boot_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot) {
    if (lb_names_has_slot(slot))
        lb_names_connected(&boot->names, now_us, slot);
    if (is_of_session(boot, slot))
        lb_initiator_connected(&boot->path.session, now_us);
    else if (is_of_discovery(slot))
        lb_finder_connected(&boot->finder, now_us, slot);
}

void lb_boot_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                  enum lb_initiator_lost why) {
    if (lb_names_has_slot(slot))
        lb_names_lost(&boot->names, now_us, slot);
    if (is_of_discovery(slot))
        lb_finder_lost(&boot->finder, now_us, slot, why);
    if (slot == LB_BOOT_SLOT_SESSION)
        lb_path_lost(&boot->path, now_us, why);
}

size_t lb_boot_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]) {
    if (lb_names_has_slot(slot))
        return lb_names_where(&boot->names, slot, spans);
    if (is_of_session(boot, slot))
        return lb_initiator_where(&boot->path.session, spans);
    return is_of_discovery(slot) ? lb_finder_where(&boot->finder, slot, spans) : 0;
}

void lb_boot_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (lb_names_has_slot(slot))
        lb_names_got(&boot->names, now_us, slot, len);
    if (is_of_session(boot, slot))
        lb_initiator_got(&boot->path.session, now_us, len);
    else if (is_of_discovery(slot))
        lb_finder_got(&boot->finder, now_us, slot, len);
}

size_t lb_boot_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces, size_t cap) {
    if (lb_names_has_slot(slot))
        return lb_names_gather(&boot->names, slot, pieces, cap);
    if (is_of_session(boot, slot))
        return lb_initiator_gather(&boot->path.session, pieces, cap);
    return is_of_discovery(slot) ? lb_finder_gather(&boot->finder, slot, pieces, cap) : 0;
}

void lb_boot_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (lb_names_has_slot(slot))
        lb_names_sent(&boot->names, now_us, slot, len);
    if (is_of_session(boot, slot))
        lb_initiator_sent(&boot->path.session, now_us, len);
    else if (is_of_discovery(slot))
        lb_finder_sent(&boot->finder, now_us, slot, len);
}

void lb_boot_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot, struct lb_endpoint from,
                      struct lb_bytes bytes) {
    if (lb_names_has_slot(slot))
        lb_names_datagram(&boot->names, now_us, from, bytes);
    else if (slot == LB_BOOT_SLOT_IPSEC4 || slot == LB_BOOT_SLOT_IPSEC6)
        lb_shield_datagram(&boot->shield, now_us, from, bytes);
    else if (is_of_discovery(slot))
        lb_finder_datagram(&boot->finder, now_us, slot, from, bytes);
    else
        lb_boot_network_datagram(boot, now_us, slot, from, bytes);
}
