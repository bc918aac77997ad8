/* The DHCPv4 server, as a pure machine: RFC 2131 4.3, BOOTP (RFC 1534), rapid commit (RFC 4039),
 * relays (RFC 1542), proxyDHCP, client identifiers (RFC 6842), authentication (RFC 3118).
 *
 * A binding, one client's address:
 *
 *              DISCOVER                REQUEST, or rapid commit, or BOOTP
 *     FREE ---------------> OFFERED ------------------------------------> LEASED --+ renewed
 *      ^                       |                                         |   |  ^  |
 *      | its time is over      | REQUEST of another server's offer       |   |  +--+
 *      +-----------------------+----------- RELEASE, its time is over ---+   |
 *      |                                                                     | DECLINE
 *      +------------------------------------------ DECLINED <----------------+ */
#include "core/dhcp4/dhcp4_wire.h"

#define LEASE_S        3600
#define BOOTP_S        86400
#define OFFER_US       (60 * LB_US_SEC) /* how long an offered address is kept for its client */
#define IP_UDP_BYTES   28
#define DATAGRAM_BYTES 576 /* RFC 2131 2: what every client takes */
#define HTYPE_ETHERNET 1
#define MAC_BYTES      6
#define LIST_BYTES     2048 /* our options: two long ones of the caller's and small ones */
#define RELAY_MAX      255  /* of what a relay added and gets back */

/* A request on its way to its answer. */
struct exchange {
    struct lb_dhcp4_server *server;
    uint64_t now_us;
    const struct lb_dhcp4_message *request;
    struct lb_endpoint from;
    uint8_t client[LB_DHCP4_BLOB_MAX]; /* who asks: as in lb_binding */
    uint8_t client_len;
    const struct lb_dhcp4_host *host; /* its fixed entry, or NULL */
    struct lb_binding *binding;       /* its binding, or NULL */
    bool has_changed;                 /* the binding is to be kept by the host */
    bool is_boot_server;              /* it came to port 4011 */
    /* What is answered. */
    enum lb_dhcp4_type type;
    struct lb_addr address; /* yiaddr */
    bool rapid_commit, has_times;
    const char *message; /* option 56 of a NAK */
    struct lb_span room;
    bool is_signed;         /* the answer is authenticated, by this key */
    struct lb_dhcp_key key; /* wiped at the end */
};

/* ---- bindings ---- */

/* Its next host of the same hash; `any` is no hardware address of a machine. */
static const uint8_t any_mac[MAC_BYTES] = {0};

static struct lb_dhcp4_host *bucket(const struct lb_dhcp4_server *server, const void *key,
                                    size_t len) {
    const struct lb_dhcp4_server_config *config = &server->config;
    return &config->hosts[lb_siphash(&config->hash_key, lb_bytes(key, len)) % config->host_count];
}

static void index_host(struct lb_dhcp4_server *server, uint32_t number) {
    struct lb_dhcp4_host *host = &server->config.hosts[number - 1];
    if (memcmp(host->mac, any_mac, MAC_BYTES) == 0) {
        server->any_host = number;
    } else {
        struct lb_dhcp4_host *head = bucket(server, host->mac, MAC_BYTES);
        host->mac_next = head->mac_head;
        head->mac_head = number;
    }
    if (lb_addr_is_set(host->address)) {
        struct lb_dhcp4_host *head = bucket(server, host->address.bytes, 4);
        host->address_next = head->address_head;
        head->address_head = number;
    }
}

/* From the last on, so that the first of two stands before the other. */
static void index_hosts(struct lb_dhcp4_server *server) {
    uint32_t count = (uint32_t)server->config.host_count;
    for (uint32_t i = 0; i < count; i++) {
        struct lb_dhcp4_host *host = &server->config.hosts[i];
        host->mac_head = host->mac_next = host->address_head = host->address_next = 0;
    }
    for (uint32_t number = count; number > 0; number--)
        index_host(server, number);
}

