/* The DHCPv6 client: how it keeps a lease, and how it ends. */
#include "core/dhcp6/test_dhcp6_client.h"

/* ---- what it says ---- */

/* In a vendor's option, as DHCPv4's 17 or 201, and among the parameters of a boot file. */
static void a_disk_that_is_named_elsewhere_is_noted(void) {
    static const struct {
        const char *hex, *where;
    } cases[] = {
        {"0011 0013 00000009 0011 000b 69736373693a3a3a3a3a78", "option 17 (of a vendor)"},
        {"0011 0013 00000009 00c9 000b 49534353493a3a3a3a3a78", "option 17 (of a vendor)"},
        {"0011 0013 00000009 0011 00ff 69736373693a3a3a3a3a78", NULL}, /* not whole */
        {"003c 000d 000b 69736373693a3a3a3a3a78", "option 60 (boot file parameters)"},
        {"003c 000d 000b 6e657473693a3a3a3a3a78", NULL},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        reach_requesting((struct lb_dhcp6_config){.no_probe = true});
        CHECK(GIVE(LB_DHCP6_REPLY, .options = tap_hex(cases[i].hex)));
        const char *where = t.client.lease.elsewhere;
        CHECK_STR(where == NULL ? "" : where, cases[i].where == NULL ? "" : cases[i].where);
    }
}

static void of_a_disk_that_is_named_elsewhere_100_bytes_are_shown(void) {
    for (size_t len = 99; len <= 101; len++) {
        uint8_t option[6 + 101] = {0, 0x3c, 0, (uint8_t)(len + 2), 0, (uint8_t)len};
        char shown[120];
        memset(option + 6, 'x', len);
        memcpy(option + 6, "iscsi:", 6);
        lb_text_copy(shown, sizeof shown, lb_bytes(option + 6, LB_MIN(len, 100)));
        reach_requesting((struct lb_dhcp6_config){.no_probe = true});
        CHECK(GIVE(LB_DHCP6_REPLY, .options = lb_bytes(option, 6 + len)));
        CHECK_STR(t.client.lease.elsewhere_text, shown);
    }
}

/* ---- renewing ---- */

static void at_t1_the_lease_is_renewed_with_its_server(void) {
    reach_bound((struct made){ISCSI});
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    CHECK_SENT("Renew");
    CHECK(is_sent_to(1));
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(asks_for(LB_OPT6_BOOT_URL));
    CHECK(!GIVE(LB_DHCP6_REPLY, .server = 2));
    CHECK(GIVE(LB_DHCP6_REPLY, .root_path = "iscsi:new"));
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(seen.probes, 0);
    CHECK_EQ(t.client.lease.root_path_len, 9);
    CHECK_EQ(t.until - t.now, 1800 * SEC);
}

static void at_t2_any_server_is_asked(void) {
    reach_bound((struct made){0});
    advance(2880 * SEC);
    CHECK_STATE("REBINDING");
    CHECK_SENT("Rebind");
    CHECK(!has(LB_OPT6_SERVER_ID));
    CHECK(GIVE(LB_DHCP6_REPLY, .server = 2));
    CHECK_STATE("BOUND");
    advance_to(t.until);
    CHECK(is_sent_to(2));
}

static void when_the_addresses_run_out_they_are_lost(void) {
    reach_bound((struct made){0});
    while (seen.losts == 0 && t.now < 9000 * SEC)
        advance_to(t.until);
    CHECK_EQ(t.now, (1000 + 7200) * SEC);
    CHECK_STATE("SOLICITING");
    CHECK(!t.client.has_lease);
}

