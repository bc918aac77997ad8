#include "core/scsi/scsi.h"
#include "tests/fuzz.h"

static void use_texts(struct lb_bytes reply) {
    struct lb_scsi_inquiry inquiry;
    char serial[65], id[80], small_id[6];
    if (lb_scsi_decode_inquiry(reply, &inquiry)) {
        lb_assert(lb_strlen(inquiry.vendor) <= 8 && lb_strlen(inquiry.product) <= 16);
        lb_assert(lb_strlen(inquiry.revision) <= 4);
    }
    if (lb_scsi_decode_serial(reply, serial, sizeof serial))
        lb_assert(lb_strlen(serial) < sizeof serial);
    if (lb_scsi_decode_id(reply, id, sizeof id))
        lb_assert(lb_strlen(id) < sizeof id);
    (void)lb_scsi_decode_id(reply, small_id, sizeof small_id);
    (void)lb_scsi_vpd_has(reply, LB_SCSI_VPD_BLOCK_LIMITS);
}

/* The best of the names is one of the names. */
static void use_designators(struct lb_bytes reply) {
    struct lb_scsi_designator best;
    if (!lb_scsi_best_designator(reply, &best))
        return;
    lb_assert(best.value.len > 0 && lb_scsi_has_designator(reply, &best));
    best.type ^= 1;
    (void)lb_scsi_has_designator(reply, &best);
}

static void use_numbers(struct lb_bytes reply) {
    uint8_t luns[4][8];
    size_t count, total;
    struct lb_scsi_limits limits;
    struct lb_scsi_capacity capacity;
    bool write_protected;
    if (lb_scsi_decode_luns(reply, luns, LB_COUNT(luns), &count, &total))
        lb_assert(count <= LB_COUNT(luns) && count <= total);
    (void)lb_scsi_decode_limits(reply, &limits);
    if (lb_scsi_decode_capacity_10(reply, &capacity))
        lb_assert(capacity.blocks > 0);
    if (lb_scsi_decode_capacity_16(reply, &capacity))
        lb_assert(capacity.blocks > 0);
    (void)lb_scsi_decode_mode_6(reply, &write_protected);
    (void)lb_scsi_decode_mode_10(reply, &write_protected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes reply = lb_bytes(data, size);
    char line[120];
    struct lb_text text = lb_text(line, sizeof line);
    use_texts(reply);
    use_designators(reply);
    use_numbers(reply);
    struct lb_scsi_judgement judgement = lb_scsi_judge(LB_SCSI_CHECK_CONDITION, reply);
    lb_assert((judgement.verdict == LB_SCSI_OK) == (judgement.code == LB_OK));
    lb_scsi_answer_format(&text, LB_SCSI_CHECK_CONDITION, &judgement.sense);
    return 0;
}
