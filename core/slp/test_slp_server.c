/* The service agent and the directory agent: what they answer, and to whom not. */
#include "core/slp/slp_server.h"
#include "core/slp/test_slp.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

#define NAME1 "iqn.2001-04.com.example:one"
#define NAME2 "iqn.2001-04.com.example:two"
#define URL1  "service:iscsi:target://192.0.2.3:3260/" NAME1
#define URL2  "service:iscsi:target://192.0.2.3:3260/" NAME2
#define SMS   "service:iscsi:sms://192.0.2.3"

static struct lb_slp_registration services[3];
static struct lb_slp_slot slots[2];
static struct lb_slp_server server;
static uint64_t now;
static uint8_t room[2048];

static void serve(struct lb_slp_server_config config) {
    struct lb_bytes scopes = text("DEFAULT,lab");
    services[0] = (struct lb_slp_registration){
        .url = text(URL1),
        .type = text(TEST_TYPE),
        .scopes = scopes,
        .lifetime_s = 300,
        .attributes = text("(iscsi-name=" NAME1 "),(portal-group=1),(boot-list=iscsi),loud"),
    };
    services[1] = (struct lb_slp_registration){
        .url = text(URL2),
        .type = text(TEST_TYPE),
        .scopes = text("lab"),
        .attributes = text("(iscsi-name=" NAME2 "),(portal-group=2)"),
    };
    services[2] = (struct lb_slp_registration){
        .url = text(SMS),
        .type = text(LB_SLP_TYPE_SMS),
        .scopes = scopes,
        .attributes = text("(protocols=isns)"),
    };
    now = 1000 * SEC;
    config.address = addr("192.0.2.3");
    config.scopes = "DEFAULT,lab";
    config.services = services;
    config.service_count = LB_COUNT(services);
    lb_slp_server_init(&server, &config, slots, LB_COUNT(slots));
}

/* What came back. */
static struct {
    struct lb_bytes bytes;
    struct lb_slp_header header;
    struct lb_bytes body;
    uint16_t error, count;
    struct lb_slp_entry entries[3];
} back;

static bool input(struct lb_bytes bytes, bool is_multicast) {
    const char *why;
    memset(&back, 0, sizeof back);
    back.bytes = lb_slp_server_input(&server, now, bytes, is_multicast, lb_span(room, sizeof room));
    if (back.bytes.len == 0)
        return false;
    CHECK(lb_slp_decode(back.bytes, &back.header, &back.body, &why));
    struct lb_rd rd = lb_rd(back.body);
    back.error = lb_rd_u16(&rd);
    back.count = lb_rd_u16(&rd);
    for (size_t i = 0;
         back.header.function == LB_SLP_SRV_RPLY && i < back.count && i < LB_COUNT(back.entries);
         i++)
        back.entries[i] = lb_slp_rd_entry(&rd);
    return true;
}

struct ask {
    enum lb_slp_function function;
    const char *type, *scopes, *predicate, *responders, *spi;
    bool is_multicast;
};

static bool ask(struct ask ask) {
    static uint8_t bytes[1500];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    struct lb_slp_request request = {
        .responders = text(ask.responders ? ask.responders : ""),
        .type = text(ask.type ? ask.type : TEST_TYPE),
        .scopes = text(ask.scopes ? ask.scopes : "DEFAULT"),
        .predicate = text(ask.predicate ? ask.predicate : ""),
        .spi = text(ask.spi ? ask.spi : ""),
    };
    lb_slp_begin(&wr, ask.function ? ask.function : LB_SLP_SRV_RQST,
                 ask.is_multicast ? LB_SLP_MCAST : 0, 77, text("de"));
    lb_slp_put_request(&wr, &request);
    return input(lb_slp_finish(&wr), ask.is_multicast);
}

#define ASK(...)    ask((struct ask){__VA_ARGS__})
#define SERVICE()   serve((struct lb_slp_server_config){0})
#define DIRECTORY() serve((struct lb_slp_server_config){.is_directory = true, .boot_s = 5})

/* ---- services ---- */

