/* The DHCPv6 server, as a pure machine: RFC 8415 18.3. It serves one link; what
 * relays put around a message is taken off before: dhcp6_relay.h.
 *
 * A binding, one IA_NA of one client:
 *
 *              Solicit                 Request, or rapid commit
 *     FREE ---------------> OFFERED --------------------------> LEASED --+ Renew, Rebind
 *      ^                       |                               |  |  ^   |
 *      | its time is over      |                               |  |  +---+
 *      +-----------------------+--- Release, its time is over -+  |
 *      |                                                          | Decline
 *      +------------------------------------------ DECLINED <-----+ */
#include "core/dhcp6/dhcp6_wire.h"

#define PREFERRED_S 3600
#define VALID_S     7200
#define OFFER_US    (60 * LB_US_SEC) /* how long an offered address is kept for its client */
#define ENTRY_IAID  UINT32_MAX       /* of the owner of an entry's address, beside its DUID */

/* A request on its way to its answer. */
struct exchange {
    struct lb_dhcp6_server *server;
    uint64_t now_us;
    const struct lb_dhcp6_message *request;
    struct lb_endpoint from;
    struct lb_duid client;
    bool has_client, has_server, is_ours; /* identifiers in the request; is_ours: it is for us */
    const struct lb_dhcp6_host *host;     /* the client's entry, or NULL */
    bool is_claimed;                      /* an IA has the entry's address */
    uint8_t type;                         /* of the answer */
    struct lb_dhcp6_reply reply;          /* what has changed so far */
    struct lb_wr wr;
    bool is_signed;         /* the answer is authenticated, by this key */
    struct lb_dhcp_key key; /* wiped at the end */
};

/* ---- bindings ---- */

/* What an IA_NA of the request asks for, and in whose name. A client may have several: a binding is
 * of one. */
struct claim {
    struct lb_duid duid;
    uint32_t iaid;
    bool is_fixed; /* for the address of the host's entry */
    struct lb_binding *binding;
};

struct owner {
    uint8_t bytes[LB_DUID_MAX + 4];
};

static struct lb_bytes name_owner(const struct claim *claim, struct owner *owner) {
    struct lb_wr wr = lb_wr(lb_span(owner->bytes, sizeof owner->bytes));
    lb_wr_bytes(&wr, lb_bytes(claim->duid.bytes, claim->duid.len));
    lb_wr_u32(&wr, claim->iaid);
    return lb_wr_done(&wr);
}

static struct claim claim_by(const struct exchange *x, const struct lb_duid *duid, uint32_t iaid) {
    struct claim claim = {.duid = *duid, .iaid = iaid};
    struct owner owner;
    if (duid->len > 0)
        claim.binding = lb_bindings_find(&x->server->table, name_owner(&claim, &owner));
    return claim;
}

static struct lb_dhcp6_host *bucket(const struct lb_dhcp6_server *server, const void *key,
                                    size_t len) {
    const struct lb_dhcp6_server_config *config = &server->config;
    return &config->hosts[lb_siphash(&config->hash_key, lb_bytes(key, len)) % config->host_count];
}

static void index_host(struct lb_dhcp6_server *server, uint32_t number) {
    struct lb_dhcp6_host *host = &server->config.hosts[number - 1];
    if (host->duid.len == 0) {
        server->any_host = number;
    } else {
        struct lb_dhcp6_host *head = bucket(server, host->duid.bytes, host->duid.len);
        host->duid_next = head->duid_head;
        head->duid_head = number;
    }
    if (lb_addr_is_set(host->address)) {
        struct lb_dhcp6_host *head = bucket(server, host->address.bytes, 16);
        host->address_next = head->address_head;
        head->address_head = number;
    }
}

/* From the last on, so that the first of two stands before the other. */
static void index_hosts(struct lb_dhcp6_server *server) {
    uint32_t count = (uint32_t)server->config.host_count;
    for (uint32_t i = 0; i < count; i++) {
        struct lb_dhcp6_host *host = &server->config.hosts[i];
        host->duid_head = host->duid_next = host->address_head = host->address_next = 0;
    }
    for (uint32_t number = count; number > 0; number--)
        index_host(server, number);
}

