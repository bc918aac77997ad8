/* The list of candidates: its order, its bound, what is merged, what is refused, and what is told
 * when all have failed. Without an engine. */
#include "core/boot/candidates.h"
#include "core/boot/test_stage.h"

#define TARGET "iqn.2026-11.test:disk"

static struct lb_rand rand_;
static struct lb_trace trace;
static struct lb_common common;
static struct lb_network network;
static struct lb_candidates candidates;
static struct lb_choice choice;
static uint8_t ring[1 << 14];

/* What is wanted is the choice. */
static void look_for_choice(void) {
    lb_candidates_begin(&candidates, &choice);
}

static void begin(const char *wanted) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {7};
    memset(&network, 0, sizeof network);
    clear_plan();
    lb_rand_init(&rand_, seed);
    lb_trace_init(&trace, 1, lb_span(ring, sizeof ring));
    common = (struct lb_common){.plan = &plan, .rand = &rand_, .trace = &trace};
    lb_candidates_init(&candidates, &common, &network);
    choice = (struct lb_choice){.from_network = true};
    lb_text_copy(choice.target.target, sizeof choice.target.target, lb_bytes_of_text(wanted));
    look_for_choice();
}

static struct lb_candidate at(enum lb_service service, uint8_t last, uint16_t port) {
    struct lb_candidate candidate = {
        .service = service,
        .source = "a test",
        .at = {.host = LB_HOST_ADDR, .addr = lb_addr_v4(192, 0, 2, last), .port = port},
        .portal_group = -1,
    };
    lb_text_copy(candidate.at.target, sizeof candidate.at.target, lb_bytes_of_text(TARGET));
    return candidate;
}

static struct lb_candidate of_target(const char *target, uint8_t last) {
    struct lb_candidate candidate = at(LB_BY_SLP, last, 3260);
    lb_text_copy(candidate.at.target, sizeof candidate.at.target, lb_bytes_of_text(target));
    return candidate;
}

static void add(struct lb_candidate candidate) {
    lb_candidates_add(&candidates, 1, &candidate);
}

static const struct lb_candidate *nth(size_t n) {
    lb_assert(n < candidates.count);
    return &candidates.list[n];
}

static size_t count(void) {
    return candidates.count;
}

static unsigned last_octet(size_t n) {
    return nth(n)->at.addr.bytes[3];
}

static void fail_current(enum lb_code code, const char *facts) {
    struct lb_error why = {.code = LB_OK};
    lb_fail(&why, code, "%s", facts);
    CHECK(lb_candidates_failed(&candidates, &why));
}

/* ---- order ---------------------------------------------------------------------------------- */

static void the_services_are_preferred_as_configured(void) {
    begin(TARGET);
    set("discovery", "isns,sendtargets,slp");
    add(at(LB_BY_SLP, 1, 3260));
    add(at(LB_BY_SENDTARGETS, 2, 3260));
    add(at(LB_BY_ISNS, 3, 3260));
    CHECK_EQ(last_octet(0), 3);
    CHECK_EQ(last_octet(1), 2);
    CHECK_EQ(last_octet(2), 1);
}

static void what_is_named_for_booting_comes_before_what_was_merely_found(void) {
    begin("");
    struct lb_candidate listed = of_target("iqn.2026-11.test:boot", 9);
    listed.boot_list = true;
    add(of_target("iqn.2026-11.test:other", 1));
    add(listed);
    CHECK_EQ(last_octet(0), 9);
}

static void an_address_comes_before_a_name_that_is_yet_to_be_resolved(void) {
    begin(TARGET);
    struct lb_candidate named = at(LB_BY_SLP, 0, 3260);
    named.at.host = LB_HOST_NAME;
    named.at.addr = (struct lb_addr){0};
    lb_text_copy(named.at.name, sizeof named.at.name, lb_bytes_of_text("san.example.com"));
    add(named);
    add(at(LB_BY_SLP, 1, 3260));
    CHECK_EQ(last_octet(0), 1);
    CHECK_STR(nth(1)->at.name, "san.example.com");
}

