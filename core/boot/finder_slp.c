/* Discovery by SLP (RFC 2608, 4018): the disk, and the iSNS server where none is known; in both
 * families at once.
 *
 * Without trust-open-slp nothing is asked that would have to be believed: a target by its name is
 * then proved by the login, and an iSNS server by nothing more than DHCP's word would be. */
#include "core/boot/finder_state.h"

static enum lb_family family_of(size_t question) {
    return question == LB_FINDER_SLP_DISK4 || question == LB_FINDER_SLP_ISNS4 ? LB_V4 : LB_V6;
}

static bool is_for_disk(size_t question) {
    return question == LB_FINDER_SLP_DISK4 || question == LB_FINDER_SLP_DISK6;
}

static const char *family_word(size_t question) {
    return family_of(question) == LB_V4 ? "IPv4" : "IPv6";
}

/* ---- what to ask ---------------------------------------------------------------------------- */

/* Under IPsec it is not anyone's word, but that of who has our key. */
static bool trusts(const struct lb_finder *finder) {
    return lb_shield_covers(finder->shield, true) ||
           lb_config_bool(finder->common->plan->config, LB_KEY_TRUST_OPEN_SLP);
}

/* Everything there is: to be shown, or where a person named targets that may be used. */
static bool may_ask_for_everything(const struct lb_finder *finder) {
    return finder->common->plan->goal == LB_GOAL_DISCOVER || finder->common->plan->names_any_target;
}

/* RFC 4173 6: by name, query 1; else what we may boot from (7 of RFC 4018), then what lets us in
 * (RFC 4173's query 4). 0: nothing is to be asked. */
static unsigned first_query(const struct lb_finder *finder) {
    if (finder->target[0] != '\0')
        return LB_SLP_BY_TARGET;
    if (trusts(finder))
        return LB_SLP_BOOT_LIST;
    return may_ask_for_everything(finder) ? LB_SLP_EVERYTHING : 0;
}

static unsigned next_query(const struct lb_finder *finder, enum lb_slp_query query,
                           unsigned found) {
    bool goes_on = found == 0 || finder->common->plan->goal == LB_GOAL_DISCOVER;
    if (query == LB_SLP_BOOT_LIST && goes_on)
        return LB_SLP_OURS;
    if (query == LB_SLP_OURS && goes_on && may_ask_for_everything(finder))
        return LB_SLP_EVERYTHING;
    return 0;
}

/* Who has nothing that matches does not answer a multicast, so a question that others come after
 * may not take all the time. 0: it may. */
static uint32_t time_for(const struct lb_finder *finder, enum lb_slp_query query) {
    uint32_t all_ms = lb_config_u32(finder->common->plan->config, LB_KEY_DISCOVERY_TIMEOUT);
    return next_query(finder, query, 0) != 0 ? LB_MAX(all_ms / 3, 1) : 0;
}

