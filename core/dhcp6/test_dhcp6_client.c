/* The DHCPv6 client: each state, each message. */
#include "core/dhcp6/test_dhcp6_client.h"

/* ---- asking ---- */

static void the_first_solicit_is_sent_at_once_to_all_servers(void) {
    start((struct lb_dhcp6_config){0});
    CHECK_STATE("SOLICITING");
    CHECK_EQ(seen.sends, 1);
    CHECK_SENT("Solicit");
    CHECK_STR(lb_endpoint_text(t.send.to).s, "[ff02::1:2]:547");
    CHECK_EQ(t.send.from.port, 546);
}

static void a_solicit_says_who_we_are_and_what_we_want(void) {
    struct lb_duid duid, ours = test_client_duid();
    struct lb_dhcp6_ia ia;
    start((struct lb_dhcp6_config){0});
    CHECK(lb_dhcp6_find_duid(t.sent.options, LB_OPT6_CLIENT_ID, &duid));
    CHECK(lb_duid_equal(&duid, &ours));
    CHECK(!has(LB_OPT6_SERVER_ID));
    CHECK(lb_dhcp6_find_ia(t.sent.options, TEST_IAID, &ia));
    CHECK_EQ(ia.t1_s + ia.t2_s, 0);
    CHECK_STR(sent_addrs(), "");
    CHECK_EQ(elapsed(), 0);
    CHECK(has(LB_OPT6_RAPID_COMMIT));
    CHECK(!has(LB_OPT6_RECONF_ACCEPT));
    CHECK(!has(LB_OPT6_ARCH) && !has(LB_OPT6_UNDI));
    CHECK(asks_for(LB_OPT6_BOOT_URL) && asks_for(LB_OPT6_BOOT_PARAMS));
    CHECK(asks_for(LB_OPT6_DNS) && asks_for(LB_OPT6_SEARCH));
    CHECK(asks_for(LB_OPT6_SOL_MAX_RT));
    CHECK(!asks_for(LB_OPT6_REFRESH));
}

static bool sent_is(uint16_t code, const char *hex) {
    struct lb_bytes value;
    return lb_dhcp6_find(t.sent.options, code, &value) && lb_bytes_equal(value, tap_hex(hex));
}

/* RFC 5970 3.3, 3.4 */
static void the_architecture_is_said_together_with_the_interface(void) {
    start((struct lb_dhcp6_config){.has_arch = true, .arch = 7});
    CHECK(sent_is(LB_OPT6_ARCH, "0007"));
    CHECK(sent_is(LB_OPT6_UNDI, "010310"));
    start((struct lb_dhcp6_config){.has_arch = true}); /* a PC's BIOS */
    CHECK(sent_is(LB_OPT6_ARCH, "0000"));
}

/* RFC 8415 21.7: these are never listed. */
static void options_that_come_by_themselves_are_not_asked_for(void) {
    static const uint16_t never[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20};
    start((struct lb_dhcp6_config){0});
    for (size_t i = 0; i < LB_COUNT(never); i++)
        CHECK(!asks_for(never[i]));
}

static void rapid_commit_is_not_offered_where_it_is_switched_off(void) {
    start((struct lb_dhcp6_config){.no_rapid_commit = true});
    CHECK(!has(LB_OPT6_RAPID_COMMIT));
    start((struct lb_dhcp6_config){.offers_only = true});
    CHECK(!has(LB_OPT6_RAPID_COMMIT));
}

static void reconfigure_is_accepted_only_where_it_is_configured(void) {
    start((struct lb_dhcp6_config){.take_reconfigure = true});
    CHECK(has(LB_OPT6_RECONF_ACCEPT));
}

/* RFC 8415 15: RT1 = IRT to IRT * 1.1, then doubled, a tenth more or less. */
static void a_solicit_is_repeated_ever_more_slowly_up_to_an_hour(void) {
    start((struct lb_dhcp6_config){0});
    uint64_t wait = t.until - t.now;
    CHECK(wait > SEC && wait <= 11 * SEC / 10);
    uint32_t xid = t.client.xid;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t before = wait;
        advance_to(t.until);
        CHECK_EQ(seen.sends, i + 2);
        CHECK_EQ(t.client.xid, xid);
        wait = t.until - t.now;
        CHECK(wait <= 3600 * SEC / 10 * 11);
        CHECK(wait >= LB_MIN(before / 10 * 19, 3600 * SEC / 10 * 9));
    }
}

