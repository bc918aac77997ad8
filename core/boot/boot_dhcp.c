/* The link, DHCP and address stages: until the interface has an address, and as long as it is kept.
 */
#include "core/boot/boot_state.h"

/* ---- the interface's configuration ------------------------------------------------------------
 */

static void net_from_lease(struct lb_boot_net *net, const struct lb_dhcp4_lease *lease) {
    *net = (struct lb_boot_net){
        .address = lease->address,
        .route_count = lease->route_count,
        .dns_count = lease->dns_count,
        .mtu = lease->mtu,
        .dhcp_server = lease->server,
        .lease_s = lease->bootp || lease->lease_s == LB_DHCP4_INFINITE ? 0 : lease->lease_s,
    };
    memcpy(net->routes, lease->routes, sizeof net->routes);
    memcpy(net->dns, lease->dns, sizeof net->dns);
    memcpy(net->hostname, lease->hostname, sizeof net->hostname);
    memcpy(net->domain, lease->domain, sizeof net->domain);
    memcpy(net->search, lease->search, sizeof net->search);
}

/* What a person configured stands above what the network said: RFC 4173 3. */
static void net_from_config(struct lb_boot *boot, struct lb_boot_net *net) {
    const struct lb_config *config = boot->setup.config;
    if (lb_config_is_set(config, LB_KEY_MTU))
        net->mtu = (uint16_t)lb_config_u32(config, LB_KEY_MTU);
    if (lb_config_is_set(config, LB_KEY_HOSTNAME))
        lb_text_copy(net->hostname, sizeof net->hostname,
                     lb_bytes_of_text(lb_config_text(config, LB_KEY_HOSTNAME)));
    if (lb_config_is_set(config, LB_KEY_DOMAIN))
        lb_text_copy(net->domain, sizeof net->domain,
                     lb_bytes_of_text(lb_config_text(config, LB_KEY_DOMAIN)));
    if (!lb_config_is_set(config, LB_KEY_DNS))
        return;
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_DNS)), item;
    net->dns_count = 0;
    while (net->dns_count < LB_DNS_MAX && lb_list_next(&list, ',', &item))
        if (lb_addr_parse(item, &net->dns[net->dns_count]))
            net->dns_count++;
}

bool lb_address_from_config(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_config *config = boot->setup.config;
    if (!lb_config_is_set(config, LB_KEY_ADDRESS))
        return false;
    struct lb_boot_net *net = &boot->net;
    *net = (struct lb_boot_net){.address = lb_config_prefix(config, LB_KEY_ADDRESS)};
    struct lb_addr gateway = lb_config_addr(config, LB_KEY_GATEWAY);
    if (lb_addr_is_set(gateway)) {
        struct lb_addr any = {.family = gateway.family};
        net->routes[0] = (struct lb_route){.to = {.addr = any}, .via = gateway};
        net->route_count = 1;
    }
    net_from_config(boot, net);
    lb_report_learned(&boot->report, now_us, LB_STAGE_CONFIG, "address",
                      lb_config_source_word(lb_config_source(config, LB_KEY_ADDRESS)), "%s",
                      lb_prefix_text(net->address).s);
    return true;
}

static void enter_address(struct lb_boot *boot, uint64_t now_us) {
    lb_boot_ask(boot, LB_BOOT_SET_ADDRESS)->net = &boot->net;
    lb_boot_enter(boot, now_us, LB_AT_ADDRESS);
}

void lb_boot_address_set(struct lb_boot *boot, uint64_t now_us, const char *why) {
    if (why != NULL) {
        if (boot->state == LB_AT_ADDRESS) {
            lb_fail(&boot->error, LB_E_HOST_NETWORK, "%s on %s: %s",
                    lb_prefix_text(boot->net.address).s, boot->interface, why);
            lb_boot_attempt_failed(boot, now_us);
        }
        return;
    }
    if (boot->state == LB_AT_DHCP)
        return; /* lost again meanwhile */
    boot->net_set = true;
    if (boot->state == LB_AT_ADDRESS)
        lb_discovery_stage_start(boot, now_us);
}

/* ---- DHCP -------------------------------------------------------------------------------------
 */

/* RFC 4361: ff, IAID, DUID; the DUID from the UUID (RFC 6355) where there is one, else from the
 * MAC, the IAID from the MAC, so that a machine's cards differ. */
