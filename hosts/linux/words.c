/* Reading: which word is which. What they mean is in words_disk.c and words_net.c. */
#include "hosts/linux/machine.h"
#include "hosts/linux/words_parts.h"
#include <stdio.h>
#include <string.h>

/* ---- help for all parts ---------------------------------------------------------------------- */

void lb_words_note(struct lb_words *words, const char *format, ...) {
    va_list arguments;
    if (words->note_count == LB_WORDS_NOTES_MAX)
        return;
    char *note = words->notes[words->note_count++];
    struct lb_text text = lb_text(note, sizeof(words->notes[0]));
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
}

void lb_words_note_value(struct lb_words *words, const struct lb_words_word *word,
                         const char *after) {
    char shown[80];
    struct lb_text text = lb_text(shown, sizeof(shown));
    lb_text_given(&text, word->value, 40);
    lb_words_note(words, "%s=%s %s", word->name, shown, after);
}

static const char *place_of(enum lb_config_source source) {
    return source == LB_SOURCE_KERNEL ? "on the kernel command line"
                                      : "in open-iscsi's configuration";
}

bool lb_words_set(struct lb_words_run *run, enum lb_config_source source, const char *key,
                  struct lb_bytes value) {
    struct lb_error error = {.code = LB_OK};
    if (value.len == 0 || lb_config_set(run->config, source, lb_bytes_of_text(key), value, &error))
        return true;
    lb_fail(run->error, error.code, "%s: %s", place_of(source), error.facts);
    return false;
}

bool lb_words_wrong(struct lb_words_run *run, const struct lb_words_word *word,
                    struct lb_bytes value, const char *why) {
    char shown[120];
    struct lb_text text = lb_text(shown, sizeof(shown));
    lb_text_given(&text, value, 80);
    lb_fail(run->error, LB_E_CONFIG_VALUE, "%s=%s %s %s", word->name, shown, place_of(word->source),
            why);
    return false;
}

/* A MAC address with colons is one field: its length; 0: there is none. */
static size_t mac_len(struct lb_bytes text) {
    uint8_t mac[6];
    bool has = text.len >= 17 && text.p[2] == ':' && (text.len == 17 || text.p[17] == ':') &&
               lb_machine_parse_mac(lb_bytes(text.p, 17), mac);
    return has ? 17 : 0;
}

