#include "hosts/uefi/loop.h"
#include "core/boot/pump.h"
#include "hosts/uefi/entropy.h"
#include "hosts/uefi/net.h"
#include "hosts/uefi/silence.h"
#include "hosts/uefi/variable.h"

#define RX_BYTES      (256 * 1024)
#define TRACE_BYTES   (64 * 1024)
#define LINK_CHECK_US (100 * LB_US_MS)
#define PIECES_MAX    32 /* of one write */
/* Where no frame comes and nobody asks, time is looked at this often. */
#define IDLE_US LB_US_MS

/* Processor Architecture Types of IANA, for RFC 4578 and RFC 5970: with UEFI. */
#ifdef __aarch64__
#define CLIENT_ARCH 11
#else
#define CLIENT_ARCH 7 /* x86-64 */
#endif

static struct {
    struct lb_boot *engine;
    const struct lb_config *config;
    struct nic *nic; /* the caller's */
    struct lb_rand rand;
    uint8_t *rx, *trace_ring;
    enum loop_state state;
    struct lb_pump pump;
    struct lb_bytes pieces[PIECES_MAX];
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

void lb_host_link(struct lb_host *host, uint64_t now_us) {
    (void)host;
    (void)now_us;
    loop.link_wanted = true;
    loop.link_check_us = 0;
}

bool lb_host_open(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct lb_error error = {.code = LB_OK};
    (void)host;
    if (net_datagram_open(action->slot, action->kind, action->from, action->to,
                          action->is_protected))
        return true;
    lb_fail(&error, LB_E_HOST_NETWORK, "no memory for a socket");
    lb_boot_host_failed(loop.engine, now_us, &error);
    return false;
}

void lb_host_send(struct lb_host *host, const struct lb_boot_action *action) {
    (void)host;
    net_datagram_send(action->slot, action->bytes, action->from, action->to);
}

void lb_host_probe(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    (void)host;
    (void)now_us;
    net_probe(action->probe);
}

void lb_host_set_address(struct lb_host *host, uint64_t now_us, const struct lb_boot_net *config) {
    (void)host;
    net_set_address(config);
    lb_boot_address_set(loop.engine, now_us, NULL);
}

void lb_host_clear_address(struct lb_host *host) {
    (void)host;
    net_clear_address();
}

void lb_host_connect(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    (void)host;
    (void)now_us;
    net_connect(action->slot, action->from.addr, action->to, action->is_protected);
}

void lb_host_close(struct lb_host *host, uint32_t slot) {
    (void)host;
    net_datagram_close(slot);
    net_stream_close(slot);
}

void lb_host_ipsec(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    (void)host;
    if (action->event == LB_BOOT_SOURCE) /* esp_in_kernel is not set: it is the only one */
        lb_boot_source(loop.engine, now_us, action->to.addr, net_source(action->to.addr));
}

size_t lb_host_read(struct lb_host *host, uint64_t now_us, uint32_t slot,
                    const struct lb_span *spans, size_t count) {
    (void)host;
    (void)now_us;
    return net_stream_read(slot, spans, count);
}

size_t lb_host_write(struct lb_host *host, uint64_t now_us, uint32_t slot,
                     const struct lb_bytes *pieces, size_t count) {
    (void)host;
    (void)now_us;
    return net_stream_write(slot, pieces, count);
}

/* After READY the engine has more to do. */
static void run_engine(uint64_t now_us) {
    for (;;) {
        enum lb_boot_event word = lb_pump_run(&loop.pump, now_us);
        if (word == LB_BOOT_WAIT)
            return;
        loop.state = word == LB_BOOT_READY    ? LOOP_READY
                     : word == LB_BOOT_FAILED ? LOOP_FAILED
                     : word == LB_BOOT_OUT    ? LOOP_OUT
                                              : loop.state;
    }
}

/* ---- what happened --------------------------------------------------------------------------- */

static void tell_link(uint64_t now_us) {
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

static void tell_datagrams(uint64_t now_us) {
    uint8_t bytes[1500];
    uint32_t slot;
    size_t len;
    struct lb_endpoint from;
    while (net_datagram_receive(lb_span(bytes, sizeof bytes), &slot, &len, &from))
        lb_boot_datagram(loop.engine, now_us, slot, from, lb_bytes(bytes, len));
}

static void tell_probes(uint64_t now_us) {
    struct lb_addr addr;
    bool conflict;
    while (net_probe_result(&addr, &conflict))
        lb_boot_probed(loop.engine, now_us, addr, conflict);
}

static void tell_stream(uint64_t now_us, uint32_t slot) {
    enum lb_initiator_lost why;
    while (lb_pump_read_slot(&loop.pump, now_us, slot))
        ;
    enum net_stream state = net_stream_state(slot, &why);
    if (state == NET_OPEN && loop.pump.slots[slot] == LB_PUMP_CONNECTING)
        lb_pump_connected(&loop.pump, now_us, slot);
    else if (state == NET_CLOSED)
        lb_pump_lost(&loop.pump, now_us, slot, why);
}

static void tell_streams(uint64_t now_us) {
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        if (loop.pump.slots[slot] >= LB_PUMP_CONNECTING)
            tell_stream(now_us, slot);
}

/* Somebody owes us an answer on the session's connection. */
static bool is_frame_due(void) {
    struct lb_initiator_standing standing;
    return loop.pump.slots[LB_BOOT_SLOT_SESSION] != LB_PUMP_FREE &&
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

static void look_after_card(uint64_t now_us) {
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
static bool work(uint64_t now_us) {
    uint64_t moves = loop.pump.moves;
    net_timers();
    look_after_card(now_us);
    tell_link(now_us);
    tell_datagrams(now_us);
    tell_probes(now_us);
    tell_streams(now_us);
    run_engine(now_us);
    return loop.pump.moves != moves;
}

/* Whoever waits for the disk turns ten times a frame: such a turn asks the card and no more. */
bool loop_turn(void) {
    uint64_t now_us = clock_us();
    bool moved = net_receive(now_us), is_due = moved || loop.is_stirred;
    if (is_due || now_us >= loop.idle_until_us) {
        loop.idle_until_us = now_us + IDLE_US;
        loop.is_stirred = work(now_us);
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
    setup.has_esp = sources != 0; /* keys that can be guessed protect nothing */
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
    lb_pump_init(&loop.pump, loop.engine, NULL, loop.pieces, PIECES_MAX);
    if (lb_config_is_set(config, LB_KEY_DHCP_KEYS)) {
        variable_load_seen(&seen);
        setup.seen = &seen;
    }
    lb_boot_init(loop.engine, clock_us(), &setup);
    net_ipsec_begin(lb_shield_covers(&loop.engine->shield, false) ? loop.engine : NULL);
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
