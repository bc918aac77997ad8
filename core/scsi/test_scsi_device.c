/* The server's side of SCSI alone: its answers byte by byte, and who is told of a reservation. */
#include "core/base/text.h"
#include "core/scsi/scsi_device.h"
#include "tests/tap.h"

#define DEVICE "iqn.2026-11.test:d"

enum { ME, YOU, THEY, PORTS };

static struct lb_scsi_unit unit, *const units[1] = {&unit};
static struct lb_scsi_registration registrations[4];
static struct lb_scsi_port ports[PORTS];
static struct lb_scsi_nexus nexuses[PORTS];
static struct lb_scsi_command command;
static uint8_t reply[LB_SCSI_LONG_REPLY_MAX];
static unsigned who;

static void begin(void) {
    memset(nexuses, 0, sizeof nexuses);
    memset(registrations, 0, sizeof registrations);
    unit = (struct lb_scsi_unit){.blocks = 4096,
                                 .naa = UINT64_C(0x3000000000000001),
                                 .registrations = registrations,
                                 .registration_cap = LB_COUNT(registrations)};
    for (unsigned i = 0; i < PORTS; i++) {
        lb_format(ports[i].name, sizeof ports[i].name, "iqn.2026-11.test:%u", i);
        memcpy(ports[i].isid, tap_hex("80 1234560000").p, 6);
        ports[i].isid[5] = (uint8_t)i;
        lb_scsi_nexus_begin(&nexuses[i], &unit, &ports[i], NULL);
    }
    who = ME;
}

static struct lb_scsi_device device(void) {
    return (struct lb_scsi_device){
        .name = DEVICE, .units = units, .nexuses = &nexuses[who], .count = 1};
}

static void start(const char *cdb, bool writes, uint32_t expected) {
    struct lb_scsi_device d = device();
    struct lb_bytes bytes = tap_hex(cdb);
    command = (struct lb_scsi_command){
        .reads = !writes && expected > 0, .writes = writes, .expected = expected};
    memcpy(command.cdb, bytes.p, bytes.len);
    lb_scsi_device_begin(&d, &command);
}

/* The reply to a command; empty where it failed. */
static struct lb_bytes ask(const char *cdb) {
    struct lb_scsi_device d = device();
    start(cdb, false, 4096);
    if (command.has_failed)
        return lb_bytes(NULL, 0);
    return lb_bytes(reply, lb_scsi_device_reply(&d, &command, lb_span(reply, sizeof reply)));
}

static bool gives(const char *cdb, const char *hex) {
    struct lb_bytes got = ask(cdb);
    char shown[2048];
    struct lb_text text = lb_text(shown, sizeof shown);
    if (lb_bytes_equal(got, tap_hex(hex)))
        return true;
    lb_text_hex(&text, got);
    tap_note("%s: %s", cdb, shown);
    return false;
}

/* Its status: key, asc and ascq behind a CHECK CONDITION. */
static unsigned status(void) {
    if (!command.has_failed)
        return LB_SCSI_GOOD;
    return command.status == LB_SCSI_CHECK_CONDITION
               ? (unsigned)command.key << 16 | (unsigned)command.asc << 8 | command.ascq
               : command.status;
}

/* PERSISTENT RESERVE OUT by this port: action, type, keys, flags of byte 20. */
static unsigned say(unsigned port, uint8_t action, uint8_t type, uint8_t key, uint8_t action_key,
                    uint8_t flags) {
    uint8_t list[24] = {0};
    char cdb[32];
    who = port;
    list[7] = key;
    list[15] = action_key;
    list[20] = flags;
    lb_format(cdb, sizeof cdb, "5f%02x%02x0000000000 1800", action, type);
    start(cdb, true, sizeof list);
    struct lb_scsi_device d = device();
    if (!command.has_failed)
        lb_scsi_device_take(&d, &command, lb_bytes(list, sizeof list));
    return status();
}

