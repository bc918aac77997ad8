/* The DHCPv6 server, as a pure machine: RFC 8415 18.3. It serves one link, and no relays.
 *
 * A binding, one IA_NA of one client:
 *
 *              Solicit                 Request, or rapid commit
 *     FREE ---------------> OFFERED --------------------------> LEASED --+ Renew, Rebind
 *      ^                       |                               |  |  ^   |
 *      | its time is over      |                               |  |  +---+
 *      +-----------------------+--- Release, its time is over -+  |
 *      |                                                          | Decline
 *      +------------------------------------------ DECLINED <-----+
 */
#include "core/dhcp6/dhcp6_wire.h"

#define PREFERRED_S 3600
#define VALID_S     7200
#define OFFER_US    (60 * LB_US_SEC) /* how long an offered address is kept for its client */
#define IAS_MAX     4                /* of one message; more are left without an answer */

/* A request on its way to its answer. */
struct exchange {
    struct lb_dhcp6_server *server;
    uint64_t now_us;
    const struct lb_dhcp6_message *request;
    struct lb_endpoint from;
    struct lb_duid client;
    bool has_client, has_server, is_ours; /* identifiers in the request; is_ours: it is for us */
    const struct lb_dhcp6_host *host;     /* the client's entry, or NULL */
    uint8_t type;                         /* of the answer */
    struct lb_wr wr;
};

/* ---- bindings ---- */

static bool is_alive(const struct lb_dhcp6_binding *binding, uint64_t now_us) {
    return now_us < binding->until_us;
}

static struct lb_dhcp6_binding *find_binding(const struct exchange *x, uint32_t iaid) {
    struct lb_dhcp6_server *server = x->server;
    for (size_t i = 0; i < server->binding_cap; i++) {
        struct lb_dhcp6_binding *binding = &server->bindings[i];
        if (!binding->declined && binding->iaid == iaid && binding->client.len > 0 &&
            lb_duid_equal(&binding->client, &x->client))
            return binding;
    }
    return NULL;
}

static const struct lb_dhcp6_host *find_host(const struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    for (size_t i = 0; i < config->host_count; i++) {
        const struct lb_dhcp6_host *host = &config->hosts[i];
        if (host->duid.len == 0 || (x->has_client && lb_duid_equal(&host->duid, &x->client)))
            return host;
    }
    return NULL;
}

/* Whether nothing speaks against giving this address to the owner of `binding` (may be NULL). */
static bool is_available(const struct exchange *x, const struct lb_dhcp6_binding *binding,
                         struct lb_addr address) {
    const struct lb_dhcp6_server *server = x->server;
    for (size_t i = 0; i < server->config.host_count; i++) {
        const struct lb_dhcp6_host *host = &server->config.hosts[i];
        if (host != x->host && lb_addr_equal(host->address, address))
            return false;
    }
    for (size_t i = 0; i < server->binding_cap; i++) {
        const struct lb_dhcp6_binding *other = &server->bindings[i];
        if (other != binding && is_alive(other, x->now_us) &&
            lb_addr_equal(other->address, address))
            return false;
    }
    return true;
}

/* Pools lie in the lower half of one network's addresses. */
static uint64_t number_of(struct lb_addr addr) {
    struct lb_rd rd = lb_rd(lb_bytes(addr.bytes + 8, 8));
    return lb_rd_u64(&rd);
}

static struct lb_addr addr_of(struct lb_addr first, uint64_t number) {
    struct lb_wr wr = lb_wr(lb_span(first.bytes + 8, 8));
    lb_wr_u64(&wr, number);
    return first;
}

static bool is_in_pool(const struct lb_dhcp6_server_config *config, struct lb_addr address) {
    return lb_addr_is_set(config->first) && memcmp(address.bytes, config->first.bytes, 8) == 0 &&
           number_of(address) >= number_of(config->first) &&
           number_of(address) <= number_of(config->last);
}

/* The address the client has or had, its host entry's, or a free one. The pool is searched no
 * further than there can be obstacles in it. */
