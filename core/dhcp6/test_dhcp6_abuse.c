/* Wire abuse: what other programs fell over, each named after its class, given to the whole client
 * in every state that listens. It must ignore the datagram or the option, and boot with the next
 * good one; and each state with each message.
 *
 * CVE-2023-45229 to 45237 are EDK2's (PixieFail), 2026-18727 is iscsiuio's. */
#include "core/dhcp6/test_dhcp6_client.h"

static const enum lb_dhcp6_state listening[] = {
    LB_DHCP6_SOLICITING, LB_DHCP6_REQUESTING, LB_DHCP6_CONFIRMING,
    LB_DHCP6_RENEWING,   LB_DHCP6_REBINDING,  LB_DHCP6_INFORMING,
};

static void reach_with_lease(enum lb_dhcp6_state state) {
    reach_bound((struct made){ISCSI});
    if (state == LB_DHCP6_CONFIRMING)
        lb_dhcp6_client_link_up(&t.client, t.now);
    else if (state == LB_DHCP6_RENEWING)
        advance_to(t.until);
    else if (state == LB_DHCP6_REBINDING)
        advance_to(t.client.t2_us);
    run();
}

static void reach(enum lb_dhcp6_state state) {
    switch (state) {
    case LB_DHCP6_SOLICITING:
        start((struct lb_dhcp6_config){.no_probe = true});
        break;
    case LB_DHCP6_REQUESTING:
        reach_requesting((struct lb_dhcp6_config){.no_probe = true});
        break;
    case LB_DHCP6_CHECKING:
        reach_checking();
        break;
    case LB_DHCP6_DECLINING:
        reach_checking();
        answer_probe("2001:db8::100", true);
        break;
    case LB_DHCP6_INFORMING:
        start((struct lb_dhcp6_config){.stateless = true});
        break;
    case LB_DHCP6_INFORMED:
        reach_informed((struct made){0});
        break;
    case LB_DHCP6_BOUND:
    case LB_DHCP6_CONFIRMING:
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
        reach_with_lease(state);
        break;
    case LB_DHCP6_INIT: /* a pause between refusals */
        start((struct lb_dhcp6_config){.no_probe = true});
        for (unsigned i = 0; i < 2; i++) {
            CHECK(GIVE(LB_DHCP6_ADVERTISE, ISCSI));
            if (t.client.state == LB_DHCP6_SOLICITING)
                advance_to(t.until); /* others are waited for first */
            CHECK(GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL));
        }
        break;
    case LB_DHCP6_STOPPED:
        start((struct lb_dhcp6_config){0});
        lb_dhcp6_client_release(&t.client, t.now);
        run();
        break;
    }
    CHECK_EQ(t.client.state, state);
}

static bool input(struct lb_bytes payload) {
    bool taken = lb_dhcp6_client_input(&t.client, t.now, test_from(), payload);
    run();
    return taken;
}

/* The good answer to this state, in `room`, with raw bytes behind its options. */
static struct lb_bytes good_answer_then(struct lb_bytes more, struct lb_span room) {
    struct made made = {
        .type = t.client.state == LB_DHCP6_SOLICITING ? LB_DHCP6_ADVERTISE : LB_DHCP6_REPLY,
        .xid = t.client.xid,
        .no_ia = t.client.state == LB_DHCP6_CONFIRMING || t.client.state == LB_DHCP6_INFORMING,
        ISCSI,
        .options = more,
    };
    return make(made, room);
}

static struct lb_bytes nothing(void) {
    return lb_bytes("", 0);
}

static uint8_t room[70000], option[70000];

static void check_ignored_in_every_state(struct lb_bytes more) {
    for (size_t i = 0; i < LB_COUNT(listening); i++) {
        reach(listening[i]);
        CHECK(!input(good_answer_then(more, lb_span(room, sizeof room))));
        CHECK_EQ(t.client.state, listening[i]);
        CHECK(input(good_answer_then(nothing(), lb_span(room, sizeof room))));
        CHECK(t.client.state != listening[i]);
    }
}

/* ---- by class ---- */

/* An IA_NA of less than twelve bytes, and an IAADDR of less than twenty-four, as the only one. */
static void cve_2023_45229_an_ia_shorter_than_its_fixed_part(void) {
    for (uint8_t len = 0; len < LB_DHCP6_IA_NA_BYTES; len++) {
        uint8_t bytes[4 + LB_DHCP6_IA_NA_BYTES] = {0, LB_OPT6_IA_NA, 0, len, [7] = TEST_IAID};
        start((struct lb_dhcp6_config){0});
        CHECK(
            !GIVE(LB_DHCP6_ADVERTISE, .no_ia = true, .options = lb_bytes(bytes, 4u + len), ISCSI));
        CHECK(GIVE(LB_DHCP6_ADVERTISE, .options = lb_bytes(bytes, 4u + len), ISCSI));
    }
}

