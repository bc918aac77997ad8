/* What the report and the error say of the services that were asked. */
#include "core/boot/finder_state.h"

void lb_finder_note(struct lb_finder *finder, uint64_t now_us, const char *whole,
                    const char *in_short) {
    size_t len = lb_strlen(finder->asked);
    lb_report_learned(finder->common->report, now_us, LB_STAGE_DISCOVERY, "asked", "discovery",
                      "%s", whole);
    lb_format(finder->asked + len, sizeof finder->asked - len, "%s%s", len > 0 ? "; " : "",
              in_short);
}