static void one_of_two_addresses_may_end_before_the_other(void) {
    uint8_t room[64];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    reach_requesting((struct lb_dhcp6_config){.no_probe = true});
    size_t opened = lb_dhcp6_open_ia(&wr, TEST_IAID, 0, 0);
    lb_dhcp6_put_iaaddr(&wr, v6("2001:db8::1:1"), 100, 100);
    lb_dhcp6_close(&wr, opened);
    /* The first IA_NA with our IAID counts, so the one made here has to be the only one. */
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true, .options = lb_wr_done(&wr)));
    advance_to(t.until);
    CHECK_STATE("RENEWING");
    clear_seen();
    CHECK(GIVE(LB_DHCP6_REPLY, .addr = "2001:db8::1:2"));
    CHECK_EQ(t.client.lease.addr_count, 2); /* RFC 8415 18.2.10.1: what is not named stays */
    clear_seen();
    advance(51 * SEC);
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(seen.losts, 0);
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_ADDR(t.client.lease.addrs[0].addr, "2001:db8::1:2");
}

static void an_address_with_no_lifetime_left_is_given_up(void) {
    reach_bound((struct made){0});
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .is_over = true, .addr2 = "2001:db8::200"));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_ADDR(t.client.lease.addrs[0].addr, "2001:db8::200");
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .addr = "2001:db8::200", .is_over = true));
    CHECK_EQ(seen.losts, 1);
    CHECK_STATE("SOLICITING");
}

static void a_new_address_at_renewal_is_probed(void) {
    reach_bound((struct made){0});
    t.client.config.no_probe = false;
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .addr2 = "2001:db8::200"));
    CHECK_STATE("CHECKING");
    CHECK_EQ(seen.probes, 1);
    CHECK_ADDR(t.probes[0], "2001:db8::200");
    answer_probe("2001:db8::200", true);
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.addr_count, 1);
    CHECK_EQ(seen.losts, 0);
}

static void a_conflict_of_the_old_address_counts_while_a_new_one_is_checked(void) {
    reach_bound((struct made){0});
    t.client.config.no_probe = false;
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .addr2 = "2001:db8::200"));
    CHECK_STATE("CHECKING");
    answer_probe("2001:db8::100", true);
    CHECK_STATE("DECLINING");
    CHECK_SENT("Decline");
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK_EQ(seen.losts, 1);
    CHECK(!t.client.has_lease);
    answer_probe("2001:db8::200", false); /* of what is not checked any more */
    CHECK(GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK_STATE("SOLICITING");
}

static void no_binding_makes_us_request_the_same_again(void) {
    reach_bound((struct made){0});
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NO_BINDING));
    CHECK_STATE("REQUESTING");
    CHECK_SENT("Request");
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(is_sent_to(1));
    CHECK_EQ(seen.losts, 0);
    CHECK(GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.probes, 0);
}

static void a_forgotten_lease_that_nobody_requests_again_is_rebound(void) {
    reach_bound((struct made){0});
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NO_BINDING));
    while (t.client.state == LB_DHCP6_REQUESTING)
        advance_to(t.until);
    CHECK_STATE("REBINDING");
    CHECK(t.client.has_lease);
}

static void a_renewal_that_says_nothing_of_our_addresses_is_ignored(void) {
    reach_bound((struct made){0});
    advance_to(t.until);
    CHECK(!GIVE(LB_DHCP6_REPLY, .no_ia = true));
    CHECK(!GIVE(LB_DHCP6_REPLY, .no_addr = true));
    CHECK(!GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_UNSPEC_FAIL));
    CHECK_STATE("RENEWING");
}

static void not_on_link_at_renewal_ends_the_lease(void) {
    reach_bound((struct made){0});
    advance_to(t.until);
    CHECK(GIVE(LB_DHCP6_REPLY, .ia_status = LB_DHCP6_NOT_ON_LINK));
    CHECK_EQ(seen.losts, 1);
}

/* ---- the link comes back; asking before time ---- */

static void link_up_confirms_the_addresses(void) {
    reach_bound((struct made){0});
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("CONFIRMING");
    CHECK_SENT("Confirm");
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK(!has(LB_OPT6_SERVER_ID));
    CHECK(!has(LB_OPT6_ORO));
    CHECK(GIVE(LB_DHCP6_REPLY, .server = 2, .no_ia = true));
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.losts, 0);
}

