/* The DHCPv4 server: what each request is answered with. */
#include "core/dhcp4/test_dhcp4_server.h"

static void discover_is_offered_a_free_address_and_everything_else(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_STR(lb_prefix_text(t.lease.address).s, "192.0.2.100/24");
    CHECK_ADDR(t.lease.server, "192.0.2.1");
    CHECK_ADDR(t.answer.header.siaddr, "192.0.2.1"); /* where its files are, for old firmware */
    CHECK_EQ(t.lease.lease_s, 3600);
    CHECK_EQ(t.lease.mtu, 1500);
    CHECK_ADDR(t.lease.routers[0], "192.0.2.254");
    CHECK_ADDR(t.lease.dns[0], "192.0.2.53");
    CHECK(root_path_is(TEST_ROOT_PATH));
    CHECK_EQ(t.reply.to.port, 68);
}

static void request_of_what_was_offered_is_acknowledged(void) {
    start(plain());
    CHECK_ADDR(take_lease(1), "192.0.2.100");
    CHECK_EQ(t.lease.lease_s, 3600);
    CHECK(root_path_is(TEST_ROOT_PATH));
}

static void each_machine_gets_its_own_address_and_keeps_it(void) {
    start(plain());
    CHECK_ADDR(take_lease(1), "192.0.2.100");
    CHECK_ADDR(take_lease(2), "192.0.2.101");
    CHECK_ADDR(take_lease(1), "192.0.2.100");
    t.now += 7200 * SEC; /* also after its lease ran out, while nobody else has it */
    CHECK_ADDR(take_lease(2), "192.0.2.101");
}

static void a_requested_address_is_given_when_it_is_free(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .requested = v4(192, 0, 2, 107)), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.107");
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2, .requested = v4(192, 0, 2, 107)), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 3, .requested = v4(192, 0, 2, 1)), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.101"); /* not ours, which is outside the pool */
}

static void our_own_and_the_routers_address_are_never_given(void) {
    struct lb_dhcp4_server_config config = plain();
    config.first = v4(192, 0, 2, 1);
    config.router = v4(192, 0, 2, 2);
    start(config);
    CHECK_ADDR(take_lease(1), "192.0.2.3");
}

static void an_offer_that_nobody_takes_is_free_again_after_a_minute(void) {
    start_with(2);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.101");
    t.now += 60 * SEC - 1;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 3), SILENCE);
    t.now += 1;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 3), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
}

static void taking_another_servers_offer_frees_ours(void) {
    start_with(1);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .server_id = v4(192, 0, 2, 2), .requested = v4(192, 0, 2, 50)),
             SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
}

static void an_address_that_became_free_waits_for_its_client_while_others_are_fresh(void) {
    start(plain());
    struct lb_addr address = take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_RELEASE, US, .ciaddr = address), SILENCE);
    CHECK_ADDR(take_lease(2), "192.0.2.101");
    CHECK_ADDR(take_lease(1), "192.0.2.100");
}

static void a_full_pool_or_table_offers_nothing(void) {
    struct lb_dhcp4_server_config config = plain();
    config.last = v4(192, 0, 2, 101);
    start(config);
    take_lease(1);
    take_lease(2);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 3), SILENCE);
    start(plain());
    for (uint8_t i = 1; i <= BINDINGS; i++)
        take_lease(i);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 9), SILENCE);
    t.now += 3600 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 9), LB_DHCP4_OFFER);
}

static void a_request_of_what_was_not_offered_is_refused(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, US, .requested = v4(192, 0, 2, 105)), LB_DHCP4_NAK);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "255.255.255.255:68");
    CHECK(lb_addr_is_zero(t.answer.header.yiaddr));
    CHECK(lb_addr_is_zero(t.answer.header.siaddr));
    CHECK_EQ(t.lease.root_path_len, 0);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .machine = 2, US, .requested = v4(192, 0, 2, 100)),
             LB_DHCP4_NAK); /* offered to somebody else */
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, US), SILENCE);
}

