/* One session's way to its portal, without an engine: what it asks for, and what it answers. */
#include "core/boot/path.h"
#include "tests/tap.h"

enum { PATHS = 2 };

static struct lb_config config;
static struct lb_plan plan;
static struct lb_rand rand_;
static struct lb_trace trace;
static struct lb_report report;
static struct lb_common common;
static struct lb_network network;
static struct lb_shield shield;
static struct lb_rootpath target;
static struct lb_path paths[PATHS];
static uint8_t rx[PATHS][LB_ISCSI_RX_MIN];
static struct lb_boot_action action;
static struct lb_path_news news;
static uint64_t now;

static void begin(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {5};
    struct lb_boot_setup setup = {.config = &config};
    now = 1000 * LB_US_SEC;
    memset(&config, 0, sizeof config);
    memset(&network, 0, sizeof network);
    plan = lb_plan_of(&setup);
    lb_rand_init(&rand_, seed);
    lb_report_init(&report, now);
    common = (struct lb_common){
        .plan = &plan, .interface = "eth0", .rand = &rand_, .trace = &trace, .report = &report};
    network.net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 100), 24};
    lb_shield_init(&shield, &common, true, false);
    for (uint32_t i = 0; i < PATHS; i++)
        lb_path_init(&paths[i], &common, i + 1, &network, &shield);
}

static void start(struct lb_path *path, const char *host, struct lb_addr addr) {
    struct lb_initiator_config session = {.portal = {addr, 3260}, .connect_ms = 5000};
    lb_text_copy(session.host, sizeof session.host, lb_bytes_of_text(host));
    lb_text_copy(session.initiator, sizeof session.initiator,
                 lb_bytes_of_text("iqn.2026-11.test:me"));
    lb_text_copy(session.target, sizeof session.target, lb_bytes_of_text("iqn.2026-11.test:disk"));
    target = (struct lb_rootpath){.host = LB_HOST_ADDR, .addr = addr};
    lb_text_copy(target.target, sizeof target.target, lb_bytes_of_text("iqn.2026-11.test:disk"));
    lb_path_start(path, now, &session, lb_span(rx[path - paths], sizeof rx[0]), &target);
}

/* Turns until there is news or nothing to do. */
static enum lb_turn turn(struct lb_path *path) {
    enum lb_turn did = LB_TURN_AGAIN;
    news = (struct lb_path_news){.what = LB_PATH_SAME};
    for (int i = 0; i < 10 && did == LB_TURN_AGAIN && news.what == LB_PATH_SAME; i++)
        did = lb_path_turn(path, now, &action, &news);
    return did;
}

static void connect_first(struct lb_path *path) {
    start(path, "", lb_addr_v4(192, 0, 2, 1));
    (void)turn(path);
    CHECK_EQ(lb_path_connect(path, now, news.peer, &action), LB_TURN_ACT);
}

static void a_path_that_was_not_started_is_idle(void) {
    begin();
    CHECK_EQ(turn(&paths[0]), LB_TURN_IDLE);
    CHECK_EQ(news.what, LB_PATH_SAME);
    lb_path_lost(&paths[0], now, LB_LOST_CLOSED);
    CHECK_EQ(common.asks.count, 0);
}

static void it_asks_before_it_connects_and_then_on_its_own_slot(void) {
    begin();
    start(&paths[1], "", lb_addr_v4(192, 0, 2, 1));
    (void)turn(&paths[1]);
    CHECK_EQ(news.what, LB_PATH_CONNECT);
    CHECK_STR(lb_endpoint_text(news.peer).s, "192.0.2.1:3260");
    CHECK(!paths[1].is_open);
    CHECK_EQ(lb_path_connect(&paths[1], now, news.peer, &action), LB_TURN_ACT);
    CHECK_EQ(action.event, LB_BOOT_CONNECT);
    CHECK_EQ(action.slot, 2);
    CHECK(paths[1].is_open);
}

static void a_name_is_handed_up_to_be_looked_up(void) {
    begin();
    start(&paths[0], "san.example", (struct lb_addr){.family = LB_FAMILY_NONE});
    (void)turn(&paths[0]);
    CHECK_EQ(news.what, LB_PATH_RESOLVE);
    CHECK_STR(news.host, "san.example");
}

static void a_refused_connection_is_the_end_of_a_session_that_never_was(void) {
    begin();
    connect_first(&paths[0]);
    lb_path_lost(&paths[0], now, LB_LOST_REFUSED);
    CHECK(!paths[0].is_open);
    (void)turn(&paths[0]);
    CHECK_EQ(news.what, LB_PATH_FAILED);
    CHECK_EQ(lb_initiator_error(&paths[0].session)->code, LB_E_CONNECT_REFUSED);
}