static bool choose_address(const struct exchange *x, const struct lb_dhcp6_binding *binding,
                           struct lb_addr *address) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    if (x->host && lb_addr_is_set(x->host->address) && is_available(x, binding, x->host->address)) {
        *address = x->host->address;
        return true;
    }
    if (binding && is_in_pool(config, binding->address) &&
        is_available(x, binding, binding->address)) {
        *address = binding->address;
        return true;
    }
    if (!lb_addr_is_set(config->first))
        return false;
    size_t tries = x->server->binding_cap + config->host_count + 1;
    for (uint64_t number = number_of(config->first); number <= number_of(config->last) && tries > 0;
         number++, tries--) {
        *address = addr_of(config->first, number);
        if (is_available(x, binding, *address))
            return true;
    }
    return false;
}

static struct lb_dhcp6_binding *free_binding(const struct exchange *x) {
    for (size_t i = 0; i < x->server->binding_cap; i++) {
        if (!is_alive(&x->server->bindings[i], x->now_us))
            return &x->server->bindings[i];
    }
    return NULL;
}

static uint32_t valid_s(const struct lb_dhcp6_server_config *config) {
    return config->valid_s ? config->valid_s : VALID_S;
}

static uint32_t preferred_s(const struct lb_dhcp6_server_config *config) {
    return LB_MIN(config->preferred_s ? config->preferred_s : PREFERRED_S, valid_s(config));
}

static uint64_t lease_end_us(const struct exchange *x) {
    uint32_t seconds = valid_s(&x->server->config);
    return seconds == LB_DHCP6_INFINITE ? LB_NEVER : x->now_us + seconds * LB_US_SEC;
}

/* Gives the IA an address, for good or as an offer; NULL: there is none. */
static const struct lb_dhcp6_binding *assign(const struct exchange *x, uint32_t iaid, bool lease) {
    struct lb_dhcp6_binding *binding = find_binding(x, iaid);
    struct lb_addr address;
    if (x->server->config.no_addresses || !choose_address(x, binding, &address))
        return NULL;
    if (!binding)
        binding = free_binding(x);
    if (!binding)
        return NULL;
    bool keep =
        binding->leased && is_alive(binding, x->now_us) && lb_addr_equal(binding->address, address);
    uint64_t until_us = lease ? lease_end_us(x) : x->now_us + OFFER_US;
    *binding = (struct lb_dhcp6_binding){
        .client = x->client,
        .iaid = iaid,
        .address = address,
        .leased = lease || keep,
        .until_us = keep && !lease ? LB_MAX(until_us, binding->until_us) : until_us,
    };
    return binding;
}

/* ---- the parts of an answer ---- */

static void begin_answer(struct exchange *x, uint8_t type) {
    x->type = type;
    lb_dhcp6_put_header(&x->wr, type, x->request->xid);
    lb_dhcp6_put_duid(&x->wr, LB_OPT6_SERVER_ID, &x->server->config.duid);
    if (x->has_client)
        lb_dhcp6_put_duid(&x->wr, LB_OPT6_CLIENT_ID, &x->client);
}

static void put_lease(struct exchange *x, uint32_t iaid, struct lb_addr address) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    size_t opened = lb_dhcp6_open_ia(&x->wr, iaid, config->t1_s, config->t2_s);
    lb_dhcp6_put_iaaddr(&x->wr, address, preferred_s(config), valid_s(config));
    lb_dhcp6_close(&x->wr, opened);
}

static void put_refusal(struct exchange *x, uint32_t iaid, enum lb_dhcp6_status status,
                        const char *text) {
    size_t opened = lb_dhcp6_open_ia(&x->wr, iaid, 0, 0);
    lb_dhcp6_put_status(&x->wr, (uint16_t)status, text);
    lb_dhcp6_close(&x->wr, opened);
}

/* RFC 8415 18.3.4: what the client has to stop using. */
static void put_end(struct exchange *x, const struct lb_dhcp6_ia *ia) {
    size_t opened = lb_dhcp6_open_ia(&x->wr, ia->iaid, 0, 0);
    for (size_t i = 0; i < ia->addr_count; i++)
        lb_dhcp6_put_iaaddr(&x->wr, ia->addrs[i].addr, 0, 0);
    lb_dhcp6_close(&x->wr, opened);
}

static bool wants(const struct exchange *x, uint16_t code) {
    struct lb_bytes list;
    if (!lb_dhcp6_find(x->request->options, LB_OPT6_ORO, &list))
        return false;
    for (struct lb_rd rd = lb_rd(list); rd.left > 1;) {
        if (lb_rd_u16(&rd) == code)
            return true;
    }
    return false;
}

