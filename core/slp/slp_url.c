/* URLs of service:iscsi:target and service:iscsi:sms (RFC 4018 5.2), and of agents (RFC 2608
 * 8.5). */
#include "core/slp/slp_wire.h"

/* Takes `text` off the front, in any case. */
static bool take(struct lb_bytes *from, const char *text) {
    struct lb_bytes wanted = lb_bytes_of_text(text);
    if (from->len < wanted.len)
        return false;
    for (size_t i = 0; i < wanted.len; i++) {
        if (lb_ascii_lower(from->p[i]) != wanted.p[i])
            return false;
    }
    *from = lb_bytes_after(*from, wanted.len);
    return true;
}

static size_t find(struct lb_bytes text, uint8_t c) {
    size_t at = 0;
    while (at < text.len && text.p[at] != c)
        at++;
    return at;
}

/* Takes everything up to `c`, and `c`, off the front. */
static struct lb_bytes take_until(struct lb_bytes *from, uint8_t c) {
    struct lb_bytes part = lb_bytes(from->p, find(*from, c));
    *from = lb_bytes_after(*from, part.len + 1);
    return part;
}

static bool parse_port(struct lb_bytes text, uint16_t *port) {
    uint64_t value;
    if (!lb_parse_u64(text, UINT16_MAX, &value) || value == 0)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* host [":" port]; an IPv6 address stands in brackets. */
static bool parse_authority(struct lb_bytes authority, struct lb_slp_found *found) {
    bool is_bracketed = authority.len > 0 && authority.p[0] == '[';
    size_t host_len = is_bracketed ? find(authority, ']') + 1 : find(authority, ':');
    if (host_len == 0 || host_len > authority.len)
        return false;
    struct lb_bytes port = lb_bytes_after(authority, host_len);
    size_t offset;
    if (!lb_host_parse(lb_bytes(authority.p, host_len), false, &found->host, &found->addr,
                       found->name, &offset))
        return false;
    if (port.len == 0)
        return true;
    return port.p[0] == ':' && parse_port(lb_bytes_after(port, 1), &found->port);
}

/* An iSCSI name with its escapes: those of SLP, and those of every URL (RFC 2608 4.1). */
static bool parse_name(struct lb_bytes text, char name[LB_NAME_MAX + 1]) {
    uint8_t room[LB_NAME_MAX];
    size_t len, offset;
    unsigned warnings = 0;
    return lb_slp_unescape(text, lb_span(room, sizeof room), &len) &&
           lb_iscsi_name_parse(lb_percent_decode(lb_bytes(room, len), room), LB_ROOTPATH_ANY_NAMES,
                               name, &warnings, &offset);
}

static bool parse_target(struct lb_bytes rest, struct lb_slp_found *found) {
    found->port = LB_ISCSI_PORT;
    if (!parse_authority(take_until(&rest, '/'), found))
        return false;
    if (!parse_name(take_until(&rest, '/'), found->target))
        return false;
    return rest.len == 0 || parse_name(rest, found->identity);
}

/* The rest may be the URL of the server in its own words, such as `isns://host:port/`. */
static bool parse_sms(struct lb_bytes rest, struct lb_slp_found *found) {
    found->isns = true;
    found->port = LB_SLP_ISNS_PORT;
    while (rest.len > 0 && !take(&rest, "//"))
        rest = lb_bytes_after(rest, 1);
    return parse_authority(take_until(&rest, '/'), found);
}

bool lb_slp_url_parse(struct lb_bytes url, struct lb_slp_found *found) {
    struct lb_slp_found f = {.portal_group = -1};
    if (url.len > LB_SLP_URL_MAX)
        return false;
    bool is_good;
    if (take(&url, LB_SLP_TYPE_TARGET "://"))
        is_good = parse_target(url, &f);
    else
        is_good = take(&url, LB_SLP_TYPE_SMS ":") && parse_sms(url, &f);
    if (is_good)
        *found = f;
    return is_good;
}

struct lb_addr lb_slp_agent_url(struct lb_bytes url) {
    struct lb_slp_found f = {0};
    if (url.len > LB_SLP_URL_MAX)
        return f.addr;
    if (!take(&url, LB_SLP_TYPE_DIRECTORY "://") && !take(&url, LB_SLP_TYPE_SERVICE "://"))
        return f.addr;
    bool is_addr = parse_authority(take_until(&url, '/'), &f) && f.host == LB_HOST_ADDR;
    return is_addr ? f.addr : (struct lb_addr){0};
}
