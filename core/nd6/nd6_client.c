/* The host's side of router discovery, RFC 4861 6.3, and stateless addresses, RFC 4862.
 *
 *      init                      an advertisement
 *        |          +----------------------------------------------+
 *        |          |                                              v
 *        +--> SOLICITING --- solicit_count, or give_up ---> QUIET --> HEARD
 *             a solicitation     without an answer:        as before,  | the last default
 *             each retry_ms      NO_ROUTER                 ever slower | router's time is over:
 *                                                             ^        | they are asked again
 *                                                             |        v
 *                                                             +------ (HEARD, soliciting)
 *
 *   Any -> STOPPED: nobody lets us have a link-local address (LOST, with an error).
 *
 * Beside that each address is a claim, the link-local one and one for each autonomous prefix:
 *
 *   NEW -- PROBE --> PROBING -- nobody has it --> OURS
 *    ^                  |                           |
 *    +--- another id ---+---- somebody has it ------+     after three other ids: REFUSED */
#include "core/nd6/nd6_client.h"
#include "core/base/pace.h"

#define RETRY_MS        1000
#define RETRY_MAX_US    (3600 * LB_US_SEC) /* RFC 7559 2.1: SOL_MAX_RT, MRT */
#define SOLICIT_COUNT   4
#define CONFLICTS_MAX   4               /* the first id and RFC 7217's three further ones */
#define PROBE_ANSWER_US (5 * LB_US_SEC) /* a host that does not answer about its probe by then */
#define TOLD_PAUSE_US   LB_US_SEC
#define JITTER_PART     10 /* RFC 7559 2: a tenth more or less */

static const char *state_word(enum lb_nd6_state state) {
    switch (state) {
    case LB_ND6_SOLICITING:
        return "SOLICITING";
    case LB_ND6_QUIET:
        return "QUIET";
    case LB_ND6_HEARD:
        return "HEARD";
    case LB_ND6_STOPPED:
        return "STOPPED";
    }
    return "?";
}

static struct lb_addr link_prefix(void) {
    static const uint8_t bytes[16] = {0xfe, 0x80};
    return lb_addr_v6_bytes(bytes);
}

static struct lb_addr all_routers(void) {
    static const uint8_t bytes[16] = {0xff, 2, [15] = 2};
    return lb_addr_v6_bytes(bytes);
}

/* ---- states ---- */

static void enter(struct lb_nd6_client *client, uint64_t now_us, enum lb_nd6_state state) {
    if (state != client->state)
        lb_trace(client->trace, now_us, "nd6", "%s -> %s", state_word(client->state),
                 state_word(state));
    client->state = state;
    if (state == LB_ND6_HEARD || state == LB_ND6_STOPPED) {
        client->send_due = false;
        client->solicit_us = client->give_up_us = LB_NEVER;
    }
}

static uint64_t jittered(struct lb_nd6_client *client, uint64_t us) {
    uint32_t part = (uint32_t)LB_MIN(us / JITTER_PART, (uint64_t)UINT32_MAX / 4);
    return us - part + lb_rand_below(client->rand, 2 * part + 1);
}

/* Asks the routers, now and again. */
static void solicit_anew(struct lb_nd6_client *client, uint64_t now_us) {
    client->sent = 1;
    client->retry_us = (client->config.retry_ms ? client->config.retry_ms : RETRY_MS) * LB_US_MS;
    client->send_due = true;
    client->solicit_us = now_us + jittered(client, client->retry_us);
}

static unsigned solicit_count(const struct lb_nd6_client *client) {
    return client->config.solicit_count ? client->config.solicit_count : SOLICIT_COUNT;
}

static void be_quiet(struct lb_nd6_client *client, uint64_t now_us) {
    enter(client, now_us, LB_ND6_QUIET);
    client->give_up_us = LB_NEVER;
    client->no_router_due = true;
}