/* What waits for this port, asc and ascq; 0: nothing. It is then told. */
static unsigned told(unsigned port) {
    unsigned attention = nexuses[port].attention_count > 0 ? nexuses[port].attentions[0] : 0;
    who = port;
    start("000000000000", false, 0);
    CHECK_EQ(status(), attention == 0 ? 0 : 0x060000 | attention);
    return attention;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void the_page_of_names_is_as_spc_4_has_it(void) {
    begin();
    unit.naa = UINT64_C(0x3123456789abcdef);
    CHECK(gives("12 01 83 00ff 00", "00 83 0054"
                                    "01 03 00 08 3123456789abcdef"
                                    "51 94 00 04 0000 0001"
                                    "51 95 00 04 0000 0001"
                                    "53 98 00 1c 69716e2e323032362d31312e746573743a64"
                                    "2c742c307830303031 00"
                                    "53 a8 00 14 69716e2e323032362d31312e746573743a64 0000"));
}

static void inquiry_says_what_the_unit_is(void) {
    begin();
    struct lb_bytes got = ask("12 00 00 00ff 00");
    if (!CHECK_EQ(got.len, 96))
        return;
    CHECK(lb_bytes_equal(lb_bytes(got.p, 8), tap_hex("00 00 06 12 5b 10 00 02")));
    CHECK(
        lb_bytes_equal(lb_bytes(got.p + 8, 28), lb_bytes_of_text("LUNBOOT DISK            1   ")));
    CHECK(lb_bytes_equal(lb_bytes(got.p + 58, 8), tap_hex("00a0 0960 0460 04c0")));
    unit.is_removable = true;
    unit.type = 5;
    lb_format(unit.vendor, sizeof unit.vendor, "ABCDEFGH");
    got = ask("12 00 00 00ff 00");
    CHECK(got.p[0] == 5 && got.p[1] == 0x80);
    CHECK(lb_bytes_equal(lb_bytes(got.p + 8, 9), lb_bytes_of_text("ABCDEFGHD")));
}

/* CMDDT asks for what SPC-3 left out; bits 5 to 7 were the LUN in SCSI-2, and mean nothing. */
static void inquiry_of_a_command_is_invalid(void) {
    static const char *const cdbs[] = {"12 02 00 00ff 00", "12 02 28 00ff 00", "12 03 00 00ff 00",
                                       "12 00 80 00ff 00"};
    for (size_t i = 0; i < LB_COUNT(cdbs); i++) {
        begin();
        CHECK(gives(cdbs[i], ""));
        CHECK_EQ(status(), 0x052400);
    }
    CHECK_EQ(ask("12 20 00 00ff 00").len, 96);
}

static void the_log_of_a_thin_disk_counts_in_units_of_2048_blocks(void) {
    begin();
    unit.is_thin = true;
    unit.blocks = 10 * 2048;
    unit.used_blocks = 3 * 2048 + 2047;
    CHECK(gives("4d 00 4c 00 00 00 00 00ff 00", "0c 00 0018"
                                                "0001 03 08 00000006 01 000000"
                                                "0002 03 08 00000003 01 000000"));
    CHECK(gives("4d 00 40 00 00 00 00 00ff 00", "00 00 0002 00 0c"));
    unit.is_thin = false;
    CHECK(gives("4d 00 40 00 00 00 00 00ff 00", "00 00 0001 00"));
    CHECK(gives("4d 00 4c 00 00 00 00 00ff 00", ""));
    CHECK_EQ(status(), 0x052400);
}

static void odd_questions_for_a_log_are_invalid(void) {
    static const char *const cdbs[] = {"4d 00 40 01 00 00 00 00ff 00",
                                       "4d 01 40 00 00 00 00 00ff 00",
                                       "4d 00 42 00 00 00 00 00ff 00"};
    for (size_t i = 0; i < LB_COUNT(cdbs); i++) {
        begin();
        CHECK(gives(cdbs[i], ""));
        CHECK_EQ(status(), 0x052400);
    }
}

/* SBC-3 5.36: BYTCHK 0 takes no data; what is sent is left over. */
static void a_verify_that_compares_nothing_leaves_the_data(void) {
    begin();
    start("2f 00 00000010 00 0001 00", true, 512);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(command.total, 0);
    CHECK(command.underflow && !command.overflow);
    CHECK_EQ(command.residual, 512);
}

/* SPC-4 4.3.4: groups 3, 6 and 7 have no CONTROL byte where one could look for it. */
static void no_control_byte_is_read_of_a_cdb_of_unknown_length(void) {
    static const char *const cdbs[] = {"6404040404040404 0404040404040404",
                                       "c404040404040404 0404040404040404",
                                       "e404040404040404 0404040404040404"};
    for (size_t i = 0; i < LB_COUNT(cdbs); i++) {
        begin();
        CHECK(gives(cdbs[i], ""));
        CHECK_EQ(status(), 0x052000); /* and not INVALID FIELD for NACA */
    }
}

/* RFC 7143 11.4.5: U is told where less moved than was expected, and not for exactly as much. */
static void what_moves_as_much_as_is_expected_has_no_residual(void) {
    static const struct {
        const char *cdb;
        bool writes;
        uint32_t expected;
    } cases[] = {
        {"000000000000", false, 0},
        {"35 00 00000000 00 0000 00", false, 0},
        {"34 00 00000000 00 0000 00", false, 0},
        {"28 00 00000000 00 0002 00", false, 1024},
        {"2a 00 00000000 00 0002 00", true, 1024},
        {"2f 02 00000000 00 0002 00", true, 1024},
        {"41 00 00000000 00 0002 00", true, 512},
        {"55 10 00000000 00 0018 00", true, 24},
        {"12 00 00 0024 00", false, 36},
        {"a0 00 00 000000 00000010 0000", false, 16},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        begin();
        struct lb_scsi_device d = device();
        start(cases[i].cdb, cases[i].writes, cases[i].expected);
        if (command.kind == LB_SCSI_KIND_REPLY && !command.has_failed)
            (void)lb_scsi_device_reply(&d, &command, lb_span(reply, sizeof reply));
        CHECK_EQ(status(), LB_SCSI_GOOD);
        if (!CHECK(!command.underflow && !command.overflow) || !CHECK_EQ(command.residual, 0))
            tap_note("%s", cases[i].cdb);
    }
}

/* SPC-4 4.2.5.1: the group of an operation code says how long its CDB is. */
static void the_list_of_commands_has_the_length_of_each_cdb(void) {
    static const size_t lengths[] = {6, 10, 10, 0, 16, 12, 0, 0};
    unsigned count = 0;
    begin();
    struct lb_rd rd = lb_rd(ask("a3 0c 00 000000 0000ffff 0000"));
    size_t len = lb_rd_u32(&rd);
    CHECK_EQ(len, rd.left);
    while (rd.left > 0 && lb_rd_ok(&rd)) {
        uint8_t code = lb_rd_u8(&rd);
        lb_rd_skip(&rd, 5);
        CHECK_EQ(lb_rd_u16(&rd), lengths[code >> 5]);
        count++;
    }
    CHECK(lb_rd_ok(&rd) && count > 40);
}

/* SPC-4 6.36: of 4 bytes, or of 16 with REPD, without timeouts; and room for 4 must be there. */
static void the_functions_of_task_management_are_reported(void) {
    begin();
    CHECK(gives("a3 0d 00 000000 00000004 0000", "d8000000"));
    CHECK(gives("a3 0d 00 000000 00000010 0000", "d8000000"));
    CHECK(gives("a3 0d 80 000000 00000010 0000", "d800000c 000000000000000000000000"));
    CHECK(gives("a3 0d 80 000000 00000004 0000", "d800000c"));
    CHECK(gives("a3 0d 00 000000 00000003 0000", ""));
    CHECK_EQ(status(), 0x052400);
    CHECK_EQ(command.field, 6);
    CHECK(gives("a3 0c 03 a3000d 000000ff 0000", "0003000c a30d80000000ffffffff0000"));
}

/* SPC-4 table 271: 0 and 2 give all, 1 the well-known ones, of which there are none. */
static void luns_are_reported_by_what_is_asked_for(void) {
    begin();
    CHECK_BYTES(ask("a0 00 00 000000 00000010 0000"),
                tap_hex("00000008 00000000 0000000000000000"));
    CHECK_BYTES(ask("a0 00 02 000000 00000010 0000"),
                tap_hex("00000008 00000000 0000000000000000"));
    CHECK_BYTES(ask("a0 00 01 000000 00000010 0000"), tap_hex("00000000 00000000"));
    begin();
    CHECK(gives("a0 00 03 000000 00000010 0000", ""));
    CHECK_EQ(status(), 0x052400);
}

/* Some have a service action, in the low bits of byte 1. */
static void each_command_of_the_list_is_known(void) {
    uint8_t list[2048];
    begin();
    unit.is_thin = true;
    struct lb_bytes got = ask("a3 0c 00 000000 0000ffff 0000");
    if (!CHECK(got.len <= sizeof list))
        return;
    memcpy(list, got.p, got.len);
    for (size_t at = 4; at + 8 <= got.len; at += 8) {
        const uint8_t *row = list + at;
        struct lb_scsi_device d = device();
        command = (struct lb_scsi_command){.expected = 0};
        command.cdb[0] = row[0];
        command.cdb[1] = row[5] & 1 ? row[3] : 0;
        lb_scsi_device_begin(&d, &command);
        if (!CHECK(status() != 0x052000 && !(status() == 0x052400 && command.field == 1)))
            tap_note("operation %02x, service action %02x", (unsigned)row[0], (unsigned)row[3]);
    }
}

/* ---- START STOP UNIT ------------------------------------------------------------------------ */

/* Each command says in bytes of its own how much of its reply is wanted. Those beside them are 0,
 * so that another place or width gives another length. */
static void a_reply_is_cut_where_the_command_says(void) {
    static const struct {
        const char *cdb;
        size_t len;
    } rows[] = {
        {"12 00 00 0005 00", 5},
        {"12 00 00 0000 00", 0},
        {"a0 00 00 000000 00000009 0000", 9},
        {"9e 10 0000000000000000 00000009 0000", 9},
        {"5a 00 3f 00000000 0006 00", 6},
        {"5a 00 3f 00000000 0000 00", 0},
        {"1a 00 3f 00 05 00", 5},
        {"1a 00 3f 00 00 00", 0},
        {"03 00 00 00 07 00", 7},
        {"4d 00 40 00000000 0003 00", 3},
        {"5e 00 0000000000 0003 00", 3},
        {"a3 0c 00 000000 00000007 0000", 7},
    };
    begin();
    unit.is_thin = true;
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        CHECK_EQ(ask(rows[i].cdb).len, rows[i].len);
        CHECK_EQ(status(), LB_SCSI_GOOD);
    }
}