static void put_wanted_u32(struct exchange *x, uint16_t code, uint32_t value) {
    if (value && wants(x, code))
        lb_dhcp6_put_u32(&x->wr, code, value);
}

static void put_network(struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    if (config->dns_count > 0 && wants(x, LB_OPT6_DNS)) {
        size_t opened = lb_dhcp6_open(&x->wr, LB_OPT6_DNS);
        for (size_t i = 0; i < config->dns_count; i++)
            lb_wr_addr(&x->wr, config->dns[i]);
        lb_dhcp6_close(&x->wr, opened);
    }
    if (config->search && wants(x, LB_OPT6_SEARCH))
        lb_dhcp6_put_search(&x->wr, config->search);
}

static void put_boot(struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    struct lb_bytes root_path =
        x->host && x->host->root_path.len > 0 ? x->host->root_path : config->root_path;
    if (root_path.len > 0 && wants(x, LB_OPT6_BOOT_URL))
        lb_dhcp6_put(&x->wr, LB_OPT6_BOOT_URL, root_path);
    if (config->boot_params.len > 0 && wants(x, LB_OPT6_BOOT_PARAMS))
        lb_dhcp6_put(&x->wr, LB_OPT6_BOOT_PARAMS, config->boot_params);
    lb_wr_bytes(&x->wr, config->options);
}

/* RFC 8415 20.4.2. */
static void put_reconfigure_key(struct exchange *x) {
    struct lb_dhcp6_server *server = x->server;
    struct lb_bytes accept;
    if (server->config.reconfigure_key.len > 0 && x->type == LB_DHCP6_REPLY &&
        lb_dhcp6_find(x->request->options, LB_OPT6_RECONF_ACCEPT, &accept)) {
        lb_dhcp6_put(&x->wr, LB_OPT6_RECONF_ACCEPT, lb_bytes(accept.p, 0));
        lb_dhcp6_put_key(&x->wr, ++server->replay, server->config.reconfigure_key);
    }
}

/* What every answer has that gives something. */
static struct lb_bytes end_answer(struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    if (config->preference && x->type == LB_DHCP6_ADVERTISE)
        lb_dhcp6_put_u8(&x->wr, LB_OPT6_PREFERENCE, config->preference);
    put_network(x);
    put_boot(x);
    put_wanted_u32(x, LB_OPT6_SOL_MAX_RT, config->sol_max_rt_s);
    put_wanted_u32(x, LB_OPT6_REFRESH, config->refresh_s);
    put_reconfigure_key(x);
    lb_trace(config->trace, x->now_us, "dhcp6-server", "%s to %s", lb_dhcp6_type_word(x->type),
             lb_endpoint_text(x->from).s);
    return lb_wr_done(&x->wr);
}

static struct lb_bytes ignore(const struct exchange *x, const char *why) {
    lb_trace(x->server->config.trace, x->now_us, "dhcp6-server", "ignored from %s: %s",
             lb_endpoint_text(x->from).s, why);
    return lb_bytes(x->wr.start, 0);
}

/* ---- requests ---- */

/* The next IA_NA of the request that is not malformed. */
static bool next_ia(struct lb_rd *rd, struct lb_dhcp6_ia *ia) {
    struct lb_bytes value;
    uint16_t code;
    while (lb_dhcp6_next(rd, &code, &value)) {
        if (code == LB_OPT6_IA_NA && lb_dhcp6_read_ia(value, ia))
            return true;
    }
    return false;
}

/* Each IA_NA gets an address, for good or as an offer. */
static void put_assigned(struct exchange *x, bool lease) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    for (size_t i = 0; i < IAS_MAX && next_ia(&rd, &ia); i++) {
        const struct lb_dhcp6_binding *binding = assign(x, ia.iaid, lease);
        if (binding)
            put_lease(x, ia.iaid, binding->address);
        else
            put_refusal(x, ia.iaid, LB_DHCP6_NO_ADDRS_AVAIL, "no address is free");
    }
}

