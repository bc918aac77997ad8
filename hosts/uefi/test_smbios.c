/* The SMBIOS tables of QEMU's q35 and of boards that say nothing. */
#include "hosts/uefi/smbios.h"
#include "tests/tap.h"

/* Type 0 with two strings, then type 1 with a UUID and one string, then the end. */
static const char tables[] = "00 18 0000 01 02 00e8 03 00 0800000000000000 0004 00 00 ffff"
                             "45444b49490030 2e3000 00" /* "EDKII", "0.0" */
                             "01 1b 0001 01 01 01 01"
                             "44454c4c 4200 104d 8054b3c04f593732 06 00 00"
                             "514500 00"
                             "7f 04 00fe 0000";

static bool walk(struct lb_bytes table, uint8_t uuid[16]) {
    memset(uuid, 0xaa, 16);
    return smbios_uuid(table, uuid);
}

static void the_uuid_is_that_of_its_text(void) {
    uint8_t uuid[16];
    CHECK(walk(tap_hex(tables), uuid));
    CHECK_BYTES(lb_bytes(uuid, 16), tap_hex("4c4c4544 0042 4d10 8054 b3c04f593732"));
}

static void every_truncation_gives_the_uuid_or_nothing(void) {
    struct lb_bytes table = tap_hex(tables);
    uint8_t uuid[16];
    for (size_t len = 0; len < table.len; len++) {
        if (!walk(lb_bytes(table.p, len), uuid))
            CHECK_EQ(uuid[0], 0xaa);
        else
            CHECK(len >= 37 + 24);
    }
}

static void a_board_that_was_never_told_has_none(void) {
    uint8_t table[24] = {1, 24}, uuid[16];
    CHECK(!walk(lb_bytes(table, sizeof table), uuid));
    memset(table + 8, 0xff, 16);
    CHECK(!walk(lb_bytes(table, sizeof table), uuid));
    table[8] = 0;
    CHECK(walk(lb_bytes(table, sizeof table), uuid));
}

static void a_structure_that_is_too_short_ends_the_walk(void) {
    static const uint8_t none[] = {0, 0, 0, 0, 0, 0}, three[] = {0, 3, 0, 0, 0, 0};
    static const uint8_t system_of_version_2_0[] = {1, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t uuid[16];
    CHECK(!walk(lb_bytes(none, sizeof none), uuid));
    CHECK(!walk(lb_bytes(three, sizeof three), uuid));
    CHECK(!walk(lb_bytes(system_of_version_2_0, sizeof system_of_version_2_0), uuid));
}

static void both_entry_points_name_their_place(void) {
    struct smbios_place place = {.len = 0};
    CHECK(smbios_place(tap_hex("5f534d335f 00 18 03 00 00 01 00 00100000 0000ff7e 01000000"),
                       &place));
    CHECK_EQ(place.len, 4096);
    CHECK_EQ(place.address, UINT64_C(0x17eff0000));
    CHECK(smbios_place(
        tap_hex("5f534d5f 00 1f 02 08 0000 00 0000000000 5f444d495f 00 6001 00000f00"), &place));
    CHECK_EQ(place.len, 0x160);
    CHECK_EQ(place.address, 0xf0000);
}

static void what_is_no_entry_point_names_none(void) {
    struct smbios_place place = {.len = 7};
    uint8_t zeros[31] = {0};
    CHECK(!smbios_place(lb_bytes(zeros, sizeof zeros), &place));
    CHECK(!smbios_place(tap_hex("5f534d335f 00 18"), &place));
    CHECK(!smbios_place(tap_hex("5f534d335f 00 18 03 00 00 01 00 00000000 0000ff7e 01000000"),
                        &place));
    CHECK_EQ(place.len, 7);
}

static void a_length_that_cannot_be_is_bounded(void) {
    struct smbios_place place;
    CHECK(smbios_place(tap_hex("5f534d335f 00 18 03 00 00 01 00 ffffffff 0000ff7e 01000000"),
                       &place));
    CHECK_EQ(place.len, SMBIOS_MAX);
}

/* Of four bytes, the header alone, and without strings. */
static void a_structure_of_a_header_alone_is_passed_over(void) {
    static const char before[] = "02 04 0000 0000";
    uint8_t room[200], uuid[16];
    struct lb_bytes rest = tap_hex(tables);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, tap_hex(before));
    lb_wr_bytes(&wr, rest);
    CHECK(walk(lb_wr_done(&wr), uuid));
    CHECK_EQ(uuid[0], 0x4c);
}

int main(void) {
    TEST(the_uuid_is_that_of_its_text);
    TEST(every_truncation_gives_the_uuid_or_nothing);
    TEST(a_board_that_was_never_told_has_none);
    TEST(a_structure_that_is_too_short_ends_the_walk);
    TEST(both_entry_points_name_their_place);
    TEST(what_is_no_entry_point_names_none);
    TEST(a_length_that_cannot_be_is_bounded);
    TEST(a_structure_of_a_header_alone_is_passed_over);
    return tap_done();
}