/* SPC-4 6.11, 6.12: the length of what follows it, of all that there is. */
static void a_list_of_mode_pages_says_how_long_it_is(void) {
    begin();
    struct lb_bytes got = ask("1a 00 3f 00 ff 00");
    CHECK(got.len > 4);
    CHECK_EQ(got.p[0], got.len - 1);
    got = ask("5a 00 3f 00000000 0fff 00");
    CHECK(got.len > 8);
    CHECK_EQ(got.p[0], 0);
    CHECK_EQ(got.p[1], got.len - 2);
    got = ask("5a 00 3f 00000000 0002 00"); /* where it is cut, too */
    CHECK(got.len == 2 && got.p[1] > 8);
}

/* SBC-3 5.44: the bit NDOB of the long form. Without data there is nothing to wait for. */
static void write_same_without_data_writes_zeros(void) {
    begin();
    start("93 01 0000000000000010 00000004 0000", false, 0);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(command.kind, LB_SCSI_KIND_WRITE_EACH);
    start("93 01 0000000000000010 00000004 0000", true, 512);
    CHECK_EQ(status(), 0x052400);
    start("93 00 0000000000000010 00000004 0000", false, 0);
    CHECK_EQ(status(), 0x050e03);
    start("93 02 0000000000000010 00000004 0000", false, 0); /* obsolete */
    CHECK_EQ(status(), 0x052400);
}

