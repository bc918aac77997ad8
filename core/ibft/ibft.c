#include "core/ibft/ibft.h"

/* ids, lengths and flags of the structures */
enum {
    CONTROL = 1,
    INITIATOR = 2,
    NIC = 3,
    TARGET = 4,
    EXTENSIONS = 5,
    CONTROL_BYTES = 18,
    INITIATOR_BYTES = 74,
    NIC_BYTES = 102,
    TARGET_BYTES = 54,
    IPSEC_BYTES = 28,
    POLICY_BYTES = 12, /* more, where there is a policy */
    NO_IPSEC = 2,      /* a mode; tunnel and transport are 0 and 1 */
    HEADER_BYTES = 48,
    VALID = 1,
    SELECTED = 2,
    IN_USE = VALID | SELECTED, /* some firmware sets the second alone: open-iscsi takes either */
    GLOBAL = 4,                /* of a NIC: its address is not link-local */
};

/* Whose the extension is, and of which kind: header, this, mode, three strings; and three more
 * where there is a policy. Who reads no policies finds a wrong length, and refuses the table. */
static const char extension_owner[] = "LUNIPSEC";

/* Structures begin at multiples of 8. */
static size_t aligned(size_t offset) {
    return (offset + 7) & ~(size_t)7;
}

static size_t initiator_at(void) {
    return aligned(HEADER_BYTES + CONTROL_BYTES);
}

static size_t nic_at(size_t index) {
    size_t first = aligned(initiator_at() + INITIATOR_BYTES);
    return first + index * (aligned(NIC_BYTES) + aligned(TARGET_BYTES));
}

static size_t target_at(size_t index) {
    return nic_at(index) + aligned(NIC_BYTES);
}

static size_t extension_bytes(const struct lb_ibft *ibft) {
    if (ibft->policy.is_there)
        return IPSEC_BYTES + POLICY_BYTES;
    return ibft->ipsec.is_there ? IPSEC_BYTES : 0;
}

/* The extension is behind the pairs. */
static size_t heap_at(const struct lb_ibft *ibft) {
    return nic_at(ibft->target_count) + aligned(extension_bytes(ibft));
}

/* ---- encoding ------------------------------------------------------------------------------- */

struct writer {
    struct lb_wr table; /* the structures, in order */
    struct lb_wr heap;  /* at its own place in the same room */
    size_t heap_at;
};

static void put_header(struct writer *w, size_t at, uint8_t id, uint16_t len, uint8_t index,
                       uint8_t flags) {
    lb_wr_zero(&w->table, at - w->table.len);
    lb_wr_u8(&w->table, id);
    lb_wr_u8(&w->table, 1);
    lb_wr_u16le(&w->table, len);
    lb_wr_u8(&w->table, index);
    lb_wr_u8(&w->table, flags);
}

/* IPv4 as ::ffff:a.b.c.d; none, and 0.0.0.0, as zeros. */
static void put_addr(struct writer *w, struct lb_addr addr) {
    if (lb_addr_is_zero(addr)) {
        lb_wr_zero(&w->table, 16);
        return;
    }
    if (addr.family == LB_V4) {
        lb_wr_zero(&w->table, 10);
        lb_wr_u16(&w->table, 0xffff);
    }
    lb_wr_addr(&w->table, addr);
}

/* Length and offset here, bytes and a NUL in the heap; absent is 0 and 0. */
static void put_string(struct writer *w, struct lb_bytes bytes) {
    size_t offset = bytes.len == 0 ? 0 : w->heap_at + w->heap.len;
    lb_wr_u16le(&w->table, (uint16_t)bytes.len);
    lb_wr_u16le(&w->table, (uint16_t)offset);
    if (bytes.len == 0)
        return;
    lb_wr_bytes(&w->heap, bytes);
    lb_wr_u8(&w->heap, 0);
}

static void put_table_header(struct writer *w, const struct lb_ibft *ibft) {
    const char *oem = ibft->oem_id[0] != '\0' ? ibft->oem_id : LB_IBFT_OEM;
    const char *table = ibft->oem_table_id[0] != '\0' ? ibft->oem_table_id : LB_IBFT_OEM_TABLE;
    lb_wr_text(&w->table, "iBFT");
    lb_wr_u32le(&w->table, 0); /* length, later */
    lb_wr_u8(&w->table, 1);    /* revision */
    lb_wr_u8(&w->table, 0);    /* checksum, last */
    lb_wr_text(&w->table, oem);
    lb_wr_zero(&w->table, 16 - w->table.len);
    lb_wr_text(&w->table, table);
}

