/* Rows are numbered from 1 inside: 0 is none. Row i is also the head of bucket i, and place i of
 * the heap, so the indexes need no memory of their own. */
#include "core/base/bindings.h"

static struct lb_binding *row_at(struct lb_bindings *table, uint32_t number) {
    return &table->rows[number - 1];
}

static uint32_t number_of(const struct lb_bindings *table, const struct lb_binding *row) {
    return (uint32_t)(row - table->rows) + 1;
}

static struct lb_bytes client_of(const struct lb_binding *row) {
    return lb_bytes(row->client, row->client_len);
}

static struct lb_binding *bucket(const struct lb_bindings *table, struct lb_bytes key) {
    return &table->rows[lb_siphash(&table->key, key) % table->cap];
}

static struct lb_bytes key_of(const struct lb_addr *address) {
    return lb_bytes(address->bytes, address->family == LB_V4 ? 4 : 16);
}

/* ---- the two indexes ---- */

static void link_client(struct lb_bindings *table, struct lb_binding *row) {
    if (row->client_len == 0)
        return;
    struct lb_binding *head = bucket(table, client_of(row));
    row->client_next = head->client_head;
    head->client_head = number_of(table, row);
}

static void unlink_client(struct lb_bindings *table, struct lb_binding *row) {
    if (row->client_len == 0)
        return;
    uint32_t *at = &bucket(table, client_of(row))->client_head;
    for (; row_at(table, *at) != row; at = &row_at(table, *at)->client_next)
        table->steps++;
    *at = row->client_next;
}

static void link_address(struct lb_bindings *table, struct lb_binding *row) {
    if (!lb_addr_is_set(row->address))
        return;
    struct lb_binding *head = bucket(table, key_of(&row->address));
    row->address_next = head->address_head;
    head->address_head = number_of(table, row);
}

static void unlink_address(struct lb_bindings *table, struct lb_binding *row) {
    if (!lb_addr_is_set(row->address))
        return;
    uint32_t *at = &bucket(table, key_of(&row->address))->address_head;
    for (; row_at(table, *at) != row; at = &row_at(table, *at)->address_next)
        table->steps++;
    *at = row->address_next;
}

struct lb_binding *lb_bindings_find(struct lb_bindings *table, struct lb_bytes client) {
    if (table->cap == 0 || client.len == 0)
        return NULL;
    for (uint32_t at = bucket(table, client)->client_head; at != 0;
         at = row_at(table, at)->client_next) {
        table->steps++;
        if (lb_bytes_equal(client_of(row_at(table, at)), client))
            return row_at(table, at);
    }
    return NULL;
}

struct lb_binding *lb_bindings_holder(struct lb_bindings *table, struct lb_addr address) {
    if (table->cap == 0 || !lb_addr_is_set(address))
        return NULL;
    for (uint32_t at = bucket(table, key_of(&address))->address_head; at != 0;
         at = row_at(table, at)->address_next) {
        table->steps++;
        if (lb_addr_equal(row_at(table, at)->address, address))
            return row_at(table, at);
    }
    return NULL;
}

/* ---- the heap: what expires first is at place 1; only used rows are in it ---- */

static void place(struct lb_bindings *table, uint32_t at, uint32_t number) {
    row_at(table, at)->heap = number;
    row_at(table, number)->heap_at = at;
}

static uint64_t time_at(struct lb_bindings *table, uint32_t at) {
    return row_at(table, row_at(table, at)->heap)->until_us;
}

static void swap(struct lb_bindings *table, uint32_t a, uint32_t b) {
    uint32_t number = row_at(table, a)->heap;
    table->steps++;
    place(table, a, row_at(table, b)->heap);
    place(table, b, number);
}

static void settle(struct lb_bindings *table, uint32_t at) {
    for (; at > 1 && time_at(table, at) < time_at(table, at / 2); at /= 2)
        swap(table, at, at / 2);
    for (uint32_t least = at;; at = least) {
        for (uint32_t child = 2 * at; child <= 2 * at + 1 && child <= table->heap_count; child++)
            if (time_at(table, child) < time_at(table, least))
                least = child;
        if (least == at)
            return;
        swap(table, at, least);
    }
}