static void not_on_link_after_link_up_starts_anew(void) {
    reach_bound((struct made){0});
    lb_dhcp6_client_link_up(&t.client, t.now);
    CHECK(!GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_UNSPEC_FAIL, .no_ia = true));
    CHECK(GIVE(LB_DHCP6_REPLY, .status = LB_DHCP6_NOT_ON_LINK, .no_ia = true));
    CHECK_EQ(seen.losts, 1);
    CHECK_STATE("SOLICITING");
}

static void when_nobody_confirms_the_lease_is_kept(void) {
    reach_bound((struct made){0});
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 1);
    advance(10 * SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.losts, 0);
}

static void link_up_while_asking_asks_at_once(void) {
    start((struct lb_dhcp6_config){0});
    advance(SEC / 2);
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 2);
    CHECK_STATE("SOLICITING");
    CHECK(GIVE(LB_DHCP6_ADVERTISE, ISCSI));
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_STATE("SOLICITING");
}

static void link_up_while_probing_probes_again(void) {
    reach_checking();
    lb_dhcp6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.probes, 2);
    answer_probe("2001:db8::100", false);
    CHECK_STATE("BOUND");
}

static void confirm_renews_before_its_time_and_does_not_insist(void) {
    reach_bound((struct made){0});
    lb_dhcp6_client_confirm(&t.client, t.now);
    run();
    CHECK_STATE("RENEWING");
    CHECK_SENT("Renew");
    CHECK(GIVE(LB_DHCP6_REPLY, .root_path = "iscsi:other"));
    CHECK_EQ(seen.gots, 1);
    lb_dhcp6_client_confirm(&t.client, t.now);
    run();
    advance(3 * SEC);
    CHECK_STATE("BOUND");
    CHECK_EQ(seen.losts, 0);
    CHECK_EQ(seen.gots, 1);
}

static void confirm_without_a_lease_does_nothing(void) {
    start((struct lb_dhcp6_config){0});
    lb_dhcp6_client_confirm(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 1);
    CHECK_STATE("SOLICITING");
}

/* ---- the end ---- */

static void a_release_is_sent_once_and_then_nothing(void) {
    reach_bound((struct made){0});
    lb_dhcp6_client_release(&t.client, t.now);
    run();
    CHECK_STATE("STOPPED");
    CHECK_SENT("Release");
    CHECK(is_sent_to(1));
    CHECK_STR(sent_addrs(), "2001:db8::100");
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(t.until, LB_NEVER);
    CHECK(!GIVE(LB_DHCP6_REPLY, ISCSI));
}

static void without_a_lease_there_is_nothing_to_release(void) {
    start((struct lb_dhcp6_config){0});
    lb_dhcp6_client_release(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 1);
    CHECK_STATE("STOPPED");
}

static void fail_after(enum lb_code code, const char *facts) {
    while (seen.failures == 0 && t.now < 2000 * SEC)
        advance_to(t.until);
    CHECK_EQ(seen.failures, 1);
    CHECK_EQ(t.client.error.code, code);
    CHECK_HAS(t.client.error.facts, facts);
    CHECK_STATE("STOPPED");
}

static void silence_is_given_up_after_its_time(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    start(config);
    fail_after(LB_E_DHCP6_NO_ANSWER, "in 20 s");
    CHECK_EQ(t.now, 1020 * SEC);
}

static void noise_is_mentioned_when_nobody_answered(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    start(config);
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .xid = t.client.xid ^ 1));
    fail_after(LB_E_DHCP6_NO_ANSWER, "1 datagrams ignored, the last: another transaction");
}

/* RFC 8415 16.3: they are discarded, and that is another fault than silence. */
static void answers_that_cannot_be_used_are_not_silence(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    start(config);
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .other_client = true));
    fail_after(LB_E_DHCP6_UNUSABLE, "1 answer, the last from fe80::1: another client's");
}

