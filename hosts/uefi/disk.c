#include "hosts/uefi/disk.h"
#include "hosts/uefi/cache.h"
#include "hosts/uefi/loop.h"
#include "hosts/uefi/medium.h"
#include "hosts/uefi/net.h"
#include "hosts/uefi/path.h"

#define OPS_MAX      224 /* requests under way: the cache's lines and BlockIo2's */
#define LINE_BYTES   65536
#define DIRECT_BYTES 262144       /* so much that is not in the cache goes past it */
#define TICK_100NS   (10 * 10000) /* 10 ms: NOP-Ins, lease and asynchronous requests */

struct request {
    struct lb_disk_op op;
    EFI_BLOCK_IO2_TOKEN *token; /* NULL: somebody waits in wait_for, or it fills a line */
    bool busy, done, is_line;
    size_t line;
};

static struct {
    EFI_HANDLE handle;
    EFI_BLOCK_IO block_io;
    EFI_BLOCK_IO2_PROTOCOL block_io2;
    EFI_BLOCK_IO_MEDIA media; /* its id and presence are those of `medium` */
    struct medium medium;
    EFI_EVENT tick, exit;
    uint8_t *path;
    uint64_t bytes_read;
    struct request requests[OPS_MAX], *free[OPS_MAX];
    size_t free_count;
    struct cache cache;
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
    return disk.bytes_read;
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
static EFI_STATUS status_of_end(const struct lb_disk_op *op) {
    enum medium_status status = medium_ended(&disk.medium, op->error.code);
    show_medium();
    return status_of(status);
}

static void release(struct request *request) {
    request->busy = false;
    disk.free[disk.free_count++] = request;
}

static void finish(struct lb_disk_op *op) {
    struct request *request = (struct request *)(uintptr_t)op->user;
    EFI_STATUS status = status_of_end(op);
    request->done = true;
    if (op->kind == LB_DISK_WRITE)
        cache_forget(&disk.cache, op->lba, op->blocks);
    if (op->kind == LB_DISK_READ)
        disk.bytes_read += (uint64_t)op->blocks * disk.media.BlockSize;
    if (request->is_line) {
        cache_loaded(&disk.cache, request->line, lb_is_ok(&op->error));
        release(request);
    }
    if (request->token == NULL)
        return;
    request->token->TransactionStatus = status;
    bs->SignalEvent(request->token->Event);
    release(request);
}

#define PROGRESS_US (250 * LB_US_MS) /* between two drawings, and before the first */

void disk_show_progress(uint64_t total) {
    if (total == 0 && disk.is_shown)
        say("\n");
    disk.wanted_bytes = total;
    disk.wanted_from = disk.bytes_read;
    disk.shown_us = clock_us();
    disk.is_shown = false;
}

static void draw_progress(void) {
    if (disk.wanted_bytes == 0 || clock_us() - disk.shown_us < PROGRESS_US)
        return;
    uint64_t done = LB_MIN(disk.bytes_read - disk.wanted_from, disk.wanted_bytes);
    say_progress("loader", done, disk.wanted_bytes);
    disk.shown_us = clock_us();
    disk.is_shown = true;
}

/* One turn of everything, and the completions. The caller runs at TPL_CALLBACK. */
static bool turn(void) {
    bool moved = loop_turn();
    for (struct lb_disk_op *op; (op = lb_boot_completed(loop_engine())) != NULL;)
        finish(op);
    draw_progress();
    return moved;
}

static void EFIAPI on_tick(EFI_EVENT event, void *context) {
    (void)event;
    (void)context;
    turn();
}

static bool is_writing(void) {
    for (size_t i = 0; i < OPS_MAX; i++)
        if (disk.requests[i].busy && disk.requests[i].op.kind != LB_DISK_READ)
            return true;
    return false;
}

/* The operating system takes over: what was handed to us to be written is written, and then not a
 * word more. The session stays open for the operating system to reinstate with the same ISID. */
static void EFIAPI on_exit_boot_services(EFI_EVENT event, void *context) {
    uint64_t until_us = clock_us() + 3 * LB_US_SEC;
    (void)event;
    (void)context;
    while (is_writing() && clock_us() < until_us)
        turn();
    bs->SetTimer(disk.tick, TimerCancel, 0);
    disk.is_over = true;
    wipe_everything();
}

static struct request *begin(enum lb_disk_kind kind, EFI_LBA lba, uint32_t blocks, void *buffer,
                             EFI_BLOCK_IO2_TOKEN *token) {
    while (disk.free_count == 0)
        turn();
    struct request *request = disk.free[--disk.free_count];
    *request = (struct request){.busy = true, .token = token};
    request->op = (struct lb_disk_op){.kind = kind,
                                      .lba = lba,
                                      .blocks = blocks,
                                      .buffer = buffer,
                                      .user = (uint64_t)(uintptr_t)request};
    lb_boot_submit(loop_engine(), clock_us(), &request->op);
    loop_stir();
    return request;
}

/* The engine gives every request an end: data, or an error when recovery-time is over. */
static EFI_STATUS wait_for(struct request *request) {
    while (!request->done)
        turn();
    EFI_STATUS status = status_of_end(&request->op);
    release(request);
    return status;
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

/* ---- reads through the cache ----------------------------------------------------------------- */

/* False: there is no room for it now. */
static bool load_line(uint64_t lba) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    if (disk.free_count == 0)
        return false;
    if (!cache_claim(&disk.cache, lba, &index, &first, &blocks, &to))
        return cache_has(&disk.cache, lba);
    struct request *request = begin(LB_DISK_READ, first, blocks, to, NULL);
    request->is_line = true;
    request->line = index;
    return true;
}

static void load_lines(uint64_t first, uint64_t end) {
    uint32_t line_blocks = disk.cache.line_blocks;
    for (uint64_t at = first - first % line_blocks; at < end; at += line_blocks)
        load_line(at);
}

/* In a row, what was asked for before is not looked at again. */
static void load_ahead(uint64_t lba, unsigned count) {
    struct cache *cache = &disk.cache;
    uint64_t first = (lba - 1) / cache->line_blocks + 1, end = first + count;
    if (cache->edge < first || cache->edge > end)
        cache->edge = first;
    while (cache->edge < end && load_line(cache->edge * cache->line_blocks))
        cache->edge++;
}

/* Straight into the caller's buffer. */
static EFI_STATUS read_direct(uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    return wait_for(begin(LB_DISK_READ, lba, blocks, buffer, NULL));
}

/* Out of lines that are there or on their way. */
static EFI_STATUS read_lines(uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    for (uint32_t done = 0; done < blocks;) {
        uint32_t got = cache_read(&disk.cache, lba + done, blocks - done, buffer);
        done += got;
        buffer += (size_t)got * disk.media.BlockSize;
        if (done == blocks || got > 0)
            continue;
        if (!cache_has(&disk.cache, lba + done)) /* it failed to load, or there was no line */
            return read_direct(lba + done, blocks - done, buffer);
        turn();
    }
    return EFI_SUCCESS;
}

/* What is there or on its way is copied; much more than that comes straight into the caller's
 * buffer; and what is behind it is asked for in the same breath. */
static EFI_STATUS read_cached(uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    uint32_t block_bytes = disk.media.BlockSize;
    uint64_t pace = net_stream_pace(LB_BOOT_SLOT_SESSION) / LINE_BYTES;
    unsigned ahead = cache_plan(&disk.cache, lba, blocks, (unsigned)LB_MIN(pace, 1000u));
    if (disk.cache_memory == NULL ||
        (cache_is_scattered(&disk.cache) && !cache_has(&disk.cache, lba)))
        return read_direct(lba, blocks, buffer);
    uint32_t direct = cache_missing(&disk.cache, lba, blocks);
    if ((uint64_t)direct * block_bytes < DIRECT_BYTES)
        direct = 0;
    uint32_t lines = blocks - direct;
    struct request *request = NULL;
    if (lines > 0)
        load_lines(lba, lba + lines);
    if (direct > 0)
        request =
            begin(LB_DISK_READ, lba + lines, direct, buffer + (size_t)lines * block_bytes, NULL);
    load_ahead(lba + blocks, ahead);
    EFI_STATUS status = read_lines(lba, lines, buffer);
    EFI_STATUS of_direct = request == NULL ? EFI_SUCCESS : wait_for(request);
    return EFI_ERROR(status) ? status : of_direct;
}

static EFI_STATUS read_now(uint64_t lba, uint32_t blocks, void *buffer) {
    EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
    EFI_STATUS status = read_cached(lba, blocks, buffer);
    bs->RestoreTPL(tpl);
    return status;
}

/* ---- the protocols --------------------------------------------------------------------------- */

static EFI_STATUS transfer(enum lb_disk_kind kind, EFI_LBA lba, UINTN len, void *buffer,
                           EFI_BLOCK_IO2_TOKEN *token) {
    uint32_t blocks = (uint32_t)(len / disk.media.BlockSize);
    if (kind == LB_DISK_READ && token == NULL)
        return read_now(lba, blocks, buffer);
    EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
    EFI_STATUS status = EFI_SUCCESS;
    if (kind == LB_DISK_WRITE)
        cache_forget(&disk.cache, lba, blocks);
    disk.is_dirty = disk.is_dirty || kind == LB_DISK_WRITE;
    struct request *request = begin(kind, lba, blocks, buffer, token);
    if (token == NULL)
        status = wait_for(request);
    else
        turn();
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
        if (!waits) {
            token->TransactionStatus = EFI_SUCCESS;
            bs->SignalEvent(token->Event);
        }
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

#define IPV4_NODE_BYTES 27
#define IPV6_NODE_BYTES 60

/* UEFI 2.10 10.3.4.12, 10.3.4.13 (IPv4, IPv6) and 10.3.4.21 (iSCSI); little-endian. */
static void put_ipv4_node(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end) {
    lb_wr_u8(wr, MSG_IPv4_DP);
    lb_wr_u16le(wr, IPV4_NODE_BYTES);
    lb_wr_addr(wr, end->addr);
    lb_wr_addr(wr, peer.addr);
    lb_wr_u16le(wr, 0); /* local port: any */
    lb_wr_u16le(wr, peer.port);
    lb_wr_u16le(wr, 6);                                /* TCP */
    lb_wr_u8(wr, end->origin == LOCAL_MANUAL ? 1 : 0); /* static address? */
    lb_wr_zero(wr, 8);                                 /* gateway, mask: as configured */
}

static void put_ipv6_node(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end) {
    static const uint8_t origins[] = {
        [LOCAL_MANUAL] = 0,
        [LOCAL_ROUTER] = 1,
        [LOCAL_DHCP] = 2,
    };
    lb_wr_u8(wr, MSG_IPv6_DP);
    lb_wr_u16le(wr, IPV6_NODE_BYTES);
    lb_wr_addr(wr, end->addr);
    lb_wr_addr(wr, peer.addr);
    lb_wr_u16le(wr, 0);
    lb_wr_u16le(wr, peer.port);
    lb_wr_u16le(wr, 6);
    lb_wr_u8(wr, origins[end->origin]);
    lb_wr_u8(wr, end->prefix_len);
    lb_wr_zero(wr, 16); /* gateway: as configured */
}

static void put_ip_node(struct lb_wr *wr) {
    struct lb_endpoint peer = lb_initiator_peer(lb_boot_session(loop_engine()));
    struct local_end end = loop_local_end();
    lb_wr_u8(wr, MESSAGING_DEVICE_PATH);
    if (peer.addr.family == LB_V6)
        put_ipv6_node(wr, peer, &end);
    else
        put_ipv4_node(wr, peer, &end);
}

static void put_iscsi_node(struct lb_wr *wr) {
    const struct lb_rootpath *target = lb_boot_target(loop_engine());
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(lb_boot_session(loop_engine()));
    size_t name_len = lb_strlen(target->target);
    uint16_t options = 0;
    options |= agreed->header_digest ? 0x0002 : 0;
    options |= agreed->data_digest ? 0x0008 : 0;
    options |= agreed->chap ? 0 : 0x0800;                    /* no authentication */
    options |= agreed->chap && !agreed->mutual ? 0x1000 : 0; /* CHAP_UNI */
    lb_wr_u8(wr, MESSAGING_DEVICE_PATH);
    lb_wr_u8(wr, 0x13);
    lb_wr_u16le(wr, (uint16_t)(18 + name_len + 1));
    lb_wr_u16le(wr, 0); /* TCP */
    lb_wr_u16le(wr, options);
    lb_wr_bytes(wr, lb_bytes(target->lun, 8));
    lb_wr_u16le(wr, agreed->tpgt);
    lb_wr_text(wr, target->target);
    lb_wr_u8(wr, 0);
}

static EFI_STATUS make_path(void) {
    EFI_DEVICE_PATH *card = NULL;
    EFI_STATUS status = bs->HandleProtocol(loop_nic()->handle, &path_guid, (void **)&card);
    size_t card_len = EFI_ERROR(status) ? 0 : path_len(card);
    size_t cap = card_len + IPV6_NODE_BYTES + 18 + LB_NAME_MAX + 1 + PATH_END_BYTES;
    /* The firmware goes on reading it after the memory of ours has been wiped. */
    if (EFI_ERROR(bs->AllocatePool(EfiBootServicesData, cap, (void **)&disk.path)))
        return EFI_OUT_OF_RESOURCES;
    struct lb_wr wr = lb_wr(lb_span(disk.path, cap));
    lb_wr_bytes(&wr, lb_bytes(card, card_len));
    put_ip_node(&wr);
    put_iscsi_node(&wr);
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

/* The head and the tail of the disk, where partition tables are, come in one flight. */
static void fill_cache(void) {
    const struct lb_disk_info *info = lb_boot_disk(loop_engine());
    for (disk.free_count = 0; disk.free_count < OPS_MAX;) {
        disk.requests[disk.free_count].busy = false;
        disk.free[disk.free_count] = &disk.requests[disk.free_count];
        disk.free_count++;
    }
    if (disk.cache_memory == NULL)
        disk.cache_memory = uefi_alloc((size_t)CACHE_LINES_MAX * LINE_BYTES);
    cache_init(&disk.cache, disk.cache_memory, CACHE_LINES_MAX, LINE_BYTES / info->block_bytes,
               info->block_bytes, info->blocks);
    if (disk.cache_memory == NULL)
        return;
    load_line(0);
    load_line(info->blocks - 1);
    load_ahead(0x100000 / info->block_bytes, 1 + CACHE_AHEAD_FIRST); /* where most ESPs begin */
}

EFI_STATUS disk_install(EFI_HANDLE *handle) {
    EFI_STATUS status = make_path();
    if (EFI_ERROR(status))
        return status;
    disk.is_over = disk.is_dirty = false;
    fill_media();
    fill_cache();
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
    for (size_t i = 0; i < OPS_MAX; i++) {
        struct request *request = &disk.requests[i];
        if (!request->busy || request->token == NULL)
            continue;
        request->token->TransactionStatus = EFI_DEVICE_ERROR;
        bs->SignalEvent(request->token->Event);
        request->token = NULL;
    }
}

static bool has_requests(void) {
    for (size_t i = 0; i < OPS_MAX; i++)
        if (disk.requests[i].busy)
            return true;
    return false;
}

/* Data that is on its way lands in buffers of the loader, which is gone. */
static void finish_requests(void) {
    uint64_t until_us = clock_us() + LB_US_SEC;
    EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
    while (has_requests() && clock_us() < until_us)
        turn();
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
