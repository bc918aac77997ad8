/* Rules of RFC 7143 and 7144 about single bits and numbers, which nothing else needs, and which a
 * target may insist on. */
#include "core/initiator/test_initiator_peer.h"
#include "core/scsi/scsi.h"
#include <string.h>

static struct lb_initiator_task task, other;
static uint8_t disk[65536], buffer[65536];
static struct lb_bytes none;

static void setup(void) {
    for (size_t i = 0; i < sizeof disk; i++)
        disk[i] = (uint8_t)(i * 40503u >> 7);
    memset(buffer, 0xee, sizeof buffer);
    peer_configure();
    peer.config.task_ms = 3000;
    peer_log_in();
}

static void check_done(struct lb_initiator_task *whose) {
    CHECK(lb_initiator_completed(&peer.session) == whose);
    CHECK_EQ(whose->state, LB_TASK_DONE);
    CHECK_EQ(whose->status, 0);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
}

/* 11.3: the header of a READ, byte by byte; of PRI (RFC 7144 5.1.1), the AHS and all that is
 * reserved, 0. */
static void what_is_reserved_in_a_command_is_zero(void) {
    setup();
    peer_drain();
    size_t at = peer.wire_len;
    peer_read(&task, lb_span(buffer, 512));
    peer_drain();
    const uint8_t *bhs = peer.wire + at;
    if (!CHECK_EQ(peer.wire_len - at, 48))
        return;
    CHECK_EQ(bhs[0], 0x01);
    CHECK_EQ(bhs[1], 0xc1); /* F, R, SIMPLE */
    CHECK_BYTES(lb_bytes(bhs + 2, 6), tap_hex("00 00 00 00 00 00"));
    CHECK_BYTES(lb_bytes(bhs + 8, 8), tap_hex("00 01 00 00 00 00 00 00"));
    CHECK_BYTES(lb_bytes(bhs + 20, 4), tap_hex("00 00 02 00"));
}

/* 11: "ignore any bit not defined", and the Status Qualifier of RFC 7144 5.2.1. */
static void what_is_reserved_in_an_answer_is_not_looked_at(void) {
    uint8_t bytes[48];
    setup();
    peer_read(&task, lb_span(buffer, 0));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_RESPONSE,
        .final = true,
        .itt = peer.pdu.itt,
        .stat_sn = peer.stat_sn,
        .exp_cmd_sn = peer.pdu.cmd_sn + 1,
        .max_cmd_sn = peer.pdu.cmd_sn + 8,
    };
    memcpy(bytes, peer_make(&pdu, none).p, sizeof bytes);
    bytes[0] |= 0xc0;            /* the I bit and the one beside it */
    bytes[1] |= 0x61;            /* reserved */
    memset(bytes + 8, 0xff, 8);  /* reserved */
    memset(bytes + 36, 0xff, 4); /* ExpDataSN: of recovery level 1 */
    memset(bytes + 40, 0xff, 8); /* residual counts without O and U */
    peer_feed(lb_bytes(bytes, sizeof bytes));
    check_done(&task);
    CHECK_EQ(task.residual, 0);
}

/* 11.7.2: at recovery level 0 the A bit is ignored. */
static void data_that_wants_to_be_acknowledged_is_not(void) {
    setup();
    peer_read(&task, lb_span(buffer, 1024));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN,
        .itt = peer.pdu.itt,
        .ttt = 7,
        .lun = {0, 1},
        .data_in = {.acknowledge = true},
    };
    uint32_t itt = peer.pdu.itt;
    peer_give(&pdu, lb_bytes(disk, 512));
    CHECK(!peer_take());
    peer_data_in(itt, 1, 512, true, lb_bytes(disk + 512, 512));
    check_done(&task);
    CHECK_BYTES(lb_bytes(buffer, 1024), lb_bytes(disk, 1024));
}

/* 11.7.7 */
static void data_segments_of_no_bytes_are_received(void) {
    setup();
    peer_read(&task, lb_span(buffer, 1024));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_data_in(itt, 0, 0, false, none);
    peer_data_in(itt, 1, 0, false, lb_bytes(disk, 1024));
    peer_data_in(itt, 2, 1024, true, none);
    check_done(&task);
    CHECK_BYTES(lb_bytes(buffer, 1024), lb_bytes(disk, 1024));
}

