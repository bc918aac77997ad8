/* Requests to a disk: how they are split, what becomes of each end a command can have, and that
 * each request has one end, whatever happens. */
#include "core/disk/test_disk.h"

static void check_memory(uint64_t lba, uint32_t blocks) {
    size_t len = (size_t)blocks * d.block_bytes;
    CHECK_BYTES(lb_bytes(d.buffer, len), lb_bytes(d.memory + lba * d.block_bytes, len));
}

/* ---- splitting ------------------------------------------------------------------------------ */

static void a_small_request_is_one_command(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_READ, 77, 3, LB_OK, "");
    check_memory(77, 3);
    CHECK_EQ(d.log_count, 1);
    CHECK_EQ(d.log[0].op, LB_SCSI_READ_10);
    CHECK_EQ(d.log[0].lba, 77);
    CHECK_EQ(d.log[0].blocks, 3);
}

static void a_large_request_is_read_in_pieces(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_READ, 10, 2000, LB_OK, "");
    check_memory(10, 2000);
    CHECK_EQ(d.log_count, 4); /* 512 blocks are 256 KiB */
    uint64_t next = 10;
    for (unsigned i = 0; i < d.log_count; i++) {
        CHECK_EQ(d.log[i].lba, next);
        CHECK(d.log[i].blocks <= LB_DISK_PIECE_BYTES / 512);
        next += d.log[i].blocks;
    }
    CHECK_EQ(next, 2010);
}

static void the_targets_limit_makes_the_pieces_smaller(void) {
    disk_init();
    disk_reply(LB_ASK_LIMITS, "00 b0 003c 00 00 0008 00000064 00000040"); /* 100 blocks at most */
    if (!disk_comes_up())
        return;
    CHECK_EQ(lb_disk_info(&d.disk)->max_transfer_blocks, 100);
    CHECK_EQ(lb_disk_info(&d.disk)->optimal_transfer_blocks, 64);
    CHECK_EQ(lb_disk_info(&d.disk)->granularity_blocks, 8);
    d.log_count = 0;
    disk_run(LB_DISK_READ, 0, 1000, LB_OK, "");
    check_memory(0, 1000);
    CHECK_EQ(d.log_count, 10);
    for (unsigned i = 0; i < d.log_count; i++)
        CHECK_EQ(d.log[i].blocks, 100);
}

static void a_limit_above_ours_changes_nothing(void) {
    disk_init();
    disk_reply(LB_ASK_LIMITS, "00 b0 003c 00 00 0000 ffffffff 00000000");
    if (!disk_comes_up())
        return;
    d.log_count = 0;
    disk_run(LB_DISK_READ, 0, 1024, LB_OK, "");
    CHECK_EQ(d.log_count, 2);
}

static void large_blocks_are_split_by_bytes(void) {
    disk_init();
    disk_capacity(DISK_BYTES / 65536 - 1, 65536);
    if (!disk_comes_up())
        return;
    d.log_count = 0;
    disk_run(LB_DISK_READ, 0, 16, LB_OK, "");
    check_memory(0, 16);
    CHECK_EQ(d.log_count, 4);
}

static void beyond_two_tib_the_long_commands_are_used(void) {
    disk_init();
    disk_capacity(0x2ffffffff, 512);
    if (!disk_comes_up())
        return;
    d.log_count = 0;
    disk_run(LB_DISK_READ, 0x1fffffffe, 4, LB_OK, "");
    disk_run(LB_DISK_WRITE, 0x1fffffffe, 4, LB_OK, "");
    disk_run(LB_DISK_READ, 0xfffffffe, 1, LB_OK, "");
    CHECK_EQ(d.log[0].op, LB_SCSI_READ_16);
    CHECK_EQ(d.log[0].lba, 0x1fffffffe);
    CHECK_EQ(d.log[1].op, LB_SCSI_WRITE_16);
    CHECK_EQ(d.log[2].op, LB_SCSI_READ_10);
}

static void what_is_written_is_on_the_disk_and_nothing_else(void) {
    static uint8_t before[DISK_BYTES];
    if (!disk_bring_up())
        return;
    memcpy(before, d.memory, sizeof before);
    memset(d.buffer, 0xa5, 2000 * 512);
    memset(before + 100 * 512, 0xa5, 2000 * 512);
    disk_run(LB_DISK_WRITE, 100, 2000, LB_OK, "");
    CHECK(memcmp(before, d.memory, sizeof before) == 0);
    CHECK_EQ(d.count[LB_SCSI_WRITE_10], 4);
}

