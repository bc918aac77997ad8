/* The DHCPv6 client: what comes in. Each step gives why a message is ignored, or NULL. */
#include "core/dhcp6/dhcp6_client.h"

#define OFFER_WAIT_MS 800
#define BAD_WAIT_MS   4000

/* ---- answers that are compared ---- */

static size_t find_worst(const struct lb_dhcp6_client *client) {
    size_t worst = 0;
    for (size_t i = 1; i < client->offer_count; i++) {
        if (lb_dhcp6_offer_rank(&client->offers[i]) < lb_dhcp6_offer_rank(&client->offers[worst]))
            worst = i;
    }
    return worst;
}

/* One of the same server is replaced. False when there are better ones and no room. */
static bool add_offer(struct lb_dhcp6_client *client, const struct lb_dhcp6_lease *offer) {
    size_t at = 0;
    while (at < client->offer_count &&
           !lb_duid_equal(&client->offers[at].server_id, &offer->server_id))
        at++;
    if (at == LB_DHCP6_OFFERS_MAX) {
        at = find_worst(client);
        if (lb_dhcp6_offer_rank(offer) <= lb_dhcp6_offer_rank(&client->offers[at]))
            return false;
    } else if (at == client->offer_count) {
        client->offer_count++;
    } else if (lb_dhcp6_offer_rank(offer) == 0 && lb_dhcp6_offer_rank(&client->offers[at]) > 0) {
        return false; /* who forges a server's identifier */
    }
    client->offers[at] = *offer;
    return true;
}

/* The first answer starts the wait for others; the first that can be used may shorten it. */
static void wait_for_more(struct lb_dhcp6_client *client, uint64_t now_us) {
    const struct lb_dhcp6_config *config = &client->config;
    bool is_bad = !config->offers_only && !lb_dhcp6_client_is_usable(client);
    uint32_t ms = config->offer_wait_ms ? config->offer_wait_ms : OFFER_WAIT_MS;
    if (is_bad)
        ms = LB_MAX(ms, config->bad_wait_ms ? config->bad_wait_ms : BAD_WAIT_MS);
    else
        client->deadline_us = LB_NEVER; /* it was answered: not sent again */
    if (client->offers_until_us == LB_NEVER || !is_bad)
        client->offers_until_us = LB_MIN(client->offers_until_us, now_us + ms * LB_US_MS);
}

/* RFC 8415 18.2.1 collects for the whole first wait. A boot is in a hurry: what names an iSCSI disk
 * is taken at once, and else the wait is the configuration's. */
static const char *got_offer(struct lb_dhcp6_client *client, uint64_t now_us,
                             const struct lb_dhcp6_lease *offer) {
    if (!add_offer(client, offer))
        return "better offers than we can keep";
    client->saw_offer = client->saw_offer || lb_dhcp6_client_is_usable(client);
    wait_for_more(client, now_us);
    lb_trace(client->trace, now_us, "dhcp6", "offer by %s, rank %u", lb_addr_text(offer->server).s,
             lb_dhcp6_offer_rank(offer));
    if (!client->config.offers_only && lb_dhcp6_offer_suffices(offer))
        lb_dhcp6_client_end_offers(client, now_us);
    return NULL;
}

/* ---- addresses ---- */

static bool is_usable(const struct lb_dhcp6_ia *ia) {
    size_t i = 0;
    while (i < ia->addr_count && ia->addrs[i].valid_s == 0)
        i++;
    return ia->status == LB_DHCP6_SUCCESS && i < ia->addr_count;
}

static void take_ia(const struct lb_dhcp6_ia *ia, struct lb_dhcp6_lease *lease) {
    lease->t1_s = ia->t1_s;
    lease->t2_s = ia->t2_s;
    for (size_t i = 0; i < ia->addr_count; i++) {
        if (ia->addrs[i].valid_s > 0)
            lease->addrs[lease->addr_count++] = ia->addrs[i];
    }
}

