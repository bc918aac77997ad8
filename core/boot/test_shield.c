/* IPsec with a peer, without an engine: what waits for it, and what goes through it. */
#include "core/boot/shield.h"
#include "tests/tap.h"
#include "tests/wipes.h"

static const uint8_t secret[] = "a secret of the test, long enough";
static struct lb_config config;
static struct lb_plan plan;
static struct lb_rand rand_;
static struct lb_trace trace;
static char ring[16384];
static struct lb_report report;
static struct lb_common common;
static struct lb_shield shield;
static struct lb_ike peer; /* a responder at 192.0.2.1 */
static struct lb_ipsec peer_pair;
static struct lb_addr ours, theirs;
static uint64_t now;
static unsigned opened, closed, sent;
static bool in_kernel;              /* of the next begin */
static unsigned protected, dropped; /* pairs that a kernel was told of */
static uint32_t newest_spi, dropped_spi;
static size_t longest; /* message that was sent: IKE_AUTH's */

static void set(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &error));
}

static void begin_peer(const char *psk) {
    struct lb_ike_config ike = {
        .psk = lb_bytes_of_text(psk),
        .id = "disk.example",
        .peer_id = "me.example",
        .is_responder = true,
        .local = theirs,
        .no_ports = true,
        .selector = {.local = theirs,
                     .remote = ours,
                     .local_last = UINT16_MAX,
                     .remote_last = UINT16_MAX},
    };
    lb_ike_init(&peer, now, &ike, &rand_, &trace);
}

static void begin(bool has_esp) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {7};
    struct lb_boot_setup setup = {.config = &config};
    now = 1000 * LB_US_SEC;
    ours = lb_addr_v4(192, 0, 2, 100);
    theirs = lb_addr_v4(192, 0, 2, 1);
    memset(&config, 0, sizeof config);
    set("ipsec-psk", (const char *)secret);
    set("ipsec-id", "me.example");
    set("ipsec-peer-id", "disk.example");
    plan = lb_plan_of(&setup);
    lb_rand_init(&rand_, seed);
    lb_trace_init(&trace, now, lb_span((uint8_t *)ring, sizeof ring));
    lb_report_init(&report, now);
    common = (struct lb_common){
        .plan = &plan, .interface = "eth0", .rand = &rand_, .trace = &trace, .report = &report};
    lb_shield_init(&shield, &common, has_esp, in_kernel);
    opened = closed = sent = protected = dropped = 0;
    longest = 0;
    begin_peer((const char *)secret);
}

/* What the peer has to say goes to the shield. */
static bool peer_turn(void) {
    struct lb_ike_action did = lb_ike_poll(&peer, now);
    if (did.event == LB_IKE_SEND)
        lb_shield_datagram(&shield, now, did.from, did.bytes);
    else if (did.event == LB_IKE_UP)
        lb_ipsec_begin(&peer_pair, did.terms);
    return did.event != LB_IKE_WAIT;
}

static void carry_out(const struct lb_boot_action *action) {
    uint8_t copy[2048];
    if (action->event == LB_BOOT_SOURCE) {
        lb_shield_source(&shield, now, action->to.addr, ours);
    } else if (action->event == LB_BOOT_OPEN) {
        CHECK_EQ(action->slot, LB_BOOT_SLOT_IPSEC4);
        CHECK_EQ(action->from.port, LB_IKE_NAT_PORT);
        opened++;
    } else if (action->event == LB_BOOT_CLOSE) {
        closed++;
    } else if (action->event == LB_BOOT_PROTECT) {
        CHECK(lb_addr_equal(action->terms->remote.addr, theirs));
        CHECK(action->terms->out_key[0] || action->terms->out_key[1] || action->terms->out_key[2]);
        CHECK(!action->terms->in_udp);
        protected++;
        newest_spi = action->terms->in_spi;
    } else if (action->event == LB_BOOT_UNPROTECT) {
        CHECK(lb_addr_equal(action->to.addr, theirs));
        dropped++;
        dropped_spi = action->spi;
    } else if (CHECK_EQ(action->event, LB_BOOT_SEND) && CHECK(action->bytes.len <= sizeof copy)) {
        sent++;
        longest = LB_MAX(longest, action->bytes.len);
        memcpy(copy, action->bytes.p, action->bytes.len);
        (void)lb_ike_input(&peer, now, (struct lb_endpoint){ours, LB_IKE_NAT_PORT}, action->to,
                           lb_span(copy, action->bytes.len));
    }
}

