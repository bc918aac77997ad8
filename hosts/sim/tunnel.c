/* Packets of protected connections. A part of a stream is a TCP segment in its IP packet, which one
 * end seals and the other opens; between them it may be lost, come late, twice, or changed. What
 * does not come through stays in the stream, and is sent again, as TCP does.
 *
 * A witness on the wire looks at all that is sealed: no number twice under a key, nothing that can
 * be read, nothing that is taken a second time. */
#include "hosts/sim/sim.h"
#include <string.h>

#define SEGMENT_MAX  1360
#define RETRY_US     (200 * LB_US_MS)
#define RETRY_US_MAX (3 * LB_US_SEC)
#define SHOWN        32 /* bytes of plain text that would be recognised */
#define IV_AT        8  /* of ESP */

/* ---- the witness ----------------------------------------------------------------------------- */

void sim_tunnel_keys(struct sim *sim, const struct lb_ipsec_terms *terms, const uint8_t sk_d[32]) {
    struct sim_shield *shield = &sim->shield;
    const uint8_t *keys[] = {terms->out_key, terms->in_key, sk_d};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        char *to = shield->keys[shield->key_count++ % SIM_KEYS];
        struct lb_text hex = lb_text(to, sizeof shield->keys[0]);
        lb_text_hex(&hex, lb_bytes(keys[i], SIM_KEY_BYTES));
    }
}

/* Of a key even a quarter is too much. */
void sim_tunnel_check_line(struct sim *sim, const char *line) {
    size_t count = LB_MIN(sim->shield.key_count, SIM_KEYS);
    for (size_t i = 0; i < count; i++)
        if (strstr(line, sim->shield.keys[i]) != NULL)
            sim_violation(&sim->world, "a key is shown");
}

/* A name for whatever has a key of its own, and the next number under it. Numbers only grow. */
static void count(struct sim *sim, uint64_t name, uint64_t number, uint64_t digest,
                  const char *what) {
    struct sim_shield *shield = &sim->shield;
    size_t i = 0;
    while (i < shield->counter_count && shield->counters[i].name != name)
        i++;
    if (i == SIM_COUNTERS)
        return;
    struct sim_counter *at = &shield->counters[i];
    bool is_new = i == shield->counter_count;
    if (is_new)
        *at = (struct sim_counter){.name = name};
    shield->counter_count += is_new;
    if (is_new || number > at->number) {
        at->number = number;
        at->digests[number % LB_COUNT(at->digests)] = digest;
        return;
    }
    /* What is sent again must be the same to the last bit. */
    bool is_known = digest != 0 && at->number - number < LB_COUNT(at->digests) &&
                    at->digests[number % LB_COUNT(at->digests)] == digest;
    if (!is_known)
        sim_violation(&sim->world, "%s: number %llu is used twice under a key", what,
                      (unsigned long long)number);
}

static uint64_t digest_of(struct lb_bytes bytes) {
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++)
        digest = (digest ^ bytes.p[i]) * UINT64_C(0x100000001b3);
    return digest | 1;
}

void sim_tunnel_ike(struct sim *sim, bool is_up, struct lb_bytes bytes) {
    struct lb_rd rd = lb_rd(bytes);
    lb_rd_skip(&rd, 4); /* the zeros of port 4500 */
    uint64_t spi_i = lb_rd_u64(&rd), spi_r = lb_rd_u64(&rd);
    uint8_t next = lb_rd_u8(&rd);
    lb_rd_skip(&rd, LB_IKE_HEADER_BYTES - 17 + LB_IKE_GENERIC_BYTES);
    uint64_t iv = lb_rd_u64(&rd);
    struct lb_bytes message = lb_bytes_after(bytes, LB_MIN(bytes.len, 4));
    sim_check_sent(sim, bytes);
    if (lb_rd_ok(&rd) && next == LB_IKE_P_SK)
        count(sim, spi_i ^ (spi_r << 1 | is_up), iv, digest_of(message), "IKE");
}

static bool contains(struct lb_bytes bytes, struct lb_bytes part) {
    for (size_t at = 0; at + part.len <= bytes.len; at++)
        if (memcmp(bytes.p + at, part.p, part.len) == 0)
            return true;
    return false;
}

