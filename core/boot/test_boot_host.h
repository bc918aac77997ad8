/* A scripted host for the tests of the engine: a link, DHCP servers, a resolver, portals with
 * targets behind them, a disk in memory and a clock that jumps to the next deadline. Everything
 * answers as a test sets it; by default a boot succeeds. On its way the host checks that no
 * deadline lies in the past and that polls come to an end. */
#ifndef LB_TEST_BOOT_HOST_H
#define LB_TEST_BOOT_HOST_H

#include "core/boot/boot_state.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "core/target/target_rooms.h"
#include "tests/tap.h"

#define HOST_TARGET     "iqn.2026-11.test:disk"
#define HOST_ROOT_PATH  "iscsi:192.0.2.1:::1:" HOST_TARGET
#define HOST_ROOT_PATH6 "iscsi:[2001:db8::1]:::1:" HOST_TARGET
#define SEC             LB_US_SEC
#define HOST_DAD_US     SEC /* RFC 4862 5.1: RetransTimer */

enum {
    HOST_DISK_BYTES = 1 << 20,
    HOST_EVENTS = LB_BOOT_OUT + 1,
    HOST_CONNECTS = 64,
    HOST_PROBES = 16,
    HOST_POLLS = 60, /* at one moment, without a byte that moves: a boot takes under ten */
};

enum answer { ACCEPTS, REFUSES, IS_SILENT, IS_UNREACHABLE };

struct portal {
    struct lb_endpoint at;
    enum answer answer;
    struct lb_target_server server;
    struct lb_target node;
    struct lb_scsi_unit units[LB_TARGET_LUNS_MAX]; /* by LUN; node.luns has those that are there */
};

static struct host {
    struct lb_boot boot;
    struct lb_config config;
    struct lb_boot_setup setup;
    uint64_t now;
    char ring[1 << 16];
    uint8_t rx[65536];
    struct lb_rand rand;

    /* The world, as the test sets it. */
    bool has_link;
    struct lb_dhcp4_server dhcp[2];
    struct lb_binding bindings[2][8];
    bool dhcp_hears[2][LB_DHCP4_FORCERENEW + 1]; /* by message type */
    uint64_t dhcp_us[2];                         /* how long a server takes to answer */
    bool dhcp_naks;                              /* each REQUEST is refused by the first server */
    unsigned conflicts;                          /* of the next ARP probes */

    /* IPv6, where host_ipv6 was called. */
    struct lb_nd6_ra ra;
    bool has_router;              /* which answers solicitations with ra */
    uint64_t router_us, dhcp6_us; /* how long router and server take to answer */
    struct lb_dhcp6_server dhcp6;
    struct lb_binding bindings6[8];
    bool dhcp6_hears[LB_DHCP6_RELAY_REPL + 1]; /* by message type */
    struct lb_addr taken6;                     /* another machine has it */
    bool takes_all6;                           /* or each one */
    const char *address_error;
    struct lb_addr resolved[4];
    size_t resolved_count;
    bool dns_is_silent;
    unsigned questions;             /* that the DNS server was asked */
    struct lb_boot_machine machine; /* knows a DNS server at 192.0.2.53 */
    struct portal portals[4];
    uint8_t disk[HOST_DISK_BYTES];
    struct lb_target_answer disk_answer; /* status other than GOOD: of each READ and WRITE */

    /* Other slots than DHCP's and the session's, where a test has something there. */
    void (*on_send)(const struct lb_boot_action *action);
    void (*on_connect)(const struct lb_boot_action *action);
    void (*on_question)(const struct lb_boot_action *action); /* of DNS */
    void (*on_close)(uint32_t slot);
    bool (*on_pump)(void); /* whether anything moved */
    uint32_t opened;       /* slots of datagrams, a bit each */

