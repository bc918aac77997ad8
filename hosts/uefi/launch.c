#include "hosts/uefi/launch.h"
#include "hosts/uefi/disk.h"
#include "hosts/uefi/file.h"
#include "hosts/uefi/loop.h"
#include "hosts/uefi/order.h"
#include "hosts/uefi/path.h"
#include "hosts/uefi/steps.h"

#if defined(__x86_64__)
#define DEFAULT_LOADER "\\EFI\\BOOT\\BOOTX64.EFI"
#else
#define DEFAULT_LOADER "\\EFI\\BOOT\\BOOTAA64.EFI"
#endif

static EFI_GUID fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

/* The volume's device path, and the file's node behind it. */
static EFI_DEVICE_PATH *file_path(EFI_HANDLE volume, const CHAR16 *name, size_t name_chars) {
    EFI_DEVICE_PATH *path = NULL;
    if (EFI_ERROR(bs->HandleProtocol(volume, &path_guid, (void **)&path)))
        return NULL;
    size_t before = path_len(path), name_len = (name_chars + 1) * 2;
    uint8_t *made = uefi_alloc(before + 4 + name_len + PATH_END_BYTES);
    if (made == NULL)
        return NULL;
    struct lb_wr wr = lb_wr(lb_span(made, before + 4 + name_len + PATH_END_BYTES));
    lb_wr_bytes(&wr, lb_bytes(path, before));
    lb_wr_u8(&wr, MEDIA_DEVICE_PATH);
    lb_wr_u8(&wr, MEDIA_FILEPATH_DP);
    lb_wr_u16le(&wr, (uint16_t)(4 + name_len));
    for (size_t i = 0; i <= name_chars; i++)
        lb_wr_u16le(&wr, name[i]);
    path_put_end(&wr);
    return (EFI_DEVICE_PATH *)(void *)made;
}

static void start(EFI_DEVICE_PATH *path, const char *loader, uint64_t size, struct lb_error *error,
                  EFI_STATUS *returned) {
    struct lb_report *report = lb_boot_report(loop_engine());
    EFI_HANDLE image = NULL;
    size_t step =
        lb_report_begin(report, clock_us(), LB_STAGE_LOADER, (struct lb_endpoint){0}, "%s", loader);
    disk_show_progress(size);
    EFI_STATUS status = bs->LoadImage(FALSE, self, path, NULL, 0, &image);
    disk_show_progress(0);
    lb_report_end(report, clock_us(), step, EFI_ERROR(status) ? LB_DONE_FAILED : LB_DONE_OK,
                  "%s, %llu KiB", loader, (unsigned long long)(size / 1024));
    steps_show();
    if (EFI_ERROR(status)) {
        lb_fail(error, LB_E_LOADER_REFUSED, "%s: %s", loader, status_word(status));
        if (status == EFI_SECURITY_VIOLATION && image != NULL)
            bs->UnloadImage(image);
        return;
    }
    watchdog_leave();
    *returned = bs->StartImage(image, NULL, NULL);
    watchdog_begin();
    lb_fail(error, LB_E_LOADER_RETURNED, "%s: %s", loader, status_word(*returned));
}

static size_t widen(const char *text, CHAR16 out[ORDER_PATH_MAX]) {
    size_t len = 0;
    while (text[len] != '\0' && len + 1 < ORDER_PATH_MAX) {
        out[len] = (CHAR16)(text[len] == '/' ? '\\' : text[len]);
        len++;
    }
    out[len] = 0;
    return len;
}

/* On the volumes that stand on the disk: the loader by that name, or, without a name, the one that
 * the disk's own boot order names. False: there is none; *ours counts the volumes. */
static bool launch_from(const EFI_DEVICE_PATH *disk, const char *name, unsigned *ours,
                        struct lb_error *error, EFI_STATUS *returned) {
    CHAR16 wide[ORDER_PATH_MAX];
    EFI_HANDLE *volumes = NULL;
    UINTN count = 0;
    bool found = false;
    *ours = 0;
    bs->LocateHandleBuffer(ByProtocol, &fs_guid, NULL, &count, &volumes);
    for (UINTN i = 0; i < count && !found; i++) {
        EFI_DEVICE_PATH *path = NULL;
        if (EFI_ERROR(bs->HandleProtocol(volumes[i], &path_guid, (void **)&path)) ||
            !path_begins_with(path, disk))
            continue;
        (*ours)++;
        size_t chars = name != NULL ? widen(name, wide) : order_find(volumes[i], wide);
        uint64_t size = chars == 0 ? 0 : file_size(volumes[i], wide);
        EFI_DEVICE_PATH *file = size == 0 ? NULL : file_path(volumes[i], wide, chars);
        found = file != NULL;
        if (found)
            start(file, name != NULL ? name : "the disk's own boot order", size, error, returned);
        uefi_free(file);
    }
    pool_free(volumes);
    return found;
}

void launch(const EFI_DEVICE_PATH *disk, const char *loader, struct lb_error *error,
            EFI_STATUS *returned) {
    const char *name = loader[0] != '\0' ? loader : DEFAULT_LOADER;
    unsigned ours;
    if (launch_from(disk, name, &ours, error, returned) ||
        (loader[0] == '\0' && launch_from(disk, NULL, &ours, error, returned)))
        return;
    lb_fail(error, ours == 0 ? LB_E_NO_ESP : LB_E_NO_LOADER, "%s on %u file system%s of the disk",
            name, ours, ours == 1 ? "" : "s");
}
