/* A machine on the segment that guesses: its answers of DHCP, DHCPv6 and SLP come first, and have
 * another transaction, client or server than what they answer; its router advertisements end
 * addresses at once; its iSNS attributes have a length that none has. Nobody may take its word: it
 * alone knows the addresses that end in .66 and those that it leases, and the boot goes as without
 * it. */
#include "core/dhcp4/dhcp4_wire.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "hosts/sim/sim.h"
#include <stdio.h>

#define ROOT_PATH4  "iscsi:10.0.0.66::::" SIM_TARGET_NAME
#define ROOT_PATH6  "iscsi:[fd00::66]::::" SIM_TARGET_NAME
#define FORGED_S    100 /* lifetimes that it gives to other people's prefixes, at the most */
#define TWO_HOURS_S 7200

static struct lb_addr own_address(enum lb_family family) {
    uint8_t bytes[16] = {0xfd, [15] = 0x66};
    return family == LB_V4 ? lb_addr_v4(10, 0, 0, 66) : lb_addr_v6_bytes(bytes);
}

static struct lb_addr leased_address(enum lb_family family) {
    uint8_t bytes[16] = {0xfd, [15] = 0xfa};
    return family == LB_V4 ? lb_addr_v4(10, 0, 0, 250) : lb_addr_v6_bytes(bytes);
}

static const uint8_t own_mac[6] = {2, 0, 0x5e, 0, 6, 6};

void sim_impostor_init(struct sim *sim) {
    struct lb_dhcp4_server_config config = {
        .server = own_address(LB_V4),
        .network = {.addr = lb_addr_v4(10, 0, 0, 0), .len = 24},
        .first = leased_address(LB_V4),
        .last = leased_address(LB_V4),
        .router = own_address(LB_V4),
        .rapid_commit = true,
        .root_path = lb_bytes_of_text(ROOT_PATH4),
    };
    struct lb_dhcp6_server_config config6 = {
        .duid = lb_duid_ll(own_mac),
        .network = {.addr = own_address(LB_V6), .len = 64},
        .first = leased_address(LB_V6),
        .last = leased_address(LB_V6),
        .rapid_commit = true,
        .preference = 255,
        .root_path = lb_bytes_of_text(ROOT_PATH6),
    };
    struct sim_impostor *impostor = &sim->impostor;
    if (!sim->plan.has_impostor)
        return;
    lb_dhcp4_server_init(&impostor->dhcp, &config, impostor->bindings, 1);
    lb_dhcp6_server_init(&impostor->dhcp6, &config6, impostor->bindings6, 1);
    if (sim->plan.routers > 0)
        sim_after(&sim->world, sim_other_between(&sim->world, 1, 20000) * LB_US_MS, SIM_ADVERTISE,
                  SIM_IMPOSTOR_ROUTER, 0);
}

/* One of the bytes from `at` on is another. */
static void change(struct sim *sim, struct lb_span bytes, size_t at, size_t count) {
    size_t i = at + sim_other_below(&sim->world, (uint32_t)count);
    if (i < bytes.len)
        bytes.p[i] ^= (uint8_t)(1U << sim_other_below(&sim->world, 8));
}

/* ---- DHCP ------------------------------------------------------------------------------------ */

/* RFC 2131 4.4.1: xid, and chaddr; and what is no reply. */
static void forge_dhcp4(struct sim *sim, struct lb_span bytes) {
    enum { OP = 0, XID = 4, CHADDR = 28 };
    switch (sim_other_below(&sim->world, 4)) {
    case 0:
        change(sim, bytes, CHADDR, 6);
        break;
    case 1:
        bytes.p[OP] = LB_BOOTREQUEST;
        break;
    default:
        change(sim, bytes, XID, 4);
        break;
    }
}

/* What it changes may be what the network had altered in the request: then it is right again. */
static bool is_right4(const struct sim *sim, struct lb_bytes reply) {
    const struct lb_dhcp4_client *client = &sim->boot.network.dhcp;
    struct lb_dhcp4_message message;
    const char *why;
    return lb_dhcp4_decode(reply, &message, &why) && message.header.op == LB_BOOTREPLY &&
           message.header.xid == client->xid &&
           memcmp(message.header.chaddr, client->config.mac, sizeof client->config.mac) == 0;
}

static bool is_for_us4(const struct lb_dhcp4_message *message) {
    struct lb_addr server;
    return lb_dhcp4_option_addr(message, LB_OPT_SERVER_ID, &server) &&
           lb_addr_equal(server, own_address(LB_V4));
}

