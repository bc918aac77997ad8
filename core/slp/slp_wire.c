/* SLP messages to and from bytes: RFC 2608 5, 8 to 11. */
#include "core/slp/slp_wire.h"

#define VERSION         2
#define LENGTH_AT       2
#define EXTENSION_BYTES 5 /* id and the offset of the next one */
#define AUTH_BYTES_MIN  10
#define MANDATORY_FIRST 0x4000 /* RFC 2608 9.1 */
#define MANDATORY_LAST  0x7fff
#define ENTRY_BYTES     6 /* without its URL and authentication blocks */

const char *lb_slp_function_word(unsigned function) {
    static const char *const words[] = {
        [LB_SLP_SRV_RQST] = "SrvRqst",
        [LB_SLP_SRV_RPLY] = "SrvRply",
        [LB_SLP_SRV_REG] = "SrvReg",
        [LB_SLP_SRV_DEREG] = "SrvDeReg",
        [LB_SLP_SRV_ACK] = "SrvAck",
        [LB_SLP_ATTR_RQST] = "AttrRqst",
        [LB_SLP_ATTR_RPLY] = "AttrRply",
        [LB_SLP_DA_ADVERT] = "DAAdvert",
        [LB_SLP_SRV_TYPE_RQST] = "SrvTypeRqst",
        [LB_SLP_SRV_TYPE_RPLY] = "SrvTypeRply",
        [LB_SLP_SA_ADVERT] = "SAAdvert",
    };
    return function > 0 && function < LB_COUNT(words) ? words[function] : "unknown";
}

const char *lb_slp_code_word(unsigned code) {
    static const char *const words[] = {
        [LB_SLP_OK] = "OK",
        [LB_SLP_LANGUAGE_NOT_SUPPORTED] = "LANGUAGE_NOT_SUPPORTED",
        [LB_SLP_PARSE_ERROR] = "PARSE_ERROR",
        [LB_SLP_INVALID_REGISTRATION] = "INVALID_REGISTRATION",
        [LB_SLP_SCOPE_NOT_SUPPORTED] = "SCOPE_NOT_SUPPORTED",
        [LB_SLP_AUTHENTICATION_UNKNOWN] = "AUTHENTICATION_UNKNOWN",
        [LB_SLP_AUTHENTICATION_ABSENT] = "AUTHENTICATION_ABSENT",
        [LB_SLP_AUTHENTICATION_FAILED] = "AUTHENTICATION_FAILED",
        [LB_SLP_VERSION_NOT_SUPPORTED] = "VER_NOT_SUPPORTED",
        [LB_SLP_INTERNAL_ERROR] = "INTERNAL_ERROR",
        [LB_SLP_BUSY] = "DA_BUSY_NOW",
        [LB_SLP_OPTION_NOT_UNDERSTOOD] = "OPTION_NOT_UNDERSTOOD",
        [LB_SLP_INVALID_UPDATE] = "INVALID_UPDATE",
        [LB_SLP_MESSAGE_NOT_SUPPORTED] = "MSG_NOT_SUPPORTED",
        [LB_SLP_REFRESH_REJECTED] = "REFRESH_REJECTED",
    };
    return code < LB_COUNT(words) && words[code] ? words[code] : "unknown error";
}

/* ---- decoding ---- */

static enum lb_slp_peek bad(const char **why, const char *phrase) {
    *why = phrase;
    return LB_SLP_PEEK_BAD;
}

enum lb_slp_peek lb_slp_peek(struct lb_bytes start, struct lb_slp_header *header,
                             const char **why) {
    struct lb_rd rd = lb_rd(start);
    struct lb_slp_header h = {0};
    if (start.len > 0 && start.p[0] != VERSION)
        return bad(why, "not SLP version 2");
    lb_rd_skip(&rd, 1);
    h.function = lb_rd_u8(&rd);
    h.length = lb_rd_u24(&rd);
    h.flags = lb_rd_u16(&rd);
    h.extension = lb_rd_u24(&rd);
    h.xid = lb_rd_u16(&rd);
    uint16_t language_len = lb_rd_u16(&rd);
    if (!lb_rd_ok(&rd))
        return LB_SLP_PEEK_MORE;
    size_t header_bytes = LB_SLP_HEADER_BYTES + (size_t)language_len;
    if (language_len > LB_SLP_LANGUAGE_MAX)
        return bad(why, "language tag too long");
    if (h.length < header_bytes)
        return bad(why, "length shorter than the header");
    if (h.extension != 0 && (h.extension < header_bytes || h.extension >= h.length))
        return bad(why, "extension out of the message");
    h.language = lb_rd_bytes(&rd, language_len);
    if (!lb_rd_ok(&rd))
        return LB_SLP_PEEK_MORE;
    *header = h;
    return LB_SLP_PEEK_GOOD;
}