/* Runs both ends until neither has anything to do. */
static void settle(void) {
    for (bool has_work = true; has_work;) {
        struct lb_boot_action action;
        has_work = false;
        while (lb_ask_take(&common, &action)) {
            carry_out(&action);
            has_work = true;
        }
        enum lb_turn did = lb_shield_turn(&shield, now, &action);
        if (did == LB_TURN_ACT)
            carry_out(&action);
        has_work = peer_turn() || did != LB_TURN_IDLE || has_work;
    }
}

static struct lb_error why;

static enum lb_shield_says want(void) {
    why = (struct lb_error){.code = LB_OK};
    return lb_shield_want(&shield, now, theirs, false, &why);
}

/* A TCP packet of 40 bytes from our port to 3260 of this peer. */
static struct lb_bytes packet_to(struct lb_addr to, uint8_t room[40]) {
    static const uint8_t head[20] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6};
    static const uint8_t tcp[20] = {0xc0, 0, 0x0c, 0xbc, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20};
    memcpy(room, head, 20);
    memcpy(room + 12, ours.bytes, 4);
    memcpy(room + 16, to.bytes, 4);
    memcpy(room + 20, tcp, 20);
    return lb_bytes(room, 40);
}

static void a_connection_waits_for_the_keys(void) {
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    CHECK(!lb_addr_is_set(lb_shield_local(&shield, theirs)));
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK(lb_addr_equal(lb_shield_local(&shield, theirs), ours));
    CHECK_EQ(opened, 1);
    CHECK_EQ(sent, 2); /* two round trips */
}

/* The pair is there before anybody wants it, is the first exchange's, and no other's. */
static void the_first_key_pair_is_made_beforehand(void) {
    struct lb_boot_action action;
    begin(true);
    CHECK_EQ(lb_shield_turn(&shield, now, &action), LB_TURN_IDLE);
    struct lb_dh made = shield.key_pair;
    CHECK_EQ(made.value_len, 32);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    lb_shield_source(&shield, now, theirs, ours);
    CHECK_BYTES(lb_bytes(shield.peers[0].ike.dh.value, 32), lb_bytes(made.value, 32));
    CHECK_EQ(shield.key_pair.value_len, 0);
    CHECK(shield.peers[0].ike.config.key_pair == NULL);
    CHECK_EQ(lb_shield_turn(&shield, now, &action), LB_TURN_ACT);
    (void)lb_shield_turn(&shield, now, &action);
    CHECK_EQ(shield.key_pair.value_len, 0);
    begin(false); /* no random numbers that nobody can guess */
    CHECK_EQ(lb_shield_turn(&shield, now, &action), LB_TURN_IDLE);
    CHECK_EQ(shield.key_pair.value_len, 0);
}

static void packets_go_through_it_and_come_back(void) {
    uint8_t plain[40], room[40 + LB_IPSEC_OVERHEAD_MAX], back[LB_IPSEC_HEAD_MAX + 256];
    struct lb_endpoint to;
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    CHECK_EQ(lb_shield_seal(&shield, packet_to(theirs, plain), lb_span(room, sizeof room), &to).len,
             0); /* no keys yet: it must not be sent */
    settle();
    struct lb_bytes packet = packet_to(theirs, plain);
    struct lb_bytes sealed = lb_shield_seal(&shield, packet, lb_span(room, sizeof room), &to);
    CHECK(sealed.len > packet.len && to.port == LB_IKE_NAT_PORT && lb_addr_equal(to.addr, theirs));
    memcpy(back + LB_IPSEC_HEAD_MAX, sealed.p, sealed.len);
    CHECK_BYTES(lb_ipsec_open_esp(&peer_pair, lb_span(back + LB_IPSEC_HEAD_MAX, sealed.len)),
                packet);
    struct lb_addr other = lb_addr_v4(192, 0, 2, 2); /* nobody has keys for it */
    CHECK_EQ(lb_shield_seal(&shield, packet_to(other, plain), lb_span(room, sizeof room), &to).len,
             0);
    CHECK_EQ(shield.refused_out, 2);
    CHECK_EQ(lb_shield_open(&shield, (struct lb_endpoint){theirs, LB_IKE_NAT_PORT},
                            lb_span(back + LB_IPSEC_HEAD_MAX, 40))
                 .len,
             0); /* not the peer's */
    CHECK_EQ(shield.refused_in, 1);
}