static void an_address_of_the_preferred_family_comes_first(void) {
    for (unsigned is_6 = 0; is_6 < 2; is_6++) {
        begin(TARGET);
        set("prefer-family", is_6 ? "6" : "4");
        struct lb_candidate other = at(LB_BY_ISNS, 1, 3260);
        CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &other.at.addr));
        add(other);
        add(at(LB_BY_ISNS, 1, 3260));
        CHECK_EQ(nth(0)->at.addr.family, is_6 ? LB_V6 : LB_V4);
    }
}

static void an_address_of_a_family_that_we_do_not_have_comes_last(void) {
    begin(TARGET);
    network.is_set = true;
    network.net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 100), 24};
    struct lb_candidate other = at(LB_BY_ISNS, 1, 3260);
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &other.at.addr));
    for (uint8_t i = 1; i < 8; i++) {
        other.at.addr.bytes[15] = i;
        add(other);
    }
    add(at(LB_BY_ISNS, 1, 3260));
    CHECK_EQ(nth(0)->at.addr.family, LB_V4);
}

static void targets_keep_the_order_in_which_they_were_heard_of(void) {
    static const char *const targets[] = {"iqn.2026-11.test:c", "iqn.2026-11.test:a",
                                          "iqn.2026-11.test:b"};
    for (unsigned seed = 0; seed < 20; seed++) {
        begin("");
        for (size_t i = 0; i < 3; i++)
            add(of_target(targets[i], (uint8_t)(i + 1)));
        add(of_target(targets[0], 4)); /* a second portal of the first */
        CHECK_STR(nth(0)->at.target, targets[0]);
        CHECK_STR(nth(1)->at.target, targets[0]);
        CHECK_STR(nth(2)->at.target, targets[1]);
        CHECK_STR(nth(3)->at.target, targets[2]);
    }
}

static void portals_of_one_target_take_turns(void) {
    unsigned first[4] = {0};
    for (unsigned seed = 0; seed < 200; seed++) {
        begin(TARGET);
        uint8_t bytes[LB_RAND_SEED_BYTES] = {(uint8_t)seed, 1};
        lb_rand_init(&rand_, bytes);
        for (uint8_t i = 0; i < 4; i++)
            add(at(LB_BY_ISNS, i, 3260));
        first[last_octet(0)]++;
    }
    for (size_t i = 0; i < 4; i++)
        CHECK(first[i] > 20);
}

static void the_same_seed_gives_the_same_order(void) {
    unsigned before = 0;
    for (unsigned run = 0; run < 2; run++) {
        begin(TARGET);
        for (uint8_t i = 1; i < 9; i++)
            add(at(LB_BY_ISNS, i, 3260));
        CHECK(run == 0 || before == last_octet(0));
        before = last_octet(0);
    }
}

/* ---- the Root Path's other fields ----------------------------------------------------------- */

static void another_port_of_the_root_path_is_tried_after_the_services_own(void) {
    begin(TARGET);
    choice.target.port = 3261;
    look_for_choice();
    add(at(LB_BY_ISNS, 1, 3260));
    add(at(LB_BY_ISNS, 2, 3260));
    if (!CHECK_EQ(count(), 4))
        return;
    CHECK_EQ(nth(0)->at.port, 3260);
    CHECK_EQ(nth(1)->at.port, 3260);
    CHECK_EQ(nth(2)->at.port, 3261);
    CHECK(nth(2)->port_from_rootpath);
    CHECK(!nth(0)->port_from_rootpath);
}

static void the_same_port_is_no_conflict(void) {
    begin(TARGET);
    choice.target.port = 3261;
    look_for_choice();
    add(at(LB_BY_ISNS, 1, 3261));
    CHECK_EQ(count(), 1);
}

static void a_blank_port_is_3260(void) {
    begin(TARGET);
    choice.target.port = 3260;
    look_for_choice();
    add(at(LB_BY_SLP, 1, 0));
    CHECK_EQ(count(), 1);
}

