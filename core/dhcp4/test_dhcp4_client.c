/* The DHCPv4 client: what it sends, when, and what each answer leads to. */
#include "core/dhcp4/test_dhcp4_client.h"

/* ---- messages ---- */

static void discover_is_sent_at_once_and_to_everyone(void) {
    start((struct lb_dhcp4_config){0});
    CHECK_STATE("SELECTING");
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
    CHECK_STR(lb_endpoint_text(t.send.from).s, "0.0.0.0:68");
    CHECK_STR(lb_endpoint_text(t.send.to).s, "255.255.255.255:67");
    CHECK_EQ(t.sent.header.op, LB_BOOTREQUEST);
    CHECK_EQ(t.sent.header.htype, 1);
    CHECK_EQ(t.sent.header.hlen, 6);
    CHECK_EQ(t.sent.header.hops, 0);
    CHECK_EQ(t.sent.header.secs, 0);
    CHECK_EQ(t.sent.header.flags, 0);
    CHECK(lb_addr_is_zero(t.sent.header.ciaddr));
    CHECK(lb_addr_is_zero(t.sent.header.giaddr));
    CHECK(memcmp(t.sent.header.chaddr, test_mac, 6) == 0);
    CHECK(t.send.bytes.len >= 300);
}

static void discover_says_who_we_are_and_what_we_want(void) {
    struct lb_bytes id;
    uint16_t size;
    start((struct lb_dhcp4_config){.hostname = "host1", .vendor_class = "PXEClient"});
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_CLIENT_ID, &id));
    CHECK_BYTES(id, tap_hex("01 020000000001"));
    CHECK(lb_dhcp4_option_u16(&t.sent, LB_OPT_MAX_SIZE, &size));
    CHECK_EQ(size, 1472);
    CHECK(has(LB_OPT_HOSTNAME) && has(LB_OPT_VENDOR_CLASS) && has(LB_OPT_RAPID_COMMIT));
    CHECK(!has(LB_OPT_SERVER_ID) && !has(LB_OPT_REQUESTED_ADDRESS));
    static const uint8_t wanted[] = {1,  3,  6,  12, 15, 17, 26, 28, 33,  43,  51, 54,
                                     58, 59, 60, 66, 67, 78, 79, 83, 119, 121, 203};
    for (size_t i = 0; i < sizeof wanted; i++)
        CHECK(asks_for(wanted[i]));
    CHECK(!asks_for(LB_OPT_RAPID_COMMIT)); /* RFC 4039 4 */
    struct lb_bytes list;
    if (CHECK(lb_dhcp4_option(&t.sent, LB_OPT_PARAMETERS, &list)))
        CHECK_EQ(list.p[0], LB_OPT_CLASSLESS_ROUTES); /* RFC 3442: before 3 and 33 */
}

static void a_configured_client_identifier_is_sent_in_every_message(void) {
    struct lb_dhcp4_config config = {.no_arp_probe = true, .client_id_len = 9};
    struct lb_bytes id, want = tap_hex("ff 00000001 0004 abcd");
    memcpy(config.client_id, want.p, want.len);
    start(config);
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_CLIENT_ID, &id));
    CHECK_BYTES(id, want);
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_CLIENT_ID, &id));
    CHECK_BYTES(id, want);
    CHECK(GIVE(LB_DHCP4_ACK));
    lb_dhcp4_client_release(&t.client, t.now);
    run();
    CHECK_EQ(t.sent.type, LB_DHCP4_RELEASE);
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_CLIENT_ID, &id));
    CHECK_BYTES(id, want);
}

static void request_names_server_and_address_and_repeats_xid_and_secs(void) {
    start((struct lb_dhcp4_config){0});
    advance_to(t.until); /* a second DISCOVER, whose secs are not 0 */
    uint16_t secs = t.sent.header.secs;
    struct lb_bytes list;
    uint8_t asked[64];
    CHECK(secs >= 3);
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_PARAMETERS, &list));
    memcpy(asked, list.p, list.len);
    size_t asked_len = list.len;
    advance(1500 * LB_US_MS); /* the clock goes on, secs do not */
    uint32_t xid = t.sent.header.xid;
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
    CHECK_STR(sent_addr(LB_OPT_REQUESTED_ADDRESS), "192.0.2.100");
    CHECK_STR(lb_endpoint_text(t.send.to).s, "255.255.255.255:67");
    CHECK(lb_addr_is_zero(t.sent.header.ciaddr));
    CHECK_EQ(t.sent.header.xid, xid);
    CHECK_EQ(t.sent.header.secs, secs);
    CHECK(!has(LB_OPT_RAPID_COMMIT));
    CHECK(lb_dhcp4_option(&t.sent, LB_OPT_PARAMETERS, &list));
    CHECK_BYTES(list, lb_bytes(asked, asked_len));
}

