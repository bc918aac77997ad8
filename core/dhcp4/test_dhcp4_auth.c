/* RFC 3118: messages that prove who sent them, the client that takes no others, and the server. */
#include "core/dhcp4/test_dhcp4_client.h"

#define KEYS   "287454020:0123456789abcdef,2:another-secret"
#define KEY_ID 0x11223344

static struct lb_dhcp_seen client_seen, server_seen;

static struct lb_bytes keys(void) {
    return lb_bytes_of_text(KEYS);
}

/* ---- messages ---- */

/* Of the protocol sheet, computed by another program (Python's hmac): a REQUEST that passed one
 * relay. */
static struct lb_bytes vector(uint8_t room[289], bool is_whole) {
    static const uint8_t head[] = {1, 1, 6, 1, 1, 2, 3, 4};
    static const uint8_t relay[] = {192, 0, 2, 1, 2, 0, 0, 0, 0, 1};
    static const uint8_t options[] = {
        0x63, 0x82, 0x53, 0x63, 53, 1, 3, 54, 4, 192, 0, 2, 2, 50, 4,    192,  0,    2,
        100,  90,   31,   1,    1,  0, 0, 0,  0, 0,   0, 0, 0, 1,  0x11, 0x22, 0x33, 0x44};
    static const uint8_t mac[] = {0xeb, 0xd3, 0xfb, 0xad, 0x5d, 0x66, 0xf6, 0x25,
                                  0x58, 0x0f, 0x33, 0x39, 0x24, 0x53, 0xb0, 0x95};
    memset(room, 0, 289);
    memcpy(room, head, sizeof head);
    memcpy(room + 24, relay, sizeof relay);
    memcpy(room + 236, options, sizeof options);
    if (is_whole)
        memcpy(room + 272, mac, sizeof mac);
    room[288] = 255;
    return lb_bytes(room, 289);
}

static void the_vector_is_authentic(void) {
    uint8_t room[289];
    struct lb_dhcp4_proof proof;
    CHECK_STR(lb_dhcp4_check_auth(vector(room, true), keys(), &proof), NULL);
    CHECK_EQ(proof.key_id, KEY_ID);
    CHECK_EQ(proof.replay, 1);
}

static void signing_gives_the_vector(void) {
    uint8_t room[289], expected[289];
    struct lb_dhcp_key key;
    vector(room, false);
    CHECK(lb_dhcp_keys_find(keys(), lb_bytes("", 0), KEY_ID, &key));
    CHECK(lb_dhcp4_sign(lb_span(room, sizeof room), &key));
    CHECK(lb_bytes_equal(lb_bytes(room, sizeof room), vector(expected, true)));
}

/* All but what a relay may change. */
static void each_byte_changed_is_noticed(void) {
    uint8_t room[289];
    struct lb_dhcp4_proof proof;
    for (size_t at = 0; at < sizeof room; at++) {
        vector(room, true);
        room[at] ^= 1;
        bool is_relays = at == 3 || (at >= 24 && at < 28);
        const char *why = lb_dhcp4_check_auth(lb_bytes(room, sizeof room), keys(), &proof);
        CHECK_EQ(why == NULL, is_relays);
    }
}

static void every_truncation_is_noticed(void) {
    uint8_t room[289];
    struct lb_dhcp4_proof proof;
    vector(room, true);
    for (size_t len = LB_DHCP4_FIXED_BYTES; len < sizeof room; len++)
        CHECK(lb_dhcp4_check_auth(lb_bytes(room, len), keys(), &proof) != NULL);
}

static void what_a_relay_agent_adds_is_not_covered(void) {
    static const uint8_t agent[] = {82, 4, 1, 2, 9, 9};
    uint8_t room[300];
    struct lb_dhcp4_proof proof;
    /* before option 54, before the end, and in both places */
    for (unsigned where = 1; where <= 2; where++) {
        size_t at = where == 1 ? 243 : 288;
        vector(room, true);
        memmove(room + at + sizeof agent, room + at, 289 - at);
        memcpy(room + at, agent, sizeof agent);
        CHECK_STR(lb_dhcp4_check_auth(lb_bytes(room, 289 + sizeof agent), keys(), &proof), NULL);
    }
}