static void a_server_without_addresses_is_quoted(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    start(config);
    CHECK(!GIVE(LB_DHCP6_ADVERTISE, .status = LB_DHCP6_NO_ADDRS_AVAIL, .no_ia = true));
    fail_after(LB_E_DHCP6_REFUSED, "NoAddrsAvail no\\x0away");
}

static void an_advertise_that_is_never_confirmed_is_told(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    reach_requesting(config);
    fail_after(LB_E_DHCP6_NO_REPLY, "fe80::1");
}

static void addresses_that_others_have_again_and_again_are_told(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    start(config);
    CHECK(GIVE(LB_DHCP6_REPLY, .rapid_commit = true, ISCSI));
    answer_probe("2001:db8::100", true);
    fail_after(LB_E_ADDRESS_CONFLICT, "2001:db8::100, offered by fe80::1");
}

static void a_lease_that_ran_out_is_told(void) {
    struct lb_dhcp6_config config = {.give_up_ms = 20000};
    reach_bound_as(config, (struct made){.valid_s = 100, .preferred_s = 100});
    fail_after(LB_E_DHCP6_EXPIRED, "2001:db8::100; nobody answered for 20 s");
    CHECK_EQ(seen.losts, 1);
}

/* ---- a dry run ---- */

static void a_dry_run_collects_and_takes_nothing(void) {
    start((struct lb_dhcp6_config){.offers_only = true, .offer_wait_ms = 500});
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 1, ISCSI));
    CHECK(GIVE(LB_DHCP6_ADVERTISE, .server = 2, .preference = 255));
    CHECK_STATE("SOLICITING");
    advance(500 * LB_US_MS);
    CHECK_EQ(seen.offers, 1);
    CHECK_EQ(t.client.offer_count, 2);
    CHECK_EQ(seen.sends, 1);
    CHECK_STATE("STOPPED");
}

int main(void) {
    TEST(a_disk_that_is_named_elsewhere_is_noted);
    TEST(of_a_disk_that_is_named_elsewhere_100_bytes_are_shown);
    TEST(at_t1_the_lease_is_renewed_with_its_server);
    TEST(at_t2_any_server_is_asked);
    TEST(when_the_addresses_run_out_they_are_lost);
    TEST(one_of_two_addresses_may_end_before_the_other);
    TEST(an_address_with_no_lifetime_left_is_given_up);
    TEST(a_new_address_at_renewal_is_probed);
    TEST(a_conflict_of_the_old_address_counts_while_a_new_one_is_checked);
    TEST(no_binding_makes_us_request_the_same_again);
    TEST(a_forgotten_lease_that_nobody_requests_again_is_rebound);
    TEST(a_renewal_that_says_nothing_of_our_addresses_is_ignored);
    TEST(not_on_link_at_renewal_ends_the_lease);
    TEST(link_up_confirms_the_addresses);
    TEST(not_on_link_after_link_up_starts_anew);
    TEST(when_nobody_confirms_the_lease_is_kept);
    TEST(link_up_while_asking_asks_at_once);
    TEST(link_up_while_probing_probes_again);
    TEST(confirm_renews_before_its_time_and_does_not_insist);
    TEST(confirm_without_a_lease_does_nothing);
    TEST(a_release_is_sent_once_and_then_nothing);
    TEST(without_a_lease_there_is_nothing_to_release);
    TEST(silence_is_given_up_after_its_time);
    TEST(noise_is_mentioned_when_nobody_answered);
    TEST(answers_that_cannot_be_used_are_not_silence);
    TEST(a_server_without_addresses_is_quoted);
    TEST(an_advertise_that_is_never_confirmed_is_told);
    TEST(addresses_that_others_have_again_and_again_are_told);
    TEST(a_lease_that_ran_out_is_told);
    TEST(a_dry_run_collects_and_takes_nothing);
    return tap_done();
}
