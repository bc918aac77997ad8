#include "server/board.h"
#include "core/base/siphash.h"
#include "server/lock.h"
#include "server/target.h"
#include <string.h>

#define QUIET_BYTES  262144 /* a second: a system that has booted reads less */
#define QUIET_S      10
#define RATE_MS      950    /* between two measurements */
#define PAUSE_MS     60000  /* a firmware that asks again after it begins another boot */
#define STALL_MS     120000 /* a boot in which nothing happens for so long is told */
#define GONE_MS      30000  /* without a session */
#define LOOKED_AT    64     /* rows, for one that may go */
#define ROWS_AT_ONCE 64     /* then other threads come */
#define UNSEEN_MAX   512    /* machines that are shown before they have done anything */

/* ---- which row ---- */

/* Never 0, which stands for nothing. */
static uint32_t key_of(struct lb_bytes bytes) {
    static const struct lb_hash_key key = {0};
    uint64_t hash = lb_siphash(&key, bytes);
    return (uint32_t)(hash ^ hash >> 32) | 1;
}

static uint32_t key_of_address(struct lb_addr address) {
    return lb_addr_is_set(address) ? key_of(lb_bytes(address.bytes, sizeof address.bytes)) : 0;
}

static struct lb_board_row *find_named(struct lb_board *board, const char *name) {
    uint32_t key = key_of(lb_bytes_of_text(name));
    for (size_t i = 0; name[0] != '\0' && i < board->count; i++)
        if (board->name_keys[i] == key && lb_streq(board->rows[i].name, name))
            return &board->rows[i];
    return NULL;
}

const struct lb_board_row *lb_board_find(const struct lb_board *board, const char *name) {
    return find_named((struct lb_board *)(uintptr_t)board, name);
}

static struct lb_board_row *find_mac(struct lb_board *board, const uint8_t *mac) {
    bool is_set = mac != NULL && lb_mac_is_set(mac);
    uint32_t key = is_set ? key_of(lb_bytes(mac, 6)) : 0;
    for (size_t i = 0; is_set && i < board->count; i++)
        if (board->mac_keys[i] == key && memcmp(board->rows[i].mac, mac, 6) == 0)
            return &board->rows[i];
    return NULL;
}

/* The last one that had it. */
static struct lb_board_row *find_address(struct lb_board *board, struct lb_addr address) {
    struct lb_board_row *found = NULL;
    uint32_t key = key_of_address(address);
    for (size_t i = 0; key != 0 && i < board->count; i++) {
        struct lb_board_row *row = &board->rows[i];
        if (board->address_keys[i] == key && lb_addr_equal(row->address, address) &&
            (found == NULL || row->heard_ms > found->heard_ms))
            found = row;
    }
    return found;
}

/* Rows are found by these. */
static void note_keys(struct lb_board *board, const struct lb_board_row *row) {
    size_t at = (size_t)(row - board->rows);
    board->name_keys[at] = row->name[0] != '\0' ? key_of(lb_bytes_of_text(row->name)) : 0;
    board->mac_keys[at] = lb_mac_is_set(row->mac) ? key_of(lb_bytes(row->mac, 6)) : 0;
    board->address_keys[at] = key_of_address(row->address);
}

static void drop_row(struct lb_board *board, struct lb_board_row *row) {
    uint64_t hash = row->hash; /* of what is shown: it changes now */
    *row = (struct lb_board_row){.hash = hash};
    note_keys(board, row);
}

/* A free row; else, of the next few, that of the machine which was idle for longest. */
static struct lb_board_row *new_row(struct lb_board *board) {
    struct lb_board_row *oldest = NULL;
    if (board->count < LB_BOARD_ROWS)
        oldest = &board->rows[board->count++];
    for (size_t i = 0; oldest == NULL && i < board->count && board->free_count > 0; i++)
        if (!board->rows[i].is_used)
            oldest = &board->rows[i], board->free_count--;
    if (oldest == NULL) {
        for (size_t i = 0; i < LOOKED_AT; i++) {
            struct lb_board_row *row = &board->rows[(board->next + i) % LB_BOARD_ROWS];
            if (row->sessions == 0 && (oldest == NULL || row->heard_ms < oldest->heard_ms))
                oldest = row;
        }
        board->next = (board->next + (oldest != NULL ? 1 : LOOKED_AT)) % LB_BOARD_ROWS;
    }
    if (oldest == NULL)
        return NULL;
    drop_row(board, oldest);
    oldest->is_used = true;
    return oldest;
}