    /* What happened. */
    unsigned seen[HOST_EVENTS];
    unsigned dhcp_sent[LB_DHCP4_FORCERENEW + 1];
    struct lb_dhcp4_message dhcp_last;
    uint64_t dhcp_last_us;
    unsigned dhcp6_sent[LB_DHCP6_RELAY_REPL + 1];
    uint64_t dhcp6_first_us; /* the first message */
    unsigned solicitations;
    struct {
        struct lb_addr addr;
        uint64_t at_us;
    } probes[HOST_PROBES]; /* under way */
    size_t probe_count;
    struct host_answer { /* of router and DHCPv6 server, under way */
        uint32_t slot;
        struct lb_endpoint from;
        uint8_t bytes[LB_DHCP6_PACKET_MAX];
        size_t len;
        uint64_t at_us;
    } answers[16];
    size_t answer_count;
    struct lb_endpoint connects[HOST_CONNECTS];
    unsigned connect_count;
    uint64_t connect_us;
    struct lb_boot_net net; /* as SET_ADDRESS said last */
    bool has_address;
    char name[LB_HOST_MAX + 1]; /* that was to be resolved */
    uint64_t flushes;

    struct lb_target_conn conn;
    struct portal *peer; /* NULL: no connection */
    struct lb_target_rooms target_rooms;
    unsigned idle_polls;
} host;

/* ---- setting it up -------------------------------------------------------------------------- */

static inline struct lb_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return lb_addr_v4(a, b, c, d);
}

static inline void host_set(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    if (!CHECK(lb_config_set(&host.config, LB_SOURCE_OPTION, lb_bytes_of_text(key),
                             lb_bytes_of_text(value), &error)))
        tap_note("%s=%s: %s", key, value, error.facts);
}

static inline struct lb_dhcp4_server_config host_dhcp_config(uint8_t last_octet,
                                                             const char *root_path) {
    return (struct lb_dhcp4_server_config){
        .server = v4(192, 0, 2, last_octet),
        .network = {v4(192, 0, 2, 0), 24},
        .first = v4(192, 0, 2, 100),
        .last = v4(192, 0, 2, 107),
        .router = v4(192, 0, 2, 254),
        .dns = v4(192, 0, 2, 53),
        .authoritative = true,
        .root_path = lb_bytes_of_text(root_path),
    };
}

/* Server 0 answers by default; 1 is there once it is set up. */
static inline void host_dhcp(unsigned number, struct lb_dhcp4_server_config config) {
    lb_dhcp4_server_init(&host.dhcp[number], &config, host.bindings[number],
                         LB_COUNT(host.bindings[number]));
    for (size_t i = 0; i <= LB_DHCP4_FORCERENEW; i++)
        host.dhcp_hears[number][i] = true;
}

static inline void host_offers(const char *root_path) {
    host.dhcp[0].config.root_path = lb_bytes_of_text(root_path);
}

static inline void host_dhcp_is_silent(void) {
    memset(host.dhcp_hears, 0, sizeof host.dhcp_hears);
}

static inline void host_portal(unsigned number, struct lb_addr addr, uint16_t port) {
    struct portal *portal = &host.portals[number];
    *portal = (struct portal){.at = {addr, port}};
    portal->server =
        (struct lb_target_server){.nodes = &portal->node, .node_count = 1, .keeps_memory = true};
    lb_text_copy(portal->node.name, sizeof portal->node.name, lb_bytes_of_text(HOST_TARGET));
    portal->units[1] = (struct lb_scsi_unit){.blocks = HOST_DISK_BYTES / 512, .block_bytes = 512};
    portal->node.luns[1] = &portal->units[1];
}

