/* Keys of DHCP authentication in text; replay detection. */
#include "core/base/dhcp_keys.h"
#include "core/base/siphash.h"
#include "core/base/text.h"

static void clear(struct lb_dhcp_key *key) {
    volatile uint8_t *at = (uint8_t *)key;
    for (size_t i = 0; i < sizeof *key; i++)
        at[i] = 0;
}

static bool parse_secret(struct lb_bytes text, struct lb_dhcp_key *key) {
    if (lb_bytes_start_with(text, lb_bytes_of_text("0x"))) {
        if (!lb_parse_hex_bytes(lb_bytes_after(text, 2), lb_span(key->secret, sizeof key->secret),
                                &key->secret_len))
            return false;
    } else {
        if (text.len > sizeof key->secret)
            return false;
        key->secret_len = text.len;
        if (text.len > 0)
            memcpy(key->secret, text.p, text.len);
    }
    return key->secret_len >= LB_DHCP_SECRET_MIN;
}

static bool parse_key(struct lb_bytes item, struct lb_dhcp_key *key) {
    struct lb_bytes name, id, realm, secret;
    uint64_t number;
    *key = (struct lb_dhcp_key){.realm = lb_bytes(item.p, 0)};
    if (!lb_split_at(item, ':', &name, &secret))
        return false;
    if (lb_split_at(name, '@', &id, &realm)) {
        key->realm = realm;
        if (realm.len == 0 || realm.len > LB_DHCP_REALM_MAX)
            return false;
    }
    if (!lb_parse_u64(id, UINT32_MAX, &number))
        return false;
    key->id = (uint32_t)number;
    return parse_secret(secret, key);
}

bool lb_dhcp_keys_next(struct lb_bytes *text, struct lb_dhcp_key *key) {
    struct lb_bytes rest = *text, item;
    if (!lb_list_next(&rest, ',', &item))
        return false;
    if (!parse_key(item, key)) {
        clear(key);
        return false;
    }
    *text = rest;
    return true;
}

bool lb_dhcp_keys_find(struct lb_bytes text, struct lb_bytes realm, uint32_t id,
                       struct lb_dhcp_key *key) {
    while (lb_dhcp_keys_next(&text, key))
        if (key->id == id && lb_bytes_equal(key->realm, realm))
            return true;
    clear(key);
    return false;
}

bool lb_dhcp_keys_have(struct lb_bytes text, bool is_realm) {
    struct lb_dhcp_key key;
    bool has = false;
    while (!has && lb_dhcp_keys_next(&text, &key))
        has = (key.realm.len > 0) == is_realm;
    clear(&key);
    return has;
}

bool lb_dhcp_keys_check(struct lb_bytes text, size_t *item) {
    struct lb_bytes rest = text;
    struct lb_dhcp_key key, other;
    bool ok = true;
    *item = 1;
    while (ok && lb_dhcp_keys_next(&rest, &key)) {
        struct lb_bytes before = text;
        for (size_t i = 1; ok && i < *item && lb_dhcp_keys_next(&before, &other); i++)
            ok = key.id != other.id || !lb_bytes_equal(key.realm, other.realm);
        *item += ok;
    }
    ok = ok && lb_bytes_trim(rest).len == 0 && *item > 1;
    clear(&key);
    clear(&other);
    return ok;
}

/* ---- replay detection ---- */

static const struct lb_dhcp_seen_peer *find(const struct lb_dhcp_seen *seen, uint64_t peer) {
    for (size_t i = 0; i < LB_DHCP_SEEN_MAX; i++)
        if (seen->peers[i].peer == peer)
            return &seen->peers[i];
    return NULL;
}

bool lb_dhcp_seen_is_new(const struct lb_dhcp_seen *seen, uint64_t peer, uint64_t replay) {
    const struct lb_dhcp_seen_peer *at = find(seen, peer);
    return at == NULL || replay > at->replay;
}

void lb_dhcp_seen_note(struct lb_dhcp_seen *seen, uint64_t peer, uint64_t replay) {
    for (size_t i = 0; i < LB_DHCP_SEEN_MAX; i++) {
        if (seen->peers[i].peer != peer)
            continue;
        seen->peers[i].replay = replay;
        return;
    }
    seen->peers[seen->next % LB_DHCP_SEEN_MAX] =
        (struct lb_dhcp_seen_peer){.peer = peer, .replay = replay};
    seen->next = (seen->next + 1) % LB_DHCP_SEEN_MAX;
}

#define SEEN_FORM 0x4c425231 /* "LBR1" */

size_t lb_dhcp_seen_encode(const struct lb_dhcp_seen *seen, uint8_t room[LB_DHCP_SEEN_BYTES]) {
    struct lb_wr wr = lb_wr(lb_span(room, LB_DHCP_SEEN_BYTES));
    lb_wr_u32(&wr, SEEN_FORM);
    for (size_t i = 0; i < LB_DHCP_SEEN_MAX; i++) { /* the oldest first */
        const struct lb_dhcp_seen_peer *at = &seen->peers[(seen->next + i) % LB_DHCP_SEEN_MAX];
        if (at->peer == 0)
            continue;
        lb_wr_u64(&wr, at->peer);
        lb_wr_u64(&wr, at->replay);
    }
    return wr.len;
}

bool lb_dhcp_seen_decode(struct lb_bytes bytes, struct lb_dhcp_seen *seen) {
    struct lb_dhcp_seen read = {.next = 0};
    struct lb_rd rd = lb_rd(bytes);
    if (bytes.len > LB_DHCP_SEEN_BYTES || lb_rd_u32(&rd) != SEEN_FORM)
        return false;
    while (rd.left > 0) {
        uint64_t peer = lb_rd_u64(&rd), replay = lb_rd_u64(&rd);
        if (!lb_rd_ok(&rd) || peer == 0 || find(&read, peer) != NULL)
            return false;
        lb_dhcp_seen_note(&read, peer, replay);
    }
    *seen = read;
    return true;
}

uint64_t lb_dhcp_seen_peer(struct lb_bytes name, const struct lb_dhcp_key *key) {
    /* Fixed keys: whoever is remembered here has the secret, so nobody gains by a collision. */
    struct lb_hash_key by_realm = {.k0 = key->id, .k1 = key->realm.len};
    struct lb_hash_key by_name = {.k0 = lb_siphash(&by_realm, key->realm), .k1 = key->id};
    uint64_t peer = lb_siphash(&by_name, name);
    return peer != 0 ? peer : 1;
}
