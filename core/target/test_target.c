#include "core/target/test_target_raw.h"

/* ---- numbers: 4.2.2 ---- */

static void a_command_outside_of_the_window_is_passed_over(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    pdu.cmd_sn = 6; /* before ExpCmdSN */
    give(pdu, nothing);
    pdu.cmd_sn = 7 + 4; /* after MaxCmdSN */
    give(pdu, nothing);
    CHECK(!take());
    pdu.cmd_sn = 7;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK_EQ(raw.pdu.exp_cmd_sn, 8);
    CHECK_EQ(raw.pdu.max_cmd_sn, 11);
}

static void a_gap_in_cmd_sn_ends_it(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    pdu.cmd_sn = 8;
    give(pdu, nothing);
    was_a_violation("a gap in CmdSN");
}

static void the_window_closes_while_commands_are_under_way(void) {
    log_in();
    raw.holds = true;
    for (int i = 0; i < 6; i++)
        give(command(false, (uint32_t)i, 1), nothing);
    CHECK_EQ(raw.held_count, 4); /* two were beyond the window */
    struct lb_iscsi_pdu nop = {.opcode = LB_OP_NOP_OUT,
                               .immediate = true,
                               .final = true,
                               .itt = 99,
                               .ttt = LB_ISCSI_NO_TAG};
    give(nop, TEXT("ping"));
    CHECK(take_op(LB_OP_NOP_IN));
    CHECK_EQ(raw.pdu.itt, 99);
    CHECK_EQ(raw.pdu.max_cmd_sn, raw.pdu.exp_cmd_sn - 1);
    CHECK(lb_bytes_equal(raw.data, TEXT("ping")));
    release_held();
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(take_op(LB_OP_DATA_IN));
        CHECK_EQ(raw.pdu.itt, i + 1);
        CHECK_EQ(raw.data.p[0], i);
    }
    CHECK_EQ(raw.pdu.max_cmd_sn, raw.pdu.exp_cmd_sn + 3);
}

static void too_many_immediate_commands_are_rejected_one_by_one(void) {
    log_in();
    raw.holds = true;
    for (unsigned i = 0; i < LB_TARGET_URGENT_MAX + 2; i++) {
        struct lb_iscsi_pdu pdu = command(false, 0, 1);
        pdu.immediate = true;
        give(pdu, nothing);
    }
    CHECK_EQ(raw.held_count, LB_TARGET_URGENT_MAX);
    CHECK(take_op(LB_OP_REJECT) && take_op(LB_OP_REJECT));
    CHECK_EQ(raw.pdu.reject.reason, LB_REJECT_IMMEDIATE);
    CHECK(!raw.is_closed);
}

/* ---- reads: 11.7 ---- */

static void a_read_comes_in_sequences_of_the_agreed_length(void) {
    uint32_t offset = 0, data_sn = 0;
    log_in();
    give(command(false, 2, 40), nothing); /* 20480 bytes; PDUs of 2048, sequences of 8192 */
    while (take()) {
        CHECK_EQ(raw.pdu.opcode, LB_OP_DATA_IN);
        CHECK_EQ(raw.pdu.data_in.data_sn, data_sn++);
        CHECK_EQ(raw.pdu.data_in.buffer_offset, offset);
        CHECK_EQ(raw.data.len, 2048);
        CHECK(lb_bytes_equal(raw.data, lb_bytes(raw.disk + 1024 + offset, 2048)));
        offset += 2048;
        CHECK_EQ(raw.pdu.final, offset % 8192 == 0 || offset == 20480);
        CHECK_EQ(raw.pdu.data_in.has_status, offset == 20480);
    }
    CHECK_EQ(offset, 20480);
}

static void residuals_tell_what_did_not_fit(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 2);
    pdu.command.edtl = 700;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK(raw.pdu.data_in.overflow && !raw.pdu.data_in.underflow);
    CHECK_EQ(raw.pdu.data_in.residual, 324);
    CHECK_EQ(raw.data.len, 700);
    pdu = command(false, 0, 1);
    pdu.command.edtl = 5000;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK(raw.pdu.data_in.underflow);
    CHECK_EQ(raw.pdu.data_in.residual, 5000 - 512);
    pdu = command(false, 0, 1);
    pdu.command.edtl = 0;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK(raw.pdu.response.overflow);
    CHECK_EQ(raw.pdu.response.residual, 512);
}

