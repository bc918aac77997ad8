/* The DHCPv6 server: each request, with the client's messages made by hand. */
#include "core/dhcp6/test_dhcp6.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

static struct {
    struct lb_dhcp6_server server;
    struct lb_binding bindings[3];
    uint64_t now;
    uint8_t room[LB_DHCP6_PACKET_MAX], request[LB_DHCP6_PACKET_MAX];
    struct lb_dhcp6_reply reply;
    struct lb_dhcp6_message message; /* the reply, decoded */
    struct lb_dhcp6_ia ia, second; /* the reply's IA_NAs of the IAID that was asked, and the next */
    bool has_ia, has_second;
} t;

static struct lb_dhcp6_server_config usual(void) {
    return (struct lb_dhcp6_server_config){
        .duid = test_server_duid(1),
        .network = {.addr = v6("2001:db8::"), .len = 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::1ff"),
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
    };
}

static void start(struct lb_dhcp6_server_config config) {
    memset(&t, 0, sizeof t);
    t.now = 1000 * SEC;
    lb_dhcp6_server_init(&t.server, &config, t.bindings, LB_COUNT(t.bindings));
}

/* A client's message to order. */
struct asked {
    uint8_t type, client; /* which one: 0 is 1 */
    uint8_t server;       /* 0: none */
    bool no_client_id, no_ia, rapid_commit, no_wishes, reconf_accept;
    uint32_t iaid; /* 0: 1 */
    const char *addr;
    uint32_t more;   /* IAs with numbers from 50 on, behind all others */
    bool has_second; /* an IA with the next number */
    const char *second_addr;
};

static void add_ia(struct lb_wr *wr, uint32_t iaid, const char *addr) {
    size_t opened = lb_dhcp6_open_ia(wr, iaid, 0, 0);
    if (addr)
        lb_dhcp6_put_iaaddr(wr, v6(addr), 0, 0);
    lb_dhcp6_close(wr, opened);
}

static bool ask_as(struct asked asked) {
    struct lb_wr wr = lb_wr(lb_span(t.request, sizeof t.request));
    struct lb_duid client = test_server_duid((uint8_t)(100 + asked.client));
    struct lb_duid server = test_server_duid(asked.server);
    const char *why;
    lb_dhcp6_put_header(&wr, asked.type, 0x123456);
    if (!asked.no_client_id)
        lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    if (asked.server)
        lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    uint32_t iaid = asked.iaid ? asked.iaid : 1;
    if (!asked.no_ia)
        add_ia(&wr, iaid, asked.addr);
    if (asked.has_second)
        add_ia(&wr, iaid + 1, asked.second_addr);
    for (uint32_t i = 0; i < asked.more; i++)
        add_ia(&wr, 50 + i, "2001:db8:1::1");
    if (asked.rapid_commit)
        lb_dhcp6_put(&wr, LB_OPT6_RAPID_COMMIT, lb_bytes(t.room, 0));
    if (asked.reconf_accept)
        lb_dhcp6_put(&wr, LB_OPT6_RECONF_ACCEPT, lb_bytes(t.room, 0));
    if (!asked.no_wishes)
        lb_dhcp6_put(&wr, LB_OPT6_ORO, tap_hex("0017 0018 003b 003c 0020 0052"));
    struct lb_endpoint from = {.addr = v6("fe80::2"), .port = 546};
    t.reply = lb_dhcp6_server_input(&t.server, t.now, from, lb_wr_done(&wr),
                                    lb_span(t.room, sizeof t.room));
    if (t.reply.bytes.len == 0)
        return false;
    CHECK(lb_dhcp6_decode(t.reply.bytes, &t.message, &why));
    t.has_ia = lb_dhcp6_find_ia(t.message.options, iaid, &t.ia);
    t.has_second = lb_dhcp6_find_ia(t.message.options, iaid + 1, &t.second);
    return true;
}

#define ASK(...)          ask_as((struct asked){.type = __VA_ARGS__})
#define CHECK_REPLY(name) CHECK_STR(lb_dhcp6_type_word(t.message.type), name)

static struct lb_addr_text given(bool has_ia, const struct lb_dhcp6_ia *ia) {
    return has_ia && ia->addr_count == 1 ? lb_addr_text(ia->addrs[0].addr)
                                         : (struct lb_addr_text){"none"};
}

#define CHECK_GIVEN(text)  CHECK_STR(given(t.has_ia, &t.ia).s, text)
#define CHECK_SECOND(text) CHECK_STR(given(t.has_second, &t.second).s, text)

static bool has(uint16_t code) {
    struct lb_bytes value;
    return lb_dhcp6_find(t.message.options, code, &value);
}

static unsigned status(void) {
    struct lb_bytes text;
    return lb_dhcp6_find_status(t.message.options, &text);
}

static void solicit_and_request_give_an_address_with_everything(void) {
    struct lb_duid duid, ours = test_server_duid(1), client = test_server_duid(100);
    start(usual());
    CHECK(ASK(LB_DHCP6_SOLICIT));
    CHECK_REPLY("Advertise");
    CHECK_EQ(t.message.xid, 0x123456);
    CHECK(lb_dhcp6_find_duid(t.message.options, LB_OPT6_SERVER_ID, &duid) &&
          lb_duid_equal(&duid, &ours));
    CHECK(lb_dhcp6_find_duid(t.message.options, LB_OPT6_CLIENT_ID, &duid) &&
          lb_duid_equal(&duid, &client));
    CHECK_GIVEN("2001:db8::100");
    CHECK(has(LB_OPT6_BOOT_URL));
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .addr = "2001:db8::100"));
    CHECK_REPLY("Reply");
    CHECK_GIVEN("2001:db8::100");
    CHECK_EQ(t.ia.addrs[0].preferred_s, 3600);
    CHECK_EQ(t.ia.addrs[0].valid_s, 7200);
    CHECK(t.bindings[0].leased);
}

