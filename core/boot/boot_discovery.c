/* The Discovery stage (RFC 4173 6): who has the disk, where nobody named its server.
 *
 *     start ──> the services that may be asked, all at once ──> candidates ──> the boot stage
 *                                                        └──> none: the end, explained
 *
 * The boot stage begins at the first candidate that is sure (named, or named for booting), and at
 * one that is merely possible when no boot list is being waited for. They go on beside it until
 * there is a disk: when a candidate fails, the next may have come meanwhile. */
#include "core/boot/boot_state.h"

/* ---- the end, explained --------------------------------------------------------------------- */

/* Where nobody that we know of should have answered, what is missing is a Root Path. */
static void fail_empty(struct lb_boot *boot) {
    const struct lb_discovery *discovery = &boot->discovery;
    enum lb_code code = boot->choice.unnamed.code;
    if (discovery->has_answer)
        code = LB_E_DISCOVERY_EMPTY;
    else if (discovery->has_expectation)
        code = LB_E_DISCOVERY_SILENT;
    lb_candidates_verdict(boot);
    if (!discovery->has_answer && !lb_is_ok(&discovery->failure))
        lb_fail(&boot->error, discovery->failure.code, "%s", discovery->failure.facts);
    lb_fail(&boot->error, code, "%s; %s", boot->choice.unnamed.facts,
            discovery->asked[0] != '\0' ? discovery->asked : "nobody could be asked");
    lb_boot_attempt_failed(boot);
}

/* ---- beginning ------------------------------------------------------------------------------ */

static void add_named(struct lb_boot *boot, uint64_t now_us) {
    struct lb_candidate named = {
        .service = boot->choice.from_network ? LB_BY_ROOTPATH : LB_BY_CONFIG,
        .at = boot->wanted,
        .portal_group = -1,
        .boot_list = true,
    };
    lb_format(named.source, sizeof named.source, "%s", boot->choice.source);
    lb_candidates_add(boot, now_us, &named);
}

/* Those of the configuration, which lb_target_from_config has checked. */
static void add_other_rootpaths(struct lb_boot *boot, uint64_t now_us) {
    struct lb_bytes item;
    struct lb_bytes list =
        lb_bytes_of_text(lb_config_text(boot->setup.config, LB_KEY_OTHER_ROOTPATHS));
    struct lb_candidate other = {.service = LB_BY_CONFIG, .portal_group = -1, .boot_list = true};
    lb_format(other.source, sizeof other.source, "configuration");
    while (lb_list_next(&list, ' ', &item))
        if (item.len > 0 && lb_choice_parse_other(&boot->plan, item, &other.at, &boot->error))
            lb_candidates_add(boot, now_us, &other);
}

/* Beside a Root Path that is broken discovery finds little: in the first attempt the error is told
 * soon, the later ones have all the time. */
#define PASSED_TIMEOUT_US (3 * LB_US_SEC)

static uint64_t most_us(const struct lb_boot *boot) {
    uint64_t us = lb_config_u32(boot->setup.config, LB_KEY_DISCOVERY_TIMEOUT) * LB_US_MS;
    bool has_passed = boot->passed.count > boot->passed.before;
    return boot->attempts == 1 && has_passed ? LB_MIN(us, PASSED_TIMEOUT_US) : us;
}

static void start_services(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_config *config = boot->setup.config;
    struct lb_discovery *discovery = &boot->discovery;
    discovery->runs = true;
    discovery->has_answer = false;
    discovery->has_expectation =
        lb_config_is_set(config, LB_KEY_DISCOVERY) || boot->setup.goal == LB_GOAL_DISCOVER;
    discovery->asked[0] = '\0';
    discovery->sendtargets = LB_SENDTARGETS_NONE;
    discovery->slp_tcp_owner = LB_BOOT_SLP_QUESTIONS;
    discovery->failure = (struct lb_error){.code = LB_OK};
    discovery->deadline_us = now_us + most_us(boot);
    lb_boot_enter(boot, now_us, LB_AT_DISCOVERY);
    /* A person who names a server does not mean the targets of another. */
    if (!lb_choice_may_list(&boot->plan, &boot->choice.target) ||
        boot->setup.goal == LB_GOAL_DISCOVER) {
        lb_isns_service_start(boot, now_us);
        lb_slp_service_start(boot, now_us);
    }
    if (lb_sendtargets_start(boot, now_us))
        return;
    lb_discovery_stage_stop(boot, now_us);
    lb_boot_attempt_failed(boot);
}

static void start_sendtargets_goal(struct lb_boot *boot, uint64_t now_us) {
    lb_boot_enter(boot, now_us, LB_AT_SESSION);
    if (!lb_session_list_start(boot, now_us))
        lb_boot_attempt_failed(boot);
}