/* The row of an event's machine; NULL: the board is full. */
static struct lb_board_row *row_of(struct lb_board *board, const struct lb_event *event) {
    const char *name = event->machine != NULL ? event->machine : "";
    struct lb_board_row *row = find_named(board, name);
    if (row == NULL && name[0] == '\0')
        row = find_mac(board, event->mac);
    if (row == NULL && name[0] == '\0' && event->mac == NULL)
        row = find_address(board, event->address);
    if (row == NULL)
        row = new_row(board);
    if (row == NULL)
        return NULL;
    if (name[0] != '\0')
        lb_format(row->name, sizeof row->name, "%s", name);
    if (event->mac != NULL)
        memcpy(row->mac, event->mac, sizeof row->mac);
    if (lb_addr_is_set(event->address))
        row->address = event->address;
    if (event->host != NULL && event->host[0] != '\0')
        lb_format(row->host, sizeof row->host, "%s", event->host);
    note_keys(board, row);
    return row;
}

/* ---- stages ---- */

static void enter(struct lb_board_row *row, uint64_t time_ms, enum lb_board_stage stage) {
    if (row->stage != stage)
        row->since_ms = time_ms;
    row->stage = stage;
    row->quiet_s = 0;
}

static void begin_boot(struct lb_board_row *row, uint64_t time_ms) {
    row->boot_ms = time_ms;
    row->boot_read_from = row->bytes_read;
    row->file[0] = '\0';
}

static bool is_booting(const struct lb_board_row *row) {
    return row->boot_ms != 0 && row->stage >= LB_BOARD_ADDRESS && row->stage < LB_BOARD_RUNNING;
}

static void on_address(struct lb_board_row *row, uint64_t time_ms, bool is_firmware) {
    bool is_same = (row->stage == LB_BOARD_ADDRESS || row->stage == LB_BOARD_LOADER) &&
                   row->boot_ms != 0 && time_ms - row->heard_ms < PAUSE_MS;
    if (is_firmware && !is_same) {
        begin_boot(row, time_ms);
        enter(row, time_ms, LB_BOARD_ADDRESS);
        row->since_ms = time_ms;
    } else if (!is_firmware && (row->stage == LB_BOARD_UNSEEN || row->stage == LB_BOARD_OFF)) {
        row->boot_ms = 0;
        enter(row, time_ms, LB_BOARD_ADDRESS);
    }
}

static void on_login(struct lb_board_row *row, uint64_t time_ms) {
    if (row->stage == LB_BOARD_OFF || row->boot_ms == 0)
        begin_boot(row, time_ms);
    if (row->stage != LB_BOARD_READING && row->stage != LB_BOARD_RUNNING)
        enter(row, time_ms, LB_BOARD_LOGIN);
    row->sessions++;
    row->session_ms = time_ms;
}

static void on_end(struct lb_board_row *row, uint64_t time_ms, const struct lb_event *event) {
    row->ended_read += event->bytes_read;
    row->ended_written += event->bytes_written;
    row->bytes_read = LB_MAX(row->bytes_read, row->ended_read);
    row->sessions -= row->sessions > 0;
    row->session_ms = time_ms;
}

static void set_trouble(struct lb_board_row *row, uint64_t time_ms, const char *what,
                        const char *hint) {
    lb_format(row->trouble, sizeof row->trouble, "%s", what);
    lb_format(row->hint, sizeof row->hint, "%s", hint != NULL ? hint : "");
    row->trouble_ms = time_ms;
}