static void dhcp4(struct sim *sim, uint32_t slot, struct lb_bytes request) {
    struct lb_endpoint from = {.addr = own_address(LB_V4), .port = LB_DHCP4_SERVER_PORT};
    struct lb_endpoint client = {.addr = {.family = LB_V4}, .port = LB_DHCP4_CLIENT_PORT};
    struct lb_dhcp4_message message;
    uint8_t room[LB_DHCP4_PACKET_MAX];
    const char *why;
    if (!lb_dhcp4_decode(request, &message, &why))
        return;
    if (is_for_us4(&message))
        sim_violation(&sim->world, "an offer of another transaction, client or direction is taken");
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(
        &sim->impostor.dhcp, sim->world.now_us, client, request, lb_span(room, sizeof room));
    if (reply.bytes.len == 0)
        return;
    forge_dhcp4(sim, lb_span(room, reply.bytes.len));
    if (is_right4(sim, lb_bytes(room, reply.bytes.len)))
        return;
    sim_saw(&sim->world, SIM_FORGED_DHCP);
    sim_link_reply_at_once(sim, slot, LB_KIND_DHCP4, from, lb_bytes(room, reply.bytes.len));
}

/* ---- DHCPv6 ---------------------------------------------------------------------------------- */

/* The identifier's last bytes are the hardware address. */
static void change_client(struct sim *sim, struct lb_span bytes, struct lb_bytes options) {
    struct lb_bytes id;
    if (lb_dhcp6_find(options, LB_OPT6_CLIENT_ID, &id) && id.len > 4)
        change(sim, bytes, (size_t)(id.p - bytes.p) + id.len - 4, 4);
}

/* RFC 8415 16.3, 16.10: transaction-id and Client Identifier. */
static void forge_dhcp6(struct sim *sim, struct lb_span bytes) {
    enum { XID = 1 };
    struct lb_dhcp6_message message;
    const char *why;
    bool is_message = lb_dhcp6_decode(lb_bytes(bytes.p, bytes.len), &message, &why);
    if (is_message && sim_other_one_in(&sim->world, 3))
        change_client(sim, bytes, message.options);
    else
        change(sim, bytes, XID, 3);
}

static bool is_right6(const struct sim *sim, struct lb_bytes reply) {
    const struct lb_dhcp6_client *client = &sim->boot.network.dhcp6;
    struct lb_dhcp6_message message;
    struct lb_duid id;
    const char *why;
    return lb_dhcp6_decode(reply, &message, &why) && message.xid == client->xid &&
           lb_dhcp6_find_duid(message.options, LB_OPT6_CLIENT_ID, &id) &&
           lb_duid_equal(&id, &client->config.duid);
}

static void dhcp6(struct sim *sim, uint32_t slot, struct lb_endpoint client,
                  struct lb_bytes request) {
    uint8_t link_local[16] = {0xfe, 0x80, [15] = 0x66};
    struct lb_endpoint from = {.addr = lb_addr_v6_bytes(link_local), .port = LB_DHCP6_SERVER_PORT};
    struct lb_dhcp6_message message;
    struct lb_duid server;
    uint8_t room[LB_DHCP6_PACKET_MAX];
    const char *why;
    if (!lb_dhcp6_decode(request, &message, &why))
        return;
    if (lb_dhcp6_find_duid(message.options, LB_OPT6_SERVER_ID, &server) &&
        lb_duid_equal(&server, &sim->impostor.dhcp6.config.duid))
        sim_violation(&sim->world, "an advertisement of another transaction or client is taken");
    struct lb_bytes reply = lb_dhcp6_server_input(&sim->impostor.dhcp6, sim->world.now_us, client,
                                                  request, lb_span(room, sizeof room))
                                .bytes;
    if (reply.len == 0)
        return;
    forge_dhcp6(sim, lb_span(room, reply.len));
    if (is_right6(sim, lb_bytes(room, reply.len)))
        return;
    sim_saw(&sim->world, SIM_FORGED_DHCP6);
    sim_link_reply_at_once(sim, slot, LB_KIND_DHCP6, from, lb_bytes(room, reply.len));
}

/* ---- routers --------------------------------------------------------------------------------- */

/* Whether a router was heard: before, anybody's word is as good. */
static bool has_prefix(const struct sim *sim) {
    for (size_t i = 0; i < sim->net.addr6_count; i++)
        if (sim->net.addrs6[i].address.len == 64 && sim->net.addrs6[i].valid_s > TWO_HOURS_S)
            return true;
    return false;
}

