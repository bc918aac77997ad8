/* The table, byte by byte against vectors made by another program with the rules of Linux. */
#include "core/ibft/ibft.h"
#include "tests/tap.h"

static struct lb_addr addr(const char *text) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &addr));
    return addr;
}

#define TEXT(field, text) lb_format((field), sizeof(field), "%s", (text))

/* tests/vectors/ibft-v4-mutual.hex */
static const char v4_mutual[] = "69424654af010000018e4558414d504c 52464334313733200000000000000000"
                                "00000000000000000000000000000000 01011200000000004800980000010000"
                                "000000000000000002014a0000030000 00000000000000000000000000000000"
                                "00000000000000000000000000000000 00000000000000000000000000000000"
                                "00000000000000000000000000002500 38010000000000000301660000070000"
                                "0000000000000000ffffc00002641803 00000000000000000000ffffc0000201"
                                "00000000000000000000ffffc0000235 00000000000000000000000000000000"
                                "00000000000000000000ffffc0000202 0000020000000001180005005e010000"
                                "04013600000300000000000000000000 ffffc0000203bc0c0000000000000000"
                                "02001c00640105008101100087010500 980110009e01000069716e2e31393938"
                                "2d30332e636f6d2e6578616d706c653a 686f737469642e303435613762006e6f"
                                "6465310069716e2e323030312d30342e 636f6d2e6578616d706c653a6469736b"
                                "00757365723100626f6f742d73656372 65742d30313233006469736b31007461"
                                "726765742d7365637265742d303100";

/* tests/vectors/ibft-v6-none.hex */
static const char v6_none[] = "694246548101000001384558414d504c 52464334313733200000000000000000"
                              "00000000000000000000000000000000 01011200000000004800980000010000"
                              "000000000000000002014a0000030000 00000000000000000000000000000000"
                              "00000000000000000000000000000000 00000000000000000000000000000000"
                              "00000000000000000000000000002500 38010000000000000301660000072001"
                              "0db80000000000000000000000104003 fe800000000000000000000000000001"
                              "20010db8000000000000000000000053 00000000000000000000000000000000"
                              "fe800000000000000000000000000002 0000020000000001180005005e010000"
                              "04013600000320010db8000000000000 000000000003bc0c0000000000000000"
                              "00001c00640100000000000000000000 000000000000000069716e2e31393938"
                              "2d30332e636f6d2e6578616d706c653a 686f737469642e303435613762006e6f"
                              "6465310069716e2e323030312d30342e 636f6d2e6578616d706c653a6469736b"
                              "00";

static void fill_common(struct lb_ibft *ibft) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    *ibft = (struct lb_ibft){.nic_count = 1, .target_count = 1};
    TEXT(ibft->oem_id, "EXAMPL");
    TEXT(ibft->oem_table_id, "RFC4173 ");
    TEXT(ibft->initiator, "iqn.1998-03.com.example:hostid.045a7b");
    struct lb_ibft_nic *nic = &ibft->nics[0];
    memcpy(nic->mac, mac, sizeof mac);
    nic->origin = LB_IBFT_DHCP;
    nic->pci = 0x0018;
    TEXT(nic->hostname, "node1");
    ibft->targets[0].portal.port = 3260;
    TEXT(ibft->targets[0].name, "iqn.2001-04.com.example:disk");
}

static void fill_v4(struct lb_ibft *ibft) {
    fill_common(ibft);
    struct lb_ibft_nic *nic = &ibft->nics[0];
    struct lb_ibft_target *target = &ibft->targets[0];
    nic->address = addr("192.0.2.100");
    nic->prefix_len = 24;
    nic->gateway = addr("192.0.2.1");
    nic->dns[0] = addr("192.0.2.53");
    nic->dhcp = addr("192.0.2.2");
    target->portal.addr = addr("192.0.2.3");
    target->chap = LB_IBFT_MUTUAL;
    TEXT(target->chap_name, "user1");
    memcpy(target->chap_secret, "boot-secret-0123", 16);
    target->chap_secret_len = 16;
    TEXT(target->reverse_name, "disk1");
    memcpy(target->reverse_secret, "target-secret-01", 16);
    target->reverse_secret_len = 16;
}

