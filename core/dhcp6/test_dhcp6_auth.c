/* RFC 3315 21.4: messages that prove who sent them, the client that takes no others, the server. */
#include "core/dhcp6/test_dhcp6_client.h"

#define KEYS  "1@boot.example:0123456789abcdef,2:of-version-4,7@other.example:another-secret"
#define REALM "boot.example"

static struct lb_dhcp_seen client_seen, server_seen;

static struct lb_bytes keys(void) {
    return lb_bytes_of_text(KEYS);
}

static struct lb_dhcp_key key_of(const char *realm, uint32_t id) {
    struct lb_dhcp_key key;
    CHECK(lb_dhcp_keys_find(keys(), lb_bytes_of_text(realm), id, &key));
    return key;
}

/* ---- messages ---- */

/* A Reply, and its MAC as Python's hmac computes it over the message with zeros in its place. */
static const uint8_t vector[] = {
    7,    0xab, 0xcd, 0xef,                                                          /* Reply */
    0,    1,    0,    10,   0,    3,    0,    1,    2,    0,    0,    0,    0,    1, /* client */
    0,    2,    0,    10,   0,    3,    0,    1,    2,    0,    0,    0,    1,    1, /* server */
    0,    11,   0,    43,   2,    1,    0,    0,    0,    0,    0,    0,    0,    0,    5,    'b',
    'o',  'o',  't',  '.',  'e',  'x',  'a',  'm',  'p',  'l',  'e',  0,    0,    0,    1,    0x8a,
    0xa3, 0x8b, 0xd0, 0x6c, 0x99, 0x4e, 0x38, 0xca, 0x41, 0xf0, 0x76, 0x36, 0x95, 0x22, 0x68,
};

static const char *check(struct lb_bytes bytes, struct lb_dhcp6_proof *proof) {
    struct lb_dhcp6_message message;
    const char *why;
    if (!lb_dhcp6_decode(bytes, &message, &why))
        return why;
    return lb_dhcp6_check_auth(&message, keys(), proof);
}

static void the_vector_is_authentic(void) {
    struct lb_dhcp6_proof proof;
    CHECK_STR(check(lb_bytes(vector, sizeof vector), &proof), NULL);
    CHECK(lb_text_is(proof.realm, REALM));
    CHECK_EQ(proof.key_id, 1);
    CHECK_EQ(proof.replay, 5);
}

static void signing_gives_the_vector(void) {
    uint8_t room[sizeof vector];
    struct lb_dhcp_key key = key_of(REALM, 1);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, lb_bytes(vector, 32));
    lb_dhcp6_put_auth(&wr, 5, &key);
    CHECK(lb_dhcp6_sign(&wr, &key));
    CHECK_BYTES(lb_wr_done(&wr), lb_bytes(vector, sizeof vector));
}

static void each_byte_changed_is_noticed(void) {
    uint8_t room[sizeof vector];
    struct lb_dhcp6_proof proof;
    for (size_t at = 0; at < sizeof vector; at++) {
        memcpy(room, vector, sizeof room);
        room[at] ^= 1;
        CHECK(check(lb_bytes(room, sizeof room), &proof) != NULL);
    }
}

static void every_truncation_is_noticed(void) {
    struct lb_dhcp6_proof proof;
    for (size_t len = 0; len < sizeof vector; len++)
        CHECK(check(lb_bytes(vector, len), &proof) != NULL);
}

static void two_options_11_make_none(void) {
    uint8_t room[sizeof vector + 47];
    struct lb_dhcp6_proof proof;
    memcpy(room, vector, sizeof vector);
    memcpy(room + sizeof vector, vector + 32, 47);
    CHECK_STR(check(lb_bytes(room, sizeof room), &proof), "authenticated more than once");
}

/* ---- the client ---- */

static struct lb_dhcp6_config with_keys(void) {
    return (struct lb_dhcp6_config){.no_probe = true,
                                    .give_up_ms = 10000,
                                    .take_reconfigure = true,
                                    .keys = keys(),
                                    .seen = &client_seen,
                                    .replay = 1000};
}

static void begin(struct lb_dhcp6_config config) {
    memset(&client_seen, 0, sizeof client_seen);
    start(config);
}

