/* Discovery by iSNS (RFC 4171, 4173 6): the target's portals by its name, or our boot list. The
 * server is a person's, DHCP's (option 83, RFC 4174) or one that SLP knows; they are asked one
 * after the other until one answers. */
#include "core/boot/finder_state.h"

/* ---- the servers ---------------------------------------------------------------------------- */

/* A person may name this machine itself. */
static bool is_plausible(struct lb_addr addr, bool by_person) {
    return by_person ? !lb_addr_is_multicast(addr) && !lb_addr_is_zero(addr)
                     : lb_addr_is_host(addr);
}

static bool is_known(const struct lb_finder *finder, const struct lb_finder_isns_server *server) {
    for (size_t i = 0; i < finder->isns_count; i++)
        if (lb_endpoint_equal(finder->isns_servers[i].at, server->at) &&
            lb_streq(finder->isns_servers[i].name, server->name))
            return true;
    return false;
}

static const char *server_text(const struct lb_finder_isns_server *server,
                               struct lb_addr_text *memory) {
    if (!lb_addr_is_set(server->at.addr))
        return server->name;
    *memory = lb_endpoint_text(server->at);
    return memory->s;
}

void lb_finder_isns_add(struct lb_finder *finder, uint64_t now_us,
                        const struct lb_finder_isns_server *server) {
    struct lb_finder_isns_server added = *server;
    struct lb_addr_text memory;
    if (added.at.port == 0)
        added.at.port = LB_ISNS_PORT;
    bool is_good = added.name[0] != '\0' || is_plausible(added.at.addr, added.by_person);
    if (is_known(finder, &added))
        return;
    if (added.name[0] != '\0' && !added.by_person &&
        lb_config_requires(finder->common->plan->config, "address")) {
        finder->news.what = LB_FINDER_PASSED;
        finder->found = (struct lb_candidate){.service = LB_BY_ISNS};
        lb_format(finder->found.source, sizeof finder->found.source, "%s", added.source);
        lb_fail(&finder->found.failed, LB_E_NAME_NOT_ALLOWED, "iSNS server %s, named by %s",
                added.name, added.source);
        return;
    }
    if (finder->isns_count == LB_FINDER_ISNS_SERVERS_MAX || !is_good) {
        lb_trace(finder->common->trace, now_us, "boot", "iSNS server %s of %s is not used",
                 server_text(&added, &memory), added.source);
        return;
    }
    finder->isns_servers[finder->isns_count++] = added;
    lb_report_learned(finder->common->report, now_us, LB_STAGE_DISCOVERY, "isns-server",
                      added.source, "%s", server_text(&added, &memory));
}

static bool parse_server(struct lb_bytes text, struct lb_finder_isns_server *server) {
    struct lb_host_port got;
    if (!lb_host_port_parse(text, &got))
        return false;
    server->at = got.at;
    memcpy(server->name, got.name, sizeof server->name);
    return true;
}

static void add_configured(struct lb_finder *finder, uint64_t now_us) {
    const struct lb_config *config = finder->common->plan->config;
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_ISNS_SERVER)), item;
    const char *source = lb_config_source_word(lb_config_source(config, LB_KEY_ISNS_SERVER));
    while (lb_list_next(&list, ',', &item)) {
        struct lb_finder_isns_server server = {.by_person = true};
        lb_format(server.source, sizeof server.source, "%s", source);
        if (parse_server(item, &server))
            lb_finder_isns_add(finder, now_us, &server);
        else
            lb_trace(finder->common->trace, now_us, "boot",
                     "isns-server: \"%.*s\" is no address or name", (int)item.len,
                     (const char *)item.p);
    }
}

enum lb_family lb_finder_isns_family(const struct lb_plan *plan) {
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(plan->config, LB_KEY_ISNS_SERVER));
    struct lb_bytes item;
    enum lb_family family = LB_FAMILY_NONE;
    if (!plan->services[LB_BY_ISNS].is_on)
        return LB_FAMILY_NONE;
    while (lb_list_next(&list, ',', &item)) {
        struct lb_finder_isns_server server = {0};
        bool is_first = family == LB_FAMILY_NONE;
        if (!parse_server(item, &server) || (!is_first && family != server.at.addr.family))
            return LB_FAMILY_NONE;
        family = server.at.addr.family;
    }
    return family;
}