/* The client's own entry, or the one for any client. */
static const struct lb_dhcp6_host *find_host(const struct exchange *x) {
    struct lb_dhcp6_host *hosts = x->server->config.hosts;
    uint32_t at = 0;
    if (x->server->config.host_count > 0 && x->has_client)
        at = bucket(x->server, x->client.bytes, x->client.len)->duid_head;
    for (; at != 0 && !lb_duid_equal(&hosts[at - 1].duid, &x->client); at = hosts[at - 1].duid_next)
        x->server->table.steps++;
    if (at == 0)
        at = x->server->any_host;
    return at == 0 ? NULL : &hosts[at - 1];
}

/* Whether it is the address of another host's entry. */
static bool is_anothers(const struct exchange *x, struct lb_addr address) {
    struct lb_dhcp6_host *hosts = x->server->config.hosts;
    if (x->server->config.host_count == 0)
        return false;
    uint32_t at = bucket(x->server, address.bytes, 16)->address_head;
    for (; at != 0; at = hosts[at - 1].address_next) {
        x->server->table.steps++;
        if (&hosts[at - 1] != x->host && lb_addr_equal(hosts[at - 1].address, address))
            return true;
    }
    return false;
}

static bool has_fixed(const struct exchange *x) {
    return x->host && x->host->duid.len > 0 && lb_addr_is_set(x->host->address);
}

/* Whether nothing speaks against giving it this address. */
static bool is_available(const struct exchange *x, const struct claim *claim,
                         struct lb_addr address) {
    bool is_entrys = has_fixed(x) && lb_addr_equal(x->host->address, address);
    if (is_anothers(x, address) || (is_entrys && !claim->is_fixed))
        return false;
    const struct lb_binding *holder = lb_bindings_holder(&x->server->table, address);
    return holder == NULL || holder == claim->binding || !lb_binding_is_alive(holder, x->now_us);
}

static bool names(const struct lb_dhcp6_ia *ia, struct lb_addr address) {
    size_t i = 0;
    while (i < ia->addr_count && !lb_addr_equal(ia->addrs[i].addr, address))
        i++;
    return i < ia->addr_count;
}

/* Whether an IA asks for the address of the host's entry: it names it, or it is the first and has
 * none yet. */
static bool wants_fixed(const struct exchange *x, const struct lb_dhcp6_ia *ia, bool is_first) {
    bool is_new = ia->addr_count == 0 || x->request->type == LB_DHCP6_SOLICIT;
    return has_fixed(x) && !x->is_claimed && (names(ia, x->host->address) || (is_first && is_new));
}

/* Firmware, loader and system of one machine each have a DUID and IAIDs of their own. Where an
 * entry gives the machine an address, all of them have it: its owner is the entry. */
static struct claim claim_of(struct exchange *x, const struct lb_dhcp6_ia *ia, bool is_first) {
    struct claim own = claim_by(x, &x->client, ia->iaid), fixed;
    if (!wants_fixed(x, ia, is_first))
        return own;
    fixed = claim_by(x, &x->host->duid, ENTRY_IAID);
    fixed.is_fixed = true;
    struct lb_binding *had = own.binding;
    if (had != NULL && had != fixed.binding && lb_addr_equal(had->address, x->host->address)) {
        if (fixed.binding == NULL)
            fixed.binding = had;
        else
            lb_bindings_set_until(&x->server->table, had, x->now_us); /* it gives way */
    }
    x->is_claimed = is_available(x, &fixed, x->host->address);
    return x->is_claimed ? fixed : own;
}

static bool is_in_pool(const struct lb_dhcp6_server_config *config, struct lb_addr address) {
    return lb_pool_has(config->first, config->last, address);
}