static bool give_signed(struct made made, const char *realm, uint32_t id, uint64_t replay) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_dhcp_key key = key_of(realm, id);
    if (made.xid == 0)
        made.xid = t.client.xid;
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    wr.len = make(made, lb_span(room, sizeof room)).len;
    lb_dhcp6_put_auth(&wr, replay, &key);
    CHECK(lb_dhcp6_sign(&wr, &key));
    bool taken = lb_dhcp6_client_input(&t.client, t.now, test_from(), lb_wr_done(&wr));
    run();
    return taken;
}

#define SIGNED(replay, ...) give_signed((struct made){.type = __VA_ARGS__}, REALM, 1, replay)

static void reach_bound_by_key(void) {
    begin(with_keys());
    CHECK(SIGNED(10, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(SIGNED(11, LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("BOUND");
    clear_seen();
}

static void solicit_asks_and_request_proves(void) {
    struct lb_dhcp6_proof proof;
    struct lb_bytes option;
    begin(with_keys());
    CHECK(lb_dhcp6_find(t.sent.options, LB_OPT6_AUTH, &option) && option.len == 11);
    CHECK(SIGNED(10, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_STR(lb_dhcp6_check_auth(&t.sent, keys(), &proof), NULL);
    CHECK(lb_text_is(proof.realm, REALM) && proof.key_id == 1);
    CHECK_EQ(proof.replay, 1002);
}

static void without_keys_nothing_of_option_11_is_sent(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(!has(LB_OPT6_AUTH));
}

static void each_kind_of_answer_needs_the_proof(void) {
    begin(with_keys());
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI, .rapid_commit = true));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .status = LB_DHCP6_NO_ADDRS_AVAIL));
    CHECK_EQ(t.client.unauthentic, 3);
    CHECK(SIGNED(10, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK(!GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL));
    CHECK_STATE("REQUESTING");
    CHECK(SIGNED(11, LB_DHCP6_REPLY, ISCSI));
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK(SIGNED(12, LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("BOUND");
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("CONFIRMING");
    CHECK(!GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_NOT_ON_LINK));
    CHECK_STATE("CONFIRMING");
}

static void information_needs_the_proof_too(void) {
    struct lb_dhcp6_config config = with_keys();
    config.stateless = true;
    begin(config);
    CHECK(has(LB_OPT6_AUTH));
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI, .no_ia = true));
    CHECK(SIGNED(10, LB_DHCP6_REPLY, ISCSI, .no_ia = true));
    CHECK_STATE("INFORMED");
}

static void a_bad_status_of_an_unknown_server_does_not_slow_us_down(void) {
    begin(with_keys());
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, ISCSI, .sol_max_rt_s = 86400));
    CHECK_EQ(t.client.sol_max_rt_s, 0);
}