static void release_goes_to_the_server_alone(void) {
    reach_bound((struct made){0});
    lb_dhcp4_client_release(&t.client, t.now);
    run();
    CHECK_STATE("STOPPED");
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(t.sent.type, LB_DHCP4_RELEASE);
    CHECK_STR(lb_endpoint_text(t.send.to).s, "192.0.2.1:67");
    CHECK_STR(lb_endpoint_text(t.send.from).s, "192.0.2.100:68");
    CHECK_ADDR(t.sent.header.ciaddr, "192.0.2.100");
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
    CHECK(!has(LB_OPT_REQUESTED_ADDRESS) && !has(LB_OPT_PARAMETERS) && !has(LB_OPT_MAX_SIZE));
    CHECK_EQ(t.sent.header.secs, 0);
    CHECK_EQ(t.until, LB_NEVER);
}

static void release_without_a_lease_says_nothing(void) {
    start((struct lb_dhcp4_config){0});
    clear_seen();
    lb_dhcp4_client_release(&t.client, t.now);
    run();
    CHECK_STATE("STOPPED");
    CHECK_EQ(seen.sends, 0);
}

/* ---- time ---- */

static void check_between(uint64_t us, uint64_t least_s, uint64_t most_s) {
    CHECK(us >= least_s * SEC);
    CHECK(us <= most_s * SEC);
}

static void discover_is_repeated_after_4_8_16_32_and_64_seconds_give_or_take_one(void) {
    static const unsigned waits[] = {4, 8, 16, 32, 64, 64, 64};
    start((struct lb_dhcp4_config){0});
    uint32_t xid = t.sent.header.xid;
    for (size_t i = 0; i < LB_COUNT(waits); i++) {
        uint64_t before = t.now;
        check_between(t.until - before, waits[i] - 1, waits[i] + 1);
        advance_to(t.until - 1);
        CHECK_EQ(seen.sends, i + 1);
        advance_to(t.until);
        CHECK_EQ(seen.sends, i + 2);
        CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
        CHECK_EQ(t.sent.header.xid, xid);
        CHECK_EQ(t.sent.header.secs, (t.now - 1000 * SEC) / SEC);
    }
}

static void two_machines_do_not_repeat_in_step(void) {
    static const struct lb_dhcp4_config config = {.mac = {2, 0, 0, 0, 0, 1}};
    struct lb_dhcp4_client other;
    struct lb_rand rand = test_rand(2);
    start((struct lb_dhcp4_config){0});
    lb_dhcp4_client_init(&other, 1000 * SEC, &config, &rand, NULL);
    CHECK_EQ(lb_dhcp4_client_poll(&other, 1000 * SEC).event, LB_DHCP4_SEND);
    CHECK(lb_dhcp4_client_poll(&other, 1000 * SEC).until_us != t.until);
    CHECK(other.xid != t.client.xid);
}

static void a_shorter_first_retry_is_doubled_too(void) {
    static const uint64_t waits_ms[] = {500, 1000, 2000, 4000, 8000};
    start((struct lb_dhcp4_config){.retry_ms = 500});
    for (size_t i = 0; i < LB_COUNT(waits_ms); i++) {
        uint64_t ms = (t.until - t.now) / LB_US_MS;
        CHECK(ms >= waits_ms[i] * 3 / 4 - 1 && ms <= waits_ms[i] * 5 / 4 + 1);
        advance_to(t.until);
    }
}

static void request_is_sent_four_times_and_then_all_begins_anew(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    uint32_t xid = t.client.xid;
    clear_seen();
    static const unsigned waits[] = {4, 8, 16, 32};
    for (size_t i = 0; i < LB_COUNT(waits); i++) {
        CHECK_STATE("REQUESTING");
        CHECK_EQ(seen.sends, i);
        check_between(t.until - t.now, waits[i] - 1, waits[i] + 1);
        advance_to(t.until);
    }
    CHECK_STATE("SELECTING");
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
    CHECK(t.client.xid != xid);
}

