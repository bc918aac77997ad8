/* SipHash-2-4: a hash with a key, for tables whose keys are chosen by peers. Who does not know the
 * key cannot make entries that fall into one bucket. J.-P. Aumasson, D. J. Bernstein, 2012. */
#ifndef LB_BASE_SIPHASH_H
#define LB_BASE_SIPHASH_H

#include "core/base/bytes.h"

/* A secret of the host, drawn at its start. Zero is a key, too, but no secret. */
struct lb_hash_key {
    uint64_t k0, k1;
};

/* 64 bits of hash; the same key and bytes give the same on every machine. */
uint64_t lb_siphash(const struct lb_hash_key *key, struct lb_bytes bytes);

#endif
