#include "core/scsi/scsi.h"
#include "tests/tap.h"

/* ---- CDBs ---- */

static struct lb_bytes cdb_of(const uint8_t cdb[LB_SCSI_CDB_BYTES]) {
    return lb_bytes(cdb, LB_SCSI_CDB_BYTES);
}

static void a_read_uses_the_short_form_where_it_can(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    lb_scsi_cdb_read(cdb, 0xffffffff, 0xffff);
    CHECK_BYTES(cdb_of(cdb), tap_hex("28 00 ffffffff 00 ffff 00 000000000000"));
    lb_scsi_cdb_read(cdb, 0x100000000, 1);
    CHECK_BYTES(cdb_of(cdb), tap_hex("88 00 0000000100000000 00000001 00 00"));
    lb_scsi_cdb_read(cdb, 0, 0x10000);
    CHECK_BYTES(cdb_of(cdb), tap_hex("88 00 0000000000000000 00010000 00 00"));
}

static void a_write_can_go_through_the_cache(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    lb_scsi_cdb_write(cdb, 1, 2, false);
    CHECK_BYTES(cdb_of(cdb), tap_hex("2a 00 00000001 00 0002 00 000000000000"));
    lb_scsi_cdb_write(cdb, 0x123456789a, 2, true);
    CHECK_BYTES(cdb_of(cdb), tap_hex("8a 08 000000123456789a 00000002 00 00"));
}

static void the_inquiries_ask_for_what_they_have_room_for(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    lb_scsi_cdb_test_unit_ready(cdb);
    CHECK_BYTES(cdb_of(cdb), tap_hex("00000000000000000000000000000000"));
    lb_scsi_cdb_report_luns(cdb, 520);
    CHECK_BYTES(cdb_of(cdb), tap_hex("a0 00 00 000000 00000208 00 00 00000000"));
    lb_scsi_cdb_inquiry(cdb, 36);
    CHECK_BYTES(cdb_of(cdb), tap_hex("12 00 00 0024 00 00000000000000000000"));
    lb_scsi_cdb_vpd(cdb, 0x83, 512);
    CHECK_BYTES(cdb_of(cdb), tap_hex("12 01 83 0200 00 00000000000000000000"));
    lb_scsi_cdb_read_capacity_10(cdb);
    CHECK_BYTES(cdb_of(cdb), tap_hex("25 000000000000000000000000000000"));
    lb_scsi_cdb_read_capacity_16(cdb, 32);
    CHECK_BYTES(cdb_of(cdb), tap_hex("9e 10 0000000000000000 00000020 00 00"));
    lb_scsi_cdb_mode_sense_6(cdb, 0x3f, 192);
    CHECK_BYTES(cdb_of(cdb), tap_hex("1a 08 3f 00 c0 00 00000000000000000000"));
    lb_scsi_cdb_mode_sense_10(cdb, 0x08, 256);
    CHECK_BYTES(cdb_of(cdb), tap_hex("5a 08 08 00000000 0100 00 000000000000"));
    lb_scsi_cdb_start_unit(cdb, true);
    CHECK_BYTES(cdb_of(cdb), tap_hex("1b 000000 01 0000000000000000000000"));
    lb_scsi_cdb_synchronize_cache(cdb, false);
    CHECK_BYTES(cdb_of(cdb), tap_hex("35 000000000000000000000000000000"));
    lb_scsi_cdb_synchronize_cache(cdb, true);
    CHECK_BYTES(cdb_of(cdb), tap_hex("91 000000000000000000000000000000"));
}

/* ---- replies ---- */

/* Standard INQUIRY data of a disk as SPC-4 6.4.2 lays it out; the texts are tgt's. */
#define INQUIRY                                                                                    \
    "00 00 05 02 1f 00 00 02  49 45 54 20 20 20 20 20"                                             \
    "56 49 52 54 55 41 4c 2d 44 49 53 4b 20 20 20 20  30 30 30 31"

static void an_inquiry_names_the_device(void) {
    struct lb_scsi_inquiry inquiry;
    CHECK(lb_scsi_decode_inquiry(tap_hex(INQUIRY), &inquiry));
    CHECK_EQ(inquiry.qualifier, 0);
    CHECK_EQ(inquiry.type, 0);
    CHECK_STR(inquiry.vendor, "IET");
    CHECK_STR(inquiry.product, "VIRTUAL-DISK");
    CHECK_STR(inquiry.revision, "0001");
    CHECK(lb_scsi_decode_inquiry(tap_hex("7f 00 05 02 1f"), &inquiry));
    CHECK_EQ(inquiry.qualifier, 3);
    CHECK_EQ(inquiry.type, 0x1f);
    CHECK_STR(inquiry.vendor, "");
}

static void an_inquiry_of_any_length_is_read_as_far_as_it_goes(void) {
    struct lb_bytes whole = tap_hex(INQUIRY);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t copy[64];
        struct lb_scsi_inquiry inquiry;
        memcpy(copy, whole.p, len);
        CHECK_EQ(lb_scsi_decode_inquiry(lb_bytes(copy, len), &inquiry), len >= 5);
        if (len >= 16)
            CHECK_STR(inquiry.vendor, "IET");
    }
}