static void a_portal_that_was_not_reached_is_explained_by_the_network(void) {
    struct lb_error error = {.code = LB_OK}, lost = {.code = LB_OK};
    begin();
    connect_first(&paths[0]);
    lb_path_lost(&paths[0], now, LB_LOST_TIMEOUT);
    (void)turn(&paths[0]);
    network.is_set = true; /* 192.0.2.100 alone: no route */
    network.net.address.len = 32;
    lb_path_explain(&paths[0], &error);
    CHECK_EQ(error.code, LB_E_CONNECT_UNREACHABLE);
    CHECK_STR(error.facts, "no route to 192.0.2.1: no router is known for it");
    lb_error_clear(&error);
    network.net.address.len = 24;
    lb_path_explain(&paths[0], &error);
    CHECK_EQ(error.code, LB_E_CONNECT_TIMEOUT);
    lb_error_clear(&error);
    lb_fail(&lost, LB_E_DHCP_EXPIRED, "the lease of 192.0.2.100");
    network.lost = lost;
    network.lost_family = LB_V6; /* the portal is not reached by that one */
    lb_path_explain(&paths[0], &error);
    CHECK_EQ(error.code, LB_E_CONNECT_TIMEOUT);
    lb_error_clear(&error);
    network.lost_family = LB_V4;
    lb_path_explain(&paths[0], &error);
    CHECK_EQ(error.code, LB_E_DHCP_EXPIRED);
}

static void the_end_closes_the_slot_that_is_open_and_once(void) {
    struct lb_error why = {.code = LB_E_CANCELLED};
    begin();
    connect_first(&paths[0]);
    lb_path_end(&paths[0], now, &why);
    CHECK_EQ(common.asks.count, 1);
    CHECK_EQ(common.asks.asks[0].event, LB_BOOT_CLOSE);
    CHECK_EQ(common.asks.asks[0].slot, 1);
    lb_path_end(&paths[0], now, &why);
    CHECK_EQ(common.asks.count, 1);
    CHECK(!paths[0].runs);
}

static void it_knows_which_of_our_addresses_it_may_be_from(void) {
    begin();
    connect_first(&paths[0]);
    CHECK(lb_path_has_local(&paths[0]));
    network.net.address.addr = lb_addr_v4(192, 0, 2, 101);
    CHECK(!lb_path_has_local(&paths[0]));
}

static void a_portal_that_ipsec_protects_waits_for_it(void) {
    static const char key[] = "a key that is shared";
    struct lb_error error = {.code = LB_OK}, why = {.code = LB_E_CANCELLED};
    begin();
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("ipsec-psk"),
                        lb_bytes_of_text(key), &error));
    plan.ipsec = LB_PLAN_SHIELDS_TARGET;
    start(&paths[0], "", lb_addr_v4(192, 0, 2, 1));
    (void)turn(&paths[0]);
    CHECK_EQ(lb_path_connect(&paths[0], now, news.peer, &action), LB_TURN_AGAIN);
    CHECK(!paths[0].is_open);
    CHECK(lb_addr_is_set(paths[0].waits_for.addr));
    CHECK(!lb_path_is_shielded(&paths[0]));
    CHECK(lb_path_has_local(&paths[0])); /* what routers and DHCP say meanwhile does not end it */
    CHECK_EQ(turn(&paths[0]), LB_TURN_IDLE);
    lb_path_end(&paths[0], now, &why);
    CHECK(!lb_addr_is_set(paths[0].waits_for.addr));
}

static void two_paths_are_an_array(void) {
    struct lb_error why = {.code = LB_E_CANCELLED};
    begin();
    for (size_t i = 0; i < PATHS; i++) {
        connect_first(&paths[i]);
        CHECK_EQ(action.slot, i + 1);
    }
    lb_path_end(&paths[0], now, &why);
    CHECK(!paths[0].runs && paths[1].runs && paths[1].is_open);
    lb_path_lost(&paths[1], now, LB_LOST_TIMEOUT);
    (void)turn(&paths[1]);
    CHECK_EQ(news.what, LB_PATH_FAILED);
}

int main(void) {
    TEST(a_path_that_was_not_started_is_idle);
    TEST(it_asks_before_it_connects_and_then_on_its_own_slot);
    TEST(a_name_is_handed_up_to_be_looked_up);
    TEST(a_refused_connection_is_the_end_of_a_session_that_never_was);
    TEST(a_portal_that_was_not_reached_is_explained_by_the_network);
    TEST(the_end_closes_the_slot_that_is_open_and_once);
    TEST(it_knows_which_of_our_addresses_it_may_be_from);
    TEST(a_portal_that_ipsec_protects_waits_for_it);
    TEST(two_paths_are_an_array);
    return tap_done();
}
