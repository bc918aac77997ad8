/* Both ends of IKEv2: from the first message to the last, over a network with faults, and with each
 * byte of each message changed. */
#include "core/ike/test_ike.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

#define CHECK_STATE(which, name) CHECK_STR(lb_ike_state_word(pair.ends[which].ike.state), name)

static void start_usual(void) {
    pair_start(pair_config(false), pair_config(true));
}

static void check_up(void) {
    CHECK_STATE(0, "READY");
    CHECK_STATE(1, "READY");
    CHECK(pair_passes(0) && pair_passes(1));
}

static void check_error(int which, enum lb_code code) {
    CHECK_EQ(pair.ends[which].failures, 1);
    CHECK_STR(lb_code_word(pair.ends[which].ike.error.code), lb_code_word(code));
}

/* ---- coming up ---- */

static void four_messages_make_a_pair(void) {
    start_usual();
    pair_run(SEC);
    check_up();
    CHECK_EQ(pair.ends[0].sends, 2);
    CHECK_EQ(pair.ends[1].sends, 2);
    CHECK(pair.ends[0].pairs[0].terms.has_esn && !pair.ends[0].pairs[0].terms.in_udp);
}

static void the_private_keys_of_the_exchange_do_not_stay(void) {
    static const struct lb_dh none;
    start_usual();
    pair_run(SEC);
    check_up();
    CHECK(memcmp(&pair.ends[0].ike.dh, &none, sizeof none) == 0);
    CHECK(memcmp(&pair.ends[1].ike.dh, &none, sizeof none) == 0);
}

static void p256_and_transport_mode_too(void) {
    struct lb_ike_config client = pair_config(false), server = pair_config(true);
    client.group = server.group = LB_DH_P256;
    client.mode = server.mode = LB_IPSEC_TRANSPORT;
    pair_start(client, server);
    pair_run(SEC);
    check_up();
    CHECK_EQ(pair.ends[0].pairs[0].terms.mode, LB_IPSEC_TRANSPORT);
}

static void the_group_that_the_responder_wants_is_taken(void) {
    struct lb_ike_config server = pair_config(true);
    server.group = LB_DH_P256;
    pair_start(pair_config(false), server);
    pair_run(SEC);
    check_up();
    CHECK_EQ(pair.ends[0].sends, 3);
}

static void a_nat_is_noticed_and_port_4500_used(void) {
    start_usual();
    pair.has_nat = true;
    pair_run(SEC);
    check_up();
    CHECK(pair.ends[0].pairs[0].terms.in_udp && pair.ends[1].pairs[0].terms.in_udp);
    CHECK_EQ(pair.ends[0].pairs[0].terms.remote.port, 4500);
    struct lb_ike_action action = {.event = LB_IKE_WAIT};
    for (unsigned i = 0; i < 25 && action.event == LB_IKE_WAIT; i++) {
        pair.now += SEC;
        action = lb_ike_poll(&pair.ends[0].ike, pair.now);
    }
    CHECK_EQ(action.event, LB_IKE_SEND); /* RFC 3948 2.3: a byte that keeps the NAT's table */
    CHECK_BYTES(action.bytes, tap_hex("ff"));
}

/* RFC 7296 2.23.1: the responder's selectors have the address that it sees. */
static void behind_a_nat_transport_mode_takes_the_address_that_the_peer_sees(void) {
    struct lb_ike_config client = pair_config(false), server = pair_config(true);
    client.mode = server.mode = LB_IPSEC_TRANSPORT;
    server.selector.remote = pair_addr("203.0.113.9");
    for (int who = 0; who < 2; who++) {
        pair_start(client, server);
        pair.has_nat = true;
        pair_run(SEC);
        check_up();
        CHECK(lb_addr_equal(pair.ends[0].pairs[0].terms.selector.local, client.local));
        lb_ike_rekey(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        CHECK_EQ(pair.ends[0].ups, 2);
        CHECK_EQ(pair.ends[1].ups, 2);
    }
    client.mode = server.mode = LB_IPSEC_TUNNEL; /* there it would be another tunnel */
    pair_start(client, server);
    pair.has_nat = true;
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_SELECTOR);
    client.mode = server.mode =
        LB_IPSEC_TRANSPORT; /* without a NAT another address is another peer */
    pair_start(client, server);
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_SELECTOR);
}

