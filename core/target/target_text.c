/* Text Requests in full feature phase: SendTargets and a new MaxRecvDataSegmentLength. RFC 7143
 * 11.10, 11.11, appendix C. An answer that is longer than the initiator takes goes on over several
 * PDUs: each but the last has F=0 and a Target Transfer Tag, with which the initiator asks on. */
#include "core/names/rootpath.h"
#include "core/target/target_state.h"

bool lb_target_text_add(struct lb_target_conn *conn, struct lb_bytes data) {
    if (data.len != conn->pdu.data_len || data.len > LB_TARGET_TEXT_MAX - conn->text_in_len)
        return false; /* too long to be kept, or all together too long */
    if (data.len > 0)
        memcpy(conn->text->in + conn->text_in_len, data.p, data.len);
    conn->text_in_len += data.len;
    return true;
}

/* A TargetAddress without a list of portals of its own is the one that the connection came to. */
static void put_target(const struct lb_target_conn *conn, const struct lb_target *node,
                       struct lb_wr *wr) {
    char address[80];
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_TARGET_NAME, node->name);
    if (conn->local.addr.family == LB_FAMILY_NONE)
        return;
    lb_format(address, sizeof address, "%s,%u", lb_endpoint_text(conn->local).s,
              node->tpgt == 0 ? 1u : (unsigned)node->tpgt);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_TARGET_ADDRESS, address);
}

static bool is_allowed(const struct lb_target_conn *conn, const struct lb_target *node) {
    for (size_t i = 0; i < node->initiator_count; i++)
        if (lb_iscsi_names_equal(node->initiators[i], conn->port.name))
            return true;
    return node->initiator_count == 0;
}

static void send_targets(const struct lb_target_conn *conn, struct lb_bytes what,
                         struct lb_wr *wr) {
    bool wants_all = lb_text_is(what, "All");
    if (wants_all && !conn->is_discovery) {
        lb_iscsi_put_text(wr, LB_ISCSI_KEY_SEND_TARGETS, "Reject");
        return;
    }
    bool has_list = conn->server->asks_who;
    size_t count = has_list ? conn->listed_count : conn->server->node_count;
    if (has_list && !conn->is_discovery) {
        if (what.len == 0 || lb_text_is(what, conn->node->name))
            put_target(conn, conn->node, wr);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct lb_target *node = has_list ? conn->listed[i] : &conn->server->nodes[i];
        bool is_meant = conn->is_discovery
                            ? wants_all || lb_text_is(what, node->name)
                            : node == conn->node && (what.len == 0 || lb_text_is(what, node->name));
        if (is_meant && is_allowed(conn, node))
            put_target(conn, node, wr);
    }
}

static void answer_pair(struct lb_target_conn *conn, const struct lb_iscsi_pair *pair,
                        struct lb_wr *wr) {
    uint64_t number;
    if (pair->key == LB_ISCSI_KEY_SEND_TARGETS)
        send_targets(conn, pair->value, wr);
    else if (pair->key == LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH &&
             lb_iscsi_parse_number(pair->value, 512, 16777215, &number))
        conn->max_send_data = (uint32_t)number;
    else if (pair->key == LB_ISCSI_KEY_UNKNOWN)
        lb_iscsi_put_named(wr, pair->name, "NotUnderstood");
    else
        lb_iscsi_put_text(wr, pair->key, "Reject");
}

/* The next part of the answer, or an empty PDU that asks for more text. */
static void respond(struct lb_target_conn *conn, bool is_complete) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    size_t left = conn->text_out_len - conn->text_out_sent;
    size_t len = LB_MIN(left, conn->max_send_data);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_RESPONSE,
        .final = is_complete && len == left,
        .itt = conn->pdu.itt,
        .ttt = LB_ISCSI_NO_TAG,
    };
    pdu.text.more = len < left;
    if (!pdu.final) {
        if (conn->next_ttt == LB_ISCSI_NO_TAG)
            conn->next_ttt = 0;
        pdu.ttt = conn->next_ttt++;
    }
    conn->text_ttt = pdu.ttt;
    lb_target_number(conn, &pdu, true, bhs);
    lb_target_queue_text(conn, bhs, lb_bytes(conn->text->out + conn->text_out_sent, len));
    conn->text_out_sent += len;
}

static void answer(struct lb_target_conn *conn) {
    struct lb_bytes text = lb_bytes(conn->text->in, conn->text_in_len);
    struct lb_wr wr = lb_wr(lb_span(conn->text->out, LB_TARGET_TEXT_MAX));
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&text, &pair)) {
        if (pair.problem != LB_PAIR_OK) {
            lb_target_violation(conn, "text that is no list of pairs");
            return;
        }
        answer_pair(conn, &pair, &wr);
    }
    conn->text_in_len = 0;
    if (!lb_wr_ok(&wr)) {
        lb_target_reject(conn, LB_REJECT_RESOURCES);
        return;
    }
    conn->text_out_len = wr.len;
    respond(conn, conn->pdu.final);
}

void lb_target_text(struct lb_target_conn *conn, struct lb_bytes data) {
    bool goes_on = conn->pdu.ttt != LB_ISCSI_NO_TAG;
    if (goes_on && conn->pdu.ttt != conn->text_ttt) {
        lb_target_violation(conn, "a Text Request with a wrong tag");
        return;
    }
    if (goes_on && conn->text_out_sent < conn->text_out_len) {
        respond(conn, true);
        return;
    }
    if (!goes_on)
        conn->text_in_len = 0; /* a new negotiation: 11.10.4 */
    conn->text_out_len = conn->text_out_sent = 0;
    if (!lb_target_text_add(conn, data)) {
        lb_target_violation(conn, "text that is too long");
        return;
    }
    if (conn->pdu.text.more)
        respond(conn, false);
    else
        answer(conn);
}
