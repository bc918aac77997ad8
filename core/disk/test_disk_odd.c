/* Disks that answer otherwise than the standards have it, each as it was met in the field: no size
 * at first, silence about what is not needed, one error, pieces that are too long, too many
 * commands. */
#include "core/disk/test_disk.h"

static struct ending always(uint8_t op, struct ending ending) {
    ending.op = op;
    ending.times = ALWAYS;
    return ending;
}

/* ---- a size --------------------------------------------------------------------------------- */

/* ipxe 57bab0ae4: CLARiiON gives no capacity before TEST UNIT READY has succeeded. */
static void a_size_that_is_missing_at_first_is_asked_for_again(void) {
    struct lb_bytes whole16, whole10;
    disk_init();
    whole16 = d.replies[LB_ASK_CAPACITY_16];
    whole10 = d.replies[LB_ASK_CAPACITY_10];
    d.replies[LB_ASK_CAPACITY_16] = d.replies[LB_ASK_CAPACITY_10] = lb_bytes(NULL, 0);
    disk_begin();
    disk_pass(5 * MS);
    CHECK(!lb_disk_is_up(&d.disk));
    CHECK(lb_is_ok(lb_disk_error(&d.disk)));
    d.replies[LB_ASK_CAPACITY_16] = whole16;
    d.replies[LB_ASK_CAPACITY_10] = whole10;
    disk_pass(SEC);
    CHECK(lb_disk_is_up(&d.disk));
    CHECK_EQ(lb_disk_info(&d.disk)->blocks, DISK_BYTES / 512);
    CHECK(d.count[LB_SCSI_TEST_UNIT_READY] >= 2);
}

/* targetcli-fb#84: 0 bytes. */
static void a_lun_without_a_size_is_told_as_such(void) {
    static const struct {
        const char *long_form, *short_form;
    } cases[] = {
        {"", ""},
        {"ffffffffffffffff 00000200 0000000000000000 0000000000000000 00000000",
         "ffffffff 00000200"},
        {"0000000000000000 00000000 0000000000000000 0000000000000000 00000000",
         "00000000 00000000"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        disk_init();
        disk_reply(LB_ASK_CAPACITY_16, cases[i].long_form);
        disk_reply(LB_ASK_CAPACITY_10, cases[i].short_form);
        uint64_t start = peer.now;
        disk_stays_down(LB_E_LUN_EMPTY, "LUN 1, Acme Big Disk");
        CHECK(peer.now - start < 2 * SEC);
    }
}

/* ---- who it is ------------------------------------------------------------------------------ */

static void an_inquiry_without_data_is_no_obstacle(void) {
    disk_init();
    d.replies[LB_ASK_INQUIRY] = lb_bytes(NULL, 0);
    if (disk_comes_up())
        CHECK_STR(lb_disk_info(&d.disk)->vendor, "");
}

/* EMC's LUNZ, NetApp without a map. */
static void a_lun_that_is_not_mapped_is_told_as_such(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "20 00 06 02 00");
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 1; nothing is mapped to this initiator");
}

/* A number that is shown can be written: `a` is 10, `412c` is 300 in flat addressing. */
static void luns_are_told_as_a_root_path_has_them(void) {
    disk_init();
    disk_reply(LB_ASK_INQUIRY, "7f 00 06 02 00");
    disk_reply(LB_ASK_LUNS, "00000018 00000000 0000000000000000 000a000000000000 412c000000000000");
    disk_stays_down(LB_E_LUN_MISSING, "LUN 1; there are 0 10 (Root Path: a) 300 (412c)");
}

static void a_reservation_that_only_test_unit_ready_meets_is_no_obstacle(void) {
    disk_init();
    disk_fails(always(LB_SCSI_TEST_UNIT_READY, (struct ending){.status = 0x18}));
    CHECK(disk_comes_up());
}

/* ---- portals on standby --------------------------------------------------------------------- */

static void on_standby(uint8_t ascq) {
    struct ending standby = {.status = 2, .key = 2, .asc = 4, .ascq = ascq};
    disk_init();
    d.ready_ms = 60000;
    disk_fails(always(LB_SCSI_TEST_UNIT_READY, standby));
    disk_fails(always(LB_SCSI_SERVICE_ACTION_IN_16, standby));
    disk_fails(always(LB_SCSI_READ_CAPACITY_10, standby));
}

