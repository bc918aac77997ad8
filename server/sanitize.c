#include "server/sanitize.h"
#include "os/linux/files.h"
#include "server/blockfile.h"
#include "server/durable.h"
#include "server/lock.h"
#include "server/record.h"
#include "server/say.h"
#include "server/threads.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FIRST_LINE  "# lunbootd: a SANITIZE of this overlay, which goes on; see sanitize.h\n"
#define BLOCK_BYTES 512                   /* the smallest there is */
#define RUN_BYTES   (UINT64_C(1) << 20)   /* one piece of OVERWRITE: others wait for so much */
#define FREE_BYTES  (UINT64_C(1) << 30)   /* one piece of BLOCK ERASE */
#define FLUSH_BYTES (UINT64_C(8) << 20)   /* made durable at a time */
#define SAVE_BYTES  (UINT64_C(256) << 20) /* done again after a cut, at most */

/* ---- text ---- */

static bool take_line(struct lb_sanitize_record *record, struct lb_bytes word,
                      struct lb_bytes value) {
    uint64_t number;
    if (lb_text_is(word, "pattern"))
        return lb_parse_hex_bytes(value, lb_span(record->pattern, sizeof record->pattern),
                                  &record->pattern_len);
    if (!lb_parse_u64(value, UINT64_MAX, &number))
        return false;
    if (lb_text_is(word, "done"))
        record->done = number;
    else if (lb_text_is(word, "passes") && number <= 31)
        record->passes = (uint8_t)number;
    else if (lb_text_is(word, "pass") && number <= 31)
        record->pass = (uint8_t)number;
    else if (lb_text_is(word, "inverts") && number <= 1)
        record->inverts = number == 1;
    else if (lb_text_is(word, "failed") && number <= 1)
        record->has_failed = number == 1;
    else if (lb_text_is(word, "restricted") && number <= 1)
        record->is_restricted = number == 1;
    else
        return false;
    return true;
}

bool lb_sanitize_parse(struct lb_bytes text, struct lb_sanitize_record *record) {
    struct lb_sanitize_record got = {0};
    struct lb_bytes word, value;
    enum lb_record_line line;
    while ((line = lb_record_next(&text, &word, &value)) == LB_RECORD_VALUE)
        if (!take_line(&got, word, value))
            return false;
    bool is_erase = got.passes == 0;
    if (line != LB_RECORD_END || is_erase != (got.pattern_len == 0) ||
        got.done % BLOCK_BYTES != 0 || (is_erase ? got.pass > 0 : got.pass >= got.passes))
        return false;
    *record = got;
    return true;
}

void lb_sanitize_format(struct lb_text *text, const struct lb_sanitize_record *record) {
    lb_text_add(text, FIRST_LINE "failed = %u\nrestricted = %u\npasses = %u\n",
                (unsigned)record->has_failed, (unsigned)record->is_restricted,
                (unsigned)record->passes);
    lb_text_add(text, "inverts = %u\npass = %u\ndone = %llu\n", (unsigned)record->inverts,
                (unsigned)record->pass, (unsigned long long)record->done);
    if (record->pattern_len > 0) {
        lb_text_add(text, "pattern = ");
        lb_text_hex(text, lb_bytes(record->pattern, record->pattern_len));
        lb_text_add(text, "\n");
    }
    lb_text_add(text, "end\n");
}

/* ---- the file ---- */

