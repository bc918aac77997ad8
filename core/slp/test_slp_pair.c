/* User agent and agents together: whole searches over a network in memory. */
#include "core/slp/slp_server.h"
#include "core/slp/test_slp.h"
#include "tests/tap.h"

#define SEC        LB_US_SEC
#define MS         LB_US_MS
#define AGENTS_MAX 5
#define QUEUE_MAX  16
#define MANY       10000

static struct lb_slp_registration many[MANY];
static char many_text[MANY][320];

/* A network with some agents on it. Answers come at once, those of lossy agents to every other
 * request alone. */
static struct {
    struct lb_slp_client client;
    struct lb_rand rand;
    struct lb_slp_server agents[AGENTS_MAX];
    bool is_lossy[AGENTS_MAX], is_dead[AGENTS_MAX];
    unsigned heard[AGENTS_MAX];
    size_t agent_count;
    struct {
        struct lb_endpoint from;
        uint8_t bytes[LB_SLP_DATAGRAM_MAX];
        size_t len;
    } queue[QUEUE_MAX]; /* answers on their way */
    size_t queue_len;
    struct lb_slp_connection connection;
    struct lb_slp_server *connected;
    uint64_t now, began;
    unsigned sends, connects;
    size_t found_count, bytes;
    struct lb_slp_found last, wanted;
    const char *wanted_name;
    enum lb_slp_event end;
} n;

static void reset(void) {
    memset(&n, 0, sizeof n);
    n.now = n.began = 1000 * SEC;
    n.rand = test_rand(3);
    n.wanted_name = "";
}

static struct lb_addr agent_addr(enum lb_family family, size_t i) {
    uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(50 + i)};
    return family == LB_V4 ? lb_addr_v4(192, 0, 2, (uint8_t)(50 + i)) : lb_addr_v6_bytes(v6);
}

static size_t add_agent(enum lb_family family, bool is_directory,
                        const struct lb_slp_registration *services, size_t count) {
    struct lb_slp_server_config config = {
        .is_directory = is_directory,
        .boot_s = 1,
        .address = agent_addr(family, n.agent_count),
        .services = services,
        .service_count = count,
    };
    lb_slp_server_init(&n.agents[n.agent_count], &config, NULL, 0);
    return n.agent_count++;
}

static void carry(size_t i, const struct lb_slp_action *action, bool is_multicast) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    struct lb_bytes reply = lb_slp_server_input(&n.agents[i], n.now, action->bytes, is_multicast,
                                                lb_span(room, sizeof room));
    n.heard[i]++;
    if (reply.len == 0 || n.is_dead[i] || (n.is_lossy[i] && n.heard[i] % 2 == 1))
        return;
    if (!CHECK(n.queue_len < QUEUE_MAX))
        return;
    n.queue[n.queue_len].from.addr = n.agents[i].config.address;
    n.queue[n.queue_len].from.port = LB_SLP_PORT;
    n.queue[n.queue_len].len = reply.len;
    memcpy(n.queue[n.queue_len++].bytes, reply.p, reply.len);
}

/* The next answer arrives; false: none is on its way. */
static bool deliver(void) {
    if (n.queue_len == 0)
        return false;
    lb_slp_client_input(&n.client, n.now, n.queue[0].from,
                        lb_bytes(n.queue[0].bytes, n.queue[0].len));
    memmove(n.queue, n.queue + 1, --n.queue_len * sizeof n.queue[0]);
    return true;
}

static void note_found(const struct lb_slp_found *found) {
    n.found_count++;
    n.last = *found;
    if (lb_streq(found->target, n.wanted_name))
        n.wanted = *found;
}

static void connect_to(struct lb_addr to) {
    n.connects++;
    n.connected = NULL;
    for (size_t i = 0; i < n.agent_count; i++) {
        if (lb_addr_equal(n.agents[i].config.address, to) && !n.is_dead[i])
            n.connected = &n.agents[i];
    }
    lb_slp_connection_init(&n.connection);
    if (n.connected)
        lb_slp_client_connected(&n.client, n.now);
    else
        lb_slp_client_lost(&n.client, n.now);
}

