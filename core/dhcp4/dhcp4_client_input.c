/* The DHCPv4 client: what comes in. Each step gives why a message is ignored, or NULL. */
#include "core/dhcp4/dhcp4_client.h"

#define OFFER_WAIT_MS 800
#define BAD_WAIT_MS   4000

static const char *check_terms(const struct lb_dhcp4_lease *lease) {
    if (!lb_addr_is_host(lease->address.addr))
        return "an address that no host can have";
    return lb_addr_is_set(lease->server) ? NULL : "no server identifier, and no sender";
}

/* The first offer starts the wait for others; the first that can be used may shorten it. */
static void wait_for_more(struct lb_dhcp4_client *client, uint64_t now_us) {
    const struct lb_dhcp4_config *config = &client->config;
    bool is_bad = !config->offers_only && !lb_dhcp4_offers_usable(client);
    uint32_t ms = config->offer_wait_ms ? config->offer_wait_ms : OFFER_WAIT_MS;
    if (is_bad)
        ms = LB_MAX(ms, config->bad_wait_ms ? config->bad_wait_ms : BAD_WAIT_MS);
    else
        client->deadline_us = LB_NEVER; /* DISCOVER was answered: not sent again */
    if (client->offers_until_us == LB_NEVER || !is_bad)
        client->offers_until_us = LB_MIN(client->offers_until_us, now_us + ms * LB_US_MS);
}

static const char *got_offer(struct lb_dhcp4_client *client, uint64_t now_us,
                             struct lb_dhcp4_lease *offer) {
    const char *why = check_terms(offer);
    if (why)
        return why;
    offer->start_us = client->sent_us;
    if (lb_addr_equal(offer->server, client->broke_word) && offer->worth != LB_WORTH_BAD)
        offer->worth = LB_WORTH_DOUBTFUL;
    if (!lb_dhcp4_offers_add(client, offer))
        return "better offers than we can keep";
    client->saw_offer = client->saw_offer || lb_dhcp4_offers_usable(client);
    wait_for_more(client, now_us);
    lb_trace(client->trace, now_us, "dhcp4", "offer of %s by %s, rank %u%s%s",
             lb_prefix_text(offer->address).s, lb_addr_text(offer->server).s,
             lb_dhcp4_offer_rank(offer), offer->flaw ? ": " : "", offer->flaw ? offer->flaw : "");
    return NULL;
}

static const char *got_proxy_offer(struct lb_dhcp4_client *client, uint64_t now_us,
                                   const struct lb_dhcp4_lease *offer) {
    if (!lb_addr_is_set(offer->server))
        return "no server identifier";
    if (offer->worth == LB_WORTH_BAD)
        return "a proxyDHCP offer whose Root Path cannot be used";
    lb_dhcp4_proxy_add(client, offer);
    lb_trace(client->trace, now_us, "dhcp4", "proxyDHCP offer by %s",
             lb_addr_text(offer->server).s);
    if (client->config.offers_only)
        wait_for_more(client, now_us);
    return NULL;
}

static const char *in_selecting(struct lb_dhcp4_client *client, uint64_t now_us,
                                const struct lb_dhcp4_message *message,
                                struct lb_dhcp4_lease *lease) {
    const struct lb_dhcp4_config *config = &client->config;
    const char *why = NULL;
    if (config->ask_bootp && message->type != LB_DHCP4_BOOTP)
        return "a DHCP answer to a BOOTP request";
    if (lb_dhcp4_is_proxy(message)) {
        why = got_proxy_offer(client, now_us, lease);
    } else if (message->type == LB_DHCP4_OFFER) {
        lease->rapid_commit = false; /* RFC 4039 4: means nothing in an OFFER */
        why = got_offer(client, now_us, lease);
    } else if (message->type == LB_DHCP4_ACK) {
        if (!lease->rapid_commit || config->no_rapid_commit || config->offers_only)
            return "an ACK that nobody asked for";
        why = got_offer(client, now_us, lease);
    } else if (message->type == LB_DHCP4_BOOTP) {
        if (config->no_bootp && !config->ask_bootp)
            return "BOOTP is switched off";
        why = got_offer(client, now_us, lease);
    } else {
        return "not an answer to DISCOVER";
    }
    if (!why && lb_dhcp4_offers_suffice(client))
        lb_dhcp4_client_end_offers(client, now_us);
    return why;
}