static void polling_early_or_often_changes_nothing(void) {
    reach_bound((struct made){0});
    uint64_t until = t.until;
    for (unsigned i = 0; i < 100; i++) {
        advance(1000);
        CHECK_EQ(t.until, until);
    }
    CHECK_EQ(seen.sends + seen.gots + seen.probes + seen.losts, 0);
}

static void polling_late_skips_nothing_that_matters(void) {
    reach_bound((struct made){.lease_s = 3600});
    advance(10000 * SEC); /* the host was asleep */
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(seen.gots, 0);
    CHECK_STATE("SELECTING");
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
}

/* ---- the lease ---- */

static void an_ack_is_probed_by_arp_before_it_is_used(void) {
    reach_checking();
    CHECK_EQ(seen.probes, 1);
    CHECK_EQ(seen.gots, 0);
    CHECK_ADDR(t.probe, "192.0.2.100");
    lb_dhcp4_client_probed(&t.client, t.now, false);
    run();
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
    CHECK_STR(lb_prefix_text(t.client.lease.address).s, "192.0.2.100/24");
}

static void a_probe_that_nobody_answers_for_long_is_taken_as_free(void) {
    reach_checking();
    CHECK_EQ(t.until, t.now + 3 * SEC);
    advance_to(t.until);
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
}

static void a_conflict_is_declined_and_ten_seconds_pass(void) {
    reach_checking();
    clear_seen();
    lb_dhcp4_client_probed(&t.client, t.now, true);
    run();
    CHECK_STATE("DECLINED");
    CHECK_EQ(t.sent.type, LB_DHCP4_DECLINE);
    CHECK_STR(lb_endpoint_text(t.send.to).s, "255.255.255.255:67");
    CHECK_STR(lb_endpoint_text(t.send.from).s, "0.0.0.0:68");
    CHECK(lb_addr_is_zero(t.sent.header.ciaddr));
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
    CHECK_STR(sent_addr(LB_OPT_REQUESTED_ADDRESS), "192.0.2.100");
    CHECK(!has(LB_OPT_PARAMETERS) && !has(LB_OPT_MAX_SIZE) && !has(LB_OPT_VENDOR_CLASS));
    CHECK(has(LB_OPT_MESSAGE));
    CHECK_EQ(t.sent.header.secs, 0);
    CHECK_EQ(t.until, t.now + 10 * SEC);
    CHECK_EQ(seen.gots, 0);
    advance_to(t.until);
    CHECK_STATE("SELECTING");
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
}

static void an_answer_about_a_probe_that_was_not_asked_for_is_ignored(void) {
    start((struct lb_dhcp4_config){0});
    lb_dhcp4_client_probed(&t.client, t.now, true);
    run();
    CHECK_STATE("SELECTING");
    reach_bound((struct made){0});
    lb_dhcp4_client_probed(&t.client, t.now, true);
    run();
    CHECK_STATE("BOUND");
}

static void the_lease_counts_from_when_the_request_was_sent(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    uint64_t sent = t.now;
    advance(2 * SEC);
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 1000));
    CHECK_EQ(t.client.lease.start_us, sent);
    CHECK_EQ(t.until, sent + 500 * SEC);
}

static void renewal_begins_at_half_of_the_lease_and_rebinding_at_seven_eighths(void) {
    reach_bound((struct made){.lease_s = 8000});
    uint64_t start_us = t.client.lease.start_us;
    CHECK_EQ(t.until, start_us + 4000 * SEC);
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
    CHECK_STR(lb_endpoint_text(t.send.to).s, "192.0.2.1:67");
    CHECK_STR(lb_endpoint_text(t.send.from).s, "192.0.2.100:68");
    CHECK_ADDR(t.sent.header.ciaddr, "192.0.2.100");
    CHECK(!has(LB_OPT_SERVER_ID) && !has(LB_OPT_REQUESTED_ADDRESS));
    while (t.client.state == LB_DHCP4_RENEWING)
        advance_to(t.until);
    CHECK_STATE("REBINDING");
    CHECK_EQ(t.now, start_us + 7000 * SEC);
    CHECK_STR(lb_endpoint_text(t.send.to).s, "255.255.255.255:67");
    CHECK_ADDR(t.sent.header.ciaddr, "192.0.2.100");
    CHECK(!has(LB_OPT_SERVER_ID) && !has(LB_OPT_REQUESTED_ADDRESS));
}

