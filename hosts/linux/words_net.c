/* The interface and its addresses, as the words name them. There is one interface for the disk;
 * of several ip= the one counts that leads to it. */
#include "hosts/linux/machine.h"
#include "hosts/linux/words_parts.h"
#include <string.h>

#define FIELDS_MAX 10 /* of ip=: the last one is a server of time */

enum { V4 = 1, V6 = 2 };

/* One ip=. */
struct ip {
    const struct lb_words_word *word;
    struct lb_bytes dev; /* empty: any */
    unsigned families;   /* asked for; 0: not said */
    bool is_idle;        /* off, none, ibft: asks for nothing by itself */
    struct lb_bytes address, mask, gateway, hostname, mtu, dns[2];
};

struct ips {
    struct ip ip[LB_WORDS_MAX];
    size_t count;
};

static const struct lb_words_word *one(const struct lb_words_run *run, enum lb_words_id id) {
    return &run->words->one[id];
}

/* ---- ip=: methods ---------------------------------------------------------------------------- */

static bool read_method(struct lb_bytes text, struct ip *ip) {
    static const struct {
        const char *word;
        unsigned families;
        bool is_idle;
    } methods[] = {
        {"dhcp", V4 | V6, false}, {"on", V4 | V6, false},   {"any", V4 | V6, false},
        {"both", V4 | V6, false}, {"all", V4 | V6, false},  {"single-dhcp", V4 | V6, false},
        {"bootp", V4, false},     {"rarp", V4, false},      {"dhcp4", V4, false},
        {"dhcp6", V6, false},     {"auto", V4 | V6, false}, {"auto6", V6, false},
        {"either6", V6, false},   {"link6", V6, false},     {"link-local", V4, false},
        {"ibft", 0, true},        {"none", 0, true},        {"off", 0, true},
        {"static", 0, true},      {"disabled", 0, true},
    };
    for (size_t i = 0; i < LB_COUNT(methods); i++) {
        if (!lb_text_is(text, methods[i].word))
            continue;
        ip->families |= methods[i].families;
        ip->is_idle = methods[i].is_idle;
        return true;
    }
    return false;
}

/* "dhcp", or "dhcp,dhcp6". dhcp beside others is IPv4's. */
static bool read_methods(struct lb_bytes text, struct ip *ip) {
    struct ip read = *ip;
    struct lb_bytes item;
    bool is_one = false;
    while (lb_list_next(&text, ',', &item)) {
        if (!read_method(item, &read))
            return false;
        is_one = true;
    }
    if (is_one)
        *ip = read;
    return is_one;
}

bool lb_words_ip_asks_ibft(struct lb_bytes value) {
    struct lb_bytes part[FIELDS_MAX] = {{0}};
    size_t count = lb_words_fields(value, part, FIELDS_MAX);
    return (count == 1 && lb_text_is(part[0], "ibft")) ||
           (count >= 2 && count < 7 && lb_text_is(part[1], "ibft")) ||
           (count >= 7 && lb_text_is(part[6], "ibft"));
}

/* ---- ip=: forms ------------------------------------------------------------------------------ */

static bool is_address(struct lb_bytes text) {
    struct lb_prefix prefix;
    return lb_prefix_parse(lb_words_without_brackets(text), &prefix);
}

static bool is_number(struct lb_bytes text) {
    uint64_t number;
    return lb_parse_u64(text, 65535, &number);
}

/* Behind the method stand an MTU and a MAC address, or two resolvers. A MAC address is for a card
 * to take on, which is not done here. */
static void take_rest(struct ip *ip, struct lb_bytes first, struct lb_bytes second) {
    if (is_number(first))
        ip->mtu = first;
    else
        ip->dns[0] = is_address(first) ? first : lb_bytes("", 0);
    ip->dns[1] = is_address(second) ? second : lb_bytes("", 0);
}

/* ADDRESS alone, as installers have it: the rest is in words of its own. */
static void take_installers(const struct lb_words_run *run, struct ip *ip) {
    struct lb_bytes device = one(run, LB_WORDS_ONE_KSDEVICE)->value;
    bool is_other = lb_text_is(device, "link") || lb_text_is(device, "ibft");
    ip->address = ip->word->value;
    ip->mask = one(run, LB_WORDS_ONE_NETMASK)->value;
    ip->gateway = one(run, LB_WORDS_ONE_GATEWAY)->value;
    ip->hostname = one(run, LB_WORDS_ONE_HOSTNAME)->value;
    ip->mtu = one(run, LB_WORDS_ONE_MTU)->value;
    ip->dev = is_other ? lb_bytes("", 0) : device;
    ip->is_idle = true;
}

