#include "core/boot/shield.h"

/* Keys are made anew long before their numbers end (RFC 4303 3.3.3), or GCM's counters do. */
#define NUMBERS_MAX (UINT64_C(1) << 31)

#define SHARED_US (1 * LB_US_SEC) /* then the host is asked again whether another has the keys */

void lb_shield_init(struct lb_shield *shield, struct lb_common *common, bool has_esp,
                    bool in_kernel) {
    memset(shield, 0, sizeof *shield);
    shield->common = common;
    shield->has_esp = has_esp;
    shield->in_kernel = in_kernel;
}

bool lb_shield_covers(const struct lb_shield *shield, bool is_discovery) {
    enum lb_plan_ipsec ipsec = shield->common->plan->ipsec;
    return ipsec == LB_PLAN_SHIELDS_ALL || (ipsec == LB_PLAN_SHIELDS_TARGET && !is_discovery);
}

/* ---- peers ---------------------------------------------------------------------------------- */

static const struct lb_shield_peer *find(const struct lb_shield *shield, struct lb_addr remote) {
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++)
        if (shield->peers[i].state != LB_SHIELD_FREE &&
            lb_addr_equal(shield->peers[i].remote, remote))
            return &shield->peers[i];
    return NULL;
}

static struct lb_shield_peer *peer_of(struct lb_shield *shield, struct lb_addr remote) {
    const struct lb_shield_peer *peer = find(shield, remote);
    return peer == NULL ? NULL : &shield->peers[peer - shield->peers];
}

static bool is_anothers(const struct lb_shield_peer *peer) {
    return peer->state == LB_SHIELD_IS_ANOTHERS;
}

static void enter(struct lb_shield_peer *peer, enum lb_shield_state state) {
    peer->state = state;
}

/* A pair of the kernel's is known here by its numbers alone. */
static void ask_unprotect(struct lb_shield *shield, const struct lb_shield_peer *peer,
                          uint32_t spi_or_0) {
    if (!shield->in_kernel)
        return;
    struct lb_boot_action *ask = lb_ask(shield->common, LB_BOOT_UNPROTECT);
    ask->to = (struct lb_endpoint){.addr = peer->remote};
    ask->spi = spi_or_0;
}

static void drop_pairs(struct lb_shield *shield, struct lb_shield_peer *peer) {
    for (size_t i = 0; i < peer->pair_count; i++) {
        ask_unprotect(shield, peer, peer->pairs[i].in.spi);
        lb_ipsec_end(&peer->pairs[i]);
    }
    peer->pair_count = 0;
}

static void forget(struct lb_shield *shield, struct lb_shield_peer *peer) {
    if (peer->is_protected)
        ask_unprotect(shield, peer, 0);
    lb_wipe(peer, sizeof *peer);
}

/* A place for one more: a free one, else that of the peer that nobody has wanted for longest. */
static struct lb_shield_peer *place(struct lb_shield *shield) {
    struct lb_shield_peer *oldest = &shield->peers[0];
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++) {
        struct lb_shield_peer *peer = &shield->peers[i];
        if (peer->state == LB_SHIELD_FREE)
            return peer;
        if (peer->wanted_us < oldest->wanted_us)
            oldest = peer;
    }
    forget(shield, oldest);
    return oldest;
}

static void fail(struct lb_shield *shield, uint64_t now_us, struct lb_shield_peer *peer) {
    drop_pairs(shield, peer);
    lb_report_end(shield->common->report, now_us, peer->step, LB_DONE_FAILED, "%s",
                  lb_code_word(peer->error.code));
    peer->step = LB_NO_STEP;
    enter(peer, LB_SHIELD_HAS_FAILED);
}

/* ---- what the engine asks ------------------------------------------------------------------- */

