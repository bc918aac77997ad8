/* The client's messages: RFC 2131 4.3.6 (table 4) and 4.4.1 (table 5). */
#include "core/dhcp4/dhcp4_client.h"

#define HTYPE_ETHERNET 1
#define MAC_BYTES      6
#define SECS_MAX       UINT16_MAX
#define IP_UDP_BYTES   28
#define LIST_BYTES                                                                                 \
    1300 /* our options: 61, 60, 12 of at most 255 bytes each, 77 and others of 128, small ones */

/* What we ask for, in the order of our preference (RFC 3442: 121 before 3 and 33). RFC 2131 4.4.1:
 * the same in every message. */
static const uint8_t parameters[] = {
    LB_OPT_CLASSLESS_ROUTES,
    LB_OPT_MASK,
    LB_OPT_ROUTERS,
    LB_OPT_DNS,
    LB_OPT_HOSTNAME,
    LB_OPT_DOMAIN,
    LB_OPT_ROOT_PATH,
    LB_OPT_MTU,
    LB_OPT_BROADCAST,
    LB_OPT_STATIC_ROUTES,
    LB_OPT_VENDOR_SPECIFIC,
    LB_OPT_LEASE_TIME,
    LB_OPT_SERVER_ID,
    LB_OPT_T1,
    LB_OPT_T2,
    LB_OPT_VENDOR_CLASS,
    LB_OPT_TFTP_SERVER,
    LB_OPT_BOOTFILE,
    LB_OPT_SLP_DA,
    LB_OPT_SLP_SCOPE,
    LB_OPT_ISNS,
    LB_OPT_SEARCH,
    LB_OPT_FIRST_TARGET,
    LB_OPT_SECOND_TARGET,
    LB_OPT_INITIATOR,
};

struct lb_bytes lb_dhcp4_client_id(const struct lb_dhcp4_client *client,
                                   uint8_t room[LB_DHCP4_BLOB_MAX]) {
    const struct lb_dhcp4_config *config = &client->config;
    if (config->client_id_len > 0)
        return lb_bytes(config->client_id, config->client_id_len);
    struct lb_wr wr = lb_wr(lb_span(room, LB_DHCP4_BLOB_MAX));
    lb_wr_u8(&wr, HTYPE_ETHERNET); /* RFC 2132 9.14 */
    lb_wr_bytes(&wr, lb_bytes(config->mac, MAC_BYTES));
    return lb_wr_done(&wr);
}

static enum lb_dhcp4_type type_of(const struct lb_dhcp4_client *client) {
    switch (client->state) {
    case LB_DHCP4_SELECTING:
        return LB_DHCP4_DISCOVER;
    case LB_DHCP4_REQUESTING:
    case LB_DHCP4_REBOOTING:
    case LB_DHCP4_RENEWING:
    case LB_DHCP4_REBINDING:
        return LB_DHCP4_REQUEST;
    case LB_DHCP4_DECLINED:
        return LB_DHCP4_DECLINE;
    case LB_DHCP4_STOPPED:
        return LB_DHCP4_RELEASE;
    case LB_DHCP4_INIT:
    case LB_DHCP4_CHECKING:
    case LB_DHCP4_BOUND:
        return LB_DHCP4_BOOTP; /* these send nothing */
    }
    return LB_DHCP4_BOOTP;
}

/* RFC 2131 4.3.2: which of 50 and 54 tells a server what kind of REQUEST it is. */
static void put_addresses(const struct lb_dhcp4_client *client, struct lb_wr *list) {
    const struct lb_dhcp4_lease *lease = &client->lease;
    switch (client->state) {
    case LB_DHCP4_REQUESTING:
    case LB_DHCP4_DECLINED:
        lb_dhcp4_put_addr(list, LB_OPT_REQUESTED_ADDRESS, lease->address.addr);
        lb_dhcp4_put_addr(list, LB_OPT_SERVER_ID, lease->server);
        return;
    case LB_DHCP4_REBOOTING:
        lb_dhcp4_put_addr(list, LB_OPT_REQUESTED_ADDRESS, lease->address.addr);
        return;
    case LB_DHCP4_STOPPED:
        lb_dhcp4_put_addr(list, LB_OPT_SERVER_ID, lease->server);
        return;
    case LB_DHCP4_INIT:
    case LB_DHCP4_SELECTING:
    case LB_DHCP4_CHECKING:
    case LB_DHCP4_BOUND:
    case LB_DHCP4_RENEWING:
    case LB_DHCP4_REBINDING:
        return;
    }
}

