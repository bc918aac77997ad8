/* Addresses that a server gives to its clients: the table of DHCPv4 and of DHCPv6.
 *
 * A binding is one client's address, for a time. It is found by its client and by its address
 * through two hash indexes, and what expires first stands at the top of a heap: no call walks over
 * the table, so that the 10,000th client costs what the tenth does. The rows are the caller's; the
 * indexes live in them, so a row is changed through these calls only.
 *
 *   blank --put--> offered, leased, put aside --time--> expired --put for another--> ...
 *
 * An expired row keeps its client and its address, so that the client may have the same address
 * again. Rows and addresses of others are taken from who expired the longest ago, and only when no
 * blank row, or no address that was never given, is left. An address is in one row at most. */
#ifndef LB_BASE_BINDINGS_H
#define LB_BASE_BINDINGS_H

#include "core/base/addr.h"
#include "core/base/siphash.h"

#define LB_BINDING_CLIENT_MAX 255

struct lb_binding {
    uint8_t client[LB_BINDING_CLIENT_MAX]; /* who has it; client_len 0: nobody (put aside) */
    uint8_t client_len;
    struct lb_addr address;
    uint64_t until_us;
    bool leased, declined, bootp;
    /* The table's own. Rows count from 1, so that zero is none. */
    uint32_t client_head, client_next, address_head, address_next;
    uint32_t heap, heap_at; /* the row at this place of the heap; this row's place */
};

struct lb_bindings {
    struct lb_binding *rows; /* the caller's */
    uint32_t cap;
    struct lb_hash_key key;
    uint32_t used;       /* rows that were ever put */
    uint32_t blank;      /* of those, the first that is blank again, linked by client_next */
    uint32_t heap_count; /* the others */
    uint64_t cursor;     /* offset into the pool: where a search for an address goes on */
    bool has_wrapped;    /* it has been through the whole pool once */
    uint64_t steps; /* rows and addresses looked at since init: what a test holds bounds against */
};

/* Empty. rows stay the caller's, are all the table's, and outlive it. */
void lb_bindings_init(struct lb_bindings *table, struct lb_binding *rows, size_t cap,
                      struct lb_hash_key key);
/* Forgets everybody. */
void lb_bindings_clear(struct lb_bindings *table);

/* It has not expired: offered, leased or put aside. */
bool lb_binding_is_alive(const struct lb_binding *binding, uint64_t now_us);

/* The client's row, alive or expired; NULL: none. */
struct lb_binding *lb_bindings_find(struct lb_bindings *table, struct lb_bytes client);
/* The row that has this address, alive or expired; NULL: none. */
struct lb_binding *lb_bindings_holder(struct lb_bindings *table, struct lb_addr address);
/* Whether a new client can have a row now. */
bool lb_bindings_have_room(const struct lb_bindings *table, uint64_t now_us);

/* What is to be put. */
struct lb_binding_terms {
    struct lb_bytes client; /* empty: put aside */
    struct lb_addr address;
    uint64_t until_us;
    bool leased, declined, bootp;
};
/* Writes a row: the client's own (`row`), or for NULL one that is blank or expired. Whoever had the
 * address and expired loses it; nobody alive may have it but `row`. NULL: no row is free. */
struct lb_binding *lb_bindings_put(struct lb_bindings *table, uint64_t now_us,
                                   struct lb_binding *row, const struct lb_binding_terms *terms);
/* Puts a row that a host kept: of two that speak of one client, or of one address, the one that
 * lasts longer stays, in whichever order they come. False: it was not the one, or no row is
 * free. */
bool lb_bindings_restore(struct lb_bindings *table, uint64_t now_us,
                         const struct lb_binding_terms *terms);
/* What a host keeps of a row's time: seconds that are left, UINT32_MAX for ever; and back. */
uint32_t lb_binding_valid_s(const struct lb_binding *binding, uint64_t now_us);
/* When valid_s seconds are over; LB_NEVER for UINT32_MAX. */
uint64_t lb_binding_until_us(uint32_t valid_s, uint64_t now_us);
/* Somebody is seen at an address, who may not ask for it any more: whoever has or had it has it for
 * lease_us from now on. The row; NULL: nobody had it, or it lasts for more than half of that. */
const struct lb_binding *lb_bindings_keep(struct lb_bindings *table, uint64_t now_us,
                                          struct lb_addr address, uint64_t lease_us);
/* A row's time is changed. */
void lb_bindings_set_until(struct lb_bindings *table, struct lb_binding *row, uint64_t until_us);

/* Looks for an address of the pool first..last that nobody alive has; zero at the start. Called
 * again for the next one, when something outside of the table speaks against the last. In the first
 * pass through the pool each address is looked at once in the table's life; then a search ends
 * after LB_BINDINGS_TRIES. */
struct lb_pool_search {
    bool has_tried_oldest;
    unsigned tries;
};
#define LB_BINDINGS_TRIES 256
/* The next address to try: see struct lb_pool_search. False: there is none, or the pool is
 * empty. */
bool lb_bindings_next_free(struct lb_bindings *table, uint64_t now_us, struct lb_addr first,
                           struct lb_addr last, struct lb_pool_search *search,
                           struct lb_addr *address);
/* Whether an address is of the pool: of first's family (IPv6: of its upper 64 bits). */
bool lb_pool_has(struct lb_addr first, struct lb_addr last, struct lb_addr address);

#endif
