/* The Root Path: split into its five fields, then each field by itself, in order. */
#include "core/names/rootpath_internal.h"

#define FIELDS        LB_ROOTPATH_FIELDS
#define PREFIX_BYTES  LB_ROOTPATH_PREFIX_BYTES
#define EXCERPT_BYTES 48

/* One run of the parser. */
struct parse {
    struct lb_rootpath_parts parts;
    unsigned flags;
    struct lb_rootpath out;
    struct lb_rootpath_wrong wrong; /* the first thing that is, if any */
};

const char *lb_rootpath_field_word(enum lb_rootpath_field field) {
    static const char *const words[] = {
        [LB_FIELD_PREFIX] = "prefix",     [LB_FIELD_SERVERNAME] = "servername",
        [LB_FIELD_PROTOCOL] = "protocol", [LB_FIELD_PORT] = "port",
        [LB_FIELD_LUN] = "lun",           [LB_FIELD_TARGETNAME] = "targetname",
    };
    return words[field];
}

const char *lb_rootpath_warning_text(enum lb_rootpath_warning warning) {
    switch (warning) {
    case LB_WARN_UNDERSCORE:
        return "the target name holds `_`, which RFC 3722 does not allow";
    case LB_WARN_UPPER_CASE:
        return "the target name has capitals; it is sent as given, and compared without their case";
    case LB_WARN_NON_ASCII:
        return "the target name holds letters beyond ASCII; they are compared byte by byte";
    case LB_WARN_NAME_FORM:
        return "the target name has no form of RFC 7143 (iqn., eui., naa.); it is sent as given";
    case LB_WARN_BLANKS:
        return "blanks or line ends around the Root Path are left out: remove them";
    case LB_WARN_QUOTES:
        return "quotes around the Root Path are left out: remove them";
    case LB_WARN_PREFIX:
        return "`iscsi:` is written in lower case";
    case LB_WARN_PROTOCOL:
        return "the protocol is a number: 6 for TCP, or blank";
    case LB_WARN_ZONE:
        return "the zone of the address is left out: the interface is the one that is booted from";
    }
    return "";
}

static bool wrong(struct parse *parse, enum lb_code code, enum lb_rootpath_field field,
                  size_t offset, const char *why) {
    parse->wrong = (struct lb_rootpath_wrong){
        .code = code, .where = {.field = field, .offset = offset}, .why = why};
    return false;
}

static size_t start_of(const struct parse *parse, enum lb_rootpath_field field) {
    return (size_t)(parse->parts.field[field].p - parse->parts.text.p);
}

/* ---- the prefix, and what stands around the string ------------------------------------------ */

/* How many bytes are the same as those of `iscsi:`, in any case. */
static size_t prefix_bytes(struct lb_bytes text, bool is_exact) {
    static const char prefix[] = "iscsi:";
    size_t same = 0;
    while (same < PREFIX_BYTES && same < text.len &&
           (is_exact ? text.p[same] : lb_ascii_lower(text.p[same])) == (uint8_t)prefix[same])
        same++;
    return same;
}

bool lb_rootpath_has_prefix(struct lb_bytes text) {
    return prefix_bytes(text, false) == PREFIX_BYTES;
}

/* What editors and web pages add beside blanks: a byte order mark, and blanks that do not look like
 * any. */
static struct lb_bytes trim_unseen(struct lb_bytes text) {
    static const char *const unseen[] = {"\xef\xbb\xbf", "\xc2\xa0", "\xe2\x80\x8b"};
    for (size_t i = 0; i < LB_COUNT(unseen); i++) {
        struct lb_bytes mark = lb_bytes_of_text(unseen[i]);
        if (lb_bytes_start_with(text, mark))
            text = lb_bytes_after(text, mark.len);
        if (text.len >= mark.len &&
            lb_bytes_start_with(lb_bytes_after(text, text.len - mark.len), mark))
            text.len -= mark.len;
    }
    return text;
}

/* Quotes belong to a file's syntax, and come where two programs quote; blanks come from forms that
 * people fill in, and from `echo`. */