/* RFC 4578 2.2: UNDI of version 3.16, as PXE clients and UEFI's say. */
static const uint8_t undi[] = {1, 3, 16};

static bool is_in_extra(const struct lb_dhcp4_config *config, uint8_t code) {
    for (struct lb_rd rd = lb_rd(config->extra); rd.left > 0 && lb_rd_ok(&rd);) {
        if (lb_rd_u8(&rd) == code)
            return true;
        lb_rd_bytes(&rd, lb_rd_u8(&rd));
    }
    return false;
}

/* What a person wrote in dhcp-send stands above the same option made here. */
static void put_ours(const struct lb_dhcp4_config *config, uint8_t code, struct lb_bytes value,
                     struct lb_wr *list) {
    if (!is_in_extra(config, code))
        lb_dhcp4_put(list, code, value);
}

/* RFC 4578 2: client architecture, network interface, machine. */
static void put_arch(const struct lb_dhcp4_config *config, struct lb_wr *list) {
    static const uint8_t no_uuid[16];
    uint8_t arch[2] = {(uint8_t)(config->arch >> 8), (uint8_t)config->arch};
    uint8_t machine[17] = {0}; /* type 0: a UUID */
    put_ours(config, LB_OPT_ARCH, lb_bytes(arch, sizeof arch), list);
    put_ours(config, LB_OPT_UNDI, lb_bytes(undi, sizeof undi), list);
    if (memcmp(config->uuid, no_uuid, sizeof no_uuid) == 0)
        return;
    lb_uuid_swap(config->uuid, machine + 1); /* EFI's order (RFC 4578 2.3), as iPXE sends it */
    put_ours(config, LB_OPT_MACHINE, lb_bytes(machine, sizeof machine), list);
}

/* What a site's server asks for before it names a disk. Option 77 is sent as iPXE does, one class
 * without the lengths of RFC 3004: that is what servers are set up for. */
static void put_wanted(const struct lb_dhcp4_config *config, struct lb_wr *list) {
    if (config->user_class)
        lb_dhcp4_put_text(list, LB_OPT_USER_CLASS, config->user_class);
    if (config->has_arch)
        put_arch(config, list);
    for (struct lb_rd rd = lb_rd(config->extra); rd.left > 0 && lb_rd_ok(&rd);) {
        uint8_t code = lb_rd_u8(&rd);
        lb_dhcp4_put(list, code, lb_rd_bytes(&rd, lb_rd_u8(&rd)));
    }
}

/* RFC 3118 5.5: DISCOVER asks for authentication, the others prove that we have the key that the
 * server used. A lease that came without a key, as one that was adopted, has none. */
static bool put_auth(struct lb_dhcp4_client *client, enum lb_dhcp4_type type, struct lb_wr *list,
                     struct lb_dhcp_key *key) {
    struct lb_bytes keys = client->config.keys;
    if (keys.len == 0)
        return false;
    client->replay++;
    bool has_key = type != LB_DHCP4_DISCOVER && client->lease.authentic &&
                   lb_dhcp_keys_find(keys, lb_bytes(keys.p, 0), client->lease.key_id, key);
    lb_dhcp4_put_auth(list, client->replay, has_key ? key : NULL);
    return has_key;
}