static void cve_2023_45229_an_ia_ta_shorter_than_its_fixed_part(void) {
    for (uint8_t len = 0; len < 4; len++) {
        uint8_t bytes[8] = {0, LB_OPT6_IA_TA, 0, len};
        start((struct lb_dhcp6_config){0});
        CHECK(GIVE(LB_DHCP6_ADVERTISE, .options = lb_bytes(bytes, 4u + len), ISCSI));
    }
}

static void cve_2023_45229_an_address_shorter_than_its_fixed_part(void) {
    for (uint8_t len = 0; len < LB_DHCP6_IAADDR_BYTES; len++) {
        uint8_t bytes[16 + 4 + LB_DHCP6_IAADDR_BYTES] = {
            0, LB_OPT6_IA_NA, 0, (uint8_t)(16 + len), 0, 0, 0, TEST_IAID};
        bytes[17] = LB_OPT6_IAADDR;
        bytes[19] = len;
        start((struct lb_dhcp6_config){0});
        CHECK(
            !GIVE(LB_DHCP6_ADVERTISE, .no_ia = true, .options = lb_bytes(bytes, 20u + len), ISCSI));
    }
}

/* The options inside an IA end with the IA, wherever their own lengths point to. */
static void cve_2023_45229_options_inside_an_ia_that_run_past_it(void) {
    static const char *const inside[] = {
        "0005",
        "0005ffff",
        "0005 0018 2001",
        "000d 0003 0000",
        "0005 0020 20010db8000000000000000000000100 00000e10 00001c20",
    };
    for (size_t i = 0; i < LB_COUNT(inside); i++) {
        struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
        size_t opened = lb_dhcp6_open_ia(&wr, TEST_IAID, 0, 0);
        lb_wr_bytes(&wr, tap_hex(inside[i]));
        lb_dhcp6_close(&wr, opened);
        /* What follows would complete it, were it read beyond the end. */
        lb_dhcp6_put(&wr, LB_OPT6_VENDOR, tap_hex("00000000000000000000000000000000"));
        start((struct lb_dhcp6_config){0});
        CHECK(!GIVE(LB_DHCP6_ADVERTISE, .no_ia = true, .options = lb_wr_done(&wr), ISCSI));
    }
}

static void cve_2023_45229_an_option_that_runs_past_the_packet(void) {
    static const char *const more[] = {"00",           "0003",      "000300",   "0003ffff",
                                       "0017 0010 20", "003b ffff", "000d 0001"};
    for (size_t i = 0; i < LB_COUNT(more); i++)
        check_ignored_in_every_state(tap_hex(more[i]));
}

/* It is echoed in the Request: only up to 130 bytes may be. */
static void cve_2023_45230_a_server_identifier_of_any_length(void) {
    static const size_t lens[] = {0, 1, 2, 3, 129, 130, 131, 200, 1400, 0xff00};
    for (size_t i = 0; i < LB_COUNT(lens); i++) {
        struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
        size_t opened = lb_dhcp6_open(&wr, LB_OPT6_SERVER_ID);
        lb_wr_zero(&wr, lens[i]);
        lb_dhcp6_close(&wr, opened);
        start((struct lb_dhcp6_config){0});
        struct made made = {.type = LB_DHCP6_ADVERTISE,
                            .xid = t.client.xid,
                            .no_server_id = true,
                            .options = lb_wr_done(&wr),
                            ISCSI};
        bool taken = input(make(made, lb_span(room, sizeof room)));
        CHECK_EQ(taken, lens[i] >= 3 && lens[i] <= LB_DUID_MAX);
        CHECK_EQ(seen.sends, taken ? 2 : 1);
    }
}

/* In EDK2 it was the server identifier of a proxy's Advertise that overflowed; the longest one that
 * is allowed goes into every message to that server. */