static void a_service_is_found_by_its_attributes(void) {
    SERVICE();
    CHECK(ASK(.predicate = "(iscsi-name=" NAME1 ")"));
    CHECK_EQ(back.header.function, LB_SLP_SRV_RPLY);
    CHECK_EQ(back.header.xid, 77);
    CHECK_BYTES(back.header.language, text("de"));
    CHECK_EQ(back.error, LB_SLP_OK);
    CHECK_EQ(back.count, 1);
    CHECK_BYTES(back.entries[0].url, text(URL1));
    CHECK_EQ(back.entries[0].lifetime_s, 300);
}

static void the_answer_to_the_vector_is_the_vector(void) {
    SERVICE();
    services[0].url = text(TEST_URL);
    services[0].attributes = text("(iscsi-name=" TEST_TARGET ")");
    CHECK(input(tap_hex(VECTOR_REQUEST), true));
    CHECK_BYTES(back.bytes, tap_hex(VECTOR_REPLY));
}

static void scopes_keep_services_apart(void) {
    SERVICE();
    CHECK(ASK(.scopes = "default"));
    CHECK_EQ(back.count, 1);
    CHECK(ASK(.scopes = "LAB"));
    CHECK_EQ(back.count, 2);
    CHECK_EQ(back.entries[1].lifetime_s, 65535);
}

static void an_abstract_type_stands_for_its_concrete_ones(void) {
    SERVICE();
    CHECK(ASK(.type = "service:iscsi", .scopes = "lab"));
    CHECK_EQ(back.count, 3);
    CHECK(ASK(.type = "SERVICE:iscsi:SMS"));
    CHECK_EQ(back.count, 1);
    CHECK(ASK(.type = "service:isc"));
    CHECK_EQ(back.count, 0);
}

static void who_asks_directly_is_always_answered(void) {
    SERVICE();
    CHECK(ASK(.predicate = "(iscsi-name=iqn.none)"));
    CHECK_EQ(back.error, LB_SLP_OK);
    CHECK_EQ(back.count, 0);
    CHECK(ASK(.scopes = "other"));
    CHECK_EQ(back.error, LB_SLP_SCOPE_NOT_SUPPORTED);
    CHECK(ASK(.predicate = "iscsi-name=x"));
    CHECK_EQ(back.error, LB_SLP_PARSE_ERROR);
    CHECK(ASK(.spi = "key"));
    CHECK_EQ(back.error, LB_SLP_AUTHENTICATION_UNKNOWN);
    CHECK(ASK(.type = ""));
    CHECK_EQ(back.error, LB_SLP_PARSE_ERROR);
}

static void a_multicast_gets_no_errors_and_no_empty_answers(void) {
    SERVICE();
    CHECK(!ASK(.predicate = "(iscsi-name=iqn.none)", .is_multicast = true));
    CHECK(!ASK(.scopes = "other", .is_multicast = true));
    CHECK(!ASK(.predicate = "iscsi-name=x", .is_multicast = true));
    CHECK(!ASK(.spi = "key", .is_multicast = true));
    CHECK(!ASK(.function = LB_SLP_ATTR_RQST, .type = "service:none", .is_multicast = true));
    CHECK(!ASK(.function = LB_SLP_SRV_TYPE_RQST, .is_multicast = true));
    CHECK(ASK(.is_multicast = true));
}

static void who_is_listed_keeps_silent(void) {
    SERVICE();
    CHECK(ASK(.responders = "192.0.2.30,192.0.2.4", .is_multicast = true));
    CHECK(!ASK(.responders = "192.0.2.30,192.0.2.3", .is_multicast = true));
}

static void what_does_not_fit_overflows(void) {
    serve((struct lb_slp_server_config){.mtu = 120});
    CHECK(ASK(.scopes = "lab"));
    CHECK_EQ(back.header.flags, LB_SLP_OVERFLOW);
    CHECK_EQ(back.count, 1);
    CHECK(back.bytes.len <= 120);
    struct lb_rd rd = lb_rd(lb_bytes_after(back.body, 4));
    lb_slp_rd_entry(&rd);
    CHECK(lb_rd_done(&rd));
}

