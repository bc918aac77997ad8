/* The header Range of HTTP: RFC 9110 14. */
#ifndef LB_SERVER_RANGE_H
#define LB_SERVER_RANGE_H

#include "core/base/text.h"

enum lb_server_range_kind {
    LB_RANGE_WHOLE, /* no range, several, or one that is not understood: the whole file is sent */
    LB_RANGE_PART,
    LB_RANGE_OUTSIDE, /* 416: nothing of it is in the file */
};

/* What to send of a file of `bytes` bytes: *offset and *len. header: its value; empty: there is
 * none. */
enum lb_server_range_kind lb_server_range_parse(struct lb_bytes header, uint64_t bytes,
                                                uint64_t *offset, uint64_t *len);

#endif