/* The machine's own entry, or the one for any machine. */
static const struct lb_dhcp4_host *find_host(struct lb_dhcp4_server *server,
                                             const uint8_t mac[MAC_BYTES]) {
    struct lb_dhcp4_host *hosts = server->config.hosts;
    uint32_t at = server->config.host_count == 0 ? 0 : bucket(server, mac, MAC_BYTES)->mac_head;
    for (; at != 0 && memcmp(hosts[at - 1].mac, mac, MAC_BYTES) != 0; at = hosts[at - 1].mac_next)
        server->table.steps++;
    if (at == 0)
        at = server->any_host;
    return at == 0 ? NULL : &hosts[at - 1];
}

static bool is_known(const struct exchange *x) {
    return x->host != NULL && memcmp(x->host->mac, any_mac, MAC_BYTES) != 0;
}

/* Whether it is the address of another host's entry. */
static bool is_anothers(const struct exchange *x, struct lb_addr address) {
    struct lb_dhcp4_host *hosts = x->server->config.hosts;
    if (x->server->config.host_count == 0)
        return false;
    uint32_t at = bucket(x->server, address.bytes, 4)->address_head;
    for (; at != 0; at = hosts[at - 1].address_next) {
        x->server->table.steps++;
        if (&hosts[at - 1] != x->host && lb_addr_equal(hosts[at - 1].address, address))
            return true;
    }
    return false;
}

static bool is_alive(const struct lb_binding *binding, uint64_t now_us) {
    return lb_binding_is_alive(binding, now_us);
}

/* Whether nothing speaks against giving this client this address. */
static bool is_available(const struct exchange *x, struct lb_addr address) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (lb_addr_equal(address, config->server) || lb_addr_equal(address, config->router) ||
        is_anothers(x, address))
        return false;
    const struct lb_binding *holder = lb_bindings_holder(&x->server->table, address);
    return holder == NULL || holder == x->binding || !is_alive(holder, x->now_us);
}

static bool is_in_pool(const struct lb_dhcp4_server_config *config, struct lb_addr address) {
    return lb_pool_has(config->first, config->last, address);
}

static bool has_fixed(const struct exchange *x) {
    return x->host && lb_addr_is_set(x->host->address);
}

/* RFC 2131 4.3.1: the address the client has, had, or wishes for, or else a free one. */
static bool choose_address(const struct exchange *x, struct lb_addr *address) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (has_fixed(x) && is_available(x, x->host->address)) {
        *address = x->host->address;
        return true;
    }
    if (x->binding && is_in_pool(config, x->binding->address) &&
        is_available(x, x->binding->address)) {
        *address = x->binding->address;
        return true;
    }
    if (lb_dhcp4_option_addr(x->request, LB_OPT_REQUESTED_ADDRESS, address) &&
        is_in_pool(config, *address) && is_available(x, *address))
        return true;
    struct lb_pool_search search = {0};
    if (x->binding == NULL && !lb_bindings_have_room(&x->server->table, x->now_us))
        return false;
    while (lb_bindings_next_free(&x->server->table, x->now_us, config->first, config->last, &search,
                                 address))
        if (is_available(x, *address))
            return true;
    return false;
}

static bool bind_address(struct exchange *x, struct lb_addr address, bool leased,
                         uint64_t until_us) {
    struct lb_binding *binding = x->binding;
    bool keep = binding && binding->leased && is_alive(binding, x->now_us) &&
                lb_addr_equal(binding->address, address);
    struct lb_binding_terms terms = {
        .client = lb_bytes(x->client, x->client_len),
        .address = address,
        .leased = leased || keep,
        .bootp = x->type == LB_DHCP4_BOOTP,
        .until_us = keep ? LB_MAX(until_us, binding->until_us) : until_us,
    };
    binding = lb_bindings_put(&x->server->table, x->now_us, binding, &terms);
    if (!binding)
        return false;
    x->binding = binding;
    x->address = address;
    x->has_changed = leased;
    return true;
}

static uint32_t lease_s(const struct lb_dhcp4_server_config *config) {
    return config->lease_s ? config->lease_s : LEASE_S;
}

static uint64_t lease_end_us(const struct exchange *x) {
    uint32_t seconds = lease_s(&x->server->config);
    return seconds == LB_DHCP4_INFINITE ? LB_NEVER : x->now_us + seconds * LB_US_SEC;
}

/* ---- the answer ---- */