static void luns_are_listed_and_counted(void) {
    uint8_t luns[2][8];
    size_t count, total;
    struct lb_bytes reply = tap_hex("00000018 00000000 0000000000000000 0001000000000000"
                                    "4002000000000000");
    CHECK(lb_scsi_decode_luns(reply, luns, 2, &count, &total));
    CHECK_EQ(count, 2);
    CHECK_EQ(total, 3);
    CHECK_BYTES(lb_bytes(luns[1], 8), tap_hex("0001000000000000"));
    /* A length that goes beyond what came. */
    CHECK(lb_scsi_decode_luns(tap_hex("ffffffff 00000000 0000000000000000 0001"), luns, 2, &count,
                              &total));
    CHECK_EQ(count, 1);
    CHECK(!lb_scsi_decode_luns(tap_hex("00000008 000000"), luns, 2, &count, &total));
}

static void capacities_count_blocks(void) {
    struct lb_scsi_capacity c;
    CHECK(lb_scsi_decode_capacity_10(tap_hex("000fffff 00000200"), &c));
    CHECK_EQ(c.blocks, 0x100000);
    CHECK_EQ(c.block_bytes, 512);
    CHECK(!c.is_cut);
    CHECK(lb_scsi_decode_capacity_10(tap_hex("ffffffff 00000200"), &c));
    CHECK(c.is_cut);
    CHECK(lb_scsi_decode_capacity_16(tap_hex("000000017fffffff 00000200 00 03 c008"
                                             "00000000000000000000000000000000"),
                                     &c));
    CHECK_EQ(c.blocks, 0x180000000); /* 3 TiB */
    CHECK_EQ(c.physical_exponent, 3);
    CHECK_EQ(c.lowest_aligned, 8);
    CHECK(lb_scsi_decode_capacity_16(tap_hex("00000000000000ff 00001000"), &c));
    CHECK_EQ(c.block_bytes, 4096);
    CHECK(!lb_scsi_decode_capacity_16(tap_hex("00000000000000ff 000010"), &c));
    CHECK(!lb_scsi_decode_capacity_16(tap_hex("ffffffffffffffff 00001000"), &c));
    CHECK(!lb_scsi_decode_capacity_10(tap_hex("000fffff 000002"), &c));
}

static void vpd_pages_are_believed_as_far_as_they_came(void) {
    char serial[8];
    struct lb_scsi_limits limits = {7, 7, 7};
    CHECK(lb_scsi_vpd_has(tap_hex("00 00 0003 00 83 b0"), 0xb0));
    CHECK(!lb_scsi_vpd_has(tap_hex("00 00 0003 00 83"), 0xb0));
    CHECK(!lb_scsi_vpd_has(tap_hex("00 83 0003 00 83 b0"), 0xb0));
    CHECK(lb_scsi_decode_serial(tap_hex("00 80 0006 20 41 42 07 43 00"), serial, sizeof serial));
    CHECK_STR(serial, "AB?C");
    CHECK(lb_scsi_decode_serial(tap_hex("00 80 ffff 41 42 43 44 45 46 47 48 49"), serial, 8));
    CHECK_STR(serial, "ABCDEFG");
    CHECK(!lb_scsi_decode_serial(tap_hex("00 83 0001 41"), serial, sizeof serial));
    CHECK(lb_scsi_decode_limits(tap_hex("00 b0 003c 00 00 0010 00002000 00000800"), &limits));
    CHECK_EQ(limits.max_transfer_blocks, 0x2000);
    CHECK_EQ(limits.optimal_transfer_blocks, 0x800);
    CHECK_EQ(limits.granularity_blocks, 0x10);
    CHECK(!lb_scsi_decode_limits(tap_hex("00 83 003c 00 00 0010 00002000 00000800"), &limits));
    CHECK(!lb_scsi_decode_limits(tap_hex("00 b0 0008 00 00 0000 00002000 00000800"), &limits));
}

/* T10, EUI-64, a relative port (not of the unit), NAA, SCSI name. */
#define IDS                                                                                        \
    "00 83 0038  02 01 00 04 41424320  01 02 00 08 0123456789abcdef"                               \
    "61 93 00 08 50014051aaaaaaaa  01 03 00 08 6001405100000001  03 08 00 04 65756900"

static void the_best_name_of_the_unit_is_chosen(void) {
    char id[80];
    CHECK(lb_scsi_decode_id(tap_hex(IDS), id, sizeof id));
    CHECK_STR(id, "naa.6001405100000001");
    CHECK(lb_scsi_decode_id(tap_hex("00 83 0019  02 01 00 09 414243202020202037"
                                    "03 08 00 04 69716e2e"),
                            id, sizeof id));
    CHECK_STR(id, "iqn.");
    CHECK(lb_scsi_decode_id(tap_hex("00 83 000d  02 01 00 09 414243202020202037"), id, sizeof id));
    CHECK_STR(id, "t10.ABC     7");
    CHECK(lb_scsi_decode_id(tap_hex("00 83 0019  01 03 00 08 3000000000000001"
                                    "02 01 00 09 414243202020202037"),
                            id, sizeof id));
    CHECK_STR(id, "t10.ABC     7"); /* before a locally assigned one */
    CHECK(lb_scsi_decode_id(tap_hex("00 83 0021  01 03 00 10 60000000000000000e00000000010001"
                                    "02 01 00 09 414243202020202037"),
                            id, sizeof id));
    CHECK_STR(id, "t10.ABC     7"); /* and before one of nobody's company: tgt's */
    CHECK(lb_scsi_decode_id(
        tap_hex("00 83 0016  01 0a 00 12 1000 00112233445566778899aabbccddeeff"), id, sizeof id));
    CHECK_STR(id, "uuid.100000112233445566778899aabbccddeeff");
    CHECK(!lb_scsi_decode_id(tap_hex("00 83 000c 61 93 00 08 50014051aaaaaaaa"), id, sizeof id));
    CHECK(!lb_scsi_decode_id(tap_hex("00 83 0008 01 03 00 ff 60014051"), id, sizeof id));
}

