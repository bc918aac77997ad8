#include "server/target.h"
#include "core/iscsi/iscsi_wire.h"
#include "server/kept.h"
#include "server/lock.h"
#include "server/sanitize.h"
#include "server/session.h"
#include "server/threads.h"
#include "server/workers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES_MAX 256
#define RUN_BYTES  65536     /* of blocks that are all alike */
#define FREE_BYTES (1 << 30) /* given back at a time */
#define TURNS_MAX  512       /* of one session, then others are served */

/* ---- who has something to do ---- */

/* Another thread wants it to end. */
static void drop_if_asked(struct lb_server_session *session) {
    if (session->is_dropped)
        lb_target_drop(&session->conn);
}

void lb_session_make_due(struct lb_server_session *session) {
    struct lb_server_target *target = session->target;
    if (session->due_before != NULL)
        return;
    session->due_next = NULL;
    session->due_before = target->due_end;
    *target->due_end = session;
    target->due_end = &session->due_next;
    target->due_count++;
}

static void make_idle(struct lb_server_session *session) {
    struct lb_server_target *target = session->target;
    if (session->due_before == NULL)
        return;
    *session->due_before = session->due_next;
    if (session->due_next != NULL)
        session->due_next->due_before = session->due_before;
    else
        target->due_end = session->due_before;
    session->due_before = NULL;
    target->due_count--;
}

/* ---- a disk that does not answer ---- */

static struct lb_server_disk *disk_of(const struct lb_server_session *session) {
    return session->machine != NULL ? session->machine->disk : NULL;
}

/* Another thread is on it, or on another session of its machine: it is not touched. */
static bool waits_for_disk(const struct lb_server_session *session) {
    return lb_server_threads_is_waiting(session->home, disk_of(session));
}

/* ---- memory ---- */

/* The session of this memory waited for more, and may find some now. */
static void wake(struct lb_server_memory *memory) {
    size_t at = offsetof(struct lb_server_session, memory);
    if (memory != NULL)
        lb_session_make_due((struct lb_server_session *)(void *)((uint8_t *)memory - at));
}

static void take_back(struct lb_server_session *session, struct lb_server_buffer *buffer) {
    wake(lb_server_memory_take_back(&session->memory, buffer));
}

static void take_back_rooms(struct lb_server_session *session) {
    wake(lb_server_memory_take_back_rooms(&session->memory, &session->conn));
}

static struct lb_server_buffer *buffer_of(const struct lb_target_io *io) {
    return (struct lb_server_buffer *)(uintptr_t)io->user;
}

/* ---- a boot, as the sessions see it ---- */

/* Sessions of an earlier boot of this machine: it has begun again, and they are dead. */
static void drop_earlier(struct lb_server_target *target, const struct lb_server_machine *machine) {
    for (struct lb_server_session *at = target->sessions; at != NULL; at = at->next)
        if (at->machine == machine && at->generation != machine->head.generation)
            lb_target_drop(&at->conn);
    target->server.stirred = true;
}

/* The machine begins a boot, or its disk is opened; the lock is held exclusively. */
static struct lb_storage *begin(struct lb_server_session *session) {
    struct lb_server_machine *machine = session->machine;
    struct lb_server_error error = {0};
    bool is_new = false;
    if (session->generation != machine->head.generation && session->generation != machine->offered)
        return NULL; /* of a boot that has ended: it is closing, too */
    struct lb_storage *storage = lb_server_machine_enter(session->target->machines, machine,
                                                         session->generation, &is_new, &error);
    if (storage == NULL && !session->has_said_trouble) {
        struct lb_event event = lb_session_event(session, LB_EVENT_TROUBLE);
        event.hint = error.hint;
        lb_server_tell(&event, "gets no disk: %s", error.what);
    }
    session->has_said_trouble |= storage == NULL;
    if (is_new)
        drop_earlier(session->target, machine);
    return storage;
}

/* The session's disk; NULL: it cannot be had. */
static struct lb_storage *enter(struct lb_server_session *session) {
    if (session->machine == NULL)
        return NULL; /* it is closing */
    struct lb_storage *storage = lb_server_machine_entered(session->machine, session->generation);
    if (storage == NULL) {
        bool was_shared = lb_lock_upgrade();
        storage = begin(session);
        lb_lock_downgrade(was_shared);
    }
    if (storage != NULL && session->machine->sanitize != NULL)
        lb_server_sanitize_watch(&session->target->sanitizing, session->machine->sanitize);
    return storage;
}