static void a_persons_port_stands_above_the_services(void) {
    begin(TARGET);
    set("port", "3333");
    choice.target.port = 3333;
    look_for_choice();
    add(at(LB_BY_ISNS, 1, 3260));
    CHECK_EQ(count(), 1);
    CHECK_EQ(nth(0)->at.port, 3333);
}

static void the_lun_is_that_of_the_root_path(void) {
    begin(TARGET);
    choice.target.lun[1] = 5;
    look_for_choice();
    add(at(LB_BY_ISNS, 1, 3260));
    CHECK_EQ(nth(0)->at.lun[1], 5);
}

/* ---- the bound ------------------------------------------------------------------------------ */

static void of_ten_thousand_answers_the_right_one_is_kept(void) {
    begin("");
    for (unsigned i = 0; i < 10000; i++) {
        char name[64];
        lb_format(name, sizeof name, "iqn.2026-11.test:disk-%u", i);
        struct lb_candidate candidate = of_target(name, (uint8_t)(1 + i % 200));
        candidate.boot_list = i == 7777;
        add(candidate);
    }
    CHECK_EQ(candidates.count, LB_CANDIDATES_MAX);
    CHECK_EQ(candidates.dropped, 10000 - LB_CANDIDATES_MAX);
    CHECK_STR(nth(0)->at.target, "iqn.2026-11.test:disk-7777");
    CHECK_STR(nth(1)->at.target, "iqn.2026-11.test:disk-0");
}

static void what_is_refused_does_not_drive_out_what_is_allowed(void) {
    begin("");
    set("allow-target", "iqn.2026-11.test:mine");
    for (unsigned i = 0; i < 1000; i++) {
        char name[64];
        lb_format(name, sizeof name, "iqn.2026-11.test:disk-%u", i);
        add(of_target(name, 1));
    }
    add(of_target("iqn.2026-11.test:mine", 2));
    CHECK_STR(nth(0)->at.target, "iqn.2026-11.test:mine");
    CHECK_EQ(nth(0)->refused, LB_OK);
    CHECK_EQ(nth(1)->refused, LB_E_TARGET_NOT_ALLOWED);
    CHECK_EQ(count(), LB_CANDIDATES_MAX);
}

static void the_one_that_is_being_tried_stays(void) {
    begin("");
    add(of_target("iqn.2026-11.test:first", 1));
    CHECK(lb_candidates_next(&candidates, &choice));
    for (unsigned i = 0; i < 200; i++) {
        char name[64];
        lb_format(name, sizeof name, "iqn.2026-11.test:disk-%u", i);
        struct lb_candidate candidate = of_target(name, 2);
        candidate.boot_list = true; /* better than what is being tried */
        add(candidate);
    }
    fail_current(LB_E_CONNECT_REFUSED, "by a test");
    CHECK_STR(nth(LB_CANDIDATES_MAX - 1)->at.target, "iqn.2026-11.test:first");
    CHECK_EQ(nth(LB_CANDIDATES_MAX - 1)->failed.code, LB_E_CONNECT_REFUSED);
}

/* ---- twice the same ------------------------------------------------------------------------- */

static void two_services_that_know_the_same_portal_make_one_candidate(void) {
    begin(TARGET);
    set("discovery", "isns,slp");
    struct lb_candidate by_isns = at(LB_BY_ISNS, 1, 3260);
    by_isns.portal_group = 2;
    add(at(LB_BY_SLP, 1, 3260));
    add(by_isns);
    if (!CHECK_EQ(count(), 1))
        return;
    CHECK_EQ(nth(0)->service, LB_BY_ISNS);
    CHECK_EQ(nth(0)->portal_group, 2);
}

