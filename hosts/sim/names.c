/* The DNS server: it has the one name of the plan. It is at every address that the network names as
 * a server. An answer that was cut leads to TCP, where nobody answers. */
#include "core/dns/dns_client.h"
#include "hosts/sim/sim.h"
#include <string.h>

#define ANSWER_MAX 400

enum { RESPONSE = 0x8180, CUT = 0x0200 };

bool sim_names_has_slot(uint32_t slot) {
    return slot == LB_BOOT_SLOT_DNS4 || slot == LB_BOOT_SLOT_DNS6;
}

static void add(struct lb_wr *wr, unsigned type, struct lb_addr addr, uint16_t *count) {
    if (!lb_addr_is_set(addr) || type != (addr.family == LB_V4 ? LB_DNS_A : LB_DNS_AAAA))
        return;
    lb_wr_u16(wr, 0xc00c); /* the name of the question */
    lb_wr_u16(wr, (uint16_t)type);
    lb_wr_u16(wr, 1);
    lb_wr_u32(wr, 60);
    lb_wr_u16(wr, addr.family == LB_V4 ? 4 : 16);
    lb_wr_addr(wr, addr);
    ++*count;
}

static void add_addresses(struct sim *sim, struct lb_wr *wr, unsigned type) {
    static const uint8_t nobody6[16] = {0xfd, [15] = 0x99};
    uint16_t count = 0;
    if (sim->plan.dead_address) {
        add(wr, type, sim->plan.net4 ? lb_addr_v4(10, 0, 0, 99) : lb_addr_v6_bytes(nobody6),
            &count);
        sim_saw(&sim->world, SIM_DEAD_ADDRESS);
    }
    add(wr, type, sim->portals[0].at.addr, &count);
    add(wr, type, sim->portals[0].other, &count);
    lb_wr_u16_at(wr, 6, count);
}

/* What it says in the header; SILENT: nothing. */
enum { SILENT = 0x10000 };

static unsigned choose_flags(struct sim *sim, bool is_known) {
    static const unsigned failures[] = {RESPONSE | LB_DNS_NXDOMAIN, RESPONSE | LB_DNS_SERVFAIL,
                                        RESPONSE | CUT, SILENT};
    if (!is_known || sim->plan.wrong == SIM_WRONG_RESOLVE)
        return RESPONSE | LB_DNS_NXDOMAIN;
    if (sim_happens(&sim->world, SIM_RESOLVE_FAILED))
        return failures[sim_below(&sim->world, LB_COUNT(failures))];
    return RESPONSE;
}

void sim_names_datagram(struct sim *sim, uint32_t slot, struct lb_endpoint to,
                        struct lb_bytes bytes) {
    struct sim_world *world = &sim->world;
    uint8_t room[ANSWER_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_dns_message query;
    uint64_t delay_us = sim_between(world, 100, 30000);
    if (to.port != LB_DNS_PORT || !lb_dns_decode(bytes, &query)) /* altered on the way */
        return;
    unsigned flags = choose_flags(sim, lb_dns_name_equal(query.name, SIM_DISK_NAME));
    if (sim_happens(world, SIM_RESOLVE_SLOW))
        delay_us = sim_skewed(world, 100, 20000) * LB_US_MS;
    if (flags == SILENT)
        return;
    lb_wr_bytes(&wr, bytes);
    lb_wr_u16_at(&wr, 2, (uint16_t)flags);
    if (flags == RESPONSE)
        add_addresses(sim, &wr, query.type);
    sim_link_reply(sim, slot, LB_KIND_UDP, delay_us, to, lb_wr_done(&wr));
}

void sim_names_init(struct sim *sim) {
    static const uint8_t server6[16] = {0xfd, [15] = 0x53};
    sim->machine = (struct lb_boot_machine){.dns_count = 1};
    sim->machine.dns[0] = sim->plan.net4 ? lb_addr_v4(10, 0, 0, 1) : lb_addr_v6_bytes(server6);
}
