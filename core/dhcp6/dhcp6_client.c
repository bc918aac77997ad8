/* The DHCPv6 client: RFC 8415 18.2, stateful and stateless, and a dry run.
 *
 *     init              best answer           Reply
 *      |   +-- SOLICITING -------> REQUESTING ------> CHECKING ---+ every address probed
 *      v   |    ^     |              |      ^         ^  |        |
 *     INIT-+    |     | rapid commit |      |         |  |somebody|
 *      ^   |    |     +--------------|------|---------+  v has one| some are left
 *      |   |    +-- refused, silence +      |         DECLINING ->+
 *      |   |                                |             |       |
 *      |   |          NoBinding +-----------+             |       |
 *      |   |                    |                         |       v  GOT
 *      +---|---- LOST ----------|--- all are over --------+-<-- BOUND --- link up --> CONFIRMING
 *          |                    |                                | ^                       |
 *          |                 REBINDING <-- T2 -- RENEWING <- T1 -+ +---- Reply, or silence +
 *          |                    |                   |              |
 *          |                    +----- Reply -------+--------------+
 *          |
 *          |                    best answer: GOT
 *          +-- (stateless) INFORMING ----------> INFORMED
 *                              ^    refresh, link up |
 *                              +---------------------+
 *
 *   Any -> STOPPED: given up (FAILED), released, or a dry run's end (OFFERS).
 *   A Reply in RENEWING or REBINDING may bring new addresses: they pass through CHECKING, too. */
#include "core/dhcp6/dhcp6_client.h"
#include "core/base/pace.h"

/* RFC 8415 7.6, where the configuration has no word. */
#define RETRY_MS         1000 /* SOL_TIMEOUT, REQ_TIMEOUT, CNF_TIMEOUT, INF_TIMEOUT, DEC_TIMEOUT */
#define MAX_RT_S         3600 /* SOL_MAX_RT, INF_MAX_RT */
#define REQUEST_MAX_US   (30 * LB_US_SEC)
#define REQUEST_TRIES    5 /* REQ_MAX_RC is 10, four minutes; another server may be better */
#define CONFIRM_MAX_US   (4 * LB_US_SEC)
#define CONFIRM_US       (10 * LB_US_SEC) /* CNF_MAX_RD */
#define RENEW_US         (10 * LB_US_SEC) /* REN_TIMEOUT, REB_TIMEOUT */
#define RENEW_MAX_US     (600 * LB_US_SEC)
#define RENEW_LEAST_US   LB_US_SEC       /* no server makes us ask without a pause */
#define DECLINE_TRIES    4               /* DEC_MAX_RC */
#define CHECK_US         (5 * LB_US_SEC) /* a host that does not answer about its probes by then */
#define EARLY_US         (3 * LB_US_SEC) /* an answer to a question that may stay without one */
#define REFUSED_PAUSE_US LB_US_SEC       /* after the second refusal in a row, then doubled */
#define REFUSED_MAX_US   (60 * LB_US_SEC)

const char *lb_dhcp6_state_word(enum lb_dhcp6_state state) {
    switch (state) {
    case LB_DHCP6_INIT:
        return "INIT";
    case LB_DHCP6_SOLICITING:
        return "SOLICITING";
    case LB_DHCP6_REQUESTING:
        return "REQUESTING";
    case LB_DHCP6_CHECKING:
        return "CHECKING";
    case LB_DHCP6_DECLINING:
        return "DECLINING";
    case LB_DHCP6_BOUND:
        return "BOUND";
    case LB_DHCP6_CONFIRMING:
        return "CONFIRMING";
    case LB_DHCP6_RENEWING:
        return "RENEWING";
    case LB_DHCP6_REBINDING:
        return "REBINDING";
    case LB_DHCP6_INFORMING:
        return "INFORMING";
    case LB_DHCP6_INFORMED:
        return "INFORMED";
    case LB_DHCP6_STOPPED:
        return "STOPPED";
    }
    return "?";
}

/* ---- time ---- */

