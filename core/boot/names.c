/* Names: they are looked up one at a time, in the order in which they were asked for. The machine's
 * own hosts file is read first, then core/dns asks the servers. */
#include "core/boot/names.h"
#include "core/boot/network.h"

static const struct lb_boot_machine nothing;

static const struct lb_boot_machine *machine(const struct lb_names *names) {
    return names->machine != NULL ? names->machine : &nothing;
}

void lb_names_init(struct lb_names *names, struct lb_common *common,
                   const struct lb_boot_machine *machine_or_null) {
    names->common = common;
    names->machine = machine_or_null;
}

/* ---- whom to ask, and how ---- */

static void add_server(struct lb_dns_config *config, struct lb_addr addr) {
    if (config->server_count < LB_COUNT(config->servers) && lb_addr_is_set(addr))
        config->servers[config->server_count++].addr = addr;
}

static void add_all(struct lb_dns_config *config, const struct lb_addr *addrs, size_t count) {
    for (size_t i = 0; i < count; i++)
        add_server(config, addrs[i]);
}

/* A person's servers stand above those of the network, and these above the machine's own. */
static void add_servers(const struct lb_names *names, const struct lb_boot_net *net,
                        struct lb_dns_config *config) {
    struct lb_bytes list =
        lb_bytes_of_text(lb_config_text(names->common->plan->config, LB_KEY_DNS));
    struct lb_bytes item;
    struct lb_addr addr;
    while (lb_list_next(&list, ',', &item))
        if (lb_addr_parse(item, &addr))
            add_server(config, addr);
    if (config->server_count == 0)
        add_all(config, net->dns, net->dns_count);
    if (config->server_count == 0)
        add_all(config, machine(names)->dns, machine(names)->dns_count);
}

static const char *search_list(const struct lb_names *names, const struct lb_boot_net *net) {
    if (lb_config_is_set(names->common->plan->config, LB_KEY_DOMAIN) && net->search[0] == '\0')
        return lb_config_text(names->common->plan->config, LB_KEY_DOMAIN);
    if (net->search[0] != '\0')
        return net->search;
    return net->domain[0] != '\0' ? net->domain : machine(names)->search;
}

/* NONE: both. The addresses of a family that this machine does not have are of no use. */
static enum lb_family wanted_family(const struct lb_names *names, const struct lb_boot_net *net) {
    if (names->common->plan->family != LB_FAMILY_NONE)
        return names->common->plan->family;
    bool has4 = lb_net_has_family(net, LB_V4), has6 = lb_net_has_family(net, LB_V6);
    if (names->common->plan->network_is_up || has4 == has6)
        return LB_FAMILY_NONE;
    return has4 ? LB_V4 : LB_V6;
}

static void ask_servers(struct lb_names *names, uint64_t now_us, const struct lb_boot_net *net,
                        const char *name) {
    struct lb_dns_config config = {.family = wanted_family(names, net)};
    add_servers(names, net, &config);
    lb_text_copy(config.search, sizeof config.search, lb_bytes_of_text(search_list(names, net)));
    lb_dns_client_init(&names->dns, now_us, &config, name, names->common->rand,
                       names->common->trace);
    names->runs = true;
}

/* ---- the end of a lookup ---- */

static void close_slot(struct lb_names *names, bool *is_open, uint32_t slot) {
    if (*is_open)
        lb_ask(names->common, LB_BOOT_CLOSE)->slot = slot;
    *is_open = false;
}

static void stop(struct lb_names *names) {
    close_slot(names, &names->is_open4, LB_BOOT_SLOT_DNS4);
    close_slot(names, &names->is_open6, LB_BOOT_SLOT_DNS6);
    close_slot(names, &names->is_open_tcp, LB_BOOT_SLOT_DNS_TCP);
    names->runs = names->has_send = false;
}

static void answer(struct lb_names *names, const struct lb_addr *addrs, size_t count,
                   const char *why, struct lb_names_answer *out) {
    *out = (struct lb_names_answer){.requester = names->lookups[0].requester,
                                    .count = LB_MIN(count, LB_PORTALS_MAX)};
    for (size_t i = 0; i < out->count; i++)
        out->addrs[i] = addrs[i];
    lb_format(out->why, sizeof out->why, "%s", why);
    lb_names_cancel(names, out->requester);
}

static void dns_ended(struct lb_names *names, struct lb_names_answer *out) {
    char why[LB_FACTS_MAX];
    struct lb_text text = lb_text(why, sizeof why);
    size_t count;
    const struct lb_addr *addrs = lb_dns_client_addrs(&names->dns, &count);
    lb_dns_client_explain(&names->dns, &text);
    answer(names, addrs, count, why, out);
}

/* ---- turns ---- */

/* Whether there is an answer at once. */
static bool begin(struct lb_names *names, uint64_t now_us, const struct lb_boot_net *net,
                  struct lb_names_answer *out) {
    const char *name = names->lookups[0].name;
    struct lb_addr addrs[LB_PORTALS_MAX];
    size_t count = lb_dns_hosts_find(machine(names)->hosts, name, addrs, LB_COUNT(addrs));
    if (count > 0)
        answer(names, addrs, count, "in the hosts file", out);
    else
        ask_servers(names, now_us, net, name);
    return count > 0;
}