static void options_are_sent_to_who_asks_for_them(void) {
    struct lb_dhcp6_server_config config = usual();
    config.dns[0] = v6("2001:db8::53");
    config.dns_count = 1;
    config.search = "example.com example.net";
    config.boot_params = tap_hex("0001 61");
    config.refresh_s = 1000;
    config.sol_max_rt_s = 120;
    config.preference = 9;
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT));
    static const uint16_t codes[] = {LB_OPT6_DNS,     LB_OPT6_SEARCH,     LB_OPT6_BOOT_URL,
                                     LB_OPT6_REFRESH, LB_OPT6_SOL_MAX_RT, LB_OPT6_BOOT_PARAMS};
    for (size_t i = 0; i < LB_COUNT(codes); i++)
        CHECK(has(codes[i]));
    CHECK(has(LB_OPT6_PREFERENCE));
    struct lb_dhcp6_lease lease;
    lb_dhcp6_read_lease(&t.message, v6("fe80::1"), &lease);
    CHECK_STR(lease.search, "example.com example.net");
    CHECK(ASK(LB_DHCP6_SOLICIT, .no_wishes = true));
    for (size_t i = 0; i < LB_COUNT(codes); i++)
        CHECK(!has(codes[i]));
}

static void rapid_commit_answers_at_once_where_it_is_on(void) {
    struct lb_dhcp6_server_config config = usual();
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT, .rapid_commit = true));
    CHECK_REPLY("Advertise");
    config.rapid_commit = true;
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT, .rapid_commit = true));
    CHECK_REPLY("Reply");
    CHECK(has(LB_OPT6_RAPID_COMMIT));
    CHECK(t.bindings[0].leased);
    CHECK(ASK(LB_DHCP6_SOLICIT));
    CHECK_REPLY("Advertise");
}

static void each_client_has_an_address_of_its_own_until_there_are_none(void) {
    struct lb_dhcp6_server_config config = usual();
    config.last = v6("2001:db8::101");
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 1));
    CHECK_GIVEN("2001:db8::100");
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 2));
    CHECK_GIVEN("2001:db8::101");
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 3));
    CHECK_GIVEN("none");
    CHECK_EQ(t.ia.status, LB_DHCP6_NO_ADDRS_AVAIL);
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 1));
    CHECK_GIVEN("2001:db8::100");
    t.now += 61 * SEC; /* offers are forgotten */
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 3));
    CHECK_GIVEN("2001:db8::100");
}