static struct lb_bytes encode(const struct lb_ibft *ibft) {
    static uint8_t room[LB_IBFT_MAX];
    size_t len = 0;
    CHECK(lb_ibft_encode(ibft, lb_span(room, sizeof room), &len));
    return lb_bytes(room, len);
}

static void ipv4_with_mutual_chap_is_the_vector(void) {
    struct lb_ibft ibft;
    fill_v4(&ibft);
    CHECK_BYTES(encode(&ibft), tap_hex(v4_mutual));
}

static void ipv6_without_chap_is_the_vector(void) {
    struct lb_ibft ibft;
    fill_common(&ibft);
    struct lb_ibft_nic *nic = &ibft.nics[0];
    nic->address = addr("2001:db8::10");
    nic->prefix_len = 64;
    nic->gateway = addr("fe80::1");
    nic->dns[0] = addr("2001:db8::53");
    nic->dhcp = addr("fe80::2");
    ibft.targets[0].portal.addr = addr("2001:db8::3");
    CHECK_BYTES(encode(&ibft), tap_hex(v6_none));
}

static void what_is_encoded_is_decoded(void) {
    struct lb_ibft ibft, back = {0};
    fill_v4(&ibft);
    ibft.nics[0].vlan = 42;
    CHECK(lb_ibft_decode(encode(&ibft), &back));
    CHECK_STR(back.initiator, ibft.initiator);
    CHECK_STR(back.nics[0].hostname, "node1");
    CHECK_EQ(back.nics[0].vlan, 42);
    CHECK(lb_addr_equal(back.nics[0].gateway, ibft.nics[0].gateway));
    CHECK(!lb_addr_is_set(back.nics[0].dns[1]));
    CHECK_EQ(back.targets[0].portal.port, 3260);
    CHECK_EQ(back.targets[0].chap, LB_IBFT_MUTUAL);
    CHECK_BYTES(lb_bytes(back.targets[0].reverse_secret, back.targets[0].reverse_secret_len),
                lb_bytes_of_text("target-secret-01"));
}

/* Bytes 6 to 37 of the structure at 72: as Linux's sysfs reads them. */
static void the_servers_of_discovery_stand_in_the_initiator_structure(void) {
    struct lb_ibft ibft, back = {0};
    fill_v4(&ibft);
    ibft.isns = addr("192.0.2.9");
    ibft.slp = addr("2001:db8::20");
    struct lb_bytes table = encode(&ibft);
    CHECK_BYTES(lb_bytes(table.p + 78, 16), tap_hex("00000000000000000000ffffc0000209"));
    CHECK_BYTES(lb_bytes(table.p + 94, 16), tap_hex("20010db8000000000000000000000020"));
    CHECK(lb_ibft_decode(table, &back));
    CHECK(lb_addr_equal(back.isns, ibft.isns));
    CHECK(lb_addr_equal(back.slp, ibft.slp));
}