/* The first login to a boot begins it. */
static void begin_use(struct lb_server_session *session) {
    lb_session_warn_of_sharing(session);
    (void)enter(session);
}

static void say_progress(struct lb_server_session *session) {
    const struct lb_target_conn *conn = &session->conn;
    if (!session->has_said_login && lb_target_is_full_feature(conn)) {
        session->has_said_login = true;
        session->machine = lb_server_machines_of(session->target->machines, lb_target_node(conn));
        if (session->machine != NULL)
            session->generation = lb_server_machine_boot(session->machine, lb_target_node(conn));
        struct lb_event event =
            lb_session_event(session, session->machine != NULL ? LB_EVENT_LOGIN : LB_EVENT_NOTE);
        lb_server_tell(
            &event, lb_target_node(conn) ? "logged in as %s" : "asks for the list of targets as %s",
            lb_target_initiator(conn));
        if (session->machine != NULL)
            begin_use(session);
    }
    if (!session->has_said_reading && session->bytes_read > 0) {
        struct lb_event event = lb_session_event(session, LB_EVENT_READ);
        session->has_said_reading = true;
        lb_server_tell(&event, "reads its disk");
    }
}

/* ---- the disk ---- */

/* At 90 % of the limit: THIN PROVISIONING SOFT THRESHOLD REACHED (SPC-4 table D.2). */
static void watch_limit(struct lb_server_session *session) {
    struct lb_server_machine *machine = session->machine;
    const struct lb_overlay *overlay = &machine->overlay.overlay;
    bool has_limit = session->target->machines->settings->overlay_mib > 0;
    if (!machine->is_open)
        return;
    machine->unit.used_blocks =
        overlay->here * (LB_OVERLAY_BLOCK / lb_scsi_unit_block_bytes(&machine->unit));
    if (overlay->here * 10 < overlay->limit * 9)
        machine->has_said_full = false; /* it gave some back */
    if (!has_limit || machine->has_said_full || overlay->here * 10 < overlay->limit * 9)
        return;
    machine->has_said_full = true;
    struct lb_event event = lb_session_event(session, LB_EVENT_TROUBLE);
    event.hint =
        "give it a higher overlay-limit, then lunbootctl reload; or reset it once it is off";
    lb_server_tell(&event, "has written %s of the %s it may write",
                   lb_size_text(overlay->here * LB_OVERLAY_BLOCK).s,
                   lb_size_text(overlay->limit * LB_OVERLAY_BLOCK).s);
    lb_target_attention(&session->target->server, lb_target_node(&session->conn), 0, 0x38, 0x07);
}

/* A SANITIZE goes on, or has failed: what came before it is refused, too. */
static bool is_sanitized(const struct lb_server_session *session) {
    return session->machine->unit.sanitize.state != LB_SCSI_SANITIZE_NONE;
}

static int ask_at(struct lb_server_session *session, enum lb_storage_op op,
                  const struct lb_target_io *io, uint64_t lba, uint32_t len, uint8_t *memory) {
    struct lb_storage *storage = enter(session);
    struct lb_storage_ask ask = {
        .op = op,
        .offset = lba * lb_scsi_unit_block_bytes(io->lun),
        .len = len,
        .memory = memory,
        .is_durable = io->force_unit_access,
        .is_atomic = op == LB_STORAGE_WRITE && io->is_atomic,
    };
    if (storage == NULL)
        return ENOMEDIUM;
    if (is_sanitized(session))
        return EINPROGRESS;
    bool is_answered = lb_storage_submit(storage, &ask);
    lb_assert(is_answered);
    if (ask.error != 0 && !session->has_said_trouble)
        lb_session_say_error(session, op, ask.error);
    session->has_said_trouble |= ask.error != 0;
    if (op == LB_STORAGE_READ && ask.error == 0)
        session->bytes_read += len;
    if (op == LB_STORAGE_WRITE && ask.error == 0)
        session->bytes_written += len;
    if (op != LB_STORAGE_READ && op != LB_STORAGE_FLUSH)
        watch_limit(session);
    return ask.error;
}

static int ask(struct lb_server_session *session, enum lb_storage_op op,
               const struct lb_target_io *io, uint8_t *memory) {
    return ask_at(session, op, io, io->lba, io->len, memory);
}

