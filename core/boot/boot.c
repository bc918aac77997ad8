/* The engine's loop: states, asks, and the calls of the host handed on to the stages. */
#include "core/boot/boot_state.h"

/* Of one poll: a boot's longest chain of changes without an action is under ten. */
#define TURNS_MAX 64
/* ---- ends ----------------------------------------------------------------------------------- */

/* No step of the report is left running. What is still asked for has not met the error of another
 * stage: a family that had no answer yet when the other one's way came to its end did not fail. */
static void end_steps(struct lb_boot *boot, uint64_t now_us) {
    bool is_stopped = lb_is_ok(&boot->error);
    const char *why = is_stopped ? "stopped" : lb_code_word(boot->error.code);
    lb_report_end(&boot->report, now_us, boot->step_link, LB_DONE_FAILED, "%s", why);
    lb_unit_end_step(&boot->unit, now_us, why);
    if (boot->plan.goal == LB_GOAL_TARGETS)
        lb_listing_end_step(&boot->listing, now_us, why);
    lb_path_end_step(&boot->path, now_us, why);
    lb_network_end_steps(&boot->network, now_us, !boot->network.is_set && !boot->was_up,
                         is_stopped ? why : NULL);
}

static void enter_over(struct lb_boot *boot, uint64_t now_us) {
    lb_session_end(boot, now_us);
    lb_discovery_stage_stop(boot, now_us);
    lb_shield_stop(&boot->shield, now_us);
    lb_network_stop(&boot->network);
    end_steps(boot, now_us);
    if (boot->has_released) /* RFC 2131 4.4.6: it is not ours any more */
        lb_ask(&boot->common, LB_BOOT_CLEAR_ADDRESS);
    boot->report.error = boot->error;
    lb_boot_enter(boot, now_us, LB_AT_OVER);
    lb_ask(&boot->common, boot->stopping ? LB_BOOT_OUT : LB_BOOT_FAILED);
}

static void after_closing(struct lb_boot *boot, uint64_t now_us) {
    lb_session_end(boot, now_us);
    if (!boot->stopping && !boot->was_up && lb_session_stage_next(boot, now_us))
        return;
    uint64_t delay_us = lb_attempts_delay_us(&boot->attempts, boot->error.code);
    lb_discovery_stage_stop(boot, now_us);
    bool may_pass = lb_code_may_pass(boot->error.code) ||
                    lb_candidates_may_pass(&boot->candidates) ||
                    lb_judge_may_pass(&boot->judge, boot->error.code);
    if (!lb_is_ok(&boot->error) && !boot->was_up)
        lb_passed_explain(&boot->passed, &boot->error);
    if (boot->stopping || boot->was_up || !may_pass ||
        !lb_attempts_are_left(&boot->attempts, now_us, delay_us)) {
        enter_over(boot, now_us);
        return;
    }
    lb_boot_enter(boot, now_us, LB_AT_BACKOFF);
    boot->deadline_us = now_us + delay_us;
    lb_network_pause(&boot->network, now_us);
    lb_trace(&boot->trace, now_us, "boot", "attempt %u failed (%s: %s); next in %llu ms",
             boot->attempts.begun, lb_code_word(boot->error.code), boot->error.facts,
             (unsigned long long)(delay_us / LB_US_MS));
}

/* Ends the attempt: closes, then backs off or gives up. */
static void end_attempt(struct lb_boot *boot, uint64_t now_us) {
    if (lb_boot_network_may_save(boot, now_us))
        return;
    lb_judge_failure(&boot->judge, boot->error.code, boot->families.chosen);
    end_steps(boot, now_us);
    if (boot->path.runs && lb_initiator_state(&boot->path.session) == LB_INITIATOR_FULL_FEATURE) {
        lb_initiator_logout(&boot->path.session, now_us);
        lb_boot_enter(boot, now_us, LB_AT_CLOSING);
        return;
    }
    after_closing(boot, now_us);
}

/* A stage has failed, and said why. What is tried instead may fail at once, too. */
static void settle(struct lb_boot *boot, uint64_t now_us) {
    while (boot->has_failed) {
        boot->has_failed = false;
        end_attempt(boot, now_us);
    }
}

/* ---- beginnings ----------------------------------------------------------------------------- */

