/* Gates: IPsec's other end, before each server that the plan protects. A gate answers IKE with
 * core's responder, forgets all when its machine restarts, and has enemies who record, repeat and
 * change what they see. */
#include "hosts/sim/sim.h"
#include <string.h>

#define IKE_EXCHANGE_AT 18 /* of a message, behind the four zeros of port 4500 */
#define IKE_INIT        34
#define TICK_MS_MAX     20000
#define IDLE_US         (60 * LB_US_SEC)

static struct lb_bytes text(const char *words) {
    return lb_bytes_of_text(words);
}

bool sim_gate_is_slot(uint32_t slot) {
    return slot == LB_BOOT_SLOT_IPSEC4 || slot == LB_BOOT_SLOT_IPSEC6;
}

/* ---- where they are -------------------------------------------------------------------------- */

static bool is_server(const struct sim *sim, struct lb_addr addr) {
    for (unsigned i = 0; i < SIM_PORTALS; i++)
        if (lb_addr_equal(sim->portals[i].at.addr, addr) ||
            (lb_addr_is_set(sim->portals[i].other) && lb_addr_equal(sim->portals[i].other, addr)))
            return true;
    return sim->plan.isns != SIM_ISNS_NONE && lb_addr_equal(sim_isns_at().addr, addr);
}

struct sim_gate *sim_gate_at(struct sim *sim, struct lb_addr addr) {
    struct sim_shield *shield = &sim->shield;
    if (!is_server(sim, addr))
        return NULL;
    for (unsigned i = 0; i < shield->gate_count; i++)
        if (lb_addr_equal(shield->gates[i].addr, addr))
            return &shield->gates[i];
    lb_assert(shield->gate_count < SIM_GATES);
    struct sim_gate *gate = &shield->gates[shield->gate_count++];
    gate->addr = addr;
    return gate;
}

/* The client's address towards there; the host of a workstation has its own. */
static struct lb_addr source_for(const struct sim *sim, struct lb_addr to) {
    static const uint8_t own6[16] = {0xfd, [15] = 0x77};
    struct lb_addr none = {.family = LB_FAMILY_NONE};
    if (sim->plan.uses_network)
        return to.family == LB_V4 ? lb_addr_v4(10, 0, 0, 77) : lb_addr_v6_bytes(own6);
    if (!sim->has_net)
        return none;
    if (to.family == LB_V4)
        return sim->net.address.addr;
    return sim->net.addr6_count > 0 ? sim->net.addrs6[0].address.addr : none;
}

/* SOURCE alone: PROTECT is for a host whose kernel has the keys. */
void lb_host_ipsec(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct sim *sim = sim_of(host);
    struct lb_addr to = action->to.addr;
    if (action->event == LB_BOOT_SOURCE)
        lb_boot_source(&sim->boot, now_us, to, source_for(sim, to));
}

/* ---- associations ---------------------------------------------------------------------------- */

/* Of a gate that names less than it is asked for. */
static struct lb_ipsec_selector narrow(const struct sim *sim, struct lb_ipsec_selector whole) {
    static const struct lb_ipsec_selector parts[] = {
        {.protocol = 6, .local_first = 22, .local_last = 22, .remote_last = UINT16_MAX},
        {.protocol = 6, .local_first = 3260, .local_last = 3260, .remote_last = UINT16_MAX},
        {.protocol = 6, .local_last = 3259, .remote_last = UINT16_MAX},
        {.protocol = 17, .local_last = UINT16_MAX, .remote_last = UINT16_MAX},
    };
    struct lb_ipsec_selector part = parts[sim_aside(&sim->world, 82) % LB_COUNT(parts)];
    part.local = whole.local;
    part.remote = whole.remote;
    return sim->plan.ipsec_wrong == SIM_IPSEC_NARROW ? part : whole;
}

