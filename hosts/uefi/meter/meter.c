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
 *   setvar TEXT                    sets LunbootConfig to TEXT, to be read at run time
 *   bigvar LENGTH TEXT             the same, behind so many bytes of a comment
 *   getvar                         attributes of LunbootConfig and LunbootConfigNew; 0: none
 *   start FILE CODING TEXT         starts a program with load options in ascii, wide or hex
 *   breakvar | mendvar             the firmware fails to read any variable, and no longer does
 *   rng error|zeros|good           a random number generator of the firmware that behaves so
 *   assert ADDRESS                 an assertion of the boot client fails; address in its image
 *   os-assert ADDRESS              the same while an operating system takes over
 *   os                             ends the boot services, as such a system does, and waits
 *   cipher COUNT                   seals so many packets by AES-GCM, twice: MB/s by each method
 *   pcr NUMBER                     the TPM's PCR, of SHA-256
 *   hold                           opens the disk as a driver that does not give it back
 *   pending OFFSET LENGTH          an asynchronous read, whose end is told when it comes
 *   hang                           for ever
 *   return | off                   back to the firmware, or power off
 *
 * Numbers are decimal; sizes are bytes. Every result is a line that starts with "METER". */
#include "core/crypto/gcm.h"
#include "hosts/uefi/path.h"

#define SCRIPT_MAX   4096
#define BUFFER_MAX   (4 * 1024 * 1024)
#define ASYNC_MAX    64
#define PACKET_BYTES 1440 /* about what ESP has in a full frame */

static EFI_BLOCK_IO *disk;
static EFI_BLOCK_IO2_PROTOCOL *disk2;
static uint8_t *buffer;

static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID block_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static EFI_GUID block2_guid = EFI_BLOCK_IO2_PROTOCOL_GUID;

/* ---- finding the disk ------------------------------------------------------------------------ */

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
    pool_free(handles);
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

/* ---- commands -------------------------------------------------------------------------------- */

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

/* Microseconds for so many packets; the last one's tag. */
static uint64_t seal_packets(struct lb_gcm *gcm, uint64_t count, uint8_t tag[LB_GCM_TAG_BYTES]) {
    uint64_t began_us = clock_us();
    memset(buffer, 0x5a, PACKET_BYTES);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t nonce[LB_GCM_NONCE_BYTES] = {0};
        memcpy(nonce, &i, sizeof i);
        lb_gcm_seal(gcm, nonce, lb_bytes(nonce, sizeof nonce), lb_span(buffer, PACKET_BYTES), tag);
    }
    return LB_MAX(clock_us() - began_us, 1u);
}

