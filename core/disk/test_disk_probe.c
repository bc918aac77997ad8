/* What is this LUN? Each odd answer, and what is made of it. */
#include "core/disk/test_disk.h"

static const struct ending illegal = {.times = ALWAYS, .status = 2, .key = 5, .asc = 0x20};

static struct ending with(uint8_t op, struct ending ending) {
    ending.op = op;
    return ending;
}

/* ---- a good disk ---------------------------------------------------------------------------- */

static void all_questions_are_asked_in_one_flight(void) {
    unsigned commands = 0;
    disk_init();
    disk_begin();
    (void)disk_turn_session();
    while (peer_take())
        commands += peer.pdu.opcode == LB_OP_SCSI_COMMAND;
    CHECK_EQ(commands, LB_ASK_START);
}

static void a_good_disk_is_described(void) {
    disk_init();
    if (!disk_comes_up())
        return;
    const struct lb_disk_info *info = lb_disk_info(&d.disk);
    CHECK_EQ(info->blocks, DISK_BYTES / 512);
    CHECK_EQ(info->block_bytes, 512);
    CHECK(!info->read_only);
    CHECK_STR(info->vendor, "Acme");
    CHECK_STR(info->product, "Big Disk");
    CHECK_STR(info->revision, "1.0");
    CHECK_STR(info->serial, "SN07");
    CHECK_STR(info->id, "naa.6001405000000001");
    CHECK_EQ(info->lun_count, 2);
    CHECK_EQ(d.count[LB_SCSI_START_STOP_UNIT], 0);
}

/* Each answer has its room, and what the CDB allows is what the PDU expects. */
static void each_question_allows_what_it_has_room_for(void) {
    static const uint32_t rooms[LB_ASK_COUNT] = {
        [LB_ASK_INQUIRY] = 36,    [LB_ASK_LUNS] = 16 + 8 * 64, [LB_ASK_CAPACITY_16] = 32,
        [LB_ASK_CAPACITY_10] = 8, [LB_ASK_MODE] = 192,         [LB_ASK_SERIAL] = 252,
        [LB_ASK_IDS] = 252,       [LB_ASK_LIMITS] = 64,
    };
    disk_init();
    disk_begin();
    (void)disk_turn_session();
    while (peer_take()) {
        const uint8_t *cdb = peer.pdu.command.cdb;
        enum lb_disk_question question = disk_question(cdb);
        uint32_t allowed = 0;
        if (question == LB_ASK_MODE)
            allowed = cdb[4];
        else if (cdb[0] == LB_SCSI_INQUIRY)
            allowed = (uint32_t)cdb[3] << 8 | cdb[4];
        else if (question == LB_ASK_LUNS)
            allowed = (uint32_t)cdb[8] << 8 | cdb[9];
        else if (question == LB_ASK_CAPACITY_16)
            allowed = cdb[13];
        else
            allowed = rooms[question]; /* its CDB says none */
        CHECK_EQ(allowed, rooms[question]);
        CHECK_EQ(peer.pdu.command.edtl, rooms[question]);
    }
}

static void luns_are_asked_of_lun_0_and_the_rest_of_ours(void) {
    static const uint8_t zero[8], ours[8] = {0, 1};
    disk_init();
    disk_begin();
    (void)disk_turn_session();
    while (peer_take())
        CHECK(memcmp(peer.pdu.lun, peer.pdu.command.cdb[0] == LB_SCSI_REPORT_LUNS ? zero : ours,
                     8) == 0);
}

static void a_zoned_disk_is_a_disk(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "14 00 06 02 00");
    disk_comes_up();
}

static void a_write_protected_disk_is_read_only(void) {
    disk_init();
    disk_reply(LB_ASK_MODE, "03 00 80 00");
    if (disk_comes_up())
        CHECK(lb_disk_info(&d.disk)->read_only);
}

/* ---- no disk -------------------------------------------------------------------------------- */