static void through_the_cache_is_said_in_the_command(void) {
    if (!disk_bring_up())
        return;
    d.ops[0] = (struct lb_disk_op){
        .kind = LB_DISK_WRITE, .blocks = 1, .buffer = d.buffer, .force_unit_access = true};
    lb_disk_submit(&d.disk, peer.now, &d.ops[0]);
    (void)disk_turn_session();
    if (CHECK(peer_take()))
        CHECK_EQ(peer.pdu.command.cdb[1] & 0x08, 0x08);
}

static void more_requests_than_commands_are_all_done(void) {
    if (!disk_bring_up())
        return;
    for (unsigned i = 0; i < DISK_OPS; i++)
        disk_submit(LB_DISK_READ, i, 1);
    disk_pass(SEC);
    unsigned done = 0;
    for (unsigned i = 0; i < DISK_OPS; i++)
        done += d.completions[i] == 1 && lb_is_ok(&d.ops[i].error);
    CHECK_EQ(done, DISK_OPS);
    CHECK_EQ(d.log_count, DISK_OPS);
}

/* ---- refused here --------------------------------------------------------------------------- */

static void blocks_that_are_not_there_are_refused_without_asking(void) {
    static const struct {
        uint64_t lba;
        uint32_t blocks;
    } cases[] = {{8192, 1}, {8191, 2}, {0, 8193}, {UINT64_MAX, 1}, {UINT64_MAX - 1, 4}, {9000, 0}};
    if (!disk_bring_up())
        return;
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_disk_op *op = disk_submit(LB_DISK_READ, cases[i].lba, cases[i].blocks);
        disk_check_end(op, LB_E_OUT_OF_RANGE, "of 8192");
    }
    disk_pass(SEC);
    CHECK_EQ(d.log_count, 0);
}

static void no_blocks_are_done_at_once(void) {
    if (!disk_bring_up())
        return;
    disk_check_end(disk_submit(LB_DISK_READ, 8192, 0), LB_OK, "");
    CHECK_EQ(d.log_count, 0);
}

/* ---- one piece fails ------------------------------------------------------------------------ */

static void a_bad_block_is_told_with_its_place(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10,
                               .times = 1 + LB_DISK_ERRORS_MAX,
                               .status = 2,
                               .key = 3,
                               .asc = 0x11});
    disk_run(LB_DISK_READ, 7, 2, LB_E_MEDIUM, "read of 2 blocks at 7: CHECK CONDITION");
    CHECK_EQ(d.count[LB_SCSI_READ_10], 1 + LB_DISK_ERRORS_MAX);
    disk_run(LB_DISK_READ, 7, 2, LB_OK, "");
}

static void one_bad_piece_ends_the_request_once(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = ALWAYS, .status = 2, .key = 3, .asc = 0x11});
    struct lb_disk_op *op = disk_run(LB_DISK_READ, 0, 4096, LB_E_MEDIUM, "read of 512 blocks");
    disk_pass(10 * SEC);
    CHECK_EQ(d.completions[op->user], 1);
    CHECK_EQ(op->in_flight, 0);
}

static void a_request_does_not_end_before_its_last_piece(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 1, .is_silent = true});
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = ALWAYS, .status = 2, .key = 3, .asc = 0x11});
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 0, 1024);
    disk_pass(5 * SEC);
    CHECK_EQ(d.completions[op->user], 0); /* its buffer may still be written to */
    d.is_gone = true;
    disk_cut();
    disk_pass(200 * SEC);
    disk_check_end(op, LB_E_MEDIUM, "at 512:");
}

static void after_a_bad_piece_no_more_are_begun(void) {
    disk_init();
    disk_reply(LB_ASK_LIMITS, "00 b0 003c 00 00 0000 00000001 00000000"); /* a block a command */
    if (!disk_comes_up())
        return;
    d.log_count = 0;
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = ALWAYS, .status = 2, .key = 3, .asc = 0x11});
    disk_run(LB_DISK_READ, 0, 600, LB_E_MEDIUM, "read of 1 blocks");
    CHECK(d.log_count <= (1 + LB_DISK_ERRORS_MAX) * LB_DISK_TASKS_MAX);
    d.log_count = d.endings[0].times = 0;
    disk_run(LB_DISK_READ, 0, 600, LB_OK, "");
    check_memory(0, 600);
}

