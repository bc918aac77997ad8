#include "core/initiator/test_initiator_peer.h"

static struct lb_initiator_task task, other;
static uint8_t disk[300000], buffer[300000];
static struct lb_bytes none;

static void setup(void) {
    for (size_t i = 0; i < sizeof disk; i++)
        disk[i] = (uint8_t)(i * 2654435761u >> 11);
    memset(buffer, 0xee, sizeof buffer);
    peer_configure();
    peer_log_in();
}

static void setup_with(struct lb_bytes keys) {
    setup();
    peer_configure();
    peer_connect();
    peer_log_in_with(keys);
}

/* The session dropped the connection because of the target, and means to come back. */
static void check_dropped(const char *facts) {
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CLOSE);
    CHECK_HAS(peer.session.last_error.facts, facts);
    CHECK_EQ(peer.session.last_error.code, LB_E_PROTOCOL);
    CHECK(lb_initiator_completed(&peer.session) == NULL);
}

/* ---- reading ---- */

static void a_read_carries_its_lun_its_length_and_its_command(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    if (!peer_take_op(LB_OP_SCSI_COMMAND))
        return;
    CHECK(peer.pdu.final && !peer.pdu.immediate);
    CHECK(peer.pdu.command.read && !peer.pdu.command.write);
    CHECK_EQ(peer.pdu.command.edtl, 512);
    CHECK_EQ(peer.pdu.command.attr, LB_ATTR_SIMPLE);
    CHECK_EQ(peer.pdu.command.cdb[0], 0x28);
    CHECK_EQ(peer.pdu.lun[1], 1);
    CHECK_EQ(peer.pdu.exp_stat_sn, peer.stat_sn);
}

static void the_first_command_has_the_command_number_of_the_login(void) {
    uint32_t login;
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    login = peer.pdu.cmd_sn;
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT(PEER_KEYS));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
    peer_read(&task, lb_span(buffer, 512));
    peer_read(&other, lb_span(buffer, 512));
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.cmd_sn, login);
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.cmd_sn, login + 1);
}

static void data_and_status_complete_a_read(void) {
    setup();
    peer_read(&task, lb_span(buffer, 1000));
    CHECK(peer_take());
    peer_data_in(peer.pdu.itt, 0, 0, false, lb_bytes(disk, 600));
    CHECK(lb_initiator_completed(&peer.session) == NULL);
    peer_data_in(peer.pdu.itt, 1, 600, true, lb_bytes(disk + 600, 400));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK(lb_initiator_completed(&peer.session) == NULL);
    CHECK_EQ(task.state, LB_TASK_DONE);
    CHECK_EQ(task.status, 0);
    CHECK_EQ(task.in_len, 1000);
    CHECK_BYTES(lb_bytes(buffer, 1000), lb_bytes(disk, 1000));
    CHECK_EQ(buffer[1000], 0xee);
}

static void status_may_come_in_a_response_of_its_own(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_data_in(itt, 0, 0, false, lb_bytes(disk, 512));
    peer_respond(itt, 0, none);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.in_len, 512);
}

static void data_goes_straight_into_the_readers_buffer(void) {
    struct lb_span spans[2];
    setup();
    peer_read(&task, lb_span(buffer, 65536));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN, .itt = peer.pdu.itt, .ttt = LB_ISCSI_NO_TAG};
    peer_feed(lb_bytes(peer_make(&pdu, lb_bytes(disk, 65536)).p, 48 + 100));
    CHECK_EQ(lb_initiator_where(&peer.session, spans), 2);
    CHECK(spans[0].p == buffer + 100);
    CHECK_EQ(spans[0].len, 65536 - 100);
    CHECK_BYTES(lb_bytes(buffer, 100), lb_bytes(disk, 100));
}