static void a_host_entry_has_its_address_and_its_root_path(void) {
    struct lb_dhcp6_host host = {
        .duid = test_server_duid(101),
        .address = v6("2001:db8::42"),
        .root_path = lb_bytes_of_text("iscsi:[2001:db8::9]::::iqn.2001-04.com.example:other"),
    };
    struct lb_dhcp6_server_config config = usual();
    struct lb_dhcp6_lease lease;
    config.hosts = &host;
    config.host_count = 1;
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 1));
    CHECK_GIVEN("2001:db8::42");
    lb_dhcp6_read_lease(&t.message, v6("fe80::1"), &lease);
    CHECK_EQ(lease.root_path_len, host.root_path.len);
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 2));
    CHECK_GIVEN("2001:db8::100");
}

static void start_with_entry(void) {
    static struct lb_dhcp6_host host;
    struct lb_dhcp6_server_config config = usual();
    host = (struct lb_dhcp6_host){.duid = test_server_duid(101), .address = v6("2001:db8::42")};
    config.hosts = &host;
    config.requester = &host; /* its card is known: any DUID is this machine */
    config.host_count = 1;
    start(config);
}

static void check_address(uint8_t client, uint32_t iaid, const char *address) {
    struct lb_addr_text offered;
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = client, .iaid = iaid));
    offered = given(t.has_ia, &t.ia);
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .client = client, .iaid = iaid, .addr = offered.s));
    CHECK_GIVEN(address);
}

static void an_entrys_address_is_the_machines_whatever_duid_and_iaid_it_sends(void) {
    start_with_entry();
    check_address(1, 1, "2001:db8::42");
    check_address(1, 77, "2001:db8::42"); /* its initramfs */
    check_address(2, 5, "2001:db8::42");  /* its system */
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .client = 1, .addr = "2001:db8::42"));
    CHECK_GIVEN("2001:db8::42");
    CHECK_EQ(t.ia.addrs[0].valid_s, 7200);
    CHECK(ASK(LB_DHCP6_RELEASE, .server = 1, .client = 2, .iaid = 5, .addr = "2001:db8::42"));
    CHECK_EQ(status(), LB_DHCP6_SUCCESS);
    CHECK(!t.bindings[0].leased);
}

static void of_several_ias_the_first_gets_the_entrys_address(void) {
    start_with_entry();
    CHECK(ASK(LB_DHCP6_SOLICIT, .has_second = true));
    CHECK_GIVEN("2001:db8::42");
    CHECK_SECOND("2001:db8::100");
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .addr = "2001:db8::42", .has_second = true,
              .second_addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::42");
    CHECK_SECOND("2001:db8::100");
    /* In another order, and alone, each keeps its own. */
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .iaid = 2, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::100");
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .iaid = 2, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::100");
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .addr = "2001:db8::42", .has_second = true,
              .second_addr = "2001:db8::42"));
    CHECK_GIVEN("2001:db8::42");
    CHECK_SECOND("2001:db8::100"); /* not the same for two */
}

/* Of a Rebind for another link, where each IA has an answer. */
static void more_ias_than_are_looked_at_have_no_answer(void) {
    struct lb_dhcp6_ia ia;
    start(usual());
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8:1::1", .more = LB_DHCP6_IAS_MAX));
    CHECK(t.has_ia);
    CHECK(lb_dhcp6_find_ia(t.message.options, 50 + LB_DHCP6_IAS_MAX - 2, &ia));
    CHECK(!lb_dhcp6_find_ia(t.message.options, 50 + LB_DHCP6_IAS_MAX - 1, &ia));
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .addr = "2001:db8:1::1", .more = LB_DHCP6_IAS_MAX));
    CHECK(!lb_dhcp6_find_ia(t.message.options, 50 + LB_DHCP6_IAS_MAX - 1, &ia));
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .more = LB_DHCP6_IAS_MAX));
    CHECK(!lb_dhcp6_find_ia(t.message.options, 50 + LB_DHCP6_IAS_MAX - 1, &ia));
}

static void an_entrys_address_within_the_range_is_given_to_nobody_else(void) {
    static struct lb_dhcp6_host host;
    struct lb_dhcp6_server_config config = usual();
    host = (struct lb_dhcp6_host){.duid = test_server_duid(109), .address = v6("2001:db8::100")};
    config.hosts = &host;
    config.host_count = 1;
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT));
    CHECK_GIVEN("2001:db8::101");
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::101");
}