static void cve_2023_45235_the_longest_server_identifier_is_carried_through(void) {
    struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
    size_t opened = lb_dhcp6_open(&wr, LB_OPT6_SERVER_ID);
    lb_wr_zero(&wr, LB_DUID_MAX);
    lb_dhcp6_close(&wr, opened);
    struct made made = {
        .type = LB_DHCP6_ADVERTISE, .no_server_id = true, .options = lb_wr_done(&wr), ISCSI};
    struct lb_duid duid;
    start((struct lb_dhcp6_config){.no_probe = true});
    CHECK(give(made));
    CHECK(lb_dhcp6_find_duid(t.sent.options, LB_OPT6_SERVER_ID, &duid));
    CHECK_EQ(duid.len, LB_DUID_MAX);
    made.type = LB_DHCP6_REPLY;
    CHECK(give(made));
    advance_to(t.until);
    CHECK_SENT("Renew");
    CHECK(lb_dhcp6_find_duid(t.sent.options, LB_OPT6_SERVER_ID, &duid));
    CHECK_EQ(duid.len, LB_DUID_MAX);
}

/* DNS servers: not a multiple of sixteen is none; more than we keep are left out. */
static void cve_2023_45234_dns_servers_of_any_length(void) {
    static const size_t lens[] = {0, 1, 2, 15, 16, 17, 64, 80, 1337, 1328};
    for (size_t i = 0; i < LB_COUNT(lens); i++) {
        struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
        size_t opened = lb_dhcp6_open(&wr, LB_OPT6_DNS);
        for (size_t at = 0; at < lens[i]; at++)
            lb_wr_u8(&wr, 0x20);
        lb_dhcp6_close(&wr, opened);
        start((struct lb_dhcp6_config){.no_probe = true});
        struct made made = {.type = LB_DHCP6_REPLY,
                            .xid = t.client.xid,
                            .rapid_commit = true,
                            .options = lb_wr_done(&wr),
                            ISCSI};
        CHECK(input(make(made, lb_span(room, sizeof room))));
        size_t expected = lens[i] % 16 ? 0 : LB_MIN(lens[i] / 16, LB_DNS_MAX);
        CHECK_EQ(t.client.lease.dns_count, expected);
    }
}

/* Lengths that underflow: each option that has a fixed part, with less than that. */
static void cve_2026_18727_a_length_that_underflows(void) {
    static const uint16_t codes[] = {5,  7,  8,  11, 13, 16, 17, 19, 23,
                                     24, 32, 59, 60, 61, 62, 82, 83};
    for (size_t i = 0; i < LB_COUNT(codes); i++) {
        for (uint8_t len = 0; len < 4; len++) {
            uint8_t bytes[8] = {0, (uint8_t)codes[i], 0, len, 0xff, 0xff, 0xff};
            start((struct lb_dhcp6_config){.no_probe = true});
            bool is_failure = codes[i] == LB_OPT6_STATUS && len >= 2; /* of an unknown kind */
            CHECK_EQ(GIVE(LB_DHCP6_ADVERTISE, .options = lb_bytes(bytes, 4u + len), ISCSI),
                     !is_failure);
        }
    }
}

/* The same chance as that of guessing 24 bits: no two exchanges in a row are numbered alike. */
static void cve_2023_45237_transactions_cannot_be_guessed(void) {
    uint32_t before = 0, ordered = 0;
    for (unsigned i = 0; i < 64; i++) {
        start((struct lb_dhcp6_config){0});
        t.rand = test_rand((uint8_t)i);
        lb_dhcp6_client_link_up(&t.client, t.now);
        CHECK(t.client.xid != before && t.client.xid <= 0xffffff);
        ordered += t.client.xid > before;
        before = t.client.xid;
    }
    CHECK(ordered > 16 && ordered < 48);
}

static void names_that_are_malformed_are_no_search_list(void) {
    static const char *const bad[] = {
        "c000",           /* compression, which is not allowed here */
        "03 656e67",      /* no end */
        "40 00",          /* a label of more than 63 bytes */
        "00",             /* an empty name */
        "03 65 0a 67 00", /* a line end */
        "03 2d6e67 00",   /* what a program would take for an option */
        "ff",
    };
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
        lb_dhcp6_put(&wr, LB_OPT6_SEARCH, tap_hex(bad[i]));
        start((struct lb_dhcp6_config){0});
        CHECK(GIVE(LB_DHCP6_ADVERTISE, .options = lb_wr_done(&wr), ISCSI));
        CHECK_STR(t.client.next.search, "");
    }
}