static struct lb_bytes strip(struct lb_bytes string, unsigned *warnings) {
    struct lb_bytes given = lb_bytes_trim_nul(string);
    struct lb_bytes text = lb_bytes_trim(trim_unseen(lb_bytes_trim(given)));
    while (text.len > 0 && text.p[text.len - 1] == 0) /* "...\0\n" */
        text = lb_bytes_trim(lb_bytes_trim_nul(text));
    bool is_quoted = text.len >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
                     text.p[text.len - 1] == text.p[0];
    if (is_quoted)
        text = lb_bytes_trim(lb_bytes(text.p + 1, text.len - 2));
    *warnings |= (is_quoted ? (unsigned)LB_WARN_QUOTES : 0u) |
                 (text.len + 2u * is_quoted < given.len ? (unsigned)LB_WARN_BLANKS : 0u);
    return text;
}

bool lb_rootpath_is_iscsi(struct lb_bytes string, unsigned flags) {
    unsigned warnings = 0;
    struct lb_bytes text = strip(string, &warnings);
    (void)flags;
    return lb_rootpath_has_prefix(text) || lb_rootpath_is_near(text);
}

static bool check_prefix(struct parse *parse) {
    struct lb_bytes text = parse->parts.text;
    if (!lb_rootpath_has_prefix(text))
        return wrong(parse, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, prefix_bytes(text, false),
                     "not `iscsi:`");
    if (prefix_bytes(text, true) < PREFIX_BYTES && !(parse->flags & LB_ROOTPATH_URI))
        parse->out.warnings |= LB_WARN_PREFIX;
    return true;
}

/* ---- splitting: RFC 4173 section 5, and rule 3 for the brackets of RFC 2732 ---- */

/* Where the field that begins at `at` ends: at its colon, or at the end of the text. */
static size_t field_end(const struct parse *parse, enum lb_rootpath_field field, size_t at) {
    const struct lb_bytes text = parse->parts.text;
    if (field == LB_FIELD_TARGETNAME)
        return text.len; /* with its colons */
    if (field == LB_FIELD_SERVERNAME && at < text.len && text.p[at] == '[') {
        while (at < text.len && text.p[at] != ']')
            at++;
    }
    while (at < text.len && text.p[at] != ':')
        at++;
    return at;
}

static void split(struct parse *parse) {
    size_t at = PREFIX_BYTES;
    parse->parts.field[LB_FIELD_PREFIX] = lb_bytes(parse->parts.text.p, PREFIX_BYTES);
    for (unsigned field = LB_FIELD_SERVERNAME; field < FIELDS; field++) {
        size_t end = field_end(parse, field, at);
        parse->parts.field[field] = lb_bytes(parse->parts.text.p + at, end - at);
        parse->parts.last = field;
        if (end == parse->parts.text.len)
            return;
        at = end + 1;
    }
}

static enum lb_rootpath_field field_at(const struct parse *parse, size_t offset) {
    unsigned field = LB_FIELD_PREFIX;
    while (field < (unsigned)parse->parts.last && offset >= start_of(parse, field + 1))
        field++;
    return field;
}

static bool check_bytes(struct parse *parse) {
    for (size_t at = 0, len; at < parse->parts.text.len; at += len) {
        uint32_t code_point;
        len = lb_utf8_next(lb_bytes_after(parse->parts.text, at), &code_point);
        if (len == 0 || code_point == 0)
            return wrong(parse, LB_E_ROOTPATH_BYTES, field_at(parse, at), at,
                         len == 0 ? "not UTF-8" : "a NUL byte");
    }
    return true;
}

static bool check_fields(struct parse *parse) {
    static const char *const why[] = {
        [LB_FIELD_SERVERNAME] = "no colon after the servername",
        [LB_FIELD_PROTOCOL] = "one colon of four after `iscsi:`",
        [LB_FIELD_PORT] = "two colons of four after `iscsi:`",
        [LB_FIELD_LUN] = "three colons of four after `iscsi:`",
    };
    if (parse->parts.last == LB_FIELD_TARGETNAME)
        return true;
    struct lb_bytes server = parse->parts.field[LB_FIELD_SERVERNAME];
    if (parse->parts.last == LB_FIELD_SERVERNAME && server.len > 0 && server.p[0] == '[' &&
        server.p[server.len - 1] != ']')
        return wrong(parse, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, PREFIX_BYTES,
                     "`[` without `]`");
    return wrong(parse, LB_E_ROOTPATH_FIELDS, parse->parts.last, parse->parts.text.len,
                 why[parse->parts.last]);
}

/* ---- the fields ---- */

