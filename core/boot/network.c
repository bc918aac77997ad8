/* The interface as a whole: its clients' turns, its link, and the answer of each family. */
#include "core/boot/network.h"
#include "core/boot/boot_report.h"

/* ---- beginnings ----------------------------------------------------------------------------- */

void lb_network_init(struct lb_network *network, struct lb_common *common) {
    memset(network, 0, sizeof *network);
    network->common = common;
    network->step_dhcp = network->step_nd6 = network->step_dhcp6 = LB_NO_STEP;
}

void lb_network_remember(struct lb_network *network, const struct lb_dhcp_seen *seen) {
    network->seen = *seen;
}

void lb_network_remember_lease(struct lb_network *network, const struct lb_dhcp4_lease *lease) {
    network->firmware = *lease;
    network->has_firmware = true;
}

void lb_network_begin(struct lb_network *network, unsigned attempt, bool takes_bad) {
    network->attempt = attempt;
    network->takes_bad = takes_bad;
    lb_error_clear(&network->out4);
    lb_error_clear(&network->out6);
    if (!network->is_set)
        lb_error_clear(&network->lost);
}

void lb_network_note_loss(struct lb_network *network, enum lb_family family,
                          const struct lb_error *why) {
    network->lost = *why;
    network->lost_family = family;
}

void lb_network_awaited(struct lb_network *network, uint64_t until_us) {
    network->awaits_us = until_us;
}

void lb_network_configured(struct lb_network *network, bool is_set) {
    network->is_set = is_set;
}

/* ---- what a family has to say --------------------------------------------------------------- */

static bool has_address6(const struct lb_network *network) {
    const struct lb_dhcp6_lease *lease = lb_network_lease6(network);
    if (network->static6 != LB_STATIC6_NONE) /* the routers' prefixes are not used then */
        return network->static6 == LB_STATIC6_OURS;
    return network->nd6.info.address_count > 0 || (lease != NULL && lease->addr_count > 0);
}

bool lb_network_has_address(const struct lb_network *network, enum lb_family family) {
    return family == LB_V6 ? network->nd6_runs && has_address6(network) : network->has_lease;
}

static bool has_resolver6(const struct lb_network *network) {
    const struct lb_dhcp6_lease *lease = lb_network_lease6(network);
    return network->nd6.info.dns_count > 0 ||
           lb_config_is_set(network->common->plan->config, LB_KEY_DNS) ||
           (lease != NULL && lease->dns_count > 0);
}

/* Which way leads anywhere is known, or that there is no router. */
static bool knows_ways6(const struct lb_network *network) {
    return network->nd6.info.advertised || network->no_router;
}

bool lb_network_has_ways(const struct lb_network *network, enum lb_family family) {
    bool is_known = family != LB_V6 || network->static6 != LB_STATIC6_NONE || knows_ways6(network);
    return is_known && lb_network_has_address(network, family);
}

/* Where a person named the disk, an address, and a way to it, are all that is asked for. */
static bool is_enough6(const struct lb_network *network, const struct lb_network_need *need) {
    return need->is_named && has_address6(network) && (knows_ways6(network) || need->is_near) &&
           (!need->is_name || has_resolver6(network));
}

static enum lb_family_progress dry_state4(const struct lb_network *network) {
    if (network->dhcp_runs)
        return LB_ASKING;
    return network->dhcp.offer_count > 0 ? LB_ANSWERED : LB_NO_ANSWER;
}

static enum lb_family_progress state4(const struct lb_network *network) {
    if (!lb_plan_asks(network->common->plan, LB_V4))
        return LB_NO_ANSWER;
    if (network->common->plan->is_dry)
        return dry_state4(network);
    if (network->has_lease)
        return LB_ANSWERED;
    return network->dhcp_runs ? LB_ASKING : LB_NO_ANSWER;
}

static bool is_without_dhcp6(const struct lb_network *network) {
    const struct lb_nd6_info *info = &network->nd6.info;
    return info->advertised && !info->managed && !info->other && !network->dhcp6_runs;
}

static enum lb_family_progress dry_state6(const struct lb_network *network) {
    if (is_without_dhcp6(network) || network->dhcp6.offer_count > 0)
        return network->dhcp6_runs ? LB_ASKING : LB_ANSWERED;
    return lb_is_ok(&network->out6) ? LB_ASKING : LB_NO_ANSWER;
}

static enum lb_family_progress static_state6(const struct lb_network *network,
                                             const struct lb_network_need *need) {
    struct lb_addr gateway = lb_config_addr(network->common->plan->config, LB_KEY_GATEWAY);
    if (network->static6 != LB_STATIC6_OURS)
        return lb_is_ok(&network->out6) ? LB_ASKING : LB_NO_ANSWER;
    bool is_enough = need->is_named && need->is_near && !need->is_name;
    return gateway.family == LB_V6 || knows_ways6(network) || is_enough ? LB_ANSWERED : LB_ASKING;
}

