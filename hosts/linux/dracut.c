#include "hosts/linux/dracut.h"
#include "core/rootpath/rootpath.h"
#include "hosts/linux/machine.h"
#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 10 /* of ip= and netroot= */

struct words {
    struct lb_config *config;
    struct lb_error *error;
    char dns[256]; /* nameserver= may come several times */
};

static bool set(struct words *words, const char *key, struct lb_bytes value) {
    return value.len == 0 || lb_config_set(words->config, LB_SOURCE_KERNEL, lb_bytes_of_text(key),
                                           value, words->error);
}

static bool set_text(struct words *words, const char *key, const char *value) {
    return set(words, key, lb_bytes_of_text(value));
}

static bool wrong(struct words *words, const char *word, struct lb_bytes value) {
    char shown[120];
    struct lb_text text = lb_text(shown, sizeof(shown));
    lb_text_given(&text, value, 80);
    lb_fail(words->error, LB_E_CONFIG_VALUE, "%s=%s on the kernel command line", word, shown);
    return false;
}

/* ---- splitting --------------------------------------------------------------------------------
 */

/* "name=value", or "name". */
static void split(struct lb_bytes word, struct lb_bytes *name, struct lb_bytes *value) {
    size_t at = 0;
    while (at < word.len && word.p[at] != '=')
        at++;
    *name = lb_bytes(word.p, at);
    *value = at < word.len ? lb_config_unquote(lb_bytes_after(word, at + 1)) : lb_bytes("", 0);
}

/* By colons, but not inside [brackets]; the last field has what is left. */
static size_t fields(struct lb_bytes text, struct lb_bytes *out, size_t cap) {
    size_t count = 0, start = 0;
    bool is_in = false;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && (text.p[i] == '[' || text.p[i] == ']'))
            is_in = text.p[i] == '[';
        if (i < text.len && (text.p[i] != ':' || is_in || count + 1 == cap))
            continue;
        out[count] = lb_bytes_after(text, start);
        out[count++].len = i - start;
        start = i + 1;
    }
    return count;
}

/* By all colons; the last field has what is left. */
static size_t split_all(struct lb_bytes text, struct lb_bytes *out, size_t cap) {
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && (text.p[i] != ':' || count + 1 == cap))
            continue;
        out[count] = lb_bytes_after(text, start);
        out[count++].len = i - start;
        start = i + 1;
    }
    return count;
}

static struct lb_bytes without_brackets(struct lb_bytes text) {
    bool has = text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']';
    return has ? lb_bytes(text.p + 1, text.len - 2) : text;
}

static bool starts_with(struct lb_bytes text, const char *prefix) {
    return lb_bytes_start_with(text, lb_bytes_of_text(prefix));
}

/* ---- the disk ---------------------------------------------------------------------------------
 */

/* USER:SECRET, or USER:SECRET:TARGETUSER:TARGETSECRET. What is wrong is not shown: a colon too many
 * may stand in a secret. */
static bool set_credentials(struct words *words, struct lb_bytes text) {
    struct lb_bytes part[5] = {{0}};
    size_t count = split_all(text, part, LB_COUNT(part));
    bool is_whole = count == 2 || count == 4;
    for (size_t i = 0; i < count; i++)
        is_whole = is_whole && part[i].len > 0;
    if (!is_whole) {
        lb_fail(words->error, LB_E_CONFIG_HALF,
                "netroot=iscsi: on the kernel command line: before the @ stands neither "
                "USER:SECRET nor USER:SECRET:TARGETUSER:TARGETSECRET");
        return false;
    }
    return set(words, "chap-name", part[0]) && set(words, "chap-secret", part[1]) &&
           set(words, "chap-target-name", part[2]) && set(words, "chap-target-secret", part[3]);
}

/* What follows "iscsi:". A target's name has colons of its own: it begins at the fifth field, or at
 * the seventh where an interface and a device of iscsid's stand before the LUN. */