/* ---- rows ---- */

void lb_bindings_clear(struct lb_bindings *table) {
    memset(table->rows, 0, table->cap * sizeof *table->rows);
    table->used = table->heap_count = table->blank = 0;
    table->cursor = 0;
    table->has_wrapped = false;
}

void lb_bindings_init(struct lb_bindings *table, struct lb_binding *rows, size_t cap,
                      struct lb_hash_key key) {
    lb_assert(cap < UINT32_MAX / 4);
    *table = (struct lb_bindings){.rows = rows, .cap = (uint32_t)cap, .key = key};
    lb_bindings_clear(table);
}

bool lb_binding_is_alive(const struct lb_binding *binding, uint64_t now_us) {
    return now_us < binding->until_us;
}

/* What expired the longest ago; NULL: nothing has. */
static struct lb_binding *oldest(const struct lb_bindings *table, uint64_t now_us) {
    if (table->heap_count == 0)
        return NULL;
    struct lb_binding *row = &table->rows[table->rows[0].heap - 1];
    return lb_binding_is_alive(row, now_us) ? NULL : row;
}

bool lb_bindings_have_room(const struct lb_bindings *table, uint64_t now_us) {
    return table->blank != 0 || table->used < table->cap || oldest(table, now_us) != NULL;
}

void lb_bindings_set_until(struct lb_bindings *table, struct lb_binding *row, uint64_t until_us) {
    row->until_us = until_us;
    settle(table, row->heap_at);
}

const struct lb_binding *lb_bindings_keep(struct lb_bindings *table, uint64_t now_us,
                                          struct lb_addr address, uint64_t lease_us) {
    struct lb_binding *row = lb_bindings_holder(table, address);
    if (row == NULL || row->client_len == 0 || row->until_us > now_us + lease_us / 2)
        return NULL;
    lb_bindings_set_until(table, row, now_us + lease_us);
    return row;
}

static void enter_heap(struct lb_bindings *table, struct lb_binding *row) {
    place(table, ++table->heap_count, number_of(table, row));
}

static void leave_heap(struct lb_bindings *table, struct lb_binding *row) {
    uint32_t at = row->heap_at, last = table->heap_count--;
    row->heap_at = 0;
    if (at == last)
        return;
    place(table, at, row_at(table, last)->heap);
    settle(table, at);
}

/* An expired row becomes blank: its address goes to somebody else. */
static void vacate(struct lb_bindings *table, struct lb_binding *row) {
    unlink_client(table, row);
    unlink_address(table, row);
    leave_heap(table, row);
    row->client_len = 0;
    row->address = (struct lb_addr){0};
    row->until_us = 0;
    row->leased = row->declined = row->bootp = false;
    row->client_next = table->blank;
    table->blank = number_of(table, row);
}

static struct lb_binding *new_row(struct lb_bindings *table, uint64_t now_us) {
    uint32_t number = table->blank;
    if (number == 0 && table->used == table->cap)
        return oldest(table, now_us);
    if (number == 0)
        number = ++table->used;
    else
        table->blank = row_at(table, number)->client_next;
    enter_heap(table, row_at(table, number));
    return row_at(table, number);
}

struct lb_binding *lb_bindings_put(struct lb_bindings *table, uint64_t now_us,
                                   struct lb_binding *row, const struct lb_binding_terms *terms) {
    struct lb_binding *holder = lb_bindings_holder(table, terms->address);
    lb_assert(terms->client.len <= LB_BINDING_CLIENT_MAX);
    lb_assert(holder == NULL || holder == row || !lb_binding_is_alive(holder, now_us));
    if (holder != NULL && holder != row)
        vacate(table, holder);
    if (row == NULL)
        row = new_row(table, now_us);
    if (row == NULL)
        return NULL;
    unlink_client(table, row);
    unlink_address(table, row);
    row->client_len = (uint8_t)terms->client.len;
    if (terms->client.len > 0)
        memmove(row->client, terms->client.p, terms->client.len);
    row->address = terms->address;
    row->leased = terms->leased;
    row->declined = terms->declined;
    row->bootp = terms->bootp;
    link_client(table, row);
    link_address(table, row);
    lb_bindings_set_until(table, row, terms->until_us);
    return row;
}