static void duid_client_id(const struct lb_boot *boot, struct lb_dhcp4_config *out) {
    static const uint8_t no_uuid[16];
    const uint8_t *mac = boot->setup.mac;
    struct lb_wr wr = lb_wr(lb_span(out->client_id, sizeof out->client_id));
    lb_wr_u8(&wr, 0xff);
    lb_wr_bytes(&wr, lb_bytes(mac + 2, 4));
    if (memcmp(boot->setup.uuid, no_uuid, sizeof no_uuid) != 0) {
        lb_wr_u16(&wr, 4);
        lb_wr_bytes(&wr, lb_bytes(boot->setup.uuid, 16));
    } else {
        lb_wr_u16(&wr, 3);
        lb_wr_u16(&wr, 1);
        lb_wr_bytes(&wr, lb_bytes(mac, 6));
    }
    out->client_id_len = wr.len;
}

/* `mac` is the client's own default. */
static bool client_id_config(struct lb_boot *boot, struct lb_dhcp4_config *out) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_CLIENT_ID);
    if (lb_streq(value, "mac"))
        return true;
    if (lb_streq(value, "duid")) {
        duid_client_id(boot, out);
        return true;
    }
    struct lb_span room = lb_span(out->client_id, sizeof out->client_id);
    if (lb_parse_hex_bytes(lb_bytes_of_text(value), room, &out->client_id_len))
        return true;
    lb_fail(&boot->error, LB_E_CONFIG_VALUE, "client-id=%s, expected mac, duid or hex bytes",
            value);
    return false;
}

static bool client_config(struct lb_boot *boot, struct lb_dhcp4_config *out) {
    const struct lb_config *config = boot->setup.config;
    *out = (struct lb_dhcp4_config){
        .offer_wait_ms = lb_config_u32(config, LB_KEY_OFFER_WAIT),
        .give_up_ms = lb_config_u32(config, LB_KEY_DHCP_TIMEOUT),
        .retry_ms = lb_config_u32(config, LB_KEY_DHCP_RETRY),
        .no_rapid_commit = !lb_config_bool(config, LB_KEY_RAPID_COMMIT),
        .no_arp_probe = !lb_config_bool(config, LB_KEY_ARP_PROBE),
        .ask_bootp = lb_config_bool(config, LB_KEY_BOOTP),
        .offers_only = boot->setup.goal == LB_GOAL_PROBE,
    };
    memcpy(out->mac, boot->setup.mac, sizeof out->mac);
    if (lb_config_is_set(config, LB_KEY_HOSTNAME))
        out->hostname = lb_config_text(config, LB_KEY_HOSTNAME);
    out->vendor_class = lb_config_text(config, LB_KEY_VENDOR_CLASS);
    return client_id_config(boot, out);
}

/* In the first attempt alone: after a failure the network is asked anew. */
static bool is_firmware_lease_of_use(struct lb_boot *boot) {
    const struct lb_dhcp4_lease *lease = &boot->firmware_lease;
    bool was_there = boot->has_firmware_lease;
    boot->has_firmware_lease = false;
    return was_there && boot->setup.goal == LB_GOAL_DISK &&
           (boot->has_target ||
            lb_rootpath_is_iscsi(lb_bytes(lease->root_path, lease->root_path_len), 0));
}

static void start_dhcp(struct lb_boot *boot, uint64_t now_us) {
    struct lb_dhcp4_config config;
    if (!client_config(boot, &config)) {
        lb_boot_attempt_failed(boot, now_us);
        return;
    }
    lb_dhcp4_client_init(&boot->dhcp, now_us, &config, &boot->rand, &boot->trace);
    if (!boot->dhcp_open) {
        struct lb_boot_action *ask = lb_boot_ask(boot, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_DHCP4;
        ask->kind = LB_KIND_DHCP4;
    }
    boot->dhcp_open = boot->dhcp_runs = true;
    boot->has_lease = boot->net_set = false; /* also where BOOTP is asked anew */
    boot->lease_error = (struct lb_error){.code = LB_OK};
    boot->step_dhcp = lb_report_begin(&boot->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                                      "DHCPv4 on %s", boot->interface);
    lb_boot_enter(boot, now_us, LB_AT_DHCP);
    if (is_firmware_lease_of_use(boot))
        lb_dhcp4_client_adopt(&boot->dhcp, now_us, &boot->firmware_lease);
}

static void bypass_dhcp(struct lb_boot *boot, uint64_t now_us) {
    size_t step = lb_report_begin(&boot->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                                  "address is configured");
    lb_report_end(&boot->report, now_us, step, LB_BYPASSED, "address is configured");
    if (lb_initiator_choose(boot, now_us, NULL))
        enter_address(boot, now_us);
    else
        lb_boot_attempt_failed(boot, now_us);
}

static void with_link(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->step_link, LB_DONE_OK, "%s", boot->interface);
    if (boot->setup.goal == LB_GOAL_DISK && lb_address_from_config(boot, now_us))
        bypass_dhcp(boot, now_us);
    else
        start_dhcp(boot, now_us);
}

