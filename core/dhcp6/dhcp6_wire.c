/* DHCPv6 messages to and from bytes.
 *
 * Options hold options: a message holds an IA_NA, which holds an IAADDR, which holds a status. Each
 * is walked by a cursor over the value of the one around it, so that nothing inside can reach what
 * is outside. */
#include "core/dhcp6/dhcp6_wire.h"

#define DUID_MIN  3 /* RFC 8415 11.1: a type and at least one byte */
#define LABEL_MAX 63

const char *lb_dhcp6_type_word(unsigned type) {
    static const char *const words[] = {
        [LB_DHCP6_SOLICIT] = "Solicit",
        [LB_DHCP6_ADVERTISE] = "Advertise",
        [LB_DHCP6_REQUEST] = "Request",
        [LB_DHCP6_CONFIRM] = "Confirm",
        [LB_DHCP6_RENEW] = "Renew",
        [LB_DHCP6_REBIND] = "Rebind",
        [LB_DHCP6_REPLY] = "Reply",
        [LB_DHCP6_RELEASE] = "Release",
        [LB_DHCP6_DECLINE] = "Decline",
        [LB_DHCP6_RECONFIGURE] = "Reconfigure",
        [LB_DHCP6_RELAY_FORW] = "Relay-forw",
        [LB_DHCP6_RELAY_REPL] = "Relay-repl",
        [LB_DHCP6_INFORMATION_REQUEST] = "Information-request",
    };
    return type > 0 && type < LB_COUNT(words) ? words[type] : "unknown";
}

const char *lb_dhcp6_status_word(unsigned status) {
    static const char *const words[] = {
        [LB_DHCP6_SUCCESS] = "Success",
        [LB_DHCP6_UNSPEC_FAIL] = "UnspecFail",
        [LB_DHCP6_NO_ADDRS_AVAIL] = "NoAddrsAvail",
        [LB_DHCP6_NO_BINDING] = "NoBinding",
        [LB_DHCP6_NOT_ON_LINK] = "NotOnLink",
        [LB_DHCP6_USE_MULTICAST] = "UseMulticast",
    };
    return status < LB_COUNT(words) ? words[status] : "unknown status";
}

/* ---- decoding ---- */

bool lb_dhcp6_next(struct lb_rd *rd, uint16_t *code, struct lb_bytes *value) {
    if (rd->left == 0)
        return false;
    *code = lb_rd_u16(rd);
    *value = lb_rd_bytes(rd, lb_rd_u16(rd));
    return lb_rd_ok(rd);
}

static bool options_are_whole(struct lb_bytes options) {
    struct lb_rd rd = lb_rd(options);
    struct lb_bytes value;
    uint16_t code;
    while (lb_dhcp6_next(&rd, &code, &value))
        continue;
    return lb_rd_done(&rd);
}

bool lb_dhcp6_decode(struct lb_bytes payload, struct lb_dhcp6_message *message, const char **why) {
    struct lb_rd rd = lb_rd(payload);
    struct lb_dhcp6_message read = {.whole = payload};
    read.type = lb_rd_u8(&rd);
    read.xid = lb_rd_u24(&rd);
    read.options = lb_rd_rest(&rd);
    if (!lb_rd_ok(&rd)) {
        *why = "too short";
        return false;
    }
    if (read.type == LB_DHCP6_RELAY_FORW || read.type == LB_DHCP6_RELAY_REPL) {
        *why = "between relays and servers";
        return false;
    }
    if (!options_are_whole(read.options)) {
        *why = "an option runs past the end";
        return false;
    }
    *message = read;
    return true;
}

bool lb_dhcp6_find(struct lb_bytes options, uint16_t code, struct lb_bytes *value) {
    struct lb_rd rd = lb_rd(options);
    struct lb_bytes found;
    uint16_t at;
    while (lb_dhcp6_next(&rd, &at, &found)) {
        if (at == code) {
            *value = found;
            return true;
        }
    }
    return false;
}