static void a_read_of_six_bytes_has_256_blocks_where_it_says_none(void) {
    begin();
    start("08 000f00 00 00", false, 256 * 512);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(command.lba, 0xf00);
    CHECK_EQ(command.blocks, 256);
    start("08 000f01 00 00", false, 256 * 512); /* one block beyond the end */
    CHECK_EQ(status(), 0x052100);
    start("08 e00fff 01 00", false, 512); /* SCSI-2 had the LUN there */
    CHECK_EQ(command.lba, 0xfff);
    CHECK_EQ(command.blocks, 1);
}

/* A command with a list of parameters, which comes whole. */
static unsigned give_list(const char *cdb, const char *hex) {
    struct lb_scsi_device d = device();
    struct lb_bytes list = tap_hex(hex);
    start(cdb, true, (uint32_t)list.len);
    if (!command.has_failed)
        lb_scsi_device_take(&d, &command, list);
    return status();
}

static void each_range_to_unmap_has_its_own_blocks(void) {
    static const char list[] = "0026 0020 00000000"
                               "0000000000000010 00000003 00000000"
                               "0000000000000fff 00000001 00000000";
    begin();
    unit.is_thin = true;
    CHECK_EQ(give_list("42 00 00000000 00 0028 00", list), LB_SCSI_GOOD);
    CHECK_EQ(command.kind, LB_SCSI_KIND_UNMAP);
    CHECK(command.lba == 16 && command.blocks == 3);
    struct lb_scsi_device d = device();
    lb_scsi_device_take(&d, &command, tap_hex(list));
    CHECK(command.lba == 0xfff && command.blocks == 1);
    lb_scsi_device_take(&d, &command, tap_hex(list));
    CHECK_EQ(command.kind, LB_SCSI_KIND_REPLY);
    CHECK_EQ(give_list("42 00 00000000 00 0018 00", "0016 0010 00000000"
                                                    "0000000000000fff 00000002 00000000"),
             0x052100);
}

static void a_list_that_is_too_long_is_refused(void) {
    begin();
    unit.is_thin = true;
    start("42 00 00000000 00 1000 00", true, 4096);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    start("42 00 00000000 00 1010 00", true, 4112);
    CHECK_EQ(status(), 0x052600); /* more ranges than VPD page B0 says */
    start("42 01 00000000 00 0018 00", true, 24);
    CHECK_EQ(status(), 0x052400); /* ANCHOR */
    start("55 10 00000000 00 1010 00", true, 4112);
    CHECK_EQ(status(), 0x052400);
    start("55 10 00000000 00 0018 00", true, 23);
    CHECK_EQ(status(), 0x051a00); /* not all of it comes */
}

