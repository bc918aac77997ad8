#include "hosts/uefi/file.h"

EFI_FILE_HANDLE file_root(EFI_HANDLE volume) {
    EFI_GUID fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_IO_INTERFACE *fs = NULL;
    EFI_FILE_HANDLE root = NULL;
    if (EFI_ERROR(bs->HandleProtocol(volume, &fs_guid, (void **)&fs)) ||
        EFI_ERROR(fs->OpenVolume(fs, &root)))
        return NULL;
    return root;
}

EFI_FILE_HANDLE file_open(EFI_FILE_HANDLE directory, const CHAR16 *name) {
    EFI_FILE_HANDLE file = NULL;
    if (EFI_ERROR(
            directory->Open(directory, &file, (CHAR16 *)(uintptr_t)name, EFI_FILE_MODE_READ, 0)))
        return NULL;
    return file;
}

static EFI_FILE_HANDLE open_on(EFI_HANDLE volume, const CHAR16 *name) {
    EFI_FILE_HANDLE root = file_root(volume);
    if (root == NULL)
        return NULL;
    EFI_FILE_HANDLE file = file_open(root, name);
    root->Close(root);
    return file;
}

size_t file_read(EFI_HANDLE volume, const CHAR16 *name, uint8_t *room, size_t cap) {
    EFI_FILE_HANDLE file = open_on(volume, name);
    UINTN len = cap;
    if (file == NULL)
        return 0;
    if (EFI_ERROR(file->Read(file, &len, room)))
        len = 0;
    file->Close(file);
    return len;
}

uint64_t file_size(EFI_HANDLE volume, const CHAR16 *name) {
    EFI_FILE_HANDLE file = open_on(volume, name);
    UINT64 size = 0;
    if (file == NULL)
        return 0;
    file->SetPosition(file, UINT64_MAX); /* the end */
    file->GetPosition(file, &size);
    file->Close(file);
    return size;
}

/* ---- whole files ---- */

static EFI_STATUS open_whole(EFI_HANDLE volume, const CHAR16 *name, EFI_FILE_HANDLE *file) {
    EFI_GUID fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_IO_INTERFACE *fs = NULL;
    EFI_FILE_HANDLE root = NULL;
    if (EFI_ERROR(bs->HandleProtocol(volume, &fs_guid, (void **)&fs)))
        return EFI_NOT_FOUND;
    EFI_STATUS status = fs->OpenVolume(fs, &root);
    if (EFI_ERROR(status))
        return status == EFI_NOT_FOUND ? EFI_DEVICE_ERROR : status;
    status = root->Open(root, file, (CHAR16 *)(uintptr_t)name, EFI_FILE_MODE_READ, 0);
    root->Close(root);
    return status;
}

/* A directory has entries, which reading gives like bytes. */
static EFI_STATUS check_file(EFI_FILE_HANDLE file) {
    static _Alignas(8) uint8_t room[1024];
    EFI_GUID info_guid = EFI_FILE_INFO_ID;
    UINTN size = sizeof room;
    EFI_STATUS status = file->GetInfo(file, &info_guid, &size, room);
    if (EFI_ERROR(status))
        return status == EFI_NOT_FOUND ? EFI_DEVICE_ERROR : status;
    const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)(const void *)room;
    return (info->Attribute & EFI_FILE_DIRECTORY) != 0 ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

/* To the end of the file: a read may give less than was asked for. */
static EFI_STATUS read_whole(EFI_FILE_HANDLE file, uint8_t *room, size_t cap, size_t *len) {
    EFI_STATUS status = EFI_SUCCESS;
    for (UINTN got = 1; got > 0 && !EFI_ERROR(status); *len += got) {
        uint8_t more;
        bool is_full = *len == cap;
        got = is_full ? 1 : cap - *len;
        status = file->Read(file, &got, is_full ? &more : room + *len);
        if (EFI_ERROR(status))
            got = 0;
        else if (is_full && got > 0)
            return EFI_BUFFER_TOO_SMALL;
    }
    return status == EFI_NOT_FOUND ? EFI_DEVICE_ERROR : status;
}

EFI_STATUS file_load(EFI_HANDLE volume, const CHAR16 *name, uint8_t *room, size_t cap,
                     size_t *len) {
    EFI_FILE_HANDLE file = NULL;
    EFI_STATUS status = open_whole(volume, name, &file);
    *len = 0;
    if (EFI_ERROR(status))
        return status;
    status = check_file(file);
    if (!EFI_ERROR(status))
        status = read_whole(file, room, cap, len);
    file->Close(file);
    return status;
}

/* UEFI 2.10 10.3.5.4: a path may be of several nodes; loaders' are of one. */
bool file_beside(const EFI_DEVICE_PATH *program, const CHAR16 *name, CHAR16 out[FILE_NAME_MAX]) {
    struct lb_rd rd;
    size_t len = 0, folder = 0;
    if (program == NULL || DevicePathType(program) != MEDIA_DEVICE_PATH ||
        DevicePathSubType(program) != MEDIA_FILEPATH_DP || DevicePathNodeLength(program) < 4)
        return false;
    rd = lb_rd(lb_bytes((const uint8_t *)program + 4, DevicePathNodeLength(program) - 4u));
    while (rd.left >= 2 && len + 1 < FILE_NAME_MAX && (out[len] = lb_rd_u16le(&rd)) != 0)
        if (out[len++] == '\\')
            folder = len;
    for (len = folder; *name != 0 && len + 1 < FILE_NAME_MAX; name++)
        out[len++] = *name;
    out[len] = 0;
    return folder > 0 && *name == 0;
}
