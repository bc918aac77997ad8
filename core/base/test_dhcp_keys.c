/* Keys of DHCP authentication as they are written; what keeps old messages from being taken. */
#include "core/base/dhcp_keys.h"
#include "core/base/text.h"
#include "tests/tap.h"

static struct lb_bytes text(const char *s) {
    return lb_bytes_of_text(s);
}

static void a_key_is_an_id_and_a_secret_of_text_or_hex(void) {
    struct lb_bytes list = text("7:secret-of-12, 287454020:0x000102030405060708090a0b0c0d0e0f");
    struct lb_dhcp_key key;
    CHECK(lb_dhcp_keys_next(&list, &key));
    CHECK_EQ(key.id, 7);
    CHECK_EQ(key.realm.len, 0);
    CHECK(lb_text_is(lb_bytes(key.secret, key.secret_len), "secret-of-12"));
    CHECK(lb_dhcp_keys_next(&list, &key));
    CHECK_EQ(key.id, 0x11223344);
    CHECK_EQ(key.secret_len, 16);
    CHECK_EQ(key.secret[15], 15);
    CHECK(!lb_dhcp_keys_next(&list, &key));
    CHECK_EQ(list.len, 0);
}

static void a_key_with_a_realm_is_found_by_both(void) {
    struct lb_bytes list = text("1:for-version-4,1@boot.example:for-version-6,2@other:another-one");
    struct lb_dhcp_key key;
    CHECK(lb_dhcp_keys_find(list, text("boot.example"), 1, &key));
    CHECK(lb_text_is(lb_bytes(key.secret, key.secret_len), "for-version-6"));
    CHECK(lb_dhcp_keys_find(list, text(""), 1, &key));
    CHECK(lb_text_is(lb_bytes(key.secret, key.secret_len), "for-version-4"));
    CHECK(!lb_dhcp_keys_find(list, text("boot.example"), 2, &key));
    CHECK(!lb_dhcp_keys_find(list, text(""), 2, &key));
    CHECK_EQ(key.secret_len, 0);
    CHECK(lb_dhcp_keys_have(list, true) && lb_dhcp_keys_have(list, false));
    CHECK(!lb_dhcp_keys_have(text("1:12345678"), true));
    CHECK(!lb_dhcp_keys_have(text("1@r:12345678"), false));
}

static void what_is_no_key_is_told_by_its_place(void) {
    static const struct {
        const char *text;
        size_t item;
    } wrong[] = {
        {"", 1},
        {"12345678", 1},               /* no id */
        {":12345678", 1},              /* an empty one */
        {"x:12345678", 1},             /* no number */
        {"4294967296:12345678", 1},    /* of more than 32 bits */
        {"1:1234567", 1},              /* too short */
        {"1:0x01020304050607", 1},     /* the same in hex */
        {"1:0x010203040506070g", 1},   /* no hex */
        {"1@:12345678", 1},            /* an empty realm */
        {"1:12345678,", 0},            /* a comma at the end is no item */
        {"1:12345678,,2:12345678", 2}, /* but an empty one is wrong */
        {"1:12345678,2:short", 2},
        {"1:12345678,2:12345678,1:another-secret", 3},
        {"1@r:12345678,1:12345678,1@r:12345678", 3},
        {"1:12345678901234567890123456789012345678901234567890123456789012345", 1},
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        size_t item = 0;
        bool ok = lb_dhcp_keys_check(text(wrong[i].text), &item);
        if (wrong[i].item == 0)
            CHECK(ok);
        else
            CHECK(!ok && item == wrong[i].item);
    }
}

static void every_truncation_is_refused_or_a_shorter_secret(void) {
    const char *whole = "10@boot.example:0123456789abcdef";
    for (size_t len = 0; len < lb_strlen(whole); len++) {
        size_t item;
        CHECK_EQ(lb_dhcp_keys_check(lb_bytes(whole, len), &item), len >= 16 + LB_DHCP_SECRET_MIN);
    }
}

