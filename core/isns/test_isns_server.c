/* The server half: what it lets whom see, and what it takes from whom. */
#include "core/isns/isns_server_state.h"
#include "core/isns/test_isns.h"
#include "tests/tap.h"

static struct lb_isns_reader reader;
static struct lb_bytes rest;

/* A request of `source`; its end is written by the test, then ask(). */
static struct lb_isns_writer request(uint16_t function, const char *source) {
    struct lb_isns_writer writer =
        lb_isns_writer(lb_span(t.request, sizeof t.request), 0, function, LB_ISNS_FROM_CLIENT, 5);
    if (source)
        lb_isns_put_text(&writer, LB_ISNS_NAME, source);
    return writer;
}

/* Gives the status, and leaves the reader at the first attribute of the answer. */
static uint32_t ask(struct lb_isns_writer *writer) {
    rest = lb_isns_server_input(&t.server, t.now, lb_isns_written(writer),
                                lb_span(t.answer, sizeof t.answer));
    lb_isns_reader_init(&reader);
    CHECK_EQ(lb_isns_reader_next(&reader, &rest), LB_ISNS_READ_MESSAGE);
    CHECK_EQ(reader.header.xid, 5);
    return reader.status;
}

/* How many attributes of this tag the answer has behind its key. */
static unsigned count(uint32_t tag) {
    unsigned found = 0;
    bool past_key = false;
    enum lb_isns_read got;
    while ((got = lb_isns_reader_next(&reader, &rest)) == LB_ISNS_READ_ATTRIBUTE) {
        found += past_key && reader.attribute.tag == tag;
        past_key |= reader.attribute.tag == LB_ISNS_DELIMITER;
    }
    CHECK_EQ(got, LB_ISNS_READ_END);
    return found;
}

static struct lb_isns_writer query(const char *source, uint32_t node_type) {
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_QRY, source);
    if (node_type)
        lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, node_type);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_empty(&writer, LB_ISNS_NAME);
    return writer;
}

static void two_targets(void) {
    test_server((struct lb_isns_server_config){0});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_node(OTHER, LB_ISNS_TARGET, 2);
    test_domain(7, LB_ISNS_BOOT_LIST, ME, TARGET);
}

static struct lb_isns_writer registration(const char *source, const char *entity) {
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_REG, source);
    if (entity)
        lb_isns_put_text(&writer, LB_ISNS_ENTITY, entity);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    return writer;
}

static void a_node_sees_what_shares_a_domain_with_it(void) {
    two_targets();
    struct lb_isns_writer writer = query(ME, 0);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 1);
    writer = query(ME, LB_ISNS_INITIATOR);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 0);
}

static void a_control_node_sees_all(void) {
    two_targets();
    test_node(ME, LB_ISNS_CONTROL, 0);
    struct lb_isns_writer writer = query(ME, LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 2);
}

static void without_domains_everyone_sees_all(void) {
    two_targets();
    t.server.config.no_domains = true;
    struct lb_isns_writer writer = query(ME, LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 2);
}

static void what_is_public_is_seen_by_everyone_and_the_rest_is_not(void) {
    two_targets();
    struct lb_isns_writer writer = query("iqn.2026-11.test:stranger", LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 0);
    lb_isns_server_publish(&t.server, lb_isns_server_find_node(&t.server, OTHER));
    lb_isns_server_publish(&t.server, LB_ISNS_NONE);
    writer = query("iqn.2026-11.test:stranger", LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 1);
    writer = query(ME, LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 2);
}

static void a_domain_of_others_is_not_shown(void) {
    two_targets();
    test_domain(8, 0, OTHER, TARGET);
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_QRY, ME);
    lb_isns_put_u32(&writer, LB_ISNS_DOMAIN_ID, 8);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_empty(&writer, LB_ISNS_DOMAIN_ID);
    lb_isns_put_empty(&writer, LB_ISNS_DOMAIN_MEMBER);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_DOMAIN_MEMBER), 0);
}

static void without_a_source_nothing_is_answered(void) {
    two_targets();
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_QRY, NULL);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_SOURCE_ABSENT);
    writer = request(LB_ISNS_DEV_ATTR_QRY, "no name at all");
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_SOURCE_ABSENT);
}

static void what_cannot_be_asked_is_refused(void) {
    two_targets();
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_QRY, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_FORMAT_ERROR); /* no delimiter */
    writer = request(LB_ISNS_DEV_ATTR_QRY, ME);
    lb_isns_put_text(&writer, LB_ISNS_ALIAS, "alias");
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_QUERY);
    writer = request(LB_ISNS_DD_REG, ME);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_MESSAGE_UNSUPPORTED);
    writer = request(LB_ISNS_DEV_ATTR_QRY, ME);
    for (unsigned i = 0; i < 2 * LB_ISNS_REQUEST_ATTRIBUTES; i++)
        lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_INTERNAL_ERROR);
}

