/* Brings the link up, asks IPv4 and IPv6 at once, and goes on with the family that names the disk
 * (families.h). Both stay configured. Where both name a disk, the second one is tried if the first
 * cannot be reached. */
#include "core/boot/boot_state.h"

/* ---- going on ------------------------------------------------------------------------------- */

/* The boot waits for the network until deadline_us. */
static void enter_dhcp(struct lb_boot *boot, uint64_t now_us, uint64_t deadline_us) {
    lb_boot_enter(boot, now_us, LB_AT_DHCP);
    lb_families_await(&boot->families, deadline_us);
    lb_network_awaited(&boot->network, deadline_us);
}

static void enter_address(struct lb_boot *boot, uint64_t now_us) {
    lb_network_configure(&boot->network, now_us, boot->families.chosen);
    lb_boot_enter(boot, now_us, LB_AT_ADDRESS);
}

/* Adds the disk that the other family names: another one, or another way to the same. */
static void add_others(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_family_status *other = NULL;
    if (boot->state == LB_AT_SESSION)
        other = lb_families_another(&boot->families, now_us);
    if (other == NULL)
        return;
    struct lb_candidate candidate = {
        .service = LB_BY_ROOTPATH, .at = other->target, .portal_group = -1, .boot_list = true};
    lb_format(candidate.source, sizeof candidate.source, "%s", other->answer.root_path_from);
    lb_candidates_add(&boot->candidates, now_us, &candidate);
}

static void go_on(struct lb_boot *boot, uint64_t now_us) {
    lb_families_search(&boot->families);
    lb_discovery_stage_start(boot, now_us);
    add_others(boot, now_us);
}

static void report_choice(struct lb_boot *boot, uint64_t now_us,
                          const struct lb_family_status *status, const char *why) {
    if (!lb_plan_asks(&boot->plan, LB_V4) || !lb_plan_asks(&boot->plan, LB_V6) ||
        boot->families.chosen == status->family)
        return;
    lb_report_decided(&boot->report, now_us, LB_STAGE_DHCP, "family", status->answer.from,
                      "IPv%d: %s", status->family == LB_V6 ? 6 : 4, why);
}

/* So that a person who looks for the reason finds it. */
static void report_unused(struct lb_boot *boot, uint64_t now_us,
                          const struct lb_boot_answer *answer) {
    const char *table = lb_config_source_word(LB_SOURCE_IBFT);
    if (boot->judge.is_named && lb_streq(boot->choice.source, table) &&
        lb_attempts_is_first(&boot->attempts) &&
        lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags))
        lb_report_decided(&boot->report, now_us, LB_STAGE_DHCP, "root-path", table,
                          "that of %s is not used: the firmware's table names the disk",
                          answer->root_path_from);
}

static void follow(struct lb_boot *boot, uint64_t now_us, const struct lb_family_status *status,
                   const char *why) {
    bool was_saved;
    report_choice(boot, now_us, status, why);
    if (!lb_families_follow(&boot->families, status, &was_saved, &boot->error)) {
        lb_boot_attempt_failed(boot);
        return;
    }
    bool is_static = boot->network.static6 != LB_STATIC6_NONE;
    if (!lb_boot_choose_name(boot, now_us, &status->answer) ||
        (!is_static && !lb_choice_make(&boot->plan, &status->answer, &boot->choice, &boot->error)))
        lb_boot_attempt_failed(boot);
    else if (boot->network.is_set && boot->state == LB_AT_DHCP && !was_saved)
        go_on(boot, now_us);
    else
        enter_address(boot, now_us); /* that of the other family, too */
    report_unused(boot, now_us, &status->answer);
}

static void nobody_left(struct lb_boot *boot) {
    boot->error = lb_families_why_out(&boot->families);
    lb_boot_attempt_failed(boot);
}