/* In the name of a router that is there. RFC 4862 5.5.3 e: who is not known for sure does not bring
 * an address below two hours. */
void sim_impostor_advertise(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct lb_nd6_ra ra = sim->routers[0];
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_ra_prefix *prefix = &ra.prefixes[0];
    sim_after(world, sim_other_between(world, 1, 60) * LB_US_SEC, SIM_ADVERTISE,
              SIM_IMPOSTOR_ROUTER, 0);
    if (!has_prefix(sim))
        return;
    prefix->on_link = false; /* a way is taken away by anybody: RFC 4861 has no such rule */
    prefix->valid_s = sim_other_below(world, FORGED_S);
    prefix->preferred_s = sim_other_below(world, prefix->valid_s + 1);
    ra.prefix_count = 1;
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&ra, lb_span(room, sizeof room));
    sim_saw(world, SIM_FORGED_RA);
    sim_link_reply_at_once(sim, LB_BOOT_SLOT_ND6, LB_KIND_ND6,
                           (struct lb_endpoint){.addr = sim_ipv6_router(0)}, reply.bytes);
}

/* ---- SLP ------------------------------------------------------------------------------------- */

static void note_xid(struct sim_impostor *own, uint16_t xid) {
    own->slp_xids[own->slp_requests++ % LB_COUNT(own->slp_xids)] = xid;
}

static bool is_xid_in_use(const struct sim_impostor *own, uint16_t xid) {
    for (size_t i = 0; i < LB_COUNT(own->slp_xids); i++)
        if (own->slp_xids[i] == xid)
            return true;
    return false;
}

void sim_impostor_slp(struct sim *sim, uint32_t slot, enum lb_family family,
                      struct lb_bytes request) {
    struct lb_endpoint from = {.addr = own_address(family), .port = LB_SLP_PORT};
    struct lb_slp_header header;
    struct lb_bytes body;
    const char *why;
    uint8_t room[256];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    if (!sim->plan.has_impostor || !lb_slp_decode(request, &header, &body, &why))
        return;
    uint16_t xid = header.xid ^ (uint16_t)(1U << sim_other_below(&sim->world, 16));
    note_xid(&sim->impostor, header.xid);
    if (is_xid_in_use(&sim->impostor, xid))
        return; /* a guess that is right is no fault of the client's */
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, xid, lb_bytes_of_text("en"));
    lb_wr_u16(&wr, LB_SLP_OK);
    lb_wr_u16(&wr, 1);
    lb_slp_put_entry(
        &wr, 300,
        lb_bytes_of_text(family == LB_V4
                             ? "service:iscsi:target://10.0.0.66:3260/" SIM_TARGET_NAME
                             : "service:iscsi:target://[fd00::66]:3260/" SIM_TARGET_NAME));
    sim_saw(&sim->world, SIM_FORGED_SLP);
    sim_link_reply_at_once(sim, slot, LB_KIND_UDP, from, lb_slp_finish(&wr));
}

/* ---- iSNS ------------------------------------------------------------------------------------ */

/* RFC 4171 6.3.1: an address has 16 bytes. One of 20 goes before the first address of the answer.
 * Gives its new length. */
size_t sim_impostor_isns(struct sim *sim, struct lb_span room, size_t len) {
    static const uint8_t attribute[] = {0, 0, 0, LB_ISNS_PORTAL_ADDRESS, 0, 0, 0, 16};
    static const uint8_t forged[] = {0,  0, 0,    LB_ISNS_PORTAL_ADDRESS,
                                     0,  0, 0,    20,
                                     0,  0, 0,    0,
                                     0,  0, 0,    0,
                                     0,  0, 0xff, 0xff,
                                     10, 0, 0,    66,
                                     0,  0, 0,    0,
                                     0,  0, 0,    LB_ISNS_PORTAL_PORT,
                                     0,  0, 0,    4,
                                     0,  0, 0x0c, 0xbc};
    enum { LENGTH = 4, FLAGS = 6, AFTER_KEYS = LB_ISNS_HEADER_BYTES + 4 };
    if (!sim->plan.has_impostor || len < AFTER_KEYS || len + sizeof forged > room.len ||
        !(room.p[FLAGS] & LB_ISNS_LAST_PDU >> 8) || !(room.p[FLAGS] & LB_ISNS_FIRST_PDU >> 8))
        return len;
    size_t at = AFTER_KEYS;
    while (at + sizeof attribute <= len && memcmp(room.p + at, attribute, sizeof attribute) != 0)
        at += 4;
    if (at + sizeof attribute > len)
        return len;
    memmove(room.p + at + sizeof forged, room.p + at, len - at);
    memcpy(room.p + at, forged, sizeof forged);
    size_t payload = len + sizeof forged - LB_ISNS_HEADER_BYTES;
    room.p[LENGTH] = (uint8_t)(payload >> 8);
    room.p[LENGTH + 1] = (uint8_t)payload;
    sim_saw(&sim->world, SIM_FORGED_ISNS);
    return len + sizeof forged;
}

