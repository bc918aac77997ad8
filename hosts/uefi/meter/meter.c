/* meter.efi: the program on the network disk that tests and benchmarks of firmware start as its
 * boot loader. It says that it runs, and then does what \meter.txt on its own volume says, a
 * command a line, with the disk under that volume, through whatever EFI_BLOCK_IO the boot client
 * put there:
 *
 *   say TEXT                       prints TEXT
 *   crc OFFSET LENGTH CHUNK        CRC32C of that part of the disk, read CHUNK bytes at a time
 *   write OFFSET LENGTH SEED       writes a pattern
 *   verify OFFSET LENGTH SEED      reads and compares it
 *   flush                          FlushBlocks
 *   stall MS
 *   errors                         what the UEFI specification asks of wrong calls
 *   async OFFSET LENGTH CHUNK      like crc, through EFI_BLOCK_IO2, all reads at once
 *   time CHUNK LENGTH OFFSET       sequential reads: MB/s
 *   random COUNT SPAN              4 KiB reads at random: ms each
 *   timewrite CHUNK LENGTH OFFSET  sequential writes: MB/s
 *   setvar TEXT                    sets the variable LunbootConfig to TEXT
 *   return | off                   back to the firmware, or power off
 *
 * Numbers are decimal; sizes are bytes. Every result is a line that starts with "METER". */
#include "core/crypto/crypto.h"
#include "hosts/uefi/path.h"

#define SCRIPT_MAX 4096
#define BUFFER_MAX (4 * 1024 * 1024)
#define ASYNC_MAX  64

static EFI_BLOCK_IO *disk;
static EFI_BLOCK_IO2_PROTOCOL *disk2;
static uint8_t *buffer;

static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID block_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static EFI_GUID block2_guid = EFI_BLOCK_IO2_PROTOCOL_GUID;

/* ---- finding the disk --------------------------------------------------------------------------
 */

/* The whole disk is the one whose path the volume's begins with, and which is no partition. */
static bool find_disk(EFI_HANDLE volume) {
    EFI_DEVICE_PATH *of_volume = NULL, *of_disk = NULL;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    if (EFI_ERROR(bs->HandleProtocol(volume, &path_guid, (void **)&of_volume)) ||
        EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &block_guid, NULL, &count, &handles)))
        return false;
    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO *found = NULL;
        if (EFI_ERROR(bs->HandleProtocol(handles[i], &block_guid, (void **)&found)) ||
            EFI_ERROR(bs->HandleProtocol(handles[i], &path_guid, (void **)&of_disk)) ||
            found->Media->LogicalPartition || !path_begins_with(of_volume, of_disk))
            continue;
        disk = found;
        bs->HandleProtocol(handles[i], &block2_guid, (void **)&disk2);
    }
    uefi_free(handles);
    return disk != NULL;
}

static size_t read_script(EFI_HANDLE volume, uint8_t room[SCRIPT_MAX]) {
    static CHAR16 name[] = L"\\meter.txt";
    EFI_FILE_IO_INTERFACE *fs = NULL;
    EFI_FILE_HANDLE root = NULL, file = NULL;
    UINTN len = SCRIPT_MAX;
    if (EFI_ERROR(bs->HandleProtocol(volume, &fs_guid, (void **)&fs)) ||
        EFI_ERROR(fs->OpenVolume(fs, &root)) ||
        EFI_ERROR(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)) ||
        EFI_ERROR(file->Read(file, &len, room)))
        return 0;
    return len;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static EFI_STATUS read_at(uint64_t offset, size_t len, void *to) {
    return disk->ReadBlocks(disk, disk->Media->MediaId, offset / disk->Media->BlockSize, len, to);
}

static void do_crc(uint64_t offset, uint64_t len, uint64_t chunk) {
    uint32_t crc = 0;
    say("METER reading\n");
    for (uint64_t done = 0; done < len; done += chunk) {
        size_t n = (size_t)LB_MIN(chunk, len - done);
        EFI_STATUS status = read_at(offset + done, n, buffer);
        if (EFI_ERROR(status)) {
            say("METER crc failed at %llu: %s\n", (unsigned long long)(offset + done),
                status_word(status));
            return;
        }
        crc = lb_crc32c(crc, buffer, n);
    }
    say("METER crc %08x\n", crc);
}

static void fill(uint64_t offset, size_t len, uint64_t seed) {
    for (size_t i = 0; i < len; i++) {
        uint64_t x = (offset + i) / 8 * 0x9e3779b97f4a7c15 + seed;
        x ^= x >> 29;
        buffer[i] = (uint8_t)(x >> (8 * ((offset + i) % 8)));
    }
}

