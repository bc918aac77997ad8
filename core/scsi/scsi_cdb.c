#include "core/scsi/scsi.h"

/* SPC-4 6 and SBC-3 5: each CDB is zeroed, then written at its fixed places. */

static void put(uint8_t *at, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void begin(uint8_t cdb[LB_SCSI_CDB_BYTES], enum lb_scsi_op op) {
    memset(cdb, 0, LB_SCSI_CDB_BYTES);
    cdb[0] = (uint8_t)op;
}

void lb_scsi_cdb_test_unit_ready(uint8_t cdb[LB_SCSI_CDB_BYTES]) {
    begin(cdb, LB_SCSI_TEST_UNIT_READY);
}

void lb_scsi_cdb_report_luns(uint8_t cdb[LB_SCSI_CDB_BYTES], uint32_t alloc) {
    lb_assert(alloc >= 16);
    begin(cdb, LB_SCSI_REPORT_LUNS);
    put(cdb + 6, alloc, 4);
}

void lb_scsi_cdb_inquiry(uint8_t cdb[LB_SCSI_CDB_BYTES], uint16_t alloc) {
    begin(cdb, LB_SCSI_INQUIRY);
    put(cdb + 3, alloc, 2);
}

void lb_scsi_cdb_vpd(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint16_t alloc) {
    begin(cdb, LB_SCSI_INQUIRY);
    cdb[1] = 1; /* EVPD */
    cdb[2] = page;
    put(cdb + 3, alloc, 2);
}

void lb_scsi_cdb_read_capacity_10(uint8_t cdb[LB_SCSI_CDB_BYTES]) {
    begin(cdb, LB_SCSI_READ_CAPACITY_10);
}

void lb_scsi_cdb_read_capacity_16(uint8_t cdb[LB_SCSI_CDB_BYTES], uint32_t alloc) {
    begin(cdb, LB_SCSI_SERVICE_ACTION_IN_16);
    cdb[1] = LB_SCSI_READ_CAPACITY_16_ACTION;
    put(cdb + 10, alloc, 4);
}

void lb_scsi_cdb_mode_sense_6(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint8_t alloc) {
    begin(cdb, LB_SCSI_MODE_SENSE_6);
    cdb[1] = 8; /* DBD: no block descriptors */
    cdb[2] = page & 0x3f;
    cdb[4] = alloc;
}

void lb_scsi_cdb_mode_sense_10(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint16_t alloc) {
    begin(cdb, LB_SCSI_MODE_SENSE_10);
    cdb[1] = 8; /* DBD */
    cdb[2] = page & 0x3f;
    put(cdb + 7, alloc, 2);
}

void lb_scsi_cdb_start_unit(uint8_t cdb[LB_SCSI_CDB_BYTES], bool start) {
    begin(cdb, LB_SCSI_START_STOP_UNIT);
    cdb[4] = start ? 1 : 0;
}

static void read_or_write(uint8_t cdb[LB_SCSI_CDB_BYTES], enum lb_scsi_op op_10,
                          enum lb_scsi_op op_16, uint64_t lba, uint32_t blocks) {
    if (lba <= UINT32_MAX && blocks <= UINT16_MAX) {
        begin(cdb, op_10);
        put(cdb + 2, lba, 4);
        put(cdb + 7, blocks, 2);
        return;
    }
    begin(cdb, op_16);
    put(cdb + 2, lba, 8);
    put(cdb + 10, blocks, 4);
}

void lb_scsi_cdb_read(uint8_t cdb[LB_SCSI_CDB_BYTES], uint64_t lba, uint32_t blocks) {
    read_or_write(cdb, LB_SCSI_READ_10, LB_SCSI_READ_16, lba, blocks);
}

void lb_scsi_cdb_write(uint8_t cdb[LB_SCSI_CDB_BYTES], uint64_t lba, uint32_t blocks,
                       bool force_unit_access) {
    read_or_write(cdb, LB_SCSI_WRITE_10, LB_SCSI_WRITE_16, lba, blocks);
    if (force_unit_access)
        cdb[1] |= 8; /* FUA */
}

void lb_scsi_cdb_synchronize_cache(uint8_t cdb[LB_SCSI_CDB_BYTES], bool long_form) {
    /* LBA 0 and count 0 mean everything: SBC-3 5.22. */
    begin(cdb, long_form ? LB_SCSI_SYNCHRONIZE_CACHE_16 : LB_SCSI_SYNCHRONIZE_CACHE_10);
}
