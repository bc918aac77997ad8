#include "server/head.h"
#include "os/linux/files.h"
#include "server/durable.h"
#include "server/lock.h"
#include "server/record.h"
#include <errno.h>

#define FIRST_LINE "# lunbootd: what a machine has written over its base; see overlay.h"

/* ---- text ---- */

static bool take_line(struct lb_server_head *head, struct lb_bytes word, struct lb_bytes value) {
    uint64_t number;
    size_t len;
    if (lb_text_is(word, "base"))
        return value.len > 0 && lb_text_copy(head->base, sizeof head->base, value);
    if (lb_text_is(word, "mac"))
        return lb_parse_hex_bytes(value, lb_span(head->mac, 6), &len) && len == 6;
    if (!lb_parse_u64(value, UINT64_MAX, &number))
        return false;
    if (lb_text_is(word, "base-bytes"))
        head->base_bytes = number;
    else if (lb_text_is(word, "base-changed-ns"))
        head->base_changed_ns = number;
    else if (lb_text_is(word, "generation") && number <= UINT32_MAX)
        head->generation = (uint32_t)number;
    else if (lb_text_is(word, "used") && number <= 1)
        head->is_used = number == 1;
    else
        return false;
    return true;
}

bool lb_server_head_parse(struct lb_bytes text, struct lb_server_head *head) {
    struct lb_server_head got = {0};
    struct lb_bytes word, value;
    enum lb_record_line line;
    while ((line = lb_record_next(&text, &word, &value)) == LB_RECORD_VALUE)
        if (!take_line(&got, word, value))
            return false;
    if (line != LB_RECORD_END || got.base[0] == '\0' || got.base_bytes == 0)
        return false;
    *head = got;
    return true;
}

void lb_server_head_format(struct lb_text *text, const struct lb_server_head *head) {
    lb_text_add(text,
                FIRST_LINE "\n"
                           "base = %s\n"
                           "base-bytes = %llu\n"
                           "base-changed-ns = %llu\n"
                           "mac = %s\n"
                           "generation = %u\n"
                           "used = %u\n"
                           "end\n",
                head->base, (unsigned long long)head->base_bytes,
                (unsigned long long)head->base_changed_ns, lb_mac_text(head->mac).s,
                head->generation, head->is_used);
}

/* ---- files ---- */

bool lb_server_head_load(const char *folder, struct lb_server_head *head) {
    char path[LB_SERVER_PATH_MAX + 80];
    uint8_t room[LB_SERVER_HEAD_MAX];
    lb_format(path, sizeof path, "%s/head", folder);
    bool is_paused = lb_lock_pause();
    long len = lb_file_read(path, lb_span(room, sizeof room));
    lb_lock_resume(is_paused);
    return len > 0 && lb_server_head_parse(lb_bytes(room, (size_t)len), head);
}

bool lb_server_head_save(const char *folder, const struct lb_server_head *head) {
    char room[LB_SERVER_HEAD_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    lb_server_head_format(&text, head);
    errno = text.cut ? ENOSPC : lb_durable_replace(folder, "head", lb_bytes(text.at, text.len));
    return errno == 0;
}
