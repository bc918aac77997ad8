#include "core/target/test_target_raw.h"

/* ---- SCSI ---- */

/* The reply to a command of its CDB alone, up to 512 bytes. */
static struct lb_bytes reply_to(const uint8_t cdb[LB_SCSI_CDB_BYTES]) {
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    memcpy(pdu.command.cdb, cdb, LB_SCSI_CDB_BYTES);
    give(pdu, nothing);
    if (!take_op(LB_OP_DATA_IN))
        return nothing;
    CHECK(raw.pdu.data_in.has_status);
    CHECK(raw.pdu.data_in.underflow == (raw.data.len < 512));
    return raw.data;
}

static void every_vital_page_that_is_listed_is_there(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    log_in();
    lb_scsi_cdb_vpd(cdb, LB_SCSI_VPD_PAGES, 255);
    struct lb_bytes pages = lb_bytes_after(reply_to(cdb), 4);
    CHECK_EQ(pages.len, 7);
    for (size_t i = 0; i < pages.len; i++) {
        uint8_t page = pages.p[i];
        lb_scsi_cdb_vpd(cdb, page, 255);
        struct lb_bytes reply = reply_to(cdb);
        CHECK(reply.len >= 4);
        CHECK_EQ(reply.p[1], page);
        CHECK_EQ(reply.p[3], reply.len - 4);
    }
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    lb_scsi_cdb_vpd(pdu.command.cdb, 0xc5, 255);
    give(pdu, nothing);
    CHECK(took_check(5, 0x24));
}

static void a_reply_is_cut_at_the_room_for_it(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    log_in();
    lb_scsi_cdb_inquiry(cdb, 5);
    CHECK_EQ(reply_to(cdb).len, 5);
    lb_scsi_cdb_read_capacity_16(cdb, 12);
    CHECK_EQ(reply_to(cdb).len, 12);
    lb_scsi_cdb_mode_sense_6(cdb, 0x3f, 4);
    CHECK_EQ(reply_to(cdb).len, 4);
    lb_scsi_cdb_mode_sense_10(cdb, 0x0a, 255);
    CHECK_EQ(reply_to(cdb).len, 8 + 12);
}

static void a_unit_attention_is_told_once(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES] = {LB_SCSI_REQUEST_SENSE, 0, 0, 0, 18};
    log_in();
    lb_target_attention(&raw.server, &raw.node, 0, 0x2a, 0x09);
    struct lb_scsi_sense sense = lb_scsi_decode_sense(reply_to(cdb));
    CHECK_EQ(sense.key, 6);
    CHECK_EQ(sense.asc, 0x2a);
    CHECK_EQ(lb_scsi_decode_sense(reply_to(cdb)).key, 0);
    lb_target_attention(&raw.server, &raw.node, 0, 0x29, 0x00);
    give(command(false, 0, 1), nothing);
    CHECK(took_check(6, 0x29));
    give(command(false, 0, 1), nothing);
    CHECK(take_op(LB_OP_DATA_IN));
}

/* A write with data still to come is aborted before its CHECK CONDITION is sent. */
static void a_unit_attention_of_an_aborted_command_is_told_by_the_next(void) {
    static const enum lb_iscsi_tmf functions[] = {LB_TMF_ABORT_TASK, LB_TMF_ABORT_TASK_SET,
                                                  LB_TMF_LUN_RESET, LB_TMF_CLEAR_TASK_SET};
    for (unsigned i = 0; i < LB_COUNT(functions); i++) {
        log_in();
        lb_target_attention(&raw.server, &raw.node, 0, 0x3f, 0x0e);
        struct lb_iscsi_pdu pdu = command(true, 0, 2);
        pdu.final = false;
        give(pdu, lb_bytes(pattern, 512));
        CHECK(!take());
        bool is_one = functions[i] == LB_TMF_ABORT_TASK;
        give(tmf(functions[i], is_one ? pdu.itt : LB_ISCSI_NO_TAG), nothing);
        CHECK(take_op(LB_OP_TMF_RESPONSE));
        CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
        give(command(false, 0, 1), nothing);
        /* A reset's attention stands for all before it. */
        CHECK(took_check(6, functions[i] == LB_TMF_LUN_RESET ? 0x29 : 0x3f));
        give(command(false, 0, 1), nothing);
        CHECK(take_op(LB_OP_DATA_IN));
    }
}