static enum lb_shield_says begin(struct lb_shield *shield, uint64_t now_us, struct lb_addr remote,
                                 struct lb_error *error) {
    if (!shield->has_esp) {
        lb_fail(error, LB_E_IPSEC_MISSING, "for %s", lb_addr_text(remote).s);
        return LB_SHIELD_FAILED;
    }
    struct lb_shield_peer *peer = place(shield);
    *peer = (struct lb_shield_peer){.remote = remote, .wanted_us = now_us};
    enter(peer, LB_SHIELD_ASKS_SOURCE);
    peer->step =
        lb_report_begin(shield->common->report, now_us, LB_STAGE_IPSEC,
                        (struct lb_endpoint){remote, LB_IKE_NAT_PORT}, "%s",
                        lb_config_text(shield->common->plan->config, LB_KEY_IPSEC_PEER_ID));
    lb_ask(shield->common, LB_BOOT_SOURCE)->to = (struct lb_endpoint){.addr = remote};
    return LB_SHIELD_WAIT;
}

/* Who has its keys may have ended since. */
static bool is_out_of_date(const struct lb_shield_peer *peer, uint64_t now_us) {
    return is_anothers(peer) && now_us >= peer->shared_us + SHARED_US;
}

enum lb_shield_says lb_shield_want(struct lb_shield *shield, uint64_t now_us, struct lb_addr remote,
                                   bool is_discovery, struct lb_error *error) {
    struct lb_shield_peer *peer = peer_of(shield, remote);
    if (!lb_shield_covers(shield, is_discovery))
        return LB_SHIELD_CLEAR;
    if (peer != NULL && is_out_of_date(peer, now_us)) {
        forget(shield, peer);
        peer = NULL;
    }
    if (peer == NULL)
        return begin(shield, now_us, remote, error);
    peer->wanted_us = now_us;
    switch (peer->state) {
    case LB_SHIELD_IS_UP:
    case LB_SHIELD_IS_ANOTHERS:
        return LB_SHIELD_UP;
    case LB_SHIELD_HAS_FAILED:
        *error = peer->error;
        forget(shield, peer);
        return LB_SHIELD_FAILED;
    case LB_SHIELD_FREE:
    case LB_SHIELD_ASKS_SOURCE:
    case LB_SHIELD_ASKS_PEER:
        break;
    }
    return LB_SHIELD_WAIT;
}

void lb_shield_why(const struct lb_shield *shield, struct lb_addr remote, struct lb_error *error) {
    const struct lb_shield_peer *peer = find(shield, remote);
    if (peer != NULL && peer->state == LB_SHIELD_HAS_FAILED)
        *error = peer->error;
    else
        lb_fail(error, LB_E_IPSEC_SILENT, "%s: no keys in time", lb_addr_text(remote).s);
}

struct lb_addr lb_shield_local(const struct lb_shield *shield, struct lb_addr remote) {
    const struct lb_shield_peer *peer = find(shield, remote);
    bool is_up = peer != NULL && (peer->state == LB_SHIELD_IS_UP || is_anothers(peer));
    return is_up ? peer->ike.config.local : (struct lb_addr){0};
}

/* ---- IKE ------------------------------------------------------------------------------------ */

static uint32_t slot_of(enum lb_family family) {
    return family == LB_V4 ? LB_BOOT_SLOT_IPSEC4 : LB_BOOT_SLOT_IPSEC6;
}

static void open_slot(struct lb_shield *shield, struct lb_addr local) {
    bool *is_open = local.family == LB_V4 ? &shield->is_open4 : &shield->is_open6;
    if (*is_open)
        return;
    struct lb_boot_action *ask = lb_ask(shield->common, LB_BOOT_OPEN);
    ask->slot = slot_of(local.family);
    ask->kind = LB_KIND_UDP;
    ask->from = (struct lb_endpoint){.addr = local, .port = LB_IKE_NAT_PORT};
    *is_open = true;
}

static void close_slot(struct lb_shield *shield, bool *is_open, uint32_t slot) {
    if (*is_open)
        lb_ask(shield->common, LB_BOOT_CLOSE)->slot = slot;
    *is_open = false;
}

/* Servers may be one machine, by another address of it. */
static bool is_second(const struct lb_shield *shield, const struct lb_shield_peer *peer) {
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++)
        if (&shield->peers[i] != peer && shield->peers[i].pair_count > 0)
            return true;
    return shield->has_others;
}