/* [ADDRESS]/LENGTH, as NetworkManager has it: the length goes where the mask stands. */
static struct lb_bytes without_length(struct lb_bytes text, struct lb_bytes *mask) {
    size_t end = 0;
    while (end < text.len && text.p[end] != ']')
        end++;
    if (text.len == 0 || text.p[0] != '[' || end + 2 >= text.len || text.p[end + 1] != '/')
        return text;
    if (mask->len == 0)
        *mask = lb_bytes_after(text, end + 2);
    return lb_bytes(text.p, end + 1);
}

/* False: it is of no known form, and may be somebody else's: live systems have their own. */
static bool read_ip(const struct lb_words_run *run, const struct lb_words_word *word,
                    struct ip *ip) {
    struct lb_bytes part[FIELDS_MAX] = {{0}};
    size_t count = lb_words_fields(word->value, part, FIELDS_MAX);
    *ip = (struct ip){.word = word};
    if (count == 1 && is_address(part[0])) {
        take_installers(run, ip);
        return true;
    }
    if (count == 1)
        return read_methods(part[0], ip);
    if (!is_address(part[0]) && read_methods(part[1], ip)) {
        ip->dev = part[0];
        take_rest(ip, part[2], lb_bytes("", 0));
        return true;
    }
    part[0] = without_length(part[0], &part[3]);
    if (count < 4 || (part[0].len > 0 && !is_address(part[0])) ||
        (part[6].len > 0 && !read_methods(part[6], ip)))
        return false;
    ip->address = part[0];
    ip->gateway = part[2];
    ip->mask = part[3];
    ip->hostname = part[4];
    ip->dev = part[5];
    take_rest(ip, part[7], part[8]);
    return true;
}

static void read_ips(struct lb_words_run *run, struct ips *ips) {
    struct lb_words *words = run->words;
    for (size_t i = 0; i < words->count[LB_WORDS_IP]; i++) {
        const struct lb_words_word *word = &words->list[LB_WORDS_IP][i];
        if (word->value.len == 0)
            continue;
        if (read_ip(run, word, &ips->ip[ips->count]))
            ips->count++;
        else
            lb_words_note_value(words, word, "is not understood, and passed over");
    }
}

/* ---- interfaces and their names -------------------------------------------------------------- */

struct name {
    char s[32]; /* a name, or a MAC address with colons; empty: none */
};

static struct name mac_name(const uint8_t mac[6]) {
    struct name name;
    lb_format(name.s, sizeof(name.s), "%s", lb_mac_text(mac).s);
    return name;
}

static bool bootif(const struct lb_words_run *run, uint8_t mac[6]) {
    return !run->words->ignores_bootif &&
           lb_machine_parse_mac(one(run, LB_WORDS_ONE_BOOTIF)->value, mac);
}

static bool is_bootif(struct lb_bytes dev) {
    return lb_text_is(dev, "BOOTIF") || lb_text_is(dev, "bootif");
}

/* ifname=NAME:MAC gives an interface a name: it is the one with that address, whatever its name. */
static bool renamed(const struct lb_words_run *run, struct lb_bytes text, uint8_t mac[6]) {
    const struct lb_words *words = run->words;
    for (size_t i = 0; i < words->count[LB_WORDS_IFNAME]; i++) {
        struct lb_bytes value = words->list[LB_WORDS_IFNAME][i].value, part[2] = {{0}};
        if (lb_words_fields(value, part, 2) == 2 && lb_bytes_equal(part[0], text) &&
            lb_machine_parse_mac(part[1], mac))
            return true;
    }
    return false;
}

/* A name of udev's that is an address: enx525400123456. */
static bool is_enx(struct lb_bytes text, uint8_t mac[6]) {
    return text.len == 15 && lb_words_start_with(text, "enx") &&
           lb_machine_parse_mac(lb_bytes_after(text, 3), mac);
}

static struct name name_of(const struct lb_words_run *run, struct lb_bytes text) {
    struct name name = {""};
    uint8_t mac[6];
    if (is_bootif(text))
        return bootif(run, mac) ? mac_name(mac) : name;
    if (text.len >= 17 && lb_machine_parse_mac(text, mac))
        return mac_name(mac);
    if (is_enx(text, mac) || renamed(run, text, mac))
        return mac_name(mac);
    lb_format(name.s, sizeof(name.s), "%.*s", (int)LB_MIN(text.len, sizeof(name.s)),
              (const char *)text.p);
    return name;
}