static void sense_is_told_in_both_formats(void) {
    begin();
    lb_scsi_unit_attention(&unit, NULL, 0x2a, 0x09);
    CHECK(gives("03 00 0000 ff 00", "70 00 06 00000000 0a 00000000 2a09 00000000"));
    CHECK(gives("03 00 0000 ff 00", "70 00 00 00000000 0a 00000000 0000 00000000"));
    lb_scsi_unit_attention(&unit, NULL, 0x2a, 0x09);
    CHECK(gives("03 01 0000 ff 00", "72 06 2a09 00000000"));
}

/* Its command was aborted before the answer: it waits anew, before those that came later. */
static void a_unit_attention_that_nobody_heard_waits_again(void) {
    for (unsigned more = 1; more <= LB_SCSI_ATTENTIONS; more++) {
        begin();
        lb_scsi_unit_attention(&unit, NULL, 0x2a, 0x09);
        start("000000000000", false, 0);
        CHECK_EQ(status(), 0x062a09);
        for (uint8_t i = 0; i < more; i++)
            lb_scsi_unit_attention(&unit, NULL, 0x3f, i);
        struct lb_scsi_device d = device();
        lb_scsi_device_untold(&d, &command);
        unsigned waits = LB_MIN(more + 1, LB_SCSI_ATTENTIONS);
        CHECK_EQ(nexuses[ME].attention_count, waits);
        CHECK_EQ(told(ME), 0x2a09);
        for (unsigned i = 0; i + 1 < waits; i++)
            CHECK_EQ(told(ME), 0x3f00 | i);
        CHECK_EQ(told(ME), 0);
    }
}

/* SPC-4 4.5.3: of the fixed format, with the field that is wrong, or what is told besides. */
static void a_failed_command_has_sense_of_18_bytes(void) {
    uint8_t room[LB_SCSI_SENSE_MAX];
    begin();
    start("a3 1f 00 000000 00000000 0000", false, 0); /* no such service action */
    CHECK_EQ(status(), 0x052400);
    CHECK_BYTES(lb_scsi_command_sense(&command, room),
                tap_hex("70 00 05 00000000 0a 00000000 2400 00 c0 0001"));
    command = (struct lb_scsi_command){.is_deferred = true};
    lb_scsi_command_check(&command, 4, 0x44, 0x01);
    command.has_information = true;
    command.information = 0x12345678;
    CHECK_BYTES(lb_scsi_command_sense(&command, room),
                tap_hex("f1 00 04 12345678 0a 00000000 4401 00 00 0000"));
    command = (struct lb_scsi_command){.status = LB_SCSI_GOOD};
    CHECK_EQ(lb_scsi_command_sense(&command, room).len, 0);
}

/* SPC-4 6.9, 7.5: here that is WCE of the caching page, and SWP of the control page. */
static void mode_pages_may_be_changed_where_they_say_so(void) {
    begin();
    CHECK_EQ(give_list("15 10 0000 18 00", "00000000 08 12 000000000000000000 000000000000000000"),
             LB_SCSI_GOOD);
    CHECK(unit.no_write_cache && !unit.write_protected);
    CHECK_EQ(told(ME), 0);
    CHECK_EQ(told(YOU), 0x2a01);
    who = ME;
    CHECK_EQ(give_list("55 10 00000000 00 0030 00", "00000000 00000008 0000000000000000"
                                                    "08 12 040000000000000000 000000000000000000"
                                                    "0a 0a 00100800000000000000"),
             LB_SCSI_GOOD); /* behind a block descriptor */
    CHECK(!unit.no_write_cache && unit.write_protected);
    CHECK_EQ(give_list("55 10 00000000 00 0014 00", "00000000 00000000 0a 0a 00100000000000000000"),
             LB_SCSI_GOOD);
    CHECK(!unit.no_write_cache && !unit.write_protected);
    static const char *const wrong[] = {
        "00000000 08 11 000000000000000000 0000000000000000",   /* its length */
        "00000000 88 12 000000000000000000 000000000000000000", /* PS is reserved here */
        "00000000 07 12 000000000000000000 000000000000000000", /* there is no such page */
        "00000000 08 12 010000000000000000 000000000000000000", /* a bit that does not change */
        "00000000 08 12 000000000000000000 0000000000000000",   /* it is cut: SPC-4 6.9.1 */
        "00000000 08",
    };
    const size_t first_cut = LB_COUNT(wrong) - 2;
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        char cdb[32];
        lb_format(cdb, sizeof cdb, "15 10 0000 %02x 00", (unsigned)tap_hex(wrong[i]).len);
        CHECK_EQ(give_list(cdb, wrong[i]), i < first_cut ? 0x052600 : 0x051a00);
        CHECK(!unit.no_write_cache);
    }
    CHECK_EQ(give_list("15 00 0000 18 00", "00000000 08 12 000000000000000000 000000000000000000"),
             0x052400); /* PF */
    CHECK_EQ(give_list("15 11 0000 18 00", "00000000 08 12 000000000000000000 000000000000000000"),
             0x052400); /* SP */
    CHECK(!unit.no_write_cache);
}

