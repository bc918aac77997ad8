#include "hosts/uefi/path.h"

size_t path_len(const EFI_DEVICE_PATH *path) {
    const EFI_DEVICE_PATH *at = path;
    while (!IsDevicePathEnd(at))
        at = NextDevicePathNode(at);
    return (size_t)((const uint8_t *)at - (const uint8_t *)path);
}

bool path_begins_with(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *prefix) {
    size_t len = path_len(prefix);
    return path_len(path) >= len && memcmp(path, prefix, len) == 0;
}

void path_put_end(struct lb_wr *wr) {
    lb_wr_u8(wr, END_DEVICE_PATH_TYPE);
    lb_wr_u8(wr, END_ENTIRE_DEVICE_PATH_SUBTYPE);
    lb_wr_u16le(wr, PATH_END_BYTES);
}
