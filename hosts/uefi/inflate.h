/* The format "deflate" (RFC 1951), blocks with codes of their own alone: what tools/pack-program
 * makes of the program's code and constants. It uses no constant, for none is there before it has
 * run. Tested on Linux: test_inflate.c. */
#ifndef LB_UEFI_INFLATE_H
#define LB_UEFI_INFLATE_H

#include "core/base/bytes.h"

/* True: all of `to` is filled, and the data ends there. False: it is something else, or damaged. */
bool inflate(struct lb_bytes from, struct lb_span to);

#endif