static const char *got_ack(struct lb_dhcp4_client *client, uint64_t now_us,
                           struct lb_dhcp4_lease *lease) {
    const char *why = check_terms(lease);
    if (why)
        return why;
    bool is_new = !client->has_lease;
    /* A lease that is used keeps its address. A new one is what its ACK says, as with all peers. */
    if (!is_new && !lb_addr_equal(lease->address.addr, client->lease.address.addr))
        return "another address than was asked for";
    if (is_new && lease->worth == LB_WORTH_BAD && client->lease.worth != LB_WORTH_BAD)
        return "an ACK whose Root Path cannot be used, as that of the offer could be";
    lease->start_us = client->sent_us;
    lease->rapid_commit = false;
    lb_dhcp4_lease_merge(lease,
                         &client->lease); /* what an offer said, and the ACK did not repeat */
    client->lease = *lease;
    if (lb_addr_equal(lease->server, client->broke_word))
        client->broke_word = (struct lb_addr){.family = LB_FAMILY_NONE};
    if (is_new)
        lb_dhcp4_client_check(client, now_us);
    else
        lb_dhcp4_client_bind(client, now_us);
    return NULL;
}

static const char *in_requesting(struct lb_dhcp4_client *client, uint64_t now_us,
                                 const struct lb_dhcp4_message *message,
                                 struct lb_dhcp4_lease *lease) {
    if (lb_dhcp4_is_proxy(message))
        return got_proxy_offer(client, now_us, lease);
    if (message->type != LB_DHCP4_ACK && message->type != LB_DHCP4_NAK)
        return "not an answer to REQUEST";
    /* An ACK without option 54 answers our transaction, whatever address it is sent from. */
    if (lease->no_server_id && message->type == LB_DHCP4_ACK)
        lease->server = client->lease.server;
    if (!lb_addr_equal(lease->server, client->lease.server))
        return "not from the server that was chosen";
    if (message->type == LB_DHCP4_ACK)
        return got_ack(client, now_us, lease);
    if (lease->no_server_id)
        return "a NAK without a server identifier";
    lb_dhcp4_client_refused(client, now_us, message);
    return NULL;
}

/* REBOOTING, RENEWING, REBINDING. */
static const char *in_renewal(struct lb_dhcp4_client *client, uint64_t now_us,
                              const struct lb_dhcp4_message *message,
                              struct lb_dhcp4_lease *lease) {
    if (message->type == LB_DHCP4_ACK)
        return got_ack(client, now_us, lease);
    if (message->type != LB_DHCP4_NAK)
        return "not an answer to REQUEST";
    if (lease->no_server_id)
        return "a NAK without a server identifier";
    lb_dhcp4_client_refused(client, now_us, message);
    return NULL;
}

/* Whether a message can be for us at all. */
static const char *check_header(const struct lb_dhcp4_client *client,
                                const struct lb_dhcp4_message *message) {
    if (message->header.op != LB_BOOTREPLY)
        return "not a reply";
    if (!message->has_cookie)
        return "no magic cookie";
    if (message->header.xid != client->xid)
        return "another transaction";
    if (memcmp(message->header.chaddr, client->config.mac, sizeof client->config.mac) != 0)
        return "another machine's hardware address";
    return NULL;
}

/* RFC 6842 3: a server that echoes an identifier echoes ours. Of one that does not, transaction and
 * hardware address are ours all the same; other servers come before it. */
static void check_echo(const struct lb_dhcp4_client *client, const struct lb_dhcp4_message *message,
                       struct lb_dhcp4_lease *lease) {
    uint8_t room[LB_DHCP4_BLOB_MAX];
    struct lb_bytes echo;
    if (lease->flaw == NULL && lb_dhcp4_option(message, LB_OPT_CLIENT_ID, &echo) &&
        !lb_bytes_equal(echo, lb_dhcp4_client_id(client, room)))
        lease->flaw = "it echoes the identifier of another client";
}