static void witness(struct sim *sim, const struct sim_sealed *sealed, struct lb_bytes data) {
    struct lb_bytes esp = lb_bytes(sealed->bytes, sealed->len);
    struct lb_rd rd = lb_rd(esp);
    uint64_t spi = lb_rd_u32(&rd), low = lb_rd_u32(&rd), iv = lb_rd_u64(&rd);
    if (!lb_rd_ok(&rd) || (uint32_t)iv != low)
        sim_violation(&sim->world, "ESP that is none, of %zu bytes", esp.len);
    count(sim, spi << 1 | sealed->is_up, iv, 0, "ESP");
    if (data.len >= SHOWN && contains(esp, lb_bytes(data.p, SHOWN)))
        sim_violation(&sim->world, "what is sealed can be read");
}

/* ---- sealing and opening --------------------------------------------------------------------- */

static struct lb_bytes packet_of(const struct sim_conn *conn, bool is_up, struct lb_bytes data,
                                 struct lb_span room) {
    struct lb_endpoint from = is_up ? conn->from : conn->to, to = is_up ? conn->to : conn->from;
    const struct sim_pipe *pipe = is_up ? &conn->up : &conn->down;
    struct lb_wr wr = lb_wr(room);
    uint16_t len = (uint16_t)(20 + data.len);
    if (to.addr.family == LB_V4) {
        lb_wr_u16(&wr, 0x4500);
        lb_wr_u16(&wr, (uint16_t)(len + 20));
        lb_wr_u32(&wr, 0x00004000);
        lb_wr_u32(&wr, 0x40060000);
    } else {
        lb_wr_u32(&wr, 0x60000000);
        lb_wr_u16(&wr, len);
        lb_wr_u16(&wr, 0x0640);
    }
    lb_wr_addr(&wr, from.addr);
    lb_wr_addr(&wr, to.addr);
    lb_wr_u16(&wr, from.port);
    lb_wr_u16(&wr, to.port);
    lb_wr_u32(&wr, (uint32_t)(is_up ? pipe->written : pipe->read));
    lb_wr_u32(&wr, 0);
    lb_wr_u64(&wr, 0x5018200000000000);
    lb_wr_bytes(&wr, data);
    lb_assert(lb_wr_ok(&wr));
    return lb_wr_done(&wr);
}

static struct lb_ipsec *newest(struct sim_gate *gate) {
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++) {
        struct sim_association *at = &gate->associations[i];
        if (at->in_use && at->is_up && at->pair_count > 0)
            return &at->pairs[at->pair_count - 1];
    }
    return NULL;
}

static struct lb_bytes seal(struct sim *sim, struct sim_gate *gate, bool is_up,
                            struct lb_bytes packet, struct lb_span room) {
    struct lb_endpoint to = {0};
    struct lb_ipsec *pair = newest(gate);
    if (is_up) {
        struct lb_bytes sealed = lb_boot_seal(&sim->boot, packet, room, &to);
        if (sealed.len > 0 && !lb_addr_equal(to.addr, gate->addr))
            sim_violation(&sim->world, "a packet for %s is sealed for %s",
                          lb_addr_text(gate->addr).s, lb_addr_text(to.addr).s);
        return sealed;
    }
    struct lb_bytes whole = pair == NULL ? lb_bytes(NULL, 0) : lb_ipsec_seal(pair, packet, room);
    size_t head = gate->addr.family == LB_V4 ? 28 : 48; /* IP and UDP */
    return whole.len > head ? lb_bytes_after(whole, head) : lb_bytes(NULL, 0);
}

static struct lb_bytes open_at_gate(struct sim_gate *gate, struct lb_span esp) {
    struct lb_rd rd = lb_rd(lb_bytes(esp.p, esp.len));
    uint32_t spi = lb_rd_u32(&rd);
    for (unsigned i = 0; i < SIM_ASSOCIATIONS; i++) {
        struct sim_association *at = &gate->associations[i];
        for (size_t k = 0; at->in_use && k < at->pair_count; k++)
            if (at->pairs[k].in.spi == spi)
                return lb_ipsec_open_esp(&at->pairs[k], esp);
    }
    return lb_bytes(NULL, 0);
}

/* The packet in it, in memory that the next call uses again; empty: it is not taken. */
static struct lb_bytes open(struct sim *sim, bool is_up, struct lb_addr gate_at,
                            struct lb_bytes esp) {
    uint8_t *room = sim->shield.room + LB_IPSEC_HEAD_MAX;
    struct lb_endpoint from = {.addr = gate_at, .port = LB_IKE_NAT_PORT};
    struct sim_gate *gate = sim_gate_at(sim, gate_at);
    memcpy(room, esp.p, esp.len);
    if (is_up)
        return gate == NULL || sim->world.now_us < gate->down_until_us
                   ? lb_bytes(NULL, 0)
                   : open_at_gate(gate, lb_span(room, esp.len));
    return lb_boot_open(&sim->boot, from, lb_span(room, esp.len));
}

