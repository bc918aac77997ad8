/* The DHCPv4 client: RFC 2131 4.4 with rapid commit (RFC 4039), BOOTP servers (RFC 1534), and a dry
 * run.
 *
 *      init
 *        |          pause          best offer            ACK
 *   +-> INIT -----------> SELECTING ---------> REQUESTING ---------> CHECKING --+
 *   |    ^                 |  ^                  |  |                 |   |     |
 *   |    |    pause        |  | retransmit       |  | NAK, 4 tries    |   |     |
 *   |    +-- (NAK) <-------+--+------------------+--+                 |   |     |
 *   |                      | BOOTP answer, or ACK with rapid commit   |   |     |
 *   |                      +----------------------------------------->+   |     |
 *   |  10 s                              somebody has the address         |     |
 *   +------- DECLINED <-----------------------------------------------+---+     | nobody answers
 *   |                                                                           | the ARP probe:
 * GOT |   NAK, or the lease runs out: LOST                                        v
 *   +<--------+------------------+------------------+------------------------ BOUND
 *             |                  |                  |       ACK: GOT         | | ^
 *         REBINDING <-- T2 -- RENEWING <--- T1 -----|------------------------+ | |
 *             |                  |              REBOOTING <------ link up -----+ |
 *             +------- ACK ------+------- ACK, or silence -----------------------+
 *
 *   Any -> STOPPED: given up (FAILED), released, or a dry run's end (OFFERS). */
#include "core/dhcp4/dhcp4_client.h"
#include "core/base/pace.h"

#define RETRY_MS       4000 /* RFC 2131 4.1: 4, 8, 16, 32, 64 s, each one second more or less */
#define RETRY_MAX_US   (64 * LB_US_SEC)
#define JITTER_MAX_US  LB_US_SEC
#define REQUEST_TRIES  4 /* RFC 2131 3.1.5 gives four tries as an example */
#define REBOOT_TRIES   2 /* an answer is a matter of milliseconds, and T1 comes anyway */
#define OFFER_WAIT_MS  800
#define CHECK_US       (3 * LB_US_SEC)  /* a host that does not answer about its probe by then */
#define DECLINE_US     (10 * LB_US_SEC) /* RFC 2131 3.1.5 */
#define RENEW_LEAST_US (60 * LB_US_SEC) /* RFC 2131 4.4.5 */
#define NAK_PAUSE_US   LB_US_SEC        /* after the second NAK in a row, then doubled */

const char *lb_dhcp4_state_word(enum lb_dhcp4_state state) {
    switch (state) {
    case LB_DHCP4_INIT:
        return "INIT";
    case LB_DHCP4_SELECTING:
        return "SELECTING";
    case LB_DHCP4_REQUESTING:
        return "REQUESTING";
    case LB_DHCP4_REBOOTING:
        return "REBOOTING";
    case LB_DHCP4_CHECKING:
        return "CHECKING";
    case LB_DHCP4_DECLINED:
        return "DECLINED";
    case LB_DHCP4_BOUND:
        return "BOUND";
    case LB_DHCP4_RENEWING:
        return "RENEWING";
    case LB_DHCP4_REBINDING:
        return "REBINDING";
    case LB_DHCP4_STOPPED:
        return "STOPPED";
    }
    return "?";
}

/* ---- time ---- */

static uint64_t later(uint64_t now_us, uint64_t wait_us) {
    return wait_us == LB_NEVER ? LB_NEVER : now_us + wait_us;
}

/* `us` doubled `times` times, at most RETRY_MAX_US, then up to a second more or less by chance. */
static uint64_t back_off(struct lb_dhcp4_client *client, uint64_t us, unsigned times) {
    us = lb_pace(us, RETRY_MAX_US, times);
    uint32_t jitter = (uint32_t)LB_MIN(us / 4, JITTER_MAX_US);
    return us - jitter + lb_rand_below(client->rand, 2 * jitter + 1);
}

