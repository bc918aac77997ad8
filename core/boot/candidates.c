#include "core/boot/candidates.h"
#include "core/boot/policy.h"

/* ---- order ---------------------------------------------------------------------------------- */

/* `discovery = isns, slp` is also a preference; auto has none. */
static unsigned preference(const struct lb_candidates *candidates, enum lb_service service) {
    if (service == LB_BY_CONFIG || service == LB_BY_ROOTPATH)
        return service == LB_BY_ROOTPATH;
    return 2 + candidates->common->plan->services[service].before;
}

/* Of a family in which we have no address, or not of the one that a person prefers. */
static bool is_far(const struct lb_candidates *candidates, const struct lb_candidate *candidate) {
    enum lb_family family = candidate->at.addr.family;
    if (candidate->at.host != LB_HOST_ADDR)
        return false;
    if (candidates->network->is_set && !lb_net_has_family(&candidates->network->net, family))
        return true;
    return candidates->common->plan->prefer != LB_FAMILY_NONE &&
           candidates->common->plan->prefer != family;
}

static unsigned rank_of(const struct lb_candidates *candidates,
                        const struct lb_candidate *candidate) {
    bool is_named = candidates->wanted.target[0] != '\0';
    return (unsigned)(candidate->refused != LB_OK) << 8 |
           preference(candidates, candidate->service) << 4 |
           (unsigned)(!is_named && !candidate->boot_list) << 2 |
           (unsigned)candidate->port_from_rootpath << 1 |
           (unsigned)(candidate->service != LB_BY_CONFIG &&
                      (candidate->at.host == LB_HOST_NAME || is_far(candidates, candidate)));
}

static bool is_before(const struct lb_candidate *a, const struct lb_candidate *b) {
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->heard != b->heard)
        return a->heard < b->heard;
    return a->tie < b->tie;
}

/* Whether a person named this server: then it may be the machine itself. */
static bool is_by_person(const struct lb_candidates *candidates,
                         const struct lb_candidate *candidate) {
    if (candidate->service == LB_BY_CONFIG)
        return true;
    return candidate->at.host == LB_HOST_ADDR && !candidates->from_network &&
           candidates->wanted.host == LB_HOST_ADDR &&
           lb_addr_equal(candidates->wanted.addr, candidate->at.addr);
}

/* ---- the list ------------------------------------------------------------------------------- */

void lb_candidates_init(struct lb_candidates *candidates, struct lb_common *common,
                        const struct lb_network *network) {
    memset(candidates, 0, sizeof *candidates);
    candidates->common = common;
    candidates->network = network;
    lb_candidates_clear(candidates);
}

void lb_candidates_begin(struct lb_candidates *candidates, const struct lb_choice *choice) {
    lb_candidates_clear(candidates);
    candidates->wanted = choice->target;
    candidates->from_network = choice->from_network;
}

void lb_candidates_clear(struct lb_candidates *candidates) {
    candidates->count = candidates->dropped = 0;
    candidates->current = LB_CANDIDATES_MAX;
    candidates->targets = candidates->tries = 0;
}

static uint16_t port_of(const struct lb_rootpath *at) {
    return at->port != 0 ? at->port : LB_ISCSI_PORT;
}

static bool hosts_are_same(const struct lb_rootpath *a, const struct lb_rootpath *b) {
    if (a->host != b->host)
        return false;
    return a->host == LB_HOST_NAME ? lb_streq(a->name, b->name) : lb_addr_equal(a->addr, b->addr);
}

static bool is_same(const struct lb_rootpath *a, const struct lb_rootpath *b) {
    return lb_iscsi_names_equal(a->target, b->target) && hosts_are_same(a, b) &&
           port_of(a) == port_of(b) && a->lun_choice == b->lun_choice &&
           memcmp(a->lun, b->lun, sizeof a->lun) == 0;
}

static uint32_t heard_of(struct lb_candidates *candidates, const char *target) {
    for (size_t i = 0; i < candidates->count; i++)
        if (lb_iscsi_names_equal(candidates->list[i].at.target, target))
            return candidates->list[i].heard;
    return candidates->targets++;
}

static void take_out(struct lb_candidates *candidates, size_t at) {
    candidates->count--;
    for (size_t i = at; i < candidates->count; i++)
        candidates->list[i] = candidates->list[i + 1];
    if (candidates->current != LB_CANDIDATES_MAX && candidates->current > at)
        candidates->current--;
}

static void put_in(struct lb_candidates *candidates, const struct lb_candidate *candidate) {
    size_t at = candidates->count++;
    for (; at > 0 && is_before(candidate, &candidates->list[at - 1]); at--)
        candidates->list[at] = candidates->list[at - 1];
    candidates->list[at] = *candidate;
    if (candidates->current != LB_CANDIDATES_MAX && candidates->current >= at)
        candidates->current++;
}

