/* DHCPv4: the client, its configuration and its results. */
#include "core/base/pace.h"
#include "core/boot/boot_report.h"
#include "core/boot/network.h"

#define BAD_WAIT_MS 4000 /* in the first attempt, for a good answer after a bad one */

/* ---- configuration -------------------------------------------------------------------------- */

/* RFC 4361: ff, IAID, DUID; the DUID from the UUID (RFC 6355) where there is one, else from the
 * MAC, the IAID from the MAC, so that a machine's cards differ. */
static void duid_client_id(const struct lb_network *network, struct lb_dhcp4_config *out) {
    static const uint8_t no_uuid[16];
    const uint8_t *mac = network->common->plan->mac;
    struct lb_wr wr = lb_wr(lb_span(out->client_id, sizeof out->client_id));
    lb_wr_u8(&wr, 0xff);
    lb_wr_bytes(&wr, lb_bytes(mac + 2, 4));
    if (memcmp(network->common->plan->uuid, no_uuid, sizeof no_uuid) != 0) {
        lb_wr_u16(&wr, 4);
        lb_wr_bytes(&wr, lb_bytes(network->common->plan->uuid, 16));
    } else {
        lb_wr_u16(&wr, 3);
        lb_wr_u16(&wr, 1);
        lb_wr_bytes(&wr, lb_bytes(mac, 6));
    }
    out->client_id_len = wr.len;
}

/* `mac` is the client's own default. */
static bool client_id_config(struct lb_network *network, struct lb_dhcp4_config *out,
                             struct lb_error *error) {
    const char *value = lb_config_text(network->common->plan->config, LB_KEY_CLIENT_ID);
    if (lb_streq(value, "mac"))
        return true;
    if (lb_streq(value, "duid")) {
        duid_client_id(network, out);
        return true;
    }
    struct lb_span room = lb_span(out->client_id, sizeof out->client_id);
    if (lb_parse_hex_bytes(lb_bytes_of_text(value), room, &out->client_id_len))
        return true;
    lb_fail(error, LB_E_CONFIG_VALUE, "client-id=%s, expected mac, duid or hex bytes", value);
    return false;
}

/* Whether a person has said whom to believe: then bad answers are to be expected. */
static bool is_guarded(const struct lb_config *config) {
    return lb_config_is_set(config, LB_KEY_ALLOW_SERVER) ||
           lb_config_is_set(config, LB_KEY_ALLOW_TARGET) ||
           lb_config_is_set(config, LB_KEY_REQUIRE);
}

/* Each attempt gives the good answers more time than the one before. Where bad ones are a mistake
 * of one server, most likely, the first attempt gives no more than a better offer gets beside a
 * good one: a person waits to hear of the mistake. */
uint32_t lb_network_bad_wait_ms(const struct lb_network *network) {
    uint32_t most_ms = lb_config_u32(network->common->plan->config, LB_KEY_DHCP_TIMEOUT) / 2;
    if (network->attempt <= 1 && !is_guarded(network->common->plan->config))
        return LB_MAX(lb_config_u32(network->common->plan->config, LB_KEY_OFFER_WAIT), 1);
    return (uint32_t)lb_pace(BAD_WAIT_MS, most_ms, LB_MAX(network->attempt, 1) - 1);
}

uint64_t lb_network_replay(const struct lb_network *network, uint64_t now_us) {
    uint64_t at_us = network->common->plan->clock_us + now_us;
    return (at_us / LB_US_SEC << 32) + (at_us % LB_US_SEC << 12);
}

/* Options that are this program's to send, or have a key of their own. */
static bool is_taken(const struct lb_config *config, uint64_t code) {
    static const uint8_t taken[] = {0,  12, 50, 51, 52, 53, 54, 55, 56,
                                    57, 60, 61, 77, 80, 82, 90, 255};
    for (size_t i = 0; i < LB_COUNT(taken); i++)
        if (taken[i] == code)
            return true;
    uint16_t arch;
    return lb_config_arch(config, &arch) && (code == 93 || code == 94 || code == 97);
}

/* CODE:HEX */
static bool add_extra(const struct lb_config *config, struct lb_bytes item, struct lb_wr *wr) {
    uint8_t value[LB_BOOT_DHCP_EXTRA_MAX];
    uint64_t code;
    struct lb_bytes number, hex;
    size_t len = 0;
    if (!lb_split_at(item, ':', &number, &hex) || !lb_parse_u64(number, 254, &code) ||
        is_taken(config, code) || !lb_parse_hex_bytes(hex, lb_span(value, sizeof value), &len))
        return false;
    lb_wr_u8(wr, (uint8_t)code);
    lb_wr_u8(wr, (uint8_t)len);
    lb_wr_bytes(wr, lb_bytes(value, len));
    return lb_wr_ok(wr);
}

