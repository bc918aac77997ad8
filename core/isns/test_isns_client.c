/* The client against a server made of bytes: what only a broken or a lying one would send. */
#include "core/isns/test_isns.h"
#include "tests/tap.h"

static struct lb_isns_action action;

/* A question, connected; its request is in flight. */
static void begin_as(const char *target, enum lb_isns_register registration) {
    test_server((struct lb_isns_server_config){0});
    t.config.registration = registration;
    test_target(target);
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, &t.trace);
    action = lb_isns_client_poll(&t.client, t.now);
    CHECK_EQ(action.event, LB_ISNS_CONNECT);
    CHECK_STR(lb_endpoint_text(action.to).s, "192.0.2.9:3205");
    lb_isns_client_connected(&t.client, t.now);
    action = lb_isns_client_poll(&t.client, t.now);
    CHECK_EQ(action.event, LB_ISNS_WAIT);
}

static void begin(const char *target) {
    begin_as(target, LB_ISNS_REGISTER_NEVER);
}

/* Takes what the client sends; gives the transaction number of its last request. */
static uint16_t sent(void) {
    struct lb_bytes bytes = lb_isns_client_gather(&t.client);
    uint16_t xid = 0;
    for (size_t len; (len = lb_isns_message_len(bytes)) > 0; bytes = lb_bytes_after(bytes, len)) {
        struct lb_rd rd = lb_rd(bytes);
        lb_rd_skip(&rd, 8);
        xid = lb_rd_u16(&rd);
    }
    bytes = lb_isns_client_gather(&t.client);
    lb_isns_client_sent(&t.client, t.now, bytes.len);
    return xid;
}

static struct lb_isns_writer answer(uint16_t function, uint16_t xid, uint32_t status) {
    struct lb_isns_writer writer =
        lb_isns_writer(lb_span(t.answer, sizeof t.answer), 0, function, LB_ISNS_FROM_SERVER, xid);
    if (function & LB_ISNS_ANSWER)
        lb_isns_put_status(&writer, status);
    return writer;
}

static void give(struct lb_bytes bytes) {
    struct lb_span span = lb_isns_client_where(&t.client);
    if (!CHECK(bytes.len <= span.len))
        return;
    memcpy(span.p, bytes.p, bytes.len);
    lb_isns_client_got(&t.client, t.now, bytes.len);
    action = lb_isns_client_poll(&t.client, t.now);
}

static void give_answer(struct lb_isns_writer *writer) {
    give(lb_isns_written(writer));
}

static struct lb_isns_writer begin_query_answer(void) {
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    return writer;
}

static void put_portal(struct lb_isns_writer *writer, uint8_t last) {
    lb_isns_put_address(writer, LB_ISNS_PORTAL_ADDRESS, lb_addr_v4(192, 0, 2, last));
    lb_isns_put_u32(writer, LB_ISNS_PORTAL_PORT, 3260);
}

static const char *portal(void) {
    static struct lb_addr_text text;
    if (action.event != LB_ISNS_FOUND)
        return "nothing";
    text = lb_endpoint_text(action.found->portal);
    return text.s;
}

static void next(void) {
    action = lb_isns_client_poll(&t.client, t.now);
}

static void ends_done(unsigned found) {
    CHECK_EQ(action.event, LB_ISNS_CLOSE);
    next();
    CHECK_EQ(action.event, LB_ISNS_DONE);
    CHECK_EQ(t.client.counts.found, found);
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK_EQ(action.until_us, LB_NEVER);
}

static void ends_failed(enum lb_code code, const char *facts) {
    CHECK_EQ(action.event, LB_ISNS_CLOSE);
    next();
    CHECK_EQ(action.event, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, code);
    CHECK_HAS(lb_isns_client_error(&t.client)->facts, facts);
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK_EQ(action.until_us, LB_NEVER);
}

/* ---- what servers leave out ---- */

static void without_tag_type_and_port_the_defaults_hold(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put_address(&writer, LB_ISNS_PORTAL_ADDRESS, lb_addr_v4(192, 0, 2, 1));
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    CHECK_EQ(action.found->portal_group, 1);
    next();
    ends_done(1);
}

