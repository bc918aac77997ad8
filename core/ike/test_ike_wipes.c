/* Each secret of an exchange is wiped. How often is a sum of all that is beneath: hashes, ciphers
 * and keys. Where another number is right, the change says which secret is new, or gone. */
#include "core/ike/test_ike.h"
#include "tests/tap.h"
#include "tests/wipes.h"

#define SEC LB_US_SEC

static void start_with(enum lb_dh_group group) {
    struct lb_ike_config client = pair_config(false), server = pair_config(true);
    client.group = server.group = group;
    take_wipes();
    pair_start(client, server);
    pair_run(SEC);
    CHECK_EQ(pair.ends[0].ups, 1);
    CHECK_EQ(pair.ends[1].ups, 1);
}

static void each_secret_of_a_start_is_wiped(void) {
    start_with(LB_DH_X25519);
    CHECK_EQ(take_wipes(), 217);
    start_with(LB_DH_P256);
    CHECK_EQ(take_wipes(), 209);
}

static void each_secret_of_new_keys_is_wiped(void) {
    for (int who = 0; who < 2; who++) {
        start_with(LB_DH_X25519);
        take_wipes();
        lb_ike_rekey(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        CHECK_EQ(pair.ends[0].ups, 2);
        CHECK_EQ(take_wipes(), 89);
        lb_ike_rekey_ike(&pair.ends[who].ike, pair.now);
        pair_run(SEC);
        CHECK_EQ(take_wipes(), 122);
    }
}

static void each_secret_of_keys_that_both_made_at_once_is_wiped(void) {
    start_with(LB_DH_X25519);
    take_wipes();
    lb_ike_rekey(&pair.ends[0].ike, pair.now);
    lb_ike_rekey(&pair.ends[1].ike, pair.now);
    pair_run(SEC);
    CHECK_EQ(take_wipes(), 152);
    lb_ike_rekey_ike(&pair.ends[0].ike, pair.now);
    lb_ike_rekey_ike(&pair.ends[1].ike, pair.now);
    pair_run(SEC);
    CHECK_EQ(take_wipes(), 239);
}

static void a_refused_key_leaves_nothing(void) {
    struct lb_ike_config server = pair_config(true);
    server.psk = lb_bytes_of_text("another secret of the pair");
    take_wipes();
    pair_start(pair_config(false), server);
    pair_run(SEC);
    CHECK_EQ(pair.ends[0].failures, 1);
    CHECK_EQ(take_wipes(), 158);
}

static void the_end_wipes_all_there_is(void) {
    start_with(LB_DH_X25519);
    take_wipes();
    lb_ike_close(&pair.ends[0].ike, pair.now);
    pair_run(SEC);
    CHECK_EQ(take_wipes(), 24);
    lb_ike_end(&pair.ends[0].ike);
    CHECK_EQ(take_wipes(), 1);
}

int main(void) {
    TEST(each_secret_of_a_start_is_wiped);
    TEST(each_secret_of_new_keys_is_wiped);
    TEST(each_secret_of_keys_that_both_made_at_once_is_wiped);
    TEST(a_refused_key_leaves_nothing);
    TEST(the_end_wipes_all_there_is);
    return tap_done();
}
