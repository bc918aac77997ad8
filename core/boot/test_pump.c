/* The pump: a whole boot over it, with a wire that a test makes narrow, and cuts. */
#include "core/boot/pump.h"
#include "core/boot/test_boot_host.h"

static struct lb_pump pump;
static struct lb_bytes pieces[8];
static struct lb_disk_op op;
static uint8_t block[512];

static struct {
    size_t part_max; /* of one read or write; 0: as much as there is */
    bool has_no_sockets, refuses, is_cut, is_late;
    unsigned reads, writes, closes, ipsec;
} wire;

/* ---- the host's functions -------------------------------------------------------------------- */

static void carry_out(enum lb_boot_event event, const struct lb_boot_action *action) {
    CHECK_EQ(action->event, event);
    host_carry_out(action);
}

void lb_host_link(struct lb_host *owner, uint64_t now_us) {
    CHECK(owner == (struct lb_host *)(void *)&wire);
    CHECK_EQ(now_us, host.now);
    lb_boot_link(&host.boot, now_us, host.has_link);
}

bool lb_host_open(struct lb_host *owner, uint64_t now_us, const struct lb_boot_action *action) {
    (void)owner;
    (void)now_us;
    CHECK_EQ(action->event, LB_BOOT_OPEN);
    return !wire.has_no_sockets;
}

void lb_host_send(struct lb_host *owner, const struct lb_boot_action *action) {
    (void)owner;
    carry_out(LB_BOOT_SEND, action);
}

void lb_host_probe(struct lb_host *owner, uint64_t now_us, const struct lb_boot_action *action) {
    (void)owner;
    (void)now_us;
    carry_out(LB_BOOT_PROBE, action);
}

void lb_host_set_address(struct lb_host *owner, uint64_t now_us, const struct lb_boot_net *net) {
    (void)owner;
    (void)now_us;
    host_set_address(net);
}

void lb_host_clear_address(struct lb_host *owner) {
    (void)owner;
    host.has_address = false;
}

void lb_host_connect(struct lb_host *owner, uint64_t now_us, const struct lb_boot_action *action) {
    struct portal *portal = host_find_portal(action->to);
    (void)owner;
    CHECK_EQ(pump.slots[action->slot], LB_PUMP_CONNECTING);
    host.connect_count++;
    if (wire.refuses || portal == NULL) {
        lb_pump_lost(&pump, now_us, action->slot, LB_LOST_REFUSED);
        return;
    }
    host.peer = portal;
    lb_target_conn_init(&host.conn, now_us, &portal->server, portal->at, &host.rand, NULL);
    if (!wire.is_late)
        lb_pump_connected(&pump, now_us, action->slot);
}

void lb_host_close(struct lb_host *owner, uint32_t slot) {
    (void)owner;
    wire.closes++;
    if (slot == LB_BOOT_SLOT_SESSION)
        host_hang_up();
}

void lb_host_ipsec(struct lb_host *owner, uint64_t now_us, const struct lb_boot_action *action) {
    (void)owner;
    (void)now_us;
    wire.ipsec += UINT32_C(1) << action->event;
}

/* Copies what fits through the wire at once. */
static size_t carry(const struct lb_span *spans, size_t rooms, const struct lb_bytes *from,
                    size_t count) {
    struct lb_bytes first = {.p = NULL, .len = 0};
    if (wire.part_max == 0)
        return host_copy(spans, rooms, from, count);
    if (count > 0)
        first = lb_bytes(from[0].p, LB_MIN(from[0].len, wire.part_max));
    return host_copy(spans, rooms, &first, LB_MIN(count, 1));
}

size_t lb_host_read(struct lb_host *owner, uint64_t now_us, uint32_t slot,
                    const struct lb_span *spans, size_t count) {
    struct lb_bytes from[16];
    (void)owner;
    CHECK_EQ(slot, LB_BOOT_SLOT_SESSION);
    wire.reads++;
    if (wire.is_cut) {
        host_hang_up();
        lb_pump_lost(&pump, now_us, slot, LB_LOST_CLOSED);
        return 0;
    }
    size_t len = carry(spans, count, from, lb_target_gather(&host.conn, from, 16));
    if (len > 0)
        lb_target_sent(&host.conn, now_us, len);
    return len;
}

