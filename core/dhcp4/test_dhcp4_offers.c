/* The DHCPv4 client among several servers: DHCP, rapid commit, BOOTP, proxyDHCP; and a dry run. */
#include "core/dhcp4/dhcp4_client.h"
#include "core/dhcp4/test_dhcp4_client.h"

/* ---- several servers ---- */

static void a_good_first_offer_ends_the_wait(void) {
    start((struct lb_dhcp4_config){0});
    clear_seen();
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_EQ(seen.sends, 1);
}

static void another_server_is_preferred_to_one_that_refused(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_NAK));
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI, .server = v4(192, 0, 2, 2)));
    CHECK_STATE("REQUESTING");
    CHECK_ADDR(t.client.lease.server, "192.0.2.2");
    CHECK(GIVE(LB_DHCP4_NAK, .server = v4(192, 0, 2, 2))); /* the second NAK: after a pause */
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI, .server = v4(192, 0, 2, 2)));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_ADDR(t.client.lease.server, "192.0.2.1");
}

static void another_server_is_preferred_to_one_that_gave_no_ack(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    while (t.client.state == LB_DHCP4_REQUESTING)
        advance_to(t.until);
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI, .server = v4(192, 0, 2, 2)));
    CHECK_STATE("REQUESTING");
    CHECK_ADDR(t.client.lease.server, "192.0.2.2");
}

static void a_server_that_has_kept_its_word_since_is_not_waited_beside(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_NAK));
    offered_again();
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 100));
    CHECK(!lb_addr_is_set(t.client.broke_word));
}

static void an_offer_without_a_root_path_waits_for_a_better_one(void) {
    start((struct lb_dhcp4_config){.offer_wait_ms = 300});
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK_STATE("SELECTING");
    CHECK_EQ(t.until, t.now + 300 * LB_US_MS);
    advance(100 * LB_US_MS);
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 2), .yiaddr = v4(192, 0, 2, 102), ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.2");
    CHECK_STR(sent_addr(LB_OPT_REQUESTED_ADDRESS), "192.0.2.102");
}

static void the_best_offer_is_taken_when_the_wait_is_over(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK(GIVE(LB_DHCP4_BOOTP, .server = v4(192, 0, 2, 9)));
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 2),
               .options = tap_hex("4e05 01 c000020a"))); /* SLP */
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 3)));
    CHECK_EQ(t.client.offer_count, 4);
    CHECK_EQ(t.until, t.now + 800 * LB_US_MS);
    advance_to(t.until);
    CHECK_STATE("REQUESTING");
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.2");
}

static void of_equal_offers_the_first_is_taken(void) {
    start((struct lb_dhcp4_config){0});
    for (uint8_t i = 1; i <= 4; i++)
        CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, i)));
    advance_to(t.until);
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
}

static void more_servers_than_we_compare_do_not_crowd_out_a_better_one(void) {
    start((struct lb_dhcp4_config){0});
    for (uint8_t i = 0; i < LB_DHCP4_OFFERS_MAX; i++)
        CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, (uint8_t)(10 + i))));
    CHECK(!GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 50)));
    CHECK_EQ(t.client.offer_count, LB_DHCP4_OFFERS_MAX);
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 51), ISCSI));
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.51");
}

static void a_repeated_offer_replaces_the_first(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK(GIVE(LB_DHCP4_OFFER, .yiaddr = v4(192, 0, 2, 111)));
    CHECK_EQ(t.client.offer_count, 1);
    advance_to(t.until);
    CHECK_STR(sent_addr(LB_OPT_REQUESTED_ADDRESS), "192.0.2.111");
}

static void offers_are_ranked_for_a_boot(void) {
    struct lb_dhcp4_lease iscsi = {0}, slp = {0}, plain = {0}, bootp = {.bootp = true}, nfs = {0};
    struct lb_dhcp4_lease bootp_iscsi = {.bootp = true}, rapid = {.rapid_commit = true};
    memcpy(iscsi.root_path, "iscsi:x", iscsi.root_path_len = 7);
    memcpy(bootp_iscsi.root_path, "iscsi:x", bootp_iscsi.root_path_len = 7);
    memcpy(nfs.root_path, "10.0.0.1:/", nfs.root_path_len = 10);
    slp.slp_da_count = 1;
    CHECK(lb_dhcp4_offer_rank(&iscsi) > lb_dhcp4_offer_rank(&bootp_iscsi));
    CHECK(lb_dhcp4_offer_rank(&bootp_iscsi) > lb_dhcp4_offer_rank(&slp));
    CHECK(lb_dhcp4_offer_rank(&slp) > lb_dhcp4_offer_rank(&rapid));
    CHECK(lb_dhcp4_offer_rank(&rapid) > lb_dhcp4_offer_rank(&plain));
    CHECK(lb_dhcp4_offer_rank(&plain) > lb_dhcp4_offer_rank(&bootp));
    CHECK_EQ(lb_dhcp4_offer_rank(&nfs), lb_dhcp4_offer_rank(&plain));
}