static void answers_and_a_servers_messages_are_not_answered(void) {
    static const uint16_t functions[] = {0x8002, LB_ISNS_DEV_ATTR_QRY};
    two_targets();
    for (unsigned i = 0; i < 2; i++) {
        struct lb_isns_writer writer =
            lb_isns_writer(lb_span(t.request, sizeof t.request), 0, functions[i],
                           i ? LB_ISNS_FROM_SERVER : LB_ISNS_FROM_CLIENT, 5);
        lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
        struct lb_bytes bytes = lb_isns_written(&writer);
        CHECK_EQ(
            lb_isns_server_input(&t.server, t.now, bytes, lb_span(t.answer, sizeof t.answer)).len,
            0);
    }
}

/* ---- registration ---- */

static void an_entity_without_a_name_gets_one(void) {
    two_targets();
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, LB_ISNS_INITIATOR);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(lb_isns_reader_next(&reader, &rest), LB_ISNS_READ_ATTRIBUTE);
    CHECK_EQ(reader.attribute.tag, LB_ISNS_ENTITY);
    CHECK(reader.attribute.len > 0);
    CHECK(lb_isns_server_find_node(&t.server, ME) != LB_ISNS_NONE);
}

static void somebody_elses_entity_or_node_is_not_taken(void) {
    two_targets();
    struct lb_isns_writer writer = registration(ME, &TARGET[17]);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    writer = registration(ME, "mine");
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    writer = request(LB_ISNS_DEV_DEREG, ME);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_text(&writer, LB_ISNS_ENTITY, &OTHER[17]);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK(lb_isns_server_find_node(&t.server, TARGET) != LB_ISNS_NONE);
    CHECK(lb_isns_server_find_node(&t.server, OTHER) != LB_ISNS_NONE);
}

static void a_node_whose_name_is_none_is_not_taken(void) {
    static const char *const names[] = {"", "a b", "iqn.2026-11.test:a/\n"};
    two_targets();
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        struct lb_isns_writer writer = registration(ME, "mine");
        lb_isns_put_text(&writer, LB_ISNS_NAME, names[i]);
        lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, LB_ISNS_INITIATOR);
        CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
        CHECK(lb_isns_server_find_node(&t.server, names[i]) == LB_ISNS_NONE);
    }
}

static void a_closed_server_takes_no_registration(void) {
    two_targets();
    t.server.config.is_closed = true;
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_SOURCE_UNAUTHORIZED);
    CHECK_EQ(lb_isns_server_find_node(&t.server, ME), LB_ISNS_NONE);
    writer = query(ME, 0);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
}

/* A source is what a request says it is. */
static void what_the_owner_added_is_not_changed_under_its_own_name(void) {
    two_targets();
    t.server.config.keeps_fixed = true;
    struct lb_isns_writer writer = registration(TARGET, NULL);
    lb_isns_put_text(&writer, LB_ISNS_ALIAS, "evil");
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    writer = registration(TARGET, t.entities[0].id);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    writer = request(LB_ISNS_DEV_DEREG, TARGET);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_text(&writer, LB_ISNS_ENTITY, t.entities[0].id);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK(lb_isns_server_find_node(&t.server, TARGET) != LB_ISNS_NONE);
    CHECK_EQ(t.entities[0].until_us, LB_NEVER);
    writer = registration(ME, NULL); /* with the portal of another */
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_address(&writer, LB_ISNS_PORTAL_ADDRESS, t.portals[0].at.addr);
    lb_isns_put_u32(&writer, LB_ISNS_PORTAL_PORT, t.portals[0].at.port);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    CHECK_EQ(t.portals[0].entity, 0);
}

static void nobody_makes_himself_a_control_node(void) {
    two_targets();
    t.server.config.keeps_fixed = true;
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, LB_ISNS_CONTROL | LB_ISNS_INITIATOR);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    writer = query(ME, LB_ISNS_TARGET);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 1);
}

static void who_names_no_attribute_gets_all(void) {
    two_targets();
    struct lb_isns_writer writer = request(LB_ISNS_DEV_ATTR_QRY, ME);
    lb_isns_put_text(&writer, LB_ISNS_NAME, TARGET);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    struct lb_bytes again = rest;
    struct lb_isns_reader first = reader;
    CHECK_EQ(count(LB_ISNS_NAME), 1);
    rest = again;
    reader = first;
    CHECK_EQ(count(LB_ISNS_PORTAL_ADDRESS), 1);
}

