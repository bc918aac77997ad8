#include "core/dns/dns_wire.h"

#define HEADER_BYTES 12
#define CLASS_IN     1

enum { /* bits of the header's flags: RFC 1035 4.1.1 */
       FLAG_RESPONSE = 0x8000,
       FLAG_OPCODE = 0x7800,
       FLAG_AUTHORITATIVE = 0x0400,
       FLAG_TRUNCATED = 0x0200,
       FLAG_RECURSION_DESIRED = 0x0100,
       FLAG_RECURSION_AVAILABLE = 0x0080,
       FLAG_RCODE = 0x000f,
};

/* ---- names ---- */

static struct lb_bytes without_dot(const char *name) {
    struct lb_bytes bytes = lb_bytes_of_text(name);
    if (bytes.len > 0 && bytes.p[bytes.len - 1] == '.')
        bytes.len--;
    return bytes;
}

static bool label_is_valid(struct lb_bytes label) {
    if (label.len == 0 || label.len > LB_DNS_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (label.p[i] <= ' ' || label.p[i] >= 0x7f)
            return false;
    return true;
}

/* The label before the first dot, taken off *name. */
static struct lb_bytes next_label(struct lb_bytes *name) {
    struct lb_bytes label = {name->p, 0};
    while (label.len < name->len && name->p[label.len] != '.')
        label.len++;
    *name = lb_bytes_after(*name, LB_MIN(label.len + 1, name->len));
    return label;
}

bool lb_dns_name_is_valid(const char *name) {
    struct lb_bytes rest = without_dot(name);
    if (rest.len == 0 || rest.len > LB_DNS_NAME_MAX || rest.p[rest.len - 1] == '.')
        return false;
    while (rest.len > 0)
        if (!label_is_valid(next_label(&rest)))
            return false;
    return true;
}

bool lb_dns_name_equal(const char *a, const char *b) {
    struct lb_bytes left = without_dot(a), right = without_dot(b);
    if (left.len != right.len)
        return false;
    for (size_t i = 0; i < left.len; i++)
        if (lb_ascii_lower(left.p[i]) != lb_ascii_lower(right.p[i]))
            return false;
    return true;
}

static void write_name(struct lb_wr *wr, const char *name) {
    struct lb_bytes rest = without_dot(name);
    while (rest.len > 0) {
        struct lb_bytes label = next_label(&rest);
        lb_wr_u8(wr, (uint8_t)label.len);
        lb_wr_bytes(wr, label);
    }
    lb_wr_u8(wr, 0);
}

/* Adds a label to the text. A byte that no host name has becomes `?`, which equals nothing that we
 * ask for. */
static bool add_label(struct lb_text *text, struct lb_bytes label) {
    if (text->len > 0)
        lb_text_add(text, ".");
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.p[i];
        lb_text_add(text, "%c", c <= ' ' || c >= 0x7f || c == '.' ? '?' : c);
    }
    return !text->cut;
}

/* RFC 1035 4.1.4: a pointer leads to an earlier place, so that each one followed is further to the
 * front, and the reading ends. */
static bool follow(struct lb_bytes whole, size_t *before, uint16_t pointer, struct lb_rd *rd) {
    size_t offset = pointer & 0x3fff;
    if (offset >= *before)
        return false;
    *before = offset;
    *rd = lb_rd(lb_bytes_after(whole, offset));
    return true;
}

/* Reads the name at the cursor, which then stands behind it. */
static bool read_name(struct lb_bytes whole, struct lb_rd *at, char name[LB_DNS_NAME_MAX + 1]) {
    struct lb_text text = lb_text(name, LB_DNS_NAME_MAX + 1);
    struct lb_rd jumped, *rd = at;
    size_t before = (size_t)(at->at - whole.p);
    for (;;) {
        uint8_t len = lb_rd_u8(rd);
        if (!lb_rd_ok(rd))
            return false;
        if (len == 0)
            return true;
        if (len >= 0xc0) {
            uint16_t pointer = (uint16_t)(len << 8 | lb_rd_u8(rd));
            if (!lb_rd_ok(rd) || !follow(whole, &before, pointer, &jumped))
                return false;
            rd = &jumped;
        } else if (len > LB_DNS_LABEL_MAX || !add_label(&text, lb_rd_bytes(rd, len))) {
            return false;
        }
    }
}

/* ---- messages ---- */

struct lb_bytes lb_dns_query_encode(uint16_t id, const char *name, enum lb_dns_type type,
                                    struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    if (!lb_dns_name_is_valid(name))
        return (struct lb_bytes){0};
    lb_wr_u16(&wr, id);
    lb_wr_u16(&wr, FLAG_RECURSION_DESIRED);
    lb_wr_u16(&wr, 1); /* questions; no answers, authorities, additional records */
    lb_wr_zero(&wr, 6);
    write_name(&wr, name);
    lb_wr_u16(&wr, (uint16_t)type);
    lb_wr_u16(&wr, CLASS_IN);
    return lb_wr_done(&wr);
}

static void take_flags(struct lb_dns_message *message, uint16_t flags) {
    message->is_response = flags & FLAG_RESPONSE;
    message->is_query_opcode = (flags & FLAG_OPCODE) == 0;
    message->is_authoritative = flags & FLAG_AUTHORITATIVE;
    message->is_truncated = flags & FLAG_TRUNCATED;
    message->recursion_available = flags & FLAG_RECURSION_AVAILABLE;
    message->rcode = flags & FLAG_RCODE;
}

