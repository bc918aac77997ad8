/* The link, then IPv4 and IPv6 at once, and whose word on the disk is followed.
 *
 * Each family is a voice. It is asking, until it has an address and all that was to be learned
 * about the disk; or it has nothing to say. The boot goes on
 *
 * - with the first that names a disk. With prefer-family, the preferred one is given family-wait to
 *   name one, too, or more where it has shown a sign of life. A disk whose server has an address of
 *   the other family waits for that family
 * - with nobody naming a disk, when all have spoken: into the Discovery stage. A family that has
 *   shown no sign of life (an offer, a router) is not waited for: discovery begins without it, and
 *   where it names a disk after all, that is taken instead
 * - to an error when there is no voice left, or none that can be hoped for
 *
 * Where both name a disk, what the other one names is tried when the first cannot be had.
 *
 * So a network of one family costs no wait for the other. Both stay configured. */
#include "core/boot/boot_state.h"

/* How long a family with a sign of life is hoped for, from when asking began, where the other one
 * has an address and no disk: a lost packet and a slow server are forgiven. */
#define ALIVE_HOPE_US (10 * LB_US_SEC)
/* And how long the preferred one is waited for where the other one has a disk, in place of
 * family-wait: IPv6 takes two probes of a second each, and what lies between. */
#define ALIVE_WAIT_US (3 * LB_US_SEC)
#define DRY_HOPE_US   (2500 * LB_US_MS) /* a person waits for it: an address's probe, and offers */

/* ---- going on ------------------------------------------------------------------------------- */

/* An address that was lost is back: its loss explains nothing any more. */
static void note_return(struct lb_boot *boot) {
    if (lb_net_has_family(&boot->network.net, boot->lost_family))
        boot->lease_error = (struct lb_error){.code = LB_OK};
}

/* The network is waited for until deadline_us. */
static void enter_dhcp(struct lb_boot *boot, uint64_t now_us, uint64_t deadline_us) {
    lb_boot_enter(boot, now_us, LB_AT_DHCP);
    boot->deadline_us = deadline_us;
    lb_network_awaited(&boot->network, deadline_us);
}

static uint64_t attempt_deadline_us(const struct lb_boot *boot) {
    return boot->asked_us + lb_config_u32(boot->setup.config, LB_KEY_DHCP_TIMEOUT) * LB_US_MS;
}

static void enter_address(struct lb_boot *boot, uint64_t now_us) {
    lb_network_configure(&boot->network, now_us, boot->chosen);
    note_return(boot);
    lb_boot_enter(boot, now_us, LB_AT_ADDRESS);
}

/* What the other family names: another disk, or another way to the same. */
static void add_others(struct lb_boot *boot, uint64_t now_us) {
    if (boot->state != LB_AT_SESSION || boot->is_named || boot->chosen == LB_FAMILY_NONE)
        return;
    const struct lb_voice other =
        lb_voice_listen(boot, now_us, boot->chosen == LB_V6 ? LB_V4 : LB_V6);
    if (!other.is_usable || other.word != LB_WORD_DISK)
        return;
    struct lb_candidate candidate = {
        .service = LB_BY_ROOTPATH, .at = other.target, .portal_group = -1, .boot_list = true};
    lb_format(candidate.source, sizeof candidate.source, "%s", other.answer.root_path_from);
    lb_candidates_add(boot, now_us, &candidate);
}

static void go_on(struct lb_boot *boot, uint64_t now_us) {
    boot->searched[0] = lb_net_has_family(&boot->network.net, LB_V4);
    boot->searched[1] = lb_net_has_family(&boot->network.net, LB_V6);
    lb_discovery_stage_start(boot, now_us);
    add_others(boot, now_us);
}

static void report_choice(struct lb_boot *boot, uint64_t now_us, const struct lb_voice *voice,
                          const char *why) {
    if (!lb_plan_asks(&boot->plan, LB_V4) || !lb_plan_asks(&boot->plan, LB_V6) ||
        boot->chosen == voice->family)
        return;
    lb_report_decided(&boot->report, now_us, LB_STAGE_DHCP, "family", voice->answer.from,
                      "IPv%d: %s", voice->family == LB_V6 ? 6 : 4, why);
}

