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
#include "core/boot/boot_state.h"

/* RFC 8415 4.4 of RFC 4361: the same DUID as in DHCPv4's client identifier, if that has one. */
static struct lb_duid duid_of(const struct lb_boot *boot) {
    static const uint8_t no_uuid[16];
    const char *value = lb_config_text(boot->setup.config, LB_KEY_CLIENT_ID);
    uint8_t id[LB_DHCP4_BLOB_MAX];
    size_t len = 0;
    struct lb_duid duid = {.len = 0};
    if (lb_parse_hex_bytes(lb_bytes_of_text(value), lb_span(id, sizeof id), &len) && len > 7 &&
        len - 5 <= sizeof duid.bytes && id[0] == 0xff) {
        duid.len = len - 5;
        memcpy(duid.bytes, id + 5, duid.len);
        return duid;
    }
    if (memcmp(boot->setup.uuid, no_uuid, sizeof no_uuid) != 0)
        return lb_duid_uuid(boot->setup.uuid);
    return lb_duid_ll(boot->setup.mac);
}

/* An attempt's time counts from when the network was first asked. */
static uint32_t time_left_ms(const struct lb_boot *boot, uint64_t now_us) {
    uint32_t timeout_ms = lb_config_u32(boot->setup.config, LB_KEY_DHCP_TIMEOUT);
    if (boot->state != LB_AT_DHCP || boot->deadline_us <= now_us)
        return timeout_ms;
    return (uint32_t)((boot->deadline_us - now_us + LB_US_MS - 1) / LB_US_MS);
}

static void start(struct lb_boot *boot, uint64_t now_us, enum lb_dhcp6_role role) {
    const struct lb_config *config = boot->setup.config;
    struct lb_dhcp6_config client = {
        .duid = duid_of(boot),
        .iaid = lb_dhcp6_iaid(boot->setup.mac),
        .stateless = role == LB_DHCP6_REST,
        .no_rapid_commit =
            !lb_config_bool(config, LB_KEY_RAPID_COMMIT) || !boot->nd6.info.advertised,
        .no_probe = !lb_config_bool(config, LB_KEY_ARP_PROBE),
        .offers_only = boot->plan.is_dry,
        .take_reconfigure = lb_config_bool(config, LB_KEY_RECONFIGURE),
        .offer_wait_ms = lb_config_u32(config, LB_KEY_OFFER_WAIT),
        .bad_wait_ms = lb_bad_wait_ms(boot),
        .takes_bad = lb_choice_may_search(&boot->plan, &boot->choice.target),
        .give_up_ms = time_left_ms(boot, now_us),
        .retry_ms = lb_config_u32(config, LB_KEY_DHCP_RETRY),
    };
    if (lb_config_is_set(config, LB_KEY_CLIENT_ARCH))
        client.arch = (uint16_t)lb_config_u32(config, LB_KEY_CLIENT_ARCH);
    if (lb_config_text(config, LB_KEY_USER_CLASS)[0] != '\0')
        client.user_class = lb_config_text(config, LB_KEY_USER_CLASS);
    lb_dhcp6_client_init(&boot->dhcp6, now_us, &client, &boot->rand, &boot->trace);
    if (!boot->dhcp6_open) {
        struct lb_boot_action *ask = lb_boot_ask(boot, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_DHCP6;
        ask->kind = LB_KIND_DHCP6;
    }
    boot->dhcp6_open = boot->dhcp6_runs = true;
    lb_report_end(&boot->report, now_us, boot->step_dhcp6, LB_BYPASSED,
                  "routers want it otherwise");
    boot->step_dhcp6 = lb_report_begin(&boot->report, now_us, LB_STAGE_DHCP,
                                       (struct lb_endpoint){0}, "DHCPv6%s on %s",
                                       client.stateless ? " for information" : "", boot->interface);
}

static void give_up(struct lb_boot *boot, uint64_t now_us) {
    boot->dhcp6_runs = false;
    lb_report_end(&boot->report, now_us, boot->step_dhcp6, LB_BYPASSED,
                  "routers say there is none");
    boot->step_dhcp6 = LB_NO_STEP;
}

/* What routers said since DHCPv6 runs: that one does not say it any more ends nothing (RFC 2462
 * 5.5.3). */
static void note_flags(struct lb_boot *boot) {
    const struct lb_nd6_info *info = &boot->nd6.info;
    boot->was_managed = info->managed || (boot->was_managed && boot->dhcp6_runs);
    boot->was_other = info->other || (boot->was_other && boot->dhcp6_runs);
}

static enum lb_dhcp6_role wanted_role(const struct lb_boot *boot) {
    const struct lb_nd6_info *info = &boot->nd6.info;
    if (!lb_addr_is_set(info->link_local) || lb_plan_is_static(&boot->plan, LB_V6))
        return LB_DHCP6_NOTHING;
    if (!info->advertised || boot->was_managed)
        return LB_DHCP6_ADDRESSES;
    return boot->was_other ? LB_DHCP6_REST : LB_DHCP6_NOTHING;
}

void lb_dhcp6_stage_follow(struct lb_boot *boot, uint64_t now_us) {
    note_flags(boot);
    enum lb_dhcp6_role role = wanted_role(boot);
    bool is_leased = boot->dhcp6_runs && boot->dhcp6.has_lease;
    bool is_more = boot->dhcp6_role == LB_DHCP6_REST && role == LB_DHCP6_ADDRESSES;
    if (role == boot->dhcp6_role || (is_leased && !is_more))
        return;
    lb_trace(&boot->trace, now_us, "boot", "DHCPv6 for %s",
             role == LB_DHCP6_ADDRESSES ? "addresses"
             : role == LB_DHCP6_REST    ? "information"
                                        : "nothing");
    boot->dhcp6_role = role;
    if (role == LB_DHCP6_NOTHING)
        give_up(boot, now_us);
    else
        start(boot, now_us, role);
}

void lb_dhcp6_stage_stop(struct lb_boot *boot) {
    if (boot->dhcp6_open)
        lb_boot_ask(boot, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_DHCP6;
    boot->dhcp6_open = boot->dhcp6_runs = false;
    boot->dhcp6_role = LB_DHCP6_NOTHING;
}

const struct lb_dhcp6_lease *lb_dhcp6_stage_offer(const struct lb_boot *boot) {
    const struct lb_dhcp6_client *client = &boot->dhcp6;
    const struct lb_dhcp6_lease *best = NULL;
    for (size_t i = 0; i < client->offer_count; i++)
        if (best == NULL || lb_dhcp6_offer_rank(&client->offers[i]) > lb_dhcp6_offer_rank(best))
            best = &client->offers[i];
    return best;
}

/* ---- what the client says ------------------------------------------------------------------- */

static void got_lease(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_dhcp6_lease *lease = &boot->dhcp6.lease;
    if (boot->step_dhcp6 != LB_NO_STEP || !boot->had_lease6)
        lb_report_lease6(boot, now_us, lease);
    lb_report_end(&boot->report, now_us, boot->step_dhcp6, LB_DONE_OK, "%s",
                  lease->addr_count > 0 ? lb_addr_text(lease->addrs[0].addr).s : "information");
    boot->step_dhcp6 = LB_NO_STEP;
    boot->had_lease6 = true;
    lb_network_changed(boot, now_us);
}

static void lost_lease(struct lb_boot *boot, uint64_t now_us) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, LB_E_DHCP6_EXPIRED, "of DHCPv6 server %s",
            lb_addr_text(boot->dhcp6.lease.server).s);
    lb_network_lost(boot, now_us, LB_V6, &error);
}

