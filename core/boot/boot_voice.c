/* What a family of addresses has to say of the disk: see boot_network.c. */
#include "core/boot/boot_state.h"

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
                   lb_network_has_address(&boot->network, needs) ||
                   !lb_plan_asks(&boot->plan, needs) ||
                   boot->asked_us + LB_SILENT_HOPE_US <= now_us;
    voice->target = judged.target;
    voice->is_usable = voice->leads_on && voice->word >= LB_WORD_NAMED && is_near &&
                       boot->setup.goal != LB_GOAL_DISCOVER; /* which wants to hear all */
}

/* A lease that was taken for its address alone says nothing of the disk. */
static void strip(const struct lb_boot *boot, struct lb_voice *voice) {
    const struct lb_dhcp6_lease *lease6 = lb_network_lease6(&boot->network);
    bool is_bad = voice->family == LB_V4 ? boot->network.dhcp.lease.worth == LB_WORTH_BAD
                                         : lease6 != NULL && lease6->worth == LB_WORTH_BAD;
    if (is_bad && !boot->plan.is_dry)
        voice->answer.root_path.len = 0;
}

struct lb_voice lb_voice_listen(struct lb_boot *boot, uint64_t now_us, enum lb_family family) {
    struct lb_voice voice = {.family = family,
                             .is_alive = lb_network_is_alive(&boot->network, family)};
    const struct lb_network_need need = {
        .is_named = boot->is_named,
        .is_name = boot->wanted_host != LB_HOST_ADDR,
        .is_near =
            boot->wanted_host == LB_HOST_ADDR && lb_addr_is_link_local(boot->choice.target.addr),
    };
    uint64_t *usable_us = &boot->usable_us[lb_plan_index(family)];
    voice.says = lb_network_says(&boot->network, family, &need);
    if (voice.says == LB_ASKING && boot->state == LB_AT_DHCP && now_us >= boot->deadline_us)
        voice.says = lb_network_has_address(&boot->network, family) ? LB_HAS_SPOKEN : LB_SILENT;
    if (voice.says != LB_HAS_SPOKEN)
        return voice;
    voice.answer = lb_network_answer(&boot->network, family);
    strip(boot, &voice);
    judge(boot, now_us, &voice);
    if (voice.is_usable && *usable_us == 0)
        *usable_us = now_us;
    return voice;
}