static enum lb_turn choose_turn(struct lb_boot *boot, uint64_t now_us) {
    struct lb_families_news news = {.what = LB_FAMILIES_SAME};
    enum lb_turn did = lb_families_turn(&boot->families, now_us, &news);
    if (news.what == LB_FAMILIES_FOLLOW)
        follow(boot, now_us, news.status, news.why);
    else if (news.what == LB_FAMILIES_NOBODY)
        nobody_left(boot);
    return did;
}

/* Discovery began while one family was still being asked. */
static enum lb_turn reconsider(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_family_status *other = lb_families_reconsider(&boot->families, now_us);
    if (other == NULL)
        return LB_TURN_IDLE;
    lb_discovery_stage_stop(boot, now_us);
    follow(boot, now_us, other, "it named a disk while others were asked for one");
    return LB_TURN_AGAIN;
}

bool lb_boot_network_may_save(struct lb_boot *boot, uint64_t now_us) {
    if (boot->state != LB_AT_DISCOVERY || !lb_families_save(&boot->families, &boot->error))
        return false;
    lb_error_clear(&boot->error);
    lb_discovery_stage_stop(boot, now_us);
    enter_dhcp(boot, now_us, lb_families_deadline_us(&boot->families));
    return true;
}

/* ---- the dry run ---------------------------------------------------------------------------- */

static void show_offers(struct lb_boot *boot, uint64_t now_us,
                        const bool has_answer[LB_BOOT_FAMILIES]) {
    if (has_answer[0])
        lb_report_lease(&boot->report, now_us, lb_network_offer4(&boot->network));
    if (has_answer[1] && lb_network_offer6(&boot->network) != NULL)
        lb_report_lease6(&boot->report, now_us, lb_network_offer6(&boot->network));
    lb_ask(&boot->common, LB_BOOT_OFFERS);
}

/* Goes on to the disk if it can be reached. */
static void after_offers(struct lb_boot *boot, uint64_t now_us,
                         const struct lb_family_status *status) {
    bool was_saved; /* never, in a dry run */
    (void)lb_families_follow(&boot->families, status, &was_saved, &boot->error);
    if (!lb_boot_choose_name(boot, now_us, &status->answer) ||
        !lb_choice_make(&boot->plan, &status->answer, &boot->choice, &boot->error)) {
        lb_boot_attempt_failed(boot);
    } else if (boot->setup.network_is_up) {
        go_on(boot, now_us);
    } else {
        boot->stopping = true;
        lb_boot_enter(boot, now_us, LB_AT_CLOSING);
    }
}

/* `discover` needs no lease: DHCP is one of several services that may name disks. */
static void explore_without(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->network.step_dhcp, LB_DONE_FAILED, "no offer");
    if (lb_boot_choose_name(boot, now_us, NULL))
        go_on(boot, now_us);
    else
        lb_boot_attempt_failed(boot);
}

static enum lb_turn dry_turn(struct lb_boot *boot, uint64_t now_us) {
    struct lb_families_news news = {.what = LB_FAMILIES_SAME};
    enum lb_turn did = lb_families_dry_turn(&boot->families, now_us, &news);
    if (news.what == LB_FAMILIES_SAME)
        return did;
    lb_network_stop(&boot->network);
    if (news.what == LB_FAMILIES_FOLLOW) {
        show_offers(boot, now_us, news.has_answer);
        after_offers(boot, now_us, news.status);
    } else if (boot->plan.goal == LB_GOAL_DISCOVER) {
        explore_without(boot, now_us);
    } else {
        nobody_left(boot);
    }
    return did;
}

/* ---- beginnings ----------------------------------------------------------------------------- */

static void bypass_dhcp(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_config *config = boot->setup.config;
    lb_report_learned(&boot->report, now_us, LB_STAGE_CONFIG, "address",
                      lb_config_source_word(lb_config_source(config, LB_KEY_ADDRESS)), "%s",
                      lb_prefix_text(lb_config_prefix(config, LB_KEY_ADDRESS)).s);
    size_t step = lb_report_begin(&boot->report, now_us, LB_STAGE_DHCP, (struct lb_endpoint){0},
                                  "address is configured");
    lb_report_end(&boot->report, now_us, step, LB_BYPASSED, "address is configured");
}