size_t lb_host_write(struct lb_host *owner, uint64_t now_us, uint32_t slot,
                     const struct lb_bytes *from, size_t count) {
    struct lb_span spans[2];
    (void)owner;
    CHECK_EQ(slot, LB_BOOT_SLOT_SESSION);
    CHECK(count <= LB_COUNT(pieces));
    wire.writes++;
    lb_target_rooms_lend(&host.target_rooms, &host.conn, now_us, LB_TARGET_STAGING);
    size_t len = carry(spans, lb_target_where(&host.conn, spans), from, count);
    if (len > 0)
        lb_target_got(&host.conn, now_us, len);
    return len;
}

/* ---- running --------------------------------------------------------------------------------- */

static bool target_turn(uint64_t *until_us) {
    *until_us = LB_NEVER;
    if (host.peer == NULL)
        return false;
    struct lb_target_action action = lb_target_poll(&host.conn, host.now);
    if (action.event == LB_TARGET_LEND)
        lb_target_rooms_lend(&host.target_rooms, &host.conn, host.now, action.role);
    else if (action.event == LB_TARGET_IO)
        host_io(action.io);
    else
        *until_us = action.until_us;
    return action.event == LB_TARGET_LEND || action.event == LB_TARGET_IO;
}

static enum lb_boot_event turn(void) {
    uint64_t target_us;
    enum lb_boot_event event = lb_pump_run(&pump, host.now);
    if (event != LB_BOOT_WAIT)
        return event;
    bool moved = target_turn(&target_us);
    moved = lb_pump_read(&pump, host.now) || moved;
    if (!moved && !host_deliver())
        host.now =
            LB_MAX(host.now + 1, LB_MIN(LB_MIN(pump.until_us, target_us), host_deliver_us()));
    return event;
}

static enum lb_boot_event until_event(void) {
    for (unsigned turns = 0; turns < 20000; turns++) {
        enum lb_boot_event event = turn();
        if (event != LB_BOOT_WAIT)
            return event;
    }
    return LB_BOOT_WAIT;
}

static void begin(void) {
    memset(&wire, 0, sizeof wire);
    host_init();
    for (size_t i = 0; i < HOST_DISK_BYTES; i++)
        host.disk[i] = (uint8_t)(i / 512 * 5 + i % 512);
    host_begin();
    lb_pump_init(&pump, &host.boot, (struct lb_host *)(void *)&wire, pieces, LB_COUNT(pieces));
}

static void submit(void) {
    memset(block, 0, sizeof block);
    op = (struct lb_disk_op){.kind = LB_DISK_READ, .lba = 9, .blocks = 1, .buffer = block};
    lb_boot_submit(&host.boot, host.now, &op);
}

static void check_read(void) {
    bool has_ended = false;
    for (unsigned turns = 0; turns < 20000 && !has_ended; turns++) {
        turn();
        has_ended = lb_boot_completed(&host.boot) != NULL;
    }
    CHECK(has_ended && lb_is_ok(&op.error));
    CHECK_BYTES(lb_bytes(block, sizeof block), lb_bytes(host.disk + 9 * 512, 512));
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_boot_runs_over_the_pump(void) {
    begin();
    CHECK_EQ(until_event(), LB_BOOT_READY);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_DHCP4], LB_PUMP_DATAGRAM);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_SESSION], LB_PUMP_STREAM);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_ISNS], LB_PUMP_FREE);
    CHECK_EQ(lb_pump_run(&pump, host.now), LB_BOOT_WAIT); /* READY comes once */
    CHECK(pump.until_us > host.now);
    submit();
    check_read();
    lb_boot_stop(&host.boot, host.now, true);
    CHECK_EQ(until_event(), LB_BOOT_OUT);
    for (size_t i = 0; i < LB_BOOT_SLOTS_MAX; i++)
        CHECK_EQ(pump.slots[i], LB_PUMP_FREE);
}

static void a_narrow_wire_carries_all_of_it_in_parts(void) {
    begin();
    wire.part_max = 7;
    CHECK_EQ(until_event(), LB_BOOT_READY);
    submit();
    check_read();
    CHECK(wire.reads > 512 / 7);
    CHECK(wire.writes > 48 / 7);
}

static void serve_sends_nothing_on_streams(void) {
    begin();
    CHECK_EQ(until_event(), LB_BOOT_READY);
    submit();
    unsigned before = wire.writes;
    CHECK_EQ(lb_pump_serve(&pump, host.now), LB_BOOT_WAIT);
    CHECK_EQ(wire.writes, before);
    CHECK_EQ(lb_pump_run(&pump, host.now), LB_BOOT_WAIT);
    CHECK_EQ(wire.writes, before + 1);
}

