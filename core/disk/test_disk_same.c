/* It is the same disk, or not a block of it is read or written: after each new login, and whenever
 * the target says that something changed. */
#include "core/disk/test_disk.h"

#define FIRST  "00 83 000c 01 03 00 08 6001405000000001"
#define SECOND "00 83 000c 01 03 00 08 6001405000000002"

static const char first[] = "naa.6001405000000001", second[] = "naa.6001405000000002";

static unsigned data_commands(void) {
    return d.count[LB_SCSI_READ_10] + d.count[LB_SCSI_WRITE_10] +
           d.count[LB_SCSI_SYNCHRONIZE_CACHE_10];
}

/* From now on the target's LUN is another disk, or looks like one. */
static void swap(enum lb_disk_question question, const char *reply) {
    disk_reply(question, reply);
    memset(d.memory, 0xee, sizeof d.memory);
}

static void new_login(void) {
    disk_cut();
    disk_pass(10 * SEC);
}

static void check_changed(const struct lb_disk_op *op, const char *facts) {
    disk_check_end(op, LB_E_DISK_CHANGED, facts);
}

/* ---- after a new login ---------------------------------------------------------------------- */

static void after_a_new_login_another_disk_ends_all_requests(void) {
    struct lb_disk_op *ops[6];
    if (!disk_bring_up())
        return;
    for (unsigned i = 0; i < LB_COUNT(ops); i++)
        ops[i] = disk_submit(i % 3 == 0   ? LB_DISK_READ
                             : i % 3 == 1 ? LB_DISK_WRITE
                                          : LB_DISK_FLUSH,
                             i, i % 3 == 2 ? 0 : 600);
    swap(LB_ASK_IDS, SECOND);
    new_login();
    for (unsigned i = 0; i < LB_COUNT(ops); i++) {
        check_changed(ops[i], first);
        CHECK_HAS(ops[i]->error.facts, second);
        CHECK_HAS(ops[i]->error.facts, "192.0.2.1:3260");
    }
    CHECK_EQ(data_commands(), 0); /* not one reached it */
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_ENDED);
    CHECK_EQ(lb_initiator_error(&peer.session)->code, LB_E_DISK_CHANGED);
    disk_run(LB_DISK_READ, 7, 1, LB_E_DISK_CHANGED, first);
    disk_run(LB_DISK_WRITE, 7, 1, LB_E_DISK_CHANGED, first);
    disk_run(LB_DISK_FLUSH, 0, 0, LB_E_DISK_CHANGED, first);
    CHECK_EQ(data_commands(), 0);
}

static void a_read_that_was_answered_in_part_is_not_finished_by_another_disk(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 1, .is_silent = true});
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 0, 2048); /* four commands */
    disk_pass(SEC);
    CHECK_EQ(op->done, 1536);
    swap(LB_ASK_IDS, SECOND);
    new_login();
    check_changed(op, second);
    CHECK_EQ(d.count[LB_SCSI_READ_10], 4);
}

static void the_same_disk_goes_on_after_a_new_login(void) {
    if (!disk_bring_up())
        return;
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 600);
    new_login();
    disk_check_end(op, LB_OK, "");
    CHECK(memcmp(d.buffer, d.memory + 5 * 512, 600 * 512) == 0);
    CHECK_EQ(d.log[0].op, LB_SCSI_TEST_UNIT_READY); /* the proof comes before the data */
    CHECK_EQ(d.count[LB_SCSI_REPORT_LUNS], 0);
}

static void another_disk_is_seen_without_a_request_too(void) {
    if (!disk_bring_up())
        return;
    swap(LB_ASK_IDS, SECOND);
    new_login();
    CHECK_EQ(lb_disk_error(&d.disk)->code, LB_E_DISK_CHANGED);
    CHECK(!lb_disk_is_up(&d.disk));
}

static void the_proof_is_begun_anew_in_the_next_login(void) {
    if (!disk_bring_up())
        return;
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    disk_fails((struct ending){.op = LB_SCSI_READ_CAPACITY_10, .times = 1, .is_silent = true});
    new_login(); /* its names are answered by the first disk, its size not at all */
    CHECK_EQ(d.completions[op->user], 0);
    swap(LB_ASK_IDS, SECOND);
    new_login();
    check_changed(op, second);
    CHECK_EQ(data_commands(), 0);
}

