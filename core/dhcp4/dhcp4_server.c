/* The DHCPv4 server, as a pure machine: RFC 2131 4.3, BOOTP (RFC 1534), rapid commit (RFC 4039),
 * relays (RFC 1542), proxyDHCP, client identifiers (RFC 6842).
 *
 * A binding, one client's address:
 *
 *              DISCOVER                REQUEST, or rapid commit, or BOOTP
 *     FREE ---------------> OFFERED ------------------------------------> LEASED --+ renewed
 *      ^                       |                                         |   |  ^  |
 *      | its time is over      | REQUEST of another server's offer       |   |  +--+
 *      +-----------------------+----------- RELEASE, its time is over ---+   |
 *      |                                                                     | DECLINE
 *      +------------------------------------------ DECLINED <----------------+
 */
#include "core/dhcp4/dhcp4_wire.h"

#define LEASE_S        3600
#define OFFER_US       (60 * LB_US_SEC) /* how long an offered address is kept for its client */
#define IP_UDP_BYTES   28
#define DATAGRAM_BYTES 576 /* RFC 2131 2: what every client takes */
#define HTYPE_ETHERNET 1
#define MAC_BYTES      6
#define LIST_BYTES     2048 /* our options: two long ones of the caller's and small ones */

/* A request on its way to its answer. */
struct exchange {
    struct lb_dhcp4_server *server;
    uint64_t now_us;
    const struct lb_dhcp4_message *request;
    struct lb_endpoint from;
    uint8_t client[LB_DHCP4_BLOB_MAX]; /* who asks: as in lb_dhcp4_binding */
    uint8_t client_len;
    const struct lb_dhcp4_host *host; /* its fixed entry, or NULL */
    struct lb_dhcp4_binding *binding; /* its binding, or NULL */
    /* What is answered. */
    enum lb_dhcp4_type type;
    struct lb_addr address; /* yiaddr */
    bool rapid_commit, has_times;
    const char *message; /* option 56 of a NAK */
    struct lb_span room;
};

/* ---- bindings ---- */

static bool is_alive(const struct lb_dhcp4_binding *binding, uint64_t now_us) {
    return now_us < binding->until_us;
}

static bool is_client(const struct exchange *x, const struct lb_dhcp4_binding *binding) {
    return lb_bytes_equal(lb_bytes(binding->client, binding->client_len),
                          lb_bytes(x->client, x->client_len));
}

static struct lb_dhcp4_binding *find_binding(const struct exchange *x) {
    struct lb_dhcp4_server *server = x->server;
    for (size_t i = 0; i < server->binding_cap; i++) {
        struct lb_dhcp4_binding *binding = &server->bindings[i];
        if (binding->client_len > 0 && !binding->declined && is_client(x, binding))
            return binding;
    }
    return NULL;
}

static const struct lb_dhcp4_host *find_host(const struct lb_dhcp4_server_config *config,
                                             const uint8_t chaddr[MAC_BYTES]) {
    static const uint8_t any[MAC_BYTES] = {0};
    for (size_t i = 0; i < config->host_count; i++) {
        const uint8_t *mac = config->hosts[i].mac;
        if (memcmp(mac, chaddr, MAC_BYTES) == 0 || memcmp(mac, any, MAC_BYTES) == 0)
            return &config->hosts[i];
    }
    return NULL;
}

/* Whether nothing speaks against giving this client this address. */
static bool is_available(const struct exchange *x, struct lb_addr address) {
    const struct lb_dhcp4_server *server = x->server;
    const struct lb_dhcp4_server_config *config = &server->config;
    if (lb_addr_equal(address, config->server) || lb_addr_equal(address, config->router))
        return false;
    for (size_t i = 0; i < config->host_count; i++) {
        if (&config->hosts[i] != x->host && lb_addr_equal(config->hosts[i].address, address))
            return false;
    }
    for (size_t i = 0; i < server->binding_cap; i++) {
        const struct lb_dhcp4_binding *binding = &server->bindings[i];
        if (binding != x->binding && is_alive(binding, x->now_us) &&
            lb_addr_equal(binding->address, address))
            return false;
    }
    return true;
}

