/* The input is a small disk: first a byte that chooses the block size, then its bytes. Where it
 * does not reach, the disk is zero. Nothing outside the disk may be asked for, and the end must
 * come. */
#include "core/loader/loader.h"
#include "tests/fuzz.h"

#define TURNS_MAX 70000 /* a folder of the greatest size, a cluster a turn, and then some */

static uint8_t room[LB_LOADER_ROOM_MIN(4096)];

static void read_blocks(const struct lb_loader_action *action, uint32_t block_bytes,
                        struct lb_bytes disk) {
    size_t len = (size_t)action->blocks * block_bytes;
    struct lb_bytes rest = lb_bytes_after(disk, action->lba * block_bytes);

    lb_assert(len > 0 && len <= sizeof(room) && action->buffer == room);
    memset(room, 0, len);
    memcpy(room, rest.p, LB_MIN(rest.len, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_loader loader;
    uint32_t block_bytes = size > 0 && data[0] % 2 ? 4096 : 512;
    uint64_t blocks, turns = 0;
    struct lb_bytes disk;

    if (size < 1)
        return 0;
    disk = lb_bytes(data + 1, size - 1);
    blocks = LB_MAX((disk.len + block_bytes - 1) / block_bytes, 1024);
    lb_loader_init(&loader, blocks, block_bytes, "\\EFI\\BOOT\\BOOTX64.EFI",
                   lb_span(room, LB_LOADER_ROOM_MIN(block_bytes)));
    for (;;) {
        struct lb_loader_action action = lb_loader_poll(&loader);
        lb_assert(turns++ < TURNS_MAX);
        if (action.event == LB_LOADER_FOUND && loader.more) {
            lb_loader_continue(&loader);
        } else if (action.event == LB_LOADER_READ) {
            lb_assert(action.lba < blocks && action.blocks <= blocks - action.lba);
            read_blocks(&action, block_bytes, disk);
            lb_loader_input(&loader, NULL);
        } else {
            return 0;
        }
    }
}