static void a_portal_on_standby_is_left_at_once_for_another_one(void) {
    static const uint8_t states[] = {0x0b, 0x0c};
    for (size_t i = 0; i < LB_COUNT(states); i++) {
        on_standby(states[i]);
        peer.config.has_others = true;
        uint64_t start = peer.now;
        disk_stays_down(LB_E_STANDBY, "192.0.2.1:3260");
        CHECK(peer.now - start < 100 * MS);
    }
}

static void a_portal_on_standby_that_is_the_only_one_is_told_soon(void) {
    on_standby(0x0b);
    uint64_t start = peer.now;
    disk_stays_down(LB_E_STANDBY, "04/0b");
    CHECK(peer.now - start < 10 * SEC);
}

static void a_portal_that_is_unavailable_is_no_missing_lun(void) {
    on_standby(0x0c);
    disk_reply(LB_ASK_INQUIRY, "20 00 06 02 00");
    disk_stays_down(LB_E_STANDBY, "04/0c");
}

/* ---- silence -------------------------------------------------------------------------------- */

/* Linux: BLIST_SKIP_VPD_PAGES, and disks that hang at MODE SENSE. */
static void what_is_not_needed_may_have_no_answer(void) {
    static const uint8_t operations[] = {LB_SCSI_MODE_SENSE_6, LB_SCSI_REPORT_LUNS,
                                         LB_SCSI_SERVICE_ACTION_IN_16, LB_SCSI_READ_CAPACITY_10};
    for (size_t i = 0; i < LB_COUNT(operations); i++) {
        disk_init();
        disk_fails(always(operations[i], (struct ending){.is_silent = true}));
        uint64_t start = peer.now;
        if (!disk_comes_up())
            return;
        CHECK(peer.now - start < 4 * SEC);
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    }
}

/* The same where the target takes one command at a time: what is silent delays all others. */
static void what_is_not_needed_is_postponed_where_it_delays_the_rest(void) {
    static const uint8_t operations[] = {LB_SCSI_MODE_SENSE_6, LB_SCSI_REPORT_LUNS,
                                         LB_SCSI_SERVICE_ACTION_IN_16, LB_SCSI_READ_CAPACITY_10};
    for (size_t i = 0; i < LB_COUNT(operations); i++) {
        disk_init();
        peer.config.queue_depth = 1;
        disk_fails(always(operations[i], (struct ending){.is_silent = true}));
        uint64_t start = peer.now;
        if (!disk_comes_up())
            return;
        CHECK(peer.now - start < 7 * SEC);
        CHECK(d.count[operations[i]] <= 2);
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
        CHECK_STR(lb_disk_info(&d.disk)->id, "naa.6001405000000001");
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    }
}

static void what_was_postponed_is_asked_again(void) {
    disk_init();
    peer.config.queue_depth = 1;
    disk_reply(LB_ASK_LUNS, "00000008 00000000 0001000000000000");
    disk_capacity(0x2ffffffff, 512);
    disk_fails((struct ending){.op = LB_SCSI_REPORT_LUNS, .times = 1, .is_silent = true});
    disk_fails((struct ending){.op = LB_SCSI_SERVICE_ACTION_IN_16, .times = 1, .is_silent = true});
    uint64_t start = peer.now;
    if (!disk_comes_up())
        return;
    CHECK(peer.now - start < 7 * SEC);
    CHECK_EQ(lb_disk_info(&d.disk)->lun_count, 1);
    CHECK_EQ(lb_disk_info(&d.disk)->blocks, 0x300000000);
}

/* The first name is aborted and asked again, as any command; the other pages are not waited for,
 * and a UNIT ATTENTION later none is asked for again. */
static void names_without_an_answer_are_asked_for_once(void) {
    static const uint32_t depths[] = {1, 2, 32};
    for (size_t i = 0; i < LB_COUNT(depths); i++) {
        unsigned asked = 0;
        disk_init();
        peer.config.queue_depth = depths[i];
        d.is_mute_on_vpd = d.is_managed = true;
        disk_fails((struct ending){.op = LB_SCSI_REPORT_LUNS,
                                   .times = 1,
                                   .status = 2,
                                   .key = 6,
                                   .asc = 0x3f,
                                   .ascq = 0x0e});
        uint64_t start = peer.now;
        if (!disk_comes_up())
            return;
        CHECK(peer.now - start > 30 * SEC && peer.now - start < 38 * SEC);
        for (unsigned j = 0; j < d.log_count; j++)
            asked += d.log[j].op == LB_SCSI_INQUIRY && d.log[j].lba >> 24 != 0;
        CHECK(asked <= 5);
        CHECK_STR(lb_disk_info(&d.disk)->id, "");
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    }
}

