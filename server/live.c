#include "server/live.h"
#include "server/blockfile.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x4c422d4c4956451a)

static size_t map_bytes(const struct lb_overlay *overlay) {
    return overlay->page_count * LB_OVERLAY_MAP_PAGE;
}

static void encode(const struct lb_overlay *overlay, uint8_t head[LB_LIVE_HEAD]) {
    struct lb_wr wr = lb_wr(lb_span(head, LB_LIVE_HEAD));
    memset(head, 0, LB_LIVE_HEAD);
    lb_wr_u64(&wr, MAGIC);
    lb_wr_u64(&wr, overlay->bytes);
    lb_wr_bytes(&wr, lb_bytes(overlay->boot, LB_OVERLAY_BOOT));
}

static bool is_of_this_boot(const struct lb_overlay *overlay) {
    uint8_t head[LB_LIVE_HEAD], right[LB_LIVE_HEAD];
    encode(overlay, right);
    return lb_blockfile_read(overlay->live, head, sizeof head, 0) == 0 &&
           memcmp(head, right, sizeof head) == 0;
}

int lb_live_forget(const struct lb_overlay *overlay) {
    static const uint8_t nothing[LB_LIVE_HEAD];
    return overlay->live < 0 ? 0
                             : lb_blockfile_write(overlay->live, nothing, sizeof nothing, 0, false);
}

int lb_live_write(const struct lb_overlay *overlay) {
    uint8_t head[LB_LIVE_HEAD];
    if (overlay->live < 0)
        return 0;
    encode(overlay, head);
    int error = lb_blockfile_clear(overlay->live, LB_LIVE_HEAD + map_bytes(overlay));
    if (error == 0)
        error = lb_blockfile_write(overlay->live, overlay->bits, map_bytes(overlay), LB_LIVE_HEAD,
                                   false);
    return error == 0 ? lb_blockfile_write(overlay->live, head, sizeof head, 0, false) : error;
}

int lb_live_note(const struct lb_overlay *overlay, uint64_t first, uint64_t last) {
    uint64_t from = first / LB_OVERLAY_BLOCKS_A_BYTE, to = last / LB_OVERLAY_BLOCKS_A_BYTE;
    return overlay->live < 0
               ? 0
               : lb_blockfile_write(overlay->live, overlay->bits + from, (size_t)(to - from + 1),
                                    LB_LIVE_HEAD + from, false);
}

int lb_live_begin(struct lb_overlay *overlay, int live, const char boot[LB_OVERLAY_BOOT]) {
    static const char unknown[LB_OVERLAY_BOOT];
    if (memcmp(boot, unknown, sizeof unknown) == 0)
        return 0;
    overlay->live = live;
    memcpy(overlay->boot, boot, LB_OVERLAY_BOOT);
    if (overlay->is_new || !is_of_this_boot(overlay)) {
        int why = lb_live_write(overlay);
        if (why == ENOSPC) /* its disk can be read still, and what has no head does not count */
            overlay->live = -1;
        return why == ENOSPC ? 0 : why;
    }
    int error = lb_blockfile_read(live, overlay->bits, map_bytes(overlay), LB_LIVE_HEAD);
    if (error == 0)
        lb_overlay_map_replaced(overlay);
    return error;
}

void lb_live_boot(char boot[LB_OVERLAY_BOOT]) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    memset(boot, 0, LB_OVERLAY_BOOT);
    if (fd < 0)
        return;
    if (read(fd, boot, LB_OVERLAY_BOOT - 1) != 37) /* a UUID and a newline */
        memset(boot, 0, LB_OVERLAY_BOOT);
    close(fd);
}