/* RFC 8415 15: a tenth more or less by chance. */
static uint64_t spread(struct lb_dhcp6_client *client, uint64_t us) {
    uint32_t tenth_ms = (uint32_t)(us / 10 / LB_US_MS);
    return us - tenth_ms * LB_US_MS + lb_rand_below(client->rand, 2 * tenth_ms + 1) * LB_US_MS;
}

static uint64_t retry_first_us(const struct lb_dhcp6_client *client) {
    return (client->config.retry_ms ? client->config.retry_ms : RETRY_MS) * LB_US_MS;
}

static uint64_t max_rt_us(uint32_t said_s) {
    return (said_s ? said_s : MAX_RT_S) * LB_US_SEC;
}

/* IRT and MRT of RFC 8415 15. */
struct pace {
    uint64_t first_us, max_us;
};

static struct pace pace_of(const struct lb_dhcp6_client *client) {
    struct pace pace = {.first_us = retry_first_us(client), .max_us = LB_NEVER};
    switch (client->state) {
    case LB_DHCP6_SOLICITING:
        pace.max_us = max_rt_us(client->sol_max_rt_s);
        break;
    case LB_DHCP6_INFORMING:
        pace.max_us = max_rt_us(client->inf_max_rt_s);
        break;
    case LB_DHCP6_REQUESTING:
        pace.max_us = REQUEST_MAX_US;
        break;
    case LB_DHCP6_CONFIRMING:
        pace.max_us = CONFIRM_MAX_US;
        break;
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
        pace.max_us = RENEW_MAX_US;
        if (!client->is_early)
            pace.first_us = RENEW_US;
        break;
    case LB_DHCP6_DECLINING:
    case LB_DHCP6_INIT:
    case LB_DHCP6_CHECKING:
    case LB_DHCP6_BOUND:
    case LB_DHCP6_INFORMED:
    case LB_DHCP6_STOPPED:
        break;
    }
    return pace;
}

static uint64_t retry_after_us(struct lb_dhcp6_client *client) {
    struct pace pace = pace_of(client);
    uint64_t us = client->retry_us;
    if (client->tries == 0) {
        us = spread(client, pace.first_us);
        /* RFC 8415 18.2.1: the first wait for Advertises is never shorter than it is said. */
        if (client->state == LB_DHCP6_SOLICITING && us <= pace.first_us)
            us = 2 * pace.first_us - us + LB_US_MS;
    } else {
        us = us + spread(client, us);
    }
    if (us > pace.max_us)
        us = spread(client, pace.max_us);
    return us;
}

/* ---- states ---- */

static void enter(struct lb_dhcp6_client *client, uint64_t now_us, enum lb_dhcp6_state state) {
    if (state != client->state)
        lb_trace(client->trace, now_us, "dhcp6", "%s -> %s", lb_dhcp6_state_word(client->state),
                 lb_dhcp6_state_word(state));
    client->state = state;
    client->tries = 0;
    client->due &= ~(unsigned)(DUE_SEND | DUE_PROBE);
    client->is_early = client->is_told = false;
    client->deadline_us = client->until_us = client->offers_until_us = LB_NEVER;
}

/* Enters a state that sends something and waits for the answer, in a transaction of its own. */
static void ask(struct lb_dhcp6_client *client, uint64_t now_us, enum lb_dhcp6_state state,
                bool is_early) {
    enter(client, now_us, state);
    client->is_early = is_early;
    client->xid = lb_rand_u32(client->rand) >> 8;
    client->began_us = now_us;
    client->due |= DUE_SEND;
    client->retry_us = retry_after_us(client);
    client->deadline_us = now_us + client->retry_us;
}

static void ask_again(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->tries++;
    client->due |= DUE_SEND;
    client->retry_us = retry_after_us(client);
    client->deadline_us = now_us + client->retry_us;
}

/* What a client without a lease asks first. */
static void enter_asking(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->offer_count = 0;
    ask(client, now_us, client->config.stateless ? LB_DHCP6_INFORMING : LB_DHCP6_SOLICITING, false);
}

static void pause(struct lb_dhcp6_client *client, uint64_t now_us, uint64_t us) {
    enter(client, now_us, LB_DHCP6_INIT);
    client->deadline_us = now_us + us;
}

