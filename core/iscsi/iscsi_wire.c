#include "core/iscsi/iscsi_wire.h"

/* RFC 7143 11.2 and the layout of each PDU in 11.3 to 11.19. Each header is read and written in the
 * order of its bytes: four of the first word, the two lengths, bytes 8-19, and then by opcode. */

#define FINAL     0x80
#define IMMEDIATE 0x40

/* Bytes 24..35 of an initiator's PDU with a command number. */
static void rd_initiator_sns(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    pdu->cmd_sn = lb_rd_u32(rd);
    pdu->exp_stat_sn = lb_rd_u32(rd);
}

static void wr_initiator_sns(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, pdu->cmd_sn);
    lb_wr_u32(wr, pdu->exp_stat_sn);
}

static void rd_target_sns(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    pdu->stat_sn = lb_rd_u32(rd);
    pdu->exp_cmd_sn = lb_rd_u32(rd);
    pdu->max_cmd_sn = lb_rd_u32(rd);
}

static void wr_target_sns(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, pdu->stat_sn);
    lb_wr_u32(wr, pdu->exp_cmd_sn);
    lb_wr_u32(wr, pdu->max_cmd_sn);
}

static bool has_lun(enum lb_iscsi_opcode opcode) {
    switch (opcode) {
    case LB_OP_NOP_OUT:
    case LB_OP_SCSI_COMMAND:
    case LB_OP_TMF_REQUEST:
    case LB_OP_TEXT_REQUEST:
    case LB_OP_DATA_OUT:
    case LB_OP_SNACK:
    case LB_OP_NOP_IN:
    case LB_OP_TEXT_RESPONSE:
    case LB_OP_DATA_IN:
    case LB_OP_R2T:
    case LB_OP_ASYNC:
        return true;
    case LB_OP_LOGIN_REQUEST:
    case LB_OP_LOGOUT_REQUEST:
    case LB_OP_SCSI_RESPONSE:
    case LB_OP_TMF_RESPONSE:
    case LB_OP_LOGIN_RESPONSE:
    case LB_OP_LOGOUT_RESPONSE:
    case LB_OP_REJECT:
        return false;
    }
    return false;
}

static bool is_login(enum lb_iscsi_opcode opcode) {
    return opcode == LB_OP_LOGIN_REQUEST || opcode == LB_OP_LOGIN_RESPONSE;
}

/* ---- decode ---- */

static void decode_command(struct lb_rd *rd, uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->command.read = flags & 0x40;
    pdu->command.write = flags & 0x20;
    pdu->command.attr = (enum lb_iscsi_attr)(flags & 7);
    pdu->command.edtl = lb_rd_u32(rd);
    rd_initiator_sns(rd, pdu);
    lb_rd_copy(rd, pdu->command.cdb, sizeof pdu->command.cdb);
}

static void decode_tmf(struct lb_rd *rd, uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->tmf.function = flags & 0x7f;
    pdu->tmf.ref_task_tag = lb_rd_u32(rd);
    rd_initiator_sns(rd, pdu);
    pdu->tmf.ref_cmd_sn = lb_rd_u32(rd);
    pdu->tmf.exp_data_sn = lb_rd_u32(rd);
}

static void decode_login_flags(uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->login.more = flags & 0x40;
    pdu->login.csg = flags >> 2 & 3;
    pdu->login.nsg = flags & 3;
}

static void decode_login_request(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    pdu->login.cid = lb_rd_u16(rd);
    lb_rd_skip(rd, 2);
    rd_initiator_sns(rd, pdu);
}

static void decode_login_response(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    lb_rd_skip(rd, 4);
    rd_target_sns(rd, pdu);
    pdu->login.status_class = lb_rd_u8(rd);
    pdu->login.status_detail = lb_rd_u8(rd);
}

static void decode_data_out(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    pdu->ttt = lb_rd_u32(rd);
    lb_rd_skip(rd, 4);
    pdu->exp_stat_sn = lb_rd_u32(rd);
    lb_rd_skip(rd, 4);
    pdu->data_out.data_sn = lb_rd_u32(rd);
    pdu->data_out.buffer_offset = lb_rd_u32(rd);
}