static void answers_may_come_in_any_order(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    peer_read(&other, lb_span(buffer + 512, 512));
    CHECK(peer_take());
    uint32_t first = peer.pdu.itt;
    CHECK(peer_take());
    uint32_t second = peer.pdu.itt;
    CHECK(first != second);
    peer_data_in(second, 0, 0, true, lb_bytes(disk + 512, 512));
    CHECK(lb_initiator_completed(&peer.session) == &other);
    peer_data_in(first, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_BYTES(lb_bytes(buffer, 1024), lb_bytes(disk, 1024));
}

static void less_data_than_asked_for_is_told(void) {
    setup();
    peer_read(&task, lb_span(buffer, 255));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN,
        .final = true,
        .itt = peer.pdu.itt,
        .data_in = {.has_status = true, .underflow = true, .residual = 219},
    };
    peer_give(&pdu, lb_bytes(disk, 36));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK(task.underflow && !task.overflow);
    CHECK_EQ(task.residual, 219);
    CHECK_EQ(task.in_len, 36);
}

/* edk2#9794: offset + length wrapped around at 2^32. */
static void data_outside_of_the_buffer_drops_the_connection(void) {
    static const struct {
        uint32_t offset;
        size_t len;
    } cases[] = {{512, 1},          {0, 513},          {511, 2},          {0xffffffff, 1},
                 {0xfffffe00, 512}, {0xffffff00, 512}, {0x80000000, 512}, {1, 512}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        setup();
        peer_read(&task, lb_span(buffer, 512));
        CHECK(peer_take());
        peer_data_in(peer.pdu.itt, 0, cases[i].offset, false, lb_bytes(disk, cases[i].len));
        check_dropped("Data-In");
        for (size_t at = 0; at < sizeof buffer; at++)
            if (buffer[at] != 0xee) {
                CHECK(false); /* a byte was written */
                break;
            }
    }
}

static void data_out_of_order_drops_the_connection(void) {
    setup();
    peer_read(&task, lb_span(buffer, 1024));
    CHECK(peer_take());
    peer_data_in(peer.pdu.itt, 0, 512, false, lb_bytes(disk, 512));
    check_dropped("offset 512, where 0 at offset 0");

    setup();
    peer_read(&task, lb_span(buffer, 1024));
    CHECK(peer_take());
    peer_data_in(peer.pdu.itt, 1, 0, false, lb_bytes(disk, 512));
    check_dropped("Data-In 1");

    setup();
    peer_read(&task, lb_span(buffer, 1024));
    CHECK(peer_take());
    peer_data_in(peer.pdu.itt, 0, 0, false, lb_bytes(disk, 512));
    peer_data_in(peer.pdu.itt, 1, 0, false, lb_bytes(disk, 512));
    check_dropped("offset 0, where 1 at offset 512");
}

/* iPXE 9dcedc175, 05a459f79: PDUs of a command with no command running. */
static void answers_without_a_command_drop_the_connection(void) {
    static const uint32_t tags[] = {0, 1, 0xffffffff, 256, 0x1ff, 0x200};
    for (size_t i = 0; i < LB_COUNT(tags); i++) {
        setup();
        peer_data_in(tags[i], 0, 0, false, lb_bytes(disk, 512));
        check_dropped("which no command has");
        setup();
        peer_data_in(tags[i], 0, 0, true, none);
        check_dropped("which no command has");
        setup();
        peer_respond(tags[i], 0, none);
        check_dropped("which no command has");
        setup();
        peer_r2t(tags[i], 1, 0, 0, 512);
        check_dropped("which no command has");
    }
}

static void a_second_answer_finds_no_command(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    peer_read(&other, lb_span(buffer, 512)); /* takes the same slot */
    CHECK(peer_take());
    CHECK(peer.pdu.itt != itt);
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    check_dropped("which no command has");
}

static void data_for_a_write_drops_the_connection(void) {
    setup();
    peer_write(&task, lb_bytes(disk, 512));
    CHECK(peer_take());
    peer_data_in(peer.pdu.itt, 0, 0, false, lb_bytes(disk, 1));
    check_dropped("0 were asked for");
}