static void a_busy_target_still_says_what_it_is(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    log_in();
    raw.unit.is_busy = true;
    give(command(false, 0, 1), nothing);
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(raw.pdu.response.status, LB_SCSI_BUSY);
    CHECK_EQ(raw.data.len, 0);
    lb_scsi_cdb_inquiry(cdb, 36);
    CHECK_EQ(reply_to(cdb).len, 36);
}

static void a_mode_page_has_the_subpages_that_it_has(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    log_in();
    lb_scsi_cdb_mode_sense_6(cdb, 0x0a, 255);
    CHECK_EQ(reply_to(cdb).len, 4 + 12);
    cdb[3] = 0x01; /* the control extension */
    CHECK_EQ(reply_to(cdb).len, 4 + 32);
    cdb[3] = 0xff;
    CHECK_EQ(reply_to(cdb).len, 4 + 12 + 32);
    lb_scsi_cdb_mode_sense_6(cdb, 0x3f, 255); /* without subpages */
    CHECK_EQ(reply_to(cdb).len, 4 + 20 + 12 + 12);
    static const uint8_t subpages[] = {0x05, 0xfe}; /* Linux asks for 0A/05 */
    for (size_t i = 0; i < sizeof subpages; i++) {
        struct lb_iscsi_pdu pdu = command(false, 0, 1);
        lb_scsi_cdb_mode_sense_10(pdu.command.cdb, 0x0a, 255);
        pdu.command.cdb[3] = subpages[i];
        give(pdu, nothing);
        CHECK(took_check(5, 0x24));
        pdu = command(false, 0, 1);
        lb_scsi_cdb_mode_sense_6(pdu.command.cdb, 0x3f, 192);
        pdu.command.cdb[3] = (uint8_t)(i + 1); /* some subpage of all pages: there is none */
        give(pdu, nothing);
        CHECK(took_check(5, 0x24));
    }
}

static void what_changes_is_wce_and_swp_and_nothing_is_saved(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    log_in();
    lb_scsi_cdb_mode_sense_6(cdb, 0x08, 255);
    CHECK_EQ(reply_to(cdb).p[6], 0x04); /* WCE, as it is */
    cdb[2] |= 0x80;
    CHECK_EQ(reply_to(cdb).p[6], 0x04); /* as it is by default */
    lb_scsi_cdb_mode_sense_6(cdb, 0x3f, 255);
    cdb[2] |= 0x40;
    struct lb_bytes reply = reply_to(cdb);
    CHECK_EQ(reply.len, 4 + 20 + 12 + 12);
    CHECK_EQ(reply.p[6], 0x04);
    CHECK_EQ(reply.p[24 + 4], 0x08);
    for (size_t i = 7; i < reply.len; i++)
        CHECK(reply.p[i] == 0 || i == 24 || i == 25 || i == 28 || i == 36 || i == 37);
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    lb_scsi_cdb_mode_sense_6(pdu.command.cdb, 0x3f, 255);
    pdu.command.cdb[2] |= 0xc0;
    give(pdu, nothing);
    CHECK(took_check(5, 0x39));
}

static void text_of(char serial[33], struct lb_bytes reply) {
    if (!CHECK(lb_scsi_decode_serial(reply, serial, 33)))
        serial[0] = 0;
}

static void each_target_and_lun_has_its_own_serial_number(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    char first[33], second[33], again[33];
    lb_scsi_cdb_vpd(cdb, LB_SCSI_VPD_SERIAL, 255);
    log_in();
    text_of(first, reply_to(cdb));
    CHECK_EQ(lb_strlen(first), 16);
    lb_text_copy(raw.node.name, LB_NAME_MAX, TEXT("iqn.2026-11.test:disk2"));
    text_of(second, reply_to(cdb));
    CHECK(!lb_streq(first, second));
    lb_text_copy(raw.node.name, LB_NAME_MAX, TEXT("iqn.2026-11.test:disk"));
    text_of(again, reply_to(cdb));
    CHECK_STR(again, first);
    lb_text_copy(raw.unit.serial, 32, TEXT("SN07"));
    text_of(again, reply_to(cdb));
    CHECK_STR(again, "SN07");
}

