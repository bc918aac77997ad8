/* The items of lists: an item that can match nothing, or more than its writer meant, is an error
 * where it is written. A list that is not understood must not be one that allows. */
#include "core/base/config_lists.h"

/* ---- items ---------------------------------------------------------------------------------- */

static bool has_byte(struct lb_bytes text, uint8_t byte) {
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == byte)
            return true;
    return false;
}

/* RFC 4291 2.5.5.2: such an address is never used, so an item of that kind matches nothing. */
static bool is_mapped(struct lb_prefix prefix) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return prefix.addr.family == LB_V6 && memcmp(prefix.addr.bytes, mapped, sizeof mapped) == 0;
}

static const char *check_network(struct lb_prefix prefix) {
    uint8_t whole = prefix.addr.family == LB_V4 ? 32 : 128;
    if (is_mapped(prefix))
        return "is an IPv4 address written as IPv6: write it as IPv4";
    if (!lb_addr_equal(lb_addr_mask(prefix.addr, prefix.len), prefix.addr))
        return "has bits set beyond its length: is it one address, or a network?";
    if (prefix.len == whole && (lb_addr_is_zero(prefix.addr) || lb_addr_is_multicast(prefix.addr)))
        return "is no server's address";
    return NULL;
}

/* allow-server. */
static const char *check_server(struct lb_bytes item) {
    struct lb_prefix prefix;
    size_t offset;
    if (lb_prefix_parse(item, &prefix))
        return check_network(prefix);
    if (has_byte(item, '*'))
        return "has a *: only target names may end in one; write a network as ADDRESS/LENGTH";
    if (!lb_host_name_check(item, &offset))
        return "is no address, ADDRESS/LENGTH network or host name";
    return NULL;
}

/* The beginning of an iSCSI name: a letter stands for itself, 9 for a digit, x for a hex digit. RFC
 * 7143 4.2.7.4 to 4.2.7.6. */
static bool begins_as(struct lb_bytes text, const char *form) {
    for (size_t i = 0; i < text.len && form[i] != '\0'; i++) {
        uint8_t c = lb_ascii_lower(text.p[i]);
        bool is_digit = c >= '0' && c <= '9';
        if (form[i] == '9' ? !is_digit : form[i] == 'x' ? lb_hex_digit(c) < 0 : c != form[i])
            return false;
    }
    return true;
}

static bool is_name_text(struct lb_bytes text) {
    static const struct lb_bytes marks = {.p = (const uint8_t *)"-.:_+=@", .len = 7};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = lb_ascii_lower(text.p[i]);
        bool fits =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || has_byte(marks, c) || c >= 0x80;
        if (!fits)
            return false;
    }
    return lb_utf8_is_valid(text);
}

static struct lb_bytes without_star(struct lb_bytes item) {
    item.len -= item.len > 0 && item.p[item.len - 1] == '*';
    return item;
}

/* allow-target, allow-initiator: a name, the beginning of one before a *, or * alone. Whether it
 * must have a form of RFC 7143 depends on accept-names: lb_config_check. */
static const char *check_iscsi_name(struct lb_bytes item) {
    struct lb_bytes text = without_star(item);
    if (has_byte(text, '*'))
        return "has a * before its end";
    if (!is_name_text(text) || text.len > LB_NAME_MAX)
        return "is no iSCSI name: iqn.YYYY-MM.reversed.domain[:anything], eui. or naa. and digits";
    return NULL;
}

