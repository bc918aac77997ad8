/* IPsec in the kernel: the messages against those of iproute2's `ip xfrm` (6.1, little-endian, by
 * strace), the answers against made-up ones. */
#include "core/base/text.h"
#include "hosts/linux/xfrm_wire.h"
#include "tests/tap.h"
#include <errno.h>

#define SEQ 7

/* ---- what ip sends ---- */

static const char state_tunnel[] =
    "7c01000010000500070000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000c0000264000000000000000000000000"
    "c0ffee0132000000c0000201000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000424c000002000100800000000000000070001200726663343130362867636d286165732929000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "20010000800000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324"
    "1c001700200000000000000000000000000000000000000000040000";
static const char state_transport[] =
    "8801000010000500070000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000020010db8000000000000000000000002"
    "c0ffee023200000020010db8000000000000000000000001ffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000424c00000a00000000000000000000001c0004000200119411940000000000000000000000000000"
    "0000000060001200726663343130362867636d28616573292900000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000a0000000800000000102030405060708"
    "090a0b0c0d0e0f10111213141c001700200000000000000000000000000000000000000000040000";
static const char policy_protects[] =
    "fc000000190005000700000000000000c0000201000000000000000000000000c00002640000000000000000"
    "00000000000000000000000002002020000000000000000000000000ffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000d007000000000000"
    "010000000000000044000500c0000201000000000000000000000000000000003200000002000000c0000264"
    "000000000000000000000000424c000001000000ffffffffffffffffffffffff";
static const char policy_passes[] =
    "b800000019000500070000000000000020010db800000000000000000000000220010db80000000000000000"
    "00000001000000000087ffff0a0080803a0000000000000000000000ffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000e803000000000000"
    "0000000000000000";
static const char policy_blocks[] =
    "b800000019000500070000000000000000000000000000000000000000000000c00002010000000000000000"
    "00000000000000000000000002000020000000000000000000000000ffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000feffff7f00000000"
    "0001000000000000";
static const char policy_blocks_a_port[] =
    "b800000019000500070000000000000000000000000000000000000000000000c00002010000000000000000"
    "00000000000000000cbcffff020000200600000000000000"
    "00000000ffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000feffff7f00000000"
    "0001000000000000";
static const char policy_asked[] =
    "5000000015000100070000000000000000000000000000000000000000000000c00002010000000000000000"
    "00000000000000000cbcffff02000020060000000000000000000000"
    "0000000000000000";
static const char policy_deleted[] =
    "50000000140005000700000000000000c0000201000000000000000000000000c00002640000000000000000"
    "000000000000000000000000020020200000000000000000000000000000000001000000";
static const char state_deleted[] =
    "3c000000110005000700000000000000c0000264000000000000000000000000c0ffee010200320014000d00"
    "c0000201000000000000000000000000";
static const char state_asked[] =
    "3c000000120001000700000000000000c0000264000000000000000000000000c0ffee010200320014000d00"
    "c0000201000000000000000000000000";

/* ---- what we send ---- */

static uint8_t room[LB_XFRM_MESSAGE_MAX];

static struct lb_span space(void) {
    return lb_span(room, sizeof(room));
}

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static struct lb_ipsec_terms terms(const char *local, const char *remote) {
    struct lb_ipsec_terms t = {.has_esn = true, .key_len = 36};
    t.local = (struct lb_endpoint){addr(local), 4500};
    t.remote = (struct lb_endpoint){addr(remote), 4500};
    for (uint8_t i = 0; i < LB_IPSEC_KEY_MAX; i++)
        t.in_key[i] = t.out_key[i] = (uint8_t)(i + 1);
    return t;
}

static void an_sa_of_tunnel_mode_with_long_numbers(void) {
    struct lb_ipsec_terms t = terms("192.0.2.100", "192.0.2.1");
    t.in_spi = 0xc0ffee01;
    memset(t.out_key, 0, sizeof(t.out_key));
    CHECK_BYTES(lb_xfrm_new_sa(&t, LB_XFRM_IN, SEQ, space()), tap_hex(state_tunnel));
}

static void an_sa_of_transport_mode_in_udp(void) {
    struct lb_ipsec_terms t = terms("2001:db8::1", "2001:db8::2");
    t.mode = LB_IPSEC_TRANSPORT;
    t.out_spi = 0xc0ffee02;
    t.has_esn = false;
    t.in_udp = true;
    t.key_len = 20;
    memset(t.in_key, 0, sizeof(t.in_key));
    CHECK_BYTES(lb_xfrm_new_sa(&t, LB_XFRM_OUT, SEQ, space()), tap_hex(state_transport));
}

static void an_sa_is_named(void) {
    struct lb_ipsec_terms t = terms("192.0.2.100", "192.0.2.1");
    uint8_t asked[sizeof(room)];
    t.in_spi = 0xc0ffee01;
    CHECK_BYTES(lb_xfrm_del_sa(&t, LB_XFRM_IN, SEQ, space()), tap_hex(state_deleted));
    struct lb_bytes get = tap_hex(state_asked);
    memcpy(asked, get.p, get.len);
    asked[6] |= 4; /* ip does not want an acknowledgement as well */
    CHECK_BYTES(lb_xfrm_get_sa(&t, LB_XFRM_IN, SEQ, space()), lb_bytes(asked, get.len));
}