static void what_was_played_before_is_not_taken_again(void) {
    begin(with_keys());
    CHECK(SIGNED(10, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(!SIGNED(10, LB_DHCP6_REPLY, ISCSI));
    CHECK(SIGNED(11, LB_DHCP6_REPLY, ISCSI));
    start(with_keys()); /* a restart, whose host kept what was seen */
    CHECK(!SIGNED(11, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(SIGNED(12, LB_DHCP6_ADVERTISE, ISCSI));
}

static void the_reply_needs_the_key_of_the_advertise(void) {
    begin(with_keys());
    CHECK(SIGNED(10, LB_DHCP6_ADVERTISE, ISCSI));
    CHECK(!give_signed((struct made){.type = LB_DHCP6_REPLY, ISCSI}, "other.example", 7, 20));
    CHECK(SIGNED(11, LB_DHCP6_REPLY, ISCSI));
}

static void nobody_with_the_key_is_an_error_of_its_own(void) {
    begin(with_keys());
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, ISCSI));
    while (t.client.state != LB_DHCP6_STOPPED)
        advance_to(t.until);
    CHECK_EQ(t.client.error.code, LB_E_DHCP6_AUTH);
    CHECK_STR(t.client.error.facts, "in 10 s; 1 answer passed over, the last: not authenticated");
}

static void reconfigure_counts_with_the_proof_of_the_lease(void) {
    static const uint8_t renew[] = {0, 19, 0, 1, LB_DHCP6_RENEW};
    struct made made = {.type = LB_DHCP6_RECONFIGURE,
                        .no_ia = true,
                        .xid = 1,
                        .options = lb_bytes(renew, sizeof renew)};
    reach_bound_by_key();
    CHECK(!give(made));
    CHECK(!give_signed(made, REALM, 1, 11));
    CHECK_STATE("BOUND");
    CHECK(give_signed(made, REALM, 1, 12));
    CHECK_STATE("RENEWING");
}

/* ---- the server ---- */

static struct lb_dhcp6_server server;
static struct lb_binding bindings[4];

static void start_server(bool require_auth) {
    memset(&server_seen, 0, sizeof server_seen);
    struct lb_dhcp6_server_config config = {
        .duid = test_server_duid(1),
        .network = {.addr = v6("2001:db8::"), .len = 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::1ff"),
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
        .keys = keys(),
        .require_auth = require_auth,
        .seen = &server_seen,
    };
    lb_dhcp6_server_init(&server, &config, bindings, LB_COUNT(bindings));
}

static struct lb_bytes ask_server(struct lb_span room) {
    struct lb_endpoint from = {.addr = v6("fe80::2"), .port = 546};
    return lb_dhcp6_server_input(&server, t.now, from, lb_bytes(t.bytes, t.send.bytes.len), room)
        .bytes;
}

/* What the client sent goes to the server, and the answer back, with one byte changed. */
static bool pass_on(size_t changed_at) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_bytes answer = ask_server(lb_span(room, sizeof room));
    if (answer.len == 0)
        return false;
    if (changed_at < answer.len)
        room[changed_at] ^= 0x40;
    bool taken = lb_dhcp6_client_input(&t.client, t.now, test_from(), answer);
    run();
    return taken;
}

static void client_and_server_agree(void) {
    begin(with_keys());
    start_server(true);
    CHECK(pass_on(SIZE_MAX) && pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
    CHECK(t.client.lease.authentic);
    CHECK_STR(t.client.lease.realm, REALM);
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK(pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
}

static void an_answer_with_any_byte_changed_is_not_taken(void) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    begin(with_keys());
    start_server(true);
    size_t len = ask_server(lb_span(room, sizeof room)).len;
    CHECK(len > 100);
    for (size_t at = 0; at < len; at++) {
        begin(with_keys());
        start_server(true);
        CHECK(!pass_on(at));
        CHECK_EQ(t.client.offer_count, 0);
    }
}

static void a_server_that_requires_it_answers_nobody_else(void) {
    start((struct lb_dhcp6_config){.no_probe = true});
    start_server(true);
    CHECK(!pass_on(SIZE_MAX));
    start((struct lb_dhcp6_config){.no_probe = true});
    start_server(false);
    CHECK(pass_on(SIZE_MAX) && pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
}

static void the_server_takes_no_request_twice_and_none_changed(void) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    begin(with_keys());
    start_server(true);
    CHECK(pass_on(SIZE_MAX));
    CHECK_SENT("Request");
    for (size_t at = 0; at < t.send.bytes.len; at++) {
        t.bytes[at] ^= 1;
        CHECK_EQ(ask_server(lb_span(room, sizeof room)).len, 0);
        t.bytes[at] ^= 1;
    }
    CHECK(pass_on(SIZE_MAX));
    CHECK(!pass_on(SIZE_MAX));
}

int main(void) {
    TEST(the_vector_is_authentic);
    TEST(signing_gives_the_vector);
    TEST(each_byte_changed_is_noticed);
    TEST(every_truncation_is_noticed);
    TEST(two_options_11_make_none);
    TEST(solicit_asks_and_request_proves);
    TEST(without_keys_nothing_of_option_11_is_sent);
    TEST(each_kind_of_answer_needs_the_proof);
    TEST(information_needs_the_proof_too);
    TEST(a_bad_status_of_an_unknown_server_does_not_slow_us_down);
    TEST(what_was_played_before_is_not_taken_again);
    TEST(the_reply_needs_the_key_of_the_advertise);
    TEST(nobody_with_the_key_is_an_error_of_its_own);
    TEST(reconfigure_counts_with_the_proof_of_the_lease);
    TEST(client_and_server_agree);
    TEST(an_answer_with_any_byte_changed_is_not_taken);
    TEST(a_server_that_requires_it_answers_nobody_else);
    TEST(the_server_takes_no_request_twice_and_none_changed);
    return tap_done();
}