/* Moves what can be moved over the connection, both ways; false: nothing. */
static bool shovel(void) {
    if (!n.connected)
        return false;
    struct lb_bytes up = lb_slp_client_gather(&n.client);
    struct lb_span in = lb_slp_connection_where(&n.connection);
    size_t up_len = LB_MIN(up.len, in.len);
    if (up_len > 0)
        memcpy(in.p, up.p, up_len);
    lb_slp_connection_got(&n.connection, up_len);
    lb_slp_client_sent(&n.client, up_len);
    struct lb_bytes down = lb_slp_connection_gather(&n.connection, n.now, n.connected);
    struct lb_span out = lb_slp_client_where(&n.client);
    size_t down_len = LB_MIN(LB_MIN(down.len, out.len), 1448);
    if (down_len > 0)
        memcpy(out.p, down.p, down_len);
    lb_slp_client_got(&n.client, n.now, down_len);
    lb_slp_connection_sent(&n.connection, down_len);
    n.bytes += down_len;
    return up_len + down_len > 0;
}

/* A request goes to everybody whom it is for. */
static void send(const struct lb_slp_action *action) {
    bool is_multicast = lb_addr_is_multicast(action->to.addr);
    n.sends++;
    for (size_t i = 0; i < n.agent_count; i++) {
        if (is_multicast || lb_addr_equal(action->to.addr, n.agents[i].config.address))
            carry(i, action, is_multicast);
    }
}

static bool step(uint64_t *until_us) {
    struct lb_slp_action action = lb_slp_client_poll(&n.client, n.now);
    switch (action.event) {
    case LB_SLP_WAIT:
        *until_us = action.until_us;
        return false;
    case LB_SLP_SEND:
        send(&action);
        return true;
    case LB_SLP_CONNECT:
        connect_to(action.to.addr);
        return true;
    case LB_SLP_CLOSE:
        n.connected = NULL;
        return true;
    case LB_SLP_FOUND:
        note_found(action.found);
        return true;
    case LB_SLP_DONE:
    case LB_SLP_FAILED:
        n.end = action.event;
        return false;
    }
    return false;
}

/* The whole search; gives how long it took. */
static uint64_t search(struct lb_slp_config config) {
    config.family = config.family ? config.family : LB_V4;
    config.initiator = TEST_INITIATOR;
    lb_slp_client_init(&n.client, n.now, &config, &n.rand, NULL);
    for (unsigned turns = 0; turns < 1000000 && n.end == LB_SLP_WAIT; turns++) {
        uint64_t until_us = n.now;
        while (step(&until_us))
            ;
        if (n.end == LB_SLP_WAIT && !deliver() && !shovel())
            n.now = LB_MAX(until_us, n.now + 1);
    }
    CHECK(n.end != LB_SLP_WAIT);
    return n.now - n.began;
}

#define SEARCH(...) search((struct lb_slp_config){__VA_ARGS__})

/* Targets one to a disk: the last is ours to boot from. */
static void make_many(size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct lb_text out = lb_text(many_text[i], sizeof many_text[i]);
        lb_text_add(&out, "service:iscsi:target://192.0.2.%u:3260/iqn.2001-04.com.example:disk%u",
                    (unsigned)(i % 250 + 1), (unsigned)i);
        size_t url_len = out.len;
        lb_text_add(&out, "(iscsi-name=iqn.2001-04.com.example:disk%u),(portal-group=%u),%s",
                    (unsigned)i, (unsigned)(i % 3 + 1),
                    i + 1 == count ? "(boot-list=" TEST_INITIATOR "),(auth-name=any)"
                                   : "(boot-list=iqn.2001-04.com.example:nobody),(auth-name=x)");
        many[i] = (struct lb_slp_registration){
            .url = lb_bytes(many_text[i], url_len),
            .type = text(TEST_TYPE),
            .scopes = text("DEFAULT"),
            .attributes = lb_bytes(many_text[i] + url_len, out.len - url_len),
        };
    }
}

/* ---- searches ---- */

static void three_service_agents_are_found_by_multicast(void) {
    reset();
    make_many(3);
    for (size_t i = 0; i < 3; i++)
        add_agent(LB_V4, false, &many[i], 1);
    CHECK_EQ(SEARCH(.query = LB_SLP_EVERYTHING), 6 * SEC);
    CHECK_EQ(n.end, LB_SLP_DONE);
    CHECK_EQ(n.found_count, 3);
    CHECK_EQ(n.client.responder_count, 3);
    /* They were listed, and kept silent in the second round. */
    CHECK_EQ(n.client.ignored, 0);
}