static void the_elapsed_time_counts_from_the_first_message_and_saturates(void) {
    start((struct lb_dhcp6_config){0});
    advance_to(t.until);
    CHECK(elapsed() >= 100 && elapsed() <= 110);
    for (unsigned i = 0; i < 12; i++)
        advance_to(t.until);
    CHECK_EQ(elapsed(), 0xffff);
}

static void the_first_wait_is_as_configured(void) {
    start((struct lb_dhcp6_config){.retry_ms = 300});
    CHECK(t.until - t.now > 300 * LB_US_MS && t.until - t.now <= 331 * LB_US_MS);
}

static void a_server_can_make_solicits_slower_or_faster(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL, .sol_max_rt_s = 60));
    for (unsigned i = 0; i < 10; i++)
        advance_to(t.until);
    CHECK(t.until - t.now <= 66 * SEC);
}

static void a_maximum_wait_out_of_bounds_is_ignored(void) {
    start((struct lb_dhcp6_config){0});
    GIVE(LB_DHCP6_ADVERTISE, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL, .sol_max_rt_s = 59);
    CHECK_EQ(t.client.sol_max_rt_s, 0);
    GIVE(LB_DHCP6_ADVERTISE, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL, .sol_max_rt_s = 86401);
    CHECK_EQ(t.client.sol_max_rt_s, 0);
}

/* ---- Advertise ---- */

static void an_advertise_with_an_iscsi_root_path_is_taken_at_once(void) {
    start((struct lb_dhcp6_config){0});
    uint32_t xid = t.client.xid;
    CHECK(GIVE(LB_DHCP6_ADVERTISE, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_SENT("Request");
    CHECK(t.client.xid != xid);
    CHECK(is_sent_to(1));
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK_EQ(elapsed(), 0);
    CHECK(asks_for(LB_OPT6_BOOT_URL) && asks_for(LB_OPT6_SOL_MAX_RT));
}

static void an_advertise_without_one_waits_for_better(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1));
    CHECK_STATE("SOLICITING");
    CHECK_EQ(t.until - t.now, 800 * LB_US_MS);
    advance(100 * LB_US_MS);
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK(is_sent_to(2));
}

static void without_better_the_first_is_taken_after_the_wait(void) {
    start((struct lb_dhcp6_config){.offer_wait_ms = 200});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1));
    advance(200 * LB_US_MS);
    CHECK_STATE("REQUESTING");
    CHECK(is_sent_to(1));
    CHECK_EQ(seen.sends, 2);
}

static void the_server_of_the_highest_preference_wins(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, .preference = 7));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 3, .preference = 6));
    advance(SEC);
    CHECK(is_sent_to(2));
}

static void a_root_path_outweighs_preference_and_a_url_of_others_does_not(void) {
    start((struct lb_dhcp6_config){.offer_wait_ms = 500});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, .preference = 9));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, .root_path = "http://[2001:db8::1]/boot.efi"));
    CHECK_STATE("SOLICITING");
    struct lb_dhcp6_lease url = {.root_path = "tftp://x", .root_path_len = 8, .preference = 254};
    struct lb_dhcp6_lease disk = {.root_path = "iscsi:x", .root_path_len = 7};
    CHECK(lb_dhcp6_offer_rank(&disk) > lb_dhcp6_offer_rank(&url));
    advance(500 * LB_US_MS);
    CHECK(is_sent_to(1));
}

static void preference_255_is_taken_at_once(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .preference = 255));
    CHECK_STATE("REQUESTING");
}

static void an_advertise_without_an_address_does_not_end_the_wait(void) {
    start((struct lb_dhcp6_config){0});
    uint64_t until = t.until;
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .status = LB_DHCP6_NO_ADDRS_AVAIL, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .no_ia = true, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .no_addr = true, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .is_over = true, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .iaid = 77, ISCSI));
    CHECK_STATE("SOLICITING");
    CHECK_EQ(t.until, until);
}

static void addresses_that_no_host_can_have_are_none(void) {
    static const char *const bad[] = {"::1", "::", "ff02::1", "fe80::9", "::ffff:192.0.2.1"};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        start((struct lb_dhcp6_config){0});
        CHECK(!GIVE(LB_DHCP6_ADVERTISE, .addr = bad[i], ISCSI));
    }
}

