/* What lunbootd reads of what others wrote: the header Range, a client's file name, a key and its
 * value. The first byte says which. */
#include "server/files.h"
#include "server/range.h"
#include "server/settings.h"
#include "tests/fuzz.h"

static void a_range(struct lb_bytes text) {
    struct lb_rd rd = lb_rd(text);
    uint64_t offset, len, bytes = lb_rd_u64(&rd);
    enum lb_server_range_kind kind = lb_server_range_parse(lb_rd_rest(&rd), bytes, &offset, &len);
    lb_assert(offset <= bytes && len <= bytes - offset);
    lb_assert(kind != LB_RANGE_PART || len > 0);
}

static void a_path(struct lb_bytes text) {
    uint8_t room[LB_SERVER_PATH_MAX];
    struct lb_bytes path = lb_server_files_path(text, lb_span(room, sizeof room));
    bool at_start = true;
    for (size_t i = 0; i < path.len; i++) {
        lb_assert(!at_start || (path.p[i] != '.' && path.p[i] != '/'));
        lb_assert(path.p[i] >= ' ' && path.p[i] != '\\');
        at_start = path.p[i] == '/';
    }
    lb_assert(path.len == 0 || !at_start);
}

static void a_key(struct lb_bytes text) {
    struct lb_server_settings settings;
    struct lb_server_error error = {0};
    struct lb_bytes word;
    lb_server_settings_init(&settings);
    if (!lb_list_next(&text, '=', &word))
        return;
    bool is_set = lb_server_settings_set(&settings, word, text, "here", &error);
    lb_assert(is_set == (error.what[0] == '\0'));
    lb_assert(is_set || (error.hint[0] != '\0' && lb_text_is_fit(lb_bytes_of_text(error.what))));
    lb_assert(!lb_addr_is_set(settings.dhcp_range.first) ||
              lb_addr_is_set(settings.dhcp_range.last));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct lb_bytes text = lb_bytes(data + 1, size - 1);
    if (data[0] % 3 == 0)
        a_range(text);
    else if (data[0] % 3 == 1)
        a_path(text);
    else
        a_key(text);
    return 0;
}