void lb_dhcp_stage_start(struct lb_boot *boot, uint64_t now_us) {
    boot->step_link = lb_report_begin(&boot->report, now_us, LB_STAGE_LINK, (struct lb_endpoint){0},
                                      "%s", boot->interface);
    lb_boot_enter(boot, now_us, LB_AT_LINK);
    boot->deadline_us = now_us + lb_config_u32(boot->setup.config, LB_KEY_LINK_TIMEOUT) * LB_US_MS;
    if (boot->link_up)
        with_link(boot, now_us);
    else
        lb_boot_ask(boot, LB_BOOT_LINK);
}

void lb_boot_link(struct lb_boot *boot, uint64_t now_us, bool up) {
    if (boot->link_up == up)
        return;
    boot->link_up = up;
    lb_trace(&boot->trace, now_us, "boot", "link of %s is %s", boot->interface, up ? "up" : "down");
    if (!up)
        return;
    if (boot->state == LB_AT_LINK)
        with_link(boot, now_us);
    else if (boot->dhcp_runs)
        lb_dhcp4_client_link_up(&boot->dhcp, now_us);
}

void lb_dhcp_stage_stop(struct lb_boot *boot) {
    if (boot->dhcp_open)
        lb_boot_ask(boot, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_DHCP4;
    boot->dhcp_open = boot->dhcp_runs = false;
}

void lb_dhcp_stage_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                            struct lb_endpoint from, struct lb_bytes bytes) {
    if (slot == LB_BOOT_SLOT_DHCP4 && boot->dhcp_runs)
        lb_dhcp4_client_input(&boot->dhcp, now_us, from, bytes);
}

void lb_boot_probed(struct lb_boot *boot, uint64_t now_us, struct lb_addr addr, bool conflict) {
    if (boot->dhcp_runs && addr.family == LB_V4)
        lb_dhcp4_client_probed(&boot->dhcp, now_us, conflict);
}

/* ---- what the client says ---------------------------------------------------------------------
 */

static void first_lease(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->step_dhcp, LB_DONE_OK, "%s",
                  lb_prefix_text(boot->dhcp.lease.address).s);
    struct lb_boot_answer answer = lb_answer_of_lease4(&boot->dhcp.lease);
    if (!lb_initiator_choose(boot, now_us, &answer) || !lb_target_choose(boot, now_us, &answer)) {
        lb_boot_attempt_failed(boot, now_us);
        return;
    }
    enter_address(boot, now_us);
}

static void got_lease(struct lb_boot *boot, uint64_t now_us) {
    struct lb_prefix before = boot->net.address;
    bool had = boot->has_lease;
    boot->has_lease = true;
    boot->lease_error = (struct lb_error){.code = LB_OK};
    net_from_lease(&boot->net, &boot->dhcp.lease);
    net_from_config(boot, &boot->net);
    lb_report_lease(boot, now_us, &boot->dhcp.lease);
    if (boot->state == LB_AT_DHCP) {
        first_lease(boot, now_us);
        return;
    }
    /* A renewal, or a new lease after one was lost. */
    bool same = had && before.len == boot->net.address.len &&
                lb_addr_equal(before.addr, boot->net.address.addr);
    lb_boot_ask(boot, LB_BOOT_SET_ADDRESS)->net = &boot->net;
    if (!same && boot->session_runs)
        lb_iscsi_drop(&boot->session, now_us);
}

/* The client asks on, and a session that was up waits for a new address as it waits for a target
 * that is gone; what ends before that is explained by the lease. */