static void status_without_final_or_with_both_residuals_drops_the_connection(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN, .itt = peer.pdu.itt, .data_in = {.has_status = true}};
    peer_give(&pdu, none);
    check_dropped("exclude each other");
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    struct lb_iscsi_pdu response = {
        .opcode = LB_OP_SCSI_RESPONSE,
        .itt = peer.pdu.itt,
        .response = {.overflow = true, .underflow = true},
    };
    peer_give(&response, none);
    check_dropped("both O and U");
}

static void any_split_of_the_stream_gives_the_same(void) {
    for (size_t split = 1; split < 120; split++) {
        setup();
        peer.split = split;
        peer_read(&task, lb_span(buffer, 3001));
        CHECK(peer_take());
        uint32_t itt = peer.pdu.itt;
        peer_data_in(itt, 0, 0, false, lb_bytes(disk, 1501));
        peer_data_in(itt, 1, 1501, false, lb_bytes(disk + 1501, 1499));
        peer_data_in(itt, 2, 3000, true, lb_bytes(disk + 3000, 1));
        CHECK(lb_initiator_completed(&peer.session) == &task);
        CHECK_EQ(task.in_len, 3001);
        CHECK_BYTES(lb_bytes(buffer, 3001), lb_bytes(disk, 3001));
        CHECK_EQ(buffer[3001], 0xee);
    }
}

/* A firmware whose loader did not let it run for two minutes: the answers lie unread. */
static void a_host_that_slept_does_not_blame_the_target(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_WAIT);
    peer.now += 120 * LB_US_SEC;
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_WAIT);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    peer.now += 120 * LB_US_SEC; /* now with a ping that is out */
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_WAIT);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.strikes, 0);
}

/* ---- sense ---- */

static void sense_data_comes_without_its_length(void) {
    uint8_t sense[20] = {0, 18, 0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0x07};
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    peer_respond(peer.pdu.itt, 2, lb_bytes(sense, sizeof sense));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.status, 2);
    CHECK_EQ(task.sense_len, 18);
    CHECK_BYTES(lb_bytes(task.sense, 18), lb_bytes(sense + 2, 18));
}

/* iPXE ce6ad2be0: sense data that is absent or shorter than it says. */
static void short_and_long_sense_data_is_cut(void) {
    static const struct {
        size_t data_len, says, gives;
    } cases[] = {{0, 0, 0},  {1, 0, 0},    {2, 18, 0},     {3, 18, 1},       {10, 0xffff, 8},
                 {20, 4, 4}, {98, 96, 96}, {130, 128, 96}, {8000, 7998, 96}, {20, 0, 0}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        static uint8_t data[8000];
        data[0] = (uint8_t)(cases[i].says >> 8);
        data[1] = (uint8_t)cases[i].says;
        memset(data + 2, 0x70, sizeof data - 2);
        setup();
        peer_read(&task, lb_span(buffer, 512));
        CHECK(peer_take());
        peer_respond(peer.pdu.itt, 2, lb_bytes(data, cases[i].data_len));
        CHECK(lb_initiator_completed(&peer.session) == &task);
        CHECK_EQ(task.sense_len, cases[i].gives);
    }
}

static void a_target_failure_has_no_status(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_RESPONSE,
        .itt = peer.pdu.itt,
        .response = {.response = 1, .status = 0x2a},
    };
    peer_give(&pdu, none);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.response, 1);
    CHECK_EQ(task.status, 0);
}

/* ---- the window ---- */

static void no_more_is_sent_than_the_window_allows(void) {
    static struct lb_initiator_task tasks[4];
    setup();
    peer_configure();
    peer.window = 2;
    peer_log_in();
    CHECK_EQ(lb_initiator_room(&peer.session), 2);
    for (size_t i = 0; i < 4; i++)
        peer_read(&tasks[i], lb_span(buffer, 512));
    CHECK_EQ(lb_initiator_room(&peer.session), 0);
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    CHECK(peer_take());
    CHECK(!peer_take());
    peer.exp_cmd_sn = peer.pdu.cmd_sn + 1;
    peer.window = 1;
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(peer_take());
    CHECK(!peer_take());
}