static int save(struct lb_server_sanitize *job) {
    char room[LB_SANITIZE_TEXT_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    lb_sanitize_format(&text, &job->record);
    lb_assert(!text.cut);
    job->saved = job->record.done;
    return lb_durable_replace(job->folder, "sanitize", lb_bytes(text.at, text.len));
}

/* False: there is none. */
static bool load(const char *folder, struct lb_sanitize_record *record) {
    char path[LB_SERVER_PATH_MAX + 80];
    uint8_t room[LB_SANITIZE_TEXT_MAX];
    lb_format(path, sizeof path, "%s/sanitize", folder);
    bool is_paused = lb_lock_pause();
    long len = lb_file_read(path, lb_span(room, sizeof room));
    lb_lock_resume(is_paused);
    if (len == -ENOENT)
        return false;
    if (len <= 0 || !lb_sanitize_parse(lb_bytes(room, (size_t)len), record))
        *record = (struct lb_sanitize_record){.has_failed = true, .is_restricted = true};
    return true;
}

/* ---- jobs ---- */

void lb_server_sanitize_watch(struct lb_server_sanitize **list, struct lb_server_sanitize *job) {
    if (job->before != NULL || job->record.has_failed)
        return;
    while (*list != NULL)
        list = &(*list)->next;
    job->next = NULL;
    job->before = list;
    *list = job;
}

static void leave(struct lb_server_sanitize *job) {
    if (job->before == NULL)
        return;
    *job->before = job->next;
    if (job->next != NULL)
        job->next->before = job->before;
    job->before = NULL;
}

void lb_server_sanitize_unwatch(struct lb_server_sanitize **list) {
    while (*list != NULL)
        leave(*list);
}

static struct lb_server_sanitize *new_job(struct lb_server_machine *machine, const char *folder) {
    struct lb_server_sanitize *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->machine = machine;
    machine->home.users++;
    lb_format(job->folder, sizeof job->folder, "%s", folder);
    return job;
}

static void free_job(struct lb_server_sanitize *job) {
    leave(job);
    job->machine->home.users--;
    free(job->run);
    free(job);
}

void lb_server_sanitize_stop(struct lb_server_machine *machine) {
    if (machine->sanitize != NULL)
        free_job(machine->sanitize);
    machine->sanitize = NULL;
}

int lb_server_sanitize_forget(struct lb_server_machine *machine, const char *folder) {
    lb_server_sanitize_stop(machine);
    lb_scsi_sanitize_end(&machine->unit, true);
    return lb_durable_remove(folder, "sanitize");
}

/* The board shows the change soon, also where the machine has no session. */
static void tell(const struct lb_server_machine *machine, const char *what) {
    const struct lb_event event = {.kind = LB_EVENT_NOTE, .machine = machine->name};
    lb_server_tell(&event, "%s", what);
}

static void tell_failure(const struct lb_server_machine *machine, const char *why) {
    const struct lb_event event = {.kind = LB_EVENT_TROUBLE,
                                   .machine = machine->name,
                                   .hint = "mend the disk of the overlays, and send SANITIZE "
                                           "again; or lunbootctl reset, once the machine is off"};
    lb_server_tell(&event, "its disk could not be sanitized, and cannot be used%s%s",
                   why[0] != '\0' ? ": " : "", why);
}

static void tell_begin(const struct lb_server_sanitize *job) {
    char what[64];
    unsigned passes = job->record.passes;
    lb_format(what, sizeof what, "its disk is being overwritten, %u %s", passes,
              passes == 1 ? "pass" : "passes");
    tell(job->machine, passes == 0 ? "its disk is being erased" : what);
}

static void tell_progress(struct lb_server_sanitize *job) {
    const struct lb_sanitize_record *record = &job->record;
    uint64_t bytes = job->machine->overlay.bytes, passes = LB_MAX(record->passes, 1);
    lb_scsi_sanitize_progress(&job->machine->unit, record->pass * bytes + job->at, passes * bytes);
}

int lb_server_sanitize_load(struct lb_server_machine *machine, const char *folder) {
    struct lb_sanitize_record record;
    lb_scsi_sanitize_end(&machine->unit, true);
    if (!load(folder, &record))
        return 0;
    struct lb_server_sanitize *job = new_job(machine, folder);
    if (job == NULL)
        return ENOMEM;
    machine->sanitize = job;
    job->record = record;
    job->at = job->saved = LB_MIN(record.done, machine->overlay.bytes);
    lb_scsi_sanitize_begin(&machine->unit, record.is_restricted);
    tell_progress(job);
    if (record.has_failed)
        lb_scsi_sanitize_end(&machine->unit, false);
    if (record.has_failed)
        tell_failure(machine, "");
    else
        tell(machine, "its disk is still being sanitized, and that goes on");
    return 0;
}

void lb_server_sanitize_resume(struct lb_server_sanitize **list,
                               struct lb_server_machines *machines) {
    for (size_t i = 0; i < machines->count; i++) {
        struct lb_server_machine *machine = &machines->list[i];
        char path[LB_SERVER_PATH_MAX + 80];
        struct lb_server_error error = {0};
        bool is_new;
        lb_format(path, sizeof path, "%s/%s/sanitize", machines->settings->overlays, machine->name);
        if (!lb_server_machine_has_begun(machine) || access(path, F_OK) < 0)
            continue;
        if (lb_server_machine_enter(machines, machine, machine->head.generation, &is_new, &error) ==
            NULL)
            lb_server_say(machine->name, "its disk cannot be sanitized: %s", error.what);
        else if (machine->sanitize != NULL)
            lb_server_sanitize_watch(list, machine->sanitize);
    }
}

/* ---- begin ---- */

/* Whether the limit and the file system leave room for all blocks. */
static int check_room(const struct lb_server_machine *machine) {
    const struct lb_overlay *overlay = &machine->overlay.overlay;
    struct statvfs status;
    if (overlay->limit < overlay->blocks)
        return ENOSPC;
    if (fstatvfs(machine->overlay.data, &status) < 0)
        return errno;
    uint64_t need = (overlay->blocks - overlay->here) * LB_OVERLAY_BLOCK;
    return need / status.f_frsize >= status.f_bavail ? ENOSPC : 0;
}

static bool fill_record(struct lb_sanitize_record *record, const struct lb_target_io *io) {
    struct lb_scsi_overwrite overwrite;
    *record = (struct lb_sanitize_record){.is_restricted = io->is_restricted};
    if (io->sanitize == LB_SCSI_BLOCK_ERASE)
        return true;
    uint32_t block_bytes = LB_MIN(lb_scsi_unit_block_bytes(io->lun), sizeof record->pattern);
    if (!lb_scsi_overwrite_read(lb_bytes(io->buffer.p, io->buffer.len), block_bytes, &overwrite))
        return false;
    record->inverts = overwrite.inverts;
    record->passes = overwrite.passes;
    record->pattern_len = overwrite.pattern.len;
    memcpy(record->pattern, overwrite.pattern.p, overwrite.pattern.len);
    return true;
}

int lb_server_sanitize_begin(struct lb_server_sanitize **list, struct lb_server_machine *machine,
                             const char *folder, const struct lb_target_io *io) {
    lb_assert(machine->is_open && machine->unit.sanitize.state != LB_SCSI_SANITIZE_GOES_ON);
    if (io->sanitize == LB_SCSI_EXIT_FAILURE)
        return lb_server_sanitize_forget(machine, folder);
    int error = lb_overlay_flush(&machine->overlay.overlay); /* room of what was given back */
    if (error == 0 && io->sanitize == LB_SCSI_OVERWRITE)
        error = check_room(machine);
    struct lb_server_sanitize *job = error == 0 ? new_job(machine, folder) : NULL;
    if (job == NULL)
        return error != 0 ? error : ENOMEM;
    error = fill_record(&job->record, io) ? save(job) : EINVAL;
    if (error != 0) {
        free_job(job);
        return error;
    }
    lb_server_sanitize_stop(machine); /* one that has failed */
    machine->sanitize = job;
    lb_scsi_sanitize_begin(&machine->unit, io->is_restricted);
    lb_server_sanitize_watch(list, job);
    tell_begin(job);
    return 0;
}

/* ---- work ---- */

static bool make_run(struct lb_server_sanitize *job) {
    const struct lb_sanitize_record *record = &job->record;
    const struct lb_scsi_overwrite overwrite = {.passes = record->passes,
                                                .inverts = record->inverts};
    uint32_t block_bytes = lb_scsi_unit_block_bytes(&job->machine->unit);
    uint8_t mask = lb_scsi_overwrite_is_inverted(&overwrite, record->pass) ? 0xff : 0;
    if (job->run != NULL)
        return true;
    job->run = malloc(RUN_BYTES);
    for (size_t i = 0; job->run != NULL && i < RUN_BYTES; i++)
        job->run[i] = record->pattern[i % block_bytes % record->pattern_len] ^ mask;
    return job->run != NULL;
}

static int ask(struct lb_server_sanitize *job, enum lb_storage_op op, uint64_t len) {
    struct lb_storage_ask ask = {
        .op = op, .offset = job->at, .len = (uint32_t)len, .memory = job->run};
    bool is_answered = lb_storage_submit(&job->machine->overlay, &ask);
    lb_assert(is_answered);
    return ask.error;
}

/* What is written so far is durable. */
static int settle(struct lb_server_sanitize *job, bool is_whole) {
    int error = ask(job, LB_STORAGE_FLUSH, 0);
    job->record.done = job->at;
    if (error == 0 && !is_whole && job->at - job->saved >= SAVE_BYTES)
        error = save(job);
    return error;
}

/* The next pass; false: it was the last. */
static bool next_pass(struct lb_server_sanitize *job) {
    if (job->record.pass + 1 >= job->record.passes)
        return false;
    job->record.pass++;
    job->record.done = job->at = 0;
    free(job->run);
    job->run = NULL;
    return true;
}

/* *is_over: nothing is left to do. 0, or an errno. */
static int do_piece(struct lb_server_sanitize *job, bool *is_over) {
    struct lb_server_machine *machine = job->machine;
    bool erases = job->record.passes == 0;
    uint64_t bytes = machine->overlay.bytes;
    uint64_t len = LB_MIN(erases ? FREE_BYTES : RUN_BYTES, bytes - job->at);
    if (!erases && !make_run(job))
        return ENOMEM;
    int error = len > 0 ? ask(job, erases ? LB_STORAGE_ZERO : LB_STORAGE_WRITE, len) : 0;
    if (error != 0)
        return error;
    job->at += len;
    machine->unit.used_blocks = machine->overlay.overlay.here *
                                (LB_OVERLAY_BLOCK / lb_scsi_unit_block_bytes(&machine->unit));
    bool is_whole = job->at == bytes;
    if (is_whole || job->at - job->record.done >= FLUSH_BYTES)
        error = settle(job, is_whole);
    if (error == 0 && is_whole && next_pass(job))
        error = save(job);
    else
        *is_over = is_whole;
    if (error == 0 && *is_over)
        error = lb_durable_remove(job->folder, "sanitize");
    return error;
}

static void fail(struct lb_server_sanitize *job, int error) {
    leave(job);
    job->record.has_failed = true;
    (void)save(job); /* else it goes on after a restart */
    lb_scsi_sanitize_end(&job->machine->unit, false);
    tell_failure(job->machine, strerror(error));
}

struct lb_server_sanitize *lb_server_sanitize_next(struct lb_server_sanitize *list) {
    while (list != NULL && lb_server_threads_is_waiting(&list->machine->home, list->machine->disk))
        list = list->next;
    return list;
}

bool lb_server_sanitize_poll(struct lb_server_sanitize **list, struct lb_server_sanitize *job) {
    bool is_over = false;
    struct lb_server_machine *machine = job->machine;
    leave(job); /* the next one comes next */
    machine->is_at_work = true;
    int error = do_piece(job, &is_over);
    if (error != 0) {
        fail(job, error);
    } else if (is_over) {
        tell(machine, "its disk is sanitized");
        lb_scsi_sanitize_end(&machine->unit, true);
        lb_server_sanitize_stop(machine);
    } else {
        tell_progress(job);
        lb_server_sanitize_watch(list, job);
    }
    machine->is_at_work = false;
    return error != 0 || is_over;
}