static void a_second_pair_is_valid_and_not_selected(void) {
    struct lb_ibft ibft, back = {0};
    fill_v4(&ibft);
    ibft.nic_count = ibft.target_count = 2;
    ibft.nics[1] = ibft.nics[0];
    ibft.targets[1] = ibft.targets[0];
    ibft.targets[1].nic = 1;
    struct lb_bytes table = encode(&ibft);
    CHECK_EQ(table.p[152 + 5], 7); /* NIC 0: valid, selected, global */
    CHECK_EQ(table.p[256 + 5], 3);
    CHECK_EQ(table.p[312 + 4], 1); /* NIC 1: index 1 */
    CHECK_EQ(table.p[312 + 5], 5);
    CHECK_EQ(table.p[416 + 5], 1);
    CHECK(lb_ibft_decode(table, &back));
    CHECK_EQ(back.nic_count, 2);
    CHECK_EQ(back.target_count, 2);
    CHECK(lb_ibft_nic_of(&back, &back.targets[0]) == &back.nics[0]);
    CHECK(lb_ibft_nic_of(&back, &back.targets[1]) == &back.nics[1]);
    CHECK(lb_ibft_boot_target(&back) == &back.targets[0]);
    back.targets[0].is_selected = false;
    back.targets[1].is_selected = true;
    CHECK(lb_ibft_boot_target(&back) == &back.targets[1]);
    back.targets[1].is_selected = false;
    CHECK(lb_ibft_boot_target(&back) == NULL);
}

static void secrets_stand_only_in_tables_that_say_so(void) {
    struct lb_ibft ibft;
    fill_v4(&ibft);
    ibft.targets[0].chap = LB_IBFT_CHAP;
    struct lb_bytes table = encode(&ibft);
    bool found = false;
    for (size_t i = 0; i + 16 <= table.len; i++)
        found = found || memcmp(table.p + i, "target-secret-01", 16) == 0;
    CHECK(!found);
}

/* ---- IPsec ---- */

static void fill_ipsec(struct lb_ibft *ibft) {
    fill_v4(ibft);
    ibft->ipsec.is_there = ibft->ipsec.is_transport = true;
    memcpy(ibft->ipsec.psk, "a secret\0of bytes", 17);
    ibft->ipsec.psk_len = 17;
    TEXT(ibft->ipsec.id, "client.example");
    TEXT(ibft->ipsec.peer_id, "server.example");
}

/* The structure is at 312, where the vector has its strings; its length, kind and mode. */
static void ipsec_stands_in_an_extension_of_its_own(void) {
    struct lb_ibft ibft, back = {0};
    fill_ipsec(&ibft);
    struct lb_bytes table = encode(&ibft);
    CHECK_BYTES(lb_bytes(table.p + 54, 4), tap_hex("38014800")); /* extensions, initiator */
    CHECK_BYTES(lb_bytes(table.p + 312, 18), tap_hex("05011c0000014c554e4950534543010011 00"));
    CHECK(lb_ibft_decode(table, &back));
    CHECK(back.ipsec.is_there && back.ipsec.is_transport);
    CHECK_BYTES(lb_bytes(back.ipsec.psk, back.ipsec.psk_len),
                lb_bytes((const uint8_t *)"a secret\0of bytes", 17));
    CHECK_STR(back.ipsec.id, "client.example");
    CHECK_STR(back.ipsec.peer_id, "server.example");
    CHECK_STR(back.targets[0].reverse_name, "disk1");
    ibft.ipsec.is_transport = false;
    CHECK(lb_ibft_decode(encode(&ibft), &back) && back.ipsec.is_there && !back.ipsec.is_transport);
    ibft.ipsec.is_there = false;
    CHECK(lb_ibft_decode(encode(&ibft), &back) && !back.ipsec.is_there);
    CHECK_EQ(back.ipsec.psk_len, 0);
}

/* Of the last byte it has: it makes the sum zero again. */
static struct lb_bytes with_byte(struct lb_bytes table, size_t at, uint8_t byte) {
    static uint8_t changed[LB_IBFT_MAX];
    memcpy(changed, table.p, table.len);
    changed[9] = (uint8_t)(changed[9] + changed[at] - byte);
    changed[at] = byte;
    return lb_bytes(changed, table.len);
}

static void half_of_an_ipsec_extension_makes_the_table_bad(void) {
    struct lb_ibft ibft, back = {0};
    fill_ipsec(&ibft);
    struct lb_bytes table = encode(&ibft);
    CHECK(lb_ibft_decode(with_byte(table, 312 + 14, 0), &back) && !back.ipsec.is_transport);
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 14, 3), &back));    /* no mode */
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 2, 27), &back));    /* another length */
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 16, 129), &back));  /* the key is too long */
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 23, 0x20), &back)); /* an offset behind the end */
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 25, 1), &back));    /* a name is too long */
}