static bool wants_link(const struct lb_boot *boot) {
    return boot->setup.interface != NULL && (!boot->setup.network_is_up || boot->plan.is_dry);
}

/* A short secret is told once. */
static bool secrets_are_usable(struct lb_boot *boot, uint64_t now_us) {
    bool is_short;
    bool is_good = lb_policy_secrets(&boot->plan, &is_short, &boot->error);
    if (is_short && lb_attempts_is_first(&boot->attempts))
        lb_report_learned(&boot->report, now_us, LB_STAGE_LOGIN, "warning", "configuration",
                          "chap-secret has less than 12 bytes: it can be found by trying");
    return is_good;
}

static void begin_attempt(struct lb_boot *boot, uint64_t now_us) {
    lb_attempts_begin(&boot->attempts);
    lb_error_clear(&boot->error);
    lb_passed_begin(&boot->passed);
    /* Those of the network's clients may have begun in the pause, and run on. */
    boot->step_link = LB_NO_STEP;
    lb_path_begin(&boot->path);
    lb_unit_begin(&boot->unit);
    if (!lb_policy_enabled(&boot->plan, &boot->error) || !secrets_are_usable(boot, now_us) ||
        !lb_choice_own_name_is_valid(&boot->plan, &boot->error) ||
        !lb_choice_of_config(&boot->plan, &boot->choice, &boot->error) ||
        (!wants_link(boot) && !lb_boot_choose_name(boot, now_us, NULL)))
        lb_boot_attempt_failed(boot);
    else if (wants_link(boot))
        lb_boot_network_start(boot, now_us);
    else
        lb_discovery_stage_start(boot, now_us);
}

/* ---- polling -------------------------------------------------------------------------------- */

/* Requests that are under way may end well before the logout. The address is given back when
 * nothing uses it any more. */
static enum lb_turn closing_turn(struct lb_boot *boot, uint64_t now_us) {
    uint64_t disk_us = lb_unit_settle(&boot->unit, now_us);
    bool closed = !boot->path.runs || lb_initiator_state(&boot->path.session) == LB_INITIATOR_ENDED;
    if (!closed && now_us < boot->deadline_us) {
        lb_until(&boot->common, LB_MIN(boot->deadline_us, disk_us));
        return LB_TURN_IDLE;
    }
    if (!boot->release_due) {
        after_closing(boot, now_us);
        return LB_TURN_AGAIN;
    }
    lb_session_end(boot, now_us);
    lb_network_release(&boot->network, now_us);
    boot->release_due = false;
    boot->has_released = true;
    return LB_TURN_AGAIN;
}

static enum lb_turn backoff_turn(struct lb_boot *boot, uint64_t now_us) {
    lb_until(&boot->common, boot->deadline_us);
    if (now_us < boot->deadline_us)
        return LB_TURN_IDLE;
    begin_attempt(boot, now_us);
    return LB_TURN_AGAIN;
}

/* The disk is there: nobody is asked any more where another is. */
static enum lb_turn disk_turn(struct lb_boot *boot, uint64_t now_us) {
    bool is_up = false;
    enum lb_turn did = lb_disk_stage_turn(boot, now_us, &is_up);
    if (!is_up)
        return did;
    lb_discovery_stage_stop(boot, now_us);
    lb_boot_enter(boot, now_us, LB_AT_UP);
    boot->was_up = true;
    lb_ask(&boot->common, LB_BOOT_READY);
    return LB_TURN_AGAIN;
}

static enum lb_turn state_turn(struct lb_boot *boot, uint64_t now_us) {
    switch (boot->state) {
    case LB_AT_START:
        begin_attempt(boot, now_us);
        return LB_TURN_AGAIN;
    case LB_AT_DISK:
    case LB_AT_UP:
        return disk_turn(boot, now_us);
    case LB_AT_CLOSING:
        return closing_turn(boot, now_us);
    case LB_AT_BACKOFF:
        return backoff_turn(boot, now_us);
    case LB_AT_LINK:
        lb_until(&boot->common, boot->deadline_us);
        if (now_us < boot->deadline_us)
            return LB_TURN_IDLE;
        lb_fail(&boot->error, LB_E_NO_LINK, "interface %s", boot->interface);
        lb_report_end(&boot->report, now_us, boot->step_link, LB_DONE_FAILED, "no link");
        lb_boot_attempt_failed(boot);
        return LB_TURN_AGAIN;
    case LB_AT_DHCP:
    case LB_AT_ADDRESS:
    case LB_AT_DISCOVERY:
    case LB_AT_SESSION:
    case LB_AT_OVER:
        return LB_TURN_IDLE;
    }
    return LB_TURN_IDLE;
}

