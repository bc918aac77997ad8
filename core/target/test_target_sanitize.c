/* SANITIZE: what it asks of the host, and what others see meanwhile. SBC-3 4.11, 5.32. */
#include "core/target/test_target_two.h"
#include <stdio.h>
#include <string.h>

static void log_in_to_one_that_can(void) {
    raw.goes_on = raw.fails_sanitize = raw.refuses_sanitize = false;
    log_in_both();
    raw.goes_on = raw.fails_sanitize = raw.refuses_sanitize = false;
    raw.unit.sanitize = (struct lb_scsi_sanitize){0};
    raw.unit.can_sanitize = true;
}

/* Without a wait for its answer. */
static void tell(unsigned who, const char *cdb, struct lb_bytes data) {
    struct lb_bytes bytes = tap_hex(cdb);
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_SCSI_COMMAND,
                               .final = true,
                               .itt = ++raw.itt,
                               .cmd_sn = cmd_sns[who]++,
                               .command = {.write = data.len > 0, .edtl = (uint32_t)data.len}};
    memcpy(pdu.command.cdb, bytes.p, bytes.len);
    speak(who);
    give(pdu, data);
}

/* What it gets once it is looked at. */
static unsigned answer_to(unsigned who) {
    speak(who);
    serve();
    return take_op(LB_OP_SCSI_RESPONSE) ? raw.pdu.response.status : 0xffu;
}

/* Sense-key specific: progress, of 65536. */
static unsigned progress(void) {
    const uint8_t *p = raw.data.p + 2;
    return CHECK_EQ(raw.data.len, 20) && CHECK_EQ(p[15], 0x80) ? (unsigned)p[16] << 8 | p[17] : 0;
}

