/* UTF-8, a code point at a time. */
#ifndef LB_ROOTPATH_UTF8_H
#define LB_ROOTPATH_UTF8_H

#include "core/base/bytes.h"

/* The code point at the start of text, which must not be empty, and its length in bytes; false when
 * it is not well-formed (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool lb_utf8_first(struct lb_bytes text, uint32_t *code_point, size_t *len);

#endif