/* ---- what a target may say ------------------------------------------------------------------ */

static void each_refusal_has_its_error(void) {
    static const struct {
        struct ending ending;
        enum lb_code code;
        const char *facts;
    } cases[] = {
        {{.status = 2, .key = 5, .asc = 0x21}, LB_E_OUT_OF_RANGE, "21/00"},
        {{.status = 2, .key = 5, .asc = 0x20}, LB_E_SCSI, "20/00"},
        {{.status = 2, .key = 5, .asc = 0x24}, LB_E_SCSI, "24/00"},
        {{.status = 2, .key = 7, .asc = 0x27}, LB_E_WRITE_PROTECTED, "27/00"},
        {{.status = 2, .key = 5, .asc = 0x27}, LB_E_WRITE_PROTECTED, "27/00"},
        {{.status = 2, .key = 3, .asc = 0x0c}, LB_E_MEDIUM, "0c/00"},
        {{.status = 2, .key = 4, .asc = 0x44}, LB_E_MEDIUM, "44/00"},
        {{.status = 2, .key = 2, .asc = 0x3a}, LB_E_NO_MEDIUM, "3a/00"},
        {{.status = 2, .key = 13}, LB_E_SCSI, "VOLUME OVERFLOW"},
        {{.status = 0x18}, LB_E_RESERVED, "RESERVATION CONFLICT"},
        {{.status = 0x22}, LB_E_SCSI, "unknown status 0x22"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!disk_bring_up())
            return;
        struct ending ending = cases[i].ending;
        ending.op = LB_SCSI_WRITE_10;
        ending.times = cases[i].code == LB_E_MEDIUM ? 1 + LB_DISK_ERRORS_MAX : 1;
        disk_fails(ending);
        disk_run(LB_DISK_WRITE, 5, 1, cases[i].code, cases[i].facts);
        CHECK_EQ(d.count[LB_SCSI_WRITE_10], ending.times);
    }
}

static void what_passes_by_itself_is_tried_again_at_once(void) {
    static const struct ending cases[] = {
        {.status = 2, .key = 6, .asc = 0x29},         /* power on or reset */
        {.status = 2, .key = 6, .asc = 0x3f},         /* something changed */
        {.status = 0x40},                             /* TASK ABORTED */
        {.status = 2, .key = 3, .is_deferred = true}, /* an earlier command's */
        {.response = 1},                              /* the target failed to deliver */
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!disk_bring_up())
            return;
        struct ending ending = cases[i];
        ending.op = LB_SCSI_READ_10;
        ending.times = 3;
        disk_fails(ending);
        uint64_t start = peer.now;
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        CHECK_EQ(d.count[LB_SCSI_READ_10], 4);
        CHECK(peer.now - start < 5 * MS);
    }
}

static void but_not_for_ever(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = ALWAYS, .status = 2, .key = 6, .asc = 0x29});
    uint64_t start = peer.now;
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    disk_pass(9 * MS);
    CHECK_EQ(d.count[LB_SCSI_READ_10], 1 + LB_DISK_RETRIES_MAX);
    disk_pass(LB_DISK_BUSY_MS * MS);
    disk_check_end(op, LB_E_SCSI, "UNIT ATTENTION 29/00");
    CHECK(peer.now - start <= (LB_DISK_BUSY_MS + 9) * MS);
    CHECK(d.count[LB_SCSI_READ_10] < 100);
}

/* It is being set up, and tells each step. */
static void twenty_unit_attentions_are_borne(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = 20, .status = 2, .key = 6, .asc = 0x3f, .ascq = 0x0e});
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
}

static void an_earlier_writes_error_is_told_in_the_end(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10,
                               .times = ALWAYS,
                               .status = 2,
                               .key = 3,
                               .asc = 0x0c,
                               .is_deferred = true});
    disk_run(LB_DISK_READ, 5, 1, LB_E_MEDIUM, "deferred MEDIUM ERROR 0c/00");
}