/* Nor are its abort's answers needed. */
static void names_and_aborts_may_have_no_answer(void) {
    disk_init();
    peer.config.queue_depth = 1;
    d.is_mute_on_vpd = true;
    uint64_t start = peer.now;
    if (!disk_comes_up())
        return;
    CHECK(peer.now - start < 38 * SEC);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    disk_pass(60 * SEC);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

/* Simulator, seed 8000008754: after a new login the silent question stands before all others. */
static void a_silent_name_is_postponed_after_a_new_login(void) {
    disk_init();
    peer.config.queue_depth = 1;
    d.is_mute_on_vpd = d.is_managed = true;
    disk_begin();
    disk_pass(10 * SEC);
    disk_cut();
    CHECK(disk_is_up_within(50 * SEC));
    CHECK_EQ(lb_initiator_logins(&peer.session), 2);
}

/* Simulator, seed 13859: after each login they go out in their old order. */
static void a_silent_name_is_postponed_after_each_new_login(void) {
    disk_init();
    peer.config.queue_depth = 1;
    d.is_mute_on_vpd = d.is_managed = true;
    disk_begin();
    disk_pass(5 * SEC);
    for (unsigned i = 0; i < 3; i++) {
        disk_cut();
        disk_pass(i < 2 ? 8 * SEC : 0); /* both names were postponed */
    }
    CHECK(disk_is_up_within(50 * SEC));
    CHECK_EQ(lb_initiator_logins(&peer.session), 4);
}

/* Simulator, seed 40962: what was busy and is asked again stands behind them. */
static void silent_names_are_postponed_as_often_as_they_delay_the_rest(void) {
    struct ending busy = {.op = LB_SCSI_TEST_UNIT_READY, .times = 3, .status = 8};
    disk_init();
    peer.config.queue_depth = 1;
    d.is_mute_on_vpd = d.is_managed = true;
    disk_fails(busy);
    uint64_t start = peer.now;
    if (!disk_comes_up())
        return;
    CHECK(peer.now - start > 36 * SEC && peer.now - start < 75 * SEC);
    CHECK_EQ(d.count[LB_SCSI_TEST_UNIT_READY], 4);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

static void all_that_is_not_needed_may_have_no_answer_at_once(void) {
    disk_init();
    peer.config.queue_depth = 1;
    d.is_mute_on_vpd = true;
    disk_fails(always(LB_SCSI_MODE_SENSE_6, (struct ending){.is_silent = true}));
    disk_fails(always(LB_SCSI_REPORT_LUNS, (struct ending){.is_silent = true}));
    disk_fails(always(LB_SCSI_SERVICE_ACTION_IN_16, (struct ending){.is_silent = true}));
    uint64_t start = peer.now;
    if (!disk_comes_up())
        return;
    CHECK(peer.now - start < 50 * SEC);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

/* ---- answers that are none ------------------------------------------------------------------ */

static const struct ending none_for_ever[] = {
    {.status = LB_SCSI_BUSY},
    {.status = LB_SCSI_TASK_SET_FULL},
    {.status = 2, .key = 2, .asc = 4, .ascq = 1},       /* becoming ready */
    {.status = 2, .key = 11, .asc = 0x4b},              /* aborted command */
    {.status = 2, .key = 3, .asc = 0x11},               /* medium error */
    {.status = 2, .key = 5, .asc = 0x24},               /* illegal request */
    {.status = 2, .key = 6, .asc = 0x29},               /* reset */
    {.status = 2, .key = 6, .asc = 0x3f, .ascq = 0x0e}, /* the list of LUNs has changed */
    {.response = 1},                                    /* target failure */
};

static void what_is_not_needed_may_be_refused_for_ever(void) {
    static const uint8_t operations[] = {LB_SCSI_MODE_SENSE_6, LB_SCSI_REPORT_LUNS};
    for (size_t i = 0; i < LB_COUNT(operations) * LB_COUNT(none_for_ever); i++) {
        disk_init();
        disk_fails(always(operations[i % 2], none_for_ever[i / 2]));
        uint64_t start = peer.now;
        if (!disk_comes_up() || peer.now - start > 4 * SEC)
            tap_note("case %zu: %u s", i, (unsigned)((peer.now - start) / SEC));
        CHECK(peer.now - start < 4 * SEC);
        CHECK_STR(lb_disk_info(&d.disk)->id, "naa.6001405000000001");
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    }
}

static void names_may_be_refused_for_ever(void) {
    for (size_t i = 0; i < LB_COUNT(none_for_ever); i++) {
        struct ending ending = always(LB_SCSI_INQUIRY, none_for_ever[i]);
        disk_init();
        ending.of_vpd = true;
        disk_fails(ending);
        uint64_t start = peer.now;
        if (!disk_comes_up())
            tap_note("case %zu", i);
        bool is_attention = none_for_ever[i].key == 6; /* it may be a storage that is set up */
        CHECK(peer.now - start < (is_attention ? 62 : 32) * SEC);
        CHECK_STR(lb_disk_info(&d.disk)->id, "");
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    }
}

/* The longer form is refused in any way, and the shorter one says all. */
static void one_form_of_the_size_may_be_busy_for_ever(void) {
    static const uint8_t operations[] = {LB_SCSI_SERVICE_ACTION_IN_16, LB_SCSI_READ_CAPACITY_10};
    for (size_t i = 0; i < LB_COUNT(operations) * 5; i++) {
        disk_init();
        disk_fails(always(operations[i % 2], none_for_ever[i / 2]));
        uint64_t start = peer.now;
        if (!disk_comes_up() || peer.now - start > 4 * SEC)
            tap_note("case %zu: %u s", i, (unsigned)((peer.now - start) / SEC));
        CHECK(peer.now - start < 4 * SEC);
        CHECK_EQ(lb_disk_info(&d.disk)->blocks, DISK_BYTES / 512);
    }
}

static void what_is_not_needed_may_be_garbage(void) {
    static const enum lb_disk_question questions[] = {LB_ASK_LUNS, LB_ASK_MODE, LB_ASK_SERIAL,
                                                      LB_ASK_IDS, LB_ASK_LIMITS};
    static uint8_t garbage[LB_DISK_REPLY_MAX];
    for (size_t i = 0; i < LB_COUNT(questions) * 64; i++) {
        disk_init();
        for (size_t j = 0; j < sizeof garbage; j++)
            garbage[j] = i / 5 == 0 ? 0xff : (uint8_t)(garbage[j] * 167 + j * 13 + i);
        d.replies[questions[i % 5]] = lb_bytes(garbage, sizeof garbage);
        uint64_t start = peer.now;
        if (!disk_comes_up())
            return;
        CHECK(peer.now - start < SEC);
        disk_run(LB_DISK_READ, 5, 20, LB_OK, "");
        CHECK(memcmp(d.buffer, d.memory + 5 * 512, 20 * 512) == 0);
    }
}

/* ---- slow disks ----------------------------------------------------------------------------- */

/* It spins up for most of a minute: nothing of it is missed then, not even what is optional. */
static void a_slow_disk_is_waited_for_with_all_its_answers(void) {
    static const uint8_t operations[] = {LB_SCSI_TEST_UNIT_READY, LB_SCSI_SERVICE_ACTION_IN_16,
                                         LB_SCSI_READ_CAPACITY_10, LB_SCSI_MODE_SENSE_6};
    static const uint32_t depths[] = {1, 32};
    for (size_t i = 0; i < LB_COUNT(depths); i++) {
        disk_init();
        d.ready_ms = 60000;
        peer.config.queue_depth = depths[i];
        disk_reply(LB_ASK_MODE, "03 00 80 00");
        for (size_t j = 0; j < LB_COUNT(operations); j++)
            disk_fails((struct ending){
                .op = operations[j], .times = 50, .status = 2, .key = 2, .asc = 4, .ascq = 1});
        uint64_t start = peer.now;
        if (!disk_comes_up())
            return;
        CHECK(peer.now - start > 40 * SEC && peer.now - start < 60 * SEC);
        CHECK_STR(lb_disk_info(&d.disk)->id, "naa.6001405000000001");
        CHECK_STR(lb_disk_info(&d.disk)->serial, "SN07");
        CHECK(lb_disk_info(&d.disk)->read_only);
        CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    }
}

/* Where the target is silent about all, its silence is not about what is not needed. */
static void a_disk_that_says_nothing_is_waited_for(void) {
    disk_init();
    disk_fails(always(LB_SCSI_TEST_UNIT_READY, (struct ending){.is_silent = true}));
    disk_begin();
    disk_pass(20 * SEC);
    CHECK(!lb_disk_is_up(&d.disk));
    CHECK(lb_is_ok(lb_disk_error(&d.disk)));
}

/* Synology: SYNCHRONIZE CACHE times out (iSCSIInitiator#65). */
static void a_flush_without_an_answer_fails_alone(void) {
    if (!disk_bring_up())
        return;
    disk_fails(always(LB_SCSI_SYNCHRONIZE_CACHE_10, (struct ending){.is_silent = true}));
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    struct lb_disk_op *op = disk_submit(LB_DISK_FLUSH, 0, 0);
    for (int i = 0; i < 20 && lb_is_ok(&op->error); i++) {
        disk_pass(5 * SEC);
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    }
    CHECK_EQ(op->error.code, LB_E_TASK_TIMEOUT);
    CHECK_HAS(op->error.facts, "command 35");
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

static void a_reader_flushes_nothing(void) {
    if (!disk_bring_up())
        return;
    disk_fails(always(LB_SCSI_SYNCHRONIZE_CACHE_10, (struct ending){.is_silent = true}));
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    uint64_t start = peer.now;
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_SYNCHRONIZE_CACHE_10], 0);
    CHECK(peer.now - start < MS);
}

/* ---- errors that do not stay ---------------------------------------------------------------- */

static void an_error_of_the_medium_may_be_one_only(void) {
    static const struct ending cases[] = {
        {.status = 2, .key = 3, .asc = 0x11, .ascq = 1},
        {.status = 2, .key = 4, .asc = 0x44},
        {.status = 2, .key = 3, .asc = 0x0c},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!disk_bring_up())
            return;
        struct ending ending = cases[i];
        ending.op = LB_SCSI_READ_10;
        ending.times = LB_DISK_ERRORS_MAX;
        disk_fails(ending);
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        CHECK_EQ(d.count[LB_SCSI_READ_10], 1 + LB_DISK_ERRORS_MAX);
    }
}

static void an_underflow_of_nothing_is_none(void) {
    if (!disk_bring_up())
        return;
    d.says_u = true;
    disk_run(LB_DISK_READ, 5, 9, LB_OK, "");
    CHECK(memcmp(d.buffer, d.memory + 5 * 512, 9 * 512) == 0);
}

/* ---- pieces --------------------------------------------------------------------------------- */

static unsigned longest(void) {
    unsigned blocks = 0;
    for (unsigned i = 0; i < d.log_count; i++)
        if (d.log[i].op == LB_SCSI_READ_10 || d.log[i].op == LB_SCSI_WRITE_10)
            blocks = LB_MAX(blocks, d.log[i].blocks);
    return blocks;
}

/* ipxe 2733c4763: a conscientious target. */
static void no_piece_is_longer_than_the_maximum_burst(void) {
    static const struct {
        uint32_t burst, blocks;
    } cases[] = {{65536, 128}, {262144, 512}, {16776192, 512}, {512, 8}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!disk_bring_up())
            return;
        peer.session.agreed.max_burst = cases[i].burst;
        disk_run(LB_DISK_READ, 0, 1024, LB_OK, "");
        CHECK_EQ(longest(), cases[i].blocks);
        CHECK(memcmp(d.buffer, d.memory, 1024 * 512) == 0);
    }
}