bool lb_bindings_restore(struct lb_bindings *table, uint64_t now_us,
                         const struct lb_binding_terms *terms) {
    struct lb_binding *row = lb_bindings_find(table, terms->client);
    struct lb_binding *holder = lb_bindings_holder(table, terms->address);
    if ((row != NULL && row->until_us > terms->until_us) ||
        (holder != NULL && holder != row && holder->until_us > terms->until_us))
        return false;
    if (holder != NULL && holder != row)
        vacate(table, holder);
    return lb_bindings_put(table, now_us, row, terms) != NULL;
}

uint32_t lb_binding_valid_s(const struct lb_binding *binding, uint64_t now_us) {
    if (binding->until_us == LB_NEVER)
        return UINT32_MAX;
    uint64_t left_us = binding->until_us > now_us ? binding->until_us - now_us : 0;
    return (uint32_t)LB_MIN((left_us + LB_US_SEC - 1) / LB_US_SEC, UINT32_MAX - 1);
}

uint64_t lb_binding_until_us(uint32_t valid_s, uint64_t now_us) {
    return valid_s == UINT32_MAX ? LB_NEVER : now_us + valid_s * LB_US_SEC;
}

/* ---- the pool ---- */

/* IPv6 pools lie in the lower half of one network's addresses. */
static uint64_t value_of(struct lb_addr address) {
    struct lb_rd rd = lb_rd(lb_bytes(address.bytes, 16));
    if (address.family == LB_V4)
        return lb_rd_u32(&rd);
    lb_rd_skip(&rd, 8);
    return lb_rd_u64(&rd);
}

static struct lb_addr address_of(struct lb_addr first, uint64_t value) {
    struct lb_wr wr = lb_wr(lb_span(first.bytes, 16));
    if (first.family == LB_V4) {
        lb_wr_u32(&wr, (uint32_t)value);
        return first;
    }
    wr = lb_wr(lb_span(first.bytes + 8, 8));
    lb_wr_u64(&wr, value);
    return first;
}

bool lb_pool_has(struct lb_addr first, struct lb_addr last, struct lb_addr address) {
    if (!lb_addr_is_set(first) || first.family != address.family)
        return false;
    if (first.family == LB_V6 && memcmp(first.bytes, address.bytes, 8) != 0)
        return false;
    return value_of(address) >= value_of(first) && value_of(address) <= value_of(last);
}

/* The next address under the cursor, which starts anew behind the last. */
static struct lb_addr step(struct lb_bindings *table, struct lb_addr first, struct lb_addr last) {
    uint64_t low = value_of(first), count = value_of(last) - low;
    if (table->cursor > count)
        table->cursor = 0; /* the pool has become smaller */
    table->steps++;
    struct lb_addr address = address_of(first, low + table->cursor);
    if (table->cursor++ == count) {
        table->cursor = 0;
        table->has_wrapped = true;
    }
    return address;
}

bool lb_bindings_next_free(struct lb_bindings *table, uint64_t now_us, struct lb_addr first,
                           struct lb_addr last, struct lb_pool_search *search,
                           struct lb_addr *address) {
    if (!lb_addr_is_set(first) || value_of(last) < value_of(first))
        return false;
    while (!table->has_wrapped) { /* addresses that were never given */
        *address = step(table, first, last);
        if (lb_bindings_holder(table, *address) == NULL)
            return true;
    }
    const struct lb_binding *row = oldest(table, now_us);
    if (!search->has_tried_oldest && row != NULL && lb_pool_has(first, last, row->address)) {
        search->has_tried_oldest = true;
        *address = row->address;
        return true;
    }
    while (search->tries++ < LB_BINDINGS_TRIES) {
        *address = step(table, first, last);
        const struct lb_binding *holder = lb_bindings_holder(table, *address);
        if (holder == NULL || !lb_binding_is_alive(holder, now_us))
            return true;
    }
    return false;
}