static void start_looking(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->looking_us = now_us;
    client->saw_offer = false;
    client->unusable = 0;
    client->give_up_us =
        client->config.give_up_ms ? now_us + client->config.give_up_ms * LB_US_MS : LB_NEVER;
}

/* The start of looking for a lease. */
static void begin(struct lb_dhcp6_client *client, uint64_t now_us, uint64_t pause_us) {
    start_looking(client, now_us);
    pause(client, now_us, pause_us);
}

static void note_lost(struct lb_dhcp6_client *client) {
    client->has_lease = false;
    client->due &= ~(unsigned)DUE_GOT;
    client->due |= DUE_LOST;
}

static void lose(struct lb_dhcp6_client *client, uint64_t now_us, uint64_t pause_us) {
    note_lost(client);
    begin(client, now_us, pause_us);
}

static uint64_t at_us(const struct lb_dhcp6_lease *lease, uint32_t seconds) {
    return seconds == LB_DHCP6_INFINITE ? LB_NEVER : lease->start_us + seconds * LB_US_SEC;
}

/* The shortest lifetime; of addresses that are not preferred any more, the valid one counts. */
static uint32_t shortest_s(const struct lb_dhcp6_lease *lease) {
    uint32_t shortest = LB_DHCP6_INFINITE;
    for (size_t i = 0; i < lease->addr_count; i++) {
        const struct lb_dhcp6_addr *addr = &lease->addrs[i];
        shortest = LB_MIN(shortest, addr->preferred_s ? addr->preferred_s : addr->valid_s);
    }
    return shortest;
}

/* RFC 8415 21.4: T1 and T2 of 0 are the client's choice, half and four fifths; so are times that
 * make no sense, for the lease would be over before it is renewed. */
static void choose_times(struct lb_dhcp6_lease *lease) {
    uint32_t shortest = shortest_s(lease);
    if (shortest == LB_DHCP6_INFINITE && (lease->t1_s == 0 || lease->t2_s == 0))
        lease->t1_s = lease->t2_s = LB_DHCP6_INFINITE;
    if (shortest == LB_DHCP6_INFINITE)
        return;
    if (lease->t1_s == 0 || lease->t1_s >= shortest)
        lease->t1_s = shortest / 2;
    if (lease->t2_s == 0 || lease->t2_s >= shortest || lease->t2_s < lease->t1_s)
        lease->t2_s = shortest / 5 * 4;
    lease->t2_s = LB_MAX(lease->t2_s, lease->t1_s);
}

static void set_expiry(struct lb_dhcp6_client *client) {
    const struct lb_dhcp6_lease *lease = &client->lease;
    client->expiry_us = LB_NEVER;
    for (size_t i = 0; i < lease->addr_count; i++)
        client->expiry_us = LB_MIN(client->expiry_us, at_us(lease, lease->addrs[i].valid_s));
}

static void set_times(struct lb_dhcp6_client *client) {
    struct lb_dhcp6_lease *lease = &client->lease;
    client->t2_us = client->expiry_us = LB_NEVER;
    if (lease->stateless) {
        client->t1_us = at_us(lease, lease->refresh_s);
        return;
    }
    choose_times(lease);
    client->t1_us = LB_MAX(at_us(lease, lease->t1_s), lease->start_us + RENEW_LEAST_US);
    client->t2_us = at_us(lease, lease->t2_s);
    set_expiry(client);
}

/* The state in which a lease rests. */
static void enter_rest(struct lb_dhcp6_client *client, uint64_t now_us) {
    enter(client, now_us, client->lease.stateless ? LB_DHCP6_INFORMED : LB_DHCP6_BOUND);
}

void lb_dhcp6_client_keep(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->due |= DUE_GOT;
    enter_rest(client, now_us);
}

/* client->next is ours. */
static void bind(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->lease = client->next;
    client->has_lease = client->had_lease = true;
    client->refusals = client->declines = 0;
    client->refused_status = LB_DHCP6_SUCCESS;
    set_times(client);
    lb_dhcp6_client_keep(client, now_us);
    if (client->lease.stateless)
        lb_trace(client->trace, now_us, "dhcp6", "information from %s",
                 lb_addr_text(client->lease.server).s);
    for (size_t i = 0; i < client->lease.addr_count; i++)
        lb_trace(client->trace, now_us, "dhcp6", "%s for %u s from %s",
                 lb_addr_text(client->lease.addrs[i].addr).s, client->lease.addrs[i].valid_s,
                 lb_addr_text(client->lease.server).s);
}