static struct lb_ike_config config_of(const struct sim *sim, const struct sim_gate *gate,
                                      struct lb_addr client) {
    const struct sim_plan *plan = &sim->plan;
    bool is_transport = plan->ipsec_transport != (plan->ipsec_wrong == SIM_IPSEC_MODE);
    return (struct lb_ike_config){
        .psk = text(plan->ipsec_wrong == SIM_IPSEC_KEY ? SIM_PSK_WRONG : SIM_PSK),
        .id = plan->ipsec_wrong == SIM_IPSEC_ID ? "other.example" : SIM_GATE_ID,
        .peer_id = SIM_CLIENT_ID,
        .is_responder = true,
        .local = gate->addr,
        .mode = is_transport ? LB_IPSEC_TRANSPORT : LB_IPSEC_TUNNEL,
        .selector = narrow(sim, (struct lb_ipsec_selector){.local = gate->addr,
                                                           .remote = client,
                                                           .local_last = UINT16_MAX,
                                                           .remote_last = UINT16_MAX}),
        .group = plan->gate_p256 ? LB_DH_P256 : LB_DH_X25519,
        .asks_cookie = plan->gate_cookie,
        .no_ports = true,
        .in_udp = true,
        .rekey_s = plan->gate_rekey_s,
        .rekey_ike_s = plan->gate_rekey_ike_s,
        .give_up_s = 20,
    };
}

static void end(struct sim_association *association) {
    for (size_t i = 0; i < association->pair_count; i++)
        lb_ipsec_end(&association->pairs[i]);
    lb_ike_end(&association->ike);
    *association = (struct sim_association){.in_use = false};
}

static void drop_pair(struct sim_association *association, uint32_t spi) {
    size_t kept = 0;
    for (size_t i = 0; i < association->pair_count; i++)
        if (association->pairs[i].in.spi != spi)
            association->pairs[kept++] = association->pairs[i];
    association->pair_count = kept;
}

static void take_pair(struct sim *sim, struct sim_gate *gate, struct sim_association *association,
                      const struct lb_ipsec_terms *terms) {
    if (association->pair_count == SIM_GATE_PAIRS)
        drop_pair(association, association->pairs[0].in.spi);
    sim_tunnel_keys(sim, terms, association->ike.sa.sk_d);
    lb_ipsec_begin(&association->pairs[association->pair_count++], terms);
    sim_saw(&sim->world, association->is_up ? SIM_IPSEC_REKEYED : SIM_IPSEC_UP);
    if (association->is_up)
        return;
    association->is_up = true;
    /* INITIAL_CONTACT: the client has forgotten those before. */
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++)
        if (gate->associations[i].in_use && &gate->associations[i] != association)
            end(&gate->associations[i]);
}

static void send(struct sim *sim, struct sim_association *association,
                 const struct lb_ike_action *action) {
    struct sim_world *world = &sim->world;
    sim_tunnel_ike(sim, false, action->bytes);
    sim_link_reply(sim, association->slot, LB_KIND_UDP, sim_between(world, 50, 3000), action->from,
                   action->bytes);
}

static void poll(struct sim *sim, struct sim_gate *gate, struct sim_association *association) {
    while (association->in_use) {
        struct lb_ike_action action = lb_ike_poll(&association->ike, sim->world.now_us);
        switch (action.event) {
        case LB_IKE_WAIT:
            association->wake_us = action.until_us;
            if (association->ike.state != LB_IKE_IDLE)
                return;
            association->wake_us = association->idle_until_us; /* its cookies are good as long */
            if (sim->world.now_us >= association->idle_until_us)
                end(association);
            return;
        case LB_IKE_SEND:
            send(sim, association, &action);
            break;
        case LB_IKE_UP:
            take_pair(sim, gate, association, action.terms);
            break;
        case LB_IKE_GONE:
            drop_pair(association, action.spi);
            break;
        case LB_IKE_FAILED:
            sim_say(&sim->world, "gate", "%s: %s", lb_code_word(association->ike.error.code),
                    association->ike.error.facts);
            end(association);
            break;
        }
    }
}

/* Somebody asks anew: for a free place, or that of one that is not up. */
static struct sim_association *place(struct sim *sim, struct sim_gate *gate, struct lb_addr client,
                                     uint32_t slot) {
    struct sim_association *found = NULL;
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++) {
        struct sim_association *at = &gate->associations[i];
        if (!at->in_use || (!at->is_up && found == NULL))
            found = at;
    }
    if (found == NULL)
        return NULL;
    if (found->in_use)
        end(found);
    struct lb_ike_config config = config_of(sim, gate, client);
    *found = (struct sim_association){.in_use = true, .slot = slot};
    found->idle_until_us = sim->world.now_us + IDLE_US;
    lb_ike_init(&found->ike, sim->world.now_us, &config, &sim->shield.rand, NULL);
    return found;
}