static bool is_same(const struct name *a, const struct name *b) {
    return a->s[0] != '\0' && lb_streq(a->s, b->s);
}

/* ---- which ip= ------------------------------------------------------------------------------- */

/* An address with its prefix: behind it, or a dotted mask, or a number, or by its class as the
 * kernel does. */
static bool prefix_of(const struct ip *ip, struct lb_prefix *prefix) {
    struct lb_bytes text = lb_words_without_brackets(ip->address);
    struct lb_addr mask;
    uint64_t number;
    bool has_length = false;
    for (size_t i = 0; i < text.len; i++)
        has_length = has_length || text.p[i] == '/';
    if (!lb_prefix_parse(text, prefix))
        return false;
    uint8_t whole = prefix->addr.family == LB_V4 ? 32 : 128, first = prefix->addr.bytes[0];
    if (lb_addr_parse_v4(ip->mask, &mask))
        return prefix->addr.family == LB_V4 && lb_mask_len(mask, &prefix->len);
    if (ip->mask.len > 0) {
        if (!lb_parse_u64(ip->mask, whole, &number))
            return false;
        prefix->len = (uint8_t)number;
    } else if (!has_length) {
        prefix->len = prefix->addr.family == LB_V6 ? 64 : first < 128 ? 8 : first < 192 ? 16 : 24;
    }
    return true;
}

static bool is_on_link(const struct ip *ip, struct lb_bytes server) {
    struct lb_prefix prefix;
    struct lb_addr addr;
    return ip->address.len > 0 && prefix_of(ip, &prefix) && lb_addr_parse(server, &addr) &&
           prefix.addr.family == addr.family && lb_prefix_has(prefix, addr);
}

static bool counts(const struct ip *ip) {
    return !ip->is_idle || ip->address.len > 0 || ip->dev.len > 0;
}

/* The one of this interface; else one that names none. */
static const struct ip *find_of(const struct lb_words_run *run, const struct ips *ips,
                                const struct name *name) {
    const struct ip *found = NULL;
    for (size_t i = 0; i < ips->count; i++) {
        struct name its = name_of(run, ips->ip[i].dev);
        if (is_same(&its, name))
            return &ips->ip[i];
        if (its.s[0] == '\0' && counts(&ips->ip[i]))
            found = &ips->ip[i];
    }
    return found;
}

/* Where nobody says which interface leads to the disk: the only one; the one in whose network its
 * server is; of several static ones the first with a router. NULL: all cards may be asked. */
static const struct ip *choose_ip(const struct lb_words_run *run, const struct ips *ips) {
    const struct ip *first = NULL, *routed = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ips->count; i++) {
        const struct ip *ip = &ips->ip[i];
        if (is_on_link(ip, run->server))
            return ip;
        if (!counts(ip))
            continue;
        count++;
        if (!first)
            first = ip;
        if (!routed && ip->address.len > 0 && ip->gateway.len > 0)
            routed = ip;
    }
    return count == 1 ? first : routed;
}

/* The interface that is named beside ip=. */
static struct name named(const struct lb_words_run *run) {
    struct name name = name_of(run, one(run, LB_WORDS_ONE_BOOTDEV)->value);
    return name.s[0] != '\0' ? name : name_of(run, run->netdev);
}

/* ---- as configuration ------------------------------------------------------------------------ */

/* What a boot can do without. */
static void set_or_note(struct lb_words_run *run, const struct lb_words_word *word, const char *key,
                        struct lb_bytes value) {
    struct lb_error error = {.code = LB_OK};
    char after[60];
    if (value.len == 0 ||
        lb_config_set(run->config, word->source, lb_bytes_of_text(key), value, &error))
        return;
    lb_format(after, sizeof(after), "has no valid %s, and none is set", key);
    lb_words_note_value(run->words, word, after);
}

static void set_address(struct lb_words_run *run, const struct ip *ip) {
    struct lb_prefix prefix;
    if (ip->address.len == 0)
        return;
    if (prefix_of(ip, &prefix))
        lb_words_set(run, ip->word->source, "address", lb_bytes_of_text(lb_prefix_text(prefix).s));
    else
        lb_words_wrong(run, ip->word, ip->word->value, "has no valid netmask or prefix length");
}