static void the_same_goes_over_ipv6(void) {
    reset();
    make_many(3);
    for (size_t i = 0; i < 3; i++)
        add_agent(LB_V6, false, &many[i], 1);
    SEARCH(.query = LB_SLP_EVERYTHING, .family = LB_V6);
    CHECK_EQ(n.end, LB_SLP_DONE);
    CHECK_EQ(n.found_count, 3);
}

static void a_lossy_network_loses_nobody(void) {
    reset();
    make_many(4);
    for (size_t i = 0; i < 4; i++)
        n.is_lossy[add_agent(LB_V4, false, &many[i], 1)] = i > 0;
    SEARCH(.query = LB_SLP_EVERYTHING);
    CHECK_EQ(n.found_count, 4);
}

static void a_directory_agent_is_discovered_and_asked(void) {
    reset();
    make_many(2);
    add_agent(LB_V4, true, many, 2);
    CHECK_EQ(SEARCH(.query = LB_SLP_BOOT_LIST), 0);
    CHECK_EQ(n.end, LB_SLP_DONE);
    CHECK_EQ(n.found_count, 1);
    CHECK_STR(n.last.target, "iqn.2001-04.com.example:disk1");
}

static void a_dead_directory_agent_does_not_stop_a_boot(void) {
    reset();
    make_many(1);
    n.is_dead[add_agent(LB_V4, true, many, 1)] = true;
    add_agent(LB_V4, false, many, 1);
    uint64_t took_us = SEARCH(.query = LB_SLP_BOOT_LIST, .retry_ms = 300, .linger_ms = 10,
                              .agents = {agent_addr(LB_V4, 0)}, .agent_count = 1);
    CHECK_EQ(n.found_count, 1);
    CHECK(took_us <= 400 * MS);
}

static void every_query_finds_its_own(void) {
    static const struct {
        enum lb_slp_query query;
        size_t found;
    } rows[] = {
        {LB_SLP_BY_TARGET, 1}, {LB_SLP_BY_INITIATOR, 0}, {LB_SLP_ANYBODYS, 1},
        {LB_SLP_OURS, 1},      {LB_SLP_BY_CHAP_USER, 0}, {LB_SLP_BY_ALL, 0},
        {LB_SLP_BOOT_LIST, 1}, {LB_SLP_EVERYTHING, 20},  {LB_SLP_ISNS, 0},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        reset();
        make_many(20);
        add_agent(LB_V4, true, many, 20);
        SEARCH(.query = rows[i].query, .agents = {agent_addr(LB_V4, 0)}, .agent_count = 1,
               .target = "iqn.2001-04.com.example:disk7", .chap_user = "me");
        CHECK_EQ(n.end, LB_SLP_DONE);
        CHECK_EQ(n.found_count, rows[i].found);
    }
}

static void portal_groups_are_told(void) {
    reset();
    make_many(8);
    add_agent(LB_V4, true, many, 8);
    SEARCH(.query = LB_SLP_BOOT_LIST, .ask_portal_group = true);
    CHECK_EQ(n.found_count, 1);
    CHECK_EQ(n.last.portal_group, 2); /* disk 7 */
}

static void ten_thousand_answers_come_by_tcp(void) {
    reset();
    make_many(MANY);
    add_agent(LB_V4, true, many, MANY);
    n.wanted_name = "iqn.2001-04.com.example:disk9999";
    SEARCH(.query = LB_SLP_EVERYTHING, .agents = {agent_addr(LB_V4, 0)}, .agent_count = 1);
    CHECK_EQ(n.end, LB_SLP_DONE);
    CHECK_EQ(n.connects, 1);
    CHECK_EQ(n.found_count, MANY);
    CHECK_STR(n.wanted.target, n.wanted_name);
    tap_note("%zu bytes by TCP through a client of %zu bytes", n.bytes, sizeof n.client);
    CHECK(sizeof n.client <= 64 * 1024);
}

static void ten_thousand_targets_of_others_cost_nothing(void) {
    reset();
    make_many(MANY);
    add_agent(LB_V4, true, many, MANY);
    SEARCH(.query = LB_SLP_BOOT_LIST);
    CHECK_EQ(n.found_count, 1);
    CHECK_EQ(n.connects, 0);
    CHECK_EQ(n.sends, 3);
}