/* Each two of them, in both orders: the better one is the name. */
static void names_are_preferred_by_their_kind(void) {
    static const struct {
        const char *hex, *id;
    } names[] = {{"01 03 00 08 6001405100000001", "naa.6001405100000001"},
                 {"01 02 00 08 0011223344556677", "eui.0011223344556677"},
                 {"01 0a 00 12 1000 00112233445566778899aabbccddeeff",
                  "uuid.100000112233445566778899aabbccddeeff"},
                 {"03 08 00 08 69716e2e41414141", "iqn.AAAA"},
                 {"02 01 00 09 414243202020202037", "t10.ABC     7"},
                 {"01 03 00 08 3000000000000001", "naa.3000000000000001"}};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        for (size_t j = 0; j < LB_COUNT(names); j++) {
            char hex[200], id[80];
            struct lb_bytes one = tap_hex(names[i].hex), other = tap_hex(names[j].hex);
            lb_format(hex, sizeof hex, "00 83 %04x %s %s", (unsigned)(one.len + other.len),
                      names[i].hex, names[j].hex);
            CHECK(lb_scsi_decode_id(tap_hex(hex), id, sizeof id));
            CHECK_STR(id, names[LB_MIN(i, j)].id);
        }
    }
}

static void zeros_blanks_and_a_vendor_alone_are_no_names(void) {
    struct lb_scsi_designator best;
    CHECK(!lb_scsi_best_designator(tap_hex("00 83 000c 01 03 00 08 0000000000000000"), &best));
    CHECK(!lb_scsi_best_designator(tap_hex("00 83 0008 02 08 00 04 20202000"), &best));
    CHECK(!lb_scsi_best_designator(tap_hex("00 83 000c 02 01 00 08 4142432020202020"), &best));
    CHECK(!lb_scsi_best_designator(
        tap_hex("00 83 0014 02 01 00 10 4142432020202020 2020202020202020"), &best));
    CHECK(!lb_scsi_best_designator(tap_hex("00 83 0000"), &best));
}

static void a_name_is_found_among_others(void) {
    struct lb_scsi_designator best, other;
    CHECK(lb_scsi_best_designator(tap_hex("00 83 000c 01 03 00 08 6001405100000001"), &best));
    CHECK(lb_scsi_has_designator(tap_hex(IDS), &best));
    /* another disk's; the target's, not the disk's; of another kind; a shorter one */
    CHECK(!lb_scsi_has_designator(tap_hex("00 83 000c 01 03 00 08 6001405100000002"), &best));
    CHECK(!lb_scsi_has_designator(tap_hex("00 83 000c 01 13 00 08 6001405100000001"), &best));
    CHECK(!lb_scsi_has_designator(tap_hex("00 83 000c 01 02 00 08 6001405100000001"), &best));
    CHECK(!lb_scsi_has_designator(tap_hex("00 83 000b 01 03 00 07 60014051000000"), &best));
    CHECK(!lb_scsi_has_designator(tap_hex("00 80 000c 01 03 00 08 6001405100000001"), &best));
    /* padded with NULs or not, a SCSI name is the same */
    CHECK(lb_scsi_best_designator(tap_hex("00 83 0008 53 08 00 04 69716e2e"), &other));
    CHECK(lb_scsi_has_designator(tap_hex("00 83 000c 53 08 00 08 69716e2e00000000"), &other));
}

static void every_truncation_of_the_names_is_safe(void) {
    struct lb_bytes whole = tap_hex(IDS);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t copy[128];
        char id[80];
        memcpy(copy, whole.p, len);
        bool found = lb_scsi_decode_id(lb_bytes(copy, len), id, sizeof id);
        CHECK_EQ(found, len >= 24); /* a vendor's name alone, before it, is no name of a disk */
    }
}

static void mode_sense_tells_write_protection(void) {
    bool wp = false;
    CHECK(lb_scsi_decode_mode_6(tap_hex("03 00 80 00"), &wp) && wp);
    CHECK(lb_scsi_decode_mode_6(tap_hex("03 00 10"), &wp) && !wp);
    CHECK(!lb_scsi_decode_mode_6(tap_hex("03 00"), &wp));
    CHECK(lb_scsi_decode_mode_10(tap_hex("0006 00 80 00000000"), &wp) && wp);
    CHECK(!lb_scsi_decode_mode_10(tap_hex("0006 00"), &wp));
}

