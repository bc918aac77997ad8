/* What a family of addresses has to say of the disk: see boot_network.c. */
#include "core/boot/boot_state.h"

/* ---- what a family has to say --------------------------------------------------------------- */

static bool has_address6(const struct lb_boot *boot) {
    const struct lb_dhcp6_lease *lease = lb_boot_lease6(boot);
    if (boot->static6 != LB_STATIC6_NONE) /* the routers' prefixes are not used then */
        return boot->static6 == LB_STATIC6_OURS;
    return boot->nd6.info.address_count > 0 || (lease != NULL && lease->addr_count > 0);
}

bool lb_voice_has_address(const struct lb_boot *boot, enum lb_family family) {
    return family == LB_V6 ? boot->nd6_runs && has_address6(boot) : boot->has_lease;
}

static bool has_resolver6(const struct lb_boot *boot) {
    const struct lb_dhcp6_lease *lease = lb_boot_lease6(boot);
    return boot->nd6.info.dns_count > 0 || lb_config_is_set(boot->setup.config, LB_KEY_DNS) ||
           (lease != NULL && lease->dns_count > 0);
}

/* Which way leads anywhere is known, or that there is no router. */
static bool knows_ways6(const struct lb_boot *boot) {
    return boot->nd6.info.advertised || boot->no_router;
}

/* Where a person named the disk, an address, and a way to it, are all that is asked for. */
static bool is_enough6(const struct lb_boot *boot) {
    bool has_addr = boot->wanted_host == LB_HOST_ADDR;
    bool is_near = has_addr && lb_addr_is_link_local(boot->choice.target.addr);
    return boot->is_named && has_address6(boot) && (knows_ways6(boot) || is_near) &&
           (has_addr || has_resolver6(boot));
}

static enum lb_says dry_state4(const struct lb_boot *boot) {
    if (boot->dhcp_runs)
        return LB_ASKING;
    return boot->dhcp.offer_count > 0 ? LB_HAS_SPOKEN : LB_SILENT;
}

static enum lb_says state4(const struct lb_boot *boot) {
    if (!lb_plan_asks(&boot->plan, LB_V4))
        return LB_SILENT;
    if (boot->plan.is_dry)
        return dry_state4(boot);
    if (boot->has_lease)
        return LB_HAS_SPOKEN;
    return boot->dhcp_runs ? LB_ASKING : LB_SILENT;
}

static bool is_without_dhcp6(const struct lb_boot *boot) {
    const struct lb_nd6_info *info = &boot->nd6.info;
    return info->advertised && !info->managed && !info->other && !boot->dhcp6_runs;
}

static enum lb_says dry_state6(const struct lb_boot *boot) {
    if (is_without_dhcp6(boot) || boot->dhcp6.offer_count > 0)
        return boot->dhcp6_runs ? LB_ASKING : LB_HAS_SPOKEN;
    return lb_is_ok(&boot->out6) ? LB_ASKING : LB_SILENT;
}

static enum lb_says static_state6(const struct lb_boot *boot) {
    struct lb_addr gateway = lb_config_addr(boot->setup.config, LB_KEY_GATEWAY);
    if (boot->static6 != LB_STATIC6_OURS)
        return lb_is_ok(&boot->out6) ? LB_ASKING : LB_SILENT;
    return gateway.family == LB_V6 || knows_ways6(boot) ? LB_HAS_SPOKEN : LB_ASKING;
}

/* An address of DHCPv6 says nothing of the way to anywhere: routers do (RFC 5942), and they are
 * waited for until they are known not to be there. */
static enum lb_says leased_state6(const struct lb_boot *boot, const struct lb_dhcp6_lease *lease) {
    if (lease->addr_count > 0)
        return knows_ways6(boot) ? LB_HAS_SPOKEN : LB_ASKING;
    return has_address6(boot) ? LB_HAS_SPOKEN : LB_ASKING;
}

static enum lb_says state6(const struct lb_boot *boot) {
    if (!lb_plan_asks(&boot->plan, LB_V6) || !boot->nd6_runs)
        return LB_SILENT;
    if (boot->plan.is_dry)
        return dry_state6(boot);
    if (boot->static6 != LB_STATIC6_NONE)
        return static_state6(boot);
    if (is_enough6(boot))
        return LB_HAS_SPOKEN;
    if (lb_boot_lease6(boot) != NULL)
        return leased_state6(boot, lb_boot_lease6(boot));
    if (is_without_dhcp6(boot))
        return has_address6(boot) ? LB_HAS_SPOKEN : LB_ASKING;
    if (!lb_is_ok(&boot->out6)) /* DHCPv6 has failed */
        return has_address6(boot) ? LB_HAS_SPOKEN : LB_SILENT;
    return LB_ASKING;
}