static inline void host_init(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {3};
    memset(&host, 0, sizeof host);
    host.now = 1000 * SEC;
    host.has_link = true;
    lb_rand_init(&host.rand, seed);
    host_dhcp(0, host_dhcp_config(2, HOST_ROOT_PATH));
    host_portal(0, v4(192, 0, 2, 1), 3260);
    host.resolved[0] = v4(192, 0, 2, 1);
    host.resolved_count = 1;
    host.machine.dns[0] = v4(192, 0, 2, 53);
    host.machine.dns_count = 1;
    host_set("enable", "yes");
    host.setup = (struct lb_boot_setup){
        .config = &host.config,
        .interface = "net0",
        .machine = &host.machine,
        .rx = lb_span(host.rx, sizeof host.rx),
        .trace_ring = lb_span(host.ring, sizeof host.ring),
    };
    memcpy(host.setup.mac, mac, sizeof mac);
    host.setup.seed[0] = 5;
}

static inline void host_begin(void) {
    lb_boot_init(&host.boot, host.now, &host.setup);
}

/* ---- DHCP ----------------------------------------------------------------------------------- */

static inline void host_nak(unsigned number) {
    uint8_t memory[64], room[LB_DHCP4_PACKET_MAX];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = host.dhcp_last.header;
    struct lb_endpoint from = {host.dhcp[number].config.server, LB_DHCP4_SERVER_PORT};
    header.op = LB_BOOTREPLY;
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_NAK);
    lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, from.addr);
    struct lb_dhcp4_layout layout = {.max_bytes = sizeof room};
    struct lb_bytes bytes = lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room));
    lb_boot_datagram(&host.boot, host.now, LB_BOOT_SLOT_DHCP4, from, bytes);
}

/* A datagram that comes later. */
static inline void host_answers(uint32_t slot, struct lb_endpoint from, struct lb_bytes bytes,
                                uint64_t after_us) {
    if (bytes.len == 0 || !CHECK(host.answer_count < LB_COUNT(host.answers)))
        return;
    struct host_answer *answer = &host.answers[host.answer_count++];
    *answer = (struct host_answer){
        .slot = slot, .from = from, .len = bytes.len, .at_us = host.now + after_us};
    memcpy(answer->bytes, bytes.p, bytes.len);
}

static inline void host_ask_server(unsigned number, struct lb_endpoint from,
                                   struct lb_bytes bytes) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_endpoint server = {host.dhcp[number].config.server, LB_DHCP4_SERVER_PORT};
    if (!host.dhcp_hears[number][host.dhcp_last.type])
        return;
    if (host.dhcp_naks && host.dhcp_last.type == LB_DHCP4_REQUEST && number == 0) {
        host_nak(number);
        return;
    }
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(&host.dhcp[number], host.now, from, bytes,
                                                        lb_span(room, sizeof room));
    if (host.dhcp_us[number] > 0)
        host_answers(LB_BOOT_SLOT_DHCP4, server, reply.bytes, host.dhcp_us[number]);
    else if (reply.bytes.len > 0)
        lb_boot_datagram(&host.boot, host.now, LB_BOOT_SLOT_DHCP4, server, reply.bytes);
}

static inline void host_send(const struct lb_boot_action *action) {
    uint8_t bytes[LB_DHCP4_PACKET_MAX];
    const char *why;
    size_t len = action->bytes.len;
    lb_assert(len <= sizeof bytes);
    memcpy(bytes, action->bytes.p, len);
    if (!CHECK(lb_dhcp4_decode(lb_bytes(bytes, len), &host.dhcp_last, &why)))
        return;
    host.dhcp_sent[host.dhcp_last.type]++;
    host.dhcp_last_us = host.now;
    for (unsigned i = 0; i < LB_COUNT(host.dhcp); i++)
        host_ask_server(i, action->from, lb_bytes(bytes, len));
}

/* ---- IPv6 ----------------------------------------------------------------------------------- */

static inline struct lb_addr v6(const char *text) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    lb_assert(lb_addr_parse_v6(lb_bytes_of_text(text), &addr));
    return addr;
}

static inline struct lb_nd6_ra_prefix host_prefix(const char *text) {
    return (struct lb_nd6_ra_prefix){.prefix = {v6(text), 64},
                                     .on_link = true,
                                     .autonomous = true,
                                     .valid_s = 86400,
                                     .preferred_s = 14400};
}