/* What is cut off is not there, and what has come is not read as another field. */
static void replies_of_every_length_are_read_as_far_as_they_go(void) {
    struct lb_bytes inquiry = tap_hex(INQUIRY);
    struct lb_bytes capacity = tap_hex("000000017fffffff 00000200 00 f3 f008");
    struct lb_bytes limits = tap_hex("00 b0 003c 00 00 0010 00002000 00000800");
    for (size_t len = 5; len <= inquiry.len; len++) {
        struct lb_scsi_inquiry got;
        char product[17] = "VIRTUAL-DISK", vendor[9] = "IET";
        vendor[LB_MIN(len < 8 ? 0 : len - 8, 3)] = product[LB_MIN(len < 16 ? 0 : len - 16, 12)] = 0;
        CHECK(lb_scsi_decode_inquiry(lb_bytes(inquiry.p, len), &got));
        CHECK_STR(got.vendor, vendor);
        CHECK_STR(got.product, product);
        CHECK_EQ(lb_strlen(got.revision), len < 32 ? 0 : len - 32);
        CHECK_EQ(got.version, 5);
    }
    for (size_t len = 0; len <= capacity.len; len++) {
        struct lb_scsi_capacity got;
        bool is_read = lb_scsi_decode_capacity_16(lb_bytes(capacity.p, len), &got);
        CHECK_EQ(is_read, len >= 12);
        CHECK(!is_read || (got.blocks == 0x180000000 && got.block_bytes == 512 &&
                           got.physical_exponent == (len < 16 ? 0 : 3) &&
                           got.lowest_aligned == (len < 16 ? 0 : 0x3008)));
        if (len <= 8) {
            is_read = lb_scsi_decode_capacity_10(lb_bytes(capacity.p + 4, len), &got);
            CHECK_EQ(is_read, len == 8);
        }
    }
    for (size_t len = 0; len <= limits.len; len++) {
        struct lb_scsi_limits got;
        CHECK_EQ(lb_scsi_decode_limits(lb_bytes(limits.p, len), &got), len == limits.len);
    }
    for (size_t len = 0; len <= 4; len++) {
        bool is_protected;
        CHECK_EQ(lb_scsi_decode_mode_6(lb_bytes(tap_hex("03008000").p, len), &is_protected),
                 len >= 3);
        CHECK_EQ(lb_scsi_decode_mode_10(lb_bytes(tap_hex("00060080").p, len), &is_protected),
                 len >= 4);
    }
}

/* The room is full before the list ends; and at its end there are less than 8 bytes. */
static void luns_of_every_length_are_counted(void) {
    struct lb_bytes reply = tap_hex("00000018 00000000 0000000000000000 0001000000000000"
                                    "4002000000000000");
    for (size_t len = 0; len <= reply.len; len++) {
        for (size_t cap = 0; cap <= 3; cap++) {
            uint8_t luns[4][8] = {{0}};
            size_t count = 9, total = 9;
            bool is_read = lb_scsi_decode_luns(lb_bytes(reply.p, len), luns, cap, &count, &total);
            CHECK_EQ(is_read, len >= 8);
            CHECK_EQ(total, len >= 8 ? 3 : 9);
            CHECK_EQ(count, len >= 8 ? LB_MIN((len - 8) / 8, cap) : 9);
            CHECK(count == 9 ||
                  lb_bytes_equal(lb_bytes(luns, 8 * count), lb_bytes(reply.p + 8, 8 * count)));
        }
    }
}

/* What the target did not print is not printed; blanks and NULs around it are left out. */
static void texts_are_trimmed_and_made_ascii(void) {
    static const struct {
        const char *hex, *text;
    } rows[] = {{"20 00 41 20 42 00 20", "A B"},
                {"1f 20 7e 7f 80", "? ~??"},
                {"20 20", ""},
                {"", ""},
                {"41", "A"},
                {"00", ""},
                {"41 42 43 44 45 46 47 48", "ABCDEFG"}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char text[8];
        lb_scsi_copy_ascii(text, sizeof text, tap_hex(rows[i].hex));
        CHECK_STR(text, rows[i].text);
    }
}

static void the_type_of_a_device_has_a_word(void) {
    static const struct {
        uint8_t type;
        const char *word;
    } rows[] = {{0x00, "disk"},      {0x01, "tape"},           {0x02, "printer"},
                {0x03, "processor"}, {0x04, "write-once"},     {0x05, "CD or DVD"},
                {0x06, ""},          {0x08, "medium changer"}, {0x0c, "array controller"},
                {0x0d, "enclosure"}, {0x14, "zoned disk"},     {0x1e, "well-known LUN"},
                {0x1f, ""},          {0x25, "CD or DVD"}};
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        CHECK_STR(lb_scsi_type_word(rows[i].type), rows[i].word);
}

/* ---- sense ---- */

#define FIXED(key, asc, ascq) "f0 00 " key " 0000004d 0a 00000000 " asc " " ascq " 00 000000"

static struct lb_scsi_judgement check_condition(const char *sense) {
    return lb_scsi_judge(LB_SCSI_CHECK_CONDITION, tap_hex(sense));
}

static void judge_as(const char *sense, enum lb_scsi_verdict verdict, enum lb_code code) {
    struct lb_scsi_judgement judgement = check_condition(sense);
    if (!CHECK_EQ(judgement.verdict, verdict) || !CHECK_EQ(judgement.code, code))
        tap_note("sense %s", sense);
}