/* The last @ before the target's name: a secret may have others, and so may a name. */
static size_t find_at(struct lb_bytes text) {
    static const char *const starts[] = {":iqn.", ":eui.", ":naa."};
    size_t end = text.len, found = text.len;
    for (size_t i = 0; i < text.len && end == text.len; i++) {
        for (size_t j = 0; j < LB_COUNT(starts); j++)
            end = starts_with(lb_bytes_after(text, i), starts[j]) ? i : end;
    }
    for (size_t i = 0; i < end; i++)
        found = text.p[i] == '@' ? i : found;
    return found;
}

/* Nothing of it is shown, unless it begins with an address: who forgot the @ wrote a secret. */
static bool wrong_netroot(struct words *words, struct lb_bytes text) {
    struct lb_bytes first = {0};
    struct lb_addr addr;
    struct lb_bytes part[2] = {{0}};
    fields(text, part, 2);
    first = without_brackets(part[0]);
    if (first.len == 0 || lb_addr_parse(first, &addr))
        return wrong(words, "netroot", text);
    return wrong(words, "netroot", lb_bytes_of_text("@"));
}

static bool is_target(struct lb_bytes text) {
    return starts_with(text, "iqn.") || starts_with(text, "eui.") || starts_with(text, "naa.");
}

/* SERVER:PROTOCOL:PORT:LUN:TARGET. A target's name has colons of its own: it begins at the fifth
 * field, or at the seventh where an interface and a device of iscsid's stand before the LUN. */
static bool set_place(struct words *words, struct lb_bytes text) {
    struct lb_bytes part[7] = {{0}};
    size_t count = fields(text, part, 5);
    if (count == 5 && !is_target(part[4]))
        count = fields(text, part, 7);
    if (count != 5 && count != 7)
        return wrong_netroot(words, text);
    return set(words, "server", without_brackets(part[0])) && set(words, "port", part[2]) &&
           set(words, "lun", part[count - 2]) && set(words, "target", part[count - 1]) &&
           (count == 5 || set(words, "interface", part[4]));
}

/* Whether what stands behind the @ is a place, as far as it can be told: else it may be the rest of
 * a secret. */
static bool is_place(struct lb_bytes text) {
    struct lb_bytes part[7] = {{0}};
    uint8_t lun[8];
    size_t count = fields(text, part, 5);
    if (count == 5 && !is_target(part[4]))
        count = fields(text, part, 7);
    enum lb_host_kind kind;
    struct lb_addr addr;
    char name[LB_HOST_MAX + 1];
    size_t offset;
    if (count != 5 && count != 7)
        return false;
    return (part[count - 2].len == 0 || lb_lun_parse(part[count - 2], lun, &offset)) &&
           lb_host_parse(without_brackets(part[0]), true, &kind, &addr, name, &offset);
}

/* What follows "iscsi:". With a name and a secret before an @, an error shows nothing. */
static bool set_netroot(struct words *words, struct lb_bytes text) {
    size_t at = find_at(text);
    if (at == text.len)
        return set_place(words, text);
    struct lb_bytes place = lb_bytes_after(text, at + 1);
    if (!set_credentials(words, lb_bytes(text.p, at)))
        return false;
    if (is_place(place) && set_place(words, place))
        return true;
    *words->error = (struct lb_error){.code = LB_OK};
    lb_fail(words->error, LB_E_CONFIG_VALUE,
            "netroot=iscsi: on the kernel command line: behind the @ stands no "
            "SERVER:PROTOCOL:PORT:LUN:TARGET (not shown: it may hold a secret)");
    return false;
}

static bool is_yes(struct lb_bytes value) {
    return !lb_text_is(value, "0") && !lb_text_is(value, "no") && !lb_text_is(value, "off");
}

static bool is_credential(const char *key) {
    return strncmp(key, "chap-", 5) == 0;
}

