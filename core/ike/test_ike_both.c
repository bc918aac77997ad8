/* Both ends ask for new keys at once: RFC 7296 2.8.1 and 2.25. Of two exchanges the one with the
 * lowest of the four nonces is closed by the end that asked for it. */
#include "core/ike/test_ike.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

#define CHECK_STATE(which, name) CHECK_STR(lb_ike_state_word(pair.ends[which].ike.state), name)

static void start(uint8_t luck) {
    pair_start(pair_config(false), pair_config(true));
    pair_run(SEC);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[LB_RAND_SEED_BYTES] = {luck, i};
        lb_rand_init(&pair.ends[i].rand, seed);
    }
}

/* Which end's exchange is to go on, once each end holds the other's: its rival has lost. */
static int winner(void) {
    const struct lb_ike_rival *a = &pair.ends[0].ike.rival, *b = &pair.ends[1].ike.rival;
    CHECK(a->is_there && b->is_there);
    CHECK_EQ(a->nonce_len, 32);
    CHECK_EQ(b->nonce_len, 32);
    return memcmp(a->nonce, b->nonce, 32) < 0 ? 0 : 1;
}

/* One pair of SAs is there, the same at both ends, and nothing is held any more. */
static void check_one_child(void) {
    const struct lb_ike *a = &pair.ends[0].ike, *b = &pair.ends[1].ike;
    CHECK_STATE(0, "READY");
    CHECK_STATE(1, "READY");
    CHECK_EQ(a->child.in_spi, b->child.out_spi);
    CHECK_EQ(a->child.out_spi, b->child.in_spi);
    CHECK(pair_passes(0) && pair_passes(1));
    CHECK(!a->rival.is_there && !b->rival.is_there);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pair.ends[i].pair_count, 1);
        CHECK_EQ(pair.ends[i].failures, 0);
    }
}

static void the_child_of_the_lowest_nonce_is_closed_by_its_end(void) {
    unsigned won[2] = {0, 0};
    for (uint8_t luck = 0; luck < 16; luck++) {
        start(luck);
        lb_ike_rekey(&pair.ends[0].ike, pair.now);
        lb_ike_rekey(&pair.ends[1].ike, pair.now);
        pair_run(3 * LB_US_MS / 2); /* the requests are there, the answers are not */
        int who = winner();
        uint32_t spi = pair.ends[who].ike.next.in_spi, lost = pair.ends[!who].ike.next.in_spi;
        pair_run(SEC / 10);
        check_one_child();
        CHECK_EQ(pair.ends[who].ike.child.in_spi, spi);
        CHECK(pair.ends[!who].ike.child.in_spi != lost);
        for (int i = 0; i < 2; i++) { /* the loser's was never used */
            CHECK_EQ(pair.ends[i].ups, 2);
            CHECK_EQ(pair.ends[i].gones, 1);
        }
        won[who]++;
    }
    CHECK(won[0] > 0 && won[1] > 0);
}

static void the_ike_sa_of_the_lowest_nonce_is_closed_by_its_end(void) {
    unsigned won[2] = {0, 0};
    for (uint8_t luck = 0; luck < 16; luck++) {
        start(luck);
        const struct lb_ike *a = &pair.ends[0].ike, *b = &pair.ends[1].ike;
        lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
        lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
        pair_run(3 * LB_US_MS / 2);
        int who = winner();
        uint8_t spi[8];
        memcpy(spi, pair.ends[who].ike.next_spi, 8);
        pair_run(SEC / 10);
        check_one_child();
        CHECK(memcmp(a->sa.spi_i, spi, 8) == 0 && memcmp(b->sa.spi_i, spi, 8) == 0);
        CHECK(memcmp(a->sa.sk_d, b->sa.sk_d, 32) == 0);
        CHECK_EQ(pair.ends[who].ike.sa.is_initiator, true);
        CHECK_EQ(pair.ends[!who].ike.sa.is_initiator, false);
        CHECK(!lb_ike_is_replacing(a) && !lb_ike_is_replacing(b));
        CHECK(a->spare.is_there || b->spare.is_there);
        CHECK(a->spare.is_deleted == a->spare.is_there && b->spare.is_deleted == b->spare.is_there);
        pair_run(70 * SEC); /* and those before are forgotten */
        CHECK(!a->old.is_there && !a->spare.is_there && !b->old.is_there && !b->spare.is_there);
        lb_ike_rekey(&pair.ends[0].ike, pair.now); /* the child is the new one's */
        pair_run(SEC);
        check_one_child();
        won[who]++;
    }
    CHECK(won[0] > 0 && won[1] > 0);
}