static void a_list_by_tcp_is_as_long_as_its_header_says(void) {
    static struct lb_slp_connection connection;
    static const size_t counts[] = {0, 1, 2, 200};
    for (size_t c = 0; c < LB_COUNT(counts); c++) {
        reset();
        make_many(200);
        size_t i = add_agent(LB_V4, true, many, counts[c]), sum = 0, length = 0;
        uint8_t request[200];
        struct lb_wr wr = lb_wr(lb_span(request, sizeof request));
        lb_slp_begin(&wr, LB_SLP_SRV_RQST, 0, 5, text("en"));
        lb_slp_put_request(
            &wr, &(struct lb_slp_request){.type = text(TEST_TYPE), .scopes = text("DEFAULT")});
        struct lb_bytes bytes = lb_slp_finish(&wr), piece;
        lb_slp_connection_init(&connection);
        memcpy(lb_slp_connection_where(&connection).p, bytes.p, bytes.len);
        lb_slp_connection_got(&connection, bytes.len);
        while ((piece = lb_slp_connection_gather(&connection, n.now, &n.agents[i])).len > 0) {
            if (sum == 0 && CHECK(piece.len > 5))
                length = (size_t)piece.p[2] << 16 | (size_t)piece.p[3] << 8 | piece.p[4];
            sum += piece.len;
            lb_slp_connection_sent(&connection, piece.len);
        }
        CHECK_EQ(sum, length);
        CHECK(sum > counts[c] * 40);
    }
}

static void a_table_that_changes_ends_the_list(void) {
    static struct lb_slp_connection connection;
    reset();
    make_many(200);
    size_t i = add_agent(LB_V4, true, many, 200);
    uint8_t request[200];
    struct lb_wr wr = lb_wr(lb_span(request, sizeof request));
    lb_slp_begin(&wr, LB_SLP_SRV_RQST, 0, 5, text("en"));
    lb_slp_put_request(
        &wr, &(struct lb_slp_request){.type = text(TEST_TYPE), .scopes = text("DEFAULT")});
    struct lb_bytes bytes = lb_slp_finish(&wr);
    lb_slp_connection_init(&connection);
    memcpy(lb_slp_connection_where(&connection).p, bytes.p, bytes.len);
    lb_slp_connection_got(&connection, bytes.len);
    struct lb_bytes piece = lb_slp_connection_gather(&connection, n.now, &n.agents[i]);
    CHECK(piece.len > 0);
    lb_slp_connection_sent(&connection, piece.len);
    n.agents[i].changes++;
    CHECK_EQ(lb_slp_connection_gather(&connection, n.now, &n.agents[i]).len, 0);
    CHECK(connection.is_over);
}

static void nonsense_by_tcp_closes_the_connection(void) {
    static struct lb_slp_connection connection;
    static const char *const nonsense[] = {"47455420 2f2048 545450 2f31 2e30",
                                           "0201ffffff 0000 "
                                           "000000 1234 0002656e",
                                           "0201000001 0000 000000 1234 "
                                           "0002656e"};
    for (size_t i = 0; i < LB_COUNT(nonsense); i++) {
        struct lb_bytes bytes = tap_hex(nonsense[i]);
        reset();
        size_t agent = add_agent(LB_V4, true, many, 0);
        lb_slp_connection_init(&connection);
        memcpy(lb_slp_connection_where(&connection).p, bytes.p, bytes.len);
        lb_slp_connection_got(&connection, bytes.len);
        CHECK_EQ(lb_slp_connection_gather(&connection, n.now, &n.agents[agent]).len, 0);
        CHECK(connection.is_over);
    }
}

int main(void) {
    TEST(three_service_agents_are_found_by_multicast);
    TEST(the_same_goes_over_ipv6);
    TEST(a_lossy_network_loses_nobody);
    TEST(a_directory_agent_is_discovered_and_asked);
    TEST(a_dead_directory_agent_does_not_stop_a_boot);
    TEST(every_query_finds_its_own);
    TEST(portal_groups_are_told);
    TEST(ten_thousand_answers_come_by_tcp);
    TEST(ten_thousand_targets_of_others_cost_nothing);
    TEST(a_table_that_changes_ends_the_list);
    TEST(nonsense_by_tcp_closes_the_connection);
    TEST(a_list_by_tcp_is_as_long_as_its_header_says);
    return tap_done();
}
