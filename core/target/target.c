/* One connection of a target: PDUs in and out, numbers, NOP, logout, deadlines.
 *
 *   SECURITY --T--> OPERATIONAL --T--> FULL_FEATURE --logout, violation, silence--> CLOSING
 *       `-------------T (NSG 3)------------^                (what is queued is sent) `--> CLOSED
 *
 * Input stops (and the connection's peer is held back by TCP) while a write waits for its memory,
 * while task management waits for the disk, while what is queued to be sent is full, while the
 * host has yet to say who this is, and while memory is wanted. */
#include "core/target/target_state.h"

enum {
    CLOSING_MS = 5000, /* for the last words to somebody who may not listen */
    LOGOUT_GRACE_S = 10,
};

#define LOG(conn, ...) lb_trace((conn)->trace, (conn)->now_us, "target", __VA_ARGS__)

/* ---- numbers ---- */

void lb_target_number(struct lb_target_conn *conn, struct lb_iscsi_pdu *pdu, bool takes_stat_sn,
                      uint8_t bhs[LB_ISCSI_BHS_BYTES]) {
    pdu->stat_sn = conn->stat_sn;
    pdu->exp_cmd_sn = conn->exp_cmd_sn;
    pdu->max_cmd_sn = conn->exp_cmd_sn + (conn->window - conn->window_used) - 1;
    if (takes_stat_sn)
        conn->stat_sn++;
    lb_iscsi_encode(pdu, bhs);
}

/* RFC 7143 4.2.2.1. */
enum order { IN_ORDER, OUT_OF_WINDOW, GAP };

static enum order take_cmd_sn(struct lb_target_conn *conn) {
    uint32_t max = conn->exp_cmd_sn + (conn->window - conn->window_used) - 1;
    /* 11.18: an answer to our ping takes no number, whether it is flagged as immediate or not. */
    bool is_pong = conn->pdu.opcode == LB_OP_NOP_OUT && conn->pdu.itt == LB_ISCSI_NO_TAG;
    if (conn->pdu.immediate || is_pong)
        return IN_ORDER;
    if (lb_sn_before(conn->pdu.cmd_sn, conn->exp_cmd_sn) || lb_sn_before(max, conn->pdu.cmd_sn))
        return OUT_OF_WINDOW;
    if (conn->pdu.cmd_sn != conn->exp_cmd_sn)
        return GAP;
    conn->exp_cmd_sn++;
    return IN_ORDER;
}

struct lb_scsi_device lb_target_device(struct lb_target_conn *conn) {
    return (struct lb_scsi_device){.name = conn->node->name,
                                   .units = conn->node->luns,
                                   .port_group = conn->node->tpgt,
                                   .nexuses = conn->nexuses,
                                   .count = LB_TARGET_LUNS_MAX};
}

/* ---- the end ---- */

static void enter_closed(struct lb_target_conn *conn) {
    conn->phase = LB_TARGET_CLOSED;
}

/* The session is over, if it was one. */
static void leave_full_feature(struct lb_target_conn *conn) {
    if (conn->phase != LB_TARGET_FULL_FEATURE)
        return;
    conn->server->session_count--;
    for (unsigned i = 0; i < LB_TARGET_LUNS_MAX; i++)
        lb_scsi_nexus_end(&conn->nexuses[i]);
}

void lb_target_close(struct lb_target_conn *conn, const char *why) {
    if (conn->phase >= LB_TARGET_CLOSING)
        return;
    leave_full_feature(conn);
    LOG(conn, "closes: %s", why);
    conn->phase = LB_TARGET_CLOSING;
    conn->reason = why;
    conn->deadline_us = conn->now_us + CLOSING_MS * LB_US_MS;
}

static void drop(struct lb_target_conn *conn, const char *why) {
    lb_target_close(conn, why);
    enter_closed(conn);
}

void lb_target_reject(struct lb_target_conn *conn, enum lb_iscsi_reject_reason reason) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_REJECT, .final = true, .itt = LB_ISCSI_NO_TAG};
    pdu.reject.reason = (uint8_t)reason;
    LOG(conn, "rejects a %s: %s", lb_iscsi_opcode_word(conn->stream.bhs[0] & 0x3f),
        lb_iscsi_reject_word(reason));
    lb_target_number(conn, &pdu, true, bhs);
    lb_stream_queue_copy(&conn->stream, bhs, lb_bytes(conn->stream.bhs, LB_ISCSI_BHS_BYTES));
}

