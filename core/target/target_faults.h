/* What a target does wrong by order of a test or of the simulator. A server has none of this. */
#ifndef LB_TARGET_FAULTS_H
#define LB_TARGET_FAULTS_H

#include "core/base/bytes.h"

/* Commands that some targets never answer, though none needs to know them. */
enum lb_target_silence {
    LB_SILENT_MODE_SENSE = 1,
    LB_SILENT_VPD = 2,
    LB_SILENT_FLUSH = 4, /* SYNCHRONIZE CACHE */
};

struct lb_target_faults {
    uint8_t silent; /* enum lb_target_silence, several: never answered, until they are aborted */
};

#endif