static bool take(struct sim *sim, struct sim_gate *gate, struct sim_association *association,
                 const struct sim_packet *packet, struct lb_bytes bytes) {
    uint8_t copy[4 + LB_IKE_MESSAGE_MAX]; /* it is decrypted in place */
    struct lb_endpoint to = {.addr = gate->addr, .port = LB_IKE_NAT_PORT};
    if (bytes.len > sizeof copy)
        return false;
    memcpy(copy, bytes.p, bytes.len);
    bool is_taken = lb_ike_input(&association->ike, sim->world.now_us, packet->from, to,
                                 lb_span(copy, bytes.len));
    poll(sim, gate, association);
    return is_taken;
}

/* One that is not up yet was made for the address that asked. */
static bool may_be_of(const struct sim_association *association, struct lb_addr client) {
    return association->in_use &&
           (association->is_up || lb_addr_equal(association->ike.config.selector.remote, client));
}

/* What arrives at the gate, also of an enemy's. */
static void input(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                  struct lb_bytes bytes) {
    struct sim_gate *gate = sim_gate_at(sim, packet->to.addr);
    bool is_deaf = sim->plan.ipsec_wrong == SIM_IPSEC_SILENT;
    if (gate == NULL || is_deaf || sim->world.now_us < gate->down_until_us)
        return;
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++)
        if (may_be_of(&gate->associations[i], packet->from.addr) &&
            take(sim, gate, &gate->associations[i], packet, bytes))
            return;
    if (bytes.len <= 4 + IKE_EXCHANGE_AT || bytes.p[4 + IKE_EXCHANGE_AT] != IKE_INIT)
        return;
    struct sim_association *fresh = place(sim, gate, packet->from.addr, slot);
    if (fresh != NULL)
        (void)take(sim, gate, fresh, packet, bytes);
}

/* ---- enemies of IKE -------------------------------------------------------------------------- */

static void record(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                   struct lb_bytes bytes) {
    struct sim_shield *shield = &sim->shield;
    struct sim_recorded *at = &shield->recorded[shield->recorded_next++ % SIM_RECORDED];
    if (bytes.len > sizeof at->bytes)
        return;
    *at = (struct sim_recorded){.slot = slot, .packet = *packet, .len = bytes.len};
    memcpy(at->bytes, bytes.p, bytes.len);
}

/* One that was said before, by either side, as it was or changed. */
static void say_again(struct sim *sim, bool is_changed) {
    struct sim_shield *shield = &sim->shield;
    size_t count = LB_MIN(shield->recorded_next, SIM_RECORDED);
    if (count == 0)
        return;
    struct sim_recorded *at = &shield->recorded[sim_below(&sim->world, (uint32_t)count)];
    uint8_t copy[sizeof at->bytes];
    memcpy(copy, at->bytes, at->len);
    if (is_changed && at->len > 0)
        sim_spoil(&sim->world, lb_span(copy, at->len), 4);
    if (at->packet.kind == LB_KIND_UDP && lb_addr_is_set(at->packet.to.addr))
        input(sim, at->slot, &at->packet, lb_bytes(copy, at->len));
    else
        sim_link_reply_at_once(sim, at->slot, LB_KIND_UDP, at->packet.from,
                               lb_bytes(copy, at->len));
}

/* A refusal that anybody can write: it answers an IKE_SA_INIT before the gate does. */
static void refuse(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                   struct lb_bytes bytes) {
    static const uint16_t says[] = {LB_IKE_N_NO_PROPOSAL, LB_IKE_N_INVALID_KE, LB_IKE_N_COOKIE,
                                    LB_IKE_N_AUTH_FAILED};
    struct lb_ike_header header = {.exchange = IKE_INIT, .flags = LB_IKE_FLAG_RESPONSE};
    uint8_t room[64] = {0};
    if (bytes.len < 4 + LB_IKE_HEADER_BYTES || bytes.p[4 + IKE_EXCHANGE_AT] != IKE_INIT)
        return;
    memcpy(header.spi_i, bytes.p + 4, 8);
    struct lb_ike_out out = lb_ike_begin(lb_span(room + 4, sizeof room - 4), &header);
    lb_ike_put_notify(&out, says[sim_below(&sim->world, LB_COUNT(says))], 0, lb_bytes("\0\x13", 2));
    lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
    sim_link_reply_at_once(sim, slot, LB_KIND_UDP, packet->to, lb_bytes(room, out.wr.len + 4));
}