/* What is read, without a copy. A digest would be made of it: see window.h. False: it must be read
 * into memory. */
static bool give_view(struct lb_server_session *session, struct lb_target_io *io,
                      struct lb_target_answer *answer) {
    struct lb_storage *storage =
        io->kind == LB_IO_READ && !session->conn.data_digest ? enter(session) : NULL;
    const uint8_t *bytes =
        storage != NULL && !is_sanitized(session)
            ? lb_storage_view(storage, io->lba * lb_scsi_unit_block_bytes(io->lun), io->len)
            : NULL;
    if (bytes == NULL)
        return false;
    struct lb_server_buffer *buffer = lb_server_memory_show(&session->memory, storage->window);
    if (buffer == NULL)
        return false;
    session->bytes_read += io->len;
    io->user = (uint64_t)(uintptr_t)buffer;
    answer->memory = lb_span((uint8_t *)(uintptr_t)bytes, io->len);
    return true;
}

/* Memory for what is read or written. A piece may be made shorter. False: there is none. */
static bool give_room(struct lb_server_session *session, struct lb_target_io *io,
                      struct lb_target_answer *answer) {
    struct lb_server_buffer *buffer =
        lb_server_memory_lend(&session->memory, io->len, io->is_piece, io->kind == LB_IO_READ);
    if (buffer == NULL)
        return false;
    uint32_t len = LB_MIN(io->len, buffer->grant.bytes);
    uint8_t *bytes = lb_server_buffer_bytes(buffer);
    int error =
        io->kind == LB_IO_READ ? ask_at(session, LB_STORAGE_READ, io, io->lba, len, bytes) : 0;
    *answer = lb_server_target_answer(error, false);
    if (error != 0) {
        take_back(session, buffer);
        return true;
    }
    io->user = (uint64_t)(uintptr_t)buffer;
    answer->memory = lb_span(bytes, len);
    return true;
}

/* READ, BUFFER. False: it has to wait for memory. */
static bool give_memory(struct lb_server_session *session, uint64_t now_us,
                        struct lb_target_io *io) {
    struct lb_target_answer answer = {0};
    bool can_wait = io->is_piece || io->len <= LB_BUDGET_OWN;
    bool has_memory = give_view(session, io, &answer) || give_room(session, io, &answer);
    if (!has_memory && can_wait)
        return false;
    if (!has_memory)
        answer.status = LB_SCSI_TASK_SET_FULL;
    lb_target_io_done(&session->conn, now_us, io, answer);
    return true;
}

static void wait_for_memory(struct lb_server_session *session, struct lb_target_io *io) {
    io->user = 0;
    if (session->waiting == NULL)
        session->waiting = io;
    else
        session->last_waiting->user = (uint64_t)(uintptr_t)io;
    session->last_waiting = io;
}

/* Those that wait, in their order, as far as there is memory. */
static void retry(struct lb_server_session *session, uint64_t now_us) {
    session->memory.has_more = false;
    while (session->waiting != NULL) {
        struct lb_target_io *io = session->waiting;
        struct lb_target_io *next = (struct lb_target_io *)(uintptr_t)io->user;
        if (!give_memory(session, now_us, io))
            return;
        session->waiting = next;
    }
}

/* A write whose data is next in the stream: nothing else comes before it. Where all memory of the
 * session is that of other writes, whose data comes behind it, it cannot wait. True: it is refused,
 * and the initiator sends it again (SAM-5 5.3.1, TASK SET FULL). */
static bool refuse_stalled(struct lb_server_session *session, uint64_t now_us) {
    static const struct lb_target_answer full = {.status = LB_SCSI_TASK_SET_FULL};
    struct lb_target_io *stalled = lb_target_stalled(&session->conn), *before = NULL;
    struct lb_target_io *io = session->waiting;
    if (stalled == NULL || session->memory.reads > 0)
        return false;
    for (; io != NULL && io != stalled; io = (struct lb_target_io *)(uintptr_t)io->user)
        before = io;
    if (io == NULL)
        return false;
    if (before == NULL)
        session->waiting = (struct lb_target_io *)(uintptr_t)io->user;
    else
        before->user = io->user;
    if (session->last_waiting == io)
        session->last_waiting = before;
    lb_target_io_done(&session->conn, now_us, io, full);
    return true;
}

