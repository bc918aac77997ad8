/* The Discovery stage. */
#include "core/boot/boot_state.h"

void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us) {
    lb_session_stage_start(boot, now_us);
}