/* ---- what nobody may believe ----------------------------------------------------------------- */

/* RFC 5452: the identification, the name and the server. */
static void dns(struct sim *sim, uint32_t slot, struct lb_endpoint server, struct lb_bytes query) {
    enum { ID = 0, NAME = 13, NAME_BYTES = 4, ADDRESS_BYTES = 4 };
    uint8_t room[400];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, query);
    lb_wr_u16_at(&wr, 2, 0x8180);
    lb_wr_u16_at(&wr, 6, 1);
    lb_wr_u16(&wr, 0xc00c); /* the name of the question */
    lb_wr_u16(&wr, 1);
    lb_wr_u16(&wr, 1);
    lb_wr_u32(&wr, 60);
    lb_wr_u16(&wr, ADDRESS_BYTES);
    lb_wr_addr(&wr, own_address(LB_V4));
    struct lb_bytes forged = lb_wr_done(&wr);
    switch (sim_other_below(&sim->world, 3)) {
    case 0:
        server.addr = own_address(server.addr.family);
        break;
    case 1:
        room[NAME + sim_other_below(&sim->world, NAME_BYTES)] ^= 1;
        break;
    default:
        change(sim, lb_span(room, forged.len), ID, 2);
        break;
    }
    if (forged.len > NAME + NAME_BYTES)
        sim_link_reply_at_once(sim, slot, LB_KIND_UDP, server, forged);
}

void sim_impostor_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                           struct lb_bytes bytes) {
    if (!sim->plan.has_impostor)
        return;
    if (packet->kind == LB_KIND_DHCP4)
        dhcp4(sim, slot, bytes);
    else if (packet->kind == LB_KIND_DHCP6)
        dhcp6(sim, slot, packet->from, bytes);
    else if (sim_names_has_slot(slot))
        dns(sim, slot, packet->to, bytes);
}

/* A server that changes any byte of its answer may name our address by chance. */
void sim_impostor_check_connect(struct sim *sim, struct lb_addr to) {
    const bool *seen = sim->world.seen;
    bool is_by_chance = seen[SIM_ISNS_LIES] || seen[SIM_SLP_LIES] || seen[SIM_CORRUPTED];
    if (!sim->plan.has_impostor || is_by_chance)
        return;
    if (lb_addr_equal(to, own_address(LB_V4)) || lb_addr_equal(to, own_address(LB_V6)))
        sim_violation(&sim->world, "a connection to %s, which an impostor alone named",
                      lb_addr_text(to).s);
}

/* Within a run no address of a router's prefix comes near its end, unless the routers say so. */
static void check_lifetime(struct sim *sim, const struct lb_boot_addr6 *addr) {
    const bool *seen = sim->world.seen;
    bool is_known = !sim->plan.short_ra && !seen[SIM_RA_LIES] && !seen[SIM_CORRUPTED] &&
                    !seen[SIM_LINK_DOWN]; /* then the impostor may be heard before the routers */
    bool is_of_router = addr->address.len == 64 && !sim->plan.uses_address;
    uint64_t passed_s = sim->world.now_us / LB_US_SEC;
    if (is_known && is_of_router && addr->valid_s + passed_s < TWO_HOURS_S)
        sim_violation(&sim->world, "%s is to end in %u s, on an impostor's word",
                      lb_prefix_text(addr->address).s, addr->valid_s);
}

void sim_impostor_check_net(struct sim *sim, const struct lb_boot_net *net) {
    if (!sim->plan.has_impostor)
        return;
    if (lb_addr_equal(net->address.addr, leased_address(LB_V4)))
        sim_violation(&sim->world, "an address that an impostor alone leases");
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (lb_addr_equal(net->addrs6[i].address.addr, leased_address(LB_V6)))
            sim_violation(&sim->world, "an address of IPv6 that an impostor alone leases");
        check_lifetime(sim, &net->addrs6[i]);
    }
}