static bool flush_is(bool long_form, uint64_t lba, uint32_t blocks) {
    struct lb_iscsi_pdu pdu = command(false, 0, 0);
    struct lb_wr wr = lb_wr(lb_span(pdu.command.cdb + 2, 14));
    memset(pdu.command.cdb, 0, sizeof pdu.command.cdb);
    pdu.command.read = false;
    pdu.command.cdb[0] = long_form ? LB_SCSI_SYNCHRONIZE_CACHE_16 : LB_SCSI_SYNCHRONIZE_CACHE_10;
    if (long_form) {
        lb_wr_u64(&wr, lba);
        lb_wr_u32(&wr, blocks);
    } else {
        lb_wr_u32(&wr, (uint32_t)lba);
        lb_wr_u8(&wr, 0);
        lb_wr_u16(&wr, (uint16_t)blocks);
    }
    give(pdu, nothing);
    if (!take_op(LB_OP_SCSI_RESPONSE))
        return false;
    struct lb_scsi_sense sense = lb_scsi_decode_sense(lb_bytes_after(raw.data, 2));
    CHECK(raw.pdu.response.status == LB_SCSI_GOOD || sense.asc == 0x21);
    return raw.pdu.response.status == LB_SCSI_GOOD;
}

static void a_flush_of_blocks_that_are_not_there_is_refused(void) {
    const uint32_t end = DISK_BYTES / 512;
    log_in();
    for (int long_form = 0; long_form <= 1; long_form++) {
        CHECK(flush_is(long_form, 0, 0));
        CHECK(flush_is(long_form, end - 1, 1));
        CHECK(flush_is(long_form, 7, end - 7));
        CHECK(!flush_is(long_form, end - 1, 2));
        CHECK(!flush_is(long_form, end + 1, 0));
    }
    CHECK(!flush_is(true, UINT64_MAX, UINT32_MAX));
}

/* NACA; and LINK and FLAG of former times. The bits of vendors mean nothing. */
static void what_control_asks_for_is_not_here(void) {
    static const struct {
        uint8_t op, at;
    } cases[] = {{LB_SCSI_TEST_UNIT_READY, 5}, {LB_SCSI_INQUIRY, 5},  {LB_SCSI_READ_10, 9},
                 {LB_SCSI_MODE_SENSE_10, 9},   {LB_SCSI_READ_16, 15}, {LB_SCSI_REPORT_LUNS, 11}};
    log_in();
    for (size_t i = 0; i < 3 * LB_COUNT(cases); i++) {
        struct lb_iscsi_pdu pdu = command(false, 0, 1);
        memset(pdu.command.cdb, 0, sizeof pdu.command.cdb);
        pdu.command.cdb[0] = cases[i / 3].op;
        pdu.command.cdb[cases[i / 3].at] = (uint8_t)(1 << i % 3);
        give(pdu, nothing);
        CHECK(took_check(5, 0x24));
    }
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    pdu.command.cdb[9] = 0xc0;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_DATA_IN));
}

static void sense_is_told_in_the_format_that_is_asked_for(void) {
    uint8_t cdb[LB_SCSI_CDB_BYTES] = {LB_SCSI_REQUEST_SENSE, 1, 0, 0, 252};
    log_in();
    lb_target_attention(&raw.server, &raw.node, 0, 0x2a, 0x09);
    struct lb_bytes reply = reply_to(cdb);
    CHECK_BYTES(reply, tap_hex("72 06 2a 09 00000000"));
    CHECK_BYTES(reply_to(cdb), tap_hex("72 00 00 00 00000000"));
    cdb[1] = 0;
    CHECK_EQ(reply_to(cdb).p[0], 0x70);
}

/* ---- the session's other PDUs ---- */

static void a_long_ping_comes_back_as_long_as_it_may(void) {
    struct lb_iscsi_pdu nop = {.opcode = LB_OP_NOP_OUT,
                               .immediate = true,
                               .final = true,
                               .itt = 4,
                               .ttt = LB_ISCSI_NO_TAG};
    log_in(); /* the initiator takes 2048 bytes a PDU */
    give(nop, lb_bytes(raw.disk, 6000));
    CHECK(take_op(LB_OP_NOP_IN));
    CHECK(lb_bytes_equal(raw.data, lb_bytes(raw.disk, 2048)));
    nop.itt = LB_ISCSI_NO_TAG;
    nop.ttt = 17;
    give(nop, nothing);
    CHECK(!take());
}