/* An address of DHCPv6 says nothing of the way to anywhere: routers do (RFC 5942), and they are
 * waited for until they are known not to be there. */
static enum lb_family_progress leased_state6(const struct lb_network *network,
                                             const struct lb_dhcp6_lease *lease) {
    if (lease->addr_count > 0)
        return knows_ways6(network) ? LB_ANSWERED : LB_ASKING;
    return has_address6(network) ? LB_ANSWERED : LB_ASKING;
}

static enum lb_family_progress state6(const struct lb_network *network,
                                      const struct lb_network_need *need) {
    if (!lb_plan_asks(network->common->plan, LB_V6) || !network->nd6_runs)
        return LB_NO_ANSWER;
    if (network->common->plan->is_dry)
        return dry_state6(network);
    if (network->static6 != LB_STATIC6_NONE)
        return static_state6(network, need);
    if (is_enough6(network, need))
        return LB_ANSWERED;
    if (lb_network_lease6(network) != NULL)
        return leased_state6(network, lb_network_lease6(network));
    if (is_without_dhcp6(network))
        return has_address6(network) ? LB_ANSWERED : LB_ASKING;
    if (!lb_is_ok(&network->out6)) /* DHCPv6 has failed */
        return has_address6(network) ? LB_ANSWERED : LB_NO_ANSWER;
    return LB_ASKING;
}

/* Of several prefixes the address that is still being probed may be the one that the disk is
 * reached from: before the interface is configured, all of them are waited for. */
static bool awaits_probes6(const struct lb_network *network) {
    return !network->is_set && network->static6 == LB_STATIC6_NONE &&
           !network->common->plan->is_dry && network->nd6.info.pending > 0;
}

enum lb_family_progress lb_network_progress(const struct lb_network *network, enum lb_family family,
                                            const struct lb_network_need *need) {
    if (family != LB_V6)
        return state4(network);
    enum lb_family_progress state = state6(network, need);
    return state == LB_ANSWERED && awaits_probes6(network) ? LB_ASKING : state;
}

bool lb_network_is_alive(const struct lb_network *network, enum lb_family family) {
    if (family == LB_V4)
        return network->dhcp_runs && (network->dhcp.saw_offer || network->dhcp.offer_count > 0);
    return network->nd6_runs &&
           (network->nd6.info.advertised || (network->dhcp6_runs && network->dhcp6.saw_offer));
}

static struct lb_boot_answer answer6(const struct lb_network *network) {
    const struct lb_dhcp6_lease *offer = lb_network_offer6(network);
    if (network->static6 != LB_STATIC6_NONE)
        return (struct lb_boot_answer){.family = LB_V6, .from = "configuration"};
    if (network->common->plan->is_dry && offer != NULL)
        return lb_answer_of_lease6(offer);
    if (lb_network_lease6(network) != NULL)
        return lb_answer_of_lease6(lb_network_lease6(network));
    struct lb_boot_answer answer = lb_answer_of_routers6(&network->nd6.info);
    answer.failed = lb_is_ok(&network->out6) ? NULL : &network->out6;
    return answer;
}

struct lb_boot_answer lb_network_answer(const struct lb_network *network, enum lb_family family) {
    if (family == LB_V6)
        return answer6(network);
    return lb_answer_of_lease4(network->common->plan->is_dry ? lb_network_offer4(network)
                                                             : &network->dhcp.lease);
}

static struct lb_error why_out4(const struct lb_network *network) {
    struct lb_error error = network->out4;
    char unusable[160];
    struct lb_text text = lb_text(unusable, sizeof unusable);
    lb_dhcp4_client_add_unusable(&network->dhcp, &text);
    enum lb_code code = network->dhcp.unauthentic > 0 ? LB_E_DHCP_AUTH
                        : unusable[0] != '\0'         ? LB_E_DHCP_UNUSABLE
                                                      : LB_E_DHCP_NO_OFFER;
    lb_fail(&error, code, "on %s%s", network->common->interface, unusable);
    return error;
}

static struct lb_error why_out6(const struct lb_network *network) {
    const struct lb_nd6_info *info = &network->nd6.info;
    struct lb_error error = network->out6;
    if (!info->advertised && error.code == LB_E_DHCP6_NO_ANSWER)
        error.code = LB_OK; /* of two that are missing, the router is the first */
    if (!info->advertised)
        lb_fail(&error, LB_E_NO_IPV6, "no router and no DHCPv6 server on %s",
                network->common->interface);
    const struct lb_boot_answer answer = lb_answer_of_routers6(info);
    if (info->odd_prefix.len > 0)
        lb_fail(&error, LB_E_NO_IPV6,
                "%s, has the prefix %s for addresses: one of %u bits makes none, it takes 64 (RFC "
                "4862 5.5.3), and DHCPv6 gave none",
                answer.from, lb_prefix_text(info->odd_prefix).s, (unsigned)info->odd_prefix.len);
    lb_fail(&error, LB_E_NO_IPV6, "%s, has no prefix for addresses, and DHCPv6 gave none",
            answer.from);
    return error;
}