static void a_machine_that_slept_looks_again(void) {
    disk_init();
    peer.config.ping_ms = 10000;
    if (!disk_comes_up())
        return;
    swap(LB_ASK_IDS, SECOND);
    peer.now += LB_INITIATOR_SLEPT_MS * MS + 11 * SEC;
    disk_pass(SEC);
    disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, second);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    CHECK_EQ(data_commands(), 0);
}

/* ---- after an answer that nobody saw --------------------------------------------------------- */

/* It may have been the UNIT ATTENTION that tells of the other disk. */
static void after_an_aborted_command_another_disk_ends_all_requests(void) {
    static const enum lb_disk_kind kinds[] = {LB_DISK_READ, LB_DISK_WRITE};
    for (unsigned i = 0; i < LB_COUNT(kinds); i++) {
        uint8_t op = kinds[i] == LB_DISK_READ ? LB_SCSI_READ_10 : LB_SCSI_WRITE_10;
        disk_init();
        peer.config.task_ms = 1000;
        if (!disk_comes_up())
            return;
        d.is_managed = true;
        disk_fails((struct ending){.op = op, .times = 1, .is_silent = true});
        struct lb_disk_op *first_op = disk_submit(kinds[i], 5, 1);
        disk_pass(SEC / 2);
        swap(LB_ASK_IDS, SECOND);
        disk_pass(3 * SEC);
        check_changed(first_op, second);
        CHECK_EQ(d.count[op], 1);
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    }
}

static void after_an_aborted_command_the_same_disk_goes_on(void) {
    disk_init();
    peer.config.task_ms = 1000;
    if (!disk_comes_up())
        return;
    d.is_managed = true;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 1, .is_silent = true});
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_READ_10], 2);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

/* A flush that is silent is given up, and with it the answer that may come late. */
static void after_a_flush_that_was_given_up_another_disk_is_seen(void) {
    disk_init();
    peer.config.task_ms = 1000;
    if (!disk_comes_up())
        return;
    d.is_managed = true;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_fails(
        (struct ending){.op = LB_SCSI_SYNCHRONIZE_CACHE_10, .times = ALWAYS, .is_silent = true});
    struct lb_disk_op *flush = disk_submit(LB_DISK_FLUSH, 0, 0);
    disk_pass(SEC / 2);
    swap(LB_ASK_IDS, SECOND);
    disk_pass(6 * SEC);
    CHECK_EQ(d.completions[flush->user], 1);
    disk_run(LB_DISK_WRITE, 7, 1, LB_E_DISK_CHANGED, second);
    CHECK_EQ(d.count[LB_SCSI_WRITE_10], 1);
}

/* ---- after a unit attention ----------------------------------------------------------------- */

static const uint8_t attentions[][2] = {{0x28, 0x00}, {0x29, 0x00}, {0x29, 0x01}, {0x29, 0x07},
                                        {0x2a, 0x01}, {0x2a, 0x09}, {0x3f, 0x02}, {0x3f, 0x03},
                                        {0x3f, 0x05}, {0x3f, 0x0e}, {0x90, 0x01}};

static void a_unit_attention_may_mean_another_disk(void) {
    for (size_t i = 0; i < LB_COUNT(attentions); i++) {
        if (!disk_bring_up())
            return;
        swap(LB_ASK_IDS, SECOND);
        disk_attention(attentions[i][0], attentions[i][1]);
        disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, second);
        CHECK_EQ(d.count[LB_SCSI_READ_10], 1);
        disk_run(LB_DISK_WRITE, 5, 1, LB_E_DISK_CHANGED, second);
        CHECK_EQ(d.count[LB_SCSI_WRITE_10], 0);
    }
}

static void or_the_same(void) {
    for (size_t i = 0; i < LB_COUNT(attentions); i++) {
        if (!disk_bring_up())
            return;
        disk_attention(attentions[i][0], attentions[i][1]);
        uint64_t start = peer.now;
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        CHECK(peer.now - start < 5 * MS);
        CHECK_EQ(d.count[LB_SCSI_READ_10], 2);
    }
}

