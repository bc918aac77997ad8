#include "server/record.h"

enum lb_record_line lb_record_next(struct lb_bytes *text, struct lb_bytes *word,
                                   struct lb_bytes *value) {
    struct lb_bytes line;
    do
        if (!lb_list_next(text, '\n', &line))
            return LB_RECORD_BROKEN;
    while (line.len == 0 || line.p[0] == '#');
    if (lb_text_is(line, "end"))
        return LB_RECORD_END;
    if (!lb_list_next(&line, '=', word))
        return LB_RECORD_BROKEN;
    *value = lb_bytes_trim(line);
    return LB_RECORD_VALUE;
}