static void sense_data_leads_to_a_verdict(void) {
    judge_as(FIXED("02", "04", "01"), LB_SCSI_RETRY_LATER, LB_E_NOT_READY);
    judge_as(FIXED("02", "04", "02"), LB_SCSI_START, LB_E_NOT_READY);
    judge_as(FIXED("02", "3a", "00"), LB_SCSI_FAIL, LB_E_NO_MEDIUM);
    judge_as(FIXED("03", "11", "00"), LB_SCSI_RETRY_FEW, LB_E_MEDIUM);
    judge_as(FIXED("04", "44", "00"), LB_SCSI_RETRY_FEW, LB_E_MEDIUM);
    judge_as(FIXED("02", "04", "0b"), LB_SCSI_RETRY_LATER, LB_E_STANDBY);
    judge_as(FIXED("02", "04", "0c"), LB_SCSI_RETRY_LATER, LB_E_STANDBY);
    judge_as(FIXED("05", "21", "00"), LB_SCSI_FAIL, LB_E_OUT_OF_RANGE);
    judge_as(FIXED("05", "25", "00"), LB_SCSI_FAIL, LB_E_LUN_MISSING);
    judge_as(FIXED("05", "20", "00"), LB_SCSI_FAIL, LB_E_SCSI);
    judge_as(FIXED("07", "27", "00"), LB_SCSI_FAIL, LB_E_WRITE_PROTECTED);
    judge_as(FIXED("01", "17", "00"), LB_SCSI_OK, LB_OK);
    judge_as(FIXED("0b", "0c", "0d"), LB_SCSI_RETRY_LATER, LB_E_SCSI);
    judge_as("", LB_SCSI_RETRY_LATER, LB_E_SCSI);
    judge_as("70", LB_SCSI_RETRY_LATER, LB_E_SCSI);
}

/* SPC-4 annex F. */
static void unit_attentions_ask_for_another_look_unless_they_are_about_something_else(void) {
    judge_as(FIXED("06", "28", "00"), LB_SCSI_VERIFY, LB_E_SCSI);    /* medium may have changed */
    judge_as(FIXED("06", "29", "00"), LB_SCSI_VERIFY, LB_E_SCSI);    /* power on */
    judge_as(FIXED("06", "29", "07"), LB_SCSI_VERIFY, LB_E_SCSI);    /* session lost */
    judge_as(FIXED("06", "2a", "01"), LB_SCSI_VERIFY, LB_E_SCSI);    /* mode parameters */
    judge_as(FIXED("06", "2a", "09"), LB_SCSI_VERIFY, LB_E_SCSI);    /* capacity */
    judge_as(FIXED("06", "3f", "03"), LB_SCSI_VERIFY, LB_E_SCSI);    /* inquiry data */
    judge_as(FIXED("06", "3f", "05"), LB_SCSI_VERIFY, LB_E_SCSI);    /* device identifier */
    judge_as(FIXED("06", "3f", "0e"), LB_SCSI_VERIFY, LB_E_SCSI);    /* list of LUNs */
    judge_as(FIXED("06", "91", "07"), LB_SCSI_VERIFY, LB_E_SCSI);    /* a vendor's own */
    judge_as(FIXED("06", "2a", "03"), LB_SCSI_RETRY_NOW, LB_E_SCSI); /* reservations */
    judge_as(FIXED("06", "2a", "06"), LB_SCSI_RETRY_NOW, LB_E_SCSI); /* asymmetric access */
    judge_as(FIXED("06", "2f", "00"), LB_SCSI_RETRY_NOW, LB_E_SCSI); /* commands cleared */
    judge_as(FIXED("06", "38", "07"), LB_SCSI_RETRY_NOW, LB_E_SCSI); /* thin provisioning */
}

static void a_deferred_error_is_about_an_earlier_write(void) {
    struct lb_scsi_judgement judgement =
        check_condition("71 00 03 00000000 0a 00000000 0c 00 00 000000");
    CHECK(judgement.sense.is_deferred);
    CHECK_EQ(judgement.verdict, LB_SCSI_RETRY_NOW);
    CHECK_EQ(judgement.code, LB_E_MEDIUM);
}

static void a_status_alone_leads_to_a_verdict(void) {
    CHECK_EQ(lb_scsi_judge(LB_SCSI_GOOD, lb_bytes(NULL, 0)).verdict, LB_SCSI_OK);
    CHECK_EQ(lb_scsi_judge(LB_SCSI_BUSY, lb_bytes(NULL, 0)).verdict, LB_SCSI_RETRY_LATER);
    CHECK_EQ(lb_scsi_judge(LB_SCSI_TASK_SET_FULL, lb_bytes(NULL, 0)).verdict, LB_SCSI_RETRY_LATER);
    CHECK_EQ(lb_scsi_judge(LB_SCSI_RESERVATION_CONFLICT, lb_bytes(NULL, 0)).code, LB_E_RESERVED);
    CHECK_EQ(lb_scsi_judge(LB_SCSI_TASK_ABORTED, lb_bytes(NULL, 0)).verdict, LB_SCSI_RETRY_NOW);
    CHECK_EQ(lb_scsi_judge(0x77, lb_bytes(NULL, 0)).verdict, LB_SCSI_FAIL);
}