/* They were executed after the change: their data is the other disk's. */
static void what_was_in_flight_at_a_unit_attention_is_not_believed(void) {
    struct lb_disk_op *ops[8];
    if (!disk_bring_up())
        return;
    swap(LB_ASK_IDS, SECOND);
    disk_attention(0x3f, 0x03);
    for (unsigned i = 0; i < LB_COUNT(ops); i++)
        ops[i] = disk_submit(i < 5 ? LB_DISK_READ : LB_DISK_WRITE, i, 1);
    disk_pass(SEC);
    CHECK(d.count[LB_SCSI_READ_10] + d.count[LB_SCSI_WRITE_10] == 8);
    for (unsigned i = 0; i < LB_COUNT(ops); i++)
        check_changed(ops[i], second);
}

static void what_was_in_flight_is_issued_again_to_the_same_disk(void) {
    struct lb_disk_op *ops[8];
    if (!disk_bring_up())
        return;
    disk_attention(0x3f, 0x03);
    for (unsigned i = 0; i < LB_COUNT(ops); i++)
        ops[i] = disk_submit(i < 5 ? LB_DISK_READ : LB_DISK_WRITE, i, 1);
    disk_pass(SEC);
    for (unsigned i = 0; i < LB_COUNT(ops); i++)
        disk_check_end(ops[i], LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_READ_10], 10);
    CHECK_EQ(d.count[LB_SCSI_WRITE_10], 6);
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 2); /* one round: INQUIRY, its names */
}

/* The names may have been the first disk's, and the capacity that comes behind them is not. */
static void a_change_during_the_proof_asks_for_another_round(void) {
    if (!disk_bring_up())
        return;
    disk_attention(0x29, 0x00);
    disk_fails((struct ending){
        .op = LB_SCSI_READ_CAPACITY_10, .times = 1, .status = 2, .key = 6, .asc = 0x3f, .ascq = 3});
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 4);
}

static void what_is_no_concern_of_the_disk_costs_no_proof(void) {
    if (!disk_bring_up())
        return;
    disk_attention(0x2a, 0x06);
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 0);
}

/* Who answers in between, before it is back? */
static void a_disk_that_was_swapped_and_is_back_gives_no_data_from_between(void) {
    if (!disk_bring_up())
        return;
    disk_attention(0x3f, 0x03);
    disk_submit(LB_DISK_READ, 1, 1);
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    memset(d.memory + 5 * 512, 0xee, 512);
    (void)disk_turn_session();
    disk_serve(); /* the attention, and 0xee */
    memset(d.memory + 5 * 512, 0x11, 512);
    disk_pass(SEC);
    disk_check_end(op, LB_OK, "");
    for (size_t i = 0; i < 512; i++)
        if (!CHECK_EQ(d.buffer[i], 0x11))
            return;
}

/* ---- by which it is known ------------------------------------------------------------------- */

struct proof {
    enum lb_disk_question question; /* LB_ASK_COUNT: nothing changes */
    const char *reply, *facts;      /* facts NULL: it is the same */
};

#define INQUIRY(vendor, revision)                                                                  \
    "00 00 06 02 1f 00 00 00" vendor                                                               \
    "20 20 20 20 42 69 67 20 44 69 73 6b 20 20 20 20 20 20 20 20" revision

static void check_proofs(const char *names, const char *serial, const struct proof *proofs,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        disk_init();
        disk_reply(LB_ASK_IDS, names);
        disk_reply(LB_ASK_SERIAL, serial);
        if (!disk_comes_up())
            return;
        disk_reply(proofs[i].question, proofs[i].reply);
        disk_cut();
        if (proofs[i].facts == NULL)
            disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        else
            disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, proofs[i].facts);
    }
}

static void by_its_name(void) {
    static const struct proof proofs[] = {
        {LB_ASK_IDS, SECOND, "it was naa.6001405000000001, and is naa.6001405000000002"},
        {LB_ASK_IDS, "00 83 000b 01 03 00 07 60014050000000", "and is naa.60014050000000"},
        {LB_ASK_IDS, "00 83 000c 01 13 00 08 6001405000000001", "gives no name now"}, /* a port's */
        {LB_ASK_IDS, "00 83 0000", "gives no name now"},
        {LB_ASK_IDS, "00 83 000c 01 02 00 08 6001405000000001", "and is eui.6001405000000001"},
        /* more names, and in another order */
        {LB_ASK_IDS, "00 83 0018 01 03 00 08 6001405000000009 01 03 00 08 6001405000000001", NULL},
        {LB_ASK_SERIAL, "00 80 0004 53 4e 30 38", NULL},               /* some are a controller's */
        {LB_ASK_INQUIRY, INQUIRY("41 63 6d 65", "32 2e 30 20"), NULL}, /* new firmware */
        {LB_ASK_INQUIRY, "05 00 06 02 00", "it was a disk"},
    };
    check_proofs(FIRST, "00 80 0004 53 4e 30 37", proofs, LB_COUNT(proofs));
}