static void a_wrong_key_is_told_and_tried_anew(void) {
    begin(true);
    begin_peer("another secret, long enough, too");
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_FAILED);
    CHECK_EQ(why.code, LB_E_IPSEC_AUTH);
    begin_peer((const char *)secret);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
}

static void silence_is_told_after_ten_seconds(void) {
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    lb_shield_source(&shield, now, theirs, ours);
    for (unsigned i = 0; i < 100; i++) {
        struct lb_boot_action action;
        (void)lb_shield_turn(&shield, now, &action);
        now += LB_US_SEC / 10;
    }
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    struct lb_boot_action action;
    (void)lb_shield_turn(&shield, now, &action);
    CHECK_EQ(want(), LB_SHIELD_FAILED);
    CHECK_EQ(why.code, LB_E_IPSEC_SILENT);
}

/* The peer has restarted, and says nothing of it: a sign of life is asked for, then all is made
 * anew, while nothing goes out. */
static void a_peer_that_is_lost_is_asked_again(void) {
    uint8_t plain[40], room[40 + LB_IPSEC_OVERHEAD_MAX];
    struct lb_endpoint to;
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
    begin_peer((const char *)secret);
    for (unsigned i = 0; i < 60 && shield.peers[0].state == LB_SHIELD_IS_UP; i++) {
        now += LB_US_SEC;
        settle();
    }
    CHECK_EQ(shield.peers[0].pair_count, shield.peers[0].state == LB_SHIELD_IS_UP ? 1u : 0u);
    for (unsigned i = 0; i < 10; i++) {
        settle();
        now += LB_US_SEC / 10;
    }
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK(lb_shield_seal(&shield, packet_to(theirs, plain), lb_span(room, sizeof room), &to).len >
          40);
}

static void without_a_way_there_is_no_connection(void) {
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    lb_shield_source(&shield, now, theirs, (struct lb_addr){0});
    CHECK_EQ(want(), LB_SHIELD_FAILED);
    CHECK_EQ(why.code, LB_E_CONNECT_UNREACHABLE);
    begin(false); /* a host that cannot carry packets */
    CHECK_EQ(want(), LB_SHIELD_FAILED);
    CHECK_EQ(why.code, LB_E_IPSEC_MISSING);
}

static void what_it_covers_is_what_the_key_says(void) {
    static const struct {
        const char *word;
        bool target, discovery;
    } cases[] = {
        {"auto", true, true}, {"all", true, true}, {"target", true, false}, {"off", false, false}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_boot_setup setup = {.config = &config};
        begin(true);
        set("ipsec", cases[i].word);
        plan = lb_plan_of(&setup);
        CHECK_EQ(lb_shield_covers(&shield, false), cases[i].target);
        CHECK_EQ(lb_shield_covers(&shield, true), cases[i].discovery);
    }
}

static void the_end_is_said_and_all_keys_are_gone(void) {
    static const struct lb_shield_peer none;
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    sent = 0;
    lb_shield_stop(&shield, now);
    CHECK(memcmp(&shield.peers[0], &none, sizeof none) == 0);
    settle();
    CHECK_EQ(sent, 1);
    CHECK_EQ(closed, 1);
    CHECK_EQ(peer.state, LB_IKE_OVER);
}

/* ---- where the kernel has the keys ---- */

static void begin_in_kernel(void) {
    in_kernel = true;
    begin(true);
    in_kernel = false;
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
}

static void a_kernel_is_given_the_keys_before_anything_connects(void) {
    uint8_t plain[40], room[40 + LB_IPSEC_OVERHEAD_MAX];
    struct lb_endpoint to;
    in_kernel = true;
    begin(true);
    in_kernel = false;
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    for (unsigned i = 0; i < 100 && protected == 0; i++) {
        CHECK_EQ(want(), LB_SHIELD_WAIT);
        struct lb_boot_action action;
        if (lb_ask_take(&common, &action) || lb_shield_turn(&shield, now, &action) == LB_TURN_ACT)
            carry_out(&action);
        peer_turn();
    }
    CHECK_EQ(protected, 1);
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK_EQ(lb_shield_seal(&shield, packet_to(theirs, plain), lb_span(room, sizeof room), &to).len,
             0); /* no key is kept here */
}