/* QNAP, Synology, Microsoft: BLIST_MAX_1024 and the like. Refuses what is longer than `most`. */
static void refuse_above(unsigned most, uint8_t asc) {
    d.most_blocks = most;
    d.most_asc = asc;
}

static void pieces_that_are_refused_are_made_smaller(void) {
    static const uint8_t codes[] = {0x24, 0x26};
    for (size_t i = 0; i < LB_COUNT(codes); i++) {
        if (!disk_bring_up())
            return;
        refuse_above(100, codes[i]);
        disk_run(LB_DISK_READ, 3, 4000, LB_OK, "");
        CHECK(memcmp(d.buffer, d.memory + 3 * 512, 4000 * 512) == 0);
        d.log_count = 0;
        disk_run(LB_DISK_READ, 0, 4000, LB_OK, "");
        CHECK(longest() <= 100 && longest() >= 40);
    }
}

static void writes_that_are_refused_are_made_smaller(void) {
    if (!disk_bring_up())
        return;
    refuse_above(1, 0x24);
    for (size_t i = 0; i < 100 * 512; i++)
        d.buffer[i] = (uint8_t)(i / 512 * 3);
    disk_run(LB_DISK_WRITE, 7, 100, LB_OK, "");
    CHECK(memcmp(d.buffer, d.memory + 7 * 512, 100 * 512) == 0);
}