static void a_lun_that_inquiry_says_is_not_there_is_missing(void) {
    static const char *const replies[] = {"7f 00 06 02 00", "60 00 06 02 00", "20 00 06 02 00",
                                          "1f 00 06 02 00"};
    for (size_t i = 0; i < LB_COUNT(replies); i++) {
        disk_init();
        disk_reply(LB_ASK_INQUIRY, replies[i]);
        disk_reply(LB_ASK_LUNS, "00000010 00000000 0000000000000000 0007000000000000");
        disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 7");
    }
}

static void a_lun_that_is_listed_and_not_there_is_told_so(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_reply(LB_ASK_LUNS, "00000018 00000000 0000000000000000 0007000000000000 0001000000000000");
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 7 1; it is listed, and not there yet");
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_reply(LB_ASK_LUNS, "00000010 00000000 0000000000000000 0007000000000000");
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 7");
    const char *facts = lb_disk_error(&d.disk)->facts;
    CHECK_EQ(facts[lb_strlen(facts) - 1], '7');
}

static void a_lun_that_sense_says_is_not_there_is_missing(void) {
    disk_init();
    struct ending missing = {.times = ALWAYS, .status = 2, .key = 5, .asc = 0x25};
    disk_fails(with(LB_SCSI_INQUIRY, missing));
    disk_fails(with(LB_SCSI_TEST_UNIT_READY, missing));
    disk_fails(with(LB_SCSI_READ_CAPACITY_10, missing));
    disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, missing));
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 1");
}

static void a_target_without_luns_is_told_as_such(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_reply(LB_ASK_LUNS, "00000000 00000000");
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1 (the target lists none)");
}

static void a_long_list_of_luns_is_cut(void) {
    static uint8_t list[8 + 20 * 8] = {0, 0, 0, 160};
    disk_init();
    for (uint8_t i = 0; i < 20; i++)
        list[8 + i * 8 + 1] = i;
    d.replies[LB_ASK_LUNS] = lb_bytes(list, sizeof list);
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_stays_down(LB_E_LUN_MISSING, "14 (e) 15 (f) and more");
}

static void a_lun_that_was_meant_in_decimal_is_told_so(void) {
    static const struct {
        uint8_t lun; /* as the Root Path says it */
        const char *luns, *facts;
    } cases[] = {
        {0x10, "00000018 00000000 0000000000000000 0001000000000000 000a000000000000",
         "these digits are hexadecimal: LUN 10 (decimal) is written a"},
        {0x12, "00000008 00000000 400c000000000000", "LUN 12 (decimal) is written 400c"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        disk_init();
        d.lun = cases[i].lun;
        disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
        disk_reply(LB_ASK_LUNS, cases[i].luns);
        disk_stays_down(LB_E_LUN_MISSING, cases[i].facts);
    }
}

static void a_list_that_claims_more_than_it_has_is_taken_as_it_came(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_reply(LB_ASK_LUNS, "ffffffff 00000000 0003000000000000");
    disk_stays_down(LB_E_LUN_MISSING, "there are 3");
}

static void what_is_no_disk_is_told_with_its_type_and_the_luns(void) {
    static const struct {
        const char *reply, *facts;
    } cases[] = {
        {"05 80 06 02 00", "LUN 1; there are 0 1; this one is of type 05 (CD or DVD)"},
        {"01 80 06 02 00", "this one is of type 01 (tape)"},
        {"0c 00 06 02 00", "this one is of type 0c"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        disk_init();
        disk_reply(LB_ASK_INQUIRY, cases[i].reply);
        disk_stays_down(LB_E_LUN_NOT_DISK, cases[i].facts);
    }
}

/* Linux makes disks of them; none of the commands that a boot sends is other there. */
static void optical_reduced_and_zoned_disks_are_disks(void) {
    static const char *const replies[] = {"07 80 06 02 00", "0e 00 06 02 00", "14 00 06 02 00"};
    for (size_t i = 0; i < LB_COUNT(replies); i++) {
        disk_init();
        disk_reply(LB_ASK_INQUIRY, replies[i]);
        disk_comes_up();
    }
}

static void a_disk_without_medium_is_told_at_once(void) {
    disk_init();
    struct ending empty = {.times = ALWAYS, .status = 2, .key = 2, .asc = 0x3a};
    disk_fails(with(LB_SCSI_TEST_UNIT_READY, empty));
    disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, empty));
    uint64_t start = peer.now;
    disk_stays_down(LB_E_NO_MEDIUM, "3a/00 no medium");
    CHECK(peer.now - start < 100 * MS);
}