/* A router that says nothing of DHCPv6, and a DHCPv6 server that nobody speaks of and that gives no
 * Root Path. */
static inline void host_ipv6(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(mac),
        .network = {v6("2001:db8::"), 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::107"),
        .dns = {v6("2001:db8::53")},
        .dns_count = 1,
    };
    host.setup.has_ipv6 = true;
    host.ra = (struct lb_nd6_ra){
        .lifetime_s = 1800, .prefixes = {host_prefix("2001:db8::")}, .prefix_count = 1};
    host.has_router = true;
    lb_dhcp6_server_init(&host.dhcp6, &config, host.bindings6, LB_COUNT(host.bindings6));
    memset(host.dhcp6_hears, true, sizeof host.dhcp6_hears);
}

static inline void host_offers6(const char *root_path) {
    host.dhcp6.config.root_path = lb_bytes_of_text(root_path);
}

static inline void host_dhcp6_is_silent(void) {
    memset(host.dhcp6_hears, false, sizeof host.dhcp6_hears);
}

/* The advertisement that nobody asked for. */
static inline void host_advertise(void) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&host.ra, lb_span(room, sizeof room));
    host_answers(LB_BOOT_SLOT_ND6, (struct lb_endpoint){.addr = v6("fe80::1")}, reply.bytes, 0);
}

static inline void host_solicit(const struct lb_boot_action *action) {
    uint8_t room[LB_ND6_PACKET_MAX];
    host.solicitations++;
    if (!host.has_router)
        return;
    struct lb_nd6_reply reply =
        lb_nd6_server_input(&host.ra, action->from.addr, action->bytes, lb_span(room, sizeof room));
    CHECK(reply.bytes.len > 0);
    host_answers(LB_BOOT_SLOT_ND6, (struct lb_endpoint){.addr = v6("fe80::1")}, reply.bytes,
                 host.router_us);
}

static inline void host_ask_dhcp6(const struct lb_boot_action *action) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_dhcp6_message message;
    struct lb_endpoint client = {v6("fe80::ff:fe00:1"), LB_DHCP6_CLIENT_PORT};
    struct lb_endpoint server = {v6("fe80::9"), LB_DHCP6_SERVER_PORT};
    const char *why;
    if (!CHECK(lb_dhcp6_decode(action->bytes, &message, &why)))
        return;
    if (host.dhcp6_first_us == 0)
        host.dhcp6_first_us = host.now;
    host.dhcp6_sent[message.type]++;
    if (host.dhcp6_hears[message.type])
        host_answers(LB_BOOT_SLOT_DHCP6, server,
                     lb_dhcp6_server_input(&host.dhcp6, host.now, client, action->bytes,
                                           lb_span(room, sizeof room))
                         .bytes,
                     host.dhcp6_us);
}

static inline void host_probe6(struct lb_addr addr) {
    lb_assert(host.probe_count < HOST_PROBES);
    host.probes[host.probe_count].addr = addr;
    host.probes[host.probe_count++].at_us = host.now + HOST_DAD_US;
}

/* What router, server and the link's silence say by now. */
static inline bool host_deliver(void) {
    for (size_t i = 0; i < host.answer_count; i++) {
        struct host_answer answer = host.answers[i];
        if (answer.at_us > host.now)
            continue;
        host.answers[i] = host.answers[--host.answer_count];
        lb_boot_datagram(&host.boot, host.now, answer.slot, answer.from,
                         lb_bytes(answer.bytes, answer.len));
        return true;
    }
    for (size_t i = 0; i < host.probe_count; i++) {
        struct lb_addr addr = host.probes[i].addr;
        if (host.probes[i].at_us > host.now)
            continue;
        host.probes[i] = host.probes[--host.probe_count];
        lb_boot_probed(&host.boot, host.now, addr,
                       host.takes_all6 || lb_addr_equal(addr, host.taken6));
        return true;
    }
    return false;
}