static void policies(void) {
    struct lb_xfrm_policy p = {.does = LB_XFRM_PROTECTS,
                               .way = LB_XFRM_OUT,
                               .local = addr("192.0.2.100"),
                               .remote = addr("192.0.2.1")};
    CHECK_BYTES(lb_xfrm_set_policy(&p, SEQ, space()), tap_hex(policy_protects));
    CHECK_BYTES(lb_xfrm_del_policy(&p, SEQ, space()), tap_hex(policy_deleted));
    p = (struct lb_xfrm_policy){.does = LB_XFRM_BLOCKS,
                                .way = LB_XFRM_IN,
                                .local = {.family = LB_V4},
                                .remote = addr("192.0.2.1")};
    CHECK_BYTES(lb_xfrm_set_policy(&p, SEQ, space()), tap_hex(policy_blocks));
    p.port = 3260;
    CHECK_BYTES(lb_xfrm_set_policy(&p, SEQ, space()), tap_hex(policy_blocks_a_port));
    uint8_t expected[sizeof(room)];
    struct lb_bytes set = tap_hex(policy_blocks_a_port);
    memcpy(expected, set.p, set.len);
    expected[4] = 0x13; /* NEWPOLICY */
    CHECK_BYTES(lb_xfrm_add_policy(&p, SEQ, space()), lb_bytes(expected, set.len));
    struct lb_bytes get = tap_hex(policy_asked);
    memcpy(expected, get.p, get.len);
    expected[6] |= 4; /* ip does not want an acknowledgement as well */
    CHECK_BYTES(lb_xfrm_get_policy(&p, SEQ, space()), lb_bytes(expected, get.len));
    p = (struct lb_xfrm_policy){.does = LB_XFRM_PASSES,
                                .way = LB_XFRM_IN,
                                .local = addr("2001:db8::2"),
                                .remote = addr("2001:db8::1"),
                                .icmp6_type = 135};
    CHECK_BYTES(lb_xfrm_set_policy(&p, SEQ, space()), tap_hex(policy_passes));
}

static void without_room_there_is_no_message(void) {
    struct lb_ipsec_terms t = terms("192.0.2.100", "192.0.2.1");
    size_t whole = lb_xfrm_new_sa(&t, LB_XFRM_OUT, SEQ, space()).len;
    CHECK(whole > 0 && whole <= sizeof(room));
    for (size_t len = 0; len < whole; len++)
        CHECK_EQ(lb_xfrm_new_sa(&t, LB_XFRM_OUT, SEQ, lb_span(room, len)).len, 0);
}

/* ---- what the kernel says ---- */

static void an_acknowledgement_and_a_refusal(void) {
    static const char good[] = "24000000 0200 0000 07000000 00000000 00000000"
                               "00000000 0000 0000 00000000 00000000";
    static const char refused[] = "24000000 0200 0000 07000000 00000000 fdffffff"
                                  "00000000 0000 0000 00000000 00000000";
    struct lb_xfrm_answer answer = lb_xfrm_read(tap_hex(good), SEQ);
    CHECK(answer.is_over && !answer.has_sa);
    CHECK_EQ(answer.refused, 0);
    answer = lb_xfrm_read(tap_hex(refused), SEQ);
    CHECK(answer.is_over);
    CHECK_EQ(answer.refused, ESRCH);
    CHECK(!lb_xfrm_read(tap_hex(good), SEQ + 1).is_over);
}

/* As the kernel answers lb_xfrm_get_sa: the SA, then an acknowledgement. */
static void an_sa_says_how_many_packets_it_had(void) {
    struct lb_bytes sa = tap_hex(state_tunnel);
    uint8_t both[512];
    static const char done[] = "14000000 0200 0000 07000000 00000000 00000000";
    memcpy(both, sa.p, sa.len);
    both[16 + 56 + 24 + 16 + 64 + 8] = 0x2a; /* header, selector, id, source, limits, bytes */
    struct lb_bytes end = tap_hex(done);
    memcpy(both + sa.len, end.p, end.len);
    struct lb_xfrm_answer answer = lb_xfrm_read(lb_bytes(both, sa.len + end.len), SEQ);
    CHECK(answer.is_over && answer.has_sa);
    CHECK_EQ(answer.spi, 0xc0ffee01);
    CHECK_EQ(answer.packets, 42);
    for (size_t len = 0; len < sa.len; len++)
        CHECK(!lb_xfrm_read(lb_bytes(both, len), SEQ).has_sa);
}