void lb_board_event(struct lb_board *board, uint64_t time_ms, const struct lb_event *event,
                    const char *sentence) {
    board->events[event->kind]++;
    if (event->kind == LB_EVENT_NOTE) {
        board->is_stirred = board->is_stirred || event->machine != NULL;
        return;
    }
    struct lb_board_row *row = row_of(board, event);
    if (row == NULL)
        return;
    switch (event->kind) {
    case LB_EVENT_NOTE:
        break;
    case LB_EVENT_ADDRESS:
        on_address(row, time_ms, event->is_firmware);
        break;
    case LB_EVENT_FILE:
        if (row->boot_ms == 0 || row->stage == LB_BOARD_OFF)
            begin_boot(row, time_ms);
        if (row->sessions == 0)
            enter(row, time_ms, LB_BOARD_LOADER);
        lb_format(row->file, sizeof row->file, "%s", event->file);
        break;
    case LB_EVENT_LOGIN:
        on_login(row, time_ms);
        break;
    case LB_EVENT_READ:
        if (row->trouble_ms < row->boot_ms) /* that was before this boot */
            row->trouble[0] = row->hint[0] = '\0';
        if (row->stage != LB_BOARD_RUNNING)
            enter(row, time_ms, LB_BOARD_READING);
        break;
    case LB_EVENT_END:
        on_end(row, time_ms, event);
        break;
    case LB_EVENT_TROUBLE:
        break;
    }
    if (event->is_trouble || event->kind == LB_EVENT_TROUBLE)
        set_trouble(row, time_ms, sentence, event->hint);
    row->heard_ms = time_ms;
    board->is_stirred = true;
}

/* ---- what time does ---- */

static void tell_stall(struct lb_board_row *row, uint64_t time_ms) {
    static const char *const what[] = {"got an address two minutes ago, and has asked for nothing",
                                       "has asked for nothing for two minutes"};
    static const char *const hints[] = {
        "see its screen; let it reach UDP port 69 and TCP port 80 of this computer",
        "see its screen: the loader says there what it misses; Secure Boot takes signed loaders "
        "alone"};
    bool has_file = row->stage == LB_BOARD_LOADER;
    lb_server_say(lb_board_name(row).s, "%s; try: %s", what[has_file], hints[has_file]);
    set_trouble(row, time_ms, what[has_file], hints[has_file]);
}

static void measure(struct lb_board *board, struct lb_board_row *row, uint64_t time_ms,
                    uint64_t past_ms, uint64_t read, uint64_t written) {
    row->rate_read = past_ms > 0 ? (read - LB_MIN(read, row->bytes_read)) * 1000 / past_ms : 0;
    row->rate_written =
        past_ms > 0 ? (written - LB_MIN(written, row->bytes_written)) * 1000 / past_ms : 0;
    row->bytes_read = read;
    row->bytes_written = written;
    row->quiet_s = row->rate_read < QUIET_BYTES ? row->quiet_s + 1 : 0;
    if (row->stage == LB_BOARD_READING && row->sessions > 0 && row->quiet_s >= QUIET_S) {
        enter(row, time_ms, LB_BOARD_RUNNING);
        row->boot_bytes = board->usual_bytes = row->bytes_read - row->boot_read_from;
        row->boots++;
        board->boots++;
    }
    if (row->sessions == 0 && row->stage >= LB_BOARD_LOGIN && row->stage < LB_BOARD_OFF &&
        time_ms - row->session_ms >= GONE_MS) {
        enter(row, time_ms, LB_BOARD_OFF);
        row->since_ms = row->session_ms;
    }
    if (is_booting(row) && row->stage <= LB_BOARD_LOADER && row->trouble_ms < row->boot_ms &&
        time_ms - row->heard_ms >= STALL_MS)
        tell_stall(row, time_ms);
}

/* ---- refresh ---- */

static void take_machine(struct lb_board_row *row, const struct lb_server_machines *machines,
                         const struct lb_server_machine *machine) {
    if (lb_mac_is_set(machine->mac))
        memcpy(row->mac, machine->mac, sizeof row->mac);
    row->has_machine = true;
    row->is_busy = machine->is_busy;
    row->is_ejected = machine->node->login_status != 0;
    row->is_maintained = machine->is_maintained;
    row->writes = machine->writes;
    row->has_overlay = machine->is_open;
    row->overlay_bytes = machine->is_open ? machine->overlay.overlay.here * LB_OVERLAY_BLOCK : 0;
    row->overlay_limit = (uint64_t)machines->settings->overlay_mib << 20;
    row->sanitize = machine->unit.sanitize.state;
    row->sanitized = machine->unit.sanitize.progress * 1000U / 65536;
    lb_format(row->disk, sizeof row->disk, "%s", machine->disk->path);
}

/* Those that have a section, and have done nothing. */
static void add_unseen(struct lb_board *board, const struct lb_server_machines *machines) {
    uint64_t stamp = lb_server_machines_stamp(machines);
    if (stamp == board->stamp)
        return;
    board->stamp = stamp;
    for (size_t i = 0; i < machines->count && i < UNSEEN_MAX; i++) {
        const struct lb_event event = {.machine = machines->list[i].name};
        if (!machines->list[i].is_gone && machines->list[i].is_section)
            (void)row_of(board, &event);
    }
}