static void fill_policy(struct lb_ibft *ibft) {
    ibft->policy.is_there = true;
    TEXT(ibft->policy.require, "data-digest,address");
    TEXT(ibft->policy.allow_server, "192.0.2.1,192.0.2.0/24");
    TEXT(ibft->policy.allow_target, "iqn.2026-11.test:*");
}

static void check_policy(const struct lb_ibft *back) {
    CHECK(back->policy.is_there);
    CHECK_STR(back->policy.require, "data-digest,address");
    CHECK_STR(back->policy.allow_server, "192.0.2.1,192.0.2.0/24");
    CHECK_STR(back->policy.allow_target, "iqn.2026-11.test:*");
}

/* A reader of version 0.1.0 finds 40 bytes where 28 must be, and refuses the table. */
static void a_policy_makes_the_extension_longer(void) {
    struct lb_ibft ibft, back = {0};
    fill_ipsec(&ibft);
    fill_policy(&ibft);
    struct lb_bytes table = encode(&ibft);
    CHECK_BYTES(lb_bytes(table.p + 312, 16), tap_hex("05012800 0001 4c554e4950534543 0100"));
    CHECK(lb_ibft_decode(table, &back));
    CHECK(back.ipsec.is_there && back.ipsec.is_transport);
    CHECK_STR(back.ipsec.peer_id, "server.example");
    check_policy(&back);
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 29, 1), &back)); /* a list is too long */
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 2, 39), &back));
}

static void a_policy_needs_no_ipsec(void) {
    struct lb_ibft ibft, back = {0};
    fill_v4(&ibft);
    fill_policy(&ibft);
    struct lb_bytes table = encode(&ibft);
    CHECK_BYTES(lb_bytes(table.p + 312, 18), tap_hex("05012800 0001 4c554e4950534543 0200 0000"));
    CHECK(lb_ibft_decode(table, &back) && !back.ipsec.is_there);
    check_policy(&back);
    CHECK(!lb_ibft_decode(with_byte(table, 312 + 14, 3), &back)); /* no mode */
    fill_v4(&ibft);
    CHECK(lb_ibft_decode(encode(&ibft), &back) && !back.policy.is_there);
}

static void extensions_of_others_are_passed_over(void) {
    struct lb_ibft ibft, back = {0};
    fill_ipsec(&ibft);
    struct lb_bytes table = encode(&ibft);
    CHECK(lb_ibft_decode(with_byte(table, 312, 6), &back) && !back.ipsec.is_there);
    CHECK(lb_ibft_decode(with_byte(table, 312 + 6, 'X'), &back) && !back.ipsec.is_there);
    CHECK(lb_ibft_decode(with_byte(table, 55, 0x7f), &back) && !back.ipsec.is_there);
}

static void every_truncation_and_every_changed_byte_is_refused(void) {
    struct lb_ibft back;
    struct lb_bytes table = tap_hex(v4_mutual);
    uint8_t changed[512];
    for (size_t len = 0; len < table.len; len++)
        CHECK(!lb_ibft_decode(lb_bytes(table.p, len), &back));
    for (size_t i = 0; i < table.len; i++) {
        memcpy(changed, table.p, table.len);
        changed[i] ^= 0x55;
        CHECK(!lb_ibft_decode(lb_bytes(changed, table.len), &back));
    }
}