static void a_field_that_is_wrong_at_any_length_is_told(void) {
    if (!disk_bring_up())
        return;
    disk_fails(always(LB_SCSI_READ_10, (struct ending){.status = 2, .key = 5, .asc = 0x24}));
    disk_run(LB_DISK_READ, 0, 512, LB_E_SCSI, "24/00");
    CHECK(d.count[LB_SCSI_READ_10] < 20);
}

/* A half of more than eight blocks is one of whole eights, for disks of 4096 bytes behind 512. */
static void refused_pieces_become_halves_of_whole_eights(void) {
    static const struct {
        unsigned blocks, most, longest;
    } cases[] = {{100, 60, 48}, {36, 20, 16}, {18, 9, 8}, {16, 8, 8}, {14, 7, 7}, {3, 1, 1}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!disk_bring_up())
            return;
        refuse_above(cases[i].most, 0x24);
        disk_run(LB_DISK_READ, 3, cases[i].blocks, LB_OK, "");
        CHECK(memcmp(d.buffer, d.memory + 3 * 512, cases[i].blocks * 512) == 0);
        d.log_count = 0;
        disk_run(LB_DISK_READ, 3, cases[i].blocks, LB_OK, "");
        CHECK_EQ(longest(), cases[i].longest);
    }
}

/* Only an error that may be one of length, and only of what can be halved. */
static void other_errors_do_not_make_pieces_smaller(void) {
    static const struct ending ends[] = {
        {.status = 2, .key = 3, .asc = 0x24},
        {.status = 2, .key = 3, .asc = 0x26},
        {.status = 2, .key = 5, .asc = 0x25},
        {.status = 2, .key = 5, .asc = 0x21},
    };
    for (size_t i = 0; i < LB_COUNT(ends); i++) {
        if (!disk_bring_up())
            return;
        uint32_t before = d.disk.piece_blocks;
        disk_fails(always(LB_SCSI_READ_10, ends[i]));
        (void)disk_submit(LB_DISK_READ, 0, 64);
        disk_pass(SEC);
        CHECK(d.count[LB_SCSI_READ_10] > 0);
        CHECK_EQ(d.disk.piece_blocks, before);
    }
}