static bool has_family(const struct lb_finder *finder, enum lb_family family) {
    if (family == LB_V6 && !finder->common->plan->has_ipv6)
        return false;
    if (finder->common->plan->network_is_up)
        return true;
    return family == LB_V4 ? lb_addr_is_set(finder->network->net.address.addr)
                           : finder->network->net.addr6_count > 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

static void agents_config(struct lb_finder *finder, struct lb_slp_config *config) {
    struct lb_bytes list =
        lb_bytes_of_text(lb_config_text(finder->common->plan->config, LB_KEY_SLP_AGENT));
    struct lb_bytes item;
    const struct lb_dhcp4_lease *lease = lb_network_hints(finder->network);
    while (config->agent_count < LB_SLP_AGENTS_MAX && lb_list_next(&list, ',', &item))
        config->agent_count += lb_addr_parse(item, &config->agents[config->agent_count]);
    if (config->agent_count > 0 || lease == NULL)
        return;
    config->agents_only = lease->slp_da_mandatory && lease->slp_da_count > 0;
    for (size_t i = 0; i < lease->slp_da_count && config->agent_count < LB_SLP_AGENTS_MAX; i++)
        if (lb_addr_is_host(lease->slp_da[i]))
            config->agents[config->agent_count++] = lease->slp_da[i];
}

static const char *scopes(const struct lb_finder *finder) {
    const struct lb_config *config = finder->common->plan->config;
    const struct lb_dhcp4_lease *lease = lb_network_hints(finder->network);
    const char *option79 = lease != NULL && lease->slp_scopes[0] ? lease->slp_scopes : NULL;
    const char *configured = NULL;
    if (lb_config_is_set(config, LB_KEY_SLP_SCOPES))
        configured = lb_config_text(config, LB_KEY_SLP_SCOPES);
    return lb_slp_choose_scopes(configured, option79, lease != NULL && lease->slp_scope_mandatory);
}

static void open_slot(struct lb_finder *finder, enum lb_family family) {
    bool *is_open = family == LB_V4 ? &finder->slp4_open : &finder->slp6_open;
    if (*is_open)
        return;
    struct lb_boot_action *ask = lb_ask(finder->common, LB_BOOT_OPEN);
    ask->slot = family == LB_V4 ? LB_BOOT_SLOT_SLP4 : LB_BOOT_SLOT_SLP6;
    ask->kind = LB_KIND_UDP;
    ask->from.addr.family = family;
    ask->is_protected = lb_shield_covers(finder->shield, true);
    *is_open = true;
}

static void ask(struct lb_finder *finder, uint64_t now_us, size_t question,
                enum lb_slp_query query) {
    struct lb_finder_slp *slp = &finder->slp[question];
    struct lb_slp_config config = {
        .family = family_of(question),
        .query = query,
        .initiator = finder->initiator,
        .target = finder->target,
        .scopes = scopes(finder),
        .total_ms = time_for(finder, query),
        .extra_scope = query == LB_SLP_ISNS ? "initiator-scope-list" : NULL,
    };
    agents_config(finder, &config);
    if (lb_shield_covers(finder->shield, true)) {
        config.agents_only = true;
        if (config.agent_count == 0) { /* multicast has no keys */
            lb_trace(finder->common->trace, now_us, "boot",
                     "SLP: no agent is named, and IPsec is on");
            return;
        }
    }
    if (config.agent_count > 0)
        finder->has_expectation = true;
    open_slot(finder, config.family);
    lb_slp_client_init(&slp->client, now_us, &config, finder->common->rand, finder->common->trace);
    slp->runs = true;
    slp->wants_tcp = false;
    slp->step =
        lb_report_begin(finder->common->report, now_us, LB_STAGE_DISCOVERY, (struct lb_endpoint){0},
                        "SLP over %s: %s", family_word(question), lb_slp_query_word(query));
}

void lb_finder_slp_start(struct lb_finder *finder, uint64_t now_us) {
    unsigned query = first_query(finder);
    bool needs_isns = finder->common->plan->services[LB_BY_ISNS].is_on && finder->isns_count == 0;
    if (!finder->common->plan->services[LB_BY_SLP].is_on)
        return;
    if (trusts(finder) && finder->target[0] == '\0')
        lb_report_decided(finder->common->report, now_us, LB_STAGE_DISCOVERY, "trust-open-slp",
                          lb_config_source_word(lb_config_source(finder->common->plan->config,
                                                                 LB_KEY_TRUST_OPEN_SLP)),
                          "yes: what SLP says of who may boot is believed without proof");
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++) {
        finder->slp[i].runs = false;
        finder->slp[i].found = 0;
        if (!has_family(finder, family_of(i)))
            continue;
        if (!is_for_disk(i) && needs_isns)
            ask(finder, now_us, i, LB_SLP_ISNS);
        else if (is_for_disk(i) && query != 0)
            ask(finder, now_us, i, (enum lb_slp_query)query);
    }
}

/* ---- answers -------------------------------------------------------------------------------- */

static void take_disk(struct lb_finder *finder, enum lb_slp_query query,
                      const struct lb_slp_found *found) {
    const char *wanted = finder->target;
    bool is_ours =
        found->identity[0] == '\0' || lb_iscsi_names_equal(found->identity, finder->initiator);
    bool is_listed = lb_plan_names_target(finder->common->plan, found->target);
    struct lb_candidate *candidate = &finder->found;
    *candidate = (struct lb_candidate){
        .service = LB_BY_SLP,
        .at = {.host = found->host, .addr = found->addr, .port = found->port},
        .portal_group = found->portal_group,
        .boot_list = query == LB_SLP_BOOT_LIST,
        .servers.slp = found->agent,
    };
    if (wanted[0] != '\0' && !lb_iscsi_names_equal(found->target, wanted))
        return; /* an agent need not be right */
    memcpy(candidate->at.name, found->name, sizeof candidate->at.name);
    memcpy(candidate->at.target, found->target, sizeof candidate->at.target);
    lb_format(candidate->source, sizeof candidate->source, "SLP agent %s",
              lb_addr_text(found->agent).s);
    if (!is_ours || (query == LB_SLP_EVERYTHING && !is_listed)) {
        candidate->refused = LB_E_NOT_OFFERED;
        lb_fail(&candidate->failed, LB_E_NOT_OFFERED, "%s, named by %s%s%s", found->target,
                candidate->source, is_ours ? "" : " for ", is_ours ? "" : found->identity);
    }
    finder->news.what = LB_FINDER_FOUND;
}

