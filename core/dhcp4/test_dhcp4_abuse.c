/* Wire abuse: what other programs fell over, each named after its class, given to the whole client
 * in every state that listens. It must ignore the datagram or the option, and boot with the next
 * good one.
 *
 * CVE-2023-45229 to 45235 are EDK2's (PixieFail), there in DHCPv6; 18728 is iscsiuio's; 12fd76759
 * and 36c25549c are commits of iPXE, 59ede2c one of open-iscsi. */
#include "core/dhcp4/test_dhcp4_client.h"

static const enum lb_dhcp4_state listening[] = {
    LB_DHCP4_SELECTING, LB_DHCP4_REQUESTING, LB_DHCP4_REBOOTING,
    LB_DHCP4_RENEWING,  LB_DHCP4_REBINDING,
};

static void reach(enum lb_dhcp4_state state) {
    if (state == LB_DHCP4_SELECTING) {
        start((struct lb_dhcp4_config){.no_arp_probe = true});
        return;
    }
    if (state == LB_DHCP4_REQUESTING) {
        reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
        return;
    }
    reach_bound((struct made){.lease_s = 8000, ISCSI});
    if (state == LB_DHCP4_REBOOTING)
        lb_dhcp4_client_link_up(&t.client, t.now);
    else if (state == LB_DHCP4_RENEWING)
        advance_to(t.until);
    else
        advance_to(t.client.t2_us);
    run();
    CHECK_EQ(t.client.state, state);
}

/* What this state waits for. */
static enum lb_dhcp4_type answer(void) {
    return t.client.state == LB_DHCP4_SELECTING ? LB_DHCP4_OFFER : LB_DHCP4_ACK;
}

static bool input(struct lb_bytes payload) {
    bool taken = lb_dhcp4_client_input(&t.client, t.now, test_from(v4(192, 0, 2, 1)), payload);
    run();
    return taken;
}

/* The good answer to this state, in `room`, with raw bytes behind its options in place of `end`. */
static struct lb_bytes good_answer_then(const char *hex, uint8_t room[LB_DHCP4_PACKET_MAX]) {
    struct made made = {.type = answer(),
                        .xid = t.client.xid,
                        .yiaddr = v4(192, 0, 2, 100),
                        .lease_s = 8000,
                        ISCSI};
    struct lb_bytes more = tap_hex(hex);
    struct lb_bytes whole = make(made, lb_span(room, LB_DHCP4_PACKET_MAX));
    size_t len = whole.len;
    while (room[len - 1] == 0)
        len--; /* the padding, and then `end` */
    memcpy(room + len - 1, more.p, more.len);
    return lb_bytes(room, len - 1 + more.len);
}

static void cve_2026_18728_a_length_that_underflows(void) {
    /* Options of no length where the reader expects at least one byte. */
    static const uint8_t codes[] = {1,  3,  6,  12, 15, 17, 26, 33,  43,  58,
                                    59, 60, 66, 67, 78, 79, 83, 119, 121, 203};
    for (size_t i = 0; i < sizeof codes; i++) {
        uint8_t room[LB_DHCP4_PACKET_MAX];
        char hex[16];
        reach(LB_DHCP4_SELECTING);
        lb_format(hex, sizeof hex, "%02x00ff", codes[i]);
        CHECK(input(good_answer_then(hex, room)));
        CHECK_STATE("REQUESTING");
        CHECK_EQ(t.client.lease.root_path_len, sizeof TEST_ROOT_PATH - 1);
    }
}

static void ipxe_12fd76759_a_packet_shorter_than_its_header(void) {
    for (size_t i = 0; i < LB_COUNT(listening); i++) {
        uint8_t room[LB_DHCP4_PACKET_MAX];
        reach(listening[i]);
        struct lb_bytes whole = good_answer_then("ff", room);
        for (size_t len = 0; len < LB_DHCP4_FIXED_BYTES; len++)
            CHECK(!input(lb_bytes(whole.p, len)));
        CHECK_EQ(t.client.state, listening[i]);
        CHECK(input(whole));
    }
}

/* What is cut is left out, with all parts of the same option; the rest of the message counts. */
static void ipxe_36c25549c_options_past_the_end_of_the_packet(void) {
    static const struct {
        const char *hex;
        uint8_t code;
    } bad[] = {{"11", 17}, {"11ff", 17},        {"1102 61", 17},  {"2b05 01020304", 43},
               {"36", 54}, {"3604 c00002", 54}, {"0f20 6578", 15}};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        uint8_t room[LB_DHCP4_PACKET_MAX];
        start((struct lb_dhcp4_config){0});
        CHECK(input(good_answer_then(bad[i].hex, room)));
        CHECK_EQ(t.client.offer_count, 1);
        const struct lb_dhcp4_lease *offer = &t.client.offers[0];
        CHECK_EQ(offer->left_out_count, 1);
        CHECK_EQ(offer->left_out[0], bad[i].code);
        CHECK_EQ(offer->root_path_len, bad[i].code == 17 ? 0 : sizeof TEST_ROOT_PATH - 1);
        CHECK_ADDR(offer->server, "192.0.2.1");
        CHECK_EQ(offer->no_server_id, bad[i].code == 54);
        CHECK_EQ(offer->vendor_specific_len, 0);
    }
}