static uint32_t number_of(struct lb_addr addr) {
    struct lb_rd rd = lb_rd(lb_bytes(addr.bytes, 4));
    return lb_rd_u32(&rd);
}

static struct lb_addr addr_of(uint32_t number) {
    return lb_addr_v4((uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                      (uint8_t)number);
}

static bool is_in_pool(const struct lb_dhcp4_server_config *config, struct lb_addr address) {
    return lb_addr_is_set(config->first) && number_of(address) >= number_of(config->first) &&
           number_of(address) <= number_of(config->last);
}

static bool has_fixed(const struct exchange *x) {
    return x->host && lb_addr_is_set(x->host->address);
}

/* RFC 2131 4.3.1: the address the client has, had, or wishes for, or else a free one. The pool is
 * searched no further than there can be obstacles in it. */
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
    if (!lb_addr_is_set(config->first))
        return false;
    size_t tries = x->server->binding_cap + config->host_count + 3;
    for (uint32_t number = number_of(config->first); number <= number_of(config->last) && tries > 0;
         number++, tries--) {
        *address = addr_of(number);
        if (is_available(x, *address))
            return true;
    }
    return false;
}

/* The client's binding, or one that is free. */
static struct lb_dhcp4_binding *make_binding(const struct exchange *x) {
    struct lb_dhcp4_server *server = x->server;
    if (x->binding)
        return x->binding;
    for (size_t i = 0; i < server->binding_cap; i++) {
        if (!is_alive(&server->bindings[i], x->now_us))
            return &server->bindings[i];
    }
    return NULL;
}

