/* DHCPv4 client and servers together over a network that loses, doubles, delays and damages
 * datagrams. Each seed is one whole life: a lease, its renewals, and the end of the faults. */
#include "core/dhcp4/test_dhcp4.h"
#include "tests/tap.h"

#define SEC       LB_US_SEC
#define SERVERS   2
#define BINDINGS  8
#define IN_FLIGHT 64
#define SEEDS     3000

struct datagram {
    uint64_t at_us; /* arrives; 0: none */
    int to;         /* -1: the client; else a server */
    struct lb_endpoint from;
    size_t len;
    uint8_t bytes[LB_DHCP4_PACKET_MAX];
};

static struct {
    struct lb_rand rand, client_rand;
    struct lb_dhcp4_client client;
    struct lb_dhcp4_server servers[SERVERS];
    struct lb_binding bindings[SERVERS][BINDINGS];
    struct datagram flight[IN_FLIGHT];
    uint64_t now, until, faults_end;
    unsigned gots, losts, polls;
    bool has_address;
    bool damage; /* bytes are changed and cut off, too, as if UDP had no checksum */
} net;

static bool chance(unsigned percent) {
    return net.now < net.faults_end && lb_rand_below(&net.rand, 100) < percent;
}

static void post_one(int to, struct lb_endpoint from, struct lb_bytes bytes) {
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct datagram *datagram = &net.flight[i];
        if (datagram->at_us != 0)
            continue;
        uint32_t delay_us = 200 + lb_rand_below(&net.rand, chance(10) ? 3000000 : 2000);
        *datagram = (struct datagram){
            .at_us = net.now + delay_us, .to = to, .from = from, .len = bytes.len};
        memcpy(datagram->bytes, bytes.p, bytes.len);
        if (net.damage && chance(5) && bytes.len > 0)
            datagram->bytes[lb_rand_below(&net.rand, (uint32_t)bytes.len)] ^=
                (uint8_t)(1 + lb_rand_below(&net.rand, 255));
        if (net.damage && chance(3))
            datagram->len = lb_rand_below(&net.rand, (uint32_t)bytes.len + 1);
        return;
    }
}

static void post(int to, struct lb_endpoint from, struct lb_bytes bytes) {
    if (chance(30))
        return;
    post_one(to, from, bytes);
    if (chance(10))
        post_one(to, from, bytes);
}

static void carry_out(const struct lb_dhcp4_action *action) {
    switch (action->event) {
    case LB_DHCP4_SEND:
        for (int i = 0; i < SERVERS; i++) {
            if (lb_addr_equal(action->to.addr, v4(255, 255, 255, 255)) ||
                lb_addr_equal(action->to.addr, net.servers[i].config.server))
                post(i, action->from, action->bytes);
        }
        return;
    case LB_DHCP4_PROBE:
        lb_dhcp4_client_probed(&net.client, net.now, chance(10));
        return;
    case LB_DHCP4_GOT:
        net.gots++;
        net.has_address = true;
        return;
    case LB_DHCP4_LOST:
        CHECK(net.has_address);
        net.losts++;
        net.has_address = false;
        return;
    case LB_DHCP4_WAIT:
    case LB_DHCP4_OFFERS:
    case LB_DHCP4_FAILED:
        CHECK(false);
        return;
    }
}

static void poll_client(void) {
    for (unsigned i = 0; i < 16; i++) {
        struct lb_dhcp4_action action = lb_dhcp4_client_poll(&net.client, net.now);
        net.polls++;
        if (action.event == LB_DHCP4_WAIT) {
            CHECK(action.until_us > net.now);
            net.until = action.until_us;
            return;
        }
        carry_out(&action);
    }
    bool polls_come_to_an_end = false;
    CHECK(polls_come_to_an_end);
}

static void deliver(struct datagram *datagram) {
    struct lb_bytes bytes = lb_bytes(datagram->bytes, datagram->len);
    int to = datagram->to;
    datagram->at_us = 0;
    if (to < 0) {
        lb_dhcp4_client_input(&net.client, net.now, datagram->from, bytes);
        return;
    }
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(&net.servers[to], net.now, datagram->from,
                                                        bytes, lb_span(room, sizeof room));
    if (reply.bytes.len > 0)
        post(-1, test_from(net.servers[to].config.server), reply.bytes);
}

/* The next thing that happens, at or before `end_us`. */
static bool step(uint64_t end_us) {
    struct datagram *next = NULL;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct datagram *datagram = &net.flight[i];
        if (datagram->at_us != 0 && (!next || datagram->at_us < next->at_us))
            next = datagram;
    }
    uint64_t at = LB_MIN(net.until, next ? next->at_us : LB_NEVER);
    if (at > end_us) {
        net.now = end_us;
        return false;
    }
    net.now = at;
    if (next && next->at_us == at)
        deliver(next);
    poll_client();
    return true;
}