static void renewals_are_repeated_at_half_of_what_is_left_and_no_sooner_than_a_minute(void) {
    static const unsigned at_s[] = {4000, 5500, 6250, 6625, 6812, 6906, 6966,
                                    7000, 7500, 7750, 7875, 7937, 7997, 8000};
    reach_bound((struct made){.lease_s = 8000});
    uint64_t start_us = t.client.lease.start_us;
    for (size_t i = 0; i + 1 < LB_COUNT(at_s); i++) {
        advance_to(t.until);
        CHECK_EQ((t.now - start_us) / SEC, at_s[i]);
        CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
        CHECK_EQ(seen.sends, i + 1);
    }
    CHECK_EQ(seen.losts, 0);
    advance_to(t.until);
    CHECK_EQ((t.now - start_us) / SEC, 8000);
    CHECK_EQ(seen.losts, 1);
    CHECK_STATE("SELECTING");
}

static void times_of_the_server_are_kept_when_they_make_sense(void) {
    reach_bound((struct made){.lease_s = 1000, .t1_s = 100, .t2_s = 200});
    CHECK_EQ(t.until, t.client.lease.start_us + 100 * SEC);
    advance_to(t.until);
    advance_to(t.client.lease.start_us + 200 * SEC);
    CHECK_STATE("REBINDING");
    static const uint32_t bad[][2] = {{200, 100}, {100, 1000}, {1000, 2000}, {500, 500}};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        reach_bound((struct made){.lease_s = 1000, .t1_s = bad[i][0], .t2_s = bad[i][1]});
        CHECK_EQ(t.until, t.client.lease.start_us + 500 * SEC);
        CHECK_EQ(t.client.lease.t2_s, 875);
    }
}

static void a_lease_of_a_second_is_renewed_and_lost_in_time(void) {
    reach_bound((struct made){.lease_s = 1});
    CHECK_EQ(t.until, t.client.lease.start_us + SEC / 2);
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    advance_to(t.until);
    CHECK_STATE("REBINDING");
    advance_to(t.until);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(t.now, 1001 * SEC);
}

static void an_infinite_lease_is_never_renewed(void) {
    reach_bound((struct made){.lease_s = LB_DHCP4_INFINITE, .t1_s = 10});
    CHECK_EQ(t.until, LB_NEVER);
}

static void an_ack_renews_the_lease(void) {
    reach_bound((struct made){.lease_s = 8000, ISCSI});
    advance_to(t.until);
    clear_seen();
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 8000, .options = tap_hex("1a02 05dc")));
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(seen.probes, 0);
    CHECK_EQ(t.client.lease.mtu, 1500);
    CHECK_EQ(t.until, t.now + 4000 * SEC);
    CHECK_EQ(t.client.lease.root_path_len, sizeof TEST_ROOT_PATH - 1); /* not taken back */
}

static void another_server_may_rebind_the_lease(void) {
    reach_bound((struct made){.lease_s = 8000});
    advance_to(t.client.lease.start_us + 7000 * SEC);
    CHECK_STATE("REBINDING");
    CHECK(GIVE(LB_DHCP4_ACK, .server = v4(192, 0, 2, 2)));
    CHECK_STATE("BOUND");
    CHECK_ADDR(t.client.lease.server, "192.0.2.2");
}

static void a_nak_while_renewing_takes_the_address_away_at_once(void) {
    reach_bound((struct made){.lease_s = 8000});
    advance_to(t.until);
    clear_seen();
    CHECK(GIVE(LB_DHCP4_NAK));
    CHECK_EQ(seen.losts, 1);
    CHECK_STATE("SELECTING");
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
}

static void a_renewal_for_another_address_is_ignored(void) {
    reach_bound((struct made){.lease_s = 8000});
    advance_to(t.until);
    CHECK(!GIVE(LB_DHCP4_ACK, .yiaddr = v4(192, 0, 2, 101)));
    CHECK_STATE("RENEWING");
}

static void a_nak_sends_us_back_to_discover_slower_each_time(void) {
    uint64_t waits[5];
    start((struct lb_dhcp4_config){0});
    for (size_t i = 0; i < LB_COUNT(waits); i++) {
        offered_again();
        CHECK(GIVE(LB_DHCP4_NAK));
        waits[i] = t.client.state == LB_DHCP4_INIT ? t.until - t.now : 0;
        if (waits[i])
            advance_to(t.until);
        CHECK_STATE("SELECTING");
    }
    CHECK_EQ(waits[0], 0);
    for (size_t i = 1; i < LB_COUNT(waits); i++) {
        uint64_t seconds = 1u << (i - 1);
        CHECK(waits[i] >= seconds * SEC * 3 / 4 && waits[i] <= seconds * SEC * 5 / 4);
    }
}

