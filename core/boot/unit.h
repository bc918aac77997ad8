/* The disk of a session: which LUN it is, where none is named the one that is a disk, and how it
 * comes up.
 *
 *   engine                                   unit
 *   lb_unit_start                       -->
 *   loop: lb_unit_turn                  -->  news: LUN, UP, FAILED
 *         lb_unit_submit, _completed         once it is up
 *   lb_unit_settle                           when the session has ended
 *
 * It knows no connection: the session is lent to it. */
#ifndef LB_BOOT_UNIT_H
#define LB_BOOT_UNIT_H

#include "core/boot/stage.h"
#include "core/disk/disk_luns.h"
#include "core/disk/disk_state.h"

struct lb_unit {
    struct lb_common *common;
    struct lb_initiator *session; /* the engine's, from the start on */
    uint8_t lun[8];
    enum lb_lun_choice choice; /* what is done where no LUN is named */
    size_t step;               /* of the report */
    bool searches;             /* for the LUN, by `luns` */
    bool has_disk;             /* `disk` was started */
    bool is_up;                /* and has come up */
    bool tells_wait;           /* it was told why it is waited for */
    struct lb_error error;     /* of the search */
    struct lb_disk_luns luns;
    struct lb_disk disk;
};

/* What happened to it in a turn. */
enum lb_unit_event {
    LB_UNIT_SAME,
    LB_UNIT_LUN,    /* it was found: `lun` */
    LB_UNIT_UP,     /* it can be read and written */
    LB_UNIT_FAILED, /* `error` says why */
};

struct lb_unit_news {
    enum lb_unit_event what;
    const uint8_t *lun;           /* the unit's, 8 bytes */
    const struct lb_error *error; /* the unit's */
};

/* Its start: there is no disk. common outlives it. */
void lb_unit_init(struct lb_unit *unit, struct lb_common *common);
/* A new session begins: the disk of the last one is forgotten. Its requests have had their end. */
void lb_unit_clear(struct lb_unit *unit);
/* The session is logged in: starts the disk at the target's LUN, or looks for the LUN where none is
 * named. The session is the caller's until lb_unit_clear. */
void lb_unit_start(struct lb_unit *unit, uint64_t now_us, struct lb_initiator *session,
                   const struct lb_rootpath *target);
/* Whether it was started over this session: one that is logged in again goes on. */
bool lb_unit_runs(const struct lb_unit *unit);
/* A turn of the search or of the disk. With LB_TURN_AGAIN there may be news; else *news is
 * untouched. */
enum lb_turn lb_unit_turn(struct lb_unit *unit, uint64_t now_us, struct lb_unit_news *news);
/* After something happened to the session without a turn: each request has the end that it is due.
 * Gives when it is to be called again; LB_NEVER without a disk. */
uint64_t lb_unit_settle(struct lb_unit *unit, uint64_t now_us);
/* A request; see lb_disk_submit. Asserts that there is a disk. */
void lb_unit_submit(struct lb_unit *unit, uint64_t now_us, struct lb_disk_op *op);
/* A request that has ended; NULL: none. See lb_disk_completed. */
struct lb_disk_op *lb_unit_completed(struct lb_unit *unit);
/* An attempt begins: its step is a new one. */
void lb_unit_begin(struct lb_unit *unit);
/* No step of the report is left running: it failed with this word. */
void lb_unit_end_step(struct lb_unit *unit, uint64_t now_us, const char *why);

#endif