static void put_identity(const struct exchange *x, struct lb_wr *list) {
    struct lb_bytes id;
    if (x->type == LB_DHCP4_BOOTP)
        return;
    lb_dhcp4_put_u8(list, LB_OPT_TYPE, (uint8_t)x->type);
    lb_dhcp4_put_addr(list, LB_OPT_SERVER_ID, x->server->config.server);
    if (lb_dhcp4_option(x->request, LB_OPT_CLIENT_ID, &id)) /* RFC 6842 3 */
        lb_dhcp4_put(list, LB_OPT_CLIENT_ID, id);
    if (x->rapid_commit)
        lb_dhcp4_put(list, LB_OPT_RAPID_COMMIT, lb_bytes(id.p, 0));
    if (x->message)
        lb_dhcp4_put_text(list, LB_OPT_MESSAGE, x->message);
}

static void put_times(const struct exchange *x, struct lb_wr *list) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (!x->has_times)
        return;
    lb_dhcp4_put_u32(list, LB_OPT_LEASE_TIME, lease_s(config));
    if (config->t1_s)
        lb_dhcp4_put_u32(list, LB_OPT_T1, config->t1_s);
    if (config->t2_s)
        lb_dhcp4_put_u32(list, LB_OPT_T2, config->t2_s);
}

static bool gives_no_address(const struct exchange *x) {
    return x->server->config.proxy_only || x->is_boot_server;
}

static void put_network(const struct exchange *x, struct lb_wr *list) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (gives_no_address(x))
        return;
    uint32_t mask = config->network.len ? UINT32_MAX << (32 - config->network.len) : 0;
    lb_dhcp4_put_u32(list, LB_OPT_MASK, mask);
    if (lb_addr_is_set(config->router))
        lb_dhcp4_put_addr(list, LB_OPT_ROUTERS, config->router);
    if (lb_addr_is_set(config->dns))
        lb_dhcp4_put_addr(list, LB_OPT_DNS, config->dns);
    if (config->mtu)
        lb_dhcp4_put_u16(list, LB_OPT_MTU, config->mtu);
}

static void put_boot(const struct exchange *x, struct lb_wr *list) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    const struct lb_dhcp4_host *host = x->host;
    struct lb_bytes machine,
        root_path = host && host->root_path.len > 0 ? host->root_path : config->root_path;
    if (root_path.len > 0)
        lb_dhcp4_put(list, LB_OPT_ROOT_PATH, root_path);
    if (host && host->hostname)
        lb_dhcp4_put_text(list, LB_OPT_HOSTNAME, host->hostname);
    if (host && host->initiator)
        lb_dhcp4_put_text(list, LB_OPT_INITIATOR, host->initiator);
    bool has_class = false;
    for (struct lb_rd rd = lb_rd(config->options); rd.left > 0;) {
        uint8_t code = lb_rd_u8(&rd);
        has_class = has_class || code == LB_OPT_VENDOR_CLASS;
        lb_dhcp4_put(list, code, lb_rd_bytes(&rd, lb_rd_u8(&rd)));
    }
    if (gives_no_address(x) && !has_class)
        lb_dhcp4_put_text(list, LB_OPT_VENDOR_CLASS, "PXEClient");
    if (gives_no_address(x) && lb_dhcp4_option(x->request, LB_OPT_MACHINE, &machine))
        lb_dhcp4_put(list, LB_OPT_MACHINE, machine);
}

/* BOOTP too: the 64 bytes of RFC 951 hold no iSCSI Root Path, and its clients take a datagram. */
static size_t max_bytes(const struct exchange *x) {
    uint16_t said;
    if (x->server->config.overload)
        return DATAGRAM_BYTES - IP_UDP_BYTES;
    if (lb_dhcp4_option_u16(x->request, LB_OPT_MAX_SIZE, &said))
        return (size_t)LB_MAX(said, DATAGRAM_BYTES) - IP_UDP_BYTES;
    return DATAGRAM_BYTES - IP_UDP_BYTES;
}