/* ---- authentication: RFC 3118 5.3, 5.5 ---- */

static struct lb_bytes name_of(const struct lb_dhcp4_lease *lease) {
    return lb_bytes(lease->server.bytes, 4);
}

/* Why a message does not count where there are keys, or NULL. */
static const char *check_auth(const struct lb_dhcp4_client *client, struct lb_bytes payload,
                              struct lb_dhcp4_lease *lease, struct lb_dhcp4_proof *proof) {
    if (client->config.keys.len == 0)
        return NULL;
    const char *why = lb_dhcp4_check_auth(payload, client->config.keys, proof);
    if (why)
        return why;
    struct lb_dhcp_key key = {.id = proof->key_id};
    if (!lb_dhcp_seen_is_new(client->config.seen, lb_dhcp_seen_peer(name_of(lease), &key),
                             proof->replay))
        return "authenticated, but played again: its replay detection value is not new";
    bool is_answer = client->state != LB_DHCP4_SELECTING && client->lease.authentic;
    if (is_answer && proof->key_id != client->lease.key_id)
        return "authenticated by another key than the offer";
    lease->authentic = true;
    lease->key_id = proof->key_id;
    return NULL;
}

static void note_proof(struct lb_dhcp4_client *client, const struct lb_dhcp4_lease *lease,
                       const struct lb_dhcp4_proof *proof) {
    struct lb_dhcp_key key = {.id = proof->key_id};
    if (lease->authentic)
        lb_dhcp_seen_note(client->config.seen, lb_dhcp_seen_peer(name_of(lease), &key),
                          proof->replay);
}

static void note_unauthentic(struct lb_dhcp4_client *client, const char *why) {
    client->unauthentic++;
    client->unauthentic_why = why;
}

/* RFC 3203: only by who has the key; nothing was asked, so there is no transaction to compare. */
static const char *take_forcerenew(struct lb_dhcp4_client *client, uint64_t now_us,
                                   struct lb_bytes payload, const struct lb_dhcp4_message *message,
                                   struct lb_addr from) {
    struct lb_dhcp4_lease lease;
    struct lb_dhcp4_proof proof;
    if (client->config.keys.len == 0 || message->header.op != LB_BOOTREPLY ||
        memcmp(message->header.chaddr, client->config.mac, sizeof client->config.mac) != 0)
        return "a FORCERENEW without a key to prove it by";
    lb_dhcp4_read_lease(message, from, &lease);
    const char *why = check_auth(client, payload, &lease, &proof);
    if (why)
        return why;
    if (client->state != LB_DHCP4_BOUND || client->lease.lease_s == LB_DHCP4_INFINITE ||
        !lb_addr_equal(lease.server, client->lease.server))
        return "a FORCERENEW of what is not leased from there";
    note_proof(client, &lease, &proof);
    lb_dhcp4_client_forced(client, now_us);
    return NULL;
}

static const char *take_answer(struct lb_dhcp4_client *client, uint64_t now_us,
                               const struct lb_dhcp4_message *message,
                               struct lb_dhcp4_lease *lease) {
    switch (client->state) {
    case LB_DHCP4_SELECTING:
        return in_selecting(client, now_us, message, lease);
    case LB_DHCP4_REQUESTING:
        return in_requesting(client, now_us, message, lease);
    case LB_DHCP4_REBOOTING:
    case LB_DHCP4_RENEWING:
    case LB_DHCP4_REBINDING:
        return in_renewal(client, now_us, message, lease);
    case LB_DHCP4_INIT:
    case LB_DHCP4_CHECKING:
    case LB_DHCP4_DECLINED:
    case LB_DHCP4_BOUND:
    case LB_DHCP4_STOPPED:
        return "nothing was asked";
    }
    return "nothing was asked";
}