static void decode_data_in(struct lb_rd *rd, uint8_t flags, uint8_t byte3,
                           struct lb_iscsi_pdu *pdu) {
    pdu->data_in.acknowledge = flags & 0x40;
    pdu->data_in.overflow = flags & 4;
    pdu->data_in.underflow = flags & 2;
    pdu->data_in.has_status = flags & 1;
    pdu->data_in.status = byte3;
    pdu->ttt = lb_rd_u32(rd);
    rd_target_sns(rd, pdu);
    pdu->data_in.data_sn = lb_rd_u32(rd);
    pdu->data_in.buffer_offset = lb_rd_u32(rd);
    pdu->data_in.residual = lb_rd_u32(rd);
}

static void decode_response(struct lb_rd *rd, uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->response.bidi_overflow = flags & 0x10;
    pdu->response.bidi_underflow = flags & 8;
    pdu->response.overflow = flags & 4;
    pdu->response.underflow = flags & 2;
    pdu->response.snack_tag = lb_rd_u32(rd);
    rd_target_sns(rd, pdu);
    pdu->response.exp_data_sn = lb_rd_u32(rd);
    pdu->response.bidi_residual = lb_rd_u32(rd);
    pdu->response.residual = lb_rd_u32(rd);
}

static void decode_snack(struct lb_rd *rd, uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->snack.type = flags & 0x0f;
    pdu->ttt = lb_rd_u32(rd);
    lb_rd_skip(rd, 4);
    pdu->exp_stat_sn = lb_rd_u32(rd);
    lb_rd_skip(rd, 8);
    pdu->snack.beg_run = lb_rd_u32(rd);
    pdu->snack.run_len = lb_rd_u32(rd);
}

static void decode_r2t(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    pdu->ttt = lb_rd_u32(rd);
    rd_target_sns(rd, pdu);
    pdu->r2t.r2t_sn = lb_rd_u32(rd);
    pdu->r2t.buffer_offset = lb_rd_u32(rd);
    pdu->r2t.desired_len = lb_rd_u32(rd);
}

static void decode_async(struct lb_rd *rd, struct lb_iscsi_pdu *pdu) {
    lb_rd_skip(rd, 4);
    rd_target_sns(rd, pdu);
    pdu->async.event = lb_rd_u8(rd);
    pdu->async.vendor_code = lb_rd_u8(rd);
    pdu->async.parameter1 = lb_rd_u16(rd);
    pdu->async.parameter2 = lb_rd_u16(rd);
    pdu->async.parameter3 = lb_rd_u16(rd);
}

static void decode_reject(struct lb_rd *rd, uint8_t byte2, struct lb_iscsi_pdu *pdu) {
    pdu->reject.reason = byte2;
    lb_rd_skip(rd, 4);
    rd_target_sns(rd, pdu);
    pdu->reject.data_sn = lb_rd_u32(rd);
}

static void decode_logout_request(struct lb_rd *rd, uint8_t flags, struct lb_iscsi_pdu *pdu) {
    pdu->logout.reason = flags & 0x7f;
    pdu->logout.cid = lb_rd_u16(rd);
    lb_rd_skip(rd, 2);
    rd_initiator_sns(rd, pdu);
}

static void decode_logout_response(struct lb_rd *rd, uint8_t byte2, struct lb_iscsi_pdu *pdu) {
    pdu->logout_response.response = byte2;
    lb_rd_skip(rd, 4);
    rd_target_sns(rd, pdu);
    lb_rd_skip(rd, 4);
    pdu->logout_response.time2wait_s = lb_rd_u16(rd);
    pdu->logout_response.time2retain_s = lb_rd_u16(rd);
}