void lb_target_violation(struct lb_target_conn *conn, const char *why) {
    conn->is_ignored = true;
    lb_target_reject(conn, LB_REJECT_PROTOCOL);
    lb_target_close(conn, why);
}

void lb_target_queue_text(struct lb_target_conn *conn, const uint8_t bhs[LB_ISCSI_BHS_BYTES],
                          struct lb_bytes text) {
    conn->text_busy_until = lb_stream_queue(&conn->stream, bhs, text);
}

/* ---- NOP, logout, async ---- */

static void send_nop_in(struct lb_target_conn *conn, uint32_t itt, uint32_t ttt,
                        struct lb_bytes data) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_NOP_IN, .final = true, .itt = itt, .ttt = ttt};
    lb_target_number(conn, &pdu, itt != LB_ISCSI_NO_TAG, bhs);
    if (data.len <= LB_STREAM_COPY_MAX) {
        lb_stream_queue_copy(&conn->stream, bhs, data);
        return;
    }
    if (data.p != conn->text->out)
        memcpy(conn->text->out, data.p, data.len);
    lb_target_queue_text(conn, bhs, lb_bytes(conn->text->out, data.len));
}

/* Room for a ping: in text->out it lies over the part of an answer that was sent, if there is one
 * whose rest is not. */
static struct lb_span ping_room(const struct lb_target_conn *conn) {
    bool goes_on = conn->text_out_sent < conn->text_out_len;
    size_t room = goes_on ? conn->text_out_sent : LB_TARGET_TEXT_MAX;
    return lb_span(conn->text->out, LB_MIN(room, conn->max_send_data));
}

/* RFC 7143 11.18: a ping comes back with as much of its data as fits both ends. A long one is in
 * its room already. */
static void nop_out(struct lb_target_conn *conn) {
    struct lb_bytes data = conn->stream.data;
    if (conn->pdu.itt == LB_ISCSI_NO_TAG)
        return; /* the answer to ours; that it came is enough */
    if (conn->pdu.data_len > LB_STREAM_LOGIN_DATA)
        data = lb_bytes(conn->text->out, LB_MIN(conn->pdu.data_len, ping_room(conn).len));
    data.len = LB_MIN(data.len, conn->max_send_data);
    send_nop_in(conn, conn->pdu.itt, LB_ISCSI_NO_TAG, data);
}

static uint8_t logout_response(const struct lb_target_conn *conn) {
    switch ((enum lb_iscsi_logout_reason)conn->pdu.logout.reason) {
    case LB_LOGOUT_SESSION:
        return 0;
    case LB_LOGOUT_CONNECTION:
        return conn->pdu.logout.cid == conn->cid ? 0 : 1;
    case LB_LOGOUT_RECOVERY:
        return 2; /* not at ErrorRecoveryLevel 0 */
    }
    return 3;
}

static void logout(struct lb_target_conn *conn) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGOUT_RESPONSE, .final = true, .itt = conn->pdu.itt};
    pdu.logout_response.response = logout_response(conn);
    lb_target_number(conn, &pdu, true, bhs);
    lb_stream_queue(&conn->stream, bhs, lb_bytes(NULL, 0));
    if (pdu.logout_response.response == 0)
        lb_target_close(conn, "logged out");
}

static void send_async(struct lb_target_conn *conn, enum lb_iscsi_async_event event,
                       uint16_t seconds) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_ASYNC, .final = true, .itt = LB_ISCSI_NO_TAG};
    pdu.async.event = (uint8_t)event;
    pdu.async.parameter3 = seconds;
    lb_target_number(conn, &pdu, true, bhs);
    lb_stream_queue(&conn->stream, bhs, lb_bytes(NULL, 0));
}

/* What the host, or the clock, wants to be said. */
static void send_due(struct lb_target_conn *conn) {
    if (conn->phase != LB_TARGET_FULL_FEATURE)
        return;
    if (conn->logout_is_due && lb_stream_can_queue(&conn->stream)) {
        conn->logout_is_due = false;
        send_async(conn, LB_ASYNC_LOGOUT_REQUEST, conn->logout_s);
    }
    if (conn->ping_is_due && lb_stream_can_queue(&conn->stream)) {
        conn->ping_is_due = false;
        if (conn->next_ttt == LB_ISCSI_NO_TAG)
            conn->next_ttt = 0;
        send_nop_in(conn, LB_ISCSI_NO_TAG, conn->next_ttt++, lb_bytes(NULL, 0));
    }
}