static void lost_lease(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_dhcp4_client *client = &boot->dhcp;
    lb_fail(&boot->lease_error, client->naks > 0 ? LB_E_DHCP_NAK : LB_E_DHCP_EXPIRED,
            "%s of DHCP server %s", lb_addr_text(boot->net.address.addr).s,
            lb_addr_text(client->lease.server).s);
    lb_trace(&boot->trace, now_us, "boot", "lost: %s", boot->lease_error.facts);
    boot->has_lease = boot->net_set = false;
    lb_boot_ask(boot, LB_BOOT_CLEAR_ADDRESS);
    if (boot->state == LB_AT_ADDRESS)
        lb_boot_enter(boot, now_us, LB_AT_DHCP);
    if (boot->session_runs)
        lb_iscsi_drop(&boot->session, now_us);
}

static size_t best_offer(const struct lb_dhcp4_client *client) {
    size_t best = 0;
    for (size_t i = 1; i < client->offer_count; i++)
        if (lb_dhcp4_offer_rank(&client->offers[i]) > lb_dhcp4_offer_rank(&client->offers[best]))
            best = i;
    return best;
}

static void only_a_proxy(struct lb_boot *boot, uint64_t now_us) {
    lb_dhcp_stage_stop(boot);
    lb_fail(&boot->error, LB_E_DHCP_NO_OFFER, "only %s, a proxyDHCP server without addresses",
            lb_addr_text(boot->dhcp.proxy.server).s);
    lb_boot_attempt_failed(boot, now_us);
}

/* A dry run has its offers: it shows them, and goes on to the disk where there is a way to it. */
static void got_offers(struct lb_boot *boot, uint64_t now_us) {
    if (boot->dhcp.offer_count == 0) {
        only_a_proxy(boot, now_us);
        return;
    }
    const struct lb_dhcp4_lease *offer = &boot->dhcp.offers[best_offer(&boot->dhcp)];
    lb_report_end(&boot->report, now_us, boot->step_dhcp, LB_DONE_OK, "%zu offered",
                  boot->dhcp.offer_count);
    lb_dhcp_stage_stop(boot);
    lb_report_lease(boot, now_us, offer);
    lb_boot_ask(boot, LB_BOOT_OFFERS);
    struct lb_boot_answer answer = lb_answer_of_lease4(offer);
    if (!lb_initiator_choose(boot, now_us, &answer) || !lb_target_choose(boot, now_us, &answer)) {
        lb_boot_attempt_failed(boot, now_us);
    } else if (boot->setup.network_is_up) {
        lb_discovery_stage_start(boot, now_us);
    } else {
        boot->stopping = true;
        lb_boot_enter(boot, now_us, LB_AT_CLOSING);
    }
}

/* In one attempt there is a limit to asking; but a disk in use is waited for by its session. */
static void client_failed(struct lb_boot *boot, uint64_t now_us) {
    struct lb_dhcp4_config config = boot->dhcp.config;
    if (boot->state != LB_AT_DHCP) {
        lb_dhcp4_client_init(&boot->dhcp, now_us, &config, &boot->rand, &boot->trace);
        return;
    }
    lb_fail(&boot->error, boot->dhcp.error.code, "%s", boot->dhcp.error.facts);
    boot->dhcp_runs = false;
    lb_boot_attempt_failed(boot, now_us);
}

enum lb_turn lb_dhcp_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                struct lb_boot_action *action) {
    if (!boot->dhcp_runs)
        return LB_TURN_IDLE;
    struct lb_dhcp4_action did = lb_dhcp4_client_poll(&boot->dhcp, now_us);
    switch (did.event) {
    case LB_DHCP4_WAIT:
        lb_boot_until(boot, did.until_us);
        return LB_TURN_IDLE;
    case LB_DHCP4_SEND:
        *action = (struct lb_boot_action){.event = LB_BOOT_SEND,
                                          .slot = LB_BOOT_SLOT_DHCP4,
                                          .bytes = did.bytes,
                                          .from = did.from,
                                          .to = did.to};
        return LB_TURN_ACT;
    case LB_DHCP4_PROBE:
        *action = (struct lb_boot_action){
            .event = LB_BOOT_PROBE, .slot = LB_BOOT_SLOT_DHCP4, .probe = did.probe};
        return LB_TURN_ACT;
    case LB_DHCP4_GOT:
        got_lease(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP4_LOST:
        lost_lease(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP4_OFFERS:
        got_offers(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP4_FAILED:
        client_failed(boot, now_us);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}