bool lb_dhcp6_find_u8(struct lb_bytes options, uint16_t code, uint8_t *value) {
    struct lb_bytes found;
    if (!lb_dhcp6_find(options, code, &found) || found.len != 1)
        return false;
    *value = found.p[0];
    return true;
}

bool lb_dhcp6_find_u32(struct lb_bytes options, uint16_t code, uint32_t *value) {
    struct lb_bytes found;
    if (!lb_dhcp6_find(options, code, &found) || found.len != 4)
        return false;
    struct lb_rd rd = lb_rd(found);
    *value = lb_rd_u32(&rd);
    return true;
}

bool lb_dhcp6_find_duid(struct lb_bytes options, uint16_t code, struct lb_duid *duid) {
    struct lb_bytes found;
    if (!lb_dhcp6_find(options, code, &found) || found.len < DUID_MIN || found.len > LB_DUID_MAX)
        return false;
    *duid = (struct lb_duid){.len = found.len};
    memcpy(duid->bytes, found.p, found.len);
    return true;
}

unsigned lb_dhcp6_find_status(struct lb_bytes options, struct lb_bytes *text) {
    struct lb_bytes found;
    *text = lb_bytes(options.p, 0);
    if (!lb_dhcp6_find(options, LB_OPT6_STATUS, &found) || found.len < 2)
        return LB_DHCP6_SUCCESS;
    struct lb_rd rd = lb_rd(found);
    unsigned status = lb_rd_u16(&rd);
    *text = lb_rd_rest(&rd);
    return status;
}

/* RFC 8415 21.6. False when the address is not to be looked at. */
static bool read_iaaddr(struct lb_bytes value, struct lb_dhcp6_addr *addr) {
    struct lb_rd rd = lb_rd(value);
    struct lb_bytes text;
    addr->addr = lb_rd_v6(&rd);
    addr->preferred_s = lb_rd_u32(&rd);
    addr->valid_s = lb_rd_u32(&rd);
    struct lb_bytes inside = lb_rd_rest(&rd);
    return lb_rd_ok(&rd) && options_are_whole(inside) && lb_addr_is_host(addr->addr) &&
           !lb_addr_is_link_local(addr->addr) && addr->preferred_s <= addr->valid_s &&
           lb_dhcp6_find_status(inside, &text) == LB_DHCP6_SUCCESS;
}

static bool has_addr(const struct lb_dhcp6_ia *ia, struct lb_addr addr) {
    size_t i = 0;
    while (i < ia->addr_count && !lb_addr_equal(ia->addrs[i].addr, addr))
        i++;
    return i < ia->addr_count;
}

bool lb_dhcp6_read_ia(struct lb_bytes value, struct lb_dhcp6_ia *ia) {
    struct lb_rd rd = lb_rd(value);
    struct lb_dhcp6_ia read = {.iaid = lb_rd_u32(&rd)};
    read.t1_s = lb_rd_u32(&rd);
    read.t2_s = lb_rd_u32(&rd);
    struct lb_bytes inside = lb_rd_rest(&rd), option;
    if (!lb_rd_ok(&rd) || !options_are_whole(inside) || (read.t1_s > read.t2_s && read.t2_s > 0))
        return false;
    read.status = lb_dhcp6_find_status(inside, &read.status_text);
    uint16_t code;
    for (rd = lb_rd(inside); lb_dhcp6_next(&rd, &code, &option);) {
        struct lb_dhcp6_addr addr;
        if (code == LB_OPT6_IAADDR && read.addr_count < LB_COUNT(read.addrs) &&
            read_iaaddr(option, &addr) && !has_addr(&read, addr.addr))
            read.addrs[read.addr_count++] = addr;
    }
    *ia = read;
    return true;
}

