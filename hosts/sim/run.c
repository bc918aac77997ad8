/* The engine's host, and one run as a whole. */
#include "core/initiator/initiator_session.h"
#include "hosts/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>

#define POLLS_MAX 2000               /* of the engine without anything that happens between */
#define TURNS_MAX 200000             /* at one instant */
#define STEPS_MAX 4000000            /* of a run */
#define LIMIT_US  (2400 * LB_US_SEC) /* after the faults have stopped */

/* ---- the trace ------------------------------------------------------------------------------- */

static void drain_trace(struct sim *sim) {
    char line[LB_TRACE_LINE_MAX];
    while (lb_trace_next(lb_boot_trace(&sim->boot), line)) {
        sim_check_line(sim, line);
        sim_say_line(&sim->world, line);
    }
}

/* ---- actions --------------------------------------------------------------------------------- */

void lb_host_set_address(struct lb_host *host, uint64_t now_us, const struct lb_boot_net *net) {
    struct sim *sim = sim_of(host);
    struct sim_world *world = &sim->world;
    uint64_t delay_us = sim_between(world, 10, 2000);
    if (sim_happens(world, SIM_ADDRESS_SLOW))
        delay_us = sim_skewed(world, 10, 5000) * LB_US_MS;
    if (lb_addr_is_set(net->address.addr) && !lb_addr_is_host(net->address.addr))
        sim_violation(world, "SET_ADDRESS of an address that no host can have");
    if (!lb_addr_is_set(net->address.addr) && net->addr6_count == 0)
        sim_violation(world, "SET_ADDRESS without an address");
    sim_ipv6_check(sim, net);
    sim_impostor_check_net(sim, net);
    sim_cause_of_address(sim);
    sim->net = *net;
    sim->net_us = now_us;
    sim->has_net = true;
    sim_after(world, delay_us, SIM_ADDRESS_SET, sim->plan.wrong == SIM_WRONG_SET_ADDRESS, 0);
}

void lb_host_clear_address(struct lb_host *host) {
    struct sim *sim = sim_of(host);
    sim_say(&sim->world, "host", "address cleared");
    sim_saw(&sim->world, SIM_DHCP_LOST_LEASE);
    sim->address_set = false;
    sim->has_net = false;
    sim_cause_of_address(sim);
    memset(&sim->net, 0, sizeof sim->net);
}

static void ready(struct sim *sim) {
    const struct lb_disk_info *info = lb_boot_disk(&sim->boot);
    if (sim->is_ready)
        sim_violation(&sim->world, "READY a second time");
    sim_swap_ready(sim);
    bool is_told = !sim->swap.is_on || sim_swap_is_told(sim);
    if (!sim->disk.distrusted && is_told &&
        (info->blocks != sim->disk.blocks || info->block_bytes != sim->disk.block_bytes))
        sim_violation(&sim->world, "the disk (%s, %s) is told as %llu blocks of %u", info->id,
                      info->serial, (unsigned long long)info->blocks, info->block_bytes);
    sim->is_ready = true;
    sim->ready_us = sim->world.now_us;
    sim_check_ready(sim);
    if (sim->disk.distrusted) { /* requests are made for the disk as it was told, or not at all */
        bool fits = info->blocks > 0 && info->block_bytes == sim->disk.block_bytes;
        sim->plan.ops = fits ? sim->plan.ops : 1;
        sim->disk.blocks =
            fits ? (uint32_t)LB_MIN(info->blocks, sim->disk.blocks) : sim->disk.blocks;
    }
    sim_work_begin(sim);
}

static bool is_over(const struct sim *sim) {
    return sim->is_failed || sim->is_out;
}

/* True: the engine is to be polled again. */
static bool act(struct sim *sim, const struct lb_boot_action *action) {
    sim_slot_check(sim, action);
    bool again = lb_pump_turn(&sim->pump, sim->world.now_us, action);
    if (action->event == LB_BOOT_READY)
        ready(sim);
    sim->has_offers = sim->has_offers || action->event == LB_BOOT_OFFERS;
    sim->is_failed = sim->is_failed || action->event == LB_BOOT_FAILED;
    sim->is_out = sim->is_out || action->event == LB_BOOT_OUT;
    return again || action->event != LB_BOOT_WAIT || action->until_us <= sim->world.now_us;
}