/* The datagram goes out, after its socket was opened. */
static enum lb_turn send_turn(struct lb_names *names, struct lb_boot_action *action) {
    static const uint8_t any6[16];
    bool is_v6 = names->send.to.addr.family == LB_V6;
    bool *is_open = is_v6 ? &names->is_open6 : &names->is_open4;
    *action = (struct lb_boot_action){
        .event = *is_open ? LB_BOOT_SEND : LB_BOOT_OPEN,
        .kind = LB_KIND_UDP,
        .slot = is_v6 ? LB_BOOT_SLOT_DNS6 : LB_BOOT_SLOT_DNS4,
        .from.addr = is_v6 ? lb_addr_v6_bytes(any6) : lb_addr_v4(0, 0, 0, 0),
        .to = names->send.to,
        .bytes = names->send.bytes,
    };
    names->has_send = !*is_open;
    *is_open = true;
    return LB_TURN_ACT;
}

static enum lb_turn dns_turn(struct lb_names *names, uint64_t now_us, struct lb_boot_action *action,
                             struct lb_names_answer *out, bool *has_answer) {
    struct lb_dns_action did = lb_dns_client_poll(&names->dns, now_us);
    switch (did.event) {
    case LB_DNS_WAIT:
        lb_until(names->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_DNS_SEND:
        names->send = did;
        return send_turn(names, action);
    case LB_DNS_CONNECT:
        names->is_open_tcp = true;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_CONNECT, .slot = LB_BOOT_SLOT_DNS_TCP, .to = did.to};
        return LB_TURN_ACT;
    case LB_DNS_CLOSE:
        names->is_open_tcp = false;
        *action = (struct lb_boot_action){.event = LB_BOOT_CLOSE, .slot = LB_BOOT_SLOT_DNS_TCP};
        return LB_TURN_ACT;
    case LB_DNS_DONE:
    case LB_DNS_FAILED:
        dns_ended(names, out);
        *has_answer = true;
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

enum lb_turn lb_names_turn(struct lb_names *names, uint64_t now_us, const struct lb_boot_net *net,
                           struct lb_boot_action *action, struct lb_names_answer *out,
                           bool *has_answer) {
    if (names->has_send)
        return send_turn(names, action);
    if (names->runs)
        return dns_turn(names, now_us, action, out, has_answer);
    if (names->lookup_count == 0)
        return LB_TURN_IDLE;
    *has_answer = begin(names, now_us, net, out);
    return LB_TURN_AGAIN;
}

/* ---- what is asked for ---- */

void lb_names_cancel(struct lb_names *names, enum lb_requester requester) {
    size_t kept = 0;
    if (names->lookup_count > 0 && names->lookups[0].requester == requester)
        stop(names);
    for (size_t i = 0; i < names->lookup_count; i++)
        if (names->lookups[i].requester != requester)
            names->lookups[kept++] = names->lookups[i];
    names->lookup_count = kept;
}

void lb_names_ask(struct lb_names *names, enum lb_requester requester, const char *name) {
    lb_names_cancel(names, requester);
    lb_assert(names->lookup_count < LB_REQUESTERS);
    names->lookups[names->lookup_count++] =
        (struct lb_lookup){.requester = requester, .name = name};
}

/* ---- the host's word about the slots ---- */

bool lb_names_has_slot(uint32_t slot) {
    return slot == LB_BOOT_SLOT_DNS4 || slot == LB_BOOT_SLOT_DNS6 || slot == LB_BOOT_SLOT_DNS_TCP;
}

static bool is_stream(const struct lb_names *names, uint32_t slot) {
    return slot == LB_BOOT_SLOT_DNS_TCP && names->runs;
}

void lb_names_datagram(struct lb_names *names, uint64_t now_us, struct lb_endpoint from,
                       struct lb_bytes bytes) {
    if (names->runs)
        lb_dns_client_input(&names->dns, now_us, from, bytes);
}

void lb_names_connected(struct lb_names *names, uint64_t now_us, uint32_t slot) {
    if (is_stream(names, slot))
        lb_dns_client_connected(&names->dns, now_us);
}

void lb_names_lost(struct lb_names *names, uint64_t now_us, uint32_t slot) {
    if (!is_stream(names, slot))
        return;
    names->is_open_tcp = false;
    lb_dns_client_lost(&names->dns, now_us);
}

size_t lb_names_where(struct lb_names *names, uint32_t slot, struct lb_span spans[2]) {
    if (!is_stream(names, slot))
        return 0;
    spans[0] = lb_dns_client_where(&names->dns);
    return spans[0].len > 0 ? 1 : 0;
}

void lb_names_got(struct lb_names *names, uint64_t now_us, uint32_t slot, size_t len) {
    if (is_stream(names, slot) && lb_dns_client_where(&names->dns).len >= len)
        lb_dns_client_got(&names->dns, now_us, len);
}

size_t lb_names_gather(struct lb_names *names, uint32_t slot, struct lb_bytes *pieces, size_t cap) {
    if (!is_stream(names, slot) || cap == 0)
        return 0;
    pieces[0] = lb_dns_client_gather(&names->dns);
    return pieces[0].len > 0 ? 1 : 0;
}

void lb_names_sent(struct lb_names *names, uint64_t now_us, uint32_t slot, size_t len) {
    if (is_stream(names, slot) && lb_dns_client_gather(&names->dns).len >= len)
        lb_dns_client_sent(&names->dns, now_us, len);
}