static uint64_t retry_us(struct lb_dhcp4_client *client, unsigned tries) {
    uint32_t ms = client->config.retry_ms ? client->config.retry_ms : RETRY_MS;
    return back_off(client, ms * LB_US_MS, tries);
}

/* RFC 2131 4.4.5: half of what is left until the next state, and no less than a minute. */
static uint64_t renew_wait_us(uint64_t now_us, uint64_t until_us) {
    uint64_t left_us = until_us - LB_MIN(now_us, until_us);
    uint64_t wait_us = LB_MAX(left_us / 2, RENEW_LEAST_US);
    return wait_us < left_us ? wait_us : LB_NEVER;
}

/* ---- states ---- */

static void enter(struct lb_dhcp4_client *client, uint64_t now_us, enum lb_dhcp4_state state,
                  uint64_t wait_us) {
    if (state != client->state)
        lb_trace(client->trace, now_us, "dhcp4", "%s -> %s", lb_dhcp4_state_word(client->state),
                 lb_dhcp4_state_word(state));
    client->state = state;
    client->tries = 0;
    client->due &= ~(unsigned)(DUE_SEND | DUE_PROBE);
    client->deadline_us = later(now_us, wait_us);
}

/* Enters a state that sends something and waits for the answer. */
static void ask(struct lb_dhcp4_client *client, uint64_t now_us, enum lb_dhcp4_state state,
                uint64_t wait_us) {
    enter(client, now_us, state, wait_us);
    client->due |= DUE_SEND;
}

static void ask_again(struct lb_dhcp4_client *client, uint64_t now_us) {
    client->tries++;
    client->due |= DUE_SEND;
    client->deadline_us = now_us + retry_us(client, client->tries);
}

/* A new transaction, whose secs count from now. */
static void begin_transaction(struct lb_dhcp4_client *client, uint64_t now_us) {
    client->xid = lb_rand_u32(client->rand);
    client->began_us = now_us;
}

/* The start of looking for an address. */
static void begin(struct lb_dhcp4_client *client, uint64_t now_us, uint64_t pause_us) {
    client->began_us = now_us;
    client->saw_offer = false;
    client->unusable = 0;
    client->give_up_us =
        client->config.give_up_ms ? now_us + client->config.give_up_ms * LB_US_MS : LB_NEVER;
    enter(client, now_us, LB_DHCP4_INIT, pause_us);
}

static void enter_selecting(struct lb_dhcp4_client *client, uint64_t now_us) {
    client->xid = client->offers_xid = lb_rand_u32(client->rand);
    client->offer_count = 0;
    client->has_proxy = client->has_other_offers = false;
    client->offers_until_us = LB_NEVER;
    ask(client, now_us, LB_DHCP4_SELECTING, retry_us(client, 0));
}

static void lose(struct lb_dhcp4_client *client, uint64_t now_us, uint64_t pause_us) {
    client->has_lease = false;
    client->due &= ~(unsigned)DUE_GOT;
    client->due |= DUE_LOST;
    begin(client, now_us, pause_us);
}

/* RFC 2131 4.4.5, with times that make no sense put aside. */
static void set_times(struct lb_dhcp4_client *client) {
    struct lb_dhcp4_lease *lease = &client->lease;
    client->t1_us = client->t2_us = client->expiry_us = LB_NEVER;
    if (lease->lease_s == LB_DHCP4_INFINITE) {
        lease->t1_s = lease->t2_s = LB_DHCP4_INFINITE;
        return;
    }
    uint64_t lease_us = lease->lease_s * LB_US_SEC;
    uint64_t t1_us = lease->t1_s ? lease->t1_s * LB_US_SEC : lease_us / 2;
    uint64_t t2_us = lease->t2_s ? lease->t2_s * LB_US_SEC : lease_us / 8 * 7;
    if (t1_us >= t2_us || t2_us >= lease_us) {
        t1_us = lease_us / 2;
        t2_us = lease_us / 8 * 7;
    }
    lease->t1_s = (uint32_t)(t1_us / LB_US_SEC);
    lease->t2_s = (uint32_t)(t2_us / LB_US_SEC);
    client->t1_us = lease->start_us + t1_us;
    client->t2_us = lease->start_us + t2_us;
    client->expiry_us = lease->start_us + lease_us;
}