/* 0.0.0.0 is how some write that there is none. */
static void set_gateway(struct lb_words_run *run, const struct ip *ip) {
    struct lb_bytes gateway = lb_words_without_brackets(ip->gateway);
    struct lb_addr addr;
    if (!lb_addr_parse(gateway, &addr) || !lb_addr_is_zero(addr))
        lb_words_set(run, ip->word->source, "gateway", gateway);
}

/* A family that all ip= leave out is not asked. */
static void set_family(struct lb_words_run *run, const struct ips *ips) {
    struct lb_bytes ip6 = one(run, LB_WORDS_ONE_IP6)->value;
    unsigned families = 0;
    bool is_off = lb_text_is(ip6, "off") || lb_text_is(ip6, "none"), has_v6_address = false;
    bool is_v4_off = false;
    for (size_t i = 0; i < ips->count; i++) {
        struct lb_prefix prefix;
        families |= ips->ip[i].families;
        is_v4_off = is_v4_off || (!counts(&ips->ip[i]) && ips->count == 1);
        has_v6_address =
            has_v6_address || (prefix_of(&ips->ip[i], &prefix) && prefix.addr.family == LB_V6);
    }
    if (is_v4_off && ip6.len > 0 && !is_off)
        families = V6;
    if (is_off && !has_v6_address && families != V6)
        families = V4;
    if (families == 0 && run->words->asks_dhcp6)
        families = V6;
    if (families == V4 || families == V6)
        lb_words_set(run, LB_SOURCE_KERNEL, "family", lb_bytes_of_text(families == V6 ? "6" : "4"));
}

static void set_dns(struct lb_words_run *run, const struct ip *ip) {
    char list[257];
    struct lb_text text = lb_text(list, sizeof(list));
    const struct lb_words *words = run->words;
    for (size_t i = 0; ip && i < LB_COUNT(ip->dns); i++) {
        struct lb_bytes server = lb_words_without_brackets(ip->dns[i]);
        struct lb_addr addr;
        if (lb_addr_parse(server, &addr) && !lb_addr_is_zero(addr))
            lb_text_add(&text, "%s%s", text.len > 0 ? "," : "", lb_addr_text(addr).s);
    }
    for (size_t i = 0; i < words->count[LB_WORDS_NAMESERVER]; i++) {
        const struct lb_words_word *word = &words->list[LB_WORDS_NAMESERVER][i];
        struct lb_bytes server = lb_words_without_brackets(word->value);
        struct lb_addr addr;
        if (lb_addr_parse(server, &addr))
            lb_text_add(&text, "%s%s", text.len > 0 ? "," : "", lb_addr_text(addr).s);
        else if (server.len > 0)
            lb_words_note_value(run->words, word, "is no IP address, and passed over");
    }
    if (text.cut)
        lb_words_note(run->words, "so many nameserver= are passed over");
    else
        lb_words_set(run, LB_SOURCE_KERNEL, "dns", lb_bytes(list, text.len));
}

/* NETWORK/MASK; an address alone, or `default`, as `ip route` has them. */
static bool read_network(struct lb_bytes text, struct lb_bytes router, struct lb_prefix *to) {
    struct ip net = {.word = NULL};
    struct lb_addr via;
    if (lb_split_at(text, '/', &net.address, &net.mask))
        return prefix_of(&net, to);
    *to = (struct lb_prefix){0};
    if (lb_text_is(text, "default")) {
        to->addr.family = lb_addr_parse(router, &via) ? via.family : LB_V4;
        return true;
    }
    to->len = lb_addr_parse(text, &to->addr) && to->addr.family == LB_V4 ? 32 : 128;
    return to->addr.family != LB_FAMILY_NONE;
}

/* NETWORK:[ROUTER]:[INTERFACE], with IPv6 in brackets. */
static bool read_route(struct lb_words_run *run, struct lb_bytes value, const struct name *ours,
                       struct lb_text *text, bool *is_others) {
    struct lb_bytes part[3] = {{0}};
    struct lb_prefix to;
    struct lb_addr via;
    size_t count = lb_words_fields(value, part, 3);
    struct name name = name_of(run, part[2]);
    struct lb_bytes first = lb_words_without_brackets(part[0]);
    struct lb_bytes router = lb_words_without_brackets(part[1]);
    if (count < 2 || !read_network(first, router, &to) ||
        (router.len > 0 && (!lb_addr_parse(router, &via) || via.family != to.addr.family)))
        return false;
    *is_others = name.s[0] != '\0' && ours->s[0] != '\0' && !is_same(&name, ours);
    to.addr = lb_addr_mask(to.addr, to.len);
    if (*is_others)
        return true;
    lb_text_add(text, "%s%s", text->len > 0 ? ", " : "", lb_prefix_text(to).s);
    if (router.len > 0)
        lb_text_add(text, " via %s", lb_addr_text(via).s);
    return true;
}