static void both_formats_say_the_same(void) {
    struct lb_scsi_sense fixed = lb_scsi_decode_sense(tap_hex(FIXED("03", "11", "01")));
    struct lb_scsi_sense descriptors =
        lb_scsi_decode_sense(tap_hex("72 03 11 01 000000 0c  00 0a 80 00 000000000000004d"));
    CHECK(fixed.is_valid && descriptors.is_valid);
    CHECK_EQ(fixed.key, descriptors.key);
    CHECK_EQ(fixed.asc, descriptors.asc);
    CHECK_EQ(fixed.ascq, descriptors.ascq);
    CHECK(fixed.has_information && descriptors.has_information);
    CHECK_EQ(fixed.information, 77);
    CHECK_EQ(descriptors.information, 77);
}

static void deferred_errors_are_told_apart(void) {
    CHECK(!lb_scsi_decode_sense(tap_hex("70 00 03 00000000 0a 00000000 11 01 00 000000"))
               .is_deferred);
    CHECK(
        lb_scsi_decode_sense(tap_hex("71 00 03 00000000 0a 00000000 11 01 00 000000")).is_deferred);
    CHECK(!lb_scsi_decode_sense(tap_hex("72 03 11 01 000000 00")).is_deferred);
    CHECK(lb_scsi_decode_sense(tap_hex("73 03 11 01 000000 00")).is_deferred);
}

/* Behind the length that sense names there may be what is left of an older answer. */
static void descriptors_end_where_their_length_says(void) {
    struct lb_scsi_sense sense = lb_scsi_decode_sense(
        tap_hex("72 03 11 01 000000 04  40 02 0000  00 0a 80 00 000000000000004d"));
    CHECK_EQ(sense.asc, 0x11);
    CHECK(!sense.has_information);
    sense = lb_scsi_decode_sense(
        tap_hex("72 03 11 01 000000 10  40 02 0000  00 0a 80 00 000000000000004d"));
    CHECK(sense.has_information);
    CHECK_EQ(sense.information, 77);
}

static void short_sense_gives_what_it_has(void) {
    struct lb_bytes whole = tap_hex(FIXED("05", "24", "01"));
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t copy[32];
        memcpy(copy, whole.p, len);
        struct lb_scsi_sense sense = lb_scsi_decode_sense(lb_bytes(copy, len));
        CHECK_EQ(sense.is_valid, len >= 3);
        CHECK_EQ(sense.key, len >= 3 ? 5 : 0);
        CHECK_EQ(sense.asc, len >= 13 ? 0x24 : 0);
        CHECK_EQ(sense.ascq, len >= 14 ? 1 : 0);
    }
}

static void an_answer_reads_like_a_sentence(void) {
    char line[120];
    struct lb_text text = lb_text(line, sizeof line);
    struct lb_scsi_sense sense = lb_scsi_decode_sense(tap_hex(FIXED("03", "11", "00")));
    lb_scsi_answer_format(&text, LB_SCSI_CHECK_CONDITION, &sense);
    CHECK_STR(line, "CHECK CONDITION, MEDIUM ERROR 11/00 unrecovered read error at LBA 77");
    text = lb_text(line, sizeof line);
    lb_scsi_answer_format(&text, LB_SCSI_BUSY, &sense);
    CHECK_STR(line, "BUSY");
    text = lb_text(line, sizeof line);
    lb_scsi_answer_format(&text, 0x77, &sense);
    CHECK_STR(line, "unknown status 0x77");
    CHECK_STR(lb_scsi_asc_word(0x04, 0x77), "not ready");
    CHECK_STR(lb_scsi_asc_word(0x99, 0x00), "");
}

/* What each key, code and qualifier comes to; a row stands for all before `last` that no row before
 * it has. SPC-4 annex F. */
static const struct sense_row {
    uint8_t key;
    int asc, first, last; /* -1: any code, with any qualifier */
    enum lb_scsi_verdict verdict;
    enum lb_code code;
} sense_rows[] = {
    {0x0, -1, 0, 0, LB_SCSI_RETRY_LATER, LB_E_SCSI},
    {0x1, -1, 0, 0, LB_SCSI_OK, LB_OK},
    {0x2, 0x3a, 0x00, 0xff, LB_SCSI_FAIL, LB_E_NO_MEDIUM},
    {0x2, 0x04, 0x02, 0x02, LB_SCSI_START, LB_E_NOT_READY},
    {0x2, 0x04, 0x03, 0x03, LB_SCSI_FAIL, LB_E_NOT_READY},
    {0x2, 0x04, 0x0b, 0x0c, LB_SCSI_RETRY_LATER, LB_E_STANDBY},
    {0x2, -1, 0, 0, LB_SCSI_RETRY_LATER, LB_E_NOT_READY},
    {0x3, -1, 0, 0, LB_SCSI_RETRY_FEW, LB_E_MEDIUM},
    {0x4, -1, 0, 0, LB_SCSI_RETRY_FEW, LB_E_MEDIUM},
    {0x5, 0x21, 0x00, 0xff, LB_SCSI_FAIL, LB_E_OUT_OF_RANGE},
    {0x5, 0x25, 0x00, 0xff, LB_SCSI_FAIL, LB_E_LUN_MISSING},
    {0x5, 0x27, 0x00, 0xff, LB_SCSI_FAIL, LB_E_WRITE_PROTECTED},
    {0x5, 0x55, 0x00, 0xff, LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY},
    {0x5, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0x6, 0x0b, 0x00, 0xff, LB_SCSI_RETRY_NOW, LB_E_SCSI},
    {0x6, 0x2f, 0x00, 0xff, LB_SCSI_RETRY_NOW, LB_E_SCSI},
    {0x6, 0x38, 0x00, 0xff, LB_SCSI_RETRY_NOW, LB_E_SCSI},
    {0x6, 0x5d, 0x00, 0xff, LB_SCSI_RETRY_NOW, LB_E_SCSI},
    {0x6, 0x2a, 0x02, 0x08, LB_SCSI_RETRY_NOW, LB_E_SCSI},
    {0x6, -1, 0, 0, LB_SCSI_VERIFY, LB_E_SCSI},
    {0x7, -1, 0, 0, LB_SCSI_FAIL, LB_E_WRITE_PROTECTED},
    {0x8, -1, 0, 0, LB_SCSI_FAIL, LB_E_MEDIUM},
    {0x9, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0xa, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0xb, -1, 0, 0, LB_SCSI_RETRY_LATER, LB_E_SCSI},
    {0xc, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0xd, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0xe, -1, 0, 0, LB_SCSI_FAIL, LB_E_SCSI},
    {0xf, -1, 0, 0, LB_SCSI_OK, LB_OK},
};

