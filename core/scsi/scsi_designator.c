/* VPD page 83: the names of a logical unit (SPC-4 7.8.6). */
#include "core/scsi/scsi.h"

enum designator { /* SPC-4 table 569, SPC-5 table 603 */
                  DESIGNATOR_T10 = 1,
                  DESIGNATOR_EUI = 2,
                  DESIGNATOR_NAA = 3,
                  DESIGNATOR_SCSI_NAME = 8,
                  DESIGNATOR_UUID = 10,
};

#define T10_VENDOR_BYTES 8

/* SPC-4 7.8.6.6: 24 bits of the company, behind the four of the format. */
static uint32_t company_of(struct lb_bytes naa) {
    struct lb_rd rd = lb_rd(naa);
    return lb_rd_u32(&rd) >> 4 & 0xffffff;
}

/* An administrator, or the target by itself, made it up. tgt has company 0 and the numbers of
 * target and LUN. */
static bool is_local_naa(const struct lb_scsi_designator *designator) {
    if (designator->type != DESIGNATOR_NAA || designator->value.len == 0)
        return false;
    uint8_t format = designator->value.p[0] >> 4;
    return format == 3 || (format >= 5 && company_of(designator->value) == 0);
}

/* How good a name is; 0: not one. */
static unsigned rank(const struct lb_scsi_designator *designator) {
    switch (designator->type) {
    case DESIGNATOR_NAA:
        return is_local_naa(designator) ? 1 : 6;
    case DESIGNATOR_EUI:
        return 5;
    case DESIGNATOR_UUID:
        return 4;
    case DESIGNATOR_SCSI_NAME:
        return 3;
    case DESIGNATOR_T10:
        return 2;
    default:
        return 0;
    }
}

bool lb_scsi_is_world_wide(const struct lb_scsi_designator *designator) {
    return rank(designator) > 2;
}

static bool is_text(uint8_t type) {
    return type == DESIGNATOR_T10 || type == DESIGNATOR_SCSI_NAME;
}

/* Zeros and blanks are nobody's name, and a vendor's name alone is not one of a disk. */
static bool is_empty(const struct lb_scsi_designator *designator) {
    struct lb_bytes value = designator->value;
    if (designator->type == DESIGNATOR_T10)
        value = lb_bytes_after(value, LB_MIN(value.len, (size_t)T10_VENDOR_BYTES));
    return lb_scsi_trim(value).len == 0;
}

/* The next name of the logical unit itself; false: there is none. */
static bool next(struct lb_rd *rd, struct lb_scsi_designator *to) {
    while (rd->left >= 4) {
        lb_rd_u8(rd); /* protocol and code set */
        uint8_t what = lb_rd_u8(rd);
        lb_rd_u8(rd);
        size_t len = lb_rd_u8(rd);
        struct lb_scsi_designator got = {.type = what & 0x0f, .value = lb_rd_bytes(rd, len)};
        if (!lb_rd_ok(rd))
            return false; /* the last one is cut off: do not use half a name */
        uint8_t association = what >> 4 & 3;
        if (association != 0 || rank(&got) == 0 || is_empty(&got))
            continue;
        if (is_text(got.type))
            got.value = lb_scsi_trim(got.value);
        *to = got;
        return true;
    }
    return false;
}

bool lb_scsi_best_designator(struct lb_bytes reply, struct lb_scsi_designator *best) {
    struct lb_bytes content;
    struct lb_scsi_designator at;
    unsigned best_rank = 0;
    if (!lb_scsi_vpd_content(reply, LB_SCSI_VPD_IDS, &content))
        return false;
    struct lb_rd rd = lb_rd(content);
    while (next(&rd, &at)) {
        if (rank(&at) <= best_rank)
            continue;
        best_rank = rank(&at);
        *best = at;
    }
    return best_rank > 0;
}

bool lb_scsi_has_designator(struct lb_bytes reply, const struct lb_scsi_designator *wanted) {
    struct lb_bytes content;
    struct lb_scsi_designator at;
    if (!lb_scsi_vpd_content(reply, LB_SCSI_VPD_IDS, &content))
        return false;
    struct lb_rd rd = lb_rd(content);
    while (next(&rd, &at))
        if (at.type == wanted->type && lb_bytes_equal(at.value, wanted->value))
            return true;
    return false;
}

void lb_scsi_designator_format(struct lb_text *text, const struct lb_scsi_designator *designator) {
    char ascii[256]; /* a designator has at most 255 bytes */
    if (is_text(designator->type)) {
        lb_scsi_copy_ascii(ascii, sizeof ascii, designator->value);
        lb_text_add(text, "%s%s", designator->type == DESIGNATOR_T10 ? "t10." : "", ascii);
        return;
    }
    lb_text_add(text, "%s",
                designator->type == DESIGNATOR_NAA   ? "naa."
                : designator->type == DESIGNATOR_EUI ? "eui."
                                                     : "uuid.");
    lb_text_hex(text, designator->value);
}

bool lb_scsi_decode_id(struct lb_bytes reply, char *id, size_t cap) {
    struct lb_scsi_designator best;
    if (!lb_scsi_best_designator(reply, &best))
        return false;
    struct lb_text text = lb_text(id, cap);
    lb_scsi_designator_format(&text, &best);
    return true;
}