static void put_control(struct writer *w, size_t pair_count, bool has_extension) {
    put_header(w, HEADER_BYTES, CONTROL, CONTROL_BYTES, 0, 0);
    lb_wr_u16le(&w->table, has_extension ? (uint16_t)nic_at(pair_count) : 0);
    lb_wr_u16le(&w->table, (uint16_t)initiator_at());
    for (size_t i = 0; i < LB_IBFT_PAIRS; i++) {
        lb_wr_u16le(&w->table, i < pair_count ? (uint16_t)nic_at(i) : 0);
        lb_wr_u16le(&w->table, i < pair_count ? (uint16_t)target_at(i) : 0);
    }
}

static void put_initiator(struct writer *w, const struct lb_ibft *ibft) {
    put_header(w, initiator_at(), INITIATOR, INITIATOR_BYTES, 0, VALID | SELECTED);
    put_addr(w, ibft->isns);
    put_addr(w, ibft->slp);
    lb_wr_zero(&w->table, 32); /* RADIUS servers */
    put_string(w, lb_bytes_of_text(ibft->initiator));
}

static void put_nic(struct writer *w, const struct lb_ibft_nic *nic, size_t index) {
    uint8_t flags = VALID;
    flags |= index == 0 ? SELECTED : 0;
    flags |= lb_addr_is_link_local(nic->address) ? 0 : GLOBAL;
    put_header(w, nic_at(index), NIC, NIC_BYTES, (uint8_t)index, flags);
    put_addr(w, nic->address);
    lb_wr_u8(&w->table, nic->prefix_len);
    lb_wr_u8(&w->table, (uint8_t)nic->origin);
    put_addr(w, nic->gateway);
    put_addr(w, nic->dns[0]);
    put_addr(w, nic->dns[1]);
    put_addr(w, nic->dhcp);
    lb_wr_u16le(&w->table, nic->vlan);
    lb_wr_bytes(&w->table, lb_bytes(nic->mac, sizeof nic->mac));
    lb_wr_u16le(&w->table, nic->pci);
    put_string(w, lb_bytes_of_text(nic->hostname));
}

static void put_target(struct writer *w, const struct lb_ibft_target *target, size_t index) {
    bool chap = target->chap != LB_IBFT_NO_CHAP, mutual = target->chap == LB_IBFT_MUTUAL;
    put_header(w, target_at(index), TARGET, TARGET_BYTES, (uint8_t)index,
               index == 0 ? VALID | SELECTED : VALID);
    put_addr(w, target->portal.addr);
    lb_wr_u16le(&w->table, target->portal.port);
    lb_wr_bytes(&w->table, lb_bytes(target->lun, sizeof target->lun));
    lb_wr_u8(&w->table, (uint8_t)target->chap);
    lb_wr_u8(&w->table, target->nic);
    put_string(w, lb_bytes_of_text(target->name));
    put_string(w, lb_bytes_of_text(chap ? target->chap_name : ""));
    put_string(w, lb_bytes(target->chap_secret, chap ? target->chap_secret_len : 0));
    put_string(w, lb_bytes_of_text(mutual ? target->reverse_name : ""));
    put_string(w, lb_bytes(target->reverse_secret, mutual ? target->reverse_secret_len : 0));
}

static void put_extension(struct writer *w, const struct lb_ibft *ibft, size_t at) {
    const struct lb_ibft_ipsec *ipsec = &ibft->ipsec;
    uint16_t mode = ipsec->is_there ? ipsec->is_transport : NO_IPSEC;
    put_header(w, at, EXTENSIONS, (uint16_t)extension_bytes(ibft), 0, VALID);
    lb_wr_text(&w->table, extension_owner);
    lb_wr_u16le(&w->table, mode);
    put_string(w, lb_bytes(ipsec->psk, ipsec->psk_len));
    put_string(w, lb_bytes_of_text(ipsec->id));
    put_string(w, lb_bytes_of_text(ipsec->peer_id));
    if (!ibft->policy.is_there)
        return;
    put_string(w, lb_bytes_of_text(ibft->policy.require));
    put_string(w, lb_bytes_of_text(ibft->policy.allow_server));
    put_string(w, lb_bytes_of_text(ibft->policy.allow_target));
}

