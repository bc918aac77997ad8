/* Mode pages and the log: SPC-4 6.11 to 6.14, 7.5; SBC-3 6.5. What can be changed is two bits: WCE
 * of the caching page, and SWP of the control page. Nothing is saved. */
#include "core/scsi/scsi_device_state.h"

enum {
    PAGE_CACHING = 0x08,
    PAGE_CONTROL = 0x0a,
    PAGE_EXCEPTIONS = 0x1c,
    PAGE_ALL = 0x3f,
    SUBPAGE_EXTENSION = 0x01, /* of the control page */
    SUBPAGE_ALL = 0xff,
};

/* What is asked for: SPC-4 6.13.1, the page control field. */
enum { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED };

static const struct mode_page {
    uint8_t page, subpage;
    uint8_t len;     /* without its header */
    uint8_t at, set; /* a byte behind the header that is not zero, and what it is */
} mode_pages[] = {
    {PAGE_CACHING, 0, 18, 0, 0},
    {PAGE_CONTROL, 0, 10, 1, 0x10}, /* unrestricted reordering */
    {PAGE_CONTROL, SUBPAGE_EXTENSION, 28, 0, 0},
    {PAGE_EXCEPTIONS, 0, 10, 0, 0x08}, /* DEXCPT: no warnings of failure */
};

/* The byte of a page behind its header: what it holds now, by default, or which bits change. */
static uint8_t value_at(const struct lb_scsi_unit *unit, const struct mode_page *page,
                        uint8_t control, unsigned at) {
    bool is_changeable = control == MODE_CHANGEABLE;
    if (page->page == PAGE_CACHING && at == 0) /* WCE */
        return is_changeable || control == MODE_DEFAULT || !unit->no_write_cache ? 0x04 : 0;
    if (page->page == PAGE_CONTROL && page->subpage == 0 && at == 2) /* SWP */
        return is_changeable || (control == MODE_CURRENT && unit->write_protected) ? 0x08 : 0;
    return at == page->at && !is_changeable ? page->set : 0;
}

static void put_page(struct lb_wr *wr, const struct lb_scsi_unit *unit,
                     const struct mode_page *page, uint8_t control) {
    lb_wr_u8(wr, page->subpage == 0 ? page->page : page->page | 0x40); /* SPF */
    if (page->subpage != 0) {
        lb_wr_u8(wr, page->subpage);
        lb_wr_u16(wr, page->len);
    } else {
        lb_wr_u8(wr, page->len);
    }
    for (unsigned i = 0; i < page->len; i++)
        lb_wr_u8(wr, value_at(unit, page, control, i));
}

/* Subpage FF stands for all of a page, and page 3F for all pages: without their subpages, or with
 * them (SPC-4 table 148). */
static bool is_meant(const struct mode_page *page, uint8_t number, uint8_t subpage) {
    if (number == PAGE_ALL && subpage != 0 && subpage != SUBPAGE_ALL)
        return false;
    return (number == PAGE_ALL || number == page->page) &&
           (subpage == SUBPAGE_ALL || subpage == page->subpage);
}

static unsigned put_pages(struct lb_wr *wr, const struct lb_scsi_unit *unit, uint8_t number,
                          uint8_t subpage, uint8_t control) {
    unsigned count = 0;
    for (size_t i = 0; i < LB_COUNT(mode_pages); i++) {
        if (!is_meant(&mode_pages[i], number, subpage))
            continue;
        put_page(wr, unit, &mode_pages[i], control);
        count++;
    }
    return count;
}

static void put_header(struct lb_wr *wr, const struct lb_scsi_unit *unit, bool is_long) {
    uint8_t device = (lb_scsi_is_writable(unit) ? 0 : 0x80) | 0x10; /* WP, DPOFUA */
    if (is_long) {
        lb_wr_u16(wr, 0);
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, device);
        lb_wr_u32(wr, 0);
    } else {
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, device);
        lb_wr_u8(wr, 0);
    }
}

void lb_scsi_mode_sense(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                        struct lb_wr *wr) {
    bool is_long = command->cdb[0] == LB_SCSI_MODE_SENSE_10;
    uint8_t page = command->cdb[2] & 0x3f, subpage = command->cdb[3];
    uint8_t control = command->cdb[2] >> 6;
    put_header(wr, unit, is_long);
    unsigned count = put_pages(wr, unit, page, subpage, control);
    if (count == 0 && (page != 0 || subpage != 0)) /* page 0 is the header alone */
        lb_scsi_invalid_field(command);
    else if (control == MODE_SAVED)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x39, 0);
    if (is_long)
        lb_wr_u16_at(wr, 0, (uint16_t)(wr->len - 2));
    else
        lb_wr_u8_at(wr, 0, (uint8_t)(wr->len - 1));
}

/* ---- MODE SELECT ---- */

/* What a list changes. */
struct change {
    bool has_cache, no_write_cache;
    bool has_protection, write_protected;
};

