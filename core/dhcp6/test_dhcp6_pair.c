/* The DHCPv6 client against the server, over a link that may lose, repeat and delay. */
#include "core/dhcp6/test_dhcp6.h"
#include "tests/tap.h"

#define SEC      LB_US_SEC
#define WIRE_MAX 8
#define DELAY_US LB_US_MS

static struct {
    struct lb_dhcp6_client client;
    struct lb_dhcp6_server server;
    struct lb_binding bindings[4];
    struct lb_rand rand, chance;
    struct lb_trace trace;
    char ring[16384];
    uint64_t now;
    struct {
        uint64_t at; /* 0: free */
        uint8_t bytes[LB_DHCP6_PACKET_MAX];
        size_t len;
        bool to_server;
    } wire[WIRE_MAX];
    unsigned lose_percent;
    const char *taken; /* an address that somebody has */
    bool is_cut;
    unsigned gots, losts, failures, sends;
} t;

static void put_on_wire(struct lb_bytes bytes, bool to_server) {
    if (t.is_cut || lb_rand_below(&t.chance, 100) < t.lose_percent || bytes.len == 0)
        return;
    for (size_t i = 0; i < WIRE_MAX; i++) {
        if (t.wire[i].at == 0) {
            t.wire[i].at = t.now + DELAY_US;
            memcpy(t.wire[i].bytes, bytes.p, bytes.len);
            t.wire[i].len = bytes.len;
            t.wire[i].to_server = to_server;
            return;
        }
    }
}

static void act(struct lb_dhcp6_action action) {
    switch (action.event) {
    case LB_DHCP6_SEND:
        t.sends++;
        put_on_wire(action.bytes, true);
        break;
    case LB_DHCP6_PROBE:
        lb_dhcp6_client_probed(&t.client, t.now, action.probe,
                               t.taken && lb_addr_equal(v6(t.taken), action.probe));
        break;
    case LB_DHCP6_GOT:
        t.gots++;
        break;
    case LB_DHCP6_LOST:
        t.losts++;
        break;
    case LB_DHCP6_FAILED:
        t.failures++;
        break;
    case LB_DHCP6_OFFERS:
    case LB_DHCP6_WAIT:
        break;
    }
}

static uint64_t run_client(void) {
    for (;;) {
        struct lb_dhcp6_action action = lb_dhcp6_client_poll(&t.client, t.now);
        if (action.event == LB_DHCP6_WAIT)
            return action.until_us;
        act(action);
    }
}

static void deliver(size_t i) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_endpoint client = {.addr = v6("fe80::2"), .port = 546};
    struct lb_bytes bytes = lb_bytes(t.wire[i].bytes, t.wire[i].len);
    t.wire[i].at = 0;
    if (t.wire[i].to_server)
        put_on_wire(
            lb_dhcp6_server_input(&t.server, t.now, client, bytes, lb_span(room, sizeof room))
                .bytes,
            false);
    else
        lb_dhcp6_client_input(&t.client, t.now, test_from(), bytes);
}

/* Runs until a time, from event to event. */
static void run_until(uint64_t end) {
    for (;;) {
        uint64_t next = run_client();
        next = LB_MIN(next, end);
        size_t first = WIRE_MAX;
        for (size_t i = 0; i < WIRE_MAX; i++) {
            if (t.wire[i].at && t.wire[i].at <= next) {
                next = t.wire[i].at;
                first = i;
            }
        }
        t.now = next;
        if (first < WIRE_MAX)
            deliver(first);
        else if (t.now == end)
            return;
    }
}

static struct lb_dhcp6_server_config usual(void) {
    return (struct lb_dhcp6_server_config){
        .duid = test_server_duid(1),
        .network = {.addr = v6("2001:db8::"), .len = 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::1ff"),
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
    };
}

static void start(struct lb_dhcp6_config client, struct lb_dhcp6_server_config server) {
    memset(&t, 0, sizeof t);
    t.now = 1000 * SEC;
    t.rand = test_rand(1);
    t.chance = test_rand(2);
    client.duid = test_client_duid();
    client.iaid = TEST_IAID;
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    lb_dhcp6_server_init(&t.server, &server, t.bindings, LB_COUNT(t.bindings));
    lb_dhcp6_client_init(&t.client, t.now, &client, &t.rand, &t.trace);
}

#define CHECK_STATE(name) CHECK_STR(lb_dhcp6_state_word(t.client.state), name)
#define CHECK_ADDR(text)  CHECK_STR(lb_addr_text(t.client.lease.addrs[0].addr).s, text)

static void four_messages_give_a_lease(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + 5 * DELAY_US);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.sends, 2);
    CHECK_ADDR("2001:db8::100");
    CHECK(t.client.lease.root_path_len > 0);
}

static void two_messages_give_a_lease_with_rapid_commit(void) {
    struct lb_dhcp6_server_config server = usual();
    server.rapid_commit = true;
    start((struct lb_dhcp6_config){0}, server);
    run_until(t.now + 3 * DELAY_US);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.sends, 1);
}