static void set_routes(struct lb_words_run *run, const struct name *ours) {
    char list[1025];
    struct lb_text text = lb_text(list, sizeof(list));
    const struct lb_words *words = run->words;
    for (size_t i = 0; i < words->count[LB_WORDS_ROUTE]; i++) {
        const struct lb_words_word *word = &words->list[LB_WORDS_ROUTE][i];
        bool is_others = false;
        if (!read_route(run, word->value, ours, &text, &is_others))
            lb_words_note_value(run->words, word, "is no route, and passed over");
        if (is_others)
            lb_words_note_value(run->words, word, "is for another interface, and passed over");
    }
    if (text.cut)
        lb_words_note(run->words, "so many rd.route= are passed over");
    else
        lb_words_set(run, LB_SOURCE_KERNEL, "routes", lb_bytes(list, text.len));
}

/* ---- what would have to be made -------------------------------------------------------------- */

static struct lb_bytes made_name(const struct lb_words_word *word) {
    struct lb_bytes part[2] = {{0}};
    lb_words_fields(word->value, part, 2);
    if (part[0].len > 0)
        return part[0];
    return lb_bytes_of_text(lb_streq(word->name, "bond")   ? "bond0"
                            : lb_streq(word->name, "team") ? "team0"
                                                           : "br0");
}

/* Where no interface is named, dracut would ask by the one that it made. */
static void note_made(struct lb_words_run *run, const struct name *ours) {
    struct lb_words *words = run->words;
    for (size_t i = 0; i < words->count[LB_WORDS_MADE]; i++) {
        const struct lb_words_word *word = &words->list[LB_WORDS_MADE][i];
        struct lb_bytes name = made_name(word);
        if (!lb_interface_name_is_plain(name) || name.len >= sizeof(words->not_made_name) ||
            (ours->s[0] != '\0' && !lb_text_is(name, ours->s)))
            continue;
        lb_text_copy(words->not_made_name, sizeof(words->not_made_name), name);
        lb_format(words->not_made, sizeof(words->not_made), "%s, of %s=", words->not_made_name,
                  word->name);
        return;
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void set_ones(struct lb_words_run *run) {
    static const struct {
        enum lb_words_id id;
        const char *key;
    } ones[] = {
        {LB_WORDS_ONE_DHCP_TIMEOUT, "dhcp-timeout"},
        {LB_WORDS_ONE_LINK_TIMEOUT, "link-timeout"},
        {LB_WORDS_ONE_VENDOR_CLASS, "vendor-class"},
    };
    for (size_t i = 0; i < LB_COUNT(ones); i++)
        set_or_note(run, one(run, ones[i].id), ones[i].key, one(run, ones[i].id)->value);
}

void lb_words_configure_net(struct lb_words_run *run) {
    static struct ips ips;
    const struct lb_words_word *boot = one(run, LB_WORDS_ONE_BOOTIF);
    uint8_t mac[6];
    memset(&ips, 0, sizeof(ips));
    read_ips(run, &ips);
    struct name name = named(run);
    const struct ip *ip = name.s[0] != '\0' ? find_of(run, &ips, &name) : choose_ip(run, &ips);
    if (name.s[0] == '\0' && ip) {
        name = name_of(run, ip->dev);
        run->words->interface_is_hint = is_bootif(ip->dev);
    }
    if (name.s[0] == '\0' && bootif(run, mac)) {
        name = mac_name(mac);
        ip = ip ? ip : find_of(run, &ips, &name);
        run->words->interface_is_hint = true;
    } else if (boot->value.len > 0 && !bootif(run, mac) && !run->words->ignores_bootif) {
        lb_words_note_value(run->words, boot, "is no MAC address, and passed over");
    }
    lb_words_set(run, LB_SOURCE_KERNEL, "interface", lb_bytes_of_text(name.s));
    if (ip) {
        set_address(run, ip);
        set_gateway(run, ip);
        set_or_note(run, ip->word, "hostname", ip->hostname);
        set_or_note(run, ip->word, "mtu", ip->mtu);
    }
    set_family(run, &ips);
    set_dns(run, ip);
    set_ones(run);
    set_routes(run, &name);
    note_made(run, &name);
}