static void do_write(uint64_t offset, uint64_t len, uint64_t seed) {
    EFI_STATUS status = EFI_SUCCESS;
    for (uint64_t done = 0; done < len && !EFI_ERROR(status); done += 65536) {
        size_t n = (size_t)LB_MIN((uint64_t)65536, len - done);
        fill(offset + done, n, seed);
        status = disk->WriteBlocks(disk, disk->Media->MediaId,
                                   (offset + done) / disk->Media->BlockSize, n, buffer);
    }
    say("METER write %s\n", EFI_ERROR(status) ? "failed" : "done");
}

static void do_verify(uint64_t offset, uint64_t len, uint64_t seed) {
    uint8_t *expected = buffer, *found = buffer + 65536;
    uint64_t wrong = 0;
    for (uint64_t done = 0; done < len; done += 65536) {
        size_t n = (size_t)LB_MIN((uint64_t)65536, len - done);
        fill(offset + done, n, seed);
        if (EFI_ERROR(read_at(offset + done, n, found)) || memcmp(expected, found, n) != 0)
            wrong++;
    }
    say("METER verify %s\n", wrong == 0 ? "equal" : "different");
}

static void expect(const char *what, EFI_STATUS found, EFI_STATUS wanted) {
    say("METER %s: %s\n", what, found == wanted ? "as specified" : "WRONG");
}

/* UEFI 2.10 13.9.2, 13.9.3 */
static void do_errors(void) {
    const EFI_BLOCK_IO_MEDIA *media = disk->Media;
    UINT32 id = media->MediaId, size = media->BlockSize;
    expect("wrong media id", disk->ReadBlocks(disk, id + 1, 0, size, buffer), EFI_MEDIA_CHANGED);
    expect("half a block", disk->ReadBlocks(disk, id, 0, size / 2, buffer), EFI_BAD_BUFFER_SIZE);
    expect("past the end", disk->ReadBlocks(disk, id, media->LastBlock, 2 * size, buffer),
           EFI_INVALID_PARAMETER);
    expect("far past the end", disk->ReadBlocks(disk, id, media->LastBlock + 1, size, buffer),
           EFI_INVALID_PARAMETER);
    expect("no buffer", disk->ReadBlocks(disk, id, 0, size, NULL), EFI_INVALID_PARAMETER);
    expect("no bytes", disk->ReadBlocks(disk, id, 0, 0, buffer), EFI_SUCCESS);
    expect("the last block", disk->ReadBlocks(disk, id, media->LastBlock, size, buffer),
           EFI_SUCCESS);
    expect("a write", disk->WriteBlocks(disk, id, media->LastBlock, size, buffer),
           media->ReadOnly ? EFI_WRITE_PROTECTED : EFI_SUCCESS);
    say("METER media %u bytes, last block %llu%s\n", size, (unsigned long long)media->LastBlock,
        media->ReadOnly ? ", read-only" : "");
}

static void do_async(uint64_t offset, uint64_t len, uint64_t chunk) {
    static EFI_BLOCK_IO2_TOKEN tokens[ASYNC_MAX];
    size_t count = (size_t)LB_MIN(len / chunk, (uint64_t)ASYNC_MAX);
    UINTN which;
    if (disk2 == NULL) {
        say("METER async: no EFI_BLOCK_IO2\n");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bs->CreateEvent(0, TPL_CALLBACK, NULL, NULL, &tokens[i].Event);
        EFI_STATUS status = disk2->ReadBlocksEx(disk2, disk2->Media->MediaId,
                                                (offset + i * chunk) / disk2->Media->BlockSize,
                                                &tokens[i], (UINTN)chunk, buffer + i * chunk);
        if (EFI_ERROR(status))
            say("METER async failed: %s\n", status_word(status));
    }
    for (size_t i = 0; i < count; i++)
        bs->WaitForEvent(1, &tokens[i].Event, &which);
    say("METER async crc %08x\n", lb_crc32c(0, buffer, count * (size_t)chunk));
}

static void say_rate(const char *what, uint64_t chunk, uint64_t len, uint64_t us) {
    uint64_t hundredths = us == 0 ? 0 : len * 100 * 1000000 / 1048576 / us;
    say("METER %s %llu %llu.%02u MB/s\n", what, (unsigned long long)chunk,
        (unsigned long long)(hundredths / 100), (unsigned)(hundredths % 100));
}

