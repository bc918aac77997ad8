/* The table as the kernel's module iscsi_ibft shows it: a file a field, under
 * /sys/firmware/ibft. */
#include "hosts/linux/ibft_source.h"
#include <string.h>

#define SELECTED 2
#define IN_USE   3 /* valid or selected: some firmware sets the second alone */

/* ---- values ---------------------------------------------------------------------------------- */

static bool take_u8(struct lb_bytes value, uint8_t *to) {
    uint64_t number;
    if (!lb_parse_u64(value, UINT8_MAX, &number))
        return false;
    *to = (uint8_t)number;
    return true;
}

static bool take_u16(struct lb_bytes value, uint16_t *to) {
    uint64_t number;
    if (!lb_parse_u64(value, UINT16_MAX, &number))
        return false;
    *to = (uint16_t)number;
    return true;
}

static bool take_addr(struct lb_bytes value, struct lb_addr *to) {
    return lb_addr_parse(value, to);
}

/* Beside prefix-len, which is right for IPv6, too: there Linux shows the mask of a wrong shift. */
static bool take_mask(struct lb_bytes value, struct lb_ibft_nic *nic) {
    struct lb_addr mask;
    uint8_t len = 0;
    if (!lb_addr_parse_v4(value, &mask))
        return false;
    if (nic->prefix_len != 0)
        return true;
    if (!lb_mask_len(mask, &len))
        return false;
    nic->prefix_len = len;
    return true;
}

static bool take_mac(struct lb_bytes value, uint8_t mac[6]) {
    size_t len;
    return lb_parse_hex_bytes(value, lb_span(mac, 6), &len) && len == 6;
}

static bool take_secret(struct lb_bytes value, uint8_t to[LB_SECRET_MAX], size_t *len) {
    if (value.len > LB_SECRET_MAX)
        return false;
    if (value.len > 0)
        memcpy(to, value.p, value.len);
    *len = value.len;
    return true;
}

/* Eight numbers in hex without zeros before them and with nothing between: LUN 1 is "01000000". The
 * last six are zero in all that people use, and the first two are then told apart: the second of a
 * pair of digits is no number's first where that is 0. */
static bool take_lun(struct lb_bytes value, uint8_t lun[8]) {
    size_t head = value.len - 6, first;
    uint64_t high, low;
    if (value.len < 8 || value.len > 10)
        return false;
    for (size_t i = head; i < value.len; i++) {
        if (value.p[i] != '0')
            return false;
    }
    first = head == 4 || (head == 3 && value.p[0] != '0') ? 2 : 1;
    if (!lb_parse_hex_u64(lb_bytes(value.p, first), &high) ||
        !lb_parse_hex_u64(lb_bytes(value.p + first, head - first), &low))
        return false;
    memset(lun, 0, 8);
    lun[0] = (uint8_t)high;
    lun[1] = (uint8_t)low;
    return true;
}

/* ---- folders --------------------------------------------------------------------------------- */

static bool add_nic(struct lb_ibft_nic *nic, bool *is_valid, const char *name,
                    struct lb_bytes value) {
    uint8_t number = 0;
    if (lb_streq(name, "flags")) {
        bool good = take_u8(value, &number);
        *is_valid = (number & IN_USE) != 0;
        nic->is_selected = (number & SELECTED) != 0;
        return good;
    }
    if (lb_streq(name, "origin")) {
        bool good = take_u8(value, &number);
        nic->origin = (enum lb_ibft_origin)number;
        return good;
    }
    if (lb_streq(name, "ip-addr"))
        return take_addr(value, &nic->address);
    if (lb_streq(name, "prefix-len"))
        return take_u8(value, &nic->prefix_len);
    if (lb_streq(name, "subnet-mask"))
        return take_mask(value, nic);
    if (lb_streq(name, "gateway"))
        return take_addr(value, &nic->gateway);
    if (lb_streq(name, "primary-dns"))
        return take_addr(value, &nic->dns[0]);
    if (lb_streq(name, "secondary-dns"))
        return take_addr(value, &nic->dns[1]);
    if (lb_streq(name, "dhcp"))
        return take_addr(value, &nic->dhcp);
    if (lb_streq(name, "vlan"))
        return take_u16(value, &nic->vlan);
    if (lb_streq(name, "mac"))
        return take_mac(value, nic->mac);
    return !lb_streq(name, "hostname") || lb_text_copy(nic->hostname, sizeof(nic->hostname), value);
}