static void a_registration_that_nobody_renews_expires(void) {
    two_targets();
    t.server.config.period_s = 60;
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    t.now += 59 * LB_US_SEC;
    writer = registration(ME, NULL);
    CHECK_EQ(ask(&writer), LB_ISNS_OK); /* renewed */
    t.now += 59 * LB_US_SEC;
    writer = query(ME, 0);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK(lb_isns_server_find_node(&t.server, ME) != LB_ISNS_NONE);
    t.now += 2 * LB_US_SEC;
    writer = query(ME, 0);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(lb_isns_server_find_node(&t.server, ME), LB_ISNS_NONE);
    CHECK(lb_isns_server_find_node(&t.server, TARGET) != LB_ISNS_NONE); /* the owner's */
}

static void the_tables_may_be_full(void) {
    two_targets();
    t.server.tables.node_cap = t.server.tables.node_count;
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_INVALID_REGISTRATION);
    CHECK_EQ(lb_isns_server_add_node(&t.server, 0, "iqn.a:new", 1, ""), LB_ISNS_NONE);
    t.server.tables.portal_cap = t.server.tables.portal_count;
    CHECK_EQ(lb_isns_server_add_portal(&t.server, 0, test_at(99, 1)), LB_ISNS_NONE);
    t.server.tables.entity_cap = t.server.tables.entity_count;
    CHECK_EQ(lb_isns_server_add_entity(&t.server, "new", LB_NEVER), LB_ISNS_NONE);
    CHECK_EQ(lb_isns_server_add_member(&t.server, 0, "no name"), LB_ISNS_NONE);
    CHECK_EQ(lb_isns_server_add_domain(&t.server, 0, "zero", 0), LB_ISNS_NONE);
}

static void a_request_of_several_pdus_is_one_request(void) {
    two_targets();
    struct lb_isns_writer writer = lb_isns_writer(lb_span(t.request, sizeof t.request), 8,
                                                  LB_ISNS_DEV_ATTR_QRY, LB_ISNS_FROM_CLIENT, 5);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_empty(&writer, LB_ISNS_NAME);
    struct lb_bytes bytes = lb_isns_written(&writer);
    CHECK_EQ(lb_isns_message_len(bytes), bytes.len);
    for (size_t len = 0; len < bytes.len; len++)
        CHECK_EQ(lb_isns_message_len(lb_bytes(bytes.p, len)), 0);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    CHECK_EQ(count(LB_ISNS_NAME), 1);
}

static void what_is_no_isns_has_no_length(void) {
    CHECK_EQ(lb_isns_message_len(lb_bytes_of_text("GET / HTTP/1.1\r\n")), SIZE_MAX);
}

/* Two requests and what is no answer between them, in pieces of every length. */
static void a_connection_answers_one_request_after_the_other_however_it_is_cut(void) {
    static struct lb_isns_connection connection;
    static uint8_t stream[2048], memory[2048], expected[2048], said[2048];
    two_targets();
    struct lb_wr out = lb_wr(lb_span(stream, sizeof stream));
    struct lb_wr want = lb_wr(lb_span(expected, sizeof expected));
    for (uint16_t xid = 1; xid <= 3; xid++) {
        struct lb_isns_writer writer =
            lb_isns_writer(lb_span(t.request, sizeof t.request), 8, LB_ISNS_DEV_ATTR_QRY,
                           xid == 2 ? LB_ISNS_FROM_SERVER : LB_ISNS_FROM_CLIENT, xid);
        lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
        lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
        lb_isns_put_empty(&writer, LB_ISNS_NAME);
        struct lb_bytes request = lb_isns_written(&writer);
        lb_wr_bytes(&out, request);
        lb_wr_bytes(
            &want, lb_isns_server_input(&t.server, t.now, request, lb_span(memory, sizeof memory)));
    }
    struct lb_bytes all = lb_wr_done(&out);
    CHECK(want.len > 40);
    for (size_t piece = 1; piece <= all.len; piece++) {
        struct lb_wr got = lb_wr(lb_span(said, sizeof said));
        struct lb_bytes bytes;
        lb_isns_connection_init(&connection);
        for (size_t at = 0; at < all.len; at += piece) {
            size_t len = LB_MIN(piece, all.len - at);
            CHECK(lb_isns_connection_where(&connection).len >= len);
            memcpy(lb_isns_connection_where(&connection).p, all.p + at, len);
            lb_isns_connection_got(&connection, len);
            CHECK_EQ(lb_isns_connection_gather(&connection, t.now, &t.server).len, 0);
            if (!connection.has_request)
                continue;
            lb_isns_connection_lend(&connection, lb_span(memory, sizeof memory));
            while ((bytes = lb_isns_connection_gather(&connection, t.now, &t.server)).len > 0) {
                CHECK_EQ(lb_isns_connection_take_back(&connection).len, 0);
                bytes.len = LB_MIN(bytes.len, piece);
                lb_wr_bytes(&got, bytes);
                lb_isns_connection_sent(&connection, bytes.len);
            }
            CHECK(lb_isns_connection_take_back(&connection).p == memory);
            CHECK_EQ(lb_isns_connection_take_back(&connection).len, 0);
        }
        CHECK_BYTES(lb_wr_done(&got), lb_bytes(expected, want.len));
        CHECK(!connection.is_over && !connection.has_request);
        CHECK_EQ(lb_isns_connection_where(&connection).len, LB_ISNS_CONNECTION_BYTES);
    }
}

