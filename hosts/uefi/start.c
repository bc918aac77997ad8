/* Where the firmware begins: the program's code and constants are in its file as deflated bytes
 * (tools/pack-program), and are put in their place before anything runs or reads them. The code
 * has nothing to be relocated. The constants have been relocated by the firmware: they are added.
 *
 * Code is written as data. Where there is EFI_MEMORY_ATTRIBUTE_PROTOCOL (UEFI 2.10 37.7), it is
 * then made executable and read-only: firmware may want no page that is both written to and run.
 * Else the DXE services make it executable (PI 1.8 II 7.2.4). Firmware with neither protects
 * nothing. */
#include "hosts/uefi/inflate.h"
#include "hosts/uefi/uefi.h"

#define ROOM_WORDS (9 * 1024) /* pack-program sees to it that they fit */
#define PAGE_BYTES 4096
/* UEFI 2.10 7.2.3: EFI_MEMORY_RO and EFI_MEMORY_XP */
#define READ_ONLY     0x20000
#define EXECUTE_NEVER 0x4000
#define IN_DATA       __attribute__((section(".data"), used)) static volatile

struct part {
    uint32_t from, len; /* of the deflated bytes */
    uint32_t to, bytes; /* of what they are: whole words of 8 bytes */
};

/* What tools/pack-program fills in, as offsets into the image. */
struct packed {
    char mark[8];
    struct part code, constants;
};
IN_DATA struct packed packed = {.mark = {'L', 'B', 'P', 'A', 'C', 'K', 'E', 'D'}};

/* Not const: here is no constant yet. */
IN_DATA EFI_GUID attribute_guid = {
    0xf4560cf6, 0x40ec, 0x4b4a, {0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89}};
IN_DATA EFI_GUID dxe_guid = {
    0x05ad34ba, 0x6f02, 0x4214, {0x95, 0x2e, 0x4d, 0xa0, 0x39, 0x8e, 0x2b, 0xb9}};

struct attribute_protocol {
    EFI_STATUS(EFIAPI *get)(struct attribute_protocol *self, UINT64 from, UINT64 len, UINT64 *bits);
    EFI_STATUS(EFIAPI *set)(struct attribute_protocol *self, UINT64 from, UINT64 len, UINT64 bits);
    EFI_STATUS(EFIAPI *clear)
    (struct attribute_protocol *self, UINT64 from, UINT64 len, UINT64 bits);
};

struct dxe_services {
    EFI_TABLE_HEADER header;
    void *add, *allocate, *free, *remove, *get;
    EFI_STATUS(EFIAPI *set_attributes)(UINT64 from, UINT64 len, UINT64 bits);
};

extern char __ImageBase[]; /* the linker's */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static bool unpack(const volatile struct part *part, uint8_t *to) {
    struct lb_bytes from = {(uint8_t *)__ImageBase + part->from, part->len};
    struct lb_span plain = {to, part->bytes};
    return inflate(from, plain);
}

static bool unpack_constants(const volatile struct part *part) {
    static uint64_t room[ROOM_WORDS];
    uint64_t *to = (uint64_t *)(__ImageBase + part->to);
    if (!unpack(part, (uint8_t *)room))
        return false;
    for (size_t i = 0; i < part->bytes / 8; i++)
        to[i] += room[i];
    return true;
}

static const struct dxe_services *find_dxe(const EFI_SYSTEM_TABLE *table) {
    const volatile uint64_t *wanted = (const volatile uint64_t *)&dxe_guid;
    for (UINTN i = 0; i < table->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *entry = &table->ConfigurationTable[i];
        const volatile uint64_t *guid = (const volatile uint64_t *)&entry->VendorGuid;
        if (guid[0] == wanted[0] && guid[1] == wanted[1])
            return entry->VendorTable;
    }
    return NULL;
}

static struct attribute_protocol *find_attributes(const EFI_SYSTEM_TABLE *table) {
    EFI_GUID *guid = (EFI_GUID *)(uintptr_t)&attribute_guid;
    struct attribute_protocol *attributes = NULL;
    bool is_there =
        !EFI_ERROR(table->BootServices->LocateProtocol(guid, NULL, (void **)&attributes));
    return is_there ? attributes : NULL;
}

struct pages {
    UINT64 from, len;
};

static struct pages code_pages(void) {
    uint64_t mask = PAGE_BYTES - 1;
    return (struct pages){(uintptr_t)__ImageBase + packed.code.to,
                          (packed.code.bytes + mask) & ~mask};
}

/* A firmware may refuse what it need not do: that counts where the code can't run. */
static EFI_STATUS make_executable(const EFI_SYSTEM_TABLE *table) {
    struct attribute_protocol *attributes = find_attributes(table);
    const struct dxe_services *dxe = find_dxe(table);
    struct pages code = code_pages();
    UINT64 bits = 0;
    if (attributes == NULL) {
        if (dxe != NULL)
            dxe->set_attributes(code.from, code.len, EFI_MEMORY_WB);
        return EFI_SUCCESS;
    }
    attributes->set(attributes, code.from, code.len, READ_ONLY);
    if (EFI_ERROR(attributes->clear(attributes, code.from, code.len, EXECUTE_NEVER)) &&
        !EFI_ERROR(attributes->get(attributes, code.from, code.len, &bits)) &&
        (bits & EXECUTE_NEVER) != 0)
        return EFI_ACCESS_DENIED;
    return EFI_SUCCESS;
}

/* The firmware writes to pages that it gets back. */
static void make_writable(const EFI_SYSTEM_TABLE *table) {
    struct attribute_protocol *attributes = find_attributes(table);
    struct pages code = code_pages();
    if (attributes != NULL)
        attributes->clear(attributes, code.from, code.len, READ_ONLY);
}

/* A processor may have fetched what was there before. */
static void forget_fetched(const uint8_t *from, size_t len) {
#if defined(__aarch64__)
    uint64_t sizes; /* Arm ARM D24.2.34: words of 4 bytes in a line, as powers of two */
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(sizes));
    size_t data = (size_t)4 << (sizes >> 16 & 15), code = (size_t)4 << (sizes & 15);
    for (uintptr_t at = (uintptr_t)from & ~(data - 1); at < (uintptr_t)from + len; at += data)
        __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    __asm__ volatile("dsb ish" : : : "memory");
    for (uintptr_t at = (uintptr_t)from & ~(code - 1); at < (uintptr_t)from + len; at += code)
        __asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
#else
    __asm__ volatile("" : : "r"(from), "r"(len) : "memory");
#endif
}

static EFI_STATUS unpack_code(const EFI_SYSTEM_TABLE *table) {
    uint8_t *to = (uint8_t *)__ImageBase + packed.code.to;
    if (!unpack(&packed.code, to))
        return EFI_LOAD_ERROR;
    forget_fetched(to, packed.code.bytes);
    return make_executable(table);
}

EFI_STATUS EFIAPI efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS EFIAPI efi_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
    EFI_STATUS status = unpack_code(table);
    if (EFI_ERROR(status))
        return status;
    status = unpack_constants(&packed.constants) ? efi_main(image, table) : EFI_LOAD_ERROR;
    make_writable(table);
    return status;
}
