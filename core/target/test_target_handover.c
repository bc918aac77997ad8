/* The session changes hands, and the target does not notice. */
#include "core/target/test_target_pair.h"

static struct lb_initiator_standing standing;

static bool is_at_rest(void) {
    return lb_initiator_is_at_rest(&pair.session, &standing);
}

static bool up_and_at_rest(void) {
    if (!pair_must_be_up())
        return false;
    for (int i = 0; i < 1000 && !is_at_rest(); i++)
        pair_turn();
    return CHECK(is_at_rest());
}

static void put_to_target(struct lb_bytes bytes) {
    size_t taken;
    pair_put(&pair.to_target, &bytes, 1, &taken);
    CHECK_EQ(taken, bytes.len);
}

/* What a new owner would send first: TEST UNIT READY with the next CmdSN. */
static void send_command(void) {
    static uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_SCSI_COMMAND,
                               .final = true,
                               .lun = {0, 1},
                               .itt = 77,
                               .cmd_sn = standing.cmd_sn,
                               .exp_stat_sn = standing.exp_stat_sn};
    lb_iscsi_encode(&pdu, bhs);
    put_to_target(lb_bytes(bhs, sizeof bhs));
}

static struct lb_iscsi_pdu answer(void) {
    struct lb_iscsi_pdu pdu = {0};
    for (int i = 0; i < 100 && pair.to_initiator.len < LB_ISCSI_BHS_BYTES; i++)
        (void)pair_turn_target();
    if (CHECK(pair.to_initiator.len >= LB_ISCSI_BHS_BYTES))
        CHECK(lb_iscsi_decode(pair.to_initiator.bytes, &pdu));
    return pdu;
}

static void the_new_owner_goes_on_with_the_numbers_it_got(void) {
    pair_configure();
    if (!up_and_at_rest())
        return;
    uint32_t exp_stat_sn = standing.exp_stat_sn;
    lb_initiator_hand_over(&pair.session, pair.now);
    send_command();
    struct lb_iscsi_pdu pdu = answer();
    CHECK_EQ(pdu.opcode, LB_OP_SCSI_RESPONSE);
    CHECK_EQ(pdu.itt, 77);
    CHECK_EQ(pdu.response.status, 0);
    CHECK_EQ(pdu.stat_sn, exp_stat_sn);
    CHECK_EQ(pdu.exp_cmd_sn, standing.cmd_sn + 1);
    CHECK_EQ(pair.connects, 1);
    CHECK_EQ(lb_initiator_logins(&pair.session), 1);
}

static void what_was_agreed_goes_with_it(void) {
    pair_configure();
    pair.config.header_digest = pair.config.data_digest = LB_DIGEST_PREFER;
    pair.nodes[0].header_digest = pair.nodes[0].data_digest = LB_DIGEST_PREFER;
    if (!up_and_at_rest())
        return;
    CHECK(standing.agreed->header_digest && standing.agreed->data_digest);
    CHECK_EQ(standing.max_recv_data, 262144);
    CHECK_STR(standing.config->target, PAIR_TARGET);
    CHECK_STR(lb_endpoint_text(standing.home).s, "192.0.2.1:3260");
    CHECK_EQ(standing.exp_cmd_sn, standing.cmd_sn);
    CHECK(lb_sn_up_to(standing.cmd_sn, standing.max_cmd_sn));
}

static void the_session_ends_without_a_word_or_a_close(void) {
    pair_configure();
    if (!up_and_at_rest())
        return;
    struct lb_bytes pieces[16];
    struct lb_span spans[2];
    lb_initiator_hand_over(&pair.session, pair.now);
    CHECK_EQ(lb_initiator_poll(&pair.session, pair.now).event, LB_INITIATOR_OUT);
    CHECK_EQ(lb_initiator_poll(&pair.session, pair.now).event, LB_INITIATOR_WAIT);
    CHECK_EQ(lb_initiator_poll(&pair.session, pair.now + 3600 * LB_US_SEC).event,
             LB_INITIATOR_WAIT);
    CHECK_EQ(lb_initiator_gather(&pair.session, pieces, 16), 0);
    CHECK_EQ(lb_initiator_where(&pair.session, spans), 0);
    CHECK(pair.is_open);
}

