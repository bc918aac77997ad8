#include "hosts/uefi/loop.h"
#include "hosts/uefi/entropy.h"
#include "hosts/uefi/net.h"
#include "hosts/uefi/silence.h"
#include "hosts/uefi/variable.h"

#define RX_BYTES      (256 * 1024)
#define TRACE_BYTES   (64 * 1024)
#define LINK_CHECK_US (100 * LB_US_MS)
#define ACTIONS_MAX   64 /* in one turn */
/* Where no frame comes and nobody asks, time is looked at this often. */
#define IDLE_US LB_US_MS

/* Processor Architecture Types of IANA, for RFC 4578 and RFC 5970: with UEFI. */
#ifdef __aarch64__
#define CLIENT_ARCH 11
#else
#define CLIENT_ARCH 7 /* x86-64 */
#endif

enum slot_use {
    SLOT_FREE, /* or a datagram service */
    SLOT_CONNECTING,
    SLOT_STREAM,
};

static struct {
    struct lb_boot *engine;
    const struct lb_config *config;
    struct nic *nic; /* the caller's */
    struct lb_rand rand;
    uint8_t *rx, *trace_ring;
    enum loop_state state;
    enum slot_use slots[LB_BOOT_SLOTS_MAX];
    bool link_wanted, is_stirred;
    uint64_t link_check_us, idle_until_us;
    enum link_word link; /* the last one */
    struct silence silence;
} loop;

struct lb_boot *loop_engine(void) {
    return loop.engine;
}

struct nic *loop_nic(void) {
    return loop.nic;
}

struct local_end loop_local_end(void) {
    return local_end_of(lb_boot_net(loop.engine), net_stream_local(LB_BOOT_SLOT_SESSION),
                        lb_config_prefix(loop.config, LB_KEY_ADDRESS).addr);
}

enum loop_state loop_state(void) {
    return loop.state;
}

/* ---- what the engine asks for ---------------------------------------------------------------- */

static void set_address(const struct lb_boot_net *config) {
    net_set_address(config);
    lb_boot_address_set(loop.engine, clock_us(), NULL);
}

static void open_slot(const struct lb_boot_action *action) {
    struct lb_error error = {.code = LB_OK};
    if (net_datagram_open(action->slot, action->kind, action->from, action->to))
        return;
    lb_fail(&error, LB_E_HOST_NETWORK, "no memory for a socket");
    lb_boot_host_failed(loop.engine, clock_us(), &error);
}

static void close_slot(uint32_t slot) {
    net_datagram_close(slot);
    net_stream_close(slot);
    loop.slots[slot] = SLOT_FREE;
}