static void a_lease_is_renewed_by_ciaddr(void) {
    start(plain());
    struct lb_addr address = take_lease(1);
    t.now += 1800 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .ciaddr = address), LB_DHCP4_ACK);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.100:68");
    CHECK_ADDR(t.answer.header.ciaddr, "192.0.2.100");
    CHECK_EQ(t.bindings[0].until_us, t.now + 3600 * SEC);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .ciaddr = v4(192, 0, 2, 101)), LB_DHCP4_NAK);
}

static void init_reboot_is_confirmed_refused_or_not_answered(void) {
    start(plain());
    take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .requested = v4(192, 0, 2, 100)), LB_DHCP4_ACK);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .requested = v4(192, 0, 2, 101)), LB_DHCP4_NAK);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .requested = v4(198, 51, 100, 9)), LB_DHCP4_NAK);
    /* RFC 2131 4.3.2: no record of this client. */
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .machine = 2, .requested = v4(192, 0, 2, 101)), SILENCE);
    t.server.config.authoritative = true;
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .machine = 2, .requested = v4(192, 0, 2, 101)), LB_DHCP4_NAK);
}

static void a_declined_address_is_put_aside_for_as_long_as_a_lease(void) {
    start_with(2);
    struct lb_addr address = take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_DECLINE, US, .requested = v4(192, 0, 2, 109)), SILENCE);
    CHECK(!t.bindings[0].declined); /* not what it was given */
    CHECK_EQ(ASK(LB_DHCP4_DECLINE, US, .requested = address), SILENCE);
    CHECK(t.bindings[0].declined);
    CHECK_ADDR(take_lease(1), "192.0.2.101");
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 3), SILENCE);
    t.now += 3600 * SEC;
    CHECK_ADDR(take_lease(1), "192.0.2.101");
    CHECK_ADDR(take_lease(3), "192.0.2.100");
}

static void a_released_address_is_free_at_once(void) {
    start_with(1);
    struct lb_addr address = take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_RELEASE, .machine = 2, US, .ciaddr = address), SILENCE);
    CHECK(t.bindings[0].leased); /* it was not that one's to give */
    CHECK_EQ(ASK(LB_DHCP4_RELEASE, US, .ciaddr = address), SILENCE);
    CHECK(!t.bindings[0].leased);
    CHECK_ADDR(take_lease(2), "192.0.2.100");
}

static void inform_is_told_everything_but_an_address(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_INFORM, .ciaddr = v4(192, 0, 2, 77)), LB_DHCP4_ACK);
    CHECK(lb_addr_is_zero(t.answer.header.yiaddr));
    CHECK_EQ(t.lease.lease_s, LB_DHCP4_INFINITE); /* no option 51 */
    CHECK(root_path_is(TEST_ROOT_PATH));
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.77:68");
    CHECK_EQ(ASK(LB_DHCP4_INFORM), SILENCE);
}

static void rapid_commit_is_granted_where_it_is_allowed(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .rapid_commit = true), LB_DHCP4_OFFER);
    t.server.config.rapid_commit = true;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .rapid_commit = true), LB_DHCP4_ACK);
    CHECK(t.lease.rapid_commit);
    CHECK(t.bindings[0].leased);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), LB_DHCP4_OFFER);
    CHECK(!t.lease.rapid_commit);
}

static void a_known_bootp_client_has_its_address_for_ever(void) {
    struct lb_dhcp4_host hosts[] = {{.mac = {2, 0, 0, 0, 0, 1}}};
    struct lb_dhcp4_server_config config = plain();
    config.hosts = hosts;
    config.host_count = LB_COUNT(hosts);
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP), LB_DHCP4_BOOTP);
    CHECK(t.lease.bootp);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
    CHECK(root_path_is(TEST_ROOT_PATH));
    CHECK_EQ(t.bindings[0].until_us, LB_NEVER);
    CHECK(t.reply.changed == &t.bindings[0]);
    t.now += 100000 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), LB_DHCP4_BOOTP);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.101");
}

