/* TFTP requests and errors: RFC 1350 5, RFC 2347. */
#include "core/tftp/tftp.h"

#define OPTIONS_MAX 16 /* that are looked at; there are four that mean something */

/* The next text, up to its NUL; false when there is no NUL. */
static bool next_text(struct lb_rd *rd, struct lb_bytes *text) {
    for (size_t i = 0; i < rd->left; i++) {
        if (rd->at[i] == 0) {
            *text = lb_rd_bytes(rd, i);
            lb_rd_skip(rd, 1);
            return true;
        }
    }
    return false;
}

/* Option names are compared without regard to case: RFC 2347. */
static bool is_word(struct lb_bytes text, const char *lower) {
    return text.len == lb_strlen(lower) && lb_text_begins(text, lower);
}

static uint32_t number(struct lb_bytes text, uint32_t least, uint32_t most) {
    uint64_t value;
    return lb_parse_u64(text, most, &value) && value >= least ? (uint32_t)value : 0;
}

static void take_option(struct lb_tftp_request *request, struct lb_bytes name,
                        struct lb_bytes value) {
    if (is_word(name, "blksize"))
        request->block_bytes = number(value, LB_TFTP_BLOCK_MIN, UINT16_MAX);
    else if (is_word(name, "windowsize"))
        request->window = number(value, 1, UINT16_MAX);
    else if (is_word(name, "timeout"))
        request->timeout_s = number(value, 1, 255);
    else if (is_word(name, "tsize"))
        request->asks_size = true;
}

bool lb_tftp_decode_request(struct lb_bytes payload, struct lb_tftp_request *request,
                            const char **why) {
    struct lb_rd rd = lb_rd(payload);
    uint16_t op = lb_rd_u16(&rd);
    struct lb_tftp_request got = {.is_write = op == LB_TFTP_WRQ};
    struct lb_bytes mode, name, value;
    *why = "neither a read request nor a write request";
    if (!lb_rd_ok(&rd) || (op != LB_TFTP_RRQ && op != LB_TFTP_WRQ))
        return false;
    *why = "a request without a file name and a mode";
    if (!next_text(&rd, &got.name) || got.name.len == 0 || !next_text(&rd, &mode))
        return false;
    got.is_octet = is_word(mode, "octet");
    for (unsigned i = 0; i < OPTIONS_MAX && next_text(&rd, &name) && next_text(&rd, &value); i++)
        take_option(&got, name, value);
    *request = got;
    return true;
}

struct lb_bytes lb_tftp_encode_error(enum lb_tftp_code code, const char *text,
                                     struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    lb_wr_u16(&wr, LB_TFTP_ERROR);
    lb_wr_u16(&wr, (uint16_t)code);
    lb_wr_text(&wr, text);
    lb_wr_u8(&wr, 0);
    return lb_wr_done(&wr);
}