static bool extra_config(struct lb_network *network, struct lb_dhcp4_config *out,
                         struct lb_error *error) {
    const struct lb_config *config = network->common->plan->config;
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_DHCP_SEND)), item;
    struct lb_wr wr = lb_wr(lb_span(network->dhcp_extra, sizeof network->dhcp_extra));
    while (lb_list_next(&list, ',', &item)) {
        if (add_extra(config, item, &wr))
            continue;
        char shown[80];
        struct lb_text text = lb_text(shown, sizeof shown);
        lb_text_given(&text, item, 60);
        lb_fail(error, LB_E_CONFIG_VALUE,
                "dhcp-send: `%s`, expected CODE:HEX, %u bytes in all, of an option that has no key "
                "of its own",
                shown, (unsigned)sizeof network->dhcp_extra);
        return false;
    }
    out->extra = lb_wr_done(&wr);
    return true;
}

static bool client_config(struct lb_network *network, uint64_t now_us, struct lb_dhcp4_config *out,
                          struct lb_error *error) {
    const struct lb_config *config = network->common->plan->config;
    *out = (struct lb_dhcp4_config){
        .offer_wait_ms = lb_config_u32(config, LB_KEY_OFFER_WAIT),
        .give_up_ms = lb_config_u32(config, LB_KEY_DHCP_TIMEOUT),
        .retry_ms = lb_config_u32(config, LB_KEY_DHCP_RETRY),
        .no_rapid_commit = !lb_config_bool(config, LB_KEY_RAPID_COMMIT),
        .no_arp_probe = !lb_config_bool(config, LB_KEY_ARP_PROBE),
        .ask_bootp = lb_config_bool(config, LB_KEY_BOOTP),
        .bad_wait_ms = lb_network_bad_wait_ms(network),
        .takes_bad = network->takes_bad,
        .offers_only = network->common->plan->is_dry,
        .keys = lb_config_secret(config, LB_KEY_DHCP_KEYS),
        .seen = &network->seen,
        .replay = lb_network_replay(network, now_us),
    };
    memcpy(out->mac, network->common->plan->mac, sizeof out->mac);
    if (lb_config_is_set(config, LB_KEY_HOSTNAME))
        out->hostname = lb_config_text(config, LB_KEY_HOSTNAME);
    out->vendor_class = lb_config_text(config, LB_KEY_VENDOR_CLASS);
    if (lb_config_text(config, LB_KEY_USER_CLASS)[0] != '\0')
        out->user_class = lb_config_text(config, LB_KEY_USER_CLASS);
    out->has_arch = network->common->plan->has_arch;
    out->arch = network->common->plan->arch;
    memcpy(out->uuid, network->common->plan->uuid, sizeof out->uuid);
    return client_id_config(network, out, error) && extra_config(network, out, error);
}