static void a_closed_window_opens_by_any_pdu(void) {
    setup();
    peer_configure();
    peer.window = 0;
    peer_log_in();
    CHECK_EQ(lb_initiator_room(&peer.session), 0);
    peer_read(&task, lb_span(buffer, 512));
    CHECK(!peer_take());
    struct lb_iscsi_pdu nop = {
        .opcode = LB_OP_NOP_IN, .final = true, .itt = LB_ISCSI_NO_TAG, .ttt = LB_ISCSI_NO_TAG};
    peer.window = 1;
    peer_give(&nop, none);
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.opcode, LB_OP_SCSI_COMMAND);
}

static void a_window_never_shrinks(void) {
    struct lb_iscsi_pdu nop = {
        .opcode = LB_OP_NOP_IN, .final = true, .itt = LB_ISCSI_NO_TAG, .ttt = LB_ISCSI_NO_TAG};
    setup();
    peer_configure();
    peer.config.queue_depth = 100; /* the window is what limits */
    peer_log_in();
    peer.window = 1;
    peer_give(&nop, none);
    CHECK_EQ(lb_initiator_room(&peer.session), 32);
    peer.exp_cmd_sn += 50; /* MaxCmdSN before ExpCmdSN - 1: neither is taken */
    peer.window = UINT32_MAX - 5;
    peer_give(&nop, none);
    CHECK_EQ(lb_initiator_room(&peer.session), 32);
}

static void the_window_goes_on_across_the_end_of_the_numbers(void) {
    setup();
    peer_configure();
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, &peer.trace);
    peer.session.cmd_sn = 0xfffffffe;
    peer.stat_sn = 0xffffffff;
    lb_initiator_start(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    peer_log_in_with(TEXT(PEER_KEYS));
    for (uint32_t i = 0; i < 5; i++) {
        peer_read(&task, lb_span(buffer, 512));
        CHECK(peer_take());
        CHECK_EQ(peer.pdu.cmd_sn, (uint32_t)(0xfffffffe + i));
        peer.exp_cmd_sn++;
        peer_data_in(peer.pdu.itt, 0, 0, true, lb_bytes(disk, 512));
        CHECK(lb_initiator_completed(&peer.session) == &task);
    }
}

static void the_depth_limits_what_is_in_flight(void) {
    static struct lb_initiator_task tasks[5];
    peer_configure();
    peer.config.queue_depth = 3;
    peer_log_in();
    CHECK_EQ(lb_initiator_room(&peer.session), 3);
    for (size_t i = 0; i < 5; i++)
        peer_read(&tasks[i], lb_span(buffer, 512));
    for (size_t i = 0; i < 3; i++)
        CHECK(peer_take());
    CHECK(!peer_take());
}

static void many_commands_go_out_in_one_piece(void) {
    static struct lb_initiator_task tasks[32];
    struct lb_bytes pieces[8];
    setup();
    for (size_t i = 0; i < 32; i++)
        peer_read(&tasks[i], lb_span(buffer, 512));
    CHECK_EQ(lb_initiator_gather(&peer.session, pieces, 8), 1);
    CHECK_EQ(pieces[0].len, 32 * 48);
}

/* ---- writing ---- */

static void without_immediate_data_a_write_waits_to_be_asked(void) {
    setup();
    peer_write(&task, lb_bytes(disk, 20000));
    CHECK(peer_take());
    CHECK(peer.pdu.final && peer.pdu.command.write && !peer.pdu.command.read);
    CHECK_EQ(peer.pdu.command.edtl, 20000);
    CHECK_EQ(peer.data.len, 0);
    CHECK(!peer_take());
}

static void immediate_data_goes_with_the_command(void) {
    setup_with(TEXT("ImmediateData=Yes\0InitialR2T=Yes\0FirstBurstLength=4096\0"
                    "MaxRecvDataSegmentLength=8192\0"));
    peer_write(&task, lb_bytes(disk, 1001));
    CHECK(peer_take());
    CHECK(peer.pdu.final);
    CHECK_BYTES(peer.data, lb_bytes(disk, 1001));
    peer_write(&other, lb_bytes(disk, 5000));
    CHECK(peer_take());
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.data.len, 4096);
    CHECK(!peer_take());
}