static const char *take_message(struct lb_dhcp4_client *client, uint64_t now_us,
                                struct lb_bytes payload, const struct lb_dhcp4_message *message,
                                struct lb_addr from, enum lb_worth worth) {
    struct lb_dhcp4_lease lease;
    struct lb_dhcp4_proof proof;
    if (message->type == LB_DHCP4_FORCERENEW)
        return take_forcerenew(client, now_us, payload, message, from);
    const char *why = check_header(client, message);
    if (why)
        return why;
    lb_dhcp4_read_lease(message, from, &lease);
    check_echo(client, message, &lease);
    why = check_auth(client, payload, &lease, &proof);
    if (why) {
        note_unauthentic(client, why);
        return why;
    }
    lease.worth = worth;
    note_proof(client, &lease, &proof);
    return take_answer(client, now_us, message, &lease);
}

/* An offer that came when another had been taken: the caller may want to know that it could. */
static void note_other_offer(struct lb_dhcp4_client *client,
                             const struct lb_dhcp4_message *message) {
    struct lb_addr server;
    if (client->config.keys.len == 0 && message->type == LB_DHCP4_OFFER &&
        message->header.xid == client->offers_xid && client->state != LB_DHCP4_SELECTING &&
        !lb_dhcp4_is_proxy(message) && lb_dhcp4_option_addr(message, LB_OPT_SERVER_ID, &server) &&
        !lb_addr_equal(server, client->lease.server))
        client->has_other_offers = true;
}

bool lb_dhcp4_client_reads(const struct lb_dhcp4_client *client, struct lb_endpoint from,
                           struct lb_bytes payload, struct lb_dhcp4_lease *lease) {
    struct lb_dhcp4_message message;
    const char *why;
    if (!lb_dhcp4_decode(payload, &message, &why) || check_header(client, &message) != NULL ||
        (message.type != LB_DHCP4_OFFER && message.type != LB_DHCP4_ACK &&
         message.type != LB_DHCP4_BOOTP))
        return false;
    lb_dhcp4_read_lease(&message, from.addr, lease);
    check_echo(client, &message, lease);
    struct lb_dhcp4_proof proof;
    return check_auth(client, payload, lease, &proof) == NULL;
}

/* Whether bytes are an answer to what we asked, as far as the header says: also where the rest
 * cannot be read. */
static bool is_for_us(const struct lb_dhcp4_client *client, struct lb_bytes payload) {
    struct lb_rd rd = lb_rd(payload);
    uint8_t op = lb_rd_u8(&rd), chaddr[6];
    lb_rd_skip(&rd, 3);
    uint32_t xid = lb_rd_u32(&rd);
    lb_rd_skip(&rd, 20);
    lb_rd_copy(&rd, chaddr, sizeof chaddr);
    bool is_asking = client->state == LB_DHCP4_SELECTING || client->state == LB_DHCP4_REQUESTING;
    return lb_rd_ok(&rd) && op == LB_BOOTREPLY && xid == client->xid && is_asking &&
           memcmp(chaddr, client->config.mac, sizeof chaddr) == 0;
}

bool lb_dhcp4_client_hear(struct lb_dhcp4_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes payload, enum lb_worth worth) {
    struct lb_dhcp4_message message;
    const char *type = "datagram", *why = NULL;
    bool was_for_us = is_for_us(client, payload);
    if (lb_dhcp4_decode(payload, &message, &why)) {
        type = lb_dhcp4_type_word(message.type);
        note_other_offer(client, &message);
        why = take_message(client, now_us, payload, &message, from.addr, worth);
    }
    if (!why)
        return true;
    client->ignored++;
    client->ignored_why = why;
    if (was_for_us) {
        client->unusable++;
        client->unusable_why = why;
        client->unusable_from = from.addr;
    }
    lb_trace(client->trace, now_us, "dhcp4", "ignored in %s: %s from %s: %s",
             lb_dhcp4_state_word(client->state), type, lb_endpoint_text(from).s, why);
    return false;
}

bool lb_dhcp4_client_input(struct lb_dhcp4_client *client, uint64_t now_us, struct lb_endpoint from,
                           struct lb_bytes payload) {
    return lb_dhcp4_client_hear(client, now_us, from, payload, LB_WORTH_UNKNOWN);
}