/* 11.2.1.8: unique in the session, and not the reserved one, wherever the count stands. */
static void tags_are_unique_and_never_the_reserved_one(void) {
    static const uint32_t generations[] = {0, 0x3ffffe, 0x7ffffd, UINT32_MAX - 1};
    static struct lb_initiator_task tasks[32];
    for (size_t i = 0; i < LB_COUNT(generations); i++) {
        uint32_t tags[LB_COUNT(tasks)];
        setup();
        peer.session.generation = generations[i];
        for (size_t n = 0; n < LB_COUNT(tasks); n++) {
            peer_read(&tasks[n], lb_span(buffer, 512));
            CHECK(peer_take());
            tags[n] = peer.pdu.itt;
            CHECK(tags[n] != LB_ISCSI_NO_TAG);
            for (size_t before = 0; before < n; before++)
                CHECK(tags[before] != tags[n]);
        }
    }
}

static void refuse_abort(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TMF_RESPONSE,
                               .final = true,
                               .itt = peer.pdu.itt,
                               .tmf_response = {.response = LB_TMF_NOT_SUPPORTED}};
    peer_give(&pdu, none);
}

/* 4.2.3.3 a, b: until a reset is done, its tasks are served as ever. */
static void a_task_is_served_while_a_reset_of_its_lun_is_awaited(void) {
    setup();
    peer_write(&task, lb_bytes(disk, 512));
    peer_read(&other, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t write = peer.pdu.itt;
    CHECK(peer_take());
    uint32_t read = peer.pdu.itt;
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    refuse_abort();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer.pdu.tmf.function, LB_TMF_LUN_RESET);
    peer_r2t(write, 5, 0, 0, 512);
    if (CHECK(peer_take_op(LB_OP_DATA_OUT)))
        CHECK_EQ(peer.pdu.ttt, 5);
    peer_data_in(read, 0, 0, true, lb_bytes(disk, 512));
    check_done(&other);
}

/* 11.5.1: what is sent for one of several LUNs speaks of that LUN. 11.5.4: no task is named. */
static void a_reset_names_its_lun_and_no_task(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    refuse_abort();
    if (!CHECK(peer_take_op(LB_OP_TMF_REQUEST)))
        return;
    CHECK(peer.pdu.immediate);
    CHECK_EQ(peer.pdu.tmf.ref_task_tag, LB_ISCSI_NO_TAG);
    CHECK_EQ(peer.pdu.tmf.ref_cmd_sn, 0);
    CHECK_EQ(peer.pdu.lun[1], 1);
    CHECK_EQ(peer.pdu.data_len, 0);
}

/* 4.2.2.1: an immediate PDU carries the next CmdSN and does not use it up. */
static void immediate_requests_do_not_count(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t first = peer.pdu.cmd_sn;
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer.pdu.cmd_sn, first + 1);
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = peer.pdu.itt};
    peer_give(&pdu, none);
    CHECK(peer_take_op(LB_OP_SCSI_COMMAND)); /* issued again */
    CHECK_EQ(peer.pdu.cmd_sn, first + 1);
}

/* SPC-4 5.14.5: three commands are answered although a UNIT ATTENTION waits. */
static void three_commands_are_told_of_no_unit_attention(void) {
    static const uint8_t silent[] = {LB_SCSI_INQUIRY, LB_SCSI_REPORT_LUNS, LB_SCSI_REQUEST_SENSE};
    struct lb_initiator_task asked = {.cdb = {0}};
    for (unsigned op = 0; op < 256; op++) {
        asked.cdb[0] = (uint8_t)op;
        CHECK_EQ(lb_initiator_may_tell(&asked), memchr(silent, (int)op, sizeof silent) == NULL);
    }
}

int main(void) {
    TEST(what_is_reserved_in_a_command_is_zero);
    TEST(what_is_reserved_in_an_answer_is_not_looked_at);
    TEST(data_that_wants_to_be_acknowledged_is_not);
    TEST(data_segments_of_no_bytes_are_received);
    TEST(tags_are_unique_and_never_the_reserved_one);
    TEST(a_task_is_served_while_a_reset_of_its_lun_is_awaited);
    TEST(a_reset_names_its_lun_and_no_task);
    TEST(immediate_requests_do_not_count);
    TEST(three_commands_are_told_of_no_unit_attention);
    return tap_done();
}
