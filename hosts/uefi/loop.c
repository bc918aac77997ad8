#include "hosts/uefi/loop.h"
#include "hosts/uefi/net.h"

#define RX_BYTES      (256 * 1024)
#define TRACE_BYTES   (64 * 1024)
#define PROBE_US      (100 * LB_US_MS) /* how long an ARP probe's answer is awaited, as on Linux */
#define LINK_CHECK_US (100 * LB_US_MS)
#define ACTIONS_MAX   64 /* in one turn */

static struct {
    struct lb_boot *engine;
    struct nic nic;
    struct lb_rand rand;
    uint8_t *rx, *trace_ring;
    enum loop_state state;
    struct lb_addr probe;
    bool link_wanted, probing, resolving, stream_wanted, stream_was_open;
    uint32_t dhcp_slot, stream_slot;
    uint64_t probe_until_us, link_check_us;
} loop;

struct lb_boot *loop_engine(void) {
    return loop.engine;
}

struct nic *loop_nic(void) {
    return &loop.nic;
}

enum loop_state loop_state(void) {
    return loop.state;
}

/* ---- what the engine asks for ------------------------------------------------------------------
 */

static void set_address(const struct lb_boot_net *config) {
    net_set_address(config);
    lb_boot_address_set(loop.engine, clock_us(), NULL);
}

static void open_slot(const struct lb_boot_action *action) {
    struct lb_error error = {.code = LB_OK};
    loop.dhcp_slot = action->slot;
    if (net_dhcp_open())
        return;
    lb_fail(&error, LB_E_HOST_NETWORK, "no memory for a socket");
    lb_boot_host_failed(loop.engine, clock_us(), &error);
}

static void close_slot(uint32_t slot) {
    if (slot == loop.dhcp_slot) {
        net_dhcp_close();
    } else {
        net_stream_close();
        loop.stream_wanted = false;
    }
}

static void begin_connect(const struct lb_boot_action *action) {
    loop.stream_slot = action->slot;
    loop.stream_wanted = true;
    loop.stream_was_open = false;
    net_connect(action->to);
}

static void begin_probe(struct lb_addr addr) {
    net_probe(addr);
    loop.probe = addr;
    loop.probing = true;
    loop.probe_until_us = clock_us() + PROBE_US;
}

/* False: the engine has nothing more to ask for now. */
static bool carry_out(const struct lb_boot_action *action) {
    switch (action->event) {
    case LB_BOOT_WAIT:
        return false;
    case LB_BOOT_LINK:
        loop.link_wanted = true;
        loop.link_check_us = 0;
        return true;
    case LB_BOOT_OPEN:
        open_slot(action);
        return true;
    case LB_BOOT_SEND:
        net_dhcp_send(action->bytes, action->from, action->to);
        return true;
    case LB_BOOT_PROBE:
        begin_probe(action->probe);
        return true;
    case LB_BOOT_SET_ADDRESS:
        set_address(action->net);
        return true;
    case LB_BOOT_CLEAR_ADDRESS:
        net_clear_address();
        return true;
    case LB_BOOT_RESOLVE:
        net_resolve(action->name);
        loop.resolving = true;
        return true;
    case LB_BOOT_CONNECT:
        begin_connect(action);
        return true;
    case LB_BOOT_CLOSE:
        close_slot(action->slot);
        return true;
    case LB_BOOT_READY:
        loop.state = LOOP_READY;
        return true;
    case LB_BOOT_FAILED:
        loop.state = LOOP_FAILED;
        return true;
    case LB_BOOT_OUT:
        loop.state = LOOP_OUT;
        return true;
    case LB_BOOT_OFFERS:
        return true;
    }
    return false;
}

static bool run_engine(void) {
    bool moved = false;
    for (unsigned i = 0; i < ACTIONS_MAX; i++) {
        struct lb_boot_action action = lb_boot_poll(loop.engine, clock_us());
        if (!carry_out(&action))
            break;
        moved = true;
    }
    return moved;
}

/* ---- what happened -----------------------------------------------------------------------------
 */

static void tell_link(void) {
    uint64_t now_us = clock_us();
    if (!loop.link_wanted || now_us < loop.link_check_us)
        return;
    loop.link_check_us = now_us + LINK_CHECK_US;
    lb_boot_link(loop.engine, now_us, nic_has_link(&loop.nic));
}

static void tell_datagrams(void) {
    uint8_t bytes[1500];
    size_t len;
    struct lb_endpoint from;
    while (net_dhcp_receive(lb_span(bytes, sizeof bytes), &len, &from))
        lb_boot_datagram(loop.engine, clock_us(), loop.dhcp_slot, from, lb_bytes(bytes, len));
}

static void tell_probe(void) {
    if (!loop.probing || (!net_probe_answered() && clock_us() < loop.probe_until_us))
        return;
    loop.probing = false;
    lb_boot_probed(loop.engine, clock_us(), loop.probe, net_probe_answered());
}