static void unsolicited_data_follows_up_to_the_first_burst(void) {
    setup_with(TEXT("ImmediateData=Yes\0InitialR2T=No\0FirstBurstLength=10000\0"
                    "MaxRecvDataSegmentLength=4096\0"));
    peer_write(&task, lb_bytes(disk, 30000));
    CHECK(peer_take());
    CHECK(!peer.pdu.final);
    CHECK_EQ(peer.data.len, 4096);
    CHECK(peer_take_op(LB_OP_DATA_OUT));
    CHECK_EQ(peer.pdu.ttt, LB_ISCSI_NO_TAG);
    CHECK_EQ(peer.pdu.data_out.data_sn, 0);
    CHECK_EQ(peer.pdu.data_out.buffer_offset, 4096);
    CHECK(!peer.pdu.final);
    CHECK_BYTES(peer.data, lb_bytes(disk + 4096, 4096));
    CHECK(peer_take_op(LB_OP_DATA_OUT));
    CHECK_EQ(peer.pdu.data_out.data_sn, 1);
    CHECK(peer.pdu.final);
    CHECK_BYTES(peer.data, lb_bytes(disk + 8192, 10000 - 8192));
    CHECK(!peer_take());
}

static void unsolicited_data_needs_no_immediate_data(void) {
    setup_with(TEXT("ImmediateData=No\0InitialR2T=No\0FirstBurstLength=4096\0"));
    peer_write(&task, lb_bytes(disk, 512));
    CHECK(peer_take());
    CHECK(!peer.pdu.final);
    CHECK_EQ(peer.data.len, 0);
    CHECK(peer_take_op(LB_OP_DATA_OUT));
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.data.len, 512);
}

static void an_r2t_is_answered_in_pieces_the_target_takes(void) {
    setup();
    peer_write(&task, lb_bytes(disk, 60000));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_r2t(itt, 0xabc, 0, 0, 20000);
    for (uint32_t i = 0; i < 3; i++) {
        if (!peer_take_op(LB_OP_DATA_OUT))
            return;
        CHECK_EQ(peer.pdu.itt, itt);
        CHECK_EQ(peer.pdu.ttt, 0xabc);
        CHECK_EQ(peer.pdu.lun[1], 1);
        CHECK_EQ(peer.pdu.data_out.data_sn, i);
        CHECK_EQ(peer.pdu.data_out.buffer_offset, i * 8192);
        CHECK_EQ(peer.pdu.final, i == 2);
        CHECK_BYTES(peer.data, lb_bytes(disk + i * 8192, LB_MIN(8192, 20000 - i * 8192)));
    }
    CHECK(!peer_take());
    peer_r2t(itt, 0xabd, 1, 20000, 40000);
    CHECK(peer_take_op(LB_OP_DATA_OUT));
    CHECK_EQ(peer.pdu.data_out.data_sn, 0);
    CHECK_EQ(peer.pdu.data_out.buffer_offset, 20000);
    while (!peer.pdu.final)
        CHECK(peer_take());
    peer_respond(itt, 0, none);
    CHECK(lb_initiator_completed(&peer.session) == &task);
}

