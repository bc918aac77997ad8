/* Candidates: portals of targets that may be booted from, the best first, and what came of trying
 * them. RFC 4173 6 leaves the order to the client; boot.h has ours.
 *
 * The list is bounded, and keeps the best: of ten thousand answers the right one is among them. */
#include "core/boot/boot_state.h"

/* ---- order ---------------------------------------------------------------------------------- */

/* `discovery = isns, slp` is also a preference; auto has none. */
static unsigned preference(const struct lb_boot *boot, enum lb_service service) {
    if (service == LB_BY_CONFIG || service == LB_BY_ROOTPATH)
        return service == LB_BY_ROOTPATH;
    return 2 + boot->plan.services[service].before;
}

/* Of a family in which we have no address, or not of the one that a person prefers. */
static bool is_far(const struct lb_boot *boot, const struct lb_candidate *candidate) {
    enum lb_family family = candidate->at.addr.family;
    if (candidate->at.host != LB_HOST_ADDR)
        return false;
    if (boot->network.is_set && !lb_net_has_family(&boot->network.net, family))
        return true;
    return boot->plan.prefer != LB_FAMILY_NONE && boot->plan.prefer != family;
}

static unsigned rank_of(const struct lb_boot *boot, const struct lb_candidate *candidate) {
    bool is_named = boot->wanted.target[0] != '\0';
    return (unsigned)(candidate->refused != LB_OK) << 8 |
           preference(boot, candidate->service) << 4 |
           (unsigned)(!is_named && !candidate->boot_list) << 2 |
           (unsigned)candidate->port_from_rootpath << 1 |
           (unsigned)(candidate->service != LB_BY_CONFIG &&
                      (candidate->at.host == LB_HOST_NAME || is_far(boot, candidate)));
}

static bool is_before(const struct lb_candidate *a, const struct lb_candidate *b) {
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->heard != b->heard)
        return a->heard < b->heard;
    return a->tie < b->tie;
}

/* Whether a person named this server: then it may be the machine itself. */
static bool is_by_person(const struct lb_boot *boot, const struct lb_candidate *candidate) {
    if (candidate->service == LB_BY_CONFIG)
        return true;
    return candidate->at.host == LB_HOST_ADDR && !boot->wanted_from_network &&
           boot->wanted.host == LB_HOST_ADDR &&
           lb_addr_equal(boot->wanted.addr, candidate->at.addr);
}

/* ---- the list ------------------------------------------------------------------------------- */