/* A target may know the service action or not: the other command says why there is no size. */
static void a_disk_without_medium_is_told_where_the_longer_capacity_is_unknown_too(void) {
    static const uint8_t unknown[] = {0x20, 0x24};
    for (unsigned i = 0; i < LB_COUNT(unknown); i++) {
        disk_init();
        struct ending empty = {.times = ALWAYS, .status = 2, .key = 2, .asc = 0x3a};
        struct ending refused = {.times = ALWAYS, .status = 2, .key = 5, .asc = unknown[i]};
        disk_fails((struct ending){
            .op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 2, .key = 6, .asc = 0x29});
        disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, refused));
        disk_fails(with(LB_SCSI_READ_CAPACITY_10, empty));
        disk_stays_down(LB_E_NO_MEDIUM, "3a/00 no medium");
    }
}

static void a_reserved_disk_is_told_as_such(void) {
    disk_init();
    struct ending conflict = {.times = ALWAYS, .status = 0x18};
    disk_fails(with(LB_SCSI_TEST_UNIT_READY, conflict));
    disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, conflict));
    disk_fails(with(LB_SCSI_READ_CAPACITY_10, conflict));
    disk_stays_down(LB_E_RESERVED, "RESERVATION CONFLICT");
}

/* ---- becoming ready ------------------------------------------------------------------------- */

static const struct ending becoming = {.times = 20, .status = 2, .key = 2, .asc = 4, .ascq = 1};

static void a_disk_that_becomes_ready_is_waited_for(void) {
    disk_init();
    disk_fails(with(LB_SCSI_TEST_UNIT_READY, becoming));
    d.ready_ms = 60000;
    if (!disk_comes_up())
        return;
    CHECK_EQ(d.count[LB_SCSI_TEST_UNIT_READY], 21);
    CHECK_EQ(d.count[LB_SCSI_START_STOP_UNIT], 0);
}

static void a_disk_that_does_not_become_ready_is_given_up_after_ready_timeout(void) {
    struct ending never = becoming;
    never.times = ALWAYS;
    disk_init();
    disk_fails(with(LB_SCSI_TEST_UNIT_READY, never));
    uint64_t start = peer.now;
    disk_stays_down(LB_E_NOT_READY, "04/01 becoming ready");
    CHECK(peer.now - start <= 5 * SEC && peer.now - start > 3 * SEC);
}

static void a_disk_that_needs_somebody_is_given_up_at_once(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY,
                               .times = ALWAYS,
                               .status = 2,
                               .key = 2,
                               .asc = 4,
                               .ascq = 3});
    uint64_t start = peer.now;
    disk_stays_down(LB_E_NOT_READY, "04/03");
    CHECK(peer.now - start < 100 * MS);
}

static void a_disk_that_is_stopped_is_started(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 2, .key = 2, .asc = 4, .ascq = 2});
    if (disk_comes_up())
        CHECK_EQ(d.count[LB_SCSI_START_STOP_UNIT], 1);
}

static void a_disk_that_cannot_be_started_is_given_up_after_ready_timeout(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY,
                               .times = ALWAYS,
                               .status = 2,
                               .key = 2,
                               .asc = 4,
                               .ascq = 2});
    disk_fails(with(LB_SCSI_START_STOP_UNIT, illegal));
    uint64_t start = peer.now;
    disk_stays_down(LB_E_NOT_READY, "04/02");
    CHECK(peer.now - start <= 5 * SEC);
}

/* ---- capacity ------------------------------------------------------------------------------- */