void lb_dhcp4_client_bind(struct lb_dhcp4_client *client, uint64_t now_us) {
    client->has_lease = client->had_lease = true;
    client->naks = client->declines = 0;
    set_times(client);
    enter(client, now_us, LB_DHCP4_BOUND, LB_NEVER);
    client->due |= DUE_GOT;
    lb_trace(client->trace, now_us, "dhcp4", "%s for %u s from %s",
             lb_prefix_text(client->lease.address).s, client->lease.lease_s,
             lb_addr_text(client->lease.server).s);
}

/* RFC 2131 4.4.1: the client SHOULD probe the address before it is used. */
void lb_dhcp4_client_check(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (client->has_proxy)
        lb_dhcp4_lease_merge(&client->lease, &client->proxy);
    if (client->config.no_arp_probe) {
        lb_dhcp4_client_bind(client, now_us);
        return;
    }
    enter(client, now_us, LB_DHCP4_CHECKING, CHECK_US);
    client->due |= DUE_PROBE;
}

/* An ACK that the client kept, while it waited for a better one, after half of the lease or all. */
static bool is_stale(const struct lb_dhcp4_lease *ack, uint64_t now_us) {
    return ack->lease_s != LB_DHCP4_INFINITE &&
           now_us > ack->start_us + ack->lease_s * LB_US_SEC / 2;
}

static void take_best_offer(struct lb_dhcp4_client *client, uint64_t now_us) {
    client->chosen = lb_dhcp4_offers_best(client);
    client->lease = client->offers[client->chosen];
    client->has_other_offers = client->offer_count > 1;
    lb_trace(client->trace, now_us, "dhcp4", "taken: %s from %s, of %zu",
             lb_prefix_text(client->lease.address).s, lb_addr_text(client->lease.server).s,
             client->offer_count);
    if (client->lease.rapid_commit && is_stale(&client->lease, now_us))
        client->lease.rapid_commit = false; /* it is asked for anew */
    if (client->lease.bootp || client->lease.rapid_commit) {
        lb_dhcp4_client_check(client, now_us);
        return;
    }
    ask(client, now_us, LB_DHCP4_REQUESTING, retry_us(client, 0));
}

static void give_up(struct lb_dhcp4_client *client, uint64_t now_us);

void lb_dhcp4_client_end_offers(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (!client->config.offers_only) {
        if (client->config.takes_bad || lb_dhcp4_offers_usable(client))
            take_best_offer(client, now_us);
        else
            give_up(client, now_us);
        return;
    }
    /* Each offer is shown as a boot would have it. */
    for (size_t i = 0; client->has_proxy && i < client->offer_count; i++)
        lb_dhcp4_lease_merge(&client->offers[i], &client->proxy);
    enter(client, now_us, LB_DHCP4_STOPPED, LB_NEVER);
    client->due |= DUE_OFFERS;
}

/* Another server may keep its word: next time its offer is preferred. */
static void discover_anew(struct lb_dhcp4_client *client, uint64_t now_us, uint64_t pause_us) {
    client->broke_word = client->lease.server;
    enter(client, now_us, LB_DHCP4_INIT, pause_us);
}

/* The second NAK in a row, and each further, is answered slower: RFC 2131 says nothing against two
 * servers that never agree. */
void lb_dhcp4_client_refused(struct lb_dhcp4_client *client, uint64_t now_us,
                             const struct lb_dhcp4_message *nak) {
    uint64_t pause_us = client->naks > 0 ? back_off(client, NAK_PAUSE_US, client->naks - 1) : 0;
    struct lb_text text = lb_text(client->nak_words, sizeof client->nak_words);
    struct lb_bytes words;
    if (lb_dhcp4_option(nak, LB_OPT_MESSAGE, &words)) {
        lb_text_add(&text, ": ");
        lb_text_untrusted(&text, lb_bytes_trim_nul(words));
    }
    client->naks++;
    if (client->has_lease)
        lose(client, now_us, pause_us);
    else
        discover_anew(client, now_us, pause_us);
}