static void cve_2023_45230_a_server_identifier_of_any_length(void) {
    /* It is echoed in the REQUEST: only one of four bytes may be. Else the sender is meant. */
    for (unsigned len = 0; len <= 255; len++) {
        uint8_t options[2 + 255] = {LB_OPT_SERVER_ID, (uint8_t)len};
        memset(options + 2, 0xc0, len);
        start((struct lb_dhcp4_config){0});
        CHECK(GIVE(LB_DHCP4_OFFER, .no_server_id = true, .options = lb_bytes(options, 2 + len),
                   ISCSI));
        CHECK_STR(sent_addr(LB_OPT_SERVER_ID), len == 4 ? "192.192.192.192" : "192.0.2.1");
        CHECK_EQ(t.client.lease.left_out_count, len != 4);
    }
    /* Two of them are one of eight bytes (RFC 3396): none. */
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, .options = tap_hex("3604 c0000202"), ISCSI));
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
}

static void cve_2023_45234_dns_servers_of_any_length(void) {
    for (unsigned len = 0; len <= 255; len++) {
        uint8_t options[2 + 255] = {LB_OPT_DNS, (uint8_t)len};
        memset(options + 2, 0x0a, len);
        start((struct lb_dhcp4_config){0});
        CHECK(GIVE(LB_DHCP4_OFFER, .options = lb_bytes(options, 2 + len), ISCSI));
        size_t count = len % 4 == 0 ? LB_MIN(len / 4, LB_DNS_MAX) : 0;
        CHECK_EQ(t.client.lease.dns_count, count);
    }
}

static void cve_2023_45232_a_walk_that_never_ends(void) {
    /* As many options as fit, of no length: the walk is as long as the packet. */
    uint8_t room[LB_DHCP4_PACKET_MAX];
    start((struct lb_dhcp4_config){0});
    struct lb_bytes whole = good_answer_then("ff", room);
    size_t at = whole.len - 1;
    for (; at + 2 <= sizeof room; at += 2) {
        room[at] = 250;
        room[at + 1] = 0;
    }
    CHECK(input(lb_bytes(room, at)));
    CHECK_STATE("REQUESTING");
}

static void cve_2023_45237_transaction_numbers_that_can_be_guessed(void) {
    /* Each transaction has its own, and none follows from the one before. */
    uint32_t xids[32], differences[32] = {0};
    reach_bound((struct made){.lease_s = 8000});
    for (size_t i = 0; i < LB_COUNT(xids); i++) {
        lb_dhcp4_client_link_up(&t.client, t.now);
        run();
        xids[i] = t.client.xid;
        for (size_t j = 0; j < i; j++)
            CHECK(xids[j] != xids[i]);
        differences[i] = i ? xids[i] - xids[i - 1] : 0;
        for (size_t j = 1; j < i; j++)
            CHECK(differences[j] != differences[i]);
    }
}

static void open_iscsi_59ede2c_a_prefix_that_is_none(void) {
    static const char *const bad[] = {"7905 21c0000201", "7905 ffc0000201", "7906 80c0000201c0",
                                      "7905 00c0000201 7901 21"};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        start((struct lb_dhcp4_config){0});
        CHECK(GIVE(LB_DHCP4_OFFER, .options = tap_hex(bad[i]), ISCSI));
        CHECK_EQ(t.client.lease.route_count, 0);
        CHECK_EQ(t.client.lease.address.len, 24);
    }
}

static void cve_2026_44943_names_that_write_into_logs_and_files(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI,
               .options = tap_hex("0c0a 2e2e2f2e2e2f6574632f 0f03 610a62 cb05 61 1b 5b 32 4a"
                                  "430a 612e6566690a78 3d31 00 4204 3b 0d 72 6d")));
    CHECK_STR(t.client.lease.hostname, "");
    CHECK_STR(t.client.lease.domain, "");
    CHECK_STR(t.client.lease.initiator, "");
    CHECK_STR(t.client.lease.bootfile, "");
    CHECK_STR(t.client.lease.tftp_server, "");
}

static void cve_2026_18724_names_longer_than_any_room(void) {
    static uint8_t options[1100];
    size_t len = 0;
    for (unsigned i = 0; i < 4; i++) { /* a host name of 1020 bytes */
        options[len] = LB_OPT_HOSTNAME;
        options[len + 1] = 255;
        memset(options + len + 2, 'a', 255);
        len += 257;
    }
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI, .options = lb_bytes(options, len)));
    CHECK_STR(t.client.lease.hostname, "");
}

static void a_flood_of_foreign_answers_neither_fills_nor_delays_anything(void) {
    start((struct lb_dhcp4_config){0});
    uint64_t until = t.until;
    for (unsigned i = 0; i < 5000; i++)
        CHECK(!GIVE(LB_DHCP4_OFFER, .xid = t.client.xid ^ (i + 1), ISCSI));
    CHECK_EQ(t.until, until);
    CHECK_EQ(t.client.ignored, 5000);
    CHECK_EQ(seen.sends, 1);
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
}

int main(void) {
    TEST(cve_2026_18728_a_length_that_underflows);
    TEST(ipxe_12fd76759_a_packet_shorter_than_its_header);
    TEST(ipxe_36c25549c_options_past_the_end_of_the_packet);
    TEST(cve_2023_45230_a_server_identifier_of_any_length);
    TEST(cve_2023_45234_dns_servers_of_any_length);
    TEST(cve_2023_45232_a_walk_that_never_ends);
    TEST(cve_2023_45237_transaction_numbers_that_can_be_guessed);
    TEST(open_iscsi_59ede2c_a_prefix_that_is_none);
    TEST(cve_2026_44943_names_that_write_into_logs_and_files);
    TEST(cve_2026_18724_names_longer_than_any_room);
    TEST(a_flood_of_foreign_answers_neither_fills_nor_delays_anything);
    return tap_done();
}