/* The network of somebody who sends BOOTP requests under many addresses is not full for ever. */
static void unknown_clients_have_few_addresses_by_bootp_and_for_a_time(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_BOOTP), LB_DHCP4_BOOTP);
    CHECK_EQ(t.bindings[0].until_us, t.now + 86400 * SEC);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), LB_DHCP4_BOOTP);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 3), SILENCE); /* half of the four bindings */
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), LB_DHCP4_BOOTP);
    CHECK_ADDR(take_lease(3), "192.0.2.102"); /* by DHCP there is room */
    t.now += 86400 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 4), LB_DHCP4_BOOTP);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 5), LB_DHCP4_BOOTP);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 6), SILENCE);
}

static void the_host_chooses_the_limits_for_unknown_clients(void) {
    struct lb_dhcp4_server_config config = plain();
    config.bootp_max = 1;
    config.bootp_s = 10;
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP), LB_DHCP4_BOOTP);
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), SILENCE);
    t.now += 5 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_BOOTP), LB_DHCP4_BOOTP); /* asks again: from now on */
    t.now += 9 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), SILENCE);
    t.now += 1 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_BOOTP, .machine = 2), LB_DHCP4_BOOTP);
}

static void what_a_relay_added_comes_back_as_it_came(void) {
    struct lb_bytes relay, added = tap_hex("0104 00000007 0206 020000000009");
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = v4(192, 0, 2, 250), .relay_agent = added),
             LB_DHCP4_OFFER);
    CHECK(lb_dhcp4_option(&t.answer, LB_OPT_RELAY_AGENT, &relay));
    CHECK_BYTES(relay, added);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .giaddr = v4(192, 0, 2, 250), US,
                 .requested = v4(192, 0, 2, 107), .relay_agent = added),
             LB_DHCP4_NAK); /* RFC 3046 2.2: in a NAK, too */
    CHECK(lb_dhcp4_option(&t.answer, LB_OPT_RELAY_AGENT, &relay));
}

/* ---- over a restart of the host ---- */

static struct lb_dhcp4_kept keep(const struct lb_binding *row) {
    return (struct lb_dhcp4_kept){
        .client = lb_bytes(row->client, row->client_len),
        .address = row->address,
        .valid_s = lb_binding_valid_s(row, t.now),
        .leased = row->leased,
        .declined = row->declined,
        .bootp = row->bootp,
    };
}

static void an_offer_is_nothing_to_keep_and_a_lease_is(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK(t.reply.changed == NULL);
    struct lb_addr address = take_lease(1);
    CHECK(t.reply.changed != NULL && lb_addr_equal(t.reply.changed->address, address));
    CHECK_EQ(lb_binding_valid_s(t.reply.changed, t.now), 3600);
    CHECK_EQ(ASK(LB_DHCP4_RELEASE, US, .ciaddr = address), SILENCE);
    CHECK(t.reply.changed != NULL && !t.reply.changed->leased);
    CHECK_EQ(lb_binding_valid_s(t.reply.changed, t.now), 0);
    take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_DECLINE, US, .requested = address), SILENCE);
    CHECK(t.reply.changed != NULL && t.reply.changed->declined);
}

static void after_a_restart_clients_are_answered_the_same(void) {
    struct lb_binding row = {0};
    start_with(2);
    take_lease(1);
    take_lease(2);
    row = *t.reply.changed;
    struct lb_dhcp4_kept kept = keep(&row), older = kept;
    older.valid_s = 10;
    older.address = v4(192, 0, 2, 100);
    start_with(2); /* another run, another clock */
    CHECK(lb_dhcp4_server_restore(&t.server, t.now, &kept));
    CHECK(!lb_dhcp4_server_restore(&t.server, t.now, &older)); /* it had another address before */
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .machine = 2, .ciaddr = v4(192, 0, 2, 101)), LB_DHCP4_ACK);
    CHECK_ADDR(take_lease(3), "192.0.2.100");
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 4), SILENCE); /* 101 is not free */
}

/* ---- many clients ---- */

#define MANY 10000

static struct {
    struct lb_dhcp4_server server;
    struct lb_binding bindings[MANY];
    struct lb_dhcp4_host hosts[MANY];
} many;