/* RFC 2131 4.1 (last paragraphs) and table 3. */
static void address_reply(const struct exchange *x, struct lb_dhcp4_reply *reply) {
    const struct lb_dhcp4_header *request = &x->request->header;
    if (x->is_boot_server) { /* PXE 2.1 2.4: it has an address, and waits at this port */
        reply->to = x->from;
        return;
    }
    reply->to.port = LB_DHCP4_CLIENT_PORT;
    reply->to.addr = lb_addr_v4(255, 255, 255, 255);
    memset(reply->to_mac, 0xff, MAC_BYTES);
    if (!lb_addr_is_zero(request->giaddr)) {
        reply->to = (struct lb_endpoint){.addr = request->giaddr, .port = LB_DHCP4_SERVER_PORT};
        memset(reply->to_mac, 0, MAC_BYTES);
    } else if (x->type == LB_DHCP4_NAK) {
        return;
    } else if (!lb_addr_is_zero(request->ciaddr)) {
        reply->to.addr = request->ciaddr;
        memcpy(reply->to_mac, request->chaddr, MAC_BYTES);
    } else if (!(request->flags & LB_DHCP4_BROADCAST) && !lb_addr_is_zero(x->address)) {
        reply->to.addr = x->address;
        memcpy(reply->to_mac, request->chaddr, MAC_BYTES);
    }
}

static struct lb_dhcp4_header reply_header(const struct exchange *x) {
    const struct lb_dhcp4_header *request = &x->request->header;
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREPLY,
        .htype = request->htype,
        .hlen = request->hlen,
        .xid = request->xid,
        .flags = request->flags,
        .yiaddr = x->address,
        .giaddr = request->giaddr,
    };
    memcpy(header.chaddr, request->chaddr, sizeof header.chaddr);
    if (x->type == LB_DHCP4_NAK && !lb_addr_is_zero(request->giaddr))
        header.flags |= LB_DHCP4_BROADCAST; /* RFC 2131 4.3.2: the relay broadcasts it */
    if (x->type != LB_DHCP4_NAK)
        header.siaddr = x->server->config.server;
    if (x->type == LB_DHCP4_ACK)
        header.ciaddr = request->ciaddr;
    return header;
}

/* A place for the proof, which covers what is not written yet. */
static void put_auth(const struct exchange *x, struct lb_wr *list) {
    if (x->is_signed)
        lb_dhcp4_put_auth(list, ++x->server->replay, &x->key);
}

static struct lb_dhcp4_reply compose(const struct exchange *x) {
    uint8_t memory[LIST_BYTES];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = reply_header(x);
    struct lb_dhcp4_reply reply = {0};
    struct lb_bytes relay, subnet;
    struct lb_dhcp4_layout layout = {
        .max_bytes = max_bytes(x),
        .overload = x->type != LB_DHCP4_BOOTP,
    };
    put_identity(x, &list);
    put_auth(x, &list);
    put_times(x, &list);
    if (x->type != LB_DHCP4_NAK) {
        put_network(x, &list);
        put_boot(x, &list);
    }
    if (lb_dhcp4_option(x->request, LB_OPT_SUBNET, &subnet)) /* RFC 3011 4 */
        lb_dhcp4_put(&list, LB_OPT_SUBNET, subnet);
    if (lb_dhcp4_option(x->request, LB_OPT_RELAY_AGENT, &relay) && relay.len <= RELAY_MAX)
        lb_dhcp4_put(&list, LB_OPT_RELAY_AGENT, relay); /* RFC 3046 2.2: as it came, and last */
    reply.bytes = lb_dhcp4_encode(&header, &list, layout, x->room);
    if (x->is_signed && !lb_dhcp4_sign(lb_span(x->room.p, reply.bytes.len), &x->key))
        reply.bytes.len = 0; /* no room for it: an answer without the proof is none */
    address_reply(x, &reply);
    lb_trace(x->server->config.trace, x->now_us, "dhcp4-server", "%s %s to %s",
             lb_dhcp4_type_word(x->type), lb_addr_text(x->address).s,
             lb_mac_text(x->request->header.chaddr).s);
    return reply;
}

static struct lb_dhcp4_reply ignore(const struct exchange *x, const char *why) {
    lb_trace(x->server->config.trace, x->now_us, "dhcp4-server", "ignored from %s: %s",
             lb_endpoint_text(x->from).s, why);
    return (struct lb_dhcp4_reply){.why = why};
}