/* ---- rapid commit ---- */

static void a_rapid_commit_ack_saves_a_round_trip(void) {
    start((struct lb_dhcp4_config){0});
    clear_seen();
    CHECK(GIVE(LB_DHCP4_ACK, .rapid_commit = true, ISCSI));
    CHECK_STATE("CHECKING");
    CHECK_EQ(seen.sends, 0);
    CHECK_EQ(seen.probes, 1);
}

static void an_ack_to_discover_without_rapid_commit_is_ignored(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(!GIVE(LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("SELECTING");
    start((struct lb_dhcp4_config){.no_rapid_commit = true});
    CHECK(!has(LB_OPT_RAPID_COMMIT));
    CHECK(!GIVE(LB_DHCP4_ACK, .rapid_commit = true, ISCSI));
    CHECK_STATE("SELECTING");
}

static void a_rapid_commit_without_a_root_path_waits_for_a_better_offer(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_ACK, .rapid_commit = true));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 2), ISCSI));
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.2");
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_ACK, .rapid_commit = true));
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 2)));
    advance_to(t.until);
    CHECK_STATE("CHECKING"); /* nothing better came */
    CHECK_ADDR(t.client.lease.server, "192.0.2.1");
}

static void a_late_rapid_commit_is_ignored_once_an_offer_was_taken(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    CHECK(!GIVE(LB_DHCP4_ACK, .rapid_commit = true, .server = v4(192, 0, 2, 2)));
    CHECK_STATE("REQUESTING");
}

/* The lease ran while the client waited for a better offer. */
static void a_rapid_commit_that_was_kept_too_long_is_asked_for_anew(void) {
    start((struct lb_dhcp4_config){.offer_wait_ms = 20000});
    CHECK(GIVE(LB_DHCP4_ACK, .rapid_commit = true, .lease_s = 30));
    advance_to(t.until);
    for (int i = 0; i < 20 && !lb_streq(lb_dhcp4_state_word(t.client.state), "REQUESTING"); i++)
        advance_to(t.until);
    CHECK_STATE("REQUESTING");
    CHECK(GIVE(LB_DHCP4_ACK, .lease_s = 30));
    CHECK_STATE("CHECKING");
}

/* ---- BOOTP ---- */

static void a_bootp_server_gives_an_address_for_ever_and_nothing_is_sent_back(void) {
    start((struct lb_dhcp4_config){0});
    clear_seen();
    CHECK(GIVE(LB_DHCP4_BOOTP, ISCSI));
    CHECK_STATE("SELECTING"); /* RFC 1534: a DHCP server would be better */
    advance_to(t.until);
    CHECK_STATE("CHECKING");
    lb_dhcp4_client_probed(&t.client, t.now, false);
    run();
    CHECK_STATE("BOUND");
    CHECK(t.client.lease.bootp);
    CHECK_EQ(t.until, LB_NEVER);
    CHECK_EQ(seen.sends, 0);
    lb_dhcp4_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("BOUND");
    lb_dhcp4_client_release(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 0);
}

static void a_dhcp_server_is_preferred_to_a_bootp_server(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_BOOTP, .server = v4(192, 0, 2, 9), ISCSI));
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
}

static void a_conflict_over_a_bootp_address_is_not_declined(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_BOOTP, ISCSI));
    advance_to(t.until);
    clear_seen();
    lb_dhcp4_client_probed(&t.client, t.now, true);
    run();
    CHECK_STATE("DECLINED");
    CHECK_EQ(seen.sends, 0);
    CHECK_EQ(t.until, t.now + 10 * SEC);
}

static void bootp_can_be_switched_off(void) {
    start((struct lb_dhcp4_config){.no_bootp = true});
    CHECK(!GIVE(LB_DHCP4_BOOTP, ISCSI));
    CHECK_EQ(t.client.offer_count, 0);
}

