#include "core/boot/pump.h"

void lb_pump_init(struct lb_pump *pump, struct lb_boot *boot, struct lb_host *host,
                  struct lb_bytes *pieces, size_t pieces_max) {
    *pump =
        (struct lb_pump){.boot = boot, .host = host, .pieces = pieces, .pieces_max = pieces_max};
}

/* ---- connections ----------------------------------------------------------------------------- */

void lb_pump_connected(struct lb_pump *pump, uint64_t now_us, uint32_t slot) {
    pump->slots[slot] = LB_PUMP_STREAM;
    pump->moves++;
    lb_boot_connected(pump->boot, now_us, slot);
}

void lb_pump_lost(struct lb_pump *pump, uint64_t now_us, uint32_t slot,
                  enum lb_initiator_lost why) {
    pump->slots[slot] = LB_PUMP_FREE;
    pump->moves++;
    lb_boot_lost(pump->boot, now_us, slot, why);
}

void lb_pump_release(struct lb_pump *pump, uint32_t slot) {
    pump->slots[slot] = LB_PUMP_FREE;
}

/* ---- actions --------------------------------------------------------------------------------- */

static void open_slot(struct lb_pump *pump, uint64_t now_us, const struct lb_boot_action *action) {
    bool is_open = lb_host_open(pump->host, now_us, action);
    pump->slots[action->slot] = is_open ? LB_PUMP_DATAGRAM : LB_PUMP_FREE;
}

/* An attempt that fails at once is told of before lb_host_connect returns. */
static void connect_slot(struct lb_pump *pump, uint64_t now_us,
                         const struct lb_boot_action *action) {
    pump->slots[action->slot] = LB_PUMP_CONNECTING;
    lb_host_connect(pump->host, now_us, action);
}

static void close_slot(struct lb_pump *pump, uint32_t slot) {
    lb_host_close(pump->host, slot);
    pump->slots[slot] = LB_PUMP_FREE;
}

void lb_pump_carry_out(struct lb_pump *pump, uint64_t now_us, const struct lb_boot_action *action) {
    pump->moves += action->event != LB_BOOT_WAIT;
    switch (action->event) {
    case LB_BOOT_WAIT:
        pump->until_us = action->until_us;
        return;
    case LB_BOOT_LINK:
        lb_host_link(pump->host, now_us);
        return;
    case LB_BOOT_OPEN:
        open_slot(pump, now_us, action);
        return;
    case LB_BOOT_SEND:
        lb_host_send(pump->host, action);
        return;
    case LB_BOOT_PROBE:
        lb_host_probe(pump->host, now_us, action);
        return;
    case LB_BOOT_SET_ADDRESS:
        lb_host_set_address(pump->host, now_us, action->net);
        return;
    case LB_BOOT_CLEAR_ADDRESS:
        lb_host_clear_address(pump->host);
        return;
    case LB_BOOT_SOURCE:
    case LB_BOOT_PROTECT:
    case LB_BOOT_UNPROTECT:
        lb_host_ipsec(pump->host, now_us, action);
        return;
    case LB_BOOT_CONNECT:
        connect_slot(pump, now_us, action);
        return;
    case LB_BOOT_CLOSE:
        close_slot(pump, action->slot);
        return;
    case LB_BOOT_READY:
    case LB_BOOT_OFFERS:
    case LB_BOOT_FAILED:
    case LB_BOOT_OUT:
        return;
    }
}

static bool is_for_caller(enum lb_boot_event event) {
    return event == LB_BOOT_READY || event == LB_BOOT_OFFERS || event == LB_BOOT_FAILED ||
           event == LB_BOOT_OUT;
}

enum lb_boot_event lb_pump_serve(struct lb_pump *pump, uint64_t now_us) {
    for (;;) {
        struct lb_boot_action action = lb_boot_poll(pump->boot, now_us);
        lb_pump_carry_out(pump, now_us, &action);
        if (action.event == LB_BOOT_WAIT || is_for_caller(action.event))
            return action.event;
    }
}

/* ---- streams --------------------------------------------------------------------------------- */

bool lb_pump_read_slot(struct lb_pump *pump, uint64_t now_us, uint32_t slot) {
    struct lb_span spans[2];
    if (pump->slots[slot] != LB_PUMP_STREAM)
        return false;
    size_t count = lb_boot_where(pump->boot, slot, spans);
    size_t len = count == 0 ? 0 : lb_host_read(pump->host, now_us, slot, spans, count);
    if (len == 0)
        return pump->slots[slot] != LB_PUMP_STREAM;
    pump->moves++;
    lb_boot_got(pump->boot, now_us, slot, len);
    return true;
}

bool lb_pump_write_slot(struct lb_pump *pump, uint64_t now_us, uint32_t slot) {
    if (pump->slots[slot] != LB_PUMP_STREAM)
        return false;
    size_t count = lb_boot_gather(pump->boot, slot, pump->pieces, pump->pieces_max);
    size_t len = count == 0 ? 0 : lb_host_write(pump->host, now_us, slot, pump->pieces, count);
    if (len == 0)
        return pump->slots[slot] != LB_PUMP_STREAM;
    pump->moves++;
    lb_boot_sent(pump->boot, now_us, slot, len);
    return true;
}

bool lb_pump_read(struct lb_pump *pump, uint64_t now_us) {
    bool came = false;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        came = lb_pump_read_slot(pump, now_us, slot) || came;
    return came;
}

static bool write_all(struct lb_pump *pump, uint64_t now_us) {
    bool went = false;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        went = lb_pump_write_slot(pump, now_us, slot) || went;
    return went;
}

bool lb_pump_turn(struct lb_pump *pump, uint64_t now_us, const struct lb_boot_action *action) {
    lb_pump_carry_out(pump, now_us, action);
    if (action->event == LB_BOOT_WAIT)
        return write_all(pump, now_us);
    return !is_for_caller(action->event);
}

enum lb_boot_event lb_pump_run(struct lb_pump *pump, uint64_t now_us) {
    struct lb_boot_action action;
    do
        action = lb_boot_poll(pump->boot, now_us);
    while (lb_pump_turn(pump, now_us, &action));
    return action.event;
}
