/* IPv6's routers and stateless addresses, and an IPv6 address that a person configured. */
#include "core/boot/boot_state.h"

void lb_nd6_stage_start(struct lb_boot *boot, uint64_t now_us) {
    struct lb_nd6_config config = {
        .retry_ms = lb_config_u32(boot->setup.config, LB_KEY_DHCP_RETRY),
    };
    memcpy(config.mac, boot->setup.mac, sizeof config.mac);
    lb_nd6_client_init(&boot->nd6, now_us, &config, &boot->rand, &boot->trace);
    if (!boot->nd6_open) {
        struct lb_boot_action *ask = lb_boot_ask(boot, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_ND6;
        ask->kind = LB_KIND_ND6;
    }
    boot->nd6_open = boot->nd6_runs = true;
    boot->no_router = false;
    boot->static6 = lb_plan_is_static(&boot->plan, LB_V6) ? LB_STATIC6_WAITS : LB_STATIC6_NONE;
    boot->step_nd6 = lb_report_begin(&boot->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                                     "IPv6 routers on %s", boot->interface);
}

void lb_nd6_stage_stop(struct lb_boot *boot) {
    if (boot->nd6_open)
        lb_boot_ask(boot, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_ND6;
    boot->nd6_open = boot->nd6_runs = false;
}

/* ---- probes --------------------------------------------------------------------------------- */

/* A dry run configures nothing, except for the link-local address that DHCPv6 is asked from. On the
 * machine's own network there is one already. */
static bool is_to_be_probed(const struct lb_boot *boot, struct lb_addr addr) {
    if (!boot->plan.is_dry)
        return true;
    return lb_addr_is_link_local(addr) && !boot->setup.network_is_up;
}

static enum lb_turn probe(struct lb_boot *boot, uint64_t now_us, struct lb_addr addr,
                          struct lb_boot_action *action) {
    if (!is_to_be_probed(boot, addr)) {
        lb_nd6_client_probed(&boot->nd6, now_us, addr, false);
        return LB_TURN_AGAIN;
    }
    if (boot->static6 == LB_STATIC6_WAITS)
        boot->static6 = LB_STATIC6_DUE;
    *action = (struct lb_boot_action){
        .event = LB_BOOT_PROBE, .slot = LB_BOOT_SLOT_ND6, .probe = addr, .probe_len = 64};
    return LB_TURN_ACT;
}

static struct lb_addr static_address(const struct lb_boot *boot) {
    return lb_config_prefix(boot->setup.config, LB_KEY_ADDRESS).addr;
}

static void static_probed(struct lb_boot *boot, uint64_t now_us, bool conflict) {
    struct lb_error error = {.code = LB_OK};
    if (!conflict) {
        boot->static6 = LB_STATIC6_OURS;
        return;
    }
    boot->static6 = LB_STATIC6_WAITS; /* for the next attempt */
    lb_fail(&error, LB_E_ADDRESS_CONFLICT, "%s, which is configured",
            lb_addr_text(static_address(boot)).s);
    boot->out6 = error;
    lb_network_lost(boot, now_us, LB_V6, &error);
}

void lb_nd6_stage_probed(struct lb_boot *boot, uint64_t now_us, struct lb_addr addr,
                         bool conflict) {
    if (!boot->nd6_runs)
        return;
    lb_nd6_client_probed(&boot->nd6, now_us, addr, conflict);
    bool is_static = boot->static6 == LB_STATIC6_PROBING || boot->static6 == LB_STATIC6_OURS;
    if (is_static && lb_addr_equal(addr, static_address(boot)))
        static_probed(boot, now_us, conflict);
}

/* ---- what the client says ------------------------------------------------------------------- */

static void end_step(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_nd6_info *info = &boot->nd6.info;
    if (!info->advertised || boot->step_nd6 == LB_NO_STEP)
        return;
    lb_report_end(&boot->report, now_us, boot->step_nd6, LB_DONE_OK, "%s",
                  lb_answer_of_routers6(info).from);
    boot->step_nd6 = LB_NO_STEP;
    lb_report_routers6(boot, now_us, info);
}

static void got_info(struct lb_boot *boot, uint64_t now_us) {
    bool has_addresses = boot->nd6.info.address_count > 0;
    if (has_addresses && !boot->has_addresses6)
        lb_report_addresses6(boot, now_us, &boot->nd6.info);
    boot->has_addresses6 = has_addresses;
    end_step(boot, now_us);
    lb_dhcp6_stage_follow(boot, now_us);
    lb_network_changed(boot, now_us);
}

static void no_router(struct lb_boot *boot, uint64_t now_us) {
    boot->no_router = true;
    lb_report_end(&boot->report, now_us, boot->step_nd6, LB_DONE_FAILED, "no router");
    boot->step_nd6 = LB_NO_STEP;
}

static void lost(struct lb_boot *boot, uint64_t now_us) {
    struct lb_error error = boot->nd6.error;
    if (boot->nd6.state == LB_ND6_STOPPED) {
        boot->out6 = error;
        lb_dhcp6_stage_stop(boot);
        boot->nd6_runs = false;
    }
    lb_fail(&error, LB_E_NO_IPV6, "the routers' prefixes ran out");
    boot->has_addresses6 = false;
    lb_network_lost(boot, now_us, LB_V6, &error);
}

static enum lb_turn carry_out(struct lb_boot *boot, uint64_t now_us, struct lb_nd6_action did,
                              struct lb_boot_action *action) {
    switch (did.event) {
    case LB_ND6_WAIT:
        lb_boot_until(boot, did.until_us);
        return LB_TURN_IDLE;
    case LB_ND6_SEND:
        *action = (struct lb_boot_action){.event = LB_BOOT_SEND,
                                          .slot = LB_BOOT_SLOT_ND6,
                                          .bytes = did.bytes,
                                          .from = {.addr = did.from},
                                          .to = {.addr = did.to}};
        return LB_TURN_ACT;
    case LB_ND6_PROBE:
        return probe(boot, now_us, did.probe, action);
    case LB_ND6_GOT:
        got_info(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_ND6_NO_ROUTER:
        no_router(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_ND6_LOST:
        lost(boot, now_us);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

enum lb_turn lb_nd6_stage_turn(struct lb_boot *boot, uint64_t now_us,
                               struct lb_boot_action *action) {
    if (!boot->nd6_runs)
        return LB_TURN_IDLE;
    if (boot->static6 == LB_STATIC6_DUE) {
        boot->static6 = LB_STATIC6_PROBING;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_PROBE,
            .slot = LB_BOOT_SLOT_ND6,
            .probe = static_address(boot),
            .probe_len = lb_config_prefix(boot->setup.config, LB_KEY_ADDRESS).len};
        return LB_TURN_ACT;
    }
    return carry_out(boot, now_us, lb_nd6_client_poll(&boot->nd6, now_us), action);
}