static void asking_by_bootp_sends_no_message_type_and_takes_no_dhcp_answer(void) {
    start((struct lb_dhcp4_config){.ask_bootp = true});
    CHECK_EQ(t.sent.type, LB_DHCP4_BOOTP);
    CHECK(!has(LB_OPT_TYPE) && !has(LB_OPT_CLIENT_ID) && !has(LB_OPT_RAPID_COMMIT));
    CHECK(has(LB_OPT_MAX_SIZE) && has(LB_OPT_PARAMETERS)); /* servers that speak both heed them */
    CHECK(!GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(GIVE(LB_DHCP4_BOOTP, ISCSI));
    advance_to(t.until);
    CHECK_STATE("CHECKING");
}

/* ---- proxyDHCP ---- */

static void a_proxy_offer_completes_an_offer_without_a_root_path(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK_STATE("REQUESTING"); /* together they are all there is to want */
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
    CHECK(GIVE(LB_DHCP4_ACK));
    CHECK_BYTES(lb_bytes(t.client.lease.root_path, t.client.lease.root_path_len),
                lb_bytes_of_text(TEST_ROOT_PATH));
    CHECK_ADDR(t.client.lease.root_path_from, "192.0.2.7");
    CHECK_ADDR(t.client.lease.server, "192.0.2.1");
}

static void a_proxy_offer_may_come_second(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK_STATE("REQUESTING");
}

static void a_proxy_offer_that_comes_before_the_ack_still_counts(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_OFFER));
    advance_to(t.until);
    CHECK_STATE("REQUESTING");
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK(GIVE(LB_DHCP4_ACK));
    CHECK_ADDR(t.client.lease.root_path_from, "192.0.2.7");
}

static void each_group_that_an_offer_lacks_is_taken_whole_from_the_other(void) {
    struct lb_dhcp4_lease lease = {.bootfile = "own.efi"};
    const struct lb_dhcp4_lease other = {.initiator = "iqn.2026-11.test:me",
                                         .bootfile = "other.efi",
                                         .tftp_server = "tftp.example",
                                         .next_server = lb_addr_v4(192, 0, 2, 9),
                                         .vendor_specific = {1, 2},
                                         .vendor_specific_len = 2,
                                         .vendor_class = "PXEClient"};
    lb_dhcp4_lease_merge(&lease, &other);
    CHECK_STR(lease.initiator, "iqn.2026-11.test:me");
    CHECK_STR(lease.bootfile, "own.efi"); /* and not the other's server beside it */
    CHECK_STR(lease.tftp_server, "");
    CHECK(!lb_addr_is_set(lease.next_server));
    CHECK_EQ(lease.vendor_specific_len, 2);
    CHECK_EQ(lease.vendor_specific[1], 2);
    CHECK_STR(lease.vendor_class, "PXEClient");
    lease = (struct lb_dhcp4_lease){
        .initiator = "own", .vendor_specific = {7}, .vendor_specific_len = 1};
    lb_dhcp4_lease_merge(&lease, &other);
    CHECK_STR(lease.initiator, "own");
    CHECK_STR(lease.bootfile, "other.efi");
    CHECK_STR(lease.tftp_server, "tftp.example");
    CHECK_ADDR(lease.next_server, "192.0.2.9");
    CHECK_EQ(lease.vendor_specific_len, 1);
    CHECK_EQ(lease.vendor_specific[0], 7);
    CHECK_STR(lease.vendor_class, "");
}