bool lb_voice_is_alive(const struct lb_boot *boot, enum lb_family family) {
    if (family == LB_V4)
        return boot->dhcp_runs && (boot->dhcp.saw_offer || boot->dhcp.offer_count > 0);
    return boot->nd6_runs &&
           (boot->nd6.info.advertised || (boot->dhcp6_runs && boot->dhcp6.saw_offer));
}

static struct lb_boot_answer answer6(const struct lb_boot *boot) {
    const struct lb_dhcp6_lease *offer = lb_dhcp6_stage_offer(boot);
    if (boot->static6 != LB_STATIC6_NONE)
        return (struct lb_boot_answer){.family = LB_V6, .from = "configuration"};
    if (boot->plan.is_dry && offer != NULL)
        return lb_answer_of_lease6(offer);
    if (lb_boot_lease6(boot) != NULL)
        return lb_answer_of_lease6(lb_boot_lease6(boot));
    return lb_answer_of_routers6(&boot->nd6.info);
}

static struct lb_boot_answer answer_of(const struct lb_boot *boot, enum lb_family family) {
    if (family == LB_V6)
        return answer6(boot);
    return lb_answer_of_lease4(boot->plan.is_dry ? lb_dhcp4_stage_offer(boot) : &boot->dhcp.lease);
}

/* ---- what it means -------------------------------------------------------------------------- */

/* The target as it would be chosen by this answer; what is chosen stays as it is. */
static void judge(struct lb_boot *boot, uint64_t now_us, struct lb_voice *voice) {
    struct lb_judged judged;
    lb_judge_answer(boot, &voice->answer, &judged);
    voice->leads_on = judged.leads_on && lb_is_ok(&judged.error);
    if (judged.has_target && voice->leads_on)
        voice->word = LB_WORD_DISK;
    else if (!voice->leads_on && !judged.is_open)
        voice->word = LB_WORD_BROKEN;
    else
        voice->word = judged.target.target[0] != '\0' ? LB_WORD_NAMED : LB_WORD_NOTHING;
    enum lb_family needs = LB_FAMILY_NONE;
    if (judged.target.host == LB_HOST_ADDR)
        needs = judged.target.addr.family;
    else if (voice->word == LB_WORD_NAMED)
        needs = lb_isns_service_family(boot);
    else if (judged.target.host == LB_HOST_NAME && boot->attempts > 1) /* it may lead there */
        needs = voice->family == LB_V6 ? LB_V4 : LB_V6;
    bool is_near = needs == LB_FAMILY_NONE || boot->plan.is_dry ||
                   lb_voice_has_address(boot, needs) || !lb_plan_asks(&boot->plan, needs) ||
                   boot->asked_us + LB_SILENT_HOPE_US <= now_us;
    voice->target = judged.target;
    voice->is_usable = voice->leads_on && voice->word >= LB_WORD_NAMED && is_near &&
                       boot->setup.goal != LB_GOAL_DISCOVER; /* which wants to hear all */
}

/* A lease that was taken for its address alone says nothing of the disk. */
static void strip(const struct lb_boot *boot, struct lb_voice *voice) {
    const struct lb_dhcp6_lease *lease6 = lb_boot_lease6(boot);
    bool is_bad = voice->family == LB_V4 ? boot->dhcp.lease.worth == LB_WORTH_BAD
                                         : lease6 != NULL && lease6->worth == LB_WORTH_BAD;
    if (is_bad && !boot->plan.is_dry)
        voice->answer.root_path.len = 0;
}

struct lb_voice lb_voice_listen(struct lb_boot *boot, uint64_t now_us, enum lb_family family) {
    struct lb_voice voice = {.family = family, .is_alive = lb_voice_is_alive(boot, family)};
    uint64_t *usable_us = &boot->usable_us[lb_plan_index(family)];
    voice.says = family == LB_V6 ? state6(boot) : state4(boot);
    if (voice.says == LB_ASKING && boot->state == LB_AT_DHCP && now_us >= boot->deadline_us)
        voice.says = lb_voice_has_address(boot, family) ? LB_HAS_SPOKEN : LB_SILENT;
    if (voice.says != LB_HAS_SPOKEN)
        return voice;
    voice.answer = answer_of(boot, family);
    strip(boot, &voice);
    judge(boot, now_us, &voice);
    if (voice.is_usable && *usable_us == 0)
        *usable_us = now_us;
    return voice;
}