/* Whether the chain of extensions is whole: each lies behind the one before it. */
static bool check_extensions(struct lb_bytes message, struct lb_slp_header *header) {
    uint32_t at = header->extension;
    while (at != 0) {
        struct lb_rd rd = lb_rd(lb_bytes_after(message, at));
        uint16_t id = lb_rd_u16(&rd);
        uint32_t next = lb_rd_u24(&rd);
        bool goes_on = next >= at + EXTENSION_BYTES && next < message.len;
        if (!lb_rd_ok(&rd) || (next != 0 && !goes_on))
            return false;
        if (id >= MANDATORY_FIRST && id <= MANDATORY_LAST)
            header->must_understand = true;
        at = next;
    }
    return true;
}

bool lb_slp_decode(struct lb_bytes message, struct lb_slp_header *header, struct lb_bytes *body,
                   const char **why) {
    struct lb_slp_header h;
    enum lb_slp_peek peek = lb_slp_peek(message, &h, why);
    if (peek != LB_SLP_PEEK_GOOD) {
        if (peek == LB_SLP_PEEK_MORE)
            *why = "too short for a header";
        return false;
    }
    if (h.length != message.len) {
        *why = "not as long as it says";
        return false;
    }
    if (!check_extensions(message, &h)) {
        *why = "a broken chain of extensions";
        return false;
    }
    size_t start = LB_SLP_HEADER_BYTES + h.language.len;
    size_t end = h.extension ? h.extension : message.len;
    *body = lb_bytes(message.p + start, end - start);
    *header = h;
    return true;
}

static struct lb_bytes rd_string(struct lb_rd *rd) {
    return lb_rd_bytes(rd, lb_rd_u16(rd));
}

/* A string that has to be UTF-8; the cursor goes bad where it is not. */
static struct lb_bytes rd_text(struct lb_rd *rd) {
    struct lb_bytes string = rd_string(rd);
    if (!lb_utf8_is_valid(string))
        lb_rd_skip(rd, SIZE_MAX);
    return string;
}

/* RFC 2608 9.2: passed over by their length. */
static void rd_auths(struct lb_rd *rd) {
    unsigned count = lb_rd_u8(rd);
    for (unsigned i = 0; i < count && lb_rd_ok(rd); i++) {
        lb_rd_skip(rd, 2);
        uint16_t len = lb_rd_u16(rd);
        lb_rd_skip(rd, len < AUTH_BYTES_MIN ? SIZE_MAX : len - 4u);
    }
}

struct lb_slp_entry lb_slp_rd_entry(struct lb_rd *rd) {
    struct lb_slp_entry entry = {0};
    lb_rd_skip(rd, 1);
    entry.lifetime_s = lb_rd_u16(rd);
    entry.url = rd_string(rd);
    rd_auths(rd);
    return entry;
}

bool lb_slp_decode_request(struct lb_bytes body, struct lb_slp_request *request) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_request r = {
        .responders = rd_text(&rd),
    };
    r.type = rd_text(&rd);
    r.scopes = rd_text(&rd);
    r.predicate = rd_text(&rd);
    r.spi = rd_text(&rd);
    if (!lb_rd_done(&rd))
        return false;
    *request = r;
    return true;
}

bool lb_slp_decode_da_advert(struct lb_bytes body, struct lb_slp_da_advert *advert) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_da_advert a = {.error = lb_rd_u16(&rd)};
    if (a.error != 0 && lb_rd_ok(&rd)) {
        *advert = a; /* RFC 2608 7: the rest may be missing */
        return true;
    }
    a.boot_s = lb_rd_u32(&rd);
    a.url = rd_text(&rd);
    a.scopes = rd_text(&rd);
    a.attributes = rd_text(&rd);
    a.spis = rd_text(&rd);
    rd_auths(&rd);
    if (!lb_rd_done(&rd))
        return false;
    *advert = a;
    return true;
}