static void discovery_servers_that_an_offer_lacks_are_taken_from_the_other(void) {
    struct lb_dhcp4_lease lease = {0};
    const struct lb_dhcp4_lease other = {.slp_da_mandatory = true,
                                         .slp_scope_mandatory = true,
                                         .slp_da = {lb_addr_v4(192, 0, 2, 3)},
                                         .slp_da_count = 1,
                                         .slp_scopes = "storage",
                                         .isns_server = lb_addr_v4(192, 0, 2, 4),
                                         .isns_backup = lb_addr_v4(192, 0, 2, 5),
                                         .isns_functions = 1,
                                         .isns_dd_access = 2,
                                         .isns_admin_flags = 3,
                                         .isns_security = 4};
    lb_dhcp4_lease_merge(&lease, &other);
    CHECK(lease.slp_da_mandatory && lease.slp_scope_mandatory);
    CHECK_EQ(lease.slp_da_count, 1);
    CHECK_ADDR(lease.slp_da[0], "192.0.2.3");
    CHECK_STR(lease.slp_scopes, "storage");
    CHECK_ADDR(lease.isns_server, "192.0.2.4");
    CHECK_ADDR(lease.isns_backup, "192.0.2.5");
    CHECK_EQ(lease.isns_functions, 1);
    CHECK_EQ(lease.isns_dd_access, 2);
    CHECK_EQ(lease.isns_admin_flags, 3);
    CHECK_EQ(lease.isns_security, 4);
    lease = (struct lb_dhcp4_lease){.slp_scopes = "own", .isns_server = lb_addr_v4(192, 0, 2, 8)};
    lb_dhcp4_lease_merge(&lease, &other);
    CHECK_STR(lease.slp_scopes, "own");
    CHECK_EQ(lease.slp_da_count, 0);
    CHECK(!lease.slp_scope_mandatory);
    CHECK_ADDR(lease.isns_server, "192.0.2.8");
    CHECK(!lb_addr_is_set(lease.isns_backup));
    CHECK_EQ(lease.isns_functions, 0);
}

static void a_root_path_of_the_address_server_is_not_replaced_by_a_proxy(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, .root_path = "iscsi:proxy"));
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(GIVE(LB_DHCP4_ACK, ISCSI));
    CHECK_ADDR(t.client.lease.root_path_from, "192.0.2.1");
    CHECK_BYTES(lb_bytes(t.client.lease.root_path, t.client.lease.root_path_len),
                lb_bytes_of_text(TEST_ROOT_PATH));
}

static void a_proxy_alone_gives_no_address(void) {
    start((struct lb_dhcp4_config){.give_up_ms = 10000});
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK_STATE("SELECTING");
    clear_seen();
    advance_to(t.until);
    CHECK_EQ(t.sent.type, LB_DHCP4_DISCOVER); /* still asked for */
    while (t.client.state != LB_DHCP4_STOPPED)
        advance_to(t.until);
    CHECK_EQ(t.client.error.code, LB_E_DHCP_NO_OFFER);
    CHECK_HAS(t.client.error.facts, "192.0.2.7");
}

/* ---- a dry run ---- */

static void a_dry_run_collects_all_offers_and_takes_none(void) {
    start((struct lb_dhcp4_config){.offers_only = true, .offer_wait_ms = 1000});
    CHECK(!has(LB_OPT_RAPID_COMMIT)); /* it would take a lease */
    clear_seen();
    uint64_t first = t.now;
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 2)));
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK(!GIVE(LB_DHCP4_ACK, .rapid_commit = true, .server = v4(192, 0, 2, 3)));
    CHECK_EQ(seen.offers, 0);
    advance_to(t.until);
    CHECK_EQ(t.now, first + SEC);
    CHECK_STATE("STOPPED");
    CHECK_EQ(seen.offers, 1);
    CHECK_EQ(seen.sends, 0);
    CHECK_EQ(t.client.offer_count, 2);
    CHECK(t.client.has_proxy);
    CHECK_EQ(t.until, LB_NEVER);
}

static void a_dry_run_shows_offers_with_what_a_proxy_adds(void) {
    start((struct lb_dhcp4_config){.offers_only = true});
    CHECK(GIVE(LB_DHCP4_OFFER));
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    advance_to(t.until);
    CHECK_EQ(t.client.offer_count, 1);
    CHECK(t.client.offers[0].root_path_len > 0);
    CHECK(lb_addr_equal(t.client.offers[0].root_path_from, t.client.proxy.server));
}

static void a_dry_run_ends_with_a_proxy_alone_too(void) {
    start((struct lb_dhcp4_config){.offers_only = true});
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    advance_to(t.until);
    CHECK_EQ(seen.offers, 1);
    CHECK_EQ(t.client.offer_count, 0);
}

static void discover_is_not_repeated_once_it_was_answered(void) {
    start((struct lb_dhcp4_config){.offer_wait_ms = 20000});
    CHECK(GIVE(LB_DHCP4_OFFER));
    clear_seen();
    advance(19 * SEC);
    CHECK_EQ(seen.sends, 0);
}

static void rapid_commit_in_an_offer_means_nothing(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, .rapid_commit = true, ISCSI));
    CHECK_STATE("REQUESTING");
}