static void attack(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                   struct lb_bytes bytes) {
    if (sim_happens(&sim->world, SIM_IKE_REPLAYED))
        say_again(sim, false);
    if (sim_happens(&sim->world, SIM_IKE_FORGED))
        say_again(sim, true);
    if (sim_happens(&sim->world, SIM_IKE_REFUSED))
        refuse(sim, slot, packet, bytes);
}

void sim_gate_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                       struct lb_bytes bytes) {
    if (!sim->plan.has_ipsec)
        return;
    record(sim, slot, packet, bytes);
    attack(sim, slot, packet, bytes);
    input(sim, slot, packet, bytes);
}

void sim_gate_heard(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                    struct lb_bytes bytes) {
    record(sim, slot, packet, bytes);
}

/* ---- time ------------------------------------------------------------------------------------ */

void sim_gate_turn(struct sim *sim) {
    for (unsigned i = 0; i < sim->shield.gate_count; i++) {
        struct sim_gate *gate = &sim->shield.gates[i];
        for (unsigned k = 0; k < SIM_ASSOCIATIONS; k++)
            if (gate->associations[k].in_use && gate->associations[k].wake_us <= sim->world.now_us)
                poll(sim, gate, &gate->associations[k]);
    }
}

uint64_t sim_gate_next_us(const struct sim *sim) {
    uint64_t next_us = LB_NEVER;
    for (unsigned i = 0; i < sim->shield.gate_count; i++)
        for (unsigned k = 0; k < SIM_ASSOCIATIONS; k++) {
            const struct sim_association *at = &sim->shield.gates[i].associations[k];
            if (at->in_use)
                next_us = LB_MIN(next_us, at->wake_us);
        }
    return next_us;
}

static void restart(struct sim *sim, struct sim_gate *gate) {
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++)
        if (gate->associations[i].in_use)
            end(&gate->associations[i]);
    gate->down_until_us = sim->world.now_us + sim_skewed(&sim->world, 1, 20000) * LB_US_MS;
    sim_say(&sim->world, "gate", "%s has forgotten all", lb_addr_text(gate->addr).s);
}

/* The client's own rekeying is asked for here: an hour is too long for a run. */
static void renew(struct sim *sim) {
    struct sim_world *world = &sim->world;
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++) {
        struct lb_shield_peer *peer = &sim->boot.shield.peers[i];
        if (peer->state != LB_SHIELD_IS_UP)
            continue;
        if (sim_happens(world, SIM_IPSEC_RENEWED))
            lb_ike_rekey(&peer->ike, world->now_us);
        if (sim_happens(world, SIM_IPSEC_RENEWED_IKE))
            lb_ike_rekey_ike(&peer->ike, world->now_us);
    }
}

void sim_gate_tick(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_shield *shield = &sim->shield;
    if (sim_is_calm(world))
        return;
    if (shield->gate_count > 0 && sim_happens(world, SIM_GATE_RESTARTED))
        restart(sim, &shield->gates[sim_below(world, shield->gate_count)]);
    renew(sim);
    sim_after(world, sim_skewed(world, 10, TICK_MS_MAX) * LB_US_MS, SIM_GATE, 0, 0);
}

void sim_gate_init(struct sim *sim) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    if (!sim->plan.has_ipsec)
        return;
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)sim_random(&sim->world);
    lb_rand_init(&sim->shield.rand, seed);
    sim_after(&sim->world, sim_skewed(&sim->world, 10, TICK_MS_MAX) * LB_US_MS, SIM_GATE, 0, 0);
}

void sim_gate_free(struct sim *sim) {
    for (unsigned i = 0; i < sim->shield.gate_count; i++)
        for (unsigned k = 0; k < SIM_ASSOCIATIONS; k++)
            if (sim->shield.gates[i].associations[k].in_use)
                end(&sim->shield.gates[i].associations[k]);
}