static inline uint64_t host_deliver_us(void) {
    uint64_t at_us = LB_NEVER;
    for (size_t i = 0; i < host.answer_count; i++)
        at_us = LB_MIN(at_us, host.answers[i].at_us);
    for (size_t i = 0; i < host.probe_count; i++)
        at_us = LB_MIN(at_us, host.probes[i].at_us);
    return at_us;
}

static inline bool host_has6(const char *text) {
    for (size_t i = 0; i < host.net.addr6_count; i++)
        if (lb_addr_equal(host.net.addrs6[i].address.addr, v6(text)))
            return host.has_address;
    return false;
}

/* ---- the stream ----------------------------------------------------------------------------- */

static inline struct portal *host_find_portal(struct lb_endpoint at) {
    for (size_t i = 0; i < LB_COUNT(host.portals); i++)
        if (lb_endpoint_equal(host.portals[i].at, at))
            return &host.portals[i];
    return NULL;
}

static inline void host_hang_up(void) {
    if (host.peer != NULL)
        lb_target_conn_end(&host.conn);
    host.peer = NULL;
}

/* The target's end of the connection goes away. */
static inline void host_cut(void) {
    host_hang_up();
    lb_boot_lost(&host.boot, host.now, LB_BOOT_SLOT_SESSION, LB_LOST_CLOSED);
}

static inline void host_connect(const struct lb_boot_action *action) {
    struct portal *portal = host_find_portal(action->to);
    uint32_t slot = action->slot;
    lb_assert(host.connect_count < HOST_CONNECTS);
    host.connects[host.connect_count++] = action->to;
    host.connect_us = host.now;
    CHECK(host.peer == NULL);
    bool has_family = host.has_address && lb_net_has_family(&host.net, action->to.addr.family);
    if (!has_family && !host.setup.network_is_up) {
        lb_boot_lost(&host.boot, host.now, slot, LB_LOST_UNREACHABLE);
    } else if (portal == NULL || portal->answer == REFUSES) {
        lb_boot_lost(&host.boot, host.now, slot, LB_LOST_REFUSED);
    } else if (portal->answer == IS_UNREACHABLE) {
        lb_boot_lost(&host.boot, host.now, slot, LB_LOST_UNREACHABLE);
    } else if (portal->answer == ACCEPTS) {
        host.peer = portal;
        lb_target_conn_init(&host.conn, host.now, &portal->server, portal->at, &host.rand, NULL);
        lb_boot_connected(&host.boot, host.now, slot);
    }
}

static inline size_t host_copy(const struct lb_span *spans, size_t span_count,
                               const struct lb_bytes *pieces, size_t piece_count) {
    size_t span = 0, at = 0, moved = 0;
    for (size_t i = 0; i < piece_count; i++) {
        struct lb_bytes rest = pieces[i];
        while (rest.len > 0 && span < span_count) {
            size_t len = LB_MIN(rest.len, spans[span].len - at);
            memcpy(spans[span].p + at, rest.p, len);
            rest = lb_bytes_after(rest, len);
            moved += len;
            at += len;
            if (at == spans[span].len) {
                span++;
                at = 0;
            }
        }
    }
    return moved;
}

static inline size_t host_to_target(void) {
    struct lb_span spans[2];
    struct lb_bytes pieces[16];
    lb_target_rooms_lend(&host.target_rooms, &host.conn, host.now, LB_TARGET_STAGING);
    size_t rooms = lb_target_where(&host.conn, spans);
    size_t count = lb_boot_gather(&host.boot, LB_BOOT_SLOT_SESSION, pieces, 16);
    size_t moved = host_copy(spans, rooms, pieces, count);
    if (moved > 0) {
        lb_boot_sent(&host.boot, host.now, LB_BOOT_SLOT_SESSION, moved);
        lb_target_got(&host.conn, host.now, moved);
    }
    return moved;
}