static void two_messages_give_information(void) {
    struct lb_dhcp6_server_config server = usual();
    server.stateless = true;
    start((struct lb_dhcp6_config){.stateless = true}, server);
    run_until(t.now + 3 * DELAY_US);
    CHECK_STATE("INFORMED");
    CHECK(t.client.lease.root_path_len > 0);
}

static void a_lease_is_renewed_for_days(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + 100000 * SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.losts, 0);
    CHECK_EQ(t.gots, 1 + 100000 / 1800);
}

static void a_duplicate_address_gives_way_to_the_next(void) {
    start((struct lb_dhcp6_config){0}, usual());
    t.taken = "2001:db8::100";
    run_until(t.now + SEC);
    CHECK_STATE("BOUND");
    CHECK_ADDR("2001:db8::101");
    CHECK(t.bindings[0].declined);
}

static void a_server_that_forgot_everything_gives_the_same_again(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + SEC);
    lb_bindings_clear(&t.server.table);
    run_until(t.now + 1801 * SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.losts, 0);
    CHECK_ADDR("2001:db8::100");
    CHECK(t.bindings[0].leased);
}

static void on_a_bad_link_there_is_a_lease_in_the_end_and_it_stays(void) {
    for (uint8_t seed = 0; seed < 100; seed++) {
        start((struct lb_dhcp6_config){0}, usual());
        t.chance = test_rand(seed);
        t.lose_percent = 20;
        run_until(t.now + 600 * SEC);
        CHECK_STATE("BOUND");
        run_until(t.now + 20000 * SEC);
        CHECK_EQ(t.losts, 0);
    }
}

static void a_server_that_dies_costs_the_lease_and_its_return_brings_one(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + SEC);
    t.is_cut = true;
    run_until(t.now + 7300 * SEC);
    CHECK_EQ(t.losts, 1);
    CHECK_STATE("SOLICITING");
    t.is_cut = false;
    run_until(t.now + 7200 * SEC);
    CHECK_STATE("BOUND");
}

static void link_up_is_confirmed(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + SEC);
    lb_dhcp6_client_link_up(&t.client, t.now);
    run_until(t.now + SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.losts, 0);
}

static void link_up_on_another_link_leads_to_another_address(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + SEC);
    struct lb_dhcp6_server_config other = usual();
    other.network.addr = v6("2001:db8:5::");
    other.first = v6("2001:db8:5::100");
    other.last = v6("2001:db8:5::1ff");
    lb_dhcp6_server_init(&t.server, &other, t.bindings, LB_COUNT(t.bindings));
    lb_dhcp6_client_link_up(&t.client, t.now);
    run_until(t.now + SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.losts, 1);
    CHECK_ADDR("2001:db8:5::100");
}

static void a_released_lease_is_free_at_the_server(void) {
    start((struct lb_dhcp6_config){0}, usual());
    run_until(t.now + SEC);
    CHECK(t.bindings[0].leased);
    lb_dhcp6_client_release(&t.client, t.now);
    run_until(t.now + SEC);
    CHECK(!t.bindings[0].leased);
    CHECK_STATE("STOPPED");
}

static void the_server_can_make_a_client_renew_that_took_its_key(void) {
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {9, 9, 9};
    struct lb_dhcp6_server_config server = usual();
    struct lb_duid client = test_client_duid();
    uint8_t room[400];
    server.reconfigure_key = lb_bytes(key, sizeof key);
    start((struct lb_dhcp6_config){.take_reconfigure = true}, server);
    run_until(t.now + SEC);
    t.server.config.root_path = lb_bytes_of_text("iscsi:new");
    struct lb_bytes message =
        lb_dhcp6_server_reconfigure(&t.server, &client, LB_DHCP6_RENEW, lb_span(room, sizeof room));
    CHECK(lb_dhcp6_client_input(&t.client, t.now, test_from(), message));
    CHECK(!lb_dhcp6_client_input(&t.client, t.now, test_from(), message));
    run_until(t.now + SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.root_path_len, 9);
}

static void a_server_without_addresses_ends_in_an_explained_failure(void) {
    struct lb_dhcp6_server_config server = usual();
    server.no_addresses = true;
    start((struct lb_dhcp6_config){.give_up_ms = 10000}, server);
    run_until(t.now + 11 * SEC);
    CHECK_EQ(t.failures, 1);
    CHECK_EQ(t.client.error.code, LB_E_DHCP6_REFUSED);
}

int main(void) {
    TEST(four_messages_give_a_lease);
    TEST(two_messages_give_a_lease_with_rapid_commit);
    TEST(two_messages_give_information);
    TEST(a_lease_is_renewed_for_days);
    TEST(a_duplicate_address_gives_way_to_the_next);
    TEST(a_server_that_forgot_everything_gives_the_same_again);
    TEST(on_a_bad_link_there_is_a_lease_in_the_end_and_it_stays);
    TEST(a_server_that_dies_costs_the_lease_and_its_return_brings_one);
    TEST(link_up_is_confirmed);
    TEST(link_up_on_another_link_leads_to_another_address);
    TEST(a_released_lease_is_free_at_the_server);
    TEST(the_server_can_make_a_client_renew_that_took_its_key);
    TEST(a_server_without_addresses_ends_in_an_explained_failure);
    return tap_done();
}