static const struct sense_row *sense_row_of(unsigned key, int asc, int ascq) {
    const struct sense_row *row = sense_rows;
    while (row->key != key ||
           (row->asc >= 0 && (row->asc != asc || ascq < row->first || ascq > row->last)))
        row++;
    return row;
}

static void every_sense_has_its_verdict_in_both_formats(void) {
    for (unsigned key = 0; key < 16; key++) {
        for (unsigned code = 0; code < 0x10000; code += (code & 0xff) == 0x1f ? 0xe1 : 1) {
            uint8_t asc = (uint8_t)(code >> 8), ascq = (uint8_t)code;
            const uint8_t fixed[18] = {
                [0] = 0x70, [2] = (uint8_t)key, [7] = 10, [12] = asc, [13] = ascq};
            const uint8_t descriptors[8] = {0x72, (uint8_t)key, asc, ascq};
            const struct sense_row *row = sense_row_of(key, asc, ascq);
            struct lb_scsi_judgement one =
                lb_scsi_judge(LB_SCSI_CHECK_CONDITION, lb_bytes(fixed, sizeof fixed));
            struct lb_scsi_judgement other =
                lb_scsi_judge(LB_SCSI_CHECK_CONDITION, lb_bytes(descriptors, sizeof descriptors));
            if (!CHECK(one.verdict == row->verdict && one.code == row->code) ||
                !CHECK(other.verdict == row->verdict && other.code == row->code))
                tap_note("%x/%02x/%02x", key, (unsigned)asc, (unsigned)ascq);
        }
    }
}

/* SPC-4 4.5.3: bytes 12 and 13 are there where byte 7 says so. */
static void the_additional_length_says_which_fields_are_there(void) {
    for (uint8_t additional = 0; additional <= 10; additional++) {
        uint8_t bytes[18] = {0xf0, 0, 3, 0, 0, 0, 0x4d, additional, 0, 0, 0, 0, 0x11, 0x01};
        struct lb_scsi_sense sense = lb_scsi_decode_sense(lb_bytes(bytes, sizeof bytes));
        CHECK_EQ(sense.asc, additional >= 5 ? 0x11 : 0);
        CHECK_EQ(sense.ascq, additional >= 6 ? 1 : 0);
        for (size_t len = 0; len <= sizeof bytes; len++) {
            sense = lb_scsi_decode_sense(lb_bytes(bytes, len));
            CHECK_EQ(sense.has_information, len >= 7);
            CHECK_EQ(sense.information, len >= 7 ? 0x4d : 0);
        }
        bytes[0] = 0x70; /* VALID is not set */
        CHECK(!lb_scsi_decode_sense(lb_bytes(bytes, sizeof bytes)).has_information);
    }
    CHECK(!lb_scsi_decode_sense(tap_hex("74 03 11 01 000000 00")).is_valid);
    CHECK(!lb_scsi_decode_sense(tap_hex("6f 00 03 00000000 0a")).is_valid);
}

/* SPC-4 4.5.2.2: the descriptor of information has 12 bytes, and bit VALID. */
static void descriptors_of_every_length_are_read_as_far_as_they_go(void) {
    struct lb_bytes whole = tap_hex("72 03 11 01 000000 0c  00 0a 80 00 000000000000004d");
    for (size_t len = 0; len <= whole.len; len++) {
        struct lb_scsi_sense sense = lb_scsi_decode_sense(lb_bytes(whole.p, len));
        CHECK_EQ(sense.is_valid, len >= 2);
        CHECK_EQ(sense.key, len >= 2 ? 3 : 0);
        CHECK_EQ(sense.asc, len >= 3 ? 0x11 : 0);
        CHECK_EQ(sense.ascq, len >= 4 ? 1 : 0);
        CHECK_EQ(sense.has_information, len == whole.len);
    }
    static const char *const without[] = {
        "72 03 11 01 000000 0c  00 0a 00 00 000000000000004d",   /* VALID is not set */
        "72 03 11 01 000000 0c  01 0a 80 00 000000000000004d",   /* of another kind */
        "72 03 11 01 000000 0b  00 09 80 00 0000000000004d",     /* too short */
        "72 03 11 01 000000 0b  00 0a 80 00 000000000000004d",   /* cut by the length of all */
        "72 03 11 01 000000 0d  02 00 00 0a 80 00 000000000000", /* behind an empty one */
    };
    for (size_t i = 0; i < LB_COUNT(without); i++)
        CHECK(!lb_scsi_decode_sense(tap_hex(without[i])).has_information);
    CHECK(
        lb_scsi_decode_sense(tap_hex("72 03 11 01 000000 0e  02 00  00 0a 80 00 000000000000004d"))
            .has_information);
}