static void an_ia_whose_t1_is_beyond_t2_is_none(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .t1_s = 200, .t2_s = 100, ISCSI));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .t1_s = 200, .t2_s = 0, ISCSI));
}

static void an_address_that_is_preferred_for_longer_than_it_is_valid_is_none(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .preferred_s = 101, .valid_s = 100, ISCSI));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .preferred_s = 100, .valid_s = 100, ISCSI));
}

static void messages_that_are_not_for_us_are_ignored(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .xid = t.client.xid ^ 1, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .no_server_id = true, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .no_client_id = true, ISCSI));
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .other_client = true, ISCSI));
    CHECK_EQ(t.client.ignored, 4);
    CHECK_STR(t.client.ignored_why, "another client's");
    CHECK_STATE("SOLICITING");
}

static void messages_of_clients_and_relays_are_ignored(void) {
    static const uint8_t types[] = {1, 3, 4, 5, 6, 8, 9, 11, 12, 13, 0, 14, 255};
    start((struct lb_dhcp6_config){0});
    for (size_t i = 0; i < LB_COUNT(types); i++)
        CHECK(!GIVE(types[i], .rapid_commit = true, ISCSI));
    CHECK_STATE("SOLICITING");
}

/* A relay sends from its own port and address, and some servers from neither. */
static void where_an_answer_comes_from_does_not_matter(void) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct made made = {.type = LB_DHCP6_ADVERTISE, ISCSI};
    start((struct lb_dhcp6_config){0});
    made.xid = t.client.xid;
    struct lb_endpoint from = {.addr = v6("2001:db8:7::7"), .port = 40000};
    CHECK(lb_dhcp6_client_input(&t.client, t.now, from, make(made, lb_span(room, sizeof room))));
}

static void a_second_advertise_of_a_server_replaces_its_first(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .addr = "2001:db8::1:1"));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .addr = "2001:db8::1:2"));
    CHECK_EQ(t.client.offer_count, 1);
    advance(SEC);
    CHECK_STR(sent_addrs(), "2001:db8::1:2");
}

static void of_too_many_servers_the_best_are_kept(void) {
    start((struct lb_dhcp6_config){0});
    for (uint8_t i = 1; i <= 20; i++)
        CHECK_EQ(GIVE(LB_DHCP6_ADVERTISE, .server = i, .preference = i), true);
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .server = 30, .preference = 1));
    CHECK_EQ(t.client.offer_count, LB_DHCP6_OFFERS_MAX);
    advance(SEC);
    CHECK(is_sent_to(20));
}

/* ---- rapid commit ---- */

static void a_reply_with_rapid_commit_binds_in_one_round_trip(void) {
    start((struct lb_dhcp6_config){.no_probe = true});
    CHECK(GIVE(LB_DHCP6_REPLY, .rapid_commit = true, ISCSI));
    CHECK_STATE("BOUND");
    CHECK(t.client.lease.rapid_commit);
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(seen.gots, 1);
}

/* Its addresses ran while the client waited for a better one. */
static void a_reply_that_was_kept_too_long_is_asked_for_anew(void) {
    start((struct lb_dhcp6_config){.no_probe = true, .offer_wait_ms = 20000});
    CHECK(GIVE(LB_DHCP6_REPLY, .rapid_commit = true, .preferred_s = 15, .valid_s = 15));
    for (int i = 0; i < 20 && lb_streq(lb_dhcp6_state_word(t.client.state), "SOLICITING"); i++)
        advance_to(t.until);
    CHECK_STATE("REQUESTING");
    CHECK(GIVE(LB_DHCP6_REPLY, .preferred_s = 15, .valid_s = 15));
    CHECK_STATE("BOUND");
}

static void a_reply_without_rapid_commit_to_a_solicit_is_ignored(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("SOLICITING");
}

static void a_rapid_reply_is_ignored_where_it_was_not_offered(void) {
    start((struct lb_dhcp6_config){.no_rapid_commit = true});
    CHECK(!GIVE(LB_DHCP6_REPLY, .rapid_commit = true, ISCSI));
    start((struct lb_dhcp6_config){.offers_only = true});
    CHECK(!GIVE(LB_DHCP6_REPLY, .rapid_commit = true, ISCSI));
}

static void an_advertise_with_rapid_commit_still_needs_a_request(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .rapid_commit = true, ISCSI));
    CHECK_STATE("REQUESTING");
}