int main(void) {
    TEST(a_size_that_is_missing_at_first_is_asked_for_again);
    TEST(a_lun_without_a_size_is_told_as_such);
    TEST(an_inquiry_without_data_is_no_obstacle);
    TEST(a_lun_that_is_not_mapped_is_told_as_such);
    TEST(luns_are_told_as_a_root_path_has_them);
    TEST(a_reservation_that_only_test_unit_ready_meets_is_no_obstacle);
    TEST(a_portal_on_standby_is_left_at_once_for_another_one);
    TEST(a_portal_on_standby_that_is_the_only_one_is_told_soon);
    TEST(a_portal_that_is_unavailable_is_no_missing_lun);
    TEST(what_is_not_needed_may_have_no_answer);
    TEST(what_is_not_needed_is_postponed_where_it_delays_the_rest);
    TEST(what_was_postponed_is_asked_again);
    TEST(names_without_an_answer_are_asked_for_once);
    TEST(names_and_aborts_may_have_no_answer);
    TEST(a_silent_name_is_postponed_after_a_new_login);
    TEST(a_silent_name_is_postponed_after_each_new_login);
    TEST(silent_names_are_postponed_as_often_as_they_delay_the_rest);
    TEST(all_that_is_not_needed_may_have_no_answer_at_once);
    TEST(what_is_not_needed_may_be_refused_for_ever);
    TEST(names_may_be_refused_for_ever);
    TEST(one_form_of_the_size_may_be_busy_for_ever);
    TEST(what_is_not_needed_may_be_garbage);
    TEST(a_slow_disk_is_waited_for_with_all_its_answers);
    TEST(a_disk_that_says_nothing_is_waited_for);
    TEST(a_flush_without_an_answer_fails_alone);
    TEST(a_reader_flushes_nothing);
    TEST(an_error_of_the_medium_may_be_one_only);
    TEST(an_underflow_of_nothing_is_none);
    TEST(no_piece_is_longer_than_the_maximum_burst);
    TEST(pieces_that_are_refused_are_made_smaller);
    TEST(writes_that_are_refused_are_made_smaller);
    TEST(a_field_that_is_wrong_at_any_length_is_told);
    TEST(refused_pieces_become_halves_of_whole_eights);
    TEST(other_errors_do_not_make_pieces_smaller);
    return tap_done();
}