static uint8_t sum_of(const uint8_t *bytes, size_t len) {
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

static bool is_pair(const struct lb_ibft_nic *nic, const struct lb_ibft_target *target,
                    size_t pair_count) {
    return target->name[0] != '\0' && target->nic < pair_count &&
           !lb_addr_is_zero(target->portal.addr) && !lb_addr_is_zero(nic->address) &&
           nic->vlan <= 4094;
}

static bool is_complete(const struct lb_ibft *ibft) {
    size_t pair_count = ibft->target_count;
    if (pair_count < 1 || pair_count > LB_IBFT_PAIRS || ibft->nic_count != pair_count ||
        ibft->initiator[0] == '\0')
        return false;
    for (size_t i = 0; i < pair_count; i++) {
        if (!is_pair(&ibft->nics[i], &ibft->targets[i], pair_count))
            return false;
    }
    return true;
}

bool lb_ibft_encode(const struct lb_ibft *ibft, struct lb_span room, size_t *len) {
    size_t pair_count = ibft->target_count, heap_offset = heap_at(ibft);
    if (!is_complete(ibft) || room.len < heap_offset || room.len > UINT16_MAX)
        return false;
    struct writer w = {
        .table = lb_wr(lb_span(room.p, heap_offset)),
        .heap = lb_wr(lb_span(room.p + heap_offset, room.len - heap_offset)),
        .heap_at = heap_offset,
    };
    put_table_header(&w, ibft);
    put_control(&w, pair_count, extension_bytes(ibft) > 0);
    put_initiator(&w, ibft);
    for (size_t i = 0; i < pair_count; i++) {
        put_nic(&w, &ibft->nics[i], i);
        put_target(&w, &ibft->targets[i], i);
    }
    if (extension_bytes(ibft) > 0)
        put_extension(&w, ibft, nic_at(pair_count));
    lb_wr_zero(&w.table, heap_offset - w.table.len);
    /* Linux takes no offset from the last 48 bytes of the table; short names are padded. */
    if (w.heap.len < HEADER_BYTES)
        lb_wr_zero(&w.heap, HEADER_BYTES - w.heap.len);
    if (!lb_wr_ok(&w.table) || !lb_wr_ok(&w.heap))
        return false;
    *len = heap_offset + w.heap.len;
    struct lb_wr patch = {.start = room.p, .len = *len, .cap = room.len};
    lb_wr_u8_at(&patch, 4, (uint8_t)*len);
    lb_wr_u8_at(&patch, 5, (uint8_t)(*len >> 8));
    lb_wr_u8_at(&patch, 9, (uint8_t)(0x100 - sum_of(room.p, *len)));
    return true;
}

/* ---- decoding ------------------------------------------------------------------------------- */

struct header {
    uint8_t id, index, flags;
    uint16_t len;
};

/* What stands at an offset; false: nothing does. */
static bool open_any(struct lb_bytes table, uint16_t at, struct lb_rd *rd, struct header *header) {
    *rd = lb_rd(lb_bytes_after(table, at));
    header->id = lb_rd_u8(rd);
    lb_rd_skip(rd, 1); /* version */
    header->len = lb_rd_u16le(rd);
    header->index = lb_rd_u8(rd);
    header->flags = lb_rd_u8(rd);
    return lb_rd_ok(rd) && at != 0;
}

static struct lb_addr get_addr(struct lb_rd *rd) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct lb_addr addr = lb_rd_v6(rd);
    if (memcmp(addr.bytes, mapped, sizeof mapped) == 0)
        addr = lb_addr_v4_bytes(addr.bytes + 12);
    return lb_addr_is_zero(addr) ? (struct lb_addr){.family = LB_FAMILY_NONE} : addr;
}

static bool get_bytes(struct lb_bytes table, struct lb_rd *rd, struct lb_bytes *out) {
    uint16_t len = lb_rd_u16le(rd), at = lb_rd_u16le(rd);
    *out = lb_bytes(table.p, 0);
    if (len == 0)
        return true;
    if (at >= table.len || len > table.len - at)
        return false;
    *out = lb_bytes(table.p + at, len);
    return true;
}

/* Up to a NUL, which some count into the length, as Linux shows it. */
static bool get_text(struct lb_bytes table, struct lb_rd *rd, char *out, size_t cap) {
    struct lb_bytes bytes;
    if (!get_bytes(table, rd, &bytes))
        return false;
    lb_split_at(bytes, '\0', &bytes, &(struct lb_bytes){0});
    return lb_text_copy(out, cap, bytes);
}

/* A NUL that ends text is no part of a secret; of a binary one it is. */
static struct lb_bytes without_nul(struct lb_bytes secret) {
    for (size_t i = 0; i + 1 < secret.len; i++)
        if (secret.p[i] < 0x20 || secret.p[i] >= 0x7f)
            return secret;
    secret.len -= secret.len > 1 && secret.p[secret.len - 1] == 0;
    return secret;
}