static void a_connection_ends_with_what_is_no_isns_and_with_what_is_too_long(void) {
    static struct lb_isns_connection connection;
    static uint8_t memory[64];
    lb_isns_connection_init(&connection);
    memcpy(lb_isns_connection_where(&connection).p, "GET / HTTP/1.1\r\n", 16);
    lb_isns_connection_got(&connection, 11);
    CHECK(!connection.is_over);
    lb_isns_connection_got(&connection, 5);
    CHECK(connection.is_over);
    lb_isns_connection_lend(&connection, lb_span(memory, sizeof memory));
    CHECK_EQ(lb_isns_connection_gather(&connection, t.now, &t.server).len, 0);
    CHECK(lb_isns_connection_take_back(&connection).p == memory);
    /* behind a request, whose answer still goes out */
    struct lb_bytes garbage = lb_bytes_of_text("GET / HTTP/1.1\r\n");
    struct lb_isns_writer writer = lb_isns_writer(lb_span(t.request, sizeof t.request), 0,
                                                  LB_ISNS_DEV_ATTR_QRY, LB_ISNS_FROM_CLIENT, 5);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    struct lb_bytes request = lb_isns_written(&writer);
    lb_isns_connection_init(&connection);
    memcpy(lb_isns_connection_where(&connection).p, request.p, request.len);
    memcpy(lb_isns_connection_where(&connection).p + request.len, garbage.p, garbage.len);
    lb_isns_connection_got(&connection, request.len + garbage.len);
    CHECK(connection.has_request && !connection.is_over);
    lb_isns_connection_lend(&connection, lb_span(memory, sizeof memory));
    CHECK_EQ(lb_isns_connection_gather(&connection, t.now, &t.server).len, 16);
    CHECK(connection.is_over);
    lb_isns_connection_sent(&connection, 16);
    CHECK_EQ(lb_isns_connection_gather(&connection, t.now, &t.server).len, 0);
    /* PDUs without the last one's flag, until the room is full */
    lb_isns_connection_init(&connection);
    while (!connection.is_over) {
        struct lb_span room = lb_isns_connection_where(&connection);
        struct lb_bytes pdu = tap_hex("0001 0002 0004 8000 0001 0000 00000000");
        size_t len = LB_MIN(room.len, pdu.len);
        CHECK(room.len > 0);
        memcpy(room.p, pdu.p, len);
        lb_isns_connection_got(&connection, len);
    }
    CHECK_EQ(connection.request_len, LB_ISNS_CONNECTION_BYTES);
}

static uint32_t bucket_of(uint64_t secret) {
    test_server((struct lb_isns_server_config){.hash_key = {secret, secret}});
    uint32_t node = test_node(TARGET, LB_ISNS_TARGET, 1), bucket = 0;
    CHECK_EQ(lb_isns_server_find_node(&t.server, TARGET), node);
    while (bucket < LB_ISNS_BUCKETS && t.server.node_buckets[bucket] != node)
        bucket++;
    CHECK(bucket < LB_ISNS_BUCKETS);
    return bucket;
}

/* So nobody can register names that fill one bucket. */
static void where_a_name_is_kept_depends_on_the_hosts_secret(void) {
    uint32_t first = bucket_of(1);
    CHECK_EQ(bucket_of(1), first);
    CHECK(bucket_of(2) != first || bucket_of(3) != first);
}