static uint64_t steps_of(uint32_t machine, enum lb_dhcp4_type type, struct lb_addr *address) {
    uint8_t room[LB_DHCP4_PACKET_MAX], answer[LB_DHCP4_PACKET_MAX], memory[64];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREQUEST,
        .htype = 1,
        .hlen = 6,
        .chaddr = {2, 1, 0, 0, (uint8_t)(machine >> 8), (uint8_t)machine}};
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, (uint8_t)type);
    if (type == LB_DHCP4_REQUEST) {
        lb_dhcp4_put_addr(&list, LB_OPT_REQUESTED_ADDRESS, *address);
        lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, many.server.config.server);
    }
    struct lb_dhcp4_layout layout = {.max_bytes = sizeof room};
    struct lb_bytes request = lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room));
    uint64_t before = many.server.table.steps;
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input(&many.server, SEC, (struct lb_endpoint){.port = 68}, request,
                              lb_span(answer, sizeof answer));
    struct lb_dhcp4_message message;
    const char *why = NULL;
    CHECK(reply.bytes.len > 0 && lb_dhcp4_decode(reply.bytes, &message, &why));
    *address = message.header.yiaddr;
    return many.server.table.steps - before;
}

static uint64_t most_steps(uint32_t from, uint32_t to) {
    uint64_t most = 0, steps;
    struct lb_addr address;
    for (uint32_t machine = from; machine < to; machine++) {
        steps = steps_of(machine, LB_DHCP4_DISCOVER, &address);
        most = LB_MAX(most, steps);
        steps = steps_of(machine, LB_DHCP4_REQUEST, &address);
        most = LB_MAX(most, steps);
    }
    return most;
}

static struct lb_dhcp4_server_config wide(void) {
    struct lb_dhcp4_server_config config = plain();
    config.server = v4(10, 1, 0, 1);
    config.router = v4(10, 1, 0, 2);
    config.network = (struct lb_prefix){.addr = v4(10, 0, 0, 0), .len = 8};
    config.first = v4(10, 2, 0, 0);
    config.last = v4(10, 2, 0x27, 0x0f); /* 10,000 */
    config.hash_key = (struct lb_hash_key){3, 4};
    return config;
}

static void ten_thousand_clients_cost_what_ten_do(void) {
    struct lb_dhcp4_server_config config = wide();
    lb_dhcp4_server_init(&many.server, &config, many.bindings, MANY);
    CHECK(most_steps(0, 10) <= 48);
    CHECK(most_steps(10, MANY) <= 64);
    CHECK(most_steps(0, MANY) <= 64); /* all of them again */
}

static void ten_thousand_known_clients_cost_what_ten_do(void) {
    struct lb_dhcp4_server_config config = wide();
    memset(&many, 0, sizeof many);
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t high = (uint8_t)(i >> 8), low = (uint8_t)i;
        many.hosts[i] =
            (struct lb_dhcp4_host){.mac = {2, 1, 0, 0, high, low}, .address = v4(10, 3, high, low)};
    }
    config.hosts = many.hosts;
    config.host_count = MANY;
    lb_dhcp4_server_init(&many.server, &config, many.bindings, MANY);
    CHECK(most_steps(0, 10) <= 48);
    CHECK(most_steps(10, MANY) <= 64);
    struct lb_addr address;
    steps_of(4711, LB_DHCP4_DISCOVER, &address);
    CHECK_ADDR(address, "10.3.18.103");
}

static void a_server_of_before_dhcp_answers_discover_by_bootp(void) {
    struct lb_dhcp4_server_config config = plain();
    config.bootp_only = true;
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_BOOTP);
    CHECK(root_path_is(TEST_ROOT_PATH));
}

static void a_proxy_gives_no_address_and_only_to_those_who_ask_for_a_root_path(void) {
    struct lb_dhcp4_server_config config = plain();
    config.proxy_only = true;
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .ask_root_path = true), LB_DHCP4_OFFER);
    CHECK(lb_addr_is_zero(t.answer.header.yiaddr));
    CHECK(root_path_is(TEST_ROOT_PATH));
    CHECK_STR(t.lease.vendor_class, "PXEClient");
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "255.255.255.255:68");
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, US, .requested = v4(192, 0, 2, 100)), SILENCE);
    CHECK_EQ(t.bindings[0].until_us, 0);
}

