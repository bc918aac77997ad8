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