/* The other services go on. */
static void list_failed(struct lb_boot *boot, uint64_t now_us) {
    lb_finder_list_failed(&boot->finder, now_us, &boot->error);
    lb_error_clear(&boot->error);
    lb_session_end(boot, now_us);
}

/* What the session said, for whoever uses it. */
static void heed_session(struct lb_boot *boot, uint64_t now_us, enum lb_session_news news) {
    bool is_list = lb_finder_is_listing(&boot->finder);
    if (news == LB_SESSION_READY && is_list)
        lb_session_list_ready(boot, now_us);
    else if (news == LB_SESSION_READY)
        lb_disk_stage_start(boot, now_us);
    else if (news == LB_SESSION_FAILED && is_list)
        list_failed(boot, now_us);
    else if (news == LB_SESSION_FAILED)
        lb_boot_attempt_failed(boot);
}

static enum lb_turn session_turn(struct lb_boot *boot, uint64_t now_us,
                                 struct lb_boot_action *action) {
    enum lb_session_news news = LB_SESSION_SAME;
    enum lb_turn did = lb_session_stage_turn(boot, now_us, action, &news);
    heed_session(boot, now_us, news);
    return did;
}

/* A name's addresses, in the order in which they are tried, for who asked for them. */
static void heed_answer(struct lb_boot *boot, uint64_t now_us, struct lb_names_answer *answer) {
    answer->count = lb_families_sort(&boot->families, answer->addrs, answer->count);
    if (answer->requester == LB_REQUESTER_ISNS)
        lb_finder_resolved(&boot->finder, now_us, answer->addrs, answer->count, answer->why);
    else if (boot->path.runs)
        lb_session_stage_resolved(boot, now_us, answer);
}

static enum lb_turn names_turn(struct lb_boot *boot, uint64_t now_us,
                               struct lb_boot_action *action) {
    struct lb_names_answer answer;
    bool has_answer = false;
    enum lb_turn did =
        lb_names_turn(&boot->names, now_us, &boot->network.net, action, &answer, &has_answer);
    if (has_answer)
        heed_answer(boot, now_us, &answer);
    return did;
}

static enum lb_turn turn(struct lb_boot *boot, uint64_t now_us, struct lb_boot_action *action) {
    if (lb_ask_take(&boot->common, action))
        return LB_TURN_ACT;
    boot->common.until_us = LB_NEVER;
    enum lb_turn did = lb_boot_network_turn(boot, now_us, action);
    if (did == LB_TURN_IDLE)
        did = lb_discovery_stage_turn(boot, now_us, action);
    if (did == LB_TURN_IDLE)
        did = lb_shield_turn(&boot->shield, now_us, action);
    if (did == LB_TURN_IDLE)
        did = session_turn(boot, now_us, action);
    if (did == LB_TURN_IDLE)
        did = names_turn(boot, now_us, action);
    if (did == LB_TURN_IDLE)
        did = state_turn(boot, now_us);
    settle(boot, now_us);
    return did;
}

struct lb_boot_action lb_boot_poll(struct lb_boot *boot, uint64_t now_us) {
    struct lb_boot_action action = {.event = LB_BOOT_WAIT, .slot = LB_BOOT_NO_SLOT};
    for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
        enum lb_turn did = turn(boot, now_us, &action);
        if (did == LB_TURN_ACT)
            return action;
        if (did == LB_TURN_IDLE)
            break;
        boot->common.until_us = now_us; /* for the case that the turns run out */
    }
    return (struct lb_boot_action){.event = LB_BOOT_WAIT,
                                   .slot = LB_BOOT_NO_SLOT,
                                   .until_us = LB_MAX(boot->common.until_us, now_us)};
}

/* ---- the host's calls ----------------------------------------------------------------------- */