static void restore(uint8_t client, uint32_t iaid, const char *address) {
    uint8_t room[LB_DUID_MAX + 4];
    struct lb_duid duid = test_server_duid(client);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, lb_bytes(duid.bytes, duid.len));
    lb_wr_u32(&wr, iaid);
    struct lb_dhcp6_kept kept = {
        .client = lb_wr_done(&wr), .address = v6(address), .valid_s = 3600, .leased = true};
    CHECK(lb_dhcp6_server_restore(&t.server, t.now, &kept));
}

static void an_address_that_a_machine_has_can_become_its_entrys(void) {
    start_with_entry();
    restore(101, 1, "2001:db8::42"); /* given before the entry was written */
    check_address(1, 1, "2001:db8::42");
    check_address(2, 9, "2001:db8::42");
    start_with_entry();
    restore(150, 1, "2001:db8::42"); /* another machine has it for now */
    check_address(1, 1, "2001:db8::100");
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .client = 1, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::100");
    t.now += 3601 * SEC;
    check_address(1, 1, "2001:db8::42");
}

static void an_address_that_is_in_use_is_kept_for_who_had_it(void) {
    struct lb_dhcp6_server_config config = usual();
    config.last = config.first;
    start(config);
    check_address(1, 1, "2001:db8::100");
    t.now += 7000 * SEC;
    const struct lb_binding *row = lb_dhcp6_server_seen(&t.server, t.now, v6("2001:db8::100"));
    CHECK(row != NULL && row->until_us == t.now + 7200 * SEC);
    t.now += 7100 * SEC;
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 2));
    CHECK_GIVEN("none");
    CHECK(lb_dhcp6_server_seen(&t.server, t.now, v6("2001:db8::200")) == NULL);
}

static void a_request_for_another_link_is_refused(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .addr = "2001:db8:1::1"));
    CHECK_EQ(status(), LB_DHCP6_NOT_ON_LINK);
    CHECK(!t.has_ia);
}

static void confirm_tells_whether_an_address_fits_the_link(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_CONFIRM, .addr = "2001:db8::7"));
    CHECK_EQ(status(), LB_DHCP6_SUCCESS);
    CHECK(ASK(LB_DHCP6_CONFIRM, .addr = "2001:db8:1::7"));
    CHECK_EQ(status(), LB_DHCP6_NOT_ON_LINK);
    CHECK(!ASK(LB_DHCP6_CONFIRM));
}

static void renew_and_rebind_make_a_lease_longer(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1));
    uint64_t until = t.bindings[0].until_us;
    t.now += 1000 * SEC;
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::100");
    CHECK_EQ(t.bindings[0].until_us, until + 1000 * SEC);
    t.now += 1000 * SEC;
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8::100"));
    CHECK_EQ(t.bindings[0].until_us, until + 2000 * SEC);
}

static void of_an_unknown_lease_renew_says_so_and_rebind_is_silent(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .addr = "2001:db8::100"));
    CHECK_EQ(t.ia.status, LB_DHCP6_NO_BINDING);
    CHECK(!ASK(LB_DHCP6_REBIND, .addr = "2001:db8::100"));
}

static void rebind_of_another_links_address_ends_it(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8:1::100"));
    CHECK_EQ(t.ia.addr_count, 1);
    CHECK_EQ(t.ia.addrs[0].valid_s, 0);
}

static void a_released_address_is_free_and_remembered(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .client = 1, .server = 1));
    CHECK(ASK(LB_DHCP6_RELEASE, .client = 1, .server = 1, .addr = "2001:db8::100"));
    CHECK_EQ(status(), LB_DHCP6_SUCCESS);
    CHECK(!t.bindings[0].leased);
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 1));
    CHECK_GIVEN("2001:db8::100");
}

static void a_declined_address_is_put_aside(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .client = 1, .server = 1));
    CHECK(ASK(LB_DHCP6_DECLINE, .client = 1, .server = 1, .addr = "2001:db8::100"));
    CHECK(ASK(LB_DHCP6_SOLICIT, .client = 1));
    CHECK_GIVEN("2001:db8::101");
}

static void information_is_given_without_addresses(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_INFORMATION_REQUEST, .no_ia = true));
    CHECK_REPLY("Reply");
    CHECK(!t.has_ia && has(LB_OPT6_BOOT_URL));
    CHECK(ASK(LB_DHCP6_INFORMATION_REQUEST, .no_ia = true, .no_client_id = true));
    CHECK(!has(LB_OPT6_CLIENT_ID));
}

