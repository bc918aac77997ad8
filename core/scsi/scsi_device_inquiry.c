/* INQUIRY and its pages of vital product data: SPC-4 6.6, 7.8; SBC-3 6.6. */
#include "core/scsi/scsi_device_state.h"

enum {
    NO_SUCH_DEVICE = 0x7f, /* byte 0: qualifier 3, type 1f */
    INQUIRY_BYTES = 96,    /* up to the end of the version descriptors */
};

/* Left-justified, filled with spaces. */
static void put_field(struct lb_wr *wr, const char *value, const char *otherwise, size_t width) {
    const char *text = value[0] != 0 ? value : otherwise;
    size_t len = LB_MIN(lb_strlen(text), width);
    lb_wr_bytes(wr, lb_bytes(text, len));
    for (; len < width; len++)
        lb_wr_u8(wr, ' ');
}

static void put_standard(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    /* SPC-4 table 175: SAM-5, iSCSI, SPC-4, SBC-3, no version claimed of each. */
    static const uint16_t versions[] = {0x00a0, 0x0960, 0x0460, 0x04c0};
    uint8_t groups = unit != NULL ? 0x10 : 0;                   /* TPGS: implicit */
    uint8_t copies = unit != NULL && unit->can_copy ? 0x08 : 0; /* 3PC */
    lb_wr_u8(wr, unit == NULL ? NO_SUCH_DEVICE : unit->type);
    lb_wr_u8(wr, unit != NULL && unit->is_removable ? 0x80 : 0);
    lb_wr_u8(wr, 6);    /* SPC-4 */
    lb_wr_u8(wr, 0x12); /* HiSup, response data format 2 */
    lb_wr_u8(wr, INQUIRY_BYTES - 5);
    lb_wr_u8(wr, groups | copies);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 2); /* CmdQue */
    put_field(wr, unit == NULL ? "" : unit->vendor, "LUNBOOT", 8);
    put_field(wr, unit == NULL ? "" : unit->product, "DISK", 16);
    put_field(wr, unit == NULL ? "" : unit->revision, "1", 4);
    lb_wr_zero(wr, 22);
    for (size_t i = 0; i < LB_COUNT(versions); i++)
        lb_wr_u16(wr, versions[i]);
    lb_wr_zero(wr, INQUIRY_BYTES - wr->len);
}

uint64_t lb_scsi_naa_of(const char *name, const struct lb_scsi_unit *unit, uint8_t index) {
    if (unit->naa != 0)
        return unit->naa;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; name[i] != 0; i++)
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ index) * UINT64_C(0x100000001b3);
    return UINT64_C(3) << 60 | hash >> 4;
}

/* A SCSI name string, NUL-ended, a multiple of 4: SPC-4 7.8.6.11. association: 0x80 | 0x10 the
 * port, 0x80 | 0x20 the device. */
static void put_name(struct lb_wr *wr, uint8_t association, const char *name, const char *suffix) {
    size_t len = lb_strlen(name) + lb_strlen(suffix);
    size_t padded = (len + 1 + 3) & ~(size_t)3;
    lb_wr_u8(wr, 0x53); /* iSCSI, UTF-8 */
    lb_wr_u8(wr, association | 8);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, (uint8_t)padded);
    lb_wr_text(wr, name);
    lb_wr_text(wr, suffix);
    lb_wr_zero(wr, padded - len);
}

/* 4: relative target port; 5: target port group. */
static void put_port_number(struct lb_wr *wr, uint8_t type, uint16_t number) {
    lb_wr_u8(wr, 0x51);
    lb_wr_u8(wr, 0x90 | type); /* of the port that the request came to */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 4);
    lb_wr_u16(wr, 0);
    lb_wr_u16(wr, number);
}

static void put_ids(struct lb_wr *wr, const struct lb_scsi_device *device,
                    const struct lb_scsi_command *command) {
    uint16_t group = device->port_group == 0 ? 1 : device->port_group;
    char suffix[12];
    lb_wr_u8(wr, 1); /* binary */
    lb_wr_u8(wr, 3); /* NAA of the logical unit */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 8);
    lb_wr_u64(wr, lb_scsi_naa_of(device->name, device->units[command->unit], command->unit));
    put_port_number(wr, 4, group);
    put_port_number(wr, 5, group);
    lb_format(suffix, sizeof suffix, ",t,0x%04x", (unsigned)group); /* RFC 7143 4.4.1 */
    if (lb_strlen(device->name) <= LB_NAME_MAX - 8)
        put_name(wr, 0x90, device->name, suffix);
    put_name(wr, 0xa0, device->name, "");
}

static void put_serial(struct lb_wr *wr, const struct lb_scsi_device *device, uint8_t index) {
    const struct lb_scsi_unit *unit = device->units[index];
    char number[17];
    uint64_t naa = lb_scsi_naa_of(device->name, unit, index);
    lb_format(number, sizeof number, "%08x%08x", (unsigned)(naa >> 32), (unsigned)naa);
    lb_wr_text(wr, unit->serial[0] != 0 ? unit->serial : number);
}

