/* The engine and a host that does what the input says. Two bytes of configuration, and then steps:
 *
 *   0 N      N + 1 sixteenths of a second pass      7 F      a router answers, with flags F
 *   1        time passes up to the next deadline    8        the DHCPv6 server answers what was
 * sent 2        the link goes, or comes                9        the DHCPv4 server does 3 nobody has
 * the address that is probed  10 S LL ...  LL bytes come on slot S 4        somebody has it 11 the
 * name has addresses of both families 5        the interface is configured            12       the
 * connection is made 6        and that did not work                  13       the connection is
 * lost 14       lb_boot_stop, with release             15       a late conflict of the last probe
 */
#include "core/boot/boot_state.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "tests/fuzz.h"

#define STEPS_MAX   200
#define ACTIONS_MAX 200 /* at one moment: each slot's packets and closes are under fifty */
#define TARGET      "iqn.2026-11.test:disk"

static struct {
    struct lb_boot boot;
    struct lb_config config;
    struct lb_dhcp4_server dhcp4;
    struct lb_binding bindings4[2];
    struct lb_dhcp6_server dhcp6;
    struct lb_binding bindings6[2];
    uint8_t rx[LB_ISCSI_RX_MIN];
    uint64_t now, until;
    bool is_open[LB_BOOT_SLOTS_MAX], is_over, is_out, link, asks_link;
    bool sets_address, has_address, connects[LB_BOOT_SLOTS_MAX];
    struct lb_addr probe;
    bool probes;
    uint8_t sent4[LB_DHCP4_PACKET_MAX], sent6[LB_DHCP6_PACKET_MAX];
    size_t sent4_len, sent6_len;
    uint8_t query[LB_DNS_QUERY_MAX]; /* the last one to the DNS server; len 0: none */
    size_t query_len;
    struct lb_boot_machine machine;
} f;

static struct lb_addr v6(const char *text) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    lb_assert(lb_addr_parse_v6(lb_bytes_of_text(text), &addr));
    return addr;
}

static void set(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    lb_assert(lb_config_set(&f.config, LB_SOURCE_OPTION, lb_bytes_of_text(key),
                            lb_bytes_of_text(value), &error));
}

/* ---- what the engine asks for --------------------------------------------------------------- */

static void check_net(const struct lb_boot_net *net) {
    lb_assert(net->addr6_count <= LB_ADDRS6_MAX && net->route6_count <= LB_ROUTES_MAX);
    lb_assert(net->route_count <= LB_ROUTES_MAX && net->dns_count <= LB_DNS_MAX);
    lb_assert(net->addr6_count > 0 || lb_addr_is_set(net->address.addr));
    for (size_t i = 0; i < net->addr6_count; i++) {
        lb_assert(net->addrs6[i].address.addr.family == LB_V6 && net->addrs6[i].valid_s > 0);
        lb_assert(net->addrs6[i].preferred_s <= net->addrs6[i].valid_s);
    }
    for (size_t i = 0; i < net->route6_count; i++)
        lb_assert(net->routes6[i].to.addr.family == LB_V6);
}

static void keep_sent(const struct lb_boot_action *action) {
    lb_assert(f.is_open[action->slot] && action->bytes.len > 0);
    if (action->slot == LB_BOOT_SLOT_DHCP4) {
        f.sent4_len = LB_MIN(action->bytes.len, sizeof f.sent4);
        memcpy(f.sent4, action->bytes.p, f.sent4_len);
    } else if (action->slot == LB_BOOT_SLOT_DHCP6) {
        f.sent6_len = LB_MIN(action->bytes.len, sizeof f.sent6);
        memcpy(f.sent6, action->bytes.p, f.sent6_len);
    } else if (action->slot == LB_BOOT_SLOT_DNS4) {
        lb_assert(action->bytes.len <= sizeof f.query);
        f.query_len = action->bytes.len;
        memcpy(f.query, action->bytes.p, f.query_len);
    }
}

static void carry_out(const struct lb_boot_action *action) {
    switch (action->event) {
    case LB_BOOT_LINK:
        f.asks_link = true;
        return;
    case LB_BOOT_OPEN:
        lb_assert(!f.is_open[action->slot]);
        f.is_open[action->slot] = true;
        return;
    case LB_BOOT_SEND:
        keep_sent(action);
        return;
    case LB_BOOT_PROBE:
        f.probe = action->probe;
        f.probes = true;
        return;
    case LB_BOOT_SET_ADDRESS:
        check_net(action->net);
        f.sets_address = f.has_address = true;
        return;
    case LB_BOOT_CLEAR_ADDRESS:
        f.sets_address = f.has_address = false;
        return;
    case LB_BOOT_CONNECT:
        lb_assert(lb_addr_is_set(action->to.addr) && action->to.port != 0);
        lb_assert(!f.connects[action->slot]);
        f.is_open[action->slot] = f.connects[action->slot] = true;
        return;
    case LB_BOOT_CLOSE:
        f.is_open[action->slot] = f.connects[action->slot] = false;
        return;
    case LB_BOOT_FAILED:
        lb_assert(!lb_is_ok(&lb_boot_report(&f.boot)->error));
        f.is_over = true;
        return;
    case LB_BOOT_OUT:
        f.is_over = f.is_out = true;
        return;
    case LB_BOOT_WAIT:
    case LB_BOOT_READY:
    case LB_BOOT_OFFERS:
    case LB_BOOT_SOURCE: /* has_esp is not set */
    case LB_BOOT_PROTECT:
    case LB_BOOT_UNPROTECT:
        return;
    }
}