static void a_medium_leaves_by_an_eject_alone(void) {
    static const struct {
        const char *cdb;
        bool is_removable, holds;
        unsigned status;
        enum lb_scsi_unit_state state;
    } rows[] = {
        {"1b 00 00 00 02 00", true, false, 0, LB_SCSI_UNIT_NO_MEDIUM},
        {"1b 00 00 00 02 00", true, true, 0x055302, LB_SCSI_UNIT_READY},
        {"1b 00 00 00 00 00", true, true, 0, LB_SCSI_UNIT_STOPPED},
        {"1b 00 00 00 02 00", false, true, 0, LB_SCSI_UNIT_READY}, /* there is nothing to eject */
        {"1b 00 00 02 00 00", true, false, 0, LB_SCSI_UNIT_STOPPED},
        {"1b 00 00 00 12 00", true, false, 0, LB_SCSI_UNIT_READY}, /* a power condition */
        {"1b 00 00 00 01 00", true, false, 0, LB_SCSI_UNIT_READY},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        begin();
        unit.is_removable = rows[i].is_removable;
        unit.holds_medium = rows[i].holds;
        ask(rows[i].cdb);
        CHECK_EQ(status(), rows[i].status);
        CHECK_EQ(unit.state, rows[i].state);
    }
    begin();
    unit.is_removable = true;
    ask("1b 00 00 00 02 00");
    ask("1b 00 00 00 01 00"); /* a start does not load */
    CHECK_EQ(unit.state, LB_SCSI_UNIT_NO_MEDIUM);
    ask("1b 00 00 00 03 00");
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(unit.state, LB_SCSI_UNIT_READY);
}

/* ---- persistent reservations ---------------------------------------------------------------- */

enum { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_ANYWAY };
enum { WRITES = 1, WRITES_REGISTRANTS = 5, WRITES_ALL = 7 };

static void register_all(void) {
    for (uint8_t i = 0; i < PORTS; i++)
        CHECK_EQ(say(i, REGISTER, 0, 0, (uint8_t)(0x10 + i), 0), 0);
}