static const struct mode_page *find_page(uint8_t page, uint8_t subpage) {
    for (size_t i = 0; i < LB_COUNT(mode_pages); i++)
        if (mode_pages[i].page == page && mode_pages[i].subpage == subpage)
            return &mode_pages[i];
    return NULL;
}

/* One page of the list; false: it is wrong, or changes what does not change. */
static bool read_page(const struct lb_scsi_unit *unit, struct lb_rd *rd, struct change *change) {
    uint8_t first = lb_rd_u8(rd), subpage = first & 0x40 ? lb_rd_u8(rd) : 0;
    size_t len = first & 0x40 ? lb_rd_u16(rd) : lb_rd_u8(rd);
    const struct mode_page *page = find_page(first & 0x3f, subpage);
    if (!lb_rd_ok(rd) || page == NULL || len != page->len || first & 0x80)
        return false;
    for (unsigned i = 0; i < len; i++) {
        uint8_t value = lb_rd_u8(rd), mask = value_at(unit, page, MODE_CHANGEABLE, i);
        if ((value & ~mask) != (value_at(unit, page, MODE_CURRENT, i) & ~mask))
            return false;
        if (mask != 0 && page->page == PAGE_CACHING) {
            change->has_cache = true;
            change->no_write_cache = (value & mask) == 0;
        } else if (mask != 0) {
            change->has_protection = true;
            change->write_protected = (value & mask) != 0;
        }
    }
    return lb_rd_ok(rd);
}

/* What is wrong with the list, as an ASC; 0: nothing. */
static uint8_t read_list(const struct lb_scsi_unit *unit, bool is_long, struct lb_bytes list,
                         struct change *change) {
    struct lb_rd rd = lb_rd(list);
    bool is_right = true;
    lb_rd_skip(&rd, is_long ? 6 : 3);
    size_t descriptors = is_long ? lb_rd_u16(&rd) : lb_rd_u8(&rd);
    lb_rd_skip(&rd, descriptors); /* block length and count: as they are */
    while (is_right && lb_rd_ok(&rd) && rd.left > 0)
        is_right = read_page(unit, &rd, change);
    if (!lb_rd_ok(&rd))
        return 0x1a; /* it ends in the middle of something */
    return is_right ? 0 : 0x26;
}

void lb_scsi_mode_select(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                         struct lb_scsi_command *command, struct lb_bytes list) {
    struct change change = {.has_cache = false};
    bool is_long = command->cdb[0] == LB_SCSI_MODE_SELECT_10;
    if (!(command->cdb[1] & 0x10) || command->cdb[1] & 1) { /* PF, SP: nothing is saved */
        lb_scsi_invalid_field(command);
        return;
    }
    uint8_t asc = read_list(unit, is_long, list, &change);
    if (asc != 0) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, asc, 0);
        return;
    }
    if (change.has_cache)
        unit->no_write_cache = change.no_write_cache;
    if (change.has_protection)
        unit->write_protected = change.write_protected;
    if (change.has_cache || change.has_protection)
        lb_scsi_unit_attention(unit, nexus, 0x2a, 0x01); /* mode parameters changed */
}

/* ---- LOG SENSE ---- */

enum { LOG_PAGES = 0x00, LOG_PROVISIONING = 0x0c };

/* SBC-3 6.4.4: used blocks, in units of a threshold set (2^11 blocks). */
static void put_provisioning(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    const uint64_t values[2] = {(unit->blocks - LB_MIN(unit->used_blocks, unit->blocks)) >> 11,
                                unit->used_blocks >> 11};
    for (uint16_t parameter = 1; parameter <= 2; parameter++) { /* available, used */
        lb_wr_u16(wr, parameter);
        lb_wr_u8(wr, 3); /* binary */
        lb_wr_u8(wr, 8);
        lb_wr_u32(wr, (uint32_t)LB_MIN(values[parameter - 1], UINT32_MAX));
        lb_wr_u8(wr, 1); /* of this unit alone */
        lb_wr_zero(wr, 3);
    }
}

void lb_scsi_log_sense(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                       struct lb_wr *wr) {
    uint8_t page = command->cdb[2] & 0x3f;
    bool is_there = page == LOG_PAGES || (page == LOG_PROVISIONING && unit->is_thin);
    if (!is_there || command->cdb[3] != 0 || command->cdb[1] & 1) {
        lb_scsi_invalid_field(command);
        return;
    }
    lb_wr_u8(wr, page);
    lb_wr_u8(wr, 0);
    lb_wr_u16(wr, 0); /* the length, below */
    if (page == LOG_PROVISIONING)
        put_provisioning(wr, unit);
    else
        lb_wr_u8(wr, LOG_PAGES);
    if (page == LOG_PAGES && unit->is_thin)
        lb_wr_u8(wr, LOG_PROVISIONING);
    lb_wr_u16_at(wr, 2, (uint16_t)(wr->len - 4));
}