struct lb_error lb_network_why_out(const struct lb_network *network, enum lb_family family) {
    return family == LB_V6 ? why_out6(network) : why_out4(network);
}

/* ---- turns ---------------------------------------------------------------------------------- */

enum lb_turn lb_network_turn(struct lb_network *network, uint64_t now_us,
                             struct lb_boot_action *action, struct lb_network_news *news) {
    enum lb_turn did = lb_network_turn_dhcp4(network, now_us, action, news);
    if (did == LB_TURN_IDLE)
        did = lb_network_turn_nd6(network, now_us, action, news);
    if (did == LB_TURN_IDLE)
        did = lb_network_turn_dhcp6(network, now_us, action, news);
    return did;
}

void lb_network_pause(struct lb_network *network, uint64_t now_us) {
    if (network->has_lease)
        lb_dhcp4_client_confirm(&network->dhcp, now_us);
    if (network->dhcp6_runs && network->dhcp6.has_lease)
        lb_dhcp6_client_confirm(&network->dhcp6, now_us);
    if (network->nd6_runs && network->nd6.info.advertised)
        lb_nd6_client_link_up(&network->nd6, now_us);
}

static bool has_lease6(const struct lb_network *network) {
    return network->dhcp6_runs && network->dhcp6.has_lease && !network->dhcp6.lease.stateless;
}

bool lb_network_has_lease(const struct lb_network *network) {
    return network->has_lease || has_lease6(network);
}

void lb_network_release(struct lb_network *network, uint64_t now_us) {
    /* A RELEASE goes from the address to the server: one that is not on the interface yet
     * expires. */
    if (network->has_lease && network->is_set && lb_net_has_family(&network->net, LB_V4))
        lb_dhcp4_client_release(&network->dhcp, now_us);
    if (has_lease6(network))
        lb_dhcp6_client_release(&network->dhcp6, now_us);
    network->has_lease = false;
}

void lb_network_stop(struct lb_network *network) {
    lb_network_stop_dhcp4(network);
    lb_network_stop_dhcp6(network);
    lb_network_stop_nd6(network);
}

void lb_network_end_steps(struct lb_network *network, uint64_t now_us, bool is_needed,
                          const char *why_or_null) {
    const struct {
        size_t step;
        const char *who;
    } asking[] = {{network->step_dhcp, "DHCPv4"},
                  {network->step_nd6, "IPv6 routers"},
                  {network->step_dhcp6, "DHCPv6"}};
    for (size_t i = 0; i < LB_COUNT(asking); i++)
        lb_report_end(network->common->report, now_us, asking[i].step,
                      is_needed ? LB_DONE_FAILED : LB_BYPASSED, "%s: %s", asking[i].who,
                      is_needed && why_or_null != NULL ? why_or_null : "no answer so far");
    network->step_dhcp = network->step_nd6 = network->step_dhcp6 = LB_NO_STEP;
}

/* ---- what happens to it --------------------------------------------------------------------- */

void lb_network_note_link(struct lb_network *network, bool up) {
    network->link_lost = !up && (network->link_lost || network->link_up);
    network->link_up = up;
}

void lb_network_link_up(struct lb_network *network, uint64_t now_us) {
    if (network->dhcp_runs)
        lb_dhcp4_client_link_up(&network->dhcp, now_us);
    if (network->nd6_runs)
        lb_nd6_client_link_up(&network->nd6, now_us);
    if (network->dhcp6_runs) {
        lb_dhcp6_client_link_up(&network->dhcp6, now_us);
    } else if (network->nd6_runs) { /* the one that was given up may be there now */
        network->dhcp6_role = LB_DHCP6_NOTHING;
        lb_network_follow_routers(network, now_us);
    }
}

void lb_network_datagram(struct lb_network *network, uint64_t now_us, uint32_t slot,
                         struct lb_endpoint from, struct lb_bytes bytes) {
    if (slot == LB_BOOT_SLOT_ND6 && network->nd6_runs)
        lb_nd6_client_input(&network->nd6, now_us, from.addr, bytes);
}

struct lb_network_news lb_network_probed(struct lb_network *network, uint64_t now_us,
                                         struct lb_addr addr, bool conflict) {
    if (addr.family == LB_V4) {
        if (network->dhcp_runs)
            lb_dhcp4_client_probed(&network->dhcp, now_us, conflict);
        return (struct lb_network_news){.what = LB_NETWORK_SAME};
    }
    struct lb_network_news news = lb_network_probed_nd6(network, now_us, addr, conflict);
    if (network->dhcp6_runs)
        lb_dhcp6_client_probed(&network->dhcp6, now_us, addr, conflict);
    return news;
}

const struct lb_dhcp4_lease *lb_network_hints(const struct lb_network *network) {
    if (network->has_lease)
        return &network->dhcp.lease;
    return network->common->plan->is_dry ? lb_network_offer4(network) : NULL;
}