static void ask_peer(struct lb_shield *shield, uint64_t now_us, struct lb_shield_peer *peer,
                     struct lb_addr local) {
    const struct lb_config *config = shield->common->plan->config;
    bool is_transport = lb_streq(lb_config_text(config, LB_KEY_IPSEC_MODE), "transport");
    struct lb_ike_config ike = {
        .psk = lb_config_secret(config, LB_KEY_IPSEC_PSK),
        .id = lb_config_text(config, LB_KEY_IPSEC_ID),
        .peer_id = lb_config_text(config, LB_KEY_IPSEC_PEER_ID),
        .local = local,
        .remote = peer->remote,
        .mode = is_transport ? LB_IPSEC_TRANSPORT : LB_IPSEC_TUNNEL,
        .selector = {.local = local,
                     .remote = peer->remote,
                     .local_last = UINT16_MAX,
                     .remote_last = UINT16_MAX},
        .no_ports = true,
        .is_second = is_second(shield, peer),
        .in_udp = !shield->in_kernel,
        .give_up_s = LB_SHIELD_GIVE_UP_S,
        .key_pair = &shield->key_pair,
    };
    lb_ike_init(&peer->ike, now_us, &ike, shield->common->rand, shield->common->trace);
    enter(peer, LB_SHIELD_ASKS_PEER);
    open_slot(shield, local);
}

void lb_shield_source(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                      struct lb_addr from) {
    struct lb_shield_peer *peer = peer_of(shield, to);
    if (peer == NULL || peer->state != LB_SHIELD_ASKS_SOURCE)
        return;
    if (from.family == to.family) {
        ask_peer(shield, now_us, peer, from);
        return;
    }
    lb_fail(&peer->error, LB_E_CONNECT_UNREACHABLE, "no address of ours leads to %s",
            lb_addr_text(to).s);
    fail(shield, now_us, peer);
}

void lb_shield_not_alone(struct lb_shield *shield) {
    shield->has_others = true;
}

void lb_shield_guarded(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                       struct lb_addr from) {
    struct lb_shield_peer *peer = peer_of(shield, to);
    if (peer == NULL || peer->state != LB_SHIELD_ASKS_SOURCE)
        return;
    peer->ike.config.local = from;
    peer->shared_us = now_us;
    enter(peer, LB_SHIELD_IS_ANOTHERS);
    lb_report_end(shield->common->report, now_us, peer->step, LB_DONE_OK,
                  "the kernel protects it already, by the keys of lunboot-ike");
    peer->step = LB_NO_STEP;
}

void lb_shield_no_keys(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                       const struct lb_error *error) {
    struct lb_shield_peer *peer = peer_of(shield, to);
    if (peer == NULL || peer->state != LB_SHIELD_ASKS_SOURCE)
        return;
    peer->error = *error;
    fail(shield, now_us, peer);
}

void lb_shield_datagram(struct lb_shield *shield, uint64_t now_us, struct lb_endpoint from,
                        struct lb_bytes bytes) {
    struct lb_shield_peer *peer = peer_of(shield, from.addr);
    uint8_t copy[4 + LB_IKE_MESSAGE_MAX]; /* it is decrypted in place */
    if (peer == NULL || (peer->state != LB_SHIELD_ASKS_PEER && peer->state != LB_SHIELD_IS_UP) ||
        bytes.len > sizeof copy)
        return;
    struct lb_endpoint to = {.addr = peer->ike.config.local, .port = LB_IKE_NAT_PORT};
    memcpy(copy, bytes.p, bytes.len);
    (void)lb_ike_input(&peer->ike, now_us, from, to, lb_span(copy, bytes.len));
    lb_wipe(copy, sizeof copy);
}