/* Full: the worst goes, which may be the new one; but not the one that is being tried. */
static bool make_room(struct lb_candidates *candidates, const struct lb_candidate *candidate) {
    if (candidates->count < LB_CANDIDATES_MAX)
        return true;
    size_t last = LB_CANDIDATES_MAX - 1;
    last -= last == candidates->current;
    candidates->dropped++;
    if (!is_before(candidate, &candidates->list[last]))
        return false;
    take_out(candidates, last);
    return true;
}

/* Two services may name the same portal: the surer source counts, and what either of them knows. */
static void merge(struct lb_candidates *candidates, size_t at,
                  const struct lb_candidate *candidate) {
    struct lb_candidate merged = candidates->list[at];
    if (candidate->rank < merged.rank) {
        merged.rank = candidate->rank;
        merged.service = candidate->service;
        merged.refused = candidate->refused;
        merged.failed = merged.tried ? merged.failed : candidate->failed;
        merged.port_from_rootpath = candidate->port_from_rootpath;
        lb_format(merged.source, sizeof merged.source, "%s", candidate->source);
    }
    merged.boot_list = merged.boot_list || candidate->boot_list;
    if (!lb_addr_is_set(merged.servers.isns))
        merged.servers.isns = candidate->servers.isns;
    if (!lb_addr_is_set(merged.servers.slp))
        merged.servers.slp = candidate->servers.slp;
    if (merged.portal_group < 0)
        merged.portal_group = candidate->portal_group;
    bool is_current = candidates->current == at;
    take_out(candidates, at);
    if (is_current)
        candidates->current = LB_CANDIDATES_MAX;
    put_in(candidates, &merged);
    for (size_t i = 0; is_current && i < candidates->count; i++)
        if (is_same(&candidates->list[i].at, &merged.at))
            candidates->current = i;
}

static void add(struct lb_candidates *candidates, uint64_t now_us,
                const struct lb_candidate *candidate) {
    for (size_t i = 0; i < candidates->count; i++) {
        if (is_same(&candidates->list[i].at, &candidate->at)) {
            merge(candidates, i, candidate);
            return;
        }
    }
    struct lb_candidate added = *candidate;
    /* A person's have an order: each counts as a target of its own. */
    bool is_in_order = added.service == LB_BY_CONFIG;
    added.heard = is_in_order ? candidates->targets++ : heard_of(candidates, added.at.target);
    added.tie = is_in_order ? 0 : lb_rand_u32(candidates->common->rand);
    lb_trace(candidates->common->trace, now_us, "boot", "candidate: %s at %s:%u by %s%s%s",
             added.at.target,
             added.at.host == LB_HOST_NAME ? added.at.name : lb_addr_text(added.at.addr).s,
             (unsigned)port_of(&added.at), added.source, added.refused == LB_OK ? "" : ": ",
             added.refused == LB_OK ? "" : lb_code_word(added.refused));
    if (make_room(candidates, &added))
        put_in(candidates, &added);
}

/* Adds to what was found the LUN and port of the Root Path or the configuration. A port that a
 * person gave is the only one; the network's port is tried second (RFC 4173 6). */
void lb_candidates_add(struct lb_candidates *candidates, uint64_t now_us,
                       const struct lb_candidate *found) {
    struct lb_candidate candidate = *found;
    const struct lb_rootpath *wanted = &candidates->wanted;
    bool by_person = lb_config_is_set(candidates->common->plan->config, LB_KEY_PORT);
    bool is_found = candidate.service != LB_BY_CONFIG && candidate.service != LB_BY_ROOTPATH;
    uint16_t said = port_of(&candidate.at);
    if (is_found) {
        memcpy(candidate.at.lun, wanted->lun, sizeof candidate.at.lun);
        candidate.at.lun_choice = wanted->lun_choice;
    }
    if (is_found && by_person)
        candidate.at.port = wanted->port;
    if (candidate.refused == LB_OK &&
        !lb_policy_candidate(candidates->common->plan, &candidate, candidates->wanted.target,
                             is_by_person(candidates, &candidate), &candidate.failed))
        candidate.refused = candidate.failed.code;
    candidate.rank = rank_of(candidates, &candidate);
    add(candidates, now_us, &candidate);
    if (!is_found || by_person || wanted->port == 0 || wanted->port == said)
        return;
    candidate.at.port = wanted->port;
    candidate.port_from_rootpath = true;
    candidate.rank = rank_of(candidates, &candidate);
    add(candidates, now_us, &candidate);
}

/* ---- trying them in turn -------------------------------------------------------------------- */