static bool add_chap(struct lb_ibft_target *target, const char *name, struct lb_bytes value) {
    if (lb_streq(name, "chap-type")) {
        uint8_t number = 0;
        bool good = take_u8(value, &number);
        target->chap = (enum lb_ibft_chap)number;
        return good;
    }
    if (lb_streq(name, "chap-name"))
        return lb_text_copy(target->chap_name, sizeof(target->chap_name), value);
    if (lb_streq(name, "chap-secret"))
        return take_secret(value, target->chap_secret, &target->chap_secret_len);
    if (lb_streq(name, "rev-chap-name"))
        return lb_text_copy(target->reverse_name, sizeof(target->reverse_name), value);
    return !lb_streq(name, "rev-chap-name-secret") ||
           take_secret(value, target->reverse_secret, &target->reverse_secret_len);
}

static bool add_target(struct lb_ibft_target *target, bool *is_valid, const char *name,
                       struct lb_bytes value) {
    if (lb_streq(name, "flags")) {
        uint8_t number = 0;
        bool good = take_u8(value, &number);
        *is_valid = (number & IN_USE) != 0;
        target->is_selected = (number & SELECTED) != 0;
        return good;
    }
    if (lb_streq(name, "ip-addr"))
        return take_addr(value, &target->portal.addr);
    if (lb_streq(name, "port"))
        return take_u16(value, &target->portal.port);
    if (lb_streq(name, "lun"))
        return take_lun(value, target->lun);
    if (lb_streq(name, "nic-assoc"))
        return take_u8(value, &target->nic);
    if (lb_streq(name, "target-name"))
        return lb_text_copy(target->name, sizeof(target->name), value);
    return add_chap(target, name, value);
}

static bool add_initiator(struct lb_ibft *ibft, const char *name, struct lb_bytes value) {
    if (lb_streq(name, "isns-server"))
        return take_addr(value, &ibft->isns);
    if (lb_streq(name, "slp-server"))
        return take_addr(value, &ibft->slp);
    return !lb_streq(name, "initiator-name") ||
           lb_text_copy(ibft->initiator, sizeof(ibft->initiator), value);
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* "target12": the number behind the word. */
static bool is_numbered(struct lb_bytes folder, const char *word, uint8_t *number) {
    struct lb_bytes prefix = lb_bytes_of_text(word);
    return lb_bytes_start_with(folder, prefix) &&
           take_u8(lb_bytes_after(folder, prefix.len), number);
}

static struct lb_ibft_nic *nic_of(struct lb_ibft *ibft, uint8_t index, size_t *at) {
    for (*at = 0; *at < ibft->nic_count; ++*at) {
        if (ibft->nics[*at].index == index)
            return &ibft->nics[*at];
    }
    if (ibft->nic_count == LB_IBFT_READ)
        return NULL;
    ibft->nics[ibft->nic_count].index = index;
    return &ibft->nics[ibft->nic_count++];
}

static struct lb_ibft_target *target_of(struct lb_ibft *ibft, uint8_t index, size_t *at) {
    for (*at = 0; *at < ibft->target_count; ++*at) {
        if (ibft->targets[*at].index == index)
            return &ibft->targets[*at];
    }
    if (ibft->target_count == LB_IBFT_READ)
        return NULL;
    ibft->targets[ibft->target_count].index = index;
    return &ibft->targets[ibft->target_count++];
}

bool lb_ibft_shown_add(struct lb_ibft_shown *shown, struct lb_bytes folder, const char *name,
                       struct lb_bytes value) {
    uint8_t index;
    size_t at;
    if (lb_text_is(folder, "initiator"))
        return add_initiator(&shown->ibft, name, value);
    if (is_numbered(folder, "ethernet", &index)) {
        struct lb_ibft_nic *nic = nic_of(&shown->ibft, index, &at);
        return !nic || add_nic(nic, &shown->nic_is_valid[at], name, value);
    }
    if (is_numbered(folder, "target", &index)) {
        struct lb_ibft_target *target = target_of(&shown->ibft, index, &at);
        return !target || add_target(target, &shown->target_is_valid[at], name, value);
    }
    return true;
}

void lb_ibft_shown_end(struct lb_ibft_shown *shown) {
    struct lb_ibft *ibft = &shown->ibft;
    size_t kept = 0;
    for (size_t i = 0; i < ibft->nic_count; i++) {
        if (shown->nic_is_valid[i])
            ibft->nics[kept++] = ibft->nics[i];
    }
    ibft->nic_count = kept;
    kept = 0;
    for (size_t i = 0; i < ibft->target_count; i++) {
        if (shown->target_is_valid[i])
            ibft->targets[kept++] = ibft->targets[i];
    }
    ibft->target_count = kept;
}