/* What follows "rd.iscsi." or "iscsi_", with dots for underscores. */
static bool set_iscsi_word(struct words *words, const char *name, struct lb_bytes value) {
    static const struct {
        const char *name, *key;
    } keys[] = {
        {"initiator", "initiator"},
        {"target.name", "target"},
        {"target.ip", "server"},
        {"target.port", "port"},
        {"username", "chap-name"},
        {"password", "chap-secret"},
        {"in.username", "chap-target-name"},
        {"in.password", "chap-target-secret"},
    };
    if (lb_streq(name, "firmware") || lb_streq(name, "ibft") || lb_streq(name, "auto"))
        return is_yes(value) || set_text(words, "ibft", "no");
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        if (!lb_streq(name, keys[i].name))
            continue;
        if (lb_streq(name, "target.name") && !set_text(words, "enable", "yes"))
            return false;
        if (value.len == 0 && is_credential(keys[i].key)) {
            lb_fail(words->error, LB_E_CONFIG_HALF, "rd.iscsi.%s= on the kernel command line",
                    name);
            return false;
        }
        return set(words, keys[i].key, without_brackets(value));
    }
    return true;
}

static bool take_iscsi_word(struct words *words, struct lb_bytes name, struct lb_bytes value) {
    char dotted[40];
    bool is_dracut = starts_with(name, "rd.iscsi.");
    name = lb_bytes_after(name, is_dracut ? 9 : 6);
    if (!lb_text_copy(dotted, sizeof(dotted), name))
        return true;
    for (char *c = dotted; *c; c++) {
        if (*c == '_')
            *c = '.';
    }
    return set_iscsi_word(words, dotted, value);
}

/* ---- the interface ----------------------------------------------------------------------------
 */

static bool is_method(struct lb_bytes text) {
    static const char *const methods[] = {"dhcp",        "on",    "any",  "both",    "dhcp4",
                                          "dhcp6",       "auto6", "auto", "either6", "link6",
                                          "single-dhcp", "ibft",  "none", "off"};
    for (size_t i = 0; i < LB_COUNT(methods); i++) {
        if (lb_text_is(text, methods[i]))
            return true;
    }
    return false;
}

static bool set_method(struct words *words, struct lb_bytes method) {
    if (lb_text_is(method, "dhcp6") || lb_text_is(method, "auto6") || lb_text_is(method, "link6"))
        return set_text(words, "family", "6");
    if (lb_text_is(method, "dhcp4"))
        return set_text(words, "family", "4");
    return true;
}

/* An address and its netmask, which is dotted, or a length, or behind the address itself. */
static bool set_address(struct words *words, struct lb_bytes address, struct lb_bytes mask) {
    char value[80];
    struct lb_text text = lb_text(value, sizeof(value));
    struct lb_addr dotted;
    uint64_t number;
    uint8_t len;
    address = without_brackets(address);
    lb_text_add(&text, "%.*s", (int)address.len, (const char *)address.p);
    if (lb_addr_parse_v4(mask, &dotted) && lb_mask_len(dotted, &len))
        lb_text_add(&text, "/%u", len);
    else if (lb_parse_u64(mask, 128, &number))
        lb_text_add(&text, "/%u", (unsigned)number);
    else if (mask.len > 0)
        return wrong(words, "ip", mask);
    if (text.cut)
        return wrong(words, "ip", address);
    return set_text(words, "address", value);
}

static bool add_dns(struct words *words, struct lb_bytes server) {
    size_t used = strlen(words->dns);
    server = without_brackets(server);
    if (server.len == 0)
        return true;
    struct lb_text list = {.at = words->dns, .len = used, .cap = sizeof(words->dns)};
    lb_text_add(&list, "%s%.*s", used > 0 ? "," : "", (int)server.len, (const char *)server.p);
    if (list.cut)
        return wrong(words, "nameserver", server);
    return set_text(words, "dns", words->dns);
}

/* The two fields after the method are an MTU and a MAC address, or two resolvers. */
static bool set_rest(struct words *words, struct lb_bytes first, struct lb_bytes second) {
    uint64_t mtu;
    if (lb_parse_u64(first, 65535, &mtu))
        return set(words, "mtu", first);
    return add_dns(words, first) && add_dns(words, second);
}