static void a_stateless_server_gives_nothing_else(void) {
    struct lb_dhcp6_server_config config = usual();
    config.stateless = true;
    start(config);
    CHECK(!ASK(LB_DHCP6_SOLICIT));
    CHECK(!ASK(LB_DHCP6_REQUEST, .server = 1));
    CHECK(ASK(LB_DHCP6_INFORMATION_REQUEST, .no_ia = true));
}

/* RFC 8415 16. */
static void messages_with_the_wrong_identifiers_are_dropped(void) {
    static const uint8_t to_one[] = {LB_DHCP6_REQUEST, LB_DHCP6_RENEW, LB_DHCP6_RELEASE,
                                     LB_DHCP6_DECLINE};
    static const uint8_t to_all[] = {LB_DHCP6_SOLICIT, LB_DHCP6_CONFIRM, LB_DHCP6_REBIND};
    start(usual());
    for (size_t i = 0; i < LB_COUNT(to_one); i++) {
        CHECK(!ASK(to_one[i], .addr = "2001:db8::1"));
        CHECK(!ASK(to_one[i], .server = 2, .addr = "2001:db8::1"));
        CHECK(!ASK(to_one[i], .server = 1, .no_client_id = true, .addr = "2001:db8::1"));
    }
    for (size_t i = 0; i < LB_COUNT(to_all); i++) {
        CHECK(!ASK(to_all[i], .server = 1, .addr = "2001:db8::1"));
        CHECK(!ASK(to_all[i], .no_client_id = true, .addr = "2001:db8::1"));
    }
    CHECK(!ASK(LB_DHCP6_INFORMATION_REQUEST, .server = 2));
}

static void messages_of_servers_and_relays_are_dropped(void) {
    static const uint8_t types[] = {0, 2, 7, 10, 12, 13, 14, 255};
    start(usual());
    for (size_t i = 0; i < LB_COUNT(types); i++)
        CHECK(!ASK(types[i], .server = 1));
}

static void every_truncation_of_a_request_is_survived(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_SOLICIT, .rapid_commit = true));
    struct lb_endpoint from = {.addr = v6("fe80::2"), .port = 546};
    for (size_t len = 0; len < 60; len++) {
        uint8_t exact[60];
        memcpy(exact + sizeof exact - len, t.request, len);
        lb_dhcp6_server_input(&t.server, t.now, from, lb_bytes(exact + sizeof exact - len, len),
                              lb_span(t.room, sizeof t.room));
    }
    CHECK(ASK(LB_DHCP6_SOLICIT));
}

static void an_answer_that_does_not_fit_is_none(void) {
    struct lb_dhcp6_server_config config = usual();
    start(config);
    CHECK(ASK(LB_DHCP6_SOLICIT));
    size_t len = t.reply.bytes.len;
    struct lb_endpoint from = {.addr = v6("fe80::2"), .port = 546};
    uint8_t small[600];
    struct lb_bytes none = lb_dhcp6_server_input(&t.server, t.now, from, lb_bytes(t.request, 48),
                                                 lb_span(small, len - 1))
                               .bytes;
    CHECK_EQ(none.len, 0);
}

/* ---- over a restart of the host ---- */

static void after_a_restart_clients_are_answered_the_same(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_SOLICIT));
    CHECK_EQ(t.reply.changed_count, 0); /* an offer is nothing to keep */
    CHECK(ASK(LB_DHCP6_REQUEST, .client = 2, .server = 1));
    CHECK(ASK(LB_DHCP6_REQUEST, .client = 1, .server = 1));
    CHECK_GIVEN("2001:db8::102");
    CHECK_EQ(t.reply.changed_count, 1);
    struct lb_binding row = *t.reply.changed[0];
    struct lb_dhcp6_kept kept = {
        .client = lb_bytes(row.client, row.client_len),
        .address = row.address,
        .valid_s = lb_binding_valid_s(&row, t.now),
        .leased = row.leased,
    };
    CHECK_EQ(kept.valid_s, 7200);
    start(usual());
    CHECK(lb_dhcp6_server_restore(&t.server, t.now, &kept));
    CHECK(ASK(LB_DHCP6_RENEW, .client = 1, .server = 1, .addr = "2001:db8::102"));
    CHECK_GIVEN("2001:db8::102");
    CHECK_EQ(t.reply.changed_count, 1);
    CHECK(ASK(LB_DHCP6_RELEASE, .client = 1, .server = 1, .addr = "2001:db8::102"));
    CHECK(t.reply.changed_count == 1 && !t.reply.changed[0]->leased);
}