static void a_proxy_echoes_the_machine_and_offers_a_loader_without_being_asked_for_a_disk(void) {
    static const uint8_t options[] = {
        LB_OPT_VENDOR_CLASS, 10, 'H', 'T', 'T', 'P', 'C', 'l', 'i', 'e', 'n', 't',
        LB_OPT_BOOTFILE,     1,  'x'};
    struct lb_dhcp4_server_config config = plain();
    struct lb_bytes machine;
    config.proxy_only = true;
    config.options = lb_bytes(options, sizeof options);
    start(config);
    CHECK_EQ(
        ASK(LB_DHCP4_DISCOVER, .machine_id = tap_hex("00 0102"), .giaddr = v4(198, 51, 100, 1)),
        LB_DHCP4_OFFER);
    CHECK_STR(t.lease.vendor_class, "HTTPClient");
    CHECK_STR(t.lease.bootfile, "x");
    CHECK(lb_dhcp4_option(&t.answer, LB_OPT_MACHINE, &machine));
    CHECK_BYTES(machine, tap_hex("00 0102"));
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "198.51.100.1:67");
}

static void the_boot_port_tells_what_is_booted_and_gives_nothing(void) {
    struct lb_dhcp4_server_config config = plain();
    struct lb_addr own = v4(192, 0, 2, 77);
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .at_boot_port = true, .ciaddr = own), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .at_boot_port = true, .ask_root_path = true), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .at_boot_port = true, .ciaddr = own, .ask_root_path = true),
             LB_DHCP4_ACK);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.77:68");
    CHECK(lb_addr_is_zero(t.answer.header.yiaddr));
    CHECK_STR(t.lease.vendor_class, "PXEClient");
    CHECK(root_path_is(TEST_ROOT_PATH));
    CHECK(t.reply.changed == NULL);
    CHECK_EQ(t.bindings[0].until_us, 0);
}

static void the_link_is_what_a_relay_or_the_client_says(void) {
    struct lb_addr ours = v4(192, 0, 2, 9), other = v4(198, 51, 100, 1), said;
    struct lb_bytes relay = tap_hex("01 02 aabb 05 04 c0000209");
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = other), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = other, .relay_agent = relay), LB_DHCP4_OFFER);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "198.51.100.1:67");
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = other, .subnet = ours), LB_DHCP4_OFFER);
    CHECK(lb_dhcp4_option_addr(&t.answer, LB_OPT_SUBNET, &said) && lb_addr_equal(said, ours));
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .subnet = other), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = ours, .relay_agent = tap_hex("05 04 c63364")),
             LB_DHCP4_OFFER); /* cut short: it says nothing */
}

static void a_fixed_host_gets_its_own_address_and_disk(void) {
    static struct lb_dhcp4_host hosts[] = {
        {.mac = {2, 0, 0, 0, 0, 2},
         .address = {.family = LB_V4, .bytes = {192, 0, 2, 20}},
         .root_path = {(const uint8_t *)OTHER, sizeof OTHER - 1},
         .hostname = "two",
         .initiator = "iqn.2026-11.test:two"},
        {.mac = {2, 0, 0, 0, 0, 3}, .address = {.family = LB_V4, .bytes = {192, 0, 2, 100}}},
    };
    struct lb_dhcp4_server_config config = plain();
    config.hosts = hosts;
    config.host_count = LB_COUNT(hosts);
    start(config);
    CHECK_ADDR(take_lease(2), "192.0.2.20");
    CHECK(root_path_is(OTHER));
    CHECK_STR(t.lease.hostname, "two");
    CHECK_STR(t.lease.initiator, "iqn.2026-11.test:two");
    CHECK_ADDR(take_lease(1), "192.0.2.101"); /* 100 is somebody's own */
    CHECK_ADDR(take_lease(3), "192.0.2.100");
    CHECK(root_path_is(TEST_ROOT_PATH));
}