static void it_is_not_at_rest_before_the_login(void) {
    pair_configure();
    pair_begin();
    CHECK(!is_at_rest());
}

static void it_is_not_at_rest_while_a_command_is_out(void) {
    static struct lb_disk_op op;
    static uint8_t block[512];
    pair_configure();
    if (!up_and_at_rest())
        return;
    op = (struct lb_disk_op){.kind = LB_DISK_READ, .blocks = 1, .buffer = block};
    lb_disk_submit(&pair.disk, pair.now, &op);
    CHECK(!is_at_rest());
    while (lb_disk_completed(&pair.disk) == NULL) {
        CHECK(!is_at_rest());
        pair_turn();
    }
    CHECK(is_at_rest());
}

/* Each of its 48 bytes alone: the new owner would begin in the middle of a PDU. */
static void it_is_not_at_rest_within_a_pdu(void) {
    static uint8_t bhs[LB_ISCSI_BHS_BYTES];
    pair_configure();
    if (!up_and_at_rest())
        return;
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_NOP_IN,
                               .final = true,
                               .itt = LB_ISCSI_NO_TAG,
                               .ttt = LB_ISCSI_NO_TAG,
                               .stat_sn = standing.exp_stat_sn,
                               .exp_cmd_sn = standing.exp_cmd_sn,
                               .max_cmd_sn = standing.max_cmd_sn};
    lb_iscsi_encode(&pdu, bhs);
    for (size_t i = 0; i < sizeof bhs; i++) {
        struct lb_span spans[2];
        CHECK(lb_initiator_where(&pair.session, spans) > 0);
        spans[0].p[0] = bhs[i];
        lb_initiator_got(&pair.session, pair.now, 1);
        CHECK_EQ(is_at_rest(), i + 1 == sizeof bhs);
    }
}

static void it_is_not_at_rest_while_a_ping_is_not_answered(void) {
    pair_configure();
    if (!up_and_at_rest())
        return;
    pair.now = lb_initiator_poll(&pair.session, pair.now).until_us;
    (void)lb_initiator_poll(&pair.session, pair.now);
    CHECK(!is_at_rest());
    for (int i = 0; i < 20; i++) {
        (void)pair_turn_session();
        (void)pair_turn_target();
    }
    CHECK(is_at_rest());
}

static void it_is_not_at_rest_once_a_logout_is_wanted(void) {
    pair_configure();
    if (!up_and_at_rest())
        return;
    lb_initiator_logout(&pair.session, pair.now);
    CHECK(!is_at_rest());
}

static void a_refused_hand_over_is_followed_by_a_fresh_login(void) {
    pair_configure();
    if (!up_and_at_rest())
        return;
    lb_initiator_drop(&pair.session, pair.now);
    CHECK(!is_at_rest());
    for (int i = 0; i < 10000 && !is_at_rest(); i++)
        pair_turn();
    CHECK(is_at_rest());
    CHECK_EQ(lb_initiator_logins(&pair.session), 2);
    CHECK_EQ(pair.connects, 2);
    send_command();
    CHECK_EQ(answer().stat_sn, standing.exp_stat_sn);
}

int main(void) {
    TEST(the_new_owner_goes_on_with_the_numbers_it_got);
    TEST(what_was_agreed_goes_with_it);
    TEST(the_session_ends_without_a_word_or_a_close);
    TEST(it_is_not_at_rest_before_the_login);
    TEST(it_is_not_at_rest_while_a_command_is_out);
    TEST(it_is_not_at_rest_within_a_pdu);
    TEST(it_is_not_at_rest_while_a_ping_is_not_answered);
    TEST(it_is_not_at_rest_once_a_logout_is_wanted);
    TEST(a_refused_hand_over_is_followed_by_a_fresh_login);
    return tap_done();
}