/* A person who looks for the reason finds it. */
static void report_unused(struct lb_boot *boot, uint64_t now_us,
                          const struct lb_boot_answer *answer) {
    const char *table = lb_config_source_word(LB_SOURCE_IBFT);
    if (boot->is_named && lb_streq(boot->choice.source, table) && boot->attempts == 1 &&
        lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags))
        lb_report_decided(&boot->report, now_us, LB_STAGE_DHCP, "root-path", table,
                          "that of %s is not used: the firmware's table names the disk",
                          answer->root_path_from);
}

/* Discovery found nothing, and has a family now that it did not have then. */
static bool may_find_more(const struct lb_boot *boot) {
    enum lb_family needed = lb_isns_service_family(boot);
    for (size_t i = 0; i < 2; i++) {
        enum lb_family family = i == 0 ? LB_V4 : LB_V6;
        if (!boot->searched[i] && lb_network_has_address(&boot->network, family) &&
            (needed == family || boot->plan.services[LB_BY_SLP].is_on))
            return true;
    }
    return false;
}

static void follow(struct lb_boot *boot, uint64_t now_us, const struct lb_voice *voice,
                   const char *why) {
    bool was_saved = !lb_is_ok(&boot->no_disk);
    report_choice(boot, now_us, voice, why);
    boot->chosen = voice->family;
    if (!voice->is_usable && was_saved && !may_find_more(boot)) {
        boot->error = boot->no_disk;
        lb_boot_attempt_failed(boot);
        return;
    }
    boot->no_disk = (struct lb_error){.code = LB_OK};
    bool is_static = boot->network.static6 != LB_STATIC6_NONE;
    if (!lb_boot_choose_name(boot, now_us, &voice->answer) ||
        (!is_static && !lb_choice_make(&boot->plan, &voice->answer, &boot->choice, &boot->error)))
        lb_boot_attempt_failed(boot);
    else if (boot->network.is_set && boot->state == LB_AT_DHCP && !was_saved)
        go_on(boot, now_us);
    else
        enter_address(boot, now_us); /* that of the other family, too */
    report_unused(boot, now_us, &voice->answer);
}

/* Of two failures the one of the family that has shown a sign of life tells more; the other one is
 * said, too. */