/* RFC 8415 18.2.10.1: an address of ours that the answer does not name stays as it was. */
static void keep_unnamed(const struct lb_dhcp6_client *client, const struct lb_dhcp6_ia *ia,
                         struct lb_dhcp6_lease *lease) {
    const struct lb_dhcp6_lease *old = &client->lease;
    for (size_t i = 0; i < old->addr_count; i++) {
        size_t at = 0;
        while (at < ia->addr_count && !lb_addr_equal(ia->addrs[at].addr, old->addrs[i].addr))
            at++;
        uint32_t valid_s = lb_dhcp6_left_s(old, lease->start_us, old->addrs[i].valid_s);
        if (at < ia->addr_count || valid_s == 0 || lease->addr_count == LB_DHCP6_ADDRS_MAX)
            continue;
        struct lb_dhcp6_addr *kept = &lease->addrs[lease->addr_count++];
        kept->addr = old->addrs[i].addr;
        kept->valid_s = valid_s;
        kept->preferred_s = lb_dhcp6_left_s(old, lease->start_us, old->addrs[i].preferred_s);
    }
}

/* The whole message's status comes before the IA's. */
static unsigned status_of(const struct lb_dhcp6_message *message, const struct lb_dhcp6_ia *ia,
                          struct lb_bytes *text) {
    unsigned status = lb_dhcp6_find_status(message->options, text);
    if (status != LB_DHCP6_SUCCESS || ia->status == LB_DHCP6_SUCCESS)
        return status;
    *text = ia->status_text;
    return ia->status;
}

/* ---- states ---- */

static const char *in_soliciting(struct lb_dhcp6_client *client, uint64_t now_us,
                                 const struct lb_dhcp6_message *message,
                                 struct lb_dhcp6_lease *lease) {
    const struct lb_dhcp6_config *config = &client->config;
    struct lb_dhcp6_ia ia = {0};
    struct lb_bytes text;
    if (message->type == LB_DHCP6_REPLY &&
        (!lease->rapid_commit || config->no_rapid_commit || config->offers_only))
        return "a Reply that nobody asked for"; /* RFC 8415 18.2.1 */
    if (message->type == LB_DHCP6_ADVERTISE)
        lease->rapid_commit = false;
    bool has_ia = lb_dhcp6_find_ia(message->options, config->iaid, &ia);
    unsigned status = status_of(message, &ia, &text);
    if (status != LB_DHCP6_SUCCESS)
        lb_dhcp6_client_note(client, now_us, status, text);
    /* RFC 8415 18.2.9: ignored, and what was waited for is waited for. */
    if (!has_ia && status == LB_DHCP6_SUCCESS)
        return "no IA_NA of ours, or one with T1 behind T2";
    if (status != LB_DHCP6_SUCCESS || !is_usable(&ia))
        return "no address for us";
    take_ia(&ia, lease);
    bool broke_word =
        client->broke_word.len > 0 && lb_duid_equal(&lease->server_id, &client->broke_word);
    if (broke_word && lease->worth != LB_WORTH_BAD)
        lease->worth = LB_WORTH_DOUBTFUL;
    return got_offer(client, now_us, lease);
}

static const char *in_requesting(struct lb_dhcp6_client *client, uint64_t now_us,
                                 const struct lb_dhcp6_message *message,
                                 struct lb_dhcp6_lease *lease) {
    struct lb_dhcp6_ia ia = {0};
    struct lb_bytes text;
    if (!lb_duid_equal(&lease->server_id, &client->next.server_id))
        return "not from the server that was chosen";
    if (lease->worth == LB_WORTH_BAD && client->next.worth != LB_WORTH_BAD && !client->has_lease)
        return "a Reply whose Root Path cannot be used, as that of the Advertise could be";
    bool has_ia = lb_dhcp6_find_ia(message->options, client->config.iaid, &ia);
    unsigned status = status_of(message, &ia, &text);
    if (status == LB_DHCP6_UNSPEC_FAIL || status == LB_DHCP6_USE_MULTICAST) {
        lb_dhcp6_client_note(client, now_us, status, text);
        return "a failure of the server's"; /* RFC 8415 18.2.10: asked again at its time */
    }
    if (!has_ia || status != LB_DHCP6_SUCCESS || !is_usable(&ia)) {
        lb_dhcp6_client_refused(client, now_us, status ? status : LB_DHCP6_NO_ADDRS_AVAIL, text);
        return NULL;
    }
    take_ia(&ia, lease);
    client->next = *lease;
    if (lb_duid_equal(&lease->server_id, &client->broke_word))
        client->broke_word.len = 0;
    lb_dhcp6_client_check(client, now_us);
    return NULL;
}