/* SBC-3 5.32 */
static void sanitize_erases_all_blocks_and_takes_no_list(void) {
    log_in_to_one_that_can();
    raw.unit.can_sanitize = false;
    CHECK_EQ(ASK(ME, "48 02 0000000000 0000 00", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052000); /* not every disk can */
    raw.unit.can_sanitize = true;
    static const char *const wrong[] = {"48 42 0000000000 0000 00", "48 02 0100000000 0000 00",
                                        "48 02 0000000001 0000 00", "48 02 0000000000 0100 00",
                                        "48 03 0000000000 0000 00", "48 01 0000000000 0000 00",
                                        "48 00 0000000000 0000 00", "48 5f 0000000000 0000 00"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        CHECK_EQ(ASK(ME, wrong[i], 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x052400);
    }
    CHECK_EQ(SAY(ME, "48 02 0000000000 0008 00", filled(0, 8)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_GOOD);
    CHECK_EQ(ASK(ME, "48 02 0000000000 0000 00", 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(ASK(YOU, "17 0000000000", 0), LB_SCSI_GOOD);
    raw.unit.write_protected = true;
    CHECK_EQ(ASK(ME, "48 82 0000000000 0000 00", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x072702);
    raw.unit.write_protected = false;
    CHECK(is_filled(9, 1, 9));
    CHECK_EQ(ASK(ME, "48 1f 0000000000 0000 00", 0), LB_SCSI_GOOD); /* EXIT FAILURE MODE */
    CHECK(is_filled(9, 1, 9));
    CHECK_EQ(ASK(ME, "48 82 0000000000 0000 00", 0), LB_SCSI_GOOD); /* IMMED */
    CHECK(is_filled(0, DISK_BYTES / 512, 0));
    CHECK_EQ(ASK(ME, "12 01 b1 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.p[7], 0x40);
}

/* The list: count 1, then 3 bytes of pattern for each block. */
static void overwrite_begins_each_block_with_its_pattern(void) {
    log_in_to_one_that_can();
    CHECK_EQ(SAY(ME, "48 01 0000000000 0007 00", tap_hex("01 00 0003 a1b2c3")), LB_SCSI_GOOD);
    CHECK_EQ(raw.sanitized.sanitize, LB_SCSI_OVERWRITE);
    CHECK(raw.sanitized.is_restricted);
    for (size_t i = 0; i < DISK_BYTES; i++)
        if (!CHECK_EQ(raw.disk[i], i % 512 % 3 == 0 ? 0xa1 : i % 512 % 3 == 1 ? 0xb2 : 0xc3))
            return;
    CHECK_EQ(raw.releases, 1); /* of the list */
    CHECK_EQ(SAY(ME, "48 21 0000000000 0005 00", tap_hex("9f 00 0001 77")), LB_SCSI_GOOD);
    CHECK(!raw.sanitized.is_restricted); /* AUSE */
    CHECK(is_filled(0, DISK_BYTES / 512, 0x77));
}

static void overwrite_takes_no_list_that_is_against_the_rules(void) {
    static const struct {
        const char *cdb, *list;
        unsigned sense;
    } wrong[] = {
        {"48 01 0000000000 0005 00", "00 00 0001 77", 0x052600},   /* OVERWRITE COUNT 0 */
        {"48 01 0000000000 0005 00", "21 00 0001 77", 0x052600},   /* TEST */
        {"48 01 0000000000 0005 00", "41 00 0001 77", 0x052600},   /* TEST */
        {"48 01 0000000000 0005 00", "01 01 0001 77", 0x052600},   /* reserved */
        {"48 01 0000000000 0005 00", "01 00 0000 77", 0x052600},   /* no pattern */
        {"48 01 0000000000 0005 00", "01 00 0002 77", 0x052600},   /* half of it */
        {"48 01 0000000000 0006 00", "01 00 0001 7777", 0x052600}, /* and more */
        {"48 01 0000000000 0006 00", "01 00 0001 77", 0x051a00},   /* the list is cut */
        {"48 01 0000000000 0004 00", "01 00 0001", 0x052400},      /* too short to be one */
        {"48 01 0000000000 0000 00", "01 00 0001", 0x052400},      /* none */
        {"48 01 0000000001 0005 00", "01 00 0001 77", 0x052400},   /* reserved */
        {"48 41 0000000000 0005 00", "01 00 0001 77", 0x052400},   /* reserved */
    };
    uint8_t long_list[512 + 5] = {1, 0, 2, 1};
    log_in_to_one_that_can();
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        CHECK_EQ(SAY(ME, wrong[i].cdb, tap_hex(wrong[i].list)), LB_SCSI_CHECK_CONDITION);
        if (!CHECK_EQ(sense(), wrong[i].sense))
            printf("# list %s\n", wrong[i].list);
    }
    CHECK_EQ(SAY(ME, "48 01 0000000000 0205 00", lb_bytes(long_list, 517)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400); /* longer than a block */
    CHECK(is_filled(9, 1, 9));
    long_list[3] = 0;
    CHECK_EQ(SAY(ME, "48 01 0000000000 0204 00", lb_bytes(long_list, 516)), LB_SCSI_GOOD);
    CHECK(is_filled(0, DISK_BYTES / 512, 0)); /* a whole block is none too long */
}

static void the_last_pass_writes_the_pattern_as_it_is(void) {
    static const struct {
        const char *list;
        const char *passes;
    } cases[] = {{"81 00 0001 77", "p"},
                 {"82 00 0001 77", "ip"},
                 {"83 00 0001 77", "pip"},
                 {"03 00 0001 77", "ppp"}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_scsi_overwrite overwrite;
        CHECK(lb_scsi_overwrite_read(tap_hex(cases[i].list), 512, &overwrite));
        CHECK_EQ(overwrite.passes, strlen(cases[i].passes));
        for (unsigned pass = 0; pass < overwrite.passes; pass++)
            CHECK_EQ(lb_scsi_overwrite_is_inverted(&overwrite, pass), cases[i].passes[pass] == 'i');
    }
}

static void while_it_goes_on_others_are_told_how_far_it_is(void) {
    static const char *const refused[] = {
        "00 0000000000",
        "28 00 00000009 00 0000 00",
        "1a 00 08 00 00 00",
        "5e 00 0000000000 0000 00",
        "1b 00 00 00 01 00",
        "35 00 00000000 00 0000 00",
        "48 02 0000000000 0000 00",
        "48 1f 0000000000 0000 00",
    };
    log_in_to_one_that_can();
    raw.goes_on = true;
    CHECK_EQ(SAY(ME, "48 81 0000000000 0005 00", tap_hex("01 00 0001 77")), LB_SCSI_GOOD);
    lb_scsi_sanitize_progress(&raw.unit, 1, 4);
    for (size_t i = 0; i < LB_COUNT(refused); i++) {
        CHECK_EQ(ASK(YOU, refused[i], 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x02041b);
        CHECK_EQ(progress(), 0x4000);
    }
    CHECK_EQ(ASK(YOU, "12 00 00 0024 00", 36), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "a0 00 00000000 00000010 0000", 16), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "03 00 0000 12 00", 18), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("70 00 02 00000000 0a 00000000 041b 00 80 4000"));
    CHECK_EQ(ASK(YOU, "03 01 0000 ff 00", 255), LB_SCSI_GOOD); /* by descriptors */
    CHECK_BYTES(raw.data, tap_hex("72 02 041b 000000 08 02 06 0000 80 4000 00"));
    lb_scsi_sanitize_end(&raw.unit, true);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "03 00 0000 12 00", 18), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("70 00 00 00000000 0a 00000000 0000 00 00 0000"));
}

/* Where a host finds that its disk is being sanitized, it is told how far it is. Other answers that
 * are NOT READY, or have that additional code, are passed on as they are. */
static void a_host_that_says_so_says_how_far_it_is(void) {
    static const struct {
        uint8_t key, asc, ascq;
        bool has_progress;
    } cases[] = {{2, 0x04, 0x1b, true},
                 {3, 0x04, 0x1b, false},
                 {2, 0x05, 0x1b, false},
                 {2, 0x04, 0x1c, false}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        log_in_to_one_that_can();
        speak(ME);
        raw.holds = true;
        tell(ME, "28 00 00000000 00 0000 00", nothing);
        tell(ME, "35 00 00000000 00 0000 00", nothing);
        lb_scsi_sanitize_begin(&raw.unit, false);
        lb_scsi_sanitize_progress(&raw.unit, 1, 4);
        if (CHECK_EQ(raw.held_count, 1))
            lb_target_io_done(raw.to, raw.now, raw.held[0],
                              (struct lb_target_answer){.status = LB_SCSI_CHECK_CONDITION,
                                                        .key = cases[i].key,
                                                        .asc = cases[i].asc,
                                                        .ascq = cases[i].ascq});
        raw.held_count = 0;
        raw.holds = false;
        serve();
        CHECK(take_op(LB_OP_SCSI_RESPONSE)); /* the READ of no blocks */
        CHECK_EQ(raw.pdu.response.status, LB_SCSI_GOOD);
        CHECK(take_op(LB_OP_SCSI_RESPONSE));
        CHECK_EQ(raw.pdu.response.status, LB_SCSI_CHECK_CONDITION);
        unsigned said = cases[i].key << 16 | cases[i].asc << 8 | cases[i].ascq;
        CHECK_EQ(sense(), said);
        if (cases[i].has_progress)
            CHECK_EQ(progress(), 0x4000);
        else
            CHECK_EQ(raw.data.p[2 + 15], 0);
    }
}

static void without_immed_it_is_answered_at_its_end(void) {
    log_in_to_one_that_can();
    raw.goes_on = true;
    for (unsigned is_done = 0; is_done < 2; is_done++) {
        tell(ME, "48 01 0000000000 0005 00", tap_hex("01 00 0001 77"));
        speak(ME);
        serve();
        CHECK(!take());
        CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x02041b);
        lb_scsi_sanitize_end(&raw.unit, is_done);
        CHECK_EQ(answer_to(ME), is_done ? LB_SCSI_GOOD : LB_SCSI_CHECK_CONDITION);
        if (!is_done)
            CHECK_EQ(sense(), 0x033103);
    }
    CHECK_EQ(raw.releases, 2);
}

static void what_it_waits_for_goes_on_when_it_is_aborted(void) {
    log_in_to_one_that_can();
    raw.goes_on = true;
    tell(ME, "48 02 0000000000 0000 00", nothing);
    struct lb_iscsi_pdu abort = tmf(LB_TMF_ABORT_TASK, raw.itt);
    abort.cmd_sn = cmd_sns[ME];
    give(abort, nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    struct lb_iscsi_pdu reset = tmf(LB_TMF_LUN_RESET, 0xffffffff);
    reset.cmd_sn = cmd_sns[ME];
    give(reset, nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.unit.sanitize.state, LB_SCSI_SANITIZE_GOES_ON);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062903); /* the reset */
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x02041b);
    lb_scsi_sanitize_end(&raw.unit, true);
    speak(ME);
    serve();
    CHECK(!take()); /* of the aborted command */
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_GOOD);
}

static void a_failure_lasts_until_it_is_sent_again(void) {
    log_in_to_one_that_can();
    raw.fails_sanitize = true;
    CHECK_EQ(ASK(ME, "48 02 0000000000 0000 00", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x033103);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x033103);
    CHECK_EQ(ASK(YOU, "12 00 00 0024 00", 36), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "03 00 0000 12 00", 18), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("70 00 03 00000000 0a 00000000 3103 00 00 0000"));
    raw.fails_sanitize = false;
    CHECK_EQ(ASK(YOU, "48 1f 0000000000 0000 00", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400); /* it was without AUSE */
    CHECK_EQ(ASK(YOU, "48 22 0000000000 0000 00", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400); /* and so must the next one be */
    CHECK_EQ(ASK(YOU, "48 02 0000000000 0000 00", 0), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
}

static void with_ause_exit_failure_mode_ends_a_failure(void) {
    log_in_to_one_that_can();
    raw.fails_sanitize = true;
    CHECK_EQ(SAY(ME, "48 21 0000000000 0005 00", tap_hex("01 00 0001 77")),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x033103);
    raw.fails_sanitize = false;
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(ASK(ME, "48 1f 0000000000 0000 00", 0), LB_SCSI_GOOD);
    CHECK_EQ(raw.sanitized.sanitize, LB_SCSI_EXIT_FAILURE);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_GOOD);
}

static void what_cannot_begin_fails_and_changes_nothing(void) {
    log_in_to_one_that_can();
    raw.refuses_sanitize = true;
    CHECK_EQ(SAY(ME, "48 81 0000000000 0005 00", tap_hex("01 00 0001 77")),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x072707);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_GOOD);
    CHECK(is_filled(9, 1, 9));
    CHECK_EQ(raw.releases, 1);
}

/* SPC-4 6.35: 2 TiB at 64 MiB a second; and 31 passes of it at 8 MiB a second. */
static void its_timeouts_are_those_of_the_disk(void) {
    log_in_to_one_that_can();
    raw.unit.blocks = UINT64_C(1) << 32;
    CHECK_EQ(ASK(ME, "a3 0c 82 48 0001 00001000 0000", 4096), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00 83 000a 48a10000000000ffff00 000a 0000 0000801e 007c003c"));
    CHECK_EQ(ASK(ME, "a3 0c 82 48 0002 00001000 0000", 4096), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00 83 000a 48a20000000000ffff00 000a 0000 0000001e 0000003c"));
    CHECK_EQ(ASK(ME, "a3 0c 02 48 0003 00001000 0000", 4096), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00 01 0000")); /* CRYPTOGRAPHIC ERASE */
    raw.unit.blocks = DISK_BYTES / 512;
}

static void progress_is_told_of_any_size(void) {
    struct lb_scsi_unit unit = {0};
    static const struct {
        uint64_t done, total;
        unsigned progress;
    } cases[] = {{0, 1, 0},
                 {1, 1, 0xffff},
                 {1, 3, 0x5555},
                 {UINT64_C(1) << 62, UINT64_C(1) << 63, 0x8000},
                 {65535, 65536, 0xffff},
                 {UINT64_MAX, UINT64_MAX, 0xffff}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        lb_scsi_sanitize_begin(&unit, false);
        lb_scsi_sanitize_progress(&unit, cases[i].done, cases[i].total);
        CHECK_EQ(unit.sanitize.progress, cases[i].progress);
    }
}

int main(void) {
    TEST(sanitize_erases_all_blocks_and_takes_no_list);
    TEST(overwrite_begins_each_block_with_its_pattern);
    TEST(overwrite_takes_no_list_that_is_against_the_rules);
    TEST(the_last_pass_writes_the_pattern_as_it_is);
    TEST(while_it_goes_on_others_are_told_how_far_it_is);
    TEST(a_host_that_says_so_says_how_far_it_is);
    TEST(without_immed_it_is_answered_at_its_end);
    TEST(what_it_waits_for_goes_on_when_it_is_aborted);
    TEST(a_failure_lasts_until_it_is_sent_again);
    TEST(with_ause_exit_failure_mode_ends_a_failure);
    TEST(what_cannot_begin_fails_and_changes_nothing);
    TEST(its_timeouts_are_those_of_the_disk);
    TEST(progress_is_told_of_any_size);
    return tap_done();
}
