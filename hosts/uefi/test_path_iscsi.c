/* The iSCSI device path, byte by byte after UEFI 2.10 10.3.4. */
#include "hosts/uefi/path_iscsi.h"
#include "tests/tap.h"

static const struct lb_rootpath target = {.target = "iqn.2026-11.test:a", .lun = {0, 10}};

static struct lb_bytes put(struct lb_endpoint peer, struct local_end end,
                           struct lb_initiator_agreed agreed) {
    static uint8_t room[PATH_ISCSI_BYTES_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    path_iscsi_put(&wr, peer, &end, &target, &agreed);
    CHECK(lb_wr_ok(&wr));
    return lb_wr_done(&wr);
}

static void an_ipv4_session_is_an_ipv4_node_and_an_iscsi_node(void) {
    struct lb_bytes path =
        put((struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 3260},
            (struct local_end){.addr = lb_addr_v4(192, 0, 2, 100), .origin = LOCAL_DHCP},
            (struct lb_initiator_agreed){.tpgt = 2});
    CHECK_BYTES(path, tap_hex("03 0c 1b00  c0000264 c0000201 0000 bc0c 0600 00 00000000 00000000"
                              "03 13 2500  0000 0008  000a000000000000 0200" /* no authentication */
                              "69716e2e323032362d31312e746573743a6100"));
}

static void a_static_address_and_digests_are_said(void) {
    struct lb_bytes path =
        put((struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 860},
            (struct local_end){.addr = lb_addr_v4(192, 0, 2, 9), .origin = LOCAL_MANUAL},
            (struct lb_initiator_agreed){.header_digest = true, .data_digest = true});
    CHECK_BYTES(lb_bytes(path.p, 35),
                tap_hex("03 0c 1b00  c0000209 c0000201 0000 5c03 0600 01 00000000 00000000"
                        "03 13 2500  0000 0a08"));
}

static uint16_t options_of(struct lb_initiator_agreed agreed) {
    struct lb_bytes path = put((struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 3260},
                               (struct local_end){.addr = lb_addr_v4(192, 0, 2, 9)}, agreed);
    return (uint16_t)(path.p[33] | path.p[34] << 8);
}

static void chap_is_told_in_both_its_kinds(void) {
    CHECK_EQ(options_of((struct lb_initiator_agreed){.chap = true}), 0x1000);
    CHECK_EQ(options_of((struct lb_initiator_agreed){.chap = true, .mutual = true}), 0);
    CHECK_EQ(options_of((struct lb_initiator_agreed){.chap = false}), 0x0800);
}

static void an_ipv6_session_says_where_its_address_is_from(void) {
    static const uint8_t here[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};
    static const uint8_t there[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    static const uint8_t codes[] = {[LOCAL_MANUAL] = 0, [LOCAL_ROUTER] = 1, [LOCAL_DHCP] = 2};
    struct lb_endpoint peer = {lb_addr_v6_bytes(there), 3260};
    for (unsigned origin = LOCAL_MANUAL; origin <= LOCAL_ROUTER; origin++) {
        struct local_end end = {
            .addr = lb_addr_v6_bytes(here), .prefix_len = 64, .origin = (enum local_origin)origin};
        struct lb_bytes path = put(peer, end, (struct lb_initiator_agreed){.tpgt = 1});
        CHECK_BYTES(lb_bytes(path.p, 42),
                    tap_hex("03 0d 3c00  20010db8000000000000000000000009"
                            "20010db8000000000000000000000001 0000 bc0c 0600"));
        CHECK_EQ(path.p[42], codes[origin]);
        CHECK_EQ(path.p[43], 64);
        CHECK_BYTES(lb_bytes(path.p + 44, 20),
                    tap_hex("00000000000000000000000000000000 0313 2500"));
    }
}

static void the_longest_name_has_room(void) {
    struct lb_rootpath longest = target;
    uint8_t room[PATH_ISCSI_BYTES_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room - 4)); /* the end is the caller's */
    struct lb_endpoint peer = {.addr = {.family = LB_V6}};
    struct local_end end = {.addr = {.family = LB_V6}};
    struct lb_initiator_agreed agreed = {.tpgt = 1};
    memset(longest.target, 'a', LB_NAME_MAX);
    longest.target[LB_NAME_MAX] = 0;
    path_iscsi_put(&wr, peer, &end, &longest, &agreed);
    CHECK(lb_wr_ok(&wr));
    CHECK_EQ(lb_wr_done(&wr).len, sizeof room - 4);
}

int main(void) {
    TEST(an_ipv4_session_is_an_ipv4_node_and_an_iscsi_node);
    TEST(a_static_address_and_digests_are_said);
    TEST(chap_is_told_in_both_its_kinds);
    TEST(an_ipv6_session_says_where_its_address_is_from);
    TEST(the_longest_name_has_room);
    return tap_done();
}