static void a_key_is_changed_by_who_knows_it(void) {
    begin();
    CHECK_EQ(say(ME, REGISTER, 0, 1, 0x10, 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(say(ME, REGISTER, 0, 0, 0x10, 0), 0);
    CHECK_EQ(say(ME, REGISTER, 0, 0x11, 0x12, 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(say(ME, REGISTER_ANYWAY, 0, 0x11, 0x12, 0), 0);
    CHECK(gives("5e 00 00 00000000 00ff 00", "00000002 00000008 0000000000000012"));
    CHECK_EQ(say(ME, REGISTER, 0, 0x12, 0, 0), 0); /* gives it up */
    CHECK(gives("5e 00 00 00000000 00ff 00", "00000003 00000000"));
    CHECK_EQ(say(ME, REGISTER, 0, 0, 0x10, 1), 0x052600); /* nobody keeps it over a restart */
}

static void the_full_status_lists_each_port(void) {
    begin();
    CHECK_EQ(say(ME, REGISTER, 0, 0, 0x10, 0), 0);
    CHECK_EQ(say(YOU, REGISTER, 0, 0, 0x11, 0), 0);
    CHECK_EQ(say(YOU, RESERVE, WRITES, 0x11, 0, 0), 0);
    CHECK(gives(
        "5e 03 00 00000000 0fff 00",
        "00000002 00000080"
        "0000000000000010 00000000 00 00 00000000 0001 00000028"
        "45 00 0024 69716e2e323032362d31312e746573743a30 2c692c3078383031323334353630303030 00"
        "0000000000000011 00000000 01 01 00000000 0001 00000028"
        "45 00 0024 69716e2e323032362d31312e746573743a31 2c692c3078383031323334353630303031 00"));
    CHECK(gives("5e 01 00 00000000 00ff 00",
                "00000002 00000010 0000000000000011 00000000 00 01 0000"));
}

static void a_release_is_told_to_registrants_where_it_was_theirs(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, RESERVE, WRITES_REGISTRANTS, 0x10, 0, 0), 0);
    CHECK_EQ(say(ME, RELEASE, WRITES, 0x10, 0, 0), 0x052604);
    CHECK_EQ(unit.reservation_type, WRITES_REGISTRANTS);
    CHECK_EQ(say(YOU, RELEASE, WRITES_REGISTRANTS, 0x11, 0, 0), 0); /* not the holder: nothing */
    CHECK_EQ(unit.reservation_type, WRITES_REGISTRANTS);
    CHECK_EQ(say(ME, RELEASE, WRITES_REGISTRANTS, 0x10, 0, 0), 0);
    CHECK_EQ(unit.reservation_type, 0);
    CHECK_EQ(told(ME), 0);
    CHECK_EQ(told(YOU), 0x2a04);
    CHECK_EQ(told(THEY), 0x2a04);
    CHECK_EQ(say(ME, RESERVE, WRITES, 0x10, 0, 0), 0);
    CHECK_EQ(say(ME, RELEASE, WRITES, 0x10, 0, 0), 0);
    CHECK_EQ(told(YOU) + told(THEY), 0); /* it was nobody's but mine */
}

static void a_reservation_that_another_holds_is_a_conflict(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, RESERVE, WRITES, 0x10, 0, 0), 0);
    CHECK_EQ(say(ME, RESERVE, WRITES, 0x10, 0, 0), 0); /* again */
    CHECK_EQ(say(ME, RESERVE, WRITES_REGISTRANTS, 0x10, 0, 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(say(YOU, RESERVE, WRITES, 0x11, 0, 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(say(YOU, RESERVE, WRITES, 0x12, 0, 0), LB_SCSI_RESERVATION_CONFLICT); /* no such key */
    CHECK_EQ(say(ME, RESERVE, 2, 0x10, 0, 0), 0x052400);
}

static void of_all_registrants_each_is_a_holder_until_the_last_has_left(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, RESERVE, WRITES_ALL, 0x10, 0, 0), 0);
    CHECK_EQ(say(YOU, RESERVE, WRITES_ALL, 0x11, 0, 0), 0);
    CHECK_EQ(say(ME, REGISTER, 0, 0x10, 0, 0), 0);
    CHECK_EQ(unit.reservation_type, WRITES_ALL);
    CHECK_EQ(say(YOU, REGISTER, 0, 0x11, 0, 0), 0);
    CHECK_EQ(unit.reservation_type, WRITES_ALL);
    CHECK_EQ(say(THEY, REGISTER, 0, 0x12, 0, 0), 0);
    CHECK_EQ(unit.reservation_type, 0);
}

static void clearing_takes_all_keys_and_tells_the_others(void) {
    begin();
    register_all();
    CHECK_EQ(say(YOU, RESERVE, WRITES, 0x11, 0, 0), 0);
    CHECK_EQ(say(ME, CLEAR, 0, 0x10, 0, 0), 0);
    CHECK_EQ(unit.registration_count, 0);
    CHECK_EQ(unit.reservation_type, 0);
    for (unsigned i = 0; i < LB_COUNT(registrations); i++)
        CHECK(!registrations[i].is_holder);
    CHECK_EQ(told(ME), 0);
    CHECK_EQ(told(YOU), 0x2a03);
    CHECK_EQ(told(THEY), 0x2a03);
}

static void preempting_a_key_that_nobody_has_is_a_conflict(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, PREEMPT, WRITES, 0x10, 0x55, 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(unit.registration_count, 3);
    CHECK_EQ(say(YOU, RESERVE, WRITES, 0x11, 0, 0), 0);
    CHECK_EQ(say(ME, PREEMPT, WRITES, 0x10, 0x11, 0), 0);
    CHECK_EQ(unit.registration_count, 2);
    CHECK(gives("5e 01 00 00000000 00ff 00",
                "00000004 00000010 0000000000000010 00000000 00 01 0000"));
    CHECK_EQ(told(YOU), 0x2a05);
    CHECK_EQ(told(THEY), 0);
}

/* SBC-3 5.49: the blocks from here to the end. */
static void write_same_of_no_blocks_goes_to_the_end(void) {
    begin();
    start("93 01 0000000000000ff0 00000000 0000", false, 0);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(command.kind, LB_SCSI_KIND_WRITE_EACH);
    CHECK_EQ(command.lba, 0xff0);
    CHECK_EQ(command.blocks, 16);
    start("93 01 0000000000001000 00000000 0000", false, 0); /* there are none behind the end */
    CHECK(command.kind != LB_SCSI_KIND_WRITE_EACH);
    start("93 08 0000000000000000 00000010 0000", true, 512); /* a unit that is not thin */
    CHECK_EQ(status(), 0x052400);
    unit.is_thin = true;
    start("93 08 0000000000000000 00000010 0000", true, 512);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK(command.unmaps);
}

static void an_orwrite_of_no_blocks_does_nothing(void) {
    begin();
    start("8b 00 0000000000000000 00000000 0000", true, 0);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK(command.kind != LB_SCSI_KIND_OR);
    start("8b 08 0000000000000000 00000001 0000", true, 512);
    CHECK_EQ(status(), LB_SCSI_GOOD);
    CHECK_EQ(command.kind, LB_SCSI_KIND_OR);
    CHECK(command.force_unit_access);
    start("8b 00 0000000000000000 00000001 0000", true, 512);
    CHECK(!command.force_unit_access);
    start("8b 00 0000000000001000 00000001 0000", true, 512); /* beyond the end */
    CHECK_EQ(status(), 0x052100);
}

/* SPC-4 5.13.11.2.5: key 0 preempts all of whom it is. */
static void preempting_all_registrants_leaves_the_one_who_did(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, RESERVE, WRITES_ALL, 0x10, 0, 0), 0);
    CHECK_EQ(say(YOU, PREEMPT, WRITES, 0x11, 0, 0), 0);
    CHECK_EQ(unit.registration_count, 1);
    CHECK_EQ(unit.reservation_type, WRITES);
    CHECK(gives("5e 01 00 00000000 00ff 00",
                "00000004 00000010 0000000000000011 00000000 00 01 0000"));
    CHECK_EQ(told(ME), 0x2a05);
    CHECK_EQ(told(YOU), 0);
    CHECK_EQ(told(THEY), 0x2a05);
    begin();
    register_all();
    CHECK_EQ(say(YOU, PREEMPT, WRITES, 0x11, 0, 0), 0x052600); /* nothing is reserved */
}