/* RFC 7296 2.6. */
static void a_responder_under_attack_asks_for_a_cookie(void) {
    struct lb_ike_config server = pair_config(true);
    server.asks_cookie = true;
    pair_start(pair_config(false), server);
    pair_run(SEC);
    check_up(); /* AUTH covers the message with the cookie */
    CHECK_EQ(pair.ends[0].sends, 3);
    CHECK_EQ(pair.ends[1].sends, 3);
}

/* Of a message with a made-up address nothing is kept, and whoever is half there stays. */
static void a_stranger_does_not_push_out_who_is_half_there(void) {
    static struct lb_ike other;
    struct lb_ike_config client = pair_config(false);
    start_usual();
    struct lb_ike *server = &pair.ends[1].ike;
    struct lb_ike_action action = lb_ike_poll(&pair.ends[0].ike, pair.now);
    pair_send(0, &action);
    pair_run(LB_US_MS);
    CHECK_STATE(1, "INIT-DONE");
    client.local = pair_addr("203.0.113.66");
    lb_ike_init(&other, pair.now, &client, &pair.chance, NULL);
    action = lb_ike_poll(&other, pair.now);
    uint8_t copy[LB_IKE_MESSAGE_MAX];
    memcpy(copy, action.bytes.p, action.bytes.len);
    lb_ike_input(server, pair.now, action.from, action.to, lb_span(copy, action.bytes.len));
    action = lb_ike_poll(server, pair.now);
    CHECK_EQ(action.event, LB_IKE_SEND);
    CHECK(lb_addr_equal(action.to.addr, client.local));
    CHECK_EQ(action.bytes.len, 28 + 8 + 32); /* a cookie */
    pair_run(SEC);
    check_up();
    lb_ike_end(&other);
}

/* The server's rule names one port; the client asks for all, and needs that one. */
static void narrower_selectors_are_taken_if_what_is_needed_is_within(void) {
    struct lb_ike_config client = pair_config(false);
    client.need = client.selector;
    client.selector.protocol = 0;
    client.selector.remote_first = 0;
    client.selector.remote_last = 65535;
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_up();
    const struct lb_ipsec_selector *agreed = &pair.ends[0].pairs[0].terms.selector;
    CHECK_EQ(agreed->protocol, 6);
    CHECK_EQ(agreed->remote_first, 3260);
    CHECK_EQ(agreed->remote_last, 3260);
    CHECK_EQ(agreed->local_last, 65535);
    for (int who = 0; who < 2; who++) { /* and so they stay */
        lb_ike_rekey(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        check_up();
        CHECK_EQ(pair.ends[0].pairs[0].terms.selector.remote_first, 3260);
    }
    client.need.remote_first = client.need.remote_last = 3205;
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_SELECTOR);
}

/* ---- what is refused ---- */

static void another_key_is_told_as_such(void) {
    struct lb_ike_config client = pair_config(false);
    client.psk = lb_bytes_of_text("a secret of nobody else");
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_AUTH);
    CHECK_HAS(pair.ends[0].ike.error.facts, "AUTHENTICATION_FAILED");
    CHECK_EQ(pair.ends[0].ups + pair.ends[1].ups, 0);
}

static void another_identity_is_told_as_such(void) {
    struct lb_ike_config client = pair_config(false), server = pair_config(true);
    client.peer_id = "another.example";
    pair_start(client, server);
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_AUTH);
    CHECK_HAS(pair.ends[0].ike.error.facts, "another identity");
    client = pair_config(false);
    client.id = "client@example"; /* ID_RFC822_ADDR, not ID_FQDN */
    pair_start(client, server);
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_AUTH);
    CHECK_EQ(pair.ends[0].ups + pair.ends[1].ups, 0);
}