/* ---- whether somebody else has an address ---- */

static bool lease_has(const struct lb_dhcp6_client *client, struct lb_addr addr) {
    size_t i = 0;
    while (i < client->lease.addr_count && !lb_addr_equal(client->lease.addrs[i].addr, addr))
        i++;
    return client->has_lease && i < client->lease.addr_count;
}

static size_t count_probes(const struct lb_dhcp6_client *client, enum probe kind) {
    size_t count = 0;
    for (size_t i = 0; i < client->next.addr_count; i++)
        count += client->probes[i] == kind;
    return count;
}

/* RFC 8415 18.2.10.1: the client MUST perform duplicate address detection on each new address. */
void lb_dhcp6_client_check(struct lb_dhcp6_client *client, uint64_t now_us) {
    for (size_t i = 0; i < client->next.addr_count; i++) {
        bool is_ours = lease_has(client, client->next.addrs[i].addr);
        client->probes[i] = is_ours || client->config.no_probe ? PROBE_NONE : PROBE_WANTED;
    }
    if (count_probes(client, PROBE_WANTED) == 0) {
        bind(client, now_us);
        return;
    }
    enter(client, now_us, LB_DHCP6_CHECKING);
    client->deadline_us = now_us + CHECK_US;
    client->due |= DUE_PROBE;
}

static void drop_conflicts(struct lb_dhcp6_client *client) {
    struct lb_dhcp6_lease *next = &client->next;
    size_t kept = 0;
    for (size_t i = 0; i < next->addr_count; i++) {
        if (client->probes[i] != PROBE_CONFLICT)
            next->addrs[kept++] = next->addrs[i];
    }
    next->addr_count = kept;
}

static uint64_t pause_after(struct lb_dhcp6_client *client, unsigned times) {
    if (times == 0)
        return 0;
    return spread(client, lb_pace(REFUSED_PAUSE_US, REFUSED_MAX_US, times - 1));
}

/* Without what is somebody else's; where nothing is left, the server is asked for another. */
void lb_dhcp6_client_declined(struct lb_dhcp6_client *client, uint64_t now_us) {
    struct lb_addr last = client->next.addrs[0].addr;
    drop_conflicts(client);
    if (client->next.addr_count > 0) {
        bind(client, now_us);
        return;
    }
    client->next.addrs[0].addr = last; /* for the explanation, should it come to that */
    uint64_t pause_us = pause_after(client, client->declines++);
    if (client->has_lease)
        lose(client, now_us, pause_us);
    else
        pause(client, now_us, pause_us);
}

static void end_check(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (count_probes(client, PROBE_CONFLICT) == 0)
        bind(client, now_us);
    else
        ask(client, now_us, LB_DHCP6_DECLINING, false);
}

/* An address that is in use already turns out to be somebody else's: it is given up at once, and
 * then declined. */
static void late_conflict(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_addr addr) {
    struct lb_dhcp6_lease *lease = &client->lease;
    size_t kept = 0;
    client->next = *lease;
    for (size_t i = 0; i < client->next.addr_count; i++) {
        bool is_it = lb_addr_equal(client->next.addrs[i].addr, addr);
        client->probes[i] = is_it ? PROBE_CONFLICT : PROBE_NONE;
        if (!is_it)
            lease->addrs[kept++] = lease->addrs[i];
    }
    lease->addr_count = kept;
    if (kept > 0) {
        set_expiry(client);
        client->due |= DUE_GOT;
    } else {
        note_lost(client);
        start_looking(client, now_us);
    }
    ask(client, now_us, LB_DHCP6_DECLINING, false);
}