static void use_static4(struct lb_boot *boot, uint64_t now_us) {
    if (!boot->network.is_set)
        bypass_dhcp(boot, now_us);
    if (!lb_boot_choose_name(boot, now_us, NULL))
        lb_boot_attempt_failed(boot);
    else if (boot->network.is_set)
        go_on(boot, now_us);
    else
        enter_address(boot, now_us);
}

/* The firmware's lease is used in the first attempt only: after a failure the network is asked
 * anew. It is not used with keys for DHCP, because the firmware did not check who sent it. */
static void use_firmware_lease(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_dhcp4_lease *lease = lb_network_firmware_lease(&boot->network);
    if (lease == NULL || boot->plan.goal != LB_GOAL_DISK ||
        lb_config_is_set(boot->setup.config, LB_KEY_DHCP_KEYS))
        return;
    enum lb_worth worth = lb_judge_lease4(&boot->judge, now_us, lease);
    if (worth == LB_WORTH_DISK)
        lb_network_adopt(&boot->network, now_us, worth);
}

static bool start_dhcp4(struct lb_boot *boot, uint64_t now_us) {
    if (!lb_network_start_dhcp4(&boot->network, now_us, &boot->error))
        return false;
    use_firmware_lease(boot, now_us);
    return true;
}

static void start_ipv6(struct lb_boot *boot, uint64_t now_us) {
    if (lb_plan_is_static(&boot->plan, LB_V6) && !boot->network.is_set)
        bypass_dhcp(boot, now_us);
    lb_network_start_v6(&boot->network, now_us, lb_judge_doubts(&boot->judge, LB_V6));
}

static void with_link(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->step_link, LB_DONE_OK, "%s", boot->interface);
    lb_families_ask(&boot->families, now_us);
    if (!lb_attempts_is_first(&boot->attempts)) /* offers may have come in the pause */
        lb_judge_failure(&boot->judge, LB_OK, boot->families.chosen);
    if (lb_plan_is_static(&boot->plan, LB_V4)) {
        use_static4(boot, now_us);
        return;
    }
    bool has_stale = boot->network.is_set &&
                     (lb_judge_doubts(&boot->judge, LB_V4) || lb_judge_doubts(&boot->judge, LB_V6));
    if (!lb_plan_asks(&boot->plan, LB_V4) && !lb_plan_asks(&boot->plan, LB_V6)) {
        lb_fail(&boot->error, LB_E_CONFIG_VALUE, "family or address of IPv6, without IPv6 on %s",
                boot->interface);
        lb_boot_attempt_failed(boot);
        return;
    }
    enter_dhcp(boot, now_us, lb_families_deadline_us(&boot->families));
    bool asks_anew = !boot->network.dhcp_runs || boot->plan.is_dry ||
                     lb_judge_doubts(&boot->judge, LB_V4) ||
                     (boot->network.has_lease && boot->network.dhcp.lease.bootp);
    if (lb_plan_asks(&boot->plan, LB_V4) && asks_anew && !start_dhcp4(boot, now_us)) {
        lb_boot_attempt_failed(boot);
        return;
    }
    if (lb_plan_asks(&boot->plan, LB_V6))
        start_ipv6(boot, now_us);
    if (has_stale)
        (void)lb_network_update(
            &boot->network, now_us,
            boot->families.chosen); /* a dropped lease is not renewed any more */
}

void lb_boot_network_start(struct lb_boot *boot, uint64_t now_us) {
    lb_network_begin(&boot->network, boot->attempts.begun,
                     lb_choice_may_search(&boot->plan, &boot->choice.target));
    lb_judge_begin(&boot->judge, boot->choice.has_target);
    lb_families_begin(&boot->families, &boot->choice);
    if (boot->network.is_set) {
        with_link(boot, now_us);
        return;
    }
    boot->step_link = lb_report_begin(&boot->report, now_us, LB_STAGE_LINK, (struct lb_endpoint){0},
                                      "%s", boot->interface);
    lb_boot_enter(boot, now_us, LB_AT_LINK);
    boot->deadline_us = now_us + lb_config_u32(boot->setup.config, LB_KEY_LINK_TIMEOUT) * LB_US_MS;
    if (boot->network.link_up)
        with_link(boot, now_us);
    else
        lb_ask(&boot->common, LB_BOOT_LINK);
}