static void a_second_word_does_not_start_over_what_was_tried(void) {
    begin("");
    struct lb_candidate listed = at(LB_BY_ISNS, 1, 3260);
    listed.boot_list = true;
    add(at(LB_BY_SLP, 1, 3260));
    add(of_target("iqn.2026-11.test:other", 2));
    CHECK(lb_candidates_next(&candidates, &choice));
    add(listed);
    CHECK_EQ(count(), 2);
    CHECK_STR(lb_candidates_best(&candidates)->at.target, "iqn.2026-11.test:other");
    fail_current(LB_E_CONNECT_REFUSED, "by a test");
    CHECK_EQ(nth(0)->failed.code, LB_E_CONNECT_REFUSED); /* it was still known which one it is */
}

static void another_lun_or_port_is_another_candidate(void) {
    begin(TARGET);
    add(at(LB_BY_SLP, 1, 3260));
    add(at(LB_BY_SLP, 1, 3261));
    CHECK_EQ(count(), 2);
}

/* ---- policy --------------------------------------------------------------------------------- */

static void addresses_that_are_no_hosts_are_refused(void) {
    static const char *const addrs[] = {
        "127.0.0.1", "0.0.0.0", "239.255.255.253", "255.255.255.255",
        "::1",       "::",      "ff02::1",         "::ffff:127.0.0.1"};
    for (size_t i = 0; i < LB_COUNT(addrs); i++) {
        begin(TARGET);
        struct lb_candidate candidate = at(LB_BY_ISNS, 1, 3260);
        CHECK(lb_addr_parse(lb_bytes_of_text(addrs[i]), &candidate.at.addr));
        add(candidate);
        CHECK_EQ(nth(0)->refused, LB_E_SERVER_NOT_ALLOWED);
        CHECK(lb_candidates_best(&candidates) == NULL);
        CHECK_HAS(nth(0)->failed.facts, "named by a test");
    }
}

static void a_person_may_name_the_machine_itself(void) {
    begin(TARGET);
    struct lb_candidate candidate = at(LB_BY_CONFIG, 1, 3260);
    candidate.at.addr = lb_addr_v4(127, 0, 0, 1);
    add(candidate);
    CHECK_EQ(nth(0)->refused, LB_OK);
}