static inline size_t host_from_target(void) {
    struct lb_span spans[2];
    struct lb_bytes pieces[16];
    size_t rooms = lb_boot_where(&host.boot, LB_BOOT_SLOT_SESSION, spans);
    size_t count = lb_target_gather(&host.conn, pieces, 16);
    size_t moved = host_copy(spans, rooms, pieces, count);
    if (moved > 0) {
        lb_target_sent(&host.conn, host.now, moved);
        lb_boot_got(&host.boot, host.now, LB_BOOT_SLOT_SESSION, moved);
    }
    return moved;
}

static inline void host_io(struct lb_target_io *io) {
    struct lb_target_answer answer = {.status = LB_SCSI_GOOD};
    size_t at = (size_t)io->lba * 512;
    static uint8_t apart[HOST_DISK_BYTES];
    if (io->kind == LB_IO_RELEASE)
        return;
    if (io->kind == LB_IO_READ || io->kind == LB_IO_WRITE)
        answer = host.disk_answer;
    if (io->kind == LB_IO_READ || io->kind == LB_IO_BUFFER) {
        lb_assert(at <= HOST_DISK_BYTES && io->len <= HOST_DISK_BYTES - at);
        answer.memory = lb_span((io->is_apart ? apart : host.disk) + at, io->len);
    }
    if (io->kind == LB_IO_WRITE && io->is_apart)
        memcpy(host.disk + at, apart + at, io->len);
    lb_assert(io->kind <= LB_IO_RELEASE); /* our initiator asks for nothing else */
    host.flushes += io->kind == LB_IO_FLUSH;
    lb_target_io_done(&host.conn, host.now, io, answer);
}

/* Gives whether anything moved; *until_us is the target's next deadline. */
static inline bool host_pump(uint64_t *until_us) {
    *until_us = LB_NEVER;
    if (host.peer == NULL)
        return false;
    bool moved = host_to_target() > 0;
    struct lb_target_action action = lb_target_poll(&host.conn, host.now);
    if (action.event == LB_TARGET_LEND) {
        lb_target_rooms_lend(&host.target_rooms, &host.conn, host.now, action.role);
        return true;
    }
    if (action.event == LB_TARGET_IO) {
        host_io(action.io);
        return true;
    }
    moved = host_from_target() > 0 || moved;
    if (action.event == LB_TARGET_CLOSE && !moved) {
        host_cut();
        return true;
    }
    *until_us = action.until_us;
    return moved;
}

/* ---- what the engine asks for --------------------------------------------------------------- */

static inline void host_set_address(const struct lb_boot_net *net) {
    host.net = *net;
    host.has_address = host.address_error == NULL;
    lb_boot_address_set(&host.boot, host.now, host.address_error);
}

static inline void host_write_address(struct lb_wr *wr, struct lb_addr addr) {
    lb_wr_u16(wr, 0xc00c); /* the name of the question */
    lb_wr_u16(wr, addr.family == LB_V4 ? LB_DNS_A : LB_DNS_AAAA);
    lb_wr_u16(wr, 1);
    lb_wr_u32(wr, 60);
    lb_wr_u16(wr, addr.family == LB_V4 ? 4 : 16);
    lb_wr_addr(wr, addr);
}

/* The DNS server: every name has the addresses in host.resolved; with none it does not exist. */
static inline void host_resolve(const struct lb_boot_action *action) {
    struct lb_dns_message query;
    uint8_t room[600];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    uint16_t count = 0;
    if (!CHECK(lb_dns_decode(action->bytes, &query)))
        return;
    lb_format(host.name, sizeof host.name, "%s", query.name);
    host.questions++;
    if (host.on_question != NULL)
        host.on_question(action);
    lb_wr_bytes(&wr, action->bytes);
    lb_wr_u16_at(&wr, 2, host.resolved_count > 0 ? 0x8180 : 0x8183);
    for (size_t i = 0; i < host.resolved_count; i++) {
        if (query.type != (host.resolved[i].family == LB_V4 ? LB_DNS_A : LB_DNS_AAAA))
            continue;
        host_write_address(&wr, host.resolved[i]);
        lb_wr_u16_at(&wr, 6, ++count);
    }
    if (!host.dns_is_silent)
        lb_boot_datagram(&host.boot, host.now, action->slot, action->to, lb_wr_done(&wr));
}