void lb_dhcp4_client_add_unusable(const struct lb_dhcp4_client *client, struct lb_text *text) {
    if (client->unusable > 0)
        lb_text_add(text, "; %llu answer%s that cannot be used, the last from %s: %s",
                    (unsigned long long)client->unusable, client->unusable == 1 ? "" : "s",
                    lb_addr_text(client->unusable_from).s, client->unusable_why);
}

static void explain_failure(struct lb_dhcp4_client *client, uint64_t now_us) {
    struct lb_error *error = &client->error;
    const struct lb_dhcp4_lease *lease = &client->lease;
    unsigned seconds = (unsigned)((now_us - client->began_us) / LB_US_SEC);
    char unusable[160];
    struct lb_text text = lb_text(unusable, sizeof unusable);
    lb_dhcp4_client_add_unusable(client, &text);
    if (client->declines > 0)
        lb_fail(error, LB_E_ADDRESS_CONFLICT, "%s, offered by %s",
                lb_addr_text(lease->address.addr).s, lb_addr_text(lease->server).s);
    else if (client->naks > 0)
        lb_fail(error, LB_E_DHCP_NAK, "%u times in %u s, last by %s%s", client->naks, seconds,
                lb_addr_text(lease->server).s, client->nak_words);
    else if (client->unauthentic > 0 && !client->saw_offer && client->offer_count == 0)
        lb_fail(error, LB_E_DHCP_AUTH, "in %u s%s", seconds, unusable);
    else if (client->saw_offer)
        lb_fail(error, LB_E_DHCP_NO_ACK, "%s, offered by %s, in %u s%s",
                lb_addr_text(lease->address.addr).s, lb_addr_text(lease->server).s, seconds,
                unusable);
    else if (client->had_lease)
        lb_fail(error, LB_E_DHCP_EXPIRED, "%s of %s; nobody answered for %u s",
                lb_addr_text(lease->address.addr).s, lb_addr_text(lease->server).s, seconds);
    else if (client->offer_count > 0)
        lb_fail(error, LB_E_DHCP_NO_OFFER, "in %u s none that can be used, of %zu", seconds,
                client->offer_count);
    else if (client->has_proxy)
        lb_fail(error, LB_E_DHCP_NO_OFFER, "in %u s only %s, a proxyDHCP server without addresses",
                seconds, lb_addr_text(client->proxy.server).s);
    else if (client->unusable > 0)
        lb_fail(error, LB_E_DHCP_UNUSABLE, "in %u s%s", seconds, unusable);
    else if (client->ignored_why)
        lb_fail(error, LB_E_DHCP_NO_OFFER, "in %u s; %llu datagrams ignored, the last: %s", seconds,
                (unsigned long long)client->ignored, client->ignored_why);
    else
        lb_fail(error, LB_E_DHCP_NO_OFFER, "in %u s", seconds);
}

static void give_up(struct lb_dhcp4_client *client, uint64_t now_us) {
    explain_failure(client, now_us);
    enter(client, now_us, LB_DHCP4_STOPPED, LB_NEVER);
    client->due |= DUE_FAILED;
}

void lb_dhcp4_client_probed(struct lb_dhcp4_client *client, uint64_t now_us, bool conflict) {
    if (client->state != LB_DHCP4_CHECKING)
        return;
    if (!conflict) {
        lb_dhcp4_client_bind(client, now_us);
        return;
    }
    lb_trace(client->trace, now_us, "dhcp4", "%s is in use by another machine",
             lb_addr_text(client->lease.address.addr).s);
    client->declines++;
    if (client->lease.bootp) {
        enter(client, now_us, LB_DHCP4_DECLINED, DECLINE_US); /* BOOTP knows no DECLINE */
        return;
    }
    client->xid = lb_rand_u32(client->rand);
    ask(client, now_us, LB_DHCP4_DECLINED, DECLINE_US);
}