/* CVE-2023-29552: replies 2200 times as long as a forged request. */
static void no_datagram_is_longer_than_the_mtu(void) {
    static struct lb_slp_registration many[2000];
    static uint8_t large[65536];
    DIRECTORY();
    for (size_t i = 0; i < LB_COUNT(many); i++)
        many[i] = services[0];
    server.config.services = many;
    server.config.service_count = LB_COUNT(many);
    struct lb_bytes reply = lb_slp_server_input(&server, now, tap_hex(VECTOR_REQUEST), false,
                                                lb_span(large, sizeof large));
    CHECK(reply.len <= 1400);
    CHECK(ASK(.type = "service:iscsi"));
    CHECK(back.bytes.len > 1300 && back.bytes.len <= 1400);
    CHECK(ASK(.function = LB_SLP_ATTR_RQST));
    CHECK(back.bytes.len <= 1400);
    CHECK_EQ(back.header.flags, LB_SLP_OVERFLOW);
}

static void replies_and_malformed_requests_are_not_answered(void) {
    SERVICE();
    CHECK(!input(tap_hex(VECTOR_REPLY), false));
    CHECK(!input(back.bytes, false));
    struct lb_bytes whole = tap_hex(VECTOR_REQUEST);
    for (size_t len = 0; len < whole.len; len++)
        CHECK(!input(lb_bytes(whole.p, len), false));
}

static void a_malformed_request_of_one_who_asks_directly_is_a_parse_error(void) {
    SERVICE();
    struct lb_bytes cut = tap_hex("0201000015 0000 000000 1234 0002656e 0000 ffff 00");
    CHECK(input(cut, false));
    CHECK_EQ(back.error, LB_SLP_PARSE_ERROR);
    CHECK(!input(cut, true));
}

static void an_extension_that_has_to_be_understood_is_an_error(void) {
    SERVICE();
    struct lb_bytes request = tap_hex("0201000028 0000 000023 1234 0002656e 0000 0002 613a 0007 "
                                      "44454641554c54 0000 0000 4001 000000");
    CHECK(input(request, false));
    CHECK_EQ(back.error, LB_SLP_OPTION_NOT_UNDERSTOOD);
}

/* ---- agents ---- */

static void a_directory_agent_tells_of_itself(void) {
    struct lb_slp_da_advert advert;
    DIRECTORY();
    CHECK(ASK(.type = LB_SLP_TYPE_DIRECTORY, .is_multicast = true));
    CHECK_EQ(back.header.function, LB_SLP_DA_ADVERT);
    CHECK(lb_slp_decode_da_advert(back.body, &advert));
    CHECK_EQ(advert.boot_s, 5);
    CHECK_STR(lb_addr_text(lb_slp_agent_url(advert.url)).s, "192.0.2.3");
    CHECK_BYTES(advert.scopes, text("DEFAULT,lab"));
    CHECK(ASK(.type = LB_SLP_TYPE_DIRECTORY, .scopes = ""));
    CHECK(!ASK(.type = LB_SLP_TYPE_DIRECTORY, .scopes = "other", .is_multicast = true));
    CHECK(!ASK(.type = LB_SLP_TYPE_SERVICE, .scopes = "", .is_multicast = true));
}

static void a_service_agent_tells_of_itself(void) {
    struct lb_slp_sa_advert advert;
    SERVICE();
    CHECK(ASK(.type = LB_SLP_TYPE_SERVICE, .scopes = "", .is_multicast = true));
    CHECK(lb_slp_decode_sa_advert(back.body, &advert));
    CHECK_BYTES(advert.url, text("service:service-agent://192.0.2.3"));
    CHECK(!ASK(.type = LB_SLP_TYPE_DIRECTORY, .is_multicast = true));
    server.config.address = addr("2001:db8::3");
    CHECK(ASK(.type = LB_SLP_TYPE_SERVICE, .scopes = ""));
    CHECK(lb_slp_decode_sa_advert(back.body, &advert));
    CHECK_BYTES(advert.url, text("service:service-agent://[2001:db8::3]"));
}

/* ---- attributes ---- */