static bool get_secret(struct lb_bytes table, struct lb_rd *rd, uint8_t out[LB_SECRET_MAX],
                       size_t *len) {
    struct lb_bytes bytes;
    if (!get_bytes(table, rd, &bytes))
        return false;
    bytes = without_nul(bytes);
    if (bytes.len > LB_SECRET_MAX)
        return false;
    if (bytes.len > 0)
        memcpy(out, bytes.p, bytes.len);
    *len = bytes.len;
    return true;
}

static bool get_initiator(struct lb_bytes table, uint16_t at, struct lb_ibft *ibft) {
    struct lb_rd rd;
    struct header header;
    if (!open_any(table, at, &rd, &header) || header.id != INITIATOR ||
        header.len < INITIATOR_BYTES)
        return false;
    ibft->isns = get_addr(&rd);
    ibft->slp = get_addr(&rd);
    lb_rd_skip(&rd, 32);
    return get_text(table, &rd, ibft->initiator, sizeof ibft->initiator) && lb_rd_ok(&rd);
}

static bool get_nic(struct lb_bytes table, struct lb_rd rd, struct lb_ibft_nic *nic) {
    nic->address = get_addr(&rd);
    nic->prefix_len = lb_rd_u8(&rd);
    nic->origin = (enum lb_ibft_origin)lb_rd_u8(&rd);
    nic->gateway = get_addr(&rd);
    nic->dns[0] = get_addr(&rd);
    nic->dns[1] = get_addr(&rd);
    nic->dhcp = get_addr(&rd);
    nic->vlan = lb_rd_u16le(&rd);
    lb_rd_copy(&rd, nic->mac, sizeof nic->mac);
    nic->pci = lb_rd_u16le(&rd);
    if (!get_text(table, &rd, nic->hostname, sizeof nic->hostname))
        nic->hostname[0] = '\0'; /* no disk depends on it */
    return lb_rd_ok(&rd);
}

static bool get_target(struct lb_bytes table, struct lb_rd rd, struct lb_ibft_target *target) {
    target->portal.addr = get_addr(&rd);
    target->portal.port = lb_rd_u16le(&rd);
    lb_rd_copy(&rd, target->lun, sizeof target->lun);
    target->chap = (enum lb_ibft_chap)lb_rd_u8(&rd);
    target->nic = lb_rd_u8(&rd);
    return get_text(table, &rd, target->name, sizeof target->name) &&
           get_text(table, &rd, target->chap_name, sizeof target->chap_name) &&
           get_secret(table, &rd, target->chap_secret, &target->chap_secret_len) &&
           get_text(table, &rd, target->reverse_name, sizeof target->reverse_name) &&
           get_secret(table, &rd, target->reverse_secret, &target->reverse_secret_len) &&
           lb_rd_ok(&rd);
}

static bool add_nic(struct lb_bytes table, struct lb_rd rd, const struct header *header,
                    struct lb_ibft *ibft) {
    struct lb_ibft_nic *nic = &ibft->nics[ibft->nic_count];
    if (ibft->nic_count == LB_IBFT_READ)
        return true;
    nic->index = header->index;
    nic->is_selected = (header->flags & SELECTED) != 0;
    ibft->nic_count++;
    return get_nic(table, rd, nic);
}

static bool add_target(struct lb_bytes table, struct lb_rd rd, const struct header *header,
                       struct lb_ibft *ibft) {
    struct lb_ibft_target *target = &ibft->targets[ibft->target_count];
    if (ibft->target_count == LB_IBFT_READ)
        return true;
    target->index = header->index;
    target->is_selected = (header->flags & SELECTED) != 0;
    ibft->target_count++;
    return get_target(table, rd, target);
}

/* What a structure is, its own id says, as Linux takes it: NICs and targets need not be paired. One
 * that is not in the table, or shorter than it must be, is passed over; a later version may be
 * longer. */
static bool add_structure(struct lb_bytes table, uint16_t at, struct lb_ibft *ibft) {
    struct lb_rd rd;
    struct header header;
    if (!open_any(table, at, &rd, &header) || !(header.flags & IN_USE))
        return true;
    if (header.id == NIC && header.len >= NIC_BYTES)
        return add_nic(table, rd, &header, ibft);
    return header.id != TARGET || header.len < TARGET_BYTES || add_target(table, rd, &header, ibft);
}

static bool get_policy(struct lb_bytes table, struct lb_rd *rd, struct lb_ibft_policy *policy) {
    policy->is_there = true;
    return get_text(table, rd, policy->require, sizeof policy->require) &&
           get_text(table, rd, policy->allow_server, sizeof policy->allow_server) &&
           get_text(table, rd, policy->allow_target, sizeof policy->allow_target);
}

