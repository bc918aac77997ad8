#include "server/store.h"
#include "core/base/bindings.h"
#include "server/lock.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRING(x) #x
#define VALUE(x)  STRING(x)
#define VERSION   1 /* of the tables below: PRAGMA user_version */

/* A client has one address of each family, and an address one client; those put aside have none
 * (NULL). lease6: of IPv6, where clients are named otherwise. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS lease (address BLOB PRIMARY KEY, client BLOB UNIQUE, until INTEGER "
    "NOT NULL,"
    " leased INTEGER NOT NULL, declined INTEGER NOT NULL, bootp INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS lease6 (address BLOB PRIMARY KEY, client BLOB UNIQUE, until "
    "INTEGER "
    "NOT NULL,"
    " leased INTEGER NOT NULL, declined INTEGER NOT NULL, bootp INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS machine (name TEXT PRIMARY KEY, mac BLOB,"
    " offered INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS section (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS work (name TEXT PRIMARY KEY, image TEXT NOT NULL,"
    " version INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = " VALUE(VERSION) ";";

/* FULL: a commit is durable, also in WAL mode. EXCLUSIVE: no second lunbootd. */
static const char modes[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL;";

enum statement {
    READ_LEASES,
    READ_MACHINES,
    READ_SECTIONS,
    READ_WORKS,
    PUT_LEASE,
    PUT_LEASE6,
    PUT_MACHINE,
    PUT_SECTION,
    DELETE_SECTION,
    PUT_WORK,
    DELETE_WORK,
    STATEMENTS,
};
static const char *const texts[STATEMENTS] = {
    [READ_LEASES] = "SELECT address, client, until, leased, declined, bootp FROM lease"
                    " UNION ALL SELECT address, client, until, leased, declined, bootp FROM lease6"
                    " ORDER BY until DESC",
    [READ_MACHINES] = "SELECT name, mac, offered FROM machine ORDER BY name",
    [READ_SECTIONS] = "SELECT name, text FROM section ORDER BY name",
    [READ_WORKS] = "SELECT name, image, version FROM work ORDER BY name",
    [PUT_LEASE] = "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_LEASE6] = "INSERT OR REPLACE INTO lease6 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_MACHINE] = "INSERT OR REPLACE INTO machine VALUES (?1, ?2, ?3)",
    [PUT_SECTION] = "INSERT OR REPLACE INTO section VALUES (?1, ?2)",
    [DELETE_SECTION] = "DELETE FROM section WHERE name = ?1",
    [PUT_WORK] = "INSERT OR REPLACE INTO work VALUES (?1, ?2, ?3)",
    [DELETE_WORK] = "DELETE FROM work WHERE name = ?1",
};

struct change {
    enum statement kind;
    union {
        struct lb_store_lease lease;
        struct lb_store_machine machine;
        struct lb_store_section section;
        struct lb_store_work work;
    };
};

struct lb_store_internals {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int fd;
    pthread_t writer;
    bool is_writing; /* the thread runs */
    pthread_mutex_t mutex;
    pthread_cond_t has_work, has_done;
    /* Under the mutex. */
    struct change queue[LB_STORE_QUEUE];
    size_t queue_len;
    uint64_t last_ticket;
    struct lb_store_progress progress;
    uint64_t commits;
    char reason[160];
    bool is_ending;
    /* The writer's. */
    struct change batch[LB_STORE_QUEUE];
};

/* ---- leases ---- */

struct lb_store_lease lb_server_lease_of(const struct lb_binding *binding, uint64_t now_us,
                                         int64_t now_s) {
    uint32_t valid_s = lb_binding_valid_s(binding, now_us);
    struct lb_store_lease lease = {
        .address = binding->address,
        .client_len = binding->client_len,
        .until_s = valid_s == UINT32_MAX ? LB_STORE_FOR_EVER : now_s + valid_s,
        .leased = binding->leased,
        .declined = binding->declined,
        .bootp = binding->bootp,
    };
    memcpy(lease.client, binding->client, binding->client_len);
    return lease;
}

uint32_t lb_server_lease_left_s(const struct lb_store_lease *lease, int64_t now_s) {
    if (lease->until_s == LB_STORE_FOR_EVER)
        return UINT32_MAX;
    return lease->until_s <= now_s ? 0 : (uint32_t)LB_MIN(lease->until_s - now_s, UINT32_MAX - 1);
}

/* ---- write ---- */

