#include "hosts/uefi/disk.h"
#include "hosts/uefi/cache.h"
#include "hosts/uefi/loop.h"
#include "hosts/uefi/medium.h"
#include "hosts/uefi/net.h"
#include "hosts/uefi/path.h"
#include "hosts/uefi/path_iscsi.h"
#include "hosts/uefi/requests.h"

#define TICK_100NS (10 * 10000) /* 10 ms: NOP-Ins, lease and asynchronous requests */

static struct {
    EFI_HANDLE handle;
    EFI_BLOCK_IO block_io;
    EFI_BLOCK_IO2_PROTOCOL block_io2;
    EFI_BLOCK_IO_MEDIA media; /* its id and presence are those of `medium` */
    struct medium medium;
    EFI_EVENT tick, exit;
    uint8_t *path;
    uint8_t *cache_memory;
    uint64_t wanted_bytes, wanted_from, shown_us; /* the progress bar; wanted_bytes 0: none */
    bool is_shown;
    bool is_over;  /* the operating system has taken over, or the disk is gone */
    bool is_dirty; /* written to since the last flush that succeeded */
} disk;

static EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static EFI_GUID block_io2_guid = EFI_BLOCK_IO2_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

uint64_t disk_bytes_read(void) {
    return requests_bytes_read();
}

EFI_DEVICE_PATH *disk_path(void) {
    return (EFI_DEVICE_PATH *)(void *)disk.path;
}

/* ---- requests -------------------------------------------------------------------------------- */

static EFI_STATUS status_of(enum medium_status status) {
    switch (status) {
    case MEDIUM_OK:
        return EFI_SUCCESS;
    case MEDIUM_PROTECTED:
        return EFI_WRITE_PROTECTED;
    case MEDIUM_NONE:
        return EFI_NO_MEDIA;
    case MEDIUM_CHANGED:
        return EFI_MEDIA_CHANGED;
    case MEDIUM_BROKEN:
        break;
    }
    return EFI_DEVICE_ERROR;
}

static void show_medium(void) {
    disk.media.MediaId = disk.medium.id;
    disk.media.MediaPresent = disk.medium.is_present;
}

/* Another disk in the place of ours is no medium for anybody. */
static EFI_STATUS status_of_end(enum lb_code code) {
    enum medium_status status = medium_ended(&disk.medium, code);
    show_medium();
    return status_of(status);
}

/* What a request of BlockIo2's has become is told to who asked. */
static void tell(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status) {
    token->TransactionStatus = status;
    bs->SignalEvent(token->Event);
}

static void finish(struct lb_disk_op *op) {
    EFI_STATUS status = status_of_end(op->error.code);
    EFI_BLOCK_IO2_TOKEN *token = requests_ended(op);
    if (token != NULL)
        tell(token, status);
}

void requests_submit(struct lb_disk_op *op) {
    lb_boot_submit(loop_engine(), clock_us(), op);
    loop_stir();
}

#define PROGRESS_US (250 * LB_US_MS) /* between two drawings, and before the first */

void disk_show_progress(uint64_t total) {
    if (total == 0 && disk.is_shown)
        say("\n");
    disk.wanted_bytes = total;
    disk.wanted_from = requests_bytes_read();
    disk.shown_us = clock_us();
    disk.is_shown = false;
}

static void draw_progress(void) {
    if (disk.wanted_bytes == 0 || clock_us() - disk.shown_us < PROGRESS_US)
        return;
    uint64_t done = LB_MIN(requests_bytes_read() - disk.wanted_from, disk.wanted_bytes);
    say_progress("loader", done, disk.wanted_bytes);
    disk.shown_us = clock_us();
    disk.is_shown = true;
}

/* One turn of everything, and the completions. The caller runs at TPL_CALLBACK. */
void requests_turn(void) {
    loop_turn();
    for (struct lb_disk_op *op; (op = lb_boot_completed(loop_engine())) != NULL;)
        finish(op);
    draw_progress();
}

static void EFIAPI on_tick(EFI_EVENT event, void *context) {
    (void)event;
    (void)context;
    requests_turn();
}

/* The operating system takes over: what was handed to us to be written is written, and then not a
 * word more. The session stays open for the operating system to reinstate with the same ISID. */
static void EFIAPI on_exit_boot_services(EFI_EVENT event, void *context) {
    uint64_t until_us = clock_us() + 3 * LB_US_SEC;
    (void)event;
    (void)context;
    while (requests_are_writing() && clock_us() < until_us)
        requests_turn();
    bs->SetTimer(disk.tick, TimerCancel, 0);
    disk.is_over = true;
    wipe_everything();
}

/* ---- the protocols --------------------------------------------------------------------------- */