static bool parse_servername(struct parse *parse) {
    struct lb_rootpath *out = &parse->out;
    struct lb_bytes text = parse->parts.field[LB_FIELD_SERVERNAME];
    size_t offset = 0;
    if (lb_host_parse(text, false, &out->host, &out->addr, out->name, &offset)) {
        for (size_t i = 0; i < text.len && out->host == LB_HOST_ADDR; i++)
            out->warnings |= text.p[i] == '%' ? (unsigned)LB_WARN_ZONE : 0u;
        return true;
    }
    return wrong(parse, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME,
                 start_of(parse, LB_FIELD_SERVERNAME) + offset,
                 "no host name, IPv4 address or [IPv6 address]");
}

/* iPXE ignores the field, and open-iscsi goes on with a warning; so it is written as a word,
 * too. */
static bool is_tcp(struct lb_bytes text) {
    uint64_t number = 0;
    return lb_text_begins(text, "tcp") || (lb_parse_u64(text, UINT8_MAX, &number) && number == 6);
}

static bool parse_protocol(struct parse *parse) {
    struct lb_bytes text = parse->parts.field[LB_FIELD_PROTOCOL];
    if (text.len == 0 || lb_text_is(text, "6"))
        return true;
    if (is_tcp(text)) {
        parse->out.warnings |= LB_WARN_PROTOCOL;
        return true;
    }
    size_t offset = text.p[0] == '6' ? 1 : 0;
    return wrong(parse, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL,
                 start_of(parse, LB_FIELD_PROTOCOL) + offset, "only 6 (TCP), or blank");
}

static bool parse_port(struct parse *parse) {
    struct lb_bytes text = parse->parts.field[LB_FIELD_PORT];
    uint64_t port = 0;
    if (text.len == 0)
        return true;
    if (text.p[0] != '0' && lb_parse_u64(text, UINT16_MAX, &port)) {
        parse->out.port = (uint16_t)port;
        return true;
    }
    size_t digits = 0;
    while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    return wrong(parse, LB_E_ROOTPATH_PORT, LB_FIELD_PORT,
                 start_of(parse, LB_FIELD_PORT) + (digits == text.len ? 0 : digits),
                 "a decimal number from 1 to 65535 without leading zeros, or blank");
}

static bool parse_lun(struct parse *parse) {
    struct lb_bytes text = parse->parts.field[LB_FIELD_LUN];
    size_t offset;
    parse->out.lun_given = text.len > 0;
    if (text.len == 0 || lb_lun_parse(text, parse->out.lun, &offset))
        return true;
    return wrong(parse, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, start_of(parse, LB_FIELD_LUN) + offset,
                 "one to four groups of one to four hex digits, joined by `-`");
}

static bool parse_targetname(struct parse *parse) {
    struct lb_bytes text = parse->parts.field[LB_FIELD_TARGETNAME];
    struct lb_rootpath *out = &parse->out;
    size_t offset, at;
    unsigned flags = parse->flags | LB_ROOTPATH_ANY_NAMES, warnings = 0;
    char name[LB_NAME_MAX + 1];
    if (lb_iscsi_name_parse(text, parse->flags, out->target, &out->warnings, &offset))
        return true;
    bool may_be_odd = lb_iscsi_name_parse(text, flags, name, &warnings, &at);
    return wrong(parse, LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME,
                 start_of(parse, LB_FIELD_TARGETNAME) + offset,
                 text.len == 0                                     ? "no target name"
                 : text.len > LB_NAME_MAX && offset == LB_NAME_MAX ? "longer than 223 bytes"
                 : may_be_odd ? "no iSCSI name, but accept-names=lenient would take it"
                              : "no iSCSI name");
}

/* ---- option 59 is a URI: RFC 5970 3.1, RFC 3986 2.1 ---- */

