/* DHCPv6, as the routers want it to be used: RFC 4861 4.2, RFC 4173 5.
 *
 * Boot time is the longest dependency, not the sum: a router's word is not waited for. As soon as
 * there is a link-local address to ask from, a Solicit goes out, and it takes nothing by itself
 * (rapid commit is not offered then). What a router says corrects it:
 *
 *   M              the Solicit was right
 *   O without M    nothing is asked for but information, by Information-request
 *   neither        DHCPv6 is not asked (RFC 4173 5: the DHCP stage may be prohibited)
 *   no router      the Solicit was right: RFC 4862 5.5.2 lets a host try DHCPv6 all the same
 *
 * What has been leased by then is kept. */
#include "core/boot/boot_report.h"
#include "core/boot/network.h"

/* RFC 8415 4.4 of RFC 4361: the same DUID as in DHCPv4's client identifier, if that has one. */
static struct lb_duid duid_of(const struct lb_network *network) {
    static const uint8_t no_uuid[16];
    const char *value = lb_config_text(network->common->plan->config, LB_KEY_CLIENT_ID);
    uint8_t id[LB_DHCP4_BLOB_MAX];
    size_t len = 0;
    struct lb_duid duid = {.len = 0};
    if (lb_parse_hex_bytes(lb_bytes_of_text(value), lb_span(id, sizeof id), &len) && len > 7 &&
        len - 5 <= sizeof duid.bytes && id[0] == 0xff) {
        duid.len = len - 5;
        memcpy(duid.bytes, id + 5, duid.len);
        return duid;
    }
    if (memcmp(network->common->plan->uuid, no_uuid, sizeof no_uuid) != 0)
        return lb_duid_uuid(network->common->plan->uuid);
    return lb_duid_ll(network->common->plan->mac);
}

/* An attempt's time counts from when the network was first asked. */
static uint32_t time_left_ms(const struct lb_network *network, uint64_t now_us) {
    uint32_t timeout_ms = lb_config_u32(network->common->plan->config, LB_KEY_DHCP_TIMEOUT);
    if (network->awaits_us <= now_us)
        return timeout_ms;
    return (uint32_t)((network->awaits_us - now_us + LB_US_MS - 1) / LB_US_MS);
}

static void start(struct lb_network *network, uint64_t now_us, enum lb_dhcp6_role role) {
    const struct lb_config *config = network->common->plan->config;
    struct lb_dhcp6_config client = {
        .duid = duid_of(network),
        .iaid = lb_dhcp6_iaid(network->common->plan->mac),
        .stateless = role == LB_DHCP6_REST,
        .no_rapid_commit =
            !lb_config_bool(config, LB_KEY_RAPID_COMMIT) || !network->nd6.info.advertised,
        .no_probe = !lb_config_bool(config, LB_KEY_ARP_PROBE),
        .offers_only = network->common->plan->is_dry,
        .take_reconfigure = lb_config_bool(config, LB_KEY_RECONFIGURE),
        .offer_wait_ms = lb_config_u32(config, LB_KEY_OFFER_WAIT),
        .bad_wait_ms = lb_network_bad_wait_ms(network),
        .takes_bad = network->takes_bad,
        .give_up_ms = time_left_ms(network, now_us),
        .retry_ms = lb_config_u32(config, LB_KEY_DHCP_RETRY),
        .keys = lb_config_secret(config, LB_KEY_DHCP_KEYS),
        .seen = &network->seen,
        .replay = lb_network_replay(network, now_us),
        .has_arch = network->common->plan->has_arch,
        .arch = network->common->plan->arch,
    };
    if (lb_config_text(config, LB_KEY_USER_CLASS)[0] != '\0')
        client.user_class = lb_config_text(config, LB_KEY_USER_CLASS);
    lb_dhcp6_client_init(&network->dhcp6, now_us, &client, network->common->rand,
                         network->common->trace);
    if (!network->dhcp6_open) {
        struct lb_boot_action *ask = lb_ask(network->common, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_DHCP6;
        ask->kind = LB_KIND_DHCP6;
    }
    network->dhcp6_open = network->dhcp6_runs = true;
    lb_report_end(network->common->report, now_us, network->step_dhcp6, LB_BYPASSED,
                  "routers want it otherwise");
    network->step_dhcp6 = lb_report_begin(
        network->common->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0}, "DHCPv6%s on %s",
        client.stateless ? " for information" : "", network->common->interface);
}