/* ---- what happens to it --------------------------------------------------------------------- */

/* Something was learned or lost after the interface was configured: configures it anew. */
static void changed(struct lb_boot *boot, uint64_t now_us) {
    /* Also between attempts: a lease cannot be renewed while its address is not on the interface.
     * */
    bool is_in_use = boot->network.is_set || boot->network.is_configured ||
                     boot->state == LB_AT_BACKOFF ||
                     (boot->state >= LB_AT_ADDRESS && boot->state <= LB_AT_UP);
    if (boot->plan.is_dry || !is_in_use)
        return;
    add_others(boot, now_us);
    bool has_address = lb_network_update(&boot->network, now_us, boot->families.chosen);
    if (!has_address) {
        lb_network_configured(&boot->network, false);
        if (boot->state == LB_AT_ADDRESS)
            enter_dhcp(boot, now_us, LB_NEVER);
    }
    if (boot->path.runs && !lb_path_has_local(&boot->path))
        lb_initiator_drop(&boot->path.session, now_us);
}

/* An address of the family must not be used any more. Keeps why, for later failures. */
static void lost(struct lb_boot *boot, uint64_t now_us, enum lb_family family,
                 const struct lb_error *why) {
    lb_trace(&boot->trace, now_us, "boot", "lost: %s", why->facts);
    enum lb_family used =
        boot->path.runs ? lb_initiator_peer(&boot->path.session).addr.family : family;
    if (used == family || used == LB_FAMILY_NONE)
        lb_network_note_loss(&boot->network, family, why);
    changed(boot, now_us);
}

/* Acts on what the network has learned or lost. */
static void heed(struct lb_boot *boot, uint64_t now_us, const struct lb_network_news *news) {
    if (news->what == LB_NETWORK_CHANGED)
        changed(boot, now_us);
    else if (news->what == LB_NETWORK_LOST)
        lost(boot, now_us, news->family, &news->why);
}

enum lb_turn lb_boot_network_turn(struct lb_boot *boot, uint64_t now_us,
                                  struct lb_boot_action *action) {
    struct lb_network_news news = {.what = LB_NETWORK_SAME};
    enum lb_turn did = lb_network_turn(&boot->network, now_us, action, &news);
    heed(boot, now_us, &news);
    if (did != LB_TURN_IDLE)
        return did;
    if (boot->state == LB_AT_DISCOVERY)
        return reconsider(boot, now_us);
    if (boot->state != LB_AT_DHCP)
        return LB_TURN_IDLE;
    return boot->plan.is_dry ? dry_turn(boot, now_us) : choose_turn(boot, now_us);
}

/* ---- the host's word ----------------------------------------------------------------------- */

void lb_boot_network_link(struct lb_boot *boot, uint64_t now_us, bool up) {
    if (boot->network.link_up == up)
        return;
    lb_network_note_link(&boot->network, up);
    lb_trace(&boot->trace, now_us, "boot", "link of %s is %s", boot->interface, up ? "up" : "down");
    if (!up)
        return;
    if (boot->state == LB_AT_LINK) {
        with_link(boot, now_us);
        return;
    }
    lb_network_link_up(&boot->network, now_us);
}

void lb_boot_network_set(struct lb_boot *boot, uint64_t now_us, const char *why) {
    if (why != NULL) {
        if (boot->state != LB_AT_ADDRESS)
            return;
        struct lb_prefix first = lb_addr_is_set(boot->network.net.address.addr)
                                     ? boot->network.net.address
                                     : boot->network.net.addrs6[0].address;
        lb_fail(&boot->error, LB_E_HOST_NETWORK, "%s on %s: %s", lb_prefix_text(first).s,
                boot->interface, why);
        lb_boot_attempt_failed(boot);
        return;
    }
    if (boot->state == LB_AT_DHCP)
        return; /* the address was lost again meanwhile */
    lb_network_configured(&boot->network, true);
    if (boot->state == LB_AT_ADDRESS)
        go_on(boot, now_us);
}