static void block_sizes_are_powers_of_two_from_512_to_65536(void) {
    static const struct {
        uint32_t size;
        const char *facts; /* NULL: it comes up */
    } cases[] = {
        {512, NULL},
        {1024, NULL},
        {4096, NULL},
        {65536, NULL},
        {256, "256 bytes"},
        {520, "520 bytes"},
        {131072, "131072 bytes"},
        {4097, "4097 bytes"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        disk_init();
        disk_capacity(1000, cases[i].size);
        if (cases[i].facts != NULL)
            disk_stays_down(LB_E_BLOCK_SIZE, cases[i].facts);
        else if (disk_comes_up())
            CHECK_EQ(lb_disk_info(&d.disk)->block_bytes, cases[i].size);
    }
}

static void an_old_target_has_capacity_10_alone(void) {
    disk_init();
    disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, illegal));
    if (disk_comes_up())
        CHECK_EQ(lb_disk_info(&d.disk)->blocks, DISK_BYTES / 512);
}

static void capacity_16_stands_above_capacity_10(void) {
    disk_init();
    disk_capacity(0x2ffffffff, 512);
    if (disk_comes_up())
        CHECK_EQ(lb_disk_info(&d.disk)->blocks, 0x300000000);
}

static void a_big_disk_without_capacity_16_cannot_be_used(void) {
    disk_init();
    disk_capacity(0x2ffffffff, 512);
    disk_fails(with(LB_SCSI_SERVICE_ACTION_IN_16, illegal));
    disk_stays_down(LB_E_SCSI, "20/00 invalid command");
}

static void twelve_bytes_of_capacity_16_are_enough(void) {
    disk_init();
    d.replies[LB_ASK_CAPACITY_16].len = 12;
    disk_comes_up();
}

static void physical_blocks_are_known_from_capacity_16(void) {
    disk_init();
    disk_reply(LB_ASK_CAPACITY_16, "00000000000003e7 00000200 00 03 0000");
    if (disk_comes_up())
        CHECK_EQ(lb_disk_info(&d.disk)->physical_exponent, 3);
}

static void a_capacity_that_is_cut_short_is_the_targets_mistake(void) {
    disk_init();
    d.replies[LB_ASK_CAPACITY_16].len = 11;
    d.replies[LB_ASK_CAPACITY_10].len = 7;
    disk_stays_down(LB_E_PROTOCOL, "READ CAPACITY(16): 11 bytes");
}

static void an_inquiry_that_is_cut_short_is_the_targets_mistake(void) {
    disk_init();
    d.replies[LB_ASK_INQUIRY].len = 4;
    disk_stays_down(LB_E_PROTOCOL, "INQUIRY: 4 bytes");
}

static void five_bytes_of_inquiry_are_enough(void) {
    disk_init();
    d.replies[LB_ASK_INQUIRY].len = 5;
    if (disk_comes_up())
        CHECK_STR(lb_disk_info(&d.disk)->vendor, "");
}

static void a_target_that_only_knows_the_least_is_as_good_as_another(void) {
    disk_init();
    disk_fails(with(LB_SCSI_REPORT_LUNS, illegal));
    disk_fails(with(LB_SCSI_MODE_SENSE_6, illegal));
    d.replies[LB_ASK_SERIAL] = d.replies[LB_ASK_IDS] = d.replies[LB_ASK_LIMITS] = lb_bytes(NULL, 0);
    if (!disk_comes_up())
        return;
    CHECK_STR(lb_disk_info(&d.disk)->serial, "");
    CHECK_STR(lb_disk_info(&d.disk)->id, "");
    CHECK_EQ(lb_disk_info(&d.disk)->lun_count, 0);
    CHECK(!lb_disk_info(&d.disk)->read_only);
}

static void any_cut_of_any_answer_leaves_a_disk_or_an_error(void) {
    for (unsigned question = 0; question < LB_ASK_START; question++) {
        disk_init();
        size_t full = d.replies[question].len;
        for (size_t len = 0; len < full; len++) {
            disk_init();
            d.replies[question].len = len;
            disk_begin();
            disk_pass(SEC);
            CHECK(lb_disk_is_up(&d.disk) != !lb_is_ok(lb_disk_error(&d.disk)));
        }
    }
}

/* ---- the ladder, while asking --------------------------------------------------------------- */

static void a_unit_attention_on_each_question_is_borne(void) {
    static const uint8_t ops[] = {LB_SCSI_TEST_UNIT_READY, LB_SCSI_SERVICE_ACTION_IN_16,
                                  LB_SCSI_READ_CAPACITY_10, LB_SCSI_MODE_SENSE_6,
                                  LB_SCSI_REPORT_LUNS};
    disk_init();
    for (size_t i = 0; i < LB_COUNT(ops); i++)
        disk_fails((struct ending){.op = ops[i], .times = 3, .status = 2, .key = 6, .asc = 0x29});
    disk_comes_up();
}