/* The time for another solicitation, or for saying that nobody is there. */
static void solicit_late(struct lb_nd6_client *client, uint64_t now_us) {
    if (client->state == LB_ND6_SOLICITING && client->sent >= solicit_count(client))
        be_quiet(client, now_us);
    if (client->sent >= solicit_count(client))
        client->retry_us = lb_pace(client->retry_us, RETRY_MAX_US, 1);
    client->sent++;
    client->send_due = true;
    client->solicit_us = now_us + jittered(client, client->retry_us);
}

static bool is_set_up(const struct lb_nd6_info *info) {
    return info->address_count > 0;
}

/* Works out anew what a caller sees, and what to tell it. */
static void refresh(struct lb_nd6_client *client, uint64_t now_us) {
    struct lb_nd6_info before = client->info;
    lb_nd6_tables_show(client, &client->info);
    if (is_set_up(&before) && !is_set_up(&client->info))
        client->lost_due = true;
    /* New lifetimes alone are told once a second at most: a flood of advertisements is not to
     * become one of configurations. */
    if (!client->got_due || !lb_nd6_info_is_same(&before, &client->info))
        client->got_after_us =
            lb_nd6_info_is_same(&before, &client->info) ? client->told_us + TOLD_PAUSE_US : now_us;
    client->got_due = true;
    if (before.router_count > 0 && client->info.router_count == 0)
        solicit_anew(client, now_us);
}

/* ---- addresses ---- */

static struct lb_nd6_claim *find_claim(struct lb_nd6_client *client, struct lb_addr addr) {
    if (lb_addr_equal(client->link_local.addr, addr))
        return &client->link_local;
    for (size_t i = 0; i < client->claim_count; i++) {
        if (lb_addr_equal(client->claims[i].addr, addr))
            return &client->claims[i];
    }
    return NULL;
}

/* Another interface identifier: a random one, as of RFC 8981, which is none of those that are
 * reserved (RFC 5453): not zero, without the universal bit, not beginning with FDFF. */
static void choose_another(struct lb_nd6_client *client, struct lb_nd6_claim *claim) {
    lb_rand_fill(client->rand, lb_span(claim->addr.bytes + 8, 8));
    claim->addr.bytes[8] &= 0x7d;
    claim->addr.bytes[15] |= 1;
    claim->phase = LB_ND6_CLAIM_NEW;
}

/* RFC 4862 5.4.5: without a link-local address there is no IPv6 on this link. */
static void stop(struct lb_nd6_client *client, uint64_t now_us) {
    lb_fail(&client->error, LB_E_ADDRESS_CONFLICT, "%s and %u others, link-local addresses",
            lb_addr_text(lb_nd6_eui64(link_prefix(), client->config.mac)).s, CONFLICTS_MAX - 1);
    enter(client, now_us, LB_ND6_STOPPED);
    client->claim_count = client->speaker_count = client->on_link_count = 0;
    client->route_count = client->resolver_count = client->domain_count = 0;
    lb_nd6_tables_show(client, &client->info);
    client->got_due = client->no_router_due = false;
    client->lost_due = true;
}

static void conflict_of(struct lb_nd6_client *client, uint64_t now_us, struct lb_nd6_claim *claim) {
    lb_trace(client->trace, now_us, "nd6", "%s is in use by another machine",
             lb_addr_text(claim->addr).s);
    claim->conflicts++;
    if (claim->conflicts < CONFLICTS_MAX) {
        choose_another(client, claim);
        return;
    }
    claim->phase = LB_ND6_CLAIM_REFUSED;
    if (claim == &client->link_local)
        stop(client, now_us);
}

/* A router that was asked from :: may keep its answer back, for it must go to everybody (RFC 4861
 * 6.2.6), or may have had no time to hear us: now that there is an address it is asked from
 * there. */
static void ours(struct lb_nd6_client *client, uint64_t now_us, struct lb_nd6_claim *claim) {
    claim->phase = LB_ND6_CLAIM_OURS;
    lb_trace(client->trace, now_us, "nd6", "%s is ours", lb_addr_text(claim->addr).s);
    if (claim == &client->link_local && client->solicit_us != LB_NEVER)
        client->send_due = true; /* beside those that are counted */
}

