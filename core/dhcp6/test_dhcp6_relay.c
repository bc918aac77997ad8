/* What relays put around messages of DHCPv6. */
#include "core/dhcp6/dhcp6_relay.h"
#include "core/dhcp6/test_dhcp6.h"
#include "tests/tap.h"

#define SOLICIT "01 123456 0001 0003 000300"
#define LINK    "20010db8000000010000000000000001" /* 2001:db8:0:1::1 */
#define PEER    "fe80000000000000020000fffe000001"
#define OUTER   "20010db8000000090000000000000009"
#define NONE    "00000000000000000000000000000000"

/* By hand: RFC 8415 9. 11 bytes of a client's message, in one relay, in another. */
#define INNER    "0c 00" LINK PEER "0012 0004 65746831 0009 000b" SOLICIT
#define INNER_IS 34 + 8 + 4 + 11
#define TWICE    "0c 01" OUTER LINK "0009 0039" INNER

static struct lb_dhcp6_relayed relayed;
static const char *why;

static bool unwrap(struct lb_bytes payload) {
    why = NULL;
    return lb_dhcp6_unwrap(payload, &relayed, &why);
}

static void one_relay_is_taken_off(void) {
    CHECK(lb_dhcp6_is_relayed(tap_hex(INNER)));
    CHECK(!lb_dhcp6_is_relayed(tap_hex(SOLICIT)));
    CHECK(!lb_dhcp6_is_relayed(lb_bytes(NULL, 0)));
    struct lb_bytes payload = tap_hex(INNER);
    CHECK_EQ(payload.len, INNER_IS);
    CHECK(unwrap(payload));
    CHECK_EQ(relayed.count, 1);
    CHECK_BYTES(relayed.message, tap_hex(SOLICIT));
    CHECK_STR(lb_addr_text(relayed.link).s, "2001:db8:0:1::1");
    CHECK_STR(lb_addr_text(relayed.client).s, "fe80::200:ff:fe00:1");
    CHECK(relayed.hops[0].has_interface);
    CHECK(lb_bytes_equal(relayed.hops[0].interface_id, lb_bytes_of_text("eth1")));
    CHECK(!lb_mac_is_set(relayed.mac));
}

static void of_two_relays_the_one_next_to_the_client_says_where_it_is(void) {
    CHECK(unwrap(tap_hex(TWICE)));
    CHECK_EQ(relayed.count, 2);
    CHECK_BYTES(relayed.message, tap_hex(SOLICIT));
    CHECK_STR(lb_addr_text(relayed.link).s, "2001:db8:0:1::1");
    CHECK_STR(lb_addr_text(relayed.client).s, "fe80::200:ff:fe00:1");
    CHECK_EQ(relayed.hops[0].hops, 1);
    CHECK(!relayed.hops[0].has_interface);
    CHECK_STR(lb_addr_text(relayed.hops[0].peer).s, "2001:db8:0:1::1");
}

static void a_relay_that_does_not_route_leaves_that_to_the_next(void) {
    CHECK(unwrap(tap_hex("0c 01" OUTER PEER "0009 0031 0c 00" NONE PEER "0009 000b" SOLICIT)));
    CHECK_STR(lb_addr_text(relayed.link).s, "2001:db8:0:9::9");
    CHECK(unwrap(tap_hex("0c 01" OUTER PEER "0009 0031 0c 00" PEER PEER "0009 000b" SOLICIT)));
    CHECK_STR(lb_addr_text(relayed.link).s, "2001:db8:0:9::9");
    CHECK(unwrap(tap_hex("0c 00" NONE PEER "0009 000b" SOLICIT)));
    CHECK(!lb_addr_is_set(relayed.link));
}

static void the_clients_card_is_what_the_nearest_relay_says(void) {
    CHECK(unwrap(tap_hex("0c 00" LINK PEER "004f 0008 0001 020000000007 0009 000b" SOLICIT)));
    CHECK_STR(lb_mac_text(relayed.mac).s, "02:00:00:00:00:07");
    CHECK(unwrap(tap_hex("0c 00" LINK PEER "004f 0008 0006 020000000007 0009 000b" SOLICIT)));
    CHECK(!lb_mac_is_set(relayed.mac)); /* not Ethernet */
    /* The outer one speaks of the inner relay's card. */
    CHECK(unwrap(tap_hex("0c 01" OUTER LINK "004f 0008 0001 020000000007 0009 0039" INNER)));
    CHECK(!lb_mac_is_set(relayed.mac));
}

static void an_answer_goes_back_the_same_way(void) {
    uint8_t room[200];
    struct lb_span all = lb_span(room, sizeof room);
    CHECK(unwrap(tap_hex(INNER)));
    struct lb_bytes answer = tap_hex("02 123456");
    CHECK_BYTES(lb_dhcp6_wrap(&relayed, answer, all),
                tap_hex("0d 00" LINK PEER "0012 0004 65746831 0009 0004 02 123456"));
    CHECK(unwrap(tap_hex(TWICE)));
    CHECK_BYTES(lb_dhcp6_wrap(&relayed, answer, all),
                tap_hex("0d 01" OUTER LINK "0009 0032"
                        "0d 00" LINK PEER "0012 0004 65746831 0009 0004 02 123456"));
    CHECK_EQ(lb_dhcp6_wrap(&relayed, lb_bytes(room, 0), all).len, 0);
    CHECK_EQ(lb_dhcp6_wrap(&relayed, answer, lb_span(room, 40)).len, 0);
}

static void what_is_cut_short_is_none(void) {
    static const uint8_t whole[] = {0x0c};
    struct lb_bytes payload = tap_hex(TWICE);
    for (size_t len = 0; len < payload.len; len++) {
        CHECK(!unwrap(lb_bytes(payload.p, len)));
        CHECK(why != NULL);
    }
    CHECK(!unwrap(lb_bytes(whole, sizeof whole)));
    CHECK(!unwrap(tap_hex("0c 00" LINK PEER)));
    CHECK_STR(why, "a relay's message without a client's in it");
    CHECK(!unwrap(tap_hex(SOLICIT)));
    CHECK_STR(why, "not of a relay");
}

static void there_are_not_more_than_nine_relays(void) {
    uint8_t room[2][LB_DHCP6_RELAYED_MAX + 200];
    struct lb_bytes message = tap_hex(SOLICIT);
    for (unsigned i = 0; i < LB_DHCP6_RELAYS_MAX + 1u; i++) {
        struct lb_wr wr = lb_wr(lb_span(room[i % 2], sizeof room[0]));
        lb_wr_u8(&wr, LB_DHCP6_RELAY_FORW);
        lb_wr_u8(&wr, (uint8_t)i);
        lb_wr_addr(&wr, v6("2001:db8::1"));
        lb_wr_addr(&wr, v6("fe80::1"));
        lb_dhcp6_put(&wr, LB_OPT6_RELAY_MESSAGE, message);
        message = lb_wr_done(&wr);
        CHECK(unwrap(message) == (i < LB_DHCP6_RELAYS_MAX));
    }
    CHECK_STR(why, "over too many relays");
}

int main(void) {
    TEST(one_relay_is_taken_off);
    TEST(of_two_relays_the_one_next_to_the_client_says_where_it_is);
    TEST(a_relay_that_does_not_route_leaves_that_to_the_next);
    TEST(the_clients_card_is_what_the_nearest_relay_says);
    TEST(an_answer_goes_back_the_same_way);
    TEST(what_is_cut_short_is_none);
    TEST(there_are_not_more_than_nine_relays);
    return tap_done();
}