/* Gives blocks back; op: UNMAP or ZERO. */
static int give_back(struct lb_server_session *session, const struct lb_target_io *io,
                     enum lb_storage_op op) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(io->lun), run = FREE_BYTES / block_bytes;
    int error = 0;
    for (uint64_t done = 0; error == 0 && done < io->blocks;) {
        uint32_t count = (uint32_t)LB_MIN(run, io->blocks - done);
        error = ask_at(session, op, io, io->lba + done, count * block_bytes, NULL);
        done += count;
    }
    return error;
}

static bool is_zeros(const struct lb_target_io *io) {
    uint32_t len = lb_scsi_unit_block_bytes(io->lun), i = 0;
    while (io->buffer.p != NULL && i < len && io->buffer.p[i] == 0)
        i++;
    return io->buffer.p == NULL || i == len;
}

/* GET LBA STATUS. */
static struct lb_target_answer tell_status(struct lb_server_session *session,
                                           const struct lb_target_io *io) {
    uint64_t block_bytes = lb_scsi_unit_block_bytes(io->lun);
    struct lb_storage *storage = enter(session);
    struct lb_target_answer answer = {0};
    if (storage == NULL)
        return lb_server_target_answer(ENOMEDIUM, false);
    answer.blocks = lb_storage_status(storage, io->blocks * block_bytes, io->lba * block_bytes,
                                      &answer.is_unmapped) /
                    block_bytes;
    return answer;
}

/* One block to each of many, or zeros: a run of them at a time. */
static int write_each(struct lb_server_session *session, const struct lb_target_io *io) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(io->lun), run = RUN_BYTES / block_bytes;
    int error = io->unmaps && is_zeros(io) ? give_back(session, io, LB_STORAGE_ZERO) : EOPNOTSUPP;
    if (error != EOPNOTSUPP)
        return error;
    uint8_t *bytes = calloc(run, block_bytes);
    error = bytes == NULL ? ENOMEM : 0;
    for (uint32_t i = 0; error == 0 && io->buffer.p != NULL && i < run; i++)
        memcpy(bytes + (size_t)i * block_bytes, io->buffer.p, block_bytes);
    for (uint32_t done = 0; error == 0 && done < io->blocks;) {
        uint32_t count = LB_MIN(run, io->blocks - done);
        error = ask_at(session, LB_STORAGE_WRITE, io, io->lba + done, count * block_bytes, bytes);
        done += count;
    }
    free(bytes);
    return error;
}

/* MISCOMPARE with the offset of the first byte that differs. */
static struct lb_target_answer compare(struct lb_server_session *session,
                                       const struct lb_target_io *io) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(io->lun);
    struct lb_target_answer answer = {0};
    uint8_t *block = malloc(block_bytes);
    int error = block == NULL ? ENOMEM : 0;
    for (uint32_t i = 0; error == 0 && answer.status == LB_SCSI_GOOD && i < io->blocks; i++) {
        uint32_t at = io->is_repeated ? 0 : i * block_bytes, same = 0;
        error = ask_at(session, LB_STORAGE_READ, io, io->lba + i, block_bytes, block);
        while (error == 0 && same < block_bytes && block[same] == io->buffer.p[at + same])
            same++;
        if (error == 0 && same < block_bytes)
            answer = (struct lb_target_answer){.status = LB_SCSI_CHECK_CONDITION,
                                               .key = 0xe,
                                               .asc = 0x1d,
                                               .differs_at = at + same};
    }
    free(block);
    return error != 0 ? lb_server_target_answer(error, false) : answer;
}

static int or_into(struct lb_server_session *session, const struct lb_target_io *io) {
    uint8_t *bytes = malloc(io->len);
    int error = bytes == NULL ? ENOMEM : ask(session, LB_STORAGE_READ, io, bytes);
    for (size_t i = 0; error == 0 && i < io->len; i++)
        bytes[i] |= io->buffer.p[i];
    if (error == 0)
        error = ask(session, LB_STORAGE_WRITE, io, bytes);
    free(bytes);
    return error;
}

/* A piece of EXTENDED COPY. Both units are the machine's disk: it has no other. */
static int copy_blocks(struct lb_server_session *session, const struct lb_target_io *io) {
    uint32_t len = io->blocks * lb_scsi_unit_block_bytes(io->lun);
    uint8_t *bytes = malloc(len);
    int error = bytes == NULL ? ENOMEM : 0;
    lb_assert(io->source == io->lun && len <= LB_SCSI_COPY_BYTES);
    if (error == 0)
        error = ask_at(session, LB_STORAGE_READ, io, io->source_lba, len, bytes);
    if (error == 0)
        error = ask_at(session, LB_STORAGE_WRITE, io, io->lba, len, bytes);
    free(bytes);
    return error;
}

