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
    CHECK(!lb_network_has_address(network, LB_V6)); /* nobody has said yet whose it is */
    news = lb_network_probed(network, now, action.probe, true);
    CHECK(!lb_network_has_address(network, LB_V6));
    CHECK_EQ(news.what, LB_NETWORK_LOST);
    CHECK_EQ(news.family, LB_V6);
    CHECK_EQ(news.why.code, LB_E_ADDRESS_CONFLICT);
    CHECK_EQ(lb_network_progress(network, LB_V6, &(struct lb_network_need){0}), LB_NO_ANSWER);
}

static void begin6(void) {
    begin();
    cards[0].setup.has_ipv6 = true;
    cards[0].plan = lb_plan_of(&cards[0].setup);
    cards[0].is_silent = true;
    lb_network_start_v6(&cards[0].network, now, false);
}

/* A router speaks, with these flags, and a prefix of this lifetime; 0: none. */
static void router_says(struct card *card, bool managed, bool other, uint32_t valid_s) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_ra ra = {.managed = managed, .other = other, .lifetime_s = 1800};
    struct lb_endpoint from = {.port = 0};
    CHECK(lb_addr_parse(lb_bytes_of_text("fe80::99"), &from.addr));
    if (valid_s > 0) {
        ra.prefix_count = 1;
        ra.prefixes[0] = (struct lb_nd6_ra_prefix){
            .prefix = {.len = 64}, .autonomous = true, .valid_s = valid_s, .preferred_s = valid_s};
        CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::"), &ra.prefixes[0].prefix.addr));
    }
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&ra, lb_span(room, sizeof room));
    lb_network_datagram(&card->network, now, LB_BOOT_SLOT_ND6, from, reply.bytes);
}

static unsigned asks_of(const struct card *card, enum lb_boot_event event, uint32_t slot) {
    unsigned count = 0;
    for (size_t i = 0; i < card->common.asks.count; i++)
        count += card->common.asks.asks[i].event == event && card->common.asks.asks[i].slot == slot;
    return count;
}

static void dhcpv6_is_asked_until_routers_say_that_there_is_none(void) {
    struct card *card = &cards[0];
    begin6();
    run(card, SEC); /* the link-local address is ours */
    CHECK(card->network.dhcp6_runs);
    CHECK(!card->network.dhcp6.config.stateless);
    CHECK_EQ(asks_of(card, LB_BOOT_OPEN, LB_BOOT_SLOT_DHCP6), 1);
    router_says(card, false, false, 0);
    run(card, SEC);
    CHECK(!card->network.dhcp6_runs);
    router_says(card, false, true, 0);
    run(card, SEC);
    CHECK(card->network.dhcp6_runs && card->network.dhcp6.config.stateless);
    router_says(card, true, true, 0);
    run(card, SEC);
    CHECK(card->network.dhcp6_runs && !card->network.dhcp6.config.stateless);
    CHECK_EQ(asks_of(card, LB_BOOT_OPEN, LB_BOOT_SLOT_DHCP6), 1); /* the slot is opened once */
}

static void a_network_that_begins_anew_asks_dhcpv6_again(void) {
    struct card *card = &cards[0];
    begin6();
    run(card, SEC);
    CHECK(card->network.dhcp6_runs);
    lb_network_stop(&card->network);
    CHECK(!card->network.dhcp6_runs && !card->network.nd6_runs);
    CHECK_EQ(asks_of(card, LB_BOOT_CLOSE, LB_BOOT_SLOT_DHCP6), 1);
    CHECK_EQ(asks_of(card, LB_BOOT_CLOSE, LB_BOOT_SLOT_ND6), 1);
    CHECK_EQ(card->network.dhcp6_role, LB_DHCP6_NOTHING);
    lb_network_stop(&card->network);
    CHECK_EQ(asks_of(card, LB_BOOT_CLOSE, LB_BOOT_SLOT_DHCP6), 1); /* it is closed */
    lb_network_begin(&card->network, 2, true);
    lb_network_start_v6(&card->network, now, false);
    run(card, SEC);
    CHECK(card->network.dhcp6_runs);
    CHECK_EQ(asks_of(card, LB_BOOT_OPEN, LB_BOOT_SLOT_DHCP6), 2);
}