static bool bind_address(struct exchange *x, struct lb_addr address, bool leased,
                         uint64_t until_us) {
    struct lb_dhcp4_binding *binding = make_binding(x);
    if (!binding)
        return false;
    bool keep =
        binding->leased && is_alive(binding, x->now_us) && lb_addr_equal(binding->address, address);
    *binding = (struct lb_dhcp4_binding){
        .client_len = x->client_len,
        .address = address,
        .leased = leased || keep,
        .until_us = keep ? LB_MAX(until_us, binding->until_us) : until_us,
    };
    memcpy(binding->client, x->client, x->client_len);
    x->binding = binding;
    x->address = address;
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

static void put_network(const struct exchange *x, struct lb_wr *list) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    if (config->proxy_only)
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
    struct lb_bytes root_path =
        host && host->root_path.len > 0 ? host->root_path : config->root_path;
    if (root_path.len > 0)
        lb_dhcp4_put(list, LB_OPT_ROOT_PATH, root_path);
    if (host && host->hostname)
        lb_dhcp4_put_text(list, LB_OPT_HOSTNAME, host->hostname);
    if (host && host->initiator)
        lb_dhcp4_put_text(list, LB_OPT_INITIATOR, host->initiator);
    if (config->proxy_only)
        lb_dhcp4_put_text(list, LB_OPT_VENDOR_CLASS, "PXEClient");
    for (struct lb_rd rd = lb_rd(config->options); rd.left > 0;) {
        uint8_t code = lb_rd_u8(&rd);
        lb_dhcp4_put(list, code, lb_rd_bytes(&rd, lb_rd_u8(&rd)));
    }
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

static struct lb_dhcp4_reply compose(const struct exchange *x) {
    uint8_t memory[LIST_BYTES];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = reply_header(x);
    struct lb_dhcp4_reply reply = {0};
    struct lb_dhcp4_layout layout = {
        .max_bytes = max_bytes(x),
        .overload = x->type != LB_DHCP4_BOOTP,
    };
    put_identity(x, &list);
    put_times(x, &list);
    if (x->type != LB_DHCP4_NAK) {
        put_network(x, &list);
        put_boot(x, &list);
    }
    reply.bytes = lb_dhcp4_encode(&header, &list, layout, x->room);
    address_reply(x, &reply);
    lb_trace(x->server->config.trace, x->now_us, "dhcp4-server", "%s %s to %s",
             lb_dhcp4_type_word(x->type), lb_addr_text(x->address).s,
             lb_mac_text(x->request->header.chaddr).s);
    return reply;
}

static struct lb_dhcp4_reply ignore(const struct exchange *x, const char *why) {
    lb_trace(x->server->config.trace, x->now_us, "dhcp4-server", "ignored from %s: %s",
             lb_endpoint_text(x->from).s, why);
    return (struct lb_dhcp4_reply){0};
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
        return ignore(x, "no address is free");
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
        x->binding->until_us = x->now_us;
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
    *x->binding = (struct lb_dhcp4_binding){
        .address = address,
        .declined = true,
        .until_us = lease_end_us(x),
    };
    return ignore(x, "DECLINE: the address is put aside");
}

/* RFC 2131 4.3.4: the record stays, so that the client may have the same address again. */
static struct lb_dhcp4_reply on_release(struct exchange *x) {
    if (!is_for_us(x) || !x->binding ||
        !lb_addr_equal(x->binding->address, x->request->header.ciaddr))
        return ignore(x, "a RELEASE of what we did not give");
    x->binding->leased = false;
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

/* RFC 1534 2: a client that knows no leases keeps its address for ever. */
static struct lb_dhcp4_reply on_bootp(struct exchange *x) {
    struct lb_addr address;
    if (!choose_address(x, &address) || !bind_address(x, address, true, LB_NEVER))
        return ignore(x, "no address is free");
    x->type = LB_DHCP4_BOOTP;
    return compose(x);
}

static struct lb_dhcp4_reply dispatch(struct exchange *x) {
    const struct lb_dhcp4_server_config *config = &x->server->config;
    enum lb_dhcp4_type type = x->request->type;
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

/* RFC 2131 4.2: the client identifier, or else the hardware type and address. */
static bool identify(struct exchange *x) {
    const struct lb_dhcp4_header *header = &x->request->header;
    struct lb_wr wr = lb_wr(lb_span(x->client, sizeof x->client));
    struct lb_bytes id;
    if (lb_dhcp4_option(x->request, LB_OPT_CLIENT_ID, &id) && id.len > 0) {
        lb_wr_bytes(&wr, id);
    } else {
        lb_wr_u8(&wr, header->htype);
        lb_wr_bytes(&wr, lb_bytes(header->chaddr, LB_MIN(header->hlen, LB_DHCP4_CHADDR_BYTES)));
    }
    x->client_len = (uint8_t)lb_wr_done(&wr).len;
    return x->client_len > 0;
}

static const char *check_request(const struct exchange *x) {
    const struct lb_dhcp4_header *header = &x->request->header;
    if (header->op != LB_BOOTREQUEST)
        return "not a request";
    if (header->htype != HTYPE_ETHERNET || header->hlen != MAC_BYTES)
        return "not Ethernet";
    if (!lb_addr_is_zero(header->giaddr) &&
        !lb_prefix_has(x->server->config.network, header->giaddr))
        return "relayed from another network";
    return NULL;
}

void lb_dhcp4_server_init(struct lb_dhcp4_server *server,
                          const struct lb_dhcp4_server_config *config,
                          struct lb_dhcp4_binding *bindings, size_t binding_cap) {
    memset(bindings, 0, binding_cap * sizeof *bindings);
    *server = (struct lb_dhcp4_server){
        .config = *config, .bindings = bindings, .binding_cap = binding_cap};
}

struct lb_dhcp4_reply lb_dhcp4_server_input(struct lb_dhcp4_server *server, uint64_t now_us,
                                            struct lb_endpoint from, struct lb_bytes payload,
                                            struct lb_span room) {
    struct lb_dhcp4_message request;
    struct exchange x = {
        .server = server,
        .now_us = now_us,
        .request = &request,
        .from = from,
        .room = room,
    };
    const char *why = NULL;
    if (!lb_dhcp4_decode(payload, &request, &why) || (why = check_request(&x)) != NULL)
        return ignore(&x, why);
    if (!identify(&x))
        return ignore(&x, "a client identifier of more than 255 bytes");
    x.host = find_host(&server->config, request.header.chaddr);
    x.binding = find_binding(&x);
    return dispatch(&x);
}