static void put_options(const struct lb_dhcp4_client *client, enum lb_dhcp4_type type,
                        struct lb_wr *list) {
    const struct lb_dhcp4_config *config = &client->config;
    uint8_t room[LB_DHCP4_BLOB_MAX];
    if (config->ask_bootp) {
        /* RFC 2132 9 knows these in DHCP alone; servers that speak both heed them all the same. */
        lb_dhcp4_put_u16(list, LB_OPT_MAX_SIZE, LB_DHCP4_PACKET_MAX - IP_UDP_BYTES);
        lb_dhcp4_put(list, LB_OPT_PARAMETERS, lb_bytes(parameters, sizeof parameters));
        return;
    }
    lb_dhcp4_put_u8(list, LB_OPT_TYPE, (uint8_t)type);
    lb_dhcp4_put(list, LB_OPT_CLIENT_ID, lb_dhcp4_client_id(client, room));
    put_addresses(client, list);
    if (type == LB_DHCP4_DECLINE || type == LB_DHCP4_RELEASE) {
        lb_dhcp4_put_text(list, LB_OPT_MESSAGE,
                          type == LB_DHCP4_DECLINE ? "another machine answers ARP for this address"
                                                   : "no longer used");
        return; /* RFC 2131 table 5: nothing else */
    }
    lb_dhcp4_put_u16(list, LB_OPT_MAX_SIZE, LB_DHCP4_PACKET_MAX - IP_UDP_BYTES);
    if (type == LB_DHCP4_DISCOVER && !config->no_rapid_commit && !config->offers_only)
        lb_dhcp4_put(list, LB_OPT_RAPID_COMMIT, lb_bytes(room, 0));
    if (config->hostname)
        lb_dhcp4_put_text(list, LB_OPT_HOSTNAME, config->hostname);
    if (config->vendor_class)
        lb_dhcp4_put_text(list, LB_OPT_VENDOR_CLASS, config->vendor_class);
    put_wanted(config, list);
    lb_dhcp4_put(list, LB_OPT_PARAMETERS, lb_bytes(parameters, sizeof parameters));
}

/* ciaddr is set only where we can already be spoken to by it. */
static bool has_ciaddr(const struct lb_dhcp4_client *client) {
    return client->state == LB_DHCP4_RENEWING || client->state == LB_DHCP4_REBINDING ||
           client->state == LB_DHCP4_STOPPED;
}

/* RFC 1542 3.2 and RFC 2131 4.4.1: the first DISCOVER says 0, a REQUEST what its DISCOVER said, and
 * DECLINE and RELEASE 0. */
static void count_secs(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (client->state == LB_DHCP4_REQUESTING)
        return;
    uint64_t secs = (now_us - client->began_us) / LB_US_SEC;
    bool is_end = client->state == LB_DHCP4_DECLINED || client->state == LB_DHCP4_STOPPED;
    client->secs = is_end ? 0 : (uint16_t)LB_MIN(secs, SECS_MAX);
}

static void address_datagram(const struct lb_dhcp4_client *client, struct lb_dhcp4_action *action) {
    bool unicast = client->state == LB_DHCP4_RENEWING || client->state == LB_DHCP4_STOPPED;
    action->from =
        (struct lb_endpoint){.addr = lb_addr_v4(0, 0, 0, 0), .port = LB_DHCP4_CLIENT_PORT};
    action->to =
        (struct lb_endpoint){.addr = lb_addr_v4(255, 255, 255, 255), .port = LB_DHCP4_SERVER_PORT};
    if (has_ciaddr(client))
        action->from.addr = client->lease.address.addr;
    if (unicast)
        action->to.addr = client->lease.server;
}

struct lb_dhcp4_action lb_dhcp4_client_compose(struct lb_dhcp4_client *client, uint64_t now_us) {
    uint8_t memory[LIST_BYTES];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    enum lb_dhcp4_type type = type_of(client);
    lb_assert(type != LB_DHCP4_BOOTP);
    count_secs(client, now_us);
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREQUEST,
        .htype = HTYPE_ETHERNET,
        .hlen = MAC_BYTES,
        .xid = client->xid,
        .secs = client->secs,
    };
    memcpy(header.chaddr, client->config.mac, MAC_BYTES);
    if (has_ciaddr(client))
        header.ciaddr = client->lease.address.addr;
    struct lb_dhcp_key key;
    bool is_signed = put_auth(client, type, &list, &key);
    put_options(client, type, &list);
    struct lb_dhcp4_layout layout = {.max_bytes = sizeof client->packet};
    struct lb_dhcp4_action action = {.event = LB_DHCP4_SEND};
    action.bytes =
        lb_dhcp4_encode(&header, &list, layout, lb_span(client->packet, sizeof client->packet));
    lb_assert(action.bytes.len > 0); /* a caller's hostname or vendor class is too long */
    if (is_signed) {
        bool has_place = lb_dhcp4_sign(lb_span(client->packet, action.bytes.len), &key);
        lb_assert(has_place);
        lb_wipe(&key, sizeof key);
    }
    address_datagram(client, &action);
    client->sent_us = now_us;
    lb_trace(client->trace, now_us, "dhcp4", "send %s xid %08x secs %u to %s",
             lb_dhcp4_type_word(type), client->xid, client->secs, lb_addr_text(action.to.addr).s);
    return action;
}
