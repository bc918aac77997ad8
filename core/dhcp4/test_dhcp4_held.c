/* The DHCPv4 server: addresses that are somebody's whatever is asked, by an entry or because they
 * are in use. */
#include "core/dhcp4/test_dhcp4_server.h"

/* What a machine gets that calls itself by an identifier. */
static void check_address(struct lb_bytes client_id, const char *address) {
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .client_id = client_id), LB_DHCP4_OFFER);
    struct lb_addr offered = t.answer.header.yiaddr;
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .client_id = client_id, US, .requested = offered), LB_DHCP4_ACK);
    CHECK_ADDR(t.answer.header.yiaddr, address);
}

static void start_with_entry(void) {
    static struct lb_dhcp4_host hosts[] = {
        {.mac = {2, 0, 0, 0, 0, 1}, .address = {.family = LB_V4, .bytes = {192, 0, 2, 100}}},
    };
    struct lb_dhcp4_server_config config = plain();
    config.hosts = hosts;
    config.host_count = LB_COUNT(hosts);
    start(config);
}

static void a_fixed_address_is_the_machines_whatever_identifier_it_sends(void) {
    struct lb_bytes firmware = tap_hex("00 564d4173000041738000525400123456");
    struct lb_bytes system = tap_hex("ff 00000001 0001");
    start_with_entry();
    CHECK_EQ(ASK(LB_DHCP4_BOOTP), LB_DHCP4_BOOTP);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.100");
    check_address(firmware, "192.0.2.100");
    check_address(system, "192.0.2.100");
    check_address(lb_bytes(NULL, 0), "192.0.2.100");
    CHECK_BYTES(lb_bytes(t.reply.changed->client, t.reply.changed->client_len),
                tap_hex("01 020000000001"));
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .client_id = firmware, .ciaddr = v4(192, 0, 2, 100)),
             LB_DHCP4_ACK); /* it renews */
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2, .client_id = firmware), LB_DHCP4_OFFER);
    CHECK_ADDR(t.answer.header.yiaddr, "192.0.2.101"); /* the identifier alone is not the machine */
}

/* An address that was given before the entry was written. */
static void restore(struct lb_bytes client, struct lb_addr address) {
    struct lb_dhcp4_kept kept = {
        .client = client, .address = address, .valid_s = 3600, .leased = true};
    CHECK(lb_dhcp4_server_restore(&t.server, t.now, &kept));
}

static void an_address_that_a_machine_has_can_become_its_fixed_one(void) {
    struct lb_bytes firmware = tap_hex("00 564d4173000041738000525400123456");
    struct lb_bytes hardware = tap_hex("01 020000000001");
    start_with_entry();
    restore(firmware, v4(192, 0, 2, 100));
    check_address(firmware, "192.0.2.100");
    check_address(lb_bytes(NULL, 0), "192.0.2.100");
    start_with_entry();
    restore(firmware, v4(192, 0, 2, 100));
    restore(hardware, v4(192, 0, 2, 101));
    check_address(firmware, "192.0.2.100");
    check_address(hardware, "192.0.2.100");
    start_with_entry();
    restore(tap_hex("01 020000000009"), v4(192, 0, 2, 100)); /* another machine has it for now */
    check_address(firmware, "192.0.2.101");
    t.now += 3601 * SEC;
    check_address(firmware, "192.0.2.100");
}

static void an_address_that_is_in_use_is_kept_for_who_had_it(void) {
    start_with(1);
    CHECK_ADDR(take_lease(1), "192.0.2.100");
    t.now += 1000 * SEC;
    CHECK(lb_dhcp4_server_seen(&t.server, t.now, v4(192, 0, 2, 100)) == NULL); /* it lasts */
    t.now += 2000 * SEC;
    const struct lb_binding *row = lb_dhcp4_server_seen(&t.server, t.now, v4(192, 0, 2, 100));
    CHECK(row != NULL && row->until_us == t.now + 3600 * SEC && row->leased);
    t.now += 3500 * SEC; /* it was never renewed */
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), SILENCE);
    t.now += 101 * SEC;
    CHECK(lb_dhcp4_server_seen(&t.server, t.now, v4(192, 0, 2, 100)) == row); /* not given since */
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), SILENCE);
    t.now += 3601 * SEC;
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = 2), LB_DHCP4_OFFER);
    CHECK(lb_dhcp4_server_seen(&t.server, t.now, v4(192, 0, 2, 101)) == NULL); /* nobody's */
}

int main(void) {
    TEST(a_fixed_address_is_the_machines_whatever_identifier_it_sends);
    TEST(an_address_that_a_machine_has_can_become_its_fixed_one);
    TEST(an_address_that_is_in_use_is_kept_for_who_had_it);
    return tap_done();
}