/* The order of the checks is that of the specification's tables. */
static EFI_STATUS check(UINT32 media_id, EFI_LBA lba, UINTN len, const void *buffer) {
    const EFI_BLOCK_IO_MEDIA *media = &disk.media;
    if (disk.is_over)
        return EFI_NO_MEDIA;
    enum medium_status status = medium_check(&disk.medium, media_id);
    if (status != MEDIUM_OK)
        return status_of(status);
    if (len == 0)
        return EFI_SUCCESS;
    if (buffer == NULL)
        return EFI_INVALID_PARAMETER;
    if (len % media->BlockSize != 0)
        return EFI_BAD_BUFFER_SIZE;
    if (lba > media->LastBlock || len / media->BlockSize > media->LastBlock - lba + 1)
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

static EFI_STATUS run(enum lb_disk_kind kind, EFI_LBA lba, uint32_t blocks, void *buffer,
                      EFI_BLOCK_IO2_TOKEN *token) {
    if (kind == LB_DISK_READ && token == NULL)
        return status_of_end(
            requests_read(lba, blocks, buffer, net_stream_pace(LB_BOOT_SLOT_SESSION)));
    disk.is_dirty = disk.is_dirty || kind == LB_DISK_WRITE;
    struct request *request = requests_begin(kind, lba, blocks, buffer, token);
    if (token == NULL)
        return status_of_end(requests_wait(request));
    requests_turn();
    return EFI_SUCCESS;
}

static EFI_STATUS transfer(enum lb_disk_kind kind, EFI_LBA lba, UINTN len, void *buffer,
                           EFI_BLOCK_IO2_TOKEN *token) {
    EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
    EFI_STATUS status = run(kind, lba, (uint32_t)(len / disk.media.BlockSize), buffer, token);
    bs->RestoreTPL(tpl);
    return status;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN len,
                                     void *buffer) {
    (void)this;
    EFI_STATUS status = check(media_id, lba, len, buffer);
    if (EFI_ERROR(status) || len == 0)
        return status;
    return transfer(LB_DISK_READ, lba, len, buffer, NULL);
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN len,
                                      void *buffer) {
    (void)this;
    EFI_STATUS status = check(media_id, lba, len, buffer);
    if (EFI_ERROR(status) || len == 0)
        return status;
    if (disk.media.ReadOnly)
        return EFI_WRITE_PROTECTED;
    return transfer(LB_DISK_WRITE, lba, len, buffer, NULL);
}

/* Firmware's FAT driver flushes at every turn; without a write there is nothing to be made
 * durable. */
static EFI_STATUS EFIAPI flush_blocks(EFI_BLOCK_IO *this) {
    (void)this;
    if (disk.is_over)
        return EFI_SUCCESS;
    if (!disk.is_dirty)
        return status_of(medium_check_flush(&disk.medium));
    EFI_STATUS status = transfer(LB_DISK_FLUSH, 0, 0, NULL, NULL);
    disk.is_dirty = EFI_ERROR(status);
    return status;
}

static EFI_STATUS EFIAPI reset(EFI_BLOCK_IO *this, BOOLEAN extended) {
    (void)this;
    (void)extended;
    return EFI_SUCCESS;
}

/* A token without an event asks for a blocking call. */
static EFI_STATUS transfer2(enum lb_disk_kind kind, EFI_LBA lba, UINTN len, void *buffer,
                            EFI_BLOCK_IO2_TOKEN *token) {
    bool waits = token == NULL || token->Event == NULL;
    if (kind == LB_DISK_FLUSH && !disk.is_over && medium_check_flush(&disk.medium) != MEDIUM_OK)
        return EFI_MEDIA_CHANGED;
    if (len == 0 && (kind != LB_DISK_FLUSH || !disk.is_dirty || disk.is_over)) {
        if (!waits)
            tell(token, EFI_SUCCESS);
        return EFI_SUCCESS;
    }
    return transfer(kind, lba, len, buffer, waits ? NULL : token);
}

static EFI_STATUS EFIAPI read_blocks2(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
                                      EFI_BLOCK_IO2_TOKEN *token, UINTN len, void *buffer) {
    (void)this;
    EFI_STATUS status = check(media_id, lba, len, buffer);
    return EFI_ERROR(status) ? status : transfer2(LB_DISK_READ, lba, len, buffer, token);
}

static EFI_STATUS EFIAPI write_blocks2(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
                                       EFI_BLOCK_IO2_TOKEN *token, UINTN len, void *buffer) {
    (void)this;
    EFI_STATUS status = check(media_id, lba, len, buffer);
    if (EFI_ERROR(status))
        return status;
    if (disk.media.ReadOnly)
        return EFI_WRITE_PROTECTED;
    return transfer2(LB_DISK_WRITE, lba, len, buffer, token);
}

static EFI_STATUS EFIAPI flush_blocks2(EFI_BLOCK_IO2_PROTOCOL *this, EFI_BLOCK_IO2_TOKEN *token) {
    (void)this;
    return transfer2(LB_DISK_FLUSH, 0, 0, NULL, token);
}

static EFI_STATUS EFIAPI reset2(EFI_BLOCK_IO2_PROTOCOL *this, BOOLEAN extended) {
    (void)this;
    (void)extended;
    return EFI_SUCCESS;
}

/* ---- the device path ------------------------------------------------------------------------- */

static EFI_STATUS make_path(void) {
    EFI_DEVICE_PATH *card = NULL;
    EFI_STATUS status = bs->HandleProtocol(loop_nic()->handle, &path_guid, (void **)&card);
    size_t card_len = EFI_ERROR(status) ? 0 : path_len(card);
    size_t cap = card_len + PATH_ISCSI_BYTES_MAX;
    /* The firmware goes on reading it after the memory of ours has been wiped. */
    if (EFI_ERROR(bs->AllocatePool(EfiBootServicesData, cap, (void **)&disk.path)))
        return EFI_OUT_OF_RESOURCES;
    struct lb_wr wr = lb_wr(lb_span(disk.path, cap));
    lb_wr_bytes(&wr, lb_bytes(card, card_len));
    struct lb_initiator *session = lb_boot_session(loop_engine());
    struct local_end end = loop_local_end();
    path_iscsi_put(&wr, lb_initiator_peer(session), &end, lb_boot_target(loop_engine()),
                   lb_initiator_agreed(session));
    path_put_end(&wr);
    return lb_wr_ok(&wr) ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void fill_media(void) {
    const struct lb_disk_info *info = lb_boot_disk(loop_engine());
    disk.media = (EFI_BLOCK_IO_MEDIA){
        .ReadOnly = info->read_only,
        .WriteCaching = !info->read_only, /* the target may cache: a flush matters */
        .BlockSize = info->block_bytes,
        .LastBlock = info->blocks - 1,
        .LogicalBlocksPerPhysicalBlock = 1U << info->physical_exponent,
        .OptimalTransferLengthGranularity = info->granularity_blocks,
    };
    medium_init(&disk.medium);
    show_medium();
}

EFI_STATUS disk_install(EFI_HANDLE *handle) {
    EFI_STATUS status = make_path();
    if (EFI_ERROR(status))
        return status;
    disk.is_over = disk.is_dirty = false;
    fill_media();
    if (disk.cache_memory == NULL)
        disk.cache_memory = uefi_alloc((size_t)CACHE_LINES_MAX * REQUESTS_LINE_BYTES);
    requests_init(disk.cache_memory, disk.media.BlockSize, disk.media.LastBlock + 1);
    disk.block_io = (EFI_BLOCK_IO){.Revision = EFI_BLOCK_IO_INTERFACE_REVISION3,
                                   .Media = &disk.media,
                                   .Reset = reset,
                                   .ReadBlocks = read_blocks,
                                   .WriteBlocks = write_blocks,
                                   .FlushBlocks = flush_blocks};
    disk.block_io2 = (EFI_BLOCK_IO2_PROTOCOL){.Media = &disk.media,
                                              .Reset = reset2,
                                              .ReadBlocksEx = read_blocks2,
                                              .WriteBlocksEx = write_blocks2,
                                              .FlushBlocksEx = flush_blocks2};
    status =
        bs->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_tick, NULL, &disk.tick);
    if (!EFI_ERROR(status))
        status = bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, on_exit_boot_services,
                                 NULL, &disk.exit);
    if (!EFI_ERROR(status))
        status = bs->SetTimer(disk.tick, TimerPeriodic, TICK_100NS);
    if (!EFI_ERROR(status))
        status = bs->InstallMultipleProtocolInterfaces(&disk.handle, &path_guid, disk.path,
                                                       &block_io_guid, &disk.block_io,
                                                       &block_io2_guid, &disk.block_io2, NULL);
    if (EFI_ERROR(status))
        return status;
    *handle = disk.handle;
    bs->ConnectController(disk.handle, NULL, NULL, TRUE);
    return EFI_SUCCESS;
}