static void take_pair(struct lb_shield *shield, uint64_t now_us, struct lb_shield_peer *peer,
                      const struct lb_ipsec_terms *terms) {
    if (peer->pair_count == LB_SHIELD_PAIRS) {
        ask_unprotect(shield, peer, peer->pairs[0].in.spi);
        lb_ipsec_end(&peer->pairs[0]);
        memmove(&peer->pairs[0], &peer->pairs[1], sizeof peer->pairs - sizeof peer->pairs[0]);
        peer->pair_count--;
    }
    if (shield->in_kernel)
        peer->pairs[peer->pair_count++] = (struct lb_ipsec){.in.spi = terms->in_spi};
    else
        lb_ipsec_begin(&peer->pairs[peer->pair_count++], terms);
    enter(peer, LB_SHIELD_IS_UP);
    lb_report_end(shield->common->report, now_us, peer->step, LB_DONE_OK, "%s mode, AES-GCM-%u%s",
                  terms->mode == LB_IPSEC_TUNNEL ? "tunnel" : "transport",
                  (unsigned)(terms->key_len - 4) * 8, terms->has_esn ? ", long numbers" : "");
    peer->step = LB_NO_STEP;
}

static void drop_pair(struct lb_shield *shield, struct lb_shield_peer *peer, uint32_t in_spi) {
    size_t kept = 0;
    ask_unprotect(shield, peer, in_spi);
    for (size_t i = 0; i < peer->pair_count; i++)
        if (peer->pairs[i].in.spi != in_spi)
            peer->pairs[kept++] = peer->pairs[i];
    for (size_t i = kept; i < peer->pair_count; i++)
        lb_ipsec_end(&peer->pairs[i]);
    peer->pair_count = kept;
}

/* A peer that was there and is gone is asked again at once: a connection may still be open, and its
 * packets wait (RFC 7146 3). */
static void lose(struct lb_shield *shield, uint64_t now_us, struct lb_shield_peer *peer) {
    bool was_up = peer->state == LB_SHIELD_IS_UP;
    peer->error = peer->ike.error;
    struct lb_addr local = peer->ike.config.local;
    lb_ike_end(&peer->ike);
    if (!was_up) {
        fail(shield, now_us, peer);
        return;
    }
    drop_pairs(shield, peer);
    lb_report_learned(shield->common->report, now_us, LB_STAGE_IPSEC, "warning",
                      lb_addr_text(peer->remote).s, "%s: %s", lb_code_word(peer->error.code),
                      peer->error.facts);
    lb_error_clear(&peer->error);
    ask_peer(shield, now_us, peer, local);
}

static void keep_numbers(struct lb_shield_peer *peer, uint64_t now_us) {
    if (peer->state == LB_SHIELD_IS_UP && peer->pair_count > 0 &&
        peer->pairs[peer->pair_count - 1].sealed >= NUMBERS_MAX)
        lb_ike_rekey(&peer->ike, now_us);
}

