#include "hosts/uefi/rival.h"
#include "hosts/uefi/connect.h"
#include "hosts/uefi/path.h"
#include "hosts/uefi/settings.h"

/* ACPI 6.5, 5.2.5.3 and 5.2.8. */
struct rsdp {
    uint8_t before[24];
    uint64_t xsdt;
};
struct acpi_header {
    uint32_t name;
    uint32_t len;
    uint8_t after[28];
};
struct xsdt {
    struct acpi_header header;
    uint32_t tables[][2]; /* their addresses, the low half first: they need not be aligned */
};
_Static_assert(sizeof(struct xsdt) == 36, "as ACPI has it");
#define NAME_IBFT   0x54464269 /* "iBFT" */
#define NAME_HIDDEN 0x69424654

static EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID acpi_guid = {
    0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};

static EFI_DEVICE_PATH *card_path;

/* False: it is not to be connected. */
static bool end_disk(EFI_HANDLE disk) {
    EFI_DEVICE_PATH *path;
    void *block_io;
    if (!EFI_ERROR(bs->HandleProtocol(disk, &path_guid, (void **)&path)) &&
        path_begins_with(path, card_path) &&
        !EFI_ERROR(bs->HandleProtocol(disk, &block_io_guid, &block_io)))
        bs->UninstallProtocolInterface(disk, &block_io_guid, block_io); /* its partitions go, too */
    return false;
}

/* Who installed a table alone can take it away. A name that is read backwards is no iBFT, and the
 * sum of its bytes is what it was. */
static void hide_tables(void) {
    const struct rsdp *rsdp = machine_table(&acpi_guid);
    if (rsdp == NULL || rsdp->xsdt == 0)
        return;
    const struct xsdt *xsdt = (const void *)(uintptr_t)rsdp->xsdt;
    for (uint32_t i = (xsdt->header.len - sizeof *xsdt) / 8; i-- > 0;) {
        const uint32_t *at = xsdt->tables[i];
        struct acpi_header *table = (void *)(uintptr_t)(at[0] | (uint64_t)at[1] << 32);
        if (table->name == NAME_IBFT)
            table->name = NAME_HIDDEN;
    }
}

void rival_end(EFI_HANDLE card) {
    if (!EFI_ERROR(bs->HandleProtocol(card, &path_guid, (void **)&card_path)))
        connect_wanted(&block_io_guid, end_disk);
    hide_tables();
}