static void a_client_identifier_stands_before_the_hardware_address_and_is_echoed(void) {
    struct lb_bytes id;
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .client_id = tap_hex("ff 00000001 0001")), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
    CHECK(lb_dhcp4_option(&t.answer, LB_OPT_CLIENT_ID, &id));
    CHECK_BYTES(id, tap_hex("ff 00000001 0001"));
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER); /* same machine, no identifier */
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.101");
    CHECK(!lb_dhcp4_option(&t.answer, LB_OPT_CLIENT_ID, &id));
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .client_id = tap_hex("ff 00000001 0001"), US,
                 .requested = v4(192, 0, 2, 107)),
             LB_DHCP4_NAK);
    CHECK(lb_dhcp4_option(&t.answer, LB_OPT_CLIENT_ID, &id)); /* RFC 6842: in a NAK too */
}

static void why_there_is_no_answer_is_told_to_the_host(void) {
    static uint8_t id[256];
    start_with(1);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .client_id = lb_bytes(id, sizeof id)), SILENCE);
    CHECK_STR(t.reply.why, "a client identifier of more than 255 bytes");
    CHECK(!t.reply.is_full);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .client_id = lb_bytes(id, 255)), LB_DHCP4_OFFER);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), -1);
    CHECK_STR(t.reply.why, "no address is free");
    CHECK(t.reply.is_full);
}

static void the_broadcast_flag_and_a_relay_are_heeded(void) {
    start(plain());
    ASK(LB_DHCP4_DISCOVER);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.100:68");
    CHECK_EQ(t.reply.to_mac[5], 1);
    ASK(LB_DHCP4_DISCOVER, .flags = LB_DHCP4_BROADCAST);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "255.255.255.255:68");
    CHECK_EQ(t.reply.to_mac[5], 0xff);
    CHECK_EQ(t.answer.header.flags, LB_DHCP4_BROADCAST);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = v4(192, 0, 2, 250)), LB_DHCP4_OFFER);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.250:67");
    CHECK_ADDR(t.answer.header.giaddr, "192.0.2.250");
    CHECK_EQ(
        ASK(LB_DHCP4_REQUEST, .giaddr = v4(192, 0, 2, 250), US, .requested = v4(192, 0, 2, 107)),
        LB_DHCP4_NAK);
    CHECK_STR(lb_endpoint_text(t.reply.to).s, "192.0.2.250:67");
    CHECK_EQ(t.answer.header.flags, LB_DHCP4_BROADCAST); /* RFC 2131 4.3.2 */
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .giaddr = v4(198, 51, 100, 1)), SILENCE);
}

static void a_long_answer_keeps_to_what_the_client_takes(void) {
    static char root_path[330] = "iscsi:";
    struct lb_dhcp4_server_config config = plain();
    memset(root_path + 6, 'x', sizeof root_path - 7);
    config.root_path = lb_bytes_of_text(root_path);
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER); /* says nothing: 576 */
    CHECK(t.reply.bytes.len <= 548);
    CHECK(root_path_is(root_path));
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .max_size = 1472), LB_DHCP4_OFFER);
    CHECK(t.reply.bytes.len > 548);
    CHECK(root_path_is(root_path));
    t.server.config.overload = true;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .max_size = 1472), LB_DHCP4_OFFER);
    CHECK(t.reply.bytes.len <= 548);
    CHECK(root_path_is(root_path));
}

static void options_of_the_caller_are_added(void) {
    struct lb_dhcp4_server_config config = plain();
    config.options = tap_hex("7908 18c63364 c00002fd 4e05 01 c000020a");
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_EQ(t.lease.route_count, 1);
    CHECK_EQ(t.lease.slp_da_count, 1);
}

static void times_are_sent_as_configured(void) {
    struct lb_dhcp4_server_config config = plain();
    config.lease_s = 100;
    config.t1_s = 10;
    config.t2_s = 20;
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER), LB_DHCP4_OFFER);
    CHECK_EQ(t.lease.lease_s, 100);
    CHECK_EQ(t.lease.t1_s, 10);
    CHECK_EQ(t.lease.t2_s, 20);
    t.server.config.lease_s = LB_DHCP4_INFINITE;
    take_lease(1);
    CHECK_EQ(t.bindings[0].until_us, LB_NEVER);
}

