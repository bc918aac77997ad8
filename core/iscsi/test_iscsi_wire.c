#include "core/base/text.h"
#include "core/iscsi/iscsi_wire.h"
#include "tests/tap.h"

/* Headers laid out by hand from the pictures in RFC 7143 11.3 to 11.17. */

static void round_trip(struct lb_bytes bhs, struct lb_iscsi_pdu *pdu) {
    uint8_t again[LB_ISCSI_BHS_BYTES];
    CHECK_EQ(bhs.len, LB_ISCSI_BHS_BYTES);
    if (!CHECK(lb_iscsi_decode(bhs.p, pdu)))
        return;
    lb_iscsi_encode(pdu, again);
    CHECK_BYTES(lb_bytes(again, sizeof again), bhs);
}

static void a_scsi_command_has_its_cdb_and_flags(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("01 c1 0000 00 000000 0001000000000000 11223344 00001000 00000005 00000009"
                       "28 00 00000001 00 0008 00 000000000000"),
               &pdu);
    CHECK_EQ(pdu.opcode, LB_OP_SCSI_COMMAND);
    CHECK(!pdu.immediate && pdu.final && pdu.command.read && !pdu.command.write);
    CHECK_EQ(pdu.command.attr, LB_ATTR_SIMPLE);
    CHECK_EQ(pdu.command.edtl, 4096);
    CHECK_EQ(pdu.itt, 0x11223344);
    CHECK_EQ(pdu.cmd_sn, 5);
    CHECK_EQ(pdu.exp_stat_sn, 9);
    CHECK_EQ(pdu.command.cdb[0], 0x28);
    CHECK_EQ(pdu.command.cdb[8], 8);
    CHECK_BYTES(lb_bytes(pdu.lun, 8), tap_hex("0001000000000000"));
}

static void a_write_command_carries_immediate_data_and_ahs(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("01 22 0000 02 001001 0000000000000000 00000001 00002000 00000006 0000000a"
                       "2a 00 00000001 00 0010 00 000000000000"),
               &pdu);
    CHECK(!pdu.final && pdu.command.write && !pdu.command.read);
    CHECK_EQ(pdu.command.attr, LB_ATTR_ORDERED);
    CHECK_EQ(pdu.ahs_len, 8);
    CHECK_EQ(pdu.data_len, 4097);
}

static void a_login_request_is_immediate_and_has_stages(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("43 87 0000 00 00012c 4000012a0000 0000 00000001 0000 0000 00000001 00000000"
                       "00000000000000000000000000000000"),
               &pdu);
    CHECK(pdu.immediate && pdu.final && !pdu.login.more);
    CHECK_EQ(pdu.login.csg, LB_LOGIN_STAGE_OPERATIONAL);
    CHECK_EQ(pdu.login.nsg, LB_LOGIN_STAGE_FULL_FEATURE);
    CHECK_EQ(pdu.data_len, 300);
    CHECK_BYTES(lb_bytes(pdu.login.isid, 6), tap_hex("4000012a0000"));
    CHECK_EQ(pdu.cmd_sn, 1);
}

static void a_login_response_has_a_status(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("23 40 0000 00 000000 4000012a0000 0007 00000001 00000000 00000010 00000001"
                       "00000020 02 01 0000 0000000000000000"),
               &pdu);
    CHECK(!pdu.final && pdu.login.more);
    CHECK_EQ(pdu.login.tsih, 7);
    CHECK_EQ(pdu.stat_sn, 16);
    CHECK_EQ(pdu.exp_cmd_sn, 1);
    CHECK_EQ(pdu.max_cmd_sn, 32);
    CHECK_EQ(pdu.login.status_class << 8 | pdu.login.status_detail, LB_LOGIN_AUTH_FAILED);
}

static void data_in_carries_status_and_residual(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("25 83 0002 00 000200 0000000000000000 00000001 ffffffff 00000011 00000002"
                       "00000021 00000003 00001000 00000e00"),
               &pdu);
    CHECK(pdu.final && pdu.data_in.has_status && pdu.data_in.underflow);
    CHECK(!pdu.data_in.overflow && !pdu.data_in.acknowledge);
    CHECK_EQ(pdu.data_in.status, 2);
    CHECK_EQ(pdu.ttt, LB_ISCSI_NO_TAG);
    CHECK_EQ(pdu.data_in.data_sn, 3);
    CHECK_EQ(pdu.data_in.buffer_offset, 4096);
    CHECK_EQ(pdu.data_in.residual, 3584);
}