void lb_candidates_clear(struct lb_boot *boot) {
    boot->candidate_count = boot->candidates_dropped = 0;
    boot->candidate_current = LB_CANDIDATES_MAX;
    boot->candidate_targets = boot->candidate_tries = 0;
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

static uint32_t heard_of(struct lb_boot *boot, const char *target) {
    for (size_t i = 0; i < boot->candidate_count; i++)
        if (lb_iscsi_names_equal(boot->candidates[i].at.target, target))
            return boot->candidates[i].heard;
    return boot->candidate_targets++;
}

static void take_out(struct lb_boot *boot, size_t at) {
    boot->candidate_count--;
    for (size_t i = at; i < boot->candidate_count; i++)
        boot->candidates[i] = boot->candidates[i + 1];
    if (boot->candidate_current != LB_CANDIDATES_MAX && boot->candidate_current > at)
        boot->candidate_current--;
}

static void put_in(struct lb_boot *boot, const struct lb_candidate *candidate) {
    size_t at = boot->candidate_count++;
    for (; at > 0 && is_before(candidate, &boot->candidates[at - 1]); at--)
        boot->candidates[at] = boot->candidates[at - 1];
    boot->candidates[at] = *candidate;
    if (boot->candidate_current != LB_CANDIDATES_MAX && boot->candidate_current >= at)
        boot->candidate_current++;
}

/* Full: the worst goes, which may be the new one; but not the one that is being tried. */
static bool make_room(struct lb_boot *boot, const struct lb_candidate *candidate) {
    if (boot->candidate_count < LB_CANDIDATES_MAX)
        return true;
    size_t last = LB_CANDIDATES_MAX - 1;
    last -= last == boot->candidate_current;
    boot->candidates_dropped++;
    if (!is_before(candidate, &boot->candidates[last]))
        return false;
    take_out(boot, last);
    return true;
}

/* Two services may know the same portal: the better word counts, and what either of them knows. */
static void merge(struct lb_boot *boot, size_t at, const struct lb_candidate *candidate) {
    struct lb_candidate merged = boot->candidates[at];
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
    bool is_current = boot->candidate_current == at;
    take_out(boot, at);
    if (is_current)
        boot->candidate_current = LB_CANDIDATES_MAX;
    put_in(boot, &merged);
    for (size_t i = 0; is_current && i < boot->candidate_count; i++)
        if (is_same(&boot->candidates[i].at, &merged.at))
            boot->candidate_current = i;
}

static void add(struct lb_boot *boot, uint64_t now_us, const struct lb_candidate *candidate) {
    for (size_t i = 0; i < boot->candidate_count; i++) {
        if (is_same(&boot->candidates[i].at, &candidate->at)) {
            merge(boot, i, candidate);
            return;
        }
    }
    struct lb_candidate added = *candidate;
    /* A person's have an order: each counts as a target of its own. */
    bool is_in_order = added.service == LB_BY_CONFIG;
    added.heard = is_in_order ? boot->candidate_targets++ : heard_of(boot, added.at.target);
    added.tie = is_in_order ? 0 : lb_rand_u32(&boot->rand);
    lb_trace(&boot->trace, now_us, "boot", "candidate: %s at %s:%u by %s%s%s", added.at.target,
             added.at.host == LB_HOST_NAME ? added.at.name : lb_addr_text(added.at.addr).s,
             (unsigned)port_of(&added.at), added.source, added.refused == LB_OK ? "" : ": ",
             added.refused == LB_OK ? "" : lb_code_word(added.refused));
    if (make_room(boot, &added))
        put_in(boot, &added);
}

/* What was found takes from the Root Path or the configuration what these say besides: LUN and
 * port. A person's port counts alone; the network's is a second one to try (RFC 4173 6). */
void lb_candidates_add(struct lb_boot *boot, uint64_t now_us, const struct lb_candidate *found) {
    struct lb_candidate candidate = *found;
    const struct lb_rootpath *wanted = &boot->wanted;
    bool by_person = lb_config_is_set(boot->setup.config, LB_KEY_PORT);
    bool is_found = candidate.service != LB_BY_CONFIG && candidate.service != LB_BY_ROOTPATH;
    uint16_t said = port_of(&candidate.at);
    if (is_found) {
        memcpy(candidate.at.lun, wanted->lun, sizeof candidate.at.lun);
        candidate.at.lun_choice = wanted->lun_choice;
    }
    if (is_found && by_person)
        candidate.at.port = wanted->port;
    if (candidate.refused == LB_OK &&
        !lb_policy_candidate(&boot->plan, &candidate, boot->wanted.target,
                             is_by_person(boot, &candidate), &candidate.failed))
        candidate.refused = candidate.failed.code;
    candidate.rank = rank_of(boot, &candidate);
    add(boot, now_us, &candidate);
    if (!is_found || by_person || wanted->port == 0 || wanted->port == said)
        return;
    candidate.at.port = wanted->port;
    candidate.port_from_rootpath = true;
    candidate.rank = rank_of(boot, &candidate);
    add(boot, now_us, &candidate);
}

/* ---- trying them in turn -------------------------------------------------------------------- */

static size_t first_untried(const struct lb_boot *boot) {
    if (boot->candidate_tries == LB_BOOT_TRIES_MAX)
        return LB_CANDIDATES_MAX;
    for (size_t i = 0; i < boot->candidate_count; i++)
        if (!boot->candidates[i].tried && boot->candidates[i].refused == LB_OK)
            return i;
    return LB_CANDIDATES_MAX;
}

const struct lb_candidate *lb_candidates_best(const struct lb_boot *boot) {
    size_t at = first_untried(boot);
    return at == LB_CANDIDATES_MAX ? NULL : &boot->candidates[at];
}

bool lb_candidates_next(struct lb_boot *boot) {
    size_t at = first_untried(boot);
    if (at == LB_CANDIDATES_MAX)
        return false;
    struct lb_candidate *next = &boot->candidates[at];
    next->tried = true;
    boot->candidate_tries++;
    boot->candidate_current = at;
    boot->choice.target = next->at;
    boot->choice.has_target = true;
    boot->choice.from_network = !is_by_person(boot, next);
    lb_format(boot->choice.source, sizeof boot->choice.source, "%s", next->source);
    return true;
}

bool lb_candidates_failed(struct lb_boot *boot) {
    if (boot->candidate_current == LB_CANDIDATES_MAX)
        return false;
    boot->candidates[boot->candidate_current].failed = boot->error;
    boot->candidate_current = LB_CANDIDATES_MAX;
    return true;
}

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

bool lb_candidates_may_pass(const struct lb_boot *boot) {
    bool passes = lb_code_may_pass(boot->error.code);
    for (size_t i = 0; i < boot->candidate_count; i++)
        passes = passes || lb_code_may_pass(boot->candidates[i].failed.code) ||
                 may_be_offered_yet(&boot->candidates[i]);
    return passes;
}

/* The further it came, the more it tells: a LUN that is missing more than a portal that is off. */
static unsigned telling(enum lb_code code) {
    static const char *const stages[] = {"resolve", "policy", "connect",
                                         "session", "login",  "disk"};
    for (unsigned i = 0; i < LB_COUNT(stages); i++)
        if (lb_streq(lb_code_stage(code), stages[i]))
            return i + 1;
    return 0;
}

static size_t most_telling(const struct lb_boot *boot) {
    size_t best = LB_CANDIDATES_MAX;
    for (size_t i = 0; i < boot->candidate_count; i++) {
        enum lb_code code = boot->candidates[i].failed.code;
        if (code != LB_OK && (best == LB_CANDIDATES_MAX ||
                              telling(code) > telling(boot->candidates[best].failed.code)))
            best = i;
    }
    return best;
}

/* The others in short: "; also 192.0.2.7:3260 connect-refused". */
void lb_candidates_verdict(struct lb_boot *boot) {
    size_t best = most_telling(boot);
    if (best == LB_CANDIDATES_MAX)
        return;
    char facts[LB_FACTS_MAX];
    struct lb_text text = lb_text(facts, sizeof facts);
    lb_text_add(&text, "%s", boot->candidates[best].failed.facts);
    for (size_t i = 0; i < boot->candidate_count; i++) {
        const struct lb_candidate *other = &boot->candidates[i];
        if (i == best || lb_is_ok(&other->failed))
            continue;
        struct lb_endpoint at = {other->at.addr, port_of(&other->at)};
        lb_text_add(&text, "; also %s %s",
                    other->at.host == LB_HOST_NAME ? other->at.name : lb_endpoint_text(at).s,
                    lb_code_word(other->failed.code));
    }
    enum lb_code code = boot->candidates[best].failed.code;
    boot->error = (struct lb_error){.code = LB_OK};
    lb_fail(&boot->error, code, "%s", facts);
}