static inline void host_probe(struct lb_addr addr) {
    if (addr.family == LB_V6) {
        host_probe6(addr);
        return;
    }
    bool conflict = host.conflicts > 0;
    host.conflicts -= conflict;
    lb_boot_probed(&host.boot, host.now, addr, conflict);
}

static inline struct lb_addr host_source(struct lb_addr to) {
    const struct lb_boot_net *net = lb_boot_net(&host.boot);
    return to.family == LB_V4 ? net->address.addr : net->addrs6[0].address.addr;
}

static inline void host_carry_out(const struct lb_boot_action *action) {
    host.seen[action->event]++;
    if (action->event == LB_BOOT_OPEN) {
        CHECK((host.opened & UINT32_C(1) << action->slot) == 0);
        host.opened |= UINT32_C(1) << action->slot;
    }
    if (action->event == LB_BOOT_CLOSE)
        host.opened &= ~(UINT32_C(1) << action->slot);
    switch (action->event) {
    case LB_BOOT_LINK:
        lb_boot_link(&host.boot, host.now, host.has_link);
        break;
    case LB_BOOT_SEND:
        if (action->slot == LB_BOOT_SLOT_ND6)
            host_solicit(action);
        else if (action->slot == LB_BOOT_SLOT_DHCP6)
            host_ask_dhcp6(action);
        else if (action->slot == LB_BOOT_SLOT_DHCP4)
            host_send(action);
        else if (action->slot == LB_BOOT_SLOT_DNS4 || action->slot == LB_BOOT_SLOT_DNS6)
            host_resolve(action);
        else if (host.on_send != NULL)
            host.on_send(action);
        break;
    case LB_BOOT_PROBE:
        host_probe(action->probe);
        break;
    case LB_BOOT_SET_ADDRESS:
        host_set_address(action->net);
        break;
    case LB_BOOT_CLEAR_ADDRESS:
        host.has_address = false;
        break;
    case LB_BOOT_CONNECT:
        if (action->slot == LB_BOOT_SLOT_SESSION)
            host_connect(action);
        else if (host.on_connect != NULL)
            host.on_connect(action);
        break;
    case LB_BOOT_CLOSE:
        if (action->slot == LB_BOOT_SLOT_SESSION)
            host_hang_up();
        else if (host.on_close != NULL)
            host.on_close(action->slot);
        break;
    case LB_BOOT_WAIT:
    case LB_BOOT_OPEN:
    case LB_BOOT_READY:
    case LB_BOOT_OFFERS:
    case LB_BOOT_FAILED:
    case LB_BOOT_OUT:
    case LB_BOOT_PROTECT: /* esp_in_kernel is not set */
    case LB_BOOT_UNPROTECT:
        break;
    case LB_BOOT_SOURCE:
        lb_boot_source(&host.boot, host.now, action->to.addr, host_source(action->to.addr));
        break;
    }
}

/* One poll, and what follows from it. When there is nothing to do the clock goes on to the next
 * deadline, but not beyond end_us. */
static inline enum lb_boot_event host_step(uint64_t end_us) {
    uint64_t target_us;
    struct lb_boot_action action = lb_boot_poll(&host.boot, host.now);
    host_carry_out(&action);
    if (!CHECK(++host.idle_polls < HOST_POLLS))
        host.now = end_us;
    if (action.event != LB_BOOT_WAIT)
        return action.event;
    bool moved = (host.on_pump != NULL && host.on_pump()) || host_pump(&target_us);
    if (moved || host_deliver()) {
        host.idle_polls = 0;
        return action.event;
    }
    CHECK(action.until_us > host.now);
    uint64_t next_us = LB_MIN(LB_MIN(action.until_us, target_us), end_us);
    next_us = LB_MIN(next_us, host_deliver_us());
    host.idle_polls = 0;
    host.now = LB_MAX(host.now + 1, next_us);
    return action.event;
}