static bool read_question(struct lb_rd *rd, struct lb_dns_message *message) {
    if (!read_name(message->whole, rd, message->name))
        return false;
    message->type = lb_rd_u16(rd);
    message->class_ = lb_rd_u16(rd);
    return lb_rd_ok(rd) && message->class_ == CLASS_IN;
}

bool lb_dns_decode(struct lb_bytes bytes, struct lb_dns_message *message) {
    struct lb_dns_message decoded = {.whole = bytes};
    struct lb_rd rd = lb_rd(bytes);
    decoded.id = lb_rd_u16(&rd);
    take_flags(&decoded, lb_rd_u16(&rd));
    uint16_t questions = lb_rd_u16(&rd);
    decoded.answer_count = lb_rd_u16(&rd);
    lb_rd_skip(&rd, 4);
    if (!lb_rd_ok(&rd) || questions > 1 ||
        (questions == 0 && decoded.rcode == LB_DNS_NOERROR)) /* a failure may repeat nothing */
        return false;
    if (questions == 1 && !read_question(&rd, &decoded))
        return false;
    decoded.answers_at = bytes.len - rd.left;
    *message = decoded;
    return true;
}

/* ---- answers ---- */

struct record {
    char owner[LB_DNS_NAME_MAX + 1];
    unsigned type;
    struct lb_bytes data;
};

static bool next_record(const struct lb_dns_message *message, struct lb_rd *rd,
                        struct record *record) {
    if (!read_name(message->whole, rd, record->owner))
        return false;
    record->type = lb_rd_u16(rd);
    uint16_t class_ = lb_rd_u16(rd);
    lb_rd_skip(rd, 4); /* how long it may be kept */
    record->data = lb_rd_bytes(rd, lb_rd_u16(rd));
    if (class_ != CLASS_IN)
        record->type = 0;
    return lb_rd_ok(rd);
}

static void take_address(struct lb_dns_answer *answer, unsigned type, struct lb_bytes data) {
    struct lb_rd rd = lb_rd(data);
    struct lb_addr addr = type == LB_DNS_A ? lb_rd_v4(&rd) : lb_rd_v6(&rd);
    if (lb_rd_done(&rd) && answer->addr_count < LB_COUNT(answer->addrs))
        answer->addrs[answer->addr_count++] = addr;
}

/* Takes the addresses of `name`. True: it is an alias, and answer->alias is what for. */
static bool read_records_of(const struct lb_dns_message *message, const char *name,
                            struct lb_dns_answer *answer) {
    struct lb_rd rd = lb_rd(lb_bytes_after(message->whole, message->answers_at));
    struct record record;
    bool is_alias = false;
    for (unsigned i = 0; i < message->answer_count && next_record(message, &rd, &record); i++) {
        if (!lb_dns_name_equal(record.owner, name))
            continue;
        if (record.type == message->type && record.type != LB_DNS_CNAME)
            take_address(answer, record.type, record.data);
        struct lb_rd target = lb_rd(record.data);
        if (record.type == LB_DNS_CNAME &&
            read_name(message->whole, &target, answer->alias)) /* may point back into the whole */
            is_alias = true;
    }
    return is_alias && answer->addr_count == 0;
}

static enum lb_dns_verdict read_answers(const struct lb_dns_message *message,
                                        struct lb_dns_answer *answer) {
    char name[LB_DNS_NAME_MAX + 1]; /* whose addresses are looked for: at first the question's */
    memcpy(name, message->name, sizeof name);
    for (unsigned aliases = 0; read_records_of(message, name, answer); aliases++) {
        if (aliases == LB_DNS_ALIASES_MAX || !lb_dns_name_is_valid(answer->alias))
            return LB_DNS_EMPTY;
        memcpy(name, answer->alias, sizeof name);
    }
    memcpy(answer->alias, name, sizeof name);
    if (answer->addr_count > 0)
        return LB_DNS_FOUND;
    return lb_dns_name_equal(name, message->name) ? LB_DNS_EMPTY : LB_DNS_ALIAS;
}

/* A server that neither knows nor asks others answers with nothing at all, or with whom else to ask
 * (a referral). That is no statement about the name. */
static bool is_referral(const struct lb_dns_message *message, enum lb_dns_verdict verdict) {
    return verdict == LB_DNS_EMPTY && !message->recursion_available && !message->is_authoritative;
}

void lb_dns_answer_read(const struct lb_dns_message *message, struct lb_dns_answer *answer) {
    *answer = (struct lb_dns_answer){.verdict = LB_DNS_NO_ANSWER};
    if (message->rcode == LB_DNS_NXDOMAIN && message->name[0] != '\0') {
        answer->verdict = LB_DNS_NO_NAME;
    } else if (message->rcode == LB_DNS_NOERROR) {
        answer->verdict = read_answers(message, answer);
        if (message->is_truncated)
            answer->verdict = LB_DNS_CUT;
        else if (is_referral(message, answer->verdict))
            answer->verdict = LB_DNS_NO_ANSWER;
    }
}