/* Tells the person why the boot waits. */
static void tell_wait(struct lb_boot *boot, uint64_t now_us, enum lb_worth worth,
                      uint64_t before_us, uint64_t until_us) {
    bool begins = before_us == LB_NEVER && until_us != LB_NEVER;
    if (worth == LB_WORTH_BAD && begins && boot->passed.shown <= LB_PASSED_SHOWN_MAX)
        lb_report_told(&boot->report, now_us, LB_STAGE_DHCP, "waiting", boot->interface,
                       "up to %u ms for the answer of another server",
                       (unsigned)((until_us - now_us) / LB_US_MS));
}

/* A DHCP answer without a valid proof that it is from a server of ours. */
static void pass_over_unauthentic(struct lb_boot *boot, uint64_t now_us, enum lb_code code,
                                  struct lb_endpoint from, const char *why) {
    struct lb_error error = {.code = LB_OK};
    struct lb_addr_text sender = lb_addr_text(from.addr);
    lb_fail(&error, code, "from %s: %s", sender.s, why);
    lb_passed_note(&boot->passed, now_us, sender.s, &error);
}

static void hear_dhcp4(struct lb_boot *boot, uint64_t now_us, struct lb_endpoint from,
                       struct lb_bytes bytes) {
    struct lb_dhcp4_lease said;
    enum lb_worth worth = LB_WORTH_UNKNOWN;
    if (lb_network_reads4(&boot->network, from, bytes, &said))
        worth = lb_judge_lease4(&boot->judge, now_us, &said);
    uint64_t before_us = boot->network.dhcp.offers_until_us;
    uint64_t unauthentic = boot->network.dhcp.unauthentic;
    lb_network_hear4(&boot->network, now_us, from, bytes, worth);
    if (boot->network.dhcp.unauthentic > unauthentic)
        pass_over_unauthentic(boot, now_us, LB_E_DHCP_AUTH, from,
                              boot->network.dhcp.unauthentic_why);
    tell_wait(boot, now_us, worth, before_us, boot->network.dhcp.offers_until_us);
}

static void hear_dhcp6(struct lb_boot *boot, uint64_t now_us, struct lb_endpoint from,
                       struct lb_bytes bytes) {
    struct lb_dhcp6_lease said;
    enum lb_worth worth = LB_WORTH_UNKNOWN;
    if (lb_network_reads6(&boot->network, from, bytes, &said))
        worth = lb_judge_lease6(&boot->judge, now_us, &said);
    uint64_t before_us = boot->network.dhcp6.offers_until_us;
    uint64_t unauthentic = boot->network.dhcp6.unauthentic;
    lb_network_hear6(&boot->network, now_us, from, bytes, worth);
    if (boot->network.dhcp6.unauthentic > unauthentic)
        pass_over_unauthentic(boot, now_us, LB_E_DHCP6_AUTH, from,
                              boot->network.dhcp6.unauthentic_why);
    tell_wait(boot, now_us, worth, before_us, boot->network.dhcp6.offers_until_us);
}

void lb_boot_network_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                              struct lb_endpoint from, struct lb_bytes bytes) {
    if (slot == LB_BOOT_SLOT_DHCP4)
        hear_dhcp4(boot, now_us, from, bytes);
    else if (slot == LB_BOOT_SLOT_DHCP6)
        hear_dhcp6(boot, now_us, from, bytes);
    else
        lb_network_datagram(&boot->network, now_us, slot, from, bytes);
}

void lb_boot_probed(struct lb_boot *boot, uint64_t now_us, struct lb_addr addr, bool conflict) {
    struct lb_network_news news = lb_network_probed(&boot->network, now_us, addr, conflict);
    heed(boot, now_us, &news);
}