/* Extensions of others are passed over. Of ours nothing is: half of a protection is none. */
static bool get_extension(struct lb_bytes table, uint16_t at, struct lb_ibft *ibft) {
    struct lb_ibft_ipsec *ipsec = &ibft->ipsec;
    struct lb_rd rd;
    struct header header;
    if (!open_any(table, at, &rd, &header) || header.id != EXTENSIONS ||
        !lb_text_is(lb_rd_bytes(&rd, sizeof extension_owner - 1), extension_owner))
        return true;
    bool has_policy = header.len == IPSEC_BYTES + POLICY_BYTES;
    uint16_t mode = lb_rd_u16le(&rd);
    ipsec->is_there = mode < NO_IPSEC;
    ipsec->is_transport = mode == 1;
    return (header.len == IPSEC_BYTES || has_policy) && mode <= NO_IPSEC &&
           get_secret(table, &rd, ipsec->psk, &ipsec->psk_len) &&
           get_text(table, &rd, ipsec->id, sizeof ipsec->id) &&
           get_text(table, &rd, ipsec->peer_id, sizeof ipsec->peer_id) &&
           (!has_policy || get_policy(table, &rd, &ibft->policy)) && lb_rd_ok(&rd);
}

/* More than two pairs make the control structure longer (iPXE). */
static bool open_control(struct lb_bytes table, struct lb_rd *control, size_t *offsets,
                         struct lb_ibft *ibft) {
    struct header header;
    if (!open_any(table, HEADER_BYTES, control, &header) || header.id != CONTROL ||
        header.len < CONTROL_BYTES || header.len % 2 != 0)
        return false;
    *offsets = (header.len - CONTROL_BYTES) / 2 + 2 * LB_IBFT_PAIRS;
    return get_extension(table, lb_rd_u16le(control), ibft);
}

/* Linux takes these three: EDK2's and ours, ACPI's spelling, Broadcom's. */
static bool is_signature(struct lb_bytes bytes) {
    return lb_text_is(bytes, "iBFT") || lb_text_is(bytes, "IBFT") || lb_text_is(bytes, "BIFT");
}

bool lb_ibft_decode(struct lb_bytes table, struct lb_ibft *ibft) {
    struct lb_rd rd = lb_rd(table), control;
    struct lb_ibft made = {.nic_count = 0};
    size_t offsets;
    bool signed_so = is_signature(lb_rd_bytes(&rd, 4));
    uint32_t len = lb_rd_u32le(&rd);
    uint8_t revision = lb_rd_u8(&rd);
    if (!lb_rd_ok(&rd) || !signed_so || revision != 1 || len < HEADER_BYTES || len > table.len ||
        len > UINT16_MAX)
        return false;
    table.len = len;
    lb_rd_skip(&rd, 1);
    struct lb_bytes oem = lb_bytes_trim_nul(lb_rd_bytes(&rd, 6));
    struct lb_bytes oem_table = lb_bytes_trim_nul(lb_rd_bytes(&rd, 8));
    if (sum_of(table.p, table.len) != 0 || !lb_text_copy(made.oem_id, sizeof made.oem_id, oem) ||
        !lb_text_copy(made.oem_table_id, sizeof made.oem_table_id, oem_table) ||
        !open_control(table, &control, &offsets, &made) ||
        !get_initiator(table, lb_rd_u16le(&control), &made))
        return false;
    for (size_t i = 0; i < offsets; i++) {
        if (!add_structure(table, lb_rd_u16le(&control), &made))
            return false;
    }
    if (!lb_rd_ok(&control))
        return false;
    *ibft = made;
    return true;
}

/* ---- asking --------------------------------------------------------------------------------- */

const struct lb_ibft_target *lb_ibft_boot_target(const struct lb_ibft *ibft) {
    for (size_t i = 0; i < ibft->target_count; i++) {
        if (ibft->targets[i].is_selected)
            return &ibft->targets[i];
    }
    return NULL;
}

const struct lb_ibft_nic *lb_ibft_nic_of(const struct lb_ibft *ibft,
                                         const struct lb_ibft_target *target) {
    const struct lb_ibft_nic *selected = NULL;
    for (size_t i = 0; i < ibft->nic_count; i++) {
        if (ibft->nics[i].index == target->nic)
            return &ibft->nics[i];
        if (selected == NULL && (ibft->nics[i].is_selected || ibft->nic_count == 1))
            selected = &ibft->nics[i];
    }
    return selected;
}