static void nobody_left(struct lb_boot *boot) {
    struct lb_error error4 = lb_network_why_out(&boot->network, LB_V4);
    struct lb_error error6 = lb_network_why_out(&boot->network, LB_V6);
    if (!lb_plan_asks(&boot->plan, LB_V6)) {
        boot->error = error4;
    } else if (!lb_plan_asks(&boot->plan, LB_V4)) {
        boot->error = error6;
    } else {
        bool says6 =
            lb_network_is_alive(&boot->network, LB_V6) && error4.code == LB_E_DHCP_NO_OFFER;
        lb_fail(&boot->error, says6 ? error6.code : error4.code, "%s; IPv%d: %s",
                says6 ? error6.facts : error4.facts, says6 ? 4 : 6,
                says6 ? lb_code_word(error4.code) : lb_code_word(error6.code));
    }
    lb_boot_attempt_failed(boot);
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* Of two that name a disk: the preferred one, else the first. */
static const struct lb_voice *better(const struct lb_boot *boot, const struct lb_voice voices[2]) {
    enum lb_family first = boot->plan.prefer;
    if (first == LB_FAMILY_NONE)
        return &voices[boot->usable_us[1] < boot->usable_us[0]];
    return &voices[lb_plan_index(first)];
}

static enum lb_turn one_names_a_disk(struct lb_boot *boot, uint64_t now_us,
                                     const struct lb_voice *voice, const struct lb_voice *other) {
    uint64_t wait_us = lb_config_u32(boot->setup.config, LB_KEY_FAMILY_WAIT) * LB_US_MS;
    if (other->is_alive && wait_us > 0)
        wait_us = LB_MAX(wait_us, ALIVE_WAIT_US);
    uint64_t until_us = boot->usable_us[lb_plan_index(voice->family)] + wait_us;
    bool is_waited_for = other->says == LB_ASKING && boot->plan.prefer == other->family;
    if (is_waited_for && now_us < until_us) {
        lb_until(&boot->common, until_us);
        return LB_TURN_IDLE;
    }
    follow(boot, now_us, voice,
           is_waited_for                  ? "the preferred family named no disk in time"
           : other->says == LB_ASKING     ? "the first to name a disk"
           : other->says == LB_HAS_SPOKEN ? "the only one to name a disk"
                                          : "the other has no answer");
    return LB_TURN_AGAIN;
}

static uint64_t hope_us(const struct lb_boot *boot, const struct lb_voice *voice) {
    return boot->asked_us + (boot->plan.is_dry ? DRY_HOPE_US
                             : voice->is_alive ? ALIVE_HOPE_US
                                               : LB_SILENT_HOPE_US);
}

/* Neither names a disk, as far as they have spoken. */
static enum lb_turn nobody_names_a_disk(struct lb_boot *boot, uint64_t now_us,
                                        const struct lb_voice *spoken,
                                        const struct lb_voice *other) {
    bool is_asking = other->says == LB_ASKING;
    bool may_be_saved = is_asking && spoken->leads_on && spoken->word < LB_WORD_NAMED &&
                        lb_is_ok(&boot->no_disk) && boot->setup.goal != LB_GOAL_DISCOVER;
    bool is_needed = lb_isns_service_family(boot) == other->family;
    bool is_waited_for = is_asking && (other->is_alive || is_needed || !may_be_saved);
    if (is_waited_for && now_us < hope_us(boot, other)) {
        lb_until(&boot->common, hope_us(boot, other));
        return LB_TURN_IDLE;
    }
    boot->chose_early = may_be_saved;
    follow(boot, now_us, spoken, "nobody names a disk");
    return LB_TURN_AGAIN;
}

/* A Root Path that cannot be used has to be told: that the other family names no disk would hide
 * it. */
static bool hides_a_broken_one(const struct lb_voice *voice, const struct lb_voice *other) {
    return voice->says == LB_HAS_SPOKEN && voice->word == LB_WORD_NOTHING &&
           other->says == LB_HAS_SPOKEN && other->word == LB_WORD_BROKEN;
}

/* One after the other: what is heard is traced. */
static void listen(struct lb_boot *boot, uint64_t now_us, struct lb_voice voices[2]) {
    voices[0] = lb_voice_listen(boot, now_us, LB_V4);
    voices[1] = lb_voice_listen(boot, now_us, LB_V6);
}

/* A client that has an answer, good or bad, ends soon, and by itself. */
static bool has_answer(const struct lb_boot *boot, enum lb_family family) {
    return family == LB_V4 ? boot->network.dhcp_runs && boot->network.dhcp.offer_count > 0
                           : boot->network.dhcp6_runs && boot->network.dhcp6.offer_count > 0;
}

/* A family whose answers were all passed over is out; the other one is waited for as it would be
 * beside a family that names no disk. */
static bool awaits_other(struct lb_boot *boot, uint64_t now_us, const struct lb_voice voices[2]) {
    bool is_asking[2] = {voices[0].says == LB_ASKING, voices[1].says == LB_ASKING};
    if (!is_asking[0] && !is_asking[1])
        return false;
    if ((is_asking[0] && is_asking[1]) || boot->passed.count == boot->passed.before)
        return true;
    const struct lb_voice *other = &voices[is_asking[1]];
    if (has_answer(boot, other->family))
        return true;
    uint64_t until_us = hope_us(boot, other);
    if (boot->attempts == 1 && !other->is_alive)
        until_us = boot->asked_us + DRY_HOPE_US; /* a person waits to hear of them */
    if (now_us < until_us)
        lb_until(&boot->common, until_us);
    return now_us < until_us;
}

static enum lb_turn choose_turn(struct lb_boot *boot, uint64_t now_us) {
    struct lb_voice voices[2];
    listen(boot, now_us, voices);
    size_t first = lb_plan_index(boot->plan.prefer);
    lb_until(&boot->common, boot->deadline_us);
    if (voices[0].is_usable && voices[1].is_usable) {
        follow(boot, now_us, better(boot, voices),
               boot->plan.prefer == LB_FAMILY_NONE ? "the first to name a disk"
                                                   : "the preferred family");
        return LB_TURN_AGAIN;
    }
    for (size_t i = 0; i < 2; i++)
        if (voices[i].is_usable)
            return one_names_a_disk(boot, now_us, &voices[i], &voices[!i]);
    if (hides_a_broken_one(&voices[first], &voices[!first]))
        first = !first;
    for (size_t i = 0; i < 2; i++)
        if (voices[first ^ i].says == LB_HAS_SPOKEN)
            return nobody_names_a_disk(boot, now_us, &voices[first ^ i], &voices[!(first ^ i)]);
    if (awaits_other(boot, now_us, voices))
        return LB_TURN_IDLE;
    nobody_left(boot);
    return LB_TURN_AGAIN;
}

/* Discovery began without a family that was still asking. */
static enum lb_turn second_thought(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_voice other =
        lb_voice_listen(boot, now_us, boot->chosen == LB_V6 ? LB_V4 : LB_V6);
    if (!other.is_usable)
        return LB_TURN_IDLE;
    boot->chose_early = false;
    lb_discovery_stage_stop(boot, now_us);
    follow(boot, now_us, &other, "it named a disk while others were asked for one");
    return LB_TURN_AGAIN;
}

bool lb_boot_network_may_save(struct lb_boot *boot, uint64_t now_us) {
    if (boot->state != LB_AT_DISCOVERY || !boot->chose_early)
        return false;
    boot->chose_early = false;
    boot->no_disk = boot->error;
    boot->error = (struct lb_error){.code = LB_OK};
    lb_discovery_stage_stop(boot, now_us);
    enter_dhcp(boot, now_us, attempt_deadline_us(boot));
    return true;
}

/* ---- the dry run ---------------------------------------------------------------------------- */

static void show_offers(struct lb_boot *boot, uint64_t now_us, const struct lb_voice voices[2]) {
    if (voices[0].says == LB_HAS_SPOKEN)
        lb_report_lease(&boot->report, now_us, lb_network_offer4(&boot->network));
    if (voices[1].says == LB_HAS_SPOKEN && lb_network_offer6(&boot->network) != NULL)
        lb_report_lease6(&boot->report, now_us, lb_network_offer6(&boot->network));
    lb_ask(&boot->common, LB_BOOT_OFFERS);
}

/* Goes on to the disk where there is a way to it. */
static void after_offers(struct lb_boot *boot, uint64_t now_us, const struct lb_voice *voice) {
    boot->chosen = voice->family;
    if (!lb_boot_choose_name(boot, now_us, &voice->answer) ||
        !lb_choice_make(&boot->plan, &voice->answer, &boot->choice, &boot->error)) {
        lb_boot_attempt_failed(boot);
    } else if (boot->setup.network_is_up) {
        go_on(boot, now_us);
    } else {
        boot->stopping = true;
        lb_boot_enter(boot, now_us, LB_AT_CLOSING);
    }
}

/* Who looks around has a network, and DHCP is one of those that may know something. */
static void explore_without(struct lb_boot *boot, uint64_t now_us) {
    if (lb_boot_choose_name(boot, now_us, NULL))
        go_on(boot, now_us);
    else
        lb_boot_attempt_failed(boot);
}

/* One that has shown a sign of life is about to speak: its offers are being collected. */
static uint64_t dry_hope_us(const struct lb_boot *boot, const struct lb_voice voices[2]) {
    bool is_near = false;
    for (size_t i = 0; i < 2; i++)
        is_near = is_near || (voices[i].says == LB_ASKING && voices[i].is_alive);
    return boot->asked_us + (is_near ? 2 : 1) * DRY_HOPE_US;
}

static enum lb_turn dry_turn(struct lb_boot *boot, uint64_t now_us) {
    struct lb_voice voices[2];
    listen(boot, now_us, voices);
    bool has_spoken = voices[0].says == LB_HAS_SPOKEN || voices[1].says == LB_HAS_SPOKEN;
    bool is_asking = voices[0].says == LB_ASKING || voices[1].says == LB_ASKING;
    bool explores = boot->setup.goal == LB_GOAL_DISCOVER;
    uint64_t hope_us = dry_hope_us(boot, voices);
    lb_until(&boot->common, boot->deadline_us);
    if (is_asking && (!(has_spoken || explores) || now_us < hope_us)) {
        if (has_spoken || explores)
            lb_until(&boot->common, hope_us);
        return LB_TURN_IDLE;
    }
    lb_network_stop(&boot->network);
    if (!has_spoken && explores) {
        lb_report_end(&boot->report, now_us, boot->network.step_dhcp, LB_DONE_FAILED, "no offer");
        explore_without(boot, now_us);
        return LB_TURN_AGAIN;
    }
    if (!has_spoken) {
        nobody_left(boot);
        return LB_TURN_AGAIN;
    }
    show_offers(boot, now_us, voices);
    size_t first = lb_plan_index(boot->plan.prefer);
    bool takes_first = voices[first].says == LB_HAS_SPOKEN &&
                       (voices[first].is_usable || voices[!first].says != LB_HAS_SPOKEN ||
                        !voices[!first].is_usable);
    after_offers(boot, now_us, &voices[takes_first ? first : !first]);
    return LB_TURN_AGAIN;
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

/* A lease that was taken for its address alone, or led nowhere though there are other servers, or
 * names no disk where nobody else does: its server is not asked to confirm it, all of them are
 * asked anew. One that was not heard at first may name the disk. */
static bool is_no_help(const struct lb_boot *boot, enum lb_worth worth) {
    return worth == LB_WORTH_BAD || (worth == LB_WORTH_PLAIN && boot->found_nothing);
}

static bool is_lease4_in_doubt(const struct lb_boot *boot) {
    const struct lb_dhcp4_lease *lease = &boot->network.dhcp.lease;
    return boot->network.has_lease &&
           (is_no_help(boot, lease->worth) ||
            (boot->has_blamed && lb_addr_equal(boot->blamed4, lease->server)));
}

static bool is_lease6_in_doubt(const struct lb_boot *boot) {
    const struct lb_dhcp6_lease *lease = &boot->network.dhcp6.lease;
    return boot->network.dhcp6_runs && boot->network.dhcp6.has_lease &&
           (is_no_help(boot, lease->worth) || (boot->has_blamed && boot->blamed6.len > 0 &&
                                               lb_duid_equal(&boot->blamed6, &lease->server_id)));
}

/* In the first attempt alone: after a failure the network is asked anew. What the firmware was told
 * was not proved to it: with keys for DHCP it does not count. */
static bool is_firmware_lease_of_use(struct lb_boot *boot, uint64_t now_us) {
    struct lb_dhcp4_lease *lease = &boot->firmware_lease;
    bool was_there = boot->has_firmware_lease;
    boot->has_firmware_lease = false;
    if (!was_there || boot->setup.goal != LB_GOAL_DISK ||
        lb_config_is_set(boot->setup.config, LB_KEY_DHCP_KEYS))
        return false;
    lease->worth = lb_judge_lease4(boot, now_us, lease);
    return lease->worth == LB_WORTH_DISK;
}

static bool start_dhcp4(struct lb_boot *boot, uint64_t now_us) {
    if (!lb_network_start_dhcp4(&boot->network, now_us, &boot->error))
        return false;
    if (is_firmware_lease_of_use(boot, now_us))
        lb_network_adopt(&boot->network, now_us, &boot->firmware_lease);
    return true;
}

static void start_ipv6(struct lb_boot *boot, uint64_t now_us) {
    if (lb_plan_is_static(&boot->plan, LB_V6) && !boot->network.is_set)
        bypass_dhcp(boot, now_us);
    lb_network_start_v6(&boot->network, now_us, is_lease6_in_doubt(boot));
}

/* The host is told how the interface is to be configured. */
static bool update_interface(struct lb_boot *boot, uint64_t now_us) {
    bool has_address = lb_network_update(&boot->network, now_us, boot->chosen);
    note_return(boot);
    return has_address;
}

static void with_link(struct lb_boot *boot, uint64_t now_us) {
    lb_report_end(&boot->report, now_us, boot->step_link, LB_DONE_OK, "%s", boot->interface);
    boot->asked_us = now_us;
    if (boot->attempts > 1)
        lb_judge_failure(boot); /* offers may have come in the pause */
    if (lb_plan_is_static(&boot->plan, LB_V4)) {
        use_static4(boot, now_us);
        return;
    }
    bool has_stale = boot->network.is_set && (is_lease4_in_doubt(boot) || is_lease6_in_doubt(boot));
    if (!lb_plan_asks(&boot->plan, LB_V4) && !lb_plan_asks(&boot->plan, LB_V6)) {
        lb_fail(&boot->error, LB_E_CONFIG_VALUE, "family or address of IPv6, without IPv6 on %s",
                boot->interface);
        lb_boot_attempt_failed(boot);
        return;
    }
    enter_dhcp(boot, now_us, attempt_deadline_us(boot));
    bool asks_anew = !boot->network.dhcp_runs || boot->plan.is_dry || is_lease4_in_doubt(boot) ||
                     (boot->network.has_lease && boot->network.dhcp.lease.bootp);
    if (lb_plan_asks(&boot->plan, LB_V4) && asks_anew && !start_dhcp4(boot, now_us)) {
        lb_boot_attempt_failed(boot);
        return;
    }
    if (lb_plan_asks(&boot->plan, LB_V6))
        start_ipv6(boot, now_us);
    if (has_stale)
        (void)update_interface(boot, now_us); /* a dropped lease is not renewed any more */
}

void lb_boot_network_start(struct lb_boot *boot, uint64_t now_us) {
    boot->no_disk = (struct lb_error){.code = LB_OK};
    lb_network_begin(&boot->network, boot->attempts,
                     lb_choice_may_search(&boot->plan, &boot->choice.target));
    boot->usable_us[0] = boot->usable_us[1] = 0;
    boot->chose_early = false;
    boot->is_named = boot->choice.has_target;
    boot->wanted_host = boot->choice.target.host;
    if (boot->network.is_set) {
        with_link(boot, now_us);
        return;
    }
    boot->chosen = LB_FAMILY_NONE;
    boot->lease_error = (struct lb_error){.code = LB_OK};
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

/* Something was learned or lost after the interface was configured: it is configured anew. */
static void changed(struct lb_boot *boot, uint64_t now_us) {
    /* In a pause between attempts, too: a lease that is not on the interface cannot be renewed. */
    bool is_in_use = boot->network.is_set || boot->network.is_configured ||
                     boot->state == LB_AT_BACKOFF ||
                     (boot->state >= LB_AT_ADDRESS && boot->state <= LB_AT_UP);
    if (boot->plan.is_dry || !is_in_use)
        return;
    add_others(boot, now_us);
    bool has_address = update_interface(boot, now_us);
    if (!has_address) {
        lb_network_configured(&boot->network, false);
        if (boot->state == LB_AT_ADDRESS)
            enter_dhcp(boot, now_us, LB_NEVER);
    }
    if (boot->path.runs && !lb_path_has_local(&boot->path, &boot->network.net))
        lb_initiator_drop(&boot->path.session, now_us);
}

/* An address of the family must not be used any more; why is kept for what fails because of it. */
static void lost(struct lb_boot *boot, uint64_t now_us, enum lb_family family,
                 const struct lb_error *why) {
    lb_trace(&boot->trace, now_us, "boot", "lost: %s", why->facts);
    enum lb_family used =
        boot->path.runs ? lb_initiator_peer(&boot->path.session).addr.family : family;
    if (used == family || used == LB_FAMILY_NONE) {
        boot->lease_error = *why;
        boot->lost_family = family;
    }
    changed(boot, now_us);
}

/* What the network has learned or lost. */
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
    if (boot->state == LB_AT_DISCOVERY && boot->chose_early)
        return second_thought(boot, now_us);
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
        return; /* lost again meanwhile */
    lb_network_configured(&boot->network, true);
    if (boot->state == LB_AT_ADDRESS)
        go_on(boot, now_us);
}

/* A person sees why nothing happens meanwhile. */
static void tell_wait(struct lb_boot *boot, uint64_t now_us, enum lb_worth worth,
                      uint64_t before_us, uint64_t until_us) {
    bool begins = before_us == LB_NEVER && until_us != LB_NEVER;
    if (worth == LB_WORTH_BAD && begins && boot->passed_shown <= LB_PASSED_SHOWN_MAX)
        lb_report_told(&boot->report, now_us, LB_STAGE_DHCP, "waiting", boot->interface,
                       "up to %u ms for the answer of another server",
                       (unsigned)((until_us - now_us) / LB_US_MS));
}

/* A DHCP answer that nobody proved to be of a server of ours. */
static void pass_over_unauthentic(struct lb_boot *boot, uint64_t now_us, enum lb_code code,
                                  struct lb_endpoint from, const char *why) {
    struct lb_error error = {.code = LB_OK};
    struct lb_addr_text sender = lb_addr_text(from.addr);
    lb_fail(&error, code, "from %s: %s", sender.s, why);
    lb_pass_over(boot, now_us, sender.s, &error);
}

static void hear_dhcp4(struct lb_boot *boot, uint64_t now_us, struct lb_endpoint from,
                       struct lb_bytes bytes) {
    struct lb_dhcp4_lease said;
    enum lb_worth worth = LB_WORTH_UNKNOWN;
    if (lb_network_reads4(&boot->network, from, bytes, &said))
        worth = lb_judge_lease4(boot, now_us, &said);
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
        worth = lb_judge_lease6(boot, now_us, &said);
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