static void a_busy_disk_is_asked_again_after_pauses_that_double(void) {
    static const uint8_t statuses[] = {LB_SCSI_BUSY, LB_SCSI_TASK_SET_FULL, LB_SCSI_ACA_ACTIVE};
    for (size_t i = 0; i < LB_COUNT(statuses); i++) {
        uint64_t pause_us = LB_DISK_DELAY_MIN_MS * MS;
        if (!disk_bring_up())
            return;
        disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 10, .status = statuses[i]});
        disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
        if (!CHECK_EQ(d.log_count, 11))
            continue;
        for (unsigned n = 1; n < d.log_count; n++) {
            CHECK_EQ(d.log[n].at - d.log[n - 1].at, pause_us);
            pause_us = LB_MIN(2 * pause_us, LB_DISK_DELAY_MAX_MS * MS);
        }
    }
}

static void a_disk_that_stays_busy_fails_the_request_after_a_minute(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = ALWAYS, .status = LB_SCSI_BUSY});
    uint64_t start = peer.now;
    disk_run(LB_DISK_READ, 5, 1, LB_E_DISK_BUSY, "read of 1 blocks at 5: BUSY");
    CHECK(peer.now - start <= LB_DISK_BUSY_MS * MS);
    CHECK(peer.now - start >= (LB_DISK_BUSY_MS - 2 * LB_DISK_DELAY_MAX_MS) * MS);
}

static void others_are_served_while_one_waits(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 6, .status = LB_SCSI_BUSY});
    struct lb_disk_op *slow = disk_submit(LB_DISK_READ, 1, 1);
    disk_pass(MS);
    disk_run(LB_DISK_WRITE, 2, 1, LB_OK, "");
    CHECK_EQ(d.completions[slow->user], 0);
    disk_pass(2 * SEC);
    disk_check_end(slow, LB_OK, "");
}

static void a_read_that_comes_short_is_tried_again_and_then_the_targets_mistake(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 2, .missing = 512});
    disk_run(LB_DISK_READ, 5, 2, LB_OK, "");
    check_memory(5, 2);
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = ALWAYS, .missing = 512});
    disk_run(LB_DISK_READ, 5, 2, LB_E_PROTOCOL, "512 of 1024 bytes");
}

static void a_recovered_error_without_all_of_the_data_is_no_success(void) {
    struct ending recovered = {.op = LB_SCSI_READ_10, .status = LB_SCSI_CHECK_CONDITION, .key = 1};
    if (!disk_bring_up())
        return;
    recovered.times = 2;
    disk_fails(recovered);
    disk_run(LB_DISK_READ, 5, 2, LB_OK, "");
    check_memory(5, 2);
    recovered.times = ALWAYS;
    disk_fails(recovered);
    disk_run(LB_DISK_READ, 5, 2, LB_E_PROTOCOL, "0 of 1024 bytes");
}

static void a_write_that_nobody_asked_the_data_of_is_no_success(void) {
    struct ending done = {.op = LB_SCSI_WRITE_10, .status = LB_SCSI_CHECK_CONDITION, .key = 1};
    done.times = ALWAYS;
    if (!disk_bring_up())
        return;
    disk_fails(done);
    disk_run(LB_DISK_WRITE, 5, 2, LB_OK, ""); /* all of it went with the command */
    disk_init();
    d.asks = true;
    if (!disk_comes_up())
        return;
    disk_fails(done);
    disk_run(LB_DISK_WRITE, 5, 2, LB_E_PROTOCOL, "0 of 1024 bytes");
}

static void a_target_that_never_delivers_is_told_with_its_response(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = ALWAYS, .response = 1});
    disk_run(LB_DISK_READ, 5, 1, LB_E_PROTOCOL, "response 1");
}

/* ---- changes -------------------------------------------------------------------------------- */

static void change(uint8_t asc, uint8_t ascq) {
    disk_attention(asc, ascq);
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    disk_pass(SEC);
}

static void a_disk_that_grew_is_asked_for_its_size(void) {
    if (!disk_bring_up())
        return;
    disk_capacity(99999, 512);
    change(0x2a, 0x09);
    CHECK_EQ(lb_disk_info(&d.disk)->blocks, 100000);
    CHECK_EQ(d.count[LB_SCSI_SERVICE_ACTION_IN_16], 1);
}

static void a_disk_that_became_read_only_is_known_to_be(void) {
    if (!disk_bring_up())
        return;
    disk_reply(LB_ASK_MODE, "03 00 80 00");
    change(0x2a, 0x01);
    CHECK(lb_disk_info(&d.disk)->read_only);
}

