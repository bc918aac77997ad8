/* What the next kernel is told: its command line, and a file in its initramfs. */
#include "core/base/config.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/syntax.h"
#include <string.h>

/* ---- the command line ------------------------------------------------------------------------ */

/* Whether a word that begins so is among the options. */
static bool has_word(const char *options, const char *start) {
    struct lb_bytes list = lb_bytes_of_text(options), word;
    while (lb_config_next_word(&list, &word)) {
        if (lb_bytes_start_with(lb_config_unquote(word), lb_bytes_of_text(start)))
            return true;
    }
    return false;
}

static void add(struct lb_text *line, const struct lb_next_boot *next, const char *key,
                const char *value) {
    /* A value that cannot be a word is as one that does not fit: the line is not whole. */
    if (value[0] && !has_word(next->options, key) && !lb_syntax_kernel_word(line, key, value))
        line->cut = true;
}

/* PXE's way to name the card: Debian's and dracut's initramfs know it. */
static void add_card(struct lb_text *line, const struct lb_next_boot *next) {
    static const uint8_t none[6];
    char value[24];
    struct lb_text text = lb_text(value, sizeof(value));
    if (memcmp(next->mac, none, sizeof(none)) == 0)
        return;
    lb_text_add(&text, "01");
    for (size_t i = 0; i < sizeof(next->mac); i++)
        lb_text_add(&text, "-%02x", next->mac[i]);
    add(line, next, "BOOTIF=", value);
}

static const char *v4_text(struct lb_addr_text *room, struct lb_addr addr) {
    *room = lb_addr_text(addr);
    return lb_addr_is_set(addr) ? room->s : "";
}

/* dracut's words; an address that a person configured needs ours. */
static void add_network6(struct lb_text *line, const struct lb_next_boot *next) {
    const struct lb_boot_addr6 *first = &next->net->addrs6[0];
    if (next->net->addr6_count == 0)
        return;
    if (first->valid_s == LB_FOREVER)
        add(line, next, "lunboot.address=", lb_prefix_text(first->address).s);
    else
        add(line, next, "ip=", first->address.len == 128 ? "dhcp6" : "auto6");
}

/* ip=CLIENT::ROUTER:NETMASK:HOST:INTERFACE:off:DNS, or ip=dhcp. */
static void add_network(struct lb_text *line, const struct lb_next_boot *next) {
    const struct lb_boot_net *net = next->net;
    struct lb_addr_text client, gateway, mask, dns;
    char value[512];
    if (!net)
        return;
    if (!lb_addr_is_set(net->address.addr)) {
        add_network6(line, next);
        return;
    }
    if (net->lease_s != 0) {
        add(line, next, "ip=", "dhcp");
        return;
    }
    lb_format(value, sizeof(value), "%s::%s:%s:%s:%s:off:%s", v4_text(&client, net->address.addr),
              v4_text(&gateway, lb_boot_net_gateway(net, LB_V4)),
              v4_text(&mask, lb_addr_mask(lb_addr_v4(255, 255, 255, 255), net->address.len)),
              net->hostname, next->interface,
              v4_text(&dns, net->dns_count > 0 && net->dns[0].family != LB_V6
                                ? net->dns[0]
                                : (struct lb_addr){0}));
    add(line, next, "ip=", value);
}

/* Words of Debian's open-iscsi, and of dracut. */
static void add_others(struct lb_text *line, const struct lb_next_boot *next,
                       const char *rootpath) {
    char port[8];
    lb_format(port, sizeof(port), "%u", next->portal.port);
    add(line, next, "iscsi_initiator=", next->initiator);
    add(line, next, "iscsi_target_name=", next->target->target);
    add(line, next, "iscsi_target_ip=", lb_addr_text(next->portal.addr).s);
    add(line, next, "iscsi_target_port=", port);
    add(line, next, "rd.iscsi.initiator=", next->initiator);
    add(line, next, "netroot=", rootpath);
}

