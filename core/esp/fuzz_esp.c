/* The input is a small disk: first a byte that chooses the block size, then its bytes. Where it
 * does not reach, the disk is zero. Nothing outside the disk may be asked for, and the end must
 * come. */
#include "core/esp/esp.h"
#include "tests/fuzz.h"

#define TURNS_MAX 70000 /* a folder of the greatest size, a cluster a turn, and then some */

static uint8_t room[LB_ESP_ROOM_MIN(4096)];

static void read_blocks(const struct lb_esp_action *action, uint32_t block_bytes,
                        struct lb_bytes disk) {
    size_t len = (size_t)action->blocks * block_bytes;
    struct lb_bytes rest = lb_bytes_after(disk, action->lba * block_bytes);

    lb_assert(len > 0 && len <= sizeof(room) && action->buffer == room);
    memset(room, 0, len);
    memcpy(room, rest.p, LB_MIN(rest.len, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_esp esp;
    uint32_t block_bytes = size > 0 && data[0] % 2 ? 4096 : 512;
    uint64_t blocks, turns = 0;
    struct lb_bytes disk;

    if (size < 1)
        return 0;
    disk = lb_bytes(data + 1, size - 1);
    blocks = LB_MAX((disk.len + block_bytes - 1) / block_bytes, 1024);
    lb_esp_init(&esp, blocks, block_bytes, "\\EFI\\BOOT\\BOOTX64.EFI",
                lb_span(room, LB_ESP_ROOM_MIN(block_bytes)));
    for (;;) {
        struct lb_esp_action action = lb_esp_poll(&esp);
        lb_assert(turns++ < TURNS_MAX);
        if (action.event == LB_ESP_FOUND && esp.more) {
            lb_esp_continue(&esp);
        } else if (action.event == LB_ESP_READ) {
            lb_assert(action.lba < blocks && action.blocks <= blocks - action.lba);
            read_blocks(&action, block_bytes, disk);
            lb_esp_input(&esp, NULL);
        } else {
            return 0;
        }
    }
}