/* Bytes 20..47, by opcode, from a cursor at byte 20. False for an unknown opcode. */
static bool decode_rest(struct lb_rd *rd, const uint8_t first[4], struct lb_iscsi_pdu *pdu) {
    uint8_t flags = first[1];
    switch (pdu->opcode) {
    case LB_OP_NOP_OUT:
        pdu->ttt = lb_rd_u32(rd);
        rd_initiator_sns(rd, pdu);
        return true;
    case LB_OP_SCSI_COMMAND:
        decode_command(rd, flags, pdu);
        return true;
    case LB_OP_TMF_REQUEST:
        decode_tmf(rd, flags, pdu);
        return true;
    case LB_OP_LOGIN_REQUEST:
        decode_login_request(rd, pdu);
        return true;
    case LB_OP_TEXT_REQUEST:
        pdu->text.more = flags & 0x40;
        pdu->ttt = lb_rd_u32(rd);
        rd_initiator_sns(rd, pdu);
        return true;
    case LB_OP_DATA_OUT:
        decode_data_out(rd, pdu);
        return true;
    case LB_OP_LOGOUT_REQUEST:
        decode_logout_request(rd, flags, pdu);
        return true;
    case LB_OP_SNACK:
        decode_snack(rd, flags, pdu);
        return true;
    case LB_OP_NOP_IN:
        pdu->ttt = lb_rd_u32(rd);
        rd_target_sns(rd, pdu);
        return true;
    case LB_OP_SCSI_RESPONSE:
        decode_response(rd, flags, pdu);
        pdu->response.response = first[2];
        pdu->response.status = first[3];
        return true;
    case LB_OP_TMF_RESPONSE:
        pdu->tmf_response.response = first[2];
        lb_rd_skip(rd, 4);
        rd_target_sns(rd, pdu);
        return true;
    case LB_OP_LOGIN_RESPONSE:
        decode_login_response(rd, pdu);
        return true;
    case LB_OP_TEXT_RESPONSE:
        pdu->text.more = flags & 0x40;
        pdu->ttt = lb_rd_u32(rd);
        rd_target_sns(rd, pdu);
        return true;
    case LB_OP_DATA_IN:
        decode_data_in(rd, flags, first[3], pdu);
        return true;
    case LB_OP_LOGOUT_RESPONSE:
        decode_logout_response(rd, first[2], pdu);
        return true;
    case LB_OP_R2T:
        decode_r2t(rd, pdu);
        return true;
    case LB_OP_ASYNC:
        decode_async(rd, pdu);
        return true;
    case LB_OP_REJECT:
        decode_reject(rd, first[2], pdu);
        return true;
    }
    return false;
}

bool lb_iscsi_decode(const uint8_t bhs[LB_ISCSI_BHS_BYTES], struct lb_iscsi_pdu *pdu) {
    struct lb_iscsi_pdu got = {0};
    struct lb_rd rd = lb_rd(lb_bytes(bhs, LB_ISCSI_BHS_BYTES));
    uint8_t first[4];
    lb_rd_copy(&rd, first, sizeof first);
    got.opcode = (enum lb_iscsi_opcode)(first[0] & 0x3f);
    got.immediate = first[0] & IMMEDIATE;
    got.final = first[1] & FINAL;
    got.ahs_len = (uint16_t)(lb_rd_u8(&rd) * 4);
    got.data_len = lb_rd_u24(&rd);
    if (is_login(got.opcode)) {
        decode_login_flags(first[1], &got);
        got.login.version_max = first[2];
        got.login.version_min = first[3];
        lb_rd_copy(&rd, got.login.isid, sizeof got.login.isid);
        got.login.tsih = lb_rd_u16(&rd);
    } else if (has_lun(got.opcode)) {
        lb_rd_copy(&rd, got.lun, sizeof got.lun);
    } else {
        lb_rd_skip(&rd, sizeof got.lun);
    }
    got.itt = lb_rd_u32(&rd);
    if (!decode_rest(&rd, first, &got) || !lb_rd_ok(&rd))
        return false;
    *pdu = got;
    return true;
}

void lb_iscsi_lengths(const uint8_t bhs[LB_ISCSI_BHS_BYTES], uint16_t *ahs_len,
                      uint32_t *data_len) {
    struct lb_rd rd = lb_rd(lb_bytes(bhs, LB_ISCSI_BHS_BYTES));
    lb_rd_skip(&rd, 4);
    *ahs_len = (uint16_t)(lb_rd_u8(&rd) * 4);
    *data_len = lb_rd_u24(&rd);
}

/* ---- encode ---- */

static uint8_t bit(bool is_set, uint8_t mask) {
    return is_set ? mask : 0;
}

static void encode_command(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    first[1] |= bit(pdu->command.read, 0x40) | bit(pdu->command.write, 0x20);
    first[1] |= (uint8_t)pdu->command.attr & 7;
    lb_wr_u32(wr, pdu->command.edtl);
    wr_initiator_sns(wr, pdu);
    lb_wr_bytes(wr, lb_bytes(pdu->command.cdb, sizeof pdu->command.cdb));
}

