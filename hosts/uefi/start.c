/* Where the firmware begins: the program's constants are in its file as deflated bytes
 * (tools/pack-constants), and are put in their place before anything reads one. The firmware has
 * relocated them already, to which they are added. Here is nothing that is one. */
#include "hosts/uefi/inflate.h"
#include "hosts/uefi/uefi.h"

#define ROOM_WORDS (9 * 1024) /* pack-constants sees to it that they fit */

/* What tools/pack-constants fills in, as offsets into the image. */
struct packed {
    char mark[8];
    uint32_t from, len; /* the deflated bytes; 0: all is in its place */
    uint32_t to, words; /* 8 bytes each */
};
__attribute__((section(".data"), used)) static volatile struct packed packed = {
    .mark = {'L', 'B', 'P', 'A', 'C', 'K', 'E', 'D'}};

extern char __ImageBase[]; /* the linker's */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static bool unpack(void) {
    static uint64_t room[ROOM_WORDS];
    size_t words = packed.words;
    uint64_t *to = (uint64_t *)(__ImageBase + packed.to);
    struct lb_bytes from = {(uint8_t *)__ImageBase + packed.from, packed.len};
    struct lb_span plain = {(uint8_t *)room, words * 8};
    if (!inflate(from, plain))
        return false;
    for (size_t i = 0; i < words; i++)
        to[i] += room[i];
    return true;
}

EFI_STATUS EFIAPI efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS EFIAPI efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
    if (packed.len != 0 && !unpack())
        return EFI_LOAD_ERROR;
    return efi_main(image, table);
}