static void got_offers(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->step_dhcp6, LB_DONE_OK, "%zu offered",
                  boot->dhcp6.offer_count);
    boot->step_dhcp6 = LB_NO_STEP;
    boot->dhcp6_runs = false;
}

/* As with DHCPv4, an attempt has a limit, but who had a lease asks on for another. */
static void client_failed(struct lb_boot *boot, uint64_t now_us) {
    struct lb_dhcp6_config config = boot->dhcp6.config;
    if (boot->state != LB_AT_DHCP && boot->had_lease6) {
        lb_dhcp6_client_init(&boot->dhcp6, now_us, &config, &boot->rand, &boot->trace);
        return;
    }
    boot->out6 = boot->dhcp6.error;
    boot->dhcp6_runs = false;
    lb_report_end(&boot->report, now_us, boot->step_dhcp6, LB_DONE_FAILED, "%s",
                  lb_code_word(boot->out6.code));
    boot->step_dhcp6 = LB_NO_STEP;
}

enum lb_turn lb_dhcp6_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                 struct lb_boot_action *action) {
    if (!boot->dhcp6_runs)
        return LB_TURN_IDLE;
    struct lb_dhcp6_action did = lb_dhcp6_client_poll(&boot->dhcp6, now_us);
    switch (did.event) {
    case LB_DHCP6_WAIT:
        lb_boot_until(boot, did.until_us);
        return LB_TURN_IDLE;
    case LB_DHCP6_SEND:
        if (!lb_addr_is_set(boot->nd6.info.link_local))
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
        got_lease(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP6_LOST:
        lost_lease(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP6_OFFERS:
        got_offers(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP6_FAILED:
        client_failed(boot, now_us);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}