/* ---- Request and Reply ---- */

static void a_reply_leads_to_probes_and_then_the_lease(void) {
    reach_checking();
    CHECK_EQ(seen.probes, 1);
    CHECK_ADDR(t.probes[0], "2001:db8::100");
    CHECK_EQ(seen.gots, 0);
    answer_probe("2001:db8::100", false);
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_ADDR(t.client.lease.addrs[0].addr, "2001:db8::100");
    CHECK_EQ(t.client.lease.addrs[0].preferred_s, 3600);
    CHECK_EQ(t.client.lease.addrs[0].valid_s, 7200);
    CHECK_EQ(t.client.lease.t1_s, 1800);
    CHECK_EQ(t.client.lease.t2_s, 2880);
    CHECK_ADDR(t.client.lease.server, "fe80::1");
    CHECK(lb_text_is(lb_bytes(t.client.lease.root_path, t.client.lease.root_path_len),
                     TEST_ROOT_PATH));
}

static void a_reply_of_another_server_is_ignored(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_REPLY, .server = 2, ISCSI));
    CHECK_STATE("REQUESTING");
}

static void a_late_advertise_is_ignored(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK_STATE("REQUESTING");
}

static void a_request_without_an_answer_goes_to_the_next_server(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK(is_sent_to(2));
    while (is_sent_to(2) && t.now < 1100 * SEC)
        advance_to(t.until);
    CHECK_STATE("REQUESTING");
    CHECK(is_sent_to(1));
    CHECK_EQ(seen.sends, 1 + 5 + 1);
}

static void when_no_server_answers_a_request_we_solicit_again(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    while (t.client.state == LB_DHCP6_REQUESTING && t.now < 1100 * SEC)
        advance_to(t.until);
    CHECK_STATE("SOLICITING");
    CHECK_EQ(seen.sends, 1 + 5 + 1);
}

static void a_refused_request_goes_to_the_next_server(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK(GIVE(LB_DHCP6_REPLY, .server = 2, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL));
    CHECK_STATE("REQUESTING");
    CHECK(is_sent_to(1));
}

static void another_server_is_preferred_to_one_that_refused(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, ISCSI));
    CHECK(GIVE(LB_DHCP6_REPLY, .server = 1, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL));
    while (t.client.state != LB_DHCP6_SOLICITING)
        advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, ISCSI));
    CHECK_STATE("SOLICITING");
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK(is_sent_to(2));
}

static void another_server_is_preferred_to_one_that_gave_no_reply(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, ISCSI));
    while (t.client.state == LB_DHCP6_REQUESTING)
        advance_to(t.until);
    CHECK_STATE("SOLICITING");
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, ISCSI));
    CHECK_STATE("SOLICITING");
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, ISCSI));
    CHECK(is_sent_to(2));
}

static void not_on_link_leads_to_a_new_solicit(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_NOT_ON_LINK, .no_ia = true));
    CHECK_STATE("SOLICITING");
}

static void a_failure_of_the_servers_is_asked_again_at_its_time(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    uint64_t until = t.until;
    CHECK(!GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_UNSPEC_FAIL));
    CHECK_STATE("REQUESTING");
    CHECK_EQ(t.until, until);
}

/* RFC 8415 14.1: no loop of messages. */
static void refusals_without_end_are_answered_ever_more_slowly(void) {
    uint64_t longest = 0;
    start((struct lb_dhcp6_config){0});
    for (unsigned i = 0; i < 12; i++) {
        while (t.client.state != LB_DHCP6_SOLICITING)
            advance_to(t.until);
        CHECK(GIVE(LB_DHCP6_ADVERTISE, ISCSI));
        if (t.client.state == LB_DHCP6_SOLICITING)
            advance_to(t.until); /* others are waited for first */
        CHECK(GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NO_ADDRS_AVAIL));
        longest = t.until - t.now;
    }
    CHECK(longest >= 54 * SEC && longest <= 66 * SEC);
}

static void times_that_make_no_sense_are_the_clients_choice(void) {
    reach_bound((struct made){.valid_s = 1000, .preferred_s = 1000, .t1_s = 2000, .t2_s = 3000});
    CHECK_EQ(t.client.lease.t1_s, 500);
    CHECK_EQ(t.client.lease.t2_s, 800);
    CHECK_EQ(t.until - t.now, 500 * SEC);
}