/* ---- one PDU ---- */

static bool has_cmd_sn(enum lb_iscsi_opcode opcode) {
    return opcode == LB_OP_NOP_OUT || opcode == LB_OP_SCSI_COMMAND || opcode == LB_OP_TMF_REQUEST ||
           opcode == LB_OP_TEXT_REQUEST || opcode == LB_OP_LOGOUT_REQUEST;
}

static bool is_kept(enum lb_iscsi_opcode opcode) {
    return opcode == LB_OP_LOGIN_REQUEST || opcode == LB_OP_TEXT_REQUEST || opcode == LB_OP_NOP_OUT;
}

/* Whether it is answered by way of text->out. */
static bool needs_text(const struct lb_iscsi_pdu *pdu) {
    if (pdu->opcode == LB_OP_NOP_OUT)
        return pdu->itt != LB_ISCSI_NO_TAG && pdu->data_len > LB_STREAM_COPY_MAX;
    return pdu->opcode == LB_OP_LOGIN_REQUEST || pdu->opcode == LB_OP_TEXT_REQUEST;
}

/* Whether a PDU may come now; if not, it has been dealt with. */
static bool is_welcome(struct lb_target_conn *conn) {
    bool is_login = conn->pdu.opcode == LB_OP_LOGIN_REQUEST;
    if (conn->phase != LB_TARGET_FULL_FEATURE) {
        if (!is_login)
            drop(conn, "no Login Request at the start");
        return is_login;
    }
    if (is_login || (!has_cmd_sn(conn->pdu.opcode) && conn->pdu.opcode != LB_OP_DATA_OUT)) {
        lb_target_violation(conn, "a PDU that has no place here");
        return false;
    }
    if (conn->is_discovery &&
        (conn->pdu.opcode == LB_OP_SCSI_COMMAND || conn->pdu.opcode == LB_OP_TMF_REQUEST ||
         conn->pdu.opcode == LB_OP_DATA_OUT)) {
        lb_target_violation(conn, "a command in a discovery session");
        return false;
    }
    if (!has_cmd_sn(conn->pdu.opcode))
        return true;
    enum order order = take_cmd_sn(conn);
    if (order == GAP)
        lb_target_violation(conn, "a gap in CmdSN");
    return order == IN_ORDER;
}

/* Its header is here: says where its data goes, unless it stalls. */
static struct lb_span begin_pdu(struct lb_target_conn *conn) {
    conn->is_ignored = false;
    if (!lb_iscsi_decode(conn->stream.bhs, &conn->pdu)) {
        conn->is_ignored = true;
        if (conn->phase == LB_TARGET_FULL_FEATURE)
            lb_target_reject(conn, LB_REJECT_NOT_SUPPORTED);
        else
            drop(conn, "no Login Request at the start");
        return lb_span(NULL, 0);
    }
    if (!is_welcome(conn)) {
        conn->is_ignored = true;
        return lb_span(NULL, 0);
    }
    conn->text_waits = conn->text == NULL && needs_text(&conn->pdu);
    if (conn->pdu.opcode == LB_OP_SCSI_COMMAND)
        return lb_target_command(conn);
    if (conn->pdu.opcode == LB_OP_DATA_OUT)
        return lb_target_data_out(conn);
    return lb_span(NULL, 0);
}

/* It is complete. */
static void end_pdu(struct lb_target_conn *conn) {
    conn->has_pdu = false;
    if (conn->is_ignored)
        return;
    if (conn->pdu.opcode == LB_OP_SCSI_COMMAND || conn->pdu.opcode == LB_OP_DATA_OUT)
        lb_target_data_came(conn);
    else if (conn->pdu.opcode == LB_OP_LOGIN_REQUEST)
        lb_target_login(conn, conn->stream.data);
    else if (conn->pdu.opcode == LB_OP_TEXT_REQUEST)
        lb_target_text(conn, conn->stream.data);
    else if (conn->pdu.opcode == LB_OP_NOP_OUT)
        nop_out(conn);
    else if (conn->pdu.opcode == LB_OP_LOGOUT_REQUEST)
        logout(conn);
    else
        lb_target_task_management(conn);
}