static void add_of_dhcp(struct lb_finder *finder, uint64_t now_us) {
    const struct lb_dhcp4_lease *lease = lb_network_hints(finder->network);
    if (lease == NULL)
        return;
    const struct lb_addr addrs[] = {lease->isns_server, lease->isns_backup};
    for (size_t i = 0; i < LB_COUNT(addrs); i++) {
        struct lb_finder_isns_server server = {.at.addr = addrs[i], .source = "DHCP option 83"};
        if (lb_addr_is_set(addrs[i]) && !lb_addr_is_zero(addrs[i]))
            lb_finder_isns_add(finder, now_us, &server);
    }
}

void lb_finder_isns_start(struct lb_finder *finder, uint64_t now_us) {
    finder->isns_count = finder->isns_next = 0;
    finder->isns_runs = finder->isns_resolves = finder->isns_withdraws = false;
    finder->isns_waits = false;
    if (!finder->common->plan->services[LB_BY_ISNS].is_on)
        return;
    add_configured(finder, now_us);
    if (finder->isns_count == 0)
        add_of_dhcp(finder, now_us);
    if (finder->isns_count > 0)
        finder->has_expectation = true;
}

/* ---- asking --------------------------------------------------------------------------------- */

static enum lb_isns_register registration(const struct lb_finder *finder) {
    const char *value = lb_config_text(finder->common->plan->config, LB_KEY_ISNS_REGISTER);
    if (lb_streq(value, "never"))
        return LB_ISNS_REGISTER_NEVER;
    return lb_streq(value, "always") ? LB_ISNS_REGISTER_ALWAYS : LB_ISNS_REGISTER_AUTO;
}

static struct lb_addr own_address(const struct lb_finder *finder, enum lb_family family) {
    if (family == LB_V4)
        return finder->network->net.address.addr;
    return finder->network->net.addr6_count > 0 ? finder->network->net.addrs6[0].address.addr
                                                : (struct lb_addr){0};
}

static const struct lb_finder_isns_server *server(const struct lb_finder *finder) {
    return &finder->isns_servers[finder->isns_next - 1];
}

static struct lb_isns_config question(const struct lb_finder *finder, struct lb_endpoint at) {
    struct lb_isns_config config = {
        .server = at,
        .own_address = own_address(finder, at.addr.family),
        .udp = lb_config_bool(finder->common->plan->config, LB_KEY_ISNS_UDP),
        .all_domains = finder->common->plan->goal == LB_GOAL_DISCOVER ||
                       finder->common->plan->names_any_target,
        .registration = registration(finder),
        .connect_ms = lb_config_u32(finder->common->plan->config, LB_KEY_CONNECT_TIMEOUT),
        .give_up_ms = lb_config_u32(finder->common->plan->config, LB_KEY_DISCOVERY_TIMEOUT),
    };
    lb_format(config.initiator, sizeof config.initiator, "%s", finder->initiator);
    lb_format(config.target, sizeof config.target, "%s", finder->target);
    if (finder->isns_next < finder->isns_count)
        config.connect_ms = LB_MIN(
            config.connect_ms, lb_config_u32(finder->common->plan->config, LB_KEY_PORTAL_TIMEOUT));
    return config;
}

/* came begins with the server. */
static void note(struct lb_finder *finder, uint64_t now_us, const char *came) {
    char line[LB_FACTS_MAX];
    lb_format(line, sizeof line, "iSNS server %s", came);
    lb_finder_note(finder, now_us, line, line);
}

static void note_server(struct lb_finder *finder, uint64_t now_us, const char *what) {
    char line[LB_FACTS_MAX];
    struct lb_addr_text memory;
    lb_format(line, sizeof line, "%s: %s", server_text(server(finder), &memory), what);
    note(finder, now_us, line);
}

static void note_unprotected(struct lb_finder *finder, uint64_t now_us,
                             const struct lb_error *why) {
    note_server(finder, now_us, lb_code_word(why->code));
    lb_fail(&finder->failure, why->code, "iSNS server %s", why->facts);
}

static void begin_to_ask(struct lb_finder *finder, uint64_t now_us, struct lb_endpoint at) {
    struct lb_isns_config config = question(finder, at);
    if (config.udp && !finder->isns_udp_open) {
        struct lb_boot_action *ask = lb_ask(finder->common, LB_BOOT_OPEN);
        ask->slot = LB_BOOT_SLOT_ISNS_UDP;
        ask->kind = LB_KIND_UDP;
        ask->from.addr = lb_shield_local(finder->shield, at.addr);
        ask->is_protected = lb_shield_covers(finder->shield, true);
        ask->from.addr.family = at.addr.family;
        finder->isns_udp_open = true;
    }
    lb_isns_client_init(&finder->isns, now_us, &config, finder->common->rand,
                        finder->common->trace);
    finder->isns_runs = true;
    finder->isns_step = lb_report_begin(finder->common->report, now_us, LB_STAGE_DISCOVERY, at,
                                        "iSNS: %s", config.target[0] ? "by target" : "boot list");
}

