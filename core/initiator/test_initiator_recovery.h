/* A session in full feature phase whose peer the test is, for the tests of what may go wrong
 * there. */
#ifndef LB_TEST_INITIATOR_RECOVERY_H
#define LB_TEST_INITIATOR_RECOVERY_H

#include "core/initiator/test_initiator_peer.h"

static struct lb_initiator_task task, other;
static uint8_t disk[65536], buffer[65536];
static struct lb_bytes none;

static inline void setup(void) {
    for (size_t i = 0; i < sizeof disk; i++)
        disk[i] = (uint8_t)(i * 40503u >> 7);
    memset(buffer, 0xee, sizeof buffer);
    peer_configure();
    peer.config.task_ms = 3000;
    peer_log_in();
}

static inline void check_recovering(enum lb_code code, const char *facts) {
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CLOSE);
    CHECK_STR(lb_code_word(peer.session.last_error.code), lb_code_word(code));
    CHECK_HAS(peer.session.last_error.facts, facts);
}

/* Takes the command that is next and answers its read in full. */
static inline void serve_read(struct lb_initiator_task *whose) {
    if (!peer_take_op(LB_OP_SCSI_COMMAND))
        return;
    peer.exp_cmd_sn++;
    peer_data_in(peer.pdu.itt, 0, 0, true, lb_bytes(disk, whose->in.len));
    CHECK(lb_initiator_completed(&peer.session) == whose);
    CHECK_EQ(whose->state, LB_TASK_DONE);
    CHECK_BYTES(lb_bytes(whose->in.p, whose->in.len), lb_bytes(disk, whose->in.len));
}

static inline void lose_connection(void) {
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
}

static inline void give_reject(uint8_t reason, const struct lb_iscsi_pdu *bad) {
    uint8_t bhs[48];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_REJECT,
                               .final = true,
                               .itt = LB_ISCSI_NO_TAG,
                               .reject = {.reason = reason}};
    lb_iscsi_encode(bad, bhs);
    peer_give(&pdu, lb_bytes(bhs, sizeof bhs));
}

#endif