/* tgt, IET: numbers of the target and the LUN, which other disks get, too. */
static void by_a_name_that_is_not_unique_and_the_serial_number(void) {
    static const struct proof proofs[] = {
        {LB_ASK_COUNT - 1, "", NULL},
        {LB_ASK_SERIAL, "00 80 0004 53 4e 30 38", "and is serial number SN08"},
        {LB_ASK_SERIAL, "00 80 0000", "and is serial number (none)"},
        {LB_ASK_IDS, "00 83 001a 02 01 00 0a 49455420202020203132 01 03 00 08 3000000000000001",
         "it was t10.IET     11, and is t10.IET     12"},
    };
    check_proofs("00 83 001a 02 01 00 0a 49455420202020203131 01 03 00 08 3000000000000001",
                 "00 80 0004 53 4e 30 37", proofs, LB_COUNT(proofs));
}

static void else_by_its_serial_number(void) {
    static const struct proof proofs[] = {
        {LB_ASK_SERIAL, "00 80 0004 53 4e 30 38",
         "it was serial number SN07, and is serial number SN08"},
        {LB_ASK_SERIAL, "00 80 0005 53 4e 30 37 37", "and is serial number SN077"},
        {LB_ASK_SERIAL, "00 80 0000", "and is serial number (none)"},
        {LB_ASK_SERIAL, "00 80 0006 20 53 4e 30 37 20", NULL}, /* blanks around it */
        {LB_ASK_INQUIRY, INQUIRY("41 63 6d 66", "31 2e 30 20"),
         "it was Acme Big Disk 1.0, and is Acmf Big Disk 1.0"},
        {LB_ASK_INQUIRY, INQUIRY("41 63 6d 65", "32 2e 30 20"), NULL},
    };
    check_proofs("00 83 0000", "00 80 0004 53 4e 30 37", proofs, LB_COUNT(proofs));
}

static void else_by_what_it_looks_like(void) {
    static const struct proof proofs[] = {
        {LB_ASK_COUNT - 1, "", NULL},
        {LB_ASK_INQUIRY, INQUIRY("41 63 6d 66", "31 2e 30 20"), "and is Acmf Big Disk 1.0"},
        {LB_ASK_INQUIRY, INQUIRY("41 63 6d 65", "32 2e 30 20"), "and is Acme Big Disk 2.0"},
        {LB_ASK_CAPACITY_16,
         "0000000000002000 00000200 0000 0000 00000000 00000000 00000000 00000000",
         "it had 8192 blocks of 512 bytes, and has 8193 blocks of 512 bytes"},
    };
    check_proofs("00 83 0000", "00 80 0000", proofs, LB_COUNT(proofs));
}

static void with_size(uint64_t last, uint32_t block_bytes, enum lb_code code, const char *facts) {
    if (!disk_bring_up())
        return;
    disk_capacity(last, block_bytes);
    disk_attention(0x2a, 0x09);
    disk_run(LB_DISK_READ, 5, 1, code, facts);
}

static void a_disk_may_grow_and_may_not_shrink(void) {
    with_size(8191, 512, LB_OK, "");
    with_size(99999, 512, LB_OK, "");
    CHECK_EQ(lb_disk_info(&d.disk)->blocks, 100000);
    disk_attention(0x2a, 0x09);
    disk_capacity(8191, 512); /* back to what it was at first: it has shrunk since */
    disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, "it had 100000 blocks");
    with_size(99, 512, LB_E_DISK_CHANGED, "and has 100 blocks of 512 bytes");
    with_size(99999, 4096, LB_E_DISK_CHANGED, "and has 100000 blocks of 4096 bytes");
}

/* ---- not proven yet ------------------------------------------------------------------------- */

static void gone(const char *inquiry, const char *names) {
    disk_reply(LB_ASK_INQUIRY, inquiry);
    disk_reply(LB_ASK_IDS, names);
    disk_cut();
}

static const char there[] = "00 00 06 02 1f 00 00 00 41 63 6d 65 20 20 20 20"
                            "42 69 67 20 44 69 73 6b 20 20 20 20 20 20 20 20 31 2e 30 20";