/* RFC 2131 3.7: the client SHOULD confirm its parameters when the network may have changed. */
static void confirm(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (client->lease.bootp)
        return;
    begin_transaction(client, now_us);
    ask(client, now_us, LB_DHCP4_REBOOTING, retry_us(client, 0));
}

void lb_dhcp4_client_link_up(struct lb_dhcp4_client *client, uint64_t now_us) {
    lb_trace(client->trace, now_us, "dhcp4", "link up");
    switch (client->state) {
    case LB_DHCP4_INIT:
    case LB_DHCP4_SELECTING:
    case LB_DHCP4_REQUESTING:
        enter_selecting(client, now_us);
        return;
    case LB_DHCP4_CHECKING:
        lb_dhcp4_client_check(client, now_us);
        return;
    case LB_DHCP4_BOUND:
    case LB_DHCP4_REBOOTING:
    case LB_DHCP4_RENEWING:
    case LB_DHCP4_REBINDING:
        confirm(client, now_us);
        return;
    case LB_DHCP4_DECLINED:
    case LB_DHCP4_STOPPED:
        return;
    }
}

void lb_dhcp4_client_forced(struct lb_dhcp4_client *client, uint64_t now_us) {
    begin_transaction(client, now_us);
    ask(client, now_us, LB_DHCP4_RENEWING, renew_wait_us(now_us, client->t2_us));
}

void lb_dhcp4_client_confirm(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (client->state == LB_DHCP4_BOUND || client->state == LB_DHCP4_RENEWING ||
        client->state == LB_DHCP4_REBINDING)
        confirm(client, now_us);
}

void lb_dhcp4_client_release(struct lb_dhcp4_client *client, uint64_t now_us) {
    bool tell = client->has_lease && !client->lease.bootp;
    client->has_lease = false;
    client->due = 0;
    begin_transaction(client, now_us);
    enter(client, now_us, LB_DHCP4_STOPPED, LB_NEVER);
    if (tell)
        client->due |= DUE_SEND;
}

void lb_dhcp4_client_init(struct lb_dhcp4_client *client, uint64_t now_us,
                          const struct lb_dhcp4_config *config, struct lb_rand *rand,
                          struct lb_trace *trace) {
    lb_assert(config->client_id_len <= sizeof config->client_id);
    lb_assert(config->keys.len == 0 || config->seen != NULL);
    memset(client, 0, sizeof *client);
    client->config = *config;
    client->rand = rand;
    client->trace = trace;
    client->replay = config->replay;
    client->t1_us = client->t2_us = client->expiry_us = client->offers_until_us = LB_NEVER;
    begin(client, now_us, 0);
}

void lb_dhcp4_client_adopt(struct lb_dhcp4_client *client, uint64_t now_us,
                           const struct lb_dhcp4_lease *lease) {
    lb_assert(client->state == LB_DHCP4_INIT);
    client->lease = *lease;
    client->lease.start_us = now_us;
    lb_dhcp4_client_bind(client, now_us);
}

/* ---- poll ---- */

static bool may_give_up(const struct lb_dhcp4_client *client) {
    return !client->has_lease && client->state != LB_DHCP4_CHECKING &&
           client->state != LB_DHCP4_STOPPED;
}

static uint64_t next_deadline(const struct lb_dhcp4_client *client) {
    uint64_t at_us = client->deadline_us;
    if (may_give_up(client))
        at_us = LB_MIN(at_us, client->give_up_us);
    switch (client->state) {
    case LB_DHCP4_SELECTING:
        return LB_MIN(at_us, client->offers_until_us);
    case LB_DHCP4_BOUND:
        return LB_MIN(at_us, client->t1_us);
    case LB_DHCP4_RENEWING:
        return LB_MIN(at_us, client->t2_us);
    case LB_DHCP4_REBOOTING:
    case LB_DHCP4_REBINDING:
        return LB_MIN(at_us, client->expiry_us);
    case LB_DHCP4_INIT:
    case LB_DHCP4_REQUESTING:
    case LB_DHCP4_CHECKING:
    case LB_DHCP4_DECLINED:
    case LB_DHCP4_STOPPED:
        return at_us;
    }
    return at_us;
}