static void take_machines(struct lb_board *board, struct lb_server_machines *machines) {
    add_unseen(board, machines);
    for (size_t i = 0; i < board->count; i++) {
        struct lb_board_row *row = &board->rows[i];
        row->has_machine = false;
        if (!row->is_used || row->name[0] == '\0')
            continue;
        const struct lb_server_machine *machine =
            lb_server_machines_named(machines, lb_bytes_of_text(row->name));
        if (machine != NULL)
            take_machine(row, machines, machine);
    }
}

struct live {
    uint64_t read, written;
    size_t sessions;
};

static void take_sessions(struct lb_board *board, const struct lb_server_target *target,
                          struct live live[LB_BOARD_ROWS]) {
    struct lb_server_session_info info;
    const struct lb_server_session *at = NULL;
    while (lb_server_target_next_of_all(target, &at, &info)) {
        struct lb_event event = {.machine = info.machine->name, .address = info.client.addr};
        struct lb_board_row *row = row_of(board, &event);
        if (row == NULL)
            continue;
        struct live *of = &live[row - board->rows];
        of->read += info.bytes_read;
        of->written += info.bytes_written;
        of->sessions++;
        row->has_machine = true;
        if (info.machine->name[0] == '\0')
            lb_format(row->disk, sizeof row->disk, "%s", info.machine->disk->path);
    }
}

