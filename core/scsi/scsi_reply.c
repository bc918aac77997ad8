#include "core/scsi/scsi.h"

/* ---- text fields ---- */

struct lb_bytes lb_scsi_trim(struct lb_bytes field) {
    while (field.len > 0 && (field.p[0] == ' ' || field.p[0] == 0))
        field = lb_bytes_after(field, 1);
    while (field.len > 0 && (field.p[field.len - 1] == ' ' || field.p[field.len - 1] == 0))
        field.len--;
    return field;
}

void lb_scsi_copy_ascii(char *to, size_t cap, struct lb_bytes from) {
    size_t len = 0;
    from = lb_scsi_trim(from);
    while (len < from.len && len < cap - 1) {
        uint8_t c = from.p[len];
        to[len++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    to[len] = 0;
}

/* Up to n bytes: fewer when there are fewer. */
static struct lb_bytes take(struct lb_rd *rd, size_t n) {
    return lb_rd_bytes(rd, LB_MIN(n, rd->left));
}

/* ---- INQUIRY and VPD pages: SPC-4 6.4, 7.8 ---- */

bool lb_scsi_decode_inquiry(struct lb_bytes reply, struct lb_scsi_inquiry *inquiry) {
    struct lb_rd rd = lb_rd(reply);
    struct lb_scsi_inquiry got = {0};
    uint8_t device = lb_rd_u8(&rd);
    got.qualifier = device >> 5;
    got.type = device & 0x1f;
    lb_rd_u8(&rd);
    got.version = lb_rd_u8(&rd);
    lb_rd_u8(&rd);
    size_t additional = lb_rd_u8(&rd);
    if (!lb_rd_ok(&rd))
        return false;
    rd = lb_rd(take(&rd, additional));
    take(&rd, 3);
    lb_scsi_copy_ascii(got.vendor, sizeof got.vendor, take(&rd, 8));
    lb_scsi_copy_ascii(got.product, sizeof got.product, take(&rd, 16));
    lb_scsi_copy_ascii(got.revision, sizeof got.revision, take(&rd, 4));
    *inquiry = got;
    return true;
}

bool lb_scsi_vpd_content(struct lb_bytes reply, uint8_t page, struct lb_bytes *content) {
    struct lb_rd rd = lb_rd(reply);
    lb_rd_u8(&rd);
    uint8_t got = lb_rd_u8(&rd);
    size_t len = lb_rd_u16(&rd);
    if (!lb_rd_ok(&rd) || got != page)
        return false;
    *content = take(&rd, len);
    return true;
}

bool lb_scsi_vpd_has(struct lb_bytes reply, uint8_t page) {
    struct lb_bytes pages;
    if (!lb_scsi_vpd_content(reply, LB_SCSI_VPD_PAGES, &pages))
        return false;
    for (size_t i = 0; i < pages.len; i++)
        if (pages.p[i] == page)
            return true;
    return false;
}

bool lb_scsi_decode_serial(struct lb_bytes reply, char *serial, size_t cap) {
    struct lb_bytes content;
    if (!lb_scsi_vpd_content(reply, LB_SCSI_VPD_SERIAL, &content))
        return false;
    lb_scsi_copy_ascii(serial, cap, content);
    return true;
}

bool lb_scsi_decode_limits(struct lb_bytes reply, struct lb_scsi_limits *limits) {
    struct lb_bytes content;
    struct lb_scsi_limits got;
    if (!lb_scsi_vpd_content(reply, LB_SCSI_VPD_BLOCK_LIMITS, &content))
        return false;
    struct lb_rd rd = lb_rd(content);
    lb_rd_skip(&rd, 2); /* byte 6 of the page: the header is off */
    got.granularity_blocks = lb_rd_u16(&rd);
    got.max_transfer_blocks = lb_rd_u32(&rd);
    got.optimal_transfer_blocks = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd))
        return false;
    *limits = got;
    return true;
}

/* ---- REPORT LUNS: SPC-4 6.33 ---- */

bool lb_scsi_decode_luns(struct lb_bytes reply, uint8_t (*luns)[8], size_t cap, size_t *count,
                         size_t *total) {
    struct lb_rd rd = lb_rd(reply);
    size_t list_len = lb_rd_u32(&rd);
    lb_rd_skip(&rd, 4);
    if (!lb_rd_ok(&rd))
        return false;
    *total = list_len / 8;
    rd = lb_rd(take(&rd, list_len));
    size_t got = 0;
    while (got < cap && rd.left >= 8)
        lb_rd_copy(&rd, luns[got++], 8);
    *count = got;
    return true;
}

/* SPC-4 table 138. */
const char *lb_scsi_type_word(uint8_t type) {
    static const char *const words[0x20] = {
        [0x00] = "disk",           [0x01] = "tape",
        [0x02] = "printer",        [0x03] = "processor",
        [0x04] = "write-once",     [0x05] = "CD or DVD",
        [0x08] = "medium changer", [0x0c] = "array controller",
        [0x0d] = "enclosure",      [0x14] = "zoned disk",
        [0x1e] = "well-known LUN",
    };
    const char *word = words[type & 0x1f];
    return word != NULL ? word : "";
}

/* ---- READ CAPACITY: SBC-3 5.15, 5.16 ---- */

bool lb_scsi_decode_capacity_10(struct lb_bytes reply, struct lb_scsi_capacity *capacity) {
    struct lb_rd rd = lb_rd(reply);
    uint32_t last = lb_rd_u32(&rd);
    uint32_t block_bytes = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd))
        return false;
    *capacity = (struct lb_scsi_capacity){
        .blocks = (uint64_t)last + 1,
        .block_bytes = block_bytes,
        .is_cut = last == UINT32_MAX,
    };
    return true;
}

bool lb_scsi_decode_capacity_16(struct lb_bytes reply, struct lb_scsi_capacity *capacity) {
    struct lb_rd rd = lb_rd(reply);
    uint64_t last = lb_rd_u64(&rd);
    uint32_t block_bytes = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd) || last == UINT64_MAX)
        return false;
    /* Old targets stop after these 12 bytes. */
    uint8_t exponent = 0;
    uint16_t aligned = 0;
    if (rd.left >= 4) {
        lb_rd_u8(&rd);
        exponent = lb_rd_u8(&rd) & 0x0f;
        aligned = lb_rd_u16(&rd) & 0x3fff;
    }
    *capacity = (struct lb_scsi_capacity){
        .blocks = last + 1,
        .block_bytes = block_bytes,
        .physical_exponent = exponent,
        .lowest_aligned = aligned,
    };
    return true;
}

/* ---- MODE SENSE: SPC-4 7.5.5 ---- */

bool lb_scsi_decode_mode_6(struct lb_bytes reply, bool *write_protected) {
    struct lb_rd rd = lb_rd(reply);
    lb_rd_skip(&rd, 2);
    uint8_t device = lb_rd_u8(&rd);
    if (!lb_rd_ok(&rd))
        return false;
    *write_protected = device & 0x80;
    return true;
}

bool lb_scsi_decode_mode_10(struct lb_bytes reply, bool *write_protected) {
    struct lb_rd rd = lb_rd(reply);
    lb_rd_skip(&rd, 3);
    uint8_t device = lb_rd_u8(&rd);
    if (!lb_rd_ok(&rd))
        return false;
    *write_protected = device & 0x80;
    return true;
}