static void ask(struct lb_finder *finder, uint64_t now_us, struct lb_endpoint at) {
    struct lb_error why = {.code = LB_OK};
    switch (lb_shield_want(finder->shield, now_us, at.addr, true, &why)) {
    case LB_SHIELD_WAIT:
        finder->isns_waits = true;
        return;
    case LB_SHIELD_FAILED:
        finder->isns_waits = false;
        note_unprotected(finder, now_us, &why);
        return;
    case LB_SHIELD_CLEAR:
    case LB_SHIELD_UP:
        finder->isns_waits = false;
        begin_to_ask(finder, now_us, at);
        return;
    }
}

static void ask_next(struct lb_finder *finder, uint64_t now_us) {
    struct lb_finder_isns_server *next = &finder->isns_servers[finder->isns_next++];
    if (lb_addr_is_set(next->at.addr)) {
        ask(finder, now_us, next->at);
        return;
    }
    finder->isns_resolves = true;
    finder->news = (struct lb_finder_news){.what = LB_FINDER_RESOLVE, .name = next->name};
}

void lb_finder_resolved(struct lb_finder *finder, uint64_t now_us, const struct lb_addr *addrs,
                        size_t count, const char *why) {
    if (!finder->isns_resolves)
        return;
    struct lb_finder_isns_server *next = &finder->isns_servers[finder->isns_next - 1];
    finder->isns_resolves = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_plausible(addrs[i], next->by_person))
            continue;
        next->at.addr = addrs[i];
        ask(finder, now_us, next->at);
        return;
    }
    note_server(finder, now_us, count > 0 ? "resolves to no host" : "does not resolve");
    lb_fail(&finder->failure, LB_E_RESOLVE, "iSNS server %s: %s", next->name,
            count > 0 ? "resolves to no host" : why);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void take_found(struct lb_finder *finder, const struct lb_isns_found *found) {
    const char *wanted = finder->target;
    bool is_listed = lb_plan_names_target(finder->common->plan, found->target);
    struct lb_candidate *candidate = &finder->found;
    *candidate = (struct lb_candidate){
        .service = LB_BY_ISNS,
        .at = {.host = LB_HOST_ADDR, .addr = found->portal.addr, .port = found->portal.port},
        .portal_group = found->portal_group,
        .boot_list = found->in_boot_list,
        .servers = {.isns = server(finder)->at.addr, .slp = server(finder)->agent},
    };
    if (wanted[0] != '\0' && !lb_iscsi_names_equal(found->target, wanted))
        return;
    memcpy(candidate->at.target, found->target, sizeof candidate->at.target);
    lb_format(candidate->source, sizeof candidate->source, "iSNS server %s",
              lb_addr_text(server(finder)->at.addr).s);
    if (wanted[0] == '\0' && !found->in_boot_list && !is_listed) {
        candidate->refused = LB_E_NOT_OFFERED;
        lb_fail(&candidate->failed, LB_E_NOT_OFFERED,
                "%s, in a domain of ours at %s, but in no boot list", found->target,
                candidate->source);
    }
    finder->news.what = LB_FINDER_FOUND;
}