static void the_lists_hold_for_what_is_found(void) {
    begin("");
    set("allow-server", "198.51.100.0/24,192.0.2.7");
    add(at(LB_BY_ISNS, 1, 3260));
    add(at(LB_BY_ISNS, 7, 3260));
    CHECK_EQ(last_octet(0), 7);
    CHECK_EQ(nth(0)->refused, LB_OK);
    CHECK_EQ(nth(1)->refused, LB_E_SERVER_NOT_ALLOWED);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void fail_next(enum lb_code code, const char *facts) {
    CHECK(lb_candidates_next(&candidates, &choice));
    fail_current(code, facts);
}

static struct lb_error verdict(void) {
    struct lb_error error = {.code = LB_OK};
    lb_candidates_verdict(&candidates, &error);
    return error;
}

/* A person may name this machine itself; the network may not, also when its portal was tried
 * first. */
static void what_a_person_named_stays_a_persons_after_a_portal_of_the_network(void) {
    begin("");
    choice.from_network = false;
    choice.target.host = LB_HOST_ADDR;
    choice.target.addr = lb_addr_v4(127, 0, 0, 1);
    look_for_choice();
    add(at(LB_BY_SENDTARGETS, 2, 3260));
    fail_next(LB_E_CONNECT_TIMEOUT, "192.0.2.2:3260");
    CHECK(choice.from_network);
    struct lb_candidate local = at(LB_BY_SENDTARGETS, 0, 3261);
    local.at.addr = lb_addr_v4(127, 0, 0, 2);
    add(local);
    local.at.addr = candidates.wanted.addr;
    add(local);
    CHECK(lb_candidates_next(&candidates, &choice));
    CHECK_STR(lb_addr_text(choice.target.addr).s, "127.0.0.1");
    CHECK(!choice.from_network);
    CHECK(!lb_candidates_next(&candidates, &choice));
}

static void the_most_telling_failure_is_told_and_the_others_beside_it(void) {
    begin(TARGET);
    set("discovery", "isns,slp,sendtargets");
    add(at(LB_BY_ISNS, 1, 3260));
    add(at(LB_BY_SLP, 2, 3261));
    add(at(LB_BY_SENDTARGETS, 3, 3260));
    fail_next(LB_E_CONNECT_TIMEOUT, "192.0.2.1:3260");
    fail_next(LB_E_LUN_MISSING, "LUN 1 of the second");
    fail_next(LB_E_NOT_AUTHORISED, "the third");
    CHECK(!lb_candidates_next(&candidates, &choice));
    struct lb_error error = verdict();
    CHECK_EQ(error.code, LB_E_LUN_MISSING);
    CHECK_STR(error.facts, "LUN 1 of the second; also 192.0.2.1:3260 connect-timeout; "
                           "also 192.0.2.3:3260 not-authorised");
}

/* Each of these came further than the one before it. */
static void the_failure_that_came_furthest_is_told_whichever_came_first(void) {
    static const enum lb_code codes[] = {
        LB_E_NOT_OFFERED,     LB_E_RESOLVE,  LB_E_SERVER_NOT_ALLOWED, LB_E_IPSEC_SILENT,
        LB_E_CONNECT_REFUSED, LB_E_PROTOCOL, LB_E_NOT_AUTHORISED,     LB_E_LUN_MISSING};
    for (size_t i = 1; i < LB_COUNT(codes); i++) {
        for (size_t first = 0; first < 2; first++) {
            begin(TARGET);
            set("discovery", "isns,slp");
            add(at(LB_BY_ISNS, 1, 3260));
            add(at(LB_BY_SLP, 2, 3260));
            fail_next(codes[i - first], "one");
            fail_next(codes[i - 1 + first], "other");
            CHECK_EQ(verdict().code, codes[i]);
        }
    }
}

static void of_two_that_came_as_far_the_better_candidate_is_told(void) {
    begin(TARGET);
    set("discovery", "isns,slp");
    add(at(LB_BY_ISNS, 1, 3260));
    add(at(LB_BY_SLP, 2, 3260));
    fail_next(LB_E_CONNECT_TIMEOUT, "one");
    fail_next(LB_E_CONNECT_REFUSED, "other");
    CHECK_EQ(verdict().code, LB_E_CONNECT_TIMEOUT);
}

static void no_more_than_sixteen_are_tried_in_one_attempt(void) {
    begin(TARGET);
    for (uint8_t i = 1; i < 40; i++)
        add(at(LB_BY_SLP, i, 3260));
    for (unsigned i = 0; i < LB_BOOT_TRIES_MAX; i++)
        fail_next(LB_E_CONNECT_TIMEOUT, "dead");
    CHECK(lb_candidates_best(&candidates) == NULL);
    CHECK(!lb_candidates_next(&candidates, &choice));
    lb_candidates_clear(&candidates);
    add(at(LB_BY_SLP, 1, 3260));
    CHECK(lb_candidates_best(&candidates) != NULL); /* the next one begins anew */
}

static void another_attempt_makes_sense_where_one_failure_may_pass(void) {
    begin(TARGET);
    add(at(LB_BY_ISNS, 1, 3260));
    add(at(LB_BY_ISNS, 2, 3260));
    fail_next(LB_E_TARGET_REMOVED, "");
    CHECK(!lb_candidates_may_pass(&candidates));
    fail_next(LB_E_CONNECT_REFUSED, "");
    CHECK_EQ(verdict().code, LB_E_TARGET_REMOVED);
    CHECK(lb_candidates_may_pass(&candidates));
}

static void a_failure_without_a_candidate_is_its_own(void) {
    begin(TARGET);
    struct lb_error error = {.code = LB_E_DHCP_NO_OFFER};
    CHECK(!lb_candidates_failed(&candidates, &error));
    lb_candidates_verdict(&candidates, &error);
    CHECK_EQ(error.code, LB_E_DHCP_NO_OFFER);
}

static void one_is_sure_where_its_target_is_named_or_named_for_booting(void) {
    begin(TARGET);
    struct lb_candidate found = at(LB_BY_SLP, 1, 3260);
    CHECK(lb_candidates_is_sure(&candidates, &found));
    begin("");
    CHECK(!lb_candidates_is_sure(&candidates, &found));
    found.boot_list = true;
    CHECK(lb_candidates_is_sure(&candidates, &found));
    found = at(LB_BY_SENDTARGETS, 1, 3260);
    CHECK(lb_candidates_is_sure(&candidates, &found));
    found = at(LB_BY_SLP, 1, 3260);
    set("allow-target", TARGET);
    CHECK(lb_candidates_is_sure(&candidates, &found));
}

static void who_named_the_one_that_is_tried_is_known_until_it_has_failed(void) {
    begin(TARGET);
    struct lb_candidate found = at(LB_BY_ISNS, 1, 3260);
    found.servers.isns = lb_addr_v4(192, 0, 2, 9);
    add(found);
    CHECK(!lb_addr_is_set(lb_candidates_servers(&candidates).isns));
    CHECK(lb_candidates_next(&candidates, &choice));
    CHECK_STR(lb_addr_text(lb_candidates_servers(&candidates).isns).s, "192.0.2.9");
    fail_current(LB_E_CONNECT_REFUSED, "by a test");
    CHECK(!lb_addr_is_set(lb_candidates_servers(&candidates).isns));
}

static void none_that_is_tried_has_no_servers_in_a_full_list_either(void) {
    begin(TARGET);
    for (unsigned i = 0; i < LB_CANDIDATES_MAX; i++)
        add(at(LB_BY_ISNS, (uint8_t)(i + 1), 3260));
    CHECK_EQ(candidates.count, LB_CANDIDATES_MAX);
    const struct lb_boot_servers none = {0};
    struct lb_boot_servers servers = lb_candidates_servers(&candidates);
    CHECK(memcmp(&servers, &none, sizeof none) == 0);
}

int main(void) {
    TEST(none_that_is_tried_has_no_servers_in_a_full_list_either);
    TEST(the_services_are_preferred_as_configured);
    TEST(what_is_named_for_booting_comes_before_what_was_merely_found);
    TEST(an_address_comes_before_a_name_that_is_yet_to_be_resolved);
    TEST(an_address_of_the_preferred_family_comes_first);
    TEST(an_address_of_a_family_that_we_do_not_have_comes_last);
    TEST(targets_keep_the_order_in_which_they_were_heard_of);
    TEST(portals_of_one_target_take_turns);
    TEST(the_same_seed_gives_the_same_order);
    TEST(another_port_of_the_root_path_is_tried_after_the_services_own);
    TEST(the_same_port_is_no_conflict);
    TEST(a_blank_port_is_3260);
    TEST(a_persons_port_stands_above_the_services);
    TEST(the_lun_is_that_of_the_root_path);
    TEST(of_ten_thousand_answers_the_right_one_is_kept);
    TEST(what_is_refused_does_not_drive_out_what_is_allowed);
    TEST(the_one_that_is_being_tried_stays);
    TEST(two_services_that_know_the_same_portal_make_one_candidate);
    TEST(a_second_word_does_not_start_over_what_was_tried);
    TEST(another_lun_or_port_is_another_candidate);
    TEST(addresses_that_are_no_hosts_are_refused);
    TEST(a_person_may_name_the_machine_itself);
    TEST(the_lists_hold_for_what_is_found);
    TEST(what_a_person_named_stays_a_persons_after_a_portal_of_the_network);
    TEST(the_most_telling_failure_is_told_and_the_others_beside_it);
    TEST(the_failure_that_came_furthest_is_told_whichever_came_first);
    TEST(of_two_that_came_as_far_the_better_candidate_is_told);
    TEST(no_more_than_sixteen_are_tried_in_one_attempt);
    TEST(another_attempt_makes_sense_where_one_failure_may_pass);
    TEST(a_failure_without_a_candidate_is_its_own);
    TEST(one_is_sure_where_its_target_is_named_or_named_for_booting);
    TEST(who_named_the_one_that_is_tried_is_known_until_it_has_failed);
    return tap_done();
}
