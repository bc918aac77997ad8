#include "hosts/uefi/order.h"
#include "hosts/uefi/file.h"

#define CSV_MAX  2048 /* bytes looked at: the first line is under 300 */
#define INFO_MAX 1024 /* one directory entry */

#if defined(__x86_64__)
static const CHAR16 csv_name[] = L"\\BOOTX64.CSV";
#else
static const CHAR16 csv_name[] = L"\\BOOTAA64.CSV";
#endif

/* Appends up to the NUL; false when it does not fit. */
static bool append(CHAR16 path[ORDER_PATH_MAX], size_t *len, const CHAR16 *text) {
    for (; *text != 0; text++) {
        if (*len + 1 >= ORDER_PATH_MAX)
            return false;
        path[(*len)++] = *text;
    }
    path[*len] = 0;
    return true;
}

/* The first field of the first line: UTF-16, little-endian, perhaps with a byte order mark. */
static size_t first_field(EFI_HANDLE volume, const CHAR16 *csv, CHAR16 *field, size_t cap) {
    static uint8_t room[CSV_MAX];
    size_t len = 0;
    struct lb_rd rd = lb_rd(lb_bytes(room, file_read(volume, csv, room, sizeof room)));
    while (rd.left >= 2 && len + 1 < cap) {
        CHAR16 c = lb_rd_u16le(&rd);
        if (c == ',' || c == '\r' || c == '\n' || c == 0)
            break;
        if (c != 0xfeff)
            field[len++] = c;
    }
    field[len] = 0;
    return len;
}

static size_t look_into(EFI_HANDLE volume, const CHAR16 *name, CHAR16 path[ORDER_PATH_MAX]) {
    CHAR16 field[ORDER_PATH_MAX];
    size_t len = 0, csv_len;
    if (!append(path, &len, L"\\EFI\\") || !append(path, &len, name))
        return 0;
    csv_len = len;
    if (!append(path, &csv_len, csv_name) || first_field(volume, path, field, LB_COUNT(field)) == 0)
        return 0;
    return append(path, &len, L"\\") && append(path, &len, field) ? len : 0;
}

size_t order_find(EFI_HANDLE volume, CHAR16 path[ORDER_PATH_MAX]) {
    static _Alignas(8) uint8_t room[INFO_MAX];
    EFI_FILE_HANDLE root = file_root(volume), directory;
    size_t len = 0;
    if (root == NULL)
        return 0;
    directory = file_open(root, L"\\EFI");
    root->Close(root);
    if (directory == NULL)
        return 0;
    UINTN read = sizeof room;
    while (len == 0 && !EFI_ERROR(directory->Read(directory, &read, room)) && read > 0) {
        const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)(const void *)room;
        if ((info->Attribute & EFI_FILE_DIRECTORY) != 0 && info->FileName[0] != '.')
            len = look_into(volume, info->FileName, path);
        read = sizeof room;
    }
    directory->Close(directory);
    return len;
}