/* Says where its data goes. */
static void decide(struct lb_target_conn *conn, struct lb_span to) {
    bool is_long = conn->pdu.data_len > LB_STREAM_LOGIN_DATA;
    bool is_ping = conn->pdu.opcode == LB_OP_NOP_OUT && needs_text(&conn->pdu);
    /* Longer text than that is too long anyway: lb_target_text_add. */
    if (!conn->is_ignored && is_kept(conn->pdu.opcode) && !is_long)
        lb_stream_keep(&conn->stream);
    else if (!conn->is_ignored && is_ping)
        lb_stream_place(&conn->stream, ping_room(conn));
    else
        lb_stream_place(&conn->stream, to);
}

static void take_header(struct lb_target_conn *conn) {
    struct lb_span to = begin_pdu(conn);
    conn->has_pdu = true;
    if (conn->stalled == LB_TTASK_NONE && !conn->text_waits)
        decide(conn, to);
}

static void take_pdu(struct lb_target_conn *conn) {
    if (!conn->has_pdu)
        (void)begin_pdu(conn);
    if (conn->stalled == LB_TTASK_NONE && !conn->text_waits)
        end_pdu(conn);
}

/* The room for text that the PDU at hand waited for is there. */
static void text_came(struct lb_target_conn *conn) {
    conn->text_waits = false;
    if (conn->has_pdu)
        decide(conn, lb_span(NULL, 0));
    else
        end_pdu(conn);
}

static bool can_take(const struct lb_target_conn *conn) {
    return conn->phase < LB_TARGET_CLOSING && conn->stalled == LB_TTASK_NONE && !conn->tmf_waits &&
           !conn->text_waits && !conn->who_waits && lb_stream_can_queue(&conn->stream) &&
           lb_target_has_free_task(conn) && lb_stream_is_sent(&conn->stream, conn->text_busy_until);
}

/* The stream cannot be trusted any more. Of damaged data the initiator is told (7.8), as its header
 * is good; at ErrorRecoveryLevel 0 the session ends. */
static void break_off(struct lb_target_conn *conn, enum lb_stream_event event) {
    if (event != LB_STREAM_BAD_DATA_DIGEST) {
        drop(conn,
             event == LB_STREAM_TOO_LONG ? "a data segment that is too long" : "a wrong digest");
        return;
    }
    lb_target_reject(conn, LB_REJECT_DATA_DIGEST);
    lb_target_close(conn, "a wrong digest");
}

/* Takes what the stream has, as far as that is possible now, and queues what there is to say. */
static void run(struct lb_target_conn *conn) {
    send_due(conn);
    lb_target_end_task_management(conn);
    while (can_take(conn)) {
        enum lb_stream_event event = lb_stream_next(&conn->stream);
        if (event == LB_STREAM_MORE)
            break;
        if (event == LB_STREAM_HEADER)
            take_header(conn);
        else if (event == LB_STREAM_PDU)
            take_pdu(conn);
        else
            break_off(conn, event);
    }
    if (conn->phase == LB_TARGET_FULL_FEATURE)
        lb_target_pump(conn);
}

/* ---- the server's lists ---- */

static void unlink_conn(struct lb_target_conn **list, const struct lb_target_conn *conn) {
    while (*list != NULL && *list != conn)
        list = &(*list)->next;
    if (*list == conn)
        *list = conn->next;
}

void lb_target_enlist(struct lb_target_conn *conn) {
    struct lb_target_server *server = conn->server;
    unlink_conn(&server->logins, conn);
    conn->next = server->sessions[conn->bucket];
    server->sessions[conn->bucket] = conn;
    server->session_count++;
}

static void leave_lists(struct lb_target_conn *conn) {
    struct lb_target_server *server = conn->server;
    unlink_conn(&server->logins, conn);
    unlink_conn(&server->sessions[conn->bucket], conn);
}

/* ---- lent memory ---- */