static void what_servers_send_is_not_answered(void) {
    start(plain());
    CHECK_EQ(ASK(LB_DHCP4_OFFER), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_ACK), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_NAK), SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_FORCERENEW), SILENCE);
}

static void a_lease_is_not_freed_by_a_wish_for_another_server(void) {
    start(plain());
    take_lease(1);
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .server_id = v4(192, 0, 2, 2), .requested = v4(192, 0, 2, 50)),
             SILENCE);
    CHECK(t.bindings[0].until_us > t.now);
}

/* Option 17 stands behind the list: it is not an item of it. */
static void a_proxy_reads_the_list_of_wishes_and_nothing_behind_it(void) {
    struct lb_dhcp4_server_config config = plain();
    config.proxy_only = true;
    start(config);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .parameters = tap_hex("01 03 06"), .root_path = tap_hex("78")),
             SILENCE);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .parameters = tap_hex("01 03 11")), LB_DHCP4_OFFER);
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .parameters = tap_hex("11 03 06")), LB_DHCP4_OFFER);
}

int main(void) {
    TEST(discover_is_offered_a_free_address_and_everything_else);
    TEST(request_of_what_was_offered_is_acknowledged);
    TEST(each_machine_gets_its_own_address_and_keeps_it);
    TEST(a_requested_address_is_given_when_it_is_free);
    TEST(our_own_and_the_routers_address_are_never_given);
    TEST(an_offer_that_nobody_takes_is_free_again_after_a_minute);
    TEST(taking_another_servers_offer_frees_ours);
    TEST(an_address_that_became_free_waits_for_its_client_while_others_are_fresh);
    TEST(a_full_pool_or_table_offers_nothing);
    TEST(a_request_of_what_was_not_offered_is_refused);
    TEST(a_lease_is_renewed_by_ciaddr);
    TEST(init_reboot_is_confirmed_refused_or_not_answered);
    TEST(a_declined_address_is_put_aside_for_as_long_as_a_lease);
    TEST(a_released_address_is_free_at_once);
    TEST(inform_is_told_everything_but_an_address);
    TEST(rapid_commit_is_granted_where_it_is_allowed);
    TEST(a_known_bootp_client_has_its_address_for_ever);
    TEST(unknown_clients_have_few_addresses_by_bootp_and_for_a_time);
    TEST(the_host_chooses_the_limits_for_unknown_clients);
    TEST(what_a_relay_added_comes_back_as_it_came);
    TEST(an_offer_is_nothing_to_keep_and_a_lease_is);
    TEST(after_a_restart_clients_are_answered_the_same);
    TEST(ten_thousand_clients_cost_what_ten_do);
    TEST(ten_thousand_known_clients_cost_what_ten_do);
    TEST(a_server_of_before_dhcp_answers_discover_by_bootp);
    TEST(a_proxy_gives_no_address_and_only_to_those_who_ask_for_a_root_path);
    TEST(a_proxy_echoes_the_machine_and_offers_a_loader_without_being_asked_for_a_disk);
    TEST(the_boot_port_tells_what_is_booted_and_gives_nothing);
    TEST(the_link_is_what_a_relay_or_the_client_says);
    TEST(a_fixed_host_gets_its_own_address_and_disk);
    TEST(a_client_identifier_stands_before_the_hardware_address_and_is_echoed);
    TEST(why_there_is_no_answer_is_told_to_the_host);
    TEST(the_broadcast_flag_and_a_relay_are_heeded);
    TEST(a_long_answer_keeps_to_what_the_client_takes);
    TEST(options_of_the_caller_are_added);
    TEST(times_are_sent_as_configured);
    TEST(what_servers_send_is_not_answered);
    TEST(a_lease_is_not_freed_by_a_wish_for_another_server);
    TEST(a_proxy_reads_the_list_of_wishes_and_nothing_behind_it);
    return tap_done();
}
