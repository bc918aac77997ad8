/* What a disk says it is, and whether another answer is the same disk.
 *
 * The proof is the best that the disk had when it came up, and never a weaker one:
 *
 *   a name of VPD 83   the same name must be among those that it gives now; beside one that is not
 *                      unique in the world (T10, a locally assigned NAA) the serial number counts,
 * too else VPD 80        the same serial number, vendor and product else               the same
 * size, block size, vendor, product and revision
 *
 * With a name or a serial number a disk may have grown. A disk that gave a name and now gives none
 * is neither the same nor another one: it may be a target that is still starting. */
#ifndef LB_DISK_IDENTITY_H
#define LB_DISK_IDENTITY_H

#include "core/scsi/scsi.h"

#define LB_DISK_NAME_MAX   255 /* bytes of a designator: its length is one byte */
#define LB_DISK_SERIAL_MAX 252 /* of VPD 80, as much as is asked for */

struct lb_disk_identity {
    bool is_known;
    uint8_t name_type; /* of struct lb_scsi_designator */
    uint8_t name[LB_DISK_NAME_MAX];
    size_t name_len; /* 0: it has none */
    uint8_t serial[LB_DISK_SERIAL_MAX];
    size_t serial_len; /* 0: it has none */
    char vendor[9], product[17], revision[5];
    uint64_t blocks;
    uint32_t block_bytes;
};

/* The answers: as they came, empty where there was none. */
struct lb_disk_answers {
    const struct lb_scsi_inquiry *inquiry;
    const struct lb_scsi_capacity *capacity;
    struct lb_bytes names;  /* VPD 83 */
    struct lb_bytes serial; /* VPD 80 */
};

enum lb_disk_same {
    LB_DISK_SAME,
    LB_DISK_UNPROVEN, /* it does not say any more what it said */
    LB_DISK_OTHER,
};

/* Makes the identity of what a LUN answered. The answers are not needed afterwards. */
void lb_disk_identify(const struct lb_disk_answers *answers, struct lb_disk_identity *identity);
/* Unless it is the same, *facts tells what it was and what it is. */
enum lb_disk_same lb_disk_compare(const struct lb_disk_identity *identity,
                                  const struct lb_disk_answers *answers, struct lb_text *facts);
/* Whether VPD 80 is part of its proof. */
bool lb_disk_needs_serial(const struct lb_disk_identity *identity);
/* The proof as text: "naa.6001405…", or "serial number SN07", or its size. */
void lb_disk_identity_format(struct lb_text *text, const struct lb_disk_identity *identity);

#endif
