/* One interface's addressing, without an engine: what it asks the host for, and what it answers. */
#include "core/boot/network.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

/* Two interfaces of one machine: two of everything, and nothing between them. */
enum { CARDS = 2 };

static struct card {
    struct lb_config config;
    struct lb_boot_setup setup;
    struct lb_plan plan;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_report report;
    struct lb_common common;
    struct lb_network network;
    struct lb_network_news news;
    struct lb_dhcp4_server server;
    struct lb_binding bindings[4];
    bool is_silent; /* the server */
} cards[CARDS];

static uint64_t now;

static void configure(struct card *card, const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&card->config, LB_SOURCE_OPTION, lb_bytes_of_text(key),
                        lb_bytes_of_text(value), &why));
    card->plan = lb_plan_of(&card->setup);
}

static void begin_card(struct card *card, uint8_t number) {
    const uint8_t seed[LB_RAND_SEED_BYTES] = {number};
    const struct lb_dhcp4_server_config server = {
        .server = lb_addr_v4(192, 0, number, 2),
        .network = {lb_addr_v4(192, 0, number, 0), 24},
        .first = lb_addr_v4(192, 0, number, 100),
        .last = lb_addr_v4(192, 0, number, 103),
        .router = lb_addr_v4(192, 0, number, 254),
        .root_path = lb_bytes_of_text("iscsi:192.0.2.1::::iqn.2026-11.test:disk"),
    };
    memset(card, 0, sizeof *card);
    card->setup = (struct lb_boot_setup){
        .config = &card->config, .interface = "eth0", .mac = {2, 0, 0, 0, 0, number}};
    card->plan = lb_plan_of(&card->setup);
    card->common = (struct lb_common){.plan = &card->plan,
                                      .interface = "eth0",
                                      .rand = &card->rand,
                                      .trace = &card->trace,
                                      .report = &card->report};
    lb_rand_init(&card->rand, seed);
    lb_report_init(&card->report, now);
    lb_network_init(&card->network, &card->common);
    lb_network_begin(&card->network, 1, true);
    lb_network_awaited(&card->network, now + 60 * SEC);
    lb_dhcp4_server_init(&card->server, &server, card->bindings, LB_COUNT(card->bindings));
}

static void begin(void) {
    now = 1000 * SEC;
    for (uint8_t i = 0; i < CARDS; i++)
        begin_card(&cards[i], i);
}

static bool start4(struct card *card) {
    struct lb_error error = {.code = LB_OK};
    return lb_network_start_dhcp4(&card->network, now, &error);
}

static const struct lb_boot_action *ask_of(const struct card *card, size_t n) {
    lb_assert(n < card->common.asks.count);
    return &card->common.asks.asks[n];
}

/* The server's answer to what was sent is judged to be worth `worth`, and heard. */
static void answer(struct card *card, const struct lb_boot_action *sent, enum lb_worth worth) {
    static uint8_t room[1500];
    struct lb_dhcp4_lease said;
    struct lb_endpoint client = {lb_addr_v4(0, 0, 0, 0), 68};
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input(&card->server, now, client, sent->bytes, lb_span(room, sizeof room));
    if (card->is_silent || reply.bytes.len == 0)
        return;
    struct lb_endpoint from = {card->server.config.server, 67};
    if (!lb_network_reads4(&card->network, from, reply.bytes, &said))
        worth = LB_WORTH_UNKNOWN;
    lb_network_hear4(&card->network, now, from, reply.bytes, worth);
}

/* Runs until there is news, for at most `us`. */
static void run(struct card *card, uint64_t us) {
    uint64_t end = now + us;
    card->news = (struct lb_network_news){.what = LB_NETWORK_SAME};
    while (now < end && card->news.what == LB_NETWORK_SAME) {
        struct lb_boot_action action;
        card->common.until_us = end;
        enum lb_turn did = lb_network_turn(&card->network, now, &action, &card->news);
        if (did == LB_TURN_IDLE)
            now = LB_MAX(now + 1, card->common.until_us);
        if (did == LB_TURN_ACT && action.event == LB_BOOT_SEND)
            answer(card, &action, LB_WORTH_DISK);
        if (did == LB_TURN_ACT && action.event == LB_BOOT_PROBE)
            card->news = lb_network_probed(&card->network, now, action.probe, false);
    }
}

/* ---- DHCPv4 --------------------------------------------------------------------------------- */

static void a_start_asks_for_its_slot_once(void) {
    begin();
    CHECK(start4(&cards[0]));
    CHECK_EQ(ask_of(&cards[0], 0)->event, LB_BOOT_OPEN);
    CHECK_EQ(ask_of(&cards[0], 0)->kind, LB_KIND_DHCP4);
    CHECK(start4(&cards[0]));
    CHECK_EQ(cards[0].common.asks.count, 1);
    lb_network_stop(&cards[0].network);
    CHECK_EQ(ask_of(&cards[0], 1)->event, LB_BOOT_CLOSE);
}

static void a_lease_is_news_and_makes_the_interface(void) {
    begin();
    struct lb_network *network = &cards[0].network;
    CHECK(start4(&cards[0]));
    CHECK_EQ(lb_network_progress(network, LB_V4, &(struct lb_network_need){0}), LB_ASKING);
    run(&cards[0], 30 * SEC);
    CHECK_EQ(cards[0].news.what, LB_NETWORK_CHANGED);
    CHECK(lb_network_has_lease(network) && lb_network_has_address(network, LB_V4));
    CHECK_EQ(lb_network_progress(network, LB_V4, &(struct lb_network_need){0}), LB_ANSWERED);
    CHECK(lb_network_update(network, now, LB_V4));
    const struct lb_boot_action *ask = ask_of(&cards[0], 1);
    CHECK_EQ(ask->event, LB_BOOT_SET_ADDRESS);
    CHECK(lb_addr_equal(ask->net->address.addr, network->dhcp.lease.address.addr));
    CHECK_STR(lb_network_answer(network, LB_V4).root_path_from, "DHCP server 192.0.0.2");
}