static void run(void) {
    for (unsigned actions = 0;; actions++) {
        lb_assert(actions < ACTIONS_MAX);
        struct lb_boot_action action = lb_boot_poll(&f.boot, f.now);
        if (action.event == LB_BOOT_WAIT) {
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            break;
        }
        /* What has failed says OUT when it is stopped, and nothing else. */
        lb_assert(!f.is_over || (action.event == LB_BOOT_OUT && !f.is_out));
        carry_out(&action);
    }
    for (size_t i = 0; f.is_over && i < LB_BOOT_SLOTS_MAX; i++)
        lb_assert(!f.is_open[i]);
}

/* ---- what happens --------------------------------------------------------------------------- */

static void router_answers(uint8_t flags) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_ra ra = {
        .managed = flags & 1,
        .other = flags & 2,
        .lifetime_s = flags & 4 ? 0 : 30,
        .mtu = flags & 8 ? 1400 : 0,
        .prefixes = {{.prefix = {v6("2001:db8::"), 64},
                      .on_link = true,
                      .autonomous = flags & 16,
                      .valid_s = flags & 32 ? 0 : 60,
                      .preferred_s = flags & 32 ? 0 : 20},
                     {.prefix = {v6("2001:db8:1::"), 64},
                      .on_link = true,
                      .autonomous = true,
                      .valid_s = LB_ND6_FOREVER,
                      .preferred_s = LB_ND6_FOREVER}},
        .prefix_count = flags & 64 ? 2 : 1,
    };
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&ra, lb_span(room, sizeof room));
    struct lb_endpoint from = {.addr = v6(flags & 128 ? "fe80::2" : "fe80::1")};
    if (f.is_open[LB_BOOT_SLOT_ND6])
        lb_boot_datagram(&f.boot, f.now, LB_BOOT_SLOT_ND6, from, reply.bytes);
}

static void server6_answers(void) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_endpoint client = {v6("fe80::ff:fe00:1"), LB_DHCP6_CLIENT_PORT};
    struct lb_endpoint server = {v6("fe80::9"), LB_DHCP6_SERVER_PORT};
    struct lb_bytes answer =
        lb_dhcp6_server_input(&f.dhcp6, f.now, client, lb_bytes(f.sent6, f.sent6_len),
                              lb_span(room, sizeof room))
            .bytes;
    if (f.is_open[LB_BOOT_SLOT_DHCP6] && answer.len > 0)
        lb_boot_datagram(&f.boot, f.now, LB_BOOT_SLOT_DHCP6, server, answer);
}

static void server4_answers(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_endpoint client = {lb_addr_v4(0, 0, 0, 0), LB_DHCP4_CLIENT_PORT};
    struct lb_endpoint server = {f.dhcp4.config.server, LB_DHCP4_SERVER_PORT};
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(
        &f.dhcp4, f.now, client, lb_bytes(f.sent4, f.sent4_len), lb_span(room, sizeof room));
    if (f.is_open[LB_BOOT_SLOT_DHCP4] && reply.bytes.len > 0)
        lb_boot_datagram(&f.boot, f.now, LB_BOOT_SLOT_DHCP4, server, reply.bytes);
}

static void bytes_come(struct lb_rd *rd) {
    uint32_t slot = lb_rd_u8(rd) % LB_BOOT_SLOTS_MAX;
    struct lb_bytes bytes = lb_rd_bytes(rd, LB_MIN(lb_rd_u8(rd), rd->left));
    struct lb_endpoint from = {v6("fe80::1"), LB_DHCP6_SERVER_PORT};
    lb_boot_datagram(&f.boot, f.now, slot, from, bytes);
}

static void probed(bool conflict) {
    if (f.probes)
        lb_boot_probed(&f.boot, f.now, f.probe, conflict);
    f.probes = false;
}

static void configured(const char *why) {
    if (f.sets_address)
        lb_boot_address_set(&f.boot, f.now, why);
    f.sets_address = false;
}

/* Two addresses of IPv4 to whatever was asked last: right for A, wrong for AAAA. */
static void resolved(void) {
    uint8_t room[LB_DNS_QUERY_MAX + 40];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_endpoint server = {lb_addr_v4(192, 0, 2, 53), LB_DNS_PORT};
    if (f.query_len == 0)
        return;
    lb_wr_bytes(&wr, lb_bytes(f.query, f.query_len));
    lb_wr_u16_at(&wr, 2, 0x8180);
    lb_wr_u16_at(&wr, 6, 2);
    for (uint8_t last = 1; last <= 2; last++) {
        lb_wr_u16(&wr, 0xc00c); /* the name of the question */
        lb_wr_u16(&wr, LB_DNS_A);
        lb_wr_u16(&wr, 1);
        lb_wr_u32(&wr, 60);
        lb_wr_u16(&wr, 4);
        lb_wr_addr(&wr, lb_addr_v4(192, 0, 2, last));
    }
    lb_boot_datagram(&f.boot, f.now, LB_BOOT_SLOT_DNS4, server, lb_wr_done(&wr));
    f.query_len = 0;
}