size_t lb_words_fields(struct lb_bytes text, struct lb_bytes *out, size_t cap) {
    size_t count = 0, start = 0;
    bool is_in = false;
    for (size_t i = 0; i <= text.len; i++) {
        if (i == start)
            i += mac_len(lb_bytes_after(text, start));
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

struct lb_bytes lb_words_without_brackets(struct lb_bytes text) {
    bool has = text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']';
    return has ? lb_bytes(text.p + 1, text.len - 2) : text;
}

bool lb_words_start_with(struct lb_bytes text, const char *prefix) {
    return lb_bytes_start_with(text, lb_bytes_of_text(prefix));
}

/* ---- which is which -------------------------------------------------------------------------- */

static void put_one(struct lb_words *words, enum lb_words_id id, const char *name,
                    struct lb_bytes value, enum lb_config_source source) {
    words->one[id] = (struct lb_words_word){.name = name, .value = value, .source = source};
}

static void put_list(struct lb_words *words, enum lb_words_list id, const char *name,
                     struct lb_bytes value, enum lb_config_source source) {
    const struct lb_words_word word = {.name = name, .value = value, .source = source};
    if (words->count[id] == LB_WORDS_MAX)
        lb_words_note_value(words, &word, "is one too many, and passed over");
    else
        words->list[id][words->count[id]++] = word;
}

static bool is_yes(struct lb_bytes value) {
    return !lb_text_is(value, "0") && !lb_text_is(value, "no") && !lb_text_is(value, "off") &&
           !lb_text_is(value, "false") && !lb_text_is(value, "n");
}

static void ask_ibft(struct lb_words *words, bool asks) {
    words->asks_ibft = asks;
    words->forbids_ibft = words->forbids_ibft || !asks;
}

/* With what follows "iscsi:"; root=iscsi and netroot=iscsi: have nothing there. */
static void take_root(struct lb_words *words, const char *name, struct lb_bytes value,
                      enum lb_config_source source) {
    bool is_dhcp6 = lb_text_is(value, "dhcp6");
    if (lb_text_is(value, "iscsi") || lb_text_is(value, "iscsi:"))
        words->asks_iscsi = true;
    else if (lb_text_begins(value, "iscsi:")) /* in any case, as a Root Path */
        put_list(words, LB_WORDS_DISK, name, lb_bytes_after(value, 6), source);
    else if (lb_text_is(value, "dhcp") || is_dhcp6)
        words->asks_dhcp = true;
    else if (lb_streq(name, "root"))
        put_one(words, LB_WORDS_ONE_ROOT, name, value, source);
    words->asks_dhcp6 = words->asks_dhcp6 || is_dhcp6;
}

/* What follows "rd.iscsi.", "iscsi_" or "ISCSI_", in small letters, with dots for underscores. */
static bool take_iscsi(struct lb_words *words, const char *name, const struct lb_bytes *value,
                       enum lb_config_source source) {
    static const struct {
        const char *name;
        enum lb_words_id id;
    } ones[] = {
        {"initiator", LB_WORDS_ONE_INITIATOR},     {"target.name", LB_WORDS_ONE_TARGET},
        {"target.ip", LB_WORDS_ONE_SERVERS},       {"target.port", LB_WORDS_ONE_PORT},
        {"target.lun", LB_WORDS_ONE_LUN},          {"lun", LB_WORDS_ONE_LUN},
        {"username", LB_WORDS_ONE_USER},           {"password", LB_WORDS_ONE_SECRET},
        {"in.username", LB_WORDS_ONE_TARGET_USER}, {"in.password", LB_WORDS_ONE_TARGET_SECRET},
    };
    struct lb_bytes given = value ? *value : lb_bytes("", 0);
    if (lb_streq(name, "firmware") || lb_streq(name, "ibft") || lb_streq(name, "auto")) {
        if (!value || given.len > 0) /* ISCSI_AUTO= is as if it were not there */
            ask_ibft(words, is_yes(given));
        return true;
    }
    if (lb_streq(name, "param")) {
        put_list(words, LB_WORDS_PARAM, "rd.iscsi.param", given, source);
        return true;
    }
    for (size_t i = 0; i < LB_COUNT(ones); i++) {
        if (!lb_streq(name, ones[i].name))
            continue;
        put_one(words, ones[i].id, ones[i].name, given, source);
        return true;
    }
    return false;
}

static bool take_iscsi_word(struct lb_words *words, struct lb_bytes name,
                            const struct lb_bytes *value, enum lb_config_source source) {
    char dotted[40];
    size_t prefix = lb_words_start_with(name, "rd.iscsi.") ? 9 : 6;
    if (!lb_text_copy(dotted, sizeof(dotted), lb_bytes_after(name, prefix)))
        return false;
    for (char *c = dotted; *c; c++)
        *c = *c == '_' ? '.' : (char)lb_ascii_lower((uint8_t)*c);
    return take_iscsi(words, dotted, value, source);
}

static bool take_net_word(struct lb_words *words, struct lb_bytes name, struct lb_bytes value,
                          enum lb_config_source source) {
    static const struct {
        const char *name;
        enum lb_words_id id;
    } ones[] = {
        {"bootdev", LB_WORDS_ONE_BOOTDEV},
        {"BOOTIF", LB_WORDS_ONE_BOOTIF},
        {"netmask", LB_WORDS_ONE_NETMASK},
        {"gateway", LB_WORDS_ONE_GATEWAY},
        {"hostname", LB_WORDS_ONE_HOSTNAME},
        {"ksdevice", LB_WORDS_ONE_KSDEVICE},
        {"mtu", LB_WORDS_ONE_MTU},
        {"ip6", LB_WORDS_ONE_IP6},
        {"rd.net.dhcp.vendor-class", LB_WORDS_ONE_VENDOR_CLASS},
        {"rd.net.timeout.dhcp", LB_WORDS_ONE_DHCP_TIMEOUT},
        {"rd.net.timeout.carrier", LB_WORDS_ONE_LINK_TIMEOUT},
        {"rd.net.timeout.iflink", LB_WORDS_ONE_LINK_TIMEOUT},
    };
    static const struct {
        const char *name;
        enum lb_words_list id;
    } lists[] = {
        {"ip", LB_WORDS_IP},
        {"ifname", LB_WORDS_IFNAME},
        {"nameserver", LB_WORDS_NAMESERVER},
        {"vlan", LB_WORDS_MADE},
        {"bond", LB_WORDS_MADE},
        {"team", LB_WORDS_MADE},
        {"bridge", LB_WORDS_MADE},
        {"rd.route", LB_WORDS_ROUTE},
    };
    for (size_t i = 0; i < LB_COUNT(ones); i++) {
        if (lb_text_is(name, ones[i].name)) {
            put_one(words, ones[i].id, ones[i].name, value, source);
            return true;
        }
    }
    for (size_t i = 0; i < LB_COUNT(lists); i++) {
        if (lb_text_is(name, lists[i].name)) {
            put_list(words, lists[i].id, lists[i].name, value, source);
            return true;
        }
    }
    return false;
}

bool lb_words_take(struct lb_words *words, struct lb_bytes name,
                   const struct lb_bytes *value_or_null, enum lb_config_source source) {
    struct lb_bytes value = value_or_null ? *value_or_null : lb_bytes("", 0);
    if (lb_text_is(name, "netroot") || lb_text_is(name, "root")) {
        take_root(words, lb_text_is(name, "root") ? "root" : "netroot", value, source);
        return true;
    }
    if (lb_text_is(name, "iscsiroot")) { /* what netroot=iscsi: was before */
        put_list(words, LB_WORDS_DISK, "iscsiroot", value, source);
        return true;
    }
    if (lb_text_is(name, "iscsi_param") || lb_words_start_with(name, "rd.iscsi.") ||
        lb_words_start_with(name, "iscsi_") || lb_words_start_with(name, "ISCSI_"))
        return take_iscsi_word(words, name, value_or_null, source);
    if (lb_text_is(name, "rd.bootif"))
        words->ignores_bootif = !is_yes(value);
    if (lb_text_is(name, "ip") && lb_words_ip_asks_ibft(value))
        words->asks_ibft = true;
    return take_net_word(words, name, value, source);
}

/* ---- a kernel command line ------------------------------------------------------------------- */

void lb_words_read_line(struct lb_words *words, struct lb_bytes line) {
    struct lb_bytes word;
    while (lb_config_next_word(&line, &word)) {
        struct lb_bytes name, value;
        bool has_value = lb_split_at(lb_config_unquote(word), '=', &name, &value);
        /* The single quotes of a shell are the kernel's to keep. */
        value = lb_bytes_unquote(lb_config_unquote(value), '\'');
        (void)lb_words_take(words, name, has_value ? &value : NULL, LB_SOURCE_KERNEL);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool names_a_disk(const struct lb_words *words) {
    const struct lb_words_word *target = &words->one[LB_WORDS_ONE_TARGET];
    /* open-iscsi's script asks for both in its file. */
    bool is_half =
        target->source == LB_SOURCE_OPEN_ISCSI && words->one[LB_WORDS_ONE_SERVERS].value.len == 0;
    return words->count[LB_WORDS_DISK] > 0 || (target->value.len > 0 && !is_half);
}

/* netroot=iscsi beside rd.iscsi.firmware: the disk is the table's. */
static bool asks_by_itself(const struct lb_words *words) {
    return names_a_disk(words) || words->asks_dhcp || (words->asks_iscsi && !words->asks_ibft);
}

bool lb_words_ask(const struct lb_words *words) {
    return asks_by_itself(words) || words->asks_ibft;
}

bool lb_words_configure(struct lb_words *words, struct lb_config *config, struct lb_error *error) {
    struct lb_words_run run = {.words = words, .config = config, .error = error};
    enum lb_config_source source = words->one[LB_WORDS_ONE_TARGET].source == LB_SOURCE_OPEN_ISCSI &&
                                           words->count[0] == 0 && !words->asks_dhcp &&
                                           !words->asks_iscsi
                                       ? LB_SOURCE_OPEN_ISCSI
                                       : LB_SOURCE_KERNEL;
    if (asks_by_itself(words))
        lb_words_set(&run, source, "enable", lb_bytes_of_text("yes"));
    if (words->forbids_ibft && !words->asks_ibft)
        lb_words_set(&run, LB_SOURCE_KERNEL, "ibft", lb_bytes_of_text("no"));
    /* DHCP is asked, and nobody else: dracut knows no other. */
    if (words->asks_dhcp && !names_a_disk(words) && !lb_config_is_set(config, LB_KEY_DISCOVERY))
        lb_words_set(&run, LB_SOURCE_KERNEL, "discovery", lb_bytes_of_text("off"));
    lb_words_configure_disks(&run);
    lb_words_configure_net(&run);
    return lb_is_ok(error);
}