/* Only an overlay can be sanitized: the session has a machine. */
static int sanitize(struct lb_server_session *session, const struct lb_target_io *io) {
    struct lb_server_machine *machine = session->machine;
    char folder[LB_SERVER_PATH_MAX + 64];
    if (enter(session) == NULL)
        return ENOMEDIUM;
    if (machine->unit.sanitize.state == LB_SCSI_SANITIZE_GOES_ON)
        return EINPROGRESS; /* it has begun since the command came */
    lb_server_machine_folder(session->target->machines, machine, folder);
    int error = lb_server_sanitize_begin(&session->target->sanitizing, machine, folder, io);
    if (error != 0)
        lb_session_say_error(session, LB_STORAGE_WRITE, error);
    return error;
}

/* What it has reserved survives a restart, and is on stable storage when it is answered. */
static int keep(const struct lb_server_session *session) {
    const char *state = session->target->machines->settings->state;
    int error = session->machine == NULL ? ENOMEDIUM : 0; /* it is closing */
    if (error == 0)
        error = lb_server_kept_save(state, session->machine);
    if (error != 0 && session->machine != NULL)
        lb_server_say(session->machine->name, "its keys cannot be kept in %s: %s", state,
                      strerror(error));
    return error;
}

static struct lb_target_answer compare_and_write(struct lb_server_session *session,
                                                 const struct lb_target_io *io) {
    struct lb_target_answer answer = compare(session, io);
    uint32_t len = io->blocks * lb_scsi_unit_block_bytes(io->lun);
    if (answer.status != LB_SCSI_GOOD)
        return answer;
    return lb_server_target_answer(
        ask_at(session, LB_STORAGE_WRITE, io, io->lba, len, io->buffer.p + len), true);
}

static struct lb_target_answer write_out(struct lb_server_session *session,
                                         struct lb_target_io *io) {
    int error = io->is_repeated ? write_each(session, io)
                                : ask(session, LB_STORAGE_WRITE, io, io->buffer.p);
    if (io->buffer.p != NULL)
        take_back(session, buffer_of(io));
    return lb_server_target_answer(error, true);
}

static void carry_out(struct lb_server_session *session, uint64_t now_us, struct lb_target_io *io) {
    struct lb_target_answer answer = {0};
    switch (io->kind) {
    case LB_IO_READ:
    case LB_IO_BUFFER:
        if (session->waiting != NULL || !give_memory(session, now_us, io))
            wait_for_memory(session, io);
        return;
    case LB_IO_WRITE:
        answer = write_out(session, io);
        break;
    case LB_IO_FLUSH:
        answer = lb_server_target_answer(ask(session, LB_STORAGE_FLUSH, io, NULL), true);
        break;
    case LB_IO_RELEASE:
        take_back(session, buffer_of(io));
        return;
    case LB_IO_OR:
        answer = lb_server_target_answer(or_into(session, io), true);
        take_back(session, buffer_of(io));
        break;
    case LB_IO_COMPARE:
        answer = compare(session, io);
        take_back(session, buffer_of(io));
        break;
    case LB_IO_COMPARE_AND_WRITE:
        answer = compare_and_write(session, io);
        take_back(session, buffer_of(io));
        break;
    case LB_IO_STATUS:
        answer = tell_status(session, io);
        break;
    case LB_IO_UNMAP:
        answer = lb_server_target_answer(give_back(session, io, LB_STORAGE_UNMAP), true);
        break;
    case LB_IO_SANITIZE:
        answer = lb_server_target_answer(sanitize(session, io), true);
        break;
    case LB_IO_COPY:
        answer = lb_server_target_answer(copy_blocks(session, io), true);
        break;
    case LB_IO_KEEP:
        answer = lb_server_target_answer(keep(session), true);
        break;
    }
    lb_target_io_done(&session->conn, now_us, io, answer);
}

/* ---- a session ---- */

