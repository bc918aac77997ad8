/* Text requests in full feature phase: SendTargets, whose list is initiator_targets.c's, and the
 * empty one that a target asks for by an asynchronous message (RFC 7143 11.9.1, event 4). Pairs
 * may straddle answers. */
#include "core/initiator/initiator_session.h"
#include "core/initiator/initiator_targets.h"

/* ---- pairs ----------------------------------------------------------------------------------- */

static void take_pair(struct lb_initiator *session, uint64_t now_us, struct lb_bytes text) {
    struct lb_iscsi_pair pair;
    uint64_t number;
    if (!lb_iscsi_text_next(&text, &pair))
        return;
    pair.key = lb_iscsi_key_guess(pair.name);
    pair.value = lb_bytes_trim(pair.value);
    if (session->text_is_discovery)
        lb_initiator_targets_take(session->targets, now_us, &pair);
    if (pair.key == LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH &&
        lb_iscsi_parse_number(pair.value, 512, (1 << 24) - 1, &number))
        session->agreed.max_send_data = (uint32_t)number; /* 13.12: may change at any time */
}

static void take_text(struct lb_initiator *session, uint64_t now_us, struct lb_bytes data) {
    for (size_t i = 0; i < data.len; i++) {
        bool is_full = session->text_in_len == sizeof session->text_in;
        if (data.p[i] != 0 && !is_full && !session->text_skipping) {
            session->text_in[session->text_in_len++] = data.p[i];
            continue;
        }
        if (data.p[i] != 0) {
            session->text_skipping = true;
            continue;
        }
        if (!session->text_skipping)
            take_pair(session, now_us, lb_bytes(session->text_in, session->text_in_len));
        session->text_skipping = false;
        session->text_in_len = 0;
    }
}

/* ---- the exchange --------------------------------------------------------------------------- */

static void send_text(struct lb_initiator *session, uint64_t now_us, uint32_t ttt,
                      const uint8_t lun[8], bool final, struct lb_bytes data) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_REQUEST,
        .immediate = true,
        .final = final,
        .itt = session->text_itt,
        .ttt = ttt,
    };
    memcpy(pdu.lun, lun, sizeof pdu.lun);
    session->text_us = now_us;
    session->text_rounds++;
    lb_initiator_send_control(session, now_us, &pdu, data);
}

void lb_initiator_text_start(struct lb_initiator *session, uint64_t now_us) {
    static const uint8_t no_lun[8];
    struct lb_bytes request = lb_bytes(NULL, 0);
    session->text_is_out = true;
    session->text_is_discovery = session->targets != NULL;
    session->text_rounds = 0;
    session->text_in_len = 0;
    session->text_skipping = false;
    session->text_itt = lb_initiator_new_tag(session, LB_SLOT_TEXT);
    if (session->text_is_discovery) {
        request = lb_bytes(session->text_request, lb_strlen(session->text_request) + 1);
        lb_initiator_targets_begin(session->targets, session->peer, session->agreed.tpgt,
                                   session->trace);
    }
    send_text(session, now_us, LB_ISCSI_NO_TAG, no_lun, true, request);
}

static void end_text(struct lb_initiator *session, uint64_t now_us) {
    session->text_is_out = false;
    if (!session->text_skipping && session->text_in_len > 0) /* the last one lacks its NUL */
        take_pair(session, now_us, lb_bytes(session->text_in, session->text_in_len));
    session->text_in_len = 0;
    if (session->text_is_discovery) {
        lb_initiator_targets_end(session->targets);
        session->targets = NULL;
        lb_initiator_progress(session);
    } else if (session->targets != NULL) {
        lb_initiator_text_start(session, now_us); /* had to wait for the exchange that ends here */
    }
}

void lb_initiator_text_response(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (!session->text_is_out || pdu->itt != session->text_itt) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "Text Response without a request");
        return;
    }
    /* 11.11.1, 11.11.4: F excludes C, and more to come has a tag to ask for it. */
    if (pdu->final ? pdu->text.more : pdu->ttt == LB_ISCSI_NO_TAG) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Text Response with flags that contradict");
        return;
    }
    take_text(session, now_us, session->stream.data);
    if (pdu->final)
        end_text(session, now_us);
    else if (session->text_rounds >= LB_INITIATOR_TEXT_ROUNDS_MAX)
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "more than %u Text Responses",
                           LB_INITIATOR_TEXT_ROUNDS_MAX);
    else
        send_text(session, now_us, pdu->ttt, pdu->lun, !pdu->text.more, lb_bytes(NULL, 0));
}

void lb_initiator_send_targets(struct lb_initiator *session, uint64_t now_us,
                               const char *target_or_null, struct lb_initiator_targets *targets) {
    lb_format(session->text_request, sizeof session->text_request, "SendTargets=%s",
              target_or_null != NULL ? target_or_null : "All");
    session->targets = targets;
    targets->is_done = false;
    if (session->state == LB_INITIATOR_FULL_FEATURE && !session->text_is_out)
        lb_initiator_text_start(session, now_us);
}