/* Notes the answer to a probe of the addresses that are being checked. False: it is no such. */
static bool note_probe(struct lb_dhcp6_client *client, struct lb_addr addr, bool conflict) {
    bool is_asked = false;
    for (size_t i = 0; i < client->next.addr_count && client->state == LB_DHCP6_CHECKING; i++) {
        if (client->probes[i] != PROBE_ASKED || !lb_addr_equal(client->next.addrs[i].addr, addr))
            continue;
        client->probes[i] = conflict ? PROBE_CONFLICT : PROBE_FREE;
        is_asked = true;
    }
    return is_asked;
}

void lb_dhcp6_client_probed(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_addr addr,
                            bool conflict) {
    if (!note_probe(client, addr, conflict)) {
        if (conflict && client->state != LB_DHCP6_DECLINING && lease_has(client, addr))
            late_conflict(client, now_us, addr);
        return;
    }
    if (conflict)
        lb_trace(client->trace, now_us, "dhcp6", "%s is in use by another machine",
                 lb_addr_text(addr).s);
    if (count_probes(client, PROBE_ASKED) == 0 && count_probes(client, PROBE_WANTED) == 0)
        end_check(client, now_us);
}

/* ---- answers ---- */

static size_t find_best(const struct lb_dhcp6_client *client) {
    size_t best = 0;
    for (size_t i = 1; i < client->offer_count; i++) {
        if (lb_dhcp6_offer_rank(&client->offers[i]) > lb_dhcp6_offer_rank(&client->offers[best]))
            best = i;
    }
    return best;
}

/* A Reply that was kept while the client waited for a better one: its addresses are half over, or
 * whole. */
static bool is_stale(const struct lb_dhcp6_lease *reply, uint64_t now_us) {
    return now_us > at_us(reply, shortest_s(reply) / 2);
}

static void take_best_offer(struct lb_dhcp6_client *client, uint64_t now_us) {
    size_t best = find_best(client);
    client->next = client->offers[best];
    client->offers[best] = client->offers[--client->offer_count];
    lb_trace(client->trace, now_us, "dhcp6", "taken: rank %u, from %s, %zu others",
             lb_dhcp6_offer_rank(&client->next), lb_addr_text(client->next.server).s,
             client->offer_count);
    if (client->next.rapid_commit && is_stale(&client->next, now_us))
        client->next.rapid_commit = false; /* it is asked for anew */
    if (client->next.stateless || client->next.rapid_commit)
        lb_dhcp6_client_check(client, now_us);
    else
        ask(client, now_us, LB_DHCP6_REQUESTING, false);
}

bool lb_dhcp6_client_is_usable(const struct lb_dhcp6_client *client) {
    return client->offer_count > 0 && lb_dhcp6_offer_rank(&client->offers[find_best(client)]) > 0;
}

/* One of the answers that are kept may be taken. */
static bool has_next(const struct lb_dhcp6_client *client) {
    return client->offer_count > 0 &&
           (client->config.takes_bad || lb_dhcp6_client_is_usable(client));
}

static void give_up(struct lb_dhcp6_client *client, uint64_t now_us);

void lb_dhcp6_client_end_offers(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (!client->config.offers_only) {
        if (has_next(client))
            take_best_offer(client, now_us);
        else
            give_up(client, now_us);
        return;
    }
    enter(client, now_us, LB_DHCP6_STOPPED);
    client->due |= DUE_OFFERS;
}

void lb_dhcp6_client_note(struct lb_dhcp6_client *client, uint64_t now_us, unsigned status,
                          struct lb_bytes text) {
    client->refused_status = (uint16_t)status;
    struct lb_text said = lb_text(client->refused_text, sizeof client->refused_text);
    lb_text_untrusted(&said, text);
    lb_trace(client->trace, now_us, "dhcp6", "refused: %s %s", lb_dhcp6_status_word(status),
             client->refused_text);
}

void lb_dhcp6_client_refused(struct lb_dhcp6_client *client, uint64_t now_us, unsigned status,
                             struct lb_bytes text) {
    lb_dhcp6_client_note(client, now_us, status, text);
    if (!client->has_lease && client->state == LB_DHCP6_REQUESTING)
        client->broke_word = client->next.server_id;
    if (!client->has_lease && client->state == LB_DHCP6_REQUESTING && has_next(client)) {
        take_best_offer(client, now_us);
        return;
    }
    uint64_t pause_us = pause_after(client, client->refusals++);
    if (client->has_lease)
        lose(client, now_us, pause_us);
    else
        pause(client, now_us, pause_us);
}