bool lb_network_start_dhcp4(struct lb_network *network, uint64_t now_us, struct lb_error *error) {
    struct lb_dhcp4_config config;
    if (!client_config(network, now_us, &config, error))
        return false;
    lb_dhcp4_client_init(&network->dhcp, now_us, &config, network->common->rand,
                         network->common->trace);
    if (!network->dhcp_open) {
        struct lb_boot_action *ask = lb_ask(network->common, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_DHCP4;
        ask->kind = LB_KIND_DHCP4;
    }
    network->dhcp_open = network->dhcp_runs = true;
    network->has_lease = network->is_set = false; /* also where BOOTP is asked anew */
    network->step_dhcp =
        lb_report_begin(network->common->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                        "DHCPv4 on %s", network->common->interface);
    return true;
}

const struct lb_dhcp4_lease *lb_network_firmware_lease(struct lb_network *network) {
    bool was_there = network->has_firmware;
    network->has_firmware = false;
    return was_there ? &network->firmware : NULL;
}

void lb_network_adopt(struct lb_network *network, uint64_t now_us, enum lb_worth worth) {
    network->firmware.worth = worth;
    lb_dhcp4_client_adopt(&network->dhcp, now_us, &network->firmware);
}

void lb_network_stop_dhcp4(struct lb_network *network) {
    if (network->dhcp_open)
        lb_ask(network->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_DHCP4;
    network->dhcp_open = network->dhcp_runs = false;
}

const struct lb_dhcp4_lease *lb_network_offer4(const struct lb_network *network) {
    const struct lb_dhcp4_client *client = &network->dhcp;
    const struct lb_dhcp4_lease *best = NULL;
    for (size_t i = 0; i < client->offer_count; i++)
        if (best == NULL || lb_dhcp4_offer_rank(&client->offers[i]) > lb_dhcp4_offer_rank(best))
            best = &client->offers[i];
    return best;
}

/* ---- the client's results -------------------------------------------------------------------- */

static void got_lease(struct lb_network *network, uint64_t now_us, struct lb_network_news *news) {
    network->has_lease = network->had_lease = true;
    lb_report_lease(network->common->report, now_us, &network->dhcp.lease);
    lb_report_end(network->common->report, now_us, network->step_dhcp, LB_DONE_OK, "%s",
                  lb_prefix_text(network->dhcp.lease.address).s);
    news->what = LB_NETWORK_CHANGED;
}

/* The client asks on, and a session that was up waits for a new address as it waits for a target
 * that is gone; what ends before that is explained by the lease. */
static void lost_lease(struct lb_network *network, struct lb_network_news *news) {
    const struct lb_dhcp4_client *client = &network->dhcp;
    *news = (struct lb_network_news){.what = LB_NETWORK_LOST, .family = LB_V4};
    lb_fail(&news->why, client->naks > 0 ? LB_E_DHCP_NAK : LB_E_DHCP_EXPIRED,
            "%s of DHCP server %s%s", lb_addr_text(network->net.address.addr).s,
            lb_addr_text(client->lease.server).s, client->naks > 0 ? client->nak_words : "");
    network->has_lease = false;
}

/* A dry run has its offers. */
static void got_offers(struct lb_network *network, uint64_t now_us) {
    network->dhcp_runs = false;
    if (network->dhcp.offer_count == 0)
        lb_fail(&network->out4, LB_E_DHCP_NO_OFFER, "only %s, a proxyDHCP server without addresses",
                lb_addr_text(network->dhcp.proxy.server).s);
    else
        lb_report_end(network->common->report, now_us, network->step_dhcp, LB_DONE_OK,
                      "%zu offered", network->dhcp.offer_count);
}

/* In one attempt there is a limit to asking; but a disk in use is waited for by its session, and so
 * is its address. */
static void client_failed(struct lb_network *network, uint64_t now_us) {
    struct lb_dhcp4_config config = network->dhcp.config;
    if (network->awaits_us == 0 && network->had_lease) {
        lb_dhcp4_client_init(&network->dhcp, now_us, &config, network->common->rand,
                             network->common->trace);
        return;
    }
    network->out4 = network->dhcp.error;
    network->dhcp_runs = false;
    lb_report_end(network->common->report, now_us, network->step_dhcp, LB_DONE_FAILED, "%s",
                  lb_code_word(network->out4.code));
}

enum lb_turn lb_network_turn_dhcp4(struct lb_network *network, uint64_t now_us,
                                   struct lb_boot_action *action, struct lb_network_news *news) {
    if (!network->dhcp_runs)
        return LB_TURN_IDLE;
    struct lb_dhcp4_action did = lb_dhcp4_client_poll(&network->dhcp, now_us);
    switch (did.event) {
    case LB_DHCP4_WAIT:
        lb_until(network->common, did.until_us);
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
        got_lease(network, now_us, news);
        return LB_TURN_AGAIN;
    case LB_DHCP4_LOST:
        lost_lease(network, news);
        return LB_TURN_AGAIN;
    case LB_DHCP4_OFFERS:
        got_offers(network, now_us);
        return LB_TURN_AGAIN;
    case LB_DHCP4_FAILED:
        client_failed(network, now_us);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

/* ---- answers, which are judged before they are heard ---------------------------------------- */

bool lb_network_reads4(struct lb_network *network, struct lb_endpoint from, struct lb_bytes bytes,
                       struct lb_dhcp4_lease *said) {
    return network->dhcp_runs && lb_dhcp4_client_reads(&network->dhcp, from, bytes, said);
}

void lb_network_hear4(struct lb_network *network, uint64_t now_us, struct lb_endpoint from,
                      struct lb_bytes bytes, enum lb_worth worth) {
    if (network->dhcp_runs)
        lb_dhcp4_client_hear(&network->dhcp, now_us, from, bytes, worth);
}

const struct lb_dhcp4_lease *lb_network_lease4(const struct lb_network *network) {
    return network->has_lease ? &network->dhcp.lease : NULL;
}