void lb_boot_init(struct lb_boot *boot, uint64_t now_us, const struct lb_boot_setup *setup) {
    memset(boot, 0, sizeof *boot);
    boot->setup = *setup;
    boot->plan = lb_plan_of(setup);
    boot->plan.clock_us = setup->unix_s * LB_US_SEC - now_us;
    boot->common = (struct lb_common){
        .plan = &boot->plan,
        .interface = boot->interface,
        .rand = &boot->rand,
        .trace = &boot->trace,
        .report = &boot->report,
    };
    lb_network_init(&boot->network, &boot->common);
    lb_passed_init(&boot->passed, &boot->common);
    lb_judge_init(&boot->judge, &boot->common, &boot->network, &boot->passed);
    lb_families_init(&boot->families, &boot->common, &boot->network, &boot->judge, &boot->attempts);
    lb_candidates_init(&boot->candidates, &boot->common, &boot->network);
    lb_finder_init(&boot->finder, &boot->common, &boot->network, &boot->shield);
    lb_names_init(&boot->names, &boot->common, setup->machine);
    lb_shield_init(&boot->shield, &boot->common, setup->has_esp, setup->esp_in_kernel);
    if (setup->seen != NULL)
        lb_network_remember(&boot->network, setup->seen);
    boot->setup.seen = NULL;
    lb_unit_init(&boot->unit, &boot->common);
    lb_listing_init(&boot->listing, &boot->common);
    lb_path_init(&boot->path, &boot->common, LB_BOOT_SLOT_SESSION, &boot->network, &boot->shield);
    if (setup->interface != NULL)
        lb_format(boot->interface, sizeof boot->interface, "%s", setup->interface);
    if (setup->lease4 != NULL)
        lb_network_remember_lease(&boot->network, setup->lease4);
    boot->setup.lease4 = NULL;
    lb_rand_init(&boot->rand, setup->seed);
    lb_wipe(boot->setup.seed, sizeof boot->setup.seed);
    if (setup->trace_ring.len > 0)
        lb_trace_init(&boot->trace, now_us, setup->trace_ring);
    lb_report_init(&boot->report, now_us);
    if (setup->report != NULL)
        boot->report = *setup->report;
    lb_error_clear(&boot->report.error);
    boot->setup.report = NULL;
    lb_attempts_init(&boot->attempts, now_us, &boot->common);
    boot->deadline_us = LB_NEVER;
}

void lb_boot_host_failed(struct lb_boot *boot, uint64_t now_us, const struct lb_error *error) {
    if (boot->state == LB_AT_OVER)
        return;
    lb_fail(&boot->error, error->code, "%s", error->facts);
    enter_over(boot, now_us);
}

void lb_boot_link(struct lb_boot *boot, uint64_t now_us, bool up) {
    lb_boot_network_link(boot, now_us, up);
    settle(boot, now_us);
}

void lb_boot_address_set(struct lb_boot *boot, uint64_t now_us, const char *why) {
    lb_boot_network_set(boot, now_us, why);
    settle(boot, now_us);
}

void lb_boot_source(struct lb_boot *boot, uint64_t now_us, struct lb_addr to, struct lb_addr from) {
    lb_shield_source(&boot->shield, now_us, to, from);
}

void lb_boot_not_alone(struct lb_boot *boot) {
    lb_shield_not_alone(&boot->shield);
}

void lb_boot_guarded(struct lb_boot *boot, uint64_t now_us, struct lb_addr to,
                     struct lb_addr from) {
    lb_shield_guarded(&boot->shield, now_us, to, from);
}

void lb_boot_no_keys(struct lb_boot *boot, uint64_t now_us, struct lb_addr to,
                     const struct lb_error *error) {
    lb_shield_no_keys(&boot->shield, now_us, to, error);
}

struct lb_bytes lb_boot_seal(struct lb_boot *boot, struct lb_bytes packet, struct lb_span room,
                             struct lb_endpoint *to) {
    return lb_shield_seal(&boot->shield, packet, room, to);
}

struct lb_bytes lb_boot_open(struct lb_boot *boot, struct lb_endpoint from, struct lb_span esp) {
    return lb_shield_open(&boot->shield, from, esp);
}