static void a_kernel_is_told_of_new_keys_and_of_old_ones(void) {
    begin_in_kernel();
    uint32_t first = newest_spi;
    lb_ike_rekey(&shield.peers[0].ike, now);
    settle();
    CHECK_EQ(protected, 2);
    CHECK(newest_spi != first);
    CHECK_EQ(dropped, 1);
    CHECK_EQ(dropped_spi, first);
}

static void a_kernel_loses_all_at_the_end(void) {
    begin_in_kernel();
    lb_shield_stop(&shield, now);
    settle();
    CHECK_EQ(dropped, 1);
    CHECK_EQ(dropped_spi, 0);
    CHECK_EQ(closed, 1);
}

static void an_association_that_is_handed_over_goes_on_elsewhere(void) {
    static struct lb_ike ike;
    static struct lb_rand rand_of_owner;
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {9};
    begin_in_kernel();
    CHECK(!lb_shield_hand_over(&shield, lb_addr_v4(192, 0, 2, 2), &ike));
    CHECK(lb_shield_hand_over(&shield, theirs, &ike));
    sent = 0;
    lb_shield_stop(&shield, now);
    settle();
    CHECK_EQ(sent, 0); /* the peer is not told that it is over */
    CHECK_EQ(dropped, 0);
    lb_rand_init(&rand_of_owner, seed);
    lb_ike_adopt(&ike, lb_bytes_of_text((const char *)secret), "me.example", "disk.example",
                 &rand_of_owner, NULL);
    lb_ike_probe(&ike, now);
    struct lb_ike_action did = lb_ike_poll(&ike, now);
    if (!CHECK_EQ(did.event, LB_IKE_SEND))
        return;
    struct lb_boot_action action = {.event = LB_BOOT_SEND, .bytes = did.bytes, .to = did.to};
    carry_out(&action);
    did = lb_ike_poll(&peer, now);
    uint8_t answer[2048];
    if (!CHECK_EQ(did.event, LB_IKE_SEND))
        return;
    memcpy(answer, did.bytes.p, did.bytes.len);
    CHECK(lb_ike_input(&ike, now, did.from, did.to, lb_span(answer, did.bytes.len)));
    CHECK_EQ(ike.state, LB_IKE_READY);
}

static void an_association_that_is_not_the_kernels_is_not_handed_over(void) {
    static struct lb_ike ike;
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK(!lb_shield_hand_over(&shield, theirs, &ike));
}

/* A message is decrypted in a copy, of which nothing stays. */
static void what_was_heard_of_a_peer_is_wiped(void) {
    static const uint8_t noise[10];
    begin(true);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    take_wipes();
    lb_shield_datagram(&shield, now, (struct lb_endpoint){theirs, 500},
                       lb_bytes(noise, sizeof noise));
    CHECK_EQ(take_wipes(), 1);
    lb_shield_datagram(&shield, now, (struct lb_endpoint){lb_addr_v4(192, 0, 2, 7), 500},
                       lb_bytes(noise, sizeof noise));
    CHECK_EQ(take_wipes(), 0); /* nobody's */
}

/* ---- where others of the same machine have keys ---- */

static void ask_for_source(void) {
    struct lb_boot_action action;
    in_kernel = true;
    begin(true);
    in_kernel = false;
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    CHECK(lb_ask_take(&common, &action));
    CHECK_EQ(action.event, LB_BOOT_SOURCE);
}

static void what_another_has_keys_for_is_used_and_left(void) {
    ask_for_source();
    lb_shield_guarded(&shield, now, theirs, ours);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK(lb_addr_equal(lb_shield_local(&shield, theirs), ours));
    static struct lb_ike ike;
    CHECK(!lb_shield_hand_over(&shield, theirs, &ike));
    lb_shield_stop(&shield, now);
    settle();
    CHECK_EQ(opened, 0); /* nothing was asked, said or taken away */
    CHECK_EQ(sent, 0);
    CHECK_EQ(dropped, 0);
}