void lb_dhcp6_client_request_again(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->next = client->lease;
    client->offer_count = 0;
    ask(client, now_us, LB_DHCP6_REQUESTING, false);
}

static void rebind(struct lb_dhcp6_client *client, uint64_t now_us) {
    ask(client, now_us, LB_DHCP6_REBINDING, false);
}

/* Another server may keep its word: its offer is preferred. */
static void request_another(struct lb_dhcp6_client *client, uint64_t now_us) {
    client->broke_word = client->next.server_id;
    if (has_next(client))
        take_best_offer(client, now_us);
    else
        enter_asking(client, now_us);
}

/* A Request without an answer: the next server; or, of a lease that a server forgot, another
 * one. */
static void request_late(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (client->tries + 1 < REQUEST_TRIES)
        ask_again(client, now_us);
    else if (client->has_lease)
        rebind(client, now_us);
    else
        request_another(client, now_us);
}

static void renew(struct lb_dhcp6_client *client, uint64_t now_us, bool is_early) {
    ask(client, now_us, LB_DHCP6_RENEWING, is_early);
    client->until_us = is_early ? LB_MIN(now_us + EARLY_US, client->t2_us) : client->t2_us;
}

static void renew_over(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (now_us < client->t2_us)
        enter_rest(client, now_us);
    else
        rebind(client, now_us);
}

/* Information while there is a lease: it stays as it is when nobody answers. */
static void inform(struct lb_dhcp6_client *client, uint64_t now_us, bool is_early) {
    client->offer_count = 0;
    ask(client, now_us, LB_DHCP6_INFORMING, is_early);
    client->until_us = is_early ? now_us + EARLY_US : LB_NEVER;
}

static void confirm_addresses(struct lb_dhcp6_client *client, uint64_t now_us) {
    ask(client, now_us, LB_DHCP6_CONFIRMING, false);
    client->until_us = now_us + CONFIRM_US;
}

void lb_dhcp6_client_link_up(struct lb_dhcp6_client *client, uint64_t now_us) {
    lb_trace(client->trace, now_us, "dhcp6", "link up");
    switch (client->state) {
    case LB_DHCP6_INIT:
    case LB_DHCP6_SOLICITING:
        enter_asking(client, now_us);
        return;
    case LB_DHCP6_REQUESTING:
        if (client->has_lease)
            confirm_addresses(client, now_us);
        else
            enter_asking(client, now_us);
        return;
    case LB_DHCP6_CHECKING:
        lb_dhcp6_client_check(client, now_us);
        return;
    case LB_DHCP6_BOUND:
    case LB_DHCP6_CONFIRMING:
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
        confirm_addresses(client, now_us);
        return;
    case LB_DHCP6_INFORMING:
    case LB_DHCP6_INFORMED:
        inform(client, now_us, client->has_lease);
        return;
    case LB_DHCP6_DECLINING:
    case LB_DHCP6_STOPPED:
        return;
    }
}

void lb_dhcp6_client_confirm(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (client->state == LB_DHCP6_BOUND)
        renew(client, now_us, true);
    else if (client->state == LB_DHCP6_INFORMED)
        inform(client, now_us, true);
}

void lb_dhcp6_client_reconfigure(struct lb_dhcp6_client *client, uint64_t now_us, uint8_t message) {
    if (message == LB_DHCP6_RENEW && !client->lease.stateless)
        renew(client, now_us, false);
    else if (message == LB_DHCP6_REBIND && !client->lease.stateless)
        rebind(client, now_us);
    else
        inform(client, now_us, true);
    client->is_told = true;
}

void lb_dhcp6_client_release(struct lb_dhcp6_client *client, uint64_t now_us) {
    bool tell = client->has_lease && !client->lease.stateless;
    client->has_lease = false;
    client->due = 0;
    ask(client, now_us, LB_DHCP6_STOPPED, false);
    client->deadline_us = LB_NEVER;
    if (!tell)
        client->due = 0;
}

