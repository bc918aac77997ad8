#include "core/disk/disk_identity.h"

/* ---- what is known -------------------------------------------------------------------------- */

static size_t keep(uint8_t *to, size_t cap, struct lb_bytes from) {
    size_t len = LB_MIN(from.len, cap);
    if (len > 0)
        memcpy(to, from.p, len);
    return len;
}

static struct lb_bytes serial_of(struct lb_bytes reply) {
    struct lb_bytes content = lb_bytes(NULL, 0);
    (void)lb_scsi_vpd_content(reply, LB_SCSI_VPD_SERIAL, &content);
    return lb_scsi_trim(content);
}

void lb_disk_identify(const struct lb_disk_answers *answers, struct lb_disk_identity *identity) {
    const struct lb_scsi_inquiry *inquiry = answers->inquiry;
    struct lb_scsi_designator best;
    *identity = (struct lb_disk_identity){
        .is_known = true,
        .blocks = answers->capacity->blocks,
        .block_bytes = answers->capacity->block_bytes,
    };
    memcpy(identity->vendor, inquiry->vendor, sizeof identity->vendor);
    memcpy(identity->product, inquiry->product, sizeof identity->product);
    memcpy(identity->revision, inquiry->revision, sizeof identity->revision);
    identity->serial_len =
        keep(identity->serial, sizeof identity->serial, serial_of(answers->serial));
    if (!lb_scsi_best_designator(answers->names, &best))
        return;
    identity->name_type = best.type;
    identity->name_len = keep(identity->name, sizeof identity->name, best.value);
}

static struct lb_scsi_designator name_of(const struct lb_disk_identity *identity) {
    return (struct lb_scsi_designator){.type = identity->name_type,
                                       .value = lb_bytes(identity->name, identity->name_len)};
}

bool lb_disk_needs_serial(const struct lb_disk_identity *identity) {
    struct lb_scsi_designator name = name_of(identity);
    return identity->serial_len > 0 && (identity->name_len == 0 || !lb_scsi_is_world_wide(&name));
}

/* ---- words ---------------------------------------------------------------------------------- */

static void format_name(struct lb_text *text, const struct lb_scsi_designator *name) {
    char shown[80]; /* two of them fit an error's facts */
    struct lb_text short_text = lb_text(shown, sizeof shown);
    lb_scsi_designator_format(&short_text, name);
    lb_text_add(text, "%s", shown);
}

static void format_serial(struct lb_text *text, struct lb_bytes serial) {
    char shown[65];
    lb_scsi_copy_ascii(shown, sizeof shown, serial);
    lb_text_add(text, "serial number %s", serial.len > 0 ? shown : "(none)");
}

static void format_model(struct lb_text *text, const char *vendor, const char *product,
                         const char *revision) {
    lb_text_add(text, "%s %s %s", vendor, product, revision);
}

static void format_size(struct lb_text *text, uint64_t blocks, uint32_t block_bytes) {
    lb_text_add(text, "%llu blocks of %u bytes", (unsigned long long)blocks, block_bytes);
}

void lb_disk_identity_format(struct lb_text *text, const struct lb_disk_identity *identity) {
    struct lb_scsi_designator name = name_of(identity);
    if (identity->name_len > 0)
        format_name(text, &name);
    else if (identity->serial_len > 0)
        format_serial(text, lb_bytes(identity->serial, identity->serial_len));
    else
        format_size(text, identity->blocks, identity->block_bytes);
}

/* ---- is it the same? ------------------------------------------------------------------------ */

static bool is_same_model(const struct lb_disk_identity *identity,
                          const struct lb_scsi_inquiry *inquiry) {
    return lb_streq(identity->vendor, inquiry->vendor) &&
           lb_streq(identity->product, inquiry->product);
}