void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us) {
    bool explores = boot->setup.goal == LB_GOAL_DISCOVER;
    lb_candidates_clear(boot);
    boot->wanted = boot->choice.target;
    if (boot->setup.goal == LB_GOAL_TARGETS && boot->choice.target.host != LB_HOST_NONE) {
        start_sendtargets_goal(boot, now_us);
        return;
    }
    if (boot->choice.has_target)
        add_named(boot, now_us);
    add_other_rootpaths(boot, now_us);
    if (boot->candidate_count > 0 && !explores) {
        lb_session_stage_start(boot, now_us);
        return;
    }
    bool is_named = boot->choice.target.target[0] != '\0';
    lb_fail(&boot->choice.unnamed, is_named ? LB_E_NO_SERVER : LB_E_NO_ROOT_PATH, "%s%s",
            is_named ? boot->choice.target.target : "nothing is configured that names it",
            ", and DHCP was not asked");
    if (lb_choice_may_search(&boot->plan, &boot->choice.target)) {
        start_services(boot, now_us);
        return;
    }
    lb_fail(&boot->error, boot->choice.unnamed.code, "%s", boot->choice.unnamed.facts);
    lb_boot_attempt_failed(boot);
}

/* ---- going on ------------------------------------------------------------------------------- */

static bool is_sure(const struct lb_boot *boot, const struct lb_candidate *candidate) {
    return boot->wanted.target[0] != '\0' || candidate->boot_list ||
           candidate->service == LB_BY_SENDTARGETS ||
           lb_plan_names_target(&boot->plan, candidate->at.target);
}

/* Whether something may still come that is surer: a boot list. */
static bool awaits_boot_list(const struct lb_boot *boot) {
    bool awaits = boot->discovery.isns_runs;
    for (size_t i = 0; i < LB_BOOT_SLP_QUESTIONS; i++)
        awaits = awaits || (boot->discovery.slp[i].runs &&
                            boot->discovery.slp[i].client.config.query == LB_SLP_BOOT_LIST);
    return awaits;
}

static bool services_run(const struct lb_boot *boot) {
    return lb_slp_service_runs(boot) || lb_isns_service_runs(boot) ||
           boot->discovery.sendtargets != LB_SENDTARGETS_NONE;
}

static enum lb_turn show_candidates(struct lb_boot *boot, uint64_t now_us) {
    if (boot->candidate_count == 0) {
        fail_empty(boot);
        return LB_TURN_AGAIN;
    }
    lb_boot_enter(boot, now_us, LB_AT_UP);
    lb_ask(&boot->common, LB_BOOT_READY);
    return LB_TURN_AGAIN;
}

/* How long an address of the candidate's family is waited for when discovery is over, from when the
 * network was asked. */
#define ADDRESS_TIMEOUT_US (10 * LB_US_SEC)

static bool asks_for(const struct lb_boot *boot, enum lb_family family) {
    if (!lb_plan_asks(&boot->plan, family))
        return false;
    return family == LB_V4 ? boot->network.dhcp_runs
                           : boot->network.nd6_runs && lb_is_ok(&boot->network.out6);
}

/* A family may get its address only now, when the other one has found a portal that has it
 * alone. */
static bool awaits_address(struct lb_boot *boot, uint64_t now_us, const struct lb_candidate *best) {
    uint64_t until_us = boot->asked_us + ADDRESS_TIMEOUT_US;
    if (best->at.host != LB_HOST_ADDR || !boot->network.is_set ||
        lb_net_has_family(&boot->network.net, best->at.addr.family) ||
        !asks_for(boot, best->at.addr.family))
        return false;
    if (boot->discovery.runs)
        return true;
    if (now_us < until_us)
        lb_until(&boot->common, until_us);
    return now_us < until_us;
}

/* The session's room is taken while targets are being listed. */
static enum lb_turn decide(struct lb_boot *boot, uint64_t now_us) {
    bool is_over = !boot->discovery.runs;
    const struct lb_candidate *best = lb_candidates_best(boot);
    if (boot->state == LB_AT_SESSION && best != NULL && boot->path.runs)
        lb_initiator_hurry(&boot->path.session); /* it came while another was being tried */
    if (boot->state != LB_AT_DISCOVERY || boot->discovery.sendtargets != LB_SENDTARGETS_NONE)
        return LB_TURN_IDLE;
    if (boot->setup.goal == LB_GOAL_DISCOVER)
        return is_over ? show_candidates(boot, now_us) : LB_TURN_IDLE;
    if (best != NULL && awaits_address(boot, now_us, best))
        return LB_TURN_IDLE;
    if (best != NULL && (is_over || is_sure(boot, best) || !awaits_boot_list(boot))) {
        lb_session_stage_start(boot, now_us);
        return LB_TURN_AGAIN;
    }
    if (!is_over)
        return LB_TURN_IDLE;
    fail_empty(boot);
    return LB_TURN_AGAIN;
}