/* ---- many clients ---- */

#define MANY 10000

static struct {
    struct lb_dhcp6_server server;
    struct lb_binding bindings[MANY];
    struct lb_dhcp6_host hosts[MANY];
} many;

static struct lb_duid duid_of(uint32_t machine) {
    return (struct lb_duid){
        .bytes = {0, 3, 0, 1, 2, 0, 0, 0, (uint8_t)(machine >> 8), (uint8_t)machine}, .len = 10};
}

static uint64_t steps_of(uint32_t machine, uint8_t type) {
    struct lb_duid client = duid_of(machine), server = test_server_duid(1);
    struct lb_wr wr = lb_wr(lb_span(t.request, sizeof t.request));
    uint64_t before = many.server.table.steps;
    lb_dhcp6_put_header(&wr, type, machine);
    lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    if (type == LB_DHCP6_REQUEST)
        lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    lb_dhcp6_close(&wr, lb_dhcp6_open_ia(&wr, 1, 0, 0));
    struct lb_bytes reply =
        lb_dhcp6_server_input(&many.server, SEC,
                              (struct lb_endpoint){.addr = v6("fe80::2"), .port = 546},
                              lb_wr_done(&wr), lb_span(t.room, sizeof t.room))
            .bytes;
    const char *why;
    CHECK(lb_dhcp6_decode(reply, &t.message, &why));
    t.has_ia = lb_dhcp6_find_ia(t.message.options, 1, &t.ia);
    CHECK(t.has_ia && t.ia.addr_count == 1);
    return many.server.table.steps - before;
}

static uint64_t most_steps(uint32_t from, uint32_t to) {
    uint64_t most = 0, steps;
    for (uint32_t machine = from; machine < to; machine++) {
        steps = steps_of(machine, LB_DHCP6_SOLICIT);
        most = LB_MAX(most, steps);
        steps = steps_of(machine, LB_DHCP6_REQUEST);
        most = LB_MAX(most, steps);
    }
    return most;
}

static void ten_thousand_clients_cost_what_ten_do(void) {
    struct lb_dhcp6_server_config config = usual();
    config.last = v6("2001:db8::280f"); /* 10,000 */
    config.hash_key = (struct lb_hash_key){3, 4};
    lb_dhcp6_server_init(&many.server, &config, many.bindings, MANY);
    CHECK(most_steps(0, 10) <= 48);
    CHECK(most_steps(10, MANY) <= 64);
    CHECK(most_steps(0, MANY) <= 64); /* all of them again */
}

static void ten_thousand_known_clients_cost_what_ten_do(void) {
    struct lb_dhcp6_server_config config = usual();
    memset(&many, 0, sizeof many);
    for (uint32_t i = 0; i < MANY; i++) {
        many.hosts[i] = (struct lb_dhcp6_host){.duid = duid_of(i), .address = v6("2001:db8::")};
        many.hosts[i].address.bytes[13] = 1;
        many.hosts[i].address.bytes[14] = (uint8_t)(i >> 8);
        many.hosts[i].address.bytes[15] = (uint8_t)i;
    }
    config.hosts = many.hosts;
    config.host_count = MANY;
    config.hash_key = (struct lb_hash_key){3, 4};
    lb_dhcp6_server_init(&many.server, &config, many.bindings, MANY);
    CHECK(most_steps(0, 10) <= 48);
    CHECK(most_steps(10, MANY) <= 64);
    steps_of(4711, LB_DHCP6_SOLICIT);
    CHECK_GIVEN("2001:db8::1:1267");
}