static void a_target_that_is_still_starting_is_waited_for(void) {
    static const char *const inquiries[] = {"7f 00 06 02 00", "20 00 06 02 00", there};
    for (size_t i = 0; i < LB_COUNT(inquiries); i++) {
        if (!disk_bring_up())
            return;
        struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
        gone(inquiries[i], "00 83 0000");
        disk_pass(20 * SEC);
        CHECK_EQ(d.completions[op->user], 0);
        CHECK_EQ(data_commands(), 0);
        disk_reply(LB_ASK_INQUIRY, there);
        disk_reply(LB_ASK_IDS, FIRST);
        disk_pass(2 * SEC);
        disk_check_end(op, LB_OK, "");
    }
}

static void a_lun_that_comes_back_as_another_disk_is_not_used(void) {
    if (!disk_bring_up())
        return;
    struct lb_disk_op *op = disk_submit(LB_DISK_WRITE, 5, 1);
    gone("7f 00 06 02 00", "00 83 0000");
    disk_pass(20 * SEC);
    disk_reply(LB_ASK_INQUIRY, there);
    swap(LB_ASK_IDS, SECOND);
    disk_pass(2 * SEC);
    check_changed(op, second);
    CHECK_EQ(data_commands(), 0);
}

/* Without a unit attention, and without a new login. */
static void a_lun_that_was_gone_proves_that_it_is_the_same(void) {
    if (!disk_bring_up())
        return;
    swap(LB_ASK_IDS, SECOND);
    disk_fails(
        (struct ending){.op = LB_SCSI_READ_10, .times = 1, .status = 2, .key = 5, .asc = 0x25});
    disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, second);
    CHECK_EQ(d.count[LB_SCSI_READ_10], 1);
}

static void a_medium_that_was_out_proves_that_it_is_the_same(void) {
    if (!disk_bring_up())
        return;
    swap(LB_ASK_IDS, SECOND);
    disk_fails(
        (struct ending){.op = LB_SCSI_READ_10, .times = 1, .status = 2, .key = 2, .asc = 0x3a});
    disk_run(LB_DISK_READ, 5, 1, LB_E_NO_MEDIUM, "");
    disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_CHANGED, second);
    CHECK_EQ(d.count[LB_SCSI_READ_10], 1);
}

static void what_is_never_proven_is_told_after_a_minute_and_may_still_come_back(void) {
    if (!disk_bring_up())
        return;
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    gone(there, "00 83 0000");
    uint64_t start = peer.now;
    while (d.completions[op->user] == 0 && peer.now - start < 200 * SEC)
        disk_turn(peer.now + SEC);
    check_changed(op, "gives no name now");
    CHECK(peer.now - start >= LB_DISK_BUSY_MS * MS);
    CHECK(peer.now - start <= (LB_DISK_BUSY_MS + 10 * LB_DISK_DELAY_MAX_MS) * MS);
    CHECK_EQ(data_commands(), 0);
    disk_reply(LB_ASK_IDS, FIRST);
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
}

static void a_lun_that_stays_away_is_missing(void) {
    if (!disk_bring_up())
        return;
    gone("7f 00 06 02 00", "00 83 0000");
    disk_run(LB_DISK_READ, 5, 1, LB_E_LUN_MISSING, "192.0.2.1:3260");
    CHECK_EQ(data_commands(), 0);
}

/* ---- at the beginning ----------------------------------------------------------------------- */

static void check_all_of_the_second(void) {
    uint64_t end_us = peer.now + 120 * SEC;
    while (peer.now < end_us && !lb_disk_is_up(&d.disk))
        disk_turn(end_us);
    CHECK_STR(lb_disk_info(&d.disk)->id, second);
    CHECK_EQ(lb_disk_info(&d.disk)->blocks, 100);
    CHECK_STR(lb_disk_info(&d.disk)->serial, "SN08");
}

static void become_the_second(void) {
    disk_reply(LB_ASK_IDS, SECOND);
    disk_reply(LB_ASK_SERIAL, "00 80 0004 53 4e 30 38");
    disk_capacity(99, 512);
}

static void the_answers_of_two_logins_make_no_disk(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_MODE_SENSE_6, .times = 1, .is_silent = true});
    disk_begin();
    disk_pass(SEC); /* all is answered but one */
    become_the_second();
    disk_cut();
    check_all_of_the_second();
}