bool lb_slp_decode_sa_advert(struct lb_bytes body, struct lb_slp_sa_advert *advert) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_sa_advert a = {.url = rd_text(&rd)};
    a.scopes = rd_text(&rd);
    a.attributes = rd_text(&rd);
    rd_auths(&rd);
    if (!lb_rd_done(&rd))
        return false;
    *advert = a;
    return true;
}

bool lb_slp_decode_attr_reply(struct lb_bytes body, struct lb_slp_attr_reply *reply) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_attr_reply r = {.error = lb_rd_u16(&rd)};
    if (r.error != 0 && lb_rd_ok(&rd)) {
        *reply = r;
        return true;
    }
    r.attributes = rd_text(&rd);
    rd_auths(&rd);
    if (!lb_rd_done(&rd))
        return false;
    *reply = r;
    return true;
}

bool lb_slp_decode_reg(struct lb_bytes body, struct lb_slp_reg *reg) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_reg r = {.entry = lb_slp_rd_entry(&rd)};
    r.type = rd_text(&rd);
    r.scopes = rd_text(&rd);
    r.attributes = rd_text(&rd);
    rd_auths(&rd);
    if (!lb_rd_done(&rd) || !lb_utf8_is_valid(r.entry.url))
        return false;
    *reg = r;
    return true;
}

bool lb_slp_decode_dereg(struct lb_bytes body, struct lb_slp_reg *reg) {
    struct lb_rd rd = lb_rd(body);
    struct lb_slp_reg r = {.scopes = rd_text(&rd)};
    r.entry = lb_slp_rd_entry(&rd);
    r.attributes = rd_text(&rd);
    if (!lb_rd_done(&rd) || !lb_utf8_is_valid(r.entry.url))
        return false;
    *reg = r;
    return true;
}

bool lb_slp_decode_ack(struct lb_bytes body, uint16_t *error) {
    struct lb_rd rd = lb_rd(body);
    uint16_t code = lb_rd_u16(&rd);
    if (!lb_rd_ok(&rd) || (code == LB_SLP_OK && !lb_rd_done(&rd)))
        return false;
    *error = code;
    return true;
}

/* ---- encoding ---- */

void lb_slp_begin(struct lb_wr *wr, enum lb_slp_function function, unsigned flags, uint16_t xid,
                  struct lb_bytes language) {
    lb_wr_u8(wr, VERSION);
    lb_wr_u8(wr, (uint8_t)function);
    lb_wr_u24(wr, 0); /* lb_slp_finish */
    lb_wr_u16(wr, (uint16_t)flags);
    lb_wr_u24(wr, 0);
    lb_wr_u16(wr, xid);
    lb_slp_put(wr, language);
}

struct lb_bytes lb_slp_finish(struct lb_wr *wr) {
    lb_wr_u8_at(wr, LENGTH_AT, (uint8_t)(wr->len >> 16));
    lb_wr_u16_at(wr, LENGTH_AT + 1, (uint16_t)wr->len);
    return lb_wr_done(wr);
}

void lb_slp_put(struct lb_wr *wr, struct lb_bytes string) {
    if (string.len > UINT16_MAX) {
        wr->bad = true;
        return;
    }
    lb_wr_u16(wr, (uint16_t)string.len);
    lb_wr_bytes(wr, string);
}

void lb_slp_put_text(struct lb_wr *wr, const char *text) {
    lb_slp_put(wr, lb_bytes_of_text(text));
}

void lb_slp_put_request(struct lb_wr *wr, const struct lb_slp_request *request) {
    lb_slp_put(wr, request->responders);
    lb_slp_put(wr, request->type);
    lb_slp_put(wr, request->scopes);
    lb_slp_put(wr, request->predicate);
    lb_slp_put(wr, request->spi);
}

void lb_slp_put_entry(struct lb_wr *wr, uint16_t lifetime_s, struct lb_bytes url) {
    lb_wr_u8(wr, 0);
    lb_wr_u16(wr, lifetime_s);
    lb_slp_put(wr, url);
    lb_wr_u8(wr, 0);
}

size_t lb_slp_entry_bytes(struct lb_bytes url) {
    return ENTRY_BYTES + url.len;
}
