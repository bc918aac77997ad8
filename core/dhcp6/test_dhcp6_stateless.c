/* The DHCPv6 client: information without addresses, and Reconfigure. */
#include "core/dhcp6/test_dhcp6_client.h"

#define INFORMATION .no_ia = true, ISCSI

/* ---- Information-request ---- */

static void information_is_asked_for_at_once(void) {
    start((struct lb_dhcp6_config){.stateless = true});
    CHECK_STATE("INFORMING");
    CHECK_SENT("Information-request");
    CHECK(has(LB_OPT6_CLIENT_ID));
    CHECK(!has(LB_OPT6_SERVER_ID));
    CHECK(!has(LB_OPT6_RAPID_COMMIT));
    CHECK_STR(sent_addrs(), "no IA");
    CHECK_EQ(elapsed(), 0);
    CHECK(asks_for(LB_OPT6_BOOT_URL) && asks_for(LB_OPT6_DNS));
    CHECK(asks_for(LB_OPT6_REFRESH) && asks_for(LB_OPT6_INF_MAX_RT));
    CHECK(!asks_for(LB_OPT6_SOL_MAX_RT));
}

static void a_reply_with_a_root_path_is_taken_at_once(void) {
    reach_informed((struct made){0});
    CHECK(t.client.lease.stateless && t.client.has_lease);
    CHECK_EQ(t.client.lease.addr_count, 0);
    CHECK_EQ(t.client.lease.refresh_s, 86400);
    CHECK_EQ(t.until - t.now, 86400 * SEC);
}

static void a_reply_without_one_waits_for_better(void) {
    start((struct lb_dhcp6_config){.stateless = true});
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("INFORMING");
    CHECK(GIVE(LB_DHCP6_REPLY, .server = 2, INFORMATION));
    CHECK_STATE("INFORMED");
    CHECK(t.client.lease.root_path_len > 0);
    CHECK_EQ(seen.gots, 1);
}

static void without_better_it_is_taken_after_the_wait(void) {
    start((struct lb_dhcp6_config){.stateless = true});
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    advance(800 * LB_US_MS);
    CHECK_STATE("INFORMED");
    CHECK_EQ(seen.sends, 1);
}

static void an_advertise_is_no_information(void) {
    start((struct lb_dhcp6_config){.stateless = true});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, INFORMATION));
    CHECK(!GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_UNSPEC_FAIL, INFORMATION));
    CHECK_STATE("INFORMING");
}

static void information_is_asked_for_again_when_it_is_old(void) {
    reach_informed((struct made){.refresh_s = 1000});
    CHECK_EQ(t.until - t.now, 1000 * SEC);
    advance_to(t.until);
    CHECK_STATE("INFORMING");
    CHECK_EQ(seen.sends, 1);
    for (unsigned i = 0; i < 5; i++)
        advance_to(t.until);
    CHECK_STATE("INFORMING"); /* and what is known is kept */
    CHECK(t.client.has_lease);
    CHECK(GIVE(LB_DHCP6_REPLY, INFORMATION));
    CHECK_STATE("INFORMED");
    CHECK_EQ(seen.losts, 0);
}

static void a_refresh_time_below_the_minimum_is_the_minimum(void) {
    reach_informed((struct made){.refresh_s = 1});
    CHECK_EQ(t.until - t.now, 600 * SEC);
}

static void endless_information_is_never_old(void) {
    reach_informed((struct made){.refresh_s = LB_DHCP6_INFINITE});
    CHECK_EQ(t.until, LB_NEVER);
}

static void link_up_asks_for_information_again_and_keeps_the_old(void) {
    reach_informed((struct made){0});
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("INFORMING");
    advance(3 * SEC);
    CHECK_STATE("INFORMED");
    CHECK(t.client.has_lease);
}

static void confirm_asks_for_information_again(void) {
    reach_informed((struct made){0});
    lb_dhcp6_client_confirm(&t.client, t.now);
    run();
    CHECK_STATE("INFORMING");
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true, .root_path = "iscsi:other"));
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(t.client.lease.root_path_len, 11);
}

static void there_is_nothing_to_release_of_information(void) {
    reach_informed((struct made){0});
    lb_dhcp6_client_release(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 0);
    CHECK_STATE("STOPPED");
}

static void silence_about_information_is_given_up(void) {
    start((struct lb_dhcp6_config){.stateless = true, .give_up_ms = 5000});
    while (seen.failures == 0 && t.now < 1100 * SEC)
        advance_to(t.until);
    CHECK_EQ(t.client.error.code, LB_E_DHCP6_NO_ANSWER);
    CHECK_EQ(t.now, 1005 * SEC);
}

static void a_dry_run_collects_information_too(void) {
    start((struct lb_dhcp6_config){.stateless = true, .offers_only = true});
    CHECK(GIVE(LB_DHCP6_REPLY, INFORMATION));
    CHECK_STATE("INFORMING");
    advance(800 * LB_US_MS);
    CHECK_EQ(seen.offers, 1);
    CHECK(t.client.offers[0].stateless);
}

/* ---- Reconfigure ---- */

static const uint8_t key[LB_DHCP6_KEY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct lb_bytes key_option(uint64_t replay) {
    static uint8_t room[64];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_dhcp6_put_key(&wr, replay, lb_bytes(key, sizeof key));
    return lb_wr_done(&wr);
}

static struct lb_bytes make_reconfigure(uint8_t server, uint64_t replay, uint8_t message) {
    static uint8_t room[200];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_duid client = test_client_duid(), from = test_server_duid(server);
    lb_dhcp6_put_header(&wr, LB_DHCP6_RECONFIGURE, 0);
    lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &from);
    lb_dhcp6_put_u8(&wr, LB_OPT6_RECONF_MSG, message);
    lb_dhcp6_put_mac(&wr, replay, lb_bytes(key, sizeof key));
    return lb_wr_done(&wr);
}