static void do_cipher(uint64_t count) {
    static const uint8_t key[LB_GCM_KEY_MAX] = {4, 1, 7, 3};
    uint8_t tags[2][LB_GCM_TAG_BYTES];
    struct lb_gcm gcm;
    lb_gcm_init(&gcm, lb_bytes(key, sizeof key));
    uint64_t us = seal_packets(&gcm, count, tags[0]);
    lb_gcm_init_portable(&gcm, lb_bytes(key, sizeof key));
    uint64_t portable_us = seal_packets(&gcm, count, tags[1]);
    say("METER cipher %s %llu MB/s, portable %llu MB/s, %s\n", lb_gcm_method(),
        (unsigned long long)(count * PACKET_BYTES / us),
        (unsigned long long)(count * PACKET_BYTES / portable_us),
        memcmp(tags[0], tags[1], sizeof tags[0]) == 0 ? "equal" : "different");
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

/* ---- the variable ---- */

static CHAR16 variable[] = L"LunbootConfig", new_variable[] = L"LunbootConfigNew";
static EFI_GUID variable_guid = {
    0x6c756e62, 0x6f6f, 0x4474, {0x8a, 0x1e, 0x52, 0x46, 0x43, 0x34, 0x31, 0x37}};

static UINT32 attributes_of(CHAR16 *name) {
    UINT32 attributes = 0;
    UINTN size = BUFFER_MAX;
    EFI_STATUS status =
        st->RuntimeServices->GetVariable(name, &variable_guid, &attributes, &size, buffer);
    return EFI_ERROR(status) ? 0 : attributes;
}

/* Attributes cannot be changed: what was there goes first. */
static void do_setvar(struct lb_bytes value) {
    st->RuntimeServices->SetVariable(variable, &variable_guid, attributes_of(variable), 0, NULL);
    EFI_STATUS status = st->RuntimeServices->SetVariable(
        variable, &variable_guid,
        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
        value.len, (void *)(uintptr_t)value.p);
    say("METER setvar %s\n", status_word(status));
}

static void do_bigvar(uint64_t len, struct lb_bytes text) {
    uint8_t *room = buffer + BUFFER_MAX / 2;
    for (uint64_t i = 0; i < len; i++)
        room[i] = i % 64 == 63 || i + 1 == len ? '\n' : '#';
    memcpy(room + len, text.p, text.len);
    do_setvar(lb_bytes(room, (size_t)len + text.len));
}

/* ---- firmware that fails ---- */

static EFI_STATUS EFIAPI fail_to_read(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size,
                                      void *data) {
    (void)name;
    (void)guid;
    (void)attributes;
    (void)size;
    (void)data;
    return EFI_DEVICE_ERROR;
}

/* Breaks it, or mends what was broken. */
static void do_breakvar(bool is_broken) {
    static EFI_GET_VARIABLE good;
    if (good == NULL)
        good = st->RuntimeServices->GetVariable;
    st->RuntimeServices->GetVariable = is_broken ? fail_to_read : good;
}

struct rng {
    EFI_STATUS(EFIAPI *get_info)(struct rng *, UINTN *, EFI_GUID *);
    EFI_STATUS(EFIAPI *get)(struct rng *, EFI_GUID *, UINTN, UINT8 *);
};

static EFI_STATUS EFIAPI rng_fails(struct rng *this, EFI_GUID *guid, UINTN len, UINT8 *to) {
    (void)this;
    (void)guid;
    memset(to, 0x5a, len / 2); /* and leaves something there */
    return EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI rng_gives_zeros(struct rng *this, EFI_GUID *guid, UINTN len, UINT8 *to) {
    (void)this;
    (void)guid;
    memset(to, 0, len);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI rng_is_good(struct rng *this, EFI_GUID *guid, UINTN len, UINT8 *to) {
    (void)this;
    (void)guid;
    for (UINTN i = 0; i < len; i++)
        to[i] = (UINT8)(clock_ticks() >> i % 8);
    to[0] = (UINT8)~to[1];
    return EFI_SUCCESS;
}

static void do_rng(struct lb_bytes how) {
    static struct rng rng;
    static EFI_HANDLE handle;
    EFI_GUID guid = {0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};
    rng.get = lb_text_is(how, "error")   ? rng_fails
              : lb_text_is(how, "zeros") ? rng_gives_zeros
                                         : rng_is_good;
    if (handle == NULL)
        bs->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE, &rng);
}

/* ---- starting the boot client ---- */

static EFI_DEVICE_PATH *path_of(EFI_HANDLE volume, struct lb_bytes name) {
    EFI_DEVICE_PATH *path = NULL;
    if (EFI_ERROR(bs->HandleProtocol(volume, &path_guid, (void **)&path)))
        return NULL;
    size_t before = path_len(path), node = 4 + 2 * (name.len + 1);
    uint8_t *made = uefi_alloc(before + node + PATH_END_BYTES);
    if (made == NULL)
        return NULL;
    struct lb_wr wr = lb_wr(lb_span(made, before + node + PATH_END_BYTES));
    lb_wr_bytes(&wr, lb_bytes(path, before));
    lb_wr_u8(&wr, MEDIA_DEVICE_PATH);
    lb_wr_u8(&wr, MEDIA_FILEPATH_DP);
    lb_wr_u16le(&wr, (uint16_t)node);
    for (size_t i = 0; i < name.len; i++)
        lb_wr_u16le(&wr, name.p[i]);
    lb_wr_u16le(&wr, 0);
    path_put_end(&wr);
    return (EFI_DEVICE_PATH *)(void *)made;
}

static size_t encode(struct lb_bytes coding, struct lb_bytes text, uint8_t room[SCRIPT_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(room, SCRIPT_MAX));
    size_t len = 0;
    if (lb_text_is(coding, "hex"))
        return lb_parse_hex_bytes(text, lb_span(room, SCRIPT_MAX), &len) ? len : 0;
    for (size_t i = 0; i < text.len; i++) {
        lb_wr_u8(&wr, text.p[i]);
        if (lb_text_is(coding, "wide"))
            lb_wr_u8(&wr, 0);
    }
    return wr.len;
}

static void do_start(struct lb_bytes line) {
    static uint8_t options[SCRIPT_MAX];
    EFI_LOADED_IMAGE *ours = NULL, *started = NULL;
    EFI_HANDLE image = NULL;
    struct lb_bytes name, coding = {0};
    if (!lb_list_next(&line, ' ', &name) ||
        EFI_ERROR(bs->HandleProtocol(self, &loaded_guid, (void **)&ours)))
        return;
    lb_list_next(&line, ' ', &coding);
    EFI_STATUS status =
        bs->LoadImage(FALSE, self, path_of(ours->DeviceHandle, name), NULL, 0, &image);
    if (!EFI_ERROR(status))
        status = bs->HandleProtocol(image, &loaded_guid, (void **)&started);
    if (!EFI_ERROR(status)) {
        started->LoadOptionsSize = (UINT32)encode(coding, line, options);
        started->LoadOptions = options;
        say("METER starts %.*s\n", (int)name.len, (const char *)name.p);
        status = bs->StartImage(image, NULL, NULL);
    }
    say("METER %.*s ended: %s\n", (int)name.len, (const char *)name.p, status_word(status));
}

/* ---- what a boot client must survive ---- */

typedef void (*failing)(const char *file, int line);
static failing to_fail;

/* The image that has started this one. */
static bool find_failing(uint64_t address) {
    EFI_LOADED_IMAGE *ours = NULL, *parents = NULL;
    if (EFI_ERROR(bs->HandleProtocol(self, &loaded_guid, (void **)&ours)) ||
        EFI_ERROR(bs->HandleProtocol(ours->ParentHandle, &loaded_guid, (void **)&parents)))
        return false;
    to_fail = (failing)((uintptr_t)parents->ImageBase + (uintptr_t)address);
    return true;
}

static void EFIAPI on_exit(EFI_EVENT event, void *context) {
    (void)event;
    (void)context;
    to_fail("while an operating system takes over", 1);
}

static void do_os(void) {
    UINTN size = BUFFER_MAX, key, entry;
    UINT32 version;
    say("METER takes over\n");
    bs->GetMemoryMap(&size, (void *)buffer, &key, &entry, &version);
    bs->ExitBootServices(self, key);
    for (;;)
        ;
}

static void do_os_assert(void) {
    EFI_EVENT event;
    bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, on_exit, NULL, &event);
    do_os();
}

/* TPM2_PCR_Read by the firmware's protocol: TPM 2.0 Library, part 3, 22.4. */
static void do_pcr(uint64_t number) {
    EFI_GUID guid = {0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
    struct tpm {
        void *others[3];
        EFI_STATUS(EFIAPI *submit)
        (struct tpm *self, UINT32 in_len, const uint8_t *in, UINT32 out_len, uint8_t *out);
    } *tpm = NULL;
    uint8_t ask[20] = {0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7e, 0, 0, 0, 1, 0, 0x0b, 3};
    uint8_t answer[64] = {0};
    EFI_STATUS status = bs->LocateProtocol(&guid, NULL, (void **)&tpm);
    if (!EFI_ERROR(status) && number < 24) {
        ask[17 + number / 8] = (uint8_t)(1 << number % 8);
        status = tpm->submit(tpm, sizeof ask, ask, sizeof answer, answer);
    }
    if (EFI_ERROR(status)) {
        say("METER pcr: %s\n", status_word(status));
        return;
    }
    say("METER pcr %u ", (unsigned)number);
    for (size_t i = 30; i < 62; i++)
        say("%02x", answer[i]);
    say("\n");
}

/* In the name of a handle that is no driver, so that nobody can ask it to let go. */
static void do_hold(EFI_HANDLE agent) {
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    void *interface;
    bs->LocateHandleBuffer(ByProtocol, &block_guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        if (EFI_ERROR(bs->HandleProtocol(handles[i], &block_guid, &interface)) || interface != disk)
            continue;
        bs->DisconnectController(handles[i], NULL, NULL);
        EFI_STATUS status = bs->OpenProtocol(handles[i], &block_guid, &interface, agent, handles[i],
                                             EFI_OPEN_PROTOCOL_BY_DRIVER);
        say("METER hold %s\n", status_word(status));
    }
    pool_free(handles);
}

/* What is needed when the read ends. The program may be gone by then, and its memory with it, so
 * all of this, the code of on_pending too, lives in memory of its own. */
struct pending {
    EFI_BLOCK_IO2_TOKEN token;
    SIMPLE_TEXT_OUTPUT_INTERFACE *console;
    CHAR16 good[40], bad[40];
    uint8_t code[512];
};

/* Runs as a copy: it must use nothing but its arguments. */
static __attribute__((noinline)) void EFIAPI on_pending(EFI_EVENT event, void *context) {
    struct pending *pending = context;
    (void)event;
    pending->console->OutputString(pending->console, pending->token.TransactionStatus == EFI_SUCCESS
                                                         ? pending->good
                                                         : pending->bad);
}

static void do_pending(uint64_t offset, uint64_t len) {
    static const CHAR16 good[] = L"METER pending ended: success\r\n";
    static const CHAR16 bad[] = L"METER pending ended: failed\r\n";
    struct pending *pending = NULL;
    EFI_EVENT_NOTIFY copy;
    if (EFI_ERROR(bs->AllocatePool(EfiBootServicesCode, sizeof *pending, (void **)&pending)))
        return;
    memset(pending, 0, sizeof *pending);
    memcpy(pending->good, good, sizeof good);
    memcpy(pending->bad, bad, sizeof bad);
    memcpy(pending->code, (const void *)(uintptr_t)on_pending, sizeof pending->code);
    pending->console = st->ConOut;
    copy = (EFI_EVENT_NOTIFY)(uintptr_t)pending->code;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, copy, pending, &pending->token.Event);
    EFI_STATUS status =
        disk2->ReadBlocksEx(disk2, disk2->Media->MediaId, offset / disk2->Media->BlockSize,
                            &pending->token, (UINTN)len, buffer);
    say("METER pending %s\n", status_word(status));
}

/* ---- the script ------------------------------------------------------------------------------ */

static uint64_t next_number(struct lb_bytes *line) {
    struct lb_bytes word;
    uint64_t value = 0;
    if (lb_list_next(line, ' ', &word))
        lb_parse_u64(word, UINT64_MAX, &value);
    return value;
}

/* The commands with a text behind them. */
static bool run_with_text(struct lb_bytes word, struct lb_bytes line) {
    if (lb_text_is(word, "setvar")) {
        do_setvar(line);
    } else if (lb_text_is(word, "rng")) {
        do_rng(line);
    } else if (lb_text_is(word, "start")) {
        do_start(line);
    } else if (lb_text_is(word, "bigvar")) {
        uint64_t len = next_number(&line);
        do_bigvar(len, line);
    } else {
        return false;
    }
    return true;
}

/* The processor sleeps meanwhile, and timers go on: what an emulated one does, ours does. */
static void pause_for(uint64_t ms) {
    EFI_EVENT event;
    UINTN which;
    bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &event);
    bs->SetTimer(event, TimerRelative, ms * 10000);
    bs->WaitForEvent(1, &event, &which);
    bs->CloseEvent(event);
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
    if (lb_text_is(word, "hang")) /* with the watchdog as the boot client has set it */
        for (;;)
            pause_for(1000);
    bs->SetWatchdogTimer(0, 0, 0, NULL); /* as loaders do that take their time */
    if (run_with_text(word, line))
        return true;
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
        pause_for(a);
    else if (lb_text_is(word, "errors"))
        do_errors();
    else if (lb_text_is(word, "time") || lb_text_is(word, "timewrite"))
        do_time(a, b, c, lb_text_is(word, "timewrite"));
    else if (lb_text_is(word, "random"))
        do_random(a, b);
    else if (lb_text_is(word, "getvar"))
        say("METER %s %u, %s %u\n", "LunbootConfig", attributes_of(variable), "LunbootConfigNew",
            attributes_of(new_variable));
    else if (lb_text_is(word, "breakvar") || lb_text_is(word, "mendvar"))
        do_breakvar(lb_text_is(word, "breakvar"));
    else if (lb_text_is(word, "assert") && find_failing(a))
        to_fail("under the loader", 1);
    else if (lb_text_is(word, "os-assert") && find_failing(a))
        do_os_assert();
    else if (lb_text_is(word, "os"))
        do_os();
    else if (lb_text_is(word, "cipher"))
        do_cipher(a);
    else if (lb_text_is(word, "pcr"))
        do_pcr(a);
    else if (lb_text_is(word, "hold"))
        do_hold(st->ConsoleOutHandle);
    else if (lb_text_is(word, "pending"))
        do_pending(a, b);
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
