/* IPv6's routers and stateless addresses, and an IPv6 address that a person configured. */
#include "core/boot/boot_report.h"
#include "core/boot/network.h"

void lb_network_start_nd6(struct lb_network *network, uint64_t now_us) {
    struct lb_nd6_config config = {
        .retry_ms = lb_config_u32(network->common->plan->config, LB_KEY_DHCP_RETRY),
    };
    memcpy(config.mac, network->common->plan->mac, sizeof config.mac);
    lb_nd6_client_init(&network->nd6, now_us, &config, network->common->rand,
                       network->common->trace);
    if (!network->nd6_open) {
        struct lb_boot_action *ask = lb_ask(network->common, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_ND6;
        ask->kind = LB_KIND_ND6;
    }
    network->nd6_open = network->nd6_runs = true;
    network->no_router = false;
    network->static6 =
        lb_plan_is_static(network->common->plan, LB_V6) ? LB_STATIC6_WAITS : LB_STATIC6_NONE;
    network->step_nd6 =
        lb_report_begin(network->common->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                        "IPv6 routers on %s", network->common->interface);
}

void lb_network_stop_nd6(struct lb_network *network) {
    if (network->nd6_open)
        lb_ask(network->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_ND6;
    network->nd6_open = network->nd6_runs = false;
}

/* ---- probes --------------------------------------------------------------------------------- */

/* A dry run configures nothing, except for the link-local address that DHCPv6 is asked from. On the
 * machine's own network there is one already. */
static bool is_to_be_probed(const struct lb_network *network, struct lb_addr addr) {
    if (!network->common->plan->is_dry)
        return true;
    return lb_addr_is_link_local(addr) && !network->common->plan->network_is_up;
}

static enum lb_turn probe(struct lb_network *network, uint64_t now_us, struct lb_addr addr,
                          struct lb_boot_action *action) {
    if (!is_to_be_probed(network, addr)) {
        lb_nd6_client_probed(&network->nd6, now_us, addr, false);
        return LB_TURN_AGAIN;
    }
    if (network->static6 == LB_STATIC6_WAITS)
        network->static6 = LB_STATIC6_DUE;
    *action = (struct lb_boot_action){
        .event = LB_BOOT_PROBE, .slot = LB_BOOT_SLOT_ND6, .probe = addr, .probe_len = 64};
    return LB_TURN_ACT;
}

static struct lb_addr static_address(const struct lb_network *network) {
    return lb_config_prefix(network->common->plan->config, LB_KEY_ADDRESS).addr;
}

static struct lb_network_news static_probed(struct lb_network *network, bool conflict) {
    struct lb_network_news news = {.what = LB_NETWORK_SAME};
    if (!conflict) {
        network->static6 = LB_STATIC6_OURS;
        return news;
    }
    network->static6 = LB_STATIC6_WAITS; /* for the next attempt */
    news = (struct lb_network_news){.what = LB_NETWORK_LOST, .family = LB_V6};
    lb_fail(&news.why, LB_E_ADDRESS_CONFLICT, "%s, which is configured",
            lb_addr_text(static_address(network)).s);
    network->out6 = news.why;
    return news;
}

struct lb_network_news lb_network_probed_nd6(struct lb_network *network, uint64_t now_us,
                                             struct lb_addr addr, bool conflict) {
    struct lb_network_news news = {.what = LB_NETWORK_SAME};
    if (!network->nd6_runs)
        return news;
    lb_nd6_client_probed(&network->nd6, now_us, addr, conflict);
    bool is_static = network->static6 == LB_STATIC6_PROBING || network->static6 == LB_STATIC6_OURS;
    if (is_static && lb_addr_equal(addr, static_address(network)))
        news = static_probed(network, conflict);
    return news;
}

/* ---- the client's results -------------------------------------------------------------------- */

static void end_step(struct lb_network *network, uint64_t now_us) {
    const struct lb_nd6_info *info = &network->nd6.info;
    if (!info->advertised || network->step_nd6 == LB_NO_STEP)
        return;
    lb_report_end(network->common->report, now_us, network->step_nd6, LB_DONE_OK, "%s",
                  lb_answer_of_routers6(info).from);
    network->step_nd6 = LB_NO_STEP;
    lb_report_routers6(network->common->report, now_us, info);
}

static void got_info(struct lb_network *network, uint64_t now_us, struct lb_network_news *news) {
    bool has_addresses = network->nd6.info.address_count > 0;
    if (has_addresses && !network->has_addresses6)
        lb_report_addresses6(network->common->report, now_us, &network->nd6.info);
    network->has_addresses6 = has_addresses;
    end_step(network, now_us);
    lb_network_follow_routers(network, now_us);
    news->what = LB_NETWORK_CHANGED;
}

static void no_router(struct lb_network *network, uint64_t now_us) {
    network->no_router = true;
    lb_report_end(network->common->report, now_us, network->step_nd6, LB_DONE_FAILED, "no router");
    network->step_nd6 = LB_NO_STEP;
}

static void lost(struct lb_network *network, struct lb_network_news *news) {
    *news = (struct lb_network_news){
        .what = LB_NETWORK_LOST, .family = LB_V6, .why = network->nd6.error};
    if (network->nd6.state == LB_ND6_STOPPED) {
        network->out6 = network->nd6.error;
        lb_network_stop_dhcp6(network);
        network->nd6_runs = false;
    }
    lb_fail(&news->why, LB_E_NO_IPV6, "the routers' prefixes ran out");
    network->has_addresses6 = false;
}

static enum lb_turn carry_out(struct lb_network *network, uint64_t now_us, struct lb_nd6_action did,
                              struct lb_boot_action *action, struct lb_network_news *news) {
    switch (did.event) {
    case LB_ND6_WAIT:
        lb_until(network->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_ND6_SEND:
        *action = (struct lb_boot_action){.event = LB_BOOT_SEND,
                                          .slot = LB_BOOT_SLOT_ND6,
                                          .bytes = did.bytes,
                                          .from = {.addr = did.from},
                                          .to = {.addr = did.to}};
        return LB_TURN_ACT;
    case LB_ND6_PROBE:
        return probe(network, now_us, did.probe, action);
    case LB_ND6_GOT:
        got_info(network, now_us, news);
        return LB_TURN_AGAIN;
    case LB_ND6_NO_ROUTER:
        no_router(network, now_us);
        return LB_TURN_AGAIN;
    case LB_ND6_LOST:
        lost(network, news);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

enum lb_turn lb_network_turn_nd6(struct lb_network *network, uint64_t now_us,
                                 struct lb_boot_action *action, struct lb_network_news *news) {
    if (!network->nd6_runs)
        return LB_TURN_IDLE;
    if (network->static6 == LB_STATIC6_DUE) {
        network->static6 = LB_STATIC6_PROBING;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_PROBE,
            .slot = LB_BOOT_SLOT_ND6,
            .probe = static_address(network),
            .probe_len = lb_config_prefix(network->common->plan->config, LB_KEY_ADDRESS).len};
        return LB_TURN_ACT;
    }
    return carry_out(network, now_us, lb_nd6_client_poll(&network->nd6, now_us), action, news);
}

/* What runs already goes on, with what it knows; but routers that were silent are asked again, as
 * is a server that was. */
void lb_network_start_v6(struct lb_network *network, uint64_t now_us, bool drops_lease) {
    if (!network->nd6_runs || network->common->plan->is_dry) {
        lb_network_start_nd6(network, now_us);
        network->dhcp6_role = LB_DHCP6_NOTHING;
        return;
    }
    if (!network->nd6.info.advertised)
        lb_nd6_client_link_up(&network->nd6, now_us);
    if (network->static6 == LB_STATIC6_WAITS)
        network->static6 = LB_STATIC6_DUE;
    if (!network->dhcp6_runs || drops_lease) {
        if (network->dhcp6_runs)
            network->dhcp6_runs = network->is_set = false;
        network->dhcp6_role = LB_DHCP6_NOTHING;
        lb_network_follow_routers(network, now_us);
    }
}