/* Whoever waits for an event of a request hears of its end, and the request of nobody. */
static void end_requests(void) {
    for (EFI_BLOCK_IO2_TOKEN *token; (token = requests_forsake()) != NULL;)
        tell(token, EFI_DEVICE_ERROR);
}

/* Data that is on its way lands in buffers of the loader, which is gone. */
static void finish_requests(void) {
    uint64_t until_us = clock_us() + LB_US_SEC;
    EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
    while (requests_are_busy() && clock_us() < until_us)
        requests_turn();
    bs->RestoreTPL(tpl);
}

static EFI_STATUS uninstall(void) {
    EFI_STATUS status = bs->DisconnectController(disk.handle, NULL, NULL);
    finish_requests();
    disk.is_over = true;
    EFI_STATUS last = bs->UninstallMultipleProtocolInterfaces(
        disk.handle, &path_guid, disk.path, &block_io_guid, &disk.block_io, &block_io2_guid,
        &disk.block_io2, NULL);
    if (EFI_ERROR(status))
        say("a driver stays on the disk: %s\n", status_word(status));
    return last;
}

void disk_remove(void) {
    EFI_STATUS status = disk.handle == NULL ? EFI_SUCCESS : uninstall();
    if (disk.tick != NULL)
        bs->CloseEvent(disk.tick);
    if (disk.exit != NULL)
        bs->CloseEvent(disk.exit);
    disk.tick = disk.exit = NULL;
    end_requests();
    if (EFI_ERROR(status)) {
        say("the firmware does not give the disk back: %s\n", status_word(status));
        restart("it would call what is gone");
    }
    disk.handle = NULL;
    pool_free(disk.path);
    disk.path = NULL;
}