static void a_short_key_is_never_used(void) {
    struct lb_ike_config client = pair_config(false);
    client.psk = lb_bytes_of_text("fifteen bytes..");
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_AUTH);
    CHECK_EQ(pair.ends[0].sends, 0);
}

static void other_selectors_are_told_as_such(void) {
    struct lb_ike_config client = pair_config(false);
    client.selector.remote_first = 22;
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_SELECTOR);
    client = pair_config(false);
    client.mode = LB_IPSEC_TRANSPORT;
    pair_start(client, pair_config(true));
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_SELECTOR);
}

static void silence_is_told_as_such(void) {
    start_usual();
    pair.lose_percent = 100;
    pair_run(31 * SEC);
    check_error(0, LB_E_IPSEC_SILENT);
    CHECK(pair.ends[0].sends >= 6 && pair.ends[0].sends <= 10);
}

/* A forged refusal of INIT ends nothing; it explains the silence that follows, if any does. */
static void a_refusal_that_anybody_can_forge_waits_for_the_real_answer(void) {
    for (unsigned is_real_there = 0; is_real_there < 2; is_real_there++) {
        struct lb_ike_header header = {.exchange = LB_IKE_SA_INIT, .flags = LB_IKE_FLAG_RESPONSE};
        uint8_t room[64];
        start_usual();
        struct lb_ike *ike = &pair.ends[0].ike;
        memcpy(header.spi_i, ike->sa.spi_i, 8);
        struct lb_ike_out out = lb_ike_begin(lb_span(room, sizeof room), &header);
        lb_ike_put_notify(&out, LB_IKE_N_NO_PROPOSAL, 0, lb_bytes(NULL, 0));
        lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
        lb_ike_input(ike, pair.now, ike->remote, ike->local, lb_span(room, out.wr.len));
        CHECK_STATE(0, "INIT-SENT");
        pair.lose_percent = is_real_there ? 0 : 100;
        pair_run(31 * SEC);
        if (is_real_there)
            check_up();
        else
            check_error(0, LB_E_IPSEC_PROPOSAL);
    }
}

/* ---- later ---- */