/* One poll, with the checks of what it has done and asks for. */
static bool poll_once(struct sim *sim) {
    sim_cause_of_poll(sim);
    sim->action = lb_boot_poll(&sim->boot, sim->world.now_us);
    drain_trace(sim);
    sim_check_session(sim);
    sim_cause_of_state(sim);
    if (sim->action.event == LB_BOOT_WAIT && sim->action.until_us < sim->world.now_us)
        sim_violation(&sim->world, "a deadline in the past");
    return act(sim, &sim->action);
}

/* As lb_pump_run, with the checks. True when there was an action, or bytes went. */
static bool run_engine(struct sim *sim) {
    uint64_t moved = sim->moved;
    bool any = false;
    for (unsigned polls = 0; polls < POLLS_MAX && !is_over(sim); polls++) {
        if (!poll_once(sim))
            return any;
        any = true;
        polls = sim->moved == moved ? polls : 0;
        moved = sim->moved;
    }
    if (!is_over(sim)) {
        sim_violation(&sim->world, "polled %u times at one instant, state %u", POLLS_MAX,
                      (unsigned)sim->boot.state);
        sim->is_stuck = true;
    }
    return true;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void finish_work(struct sim *sim) {
    bool done = sim->work.is_running && sim->work.is_over;
    bool early = sim->world.now_us >= sim->plan.stop_us;
    if (sim->stop_told || (!done && !early))
        return;
    sim->stop_told = true;
    sim->stop_told_us = sim->world.now_us;
    sim->is_early = !done;
    sim_say(&sim->world, "host", "stop");
    if (early && !done)
        sim_saw(&sim->world, SIM_STOPPED);
    lb_boot_stop(&sim->boot, sim->world.now_us, sim_one_in(&sim->world, 2));
}

static bool is_away(const struct sim *sim) {
    return sim->world.now_us < sim->away_until_us;
}

/* Everything that can happen at this instant. */
static void instant(struct sim *sim) {
    if (is_away(sim))
        return;
    for (unsigned turns = 0; turns < TURNS_MAX && !is_over(sim) && !sim->is_stuck; turns++) {
        bool any = run_engine(sim);
        if (is_over(sim))
            return;
        any = sim_network_read(sim) || any;
        any = sim_work_turn(sim) || any;
        finish_work(sim);
        if (sim->stop_told && !sim->stop_seen) {
            sim->stop_seen = true;
            any = true;
        }
        if (!any)
            return;
    }
    if (!is_over(sim) && !sim->is_stuck) {
        sim_violation(&sim->world, "an instant does not end");
        sim->is_stuck = true;
    }
}

/* What a host learns only when it looks. */
static bool is_for_host(const struct sim_event *event) {
    return event->what == SIM_TO_CLIENT || event->what == SIM_PROBED || event->what == SIM_LINK ||
           event->what == SIM_ADDRESS_SET || event->what == SIM_CONNECTED ||
           (event->what == SIM_SEVERED && event->b == 0);
}

static void event(struct sim *sim, const struct sim_event *event) {
    uint64_t now_us = sim->world.now_us;
    if (is_away(sim) && is_for_host(event)) {
        sim_at(&sim->world, sim->away_until_us, event->what, event->a, event->b,
               lb_bytes(event->data, event->len));
        return;
    }
    switch (event->what) {
    case SIM_TO_CLIENT:
    case SIM_TO_SERVERS:
    case SIM_PROBED:
    case SIM_LINK:
        sim_link_event(sim, event);
        break;
    case SIM_ADVERTISE:
        sim_ipv6_advertise(sim, event->a);
        break;
    case SIM_ADDRESS_SET:
        sim->address_set = !event->a && sim->has_net;
        lb_boot_address_set(&sim->boot, now_us, event->a ? "Operation not permitted" : NULL);
        break;
    case SIM_CONNECTED:
    case SIM_SEVERED:
        sim_network_event(sim, event);
        break;
    case SIM_IO:
        sim_storage_event(sim, event);
        break;
    case SIM_TICK:
    case SIM_UP_AGAIN:
    case SIM_THERE:
    case SIM_RESTART:
        sim_targets_event(sim, event);
        break;
    case SIM_CALM:
        sim_say(&sim->world, "world", "calm");
        sim_targets_calm(sim);
        break;
    case SIM_GATE:
        sim_gate_tick(sim);
        break;
    case SIM_ESP:
        sim_tunnel_event(sim, event);
        break;
    case SIM_STREAM:
    case SIM_WORK:
        break;
    }
}

static uint64_t next_us(struct sim *sim) {
    uint64_t wait_us = sim->action.until_us;
    if (wait_us != sim->late_for_us) { /* a host may be late, once for each deadline */
        sim->late_for_us = wait_us;
        sim->late_us = 0;
        if (wait_us != LB_NEVER && sim_happens(&sim->world, SIM_HOST_LATE))
            sim->late_us = sim_skewed(&sim->world, 1, 3000000);
    }
    if (wait_us != LB_NEVER)
        wait_us += sim->late_us;
    if (wait_us != LB_NEVER)
        wait_us = LB_MAX(wait_us, sim->away_until_us);
    return LB_MIN(LB_MIN(wait_us, sim_next_us(&sim->world)), sim_service_next_us(sim));
}

/* The host has come back so late that the session knows: it must read before it judges. */
static void note_lateness(struct sim *sim) {
    const struct lb_initiator *session = &sim->boot.path.session;
    if (!is_away(sim) && session->promised_us != LB_NEVER &&
        sim->world.now_us >= session->promised_us + LB_INITIATOR_LATE_MS * LB_US_MS)
        sim->witness.away_us = sim->world.now_us;
}

static void step(struct sim *sim) {
    struct sim_event due;
    uint64_t at_us = next_us(sim);
    if (at_us == LB_NEVER) {
        sim_violation(&sim->world, "nothing will ever happen again, in state %u of the engine",
                      (unsigned)sim->boot.state);
        sim->is_stuck = true;
        return;
    }
    sim->world.now_us = LB_MAX(at_us, sim->world.now_us);
    note_lateness(sim);
    while (!is_over(sim) && sim_take(&sim->world, &due)) {
        event(sim, &due);
        sim_event_free(&due);
        instant(sim);
    }
    instant(sim);
    if (!is_away(sim)) {
        sim_ipv6_check_lifetimes(sim);
        sim_cause_of_step(sim);
        sim_dhcp_check_renewal(sim);
    }
    uint64_t moved = sim->moved;
    do {
        moved = sim->moved;
        sim_service_turn(sim);
        instant(sim);
    } while (!is_over(sim) && sim->moved != moved);
}

static void run(struct sim *sim) {
    instant(sim);
    while (!is_over(sim) && !sim->is_stuck) {
        step(sim);
        if (++sim->steps > STEPS_MAX || sim->world.now_us > sim->world.calm_us + LIMIT_US) {
            sim_violation(&sim->world,
                          "no end after %llu s and %llu steps; state %u, %u requests out",
                          (unsigned long long)(sim->world.now_us / LB_US_SEC),
                          (unsigned long long)sim->steps, (unsigned)sim->boot.state, sim->work.out);
            return;
        }
    }
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void start_engine(struct sim *sim) {
    struct lb_boot_setup setup = {
        .config = &sim->config,
        .goal = sim->plan.is_probe ? LB_GOAL_PROBE : LB_GOAL_DISK,
        .interface = sim->plan.uses_network ? NULL : "eth0",
        .mac = {0x02, 0, 0x5e, 1, 2, 3},
        .network_is_up = sim->plan.uses_network,
        .has_ipv6 = sim->plan.has_ipv6,
        .has_esp = sim->plan.has_ipsec,
        .machine = &sim->machine,
        .rx = lb_span(sim->rx + SIM_GUARD, SIM_RX_BYTES),
        .trace_ring = lb_span(sim->ring, SIM_TRACE_BYTES),
    };
    for (size_t i = 0; i < sizeof setup.uuid; i++)
        setup.uuid[i] = (uint8_t)(0x10 + i);
    for (size_t i = 0; i < sizeof setup.seed; i++)
        setup.seed[i] = (uint8_t)sim_random(&sim->world);
    sim_names_init(sim);
    lb_boot_init(&sim->boot, sim->world.now_us, &setup);
    lb_pump_init(&sim->pump, &sim->boot, (struct lb_host *)(void *)sim, sim->pieces, SIM_PIECES);
}

static void build(struct sim *sim, uint64_t seed, bool has_ipsec, bool shows) {
    static const uint32_t block_sizes[] = {512, 512, 512, 1024, 4096};
    struct sim_world *world = &sim->world;
    sim_world_init(world, seed, shows);
    world->has_ipsec = has_ipsec;
    sim->late_for_us = LB_NEVER;
    sim->witness.lost_us = sim->witness.away_us = sim->witness.silent_us = LB_NEVER;
    sim->rx = sim_guarded(SIM_RX_BYTES);
    sim->ring = malloc(SIM_TRACE_BYTES);
    if (sim->ring == NULL)
        abort();
    sim_plan_draw(sim);
    uint32_t block_bytes = block_sizes[sim_below(world, LB_COUNT(block_sizes))];
    sim_disk_init(&sim->disk, world, sim_skewed(world, 16, SIM_BLOCKS_MAX), block_bytes);
    sim->disk.distrusted = sim->plan.is_hostile;
    sim->link_up = sim->plan.uses_network; /* that of the machine, for good */
    sim_dhcp_init(sim);
    sim_ipv6_init(sim);
    sim_slp_init(sim, sim_plan_server(sim));
    sim_targets_init(sim);
    sim_swap_init(sim);
    sim_isns_init(sim);
    sim_impostor_init(sim);
    sim_rogue_init(sim);
    sim_gate_init(sim);
    start_engine(sim);
    if (sim->plan.stop_us != LB_NEVER)
        sim_at(world, sim->plan.stop_us, SIM_WORK, 0, 0, (struct lb_bytes){NULL, 0});
    if (!sim->plan.is_clean) {
        sim_at(world, world->calm_us, SIM_CALM, 0, 0, (struct lb_bytes){NULL, 0});
        sim_after(world, sim_skewed(world, 1, 3000) * LB_US_MS, SIM_TICK, 0, 0);
    }
}

static void note_coverage(struct sim *sim, struct sim_coverage *to) {
    struct sim_coverage *own = &sim->coverage;
    own->runs = 1;
    own->booted = sim->is_ready;
    own->failed = !sim->is_ready && is_over(sim);
    own->violations = sim->world.violations > 0;
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        own->fault[i] = sim->world.seen[i];
    own->wrong[sim->plan.wrong] = 1;
    own->code[lb_boot_report(&sim->boot)->error.code] = 1;
    own->ops = sim->work.completed;
    own->steps = sim->steps;
    own->logins = lb_initiator_logins(&sim->boot.path.session);
    own->virtual_ms = sim->world.now_us / LB_US_MS;
    own->lost_unflushed = sim->disk.lost_unflushed;
    sim_coverage_add(to, own);
}

struct sim_outcome sim_run(uint64_t seed, bool has_ipsec, bool shows,
                           struct sim_coverage *coverage) {
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        abort();
    build(sim, seed, has_ipsec, shows);
    run(sim);
    if (is_over(sim)) {
        sim_work_end(sim);
        sim_check_outcome(sim);
    }
    drain_trace(sim);
    sim_targets_free(sim);
    sim_slp_free(sim);
    sim_gate_free(sim);
    sim_work_free(sim);
    sim_say(&sim->world, "end", "%s", sim->is_ready ? "booted" : "failed");
    note_coverage(sim, coverage);
    struct sim_outcome outcome = {.booted = sim->is_ready,
                                  .is_clean = sim->plan.is_clean,
                                  .is_probe = sim->plan.is_probe,
                                  .violations = sim->world.violations,
                                  .hash = sim->world.hash,
                                  .error = lb_boot_report(&sim->boot)->error,
                                  .wrong = sim->plan.wrong};
    memcpy(outcome.violation, sim->world.violation, sizeof outcome.violation);
    sim_disk_free(&sim->disk);
    sim_world_free(&sim->world);
    free(sim->rx);
    free(sim->ring);
    free(sim);
    return outcome;
}