static void tell_name(void) {
    struct lb_addr addr;
    if (!loop.resolving)
        return;
    enum net_resolved result = net_resolve_result(&addr);
    if (result == NET_RESOLVING)
        return;
    loop.resolving = false;
    lb_boot_resolved(loop.engine, clock_us(), &addr, result == NET_RESOLVED ? 1 : 0);
}

static bool receive(void) {
    struct lb_span spans[2];
    bool moved = false;
    for (;;) {
        size_t count = lb_boot_where(loop.engine, loop.stream_slot, spans);
        size_t len = count == 0 ? 0 : net_stream_read(spans, count);
        if (len == 0)
            return moved;
        lb_boot_got(loop.engine, clock_us(), loop.stream_slot, len);
        moved = true;
    }
}

static bool send(void) {
    struct lb_bytes pieces[32];
    bool moved = false;
    for (;;) {
        size_t count = lb_boot_gather(loop.engine, loop.stream_slot, pieces, LB_COUNT(pieces));
        size_t len = count == 0 ? 0 : net_stream_write(pieces, count);
        if (len == 0)
            return moved;
        lb_boot_sent(loop.engine, clock_us(), loop.stream_slot, len);
        moved = true;
    }
}

static bool tell_stream(void) {
    enum lb_iscsi_lost why;
    bool moved = false;
    if (!loop.stream_wanted)
        return false;
    if (loop.stream_was_open)
        moved = receive();
    enum net_stream state = net_stream_state(&why);
    if (state == NET_OPEN && !loop.stream_was_open) {
        loop.stream_was_open = true;
        lb_boot_connected(loop.engine, clock_us(), loop.stream_slot);
        return true;
    }
    if (state == NET_CLOSED) {
        loop.stream_wanted = false;
        lb_boot_lost(loop.engine, clock_us(), loop.stream_slot, why);
        return true;
    }
    return moved;
}

bool loop_turn(void) {
    bool moved = net_poll();
    tell_link();
    tell_datagrams();
    tell_probe();
    tell_name();
    moved = tell_stream() || moved;
    moved = run_engine() || moved;
    if (loop.stream_wanted && loop.stream_was_open)
        moved = send() || moved;
    net_flush();
    return moved;
}

/* ---- beginning and end -------------------------------------------------------------------------
 */

static bool get_memory(void) {
    if (loop.engine == NULL) {
        loop.engine = uefi_alloc(sizeof *loop.engine);
        loop.rx = uefi_alloc(RX_BYTES);
        loop.trace_ring = uefi_alloc(TRACE_BYTES);
    }
    return loop.engine != NULL && loop.rx != NULL && loop.trace_ring != NULL;
}

bool loop_start(EFI_HANDLE card, unsigned number, const struct lb_config *config,
                const uint8_t uuid[16], const struct lb_dhcp4_lease *lease_or_null,
                struct lb_error *why) {
    struct lb_boot_setup setup = {.config = config, .goal = LB_GOAL_DISK, .lease4 = lease_or_null};
    uint8_t seed[32];
    if (!get_memory()) {
        lb_fail(why, LB_E_INTERNAL, "no memory");
        return false;
    }
    EFI_STATUS status = nic_open(&loop.nic, card, number);
    if (EFI_ERROR(status)) {
        lb_fail(why, LB_E_HOST_NETWORK, "taking net%u: %s", number, status_word(status));
        return false;
    }
    seed_fill(seed);
    lb_rand_init(&loop.rand, seed);
    if (!net_open(&loop.nic, &loop.rand)) {
        nic_close(&loop.nic);
        lb_fail(why, LB_E_INTERNAL, "no memory for the network");
        return false;
    }
    lb_rand_fill(&loop.rand, lb_span(setup.seed, sizeof setup.seed));
    lb_wipe(seed, sizeof seed);
    setup.interface = loop.nic.name;
    memcpy(setup.mac, loop.nic.mac, 6);
    memcpy(setup.uuid, uuid, 16);
    setup.rx = lb_span(loop.rx, RX_BYTES);
    setup.trace_ring = lb_span(loop.trace_ring, TRACE_BYTES);
    loop.state = LOOP_RUNS;
    loop.link_wanted = loop.probing = loop.resolving = loop.stream_wanted = false;
    loop.dhcp_slot = loop.stream_slot = LB_BOOT_NO_SLOT;
    lb_boot_init(loop.engine, clock_us(), &setup);
    lb_wipe(setup.seed, sizeof setup.seed);
    return true;
}

void loop_abandon(void) {
    net_close();
    nic_close(&loop.nic);
}

void loop_stop(void) {
    uint64_t until_us = clock_us() + 3 * LB_US_SEC;
    lb_boot_stop(loop.engine, clock_us(), false);
    while (loop.state != LOOP_OUT && loop.state != LOOP_FAILED && clock_us() < until_us)
        loop_turn();
    loop_abandon();
}