static void connection(bool is_made) {
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++) {
        if (!f.connects[slot])
            continue;
        f.connects[slot] = is_made;
        f.is_open[slot] = is_made;
        if (is_made)
            lb_boot_connected(&f.boot, f.now, slot);
        else
            lb_boot_lost(&f.boot, f.now, slot, LB_LOST_REFUSED);
        return;
    }
}

static void step(struct lb_rd *rd) {
    switch (lb_rd_u8(rd) & 15) {
    case 0:
        f.now += (lb_rd_u8(rd) + 1u) * LB_US_SEC / 16;
        return;
    case 1:
        f.now = f.until == LB_NEVER ? f.now + LB_US_SEC : f.until;
        return;
    case 2:
        f.link = !f.link;
        lb_boot_link(&f.boot, f.now, f.link);
        return;
    case 3:
        probed(false);
        return;
    case 4:
        probed(true);
        return;
    case 5:
        configured(NULL);
        return;
    case 6:
        configured("no");
        return;
    case 7:
        router_answers(lb_rd_u8(rd));
        return;
    case 8:
        server6_answers();
        return;
    case 9:
        server4_answers();
        return;
    case 10:
        bytes_come(rd);
        return;
    case 11:
        resolved();
        return;
    case 12:
        connection(true);
        return;
    case 13:
        connection(false);
        return;
    case 14:
        lb_boot_stop(&f.boot, f.now, true);
        return;
    case 15:
        lb_boot_probed(&f.boot, f.now, f.probe, true);
        return;
    }
}

/* ---- the beginning -------------------------------------------------------------------------- */

static void start_servers(uint8_t what) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    const char *path4 = what & 1 ? "iscsi:192.0.2.1:::1:" TARGET : "";
    const char *path6 = what & 2 ? "iscsi:[2001:db8::1]:::1:" TARGET : "iscsi::::1:" TARGET;
    struct lb_dhcp4_server_config config4 = {
        .server = lb_addr_v4(192, 0, 2, 2),
        .network = {lb_addr_v4(192, 0, 2, 0), 24},
        .first = lb_addr_v4(192, 0, 2, 100),
        .last = lb_addr_v4(192, 0, 2, 101),
        .router = lb_addr_v4(192, 0, 2, 254),
        .lease_s = 20,
        .authoritative = what & 4,
        .bootp_only = what & 8,
        .root_path = lb_bytes_of_text(path4),
    };
    struct lb_dhcp6_server_config config6 = {
        .duid = lb_duid_ll(mac),
        .network = {v6("2001:db8::"), 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::101"),
        .preferred_s = 20,
        .valid_s = 40,
        .rapid_commit = what & 16,
        .no_addresses = what & 32,
        .root_path = lb_bytes_of_text(path6),
    };
    lb_dhcp4_server_init(&f.dhcp4, &config4, f.bindings4, LB_COUNT(f.bindings4));
    lb_dhcp6_server_init(&f.dhcp6, &config6, f.bindings6, LB_COUNT(f.bindings6));
}

static void configure(uint8_t how) {
    static const char *const families[] = {"both", "4", "6", "both"};
    static const char *const preferred[] = {"auto", "4", "6", "auto"};
    set("enable", "yes");
    set("family", families[how & 3]);
    set("prefer-family", preferred[how >> 2 & 3]);
    if (how & 16)
        set("rootpath",
            how & 32 ? "iscsi:disk.example:::1:" TARGET : "iscsi:[2001:db8::1]:::1:" TARGET);
    if (how & 64)
        set("address", how & 128 ? "2001:db8::33/64" : "192.0.2.33/24");
    else if (how & 128)
        set("discovery", "off");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    memset(&f, 0, sizeof f);
    uint8_t how = lb_rd_u8(&rd), what = lb_rd_u8(&rd);
    struct lb_boot_setup setup = {
        .config = &f.config,
        .machine = &f.machine,
        .goal = what & 64 ? (what & 128 ? LB_GOAL_DISCOVER : LB_GOAL_PROBE) : LB_GOAL_DISK,
        .interface = "net0",
        .has_ipv6 = (what & 0xc0) != 0x80,
        .rx = lb_span(f.rx, sizeof f.rx),
    };
    memcpy(setup.mac, mac, sizeof mac);
    f.now = 1000 * LB_US_SEC;
    configure(how);
    start_servers(what);
    lb_boot_init(&f.boot, f.now, &setup);
    run();
    for (unsigned steps = 0; steps < STEPS_MAX && rd.left > 0; steps++) {
        step(&rd);
        run();
    }
    return 0;
}
