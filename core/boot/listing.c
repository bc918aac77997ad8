#include "core/boot/listing.h"

void lb_listing_clear(struct lb_listing *listing) {
    listing->targets =
        (struct lb_initiator_targets){.found = listing->found, .cap = LB_COUNT(listing->found)};
}

void lb_listing_init(struct lb_listing *listing, struct lb_common *common) {
    listing->common = common;
    listing->step = LB_NO_STEP;
    lb_listing_clear(listing);
}

void lb_listing_ask(struct lb_listing *listing, uint64_t now_us, struct lb_initiator *session) {
    const struct lb_config *config = listing->common->plan->config;
    if (lb_config_is_set(config, LB_KEY_ALLOW_TARGET))
        listing->targets.look_for = lb_bytes_of_text(lb_config_text(config, LB_KEY_ALLOW_TARGET));
    lb_initiator_send_targets(session, now_us, NULL, &listing->targets);
}

void lb_listing_show(struct lb_listing *listing, uint64_t now_us, struct lb_initiator *session) {
    listing->step = lb_report_begin(listing->common->report, now_us, LB_STAGE_DISCOVERY,
                                    lb_initiator_peer(session), "SendTargets");
    lb_initiator_send_targets(session, now_us, NULL, &listing->targets);
}

bool lb_listing_is_shown(struct lb_listing *listing, uint64_t now_us) {
    size_t dropped;
    int32_t count = lb_initiator_targets_count(&listing->targets, &dropped);
    if (count < 0)
        return false;
    lb_report_end(listing->common->report, now_us, listing->step, LB_DONE_OK, "%d found",
                  (int)count);
    return true;
}

void lb_listing_end_step(struct lb_listing *listing, uint64_t now_us, const char *why) {
    lb_report_end(listing->common->report, now_us, listing->step, LB_DONE_FAILED, "%s", why);
}