static void a_nak_of_another_server_is_ignored(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    CHECK(!GIVE(LB_DHCP4_NAK, .server = v4(192, 0, 2, 66)));
    CHECK_STATE("REQUESTING");
    CHECK(!GIVE(LB_DHCP4_NAK, .no_server_id = true));
    CHECK_STATE("REQUESTING");
}

static void what_only_the_offer_said_is_kept_through_the_ack(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_ACK));
    CHECK_BYTES(lb_bytes(t.client.lease.root_path, t.client.lease.root_path_len),
                lb_bytes_of_text(TEST_ROOT_PATH));
}

/* ---- giving up ---- */

static void silence_is_reported_as_no_offer(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 30000};
    start(config);
    give_up_after(config, LB_E_DHCP_NO_OFFER);
    CHECK_HAS(t.client.error.facts, "30 s");
}

/* To others, or of another time: nobody has answered us. */
static void ignored_datagrams_are_told_of_when_nothing_else_came(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 30000};
    start(config);
    CHECK(!GIVE(LB_DHCP4_OFFER, .xid = t.client.xid + 1));
    give_up_after(config, LB_E_DHCP_NO_OFFER);
    CHECK_HAS(t.client.error.facts, "another transaction");
}

static void an_offer_that_is_never_confirmed_is_reported_as_that(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 20000};
    reach_requesting(config);
    give_up_after(config, LB_E_DHCP_NO_ACK);
    CHECK_HAS(t.client.error.facts, "192.0.2.100");
    CHECK_HAS(t.client.error.facts, "192.0.2.1");
}

static void refusals_are_reported_as_that(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 20000};
    reach_requesting(config);
    CHECK(GIVE(LB_DHCP4_NAK));
    give_up_after(config, LB_E_DHCP_NAK);
}

/* ISC dhcpd and dnsmasq say why. */
static void what_the_server_says_with_its_refusal_is_told(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 20000};
    reach_requesting(config);
    CHECK(GIVE(LB_DHCP4_NAK, .options = lb_bytes("\x38\x0f"
                                                 "wrong network\x1b\0",
                                                 17)));
    give_up_after(config, LB_E_DHCP_NAK);
    CHECK_HAS(t.client.error.facts, "last by 192.0.2.1: wrong network\\x1b");
    reach_requesting(config);
    CHECK(GIVE(LB_DHCP4_NAK, .options = lb_bytes("\x38\x03"
                                                 "one",
                                                 5)));
    offered_again();
    CHECK(GIVE(LB_DHCP4_NAK)); /* without a word */
    CHECK_STR(t.client.nak_words, "");
}

static void a_conflict_is_reported_with_the_address(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 20000};
    reach_requesting(config);
    CHECK(GIVE(LB_DHCP4_ACK));
    lb_dhcp4_client_probed(&t.client, t.now, true);
    give_up_after(config, LB_E_ADDRESS_CONFLICT);
    CHECK_HAS(t.client.error.facts, "192.0.2.100");
}

static void a_lease_that_ran_out_is_reported_as_that(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true, .give_up_ms = 5000});
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 100));
    while (t.client.state != LB_DHCP4_STOPPED)
        advance_to(t.until);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(t.now, 1105 * SEC); /* the time to give up counts from the loss */
    CHECK_EQ(t.client.error.code, LB_E_DHCP_EXPIRED);
}

/* ---- the link ---- */

static void a_link_that_comes_back_confirms_the_lease(void) {
    reach_bound((struct made){.lease_s = 8000});
    uint64_t t1 = t.until;
    lb_dhcp4_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("REBOOTING");
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
    CHECK_STR(lb_endpoint_text(t.send.to).s, "255.255.255.255:67");
    CHECK_STR(sent_addr(LB_OPT_REQUESTED_ADDRESS), "192.0.2.100");
    CHECK(!has(LB_OPT_SERVER_ID));
    CHECK(lb_addr_is_zero(t.sent.header.ciaddr));
    CHECK_EQ(seen.losts, 0);
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 8000));
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(t.until, t1);
}

static void a_link_into_another_network_loses_the_lease(void) {
    reach_bound((struct made){.lease_s = 8000});
    lb_dhcp4_client_link_up(&t.client, t.now);
    run();
    CHECK(GIVE(LB_DHCP4_NAK, .server = v4(198, 51, 100, 1)));
    CHECK_EQ(seen.losts, 1);
    CHECK_STATE("SELECTING");
}