static void give_up(struct lb_network *network, uint64_t now_us) {
    network->dhcp6_runs = false;
    lb_report_end(network->common->report, now_us, network->step_dhcp6, LB_BYPASSED,
                  "routers say there is none");
    network->step_dhcp6 = LB_NO_STEP;
}

/* What routers said since a server of DHCPv6 has answered: that one does not say it any more ends
 * nothing that is under way (RFC 2462 5.5.3). */
static void note_flags(struct lb_network *network) {
    const struct lb_nd6_info *info = &network->nd6.info;
    bool is_under_way = network->dhcp6_runs && network->dhcp6.saw_offer;
    network->was_managed = info->managed || (network->was_managed && is_under_way);
    network->was_other = info->other || (network->was_other && is_under_way);
}

static enum lb_dhcp6_role wanted_role(const struct lb_network *network) {
    const struct lb_nd6_info *info = &network->nd6.info;
    if (!lb_addr_is_set(info->link_local) || lb_plan_is_static(network->common->plan, LB_V6))
        return LB_DHCP6_NOTHING;
    if (!info->advertised || network->was_managed)
        return LB_DHCP6_ADDRESSES;
    return network->was_other ? LB_DHCP6_REST : LB_DHCP6_NOTHING;
}

void lb_network_follow_routers(struct lb_network *network, uint64_t now_us) {
    note_flags(network);
    enum lb_dhcp6_role role = wanted_role(network);
    bool is_leased = network->dhcp6_runs && network->dhcp6.has_lease;
    bool is_more = network->dhcp6_role == LB_DHCP6_REST && role == LB_DHCP6_ADDRESSES;
    if (role == network->dhcp6_role || (is_leased && !is_more))
        return;
    lb_trace(network->common->trace, now_us, "boot", "DHCPv6 for %s",
             role == LB_DHCP6_ADDRESSES ? "addresses"
             : role == LB_DHCP6_REST    ? "information"
                                        : "nothing");
    network->dhcp6_role = role;
    if (role == LB_DHCP6_NOTHING)
        give_up(network, now_us);
    else
        start(network, now_us, role);
}