static void encode_tmf(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    first[1] |= pdu->tmf.function & 0x7f;
    lb_wr_u32(wr, pdu->tmf.ref_task_tag);
    wr_initiator_sns(wr, pdu);
    lb_wr_u32(wr, pdu->tmf.ref_cmd_sn);
    lb_wr_u32(wr, pdu->tmf.exp_data_sn);
}

static void encode_login_request(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u16(wr, pdu->login.cid);
    lb_wr_u16(wr, 0);
    wr_initiator_sns(wr, pdu);
}

static void encode_login_response(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, 0);
    wr_target_sns(wr, pdu);
    lb_wr_u8(wr, pdu->login.status_class);
    lb_wr_u8(wr, pdu->login.status_detail);
}

static void encode_data_out(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, pdu->ttt);
    lb_wr_u32(wr, 0);
    lb_wr_u32(wr, pdu->exp_stat_sn);
    lb_wr_u32(wr, 0);
    lb_wr_u32(wr, pdu->data_out.data_sn);
    lb_wr_u32(wr, pdu->data_out.buffer_offset);
}

static void encode_data_in(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    first[1] |= bit(pdu->data_in.acknowledge, 0x40) | bit(pdu->data_in.overflow, 4) |
                bit(pdu->data_in.underflow, 2) | bit(pdu->data_in.has_status, 1);
    first[3] = pdu->data_in.status;
    lb_wr_u32(wr, pdu->ttt);
    wr_target_sns(wr, pdu);
    lb_wr_u32(wr, pdu->data_in.data_sn);
    lb_wr_u32(wr, pdu->data_in.buffer_offset);
    lb_wr_u32(wr, pdu->data_in.residual);
}

static void encode_response(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    first[1] |= bit(pdu->response.bidi_overflow, 0x10) | bit(pdu->response.bidi_underflow, 8) |
                bit(pdu->response.overflow, 4) | bit(pdu->response.underflow, 2);
    first[2] = pdu->response.response;
    first[3] = pdu->response.status;
    lb_wr_u32(wr, pdu->response.snack_tag);
    wr_target_sns(wr, pdu);
    lb_wr_u32(wr, pdu->response.exp_data_sn);
    lb_wr_u32(wr, pdu->response.bidi_residual);
    lb_wr_u32(wr, pdu->response.residual);
}

static void encode_snack(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    first[1] |= pdu->snack.type & 0x0f;
    lb_wr_u32(wr, pdu->ttt);
    lb_wr_u32(wr, 0);
    lb_wr_u32(wr, pdu->exp_stat_sn);
    lb_wr_zero(wr, 8);
    lb_wr_u32(wr, pdu->snack.beg_run);
    lb_wr_u32(wr, pdu->snack.run_len);
}

static void encode_r2t(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, pdu->ttt);
    wr_target_sns(wr, pdu);
    lb_wr_u32(wr, pdu->r2t.r2t_sn);
    lb_wr_u32(wr, pdu->r2t.buffer_offset);
    lb_wr_u32(wr, pdu->r2t.desired_len);
}

static void encode_async(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, 0);
    wr_target_sns(wr, pdu);
    lb_wr_u8(wr, pdu->async.event);
    lb_wr_u8(wr, pdu->async.vendor_code);
    lb_wr_u16(wr, pdu->async.parameter1);
    lb_wr_u16(wr, pdu->async.parameter2);
    lb_wr_u16(wr, pdu->async.parameter3);
}

static void encode_logout_request(struct lb_wr *wr, uint8_t first[4],
                                  const struct lb_iscsi_pdu *pdu) {
    first[1] |= pdu->logout.reason & 0x7f;
    lb_wr_u16(wr, pdu->logout.cid);
    lb_wr_u16(wr, 0);
    wr_initiator_sns(wr, pdu);
}

static void encode_logout_response(struct lb_wr *wr, const struct lb_iscsi_pdu *pdu) {
    lb_wr_u32(wr, 0);
    wr_target_sns(wr, pdu);
    lb_wr_u32(wr, 0);
    lb_wr_u16(wr, pdu->logout_response.time2wait_s);
    lb_wr_u16(wr, pdu->logout_response.time2retain_s);
}