static struct lb_bytes attributes(void) {
    struct lb_slp_attr_reply reply = {0};
    CHECK_EQ(back.header.function, LB_SLP_ATTR_RPLY);
    CHECK(lb_slp_decode_attr_reply(back.body, &reply));
    return reply.attributes;
}

static void attributes_of_a_url_are_told(void) {
    SERVICE();
    CHECK(ASK(.function = LB_SLP_ATTR_RQST, .type = URL1));
    CHECK_BYTES(attributes(), services[0].attributes);
    CHECK(ASK(.function = LB_SLP_ATTR_RQST, .type = URL1, .predicate = "portal-group,LOUD"));
    CHECK_BYTES(attributes(), text("(portal-group=1),loud"));
    CHECK(ASK(.function = LB_SLP_ATTR_RQST, .type = URL1, .predicate = "boot*"));
    CHECK_BYTES(attributes(), text("(boot-list=iscsi)"));
    CHECK(ASK(.function = LB_SLP_ATTR_RQST, .type = "service:iscsi:target://192.0.2.9/x"));
    CHECK_EQ(attributes().len, 0);
    CHECK(ASK(.function = LB_SLP_ATTR_RQST, .scopes = "lab", .predicate = "portal-group"));
    CHECK_BYTES(attributes(), text("(portal-group=1),(portal-group=2)"));
}

/* ---- registrations ---- */

#define URL3 "service:iscsi:target://192.0.2.4/iqn.2001-04.com.example:three"

struct reg {
    const char *url, *type, *scopes, *attributes;
    uint16_t lifetime_s;
    bool is_update;
};

static uint16_t reg(struct reg reg) {
    static uint8_t bytes[4096];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_slp_begin(&wr, LB_SLP_SRV_REG, reg.is_update ? 0 : LB_SLP_FRESH, 7, text("en"));
    lb_slp_put_entry(&wr, reg.lifetime_s, text(reg.url ? reg.url : URL3));
    lb_slp_put_text(&wr, reg.type ? reg.type : TEST_TYPE);
    lb_slp_put_text(&wr, reg.scopes ? reg.scopes : "DEFAULT");
    lb_slp_put_text(&wr, reg.attributes ? reg.attributes : "(a=1)");
    lb_wr_u8(&wr, 0);
    if (!input(lb_slp_finish(&wr), false))
        return UINT16_MAX;
    CHECK_EQ(back.header.function, LB_SLP_SRV_ACK);
    return back.error;
}

static uint16_t dereg(const char *url, const char *tags) {
    static uint8_t bytes[1500];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_slp_begin(&wr, LB_SLP_SRV_DEREG, 0, 7, text("en"));
    lb_slp_put_text(&wr, "DEFAULT");
    lb_slp_put_entry(&wr, 0, text(url));
    lb_slp_put_text(&wr, tags);
    return input(lb_slp_finish(&wr), false) ? back.error : UINT16_MAX;
}

#define REG(...) reg((struct reg){.lifetime_s = 60, __VA_ARGS__})
#define OPEN()                                                                                     \
    serve((struct lb_slp_server_config){.is_directory = true, .takes_registrations = true})

static uint16_t three_are_found(void) {
    CHECK(ASK(.predicate = "(a=1)"));
    return back.count;
}

static void a_registration_lives_as_long_as_it_says(void) {
    OPEN();
    CHECK_EQ(REG(.attributes = "(a=1)"), LB_SLP_OK);
    CHECK_EQ(three_are_found(), 1);
    CHECK_BYTES(back.entries[0].url, text(URL3));
    now += 20 * SEC;
    three_are_found();
    CHECK_EQ(back.entries[0].lifetime_s, 40);
    now += 40 * SEC;
    CHECK_EQ(three_are_found(), 0);
}

static void a_registration_is_taken_back(void) {
    OPEN();
    REG(.attributes = "(a=1)");
    CHECK_EQ(dereg(URL3, "a"), LB_SLP_INVALID_UPDATE);
    CHECK_EQ(dereg(URL3, ""), LB_SLP_OK);
    CHECK_EQ(three_are_found(), 0);
    CHECK_EQ(dereg(URL3, ""), LB_SLP_INVALID_REGISTRATION);
}