bool lb_dhcp6_find_ia(struct lb_bytes options, uint32_t iaid, struct lb_dhcp6_ia *ia) {
    struct lb_rd rd = lb_rd(options);
    struct lb_bytes value;
    struct lb_dhcp6_ia read;
    uint16_t code;
    while (lb_dhcp6_next(&rd, &code, &value)) {
        if (code == LB_OPT6_IA_NA && lb_dhcp6_read_ia(value, &read) && read.iaid == iaid) {
            *ia = read;
            return true;
        }
    }
    return false;
}

/* ---- encoding ---- */

void lb_dhcp6_put_header(struct lb_wr *wr, uint8_t type, uint32_t xid) {
    lb_wr_u8(wr, type);
    lb_wr_u24(wr, xid);
}

void lb_dhcp6_put(struct lb_wr *wr, uint16_t code, struct lb_bytes value) {
    if (value.len > UINT16_MAX) {
        wr->bad = true;
        return;
    }
    lb_wr_u16(wr, code);
    lb_wr_u16(wr, (uint16_t)value.len);
    lb_wr_bytes(wr, value);
}

void lb_dhcp6_put_u8(struct lb_wr *wr, uint16_t code, uint8_t value) {
    lb_dhcp6_put(wr, code, lb_bytes(&value, 1));
}

void lb_dhcp6_put_u16(struct lb_wr *wr, uint16_t code, uint16_t value) {
    size_t opened = lb_dhcp6_open(wr, code);
    lb_wr_u16(wr, value);
    lb_dhcp6_close(wr, opened);
}

void lb_dhcp6_put_u32(struct lb_wr *wr, uint16_t code, uint32_t value) {
    size_t opened = lb_dhcp6_open(wr, code);
    lb_wr_u32(wr, value);
    lb_dhcp6_close(wr, opened);
}

void lb_dhcp6_put_duid(struct lb_wr *wr, uint16_t code, const struct lb_duid *duid) {
    lb_dhcp6_put(wr, code, lb_bytes(duid->bytes, duid->len));
}

void lb_dhcp6_put_status(struct lb_wr *wr, uint16_t status, const char *text) {
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_STATUS);
    lb_wr_u16(wr, status);
    lb_wr_text(wr, text);
    lb_dhcp6_close(wr, opened);
}

size_t lb_dhcp6_open(struct lb_wr *wr, uint16_t code) {
    lb_wr_u16(wr, code);
    lb_wr_u16(wr, 0);
    return wr->len;
}

void lb_dhcp6_close(struct lb_wr *wr, size_t opened) {
    size_t len = wr->len - opened;
    if (!lb_wr_ok(wr))
        return;
    if (len > UINT16_MAX)
        wr->bad = true;
    else
        lb_wr_u16_at(wr, opened - 2, (uint16_t)len);
}

size_t lb_dhcp6_open_ia(struct lb_wr *wr, uint32_t iaid, uint32_t t1_s, uint32_t t2_s) {
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_IA_NA);
    lb_wr_u32(wr, iaid);
    lb_wr_u32(wr, t1_s);
    lb_wr_u32(wr, t2_s);
    return opened;
}

void lb_dhcp6_put_iaaddr(struct lb_wr *wr, struct lb_addr addr, uint32_t preferred_s,
                         uint32_t valid_s) {
    lb_assert(addr.family == LB_V6);
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_IAADDR);
    lb_wr_addr(wr, addr);
    lb_wr_u32(wr, preferred_s);
    lb_wr_u32(wr, valid_s);
    lb_dhcp6_close(wr, opened);
}

void lb_dhcp6_put_search(struct lb_wr *wr, const char *names) {
    struct lb_bytes list = lb_bytes_of_text(names), name, label;
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_SEARCH);
    while (lb_list_next(&list, ' ', &name)) {
        while (lb_list_next(&name, '.', &label)) {
            lb_assert(label.len > 0 && label.len <= LABEL_MAX);
            lb_wr_u8(wr, (uint8_t)label.len);
            lb_wr_bytes(wr, label);
        }
        lb_wr_u8(wr, 0);
    }
    lb_dhcp6_close(wr, opened);
}