/* RENEWING, REBINDING. */
static const char *in_renewal(struct lb_dhcp6_client *client, uint64_t now_us,
                              const struct lb_dhcp6_message *message,
                              struct lb_dhcp6_lease *lease) {
    struct lb_dhcp6_ia ia = {0};
    struct lb_bytes text;
    if (client->state == LB_DHCP6_RENEWING &&
        !lb_duid_equal(&lease->server_id, &client->lease.server_id))
        return "not from the server that was asked";
    bool has_ia = lb_dhcp6_find_ia(message->options, client->config.iaid, &ia);
    unsigned status = status_of(message, &ia, &text);
    if (status == LB_DHCP6_NO_BINDING) {
        client->lease.server_id = lease->server_id;
        lb_dhcp6_client_request_again(client, now_us);
        return NULL;
    }
    if (status == LB_DHCP6_NOT_ON_LINK) {
        lb_dhcp6_client_refused(client, now_us, status, text);
        return NULL;
    }
    if (status != LB_DHCP6_SUCCESS)
        return "a failure of the server's";
    if (!has_ia || ia.addr_count == 0)
        return "nothing about our addresses";
    take_ia(&ia, lease);
    keep_unnamed(client, &ia, lease);
    if (lease->addr_count == 0) {
        lb_dhcp6_client_refused(client, now_us, LB_DHCP6_NO_ADDRS_AVAIL, text);
        return NULL;
    }
    client->next = *lease;
    lb_dhcp6_client_check(client, now_us);
    return NULL;
}

/* RFC 8415 18.2.10.2. */
static const char *in_confirming(struct lb_dhcp6_client *client, uint64_t now_us,
                                 const struct lb_dhcp6_message *message) {
    struct lb_bytes text;
    unsigned status = lb_dhcp6_find_status(message->options, &text);
    if (status == LB_DHCP6_SUCCESS)
        lb_dhcp6_client_keep(client, now_us);
    else if (status == LB_DHCP6_NOT_ON_LINK)
        lb_dhcp6_client_refused(client, now_us, status, text);
    else
        return "neither yes nor no";
    return NULL;
}

/* What is said beside addresses that stay. */
static void take_information(struct lb_dhcp6_client *client, uint64_t now_us,
                             const struct lb_dhcp6_lease *said) {
    struct lb_dhcp6_lease *lease = &client->lease, old = *lease;
    *lease = *said;
    memcpy(lease->addrs, old.addrs, sizeof lease->addrs);
    lease->addr_count = old.addr_count;
    lease->t1_s = old.t1_s;
    lease->t2_s = old.t2_s;
    lease->start_us = old.start_us;
    lease->server_id = old.server_id;
    lease->server = old.server;
    lb_dhcp6_client_keep(client, now_us);
}

static const char *in_informing(struct lb_dhcp6_client *client, uint64_t now_us,
                                const struct lb_dhcp6_message *message,
                                struct lb_dhcp6_lease *lease) {
    struct lb_bytes text;
    unsigned status = lb_dhcp6_find_status(message->options, &text);
    if (status != LB_DHCP6_SUCCESS) {
        lb_dhcp6_client_note(client, now_us, status, text);
        return "no information for us";
    }
    lease->rapid_commit = false;
    if (!client->config.stateless) {
        take_information(client, now_us, lease);
        return NULL;
    }
    lease->stateless = true;
    return got_offer(client, now_us, lease);
}

/* ---- any message ---- */

/* RFC 8415 16.3, 16.10: who it is from and for. */
static const char *check_identifiers(const struct lb_dhcp6_client *client,
                                     const struct lb_dhcp6_message *message) {
    struct lb_duid duid;
    if (!lb_dhcp6_find_duid(message->options, LB_OPT6_SERVER_ID, &duid))
        return "no server identifier that can be one";
    if (!lb_dhcp6_find_duid(message->options, LB_OPT6_CLIENT_ID, &duid))
        return "no client identifier";
    return lb_duid_equal(&duid, &client->config.duid) ? NULL : "another client's";
}

/* ---- authentication: RFC 3315 21.4 ---- */

static uint64_t peer_of(const struct lb_dhcp6_message *message,
                        const struct lb_dhcp6_proof *proof) {
    struct lb_dhcp_key key = {.id = proof->key_id, .realm = proof->realm};
    struct lb_duid server = {.len = 0};
    (void)lb_dhcp6_find_duid(message->options, LB_OPT6_SERVER_ID, &server);
    return lb_dhcp_seen_peer(lb_bytes(server.bytes, server.len), &key);
}

static bool is_key_of(const struct lb_dhcp6_lease *lease, const struct lb_dhcp6_proof *proof) {
    return lease->key_id == proof->key_id && lb_text_is(proof->realm, lease->realm);
}