static void without_an_answer_the_lease_goes_on(void) {
    reach_bound((struct made){.lease_s = 8000});
    uint64_t t1 = t.until;
    lb_dhcp4_client_link_up(&t.client, t.now);
    run();
    while (t.client.state == LB_DHCP4_REBOOTING)
        advance_to(t.until);
    CHECK_STATE("BOUND");
    CHECK_EQ(t.until, t1);
    CHECK_EQ(seen.losts + seen.gots, 0);
    CHECK_EQ(seen.sends, 2);
}

static void a_link_that_comes_up_late_is_asked_over_at_once(void) {
    start((struct lb_dhcp4_config){0});
    advance(3 * SEC);
    clear_seen();
    lb_dhcp4_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER);
}

/* ---- what is ignored, each with its reason in the trace ---- */

static void replies_to_others_are_ignored(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(!GIVE(LB_DHCP4_OFFER, .xid = t.client.xid + 1, ISCSI));
    CHECK(trace_has("another transaction"));
    CHECK(!GIVE(LB_DHCP4_OFFER, .mac_last = 9, ISCSI));
    CHECK(trace_has("another machine's hardware address"));
    CHECK(!GIVE(LB_DHCP4_OFFER, .op = LB_BOOTREQUEST, ISCSI));
    CHECK(trace_has("not a reply"));
    CHECK(!GIVE(LB_DHCP4_OFFER, .no_cookie = true, ISCSI));
    CHECK(trace_has("no magic cookie"));
    CHECK_EQ(t.client.ignored, 4);
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, .client_id = tap_hex("01 020000000001"), ISCSI));
    CHECK_STATE("REQUESTING");
}

static void offers_that_cannot_be_used_are_ignored(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(!GIVE(LB_DHCP4_OFFER, .yiaddr = v4(224, 0, 0, 5), ISCSI));
    CHECK(!GIVE(LB_DHCP4_OFFER, .yiaddr = v4(255, 255, 255, 255), ISCSI));
    CHECK(!GIVE(LB_DHCP4_OFFER, .yiaddr = v4(127, 0, 0, 1), ISCSI));
    CHECK(trace_has("no host can have"));
    CHECK(!GIVE(LB_DHCP4_BOOTP, .yiaddr = {.family = LB_V4}, ISCSI));
    CHECK_STATE("SELECTING");
}

static void an_offer_without_a_lease_time_is_for_ever(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_ACK, .no_lease_time = true));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.until, LB_NEVER);
}

static void garbage_is_ignored_in_every_state(void) {
    static const uint8_t garbage[600] = {2, 1, 6};
    reach_checking();
    for (size_t len = 0; len <= sizeof garbage; len += 7)
        CHECK(!lb_dhcp4_client_input(&t.client, t.now, test_from(v4(192, 0, 2, 1)),
                                     lb_bytes(garbage, len)));
    CHECK_STATE("CHECKING");
    CHECK_EQ(t.client.ignored, (sizeof garbage + 6) / 7);
}

static void every_change_of_state_is_traced(void) {
    reach_checking();
    lb_dhcp4_client_probed(&t.client, t.now, false);
    run();
    CHECK(trace_has("INIT -> SELECTING"));
    CHECK(trace_has("SELECTING -> REQUESTING"));
    CHECK(trace_has("REQUESTING -> CHECKING"));
    CHECK(trace_has("CHECKING -> BOUND"));
    CHECK(trace_has("send DISCOVER"));
    CHECK(trace_has("192.0.2.100/24 for 3600 s from 192.0.2.1"));
}

/* ---- each state x each message ---- */

static void reach(enum lb_dhcp4_state state) {
    switch (state) {
    case LB_DHCP4_INIT: /* after two NAKs there is a pause */
        start((struct lb_dhcp4_config){0});
        for (unsigned i = 0; i < 2; i++) {
            offered_again();
            GIVE(LB_DHCP4_NAK);
        }
        break;
    case LB_DHCP4_SELECTING:
        start((struct lb_dhcp4_config){0});
        break;
    case LB_DHCP4_REQUESTING:
        reach_requesting((struct lb_dhcp4_config){0});
        break;
    case LB_DHCP4_CHECKING:
        reach_checking();
        break;
    case LB_DHCP4_DECLINED:
        reach_checking();
        lb_dhcp4_client_probed(&t.client, t.now, true);
        break;
    case LB_DHCP4_BOUND:
        reach_bound((struct made){.lease_s = 8000});
        break;
    case LB_DHCP4_REBOOTING:
        reach_bound((struct made){.lease_s = 8000});
        lb_dhcp4_client_link_up(&t.client, t.now);
        break;
    case LB_DHCP4_RENEWING:
        reach_bound((struct made){.lease_s = 8000});
        advance_to(t.until);
        break;
    case LB_DHCP4_REBINDING:
        reach_bound((struct made){.lease_s = 8000});
        advance_to(t.client.t2_us);
        break;
    case LB_DHCP4_STOPPED:
        reach_bound((struct made){.lease_s = 8000});
        lb_dhcp4_client_release(&t.client, t.now);
        break;
    }
    run();
    CHECK_EQ(t.client.state, state);
}