static void blocks_that_are_not_there_are_not_read(void) {
    log_in();
    give(command(false, DISK_BYTES / 512, 1), nothing);
    CHECK(took_check(5, 0x21));
    give(command(false, DISK_BYTES / 512 - 1, 2), nothing);
    CHECK(took_check(5, 0x21));
    give(command(false, 0xffffffff, 0xffff), nothing);
    CHECK(took_check(5, 0x21));
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    memset(pdu.command.cdb + 2, 0xff, 12); /* LBA and length */
    pdu.command.cdb[0] = LB_SCSI_READ_16;
    give(pdu, nothing);
    CHECK(took_check(5, 0x21));
    CHECK(!raw.is_closed);
}

/* ---- writes: 11.3.4, 11.7, 11.8 ---- */

static void a_write_asks_for_what_did_not_come(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(true, 0, 40);
    pdu.final = false;
    memset(raw.disk, 1, 20480);
    give(pdu, lb_bytes(pattern, 1024)); /* immediate */
    give(data_out(LB_ISCSI_NO_TAG, 0, 1024, true), lb_bytes(pattern, 3072));
    CHECK(take_op(LB_OP_R2T));
    CHECK_EQ(raw.pdu.r2t.buffer_offset, 4096);
    CHECK_EQ(raw.pdu.r2t.desired_len, 8192);
    CHECK_EQ(raw.pdu.r2t.r2t_sn, 0);
    uint32_t ttt = raw.pdu.ttt;
    give(data_out(ttt, 0, 4096, false), lb_bytes(pattern, 4096));
    give(data_out(ttt, 1, 8192, true), lb_bytes(pattern, 4096));
    CHECK(take_op(LB_OP_R2T));
    CHECK_EQ(raw.pdu.r2t.buffer_offset, 12288);
    CHECK_EQ(raw.pdu.r2t.r2t_sn, 1);
    CHECK(raw.pdu.ttt != ttt);
    give(data_out(raw.pdu.ttt, 0, 12288, true), lb_bytes(pattern, 8192));
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.pdu.response.status, LB_SCSI_GOOD);
    for (size_t i = 0; i < 20480; i++)
        if (!CHECK_EQ(raw.disk[i], 0))
            return;
}

static void a_write_that_is_longer_than_its_data_writes_whole_blocks(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(true, 4, 3);
    pdu.command.edtl = 1200; /* two blocks and a part of the third */
    give(pdu, lb_bytes(pattern, 1200));
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.pdu.response.status, LB_SCSI_GOOD);
    CHECK(raw.pdu.response.overflow);
    CHECK_EQ(raw.pdu.response.residual, 336);
    CHECK_EQ(raw.disk[2048], 0);
    CHECK_EQ(raw.disk[2048 + 1023], 0);
    CHECK_EQ(raw.disk[2048 + 1024], 6);
}

static void data_that_nobody_asked_for_ends_it(void) {
    log_in();
    give(command(false, 0, 1), lb_bytes(pattern, 512));
    was_a_violation("a command that does not write, with data to come");
    log_in();
    give(command(true, 0, 16), lb_bytes(pattern, 4608));
    was_a_violation("more immediate data than FirstBurstLength");
    log_in();
    struct lb_iscsi_pdu pdu = command(true, 0, 1);
    give(pdu, lb_bytes(pattern, 1024));
    was_a_violation("more immediate data than the command's length");
    connect();
    log_in_with(TEXT(NAMES "ImmediateData=No\0InitialR2T=Yes\0"));
    give(command(true, 0, 1), lb_bytes(pattern, 512));
    was_a_violation("immediate data, which was not agreed on");
    connect();
    log_in_with(TEXT(NAMES));
    pdu = command(true, 0, 1);
    pdu.final = false;
    give(pdu, nothing);
    was_a_violation("unsolicited data announced, which was not agreed on");
}