static void a_thousand_addresses_are_cut_to_what_we_keep(void) {
    struct lb_wr wr = lb_wr(lb_span(option, sizeof option));
    struct lb_addr addr = v6("2001:db8::");
    size_t opened = lb_dhcp6_open_ia(&wr, TEST_IAID, 0, 0);
    for (unsigned i = 1; i <= 1000; i++) {
        addr.bytes[14] = (uint8_t)(i >> 8);
        addr.bytes[15] = (uint8_t)i;
        lb_dhcp6_put_iaaddr(&wr, addr, 100, 100);
    }
    lb_dhcp6_close(&wr, opened);
    start((struct lb_dhcp6_config){0});
    struct made made = {.type = LB_DHCP6_ADVERTISE,
                        .xid = t.client.xid,
                        .no_ia = true,
                        .options = lb_wr_done(&wr),
                        ISCSI};
    CHECK(input(make(made, lb_span(room, sizeof room))));
    CHECK_EQ(t.client.next.addr_count, LB_DHCP6_ADDRS_MAX);
}

static void every_truncation_of_a_good_answer_is_ignored_or_harmless(void) {
    for (size_t i = 0; i < LB_COUNT(listening); i++) {
        reach(listening[i]);
        struct lb_bytes whole = good_answer_then(nothing(), lb_span(room, sizeof room));
        for (size_t len = 0; len < whole.len; len++) {
            uint8_t exact[600]; /* so that a read beyond the end is seen */
            struct lb_dhcp6_client before = t.client;
            memcpy(exact + sizeof exact - len, whole.p, len);
            lb_dhcp6_client_input(&t.client, t.now, test_from(),
                                  lb_bytes(exact + sizeof exact - len, len));
            t.client = before;
        }
        CHECK(input(whole));
    }
}

/* ---- each state with each message ---- */

static bool is_awaited(enum lb_dhcp6_state state, unsigned type) {
    switch (state) {
    case LB_DHCP6_SOLICITING:
        return type == LB_DHCP6_ADVERTISE || type == LB_DHCP6_REPLY;
    case LB_DHCP6_REQUESTING:
    case LB_DHCP6_DECLINING:
    case LB_DHCP6_CONFIRMING:
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
    case LB_DHCP6_INFORMING:
        return type == LB_DHCP6_REPLY;
    case LB_DHCP6_INIT:
    case LB_DHCP6_CHECKING:
    case LB_DHCP6_BOUND:
    case LB_DHCP6_INFORMED:
    case LB_DHCP6_STOPPED:
        return false;
    }
    return false;
}

static void each_state_takes_the_messages_it_waits_for_and_no_others(void) {
    for (unsigned state = LB_DHCP6_INIT; state <= LB_DHCP6_STOPPED; state++) {
        for (unsigned type = 0; type <= 15; type++) {
            reach((enum lb_dhcp6_state)state);
            bool taken = GIVE((uint8_t)type, .rapid_commit = true, ISCSI);
            CHECK_EQ(taken, is_awaited((enum lb_dhcp6_state)state, type));
            if (!taken)
                CHECK_EQ(t.client.state, state);
        }
    }
}

static void each_state_bears_link_up_confirm_and_probes(void) {
    for (unsigned state = LB_DHCP6_INIT; state <= LB_DHCP6_STOPPED; state++) {
        reach((enum lb_dhcp6_state)state);
        lb_dhcp6_client_confirm(&t.client, t.now);
        run();
        answer_probe("2001:db8::100", true);
        lb_dhcp6_client_link_up(&t.client, t.now);
        run();
        CHECK_EQ(t.client.state == LB_DHCP6_STOPPED, state == LB_DHCP6_STOPPED);
        lb_dhcp6_client_release(&t.client, t.now);
        run();
        CHECK_STATE("STOPPED");
    }
}

int main(void) {
    TEST(cve_2023_45229_an_ia_shorter_than_its_fixed_part);
    TEST(cve_2023_45229_an_ia_ta_shorter_than_its_fixed_part);
    TEST(cve_2023_45229_an_address_shorter_than_its_fixed_part);
    TEST(cve_2023_45229_options_inside_an_ia_that_run_past_it);
    TEST(cve_2023_45229_an_option_that_runs_past_the_packet);
    TEST(cve_2023_45230_a_server_identifier_of_any_length);
    TEST(cve_2023_45235_the_longest_server_identifier_is_carried_through);
    TEST(cve_2023_45234_dns_servers_of_any_length);
    TEST(cve_2026_18727_a_length_that_underflows);
    TEST(cve_2023_45237_transactions_cannot_be_guessed);
    TEST(names_that_are_malformed_are_no_search_list);
    TEST(a_thousand_addresses_are_cut_to_what_we_keep);
    TEST(every_truncation_of_a_good_answer_is_ignored_or_harmless);
    TEST(each_state_takes_the_messages_it_waits_for_and_no_others);
    TEST(each_state_bears_link_up_confirm_and_probes);
    return tap_done();
}