enum kind { BOOTP, OFFER, PROXY_OFFER, ACK, RAPID_ACK, NAK, OTHER, KINDS };

/* "-" is ignored; otherwise the state that follows. */
static const char *const table[][KINDS] = {
    /*                      BOOTP        OFFER         PROXY         ACK       RAPID_ACK   NAK */
    [LB_DHCP4_INIT] = {"-", "-", "-", "-", "-", "-", "-"},
    [LB_DHCP4_SELECTING] = {"SELECTING", "REQUESTING", "SELECTING", "-", "CHECKING", "-", "-"},
    [LB_DHCP4_REQUESTING] = {"-", "-", "REQUESTING", "CHECKING", "CHECKING", "SELECTING", "-"},
    [LB_DHCP4_REBOOTING] = {"-", "-", "-", "BOUND", "BOUND", "SELECTING", "-"},
    [LB_DHCP4_CHECKING] = {"-", "-", "-", "-", "-", "-", "-"},
    [LB_DHCP4_DECLINED] = {"-", "-", "-", "-", "-", "-", "-"},
    [LB_DHCP4_BOUND] = {"-", "-", "-", "-", "-", "-", "-"},
    [LB_DHCP4_RENEWING] = {"-", "-", "-", "BOUND", "BOUND", "SELECTING", "-"},
    [LB_DHCP4_REBINDING] = {"-", "-", "-", "BOUND", "BOUND", "SELECTING", "-"},
    [LB_DHCP4_STOPPED] = {"-", "-", "-", "-", "-", "-", "-"},
};

static bool give_kind(enum kind kind) {
    switch (kind) {
    case BOOTP:
        return GIVE(LB_DHCP4_BOOTP, ISCSI);
    case OFFER:
        return GIVE(LB_DHCP4_OFFER, ISCSI);
    case PROXY_OFFER:
        return GIVE(LB_DHCP4_OFFER, PROXY, ISCSI);
    case ACK:
        return GIVE(LB_DHCP4_ACK, ISCSI);
    case RAPID_ACK:
        return GIVE(LB_DHCP4_ACK, ISCSI, .rapid_commit = true);
    case NAK:
        return GIVE(LB_DHCP4_NAK);
    case OTHER:
    case KINDS:
        break;
    }
    bool taken = false;
    static const enum lb_dhcp4_type clients[] = {LB_DHCP4_DISCOVER, LB_DHCP4_REQUEST,
                                                 LB_DHCP4_DECLINE,  LB_DHCP4_RELEASE,
                                                 LB_DHCP4_INFORM,   LB_DHCP4_FORCERENEW};
    for (size_t i = 0; i < LB_COUNT(clients); i++)
        taken |= GIVE(clients[i], ISCSI);
    return taken;
}

static void each_message_in_each_state_leads_where_it_should(void) {
    for (unsigned state = 0; state < LB_COUNT(table); state++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            reach(state);
            clear_seen();
            uint64_t ignored = t.client.ignored;
            bool taken = give_kind(kind);
            const char *expected = table[state][kind];
            bool is_ignored = lb_streq(expected, "-");
            bool held = CHECK_EQ(taken, !is_ignored);
            held = CHECK_STR(lb_dhcp4_state_word(t.client.state),
                             is_ignored ? lb_dhcp4_state_word(state) : expected) &&
                   held;
            if (is_ignored) {
                CHECK(t.client.ignored > ignored);
                CHECK_EQ(seen.sends + seen.gots + seen.losts + seen.probes, 0);
                CHECK(trace_has("ignored in"));
            }
            if (!held)
                tap_note("in %s, message kind %u", lb_dhcp4_state_word(state), kind);
        }
    }
}