static void either_end_renews_the_keys(void) {
    for (int who = 0; who < 2; who++) {
        start_usual();
        pair_run(SEC);
        uint32_t before = pair.ends[0].ike.child.in_spi;
        lb_ike_rekey(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        check_up();
        CHECK(pair.ends[0].ike.child.in_spi != before);
        for (int i = 0; i < 2; i++) {
            CHECK_EQ(pair.ends[i].ups, 2);
            CHECK_EQ(pair.ends[i].gones, 1);
            CHECK_EQ(pair.ends[i].pair_count, 1);
        }
    }
}

/* As strongSwan does, which prefers the first group of its own list. */
static void new_keys_are_made_by_the_group_that_the_peer_wants(void) {
    struct lb_ike_config client = pair_config(false);
    client.group = LB_DH_P256;
    pair_start(client, pair_config(true));
    pair_run(SEC);
    struct lb_ike *ike = &pair.ends[0].ike;
    lb_ike_rekey(ike, pair.now);
    struct lb_ike_action action = lb_ike_poll(ike, pair.now);
    CHECK_EQ(action.event, LB_IKE_SEND);
    struct lb_ike *peer = &pair.ends[1].ike;
    static const uint8_t x25519[2] = {0, 31};
    struct lb_ike_sealed sealed = lb_ike_begin_sealed(&peer->sa, &peer->sa.answer,
                                                      LB_IKE_CREATE_CHILD_SA, true, peer->sa.in_id);
    lb_ike_put_notify(&sealed.out, LB_IKE_N_INVALID_KE, 0, lb_bytes(x25519, 2));
    lb_ike_end_sealed(&peer->sa, &peer->sa.answer, &sealed);
    lb_ike_answered(peer, &peer->sa);
    pair_run(SEC);
    check_up();
    CHECK_EQ(pair.ends[0].ups, 2);
}

/* RFC 7296 1.3.2: other names and keys, the same child. */
static void either_end_renews_the_keys_of_the_ike_sa(void) {
    for (int who = 0; who < 2; who++) {
        start_usual();
        pair_run(SEC);
        uint32_t child = pair.ends[0].ike.child.in_spi;
        uint8_t spi[8], sk_d[32];
        memcpy(spi, pair.ends[0].ike.sa.spi_i, 8);
        memcpy(sk_d, pair.ends[0].ike.sa.sk_d, 32);
        for (unsigned times = 0; times < 3; times++) {
            lb_ike_rekey_ike(&pair.ends[who].ike, pair.now);
            pair_run(SEC);
            check_up();
            CHECK(memcmp(spi, pair.ends[0].ike.sa.spi_i, 8) != 0);
            CHECK(memcmp(sk_d, pair.ends[0].ike.sa.sk_d, 32) != 0);
            CHECK(memcmp(pair.ends[0].ike.sa.sk_d, pair.ends[1].ike.sa.sk_d, 32) == 0);
            CHECK_EQ(pair.ends[who].ike.sa.is_initiator, true);
            CHECK_EQ(pair.ends[!who].ike.sa.is_initiator, false);
            CHECK(!lb_ike_is_replacing(&pair.ends[0].ike));
            CHECK(!lb_ike_is_replacing(&pair.ends[1].ike));
        }
        CHECK_EQ(pair.ends[0].ike.child.in_spi, child);
        lb_ike_rekey(&pair.ends[!who].ike, pair.now); /* a child of the new one */
        pair_run(SEC);
        check_up();
        CHECK_EQ(pair.ends[0].ups, 2);
        pair_run(60 * SEC);
        CHECK(!pair.ends[0].ike.old.is_there && !pair.ends[1].ike.old.is_there);
        lb_ike_close(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        CHECK_EQ(pair.ends[0].failures + pair.ends[1].failures, 2);
    }
}

static void a_peer_that_never_deletes_the_old_ike_sa_is_not_waited_for(void) {
    start_usual();
    pair_run(SEC);
    lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
    for (unsigned sent = 0; sent < 1;) { /* the request and its answer; the Delete is lost */
        struct lb_ike_action action = lb_ike_poll(&pair.ends[0].ike, pair.now);
        sent += action.event == LB_IKE_SEND;
        if (action.event == LB_IKE_SEND)
            pair_send(0, &action);
    }
    pair_run(3 * LB_US_MS / 2);
    CHECK(lb_ike_is_replacing(&pair.ends[1].ike));
    pair.lose_percent = 100;
    pair_run(10 * SEC);
    CHECK_STATE(0, "RETIRING");
    CHECK(pair.ends[0].ike.old.is_there && pair.ends[1].ike.old.is_there);
    pair_run(22 * SEC); /* each end has given up; the peer is probed by the new one */
    pair.lose_percent = 0;
    pair_run(60 * SEC);
    CHECK_EQ(pair.ends[0].failures + pair.ends[1].failures, 0);
    CHECK(!pair.ends[0].ike.old.is_there && !pair.ends[1].ike.old.is_there);
    check_up();
}

static void both_renew_the_ike_sa_at_once(void) {
    start_usual();
    pair_run(SEC);
    lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
    lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
    pair_run(60 * SEC);
    check_up();
    CHECK_EQ(pair.ends[0].failures + pair.ends[1].failures, 0);
    CHECK(memcmp(pair.ends[0].ike.sa.sk_d, pair.ends[1].ike.sa.sk_d, 32) == 0);
    lb_ike_rekey(&pair.ends[0].ike, pair.now); /* the child by one end, its IKE SA by the other */
    lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
    pair_run(60 * SEC);
    check_up();
    CHECK_EQ(pair.ends[0].failures + pair.ends[1].failures, 0);
}

static void a_child_that_the_peer_has_lost_is_lost(void) {
    start_usual();
    pair_run(SEC);
    pair.ends[1].ike.child.is_there = false;
    lb_ike_rekey(&pair.ends[0].ike, pair.now);
    pair_run(SEC);
    check_error(0, LB_E_IPSEC_LOST);
}

static void both_at_once_come_to_an_end(void) {
    start_usual();
    pair_run(SEC);
    lb_ike_rekey(&pair.ends[0].ike, pair.now);
    lb_ike_rekey(&pair.ends[1].ike, pair.now);
    pair_run(40 * SEC);
    check_up();
    CHECK(pair.ends[0].ups >= 2);
    CHECK_EQ(pair.ends[0].pair_count, 1);
    CHECK_EQ(pair.ends[1].pair_count, 1);
}

static void keys_are_renewed_when_they_are_old(void) {
    struct lb_ike_config client = pair_config(false);
    client.rekey_s = 10;
    pair_start(client, pair_config(true));
    pair_run(65 * SEC);
    check_up();
    CHECK(pair.ends[0].ups >= 7 && pair.ends[0].ups <= 8);
    CHECK_EQ(pair.ends[0].failures + pair.ends[1].failures, 0);
}

static void a_peer_that_has_gone_is_noticed(void) {
    start_usual();
    pair_run(SEC);
    pair.lose_percent = 100;
    pair_run(61 * SEC);
    check_error(0, LB_E_IPSEC_LOST);
    check_error(1, LB_E_IPSEC_LOST);
}

static void a_peer_that_is_there_answers_a_probe(void) {
    start_usual();
    pair_run(600 * SEC);
    check_up();
    CHECK(pair.ends[0].sends + pair.ends[1].sends > 20);
}

static void the_end_is_told_to_the_peer(void) {
    start_usual();
    pair_run(SEC);
    lb_ike_close(&pair.ends[0].ike, pair.now);
    pair_run(SEC);
    check_error(0, LB_E_CANCELLED);
    check_error(1, LB_E_IPSEC_LOST);
    CHECK_EQ(pair.ends[0].pair_count + pair.ends[1].pair_count, 0);
}

/* ---- faults ---- */

static void loss_repetition_and_disorder_harm_nothing(void) {
    for (uint8_t seed = 1; seed < 60; seed++) {
        struct lb_ike_config client = pair_config(false), server = pair_config(true);
        uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
        client.rekey_s = 30;
        client.rekey_ike_s = 45;
        server.rekey_ike_s = 70;
        server.asks_cookie = seed % 2;
        client.give_up_s = server.give_up_s = 120;
        pair_start(client, server);
        lb_rand_init(&pair.chance, bytes);
        pair.lose_percent = 25;
        pair.double_percent = 15;
        pair.late_percent = 15;
        pair_run(300 * SEC);
        pair.lose_percent = pair.late_percent = 0;
        pair_run(20 * SEC);
        if (!CHECK(pair.ends[0].failures + pair.ends[1].failures == 0))
            tap_note("seed %u: %s; %s", seed, pair.ends[0].ike.error.facts,
                     pair.ends[1].ike.error.facts);
        CHECK(pair_passes(0) && pair_passes(1));
        CHECK(pair.ends[0].ups >= 6);
    }
}

/* INIT, AUTH, CREATE_CHILD_SA and the Delete after it, of the child and of the IKE SA, each with
 * its answer. Until a message is proved its bytes may do harm: then nothing comes up. It must never
 * be that both ends believe in different keys. */
static void each_byte_of_each_message_changed(void) {
    for (size_t message = 1; message <= 12; message++) {
        size_t len = 1;
        for (size_t at = 0; at < len; at++) {
            start_usual();
            pair.change = message;
            pair.change_at = at;
            pair.change_bits = 0x10;
            pair_run(SEC / 4);
            lb_ike_rekey(&pair.ends[0].ike, pair.now);
            pair_run(5 * SEC);
            lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
            pair_run(15 * SEC);
            len = LB_MAX(pair.changed_len, 1);
            bool is_up = pair.ends[0].pair_count > 0 && pair.ends[1].pair_count > 0;
            if (is_up && !CHECK(pair_passes(0) && pair_passes(1)))
                tap_note("message %zu, byte %zu", message, at);
            if (message > 2 && !CHECK(is_up)) /* what is sealed is sent again, and taken then */
                tap_note("message %zu, byte %zu: %s", message, at, pair.ends[0].ike.error.facts);
        }
        CHECK(len > 28);
    }
}

/* COOKIE, INVALID_KE_PAYLOAD and the round after them: nobody can prove those yet. Whatever is
 * changed in them, both ends have the same keys or none. */
static void each_byte_of_a_cookie_and_of_another_group_changed(void) {
    struct lb_ike_config server = pair_config(true);
    server.asks_cookie = true;
    server.group = LB_DH_P256;
    for (size_t message = 1; message <= 6; message++) {
        size_t len = 1;
        for (size_t at = 0; at < len; at++) {
            pair_start(pair_config(false), server);
            pair.change = message;
            pair.change_at = at;
            pair.change_bits = (uint8_t)(1 << at % 8);
            pair_run(10 * SEC);
            len = LB_MAX(pair.changed_len, 1);
            bool is_up = pair.ends[0].pair_count > 0 && pair.ends[1].pair_count > 0;
            if (is_up && !CHECK(pair_passes(0) && pair_passes(1)))
                tap_note("message %zu, byte %zu", message, at);
        }
        CHECK(len > 28);
    }
}

enum round { A_PROBE, A_CHILD, AN_IKE, AN_END };

static void ask(int who, enum round round) {
    struct lb_ike *ike = &pair.ends[who].ike;
    switch (round) {
    case A_PROBE:
        lb_ike_probe(ike, pair.now);
        break;
    case A_CHILD:
        lb_ike_rekey(ike, pair.now);
        break;
    case AN_IKE:
        lb_ike_rekey_ike(ike, pair.now);
        break;
    case AN_END:
        lb_ike_close(ike, pair.now);
        break;
    }
}

/* The rounds of an association that is there, asked by either end. What is changed is not taken,
 * and is sent again: all goes on as if nothing had been, with the same keys at both ends; or it
 * ends at both. */
static void each_byte_of_each_round_that_either_end_asks_changed(void) {
    static const size_t messages[] = {[A_PROBE] = 2, [A_CHILD] = 4, [AN_IKE] = 4, [AN_END] = 2};
    static struct pair before;
    start_usual();
    pair_run(SEC);
    CHECK_EQ(pair.message, 4);
    before = pair;
    for (unsigned which = 0; which < 2 * LB_COUNT(messages); which++) {
        enum round round = (enum round)(which / 2);
        int who = (int)which % 2;
        for (size_t message = 5; message < 5 + messages[round]; message++) {
            size_t len = 1;
            for (size_t at = 0; at < len; at++) {
                pair = before;
                pair.change = message;
                pair.change_at = at;
                pair.change_bits = (uint8_t)(1 << (at + message) % 8);
                ask(who, round);
                pair_run(round == AN_END ? 31 * SEC : 12 * SEC); /* an end that nobody answers */
                len = LB_MAX(pair.changed_len, 1);
                bool is_good = round == AN_END
                                   ? pair.ends[0].pair_count + pair.ends[1].pair_count == 0
                                   : pair_passes(0) && pair_passes(1) &&
                                         pair.ends[0].failures + pair.ends[1].failures == 0;
                if (!CHECK(is_good))
                    tap_note("round %u by %d, message %zu, byte %zu", round, who, message, at);
            }
            CHECK(len > 28);
        }
    }
}

static void what_is_cut_off_is_ignored(void) {
    start_usual();
    pair_run(SEC);
    struct lb_ike *ike = &pair.ends[1].ike;
    lb_ike_probe(&pair.ends[0].ike, pair.now);
    struct lb_ike_action action = lb_ike_poll(&pair.ends[0].ike, pair.now);
    CHECK_EQ(action.event, LB_IKE_SEND);
    for (size_t len = 0; len < action.bytes.len; len++) {
        uint8_t copy[256];
        memcpy(copy, action.bytes.p, len);
        CHECK(!lb_ike_input(ike, pair.now, action.from, action.to, lb_span(copy, len)));
    }
}

/* ---- the sheet's vectors ---- */

static void is_hex(struct lb_bytes bytes, const char *expected) {
    char text[200];
    struct lb_text wr = lb_text(text, sizeof text);
    lb_text_hex(&wr, bytes);
    CHECK_STR(text, expected);
}

static void keys_of_a_made_up_exchange(void) {
    static struct lb_ike ike;
    static const uint8_t spi_i[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t spi_r[8] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
    uint8_t shared[32], mac[32], hash[20], id[18] = {2, 0, 0, 0};
    memset(&ike, 0, sizeof ike);
    for (uint8_t i = 0; i < 32; i++) {
        ike.nonce_i[i] = i;
        ike.nonce_r[i] = (uint8_t)(32 + i);
        shared[i] = (uint8_t)(64 + i);
    }
    ike.nonce_i_len = ike.nonce_r_len = ike.sa.key_bytes = 32;
    memcpy(ike.sa.spi_i, spi_i, 8);
    memcpy(ike.sa.spi_r, spi_r, 8);
    ike.is_initiator = ike.sa.is_initiator = true;
    lb_ike_derive(&ike, shared);
    is_hex(lb_bytes(ike.sa.sk_d, 32),
           "0c26341d77313c227236f4aebf29182f0629dbe10e8ac56347f067a8defc22d5");
    is_hex(lb_bytes(ike.sa.out.salt, 4), "68b67ce3");
    is_hex(lb_bytes(ike.sa.in.salt, 4), "5fbbb117");
    is_hex(lb_bytes(ike.sk_pi, 32),
           "f4d9f877d73606ca959fbdb34f746d24f8939191f8d3af60fc816d7edfca54ae");
    is_hex(lb_bytes(ike.sk_pr, 32),
           "0e23cdb44dc9e8476619d587774b27a4824b6c47d2e341e57237e03458c7e3e9");
    ike.config.psk = lb_bytes_of_text("boot-psk");
    ike.init_i.len = 32; /* zeros stand for the message */
    memcpy(id + 4, "client.example", 14);
    lb_ike_auth_value(&ike, true, lb_bytes(id, 18), mac);
    is_hex(lb_bytes(mac, 32), "fa9217f1d298c7d4cd9d9f75f8fbc86cd18afea16939283e0a385f4749a47a60");
    lb_ike_child_keys(&ike, lb_bytes(NULL, 0), lb_bytes(ike.nonce_i, 32), lb_bytes(ike.nonce_r, 32),
                      true, 32);
    is_hex(lb_bytes(ike.terms.out_key, 36), "2b9b2f8d7f6469c5053114fe8b9f093e4c8d1156c64f995b9b64"
                                            "55e3a98772fa1f7a4aac");
    is_hex(lb_bytes(ike.terms.in_key, 36), "e2fe2358d4a4ce9eeb031a0a46eb7d740081ef5fef0f164d8991"
                                           "55a8e69520c0e5aac2f4");
    lb_ike_nat_hash(&ike, false, (struct lb_endpoint){pair_addr("192.0.2.1"), 500}, hash);
    is_hex(lb_bytes(hash, 20), "644b4575455bd6fcc1efe2be8162a9218e448e5f");
}

static void nothing_of_the_keys_stays(void) {
    static const struct lb_ike zeros;
    start_usual();
    pair_run(SEC);
    for (size_t i = 0; i < LB_IPSEC_KEY_MAX; i++)
        CHECK(pair.ends[0].ike.terms.out_key[i] == 0 && pair.ends[0].ike.terms.in_key[i] == 0);
    lb_ike_end(&pair.ends[0].ike);
    CHECK(memcmp(&pair.ends[0].ike, &zeros, sizeof zeros) == 0);
}

/* INVALID_KE_PAYLOAD that wants the group which is offered by now is no reason. */
static void a_refusal_of_the_group_before_is_passed_over(void) {
    static struct lb_ike ike;
    struct lb_ike_config client = pair_config(false);
    client.no_ports = true;
    lb_ike_init(&ike, pair.now, &client, &pair.chance, NULL);
    uint8_t message[42] = {[20] = 41, 0x20, 34, 0x20, [31] = 38, [35] = 10, [39] = 17, [41] = 19};
    memcpy(message + 4, ike.sa.spi_i, 8);
    struct lb_endpoint from = {client.remote, 4500}, to = {client.local, 4500};
    CHECK(lb_ike_input(&ike, pair.now, from, to, lb_span(message, sizeof message)));
    CHECK_EQ(ike.dh.group, LB_DH_P256);
    CHECK(!lb_ike_input(&ike, pair.now, from, to, lb_span(message, sizeof message)));
    CHECK_EQ(ike.error.code, LB_OK);
    CHECK_EQ(ike.state, LB_IKE_INIT_SENT);
    lb_ike_end(&ike);
}

int main(void) {
    TEST(four_messages_make_a_pair);
    TEST(the_private_keys_of_the_exchange_do_not_stay);
    TEST(p256_and_transport_mode_too);
    TEST(the_group_that_the_responder_wants_is_taken);
    TEST(a_nat_is_noticed_and_port_4500_used);
    TEST(behind_a_nat_transport_mode_takes_the_address_that_the_peer_sees);
    TEST(a_responder_under_attack_asks_for_a_cookie);
    TEST(a_stranger_does_not_push_out_who_is_half_there);
    TEST(narrower_selectors_are_taken_if_what_is_needed_is_within);
    TEST(another_key_is_told_as_such);
    TEST(another_identity_is_told_as_such);
    TEST(a_short_key_is_never_used);
    TEST(other_selectors_are_told_as_such);
    TEST(silence_is_told_as_such);
    TEST(a_refusal_that_anybody_can_forge_waits_for_the_real_answer);
    TEST(either_end_renews_the_keys);
    TEST(new_keys_are_made_by_the_group_that_the_peer_wants);
    TEST(either_end_renews_the_keys_of_the_ike_sa);
    TEST(a_peer_that_never_deletes_the_old_ike_sa_is_not_waited_for);
    TEST(both_renew_the_ike_sa_at_once);
    TEST(a_child_that_the_peer_has_lost_is_lost);
    TEST(both_at_once_come_to_an_end);
    TEST(keys_are_renewed_when_they_are_old);
    TEST(a_peer_that_has_gone_is_noticed);
    TEST(a_peer_that_is_there_answers_a_probe);
    TEST(the_end_is_told_to_the_peer);
    TEST(loss_repetition_and_disorder_harm_nothing);
    TEST(each_byte_of_each_message_changed);
    TEST(each_byte_of_each_round_that_either_end_asks_changed);
    TEST(each_byte_of_a_cookie_and_of_another_group_changed);
    TEST(what_is_cut_off_is_ignored);
    TEST(keys_of_a_made_up_exchange);
    TEST(nothing_of_the_keys_stays);
    TEST(a_refusal_of_the_group_before_is_passed_over);
    return tap_done();
}