bool lb_kexec_line(struct lb_text *line, const struct lb_next_boot *next) {
    char rootpath[LB_ROOTPATH_MAX];
    struct lb_text text = lb_text(rootpath, sizeof(rootpath));
    lb_rootpath_format(&text, next->target);
    lb_text_add(line, "%s", next->options);
    add_card(line, next);
    add_network(line, next);
    add(line, next, "lunboot.enable=", "yes");
    add(line, next, "lunboot.rootpath=", rootpath);
    add(line, next, "lunboot.initiator=", next->initiator);
    add_others(line, next, rootpath);
    if (next->more[0])
        lb_text_add(line, " %s", next->more);
    return !line->cut && lb_syntax_kernel_words_are_whole(next->options) &&
           lb_syntax_kernel_words_are_whole(next->more);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void add_secret(struct lb_text *text, const struct lb_config *config, enum lb_key key) {
    struct lb_bytes secret = lb_config_secret(config, key);
    if (secret.len == 0)
        return;
    lb_text_add(text, "%s = 0x", lb_key_info(key)->word);
    lb_text_hex(text, secret);
    lb_text_add(text, "\n");
}

static void add_key(struct lb_text *text, const struct lb_config *config, enum lb_key key) {
    if (lb_config_is_set(config, key) &&
        !lb_syntax_conf(text, lb_key_info(key)->word, lb_config_text(config, key)))
        text->cut = true;
}

/* One that the firmware proved is kept, whatever the next kernel's own options say of DHCP. */
static void add_address(struct lb_text *text, const struct lb_config *config) {
    add_key(text, config, LB_KEY_ADDRESS);
    add_key(text, config, LB_KEY_GATEWAY);
    add_key(text, config, LB_KEY_DNS);
}

void lb_kexec_conf(struct lb_text *text, const struct lb_config *config, bool has_chap) {
    static const enum lb_key policy[] = {
        LB_KEY_REQUIRE,       LB_KEY_ALLOW_SERVER, LB_KEY_ALLOW_TARGET,  LB_KEY_ALLOW_INITIATOR,
        LB_KEY_IPSEC,         LB_KEY_IPSEC_ID,     LB_KEY_IPSEC_PEER_ID, LB_KEY_IPSEC_MODE,
        LB_KEY_HEADER_DIGEST, LB_KEY_DATA_DIGEST,  LB_KEY_ACCEPT_NAMES};
    for (size_t i = 0; i < LB_COUNT(policy); i++)
        add_key(text, config, policy[i]);
    add_secret(text, config, LB_KEY_IPSEC_PSK);
    add_secret(text, config, LB_KEY_DHCP_KEYS);
    if (config->table.is_address_kept)
        add_address(text, config);
    if (!has_chap)
        return;
    add_secret(text, config, LB_KEY_CHAP_SECRET);
    add_secret(text, config, LB_KEY_CHAP_TARGET_SECRET);
    add_key(text, config, LB_KEY_CHAP_NAME);
    add_key(text, config, LB_KEY_CHAP_TARGET_NAME);
    add_key(text, config, LB_KEY_CHAP_ALGORITHMS);
}

static void pad(struct lb_wr *wr) {
    while (lb_wr_ok(wr) && wr->len % 4 != 0)
        lb_wr_u8(wr, 0);
}

/* The "new ASCII" form, whose numbers are eight hex digits each. */
static void add_file(struct lb_wr *wr, const char *name, uint32_t mode, uint32_t number,
                     struct lb_bytes content) {
    const uint32_t fields[] = {
        number, mode, 0, 0, 1, 0, (uint32_t)content.len, 0, 0, 0, 0, (uint32_t)strlen(name) + 1, 0};
    lb_wr_bytes(wr, lb_bytes_of_text("070701"));
    for (size_t i = 0; i < LB_COUNT(fields); i++) {
        char digits[9];
        lb_format(digits, sizeof(digits), "%08x", fields[i]);
        lb_wr_bytes(wr, lb_bytes(digits, 8));
    }
    lb_wr_bytes(wr, lb_bytes(name, strlen(name) + 1));
    pad(wr);
    lb_wr_bytes(wr, content);
    pad(wr);
}

struct lb_bytes lb_kexec_archive(struct lb_bytes conf, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    add_file(&wr, "etc", 0040755, 1, lb_bytes(NULL, 0));
    add_file(&wr, "etc/lunboot.conf", 0100600, 2, conf);
    add_file(&wr, "TRAILER!!!", 0, 0, lb_bytes(NULL, 0));
    return lb_bytes(room.p, lb_wr_ok(&wr) ? wr.len : 0);
}