void lb_dhcp6_client_init(struct lb_dhcp6_client *client, uint64_t now_us,
                          const struct lb_dhcp6_config *config, struct lb_rand *rand,
                          struct lb_trace *trace) {
    lb_assert(config->duid.len > 0 && config->duid.len <= sizeof config->duid.bytes);
    lb_assert(config->keys.len == 0 || config->seen != NULL);
    memset(client, 0, sizeof *client);
    client->config = *config;
    client->rand = rand;
    client->trace = trace;
    client->replay = config->replay;
    client->t1_us = client->t2_us = client->expiry_us = LB_NEVER;
    begin(client, now_us, 0);
}

/* ---- the end of looking for a lease ---- */

static bool may_give_up(const struct lb_dhcp6_client *client) {
    return !client->has_lease && client->state != LB_DHCP6_CHECKING &&
           client->state != LB_DHCP6_STOPPED;
}

static void explain_failure(struct lb_dhcp6_client *client, uint64_t now_us) {
    struct lb_error *error = &client->error;
    const struct lb_dhcp6_lease *next = &client->next;
    unsigned seconds = (unsigned)((now_us - client->looking_us) / LB_US_SEC);
    if (client->declines > 0)
        lb_fail(error, LB_E_ADDRESS_CONFLICT, "%s, offered by %s",
                lb_addr_text(next->addrs[0].addr).s, lb_addr_text(next->server).s);
    else if (client->refused_status != LB_DHCP6_SUCCESS)
        lb_fail(error, LB_E_DHCP6_REFUSED, "%s %s, in %u s",
                lb_dhcp6_status_word(client->refused_status), client->refused_text, seconds);
    else if (client->unauthentic > 0 && !client->saw_offer && client->offer_count == 0)
        lb_fail(error, LB_E_DHCP6_AUTH, "in %u s; %llu answer%s passed over, the last: %s", seconds,
                (unsigned long long)client->unauthentic, client->unauthentic == 1 ? "" : "s",
                client->unauthentic_why);
    else if (client->saw_offer)
        lb_fail(error, LB_E_DHCP6_NO_REPLY, "%s, in %u s", lb_addr_text(next->server).s, seconds);
    else if (client->had_lease)
        lb_fail(error, LB_E_DHCP6_EXPIRED, "%s; nobody answered for %u s",
                lb_addr_text(client->lease.addrs[0].addr).s, seconds);
    else if (client->offer_count > 0)
        lb_fail(error, LB_E_DHCP6_NO_ANSWER, "in %u s none that can be used, of %zu", seconds,
                client->offer_count);
    else if (client->unusable > 0)
        lb_fail(error, LB_E_DHCP6_UNUSABLE, "in %u s; %llu answer%s, the last from %s: %s", seconds,
                (unsigned long long)client->unusable, client->unusable == 1 ? "" : "s",
                lb_addr_text(client->unusable_from).s, client->unusable_why);
    else if (client->ignored_why)
        lb_fail(error, LB_E_DHCP6_NO_ANSWER, "in %u s; %llu datagrams ignored, the last: %s",
                seconds, (unsigned long long)client->ignored, client->ignored_why);
    else
        lb_fail(error, LB_E_DHCP6_NO_ANSWER, "in %u s", seconds);
}

static void give_up(struct lb_dhcp6_client *client, uint64_t now_us) {
    explain_failure(client, now_us);
    enter(client, now_us, LB_DHCP6_STOPPED);
    client->due |= DUE_FAILED;
}

/* ---- poll ---- */

/* While its addresses are being made new, a lease is not taken apart. */
static bool may_expire(const struct lb_dhcp6_client *client) {
    return client->has_lease && client->state != LB_DHCP6_CHECKING &&
           client->state != LB_DHCP6_DECLINING;
}

static uint64_t next_deadline(const struct lb_dhcp6_client *client) {
    uint64_t next_us = LB_MIN(client->deadline_us, client->until_us);
    next_us = LB_MIN(next_us, client->offers_until_us);
    if (may_give_up(client))
        next_us = LB_MIN(next_us, client->give_up_us);
    if (may_expire(client))
        next_us = LB_MIN(next_us, client->expiry_us);
    if (client->state == LB_DHCP6_BOUND || client->state == LB_DHCP6_INFORMED)
        next_us = LB_MIN(next_us, client->t1_us);
    return next_us;
}

