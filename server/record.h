/* The form of lunbootd's small files: lines `word = value`, and `end` as the last one, which a file
 * that was cut does not have. Empty lines and those that begin with # are comments. */
#ifndef LB_SERVER_RECORD_H
#define LB_SERVER_RECORD_H

#include "core/base/text.h"

enum lb_record_line {
    LB_RECORD_VALUE, /* word and value are those of the next line */
    LB_RECORD_END,
    LB_RECORD_BROKEN, /* a line is none of these, or the end is missing */
};
/* Takes the next line from *text. word and value point into it, without blanks around them; a value
 * may have = in it. */
enum lb_record_line lb_record_next(struct lb_bytes *text, struct lb_bytes *word,
                                   struct lb_bytes *value);

#endif
