/* Discovery's services, all at once: SLP, iSNS and SendTargets (RFC 4173 6). */
#include "core/boot/finder_state.h"

void lb_finder_init(struct lb_finder *finder, struct lb_common *common,
                    const struct lb_network *network, struct lb_shield *shield) {
    finder->common = common;
    finder->network = network;
    finder->shield = shield;
}

void lb_finder_start(struct lb_finder *finder, uint64_t now_us,
                     const struct lb_finder_question *question) {
    const struct lb_plan *plan = finder->common->plan;
    finder->initiator = question->initiator;
    finder->target = question->target;
    finder->runs = true;
    finder->has_answer = false;
    finder->has_expectation = question->lists || lb_config_is_set(plan->config, LB_KEY_DISCOVERY) ||
                              plan->goal == LB_GOAL_DISCOVER;
    finder->asked[0] = '\0';
    finder->sendtargets = LB_SENDTARGETS_NONE;
    finder->slp_tcp_owner = LB_FINDER_SLP_QUESTIONS;
    finder->unkeyed = (struct lb_addr){0};
    lb_error_clear(&finder->failure);
    finder->deadline_us = now_us + question->most_us;
    /* A person who names a server does not mean the targets of another. */
    if (!question->lists || plan->goal == LB_GOAL_DISCOVER) {
        lb_finder_isns_start(finder, now_us);
        lb_finder_slp_start(finder, now_us);
    }
    if (question->lists)
        finder->sendtargets_step =
            lb_report_begin(finder->common->report, now_us, LB_STAGE_DISCOVERY,
                            (struct lb_endpoint){0}, "SendTargets");
}

bool lb_finder_awaits_boot_list(const struct lb_finder *finder) {
    bool awaits = finder->isns_runs;
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++)
        awaits = awaits ||
                 (finder->slp[i].runs && finder->slp[i].client.config.query == LB_SLP_BOOT_LIST);
    return awaits;
}

bool lb_finder_is_listing(const struct lb_finder *finder) {
    return finder->sendtargets != LB_SENDTARGETS_NONE;
}

static bool services_run(const struct lb_finder *finder) {
    return lb_finder_slp_runs(finder) || lb_finder_isns_runs(finder) ||
           lb_finder_is_listing(finder);
}

enum lb_turn lb_finder_turn(struct lb_finder *finder, uint64_t now_us, bool has_candidate,
                            struct lb_boot_action *action, struct lb_finder_news *news) {
    if (!finder->runs)
        return LB_TURN_IDLE;
    finder->news = (struct lb_finder_news){.what = LB_FINDER_SAME};
    enum lb_turn did = lb_finder_slp_turn(finder, now_us, action);
    if (did == LB_TURN_IDLE)
        did = lb_finder_isns_turn(finder, now_us, has_candidate, action);
    if (did == LB_TURN_IDLE)
        did = lb_finder_list_turn(finder, now_us);
    *news = finder->news;
    news->found = &finder->found;
    if (did != LB_TURN_IDLE)
        return did;
    if (!services_run(finder) || now_us >= finder->deadline_us) {
        news->what = LB_FINDER_OVER;
        return LB_TURN_AGAIN;
    }
    lb_until(finder->common, finder->deadline_us);
    return LB_TURN_IDLE;
}

void lb_finder_stop(struct lb_finder *finder, uint64_t now_us) {
    if (!finder->runs)
        return;
    lb_finder_slp_stop(finder, now_us);
    lb_finder_isns_stop(finder, now_us);
    lb_finder_list_stop(finder, now_us);
    finder->runs = false;
}

/* ---- what comes on the slots ---------------------------------------------------------------- */

static bool isns_has(const struct lb_finder *finder, uint32_t slot) {
    return slot == LB_BOOT_SLOT_ISNS && finder->isns_open;
}

static struct lb_slp_client *slp_of(struct lb_finder *finder, uint32_t slot) {
    return slot == LB_BOOT_SLOT_SLP_TCP ? lb_finder_slp_stream(finder) : NULL;
}

void lb_finder_connected(struct lb_finder *finder, uint64_t now_us, uint32_t slot) {
    if (isns_has(finder, slot))
        lb_isns_client_connected(&finder->isns, now_us);
    else if (slp_of(finder, slot) != NULL)
        lb_slp_client_connected(slp_of(finder, slot), now_us);
}

static const char *lost_word(enum lb_initiator_lost why) {
    switch (why) {
    case LB_LOST_REFUSED:
        return "refused";
    case LB_LOST_TIMEOUT:
        return "no answer";
    case LB_LOST_UNREACHABLE:
        return "unreachable";
    case LB_LOST_CLOSED:
        return NULL;
    }
    return NULL;
}

void lb_finder_lost(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                    enum lb_initiator_lost why) {
    if (isns_has(finder, slot)) {
        finder->isns_open = false;
        lb_isns_client_lost(&finder->isns, now_us, lost_word(why));
    } else if (slp_of(finder, slot) != NULL) {
        lb_finder_slp_lost(finder, now_us);
    }
}

size_t lb_finder_where(struct lb_finder *finder, uint32_t slot, struct lb_span spans[2]) {
    if (isns_has(finder, slot))
        spans[0] = lb_isns_client_where(&finder->isns);
    else if (slp_of(finder, slot) != NULL)
        spans[0] = lb_slp_client_where(slp_of(finder, slot));
    else
        return 0;
    return spans[0].len > 0;
}

void lb_finder_got(struct lb_finder *finder, uint64_t now_us, uint32_t slot, size_t len) {
    if (isns_has(finder, slot))
        lb_isns_client_got(&finder->isns, now_us, len);
    else if (slp_of(finder, slot) != NULL)
        lb_slp_client_got(slp_of(finder, slot), now_us, len);
}

size_t lb_finder_gather(struct lb_finder *finder, uint32_t slot, struct lb_bytes *pieces,
                        size_t cap) {
    lb_assert(cap > 0);
    if (isns_has(finder, slot))
        pieces[0] = lb_isns_client_gather(&finder->isns);
    else if (slp_of(finder, slot) != NULL)
        pieces[0] = lb_slp_client_gather(slp_of(finder, slot));
    else
        return 0;
    return pieces[0].len > 0;
}

void lb_finder_sent(struct lb_finder *finder, uint64_t now_us, uint32_t slot, size_t len) {
    if (isns_has(finder, slot))
        lb_isns_client_sent(&finder->isns, now_us, len);
    else if (slp_of(finder, slot) != NULL)
        lb_slp_client_sent(slp_of(finder, slot), len);
}

void lb_finder_datagram(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                        struct lb_endpoint from, struct lb_bytes bytes) {
    if (slot == LB_BOOT_SLOT_ISNS_UDP && finder->isns_udp_open)
        lb_isns_client_input(&finder->isns, now_us, from, bytes);
    else if (slot == LB_BOOT_SLOT_SLP4 || slot == LB_BOOT_SLOT_SLP6)
        lb_finder_slp_datagram(finder, now_us, slot, from, bytes);
}