enum lb_turn lb_discovery_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                     struct lb_boot_action *action) {
    struct lb_discovery *discovery = &boot->discovery;
    if (discovery->runs) {
        enum lb_turn did = lb_slp_service_turn(boot, now_us, action);
        if (did == LB_TURN_IDLE)
            did = lb_isns_service_turn(boot, now_us, action);
        if (did == LB_TURN_IDLE)
            did = lb_sendtargets_turn(boot, now_us);
        if (did != LB_TURN_IDLE)
            return did;
        if (!services_run(boot) || now_us >= discovery->deadline_us) {
            lb_discovery_stage_stop(boot, now_us);
            return LB_TURN_AGAIN;
        }
        lb_until(&boot->common, discovery->deadline_us);
    }
    return decide(boot, now_us);
}

void lb_discovery_stage_stop(struct lb_boot *boot, uint64_t now_us) {
    if (!boot->discovery.runs)
        return;
    lb_slp_service_stop(boot, now_us);
    lb_isns_service_stop(boot, now_us);
    lb_sendtargets_stop(boot, now_us);
    boot->discovery.runs = false;
}

/* ---- what comes on the slots ---------------------------------------------------------------- */

static bool isns_has(const struct lb_boot *boot, uint32_t slot) {
    return slot == LB_BOOT_SLOT_ISNS && boot->discovery.isns_open;
}

static struct lb_slp_client *slp_of(struct lb_boot *boot, uint32_t slot) {
    return slot == LB_BOOT_SLOT_SLP_TCP ? lb_slp_service_stream(boot) : NULL;
}

void lb_discovery_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot) {
    if (isns_has(boot, slot))
        lb_isns_client_connected(&boot->discovery.isns, now_us);
    else if (slp_of(boot, slot) != NULL)
        lb_slp_client_connected(slp_of(boot, slot), now_us);
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

void lb_discovery_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                       enum lb_initiator_lost why) {
    if (isns_has(boot, slot)) {
        boot->discovery.isns_open = false;
        lb_isns_client_lost(&boot->discovery.isns, now_us, lost_word(why));
    } else if (slp_of(boot, slot) != NULL) {
        lb_slp_service_lost(boot, now_us);
    }
}

size_t lb_discovery_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]) {
    if (isns_has(boot, slot))
        spans[0] = lb_isns_client_where(&boot->discovery.isns);
    else if (slp_of(boot, slot) != NULL)
        spans[0] = lb_slp_client_where(slp_of(boot, slot));
    else
        return 0;
    return spans[0].len > 0;
}

void lb_discovery_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (isns_has(boot, slot))
        lb_isns_client_got(&boot->discovery.isns, now_us, len);
    else if (slp_of(boot, slot) != NULL)
        lb_slp_client_got(slp_of(boot, slot), now_us, len);
}

size_t lb_discovery_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces,
                           size_t cap) {
    lb_assert(cap > 0);
    if (isns_has(boot, slot))
        pieces[0] = lb_isns_client_gather(&boot->discovery.isns);
    else if (slp_of(boot, slot) != NULL)
        pieces[0] = lb_slp_client_gather(slp_of(boot, slot));
    else
        return 0;
    return pieces[0].len > 0;
}

void lb_discovery_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len) {
    if (isns_has(boot, slot))
        lb_isns_client_sent(&boot->discovery.isns, now_us, len);
    else if (slp_of(boot, slot) != NULL)
        lb_slp_client_sent(slp_of(boot, slot), len);
}

void lb_discovery_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                           struct lb_endpoint from, struct lb_bytes bytes) {
    if (slot == LB_BOOT_SLOT_ISNS_UDP && boot->discovery.isns_udp_open)
        lb_isns_client_input(&boot->discovery.isns, now_us, from, bytes);
    else if (slot == LB_BOOT_SLOT_SLP4 || slot == LB_BOOT_SLOT_SLP6)
        lb_slp_service_datagram(boot, now_us, slot, from, bytes);
}

void lb_discovery_resolved(struct lb_boot *boot, uint64_t now_us, enum lb_requester requester,
                           const struct lb_addr *addrs, size_t count, const char *why) {
    if (requester == LB_REQUESTER_ISNS)
        lb_isns_service_resolved(boot, now_us, addrs, count, why);
}