/* The holder takes its own reservation over: its type changes, and the others are told. */
static void preempting_oneself_changes_the_type(void) {
    begin();
    register_all();
    CHECK_EQ(say(ME, RESERVE, WRITES, 0x10, 0, 0), 0);
    CHECK_EQ(say(ME, PREEMPT, WRITES_REGISTRANTS, 0x10, 0x10, 0), 0);
    CHECK_EQ(unit.registration_count, 3);
    CHECK_EQ(unit.reservation_type, WRITES_REGISTRANTS);
    CHECK(gives("5e 01 00 00000000 00ff 00",
                "00000004 00000010 0000000000000010 00000000 00 05 0000"));
    CHECK_EQ(told(ME), 0);
    CHECK_EQ(told(YOU), 0x2a04);
    CHECK_EQ(told(THEY), 0x2a04);
    CHECK_EQ(say(ME, PREEMPT, 2, 0x10, 0x10, 0), 0x052400); /* no such type */
    CHECK_EQ(unit.reservation_type, WRITES_REGISTRANTS);
    CHECK(!command.aborts);
    CHECK_EQ(say(ME, PREEMPT_ABORT, WRITES_REGISTRANTS, 0x10, 0x11, 0), 0);
    CHECK(command.aborts);
}

int main(void) {
    TEST(the_page_of_names_is_as_spc_4_has_it);
    TEST(inquiry_says_what_the_unit_is);
    TEST(inquiry_of_a_command_is_invalid);
    TEST(the_log_of_a_thin_disk_counts_in_units_of_2048_blocks);
    TEST(odd_questions_for_a_log_are_invalid);
    TEST(a_reply_is_cut_where_the_command_says);
    TEST(a_list_of_mode_pages_says_how_long_it_is);
    TEST(write_same_without_data_writes_zeros);
    TEST(a_verify_that_compares_nothing_leaves_the_data);
    TEST(no_control_byte_is_read_of_a_cdb_of_unknown_length);
    TEST(what_moves_as_much_as_is_expected_has_no_residual);
    TEST(the_list_of_commands_has_the_length_of_each_cdb);
    TEST(the_functions_of_task_management_are_reported);
    TEST(luns_are_reported_by_what_is_asked_for);
    TEST(each_command_of_the_list_is_known);
    TEST(a_medium_leaves_by_an_eject_alone);
    TEST(a_key_is_changed_by_who_knows_it);
    TEST(the_full_status_lists_each_port);
    TEST(a_release_is_told_to_registrants_where_it_was_theirs);
    TEST(a_reservation_that_another_holds_is_a_conflict);
    TEST(of_all_registrants_each_is_a_holder_until_the_last_has_left);
    TEST(clearing_takes_all_keys_and_tells_the_others);
    TEST(preempting_a_key_that_nobody_has_is_a_conflict);
    TEST(a_read_of_six_bytes_has_256_blocks_where_it_says_none);
    TEST(each_range_to_unmap_has_its_own_blocks);
    TEST(sense_is_told_in_both_formats);
    TEST(a_unit_attention_that_nobody_heard_waits_again);
    TEST(mode_pages_may_be_changed_where_they_say_so);
    TEST(a_failed_command_has_sense_of_18_bytes);
    TEST(a_list_that_is_too_long_is_refused);
    TEST(write_same_of_no_blocks_goes_to_the_end);
    TEST(an_orwrite_of_no_blocks_does_nothing);
    TEST(preempting_all_registrants_leaves_the_one_who_did);
    TEST(preempting_oneself_changes_the_type);
    return tap_done();
}