static void unit_attentions_without_end_are_not(void) {
    const unsigned inquiries = 4; /* the plain one and three pages */
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_INQUIRY, .times = ALWAYS, .status = 2, .key = 6, .asc = 0x29});
    uint64_t start = peer.now;
    disk_stays_down(LB_E_SCSI, "UNIT ATTENTION 29/00");
    CHECK(d.count[LB_SCSI_INQUIRY] > inquiries * (1 + LB_DISK_RETRIES_MAX));
    CHECK(peer.now - start <= 60 * SEC && peer.now - start >= 58 * SEC);
}

/* A storage that is being set up tells each step, and is ready in the end. */
static void twenty_unit_attentions_on_a_question_are_borne(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_SERVICE_ACTION_IN_16,
                               .times = 20,
                               .status = 2,
                               .key = 6,
                               .asc = 0x3f,
                               .ascq = 0x0e});
    disk_comes_up();
}

/* The answers before the changes may be another disk's. */
static void after_more_changes_than_are_asked_again_at_once_all_is_asked_again(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_READ_CAPACITY_10,
                               .times = LB_DISK_RETRIES_MAX + 2,
                               .status = 2,
                               .key = 6,
                               .asc = 0x3f,
                               .ascq = 0x0e});
    disk_comes_up();
    CHECK_EQ(d.count[LB_SCSI_SERVICE_ACTION_IN_16], 2);
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 2 * 4);
}

static void changes_of_an_optional_answer_without_end_cost_that_answer(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_MODE_SENSE_6, .times = ALWAYS, .status = 2, .key = 6, .asc = 0x29});
    disk_comes_up();
    CHECK(!lb_disk_info(&d.disk)->read_only);
}

static void changes_of_a_size_that_is_known_twice_end_in_an_error(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_READ_CAPACITY_10, .times = ALWAYS, .status = 2, .key = 6, .asc = 0x29});
    uint64_t start = peer.now;
    disk_stays_down(LB_E_NOT_READY, LB_DISK_TORN);
    CHECK(peer.now - start <= 62 * SEC && peer.now - start >= 58 * SEC);
}

/* Every new session has one: it costs no round trip. */
static void a_unit_attention_on_the_first_question_is_no_reason_to_ask_again(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 2, .key = 6, .asc = 0x29});
    disk_comes_up();
    CHECK_EQ(d.count[LB_SCSI_TEST_UNIT_READY], 1);
}

/* The answer right behind says whether the disk is ready. */
static void a_disk_that_is_not_ready_is_waited_for_behind_a_unit_attention(void) {
    disk_init();
    disk_fails((struct ending){
        .op = LB_SCSI_TEST_UNIT_READY, .times = 1, .status = 2, .key = 6, .asc = 0x29});
    disk_fails((struct ending){.op = LB_SCSI_SERVICE_ACTION_IN_16,
                               .times = 3,
                               .status = 2,
                               .key = 2,
                               .asc = 0x04,
                               .ascq = 0x01});
    disk_comes_up();
    CHECK_EQ(d.count[LB_SCSI_SERVICE_ACTION_IN_16], 4);
}

static void a_busy_disk_is_waited_for(void) {
    static const uint8_t statuses[] = {LB_SCSI_BUSY, LB_SCSI_TASK_SET_FULL, LB_SCSI_ACA_ACTIVE};
    for (size_t i = 0; i < LB_COUNT(statuses); i++) {
        disk_init();
        disk_fails(
            (struct ending){.op = LB_SCSI_TEST_UNIT_READY, .times = 12, .status = statuses[i]});
        disk_comes_up();
    }
}

static void a_disk_that_stays_busy_is_given_up_after_a_minute(void) {
    disk_init();
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY, .times = ALWAYS, .status = 8});
    uint64_t start = peer.now;
    disk_stays_down(LB_E_DISK_BUSY, "BUSY");
    CHECK(peer.now - start <= 60 * SEC && peer.now - start >= 58 * SEC);
}

