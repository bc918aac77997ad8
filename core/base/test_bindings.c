/* The table of addresses that both DHCP servers give out. */
#include "core/base/bindings.h"
#include "tests/tap.h"

#define ROWS 10000
#define SEC  UINT64_C(1000000)

static struct {
    struct lb_binding rows[ROWS];
    struct lb_bindings table;
    struct lb_addr first, last;
    uint64_t now;
} t;

static void start(size_t rows, uint32_t addresses) {
    memset(&t, 0, sizeof t);
    t.now = 1000 * SEC;
    t.first = lb_addr_v4(10, 0, 0, 1);
    uint32_t last = 1 + addresses - 1;
    t.last = lb_addr_v4(10, 0, (uint8_t)(last >> 8), (uint8_t)last);
    lb_bindings_init(&t.table, t.rows, rows, (struct lb_hash_key){1, 2});
}

static struct lb_bytes name(uint32_t client) {
    static uint8_t bytes[4];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_wr_u32(&wr, client);
    return lb_wr_done(&wr);
}

static struct lb_binding *put(struct lb_binding *row, uint32_t client, struct lb_addr address,
                              uint64_t seconds) {
    struct lb_binding_terms terms = {
        .client = name(client), .address = address, .until_us = t.now + seconds * SEC};
    return lb_bindings_put(&t.table, t.now, row, &terms);
}

/* A client comes as a server would have it: its own address, or a free one. */
static struct lb_binding *serve(uint32_t client, uint64_t seconds) {
    struct lb_pool_search search = {0};
    struct lb_binding *row = lb_bindings_find(&t.table, name(client));
    struct lb_addr address;
    if (row != NULL)
        return put(row, client, row->address, seconds);
    if (!lb_bindings_have_room(&t.table, t.now) ||
        !lb_bindings_next_free(&t.table, t.now, t.first, t.last, &search, &address))
        return NULL;
    return put(NULL, client, address, seconds);
}

static uint64_t most_steps(uint32_t from, uint32_t to, uint64_t seconds) {
    uint64_t most = 0;
    for (uint32_t client = from; client < to; client++) {
        uint64_t before = t.table.steps;
        CHECK(serve(client, seconds) != NULL);
        most = LB_MAX(most, t.table.steps - before);
    }
    return most;
}

static void the_ten_thousandth_client_costs_what_the_tenth_does(void) {
    start(ROWS, ROWS);
    CHECK(most_steps(0, 10, 100) <= 32);
    CHECK(most_steps(10, ROWS, 100) <= 32);
    CHECK(most_steps(0, ROWS, 3600) <= 48); /* each renews: it goes down through the heap */
}

static void a_full_table_costs_no_more_to_refuse_or_to_turn_over(void) {
    start(ROWS, ROWS);
    (void)most_steps(0, ROWS, 100);
    uint64_t before = t.table.steps;
    CHECK(serve(ROWS, 100) == NULL);
    CHECK(t.table.steps - before <= 32);
    t.now += 200 * SEC;
    CHECK(most_steps(ROWS, 2 * ROWS, 100) <= 64); /* new clients, after all bindings have expired */
    before = t.table.steps;
    CHECK(serve(2 * ROWS, 100) == NULL);
    CHECK(t.table.steps - before <= 32);
}

static void a_full_pool_costs_a_bounded_search(void) {
    start(ROWS, 5000);
    (void)most_steps(0, 5000, 100);
    uint64_t before = t.table.steps;
    CHECK(serve(5000, 100) == NULL);
    CHECK(serve(5001, 100) == NULL);
    CHECK(t.table.steps - before <= 2 * 4 * LB_BINDINGS_TRIES + 5000);
    before = t.table.steps;
    CHECK(serve(5002, 100) == NULL);
    CHECK(t.table.steps - before <= 4 * LB_BINDINGS_TRIES);
    t.now += 200 * SEC;
    CHECK(most_steps(5000, 10000, 100) <= 64);
    CHECK(most_steps(5000, 10000, 100) <= 64);
}

static void a_client_is_found_and_keeps_its_address_after_it_expired(void) {
    start(4, 10);
    struct lb_addr address = serve(1, 10)->address;
    t.now += 100 * SEC;
    CHECK(!lb_binding_is_alive(lb_bindings_find(&t.table, name(1)), t.now));
    CHECK(!lb_addr_equal(serve(2, 10)->address, address)); /* others are free */
    CHECK(lb_addr_equal(serve(1, 10)->address, address));
    CHECK(lb_bindings_find(&t.table, name(3)) == NULL);
}

static void rows_are_taken_from_who_expired_the_longest_ago(void) {
    start(3, 10);
    serve(1, 30);
    serve(2, 10);
    serve(3, 20);
    CHECK(serve(4, 10) == NULL);
    t.now += 25 * SEC;
    CHECK(serve(4, 100) != NULL);
    CHECK(lb_bindings_find(&t.table, name(2)) == NULL);
    CHECK(lb_bindings_find(&t.table, name(3)) != NULL);
    CHECK(serve(5, 100) != NULL);
    CHECK(lb_bindings_find(&t.table, name(3)) == NULL);
    CHECK(serve(6, 100) == NULL); /* the first is alive */
}