static void a_message_is_new_once(void) {
    struct lb_dhcp_seen seen = {.next = 0};
    struct lb_dhcp_key key = {.id = 1};
    uint64_t a = lb_dhcp_seen_peer(text("a"), &key), b = lb_dhcp_seen_peer(text("b"), &key);
    CHECK(lb_dhcp_seen_is_new(&seen, a, 0));
    lb_dhcp_seen_note(&seen, a, 5);
    CHECK(!lb_dhcp_seen_is_new(&seen, a, 5) && !lb_dhcp_seen_is_new(&seen, a, 4));
    CHECK(lb_dhcp_seen_is_new(&seen, a, 6) && lb_dhcp_seen_is_new(&seen, b, 1));
    key.id = 2;
    CHECK(lb_dhcp_seen_peer(text("a"), &key) != a);
}

static void a_ninth_peer_takes_the_place_of_the_first(void) {
    struct lb_dhcp_seen seen = {.next = 0};
    for (uint64_t peer = 1; peer <= LB_DHCP_SEEN_MAX + 1; peer++)
        lb_dhcp_seen_note(&seen, peer, 9);
    CHECK(lb_dhcp_seen_is_new(&seen, 1, 1));
    CHECK(!lb_dhcp_seen_is_new(&seen, 2, 9));
    CHECK(!lb_dhcp_seen_is_new(&seen, LB_DHCP_SEEN_MAX + 1, 9));
}

static void what_was_seen_is_kept_as_bytes(void) {
    struct lb_dhcp_seen seen = {.next = 0}, again = {.next = 7};
    uint8_t room[LB_DHCP_SEEN_BYTES];
    CHECK_EQ(lb_dhcp_seen_encode(&seen, room), 4);
    CHECK(lb_dhcp_seen_decode(lb_bytes(room, 4), &again));
    CHECK_EQ(again.next, 0);
    for (uint64_t peer = 1; peer <= LB_DHCP_SEEN_MAX + 2; peer++)
        lb_dhcp_seen_note(&seen, peer, 10 * peer);
    size_t len = lb_dhcp_seen_encode(&seen, room);
    CHECK_EQ(len, LB_DHCP_SEEN_BYTES);
    CHECK(lb_dhcp_seen_decode(lb_bytes(room, len), &again));
    CHECK(lb_dhcp_seen_is_new(&again, 2, 1)); /* replaced before */
    CHECK(!lb_dhcp_seen_is_new(&again, 3, 30) && lb_dhcp_seen_is_new(&again, 3, 31));
    lb_dhcp_seen_note(&again, 99, 1); /* the oldest is replaced */
    CHECK(lb_dhcp_seen_is_new(&again, 3, 1) && !lb_dhcp_seen_is_new(&again, 4, 40));
}

static void bytes_that_are_no_such_thing_change_nothing(void) {
    struct lb_dhcp_seen seen = {.next = 0}, again = {.next = 7};
    uint8_t room[LB_DHCP_SEEN_BYTES + 1] = {0};
    lb_dhcp_seen_note(&seen, 1, 10);
    lb_dhcp_seen_note(&seen, 2, 20);
    size_t len = lb_dhcp_seen_encode(&seen, room);
    for (size_t cut = 0; cut < len; cut++)
        CHECK_EQ(lb_dhcp_seen_decode(lb_bytes(room, cut), &again), cut == 4 || cut == 20);
    again.next = 7;
    room[4 + 16 + 7] = 1; /* the first one again */
    CHECK(!lb_dhcp_seen_decode(lb_bytes(room, len), &again));
    room[4 + 16 + 7] = 0; /* nobody */
    CHECK(!lb_dhcp_seen_decode(lb_bytes(room, len), &again));
    room[0] ^= 1;
    CHECK(!lb_dhcp_seen_decode(lb_bytes(room, 4), &again));
    CHECK(!lb_dhcp_seen_decode(lb_bytes(room, sizeof room), &again));
    CHECK_EQ(again.next, 7);
}

int main(void) {
    TEST(a_key_is_an_id_and_a_secret_of_text_or_hex);
    TEST(a_key_with_a_realm_is_found_by_both);
    TEST(what_is_no_key_is_told_by_its_place);
    TEST(every_truncation_is_refused_or_a_shorter_secret);
    TEST(a_message_is_new_once);
    TEST(a_ninth_peer_takes_the_place_of_the_first);
    TEST(what_was_seen_is_kept_as_bytes);
    TEST(bytes_that_are_no_such_thing_change_nothing);
    return tap_done();
}