static void a_wrong_key_is_an_error_and_starts_nothing(void) {
    begin();
    struct lb_error error = {.code = LB_OK};
    configure(&cards[0], "dhcp-send", "12:00");
    CHECK(!lb_network_start_dhcp4(&cards[0].network, now, &error));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK(!cards[0].network.dhcp_runs);
    CHECK_EQ(cards[0].common.asks.count, 0);
}

static void a_server_that_is_silent_leaves_the_family_silent(void) {
    begin();
    struct lb_network *network = &cards[0].network;
    cards[0].is_silent = true;
    CHECK(start4(&cards[0]));
    run(&cards[0], 300 * SEC);
    CHECK(!network->dhcp_runs);
    CHECK_EQ(lb_network_progress(network, LB_V4, &(struct lb_network_need){0}), LB_NO_ANSWER);
    CHECK_EQ(lb_network_why_out(network, LB_V4).code, LB_E_DHCP_NO_OFFER);
}

static void a_lease_that_ends_is_lost_and_the_client_asks_on(void) {
    begin();
    struct lb_network *network = &cards[0].network;
    cards[0].server.config.lease_s = 600;
    CHECK(start4(&cards[0]));
    run(&cards[0], 30 * SEC);
    CHECK_EQ(cards[0].news.what, LB_NETWORK_CHANGED);
    CHECK(lb_network_update(network, now, LB_V4));
    lb_network_awaited(network, 0);
    cards[0].is_silent = true;
    run(&cards[0], 3600 * SEC);
    CHECK_EQ(cards[0].news.what, LB_NETWORK_LOST);
    CHECK_EQ(cards[0].news.family, LB_V4);
    CHECK_EQ(cards[0].news.why.code, LB_E_DHCP_EXPIRED);
    CHECK(network->dhcp_runs && !lb_network_has_lease(network));
    CHECK(!lb_network_update(network, now, LB_V4));
    CHECK_EQ(ask_of(&cards[0], cards[0].common.asks.count - 1)->event, LB_BOOT_CLEAR_ADDRESS);
}

/* ---- IPv6 ----------------------------------------------------------------------------------- */

static void ipv6_asks_for_its_link_local_address_first(void) {
    begin();
    struct lb_boot_action action;
    struct lb_network_news news = {.what = LB_NETWORK_SAME};
    cards[0].setup.has_ipv6 = true;
    cards[0].plan = lb_plan_of(&cards[0].setup);
    lb_network_start_v6(&cards[0].network, now, false);
    CHECK_EQ(ask_of(&cards[0], 0)->kind, LB_KIND_ND6);
    CHECK_EQ(lb_network_turn(&cards[0].network, now, &action, &news), LB_TURN_ACT);
    CHECK_EQ(action.event, LB_BOOT_PROBE);
    CHECK(lb_addr_is_link_local(action.probe));
    CHECK_EQ(news.what, LB_NETWORK_SAME);
}

static void a_configured_address_that_another_has_is_lost(void) {
    begin();
    struct lb_boot_action action = {.event = LB_BOOT_WAIT};
    struct lb_network_news news = {.what = LB_NETWORK_SAME};
    struct lb_network *network = &cards[0].network;
    cards[0].setup.has_ipv6 = true;
    configure(&cards[0], "address", "2001:db8::5/64");
    lb_network_start_v6(network, now, false);
    for (int i = 0; i < 9 && (action.event != LB_BOOT_PROBE || action.probe_len != 64 ||
                              lb_addr_is_link_local(action.probe));
         i++) {
        (void)lb_network_turn(network, now, &action, &news);
        if (action.event == LB_BOOT_PROBE && lb_addr_is_link_local(action.probe))
            news = lb_network_probed(network, now, action.probe, false);
    }
    news = lb_network_probed(network, now, action.probe, true);
    CHECK_EQ(news.what, LB_NETWORK_LOST);
    CHECK_EQ(news.family, LB_V6);
    CHECK_EQ(news.why.code, LB_E_ADDRESS_CONFLICT);
    CHECK_EQ(lb_network_progress(network, LB_V6, &(struct lb_network_need){0}), LB_NO_ANSWER);
}

/* ---- several -------------------------------------------------------------------------------- */

static void two_networks_are_an_array(void) {
    begin();
    for (size_t i = 0; i < CARDS; i++)
        CHECK(start4(&cards[i]));
    for (size_t i = 0; i < CARDS; i++) {
        run(&cards[i], 30 * SEC);
        CHECK_EQ(cards[i].news.what, LB_NETWORK_CHANGED);
        CHECK(lb_network_update(&cards[i].network, now, LB_V4));
        CHECK_EQ(cards[i].network.net.address.addr.bytes[2], i);
    }
    lb_network_stop(&cards[0].network);
    CHECK(!cards[0].network.dhcp_runs && cards[1].network.dhcp_runs);
    CHECK(lb_network_has_address(&cards[1].network, LB_V4));
}

int main(void) {
    TEST(a_start_asks_for_its_slot_once);
    TEST(a_lease_is_news_and_makes_the_interface);
    TEST(a_wrong_key_is_an_error_and_starts_nothing);
    TEST(a_server_that_is_silent_leaves_the_family_silent);
    TEST(a_lease_that_ends_is_lost_and_the_client_asks_on);
    TEST(ipv6_asks_for_its_link_local_address_first);
    TEST(a_configured_address_that_another_has_is_lost);
    TEST(two_networks_are_an_array);
    return tap_done();
}
