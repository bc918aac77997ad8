/* The SLP user agent: from URL entries to answers, each given out once, with its portal group where
 * that is asked for. */
#include "core/slp/slp_client.h"

#define ATTR_TRIES       2 /* a boot can do without the portal group: the login tells it */
#define PORTAL_GROUP_MAX UINT16_MAX

/* ---- what was given out before ---- */

#define SEEN_ROWS (LB_SLP_SEEN_MAX / LB_SLP_SEEN_WAYS)

static uint64_t seen_key_of(const struct lb_slp_client *client, const struct lb_slp_found *found) {
    uint8_t digest[LB_HASH_MAX_BYTES];
    const uint8_t more[] = {(uint8_t)found->isns, (uint8_t)found->host, (uint8_t)(found->port >> 8),
                            (uint8_t)found->port};
    struct lb_bytes parts[] = {
        lb_bytes(client->seen_key, sizeof client->seen_key),
        lb_bytes(more, sizeof more),
        lb_bytes(found->addr.bytes, sizeof found->addr.bytes),
        lb_bytes(found->name, lb_strlen(found->name) + 1),
        lb_bytes(found->target, lb_strlen(found->target) + 1),
        lb_bytes(found->identity, lb_strlen(found->identity)),
    };
    lb_hash_parts(LB_HASH_MD5, parts, LB_COUNT(parts), digest);
    struct lb_rd rd = lb_rd(lb_bytes(digest, sizeof digest));
    return lb_rd_u64(&rd) | 1; /* 0: free */
}

/* Whether this portal of this target was not seen lately; then it is remembered, in the place of
 * the oldest in its row. The answers of a datagram are all remembered when they come again by TCP;
 * a few among thousands may come twice. */
static bool is_new(struct lb_slp_client *client, const struct lb_slp_found *found) {
    uint64_t key = seen_key_of(client, found);
    uint64_t *row = &client->seen[(key >> 1) % SEEN_ROWS * LB_SLP_SEEN_WAYS];
    for (size_t i = 0; i < LB_SLP_SEEN_WAYS; i++)
        if (row[i] == key)
            return false;
    memmove(row + 1, row, (LB_SLP_SEEN_WAYS - 1) * sizeof *row);
    row[0] = key;
    return true;
}

/* ---- portal groups ---- */

static struct lb_slp_attr *free_attr(struct lb_slp_client *client) {
    for (size_t i = 0; i < LB_SLP_ATTRS_MAX; i++) {
        if (!client->attrs[i].is_busy)
            return &client->attrs[i];
    }
    return NULL;
}

/* Puts client->found aside until its portal group is known; false when there is no room for more
 * questions at a time. */
static bool put_aside(struct lb_slp_client *client, uint64_t now_us, struct lb_bytes url) {
    struct lb_slp_attr *attr = free_attr(client);
    if (!client->config.ask_portal_group || client->found.isns || !attr)
        return false;
    attr->is_busy = true;
    attr->is_ready = false;
    attr->sends = 0;
    attr->due_us = now_us;
    attr->xid = lb_slp_client_new_xid(client);
    attr->found = client->found;
    attr->url_len = url.len;
    memcpy(attr->url, url.p, url.len);
    return true;
}

struct lb_bytes lb_slp_client_ask_attr(struct lb_slp_client *client, uint64_t now_us,
                                       struct lb_addr *to) {
    struct lb_slp_attr *attr = client->attrs;
    struct lb_slp_attr *end = attr + LB_SLP_ATTRS_MAX;
    while (attr < end && !(attr->is_busy && !attr->is_ready && attr->sends < ATTR_TRIES &&
                           now_us >= attr->due_us))
        attr++;
    if (attr == end)
        return lb_bytes(NULL, 0);
    char scopes_text[LB_SLP_SCOPES_MAX * 2];
    struct lb_text scopes = lb_text(scopes_text, sizeof scopes_text);
    lb_slp_client_scopes(client, &client->casts[LB_SLP_ASK_ALL], &scopes);
    struct lb_slp_request request = {
        .type = lb_bytes(attr->url, attr->url_len),
        .scopes = lb_bytes(scopes.at, scopes.len),
        .predicate = lb_bytes_of_text("portal-group"),
    };
    uint16_t mtu = client->config.mtu ? client->config.mtu : LB_SLP_MTU;
    struct lb_wr wr = lb_wr(lb_span(client->packet, LB_MIN(mtu, sizeof client->packet)));
    lb_slp_begin(&wr, LB_SLP_ATTR_RQST, 0, attr->xid, lb_bytes_of_text(LB_SLP_LANGUAGE));
    lb_slp_put_request(&wr, &request);
    *to = attr->found.agent;
    attr->due_us = now_us + lb_slp_client_retry_ms(client) * LB_US_MS;
    attr->sends++;
    struct lb_bytes bytes = lb_slp_finish(&wr);
    attr->is_ready = bytes.len == 0; /* too long: it stays unknown */
    return bytes;
}