/* More than a login's PDU holds, and more than there is room for. */
static void a_very_long_ping_comes_back_as_far_as_there_is_room(void) {
    static const size_t lengths[] = {LB_STREAM_LOGIN_DATA, LB_STREAM_LOGIN_DATA + 1, 12001,
                                     LB_TARGET_TEXT_MAX, LB_TARGET_TEXT_MAX + 4096};
    struct lb_iscsi_pdu nop = {.opcode = LB_OP_NOP_OUT,
                               .immediate = true,
                               .final = true,
                               .itt = 4,
                               .ttt = LB_ISCSI_NO_TAG};
    connect();
    log_in_with(TEXT(NAMES "MaxRecvDataSegmentLength=65536\0"));
    for (size_t i = 0; i < LB_COUNT(lengths); i++) {
        give(nop, lb_bytes(raw.disk, lengths[i]));
        CHECK(take_op(LB_OP_NOP_IN));
        size_t len = LB_MIN(lengths[i], LB_TARGET_TEXT_MAX);
        CHECK(lb_bytes_equal(raw.data, lb_bytes(raw.disk, len)));
    }
    give(command(false, 0, 1), nothing);
    CHECK(take_op(LB_OP_DATA_IN));
}

/* RFC 7143 11.18: it takes no CmdSN, and some flag it as what would. */
static void an_answer_to_a_ping_takes_no_number(void) {
    struct lb_iscsi_pdu pong = {
        .opcode = LB_OP_NOP_OUT, .final = true, .itt = LB_ISCSI_NO_TAG, .ttt = 17};
    log_in();
    pong.cmd_sn = raw.cmd_sn;
    give(pong, nothing);
    CHECK(!take() && !raw.is_closed);
    give(command(false, 0, 1), nothing);
    CHECK(take_op(LB_OP_DATA_IN));
}

/* RFC 7143 7.8. */
static void damaged_data_is_told_and_not_written(void) {
    uint8_t header[LB_ISCSI_BHS_BYTES];
    connect();
    raw.node.data_digest = LB_DIGEST_PREFER;
    log_in_with(TEXT(NAMES "DataDigest=CRC32C\0"));
    struct lb_iscsi_pdu pdu = command(true, 5, 1);
    pdu.data_len = 512;
    lb_iscsi_encode(&pdu, header);
    give_bytes(lb_bytes(header, sizeof header));
    give_bytes(lb_bytes(pattern, 512));
    give_bytes(TEXT("\1\2\3\4"));
    CHECK(take_op(LB_OP_REJECT));
    CHECK_EQ(raw.pdu.reject.reason, LB_REJECT_DATA_DIGEST);
    CHECK(lb_bytes_equal(raw.data, lb_bytes(header, sizeof header)));
    CHECK(raw.is_closed);
    CHECK_STR(lb_target_reason(&raw.conn), "a wrong digest");
    for (size_t i = 0; i < 512; i++)
        CHECK_EQ(raw.disk[5 * 512 + i], 5);
}

/* A KiB is copied into the queue; what is longer waits for the memory of texts. */
static void a_ping_of_a_kib_is_answered_without_memory_for_a_text(void) {
    struct lb_iscsi_pdu nop = {.opcode = LB_OP_NOP_OUT,
                               .immediate = true,
                               .final = true,
                               .itt = 4,
                               .ttt = LB_ISCSI_NO_TAG};
    log_in();
    CHECK(lb_target_take_back(&raw.conn, LB_TARGET_TEXT).len > 0);
    raw.lends_late = true;
    give(nop, lb_bytes(raw.disk, LB_STREAM_COPY_MAX));
    CHECK(!lb_target_has(&raw.conn, LB_TARGET_TEXT));
    CHECK(take_op(LB_OP_NOP_IN));
    CHECK_EQ(raw.data.len, LB_STREAM_COPY_MAX);
    give(nop, lb_bytes(raw.disk, LB_STREAM_COPY_MAX + 1));
    CHECK(!take());
    raw.lends_late = false;
    serve();
    give_bytes(lb_bytes(raw.disk, (LB_STREAM_COPY_MAX + 1 + 3) & ~3u)); /* after its header */
    CHECK(take_op(LB_OP_NOP_IN));
    CHECK_EQ(raw.data.len, LB_STREAM_COPY_MAX + 1);
}