static void a_change_that_is_told_again_and_again_is_asked_about_once_at_a_time(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = 60, .status = 2, .key = 6, .asc = 0x2a, .ascq = 9});
    for (unsigned i = 0; i < 20; i++)
        disk_submit(LB_DISK_READ, i, 1);
    disk_pass(SEC);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(d.completions[i], 1);
    CHECK(d.count[LB_SCSI_SERVICE_ACTION_IN_16] <= 8);
}

/* ---- flush ---------------------------------------------------------------------------------- */

static void flush_is_one_command(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
    CHECK_EQ(d.count[LB_SCSI_SYNCHRONIZE_CACHE_10], 1);
}

static void a_disk_without_cache_has_no_flush_command_and_needs_none(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_fails((struct ending){
        .op = LB_SCSI_SYNCHRONIZE_CACHE_10, .times = ALWAYS, .status = 2, .key = 5, .asc = 0x20});
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
}

static void a_flush_that_fails_is_told(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_fails((struct ending){.op = LB_SCSI_SYNCHRONIZE_CACHE_10,
                               .times = 1 + LB_DISK_ERRORS_MAX,
                               .status = 2,
                               .key = 3,
                               .asc = 0x0c});
    disk_run(LB_DISK_FLUSH, 0, 0, LB_E_MEDIUM, "command 35: CHECK CONDITION");
}

static void new_login(void) {
    unsigned logins = lb_initiator_logins(&peer.session);
    disk_cut();
    disk_pass(10 * SEC);
    CHECK_EQ(lb_initiator_logins(&peer.session), logins + 1);
}

static void a_flush_after_a_new_login_cannot_vouch_for_writes_before_it(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    new_login();
    disk_run(LB_DISK_FLUSH, 0, 0, LB_E_WRITES_UNSURE, "1 login since");
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, ""); /* told once */
}

static void a_flush_after_a_new_login_vouches_for_writes_after_it(void) {
    if (!disk_bring_up())
        return;
    new_login();
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
}

static void a_flush_without_writes_is_sure_after_a_new_login_too(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_READ, 5, 1, LB_OK, "");
    new_login();
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
}

static void a_flush_vouches_for_what_was_flushed_before_the_login(void) {
    if (!disk_bring_up())
        return;
    disk_run(LB_DISK_WRITE, 5, 1, LB_OK, "");
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
    new_login();
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
}

static void a_write_that_was_cut_off_is_written_again(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_WRITE_10, .times = 1, .is_silent = true});
    memset(d.buffer, 0x5a, 512);
    struct lb_disk_op *op = disk_submit(LB_DISK_WRITE, 9, 1);
    disk_pass(SEC);
    new_login();
    disk_check_end(op, LB_OK, "");
    CHECK_EQ(d.memory[9 * 512], 0x5a);
    CHECK_EQ(d.count[LB_SCSI_WRITE_10], 2);
    disk_run(LB_DISK_FLUSH, 0, 0, LB_OK, "");
}

/* ---- the session ---------------------------------------------------------------------------- */

static void a_new_session_answers_what_the_old_one_left_open(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 20, .is_silent = true});
    for (unsigned i = 0; i < 20; i++)
        disk_submit(LB_DISK_READ, i, 1);
    disk_pass(SEC);
    new_login();
    unsigned done = 0;
    for (unsigned i = 0; i < 20; i++)
        done += d.completions[i] == 1 && lb_is_ok(&d.ops[i].error);
    CHECK_EQ(done, 20);
}

/* Each new session begins with a UNIT ATTENTION, and then the command is not answered. */
static void a_command_that_only_a_unit_attention_answers_ends_the_session(void) {
    struct ending silence = {.op = LB_SCSI_READ_10, .times = 1, .is_silent = true};
    struct ending attention = {
        .op = LB_SCSI_READ_10, .times = 1, .status = 2, .key = 6, .asc = 0x29};
    if (!disk_bring_up())
        return;
    for (unsigned i = 0; i < 4; i++) {
        disk_fails(silence);
        disk_fails(attention);
    }
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 0, 1);
    disk_pass(600 * SEC);
    disk_check_end(op, LB_E_TASK_TIMEOUT, "no answer within");
}