static void note_change(struct lb_board *board, size_t at) {
    static const struct lb_hash_key key = {0};
    char room[LB_BOARD_JSON_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    lb_board_json(board, at, &text);
    uint64_t hash = lb_siphash(&key, lb_bytes(room, text.len));
    if (hash == board->rows[at].hash)
        return;
    board->rows[at].hash = hash;
    board->rows[at].serial = ++board->serial;
}

/* Long where there are many machines. An event that comes between is seen the next time. */
static void note_changes(struct lb_board *board) {
    for (size_t i = 0; i < board->count; i++) {
        if (board->rows[i].is_used || board->rows[i].hash != 0)
            note_change(board, i);
        if (i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1)
            lb_lock_yield();
    }
}

static bool is_lively(const struct lb_board *board) {
    for (size_t i = 0; i < board->count; i++) {
        const struct lb_board_row *row = &board->rows[i];
        if (row->is_used &&
            (row->sessions > 0 || is_booting(row) || row->sanitize == LB_SCSI_SANITIZE_GOES_ON ||
             (row->stage >= LB_BOARD_LOGIN && row->stage < LB_BOARD_OFF)))
            return true;
    }
    return false;
}

void lb_board_refresh(struct lb_board *board, uint64_t time_ms, struct lb_server_machines *machines,
                      const struct lb_server_target *target) {
    static struct live live[LB_BOARD_ROWS];
    uint64_t past_ms =
        board->rate_ms == 0 || time_ms < board->rate_ms ? 0 : time_ms - board->rate_ms;
    bool is_time = past_ms >= RATE_MS || board->rate_ms == 0 || time_ms < board->rate_ms;
    memset(live, 0, sizeof live);
    take_machines(board, machines);
    take_sessions(board, target, live);
    for (size_t i = 0; i < board->count; i++) {
        struct lb_board_row *row = &board->rows[i];
        row->sessions = live[i].sessions;
        if (row->sessions > 0)
            row->session_ms = time_ms;
        if (row->is_used && is_time)
            measure(board, row, time_ms, past_ms, row->ended_read + live[i].read,
                    row->ended_written + live[i].written);
        if (row->is_used && row->name[0] != '\0' && !row->has_machine) { /* it was removed */
            drop_row(board, row);
            board->free_count++;
        }
    }
    note_changes(board);
    struct lb_server_target_use use = lb_server_target_use(target);
    board->memory = use.memory;
    board->memory_used = use.memory_used;
    board->memory_waits = use.memory_waits;
    board->refresh_ms = time_ms;
    board->is_stirred = false;
    board->is_lively = is_lively(board);
    if (is_time)
        board->rate_ms = time_ms;
}

/* ---- what is shown ---- */

struct lb_addr_text lb_board_name(const struct lb_board_row *row) {
    struct lb_addr_text name = {""};
    if (row->name[0] != '\0')
        lb_format(name.s, sizeof name.s, "%s", row->name);
    else
        name = lb_mac_is_set(row->mac) ? lb_mac_text(row->mac) : lb_addr_text(row->address);
    return name;
}

const char *lb_board_stage_word(enum lb_board_stage stage) {
    static const char *const words[LB_BOARD_STAGES] = {
        [LB_BOARD_UNSEEN] = "unseen",   [LB_BOARD_ADDRESS] = "address",
        [LB_BOARD_LOADER] = "loader",   [LB_BOARD_LOGIN] = "login",
        [LB_BOARD_READING] = "reading", [LB_BOARD_RUNNING] = "running",
        [LB_BOARD_OFF] = "off",
    };
    return words[stage];
}

const char *lb_board_state(const struct lb_board_row *row) {
    if (row->is_busy)
        return "committing";
    if (row->sanitize != LB_SCSI_SANITIZE_NONE)
        return row->sanitize == LB_SCSI_SANITIZE_GOES_ON ? "sanitizing" : "unusable";
    return row->is_ejected && row->sessions == 0 ? "ejected" : lb_board_stage_word(row->stage);
}

int lb_board_progress(const struct lb_board *board, const struct lb_board_row *row) {
    uint64_t usual = row->boot_bytes != 0 ? row->boot_bytes : board->usual_bytes;
    uint64_t read = row->bytes_read - LB_MIN(row->bytes_read, row->boot_read_from);
    if (row->sanitize == LB_SCSI_SANITIZE_GOES_ON)
        return (int)row->sanitized;
    if (!is_booting(row))
        return -1;
    if (row->stage != LB_BOARD_READING)
        return row->stage == LB_BOARD_ADDRESS ? 50 : row->stage == LB_BOARD_LOADER ? 100 : 150;
    if (usual == 0)
        return -2;
    return 200 + (int)LB_MIN(read * 800 / usual, 790);
}

static void add_text(struct lb_text *text, const char *word, const char *value) {
    if (value[0] == '\0')
        return;
    lb_text_add(text, ",\"%s\":", word);
    lb_text_json(text, lb_bytes_of_text(value));
}

static void add_number(struct lb_text *text, const char *word, uint64_t value) {
    if (value != 0)
        lb_text_add(text, ",\"%s\":%llu", word, (unsigned long long)value);
}

void lb_board_json(const struct lb_board *board, size_t at, struct lb_text *text) {
    static const char *const writes[] = {"direct", "keep", "drop"};
    const struct lb_board_row *row = &board->rows[at];
    int progress = lb_board_progress(board, row);
    lb_text_add(text, "{\"row\":%zu", at);
    if (!row->is_used) {
        lb_text_add(text, ",\"gone\":true}");
        return;
    }
    add_text(text, "name", lb_board_name(row).s);
    add_text(text, "mac", lb_mac_is_set(row->mac) ? lb_mac_text(row->mac).s : "");
    add_text(text, "address", lb_addr_is_set(row->address) ? lb_addr_text(row->address).s : "");
    add_text(text, "host", row->host);
    add_text(text, "state", lb_board_state(row));
    add_number(text, "since", row->since_ms);
    add_number(text, "began", row->boot_ms);
    if (progress != -1)
        lb_text_add(text, ",\"progress\":%d", progress);
    add_text(text, "file", row->file);
    add_number(text, "sessions", row->sessions);
    add_number(text, "read", row->bytes_read);
    add_number(text, "written", row->bytes_written);
    add_number(text, "reading", row->rate_read);
    add_number(text, "writing", row->rate_written);
    add_text(text, "disk", row->disk);
    add_text(text, "writes", row->name[0] != '\0' ? writes[row->writes] : "");
    if (row->has_overlay)
        lb_text_add(text, ",\"overlay\":%llu", (unsigned long long)row->overlay_bytes);
    if (row->has_overlay)
        add_number(text, "limit", row->overlay_limit);
    if (row->is_maintained)
        lb_text_add(text, ",\"maintenance\":true");
    add_text(text, "trouble", row->trouble);
    add_text(text, "try", row->hint);
    add_number(text, "troubled", row->trouble[0] != '\0' ? row->trouble_ms : 0);
    lb_text_add(text, "}");
}