static void what_is_incomplete_is_not_encoded(void) {
    struct lb_ibft ibft;
    uint8_t room[LB_IBFT_MAX];
    size_t len = 7;
    fill_v4(&ibft);
    ibft.initiator[0] = '\0';
    CHECK(!lb_ibft_encode(&ibft, lb_span(room, sizeof room), &len));
    fill_v4(&ibft);
    ibft.targets[0].portal.addr = (struct lb_addr){.family = LB_FAMILY_NONE};
    CHECK(!lb_ibft_encode(&ibft, lb_span(room, sizeof room), &len));
    fill_v4(&ibft);
    ibft.targets[0].nic = 1;
    CHECK(!lb_ibft_encode(&ibft, lb_span(room, sizeof room), &len));
    fill_v4(&ibft);
    CHECK(!lb_ibft_encode(&ibft, lb_span(room, 400), &len));
    CHECK_EQ(len, 7);
}

/* ---- tables of others ----------------------------------------------------------------------- */

/* The vector with bytes changed, and its checksum made right again. */
static bool decode_changed(const char *vector, const size_t *places, const uint8_t *values,
                           size_t count, struct lb_ibft *back) {
    static uint8_t table[1024];
    struct lb_bytes from = tap_hex(vector);
    uint8_t sum = 0;
    memcpy(table, from.p, from.len);
    for (size_t i = 0; i < count; i++)
        table[places[i]] = values[i];
    table[9] = 0;
    for (size_t i = 0; i < from.len; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0x100 - sum);
    return lb_ibft_decode(lb_bytes(table, from.len), back);
}

enum { NIC_INDEX = 156, NIC_FLAGS = 157, TARGET_FLAGS = 261, TARGET_NIC = 256 + 33 };

/* A firmware that booted from its second port: NIC and target of pair 1, and pair 0 left out. */
static void a_nic_is_found_by_its_own_index(void) {
    static const size_t places[] = {NIC_INDEX, TARGET_NIC};
    static const uint8_t second[] = {1, 1};
    struct lb_ibft back = {0};
    CHECK(decode_changed(v4_mutual, places, second, 2, &back));
    const struct lb_ibft_nic *nic = lb_ibft_nic_of(&back, &back.targets[0]);
    if (CHECK(nic != NULL))
        CHECK_EQ(nic->mac[5], 1);
}

static void for_a_nic_that_is_not_there_the_selected_or_only_one_is_taken(void) {
    static const size_t place[] = {TARGET_NIC};
    static const uint8_t wrong[] = {1, 2, 3, 110, 200, 255};
    for (size_t i = 0; i < sizeof wrong; i++) {
        struct lb_ibft back = {0};
        CHECK(decode_changed(v4_mutual, place, &wrong[i], 1, &back));
        CHECK(lb_ibft_nic_of(&back, &back.targets[0]) == &back.nics[0]);
        back.nics[0].is_selected = false; /* the only one */
        CHECK(lb_ibft_nic_of(&back, &back.targets[0]) == &back.nics[0]);
        back.nic_count = 2;
        back.nics[1] = back.nics[0];
        CHECK(lb_ibft_nic_of(&back, &back.targets[0]) == NULL);
        back.nics[1].is_selected = true;
        CHECK(lb_ibft_nic_of(&back, &back.targets[0]) == &back.nics[1]);
    }
}

/* Some firmware sets the flag `selected` alone: open-iscsi takes either. */
static void what_is_flagged_neither_valid_nor_selected_is_left_out(void) {
    static const size_t nic[] = {NIC_FLAGS}, target[] = {TARGET_FLAGS};
    struct lb_ibft back = {0};
    CHECK(decode_changed(v4_mutual, nic, (const uint8_t[]){2}, 1, &back));
    CHECK_EQ(back.nic_count, 1);
    CHECK(decode_changed(v4_mutual, nic, (const uint8_t[]){0xfc}, 1, &back));
    CHECK_EQ(back.nic_count, 0);
    CHECK_EQ(back.target_count, 1);
    CHECK(decode_changed(v4_mutual, target, (const uint8_t[]){2}, 1, &back));
    CHECK_EQ(back.target_count, 1);
    CHECK(lb_ibft_boot_target(&back) != NULL);
    CHECK(decode_changed(v4_mutual, target, (const uint8_t[]){0}, 1, &back));
    CHECK_EQ(back.target_count, 0);
    CHECK(lb_ibft_boot_target(&back) == NULL);
}