static void a_port_of_zero_is_the_canonical_one(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put_address(&writer, LB_ISNS_PORTAL_ADDRESS, lb_addr_v4(192, 0, 2, 1));
    lb_isns_put_u32(&writer, LB_ISNS_PORTAL_PORT, 0);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
}

static void an_entity_may_come_first(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put_text(&writer, LB_ISNS_ENTITY, "array-1");
    lb_isns_put_u32(&writer, LB_ISNS_ENTITY_PROTOCOL, 2);
    put_portal(&writer, 1);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
}

static void tags_may_come_in_group_objects_of_their_own(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    put_portal(&writer, 1);
    put_portal(&writer, 2);
    for (uint8_t i = 2; i >= 1; i--) {
        lb_isns_put_text(&writer, LB_ISNS_GROUP_NAME, TARGET);
        lb_isns_put_address(&writer, LB_ISNS_GROUP_ADDRESS, lb_addr_v4(192, 0, 2, i));
        lb_isns_put_u32(&writer, LB_ISNS_GROUP_PORT, 3260);
        lb_isns_put_u32(&writer, LB_ISNS_GROUP_TAG, 10 + i);
    }
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    CHECK_EQ(action.found->portal_group, 11);
    next();
    CHECK_EQ(action.found->portal_group, 12);
}

static void a_name_in_upper_case_is_the_same_name(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put_text(&writer, LB_ISNS_NAME, "IQN.2001-04.com.EXAMPLE:disk");
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    CHECK_STR(action.found->target, TARGET);
}

static void an_answer_without_a_delimiter_is_empty(void) {
    begin(TARGET);
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    give_answer(&writer);
    ends_done(0);
    CHECK_EQ(t.client.counts.unregistered, 1);
}

/* What is put without a NUL and a padding. */
static void put_bare(struct lb_isns_writer *writer, uint32_t tag, const char *text) {
    lb_isns_put(writer, tag, lb_bytes_of_text(text));
}

static void a_delimiter_may_be_left_out(void) {
    begin(TARGET);
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, 1);
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    next();
    ends_done(1);
}

static void a_name_of_whole_words_needs_no_nul(void) {
    static const char name[] = "iqn.2001-04.com.example:sn01";
    _Static_assert((sizeof name - 1) % 4 == 0, "nothing is padded");
    begin(name);
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    put_bare(&writer, LB_ISNS_NAME, name);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    put_bare(&writer, LB_ISNS_NAME, name);
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    CHECK_STR(action.found->target, name);
}

/* The flags of the sender: of neither, of the client (the request's, given back), of both. */
static void who_answers_is_the_server(void) {
    static const uint8_t flags[] = {0x0c, 0x8c, 0xcc};
    for (size_t i = 0; i < sizeof flags; i++) {
        begin(TARGET);
        struct lb_isns_writer writer = begin_query_answer();
        put_portal(&writer, 1);
        struct lb_bytes bytes = lb_isns_written(&writer);
        uint8_t room[512];
        memcpy(room, bytes.p, bytes.len);
        room[6] = flags[i];
        give(lb_bytes(room, bytes.len));
        CHECK_STR(portal(), "192.0.2.1:3260");
    }
}

/* ---- what servers say that was not asked ---- */

static void another_node_than_the_one_asked_for_is_passed_over(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put_text(&writer, LB_ISNS_NAME, OTHER);
    put_portal(&writer, 66);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    next();
    ends_done(1);
}

