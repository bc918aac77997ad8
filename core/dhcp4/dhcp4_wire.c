/* DHCPv4 messages to and from bytes.
 *
 * A message has up to three fields with options, read and written in this order (RFC 3396 5): the
 * options themselves, then `file`, then `sname`, the latter two when option 52 says so. */
#include "core/dhcp4/dhcp4_wire.h"

#define LINK_SELECTION 5 /* RFC 3527 3 */
#define MAGIC_COOKIE   0x63825363
#define SNAME_AT       44
#define FILE_AT        108
#define FIELDS         3
#define VALUE_MAX      255
#define OVERLOAD_LEN   3 /* option 52 with its code and length */
#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2
#define ABSENT         UINT16_MAX

const char *lb_dhcp4_type_word(unsigned type) {
    static const char *const words[] = {
        [LB_DHCP4_BOOTP] = "BOOTP",     [LB_DHCP4_DISCOVER] = "DISCOVER",
        [LB_DHCP4_OFFER] = "OFFER",     [LB_DHCP4_REQUEST] = "REQUEST",
        [LB_DHCP4_DECLINE] = "DECLINE", [LB_DHCP4_ACK] = "ACK",
        [LB_DHCP4_NAK] = "NAK",         [LB_DHCP4_RELEASE] = "RELEASE",
        [LB_DHCP4_INFORM] = "INFORM",   [LB_DHCP4_FORCERENEW] = "FORCERENEW",
    };
    return type < LB_COUNT(words) ? words[type] : "unknown";
}

/* ---- decoding ---- */

/* The fields of a message that hold options. */
struct fields {
    struct lb_bytes bytes[FIELDS];
    size_t count;
    unsigned overload; /* the value of option 52 */
    bool is_cut;       /* an option runs past the end of one */
    uint8_t cut_code;  /* the first of them */
};

/* The next option of a field; false at its end. The cursor goes bad where an option runs past
 * it. */
static bool next_option(struct lb_rd *rd, uint8_t *code, struct lb_bytes *value) {
    do {
        if (rd->left == 0)
            return false; /* RFC 2132 3.2 wants an `end`; its absence harms nobody */
        *code = lb_rd_u8(rd);
    } while (*code == LB_OPT_PAD);
    if (*code == LB_OPT_END)
        return false;
    *value = lb_rd_bytes(rd, lb_rd_u8(rd));
    return lb_rd_ok(rd);
}

/* Whether all options of a field are whole; keeps the value of option 52. */
static void check_field(struct fields *fields, size_t at, unsigned *overload) {
    struct lb_rd rd = lb_rd(fields->bytes[at]);
    struct lb_bytes value;
    uint8_t code = LB_OPT_PAD;
    while (next_option(&rd, &code, &value)) {
        if (code == LB_OPT_OVERLOAD && value.len == 1 && value.p[0] <= 3)
            *overload = value.p[0];
    }
    if (lb_rd_ok(&rd) || fields->is_cut)
        return;
    fields->is_cut = true;
    fields->cut_code = code;
}

static void find_fields(struct lb_bytes payload, struct fields *fields) {
    unsigned ignored; /* RFC 2131 4.1: option 52 means nothing inside file and sname */
    *fields = (struct fields){.bytes = {lb_bytes_after(payload, LB_DHCP4_FIXED_BYTES)}, .count = 1};
    check_field(fields, 0, &fields->overload);
    if (fields->overload & OVERLOAD_FILE)
        fields->bytes[fields->count++] = lb_bytes(payload.p + FILE_AT, LB_DHCP4_FILE_BYTES);
    if (fields->overload & OVERLOAD_SNAME)
        fields->bytes[fields->count++] = lb_bytes(payload.p + SNAME_AT, LB_DHCP4_SNAME_BYTES);
    for (size_t i = 1; i < fields->count; i++)
        check_field(fields, i, &ignored);
}