static void an_endless_lease_is_never_renewed(void) {
    reach_bound((struct made){.valid_s = LB_DHCP6_INFINITE, .preferred_s = LB_DHCP6_INFINITE});
    CHECK_EQ(t.until, LB_NEVER);
}

static void a_lease_of_a_moment_does_not_make_us_ask_without_a_pause(void) {
    reach_bound((struct made){.valid_s = 1, .preferred_s = 1});
    CHECK(t.until - t.now >= SEC);
}

/* ---- duplicate address detection ---- */

static void a_duplicate_address_is_declined_and_another_asked_for(void) {
    reach_checking();
    answer_probe("2001:db8::100", true);
    CHECK_STATE("DECLINING");
    CHECK_SENT("Decline");
    CHECK(is_sent_to(1));
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(!has(LB_OPT6_ORO));
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("SOLICITING");
    CHECK_EQ(seen.gots, 0);
}

static void a_decline_is_repeated_four_times_and_no_more(void) {
    reach_checking();
    clear_seen();
    answer_probe("2001:db8::100", true);
    while (t.client.state == LB_DHCP6_DECLINING && t.now < 1100 * SEC)
        advance_to(t.until);
    CHECK_EQ(seen.sends, 4 + 1);
    CHECK_SENT("Solicit");
}

static void each_of_several_addresses_is_probed(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_REPLY, .addr2 = "2001:db8::200"));
    CHECK_EQ(seen.probes, 2);
    CHECK_ADDR(t.probes[1], "2001:db8::200");
    answer_probe("2001:db8::200", false);
    CHECK_STATE("CHECKING");
    answer_probe("2001:db8::100", false);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.addr_count, 2);
}

static void of_two_addresses_the_one_that_is_free_is_used(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_REPLY, .addr2 = "2001:db8::200"));
    answer_probe("2001:db8::100", true);
    answer_probe("2001:db8::200", false);
    CHECK_STATE("DECLINING");
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_ADDR(t.client.lease.addrs[0].addr, "2001:db8::200");
}

static void a_host_that_never_answers_a_probe_does_not_stop_us(void) {
    reach_checking();
    advance(5 * SEC);
    CHECK_STATE("BOUND");
}

static void the_answer_for_another_address_means_nothing(void) {
    reach_checking();
    answer_probe("2001:db8::999", true);
    CHECK_STATE("CHECKING");
    answer_probe("2001:db8::100", false);
    CHECK_STATE("BOUND");
    answer_probe("2001:db8::999", true);
    CHECK_STATE("BOUND");
}

static void an_address_that_another_machine_takes_later_is_given_up_and_declined(void) {
    reach_checking();
    answer_probe("2001:db8::100", false);
    clear_seen();
    answer_probe("2001:db8::100", true);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(seen.gots, 0);
    CHECK_STATE("DECLINING");
    CHECK_SENT("Decline");
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("SOLICITING");
}

static void of_two_addresses_the_one_that_nobody_takes_later_stays(void) {
    reach_requesting((struct lb_dhcp6_config){.no_probe = true});
    CHECK(GIVE(LB_DHCP6_REPLY, .addr2 = "2001:db8::200"));
    clear_seen();
    answer_probe("2001:db8::100", true);
    CHECK_EQ(seen.losts, 0);
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("BOUND");
    CHECK_ADDR(t.client.lease.addrs[0].addr, "2001:db8::200");
}

static bool advertise_worth(const char *addr, enum lb_worth worth) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct made made = {.type = LB_DHCP6_ADVERTISE, .addr = addr};
    made.xid = t.client.xid;
    struct lb_endpoint from = {.addr = v6("fe80::1"), .port = 547};
    return lb_dhcp6_client_hear(&t.client, t.now, from, make(made, lb_span(room, sizeof room)),
                                worth);
}