static void two_options_90_make_none(void) {
    uint8_t room[289 + 33];
    struct lb_dhcp4_proof proof;
    vector(room, true);
    memcpy(room + 288, room + 255, 33);
    room[288 + 33] = 255;
    CHECK_STR(lb_dhcp4_check_auth(lb_bytes(room, sizeof room), keys(), &proof),
              "authenticated more than once");
}

/* ---- the client ---- */

static struct lb_dhcp4_config with_keys(void) {
    return (struct lb_dhcp4_config){.no_arp_probe = true,
                                    .give_up_ms = 10000,
                                    .keys = keys(),
                                    .seen = &client_seen,
                                    .replay = 1000};
}

static void begin(struct lb_dhcp4_config config) {
    memset(&client_seen, 0, sizeof client_seen);
    start(config);
}

/* A server's message with a proof by this key; id 0: none. */
static bool give_signed(struct made made, uint32_t id, uint64_t replay) {
    uint8_t room[LB_DHCP4_PACKET_MAX], option[64];
    struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
    struct lb_dhcp_key key;
    if (made.xid == 0)
        made.xid = t.client.xid;
    if (!lb_addr_is_set(made.yiaddr) && made.type != LB_DHCP4_NAK)
        made.yiaddr = v4(192, 0, 2, 100);
    if (made.lease_s == 0 && made.type != LB_DHCP4_NAK && made.type != LB_DHCP4_BOOTP)
        made.lease_s = 3600;
    if (id != 0) {
        CHECK(lb_dhcp_keys_find(keys(), lb_bytes("", 0), id, &key));
        lb_wr_u8(&wr, LB_OPT_AUTH);
        lb_wr_u8(&wr, 31);
        lb_wr_u8(&wr, 1);
        lb_wr_u8(&wr, 1);
        lb_wr_u8(&wr, 0);
        lb_wr_u64(&wr, replay);
        lb_wr_u32(&wr, id);
        lb_wr_zero(&wr, 16);
        made.options = lb_wr_done(&wr);
    }
    struct lb_bytes bytes = make(made, lb_span(room, sizeof room));
    if (id != 0)
        CHECK(lb_dhcp4_sign(lb_span(room, bytes.len), &key));
    struct lb_addr server = lb_addr_is_set(made.server) ? made.server : v4(192, 0, 2, 1);
    bool taken = lb_dhcp4_client_input(&t.client, t.now, test_from(server), bytes);
    run();
    return taken;
}

#define SIGNED(id, replay, ...) give_signed((struct made){.type = __VA_ARGS__}, id, replay)

static void reach_bound_by_key(void) {
    begin(with_keys());
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK(SIGNED(2, 11, LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("BOUND");
    clear_seen();
}

static const char *proof_of_what_was_sent(struct lb_dhcp4_proof *proof) {
    return lb_dhcp4_check_auth(lb_bytes(t.bytes, t.send.bytes.len), keys(), proof);
}

static void discover_asks_and_request_proves(void) {
    struct lb_dhcp4_proof proof;
    struct lb_bytes option;
    begin(with_keys());
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_AUTH, &option) && option.len == 11);
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK_STR(proof_of_what_was_sent(&proof), NULL);
    CHECK_EQ(proof.key_id, 2); /* the key that the server chose */
    CHECK_EQ(proof.replay, 1002);
}

static void without_keys_nothing_of_option_90_is_sent(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(!has(LB_OPT_AUTH));
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(!has(LB_OPT_AUTH));
}

static void an_offer_without_a_proof_is_passed_over_and_the_good_one_taken(void) {
    begin(with_keys());
    CHECK(!GIVE(LB_DHCP4_OFFER, ISCSI, .server = v4(192, 0, 2, 66)));
    CHECK_EQ(t.client.offer_count, 0);
    CHECK_STATE("SELECTING");
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK(lb_addr_equal(t.client.lease.server, v4(192, 0, 2, 1)));
    CHECK_EQ(t.client.unauthentic, 1);
}

