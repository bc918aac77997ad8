/* Which machines have a name, a card, a UUID or a target: so that 10,000 of them cost what ten do.
 * Keys are the machine's, numbers its place; several machines may have one key. */
#ifndef LB_SERVER_INDEX_H
#define LB_SERVER_INDEX_H

#include "core/base/siphash.h"
#include <stdatomic.h>

enum lb_index_kind {
    LB_INDEX_NAME,   /* of the machine */
    LB_INDEX_MAC,    /* 6 bytes */
    LB_INDEX_UUID,   /* 16 bytes */
    LB_INDEX_TARGET, /* the target's name without .gN, in small letters */
    LB_INDEX_KINDS,
};

#define LB_INDEX_NONE UINT32_MAX

/* Zero is an empty index. */
struct lb_index {
    struct lb_hash_key key; /* machines choose their addresses: a secret */
    uint32_t cap, mask;
    uint32_t *heads[LB_INDEX_KINDS], *next[LB_INDEX_KINDS];
    atomic_ullong steps; /* candidates that were given: what finding costs, for tests */
};

/* Room for numbers below cap. False: there is no memory, or no random key. */
bool lb_index_open(struct lb_index *index, uint32_t cap);
/* This number has this key from here on; it has none of this kind yet. */
void lb_index_add(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key,
                  uint32_t number);
/* It has it no more; harmless where it does not have it. */
void lb_index_remove(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key,
                     uint32_t number);
/* The least number that may have this key: the caller compares. LB_INDEX_NONE: none has it. */
uint32_t lb_index_first(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key);
/* The next greater one after this; LB_INDEX_NONE: that was all. */
uint32_t lb_index_next(struct lb_index *index, enum lb_index_kind kind, uint32_t number);
void lb_index_close(struct lb_index *index); /* harmless where it is empty */

#endif
