#include "server/range.h"

/* "FIRST-LAST", "FIRST-" or "-LENGTH"; false: something else. FIRST and LAST are inclusive. */
static bool read_range(struct lb_bytes text, uint64_t bytes, uint64_t *first, uint64_t *last) {
    struct lb_bytes from, to;
    if (!lb_split_at(text, '-', &from, &to))
        return false;
    if (from.len == 0) { /* the last so many bytes */
        uint64_t length;
        if (!lb_parse_u64(to, UINT64_MAX, &length))
            return false;
        *first = length == 0 ? bytes : bytes - LB_MIN(length, bytes);
        *last = UINT64_MAX;
        return true;
    }
    *last = UINT64_MAX;
    return lb_parse_u64(from, UINT64_MAX, first) &&
           (to.len == 0 || (lb_parse_u64(to, UINT64_MAX, last) && *last >= *first));
}

enum lb_server_range_kind lb_server_range_parse(struct lb_bytes header, uint64_t bytes,
                                                uint64_t *offset, uint64_t *len) {
    uint64_t first, last;
    *offset = 0;
    *len = bytes;
    if (!lb_text_begins(header, "bytes=") ||
        !read_range(lb_bytes_trim(lb_bytes_after(header, 6)), bytes, &first, &last))
        return LB_RANGE_WHOLE;
    if (first >= bytes)
        return LB_RANGE_OUTSIDE;
    *offset = first;
    *len = LB_MIN(last, bytes - 1) - first + 1;
    return LB_RANGE_PART;
}