/* The lease that the exchange under way is about; NULL where it is about none yet. */
static const struct lb_dhcp6_lease *subject(const struct lb_dhcp6_client *client) {
    if (client->state == LB_DHCP6_REQUESTING || client->state == LB_DHCP6_DECLINING)
        return &client->next;
    return client->has_lease ? &client->lease : NULL;
}

/* Why a message does not count where there are keys, or NULL. */
static const char *check_auth(const struct lb_dhcp6_client *client,
                              const struct lb_dhcp6_message *message,
                              struct lb_dhcp6_proof *proof) {
    const struct lb_dhcp6_lease *lease = subject(client);
    if (client->config.keys.len == 0)
        return NULL;
    const char *why = lb_dhcp6_check_auth(message, client->config.keys, proof);
    if (why)
        return why;
    if (!lb_dhcp_seen_is_new(client->config.seen, peer_of(message, proof), proof->replay))
        return "authenticated, but played again: its replay detection value is not new";
    if (lease != NULL && lease->authentic && !is_key_of(lease, proof))
        return "authenticated by another key than before";
    return NULL;
}

static void note_proof(struct lb_dhcp6_client *client, const struct lb_dhcp6_message *message,
                       const struct lb_dhcp6_proof *proof, struct lb_dhcp6_lease *lease) {
    if (client->config.keys.len == 0)
        return;
    lb_dhcp_seen_note(client->config.seen, peer_of(message, proof), proof->replay);
    lease->authentic = lb_text_copy(lease->realm, sizeof lease->realm, proof->realm);
    lease->key_id = proof->key_id;
}

/* A Reconfigure is proved by the key of the lease, or by that of RKAP. */
static bool is_authentic(struct lb_dhcp6_client *client, const struct lb_dhcp6_message *message) {
    struct lb_dhcp6_lease ignored;
    struct lb_dhcp6_proof proof;
    if (client->config.keys.len == 0)
        return lb_dhcp6_is_authentic(message, &client->key);
    if (check_auth(client, message, &proof) != NULL)
        return false;
    note_proof(client, message, &proof, &ignored);
    return true;
}

/* RFC 8415 18.2.11. While we ask something, there is no second exchange. */
static const char *take_reconfigure(struct lb_dhcp6_client *client, uint64_t now_us,
                                    const struct lb_dhcp6_message *message) {
    uint8_t wanted;
    const char *why = check_identifiers(client, message);
    if (why)
        return why;
    if (client->state != LB_DHCP6_BOUND && client->state != LB_DHCP6_INFORMED)
        return "another exchange is under way";
    if (!lb_dhcp6_find_u8(message->options, LB_OPT6_RECONF_MSG, &wanted) ||
        (wanted != LB_DHCP6_RENEW && wanted != LB_DHCP6_REBIND &&
         wanted != LB_DHCP6_INFORMATION_REQUEST))
        return "it does not say what is wanted";
    if (!client->config.take_reconfigure || !is_authentic(client, message))
        return "not authentic";
    lb_dhcp6_client_reconfigure(client, now_us, wanted);
    return NULL;
}

/* RFC 8415 18.2.9: heeded also in messages that are not used otherwise. */
static void take_max_rts(struct lb_dhcp6_client *client, const struct lb_dhcp6_message *message) {
    uint32_t seconds;
    if (lb_dhcp6_find_u32(message->options, LB_OPT6_SOL_MAX_RT, &seconds) &&
        seconds >= LB_DHCP6_MAX_RT_MIN && seconds <= LB_DHCP6_MAX_RT_MAX)
        client->sol_max_rt_s = seconds;
    if (lb_dhcp6_find_u32(message->options, LB_OPT6_INF_MAX_RT, &seconds) &&
        seconds >= LB_DHCP6_MAX_RT_MIN && seconds <= LB_DHCP6_MAX_RT_MAX)
        client->inf_max_rt_s = seconds;
}