static void do_time(uint64_t chunk, uint64_t len, uint64_t offset, bool writes) {
    uint64_t start_us = clock_us();
    EFI_STATUS status = EFI_SUCCESS;
    for (uint64_t done = 0; done < len && !EFI_ERROR(status); done += chunk)
        status = writes ? disk->WriteBlocks(disk, disk->Media->MediaId,
                                            (offset + done) / disk->Media->BlockSize, (UINTN)chunk,
                                            buffer)
                        : read_at(offset + done, (size_t)chunk, buffer);
    if (writes && !EFI_ERROR(status))
        status = disk->FlushBlocks(disk);
    if (EFI_ERROR(status))
        say("METER time failed: %s\n", status_word(status));
    else
        say_rate(writes ? "write" : "read", chunk, len, clock_us() - start_us);
}

static void do_random(uint64_t count, uint64_t span) {
    uint64_t state = 4173, start_us = clock_us();
    for (uint64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        if (EFI_ERROR(read_at((state >> 20) % (span / 4096) * 4096, 4096, buffer))) {
            say("METER random failed\n");
            return;
        }
    }
    uint64_t each_us = (clock_us() - start_us) / LB_MAX(count, (uint64_t)1);
    say("METER random %u.%03u ms\n", (unsigned)(each_us / 1000), (unsigned)(each_us % 1000));
}

static void do_setvar(struct lb_bytes value) {
    static CHAR16 name[] = L"LunbootConfig";
    EFI_GUID guid = {0x6c756e62, 0x6f6f, 0x4474, {0x8a, 0x1e, 0x52, 0x46, 0x43, 0x34, 0x31, 0x37}};
    EFI_STATUS status = st->RuntimeServices->SetVariable(
        name, &guid,
        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
        value.len, (void *)(uintptr_t)value.p);
    say("METER setvar %s\n", status_word(status));
}

/* ---- the script --------------------------------------------------------------------------------
 */

static uint64_t next_number(struct lb_bytes *line) {
    struct lb_bytes word;
    uint64_t value = 0;
    if (lb_list_next(line, ' ', &word))
        lb_parse_u64(word, UINT64_MAX, &value);
    return value;
}

/* False: the script ends here. */
static bool run(struct lb_bytes line) {
    struct lb_bytes word;
    if (!lb_list_next(&line, ' ', &word))
        return true;
    if (lb_text_is(word, "say")) {
        say("METER %.*s\n", (int)line.len, (const char *)line.p);
        return true;
    }
    if (lb_text_is(word, "setvar")) {
        do_setvar(line);
        return true;
    }
    uint64_t a = next_number(&line), b = next_number(&line), c = next_number(&line);
    if (lb_text_is(word, "crc"))
        do_crc(a, b, c);
    else if (lb_text_is(word, "async"))
        do_async(a, b, c);
    else if (lb_text_is(word, "write"))
        do_write(a, b, c);
    else if (lb_text_is(word, "verify"))
        do_verify(a, b, c);
    else if (lb_text_is(word, "flush"))
        say("METER flush %s\n", status_word(disk->FlushBlocks(disk)));
    else if (lb_text_is(word, "stall"))
        bs->Stall((UINTN)a * 1000);
    else if (lb_text_is(word, "errors"))
        do_errors();
    else if (lb_text_is(word, "time") || lb_text_is(word, "timewrite"))
        do_time(a, b, c, lb_text_is(word, "timewrite"));
    else if (lb_text_is(word, "random"))
        do_random(a, b);
    else if (lb_text_is(word, "off"))
        st->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    else
        return !lb_text_is(word, "return");
    return true;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
    static uint8_t script[SCRIPT_MAX];
    EFI_LOADED_IMAGE *loaded = NULL;
    self = image;
    st = table;
    bs = table->BootServices;
    clock_init();
    say("\nMETER started\n");
    buffer = uefi_alloc(BUFFER_MAX);
    if (buffer == NULL || EFI_ERROR(bs->HandleProtocol(image, &loaded_guid, (void **)&loaded)) ||
        !find_disk(loaded->DeviceHandle)) {
        say("METER found no disk\n");
        return EFI_NOT_FOUND;
    }
    struct lb_bytes lines = lb_bytes(script, read_script(loaded->DeviceHandle, script)), line;
    while (lb_list_next(&lines, '\n', &line))
        if (!run(line))
            break;
    say("METER ended\n");
    return EFI_SUCCESS;
}