static void bind_bytes(sqlite3_stmt *statement, int at, const uint8_t *bytes, size_t len) {
    if (len > 0)
        sqlite3_bind_blob(statement, at, bytes, (int)len, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}

static void bind_lease(sqlite3_stmt *statement, const struct lb_store_lease *lease) {
    bind_bytes(statement, 1, lease->address.bytes, lease->address.family == LB_V6 ? 16 : 4);
    bind_bytes(statement, 2, lease->client, lease->client_len);
    sqlite3_bind_int64(statement, 3, lease->until_s);
    sqlite3_bind_int(statement, 4, lease->leased);
    sqlite3_bind_int(statement, 5, lease->declined);
    sqlite3_bind_int(statement, 6, lease->bootp);
}

static void bind_machine(sqlite3_stmt *statement, const struct lb_store_machine *machine) {
    sqlite3_bind_text(statement, 1, machine->name, -1, SQLITE_STATIC);
    bind_bytes(statement, 2, machine->mac, sizeof machine->mac);
    sqlite3_bind_int64(statement, 3, machine->offered);
}

static void bind_section(sqlite3_stmt *statement, const struct lb_store_section *section) {
    sqlite3_bind_text(statement, 1, section->name, -1, SQLITE_STATIC);
    if (section->text[0] != '\0')
        sqlite3_bind_text(statement, 2, section->text, -1, SQLITE_STATIC);
}

static void bind_work(sqlite3_stmt *statement, const struct lb_store_work *work) {
    sqlite3_bind_text(statement, 1, work->name, -1, SQLITE_STATIC);
    if (work->image[0] == '\0')
        return;
    sqlite3_bind_text(statement, 2, work->image, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, work->version);
}

static bool run(sqlite3 *db, const char *text) {
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool write_one(struct lb_store_internals *in, const struct change *change) {
    sqlite3_stmt *statement = in->statements[change->kind];
    if (change->kind == PUT_LEASE || change->kind == PUT_LEASE6)
        bind_lease(statement, &change->lease);
    else if (change->kind == PUT_MACHINE)
        bind_machine(statement, &change->machine);
    else if (change->kind == PUT_WORK || change->kind == DELETE_WORK)
        bind_work(statement, &change->work);
    else
        bind_section(statement, &change->section);
    bool did = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return did;
}

/* All of them, or none. */
static bool write_batch(struct lb_store_internals *in, size_t count) {
    bool did = run(in->db, "BEGIN IMMEDIATE");
    for (size_t i = 0; did && i < count; i++)
        did = write_one(in, &in->batch[i]);
    return did && run(in->db, "COMMIT");
}

static void *write_all(void *argument) {
    struct lb_store_internals *in = argument;
    pthread_mutex_lock(&in->mutex);
    for (;;) {
        while (in->queue_len == 0 && !in->is_ending)
            pthread_cond_wait(&in->has_work, &in->mutex);
        size_t count = in->queue_len;
        uint64_t ticket = in->last_ticket;
        if (count == 0)
            break;
        memcpy(in->batch, in->queue, count * sizeof *in->queue);
        in->queue_len = 0;
        pthread_mutex_unlock(&in->mutex);
        bool did = write_batch(in, count);
        char reason[sizeof in->reason] = "";
        if (!did) {
            lb_format(reason, sizeof reason, "%s", sqlite3_errmsg(in->db));
            run(in->db, "ROLLBACK"); /* where there is something to roll back */
        }
        pthread_mutex_lock(&in->mutex);
        in->progress.done = ticket;
        in->commits += did;
        if (!did) {
            in->progress.failed = ticket;
            memcpy(in->reason, reason, sizeof in->reason);
        }
        (void)eventfd_write(in->fd, 1);
        pthread_cond_broadcast(&in->has_done);
    }
    pthread_mutex_unlock(&in->mutex);
    return NULL;
}

/* ---- open ---- */

static bool fail(struct lb_server_error *error, const char *folder, const char *why) {
    return lb_server_fail(error, LB_SERVER_STATE_HINT, "nothing can be kept in %s: %s", folder,
                          why);
}

/* Of SQLite: a folder that is full, or a file that is damaged, is not mended by its rights. */
static bool fail_db(const struct lb_store_internals *in, const char *folder,
                    struct lb_server_error *error) {
    int code = sqlite3_errcode(in->db);
    const char *why = sqlite3_errmsg(in->db);
    if (code == SQLITE_FULL)
        return lb_server_fail(error, "make room on its file system, or: --state=FOLDER",
                              "nothing can be kept in %s: %s", folder, why);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return lb_server_fail(error,
                              "move it away, and start anew: addresses and the machines of "
                              "lunbootctl add are forgotten then, what machines have written stays",
                              "%s/lunbootd.db is damaged: %s", folder, why);
    return fail(error, folder, why);
}

static int read_version(sqlite3 *db) {
    sqlite3_stmt *statement;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

/* A file of a later lunbootd is left alone. */
static bool make_tables(struct lb_store_internals *in, const char *folder,
                        struct lb_server_error *error) {
    int version = read_version(in->db);
    if (version > VERSION)
        return lb_server_fail(error, "use that lunbootd, or another folder: --state=FOLDER",
                              "%s/lunbootd.db is of a later lunbootd", folder);
    if (version >= 0 && run(in->db, "BEGIN EXCLUSIVE") && run(in->db, tables))
        version = run(in->db, "COMMIT") ? VERSION : -1;
    return version == VERSION || fail_db(in, folder, error);
}

static bool open_file(struct lb_store_internals *in, const char *folder,
                      struct lb_server_error *error) {
    char path[LB_SERVER_PATH_MAX + 32];
    lb_format(path, sizeof path, "%s/lunbootd.db", folder);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    if (sqlite3_open_v2(path, &in->db, flags, NULL) != SQLITE_OK)
        return fail_db(in, folder, error);
    int code = run(in->db, modes) ? SQLITE_OK : sqlite3_errcode(in->db);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return lb_server_fail(error, "end it, or give this one its own folder: --state=FOLDER",
                              "another lunbootd is using %s", folder);
    return code == SQLITE_OK ? make_tables(in, folder, error) : fail_db(in, folder, error);
}

/* Signals are the loop's. */
static bool start_writer(struct lb_store_internals *in) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&in->writer, NULL, write_all, in);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return code == 0;
}

bool lb_server_store_open(struct lb_server_store *store, const char *folder,
                          struct lb_server_error *error) {
    *store = (struct lb_server_store){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct lb_store_internals *in = store->in = calloc(1, sizeof *in);
    if (store->fd < 0 || in == NULL)
        return fail(error, folder, strerror(errno));
    in->fd = store->fd;
    pthread_mutex_init(&in->mutex, NULL);
    pthread_cond_init(&in->has_work, NULL);
    pthread_cond_init(&in->has_done, NULL);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return fail(error, folder, strerror(errno));
    if (!open_file(in, folder, error))
        return false;
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(in->db, texts[i], -1, &in->statements[i], NULL) != SQLITE_OK)
            return fail_db(in, folder, error);
    in->is_writing = start_writer(in);
    return in->is_writing || fail(error, folder, strerror(errno));
}

void lb_server_store_close(struct lb_server_store *store) {
    struct lb_store_internals *in = store->in;
    if (in != NULL) {
        pthread_mutex_lock(&in->mutex);
        in->is_ending = true;
        pthread_cond_signal(&in->has_work);
        pthread_mutex_unlock(&in->mutex);
        if (in->is_writing)
            pthread_join(in->writer, NULL);
        for (int i = 0; i < STATEMENTS; i++)
            sqlite3_finalize(in->statements[i]);
        sqlite3_close(in->db);
        pthread_cond_destroy(&in->has_work);
        pthread_cond_destroy(&in->has_done);
        pthread_mutex_destroy(&in->mutex);
        free(in);
    }
    if (store->fd >= 0)
        close(store->fd);
    *store = (struct lb_server_store){.fd = -1};
}

/* ---- read ---- */

static bool next(struct lb_store_internals *in, enum statement which,
                 struct lb_server_error *error) {
    int code = sqlite3_step(in->statements[which]);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        lb_server_fail(error,
                       "restore lunbootd.db from a copy, or remove it: addresses are given anew",
                       "what lunbootd keeps cannot be read: %s", sqlite3_errmsg(in->db));
    sqlite3_reset(in->statements[which]);
    return false;
}

/* The bytes of a column, at most cap of them; gives how many. */
static size_t column_bytes(sqlite3_stmt *statement, int at, uint8_t *room, size_t cap) {
    const void *bytes = sqlite3_column_blob(statement, at);
    size_t len = LB_MIN((size_t)sqlite3_column_bytes(statement, at), cap);
    if (bytes == NULL)
        return 0;
    memcpy(room, bytes, len);
    return len;
}

bool lb_server_store_next_lease(struct lb_server_store *store, struct lb_store_lease *lease,
                                struct lb_server_error *error) {
    sqlite3_stmt *row = store->in->statements[READ_LEASES];
    uint8_t address[16] = {0};
    if (!next(store->in, READ_LEASES, error))
        return false;
    bool is_v6 = column_bytes(row, 0, address, sizeof address) == 16;
    *lease = (struct lb_store_lease){
        .address = is_v6 ? lb_addr_v6_bytes(address) : lb_addr_v4_bytes(address),
        .until_s = sqlite3_column_int64(row, 2),
        .leased = sqlite3_column_int(row, 3) != 0,
        .declined = sqlite3_column_int(row, 4) != 0,
        .bootp = sqlite3_column_int(row, 5) != 0,
    };
    lease->client_len = (uint8_t)column_bytes(row, 1, lease->client, sizeof lease->client);
    return true;
}

bool lb_server_store_next_machine(struct lb_server_store *store, struct lb_store_machine *machine,
                                  struct lb_server_error *error) {
    sqlite3_stmt *row = store->in->statements[READ_MACHINES];
    if (!next(store->in, READ_MACHINES, error))
        return false;
    *machine = (struct lb_store_machine){.offered = (uint32_t)sqlite3_column_int64(row, 2)};
    (void)column_bytes(row, 0, (uint8_t *)machine->name, sizeof machine->name - 1);
    (void)column_bytes(row, 1, machine->mac, sizeof machine->mac);
    return true;
}

bool lb_server_store_next_section(struct lb_server_store *store, struct lb_store_section *section,
                                  struct lb_server_error *error) {
    sqlite3_stmt *row = store->in->statements[READ_SECTIONS];
    if (!next(store->in, READ_SECTIONS, error))
        return false;
    *section = (struct lb_store_section){0};
    (void)column_bytes(row, 0, (uint8_t *)section->name, sizeof section->name - 1);
    (void)column_bytes(row, 1, (uint8_t *)section->text, sizeof section->text - 1);
    return true;
}

bool lb_server_store_next_work(struct lb_server_store *store, struct lb_store_work *work,
                               struct lb_server_error *error) {
    sqlite3_stmt *row = store->in->statements[READ_WORKS];
    if (!next(store->in, READ_WORKS, error))
        return false;
    *work = (struct lb_store_work){.version = (uint32_t)sqlite3_column_int64(row, 2)};
    (void)column_bytes(row, 0, (uint8_t *)work->name, sizeof work->name - 1);
    (void)column_bytes(row, 1, (uint8_t *)work->image, sizeof work->image - 1);
    return true;
}

/* ---- put ---- */

static uint64_t put(struct lb_store_internals *in, const struct change *change) {
    uint64_t ticket = 0;
    pthread_mutex_lock(&in->mutex);
    if (in->queue_len < LB_STORE_QUEUE) {
        in->queue[in->queue_len++] = *change;
        ticket = ++in->last_ticket;
        pthread_cond_signal(&in->has_work);
    }
    pthread_mutex_unlock(&in->mutex);
    return ticket;
}

uint64_t lb_server_store_put_lease(struct lb_server_store *store,
                                   const struct lb_store_lease *lease) {
    enum statement kind = lease->address.family == LB_V6 ? PUT_LEASE6 : PUT_LEASE;
    return put(store->in, &(struct change){.kind = kind, .lease = *lease});
}

uint64_t lb_server_store_put_machine(struct lb_server_store *store,
                                     const struct lb_store_machine *machine) {
    return put(store->in, &(struct change){.kind = PUT_MACHINE, .machine = *machine});
}

uint64_t lb_server_store_put_section(struct lb_server_store *store,
                                     const struct lb_store_section *section) {
    return put(store->in, &(struct change){
                              .kind = section->text[0] != '\0' ? PUT_SECTION : DELETE_SECTION,
                              .section = *section,
                          });
}

uint64_t lb_server_store_put_work(struct lb_server_store *store, const struct lb_store_work *work) {
    return put(store->in, &(struct change){
                              .kind = work->image[0] != '\0' ? PUT_WORK : DELETE_WORK,
                              .work = *work,
                          });
}

void lb_server_store_flush(struct lb_server_store *store) {
    struct lb_store_internals *in = store->in;
    bool is_paused = lb_lock_pause_any();
    pthread_mutex_lock(&in->mutex);
    uint64_t ticket = in->last_ticket;
    while (in->progress.done < ticket)
        pthread_cond_wait(&in->has_done, &in->mutex);
    pthread_mutex_unlock(&in->mutex);
    lb_lock_resume_any(is_paused);
}

struct lb_store_progress lb_server_store_progress(struct lb_server_store *store) {
    struct lb_store_internals *in = store->in;
    eventfd_t count;
    (void)eventfd_read(store->fd, &count);
    pthread_mutex_lock(&in->mutex);
    struct lb_store_progress progress = in->progress;
    pthread_mutex_unlock(&in->mutex);
    return progress;
}

void lb_server_store_reason(struct lb_server_store *store, char *room, size_t cap) {
    pthread_mutex_lock(&store->in->mutex);
    lb_format(room, cap, "%s", store->in->reason);
    pthread_mutex_unlock(&store->in->mutex);
}

uint64_t lb_server_store_commits(struct lb_server_store *store) {
    pthread_mutex_lock(&store->in->mutex);
    uint64_t commits = store->in->commits;
    pthread_mutex_unlock(&store->in->mutex);
    return commits;
}
