/* What the parser (rootpath.c) and the explainer (rootpath_near.c) share. Not for others. */
#ifndef LB_ROOTPATH_INTERNAL_H
#define LB_ROOTPATH_INTERNAL_H

#include "core/names/rootpath.h"

#define LB_ROOTPATH_FIELDS       (LB_FIELD_TARGETNAME + 1)
#define LB_ROOTPATH_PREFIX_BYTES 6 /* "iscsi:" */

/* A string, split at its colons. */
struct lb_rootpath_parts {
    struct lb_bytes text; /* without NULs, blanks and quotes around it; %XX of a URI decoded */
    struct lb_bytes field[LB_ROOTPATH_FIELDS]; /* each a part of text */
    enum lb_rootpath_field last;               /* the field in which text ends */
};

/* What is wrong: the code, the place in text, and a phrase that says what to do. */
struct lb_rootpath_wrong {
    enum lb_code code;
    struct lb_rootpath_where where;
    const char *why; /* a constant */
};

/* Whether the text starts with `iscsi:`, in any case. */
bool lb_rootpath_has_prefix(struct lb_bytes text);
/* Whether a text without that prefix is a Root Path with a mistake, and none of NFS or another. */
bool lb_rootpath_is_near(struct lb_bytes text);
/* Of a string that cannot be used: a better explanation than that its first bad field is bad. False
 * where there is none. */
bool lb_rootpath_explain(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong);
/* Whether a second Root Path stands in the target name, which may have the bytes of a name: then
 * *wrong says where. An option that comes twice makes such a string (RFC 3396). */
bool lb_rootpath_is_double(const struct lb_rootpath_parts *parts, struct lb_rootpath_wrong *wrong);

#endif
