/* Messages to a server with a few nodes, one after the other: LL and as many bytes. */
#include "core/isns/test_isns.h"
#include "tests/fuzz.h"

/* LL, and as many bytes, or what is left. */
static struct lb_bytes take(struct lb_rd *rd) {
    size_t len = lb_rd_u16(rd);
    return lb_rd_bytes(rd, LB_MIN(len, rd->left));
}

static void check_tables(void) {
    const struct lb_isns_tables *tables = &t.server.tables;
    lb_assert(tables->node_count <= tables->node_cap && tables->portal_count <= tables->portal_cap);
    lb_assert(tables->entity_count <= tables->entity_cap);
    for (uint32_t i = 0; i < tables->node_count; i++) {
        if (!tables->nodes[i].name[0])
            continue;
        lb_assert(lb_isns_server_find_node(&t.server, tables->nodes[i].name) == i);
        lb_assert(tables->entities[tables->nodes[i].entity].id[0]);
    }
}

/* Small tables, so that they fill up. */
static void start(uint8_t flags) {
    struct lb_isns_tables tables = {
        .entities = t.entities,
        .nodes = t.nodes,
        .portals = t.portals,
        .groups = t.groups,
        .domains = t.domains,
        .members = t.members,
        .entity_cap = 6,
        .node_cap = 6,
        .portal_cap = 6,
        .group_cap = 4,
        .domain_cap = 4,
        .member_cap = 8,
    };
    struct lb_isns_server_config config = {
        .knows_registered_only = flags & 1,
        .no_domains = flags & 2,
        .says_no_such_entry = flags & 4,
        .pdu_max = flags & 8 ? 16 : 0,
        .is_closed = flags & 32,
        .keeps_fixed = flags & 64,
    };
    lb_isns_server_init(&t.server, &config, &tables);
    t.now = LB_US_SEC;
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_node(OTHER, flags & 16 ? LB_ISNS_CONTROL : LB_ISNS_TARGET, 2);
    lb_isns_server_add_group(&t.server, 0, 0, 3, false);
    test_domain(7, LB_ISNS_BOOT_LIST, ME, TARGET);
}

/* The same bytes as a stream of TCP: it never goes beyond its room, and always comes to rest. */
static void run_connection(struct lb_bytes stream) {
    static struct lb_isns_connection connection;
    static uint8_t memory[512];
    lb_isns_connection_init(&connection);
    for (struct lb_bytes piece; stream.len > 0 && !connection.is_over;) {
        struct lb_span room = lb_isns_connection_where(&connection);
        size_t len = LB_MIN(LB_MIN(room.len, stream.len), 1 + stream.len % 61);
        lb_assert(len > 0);
        memcpy(room.p, stream.p, len);
        stream = lb_bytes_after(stream, len);
        lb_isns_connection_got(&connection, len);
        if (connection.memory.len == 0 && connection.has_request)
            lb_isns_connection_lend(&connection, lb_span(memory, sizeof memory));
        while ((piece = lb_isns_connection_gather(&connection, t.now, &t.server)).len > 0)
            lb_isns_connection_sent(&connection, LB_MIN(piece.len, 7));
        check_tables();
        lb_assert(lb_isns_connection_take_back(&connection).len <= sizeof memory);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    static uint8_t room[8192];
    start(lb_rd_u8(&rd));
    while (rd.left >= 2) {
        struct lb_bytes message = take(&rd);
        struct lb_bytes answer =
            lb_isns_server_input(&t.server, t.now, message, lb_span(room, sizeof room));
        struct lb_isns_reader reader;
        enum lb_isns_read got;
        check_tables();
        t.now += 600 * LB_US_SEC;
        if (answer.len == 0)
            continue;
        lb_assert(lb_isns_message_len(answer) == answer.len);
        lb_isns_reader_init(&reader);
        do {
            got = lb_isns_reader_next(&reader, &answer);
            lb_assert(got != LB_ISNS_READ_BROKEN);
        } while (got != LB_ISNS_READ_END);
    }
    run_connection(lb_bytes(data, size));
    return 0;
}