/* Which of them goes, and which are its neighbours, does not matter. */
static void a_node_takes_its_portal_groups_with_it(void) {
    for (unsigned gone = 0; gone < 2; gone++) {
        uint32_t nodes[2], groups = 0;
        test_server((struct lb_isns_server_config){0});
        nodes[0] = test_node(TARGET, LB_ISNS_TARGET, 1);
        nodes[1] = test_node(OTHER, LB_ISNS_TARGET, 2);
        for (uint32_t i = 0; i < 6; i++)
            CHECK_EQ(lb_isns_server_add_group(&t.server, nodes[i % 3 == 0], i, 10 + i, false), i);
        lb_isns_remove_node(&t.server, nodes[gone]);
        for (size_t i = 0; i < t.server.tables.group_count; i++) {
            CHECK_EQ(t.groups[i].node, nodes[!gone]);
            groups |= 1u << t.groups[i].portal;
        }
        CHECK_EQ(groups, gone ? 0x36 : 0x09); /* each of the other's once */
        CHECK_EQ(t.server.tables.group_count, gone ? 4 : 2);
    }
}

static void a_portal_group_that_is_there_gets_a_new_tag(void) {
    test_server((struct lb_isns_server_config){0});
    uint32_t node = test_node(TARGET, LB_ISNS_TARGET, 1);
    CHECK_EQ(lb_isns_server_add_group(&t.server, node, 0, 5, false), 0);
    CHECK_EQ(lb_isns_server_add_group(&t.server, node, 1, 6, false), 1);
    CHECK_EQ(lb_isns_server_add_group(&t.server, node, 0, 7, true), 0);
    CHECK_EQ(t.server.tables.group_count, 2);
    CHECK_EQ(t.groups[0].tag, 7);
    CHECK(t.groups[0].is_null && !t.groups[1].is_null);
    for (uint32_t i = 2; i < t.server.tables.group_cap; i++)
        CHECK_EQ(lb_isns_server_add_group(&t.server, node, i, 1, false), i);
    CHECK_EQ(lb_isns_server_add_group(&t.server, node, 99, 1, false), LB_ISNS_NONE);
    CHECK_EQ(lb_isns_server_add_group(&t.server, node, 1, 8, false), 1); /* one that is there */
}

/* RFC 4171 5.6.1: an entity that has no name gets one of the server's, each another. */
static void entities_without_a_name_are_numbered(void) {
    two_targets();
    struct lb_isns_writer writer = registration(ME, NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    uint32_t node = lb_isns_server_find_node(&t.server, ME);
    CHECK_STR(t.entities[t.nodes[node].entity].id, "isns:1");
    writer = registration("iqn.2026-11.test:second", NULL);
    lb_isns_put_text(&writer, LB_ISNS_NAME, "iqn.2026-11.test:second");
    CHECK_EQ(ask(&writer), LB_ISNS_OK);
    node = lb_isns_server_find_node(&t.server, "iqn.2026-11.test:second");
    CHECK_STR(t.entities[t.nodes[node].entity].id, "isns:2");
}

int main(void) {
    TEST(a_node_sees_what_shares_a_domain_with_it);
    TEST(a_control_node_sees_all);
    TEST(without_domains_everyone_sees_all);
    TEST(what_is_public_is_seen_by_everyone_and_the_rest_is_not);
    TEST(a_domain_of_others_is_not_shown);
    TEST(without_a_source_nothing_is_answered);
    TEST(what_cannot_be_asked_is_refused);
    TEST(answers_and_a_servers_messages_are_not_answered);
    TEST(an_entity_without_a_name_gets_one);
    TEST(somebody_elses_entity_or_node_is_not_taken);
    TEST(a_node_whose_name_is_none_is_not_taken);
    TEST(a_closed_server_takes_no_registration);
    TEST(what_the_owner_added_is_not_changed_under_its_own_name);
    TEST(nobody_makes_himself_a_control_node);
    TEST(who_names_no_attribute_gets_all);
    TEST(a_registration_that_nobody_renews_expires);
    TEST(the_tables_may_be_full);
    TEST(a_request_of_several_pdus_is_one_request);
    TEST(what_is_no_isns_has_no_length);
    TEST(where_a_name_is_kept_depends_on_the_hosts_secret);
    TEST(a_connection_answers_one_request_after_the_other_however_it_is_cut);
    TEST(a_connection_ends_with_what_is_no_isns_and_with_what_is_too_long);
    TEST(a_node_takes_its_portal_groups_with_it);
    TEST(a_portal_group_that_is_there_gets_a_new_tag);
    TEST(entities_without_a_name_are_numbered);
    return tap_done();
}
