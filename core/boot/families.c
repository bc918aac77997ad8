#include "core/boot/families.h"
#include "core/boot/finder.h"

/* How long the boot waits for a family in which somebody has answered, while the other family has
 * an address and no disk. It counts from when asking began, and covers a lost packet and a slow
 * server. */
#define ALIVE_TIMEOUT_US (10 * LB_US_SEC)
/* How long the boot waits for such a family, if it is preferred and the other one has a disk. It
 * replaces family-wait: IPv6 needs two probes of a second each and the messages between them. */
#define ALIVE_WAIT_US  (3 * LB_US_SEC)
#define DRY_TIMEOUT_US (2500 * LB_US_MS) /* a person waits: an address's probe, then offers */

/* ---- an attempt ----------------------------------------------------------------------------- */

void lb_families_init(struct lb_families *families, struct lb_common *common,
                      const struct lb_network *network, const struct lb_judge *judge,
                      const struct lb_attempts *attempts) {
    memset(families, 0, sizeof *families);
    families->common = common;
    families->network = network;
    families->judge = judge;
    families->attempts = attempts;
    families->deadline_us = LB_NEVER;
}

/* A link-local address, or one in the network of a configured address. */
static bool is_on_link(const struct lb_plan *plan, struct lb_addr server) {
    return lb_addr_is_link_local(server) ||
           (lb_plan_is_static(plan, server.family) &&
            lb_prefix_has(lb_config_prefix(plan->config, LB_KEY_ADDRESS), server));
}

void lb_families_begin(struct lb_families *families, const struct lb_choice *choice) {
    bool has_address = choice->target.host == LB_HOST_ADDR;
    families->need = (struct lb_network_need){
        .is_named = choice->has_target,
        .is_name = !has_address,
        .is_near = has_address && is_on_link(families->common->plan, choice->target.addr),
    };
    lb_error_clear(&families->no_disk);
    families->usable_us[0] = families->usable_us[1] = 0;
    families->chose_early = false;
    if (!families->network->is_set)
        families->chosen = LB_FAMILY_NONE;
}

void lb_families_ask(struct lb_families *families, uint64_t now_us) {
    families->asked_us = now_us;
}

void lb_families_await(struct lb_families *families, uint64_t until_us) {
    families->deadline_us = until_us;
}

static const struct lb_plan *plan_of(const struct lb_families *families) {
    return families->common->plan;
}

uint64_t lb_families_deadline_us(const struct lb_families *families) {
    return families->asked_us +
           lb_config_u32(plan_of(families)->config, LB_KEY_DHCP_TIMEOUT) * LB_US_MS;
}

static enum lb_turn follow(struct lb_families_news *news, const struct lb_family_status *status,
                           const char *why) {
    news->what = LB_FAMILIES_FOLLOW;
    news->status = status;
    news->why = why;
    return LB_TURN_AGAIN;
}

/* Until then the boot waits for the other family. */
static enum lb_turn wait_until(struct lb_families *families, uint64_t until_us) {
    lb_until(families->common, until_us);
    return LB_TURN_IDLE;
}

/* In this order, because each traces what it finds. */
static const struct lb_family_status *listen(struct lb_families *families, uint64_t now_us) {
    (void)lb_families_status(families, now_us, LB_V4);
    (void)lb_families_status(families, now_us, LB_V6);
    return families->status;
}

/* ---- nobody is left ------------------------------------------------------------------------- */

/* Of two failures, the error is that of the family in which somebody has answered. It mentions the
 * other failure, too. */
struct lb_error lb_families_why_out(const struct lb_families *families) {
    const struct lb_network *network = families->network;
    struct lb_error error4 = lb_network_why_out(network, LB_V4);
    struct lb_error error6 = lb_network_why_out(network, LB_V6);
    struct lb_error error = {.code = LB_OK};
    if (!lb_plan_asks(plan_of(families), LB_V6))
        return error4;
    if (!lb_plan_asks(plan_of(families), LB_V4))
        return error6;
    bool says6 = lb_network_is_alive(network, LB_V6) && error4.code == LB_E_DHCP_NO_OFFER;
    lb_fail(&error, says6 ? error6.code : error4.code, "%s; IPv%d: %s",
            says6 ? error6.facts : error4.facts, says6 ? 4 : 6,
            says6 ? lb_code_word(error4.code) : lb_code_word(error6.code));
    return error;
}