static void drop_expired(struct lb_dhcp6_client *client, uint64_t now_us) {
    struct lb_dhcp6_lease *lease = &client->lease;
    size_t kept = 0;
    for (size_t i = 0; i < lease->addr_count; i++) {
        if (now_us < at_us(lease, lease->addrs[i].valid_s))
            lease->addrs[kept++] = lease->addrs[i];
    }
    if (kept == 0) {
        lose(client, now_us, 0);
        return;
    }
    lease->addr_count = kept;
    set_expiry(client);
    client->due |= DUE_GOT;
}

/* What an asking state does when nobody has answered for its time. */
static void on_silence(struct lb_dhcp6_client *client, uint64_t now_us) {
    switch (client->state) {
    case LB_DHCP6_INIT:
        enter_asking(client, now_us);
        return;
    case LB_DHCP6_SOLICITING:
    case LB_DHCP6_INFORMING:
    case LB_DHCP6_CONFIRMING:
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
        ask_again(client, now_us);
        return;
    case LB_DHCP6_REQUESTING:
        request_late(client, now_us);
        return;
    case LB_DHCP6_CHECKING:
        end_check(client, now_us);
        return;
    case LB_DHCP6_DECLINING:
        if (client->tries + 1 < DECLINE_TRIES)
            ask_again(client, now_us);
        else
            lb_dhcp6_client_declined(client, now_us);
        return;
    case LB_DHCP6_BOUND:
        renew(client, now_us, false);
        return;
    case LB_DHCP6_INFORMED:
        inform(client, now_us, false);
        return;
    case LB_DHCP6_STOPPED:
        return;
    }
}

/* Each leads to a later deadline. */
static void on_deadline(struct lb_dhcp6_client *client, uint64_t now_us) {
    if (may_give_up(client) && now_us >= client->give_up_us)
        give_up(client, now_us);
    else if (may_expire(client) && now_us >= client->expiry_us)
        drop_expired(client, now_us);
    else if (now_us >= client->offers_until_us)
        lb_dhcp6_client_end_offers(client, now_us);
    else if (now_us >= client->until_us && client->state == LB_DHCP6_RENEWING)
        renew_over(client, now_us);
    else if (now_us >= client->until_us)
        enter_rest(client, now_us);
    else
        on_silence(client, now_us);
}

static bool take_due(struct lb_dhcp6_client *client, enum due due) {
    bool is_due = client->due & due;
    client->due &= ~(unsigned)due;
    return is_due;
}

/* The next address to be probed; there is at least one while DUE_PROBE is set. */
static struct lb_dhcp6_action ask_probe(struct lb_dhcp6_client *client) {
    size_t i = 0;
    while (client->probes[i] != PROBE_WANTED)
        i++;
    client->probes[i] = PROBE_ASKED;
    if (count_probes(client, PROBE_WANTED) == 0)
        client->due &= ~(unsigned)DUE_PROBE;
    return (struct lb_dhcp6_action){.event = LB_DHCP6_PROBE, .probe = client->next.addrs[i].addr};
}

struct lb_dhcp6_action lb_dhcp6_client_poll(struct lb_dhcp6_client *client, uint64_t now_us) {
    while (now_us >= next_deadline(client))
        on_deadline(client, now_us);
    if (take_due(client, DUE_LOST))
        return (struct lb_dhcp6_action){.event = LB_DHCP6_LOST};
    if (take_due(client, DUE_GOT))
        return (struct lb_dhcp6_action){.event = LB_DHCP6_GOT};
    if (take_due(client, DUE_OFFERS))
        return (struct lb_dhcp6_action){.event = LB_DHCP6_OFFERS};
    if (take_due(client, DUE_FAILED))
        return (struct lb_dhcp6_action){.event = LB_DHCP6_FAILED};
    if (take_due(client, DUE_SEND))
        return lb_dhcp6_client_compose(client, now_us);
    if (client->due & DUE_PROBE)
        return ask_probe(client);
    return (struct lb_dhcp6_action){.event = LB_DHCP6_WAIT, .until_us = next_deadline(client)};
}
