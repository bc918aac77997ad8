/* A second process that steps in for one that dies, whatever ended it.
 *
 *   lb_spare_fork          the first goes on; the second calls
 *   lb_spare_wait          which returns when the first has died
 *   lb_spare_tell          what the second has to know when it steps in
 *   lb_spare_end           the first ends as it meant to, and the second with it
 *
 * A socket between the two tells each of the other's end: there is no file, and neither of them
 * needs to be the other's parent. Killed at the same moment, both are gone. */
#ifndef LB_LINUX_SPARE_H
#define LB_LINUX_SPARE_H

#include "core/base/bytes.h"

enum lb_spare_role {
    LB_SPARE_NONE,   /* there is no second process: errno says why */
    LB_SPARE_FIRST,  /* in the caller */
    LB_SPARE_SECOND, /* in the new process: a copy of the caller's memory */
};

/* *fd leads to the other one. */
enum lb_spare_role lb_spare_fork(int *fd);
/* The second one's: takes what it is told into state, and returns when the first has died; closes
 * fd. Where the first means to end, the process ends here. Signals that ask it to end are ignored:
 * who ends the first ends both. name is what the kernel shows meanwhile, first afterwards. */
void lb_spare_wait(int fd, const char *name, const char *first, struct lb_span state);
/* The first one's: state is as long as lb_spare_wait's, two bytes or more. False: not now. */
bool lb_spare_tell(int fd, struct lb_bytes state);
/* Whether the second one lives; false where fd is -1. */
bool lb_spare_is_there(int fd);
/* Ends the second one, closes *fd and sets it to -1; harmless where it is that. */
void lb_spare_end(int *fd);

#endif