/* First the length of each option's joined value, then where it begins, then the bytes. */
static void join_options(const struct fields *fields, struct lb_dhcp4_message *message) {
    uint16_t used = 0;
    uint8_t code;
    struct lb_bytes value;
    memset(message->at, 0xff, sizeof message->at);
    memset(message->len, 0, sizeof message->len);
    for (size_t i = 0; i < fields->count; i++) {
        struct lb_rd rd = lb_rd(fields->bytes[i]);
        while (next_option(&rd, &code, &value)) {
            message->at[code] = 0;
            message->len[code] = (uint16_t)(message->len[code] + value.len);
        }
    }
    for (unsigned i = 0; i < 256; i++) {
        if (message->at[i] == ABSENT)
            continue;
        message->at[i] = used;
        used = (uint16_t)(used + message->len[i]);
        message->len[i] = 0;
    }
    lb_assert(used <= sizeof message->values);
    for (size_t i = 0; i < fields->count; i++) {
        struct lb_rd rd = lb_rd(fields->bytes[i]);
        while (next_option(&rd, &code, &value)) {
            memcpy(message->values + message->at[code] + message->len[code], value.p, value.len);
            message->len[code] = (uint16_t)(message->len[code] + value.len);
        }
    }
    if (message->at[LB_OPT_TYPE] != ABSENT) { /* the one that counts, of several */
        message->len[LB_OPT_TYPE] = 1;
        message->values[message->at[LB_OPT_TYPE]] = (uint8_t)message->type;
    }
    message->is_cut = fields->is_cut;
    message->cut_code = fields->cut_code;
    if (fields->is_cut &&
        fields->cut_code !=
            LB_OPT_TYPE) /* RFC 3396: of several parts, those that came are not the value */
        message->at[fields->cut_code] = ABSENT;
}

static struct lb_bytes up_to_nul(struct lb_bytes field) {
    size_t len = 0;
    while (len < field.len && field.p[len] != 0)
        len++;
    return lb_bytes(field.p, len);
}

static void read_header(struct lb_rd *rd, struct lb_dhcp4_message *message) {
    struct lb_dhcp4_header *header = &message->header;
    header->op = lb_rd_u8(rd);
    header->htype = lb_rd_u8(rd);
    header->hlen = lb_rd_u8(rd);
    header->hops = lb_rd_u8(rd);
    header->xid = lb_rd_u32(rd);
    header->secs = lb_rd_u16(rd);
    header->flags = lb_rd_u16(rd);
    header->ciaddr = lb_rd_v4(rd);
    header->yiaddr = lb_rd_v4(rd);
    header->siaddr = lb_rd_v4(rd);
    header->giaddr = lb_rd_v4(rd);
    lb_rd_copy(rd, header->chaddr, sizeof header->chaddr);
    message->sname = up_to_nul(lb_rd_bytes(rd, LB_DHCP4_SNAME_BYTES));
    message->file = up_to_nul(lb_rd_bytes(rd, LB_DHCP4_FILE_BYTES));
    message->has_cookie = lb_rd_u32(rd) == MAGIC_COOKIE;
}

static bool has_cookie(struct lb_bytes payload) {
    struct lb_rd rd = lb_rd(lb_bytes_after(payload, LB_DHCP4_HEADER_BYTES));
    return lb_rd_u32(&rd) == MAGIC_COOKIE;
}

/* The first option 53 that is a message type. False: there are some, and none is; or there may have
 * been one behind the one that is cut. */
static bool find_type(const struct fields *fields, enum lb_dhcp4_type *type) {
    bool has_bad = fields->is_cut;
    *type = LB_DHCP4_BOOTP;
    for (size_t i = 0; i < fields->count; i++) {
        struct lb_rd rd = lb_rd(fields->bytes[i]);
        struct lb_bytes value;
        uint8_t code;
        while (next_option(&rd, &code, &value)) {
            if (code != LB_OPT_TYPE)
                continue;
            bool is_type = value.len == 1 && value.p[0] >= LB_DHCP4_DISCOVER &&
                           value.p[0] <= LB_DHCP4_FORCERENEW;
            if (is_type) {
                *type = (enum lb_dhcp4_type)value.p[0];
                return true;
            }
            has_bad = true;
        }
    }
    return !has_bad;
}

static bool malformed(const char **why, const char *reason) {
    *why = reason;
    return false;
}

bool lb_dhcp4_decode(struct lb_bytes payload, struct lb_dhcp4_message *message, const char **why) {
    struct fields fields = {.count = 0, .is_cut = false};
    enum lb_dhcp4_type type;
    if (payload.len < LB_DHCP4_FIXED_BYTES)
        return malformed(why, "shorter than a BOOTP message");
    if (payload.len > LB_DHCP4_PACKET_MAX)
        return malformed(why, "longer than we take");
    if (has_cookie(payload))
        find_fields(payload, &fields);
    if (!find_type(&fields, &type))
        return malformed(why, fields.is_cut ? "an option runs past the end, and there is no type"
                                            : "option 53 is not a message type");
    struct lb_rd rd = lb_rd(payload);
    read_header(&rd, message);
    message->type = type;
    if (fields.overload & OVERLOAD_FILE)
        message->file = lb_bytes(payload.p, 0);
    if (fields.overload & OVERLOAD_SNAME)
        message->sname = lb_bytes(payload.p, 0);
    join_options(&fields, message);
    return true;
}