static void take_isns(struct lb_finder *finder, uint64_t now_us, const struct lb_slp_found *found) {
    struct lb_finder_isns_server server = {.at = {found->addr, found->port}, .agent = found->agent};
    lb_format(server.source, sizeof server.source, "SLP agent %s", lb_addr_text(found->agent).s);
    memcpy(server.name, found->name, sizeof server.name);
    lb_finder_isns_add(finder, now_us, &server);
}

/* "SLP (by target) over IPv4, directory agent 192.0.2.30: no answer". */
static void note_asked(struct lb_finder *finder, uint64_t now_us, size_t question) {
    const struct lb_slp_client *client = &finder->slp[question].client;
    char whole[LB_FACTS_MAX], in_short[160];
    struct lb_text asked = lb_text(whole, sizeof whole);
    struct lb_text text = lb_text(in_short, sizeof in_short);
    const char *came = client->responder_count == 0 ? "no answer"
                       : client->found_count == 0   ? "nothing found"
                                                    : "found";
    lb_slp_client_asked(client, &asked);
    lb_text_add(&asked, ": %s", came);
    lb_text_add(&text, "SLP (%s) over %s", lb_slp_query_word(client->config.query),
                family_word(question));
    if (client->config.agent_count > 0)
        lb_text_add(&text, ", directory agent %s", lb_addr_text(client->config.agents[0]).s);
    lb_text_add(&text, ": %s", came);
    lb_finder_note(finder, now_us, whole, in_short);
}

static void question_ended(struct lb_finder *finder, uint64_t now_us, size_t question) {
    struct lb_finder_slp *slp = &finder->slp[question];
    bool has_answer = slp->client.responder_count > 0;
    slp->runs = slp->wants_tcp = false;
    if (is_for_disk(question))
        finder->has_answer = finder->has_answer || has_answer;
    lb_report_end(finder->common->report, now_us, slp->step,
                  slp->client.found_count > 0 ? LB_DONE_OK : LB_DONE_FAILED,
                  "%zu found over %s, %s", slp->client.found_count, family_word(question),
                  lb_slp_query_word(slp->client.config.query));
    note_asked(finder, now_us, question);
    unsigned next = 0;
    if (is_for_disk(question))
        next = next_query(finder, slp->client.config.query, slp->found);
    if (next != 0)
        ask(finder, now_us, question, (enum lb_slp_query)next);
}

static enum lb_turn take_found(struct lb_finder *finder, uint64_t now_us, size_t question,
                               const struct lb_slp_found *found) {
    struct lb_finder_slp *slp = &finder->slp[question];
    slp->found++;
    if (found->isns && !is_for_disk(question))
        take_isns(finder, now_us, found);
    else if (!found->isns && is_for_disk(question))
        take_disk(finder, slp->client.config.query, found);
    return LB_TURN_AGAIN;
}

/* ---- carrying out --------------------------------------------------------------------------- */

/* The TCP slot goes from one question to the next. */
static bool give_slot(struct lb_finder *finder, struct lb_boot_action *action) {
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++) {
        struct lb_finder_slp *slp = &finder->slp[i];
        if (finder->slp_tcp_owner != LB_FINDER_SLP_QUESTIONS || !slp->runs || !slp->wants_tcp)
            continue;
        slp->wants_tcp = false;
        finder->slp_tcp_owner = i;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_CONNECT,
            .slot = LB_BOOT_SLOT_SLP_TCP,
            .from = {.addr = lb_shield_local(finder->shield, slp->tcp_to.addr)},
            .to = slp->tcp_to,
            .is_protected = lb_shield_covers(finder->shield, true),
        };
        return true;
    }
    return false;
}

static enum lb_turn take_back_slot(struct lb_finder *finder, size_t question,
                                   struct lb_boot_action *action) {
    finder->slp[question].wants_tcp = false;
    if (finder->slp_tcp_owner != question)
        return LB_TURN_AGAIN;
    finder->slp_tcp_owner = LB_FINDER_SLP_QUESTIONS;
    *action = (struct lb_boot_action){.event = LB_BOOT_CLOSE, .slot = LB_BOOT_SLOT_SLP_TCP};
    return LB_TURN_ACT;
}

/* Whether what goes to this agent is protected by now, or need not be. */
static bool has_keys(struct lb_finder *finder, uint64_t now_us, struct lb_addr agent) {
    struct lb_error why = {.code = LB_OK};
    enum lb_shield_says says = lb_shield_want(finder->shield, now_us, agent, true, &why);
    finder->unkeyed = says == LB_SHIELD_WAIT ? agent : (struct lb_addr){0};
    if (says == LB_SHIELD_FAILED)
        lb_fail(&finder->failure, why.code, "SLP agent %s", why.facts);
    return says == LB_SHIELD_CLEAR || says == LB_SHIELD_UP;
}