static void addresses_of_others_are_given_when_no_fresh_one_is_left(void) {
    start(8, 3);
    struct lb_addr second;
    serve(1, 100);
    second = serve(2, 10)->address;
    serve(3, 100);
    CHECK(serve(4, 100) == NULL);
    t.now += 20 * SEC;
    CHECK(lb_addr_equal(serve(4, 100)->address, second));
    CHECK(lb_bindings_find(&t.table, name(2)) == NULL);
    CHECK_EQ(lb_bindings_holder(&t.table, second)->client[3], 4);
}

static void a_row_that_became_blank_serves_again(void) {
    start(2, 5);
    struct lb_addr address = serve(1, 10)->address;
    t.now += 20 * SEC;
    CHECK(put(NULL, 2, address, 100) != NULL); /* it asked for this one */
    CHECK(lb_bindings_find(&t.table, name(1)) == NULL);
    CHECK(serve(1, 100) != NULL);
    CHECK(!lb_bindings_have_room(&t.table, t.now));
}

static void an_address_that_was_put_aside_is_nobodys_until_its_time_is_over(void) {
    start(4, 1);
    struct lb_binding *row = serve(1, 10);
    struct lb_binding_terms aside = {
        .address = row->address, .until_us = t.now + 50 * SEC, .declined = true};
    lb_bindings_put(&t.table, t.now, row, &aside);
    CHECK(lb_bindings_find(&t.table, name(1)) == NULL);
    CHECK(serve(1, 10) == NULL);
    t.now += 60 * SEC;
    CHECK(serve(1, 10) != NULL);
}

static void the_last_addresses_of_a_network_are_in_the_pool(void) {
    start(4, 1);
    t.first = lb_addr_v4(255, 255, 255, 253);
    t.last = lb_addr_v4(255, 255, 255, 254);
    CHECK(serve(1, 10) != NULL && serve(2, 10) != NULL);
    CHECK(serve(3, 10) == NULL);
    static const uint8_t first[16] = {0x20, 1, 0xd, 0xb8};
    static const uint8_t last[16] = {0x20, 1,   0xd, 0xb8, 0,   0,   0,   0,
                                     255,  255, 255, 255,  255, 255, 255, 255};
    start(4, 1);
    t.first = lb_addr_v6_bytes(first);
    t.last = lb_addr_v6_bytes(last);
    CHECK_STR(lb_addr_text(serve(1, 10)->address).s, "2001:db8::");
    CHECK_STR(lb_addr_text(serve(2, 10)->address).s, "2001:db8::1");
    CHECK(lb_pool_has(t.first, t.last, t.last));
    CHECK(!lb_pool_has(t.first, t.last, lb_addr_v4(10, 0, 0, 1)));
}

/* Many random acts; after each, nobody alive shares an address, and everybody is found. */
static void random_acts_keep_the_table_whole(void) {
    uint64_t dice = 88172645463325252u;
    start(16, 20);
    for (unsigned act = 0; act < 20000; act++) {
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
        uint32_t client = (uint32_t)(dice >> 8) % 40;
        t.now += (dice >> 20) % 3 * SEC;
        struct lb_binding *row = lb_bindings_find(&t.table, name(client));
        if (dice % 5 == 0 && row != NULL)
            lb_bindings_set_until(&t.table, row, t.now);
        else
            (void)serve(client, (dice >> 32) % 30);
        unsigned alive = 0;
        for (unsigned i = 0; i < 16; i++) {
            struct lb_binding *at = &t.rows[i];
            if (!lb_addr_is_set(at->address))
                continue;
            alive += lb_binding_is_alive(at, t.now);
            if (lb_bindings_holder(&t.table, at->address) != at ||
                lb_bindings_find(&t.table, lb_bytes(at->client, at->client_len)) != at) {
                tap_check(__FILE__, __LINE__, "each row is found by its client and its address",
                          false);
                return;
            }
        }
        CHECK_EQ(lb_bindings_have_room(&t.table, t.now), alive < 16);
    }
}

int main(void) {
    TEST(the_ten_thousandth_client_costs_what_the_tenth_does);
    TEST(a_full_table_costs_no_more_to_refuse_or_to_turn_over);
    TEST(a_full_pool_costs_a_bounded_search);
    TEST(a_client_is_found_and_keeps_its_address_after_it_expired);
    TEST(rows_are_taken_from_who_expired_the_longest_ago);
    TEST(addresses_of_others_are_given_when_no_fresh_one_is_left);
    TEST(a_row_that_became_blank_serves_again);
    TEST(an_address_that_was_put_aside_is_nobodys_until_its_time_is_over);
    TEST(the_last_addresses_of_a_network_are_in_the_pool);
    TEST(random_acts_keep_the_table_whole);
    return tap_done();
}