static void a_session_that_is_lost_asks_again_in_the_next(void) {
    disk_init();
    disk_begin();
    (void)disk_turn_session();
    disk_cut();
    disk_pass(10 * SEC);
    CHECK(lb_disk_is_up(&d.disk));
}

static void a_session_that_is_lost_for_good_is_why_the_disk_is_down(void) {
    disk_init();
    peer.config.recovery_ms = 5000;
    disk_begin();
    (void)disk_turn_session();
    d.is_gone = true;
    disk_cut();
    disk_pass(20 * SEC);
    CHECK(!lb_disk_is_up(&d.disk));
    CHECK_STR(lb_code_word(lb_disk_error(&d.disk)->code), "connection-lost");
}

int main(void) {
    TEST(all_questions_are_asked_in_one_flight);
    TEST(a_good_disk_is_described);
    TEST(each_question_allows_what_it_has_room_for);
    TEST(luns_are_asked_of_lun_0_and_the_rest_of_ours);
    TEST(a_zoned_disk_is_a_disk);
    TEST(a_write_protected_disk_is_read_only);
    TEST(a_lun_that_inquiry_says_is_not_there_is_missing);
    TEST(a_lun_that_is_listed_and_not_there_is_told_so);
    TEST(a_lun_that_sense_says_is_not_there_is_missing);
    TEST(a_target_without_luns_is_told_as_such);
    TEST(a_long_list_of_luns_is_cut);
    TEST(a_lun_that_was_meant_in_decimal_is_told_so);
    TEST(a_list_that_claims_more_than_it_has_is_taken_as_it_came);
    TEST(what_is_no_disk_is_told_with_its_type_and_the_luns);
    TEST(optical_reduced_and_zoned_disks_are_disks);
    TEST(a_disk_without_medium_is_told_at_once);
    TEST(a_disk_without_medium_is_told_where_the_longer_capacity_is_unknown_too);
    TEST(a_reserved_disk_is_told_as_such);
    TEST(a_disk_that_becomes_ready_is_waited_for);
    TEST(a_disk_that_does_not_become_ready_is_given_up_after_ready_timeout);
    TEST(a_disk_that_needs_somebody_is_given_up_at_once);
    TEST(a_disk_that_is_stopped_is_started);
    TEST(a_disk_that_cannot_be_started_is_given_up_after_ready_timeout);
    TEST(block_sizes_are_powers_of_two_from_512_to_65536);
    TEST(an_old_target_has_capacity_10_alone);
    TEST(capacity_16_stands_above_capacity_10);
    TEST(a_big_disk_without_capacity_16_cannot_be_used);
    TEST(twelve_bytes_of_capacity_16_are_enough);
    TEST(physical_blocks_are_known_from_capacity_16);
    TEST(a_capacity_that_is_cut_short_is_the_targets_mistake);
    TEST(an_inquiry_that_is_cut_short_is_the_targets_mistake);
    TEST(five_bytes_of_inquiry_are_enough);
    TEST(a_target_that_only_knows_the_least_is_as_good_as_another);
    TEST(any_cut_of_any_answer_leaves_a_disk_or_an_error);
    TEST(a_unit_attention_on_each_question_is_borne);
    TEST(unit_attentions_without_end_are_not);
    TEST(twenty_unit_attentions_on_a_question_are_borne);
    TEST(after_more_changes_than_are_asked_again_at_once_all_is_asked_again);
    TEST(changes_of_an_optional_answer_without_end_cost_that_answer);
    TEST(changes_of_a_size_that_is_known_twice_end_in_an_error);
    TEST(a_unit_attention_on_the_first_question_is_no_reason_to_ask_again);
    TEST(a_disk_that_is_not_ready_is_waited_for_behind_a_unit_attention);
    TEST(a_busy_disk_is_waited_for);
    TEST(a_disk_that_stays_busy_is_given_up_after_a_minute);
    TEST(a_session_that_is_lost_asks_again_in_the_next);
    TEST(a_session_that_is_lost_for_good_is_why_the_disk_is_down);
    return tap_done();
}