static size_t first_untried(const struct lb_candidates *candidates) {
    if (candidates->tries == LB_BOOT_TRIES_MAX)
        return LB_CANDIDATES_MAX;
    for (size_t i = 0; i < candidates->count; i++)
        if (!candidates->list[i].tried && candidates->list[i].refused == LB_OK)
            return i;
    return LB_CANDIDATES_MAX;
}

const struct lb_candidate *lb_candidates_best(const struct lb_candidates *candidates) {
    size_t at = first_untried(candidates);
    return at == LB_CANDIDATES_MAX ? NULL : &candidates->list[at];
}

bool lb_candidates_is_sure(const struct lb_candidates *candidates,
                           const struct lb_candidate *candidate) {
    return candidates->wanted.target[0] != '\0' || candidate->boot_list ||
           candidate->service == LB_BY_SENDTARGETS ||
           lb_plan_names_target(candidates->common->plan, candidate->at.target);
}

bool lb_candidates_next(struct lb_candidates *candidates, struct lb_choice *choice) {
    size_t at = first_untried(candidates);
    if (at == LB_CANDIDATES_MAX)
        return false;
    struct lb_candidate *next = &candidates->list[at];
    next->tried = true;
    candidates->tries++;
    candidates->current = at;
    choice->target = next->at;
    choice->has_target = true;
    choice->from_network = !is_by_person(candidates, next);
    lb_format(choice->source, sizeof choice->source, "%s", next->source);
    return true;
}

bool lb_candidates_failed(struct lb_candidates *candidates, const struct lb_error *why) {
    if (candidates->current == LB_CANDIDATES_MAX)
        return false;
    candidates->list[candidates->current].failed = *why;
    candidates->current = LB_CANDIDATES_MAX;
    return true;
}

struct lb_boot_servers lb_candidates_servers(const struct lb_candidates *candidates) {
    return candidates->current < candidates->count ? candidates->list[candidates->current].servers
                                                   : (struct lb_boot_servers){0};
}

/* ---- when they have failed ------------------------------------------------------------------ */

/* A server that listed its targets has said all it knows. Of those who told of somebody else's
 * target by SLP or iSNS, or of one that may not be used, there may be others, who were not
 * heard. */
static bool may_be_offered_yet(const struct lb_candidate *candidate) {
    bool by_person = candidate->service == LB_BY_CONFIG;
    bool is_listed = candidate->service == LB_BY_SENDTARGETS;
    if (candidate->refused == LB_E_NOT_OFFERED || candidate->refused == LB_E_NAME_INVALID)
        return !is_listed;
    return candidate->refused != LB_OK && !by_person;
}

bool lb_candidates_may_pass(const struct lb_candidates *candidates) {
    bool passes = false;
    for (size_t i = 0; i < candidates->count; i++)
        passes = passes || lb_code_may_pass(candidates->list[i].failed.code) ||
                 may_be_offered_yet(&candidates->list[i]);
    return passes;
}

/* The further it came, the more it tells: a LUN that is missing more than a portal that is off.
 * Before its address was known it came nowhere. */
static enum lb_stage came_to(const struct lb_candidate *candidate) {
    return LB_MAX(lb_code_stage(candidate->failed.code), LB_STAGE_ROOTPATH);
}

static size_t most_telling(const struct lb_candidates *candidates) {
    size_t best = LB_CANDIDATES_MAX;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct lb_candidate *candidate = &candidates->list[i];
        if (candidate->failed.code != LB_OK &&
            (best == LB_CANDIDATES_MAX || came_to(candidate) > came_to(&candidates->list[best])))
            best = i;
    }
    return best;
}

/* The others in short: "; also 192.0.2.7:3260 connect-refused". */
void lb_candidates_verdict(const struct lb_candidates *candidates, struct lb_error *error) {
    size_t best = most_telling(candidates);
    if (best == LB_CANDIDATES_MAX)
        return;
    char facts[LB_FACTS_MAX];
    struct lb_text text = lb_text(facts, sizeof facts);
    lb_text_add(&text, "%s", candidates->list[best].failed.facts);
    for (size_t i = 0; i < candidates->count; i++) {
        const struct lb_candidate *other = &candidates->list[i];
        if (i == best || lb_is_ok(&other->failed))
            continue;
        struct lb_endpoint at = {other->at.addr, port_of(&other->at)};
        lb_text_add(&text, "; also %s %s",
                    other->at.host == LB_HOST_NAME ? other->at.name : lb_endpoint_text(at).s,
                    lb_code_word(other->failed.code));
    }
    enum lb_code code = candidates->list[best].failed.code;
    lb_error_clear(error);
    lb_fail(error, code, "%s", facts);
}
