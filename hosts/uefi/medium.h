/* The medium of the block device: which one it is, whether it is there, and what a request's end
 * says of it (UEFI 2.10 13.9). No EFI types: tested on Linux. */
#ifndef LB_UEFI_MEDIUM_H
#define LB_UEFI_MEDIUM_H

#include "core/base/error.h"

enum medium_status {
    MEDIUM_OK,
    MEDIUM_PROTECTED,
    MEDIUM_NONE,
    MEDIUM_CHANGED,
    MEDIUM_BROKEN, /* any other failure */
};

struct medium {
    uint32_t id; /* of the one that is there, or was there last plus one */
    bool is_present;
};

void medium_init(struct medium *medium); /* the first disk is there */
/* A request has ended with this. Once another disk has the place of ours there is no medium any
 * more, and its id is not that of the one that callers know. */
enum medium_status medium_ended(struct medium *medium, enum lb_code code);
/* Whether a caller who knows this id may go on: OK, CHANGED or NONE. */
enum medium_status medium_check(const struct medium *medium, uint32_t id);
/* The same for a flush, which names no medium. */
enum medium_status medium_check_flush(const struct medium *medium);

#endif
