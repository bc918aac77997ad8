/* Texts that tools/pack-texts has packed, for firmware: symbols that are pairs of symbols. */
#ifndef LB_BASE_PACKED_H
#define LB_BASE_PACKED_H

#include "core/base/text.h"

#define LB_PACKED_DEPTH_MAX 24 /* of pairs within pairs */

/* Adds the text with this index (from 0; it must exist). A byte is itself where it is printable
 * ASCII, the end of a text where it is 0, else the two bytes pairs[2 * n], with n = (byte + 128)
 * mod 256. */
void lb_unpack(struct lb_text *text, const uint8_t *packed, const uint8_t *pairs, unsigned index);

#ifdef LB_SMALL
/* The same of the firmware program's texts: two of each code (error.c), then the page's
 * sentences. */
void lb_packed_add(struct lb_text *text, unsigned index);
#endif

#endif