/* ---- the wire -------------------------------------------------------------------------------- */

/* One that was seen before comes again: it may be taken once at most. */
static struct lb_bytes arrive(struct sim *sim, struct sim_sealed *sealed) {
    struct lb_bytes packet =
        open(sim, sealed->is_up, sealed->gate, lb_bytes(sealed->bytes, sealed->len));
    if (packet.len == 0)
        return packet;
    if (sealed->was_taken)
        sim_violation(&sim->world, "a replay is accepted, %s", sealed->is_up ? "up" : "down");
    sealed->was_taken = true;
    return packet;
}

static struct sim_sealed *any_sealed(struct sim *sim) {
    size_t known = LB_MIN(sim->shield.sealed_next, SIM_SEALED);
    return known == 0 ? NULL : &sim->shield.sealed[sim_below(&sim->world, (uint32_t)known)];
}

static void forge(struct sim *sim, const struct sim_sealed *sealed) {
    uint8_t copy[sizeof sealed->bytes];
    size_t len = sealed->len;
    memcpy(copy, sealed->bytes, len);
    if (sim_one_in(&sim->world, 4))
        len = sim_below(&sim->world, (uint32_t)len);
    else if (sim_one_in(&sim->world, 2))
        sim_spoil(&sim->world, lb_span(copy, len), 4);
    else
        copy[4 + sim_below(&sim->world, 4)] ^= 1; /* another number */
    if (len == sealed->len && memcmp(copy, sealed->bytes, len) == 0)
        return;
    if (open(sim, sealed->is_up, sealed->gate, lb_bytes(copy, len)).len > 0)
        sim_violation(&sim->world, "forged ESP is taken, %s", sealed->is_up ? "up" : "down");
}

/* An enemy on the wire. */
static void attack(struct sim *sim) {
    struct sim_sealed *old = any_sealed(sim);
    if (old != NULL && sim_happens(&sim->world, SIM_ESP_REPLAYED))
        arrive(sim, old);
    old = any_sealed(sim);
    if (old != NULL && sim_happens(&sim->world, SIM_ESP_FORGED))
        forge(sim, old);
}

void sim_tunnel_event(struct sim *sim, const struct sim_event *event) {
    struct sim_sealed *sealed = &sim->shield.sealed[event->a % SIM_SEALED];
    if (sealed->serial == event->b)
        arrive(sim, sealed);
}

static struct sim_sealed *keep(struct sim *sim, bool is_up, struct lb_addr gate,
                               struct lb_bytes esp) {
    struct sim_shield *shield = &sim->shield;
    struct sim_sealed *at = &shield->sealed[shield->sealed_next % SIM_SEALED];
    *at = (struct sim_sealed){
        .is_up = is_up, .gate = gate, .len = esp.len, .serial = (uint32_t)shield->sealed_next++};
    lb_assert(esp.len <= sizeof at->bytes);
    memcpy(at->bytes, esp.p, esp.len);
    return at;
}

/* Whether the packet comes through now. */
static bool cross(struct sim *sim, struct sim_sealed *sealed, struct lb_bytes data) {
    struct sim_world *world = &sim->world;
    attack(sim);
    if (!sim->link_up || world->now_us < world->dark_until_us || sim_happens(world, SIM_ESP_LOST))
        return false;
    if (sim_happens(world, SIM_ESP_LATE)) {
        sim_after(world, sim_skewed(world, 1, 5000) * LB_US_MS, SIM_ESP, sealed->serial,
                  sealed->serial);
        return false;
    }
    struct lb_bytes packet = arrive(sim, sealed);
    if (packet.len == 0)
        return false;
    if (packet.len < data.len ||
        (data.len > 0 && memcmp(packet.p + packet.len - data.len, data.p, data.len) != 0))
        sim_violation(world, "what is opened is not what was sealed");
    if (sim_happens(world, SIM_ESP_TWICE))
        arrive(sim, sealed);
    return true;
}

/* ---- connections ----------------------------------------------------------------------------- */