static struct lb_dhcp4_reply ignore_full(const struct exchange *x) {
    struct lb_dhcp4_reply reply = ignore(x, "no address is free");
    reply.is_full = true;
    return reply;
}

static struct lb_dhcp4_reply refuse(struct exchange *x, const char *why) {
    x->type = LB_DHCP4_NAK;
    x->message = why;
    return compose(x);
}

static struct lb_dhcp4_reply acknowledge(struct exchange *x, struct lb_addr address) {
    if (!bind_address(x, address, true, lease_end_us(x)))
        return ignore(x, "no binding is free");
    x->type = LB_DHCP4_ACK;
    x->has_times = true;
    return compose(x);
}

/* ---- requests ---- */

/* Only for those who would boot by it: others would take it for an offer without an address. */
static bool asks_for_root_path(const struct exchange *x) {
    struct lb_bytes list;
    if (x->server->config.options.len > 0)
        return true; /* there is a loader for it */
    if (!lb_dhcp4_option(x->request, LB_OPT_PARAMETERS, &list))
        return false;
    for (size_t i = 0; i < list.len; i++) {
        if (list.p[i] == LB_OPT_ROOT_PATH)
            return true;
    }
    return false;
}

static struct lb_dhcp4_reply on_discover_as_proxy(struct exchange *x) {
    if (!asks_for_root_path(x))
        return ignore(x, "does not ask for a Root Path");
    x->type = LB_DHCP4_OFFER;
    return compose(x);
}

static struct lb_dhcp4_reply on_discover(struct exchange *x) {
    struct lb_addr address;
    struct lb_bytes none;
    if (!choose_address(x, &address))
        return ignore_full(x);
    if (x->server->config.rapid_commit && lb_dhcp4_option(x->request, LB_OPT_RAPID_COMMIT, &none)) {
        x->rapid_commit = true;
        return acknowledge(x, address);
    }
    if (!bind_address(x, address, false, x->now_us + OFFER_US))
        return ignore(x, "no binding is free");
    x->type = LB_DHCP4_OFFER;
    x->has_times = true;
    return compose(x);
}

static void forget(struct exchange *x) {
    if (x->binding)
        lb_bindings_set_until(&x->server->table, x->binding, x->now_us);
}

/* Whether the address is the client's by our records. */
static bool has_address(const struct exchange *x, struct lb_addr address) {
    return x->binding && lb_addr_equal(x->binding->address, address) && is_available(x, address);
}

/* RFC 2131 4.3.2, SELECTING. */
static struct lb_dhcp4_reply on_selecting(struct exchange *x, struct lb_addr server_id) {
    struct lb_addr wanted;
    if (!lb_addr_equal(server_id, x->server->config.server)) {
        if (x->binding && !x->binding->leased)
            forget(x);
        return ignore(x, "the client took another server's offer");
    }
    if (!lb_dhcp4_option_addr(x->request, LB_OPT_REQUESTED_ADDRESS, &wanted))
        return ignore(x, "a REQUEST without an address");
    if (!has_address(x, wanted))
        return refuse(x, "this address was not offered");
    return acknowledge(x, wanted);
}

/* RFC 2131 4.3.2, INIT-REBOOT, RENEWING and REBINDING. */
static struct lb_dhcp4_reply on_confirm(struct exchange *x, struct lb_addr wanted) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (!lb_prefix_has(config->network, wanted))
        return refuse(x, "this address is of another network");
    if (has_address(x, wanted))
        return acknowledge(x, wanted);
    if (x->binding && is_alive(x->binding, x->now_us))
        return refuse(x, "the client has another address");
    if (config->authoritative)
        return refuse(x, "nothing is known of this address");
    return ignore(x, "no record of this client");
}

static struct lb_dhcp4_reply on_request(struct exchange *x) {
    struct lb_addr server_id, wanted = x->request->header.ciaddr;
    if (lb_dhcp4_option_addr(x->request, LB_OPT_SERVER_ID, &server_id))
        return on_selecting(x, server_id);
    if (!lb_addr_is_zero(wanted) ||
        lb_dhcp4_option_addr(x->request, LB_OPT_REQUESTED_ADDRESS, &wanted))
        return on_confirm(x, wanted);
    return ignore(x, "a REQUEST without an address");
}