static void an_answer_to_nothing_is_passed_over(void) {
    begin(TARGET);
    uint16_t xid = sent();
    struct lb_isns_writer writer = answer(0x8002, (uint16_t)(xid + 1), 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    put_portal(&writer, 66);
    give_answer(&writer);
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    writer = answer(0x8002, xid, 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
}

static void an_answer_that_comes_twice_counts_once(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    put_portal(&writer, 1);
    struct lb_bytes bytes = lb_isns_written(&writer);
    memcpy(t.request, bytes.p, bytes.len);
    memcpy(t.request + bytes.len, bytes.p, bytes.len);
    give(lb_bytes(t.request, 2 * bytes.len));
    CHECK_STR(portal(), "192.0.2.1:3260");
    next();
    ends_done(1);
}

static void more_portals_than_there_is_room_for_are_counted(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    for (uint8_t i = 1; i <= 20; i++)
        put_portal(&writer, i);
    give_answer(&writer);
    for (uint8_t i = 0; i < LB_PORTALS_MAX; i++, next())
        CHECK_EQ(action.event, LB_ISNS_FOUND);
    ends_done(LB_PORTALS_MAX);
    CHECK_EQ(t.client.counts.dropped, 20 - LB_PORTALS_MAX);
}

static void values_of_a_wrong_length_are_passed_over(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put(&writer, LB_ISNS_PORTAL_ADDRESS, lb_bytes_of_text("4 by"));
    lb_isns_put_u32(&writer, LB_ISNS_PORTAL_PORT, 1);
    put_portal(&writer, 1);
    lb_isns_put(&writer, LB_ISNS_PORTAL_PORT, lb_bytes_of_text("8 bytes."));
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
    next();
    ends_done(1);
}

static void a_value_longer_than_any_we_know_is_read_over(void) {
    static const uint8_t certificate[3000];
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    lb_isns_put(&writer, 31, lb_bytes(certificate, sizeof certificate));
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_STR(portal(), "192.0.2.1:3260");
}

static void a_name_that_is_none_is_no_member(void) {
    begin("");
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 0); /* not legal */
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 5);
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 5);
    give_answer(&writer);
    CHECK_EQ(t.client.counts.domains, 1);
    writer = answer(0x8002, sent(), 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_FEATURES, 0xffffffff);
    give_answer(&writer);
    writer = answer(0x8002, sent(), 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_text(&writer, LB_ISNS_DOMAIN_MEMBER, "%s%n");
    lb_isns_put_text(&writer, LB_ISNS_DOMAIN_MEMBER, "iqn.with a blank");
    lb_isns_put_text(&writer, LB_ISNS_DOMAIN_MEMBER, "iqn.2001-04.com.example:\x1b[2J");
    lb_isns_put_empty(&writer, LB_ISNS_DOMAIN_MEMBER);
    char name[230];
    lb_format(name, sizeof name, "iqn.2001-04.com.example:%0200u", 1u);
    lb_isns_put_text(&writer, LB_ISNS_DOMAIN_MEMBER, name); /* 224 bytes: one too long */
    give_answer(&writer);
    ends_done(0);
    CHECK_EQ(t.client.counts.members, 0);
}

/* ---- refusals ---- */

static void a_refusal_is_the_end_with_its_reason(void) {
    begin(TARGET);
    struct lb_isns_writer writer = answer(0x8002, sent(), LB_ISNS_INVALID_QUERY);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_REFUSED, "192.0.2.9:3205: status 5, invalid query");
}

static void who_is_not_authorised_is_told_so(void) {
    begin(TARGET);
    struct lb_isns_writer writer = answer(0x8002, sent(), LB_ISNS_SOURCE_UNAUTHORIZED);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_SOURCE, "source unauthorized");
}

static void a_server_that_demands_what_it_then_refuses_is_no_endless_loop(void) {
    begin_as(TARGET, LB_ISNS_REGISTER_AUTO);
    struct lb_isns_writer writer = answer(0x8002, sent(), LB_ISNS_SOURCE_UNKNOWN);
    give_answer(&writer);
    writer = answer(0x8001, sent(), 0);
    give_answer(&writer);
    CHECK(t.client.is_registered);
    writer = answer(0x8002, sent(), LB_ISNS_SOURCE_UNKNOWN);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_SOURCE, "source unknown");
}

static void a_registration_that_is_refused_is_not_fatal_where_nobody_demanded_it(void) {
    begin_as(TARGET, LB_ISNS_REGISTER_AUTO);
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    give_answer(&writer);
    writer = answer(0x8001, sent(), LB_ISNS_INVALID_REGISTRATION);
    give_answer(&writer);
    writer = answer(0x8002, sent(), LB_ISNS_NO_SUCH_ENTRY);
    give_answer(&writer);
    ends_done(0);
}