static bool set_ip(struct words *words, struct lb_bytes value) {
    struct lb_bytes part[FIELDS_MAX] = {{0}};
    size_t count = fields(value, part, FIELDS_MAX);
    if (count == 1 && is_method(part[0]))
        return set_method(words, part[0]);
    if (count >= 2 && is_method(part[1]))
        return set(words, "interface", part[0]) && set_method(words, part[1]) &&
               set_rest(words, part[2], lb_bytes("", 0));
    if (count < 4)
        return wrong(words, "ip", value);
    return (part[0].len == 0 || set_address(words, part[0], part[3])) &&
           set(words, "gateway", without_brackets(part[2])) && set(words, "hostname", part[4]) &&
           set(words, "interface", part[5]) && set_method(words, part[6]) &&
           set_rest(words, part[7], part[8]);
}

/* PXELINUX's "01-52-54-00-12-34-56": hardware type and address of the card that was booted from. */
static bool set_bootif(struct words *words, struct lb_bytes value) {
    uint8_t mac[6];
    char name[32], digits[16] = "";
    size_t len, at = 0;
    struct lb_bytes rest = value.len == 20 ? lb_bytes_after(value, 3) : value;
    for (size_t i = 0; i < rest.len && at < 12; i++) {
        if (rest.p[i] != '-' && rest.p[i] != ':')
            digits[at++] = (char)rest.p[i];
    }
    if (!lb_parse_hex_bytes(lb_bytes(digits, at), lb_span(mac, 6), &len) || len != 6)
        return wrong(words, "BOOTIF", value);
    return !lb_machine_interface_of(mac, name, sizeof(name)) || set_text(words, "interface", name);
}

/* ---- a word -----------------------------------------------------------------------------------
 */

static bool take_word(struct words *words, struct lb_bytes word) {
    struct lb_bytes name, value;
    split(word, &name, &value);
    if (lb_text_is(name, "netroot") || lb_text_is(name, "root")) {
        if (!starts_with(value, "iscsi"))
            return true;
        return set_text(words, "enable", "yes") &&
               (!starts_with(value, "iscsi:") || value.len == 6 ||
                set_netroot(words, lb_bytes_after(value, 6)));
    }
    if (starts_with(name, "rd.iscsi.") || starts_with(name, "iscsi_"))
        return take_iscsi_word(words, name, value);
    if (lb_text_is(name, "ip"))
        return value.len == 0 || set_ip(words, value);
    if (lb_text_is(name, "nameserver"))
        return add_dns(words, value);
    if (lb_text_is(name, "BOOTIF"))
        return set_bootif(words, value);
    if (lb_text_is(name, "bootdev"))
        return set(words, "interface", value);
    return true;
}

bool lb_dracut_configure(struct lb_bytes cmdline, struct lb_config *config,
                         struct lb_error *error) {
    struct words words = {.config = config, .error = error};
    struct lb_bytes word;
    while (lb_config_next_word(&cmdline, &word)) {
        if (!take_word(&words, lb_config_unquote(word)))
            return false;
    }
    return true;
}

/* ---- the firmware's table ---------------------------------------------------------------------
 */

static bool is_word_for_ibft(struct lb_bytes name) {
    static const char *const words[] = {"rd.iscsi.firmware", "rd.iscsi.ibft", "rd.iscsi.auto",
                                        "iscsi_firmware",    "iscsi_ibft",    "iscsi_auto"};
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        if (lb_text_is(name, words[i]))
            return true;
    }
    return false;
}

static bool is_method_ibft(struct lb_bytes value) {
    struct lb_bytes part[FIELDS_MAX] = {{0}};
    size_t count = fields(value, part, FIELDS_MAX);
    return lb_text_is(part[0], "ibft") || (count >= 2 && lb_text_is(part[1], "ibft")) ||
           (count >= 7 && lb_text_is(part[6], "ibft"));
}

bool lb_dracut_wants_ibft(struct lb_bytes cmdline) {
    struct lb_bytes word, name, value;
    bool wants = false;
    while (lb_config_next_word(&cmdline, &word)) {
        split(lb_config_unquote(word), &name, &value);
        if (is_word_for_ibft(name))
            wants = is_yes(value);
        else if (lb_text_is(name, "ip") && is_method_ibft(value))
            wants = true;
    }
    return wants;
}