static void a_lease_that_ends_before_it_was_told_of_is_only_lost(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    struct made ack = {
        .type = LB_DHCP4_ACK, .xid = t.client.xid, .yiaddr = v4(192, 0, 2, 100), .lease_s = 10};
    CHECK(lb_dhcp4_client_input(&t.client, t.now, test_from(v4(192, 0, 2, 1)),
                                make(ack, lb_span(room, sizeof room))));
    advance(20 * SEC);
    CHECK_EQ(seen.gots, 0);
    CHECK_EQ(seen.losts, 1);
}

static void naks_before_a_lease_do_not_slow_those_after_it(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_NAK));
    offered_again();
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 100));
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK(GIVE(LB_DHCP4_NAK));
    CHECK_STATE("SELECTING");
}

static void a_probe_under_way_is_not_given_up(void) {
    reach_requesting((struct lb_dhcp4_config){.give_up_ms = 1000});
    advance(999 * LB_US_MS);
    CHECK(GIVE(LB_DHCP4_ACK));
    advance(500 * LB_US_MS);
    CHECK_STATE("CHECKING");
    lb_dhcp4_client_probed(&t.client, t.now, false);
    run();
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.failures, 0);
}

int main(void) {
    TEST(discover_is_sent_at_once_and_to_everyone);
    TEST(discover_says_who_we_are_and_what_we_want);
    TEST(a_configured_client_identifier_is_sent_in_every_message);
    TEST(request_names_server_and_address_and_repeats_xid_and_secs);
    TEST(release_goes_to_the_server_alone);
    TEST(release_without_a_lease_says_nothing);
    TEST(discover_is_repeated_after_4_8_16_32_and_64_seconds_give_or_take_one);
    TEST(two_machines_do_not_repeat_in_step);
    TEST(a_shorter_first_retry_is_doubled_too);
    TEST(request_is_sent_four_times_and_then_all_begins_anew);
    TEST(polling_early_or_often_changes_nothing);
    TEST(polling_late_skips_nothing_that_matters);
    TEST(an_ack_is_probed_by_arp_before_it_is_used);
    TEST(a_probe_that_nobody_answers_for_long_is_taken_as_free);
    TEST(a_conflict_is_declined_and_ten_seconds_pass);
    TEST(an_answer_about_a_probe_that_was_not_asked_for_is_ignored);
    TEST(the_lease_counts_from_when_the_request_was_sent);
    TEST(renewal_begins_at_half_of_the_lease_and_rebinding_at_seven_eighths);
    TEST(renewals_are_repeated_at_half_of_what_is_left_and_no_sooner_than_a_minute);
    TEST(times_of_the_server_are_kept_when_they_make_sense);
    TEST(a_lease_of_a_second_is_renewed_and_lost_in_time);
    TEST(an_infinite_lease_is_never_renewed);
    TEST(an_ack_renews_the_lease);
    TEST(another_server_may_rebind_the_lease);
    TEST(a_nak_while_renewing_takes_the_address_away_at_once);
    TEST(a_renewal_for_another_address_is_ignored);
    TEST(a_nak_sends_us_back_to_discover_slower_each_time);
    TEST(a_nak_of_another_server_is_ignored);
    TEST(what_only_the_offer_said_is_kept_through_the_ack);
    TEST(silence_is_reported_as_no_offer);
    TEST(ignored_datagrams_are_told_of_when_nothing_else_came);
    TEST(an_offer_that_is_never_confirmed_is_reported_as_that);
    TEST(refusals_are_reported_as_that);
    TEST(what_the_server_says_with_its_refusal_is_told);
    TEST(a_conflict_is_reported_with_the_address);
    TEST(a_lease_that_ran_out_is_reported_as_that);
    TEST(a_link_that_comes_back_confirms_the_lease);
    TEST(a_link_into_another_network_loses_the_lease);
    TEST(without_an_answer_the_lease_goes_on);
    TEST(a_link_that_comes_up_late_is_asked_over_at_once);
    TEST(replies_to_others_are_ignored);
    TEST(offers_that_cannot_be_used_are_ignored);
    TEST(an_offer_without_a_lease_time_is_for_ever);
    TEST(garbage_is_ignored_in_every_state);
    TEST(every_change_of_state_is_traced);
    TEST(each_message_in_each_state_leads_where_it_should);
    TEST(a_lease_that_ends_before_it_was_told_of_is_only_lost);
    TEST(naks_before_a_lease_do_not_slow_those_after_it);
    TEST(a_probe_under_way_is_not_given_up);
    return tap_done();
}
