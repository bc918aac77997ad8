/* The session changes hands: the connection stays, and another initiator goes on with it. */
#include "core/initiator/initiator_session.h"

/* Between two PDUs, in both directions. */
static bool stream_is_at_rest(const struct lb_stream *stream) {
    return stream->phase == LB_STREAM_IN_HEADER && stream->head == stream->tail &&
           !lb_stream_has_unsent(stream);
}

/* An answer to a question of ours would reach the new owner, who does not know the tag. */
static bool is_owed_an_answer(const struct lb_initiator *session) {
    return session->queued.count + session->in_flight.count > 0 || session->sending != NULL ||
           session->ping_is_out || session->tmf.is_out || session->text_is_out ||
           session->aborts_out > 0;
}

bool lb_initiator_is_at_rest(const struct lb_initiator *session,
                             struct lb_initiator_standing *standing) {
    if (session->state != LB_INITIATOR_FULL_FEATURE || session->say_close || session->say_ready ||
        session->logout_wanted || session->logout_asked || session->is_held ||
        is_owed_an_answer(session) || !stream_is_at_rest(&session->stream))
        return false;
    *standing = (struct lb_initiator_standing){
        .config = &session->config,
        .agreed = &session->agreed,
        .cmd_sn = session->cmd_sn,
        .exp_stat_sn = session->exp_stat_sn,
        .exp_cmd_sn = session->exp_cmd_sn,
        .max_cmd_sn = session->max_cmd_sn,
        .max_recv_data = session->config.max_recv_data,
        .home = lb_initiator_home(session),
        .home_host = session->home_host,
        .chap_target_name = session->login.target_name,
    };
    return true;
}

void lb_initiator_hand_over(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_standing standing;
    lb_assert(lb_initiator_is_at_rest(session, &standing));
    session->is_open = false; /* so there is nothing to close */
    lb_trace(session->trace, now_us, "iscsi", "handed over: CmdSN %u, ExpStatSN %u",
             session->cmd_sn, session->exp_stat_sn);
    lb_initiator_end(session, now_us, NULL);
}