static enum lb_disk_same other_model(const struct lb_disk_identity *identity,
                                     const struct lb_scsi_inquiry *inquiry, struct lb_text *facts) {
    lb_text_add(facts, "it was ");
    format_model(facts, identity->vendor, identity->product, identity->revision);
    lb_text_add(facts, ", and is ");
    format_model(facts, inquiry->vendor, inquiry->product, inquiry->revision);
    return LB_DISK_OTHER;
}

static enum lb_disk_same other_size(const struct lb_disk_identity *identity,
                                    const struct lb_scsi_capacity *capacity,
                                    struct lb_text *facts) {
    lb_text_add(facts, "it had ");
    format_size(facts, identity->blocks, identity->block_bytes);
    lb_text_add(facts, ", and has ");
    format_size(facts, capacity->blocks, capacity->block_bytes);
    return LB_DISK_OTHER;
}

static enum lb_disk_same compare_serial(const struct lb_disk_identity *identity,
                                        const struct lb_disk_answers *answers,
                                        struct lb_text *facts) {
    struct lb_bytes was = lb_bytes(identity->serial, identity->serial_len);
    struct lb_bytes is = serial_of(answers->serial);
    if (lb_bytes_equal(was, is))
        return LB_DISK_SAME;
    lb_text_add(facts, "it was ");
    format_serial(facts, was);
    lb_text_add(facts, ", and is ");
    format_serial(facts, is);
    return is.len > 0 ? LB_DISK_OTHER : LB_DISK_UNPROVEN;
}

/* A name that others may have, too, needs the serial number beside it. */
static enum lb_disk_same compare_name(const struct lb_disk_identity *identity,
                                      const struct lb_disk_answers *answers,
                                      struct lb_text *facts) {
    struct lb_scsi_designator was = name_of(identity), is;
    if (lb_scsi_has_designator(answers->names, &was))
        return lb_disk_needs_serial(identity) ? compare_serial(identity, answers, facts)
                                              : LB_DISK_SAME;
    bool has_name = lb_scsi_best_designator(answers->names, &is);
    lb_text_add(facts, "it was ");
    format_name(facts, &was);
    lb_text_add(facts, has_name ? ", and is " : ", and gives no name now");
    if (has_name)
        format_name(facts, &is);
    return has_name && is.type == was.type ? LB_DISK_OTHER : LB_DISK_UNPROVEN;
}

/* Without a name. */
static enum lb_disk_same compare_serial_and_model(const struct lb_disk_identity *identity,
                                                  const struct lb_disk_answers *answers,
                                                  struct lb_text *facts) {
    enum lb_disk_same same = compare_serial(identity, answers, facts);
    if (same == LB_DISK_SAME && !is_same_model(identity, answers->inquiry))
        return other_model(identity, answers->inquiry, facts);
    return same;
}

/* It has no name: what it looks like is all that there is. */
static enum lb_disk_same compare_looks(const struct lb_disk_identity *identity,
                                       const struct lb_disk_answers *answers,
                                       struct lb_text *facts) {
    const struct lb_scsi_inquiry *inquiry = answers->inquiry;
    if (!is_same_model(identity, inquiry) || !lb_streq(identity->revision, inquiry->revision))
        return other_model(identity, inquiry, facts);
    if (answers->capacity->blocks != identity->blocks)
        return other_size(identity, answers->capacity, facts);
    return LB_DISK_SAME;
}

enum lb_disk_same lb_disk_compare(const struct lb_disk_identity *identity,
                                  const struct lb_disk_answers *answers, struct lb_text *facts) {
    const struct lb_scsi_capacity *capacity = answers->capacity;
    enum lb_disk_same same = identity->name_len > 0 ? compare_name(identity, answers, facts)
                             : identity->serial_len > 0
                                 ? compare_serial_and_model(identity, answers, facts)
                                 : compare_looks(identity, answers, facts);
    if (same != LB_DISK_SAME)
        return same;
    if (capacity->block_bytes != identity->block_bytes || capacity->blocks < identity->blocks)
        return other_size(identity, capacity, facts);
    return LB_DISK_SAME;
}