static enum lb_turn nobody_left(struct lb_families_news *news) {
    news->what = LB_FAMILIES_NOBODY;
    return LB_TURN_AGAIN;
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* Of two families that name a disk: the preferred one, else the first. */
static enum lb_turn both_name_a_disk(struct lb_families *families, struct lb_families_news *news) {
    const struct lb_family_status *status = families->status;
    enum lb_family preferred = plan_of(families)->prefer;
    if (preferred != LB_FAMILY_NONE)
        return follow(news, &status[lb_plan_index(preferred)], "the preferred family");
    bool is_second_first = families->usable_us[1] < families->usable_us[0];
    return follow(news, &status[is_second_first], "the first to name a disk");
}

static enum lb_turn one_names_a_disk(struct lb_families *families, uint64_t now_us,
                                     const struct lb_family_status *status,
                                     const struct lb_family_status *other,
                                     struct lb_families_news *news) {
    const struct lb_plan *plan = plan_of(families);
    uint64_t wait_us = lb_config_u32(plan->config, LB_KEY_FAMILY_WAIT) * LB_US_MS;
    if (other->is_alive && wait_us > 0)
        wait_us = LB_MAX(wait_us, ALIVE_WAIT_US);
    uint64_t until_us = families->usable_us[lb_plan_index(status->family)] + wait_us;
    bool is_waited_for = other->progress == LB_ASKING && plan->prefer == other->family;
    if (is_waited_for && now_us < until_us)
        return wait_until(families, until_us);
    return follow(news, status,
                  is_waited_for                    ? "the preferred family named no disk in time"
                  : other->progress == LB_ASKING   ? "the first to name a disk"
                  : other->progress == LB_ANSWERED ? "the only one to name a disk"
                                                   : "the other has no answer");
}

static uint64_t timeout_us(const struct lb_families *families,
                           const struct lb_family_status *status) {
    return families->asked_us + (plan_of(families)->is_dry ? DRY_TIMEOUT_US
                                 : status->is_alive        ? ALIVE_TIMEOUT_US
                                                           : LB_SILENT_TIMEOUT_US);
}

/* No family that has answered names a disk. */
static enum lb_turn nobody_names_a_disk(struct lb_families *families, uint64_t now_us,
                                        const struct lb_family_status *answered,
                                        const struct lb_family_status *other,
                                        struct lb_families_news *news) {
    const struct lb_plan *plan = plan_of(families);
    bool is_asking = other->progress == LB_ASKING;
    bool may_be_saved = is_asking && answered->leads_on && answered->names < LB_NAMES_TARGET &&
                        lb_is_ok(&families->no_disk) && plan->goal != LB_GOAL_DISCOVER;
    bool is_needed = lb_finder_isns_family(plan) == other->family;
    /* The last attempt failed: discovery may find a disk that only this family reaches. */
    bool has_failed = !lb_attempts_is_first(families->attempts);
    bool is_waited_for = is_asking && (other->is_alive || is_needed || has_failed || !may_be_saved);
    if (is_waited_for && now_us < timeout_us(families, other))
        return wait_until(families, timeout_us(families, other));
    families->chose_early = may_be_saved;
    return follow(news, answered, "nobody names a disk");
}

/* The error must be about the Root Path that cannot be used. "The other family names no disk" would
 * hide it. */
static bool hides_a_broken_one(const struct lb_family_status *status,
                               const struct lb_family_status *other) {
    return status->progress == LB_ANSWERED && status->names == LB_NAMES_NOTHING &&
           other->progress == LB_ANSWERED && other->names == LB_NAMES_BROKEN;
}

/* A client that has an answer, good or bad, ends soon without a timeout. */
static bool has_answer(const struct lb_network *network, enum lb_family family) {
    return family == LB_V4 ? network->dhcp_runs && network->dhcp.offer_count > 0
                           : network->dhcp6_runs && network->dhcp6.offer_count > 0;
}

/* One family is out, because none of its answers could be used. The boot waits for the other one as
 * long as it would beside a family that names no disk. */
static bool awaits_other(struct lb_families *families, uint64_t now_us) {
    const struct lb_family_status *status = families->status;
    bool is_asking[2] = {status[0].progress == LB_ASKING, status[1].progress == LB_ASKING};
    bool is_first = lb_attempts_is_first(families->attempts);
    if (!is_asking[0] && !is_asking[1])
        return false;
    if ((is_asking[0] && is_asking[1]) || !lb_passed_has_any(families->judge->passed))
        return true;
    const struct lb_family_status *other = &status[is_asking[1]];
    if (has_answer(families->network, other->family))
        return true;
    uint64_t until_us = timeout_us(families, other);
    if (is_first && !other->is_alive)
        until_us = families->asked_us + DRY_TIMEOUT_US; /* a person waits for the result */
    if (now_us < until_us)
        lb_until(families->common, until_us);
    return now_us < until_us;
}

enum lb_turn lb_families_turn(struct lb_families *families, uint64_t now_us,
                              struct lb_families_news *news) {
    const struct lb_family_status *status = listen(families, now_us);
    size_t first = lb_plan_index(plan_of(families)->prefer);
    lb_until(families->common, families->deadline_us);
    if (status[0].is_usable && status[1].is_usable)
        return both_name_a_disk(families, news);
    for (size_t i = 0; i < LB_BOOT_FAMILIES; i++)
        if (status[i].is_usable)
            return one_names_a_disk(families, now_us, &status[i], &status[!i], news);
    if (hides_a_broken_one(&status[first], &status[!first]))
        first = !first;
    for (size_t i = 0; i < LB_BOOT_FAMILIES; i++)
        if (status[first ^ i].progress == LB_ANSWERED)
            return nobody_names_a_disk(families, now_us, &status[first ^ i], &status[!(first ^ i)],
                                       news);
    return awaits_other(families, now_us) ? LB_TURN_IDLE : nobody_left(news);
}

/* ---- the dry run ---------------------------------------------------------------------------- */

/* If somebody has answered, the family is given twice the time: its offers are being collected. */
static uint64_t dry_timeout_us(const struct lb_families *families) {
    const struct lb_family_status *status = families->status;
    bool is_near = false;
    for (size_t i = 0; i < LB_BOOT_FAMILIES; i++)
        is_near = is_near || (status[i].progress == LB_ASKING && status[i].is_alive);
    return families->asked_us + (is_near ? 2 : 1) * DRY_TIMEOUT_US;
}

enum lb_turn lb_families_dry_turn(struct lb_families *families, uint64_t now_us,
                                  struct lb_families_news *news) {
    const struct lb_family_status *status = listen(families, now_us);
    bool has_answered = status[0].progress == LB_ANSWERED || status[1].progress == LB_ANSWERED;
    bool is_asking = status[0].progress == LB_ASKING || status[1].progress == LB_ASKING;
    bool explores = plan_of(families)->goal == LB_GOAL_DISCOVER;
    uint64_t until_us = dry_timeout_us(families);
    lb_until(families->common, families->deadline_us);
    if (is_asking && !has_answered && !explores)
        return LB_TURN_IDLE;
    if (is_asking && now_us < until_us)
        return wait_until(families, until_us);
    if (!has_answered)
        return nobody_left(news);
    for (size_t i = 0; i < LB_BOOT_FAMILIES; i++)
        news->has_answer[i] = status[i].progress == LB_ANSWERED;
    size_t first = lb_plan_index(plan_of(families)->prefer);
    bool takes_first = status[first].progress == LB_ANSWERED &&
                       (status[first].is_usable || status[!first].progress != LB_ANSWERED ||
                        !status[!first].is_usable);
    return follow(news, &status[takes_first ? first : !first], "");
}

/* ---- following one -------------------------------------------------------------------------- */

void lb_families_search(struct lb_families *families) {
    families->searched[0] = lb_net_has_family(&families->network->net, LB_V4);
    families->searched[1] = lb_net_has_family(&families->network->net, LB_V6);
}

/* Discovery found nothing; now there is an address of a family that it did not have then. */
static bool may_find_more(const struct lb_families *families) {
    const struct lb_plan *plan = plan_of(families);
    enum lb_family needed = lb_finder_isns_family(plan);
    for (size_t i = 0; i < LB_BOOT_FAMILIES; i++) {
        enum lb_family family = i == 0 ? LB_V4 : LB_V6;
        if (!families->searched[i] && lb_network_has_address(families->network, family) &&
            (needed == family || plan->services[LB_BY_SLP].is_on))
            return true;
    }
    return false;
}

bool lb_families_follow(struct lb_families *families, const struct lb_family_status *status,
                        bool *was_saved, struct lb_error *error) {
    *was_saved = !lb_is_ok(&families->no_disk);
    families->chosen = status->family;
    if (!status->is_usable && *was_saved && !may_find_more(families)) {
        *error = families->no_disk;
        return false;
    }
    lb_error_clear(&families->no_disk);
    return true;
}

bool lb_families_save(struct lb_families *families, const struct lb_error *why) {
    if (!families->chose_early)
        return false;
    families->chose_early = false;
    families->no_disk = *why;
    return true;
}

static const struct lb_family_status *look_at_other(struct lb_families *families, uint64_t now_us) {
    return lb_families_status(families, now_us, families->chosen == LB_V6 ? LB_V4 : LB_V6);
}

const struct lb_family_status *lb_families_reconsider(struct lb_families *families,
                                                      uint64_t now_us) {
    if (!families->chose_early)
        return NULL;
    const struct lb_family_status *other = look_at_other(families, now_us);
    families->chose_early = !other->is_usable;
    return other->is_usable ? other : NULL;
}

const struct lb_family_status *lb_families_another(struct lb_families *families, uint64_t now_us) {
    if (families->judge->is_named || families->chosen == LB_FAMILY_NONE)
        return NULL;
    const struct lb_family_status *other = look_at_other(families, now_us);
    return other->is_usable && other->names == LB_NAMES_DISK ? other : NULL;
}