/* Starts a write of 8192 bytes up to its R2T; gives the R2T's tag. */
static uint32_t write_until_r2t(void) {
    log_in();
    memset(raw.disk, 0, 8192);
    give(command(true, 0, 16), nothing);
    CHECK(take_op(LB_OP_R2T));
    for (size_t i = 0; i < 8192; i++)
        raw.disk[i] = (uint8_t)(i / 512);
    return raw.pdu.ttt;
}

/* bz4206 and its like from the other end: offsets that wrap around. */
static void data_out_at_a_wrong_place_ends_it(void) {
    uint32_t ttt = write_until_r2t();
    give(data_out(ttt, 0, 0xfffffe00, true), lb_bytes(pattern, 1024));
    was_a_violation("Data-Out at a wrong offset");
    ttt = write_until_r2t();
    give(data_out(ttt, 0, 512, true), lb_bytes(pattern, 512));
    was_a_violation("Data-Out at a wrong offset");
    ttt = write_until_r2t();
    give(data_out(ttt, 1, 0, true), lb_bytes(pattern, 512));
    was_a_violation("Data-Out out of order");
    ttt = write_until_r2t();
    give(data_out(ttt, 0, 0, true), lb_bytes(pattern, 8704));
    was_a_violation("more Data-Out than was asked for");
    ttt = write_until_r2t();
    give(data_out(ttt, 0, 0, false), lb_bytes(pattern, 8192));
    was_a_violation("the last Data-Out without F");
}

static void data_out_for_no_task_is_thrown_away(void) {
    uint32_t ttt = write_until_r2t();
    give(data_out(ttt + 1, 0, 0, true), lb_bytes(pattern, 8192)); /* another tag */
    raw.itt++;
    give(data_out(ttt, 0, 0, true), lb_bytes(pattern, 8192)); /* another task */
    give(data_out(LB_ISCSI_NO_TAG, 0, 0, true), lb_bytes(pattern, 8192));
    CHECK(!take() && !raw.is_closed);
    CHECK_EQ(raw.disk[8191], 15);
    raw.itt--;
    give(data_out(ttt, 0, 0, true), lb_bytes(pattern, 8192));
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.disk[8191], 0);
}

static void a_burst_that_ends_early_fails_the_write(void) {
    uint32_t ttt = write_until_r2t();
    give(data_out(ttt, 0, 0, true), lb_bytes(pattern, 512));
    CHECK(took_check(0x0b, 0x0c));
    CHECK(!raw.is_closed);
}

static void a_write_that_failed_waits_for_its_unsolicited_data(void) {
    log_in();
    raw.unit.read_only = true;
    struct lb_iscsi_pdu pdu = command(true, 0, 16);
    pdu.final = false;
    give(pdu, lb_bytes(pattern, 512));
    CHECK(!take());
    give(data_out(LB_ISCSI_NO_TAG, 0, 512, false), lb_bytes(pattern, 512));
    CHECK(!take());
    give(data_out(LB_ISCSI_NO_TAG, 1, 1024, true), lb_bytes(pattern, 512));
    CHECK(took_check(7, 0x27));
    CHECK_EQ(raw.disk[1535], 2);
}

static void a_cdb_that_contradicts_its_flags_is_refused(void) {
    log_in();
    struct lb_iscsi_pdu pdu = command(true, 0, 1);
    lb_scsi_cdb_read(pdu.command.cdb, 0, 1);
    give(pdu, lb_bytes(pattern, 512)); /* there is no room for what is read: nothing is moved */
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.pdu.response.status, LB_SCSI_GOOD);
    CHECK(raw.pdu.response.overflow && raw.pdu.response.residual == 512);
    pdu = command(false, 0, 1);
    lb_scsi_cdb_write(pdu.command.cdb, 0, 1, false);
    give(pdu, nothing);
    CHECK(took_check(5, 0x24));
    pdu = command(true, 0, 1);
    pdu.command.read = true;
    give(pdu, lb_bytes(pattern, 512));
    CHECK(took_check(5, 0x24));
    CHECK_EQ(raw.disk[600], 1);
}