static void close_udp(struct lb_finder *finder) {
    if (finder->isns_udp_open)
        lb_ask(finder->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_ISNS_UDP;
    finder->isns_udp_open = false;
}

static void withdrawn(struct lb_finder *finder) {
    finder->isns_runs = finder->isns_withdraws = false;
    close_udp(finder);
}

/* A registration outlives a boot, for the operating system goes on under the same name; but not a
 * person's look. (The client takes it back itself where it found nothing.) */
static void server_ended(struct lb_finder *finder, uint64_t now_us, bool has_answer,
                         bool has_candidate) {
    struct lb_isns_client *client = &finder->isns;
    unsigned found = lb_isns_client_counts(client)->found;
    char came[LB_FACTS_MAX];
    struct lb_text text = lb_text(came, sizeof came);
    lb_isns_client_explain(client, &text);
    if (has_answer)
        lb_finder_note(finder, now_us, came, came);
    else
        note(finder, now_us, lb_isns_client_error(client)->facts);
    if (!has_answer)
        lb_fail(&finder->failure, lb_isns_client_error(client)->code, "%s",
                lb_isns_client_error(client)->facts);
    finder->isns_runs = false;
    if (lb_isns_client_is_registered(client) && finder->common->plan->goal == LB_GOAL_DISCOVER) {
        lb_isns_client_withdraw(client, now_us);
        finder->isns_runs = finder->isns_withdraws = true;
    }
    finder->has_answer = finder->has_answer || has_answer;
    if (!finder->isns_runs)
        close_udp(finder);
    lb_report_end(finder->common->report, now_us, finder->isns_step,
                  has_answer && found > 0 ? LB_DONE_OK : LB_DONE_FAILED, "%s",
                  has_answer ? "" : lb_code_word(lb_isns_client_error(client)->code));
    if (has_answer && has_candidate)
        finder->isns_next = finder->isns_count; /* the others would say the same */
}

/* ---- carrying out --------------------------------------------------------------------------- */

enum lb_turn lb_finder_isns_turn(struct lb_finder *finder, uint64_t now_us, bool has_candidate,
                                 struct lb_boot_action *action) {
    if (finder->isns_waits) {
        ask(finder, now_us, server(finder)->at);
        return finder->isns_waits ? LB_TURN_IDLE : LB_TURN_AGAIN;
    }
    if (!finder->isns_runs) {
        if (finder->isns_next == finder->isns_count || finder->isns_resolves)
            return LB_TURN_IDLE;
        ask_next(finder, now_us);
        return LB_TURN_AGAIN;
    }
    struct lb_isns_action did = lb_isns_client_poll(&finder->isns, now_us);
    switch (did.event) {
    case LB_ISNS_WAIT:
        lb_until(finder->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_ISNS_CONNECT:
        finder->isns_open = true;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_CONNECT,
            .slot = LB_BOOT_SLOT_ISNS,
            .from = {.addr = lb_shield_local(finder->shield, did.to.addr)},
            .to = did.to,
            .is_protected = lb_shield_covers(finder->shield, true),
        };
        return LB_TURN_ACT;
    case LB_ISNS_CLOSE:
        if (!finder->isns_open)
            return LB_TURN_AGAIN;
        finder->isns_open = false;
        *action = (struct lb_boot_action){.event = LB_BOOT_CLOSE, .slot = LB_BOOT_SLOT_ISNS};
        return LB_TURN_ACT;
    case LB_ISNS_SEND:
        *action = (struct lb_boot_action){
            .event = LB_BOOT_SEND, .slot = LB_BOOT_SLOT_ISNS_UDP, .bytes = did.bytes, .to = did.to};
        return LB_TURN_ACT;
    case LB_ISNS_FOUND:
        take_found(finder, did.found);
        return LB_TURN_AGAIN;
    case LB_ISNS_DONE:
    case LB_ISNS_FAILED:
        if (finder->isns_withdraws)
            withdrawn(finder);
        else
            server_ended(finder, now_us, did.event == LB_ISNS_DONE, has_candidate);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

bool lb_finder_isns_runs(const struct lb_finder *finder) {
    return finder->isns_runs || finder->isns_resolves || finder->isns_waits ||
           finder->isns_next < finder->isns_count;
}

void lb_finder_isns_stop(struct lb_finder *finder, uint64_t now_us) {
    if (finder->isns_resolves)
        note_server(finder, now_us, "not resolved in time");
    if (finder->isns_waits) {
        struct lb_error why = {.code = LB_OK};
        lb_shield_why(finder->shield, server(finder)->at.addr, &why);
        note_unprotected(finder, now_us, &why);
    }
    if (finder->isns_runs && !finder->isns_withdraws) {
        bool has_found = lb_isns_client_counts(&finder->isns)->found > 0;
        lb_report_end(finder->common->report, now_us, finder->isns_step,
                      has_found ? LB_DONE_OK : LB_DONE_FAILED, "%s",
                      has_found ? "" : "no answer in time");
        if (!has_found)
            note_server(finder, now_us, "no answer in time");
    }
    if (finder->isns_open)
        lb_ask(finder->common, LB_BOOT_CLOSE)->slot = LB_BOOT_SLOT_ISNS;
    close_udp(finder);
    finder->isns_open = finder->isns_runs = finder->isns_resolves = false;
    finder->isns_waits = false;
    finder->isns_next = finder->isns_count;
}