/* An answer that is not sent yet, as the host read twice before it wrote. */
static void owe_answer(struct lb_ike *ike, struct lb_ike_sa *sa, uint8_t byte) {
    sa->answer.len = 60;
    memset(sa->answer.bytes, byte, sizeof sa->answer.bytes);
    lb_ike_answered(ike, sa);
}

static bool sends_answer(struct lb_ike *ike, uint8_t byte) {
    struct lb_ike_action action = lb_ike_poll(ike, pair.now);
    return CHECK_EQ(action.event, LB_IKE_SEND) &&
           CHECK_EQ(action.bytes.p[action.bytes.len - 1], byte);
}

static void what_is_owed_to_an_ike_sa_is_sent_when_another_takes_its_place(void) {
    for (uint8_t luck = 0; luck < 8; luck++) {
        start(luck);
        lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
        lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
        pair_run(3 * LB_US_MS / 2);
        int loser = !winner();
        struct lb_ike *ike = &pair.ends[loser].ike;
        CHECK(ike->spare.is_there);
        owe_answer(ike, &ike->sa, 0x55);
        owe_answer(ike, &ike->spare, 0xaa);
        for (size_t i = 0; i < PAIR_FLIGHT; i++)
            if (pair.flight[i].at_us != 0 && pair.flight[i].to == loser)
                pair_deliver(&pair.flight[i]); /* to its request: it loses */
        CHECK(ike->old.is_there);
        CHECK_EQ(ike->sa.is_initiator, false);
        CHECK(sends_answer(ike, 0x55) && sends_answer(ike, 0xaa));
    }
}

/* What was asked is lost at first; the peer's own request is answered meanwhile. */
static void lose_request(int who) {
    struct lb_ike_action action = lb_ike_poll(&pair.ends[who].ike, pair.now);
    CHECK_EQ(action.event, LB_IKE_SEND);
}

static void a_request_that_is_late_finds_the_child_renewed(void) {
    for (int who = 0; who < 2; who++) {
        start(1);
        lb_ike_rekey(&pair.ends[who].ike, pair.now);
        lose_request(who);
        lb_ike_rekey(&pair.ends[!who].ike, pair.now);
        uint32_t before = pair.ends[0].ike.child.in_spi;
        pair_run(SEC / 10); /* the peer has its answer, and has deleted the old ones */
        CHECK_STATE(who, "REKEYING");
        CHECK_STATE(!who, "READY");
        CHECK(pair.ends[0].ike.child.in_spi != before);
        CHECK(pair_passes(0) && pair_passes(1));
        pair_run(20 * SEC); /* it asks again, and is told that there is no such child */
        check_one_child();
        CHECK_EQ(pair.ends[0].ups, 2);
        CHECK_EQ(pair.ends[1].ups, 2);
    }
}

static void a_request_that_is_late_finds_the_ike_sa_renewed(void) {
    for (int who = 0; who < 2; who++) {
        start(2);
        lb_ike_rekey_ike(&pair.ends[who].ike, pair.now);
        lose_request(who);
        lb_ike_rekey_ike(&pair.ends[!who].ike, pair.now);
        pair_run(SEC / 10);
        CHECK(memcmp(pair.ends[0].ike.sa.sk_d, pair.ends[1].ike.sa.sk_d, 32) == 0);
        CHECK_EQ(pair.ends[!who].ike.sa.is_initiator, true);
        pair_run(70 * SEC);
        check_one_child();
        CHECK(!pair.ends[0].ike.spare.is_there && !pair.ends[1].ike.spare.is_there);
    }
}

/* RFC 7296 2.25.1: whoever is asked for one thing while it asks for the other says so. */
static void the_child_and_the_ike_sa_at_once_come_one_after_the_other(void) {
    start(3);
    lb_ike_rekey(&pair.ends[0].ike, pair.now);
    lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
    pair_run(60 * SEC);
    check_one_child();
    CHECK(pair.ends[0].ups >= 2);
    CHECK(memcmp(pair.ends[0].ike.sa.sk_d, pair.ends[1].ike.sa.sk_d, 32) == 0);
}