static void a_tag_in_use_cannot_be_used_again(void) {
    log_in();
    raw.holds = true;
    give(command(false, 0, 1), nothing);
    raw.itt--;
    give(command(false, 0, 1), nothing);
    was_a_violation("a command with a tag in use");
}

/* ---- SCSI ---- */

static void commands_that_are_not_there_are_refused(void) {
    log_in();
    for (unsigned op = 0; op < 256; op++) {
        struct lb_iscsi_pdu pdu = command(false, 0, 0);
        memset(pdu.command.cdb, 0, 16);
        pdu.command.cdb[0] = (uint8_t)op;
        pdu.command.edtl = 512;
        give(pdu, nothing);
        CHECK(take() && !raw.is_closed);
    }
    struct lb_iscsi_pdu pdu = command(false, 0, 0);
    raw.unit.state = LB_SCSI_UNIT_READY; /* one of them stopped it */
    pdu.command.cdb[0] = 0x83;           /* EXTENDED COPY */
    give(pdu, nothing);
    CHECK(took_check(5, 0x20));
}

static void a_lun_that_is_not_there_says_so(void) {
    struct lb_scsi_inquiry inquiry;
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    pdu.lun[1] = 9;
    give(pdu, nothing);
    CHECK(took_check(5, 0x25));
    pdu = command(false, 0, 1);
    pdu.lun[1] = 9;
    lb_scsi_cdb_inquiry(pdu.command.cdb, 36);
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK(lb_scsi_decode_inquiry(raw.data, &inquiry));
    CHECK_EQ(inquiry.qualifier, 3);
}

/* ---- the others ---- */

static void a_task_is_aborted_and_never_answered(void) {
    uint32_t ttt = write_until_r2t();
    struct lb_iscsi_pdu abort = tmf(LB_TMF_ABORT_TASK, raw.itt);
    give(abort, nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.itt, abort.itt);
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    give(data_out(ttt, 0, 0, true), lb_bytes(pattern, 8192));
    CHECK(!take());
    CHECK_EQ(raw.disk[8191], 15);
    give(tmf(LB_TMF_ABORT_TASK, raw.itt), nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_NO_TASK);
    give(command(false, 0, 1), nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK_EQ(raw.pdu.max_cmd_sn, raw.pdu.exp_cmd_sn + 3);
}

static void an_optional_command_may_stay_without_an_answer(void) {
    static const struct lb_target_faults faults = {.silent =
                                                       LB_SILENT_MODE_SENSE | LB_SILENT_FLUSH};
    log_in();
    raw.node.faults = &faults;
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    lb_scsi_cdb_mode_sense_6(pdu.command.cdb, 0x3f, 192);
    give(pdu, nothing);
    CHECK(!take());
    give(tmf(LB_TMF_ABORT_TASK, pdu.itt), nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    pdu = command(false, 0, 1);
    lb_scsi_cdb_vpd(pdu.command.cdb, LB_SCSI_VPD_SERIAL, 252);
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN)); /* of the others each is answered */
}

static void a_reset_waits_for_the_disk(void) {
    log_in();
    raw.holds = true;
    give(command(true, 0, 1), nothing); /* its BUFFER is awaited */
    give(tmf(LB_TMF_LUN_RESET, LB_ISCSI_NO_TAG), nothing);
    CHECK(!take());
    release_held();
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK(!take()); /* no R2T for what was aborted */
    log_in();
    raw.holds = true;
    give(command(false, 0, 1), nothing);
    give(tmf(LB_TMF_LUN_RESET, LB_ISCSI_NO_TAG), nothing);
    give(command(false, 0, 1), nothing);
    CHECK(!take());
    CHECK_EQ(raw.held_count, 1);
    release_held();
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK(took_check(6, 0x29)); /* the second read is told of it: the first has no answer */
    CHECK_EQ(raw.pdu.itt, 2);
    CHECK(!take());
}