/* The routers' prefixes are not used beside it. */
static void a_configured_address_is_ours_once_nobody_else_has_it(void) {
    struct card *card = &cards[0];
    begin();
    card->setup.has_ipv6 = true;
    configure(card, "address", "2001:db8::5/64");
    lb_network_start_v6(&card->network, now, false);
    CHECK(!lb_network_has_address(&card->network, LB_V6));
    for (unsigned i = 0; i < 5; i++)
        run(card, SEC);
    CHECK(lb_network_has_address(&card->network, LB_V6));
}

/* RFC 4862 5.4.5: its link-local address is another's again and again. IPv6 ends, and begins anew
 * where it is wanted again. */
static void a_card_that_gets_no_link_local_address_has_no_ipv6(void) {
    struct card *card = &cards[0];
    begin6();
    unsigned probes = 0;
    for (unsigned i = 0; i < 200 && card->network.nd6_runs; i++) {
        struct lb_boot_action action = {.event = LB_BOOT_WAIT};
        struct lb_network_news news = {.what = LB_NETWORK_SAME};
        card->common.until_us = LB_NEVER;
        enum lb_turn did = lb_network_turn(&card->network, now, &action, &news);
        if (did == LB_TURN_IDLE)
            now = LB_MAX(now + 1, LB_MIN(card->common.until_us, now + SEC));
        if (did == LB_TURN_ACT && action.event == LB_BOOT_PROBE) {
            probes++;
            (void)lb_network_probed(&card->network, now, action.probe, true);
        }
        if (news.what == LB_NETWORK_LOST)
            card->news = news;
    }
    CHECK(!card->network.nd6_runs);
    CHECK_EQ(probes, 4);
    CHECK_EQ(card->news.family, LB_V6);
    CHECK_EQ(lb_network_why_out(&card->network, LB_V6).code, LB_E_ADDRESS_CONFLICT);
    CHECK_EQ(lb_network_progress(&card->network, LB_V6, &(struct lb_network_need){0}),
             LB_NO_ANSWER);
    lb_network_start_v6(&card->network, now, false);
    CHECK(card->network.nd6_runs);
    run(card, SEC);
    CHECK(card->network.dhcp6_runs); /* the link-local address is ours now */
}

/* An address of DHCPv6, and the ways from it: a router's word, or that there is none. */
static void ways_are_known_when_a_router_has_spoken_or_none_is_there(void) {
    struct card *card = &cards[0];
    begin6();
    run(card, SEC);
    card->network.dhcp6.has_lease = true;
    card->network.dhcp6.lease.addr_count = 1;
    CHECK(lb_network_has_address(&card->network, LB_V6));
    CHECK(!lb_network_has_ways(&card->network, LB_V6));
    router_says(card, true, false, 600);
    CHECK(lb_network_has_ways(&card->network, LB_V6));
    begin6();
    for (unsigned i = 0; i < 20; i++)
        run(card, SEC);
    CHECK(card->network.no_router);
    card->network.dhcp6.has_lease = true;
    card->network.dhcp6.lease.addr_count = 1;
    CHECK(lb_network_has_ways(&card->network, LB_V6));
    CHECK(!lb_network_has_ways(&card->network, LB_V4));
}

/* How often the report names an address. */
static unsigned addresses_told(const struct card *card) {
    unsigned count = 0;
    for (size_t i = 0; i < card->report.fact_count; i++)
        count += lb_streq(card->report.facts[i].key, "address");
    return count;
}

static void addresses_of_routers_are_told_once(void) {
    struct card *card = &cards[0];
    begin6();
    run(card, SEC);
    router_says(card, false, false, 600);
    for (unsigned i = 0; i < 5; i++)
        run(card, SEC);
    CHECK(lb_network_has_address(&card->network, LB_V6));
    CHECK_EQ(addresses_told(card), 1);
    router_says(card, false, false, 900);
    for (unsigned i = 0; i < 5; i++)
        run(card, SEC);
    CHECK_EQ(addresses_told(card), 1);
    for (unsigned i = 0; i < 100 && card->news.what != LB_NETWORK_LOST; i++)
        run(card, 60 * SEC);
    CHECK_EQ(card->news.why.code, LB_E_NO_IPV6);
    CHECK(!lb_network_has_address(&card->network, LB_V6));
    router_says(card, false, false, 600); /* it is there again: that is news */
    for (unsigned i = 0; i < 5; i++)
        run(card, SEC);
    CHECK_EQ(addresses_told(card), 2);
}