static void a_scsi_response_tells_overflow_from_underflow(void) {
    struct lb_iscsi_pdu pdu;
    /* RFC 7143 11.4: o 0x10, u 0x08, O 0x04, U 0x02. */
    round_trip(tap_hex("21 84 0102 00 000014 0000000000000000 00000001 00000000 00000011 00000002"
                       "00000021 00000004 00000000 00000200"),
               &pdu);
    CHECK(pdu.response.overflow && !pdu.response.underflow);
    CHECK(!pdu.response.bidi_overflow && !pdu.response.bidi_underflow);
    CHECK_EQ(pdu.response.response, 1);
    CHECK_EQ(pdu.response.status, 2);
    CHECK_EQ(pdu.response.exp_data_sn, 4);
    CHECK_EQ(pdu.response.residual, 512);
    round_trip(tap_hex("21 9a 0000 00 000000 0000000000000000 00000001 00000000 00000011 00000002"
                       "00000021 00000004 00000100 00000200"),
               &pdu);
    CHECK(pdu.response.bidi_overflow && pdu.response.bidi_underflow && pdu.response.underflow);
    CHECK_EQ(pdu.response.bidi_residual, 256);
}

static void data_out_and_r2t_speak_of_the_same_place(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("31 80 0000 00 000000 0001000000000000 00000001 00000a0b 00000011 00000002"
                       "00000021 00000001 00010000 00020000"),
               &pdu);
    CHECK_EQ(pdu.ttt, 0xa0b);
    CHECK_EQ(pdu.r2t.r2t_sn, 1);
    CHECK_EQ(pdu.r2t.buffer_offset, 65536);
    CHECK_EQ(pdu.r2t.desired_len, 131072);
    round_trip(tap_hex("05 80 0000 00 020000 0001000000000000 00000001 00000a0b 00000000 00000011"
                       "00000000 00000002 00010000 00000000"),
               &pdu);
    CHECK_EQ(pdu.exp_stat_sn, 0x11);
    CHECK_EQ(pdu.data_out.data_sn, 2);
    CHECK_EQ(pdu.data_out.buffer_offset, 65536);
}

static void task_management_names_its_task(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("42 81 0000 00 000000 0001000000000000 00000002 00000001 00000007 00000011"
                       "00000005 00000003 0000000000000000"),
               &pdu);
    CHECK(pdu.immediate);
    CHECK_EQ(pdu.tmf.function, LB_TMF_ABORT_TASK);
    CHECK_EQ(pdu.tmf.ref_task_tag, 1);
    CHECK_EQ(pdu.tmf.ref_cmd_sn, 5);
    CHECK_EQ(pdu.tmf.exp_data_sn, 3);
    round_trip(tap_hex("22 80 0500 00 000000 0000000000000000 00000002 00000000 00000012 00000007"
                       "00000026 000000000000000000000000"),
               &pdu);
    CHECK_EQ(pdu.tmf_response.response, LB_TMF_NOT_SUPPORTED);
}