static void what_has_no_place_ends_it(void) {
    static const enum lb_iscsi_opcode wrong[] = {LB_OP_LOGIN_REQUEST, LB_OP_SNACK, LB_OP_NOP_IN,
                                                 LB_OP_R2T, LB_OP_SCSI_RESPONSE};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        log_in();
        give((struct lb_iscsi_pdu){.opcode = wrong[i], .immediate = true}, nothing);
        was_a_violation("a PDU that has no place here");
    }
    log_in();
    static const uint8_t vendor[LB_ISCSI_BHS_BYTES] = {0x1c, 0x80};
    give_bytes(lb_bytes(vendor, sizeof vendor));
    CHECK(take_op(LB_OP_REJECT));
    CHECK_EQ(raw.pdu.reject.reason, LB_REJECT_NOT_SUPPORTED);
    CHECK(!raw.is_closed);
}

static void a_data_segment_that_is_too_long_ends_it(void) {
    static const uint8_t bhs[LB_ISCSI_BHS_BYTES] = {0x40, 0x80, 0, 0, 0, 0xff, 0xff, 0xff};
    log_in();
    give_bytes(lb_bytes(bhs, sizeof bhs));
    CHECK(raw.is_closed);
    CHECK_STR(lb_target_reason(&raw.conn), "a data segment that is too long");
}

static void a_discovery_session_has_no_commands(void) {
    connect();
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Discovery\0"));
    give(command(false, 0, 1), nothing);
    was_a_violation("a command in a discovery session");
}

static void send_targets_names_what_may_be_seen(void) {
    struct lb_bytes value;
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_REQUEST, .final = true, .itt = 5, .ttt = LB_ISCSI_NO_TAG, .cmd_sn = 7};
    connect();
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Discovery\0"));
    give(pdu, TEXT("SendTargets=All\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(raw.pdu.final && raw.pdu.ttt == LB_ISCSI_NO_TAG);
    CHECK(lb_bytes_equal(
        raw.data, TEXT("TargetName=iqn.2026-11.test:disk\0TargetAddress=192.0.2.1:3260,1\0")));
    static const char *const others[] = {"iqn.2026-11.test:somebody"};
    raw.node.initiators = others;
    raw.node.initiator_count = 1;
    pdu.cmd_sn++;
    give(pdu, TEXT("SendTargets=All\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK_EQ(raw.data.len, 0);
    pdu.cmd_sn++;
    give(pdu, TEXT("X-odd=1\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_UNKNOWN, &value) &&
          lb_text_is(value, "NotUnderstood"));
}

static void a_logout_is_answered_and_closed(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGOUT_REQUEST,
                               .immediate = true,
                               .final = true,
                               .itt = 5,
                               .logout = {.reason = LB_LOGOUT_RECOVERY}};
    log_in();
    give(pdu, nothing);
    CHECK(take_op(LB_OP_LOGOUT_RESPONSE));
    CHECK_EQ(raw.pdu.logout_response.response, 2);
    CHECK(!raw.is_closed);
    pdu.logout.reason = LB_LOGOUT_SESSION;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_LOGOUT_RESPONSE));
    CHECK_EQ(raw.pdu.logout_response.response, 0);
    CHECK(raw.is_closed);
}

/* ---- memory of the host's, and data that is not yet checked ---- */

/* Without another PDU, and without time that passes: RELEASE is the last thing it waits for. */
static void a_response_goes_out_as_soon_as_the_memory_is_released(void) {
    log_in();
    raw.server.keeps_memory = false;
    give(command(true, 0, 4), nothing);
    CHECK(take_op(LB_OP_R2T));
    give(data_out(raw.pdu.ttt, 0, 0, true), lb_bytes(pattern, 512));
    CHECK_EQ(raw.releases, 1);
    CHECK(took_check(0x0b, 0x0c));
}

static void log_in_with_data_digest(void) {
    connect();
    raw.node.data_digest = LB_DIGEST_PREFER;
    log_in_with(TEXT(NAMES "InitialR2T=No\0ImmediateData=Yes\0DataDigest=CRC32C\0"));
}

static void give_with_digest(struct lb_iscsi_pdu pdu, struct lb_bytes data, bool is_right) {
    uint8_t digest[4], bhs[LB_ISCSI_BHS_BYTES];
    uint32_t crc = lb_crc32c(0, data.p, data.len) ^ (is_right ? 0 : 1);
    for (unsigned i = 0; i < 4; i++)
        digest[i] = (uint8_t)(crc >> 8 * i); /* RFC 7143 B.1: as its polynomial's bytes */
    pdu.data_len = (uint32_t)data.len;
    lb_iscsi_encode(&pdu, bhs);
    give_bytes(lb_bytes(bhs, sizeof bhs));
    give_bytes(data);
    give_bytes(lb_bytes(digest, sizeof digest));
}

static void data_with_a_wrong_digest_is_not_on_the_disk(void) {
    log_in_with_data_digest();
    give_with_digest(command(true, 8, 2), lb_bytes(pattern, 1024), false);
    CHECK(raw.is_closed);
    CHECK_STR(lb_target_reason(&raw.conn), "a wrong digest");
    for (size_t i = 8 * 512; i < 10 * 512; i++)
        if (!CHECK_EQ(raw.disk[i], (uint8_t)(i / 512)))
            return;
}

static void data_is_on_the_disk_when_its_digest_was_right(void) {
    log_in_with_data_digest();
    struct lb_iscsi_pdu pdu = command(true, 8, 2);
    pdu.final = false; /* the second block comes by itself */
    give_with_digest(pdu, lb_bytes(pattern, 512), true);
    CHECK_EQ(raw.disk[8 * 512], 8); /* its first block alone is no reason to write */
    give_with_digest(data_out(LB_ISCSI_NO_TAG, 0, 512, true), lb_bytes(pattern, 512), true);
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.pdu.response.status, LB_SCSI_GOOD);
    CHECK_EQ(raw.disk[8 * 512], 0);
    CHECK_EQ(raw.disk[10 * 512 - 1], 0);
    CHECK_EQ(raw.releases, 0); /* with WRITE's answer it is the host's again */
}