static struct lb_bytes on_solicit(struct exchange *x) {
    struct lb_bytes none;
    bool rapid = x->server->config.rapid_commit && !x->server->config.no_addresses &&
                 lb_dhcp6_find(x->request->options, LB_OPT6_RAPID_COMMIT, &none);
    begin_answer(x, rapid ? LB_DHCP6_REPLY : LB_DHCP6_ADVERTISE);
    if (rapid)
        lb_dhcp6_put(&x->wr, LB_OPT6_RAPID_COMMIT, lb_bytes(none.p, 0));
    put_assigned(x, rapid);
    return end_answer(x);
}

/* RFC 8415 18.3.2: an address of another link is refused as a whole. */
static bool is_on_link(const struct exchange *x) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    for (size_t i = 0; i < IAS_MAX && next_ia(&rd, &ia); i++) {
        for (size_t at = 0; at < ia.addr_count; at++) {
            if (!lb_prefix_has(x->server->config.network, ia.addrs[at].addr))
                return false;
        }
    }
    return true;
}

static struct lb_bytes on_request(struct exchange *x) {
    begin_answer(x, LB_DHCP6_REPLY);
    if (!is_on_link(x)) {
        lb_dhcp6_put_status(&x->wr, LB_DHCP6_NOT_ON_LINK, "not of this link");
        return lb_wr_done(&x->wr);
    }
    put_assigned(x, true);
    return end_answer(x);
}

/* RFC 8415 18.3.3: only whether the addresses fit the link. */
static struct lb_bytes on_confirm(struct exchange *x) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    if (!next_ia(&rd, &ia) || ia.addr_count == 0)
        return ignore(x, "a Confirm without addresses");
    begin_answer(x, LB_DHCP6_REPLY);
    if (is_on_link(x))
        lb_dhcp6_put_status(&x->wr, LB_DHCP6_SUCCESS, "of this link");
    else
        lb_dhcp6_put_status(&x->wr, LB_DHCP6_NOT_ON_LINK, "not of this link");
    return lb_wr_done(&x->wr);
}

static bool names(const struct lb_dhcp6_ia *ia, struct lb_addr address) {
    size_t i = 0;
    while (i < ia->addr_count && !lb_addr_equal(ia->addrs[i].addr, address))
        i++;
    return i < ia->addr_count;
}

/* The client's binding if it still is one and the IA speaks of it. */
static struct lb_dhcp6_binding *leased_binding(const struct exchange *x,
                                               const struct lb_dhcp6_ia *ia) {
    struct lb_dhcp6_binding *binding = find_binding(x, ia->iaid);
    bool holds = binding && binding->leased && is_available(x, binding, binding->address) &&
                 (ia->addr_count == 0 || names(ia, binding->address));
    return holds ? binding : NULL;
}

/* RFC 8415 18.3.4. */
static struct lb_bytes on_renew(struct exchange *x) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    begin_answer(x, LB_DHCP6_REPLY);
    for (size_t i = 0; i < IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_dhcp6_binding *binding = leased_binding(x, &ia);
        if (binding) {
            binding->until_us = lease_end_us(x);
            put_lease(x, ia.iaid, binding->address);
        } else {
            put_refusal(x, ia.iaid, LB_DHCP6_NO_BINDING, "nothing is known of this address");
        }
    }
    return end_answer(x);
}

/* RFC 8415 18.3.5: of what is unknown a server says only that it does not fit the link. */
static struct lb_bytes on_rebind(struct exchange *x) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    bool knows = false, is_elsewhere = !is_on_link(x);
    begin_answer(x, LB_DHCP6_REPLY);
    for (size_t i = 0; i < IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_dhcp6_binding *binding = leased_binding(x, &ia);
        if (binding) {
            binding->until_us = lease_end_us(x);
            put_lease(x, ia.iaid, binding->address);
            knows = true;
        } else if (is_elsewhere) {
            put_end(x, &ia);
        }
    }
    return knows || is_elsewhere ? end_answer(x) : ignore(x, "no record of this client");
}

/* RFC 8415 18.3.7, 18.3.8: the record of a Release stays, so that the client may have the same
 * address again; a declined address is put aside for as long as a lease. */
static struct lb_bytes on_end(struct exchange *x, bool is_declined) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    begin_answer(x, LB_DHCP6_REPLY);
    for (size_t i = 0; i < IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_dhcp6_binding *binding = leased_binding(x, &ia);
        if (!binding) {
            put_refusal(x, ia.iaid, LB_DHCP6_NO_BINDING, "nothing is known of this address");
            continue;
        }
        binding->leased = false;
        binding->declined = is_declined;
        binding->until_us = is_declined ? lease_end_us(x) : x->now_us;
    }
    lb_dhcp6_put_status(&x->wr, LB_DHCP6_SUCCESS, is_declined ? "put aside" : "released");
    return lb_wr_done(&x->wr);
}