static void encode_rest(struct lb_wr *wr, uint8_t first[4], const struct lb_iscsi_pdu *pdu) {
    switch (pdu->opcode) {
    case LB_OP_TEXT_REQUEST:
        first[1] |= bit(pdu->text.more, 0x40);
        lb_wr_u32(wr, pdu->ttt);
        wr_initiator_sns(wr, pdu);
        return;
    case LB_OP_NOP_OUT:
        lb_wr_u32(wr, pdu->ttt);
        wr_initiator_sns(wr, pdu);
        return;
    case LB_OP_SCSI_COMMAND:
        encode_command(wr, first, pdu);
        return;
    case LB_OP_TMF_REQUEST:
        encode_tmf(wr, first, pdu);
        return;
    case LB_OP_LOGIN_REQUEST:
        encode_login_request(wr, pdu);
        return;
    case LB_OP_DATA_OUT:
        encode_data_out(wr, pdu);
        return;
    case LB_OP_LOGOUT_REQUEST:
        encode_logout_request(wr, first, pdu);
        return;
    case LB_OP_SNACK:
        encode_snack(wr, first, pdu);
        return;
    case LB_OP_TEXT_RESPONSE:
        first[1] |= bit(pdu->text.more, 0x40);
        lb_wr_u32(wr, pdu->ttt);
        wr_target_sns(wr, pdu);
        return;
    case LB_OP_NOP_IN:
        lb_wr_u32(wr, pdu->ttt);
        wr_target_sns(wr, pdu);
        return;
    case LB_OP_SCSI_RESPONSE:
        encode_response(wr, first, pdu);
        return;
    case LB_OP_TMF_RESPONSE:
        first[2] = pdu->tmf_response.response;
        lb_wr_u32(wr, 0);
        wr_target_sns(wr, pdu);
        return;
    case LB_OP_LOGIN_RESPONSE:
        encode_login_response(wr, pdu);
        return;
    case LB_OP_DATA_IN:
        encode_data_in(wr, first, pdu);
        return;
    case LB_OP_LOGOUT_RESPONSE:
        first[2] = pdu->logout_response.response;
        encode_logout_response(wr, pdu);
        return;
    case LB_OP_R2T:
        encode_r2t(wr, pdu);
        return;
    case LB_OP_ASYNC:
        encode_async(wr, pdu);
        return;
    case LB_OP_REJECT:
        first[2] = pdu->reject.reason;
        lb_wr_u32(wr, 0);
        wr_target_sns(wr, pdu);
        lb_wr_u32(wr, pdu->reject.data_sn);
        return;
    }
}

void lb_iscsi_encode(const struct lb_iscsi_pdu *pdu, uint8_t bhs[LB_ISCSI_BHS_BYTES]) {
    struct lb_wr wr = lb_wr(lb_span(bhs, LB_ISCSI_BHS_BYTES));
    uint8_t first[4] = {(uint8_t)pdu->opcode | bit(pdu->immediate, IMMEDIATE),
                        bit(pdu->final, FINAL), 0, 0};
    lb_assert(pdu->data_len < 1u << 24 && pdu->ahs_len <= 1020 && pdu->ahs_len % 4 == 0);
    lb_wr_u32(&wr, 0); /* `first` goes here at the end */
    lb_wr_u8(&wr, (uint8_t)(pdu->ahs_len / 4));
    lb_wr_u24(&wr, pdu->data_len);
    if (is_login(pdu->opcode)) {
        first[1] |= (uint8_t)(bit(pdu->login.more, 0x40) | (pdu->login.csg & 3) << 2 |
                              (pdu->login.nsg & 3));
        first[2] = pdu->login.version_max;
        first[3] = pdu->login.version_min;
        lb_wr_bytes(&wr, lb_bytes(pdu->login.isid, sizeof pdu->login.isid));
        lb_wr_u16(&wr, pdu->login.tsih);
    } else if (has_lun(pdu->opcode)) {
        lb_wr_bytes(&wr, lb_bytes(pdu->lun, sizeof pdu->lun));
    } else {
        lb_wr_zero(&wr, sizeof pdu->lun);
    }
    lb_wr_u32(&wr, pdu->itt);
    encode_rest(&wr, first, pdu);
    lb_wr_zero(&wr, LB_ISCSI_BHS_BYTES - wr.len);
    memcpy(bhs, first, sizeof first);
    lb_assert(lb_wr_ok(&wr));
}