/* An item that begins no name of RFC 7143 4.2.7 matches nothing where names must be of its form. */
static const char *check_name_form(struct lb_bytes item) {
    static const char *const forms[] = {"iqn.9999-99.", "eui.xxxxxxxxxxxxxxxx",
                                        "naa.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    struct lb_bytes text = without_star(item);
    bool is_pattern = text.len < item.len, is_iqn;
    size_t form = 0;
    while (form < LB_COUNT(forms) && !begins_as(text, forms[form]))
        form++;
    if (form == LB_COUNT(forms))
        return "is no iSCSI name: iqn.YYYY-MM.reversed.domain[:anything], eui. or naa. and digits";
    is_iqn = form == 0;
    if (!is_iqn && text.len > lb_strlen(forms[form]))
        return "has more digits than such a name has";
    bool is_whole = is_iqn ? text.len > lb_strlen(forms[0])
                           : text.len == 4 + 16 || (form == 2 && text.len == 4 + 32);
    return is_pattern || is_whole ? NULL : "is only the beginning of an iSCSI name: end it in *";
}

/* isns-server: HOST or HOST:PORT, an IPv6 address in [brackets] where a port follows. */
static const char *check_host(struct lb_bytes item) {
    const char *const wrong = "is no address or host name, with :PORT or without";
    struct lb_addr addr;
    uint64_t port;
    size_t colon = item.len, offset;
    if (lb_addr_parse(item, &addr) || lb_host_name_check(item, &offset))
        return NULL;
    while (colon > 0 && item.p[colon - 1] != ':' && item.p[colon - 1] != ']')
        colon--;
    if (colon > 0 && item.p[colon - 1] == ':') {
        if (!lb_parse_u64(lb_bytes_after(item, colon), UINT16_MAX, &port) || port == 0)
            return wrong;
        item.len = colon - 1;
    }
    if (item.len > 2 && item.p[0] == '[' && item.p[item.len - 1] == ']')
        return lb_addr_parse_v6(lb_bytes(item.p + 1, item.len - 2), &addr) ? NULL : wrong;
    return lb_addr_parse_v4(item, &addr) || lb_host_name_check(item, &offset) ? NULL : wrong;
}

/* cards: net0, net1, ..., or a MAC address. */
static const char *check_card(struct lb_bytes item) {
    uint8_t mac[6];
    uint64_t number;
    size_t len = 0;
    if (lb_bytes_start_with(item, lb_bytes_of_text("net")) &&
        lb_parse_u64(lb_bytes_after(item, 3), UINT16_MAX, &number))
        return NULL;
    return lb_parse_hex_bytes(item, lb_span(mac, sizeof mac), &len) && len == sizeof mac
               ? NULL
               : "is no MAC address, and no number such as net0";
}

static const char *check_route(struct lb_bytes item) {
    struct lb_route route;
    return lb_route_parse(item, &route) ? NULL
                                        : "is no NETWORK/LENGTH via ROUTER, of one family of "
                                          "addresses and without bits beyond the length";
}

static const char *check_addr(struct lb_bytes item) {
    struct lb_addr addr;
    return lb_addr_parse(item, &addr) ? NULL : "is no IP address";
}

static const char *check_choice(const char *choices, struct lb_bytes item) {
    struct lb_bytes list = lb_bytes_of_text(choices), word;
    while (lb_list_next(&list, '|', &word))
        if (lb_bytes_equal(word, item))
            return NULL;
    return "is none of the words";
}

static const char *check_item(const struct lb_key_info *info, struct lb_bytes item) {
    if (item.len == 0)
        return "is empty";
    switch ((enum lb_key_type)info->type) {
    case LB_TYPE_ADDRS:
        return check_addr(item);
    case LB_TYPE_CHOICES:
        return check_choice(lb_key_choices(info), item);
    case LB_TYPE_SERVERS:
        return check_server(item);
    case LB_TYPE_NAMES:
        return check_iscsi_name(item);
    case LB_TYPE_HOSTS:
        return check_host(item);
    case LB_TYPE_CARDS:
        return check_card(item);
    case LB_TYPE_ROUTES:
        return check_route(item);
    case LB_TYPE_LIST:
    case LB_TYPE_BOOL:
    case LB_TYPE_NUMBER:
    case LB_TYPE_DURATION:
    case LB_TYPE_TEXT:
    case LB_TYPE_HOSTNAME:
    case LB_TYPE_WORD:
    case LB_TYPE_SECRET:
    case LB_TYPE_ADDR:
    case LB_TYPE_PREFIX:
    case LB_TYPE_CHOICE:
    case LB_TYPE_BYTES:
        return NULL;
    }
    return NULL;
}

/* ---- lists ---------------------------------------------------------------------------------- */

bool lb_config_is_list(const struct lb_key_info *info) {
    static const uint8_t lists[] = {LB_TYPE_ADDRS, LB_TYPE_LIST,  LB_TYPE_CHOICES, LB_TYPE_SERVERS,
                                    LB_TYPE_NAMES, LB_TYPE_HOSTS, LB_TYPE_CARDS,   LB_TYPE_ROUTES};
    for (size_t i = 0; i < LB_COUNT(lists); i++)
        if (lists[i] == info->type)
            return true;
    return false;
}

/* lb_list_next does not tell "a," from "a". */
bool lb_config_list_check(const struct lb_key_info *info, struct lb_bytes list,
                          struct lb_config_item *wrong) {
    bool ends_in_comma = list.len > 0 && list.p[list.len - 1] == ',';
    struct lb_bytes item = {0};
    *wrong = (struct lb_config_item){.number = 1, .why = list.len == 0 ? "is empty" : NULL};
    for (; wrong->why == NULL && lb_list_next(&list, ',', &item); wrong->number++) {
        wrong->text = item;
        wrong->why = check_item(info, item);
        if (wrong->why != NULL)
            return false;
    }
    if (ends_in_comma) {
        wrong->text = lb_bytes("", 0);
        wrong->why = "is empty";
    }
    return wrong->why == NULL;
}

bool lb_config_forms_check(struct lb_bytes list, struct lb_config_item *wrong) {
    *wrong = (struct lb_config_item){.number = 1};
    for (; wrong->why == NULL && lb_list_next(&list, ',', &wrong->text); wrong->number++) {
        wrong->why = check_name_form(wrong->text);
        if (wrong->why != NULL)
            return false;
    }
    return true;
}