static void start(unsigned seed, struct lb_dhcp4_config config, uint64_t faults_s) {
    memset(&net, 0, sizeof net);
    net.now = 1000 * SEC;
    net.faults_end = net.now + faults_s * SEC;
    uint8_t bytes[LB_RAND_SEED_BYTES] = {(uint8_t)seed, (uint8_t)(seed >> 8)};
    lb_rand_init(&net.rand, bytes);
    bytes[2] = 1;
    lb_rand_init(&net.client_rand, bytes);
    for (unsigned i = 0; i < SERVERS; i++) {
        struct lb_dhcp4_server_config server = {
            .server = v4(192, 0, 2, (uint8_t)(1 + i)),
            .network = {.addr = v4(192, 0, 2, 0), .len = 24},
            .first = v4(192, 0, 2, (uint8_t)(100 + 20 * i)),
            .last = v4(192, 0, 2, (uint8_t)(110 + 20 * i)),
            .lease_s = 600,
            .rapid_commit = seed % 3 == 0,
            .authoritative = seed % 2 == 0,
            .overload = seed % 5 == 0,
        };
        if (i == 1)
            server.root_path = lb_bytes_of_text(TEST_ROOT_PATH);
        lb_dhcp4_server_init(&net.servers[i], &server, net.bindings[i], BINDINGS);
    }
    memcpy(config.mac, test_mac, sizeof config.mac);
    lb_dhcp4_client_init(&net.client, net.now, &config, &net.client_rand, NULL);
    poll_client();
}

static bool server_agrees(void) {
    for (unsigned i = 0; i < SERVERS; i++) {
        for (unsigned j = 0; j < BINDINGS; j++) {
            const struct lb_binding *binding = &net.bindings[i][j];
            if (binding->leased && binding->until_us > net.now &&
                lb_addr_equal(binding->address, net.client.lease.address.addr))
                return true;
        }
    }
    return false;
}

static void one_life(unsigned seed) {
    start(seed, (struct lb_dhcp4_config){0}, 900);
    while (step(2900 * SEC))
        ;
    /* The faults ended 1000 seconds ago: there is a lease, and a server knows of it. */
    bool held = CHECK(net.has_address);
    held = CHECK(net.client.has_lease) && held;
    held = CHECK(server_agrees()) && held;
    CHECK(net.gots > net.losts);
    CHECK(net.polls < 20000);
    if (!held)
        tap_note("seed %u ends in %s", seed, lb_dhcp4_state_word(net.client.state));
}

static void when_loss_and_delay_end_there_is_a_lease(void) {
    unsigned losts = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        one_life(seed);
        losts += net.losts;
    }
    tap_note("%u lives, %u leases lost on the way", (unsigned)SEEDS, losts);
    CHECK(losts > 0); /* else the faults were too gentle to test anything */
}

/* What a damaged lease says may be anything; but the machine stays in order (carry_out,
 * poll_client). */
static void damage_puts_nothing_out_of_order(void) {
    uint64_t ignored = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        start(seed, (struct lb_dhcp4_config){0}, 100000);
        net.damage = true;
        while (step(2900 * SEC))
            ;
        CHECK(net.polls < 20000);
        CHECK_EQ(net.has_address, net.client.has_lease);
        ignored += net.client.ignored;
    }
    CHECK(ignored > SEEDS);
}

static void without_faults_the_better_of_two_servers_is_found_in_a_second(void) {
    start(7, (struct lb_dhcp4_config){0}, 0);
    while (!net.has_address && step(1001 * SEC))
        ;
    CHECK(net.has_address);
    CHECK(net.now < 1000 * SEC + 50 * LB_US_MS); /* the good offer ended the wait */
    CHECK_STR(lb_addr_text(net.client.lease.server).s, "192.0.2.2");
    CHECK(net.client.lease.root_path_len > 0);
}

static void a_lease_is_kept_for_a_day(void) {
    start(7, (struct lb_dhcp4_config){0}, 0);
    while (step(1000 * SEC + 86400 * SEC))
        ;
    CHECK_EQ(net.losts, 0);
    CHECK_EQ(net.gots, 86400 / 300); /* at 0 s, and then every 300 s and a round trip */
}

static void the_same_seed_gives_the_same_life(void) {
    start(11, (struct lb_dhcp4_config){0}, 900);
    while (step(2900 * SEC))
        ;
    unsigned gots = net.gots, polls = net.polls;
    uint64_t until = net.until;
    start(11, (struct lb_dhcp4_config){0}, 900);
    while (step(2900 * SEC))
        ;
    CHECK_EQ(net.gots, gots);
    CHECK_EQ(net.polls, polls);
    CHECK_EQ(net.until, until);
}

int main(void) {
    TEST(when_loss_and_delay_end_there_is_a_lease);
    TEST(damage_puts_nothing_out_of_order);
    TEST(without_faults_the_better_of_two_servers_is_found_in_a_second);
    TEST(a_lease_is_kept_for_a_day);
    TEST(the_same_seed_gives_the_same_life);
    return tap_done();
}