/* What does not matter for the disk, or is another version's, as Linux passes it over. */
static const struct {
    const char *what;
    size_t at[4];
    uint8_t byte[4];
    size_t count;
    bool is_read;
    size_t nics, targets;
} odd_tables[] = {
    {"the initiator has no flags", {77}, {0}, 1, true, 1, 1},
    {"the NIC is longer", {154}, {104}, 1, true, 1, 1},
    {"the NIC is shorter", {154}, {101}, 1, true, 0, 1},
    {"the target is longer", {258}, {60}, 1, true, 1, 1},
    {"the target is shorter", {258}, {53}, 1, true, 1, 0},
    {"the initiator is longer", {74}, {80}, 1, true, 1, 1},
    {"the initiator is shorter", {74}, {73}, 1, false, 0, 0},
    {"the second NIC is beyond the table", {62, 63}, {0xff, 0xff}, 2, true, 1, 1},
    {"the second target is beyond the table", {64, 65}, {0xf0, 0x7f}, 2, true, 1, 1},
    {"the first NIC is beyond the table", {58, 59}, {0xff, 0xff}, 2, true, 0, 1},
    {"the second NIC is of an unknown kind", {62, 63}, {48, 0}, 2, true, 1, 1},
    {"the host name is beyond the table", {252, 253}, {0xff, 0xff}, 2, true, 1, 1},
    {"the host name is too long", {251}, {0x7f}, 1, true, 1, 1},
    {"the target's name is beyond the table", {292, 293}, {0xff, 0xff}, 2, false, 0, 0},
    {"the secret is beyond the table", {300, 301}, {0xff, 0xff}, 2, false, 0, 0},
    {"the host name's length has its NUL", {250}, {6}, 1, true, 1, 1},
    {"the target's name's length has its NUL", {290}, {29}, 1, true, 1, 1},
    {"the secret's length has its NUL", {298}, {17}, 1, true, 1, 1},
    {"the initiator's name's length has its NUL", {142}, {38}, 1, true, 1, 1},
};

static void odd_tables_are_read_as_linux_does(void) {
    for (size_t i = 0; i < LB_COUNT(odd_tables); i++) {
        struct lb_ibft back = {0};
        bool is_read = decode_changed(v4_mutual, odd_tables[i].at, odd_tables[i].byte,
                                      odd_tables[i].count, &back);
        if (!CHECK_EQ(is_read, odd_tables[i].is_read) ||
            !CHECK_EQ(back.nic_count, odd_tables[i].nics) ||
            !CHECK_EQ(back.target_count, odd_tables[i].targets))
            tap_note("%s", odd_tables[i].what);
        if (back.target_count == 0)
            continue;
        CHECK_STR(back.initiator, "iqn.1998-03.com.example:hostid.045a7b");
        CHECK_STR(back.targets[0].name, "iqn.2001-04.com.example:disk");
        CHECK_BYTES(lb_bytes(back.targets[0].chap_secret, back.targets[0].chap_secret_len),
                    lb_bytes_of_text("boot-secret-0123"));
    }
}

/* The NUL at the end of binary secrets is theirs. */
static void a_binary_secret_may_end_in_nul(void) {
    struct lb_ibft ibft, back = {0};
    fill_v4(&ibft);
    memcpy(ibft.targets[0].chap_secret,
           "\x80"
           "234567890abcd\0",
           15);
    ibft.targets[0].chap_secret_len = 15;
    struct lb_bytes encoded = encode(&ibft);
    CHECK(lb_ibft_decode(encoded, &back));
    CHECK_EQ(back.targets[0].chap_secret_len, 15);
}