static const char *take_reply(struct lb_dhcp6_client *client, uint64_t now_us,
                              const struct lb_dhcp6_message *message,
                              struct lb_dhcp6_lease *lease) {
    switch (client->state) {
    case LB_DHCP6_SOLICITING:
        return in_soliciting(client, now_us, message, lease);
    case LB_DHCP6_REQUESTING:
        return in_requesting(client, now_us, message, lease);
    case LB_DHCP6_RENEWING:
    case LB_DHCP6_REBINDING:
        return in_renewal(client, now_us, message, lease);
    case LB_DHCP6_CONFIRMING:
        return in_confirming(client, now_us, message);
    case LB_DHCP6_INFORMING:
        return in_informing(client, now_us, message, lease);
    case LB_DHCP6_DECLINING:
        lb_dhcp6_client_declined(client, now_us); /* whatever it says: RFC 8415 18.2.10.3 */
        return NULL;
    case LB_DHCP6_INIT:
    case LB_DHCP6_CHECKING:
    case LB_DHCP6_BOUND:
    case LB_DHCP6_INFORMED:
    case LB_DHCP6_STOPPED:
        break;
    }
    return "nothing was asked";
}

static const char *take_message(struct lb_dhcp6_client *client, uint64_t now_us,
                                const struct lb_dhcp6_message *message, struct lb_addr from,
                                enum lb_worth worth) {
    struct lb_dhcp6_lease lease;
    if (message->type == LB_DHCP6_RECONFIGURE)
        return take_reconfigure(client, now_us, message);
    if (message->type != LB_DHCP6_ADVERTISE && message->type != LB_DHCP6_REPLY)
        return "not for clients";
    if (message->xid != client->xid)
        return "another transaction";
    const char *why = check_identifiers(client, message);
    if (why)
        return why;
    if (message->type == LB_DHCP6_ADVERTISE && client->state != LB_DHCP6_SOLICITING)
        return "an Advertise that nobody asked for";
    struct lb_dhcp6_proof proof;
    why = check_auth(client, message, &proof);
    if (why) {
        client->unauthentic++;
        client->unauthentic_why = why;
        return why;
    }
    take_max_rts(client, message);
    lb_dhcp6_read_lease(message, from, &lease);
    note_proof(client, message, &proof, &lease);
    lease.start_us = now_us;
    lease.worth = worth;
    why = take_reply(client, now_us, message, &lease);
    /* A key is for a client that asked for it, and in an answer it waits for: RFC 8415 20.4.3. */
    if (!why && client->config.take_reconfigure && message->type == LB_DHCP6_REPLY)
        lb_dhcp6_take_key(message, &client->key);
    return why;
}

bool lb_dhcp6_client_reads(const struct lb_dhcp6_client *client, struct lb_endpoint from,
                           struct lb_bytes payload, struct lb_dhcp6_lease *lease) {
    struct lb_dhcp6_message message;
    const char *why;
    if (!lb_dhcp6_decode(payload, &message, &why) || message.xid != client->xid ||
        (message.type != LB_DHCP6_ADVERTISE && message.type != LB_DHCP6_REPLY) ||
        check_identifiers(client, &message) != NULL)
        return false;
    struct lb_dhcp6_proof proof;
    if (check_auth(client, &message, &proof) != NULL)
        return false;
    lb_dhcp6_read_lease(&message, from.addr, lease);
    return true;
}

/* Whether bytes are an answer to what we asked, as far as the header says: also where the rest
 * cannot be read. */
static bool is_for_us(const struct lb_dhcp6_client *client, struct lb_bytes payload) {
    struct lb_rd rd = lb_rd(payload);
    uint32_t header = lb_rd_u32(&rd);
    bool is_asking = client->state == LB_DHCP6_SOLICITING || client->state == LB_DHCP6_REQUESTING ||
                     client->state == LB_DHCP6_INFORMING;
    bool is_answer = header >> 24 == LB_DHCP6_ADVERTISE || header >> 24 == LB_DHCP6_REPLY;
    return lb_rd_ok(&rd) && is_asking && is_answer && (header & 0xffffff) == client->xid;
}

bool lb_dhcp6_client_hear(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes payload, enum lb_worth worth) {
    struct lb_dhcp6_message message;
    const char *type = "datagram", *why = NULL;
    bool was_for_us = is_for_us(client, payload);
    if (lb_dhcp6_decode(payload, &message, &why)) {
        type = lb_dhcp6_type_word(message.type);
        why = take_message(client, now_us, &message, from.addr, worth);
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
    lb_trace(client->trace, now_us, "dhcp6", "ignored in %s: %s from %s: %s",
             lb_dhcp6_state_word(client->state), type, lb_endpoint_text(from).s, why);
    return false;
}

bool lb_dhcp6_client_input(struct lb_dhcp6_client *client, uint64_t now_us, struct lb_endpoint from,
                           struct lb_bytes payload) {
    return lb_dhcp6_client_hear(client, now_us, from, payload, LB_WORTH_UNKNOWN);
}
