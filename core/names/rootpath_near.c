/* Near misses: strings that are no Root Path, and what they were probably meant to be. They were
 * collected from files, manuals and questions of people who boot diskless machines. */
#include "core/names/rootpath_internal.h"

static bool found(struct lb_rootpath_wrong *wrong, enum lb_code code, enum lb_rootpath_field field,
                  size_t offset, const char *why) {
    *wrong = (struct lb_rootpath_wrong){
        .code = code, .where = {.field = field, .offset = offset}, .why = why};
    return true;
}

/* ---- looking for words ---------------------------------------------------------------------- */

static bool starts_name(struct lb_bytes text) {
    return lb_text_begins(text, "iqn.") || lb_text_begins(text, "eui.") ||
           lb_text_begins(text, "naa.");
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t find(struct lb_bytes text, uint8_t c) {
    size_t at = 0;
    while (at < text.len && text.p[at] != c)
        at++;
    return at;
}

static size_t find_word(struct lb_bytes text, const char *word) {
    size_t at = 0;
    while (at < text.len && !lb_text_begins(lb_bytes_after(text, at), word))
        at++;
    return at;
}

/* A target name in the middle of a path of NFS is none of ours: it stands behind a slash. */
static bool has_name(struct lb_bytes text) {
    for (size_t at = 0; at < text.len; at++) {
        uint8_t before = at == 0 ? ':' : text.p[at - 1];
        bool is_start =
            before == ':' || before == '"' || before == '\'' || before == '=' || is_blank(before);
        if (is_start && starts_name(lb_bytes_after(text, at)))
            return true;
    }
    return false;
}

bool lb_rootpath_is_near(struct lb_bytes text) {
    bool is_word = lb_text_begins(text, "iscsi") &&
                   (text.len == 5 || text.p[5] == ';' || text.p[5] == '=' || is_blank(text.p[5]));
    return is_word || lb_text_begins(text, "\"iscsi:") || lb_text_begins(text, "'iscsi:") ||
           has_name(text);
}

/* ---- the prefix ----------------------------------------------------------------------------- */

static bool explain_prefix(struct lb_bytes text, struct lb_rootpath_wrong *wrong) {
    const char *why = "`iscsi:` is missing at the beginning";
    size_t offset = 0, at = find_word(text, "iscsi:");
    if (text.len > 0 && (text.p[0] == '"' || text.p[0] == '\''))
        why = "a quote at the beginning and none at the end: remove it";
    else if (lb_text_begins(text, "iscsi"))
        why = "no colon behind `iscsi`", offset = 5;
    else if (at < text.len)
        why = "something stands before `iscsi:`: remove it";
    else if (starts_name(text))
        why = "a target name alone: `iscsi:SERVER::::` is missing before it";
    return found(wrong, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, offset, why);
}

/* ---- other people's forms ------------------------------------------------------------------- */

static bool explain_form(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes rest = lb_bytes_after(parts->text, LB_ROOTPATH_PREFIX_BYTES);
    size_t quote = LB_MIN(find(rest, '"'), find(rest, '\'')), dollar = find_word(rest, "${");
    if (lb_text_begins(rest, "//"))
        return found(wrong, LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, LB_ROOTPATH_PREFIX_BYTES,
                     "this is an iscsi:// URL; a Root Path is "
                     "iscsi:SERVER:PROTOCOL:PORT:LUN:TARGETNAME");
    if (lb_text_begins(rest, "iscsi:"))
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, LB_ROOTPATH_PREFIX_BYTES,
                     "`iscsi:` stands there twice");
    if (quote == 0 && rest.len > 0)
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, LB_ROOTPATH_PREFIX_BYTES,
                     "each field in quotes is HP's own form; a Root Path is "
                     "iscsi:SERVER:PROTOCOL:PORT:LUN:TARGETNAME without quotes");
    if (dollar < rest.len)
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME,
                     LB_ROOTPATH_PREFIX_BYTES + dollar,
                     "${...} is a variable of iPXE, and stands for nothing here");
    return false;
}

/* What other addresses have beside the host: SendTargets' port, a prefix length, a URL's parts. */
static bool explain_server(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes server = parts->field[LB_FIELD_SERVERNAME];
    struct lb_bytes protocol = parts->last > LB_FIELD_SERVERNAME
                                   ? parts->field[LB_FIELD_PROTOCOL]
                                   : lb_bytes_after(server, server.len);
    size_t comma = find(server, ','), slash = find(server, '/'), at = 0;
    const char *why = NULL;
    if (lb_text_begins(protocol, "//"))
        why = "a URL in the server's place: the host or its address alone";
    else if (find(server, '@') < server.len || find(protocol, '@') < protocol.len)
        why = "a user before an @: a Root Path has none; chap-name and chap-secret say it",
        at = find(lb_bytes_after(parts->text, LB_ROOTPATH_PREFIX_BYTES), '@');
    else if (comma < server.len)
        why = "a comma: one host stands here, and the port is the third field", at = comma;
    else if (slash < server.len)
        why = "a slash: the host or its address alone", at = slash;
    return why != NULL && found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME,
                                LB_ROOTPATH_PREFIX_BYTES + at, why);
}

/* ---- colons --------------------------------------------------------------------------------- */

/* Whether the fields are out of place, and begin with an IPv6 address. (`cafe::3260:1:x` is a host
 * of that name, with its port and LUN.) */