/* Seconds until DHCPv6 has given up, of a network that is awaited for so long. */
static uint64_t seconds_until_silent(uint64_t awaited_s) {
    struct card *card = &cards[0];
    begin6();
    lb_network_awaited(&card->network, awaited_s == 0 ? 0 : now + awaited_s * SEC);
    uint64_t start_us = now;
    run(card, SEC / 10);
    while (card->network.dhcp6_runs && now < start_us + 600 * SEC)
        run(card, SEC);
    CHECK_EQ(card->network.out6.code, LB_E_DHCP6_NO_ANSWER);
    return (now - start_us) / SEC;
}

static void the_boots_patience_is_that_of_dhcpv6(void) {
    uint64_t usual_s = seconds_until_silent(0);
    CHECK(usual_s > 10);
    CHECK(seconds_until_silent(7) >= 6 && seconds_until_silent(7) <= 8);
    CHECK(seconds_until_silent(120) >= 119 && seconds_until_silent(120) <= 121);
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

/* ---- keys ----------------------------------------------------------------------------------- */

static bool may_send(const char *arch, const char *value) {
    struct lb_error error = {.code = LB_OK};
    begin();
    if (arch != NULL)
        configure(&cards[0], "client-arch", arch);
    configure(&cards[0], "dhcp-send", value);
    return lb_network_start_dhcp4(&cards[0].network, now, &error);
}

/* Options that the program itself sends, or that have a key of their own. */
static void options_that_are_ours_cannot_be_sent_by_hand(void) {
    static const unsigned ours[] = {0,  12, 50, 51, 52, 53, 54, 55, 56,
                                    57, 60, 61, 77, 80, 82, 90, 255};
    char value[16];
    for (unsigned code = 0, i = 0; code < 256; code++) {
        bool is_ours = i < LB_COUNT(ours) && ours[i] == code;
        i += is_ours;
        lb_format(value, sizeof value, "%u:0007", code);
        CHECK_EQ(may_send(NULL, value), !is_ours);
    }
}

/* RFC 4578: with the key arch they are the program's. */
static void options_of_the_architecture_are_sent_by_hand_where_no_key_has_it(void) {
    static const char *const codes[] = {"93:0007", "94:010310", "97:00"};
    for (size_t i = 0; i < LB_COUNT(codes); i++) {
        CHECK(may_send(NULL, codes[i]));
        CHECK(!may_send("7", codes[i]));
    }
    CHECK(may_send("7", "92:07"));
    CHECK(may_send("7", "95:07"));
    CHECK(may_send("7", "98:07"));
}

/* ---- answers -------------------------------------------------------------------------------- */

static void routers_are_named_by_the_first_where_there_is_one(void) {
    struct lb_nd6_info info = {.router_count = 0};
    struct lb_boot_answer answer = lb_answer_of_routers6(&info);
    CHECK_EQ(answer.family, LB_V6);
    CHECK_STR(answer.from, "IPv6 routers");
    CHECK_STR(answer.root_path_from, "IPv6 routers");
    info.router_count = 1;
    CHECK(lb_addr_parse(lb_bytes_of_text("fe80::99"), &info.routers[0].addr));
    answer = lb_answer_of_routers6(&info);
    CHECK_STR(answer.from, "router fe80::99");
    CHECK_STR(answer.root_path_from, "router fe80::99");
}

/* With a Root Path it is better than without; and of two that are as good the first counts. */
static void the_best_offer_may_be_any_of_them(void) {
    struct card *card = &cards[0];
    begin();
    CHECK(lb_network_offer4(&card->network) == NULL);
    CHECK(lb_network_offer6(&card->network) == NULL);
    for (size_t count = 1; count <= 3; count++) {
        for (size_t best = 0; best < count; best++) {
            struct lb_dhcp4_client *dhcp = &card->network.dhcp;
            struct lb_dhcp6_client *dhcp6 = &card->network.dhcp6;
            for (size_t i = 0; i < LB_COUNT(dhcp->offers); i++)
                dhcp->offers[i] = (struct lb_dhcp4_lease){
                    .worth = i == best || i == count ? LB_WORTH_UNKNOWN : LB_WORTH_BAD};
            for (size_t i = 0; i < LB_COUNT(dhcp6->offers); i++)
                dhcp6->offers[i] = (struct lb_dhcp6_lease){
                    .worth = i == best || i == count ? LB_WORTH_UNKNOWN : LB_WORTH_BAD};
            dhcp->offer_count = dhcp6->offer_count = count;
            CHECK(lb_network_offer4(&card->network) == &dhcp->offers[best]);
            CHECK(lb_network_offer6(&card->network) == &dhcp6->offers[best]);
        }
    }
}

/* Addresses with blanks between them. */
static size_t list_of(const char *text, struct lb_addr to[LB_DNS_MAX]) {
    struct lb_bytes rest = lb_bytes_of_text(text), item;
    size_t count = 0;
    while (lb_list_next(&rest, ' ', &item))
        CHECK(lb_addr_parse(item, &to[count++]));
    return count;
}

/* Of both families in turn, each once, as many as there is room for. */
static void resolvers_are_taken_of_both_families_in_turn(void) {
    static const struct {
        const char *of_dhcp, *of_routers;
        enum lb_family first;
        const char *all;
    } rows[] = {
        {"", "", LB_V4, ""},
        {"192.0.2.1 192.0.2.2", "", LB_V4, "192.0.2.1 192.0.2.2"},
        {"192.0.2.1 192.0.2.2", "", LB_V6, "192.0.2.1 192.0.2.2"},
        {"", "2001:db8::1 2001:db8::2", LB_V4, "2001:db8::1 2001:db8::2"},
        {"192.0.2.1 192.0.2.2", "2001:db8::1", LB_V4, "192.0.2.1 2001:db8::1 192.0.2.2"},
        {"192.0.2.1 192.0.2.2", "2001:db8::1", LB_V6, "2001:db8::1 192.0.2.1 192.0.2.2"},
        {"192.0.2.1 192.0.2.1", "2001:db8::1 2001:db8::1", LB_V4, "192.0.2.1 2001:db8::1"},
        {"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4",
         "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4", LB_V4,
         "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2"},
        {"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4", "", LB_V6,
         "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_network *network = &cards[0].network;
        char shown[200];
        struct lb_text text = lb_text(shown, sizeof shown);
        begin();
        network->has_lease = true;
        network->dhcp.lease.dns_count = list_of(rows[i].of_dhcp, network->dhcp.lease.dns);
        network->nd6.info.dns_count = list_of(rows[i].of_routers, network->nd6.info.dns);
        lb_network_make(network, now, rows[i].first);
        for (size_t j = 0; j < network->net.dns_count; j++)
            lb_text_add(&text, "%s%s", j > 0 ? " " : "", lb_addr_text(network->net.dns[j]).s);
        CHECK_STR(shown, rows[i].all);
        for (size_t j = network->net.dns_count; j < LB_DNS_MAX; j++)
            CHECK(!lb_addr_is_set(network->net.dns[j]));
    }
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
    TEST(dhcpv6_is_asked_until_routers_say_that_there_is_none);
    TEST(a_network_that_begins_anew_asks_dhcpv6_again);
    TEST(a_configured_address_is_ours_once_nobody_else_has_it);
    TEST(a_card_that_gets_no_link_local_address_has_no_ipv6);
    TEST(ways_are_known_when_a_router_has_spoken_or_none_is_there);
    TEST(addresses_of_routers_are_told_once);
    TEST(the_boots_patience_is_that_of_dhcpv6);
    TEST(options_that_are_ours_cannot_be_sent_by_hand);
    TEST(options_of_the_architecture_are_sent_by_hand_where_no_key_has_it);
    TEST(routers_are_named_by_the_first_where_there_is_one);
    TEST(the_best_offer_may_be_any_of_them);
    TEST(resolvers_are_taken_of_both_families_in_turn);
    return tap_done();
}