static void a_connection_that_fails_at_once_leaves_its_slot_free(void) {
    begin();
    host_set("attempts", "1");
    host_begin();
    wire.refuses = true;
    CHECK_EQ(until_event(), LB_BOOT_FAILED);
    CHECK_EQ(host.connect_count, 1);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_SESSION], LB_PUMP_FREE);
    CHECK_EQ(wire.reads + wire.writes, 0);
}

static void while_it_connects_nothing_is_read_or_written(void) {
    begin();
    wire.is_late = true;
    for (unsigned turns = 0; host.connect_count == 0 && turns < 1000; turns++)
        CHECK_EQ(turn(), LB_BOOT_WAIT);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_SESSION], LB_PUMP_CONNECTING);
    CHECK(!lb_pump_read(&pump, host.now));
    CHECK(!lb_pump_write_slot(&pump, host.now, LB_BOOT_SLOT_SESSION));
    CHECK_EQ(wire.reads + wire.writes, 0);
    lb_pump_connected(&pump, host.now, LB_BOOT_SLOT_SESSION);
    CHECK_EQ(until_event(), LB_BOOT_READY);
}

static void a_connection_that_ends_in_a_read_comes_again(void) {
    begin();
    CHECK_EQ(until_event(), LB_BOOT_READY);
    submit();
    wire.is_cut = true;
    uint64_t moves = pump.moves;
    CHECK(lb_pump_read_slot(&pump, host.now, LB_BOOT_SLOT_SESSION));
    CHECK_EQ(pump.moves, moves + 1);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_SESSION], LB_PUMP_FREE);
    unsigned reads = wire.reads;
    CHECK(!lb_pump_read_slot(&pump, host.now, LB_BOOT_SLOT_SESSION));
    CHECK_EQ(wire.reads, reads);
    wire.is_cut = false;
    check_read();
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 2);
}

static void what_was_handed_over_is_not_touched(void) {
    begin();
    CHECK_EQ(until_event(), LB_BOOT_READY);
    unsigned reads = wire.reads, closes = wire.closes;
    lb_pump_release(&pump, LB_BOOT_SLOT_SESSION);
    CHECK(!lb_pump_read(&pump, host.now));
    CHECK_EQ(wire.reads, reads);
    CHECK_EQ(wire.closes, closes);
}

static void a_socket_that_cannot_be_opened_leaves_its_slot_free(void) {
    struct lb_boot_action action = {.event = LB_BOOT_OPEN, .slot = LB_BOOT_SLOT_ND6};
    begin();
    lb_pump_carry_out(&pump, host.now, &action);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_ND6], LB_PUMP_DATAGRAM);
    wire.has_no_sockets = true;
    lb_pump_carry_out(&pump, host.now, &action);
    CHECK_EQ(pump.slots[LB_BOOT_SLOT_ND6], LB_PUMP_FREE);
}

static void what_ipsec_asks_goes_to_one_function(void) {
    static const enum lb_boot_event asked[] = {LB_BOOT_SOURCE, LB_BOOT_PROTECT, LB_BOOT_UNPROTECT};
    begin();
    for (size_t i = 0; i < LB_COUNT(asked); i++)
        lb_pump_carry_out(&pump, host.now, &(struct lb_boot_action){.event = asked[i]});
    CHECK_EQ(wire.ipsec, 1u << LB_BOOT_SOURCE | 1u << LB_BOOT_PROTECT | 1u << LB_BOOT_UNPROTECT);
    CHECK_EQ(pump.moves, 3);
}

int main(void) {
    TEST(a_boot_runs_over_the_pump);
    TEST(a_narrow_wire_carries_all_of_it_in_parts);
    TEST(serve_sends_nothing_on_streams);
    TEST(a_connection_that_fails_at_once_leaves_its_slot_free);
    TEST(while_it_connects_nothing_is_read_or_written);
    TEST(a_connection_that_ends_in_a_read_comes_again);
    TEST(what_was_handed_over_is_not_touched);
    TEST(a_socket_that_cannot_be_opened_leaves_its_slot_free);
    TEST(what_ipsec_asks_goes_to_one_function);
    return tap_done();
}