static void every_status_has_its_verdict_and_word(void) {
    static const struct {
        uint8_t status;
        enum lb_scsi_verdict verdict;
        enum lb_code code;
        const char *word;
    } rows[] = {
        {0x00, LB_SCSI_OK, LB_OK, "GOOD"},
        {0x02, LB_SCSI_RETRY_LATER, LB_E_SCSI, "CHECK CONDITION"},
        {0x08, LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY, "BUSY"},
        {0x18, LB_SCSI_FAIL, LB_E_RESERVED, "RESERVATION CONFLICT"},
        {0x28, LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY, "TASK SET FULL"},
        {0x30, LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY, "ACA ACTIVE"},
        {0x40, LB_SCSI_RETRY_NOW, LB_E_SCSI, "TASK ABORTED"},
        {0x04, LB_SCSI_FAIL, LB_E_SCSI, "unknown status"}, /* CONDITION MET: of no READ */
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_scsi_judgement judgement = lb_scsi_judge(rows[i].status, lb_bytes(NULL, 0));
        CHECK_EQ(judgement.verdict, rows[i].verdict);
        CHECK_EQ(judgement.code, rows[i].code);
        CHECK_STR(lb_scsi_status_word(rows[i].status), rows[i].word);
    }
}

/* The LBA is told of an error of the medium alone, and a qualifier's own word before its code's. */
static void sense_is_shown_with_what_is_known_of_it(void) {
    static const struct {
        const char *sense, *line;
    } rows[] = {
        {"", "CHECK CONDITION without sense data"},
        {FIXED("04", "44", "00"), "CHECK CONDITION, HARDWARE ERROR 44/00 internal target failure"},
        {FIXED("06", "29", "07"), "CHECK CONDITION, UNIT ATTENTION 29/07 session lost"},
        {FIXED("06", "29", "06"), "CHECK CONDITION, UNIT ATTENTION 29/06 power on or reset"},
        {FIXED("0b", "99", "01"), "CHECK CONDITION, ABORTED COMMAND 99/01"},
        {"70 00 03 0000004d 0a 00000000 11 00 00 000000",
         "CHECK CONDITION, MEDIUM ERROR 11/00 unrecovered read error"},
        {"71 00 03 00000000 0a 00000000 0c 00 00 000000",
         "CHECK CONDITION, deferred MEDIUM ERROR 0c/00 write error"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char line[120];
        struct lb_text text = lb_text(line, sizeof line);
        struct lb_scsi_sense sense = lb_scsi_decode_sense(tap_hex(rows[i].sense));
        lb_scsi_answer_format(&text, LB_SCSI_CHECK_CONDITION, &sense);
        CHECK_STR(line, rows[i].line);
    }
}

int main(void) {
    TEST(a_read_uses_the_short_form_where_it_can);
    TEST(a_write_can_go_through_the_cache);
    TEST(the_inquiries_ask_for_what_they_have_room_for);
    TEST(an_inquiry_names_the_device);
    TEST(an_inquiry_of_any_length_is_read_as_far_as_it_goes);
    TEST(luns_are_listed_and_counted);
    TEST(capacities_count_blocks);
    TEST(vpd_pages_are_believed_as_far_as_they_came);
    TEST(the_best_name_of_the_unit_is_chosen);
    TEST(names_are_preferred_by_their_kind);
    TEST(zeros_blanks_and_a_vendor_alone_are_no_names);
    TEST(a_name_is_found_among_others);
    TEST(every_truncation_of_the_names_is_safe);
    TEST(mode_sense_tells_write_protection);
    TEST(sense_data_leads_to_a_verdict);
    TEST(unit_attentions_ask_for_another_look_unless_they_are_about_something_else);
    TEST(a_deferred_error_is_about_an_earlier_write);
    TEST(a_status_alone_leads_to_a_verdict);
    TEST(both_formats_say_the_same);
    TEST(deferred_errors_are_told_apart);
    TEST(descriptors_end_where_their_length_says);
    TEST(short_sense_gives_what_it_has);
    TEST(an_answer_reads_like_a_sentence);
    TEST(replies_of_every_length_are_read_as_far_as_they_go);
    TEST(luns_of_every_length_are_counted);
    TEST(texts_are_trimmed_and_made_ascii);
    TEST(the_type_of_a_device_has_a_word);
    TEST(every_sense_has_its_verdict_in_both_formats);
    TEST(the_additional_length_says_which_fields_are_there);
    TEST(descriptors_of_every_length_are_read_as_far_as_they_go);
    TEST(every_status_has_its_verdict_and_word);
    TEST(sense_is_shown_with_what_is_known_of_it);
    return tap_done();
}