/* Who forges a server's identifier must not put a bad offer in the place of its good one. */
static void a_bad_second_advertise_replaces_a_bad_one_alone(void) {
    start((struct lb_dhcp6_config){0});
    CHECK(advertise_worth("2001:db8::1:1", LB_WORTH_BAD));
    CHECK(advertise_worth("2001:db8::1:2", LB_WORTH_BAD));
    CHECK_EQ(t.client.offer_count, 1);
    CHECK_STR(lb_addr_text(t.client.offers[0].addrs[0].addr).s, "2001:db8::1:2");
    CHECK(advertise_worth("2001:db8::1:3", LB_WORTH_DOUBTFUL));
    CHECK_STR(lb_addr_text(t.client.offers[0].addrs[0].addr).s, "2001:db8::1:3");
    CHECK(!advertise_worth("2001:db8::1:4", LB_WORTH_BAD));
    CHECK_STR(lb_addr_text(t.client.offers[0].addrs[0].addr).s, "2001:db8::1:3");
}

int main(void) {
    TEST(the_first_solicit_is_sent_at_once_to_all_servers);
    TEST(a_solicit_says_who_we_are_and_what_we_want);
    TEST(the_architecture_is_said_together_with_the_interface);
    TEST(options_that_come_by_themselves_are_not_asked_for);
    TEST(rapid_commit_is_not_offered_where_it_is_switched_off);
    TEST(reconfigure_is_accepted_only_where_it_is_configured);
    TEST(a_solicit_is_repeated_ever_more_slowly_up_to_an_hour);
    TEST(the_elapsed_time_counts_from_the_first_message_and_saturates);
    TEST(the_first_wait_is_as_configured);
    TEST(a_server_can_make_solicits_slower_or_faster);
    TEST(a_maximum_wait_out_of_bounds_is_ignored);
    TEST(an_advertise_with_an_iscsi_root_path_is_taken_at_once);
    TEST(an_advertise_without_one_waits_for_better);
    TEST(without_better_the_first_is_taken_after_the_wait);
    TEST(the_server_of_the_highest_preference_wins);
    TEST(a_root_path_outweighs_preference_and_a_url_of_others_does_not);
    TEST(preference_255_is_taken_at_once);
    TEST(an_advertise_without_an_address_does_not_end_the_wait);
    TEST(addresses_that_no_host_can_have_are_none);
    TEST(an_ia_whose_t1_is_beyond_t2_is_none);
    TEST(an_address_that_is_preferred_for_longer_than_it_is_valid_is_none);
    TEST(messages_that_are_not_for_us_are_ignored);
    TEST(messages_of_clients_and_relays_are_ignored);
    TEST(where_an_answer_comes_from_does_not_matter);
    TEST(a_second_advertise_of_a_server_replaces_its_first);
    TEST(of_too_many_servers_the_best_are_kept);
    TEST(a_reply_with_rapid_commit_binds_in_one_round_trip);
    TEST(a_reply_that_was_kept_too_long_is_asked_for_anew);
    TEST(a_reply_without_rapid_commit_to_a_solicit_is_ignored);
    TEST(a_rapid_reply_is_ignored_where_it_was_not_offered);
    TEST(an_advertise_with_rapid_commit_still_needs_a_request);
    TEST(a_reply_leads_to_probes_and_then_the_lease);
    TEST(a_reply_of_another_server_is_ignored);
    TEST(a_late_advertise_is_ignored);
    TEST(a_request_without_an_answer_goes_to_the_next_server);
    TEST(when_no_server_answers_a_request_we_solicit_again);
    TEST(a_refused_request_goes_to_the_next_server);
    TEST(another_server_is_preferred_to_one_that_refused);
    TEST(another_server_is_preferred_to_one_that_gave_no_reply);
    TEST(not_on_link_leads_to_a_new_solicit);
    TEST(a_failure_of_the_servers_is_asked_again_at_its_time);
    TEST(refusals_without_end_are_answered_ever_more_slowly);
    TEST(times_that_make_no_sense_are_the_clients_choice);
    TEST(an_endless_lease_is_never_renewed);
    TEST(a_lease_of_a_moment_does_not_make_us_ask_without_a_pause);
    TEST(a_duplicate_address_is_declined_and_another_asked_for);
    TEST(a_decline_is_repeated_four_times_and_no_more);
    TEST(each_of_several_addresses_is_probed);
    TEST(of_two_addresses_the_one_that_is_free_is_used);
    TEST(a_host_that_never_answers_a_probe_does_not_stop_us);
    TEST(the_answer_for_another_address_means_nothing);
    TEST(an_address_that_another_machine_takes_later_is_given_up_and_declined);
    TEST(of_two_addresses_the_one_that_nobody_takes_later_stays);
    TEST(a_bad_second_advertise_replaces_a_bad_one_alone);
    return tap_done();
}