static void each_kind_of_answer_needs_the_proof(void) {
    begin(with_keys());
    CHECK(!GIVE(LB_DHCP4_BOOTP, ISCSI));
    CHECK(!GIVE(LB_DHCP4_ACK, ISCSI, .rapid_commit = true));
    CHECK(!GIVE(LB_DHCP4_OFFER, ISCSI, PROXY));
    CHECK(!t.client.has_proxy);
    CHECK_STATE("SELECTING");
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK(!GIVE(LB_DHCP4_NAK));
    CHECK(!GIVE(LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK(SIGNED(2, 11, LB_DHCP4_ACK, ISCSI));
    advance_to(t.until); /* T1 */
    CHECK_STATE("RENEWING");
    CHECK(!GIVE(LB_DHCP4_NAK));
    CHECK(!GIVE(LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("RENEWING");
    CHECK(SIGNED(2, 12, LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("BOUND");
}

static void rapid_commit_and_bootp_with_a_proof_are_taken(void) {
    begin(with_keys());
    CHECK(SIGNED(2, 10, LB_DHCP4_ACK, ISCSI, .rapid_commit = true));
    CHECK_STATE("BOUND");
    begin(with_keys());
    CHECK(SIGNED(2, 10, LB_DHCP4_BOOTP, ISCSI));
}

static void what_was_played_before_is_not_taken_again(void) {
    begin(with_keys());
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK(!SIGNED(2, 10, LB_DHCP4_ACK, ISCSI));
    CHECK(!SIGNED(2, 9, LB_DHCP4_ACK, ISCSI));
    CHECK(SIGNED(2, 11, LB_DHCP4_ACK, ISCSI));
    /* Also not after a restart of the client, whose host kept what was seen. */
    start(with_keys());
    CHECK(!SIGNED(2, 11, LB_DHCP4_OFFER, ISCSI));
    CHECK(SIGNED(2, 12, LB_DHCP4_OFFER, ISCSI));
}

static void the_ack_needs_the_key_of_the_offer(void) {
    begin(with_keys());
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK(!SIGNED(KEY_ID, 20, LB_DHCP4_ACK, ISCSI));
    CHECK(SIGNED(2, 11, LB_DHCP4_ACK, ISCSI));
}

static void nobody_with_the_key_is_an_error_of_its_own(void) {
    struct lb_dhcp4_config config = with_keys();
    begin(config);
    CHECK(!GIVE(LB_DHCP4_OFFER, ISCSI, .server = v4(192, 0, 2, 66)));
    give_up_after(config, LB_E_DHCP_AUTH);
    CHECK_STR(t.client.error.facts, "in 10 s; 1 answer that cannot be used, the last from "
                                    "192.0.2.66: not authenticated");
}

static void keys_of_dhcpv6_alone_let_nobody_in(void) {
    struct lb_dhcp4_config config = with_keys();
    config.keys = lb_bytes_of_text("1@boot.example:0123456789abcdef");
    begin(config);
    CHECK(!GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(!SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI));
    CHECK_STR(t.client.unauthentic_why, "authenticated by a key that this machine does not have");
}

static void release_and_decline_prove_it_too(void) {
    struct lb_dhcp4_proof proof;
    struct lb_dhcp4_config config = with_keys();
    reach_bound_by_key();
    lb_dhcp4_client_release(&t.client, t.now);
    run();
    CHECK_EQ(t.sent.type, LB_DHCP4_RELEASE);
    CHECK_STR(proof_of_what_was_sent(&proof), NULL);
    config.no_arp_probe = false;
    begin(config);
    CHECK(SIGNED(2, 10, LB_DHCP4_OFFER, ISCSI) && SIGNED(2, 11, LB_DHCP4_ACK, ISCSI));
    lb_dhcp4_client_probed(&t.client, t.now, true);
    run();
    CHECK_EQ(t.sent.type, LB_DHCP4_DECLINE);
    CHECK_STR(proof_of_what_was_sent(&proof), NULL);
}

static void forcerenew_counts_with_a_proof_alone(void) {
    reach_bound_by_key();
    CHECK(!give_signed((struct made){.type = LB_DHCP4_FORCERENEW, .xid = 77}, 0, 0));
    CHECK_STATE("BOUND");
    CHECK(!give_signed((struct made){.type = LB_DHCP4_FORCERENEW, .xid = 77}, 2, 11));
    CHECK_STATE("BOUND"); /* played again */
    CHECK(give_signed((struct made){.type = LB_DHCP4_FORCERENEW, .xid = 77}, 2, 12));
    CHECK_STATE("RENEWING");
    CHECK_EQ(seen.sends, 1);
    reach_bound((struct made){.lease_s = 3600});
    CHECK(!give_signed((struct made){.type = LB_DHCP4_FORCERENEW, .xid = 77}, 2, 12));
    CHECK_STATE("BOUND"); /* without keys it is nobody's */
}

/* ---- the server ---- */

static struct lb_dhcp4_server server;
static struct lb_binding bindings[4];

static void start_server(bool require_auth) {
    memset(&server_seen, 0, sizeof server_seen);
    struct lb_dhcp4_server_config config = {
        .server = v4(192, 0, 2, 1),
        .network = {.addr = v4(192, 0, 2, 0), .len = 24},
        .first = v4(192, 0, 2, 100),
        .last = v4(192, 0, 2, 110),
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
        .keys = keys(),
        .require_auth = require_auth,
        .seen = &server_seen,
        .replay = 500,
    };
    lb_dhcp4_server_init(&server, &config, bindings, LB_COUNT(bindings));
}

/* What the client sent goes to the server, and the answer back, with one byte changed. */
static bool pass_on(size_t changed_at) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_bytes request = lb_bytes(t.bytes, t.send.bytes.len);
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input(&server, t.now, t.send.from, request, lb_span(room, sizeof room));
    if (reply.bytes.len == 0)
        return false;
    if (changed_at < reply.bytes.len)
        room[changed_at] ^= 0x40;
    bool taken = lb_dhcp4_client_input(&t.client, t.now, test_from(v4(192, 0, 2, 1)), reply.bytes);
    run();
    return taken;
}

static void client_and_server_agree(void) {
    begin(with_keys());
    start_server(true);
    CHECK(pass_on(SIZE_MAX) && pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
    CHECK(t.client.lease.authentic);
    CHECK_EQ(t.client.lease.key_id, KEY_ID);
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK(pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
}

static void an_answer_with_any_byte_changed_is_not_taken(void) {
    for (size_t at = 0; at < 300; at++) {
        if (at == 3 || (at >= 24 && at < 28))
            continue;
        begin(with_keys());
        start_server(true);
        CHECK(!pass_on(at));
        CHECK_EQ(t.client.offer_count, 0);
    }
}

static void a_server_that_requires_it_answers_nobody_else(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    start_server(true);
    CHECK(!pass_on(SIZE_MAX));
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    start_server(false);
    CHECK(pass_on(SIZE_MAX) && pass_on(SIZE_MAX));
    CHECK_STATE("BOUND");
}

static void the_server_takes_no_request_twice_and_none_changed(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    begin(with_keys());
    start_server(true);
    CHECK(pass_on(SIZE_MAX));
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
    struct lb_bytes request = lb_bytes(t.bytes, t.send.bytes.len);
    for (size_t at = 0; at < request.len; at++) {
        if (at == 3 || (at >= 24 && at < 28))
            continue;
        t.bytes[at] ^= 1;
        CHECK_EQ(
            lb_dhcp4_server_input(&server, t.now, t.send.from, request, lb_span(room, sizeof room))
                .bytes.len,
            0);
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
    TEST(what_a_relay_agent_adds_is_not_covered);
    TEST(two_options_90_make_none);
    TEST(discover_asks_and_request_proves);
    TEST(without_keys_nothing_of_option_90_is_sent);
    TEST(an_offer_without_a_proof_is_passed_over_and_the_good_one_taken);
    TEST(each_kind_of_answer_needs_the_proof);
    TEST(rapid_commit_and_bootp_with_a_proof_are_taken);
    TEST(what_was_played_before_is_not_taken_again);
    TEST(the_ack_needs_the_key_of_the_offer);
    TEST(nobody_with_the_key_is_an_error_of_its_own);
    TEST(keys_of_dhcpv6_alone_let_nobody_in);
    TEST(release_and_decline_prove_it_too);
    TEST(forcerenew_counts_with_a_proof_alone);
    TEST(client_and_server_agree);
    TEST(an_answer_with_any_byte_changed_is_not_taken);
    TEST(a_server_that_requires_it_answers_nobody_else);
    TEST(the_server_takes_no_request_twice_and_none_changed);
    return tap_done();
}
