/* The first byte is the flags, the rest the string. */
#include "core/names/rootpath.h"
#include "tests/fuzz.h"

/* What was accepted can be written and read again, and means the same. */
static void check_accepted(const struct lb_rootpath *rootpath, unsigned flags) {
    char buffer[LB_ROOTPATH_MAX];
    struct lb_text text = lb_text(buffer, sizeof buffer);
    struct lb_rootpath again;
    struct lb_error error = {0};
    unsigned around = LB_WARN_BLANKS | LB_WARN_QUOTES | LB_WARN_PREFIX | LB_WARN_PROTOCOL |
                      LB_WARN_ZONE; /* what formatting puts right */
    lb_assert(lb_strlen(rootpath->target) > (flags & LB_ROOTPATH_ANY_NAMES ? 0 : 4) &&
              lb_strlen(rootpath->target) <= LB_NAME_MAX);
    lb_rootpath_format(&text, rootpath);
    lb_assert(!text.cut);
    lb_assert(lb_rootpath_parse(lb_bytes(buffer, text.len), flags, &again, NULL, &error));
    lb_assert(again.host == rootpath->host && again.port == rootpath->port);
    lb_assert(again.lun_given == rootpath->lun_given);
    lb_assert(memcmp(again.lun, rootpath->lun, sizeof again.lun) == 0);
    lb_assert(lb_streq(again.target, rootpath->target));
    if (rootpath->host == LB_HOST_NAME)
        lb_assert(lb_streq(again.name, rootpath->name));
    if (rootpath->host == LB_HOST_ADDR)
        lb_assert(lb_addr_equal(again.addr, rootpath->addr));
    lb_assert(again.warnings == (rootpath->warnings & ~around));
}

static void check_host_port(struct lb_bytes string) {
    struct lb_host_port got;
    if (!lb_host_port_parse(string, &got))
        return;
    lb_assert(got.kind == LB_HOST_NAME ? got.name[0] != '\0' : lb_addr_is_set(got.at.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error = {0};
    if (size == 0)
        return 0;
    unsigned flags = data[0] & (LB_ROOTPATH_STRICT_NAMES | LB_ROOTPATH_URI | LB_ROOTPATH_ANY_NAMES);
    struct lb_bytes string = lb_bytes(data + 1, size - 1);
    if (lb_rootpath_parse(string, flags, &rootpath, &where, &error)) {
        lb_assert(lb_rootpath_is_iscsi(string, flags) || (flags & LB_ROOTPATH_URI));
        check_accepted(&rootpath, flags);
    } else {
        lb_assert(!lb_is_ok(&error) && where.offset <= string.len);
    }
    check_host_port(string);
    return 0;
}