/* ---- running -------------------------------------------------------------------------------- */

static inline bool host_is_over(void) {
    return host.seen[LB_BOOT_FAILED] + host.seen[LB_BOOT_OUT] > 0;
}

/* Lets time pass. */
static inline void host_pass(uint64_t us) {
    uint64_t end_us = host.now + us;
    while (host.now < end_us)
        host_step(end_us);
}

/* Runs until the event; false when the boot ends otherwise, or when an hour has passed. */
static inline bool host_until(enum lb_boot_event event) {
    uint64_t end_us = host.now + 3600 * SEC;
    while (host.now < end_us) {
        enum lb_boot_event did = host_step(end_us);
        if (did == event)
            return true;
        if (did == LB_BOOT_FAILED || did == LB_BOOT_OUT)
            return false;
    }
    return false;
}

static inline const struct lb_error *host_error(void) {
    return &lb_boot_report(&host.boot)->error;
}

/* The end of the trace, when something is not as it should be. */
static inline void host_show_trace(void) {
    static char lines[30][LB_TRACE_LINE_MAX];
    size_t count = 0;
    lb_trace_rewind(lb_boot_trace(&host.boot));
    while (lb_trace_next(lb_boot_trace(&host.boot), lines[count % 30]))
        count++;
    for (size_t i = count > 30 ? count - 30 : 0; i < count; i++)
        tap_note("%s", lines[i % 30]);
}

/* Begins, and must come to a disk. */
static inline bool host_boots(void) {
    host_begin();
    if (CHECK(host_until(LB_BOOT_READY)))
        return true;
    tap_note("%s: %s", lb_code_word(host_error()->code), host_error()->facts);
    host_show_trace();
    return false;
}

/* Goes on, and must end with this error, and these words among its facts. */
static inline bool host_ends(enum lb_code code, const char *facts) {
    if (CHECK(host_until(LB_BOOT_FAILED)) &&
        CHECK_STR(lb_code_word(host_error()->code), lb_code_word(code)) &&
        CHECK_HAS(host_error()->facts, facts))
        return true;
    host_show_trace();
    return false;
}

/* Begins, and must fail in this way. */
static inline bool host_fails(enum lb_code code, const char *facts) {
    host_begin();
    return host_ends(code, facts);
}

/* The same in a new world, with one key set: for tables. */
static inline bool host_fails_with(const char *key, const char *value, enum lb_code code,
                                   const char *facts) {
    host_set(key, value);
    return host_fails(code, facts);
}

/* ---- the report ----------------------------------------------------------------------------- */

/* The last fact of this name; an empty one when there is none. */
static inline struct lb_fact host_fact(const char *key) {
    const struct lb_report *report = lb_boot_report(&host.boot);
    struct lb_fact found = {.key = key};
    for (size_t i = 0; i < report->fact_count; i++)
        if (lb_streq(report->facts[i].key, key))
            found = report->facts[i];
    return found;
}

/* The last step of this stage; an empty one when there is none. */
static inline struct lb_step host_last_step(enum lb_stage stage) {
    const struct lb_report *report = lb_boot_report(&host.boot);
    struct lb_step found = {.note = "no such step"};
    for (size_t i = 0; i < report->step_count; i++)
        if (report->steps[i].stage == stage)
            found = report->steps[i];
    return found;
}

static inline unsigned host_steps_running(void) {
    const struct lb_report *report = lb_boot_report(&host.boot);
    unsigned running = 0;
    for (size_t i = 0; i < report->step_count; i++)
        running += report->steps[i].outcome == LB_RUNNING;
    return running;
}

#endif