static enum lb_turn peer_turn(struct lb_shield *shield, uint64_t now_us,
                              struct lb_shield_peer *peer, struct lb_boot_action *action) {
    if (peer->state != LB_SHIELD_ASKS_PEER && peer->state != LB_SHIELD_IS_UP)
        return LB_TURN_IDLE;
    keep_numbers(peer, now_us);
    struct lb_ike_action did = lb_ike_poll(&peer->ike, now_us);
    switch (did.event) {
    case LB_IKE_WAIT:
        lb_until(shield->common, did.until_us);
        return LB_TURN_IDLE;
    case LB_IKE_SEND:
        *action = (struct lb_boot_action){.event = LB_BOOT_SEND,
                                          .slot = slot_of(did.to.addr.family),
                                          .bytes = did.bytes,
                                          .from = did.from,
                                          .to = did.to};
        return LB_TURN_ACT;
    case LB_IKE_UP:
        take_pair(shield, now_us, peer, did.terms);
        if (!shield->in_kernel)
            return LB_TURN_AGAIN;
        peer->is_protected = true;
        *action = (struct lb_boot_action){
            .event = LB_BOOT_PROTECT, .terms = did.terms, .to.addr = peer->remote};
        return LB_TURN_ACT;
    case LB_IKE_GONE:
        drop_pair(shield, peer, did.spi);
        return LB_TURN_AGAIN;
    case LB_IKE_FAILED:
        lose(shield, now_us, peer);
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

/* The first exchange's key pair costs the most: it is made while the network is waited for. */
static void prepare(struct lb_shield *shield) {
    if (!shield->has_prepared && shield->has_esp && lb_shield_covers(shield, false))
        lb_dh_init(&shield->key_pair, LB_DH_X25519, shield->common->rand);
    shield->has_prepared = true;
}

enum lb_turn lb_shield_turn(struct lb_shield *shield, uint64_t now_us,
                            struct lb_boot_action *action) {
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++) {
        enum lb_turn did = peer_turn(shield, now_us, &shield->peers[i], action);
        if (did != LB_TURN_IDLE)
            return did;
    }
    prepare(shield);
    return LB_TURN_IDLE;
}

/* ---- packets -------------------------------------------------------------------------------- */

struct lb_bytes lb_shield_seal(struct lb_shield *shield, struct lb_bytes packet,
                               struct lb_span room, struct lb_endpoint *to) {
    for (size_t i = 0; i < LB_SHIELD_PEERS && !shield->in_kernel; i++) {
        struct lb_shield_peer *peer = &shield->peers[i];
        struct lb_ipsec *newest = &peer->pairs[peer->pair_count - (peer->pair_count > 0)];
        if (peer->pair_count == 0 || !lb_ipsec_selects(&newest->terms.selector, packet, true))
            continue;
        size_t head = newest->terms.local.addr.family == LB_V4 ? 28 : LB_IPSEC_HEAD_MAX;
        struct lb_bytes sealed = lb_ipsec_seal(newest, packet, room);
        *to = newest->terms.remote;
        return sealed.len > head ? lb_bytes_after(sealed, head) : lb_bytes(room.p, 0);
    }
    shield->refused_out++;
    return lb_bytes(room.p, 0);
}

struct lb_bytes lb_shield_open(struct lb_shield *shield, struct lb_endpoint from,
                               struct lb_span esp) {
    struct lb_shield_peer *peer = peer_of(shield, from.addr);
    struct lb_rd rd = lb_rd(lb_bytes(esp.p, esp.len));
    uint32_t spi = lb_rd_u32(&rd);
    for (size_t i = 0; peer != NULL && !shield->in_kernel && i < peer->pair_count; i++)
        if (peer->pairs[i].in.spi == spi)
            return lb_ipsec_open_esp(&peer->pairs[i], esp);
    shield->refused_in++;
    return lb_bytes(esp.p, 0);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void say_goodbye(struct lb_shield *shield, uint64_t now_us, size_t number) {
    struct lb_ike *ike = &shield->peers[number].ike;
    lb_ike_close(ike, now_us);
    struct lb_ike_action did = lb_ike_poll(ike, now_us);
    if (did.event != LB_IKE_SEND || did.bytes.len > sizeof shield->byes[number])
        return;
    struct lb_boot_action *ask = lb_ask(shield->common, LB_BOOT_SEND);
    memcpy(shield->byes[number], did.bytes.p, did.bytes.len);
    ask->slot = slot_of(did.to.addr.family);
    ask->bytes = lb_bytes(shield->byes[number], did.bytes.len);
    ask->from = did.from;
    ask->to = did.to;
}

/* What is handed over is not forgotten, but left alone. */
bool lb_shield_hand_over(struct lb_shield *shield, struct lb_addr remote, struct lb_ike *ike) {
    struct lb_shield_peer *peer = peer_of(shield, remote);
    if (peer == NULL || !peer->is_protected || peer->state == LB_SHIELD_HAS_FAILED)
        return false;
    *ike = peer->ike;
    lb_wipe(peer, sizeof *peer);
    return true;
}

void lb_shield_stop(struct lb_shield *shield, uint64_t now_us) {
    for (size_t i = 0; i < LB_SHIELD_PEERS; i++) {
        struct lb_shield_peer *peer = &shield->peers[i];
        if (peer->state == LB_SHIELD_IS_UP)
            say_goodbye(shield, now_us, i);
        if (peer->state != LB_SHIELD_FREE)
            lb_report_end(shield->common->report, now_us, peer->step, LB_DONE_FAILED, "stopped");
        forget(shield, peer);
    }
    lb_wipe(&shield->key_pair, sizeof shield->key_pair);
    close_slot(shield, &shield->is_open4, LB_BOOT_SLOT_IPSEC4);
    close_slot(shield, &shield->is_open6, LB_BOOT_SLOT_IPSEC6);
}