/* Room apart from the disk is given back, also where the disk itself needs no RELEASE. */
static void room_that_is_not_written_is_released(void) {
    log_in_with_data_digest();
    struct lb_iscsi_pdu pdu = command(true, 8, 4);
    give_with_digest(pdu, lb_bytes(pattern, 512), true);
    CHECK(take_op(LB_OP_R2T));
    give(tmf(LB_TMF_ABORT_TASK, pdu.itt), nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    CHECK_EQ(raw.releases, 1);
    CHECK_EQ(raw.disk[8 * 512], 8);
}

int main(void) {
    TEST(a_command_outside_of_the_window_is_passed_over);
    TEST(a_gap_in_cmd_sn_ends_it);
    TEST(the_window_closes_while_commands_are_under_way);
    TEST(too_many_immediate_commands_are_rejected_one_by_one);
    TEST(a_read_comes_in_sequences_of_the_agreed_length);
    TEST(residuals_tell_what_did_not_fit);
    TEST(blocks_that_are_not_there_are_not_read);
    TEST(a_write_asks_for_what_did_not_come);
    TEST(a_write_that_is_longer_than_its_data_writes_whole_blocks);
    TEST(data_that_nobody_asked_for_ends_it);
    TEST(data_out_at_a_wrong_place_ends_it);
    TEST(data_out_for_no_task_is_thrown_away);
    TEST(a_burst_that_ends_early_fails_the_write);
    TEST(a_write_that_failed_waits_for_its_unsolicited_data);
    TEST(a_cdb_that_contradicts_its_flags_is_refused);
    TEST(a_tag_in_use_cannot_be_used_again);
    TEST(commands_that_are_not_there_are_refused);
    TEST(a_lun_that_is_not_there_says_so);
    TEST(a_task_is_aborted_and_never_answered);
    TEST(an_optional_command_may_stay_without_an_answer);
    TEST(a_reset_waits_for_the_disk);
    TEST(what_has_no_place_ends_it);
    TEST(a_data_segment_that_is_too_long_ends_it);
    TEST(a_discovery_session_has_no_commands);
    TEST(send_targets_names_what_may_be_seen);
    TEST(a_logout_is_answered_and_closed);
    TEST(a_response_goes_out_as_soon_as_the_memory_is_released);
    TEST(data_with_a_wrong_digest_is_not_on_the_disk);
    TEST(data_is_on_the_disk_when_its_digest_was_right);
    TEST(room_that_is_not_written_is_released);
    return tap_done();
}