static void renew_again(struct lb_dhcp4_client *client, uint64_t now_us, uint64_t until_us) {
    client->due |= DUE_SEND;
    client->deadline_us = later(now_us, renew_wait_us(now_us, until_us));
}

static void request_late(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (client->tries + 1 < REQUEST_TRIES)
        ask_again(client, now_us);
    else
        discover_anew(client, now_us, 0);
}

/* RFC 2131 3.2: without an answer the client may go on using the address. */
static void confirm_late(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (now_us >= client->expiry_us)
        lose(client, now_us, 0);
    else if (client->tries + 1 < REBOOT_TRIES)
        ask_again(client, now_us);
    else
        enter(client, now_us, LB_DHCP4_BOUND, LB_NEVER);
}

/* What a state does when its time has come. Each leads to a later deadline. */
static void on_deadline(struct lb_dhcp4_client *client, uint64_t now_us) {
    if (may_give_up(client) && now_us >= client->give_up_us) {
        give_up(client, now_us);
        return;
    }
    switch (client->state) {
    case LB_DHCP4_INIT:
    case LB_DHCP4_DECLINED:
        enter_selecting(client, now_us);
        return;
    case LB_DHCP4_SELECTING:
        if (now_us >= client->offers_until_us)
            lb_dhcp4_client_end_offers(client, now_us);
        else
            ask_again(client, now_us);
        return;
    case LB_DHCP4_REQUESTING:
        request_late(client, now_us);
        return;
    case LB_DHCP4_CHECKING:
        lb_dhcp4_client_bind(client, now_us);
        return;
    case LB_DHCP4_BOUND:
        begin_transaction(client, now_us);
        ask(client, now_us, LB_DHCP4_RENEWING, renew_wait_us(now_us, client->t2_us));
        return;
    case LB_DHCP4_RENEWING:
        if (now_us < client->t2_us) {
            renew_again(client, now_us, client->t2_us);
            return;
        }
        begin_transaction(client, now_us);
        ask(client, now_us, LB_DHCP4_REBINDING, renew_wait_us(now_us, client->expiry_us));
        return;
    case LB_DHCP4_REBINDING:
        if (now_us < client->expiry_us)
            renew_again(client, now_us, client->expiry_us);
        else
            lose(client, now_us, 0);
        return;
    case LB_DHCP4_REBOOTING:
        confirm_late(client, now_us);
        return;
    case LB_DHCP4_STOPPED:
        return;
    }
}

static bool take_due(struct lb_dhcp4_client *client, enum due due) {
    bool is_due = client->due & due;
    client->due &= ~(unsigned)due;
    return is_due;
}

struct lb_dhcp4_action lb_dhcp4_client_poll(struct lb_dhcp4_client *client, uint64_t now_us) {
    while (now_us >= next_deadline(client))
        on_deadline(client, now_us);
    if (take_due(client, DUE_LOST))
        return (struct lb_dhcp4_action){.event = LB_DHCP4_LOST};
    if (take_due(client, DUE_GOT))
        return (struct lb_dhcp4_action){.event = LB_DHCP4_GOT};
    if (take_due(client, DUE_OFFERS))
        return (struct lb_dhcp4_action){.event = LB_DHCP4_OFFERS};
    if (take_due(client, DUE_FAILED))
        return (struct lb_dhcp4_action){.event = LB_DHCP4_FAILED};
    if (take_due(client, DUE_SEND))
        return lb_dhcp4_client_compose(client, now_us);
    if (take_due(client, DUE_PROBE))
        return (struct lb_dhcp4_action){.event = LB_DHCP4_PROBE,
                                        .probe = client->lease.address.addr};
    return (struct lb_dhcp4_action){.event = LB_DHCP4_WAIT, .until_us = next_deadline(client)};
}