void lb_target_lend(struct lb_target_conn *conn, uint64_t now_us, enum lb_target_role role,
                    struct lb_span memory) {
    lb_assert(!lb_target_has(conn, role));
    conn->now_us = now_us;
    switch (role) {
    case LB_TARGET_STAGING:
        lb_assert(memory.len >= LB_ISCSI_RX_MIN);
        lb_stream_set_rx(&conn->stream, memory);
        return;
    case LB_TARGET_WORK:
        lb_target_tasks_lend(conn, memory);
        lb_stream_set_tx(&conn->stream, &conn->work->tx);
        break;
    case LB_TARGET_TEXT:
        lb_assert(memory.len >= LB_TARGET_TEXT_BYTES);
        conn->text = (struct lb_target_text *)(void *)memory.p;
        conn->text_len = memory.len;
        if (conn->text_waits)
            text_came(conn);
        break;
    case LB_TARGET_ROLES:
        break;
    }
    run(conn);
}

bool lb_target_has(const struct lb_target_conn *conn, enum lb_target_role role) {
    if (role == LB_TARGET_STAGING)
        return conn->stream.rx.len > 0;
    return role == LB_TARGET_WORK ? conn->work != NULL : conn->text != NULL;
}

static bool is_in_use(const struct lb_target_conn *conn, enum lb_target_role role) {
    if (conn->phase == LB_TARGET_CLOSED)
        return false;
    if (role == LB_TARGET_STAGING)
        return conn->has_pdu || conn->text_waits || conn->who_waits ||
               conn->stalled != LB_TTASK_NONE || !lb_stream_rx_is_free(&conn->stream);
    if (role == LB_TARGET_WORK)
        return conn->tasks_used > 0 || conn->tmf_waits || conn->ping_is_due ||
               conn->logout_is_due || !lb_stream_tx_is_free(&conn->stream);
    return conn->who_waits || conn->text_in_len > 0 || conn->text_out_sent < conn->text_out_len ||
           (conn->has_pdu && needs_text(&conn->pdu)) ||
           !lb_stream_is_sent(&conn->stream, conn->text_busy_until);
}

struct lb_span lb_target_take_back(struct lb_target_conn *conn, enum lb_target_role role) {
    struct lb_span memory = lb_span(NULL, 0);
    if (!lb_target_has(conn, role) || is_in_use(conn, role))
        return memory;
    if (role == LB_TARGET_STAGING) {
        memory = conn->stream.rx;
        lb_stream_set_rx(&conn->stream, lb_span(NULL, 0));
    } else if (role == LB_TARGET_WORK) {
        memory = lb_span((uint8_t *)conn->work, conn->work_len);
        conn->work = NULL;
        lb_stream_set_tx(&conn->stream, NULL);
    } else {
        memory = lb_span((uint8_t *)conn->text, conn->text_len);
        conn->text = NULL;
    }
    return memory;
}

/* What it cannot go on without; LB_TARGET_ROLES: nothing. Staging room is not wanted before there
 * are bytes to receive, which the host knows. */
static enum lb_target_role wanted(const struct lb_target_conn *conn) {
    if (conn->phase >= LB_TARGET_CLOSING)
        return LB_TARGET_ROLES;
    bool has_input = !lb_stream_rx_is_free(&conn->stream) || conn->text_waits;
    if (conn->work == NULL && (has_input || conn->ping_is_due || conn->logout_is_due))
        return LB_TARGET_WORK;
    return conn->text_waits ? LB_TARGET_TEXT : LB_TARGET_ROLES;
}

/* ---- the host's side ---- */

void lb_target_conn_init(struct lb_target_conn *conn, uint64_t now_us,
                         struct lb_target_server *server, struct lb_endpoint local,
                         struct lb_rand *rand, struct lb_trace *trace) {
    uint32_t login_ms = server->login_ms == 0 ? 15000 : server->login_ms;
    lb_assert(server->io_max % 65536 == 0);
    memset(conn, 0, sizeof *conn);
    conn->server = server;
    conn->rand = rand;
    conn->trace = trace;
    conn->local = local;
    conn->phase = LB_TARGET_SECURITY;
    conn->reason = "";
    conn->now_us = conn->heard_us = now_us;
    conn->deadline_us = now_us + login_ms * LB_US_MS;
    conn->stat_sn = lb_rand_u32(rand);
    conn->window = 1; /* logins are immediate; the window opens in full feature phase */
    conn->max_send_data = LB_STREAM_LOGIN_DATA;
    conn->text_ttt = LB_ISCSI_NO_TAG;
    lb_target_tasks_init(conn);
    lb_stream_init(&conn->stream, lb_span(NULL, 0), NULL);
    conn->next = server->logins;
    server->logins = conn;
}