/* bz4206 (EDK2): offset + length wrapped around at 2^32, and memory went out. */
static void an_r2t_for_anything_else_drops_the_connection(void) {
    static const struct {
        uint32_t ttt, sn, offset, len;
        const char *facts;
    } cases[] = {
        {1, 0, 0, 0, "no bytes"},
        {1, 0, 0, 20001, "beyond the end"},
        {1, 0, 20000, 1, "beyond the end"},
        {1, 0, 0xffffffff, 1, "beyond the end"},
        {1, 0, 0xfffff000, 0x1000, "beyond the end"},
        {1, 0, 0xfffff000, 0x2000, "beyond the end"},
        {1, 0, 0, 0xffffffff, "MaxBurstLength"},
        {1, 0, 0, 65537, "MaxBurstLength"},
        {1, 1, 0, 512, "out of order"},
        {0xffffffff, 0, 0, 512, "reserved tag"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        setup();
        peer_write(&task, lb_bytes(disk, 20000));
        CHECK(peer_take());
        peer_r2t(peer.pdu.itt, cases[i].ttt, cases[i].sn, cases[i].offset, cases[i].len);
        check_dropped(cases[i].facts);
        CHECK(!peer_take());
    }
    setup();
    peer_read(&task, lb_span(buffer, 20000));
    CHECK(peer_take());
    peer_r2t(peer.pdu.itt, 1, 0, 0, 512);
    check_dropped("writes nothing");
}

static void a_second_r2t_before_the_first_is_answered_drops_the_connection(void) {
    setup();
    static uint8_t big[4000000];
    peer_configure();
    peer_connect();
    peer_log_in_with(TEXT("MaxRecvDataSegmentLength=512\0MaxBurstLength=1000000\0"));
    peer_write(&task, lb_bytes(big, sizeof big));
    CHECK(peer_take());
    /* Nothing is sent between the two. */
    peer_r2t(peer.pdu.itt, 1, 0, 0, 1000000);
    peer_r2t(peer.pdu.itt, 2, 1, 1000000, 1000000);
    check_dropped("MaxOutstandingR2T");
}

static void an_r2t_during_unsolicited_data_waits_for_its_turn(void) {
    static uint8_t big[200000];
    setup();
    peer_configure();
    peer_connect();
    peer_log_in_with(TEXT("InitialR2T=No\0ImmediateData=No\0MaxRecvDataSegmentLength=512\0"
                          "FirstBurstLength=100000\0"));
    peer_write(&task, lb_bytes(big, sizeof big));
    struct lb_bytes pieces[1];
    CHECK_EQ(lb_initiator_gather(&peer.session, pieces, 1), 1);
    struct lb_rd rd = lb_rd(pieces[0]);
    lb_rd_skip(&rd, 16);
    peer_r2t(lb_rd_u32(&rd), 7, 0, 100000, 100000);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK(peer_take());
    uint32_t at = 0;
    while (peer_take()) {
        CHECK_EQ(peer.pdu.data_out.buffer_offset, at);
        CHECK_EQ(peer.pdu.ttt, at < 100000 ? LB_ISCSI_NO_TAG : 7);
        at += peer.pdu.data_len;
        CHECK_EQ(peer.pdu.final, at == 100000 || at == 200000);
    }
    CHECK_EQ(at, 200000);
}

/* The send queue still points into the writer's buffer. */
static void a_write_that_fails_early_is_given_back_when_its_bytes_are_gone(void) {
    struct lb_bytes pieces[64];
    setup_with(TEXT("ImmediateData=Yes\0InitialR2T=Yes\0FirstBurstLength=4096\0"));
    peer_write(&task, lb_bytes(disk, 4096));
    CHECK_EQ(lb_initiator_gather(&peer.session, pieces, 64), 2);
    struct lb_rd rd = lb_rd(pieces[0]);
    lb_rd_skip(&rd, 16);
    peer_respond(lb_rd_u32(&rd), 2, none);
    CHECK(lb_initiator_completed(&peer.session) == NULL);
    lb_initiator_sent(&peer.session, peer.now, 48 + 4095);
    CHECK(lb_initiator_completed(&peer.session) == NULL);
    lb_initiator_sent(&peer.session, peer.now, 1);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.status, 2);
}

static void a_write_that_fails_early_stops_sending(void) {
    static uint8_t big[4000000];
    setup_with(TEXT("MaxRecvDataSegmentLength=512\0MaxBurstLength=4000000\0"));
    peer_write(&task, lb_bytes(big, sizeof big));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_r2t(itt, 1, 0, 0, 4000000);
    peer_respond(itt, 2, none);
    size_t count = 0;
    while (peer_take())
        count++;
    CHECK(count < 200);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
}

