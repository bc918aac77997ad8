/* From a server's message to a lease: each option checked by itself, the malformed ones left out.
 * And which of several leases is best for a boot. */
#include "core/dhcp6/dhcp6_client.h"

#define LABEL_MAX         63
#define REFRESH_DEFAULT_S 86400 /* RFC 8415 7.6: IRT_DEFAULT */
#define REFRESH_MIN_S     600   /* IRT_MINIMUM */
#define ENTERPRISE_BYTES  4
#define PREFERENCE_BEST   255 /* RFC 8415 18.2.1: nobody else is waited for */
#define RANK_SOUND        256 /* above every preference of a server */
#define RANK_ISCSI        512
#define RANK_USABLE       1024

static bool is_label(struct lb_bytes label) {
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = lb_ascii_lower(label.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return label.len > 0 && label.len <= LABEL_MAX && label.p[0] != '-';
}

/* RFC 8415 10: labels up to an empty one; no compression, which a length of over 63 would be. */
static bool read_domain(struct lb_rd *rd, struct lb_text *domain) {
    for (;;) {
        struct lb_bytes label = lb_rd_bytes(rd, lb_rd_u8(rd));
        if (!lb_rd_ok(rd))
            return false;
        if (label.len == 0)
            return domain->len > 0;
        if (!is_label(label))
            return false;
        lb_text_add(domain, "%s%.*s", domain->len > 0 ? "." : "", (int)label.len,
                    (const char *)label.p);
        if (domain->cut)
            return false; /* longer than any domain name */
    }
}

static void read_search(struct lb_bytes options, char to[LB_SEARCH_MAX + 1]) {
    struct lb_text list = lb_text(to, LB_SEARCH_MAX + 1);
    struct lb_bytes value;
    if (!lb_dhcp6_find(options, LB_OPT6_SEARCH, &value))
        return;
    for (struct lb_rd rd = lb_rd(value); rd.left > 0;) {
        char name[LB_DOMAIN_MAX + 1];
        struct lb_text domain = lb_text(name, sizeof name);
        if (!read_domain(&rd, &domain)) {
            to[0] = 0; /* malformed: as if it were absent */
            return;
        }
        if (list.len + 1 + domain.len <= LB_SEARCH_MAX)
            lb_text_add(&list, "%s%s", list.len > 0 ? " " : "", name);
    }
}

static void read_dns(struct lb_bytes options, struct lb_dhcp6_lease *lease) {
    struct lb_bytes value;
    if (!lb_dhcp6_find(options, LB_OPT6_DNS, &value) || value.len % 16 != 0)
        return;
    for (struct lb_rd rd = lb_rd(value); rd.left > 0 && lease->dns_count < LB_DNS_MAX;) {
        struct lb_addr addr = lb_rd_v6(&rd);
        if (lb_addr_is_host(addr))
            lease->dns[lease->dns_count++] = addr;
    }
}

/* RFC 5970 3.2: each parameter with its length, up to the option's end. */
static bool params_are_whole(struct lb_bytes value) {
    struct lb_rd rd = lb_rd(value);
    while (lb_rd_ok(&rd) && rd.left > 0)
        lb_rd_skip(&rd, lb_rd_u16(&rd));
    return lb_rd_ok(&rd);
}

/* A disk that is named in another place is not used, and told, as for DHCPv4. */
static void note_elsewhere(struct lb_dhcp6_lease *lease, const char *where, struct lb_bytes text) {
    if (lease->elsewhere != NULL || !lb_text_begins(lb_bytes_trim(text), "iscsi:"))
        return;
    struct lb_text shown = lb_text(lease->elsewhere_text, sizeof lease->elsewhere_text);
    lease->elsewhere = where;
    lb_text_untrusted(&shown, lb_bytes(text.p, LB_MIN(text.len, 100)));
}

/* RFC 8415 21.17: sub-options as options; 17 is what DHCPv4 has the Root Path in. */
static void look_elsewhere(struct lb_dhcp6_lease *lease) {
    struct lb_rd params = lb_rd(lb_bytes(lease->boot_params, lease->boot_params_len));
    struct lb_rd vendor = lb_rd(lb_bytes(lease->vendor_options, lease->vendor_options_len));
    while (params.left > 0) {
        struct lb_bytes text = lb_rd_bytes(&params, lb_rd_u16(&params));
        note_elsewhere(lease, "option 60 (boot file parameters)", text);
    }
    lb_rd_skip(&vendor, lease->vendor_options_len > 0 ? ENTERPRISE_BYTES : 0);
    while (vendor.left > 0) {
        lb_rd_skip(&vendor, 2);
        struct lb_bytes value = lb_rd_bytes(&vendor, lb_rd_u16(&vendor));
        if (!lb_rd_ok(&vendor))
            return;
        note_elsewhere(lease, "option 17 (of a vendor)", value);
    }
}

static void read_boot(struct lb_bytes options, struct lb_dhcp6_lease *lease) {
    struct lb_bytes value;
    if (lb_dhcp6_find(options, LB_OPT6_BOOT_URL, &value)) {
        /* One longer than this cannot be valid, cut or not, and cut it can still be explained. */
        value = lb_bytes_trim_nul(value);
        lease->root_path_len = LB_MIN(value.len, sizeof lease->root_path);
        memcpy(lease->root_path, value.p, lease->root_path_len);
    }
    if (lb_dhcp6_find(options, LB_OPT6_BOOT_PARAMS, &value) && params_are_whole(value) &&
        value.len <= sizeof lease->boot_params) {
        memcpy(lease->boot_params, value.p, value.len);
        lease->boot_params_len = value.len;
    }
    if (lb_dhcp6_find(options, LB_OPT6_VENDOR, &value) && value.len >= ENTERPRISE_BYTES &&
        value.len <= sizeof lease->vendor_options) {
        memcpy(lease->vendor_options, value.p, value.len);
        lease->vendor_options_len = value.len;
    }
    look_elsewhere(lease);
}

/* RFC 8415 21.23. */
static void read_refresh(struct lb_bytes options, struct lb_dhcp6_lease *lease) {
    lease->refresh_s = REFRESH_DEFAULT_S;
    if (lb_dhcp6_find_u32(options, LB_OPT6_REFRESH, &lease->refresh_s))
        lease->refresh_s = LB_MAX(lease->refresh_s, REFRESH_MIN_S);
}

void lb_dhcp6_read_lease(const struct lb_dhcp6_message *message, struct lb_addr from,
                         struct lb_dhcp6_lease *lease) {
    struct lb_bytes value;
    memset(lease, 0, sizeof *lease);
    lease->server = from;
    lb_dhcp6_find_duid(message->options, LB_OPT6_SERVER_ID, &lease->server_id);
    lease->rapid_commit =
        lb_dhcp6_find(message->options, LB_OPT6_RAPID_COMMIT, &value) && value.len == 0;
    lb_dhcp6_find_u8(message->options, LB_OPT6_PREFERENCE, &lease->preference);
    read_refresh(message->options, lease);
    read_dns(message->options, lease);
    read_search(message->options, lease->search);
    read_boot(message->options, lease);
}

/* Only the prefix is looked at: what is wrong behind it has to be reported, not passed over. */
static bool has_iscsi_root_path(const struct lb_dhcp6_lease *lease) {
    return lb_text_begins(lb_bytes_trim(lb_bytes(lease->root_path, lease->root_path_len)),
                          "iscsi:");
}

static bool names_disk(const struct lb_dhcp6_lease *offer) {
    switch (offer->worth) {
    case LB_WORTH_UNKNOWN:
    case LB_WORTH_DOUBTFUL:
        return has_iscsi_root_path(offer);
    case LB_WORTH_BAD:
    case LB_WORTH_PLAIN:
        return false;
    case LB_WORTH_DISK:
        return true;
    }
    return false;
}

unsigned lb_dhcp6_offer_rank(const struct lb_dhcp6_lease *offer) {
    if (offer->worth == LB_WORTH_BAD)
        return 0;
    return RANK_USABLE + (names_disk(offer) ? RANK_ISCSI : 0u) +
           (offer->worth == LB_WORTH_DOUBTFUL ? 0u : RANK_SOUND) + offer->preference;
}

bool lb_dhcp6_offer_suffices(const struct lb_dhcp6_lease *offer) {
    return offer->worth != LB_WORTH_BAD && offer->worth != LB_WORTH_DOUBTFUL &&
           (names_disk(offer) || offer->preference == PREFERENCE_BEST);
}

uint32_t lb_dhcp6_left_s(const struct lb_dhcp6_lease *lease, uint64_t now_us, uint32_t lifetime_s) {
    uint64_t past_s = now_us > lease->start_us ? (now_us - lease->start_us) / LB_US_SEC : 0;
    if (lifetime_s == LB_DHCP6_INFINITE)
        return LB_DHCP6_INFINITE;
    return past_s < lifetime_s ? lifetime_s - (uint32_t)past_s : 0;
}

/* ---- who we are ---- */

enum { DUID_LLT = 1, DUID_LL = 3, DUID_UUID = 4, HARDWARE_ETHERNET = 1, MAC_BYTES = 6 };

static struct lb_duid make_duid(const struct lb_wr *wr) {
    struct lb_bytes bytes = lb_wr_done(wr);
    struct lb_duid duid = {.len = bytes.len};
    memcpy(duid.bytes, bytes.p, bytes.len);
    return duid;
}

struct lb_duid lb_duid_llt(const uint8_t mac[6], uint32_t seconds) {
    uint8_t room[LB_DUID_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_u16(&wr, DUID_LLT);
    lb_wr_u16(&wr, HARDWARE_ETHERNET);
    lb_wr_u32(&wr, seconds);
    lb_wr_bytes(&wr, lb_bytes(mac, MAC_BYTES));
    return make_duid(&wr);
}

struct lb_duid lb_duid_ll(const uint8_t mac[6]) {
    uint8_t room[LB_DUID_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_u16(&wr, DUID_LL);
    lb_wr_u16(&wr, HARDWARE_ETHERNET);
    lb_wr_bytes(&wr, lb_bytes(mac, MAC_BYTES));
    return make_duid(&wr);
}

struct lb_duid lb_duid_uuid(const uint8_t uuid[16]) {
    uint8_t room[LB_DUID_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_u16(&wr, DUID_UUID);
    lb_wr_bytes(&wr, lb_bytes(uuid, 16));
    return make_duid(&wr);
}

bool lb_duid_equal(const struct lb_duid *a, const struct lb_duid *b) {
    return lb_bytes_equal(lb_bytes(a->bytes, a->len), lb_bytes(b->bytes, b->len));
}

uint32_t lb_dhcp6_iaid(const uint8_t mac[6]) {
    struct lb_rd rd = lb_rd(lb_bytes(mac + 2, 4));
    return lb_rd_u32(&rd);
}