static bool is_for_us(const struct exchange *x) {
    struct lb_addr server_id;
    return lb_dhcp4_option_addr(x->request, LB_OPT_SERVER_ID, &server_id) &&
           lb_addr_equal(server_id, x->server->config.server);
}

/* RFC 2131 4.3.3: somebody has the address; it is put aside for as long as a lease. */
static struct lb_dhcp4_reply on_decline(struct exchange *x) {
    struct lb_addr address;
    if (!is_for_us(x) || !x->binding ||
        !lb_dhcp4_option_addr(x->request, LB_OPT_REQUESTED_ADDRESS, &address) ||
        !lb_addr_equal(x->binding->address, address))
        return ignore(x, "a DECLINE of what we did not give");
    struct lb_binding_terms aside = {
        .address = address, .declined = true, .until_us = lease_end_us(x)};
    lb_bindings_put(&x->server->table, x->now_us, x->binding, &aside);
    x->has_changed = true;
    return ignore(x, "DECLINE: the address is put aside");
}

/* RFC 2131 4.3.4: the record stays, so that the client may have the same address again. */
static struct lb_dhcp4_reply on_release(struct exchange *x) {
    if (!is_for_us(x) || !x->binding ||
        !lb_addr_equal(x->binding->address, x->request->header.ciaddr))
        return ignore(x, "a RELEASE of what we did not give");
    x->binding->leased = false;
    x->has_changed = true;
    forget(x);
    return ignore(x, "RELEASE: the address is free");
}

/* RFC 2131 4.3.5: everything but an address and its times. */
static struct lb_dhcp4_reply on_inform(struct exchange *x) {
    if (!lb_addr_is_host(x->request->header.ciaddr))
        return ignore(x, "an INFORM without an address");
    x->type = LB_DHCP4_ACK;
    return compose(x);
}

/* A place for an unknown client among those that have addresses by BOOTP; NULL: none is left. */
static struct lb_dhcp4_unknown *unknown_place(const struct exchange *x) {
    struct lb_dhcp4_server *server = x->server;
    size_t cap = server->config.bootp_max;
    if (cap == 0)
        cap = (server->table.cap + 1) / 2;
    cap = LB_MIN(cap, LB_DHCP4_UNKNOWN_MAX);
    for (size_t i = 0; i < cap; i++) {
        struct lb_dhcp4_unknown *at = &server->unknown[i];
        const struct lb_binding *row = lb_bindings_holder(&server->table, at->address);
        if (row == NULL || row == x->binding || !row->bootp || !is_alive(row, x->now_us))
            return at;
    }
    return NULL;
}

/* RFC 1534 2: a client that knows no leases keeps its address for ever. That is for those we know:
 * unknown clients keep it for a time since they asked last, and their number is limited. */
static struct lb_dhcp4_reply on_bootp(struct exchange *x) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    uint64_t until_us = LB_NEVER;
    struct lb_dhcp4_unknown *place = NULL;
    struct lb_addr address;
    x->type = LB_DHCP4_BOOTP;
    if (!is_known(x)) {
        until_us = lb_binding_until_us(config->bootp_s ? config->bootp_s : BOOTP_S, x->now_us);
        place = unknown_place(x);
        if (place == NULL)
            return ignore(x, "too many unknown clients have addresses by BOOTP");
    }
    if (!choose_address(x, &address) || !bind_address(x, address, true, until_us))
        return ignore_full(x);
    if (place != NULL)
        place->address = address;
    return compose(x);
}

/* PXE 2.1 2.2.3: what a client asks of its boot server is a REQUEST or an INFORM. */
static struct lb_dhcp4_reply on_boot_request(struct exchange *x) {
    enum lb_dhcp4_type type = x->request->type;
    if (type != LB_DHCP4_REQUEST && type != LB_DHCP4_INFORM)
        return ignore(x, "no question to a boot server");
    if (x->server->config.options.len == 0 && !asks_for_root_path(x))
        return ignore(x, "there is nothing for it to boot");
    x->type = LB_DHCP4_ACK;
    return compose(x);
}