static void begin_connect(const struct lb_boot_action *action) {
    loop.slots[action->slot] = SLOT_CONNECTING;
    net_connect(action->slot, action->to);
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
        net_datagram_send(action->slot, action->bytes, action->from, action->to);
        return true;
    case LB_BOOT_PROBE:
        net_probe(action->probe);
        return true;
    case LB_BOOT_SET_ADDRESS:
        set_address(action->net);
        return true;
    case LB_BOOT_CLEAR_ADDRESS:
        net_clear_address();
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
    case LB_BOOT_SOURCE: /* has_esp is not set */
    case LB_BOOT_PROTECT:
    case LB_BOOT_UNPROTECT:
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

/* ---- what happened --------------------------------------------------------------------------- */

static void tell_link(void) {
    uint64_t now_us = clock_us();
    if (!loop.link_wanted || now_us < loop.link_check_us)
        return;
    loop.link_check_us = now_us + LINK_CHECK_US;
    enum link_word word = nic_link(loop.nic, true);
    if (word == LINK_UP && loop.link == LINK_TRIED)
        lb_boot_link(loop.engine, now_us, false); /* what was asked before is asked again */
    if (word == LINK_TRIED && loop.link != LINK_TRIED)
        say("  %s says that it has no link: tried all the same\n", loop.nic->name);
    loop.link = word;
    lb_boot_link(loop.engine, now_us, word != LINK_DOWN);
}

static void tell_datagrams(void) {
    uint8_t bytes[1500];
    uint32_t slot;
    size_t len;
    struct lb_endpoint from;
    while (net_datagram_receive(lb_span(bytes, sizeof bytes), &slot, &len, &from))
        lb_boot_datagram(loop.engine, clock_us(), slot, from, lb_bytes(bytes, len));
}

static void tell_probes(void) {
    struct lb_addr addr;
    bool conflict;
    while (net_probe_result(&addr, &conflict))
        lb_boot_probed(loop.engine, clock_us(), addr, conflict);
}

static bool receive(uint32_t slot) {
    struct lb_span spans[2];
    bool moved = false;
    for (;;) {
        size_t count = lb_boot_where(loop.engine, slot, spans);
        size_t len = count == 0 ? 0 : net_stream_read(slot, spans, count);
        if (len == 0)
            return moved;
        lb_boot_got(loop.engine, clock_us(), slot, len);
        moved = true;
    }
}

static bool send(uint32_t slot) {
    struct lb_bytes pieces[32];
    bool moved = false;
    for (;;) {
        size_t count = lb_boot_gather(loop.engine, slot, pieces, LB_COUNT(pieces));
        size_t len = count == 0 ? 0 : net_stream_write(slot, pieces, count);
        if (len == 0)
            return moved;
        lb_boot_sent(loop.engine, clock_us(), slot, len);
        moved = true;
    }
}

static bool tell_stream(uint32_t slot) {
    enum lb_initiator_lost why;
    bool moved = loop.slots[slot] == SLOT_STREAM && receive(slot);
    enum net_stream state = net_stream_state(slot, &why);
    if (state == NET_OPEN && loop.slots[slot] == SLOT_CONNECTING) {
        loop.slots[slot] = SLOT_STREAM;
        lb_boot_connected(loop.engine, clock_us(), slot);
        return true;
    }
    if (state == NET_CLOSED) {
        loop.slots[slot] = SLOT_FREE;
        lb_boot_lost(loop.engine, clock_us(), slot, why);
        return true;
    }
    return moved;
}

static bool tell_streams(void) {
    bool moved = false;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        if (loop.slots[slot] != SLOT_FREE)
            moved = tell_stream(slot) || moved;
    return moved;
}

static bool send_streams(void) {
    bool moved = false;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        if (loop.slots[slot] == SLOT_STREAM)
            moved = send(slot) || moved;
    return moved;
}

/* Somebody owes us an answer on the session's connection. */
static bool is_frame_due(void) {
    struct lb_initiator_standing standing;
    return loop.slots[LB_BOOT_SLOT_SESSION] != SLOT_FREE &&
           !lb_initiator_is_at_rest(lb_boot_session(loop.engine), &standing);
}

static void start_card_anew(uint64_t now_us) {
    if (nic_link(loop.nic, true) == LINK_DOWN)
        return;
    bool ok = nic_restart(loop.nic);
    net_stream_stopped(LB_BOOT_SLOT_SESSION);
    lb_report_learned(lb_boot_report(loop.engine), now_us, LB_STAGE_LINK, "card", loop.nic->name,
                      "started anew: it gave no frame while some were due%s",
                      ok ? "" : "; it does not start");
    if (loop.state == LOOP_RUNS)
        say("  %s gives no frame while some are due: started anew\n", loop.nic->name);
}

static void look_after_card(void) {
    uint64_t now_us = clock_us();
    switch (silence_judge(&loop.silence, now_us, is_frame_due(), loop.nic->heard_us)) {
    case SILENCE_NOTHING:
        return;
    case SILENCE_ASK:
        net_stream_poke(LB_BOOT_SLOT_SESSION);
        return;
    case SILENCE_START:
        start_card_anew(now_us);
        return;
    }
}

/* What frames, timers and the engine's caller have changed. */
static bool work(void) {
    net_timers();
    look_after_card();
    tell_link();
    tell_datagrams();
    tell_probes();
    bool moved = tell_streams();
    moved = run_engine() || moved;
    return send_streams() || moved;
}

/* Whoever waits for the disk turns ten times a frame: such a turn asks the card and no more. */
bool loop_turn(void) {
    uint64_t now_us = clock_us();
    bool moved = net_receive(now_us), is_due = moved || loop.is_stirred;
    if (is_due || now_us >= loop.idle_until_us) {
        loop.idle_until_us = now_us + IDLE_US;
        loop.is_stirred = work();
        moved = moved || loop.is_stirred;
    }
    net_flush(now_us);
    watchdog_feed();
    return moved;
}

void loop_stir(void) {
    loop.is_stirred = true;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static bool get_memory(void) {
    if (loop.engine == NULL) {
        loop.engine = uefi_alloc(sizeof *loop.engine);
        loop.rx = uefi_alloc(RX_BYTES);
        loop.trace_ring = uefi_alloc(TRACE_BYTES);
    }
    return loop.engine != NULL && loop.rx != NULL && loop.trace_ring != NULL;
}

static void report_entropy(unsigned sources, const char *method) {
    char words[80];
    struct lb_text text = lb_text(words, sizeof words);
    entropy_say(&text, sources, method);
    lb_report_learned(lb_boot_report(loop.engine), clock_us(), LB_STAGE_CONFIG, "random numbers",
                      "this machine", "%s", words);
    say("random numbers: %s\n", words);
}

void loop_store_seen(void) {
    if (lb_config_is_set(loop.config, LB_KEY_DHCP_KEYS))
        variable_store_seen(lb_boot_seen(loop.engine));
}

bool loop_start(struct nic *nic, const struct lb_config *config, const uint8_t uuid[16],
                const struct lb_dhcp4_lease *lease_or_null, struct lb_error *why) {
    struct lb_boot_setup setup = {
        .config = config, .goal = LB_GOAL_DISK, .lease4 = lease_or_null, .has_ipv6 = true};
    struct lb_dhcp_seen seen;
    uint8_t seed[32];
    if (!get_memory()) {
        lb_fail(why, LB_E_INTERNAL, "no memory");
        return false;
    }
    loop.nic = nic;
    nic_drain(nic);
    const char *method;
    unsigned sources = seed_fill(seed, uuid, &method);
    lb_rand_init(&loop.rand, seed);
    if (!net_open(loop.nic, &loop.rand)) {
        lb_fail(why, LB_E_INTERNAL, "no memory for the network");
        return false;
    }
    lb_rand_fill(&loop.rand, lb_span(setup.seed, sizeof setup.seed));
    lb_wipe(seed, sizeof seed);
    setup.unix_s = unix_seconds();
    setup.interface = loop.nic->name;
    memcpy(setup.mac, loop.nic->mac, 6);
    memcpy(setup.uuid, uuid, 16);
    setup.has_arch = true;
    setup.arch = CLIENT_ARCH;
    setup.rx = lb_span(loop.rx, RX_BYTES);
    setup.trace_ring = lb_span(loop.trace_ring, TRACE_BYTES);
    loop.state = LOOP_RUNS;
    loop.config = config;
    loop.link_wanted = false;
    loop.link = LINK_DOWN;
    loop.is_stirred = true;
    loop.silence = (struct silence){0};
    memset(loop.slots, 0, sizeof loop.slots);
    if (lb_config_is_set(config, LB_KEY_DHCP_KEYS)) {
        variable_load_seen(&seen);
        setup.seen = &seen;
    }
    lb_boot_init(loop.engine, clock_us(), &setup);
    lb_wipe(setup.seed, sizeof setup.seed);
    report_entropy(sources, method);
    return true;
}

void loop_wipe(void) {
    lb_wipe(&loop.rand, sizeof loop.rand);
    net_wipe();
}

void loop_stop(void) {
    uint64_t until_us = clock_us() + 3 * LB_US_SEC;
    lb_boot_stop(loop.engine, clock_us(), false);
    loop_stir();
    while (loop.state != LOOP_OUT && loop.state != LOOP_FAILED && clock_us() < until_us)
        loop_turn();
    net_close();
}