static void of_two_proxies_the_first_with_a_root_path_counts(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_OFFER, .yiaddr = {.family = LB_V4}, .server = v4(192, 0, 2, 6)));
    CHECK(GIVE(LB_DHCP4_OFFER, PROXY, ISCSI));
    CHECK(GIVE(LB_DHCP4_OFFER, .yiaddr = {.family = LB_V4}, .server = v4(192, 0, 2, 8),
               .root_path = "iscsi:late"));
    CHECK_ADDR(t.client.proxy.server, "192.0.2.7");
}

/* Wherever the worst stands, it is the one that leaves. */
static void the_worst_offer_makes_room_for_a_better_one(void) {
    for (uint8_t worst = 0; worst < LB_DHCP4_OFFERS_MAX; worst++) {
        static struct lb_dhcp4_client client;
        struct lb_dhcp4_lease offer = {.rapid_commit = true};
        memset(&client, 0, sizeof client);
        for (uint8_t i = 0; i < LB_DHCP4_OFFERS_MAX; i++) {
            offer.server = v4(192, 0, 2, (uint8_t)(10 + i));
            offer.rapid_commit = i != worst;
            CHECK(lb_dhcp4_offers_add(&client, &offer));
        }
        offer.server = v4(192, 0, 2, 50);
        offer.rapid_commit = false;
        CHECK(!lb_dhcp4_offers_add(&client, &offer)); /* no better than the worst */
        offer.rapid_commit = true;
        CHECK(lb_dhcp4_offers_add(&client, &offer));
        CHECK_EQ(client.offer_count, LB_DHCP4_OFFERS_MAX);
        for (uint8_t i = 0; i < LB_DHCP4_OFFERS_MAX; i++)
            CHECK_EQ(client.offers[i].server.bytes[3], i == worst ? 50 : 10 + i);
    }
}

int main(void) {
    TEST(another_server_is_preferred_to_one_that_refused);
    TEST(another_server_is_preferred_to_one_that_gave_no_ack);
    TEST(a_server_that_has_kept_its_word_since_is_not_waited_beside);
    TEST(a_good_first_offer_ends_the_wait);
    TEST(an_offer_without_a_root_path_waits_for_a_better_one);
    TEST(the_best_offer_is_taken_when_the_wait_is_over);
    TEST(of_equal_offers_the_first_is_taken);
    TEST(more_servers_than_we_compare_do_not_crowd_out_a_better_one);
    TEST(a_repeated_offer_replaces_the_first);
    TEST(offers_are_ranked_for_a_boot);
    TEST(a_rapid_commit_ack_saves_a_round_trip);
    TEST(an_ack_to_discover_without_rapid_commit_is_ignored);
    TEST(a_rapid_commit_without_a_root_path_waits_for_a_better_offer);
    TEST(a_rapid_commit_that_was_kept_too_long_is_asked_for_anew);
    TEST(a_late_rapid_commit_is_ignored_once_an_offer_was_taken);
    TEST(a_bootp_server_gives_an_address_for_ever_and_nothing_is_sent_back);
    TEST(a_dhcp_server_is_preferred_to_a_bootp_server);
    TEST(a_conflict_over_a_bootp_address_is_not_declined);
    TEST(bootp_can_be_switched_off);
    TEST(asking_by_bootp_sends_no_message_type_and_takes_no_dhcp_answer);
    TEST(a_proxy_offer_completes_an_offer_without_a_root_path);
    TEST(a_proxy_offer_may_come_second);
    TEST(a_proxy_offer_that_comes_before_the_ack_still_counts);
    TEST(each_group_that_an_offer_lacks_is_taken_whole_from_the_other);
    TEST(discovery_servers_that_an_offer_lacks_are_taken_from_the_other);
    TEST(a_root_path_of_the_address_server_is_not_replaced_by_a_proxy);
    TEST(a_proxy_alone_gives_no_address);
    TEST(a_dry_run_collects_all_offers_and_takes_none);
    TEST(a_dry_run_shows_offers_with_what_a_proxy_adds);
    TEST(a_dry_run_ends_with_a_proxy_alone_too);
    TEST(discover_is_not_repeated_once_it_was_answered);
    TEST(rapid_commit_in_an_offer_means_nothing);
    TEST(of_two_proxies_the_first_with_a_root_path_counts);
    TEST(the_worst_offer_makes_room_for_a_better_one);
    return tap_done();
}