static int percent_byte(struct lb_bytes text, size_t at) {
    if (text.p[at] != '%' || text.len - at < 3)
        return -1;
    int high = lb_hex_digit(text.p[at + 1]), low = lb_hex_digit(text.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

struct lb_bytes lb_percent_decode(struct lb_bytes text, uint8_t *room) {
    size_t len = 0;
    for (size_t at = 0; at < text.len; len++) {
        int byte = percent_byte(text, at);
        room[len] = byte < 0 ? text.p[at] : (uint8_t)byte;
        at += byte < 0 ? 1 : 3;
    }
    return lb_bytes(room, len);
}

/* Where the byte at `offset` of the decoded text stands in the text as given. */
static size_t undecoded(struct lb_bytes text, size_t offset) {
    size_t at = 0;
    for (; offset > 0 && at < text.len; offset--)
        at += percent_byte(text, at) < 0 ? 1 : 3;
    return at;
}

/* ---- */

static bool parse_text(struct parse *parse) {
    if (!check_prefix(parse))
        return false;
    split(parse);
    return check_bytes(parse) && check_fields(parse) && parse_servername(parse) &&
           parse_protocol(parse) && parse_port(parse) && parse_lun(parse) &&
           parse_targetname(parse);
}

/* RFC 4173 has no place for a name and a secret, and dracut's strings have one before an @. */
static bool may_hold_a_secret(struct lb_bytes given) {
    for (size_t i = 0; i < given.len; i++) {
        if (given.p[i] == '@')
            return true;
    }
    return false;
}

static void tell(const struct lb_rootpath_wrong *wrong, struct lb_bytes given,
                 struct lb_error *error) {
    char text[4 * EXCERPT_BYTES + 8];
    struct lb_text excerpt = lb_text(text, sizeof text);
    size_t offset = wrong->where.offset;
    size_t start = offset > EXCERPT_BYTES / 2 ? offset - EXCERPT_BYTES / 2 : 0;
    size_t len = LB_MIN(given.len - start, EXCERPT_BYTES);
    if (may_hold_a_secret(given)) {
        lb_fail(error, wrong->code, "%s, offset %zu: %s; an @ is in it, so it is not shown",
                lb_rootpath_field_word(wrong->where.field), offset, wrong->why);
        return;
    }
    lb_text_untrusted(&excerpt, lb_bytes(given.p + start, len));
    lb_fail(error, wrong->code, "%s, offset %zu: %s, in `%s%s%s`",
            lb_rootpath_field_word(wrong->where.field), offset, wrong->why, start > 0 ? "..." : "",
            text, start + len < given.len ? "..." : "");
}

static bool parse_given(struct parse *parse, struct lb_bytes text, uint8_t *room) {
    parse->parts.text = parse->flags & LB_ROOTPATH_URI ? lb_percent_decode(text, room) : text;
    if (parse_text(parse) && !lb_rootpath_is_double(&parse->parts, &parse->wrong))
        return true;
    if (parse->wrong.code != LB_E_ROOTPATH_BYTES)
        (void)lb_rootpath_explain(&parse->parts, &parse->wrong);
    return false;
}

bool lb_rootpath_parse(struct lb_bytes string, unsigned flags, struct lb_rootpath *rootpath,
                       struct lb_rootpath_where *where, struct lb_error *error) {
    uint8_t decoded[LB_ROOTPATH_MAX];
    struct parse parse = {.flags = flags};
    struct lb_bytes given = lb_bytes_trim_nul(string), text = strip(string, &parse.out.warnings);
    bool is_long = text.len > LB_ROOTPATH_MAX;
    if (!is_long && parse_given(&parse, text, decoded)) {
        *rootpath = parse.out;
        return true;
    }
    if (is_long)
        wrong(&parse, LB_E_ROOTPATH_BYTES, LB_FIELD_TARGETNAME, LB_ROOTPATH_MAX, "too long");
    else if (flags & LB_ROOTPATH_URI)
        parse.wrong.where.offset = undecoded(text, parse.wrong.where.offset);
    if (text.len > 0) /* as given, with what stands before it */
        parse.wrong.where.offset += (size_t)(text.p - given.p);
    tell(&parse.wrong, given, error);
    if (where)
        *where = parse.wrong.where;
    return false;
}

static void format_host(struct lb_text *text, const struct lb_rootpath *rootpath) {
    switch (rootpath->host) {
    case LB_HOST_NONE:
        return;
    case LB_HOST_NAME:
        lb_text_add(text, "%s", rootpath->name);
        return;
    case LB_HOST_ADDR:
        lb_text_add(text, rootpath->addr.family == LB_V6 ? "[%s]" : "%s",
                    lb_addr_text(rootpath->addr).s);
        return;
    }
}

void lb_rootpath_format(struct lb_text *text, const struct lb_rootpath *rootpath) {
    lb_text_add(text, "iscsi:");
    format_host(text, rootpath);
    lb_text_add(text, "::");
    if (rootpath->port != 0)
        lb_text_add(text, "%u", rootpath->port);
    lb_text_add(text, ":");
    if (rootpath->lun_given)
        lb_lun_format(text, rootpath->lun);
    lb_text_add(text, ":%s", rootpath->target);
}