void sim_tunnel_connect(struct sim *sim, struct sim_conn *conn,
                        const struct lb_boot_action *action) {
    bool is_disk = action->slot == LB_BOOT_SLOT_SESSION || action->slot == LB_BOOT_SLOT_TARGETS;
    bool is_discovery = action->slot == LB_BOOT_SLOT_ISNS || action->slot == LB_BOOT_SLOT_SLP_TCP;
    bool is_covered = sim->plan.has_ipsec && (is_disk || (is_discovery && sim->plan.ipsec_all));
    conn->is_protected = action->is_protected;
    conn->from = (struct lb_endpoint){.addr = action->from.addr,
                                      .port = (uint16_t)(49152 + conn->number % 16384)};
    conn->to = action->to;
    memset(conn->lost, 0, sizeof conn->lost);
    memset(conn->again_us, 0, sizeof conn->again_us);
    if (is_covered && !action->is_protected)
        sim_violation(&sim->world, "a connection to %s in clear", lb_endpoint_text(action->to).s);
    if (action->is_protected && action->from.addr.family != action->to.addr.family)
        sim_violation(&sim->world, "a protected connection from nowhere");
}

static bool wait_again(struct sim *sim, struct sim_conn *conn, bool is_up) {
    uint64_t wait_us = RETRY_US << LB_MIN(conn->lost[is_up], 4);
    conn->lost[is_up]++;
    conn->again_us[is_up] = sim->world.now_us + LB_MIN(wait_us, RETRY_US_MAX);
    sim_at(&sim->world, conn->again_us[is_up], SIM_STREAM, conn->number, 0,
           (struct lb_bytes){NULL, 0});
    return false;
}

/* A segment with the data, once. */
static bool pass(struct sim *sim, struct sim_conn *conn, bool is_up, struct lb_bytes data) {
    uint8_t packet_room[SEGMENT_MAX + 60], room[SEGMENT_MAX + 60 + LB_IPSEC_OVERHEAD_MAX];
    struct sim_gate *gate = sim_gate_at(sim, conn->to.addr);
    if (gate == NULL || sim->world.now_us < conn->again_us[is_up])
        return false;
    struct lb_bytes packet = packet_of(conn, is_up, data, lb_span(packet_room, sizeof packet_room));
    struct lb_bytes esp = seal(sim, gate, is_up, packet, lb_span(room, sizeof room));
    if (esp.len == 0)
        return wait_again(sim, conn, is_up);
    struct sim_sealed *sealed = keep(sim, is_up, gate->addr, esp);
    witness(sim, sealed, data);
    if (!cross(sim, sealed, data))
        return wait_again(sim, conn, is_up);
    conn->lost[is_up] = 0;
    return true;
}

bool sim_tunnel_greets(struct sim *sim, struct sim_conn *conn) {
    return pass(sim, conn, true, lb_bytes(NULL, 0)) && pass(sim, conn, false, lb_bytes(NULL, 0));
}

size_t sim_tunnel_up(struct sim *sim, struct sim_conn *conn, const struct lb_bytes *pieces,
                     size_t count, size_t most) {
    uint8_t data[SEGMENT_MAX];
    size_t len = 0;
    most = LB_MIN(most, sizeof data);
    for (size_t i = 0; i < count && len < most; i++) {
        size_t part = LB_MIN(pieces[i].len, most - len);
        memcpy(data + len, pieces[i].p, part);
        len += part;
    }
    return len > 0 && pass(sim, conn, true, lb_bytes(data, len)) ? len : 0;
}

size_t sim_tunnel_down(struct sim *sim, struct sim_conn *conn, size_t most) {
    uint8_t data[SEGMENT_MAX];
    size_t len = LB_MIN(most, sizeof data);
    sim_pipe_peek(&conn->down, data, len);
    return len > 0 && pass(sim, conn, false, lb_bytes(data, len)) ? len : 0;
}

void sim_tunnel_check_datagram(struct sim *sim, const struct lb_boot_action *action) {
    uint16_t port = action->to.port;
    bool is_discovery = port == LB_SLP_PORT || port == LB_ISNS_PORT;
    if (sim->plan.has_ipsec && sim->plan.ipsec_all && is_discovery)
        sim_violation(&sim->world, "a datagram to %s in clear", lb_endpoint_text(action->to).s);
    if (sim_gate_is_slot(action->slot))
        sim_tunnel_ike(sim, true, action->bytes);
}