static void an_address_that_is_registered_by_another_is_left_out(void) {
    test_server((struct lb_isns_server_config){0});
    t.config.registration = LB_ISNS_REGISTER_ALWAYS;
    t.config.own_address = lb_addr_v4(192, 0, 2, 3);
    test_target(TARGET);
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, &t.trace);
    next();
    lb_isns_client_connected(&t.client, t.now);
    next();
    size_t with = lb_isns_client_gather(&t.client).len;
    struct lb_isns_writer writer = answer(0x8001, sent(), LB_ISNS_INVALID_REGISTRATION);
    give_answer(&writer);
    CHECK_EQ(lb_isns_client_gather(&t.client).len, with - 24 - 12);
    writer = answer(0x8001, sent(), LB_ISNS_INVALID_REGISTRATION);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_REFUSED, "invalid registration");
}

static void a_registration_that_is_refused_ends_the_question(void) {
    begin_as(TARGET, LB_ISNS_REGISTER_AUTO);
    struct lb_isns_writer writer = answer(0x8002, sent(), LB_ISNS_SOURCE_ABSENT);
    give_answer(&writer);
    writer = answer(0x8001, sent(), LB_ISNS_INVALID_REGISTRATION);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_REFUSED, "invalid registration");
}

static void domains_are_walked_where_the_server_does_not_list_them(void) {
    begin("");
    struct lb_isns_writer writer = answer(0x8002, sent(), LB_ISNS_NO_SUCH_ENTRY);
    give_answer(&writer);
    CHECK_BYTES(lb_bytes_after(lb_isns_client_gather(&t.client), 60),
                tap_hex("00000811 00000000 00000000 00000000"
                        "00000811 00000000 0000081e 00000000"));
    for (uint32_t id = 3; id <= 5; id += 2) {
        writer = answer(0x8003, sent(), 0);
        lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, id);
        lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
        lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, id);
        if (id == 5)
            lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_FEATURES, 1);
        give_answer(&writer);
        CHECK_EQ(t.client.counts.domains, id / 2);
    }
    CHECK_BYTES(lb_bytes_after(lb_isns_client_gather(&t.client), 60),
                tap_hex("00000811 00000004 00000005 00000000 00000000"
                        "00000811 00000000 0000081e 00000000"));
    writer = answer(0x8003, sent(), LB_ISNS_NO_SUCH_ENTRY);
    give_answer(&writer);
    CHECK_BYTES(lb_bytes_after(lb_isns_client_gather(&t.client), 60),
                tap_hex("00000811 00000004 00000005 00000000 00000000"
                        "00000811 00000000 00000814 00000000"));
    CHECK_EQ(t.client.counts.boot_domains, 1);
}

static void a_walk_that_goes_in_circles_ends(void) {
    begin("");
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    give_answer(&writer);
    for (unsigned i = 0; i < 2; i++) {
        writer = answer(0x8003, sent(), 0);
        lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 7);
        lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
        give_answer(&writer);
    }
    ends_done(0);
    CHECK_EQ(t.client.counts.domains, 1);
}

static void a_server_without_boot_lists_has_none(void) {
    begin("");
    struct lb_isns_writer writer = answer(0x8002, sent(), 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 5);
    give_answer(&writer);
    writer = answer(0x8002, sent(), LB_ISNS_ATTRIBUTE_UNSUPPORTED);
    give_answer(&writer);
    ends_done(0);
    CHECK_HAS(test_explain(), "none with the boot list enabled");
}

/* ---- a broken stream ---- */

static void an_answer_of_another_kind_is_a_broken_protocol(void) {
    begin(TARGET);
    struct lb_isns_writer writer = answer(0x8001, sent(), 0);
    give_answer(&writer);
    ends_failed(LB_E_ISNS_PROTOCOL, "an answer of kind 8001 to a request of 2");
}

static void what_is_no_isns_is_known_by_its_first_bytes(void) {
    begin(TARGET);
    sent();
    give(lb_bytes_of_text("SSH-2.0-OpenSSH_9.2\r\n"));
    ends_failed(LB_E_ISNS_PROTOCOL, "192.0.2.9:3205: a version that is not 1");
}

static void a_signed_answer_is_refused(void) {
    begin(TARGET);
    struct lb_isns_writer writer = begin_query_answer();
    struct lb_bytes bytes = lb_isns_written(&writer);
    t.answer[6] |= 0x20;
    give(bytes);
    ends_failed(LB_E_ISNS_PROTOCOL, "authentication block");
}