/* RFC 8415 16, 18.4. */
static void what_is_sent_to_us_alone_is_dropped_or_has_to_go_to_the_group(void) {
    static const uint8_t for_all[] = {LB_DHCP6_SOLICIT, LB_DHCP6_CONFIRM, LB_DHCP6_REBIND,
                                      LB_DHCP6_INFORMATION_REQUEST};
    static const uint8_t for_one[] = {LB_DHCP6_REQUEST, LB_DHCP6_RENEW, LB_DHCP6_RELEASE,
                                      LB_DHCP6_DECLINE};
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1));
    CHECK_GIVEN("2001:db8::100");
    t.server.config.was_unicast = true;
    for (size_t i = 0; i < LB_COUNT(for_all); i++)
        CHECK(!ASK(for_all[i], .addr = "2001:db8::100"));
    for (size_t i = 0; i < LB_COUNT(for_one); i++) {
        CHECK(ASK(for_one[i], .server = 1, .addr = "2001:db8::100"));
        CHECK_REPLY("Reply");
        CHECK_EQ(status(), LB_DHCP6_USE_MULTICAST);
        CHECK(!t.has_ia && has(LB_OPT6_CLIENT_ID) && has(LB_OPT6_SERVER_ID));
        CHECK(!has(LB_OPT6_BOOT_URL));
        CHECK_EQ(t.reply.changed_count, 0);
    }
    t.server.config.was_unicast = false;
    CHECK(ASK(LB_DHCP6_RENEW, .server = 1, .addr = "2001:db8::100"));
    CHECK_GIVEN("2001:db8::100"); /* nothing of that has had an effect */
}

/* A rule gives its address to the first IA of a client alone, whatever message asks. */
static void rebind_and_release_mean_the_ia_that_they_name(void) {
    start(usual());
    CHECK(ASK(LB_DHCP6_REQUEST, .server = 1, .has_second = true));
    CHECK_GIVEN("2001:db8::100");
    CHECK_SECOND("2001:db8::101");
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8::100", .has_second = true,
              .second_addr = "2001:db8::101"));
    CHECK_GIVEN("2001:db8::100");
    CHECK_SECOND("2001:db8::101");
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8::101", .has_second = true,
              .second_addr = "2001:db8::101"));
    CHECK(!t.has_ia);
    CHECK_SECOND("2001:db8::101");
    CHECK(ASK(LB_DHCP6_RELEASE, .server = 1, .addr = "2001:db8::100"));
    CHECK(ASK(LB_DHCP6_REBIND, .addr = "2001:db8::100", .has_second = true,
              .second_addr = "2001:db8::101"));
    CHECK(!t.has_ia);
    CHECK_SECOND("2001:db8::101");
}

int main(void) {
    TEST(more_ias_than_are_looked_at_have_no_answer);
    TEST(an_entrys_address_within_the_range_is_given_to_nobody_else);
    TEST(solicit_and_request_give_an_address_with_everything);
    TEST(options_are_sent_to_who_asks_for_them);
    TEST(rapid_commit_answers_at_once_where_it_is_on);
    TEST(each_client_has_an_address_of_its_own_until_there_are_none);
    TEST(a_host_entry_has_its_address_and_its_root_path);
    TEST(an_entrys_address_is_the_machines_whatever_duid_and_iaid_it_sends);
    TEST(of_several_ias_the_first_gets_the_entrys_address);
    TEST(an_address_that_a_machine_has_can_become_its_entrys);
    TEST(an_address_that_is_in_use_is_kept_for_who_had_it);
    TEST(a_request_for_another_link_is_refused);
    TEST(confirm_tells_whether_an_address_fits_the_link);
    TEST(renew_and_rebind_make_a_lease_longer);
    TEST(of_an_unknown_lease_renew_says_so_and_rebind_is_silent);
    TEST(rebind_of_another_links_address_ends_it);
    TEST(a_released_address_is_free_and_remembered);
    TEST(a_declined_address_is_put_aside);
    TEST(information_is_given_without_addresses);
    TEST(a_stateless_server_gives_nothing_else);
    TEST(messages_with_the_wrong_identifiers_are_dropped);
    TEST(messages_of_servers_and_relays_are_dropped);
    TEST(every_truncation_of_a_request_is_survived);
    TEST(an_answer_that_does_not_fit_is_none);
    TEST(after_a_restart_clients_are_answered_the_same);
    TEST(ten_thousand_clients_cost_what_ten_do);
    TEST(ten_thousand_known_clients_cost_what_ten_do);
    TEST(what_is_sent_to_us_alone_is_dropped_or_has_to_go_to_the_group);
    TEST(rebind_and_release_mean_the_ia_that_they_name);
    return tap_done();
}