static void nor_do_those_before_and_after_a_unit_attention(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_MODE_SENSE_6, .times = 1, .status = 2, .key = 6, .asc = 0x3f, .ascq = 0x0e});
    disk_begin();
    (void)disk_turn_session();
    disk_serve();
    become_the_second();
    check_all_of_the_second();
}

/* TEST UNIT READY goes first, to meet UNIT ATTENTIONs; when it is asked again it is not the
 * first. */
static void nor_where_test_unit_ready_meets_it_after_other_answers(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 8});
    disk_fails((struct ending){
        .op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 2, .key = 6, .asc = 0x3f, .ascq = 3});
    disk_fails((struct ending){.op = LB_SCSI_SERVICE_ACTION_IN_16, .times = 1, .status = 8});
    disk_fails((struct ending){.op = LB_SCSI_READ_CAPACITY_10, .times = 1, .status = 8});
    disk_begin();
    disk_pass(MS); /* names and serial number are answered, TEST UNIT READY and the size not yet */
    CHECK_EQ(d.count[LB_SCSI_TEST_UNIT_READY], 1);
    become_the_second();
    check_all_of_the_second();
}

static void start_as(const struct lb_disk_identity *identity, const char *names) {
    disk_init();
    disk_reply(LB_ASK_IDS, names);
    d.expected = identity;
    disk_begin();
    CHECK(!lb_disk_is_sure(&d.disk));
    disk_pass(SEC);
}

static void a_disk_of_another_session_proves_that_it_is_the_same(void) {
    static struct lb_disk_identity identity;
    if (!disk_bring_up())
        return;
    identity = *lb_disk_identity(&d.disk);
    start_as(&identity, FIRST);
    CHECK(lb_disk_is_sure(&d.disk));
    start_as(&identity, "00 83 0000");
    CHECK(!lb_disk_is_sure(&d.disk));
    CHECK_EQ(lb_disk_doubts(&d.disk)->code, LB_E_DISK_CHANGED);
    disk_reply(LB_ASK_IDS, FIRST);
    disk_pass(2 * SEC);
    CHECK(lb_disk_is_sure(&d.disk));
    start_as(&identity, SECOND);
    CHECK(!lb_disk_is_sure(&d.disk));
    CHECK_EQ(lb_disk_error(&d.disk)->code, LB_E_DISK_CHANGED);
    CHECK_HAS(lb_disk_error(&d.disk)->facts, second);
}

/* ---- in words -------------------------------------------------------------------------------- */

/* Of a long name or serial number the beginning is shown: two of them fit an error's facts. */
static void a_disk_is_named_by_the_best_of_what_is_known(void) {
    char shown[300];
    struct lb_disk_identity identity = {.blocks = 7, .block_bytes = 512};
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_disk_identity_format(&text, &identity);
    CHECK_STR(shown, "7 blocks of 512 bytes");
    memset(identity.serial, 'S', identity.serial_len = 65);
    text = lb_text(shown, sizeof shown);
    lb_disk_identity_format(&text, &identity);
    CHECK_EQ(text.len, sizeof "serial number " - 1 + 64);
    CHECK_HAS(shown, "serial number SSSS");
    identity.name_type = 8;
    memset(identity.name, 'N', identity.name_len = 81);
    text = lb_text(shown, sizeof shown);
    lb_disk_identity_format(&text, &identity);
    CHECK_EQ(text.len, 79);
    CHECK_HAS(shown, "NNNN");
}