/* ---- requests of the server ---- */

static void an_esi_is_answered_with_its_attributes(void) {
    begin(TARGET);
    uint16_t xid = sent();
    struct lb_isns_writer writer = answer(LB_ISNS_ESI, 77, 0);
    lb_isns_put(&writer, LB_ISNS_TIMESTAMP, lb_bytes_of_text("12345678"));
    lb_isns_put_text(&writer, LB_ISNS_ENTITY, "me");
    put_portal(&writer, 1);
    give_answer(&writer);
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK_BYTES(lb_isns_client_gather(&t.client),
                tap_hex("0001 800d 0044 8c00 004d 0000 00000000"
                        "00000004 00000008 3132333435363738 00000001 00000004 6d650000"
                        "00000010 00000010 00000000000000000000ffffc0000201"
                        "00000011 00000004 00000cbc"));
    sent();
    writer = answer(0x8002, xid, 0);
    give_answer(&writer);
    ends_done(0);
}

static void an_scn_is_answered_with_its_destination(void) {
    begin(TARGET);
    sent();
    struct lb_isns_writer writer = answer(LB_ISNS_SCN, 78, 0);
    lb_isns_put_text(&writer, LB_ISNS_NAME, "iqn.a:b");
    lb_isns_put(&writer, LB_ISNS_TIMESTAMP, lb_bytes_of_text("12345678"));
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    give_answer(&writer);
    CHECK_BYTES(lb_isns_client_gather(&t.client), tap_hex("0001 8008 0014 8c00 004e 0000 00000000"
                                                          "00000020 00000008 69716e2e613a6200"));
}

static void other_requests_are_not_supported(void) {
    begin(TARGET);
    sent();
    struct lb_isns_writer writer = answer(LB_ISNS_DEV_ATTR_QRY, 79, 0);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    give_answer(&writer);
    CHECK_BYTES(lb_isns_client_gather(&t.client),
                tap_hex("0001 8002 0004 8c00 004f 0000 0000000f"));
}

static void a_flood_of_requests_is_answered_as_far_as_there_is_room(void) {
    begin(TARGET);
    sent();
    for (unsigned i = 0; i < 500; i++) {
        struct lb_isns_writer writer = answer(LB_ISNS_ESI, (uint16_t)i, 0);
        lb_isns_put_text(&writer, LB_ISNS_ENTITY, "a-name-of-middling-length");
        give_answer(&writer);
    }
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK(lb_isns_client_gather(&t.client).len <= LB_ISNS_TX_BYTES);
}

/* ---- the host ---- */

static void calls_that_come_too_late_or_too_early_do_nothing(void) {
    begin(TARGET);
    lb_isns_client_connected(&t.client, t.now);
    struct lb_isns_writer writer = begin_query_answer();
    give_answer(&writer);
    ends_done(0);
    lb_isns_client_connected(&t.client, t.now);
    lb_isns_client_lost(&t.client, t.now, NULL);
    CHECK_EQ(lb_isns_client_where(&t.client).len, 0);
    CHECK_EQ(lb_isns_client_gather(&t.client).len, 0);
    lb_isns_client_got(&t.client, t.now, 1);
    CHECK(!lb_isns_client_input(&t.client, t.now, test_at(9, 3205), lb_bytes("", 0)));
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK_EQ(action.until_us, LB_NEVER);
}

static void a_connection_that_is_not_made_in_time_is_closed(void) {
    test_server((struct lb_isns_server_config){0});
    t.config.connect_ms = 700;
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, &t.trace);
    next();
    CHECK_EQ(action.event, LB_ISNS_CONNECT);
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK_EQ(action.until_us, t.now + 700 * LB_US_MS);
    t.now = action.until_us;
    next();
    ends_failed(LB_E_ISNS_CONNECT, "192.0.2.9:3205: no answer");
}

static void a_server_that_drips_is_given_up(void) {
    begin(TARGET);
    sent();
    uint64_t began = t.now;
    struct lb_isns_writer writer = answer(0x8002, 1, 0);
    struct lb_bytes bytes = lb_isns_written(&writer);
    for (size_t i = 0; i < bytes.len && action.event == LB_ISNS_WAIT; i++) {
        t.now += 5 * LB_US_SEC;
        give(lb_bytes(bytes.p + i, 1));
    }
    CHECK_EQ(t.now - began, 30 * LB_US_SEC);
    ends_failed(LB_E_ISNS_TIMEOUT, "not answered within 30000 ms");
}