static bool reconfigure(uint8_t server, uint64_t replay, uint8_t message) {
    bool taken = lb_dhcp6_client_input(&t.client, t.now, test_from(),
                                       make_reconfigure(server, replay, message));
    run();
    return taken;
}

static void reach_bound_with_key(void) {
    reach_bound_as((struct lb_dhcp6_config){.take_reconfigure = true},
                   (struct made){.options = key_option(5), ISCSI});
}

static void an_authentic_reconfigure_makes_us_renew(void) {
    reach_bound_with_key();
    CHECK(reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK_STATE("RENEWING");
    CHECK(GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("BOUND");
}

static void an_authentic_reconfigure_makes_us_rebind(void) {
    reach_bound_with_key();
    CHECK(reconfigure(1, 6, LB_DHCP6_REBIND));
    CHECK_STATE("REBINDING");
}

static void an_authentic_reconfigure_makes_us_ask_for_information(void) {
    reach_bound_with_key();
    CHECK(reconfigure(1, 6, LB_DHCP6_INFORMATION_REQUEST));
    CHECK_STATE("INFORMING");
    CHECK_SENT("Information-request");
    CHECK(is_sent_to(1)); /* RFC 8415 18.2.11 */
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true, .root_path = "iscsi:other"));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_EQ(t.client.lease.root_path_len, 11);
}

static void a_reconfigure_is_taken_once(void) {
    reach_bound_with_key();
    CHECK(!reconfigure(1, 5, LB_DHCP6_RENEW));
    CHECK(reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK(GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK(!reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK(reconfigure(1, 7, LB_DHCP6_RENEW));
}

static void a_reconfigure_during_an_exchange_is_ignored(void) {
    reach_bound_with_key();
    CHECK(reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK(!reconfigure(1, 7, LB_DHCP6_REBIND));
    CHECK_STATE("RENEWING");
}

static void a_reconfigure_without_a_key_is_ignored(void) {
    reach_bound_as((struct lb_dhcp6_config){.take_reconfigure = true}, (struct made){ISCSI});
    CHECK(!reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK_STATE("BOUND");
    CHECK_STR(t.client.ignored_why, "not authentic");
}

static void a_key_that_nobody_asked_for_is_not_taken(void) {
    reach_bound((struct made){.options = key_option(5), ISCSI});
    CHECK(!reconfigure(1, 6, LB_DHCP6_RENEW));
    CHECK_STATE("BOUND");
}

static void a_late_reply_does_not_bring_another_key(void) {
    reach_bound_with_key();
    CHECK(reconfigure(1, 9, LB_DHCP6_RENEW));
    CHECK(GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK(!GIVE(LB_DHCP6_REPLY, .options = key_option(1), ISCSI));
    CHECK(!reconfigure(1, 9, LB_DHCP6_RENEW));
}

static void a_reconfigure_of_another_server_is_ignored(void) {
    reach_bound_with_key();
    CHECK(!reconfigure(2, 6, LB_DHCP6_RENEW));
    CHECK_STATE("BOUND");
}

static void a_reconfigure_that_was_changed_on_the_way_is_ignored(void) {
    for (size_t at = 0;; at++) {
        uint8_t changed[200];
        reach_bound_with_key();
        struct lb_bytes good = make_reconfigure(1, 6, LB_DHCP6_RENEW);
        if (at == good.len)
            break;
        memcpy(changed, good.p, good.len);
        changed[at] ^= 0x10;
        CHECK(!lb_dhcp6_client_input(&t.client, t.now, test_from(), lb_bytes(changed, good.len)));
        CHECK_STATE("BOUND");
    }
}

static void a_reconfigure_asks_for_one_of_three_messages(void) {
    reach_bound_with_key();
    CHECK(!reconfigure(1, 6, LB_DHCP6_SOLICIT));
    CHECK(!reconfigure(1, 7, LB_DHCP6_RELEASE));
    CHECK_STATE("BOUND");
}

int main(void) {
    TEST(information_is_asked_for_at_once);
    TEST(a_reply_with_a_root_path_is_taken_at_once);
    TEST(a_reply_without_one_waits_for_better);
    TEST(without_better_it_is_taken_after_the_wait);
    TEST(an_advertise_is_no_information);
    TEST(information_is_asked_for_again_when_it_is_old);
    TEST(a_refresh_time_below_the_minimum_is_the_minimum);
    TEST(endless_information_is_never_old);
    TEST(link_up_asks_for_information_again_and_keeps_the_old);
    TEST(confirm_asks_for_information_again);
    TEST(there_is_nothing_to_release_of_information);
    TEST(silence_about_information_is_given_up);
    TEST(a_dry_run_collects_information_too);
    TEST(an_authentic_reconfigure_makes_us_renew);
    TEST(an_authentic_reconfigure_makes_us_rebind);
    TEST(an_authentic_reconfigure_makes_us_ask_for_information);
    TEST(a_reconfigure_is_taken_once);
    TEST(a_reconfigure_during_an_exchange_is_ignored);
    TEST(a_reconfigure_without_a_key_is_ignored);
    TEST(a_key_that_nobody_asked_for_is_not_taken);
    TEST(a_late_reply_does_not_bring_another_key);
    TEST(a_reconfigure_of_another_server_is_ignored);
    TEST(a_reconfigure_that_was_changed_on_the_way_is_ignored);
    TEST(a_reconfigure_asks_for_one_of_three_messages);
    return tap_done();
}
