#include "server/index.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Links hold a number + 1, so that fresh memory is empty. */

bool lb_index_open(struct lb_index *index, uint32_t cap) {
    uint32_t buckets = 16;
    *index = (struct lb_index){.cap = cap};
    while (buckets < cap)
        buckets *= 2;
    index->mask = buckets - 1;
    bool did = getrandom(&index->key, sizeof index->key, 0) == sizeof index->key;
    for (int kind = 0; kind < LB_INDEX_KINDS; kind++) {
        index->heads[kind] = calloc(buckets, sizeof *index->heads[kind]);
        index->next[kind] = calloc(cap, sizeof *index->next[kind]);
        did = did && index->heads[kind] != NULL && index->next[kind] != NULL;
    }
    if (!did)
        lb_index_close(index);
    return did;
}

void lb_index_close(struct lb_index *index) {
    for (int kind = 0; kind < LB_INDEX_KINDS; kind++) {
        free(index->heads[kind]);
        free(index->next[kind]);
    }
    *index = (struct lb_index){0};
}

static uint32_t *head_of(const struct lb_index *index, enum lb_index_kind kind,
                         struct lb_bytes key) {
    return &index->heads[kind][lb_siphash(&index->key, key) & index->mask];
}

void lb_index_add(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key,
                  uint32_t number) {
    uint32_t *at = head_of(index, kind, key);
    lb_assert(number < index->cap);
    while (*at != 0 && *at <= number)
        at = &index->next[kind][*at - 1];
    lb_assert(*at != number + 1);
    index->next[kind][number] = *at;
    *at = number + 1;
}

void lb_index_remove(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key,
                     uint32_t number) {
    uint32_t *at = head_of(index, kind, key);
    while (*at != 0 && *at != number + 1)
        at = &index->next[kind][*at - 1];
    if (*at == 0)
        return;
    *at = index->next[kind][number];
    index->next[kind][number] = 0;
}

static uint32_t give(struct lb_index *index, uint32_t link) {
    if (link == 0)
        return LB_INDEX_NONE;
    atomic_fetch_add_explicit(&index->steps, 1, memory_order_relaxed); /* finders are threads */
    return link - 1;
}

uint32_t lb_index_first(struct lb_index *index, enum lb_index_kind kind, struct lb_bytes key) {
    return give(index, *head_of(index, kind, key));
}

uint32_t lb_index_next(struct lb_index *index, enum lb_index_kind kind, uint32_t number) {
    return give(index, index->next[kind][number]);
}