/* What cannot be protected yet is lost, as on a wire: SLP asks again. */
static enum lb_turn send_question(struct lb_finder *finder, uint64_t now_us, enum lb_family family,
                                  const struct lb_slp_action *did, struct lb_boot_action *action) {
    bool is_covered = lb_shield_covers(finder->shield, true);
    if (is_covered &&
        (lb_addr_is_multicast(did->to.addr) || !has_keys(finder, now_us, did->to.addr)))
        return LB_TURN_AGAIN;
    *action = (struct lb_boot_action){
        .event = LB_BOOT_SEND,
        .slot = family == LB_V4 ? LB_BOOT_SLOT_SLP4 : LB_BOOT_SLOT_SLP6,
        .bytes = did->bytes,
        .to = did->to,
    };
    if (is_covered)
        action->from.addr = lb_shield_local(finder->shield, did->to.addr);
    return LB_TURN_ACT;
}

static enum lb_turn question_turn(struct lb_finder *finder, uint64_t now_us, size_t question,
                                  struct lb_boot_action *action) {
    struct lb_finder_slp *slp = &finder->slp[question];
    struct lb_slp_action did = lb_slp_client_poll(&slp->client, now_us);
    switch (did.event) {
    case LB_SLP_WAIT:
        lb_until(finder->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_SLP_SEND:
        return send_question(finder, now_us, family_of(question), &did, action);
    case LB_SLP_CONNECT:
        slp->wants_tcp = true;
        slp->tcp_to = did.to;
        return LB_TURN_AGAIN;
    case LB_SLP_CLOSE:
        return take_back_slot(finder, question, action);
    case LB_SLP_FOUND:
        return take_found(finder, now_us, question, did.found);
    case LB_SLP_DONE:
    case LB_SLP_FAILED:
        question_ended(finder, now_us, question);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

enum lb_turn lb_finder_slp_turn(struct lb_finder *finder, uint64_t now_us,
                                struct lb_boot_action *action) {
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++) {
        if (!finder->slp[i].runs)
            continue;
        enum lb_turn did = question_turn(finder, now_us, i, action);
        if (did != LB_TURN_IDLE)
            return did;
    }
    return give_slot(finder, action) ? LB_TURN_ACT : LB_TURN_IDLE;
}

bool lb_finder_slp_runs(const struct lb_finder *finder) {
    bool runs = false;
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++)
        runs = runs || finder->slp[i].runs;
    return runs;
}

static void note_unkeyed(struct lb_finder *finder) {
    struct lb_error why = {.code = LB_OK};
    if (!lb_addr_is_set(finder->unkeyed))
        return;
    lb_shield_why(finder->shield, finder->unkeyed, &why);
    lb_fail(&finder->failure, why.code, "SLP agent %s", why.facts);
}

void lb_finder_slp_stop(struct lb_finder *finder, uint64_t now_us) {
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++) {
        struct lb_finder_slp *slp = &finder->slp[i];
        if (slp->runs)
            lb_report_end(finder->common->report, now_us, slp->step,
                          slp->found > 0 ? LB_DONE_OK : LB_DONE_FAILED, "%u found", slp->found);
        if (slp->runs)
            note_asked(finder, now_us, i);
        slp->runs = false;
    }
    note_unkeyed(finder);
    if (finder->slp_tcp_owner != LB_FINDER_SLP_QUESTIONS)
        lb_ask(finder->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_SLP_TCP;
    if (finder->slp4_open)
        lb_ask(finder->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_SLP4;
    if (finder->slp6_open)
        lb_ask(finder->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_SLP6;
    finder->slp_tcp_owner = LB_FINDER_SLP_QUESTIONS;
    finder->slp4_open = finder->slp6_open = false;
}

struct lb_slp_client *lb_finder_slp_stream(struct lb_finder *finder) {
    if (!finder->runs || finder->slp_tcp_owner == LB_FINDER_SLP_QUESTIONS)
        return NULL;
    return &finder->slp[finder->slp_tcp_owner].client;
}

void lb_finder_slp_lost(struct lb_finder *finder, uint64_t now_us) {
    struct lb_slp_client *client = lb_finder_slp_stream(finder);
    finder->slp_tcp_owner = LB_FINDER_SLP_QUESTIONS;
    lb_slp_client_lost(client, now_us);
}

void lb_finder_slp_datagram(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                            struct lb_endpoint from, struct lb_bytes bytes) {
    enum lb_family family = slot == LB_BOOT_SLOT_SLP4 ? LB_V4 : LB_V6;
    for (size_t i = 0; i < LB_FINDER_SLP_QUESTIONS; i++)
        if (finder->slp[i].runs && family_of(i) == family &&
            lb_slp_client_input(&finder->slp[i].client, now_us, from, bytes))
            return;
}