static void a_session_that_is_lost_for_good_ends_each_request_once(void) {
    if (!disk_bring_up())
        return;
    disk_fails((struct ending){.op = LB_SCSI_READ_10, .times = 100, .is_silent = true});
    disk_fails((struct ending){.op = LB_SCSI_WRITE_10, .times = 100, .status = LB_SCSI_BUSY});
    for (unsigned i = 0; i < DISK_OPS; i++) /* in flight, waiting, and not begun */
        disk_submit(i % 2 ? LB_DISK_WRITE : LB_DISK_READ, i, 1);
    disk_pass(MS);
    d.is_gone = true;
    disk_cut();
    disk_pass(200 * SEC);
    unsigned once = 0, lost = 0;
    for (unsigned i = 0; i < DISK_OPS; i++) {
        once += d.completions[i] == 1;
        lost += d.ops[i].error.code == LB_E_CONNECTION_LOST;
    }
    CHECK_EQ(once, DISK_OPS);
    CHECK(lost >= DISK_OPS / 2);
}

static void a_request_to_a_session_that_ended_ends_at_once(void) {
    if (!disk_bring_up())
        return;
    d.is_gone = true;
    disk_cut();
    disk_pass(200 * SEC);
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    disk_turn(peer.now + 1);
    disk_check_end(op, LB_E_CONNECTION_LOST, "");
}

static void a_session_that_is_logged_out_ends_what_comes_after(void) {
    if (!disk_bring_up())
        return;
    lb_initiator_logout(&peer.session, peer.now);
    struct lb_disk_op *op = disk_submit(LB_DISK_READ, 5, 1);
    (void)lb_disk_poll(&d.disk, peer.now);
    disk_check_end(op, LB_E_CANCELLED, "logged out");
}

int main(void) {
    TEST(a_small_request_is_one_command);
    TEST(a_large_request_is_read_in_pieces);
    TEST(the_targets_limit_makes_the_pieces_smaller);
    TEST(a_limit_above_ours_changes_nothing);
    TEST(large_blocks_are_split_by_bytes);
    TEST(beyond_two_tib_the_long_commands_are_used);
    TEST(what_is_written_is_on_the_disk_and_nothing_else);
    TEST(through_the_cache_is_said_in_the_command);
    TEST(more_requests_than_commands_are_all_done);
    TEST(blocks_that_are_not_there_are_refused_without_asking);
    TEST(no_blocks_are_done_at_once);
    TEST(a_bad_block_is_told_with_its_place);
    TEST(one_bad_piece_ends_the_request_once);
    TEST(a_request_does_not_end_before_its_last_piece);
    TEST(after_a_bad_piece_no_more_are_begun);
    TEST(each_refusal_has_its_error);
    TEST(what_passes_by_itself_is_tried_again_at_once);
    TEST(but_not_for_ever);
    TEST(twenty_unit_attentions_are_borne);
    TEST(an_earlier_writes_error_is_told_in_the_end);
    TEST(a_busy_disk_is_asked_again_after_pauses_that_double);
    TEST(a_disk_that_stays_busy_fails_the_request_after_a_minute);
    TEST(others_are_served_while_one_waits);
    TEST(a_read_that_comes_short_is_tried_again_and_then_the_targets_mistake);
    TEST(a_recovered_error_without_all_of_the_data_is_no_success);
    TEST(a_write_that_nobody_asked_the_data_of_is_no_success);
    TEST(a_target_that_never_delivers_is_told_with_its_response);
    TEST(a_disk_that_grew_is_asked_for_its_size);
    TEST(a_disk_that_became_read_only_is_known_to_be);
    TEST(a_change_that_is_told_again_and_again_is_asked_about_once_at_a_time);
    TEST(flush_is_one_command);
    TEST(a_disk_without_cache_has_no_flush_command_and_needs_none);
    TEST(a_flush_that_fails_is_told);
    TEST(a_flush_after_a_new_login_cannot_vouch_for_writes_before_it);
    TEST(a_flush_after_a_new_login_vouches_for_writes_after_it);
    TEST(a_flush_without_writes_is_sure_after_a_new_login_too);
    TEST(a_flush_vouches_for_what_was_flushed_before_the_login);
    TEST(a_write_that_was_cut_off_is_written_again);
    TEST(a_new_session_answers_what_the_old_one_left_open);
    TEST(a_command_that_only_a_unit_attention_answers_ends_the_session);
    TEST(a_session_that_is_lost_for_good_ends_each_request_once);
    TEST(a_request_to_a_session_that_ended_ends_at_once);
    TEST(a_session_that_is_logged_out_ends_what_comes_after);
    return tap_done();
}