void lb_network_stop_dhcp6(struct lb_network *network) {
    if (network->dhcp6_open)
        lb_ask(network->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_DHCP6;
    network->dhcp6_open = network->dhcp6_runs = false;
    network->dhcp6_role = LB_DHCP6_NOTHING;
}

const struct lb_dhcp6_lease *lb_network_offer6(const struct lb_network *network) {
    const struct lb_dhcp6_client *client = &network->dhcp6;
    const struct lb_dhcp6_lease *best = NULL;
    for (size_t i = 0; i < client->offer_count; i++)
        if (best == NULL || lb_dhcp6_offer_rank(&client->offers[i]) > lb_dhcp6_offer_rank(best))
            best = &client->offers[i];
    return best;
}

/* ---- the client's results -------------------------------------------------------------------- */

static void got_lease(struct lb_network *network, uint64_t now_us, struct lb_network_news *news) {
    const struct lb_dhcp6_lease *lease = &network->dhcp6.lease;
    if (network->step_dhcp6 != LB_NO_STEP || !network->had_lease6)
        lb_report_lease6(network->common->report, now_us, lease);
    lb_report_end(network->common->report, now_us, network->step_dhcp6, LB_DONE_OK, "%s",
                  lease->addr_count > 0 ? lb_addr_text(lease->addrs[0].addr).s : "information");
    network->step_dhcp6 = LB_NO_STEP;
    network->had_lease6 = true;
    news->what = LB_NETWORK_CHANGED;
}

static void lost_lease(const struct lb_network *network, struct lb_network_news *news) {
    *news = (struct lb_network_news){.what = LB_NETWORK_LOST, .family = LB_V6};
    lb_fail(&news->why, LB_E_DHCP6_EXPIRED, "of DHCPv6 server %s",
            lb_addr_text(network->dhcp6.lease.server).s);
}

static void got_offers(struct lb_network *network, uint64_t now_us) {
    lb_report_end(network->common->report, now_us, network->step_dhcp6, LB_DONE_OK, "%zu offered",
                  network->dhcp6.offer_count);
    network->step_dhcp6 = LB_NO_STEP;
    network->dhcp6_runs = false;
}

/* As with DHCPv4, an attempt has a limit, but who had a lease asks on for another. */
static void client_failed(struct lb_network *network, uint64_t now_us) {
    struct lb_dhcp6_config config = network->dhcp6.config;
    if (network->awaits_us == 0 && network->had_lease6) {
        lb_dhcp6_client_init(&network->dhcp6, now_us, &config, network->common->rand,
                             network->common->trace);
        return;
    }
    network->out6 = network->dhcp6.error;
    network->dhcp6_runs = false;
    lb_report_end(network->common->report, now_us, network->step_dhcp6, LB_DONE_FAILED, "%s",
                  lb_code_word(network->out6.code));
    network->step_dhcp6 = LB_NO_STEP;
}

enum lb_turn lb_network_turn_dhcp6(struct lb_network *network, uint64_t now_us,
                                   struct lb_boot_action *action, struct lb_network_news *news) {
    if (!network->dhcp6_runs)
        return LB_TURN_IDLE;
    struct lb_dhcp6_action did = lb_dhcp6_client_poll(&network->dhcp6, now_us);
    switch (did.event) {
    case LB_DHCP6_WAIT:
        lb_until(network->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_DHCP6_SEND:
        if (!lb_addr_is_set(network->nd6.info.link_local))
            return LB_TURN_AGAIN; /* it is looked for anew: as good as lost, and said again later */
        *action = (struct lb_boot_action){.event = LB_BOOT_SEND,
                                          .slot = LB_BOOT_SLOT_DHCP6,
                                          .bytes = did.bytes,
                                          .from = did.from,
                                          .to = did.to};
        return LB_TURN_ACT;
    case LB_DHCP6_PROBE:
        *action = (struct lb_boot_action){.event = LB_BOOT_PROBE,
                                          .slot = LB_BOOT_SLOT_DHCP6,
                                          .probe = did.probe,
                                          .probe_len = 128};
        return LB_TURN_ACT;
    case LB_DHCP6_GOT:
        got_lease(network, now_us, news);
        return LB_TURN_AGAIN;
    case LB_DHCP6_LOST:
        lost_lease(network, news);
        return LB_TURN_AGAIN;
    case LB_DHCP6_OFFERS:
        got_offers(network, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP6_FAILED:
        client_failed(network, now_us);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

/* ---- answers, which are judged before they are heard ---------------------------------------- */

bool lb_network_reads6(struct lb_network *network, struct lb_endpoint from, struct lb_bytes bytes,
                       struct lb_dhcp6_lease *said) {
    return network->dhcp6_runs && lb_dhcp6_client_reads(&network->dhcp6, from, bytes, said);
}

void lb_network_hear6(struct lb_network *network, uint64_t now_us, struct lb_endpoint from,
                      struct lb_bytes bytes, enum lb_worth worth) {
    if (network->dhcp6_runs)
        lb_dhcp6_client_hear(&network->dhcp6, now_us, from, bytes, worth);
}

const struct lb_dhcp6_lease *lb_network_lease6(const struct lb_network *network) {
    return network->dhcp6_runs && network->dhcp6.has_lease ? &network->dhcp6.lease : NULL;
}