static void loss_and_disorder_while_both_ask_harm_nothing(void) {
    unsigned rivals = 0;
    for (uint8_t seed = 1; seed < 60; seed++) {
        struct lb_ike_config client = pair_config(false), server = pair_config(true);
        uint8_t bytes[LB_RAND_SEED_BYTES] = {seed, 9};
        client.give_up_s = server.give_up_s = 120;
        pair_start(client, server);
        pair_run(SEC);
        lb_rand_init(&pair.chance, bytes);
        pair.lose_percent = 25;
        pair.double_percent = pair.late_percent = 15;
        for (unsigned times = 0; times < 12; times++) {
            for (int who = 0; who < 2; who++) {
                if (times % 2 == 0)
                    lb_ike_rekey(&pair.ends[who].ike, pair.now);
                else
                    lb_ike_rekey_ike(&pair.ends[who].ike, pair.now);
            }
            pair_run(3 * LB_US_MS / 2);
            rivals += pair.ends[0].ike.rival.is_there || pair.ends[1].ike.rival.is_there;
            pair_run(20 * SEC);
        }
        pair.lose_percent = pair.late_percent = 0;
        pair_run(300 * SEC);
        check_one_child();
        if (pair.ends[0].failures + pair.ends[1].failures > 0)
            tap_note("seed %u: %s; %s", seed, pair.ends[0].ike.error.facts,
                     pair.ends[1].ike.error.facts);
    }
    CHECK(rivals > 100);
}

/* Two requests, two answers, two Deletes and their answers: what is changed is not taken, and is
 * sent again. */
static void each_byte_of_each_message_of_both_changed(void) {
    for (unsigned is_ike = 0; is_ike < 2; is_ike++)
        for (size_t message = 5; message <= 12; message++) {
            size_t len = 1;
            for (size_t at = 0; at < len; at++) {
                start((uint8_t)at);
                pair.change = message;
                pair.change_at = at;
                pair.change_bits = (uint8_t)(1 << at % 8);
                for (int who = 0; who < 2; who++)
                    if (is_ike)
                        lb_ike_rekey_ike(&pair.ends[who].ike, pair.now);
                    else
                        lb_ike_rekey(&pair.ends[who].ike, pair.now);
                pair_run(5 * SEC);
                len = LB_MAX(pair.changed_len, 1);
                const struct lb_ike *a = &pair.ends[0].ike, *b = &pair.ends[1].ike;
                bool is_same =
                    a->child.in_spi == b->child.out_spi && memcmp(a->sa.sk_d, b->sa.sk_d, 32) == 0;
                if (!CHECK(is_same && pair_passes(0) && pair_passes(1) &&
                           pair.ends[0].failures + pair.ends[1].failures == 0))
                    tap_note("message %zu, byte %zu", message, at);
            }
            CHECK(len > 28);
        }
}

static void nothing_of_a_rivals_keys_stays(void) {
    static const struct lb_ike_rival zeros;
    for (uint8_t luck = 0; luck < 4; luck++) {
        start(luck);
        lb_ike_rekey(&pair.ends[0].ike, pair.now);
        lb_ike_rekey(&pair.ends[1].ike, pair.now);
        pair_run(SEC);
        for (int i = 0; i < 2; i++)
            CHECK(memcmp(&pair.ends[i].ike.rival, &zeros, sizeof zeros) == 0);
    }
}

int main(void) {
    TEST(the_child_of_the_lowest_nonce_is_closed_by_its_end);
    TEST(the_ike_sa_of_the_lowest_nonce_is_closed_by_its_end);
    TEST(what_is_owed_to_an_ike_sa_is_sent_when_another_takes_its_place);
    TEST(a_request_that_is_late_finds_the_child_renewed);
    TEST(a_request_that_is_late_finds_the_ike_sa_renewed);
    TEST(the_child_and_the_ike_sa_at_once_come_one_after_the_other);
    TEST(loss_and_disorder_while_both_ask_harm_nothing);
    TEST(each_byte_of_each_message_of_both_changed);
    TEST(nothing_of_a_rivals_keys_stays);
    return tap_done();
}