static struct lb_dhcp4_reply dispatch(struct exchange *x) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    enum lb_dhcp4_type type = x->request->type;
    if (x->is_boot_server)
        return on_boot_request(x);
    if (config->bootp_only)
        return on_bootp(x);
    if (config->proxy_only)
        return type == LB_DHCP4_DISCOVER ? on_discover_as_proxy(x) : ignore(x, "not a DISCOVER");
    switch (type) {
    case LB_DHCP4_BOOTP:
        return on_bootp(x);
    case LB_DHCP4_DISCOVER:
        return on_discover(x);
    case LB_DHCP4_REQUEST:
        return on_request(x);
    case LB_DHCP4_DECLINE:
        return on_decline(x);
    case LB_DHCP4_RELEASE:
        return on_release(x);
    case LB_DHCP4_INFORM:
        return on_inform(x);
    case LB_DHCP4_OFFER:
    case LB_DHCP4_ACK:
    case LB_DHCP4_NAK:
    case LB_DHCP4_FORCERENEW:
        break;
    }
    return ignore(x, "a server's message");
}

static void identify_by_hardware(struct exchange *x) {
    const struct lb_dhcp4_header *header = &x->request->header;
    struct lb_wr wr = lb_wr(lb_span(x->client, sizeof x->client));
    lb_wr_u8(&wr, header->htype);
    lb_wr_bytes(&wr, lb_bytes(header->chaddr, LB_MIN(header->hlen, LB_DHCP4_CHADDR_BYTES)));
    x->client_len = (uint8_t)lb_wr_done(&wr).len;
}

/* RFC 2131 4.2: the client identifier, or else the hardware type and address. */
static bool identify(struct exchange *x) {
    struct lb_wr wr = lb_wr(lb_span(x->client, sizeof x->client));
    struct lb_bytes id;
    if (!lb_dhcp4_option(x->request, LB_OPT_CLIENT_ID, &id) || id.len == 0) {
        identify_by_hardware(x);
        return true;
    }
    lb_wr_bytes(&wr, id);
    x->client_len = (uint8_t)lb_wr_done(&wr).len;
    return x->client_len > 0;
}

static struct lb_binding *find_own(const struct exchange *x) {
    return lb_bindings_find(&x->server->table, lb_bytes(x->client, x->client_len));
}

/* Firmware, loader and system of one machine each send an identifier of their own. Where an entry
 * gives the machine an address, all of them have it: its owner is the hardware address. */
static struct lb_binding *find_binding(struct exchange *x) {
    struct lb_binding *own = find_own(x), *machine;
    if (!is_known(x) || !has_fixed(x))
        return own;
    identify_by_hardware(x);
    machine = find_own(x);
    bool is_fixed = own != NULL && own != machine && lb_addr_equal(own->address, x->host->address);
    if (is_fixed && machine != NULL)
        lb_bindings_set_until(&x->server->table, own, x->now_us); /* it gives way to the machine */
    return is_fixed && machine == NULL ? own : machine;
}

/* The key for a client that has not said which it has: the first of DHCPv4. */
static bool choose_key(struct exchange *x) {
    struct lb_bytes keys = x->server->config.keys;
    while (lb_dhcp_keys_next(&keys, &x->key))
        if (x->key.realm.len == 0)
            return true;
    return false;
}

/* RFC 3118 5.4: a proof is checked wherever it has to be, and answered by the same key. */
static const char *check_proof(struct exchange *x, struct lb_bytes payload) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    struct lb_bytes client = lb_bytes(x->client, x->client_len);
    struct lb_dhcp4_proof proof;
    const char *why = lb_dhcp4_check_auth(payload, config->keys, &proof);
    if (why)
        return why;
    x->is_signed = lb_dhcp_keys_find(config->keys, lb_bytes(client.p, 0), proof.key_id, &x->key);
    uint64_t peer = lb_dhcp_seen_peer(client, &x->key);
    if (!lb_dhcp_seen_is_new(config->seen, peer, proof.replay))
        return "authenticated, but played again: its replay detection value is not new";
    lb_dhcp_seen_note(config->seen, peer, proof.replay);
    return NULL;
}