void lb_boot_submit(struct lb_boot *boot, uint64_t now_us, struct lb_disk_op *op) {
    lb_unit_submit(&boot->unit, now_us, op);
    if (!boot->path.runs) /* over: it has failed at once */
        (void)lb_unit_settle(&boot->unit, now_us);
}

struct lb_disk_op *lb_boot_completed(struct lb_boot *boot) {
    return lb_unit_completed(&boot->unit);
}

const struct lb_disk_info *lb_boot_disk(const struct lb_boot *boot) {
    return lb_disk_info(&boot->unit.disk);
}

const struct lb_disk_identity *lb_boot_identity(const struct lb_boot *boot) {
    return lb_disk_identity(&boot->unit.disk);
}

void lb_boot_stop(struct lb_boot *boot, uint64_t now_us, bool release) {
    if (boot->stopping)
        return;
    boot->stopping = true;
    if (boot->state == LB_AT_OVER) { /* it failed before: everything is closed */
        lb_ask(&boot->common, LB_BOOT_OUT);
        return;
    }
    lb_discovery_stage_stop(boot, now_us);
    /* A lease that was never configured has no address to be given back from: it runs out. */
    boot->release_due = release && boot->network.is_set && lb_network_has_lease(&boot->network);
    if (boot->path.runs && lb_initiator_state(&boot->path.session) == LB_INITIATOR_FULL_FEATURE)
        lb_initiator_logout(&boot->path.session, now_us);
    else
        lb_session_end(boot, now_us);
    lb_boot_enter(boot, now_us, LB_AT_CLOSING);
}

void lb_boot_hand_over(struct lb_boot *boot, uint64_t now_us) {
    lb_assert(boot->state == LB_AT_UP && boot->path.runs);
    lb_path_hand_over(&boot->path, now_us);
}

bool lb_boot_hand_over_ike(struct lb_boot *boot, struct lb_addr remote, struct lb_ike *ike) {
    return lb_shield_hand_over(&boot->shield, remote, ike);
}

struct lb_report *lb_boot_report(struct lb_boot *boot) {
    return &boot->report;
}

struct lb_trace *lb_boot_trace(struct lb_boot *boot) {
    return &boot->trace;
}

const struct lb_boot_net *lb_boot_net(const struct lb_boot *boot) {
    return &boot->network.net;
}

const struct lb_dhcp4_lease *lb_boot_lease4(const struct lb_boot *boot) {
    return lb_network_lease4(&boot->network);
}

const struct lb_dhcp6_lease *lb_boot_lease6(const struct lb_boot *boot) {
    return lb_network_lease6(&boot->network);
}

const struct lb_dhcp6_lease *lb_boot_offers6(const struct lb_boot *boot, size_t *count) {
    *count = boot->network.dhcp6.offer_count;
    return boot->network.dhcp6.offers;
}

const struct lb_nd6_info *lb_boot_routers6(const struct lb_boot *boot) {
    return boot->network.nd6_runs || boot->network.nd6.info.advertised ? &boot->network.nd6.info
                                                                       : NULL;
}

const struct lb_dhcp_seen *lb_boot_seen(const struct lb_boot *boot) {
    return &boot->network.seen;
}

const struct lb_dhcp4_lease *lb_boot_offers(const struct lb_boot *boot, size_t *count) {
    *count = boot->network.dhcp.offer_count;
    return boot->network.dhcp.offers;
}

const struct lb_candidate *lb_boot_candidates(const struct lb_boot *boot, size_t *count,
                                              size_t *dropped) {
    *count = boot->candidates.count;
    *dropped = boot->candidates.dropped;
    return boot->candidates.list;
}

const struct lb_rootpath *lb_boot_target(const struct lb_boot *boot) {
    return &boot->choice.target;
}

struct lb_boot_servers lb_boot_servers(const struct lb_boot *boot) {
    return lb_candidates_servers(&boot->candidates);
}

bool lb_boot_has_chap(const struct lb_boot *boot) {
    return lb_policy_has_chap(&boot->plan, boot->choice.target.target, LB_KEY_CHAP_NAME);
}

const char *lb_boot_initiator(const struct lb_boot *boot) {
    return boot->initiator;
}

struct lb_initiator *lb_boot_session(struct lb_boot *boot) {
    return &boot->path.session;
}