void lb_slp_client_attr_reply(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                              uint16_t xid, struct lb_bytes body) {
    struct lb_slp_attr *attr = client->attrs;
    struct lb_slp_attr *end = attr + LB_SLP_ATTRS_MAX;
    while (attr < end && !(attr->is_busy && !attr->is_ready && attr->sends > 0 &&
                           attr->xid == xid && lb_addr_equal(attr->found.agent, from)))
        attr++;
    struct lb_slp_attr_reply reply;
    if (attr == end) {
        lb_slp_client_ignore(client, now_us, from, "attributes that nobody asked for");
        return;
    }
    if (!lb_slp_decode_attr_reply(body, &reply)) {
        lb_slp_client_ignore(client, now_us, from, "malformed AttrRply");
        return;
    }
    struct lb_bytes values, first;
    uint64_t tag;
    attr->is_ready = true;
    if (reply.error == LB_SLP_OK &&
        lb_slp_attribute_find(reply.attributes, "portal-group", &values) &&
        lb_list_next(&values, ',', &first) && lb_parse_u64(first, PORTAL_GROUP_MAX, &tag))
        attr->found.portal_group = (int32_t)tag;
}

uint64_t lb_slp_client_attr_deadline(const struct lb_slp_client *client) {
    uint64_t until_us = LB_NEVER;
    for (size_t i = 0; i < LB_SLP_ATTRS_MAX; i++) {
        const struct lb_slp_attr *attr = &client->attrs[i];
        if (attr->is_busy)
            until_us = LB_MIN(until_us, attr->is_ready ? 0 : attr->due_us);
    }
    return until_us;
}

void lb_slp_client_end_attrs(struct lb_slp_client *client) {
    for (size_t i = 0; i < LB_SLP_ATTRS_MAX; i++)
        client->attrs[i].is_ready = client->attrs[i].is_busy;
}

bool lb_slp_client_next_attr(struct lb_slp_client *client, uint64_t now_us) {
    for (size_t i = 0; i < LB_SLP_ATTRS_MAX; i++) {
        struct lb_slp_attr *attr = &client->attrs[i];
        bool gives_up = attr->sends == ATTR_TRIES && now_us >= attr->due_us;
        if (attr->is_busy && (attr->is_ready || gives_up)) {
            attr->is_busy = false;
            client->found = attr->found;
            return true;
        }
    }
    return false;
}

/* ---- entries ---- */

bool lb_slp_client_take(struct lb_slp_client *client, uint64_t now_us, struct lb_addr agent,
                        const struct lb_slp_entry *entry) {
    struct lb_slp_found *found = &client->found;
    const char *why = NULL;
    if (!lb_utf8_is_valid(entry->url) || !lb_slp_url_parse(entry->url, found))
        why = "a URL that is not one of iSCSI";
    else if (found->isns != (client->config.query == LB_SLP_ISNS))
        why = "a URL of another service than was asked for";
    else if (client->config.query == LB_SLP_BY_TARGET &&
             !lb_iscsi_names_equal(found->target, client->target))
        why = "another target than was asked for";
    else if (!is_new(client, found))
        why = "an answer that was there before";
    if (why) {
        lb_slp_client_ignore(client, now_us, agent, why);
        return false;
    }
    found->agent = agent;
    found->lifetime_s = entry->lifetime_s;
    return !put_aside(client, now_us, entry->url);
}

/* The next answer of a reply; false: there are no more. */
static bool next_entry(struct lb_slp_client *client, uint64_t now_us,
                       struct lb_slp_datagram *datagram) {
    /* RFC 2608 8.2 gives a count; the bytes are what is there. */
    while (datagram->count > 0 && datagram->at < datagram->len) {
        struct lb_bytes all = lb_bytes(datagram->bytes, datagram->len);
        struct lb_rd rd = lb_rd(lb_bytes_after(all, datagram->at));
        struct lb_slp_entry entry = lb_slp_rd_entry(&rd);
        if (!lb_rd_ok(&rd)) {
            if (!datagram->is_cut)
                lb_slp_client_ignore(client, now_us, datagram->from, "a URL entry is cut off");
            return false;
        }
        datagram->count--;
        datagram->at = datagram->len - rd.left;
        if (lb_slp_client_take(client, now_us, datagram->from, &entry))
            return true;
    }
    return false;
}

bool lb_slp_client_next(struct lb_slp_client *client, uint64_t now_us) {
    while (client->datagram_count > 0) {
        if (next_entry(client, now_us, &client->datagrams[client->datagram_first]))
            return true;
        client->datagram_first = (client->datagram_first + 1) % LB_SLP_QUEUE_MAX;
        client->datagram_count--;
    }
    return false;
}