void lb_target_conn_end(struct lb_target_conn *conn) {
    leave_full_feature(conn);
    leave_lists(conn);
    lb_wipe(&conn->challenge, sizeof conn->challenge);
    enter_closed(conn);
}

struct lb_target_who lb_target_who(const struct lb_target_conn *conn) {
    lb_assert(conn->who_waits);
    return (struct lb_target_who){.initiator = conn->port.name,
                                  .isid = conn->port.isid,
                                  .target = conn->is_discovery ? "" : conn->text->wanted};
}

void lb_target_admit(struct lb_target_conn *conn, uint64_t now_us,
                     const struct lb_target_admission *admission) {
    conn->now_us = now_us;
    if (!conn->who_waits || conn->phase >= LB_TARGET_CLOSING)
        return; /* it took too long */
    conn->admission = admission->status;
    conn->node = conn->is_discovery ? NULL : admission->node;
    conn->listed = admission->listed;
    conn->listed_count = admission->listed_count;
    lb_target_login_admitted(conn);
    run(conn);
}

void lb_target_move(struct lb_target_conn *conn, struct lb_target_server *server,
                    struct lb_rand *rand) {
    lb_assert(conn->who_waits);
    unlink_conn(&conn->server->logins, conn);
    conn->server = server;
    conn->rand = rand;
    conn->next = server->logins;
    server->logins = conn;
}

size_t lb_target_where(struct lb_target_conn *conn, struct lb_span spans[2]) {
    return conn->phase >= LB_TARGET_CLOSING ? 0 : lb_stream_where(&conn->stream, spans);
}

void lb_target_got(struct lb_target_conn *conn, uint64_t now_us, size_t len) {
    conn->now_us = now_us;
    if (conn->phase >= LB_TARGET_CLOSING)
        return;
    conn->heard_us = now_us;
    conn->ping_waits = false;
    lb_stream_got(&conn->stream, len);
    run(conn);
}

size_t lb_target_gather(struct lb_target_conn *conn, struct lb_bytes *pieces, size_t cap) {
    return conn->phase == LB_TARGET_CLOSED ? 0 : lb_stream_gather(&conn->stream, pieces, cap);
}

void lb_target_sent(struct lb_target_conn *conn, uint64_t now_us, size_t len) {
    conn->now_us = now_us;
    lb_stream_sent(&conn->stream, len);
    lb_target_reap(conn);
    run(conn);
}

void lb_target_io_done(struct lb_target_conn *conn, uint64_t now_us, struct lb_target_io *io,
                       struct lb_target_answer answer) {
    conn->now_us = now_us;
    if (conn->phase >= LB_TARGET_CLOSING)
        return;
    lb_target_io_came(conn, io, &answer);
    run(conn);
}

static uint64_t ping_us(const struct lb_target_conn *conn) {
    uint32_t ms = conn->server->ping_ms == 0 ? 30000 : conn->server->ping_ms;
    return ms == UINT32_MAX ? LB_NEVER : ms * LB_US_MS;
}

/* The next moment at which silence means something. */
static uint64_t silence_ends(const struct lb_target_conn *conn) {
    uint64_t wait = ping_us(conn);
    if (wait == LB_NEVER)
        return LB_NEVER;
    return conn->heard_us + (conn->ping_waits ? 2 * wait : wait);
}

static void check_time(struct lb_target_conn *conn) {
    bool is_late = conn->deadline_us <= conn->now_us;
    if (conn->phase == LB_TARGET_CLOSING && is_late)
        enter_closed(conn);
    else if (conn->phase < LB_TARGET_FULL_FEATURE && is_late)
        drop(conn, "no login in time");
    else if (conn->phase == LB_TARGET_FULL_FEATURE && conn->logout_waits && is_late)
        drop(conn, "no logout in time");
    if (conn->phase != LB_TARGET_FULL_FEATURE || silence_ends(conn) > conn->now_us)
        return;
    if (conn->ping_waits)
        drop(conn, "no answer to a NOP-In");
    else
        lb_target_ping(conn, conn->now_us);
}