static void the_boot_selected_target_is_taken_and_no_other(void) {
    static const size_t flags[] = {TARGET_FLAGS};
    static const uint8_t valid_alone[] = {1};
    struct lb_ibft ibft, back = {0};
    CHECK(decode_changed(v4_mutual, flags, valid_alone, 1, &back));
    CHECK(lb_ibft_boot_target(&back) == NULL);
    fill_v4(&ibft);
    ibft.nic_count = ibft.target_count = 2;
    ibft.nics[1] = ibft.nics[0];
    ibft.targets[1] = ibft.targets[0];
    ibft.targets[1].nic = 1;
    struct lb_bytes encoded = encode(&ibft);
    uint8_t table[LB_IBFT_MAX];
    memcpy(table, encoded.p, encoded.len);
    table[256 + 5] = 1; /* the selection moves to the second: the checksum stays */
    table[416 + 5] = 3;
    CHECK(lb_ibft_decode(lb_bytes(table, encoded.len), &back));
    const struct lb_ibft_target *target = lb_ibft_boot_target(&back);
    if (CHECK(target != NULL))
        CHECK_EQ(target->index, 1);
}

/* The control structure of three pairs has 26 bytes; there is room for it behind the strings. */
static void more_than_two_pairs_are_read(void) {
    struct lb_bytes from = tap_hex(v4_mutual);
    uint8_t table[1024] = {0}, sum = 0;
    struct lb_ibft back = {0};
    size_t len = from.len + 200;
    memcpy(table, from.p, from.len);
    table[50] = 22; /* one more pair: 66 to 69, before the initiator at 72 */
    table[66] = 0x98;
    table[68] = 0x00;
    table[69] = 0x01;
    table[4] = (uint8_t)len;
    table[5] = (uint8_t)(len >> 8);
    table[9] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0x100 - sum);
    CHECK(lb_ibft_decode(lb_bytes(table, len), &back));
    CHECK_EQ(back.nic_count, 2);
    CHECK_EQ(back.target_count, 2);
}

static void all_three_signatures_of_linux_are_tables(void) {
    static const size_t places[] = {0, 1};
    struct lb_ibft back = {0};
    CHECK(decode_changed(v4_mutual, places, (const uint8_t[]){'I', 'B'}, 2, &back));
    CHECK(decode_changed(v4_mutual, places, (const uint8_t[]){'B', 'I'}, 2, &back));
    CHECK(!decode_changed(v4_mutual, places, (const uint8_t[]){'x', 'B'}, 2, &back));
}

int main(void) {
    TEST(ipv4_with_mutual_chap_is_the_vector);
    TEST(ipv6_without_chap_is_the_vector);
    TEST(what_is_encoded_is_decoded);
    TEST(the_servers_of_discovery_stand_in_the_initiator_structure);
    TEST(a_second_pair_is_valid_and_not_selected);
    TEST(secrets_stand_only_in_tables_that_say_so);
    TEST(ipsec_stands_in_an_extension_of_its_own);
    TEST(half_of_an_ipsec_extension_makes_the_table_bad);
    TEST(a_policy_makes_the_extension_longer);
    TEST(a_policy_needs_no_ipsec);
    TEST(extensions_of_others_are_passed_over);
    TEST(every_truncation_and_every_changed_byte_is_refused);
    TEST(what_is_incomplete_is_not_encoded);
    TEST(a_nic_is_found_by_its_own_index);
    TEST(for_a_nic_that_is_not_there_the_selected_or_only_one_is_taken);
    TEST(what_is_flagged_neither_valid_nor_selected_is_left_out);
    TEST(odd_tables_are_read_as_linux_does);
    TEST(a_binary_secret_may_end_in_nul);
    TEST(the_boot_selected_target_is_taken_and_no_other);
    TEST(more_than_two_pairs_are_read);
    TEST(all_three_signatures_of_linux_are_tables);
    return tap_done();
}