static void a_partly_taken_gather_goes_on_where_it_stopped(void) {
    uint8_t all[4000], again[4000];
    struct lb_bytes pieces[4];
    struct lb_wr wr = lb_wr(lb_span(all, sizeof all));
    setup_with(TEXT("ImmediateData=Yes\0FirstBurstLength=4096\0"));
    peer_write(&task, lb_bytes(disk, 1003));
    peer_write(&other, lb_bytes(disk + 5, 1002));
    size_t count = lb_initiator_gather(&peer.session, pieces, 4);
    for (size_t i = 0; i < count; i++)
        lb_wr_bytes(&wr, pieces[i]);
    struct lb_bytes whole = lb_wr_done(&wr);
    struct lb_wr twice = lb_wr(lb_span(again, sizeof again));
    while (lb_initiator_gather(&peer.session, pieces, 1) == 1) {
        size_t len = LB_MIN(pieces[0].len, 7);
        lb_wr_bytes(&twice, lb_bytes(pieces[0].p, len));
        lb_initiator_sent(&peer.session, peer.now, len);
    }
    CHECK_EQ(whole.len, 2 * 48 + 1003 + 1 + 1002);
    CHECK(lb_bytes_start_with(lb_wr_done(&twice), whole));
}

/* ---- digests ---- */

#define DIGEST_KEYS "HeaderDigest=CRC32C\0DataDigest=CRC32C\0ImmediateData=Yes\0"

static void setup_digests(void) {
    setup();
    peer_configure();
    peer.config.header_digest = LB_DIGEST_CRC32C;
    peer.config.data_digest = LB_DIGEST_PREFER;
    peer_connect();
    peer_log_in_with(TEXT(DIGEST_KEYS));
    peer.header_digest = peer.data_digest = true;
}

static void digests_are_made_and_checked_both_ways(void) {
    for (size_t split = 0; split < 70; split++) {
        setup_digests();
        peer.split = split;
        peer_write(&task, lb_bytes(disk, 1001));
        CHECK(peer_take()); /* which checks them */
        CHECK_EQ(peer.data.len, 1001);
        peer_respond(peer.pdu.itt, 0, none);
        CHECK(lb_initiator_completed(&peer.session) == &task);
        peer_read(&task, lb_span(buffer, 1001));
        CHECK(peer_take());
        uint32_t itt = peer.pdu.itt;
        peer_data_in(itt, 0, 0, false, lb_bytes(disk, 998));
        peer_data_in(itt, 1, 998, true, lb_bytes(disk + 998, 3));
        CHECK(lb_initiator_completed(&peer.session) == &task);
        CHECK_BYTES(lb_bytes(buffer, 1001), lb_bytes(disk, 1001));
    }
}

/* Each byte of a Data-In, damaged in turn: none gets through. */
static void damage_is_found_wherever_it_is(void) {
    for (size_t at = 0; at < 48 + 4 + 12 + 4; at++) {
        setup_digests();
        peer_read(&task, lb_span(buffer, 11));
        CHECK(peer_take());
        struct lb_iscsi_pdu pdu = {
            .opcode = LB_OP_DATA_IN,
            .final = true,
            .itt = peer.pdu.itt,
            .stat_sn = peer.stat_sn,
            .data_in = {.has_status = true},
        };
        struct lb_bytes wire = peer_make(&pdu, lb_bytes(disk, 11));
        uint8_t damaged[48 + 4 + 12 + 4];
        CHECK_EQ(wire.len, sizeof damaged);
        memcpy(damaged, wire.p, wire.len);
        damaged[at] ^= 0x10;
        peer_feed(lb_bytes(damaged, sizeof damaged));
        CHECK(lb_initiator_completed(&peer.session) == NULL);
        /* A length that grew is still waiting for its header's end; all else is known. */
        if (at == 4)
            continue;
        CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
        CHECK_EQ(peer.session.last_error.code, LB_E_DIGEST);
    }
}