static void a_ping_between_the_parts_of_an_answer_does_no_harm(void) {
    static struct lb_target nodes[30];
    struct lb_iscsi_pdu text = {.opcode = LB_OP_TEXT_REQUEST,
                                .immediate = true,
                                .final = true,
                                .itt = 5,
                                .ttt = LB_ISCSI_NO_TAG};
    struct lb_iscsi_pdu nop = {.opcode = LB_OP_NOP_OUT,
                               .immediate = true,
                               .final = true,
                               .itt = 4,
                               .ttt = LB_ISCSI_NO_TAG};
    size_t names = 0;
    connect();
    for (size_t i = 0; i < LB_COUNT(nodes); i++)
        lb_format(nodes[i].name, sizeof nodes[i].name, "iqn.2026-11.test:disk-%zu", i);
    raw.server.nodes = nodes;
    raw.server.node_count = LB_COUNT(nodes);
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType="
                     "Discovery\0MaxRecvDataSegmentLength=1024\0"));
    give(text, TEXT("SendTargets=All\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(!raw.pdu.final && raw.data.len == 1024);
    for (int parts = 0; parts < 10; parts++) {
        for (size_t i = 0; i + 8 < raw.data.len; i++)
            names += memcmp(raw.data.p + i, ":disk-", 6) == 0;
        if (raw.pdu.final)
            break;
        text.ttt = raw.pdu.ttt;
        give(nop, lb_bytes(raw.disk, 4000));
        CHECK(take_op(LB_OP_NOP_IN));
        CHECK_EQ(raw.data.len, 1024);
        give(text, nothing);
        CHECK(take_op(LB_OP_TEXT_RESPONSE));
    }
    CHECK(raw.pdu.final);
    CHECK(names >= 28); /* one or two may lie across two parts */
}

static void a_text_request_with_a_wrong_tag_ends_it(void) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_REQUEST, .immediate = true, .final = true, .itt = 5, .ttt = 77};
    log_in();
    give(pdu, TEXT("SendTargets=\0"));
    was_a_violation("a Text Request with a wrong tag");
}

static void a_text_request_waits_until_there_is_room_for_its_answer(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TEXT_REQUEST,
                               .immediate = true,
                               .final = true,
                               .itt = 5,
                               .ttt = LB_ISCSI_NO_TAG};
    log_in();
    CHECK(lb_target_take_back(raw.to, LB_TARGET_TEXT).len > 0);
    raw.lends_late = true;
    give(pdu, nothing);
    CHECK(!take());
    raw.lends_late = false;
    serve();
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(raw.pdu.final && raw.pdu.itt == 5 && raw.data.len == 0);
}