static bool is_bare_v6(const struct lb_rootpath_parts *parts) {
    struct lb_bytes rest = lb_bytes_after(parts->text, LB_ROOTPATH_PREFIX_BYTES);
    struct lb_bytes target = parts->field[LB_FIELD_TARGETNAME];
    struct lb_addr addr;
    if (rest.len == 0 || lb_hex_digit(rest.p[0]) < 0 ||
        (parts->last == LB_FIELD_TARGETNAME && (starts_name(target) || !has_name(target))))
        return false;
    for (size_t len = LB_MIN(rest.len, 64); len > 2; len--) {
        struct lb_bytes part = lb_bytes(rest.p, len);
        bool is_end = len == rest.len || rest.p[len] == ':' || rest.p[len] == '%';
        if (is_end && find(part, ':') < len && lb_addr_parse_v6(part, &addr))
            return true;
    }
    return false;
}

/* RFC 4173 5 has four colons between `iscsi:` and the name. */
static bool explain_colons(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    static const char *const missing[] = {
        [LB_FIELD_SERVERNAME] = "a target name in the server's place: four colons are missing",
        [LB_FIELD_PROTOCOL] = "three colons are missing: a target name in the protocol's place",
        [LB_FIELD_PORT] = "two colons are missing: a target name in the port's place",
        [LB_FIELD_LUN] = "a colon is missing: a target name in the LUN's place",
    };
    for (unsigned field = LB_FIELD_SERVERNAME; field <= (unsigned)parts->last; field++) {
        struct lb_bytes part = parts->field[field];
        size_t at = (size_t)(part.p - parts->text.p);
        if (field < LB_FIELD_TARGETNAME && starts_name(part))
            return found(wrong, LB_E_ROOTPATH_FIELDS, field, at, missing[field]);
        if (field == LB_FIELD_TARGETNAME && part.len > 1 && part.p[0] == ':' &&
            starts_name(lb_bytes_after(part, 1)))
            return found(wrong, LB_E_ROOTPATH_FIELDS, field, at,
                         "a colon too many before the target name");
    }
    return false;
}

static bool explain_v6(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes server = parts->field[LB_FIELD_SERVERNAME];
    struct lb_addr addr;
    if (is_bare_v6(parts))
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, LB_ROOTPATH_PREFIX_BYTES,
                     "an IPv6 address stands in [brackets]");
    if (server.len > 2 && server.p[0] == '[' &&
        lb_addr_parse_v4(lb_bytes(server.p + 1, server.len - 2), &addr))
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, LB_ROOTPATH_PREFIX_BYTES + 1,
                     "[brackets] are for an IPv6 address alone");
    size_t zone = find(server, '%');
    if (server.len > 0 && server.p[0] == '[' && zone < server.len)
        return found(wrong, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME,
                     LB_ROOTPATH_PREFIX_BYTES + zone,
                     "only a link-local address (fe80::) has a zone: remove it");
    return false;
}

/* ---- in the fields -------------------------------------------------------------------------- */

static bool explain_blanks(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    static const enum lb_code codes[] = {
        [LB_FIELD_SERVERNAME] = LB_E_ROOTPATH_SERVER, [LB_FIELD_PROTOCOL] = LB_E_ROOTPATH_PROTOCOL,
        [LB_FIELD_PORT] = LB_E_ROOTPATH_PORT,         [LB_FIELD_LUN] = LB_E_ROOTPATH_LUN,
        [LB_FIELD_TARGETNAME] = LB_E_ROOTPATH_TARGET,
    };
    for (unsigned field = LB_FIELD_SERVERNAME; field <= (unsigned)parts->last; field++)
        for (size_t i = 0; i < parts->field[field].len; i++)
            if (is_blank(parts->field[field].p[i]))
                return found(wrong, codes[field], field,
                             (size_t)(parts->field[field].p - parts->text.p) + i,
                             "a blank or line end: remove it");
    return false;
}

/* An option that comes twice is put together; or a list, as of several URIs. */
bool lb_rootpath_is_double(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes target = parts->field[LB_FIELD_TARGETNAME];
    size_t at = find_word(target, "iscsi:");
    if (parts->last != LB_FIELD_TARGETNAME || at == target.len ||
        !has_name(lb_bytes_after(target, at + LB_ROOTPATH_PREFIX_BYTES)))
        return false;
    return found(wrong, LB_E_ROOTPATH_FIELDS, LB_FIELD_TARGETNAME,
                 (size_t)(target.p - parts->text.p) + at,
                 "a second Root Path: only one can stand here, is option 17 there twice?");
}

/* What stands behind a name in lists and files. */
static bool explain_target(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes target = parts->field[LB_FIELD_TARGETNAME];
    size_t quote = LB_MIN(find(target, '"'), find(target, '\'')), comma = find(target, ',');
    if (parts->last != LB_FIELD_TARGETNAME || LB_MIN(quote, comma) == target.len)
        return false;
    return found(wrong, LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME,
                 (size_t)(target.p - parts->text.p) + LB_MIN(quote, comma),
                 quote < comma ? "a quote: remove it" : "a comma: the name ends before it");
}

/* SERVER:PORT, as in other people's addresses. */
static bool explain_port(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    struct lb_bytes text = parts->field[LB_FIELD_PROTOCOL];
    uint64_t port;
    if (parts->last < LB_FIELD_PORT || !lb_parse_u64(text, UINT16_MAX, &port) || port < 256)
        return false;
    return found(wrong, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, (size_t)(text.p - parts->text.p),
                 "a port stands one field further, behind the protocol: iscsi:SERVER::PORT:");
}

bool lb_rootpath_explain(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong) {
    if (!lb_rootpath_has_prefix(parts->text))
        return lb_rootpath_is_near(parts->text) && explain_prefix(parts->text, wrong);
    return explain_form(parts, wrong) || explain_server(parts, wrong) || explain_v6(parts, wrong) ||
           explain_colons(parts, wrong) || lb_rootpath_is_double(parts, wrong) ||
           explain_blanks(parts, wrong) || explain_port(parts, wrong) ||
           (wrong->code == LB_E_ROOTPATH_TARGET && explain_target(parts, wrong));
}