/* SPC-4 7.8.7: what queueing and sense can do. */
static void put_extended(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0x07);                            /* simple, ordered, head of queue */
    lb_wr_u8(wr, unit->no_write_cache ? 0 : 0x01); /* volatile cache */
    lb_wr_zero(wr, 57);
}

static void put_limits(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    uint32_t thin = unit->is_thin ? UINT32_MAX : 0;
    lb_wr_u8(wr, 0); /* WSNZ 0: WRITE SAME of no blocks goes to the end */
    lb_wr_u8(wr, (uint8_t)lb_scsi_caw_blocks(unit));
    lb_wr_u16(wr, (uint16_t)(1u << unit->physical_exponent)); /* optimal granularity */
    lb_wr_u32(wr, unit->max_transfer_blocks);
    lb_wr_u32(wr, unit->optimal_transfer_blocks);
    lb_wr_u32(wr, 0);    /* prefetch */
    lb_wr_u32(wr, thin); /* of one UNMAP */
    lb_wr_u32(wr, thin & LB_SCSI_UNMAP_RANGES);
    lb_wr_u32(wr, thin & (1u << unit->physical_exponent)); /* optimal granularity of UNMAP */
    lb_wr_u32(wr, thin & UINT32_C(0x80000000));            /* aligned at 0 */
    lb_wr_u64(wr, lb_scsi_each_blocks(unit));              /* WRITE SAME */
    lb_wr_u32(wr, unit->atomic_blocks);                    /* anywhere, and no boundaries */
    lb_wr_zero(wr, 16);
}

/* SBC-3 6.6.4 */
static void put_provisioning(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, unit->is_thin ? 0xe4 : 0); /* LBPU, LBPWS, LBPWS10, LBPRZ */
    lb_wr_u8(wr, unit->is_thin ? 2 : 0);    /* thin */
    lb_wr_u8(wr, 0);
}

/* The pages in ascending order: SPC-4 7.8.13. */
static void put_pages(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    static const uint8_t pages[] = {LB_SCSI_VPD_PAGES,        LB_SCSI_VPD_SERIAL,
                                    LB_SCSI_VPD_IDS,          LB_SCSI_VPD_EXTENDED,
                                    LB_SCSI_VPD_THIRD_PARTY,  LB_SCSI_VPD_BLOCK_LIMITS,
                                    LB_SCSI_VPD_BLOCK_DEVICE, LB_SCSI_VPD_PROVISIONING};
    for (size_t i = 0; i < sizeof pages; i++)
        if (pages[i] != LB_SCSI_VPD_THIRD_PARTY || unit->can_copy)
            lb_wr_u8(wr, pages[i]);
}

/* False for a page that there is not. */
static bool put_page(struct lb_wr *wr, const struct lb_scsi_device *device,
                     const struct lb_scsi_command *command, uint8_t page) {
    const struct lb_scsi_unit *unit = device->units[command->unit];
    lb_wr_u8(wr, unit->type);
    lb_wr_u8(wr, page);
    lb_wr_u16(wr, 0); /* the length, below */
    switch (page) {
    case LB_SCSI_VPD_PAGES:
        put_pages(wr, unit);
        break;
    case LB_SCSI_VPD_THIRD_PARTY:
        if (!unit->can_copy)
            return false;
        lb_scsi_put_third_party(wr);
        break;
    case LB_SCSI_VPD_SERIAL:
        put_serial(wr, device, command->unit);
        break;
    case LB_SCSI_VPD_IDS:
        put_ids(wr, device, command);
        break;
    case LB_SCSI_VPD_EXTENDED:
        put_extended(wr, unit);
        break;
    case LB_SCSI_VPD_BLOCK_LIMITS:
        put_limits(wr, unit);
        break;
    case LB_SCSI_VPD_BLOCK_DEVICE:
        lb_wr_u16(wr, 1); /* not rotating */
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, unit->can_sanitize ? 0x40 : 0); /* WABEREQ: what was erased can be read */
        lb_wr_zero(wr, 56);
        break;
    case LB_SCSI_VPD_PROVISIONING:
        put_provisioning(wr, unit);
        break;
    default:
        return false;
    }
    lb_wr_u16_at(wr, 2, (uint16_t)(wr->len - 4));
    return true;
}

void lb_scsi_inquiry(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                     struct lb_wr *wr) {
    bool is_vpd = command->cdb[1] & 1;
    const struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    bool is_command = command->cdb[1] & 2; /* CMDDT, which is obsolete */
    if (!is_vpd && !is_command && command->cdb[2] == 0)
        put_standard(wr, unit);
    else if (!is_vpd || is_command || unit == NULL ||
             !put_page(wr, device, command, command->cdb[2]))
        lb_scsi_invalid_field(command);
}