static struct lb_target_action wait_or_close(struct lb_target_conn *conn) {
    if (conn->phase == LB_TARGET_CLOSING && !lb_stream_has_unsent(&conn->stream))
        enter_closed(conn);
    if (conn->phase == LB_TARGET_CLOSED)
        return (struct lb_target_action){.event = LB_TARGET_CLOSE};
    bool has_deadline = conn->phase != LB_TARGET_FULL_FEATURE || conn->logout_waits;
    uint64_t until = has_deadline ? conn->deadline_us : LB_NEVER;
    if (conn->phase == LB_TARGET_FULL_FEATURE)
        until = LB_MIN(until, silence_ends(conn));
    enum lb_target_role role = wanted(conn);
    enum lb_target_event event = LB_TARGET_WAIT;
    if (lb_stream_has_unsent(&conn->stream))
        event = LB_TARGET_SEND;
    else if (role != LB_TARGET_ROLES)
        event = LB_TARGET_LEND;
    else if (conn->who_waits)
        event = LB_TARGET_WHO;
    return (struct lb_target_action){.event = event, .role = role, .until_us = until};
}

struct lb_target_action lb_target_poll(struct lb_target_conn *conn, uint64_t now_us) {
    conn->now_us = now_us;
    check_time(conn);
    if (conn->awaits_unit && conn->phase == LB_TARGET_FULL_FEATURE && lb_target_leave_unit(conn))
        run(conn);
    if (conn->phase == LB_TARGET_FULL_FEATURE && conn->asks.first != LB_TTASK_NONE) {
        struct lb_target_io *io = lb_target_next_ask(conn);
        if (io == NULL || io->kind == LB_IO_RELEASE)
            run(conn); /* it may be the last thing that a response, or the input, waited for */
        if (io != NULL)
            return (struct lb_target_action){.event = LB_TARGET_IO, .io = io};
    }
    return wait_or_close(conn);
}

struct lb_target_io *lb_target_stalled(struct lb_target_conn *conn) {
    return conn->stalled == LB_TTASK_NONE ? NULL : &conn->work->tasks[conn->stalled].io;
}

/* ---- acts of the host ---- */

void lb_target_attention(struct lb_target_server *server, struct lb_target *target, unsigned lun,
                         uint8_t asc, uint8_t ascq) {
    lb_assert(lun < LB_TARGET_LUNS_MAX);
    for (unsigned i = 0; i < LB_TARGET_BUCKETS; i++)
        for (struct lb_target_conn *c = server->sessions[i]; c != NULL; c = c->next)
            if (c->node == target && c->phase == LB_TARGET_FULL_FEATURE)
                lb_scsi_nexus_attention(&c->nexuses[lun], asc, ascq);
}

void lb_target_ask_logout(struct lb_target_conn *conn, uint64_t now_us, uint16_t seconds) {
    conn->now_us = now_us;
    if (conn->phase != LB_TARGET_FULL_FEATURE)
        return;
    conn->logout_waits = conn->logout_is_due = true;
    conn->logout_s = seconds;
    conn->deadline_us = now_us + (seconds == 0 ? LOGOUT_GRACE_S : seconds) * LB_US_SEC;
    send_due(conn);
}

void lb_target_ping(struct lb_target_conn *conn, uint64_t now_us) {
    conn->now_us = now_us;
    if (conn->phase != LB_TARGET_FULL_FEATURE)
        return;
    conn->ping_waits = true;
    if (conn->work != NULL && !lb_stream_can_queue(&conn->stream))
        return; /* it does not even take what is queued: the deadline stands */
    conn->ping_is_due = true;
    send_due(conn);
}

void lb_target_drop(struct lb_target_conn *conn) {
    drop(conn, "dropped by the host");
}

bool lb_target_is_full_feature(const struct lb_target_conn *conn) {
    return conn->phase == LB_TARGET_FULL_FEATURE;
}

const char *lb_target_initiator(const struct lb_target_conn *conn) {
    return conn->port.name;
}

struct lb_target *lb_target_node(const struct lb_target_conn *conn) {
    return conn->node;
}

const char *lb_target_reason(const struct lb_target_conn *conn) {
    return conn->reason;
}