static void a_registration_is_renewed(void) {
    OPEN();
    CHECK_EQ(REG(.is_update = true), LB_SLP_INVALID_UPDATE);
    CHECK_EQ(REG(.attributes = "(b=1)"), LB_SLP_OK);
    CHECK_EQ(REG(.is_update = true), LB_SLP_OK);
    CHECK_EQ(three_are_found(), 1);
}

static void invalid_registrations_are_refused(void) {
    static char long_list[1500];
    OPEN();
    CHECK_EQ(reg((struct reg){.lifetime_s = 0}), LB_SLP_INVALID_REGISTRATION);
    CHECK_EQ(REG(.url = "http://192.0.2.3/"), LB_SLP_INVALID_REGISTRATION);
    CHECK_EQ(REG(.type = ""), LB_SLP_INVALID_REGISTRATION);
    CHECK_EQ(REG(.attributes = "(a=1"), LB_SLP_INVALID_REGISTRATION);
    CHECK_EQ(REG(.scopes = "other"), LB_SLP_SCOPE_NOT_SUPPORTED);
    memset(long_list, 'x', sizeof long_list - 1);
    CHECK_EQ(REG(.attributes = long_list), LB_SLP_INVALID_REGISTRATION);
    CHECK_EQ(three_are_found(), 0);
}

static void a_full_table_is_busy(void) {
    OPEN();
    CHECK_EQ(REG(.url = URL1), LB_SLP_OK);
    CHECK_EQ(REG(.url = URL2), LB_SLP_OK);
    CHECK_EQ(REG(.url = URL3), LB_SLP_BUSY);
    now += 60 * SEC;
    CHECK_EQ(REG(.url = URL3), LB_SLP_OK);
}

static void nobody_registers_unless_that_is_switched_on(void) {
    DIRECTORY();
    CHECK_EQ(REG(.is_update = false), LB_SLP_AUTHENTICATION_ABSENT);
    CHECK_EQ(dereg(URL1, ""), LB_SLP_AUTHENTICATION_ABSENT);
    serve((struct lb_slp_server_config){.takes_registrations = true});
    CHECK_EQ(REG(.is_update = false), UINT16_MAX); /* a service agent has nothing to say to that */
}

/* The room for a request, less what is there of it. */
static void received_bytes_go_behind_those_that_came_before(void) {
    static struct lb_slp_connection connection;
    lb_slp_connection_init(&connection);
    for (size_t len = 0; len < LB_SLP_REQUEST_MAX; len += 100) {
        struct lb_span where = lb_slp_connection_where(&connection);
        CHECK(where.p == connection.request + len);
        CHECK_EQ(where.len, LB_SLP_REQUEST_MAX - len);
        lb_slp_connection_got(&connection, LB_MIN(100, where.len));
    }
    CHECK_EQ(lb_slp_connection_where(&connection).len, 0);
}

int main(void) {
    TEST(a_service_is_found_by_its_attributes);
    TEST(the_answer_to_the_vector_is_the_vector);
    TEST(scopes_keep_services_apart);
    TEST(an_abstract_type_stands_for_its_concrete_ones);
    TEST(who_asks_directly_is_always_answered);
    TEST(a_multicast_gets_no_errors_and_no_empty_answers);
    TEST(who_is_listed_keeps_silent);
    TEST(what_does_not_fit_overflows);
    TEST(no_datagram_is_longer_than_the_mtu);
    TEST(replies_and_malformed_requests_are_not_answered);
    TEST(a_malformed_request_of_one_who_asks_directly_is_a_parse_error);
    TEST(an_extension_that_has_to_be_understood_is_an_error);
    TEST(a_directory_agent_tells_of_itself);
    TEST(a_service_agent_tells_of_itself);
    TEST(attributes_of_a_url_are_told);
    TEST(a_registration_lives_as_long_as_it_says);
    TEST(a_registration_is_taken_back);
    TEST(a_registration_is_renewed);
    TEST(invalid_registrations_are_refused);
    TEST(a_full_table_is_busy);
    TEST(nobody_registers_unless_that_is_switched_on);
    TEST(received_bytes_go_behind_those_that_came_before);
    return tap_done();
}