static void answered(struct lb_nd6_client *client, uint64_t now_us, struct lb_nd6_claim *claim,
                     bool conflict) {
    if (conflict)
        conflict_of(client, now_us, claim);
    else
        ours(client, now_us, claim);
    if (client->state != LB_ND6_STOPPED)
        refresh(client, now_us);
}

void lb_nd6_client_probed(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr addr,
                          bool conflict) {
    struct lb_nd6_claim *claim = find_claim(client, addr);
    if (!claim || client->state == LB_ND6_STOPPED)
        return;
    if (claim->phase == LB_ND6_CLAIM_PROBING || (claim->phase == LB_ND6_CLAIM_OURS && conflict))
        answered(client, now_us, claim, conflict);
}

/* ---- input ---- */

static bool ignore(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                   const char *why) {
    client->ignored++;
    client->ignored_why = why;
    lb_trace(client->trace, now_us, "nd6", "ignored of %s: %s", lb_addr_text(from).s, why);
    return false;
}

bool lb_nd6_client_input(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                         struct lb_bytes message) {
    struct lb_nd6_ra ra;
    const char *why;

    if (client->state == LB_ND6_STOPPED)
        return false;
    if (from.family != LB_V6 || !lb_addr_is_link_local(from)) /* RFC 4861 6.1.2 */
        return ignore(client, now_us, from, "not of a link-local address");
    if (!lb_nd6_ra_decode(message, &ra, &why))
        return ignore(client, now_us, from, why);
    lb_trace(client->trace, now_us, "nd6", "router %s for %u s, %zu prefixes%s%s",
             lb_addr_text(from).s, ra.lifetime_s, ra.prefix_count, ra.managed ? ", M" : "",
             ra.other ? ", O" : "");
    lb_nd6_tables_take(client, now_us, from, &ra);
    lb_nd6_tables_expire(client, now_us); /* a lifetime of zero ends something now */
    enter(client, now_us, LB_ND6_HEARD);
    refresh(client, now_us);
    return true;
}

/* It may be another link, or those who had our addresses may be gone. */
static void claim_again(struct lb_nd6_client *client, struct lb_nd6_claim *claim) {
    if (claim->phase == LB_ND6_CLAIM_PROBING)
        claim->phase = LB_ND6_CLAIM_NEW;
    if (claim->phase != LB_ND6_CLAIM_REFUSED)
        return;
    claim->conflicts = 0;
    choose_another(client, claim);
}

void lb_nd6_client_link_up(struct lb_nd6_client *client, uint64_t now_us) {
    if (client->state == LB_ND6_STOPPED)
        return;
    lb_trace(client->trace, now_us, "nd6", "link up");
    if (client->link_local.phase == LB_ND6_CLAIM_PROBING)
        client->link_local.phase = LB_ND6_CLAIM_NEW;
    for (size_t i = 0; i < client->claim_count; i++)
        claim_again(client, &client->claims[i]);
    solicit_anew(client, now_us);
}

void lb_nd6_client_init(struct lb_nd6_client *client, uint64_t now_us,
                        const struct lb_nd6_config *config, struct lb_rand *rand,
                        struct lb_trace *trace) {
    memset(client, 0, sizeof(*client));
    client->config = *config;
    client->rand = rand;
    client->trace = trace;
    client->link_local.addr = lb_nd6_eui64(link_prefix(), config->mac);
    client->link_local.preferred_until_us = client->link_local.valid_until_us = LB_NEVER;
    client->give_up_us = config->give_up_ms ? now_us + config->give_up_ms * LB_US_MS : LB_NEVER;
    solicit_anew(client, now_us);
}

/* ---- poll ---- */

static uint64_t probe_until_us(const struct lb_nd6_claim *claim) {
    return claim->phase == LB_ND6_CLAIM_PROBING ? claim->probe_until_us : LB_NEVER;
}

