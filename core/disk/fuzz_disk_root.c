/* The choice among disks by what they hold: words in the first line, the disk behind them. It asks
 * for blocks of the disk alone, a bounded number of times. */
#include "core/disk/disk_root.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t sizes[] = {512, 1024, 4096, 520};
    static uint8_t bytes[LB_DISK_ROOT_ROOM];
    struct lb_disk_root root;
    size_t line = 0;
    while (line < size && data[line] != '\n')
        line++;
    if (line == size)
        return 0;
    struct lb_bytes disk = lb_bytes(data + line + 1, size - line - 1);
    (void)lb_disk_root_parse(lb_bytes(data, line), &root);
    uint32_t block_bytes = sizes[size & 3], count, reads = 0;
    uint64_t blocks = disk.len / block_bytes + 300, lba;
    lb_disk_root_begin(&root, blocks, block_bytes);
    while (lb_disk_root_where(&root, &lba, &count)) {
        lb_assert(lba < blocks && count > 0 && count <= blocks - lba);
        lb_assert((uint64_t)count * block_bytes <= sizeof bytes);
        size_t at = (size_t)lba * block_bytes, len = (size_t)count * block_bytes;
        memset(bytes, 0, sizeof bytes);
        if (at < disk.len)
            memcpy(bytes, disk.p + at, LB_MIN(len, disk.len - at));
        lb_disk_root_got(&root, lb_bytes(bytes, reads % 17 == 16 ? len / 3 : len));
        lb_assert(++reads < 2000);
    }
    lb_assert(root.kind != LB_ROOT_NONE || !lb_disk_root_holds(&root));
    return 0;
}