/* Who had the keys has ended meanwhile: now they are our own. */
static void whether_another_has_keys_is_asked_again(void) {
    ask_for_source();
    lb_shield_guarded(&shield, now, theirs, ours);
    now += LB_US_SEC / 2;
    CHECK_EQ(want(), LB_SHIELD_UP);
    now += LB_US_SEC;
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK_EQ(protected, 1);
}

static void where_another_begins_the_reason_is_told_and_it_is_tried_anew(void) {
    struct lb_error busy = {0};
    lb_fail(&busy, LB_E_IPSEC_BUSY, "192.0.2.1: another one");
    ask_for_source();
    lb_shield_no_keys(&shield, now, theirs, &busy);
    settle();
    CHECK_EQ(want(), LB_SHIELD_FAILED);
    CHECK_EQ(why.code, LB_E_IPSEC_BUSY);
    CHECK_STR(why.facts, "192.0.2.1: another one");
    CHECK_EQ(sent, 0);
    CHECK_EQ(want(), LB_SHIELD_WAIT);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
}

/* RFC 7296 2.4: INITIAL_CONTACT, a payload of 8 bytes, says that there are no others. */
static void the_keys_of_others_are_not_ended(void) {
    begin_in_kernel();
    size_t alone = longest;
    ask_for_source();
    lb_shield_not_alone(&shield);
    lb_shield_source(&shield, now, theirs, ours);
    settle();
    CHECK_EQ(want(), LB_SHIELD_UP);
    CHECK_EQ(longest, alone - 8);
    /* A second server may be another address of the first. */
    begin_in_kernel();
    struct lb_addr second = lb_addr_v4(192, 0, 2, 2);
    CHECK_EQ(lb_shield_want(&shield, now, second, false, &why), LB_SHIELD_WAIT);
    lb_shield_source(&shield, now, second, ours);
    CHECK(shield.peers[1].ike.config.is_second);
    CHECK(!shield.peers[0].ike.config.is_second);
}

/* A place for one more is that of the peer which nobody has wanted for longest. */
static void the_peer_that_nobody_wanted_for_longest_makes_room(void) {
    struct lb_error error = {.code = LB_OK};
    for (unsigned oldest = 0; oldest < LB_SHIELD_PEERS; oldest++) {
        begin(true);
        for (unsigned i = 0; i < LB_SHIELD_PEERS; i++) {
            now += LB_US_SEC;
            (void)lb_shield_want(&shield, now, lb_addr_v4(192, 0, 2, (uint8_t)(i + 1)), false,
                                 &error);
        }
        now += LB_US_SEC;
        for (unsigned i = 0; i < LB_SHIELD_PEERS; i++)
            if (i != oldest)
                (void)lb_shield_want(&shield, now, lb_addr_v4(192, 0, 2, (uint8_t)(i + 1)), false,
                                     &error);
        (void)lb_shield_want(&shield, now, lb_addr_v4(192, 0, 2, 77), false, &error);
        for (unsigned i = 0; i < LB_SHIELD_PEERS; i++)
            CHECK_EQ(shield.peers[i].remote.bytes[3], i == oldest ? 77 : i + 1);
    }
}

int main(void) {
    TEST(a_connection_waits_for_the_keys);
    TEST(the_first_key_pair_is_made_beforehand);
    TEST(packets_go_through_it_and_come_back);
    TEST(a_wrong_key_is_told_and_tried_anew);
    TEST(silence_is_told_after_ten_seconds);
    TEST(a_peer_that_is_lost_is_asked_again);
    TEST(without_a_way_there_is_no_connection);
    TEST(what_it_covers_is_what_the_key_says);
    TEST(the_end_is_said_and_all_keys_are_gone);
    TEST(a_kernel_is_given_the_keys_before_anything_connects);
    TEST(a_kernel_is_told_of_new_keys_and_of_old_ones);
    TEST(a_kernel_loses_all_at_the_end);
    TEST(an_association_that_is_handed_over_goes_on_elsewhere);
    TEST(an_association_that_is_not_the_kernels_is_not_handed_over);
    TEST(what_was_heard_of_a_peer_is_wiped);
    TEST(what_another_has_keys_for_is_used_and_left);
    TEST(whether_another_has_keys_is_asked_again);
    TEST(where_another_begins_the_reason_is_told_and_it_is_tried_anew);
    TEST(the_keys_of_others_are_not_ended);
    TEST(the_peer_that_nobody_wanted_for_longest_makes_room);
    return tap_done();
}