bool lb_dhcp4_option(const struct lb_dhcp4_message *message, uint8_t code, struct lb_bytes *value) {
    if (message->at[code] == ABSENT)
        return false;
    *value = lb_bytes(message->values + message->at[code], message->len[code]);
    return true;
}

/* A cursor over an option of just this length; else over nothing. */
static struct lb_rd exact(const struct lb_dhcp4_message *message, uint8_t code, size_t len) {
    struct lb_bytes value = {0};
    if (!lb_dhcp4_option(message, code, &value) || value.len != len)
        value = lb_bytes(message->values, 0);
    return lb_rd(value);
}

bool lb_dhcp4_option_u16(const struct lb_dhcp4_message *message, uint8_t code, uint16_t *value) {
    struct lb_rd rd = exact(message, code, 2);
    *value = lb_rd_u16(&rd);
    return lb_rd_ok(&rd);
}

bool lb_dhcp4_option_u32(const struct lb_dhcp4_message *message, uint8_t code, uint32_t *value) {
    struct lb_rd rd = exact(message, code, 4);
    *value = lb_rd_u32(&rd);
    return lb_rd_ok(&rd);
}

bool lb_dhcp4_option_addr(const struct lb_dhcp4_message *message, uint8_t code,
                          struct lb_addr *value) {
    struct lb_rd rd = exact(message, code, 4);
    *value = lb_rd_v4(&rd);
    return lb_rd_ok(&rd);
}

/* RFC 3046 2.0: sub-options as code, length, value. */
static bool relay_option(struct lb_bytes relay, uint8_t wanted, struct lb_bytes *value) {
    for (struct lb_rd rd = lb_rd(relay); rd.left > 0 && lb_rd_ok(&rd);) {
        uint8_t code = lb_rd_u8(&rd);
        struct lb_bytes found = lb_rd_bytes(&rd, lb_rd_u8(&rd));
        if (code != wanted || !lb_rd_ok(&rd))
            continue;
        *value = found;
        return true;
    }
    return false;
}

bool lb_dhcp4_link(const struct lb_dhcp4_message *message, struct lb_addr *link) {
    struct lb_bytes relay, value;
    if (lb_dhcp4_option(message, LB_OPT_RELAY_AGENT, &relay) &&
        relay_option(relay, LINK_SELECTION, &value) && value.len == 4) {
        *link = lb_addr_v4_bytes(value.p);
        return true;
    }
    if (lb_dhcp4_option_addr(message, LB_OPT_SUBNET, link))
        return true;
    *link = message->header.giaddr;
    return !lb_addr_is_zero(*link);
}

/* ---- encoding ---- */

/* An entry of a list: code, two bytes of length, value. */
void lb_dhcp4_put(struct lb_wr *list, uint8_t code, struct lb_bytes value) {
    lb_assert(value.len <= UINT16_MAX);
    lb_wr_u8(list, code);
    lb_wr_u16(list, (uint16_t)value.len);
    lb_wr_bytes(list, value);
}

void lb_dhcp4_put_u8(struct lb_wr *list, uint8_t code, uint8_t value) {
    lb_dhcp4_put(list, code, lb_bytes(&value, 1));
}

void lb_dhcp4_put_u16(struct lb_wr *list, uint8_t code, uint16_t value) {
    lb_wr_u8(list, code);
    lb_wr_u16(list, 2);
    lb_wr_u16(list, value);
}

void lb_dhcp4_put_u32(struct lb_wr *list, uint8_t code, uint32_t value) {
    lb_wr_u8(list, code);
    lb_wr_u16(list, 4);
    lb_wr_u32(list, value);
}

void lb_dhcp4_put_addr(struct lb_wr *list, uint8_t code, struct lb_addr value) {
    lb_dhcp4_put(list, code, lb_bytes(value.bytes, 4));
}

void lb_dhcp4_put_text(struct lb_wr *list, uint8_t code, const char *value) {
    lb_dhcp4_put(list, code, lb_bytes_of_text(value));
}

/* The fields under construction, each with a byte kept back for its `end`. */
struct layout {
    struct lb_wr field[FIELDS];
    size_t count;
};

static struct lb_wr field_of(struct lb_span room, size_t at, size_t len) {
    return lb_wr(lb_span(room.p + at, len));
}

static size_t room_left(const struct lb_wr *field) {
    return field->cap - field->len;
}