static struct lb_bytes on_information_request(struct exchange *x) {
    begin_answer(x, LB_DHCP6_REPLY);
    return end_answer(x);
}

/* RFC 8415 16: why a message is dropped, or NULL. */
static const char *check_request(const struct exchange *x, uint8_t type) {
    bool is_to_one = type == LB_DHCP6_REQUEST || type == LB_DHCP6_RENEW ||
                     type == LB_DHCP6_RELEASE || type == LB_DHCP6_DECLINE;
    if (type != LB_DHCP6_INFORMATION_REQUEST && !x->has_client)
        return "no client identifier";
    if (is_to_one && !x->has_server)
        return "no server identifier";
    if (x->has_server && !x->is_ours)
        return "to another server";
    if (!is_to_one && x->has_server && type != LB_DHCP6_INFORMATION_REQUEST)
        return "a server identifier where none belongs";
    if (x->server->config.stateless && type != LB_DHCP6_INFORMATION_REQUEST)
        return "addresses are not given here";
    return NULL;
}

static struct lb_bytes dispatch(struct exchange *x) {
    switch (x->request->type) {
    case LB_DHCP6_SOLICIT:
        return on_solicit(x);
    case LB_DHCP6_REQUEST:
        return on_request(x);
    case LB_DHCP6_CONFIRM:
        return on_confirm(x);
    case LB_DHCP6_RENEW:
        return on_renew(x);
    case LB_DHCP6_REBIND:
        return on_rebind(x);
    case LB_DHCP6_RELEASE:
        return on_end(x, false);
    case LB_DHCP6_DECLINE:
        return on_end(x, true);
    case LB_DHCP6_INFORMATION_REQUEST:
        return on_information_request(x);
    default: /* a byte of the wire, not an enum */
        return ignore(x, "not for servers");
    }
}

void lb_dhcp6_server_init(struct lb_dhcp6_server *server,
                          const struct lb_dhcp6_server_config *config,
                          struct lb_dhcp6_binding *bindings, size_t binding_cap) {
    lb_assert(config->duid.len > 0 && config->duid.len <= sizeof config->duid.bytes);
    memset(bindings, 0, binding_cap * sizeof *bindings);
    *server = (struct lb_dhcp6_server){
        .config = *config, .bindings = bindings, .binding_cap = binding_cap};
}

struct lb_bytes lb_dhcp6_server_input(struct lb_dhcp6_server *server, uint64_t now_us,
                                      struct lb_endpoint from, struct lb_bytes payload,
                                      struct lb_span room) {
    struct lb_dhcp6_message request;
    struct lb_duid duid;
    struct exchange x = {
        .server = server, .now_us = now_us, .request = &request, .from = from, .wr = lb_wr(room)};
    const char *why = NULL;
    if (!lb_dhcp6_decode(payload, &request, &why))
        return ignore(&x, why);
    struct lb_bytes value;
    x.has_client = lb_dhcp6_find_duid(request.options, LB_OPT6_CLIENT_ID, &x.client);
    x.has_server = lb_dhcp6_find(request.options, LB_OPT6_SERVER_ID, &value);
    x.is_ours = lb_dhcp6_find_duid(request.options, LB_OPT6_SERVER_ID, &duid) &&
                lb_duid_equal(&duid, &server->config.duid);
    x.host = find_host(&x);
    why = check_request(&x, request.type);
    return why ? ignore(&x, why) : dispatch(&x);
}

struct lb_bytes lb_dhcp6_server_reconfigure(struct lb_dhcp6_server *server,
                                            const struct lb_duid *client, uint8_t message,
                                            struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    lb_dhcp6_put_header(&wr, LB_DHCP6_RECONFIGURE, 0);
    lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server->config.duid);
    lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, client);
    lb_dhcp6_put_u8(&wr, LB_OPT6_RECONF_MSG, message);
    lb_dhcp6_put_mac(&wr, ++server->replay, server->config.reconfigure_key);
    return lb_wr_done(&wr);
}