/* ---- datagrams ---- */

static void datagrams_of_others_and_broken_ones_are_ignored(void) {
    test_server((struct lb_isns_server_config){0});
    t.config.udp = true;
    test_target(TARGET);
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, &t.trace);
    next();
    if (!CHECK_EQ(action.event, LB_ISNS_SEND))
        return;
    CHECK_STR(lb_endpoint_text(action.to).s, "192.0.2.9:3205");
    uint16_t xid = (uint16_t)(action.bytes.p[8] << 8 | action.bytes.p[9]);
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    struct lb_isns_writer writer = answer(0x8002, xid, 0);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    put_portal(&writer, 1);
    struct lb_bytes bytes = lb_isns_written(&writer);
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(!lb_isns_client_input(&t.client, t.now, test_at(9, 3205), lb_bytes(bytes.p, len)));
    CHECK(!lb_isns_client_input(&t.client, t.now, test_at(8, 3205), bytes));
    CHECK(!lb_isns_client_input(&t.client, t.now, test_at(9, 3206), bytes));
    CHECK_EQ(t.client.ignored, bytes.len + 2);
    t.answer[9] ^= 1; /* another transaction */
    CHECK(!lb_isns_client_input(&t.client, t.now, test_at(9, 3205), bytes));
    t.answer[9] ^= 1;
    next();
    CHECK_EQ(action.event, LB_ISNS_WAIT);
    CHECK(lb_isns_client_input(&t.client, t.now, test_at(9, 3205), bytes));
    next();
    CHECK_STR(portal(), "192.0.2.1:3260");
    next();
    CHECK_EQ(action.event, LB_ISNS_DONE);
}

int main(void) {
    TEST(without_tag_type_and_port_the_defaults_hold);
    TEST(a_port_of_zero_is_the_canonical_one);
    TEST(an_entity_may_come_first);
    TEST(tags_may_come_in_group_objects_of_their_own);
    TEST(a_name_in_upper_case_is_the_same_name);
    TEST(an_answer_without_a_delimiter_is_empty);
    TEST(a_delimiter_may_be_left_out);
    TEST(a_name_of_whole_words_needs_no_nul);
    TEST(who_answers_is_the_server);
    TEST(another_node_than_the_one_asked_for_is_passed_over);
    TEST(an_answer_to_nothing_is_passed_over);
    TEST(an_answer_that_comes_twice_counts_once);
    TEST(more_portals_than_there_is_room_for_are_counted);
    TEST(values_of_a_wrong_length_are_passed_over);
    TEST(a_value_longer_than_any_we_know_is_read_over);
    TEST(a_name_that_is_none_is_no_member);
    TEST(a_refusal_is_the_end_with_its_reason);
    TEST(who_is_not_authorised_is_told_so);
    TEST(a_server_that_demands_what_it_then_refuses_is_no_endless_loop);
    TEST(a_registration_that_is_refused_is_not_fatal_where_nobody_demanded_it);
    TEST(an_address_that_is_registered_by_another_is_left_out);
    TEST(a_registration_that_is_refused_ends_the_question);
    TEST(domains_are_walked_where_the_server_does_not_list_them);
    TEST(a_walk_that_goes_in_circles_ends);
    TEST(a_server_without_boot_lists_has_none);
    TEST(an_answer_of_another_kind_is_a_broken_protocol);
    TEST(what_is_no_isns_is_known_by_its_first_bytes);
    TEST(a_signed_answer_is_refused);
    TEST(an_esi_is_answered_with_its_attributes);
    TEST(an_scn_is_answered_with_its_destination);
    TEST(other_requests_are_not_supported);
    TEST(a_flood_of_requests_is_answered_as_far_as_there_is_room);
    TEST(calls_that_come_too_late_or_too_early_do_nothing);
    TEST(a_connection_that_is_not_made_in_time_is_closed);
    TEST(a_server_that_drips_is_given_up);
    TEST(datagrams_of_others_and_broken_ones_are_ignored);
    return tap_done();
}