static void write_option(struct lb_wr *field, uint8_t code, struct lb_bytes value) {
    lb_wr_u8(field, code);
    lb_wr_u8(field, (uint8_t)value.len);
    lb_wr_bytes(field, value);
}

/* RFC 3396 5: pieces in the order of the fields, each as long as can be. */
static bool split_option(struct layout *layout, uint8_t code, struct lb_bytes value) {
    for (size_t i = 0; i < layout->count; i++) {
        while (value.len > 0 && room_left(&layout->field[i]) > 2) {
            size_t len = LB_MIN(LB_MIN(value.len, VALUE_MAX), room_left(&layout->field[i]) - 2);
            write_option(&layout->field[i], code, lb_bytes(value.p, len));
            value = lb_bytes_after(value, len);
        }
    }
    return value.len == 0;
}

static bool place_option(struct layout *layout, uint8_t code, struct lb_bytes value) {
    for (size_t i = 0; value.len <= VALUE_MAX && i < layout->count; i++) {
        if (room_left(&layout->field[i]) < value.len + 2)
            continue;
        write_option(&layout->field[i], code, value);
        return true;
    }
    return value.len > 0 && split_option(layout, code, value);
}

static bool place_all(struct layout *layout, struct lb_bytes list) {
    struct lb_rd rd = lb_rd(list);
    while (rd.left > 0) {
        uint8_t code = lb_rd_u8(&rd);
        if (!place_option(layout, code, lb_rd_bytes(&rd, lb_rd_u16(&rd))))
            return false;
    }
    return lb_rd_ok(&rd);
}

static void write_header(struct lb_wr *wr, const struct lb_dhcp4_header *header) {
    lb_wr_u8(wr, header->op);
    lb_wr_u8(wr, header->htype);
    lb_wr_u8(wr, header->hlen);
    lb_wr_u8(wr, header->hops);
    lb_wr_u32(wr, header->xid);
    lb_wr_u16(wr, header->secs);
    lb_wr_u16(wr, header->flags);
    lb_wr_addr(wr, header->ciaddr);
    lb_wr_addr(wr, header->yiaddr);
    lb_wr_addr(wr, header->siaddr);
    lb_wr_addr(wr, header->giaddr);
    lb_wr_bytes(wr, lb_bytes(header->chaddr, sizeof header->chaddr));
    lb_wr_zero(wr, LB_DHCP4_SNAME_BYTES + LB_DHCP4_FILE_BYTES);
    lb_wr_u32(wr, MAGIC_COOKIE);
}

/* Ends a field that has options; gives whether it has. The byte for `end` was kept back. */
static bool end_field(struct lb_wr *field) {
    if (field->len == 0)
        return false;
    field->cap++;
    lb_wr_u8(field, LB_OPT_END);
    return true;
}

struct lb_bytes lb_dhcp4_encode(const struct lb_dhcp4_header *header, const struct lb_wr *list,
                                struct lb_dhcp4_layout layout, struct lb_span room) {
    size_t max = LB_MIN(layout.max_bytes, room.len);
    if (max < LB_DHCP4_BOOTP_BYTES || !lb_wr_ok(list))
        return lb_bytes(room.p, 0);
    memset(room.p, 0, max);
    struct lb_wr wr = lb_wr(room);
    write_header(&wr, header);
    size_t reserved = 1 + (layout.overload ? OVERLOAD_LEN : 0);
    struct layout out = {
        .field = {field_of(room, LB_DHCP4_FIXED_BYTES, max - LB_DHCP4_FIXED_BYTES - reserved),
                  field_of(room, FILE_AT, LB_DHCP4_FILE_BYTES - 1),
                  field_of(room, SNAME_AT, LB_DHCP4_SNAME_BYTES - 1)},
        .count = layout.overload ? FIELDS : 1,
    };
    if (!place_all(&out, lb_wr_done(list)))
        return lb_bytes(room.p, 0);
    unsigned used = (end_field(&out.field[1]) ? OVERLOAD_FILE : 0u) |
                    (end_field(&out.field[2]) ? OVERLOAD_SNAME : 0u);
    struct lb_wr *options = &out.field[0];
    options->cap += reserved;
    if (used != 0)
        write_option(options, LB_OPT_OVERLOAD, lb_bytes(&(uint8_t){(uint8_t)used}, 1));
    lb_wr_u8(options, LB_OPT_END);
    return lb_bytes(room.p, LB_MAX(LB_DHCP4_FIXED_BYTES + options->len, LB_DHCP4_BOOTP_BYTES));
}