/* Why a request does not count where there are keys, or NULL. */
static const char *check_auth(struct exchange *x, struct lb_bytes payload) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    enum lb_dhcp4_type type = x->request->type;
    struct lb_bytes option;
    if (config->keys.len == 0)
        return NULL;
    if (!lb_dhcp4_option(x->request, LB_OPT_AUTH, &option))
        return config->require_auth ? "not authenticated" : NULL;
    if (type != LB_DHCP4_DISCOVER && type != LB_DHCP4_INFORM)
        return check_proof(x, payload);
    x->is_signed = lb_dhcp4_asks_auth(payload) && choose_key(x);
    return x->is_signed ? NULL : "asks for authentication of a kind that is not ours";
}

static const char *check_request(const struct exchange *x) {
    const struct lb_dhcp4_header *header = &x->request->header;
    struct lb_addr link;
    if (header->op != LB_BOOTREQUEST)
        return "not a request";
    if (header->htype != HTYPE_ETHERNET || header->hlen != MAC_BYTES)
        return "not Ethernet";
    if (!gives_no_address(x) && lb_dhcp4_link(x->request, &link) &&
        !lb_prefix_has(x->server->config.network, link))
        return "from another network";
    return NULL;
}

void lb_dhcp4_server_init(struct lb_dhcp4_server *server,
                          const struct lb_dhcp4_server_config *config, struct lb_binding *bindings,
                          size_t binding_cap) {
    lb_assert(config->keys.len == 0 || config->seen != NULL);
    *server = (struct lb_dhcp4_server){.config = *config, .replay = config->replay};
    lb_bindings_init(&server->table, bindings, binding_cap, config->hash_key);
    index_hosts(server);
}

bool lb_dhcp4_server_restore(struct lb_dhcp4_server *server, uint64_t now_us,
                             const struct lb_dhcp4_kept *kept) {
    struct lb_binding_terms terms = {
        .client = kept->client,
        .address = kept->address,
        .until_us = lb_binding_until_us(kept->valid_s, now_us),
        .leased = kept->leased,
        .declined = kept->declined,
        .bootp = kept->bootp,
    };
    return lb_bindings_restore(&server->table, now_us, &terms);
}

const struct lb_binding *lb_dhcp4_server_seen(struct lb_dhcp4_server *server, uint64_t now_us,
                                              struct lb_addr address) {
    return lb_bindings_keep(&server->table, now_us, address, lease_s(&server->config) * LB_US_SEC);
}

static struct lb_dhcp4_reply input(struct lb_dhcp4_server *server, uint64_t now_us,
                                   bool is_boot_server, struct lb_endpoint from,
                                   struct lb_bytes payload, struct lb_span room) {
    struct lb_dhcp4_message request;
    struct exchange x = {
        .server = server,
        .now_us = now_us,
        .request = &request,
        .from = from,
        .is_boot_server = is_boot_server,
        .room = room,
    };
    const char *why = NULL;
    if (!lb_dhcp4_decode(payload, &request, &why) || (why = check_request(&x)) != NULL)
        return ignore(&x, why);
    if (!identify(&x))
        return ignore(&x, "a client identifier of more than 255 bytes");
    if ((why = check_auth(&x, payload)) != NULL)
        return ignore(&x, why);
    x.host = find_host(server, request.header.chaddr);
    x.binding = find_binding(&x);
    struct lb_dhcp4_reply reply = dispatch(&x);
    lb_wipe(&x.key, sizeof x.key);
    if (x.has_changed)
        reply.changed = x.binding;
    return reply;
}

struct lb_dhcp4_reply lb_dhcp4_server_input(struct lb_dhcp4_server *server, uint64_t now_us,
                                            struct lb_endpoint from, struct lb_bytes payload,
                                            struct lb_span room) {
    return input(server, now_us, false, from, payload, room);
}

struct lb_dhcp4_reply lb_dhcp4_server_input_boot(struct lb_dhcp4_server *server, uint64_t now_us,
                                                 struct lb_endpoint from, struct lb_bytes payload,
                                                 struct lb_span room) {
    return input(server, now_us, true, from, payload, room);
}