/* As the kernel answers lb_xfrm_get_policy. */
static void a_policy_says_its_number(void) {
    struct lb_bytes policy = tap_hex(policy_protects);
    uint8_t answered[512];
    memcpy(answered, policy.p, policy.len);
    answered[4] = 0x13; /* NEWPOLICY */
    struct lb_xfrm_answer answer = lb_xfrm_read(lb_bytes(answered, policy.len), SEQ);
    CHECK(answer.has_policy && !answer.is_over);
    CHECK_EQ(answer.priority, LB_XFRM_PRIORITY);
    for (size_t len = 0; len < policy.len; len++)
        CHECK(!lb_xfrm_read(lb_bytes(answered, len), SEQ).has_policy);
}

/* What is forwarded stays as it is: 0. */
static void what_becomes_of_packets_without_a_policy(void) {
    static const char blocks[] = "13000000 2700 0500 07000000 00000000 010001";
    static const char admits[] = "13000000 2700 0500 07000000 00000000 020002";
    static const char asks[] = "13000000 2800 0500 07000000 00000000 000000";
    static const char both[] = "13000000 2800 0000 07000000 00000000 010201";
    static const char out[] = "13000000 2800 0000 07000000 00000000 020201";
    CHECK_BYTES(lb_xfrm_set_default(true, SEQ, space()), tap_hex(blocks));
    CHECK_BYTES(lb_xfrm_set_default(false, SEQ, space()), tap_hex(admits));
    CHECK_BYTES(lb_xfrm_get_default(SEQ, space()), tap_hex(asks));
    struct lb_xfrm_answer answer = lb_xfrm_read(tap_hex(both), SEQ);
    CHECK(answer.has_default && answer.blocks);
    answer = lb_xfrm_read(tap_hex(out), SEQ);
    CHECK(answer.has_default && !answer.blocks);
    for (size_t len = 0; len < 19; len++)
        CHECK(!lb_xfrm_read(lb_bytes(tap_hex(both).p, len), SEQ).has_default);
}

/* It stands behind the policies of everybody, for each address. */
static void a_policy_that_admits_everything(void) {
    struct lb_xfrm_policy p = {
        .does = LB_XFRM_ADMITS, .local.family = LB_V4, .remote.family = LB_V4};
    struct lb_bytes message = lb_xfrm_add_policy(&p, SEQ, space());
    struct lb_xfrm_answer answer;
    CHECK(message.len > 16);
    room[4] = 0x13; /* NEWPOLICY */
    answer = lb_xfrm_read(message, SEQ);
    CHECK(answer.has_policy);
    CHECK_EQ(answer.priority, 0xfffffffe);
    for (size_t i = 0; i < 40; i++) /* addresses, ports, and the lengths of prefixes */
        CHECK_EQ(room[16 + i], 0);
    CHECK_EQ(room[16 + 42], 0);
    CHECK_EQ(room[16 + 43], 0);
}

static struct lb_xfrm_taken report(uint8_t type) {
    uint8_t message[] = {16, 0, 0, 0, type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    return lb_xfrm_read_taken(lb_bytes(message, sizeof(message)));
}

static void what_is_taken_away_is_told_from_what_is_set(void) {
    CHECK(report(0x14).policies && !report(0x14).sas);       /* DELPOLICY */
    CHECK(report(0x1d).policies);                            /* FLUSHPOLICY */
    CHECK(report(0x1b).policies);                            /* POLEXPIRE */
    CHECK(report(0x11).sas && !report(0x11).policies);       /* DELSA */
    CHECK(report(0x1c).sas);                                 /* FLUSHSA */
    CHECK(report(0x18).sas);                                 /* EXPIRE */
    CHECK(!report(0x13).policies && !report(0x19).policies); /* NEWPOLICY, UPDPOLICY */
    CHECK(!report(0x10).sas && !report(0x1a).sas);           /* NEWSA, UPDSA */
}

static void lengths_that_lie_end_the_reading(void) {
    static const char *const messages[] = {
        "00000000 0200 0000 07000000 00000000 00000000",
        "0f000000 0200 0000 07000000 00000000 00000000",
        "15000000 0200 0000 07000000 00000000 00000000",
        "ffffffff 0200 0000 07000000 00000000 00000000",
        "10000000 0200 0000 07000000 00000000",
        "14000000 0200 0000 07000000 00000000 01000000",
        "14000000 0200 0000 07000000 00000000 00000080",
    };
    for (size_t i = 0; i < LB_COUNT(messages); i++)
        CHECK(!lb_xfrm_read(tap_hex(messages[i]), SEQ).is_over);
}

int main(void) {
    TEST(an_sa_of_tunnel_mode_with_long_numbers);
    TEST(an_sa_of_transport_mode_in_udp);
    TEST(an_sa_is_named);
    TEST(policies);
    TEST(without_room_there_is_no_message);
    TEST(an_acknowledgement_and_a_refusal);
    TEST(an_sa_says_how_many_packets_it_had);
    TEST(a_policy_says_its_number);
    TEST(what_becomes_of_packets_without_a_policy);
    TEST(a_policy_that_admits_everything);
    TEST(what_is_taken_away_is_told_from_what_is_set);
    TEST(lengths_that_lie_end_the_reading);
    return tap_done();
}