/* What is not told any more is no proof of another disk: it is asked again. */
static void what_proves_another_disk_is_told_from_what_proves_nothing(void) {
    static const struct {
        const char *names, *serial;
        enum lb_disk_same same;
    } rows[] = {
        {"00 83 0000", "00 80 0002 53 4e", LB_DISK_SAME},
        {"00 83 0000", "00 80 0002 53 4f", LB_DISK_OTHER},
        {"00 83 0000", "00 80 0001 53", LB_DISK_OTHER},
        {"00 83 0000", "00 80 0000", LB_DISK_UNPROVEN},
        {"00 83 0000", "", LB_DISK_UNPROVEN},
        {"00 83 000e 02 01 00 0a 49455420202020203131", "00 80 0002 53 4e", LB_DISK_SAME},
        {"00 83 000e 02 01 00 0a 49455420202020203131", "00 80 0000", LB_DISK_UNPROVEN},
        {"00 83 000e 02 01 00 0a 49455420202020203131", "00 80 0002 53 4f", LB_DISK_OTHER},
        {"00 83 000e 02 01 00 0a 49455420202020203132", "00 80 0002 53 4e", LB_DISK_OTHER},
    };
    static const struct lb_scsi_inquiry inquiry = {.vendor = "Acme", .product = "Big Disk"};
    static const struct lb_scsi_capacity capacity = {.blocks = 8, .block_bytes = 512};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char facts[200];
        struct lb_text text = lb_text(facts, sizeof facts);
        struct lb_disk_identity identity = {.blocks = 0};
        struct lb_disk_answers answers = {&inquiry, &capacity,
                                          tap_hex(i < 5 ? "00 83 0000" : rows[5].names),
                                          tap_hex("00 80 0002 53 4e")};
        lb_disk_identify(&answers, &identity);
        answers.names = tap_hex(rows[i].names);
        answers.serial = tap_hex(rows[i].serial);
        if (!CHECK_EQ(lb_disk_compare(&identity, &answers, &text), rows[i].same))
            tap_note("%zu: %s", i, facts);
    }
}

/* Nobody answers any more: there is nothing to wait for, and nothing to ask. */
static void a_proof_of_a_session_that_has_ended_waits_for_nothing(void) {
    const struct lb_error error = {.code = LB_E_SCSI};
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY, .times = 1, .is_silent = true});
    disk_cut();
    disk_pass(SEC);
    CHECK_EQ(d.disk.state, LB_DISK_PROVING);
    d.disk.again_us = peer.now + SEC;
    CHECK_EQ(lb_disk_proof_tick(&d.disk, peer.now), peer.now + SEC);
    lb_initiator_end(&peer.session, peer.now, &error);
    CHECK_EQ(lb_disk_proof_tick(&d.disk, peer.now), LB_NEVER);
    CHECK_EQ(lb_disk_proof_tick(&d.disk, peer.now + 2 * SEC), LB_NEVER);
}

int main(void) {
    TEST(after_a_new_login_another_disk_ends_all_requests);
    TEST(a_read_that_was_answered_in_part_is_not_finished_by_another_disk);
    TEST(the_same_disk_goes_on_after_a_new_login);
    TEST(another_disk_is_seen_without_a_request_too);
    TEST(the_proof_is_begun_anew_in_the_next_login);
    TEST(a_machine_that_slept_looks_again);
    TEST(after_an_aborted_command_another_disk_ends_all_requests);
    TEST(after_an_aborted_command_the_same_disk_goes_on);
    TEST(after_a_flush_that_was_given_up_another_disk_is_seen);
    TEST(a_unit_attention_may_mean_another_disk);
    TEST(or_the_same);
    TEST(what_was_in_flight_at_a_unit_attention_is_not_believed);
    TEST(what_was_in_flight_is_issued_again_to_the_same_disk);
    TEST(a_disk_that_was_swapped_and_is_back_gives_no_data_from_between);
    TEST(a_change_during_the_proof_asks_for_another_round);
    TEST(what_is_no_concern_of_the_disk_costs_no_proof);
    TEST(by_its_name);
    TEST(by_a_name_that_is_not_unique_and_the_serial_number);
    TEST(else_by_its_serial_number);
    TEST(else_by_what_it_looks_like);
    TEST(a_disk_may_grow_and_may_not_shrink);
    TEST(a_target_that_is_still_starting_is_waited_for);
    TEST(a_lun_that_comes_back_as_another_disk_is_not_used);
    TEST(a_lun_that_was_gone_proves_that_it_is_the_same);
    TEST(a_medium_that_was_out_proves_that_it_is_the_same);
    TEST(what_is_never_proven_is_told_after_a_minute_and_may_still_come_back);
    TEST(a_lun_that_stays_away_is_missing);
    TEST(the_answers_of_two_logins_make_no_disk);
    TEST(nor_do_those_before_and_after_a_unit_attention);
    TEST(nor_where_test_unit_ready_meets_it_after_other_answers);
    TEST(a_disk_of_another_session_proves_that_it_is_the_same);
    TEST(a_disk_is_named_by_the_best_of_what_is_known);
    TEST(what_proves_another_disk_is_told_from_what_proves_nothing);
    TEST(a_proof_of_a_session_that_has_ended_waits_for_nothing);
    return tap_done();
}