static uint64_t next_deadline(const struct lb_nd6_client *client) {
    uint64_t at_us = LB_MIN(client->solicit_us, client->give_up_us);
    if (client->got_due)
        at_us = LB_MIN(at_us, client->got_after_us);
    at_us = LB_MIN(at_us, probe_until_us(&client->link_local));
    for (size_t i = 0; i < client->claim_count; i++)
        at_us = LB_MIN(at_us, probe_until_us(&client->claims[i]));
    return LB_MIN(at_us, lb_nd6_tables_until_us(client));
}

static void end_probes(struct lb_nd6_client *client, uint64_t now_us) {
    if (now_us >= probe_until_us(&client->link_local))
        answered(client, now_us, &client->link_local, false);
    for (size_t i = 0; i < client->claim_count; i++) {
        if (now_us >= probe_until_us(&client->claims[i]))
            answered(client, now_us, &client->claims[i], false);
    }
}

/* Each part of it leads to a later deadline. */
static void on_deadline(struct lb_nd6_client *client, uint64_t now_us) {
    end_probes(client, now_us);
    if (lb_nd6_tables_expire(client, now_us))
        refresh(client, now_us);
    if (now_us >= client->give_up_us)
        be_quiet(client, now_us);
    if (now_us >= client->solicit_us)
        solicit_late(client, now_us);
}

static struct lb_nd6_action probe(uint64_t now_us, struct lb_nd6_claim *claim) {
    claim->phase = LB_ND6_CLAIM_PROBING;
    claim->probe_until_us = now_us + PROBE_ANSWER_US;
    return (struct lb_nd6_action){.event = LB_ND6_PROBE, .probe = claim->addr};
}

static struct lb_nd6_claim *next_claim(struct lb_nd6_client *client) {
    if (client->link_local.phase == LB_ND6_CLAIM_NEW)
        return &client->link_local;
    for (size_t i = 0; i < client->claim_count; i++) {
        if (client->claims[i].phase == LB_ND6_CLAIM_NEW)
            return &client->claims[i];
    }
    return NULL;
}

/* RFC 4861 4.1: from :: without a link-layer address, for there is nothing to send an answer to. */
static struct lb_nd6_action send(struct lb_nd6_client *client) {
    bool has_address = lb_addr_is_set(client->info.link_local);
    static const uint8_t unspecified[16];
    client->send_due = false;
    return (struct lb_nd6_action){
        .event = LB_ND6_SEND,
        .bytes = lb_nd6_rs_encode(has_address ? client->config.mac : NULL,
                                  lb_span(client->packet, sizeof(client->packet))),
        .from = has_address ? client->info.link_local : lb_addr_v6_bytes(unspecified),
        .to = all_routers()};
}

static bool take_due(bool *due) {
    bool is_due = *due;
    *due = false;
    return is_due;
}

struct lb_nd6_action lb_nd6_client_poll(struct lb_nd6_client *client, uint64_t now_us) {
    struct lb_nd6_claim *claim;
    if (now_us >= next_deadline(client))
        on_deadline(client, now_us);
    if (take_due(&client->lost_due)) {
        client->got_due = false; /* what is left is seen in info */
        return (struct lb_nd6_action){.event = LB_ND6_LOST};
    }
    claim = client->state == LB_ND6_STOPPED ? NULL : next_claim(client);
    if (claim)
        return probe(now_us, claim);
    if (client->send_due)
        return send(client);
    if (now_us >= client->got_after_us && take_due(&client->got_due)) {
        client->told_us = now_us;
        return (struct lb_nd6_action){.event = LB_ND6_GOT};
    }
    if (take_due(&client->no_router_due))
        return (struct lb_nd6_action){.event = LB_ND6_NO_ROUTER};
    return (struct lb_nd6_action){.event = LB_ND6_WAIT, .until_us = next_deadline(client)};
}