static void a_digest_that_is_required_and_refused_ends_the_login(void) {
    peer_configure();
    peer.config.data_digest = LB_DIGEST_CRC32C;
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT("HeaderDigest=None\0"));
    peer_check_failed(LB_E_REQUIRE_NOT_MET, "DataDigest=CRC32C");
}

/* Nothing is left in it of its last answer. */
static void a_task_that_is_submitted_again_begins_clean(void) {
    for (unsigned i = 0; i < 2; i++) {
        const struct lb_error error = {.code = LB_E_SCSI};
        setup();
        if (i == 0)
            lb_initiator_end(&peer.session, peer.now, &error);
        task = (struct lb_initiator_task){.in = lb_span(buffer, 512)};
        task.state = LB_TASK_DONE;
        task.response = task.status = 7;
        task.overflow = task.underflow = task.is_sending = true;
        task.residual = task.received = 7;
        task.sense_len = task.in_len = task.out_len = 7;
        task.reissues = task.strikes = 7;
        task.tx_end = 7;
        lb_initiator_submit(&peer.session, peer.now, &task);
        CHECK_EQ(task.state, i == 0 ? LB_TASK_LOST : LB_TASK_SENT);
        CHECK_EQ(task.response, 0);
        CHECK_EQ(task.status, 0);
        CHECK(!task.overflow && !task.underflow && !task.is_sending);
        CHECK(task.residual == 0 && task.received == 0);
        CHECK(i > 0 || task.tx_end == 0);
        CHECK(task.sense_len == 0 && task.in_len == 0 && task.out_len == 0);
        CHECK(task.reissues == 0 && task.strikes == 0);
    }
}

int main(void) {
    TEST(a_read_carries_its_lun_its_length_and_its_command);
    TEST(the_first_command_has_the_command_number_of_the_login);
    TEST(data_and_status_complete_a_read);
    TEST(status_may_come_in_a_response_of_its_own);
    TEST(data_goes_straight_into_the_readers_buffer);
    TEST(answers_may_come_in_any_order);
    TEST(less_data_than_asked_for_is_told);
    TEST(data_outside_of_the_buffer_drops_the_connection);
    TEST(data_out_of_order_drops_the_connection);
    TEST(answers_without_a_command_drop_the_connection);
    TEST(a_second_answer_finds_no_command);
    TEST(data_for_a_write_drops_the_connection);
    TEST(status_without_final_or_with_both_residuals_drops_the_connection);
    TEST(any_split_of_the_stream_gives_the_same);
    TEST(a_host_that_slept_does_not_blame_the_target);
    TEST(sense_data_comes_without_its_length);
    TEST(short_and_long_sense_data_is_cut);
    TEST(a_target_failure_has_no_status);
    TEST(no_more_is_sent_than_the_window_allows);
    TEST(a_closed_window_opens_by_any_pdu);
    TEST(a_window_never_shrinks);
    TEST(the_window_goes_on_across_the_end_of_the_numbers);
    TEST(the_depth_limits_what_is_in_flight);
    TEST(many_commands_go_out_in_one_piece);
    TEST(without_immediate_data_a_write_waits_to_be_asked);
    TEST(immediate_data_goes_with_the_command);
    TEST(unsolicited_data_follows_up_to_the_first_burst);
    TEST(unsolicited_data_needs_no_immediate_data);
    TEST(an_r2t_is_answered_in_pieces_the_target_takes);
    TEST(an_r2t_for_anything_else_drops_the_connection);
    TEST(a_second_r2t_before_the_first_is_answered_drops_the_connection);
    TEST(an_r2t_during_unsolicited_data_waits_for_its_turn);
    TEST(a_write_that_fails_early_is_given_back_when_its_bytes_are_gone);
    TEST(a_write_that_fails_early_stops_sending);
    TEST(a_partly_taken_gather_goes_on_where_it_stopped);
    TEST(digests_are_made_and_checked_both_ways);
    TEST(damage_is_found_wherever_it_is);
    TEST(a_digest_that_is_required_and_refused_ends_the_login);
    TEST(a_task_that_is_submitted_again_begins_clean);
    return tap_done();
}