/* ---- words ---- */

const char *lb_iscsi_opcode_word(unsigned opcode) {
    switch ((enum lb_iscsi_opcode)opcode) {
    case LB_OP_NOP_OUT:
        return "NOP-Out";
    case LB_OP_SCSI_COMMAND:
        return "SCSI Command";
    case LB_OP_TMF_REQUEST:
        return "Task Management Request";
    case LB_OP_LOGIN_REQUEST:
        return "Login Request";
    case LB_OP_TEXT_REQUEST:
        return "Text Request";
    case LB_OP_DATA_OUT:
        return "Data-Out";
    case LB_OP_LOGOUT_REQUEST:
        return "Logout Request";
    case LB_OP_SNACK:
        return "SNACK";
    case LB_OP_NOP_IN:
        return "NOP-In";
    case LB_OP_SCSI_RESPONSE:
        return "SCSI Response";
    case LB_OP_TMF_RESPONSE:
        return "Task Management Response";
    case LB_OP_LOGIN_RESPONSE:
        return "Login Response";
    case LB_OP_TEXT_RESPONSE:
        return "Text Response";
    case LB_OP_DATA_IN:
        return "Data-In";
    case LB_OP_LOGOUT_RESPONSE:
        return "Logout Response";
    case LB_OP_R2T:
        return "R2T";
    case LB_OP_ASYNC:
        return "Async Message";
    case LB_OP_REJECT:
        return "Reject";
    }
    return "unknown PDU";
}

const char *lb_iscsi_login_status_word(unsigned status) {
    switch ((enum lb_iscsi_login_status)status) {
    case LB_LOGIN_OK:
        return "success";
    case LB_LOGIN_MOVED_TEMPORARILY:
        return "target moved temporarily";
    case LB_LOGIN_MOVED_PERMANENTLY:
        return "target moved permanently";
    case LB_LOGIN_INITIATOR_ERROR:
        return "initiator error";
    case LB_LOGIN_AUTH_FAILED:
        return "authentication failure";
    case LB_LOGIN_NOT_AUTHORISED:
        return "authorization failure";
    case LB_LOGIN_NOT_FOUND:
        return "target not found";
    case LB_LOGIN_REMOVED:
        return "target removed";
    case LB_LOGIN_VERSION:
        return "unsupported version";
    case LB_LOGIN_TOO_MANY_CONNECTIONS:
        return "too many connections";
    case LB_LOGIN_MISSING_PARAMETER:
        return "missing parameter";
    case LB_LOGIN_CANNOT_INCLUDE:
        return "cannot include in session";
    case LB_LOGIN_SESSION_TYPE:
        return "session type not supported";
    case LB_LOGIN_NO_SESSION:
        return "session does not exist";
    case LB_LOGIN_INVALID_DURING_LOGIN:
        return "invalid request during login";
    case LB_LOGIN_TARGET_ERROR:
        return "target error";
    case LB_LOGIN_UNAVAILABLE:
        return "service unavailable";
    case LB_LOGIN_NO_RESOURCES:
        return "out of resources";
    }
    return "unknown status";
}

const char *lb_iscsi_reject_word(unsigned reason) {
    switch ((enum lb_iscsi_reject_reason)reason) {
    case LB_REJECT_DATA_DIGEST:
        return "data digest error";
    case LB_REJECT_SNACK:
        return "SNACK reject";
    case LB_REJECT_PROTOCOL:
        return "protocol error";
    case LB_REJECT_NOT_SUPPORTED:
        return "command not supported";
    case LB_REJECT_IMMEDIATE:
        return "too many immediate commands";
    case LB_REJECT_IN_PROGRESS:
        return "task in progress";
    case LB_REJECT_INVALID_ACK:
        return "invalid data acknowledgement";
    case LB_REJECT_FIELD:
        return "invalid PDU field";
    case LB_REJECT_RESOURCES:
        return "out of resources";
    case LB_REJECT_NEGOTIATION:
        return "negotiation reset";
    case LB_REJECT_WAITING_LOGOUT:
        return "waiting for logout";
    }
    return "unknown reason";
}