static void the_small_ones_come_through(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("40 80 0000 00 000004 0001000000000000 ffffffff 00000009 00000007 00000011"
                       "00000000000000000000000000000000"),
               &pdu);
    CHECK_EQ(pdu.opcode, LB_OP_NOP_OUT);
    CHECK_EQ(pdu.ttt, 9);
    round_trip(tap_hex("20 80 0000 00 000000 0001000000000000 ffffffff 00000009 00000011 00000007"
                       "00000026 000000000000000000000000"),
               &pdu);
    CHECK_EQ(pdu.max_cmd_sn, 0x26);
    round_trip(tap_hex("04 c0 0000 00 000010 0000000000000000 00000003 ffffffff 00000007 00000011"
                       "00000000000000000000000000000000"),
               &pdu);
    CHECK(pdu.text.more);
    round_trip(tap_hex("24 80 0000 00 000010 0000000000000000 00000003 00000005 00000011 00000007"
                       "00000026 000000000000000000000000"),
               &pdu);
    CHECK(!pdu.text.more);
    round_trip(tap_hex("46 81 0000 00 000000 0000000000000000 00000003 0002 0000 00000007 00000011"
                       "00000000000000000000000000000000"),
               &pdu);
    CHECK_EQ(pdu.logout.reason, LB_LOGOUT_CONNECTION);
    CHECK_EQ(pdu.logout.cid, 2);
    round_trip(tap_hex("26 80 0100 00 000000 0000000000000000 00000003 00000000 00000011 00000007"
                       "00000026 00000000 0002 0014 00000000"),
               &pdu);
    CHECK_EQ(pdu.logout_response.response, 1);
    CHECK_EQ(pdu.logout_response.time2wait_s, 2);
    CHECK_EQ(pdu.logout_response.time2retain_s, 20);
}

static void messages_about_trouble_come_through(void) {
    struct lb_iscsi_pdu pdu;
    round_trip(tap_hex("32 80 0000 00 000000 0001000000000000 ffffffff 00000000 00000011 00000007"
                       "00000026 01 02 0003 0004 0005 00000000"),
               &pdu);
    CHECK_EQ(pdu.async.event, LB_ASYNC_LOGOUT_REQUEST);
    CHECK_EQ(pdu.async.vendor_code, 2);
    CHECK_EQ(pdu.async.parameter1, 3);
    CHECK_EQ(pdu.async.parameter2, 4);
    CHECK_EQ(pdu.async.parameter3, 5);
    round_trip(tap_hex("3f 80 0400 00 000030 0000000000000000 ffffffff 00000000 00000011 00000007"
                       "00000026 00000002 0000000000000000"),
               &pdu);
    CHECK_EQ(pdu.reject.reason, LB_REJECT_PROTOCOL);
    CHECK_EQ(pdu.reject.data_sn, 2);
    round_trip(tap_hex("10 83 0000 00 000000 0001000000000000 00000001 ffffffff 00000000 00000011"
                       "0000000000000000 00000003 00000001"),
               &pdu);
    CHECK_EQ(pdu.snack.type, 3);
    CHECK_EQ(pdu.snack.beg_run, 3);
    CHECK_EQ(pdu.snack.run_len, 1);
}

static void an_unknown_opcode_leaves_the_struct_alone(void) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES] = {0};
    unsigned known = 0;
    for (unsigned opcode = 0; opcode < 0x40; opcode++) {
        struct lb_iscsi_pdu pdu = {.itt = 77};
        bhs[0] = (uint8_t)opcode;
        bool ok = lb_iscsi_decode(bhs, &pdu);
        known += ok;
        CHECK_EQ(pdu.itt, ok ? 0 : 77);
        CHECK_EQ(ok, !lb_text_is(lb_bytes_of_text(lb_iscsi_opcode_word(opcode)), "unknown PDU"));
    }
    CHECK_EQ(known, 18);
}

static void serial_numbers_wrap(void) {
    CHECK(lb_sn_before(1, 2) && !lb_sn_before(2, 2) && !lb_sn_before(3, 2));
    CHECK(lb_sn_before(0xffffffff, 0) && lb_sn_up_to(0xfffffff0, 5) &&
          !lb_sn_before(0, 0xffffffff));
    CHECK(lb_sn_up_to(2, 2));
}

int main(void) {
    TEST(a_scsi_command_has_its_cdb_and_flags);
    TEST(a_write_command_carries_immediate_data_and_ahs);
    TEST(a_login_request_is_immediate_and_has_stages);
    TEST(a_login_response_has_a_status);
    TEST(data_in_carries_status_and_residual);
    TEST(a_scsi_response_tells_overflow_from_underflow);
    TEST(data_out_and_r2t_speak_of_the_same_place);
    TEST(task_management_names_its_task);
    TEST(the_small_ones_come_through);
    TEST(messages_about_trouble_come_through);
    TEST(an_unknown_opcode_leaves_the_struct_alone);
    TEST(serial_numbers_wrap);
    return tap_done();
}