/* The address the client has or had, its host entry's, or a free one. */
static bool choose_address(const struct exchange *x, const struct claim *claim,
                           struct lb_addr *address) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    const struct lb_binding *binding = claim->binding;
    if (claim->is_fixed) {
        *address = x->host->address;
        return true;
    }
    if (binding && is_in_pool(config, binding->address) &&
        is_available(x, claim, binding->address)) {
        *address = binding->address;
        return true;
    }
    struct lb_pool_search search = {0};
    if (binding == NULL && !lb_bindings_have_room(&x->server->table, x->now_us))
        return false;
    while (lb_bindings_next_free(&x->server->table, x->now_us, config->first, config->last, &search,
                                 address))
        if (is_available(x, claim, *address))
            return true;
    return false;
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

/* The host is to keep it. */
static void note_change(struct exchange *x, const struct lb_binding *binding) {
    if (x->reply.changed_count < LB_DHCP6_IAS_MAX)
        x->reply.changed[x->reply.changed_count++] = binding;
}

/* Gives the IA an address, for good or as an offer; NULL: there is none. */
static const struct lb_binding *assign(struct exchange *x, const struct claim *claim, bool lease) {
    struct lb_binding *binding = claim->binding;
    struct owner owner;
    struct lb_addr address;
    if (x->server->config.no_addresses || !choose_address(x, claim, &address))
        return NULL;
    bool keep = binding && binding->leased && lb_binding_is_alive(binding, x->now_us) &&
                lb_addr_equal(binding->address, address);
    uint64_t until_us = lease ? lease_end_us(x) : x->now_us + OFFER_US;
    struct lb_binding_terms terms = {
        .client = name_owner(claim, &owner),
        .address = address,
        .leased = lease || keep,
        .until_us = keep && !lease ? LB_MAX(until_us, binding->until_us) : until_us,
    };
    binding = lb_bindings_put(&x->server->table, x->now_us, binding, &terms);
    if (binding && lease)
        note_change(x, binding);
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
    for (size_t i = 0; i < LB_DHCP6_IAS_MAX && next_ia(&rd, &ia); i++) {
        struct claim claim = claim_of(x, &ia, i == 0);
        const struct lb_binding *binding = assign(x, &claim, lease);
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
    for (size_t i = 0; i < LB_DHCP6_IAS_MAX && next_ia(&rd, &ia); i++) {
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

/* The client's binding if it still is one and the IA speaks of it. */
static struct lb_binding *leased_binding(struct exchange *x, const struct lb_dhcp6_ia *ia,
                                         bool is_first) {
    struct claim claim = claim_of(x, ia, is_first);
    struct lb_binding *binding = claim.binding;
    bool holds = binding && binding->leased && is_available(x, &claim, binding->address) &&
                 (ia->addr_count == 0 || names(ia, binding->address));
    return holds ? binding : NULL;
}

/* RFC 8415 18.3.4. */
static struct lb_bytes on_renew(struct exchange *x) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    begin_answer(x, LB_DHCP6_REPLY);
    for (size_t i = 0; i < LB_DHCP6_IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_binding *binding = leased_binding(x, &ia, i == 0);
        if (binding) {
            lb_bindings_set_until(&x->server->table, binding, lease_end_us(x));
            note_change(x, binding);
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
    for (size_t i = 0; i < LB_DHCP6_IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_binding *binding = leased_binding(x, &ia, i == 0);
        if (binding) {
            lb_bindings_set_until(&x->server->table, binding, lease_end_us(x));
            note_change(x, binding);
            put_lease(x, ia.iaid, binding->address);
            knows = true;
        } else if (is_elsewhere) {
            put_end(x, &ia);
        }
    }
    return knows || is_elsewhere ? end_answer(x) : ignore(x, "no record of this client");
}

/* The record of a Release stays, so that the client may have the same address again; a declined
 * address is nobody's, and put aside for as long as a lease. */
static void end_lease(struct exchange *x, struct lb_binding *binding, bool is_declined) {
    struct lb_binding_terms aside = {
        .address = binding->address, .declined = true, .until_us = lease_end_us(x)};
    note_change(x, binding);
    if (is_declined) {
        lb_bindings_put(&x->server->table, x->now_us, binding, &aside);
        return;
    }
    binding->leased = false;
    lb_bindings_set_until(&x->server->table, binding, x->now_us);
}

/* RFC 8415 18.3.7, 18.3.8. */
static struct lb_bytes on_end(struct exchange *x, bool is_declined) {
    struct lb_rd rd = lb_rd(x->request->options);
    struct lb_dhcp6_ia ia;
    begin_answer(x, LB_DHCP6_REPLY);
    for (size_t i = 0; i < LB_DHCP6_IAS_MAX && next_ia(&rd, &ia); i++) {
        struct lb_binding *binding = leased_binding(x, &ia, i == 0);
        if (!binding) {
            put_refusal(x, ia.iaid, LB_DHCP6_NO_BINDING, "nothing is known of this address");
            continue;
        }
        end_lease(x, binding, is_declined);
    }
    lb_dhcp6_put_status(&x->wr, LB_DHCP6_SUCCESS, is_declined ? "put aside" : "released");
    return lb_wr_done(&x->wr);
}

static struct lb_bytes on_information_request(struct exchange *x) {
    begin_answer(x, LB_DHCP6_REPLY);
    return end_answer(x);
}

/* Whether a message of this type is for the one server that it names. */
static bool is_to_one(uint8_t type) {
    return type == LB_DHCP6_REQUEST || type == LB_DHCP6_RENEW || type == LB_DHCP6_RELEASE ||
           type == LB_DHCP6_DECLINE;
}

/* RFC 8415 16: why a message is dropped, or NULL. */
static const char *check_request(const struct exchange *x, uint8_t type) {
    bool names_server = is_to_one(type);
    if (x->server->config.was_unicast && !names_server)
        return "sent to one server, and meant for all";
    if (type != LB_DHCP6_INFORMATION_REQUEST && !x->has_client)
        return "no client identifier";
    if (names_server && !x->has_server)
        return "no server identifier";
    if (x->has_server && !x->is_ours)
        return "to another server";
    if (!names_server && x->has_server && type != LB_DHCP6_INFORMATION_REQUEST)
        return "a server identifier where none belongs";
    if (x->server->config.stateless && type != LB_DHCP6_INFORMATION_REQUEST)
        return "addresses are not given here";
    return NULL;
}

/* ---- authentication: RFC 3315 21.4 ---- */

static bool choose_key(struct exchange *x) {
    struct lb_bytes keys = x->server->config.keys;
    while (lb_dhcp_keys_next(&keys, &x->key))
        if (x->key.realm.len > 0)
            return true;
    return false;
}

static const char *check_proof(struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    struct lb_dhcp6_proof proof;
    const char *why = lb_dhcp6_check_auth(x->request, config->keys, &proof);
    if (why)
        return why;
    x->is_signed = lb_dhcp_keys_find(config->keys, proof.realm, proof.key_id, &x->key);
    uint64_t peer = lb_dhcp_seen_peer(lb_bytes(x->client.bytes, x->client.len), &x->key);
    if (!lb_dhcp_seen_is_new(config->seen, peer, proof.replay))
        return "authenticated, but played again: its replay detection value is not new";
    lb_dhcp_seen_note(config->seen, peer, proof.replay);
    return NULL;
}

/* Why a request does not count where there are keys, or NULL. */
static const char *check_auth(struct exchange *x) {
    const struct lb_dhcp6_server_config *config = &x->server->config;
    uint8_t type = x->request->type;
    struct lb_bytes option;
    if (config->keys.len == 0)
        return NULL;
    if (!lb_dhcp6_find(x->request->options, LB_OPT6_AUTH, &option))
        return config->require_auth ? "not authenticated" : NULL;
    if (type != LB_DHCP6_SOLICIT && type != LB_DHCP6_INFORMATION_REQUEST)
        return check_proof(x);
    x->is_signed = lb_dhcp6_asks_auth(x->request) && choose_key(x);
    return x->is_signed ? NULL : "asks for authentication of a kind that is not ours";
}

/* The answer with its proof, for which everything else must be there. */
static struct lb_bytes sign(struct exchange *x, struct lb_bytes answer) {
    if (answer.len == 0 || !x->is_signed)
        return answer;
    lb_dhcp6_put_auth(&x->wr, ++x->server->replay, &x->key);
    return lb_dhcp6_sign(&x->wr, &x->key) ? lb_wr_done(&x->wr) : lb_bytes(x->wr.start, 0);
}

/* RFC 8415 18.4: this server has never allowed unicast. The client sends it to the group then. */
static struct lb_bytes refuse_unicast(struct exchange *x) {
    begin_answer(x, LB_DHCP6_REPLY);
    lb_dhcp6_put_status(&x->wr, LB_DHCP6_USE_MULTICAST, "send it to ff02::1:2");
    return lb_wr_done(&x->wr);
}

static struct lb_bytes dispatch(struct exchange *x) {
    if (x->server->config.was_unicast && is_to_one(x->request->type))
        return refuse_unicast(x);
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
                          const struct lb_dhcp6_server_config *config, struct lb_binding *bindings,
                          size_t binding_cap) {
    lb_assert(config->duid.len > 0 && config->duid.len <= sizeof config->duid.bytes);
    lb_assert(config->keys.len == 0 || config->seen != NULL);
    *server = (struct lb_dhcp6_server){.config = *config, .replay = config->replay};
    lb_bindings_init(&server->table, bindings, binding_cap, config->hash_key);
    index_hosts(server);
}

bool lb_dhcp6_server_restore(struct lb_dhcp6_server *server, uint64_t now_us,
                             const struct lb_dhcp6_kept *kept) {
    struct lb_binding_terms terms = {
        .client = kept->client,
        .address = kept->address,
        .until_us = lb_binding_until_us(kept->valid_s, now_us),
        .leased = kept->leased,
        .declined = kept->declined,
    };
    return lb_bindings_restore(&server->table, now_us, &terms);
}

/* To a request that was decoded; empty: none. */
static struct lb_bytes answer(struct exchange *x) {
    const char *why = check_request(x, x->request->type);
    if (!why)
        why = check_auth(x);
    return why ? ignore(x, why) : sign(x, dispatch(x));
}

const struct lb_binding *lb_dhcp6_server_seen(struct lb_dhcp6_server *server, uint64_t now_us,
                                              struct lb_addr address) {
    return lb_bindings_keep(&server->table, now_us, address, valid_s(&server->config) * LB_US_SEC);
}

struct lb_dhcp6_reply lb_dhcp6_server_input(struct lb_dhcp6_server *server, uint64_t now_us,
                                            struct lb_endpoint from, struct lb_bytes payload,
                                            struct lb_span room) {
    struct lb_dhcp6_message request;
    struct lb_duid duid;
    struct exchange x = {
        .server = server, .now_us = now_us, .request = &request, .from = from, .wr = lb_wr(room)};
    const char *why = NULL;
    if (!lb_dhcp6_decode(payload, &request, &why)) {
        x.reply.bytes = ignore(&x, why);
        return x.reply;
    }
    struct lb_bytes value;
    x.has_client = lb_dhcp6_find_duid(request.options, LB_OPT6_CLIENT_ID, &x.client);
    x.has_server = lb_dhcp6_find(request.options, LB_OPT6_SERVER_ID, &value);
    x.is_ours = lb_dhcp6_find_duid(request.options, LB_OPT6_SERVER_ID, &duid) &&
                lb_duid_equal(&duid, &server->config.duid);
    x.host = server->config.requester ? server->config.requester : find_host(&x);
    x.reply.bytes = answer(&x);
    lb_wipe(&x.key, sizeof x.key);
    return x.reply;
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