static void text_that_goes_on_in_full_feature_phase_is_joined(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TEXT_REQUEST,
                               .immediate = true,
                               .itt = 5,
                               .ttt = LB_ISCSI_NO_TAG,
                               .text = {.more = true}};
    log_in();
    give(pdu, TEXT("MaxRecvDataSegmentLength=40"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(!raw.pdu.final && raw.data.len == 0 && raw.pdu.ttt != LB_ISCSI_NO_TAG);
    pdu.ttt = raw.pdu.ttt;
    pdu.final = true;
    pdu.text.more = false;
    give(pdu, TEXT("96\0MaxBurstLength=512\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(raw.pdu.final);
    CHECK(lb_bytes_equal(raw.data, TEXT("MaxBurstLength=Reject\0")));
    give(command(false, 0, 8), nothing);
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK_EQ(raw.data.len, 4096);
}

static void a_logout_of_another_connection_is_refused(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGOUT_REQUEST,
                               .immediate = true,
                               .final = true,
                               .itt = 5,
                               .logout = {.reason = LB_LOGOUT_CONNECTION, .cid = 9}};
    log_in();
    give(pdu, nothing);
    CHECK(take_op(LB_OP_LOGOUT_RESPONSE));
    CHECK_EQ(raw.pdu.logout_response.response, 1);
    CHECK(!raw.is_closed);
}

static void who_does_not_log_out_when_asked_is_dropped(void) {
    log_in();
    lb_target_ask_logout(&raw.conn, raw.now, 3);
    serve();
    CHECK(take_op(LB_OP_ASYNC));
    CHECK_EQ(raw.pdu.async.event, LB_ASYNC_LOGOUT_REQUEST);
    CHECK_EQ(raw.pdu.async.parameter3, 3);
    lb_target_ping(&raw.conn, raw.now);
    serve();
    CHECK(take_op(LB_OP_NOP_IN)); /* its StatSN follows */
    raw.now += 2 * LB_US_SEC;
    serve();
    CHECK(!raw.is_closed);
    raw.now += 1 * LB_US_SEC;
    serve();
    CHECK(raw.is_closed);
}

static void a_task_set_is_aborted_with_what_it_had_queued(void) {
    log_in();
    raw.holds = true;
    give(command(false, 0, 8), nothing);
    give(command(true, 0, 1), nothing);
    raw.itt++;
    give(tmf(LB_TMF_ABORT_TASK_SET, LB_ISCSI_NO_TAG), nothing);
    release_held();
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    CHECK_EQ(raw.pdu.max_cmd_sn, raw.pdu.exp_cmd_sn + 3);
    CHECK(!take());
    CHECK(!raw.server.stirred); /* nobody else was concerned */
}

static void task_management_that_we_do_not_do_says_so(void) {
    static const struct {
        enum lb_iscsi_tmf function;
        enum lb_iscsi_tmf_response response;
    } cases[] = {{LB_TMF_CLEAR_ACA, LB_TMF_NOT_SUPPORTED},
                 {LB_TMF_TASK_REASSIGN, LB_TMF_NO_REASSIGNMENT},
                 {LB_TMF_TARGET_WARM_RESET, LB_TMF_COMPLETE},
                 {LB_TMF_CLEAR_TASK_SET, LB_TMF_COMPLETE},
                 {(enum lb_iscsi_tmf)77, LB_TMF_REJECTED}};
    log_in();
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        give(tmf(cases[i].function, LB_ISCSI_NO_TAG), nothing);
        CHECK(take_op(LB_OP_TMF_RESPONSE));
        CHECK_EQ(raw.pdu.tmf_response.response, cases[i].response);
    }
    struct lb_iscsi_pdu pdu = tmf(LB_TMF_LUN_RESET, LB_ISCSI_NO_TAG);
    pdu.lun[1] = 20;
    give(pdu, nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_NO_LUN);
}

int main(void) {
    TEST(every_vital_page_that_is_listed_is_there);
    TEST(a_reply_is_cut_at_the_room_for_it);
    TEST(a_unit_attention_is_told_once);
    TEST(a_unit_attention_of_an_aborted_command_is_told_by_the_next);
    TEST(a_mode_page_has_the_subpages_that_it_has);
    TEST(what_changes_is_wce_and_swp_and_nothing_is_saved);
    TEST(each_target_and_lun_has_its_own_serial_number);
    TEST(a_flush_of_blocks_that_are_not_there_is_refused);
    TEST(what_control_asks_for_is_not_here);
    TEST(sense_is_told_in_the_format_that_is_asked_for);
    TEST(a_busy_target_still_says_what_it_is);
    TEST(a_long_ping_comes_back_as_long_as_it_may);
    TEST(a_very_long_ping_comes_back_as_far_as_there_is_room);
    TEST(an_answer_to_a_ping_takes_no_number);
    TEST(damaged_data_is_told_and_not_written);
    TEST(a_ping_of_a_kib_is_answered_without_memory_for_a_text);
    TEST(a_ping_between_the_parts_of_an_answer_does_no_harm);
    TEST(a_text_request_with_a_wrong_tag_ends_it);
    TEST(text_that_goes_on_in_full_feature_phase_is_joined);
    TEST(a_logout_of_another_connection_is_refused);
    TEST(who_does_not_log_out_when_asked_is_dropped);
    TEST(a_task_set_is_aborted_with_what_it_had_queued);
    TEST(task_management_that_we_do_not_do_says_so);
    TEST(a_text_request_waits_until_there_is_room_for_its_answer);
    return tap_done();
}