void lb_session_end(struct lb_server_session *session) {
    lb_target_conn_end(&session->conn);
    lb_budget_leave(session->memory.budget, &session->memory.share);
    take_back_rooms(session);
    while (session->memory.buffers != NULL)
        take_back(session, session->memory.buffers);
    lb_session_say_end(session);
    lb_server_source_close(&session->source);
    make_idle(session);
    *session->before = session->next;
    if (session->next != NULL)
        session->next->before = session->before;
    session->target->count--;
    if (session->home != NULL)
        session->home->users--;
    free(session);
}

/* What was promised without a copy cannot be read. The initiator logs in again, and is told. */
static void distrust_disk(struct lb_server_session *session) {
    if (session->machine == NULL || session->machine->disk == NULL ||
        session->machine->disk->storage.window == NULL)
        return;
    lb_window_distrust(session->machine->disk->storage.window);
    lb_server_say(lb_addr_text(session->client.addr).s, "the disk %s cannot be read as it was",
                  session->machine->disk->path);
}

static void send_out(struct lb_server_session *session, uint64_t now_us) {
    struct lb_bytes pieces[PIECES_MAX];
    struct iovec iov[PIECES_MAX];
    size_t count = lb_target_gather(&session->conn, pieces, PIECES_MAX);
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    bool is_paused = lb_lock_pause(); /* of a mapped disk, it may read */
    ssize_t n = sendmsg(session->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    lb_lock_resume(is_paused);
    drop_if_asked(session);
    if (n > 0)
        lb_target_sent(&session->conn, now_us, (size_t)n);
    else if (errno == EAGAIN)
        session->wants_write = true;
    else if (errno != EINTR) {
        if (errno == EFAULT)
            distrust_disk(session);
        session->is_gone = true;
    }
}

static struct lb_target *wanted_node(const struct lb_server_session *session) {
    const char *name = lb_target_who(&session->conn).target;
    return name[0] != '\0' ? lb_server_machines_node(session->target->machines, name) : NULL;
}

/* Threads that serve sessions have no portal, and take whom the main one lets in. */
static bool has_no_place(const struct lb_server_session *session) {
    const struct lb_server_target *target = session->target;
    bool is_main = target->source.fd >= 0 || target->source6.fd >= 0;
    return is_main && lb_session_is_one_too_many(session, wanted_node(session));
}

/* Whose node it is; a discovery session is told of all that let it in. */
static void admit(struct lb_server_session *session, uint64_t now_us) {
    const struct lb_server_machines *machines = session->target->machines;
    struct lb_target_admission admission = {
        .status = has_no_place(session) ? LB_LOGIN_NO_RESOURCES : LB_LOGIN_OK,
        .node = wanted_node(session),
        .listed = (struct lb_target *const *)machines->shown,
        .listed_count = 2 * machines->count,
    };
    if (!lb_server_workers_fits(session, admission.node))
        admission.node = NULL; /* it was removed meanwhile, and another one came */
    if (lb_server_workers_refuses(session, admission.node))
        admission.status = LB_LOGIN_UNAVAILABLE; /* initiators try again */
    lb_target_admit(&session->conn, now_us, &admission);
}

/* Does what the machine wants, until it waits. False: it has more to do. */
static bool turn(struct lb_server_session *session, uint64_t now_us) {
    for (unsigned i = 0; i < TURNS_MAX && !session->is_gone; i++) {
        bool is_long;
        drop_if_asked(session);
        if (session->waiting != NULL && session->memory.has_more)
            retry(session, now_us);
        struct lb_target_action action = lb_target_poll(&session->conn, now_us);
        session->until_us = action.until_us;
        switch (action.event) {
        case LB_TARGET_LEND:
            session->is_gone =
                !lb_server_memory_lend_room(&session->memory, &session->conn, now_us, action.role);
            break;
        case LB_TARGET_WHO:
            if (!has_no_place(session) && lb_server_workers_take(session))
                return true;
            admit(session, now_us);
            break;
        case LB_TARGET_IO:
            say_progress(session);
            is_long = action.io->kind == LB_IO_COPY;
            carry_out(session, now_us, action.io);
            if (is_long || lb_lock_is_replaced()) /* others come first */
                return false;
            break;
        case LB_TARGET_SEND:
            if (session->wants_write) /* until the socket takes more */
                return true;
            send_out(session, now_us);
            if (lb_lock_is_replaced())
                return false;
            break;
        case LB_TARGET_CLOSE:
            session->is_gone = true;
            return true;
        case LB_TARGET_WAIT:
            if (session->waiting != NULL && refuse_stalled(session, now_us))
                break;
            take_back_rooms(session);
            return true;
        }
    }
    return session->is_gone;
}

static void serve(struct lb_server_session *session, uint64_t now_us) {
    const struct lb_server_target *target = session->target;
    struct lb_span spans[2];
    if (!turn(session, now_us))
        lb_session_make_due(session);
    if (session->target != target) /* another thread has it from here on */
        return;
    say_progress(session);
    if (session->is_gone)
        return;
    if (session->waiting != NULL)
        lb_budget_wait(session->memory.budget, &session->memory.share);
    else
        lb_budget_leave(session->memory.budget, &session->memory.share);
    uint32_t events = (session->wants_write ? EPOLLOUT : 0) |
                      (!lb_target_has(&session->conn, LB_TARGET_STAGING) ||
                               lb_target_where(&session->conn, spans) > 0
                           ? EPOLLIN
                           : 0);
    session->is_gone = !lb_server_watch(session->target->epoll, &session->source, events);
}

void lb_session_receive(struct lb_server_session *session, uint64_t now_us) {
    struct lb_span spans[2];
    struct iovec iov[2];
    drop_if_asked(session);
    if (!lb_target_has(&session->conn, LB_TARGET_STAGING))
        session->is_gone = !lb_server_memory_lend_room(&session->memory, &session->conn, now_us,
                                                       LB_TARGET_STAGING);
    size_t count = lb_target_where(&session->conn, spans);
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){spans[i].p, spans[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    if (count == 0 || session->is_gone)
        return;
    bool is_paused = lb_lock_pause();
    ssize_t n = recvmsg(session->source.fd, &message, MSG_DONTWAIT);
    lb_lock_resume(is_paused);
    drop_if_asked(session);
    if (n > 0)
        lb_target_got(&session->conn, now_us, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        session->is_gone = true;
}

void lb_server_session_ready(struct lb_server_source *source, uint32_t events, uint64_t now_us) {
    struct lb_server_session *session = (struct lb_server_session *)(void *)source;
    if (waits_for_disk(session)) { /* it is made due when the disk answers */
        (void)lb_server_watch(session->target->epoll, source, 0);
        return;
    }
    lb_server_threads_work_for(session->target, session->home, disk_of(session));
    lb_session_make_due(session);
    if (events & EPOLLOUT)
        session->wants_write = false;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        lb_session_receive(session, now_us);
    if (events & (EPOLLHUP | EPOLLERR))
        session->is_gone = true;
}

/* Who is due by time, or by what another session did to it. */
static void look_at_all(struct lb_server_target *target, uint64_t now_us) {
    uint64_t until_us = LB_NEVER;
    for (struct lb_server_session *at = target->sessions; at != NULL; at = at->next) {
        if (target->server.stirred || now_us >= at->until_us)
            lb_session_make_due(at);
        else
            until_us = LB_MIN(until_us, at->until_us);
    }
    target->server.stirred = false;
    target->until_us = until_us;
}

/* A piece of a SANITIZE. */
static void sanitize_on(struct lb_server_target *target) {
    struct lb_server_sanitize *job =
        target->is_quiet ? NULL : lb_server_sanitize_next(target->sanitizing);
    if (job == NULL)
        return;
    lb_server_threads_work_for(target, &job->machine->home, job->machine->disk);
    if (lb_server_sanitize_poll(&target->sanitizing, job))
        target->server.stirred = true;
}

uint64_t lb_server_target_poll(struct lb_server_target *target, uint64_t now_us) {
    sanitize_on(target);
    if (target->server.stirred || now_us >= target->until_us)
        look_at_all(target, now_us);
    for (size_t left = target->due_count; left > 0 && target->due != NULL; left--) {
        struct lb_server_session *session = target->due;
        if (lb_lock_is_replaced()) /* the others are the next thread's */
            return now_us;
        make_idle(session);
        if (waits_for_disk(session))
            continue;
        lb_server_threads_work_for(target, session->home, disk_of(session));
        if (!session->is_gone)
            serve(session, now_us);
        if (session->target != target)
            continue;
        if (session->is_gone)
            lb_session_end(session);
        else
            target->until_us = LB_MIN(target->until_us, session->until_us);
    }
    bool goes_on = !target->is_quiet && lb_server_sanitize_next(target->sanitizing) != NULL;
    return goes_on || target->server.stirred || target->due != NULL ? now_us : target->until_us;
}
