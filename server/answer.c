/* What an errno of storage is to an initiator. */
#include "server/target.h"
#include <errno.h>

struct lb_target_answer lb_server_target_answer(int error, bool is_write) {
    struct lb_target_answer answer = {0};
    if (error == 0)
        return answer;
    answer.status = LB_SCSI_CHECK_CONDITION;
    if (error == EROFS || error == EPERM) { /* SPC-4 4.5.6: DATA PROTECT, WRITE PROTECTED */
        answer.key = 0x7;
        answer.asc = 0x27;
    } else if (error == ENOSPC || error == EDQUOT) { /* SPACE ALLOCATION FAILED WRITE PROTECT */
        answer.key = 0x7;
        answer.asc = 0x27;
        answer.ascq = 0x7;
    } else if (error == EINPROGRESS) { /* SANITIZE IN PROGRESS */
        answer.key = 0x2;
        answer.asc = 0x4;
        answer.ascq = 0x1b;
    } else if (error == ENOMEDIUM) { /* NOT READY, MANUAL INTERVENTION REQUIRED */
        answer.key = 0x2;
        answer.asc = 0x4;
        answer.ascq = 0x3;
    } else { /* MEDIUM ERROR: WRITE ERROR, UNRECOVERED READ ERROR */
        answer.key = 0x3;
        answer.asc = is_write ? 0x0c : 0x11;
    }
    return answer;
}
